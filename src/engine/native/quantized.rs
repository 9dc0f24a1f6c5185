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

use super::kernels::dot::{Ahead, Columns, Dot, Fours, InstructionSet, Work, dispatch};
use super::kernels::heads::{self as vectors, Head};
use super::kernels::pack::{DEPTH, LANES, Line, Packed};
use super::kernels::rows::{self, RowScales};
use super::kernels::simd::{Grid, Lanes, OCTAVE, Simd, Words};
use super::weights;
use crate::model::{Activation, Config};

/// Tokens whose keys and values are packed together.
const BLOCK: usize = LANES;
/// Blocks in a chunk, at most: the activations of so many rows stay in a core's second-level cache (about 5.5 kB a row
/// of 384), and each chunk reads the weights once more. With AMX, reading them is the greater part, and the cache has 2 MB.
fn chunk_blocks(set: InstructionSet) -> usize {
    if set == InstructionSet::Amx { 12 } else { 6 }
}
/// Columns of 16 that a product takes at a time: 8 rows of 3 are the 24 sums that fit 32 registers with their factors.
const PANELS: usize = 3;

/// Layers and the shape that they share.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) layers: Vec<Layer>,
    /// What all of them multiply with.
    arena: Vec<Line>,
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
    /// Its outputs are added to those of the other groups: one of them has the bias.
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
    widths
        .iter()
        .all(|width| width.is_multiple_of(LANES) && *width <= MOST_TERMS)
        && config.max_tokens <= MOST_TOKENS
        && config.activation == Activation::Gelu
        // The step between the two would be in f32, whose bits depend on the processor.
        && config.embedding_size == config.hidden_size
}

/// Terms of a sum of u8 times i8 that an i32 surely holds: 2¹⁶ · 255 · 127 < 2³¹.
const MOST_TERMS: usize = 1 << 16;

/// Tokens of a window, at most: [`rows::most_inverse`] is then twice [`INVERSE_RATIO`], so that no inverse of a token becomes
/// zero, and with it a sum that is divided by.
const MOST_TOKENS: usize = 1 << 12;

/// Inverted scales of a head's values are taken for no more than so many times the least of them: in the sum of a softmax, a
/// token whose values are smaller than that counts for less than it should.
const INVERSE_RATIO: f32 = 1024.0;

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

    /// Lines from a block to the next.
    fn block_stride(self) -> usize {
        self.heads * 2 * self.lines()
    }

    /// What the tokens of a block have for a head. `rows`: `[rows, hidden / 16]`
    #[inline(always)]
    fn head(self, rows: &[Lanes], block: usize, head: usize) -> Head<'_> {
        let start = (block * BLOCK * self.hidden + head * self.dim) / LANES;
        Head::new(&rows[start..], self.hidden / LANES, self.dim / LANES)
    }
}

/// What the keys and values of a block mean, for one head.
#[derive(Debug, Clone, Copy)]
struct BlockScales {
    /// Scale of the keys, times what makes a score one in steps of [`OCTAVE`]: the exponential is then a power of 2.
    keys: f32,
    /// What sums of queries and keys start with, so that the queries' zero point is out of them: -128 times the sum of
    /// each key's integers.
    starts: [i32; BLOCK],
    /// Binary logarithm of each value's scale in the same steps, which is added to its score.
    logarithms: Lanes,
    /// Inverse of each value's scale.
    inverses: Lanes,
}

impl BlockScales {
    const ZERO: Self = Self {
        keys: 0.0,
        starts: [0; BLOCK],
        logarithms: Lanes::ZERO,
        inverses: Lanes::ZERO,
    };

    /// Makes lanes from this one on such that no token has: a score below any other, so no weight, and no part in the
    /// sum of weights.
    fn pad(&mut self, from: usize) {
        self.logarithms.0[from..].fill(rows::NO_TOKEN);
        self.inverses.0[from..].fill(0.0);
    }
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
    /// `[blocks][heads]`, in each the lines of the queries
    queries: Vec<Line>,
    /// Their scales, of sixteen rows together. `[blocks, heads]`
    query_scales: Vec<Lanes>,
    /// Of the layer that is read, and of the next, which is written.
    memories: [Memory; 2],
}

/// A chunk's own rows of a window.
struct Chunk<'a> {
    tokens: usize,
    hidden: &'a mut [Lanes],
    queries: &'a mut [Line],
    query_scales: &'a mut [Lanes],
    lines: &'a mut [Line],
    scales: &'a mut [BlockScales],
}

