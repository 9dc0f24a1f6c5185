//! PDF: paragraphs, headings, lists and tables, as `pdfboss` finds them on the pages.
//!
//! What one page or column leaves unfinished goes on in the next; words that were broken at the end of a line are whole again;
//! what stands at the head or foot of pages is read once, at the end, and so are the notes that would stand in a sentence.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use pdfboss_core as core;
use pdfboss_output::{
    Block, Cell, LayoutOptions, Line, PageLayout, ReadingOrder, Role, SkippedTextKind, TextOptions,
};

use super::extracted::Extracted;
use super::{BlockKind, Document, names_page, plain, sentence};
use crate::error::{Error, Result};

/// A file may list millions of pages in a few bytes each.
const MOST_PAGES: usize = 20_000;
/// What the pages say may be packed a thousand times smaller, and one stream may be named by all of them.
const MOST_CONTENT: usize = 1 << 30;
/// The same, of one page.
const MOST_CONTENT_OF_A_PAGE: usize = 128 << 20;
/// Notes are set in type smaller than this, of the body's.
const NOTE_SIZE: f32 = 0.93;
/// A last line of this share of its paragraph's width is no end of it, where text is not justified.
const FULL_LINE: f32 = 0.8;

/// Reads a PDF. `file` is its name in a command that a message suggests.
pub(super) fn document(name: String, bytes: &[u8], max_bytes: u64, file: &str) -> Result<Document> {
    let damaged = |reason: String| Error::DamagedDocument {
        name: name.clone(),
        reason,
    };
    // Its panics are bugs that a file has found, and no reason to stop for the others.
    let read = catch_unwind(AssertUnwindSafe(|| pages(bytes)));
    let read = match read {
        Ok(Ok(read)) => read,
        Ok(Err(Fault::Locked)) => return Err(Error::LockedDocument { name }),
        Ok(Err(Fault::Damaged(reason))) => return Err(damaged(reason)),
        Err(_) => return Err(damaged("its pages cannot be laid out".to_owned())),
    };
    let words: usize = read
        .pages
        .iter()
        .flat_map(lines)
        .map(|line| text_of(line).len())
        .sum();
    if words == 0 {
        return Err(Error::NeedsConverter {
            name,
            format: "a PDF of pictures without text (a scan)",
            converter: format!("ocrmypdf {file} with-text.pdf"),
        });
    }
    if words as u64 > max_bytes {
        return Err(Error::DocumentTooLarge {
            name,
            limit_mib: max_bytes.div_ceil(1 << 20),
        });
    }
    let mut writer = Writer::new(&read.pages);
    for page in &read.pages {
        writer.page(page);
    }
    let mut extracted = writer.end();
    for (what, count) in read.left_out {
        (0..count).for_each(|_| extracted.leave_out(what));
    }
    extracted.document(name)
}

enum Fault {
    Locked,
    Damaged(String),
}

impl From<core::Error> for Fault {
    fn from(error: core::Error) -> Self {
        match error {
            core::Error::Encrypted => Self::Locked,
            error => Self::Damaged(crate::harmless::one_line(&error.to_string())),
        }
    }
}

