//! Values separated by commas, semicolons, tabs or bars (RFC 4180, and what spreadsheets make of it), with the bytes of their file.

use std::iter::Peekable;
use std::ops::Range;

use super::blocks::Blocks;
use super::table::MOST_TITLES;
use super::{BlockKind, Layout, byte_order_mark, is_value};

/// What may stand between values; of two that make as many columns, the first. A comma stands in names and numbers, too.
const SEPARATORS: [u8; 4] = [b'\t', b';', b'|', b','];
/// Rows that say which of them it is.
const SAMPLE: usize = 32;

/// The rows of a table; `None` where nothing separates the same number of values in most of the first rows.
pub(super) fn layout(source: &str) -> Option<Layout> {
    let start = byte_order_mark(source);
    let (separator, start) = match told(&source[start..]) {
        Some((separator, length)) => (separator, start + length),
        None => (separator(source, start)?, start),
    };
    let mut blocks = Blocks::new(source);
    let mut before = Row::default();
    let mut is_apart = false;
    let mut values = Values::new(source, start, separator).peekable();
    while let Some(row) = next_row(&mut values) {
        let row = Row::of(source, row);
        if row.is_empty {
            is_apart = true;
            continue;
        }
        is_apart |= row.values.first().is_some_and(|value| value.is_apart);
        if std::mem::take(&mut is_apart) && !row.goes_on(&before) {
            blocks.set_apart();
        }
        blocks.next_row();
        for value in &row.values {
            blocks.next(BlockKind::TableCell);
            blocks.next_cell();
            write(&mut blocks, source, value);
        }
        before = row;
    }
    Some(blocks.into_layout())
}

/// A row, and what it looks like.
#[derive(Default)]
struct Row {
    values: Vec<Value>,
    is_empty: bool,
    /// Whether a number is among its values.
    has_number: bool,
}

impl Row {
    fn of(source: &str, values: Vec<Value>) -> Self {
        let texts = || values.iter().map(|value| source[value.text.clone()].trim());
        Self {
            is_empty: texts().all(str::is_empty),
            has_number: texts().any(is_value),
            values,
        }
    }

    /// Whether it belongs, below an empty line, to the table of the row before: it is no row of headings.
    fn goes_on(&self, before: &Self) -> bool {
        self.values.len() == before.values.len() && (self.has_number || !before.has_number)
    }
}

fn next_row(values: &mut Peekable<Values<'_>>) -> Option<Vec<Value>> {
    let mut row = vec![values.next()?];
    while let Some(value) = values.next_if(|value| !value.begins_row) {
        row.push(value);
    }
    Some(row)
}

/// The separator that a first line `sep=;` names, which Excel writes, and the length of that line.
fn told(source: &str) -> Option<(u8, usize)> {
    let line = source.lines().next()?;
    let &[separator] = line.strip_prefix("sep=")?.as_bytes() else {
        return None;
    };
    SEPARATORS.contains(&separator).then_some((separator, line.len()))
}

/// The character that separates the same number of values, two or more, in most of the first rows, titles aside; of several the one that makes
/// most columns.
fn separator(source: &str, start: usize) -> Option<u8> {
    let columns = |separator: u8| {
        let mut rows: Vec<usize> = Vec::new();
        for value in Values::new(source, start, separator) {
            if value.begins_row {
                if rows.len() == SAMPLE {
                    break;
                }
                rows.push(0);
            }
            if let Some(row) = rows.last_mut() {
                *row += 1;
            }
        }
        let alike = |columns: usize| rows.iter().filter(|&&row| row == columns).count();
        let most = rows.iter().copied().max_by_key(|&columns| alike(columns))?;
        let titles = rows
            .iter()
            .take(MOST_TITLES)
            .take_while(|&&row| row < most)
            .count();
        (most > 1 && alike(most) > 1 && 3 * alike(most) > 2 * (rows.len() - titles)).then_some(most)
    };
    let fitting = SEPARATORS
        .into_iter()
        .rev()
        .filter_map(|s| Some((columns(s)?, s)));
    fitting
        .max_by_key(|&(columns, _)| columns)
        .map(|(_, separator)| separator)
}

/// A value. It may be empty.
struct Value {
    /// Where it stands, without quotation marks around it.
    text: Range<usize>,
    /// Whether it stands between quotation marks: two of them are one then.
    is_quoted: bool,
    begins_row: bool,
    /// Whether an empty line stands before it.
    is_apart: bool,
}

