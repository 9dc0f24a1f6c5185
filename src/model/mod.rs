//! Models: what a model directory holds, and whether it can be trusted.

pub mod cache;
pub mod config;
pub mod manifest;
#[cfg(feature = "libtorch")]
mod ot;
pub mod registry;
pub mod store;
pub(crate) mod tensors;
pub mod tokenizer;
mod wordpiece;

use crate::error::{Error, Result};
pub use config::{Activation, Architecture, Config, Convolution, Relative, Sharing};
pub use manifest::{Calibration, Limits, Logistic, Manifest};
pub use tokenizer::Tokenizer;

/// A model, read and checked, before an engine is made of it.
pub struct Model {
    /// What it is, where it comes from, how its scores are to be read.
    pub manifest: Manifest,
    /// Its shape.
    pub config: Config,
    /// From text to token ids.
    pub tokenizer: Tokenizer,
    /// The bytes of `model.safetensors`.
    pub weights: store::Bytes,
    /// Where it was read from, for messages.
    pub origin: std::path::PathBuf,
}

/// Without the weights, which would be a hundred megabytes.
impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.manifest.name)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// The model that is part of the program.
    ///
    /// # Errors
    /// Never for an unchanged build: its files are verified when it is built.
    pub fn embedded() -> Result<Self> {
        Self::from_files(store::embedded())
    }

    /// A model directory, with a manifest or in the layout of the Hugging Face hub.
    ///
    /// # Errors
    /// When a file is missing, is not what the manifest says, or cannot be used.
    pub fn from_directory(directory: &std::path::Path) -> Result<Self> {
        Self::from_files(store::directory(directory)?)
    }

    fn from_files(files: store::Files) -> Result<Self> {
        let origin = files.origin;
        let invalid = |file: &str, reason: String| Error::ModelFileInvalid {
            model: origin.clone(),
            file: file.to_owned(),
            reason,
        };
        let config = Config::parse(&files.config, &origin)?;
        let manifest = match &files.manifest {
            Some(text) => Manifest::parse(text).map_err(|e| invalid("manifest.toml", e))?,
            None => Manifest::of_hub_model(&origin, &config),
        };
        let tokenizer = match files.vocabulary {
            Some(vocabulary) => Tokenizer::from_parts(&files.tokenizer, vocabulary),
            None => Tokenizer::from_bytes(&files.tokenizer),
        };
        let tokenizer = tokenizer.map_err(|e| invalid("tokenizer.json", e))?;
        if tokenizer.highest_id() > config.vocabulary_size {
            return Err(invalid(
                "tokenizer.json",
                format!(
                    "has {} tokens, config.json says {}",
                    tokenizer.highest_id(),
                    config.vocabulary_size
                ),
            ));
        }
        let model = Self {
            manifest,
            config,
            tokenizer,
            weights: files.weights,
            origin,
        };
        model.check()?;
        Ok(model)
    }

    /// Whether the manifest fits the configuration and the tokenizer; both are public, and may have been changed.
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |file: &str, reason: String| Error::ModelFileInvalid {
            model: self.origin.clone(),
            file: file.to_owned(),
            reason,
        };
        self.manifest
            .check(&self.config)
            .map_err(|e| invalid("manifest.toml", e))?;
        let limits = self.manifest.limits;
        let special = self
            .tokenizer
            .pair()
            .special_tokens()
            .max(self.tokenizer.single().special_tokens());
        if limits.window_tokens <= limits.question_tokens + limits.overlap_tokens + special {
            return Err(invalid(
                "tokenizer.json",
                format!("its template has {special} special tokens, which leaves no room for text"),
            ));
        }
        Ok(())
    }
}