struct Read {
    pages: Vec<PageLayout>,
    left_out: Vec<(&'static str, usize)>,
}

fn pages(bytes: &[u8]) -> std::result::Result<Read, Fault> {
    // Many are protected against changes only, and open without a password.
    let document = core::Document::load(bytes.to_vec())?;
    let count = document.flattened_page_count();
    if count == 0 {
        return Err(Fault::Damaged("no page is found in it".to_owned()));
    }
    if count > MOST_PAGES {
        return Err(Fault::Damaged(format!(
            "it has {count} pages, {MOST_PAGES} is the limit"
        )));
    }
    check_content(&document, count)?;
    let (pages, reports) = pdfboss_output::extract_layout_reporting_opts(
        &document,
        ReadingOrder::Content,
        TextOptions::default(),
        &LayoutOptions::default(),
    )?;
    let skipped = |is: fn(&SkippedTextKind) -> bool| {
        let all = reports.iter().flat_map(|report| &report.skipped);
        all.filter(|skipped| is(&skipped.kind)).count()
    };
    let broken = skipped(|kind| matches!(kind, SkippedTextKind::PageContents));
    if broken == count {
        return Err(Fault::Damaged("none of its pages can be read".to_owned()));
    }
    let empty = pages.iter().filter(|page| page.blocks.is_empty()).count();
    let filled = |field: &core::form::FormField| matches!(&field.value, Some(core::Object::String(value)) if !value.is_empty());
    let left_out = [
        ("unreadable page", broken),
        ("blank or scanned page", empty.saturating_sub(broken)),
        (
            "unreadable part",
            skipped(|kind| matches!(kind, SkippedTextKind::Form)),
        ),
        (
            "form field",
            document
                .form_fields()
                .iter()
                .filter(|field| filled(field))
                .count(),
        ),
        ("attached file", document.embedded_files().len()),
    ];
    Ok(Read {
        pages,
        left_out: left_out.into(),
    })
}

/// Looks at how much the pages draw before it is kept in memory, page by page.
fn check_content(document: &core::Document, count: usize) -> std::result::Result<(), Fault> {
    let too_much = || Fault::Damaged("what its pages draw is too much to read".to_owned());
    let mut known: HashMap<core::ObjRef, usize> = HashMap::new();
    let mut total = 0;
    for index in 0..count {
        let Ok(page) = document.page(index) else { continue };
        let content = page
            .dict()
            .get("Contents")
            .map(|content| document.resolve(content));
        let (Some(Ok(content)), Some(own)) = (content, page.dict().get("Contents")) else {
            continue;
        };
        let streams = content
            .as_array()
            .map_or(std::slice::from_ref(own), |streams| streams);
        let mut of_page = 0;
        for stream in streams {
            let length = |object: &core::Object| {
                let object = document.resolve(object).ok()?;
                document
                    .stream_data(object.as_stream()?)
                    .ok()
                    .map(|data| data.len())
            };
            of_page += match stream.as_ref() {
                Some(reference) => *known
                    .entry(reference)
                    .or_insert_with(|| length(stream).unwrap_or_default()),
                None => length(stream).unwrap_or_default(),
            };
            if of_page > MOST_CONTENT_OF_A_PAGE {
                return Err(too_much());
            }
        }
        total += of_page;
        if total > MOST_CONTENT {
            return Err(too_much());
        }
    }
    Ok(())
}

/// The lines of a paragraph or a heading.
fn block_lines(block: &Block) -> &[Line] {
    match block {
        Block::Heading { lines, .. } | Block::Paragraph { lines, .. } => lines,
        _ => &[],
    }
}

/// All lines of a page.
fn lines(page: &PageLayout) -> impl Iterator<Item = &Line> {
    page.blocks
        .iter()
        .flat_map(|block| -> Box<dyn Iterator<Item = &Line>> {
            match block {
                Block::Heading { .. } | Block::Paragraph { .. } => Box::new(block_lines(block).iter()),
                Block::List { items, .. } => Box::new(items.iter().flat_map(|item| &item.lines)),
                Block::Table { rows, .. } => {
                    Box::new(rows.iter().flatten().filter_map(|cell| cell.line.as_ref()))
                }
            }
        })
}

/// The text of a line. Ligatures are letters, and each sign of a broken word is the one that is on keyboards.
fn text_of(line: &Line) -> String {
    let mut text = String::new();
    for c in line.inlines.iter().flat_map(|inline| inline.text.chars()) {
        match c {
            '\u{FB00}' => text.push_str("ff"),
            '\u{FB01}' => text.push_str("fi"),
            '\u{FB02}' => text.push_str("fl"),
            '\u{FB03}' => text.push_str("ffi"),
            '\u{FB04}' => text.push_str("ffl"),
            '\u{FB05}' | '\u{FB06}' => text.push_str("st"),
            c => text.push(c),
        }
    }
    let words = text.trim();
    match words.strip_suffix(['\u{AD}', '\u{2010}']) {
        Some(word) => format!("{word}-"),
        None => words.to_owned(),
    }
}

/// The words of a document, to know how one is written that a line breaks.
struct Words(HashSet<String>);

impl Words {
    fn of(pages: &[PageLayout]) -> Self {
        let mut words = HashSet::new();
        for line in pages.iter().flat_map(lines) {
            let text = text_of(line);
            words.extend(text.split_whitespace().map(bare).filter(|word| !word.is_empty()));
        }
        Self(words)
    }

