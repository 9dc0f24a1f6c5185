//! Rows of f32 beside the integer products: quantisation, normalisation, activation, softmax.
//!
//! Plain arithmetic in a fixed order over sixteen lanes: the bits of a result are the same with every instruction
//! set. Rows must be finite: `quantized` says why they are.

// Iterators are not inlined into code as large as a layer, and cost calls.
#![allow(clippy::needless_range_loop)]

use super::pack::LANES;
use super::simd::{Lanes, MOST_POWER, ROUND, Simd, Words};

/// Rows that reach no further than this are quantised as if they did: what is smaller has no finite inverse.
pub(super) const TINY: f32 = 1e-30;

/// Rows whose sums are made side by side: one alone would wait for itself.
const SIDE_BY_SIDE: usize = 4;

/// Some rows of `width`, side by side.
#[inline(always)]
fn side_by_side<T>(rows: &[T], first: usize, width: usize) -> [&[T]; SIDE_BY_SIDE] {
    let (zero, rest) = rows[first * width..].split_at(width);
    let (one, rest) = rest.split_at(width);
    let (two, rest) = rest.split_at(width);
    [zero, one, two, &rest[..width]]
}

/// The same, to write.
#[inline(always)]
fn side_by_side_mut<T>(rows: &mut [T], first: usize, width: usize) -> [&mut [T]; SIDE_BY_SIDE] {
    let (zero, rest) = rows[first * width..].split_at_mut(width);
    let (one, rest) = rest.split_at_mut(width);
    let (two, rest) = rest.split_at_mut(width);
    [zero, one, two, &mut rest[..width]]
}

#[inline(always)]
fn byte_lanes(bytes: &mut [u8]) -> &mut [[u8; LANES]] {
    bytes.as_chunks_mut().0
}

/// What sixteen quantised rows mean: row t stands for `scales[t] · (u − zeros[t])`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RowScales {
    pub(crate) scales: Lanes,
    pub(crate) zeros: Lanes,
}

impl RowScales {
    pub(crate) const ZERO: Self = Self {
        scales: Lanes::ZERO,
        zeros: Lanes::ZERO,
    };
}

/// Room for a vector of each of sixteen rows. What is in it must not be zeros: they would be a call of `memset`, which
/// takes longer than all else.
#[inline(always)]
pub(super) fn room<S: Simd>() -> [S::F32; LANES] {
    [S::splat(1.0); LANES]
}

/// Quantises sixteen rows to u8: what lies between −`depths` and `highs`, which are not below zero, becomes 0..=255. The zero point
/// is no integer, so both ends are exact; zero lies within, so that it is never far away from them, where a float
/// would not tell the steps apart.
#[inline(always)]
fn quantize_between<S: Simd>(
    rows: &[Lanes],
    width: usize,
    depths: S::F32,
    highs: S::F32,
    out: &mut [u8],
) -> RowScales {
    let range = S::max(S::add(highs, depths), S::splat(TINY));
    let inverse = S::div(S::splat(255.0), range);
    let (mut of, mut inverses) = (RowScales::ZERO, Lanes::ZERO);
    S::store(S::div(range, S::splat(255.0)), &mut of.scales);
    S::store(S::mul(depths, inverse), &mut of.zeros);
    S::store(inverse, &mut inverses);
    let out = byte_lanes(out);
    for first in (0..LANES).step_by(SIDE_BY_SIDE) {
        let row = side_by_side(rows, first, width);
        let out = side_by_side_mut(out, first, width);
        for i in 0..SIDE_BY_SIDE {
            let (factor, zero) = (S::splat(inverses.0[first + i]), S::splat(of.zeros.0[first + i]));
            for j in 0..width {
                let u = S::mul_add(S::load(&row[i][j]), factor, zero);
                S::store_low_bytes(S::add(u, S::splat(ROUND)), &mut out[i][j]);
            }
        }
    }
    of
}

/// Quantises sixteen rows, each `16 · width` numbers, to u8.
#[inline(always)]
pub(crate) fn quantize<S: Simd>(rows: &[Lanes], width: usize, out: &mut [u8]) -> RowScales {
    let zero = S::splat(0.0);
    let (mut depths, mut highs) = (room::<S>(), room::<S>());
    for t in 0..LANES {
        let row = &rows[t * width..(t + 1) * width];
        let (mut low, mut high) = (zero, zero);
        for j in 0..width {
            let x = S::load(&row[j]);
            low = S::min(x, low);
            high = S::max(x, high);
        }
        (depths[t], highs[t]) = (S::sub(zero, low), high);
    }
    quantize_between::<S>(rows, width, S::greatests(&depths), S::greatests(&highs), out)
}

