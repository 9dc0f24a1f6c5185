//! RTF (Rich Text Format 1.9.1): the text of its paragraphs, lists and tables.
//!
//! A file is a stream of control words between groups; what a word sets holds to the end of its group. Of groups whose
//! destination is not text (fonts, pictures, properties, instructions of fields) nothing is read.

use std::collections::HashSet;

use encoding_rs::{Encoding, WINDOWS_1252};

use super::extracted::{Extracted, Setting};
use super::{BlockKind, Document};
use crate::error::{Error, Result};

const DEEPEST: usize = 10_000;

pub(super) fn begins_like(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.trim_ascii_start().starts_with(b"{\\rtf")
}

/// Reads an RTF file.
pub(super) fn document(name: String, bytes: &[u8]) -> Result<Document> {
    let mut walk = Walk {
        extracted: Extracted::default(),
        groups: Vec::new(),
        group: Group {
            fallback: 1,
            ..Group::default()
        },
        paragraph: Properties::default(),
        encoding: WINDOWS_1252,
        bytes: Vec::new(),
        high: None,
        to_skip: 0,
        is_ignorable: false,
        table: Table::None,
        is_open: false,
        asides: 0,
        mark: String::new(),
        around: None,
        edges: HashSet::new(),
    };
    let mut rest = bytes;
    while let Some((token, behind)) = token(rest) {
        rest = behind;
        if let Token::Word("bin", Some(length)) = token {
            let length = usize::try_from(length).unwrap_or(0);
            let Some(behind) = rest.get(length..) else {
                return Err(Error::DamagedDocument {
                    name,
                    reason: "it ends within a picture".to_owned(),
                });
            };
            rest = behind;
            continue;
        }
        walk.token(token);
        if walk.groups.len() > DEEPEST {
            return Err(Error::DamagedDocument {
                name,
                reason: format!("its groups are nested deeper than {DEEPEST}"),
            });
        }
    }
    walk.flush();
    if walk.around.is_some() {
        walk.end_edge();
    }
    walk.end_table();
    walk.extracted.document(name)
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    /// A control word with its number.
    Word(&'a str, Option<i32>),
    /// A control symbol.
    Symbol(u8),
    /// A byte in the file's encoding.
    Byte(u8),
    /// Plain text.
    Text(&'a [u8]),
}

/// The next token, and what stands behind it.
fn token(bytes: &[u8]) -> Option<(Token<'_>, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    Some(match first {
        b'{' => (Token::Open, rest),
        b'}' => (Token::Close, rest),
        b'\\' => control(rest)?,
        _ => {
            let end = memchr::memchr3(b'{', b'}', b'\\', bytes).unwrap_or(bytes.len());
            (Token::Text(&bytes[..end]), &bytes[end..])
        }
    })
}

fn control(bytes: &[u8]) -> Option<(Token<'_>, &[u8])> {
    let letters = bytes.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    if letters == 0 {
        let (&symbol, rest) = bytes.split_first()?;
        let hex = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        return Some(match byte {
            Some(byte) if symbol == b'\'' => (Token::Byte(byte), &rest[2..]),
            _ => (Token::Symbol(symbol), rest),
        });
    }
    let (word, rest) = bytes.split_at(letters);
    let sign = usize::from(rest.first() == Some(&b'-'));
    let digits = rest[sign..].iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = rest.split_at(if digits > 0 { sign + digits } else { 0 });
    let number = std::str::from_utf8(number).ok()?.parse().ok();
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    Some((Token::Word(std::str::from_utf8(word).ok()?, number), rest))
}

/// What holds to the end of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    is_skipped: bool,
    is_hidden: bool,
    is_deleted: bool,
    setting: Setting,
    /// How many characters behind a `\u` stand for it in programs that do not know it.
    fallback: usize,
    /// What has to be done at its end.
    kind: Kind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Plain,
    /// The number or bullet of an item.
    Mark,
    /// A note or a text box.
    Aside {
        /// Whether a paragraph was open around it.
        is_within: bool,
    },
    /// The head or foot of pages.
    Edge { is_within: bool },
}

