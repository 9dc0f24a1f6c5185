//! Queries, keys and values: the vectors that sixteen tokens have for one head, quantised and laid out for attention.
//!
//! Sixteen at a time, because then what is found for each of them, as its scale, stands in one vector.

// Iterators are not inlined into code as large as a layer, and cost calls.
#![allow(clippy::needless_range_loop)]

use super::dot::{Ahead, Columns, Dot};
use super::pack::{DEPTH, LANES, Line};
use super::rows::{TINY, room};
use super::simd::{Lanes, ROUND, Simd};

/// What stands for 0 in a quantised query.
const QUERY_ZERO: u8 = 128;

/// The vectors of sixteen tokens for one head: token t's begins at `t · stride`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) rows: &'a [Lanes],
    /// Sixteens of floats from a token to the next.
    pub(crate) stride: usize,
    /// Sixteens of floats in a vector.
    pub(crate) width: usize,
}

impl Head<'_> {
    /// The scale by which each vector becomes integers in ±127, and its inverse. A vector that reaches no further than
    /// [`TINY`] is taken for one that does, and becomes small integers.
    #[inline(always)]
    fn scales<S: Simd>(&self) -> (S::F32, Lanes) {
        let mut most = room::<S>();
        for t in 0..LANES {
            let row = &self.rows[t * self.stride..][..self.width];
            let mut reach = S::abs(S::load(&row[0]));
            for j in 1..self.width {
                reach = S::max(S::abs(S::load(&row[j])), reach);
            }
            most[t] = reach;
        }
        let most = S::max(S::greatests(&most), S::splat(TINY));
        let mut inverses = Lanes::ZERO;
        S::store(S::div(S::splat(127.0), most), &mut inverses);
        (S::div(most, S::splat(127.0)), inverses)
    }

    /// The integer, in its low byte, of each number of a token in one of its sixteens; plus `zero`.
    #[inline(always)]
    fn integers<S: Simd>(&self, token: usize, j: usize, inverses: &Lanes, zero: u8) -> S::F32 {
        let x = S::load(&self.rows[token * self.stride + j]);
        S::mul_add(x, S::splat(inverses.0[token]), S::splat(ROUND + f32::from(zero)))
    }
}

/// Quantises queries to u8 around [`QUERY_ZERO`]; token t's begin at `t · stride` of `bytes`. Gives the scale of each.
#[inline(always)]
pub(crate) fn queries<S: Simd>(head: Head<'_>, bytes: &mut [u8], stride: usize) -> Lanes {
    let (scales, inverses) = head.scales::<S>();
    for t in 0..LANES {
        let bytes = bytes[t * stride..].as_chunks_mut().0;
        for j in 0..head.width {
            S::store_low_bytes(head.integers::<S>(t, j, &inverses, QUERY_ZERO), &mut bytes[j]);
        }
    }
    let mut out = Lanes::ZERO;
    S::store(scales, &mut out);
    out
}

/// Quantises keys to i8, so that tokens are columns. Gives the scale of each, and what its sums with queries start with, so
/// that the queries' zero is out of them.
#[inline(always)]
pub(crate) fn keys<D: Dot>(head: Head<'_>, lines: &mut [Line]) -> (Lanes, [i32; LANES]) {
    let lines = &mut lines[..head.width * (LANES / DEPTH)];
    let (scales, inverses) = head.scales::<D::Simd>();
    for t in 0..LANES {
        for j in 0..head.width {
            let mut bytes = [0; LANES];
            <D::Simd>::store_low_bytes(head.integers::<D::Simd>(t, j, &inverses, 0), &mut bytes);
            let fours = bytes.as_chunks::<DEPTH>().0;
            for i in 0..LANES / DEPTH {
                lines[j * (LANES / DEPTH) + i].0.as_chunks_mut::<DEPTH>().0[t] = fours[i];
            }
        }
    }
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
        let sums = D::tile::<4, 1>(&[QUERY_ZERO; LANES], 0, columns, [&starts], Ahead::NOTHING);
        <D::Simd>::store_i32(sums[0][0], &mut starts);
    }
    let mut out = Lanes::ZERO;
    <D::Simd>::store(scales, &mut out);
    (out, starts.map(|sum| -sum))
}