/// Quantises sixteen rows of what [`gelu`] gives, whose least is known; `most[t]` has the greatest of row t in one of its
/// lanes, if it is above zero.
#[inline(always)]
pub(crate) fn quantize_gelu<S: Simd>(
    rows: &[Lanes],
    width: usize,
    most: &[Lanes],
    out: &mut [u8],
) -> RowScales {
    let most = &most[..LANES];
    let mut highs = room::<S>();
    for t in 0..LANES {
        highs[t] = S::load(&most[t]);
    }
    quantize_between::<S>(rows, width, S::splat(-LEAST_GELU), S::greatests(&highs), out)
}

/// Below all that [`gelu`] gives.
const LEAST_GELU: f32 = -0.1701;

/// GELU by the error function, x·Φ(x) (Hendrycks and Gimpel 2016), within 2·10⁻⁴: a thirtieth of a step of the quantisation
/// that follows, where a row reaches to 1.5.
///
/// It is max(x, 0) − t·Φ(−t) with t = |x|; the latter is 0 at both ends, and a polynomial of degree 7 up to 3.8 (minimax).
#[inline(always)]
pub(crate) fn gelu<S: Simd>(x: S::F32) -> S::F32 {
    const C: [f32; 6] = [
        -1.105_997_3e-2,
        6.333_663e-2,
        -1.544_452e-1,
        6.137_435e-2,
        3.796_282_4e-1,
        -4.981_42e-1,
    ];
    let t = S::min(S::abs(x), S::splat(3.8));
    let mut sum = S::splat(7.309_427e-4);
    for k in 0..C.len() {
        sum = S::mul_add(sum, t, S::splat(C[k]));
    }
    S::mul_add(t, sum, S::max(x, S::splat(0.0)))
}

/// Scale and bias of a normalisation. Both `[width]`
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub(crate) scale: &'a [Lanes],
    pub(crate) bias: &'a [Lanes],
    pub(crate) epsilon: f32,
}

/// Layer normalisation of sixteen rows (Ba et al. 2016), in place; and what comes out, quantised.
#[inline(always)]
pub(crate) fn normalize<S: Simd>(rows: &mut [Lanes], norm: Norm<'_>, out: &mut [u8]) -> RowScales {
    let width = norm.scale.len();
    let (scale, bias) = (norm.scale, &norm.bias[..width]);
    let rows = &mut rows[..LANES * width];
    let count = S::splat((width * LANES) as f32);
    let zero = S::splat(0.0);

    let mut sums = room::<S>();
    for first in (0..LANES).step_by(SIDE_BY_SIDE) {
        let row = side_by_side(rows, first, width);
        let mut sum = [zero; SIDE_BY_SIDE];
        for j in 0..width {
            for i in 0..SIDE_BY_SIDE {
                sum[i] = S::add(sum[i], S::load(&row[i][j]));
            }
        }
        sums[first..first + SIDE_BY_SIDE].copy_from_slice(&sum);
    }
    let mut means = Lanes::ZERO;
    S::store(S::div(S::sums(&sums), count), &mut means);

    let mut squares = room::<S>();
    for first in (0..LANES).step_by(SIDE_BY_SIDE) {
        let row = side_by_side(rows, first, width);
        let mut sum = [zero; SIDE_BY_SIDE];
        for j in 0..width {
            for i in 0..SIDE_BY_SIDE {
                let x = S::load(&row[i][j]);
                let d = S::sub(x, S::splat(means.0[first + i]));
                sum[i] = S::mul_add(d, d, sum[i]);
            }
        }
        squares[first..first + SIDE_BY_SIDE].copy_from_slice(&sum);
    }
    let variances = S::add(S::div(S::sums(&squares), count), S::splat(norm.epsilon));
    let mut inverses = Lanes::ZERO;
    S::store(S::div(S::splat(1.0), S::sqrt(variances)), &mut inverses);

    let (mut depths, mut highs) = (room::<S>(), room::<S>());
    for first in (0..LANES).step_by(SIDE_BY_SIDE) {
        let row = side_by_side_mut(rows, first, width);
        let (mut low, mut high) = ([zero; SIDE_BY_SIDE], [zero; SIDE_BY_SIDE]);
        for j in 0..width {
            let (scale, bias) = (S::load(&scale[j]), S::load(&bias[j]));
            for i in 0..SIDE_BY_SIDE {
                let d = S::sub(S::load(&row[i][j]), S::splat(means.0[first + i]));
                let x = S::mul_add(S::mul(d, S::splat(inverses.0[first + i])), scale, bias);
                S::store(x, &mut row[i][j]);
                low[i] = S::min(x, low[i]);
                high[i] = S::max(x, high[i]);
            }
        }
        for i in 0..SIDE_BY_SIDE {
            (depths[first + i], highs[first + i]) = (S::sub(zero, low[i]), high[i]);
        }
    }
    quantize_between::<S>(rows, width, S::greatests(&depths), S::greatests(&highs), out)
}

