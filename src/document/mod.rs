//! Documents: clean text plus a map to the source, never clean text alone.

mod blocks;
mod clean;
mod csv;
mod docx;
mod epub;
mod extracted;
mod html;
mod introduction;
mod mail;
mod map;
mod markdown;
mod math;
mod numeral;
mod ods;
mod odt;
mod office;
mod omml;
mod package;
#[cfg(feature = "pdf")]
mod pdf;
mod plain;
mod pptx;
pub mod read;
#[cfg(feature = "pdf")]
mod rows;
mod rtf;
#[cfg(feature = "pdf")]
mod runs;
mod sentence;
mod setting;
mod sheets;
mod subtitles;
mod table;
mod xlsx;
mod xml;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};
pub(crate) use extracted::STRUCK;
use map::OffsetMap;
pub(crate) use plain::item_marker;
pub use sentence::sentences;
pub(crate) use sentence::{MONTHS, is_brand, month, stops};
pub(crate) use setting::{names_page, turn};
pub use table::TableCell;
pub(crate) use table::{Headed, LONGEST_HEADING, Table, is_value};

/// A half-open range of bytes of a document's clean text.
pub type Span = Range<usize>;

/// The formats of text that a document can be read from. Those of other files are known by their bytes ([`read`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Plain text: paragraphs are lines, or are separated by blank lines.
    Plain,
    /// Markdown (CommonMark with tables, footnotes, strikethrough and task lists).
    Markdown,
    /// Subtitles: SubRip or `WebVTT`.
    Subtitles,
    /// HTML or XHTML, as a browser saves it.
    Html,
    /// A table of values that are separated by commas, semicolons, tabs or bars.
    Csv,
}

/// What a stretch of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockKind {
    /// Running text.
    Paragraph,
    /// A heading.
    Heading,
    /// An item of a list.
    ListItem,
    /// A cell of a table.
    TableCell,
    /// Code, markup or metadata, quoted as it is.
    Verbatim,
}

/// A paragraph, heading, list item or the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it stands in the clean text, without white space around it; never empty.
    pub span: Span,
    /// What it is.
    pub kind: BlockKind,
    /// Blocks of one section follow each other without a blank line between them. An answer does not
    /// reach from one section into the next.
    pub section: u32,
    /// Whether markup says that it stands beside the text: navigation, a sidebar, a caption, the foot of a page, a banner,
    /// comments, or what is hidden until a program shows it.
    pub is_beside: bool,
    /// What markup says of it, if it is a cell.
    pub cell: CellMarkup,
}

/// What markup says of a cell of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellMarkup {
    /// Whether it heads others.
    pub is_header: bool,
    /// How many columns it reaches over; 1 where nothing says more.
    pub columns: u16,
    /// How many rows, likewise.
    pub rows: u16,
}

impl Default for CellMarkup {
    fn default() -> Self {
        Self {
            is_header: false,
            columns: 1,
            rows: 1,
        }
    }
}

impl Block {
    fn new(span: Span, kind: BlockKind, section: u32) -> Self {
        Self {
            span,
            kind,
            section,
            is_beside: false,
            cell: CellMarkup::default(),
        }
    }
}

/// A document: its clean text, its blocks, and the way back to its source.
///
/// ```
/// use quotable::{Document, Format};
///
/// let document = Document::new("note.txt", "The war.\u{c2}\r\nA second line.", Format::Plain)?;
/// assert_eq!(document.text(), "The war.\nA second line.");
/// let line = document.source_span(&(9..23));
/// assert_eq!(&document.source()[line.clone()], "A second line.");
/// assert_eq!(document.position(line.start).line, 2);
/// # Ok::<(), quotable::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    source: Arc<str>,
    /// `None` where the source is clean as it is.
    clean: Option<String>,
    map: OffsetMap,
    blocks: Vec<Block>,
    has_columns: bool,
    /// Where pages begin in the source, with their numbers, where form feeds do not tell.
    pages: Option<Vec<(usize, usize)>>,
    /// Where the cells of a spreadsheet stand.
    places: sheets::Places,
    left_out: Vec<(&'static str, usize)>,
    encoding: &'static encoding_rs::Encoding,
    undecoded: usize,
    lines: OnceLock<Lines>,
}

