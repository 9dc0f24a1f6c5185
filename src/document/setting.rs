//! How plain text was set: what stands on its pages and beside its lines that is none of its words.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::byte_order_mark;
use super::plain::{cuts, is_wordy, raw_line};
use super::sentence;

/// So many lines at the top and at the foot of a page may belong to it.
pub(super) const EDGE: usize = 2;
/// Longer lines are words.
const LONGEST_REPEATED_LINE: usize = 100;
/// More different lines at the edges of pages than this are not remembered.
const MOST_EDGES: usize = 20_000;

/// What a text's lines have in common.
#[derive(Debug, Default)]
pub(super) struct Setting {
    pub(super) has_pages: bool,
    /// Whether a blank line stands below every line, as in drafts and pleadings.
    pub(super) is_double_spaced: bool,
    /// Whether lines begin with `Q.` and `A.`
    pub(super) is_transcript: bool,
    /// How lines are numbered in the margin, as in transcripts and pleadings.
    margin: Margin,
    /// Where the second of two columns begins that stand side by side, in characters.
    second_column: Option<usize>,
    /// Lines of the margin's numbers alone, as converters write them that read a page column by column.
    columns_of_numbers: Vec<Range<usize>>,
    /// Whether a page has the number behind that of the page before.
    has_page_numbers: bool,
    /// Lines at the edges of more than one page, with `#` for figures.
    repeated: HashSet<String>,
}

impl Setting {
    pub(super) fn of(source: &str) -> Self {
        let mut edges = Edges::default();
        let (mut margins, mut spacing) = (Margins::default(), Spacing::default());
        let mut columns = NumberColumns::default();
        let mut gutters = Gutters::default();
        let mut has_pages = false;
        let mut at = byte_order_mark(source);
        while let Some(line) = raw_line(source, at) {
            at = line.next;
            let words = source[line.words.clone()].trim();
            columns.read(words, line.words.start..line.next);
            gutters.read(&source[line.words.clone()]);
            edges.read(words);
            margins.read(words);
            spacing.read(words);
            if line.feeds {
                has_pages = true;
                edges.turn();
            }
        }
        edges.turn();
        Self {
            has_pages,
            is_double_spaced: spacing.is_double(),
            is_transcript: margins.is_transcript(),
            margin: margins.margin(),
            second_column: gutters.second_column(),
            columns_of_numbers: columns.finish(),
            has_page_numbers: edges.are_numbered,
            repeated: if has_pages {
                edges.repeated()
            } else {
                HashSet::new()
            },
        }
    }

    /// Whether lines are known to be as long as the page is wide.
    pub(super) fn cuts_lines(&self) -> bool {
        self.is_double_spaced || self.is_transcript || self.margin != Margin::None
    }

    /// Whether the text is set in two columns, and stands in the source line by line across both.
    pub(super) fn has_columns(&self) -> bool {
        self.second_column.is_some()
    }

    /// Where the second column of a line begins, in bytes, if there are words of two columns in it.
    pub(super) fn second_column(&self, line: &str) -> Option<usize> {
        let column = self.second_column?;
        let (byte, at) = widest_gap(line)?;
        (at.abs_diff(column) <= RAGGED).then_some(byte)
    }

    /// Whether a line may belong to a page and not to the text: its number, a stamp, what stands on other pages, too; a blank one.
    pub(super) fn is_furniture(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() <= LONGEST_REPEATED_LINE
            && (line.is_empty()
                || page_number(line).is_some()
                || is_stamp(line)
                || (self.has_pages && self.repeated.contains(&masked(line))))
    }

    /// Whether a line may be a page's number as well as one of the text: bare, or a year, where pages are not known to be numbered.
    pub(super) fn is_doubtful(&self, line: &str) -> bool {
        let line = line.trim();
        let is_bare = line.starts_with(|c: char| c.is_ascii_digit());
        is_bare && page_number(line).is_some() && !self.has_page_numbers
    }

    /// The length in bytes of a number in the margin of a line that begins at a place of the source, with the white space
    /// around it; 0 if there is none.
    pub(super) fn margin(&self, line: &str, at: usize) -> usize {
        let after = self.columns_of_numbers.partition_point(|column| column.end <= at);
        if self.columns_of_numbers.get(after).is_some_and(|c| c.start <= at) {
            return line.len();
        }
        numbered(line)
            .filter(|number| match self.margin {
                Margin::None => false,
                Margin::Wide => number.is_apart,
                Margin::Tight => true,
            })
            .map_or(0, |number| number.length)
    }
}

