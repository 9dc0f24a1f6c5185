//! From paths and standard input to documents: which files, which encoding, which limits.
//!
//! Every input is treated as hostile: only regular files are opened, nothing is read past the limit,
//! nothing is memory-mapped.

use std::borrow::Cow;
use std::fs::{File, FileType};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use ignore::WalkBuilder;

#[cfg(feature = "pdf")]
use super::pdf;
use super::{Document, Format, html, mail, office, rtf, subtitles};
use crate::error::{Error, Result};

/// What may be read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The largest document, in bytes of its file; of one that is packed (DOCX, EPUB and the like) also of the parts in it that
    /// are read.
    pub max_bytes: u64,
    /// Read hidden files and files that `.gitignore` and the like exclude, too.
    pub no_ignore: bool,
}

impl ReadOptions {
    /// The most text that may be read at a time: sixteen documents of the largest size.
    #[must_use]
    pub fn max_total_bytes(&self) -> u64 {
        self.max_bytes.saturating_mul(16)
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            no_ignore: false,
        }
    }
}

/// The files that paths, directories and patterns stand for.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Found {
    /// Files to read, sorted within each directory, each once, under whatever names.
    pub files: Vec<PathBuf>,
    /// Files and directories that could not be looked at, with the reason.
    pub unread: Vec<Unread>,
    /// Files (or whole directories) left out because they are hidden or ignored.
    pub excluded: u64,
}

/// A document that was to be read and could not be.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unread {
    /// Its path.
    pub document: String,
    /// Why.
    pub error: Error,
}

/// Finds the files that `paths` name.
///
/// # Errors
/// When a path that was named does not exist, is no file or directory, or when a directory or a pattern
/// holds nothing to read.
pub fn find(paths: &[PathBuf], options: &ReadOptions) -> Result<Found> {
    let mut found = Found::default();
    for path in paths {
        let (before, excluded) = (found.files.len() + found.unread.len(), found.excluded);
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk(path, None, options, &mut found),
            Ok(metadata) => match special(metadata.file_type()) {
                None => found.files.push(path.clone()),
                Some(kind) => {
                    return Err(not_regular(path, kind));
                }
            },
            Err(source) => match pattern(path) {
                Some((base, pattern)) if base.is_dir() => {
                    let glob = globset::GlobBuilder::new(&pattern)
                        .literal_separator(true)
                        .build()
                        .map_err(|e| Error::BadPattern {
                            pattern: path.display().to_string(),
                            reason: e.kind().to_string(),
                        })?;
                    walk(&base, Some(&glob.compile_matcher()), options, &mut found);
                }
                _ => return Err(open_error(path, source)),
            },
        }
        if found.files.len() + found.unread.len() == before {
            return Err(Error::NoDocuments {
                path: path.clone(),
                excluded: found.excluded - excluded,
            });
        }
    }
    let mut seen = std::collections::HashSet::new();
    found
        .files
        .retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    Ok(found)
}

/// `reports/*.md` is the directory `reports` and the pattern `*.md`.
fn pattern(path: &Path) -> Option<(PathBuf, String)> {
    let text = path.to_str()?;
    let first = text.find(['*', '?', '[', '{'])?;
    let split = text[..first].rfind('/').map_or(0, |i| i + 1);
    let base = if split == 0 { "." } else { &text[..split] };
    Some((PathBuf::from(base), text[split..].to_owned()))
}

fn walk(root: &Path, glob: Option<&globset::GlobMatcher>, options: &ReadOptions, found: &mut Found) {
    let matches =
        |path: &Path| glob.is_none_or(|glob| glob.is_match(path.strip_prefix(root).unwrap_or(path)));
    let entries = |all: bool| {
        WalkBuilder::new(root)
            .standard_filters(!all)
            .require_git(false)
            .sort_by_file_name(std::ffi::OsStr::cmp)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build()
    };
    // Whether the pattern reaches into folders.
    let may_be_below = glob.is_none_or(|glob| glob.glob().glob().contains('/'));
    let mut kept = 0;
    for entry in entries(options.no_ignore) {
        match entry {
            Ok(entry) => {
                let Some(kind) = entry.file_type() else {
                    continue;
                };
                if kind.is_symlink() && may_be_below && leads_away(entry.path(), root) {
                    let path = strip_dot(entry.path());
                    found.unread.push(Unread {
                        document: path.display().to_string(),
                        error: Error::LinkedFolder { path },
                    });
                    continue;
                }
                if kind.is_dir() || !matches(entry.path()) {
                    continue;
                }
                kept += u64::from(kind.is_file());
                let path = strip_dot(entry.path());
                match resolve(entry.path(), kind) {
                    Resolved::File => found.files.push(path),
                    Resolved::Directory => {}
                    Resolved::Bad(error) => found.unread.push(Unread {
                        document: path.display().to_string(),
                        error,
                    }),
                }
            }
            Err(error) => found.unread.push(Unread {
                document: error_path(&error).unwrap_or(root).display().to_string(),
                error: walk_error(error, root),
            }),
        }
    }
    if !options.no_ignore {
        // What the filters leave out, counted by walking once more without them.
        let all = entries(true)
            .flatten()
            .filter(|e| e.file_type().is_some_and(|t| t.is_file()) && matches(e.path()))
            .count() as u64;
        found.excluded += all.saturating_sub(kept);
    }
}