/// A place in a document's source, for people: all three count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line; lines end with a line feed, a carriage return, or both.
    pub line: usize,
    /// The column in characters (Unicode scalar values).
    pub column: usize,
    /// The page, in text whose pages are separated by form feeds (as `pdftotext` writes it), and where an office program has
    /// written where its pages end; of a presentation the slide.
    pub page: Option<usize>,
}

/// How far from a place its sentence is looked for, in bytes, where a block is very long.
const SENTENCE_REACH: usize = 32 << 10;

#[derive(Debug, Clone)]
struct Lines {
    starts: Vec<usize>,
    form_feeds: Vec<usize>,
}

impl Document {
    /// Makes a document of decoded text.
    ///
    /// # Errors
    /// [`Error::EmptyDocument`] when there is no text in it.
    pub fn new(name: impl Into<String>, source: impl Into<Arc<str>>, format: Format) -> Result<Self> {
        let name = name.into();
        let source = source.into();
        let layout = match format {
            Format::Plain => plain::layout(&source),
            Format::Markdown => markdown::layout(&source),
            Format::Html => html::layout(&source),
            Format::Csv => csv::layout(&source).unwrap_or_else(|| plain::layout(&source)),
            Format::Subtitles => match subtitles::layout(&source) {
                layout if layout.blocks.is_empty() => plain::layout(&source), // It only began like them.
                layout => layout,
            },
        };
        Self::of_layout(name, source, layout)
    }

    fn of_layout(name: String, source: impl Into<Arc<str>>, layout: Layout) -> Result<Self> {
        let source = source.into();
        if layout.blocks.is_empty() {
            return Err(Error::EmptyDocument { name });
        }
        // What is dropped at the very end leaves no edit behind.
        let is_clean = layout.map.is_identity() && layout.text.len() == source.len();
        let clean = (!is_clean).then_some(layout.text);
        Ok(Self {
            name,
            source,
            clean,
            map: layout.map,
            blocks: layout.blocks,
            has_columns: layout.has_columns,
            pages: None,
            places: sheets::Places::default(),
            left_out: Vec::new(),
            encoding: encoding_rs::UTF_8,
            undecoded: 0,
            lines: OnceLock::new(),
        })
    }

    /// What the document is called, usually its path.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text that is read: every answer is a slice of it.
    #[must_use]
    pub fn text(&self) -> &str {
        self.clean.as_deref().unwrap_or(&self.source)
    }

    /// The decoded source, before cleaning. Of a format that is not text (PDF, DOCX, EPUB, MIME and the like) it is the text that was taken out of
    /// the file, with a line for each paragraph and a tab between the cells of a row.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether plain text stands in two columns side by side, which are read across: nothing is quoted over both, but sentences
    /// are in pieces.
    #[must_use]
    pub fn has_columns(&self) -> bool {
        self.has_columns
    }

    /// The encoding that the file was read in, by the name of the WHATWG Encoding Standard. Bytes of [`source`](Self::source)
    /// are those of the file where it is `UTF-8`, which it also is where text was taken out of a format that is not text.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// How many bytes of the file are not in its encoding: in a file of UTF-8 they were read as windows-1252. Where there are
    /// any, bytes of [`source`](Self::source) are not those of the file.
    #[must_use]
    pub fn undecoded(&self) -> usize {
        self.undecoded
    }