/// The number of a page: `12`, `- 12 -`, `Page 4`, `Page 4 of 9`.
fn page_number(line: &str) -> Option<u32> {
    figures(line.trim_matches(['-', '–', '—', ' '])).or_else(|| named_page(line))
}

/// A number of one to four figures.
fn figures(word: &str) -> Option<u32> {
    let is_number = matches!(word.len(), 1..=4) && word.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| word.parse().ok())?
}

/// Whether a line is `Page 4` or `Page 4 of 9`.
pub(crate) fn names_page(line: &str) -> bool {
    named_page(line).is_some()
}

fn named_page(line: &str) -> Option<u32> {
    let line = line.trim();
    if line.len() > 24 {
        return None;
    }
    let folded = line
        .trim_matches(['-', '–', '—', '[', ']', '|', '.', ' '])
        .to_lowercase();
    let rest = folded.strip_prefix("page ")?;
    match rest.split_once(" of ").or_else(|| rest.split_once('/')) {
        Some((number, total)) => figures(total.trim()).and(figures(number.trim())),
        None => figures(rest.trim()),
    }
}

/// The letter that a question or an answer begins with in a transcript or an interview: `Q.   Who saw it?`, `A: Ann.`
pub(crate) fn turn(line: &str) -> Option<char> {
    let letter = line.chars().next().filter(|c| matches!(c, 'Q' | 'A'))?;
    let marks = [". ", ".\t", "  ", ": ", ":\t"];
    marks
        .iter()
        .any(|mark| line[1..].starts_with(mark))
        .then_some(letter)
}

/// `ROE-000123`, the number that a page has in evidence.
pub(super) fn is_stamp(line: &str) -> bool {
    let figures = line.trim_start_matches(|c: char| !c.is_ascii_digit());
    let name = line[..line.len() - figures.len()].trim_end_matches(['-', '_', ' ']);
    figures.len() >= 5
        && figures.bytes().all(|b| b.is_ascii_digit())
        && matches!(name.len(), 2..=24)
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_' | b' '))
}

/// A line with `#` for each run of figures and one space for each run of white space.
fn masked(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut last = '\0';
    for c in line.chars() {
        let c = match c {
            c if c.is_numeric() => '#',
            c if c.is_whitespace() => ' ',
            c => c,
        };
        if c != last || !matches!(c, '#' | ' ') {
            masked.push(c);
        }
        last = c;
    }
    masked
}

/// The first and the last lines of pages.
#[derive(Default)]
struct Edges<'a> {
    page: Vec<&'a str>,
    /// The numbers at the edges of the page before.
    numbers: Vec<u32>,
    are_numbered: bool,
    pages_with: HashMap<String, u32>,
}

impl<'a> Edges<'a> {
    fn read(&mut self, words: &'a str) {
        if words.is_empty() {
            return;
        }
        if self.page.len() == 2 * EDGE {
            self.page.remove(EDGE);
        }
        self.page.push(words);
    }

    /// Ends a page.
    fn turn(&mut self) {
        let numbers: Vec<u32> = self.page.iter().filter_map(|line| page_number(line)).collect();
        let before = std::mem::replace(&mut self.numbers, numbers);
        self.are_numbered |= before.iter().any(|number| self.numbers.contains(&(number + 1)));
        let lines: HashSet<String> = self
            .page
            .drain(..)
            .filter(|line| line.len() <= LONGEST_REPEATED_LINE)
            .map(masked)
            .collect();
        for line in lines {
            if self.pages_with.len() < MOST_EDGES || self.pages_with.contains_key(&line) {
                *self.pages_with.entry(line).or_default() += 1;
            }
        }
    }

    fn repeated(self) -> HashSet<String> {
        let repeated = self.pages_with.into_iter().filter(|&(_, pages)| pages > 1);
        repeated.map(|(line, _)| line).collect()
    }
}

/// How lines are numbered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Margin {
    #[default]
    None,
    /// By numbers that are set apart from the words.
    Wide,
    /// By numbers with a single space behind them.
    Tight,
}

/// A number at the start of a line.
#[derive(Clone, Copy)]
struct Number {
    /// In bytes, with the white space around it.
    length: usize,
    value: u32,
    /// Whether it is set apart from the words.
    is_apart: bool,
}

fn numbered(line: &str) -> Option<Number> {
    let start = line.len() - line.trim_start_matches(' ').len();
    let digits = line[start..].bytes().take_while(u8::is_ascii_digit).count();
    if start > 12 || !matches!(digits, 1..=2) {
        return None;
    }
    let rest = &line[start + digits..];
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    Some(Number {
        length: line.len() - rest.trim_start_matches([' ', '\t']).len(),
        value: line[start..start + digits].parse().ok()?,
        is_apart: rest.is_empty() || rest.starts_with("  ") || rest.starts_with('\t'),
    })
}