/// Whether a link leads to a folder that is not read anyway.
fn leads_away(link: &Path, root: &Path) -> bool {
    match (link.canonicalize(), root.canonicalize()) {
        (Ok(target), Ok(root)) => target.is_dir() && !target.starts_with(root),
        _ => false,
    }
}

enum Resolved {
    File,
    Directory,
    Bad(Error),
}

/// Follows a link to a file; links to directories are not descended into, so that no loop is walked.
fn resolve(path: &Path, kind: FileType) -> Resolved {
    let kind = if kind.is_symlink() {
        match std::fs::metadata(path) {
            Ok(metadata) => metadata.file_type(),
            Err(source) => return Resolved::Bad(open_error(path, source)),
        }
    } else {
        kind
    };
    if kind.is_dir() {
        return Resolved::Directory;
    }
    match special(kind) {
        None => Resolved::File,
        Some(kind) => Resolved::Bad(not_regular(path, kind)),
    }
}

fn strip_dot(path: &Path) -> PathBuf {
    path.strip_prefix("./").unwrap_or(path).to_owned()
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

fn walk_error(error: ignore::Error, root: &Path) -> Error {
    let path = error_path(&error).unwrap_or(root).to_owned();
    match error.into_io_error() {
        Some(source) => open_error(&path, source),
        None => Error::LinkLoop { path },
    }
}

#[cfg(unix)]
fn special(kind: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_char_device() || kind.is_block_device() {
        Some("a device")
    } else {
        None
    }
}

#[cfg(not(unix))]
fn special(kind: FileType) -> Option<&'static str> {
    (!kind.is_file()).then_some("a special file")
}

/// What cannot be read as a file, though it may be named.
const FOLDER: &str = "a folder";

fn not_regular(path: &Path, kind: &'static str) -> Error {
    Error::NotRegular {
        path: path.to_owned(),
        kind,
        remedy: match kind {
            "a named pipe" => "pipe it in instead: COMMAND | ask …",
            FOLDER => "name the files in it",
            _ => "name a regular file",
        },
    }
}

/// The operating system's error inside of one that repeats the path, as a walk's does.
fn innermost(error: std::io::Error) -> std::io::Error {
    let inner = error.get_ref().and_then(|inner| inner.source());
    let code = inner
        .and_then(|inner| inner.downcast_ref::<std::io::Error>())
        .and_then(std::io::Error::raw_os_error);
    code.map_or(error, std::io::Error::from_raw_os_error)
}

fn open_error(path: &Path, reason: std::io::Error) -> Error {
    let reason = innermost(reason);
    // `ErrorKind::FilesystemLoop` is not stable: ELOOP by number.
    const ELOOP: i32 = if cfg!(target_os = "linux") { 40 } else { 62 };
    let path = path.to_owned();
    if reason.kind() == std::io::ErrorKind::NotFound {
        Error::NotFound { path }
    } else if cfg!(unix) && reason.raw_os_error() == Some(ELOOP) {
        Error::LinkLoop { path }
    } else {
        Error::Unreadable { path, reason }
    }
}

/// A short text may hold so many control characters: a bell, a form feed of some printer.
const MOST_CONTROLS: usize = 8;

