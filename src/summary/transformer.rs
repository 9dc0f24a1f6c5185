//! The transformer's scorer: a small network over the mean vectors of sentences in the encoder's lower layers.
//!
//! It sees a sentence's vector beside the mean of its section and the mean of that section's opening, with its
//! place and its length: content, salience and position, as in `SummaRuNNer` (Nallapati et al. 2017, section
//! 2.2). `training/scorer.py` is its twin and says how it is trained.

use safetensors::tensor::{Dtype, SafeTensors};

use crate::error::{Error, Result};
use crate::model::Model;

/// Sentences that make the opening of a section.
const OPENING: usize = 3;
/// Sections longer than this are read in pieces of so many sentences: the network was trained on news, whose
/// articles seldom have more.
const LONGEST_SECTION: usize = 60;
const PLACES: usize = 6;
const EPSILON: f32 = 1e-5;

/// The mean of a sentence's tokens, as it is summed up over the sentence's parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct SentenceVector {
    mean: Vec<f32>,
    tokens: usize,
}

impl SentenceVector {
    /// Takes in a part: the mean of so many tokens.
    pub(crate) fn add(&mut self, mean: &[f32], tokens: usize) {
        if self.tokens == 0 {
            self.mean = mean.to_vec();
        } else {
            let (ours, theirs) = (self.tokens as f32, tokens as f32);
            for (x, y) in self.mean.iter_mut().zip(mean) {
                *x = (*x * ours + y * theirs) / (ours + theirs);
            }
        }
        self.tokens += tokens;
    }
}

