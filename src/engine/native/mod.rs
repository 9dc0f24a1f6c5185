//! The engine of the default build: a BERT-family encoder in pure Rust.
//!
//! Post-norm transformer encoder (Vaswani et al. 2017; Devlin et al. 2019, section 3), in f32. Inputs are
//! read one by one at their own length, so nothing is padded and an output cannot depend on a neighbour.
//! Work is cut by the length of the input alone, never by the number of threads, for the same reason.

mod encoder;
#[allow(unsafe_code)]
mod kernels;
mod weights;

use rayon::prelude::*;

use super::{Engine, Head, Input, Output, SpanLogits};
use crate::error::{Error, Result};
use crate::model::{Config, Model};
use encoder::Encoder;
use weights::{Linear, Weights};

/// An encoder with the heads that its model has.
#[derive(Debug)]
pub struct Native {
    name: String,
    origin: std::path::PathBuf,
    config: Config,
    encoder: Encoder,
    /// `[2, hidden_size]`: start, end.
    span: Option<Linear>,
    /// `[1, hidden_size]`.
    sentence: Option<Linear>,
}

impl Native {
    /// Builds the encoder of a model.
    ///
    /// # Errors
    /// When the weights are damaged, lack a tensor, or hold one of another shape than the configuration
    /// says.
    pub fn new(model: &Model) -> Result<Self> {
        let weights =
            Weights::parse(&model.weights, &model.config).map_err(|reason| Error::ModelFileInvalid {
                model: model.origin.clone(),
                file: "model.safetensors".to_owned(),
                reason,
            })?;
        let Weights {
            encoder,
            span,
            sentence,
        } = weights;
        Ok(Self {
            name: model.manifest.name.clone(),
            origin: model.origin.clone(),
            config: model.config.clone(),
            encoder,
            span,
            sentence,
        })
    }

    /// Last hidden state of one input. `[tokens, hidden_size]`
    fn hidden(&self, input: &Input) -> Result<Vec<f32>> {
        let valid = (1..=self.config.max_tokens).contains(&input.len())
            && input.segments.len() == input.len()
            && input
                .ids
                .iter()
                .all(|&id| (id as usize) < self.config.vocabulary_size)
            && input.markers.iter().all(|&m| m < input.len());
        assert!(valid, "an input must have been planned for this model");
        let hidden = self.encoder.forward(&input.ids, &input.segments, &self.config);
        // One check a window: a damaged weight spreads to every logit.
        if hidden.iter().all(|x| x.is_finite()) {
            Ok(hidden)
        } else {
            Err(Error::ModelFileInvalid {
                model: self.origin.clone(),
                file: "model.safetensors".to_owned(),
                reason: "its weights give values that are not finite".to_owned(),
            })
        }
    }

    fn no_head(&self, head: &'static str, task: &'static str) -> Error {
        Error::NoHead {
            model: self.name.clone(),
            head,
            task,
        }
    }
}

impl Engine for Native {
    fn encode(&self, inputs: &[&Input], head: Head) -> Result<Output> {
        let width = self.config.hidden_size;
        match head {
            Head::Span => {
                let head = self
                    .span
                    .as_ref()
                    .ok_or_else(|| self.no_head("span", "question answering (SQuAD)"))?;
                let spans = inputs.par_iter().map(|input| {
                    let hidden = self.hidden(input)?;
                    let (start, end) = hidden
                        .chunks_exact(width)
                        .map(|row| (head.row_dot(0, row), head.row_dot(1, row)))
                        .unzip();
                    Ok(SpanLogits { start, end })
                });
                Ok(Output::Span(spans.collect::<Result<_>>()?))
            }
            Head::Sentence => {
                let head = self
                    .sentence
                    .as_ref()
                    .ok_or_else(|| self.no_head("sentence", "extractive summarization"))?;
                let scores = inputs.par_iter().map(|input| {
                    let hidden = self.hidden(input)?;
                    let row = |&m: &usize| head.row_dot(0, &hidden[m * width..(m + 1) * width]);
                    Ok(input.markers.iter().map(row).collect())
                });
                Ok(Output::Sentence(scores.collect::<Result<_>>()?))
            }
            Head::Hidden => {
                let hidden = inputs.par_iter().map(|input| self.hidden(input));
                Ok(Output::Hidden(hidden.collect::<Result<_>>()?))
            }
        }
    }
}
