//! Reading and writing whole files, within limits.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::problem::{Result, at, whole};
use super::squad::reason;

/// What the JSON of a file says, of which nothing stands behind it; the place of what is wrong in it is named.
pub(super) fn parsed<'a, T: Deserialize<'a>>(name: &str, text: &'a str, remedy: &str) -> Result<T> {
    let wrong = |error: &serde_json::Error, what: String| {
        at(name, (error.line().max(1), error.column().max(1)), what, remedy)
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let reason = reason(error.inner());
        let what = match error.path().to_string().as_str() {
            "." => reason,
            path => format!("{path}: {reason}"),
        };
        wrong(error.inner(), what)
    })?;
    json.end().map_err(|error| wrong(&error, reason(&error)))?;
    Ok(read)
}

/// Reads a text file of at most `limit` bytes. Only regular files are opened.
pub(super) fn read(path: &Path, limit: u64, kind: &str) -> Result<String> {
    let name = path.display().to_string();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => whole(&name, "no such file", "check the spelling"),
        _ => whole(
            &name,
            format!("cannot be read: {error}"),
            "check that you may read it",
        ),
    };
    // Looked at before it is opened: opening a named pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "is a folder"
        } else {
            "is not a regular file"
        };
        return Err(whole(&name, what, format!("name {kind}")));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        let what = format!("is over the limit of {} MiB for {kind}", limit >> 20);
        return Err(whole(&name, what, "split it"));
    }
    if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x28\xb5\x2f\xfd") {
        return Err(whole(
            &name,
            "is compressed",
            "decompress it first: gzip -d or zstd -d",
        ));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        whole(
            &name,
            format!("is not UTF-8 text (byte {at})"),
            format!("name {kind}"),
        )
    })
}

/// The path of a file without `folder/..`, to be shown; as it is where that would be another file, since a
/// folder may be a link.
pub(super) fn shortest(path: &Path) -> PathBuf {
    let mut short = PathBuf::new();
    for part in path.components() {
        match (part, short.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                short.pop();
            }
            _ => short.push(part),
        }
    }
    match (path.canonicalize(), short.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => short,
        _ => path.to_owned(),
    }
}

/// What makes two names of a file the same one, whether it is there yet or not.
#[must_use]
pub fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = folder_of(path).canonicalize();
        match (folder, path.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => path.to_owned(),
        }
    })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether [`write()`] or, with `append`, adding to the file would be let: neither changes nor leaves anything.
///
/// # Errors
/// When not: the operating system's.
pub fn check_writable(path: &Path, append: bool) -> std::io::Result<()> {
    match path.canonicalize() {
        Ok(real) if append => File::options().append(true).open(real).map(drop),
        Ok(real) => temporary(&real).map(drop),
        Err(_) => temporary(path).map(drop),
    }
}

/// A file beside another one that is to take its name. The error does not name it: nobody asked for it.
fn temporary(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ask-");
    #[cfg(unix)]
    {
        // As the file has it, or as a new file gets it: a temporary file alone is its owner's only.
        use std::os::unix::fs::PermissionsExt;
        let mode = path.metadata().map_or(0o666, |m| m.permissions().mode());
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    let folder = folder_of(path);
    // What is wrong with the folder in the operating system's words.
    folder.metadata()?;
    builder.tempfile_in(folder).map_err(|error| error.kind().into())
}

/// Writes a file whole or not at all: into a file beside it, which then takes its name. What is no regular
/// file (`/dev/stdout`) is written to directly.
///
/// # Errors
/// The operating system's.
pub fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return File::options().write(true).open(path)?.write_all(content);
    }
    // A link keeps its name and its target gets the content.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut file = temporary(&path)?;
    file.as_file_mut().write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// The file's name, for what stands in it: groups of questions have to be told from those of other suites.
pub(super) fn name(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_without_detours() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("suites/deep")).unwrap();
        std::fs::write(root.join("a.txt"), "a").unwrap();
        assert_eq!(
            shortest(&root.join("suites/deep/../../a.txt")),
            root.join("a.txt")
        );
        let missing = root.join("suites/../b.txt");
        assert_eq!(shortest(&missing), missing);
        #[cfg(unix)]
        {
            // Through a link, `..` is another folder than it looks like.
            std::os::unix::fs::symlink(root.join("suites/deep"), root.join("link")).unwrap();
            std::fs::write(root.join("suites/a.txt"), "another").unwrap();
            let linked = root.join("link/../a.txt");
            assert_eq!(shortest(&linked), linked);
        }
    }
}
