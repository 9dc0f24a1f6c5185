//! Plain text: which lines belong together.

use std::ops::Range;

use super::setting::{EDGE, Setting, is_stamp, names_page, turn};
use super::{Block, BlockKind, Builder, Layout, byte_order_mark, sentence};

/// Lines wrapped by hand or by a program are seldom longer, and paragraphs on one line seldom shorter.
const LONGEST_WRAPPED_LINE: usize = 120;
/// Lines of narrower columns are entries, addresses, cells.
const NARROWEST_COLUMN: usize = 20;
/// Lines of verse and items without a mark are seldom so long, in characters.
const SHORTEST_SEVERED_LINE: usize = 50;
/// A page's number is seldom longer, and a year is.
const LONGEST_BARE_NUMBER: usize = 3;
/// Lines between the words of two pages, blank ones among them.
const MOST_LINES_OF_FURNITURE: usize = 12;

pub(super) fn layout(source: &str) -> Layout {
    let mut builder = Builder::new(source);
    let mut blocks = Vec::new();
    let mut run: Vec<Line> = Vec::new();
    let (mut section, mut depth) = (0, 0);
    let setting = Setting::of(source);
    let mut lines = SourceLines::new(source, &setting);
    let mut joined = false;
    while let Some(line) = lines.read() {
        let end = lines.end_of(&line);
        let lead = match joined {
            true => line.words.len() - source[line.words.clone()].trim_start().len(),
            false => 0,
        };
        let start = builder.text.len();
        builder.copy(line.words.start + lead..end.words);
        let words = &builder.text[start..];
        let second_column = setting.second_column(words).map(|at| start + at);
        let span = trimmed(&builder.text, start..start + words.len());
        let is_apart = line.is_furniture || is_rule(&builder.text[span.clone()]);
        let is_turn = setting.is_transcript && !joined && turn(&builder.text[span.clone()]).is_some();
        // One after the other, headers of a mail are no prose and no list.
        let is_header = !joined
            && run
                .first()
                .is_some_and(|first| is_header(&builder.text[first.span.clone()]))
            && is_header(&builder.text[span.clone()]);
        if (span.is_empty()
            || line.depth != depth
            || is_apart
            || is_turn
            || is_header
            || second_column.is_some())
            && !run.is_empty()
        {
            push_run(&builder.text, &run, setting.cuts_lines(), section, &mut blocks);
            run.clear();
            section += 1;
        }
        depth = line.depth;
        if let Some(second) = second_column {
            // Read across, but nothing is to reach from one column into the other, and no half of a line is a sentence.
            for half in [span.start..second, second..span.end] {
                let span = trimmed(&builder.text, half);
                blocks.push(Block::new(span, BlockKind::Verbatim, section));
                section += 1;
            }
        } else if is_apart && !span.is_empty() {
            blocks.push(Block::new(span, BlockKind::Paragraph, section));
            section += 1;
        } else if !span.is_empty() {
            run.push(Line { span, joined });
        }
        joined = end.joined;
        match end.break_until {
            Some(until) => {
                builder.replace(end.words..until, "\n");
                lines.skip_to(until);
            }
            None if !joined => builder.copy(line.words.end..line.next),
            None => {}
        }
    }
    push_run(&builder.text, &run, setting.cuts_lines(), section, &mut blocks);
    Layout {
        text: builder.text,
        map: builder.map,
        blocks,
        has_columns: setting.has_columns(),
    }
}

/// A stretch of the text without the white space around it.
pub(super) fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let words = &text[span.clone()];
    let start = span.start + words.len() - words.trim_start().len();
    start..start + words.trim().len()
}

/// A line of the clean text that has words.
struct Line {
    span: Range<usize>,
    /// Whether it goes on in the middle of a word or sentence that the line before broke off, whatever lines are around.
    joined: bool,
}

/// A line of the source: its words, without the marks of quotation before them, and where the next line begins.
pub(super) struct SourceLine {
    pub(super) words: Range<usize>,
    pub(super) next: usize,
    /// Whether a page ends with it.
    pub(super) feeds: bool,
    /// How many marks of quotation stood before the words (`> > `).
    depth: usize,
    /// Whether it belongs to the page and not to the text.
    is_furniture: bool,
}

/// What becomes of the end of a line.
struct End {
    /// Where the words end that are taken over.
    words: usize,
    /// Whether the next line goes on in the middle of a word or sentence.
    joined: bool,
    /// Where the text goes on, if a page break or a blank line that says nothing stands between.
    break_until: Option<usize>,
}

/// The lines of a source, each ended by what `clean` reads as a line feed.
#[derive(Clone)]
struct SourceLines<'a> {
    source: &'a str,
    setting: &'a Setting,
    at: usize,
    /// How many lines with words this page has had.
    on_page: usize,
    /// Whether the last line with words that is no quotation ends with a colon.
    introduced: bool,
    /// The lines up to here all have marks of quotation.
    marked_until: usize,
    /// Whether these are a quotation.
    is_quotation: bool,
}

impl<'a> SourceLines<'a> {
    fn new(source: &'a str, setting: &'a Setting) -> Self {
        SourceLines {
            source,
            setting,
            at: byte_order_mark(source),
            on_page: 0,
            introduced: false,
            marked_until: 0,
            is_quotation: false,
        }
    }

    fn read(&mut self) -> Option<SourceLine> {
        let start = self.at;
        let mut line = self.raw()?;
        line.words.start += self
            .setting
            .margin(&self.source[line.words.clone()], line.words.start);
        let words = &self.source[line.words.clone()];
        line.is_furniture = is_stamp(words.trim());
        if self.setting.has_pages {
            line.is_furniture |=
                !words.trim().is_empty() && self.setting.is_furniture(words) && self.is_at_edge(&line);
            self.on_page = match line.feeds {
                true => 0,
                false => self.on_page + usize::from(!words.trim().is_empty()),
            };
        }
        let (length, depth) = quotation_marks(words);
        if depth == 0 {
            if !words.trim().is_empty() {
                self.introduced = words.trim_end().ends_with(':');
            }
            return Some(line);
        }
        if start >= self.marked_until {
            self.look_at_marked_lines(start);
        }
        if self.is_quotation {
            line.words.start += length;
            line.depth = depth;
        }
        Some(line)
    }

