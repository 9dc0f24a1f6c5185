//! Engines: what reads a window. An engine knows no document.

#[cfg(feature = "libtorch")]
pub mod libtorch;
pub mod native;
pub mod scripted;

use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Config;

/// One sequence for an encoder to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// Token ids, special tokens included. `[tokens]`
    pub ids: Vec<u32>,
    /// The segment of each token. `[tokens]`
    pub segments: Vec<u32>,
    /// The tokens of each sentence, for [`Head::Sentence`].
    pub sentences: Vec<Range<usize>>,
}

impl Input {
    /// An empty input with room for `tokens`.
    #[must_use]
    pub fn with_capacity(tokens: usize) -> Self {
        Self {
            ids: Vec::with_capacity(tokens),
            segments: Vec::with_capacity(tokens),
            sentences: Vec::new(),
        }
    }

    /// Appends tokens, each with its segment.
    pub fn extend(&mut self, tokens: impl IntoIterator<Item = (u32, u32)>) {
        for (id, segment) in tokens {
            self.ids.push(id);
            self.segments.push(segment);
        }
    }

    /// Length in tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether this can have been planned for a model of this configuration.
    fn check_planned(&self, config: &Config) -> Result<()> {
        let valid = (1..=config.max_tokens).contains(&self.len())
            && self.segments.len() == self.len()
            && self.ids.iter().all(|&id| (id as usize) < config.vocabulary_size)
            && self
                .sentences
                .iter()
                .all(|s| s.start < s.end && s.end <= self.len());
        if valid {
            return Ok(());
        }
        Err(Error::Engine {
            name: "engine".to_owned(),
            reason: format!(
                "an input was not planned for this model, which reads 1 to {} tokens of a vocabulary of {}",
                config.max_tokens, config.vocabulary_size
            ),
        })
    }

    /// The mean of each sentence's rows of a hidden state `[tokens, width]`. `[sentences][width]`
    fn sentence_means(&self, hidden: &[f32], width: usize) -> Vec<Vec<f32>> {
        let rows = |s: &Range<usize>| &hidden[s.start * width..s.end * width];
        self.sentences
            .iter()
            .map(|s| native::mean(rows(s), width))
            .collect()
    }
}

/// Values that a window gave, if they are numbers: a damaged weight spreads to every one.
fn check_finite(values: &[f32], model: &Path) -> Result<()> {
    // In pieces without an early end, which the compiler turns into vectors.
    let finite = |piece: &[f32]| piece.iter().fold(true, |all, x| all & x.is_finite());
    if values.chunks(256).all(finite) {
        return Ok(());
    }
    Err(Error::ModelFileInvalid {
        model: model.to_owned(),
        file: "model.safetensors".to_owned(),
        reason: "its weights give values that are not finite".to_owned(),
    })
}

fn no_head(model: &str, head: &'static str, task: &'static str) -> Error {
    Error::NoHead {
        model: model.to_owned(),
        head,
        task,
    }
}

fn other_output(head: &str, output: &str) -> Error {
    Error::Engine {
        name: "engine".to_owned(),
        reason: format!("was asked for {head} and gave something else than {output}"),
    }
}

fn no_span_head(model: &str) -> Error {
    no_head(model, "span", "question answering (SQuAD)")
}

fn no_sentence_head(model: &str) -> Error {
    no_head(model, "sentence", "extractive summarization")
}

/// The engines by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// In pure Rust, always there
    #[default]
    Native,
    /// libtorch: more architectures, and GPUs; only in programs that are built with the feature libtorch
    Libtorch,
}

impl Kind {
    /// `native` or `libtorch`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Libtorch => "libtorch",
        }
    }
}

/// What an engine computes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Device {
    /// The processor
    #[default]
    Cpu,
    /// The first GPU that CUDA finds; with the engine libtorch
    Cuda,
}

/// Which engine reads, and on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// The engine.
    pub kind: Kind,
    /// The device.
    pub device: Device,
}

/// What is asked of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Start and end logits of an answer, for each token.
    Span,
    /// A vector for each sentence: the mean of its tokens behind the layer that the model scores sentences from.
    Sentence,
    /// The last hidden state.
    Hidden,
}

