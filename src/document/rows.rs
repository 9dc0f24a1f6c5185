//! Lines that are known by their places on pages, made into paragraphs, items, headings and tables.
//!
//! What one page or column leaves unfinished goes on in the next; words that were broken at the end of a line are whole again;
//! what stands at the head or foot of pages is read once, at the end, and so are the notes that would stand in a sentence.

mod figures;

use std::collections::{BTreeSet, HashMap, HashSet};

use super::extracted::Extracted;
use super::{BlockKind, names_page, plain, sentence};

/// A line, or a row of a table.
pub(super) struct Row {
    /// How far up the page, in points.
    pub(super) y: f32,
    /// The size of its letters, in points.
    pub(super) size: f32,
    pub(super) is_heading: bool,
    /// It is known to begin an item of a list.
    pub(super) is_item: bool,
    /// It is known to be a running head or foot.
    pub(super) is_margin: bool,
    /// What was taken for a table of this number.
    pub(super) table: Option<usize>,
    /// From left to right, at least one.
    pub(super) pieces: Vec<Piece>,
}

/// A line, or a cell of a row.
#[derive(Clone)]
pub(super) struct Piece {
    /// Where it begins and ends, across the page, in points.
    pub(super) x: f32,
    pub(super) end_x: f32,
    pub(super) column: usize,
    pub(super) text: String,
}

/// A gap within a row that is smaller, in its letters' size, is one between words: justified lines have wide ones.
const WORD_GAP: f32 = 1.0;
/// Lines of a paragraph are closer than this, in what is usual for their size.
const LINE_GAP: f32 = 1.35;
/// The same, where what follows looks like a note.
const NOTE_GAP: f32 = 1.1;
/// Steps within sentences that say that a text is double-spaced.
const FEWEST_STEPS: usize = 8;
/// Letters of one paragraph differ less in size.
const SIZE: f32 = 1.07;
/// An indent that begins a paragraph, in the size of its letters.
const INDENT: f32 = 0.8;
/// Notes are set in type smaller than this, of the body's.
const NOTE_SIZE: f32 = 0.93;
/// A last line of this share of its paragraph's width is no end of it, where text is not justified.
const FULL_LINE: f32 = 0.8;
/// A line of a smaller share of the page's width ends before the next word would not have fitted.
const SHORT_LINE: f32 = 0.7;
/// Lines that a paragraph's width is known from.
const MOST_LINES: usize = 50;
/// Lines of a cell are closer than this, in what rows are apart.
const WRAPPED: f32 = 0.85;
/// Numbers in a row that count the lines of a page.
const FEWEST_LINE_NUMBERS: usize = 10;
/// Numbers of a head that may follow the pages.
const MOST_NUMBERS: usize = 8;
/// How many lines at each end of a page may belong to its margin.
const MARGIN: usize = 2;
/// What they stand apart from the text, in the size of their letters.
const MARGIN_GAP: f32 = 1.4;

impl Row {
    /// Bytes of text in it.
    pub(super) fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.len()).sum()
    }

    fn x(&self) -> f32 {
        self.pieces.first().map_or(0.0, |piece| piece.x)
    }

    fn end_x(&self) -> f32 {
        self.pieces.last().map_or(0.0, |piece| piece.end_x)
    }

    pub(super) fn text(&self) -> String {
        let texts: Vec<&str> = self.pieces.iter().map(|piece| piece.text.as_str()).collect();
        texts.join(" ")
    }

    /// The same row with what stands a word's gap apart joined.
    fn joined(&self) -> Self {
        let mut pieces: Vec<Piece> = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            match pieces.last_mut() {
                Some(last) if piece.x - last.end_x < WORD_GAP * self.size => {
                    last.text = format!("{} {}", last.text, piece.text);
                    last.end_x = piece.end_x;
                }
                _ => pieces.push(piece.clone()),
            }
        }
        Self { pieces, ..*self }
    }

    /// Whether it is an item whose mark stands apart: `(b)    pay the rent;`
    fn has_mark_apart(&self) -> bool {
        matches!(&self.pieces[..], [mark, _] if is_mark(&mark.text))
    }

    fn begins_item(&self) -> bool {
        self.is_item
            || self.has_mark_apart()
            || self
                .text()
                .split_once(' ')
                .is_some_and(|(first, _)| is_mark(first))
    }
}

