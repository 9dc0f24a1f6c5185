//! Queries, keys and values: the vectors that sixteen tokens have for one head, quantised and laid out for attention.
//!
//! Sixteen at a time, because then what is found for each of them, as its scale, stands in one vector.

// Iterators are not inlined into code as large as a layer, and cost calls.
#![allow(clippy::needless_range_loop)]

use super::dot::{Ahead, Columns, Dot, Fours};
use super::pack::{DEPTH, LANES, Line};
use super::rows::{TINY, room};
use super::simd::{Lanes, ROUND, Simd};

/// What stands for 0 in a quantised query.
const QUERY_ZERO: u8 = 128;

/// The vectors of sixteen tokens for one head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    rows: &'a [Lanes],
    stride: usize,
    width: usize,
}

impl<'a> Head<'a> {
    /// Token t's vector begins at `t · stride` of `rows`, and is `width` sixteens long.
    ///
    /// # Panics
    /// When a vector reaches past the rows, or is empty.
    #[inline(always)]
    pub(crate) fn new(rows: &'a [Lanes], stride: usize, width: usize) -> Self {
        let reach = stride
            .checked_mul(LANES - 1)
            .and_then(|start| start.checked_add(width));
        assert!(
            width > 0 && reach.is_some_and(|reach| reach <= rows.len()),
            "vectors reach past their rows"
        );
        Self { rows, stride, width }
    }

    #[inline(always)]
    fn load<S: Simd>(&self, token: usize, j: usize) -> S::F32 {
        debug_assert!(token < LANES && j < self.width);
        // SAFETY: all callers, which are in this module, count tokens to 16 and j to the width: `new` has found
        // the last of them within the rows.
        S::load(unsafe { self.rows.get_unchecked(token * self.stride + j) })
    }

    /// How far each vector reaches from zero. A vector that reaches no further than [`TINY`] is taken for one that does, and
    /// becomes small integers.
    #[inline(always)]
    fn reaches<S: Simd>(&self) -> S::F32 {
        let mut most = room::<S>();
        for t in 0..LANES {
            let mut reach = S::abs(self.load::<S>(t, 0));
            for j in 1..self.width {
                reach = S::max(S::abs(self.load::<S>(t, j)), reach);
            }
            most[t] = reach;
        }
        S::max(S::greatests(&most), S::splat(TINY))
    }

    /// The scale by which each vector becomes integers in ±127, and its inverse.
    #[inline(always)]
    fn scales<S: Simd>(&self) -> (S::F32, Lanes) {
        let most = self.reaches::<S>();
        let mut inverses = Lanes::ZERO;
        S::store(S::div(S::splat(127.0), most), &mut inverses);
        (S::div(most, S::splat(127.0)), inverses)
    }

    /// The integer, in its low byte, of each number of a token in one of its sixteens.
    #[inline(always)]
    fn integers<S: Simd>(&self, token: usize, j: usize, inverse: f32) -> S::F32 {
        S::mul_add(self.load::<S>(token, j), S::splat(inverse), S::splat(ROUND))
    }
}

/// Sixteen vectors as integers in ±127, times `inverses`, so that tokens are columns.
#[inline(always)]
fn columns<S: Simd>(head: Head<'_>, inverses: &Lanes, lines: &mut [Line]) {
    let lines = &mut lines.as_chunks_mut().0[..head.width];
    for j in 0..head.width {
        let mut x = room::<S>();
        for t in 0..LANES {
            x[t] = S::mul(head.load::<S>(t, j), S::splat(inverses.0[t]));
        }
        S::store_columns(&x, &mut lines[j]);
    }
}

/// Quantises queries to u8 around [`QUERY_ZERO`], in the order in which [`query_rows`] finds them. Gives the scale of each.
#[inline(always)]
pub(crate) fn queries<D: Dot>(head: Head<'_>, lines: &mut [Line]) -> Lanes {
    let (scales, inverses) = head.scales::<D::Simd>();
    let lines = &mut lines[..head.width * (LANES / DEPTH)];
    if D::ROWS == LANES {
        let rows = Line::bytes_mut(lines).as_chunks_mut().0;
        let zero = <D::Simd>::splat(ROUND + f32::from(QUERY_ZERO));
        for t in 0..LANES {
            let inverse = <D::Simd>::splat(inverses.0[t]);
            for j in 0..head.width {
                // Rounded twice, as `columns` does.
                let x = <D::Simd>::mul(head.load::<D::Simd>(t, j), inverse);
                <D::Simd>::store_low_bytes(<D::Simd>::add(x, zero), &mut rows[t * head.width + j]);
            }
        }
    } else {
        columns::<D::Simd>(head, &inverses, lines);
        for line in lines {
            for byte in &mut line.0 {
                *byte ^= QUERY_ZERO;
            }
        }
    }
    let mut out = Lanes::ZERO;
    <D::Simd>::store(scales, &mut out);
    out
}