/// Fewest lines of a page that is numbered in its margin.
const LINES_OF_A_PAGE: u32 = 20;

/// Fewest lines of a column of numbers.
const NUMBERS_OF_A_COLUMN: u32 = 10;

/// Lines of nothing but 1, 2, 3 and so on, beside others with words: a file of numbers has no margin.
#[derive(Default)]
struct NumberColumns {
    has_words: bool,
    last: u32,
    column: Range<usize>,
    found: Vec<Range<usize>>,
}

impl NumberColumns {
    fn read(&mut self, words: &str, line: Range<usize>) {
        match figures(words) {
            Some(number) if number == self.last + 1 => {
                if number == 1 {
                    self.column = line.clone();
                }
                self.last = number;
                self.column.end = line.end;
            }
            _ if words.is_empty() => {}
            number => {
                self.has_words |= words.contains(char::is_alphabetic);
                self.end();
                if number == Some(1) {
                    (self.last, self.column) = (1, line);
                }
            }
        }
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.last) >= NUMBERS_OF_A_COLUMN {
            self.found.push(self.column.clone());
        }
    }

    fn finish(mut self) -> Vec<Range<usize>> {
        self.end();
        match self.has_words {
            true => self.found,
            false => Vec::new(),
        }
    }
}

/// Whether numbers at the start of lines count them. What they count may be rows and items, too: these do not end sentences in
/// the middle of one line and begin them in another, are no questions and answers, and do not begin anew on every page.
#[derive(Default)]
struct Margins<'a> {
    lines: u32,
    /// Lines with the number behind that of the line before.
    counted: u32,
    /// The same, of lines whose numbers are all set apart.
    counted_apart: u32,
    flow: Flow,
    last_apart: Option<(u32, &'a str)>,
    last: u32,
    questions: u32,
    answers: u32,
    full_pages: u32,
}

impl<'a> Margins<'a> {
    fn read(&mut self, words: &'a str) {
        if words.is_empty() {
            return;
        }
        self.lines += 1;
        let number = numbered(words);
        let words = &words[number.map_or(0, |number| number.length)..];
        let turn = turn(words);
        self.questions += u32::from(turn == Some('Q'));
        self.answers += u32::from(turn == Some('A'));
        let Some(Number { value, is_apart, .. }) = number else {
            return;
        };
        let last = std::mem::replace(&mut self.last, value);
        self.counted += u32::from(value == last + 1 || value == 1);
        self.full_pages += u32::from(value == LINES_OF_A_PAGE && last + 1 == value);
        if is_apart {
            let before = self.last_apart.replace((value, words));
            let is_next = before.is_some_and(|(last, _)| value == last + 1);
            self.counted_apart += u32::from(is_next || value == 1);
            self.flow
                .read(before.map(|(_, last)| last).filter(|_| is_next), words);
        }
    }

    fn is_transcript(&self) -> bool {
        self.questions.min(self.answers) >= 2
    }

    fn margin(&self) -> Margin {
        let counts = |counted: u32| counted >= 3 && 4 * counted >= 3 * self.lines;
        if counts(self.counted) && (self.is_transcript() || self.full_pages >= 2) {
            return match self.counted > self.counted_apart {
                true => Margin::Tight,
                false => Margin::Wide,
            };
        }
        if counts(self.counted_apart) && self.flow.is_of(self.counted_apart, 5) {
            return Margin::Wide;
        }
        Margin::None
    }
}

/// Whether a line may be of running text: words, and so many at least.
fn is_running(line: &str, words: usize) -> bool {
    line.split_whitespace().nth(words - 1).is_some() && is_wordy(line)
}

/// The second column may begin so many characters before or behind its place.
const RAGGED: usize = 1;
/// Lines of two columns, at least.
const FEWEST_LINES_OF_COLUMNS: usize = 8;

/// Where words begin behind the widest gap of a line, in bytes and in characters.
fn widest_gap(line: &str) -> Option<(usize, usize)> {
    const GUTTER: &str = "  ";
    let start = line.len() - line.trim_start().len();
    let mut widest = None;
    let mut at = start;
    while let Some(found) = line[at..].find(GUTTER) {
        let from = at + found;
        let spaces = line[from..].len() - line[from..].trim_start_matches(' ').len();
        at = from + spaces;
        if at < line.len() && widest.is_none_or(|(width, _)| spaces > width) {
            widest = Some((spaces, at));
        }
    }
    widest.map(|(_, at)| (at, line[..at].chars().count()))
}