    /// What the file holds and the text does not, each with how many there are: `("deleted passage", 2)`.
    #[must_use]
    pub fn left_out(&self) -> &[(&'static str, usize)] {
        &self.left_out
    }

    /// The blocks in the order of the text.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The bytes of [`source`](Self::source) that a non-empty span of the text was made of.
    ///
    /// # Panics
    /// When the span is empty, in builds with debug assertions. In others, and for a span that is not one of the text, the
    /// result is no span of the source.
    #[must_use]
    pub fn source_span(&self, span: &Span) -> Span {
        self.map.to_source(span.clone())
    }

    /// Line, column and page of a byte of the source.
    ///
    /// # Panics
    /// When the byte lies behind the end or within a character.
    #[must_use]
    pub fn position(&self, source_byte: usize) -> Position {
        let lines = self.lines();
        let line = lines.starts.partition_point(|&start| start <= source_byte);
        let start = lines.starts[line - 1];
        Position {
            line,
            column: self.source[start..source_byte]
                .trim_start_matches('\u{FEFF}')
                .chars()
                .count()
                + 1,
            page: match &self.pages {
                Some(pages) => pages[..pages.partition_point(|&(start, _)| start <= source_byte)]
                    .last()
                    .map(|&(_, page)| page),
                None => (!lines.form_feeds.is_empty())
                    .then(|| lines.form_feeds.partition_point(|&at| at < source_byte) + 1),
            },
        }
    }

    /// The cells of a spreadsheet that a non-empty range of the source stands in, as formulas name them: `Costs!B7`,
    /// `'Q3 2024'!B7:D7`. Nothing in documents of other kinds, and where it is the name of a sheet.
    #[must_use]
    pub fn cells(&self, source: &Range<usize>) -> Option<String> {
        self.places.name(source)
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines {
            starts: std::iter::once(0)
                .chain(
                    memchr::memchr2_iter(b'\n', b'\r', self.source.as_bytes())
                        .map(|i| i + 1)
                        .filter(|&i| {
                            !self.source[..i].ends_with('\r') || !self.source[i..].starts_with('\n')
                        }),
                )
                .collect(),
            form_feeds: memchr::memchr_iter(0x0C, self.source.as_bytes()).collect(),
        })
    }

    /// The block that a byte of the text belongs to, or the last before it.
    #[must_use]
    pub fn block_at(&self, byte: usize) -> &Block {
        &self.blocks[self.block_index(byte)]
    }

    pub(crate) fn block_index(&self, byte: usize) -> usize {
        let after = self.blocks.partition_point(|block| block.span.start <= byte);
        after.saturating_sub(1)
    }

    /// The sentences of all blocks in the order of the text, each with the index of its block.
    pub fn sentences(&self) -> impl Iterator<Item = (usize, Span)> + '_ {
        self.blocks.iter().enumerate().flat_map(|(index, block)| {
            let base = block.span.start;
            sentences(&self.text()[block.span.clone()])
                .into_iter()
                .map(move |s| (index, s.start + base..s.end + base))
        })
    }

    /// The sentence around a span, or the sentences where it reaches over several.
    #[must_use]
    pub fn sentence_around(&self, span: &Span) -> Span {
        let start = self.sentence_at(span.start).start;
        let end = self.sentence_at(span.end.saturating_sub(1)).end;
        start.min(span.start)..end.max(span.end)
    }

    /// The block around a span, or the blocks where it reaches over several.
    #[must_use]
    pub fn paragraph_around(&self, span: &Span) -> Span {
        let start = self.block_at(span.start).span.start;
        let end = self.block_at(span.end.saturating_sub(1)).span.end;
        start.min(span.start)..end.max(span.end)
    }

    fn sentence_at(&self, byte: usize) -> Span {
        let text = self.text();
        let mut block = self.block_at(byte).span.clone();
        if block.len() > 2 * SENTENCE_REACH {
            // A block without end is looked at around the place only.
            block.start = text.ceil_char_boundary(block.start.max(byte.saturating_sub(SENTENCE_REACH)));
            block.end = text.floor_char_boundary(block.end.min(byte + SENTENCE_REACH));
        }
        sentences(&text[block.clone()])
            .into_iter()
            .map(|s| s.start + block.start..s.end + block.start)
            .find(|s| byte < s.end)
            .unwrap_or(block)
    }
}