/// Queries of `dim` elements from that of a token on: rows one behind the other where a tile has whole blocks of them, else columns.
#[inline(always)]
pub(crate) fn query_rows<D: Dot>(lines: &[Line], token: usize, dim: usize) -> Fours<'_> {
    if D::ROWS == LANES {
        Fours::of_rows(&Line::bytes(lines)[token * dim..], dim)
    } else {
        Fours::of_lines(lines, token)
    }
}

/// Quantises keys to i8, so that tokens are columns, with one scale for the first `tokens` of them; the others' integers are
/// any. Gives the scale, and what the sums of each key with queries start with, so that the queries' zero is out of
/// them.
#[inline(always)]
pub(crate) fn keys<D: Dot>(head: Head<'_>, tokens: usize, lines: &mut [Line]) -> (f32, [i32; LANES]) {
    let lines = &mut lines[..head.width * (LANES / DEPTH)];
    let mut reaches = Lanes::ZERO;
    <D::Simd>::store(head.reaches::<D::Simd>(), &mut reaches);
    reaches.0[tokens..].fill(0.0);
    let reach = <D::Simd>::greatest(<D::Simd>::load(&reaches));
    columns::<D::Simd>(head, &Lanes([127.0 / reach; LANES]), lines);
    let columns = Columns {
        lines,
        panel_stride: 0,
        block_stride: LANES / DEPTH,
        blocks: head.width,
    };
    // Four rows that are one: a query of nothing but its zero, sixteen elements at a time.
    let mut starts = [0; LANES];
    for block in 0..head.width {
        let columns = Columns {
            lines: &columns.lines[block * (LANES / DEPTH)..],
            blocks: 1,
            ..columns
        };
        let sums = D::tile::<4, 1>(
            Fours::of_rows(&[QUERY_ZERO; LANES], 0),
            columns,
            [&starts],
            Ahead::NOTHING,
        );
        <D::Simd>::store_i32(sums[0][0], &mut starts);
    }
    (reach / 127.0, starts.map(|sum| -sum))
}