/// Whether lines have a gap in the same place.
#[derive(Default)]
struct Gutters {
    lines: usize,
    lines_with: HashMap<usize, usize>,
}

impl Gutters {
    fn read(&mut self, line: &str) {
        self.lines += usize::from(line.split_whitespace().nth(5).is_some());
        if let Some((at, column)) = widest_gap(line)
            && is_running(&line[..at], 3)
            && is_running(&line[at..], 3)
        {
            *self.lines_with.entry(column).or_default() += 1;
        }
    }

    fn second_column(&self) -> Option<usize> {
        let around = |column: usize| -> usize {
            let near = column.saturating_sub(RAGGED)..=column + RAGGED;
            near.filter_map(|column| self.lines_with.get(&column)).sum()
        };
        let column = self.lines_with.keys().copied().max_by_key(|&c| (around(c), c))?;
        let lines = around(column);
        (lines >= FEWEST_LINES_OF_COLUMNS && 2 * lines >= self.lines).then_some(column)
    }
}

/// How many blank lines stand between lines. Paragraphs of one line each are not cut in the middle of sentences.
#[derive(Default)]
struct Spacing<'a> {
    blank: u32,
    none: u32,
    one: u32,
    flow: Flow,
    last: Option<&'a str>,
}

impl<'a> Spacing<'a> {
    fn read(&mut self, words: &'a str) {
        if words.is_empty() {
            self.blank += 1;
            return;
        }
        let before = self.last.replace(words);
        // Contents, headings and addresses are set as they are whatever the text's spacing.
        if let Some(before) = before {
            self.none += u32::from(self.blank == 0 && is_running(before, 4) && is_running(words, 4));
            self.one += u32::from(self.blank == 1);
        }
        self.flow.read(before.filter(|_| self.blank == 1), words);
        self.blank = 0;
    }

    fn is_double(&self) -> bool {
        self.one >= 3 && self.none <= self.one && self.flow.is_of(self.one, 3)
    }
}

/// Whether lines are those of running text.
#[derive(Default)]
struct Flow {
    /// Lines of several words that go on in lower case.
    go_on: u32,
    /// Lines in the middle of which a sentence ends.
    stops: u32,
}

impl Flow {
    /// Reads a line, and the one before it where that is known to be its neighbour.
    fn read(&mut self, before: Option<&str>, line: &str) {
        self.go_on += u32::from(before.is_some_and(|before| is_running(before, 4) && cuts(before, line)));
        let words = || line.split_whitespace();
        let ends = |(word, next): (&str, &str)| sentence::stops(word) && next.starts_with(char::is_uppercase);
        self.stops += u32::from(words().zip(words().skip(1)).any(ends));
    }