    /// Adds a line to text. A word that is broken between them is written as elsewhere in the document, or without a hyphen.
    fn join(&self, text: &mut String, line: &str) {
        if plain::is_hyphenated(text, line) {
            let before = text.rsplit(char::is_whitespace).next().unwrap_or_default();
            let behind = line.split(char::is_whitespace).next().unwrap_or_default();
            let compound = bare(&format!("{before}{behind}"));
            let word = bare(&format!("{}{behind}", before.trim_end_matches('-')));
            if self.0.contains(&word) || !self.0.contains(&compound) {
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
        !sentence::stops(&self.text) && !self.text.ends_with(':')
    }

    /// Whether a paragraph is the rest of this one: it begins in lower case, or it is one of several lines in the next column
    /// or page, and this one breaks off.
    fn goes_on_with(&self, next: &str, lines: &[Line], page: usize, is_small: bool) -> bool {
        let is_above = lines
            .first()
            .is_some_and(|line| page > self.end.0 || line.y > self.end.1);
        let goes_on = next.starts_with(char::is_lowercase)
            || (lines.len() > 1 && is_above && self.breaks_off() && plain::item_marker(next) == 0);
        goes_on && self.is_small == is_small && self.is_unfinished()
    }

    fn breaks_off(&self) -> bool {
        self.is_full && self.is_unfinished()
    }
}

struct Writer {
    extracted: Extracted,
    words: Words,
    /// The size of most letters.
    body: f32,
    flow: Option<Flow>,
    /// What stands at the head or foot of several pages, without their numbers, and whether it has been read.
    margins: HashMap<String, bool>,
    lists: u32,
    is_first: bool,
}

/// How many blocks at each end of a page may belong to its margin.
const MARGIN: usize = 2;

/// The lines of a page that may be running heads or feet.
fn marginal(page: &PageLayout) -> impl Iterator<Item = String> {
    let ends = page.blocks.iter().rev().take(MARGIN);
    let first = page
        .blocks
        .iter()
        .take(MARGIN)
        .filter_map(|block| block_lines(block).first());
    let last = ends.filter_map(|block| block_lines(block).last());
    first.chain(last).map(|line| without_page_number(&text_of(line)))
}

/// A running head without the number that stands before or behind it.
fn without_page_number(head: &str) -> String {
    let is_number = |c: char| c.is_numeric() || c.is_whitespace() || "|-–—·".contains(c);
    head.trim_matches(is_number).to_owned()
}

impl Writer {
    fn new(pages: &[PageLayout]) -> Self {
        let mut sizes: HashMap<u32, usize> = HashMap::new();
        for line in pages.iter().flat_map(lines) {
            // In tenths of a point.
            *sizes.entry((line.size * 10.0).round() as u32).or_default() += text_of(line).len();
        }
        let most = sizes.into_iter().max_by_key(|&(size, letters)| (letters, size));
        let mut heads: HashMap<String, usize> = HashMap::new();
        for page in pages {
            let of_page: HashSet<String> = marginal(page).collect();
            of_page
                .into_iter()
                .for_each(|head| *heads.entry(head).or_default() += 1);
        }
        let repeated = heads.into_iter().filter(|&(_, pages)| pages > 1);
        Self {
            extracted: Extracted::with_pages(),
            words: Words::of(pages),
            body: most.map_or(0.0, |(size, _)| size as f32 / 10.0),
            flow: None,
            margins: repeated.map(|(head, _)| (head, false)).collect(),
            lists: 0,
            is_first: true,
        }
    }

    fn page(&mut self, page: &PageLayout) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.extracted.next_page();
        }
        for (index, block) in page.blocks.iter().enumerate() {
            let (is_first, is_last) = (index < MARGIN, index + MARGIN >= page.blocks.len());
            let mut lines = block_lines(block);
            while let [head, rest @ ..] = lines
                && is_first
                && self.is_margin(head)
            {
                self.margin(&lines[..1]);
                lines = rest;
            }
            while let [rest @ .., foot] = lines
                && is_last
                && self.is_margin(foot)
            {
                self.margin(std::slice::from_ref(foot));
                lines = rest;
            }
            match block {
                Block::Paragraph {
                    role: Role::PageHeader | Role::PageFooter,
                    ..
                } => self.margin(lines),
                Block::Paragraph { .. } => self.paragraph(lines),
                Block::Heading { .. } => {
                    let text = self.joined(lines);
                    let may_be_margin = (is_first || is_last) && lines.len() == 1;
                    // No section begins within a sentence.
                    if may_be_margin && self.flow.as_ref().is_some_and(Flow::breaks_off) {
                        self.note(&text);
                    } else if !text.is_empty() {
                        self.close();
                        self.write(&text, BlockKind::Heading);
                    }
                }
                Block::List { items, .. } => {
                    self.close();
                    self.lists += 1;
                    for item in items {
                        let text = self.joined(&item.lines);
                        self.write(&text, BlockKind::ListItem);
                    }
                }
                Block::Table { rows, .. } => self.table(rows),
            }
        }
    }

