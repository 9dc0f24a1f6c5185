//! Engines: what reads a window. An engine knows no document.

#[cfg(feature = "libtorch")]
pub mod libtorch;
pub mod native;
pub mod scripted;

use std::ops::Range;

use clap::ValueEnum;
use serde::Deserialize;

use crate::error::{Error, Result};

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
}

/// The engines by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// In pure Rust, always there
    #[default]
    Native,
    /// With libtorch: more architectures, and GPUs; a program has it if it was built so
    Libtorch,
}

/// What an engine computes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// When the model has no such head, an input is too long for it, or its weights give no finite score.
    fn encode(&self, inputs: &[&Input], head: Head) -> Result<Output>;

    /// Start and end logits of each input.
    ///
    /// # Errors
    /// As [`Engine::encode`].
    fn spans(&self, inputs: &[&Input]) -> Result<Vec<SpanLogits>> {
        match self.encode(inputs, Head::Span)? {
            Output::Span(spans) => Ok(spans),
            _ => Err(Error::NoHead {
                model: String::new(),
                head: "span",
                task: "question answering",
            }),
        }
    }

    /// The vectors of the sentences of each input.
    ///
    /// # Errors
    /// As [`Engine::encode`].
    fn sentences(&self, inputs: &[&Input]) -> Result<Vec<Vec<Vec<f32>>>> {
        match self.encode(inputs, Head::Sentence)? {
            Output::Sentence(vectors) => Ok(vectors),
            _ => Err(Error::NoHead {
                model: String::new(),
                head: "sentence",
                task: "extractive summarization",
            }),
        }
    }
}
