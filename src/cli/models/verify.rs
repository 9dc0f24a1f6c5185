//! `ask models verify`

use std::path::Path;

use serde::Serialize;

use super::known::{self, FileHere};
use crate::cli::render::harmless;
use crate::cli::{ANSWERED, Environment, json};
use crate::document::{Document, Format};
use crate::engine::{Choice, Device, Kind};
use crate::error::{Error, Result};
use crate::model::Manifest;
use crate::model::cache::{self, Expected, Hash};
use crate::model::registry::{self, Task};
use crate::model::store::{MANIFEST, read};
use crate::reader::{AskOptions, Reader};

/// Exit code: something is wrong with the model.
const WRONG: u8 = 1;

#[derive(Serialize)]
struct Report {
    name: String,
    sound: bool,
    files: Vec<FileReport>,
    /// Whether it was loaded and asked; `null` where only another engine can.
    loads: Option<bool>,
    /// What is wrong when it is loaded, or why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct FileReport {
    name: String,
    bytes: u64,
    /// `null` where nothing says what it has to be.
    sound: Option<bool>,
    /// Who says what it has to be, or what is wrong.
    says: String,
}

pub(super) fn run(model: &str, json: bool, environment: &mut Environment) -> anyhow::Result<u8> {
    let known = known::of(model, environment)?;
    let Some(here) = known.here else {
        return Err(Error::ModelNotPulled {
            name: model.to_owned(),
            store: super::store(environment)?.root().to_owned(),
        }
        .into());
    };
    let files = match &here.path {
        Some(folder) => of_folder(folder, &here.files)?,
        None => here.files.iter().map(of_built_in).collect(),
    };
    let native = here.path.is_none() || here.engines.contains(&Kind::Native) || here.engines.is_empty();
    let (loads, reason) = if !native && here.whole && !cfg!(feature = "libtorch") {
        let reason = "not loaded: only the engine libtorch reads it, which this program was built without";
        (None, Some(reason.to_owned()))
    } else {
        let kind = if native { Kind::Native } else { Kind::Libtorch };
        let writes = here
            .architecture
            .as_deref()
            .is_some_and(|name| registry::task(name) == Task::Summaries);
        let loaded = match &here.path {
            Some(folder) if writes => (environment.load_generator)(folder, Device::Cpu).map(|_| ()),
            folder => ask_something(folder.as_deref(), kind, environment),
        };
        match loaded {
            Ok(()) => (Some(true), None),
            Err(error) => (Some(false), Some(error.to_string())),
        }
    };
    let report = Report {
        name: known.name,
        sound: loads != Some(false) && files.iter().all(|file| file.sound != Some(false)),
        files,
        loads,
        reason,
    };
    let text = if json {
        json::line(&report)?
    } else {
        text(&report).into_bytes()
    };
    environment.print(&text)?;
    Ok(if report.sound { ANSWERED } else { WRONG })
}

/// Hashes what there is.
fn of_folder(folder: &Path, files: &[FileHere]) -> Result<Vec<FileReport>> {
    let manifest = match files.iter().any(|file| file.name == MANIFEST) {
        true => String::from_utf8(read(folder, MANIFEST)?)
            .ok()
            .and_then(|text| Manifest::parse(&text).ok()),
        false => None,
    };
    let mut reports = Vec::new();
    for file in files.iter().filter(|file| file.name != MANIFEST) {
        let listed = manifest.as_ref().and_then(|manifest| {
            let entry = manifest.files.get(&file.name)?;
            Some(Expected {
                hash: Hash::Sha256(entry.sha256.to_ascii_lowercase()),
                bytes: Some(entry.bytes),
                source: MANIFEST,
            })
        });
        let (sound, says) = match listed.or_else(|| cache::expected(folder, &file.name)) {
            None => (None, "nothing says what it has to be".to_owned()),
            Some(expected) => match check(&expected, &folder.join(&file.name))? {
                Ok(()) => (
                    Some(true),
                    format!("{} as {} says", expected.hash.kind(), expected.source),
                ),
                Err(reason) => (Some(false), reason),
            },
        };
        reports.push(FileReport {
            name: file.name.clone(),
            bytes: file.bytes,
            sound,
            says,
        });
    }
    Ok(reports)
}

fn check(expected: &Expected, path: &Path) -> Result<Result<(), String>> {
    expected.check_file(path).map_err(|reason| Error::Unreadable {
        path: path.to_owned(),
        reason,
    })
}

/// The build has verified them.
fn of_built_in(file: &FileHere) -> FileReport {
    FileReport {
        name: file.name.clone(),
        bytes: file.bytes,
        sound: Some(true),
        says: format!("SHA-256 as {MANIFEST} says, verified when the program was built"),
    }
}

/// Loads a model, which checks names, types and shapes of all tensors, and asks it something.
fn ask_something(folder: Option<&Path>, kind: Kind, environment: &Environment) -> Result<()> {
    let choice = Choice {
        kind,
        device: Device::Cpu,
    };
    let reader: Reader = (environment.load)(folder, choice)?;
    let document = Document::new("note", "The bridge was opened in 1931.", Format::Plain)?;
    reader
        .ask("When was it opened?", &[&document], &AskOptions::default())
        .map(|_| ())
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for file in &report.files {
        let verdict = match file.sound {
            Some(true) => "ok",
            Some(false) => "WRONG",
            None => "not checked",
        };
        text += &format!(
            "{:<18}{verdict}: {}\n",
            harmless(&file.name),
            harmless(&file.says)
        );
    }
    let verdict = match (report.loads, &report.reason) {
        (Some(true), _) => "ok: it loads".to_owned(),
        (Some(false), Some(reason)) => format!("WRONG: {reason}"),
        (_, reason) => reason.clone().unwrap_or_default(),
    };
    text + &format!("{:<18}{}\n", "the model", harmless(&verdict))
}
