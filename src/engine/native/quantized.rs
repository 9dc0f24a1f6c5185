//! The layers of the encoder in int8: weights as the model stores them, activations quantised row by row on the fly.
//!
//! A layer is cut at one place only, where attention needs the keys and values of all tokens. So the rows of a window are
//! cut into chunks, and a pass over a chunk goes from attention through the feed-forward network to the next layer's
//! queries, keys and values. Rows do not depend on the chunk that they are in; sums of integers are exact and
//! floats are added in an order of their own ([`rows`]): the bits depend neither on the cut, nor on the number
//! of threads, nor on the instruction set.

// Iterators are not inlined into code as large as a layer, and cost calls.
#![allow(clippy::needless_range_loop)]

use std::cell::RefCell;
use std::sync::Mutex;

use rayon::prelude::*;

use super::kernels::dot::{Columns, Dot, InstructionSet, Work, dispatch, prefetch};
use super::kernels::pack::{DEPTH, LANES, Line, Packed};
use super::kernels::rows::{self, RowScale};
use super::kernels::simd::{Lanes, Simd};
use super::weights;
use crate::model::{Activation, Config};

/// Tokens whose keys and values are packed together.
const BLOCK: usize = LANES;
/// Blocks in a chunk, at most: the activations of so many rows stay in a core's second-level cache (about 5.5 kB a row
/// of 384), and each chunk reads the weights once more.
const CHUNK_BLOCKS: usize = 6;
/// What stands for 0 in a quantised query.
const QUERY_ZERO: f32 = 128.0;
/// Columns of 16 that a product takes at a time: 8 rows of 3 are the 24 sums that fit 32 registers with their factors.
const PANELS: usize = 3;

/// Layers and the shape that they share.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) layers: Vec<Layer>,
    pub(super) set: InstructionSet,
    shape: Shape,
    /// Memory of windows that have been read, for the next.
    spare: Mutex<Vec<State>>,
}

#[derive(Debug)]
pub(super) struct Layer {
    pub(super) query: Packed,
    pub(super) key: Packed,
    pub(super) value: Packed,
    pub(super) attention_output: Packed,
    pub(super) attention_norm: Norm,
    pub(super) feed_forward: Vec<FeedForward>,
    pub(super) output_norm: Norm,
}

/// Layer normalisation. Both `[hidden / 16]`
#[derive(Debug)]
pub(super) struct Norm {
    scale: Vec<Lanes>,
    bias: Vec<Lanes>,
}

impl From<weights::Norm> for Norm {
    fn from(norm: weights::Norm) -> Self {
        Self {
            scale: Lanes::of_row(&norm.scale),
            bias: Lanes::of_row(&norm.bias),
        }
    }
}

/// A group of the feed-forward network's inner columns: their activations are quantised apart.
#[derive(Debug)]
pub(super) struct FeedForward {
    pub(super) intermediate: Packed,
    pub(super) output: Packed,
}

/// Inner columns in such a group.
pub(super) fn group(config: &Config) -> usize {
    let (hidden, wide) = (config.hidden_size, config.intermediate_size);
    if wide.is_multiple_of(hidden) { hidden } else { wide }
}

/// Whether a model of this shape can be read in int8.
pub(super) fn fits(config: &Config) -> bool {
    let widths = [
        config.hidden_size,
        config.intermediate_size,
        config.hidden_size / config.heads,
    ];
    let terms = widths.into_iter().chain([config.max_tokens]).max();
    widths.iter().all(|width| width.is_multiple_of(LANES))
        && terms.is_some_and(|terms| terms <= MOST_TERMS)
        && config.activation == Activation::Gelu
        // The step between the two would be in f32, whose bits depend on the processor.
        && config.embedding_size == config.hidden_size
}

/// Terms of a sum of u8 times i8 that an i32 surely holds: 2¹⁶ · 255 · 127 < 2³¹.
const MOST_TERMS: usize = 1 << 16;

/// Scales of weights, biases and norms go no further than this in any model that works. Within it, and with as many terms as
/// [`fits`] allows, normalised rows stay below 3·10⁵, products of them below 3·10¹⁵, scores below 10³⁶ and the sums that are
/// normalised below 10²⁶ (whose variance may overflow: it then leaves the biases). So every activation is finite;
/// quantisation, which would turn a NaN into some number, never meets one.
pub(super) const LARGEST: f32 = 1e3;