    fn skip_to(&mut self, until: usize) {
        if self.source[self.at..until].contains('\u{C}') {
            self.on_page = 0;
        }
        self.at = until;
    }

    fn raw(&mut self) -> Option<SourceLine> {
        let line = raw_line(self.source, self.at)?;
        self.at = line.next;
        Some(line)
    }

    /// Whether nothing but what belongs to the page stands above or below a line that was read last.
    fn is_at_edge(&self, line: &SourceLine) -> bool {
        if self.on_page < EDGE || line.feeds {
            return true;
        }
        let mut ahead = self.clone();
        for _ in 0..MOST_LINES_OF_FURNITURE {
            match ahead.raw() {
                None => return true,
                Some(next) if !self.setting.is_furniture(&self.source[next.words.clone()]) => return false,
                Some(next) if next.feeds => return true,
                Some(_) => {}
            }
        }
        false
    }

    /// Whether the lines from `start` on that have marks of quotation (`> `, as replies to mail have them) are one. What begins
    /// so may be a prompt or a comparison, so there must be several, or one that is introduced, and words in them.
    fn look_at_marked_lines(&mut self, start: usize) {
        let mut ahead = self.clone();
        ahead.at = start;
        let (mut count, mut has_prose) = (0, false);
        self.marked_until = start;
        while let Some(line) = ahead.raw() {
            let words = &self.source[line.words];
            let (length, depth) = quotation_marks(words);
            if depth == 0 {
                break;
            }
            let words = &words[length..];
            has_prose |= words.split_whitespace().nth(2).is_some() && is_wordy(words);
            count += 1;
            self.marked_until = ahead.at;
        }
        self.is_quotation = has_prose && (count > 1 || self.introduced);
        self.introduced = false;
    }

    /// What becomes of the end of the line that was read last.
    fn end_of(&self, line: &SourceLine) -> End {
        if self.setting.has_columns() {
            // The next line begins with the other column.
            return End {
                words: line.words.end,
                joined: false,
                break_until: None,
            };
        }
        let words = self.source[line.words.clone()].trim_end();
        let is_broken = words.ends_with(['-', '\u{2010}', '–', '—', '/', '@']) && {
            let next = self.clone().read();
            next.filter(|next| next.depth == line.depth).is_some_and(|next| {
                let next = &self.source[next.words];
                is_hyphenated(words, next) || words.contains(' ') && is_one_word(words, next)
            })
        };
        // The hyphen stays, the end of the line does not.
        let words = if is_broken {
            line.words.start + words.len()
        } else {
            line.words.end
        };
        if is_broken {
            return End {
                words,
                joined: true,
                break_until: None,
            };
        }
        let over_page_break = self.over_page_break(line);
        End {
            words,
            joined: over_page_break.is_some(),
            break_until: over_page_break.or_else(|| self.over_blank_line(line)),
        }
    }

    /// Where the sentence of a line goes on behind a page break, if only what belongs to the page and blank lines stand between.
    fn over_page_break(&self, line: &SourceLine) -> Option<usize> {
        let words = self.source[line.words.clone()].trim();
        if words.is_empty() || self.setting.is_furniture(words) {
            return None;
        }
        let mut ahead = self.clone();
        let mut breaks = line.feeds;
        let mut is_apart = line.feeds;
        for _ in 0..MOST_LINES_OF_FURNITURE {
            let start = ahead.at;
            let next = ahead.raw()?;
            let following = &self.source[next.words.clone()];
            if !self.setting.is_furniture(following) {
                if !breaks {
                    return None;
                }
                ahead.at = start;
                let next = ahead.read()?;
                let following = self.source[next.words].trim();
                let goes_on =
                    next.depth == line.depth && (cuts(words, following) || is_open(words, following));
                return goes_on.then_some(start);
            }
            if self.setting.is_doubtful(following)
                && !(is_apart && following.trim().len() <= LONGEST_BARE_NUMBER)
            {
                return None;
            }
            breaks |= next.feeds || names_page(following) || is_stamp(following.trim());
            is_apart = next.feeds || following.trim().is_empty();
        }
        None
    }

    /// Where the next line begins behind the blank line that stands below every line.
    fn over_blank_line(&self, line: &SourceLine) -> Option<usize> {
        let is_blank = |line: &SourceLine| self.source[line.words.clone()].trim().is_empty();
        if !self.setting.is_double_spaced || is_blank(line) || line.feeds {
            return None;
        }
        let mut ahead = self.clone();
        let next = ahead.read()?;
        let start = ahead.at;
        let after = ahead.read()?;
        (is_blank(&next) && !next.feeds && !is_blank(&after) && after.depth == line.depth).then_some(start)
    }
}

/// The line of the source that begins at a place, as it stands there.
pub(super) fn raw_line(source: &str, start: usize) -> Option<SourceLine> {
    let rest = &source[start..];
    if rest.is_empty() {
        return None;
    }
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let length = rest.find(is_end).unwrap_or(rest.len());
    let ending = rest[length..].chars().next();
    let is_pair = rest[length..].starts_with("\r\n");
    Some(SourceLine {
        words: start..start + length,
        next: start + length + ending.map_or(0, char::len_utf8) + usize::from(is_pair),
        feeds: ending == Some('\u{C}'),
        depth: 0,
        is_furniture: false,
    })
}

