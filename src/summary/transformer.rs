//! The transformer's scorer: a small network over the mean vectors of sentences in the encoder's lower layers.
//!
//! It sees a sentence's vector beside those of its document, its section, that section's opening and the heading
//! above it, with its places and its length: content, salience and position, as in `SummaRuNNer` (Nallapati et al.
//! 2017, section 2.2). What a place is worth depends on the document: the beginning counts in news, the end in an
//! abstract. `training/scorer.py` is its twin and says how it is trained.

use rayon::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors};

use crate::error::{Error, Result};
use crate::model::Model;

/// Sentences that make the opening of a section.
const OPENING: usize = 3;
/// What the network is told of a place among others.
const PLACE: usize = 6;
/// What it is told of where a sentence stands: its place in its section, in its document, and its section's.
const PLACES: usize = 3 * PLACE;
/// What stands around a sentence, as the tensors are named.
const AROUND: [&str; 4] = ["document", "section", "opening", "heading"];
/// Further places are like this one: the network has seen no longer documents (`training/vectors.rs`).
const FURTHEST: usize = 600;
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

/// A sentence of a document, as the network reads it.
#[derive(Debug)]
pub(crate) struct Sentence {
    pub(crate) vector: SentenceVector,
    /// The sentences of a section have its number, and follow each other.
    pub(crate) section: usize,
    /// Which of the document's headings stands above it.
    pub(crate) heading: Option<usize>,
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
    context: Linear,
    title: Linear,
    /// In the order of [`AROUND`].
    around: [Linear; 4],
    by: [Linear; 4],
    place: Linear,
    place_score: Linear,
    place_gate: Linear,
    inner: Linear,
    output: Linear,
    hidden: usize,
}

/// What several sentences stand in, and what its layer makes of it.
struct Around {
    vector: Vec<f32>,
    gate: Vec<f32>,
}

impl Around {
    fn new(layer: &Linear, vector: Vec<f32>) -> Self {
        Self {
            gate: layer.apply(&vector),
            vector,
        }
    }
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

    /// Length of a sentence's vector.
    pub(crate) fn width(&self) -> usize {
        self.hidden
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
        let around = |prefix: &str| -> Result<[Linear; 4], String> {
            let [document, section, opening, heading] =
                AROUND.map(|name| linear(&format!("{prefix}.{name}"), width, hidden));
            Ok([document?, section?, opening?, heading?])
        };
        Ok(Self {
            content: linear("content", width, hidden)?,
            context: linear("context", width, hidden)?,
            title: Linear {
                weight: floats("title.weight", &[width, hidden])?,
                bias: vec![0.0; width],
            },
            around: around("around")?,
            by: around("by")?,
            place: linear("place", width, PLACES + 1)?,
            place_score: linear("place_score", 1, PLACES)?,
            place_gate: linear("place_gate", PLACES, hidden)?,
            inner: linear("inner", width, (1 + AROUND.len()) * width + AROUND.len())?,
            output: linear("output", 1, width)?,
            hidden,
        })
    }

    /// One logit a sentence of a document, of which there is at least one.
    pub(crate) fn scores(&self, mut sentences: Vec<Sentence>, headings: &[SentenceVector]) -> Vec<f32> {
        for Sentence { vector, .. } in &mut sentences {
            vector.mean = self.normed(std::mem::take(&mut vector.mean));
        }
        let [of_document, of_section, of_opening, of_heading] = &self.around;
        let document = Around::new(of_document, layer_norm(mean(&sentences)));
        let context = self.context.apply(&document.vector);
        let mut worth = self.place_gate.apply(&document.vector);
        add(&mut worth, &self.place_score.weight);

        let sections: Vec<&[Sentence]> = sentences.chunk_by(|a, b| a.section == b.section).collect();
        let (count, section_count) = (sentences.len(), sections.len());
        let mut scores = Vec::with_capacity(count);
        for (number, section) in sections.into_iter().enumerate() {
            let around = Around::new(of_section, layer_norm(mean(section)));
            let opening = Around::new(of_opening, mean(&section[..section.len().min(OPENING)]));
            let before = scores.len();
            for group in section.chunk_by(|a, b| a.heading == b.heading) {
                let heading = group[0]
                    .heading
                    .map_or_else(Vec::new, |h| headings[h].mean.clone());
                let heading = Around::new(of_heading, self.normed(heading));
                let title = self.title.apply(&heading.vector);
                let first = scores.len();
                let of_sentence = |(i, sentence): (usize, &Sentence)| {
                    let places = [
                        place(first + i - before, section.len()),
                        place(first + i, count),
                        place_of_section(number, section_count, section.len(), count),
                    ];
                    let places = places.as_flattened();
                    let around = [&document, &around, &opening, &heading];
                    let content = self.of_content(&sentence.vector, [&context, &title], around, places);
                    content + dot(&worth, places) + self.place_score.bias[0]
                };
                scores.par_extend(group.par_iter().enumerate().map(of_sentence));
            }
        }
        scores
    }

