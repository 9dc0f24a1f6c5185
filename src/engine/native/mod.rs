//! The engine of the default build: a BERT-family encoder in pure Rust.
//!
//! Post-norm transformer encoder (Vaswani et al. 2017; Devlin et al. 2019, section 3). A model whose matrices are
//! stored in int8 is read with int8 products (`quantized`), any other in f32. Inputs are read one by one at
//! their own length, so nothing is padded and an output cannot depend on a neighbour.

mod encoder;
#[allow(unsafe_code)]
mod kernels;
mod quantized;
mod weights;

use std::fmt;

use rayon::prelude::*;

use super::{Engine, Head, Input, Output, SpanLogits, check_finite, no_sentence_head, no_span_head};
use crate::error::{Error, Result};
use crate::model::{Config, Model};
use encoder::{Encoder, Stack};
pub use kernels::dot::InstructionSet;
use weights::{Linear, Weights};

/// The environment variable that chooses [`Kernels`].
pub const KERNELS_VARIABLE: &str = "ASK_KERNELS";

/// How an encoder computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernels {
    /// Products of int8, for models that are stored so. The bits of the result are the same with every
    /// instruction set.
    Int8(InstructionSet),
    /// Products of f32, whatever the model is stored as.
    F32,
}

impl Kernels {
    /// Those that `ASK_KERNELS` names, else the fastest that this processor has: int8 with vector instructions, or f32.
    ///
    /// # Errors
    /// When the variable names none, or one that this processor does not have.
    pub fn choose() -> Result<Self> {
        let Some(name) = std::env::var_os(KERNELS_VARIABLE).filter(|name| !name.is_empty()) else {
            // Without vector instructions of ours, those that gemm has for f32 are faster.
            return Ok(match InstructionSet::detect() {
                InstructionSet::Scalar => Self::F32,
                set => Self::Int8(set),
            });
        };
        let name = name.to_string_lossy();
        if name == "f32" {
            return Ok(Self::F32);
        }
        let set = InstructionSet::ALL.into_iter().find(|set| set.name() == name);
        match set {
            Some(set) if set.is_available() => Ok(Self::Int8(set)),
            _ => Err(Error::KernelsUnavailable {
                name: name.into_owned(),
                known: set.is_some(),
            }),
        }
    }
}

impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int8(set) => write!(f, "int8, {set}"),
            Self::F32 => f.write_str("f32"),
        }
    }
}

/// An encoder with the heads that its model has.
#[derive(Debug)]
pub struct Native {
    name: String,
    origin: std::path::PathBuf,
    config: Config,
    encoder: Encoder,
    /// `[2, hidden_size]`: start, end.
    span: Option<Linear>,
    /// Layers that a sentence's vector is read behind.
    sentence_layer: Option<usize>,
}

impl Native {
    /// Builds the encoder of a model, with the kernels that [`Kernels::choose`] gives.
    ///
    /// # Errors
    /// When the architecture is none of this engine's, the weights are damaged, lack a tensor, or hold one of another shape
    /// than the configuration says; and as [`Kernels::choose`].
    pub fn new(model: &Model) -> Result<Self> {
        Self::with_kernels(model, Kernels::choose()?)
    }

    /// Builds the encoder of a model with these kernels.
    ///
    /// # Errors
    /// As [`new`](Self::new), but for the last.
    ///
    /// # Panics
    /// When the model is stored in int8 and this processor does not have the kernels' instruction set.
    pub fn with_kernels(model: &Model, kernels: Kernels) -> Result<Self> {
        if !model.config.architecture.is_native() {
            return Err(Error::NotNative {
                model: model.origin.clone(),
                architecture: model.config.architecture.name(),
            });
        }
        let set = match kernels {
            Kernels::Int8(set) => Some(set),
            Kernels::F32 => None,
        };
        let weights =
            Weights::parse(&model.weights, &model.config, set).map_err(|reason| Error::ModelFileInvalid {
                model: model.origin.clone(),
                file: "model.safetensors".to_owned(),
                reason,
            })?;
        let Weights { encoder, span } = weights;
        Ok(Self {
            name: model.manifest.name.clone(),
            origin: model.origin.clone(),
            config: model.config.clone(),
            encoder,
            span,
            sentence_layer: model.manifest.sentence_layer,
        })
    }

    /// How this encoder computes: in f32 also where the model is not stored in int8.
    #[must_use]
    pub fn kernels(&self) -> Kernels {
        match &self.encoder.layers {
            Stack::Int8(layers) => Kernels::Int8(layers.set),
            Stack::F32(_) => Kernels::F32,
        }
    }

    /// What `head` makes of the hidden state of each input behind the first `depth` layers. `[tokens, hidden_size]`
    ///
    /// Threads take whole inputs where there are enough of them, and share each input otherwise.
    fn read<T: Send>(
        &self,
        inputs: &[&Input],
        depth: usize,
        head: impl Fn(&Input, &[f32]) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let threads = rayon::current_num_threads();
        let alone = threads > 1 && inputs.len() < 2 * threads;
        let read = |input: &&Input| {
            input.check_planned(&self.config)?;
            let (ids, segments) = (&input.ids, &input.segments);
            self.encoder
                .forward(ids, segments, depth, &self.config, alone, |hidden| {
                    head(input, hidden)
                })
        };
        if threads == 1 {
            return inputs.iter().map(read).collect(); // Without waking the pool's only thread.
        }
        // A thread outside the pool would wait for it, and it for that thread, at every layer.
        rayon::scope(|_| {
            if alone {
                inputs.iter().map(read).collect()
            } else {
                inputs.par_iter().with_max_len(1).map(read).collect()
            }
        })
    }
}

impl Engine for Native {
    fn encode(&self, inputs: &[&Input], head: Head) -> Result<Output> {
        let width = self.config.hidden_size;
        let depth = self.encoder.layers.depth();
        match head {
            Head::Span => {
                let head = self.span.as_ref().ok_or_else(|| no_span_head(&self.name))?;
                let spans = self.read(inputs, depth, |_, hidden| {
                    let rows = hidden.chunks_exact(width);
                    let (start, end): (Vec<f32>, Vec<f32>) = rows
                        .map(|row| (head.row_dot(0, row), head.row_dot(1, row)))
                        .unzip();
                    // What is not finite in a row makes its logits so.
                    check_finite(&start, &self.origin)?;
                    check_finite(&end, &self.origin)?;
                    Ok(SpanLogits { start, end })
                });
                Ok(Output::Span(spans?))
            }
            Head::Sentence => {
                let depth = self.sentence_layer.ok_or_else(|| no_sentence_head(&self.name))?;
                let vectors = self.read(inputs, depth, |input, hidden| {
                    check_finite(hidden, &self.origin)?;
                    Ok(input.sentence_means(hidden, width))
                })?;
                Ok(Output::Sentence(vectors))
            }
            Head::Hidden => Ok(Output::Hidden(self.read(inputs, depth, |_, hidden| {
                check_finite(hidden, &self.origin)?;
                Ok(hidden.to_vec())
            })?)),
        }
    }
}

/// The mean of rows of this width.
pub(super) fn mean(rows: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        kernels::add(&mut mean, row);
    }
    let count = (rows.len() / width) as f32;
    mean.iter_mut().for_each(|x| *x /= count);
    mean
}