/// Working memory of a thread.
#[derive(Debug, Default)]
struct Scratch {
    /// Rows on their way into or out of a product. `[rows, hidden / 16]` and `[rows, group / 16]`
    narrow: Vec<Lanes>,
    wide: Vec<Lanes>,
    /// The rows that a product reads, quantised. `[rows, hidden]` and `[rows, group]`; scales `[rows / 16]`
    narrow_bytes: Vec<u8>,
    wide_bytes: Vec<u8>,
    narrow_scales: Vec<RowScales>,
    wide_scales: Vec<RowScales>,
    /// The greatest of each wide row, in one of sixteen lanes. `[rows]`
    most: Vec<Lanes>,
    /// What sums of sixteen queries with the keys of each block are multiplied with. `[blocks]`
    score_scales: Vec<Lanes>,
    /// Attention of the rows of a tile to all tokens, as scores and as weights. `[blocks / 2, rows]` and
    /// `[rows, 16 · blocks]`, the blocks rounded up to pairs
    scores: Vec<Words>,
    weights: Vec<u8>,
    /// Inverted scales of a head's values, in proportion. `[blocks / 2]`
    inverses: Vec<Words>,
}

impl Scratch {
    /// Makes room for a chunk of `rows` in a window of so many blocks, with tiles of so many rows.
    fn fit(&mut self, shape: Shape, rows: usize, blocks: usize, tile: usize) {
        self.narrow.resize(rows * shape.hidden / LANES, Lanes::ZERO);
        self.wide.resize(rows * shape.group / LANES, Lanes::ZERO);
        self.narrow_bytes.resize(rows * shape.hidden, 0);
        self.wide_bytes.resize(rows * shape.group, 0);
        self.narrow_scales.resize(rows / BLOCK, RowScales::ZERO);
        self.wide_scales.resize(rows / BLOCK, RowScales::ZERO);
        self.most.resize(rows, Lanes::ZERO);
        let pairs = blocks.div_ceil(2);
        self.score_scales.resize(blocks, Lanes::ZERO);
        self.scores.resize(tile * pairs, Words::splat(rows::NO_WORD));
        self.weights.resize(tile * pairs * 2 * BLOCK, 0);
        self.inverses.resize(pairs, Words::splat(0));
        if blocks % 2 == 1 {
            for row in &mut self.scores[tile * (pairs - 1)..] {
                row.0[1].fill(rows::NO_WORD);
            }
            self.inverses[pairs - 1].0[1].fill(0);
        }
    }
}

