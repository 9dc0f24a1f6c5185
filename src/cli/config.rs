//! `ask.toml`: default documents and options.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use super::Environment;
use super::args::{Around, Colour};
use crate::engine::{Device, Kind};
use crate::error::Error;

pub(super) const FILE_NAME: &str = "ask.toml";
const MAX_BYTES: u64 = 1 << 20;

/// What `ask.toml` may hold. Paths are relative to the file's folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Config {
    /// The file itself, as messages name it.
    #[serde(skip)]
    pub(super) file: PathBuf,
    #[serde(default)]
    pub(super) docs: Vec<PathBuf>,
    pub(super) model: Option<Model>,
    pub(super) engine: Option<Kind>,
    pub(super) device: Option<Device>,
    pub(super) top: Option<usize>,
    pub(super) context: Option<Around>,
    pub(super) min_confidence: Option<f64>,
    pub(super) always_answer: Option<bool>,
    pub(super) skim: Option<bool>,
    pub(super) threads: Option<usize>,
    pub(super) no_ignore: Option<bool>,
    pub(super) max_mib: Option<u64>,
    pub(super) color: Option<Colour>,
}

/// A model as the file names it: relative to this folder, or by a name.
#[derive(Debug, Deserialize)]
#[serde(from = "PathBuf")]
pub(super) struct Model {
    pub(super) typed: PathBuf,
    pub(super) folder: PathBuf,
}

impl From<PathBuf> for Model {
    fn from(typed: PathBuf) -> Self {
        let folder = PathBuf::new();
        Self { typed, folder }
    }
}

impl Config {
    /// What messages call a key: `../ask.toml: top`.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}: {key}", self.file.display())
    }

    /// The documents that the file names, if it names any.
    pub(super) fn documents(&self) -> Option<Configured> {
        (!self.docs.is_empty()).then(|| Configured {
            docs: self.docs.clone(),
            key: self.name("docs"),
        })
    }
}

/// Documents that `ask.toml` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// Their paths.
    pub docs: Vec<PathBuf>,
    /// What messages call the key.
    pub key: String,
}

/// What messages call the keys of `ask.toml` that chose what reads; `None` for what was typed or left out.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) model: Option<String>,
    pub(super) engine: Option<String>,
    pub(super) device: Option<String>,
}

impl Chosen {
    /// The error in the words of who wrote `ask.toml`: nobody typed the option that it is about.
    pub(super) fn explain(&self, error: Error) -> anyhow::Error {
        match (&error, self) {
            (
                Error::EngineNotBuilt,
                Self {
                    engine: Some(key), ..
                },
            ) => anyhow!(
                "{key}: libtorch is not part of this program; build it with --features libtorch (README.md, Other models and engines), or remove that line"
            ),
            (
                Error::DeviceUnavailable { device, reason },
                Self {
                    device: Some(key), ..
                },
            ) => {
                anyhow!(
                    "{key}: {device}: {}",
                    reason.replace("leave out --device", "remove that line")
                )
            }
            (Error::ModelNotFound { model }, Self { model: Some(key), .. }) => anyhow!(
                "{key}: {}: no such folder; check the spelling, remove that line for the built-in one, or name one of those that ask models list shows",
                model.display()
            ),
            (_, Self { model: Some(key), .. }) => match error.to_string().strip_prefix("model ") {
                Some(reason) => anyhow!("{key}: {reason}"),
                None => error.into(),
            },
            _ => error.into(),
        }
    }
}

/// Where the user's own file would be.
pub(super) fn user_file() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("quotable").join(FILE_NAME))
}

/// Looks in the current folder, then in its parents, then in the user's configuration.
pub(super) fn find(environment: &Environment) -> anyhow::Result<Option<Config>> {
    let mut prefix = PathBuf::new();
    let depth = std::path::absolute(environment.directory.join(".")).map_or(0, |p| p.components().count());
    for _ in 0..depth.max(1) {
        let file = environment.directory.join(&prefix).join(FILE_NAME);
        if file.is_file() {
            return Ok(Some(load(&file, &environment.directory.join(&prefix))?));
        }
        prefix.push("..");
    }
    match &environment.user_configuration {
        Some(file) if file.is_file() => {
            let folder = file.parent().unwrap_or(Path::new("")).to_owned();
            Ok(Some(load(file, &folder)?))
        }
        _ => Ok(None),
    }
}

/// A message of serde's with the types of TOML instead of Rust's.
fn in_words(message: &str) -> String {
    let types = [
        ("usize", "a whole number"),
        ("u64", "a whole number"),
        ("f64", "a number"),
        ("a boolean", "true or false"),
        ("a sequence", "a list in brackets"),
        ("path string", "text in quotes"),
    ];
    let known = types.iter().find_map(|(rust, toml)| {
        let rest = message.strip_suffix(&format!("expected {rust}"))?;
        Some(format!("{rest}expected {toml}"))
    });
    known.unwrap_or_else(|| message.to_owned())
}

fn load(file: &Path, folder: &Path) -> anyhow::Result<Config> {
    let name = file.display();
    let size = std::fs::metadata(file)
        .with_context(|| format!("{name}: cannot be read"))?
        .len();
    if size > MAX_BYTES {
        bail!("{name}: has {size} bytes, the limit is {MAX_BYTES}; is it an ask.toml at all?");
    }
    let bytes = std::fs::read(file).with_context(|| format!("{name}: cannot be read"))?;
    let text =
        String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{name}: is not UTF-8; save it as that"))?;
    let mut config: Config = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let reason = in_words(&error.message().replace('\n', " "));
        anyhow::anyhow!("{name}:{line}: {reason}; correct or remove that line")
    })?;
    file.clone_into(&mut config.file);
    for path in &mut config.docs {
        *path = folder.join(&*path);
    }
    if let Some(model) = &mut config.model {
        folder.clone_into(&mut model.folder);
    }
    Ok(config)
}