    /// What a sentence is worth for what it says.
    fn of_content(
        &self,
        SentenceVector { mean, tokens }: &SentenceVector,
        context: [&[f32]; 2],
        around: [&Around; 4],
        places: &[f32],
    ) -> f32 {
        let mut placed = places.to_vec();
        placed.push((*tokens as f32).ln_1p() / 4.0);
        let mut features = self.content.apply(mean);
        add(&mut features, &self.place.apply(&placed));
        for own in context {
            add(&mut features, own);
        }
        for (by, around) in self.by.iter().zip(around) {
            let own = by.apply(mean);
            features.extend(own.iter().zip(&around.gate).map(|(x, y)| x * y));
        }
        features.extend(around.map(|other| 5.0 * cosine(mean, &other.vector)));
        let mut inner = self.inner.apply(&features);
        inner.iter_mut().for_each(|x| *x = x.max(0.0));
        self.output.apply(&inner)[0]
    }

    /// Of what has no token there is no mean.
    fn normed(&self, mean: Vec<f32>) -> Vec<f32> {
        if mean.is_empty() {
            vec![0.0; self.hidden]
        } else {
            layer_norm(mean)
        }
    }
}

/// What the network is told of place `index` of `count`.
fn place(index: usize, count: usize) -> [f32; PLACE] {
    let is = |i: usize| f32::from(u8::from(index == i));
    let position = index.min(FURTHEST) as f32;
    [
        is(0),
        is(1),
        is(2),
        position.ln_1p() / 4.0,
        index as f32 / count as f32,
        1.0 / (1.0 + position),
    ]
}

/// What it is told of section `number` of `sections`, which has `size` of the document's `count` sentences.
fn place_of_section(number: usize, sections: usize, size: usize, count: usize) -> [f32; PLACE] {
    let is = |i: usize| f32::from(u8::from(number == i));
    let moderate = |n: usize| n.min(FURTHEST) as f32;
    [
        number as f32 / sections as f32,
        is(0),
        is(sections - 1),
        moderate(count).ln() / 4.0,
        moderate(sections).ln() / 4.0,
        moderate(size).ln_1p() / 4.0,
    ]
}

fn add(sum: &mut [f32], other: &[f32]) {
    sum.iter_mut().zip(other).for_each(|(x, y)| *x += y);
}

/// Of sentences' vectors, as they are.
fn mean(sentences: &[Sentence]) -> Vec<f32> {
    let mut mean = vec![0.0; sentences.first().map_or(0, |s| s.vector.mean.len())];
    for Sentence { vector, .. } in sentences {
        add(&mut mean, &vector.mean);
    }
    mean.iter_mut().for_each(|m| *m /= sentences.len() as f32);
    mean
}

fn layer_norm(mut vector: Vec<f32>) -> Vec<f32> {
    let n = vector.len() as f32;
    let mean = vector.iter().sum::<f32>() / n;
    let variance = vector.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
    let scale = (variance + EPSILON).sqrt().recip();
    vector.iter_mut().for_each(|x| *x = (*x - mean) * scale);
    vector
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

    /// Also for what has no token, and where every sentence has a section of its own.
    #[test]
    fn every_document_has_finite_scores() {
        let network = Network::of_model(&Model::embedded().unwrap()).unwrap().unwrap();
        let vector = |tokens: usize| {
            let mut vector = SentenceVector::default();
            if tokens > 0 {
                vector.add(
                    &(0..384).map(|i| (i * tokens) as f32 / 1e3).collect::<Vec<_>>(),
                    tokens,
                );
            }
            vector
        };
        let headings = [vector(0), vector(3)];
        for count in [1, 2, 3, 2000] {
            for sections in [1, count] {
                let sentence = |i: usize| Sentence {
                    vector: vector(i % 40),
                    section: i % sections,
                    heading: [None, Some(0), Some(1)][i % 3],
                };
                let scores = network.scores((0..count).map(sentence).collect(), &headings);
                assert_eq!(scores.len(), count);
                assert!(scores.iter().all(|score| score.is_finite()), "{count} {sections}");
            }
        }
    }
}