/// The values of a text, row by row.
struct Values<'a> {
    bytes: &'a [u8],
    at: usize,
    separator: u8,
    begins_row: bool,
}

impl<'a> Values<'a> {
    fn new(source: &'a str, at: usize, separator: u8) -> Self {
        Self {
            bytes: source.as_bytes(),
            at,
            separator,
            begins_row: true,
        }
    }

    /// Where the text between separators and line ends ends that begins here.
    fn end(&self, from: usize) -> usize {
        let ends = |&byte: &u8| byte == self.separator || byte == b'\n' || byte == b'\r';
        let rest = &self.bytes[from..];
        from + rest.iter().position(ends).unwrap_or(rest.len())
    }

    fn spaces(&self, from: usize) -> usize {
        self.bytes[from..]
            .iter()
            .take_while(|&&byte| byte == b' ')
            .count()
    }

    /// What stands between quotation marks that begin here, with nothing but spaces around them, and where the value ends. A
    /// mark that none closes is one like any other.
    fn quoted(&self) -> Option<(Range<usize>, usize)> {
        let start = self.at + self.spaces(self.at);
        let rest = self.bytes[start..].strip_prefix(b"\"")?;
        let mut marks = memchr::memchr_iter(b'"', rest).peekable();
        let close = loop {
            let mark = marks.next()?;
            if marks.next_if_eq(&(mark + 1)).is_none() {
                break start + 1 + mark;
            }
        };
        let end = close + 1 + self.spaces(close + 1);
        (self.end(end) == end).then_some((start + 1..close, end))
    }

    /// Whether empty lines stand here; what follows them is next.
    fn skip_line_ends(&mut self) -> bool {
        let line_ends = |&byte: &u8| byte == b'\n' || byte == b'\r';
        let rest = &self.bytes[self.at..];
        let ends = &rest[..rest.iter().take_while(|byte| line_ends(byte)).count()];
        self.at += ends.len();
        let of = |end: u8| ends.iter().filter(|&&byte| byte == end).count();
        of(b'\n').max(of(b'\r')) > 1
    }
}

impl Iterator for Values<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let is_apart = self.begins_row && self.skip_line_ends();
        if self.begins_row && self.at == self.bytes.len() {
            return None;
        }
        let quoted = self.quoted();
        let is_quoted = quoted.is_some();
        let (text, end) = quoted.unwrap_or_else(|| {
            let end = self.end(self.at);
            (self.at..end, end)
        });
        let value = Value {
            text,
            is_quoted,
            begins_row: self.begins_row,
            is_apart,
        };
        self.begins_row = self.bytes.get(end) != Some(&self.separator);
        self.at = end + usize::from(!self.begins_row);
        Some(value)
    }
}

fn write(blocks: &mut Blocks<'_>, source: &str, value: &Value) {
    let text = &source[value.text.clone()];
    if text.trim().is_empty() {
        return;
    }
    let mut from = value.text.start + text.len() - text.trim_start().len();
    let end = value.text.start + text.trim_end().len();
    blocks.begin(from);
    let written = from;
    if value.is_quoted {
        for (at, pair) in source[written..end].match_indices("\"\"") {
            blocks.builder.copy(from..written + at);
            from = written + at + pair.len();
            blocks.builder.replace(written + at..from, "\"");
        }
    }
    blocks.builder.copy(from..end);
}

#[cfg(test)]
mod tests {
    use super::super::{Document, Format};
    use super::*;

    /// Rows of cells, empty ones among them.
    fn rows(source: &str) -> Vec<Vec<String>> {
        let document = Document::new("t", source, Format::Csv).unwrap();
        let (mut rows, mut next) = (Vec::new(), 0);
        while next < document.blocks().len() {
            let row = document.row_at(next);
            let mut texts = vec![String::new(); row.width()];
            for (column, block) in row.columns.into_iter().zip(row.cells.clone()) {
                assert_eq!(document.blocks()[block].kind, BlockKind::TableCell);
                texts[column] = document.text()[document.blocks()[block].span.clone()].to_owned();
            }
            rows.push(texts);
            next = row.cells.end;
        }
        rows
    }

