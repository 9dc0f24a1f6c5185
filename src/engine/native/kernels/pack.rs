//! Matrices of int8 in the order in which dot-product instructions read them.

use std::ops::Range;

use super::simd::Lanes;

/// Columns that one vector holds: an instruction makes their sums side by side.
pub(crate) const LANES: usize = 16;
/// Neighbours along the inner dimension that one instruction multiplies and adds up for each column.
pub(crate) const DEPTH: usize = 4;

/// Four steps of the inner dimension for 16 columns: byte `4 · column + step` has the bits of an i8. A cache line, and a vector of AVX-512.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [u8; LANES * DEPTH]);

impl Line {
    pub(crate) const ZERO: Self = Self([0; LANES * DEPTH]);

    /// Lines one after the other.
    #[inline(always)]
    pub(crate) fn bytes(lines: &[Self]) -> &[u8] {
        // SAFETY: a line is an array of bytes and nothing else, as long as its alignment; so lines have no gaps, and live as
        // long as what is returned.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), size_of_val(lines)) }
    }

    /// As [`bytes`](Self::bytes).
    #[inline(always)]
    pub(crate) fn bytes_mut(lines: &mut [Self]) -> &mut [u8] {
        // SAFETY: as in `bytes`; every byte may be written.
        unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), size_of_val(lines)) }
    }
}

/// Room for the lines of matrices of so many bytes in all.
///
/// One allocation, because a processor reads it with few entries of its table of pages if these are huge, which Linux gives
/// to what is large, and on many machines only to what asks.
pub(crate) fn arena(bytes: usize) -> Vec<Line> {
    let arena = Vec::with_capacity(bytes.div_ceil(size_of::<Line>()));
    #[cfg(target_os = "linux")]
    ask_for_huge_pages(&arena);
    arena
}

/// The smallest huge page there is, and a multiple of every plain one.
#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 2 << 20;

#[cfg(target_os = "linux")]
fn ask_for_huge_pages(arena: &Vec<Line>) {
    let start = arena.as_ptr().addr();
    let (first, end) = (
        start.next_multiple_of(HUGE_PAGE),
        (start + arena.capacity() * size_of::<Line>()) / HUGE_PAGE * HUGE_PAGE,
    );
    if first < end {
        let pages = arena.as_ptr().cast_mut().cast::<u8>().wrapping_add(first - start);
        // SAFETY: these are whole pages of memory that the vector owns, and the advice changes nothing about what is in them. A
        // kernel that refuses it goes on with small pages.
        let _ = unsafe { rustix::mm::madvise(pages.cast(), end - first, rustix::mm::Advice::LinuxHugepage) };
    }
}

/// A linear layer in int8: `[inputs, outputs]`, with what turns integer sums back into numbers.
///
/// An input row is `scale · (u − zero)` with `u` of u8, a weight column is `scale · w` with `w` of i8. So an output is
/// `row scale · column scale · (Σ u·w − zero · Σ w) + bias`.
/// The lines of all layers stand in one arena, in the order in which they are read.
#[derive(Debug)]
pub(crate) struct Packed {
    /// Where its lines stand in the arena: `[outputs / 16][inputs / 4]`.
    pub(crate) lines: Range<usize>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// `[outputs / 16]`
    pub(crate) columns: Vec<ColumnScales>,
}

/// What sixteen columns of integers mean.
#[derive(Debug)]
pub(crate) struct ColumnScales {
    /// Scale of each column.
    pub(crate) scales: Lanes,
    /// Sum of each column's integers, negated.
    pub(crate) minus_sums: Lanes,
    /// Bias of each column.
    pub(crate) bias: Lanes,
}

impl Packed {
    /// Packs some of the inputs of a matrix as a model stores it, `[outputs, width]` with the bits of i8, behind what is in the
    /// arena.
    ///
    /// # Panics
    /// When the sizes are no multiples of 16 or do not agree.
    pub(crate) fn new(
        matrix: &[u8],
        width: usize,
        inputs: Range<usize>,
        scales: &[f32],
        bias: &[f32],
        arena: &mut Vec<Line>,
    ) -> Self {
        let outputs = matrix.len() / width;
        assert!(outputs.is_multiple_of(LANES) && inputs.len().is_multiple_of(LANES));
        assert!(scales.len() == outputs && bias.len() == outputs);
        let steps = inputs.len() / DEPTH;
        let first = arena.len();
        arena.resize(first + outputs / LANES * steps, Line::ZERO);
        let packed = &mut arena[first..];
        let mut columns = Vec::with_capacity(outputs / LANES);
        for (block, rows) in matrix.chunks_exact(LANES * width).enumerate() {
            let lines = &mut packed[block * steps..(block + 1) * steps];
            let mut sums = [0.0; LANES];
            for (column, row) in rows.chunks_exact(width).enumerate() {
                let row = &row[inputs.clone()];
                for (line, four) in lines.iter_mut().zip(row.as_chunks::<DEPTH>().0) {
                    line.0.as_chunks_mut().0[column] = *four;
                }
                sums[column] = -row.iter().map(|&w| i32::from(w.cast_signed())).sum::<i32>() as f32;
            }
            columns.push(ColumnScales {
                scales: Lanes(scales.as_chunks().0[block]),
                minus_sums: Lanes(sums),
                bias: Lanes(bias.as_chunks().0[block]),
            });
        }
        Self {
            lines: first..arena.len(),
            inputs: inputs.len(),
            outputs,
            columns,
        }
    }

    /// The same layer with a bias of zeros.
    pub(crate) fn without_bias(mut self) -> Self {
        for columns in &mut self.columns {
            columns.bias = Lanes::ZERO;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arena_holds_what_any_vector_does() {
        for bytes in [0, 1, 64, 100_000, 5_000_000] {
            let fill = |mut lines: Vec<Line>| {
                assert!(lines.is_empty());
                lines.extend((0..bytes / 64).map(|i| Line([(i % 251) as u8; 64])));
                lines
            };
            assert!(arena(bytes).capacity() * 64 >= bytes);
            assert_eq!(fill(arena(bytes)), fill(Vec::new()));
        }
    }

    #[test]
    fn bytes_are_those_of_the_lines() {
        for count in 0..4u8 {
            let lines: Vec<Line> = (0..count)
                .map(|i| Line(std::array::from_fn(|k| i * 64 + k as u8)))
                .collect();
            let bytes: Vec<u8> = lines.iter().flat_map(|line| line.0).collect();
            assert_eq!(Line::bytes(&lines), bytes);
            let mut others = vec![Line::ZERO; lines.len()];
            Line::bytes_mut(&mut others).copy_from_slice(&bytes);
            assert_eq!(others, lines);
        }
    }
}
