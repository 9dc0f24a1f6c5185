//! `ask.toml`: default documents and options.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::Environment;
use super::args::{Around, Colour};
use crate::engine::{Device, Kind};

pub(super) const FILE_NAME: &str = "ask.toml";
const MAX_BYTES: u64 = 1 << 20;

/// What `ask.toml` may hold. Paths are relative to the file's folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Config {
    #[serde(default)]
    pub(super) docs: Vec<PathBuf>,
    pub(super) model: Option<Model>,
    pub(super) engine: Option<Kind>,
    pub(super) device: Option<Device>,
    pub(super) top: Option<usize>,
    pub(super) context: Option<Around>,
    pub(super) min_confidence: Option<f64>,
    pub(super) always_answer: Option<bool>,
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

fn load(file: &Path, folder: &Path) -> anyhow::Result<Config> {
    let name = file.display();
    let size = std::fs::metadata(file)
        .with_context(|| format!("{name}: cannot be read"))?
        .len();
    if size > MAX_BYTES {
        bail!("{name}: has {size} bytes, the limit is {MAX_BYTES}; is it an ask.toml at all?");
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("{name}: cannot be read"))?;
    let mut config: Config = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let reason = error.message().replace('\n', " ");
        anyhow::anyhow!("{name}:{line}: {reason}; correct or remove that line")
    })?;
    for path in &mut config.docs {
        *path = folder.join(&*path);
    }
    if let Some(model) = &mut config.model {
        folder.clone_into(&mut model.folder);
    }
    Ok(config)
}