/// Binary logarithm of normal numbers above 0, within 10⁻⁴: a polynomial of degree 4 on the mantissa.
#[inline(always)]
pub(crate) fn log2<S: Simd>(x: S::F32) -> S::F32 {
    const C: [f32; 4] = [0.318_678_85, -0.674_942_7, 1.437_704_4, 8.759_289e-5];
    let f = S::sub(S::mantissa(x), S::splat(1.0));
    let mut p = S::splat(-0.081_615_664);
    for k in 0..C.len() {
        p = S::mul_add(p, f, S::splat(C[k]));
    }
    S::add(S::exponent(x), p)
}

/// The score of a lane that no token has: below any other.
pub(crate) const NO_TOKEN: f32 = -1e37;

/// The same in [`Words`].
pub(crate) const NO_WORD: i16 = i16::MIN;

/// From attention scores of `M` rows, `M` a multiple of 4 and at most 16, to weights in u8, and the sum of each row's weights times
/// `inverses`, times 16.
/// `[width, M]` and `[M, 32 · width]`
///
/// Scores are binary logarithms in steps of 1 / [`OCTAVE`](super::simd::OCTAVE): half a step is 0.5 % of a weight. Scales of values
/// belong into the weights because they differ from key to key, and an integer sum has one factor. So a score has the logarithm
/// of its value's scale added; `inverses`, in proportion to the inverted scales and below [`most_inverse`], take them
/// out of the softmax's sum again: `Σ weights · values / (Σ weights · inverses)` is the softmax times the values.
#[inline(always)]
pub(crate) fn softmax<S: Simd, const M: usize>(
    scores: &[[Words; M]],
    inverses: &[Words],
    weights: &mut [u8],
) -> Lanes {
    let width = inverses.len();
    let scores = &scores[..width];
    let weights = &mut weights.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0[..M * width];
    let mut sums = room::<S>();
    for first in (0..M).step_by(SIDE_BY_SIDE) {
        let weights = side_by_side_mut(weights, first, width);
        let mut tops = [S::splat_word(NO_WORD); SIDE_BY_SIDE];
        for j in 0..width {
            for i in 0..SIDE_BY_SIDE {
                tops[i] = S::max_words(S::load_words(&scores[j][first + i]), tops[i]);
            }
        }
        for i in 0..SIDE_BY_SIDE {
            tops[i] = S::greatest_word(tops[i]);
        }
        let mut sum = [S::load_i32(&[0; LANES]); SIDE_BY_SIDE];
        for j in 0..width {
            let inverse = S::load_words(&inverses[j]);
            for i in 0..SIDE_BY_SIDE {
                let power = S::powers(S::load_words(&scores[j][first + i]), tops[i]);
                sum[i] = S::add_products(sum[i], power, inverse);
                S::store_sixteenths(power, &mut weights[i][j]);
            }
        }
        for i in 0..SIDE_BY_SIDE {
            sums[first + i] = S::from_i32(sum[i]);
        }
    }
    let mut out = Lanes::ZERO;
    S::store(S::sums(&sums), &mut out);
    out
}

