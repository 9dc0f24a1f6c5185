//! EPUB: the chapters of a book in the order of reading, each as HTML.

use std::collections::{HashMap, HashSet};

use super::package::{self, Package};
use super::xml::Xml;
use super::{Block, Document, Layout, html};
use crate::error::Result;

const CONTAINER: &str = "META-INF/container.xml";
const ENCRYPTION: &str = "META-INF/encryption.xml";

/// Whether a zip file is a book.
pub(super) fn is_epub(package: &Package<'_>, mimetype: &str) -> bool {
    mimetype.trim() == "application/epub+zip" || package.has(CONTAINER)
}

/// Reads a book. Its source is the text of its chapters with a blank line between paragraphs.
pub(super) fn document(name: String, package: &mut Package<'_>) -> Result<Document> {
    let root = root(package)?;
    let chapters = chapters(package, &root)?;
    // Fonts are encrypted in many books that are none else.
    let locked = encrypted(package)?;
    let mut missing = 0;
    let (mut text, mut blocks) = (String::new(), Vec::<Block>::new());
    for chapter in chapters {
        let Some(chapter) = chapter.filter(|chapter| package.has(chapter)) else {
            missing += 1;
            continue;
        };
        if locked.contains(&chapter) {
            return Err(package.locked());
        }
        let source = package.needed(&chapter)?;
        let layout = html::body(&source);
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        let (offset, section) = (text.len(), blocks.last().map_or(0, |last| last.section + 1));
        text.push_str(&layout.text);
        blocks.extend(layout.blocks.into_iter().map(|block| Block {
            span: block.span.start + offset..block.span.end + offset,
            section: block.section + section,
            ..block
        }));
    }
    let layout = Layout {
        text: text.clone(),
        map: super::OffsetMap::default(),
        blocks,
        has_columns: false,
    };
    let mut document = Document::of_layout(name, text, layout)?;
    super::leave_out(&mut document.left_out, "missing chapter", missing);
    Ok(document)
}

/// The parts that are encrypted.
fn encrypted(package: &mut Package<'_>) -> Result<HashSet<String>> {
    let list = package.text(ENCRYPTION)?.unwrap_or_default();
    let mut xml = Xml::new(&list);
    let mut parts = HashSet::new();
    while let Some(element) = xml
        .next_element()
        .map_err(|fault| package.malformed(ENCRYPTION, fault))?
    {
        if element.name() == "CipherReference" {
            parts.extend(
                element
                    .get("URI")
                    .map(|uri| package::resolved("", &unescaped(&uri))),
            );
        }
    }
    Ok(parts)
}

/// The part that lists the others.
fn root(package: &mut Package<'_>) -> Result<String> {
    let container = package.needed(CONTAINER)?;
    let mut xml = Xml::new(&container);
    while let Some(element) = xml
        .next_element()
        .map_err(|fault| package.malformed(CONTAINER, fault))?
    {
        if element.name() == "rootfile"
            && let Some(path) = element.get("full-path")
        {
            return Ok(path);
        }
    }
    Err(package.malformed(CONTAINER, "names no book"))
}

/// The chapters in the order of reading, `None` for those that are no part of the book or no HTML.
fn chapters(package: &mut Package<'_>, root: &str) -> Result<Vec<Option<String>>> {
    let list = package.needed(root)?;
    let mut xml = Xml::new(&list);
    let (mut items, mut order) = (HashMap::new(), Vec::new());
    while let Some(element) = xml
        .next_element()
        .map_err(|fault| package.malformed(root, fault))?
    {
        match element.name() {
            "item"
                if element
                    .get("media-type")
                    .is_some_and(|kind| kind.contains("html")) =>
            {
                if let (Some(id), Some(href)) = (element.get("id"), element.get("href")) {
                    let href = href.split('#').next().unwrap_or_default();
                    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
                    items.insert(id, package::resolved(folder, &unescaped(href)));
                }
            }
            "itemref" => order.extend(element.get("idref")),
            _ => {}
        }
    }
    // A chapter is read once, however often it is listed.
    let mut seen = HashSet::new();
    let order = order.into_iter().filter(|id| seen.insert(id.clone()));
    let chapters: Vec<Option<String>> = order.map(|id| items.remove(&id)).collect();
    if chapters.is_empty() {
        return Err(package.malformed(root, "lists no chapters"));
    }
    Ok(chapters)
}