/// Counts what is not read.
fn leave_out(left_out: &mut Vec<(&'static str, usize)>, what: &'static str, count: usize) {
    match left_out.iter_mut().find(|(known, _)| *known == what) {
        _ if count == 0 => {}
        Some((_, known)) => *known += count,
        None => left_out.push((what, count)),
    }
}

/// What a format makes of a source.
struct Layout {
    text: String,
    map: OffsetMap,
    blocks: Vec<Block>,
    has_columns: bool,
}

/// The length of the mark of byte order that some programs write at the beginning of a file.
fn byte_order_mark(source: &str) -> usize {
    source.len() - source.trim_start_matches('\u{FEFF}').len()
}

/// Builds the clean text and its map, piece by piece, in the order of the source.
struct Builder<'a> {
    source: &'a str,
    text: String,
    map: OffsetMap,
    /// How far the source has been taken over.
    taken: usize,
}

impl<'a> Builder<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            source,
            text: String::with_capacity(source.len()),
            map: OffsetMap::default(),
            taken: 0,
        }
    }

    /// Takes over a stretch of the source, cleaned. What lies between it and the stretch before is dropped.
    fn copy(&mut self, range: Range<usize>) {
        self.skip_to(range.start);
        let mut from = range.start;
        clean::edits(&self.source[range.clone()], |start, end, with| {
            let (start, end) = (range.start + start, range.start + end);
            self.text.push_str(&self.source[from..start]);
            let clean_start = self.text.len();
            self.text.extend(with);
            self.map.push(clean_start..self.text.len(), start..end);
            from = end;
        });
        self.text.push_str(&self.source[from..range.end]);
        self.taken = range.end;
    }

    /// Reads a stretch of the source as something else.
    fn replace(&mut self, range: Range<usize>, with: &str) {
        self.skip_to(range.start);
        let start = self.text.len();
        self.text.push_str(with);
        self.map.push(start..self.text.len(), range.clone());
        self.taken = range.end;
    }

    /// Puts in something for the source between what was taken over and `until`.
    fn separate(&mut self, until: usize, with: &str) {
        let from = self.taken;
        self.replace(from..until.max(from), with);
    }

    fn skip_to(&mut self, start: usize) {
        if start > self.taken {
            self.map.push(self.text.len()..self.text.len(), self.taken..start);
        }
        self.taken = start;
    }
}

