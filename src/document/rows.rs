//! Lines that are known by their places on pages, made into paragraphs, items, headings and tables.
//!
//! What one page or column leaves unfinished goes on in the next; words that were broken at the end of a line are whole again;
//! what stands at the head or foot of pages is read once, at the end, and so are the notes that would stand in a sentence.

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
/// Letters of one paragraph differ less in size.
const SIZE: f32 = 1.07;
/// An indent that begins a paragraph, in the size of its letters.
const INDENT: f32 = 0.8;
/// Notes are set in type smaller than this, of the body's.
const NOTE_SIZE: f32 = 0.93;
/// A last line of this share of its paragraph's width is no end of it, where text is not justified.
const FULL_LINE: f32 = 0.8;
/// Where more of the lines end in a hyphen, they were broken by a program; elsewhere a hyphen is one.
const HYPHENATED: f32 = 0.02;
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

    fn text(&self) -> String {
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
        self.has_mark_apart()
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
        writer.page = number - 1;
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
        let texts = || {
            pages
                .iter()
                .flatten()
                .flat_map(|row| &row.pieces)
                .map(|piece| piece.text.as_str())
        };
        let known = texts()
            .flat_map(str::split_whitespace)
            .map(bare)
            .filter(|word| !word.is_empty());
        let broken = texts().filter(|text| text.ends_with('-')).count();
        Self {
            known: known.collect(),
            are_hyphenated: broken as f32 > HYPHENATED * texts().count() as f32,
        }
    }

    /// Adds a line to text. A word that is broken between them is written as elsewhere in the document.
    fn join(&self, text: &mut String, line: &str) {
        if plain::is_hyphenated(text, line) {
            let before = text.rsplit(char::is_whitespace).next().unwrap_or_default();
            let behind = line.split(char::is_whitespace).next().unwrap_or_default();
            let compound = bare(&format!("{before}{behind}"));
            let word = bare(&format!("{}{behind}", before.trim_end_matches('-')));
            let is_broken = self.are_hyphenated && !self.known.contains(&compound);
            if self.known.contains(&word) || is_broken {
                text.pop();
            }
        } else if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(line);
    }
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

/// Whether nothing has to follow.
fn ends(text: &str) -> bool {
    sentence::stops(text) || text.ends_with([':', ';'])
}

struct Writer<'a> {
    extracted: Extracted,
    words: Words,
    /// The size of most letters.
    body: f32,
    /// How far lines of a size, in tenths of a point, usually stand apart.
    pitches: HashMap<u32, f32>,
    flow: Option<Flow>,
    /// The rows of the paragraph that is being read.
    rows: Vec<&'a Row>,
    /// What stands at the head or foot of several pages, without their numbers, and whether it has been read.
    margins: HashMap<String, bool>,
    /// Which page is being read, from 0.
    page: usize,
    /// A note that may go on, with the page of its last line and how far up that stands.
    note: Option<(String, (usize, f32))>,
    lists: u32,
    was_item: bool,
}

/// A size in tenths of a point.
fn tenths(size: f32) -> u32 {
    (size * 10.0).round() as u32
}

/// The rows of a page that may be running heads or feet: the few at its ends, with a gap between them and the text.
fn marginal(page: &[Row]) -> impl Iterator<Item = &Row> {
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
    page.iter()
        .filter(move |row| row.table.is_none() && (row.y > above - 1.0 || row.y < below + 1.0))
}

/// What the heads of several pages have in common: their text, or what is left without a number that follows the pages, as in
/// `Draft of 9 June, page 2 of 3`.
fn head_of(row: &Row, page: usize) -> String {
    let text = row.text();
    let (mut head, mut number) = (text.trim(), None);
    let is_between = |c: char| c.is_whitespace() || "|-–—·,/".contains(c);
    if let Some((before, _)) = head
        .rsplit_once(" of ")
        .filter(|(_, total)| figures(total).is_some())
    {
        head = before.trim_end();
    }
    let last = head.rsplit(is_between).next().unwrap_or_default();
    let first = head.split(is_between).next().unwrap_or_default();
    if let Some(figures) = figures(last) {
        head = head[..head.len() - last.len()].trim_end_matches(is_between);
        number = Some(figures);
    } else if let Some(figures) = figures(first) {
        head = head[first.len()..].trim_start_matches(is_between);
        number = Some(figures);
    }
    match number {
        // Headings count years and chapters.
        Some(_) if row.is_heading => text,
        Some(number) => format!("{head}\0{}", number - page as i64),
        None => text,
    }
}