#[derive(Debug, Clone, Copy)]
struct Shape {
    hidden: usize,
    heads: usize,
    /// Width of a head.
    dim: usize,
    group: usize,
    epsilon: f32,
}

impl Shape {
    /// Lines of the keys of a block for one head, and of its values.
    fn lines(self) -> usize {
        self.dim / DEPTH
    }
}

/// What the keys and values of a block mean, for one head.
#[derive(Debug, Clone, Copy)]
struct BlockScales {
    /// Scale of each key.
    keys: Lanes,
    /// What takes the queries' zero point out of a sum: -128 times the sum of each key's integers.
    corrections: Lanes,
    /// Scale of each value.
    values: Lanes,
}

impl BlockScales {
    /// Lanes that no token has: no weight, and a score below any other.
    const PADDING: Self = Self {
        keys: Lanes([1.0; BLOCK]),
        corrections: Lanes([f32::MIN; BLOCK]),
        values: Lanes::ZERO,
    };
}

/// Keys and values of a window, block by block: `[blocks][heads]`, in each the lines of the keys, then of the values.
#[derive(Debug, Default)]
struct Memory {
    lines: Vec<Line>,
    scales: Vec<BlockScales>,
}

/// A window on its way through the layers. Rows are padded to whole blocks.
#[derive(Debug, Default)]
struct State {
    /// `[rows, hidden / 16]`
    hidden: Vec<Lanes>,
    /// `[rows, hidden]`
    queries: Vec<u8>,
    /// Their scales; their zero point is 128. `[rows, heads]`
    query_scales: Vec<f32>,
    /// Of the layer that is read, and of the next, which is written.
    memories: [Memory; 2],
}

/// A chunk's own rows of a window.
struct Chunk<'a> {
    tokens: usize,
    hidden: &'a mut [Lanes],
    queries: &'a mut [u8],
    query_scales: &'a mut [f32],
    lines: &'a mut [Line],
    scales: &'a mut [BlockScales],
}

/// Working memory of a thread.
#[derive(Debug, Default)]
struct Scratch {
    /// Rows on their way into or out of a product. `[rows, hidden / 16]` and `[rows, group / 16]`
    narrow: Vec<Lanes>,
    wide: Vec<Lanes>,
    /// The rows that a product reads, quantised. `[rows, hidden]` and `[rows, group]`
    narrow_bytes: Vec<u8>,
    wide_bytes: Vec<u8>,
    narrow_scales: Vec<RowScale>,
    wide_scales: Vec<RowScale>,
    /// Attention of eight rows to all tokens, as scores and as weights. `[8, blocks]` and `[8, 16 · blocks]`
    scores: Vec<Lanes>,
    weights: Vec<u8>,
    /// One token's key or value of one head.
    head_bytes: Vec<u8>,
}

impl Scratch {
    /// Makes room for a chunk of `rows` in a window of so many blocks.
    fn fit(&mut self, shape: Shape, rows: usize, blocks: usize) {
        self.narrow.resize(rows * shape.hidden / LANES, Lanes::ZERO);
        self.wide.resize(rows * shape.group / LANES, Lanes::ZERO);
        self.narrow_bytes.resize(rows * shape.hidden, 0);
        self.wide_bytes.resize(rows * shape.group, 0);
        self.narrow_scales.resize(rows, RowScale::default());
        self.wide_scales.resize(rows, RowScale::default());
        self.scores.resize(8 * blocks, Lanes::ZERO);
        self.weights.resize(8 * blocks * BLOCK, 0);
        self.head_bytes.resize(shape.dim, 0);
    }
}