/// Calls `$body` for runs of panels, with `$N` the constant length of the run: `$most`, which is 2 or 3, then what remains.
macro_rules! each_panel {
    ($most:expr, $count:expr, |$panel:ident, $N:ident| $body:block) => {{
        let count = $count;
        let mut $panel = 0;
        while $panel + $most <= count {
            const $N: usize = $most;
            $body
            $panel += $N;
        }
        if $most > 2 && $panel + 2 == count {
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
    pub(super) fn new(layers: Vec<Layer>, arena: Vec<Line>, config: &Config, set: InstructionSet) -> Self {
        assert!(set.is_available(), "this processor has no {set}");
        Self {
            layers,
            arena,
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

    /// What `read` makes of the hidden state behind the first `depth` layers, which `embed` has written the embeddings to.
    /// `[tokens, hidden]` both
    ///
    /// With `alone`, threads share the chunks of this window; else the calling thread does all.
    pub(super) fn forward<T>(
        &self,
        tokens: usize,
        depth: usize,
        alone: bool,
        embed: impl FnOnce(&mut [f32]),
        read: impl FnOnce(&[f32]) -> T,
    ) -> T {
        let Shape {
            hidden: width, heads, ..
        } = self.shape;
        let blocks = tokens.div_ceil(BLOCK);
        let threads = if alone { rayon::current_num_threads() } else { 1 };
        let chunks = blocks.div_ceil(chunk_blocks(self.set)).next_multiple_of(threads);
        let chunk = blocks.div_ceil(chunks);

        let spare = self.spare.lock().map(|mut spare| spare.pop()).ok().flatten();
        let mut state = spare.unwrap_or_default();
        state.hidden.resize(blocks * BLOCK * width / LANES, Lanes::ZERO);
        let rows = tokens * width / LANES;
        embed(Lanes::flat_mut(&mut state.hidden[..rows]));
        let lines = heads * self.shape.lines();
        state.queries.resize(blocks * lines, Line::ZERO);
        state.query_scales.resize(blocks * heads, Lanes::ZERO);
        for memory in &mut state.memories {
            memory
                .lines
                .resize(blocks * self.shape.block_stride(), Line::ZERO);
            memory.scales.resize(blocks * heads, BlockScales::ZERO);
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
                .zip(queries.chunks_mut(chunk * lines))
                .zip(query_scales.chunks_mut(chunk * heads))
                .zip(write.lines.chunks_mut(chunk * self.shape.block_stride()))
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
                            arena: &self.arena,
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

        let output = read(Lanes::flat(&state.hidden[..rows]));
        if let Ok(mut spare) = self.spare.lock() {
            spare.push(state);
        }
        output
    }
}

/// The work between two points where all chunks wait for each other.
struct Step<'a> {
    shape: Shape,
    arena: &'a [Line],
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
        let rows = self.chunk.query_scales.len() / self.shape.heads * BLOCK;
        let blocks = self.tokens.div_ceil(BLOCK);
        self.scratch.fit(self.shape, rows, blocks, D::ROWS);
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
    /// `scratch.narrow`. Scores of a tile's rows at a time, which stay near.
    #[inline(always)]
    fn attend<D: Dot>(&mut self) {
        let rows = self.chunk.tokens.next_multiple_of(D::ROWS);
        for head in 0..self.shape.heads {
            let unit = self.invert::<D::Simd>(head);
            for row in (0..rows).step_by(D::ROWS) {
                if row % BLOCK == 0 {
                    self.scale_scores::<D::Simd>(head, row / BLOCK);
                }
                if D::ROWS == BLOCK {
                    self.attend_rows::<D, BLOCK>(head, row, unit);
                } else {
                    self.attend_rows::<D, 8>(head, row, unit);
                }
            }
        }
    }

    /// Fills `scratch.score_scales` for a block of queries.
    #[inline(always)]
    fn scale_scores<S: Simd>(&mut self, head: usize, block: usize) {
        let heads = self.shape.heads;
        let queries = S::load(&self.chunk.query_scales[block * heads + head]);
        // Scores of more than 2³⁰ steps are no scores; they would not fit what they go through.
        let most = S::splat((1u32 << 30) as f32 / (128 * 128 * self.shape.dim) as f32);
        for (i, out) in self.scratch.score_scales.iter_mut().enumerate() {
            let keys = self.memory.scales[i * heads + head].keys;
            S::store(S::min(S::mul(queries, S::splat(keys)), most), out);
        }
    }

    /// Inverts the scales of a head's values, into `scratch.inverses`. What they are multiples of, there, is returned.
    #[inline(always)]
    fn invert<S: Simd>(&mut self, head: usize) -> f32 {
        let heads = self.shape.heads;
        let blocks = self.tokens.div_ceil(BLOCK);
        let inverses = |block: usize| S::load(&self.memory.scales[block * heads + head].inverses);
        // Lanes of the last block that no token has are zeros.
        let mut last = self.memory.scales[(blocks - 1) * heads + head].inverses;
        last.0[self.tokens - (blocks - 1) * BLOCK..].fill(f32::MAX);
        let (mut most, mut least) = (inverses(blocks - 1), S::load(&last));
        for block in 0..blocks - 1 {
            most = S::max(inverses(block), most);
            least = S::min(inverses(block), least);
        }
        let least = -S::greatest(S::sub(S::splat(0.0), least));
        let out = &mut self.scratch.inverses;
        let greatest = rows::most_inverse(out.len());
        let unit = S::greatest(most).min(least * INVERSE_RATIO) / greatest;
        let greatest = S::splat(greatest);
        let factor = S::splat(1.0 / unit);
        for block in 0..blocks {
            let inverse = S::min(S::mul(inverses(block), factor), greatest);
            S::store_words(inverse, &mut out[block / 2].0[block % 2]);
        }
        unit
    }

    /// For a tile's rows from `row` on; `unit` is what `scratch.inverses` are multiples of.
    #[inline(always)]
    fn attend_rows<D: Dot, const M: usize>(&mut self, head: usize, row: usize, unit: f32) {
        let Shape {
            hidden, heads, dim, ..
        } = self.shape;
        let (lines, blocks) = (self.shape.lines(), self.tokens.div_ceil(BLOCK));
        let Scratch {
            narrow,
            scores,
            weights,
            inverses,
            score_scales,
            ..
        } = &mut *self.scratch;
        let pairs = blocks.div_ceil(2);
        let padded = pairs * 2 * BLOCK;
        let scores = &mut scores.as_chunks_mut::<M>().0[..pairs];
        let weights = &mut weights[..M * padded];
        let queries = &self.chunk.queries[(row / BLOCK * heads + head) * lines..][..lines];
        let queries = vectors::query_rows::<D>(queries, row % BLOCK, dim);
        let scales = |block: usize| &self.memory.scales[block * heads + head];
        let stride = self.shape.block_stride();
        let at = |block: usize| &self.memory.lines[block * stride + head * 2 * lines..];

        each_panel!(2, blocks, |block, N| {
            let columns = Columns {
                lines: at(block),
                panel_stride: stride,
                block_stride: LANES / DEPTH,
                blocks: dim / LANES,
            };
            let mut starts = [&scales(block).starts; N];
            let mut logarithms = [<D::Simd>::splat(0.0); N];
            for n in 0..N {
                starts[n] = &scales(block + n).starts;
                logarithms[n] = <D::Simd>::load(&scales(block + n).logarithms);
            }
            let score_scales = run::<N, _>(&score_scales[block..]);
            let out = &mut scores[block / 2];
            let tile = D::tile::<M, N>(queries, columns, starts, Ahead::NOTHING);
            for m in 0..M {
                for n in 0..N {
                    let scale = <D::Simd>::splat(score_scales[n].0[row % BLOCK + m]);
                    let score = <D::Simd>::mul_add(<D::Simd>::from_i32(tile[m][n]), scale, logarithms[n]);
                    <D::Simd>::store_words(score, &mut out[m].0[n]);
                }
            }
        });

        let sums = rows::softmax::<D::Simd, M>(scores, inverses, weights);
        let mut factors = Lanes::ZERO;
        let sixteenth = <D::Simd>::splat(16.0 / unit);
        <D::Simd>::store(<D::Simd>::div(sixteenth, <D::Simd>::load(&sums)), &mut factors);

        let zero = zero();
        each_panel!(2, dim / LANES, |panel, N| {
            let columns = Columns {
                lines: &at(0)[lines + panel * (LANES / DEPTH)..],
                panel_stride: LANES / DEPTH,
                block_stride: stride,
                blocks,
            };
            let tile = D::tile::<M, N>(
                Fours::of_rows(weights, padded),
                columns,
                [&zero; N],
                Ahead::NOTHING,
            );
            let start = (row * hidden + head * dim) / LANES + panel;
            let mut out = Grid::<M, N>::new(&mut narrow[start..], hidden / LANES);
            for m in 0..M {
                let factor = <D::Simd>::splat(factors.0[m]);
                for n in 0..N {
                    let mean = <D::Simd>::mul(<D::Simd>::from_i32(tile[m][n]), factor);
                    <D::Simd>::store(mean, out.at(m, n));
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
        let rows = self.chunk.tokens.next_multiple_of(BLOCK);
        let Scratch {
            narrow,
            wide,
            narrow_bytes,
            wide_bytes,
            narrow_scales,
            wide_scales,
            most,
            ..
        } = &mut *self.scratch;
        let tokens = self.chunk.tokens;
        let hidden = &mut self.chunk.hidden[..rows * width / LANES];

        for i in 0..rows / BLOCK {
            let rows = &narrow[i * width..];
            narrow_scales[i] =
                rows::quantize::<D::Simd>(rows, width / LANES, &mut narrow_bytes[i * BLOCK * width..]);
        }
        let input = Rows {
            bytes: narrow_bytes,
            scales: narrow_scales,
            count: tokens,
        };
        product::<D, ADD>(input, self.arena, &layer.attention_output, hidden, &mut []);
        normalize::<D::Simd>(
            hidden,
            &layer.attention_norm,
            epsilon,
            narrow_bytes,
            narrow_scales,
        );

        for FeedForward { intermediate, output } in &layer.feed_forward {
            most.fill(Lanes::ZERO);
            let input = Rows {
                bytes: narrow_bytes,
                scales: narrow_scales,
                count: tokens,
            };
            product::<D, GELU>(input, self.arena, intermediate, wide, most);
            for i in 0..rows / BLOCK {
                let (rows, most) = (&wide[i * group..], &most[i * BLOCK..]);
                let out = &mut wide_bytes[i * BLOCK * group..];
                wide_scales[i] = rows::quantize_gelu::<D::Simd>(rows, group / LANES, most, out);
            }
            let input = Rows {
                bytes: wide_bytes,
                scales: wide_scales,
                count: tokens,
            };
            product::<D, ADD>(input, self.arena, output, hidden, &mut []);
        }
        normalize::<D::Simd>(hidden, &layer.output_norm, epsilon, narrow_bytes, narrow_scales);
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
        let (lines, stride) = (self.shape.lines(), self.shape.block_stride());
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
            ..
        } = &mut *self.scratch;
        let blocks = tokens.div_ceil(BLOCK);
        // Behind a layer they are quantised already.
        if self.current.is_none() {
            for i in 0..blocks {
                let (rows, bytes) = (&hidden[i * width..], &mut narrow_bytes[i * BLOCK * width..]);
                narrow_scales[i] = rows::quantize::<D::Simd>(rows, width / LANES, bytes);
            }
        }
        let input = Rows {
            bytes: narrow_bytes,
            scales: narrow_scales,
            count: tokens,
        };
        product::<D, SET>(input, self.arena, &layer.query, narrow, &mut []);
        for block in 0..blocks {
            for head in 0..heads {
                let rows = self.shape.head(narrow, block, head);
                let at = block * heads + head;
                query_scales[at] = vectors::queries::<D>(rows, &mut queries[at * lines..]);
            }
        }
        product::<D, SET>(input, self.arena, &layer.key, narrow, &mut []);
        // A score as a binary logarithm makes the exponential a power of 2.
        let octave = f32::from(OCTAVE);
        let unit = octave * std::f32::consts::LOG2_E / (dim as f32).sqrt();
        for block in 0..blocks {
            for head in 0..heads {
                let rows = self.shape.head(narrow, block, head);
                let at = block * heads + head;
                let lines = &mut memory[block * stride + head * 2 * lines..];
                let (keys, starts) = vectors::keys::<D>(rows, (tokens - block * BLOCK).min(BLOCK), lines);
                scales[at].keys = keys * unit;
                scales[at].starts = starts;
            }
        }
        product::<D, SET>(input, self.arena, &layer.value, narrow, &mut []);
        for block in 0..blocks {
            for head in 0..heads {
                let rows = self.shape.head(narrow, block, head);
                let at = block * heads + head;
                let lines = &mut memory[block * stride + (head * 2 + 1) * lines..];
                let values = vectors::values::<D::Simd>(rows, (tokens - block * BLOCK).min(BLOCK), lines);
                let (log, inverse) = (
                    <D::Simd>::mul(rows::log2::<D::Simd>(values), <D::Simd>::splat(octave)),
                    <D::Simd>::div(<D::Simd>::splat(1.0), values),
                );
                <D::Simd>::store(log, &mut scales[at].logarithms);
                <D::Simd>::store(inverse, &mut scales[at].inverses);
            }
        }
        // Lanes of the last block that no token has.
        let last = tokens % BLOCK;
        if last > 0 {
            for scales in &mut scales[(blocks - 1) * heads..] {
                scales.pad(last);
            }
        }
    }
}

/// Normalisation of rows, and what comes out, quantised.
#[inline(always)]
fn normalize<S: Simd>(
    hidden: &mut [Lanes],
    norm: &Norm,
    epsilon: f32,
    bytes: &mut [u8],
    scales: &mut [RowScales],
) {
    let width = norm.scale.len();
    let norm = rows::Norm {
        scale: &norm.scale,
        bias: &norm.bias,
        epsilon,
    };
    for i in 0..hidden.len() / (BLOCK * width) {
        let start = i * BLOCK * width;
        let (hidden, bytes) = (&mut hidden[start..], &mut bytes[start * LANES..]);
        scales[i] = rows::normalize::<S>(hidden, norm, bytes);
    }
}

/// Quantised rows that a product reads.
#[derive(Clone, Copy)]
struct Rows<'a> {
    /// `[rows, inputs]`
    bytes: &'a [u8],
    /// `[rows / 16]`
    scales: &'a [RowScales],
    count: usize,
}

/// What becomes of a product's outputs: they are what is there afterwards, are added to what is there (the residual
/// connection), or go through GELU.
type After = u8;
const SET: After = 0;
const ADD: After = 1;
const GELU: After = 2;

/// A linear layer on quantised rows: `out[rows, outputs]`. With [`GELU`], the greatest of each row, or zero, is left in one of
/// the lanes of `most[rows]`.
#[inline(always)]
fn product<D: Dot, const AFTER: After>(
    rows: Rows<'_>,
    arena: &[Line],
    weights: &Packed,
    out: &mut [Lanes],
    most: &mut [Lanes],
) {
    // Rows behind the last are there, and what they give is not read.
    let least = if D::ROWS == BLOCK { BLOCK } else { 4 };
    let count = rows.count.next_multiple_of(least);
    let steps = weights.inputs / DEPTH;
    let zero = &zero();
    each_panel!(PANELS, weights.outputs / LANES, |panel, N| {
        // While one panel is multiplied, the next comes in from memory, be it of this layer or of the following.
        let next = &arena[weights.lines.start + (panel + N) * steps..];
        let next = &next[..next.len().min(N * steps)];
        let share = next.len().div_ceil(count.div_ceil(D::ROWS));
        let lines = &arena[weights.lines.clone()][panel * steps..];
        let mut row = 0;
        while row + D::ROWS <= count {
            let start = (row / D::ROWS * share).min(next.len());
            let next = &next[start..(start + share).min(next.len())];
            let ahead = Ahead::new(next, weights.inputs / LANES);
            if D::ROWS == BLOCK {
                product_rows::<D, AFTER, BLOCK, N>(rows, row, lines, weights, panel, zero, ahead, out, most);
            } else {
                product_rows::<D, AFTER, 8, N>(rows, row, lines, weights, panel, zero, ahead, out, most);
            }
            row += D::ROWS;
        }
        if row < count {
            product_rows::<D, AFTER, 4, N>(rows, row, lines, weights, panel, zero, Ahead::NOTHING, out, most);
        }
    });
}

/// What sums start with that start with nothing. If the compiler knew that, a tile would begin with a call of `memset`.
#[inline(always)]
fn zero() -> [i32; LANES] {
    std::hint::black_box([0; LANES])
}

/// Some rows and columns of [`product`].
#[allow(clippy::too_many_arguments)] // a part of it
#[inline(always)]
fn product_rows<D: Dot, const AFTER: After, const M: usize, const N: usize>(
    rows: Rows<'_>,
    row: usize,
    lines: &[Line],
    weights: &Packed,
    panel: usize,
    zero: &[i32; LANES],
    ahead: Ahead<'_>,
    out: &mut [Lanes],
    most: &mut [Lanes],
) {
    let steps = weights.inputs / DEPTH;
    let columns = Columns {
        lines,
        panel_stride: steps,
        block_stride: LANES / DEPTH,
        blocks: weights.inputs / LANES,
    };
    let bytes = &rows.bytes[row * weights.inputs..];
    let tile = D::tile::<M, N>(Fours::of_rows(bytes, weights.inputs), columns, [zero; N], ahead);
    let columns = run::<N, _>(&weights.columns[panel..]);
    let RowScales { scales, zeros } = &rows.scales[row / LANES];
    let (scales, zeros) = (
        run::<M, _>(&scales.0[row % LANES..]),
        run::<M, _>(&zeros.0[row % LANES..]),
    );
    let stride = weights.outputs / LANES;
    let mut out = Grid::<M, N>::new(&mut out[row * stride + panel..], stride);
    let most = if AFTER == GELU {
        run_mut::<M, _>(&mut most[row..])
    } else {
        most
    };
    for m in 0..M {
        let (scale, zero) = (<D::Simd>::splat(scales[m]), <D::Simd>::splat(zeros[m]));
        let mut high = <D::Simd>::splat(0.0);
        for n in 0..N {
            let out = out.at(m, n);
            let sums = <D::Simd>::from_i32(tile[m][n]);
            let sums = <D::Simd>::mul_add(zero, <D::Simd>::load(&columns[n].minus_sums), sums);
            let scales = <D::Simd>::mul(scale, <D::Simd>::load(&columns[n].scales));
            let mut x = <D::Simd>::mul_add(sums, scales, <D::Simd>::load(&columns[n].bias));
            if AFTER == ADD {
                x = <D::Simd>::add(x, <D::Simd>::load(out));
            }
            if AFTER == GELU {
                x = rows::gelu::<D::Simd>(x);
                high = <D::Simd>::max(x, high);
            }
            <D::Simd>::store(x, out);
        }
        if AFTER == GELU {
            let all = <D::Simd>::max(high, <D::Simd>::load(&most[m]));
            <D::Simd>::store(all, &mut most[m]);
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
