//! PDF: the lines of the pages in the order of reading, as `pdfboss` finds them; `rows` makes paragraphs of them.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use pdfboss_core as core;
use pdfboss_output::{
    Block, ExtractReport, FontCache, LayoutOptions, Line, PageLayout, ReadingOrder, Role, SkippedTextKind,
};

use super::rows::{self, Piece, Row};
use super::setting::names_page;
use super::{Document, runs};
use crate::error::{Error, Result};

/// A file may list millions of pages in a few bytes each.
const MOST_PAGES: usize = 20_000;
/// What the pages say may be packed a thousand times smaller, and one stream may be named by all of them.
const MOST_CONTENT: usize = 1 << 30;
/// The same, of one page.
const MOST_CONTENT_OF_A_PAGE: usize = 128 << 20;
/// Pieces of text that a page draws; laying them out takes the square of it.
const MOST_PIECES_OF_A_PAGE: usize = 60_000;

/// A page most of whose letters are not known.
const GARBLED: &str = "garbled page";

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
    let letters: usize = read.pages.iter().flatten().map(Row::len).sum();
    if letters == 0 {
        let is_garbled = read.left_out.iter().any(|&(what, _)| what == GARBLED);
        let (format, force) = match is_garbled {
            true => (
                "a PDF whose fonts do not say which letters they draw",
                "--force-ocr ",
            ),
            false => ("a PDF of pictures without text (a scan)", ""),
        };
        return Err(Error::NeedsConverter {
            name,
            format,
            converter: format!("ocrmypdf {force}{file} with-text.pdf"),
        });
    }
    if letters as u64 > max_bytes {
        return Err(Error::too_large(&name, max_bytes));
    }
    let mut document = rows::extracted(&read.pages).document(name)?;
    document.left_out = read.left_out;
    Ok(document)
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
    pages: Vec<Vec<Row>>,
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
    let (pages, reports) = laid_out(&document)?;
    let skipped = |is: fn(&SkippedTextKind) -> bool| {
        let all = reports.iter().flat_map(|report| &report.skipped);
        all.filter(|skipped| is(&skipped.kind)).count()
    };
    let broken = skipped(|kind| matches!(kind, SkippedTextKind::PageContents));
    if broken == count {
        return Err(Fault::Damaged("none of its pages can be read".to_owned()));
    }
    let empty = pages.iter().filter(|page| page.blocks.is_empty()).count();
    let mut rows: Vec<Vec<Row>> = pages.iter().map(rows_of).collect();
    put_back(&mut rows);
    let (mut garbled, mut unknown) = (0, 0);
    for page in &mut rows {
        let (letters, of_page) = known_letters(page);
        if of_page > letters {
            garbled += 1;
            page.clear();
        } else {
            unknown += of_page;
        }
    }
    let filled = |field: &core::form::FormField| matches!(&field.value, Some(core::Object::String(value)) if !value.is_empty());
    let left_out = [
        ("unreadable page", broken),
        ("blank or scanned page", empty.saturating_sub(broken)),
        (GARBLED, garbled),
        ("unreadable character", unknown),
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
        pages: rows,
        left_out: left_out.into_iter().filter(|&(_, count)| count > 0).collect(),
    })
}

/// The pages as they are laid out, and what could not be read of each.
fn laid_out(document: &core::Document) -> core::Result<(Vec<PageLayout>, Vec<ExtractReport>)> {
    const ORDER: ReadingOrder = ReadingOrder::Content;
    let (fonts, layers) = (FontCache::default(), document.oc_state());
    let pages = core::map_pages(document, |document, page| {
        let (mut spans, mut rulings, report) =
            core::source::block_on(pdfboss_text::extract_spans_and_rulings_reporting_cached_with(
                core::Immediate(document),
                page,
                &fonts,
                layers.as_ref(),
                None,
                ORDER,
            ))?;
        pdfboss_output::retain_spans_on_page(&mut spans, page);
        pdfboss_output::retain_rulings_on_page(&mut rulings, page);
        runs::prepare(&mut spans);
        Ok(((spans, rulings, report.order), report))
    });
    let (pages, reports): (Vec<_>, Vec<_>) = pages
        .into_iter()
        .collect::<core::Result<Vec<_>>>()?
        .into_iter()
        .unzip();
    let pages = pdfboss_output::document_layout_opts(&pages, &LayoutOptions::default());
    Ok((pages, reports))
}