/// Calls `$body` for runs of panels, with `$N` the constant length of the run: three, then what remains.
macro_rules! each_panel {
    ($count:expr, |$panel:ident, $N:ident| $body:block) => {{
        let count = $count;
        let mut $panel = 0;
        while $panel + PANELS <= count {
            const $N: usize = PANELS;
            $body
            $panel += $N;
        }
        if $panel + 2 == count {
            const $N: usize = 2;
            $body
        } else if $panel + 1 == count {
            const $N: usize = 1;
            $body
        }
    }};
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Layers {
    /// # Panics
    /// When this processor does not have the instruction set.
    pub(super) fn new(layers: Vec<Layer>, config: &Config, set: InstructionSet) -> Self {
        assert!(set.is_available(), "this processor has no {set}");
        Self {
            layers,
            set,
            shape: Shape {
                hidden: config.hidden_size,
                heads: config.heads,
                dim: config.hidden_size / config.heads,
                group: group(config),
                epsilon: config.layer_norm_epsilon,
            },
            spare: Mutex::default(),
        }
    }

    /// Hidden state behind the first `depth` layers. `[tokens, hidden]`, in and out
    ///
    /// With `alone`, threads share the chunks of this window; else the calling thread does all.
    pub(super) fn forward(&self, mut hidden: Vec<f32>, depth: usize, alone: bool) -> Vec<f32> {
        let Shape {
            hidden: width, heads, ..
        } = self.shape;
        let tokens = hidden.len() / width;
        let blocks = tokens.div_ceil(BLOCK);
        let threads = if alone { rayon::current_num_threads() } else { 1 };
        let chunks = blocks.div_ceil(CHUNK_BLOCKS).next_multiple_of(threads);
        let chunk = blocks.div_ceil(chunks);

        let spare = self.spare.lock().map(|mut spare| spare.pop()).ok().flatten();
        let mut state = spare.unwrap_or_default();
        state.hidden.resize(blocks * BLOCK * width / LANES, Lanes::ZERO);
        for (lanes, row) in state.hidden.iter_mut().zip(hidden.as_chunks().0) {
            lanes.0 = *row;
        }
        state.queries.resize(blocks * BLOCK * width, 0);
        state.query_scales.resize(blocks * BLOCK * heads, 0.0);
        for memory in &mut state.memories {
            memory
                .lines
                .resize(blocks * heads * 2 * self.shape.lines(), Line::ZERO);
            memory.scales.resize(blocks * heads, BlockScales::PADDING);
        }

        for index in 0..=depth {
            // At first there is nothing to attend to, and at last no layer to prepare.
            let current = index.checked_sub(1).map(|i| &self.layers[i]);
            let next = (index < depth).then(|| &self.layers[index]);
            let State {
                hidden,
                queries,
                query_scales,
                memories: [read, write],
            } = &mut state;
            let work: Vec<Chunk<'_>> = hidden
                .chunks_mut(chunk * BLOCK * width / LANES)
                .zip(queries.chunks_mut(chunk * BLOCK * width))
                .zip(query_scales.chunks_mut(chunk * BLOCK * heads))
                .zip(write.lines.chunks_mut(chunk * heads * 2 * self.shape.lines()))
                .zip(write.scales.chunks_mut(chunk * heads))
                .enumerate()
                .map(
                    |(i, ((((hidden, queries), query_scales), lines), scales))| Chunk {
                        tokens: (tokens - i * chunk * BLOCK).min(chunk * BLOCK),
                        hidden,
                        queries,
                        query_scales,
                        lines,
                        scales,
                    },
                )
                .collect();
            let memory = &*read;
            let step = |chunk: Chunk<'_>| {
                SCRATCH.with_borrow_mut(|scratch| {
                    dispatch(
                        self.set,
                        Step {
                            shape: self.shape,
                            tokens,
                            current,
                            next,
                            memory,
                            chunk,
                            scratch,
                        },
                    );
                });
            };
            if threads > 1 {
                work.into_par_iter().for_each(step);
            } else {
                work.into_iter().for_each(step);
            }
            state.memories.swap(0, 1);
        }

        for (row, lanes) in hidden.as_chunks_mut().0.iter_mut().zip(&state.hidden) {
            *row = lanes.0;
        }
        if let Ok(mut spare) = self.spare.lock() {
            spare.push(state);
        }
        hidden
    }
}

/// The work between two points where all chunks wait for each other.
struct Step<'a> {
    shape: Shape,
    /// Of the window.
    tokens: usize,
    /// The layer whose keys and values are in `memory`.
    current: Option<&'a Layer>,
    /// The layer to prepare queries, keys and values for.
    next: Option<&'a Layer>,
    memory: &'a Memory,
    chunk: Chunk<'a>,
    scratch: &'a mut Scratch,
}