/// The length in bytes of the marks of quotation at the start of a line, and how many there are.
fn quotation_marks(line: &str) -> (usize, usize) {
    let mut rest = line.trim_start_matches(' ');
    let mut depth = 0;
    while let Some(inner) = rest.strip_prefix('>') {
        depth += 1;
        rest = inner.strip_prefix(' ').unwrap_or(inner);
    }
    let length = line.len() - rest.len();
    let set_apart = rest.is_empty() || line[..length].ends_with(' ');
    let is_prompt = line.starts_with(">>>"); // Python's
    if set_apart && !is_prompt {
        (length, depth)
    } else {
        (0, 0)
    }
}

/// Words behind which the rest of a compound stands: "pre- and post-war".
pub(super) const SUSPENDED_BY: [&str; 6] = ["and", "or", "to", "und", "oder", "bis"];

/// On keyboards, and Unicode's own, which manual pages have.
const HYPHENS: [char; 2] = ['-', '\u{2010}'];

/// Whether a word was broken at the end of a line: "long-" before "term". Not "pre-" before "and post-war".
pub(super) fn is_hyphenated(line: &str, next: &str) -> bool {
    let next = next.trim_start();
    let first = next
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    line.strip_suffix(HYPHENS)
        .is_some_and(|word| word.ends_with(char::is_lowercase))
        && line.contains(' ')
        && first.starts_with(char::is_lowercase)
        && !SUSPENDED_BY.contains(&first)
}

/// Whether a line ends within a word behind a sign that stays: `2018–|23`, `FAA-|approved`, `https://|www.faa.gov`, `ian.won@|faa.gov`,
/// but not `short- |and long-term`.
pub(super) fn is_one_word(line: &str, next: &str) -> bool {
    let last = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    let first = next.split_whitespace().next().unwrap_or_default();
    let begins = first.starts_with(char::is_alphanumeric);
    match last.chars().next_back() {
        Some('-' | '–' | '—') => {
            let is_within = last
                .trim_end_matches(['-', '–', '—'])
                .ends_with(char::is_alphanumeric);
            begins && is_within && !SUSPENDED_BY.contains(&first)
        }
        Some('@') => begins && last.len() > 1,
        Some('/') => begins && last.contains("://"),
        _ => false,
    }
}

/// Of code or data, each line that has words; of prose among it, the lines of a paragraph together.
pub(super) fn stretches(text: &str) -> Vec<Range<usize>> {
    let (mut stretches, mut spans) = (Vec::<Range<usize>>::new(), Vec::new());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        spans.push(trimmed(text, start..start + line.len()));
        start += line.len();
    }
    for run in spans.split(|span| span.is_empty()) {
        let lines: Vec<&str> = run.iter().map(|span| &text[span.clone()]).collect();
        let is_prose = severed(&lines).contains(&true);
        let goes_on = if is_prose {
            continued(&lines, false)
        } else {
            vec![false; lines.len()]
        };
        for (i, span) in run.iter().enumerate() {
            match stretches.last_mut().filter(|_| i > 0 && goes_on[i - 1]) {
                Some(last) => last.end = span.end,
                None => stretches.push(span.clone()),
            }
        }
    }
    stretches
}

/// Turns lines that follow each other without a blank line into blocks.
fn push_run(text: &str, run: &[Line], is_cut: bool, section: u32, blocks: &mut Vec<Block>) {
    let lines: Vec<&str> = run.iter().map(|line| &text[line.span.clone()]).collect();
    if let [first, second, ..] = lines[..]
        && is_heading_above(first, second)
    {
        blocks.push(Block::new(run[0].span.clone(), BlockKind::Heading, section));
        return push_run(text, &run[1..], is_cut, section, blocks);
    }
    let goes_on = continued(&lines, is_cut);
    let mut first = 0;
    for i in 0..lines.len() {
        let joined = run.get(i + 1).is_some_and(|next| next.joined);
        if joined || goes_on.get(i) == Some(&true) {
            continue;
        }
        let span = run[first].span.start..run[i].span.end;
        let kind = if starts_item(&text[span.clone()]) {
            BlockKind::ListItem
        } else if looks_like_heading(&text[span.clone()])
            && lines.len() == 1
            && !is_header(&text[span.clone()])
        {
            BlockKind::Heading
        } else {
            BlockKind::Paragraph
        };
        blocks.push(Block::new(span, kind, section));
        first = i + 1;
    }
}