/// Quantises values to i8, so that tokens are the inner dimension: each sixteen of a vector is a block of lines, `stride`
/// apart. Gives the scale of each token.
#[inline(always)]
pub(crate) fn values<S: Simd>(head: Head<'_>, lines: &mut [Line]) -> S::F32 {
    let lines = &mut lines[..head.width * (LANES / DEPTH)];
    let (scales, inverses) = head.scales::<S>();
    for j in 0..head.width {
        for i in 0..LANES / DEPTH {
            let mut four = [S::splat(0.0); DEPTH];
            for k in 0..DEPTH {
                four[k] = head.integers::<S>(i * DEPTH + k, j, &inverses, 0);
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
        Head {
            rows,
            stride: width + 1,
            width,
        }
    }

    /// Everything in this module.
    struct All<'a>(Head<'a>);

    impl Work for All<'_> {
        type Output = (Vec<u8>, Vec<u32>, Vec<i32>);
        #[inline(always)]
        fn run<D: Dot>(self) -> Self::Output {
            let width = self.0.width;
            let mut bytes = vec![0; LANES * (width * LANES + 3)];
            let mut lines = vec![Line::ZERO; width * (LANES / DEPTH)];
            let mut floats = queries::<D::Simd>(self.0, &mut bytes, width * LANES + 3)
                .0
                .to_vec();
            let (scales, starts) = keys::<D>(self.0, &mut lines);
            floats.extend(scales.0);
            bytes.extend(lines.iter().flat_map(|line| line.0));
            let mut scales = Lanes::ZERO;
            <D::Simd>::store(values::<D::Simd>(self.0, &mut lines), &mut scales);
            floats.extend(scales.0);
            bytes.extend(lines.iter().flat_map(|line| line.0));
            (
                bytes,
                floats.iter().map(|x| x.to_bits()).collect(),
                starts.to_vec(),
            )
        }
    }

    proptest! {
        #[test]
        fn every_instruction_set_gives_the_same_bits(
            numbers in proptest::collection::vec(number(), 16 * 64), width in 1usize..4,
        ) {
            let rows = rows(&numbers, width);
            let expected = dispatch(InstructionSet::Scalar, All(head(&rows, width)));
            for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                prop_assert!(dispatch(set, All(head(&rows, width))) == expected, "{}", set);
            }
        }

        #[test]
        fn vectors_are_where_attention_looks_for_them(
            numbers in proptest::collection::vec(number(), 16 * 64), width in 1usize..4,
        ) {
            let rows = rows(&numbers, width);
            let head = head(&rows, width);
            let dim = width * LANES;
            let mut query_bytes = vec![0; LANES * dim];
            let query_scales = queries::<Scalar>(head, &mut query_bytes, dim);
            let mut key_lines = vec![Line::ZERO; width * (LANES / DEPTH)];
            let (key_scales, starts) = keys::<Scalar>(head, &mut key_lines);
            let mut value_lines = key_lines.clone();
            let mut value_scales = Lanes::ZERO;
            Scalar::store(values::<Scalar>(head, &mut value_lines), &mut value_scales);
            for t in 0..LANES {
                let mut sum = 0;
                for i in 0..dim {
                    let x = rows[t * head.stride + i / LANES].0[i % LANES];
                    let near = |q: i32, scale: f32| (x - q as f32 * scale).abs() <= 0.501 * scale;
                    let query = i32::from(query_bytes[t * dim + i]) - i32::from(QUERY_ZERO);
                    prop_assert!(near(query, query_scales.0[t]), "query {} {}", x, query);
                    let key = key_lines[i / DEPTH].0[t * DEPTH + i % DEPTH].cast_signed();
                    prop_assert!(near(i32::from(key), key_scales.0[t]), "key {} {}", x, key);
                    prop_assert!(key != i8::MIN);
                    sum += i32::from(key);
                    let line = value_lines[i / LANES * (LANES / DEPTH) + t / DEPTH];
                    let value = line.0[i % LANES * DEPTH + t % DEPTH].cast_signed();
                    prop_assert!(near(i32::from(value), value_scales.0[t]), "value {} {}", x, value);
                    prop_assert!(value != i8::MIN);
                }
                prop_assert_eq!(starts[t], -i32::from(QUERY_ZERO) * sum);
            }
        }
    }
}