impl Work for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run<D: Dot>(mut self) {
        let rows = self.chunk.query_scales.len() / self.shape.heads;
        self.scratch.fit(self.shape, rows, self.tokens.div_ceil(BLOCK));
        if let Some(layer) = self.current {
            self.attend::<D>();
            self.feed_forward::<D>(layer);
        }
        if let Some(layer) = self.next {
            self.project::<D>(layer);
        }
    }
}

impl Step<'_> {
    /// Scaled dot-product attention of all heads (Vaswani et al. 2017, section 3.2), for the rows of the chunk, into
    /// `scratch.narrow`. Scores of eight rows at a time, which stay in the first-level cache.
    #[inline(always)]
    fn attend<D: Dot>(&mut self) {
        let rows = self.chunk.tokens.next_multiple_of(4);
        for head in 0..self.shape.heads {
            let mut row = 0;
            while row + 8 <= rows {
                self.attend_rows::<D, 8>(head, row);
                row += 8;
            }
            if row < rows {
                self.attend_rows::<D, 4>(head, row);
            }
        }
    }

    #[inline(always)]
    fn attend_rows<D: Dot, const M: usize>(&mut self, head: usize, row: usize) {
        let Shape {
            hidden, heads, dim, ..
        } = self.shape;
        let (lines, blocks) = (self.shape.lines(), self.tokens.div_ceil(BLOCK));
        let padded = blocks * BLOCK;
        let Scratch {
            narrow,
            scores,
            weights,
            ..
        } = &mut *self.scratch;
        let scores = &mut scores[..M * blocks];
        let weights = &mut weights[..M * padded];
        // In units of ln 2, so that the exponential is a power of 2.
        let unit = std::f32::consts::LOG2_E / (dim as f32).sqrt();
        let queries = &self.chunk.queries[row * hidden + head * dim..];
        let query_scales = &self.chunk.query_scales[row * heads + head..];
        let scales = |block: usize| &self.memory.scales[block * heads + head];
        let at = |block: usize| &self.memory.lines[(block * heads + head) * 2 * lines..];

        let mut most = [<D::Simd>::splat(f32::NEG_INFINITY); M];
        each_panel!(blocks, |block, N| {
            let columns = Columns {
                lines: at(block),
                panel_stride: heads * 2 * lines,
                block_stride: LANES / DEPTH,
                blocks: dim / LANES,
            };
            let tile = D::tile::<M, N>(queries, hidden, columns);
            let mut key_scales = [<D::Simd>::splat(0.0); N];
            let mut corrections = [<D::Simd>::splat(0.0); N];
            for n in 0..N {
                key_scales[n] = <D::Simd>::load(&scales(block + n).keys);
                corrections[n] = <D::Simd>::load(&scales(block + n).corrections);
            }
            for m in 0..M {
                let scale = <D::Simd>::splat(query_scales[m * heads] * unit);
                let out = run_mut::<N, _>(&mut scores[m * blocks + block..]);
                for n in 0..N {
                    let sums = <D::Simd>::add(<D::Simd>::from_i32(&tile[m][n]), corrections[n]);
                    let score = <D::Simd>::mul(sums, <D::Simd>::mul(scale, key_scales[n]));
                    <D::Simd>::store(score, &mut out[n]);
                    most[m] = <D::Simd>::max(score, most[m]);
                }
            }
        });

        let mut factors = [0.0; M];
        for m in 0..M {
            factors[m] = rows::softmax::<D::Simd>(
                &mut scores[m * blocks..][..blocks],
                <D::Simd>::greatest(most[m]),
                |block| &scales(block).values,
                &mut weights[m * padded..][..padded],
            );
        }

        each_panel!(dim / LANES, |panel, N| {
            let columns = Columns {
                lines: &at(0)[lines + panel * (LANES / DEPTH)..],
                panel_stride: LANES / DEPTH,
                block_stride: heads * 2 * lines,
                blocks,
            };
            let tile = D::tile::<M, N>(weights, padded, columns);
            for m in 0..M {
                let factor = <D::Simd>::splat(factors[m]);
                let start = ((row + m) * hidden + head * dim) / LANES + panel;
                let out = run_mut::<N, _>(&mut narrow[start..]);
                for n in 0..N {
                    <D::Simd>::store(
                        <D::Simd>::mul(<D::Simd>::from_i32(&tile[m][n]), factor),
                        &mut out[n],
                    );
                }
            }
        });
    }

    /// From what attention gave to the layer's output.
    #[inline(always)]
    fn feed_forward<D: Dot>(&mut self, layer: &Layer) {
        let Shape {
            hidden: width,
            group,
            epsilon,
            ..
        } = self.shape;
        let tokens = self.chunk.tokens;
        let Scratch {
            narrow,
            wide,
            narrow_bytes,
            wide_bytes,
            narrow_scales,
            wide_scales,
            ..
        } = &mut *self.scratch;
        let hidden = &mut self.chunk.hidden[..tokens * width / LANES];

        quantize::<D::Simd>(narrow, width, tokens, narrow_bytes, narrow_scales);
        product::<D>(
            narrow_bytes,
            narrow_scales,
            tokens,
            &layer.attention_output,
            narrow,
            false,
        );
        add_and_normalize::<D::Simd>(hidden, narrow, &layer.attention_norm, epsilon);

        quantize::<D::Simd>(hidden, width, tokens, narrow_bytes, narrow_scales);
        for (i, FeedForward { intermediate, output }) in layer.feed_forward.iter().enumerate() {
            product::<D>(narrow_bytes, narrow_scales, tokens, intermediate, wide, false);
            rows::gelu::<D::Simd>(&mut wide[..tokens * group / LANES]);
            quantize::<D::Simd>(wide, group, tokens, wide_bytes, wide_scales);
            product::<D>(wide_bytes, wide_scales, tokens, output, narrow, i > 0);
        }
        add_and_normalize::<D::Simd>(hidden, narrow, &layer.output_norm, epsilon);
    }

    /// Queries, keys and values of the next layer.
    #[inline(always)]
    fn project<D: Dot>(&mut self, layer: &Layer) {
        let Shape {
            hidden: width,
            heads,
            dim,
            ..
        } = self.shape;
        let lines = self.shape.lines();
        let Chunk {
            tokens,
            hidden,
            queries,
            query_scales,
            lines: memory,
            scales,
        } = &mut self.chunk;
        let tokens = *tokens;
        let Scratch {
            narrow,
            narrow_bytes,
            narrow_scales,
            head_bytes,
            ..
        } = &mut *self.scratch;
        quantize::<D::Simd>(hidden, width, tokens, narrow_bytes, narrow_scales);

        product::<D>(narrow_bytes, narrow_scales, tokens, &layer.query, narrow, false);
        for i in 0..tokens * heads {
            let row = &narrow[i * dim / LANES..][..dim / LANES];
            let out = &mut queries[i * dim..][..dim];
            (query_scales[i], _) = rows::quantize_symmetric::<D::Simd>(row, out, QUERY_ZERO);
        }

        // Lanes of the last block that no token has.
        if !tokens.is_multiple_of(BLOCK) {
            let last = scales.len() - heads;
            scales[last..].fill(BlockScales::PADDING);
        }
        let bytes = &mut head_bytes[..dim];
        product::<D>(narrow_bytes, narrow_scales, tokens, &layer.key, narrow, false);
        for token in 0..tokens {
            let (block, lane) = (token / BLOCK, token % BLOCK);
            for head in 0..heads {
                let row = &narrow[(token * width + head * dim) / LANES..][..dim / LANES];
                let at = block * heads + head;
                let scales = &mut scales[at];
                let (scale, sum) = rows::quantize_symmetric::<D::Simd>(row, bytes, 0.0);
                scales.keys.0[lane] = scale;
                scales.corrections.0[lane] = -QUERY_ZERO * sum;
                let memory = &mut memory[at * 2 * lines..][..lines];
                let fours = bytes.as_chunks::<DEPTH>().0;
                for i in 0..lines {
                    memory[i].0.as_chunks_mut::<DEPTH>().0[lane] = fours[i];
                }
            }
        }
        product::<D>(narrow_bytes, narrow_scales, tokens, &layer.value, narrow, false);
        for token in 0..tokens {
            let (block, lane) = (token / BLOCK, token % BLOCK);
            for head in 0..heads {
                let row = &narrow[(token * width + head * dim) / LANES..][..dim / LANES];
                let at = block * heads + head;
                (scales[at].values.0[lane], _) = rows::quantize_symmetric::<D::Simd>(row, bytes, 0.0);
                let memory = &mut memory[(at * 2 + 1) * lines..][..lines];
                // Here the inner dimension is the token and the columns are the head's.
                let panels = bytes.as_chunks::<LANES>().0;
                for panel in 0..panels.len() {
                    let line = &mut memory[panel * (LANES / DEPTH) + lane / DEPTH];
                    for i in 0..LANES {
                        line.0[i * DEPTH + lane % DEPTH] = panels[panel][i];
                    }
                }
            }
        }
    }
}