/// Reads one file.
///
/// # Errors
/// When it cannot be read, is a folder, is over the limit, is not text, or holds none.
pub fn read_file(path: &Path, options: &ReadOptions) -> Result<Document> {
    let name = path.display().to_string();
    let file = open(path).map_err(|e| open_error(path, e))?;
    let metadata = file.metadata().map_err(|e| open_error(path, e))?;
    if metadata.is_dir() {
        return Err(not_regular(path, FOLDER));
    }
    if let Some(kind) = special(metadata.file_type()) {
        return Err(not_regular(path, kind));
    }
    let bytes = read_limited(file, &name, options.max_bytes)
        .map_err(|e| e.map_io(|source| open_error(path, source)))?;
    with_extension(name, &bytes, Some(path), Some(path), options.max_bytes)
}

/// Opens a file so that neither opening nor reading waits for somebody to write: a named pipe that took a file's place,
/// a file of the kernel's (`/proc/kmsg`) that blocks.
#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

/// Reads a stream to its end, standard input for one. It is what its first bytes say, and else plain text, whatever its name; for
/// Markdown, and HTML without a head, read it to bytes and see [`document`] and [`document_as`].
///
/// # Errors
/// As [`read_file`].
pub fn read_stream(stream: impl Read, name: &str, options: &ReadOptions) -> Result<Document> {
    let bytes = read_limited(stream, name, options.max_bytes).map_err(|e| {
        e.map_io(|reason| Error::Unreadable {
            path: PathBuf::from(name),
            reason,
        })
    })?;
    with_extension(name.to_owned(), &bytes, None, None, options.max_bytes)
}

enum ReadError {
    Io(std::io::Error),
    Limit(Error),
}

impl ReadError {
    fn map_io(self, io: impl FnOnce(std::io::Error) -> Error) -> Error {
        match self {
            Self::Io(source) => io(source),
            Self::Limit(error) => error,
        }
    }
}

fn read_limited(stream: impl Read, name: &str, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    stream
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(ReadError::Io)?;
    if bytes.len() as u64 > max_bytes {
        return Err(ReadError::Limit(Error::too_large(name, max_bytes)));
    }
    Ok(bytes)
}

/// Makes a document of a file's bytes. A PDF (feature `pdf`), DOCX, RTF, XLSX, PPTX, ODT, ODS, EPUB, mail or page of HTML is known by
/// them; its parts may have 64 MiB when they are unpacked. The encoding of text is found out; its format is that of the
/// extension of `path` or, where there is none, of the name, or what the first lines look like. Messages suggest commands for
/// the file at `path`.
///
/// ```
/// use quotable::document::read::document;
///
/// let bytes = "# Minutes\n\nIt was moved by **Ines**.".as_bytes();
/// assert_eq!(document("minutes.md".into(), bytes, None)?.blocks().len(), 2);
/// # Ok::<(), quotable::Error>(())
/// ```
///
/// # Errors
/// When they are no text, are damaged or protected, or hold no text.
pub fn document(name: String, bytes: &[u8], path: Option<&Path>) -> Result<Document> {
    let named = Path::new(&name).to_owned();
    let max_bytes = ReadOptions::default().max_bytes;
    with_extension(name, bytes, path, path.or(Some(&named)), max_bytes)
}

/// Makes a document of text in a format that is known, whatever their name; only the encoding is found out.
///
/// # Errors
/// When they are no text, or hold none.
pub fn document_as(name: String, bytes: &[u8], format: Format) -> Result<Document> {
    let declared = match format {
        Format::Html => html::declared_encoding(&head(bytes)),
        _ => None,
    };
    decode(&name, bytes, declared)?.document(name, |_| format)
}

/// As [`document`]; `named` is what has the extension.
fn with_extension(
    name: String,
    bytes: &[u8],
    path: Option<&Path>,
    named: Option<&Path>,
    max_bytes: u64,
) -> Result<Document> {
    let extension = named
        .and_then(Path::extension)
        .and_then(|e| e.to_str())
        .unwrap_or("")
        .to_ascii_lowercase();
    let file = path.map_or("FILE".to_owned(), |p| shell_quoted(&p.display().to_string()));
    refuse_other_formats(&name, bytes, &file)?;
    #[cfg(feature = "pdf")]
    if is_pdf(bytes) {
        return pdf::document(name, bytes, max_bytes, &file);
    }
    if rtf::begins_like(bytes) {
        return rtf::document(name, bytes);
    }
    if is_zip(bytes) {
        return office::document(name, bytes, max_bytes, &file);
    }
    let head = head(bytes);
    if matches!(extension.as_str(), "html" | "htm" | "xhtml" | "xht") || html::begins_like(&head) {
        return decode(&name, bytes, html::declared_encoding(&head))?.document(name, |_| Format::Html);
    }
    let is_mail = extension == "eml";
    if mail::is_encoded(bytes, is_mail) {
        let mail = mail::read(bytes, is_mail).map_err(|reason| Error::NotText {
            name: name.clone(),
            reason,
        })?;
        let mut document = Document::new(name, mail.text, Format::Plain)?;
        document.left_out = mail.left_out;
        return Ok(document);
    }
    decode(&name, bytes, None)?.document(name, |source| match extension.as_str() {
        "md" | "markdown" | "mdown" | "mkd" => Format::Markdown,
        "csv" | "tsv" | "tab" => Format::Csv,
        _ if subtitles::begins_like(source) => Format::Subtitles,
        _ => Format::Plain,
    })
}

