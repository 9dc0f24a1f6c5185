//! `manifest.toml`: what a model is and how its scores are to be read.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cache::Snapshot;
use super::config::Config;

/// The manifest of a model directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// The model's name, as results quote it.
    pub name: String,
    /// `model_type` of its `config.json`.
    #[serde(default)]
    pub architecture: String,
    /// What it was trained for: `span`, `sentence`.
    #[serde(default)]
    pub heads: Vec<String>,
    /// The licence of the weights.
    #[serde(default)]
    pub licence: String,
    /// The weights that training began with.
    #[serde(default)]
    pub base: String,
    /// The data sets that it was trained on.
    #[serde(default)]
    pub training_data: Vec<String>,
    /// Size and hash of each file, by name.
    #[serde(default)]
    pub files: BTreeMap<String, FileEntry>,
    /// What it reads at a time.
    #[serde(default)]
    pub limits: Limits,
    /// From raw scores to probabilities; `None` for a model that was not calibrated.
    pub calibration: Option<Calibration>,
    /// Layers that sentences are scored behind, in a model with a head for sentences.
    pub sentence_layer: Option<usize>,
}

/// A file of a model.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Lower-case hexadecimal SHA-256.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// How much a model reads at a time. All are counts of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// A whole window: question, text and special tokens.
    pub window_tokens: usize,
    /// What a window shares with the next.
    pub overlap_tokens: usize,
    /// The longest question.
    pub question_tokens: usize,
    /// The longest answer.
    pub answer_tokens: usize,
}

/// The overlap with which every run of 64 tokens is whole in a window. An encoder of fewer than some 80 tokens
/// cannot keep that promise and overlaps by a third.
const COMPLETE_OVERLAP: usize = 63;

impl Default for Limits {
    fn default() -> Self {
        Self {
            window_tokens: 384,
            overlap_tokens: 128,
            question_tokens: 64,
            answer_tokens: 96,
        }
    }
}

/// Parameters that turn raw scores into probabilities, fitted on held-out documents.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// A question is answered when `not_in_document` is below this.
    pub threshold: f64,
    /// The probability that the documents do not answer.
    pub not_in_document: Logistic,
    /// The probability that an answer is right.
    pub confidence: Logistic,
}

/// σ(score · s + evidence · e + ln_windows · ln n + bias); what s, e and n are: [`Signals`](crate::qa::calibrate::Signals).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logistic {
    /// Weight of the raw score.
    pub score: f64,
    /// Weight of the evidence.
    #[serde(default)]
    pub evidence: f64,
    /// Weight of the natural logarithm of the number of windows.
    pub ln_windows: f64,
    /// Constant.
    pub bias: f64,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// The parser's message, with line and column.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|e| e.to_string().trim().replace('\n', " "))
    }

    /// What is assumed of a model from the hub, which has no manifest. It is called by the folder's name, or
    /// `owner/name@commit` where the folder is a snapshot of the hub's cache.
    #[must_use]
    pub fn of_hub_model(origin: &Path, config: &Config) -> Self {
        let path = origin.canonicalize().ok();
        let snapshot = path.as_deref().and_then(Snapshot::at);
        let name = match (snapshot, path.as_deref().and_then(Path::file_name)) {
            (Some(snapshot), _) => snapshot.to_string(),
            (None, Some(name)) => name.to_string_lossy().into_owned(),
            (None, None) => origin.display().to_string(),
        };
        let mut limits = Limits::default();
        if config.max_tokens < limits.window_tokens {
            // The proportions of the defaults, for models with short windows.
            limits.window_tokens = config.max_tokens;
            limits.question_tokens = config.max_tokens / 6;
            limits.overlap_tokens = config.max_tokens / 3;
            let room = config.max_tokens - limits.question_tokens - 4;
            if room > COMPLETE_OVERLAP {
                limits.overlap_tokens = limits.overlap_tokens.max(COMPLETE_OVERLAP);
            }
            limits.answer_tokens = limits.answer_tokens.min(limits.overlap_tokens);
        }
        Self {
            name,
            architecture: String::new(),
            heads: Vec::new(),
            licence: String::new(),
            base: String::new(),
            training_data: Vec::new(),
            files: BTreeMap::new(),
            limits,
            calibration: None,
            sentence_layer: None,
        }
    }

    /// Whether the manifest makes sense, and fits the configuration.
    pub(crate) fn check(&self, config: &Config) -> Result<(), String> {
        let limits = self.limits;
        if limits.window_tokens > config.max_tokens {
            return Err(format!(
                "limits.window_tokens is {}, the encoder reads {} tokens",
                limits.window_tokens, config.max_tokens
            ));
        }
        // Special tokens: at most four (RoBERTa). A window must move on by at least one token.
        let room = limits.window_tokens.saturating_sub(limits.question_tokens + 4);
        if limits.question_tokens == 0 || limits.answer_tokens == 0 || room <= limits.overlap_tokens {
            return Err("limits leave no room for text beside question and overlap".to_owned());
        }
        if room > COMPLETE_OVERLAP && limits.overlap_tokens < COMPLETE_OVERLAP {
            return Err(format!(
                "limits.overlap_tokens must be at least {COMPLETE_OVERLAP}"
            ));
        }
        if let Some(c) = &self.calibration {
            let all = [c.not_in_document, c.confidence];
            let finite = all.iter().flat_map(Logistic::weights).all(f64::is_finite);
            if !finite || !(0.0..=1.0).contains(&c.threshold) {
                return Err("calibration has values out of range".to_owned());
            }
        }
        if let Some(layer) = self.sentence_layer
            && !(1..=config.layers).contains(&layer)
        {
            return Err(format!(
                "sentence_layer is {layer}, the encoder has {} layers",
                config.layers
            ));
        }
        Ok(())
    }
}