/// Quantises rows of this width, each by itself.
#[inline(always)]
fn quantize<S: Simd>(rows: &[Lanes], width: usize, count: usize, bytes: &mut [u8], scales: &mut [RowScale]) {
    for i in 0..count {
        let row = &rows[i * width / LANES..][..width / LANES];
        scales[i] = rows::quantize::<S>(row, &mut bytes[i * width..][..width]);
    }
}

#[inline(always)]
fn add_and_normalize<S: Simd>(hidden: &mut [Lanes], other: &[Lanes], norm: &Norm, epsilon: f32) {
    let width = norm.scale.len();
    for i in 0..hidden.len() / width {
        let range = i * width..(i + 1) * width;
        rows::add_and_normalize::<S>(
            &mut hidden[range.clone()],
            &other[range],
            &norm.scale,
            &norm.bias,
            epsilon,
        );
    }
}

/// A linear layer on quantised rows: `out[rows, outputs]`, set or, with `add`, added to.
#[inline(always)]
fn product<D: Dot>(
    bytes: &[u8],
    scales: &[RowScale],
    rows: usize,
    weights: &Packed,
    out: &mut [Lanes],
    add: bool,
) {
    // Rows behind the last are there, and what they give is not read.
    let rows = rows.next_multiple_of(4);
    let steps = weights.inputs / DEPTH;
    each_panel!(weights.outputs / LANES, |panel, N| {
        let columns = Columns {
            lines: &weights.lines[panel * steps..],
            panel_stride: steps,
            block_stride: LANES / DEPTH,
            blocks: weights.inputs / LANES,
        };
        // While one panel is multiplied, the next comes in from memory.
        let next = &weights.lines[(panel + N) * steps..];
        let next = &next[..next.len().min(N * steps)];
        let share = next.len().div_ceil(rows.div_ceil(8));
        let mut row = 0;
        while row + 8 <= rows {
            let start = (row / 8 * share).min(next.len());
            prefetch(&next[start..(start + share).min(next.len())]);
            product_rows::<D, 8, N>(bytes, scales, row, weights, panel, columns, out, add);
            row += 8;
        }
        if row < rows {
            product_rows::<D, 4, N>(bytes, scales, row, weights, panel, columns, out, add);
        }
    });
}