/// How much of a file its format and encoding are looked for in, as browsers do.
const HEAD: usize = 1024;

fn head(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)])
}

/// What files that one program packed begin with, and what unpacks them.
const PACKED: [(&[u8], &str); 4] = [
    (b"\x1F\x8B", "gunzip"),
    (b"BZh91AY&SY", "bunzip2"),
    (b"\xFD7zXZ\0", "unxz"),
    (b"\x28\xB5\x2F\xFD", "unzstd"),
];

/// Formats with text that another program has to take out, by their first bytes.
fn refuse_other_formats(name: &str, bytes: &[u8], file: &str) -> Result<()> {
    let (format, converter) = if cfg!(not(feature = "pdf")) && is_pdf(bytes) {
        ("a PDF", format!("pdftotext {file} - | ask …"))
    } else if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        (
            "an old Office file (.doc, .xls, .ppt), or a new one with a password",
            "open it, and save it as DOCX, XLSX or PPTX without a password".to_owned(),
        )
    } else if let Some((_, program)) = PACKED.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        (
            "compressed",
            format!("{program} {file}, and name the file that comes out"),
        )
    } else {
        return Ok(());
    };
    Err(Error::NeedsConverter {
        name: name.to_owned(),
        format,
        converter,
    })
}

fn is_pdf(bytes: &[u8]) -> bool {
    // Readers take one whose header comes a little later.
    memchr::memmem::find(&bytes[..bytes.len().min(HEAD)], b"%PDF-")
        .is_some_and(|at| at == 0 || bytes.contains(&0))
}

fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

