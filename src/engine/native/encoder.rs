//! The encoder: embeddings, then layers of attention and feed-forward network.

use rayon::prelude::*;

use super::kernels::dot::{Dot, Work, dispatch};
use super::kernels::{self, Matrix};
use super::quantized;
use super::weights::{Linear, Norm, Table};
use crate::model::{Activation, Config};

/// Rows of an input are worked on in at most this many parts, of at least so many rows each: every part
/// packs the weights anew. Constants, so that the arithmetic does not depend on the number of threads.
const PARTS: usize = 4;
const ROWS: usize = 64;

/// Words whose embeddings are on their way from memory while one is worked on.
const WORDS_AHEAD: usize = 4;

#[derive(Debug)]
pub(super) struct Encoder {
    pub(super) words: Table,
    pub(super) positions: Table,
    pub(super) segments: Option<Table>,
    pub(super) norm: Norm,
    /// ELECTRA's step from narrow embeddings to the width of the layers.
    pub(super) projection: Option<Linear>,
    pub(super) layers: Stack,
}

/// The layers, as their products are computed.
#[derive(Debug)]
pub(super) enum Stack {
    F32(Vec<Layer>),
    Int8(quantized::Layers),
}

impl Stack {
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::F32(layers) => layers.len(),
            Self::Int8(layers) => layers.layers.len(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Layer {
    /// Query, key and value in one product. `[3 · hidden, hidden]`
    pub(super) query_key_value: Linear,
    pub(super) attention_output: Linear,
    pub(super) attention_norm: Norm,
    pub(super) intermediate: Linear,
    pub(super) output: Linear,
    pub(super) output_norm: Norm,
}

impl Encoder {
    /// What `read` makes of the hidden state behind the first `depth` layers. `[tokens, hidden]`
    ///
    /// With `alone`, all threads may work on this input.
    pub(super) fn forward<T>(
        &self,
        ids: &[u32],
        segments: &[u32],
        depth: usize,
        config: &Config,
        alone: bool,
        read: impl FnOnce(&[f32]) -> T,
    ) -> T {
        let embedding = Embedding {
            encoder: self,
            ids,
            segments,
            config,
        };
        match &self.layers {
            Stack::F32(layers) => {
                let mut hidden = vec![0.0; ids.len() * config.embedding_size]; // [tokens, embedding]
                embedding.write(&mut hidden);
                if let Some(linear) = &self.projection {
                    hidden = linear.apply(&hidden, ids.len(), |_| {}); // [tokens, hidden]
                }
                for layer in &layers[..depth] {
                    layer.forward(&mut hidden, config);
                }
                read(&hidden)
            }
            Stack::Int8(layers) => {
                let embed = |out: &mut [f32]| dispatch(layers.set, Embed { embedding, out });
                layers.forward(ids.len(), depth, alone, embed, read)
            }
        }
    }
}

/// The embeddings of tokens.
struct Embedding<'a> {
    encoder: &'a Encoder,
    ids: &'a [u32],
    segments: &'a [u32],
    config: &'a Config,
}

/// Writes embeddings. It names no instructions: whoever runs it has it compiled for its own, with the same bits.
struct Embed<'a> {
    embedding: Embedding<'a>,
    out: &'a mut [f32],
}

impl Work for Embed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<D: Dot>(self) {
        self.embedding.write(self.out);
    }
}

impl Embedding<'_> {
    /// `out`: `[tokens, embedding]`
    #[inline(always)]
    fn write(self, out: &mut [f32]) {
        let Self {
            encoder,
            ids,
            segments,
            config,
        } = self;
        for (i, row) in out.chunks_exact_mut(config.embedding_size).enumerate() {
            // Rows of words lie all over a table that is larger than a cache.
            if let Some(&id) = ids.get(i + WORDS_AHEAD) {
                encoder.words.fetch(id as usize);
            }
            row.fill(0.0);
            encoder.words.add_row(ids[i] as usize, row);
            encoder.positions.add_row(config.first_position + i, row);
            if let Some(table) = &encoder.segments {
                // RoBERTa has one segment, whatever the template says.
                table.add_row((segments[i] as usize).min(config.segments - 1), row);
            }
            encoder.norm.apply(row, config);
        }
    }
}

