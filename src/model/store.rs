//! Where models are: in the program, or in a directory, which may be a snapshot of the hub's [`cache`].

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::cache::{self, hex};
use super::manifest::Manifest;
use crate::error::{Error, Result};

/// A file's bytes: part of the program, or read.
pub type Bytes = Cow<'static, [u8]>;

/// The files of a model, read and verified against its manifest where there is one.
pub(super) struct Files {
    pub(super) manifest: Option<Cow<'static, str>>,
    pub(super) config: Bytes,
    pub(super) tokenizer: Bytes,
    /// The tokenizer's vocabulary, where it stands apart: see [`Tokenizer::from_parts`](super::Tokenizer::from_parts).
    pub(super) vocabulary: Option<&'static str>,
    pub(super) weights: Bytes,
    pub(super) origin: PathBuf,
}

pub(crate) const MANIFEST: &str = "manifest.toml";
pub(crate) const CONFIG: &str = "config.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";

/// How a model that writes is made to write, where it has such a file.
pub(crate) const GENERATION: &str = "generation_config.json";

const LIMITS: &[(&str, u64)] = &[
    (MANIFEST, 1 << 20),
    (CONFIG, 1 << 20),
    (TOKENIZER, 64 << 20),
    (WEIGHTS, 8 << 30),
    (cache::LIBTORCH_WEIGHTS, 8 << 30),
    (GENERATION, 1 << 20),
];

/// The most bytes that a file of this name may have; 0 for a name that is no file of a model.
pub(crate) fn limit(name: &str) -> u64 {
    LIMITS
        .iter()
        .find(|(n, _)| *n == name)
        .map_or(0, |(_, limit)| *limit)
}

/// Aligns embedded bytes, so that an engine may borrow tensors of any type from them.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

static EMBEDDED_WEIGHTS: &Aligned<[u8]> = &Aligned(*include_bytes!("../../models/reader/model.safetensors"));

/// `build.rs` has compared these files with the manifest's sizes and hashes, and taken the vocabulary out of
/// `tokenizer.json`.
pub(super) fn embedded() -> Files {
    Files {
        manifest: Some(Cow::Borrowed(include_str!("../../models/reader/manifest.toml"))),
        config: Cow::Borrowed(include_bytes!("../../models/reader/config.json")),
        tokenizer: Cow::Borrowed(include_bytes!(concat!(env!("OUT_DIR"), "/tokenizer.json"))),
        vocabulary: Some(include_str!(concat!(env!("OUT_DIR"), "/vocabulary.txt"))),
        weights: Cow::Borrowed(&EMBEDDED_WEIGHTS.0),
        origin: PathBuf::from("(embedded)"),
    }
}

/// Reads a model directory.
pub(super) fn directory(directory: &Path) -> Result<Files> {
    let folder = Folder::open(directory)?;
    Ok(Files {
        config: folder.file(CONFIG)?,
        tokenizer: folder.file(TOKENIZER)?,
        vocabulary: None,
        weights: folder.weights()?,
        manifest: folder.manifest_text.map(Cow::Owned),
        origin: directory.to_owned(),
    })
}

/// The files of a model that writes.
#[cfg(feature = "libtorch")]
pub(crate) struct WriterFiles {
    pub(crate) config: Bytes,
    /// How it is made to write, where that stands apart.
    pub(crate) generation: Option<Bytes>,
    pub(crate) tokenizer: Bytes,
    pub(crate) weights: Bytes,
}

/// Reads the directory of a model that writes.
#[cfg(feature = "libtorch")]
pub(crate) fn writer(directory: &Path) -> Result<WriterFiles> {
    let folder = Folder::open(directory)?;
    let missing = |result: &Result<Bytes>| matches!(result, Err(Error::ModelFileMissing { .. }));
    let config = folder.file(CONFIG)?;
    let generation = folder.file(GENERATION);
    Ok(WriterFiles {
        config,
        generation: if missing(&generation) {
            None
        } else {
            Some(generation?)
        },
        tokenizer: folder.file(TOKENIZER)?,
        weights: folder.weights()?,
    })
}

/// A model directory with what its manifest says, if it has one.
struct Folder<'a> {
    directory: &'a Path,
    manifest_text: Option<String>,
    manifest: Option<Manifest>,
}