#[cfg(test)]
impl Document {
    /// [`table_row`](Self::table_row) in words: "Budget: 400".
    fn shown_row(&self, span: &Span) -> Option<Vec<String>> {
        let text = self.text();
        let shown = |cell: TableCell| {
            let heading = cell.heading(text).map(|heading| heading + ": ");
            heading.unwrap_or_default() + &text[cell.span]
        };
        Some(self.table_row(span)?.into_iter().map(shown).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cell_is_found_with_its_row_and_headings() {
        let source = "# Accounts\n\n| Item | Budget | Actual |\n|---|---:|---:|\n| Dredging | 400 | 512 |\n| Salaries | | 84 |\n\nEnd.\n";
        let document = Document::new("t", source, Format::Markdown).unwrap();
        let text = document.text();
        let row = |from: &str, to: &str| {
            let span = text.find(from).unwrap()..text.find(to).unwrap() + to.len();
            document.shown_row(&span).map(|row| row.join(" | "))
        };
        let dredging = Some("Item: Dredging | Budget: 400 | Actual: 512");
        assert_eq!(row("400", "400").as_deref(), dredging);
        assert_eq!(row("Dredging", "512").as_deref(), dredging);
        assert_eq!(row("84", "84").as_deref(), Some("Item: Salaries | Actual: 84"));
        assert_eq!(row("Budget", "Budget").as_deref(), Some("Item | Budget | Actual"));
        assert_eq!(row("512", "Salaries"), None);
        let pairs = Document::new("t", "Founded,1987\nEmployees,124\nHead,Bell\n", Format::Csv).unwrap();
        let years = Document::new("t", "Item,1987\nDredging,124\nLights,85\n", Format::Csv).unwrap();
        assert_eq!(
            years.shown_row(&(19..22)).unwrap(),
            ["Item: Dredging", "1987: 124"]
        );
        let data = Document::new("t", "Hull,410,12\nYork,95,7\n", Format::Csv).unwrap();
        assert_eq!(pairs.shown_row(&(15..18)).unwrap(), ["Employees", "124"]);
        assert_eq!(data.shown_row(&(13..17)).unwrap(), ["York", "95", "7"]);
        assert_eq!(row("End", "End"), None);
    }

    #[test]
    fn a_row_comes_with_the_name_of_its_part_of_the_table() {
        let rows_of = |source: &str, of: &[&str]| {
            let document = Document::new("t", source, Format::Csv).unwrap();
            let row = |of: &&str| {
                let at = document.text().find(of).unwrap();
                document.shown_row(&(at..at + 1)).unwrap().remove(0)
            };
            of.iter().map(row).collect::<Vec<_>>()
        };
        let source = "In millions,2024,2023\nCurrent assets:,,\nNet cash,28,29\nMarketable [Items],,\nTrade,7,8\nTotal current assets,35,37\nOther,3,4\nLevel 1,,\nProceeds from issuance of,,\nCommon stock,1,2\n2022,,\nQuay,5,6\n,81,82\nHut,5,6\n(a) Restated.,,\nPier,9,9\n";
        assert_eq!(
            rows_of(
                source,
                &[
                    "Net cash", "Trade", "Total", "Other", "Common", "Quay", "81", "Hut", "Pier", "Level"
                ]
            ),
            [
                "Current assets:",
                "Current assets:",
                "In millions: Total current assets",
                "In millions: Other",
                "Level 1",
                "2022",
                "2024: 81",
                "In millions: Hut",
                "In millions: Pier",
                "In millions: Level 1",
            ]
        );
        // A name without anything beside it is none of a part.
        let people = "Name,Phone,Email\nAnn,1,a@x\nBob Lund,,\nDan,2,d@x\nGUESTS,,\nEve,3,e@x\nWalk-ins:,,\nSelf,4,s@x\n";
        assert_eq!(
            rows_of(people, &["Dan", "Eve", "Self"]),
            ["Name: Dan", "GUESTS", "Walk-ins:"]
        );
        assert_eq!(
            rows_of("Phone,555\nFax,\nEmail,ann@x.org\n", &["Email"]),
            ["Email"]
        );
        let titled = Document::new("t", "Accounts,,\nCash,28,29\nDebts,1,2\n", Format::Csv).unwrap();
        assert_eq!(titled.shown_row(&(10..12)).unwrap()[0], "Cash");
    }

    #[test]
    fn a_unit_and_a_period_above_the_headings_are_none() {
        let table = "In millions,,,2023\n,Sales,Profit,Tax\nZone NA,12553,2713,337\nZone EUR,9467,1570,414\n";
        let document = Document::new("t", table, Format::Csv).unwrap();
        let at = document.text().find("414").unwrap();
        assert_eq!(
            document.shown_row(&(at..at + 3)).unwrap(),
            ["Zone EUR", "Sales: 9467", "Profit: 1570", "Tax: 414"]
        );
    }

    #[test]
    fn positions_count_lines_columns_and_pages() {
        let document = Document::new("t", "é one\ntwo\u{c}three", Format::Plain).unwrap();
        let at = |needle: &str| document.position(document.source().find(needle).unwrap());
        assert_eq!(
            at("one"),
            Position {
                line: 1,
                column: 3,
                page: Some(1)
            }
        );
        assert_eq!(
            at("two"),
            Position {
                line: 2,
                column: 1,
                page: Some(1)
            }
        );
        assert_eq!(
            at("three"),
            Position {
                line: 2,
                column: 5,
                page: Some(2)
            }
        );
    }

    #[test]
    fn lines_of_every_system_are_counted() {
        let document = Document::new("t", "\u{feff}a\rb\r\nc", Format::Plain).unwrap();
        let at = |needle| document.position(document.source().find(needle).unwrap());
        assert_eq!((at("a").line, at("a").column), (1, 1));
        assert_eq!((at("b").line, at("c").line), (2, 3));
    }

    #[test]
    fn a_document_without_words_is_an_error() {
        for empty in ["", " \r\n\t", "\u{feff}", "\u{a0}"] {
            assert!(matches!(
                Document::new("t", empty, Format::Plain),
                Err(Error::EmptyDocument { .. })
            ));
        }
        assert!(Document::new("t", "# \n\n***\n", Format::Markdown).is_err());
    }

    proptest! {
        /// Promise 2: whatever the source, every span of the text leads back to source bytes that clean
        /// to that span again.
        #[test]
        fn spans_lead_back_to_the_source(
            source in "(?s)([a-z .\r\n\u{a0}\u{ad}*#`_\\[\\]()-]|<v Bob>|<i>|&nbsp;|\u{200b}|[{]\\\\an8[}]|\u{8}|\u{1b}[\\[]m|â€œ|â€™|Â|Ã©|\u{c}|[\u{80}-\u{ff}]|</?(p|td|tr|table|li|ul|s|sup|pre|code|svg)>|<br>|&#?[a-z0-9]{1,6};?|.){0,80}",
            format in prop::sample::select(&[Format::Plain, Format::Markdown, Format::Subtitles, Format::Html, Format::Csv][..]),
            a: prop::sample::Index, b: prop::sample::Index,
        ) {
            let source = if format == Format::Subtitles { format!("1\n00:00:01,000 --> 00:00:02,000\n{source}") } else { source };
            let Ok(document) = Document::new("t", source.as_str(), format) else { return Ok(()) };
            let text = document.text();
            let bounds: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let (a, b) = (bounds[a.index(bounds.len())], bounds[b.index(bounds.len())]);
            prop_assume!(a != b);
            let span = a.min(b)..a.max(b);
            let source = document.source_span(&span);
            prop_assert!(document.source().get(source.clone()).is_some(), "{span:?} -> {source:?}");
            prop_assert!(source.start <= source.end);
            // Every character of the span that the source also holds is found in order.
            for (i, c) in text[span.clone()].char_indices() {
                let one = span.start + i..span.start + i + c.len_utf8();
                let from = document.source_span(&one);
                prop_assert!(source.start <= from.start && from.end <= source.end);
                if !matches!(format, Format::Markdown | Format::Html) && c.is_ascii_alphanumeric() {
                    prop_assert_eq!(&document.source()[from], c.to_string());
                }
            }
            prop_assert!(document.position(source.start).line >= 1);
            let sentence = document.sentence_around(&span);
            prop_assert!(sentence.start <= span.start && span.end <= sentence.end);
            prop_assert!(text.get(sentence).is_some());
        }

        /// Promise 3: every visible character of the text belongs to exactly one block.
        #[test]
        fn blocks_cover_the_text(source in "(?s)([a-z .,\"\n#*>|`-]|\r\n|\u{a0}|.|00:01[.]000 --> 00:02[.]000\n|<v Bob>|</?(i|p|td|tr|table|li|ul|s|pre|svg)>|&nbsp;|\u{200b}|[{]\\\\an8[}]){0,120}", format in prop::sample::select(&[Format::Plain, Format::Markdown, Format::Subtitles, Format::Html, Format::Csv][..])) {
            let Ok(document) = Document::new("t", source.as_str(), format) else { return Ok(()) };
            let mut end = 0;
            for block in document.blocks() {
                prop_assert!(document.text()[end..block.span.start].trim().is_empty());
                prop_assert!(!document.text()[block.span.clone()].trim().is_empty());
                end = block.span.end;
            }
            prop_assert!(document.text()[end..].trim().is_empty());
        }
    }
}