/// Quantises values to i8, so that tokens are the inner dimension: each sixteen of a vector is a block of lines. The
/// integers of all but the first `tokens` are zeros. Gives the scale of each token.
#[inline(always)]
pub(crate) fn values<S: Simd>(head: Head<'_>, tokens: usize, lines: &mut [Line]) -> S::F32 {
    let lines = &mut lines[..head.width * (LANES / DEPTH)];
    let (scales, mut inverses) = head.scales::<S>();
    inverses.0[tokens..].fill(0.0);
    for j in 0..head.width {
        for i in 0..LANES / DEPTH {
            let mut four = [S::splat(0.0); DEPTH];
            for k in 0..DEPTH {
                four[k] = head.integers::<S>(i * DEPTH + k, j, inverses.0[i * DEPTH + k]);
            }
            S::store_low_bytes_of_four(four, &mut lines[j * (LANES / DEPTH) + i]);
        }
    }
    scales
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::dot::{InstructionSet, Work, dispatch};
    use super::super::rows::tests::number;
    use super::super::simd::Scalar;
    use super::*;

    /// Sixteen vectors of `width` sixteens, with a sixteen between them that is none of theirs.
    fn rows(numbers: &[f32], width: usize) -> Vec<Lanes> {
        Lanes::of_row(&numbers[..LANES * (width + 1) * LANES])
    }

    fn head(rows: &[Lanes], width: usize) -> Head<'_> {
        Head::new(rows, width + 1, width)
    }

    /// Everything in this module; so many of the vectors are tokens'.
    struct All<'a>(Head<'a>, usize);

    impl Work for All<'_> {
        type Output = (Vec<u8>, Vec<u32>, Vec<i32>);
        #[inline(always)]
        fn run<D: Dot>(self) -> Self::Output {
            let width = self.0.width;
            let mut bytes = Vec::new();
            let mut lines = vec![Line::ZERO; width * (LANES / DEPTH)];
            let mut floats = queries::<D>(self.0, &mut lines).0.to_vec();
            let rows = query_rows::<D>(&lines, 0, width * LANES);
            for t in 0..LANES {
                let four = |k: usize| &rows.bytes[t * rows.row_stride + k * rows.step_stride..][..DEPTH];
                bytes.extend((0..width * LANES / DEPTH).flat_map(four));
            }
            let (scale, starts) = keys::<D>(self.0, self.1, &mut lines);
            floats.push(scale);
            bytes.extend(lines.iter().flat_map(|line| line.0));
            let mut scales = Lanes::ZERO;
            <D::Simd>::store(values::<D::Simd>(self.0, self.1, &mut lines), &mut scales);
            floats.extend(scales.0);
            bytes.extend(lines.iter().flat_map(|line| line.0));
            (
                bytes,
                floats.iter().map(|x| x.to_bits()).collect(),
                starts.to_vec(),
            )
        }
    }

    #[test]
    #[should_panic(expected = "vectors reach past")]
    fn rows_that_are_too_short_panic() {
        let rows = [Lanes::ZERO; 16 * 3 - 2];
        Head::new(&rows, 3, 2);
    }

    proptest! {
        #[test]
        fn every_instruction_set_gives_the_same_bits(
            numbers in proptest::collection::vec(number(), 16 * 64), width in 1usize..4,
        ) {
            let rows = rows(&numbers, width);
            let expected = dispatch(InstructionSet::Scalar, All(head(&rows, width), LANES));
            for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                prop_assert!(dispatch(set, All(head(&rows, width), LANES)) == expected, "{}", set);
            }
        }

        #[test]
        fn vectors_are_where_attention_looks_for_them(
            numbers in proptest::collection::vec(number(), 16 * 64), width in 1usize..4, tokens in 1..=LANES,
        ) {
            let rows = rows(&numbers, width);
            let head = head(&rows, width);
            let dim = width * LANES;
            let mut query_lines = vec![Line::ZERO; width * (LANES / DEPTH)];
            let query_scales = queries::<Scalar>(head, &mut query_lines);
            let mut key_lines = query_lines.clone();
            let (key_scale, starts) = keys::<Scalar>(head, tokens, &mut key_lines);
            let mut value_lines = key_lines.clone();
            let mut value_scales = Lanes::ZERO;
            Scalar::store(values::<Scalar>(head, tokens, &mut value_lines), &mut value_scales);
            let mut most_key = 0;
            for t in 0..tokens {
                let mut sum = 0;
                for i in 0..dim {
                    let x = rows[t * head.stride + i / LANES].0[i % LANES];
                    let near = |q: i32, scale: f32| (x - q as f32 * scale).abs() <= 0.501 * scale;
                    let query = query_lines[i / DEPTH].0[t * DEPTH + i % DEPTH];
                    let query = i32::from(query) - i32::from(QUERY_ZERO);
                    prop_assert!(near(query, query_scales.0[t]), "query {} {}", x, query);
                    let key = key_lines[i / DEPTH].0[t * DEPTH + i % DEPTH].cast_signed();
                    prop_assert!(near(i32::from(key), key_scale), "key {} {}", x, key);
                    prop_assert!(key != i8::MIN);
                    most_key = most_key.max(key.abs());
                    sum += i32::from(key);
                    let line = value_lines[i / LANES * (LANES / DEPTH) + t / DEPTH];
                    let value = line.0[i % LANES * DEPTH + t % DEPTH].cast_signed();
                    prop_assert!(near(i32::from(value), value_scales.0[t]), "value {} {}", x, value);
                    prop_assert!(value != i8::MIN);
                }
                prop_assert_eq!(starts[t], -i32::from(QUERY_ZERO) * sum);
            }
            for (i, line) in value_lines.iter().enumerate() {
                for (k, &value) in line.0.iter().enumerate() {
                    let token = i % (LANES / DEPTH) * DEPTH + k % DEPTH;
                    prop_assert!(token < tokens || value == 0);
                }
            }
            let zeros = (0..tokens).all(|t| (0..width).all(|j| rows[t * head.stride + j].0.iter().all(|x| x.abs() < TINY)));
            prop_assert!(zeros || most_key == 127, "{}", most_key);
        }
    }
}