fn shell_quoted(text: &str) -> String {
    if text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-/+".contains(&b))
    {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The text of a file.
struct Decoded {
    text: String,
    encoding: &'static Encoding,
    /// How many bytes are not in the encoding.
    undecoded: usize,
}

impl Decoded {
    fn document(self, name: String, format: impl FnOnce(&str) -> Format) -> Result<Document> {
        let format = format(&self.text);
        let mut document = Document::new(name, self.text, format)?;
        document.encoding = self.encoding;
        document.undecoded = self.undecoded;
        Ok(document)
    }
}

/// JPEG, PNG, GIF, TIFF, WebP, HEIC and AVIF, by their first bytes.
fn is_picture(bytes: &[u8]) -> bool {
    let begins = |mark: &[u8]| bytes.starts_with(mark);
    let is_container = |at: usize, kinds: &[&[u8]]| {
        kinds
            .iter()
            .any(|kind| bytes.get(at..).is_some_and(|rest| rest.starts_with(kind)))
    };
    begins(b"\xff\xd8\xff")
        || begins(b"\x89PNG\r\n")
        || begins(b"GIF87a")
        || begins(b"GIF89a")
        || begins(b"II*\0")
        || begins(b"MM\0*")
        || begins(b"RIFF") && is_container(8, &[b"WEBP"])
        || is_container(4, &[b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"])
}

/// By byte order mark, then UTF-8, then what the document declares, then detection. The text of a UTF-8 file keeps its byte
/// order mark, so that offsets are those of the file.
fn decode(name: &str, bytes: &[u8], declared: Option<&'static Encoding>) -> Result<Decoded> {
    let not_text = |reason| Error::NotText {
        name: name.to_owned(),
        reason,
    };
    if let Some((encoding, mark)) = Encoding::for_bom(bytes)
        && encoding != UTF_8
    {
        let text = encoding.decode_without_bom_handling(&bytes[mark..]).0;
        let broken = text.chars().filter(|&c| c == '\0' || c == '\u{FFFD}').count();
        if broken > text.len() / 100 {
            return Err(not_text("it begins like UTF-16 and is none"));
        }
        return Ok(Decoded {
            text: text.into_owned(),
            encoding,
            undecoded: broken,
        });
    }
    if is_picture(bytes) && std::str::from_utf8(bytes).is_err() {
        return Err(not_text("it is a picture, whose words only OCR can read"));
    }
    if memchr::memchr(0, bytes).is_some() {
        return Err(not_text("it holds NUL bytes"));
    }
    let controls = bytes
        .iter()
        .filter(|&&b| b < 0x20 && !b"\t\n\r\x0b\x0c\x1b\x08".contains(&b))
        .count();
    if controls > MOST_CONTROLS.max(bytes.len() / 50) {
        return Err(not_text("it holds control characters"));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Decoded {
            text: text.to_owned(),
            encoding: UTF_8,
            undecoded: 0,
        });
    }
    if let Some(encoding) = declared.filter(|&encoding| encoding != UTF_8 && encoding.is_ascii_compatible()) {
        return Ok(Decoded {
            text: encoding.decode_without_bom_handling(bytes).0.into_owned(),
            encoding,
            undecoded: 0,
        });
    }
    // A few broken bytes do not make a UTF-8 file anything else: lines from other files, mostly, or the end was cut off.
    let (mut whole, mut broken) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    let is_cut = std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none());
    if whole >= broken {
        let (mut text, mut undecoded) = (String::with_capacity(bytes.len()), 0);
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            match is_cut {
                true if !chunk.invalid().is_empty() => text.push(char::REPLACEMENT_CHARACTER),
                _ => text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0),
            }
            undecoded += chunk.invalid().len();
        }
        return Ok(Decoded {
            text,
            encoding: UTF_8,
            undecoded,
        });
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    Ok(Decoded {
        text: encoding.decode_without_bom_handling(bytes).0.into_owned(),
        encoding,
        undecoded: 0,
    })
}

/// Reads many files at once, each with its own result, in order.
///
/// Together they may hold [`ReadOptions::max_total_bytes`]; what is beyond that is not kept in memory and is
/// [`Error::TooMuchText`].
#[must_use]
pub fn read_files(files: &[PathBuf], options: &ReadOptions) -> Vec<Result<Document>> {
    use rayon::prelude::*;
    let total = AtomicU64::new(0);
    files
        .par_iter()
        .map(|file| {
            let limit = options.max_total_bytes();
            let too_much = || Error::TooMuchText {
                limit_mib: limit.div_ceil(1 << 20),
            };
            if total.load(Ordering::Relaxed) > limit {
                return Err(too_much());
            }
            let document = read_file(file, options)?;
            let bytes = document.source().len() as u64;
            if total.fetch_add(bytes, Ordering::Relaxed) + bytes > limit {
                return Err(too_much());
            }
            Ok(document)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        decode("t", bytes, None).unwrap().text
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(text("naïve “é”".as_bytes()), "naïve “é”");
        assert_eq!(text(b"\xef\xbb\xbfBOM"), "\u{feff}BOM");
        assert_eq!(text(b"\xff\xfeh\x00i\x00"), "hi");
        assert_eq!(text(b"\xfe\xff\x00h\x00i"), "hi");
        assert_eq!(
            text(b"The caf\xe9 of Ren\xe9 is na\xefve"),
            "The café of René is naïve"
        );
        assert_eq!(text(b"He said \x93no\x94 \x96 twice"), "He said “no” – twice");
        // Cut in the middle of a character, as `head -c` does.
        assert_eq!(
            text(b"\xc3\xa9t\xc3\xa9 \xc3\xa0 \xc3\xaele \xc3"),
            "été à île \u{fffd}"
        );
    }

    #[test]
    fn what_is_not_in_the_encoding_is_read_and_counted() {
        let mixed = "Le café de l’été à Málaga.\n".repeat(3).into_bytes();
        let mixed = [&mixed[..], b"Its chef is Ren\xe9e \xd8deg\xe5rd.\n"].concat();
        let document = document("t".into(), &mixed, None).unwrap();
        assert!(document.text().ends_with("Its chef is Renée Ødegård.\n"));
        assert_eq!(document.undecoded(), 3);
        assert_eq!(document.encoding(), "UTF-8");
        assert_eq!(decode("t", "é".as_bytes(), None).unwrap().undecoded, 0);
        assert_eq!(text(b"Caf\xc3\xa9 of Ren\xe9e"), "Café of Renée");
        assert_eq!(
            decode("t", b"caf\xe9 na\xefve", None).unwrap().encoding.name(),
            "windows-1252"
        );
    }

    #[test]
    fn what_is_not_text_is_refused() {
        let error = |bytes: &[u8], path: &str| {
            document(path.into(), bytes, Some(Path::new(path)))
                .unwrap_err()
                .to_string()
        };
        assert!(error(b"\xff\xd8\xff\xe0\x00\x10JFIF", "a.jpg").contains("is a picture"));
        assert!(error(b"\0\0\0\x18ftypheic\0\xff\0\0", "a.heic").contains("is a picture"));
        assert!(error(b"RIFF\x24\0\0\0WAVEfmt ", "a.wav").contains("NUL bytes"));
        let report = error(b"%PDF-1.7\n%\xe2\xe3", "my report.pdf");
        assert_eq!(
            report.contains("pdftotext 'my report.pdf' - | ask"),
            cfg!(not(feature = "pdf"))
        );
        assert!(error(b"PK\x03\x04\x14\x00", "a.docx").contains("cut off"));
        assert!(error(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "a.doc").contains("password"));
    }

    #[test]
    fn the_format_is_that_of_the_extension_or_the_one_that_is_given() {
        let bytes = b"# Minutes\n\nIt was moved by *Ines*.";
        let text = |name: &str, path: Option<&str>| {
            let document = document(name.into(), bytes, path.map(Path::new)).unwrap();
            document.text().to_owned()
        };
        let (marked, plain) = (
            "Minutes\n\nIt was moved by Ines.",
            std::str::from_utf8(bytes).unwrap(),
        );
        assert_eq!(text("a.MD", None).trim(), marked);
        assert_eq!(text("a", Some("folder/a.md")).trim(), marked);
        assert_eq!(text("a.md", Some("a.txt")), plain);
        assert_eq!(text("a", None), plain);
        // A stream has a name for people.
        let options = ReadOptions::default();
        assert_eq!(read_stream(&bytes[..], "a.md", &options).unwrap().text(), plain);
        assert!(read_stream(&b"<p>The dam broke."[..], "a.html", &options).is_ok());
        assert_eq!(text("a.html", None), "# Minutes It was moved by *Ines*.");
        let given = |format| document_as("a.md".into(), bytes, format).unwrap();
        assert_eq!(given(Format::Plain).text(), plain);
        assert_eq!(given(Format::Markdown).text().trim(), marked);
        let latin = document_as("a".into(), b"caf\xe9 na\xefve", Format::Markdown).unwrap();
        assert_eq!(
            (latin.text(), latin.encoding()),
            ("caf\u{e9} na\u{ef}ve", "windows-1252")
        );
        assert!(document_as("a".into(), b"\0", Format::Plain).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_said_to_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = read_file(folder.path(), &ReadOptions::default()).unwrap_err();
        let expected = "is a folder, not a regular file; name the files in it";
        assert!(error.to_string().ends_with(expected), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_that_nobody_writes_to_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe.txt");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let error = read_file(&path, &ReadOptions::default()).unwrap_err();
        assert!(matches!(error, Error::NotRegular { .. }), "{error}");
    }

    #[test]
    fn a_path_that_cannot_be_read_is_named_once() {
        #[derive(Debug)]
        struct OfWalk(std::io::Error);
        impl std::fmt::Display for OfWalk {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "IO error for operation on noperm: {}", self.0)
            }
        }
        impl std::error::Error for OfWalk {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let denied = OfWalk(std::io::Error::from_raw_os_error(13));
        let error = open_error(Path::new("noperm"), std::io::Error::other(denied)).to_string();
        assert_eq!(error.matches("noperm").count(), 1, "{error}");
        assert!(
            error.starts_with("noperm: cannot be read: ") && error.contains("13"),
            "{error}"
        );
    }

    #[test]
    fn the_limit_is_exact() {
        let options = ReadOptions {
            max_bytes: 4,
            ..ReadOptions::default()
        };
        assert!(read_stream(&b"four"[..], "t", &options).is_ok());
        assert!(matches!(
            read_stream(&b"fives"[..], "t", &options),
            Err(Error::DocumentTooLarge { .. })
        ));
    }
}