/// `a%20b.xhtml` is `a b.xhtml`.
fn unescaped(href: &str) -> String {
    let mut bytes = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let [first, behind @ ..] = rest {
        let escaped = (*first == b'%').then(|| behind.get(..2)).flatten();
        let byte = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use crate::document::package::tests::packed;
    use crate::document::read;
    use crate::error::Error;

    const CONTAINER: (&str, &str) = (
        "META-INF/container.xml",
        "<container><rootfiles><rootfile full-path='OEBPS/book.opf'/></rootfiles></container>",
    );
    const BOOK: (&str, &str) = (
        "OEBPS/book.opf",
        "<package><manifest><item id='b' href='two%20b.xhtml' media-type='application/xhtml+xml'/>\
         <item id='a' href='one.xhtml' media-type='application/xhtml+xml'/><item id='c' href='c.css' media-type='text/css'/>\
         </manifest><spine><itemref idref='a'/><itemref idref='b'/><itemref idref='c'/><itemref idref='a'/></spine></package>",
    );
    const ONE: (&str, &str) = (
        "OEBPS/one.xhtml",
        "<?xml version='1.0'?><html><head><title>ch1.xhtml</title></head><body><h1>One</h1><p>The dam&#160;broke.</p></body></html>",
    );
    const TWO: (&str, &str) = (
        "OEBPS/two b.xhtml",
        "<html><ul><li>Otto</li><li>Ines</li></ul></html>",
    );

    #[test]
    fn chapters_are_read_in_their_order() {
        let bytes = packed(&[("mimetype", "application/epub+zip"), CONTAINER, BOOK, TWO, ONE]);
        let document = read::document("a.epub".into(), &bytes, None).unwrap();
        assert_eq!(document.text(), "One\n\nThe dam broke.\n\nOtto\nInes");
        assert_eq!(document.source(), document.text());
        let sections: Vec<_> = document.blocks().iter().map(|b| b.section).collect();
        assert_eq!(sections, [0, 1, 2, 2]);
        for block in document.blocks() {
            assert!(!document.text()[block.span.clone()].contains("\n\n"));
        }
    }

    #[test]
    fn a_book_that_is_encrypted_or_broken_is_said_to_be() {
        let error =
            |parts: &[(&str, &str)]| read::document("a.epub".into(), &packed(parts), None).unwrap_err();
        let fonts = (
            "META-INF/encryption.xml",
            "<e><CipherReference URI='OEBPS/a.otf'/></e>",
        );
        assert!(read::document("a".into(), &packed(&[CONTAINER, BOOK, ONE, TWO, fonts]), None).is_ok());
        let locked = (
            "META-INF/encryption.xml",
            "<e><CipherReference URI='OEBPS/one.xhtml'/></e>",
        );
        assert!(matches!(
            error(&[CONTAINER, BOOK, ONE, TWO, locked]),
            Error::LockedDocument { .. }
        ));
        let half = read::document("a".into(), &packed(&[CONTAINER, BOOK, TWO]), None).unwrap();
        assert_eq!(half.left_out(), [("missing chapter", 2)]);
        assert!(
            error(&[CONTAINER, ("OEBPS/book.opf", "<package/>")])
                .to_string()
                .contains("lists no chapters")
        );
        assert!(
            error(&[("META-INF/container.xml", "<a/>")])
                .to_string()
                .contains("names no book")
        );
    }
}
