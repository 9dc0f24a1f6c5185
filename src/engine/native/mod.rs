//! The engine of the default build: a BERT-family encoder in pure Rust.
//!
//! Post-norm transformer encoder (Vaswani et al. 2017; Devlin et al. 2019, section 3), in f32. Inputs are
//! read one by one at their own length, so nothing is padded and an output cannot depend on a neighbour.
//! Work is cut by the length of the input alone, never by the number of threads, for the same reason.

mod encoder;
#[allow(unsafe_code)]
mod kernels;
mod weights;

use std::ops::Range;

use rayon::prelude::*;

use super::{Engine, Head, Input, Output, SpanLogits};
use crate::error::{Error, Result};
use crate::model::{Config, Model};
use encoder::{Encoder, Layer};
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
    /// Layers that a sentence's vector is read behind.
    sentence_layer: Option<usize>,
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

    /// Hidden state of each input behind `layers`, as `head` reads it. `[tokens, hidden_size]`
    fn read<'a, T: Send>(
        &self,
        inputs: &[&Input],
        layers: impl Iterator<Item = &'a Layer> + Clone + Sync,
        head: impl Fn(&Input, Vec<f32>) -> T + Sync,
    ) -> Result<Vec<T>> {
        let read = |input: &&Input| Ok(head(input, self.hidden(input, layers.clone())?));
        inputs.par_iter().map(read).collect()
    }

    fn hidden<'a>(&self, input: &Input, layers: impl Iterator<Item = &'a Layer>) -> Result<Vec<f32>> {
        let valid = (1..=self.config.max_tokens).contains(&input.len())
            && input.segments.len() == input.len()
            && input
                .ids
                .iter()
                .all(|&id| (id as usize) < self.config.vocabulary_size)
            && input
                .sentences
                .iter()
                .all(|s| s.start < s.end && s.end <= input.len());
        assert!(valid, "an input must have been planned for this model");
        let hidden = self
            .encoder
            .forward(&input.ids, &input.segments, layers, &self.config);
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
        let layers = &self.encoder.layers;
        match head {
            Head::Span => {
                let head = self
                    .span
                    .as_ref()
                    .ok_or_else(|| self.no_head("span", "question answering (SQuAD)"))?;
                let spans = self.read(inputs, layers.iter(), |_, hidden| {
                    let (start, end) = hidden
                        .chunks_exact(width)
                        .map(|row| (head.row_dot(0, row), head.row_dot(1, row)))
                        .unzip();
                    SpanLogits { start, end }
                });
                Ok(Output::Span(spans?))
            }
            Head::Sentence => {
                let depth = self
                    .sentence_layer
                    .ok_or_else(|| self.no_head("sentence", "extractive summarization"))?;
                let vectors = self.read(inputs, layers[..depth].iter(), |input, hidden| {
                    let rows = |s: &Range<usize>| &hidden[s.start * width..s.end * width];
                    input.sentences.iter().map(|s| mean(rows(s), width)).collect()
                });
                Ok(Output::Sentence(vectors?))
            }
            Head::Hidden => Ok(Output::Hidden(self.read(
                inputs,
                layers.iter(),
                |_, hidden| hidden,
            )?)),
        }
    }
}

/// The mean of rows of this width.
fn mean(rows: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        kernels::add(&mut mean, row);
    }
    let count = (rows.len() / width) as f32;
    mean.iter_mut().for_each(|x| *x /= count);
    mean
}