/// Of each line but the last, whether its paragraph goes on in the next one. `is_cut` where lines are known to be filled.
fn continued(lines: &[&str], is_cut: bool) -> Vec<bool> {
    let widths: Vec<usize> = lines.iter().map(|l| l.chars().count()).collect();
    let widest = widths.iter().copied().max().unwrap_or(0);
    let breaks = lines.len().saturating_sub(1);
    let is_item = |i: usize| starts_item(lines[i + 1]);
    // How wide a line would have been with the first word of the next one.
    let with_next = |i: usize| {
        let word = lines[i + 1].split_whitespace().next();
        widths[i] + 1 + word.map_or(0, |w| w.chars().count())
    };
    // A program that fills lines greedily breaks where the next word would not have fitted.
    let is_full = |i: usize| !is_item(i) && with_next(i) > widest;
    let mut severed = severed(lines);
    if is_cut {
        for i in 0..breaks {
            let (line, next) = (lines[i], lines[i + 1]);
            severed[i] |= !is_item(i) && cuts(line, next) && !has_gap(line) && !has_gap(next);
        }
    }
    // Whether a sentence ends below: lists and addresses have no stops.
    let last_stop = lines
        .iter()
        .rposition(|line| line.split_whitespace().any(sentence::stops));
    let goes_on =
        |i: usize| last_stop.is_some_and(|last| last > i) && !is_item(i) && is_open(lines[i], lines[i + 1]);
    // Where widths are those of a proportional font, full lines differ in their number of characters.
    let is_about_full = |i: usize| {
        let (line, next) = (lines[i], lines[i + 1]);
        let word = next.trim_start_matches(sentence::is_opening);
        let introduces = line.ends_with(':') || (line.ends_with(';') && word.starts_with(char::is_uppercase));
        20 * with_next(i) >= 17 * widest
            && is_wordy(line)
            && word.starts_with(char::is_alphabetic)
            && !has_gap(line)
            && !has_gap(next)
            && !introduces
            && !(i == 0 && is_title(line))
            && !ends_sentence(line, next)
    };
    // One full line may be chance (the longest line always is), so most have to be broken for their width. Lines that
    // are about full count where a sentence shows that lines are broken.
    let is_broken = severed.contains(&true);
    let is_evidence = |i: usize| is_full(i) || severed[i] || (is_broken && !is_item(i) && is_about_full(i));
    // A heading or a salutation says nothing of how the prose below it is broken.
    let ends_as_prose = lines.last().is_some_and(|line| sentence::stops(line));
    let is_headed =
        breaks > 1 && 5 * widths[0] < 3 * widest && widest >= SHORTEST_SEVERED_LINE && ends_as_prose;
    let first = usize::from(is_headed);
    let evidence = (first..breaks).filter(|&i| is_evidence(i)).count();
    let is_wrapped =
        (NARROWEST_COLUMN..=LONGEST_WRAPPED_LINE).contains(&widest) && 2 * evidence > breaks - first;
    let is_cut = |i: usize| 2 * widths[i] > widest && cuts(lines[i], lines[i + 1]);
    let entries: Vec<bool> = lines.iter().map(|line| is_entry(line)).collect();
    (0..breaks)
        .map(|i| {
            let is_joined = severed[i]
                || goes_on(i)
                || (is_wrapped && (is_full(i) || (!is_item(i) && (is_about_full(i) || is_cut(i)))));
            is_joined && !entries[i] && !entries[i + 1]
        })
        .collect()
}

/// Of each line but the last, whether it breaks off in the middle of a sentence that the next one ends, whatever
/// the other lines are. Lists, verse, tables and code, whose lines may go on in lower case too, are told from
/// prose by short lines, by gaps, by signs and by the missing full stop.
fn severed(lines: &[&str]) -> Vec<bool> {
    let is_prose = |line: &str| {
        line.chars().take(SHORTEST_SEVERED_LINE).count() == SHORTEST_SEVERED_LINE
            && line.split_whitespace().nth(5).is_some()
            && is_wordy(line)
    };
    let mut severed: Vec<bool> = lines
        .windows(2)
        .map(|pair| {
            let [line, next] = [pair[0], pair[1]];
            cuts(line, next) && !starts_item(next) && is_prose(line) && !has_gap(line) && !has_gap(next)
        })
        .collect();
    let has_stop = |line: &&str| line.split_whitespace().any(sentence::stops);
    let last_stop = lines.iter().rposition(has_stop);
    let behind = last_stop.unwrap_or(0);
    severed[behind..].fill(false);
    // Where every line begins in lower case, at least behind one that introduces them, they are items without marks.
    let introduced = lines.first().is_some_and(|line| line.ends_with(':'));
    let items = if introduced { &lines[1..] } else { lines };
    if items.iter().all(|line| line.starts_with(char::is_lowercase)) {
        severed.fill(false);
    }
    severed
}

/// What stands between the cells of a table, or in settings.
fn has_gap(line: &str) -> bool {
    let is_label = |c: char| c.is_ascii_uppercase();
    let line = line
        .strip_prefix(is_label)
        .and_then(|rest| rest.strip_prefix(". "))
        .map_or(line, str::trim_start); // "Q.   "
    line.contains(['\t', '=']) || line.contains("   ")
}

/// Whether all longer words of a line, and at least two, begin with a capital.
fn is_title(line: &str) -> bool {
    let longer = line.split_whitespace().filter(|w| w.chars().count() > 3);
    let (high, low): (Vec<&str>, Vec<&str>) = longer.partition(|word| word.starts_with(char::is_uppercase));
    low.is_empty() && high.len() > 1
}

/// `Subject: …`
fn is_header(line: &str) -> bool {
    const NAMES: [&str; 10] = [
        "bcc",
        "cc",
        "date",
        "from",
        "message-id",
        "organization",
        "reply-to",
        "sent",
        "subject",
        "to",
    ];
    line.split_once(": ")
        .is_some_and(|(name, _)| NAMES.iter().any(|header| name.eq_ignore_ascii_case(header)))
}

/// Whether most of a line are letters.
pub(super) fn is_wordy(line: &str) -> bool {
    let visible = line.chars().filter(|c| !c.is_whitespace()).count();
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    5 * letters >= 4 * visible
}

/// Words that a sentence does not end with, nor an item of a list.
#[rustfmt::skip]
const LEADING_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "been", "between", "by", "can", "could", "during", "for", "from", "had",
    "has", "have", "her", "his", "in", "into", "is", "its", "may", "might", "must", "my", "nor", "of", "on", "or", "our",
    "shall", "should", "than", "that", "the", "their", "these", "this", "those", "through", "to", "under", "was", "were",
    "which", "whose", "will", "with", "would", "your",
];

/// What a word of code begins with: "`Signed-off-by`", "~/.config", "<owner>".
const BEFORE_CODE: [char; 5] = ['`', '~', '/', '<', '$'];