/// `weight` is `[out, in]`, row by row.
#[derive(Debug)]
struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    fn apply(&self, input: &[f32]) -> Vec<f32> {
        let rows = self.weight.chunks_exact(input.len());
        rows.zip(&self.bias)
            .map(|(row, bias)| dot(row, input) + bias)
            .collect()
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums at a time, so that the compiler may use vectors: it must not reorder a single one.
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = std::iter::zip(a_chunks.remainder(), b_chunks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    let mut sums = [0.0f32; 8];
    for (a, b) in a_chunks.zip(b_chunks) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// The network. Shapes in `training/scorer.py`.
#[derive(Debug)]
pub(crate) struct Network {
    content: Linear,
    section: Linear,
    opening: Linear,
    by_section: Linear,
    by_opening: Linear,
    place: Linear,
    place_score: Linear,
    inner: Linear,
    output: Linear,
    hidden: usize,
}

impl Network {
    /// Reads the network of a model, if it has one: the tensors `sentence_scorer.…`.
    pub(crate) fn of_model(model: &Model) -> Result<Option<Self>> {
        if model.manifest.sentence_layer.is_none() {
            return Ok(None);
        }
        let network = Self::parse(&model.weights, model.config.hidden_size);
        network.map(Some).map_err(|reason| Error::ModelFileInvalid {
            model: model.origin.clone(),
            file: "model.safetensors".to_owned(),
            reason,
        })
    }

    fn parse(bytes: &[u8], hidden: usize) -> Result<Self, String> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
        let floats = |name: &str, shape: &[usize]| -> Result<Vec<f32>, String> {
            let name = format!("sentence_scorer.{name}");
            let tensor = tensors.tensor(&name).map_err(|_| {
                format!("has no tensor {name}, which sentence_layer in manifest.toml calls for")
            })?;
            if tensor.shape() != shape || tensor.dtype() != Dtype::F32 {
                return Err(format!(
                    "tensor {name} is {:?} {:?}, expected F32 {shape:?}",
                    tensor.dtype(),
                    tensor.shape()
                ));
            }
            let values = tensor
                .data()
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b));
            let values: Vec<f32> = values.collect();
            match values.iter().all(|v| v.is_finite()) {
                true => Ok(values),
                false => Err(format!("tensor {name} has values that are not finite")),
            }
        };
        let width = tensors
            .tensor("sentence_scorer.content.bias")
            .map_or(0, |t| t.shape().first().copied().unwrap_or(0));
        let linear = |name: &str, outputs: usize, inputs: usize| -> Result<Linear, String> {
            Ok(Linear {
                weight: floats(&format!("{name}.weight"), &[outputs, inputs])?,
                bias: floats(&format!("{name}.bias"), &[outputs])?,
            })
        };
        Ok(Self {
            content: linear("content", width, hidden)?,
            section: linear("section", width, hidden)?,
            opening: linear("opening", width, hidden)?,
            by_section: linear("by_section", width, hidden)?,
            by_opening: linear("by_opening", width, hidden)?,
            place: linear("place", width, PLACES + 1)?,
            place_score: linear("place_score", 1, PLACES)?,
            inner: linear("inner", width, 3 * width + 2)?,
            output: linear("output", 1, width)?,
            hidden,
        })
    }

    /// One logit a sentence of a section.
    pub(crate) fn scores(&self, section: &[SentenceVector]) -> Vec<f32> {
        section
            .chunks(LONGEST_SECTION)
            .enumerate()
            .flat_map(|(piece, sentences)| self.piece(sentences, piece > 0))
            .collect()
    }

    /// `goes_on`: whether something stands before it in the section, so that its first sentence is no opening.
    fn piece(&self, sentences: &[SentenceVector], goes_on: bool) -> Vec<f32> {
        let none = vec![0.0; self.hidden];
        let normed = |s: &SentenceVector| layer_norm(if s.tokens > 0 { &s.mean } else { &none });
        let vectors: Vec<Vec<f32>> = sentences.iter().map(normed).collect(); // [sentences, hidden]
        let section = layer_norm(&mean(&vectors));
        let opening = mean(&vectors[..vectors.len().min(OPENING)]);
        let (by_section, by_opening) = (self.section.apply(&section), self.opening.apply(&opening));
        let score = |(index, (vector, sentence)): (usize, (&Vec<f32>, &SentenceVector))| {
            // In the middle of a section all places are alike.
            let place = match goes_on {
                true => place(LONGEST_SECTION / 2, LONGEST_SECTION),
                false => place(index, sentences.len()),
            };
            let mut placed = place.to_vec();
            placed.push((sentence.tokens as f32).ln_1p() / 4.0);
            let mut features = self.content.apply(vector);
            for (x, y) in features.iter_mut().zip(self.place.apply(&placed)) {
                *x += y;
            }
            let gated = |gate: &Linear, by: &[f32]| -> Vec<f32> {
                std::iter::zip(gate.apply(vector), by)
                    .map(|(x, y)| x * y)
                    .collect()
            };
            features.extend(gated(&self.by_section, &by_section));
            features.extend(gated(&self.by_opening, &by_opening));
            features.extend([cosine(vector, &section), cosine(vector, &opening)].map(|c| 5.0 * c));
            let mut inner = self.inner.apply(&features);
            inner.iter_mut().for_each(|x| *x = x.max(0.0));
            self.output.apply(&inner)[0] + self.place_score.apply(&place)[0]
        };
        vectors.iter().zip(sentences).enumerate().map(score).collect()
    }
}

/// What the network is told of sentence `index` of `count`.
fn place(index: usize, count: usize) -> [f32; PLACES] {
    let is = |i: usize| f32::from(u8::from(index == i));
    let position = index as f32;
    [
        is(0),
        is(1),
        is(2),
        position.ln_1p() / 4.0,
        position / count as f32,
        1.0 / (1.0 + position),
    ]
}

fn mean(vectors: &[Vec<f32>]) -> Vec<f32> {
    let mut mean = vec![0.0; vectors.first().map_or(0, Vec::len)];
    for vector in vectors {
        mean.iter_mut().zip(vector).for_each(|(m, x)| *m += x);
    }
    mean.iter_mut().for_each(|m| *m /= vectors.len() as f32);
    mean
}

fn layer_norm(vector: &[f32]) -> Vec<f32> {
    let n = vector.len() as f32;
    let mean = vector.iter().sum::<f32>() / n;
    let variance = vector.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
    let scale = (variance + EPSILON).sqrt().recip();
    vector.iter().map(|x| (x - mean) * scale).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let lengths = dot(a, a).sqrt() * dot(b, b).sqrt();
    dot(a, b) / lengths.max(1e-8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_parts_is_the_mean_of_the_whole() {
        let mut vector = SentenceVector::default();
        vector.add(&[1.0, 2.0], 3);
        vector.add(&[5.0, 6.0], 1);
        assert_eq!((vector.mean, vector.tokens), (vec![2.0, 3.0], 4));
    }
}
