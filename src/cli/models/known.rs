//! All that is known of a model without running it: what the registry says, and what lies in its folder.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::store;
use crate::cli::Environment;
use crate::engine::Kind;
use crate::error::{Error, Result};
use crate::model::Manifest;
use crate::model::cache::{LIBTORCH_WEIGHTS, Snapshot};
use crate::model::registry::{self, BUILT_IN, Entry};
use crate::model::store::{CONFIG, GENERATION, MANIFEST, TOKENIZER, WEIGHTS, read};

/// The most bytes of a header that says which tensors a file has.
const MOST_HEADER_BYTES: u64 = 16 << 20;

/// A model that somebody named.
#[derive(Debug, Serialize)]
pub(super) struct Known {
    /// As it was named.
    pub(super) name: String,
    /// What the registry says.
    pub(super) recommended: Option<&'static Entry>,
    /// What is here.
    pub(super) here: Option<Here>,
}

/// What lies in a model's folder.
#[derive(Debug, Serialize)]
pub(super) struct Here {
    /// `None` for the built-in model.
    pub(super) path: Option<PathBuf>,
    /// Whether nothing is missing.
    pub(super) whole: bool,
    /// Of a snapshot of the hub.
    pub(super) commit: Option<String>,
    pub(super) revisions: Vec<String>,
    /// The day of `ask models pull`, where it was that.
    pub(super) pulled: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) engines: &'static [Kind],
    /// Numbers in the weights, counted in their header.
    pub(super) parameters: Option<u64>,
    pub(super) licence: Option<String>,
    pub(super) calibrated: bool,
    pub(super) files: Vec<FileHere>,
}

#[derive(Debug, Serialize)]
pub(super) struct FileHere {
    pub(super) name: String,
    pub(super) bytes: u64,
}

impl Here {
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Finds out about a folder, a name, or the built-in model.
///
/// # Errors
/// When the name cannot be one.
pub(super) fn of(text: &str, environment: &Environment) -> Result<Known> {
    let folder = environment.directory.join(text);
    if folder.is_dir() {
        return Ok(Known {
            name: text.to_owned(),
            recommended: None,
            here: Some(of_folder(&folder)),
        });
    }
    if text == BUILT_IN {
        return Ok(built_in());
    }
    let looks_like_path = text.starts_with(['.', '/', '~']) || text.contains('\\');
    let name = match registry::resolve(text) {
        Err(_) if looks_like_path => return Err(Error::ModelNotFound { model: folder }),
        name => name?,
    };
    Ok(Known {
        name: text.to_owned(),
        recommended: registry::of_repository(name.repository()),
        here: store(environment)?.find(&name).as_ref().map(of_snapshot),
    })
}

pub(super) fn built_in() -> Known {
    let manifest = Manifest::parse(include_str!("../../../models/reader/manifest.toml")).ok();
    let files = manifest.iter().flat_map(|manifest| &manifest.files);
    let files = files.map(|(name, entry)| FileHere {
        name: name.clone(),
        bytes: entry.bytes,
    });
    Known {
        name: BUILT_IN.to_owned(),
        recommended: None,
        here: Some(Here {
            path: None,
            whole: true,
            commit: None,
            revisions: Vec::new(),
            pulled: None,
            architecture: manifest.as_ref().map(|manifest| manifest.architecture.clone()),
            engines: &[Kind::Native],
            parameters: None,
            licence: manifest.as_ref().map(|manifest| manifest.licence.clone()),
            calibrated: true,
            files: files.collect(),
        }),
    }
}

pub(super) fn of_snapshot(snapshot: &Snapshot) -> Here {
    Here {
        commit: Some(snapshot.commit().to_owned()),
        revisions: snapshot.revisions(),
        pulled: snapshot.record().map(|record| record.date),
        ..of_folder(snapshot.directory())
    }
}

pub(super) fn of_folder(folder: &Path) -> Here {
    let names = [MANIFEST, CONFIG, GENERATION, TOKENIZER, WEIGHTS, LIBTORCH_WEIGHTS];
    let files: Vec<FileHere> = names
        .into_iter()
        .filter_map(|name| {
            let metadata = folder.join(name).metadata().ok()?;
            metadata.is_file().then(|| FileHere {
                name: name.to_owned(),
                bytes: metadata.len(),
            })
        })
        .collect();
    let has = |name: &str| files.iter().any(|file| file.name == name);
    let text = |name: &str| String::from_utf8(read(folder, name).ok()?).ok();
    let manifest = text(MANIFEST).and_then(|text| Manifest::parse(&text).ok());
    let architecture = text(CONFIG).and_then(|text| {
        let config: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some(
            config
                .get("model_type")?
                .as_str()?
                .chars()
                .take(40)
                .collect::<String>(),
        )
    });
    Here {
        whole: has(CONFIG) && has(TOKENIZER) && (has(WEIGHTS) || has(LIBTORCH_WEIGHTS)),
        path: Some(folder.to_owned()),
        commit: None,
        revisions: Vec::new(),
        pulled: None,
        engines: engines(architecture.as_deref(), has(WEIGHTS)),
        architecture,
        parameters: parameters(&folder.join(WEIGHTS)),
        licence: manifest
            .as_ref()
            .map(|manifest| manifest.licence.clone())
            .filter(|licence| !licence.is_empty()),
        calibrated: manifest.is_some_and(|manifest| manifest.calibration.is_some()),
        files,
    }
}

/// What runs a model of this architecture: without safetensors, libtorch alone.
fn engines(architecture: Option<&str>, safetensors: bool) -> &'static [Kind] {
    let engines = registry::engines(architecture.unwrap_or(""));
    match engines {
        _ if safetensors => engines,
        engines if engines.contains(&Kind::Libtorch) => &[Kind::Libtorch],
        _ => &[],
    }
}

/// Counts what a safetensors file holds, from its header.
fn parameters(path: &Path) -> Option<u64> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > MOST_HEADER_BYTES {
        return None;
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).ok()?;
    let metadata: safetensors::tensor::Metadata = serde_json::from_slice(&header).ok()?;
    let sizes = metadata.tensors().into_values().map(|tensor| {
        let sizes = tensor.shape.iter().map(|&n| n as u64);
        sizes.fold(1_u64, u64::saturating_mul)
    });
    Some(sizes.fold(0, u64::saturating_add))
}