    /// Whether so many lines are of it: one in `each` goes on, and in some a sentence ends.
    fn is_of(&self, lines: u32, each: u32) -> bool {
        each * self.go_on >= lines && 20 * self.stops >= lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_stamps_belong_to_pages() {
        let setting = Setting::default();
        for line in [
            "",
            "12",
            "- 12 -",
            "Page 4",
            "Page 4 of 9",
            "page 4/9.",
            "ROE-000123",
            "US DOJ 0012345",
        ] {
            assert!(setting.is_furniture(line), "{line:?}");
        }
        for line in [
            "12345",
            "Page",
            "Page four",
            "4 of the 9",
            "4/9",
            "2 of 3",
            "p. 45",
            "A-1",
            "Room 101",
            "COVID-19",
            "On page 4",
        ] {
            assert!(!setting.is_furniture(line), "{line:?}");
        }
    }

    #[test]
    fn what_stands_at_the_edges_of_pages_belongs_to_them() {
        let setting = Setting::of(
            "ACME v. ROE 1\n\nThe first\npage ends.\nCONFIDENTIAL\n\u{c}ACME v. ROE 2\nmore\nwords\nhere\nCONFIDENTIAL\n",
        );
        assert!(setting.has_pages);
        assert!(setting.is_furniture("ACME v. ROE 7") && setting.is_furniture(" CONFIDENTIAL"));
        assert!(!setting.is_furniture("more") && !setting.is_furniture("page ends."));
        assert!(!Setting::of("A\nb\nA\n").is_furniture("A"));
    }

    #[test]
    fn margins_are_told_from_items() {
        let setting = Setting::of(
            "1   Cramer is liable. On July 9 it\n 2  terminated her because she had said that the\n3\tboiler had no valve.\n",
        );
        assert_eq!(setting.margin(" 2  terminated", 0), 4);
        assert_eq!(setting.margin(" 2 terminated", 0), 0);
        assert_eq!(setting.margin("terminated", 0), 0);
        for text in [
            "1\talice\t30\n2\tbob\t25\n3\tcarol\t41\n4\tdave\t19\n",
            "1  cut the onions and fry\n2  add the rice and the stock\n3  let it stand for a while\n",
            "1  the tenant pays the rent.\n2  the landlord repairs the roof.\n3  the deposit is kept.\n",
            "1  Apples\n2  Pears\n3  Plums\n4  Nuts\n",
            "1  one\n2  line\n",
            "1 a line that\n2 goes on\n3 and on\n",
        ] {
            assert_eq!(Setting::of(text).margin("2  Pears", 0), 0, "{text:?}");
        }
        let transcript = "1  Q. Who was there?\n2  A. Dale Pruitt.\n3  Q. Who saw it?\n4  A. It was seen by\n5 employees.\n";
        let setting = Setting::of(transcript);
        assert_eq!(setting.margin("5 employees.", 0), 2);
        let pages = (1..=25).map(|i| format!("{i} Party {i}\n")).collect::<String>();
        assert_eq!(Setting::of(&pages).margin("9 Party", 0), 0);
        assert_eq!(Setting::of(&(pages.clone() + &pages)).margin("9 Party", 0), 2);
    }

    #[test]
    fn a_mark_of_byte_order_is_no_word() {
        let text = "1  Q. Who?\n2  A. Otto.\n3  Q. When?\n4  A. In May.\n";
        assert_eq!(Setting::of(&format!("\u{FEFF}{text}")).margin("1  Q.", 3), 3);
    }

    #[test]
    fn a_column_of_numbers_is_a_margin() {
        let numbers: String = (1..=12).map(|i| format!("{i}\n\n")).collect();
        let text = format!("Words.\n{numbers}7 words\n12\n");
        let setting = Setting::of(&text);
        let at = |line: &str| setting.margin(line, text.find(line).unwrap());
        assert_eq!((at("3"), at("12"), at("7 words")), (1, 2, 0));
        assert_eq!(setting.margin("12", text.rfind("12").unwrap()), 0);
        assert_eq!(Setting::of(&numbers).margin("3", 4), 0);
        let few: String = (1..=9).map(|i| format!("{i}\n")).collect();
        assert_eq!(Setting::of(&few).margin("3", 4), 0);
    }

    #[test]
    fn columns_are_told_from_gaps() {
        let line = |left: &str, right: &str| format!("{left:<40}{right}\n");
        let two = line(
            "the party that fixes its damages",
            "there the burden is on the party",
        )
        .repeat(8);
        let setting = Setting::of(&two);
        assert!(setting.has_columns());
        assert_eq!(setting.second_column(two.lines().next().unwrap()), Some(40));
        assert_eq!(setting.second_column("a line of the left column alone"), None);
        let one = "The end of it.  A sentence begins behind two spaces, as it was typed.\n".repeat(8);
        let ragged: String = (0..8)
            .map(|i| line(&"wörter die verschieden ".repeat(1 + i % 3), "wide gaps in it"))
            .collect();
        let table = line("Rent of the house", "1,200.00").repeat(9);
        for text in [
            format!(
                "{one}{}",
                "Words that fill a line of their own up to the end.\n".repeat(9)
            ),
            table,
        ] {
            assert!(!Setting::of(&text).has_columns(), "{text}");
        }
        assert!(Setting::of(&ragged).second_column("x").is_none());
    }

    #[test]
    fn double_spacing_is_told_from_paragraphs() {
        let is_double = |text: &str| Setting::of(text).is_double_spaced;
        assert!(is_double(
            "The board met on Monday\n\nand agreed. It would go on\n\nwith the work, as long\n\nas it lasted.\n"
        ));
        for text in [
            "The board met. It agreed.\n\nMonday came.\n\nIt agreed to go on with\n\nthe work.\n\nThe end.\n\nIt is.",
            "The board met on\nMonday. It agreed\nto go on with\n\nthe work.\n",
            "hey are you coming tonight\n\nyeah on my way\n\nbring the blue folder please\n\nok cool\n",
            "apples\n\npears\n\nplums\n\nnuts\n",
            "rent of 500 crowns\n\ndeposit of 900 crowns\n\nnotice of 3 months\n\nno pets in the house\n",
        ] {
            assert!(!is_double(text), "{text:?}");
        }
    }
}
