//! Values separated by commas, semicolons, tabs or bars (RFC 4180, and what spreadsheets make of it), with the bytes of their file.

use std::ops::Range;

use super::blocks::Blocks;
use super::{BlockKind, Layout, byte_order_mark};

/// What may stand between values; of two that fit alike, the first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
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
    for value in Values::new(source, start, separator) {
        if value.begins_row {
            blocks.next_row();
        }
        blocks.next(BlockKind::TableCell);
        blocks.next_cell();
        write(&mut blocks, source, &value);
    }
    Some(blocks.into_layout())
}

/// The separator that a first line `sep=;` names, which Excel writes, and the length of that line.
fn told(source: &str) -> Option<(u8, usize)> {
    let line = source.lines().next()?;
    let &[separator] = line.strip_prefix("sep=")?.as_bytes() else {
        return None;
    };
    SEPARATORS.contains(&separator).then_some((separator, line.len()))
}

/// The character that separates the same number of values, two or more, in most of the first rows.
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
        (most > 1 && alike(most) > 1 && 3 * alike(most) > 2 * rows.len()).then(|| (alike(most), most))
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
    quoted: bool,
    begins_row: bool,
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

    /// Between quotation marks that begin here, and with nothing behind them. A mark that none closes is one like any other.
    fn quoted(&self) -> Option<Range<usize>> {
        let rest = self.bytes[self.at..].strip_prefix(b"\"")?;
        let mut marks = memchr::memchr_iter(b'"', rest).peekable();
        let close = loop {
            let mark = marks.next()?;
            if marks.next_if_eq(&(mark + 1)).is_none() {
                break self.at + 1 + mark;
            }
        };
        (self.end(close + 1) == close + 1).then_some(self.at + 1..close)
    }
}

impl Iterator for Values<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        if self.begins_row {
            let line_ends = |&byte: &u8| byte == b'\n' || byte == b'\r';
            let rest = &self.bytes[self.at..];
            self.at += rest.iter().take_while(|byte| line_ends(byte)).count();
            if self.at == self.bytes.len() {
                return None;
            }
        }
        let quoted = self.quoted();
        let text = quoted.clone().unwrap_or_else(|| self.at..self.end(self.at));
        let end = text.end + usize::from(quoted.is_some());
        let value = Value {
            text,
            quoted: quoted.is_some(),
            begins_row: self.begins_row,
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
    if value.quoted {
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

    /// Rows of cells, as answers are shown with them.
    fn rows(source: &str) -> Vec<Vec<String>> {
        let document = Document::new("t", source, Format::Csv).unwrap();
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut last = 0;
        for block in document.blocks() {
            assert_eq!(block.kind, BlockKind::TableCell);
            let between = &document.text()[last..block.span.start];
            if rows.is_empty() || between.contains('\n') {
                rows.push(Vec::new());
            }
            let row = rows.last_mut().unwrap();
            let text = document.text()[block.span.clone()].to_owned();
            let empty = between.matches('\t').count() - usize::from(!row.is_empty());
            row.extend(std::iter::repeat_n(String::new(), empty));
            row.push(text);
            last = block.span.end;
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
        assert_eq!(row, [("Item", "Dredging"), ("Budget", "400"), ("Actual", "512")]);
    }
}