    fn end(mut self) -> Extracted {
        self.close();
        self.extracted
    }

    fn joined(&self, lines: &[Line]) -> String {
        let mut text = String::new();
        lines
            .iter()
            .for_each(|line| self.words.join(&mut text, &text_of(line)));
        text
    }

    fn paragraph(&mut self, lines: &[Line]) {
        let text = self.joined(lines);
        let Some(last) = lines.last().filter(|_| !text.is_empty()) else {
            return;
        };
        let is_small = lines.iter().all(|line| line.size < NOTE_SIZE * self.body);
        let right = lines.iter().map(|line| line.end_x).fold(f32::MIN, f32::max);
        let left = lines.iter().map(|line| line.x).fold(f32::MAX, f32::min);
        let is_full = lines.len() > 1 && last.end_x - left >= FULL_LINE * (right - left);
        let end = (self.extracted.page(), last.y);
        if let Some(flow) = &mut self.flow {
            if flow.goes_on_with(&text, lines, end.0, is_small) {
                self.words.join(&mut flow.text, &text);
                flow.is_full = is_full;
                flow.end = end;
                return self.write_on();
            }
            if is_small && !flow.is_small && flow.breaks_off() {
                return self.note(&text);
            }
        }
        self.close();
        self.extracted.open_paragraph();
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

    /// Writes something at the end.
    fn note(&mut self, text: &str) {
        self.extracted.open_note();
        self.write(text, BlockKind::Paragraph);
        self.extracted.close();
    }

    fn is_margin(&self, line: &Line) -> bool {
        let text = text_of(line);
        names_page(&text) || self.margins.contains_key(&without_page_number(&text))
    }

    /// Writes what stands at the head or foot of a page, once.
    fn margin(&mut self, lines: &[Line]) {
        let text = self.joined(lines);
        let head = without_page_number(&text);
        let was_read = self.margins.insert(head.clone(), true).unwrap_or_default();
        if !was_read && !head.is_empty() && !names_page(&text) {
            self.note(&text);
        }
    }

    fn table(&mut self, rows: &[Vec<Cell>]) {
        let is_within = self.flow.as_ref().is_some_and(Flow::breaks_off);
        if is_within {
            self.extracted.open_aside();
        } else {
            self.close();
        }
        self.extracted.open_table();
        for row in rows {
            self.extracted.open_row();
            for cell in row {
                self.extracted.open_cell();
                if let Some(line) = &cell.line {
                    self.write(&text_of(line), BlockKind::TableCell);
                }
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

#[cfg(test)]
mod tests {
    use pdfboss_output::Inline;
    use proptest::prelude::*;

    use super::*;
    use crate::document::read;

    /// A PDF with these lines on its pages: across, up, size, words.
    fn pdf(pages: &[&[(u32, u32, u32, &str)]]) -> Vec<u8> {
        let contents = pages.iter().map(|lines| {
            let lines = lines.iter().map(|(x, y, size, words)| {
                let words = words.replace('(', "\\(").replace(')', "\\)");
                format!("BT /F {size} Tf {x} {y} Td ({words}) Tj ET\n")
            });
            lines.collect::<String>()
        });
        of_contents(contents.collect(), |page| format!("{} 0 R", 2 * page + 5))
    }

    /// A PDF whose pages are drawn like this; `named` says how a page names its contents.
    fn of_contents(contents: Vec<String>, named: impl Fn(usize) -> String) -> Vec<u8> {
        let kids: String = (0..contents.len())
            .map(|page| format!("{} 0 R ", 2 * page + 4))
            .collect();
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", contents.len()),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        ];
        for (page, content) in contents.iter().enumerate() {
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} /Resources << /Font << /F 3 0 R >> >> >>",
                named(page)
            ));
            objects.push(format!(
                "<< /Length {} >>\nstream\n{content}endstream",
                content.len()
            ));
        }
        let (mut file, mut places) = ("%PDF-1.4\n".to_owned(), String::new());
        for (number, object) in objects.iter().enumerate() {
            places += &format!("{:010} 00000 n \n", file.len());
            file += &format!("{} 0 obj\n{object}\nendobj\n", number + 1);
        }
        let size = objects.len() + 1;
        let table = file.len();
        file += &format!(
            "xref\n0 {size}\n0000000000 65535 f \n{places}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"
        );
        file.into_bytes()
    }

    const LEASE: &[&[(u32, u32, u32, &str)]] = &[
        &[
            (72, 800, 9, "Lease of Harbour House"),
            (72, 760, 16, "1 Term"),
            (
                72,
                730,
                11,
                "The lease of Harbour House in Elbing is agreed by Otto Lund, who",
            ),
            (
                72,
                716,
                11,
                "owns it, and by Ines Berg. It begins in May 2026, and the agree-",
            ),
            (
                72,
                702,
                11,
                "ment may be ended by either side at any time after the second",
            ),
            (72, 60, 9, "Page 1 of 2"),
        ],
        &[
            (72, 800, 9, "Lease of Harbour House"),
            (
                72,
                760,
                11,
                "Christmas that follows it. The rent is paid in a long-",
            ),
            (
                72,
                746,
                11,
                "term account. This agreement is a long-term one, they say.",
            ),
            (72, 60, 9, "Page 2 of 2"),
        ],
    ];

    #[test]
    fn what_a_page_leaves_unfinished_goes_on_in_the_next() {
        let document = read::document("lease".into(), &pdf(LEASE), None).unwrap();
        let seen: Vec<_> = document
            .blocks()
            .iter()
            .map(|b| (b.kind, &document.text()[b.span.clone()]))
            .collect();
        assert_eq!(
            seen,
            [
                (BlockKind::Heading, "1 Term"),
                (
                    BlockKind::Paragraph,
                    "The lease of Harbour House in Elbing is agreed by Otto Lund, who owns it, and by Ines Berg. It begins in May 2026, \
                     and the agreement may be ended by either side at any time after the second Christmas that follows it. The rent is \
                     paid in a long-term account. This agreement is a long-term one, they say."
                ),
                (BlockKind::Paragraph, "Lease of Harbour House"),
            ]
        );
        let page = |words: &str| {
            let at = document.source().find(words).unwrap();
            document.position(at).page
        };
        assert_eq!(
            (page("Otto"), page("second"), page("Christmas")),
            (Some(1), Some(1), Some(2))
        );
        assert_eq!(page("Lease of"), Some(1));
        assert!(document.left_out().iter().all(|&(_, count)| count == 0));
    }

    #[test]
    fn a_scan_is_said_to_be_one_and_its_pages_are_counted() {
        let error =
            read::document("scan.pdf".into(), &pdf(&[&[], &[]]), Some("my scan.pdf".as_ref())).unwrap_err();
        assert!(error.to_string().contains("ocrmypdf 'my scan.pdf'"), "{error}");
        let half = read::document(
            "t".into(),
            &pdf(&[&[], &[(72, 700, 11, "The dam broke.")], &[]]),
            None,
        )
        .unwrap();
        assert_eq!(half.text(), "The dam broke.");
        assert_eq!(half.left_out(), [("blank or scanned page", 2)]);
        assert_eq!(half.position(0).page, Some(2));
    }

    #[test]
    fn a_file_that_is_cut_off_or_draws_without_end_is_an_error() {
        let whole = pdf(LEASE);
        assert!(matches!(
            read::document("t".into(), &whole[..20], None),
            Err(Error::DamagedDocument { .. })
        ));
        let content = " ".repeat(1 << 20);
        let often = of_contents(vec![content], |_| format!("[{}]", "5 0 R ".repeat(200)));
        let error = read::document("t".into(), &often, None).unwrap_err();
        assert!(error.to_string().contains("too much to read"), "{error}");
        let options = read::ReadOptions {
            max_bytes: 200,
            no_ignore: false,
        };
        assert!(read::read_stream(&whole[..], "t", &options).is_err());
    }

    #[test]
    fn ligatures_are_letters_and_signs_of_a_broken_word_hyphens() {
        let line = |text: &str| Line {
            inlines: vec![Inline {
                text: text.to_owned(),
                bold: false,
                italic: false,
                code: false,
            }],
            y: 0.0,
            x: 0.0,
            end_x: 0.0,
            size: 9.0,
        };
        assert_eq!(
            text_of(&line(" the o\u{FB03}ce \u{FB02}oor ")),
            "the office floor"
        );
        assert_eq!(text_of(&line("the agree\u{AD}")), "the agree-");
        assert_eq!(text_of(&line("the agree\u{2010}")), "the agree-");
    }

    proptest! {
        #[test]
        fn nothing_that_is_broken_panics(
            at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), cut: prop::sample::Index, is_cut: bool,
        ) {
            let mut bytes = pdf(LEASE);
            for (index, byte) in &at {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
            if is_cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            // Not caught here: the crate's own panics would show.
            let _ = pages(&bytes);
            let _ = read::document("t".into(), &bytes, None);
        }
    }
}