impl Layer {
    fn forward(&self, hidden: &mut [f32], config: &Config) {
        let tokens = hidden.len() / config.hidden_size;
        let qkv = self.query_key_value.apply(hidden, tokens, |_| {}); // [tokens, 3 · hidden]
        let context = attention(&qkv, tokens, config); // [tokens, hidden]
        let attended = self.attention_output.apply(&context, tokens, |_| {});
        self.attention_norm.add_and_apply(hidden, &attended, config);

        let activation = match config.activation {
            Activation::Gelu => kernels::gelu,
            Activation::GeluTanh => kernels::gelu_tanh,
            Activation::Relu => kernels::relu,
        };
        let wide = self.intermediate.apply(hidden, tokens, activation); // [tokens, intermediate]
        let output = self.output.apply(&wide, tokens, |_| {});
        self.output_norm.add_and_apply(hidden, &output, config);
    }
}

/// Scaled dot-product attention of all heads (Vaswani et al. 2017, section 3.2).
fn attention(qkv: &[f32], tokens: usize, config: &Config) -> Vec<f32> {
    let (hidden, heads) = (config.hidden_size, config.heads);
    let dim = hidden / heads;
    let view = |part: usize, head: usize| Matrix {
        data: &qkv[part * hidden + head * dim..],
        rows: tokens,
        columns: dim,
        row_stride: 3 * hidden,
        column_stride: 1,
    }; // [tokens, dim]
    let scale = 1.0 / (dim as f32).sqrt();

    let mut by_head = vec![0.0; tokens * hidden]; // [heads, tokens, dim]
    by_head
        .par_chunks_exact_mut(tokens * dim)
        .enumerate()
        .for_each(|(head, out)| {
            let mut scores = vec![0.0; tokens * tokens]; // [tokens, tokens]
            kernels::product(&mut scores, view(0, head), view(1, head).transposed(), scale);
            scores.chunks_exact_mut(tokens).for_each(kernels::softmax);
            kernels::product(out, Matrix::new(&scores, tokens, tokens), view(2, head), 1.0);
        });

    let mut context = vec![0.0; tokens * hidden]; // [tokens, heads · dim]
    for (token, row) in context.chunks_exact_mut(hidden).enumerate() {
        for (head, out) in row.chunks_exact_mut(dim).enumerate() {
            let from = (head * tokens + token) * dim;
            out.copy_from_slice(&by_head[from..from + dim]);
        }
    }
    context
}

impl Linear {
    /// `input[tokens, in] · weightᵀ + bias`, then `after` on each row. `[tokens, out]`
    pub(super) fn apply(&self, input: &[f32], tokens: usize, after: impl Fn(&mut [f32]) + Sync) -> Vec<f32> {
        let (width_in, width_out) = (self.inputs, self.bias.len());
        let rows = tokens.div_ceil(PARTS).max(ROWS);
        let weight = Matrix::new(&self.weight, width_out, width_in).transposed(); // [in, out]
        let mut out = vec![0.0; tokens * width_out];
        out.par_chunks_mut(rows * width_out)
            .zip(input.par_chunks(rows * width_in))
            .for_each(|(out, input)| {
                let rows = input.len() / width_in;
                kernels::product(out, Matrix::new(input, rows, width_in), weight, 1.0);
                for row in out.chunks_exact_mut(width_out) {
                    kernels::add(row, &self.bias);
                    after(row);
                }
            });
        out
    }
}

impl Norm {
    #[inline(always)]
    fn apply(&self, row: &mut [f32], config: &Config) {
        kernels::layer_norm(row, &self.scale, &self.bias, config.layer_norm_epsilon);
    }

    /// The residual connection and its normalisation, for each row.
    fn add_and_apply(&self, hidden: &mut [f32], other: &[f32], config: &Config) {
        let width = self.scale.len();
        for (row, other) in hidden.chunks_exact_mut(width).zip(other.chunks_exact(width)) {
            kernels::add(row, other);
            self.apply(row, config);
        }
    }
}
