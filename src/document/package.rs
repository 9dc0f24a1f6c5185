//! Packages: zip files whose parts are XML, as office programs write them.
//!
//! All parts that are read may have together, decompressed, what a document may have: what the headers say of sizes is not
//! believed.

use std::io::{Cursor, Read};

use encoding_rs::Encoding;
use zip::ZipArchive;
use zip::result::ZipError;

use super::xml::Xml;
use crate::error::{Error, Result};

/// A presentation of a thousand slides has some five thousand.
const MOST_ENTRIES: usize = 32 << 10;

/// Parts may be referred to more than once.
const MOST_READS: usize = 4 * MOST_ENTRIES;

/// An open package.
pub(super) struct Package<'a> {
    pub(super) name: &'a str,
    archive: ZipArchive<Cursor<&'a [u8]>>,
    pub(super) max_bytes: u64,
    bytes_left: u64,
    reads_left: usize,
}

/// What a part says of another one.
pub(super) struct Relation {
    pub(super) id: String,
    /// The last word of its type: `styles`, `slide`.
    pub(super) kind: String,
    /// The name of the other part.
    pub(super) target: String,
}

impl<'a> Package<'a> {
    pub(super) fn open(name: &'a str, bytes: &'a [u8], max_bytes: u64) -> Result<Self> {
        let damaged = |reason| Error::DamagedDocument {
            name: name.to_owned(),
            reason,
        };
        // Counted before they are taken in: an entry takes more memory than its 46 bytes.
        let entries = memchr::memmem::find_iter(bytes, b"PK\x01\x02").take(MOST_ENTRIES + 1);
        if entries.count() > MOST_ENTRIES {
            return Err(damaged(format!("it has more than {MOST_ENTRIES} parts")));
        }
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| damaged("its list of parts is cut off or broken".to_owned()))?;
        Ok(Self {
            name,
            archive,
            max_bytes,
            bytes_left: max_bytes,
            reads_left: MOST_READS,
        })
    }

    /// A part's bytes, if it is there.
    fn bytes(&mut self, part: &str) -> Result<Option<Vec<u8>>> {
        self.reads_left = match self.reads_left.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.damaged("its parts refer to each other too often".to_owned())),
        };
        let limit = self.bytes_left.saturating_add(1);
        let mut bytes = Vec::new();
        let read = match self.archive.by_name(part) {
            Ok(entry) => entry.take(limit).read_to_end(&mut bytes).map_err(ZipError::Io),
            Err(error) => Err(error),
        };
        if bytes.len() as u64 > self.bytes_left {
            return Err(Error::too_large(self.name, self.max_bytes));
        }
        self.bytes_left -= bytes.len() as u64;
        match read {
            Ok(_) => Ok(Some(bytes)),
            Err(ZipError::FileNotFound) => Ok(None),
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => Err(self.locked()),
            Err(_) => Err(self.damaged(format!("{} cannot be unpacked", shown(part)))),
        }
    }

    /// The text of a part, if it is there.
    pub(super) fn text(&mut self, part: &str) -> Result<Option<String>> {
        let Some(bytes) = self.bytes(part)? else {
            return Ok(None);
        };
        let text = decoded(bytes).ok_or_else(|| self.damaged(format!("{} is no text", shown(part))))?;
        Ok(Some(text))
    }

    /// The text of a part that has to be there.
    pub(super) fn needed(&mut self, part: &str) -> Result<String> {
        self.text(part)?
            .ok_or_else(|| self.damaged(format!("it has no {}", shown(part))))
    }

    /// What a part, or with an empty name the package, says of others. Those outside of the package are left out.
    pub(super) fn relations(&mut self, of: &str) -> Result<Vec<Relation>> {
        let (folder, file) = of.rsplit_once('/').unwrap_or(("", of));
        let part = format!("{folder}/_rels/{file}.rels");
        let part = part.trim_start_matches('/');
        let Some(text) = self.text(part)? else {
            return Ok(Vec::new());
        };
        let mut xml = Xml::new(&text);
        let mut relations = Vec::new();
        while let Some(element) = xml.next_element().map_err(|fault| self.malformed(part, fault))? {
            if element.name() != "Relationship" || element.get("TargetMode").as_deref() == Some("External") {
                continue;
            }
            let kind = element.get("Type").unwrap_or_default();
            relations.push(Relation {
                id: element.get("Id").unwrap_or_default(),
                kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                target: resolved(folder, &element.get("Target").unwrap_or_default()),
            });
        }
        Ok(relations)
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.archive.index_for_name(part).is_some()
    }

    pub(super) fn malformed(&self, part: &str, fault: &'static str) -> Error {
        self.damaged(format!("{} {fault}", shown(part)))
    }

    pub(super) fn damaged(&self, reason: String) -> Error {
        Error::DamagedDocument {
            name: self.name.to_owned(),
            reason,
        }
    }

    pub(super) fn locked(&self) -> Error {
        Error::LockedDocument {
            name: self.name.to_owned(),
        }
    }
}