impl<'a> Folder<'a> {
    fn open(directory: &'a Path) -> Result<Self> {
        if !directory.is_dir() {
            return Err(match std::fs::metadata(directory) {
                Err(reason) if reason.kind() != std::io::ErrorKind::NotFound => Error::Unreadable {
                    path: directory.to_owned(),
                    reason,
                },
                Err(_) => Error::ModelNotFound {
                    model: directory.to_owned(),
                },
                Ok(_) => Error::ModelIsFile {
                    model: directory.to_owned(),
                },
            });
        }
        let manifest_text = match read(directory, MANIFEST) {
            Ok(bytes) => {
                Some(String::from_utf8(bytes).map_err(|_| invalid(directory, MANIFEST, "is not UTF-8"))?)
            }
            Err(Error::ModelFileMissing { .. }) => None,
            Err(error) => return Err(error),
        };
        let manifest = match &manifest_text {
            Some(text) => Some(Manifest::parse(text).map_err(|e| invalid(directory, MANIFEST, &e))?),
            None => None,
        };
        Ok(Self {
            directory,
            manifest_text,
            manifest,
        })
    }

    /// A file, compared with what the manifest says of it, else with what the hub's cache does.
    fn file(&self, name: &str) -> Result<Bytes> {
        let bytes = read(self.directory, name)?;
        match &self.manifest {
            Some(manifest) => verify(manifest, name, &bytes),
            None => match cache::expected(self.directory, name) {
                Some(expected) => expected.check(&bytes),
                None => Ok(()),
            },
        }
        .map_err(|e| invalid(self.directory, name, &e))?;
        Ok(Cow::Owned(bytes))
    }

    /// The weights in the layout of safetensors, whatever file they are in.
    fn weights(&self) -> Result<Bytes> {
        match self.file(WEIGHTS) {
            #[cfg(feature = "libtorch")]
            Err(Error::ModelFileMissing { .. }) if self.directory.join(cache::LIBTORCH_WEIGHTS).exists() => {
                let bytes = super::ot::to_safetensors(&self.file(cache::LIBTORCH_WEIGHTS)?);
                bytes
                    .map(Cow::Owned)
                    .map_err(|reason| invalid(self.directory, cache::LIBTORCH_WEIGHTS, &reason))
            }
            weights => weights,
        }
    }
}

/// Compares a file with what the manifest says of it.
fn verify(manifest: &Manifest, name: &str, bytes: &[u8]) -> Result<(), String> {
    let Some(entry) = manifest.files.get(name) else {
        return Err(format!(
            "manifest.toml does not list it; add its size and SHA-256 under [files.\"{name}\"]"
        ));
    };
    if entry.bytes != bytes.len() as u64 {
        return Err(format!(
            "has {} bytes, manifest.toml says {}",
            bytes.len(),
            entry.bytes
        ));
    }
    let hash = hex(&Sha256::digest(bytes));
    if !entry.sha256.eq_ignore_ascii_case(&hash) {
        return Err(format!("has SHA-256 {hash}, manifest.toml says otherwise"));
    }
    Ok(())
}

pub(crate) fn read(directory: &Path, name: &str) -> Result<Vec<u8>> {
    let limit = limit(name);
    let path = directory.join(name);
    let unreadable = |reason: std::io::Error| match reason.kind() {
        std::io::ErrorKind::NotFound => Error::ModelFileMissing {
            model: directory.to_owned(),
            file: name.to_owned(),
        },
        _ => Error::Unreadable {
            path: path.clone(),
            reason,
        },
    };
    // Looked at before it is opened: opening a named pipe would wait for a writer.
    let metadata = std::fs::metadata(&path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(invalid(directory, name, "is not a regular file"));
    }
    if metadata.len() > limit {
        return Err(invalid(
            directory,
            name,
            &format!("has {} bytes, the limit is {limit}", metadata.len()),
        ));
    }
    let mut bytes = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    Ok(bytes)
}

fn invalid(directory: &Path, file: &str, reason: &str) -> Error {
    Error::ModelFileInvalid {
        model: directory.to_owned(),
        file: file.to_owned(),
        reason: reason.to_owned(),
    }
}
