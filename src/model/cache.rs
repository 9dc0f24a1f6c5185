//! The cache of the Hugging Face hub on this machine: which models it holds, and what their files have to be.
//!
//! The layout is that of Python's `huggingface_hub`, so that both share what either has downloaded:
//!
//! ```text
//! models--OWNER--NAME/blobs/HASH                 the files, named by their hash
//! models--OWNER--NAME/snapshots/COMMIT/FILE      links to them
//! models--OWNER--NAME/refs/REVISION              the commit that a branch or tag was when it was last asked for
//! models--OWNER--NAME/pulled/COMMIT.toml         ours: sizes and SHA-256 of what `ask models pull` got
//! ```
//!
//! This module reads it and opens no connection; [`hub`](crate::hub) writes it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::manifest::FileEntry;
use super::store::{CONFIG, TOKENIZER, WEIGHTS};

/// Weights as libtorch stores them, without pickle; read by that engine alone.
pub const LIBTORCH_WEIGHTS: &str = "rust_model.ot";

/// The revision of a name that gives none.
pub const MAIN: &str = "main";

/// Most bytes of a record or a reference that are read.
const MOST_BYTES: u64 = 1 << 16;

/// A model on the hub: `owner/name`, or `owner/name@revision`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    repository: String,
    revision: Option<String>,
}

impl Name {
    /// Reads `owner/name` or `owner/name@revision`.
    ///
    /// # Errors
    /// What is wrong with it. A name that was read can be part of a path: it has no `..`, no empty part and no
    /// character but letters, digits, `.`, `_`, `-` and, in the revision, `/`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (repository, revision) = match text.split_once('@') {
            Some((repository, revision)) => (repository, Some(revision)),
            None => (text, None),
        };
        let Some((owner, name)) = repository.split_once('/') else {
            return Err("it has no owner".to_owned());
        };
        for part in [owner, name] {
            // "--" separates owner and name in the cache's folders.
            if !is_plain(part) || part.contains("--") {
                return Err(format!("\"{part}\" cannot be an owner or a name"));
            }
        }
        if let Some(revision) = revision
            && (revision.len() > 200 || !revision.split('/').all(is_plain))
        {
            return Err(format!("\"{revision}\" cannot be a revision"));
        }
        Ok(Self {
            repository: repository.to_owned(),
            revision: revision.map(str::to_owned),
        })
    }

    /// `owner/name`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// A branch, a tag or a commit; [`MAIN`] where the name gives none.
    #[must_use]
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(MAIN)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
}

/// Whether this may be a part of a path: never `..`, never a hidden file.
fn is_plain(part: &str) -> bool {
    (1..=96).contains(&part.len())
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && !part.starts_with(['.', '-'])
        && !part.ends_with('.')
        && !part.contains("..")
}

/// Whether this is the full id of a commit.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The hash that names a file of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256, of large files. Lower-case hexadecimal, as the other.
    Sha256(String),
    /// The name that git gives to a file: SHA-1 of `blob SIZE\0` and its bytes.
    Git(String),
}

impl Hash {
    /// Reads 64 or 40 hexadecimal digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.len() {
            64 if is_hex(text) => Some(Self::Sha256(text.to_owned())),
            40 if is_hex(text) => Some(Self::Git(text.to_owned())),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::Git(hex) => hex,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Git(_) => "git hash",
        }
    }
}

/// Both hashes of bytes that come in pieces.
pub(crate) struct Hasher {
    sha256: Sha256,
    /// For small files only: a large one is never named so.
    git: Option<sha1::Sha1>,
}

/// What a [`Hasher`] has found.
pub(crate) struct Hashed {
    pub(crate) sha256: String,
    git: Option<String>,
}

impl Hasher {
    /// For a file of this many bytes that should have this hash.
    pub(crate) fn new(expected: &Hash, bytes: u64) -> Self {
        let git = matches!(expected, Hash::Git(_)).then(|| {
            let mut git = sha1::Sha1::new();
            sha1::Digest::update(&mut git, format!("blob {bytes}\0"));
            git
        });
        Self {
            sha256: Sha256::new(),
            git,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(git) = &mut self.git {
            sha1::Digest::update(git, bytes);
        }
    }

    pub(crate) fn finish(self) -> Hashed {
        Hashed {
            sha256: hex(&self.sha256.finalize()),
            git: self.git.map(|git| hex(&sha1::Digest::finalize(git))),
        }
    }
}

impl Hashed {
    /// The hash of the kind of `expected`.
    pub(crate) fn like<'a>(&'a self, expected: &Hash) -> &'a str {
        match expected {
            Hash::Sha256(_) => &self.sha256,
            Hash::Git(_) => self.git.as_deref().unwrap_or(""),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What a file has to be, and who says so.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) hash: Hash,
    pub(crate) bytes: Option<u64>,
    pub(crate) source: &'static str,
}