/// Whether a line breaks off behind a word or an abbreviation that something has to follow.
fn is_open(line: &str, next: &str) -> bool {
    let goes_on = next
        .trim_start_matches(|c| sentence::is_opening(c) || BEFORE_CODE.contains(&c))
        .starts_with(char::is_alphanumeric);
    let mut words = line.split_whitespace().rev();
    let (last, before) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let last = last.trim_start_matches(sentence::is_opening);
    // Not "Lund, Anna, Dr." and "12 Harbour St."
    let is_introduced = before.starts_with(char::is_lowercase) && !before.ends_with(',');
    let is_long = || line.split_whitespace().nth(3).is_some() && line.chars().nth(24).is_some();
    // "4. In the" stands in a narrow column.
    let is_item = || starts_item(line) && next.starts_with(char::is_lowercase);
    goes_on
        && !has_gap(line)
        && !has_gap(next)
        && ((is_introduced && sentence::introduces(last))
            || (LEADING_WORDS.binary_search(&last).is_ok() && (is_long() || is_item())))
}

/// Whether a line is a heading that its text follows without a blank line: underlined, or in capitals.
fn is_heading_above(line: &str, next: &str) -> bool {
    let letters = |line: &str| line.chars().filter(|c| c.is_alphabetic()).count();
    let is_high = |line: &str| !line.contains(char::is_lowercase);
    looks_like_heading(line) && !has_gap(line) && is_high(line) && letters(line) >= 4 && !is_high(next)
}

/// An entry of a table of contents: `2.1 The fee ..... 12`
pub(super) fn is_entry(line: &str) -> bool {
    let title = line.trim_end().trim_end_matches(|c: char| c.is_ascii_digit());
    let leader = title.trim_end_matches(['.', '·', '…', '_', ' ']);
    let dots = title[leader.len()..].chars().filter(|c| !c.is_whitespace());
    title.len() < line.trim_end().len() && (dots.count() >= 4 || title.trim_end().ends_with("……"))
}

/// A line of dashes or the like.
fn is_rule(line: &str) -> bool {
    let first = line.chars().next().unwrap_or_default();
    line.len() >= 3 && "-=~_*#^+".contains(first) && line.chars().all(|c| c == first)
}

/// Whether a line breaks off in the middle of a sentence and the next one begins like the rest of it: with a plain
/// word in lower case, or with a figure after such a word.
pub(super) fn cuts(line: &str, next: &str) -> bool {
    if sentence::stops(line) || line.trim_end_matches(sentence::is_closing).ends_with([':', ';']) {
        return false;
    }
    let word = next.split_whitespace().next().unwrap_or_default();
    let word = word
        .trim_start_matches(sentence::is_opening)
        .trim_end_matches([',', ';', '.', '!', '?', '…'])
        .trim_end_matches(sentence::is_closing)
        .trim_end_matches([',', ';', '.', '!', '?', '…']);
    if word.starts_with(char::is_lowercase) {
        let is_short = word.len() <= 3; // "e.g.", "p.m."
        return word
            .chars()
            .all(|c| c.is_alphabetic() || "'’-–—".contains(c) || (is_short && c == '.'));
    }
    let figure = word.trim_start_matches(['$', '€', '£', '¥']);
    let is_code = word.starts_with(BEFORE_CODE) && word.contains(char::is_alphabetic);
    let mut words = line.split_whitespace();
    let last = words.next_back().unwrap_or_default();
    let before = words.next_back().unwrap_or_default();
    if is_day(before, last) && word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()) {
        return true;
    }
    let last = last.strip_suffix(',').unwrap_or(last);
    // The number of a clause ("1.2"), not one of things.
    let is_numbered = line
        .split_whitespace()
        .next()
        .is_some_and(|first| first.contains('.'));
    (is_numbered || !line.starts_with(|c: char| c.is_ascii_digit()))
        && last.chars().all(char::is_lowercase)
        && (is_code
            || figure.starts_with(|c: char| c.is_ascii_digit())
                && figure
                    .chars()
                    .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '%')))
}

/// Whether these are a month and a day behind which a year follows: `November 1,`.
fn is_day(month: &str, day: &str) -> bool {
    let day = day.strip_suffix(',').unwrap_or_default();
    matches!(day.len(), 1..=2)
        && day.bytes().all(|b| b.is_ascii_digit())
        && sentence::month(month.trim_end_matches('.')).is_some()
}

/// Whether a sentence ends with a line, and is not merely interrupted after an abbreviation.
fn ends_sentence(line: &str, next: &str) -> bool {
    let joined = format!("{line} {next}");
    sentence::stops(line)
        && sentence::sentences(&joined)
            .iter()
            .any(|s| s.start == line.len() + 1)
}

/// `- `, `* `, `• `, `3. `, `(a) ` and the like.
fn starts_item(line: &str) -> bool {
    item_marker(line) > 0
}

/// The length in bytes of the mark of an item at the start of a line, with the white space after it; 0 if there is
/// none.
pub(crate) fn item_marker(line: &str) -> usize {
    let Some((marker, rest)) = line.split_once(char::is_whitespace) else {
        return 0;
    };
    let rest = rest.trim_start();
    if !rest.is_empty() && is_marker(marker) {
        line.len() - rest.len()
    } else {
        0
    }
}

fn is_marker(marker: &str) -> bool {
    if matches!(marker, "-" | "*" | "+" | "•" | "‣" | "◦" | "–" | "·") {
        return true;
    }
    let label = marker.trim_start_matches('(');
    let Some(label) = label.strip_suffix(')').or_else(|| label.strip_suffix('.')) else {
        return false;
    };
    // "I." and "A." may be initials; a number, a bracketed letter or a roman numeral in brackets is not.
    let is_roman =
        || label.len() <= 6 && label.bytes().all(|b| b"ivx".contains(&b)) && marker.starts_with('(');
    (label.len() <= 3 && !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()))
        || (marker.ends_with(')')
            && (label.len() == 1 && label.bytes().all(|b| b.is_ascii_alphabetic())
                || !label.is_empty() && is_roman()))
}