    #[test]
    fn values_are_cells() {
        assert_eq!(
            rows("Item,Budget\nDredging,400\n"),
            [["Item", "Budget"], ["Dredging", "400"]]
        );
        assert_eq!(rows("a;b\r\n\r\n1,5;2\r\n"), [["a", "b"], ["1,5", "2"]]);
        assert_eq!(rows("a\tb\rc d\te\r"), [["a", "b"], ["c d", "e"]]);
        assert_eq!(rows("\u{feff}sep=;\r\na;b\r\n,;2"), [["a", "b"], [",", "2"]]);
        assert_eq!(rows("Accounts\na,b\nc,d\ne,f\n")[2], ["c", "d"]);
        assert_eq!(
            rows("a,b,c\n1,,3\n,2,\n"),
            [vec!["a", "b", "c"], vec!["1", "", "3"], vec!["", "2"]]
        );
        let unseen = rows("\u{ad},b,c\n1,\u{ad},3\n\u{ad},\u{ad},4\n");
        assert_eq!(
            unseen,
            [vec!["", "b", "c"], vec!["1", "", "3"], vec!["", "", "4"]]
        );
    }

    #[test]
    fn quotation_marks_keep_separators_and_line_ends_within_a_value() {
        let source =
            "who,said\nBell,\"The \"\"new\"\" bridge,\nof steel.\"\n\" Quist \",\"\"\nLund,5\" pipe\n";
        let expected = [
            vec!["who", "said"],
            vec!["Bell", "The \"new\" bridge,\nof steel."],
            vec!["Quist"],
            vec!["Lund", "5\" pipe"],
        ];
        assert_eq!(rows(source), expected);
        let document = Document::new("t", source, Format::Csv).unwrap();
        let at = document.text().find("new\" bridge").unwrap();
        assert_eq!(
            &document.source()[document.source_span(&(at..at + 11))],
            "new\"\" bridge"
        );
    }

    #[test]
    fn a_separator_that_stands_in_names_and_numbers_is_none() {
        assert_eq!(
            rows("Lund, Karl\tChair\nBell, Otto\tClerk\n")[1],
            ["Bell, Otto", "Clerk"]
        );
        assert_eq!(
            rows("Item;Budget, kEUR\nDredging;1,5\nLights;2,5\n")[1],
            ["Dredging", "1,5"]
        );
        assert_eq!(
            rows("name,tags,city\nBell,a;b,Hull\nLund,c;d,Bath\n")[1],
            ["Bell", "a;b", "Hull"]
        );
    }

    #[test]
    fn spaces_around_quotation_marks_are_no_text() {
        assert_eq!(
            rows("role, \"name\" ,city\nchair, \"Bell, Otto\" , Hull\n")[1],
            ["chair", "Bell, Otto", "Hull"]
        );
    }

    #[test]
    fn an_empty_line_ends_a_table_where_headings_follow() {
        let sections = |source: &str| {
            let document = Document::new("t", source, Format::Csv).unwrap();
            document.blocks().last().unwrap().section
        };
        let table = "Item,Budget\nDredging,400\nLights,85\n";
        for gap in ["\n", "\r\n\r\n", ",\n", " , \n\n"] {
            assert_eq!(
                sections(&format!("{table}{gap}Name,Role\nBell,Chair\n")),
                1,
                "{gap:?}"
            );
            assert_eq!(sections(&format!("{table}{gap}Paint,12\n")), 0, "{gap:?}");
        }
        assert_eq!(sections(&table.replace('\n', "\r\n")), 0);
        assert_eq!(sections("Name,Role\nBell,Chair\n\nLund,Clerk\n"), 0);
    }

    #[test]
    fn a_mark_that_none_closes_is_a_mark() {
        assert_eq!(rows("a,b\n\"c,d\ne,f\n"), [["a", "b"], ["\"c", "d"], ["e", "f"]]);
        assert_eq!(rows("a,b\n\"c\"x,d\n"), [["a", "b"], ["\"c\"x", "d"]]);
    }

    #[test]
    fn what_is_no_table_is_read_as_text() {
        for source in [
            "Dear Ann,\n\nwe met, as agreed, on Monday.\nYours, Bo\n",
            "one line\n",
            "a,b\n",
        ] {
            assert!(layout(source).is_none(), "{source}");
            let text = Document::new("t", source, Format::Csv).unwrap();
            let plain = Document::new("t", source, Format::Plain).unwrap();
            assert_eq!(text.blocks(), plain.blocks());
        }
    }

    #[test]
    fn an_answer_has_its_row_with_headings() {
        let document = Document::new("t", "Item,Budget,Actual\nDredging,400,\"512\"\n", Format::Csv).unwrap();
        let at = document.text().find("512").unwrap();
        let row = document.shown_row(&(at..at + 3)).unwrap();
        assert_eq!(row, ["Item: Dredging", "Budget: 400", "Actual: 512"]);
    }
}