/// `(b)`, `2.`, `2.1`, `•`
fn is_mark(text: &str) -> bool {
    let label = text.trim_matches(['(', ')', '.']);
    let is_marked = label.len() < text.len() || label.contains('.');
    let is_number = label
        .split('.')
        .all(|part| (1..4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    let is_letter = (1..=4).contains(&label.len())
        && (label.len() == 1 || label.bytes().all(|b| b"ivxIVX".contains(&b)))
        && label.bytes().all(|b| b.is_ascii_alphabetic());
    let is_bullet =
        text.chars().count() == 1 && text.starts_with(|c: char| "•◦▪‣·–—-*●○■□\u{F0B7}".contains(c));
    is_bullet || is_marked && (is_number || is_letter)
}

/// Puts the rows of pages together.
pub(super) fn extracted(pages: &[Vec<Row>]) -> Extracted {
    let mut writer = Writer::new(pages);
    for (number, page) in (1..).zip(pages) {
        if number > 1 {
            writer.extracted.next_page();
        }
        writer.page(page);
        writer.end_note();
    }
    writer.close();
    writer.extracted
}

/// The words of a document, to know how one is written that a line breaks.
struct Words {
    known: HashSet<String>,
    are_hyphenated: bool,
}

impl Words {
    fn of(pages: &[Vec<Row>]) -> Self {
        let texts: Vec<String> = pages.iter().flatten().map(Row::text).collect();
        let known = texts.iter().flat_map(|text| text.split_whitespace()).map(bare);
        let mut words = Self {
            known: known.filter(|word| !word.is_empty()).collect(),
            are_hyphenated: false,
        };
        // How words are written that lines break: without their hyphen, or with it.
        let (mut without, mut with) = (0, 0);
        for pair in texts
            .windows(2)
            .filter(|pair| plain::is_hyphenated(&pair[0], &pair[1]))
        {
            let (word, compound) = joined(&pair[0], &pair[1]);
            without += usize::from(words.known.contains(&word));
            with += usize::from(words.known.contains(&compound));
        }
        words.are_hyphenated = without > with;
        words
    }

    /// Adds a line to text. A word that is broken between them is written as elsewhere in the document.
    fn join(&self, text: &mut String, line: &str) {
        if plain::is_hyphenated(text, line) {
            let (word, compound) = joined(text, line);
            let is_broken = self.are_hyphenated && !self.known.contains(&compound);
            if self.known.contains(&word) || is_broken {
                text.pop();
            }
        } else if plain::is_one_word(text, line) {
            let (word, compound) = joined(text, line);
            if text.ends_with('-') && self.known.contains(&word) && !self.known.contains(&compound) {
                text.pop();
            }
        } else if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(line);
    }
}

/// The word that a line breaks, without the hyphen and with it.
fn joined(line: &str, next: &str) -> (String, String) {
    let before = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    let behind = next.split(char::is_whitespace).next().unwrap_or_default();
    let word = format!("{}{behind}", before.trim_end_matches('-'));
    (bare(&word), bare(&format!("{before}{behind}")))
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// A paragraph that may go on.
struct Flow {
    text: String,
    /// How much of it has been written: all but a hyphen at the end, which may not stay.
    written: usize,
    /// Its last line is about as wide as it gets.
    is_full: bool,
    /// How wide that is.
    width: f32,
    is_small: bool,
    /// The page of its last line, and how far up that stands.
    end: (usize, f32),
}

impl Flow {
    fn is_unfinished(&self) -> bool {
        !ends(&self.text)
    }

    fn breaks_off(&self) -> bool {
        self.is_full && self.is_unfinished()
    }
}

/// Whether a line's sentence goes on in the line below it, however far below that is.
fn goes_on(line: &Row, next: &Row) -> bool {
    tenths(line.size) == tenths(next.size)
        && line.y > next.y
        && line.end_x() - next.x() >= FULL_LINE * (next.end_x() - next.x())
        && next.text().starts_with(char::is_lowercase)
        && !ends(&line.text())
}

/// Whether nothing has to follow.
fn ends(text: &str) -> bool {
    sentence::stops(text) || text.ends_with([':', ';'])
}

struct Writer<'a> {
    extracted: Extracted,
    words: Words,
    /// The size of most letters.
    body: f32,
    /// How far lines of a size, in tenths of a point, usually stand apart where they are close, and where they are not.
    pitches: HashMap<u32, (f32, f32)>,
    flow: Option<Flow>,
    /// The rows of the paragraph that is being read.
    rows: Vec<&'a Row>,
    /// Whether they begin or end the page.
    is_at_edge: bool,
    /// How far to the right lines of the page reach.
    right: f32,
    /// What stands at the head or foot of several pages, without their numbers, and whether it has been read.
    margins: HashMap<String, bool>,
    /// A note that may go on, with the page of its last line and how far up that stands.
    note: Option<(String, (usize, f32))>,
    lists: u32,
    was_item: bool,
}

/// How far lines of one size stand apart.
#[derive(Default)]
struct Steps {
    all: Vec<f32>,
    /// Where the second line goes on in lower case.
    within_sentences: Vec<f32>,
}

impl Steps {
    /// How far the lines of a paragraph stand apart: where they are close, and, of a text that is double-spaced in part, where
    /// they are not.
    fn pitches(mut self) -> (f32, f32) {
        self.all.sort_by(f32::total_cmp);
        self.within_sentences.sort_by(f32::total_cmp);
        // Most steps of a list are those between its items.
        let close = self.all[(self.all.len() - 1) / 8];
        let count = self.within_sentences.len();
        let wide = self
            .within_sentences
            .get(count * 3 / 4)
            .filter(|_| count >= FEWEST_STEPS);
        (close, wide.map_or(close, |wide| wide.max(close)))
    }
}

/// A size in tenths of a point.
fn tenths(size: f32) -> u32 {
    (size * 10.0).round() as u32
}

/// The rows at the ends of a page by their numbers, and whether there is a gap between them and the text.
fn edges(page: &[Row]) -> impl Iterator<Item = (usize, bool)> {
    let mut heights: Vec<(f32, f32)> = page.iter().map(|row| (row.y, row.size)).collect();
    heights.sort_by(|a, b| b.0.total_cmp(&a.0));
    heights.dedup_by(|a, b| (a.0 - b.0).abs() < 1.0);
    let is_gap = |pair: &&[(f32, f32)]| pair[0].0 - pair[1].0 > MARGIN_GAP * pair[0].1.min(pair[1].1);
    let pairs = || heights.windows(2);
    let above = pairs()
        .take(MARGIN)
        .rfind(is_gap)
        .map_or(f32::MAX, |pair| pair[0].0);
    let below = pairs()
        .rev()
        .take(MARGIN)
        .filter(is_gap)
        .map(|pair| pair[1].0)
        .fold(f32::MIN, f32::max);
    let height = |at: usize| heights.get(at).map_or(0.0, |&(y, _)| y);
    let (high, low) = (height(MARGIN - 1), height(heights.len().saturating_sub(MARGIN)));
    let is_edge = move |row: &Row| row.table.is_none() && (row.y > high - 1.0 || row.y < low + 1.0);
    let has_gap = move |row: &Row| row.y > above - 1.0 || row.y < below + 1.0;
    (0..)
        .zip(page)
        .filter(move |(_, row)| is_edge(row))
        .map(move |(at, row)| (at, has_gap(row)))
}

/// What the heads of several pages may have in common: their text, or what is left of it without a number that follows the
/// pages, as in `Draft of 9 June, page 2 of 3`. Each number may be it, so there is a head for each.
fn heads_of(row: &Row, page: usize) -> Vec<String> {
    let text = row.text();
    let mut heads = vec![text.trim().to_owned()];
    // Headings count years and chapters.
    if row.is_heading {
        return heads;
    }
    let is_between = |c: char| c.is_whitespace() || "|-–—·,/".contains(c);
    let mut from = 0;
    for word in text.split(is_between) {
        let start = from;
        from += word.len() + text[from + word.len()..].chars().next().map_or(0, char::len_utf8);
        if let Some(figures) = figures(word).filter(|_| heads.len() <= MOST_NUMBERS) {
            let (before, after) = (text[..start].trim(), text[start + word.len()..].trim());
            heads.push(format!("{before}\0{}\0{after}", figures - page as i64));
        }
    }
    heads
}

/// Whether a head is a page's number, with signs around it at most.
fn is_bare_number(head: &str) -> bool {
    let mut parts = head.split('\0');
    let (before, _, after) = (parts.next(), parts.next(), parts.next());
    after.is_some()
        && [before, after]
            .iter()
            .flatten()
            .all(|part| !part.contains(char::is_alphanumeric))
}

fn figures(text: &str) -> Option<i64> {
    let is_number = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

impl<'a> Writer<'a> {
    fn new(pages: &[Vec<Row>]) -> Self {
        let mut letters: HashMap<u32, usize> = HashMap::new();
        let mut steps: HashMap<u32, Steps> = HashMap::new();
        let mut heads: HashMap<String, (usize, usize)> = HashMap::new();
        for (number, page) in (1..).zip(pages) {
            for row in page {
                *letters.entry(tenths(row.size)).or_default() += row.len();
            }
            for pair in page.windows(2) {
                let step = pair[0].y - pair[1].y;
                if tenths(pair[0].size) == tenths(pair[1].size) && (0.9..3.0).contains(&(step / pair[0].size))
                {
                    let steps = steps.entry(tenths(pair[0].size)).or_default();
                    steps.all.push(step);
                    if pair[1].text().starts_with(char::is_lowercase) && !ends(&pair[0].text()) {
                        steps.within_sentences.push(step);
                    }
                }
            }
            let of_page: HashMap<String, bool> = edges(page)
                .flat_map(|(at, gap)| {
                    heads_of(&page[at], number)
                        .into_iter()
                        .map(move |head| (head, gap))
                })
                .collect();
            for (head, has_gap) in of_page {
                let (pages, gaps) = heads.entry(head).or_default();
                *pages += 1;
                *gaps += usize::from(has_gap);
            }
        }
        let most = letters.into_iter().max_by_key(|&(size, letters)| (letters, size));
        // What stands at the end of most pages needs no gap.
        let is_head = |&(on, gaps): &(usize, usize)| gaps > 1 || (on > 2 && 2 * on > pages.len());
        let heads = heads.into_iter().filter(|(_, counts)| is_head(counts));
        Self {
            extracted: Extracted::with_pages(),
            words: Words::of(pages),
            body: most.map_or(0.0, |(size, _)| size as f32 / 10.0),
            pitches: steps
                .into_iter()
                .map(|(size, steps)| (size, steps.pitches()))
                .collect(),
            flow: None,
            rows: Vec::new(),
            is_at_edge: false,
            right: 0.0,
            margins: heads.map(|(head, _)| (head, false)).collect(),
            note: None,
            lists: 0,
            was_item: false,
        }
    }

    fn page(&mut self, page: &'a [Row]) {
        let edges: HashSet<usize> = edges(page).map(|(at, _)| at).collect();
        let is_margin = |at: usize, writer: &Self| {
            page[at].is_margin || edges.contains(&at) && writer.is_margin(&page[at])
        };
        let lines = page.iter().filter(|row| row.table.is_none());
        self.right = lines.map(Row::end_x).fold(0.0, f32::max);
        let mut at = 0;
        while let Some(row) = page.get(at) {
            if is_margin(at, self) {
                self.margin(row);
                at += 1;
                continue;
            }
            if row.table.is_some() {
                let goes_on = match (self.rows.last(), &self.flow) {
                    (Some(last), _) => !last.is_heading && !ends(&last.text()),
                    (None, flow) => flow.as_ref().is_some_and(Flow::breaks_off),
                };
                let end =
                    (at..page.len()).find(|&next| page[next].table != row.table || is_margin(next, self));
                let count = table_rows(&page[at..end.unwrap_or(page.len())], goes_on);
                if count > 0 {
                    self.end_paragraph();
                    self.table(&page[at..at + count]);
                    at += count;
                    continue;
                }
            }
            if self.rows.last().is_some_and(|last| self.begins_block(last, row)) {
                self.end_paragraph_before(Some(row));
            }
            if self.rows.is_empty() {
                self.is_at_edge = at < MARGIN || at + MARGIN >= page.len();
            }
            self.rows.push(row);
            at += 1;
        }
        self.end_paragraph();
    }

    /// Whether a row does not belong to the paragraph of the row before it on this page.
    fn begins_block(&self, last: &Row, row: &Row) -> bool {
        let step = last.y - row.y;
        let usual = 1.2 * row.size;
        let (close, wide) = self
            .pitches
            .get(&tenths(row.size))
            .copied()
            .unwrap_or((usual, usual));
        let pitch = match &self.rows[..] {
            [.., before, last] => (before.y - last.y).clamp(close, wide),
            _ => wide,
        };
        let gap = if row.is_heading {
            1.8 * row.size
        } else {
            LINE_GAP * pitch
        };
        let ratio = row.size / last.size;
        if row.is_heading != last.is_heading
            || step < 1.0
            || step > gap
            || !(1.0 / SIZE..SIZE).contains(&ratio)
        {
            return true;
        }
        // A note's first line is a little lower than its raised number lets it be.
        if step > NOTE_GAP * pitch && is_note(&row.text()) {
            return true;
        }
        let begins = |text: &str| text.starts_with(|c: char| !c.is_lowercase());
        // A heading, which is as far from its text as double-spaced lines are from each other.
        let is_short = last.end_x() - row.x() < SHORT_LINE * (self.right - row.x());
        if plain::is_entry(&last.text()) || step > LINE_GAP * close && is_short && begins(&row.text()) {
            return true;
        }
        let has_ended = ends(&last.text());
        let text_x = match &self.rows[0].pieces[..] {
            [mark, text, ..] if is_mark(&mark.text) => text.x,
            _ => f32::MAX,
        };
        // Of a paragraph without end, the last lines.
        let lines = || self.rows.iter().rev().take(MOST_LINES);
        let left = lines().map(|row| row.x()).fold(f32::MAX, f32::min);
        let right = lines().map(|row| row.end_x()).fold(f32::MIN, f32::max);
        let is_indented = row.x() - left > INDENT * row.size && row.x() < text_x - 1.0;
        let is_behind_last_line = self.rows.len() > 1 && last.end_x() - left < FULL_LINE * (right - left);
        row.is_item
            || row.has_mark_apart()
            || has_ended && (row.begins_item() || is_indented || is_behind_last_line && begins(&row.text()))
    }

    fn end_paragraph(&mut self) {
        self.end_paragraph_before(None);
    }

    /// Ends the paragraph that is being read; `next` is the row below it on the page, if that is one of text.
    fn end_paragraph_before(&mut self, next: Option<&Row>) {
        let rows = std::mem::take(&mut self.rows);
        let Some((first, last)) = rows.first().zip(rows.last()) else {
            return;
        };
        let mut text = String::new();
        rows.iter()
            .for_each(|row| self.words.join(&mut text, &row.text()));
        if counts_lines(&text) {
            return;
        }
        // No section begins within a sentence: a running head, a stamp, the number of a page.
        let is_stamp = self.is_at_edge
            && rows.len() == 1
            && !text.starts_with(char::is_lowercase)
            && !next.is_some_and(|next| goes_on(last, next));
        if is_stamp && self.flow.as_ref().is_some_and(Flow::breaks_off) {
            return self.write_note(&text);
        }
        if first.is_heading {
            self.close();
            self.was_item = false;
            return self.write(&text, BlockKind::Heading);
        }
        let is_small = rows.iter().all(|row| row.size < NOTE_SIZE * self.body);
        let right = rows.iter().map(|row| row.end_x()).fold(f32::MIN, f32::max);
        let left = rows.iter().map(|row| row.x()).fold(f32::MAX, f32::min);
        let width = last.end_x() - left;
        let is_full = rows.len() > 1 && width >= FULL_LINE * (right - left);
        let is_item = first.begins_item();
        let here = self.extracted.page();
        let end = (here, last.y);
        if let Some((note, (page, y))) = &mut self.note
            && *page == here
            && (0.0..2.0 * first.size).contains(&(*y - first.y))
            && !is_note(&text)
        {
            self.words.join(note, &text);
            *y = last.y;
            return;
        }
        if let Some(flow) = &mut self.flow {
            let is_elsewhere = end.0 > flow.end.0 || first.y > flow.end.1;
            let is_aside = is_note(&text) || is_caption(&text);
            // What breaks off in a narrower column than this one's was a signature, a note.
            let is_as_wide = flow.width >= FULL_LINE * (right - left);
            let is_rest = text.starts_with(char::is_lowercase)
                || rows.len() > 1 && is_elsewhere && is_as_wide && flow.breaks_off() && !is_aside;
            if is_rest && !is_item && flow.is_small == is_small && flow.is_unfinished() {
                self.words.join(&mut flow.text, &text);
                (flow.is_full, flow.width, flow.end) = (is_full, width, end);
                return self.write_on();
            }
            let is_between = is_small && !flow.is_small || is_aside;
            if is_between && flow.breaks_off() {
                self.end_note();
                self.note = Some((text, end));
                return;
            }
        }
        self.close();
        self.lists += u32::from(is_item && !self.was_item);
        self.was_item = is_item;
        self.extracted.open_paragraph();
        if is_item {
            self.extracted.set_kind(BlockKind::ListItem, self.lists);
        }
        self.flow = Some(Flow {
            text,
            written: 0,
            is_full,
            width,
            is_small,
            end,
        });
        self.write_on();
    }

    /// Writes what is new of the paragraph that may go on.
    fn write_on(&mut self) {
        if let Some(flow) = &mut self.flow {
            let end = flow.text.trim_end_matches('-').len().max(flow.written);
            self.extracted.text(&flow.text[flow.written..end]);
            flow.written = end;
        }
    }

    /// Ends the paragraph that may go on.
    fn close(&mut self) {
        if let Some(flow) = self.flow.take() {
            self.extracted.text(&flow.text[flow.written..]);
            self.extracted.close();
        }
    }

    fn write(&mut self, text: &str, kind: BlockKind) {
        self.extracted.open_paragraph();
        self.extracted.set_kind(kind, self.lists);
        self.extracted.text(text);
        self.extracted.close();
    }

    fn end_note(&mut self) {
        if let Some((text, _)) = self.note.take() {
            self.write_note(&text);
        }
    }

    /// Writes something at the end.
    fn write_note(&mut self, text: &str) {
        self.extracted.open_note();
        self.write(text, BlockKind::Paragraph);
        self.extracted.close();
    }

    fn is_margin(&self, row: &Row) -> bool {
        names_page(&row.text()) || self.head_of(row).is_some()
    }

    /// What a row has in common with the heads of other pages.
    fn head_of(&self, row: &Row) -> Option<String> {
        let mut heads = heads_of(row, self.extracted.page()).into_iter();
        heads.find(|head| self.margins.contains_key(head))
    }

    /// Writes what stands at the head or foot of a page, once.
    fn margin(&mut self, row: &Row) {
        let text = row.text();
        let head = self.head_of(row).unwrap_or_else(|| text.clone());
        let is_number = is_bare_number(&head) || names_page(&text);
        let was_read = self.margins.insert(head, true).unwrap_or_default();
        if !was_read && !is_number {
            self.write_note(&text);
        }
    }

    fn table(&mut self, rows: &[Row]) {
        let is_within = self.flow.as_ref().is_some_and(Flow::breaks_off);
        if is_within {
            self.extracted.open_aside();
        } else {
            self.close();
        }
        self.was_item = false;
        let apart = figures::set_apart(rows);
        let rows = apart.as_deref().unwrap_or(rows);
        // Those without a word are left out.
        let pieces = rows.iter().flat_map(|row| &row.pieces);
        let columns: BTreeSet<usize> = pieces.map(|piece| piece.column).collect();
        let place: HashMap<usize, usize> = columns.into_iter().zip(0..).collect();
        let mut lines: Vec<Vec<String>> = Vec::new();
        let row_step = row_step(rows);
        let mut last = f32::MAX;
        for row in rows {
            // The lines of a cell are closer than rows.
            let is_close = std::mem::replace(&mut last, row.y) - row.y < WRAPPED * row_step;
            let is_wrapped = is_close && (row.pieces[0].column > 0 || row.pieces.len() == 1);
            if !is_wrapped || lines.is_empty() {
                lines.push(vec![String::new(); place.len()]);
            }
            let Some(line) = lines.last_mut() else { continue };
            for piece in &row.pieces {
                self.words.join(&mut line[place[&piece.column]], &piece.text);
            }
        }
        self.extracted.open_table();
        for line in lines {
            self.extracted.open_row();
            for cell in line {
                self.extracted.open_cell();
                self.write(&cell, BlockKind::TableCell);
                self.extracted.close();
            }
            self.extracted.close();
        }
        self.extracted.close();
        if is_within {
            self.extracted.close();
        }
    }
}

/// Whether text is the numbers of a page's lines, drawn as a column of their own.
fn counts_lines(text: &str) -> bool {
    let numbers: Option<Vec<u32>> = text.split_whitespace().map(|word| word.parse().ok()).collect();
    numbers.is_some_and(|numbers| {
        numbers.len() >= FEWEST_LINE_NUMBERS
            && numbers
                .windows(2)
                .all(|pair| pair[0].checked_add(1) == Some(pair[1]))
    })
}

/// Whether text is a note at the foot of a page: `2 The rate of the bank`, `* Not audited`.
fn is_note(text: &str) -> bool {
    let Some((mark, text)) = text.split_once(' ') else {
        return false;
    };
    let is_number = mark.len() <= 3 && mark.bytes().all(|b| b.is_ascii_digit());
    let is_sign = mark.chars().all(|c| "*†‡§".contains(c));
    (is_number || is_sign) && text.starts_with(|c: char| c.is_uppercase() || "“\"‘(".contains(c))
}

/// `Fig. 1: The parts of a dam`
fn is_caption(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let is_label = matches!(
        words.next(),
        Some("Fig." | "Figure" | "FIGURE" | "Table" | "TABLE" | "Chart" | "Box")
    );
    is_label
        && words
            .next()
            .is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

/// How many of the rows, all of what was taken for one table, are rows of one: lists whose marks stand apart, and lines of a
/// sentence whose words do, are text. `goes_on`: the line before them does not end a sentence.
fn table_rows(rows: &[Row], mut goes_on: bool) -> usize {
    let mut is_row = |(at, row): (usize, &Row)| {
        let joined = row.joined();
        let is_line = joined.pieces.len() == 1 && row.pieces[0].column == 0;
        let is_title = rows.get(at + 1).is_some_and(|next| row.size > SIZE * next.size);
        let text = joined.text();
        let is_text = joined.has_mark_apart()
            || is_line
                && (goes_on || is_title || row.pieces.len() > 1 && text.starts_with(char::is_lowercase));
        goes_on = is_text && !ends(&text);
        !is_text
    };
    let count = rows.iter().enumerate().take_while(|&row| is_row(row)).count();
    if count < 2 { 0 } else { count }
}

/// How far rows of a table are apart that begin in its first column.
fn row_step(rows: &[Row]) -> f32 {
    let begins = |pair: &&[Row]| {
        pair.iter()
            .all(|row| row.pieces[0].column == 0 && row.pieces.len() > 1)
    };
    let mut steps: Vec<f32> = rows
        .windows(2)
        .filter(begins)
        .map(|pair| pair[0].y - pair[1].y)
        .collect();
    steps.sort_by(f32::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    /// A row of pieces, each with where it begins; a letter is five points wide.
    fn row(y: f32, pieces: &[(f32, &str)]) -> Row {
        let pieces = pieces.iter().enumerate().map(|(column, &(x, text))| Piece {
            x,
            end_x: x + 5.0 * text.chars().count() as f32,
            column,
            text: text.to_owned(),
        });
        Row {
            y,
            size: 10.0,
            is_heading: false,
            is_item: false,
            is_margin: false,
            table: (pieces.len() > 1).then_some(0),
            pieces: pieces.collect(),
        }
    }

    fn document(pages: &[Vec<Row>]) -> Document {
        extracted(pages).document("t".to_owned()).unwrap()
    }

    fn text(rows: Vec<Row>) -> String {
        document(&[rows]).text().to_owned()
    }

    #[test]
    fn marks_that_stand_apart_and_justified_words_are_no_cells() {
        let clauses = vec![
            row(700.0, &[(50.0, "2.1"), (90.0, "The Tenant shall:")]),
            row(676.0, &[(50.0, "(a)"), (90.0, "pay the rent; and")]),
            row(
                652.0,
                &[(50.0, "(b)"), (90.0, "keep the roof, the walls and the")],
            ),
            row(640.0, &[(90.0, "gutters in good order.")]),
        ];
        assert_eq!(
            text(clauses),
            "2.1 The Tenant shall:\n(a) pay the rent; and\n(b) keep the roof, the walls and the gutters in good order."
        );
        let column = vec![
            row(700.0, &[(50.0, "It sat at the Guildhall in")]),
            row(688.0, &[(50.0, "Hexworth."), (104.0, "It"), (120.0, "heard")]),
            row(676.0, &[(50.0, "evidence"), (98.0, "from"), (126.0, "one")]),
            row(664.0, &[(50.0, "witness.")]),
        ];
        assert_eq!(
            text(column),
            "It sat at the Guildhall in Hexworth. It heard evidence from one witness."
        );
    }

    #[test]
    fn lines_of_a_cell_are_closer_than_rows() {
        let table = vec![
            row(700.0, &[(50.0, "Measure"), (200.0, "Target")]),
            row(670.0, &[(50.0, "Forecast"), (200.0, "98 %")]),
            row(658.0, &[(50.0, "delivered")]),
            row(628.0, &[(50.0, "Response"), (200.0, "45 minutes")]),
        ];
        let mut table = table;
        table[2].table = Some(0);
        assert_eq!(
            text(table),
            "Measure\tTarget\nForecast delivered\t98 %\nResponse\t45 minutes"
        );
    }

    #[test]
    fn notes_and_stamps_are_not_read_within_a_sentence() {
        let first = vec![
            row(700.0, &[(50.0, "The board was warned in writing on")]),
            row(688.0, &[(50.0, "three occasions by the inspector and")]),
            row(664.0, &[(50.0, "1 Letters of the engineer, kept in")]),
            row(650.0, &[(50.0, "the archive.")]),
            row(500.0, &[(50.0, "Printed in 2019")]),
        ];
        let second = vec![row(700.0, &[(50.0, "by its own auditor.")])];
        assert_eq!(
            document(&[first, second]).text(),
            "The board was warned in writing on three occasions by the inspector and by its own auditor.\n\n\
             Printed in 2019\n\n1 Letters of the engineer, kept in the archive."
        );
    }

    #[test]
    fn double_spaced_sentences_are_whole_where_lines_begin_with_capitals() {
        let lines = [
            "The Secretary of Health and Human",
            "Services declared an emergency, and the",
            "governor of the state, Governor Ms",
            "Mills, agreed to it in a letter that was",
            "sent to the court and to all of the",
            "parties before noon, as was said in the",
            "hearing of the fourth of the month of",
            "May, when it was not yet known what the",
            "court would order, or when the matter of",
            "the appeal would be heard by it at last,",
            "which it was in September.",
        ];
        let mut page: Vec<Row> = (0..)
            .zip(lines)
            .map(|(n, line)| row(700.0 - 28.0 * n as f32, &[(50.0, line)]))
            .collect();
        // What is quoted is not double-spaced.
        page.extend((0..6).map(|n| row(380.0 - 14.0 * n as f32, &[(90.0, "the words of the rule itself")])));
        page.insert(0, row(728.0, &[(90.0, "FINDINGS OF FACT")]));
        let text = text(page);
        let text = text.strip_prefix("FINDINGS OF FACT\n\n").unwrap();
        assert!(text.starts_with(&lines.join(" ")), "{text}");
    }

    #[test]
    fn a_first_line_of_a_page_that_goes_on_is_no_stamp_and_what_breaks_off_in_a_narrow_column_does_not_go_on()
    {
        let first = vec![
            row(700.0, &[(50.0, "Counsel for the appellants in this")]),
            row(688.0, &[(50.0, "case, *Admission pending in this")]),
        ];
        let second = vec![
            row(
                700.0,
                &[(
                    50.0,
                    "Appellees respectfully request that the Court stay the further briefing and the",
                )],
            ),
            row(
                672.0,
                &[(
                    50.0,
                    "hearing of this appeal until it decides in the case of Hernandez against Wolf.",
                )],
            ),
        ];
        assert_eq!(
            document(&[first, second]).text(),
            "Counsel for the appellants in this case, *Admission pending in this\n\nAppellees respectfully request that the Court \
             stay the further briefing and the hearing of this appeal until it decides in the case of Hernandez against Wolf."
        );
    }

    #[test]
    fn a_number_within_a_head_may_follow_the_pages() {
        let page = |number: usize, text: &str| {
            vec![
                row(
                    800.0,
                    &[(
                        50.0,
                        &format!("Case: 20-1507 Document: 00117684624 Page: {number} Date Filed: 12/22/2020"),
                    )],
                ),
                row(760.0, &[(50.0, text)]),
                row(748.0, &[(50.0, text)]),
            ]
        };
        let text = document(&[page(7, "It was the"), page(8, "fourth of May.")])
            .text()
            .to_owned();
        assert_eq!(text.matches("Document:").count(), 1, "{text}");
        assert!(!text.contains("2020 "), "{text}");
    }

    #[test]
    fn numbers_of_lines_that_are_a_column_are_not_read() {
        let numbers: Vec<String> = (1..=28).map(|n| n.to_string()).collect();
        let page = vec![
            row(700.0, &[(20.0, &numbers.join(" "))]),
            row(600.0, &[(50.0, "It rained.")]),
        ];
        assert_eq!(text(page), "It rained.");
        assert!(!counts_lines("2018 2019 2020"));
    }

    #[test]
    fn running_heads_are_read_once_and_lines_that_count_something_are_not() {
        let page = |head: &str, year: &str, text: &str| {
            vec![
                row(800.0, &[(50.0, head)]),
                row(760.0, &[(50.0, year)]),
                row(740.0, &[(50.0, text)]),
            ]
        };
        let pages = [
            page("Annual Report 7", "Deaths: 412", "It rained."),
            page("Annual Report 8", "Deaths: 388", "It snowed."),
        ];
        let document = document(&pages);
        assert_eq!(
            document.text(),
            "Deaths: 412 It rained.\n\nDeaths: 388 It snowed.\n\nAnnual Report 7"
        );
    }

    #[test]
    fn a_hyphen_stays_where_words_are_not_broken_by_it() {
        let lines = |all: &[&str]| {
            let rows = (0..)
                .zip(all)
                .map(|(number, line)| row(700.0 - 12.0 * number as f32, &[(50.0, line)]));
            text(rows.collect())
        };
        assert_eq!(
            lines(&["It is a fuel-", "consumption forecast."]),
            "It is a fuel-consumption forecast."
        );
        assert_eq!(
            lines(&["The agreement on per-", "mits is an agree-", "ment."]),
            "The agreement on permits is an agreement."
        );
        assert_eq!(
            lines(&[
                "Call 206–231–",
                "3500 or write to ian.won@",
                "faa.gov, see https://",
                "www.faa.gov"
            ]),
            "Call 206–231–3500 or write to ian.won@faa.gov, see https://www.faa.gov"
        );
        assert_eq!(
            lines(&[
                "It is FAA-",
                "approved – it is –",
                "in the short-",
                "and long-term."
            ]),
            "It is FAA-approved – it is – in the short- and long-term."
        );
        assert_eq!(
            lines(&["TraceMonkey is Trace-", "Monkey."]),
            "TraceMonkey is TraceMonkey."
        );
    }
}
