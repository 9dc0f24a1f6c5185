//! Models: which there are, which are here, whether they are sound; and the one command that goes to the network.

pub mod args;
mod known;
mod list;
mod pull;
mod show;
mod verify;

use std::path::{Path, PathBuf};

use super::Environment;
use crate::error::{Error, Result};
use crate::model::cache::Cache;
use crate::model::registry::{self, BUILT_IN};
use args::ModelsCommand;

pub(super) fn run(command: &ModelsCommand, environment: &mut Environment) -> anyhow::Result<u8> {
    match command {
        ModelsCommand::List { json } => list::run(*json, environment),
        ModelsCommand::Show { model, json } => show::run(model, *json, environment),
        ModelsCommand::Verify { model, json } => verify::run(model, *json, environment),
        ModelsCommand::Pull { model, json, quiet } => pull::run(model, *json, *quiet, environment),
    }
}

/// The folder of the model that `--model` names; `None` for the built-in one. A folder comes first, then the names of
/// the registry, then `owner/name` in the store. Nothing is downloaded.
///
/// # Errors
/// When there is neither a folder nor a whole model in the store.
pub(super) fn locate(typed: &Path, folder: &Path, environment: &Environment) -> Result<Option<PathBuf>> {
    let path = folder.join(typed);
    if path.symlink_metadata().is_ok() {
        return Ok(Some(path));
    }
    let Some(text) = typed.to_str() else {
        return Err(Error::ModelNotFound { model: path });
    };
    if text == BUILT_IN {
        return Ok(None);
    }
    let Ok(name) = registry::resolve(text) else {
        return Err(Error::ModelNotFound { model: path });
    };
    let store = store(environment)?;
    match store.find(&name).filter(|snapshot| snapshot.is_whole()) {
        Some(snapshot) => Ok(Some(snapshot.directory().to_owned())),
        None => Err(Error::ModelNotPulled {
            name: text.to_owned(),
            store: store.root().to_owned(),
        }),
    }
}

fn store(environment: &Environment) -> Result<Cache> {
    let cache = Cache::of_variables(environment.variable).ok_or(Error::NoStore)?;
    // A relative HF_HOME counts from where the program was started.
    Ok(Cache::new(environment.directory.join(cache.root())))
}

/// A size for people: `133 MB`.
fn megabytes(bytes: u64) -> String {
    match bytes {
        0..=999 => format!("{bytes} bytes"),
        1_000..=999_999 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..=999_999_999 => format!("{} MB", bytes.div_ceil(1_000_000)),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