/// Looks at how much the pages draw before it is kept in memory, page by page.
fn check_content(document: &core::Document, count: usize) -> std::result::Result<(), Fault> {
    let too_much = || Fault::Damaged("what its pages draw is too much to read".to_owned());
    let mut known: HashMap<core::ObjRef, Drawn> = HashMap::new();
    let mut total = 0;
    for index in 0..count {
        let Ok(page) = document.page(index) else { continue };
        let Some(own) = page.dict().get("Contents") else {
            continue;
        };
        let Ok(content) = document.resolve(own) else {
            continue;
        };
        let streams = content.as_array().unwrap_or(std::slice::from_ref(own));
        let (mut of_page, mut pieces) = (0, 0);
        for stream in streams {
            let drawn = |object: &core::Object| {
                let object = document.resolve(object).ok()?;
                document
                    .stream_data(object.as_stream()?)
                    .ok()
                    .map(|data| Drawn::of(&data))
            };
            let drawn = match stream.as_ref() {
                Some(reference) => *known
                    .entry(reference)
                    .or_insert_with(|| drawn(stream).unwrap_or_default()),
                None => drawn(stream).unwrap_or_default(),
            };
            of_page += drawn.bytes;
            pieces += drawn.pieces;
            if of_page > MOST_CONTENT_OF_A_PAGE || pieces > MOST_PIECES_OF_A_PAGE {
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

/// What a stream draws.
#[derive(Clone, Copy, Default)]
struct Drawn {
    bytes: usize,
    /// Of text: how often one of the operators `Tj` and `TJ` stands there.
    pieces: usize,
}

impl Drawn {
    fn of(content: &[u8]) -> Self {
        let count = |operator| memchr::memmem::find_iter(content, operator).count();
        Self {
            bytes: content.len(),
            pieces: count("Tj") + count("TJ"),
        }
    }
}

/// The rows of a page in the order of reading.
fn rows_of(page: &PageLayout) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, block) in page.blocks.iter().enumerate() {
        match block {
            Block::Heading { lines, .. } => rows.extend(lines.iter().map(|line| Row {
                is_heading: true,
                ..row(line)
            })),
            Block::Paragraph { lines, role, .. } => rows.extend(lines.iter().map(|line| Row {
                is_margin: matches!(role, Role::PageHeader | Role::PageFooter),
                ..row(line)
            })),
            Block::List { items, .. } => {
                let lines = items.iter().flat_map(|item| (0..).zip(&item.lines));
                rows.extend(lines.map(|(number, line)| Row {
                    is_item: number == 0,
                    ..row(line)
                }));
            }
            Block::Table { rows: all, .. } => rows.extend(all.iter().filter_map(|cells| {
                let cells = (0..).zip(cells);
                let cells = cells.filter_map(|(column, cell)| Some((column, cell.line.as_ref()?)));
                let cells: Vec<(usize, &Line)> = cells.collect();
                let (_, first) = cells.first()?;
                Some(Row {
                    size: cells.iter().map(|(_, line)| line.size).fold(0.0, f32::max),
                    table: Some(index),
                    pieces: cells.iter().map(|&(column, line)| piece(line, column)).collect(),
                    ..row(first)
                })
            })),
        }
    }
    rows.retain(|row| row.len() > 0);
    rows
}

/// Puts back into the text what is said to be a running head, stands on no other page, and between lines of the text: some programs say so
/// of headings.
fn put_back(pages: &mut [Vec<Row>]) {
    let shape = |row: &Row| row.text().replace(|c: char| c.is_numeric(), "");
    let mut on_pages: HashMap<String, usize> = HashMap::new();
    for page in pages.iter() {
        let shapes: HashSet<String> = page.iter().filter(|row| row.is_margin).map(shape).collect();
        for shape in shapes {
            *on_pages.entry(shape).or_default() += 1;
        }
    }
    for page in pages {
        let is_alone = |row: &Row| {
            let has_words = row
                .text()
                .split_whitespace()
                .any(|word| word.contains(char::is_alphabetic));
            row.is_margin && has_words && !names_page(&row.text()) && on_pages[&shape(row)] == 1
        };
        let (alone, mut rest): (Vec<Row>, Vec<Row>) = std::mem::take(page).into_iter().partition(is_alone);
        for row in alone {
            let is_above = rest.iter().any(|other| !other.is_margin && other.y > row.y);
            let below = rest.iter().position(|other| !other.is_margin && other.y < row.y);
            let (at, is_margin) = match below.filter(|_| is_above) {
                Some(at) => (at, false),
                None => (0, true), // Sections have names, too.
            };
            rest.insert(at, Row { is_margin, ..row });
        }
        *page = rest;
    }
}

/// How many letters and signs of a page are known, and how many are not: their font does not say what it draws.
fn known_letters(page: &[Row]) -> (usize, usize) {
    let pieces = page.iter().flat_map(|row| &row.pieces);
    let visible = pieces
        .flat_map(|piece| piece.text.chars())
        .filter(|c| !c.is_whitespace());
    visible.fold((0, 0), |(known, unknown), c| match c {
        char::REPLACEMENT_CHARACTER => (known, unknown + 1),
        _ => (known + 1, unknown),
    })
}

fn row(line: &Line) -> Row {
    Row {
        y: line.y,
        size: line.size,
        is_heading: false,
        is_item: false,
        is_margin: false,
        table: None,
        pieces: vec![piece(line, 0)],
    }
}

fn piece(line: &Line, column: usize) -> Piece {
    Piece {
        x: line.x,
        end_x: line.end_x,
        column,
        text: text_of(line),
    }
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

#[cfg(test)]
mod tests {
    use pdfboss_output::Inline;
    use proptest::prelude::*;

    use super::*;
    use crate::document::{BlockKind, read};

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

    #[test]
    fn a_heading_that_is_said_to_be_a_running_head_stays_where_it_stands() {
        let said = |y: u32, words: &str| {
            format!("/Artifact <</Type /Pagination>> BDC BT /F 11 Tf 72 {y} Td ({words}) Tj ET EMC\n")
        };
        let drawn = |y: u32, words: &str| format!("BT /F 11 Tf 72 {y} Td ({words}) Tj ET\n");
        let page = |number: u32, first: &str, heading: &str, text: &str| {
            let running = said(800, "Harbour Board") + &said(40, &format!("Page {number} of 2"));
            drawn(700, first) + &running + &said(600, heading) + &drawn(560, text)
        };
        let contents = vec![
            page(
                1,
                "The board met on Monday in Elbing.",
                "Item 2 Costs",
                "It will cost 4 million euros in all.",
            ),
            page(
                2,
                "Its chair took the floor.",
                "Signature",
                "It is signed by Ada Quist in May.",
            ),
        ];
        let file = of_contents(contents, |page| format!("{} 0 R", 2 * page + 5));
        let document = read::document("t.pdf".into(), &file, None).unwrap();
        let text = document.text();
        let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
        assert!(
            place("Elbing.") < place("Item 2 Costs") && place("Item 2 Costs") < place("4 million"),
            "{text}"
        );
        assert!(
            place("4 million") < place("Signature") && place("Signature") < place("Ada Quist"),
            "{text}"
        );
        assert!(place("Ada Quist") < place("Harbour Board"), "{text}");
        assert_eq!(text.matches("Harbour Board").count(), 1);
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
    fn marks_of_notes_are_left_out_and_exponents_are_raised() {
        // Each mark stands where Helvetica's letters end.
        let lines: &[(u32, u32, u32, &str)] = &[
            (72, 700, 10, "It is 85."),
            (105, 704, 6, "2"),
            (72, 686, 10, "They are women."),
            (149, 690, 6, "2,3 "),
            (158, 686, 10, "About 10"),
            (197, 690, 6, "6"),
            (202, 686, 10, "live on 12 km"),
            (262, 690, 6, "2"),
            // A mark of two spans, an isotope, a fraction.
            (72, 672, 10, "It was agreed."),
            (135, 676, 6, "6"),
            (139, 676, 6, ",7"),
            (145, 672, 10, " The "),
            (168, 676, 6, "14"),
            (175, 672, 10, "C isotope, (V)"),
            (237, 676, 6, "1"),
            (241, 676, 6, "/3"),
            // A sign of its own, as TeX draws it, and one with its figure.
            (72, 658, 10, "Its mass is 9"),
            (128, 662, 6, "-"),
            (130, 662, 6, "31"),
            (136, 658, 10, " kg at 5 m s"),
            (188, 662, 6, "-1"),
        ];
        let document = read::document("t".into(), &pdf(&[lines]), None).unwrap();
        assert_eq!(
            document.text(),
            "It is 85. They are women. About 10⁶ live on 12 km² It was agreed. The 14C isotope, (V)1/3 \
             Its mass is 9⁻³¹ kg at 5 m s⁻¹"
        );
    }

    #[test]
    fn large_figures_are_not_read_into_the_words_below_them() {
        let lines: &[(u32, u32, u32, &str)] = &[
            (72, 700, 30, "2,32,822"),
            (72, 687, 10, "New jobs were created in the year."),
        ];
        let document = read::document("t".into(), &pdf(&[lines]), None).unwrap();
        let words: Vec<&str> = document.text().split_whitespace().collect();
        assert_eq!(words.join(" "), "2,32,822 New jobs were created in the year.");
    }

    #[test]
    fn blanks_that_fill_a_cell_up_do_not_break_the_words_of_the_next() {
        let lines: &[(u32, u32, u32, &str)] = &[
            (72, 700, 10, "Maxim"),
            (103, 700, 10, " "),
            (106, 700, 10, " "),
            (109, 700, 10, " "),
            (105, 700, 10, "2016"),
        ];
        let document = read::document("t".into(), &pdf(&[lines]), None).unwrap();
        assert!(document.text().contains("2016"), "{:?}", document.text());
    }

    #[test]
    fn pages_whose_letters_are_not_known_are_counted_and_not_read() {
        let rows = |text: &str| {
            vec![Row {
                y: 0.0,
                size: 9.0,
                is_heading: false,
                is_item: false,
                is_margin: false,
                table: None,
                pieces: vec![Piece {
                    x: 0.0,
                    end_x: 9.0,
                    column: 0,
                    text: text.to_owned(),
                }],
            }]
        };
        assert_eq!(known_letters(&rows("��� �2")), (1, 4));
        assert_eq!(known_letters(&rows("a rise of �2.5")), (10, 1));
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