/// The name of a part in a message: a file gives it, so it may be anything.
fn shown(part: &str) -> String {
    const LONGEST: usize = 80;
    part.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// `../media/a.xml`, seen from `ppt/slides`, is `ppt/media/a.xml`.
pub(super) fn resolved(folder: &str, target: &str) -> String {
    let mut steps: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|step| !step.is_empty()).collect(),
    };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            _ => steps.push(step),
        }
    }
    steps.join("/")
}

/// XML is UTF-8 unless a mark of byte order, its first bytes or its declaration say something else (XML 1.0, appendix F).
fn decoded(bytes: Vec<u8>) -> Option<String> {
    let marked = Encoding::for_bom(&bytes).map(|(encoding, _)| encoding);
    let encoding = match bytes.get(..4) {
        _ if marked.is_some() => marked?,
        Some(b"<\0?\0") => encoding_rs::UTF_16LE,
        Some(b"\0<\0?") => encoding_rs::UTF_16BE,
        _ => declared(&bytes).unwrap_or(encoding_rs::UTF_8),
    };
    if encoding == encoding_rs::UTF_8 {
        return String::from_utf8(bytes).ok();
    }
    let (text, _, is_broken) = encoding.decode(&bytes);
    (!is_broken).then(|| text.into_owned())
}

/// The encoding of `<?xml version="1.0" encoding="…"?>`.
pub(super) fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr::memmem::find(declaration, b"?>")?];
    let at = memchr::memmem::find(declaration, b"encoding")? + "encoding".len();
    let quoted = declaration[at..]
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let label = quoted.split(|b| b"'\"".contains(b)).nth(1)?;
    // UTF-16 has been told by its first bytes: what says so and is none is UTF-8.
    Encoding::for_label(label).filter(|encoding| encoding.is_ascii_compatible())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Write;

    /// A package with these parts.
    pub(in crate::document) fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            let options =
                zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
            zip.start_file(*name, options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn parts_are_read_up_to_the_limit_of_all() {
        let bytes = packed(&[("a", &"x".repeat(600)), ("b", &"y".repeat(500))]);
        let mut package = Package::open("t", &bytes, 1_000).unwrap();
        assert_eq!(package.text("a").unwrap().unwrap().len(), 600);
        assert!(package.text("c").unwrap().is_none());
        let error = package.text("b").unwrap_err();
        assert!(matches!(error, Error::DocumentTooLarge { .. }), "{error}");
        let mut package = Package::open("t", &bytes, 1_100).unwrap();
        assert!(package.text("a").is_ok() && package.text("b").is_ok());
    }

    #[test]
    fn headers_that_lie_and_ends_that_are_missing_are_errors() {
        let bytes = packed(&[("a", &"x".repeat(6000))]);
        for end in [0, 4, 30, bytes.len() / 2, bytes.len() - 1] {
            let opened = Package::open("t", &bytes[..end], 1 << 20);
            let message = opened.err().unwrap().to_string();
            assert!(message.contains("cut off"), "{message}");
        }
        // The size after unpacking, as the directory has it: 6000 is 0x1770.
        let at = memchr::memmem::rfind(&bytes, &[0x70, 0x17, 0, 0]).unwrap();
        for size in [[1, 0, 0, 0], [0xff, 0xff, 0xff, 0x7f]] {
            let mut lying = bytes.clone();
            lying[at..at + 4].copy_from_slice(&size);
            let mut package = Package::open("t", &lying, 1_000).unwrap();
            let error = package.text("a").unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::DocumentTooLarge { .. } | Error::DamagedDocument { .. }
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn too_many_parts_are_an_error() {
        let bytes = [packed(&[("a", "x")]), b"PK\x01\x02".repeat(MOST_ENTRIES + 1)].concat();
        let error = Package::open("t", &bytes, 1 << 20).err().unwrap();
        assert!(error.to_string().contains("parts"), "{error}");
    }

    #[test]
    fn a_part_with_a_password_is_said_to_have_one() {
        let mut bytes = packed(&[("a", "text")]);
        let at = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
        bytes[6] |= 1;
        bytes[at + 8] |= 1;
        let error = Package::open("t", &bytes, 100).unwrap().text("a").unwrap_err();
        assert!(matches!(error, Error::LockedDocument { .. }), "{error}");
    }

    #[test]
    fn parts_are_decoded() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let text = "<?xml version='1.0' encoding='UTF-16'?><a>é</a>";
        assert_eq!(decoded(utf_16(text)).as_deref(), Some(text));
        assert_eq!(decoded(utf_16(&format!("\u{feff}{text}"))).as_deref(), Some(text));
        assert_eq!(decoded(text.into()).as_deref(), Some(text));
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\xe9".to_vec();
        assert!(decoded(latin).unwrap().ends_with('é'));
        assert_eq!(decoded(b"<a>\xe9</a>".to_vec()), None);
    }

    #[test]
    fn names_of_parts_are_resolved() {
        assert_eq!(resolved("ppt/slides", "../media/./a.xml"), "ppt/media/a.xml");
        assert_eq!(resolved("ppt", "/word/a.xml"), "word/a.xml");
        assert_eq!(resolved("", "../../a.xml"), "a.xml");
    }
}
