//! The models that are recommended, from `models/registry.toml`, which is part of the program.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::cache::Name;
use crate::engine::Kind;
use crate::error::{Error, Result};

/// The name of the model that is part of the program.
pub const BUILT_IN: &str = "built-in";

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Questions that are answered in the words of a text.
    Questions,
    /// Summaries in words of the model's own.
    Summaries,
}

/// The engines that run an architecture, by `model_type` of `config.json`. None for one that `ask` does not know.
#[must_use]
pub fn engines(model_type: &str) -> &'static [Kind] {
    match model_type {
        "bert" | "distilbert" | "roberta" | "xlm-roberta" | "camembert" | "electra" => {
            &[Kind::Native, Kind::Libtorch]
        }
        "albert" | "deberta" | "deberta-v2" | "bart" | "t5" | "pegasus" => &[Kind::Libtorch],
        _ => &[],
    }
}

/// What an architecture is for. Encoders are taken for readers: their `config.json` does not always say.
#[must_use]
pub fn task(model_type: &str) -> Task {
    match model_type {
        "bart" | "t5" | "pegasus" => Task::Summaries,
        _ => Task::Questions,
    }
}

/// Scores that were published of a model.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// The data set.
    pub on: String,
    /// By metric, in percent.
    pub metrics: BTreeMap<String, f64>,
    /// Who published them.
    pub source: String,
}

/// A recommended model.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    /// What `--model` and `ask models` call it.
    pub name: String,
    /// `owner/name` on the hub.
    pub repository: String,
    /// `model_type` of its `config.json`.
    pub architecture: String,
    /// What it is for.
    pub task: Task,
    /// What runs it.
    pub engines: Vec<Kind>,
    /// Parameters in millions, rounded. In f32, four bytes each.
    pub parameters_millions: u32,
    /// The licence of the weights.
    pub licence: String,
    /// When to take it.
    #[serde(rename = "use")]
    pub purpose: String,
    /// Published scores.
    #[serde(default)]
    pub scores: Vec<Scores>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    model: Vec<Entry>,
}

/// The recommended models.
///
/// # Panics
/// Never: a test parses what is embedded.
#[must_use]
pub fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let file: File = toml::from_str(include_str!("../../models/registry.toml"))
            .expect("models/registry.toml is part of the program and tested");
        file.model
    })
}

/// The recommended model of this name.
#[must_use]
pub fn of_name(name: &str) -> Option<&'static Entry> {
    entries().iter().find(|entry| entry.name == name)
}

/// The recommended model of this repository.
#[must_use]
pub fn of_repository(repository: &str) -> Option<&'static Entry> {
    entries().iter().find(|entry| entry.repository == repository)
}

/// The model that a name stands for: one of the registry, with or without `@revision`, else `owner/name`.
///
/// # Errors
/// [`Error::ModelName`] when it is neither.
pub fn resolve(text: &str) -> Result<Name> {
    let (name, revision) = text.split_at(text.find('@').unwrap_or(text.len()));
    let full = match of_name(name) {
        Some(entry) => format!("{}{revision}", entry.repository),
        None => text.to_owned(),
    };
    Name::parse(&full).map_err(|reason| Error::ModelName {
        name: text.to_owned(),
        reason: match nearest(name) {
            Some(near) => format!("{reason} (did you mean {near}?)"),
            None => reason,
        },
    })
}

/// The recommended model that a name is the beginning or a part of, or nearly is.
fn nearest(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    if lower.is_empty() {
        return None;
    }
    let names = || entries().iter().map(|entry| entry.name.as_str());
    names()
        .find(|known| known.starts_with(&lower))
        .or_else(|| names().find(|known| known.contains(&lower)))
        .or_else(|| names().find(|known| strsim::damerau_levenshtein(known, &lower) <= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_sound() {
        assert!(entries().len() >= 5);
        for entry in entries() {
            let name = &entry.name;
            let of_name: Vec<_> = entries().iter().filter(|e| e.name == *name).collect();
            assert_eq!(of_name.len(), 1, "{name}");
            assert_ne!(name, BUILT_IN);
            assert!(!name.contains(['/', '@', '.', '\\']), "{name} reads like a path");
            assert_eq!(resolve(name).unwrap().to_string(), entry.repository);
            assert_eq!(engines(&entry.architecture), entry.engines, "{name}");
            assert_eq!(task(&entry.architecture), entry.task, "{name}");
            assert!(entry.parameters_millions > 0 && !entry.licence.is_empty() && !entry.purpose.is_empty());
            for scores in &entry.scores {
                assert!(!scores.source.is_empty() && !scores.metrics.is_empty(), "{name}");
                assert!(
                    scores.metrics.values().all(|v| (1.0..100.0).contains(v)),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn a_name_of_the_registry_takes_a_revision() {
        let name = resolve("roberta-squad2@refs/pr/4").unwrap();
        assert_eq!(name.to_string(), "deepset/roberta-base-squad2@refs/pr/4");
        assert!(resolve("no-such-model").is_err());
    }

    #[test]
    fn a_part_of_a_name_is_recognised() {
        let message = |text: &str| resolve(text).unwrap_err().to_string();
        assert!(message("roberta").contains("(did you mean roberta-squad2?)"));
        assert!(message("Squad2").contains("(did you mean minilm-squad2?)"));
        assert!(message("bart-cmn").contains("(did you mean bart-cnn?)"));
        assert!(!message("no-such-model").contains("did you mean"));
    }
}