/// What an encoder gives, one element an input, in the order of the inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// See [`Head::Span`].
    Span(Vec<SpanLogits>),
    /// See [`Head::Sentence`]. `[sentences][hidden_size]` each
    Sentence(Vec<Vec<Vec<f32>>>),
    /// See [`Head::Hidden`]. `[tokens, hidden_size]` each, row by row
    Hidden(Vec<Vec<f32>>),
}

/// Logits that an answer starts or ends at a token. Both `[tokens]`; the null score is that of token 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpanLogits {
    /// That it starts here.
    pub start: Vec<f32>,
    /// That it ends here.
    pub end: Vec<f32>,
}

/// An encoder with heads.
///
/// An implementation gives the same output for an input whatever other inputs come with it and however
/// many threads work (promise 6).
pub trait Engine: Send + Sync {
    /// Reads inputs.
    ///
    /// # Errors
    /// When the model has no such head, an input is empty, too long or of another vocabulary, or its weights give no finite
    /// score. An engine of your own has [`Error::Engine`] for what fails in it.
    fn encode(&self, inputs: &[&Input], head: Head) -> Result<Output>;

    /// Start and end logits of each input.
    ///
    /// # Errors
    /// As [`Engine::encode`].
    fn spans(&self, inputs: &[&Input]) -> Result<Vec<SpanLogits>> {
        match self.encode(inputs, Head::Span)? {
            Output::Span(spans) => Ok(spans),
            _ => Err(other_output("Head::Span", "Output::Span")),
        }
    }

    /// The vectors of the sentences of each input.
    ///
    /// # Errors
    /// As [`Engine::encode`].
    fn sentences(&self, inputs: &[&Input]) -> Result<Vec<Vec<Vec<f32>>>> {
        match self.encode(inputs, Head::Sentence)? {
            Output::Sentence(vectors) => Ok(vectors),
            _ => Err(other_output("Head::Sentence", "Output::Sentence")),
        }
    }
}

/// How a generator writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generation {
    /// Tokens written at most, at least 1.
    pub max_new_tokens: usize,
    /// Tokens written at least; 0 for as few as the model likes.
    pub min_new_tokens: usize,
    /// Beams of the search; 1 takes the likeliest token at each step.
    pub beams: usize,
    /// No run of so many tokens is written twice; 0 for no such rule.
    pub no_repeat_ngram: usize,
    /// The exponent of the length that a beam's log probability is divided by.
    pub length_penalty: f64,
    /// Whether the search ends as soon as there are as many finished beams as beams.
    pub early_stopping: bool,
}

impl Default for Generation {
    fn default() -> Self {
        Self {
            max_new_tokens: 128,
            min_new_tokens: 0,
            beams: 1,
            no_repeat_ngram: 0,
            length_penalty: 1.0,
            early_stopping: false,
        }
    }
}

/// A model that reads a text and writes another.
///
/// An implementation does not sample: the same text and [`Generation`] give the same words (promise 6).
pub trait Generator: Send + Sync {
    /// The model's name.
    fn name(&self) -> &str;

    /// The most tokens of a text that it reads, without the special tokens and the instruction that the model
    /// puts around it. At least 1.
    fn input_tokens(&self) -> usize;

    /// Length of a text in tokens, as it counts against [`input_tokens`](Self::input_tokens).
    fn count_tokens(&self, text: &str) -> usize;

    /// How the model was made to write.
    fn generation(&self) -> Generation;

    /// Writes. `step` is told after each step how many tokens are written, and stops the work by returning
    /// `false`. Several threads may write at the same time, each about a text of its own.
    ///
    /// # Errors
    /// [`Error::InputTooLong`] when the text is longer than [`input_tokens`](Self::input_tokens): nothing is
    /// cut. [`Error::Interrupted`]; and when the model's weights give no finite score.
    fn generate(
        &self,
        text: &str,
        generation: &Generation,
        step: &mut dyn FnMut(usize) -> bool,
    ) -> Result<String>;
}

/// Loads the generator in a directory.
///
/// # Errors
/// When the directory holds no model that writes, the device is not there, or generators are not part of this
/// program: they need the feature `libtorch`.
pub fn generator(directory: &Path, device: Device) -> Result<Box<dyn Generator>> {
    #[cfg(feature = "libtorch")]
    return Ok(Box::new(libtorch::Writer::from_directory(directory, device)?));
    #[cfg(not(feature = "libtorch"))]
    {
        let _ = (directory, device);
        Err(Error::GeneratorNotBuilt)
    }
}
