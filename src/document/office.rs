//! Zip files: which program's document one is.

use super::package::Package;
use super::{Document, docx, epub, ods, odt, pptx, xlsx};
use crate::error::{Error, Result};

/// Reads a document of an office program. `file` is its name in a command that a message suggests.
pub(super) fn document(name: String, bytes: &[u8], max_bytes: u64, file: &str) -> Result<Document> {
    let mut package = Package::open(&name, bytes, max_bytes)?;
    let other = |format, converter: String| Error::NeedsConverter {
        name: name.clone(),
        format,
        converter,
    };
    let by_office = |to: &str| format!("soffice --headless --convert-to {to} {file}");
    let mimetype = package.text("mimetype").ok().flatten().unwrap_or_default();
    if epub::is_epub(&package, &mimetype) {
        return epub::document(name.clone(), &mut package);
    }
    let of_open_document = mimetype
        .trim()
        .strip_prefix("application/vnd.oasis.opendocument.");
    let extracted = match of_open_document {
        Some(kind) if kind.starts_with("text") => odt::read(&mut package)?,
        Some(kind) if kind.starts_with("spreadsheet") => return ods::document(&mut package),
        Some(kind) if kind.starts_with("presentation") => {
            return Err(other("a presentation (ODP)", by_office("pptx")));
        }
        Some(_) => return Err(other("an OpenDocument file without text", by_office("pdf"))),
        None => {
            let relations = package.relations("")?;
            let main = relations.into_iter().find(|r| r.kind == "officeDocument");
            match main.map(|relation| relation.target) {
                Some(part) if part.starts_with("xl/") && part.ends_with(".bin") => {
                    return Err(other("a binary spreadsheet (XLSB)", by_office("xlsx")));
                }
                Some(part) if part.starts_with("xl/") => return xlsx::document(&mut package, &part),
                Some(part) if part.starts_with("ppt/") => pptx::read(&mut package, &part)?,
                Some(part) if part.starts_with("visio/") => {
                    return Err(other("a drawing (VSDX)", by_office("pdf")));
                }
                Some(part) => docx::read(&mut package, &part)?,
                None if package.has("content.xml") && package.has("META-INF/manifest.xml") => {
                    odt::read(&mut package)?
                }
                None => {
                    return Err(other(
                        "a zip archive and no DOCX, XLSX, PPTX, ODT, ODS or EPUB",
                        format!("unpack it (unzip {file}), and name the files that were in it"),
                    ));
                }
            }
        }
    };
    extracted.document(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::package::tests::packed;
    use crate::document::read;

    const RELATIONS: (&str, &str) = (
        "_rels/.rels",
        "<Relationships><Relationship Type='http://x/officeDocument' Target='word/document.xml'/></Relationships>",
    );

    fn docx(body: &str) -> Vec<u8> {
        let main = format!("<w:document><w:body>{body}</w:body></w:document>");
        packed(&[RELATIONS, ("word/document.xml", &main)])
    }

    fn odt(body: &str) -> Vec<u8> {
        let content =
            format!("<office:document-content><office:body>{body}</office:body></office:document-content>");
        packed(&[
            ("mimetype", "application/vnd.oasis.opendocument.text"),
            ("content.xml", &content),
        ])
    }

    fn ods(body: &str) -> Vec<u8> {
        let content =
            format!("<office:document-content><office:body>{body}</office:body></office:document-content>");
        packed(&[
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("content.xml", &content),
        ])
    }

    fn xlsx(rows: &str) -> Vec<u8> {
        packed(&[
            (
                "_rels/.rels",
                &RELATIONS.1.replace("word/document", "xl/workbook"),
            ),
            (
                "xl/workbook.xml",
                "<workbook><sheets><sheet name='A' r:id='r1'/></sheets></workbook>",
            ),
            (
                "xl/_rels/workbook.xml.rels",
                "<Relationships><Relationship Id='r1' Type='http://x/worksheet' Target='a.xml'/></Relationships>",
            ),
            ("xl/a.xml", &format!("<worksheet>{rows}</worksheet>")),
        ])
    }

    fn message(bytes: &[u8], path: &str) -> String {
        let error = read::document(path.into(), bytes, Some(std::path::Path::new(path))).unwrap_err();
        error.to_string()
    }

    #[test]
    fn a_file_is_what_its_bytes_are() {
        let bytes = docx("<w:p><w:r><w:t>The dam broke.</w:t></w:r></w:p>");
        for name in ["a.docx", "a.txt", "a.md", "a", "a.zip"] {
            let document = read::document(name.into(), &bytes, None).unwrap();
            assert_eq!(document.text(), "The dam broke.");
        }
        let options = read::ReadOptions::default();
        let document = read::read_stream(&bytes[..], "standard input", &options).unwrap();
        assert_eq!(document.text(), "The dam broke.");
        let document = read::document("a.docx".into(), b"The dam broke.", None).unwrap();
        assert_eq!(document.text(), "The dam broke.");
    }

    #[test]
    fn other_archives_are_told_what_they_are() {
        let workbook = RELATIONS.1.replace("word/document.xml", "xl/workbook.bin");
        let slides = ("mimetype", "application/vnd.oasis.opendocument.presentation");
        for (bytes, path, expected) in [
            (
                packed(&[("_rels/.rels", &workbook)]),
                "a b.xlsb",
                "a binary spreadsheet (XLSB), which ask does not read; convert it first: soffice --headless --convert-to xlsx 'a b.xlsb'",
            ),
            (packed(&[slides]), "a.odp", "a presentation (ODP)"),
            (
                packed(&[("a.txt", "text")]),
                "a.zip",
                "a zip archive and no DOCX, XLSX, PPTX, ODT, ODS or EPUB",
            ),
            (packed(&[]), "a.zip", "a zip archive and no DOCX"),
            (
                packed(&[RELATIONS]),
                "a.docx",
                "a.docx: is damaged: it has no word/document.xml; open it",
            ),
            (docx("<w:p>"), "a.docx", "word/document.xml is no well-formed XML"),
            (docx(""), "a.docx", "holds no text"),
        ] {
            let message = message(&bytes, path);
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn what_is_packed_tight_stays_within_the_limit() {
        let text = "x".repeat(40 << 20);
        let bytes = docx(&format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"));
        assert!(bytes.len() < 100_000);
        let options = |max_bytes| read::ReadOptions {
            max_bytes,
            no_ignore: false,
        };
        let read = |max_bytes| read::read_stream(&bytes[..], "bomb", &options(max_bytes));
        assert!(matches!(read(32 << 20), Err(Error::DocumentTooLarge { .. })));
        assert!(read(41 << 20).is_ok());
    }

    #[test]
    fn depth_has_a_limit() {
        for (open, close) in [
            ("<w:tbl>", "</w:tbl>"),
            ("<w:tc>", "</w:tc>"),
            ("<w:p>", "</w:p>"),
        ] {
            let nested = |depth| {
                docx(
                    &[
                        open.repeat(depth),
                        "<w:p><w:r><w:t>x</w:t></w:r></w:p>".into(),
                        close.repeat(depth),
                    ]
                    .concat(),
                )
            };
            assert!(message(&nested(100_000), "a").contains("nested too deep"));
            assert_eq!(
                read::document("a".into(), &nested(400), None).unwrap().text(),
                "x"
            );
        }
    }

    const ELEMENTS: &[&str] = &[
        "w:p",
        "w:r",
        "w:t",
        "w:pPr",
        "w:rPr",
        "w:tbl",
        "w:tr",
        "w:tc",
        "w:del",
        "w:vanish",
        "w:txbxContent",
        "w:br w:type='page'",
        "w:br",
        "w:lastRenderedPageBreak",
        "w:fldChar w:fldCharType='begin'",
        "mc:AlternateContent",
        "w:numPr",
        "w:footnoteReference w:id='1'",
        "text:p",
        "text:h",
        "text:list",
        "text:list-item",
        "table:table",
        "table:table-row",
        "table:table-cell",
        "text:note-body",
        "text:soft-page-break",
        "draw:text-box",
        "text:span",
        "text:s text:c='9'",
        "text:deletion",
        "office:annotation",
        "table:table-row table:number-rows-repeated='3'",
        "table:table-row table:visibility='collapse'",
        "table:table-cell table:number-columns-repeated='3'",
        "table:table-column table:visibility='collapse'",
        "row",
        "row r='7' hidden='1'",
        "c",
        "c r='C7' t='inlineStr'",
        "v",
        "is",
        "f",
        "col min='0' max='2' hidden='1'",
    ];

    /// XML of these elements, nested as numbers say.
    fn tree(steps: &[(prop::sample::Index, u8, String)]) -> String {
        let (mut xml, mut open) = (String::new(), Vec::new());
        for (element, close, text) in steps {
            let element = ELEMENTS[element.index(ELEMENTS.len())];
            xml += &format!("<{element}>{}", text.replace(['&', '<'], ""));
            open.push(element.split(' ').next().unwrap_or_default());
            for _ in 0..(*close).min(4) {
                xml.extend(open.pop().map(|name| format!("</{name}>")));
            }
        }
        xml.extend(open.iter().rev().map(|name| format!("</{name}>")));
        xml
    }

    proptest! {
        /// Whatever stands where, each block of the text leads back to what it was made of.
        #[test]
        fn blocks_lead_back_to_the_source(steps in prop::collection::vec((any::<prop::sample::Index>(), 0u8..5, "[a-z \u{a0}â€œ\u{ad}\t]{0,6}"), 0..60)) {
            let xml = tree(&steps);
            for bytes in [docx(&xml), odt(&xml), ods(&xml), xlsx(&xml)] {
                let document = match read::document("t".into(), &bytes, None) {
                    Ok(document) => document,
                    Err(Error::EmptyDocument { .. }) => continue,
                    Err(error) => panic!("{error}: {xml}"),
                };
                let mut end = 0;
                for block in document.blocks() {
                    let text = &document.text()[block.span.clone()];
                    let source = document.source_span(&block.span);
                    let cleaned = crate::document::clean::cleaned(&document.source()[source.clone()]);
                    if !text.contains(['â', '€']) {
                        prop_assert_eq!(cleaned.trim(), text);
                    }
                    // Broken characters are known by their neighbours, which a stretch by itself may lack: "â€" before an "â".
                    let words = |text: &str| text.replace(|c| "â€œ“”".contains(c), "").trim().to_owned();
                    prop_assert_eq!(words(&cleaned), words(text));
                    prop_assert!(document.text()[end..block.span.start].trim().is_empty());
                    prop_assert!(document.position(source.start).line >= 1);
                    end = block.span.end;
                }
                prop_assert!(document.text()[end..].trim().is_empty());
            }
        }

        #[test]
        fn nothing_that_is_broken_panics(
            at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), cut: prop::sample::Index, is_cut: bool,
            noise in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            for mut bytes in [docx("<w:p><w:r><w:t>The dam broke.</w:t></w:r></w:p>"), odt("<text:p>The dam broke.</text:p>"),
                ods("<table:table table:name='A'><table:table-row><table:table-cell><text:p>1</text:p></table:table-cell></table:table-row></table:table>"),
                xlsx("<row><c><v>1</v></c></row>")] {
                for (index, byte) in &at {
                    let index = index.index(bytes.len());
                    bytes[index] = *byte;
                }
                if is_cut {
                    bytes.truncate(cut.index(bytes.len()));
                }
                let _ = read::document("t".into(), &bytes, None);
            }
            let _ = read::document("t".into(), &[b"PK\x03\x04", &noise[..]].concat(), None);
        }
    }
}