/// What holds for paragraphs until it is reset.
#[derive(Debug, Clone, Copy, Default)]
struct Properties {
    is_heading: bool,
    list: u32,
    is_in_table: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    None,
    /// Between its rows.
    Between,
    /// In a row, between its cells.
    Row,
    /// In a cell.
    Cell,
}

struct Walk {
    extracted: Extracted,
    groups: Vec<Group>,
    group: Group,
    paragraph: Properties,
    encoding: &'static Encoding,
    /// Text that has not been decoded yet.
    bytes: Vec<u8>,
    /// The first half of a character of two units.
    high: Option<u16>,
    /// What is left of the characters that stand for a `\u`.
    to_skip: usize,
    /// `\*`: a destination that is not known is to be skipped.
    is_ignorable: bool,
    table: Table,
    /// A paragraph is open.
    is_open: bool,
    /// How many notes and text boxes the place is in; they have no tables here.
    asides: usize,
    /// What stands before the next item.
    mark: String,
    /// What was read before the head or foot that is being read, and what such have said.
    around: Option<Extracted>,
    edges: HashSet<String>,
}

impl Walk {
    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Open => {
                self.flush();
                self.to_skip = 0;
                self.groups.push(self.group);
                self.group.kind = Kind::Plain;
            }
            Token::Close => {
                self.flush();
                self.to_skip = 0;
                self.end_group();
            }
            Token::Word(word, number) => {
                let is_ignorable = std::mem::take(&mut self.is_ignorable);
                self.flush();
                if self.to_skip > 0 {
                    self.to_skip -= 1;
                } else {
                    self.word(word, number, is_ignorable);
                }
            }
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Byte(_) if self.to_skip > 0 => self.to_skip -= 1,
            Token::Byte(byte) => self.bytes.push(byte),
            Token::Text(text) => {
                for &byte in text {
                    match byte {
                        b'\r' | b'\n' | 0 => {}
                        _ if self.to_skip > 0 => self.to_skip -= 1,
                        _ => self.bytes.push(byte),
                    }
                }
            }
        }
    }

    fn symbol(&mut self, symbol: u8) {
        self.flush();
        match symbol {
            b'*' => self.is_ignorable = true,
            _ if self.to_skip > 0 => self.to_skip -= 1,
            b'~' => self.text("\u{A0}"),
            b'_' => self.text("-"),
            b'\r' | b'\n' => self.end_paragraph(),
            b'\\' | b'{' | b'}' => self.bytes.push(symbol),
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>, is_ignorable: bool) {
        let is_on = number != Some(0);
        let is_plain = self.group.kind == Kind::Plain;
        match word {
            "u" => {
                let unit = number.unwrap_or_default() as u16;
                self.unit(unit);
                self.to_skip = self.group.fallback;
            }
            "uc" => self.group.fallback = number.and_then(|n| n.try_into().ok()).unwrap_or(1),
            "ansicpg" => {
                let label = match number {
                    Some(932) => "shift_jis".to_owned(),
                    Some(936) => "gbk".to_owned(),
                    Some(949) => "euc-kr".to_owned(),
                    Some(950) => "big5".to_owned(),
                    Some(65001) => "utf-8".to_owned(),
                    number => format!("windows-{}", number.unwrap_or(1252)),
                };
                self.encoding = Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1252);
            }
            "mac" => self.encoding = encoding_rs::MACINTOSH,
            "par" | "sect" | "page" | "nestrow" => self.end_paragraph(),
            "line" => {
                self.begin_paragraph();
                self.extracted.line_break();
            }
            "tab" | "nestcell" => self.tab(),
            "cell" => self.end_cell(),
            "row" => self.end_row(),
            "pard" => self.paragraph = Properties::default(),
            "outlinelevel" => self.paragraph.is_heading = number.is_some_and(|level| level < 9),
            "ls" => self.paragraph.list = number.and_then(|n| n.try_into().ok()).unwrap_or(0),
            "intbl" => self.paragraph.is_in_table = is_on,
            "plain" => {
                self.group.setting = Setting::default();
                self.group.is_hidden = false;
            }
            "v" => self.group.is_hidden = is_on,
            "deleted" => self.group.is_deleted = is_on,
            "strike" | "striked" => self.group.setting.is_struck = is_on,
            "super" => self.group.setting.is_raised = is_on,
            "nosupersub" | "sub" => self.group.setting.is_raised = false,
            "emdash" => self.text("—"),
            "endash" => self.text("–"),
            "lquote" => self.text("‘"),
            "rquote" => self.text("’"),
            "ldblquote" => self.text("“"),
            "rdblquote" => self.text("”"),
            "bullet" => self.text("•"),
            "emspace" | "enspace" | "qmspace" => self.text(" "),
            "listtext" | "pntext" if is_plain => self.group.kind = Kind::Mark,
            "footnote" | "shptxt" if is_plain && !self.group.is_skipped => {
                self.open_aside(word == "footnote")
            }
            _ if EDGES.contains(&word) => {
                if !is_plain || self.group.is_skipped || self.asides > 0 {
                    self.group.is_skipped = true;
                    return;
                }
                let is_within = std::mem::take(&mut self.is_open);
                self.group.kind = Kind::Edge { is_within };
                self.asides += 1;
                self.around = Some(std::mem::take(&mut self.extracted));
            }
            "shpinst" | "shprslt" => {}
            "annotation" => {
                if !self.group.is_skipped {
                    self.extracted.leave_out("comment");
                }
                self.group.is_skipped = true;
            }
            _ if is_ignorable || NOT_TEXT.contains(&word) => self.group.is_skipped = true,
            _ => {}
        }
    }

    /// A unit of UTF-16; the two of a pair come one behind the other.
    fn unit(&mut self, unit: u16) {
        let Some(decoded) = char::decode_utf16([unit]).next() else {
            return;
        };
        match decoded {
            Ok(c) => self.text(c.encode_utf8(&mut [0; 4])),
            Err(_) if (0xD800..0xDC00).contains(&unit) => self.high = Some(unit),
            Err(_) => {
                let pair = self
                    .high
                    .take()
                    .map(|high| char::decode_utf16([high, unit]).next());
                if let Some(Some(Ok(c))) = pair {
                    self.text(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    fn end_group(&mut self) {
        match std::mem::take(&mut self.group.kind) {
            Kind::Aside { is_within } => {
                self.end_paragraph();
                self.extracted.close();
                self.asides -= 1;
                self.is_open = is_within;
            }
            Kind::Edge { is_within } => {
                self.end_edge();
                self.asides -= 1;
                self.is_open = is_within;
            }
            Kind::Plain | Kind::Mark => {}
        }
        if let Some(around) = self.groups.pop() {
            self.group = around;
        }
    }

    /// Ends the head or foot of pages, which each section repeats.
    fn end_edge(&mut self) {
        self.end_paragraph();
        if let Some(around) = self.around.take() {
            let edge = std::mem::replace(&mut self.extracted, around);
            self.extracted.add_beside(edge, &mut self.edges);
        }
    }

    fn open_aside(&mut self, is_note: bool) {
        self.group.kind = Kind::Aside {
            is_within: std::mem::take(&mut self.is_open),
        };
        self.asides += 1;
        if is_note {
            self.extracted.open_note();
        } else {
            self.extracted.open_aside();
        }
    }

    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let text = self.encoding.decode_without_bom_handling(&bytes).0;
            self.text(&text);
        }
    }

    fn text(&mut self, text: &str) {
        let group = self.group;
        if group.is_skipped {
            return;
        }
        if self.group.kind == Kind::Mark {
            self.mark.push_str(text);
            return;
        }
        if (group.is_deleted || group.is_hidden) && !text.trim().is_empty() {
            let what = if group.is_deleted {
                "deleted passage"
            } else {
                "hidden passage"
            };
            return self.extracted.leave_out_passage(what);
        }
        self.begin_paragraph();
        self.extracted.set_text(text, group.setting);
    }

    fn tab(&mut self) {
        if !self.group.is_skipped && self.group.kind != Kind::Mark {
            self.begin_paragraph();
            self.extracted.tab();
        }
    }

    fn begin_paragraph(&mut self) {
        if self.is_open || self.group.is_skipped {
            return;
        }
        if self.asides == 0 {
            if self.paragraph.is_in_table {
                self.begin_cell();
            } else {
                self.end_table();
            }
        }
        self.extracted.open_paragraph();
        let kind = match self.paragraph {
            Properties { is_heading: true, .. } => BlockKind::Heading,
            Properties { list: 1.., .. } => BlockKind::ListItem,
            _ => BlockKind::Paragraph,
        };
        self.extracted.set_kind(kind, self.paragraph.list);
        self.extracted
            .set_mark(std::mem::take(&mut self.mark).trim().to_owned());
        self.is_open = true;
    }

    fn end_paragraph(&mut self) {
        if !self.group.is_skipped && std::mem::take(&mut self.is_open) {
            self.extracted.close();
        }
    }

    fn begin_cell(&mut self) {
        if self.table == Table::None {
            self.extracted.open_table();
            self.table = Table::Between;
        }
        if self.table == Table::Between {
            self.extracted.open_row();
            self.table = Table::Row;
        }
        if self.table == Table::Row {
            self.extracted.open_cell();
            self.table = Table::Cell;
        }
    }

    fn end_cell(&mut self) {
        self.end_paragraph();
        if !self.group.is_skipped && self.asides == 0 {
            self.begin_cell();
            self.extracted.close();
            self.table = Table::Row;
        }
    }

    fn end_row(&mut self) {
        self.end_paragraph();
        if self.group.is_skipped || self.asides > 0 {
            return;
        }
        if self.table == Table::Cell {
            self.extracted.close();
            self.table = Table::Row;
        }
        if self.table == Table::Row {
            self.extracted.close();
            self.table = Table::Between;
        }
    }

    fn end_table(&mut self) {
        self.end_row();
        if self.table == Table::Between {
            self.extracted.close();
            self.table = Table::None;
        }
    }
}

/// What stands at the head and foot of pages.
const EDGES: [&str; 8] = [
    "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf",
];

/// Destinations that are known to all programs and hold no text of the page.
const NOT_TEXT: [&str; 17] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "fldinst",
    "filetbl",
    "listtable",
    "listoverridetable",
    "revtbl",
    "rsidtbl",
    "themedata",
    "sp",
    "xe",
    "tc",
    "nonshppict",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::document::read::document;
    use crate::document::{BlockKind, Document};

    fn rtf(body: &str) -> Document {
        let file = format!(
            "{{\\rtf1\\ansi\\ansicpg1252{{\\fonttbl{{\\f0 Times;}}}}{{\\*\\generator Word;}}\n{body}}}"
        );
        document("a.rtf".into(), file.as_bytes(), None).unwrap()
    }

    #[test]
    fn characters_are_read_in_every_way_they_are_written() {
        for (written, read) in [
            (r"caf\'e9 \'93no\'94 \u8364? 5\~km", "café “no” € 5 km"),
            (r"{\uc2 \u269\'63\'63x}\u-10179?\u-8704?", "čx😀"),
            (
                r"a\{b\}\\c \emdash  d\_e\-f \ldblquote g\rdblquote",
                "a{b}\\c — d-ef “g”",
            ),
            ("one \n\rtwo\\line three", "one two\nthree"),
            (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt see here}}", "see here"),
            (r"{\pict 00ff}{\*\unknown x}seen", "seen"),
            (r"\bin4 {{{{seen", "seen"),
        ] {
            assert_eq!(rtf(written).text(), read, "{written}");
        }
    }

    #[test]
    fn paragraphs_items_headings_and_rows_are_told_apart() {
        let document = rtf(
            r"\pard\outlinelevel0 Minutes\par \pard We met.\par \pard\ls1{\listtext 1.\tab}Otto\par {\listtext 2.\tab}Ines\par
\pard\trowd\intbl Item\cell Cost\cell\row\trowd\intbl Pier\cell 512\cell\row\pard It rose{\footnote\pard A note.} twice.{\shp{\*\shpinst{\sp{\sn a}{\sv 1}}{\shptxt A box.\par}}}\par",
        );
        let seen: Vec<_> = document
            .blocks()
            .iter()
            .map(|b| (b.kind, &document.text()[b.span.clone()]))
            .collect();
        assert_eq!(
            seen,
            [
                (BlockKind::Heading, "Minutes"),
                (BlockKind::Paragraph, "We met."),
                (BlockKind::ListItem, "1. Otto"),
                (BlockKind::ListItem, "2. Ines"),
                (BlockKind::TableCell, "Item"),
                (BlockKind::TableCell, "Cost"),
                (BlockKind::TableCell, "Pier"),
                (BlockKind::TableCell, "512"),
                (BlockKind::Paragraph, "It rose twice."),
                (BlockKind::Paragraph, "A box."),
                (BlockKind::Paragraph, "A note."),
            ]
        );
        let at = document.text().find("512").unwrap();
        assert_eq!(document.table_row(&(at..at + 3)).unwrap().len(), 2);
    }

    #[test]
    fn what_is_struck_deleted_or_hidden_is_no_text() {
        let document =
            rtf(r"It is {\strike 900} 400{\deleted  or 5}{\v  not}.{\*\annotation Sure?} 10{\super 6}.");
        assert_eq!(document.text(), "It is ~~900~~ 400. 10⁶.");
        assert_eq!(
            document.left_out(),
            [("deleted passage", 1), ("hidden passage", 1), ("comment", 1)]
        );
    }

    #[test]
    fn groups_that_end_too_often_or_not_at_all_are_no_fault() {
        for (written, read) in [
            (r"{\footnote a}}}}b", "b\n\na"),
            (r"{\footnote{\footnote a", "a"),
            (r"{\listtext{\shptxt 1.", "1."),
        ] {
            let file = format!("{{\\rtf1 {written}");
            let found = document("a".into(), file.as_bytes(), None);
            assert_eq!(
                found.map_or(String::new(), |d| d.text().to_owned()),
                read,
                "{written}"
            );
        }
    }

    #[test]
    fn depth_has_a_limit() {
        let deep = format!("{{\\rtf1 {}x", "{".repeat(100_000));
        let error = document("a".into(), deep.as_bytes(), None).unwrap_err();
        assert!(error.to_string().contains("nested deeper"), "{error}");
    }

    #[test]
    fn heads_of_pages_are_read_once_at_the_end_and_what_is_cut_off_is_damaged() {
        let document = rtf(
            r"{\headerl\pard Contract 4711\par}{\footer Page {\field{\*\fldinst PAGE}{\fldrslt 3}}}The bridge is open.\par{\headerr Contract 4711\par}It rained.\par",
        );
        assert_eq!(
            document.text(),
            "The bridge is open.\n\nIt rained.\n\nContract 4711"
        );
        assert!(document.blocks()[2].is_beside);
        let cut = crate::document::read::document(
            "t".into(),
            br"{\rtf1 {\pict\bin99999999 abc}The dam.\par}",
            None,
        );
        assert!(cut.unwrap_err().to_string().contains("within a picture"));
    }

    proptest! {
        #[test]
        fn nothing_panics(body in r"([{}]|\\\\(par|cell|row|intbl|pard|footnote|shptxt|listtext|u[0-9-]{1,6}|uc[0-9]|bin[0-9]{1,3}|v|strike|'[0-9a-f]{2}|[*~_])|[a-z é]){0,60}") {
            let _ = document("t".into(), format!("{{\\rtf1 {body}").as_bytes(), None);
        }
    }
}