impl Expected {
    /// Compares bytes with it.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), String> {
        let size = bytes.len() as u64;
        self.check_size(size)?;
        let mut hasher = Hasher::new(&self.hash, size);
        hasher.update(bytes);
        self.check_hash(&hasher.finish())
    }

    /// Compares a file with it, piece by piece.
    ///
    /// # Errors
    /// When the file cannot be read. The inner error is what is wrong with it.
    #[cfg(feature = "cli")]
    pub(crate) fn check_file(&self, path: &Path) -> io::Result<Result<(), String>> {
        use std::io::Read;
        let mut file = std::fs::File::open(path)?;
        let size = file.metadata()?.len();
        if let Err(reason) = self.check_size(size) {
            return Ok(Err(reason));
        }
        let mut hasher = Hasher::new(&self.hash, size);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(self.check_hash(&hasher.finish())),
                n => hasher.update(&buffer[..n]),
            }
        }
    }

    fn check_size(&self, size: u64) -> Result<(), String> {
        match self.bytes.filter(|&expected| expected != size) {
            Some(expected) => Err(format!("has {size} bytes, {} says {expected}", self.source)),
            None => Ok(()),
        }
    }

    fn check_hash(&self, hashed: &Hashed) -> Result<(), String> {
        let found = hashed.like(&self.hash);
        if found == self.hash.as_str() {
            return Ok(());
        }
        Err(format!(
            "has {} {found}, {} says {}",
            self.hash.kind(),
            self.source,
            self.hash.as_str()
        ))
    }
}

/// What a file of a snapshot has to be: as `ask models pull` recorded it, or by the name of the blob that it is a
/// link to. `None` for a folder that is no snapshot.
pub(crate) fn expected(directory: &Path, file: &str) -> Option<Expected> {
    let snapshot = Snapshot::at(directory)?;
    let of_record = || {
        let entry = snapshot.record()?.files.get(file).cloned()?;
        Some(Expected {
            hash: Hash::parse(&entry.sha256)?,
            bytes: Some(entry.bytes),
            source: "the record of the pull",
        })
    };
    let of_blob = || {
        let target = std::fs::read_link(snapshot.directory.join(file)).ok()?;
        Some(Expected {
            hash: Hash::parse(target.file_name()?.to_str()?)?,
            bytes: None,
            source: "the name of its blob",
        })
    };
    of_record().or_else(of_blob)
}

/// What `ask models pull` got, kept beside the model: the pin to compare with later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// `owner/name`.
    pub(crate) repository: String,
    /// The revision that was asked for.
    pub(crate) asked: String,
    /// The commit that it was.
    pub(crate) commit: String,
    /// The hub that was asked.
    pub(crate) endpoint: String,
    /// The day of the pull, in UTC.
    pub(crate) date: String,
    pub(crate) files: BTreeMap<String, FileEntry>,
}

/// A cache of the hub's layout.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache in this folder.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where Python's tools look, too: `HF_HUB_CACHE`, else `HF_HOME`/hub, else huggingface/hub in `XDG_CACHE_HOME`,
    /// else in `~/.cache`. `None` without a home.
    pub fn of_variables(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let folder = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty())?;
            let path = PathBuf::from(value);
            match (path.strip_prefix("~"), etcetera::home_dir()) {
                (Ok(rest), Ok(home)) => Some(home.join(rest)),
                _ => Some(path),
            }
        };
        let root = folder("HF_HUB_CACHE")
            .or_else(|| Some(folder("HF_HOME")?.join("hub")))
            .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("huggingface/hub")))
            .or_else(|| Some(etcetera::home_dir().ok()?.join(".cache/huggingface/hub")))?;
        Some(Self::new(root))
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a repository.
    pub(crate) fn repository(&self, repository: &str) -> PathBuf {
        self.root
            .join(format!("models--{}", repository.replace('/', "--")))
    }

    /// The snapshot that a name stands for, whole or not.
    #[must_use]
    pub fn find(&self, name: &Name) -> Option<Snapshot> {
        let folder = self.repository(name.repository());
        let revision = name.revision();
        let commit = if is_commit(revision) {
            revision.to_owned()
        } else {
            read_small(&folder.join("refs").join(revision))?.trim().to_owned()
        };
        if !is_commit(&commit) {
            return None;
        }
        let directory = folder.join("snapshots").join(&commit);
        directory.is_dir().then(|| Snapshot {
            repository: name.repository().to_owned(),
            commit,
            directory,
        })
    }

    /// All snapshots, by name and commit. A cache that is not there has none.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> io::Result<Vec<Snapshot>> {
        let entries = match std::fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let snapshots = entry?.path().join("snapshots");
            let Ok(commits) = std::fs::read_dir(&snapshots) else {
                continue;
            };
            found.extend(commits.filter_map(|commit| Snapshot::at(&commit.ok()?.path())));
        }
        found.sort_by(|a, b| (&a.repository, &a.commit).cmp(&(&b.repository, &b.commit)));
        Ok(found)
    }
}

