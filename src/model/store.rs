//! Where models are: in the program, or in a directory.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

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

const MANIFEST: &str = "manifest.toml";
const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";

/// What rust-bert calls its weights, read where there is no [`WEIGHTS`].
const RUST_WEIGHTS: &str = "rust_model.ot";

const LIMITS: [(&str, u64); 5] = [
    (MANIFEST, 1 << 20),
    (CONFIG, 1 << 20),
    (TOKENIZER, 64 << 20),
    (WEIGHTS, 8 << 30),
    (RUST_WEIGHTS, 8 << 30),
];

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
    if !directory.is_dir() {
        return Err(match std::fs::metadata(directory) {
            Err(reason) if reason.kind() != std::io::ErrorKind::NotFound => Error::Unreadable {
                path: directory.to_owned(),
                reason,
            },
            Err(_) => Error::ModelNotFound {
                model: directory.to_owned(),
            },
            Ok(_) => Error::ModelFileMissing {
                model: directory.to_owned(),
                file: CONFIG.to_owned(),
            },
        });
    }
    let manifest = match read(directory, MANIFEST) {
        Ok(bytes) => {
            Some(String::from_utf8(bytes).map_err(|_| invalid(directory, MANIFEST, "is not UTF-8"))?)
        }
        Err(Error::ModelFileMissing { .. }) => None,
        Err(error) => return Err(error),
    };
    let parsed = match &manifest {
        Some(text) => Some(Manifest::parse(text).map_err(|e| invalid(directory, MANIFEST, &e))?),
        None => None,
    };
    let verified = |name: &str| -> Result<Bytes> {
        let bytes = read(directory, name)?;
        if let Some(manifest) = &parsed {
            verify(manifest, name, &bytes).map_err(|e| invalid(directory, name, &e))?;
        }
        Ok(Cow::Owned(bytes))
    };
    let weights = match verified(WEIGHTS) {
        #[cfg(feature = "libtorch")]
        Err(Error::ModelFileMissing { .. }) if directory.join(RUST_WEIGHTS).exists() => Cow::Owned(
            super::ot::to_safetensors(&verified(RUST_WEIGHTS)?)
                .map_err(|reason| invalid(directory, RUST_WEIGHTS, &reason))?,
        ),
        weights => weights?,
    };
    Ok(Files {
        config: verified(CONFIG)?,
        tokenizer: verified(TOKENIZER)?,
        vocabulary: None,
        weights,
        manifest: manifest.map(Cow::Owned),
        origin: directory.to_owned(),
    })
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn read(directory: &Path, name: &str) -> Result<Vec<u8>> {
    let limit = LIMITS.iter().find(|(n, _)| *n == name).map_or(0, |(_, l)| *l);
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