fn figures(text: &str) -> Option<i64> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

impl<'a> Writer<'a> {
    fn new(pages: &[Vec<Row>]) -> Self {
        let mut letters: HashMap<u32, usize> = HashMap::new();
        let mut steps: HashMap<u32, Vec<f32>> = HashMap::new();
        let mut heads: HashMap<String, usize> = HashMap::new();
        for (number, page) in pages.iter().enumerate() {
            for row in page {
                *letters.entry(tenths(row.size)).or_default() += row.len();
            }
            for pair in page.windows(2) {
                let step = pair[0].y - pair[1].y;
                if tenths(pair[0].size) == tenths(pair[1].size) && (0.5..3.0).contains(&(step / pair[0].size))
                {
                    steps.entry(tenths(pair[0].size)).or_default().push(step);
                }
            }
            let of_page: HashSet<String> = marginal(page).map(|row| head_of(row, number)).collect();
            for head in of_page {
                *heads.entry(head).or_default() += 1;
            }
        }
        let most = letters.into_iter().max_by_key(|&(size, letters)| (letters, size));
        // Most steps of a list are those between its items.
        let close = |mut steps: Vec<f32>| {
            steps.sort_by(f32::total_cmp);
            steps[(steps.len() - 1) / 4]
        };
        let repeated = heads.into_iter().filter(|&(_, pages)| pages > 1);
        Self {
            extracted: Extracted::with_pages(),
            words: Words::of(pages),
            body: most.map_or(0.0, |(size, _)| size as f32 / 10.0),
            pitches: steps
                .into_iter()
                .map(|(size, steps)| (size, close(steps)))
                .collect(),
            flow: None,
            rows: Vec::new(),
            margins: repeated.map(|(head, _)| (head, false)).collect(),
            page: 0,
            note: None,
            lists: 0,
            was_item: false,
        }
    }

    fn page(&mut self, page: &'a [Row]) {
        let marginal: HashSet<*const Row> = marginal(page).map(std::ptr::from_ref).collect();
        let is_margin = |row: &Row, writer: &Self| {
            row.is_margin || marginal.contains(&std::ptr::from_ref(row)) && writer.is_margin(row)
        };
        let mut rest = page;
        while let [row, behind @ ..] = rest {
            if is_margin(row, self) {
                self.margin(row);
                rest = behind;
                continue;
            }
            let of_table = rest
                .iter()
                .take_while(|next| next.table.is_some() && next.table == row.table && !is_margin(next, self));
            let (table, behind) = rest.split_at(table_rows(&rest[..of_table.count()]));
            if !table.is_empty() {
                self.end_paragraph();
                self.table(table);
                rest = behind;
                continue;
            }
            if self.rows.last().is_some_and(|last| self.begins_block(last, row)) {
                self.end_paragraph();
            }
            self.rows.push(row);
            rest = &rest[1..];
        }
        self.end_paragraph();
    }

    /// Whether a row does not belong to the paragraph of the row before it on this page.
    fn begins_block(&self, last: &Row, row: &Row) -> bool {
        let step = last.y - row.y;
        let pitch = self
            .pitches
            .get(&tenths(row.size))
            .copied()
            .unwrap_or(1.2 * row.size);
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
        let has_ended = ends(&last.text());
        let text_x = match &self.rows[0].pieces[..] {
            [mark, text, ..] if is_mark(&mark.text) => text.x,
            _ => f32::MAX,
        };
        let left = self.rows.iter().map(|row| row.x()).fold(f32::MAX, f32::min);
        let right = self.rows.iter().map(|row| row.end_x()).fold(f32::MIN, f32::max);
        let is_indented = row.x() - left > INDENT * row.size && row.x() < text_x - 1.0;
        let is_behind_last_line = self.rows.len() > 1 && last.end_x() - left < FULL_LINE * (right - left);
        let begins = |text: &str| text.starts_with(|c: char| !c.is_lowercase());
        row.has_mark_apart()
            || has_ended && (row.begins_item() || is_indented || is_behind_last_line && begins(&row.text()))
    }