/// A commit of a model, as far as it is here.
#[derive(Debug, Clone)]
pub struct Snapshot {
    repository: String,
    commit: String,
    directory: PathBuf,
}

impl Snapshot {
    /// The snapshot in this folder, if the folder's path is that of one.
    pub(crate) fn at(directory: &Path) -> Option<Self> {
        let path = std::path::absolute(directory).ok()?;
        let commit = path.file_name()?.to_str().filter(|name| is_commit(name))?;
        let snapshots = path.parent()?;
        let folder = snapshots.parent()?.file_name()?.to_str()?;
        let (owner, name) = folder.strip_prefix("models--")?.split_once("--")?;
        let name = Name::parse(&format!("{owner}/{name}")).ok()?;
        (snapshots.file_name()? == "snapshots").then(|| Self {
            repository: name.repository,
            commit: commit.to_owned(),
            directory: path.clone(),
        })
    }

    /// `owner/name`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The commit's id, 40 hexadecimal digits.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The folder, in the layout of a model directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The weights' file, if it is here.
    #[must_use]
    pub fn weights(&self) -> Option<&'static str> {
        [WEIGHTS, LIBTORCH_WEIGHTS]
            .into_iter()
            .find(|file| self.directory.join(file).is_file())
    }

    /// Whether all that a model needs is here.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let has = |file: &str| self.directory.join(file).is_file();
        has(CONFIG) && has(TOKENIZER) && self.weights().is_some()
    }

    /// The branches and tags that stood for this commit when they were last asked for.
    #[must_use]
    pub fn revisions(&self) -> Vec<String> {
        let Some(refs) = self.folder().map(|folder| folder.join("refs")) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut folders = vec![(refs, String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                let name = format!("{prefix}{name}");
                match entry.file_type() {
                    // refs/pr/1 is as deep as they get.
                    Ok(kind) if kind.is_dir() && prefix.matches('/').count() < 3 => {
                        folders.push((entry.path(), format!("{name}/")));
                    }
                    Ok(kind)
                        if kind.is_file()
                            && read_small(&entry.path()).is_some_and(|text| text.trim() == self.commit) =>
                    {
                        found.push(name);
                    }
                    _ => {}
                }
            }
        }
        found.sort();
        found
    }

    /// What was recorded when it was pulled; `None` when another tool downloaded it.
    pub(crate) fn record(&self) -> Option<Record> {
        toml::from_str(&read_small(&self.record_path()?)?).ok()
    }

    pub(crate) fn record_path(&self) -> Option<PathBuf> {
        Some(
            self.folder()?
                .join("pulled")
                .join(format!("{}.toml", self.commit)),
        )
    }

    /// The repository's folder.
    fn folder(&self) -> Option<&Path> {
        self.directory.parent()?.parent()
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.commit)
    }
}

/// The text of a small regular file.
fn read_small(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return None;
    }
    std::fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_the_cache_are_refused() {
        for text in [
            "owner/name",
            "a/b@main",
            "deepset/roberta-base-squad2@refs/pr/4",
            "o/n.v1_2@v1.0",
        ] {
            assert_eq!(Name::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "name",
            "a/b/c",
            "../b",
            "a/..",
            "/a/b",
            "a/b@",
            "a/b@../../x",
            "a/b@x//y",
            "a/b@/x",
            "a/.b",
            "a--b/c",
            "a/b c",
            "a/b\u{202e}",
            "a\\b/c",
            "a/b@x@y",
            "https://host/a/b",
        ] {
            assert!(Name::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn git_names_files_by_size_and_content() {
        // `printf 'hello\n' | git hash-object --stdin`
        let expected = Expected {
            hash: Hash::parse("ce013625030ba8dba906f756967f9e9ca394464a").unwrap(),
            bytes: None,
            source: "git",
        };
        assert_eq!(expected.check(b"hello\n"), Ok(()));
        assert!(expected.check(b"hello").is_err());
    }

    #[test]
    fn the_cache_is_where_the_variables_say() {
        let with = |pairs: &'static [(&str, &str)]| {
            let find = move |name: &str| {
                pairs
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, value)| OsString::from(value))
            };
            Cache::of_variables(find).unwrap().root().to_owned()
        };
        assert_eq!(
            with(&[("HF_HOME", "/a"), ("XDG_CACHE_HOME", "/x")]),
            Path::new("/a/hub")
        );
        assert_eq!(
            with(&[("HF_HOME", "/a"), ("HF_HUB_CACHE", "/b")]),
            Path::new("/b")
        );
        assert_eq!(
            with(&[("HF_HOME", ""), ("XDG_CACHE_HOME", "/x")]),
            Path::new("/x/huggingface/hub")
        );
        assert!(with(&[]).ends_with(".cache/huggingface/hub"));
        assert!(!with(&[("HF_HOME", "~/h")]).starts_with("~"));
    }
}