/// A short line by itself that does not end like a sentence, nor in the middle of one.
fn looks_like_heading(line: &str) -> bool {
    let last = line.split_whitespace().next_back().unwrap_or_default();
    line.chars().count() <= 80
        && LEADING_WORDS.binary_search(&last).is_err()
        && !line.contains('\n')
        && line.chars().any(char::is_alphabetic)
        && !line.ends_with(['.', '!', '?', ':', ';', ',', '”', '"', '…'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<(BlockKind, &str)> {
        layout(text)
            .blocks
            .iter()
            .map(|b| (b.kind, &text[b.span.clone()]))
            .collect()
    }

    fn text_and_blocks(source: &str) -> (String, Vec<String>) {
        let layout = layout(source);
        let blocks = layout
            .blocks
            .iter()
            .map(|b| layout.text[b.span.clone()].to_owned());
        (layout.text.clone(), blocks.collect())
    }

    #[test]
    fn marks_of_quotation_are_not_read() {
        let source = "Anna wrote:\n> The councillor confirmed by phone that the\n> contract was worth £310,000. He said he was\n> not proud.\n>\n> > I was not asked about any of this.\n\nThanks.\n";
        let (text, blocks) = text_and_blocks(source);
        assert_eq!(
            blocks,
            [
                "Anna wrote:",
                "The councillor confirmed by phone that the\ncontract was worth £310,000. He said he was\nnot proud.",
                "I was not asked about any of this.",
                "Thanks."
            ]
        );
        let at = text.find("£310,000").unwrap();
        let found = layout(source).map.to_source(at..at + "£310,000".len());
        assert_eq!(&source[found], "£310,000");
    }

    #[test]
    fn prompts_and_comparisons_are_no_quotation() {
        for source in [
            "> 5 mg\n> 7 mg\n",
            ">>> import ask\n>>> ask.who()\n",
            "Run this.\n\n> cargo run now please\n",
            ">a b c\n>d e f\n",
        ] {
            assert_eq!(text_and_blocks(source).0, source);
        }
    }

    #[test]
    fn a_word_broken_at_the_end_of_a_line_is_one_word() {
        let (text, blocks) = text_and_blocks(
            "Collars were made by Lotek Wire-\n  less Inc. of Newmarket. The long-\r\nterm study ended.\n",
        );
        assert_eq!(
            blocks,
            ["Collars were made by Lotek Wire-less Inc. of Newmarket. The long-term study ended."]
        );
        assert!(text.ends_with("long-term study ended.\n"));
        let (text, _) = text_and_blocks("This disables this be\u{2010}\nhavior of tar.\n");
        assert_eq!(text, "This disables this be\u{2010}havior of tar.\n");
        for apart in ["The pre-\nand post-war years.", "list-\nitems", "From 5-\nto 6."] {
            assert_eq!(text_and_blocks(apart).0, apart);
        }
    }

    #[test]
    fn a_word_goes_on_behind_a_sign_that_ends_its_line() {
        let text = |source: &str| text_and_blocks(source).0;
        assert_eq!(
            text(
                "as we have all-\nHTTP/1.1 paths, see What (https://\nwww.linux.org/) or write to ian@\nfaa.gov by May –\nor June."
            ),
            "as we have all-HTTP/1.1 paths, see What (https://www.linux.org/) or write to ian@faa.gov by May –\nor June."
        );
        assert_eq!(text("- short-\n- and\n--\nText"), "- short-\n- and\n--\nText");
    }

    #[test]
    fn a_sentence_goes_on_behind_a_page_break() {
        let whole = "The chair, Ms. Lund, resigned on\n3 May 2021 after the vote.";
        for between in [
            "\n\u{c}",
            "\n\n12\n\u{c}",
            "\u{c}",
            "\n\u{c}- 13 -\n\n",
            "\r\n\u{c}",
        ] {
            let source = format!("The chair, Ms. Lund, resigned on{between}3 May 2021 after the vote.\n");
            assert_eq!(text_and_blocks(&source).1, [whole], "{between:?}");
        }
        // A new paragraph, a heading of the next page, no page break, and figures that may be the text's.
        for source in [
            "The chair resigned in\n1995\n\u{c}and left at once.\n",
            "The chair was beaten by\n3/2\nin the vote.\n",
            "The chair resigned.\n\u{c}She left at once.\n",
            "The chair resigned on\n\u{c}Results of the vote\n",
            "The chair resigned on\n\n3 May 2021 after the vote.\n",
        ] {
            assert!(text_and_blocks(source).1.len() > 1, "{source:?}");
        }
    }

    #[test]
    fn what_belongs_to_pages_stands_in_no_sentence() {
        let whole = "It was found that Mr.\nRoe had never read it.";
        for between in [
            "\nROE-000123\n\u{c}",
            "\nPage 4 of 9\n\n",
            "\n\n   Page 4\n\n",
            "\n\n - 4 -\n\u{c}ACME v. ROE\n\n",
        ] {
            let source = format!("ACME v. ROE\n\nIt was found that Mr.{between}Roe had never read it.\n");
            assert_eq!(text_and_blocks(&source).1, ["ACME v. ROE", whole], "{between:?}");
        }
        let (_, blocks) = text_and_blocks("It was read.\nROE-000123\n\u{c}It was not.\nROE-000124\n");
        assert_eq!(
            blocks,
            ["It was read.", "ROE-000123", "It was not.", "ROE-000124"]
        );
    }

    #[test]
    fn numbers_in_the_margin_are_not_read() {
        let source = "1   Q.   Did you read the memo before you\n2  signed it?\n3   A.   I was told that it\n4\n5   was routine. I signed it, and\n6   the envelope\n\n  Page 2\n\n 1   was wet.\n";
        let (text, blocks) = text_and_blocks(source);
        assert_eq!(
            blocks,
            [
                "Q.   Did you read the memo before you\nsigned it?",
                "A.   I was told that it",
                "was routine. I signed it, and\nthe envelope\nwas wet."
            ]
        );
        assert!(!text.contains('6'));
    }

    #[test]
    fn double_spaced_lines_are_one_paragraph() {
        let source = "The contract was given away. The director,\n\nMr. Paul Berg, signed it, although the\n\nboard had not met. He repaid it, but\n\nnever admitted it.\n\n\nThe end came soon.\n";
        let (_, blocks) = text_and_blocks(source);
        assert_eq!(
            blocks,
            [
                "The contract was given away. The director,\nMr. Paul Berg, signed it, although the\nboard had not met. He repaid it, but\nnever admitted it.",
                "The end came soon."
            ]
        );
    }

    #[test]
    fn a_line_above_a_paragraph_does_not_break_its_sentences() {
        let wrapped = "The work was paid by the Lindgren Foundation and the city of Port\nEllis, which owns the laboratory.";
        for above in ["FUNDING", "Warranty\n--------", "Dear Ms. Lowe,"] {
            let source = format!("{above}\n{wrapped}\n");
            assert_eq!(texts(&source).last(), Some(&wrapped), "{above}");
        }
        for whole in [
            "The rent was raised by Mr.\nHolm in May.",
            "The rent was last raised by\nHolm & Sons in 2019.",
        ] {
            assert_eq!(texts(whole), [whole]);
        }
    }

    #[test]
    fn contents_say_nothing_of_the_spacing_of_the_text() {
        let source = "CONTENTS\n\nFACTS ................... 1\nARGUMENT ................ 2\n   I.   THE CLAIM ....... 2\nCONCLUSION .............. 9\n\nThe bank has never\n\nagreed to be paid late. It has always denied that\n\nthe loan was paid in full. It said:\n\n     We have no defense to it, none at\n     all, and ask for time.\n\nThen they signed the deed, by which the bank is\n\nreleased from all claims.\n";
        let (_, blocks) = text_and_blocks(source);
        assert!(
            blocks.iter().any(|b| b.starts_with(
                "The bank has never\nagreed to be paid late. It has always denied that\nthe loan"
            )),
            "{blocks:?}"
        );
    }

    #[test]
    fn stamps_dates_and_terms_do_not_cut_a_sentence() {
        for (source, whole) in [
            (
                "The employee shall keep the terms confidential and shall not\nRIDGE0000431\ndisclose them.\n",
                "The employee shall keep the terms confidential and shall not\ndisclose them.",
            ),
            (
                "THIS AGREEMENT (the \"Agreement\") is dated as of November 1,\n2018, and is made here.\n",
                "THIS AGREEMENT (the \"Agreement\") is dated as of November 1,\n2018, and is made here.",
            ),
            (
                "He shall not be bound to pay any part of the balance (the\n\"Settlement Sum\") before May.\n",
                "He shall not be bound to pay any part of the balance (the\n\"Settlement Sum\") before May.",
            ),
        ] {
            assert!(
                text_and_blocks(source).1.contains(&whole.to_owned()),
                "{:?}",
                text_and_blocks(source).1
            );
        }
    }

    #[test]
    fn turns_are_blocks_and_halves_of_lines_too() {
        let (_, blocks) = text_and_blocks(
            "Q.  Who?\nA.  It was Dale Pruitt, who had come from\nFresno with the rest.\nQ.  Why?\nA.  I know.\n",
        );
        assert_eq!(
            blocks,
            [
                "Q.  Who?",
                "A.  It was Dale Pruitt, who had come from\nFresno with the rest.",
                "Q.  Why?",
                "A.  I know."
            ]
        );
        let columns = format!(
            "{:<40}there the burden is $5 million.\n",
            "the party that fixes its dam-"
        )
        .repeat(8);
        let (_, blocks) = text_and_blocks(&columns);
        assert_eq!(
            blocks[..2],
            ["the party that fixes its dam-", "there the burden is $5 million."]
        );
        assert_eq!(blocks.len(), 16);
    }

    #[test]
    fn headers_of_mail_stand_by_themselves() {
        let mail = "To: Ann Lee <ann@example.com>\nFrom: Tim Chapman <timc@2ubh.com>\nDate: Thu, 22 Aug 2002\nSubject: Moscow bomber\n\n\
                    To: whom it may concern, from us all.\nIt rained.\n";
        let layout = layout(mail);
        let blocks: Vec<_> = layout
            .blocks
            .iter()
            .map(|b| (b.kind, b.section, &layout.text[b.span.clone()]))
            .collect();
        let paragraph = BlockKind::Paragraph;
        assert_eq!(
            blocks,
            [
                (paragraph, 0, "To: Ann Lee <ann@example.com>"),
                (paragraph, 1, "From: Tim Chapman <timc@2ubh.com>"),
                (paragraph, 2, "Date: Thu, 22 Aug 2002"),
                (paragraph, 3, "Subject: Moscow bomber"),
                (paragraph, 4, "To: whom it may concern, from us all.\nIt rained."),
            ]
        );
    }

    #[test]
    fn a_paragraph_a_line() {
        let long = "A sentence that is long enough. ".repeat(8);
        let text = format!("{long}\nShort one.\n{long}");
        assert_eq!(blocks(&text).len(), 3);
    }

    #[test]
    fn wrapped_lines_are_one_paragraph() {
        let text = "It was the best of times, it was the worst\nof times, it was the age of wisdom, it was\nthe age of foolishness.\n\nA second paragraph stands here, and it is\nwrapped too.";
        let blocks = blocks(text);
        assert_eq!(blocks.len(), 2, "{blocks:?}");
        assert!(blocks[0].1.ends_with("foolishness."));
    }

    #[test]
    fn headings_and_items() {
        use BlockKind::*;
        let text =
            "Annual report\n\nWe did three things:\n- sold apples\n- sold pears\n3. rested\n\nThe end.";
        assert_eq!(
            blocks(text),
            [
                (Heading, "Annual report"),
                (Paragraph, "We did three things:"),
                (ListItem, "- sold apples"),
                (ListItem, "- sold pears"),
                (ListItem, "3. rested"),
                (Paragraph, "The end."),
            ]
        );
    }

    #[test]
    fn entries_of_a_table_of_contents_stay_apart() {
        let text = "14.9.1 What is Cacheable ................................109\n14.9.2 What May be Stored by Caches .....................110\n\
            14.9.3 Modifications of the Basic Expiration Mechanism ..111\n";
        assert_eq!(blocks(text).len(), 3);
        assert!(is_entry("The fee . . . . 12") && !is_entry("It rose to 3.5 ... 12") && !is_entry("......"));
    }

    #[test]
    fn log_lines_stay_apart() {
        let text = "10:01 started\n10:02 listening on port 8080 of all interfaces\n10:03 ready\n10:04 stopped by signal";
        assert_eq!(blocks(text).len(), 4);
    }

    fn texts(text: &str) -> Vec<&str> {
        blocks(text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn lines_filled_by_the_width_of_letters_are_one_paragraph() {
        let paragraphs = [
            "The call between Mr. Trump and Putin is the first known conversation between the two since\n\
             the president returned to the White House for a second term. It comes a day after Russia\n\
             released Pennsylvania schoolteacher Marc Fogel, who was serving a 14-year sentence and\n\
             was designated as wrongfully detained late last year.",
            "eventual membership in NATO. Speaking ahead of a closed-door meeting of the Ukraine\n\
             Defense Contract Group about more aid, Hegseth said peace in the country must include\n\
             security guarantees that “should not be provided through NATO membership, but must instead\n\
             be backed by capable European and non-European troops.”",
            "He had seen nothing that was out of order. Speaking ahead of a meeting of the union, Mr.\n\
             Berg said that peace in the company must include some guarantees that it will be able to pay up\n\
             them. He said that he had no wish to go on with the work that others had begun. What he said\n\
             was heard.",
            "The president, too, addressed the prospect of Russia maintaining control of Ukrainian territory its forces\n\
             have occupied during an interview with Fox News that aired Monday, suggesting Ukraine “may be\n\
             Russian someday, or they may not be Russian someday.”",
            "The company said on Monday that it would pay a fine of about\n\
             $500 million to the commission in Brussels, which had asked for twice as much in the spring.",
        ];
        for paragraph in paragraphs {
            assert_eq!(texts(paragraph), [paragraph]);
        }
    }

    #[test]
    fn a_sentence_goes_on_in_a_word_of_code() {
        let text = "(see below), the first patch, or the respective preceding patch.\n\n\
            If your log message (including your name on the\n`Signed-off-by` trailer) is not writable in ASCII, make sure that\n\
            you send off a message in the correct encoding.\n";
        assert_eq!(
            texts(text).last(),
            Some(
                &"If your log message (including your name on the\n`Signed-off-by` trailer) is not writable in ASCII, make sure that\n\
                  you send off a message in the correct encoding."
            )
        );
    }

    #[test]
    fn a_short_line_of_an_item_goes_on_in_lower_case() {
        let text = "3. In the\nevent of a sale of the whole of the firm to another, nothing is to be paid to the director.\n\
                    4. In the\nevent of his death, it is all paid.\n";
        assert_eq!(texts(text).len(), 2, "{:?}", texts(text));
    }

    #[test]
    fn a_sentence_goes_on_in_lower_case_though_most_lines_are_paragraphs() {
        let text = "MARK: We sent the letter on Monday by courier to the wrong address, and nobody had\n\
                    noticed it by Friday.\nJANE: I never saw it.\nMARK: No, you did not.\nJANE: Nobody told me either.";
        assert_eq!(texts(text).len(), 4);
        assert!(texts(text)[0].ends_with("by Friday."));
    }

    #[test]
    fn what_is_no_prose_stays_in_lines() {
        for text in [
            // Items.
            "Shopping\nmilk\neggs and bread\nbutter",
            "To buy for the feast\n12 apples of the red kind\n30 pears\n2 pounds of butter from the farm",
            "Storm closes the harbour\nMayor opens it again on Sunday\nCouncil votes on the dam and the bridge over it\nNo vote",
            "fixed a crash in the parser of dates that have no year\nadded a flag for the width of all the lines that are printed to the terminal\nremoved the old reader",
            "fixed a crash in the parser of dates that have no year\nadded a flag for the width of all the lines that are printed\nremoved the old reader.",
            "The tenant shall, at the end of the lease, do what follows:\nclean the house and the garden and everything that stands in it, the shed as well\nreturn the keys.",
            // Verse.
            "The fog comes\non little cat feet.",
            "I wandered lonely as a cloud\nThat floats on high o'er vales and hills,\nWhen all at once I saw a crowd,\nA host, of golden daffodils;",
            // A table, settings, code, a log, an address.
            "Revenue of the whole group in the first half     1,234\nof which in the north of the country, abroad and on the islands     500.\ntotal     9",
            "description: the reader of dates that is used in the north\nname: dates.\nkind: a",
            "let total = sum of all the values that were given to it\nreturn the total of everything in the list that was given to the function.",
            "worker started listening on the port of all interfaces\nconnected: yes\n10:03 ready\nstopped by signal",
            "Otto Lund\nHarbour Street 12\n1234 Elbing\nPhone 555 12 13",
            "Otto Lund\n12 Harbour St.\nElbing 1234\nPhone 555 12 13",
            "Lund, Anna, Dr.\nBerg, Karl, Prof.\nHolm, Eva, Mrs.\nRoe, Tom",
        ] {
            assert_eq!(texts(text).len(), text.lines().count(), "{:?}", texts(text));
        }
    }
}