/// What inverses in [`softmax`] may be, at most, so that an i32 holds the sum of a lane: for rows of `width` words.
#[inline(always)]
pub(crate) fn most_inverse(width: usize) -> f32 {
    let terms = i32::try_from(2 * width).unwrap_or(i32::MAX);
    (i32::MAX / MOST_POWER / terms).min(i32::from(i16::MAX)) as f32
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::dot::{Dot, InstructionSet, Work, dispatch};
    use super::super::simd::{OCTAVE, Scalar};
    use super::*;

    #[test]
    fn logarithms_are_within_their_bound() {
        for i in 1..100_000 {
            for x in [i as f32 * 1e-4, i as f32 * 1e-33, i as f32 * 1e12] {
                let error = (f64::from(log2::<Scalar>([x; LANES])[0]) - f64::from(x).log2()).abs();
                assert!(error < 1e-4, "{x}: {error}");
            }
        }
    }

    #[test]
    fn gelu_is_within_its_bound() {
        for i in -800..800 {
            let x = i as f32 / 100.0;
            let result = gelu::<Scalar>([x; LANES])[0];
            let x = f64::from(x);
            // Φ by Simpson's rule in f64.
            let (steps, mut sum) = (2000, 0.0);
            let density = |t: f64| (-t * t / 2.0).exp();
            for j in 0..=steps {
                let weight = if j == 0 || j == steps {
                    1.0
                } else if j % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                sum += weight * density(x * f64::from(j) / f64::from(steps));
            }
            let phi = 0.5 + sum * x / f64::from(steps) / 3.0 / (2.0 * std::f64::consts::PI).sqrt();
            let error = (f64::from(result) - x * phi).abs();
            assert!(error < 2e-4, "{x}: {error}");
            assert!(result > LEAST_GELU);
        }
        let [low, high] = [-1e4f32, 1e4].map(|x| gelu::<Scalar>([x; LANES])[0]);
        assert!(low.abs() < 2e-4 && (high - 1e4).abs() < 1e-2, "{low} {high}");
    }

    /// Sixteen rows of two sixteens, of which these are the first.
    fn sixteen(first: &[Vec<f32>]) -> Vec<Lanes> {
        let mut rows: Vec<f32> = first.concat();
        rows.resize(LANES * 32, 0.0);
        Lanes::of_row(&rows)
    }

    #[test]
    fn quantisation_is_off_by_half_a_step_at_most() {
        let rows: [Vec<f32>; 5] = [
            (0..32).map(|i| (i as f32).sin() * 3.0 + 1.0).collect(),
            vec![2.5; 32],
            vec![0.0; 32],
            (0..32).map(|i| if i == 3 { 1e6 } else { -0.1 }).collect(),
            (0..32).map(|i| 100.0 + i as f32 * 1e-3).collect(),
        ];
        let mut bytes = vec![0; LANES * 32];
        let RowScales { scales, zeros } = quantize::<Scalar>(&sixteen(&rows), 2, &mut bytes);
        for (t, row) in rows.iter().enumerate() {
            let (scale, zero) = (scales.0[t], zeros.0[t]);
            for (x, &u) in row.iter().zip(&bytes[t * 32..]) {
                let back = scale * (f32::from(u) - zero);
                assert!((x - back).abs() <= 0.501 * scale + x.abs() * 1e-6, "{x} {back}");
            }
        }
    }

    #[test]
    fn what_gelu_gives_is_quantised() {
        let rows: Vec<Vec<f32>> = (0..16)
            .map(|t| {
                let x = (0..32).map(|i| ((i * 7 + t * 3) % 32) as f32 * 0.2 - 4.0);
                x.map(|x| gelu::<Scalar>([x; LANES])[0]).collect()
            })
            .collect();
        let most: Vec<Lanes> = rows
            .iter()
            .map(|row| {
                let mut most = Lanes::ZERO;
                most.0[5] = row.iter().copied().fold(0.0, f32::max);
                most
            })
            .collect();
        let mut bytes = vec![0; LANES * 32];
        let RowScales { scales, zeros } = quantize_gelu::<Scalar>(&sixteen(&rows), 2, &most, &mut bytes);
        for t in 0..LANES {
            for (x, &u) in rows[t].iter().zip(&bytes[t * 32..]) {
                let back = scales.0[t] * (f32::from(u) - zeros.0[t]);
                assert!((x - back).abs() <= 0.501 * scales.0[t], "{x} {back}");
            }
        }
    }

    /// Four rows of scores as [`softmax`] wants them, and what it gives: weights and sums.
    fn weighed<const WIDTH: usize>(
        score: impl Fn(usize, usize) -> f32,
        inverses: &[Words; WIDTH],
    ) -> (Vec<u8>, [f32; LANES]) {
        let mut scores = [[Words::splat(0); 4]; WIDTH];
        for m in 0..4 {
            for i in 0..WIDTH * 2 {
                let numbers = std::array::from_fn(|k| score(m, i * LANES + k) * f32::from(OCTAVE));
                Scalar::store_words(numbers, &mut scores[i / 2][m].0[i % 2]);
            }
        }
        let mut weights = vec![0; 4 * WIDTH * 2 * LANES];
        let sums = softmax::<Scalar, 4>(&scores, inverses, &mut weights);
        (weights, sums.0)
    }

    #[test]
    fn softmax_weighs_values_as_it_does_in_floats() {
        let score = |m: usize, i: usize| ((i + 5 * m) as f32 * 0.7).sin() * 4.0;
        let value_scales: Vec<f32> = (0..64).map(|i| 0.01 + (i % 5) as f32 * 0.1).collect();
        let values: Vec<f32> = (0..64).map(|i| ((i * 37) % 255) as f32 - 127.0).collect();
        let unit = 100.0 / most_inverse(2);
        let mut inverses = [Words::splat(0); 2];
        for i in 0..4 {
            let numbers = std::array::from_fn(|k| 1.0 / value_scales[i * LANES + k] / unit);
            Scalar::store_words(numbers, &mut inverses[i / 2].0[i % 2]);
        }
        let (weights, sums) = weighed(|m, i| score(m, i) + value_scales[i].log2(), &inverses);
        for m in 0..4 {
            let total: f32 = (0..64).map(|i| score(m, i).exp2()).sum();
            let expected: f32 = (0..64)
                .map(|i| score(m, i).exp2() / total * value_scales[i] * values[i])
                .sum();
            let weights = &weights[m * 64..][..64];
            let sum: f32 = weights.iter().zip(&values).map(|(&w, v)| f32::from(w) * v).sum();
            let result = 16.0 * sum / (sums[m] * unit);
            assert!((result - expected).abs() < 0.05, "{result} {expected}");
            assert_eq!(weights.iter().max(), Some(&255));
        }
    }

    #[test]
    fn what_is_far_below_the_greatest_has_no_weight() {
        let mut inverses = [Words::splat(0); 2];
        (inverses[0].0[1][3], inverses[1].0[0][4]) = (100, 200);
        // Lanes that no token has, and a score far below the greatest: no weight, no part in the sum.
        let score = |i: usize| {
            if i == 19 {
                -7.0
            } else if i == 36 {
                -300.0
            } else {
                NO_TOKEN
            }
        };
        let (weights, sums) = weighed(|_, i| score(i), &inverses);
        assert!((0..4 * 64).all(|i| weights[i] == if i % 64 == 19 { 255 } else { 0 }));
        assert!(sums[..4].iter().all(|&sum| sum == 100.0 * MOST_POWER as f32));
        // Scores that words do not hold.
        let score = |i: usize| {
            if i == 19 {
                1e6
            } else if i == 36 {
                600.0
            } else {
                -1e6
            }
        };
        let (weights, sums) = weighed(|_, i| score(i), &inverses);
        assert!((0..4 * 64).all(|i| weights[i] == if [19, 36].contains(&(i % 64)) { 255 } else { 0 }));
        assert!(sums[..4].iter().all(|&sum| sum == 300.0 * MOST_POWER as f32));
    }

    #[test]
    fn sums_of_inverses_stay_within_an_i32() {
        for width in [1, 2, 12, 16, 128, 2048] {
            let most = most_inverse(width);
            assert!(most >= 128.0 && most <= f32::from(i16::MAX));
            let lane = i64::from(MOST_POWER) * most as i64 * 2 * width as i64;
            assert!(lane <= i64::from(i32::MAX), "{width}");
        }
        let width = 16;
        let inverses = [Words::splat(most_inverse(width) as i16); 16];
        let (_, sums) = weighed(|_, _| 3.0, &inverses);
        let exact = f64::from(MOST_POWER) * f64::from(most_inverse(width)) * 512.0;
        assert!((f64::from(sums[0]) / exact - 1.0).abs() < 1e-6);
    }

    #[test]
    fn rows_are_normalised() {
        let rows: Vec<Vec<f32>> = (0..16)
            .map(|t| (0..32).map(|i| ((i * (t + 1)) % 32) as f32).collect())
            .collect();
        let mut rows = sixteen(&rows);
        let norm = Norm {
            scale: &[Lanes([1.0; LANES]); 2],
            bias: &[Lanes([0.5; LANES]); 2],
            epsilon: 1e-12,
        };
        let mut bytes = vec![0; LANES * 32];
        let RowScales { scales, zeros } = normalize::<Scalar>(&mut rows, norm, &mut bytes);
        // The last row is all zeros times the bias.
        for t in 0..15 {
            let row = flat(&rows[2 * t..2 * t + 2]);
            let mean = row.iter().sum::<f32>() / 32.0;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 32.0;
            assert!((mean - 0.5).abs() < 1e-5, "{t}: {mean}");
            assert!((variance - 1.0).abs() < 1e-5, "{t}: {variance}");
            for (x, &u) in row.iter().zip(&bytes[t * 32..]) {
                let back = scales.0[t] * (f32::from(u) - zeros.0[t]);
                assert!((x - back).abs() <= 0.501 * scales.0[t], "{x} {back}");
            }
        }
    }

    fn flat(row: &[Lanes]) -> Vec<f32> {
        row.iter().flat_map(|lanes| lanes.0).collect()
    }

    /// Everything in this module, on sixteen rows.
    struct All<'a> {
        rows: &'a [Lanes],
        width: usize,
    }

    impl Work for All<'_> {
        type Output = Vec<u32>;
        #[inline(always)]
        fn run<D: Dot>(self) -> Vec<u32> {
            let (rows, width) = (self.rows, self.width);
            let mut bits = Vec::new();
            let mut bytes = vec![0; rows.len() * LANES];
            let mut keep = |floats: &[f32], bytes: &[u8]| {
                bits.extend(floats.iter().map(|x| x.to_bits()));
                bits.extend(bytes.iter().map(|&b| u32::from(b)));
            };
            let of = quantize::<D::Simd>(rows, width, &mut bytes);
            keep(&of.scales.0, &bytes);
            keep(&of.zeros.0, &[]);
            let mut work = rows.to_vec();
            for row in &mut work {
                let x = gelu::<D::Simd>(<D::Simd>::load(row));
                <D::Simd>::store(x, row);
            }
            keep(&flat(&work), &[]);
            let of = quantize_gelu::<D::Simd>(&work, width, &work, &mut bytes);
            keep(&of.scales.0, &bytes);
            work.copy_from_slice(rows);
            let norm = Norm {
                scale: &rows[..width],
                bias: &rows[width..2 * width],
                epsilon: 1e-12,
            };
            let of = normalize::<D::Simd>(&mut work, norm, &mut bytes);
            keep(&of.scales.0, &bytes);
            keep(&flat(&work), &[]);
            work.copy_from_slice(rows);
            for row in &mut work {
                let x = <D::Simd>::max(<D::Simd>::abs(<D::Simd>::load(row)), <D::Simd>::splat(TINY));
                <D::Simd>::store(log2::<D::Simd>(x), row);
            }
            keep(&flat(&work), &[]);
            // Four rows of scores, thirty-two for each sixteen of the first row.
            let mut scores = vec![[Words::splat(0); 4]; width];
            for j in 0..width {
                for m in 0..4 {
                    for half in 0..2 {
                        let x = <D::Simd>::load(&rows[(m + 4 * half) * width + j]);
                        let x = <D::Simd>::mul(x, <D::Simd>::splat(f32::from(OCTAVE)));
                        <D::Simd>::store_words(x, &mut scores[j][m].0[half]);
                    }
                }
            }
            let inverses: Vec<Words> = scores.iter().map(|four| four[1]).collect();
            let sums = softmax::<D::Simd, 4>(&scores, &inverses, &mut bytes);
            keep(&sums.0[..4], &bytes);
            bits
        }
    }

    proptest::proptest! {
        #[test]
        fn every_instruction_set_gives_the_same_bits(
            numbers in proptest::collection::vec(number(), 16 * 48), width in 1usize..4,
        ) {
            let rows = Lanes::of_row(&numbers[..LANES * width * LANES]);
            let of = |set| dispatch(set, All { rows: &rows, width });
            let expected = of(InstructionSet::Scalar);
            for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                proptest::prop_assert_eq!(of(set), expected.clone(), "{}", set);
            }
        }
    }

    /// Numbers that activations may be: zeros of both signs, very small ones, ordinary and large ones.
    pub(in super::super) fn number() -> impl proptest::strategy::Strategy<Value = f32> {
        use proptest::prelude::*;
        prop_oneof![
            6 => -8.0f32..8.0,
            1 => Just(0.0f32),
            1 => Just(-0.0f32),
            1 => Just(f32::from_bits(1)),
            1 => Just(-1e-38f32),
            1 => -1e6f32..1e6,
            1 => Just(0.5f32),
        ]
    }
}