    fn end_paragraph(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let Some((first, last)) = rows.first().zip(rows.last()) else {
            return;
        };
        let mut text = String::new();
        rows.iter()
            .for_each(|row| self.words.join(&mut text, &row.text()));
        if first.is_heading {
            self.close();
            self.was_item = false;
            return self.write(&text, BlockKind::Heading);
        }
        let is_small = rows.iter().all(|row| row.size < NOTE_SIZE * self.body);
        let right = rows.iter().map(|row| row.end_x()).fold(f32::MIN, f32::max);
        let left = rows.iter().map(|row| row.x()).fold(f32::MAX, f32::min);
        let is_full = rows.len() > 1 && last.end_x() - left >= FULL_LINE * (right - left);
        let is_item = first.begins_item();
        let end = (self.page, last.y);
        if let Some((note, (page, y))) = &mut self.note
            && *page == self.page
            && (0.0..2.0 * first.size).contains(&(*y - first.y))
            && !is_note(&text)
        {
            self.words.join(note, &text);
            *y = last.y;
            return;
        }
        if let Some(flow) = &mut self.flow {
            let is_elsewhere = end.0 > flow.end.0 || first.y > flow.end.1;
            let is_rest = text.starts_with(char::is_lowercase)
                || rows.len() > 1 && is_elsewhere && flow.breaks_off() && !is_note(&text);
            if is_rest && !is_item && flow.is_small == is_small && flow.is_unfinished() {
                self.words.join(&mut flow.text, &text);
                (flow.is_full, flow.end) = (is_full, end);
                return self.write_on();
            }
            let is_between = is_small && !flow.is_small || is_note(&text);
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
        names_page(&row.text()) || self.margins.contains_key(&head_of(row, self.page))
    }

    /// Writes what stands at the head or foot of a page, once.
    fn margin(&mut self, row: &Row) {
        let text = row.text();
        let head = head_of(row, self.page);
        let is_number = head.starts_with('\0') || names_page(&text);
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
        // Those without a word are left out.
        let pieces = rows.iter().flat_map(|row| &row.pieces);
        let columns: BTreeSet<usize> = pieces.map(|piece| piece.column).collect();
        let place: HashMap<usize, usize> = columns.into_iter().zip(0..).collect();
        let mut lines: Vec<Vec<String>> = Vec::new();
        for row in rows {
            let begins_low = row.pieces[0].text.starts_with(char::is_lowercase);
            let is_wrapped = row.pieces[0].column > 0 || row.pieces.len() == 1 && begins_low;
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

/// Whether text is a note at the foot of a page: `2 The rate of the bank`, `* Not audited`.
fn is_note(text: &str) -> bool {
    let Some((mark, text)) = text.split_once(' ') else {
        return false;
    };
    let is_number = mark.len() <= 3 && mark.bytes().all(|b| b.is_ascii_digit());
    let is_sign = mark.chars().all(|c| "*†‡§".contains(c));
    (is_number || is_sign) && text.starts_with(|c: char| c.is_uppercase() || "“\"‘(".contains(c))
}

/// How many of the rows, all of what was taken for one table, are rows of one: lists whose marks stand apart, and lines whose
/// words do, are text.
fn table_rows(rows: &[Row]) -> usize {
    let is_row = |row: &Row| {
        let row = row.joined();
        (row.pieces.len() > 1 && !row.has_mark_apart()) || row.pieces[0].column > 0
    };
    let begins_low = |row: &&Row| row.pieces[0].text.starts_with(char::is_lowercase);
    let is_wrapped = |row: &&Row| is_row(row) || (row.pieces.len() == 1 && begins_low(row));
    if !rows.first().is_some_and(is_row) {
        return 0;
    }
    let count = rows.iter().take_while(is_wrapped).count();
    let low = rows[..count].iter().skip(1).filter(begins_low).count();
    if count < 2 || 2 * low >= count { 0 } else { count }
}