#[allow(clippy::too_many_arguments)] // a part of `product`
#[inline(always)]
fn product_rows<D: Dot, const M: usize, const N: usize>(
    bytes: &[u8],
    scales: &[RowScale],
    row: usize,
    weights: &Packed,
    panel: usize,
    columns: Columns<'_>,
    out: &mut [Lanes],
    add: bool,
) {
    let tile = D::tile::<M, N>(&bytes[row * weights.inputs..], weights.inputs, columns);
    let columns = run::<N, _>(&weights.columns[panel..]);
    let scales = &scales[row..row + M];
    for m in 0..M {
        let RowScale { scale, zero } = scales[m];
        let (scale, minus_zero) = (<D::Simd>::splat(scale), <D::Simd>::splat(-zero));
        let out = run_mut::<N, _>(&mut out[(row + m) * weights.outputs / LANES + panel..]);
        for n in 0..N {
            let sums = <D::Simd>::from_i32(&tile[m][n]);
            let sums = <D::Simd>::mul_add(minus_zero, <D::Simd>::load(&columns[n].sums), sums);
            let scales = <D::Simd>::mul(scale, <D::Simd>::load(&columns[n].scales));
            let start = <D::Simd>::load(if add { &out[n] } else { &columns[n].bias });
            <D::Simd>::store(<D::Simd>::mul_add(sums, scales, start), &mut out[n]);
        }
    }
}

/// The first so many, whose number the compiler knows.
#[inline(always)]
fn run<const N: usize, T>(of: &[T]) -> &[T; N] {
    of.first_chunk().expect("there are as many")
}

#[inline(always)]
fn run_mut<const N: usize, T>(of: &mut [T]) -> &mut [T; N] {
    of.first_chunk_mut().expect("there are as many")
}
