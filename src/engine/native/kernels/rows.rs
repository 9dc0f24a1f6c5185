//! Rows of f32 beside the integer products: quantisation, normalisation, activation, softmax.
//!
//! Plain arithmetic in a fixed order over sixteen lanes: the bits of a result are the same with every instruction
//! set. Rows must be finite: `quantized` says why they are.

// Iterators are not inlined into code as large as a layer, and cost calls.
#![allow(clippy::needless_range_loop)]

use super::pack::LANES;
use super::simd::{Lanes, ROUND, Simd};

/// Rows that reach no further than this are rows of zeros: what they would be divided by has no finite inverse.
const TINY: f32 = 1e-30;

#[inline(always)]
fn byte_lanes(bytes: &mut [u8]) -> &mut [[u8; LANES]] {
    bytes.as_chunks_mut().0
}

/// A quantised row stands for `scale · (u − zero)`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RowScale {
    pub(crate) scale: f32,
    pub(crate) zero: f32,
}

/// Quantises a row to u8: the range of its elements and zero becomes 0..=255. The zero point is no integer, so both ends
/// are exact; zero lies within, so that it is never far away from them, where a float would not tell the steps apart.
#[inline(always)]
pub(crate) fn quantize<S: Simd>(row: &[Lanes], out: &mut [u8]) -> RowScale {
    let (low, high) = bounds::<S>(row);
    let range = high - low;
    let inverse = if range > TINY { 255.0 / range } else { 0.0 };
    let zero = -low * inverse;
    let out = &mut byte_lanes(out)[..row.len()];
    let (factor, shift, round) = (S::splat(inverse), S::splat(zero), S::splat(ROUND));
    for j in 0..out.len() {
        let u = S::mul_add(S::load(&row[j]), factor, shift);
        S::store_low_bytes(S::add(u, round), &mut out[j]);
    }
    RowScale {
        scale: range / 255.0,
        zero,
    }
}

/// Least and greatest of the elements and zero.
#[inline(always)]
fn bounds<S: Simd>(row: &[Lanes]) -> (f32, f32) {
    let mut low = S::splat(0.0);
    let mut high = S::splat(0.0);
    for j in 0..row.len() {
        let x = S::load(&row[j]);
        low = S::min(x, low);
        high = S::max(x, high);
    }
    (S::least(low), S::greatest(high))
}

/// Quantises a row to integers in ±127 around zero. Gives its scale and the sum of the integers; `out` has the low bytes
/// of the integers plus `shift`: with 0 they are i8, with 128 they are u8 whose zero point is 128.
#[inline(always)]
pub(crate) fn quantize_symmetric<S: Simd>(row: &[Lanes], out: &mut [u8], shift: f32) -> (f32, f32) {
    let out = &mut byte_lanes(out)[..row.len()];
    let mut most = S::splat(0.0);
    for j in 0..row.len() {
        most = S::max(S::abs(S::load(&row[j])), most);
    }
    let most = S::greatest(most);
    // Zeros are zeros by any scale but 0, which would hide that a token is padding.
    let (scale, inverse) = if most > TINY {
        (most / 127.0, 127.0 / most)
    } else {
        (1.0, 0.0)
    };
    let (factor, shift) = (S::splat(inverse), S::splat(ROUND + shift));
    let mut sum = S::splat(0.0);
    for j in 0..out.len() {
        let rounded = S::round(S::mul(S::load(&row[j]), factor));
        S::store_low_bytes(S::add(rounded, shift), &mut out[j]);
        sum = S::add(sum, rounded);
    }
    (scale, S::sum(sum))
}

/// GELU by the error function, x·Φ(x) (Hendrycks and Gimpel 2016), in place.
///
/// Φ is 1/2 and an odd polynomial of degree 17 on ±4.5 (weighted least squares towards the minimax): the result is
/// within 5·10⁻⁵ for |x| ≤ 8 and within 10⁻⁵·|x| beyond, a hundredth of a step of the quantisation that follows.
#[inline(always)]
pub(crate) fn gelu<S: Simd>(row: &mut [Lanes]) {
    const C: [f32; 8] = [
        -3.314_246_4e-9,
        1.590_847e-7,
        -4.451_439_5e-6,
        8.142_195e-5,
        -1.037_570_9e-3,
        9.585_133e-3,
        -6.598_455e-2,
        3.987_125_5e-1,
    ];
    for j in 0..row.len() {
        let x = S::load(&row[j]);
        let near = S::min(S::max(x, S::splat(-4.5)), S::splat(4.5));
        let square = S::mul(near, near);
        let mut sum = S::splat(3.035_947e-11);
        for k in 0..C.len() {
            sum = S::mul_add(sum, square, S::splat(C[k]));
        }
        S::store(S::mul(x, S::mul_add(near, sum, S::splat(0.5))), &mut row[j]);
    }
}

/// `row = norm(row + other)`: the residual connection and layer normalisation (Ba et al. 2016).
#[inline(always)]
pub(crate) fn add_and_normalize<S: Simd>(
    row: &mut [Lanes],
    other: &[Lanes],
    scale: &[Lanes],
    bias: &[Lanes],
    epsilon: f32,
) {
    let count = (row.len() * LANES) as f32;
    let (other, scale, bias) = (&other[..row.len()], &scale[..row.len()], &bias[..row.len()]);
    let mut sum = S::splat(0.0);
    for j in 0..row.len() {
        let x = S::add(S::load(&row[j]), S::load(&other[j]));
        S::store(x, &mut row[j]);
        sum = S::add(sum, x);
    }
    let mean = S::splat(S::sum(sum) / count);
    let mut squares = S::splat(0.0);
    for j in 0..row.len() {
        let d = S::sub(S::load(&row[j]), mean);
        squares = S::mul_add(d, d, squares);
    }
    let variance = S::sum(squares) / count;
    let inverse = S::splat(1.0 / (variance + epsilon).sqrt());
    for j in 0..row.len() {
        let x = S::mul(S::sub(S::load(&row[j]), mean), inverse);
        S::store(S::mul_add(x, S::load(&scale[j]), S::load(&bias[j])), &mut row[j]);
    }
}

/// 2ˣ for x ≤ 0, within 8·10⁻⁵ of the value, a tenth of the step that weights are rounded to; below −125 it is 2⁻¹²⁵.
///
/// 2ⁿ·2ᶠ with |f| ≤ 1/2, n added to the exponent and 2ᶠ a polynomial of degree 3.
#[inline(always)]
fn exp2<S: Simd>(x: S::F32) -> S::F32 {
    let x = S::max(x, S::splat(-125.0));
    let n = S::round(x);
    let f = S::sub(x, n);
    let p = S::mul_add(S::splat(5.508_868_4e-2), f, S::splat(2.426_040_5e-1));
    let p = S::mul_add(p, f, S::splat(6.932_762e-1));
    let p = S::mul_add(p, f, S::splat(9.999_289_5e-1));
    S::scale_by_power(p, n)
}

/// From attention scores of one row, in units of ln 2, with their greatest, to weights in u8 times the values' scales, and what the integer
/// sums are to be multiplied with: `Σ weights · values · result` is the softmax times the values.
///
/// Scales of values go into the weights because those differ from key to key, and an integer sum has one factor.
#[inline(always)]
pub(crate) fn softmax<'a, S: Simd>(
    scores: &mut [Lanes],
    most: f32,
    value_scales: impl Fn(usize) -> &'a Lanes,
    weights: &mut [u8],
) -> f32 {
    let weights = &mut byte_lanes(weights)[..scores.len()];
    let most = S::splat(most);
    let mut sum = S::splat(0.0);
    let mut peak = S::splat(0.0);
    for j in 0..scores.len() {
        let power = exp2::<S>(S::sub(S::load(&scores[j]), most));
        sum = S::add(sum, power);
        let weight = S::mul(power, S::load(value_scales(j)));
        S::store(weight, &mut scores[j]);
        peak = S::max(weight, peak);
    }
    let peak = S::greatest(peak);
    let inverse = S::splat(if peak > TINY { 255.0 / peak } else { 0.0 });
    for j in 0..scores.len() {
        let rounded = S::mul_add(S::load(&scores[j]), inverse, S::splat(ROUND));
        S::store_low_bytes(rounded, &mut weights[j]);
    }
    peak / (255.0 * S::sum(sum))
}

#[cfg(test)]
mod tests {
    use super::super::dot::{Dot, InstructionSet, Work, dispatch};
    use super::super::simd::Scalar;
    use super::*;

    #[test]
    fn powers_are_within_their_bound() {
        for i in 0..=125_000 {
            let x = -(i as f32) / 1000.0;
            let exact = f64::from(x).exp2();
            let error = (f64::from(exp2::<Scalar>([x; LANES])[0]) - exact).abs() / exact;
            assert!(error < 8e-5, "{x}: {error}");
        }
        assert!(exp2::<Scalar>([f32::NEG_INFINITY; LANES])[0] < 2.4e-38);
    }

    #[test]
    fn gelu_is_within_its_bound() {
        for i in -800..800 {
            let mut row = [Lanes([i as f32 / 100.0; LANES])];
            let x = f64::from(row[0].0[0]);
            gelu::<Scalar>(&mut row);
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
            let error = (f64::from(row[0].0[0]) - x * phi).abs();
            assert!(error < 5e-5, "{x}: {error}");
        }
        let mut far = [Lanes([-1e4; LANES])];
        gelu::<Scalar>(&mut far);
        assert!(far[0].0[0].abs() < 0.1);
    }

    #[test]
    fn quantisation_is_off_by_half_a_step_at_most() {
        let rows: [Vec<f32>; 5] = [
            (0..32).map(|i| (i as f32).sin() * 3.0 + 1.0).collect(),
            vec![2.5; 16],
            vec![0.0; 16],
            (0..16).map(|i| if i == 3 { 1e6 } else { -0.1 }).collect(),
            (0..16).map(|i| 100.0 + i as f32 * 1e-3).collect(),
        ];
        for row in rows {
            let mut bytes = vec![0; row.len()];
            let RowScale { scale, zero } = quantize::<Scalar>(&Lanes::of_row(&row), &mut bytes);
            for (x, &u) in row.iter().zip(&bytes) {
                let back = scale * (f32::from(u) - zero);
                assert!(
                    (x - back).abs() <= 0.501 * scale.min(1e6) + x.abs() * 1e-6,
                    "{x} {back}"
                );
            }
            let mut bytes = vec![0; row.len()];
            let (scale, sum) = quantize_symmetric::<Scalar>(&Lanes::of_row(&row), &mut bytes, 0.0);
            for (x, &q) in row.iter().zip(&bytes) {
                assert!(
                    (x - scale * f32::from(q.cast_signed())).abs() <= 0.501 * scale,
                    "{x} {q}"
                );
            }
            assert_eq!(
                sum,
                bytes.iter().map(|&q| f32::from(q.cast_signed())).sum::<f32>()
            );
        }
    }

    #[test]
    fn softmax_weighs_values_as_it_does_in_floats() {
        let scores: Vec<f32> = (0..48).map(|i| (i as f32 * 0.7).sin() * 4.0).collect();
        let value_scales: Vec<f32> = (0..48).map(|i| 0.01 + (i % 5) as f32 * 0.1).collect();
        let values: Vec<f32> = (0..48).map(|i| ((i * 37) % 255) as f32 - 127.0).collect();
        let total: f32 = scores.iter().map(|s| s.exp2()).sum();
        let expected: f32 = (0..48)
            .map(|i| scores[i].exp2() / total * value_scales[i] * values[i])
            .sum();
        let mut work = Lanes::of_row(&scores);
        let mut weights = vec![0; 48];
        let scales = Lanes::of_row(&value_scales);
        let factor = softmax::<Scalar>(&mut work, 4.0, |j| &scales[j], &mut weights);
        let sum: f32 = weights.iter().zip(&values).map(|(&w, v)| f32::from(w) * v).sum();
        assert!(
            (sum * factor - expected).abs() < 0.05,
            "{} {expected}",
            sum * factor
        );
        // All values zero: no weight, no NaN.
        let factor = softmax::<Scalar>(&mut work, 4.0, |_| &Lanes::ZERO, &mut weights);
        assert!(factor == 0.0 && weights.iter().all(|&w| w == 0));
    }

    #[test]
    fn rows_are_normalised() {
        let row: Vec<f32> = (0..32).map(|i| i as f32).collect();
        let mut row = Lanes::of_row(&row);
        let one = [Lanes([1.0; LANES]); 2];
        add_and_normalize::<Scalar>(&mut row, &one, &one, &[Lanes([0.5; LANES]); 2], 1e-12);
        let row: Vec<f32> = row.iter().flat_map(|lanes| lanes.0).collect();
        let mean = row.iter().sum::<f32>() / 32.0;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 32.0;
        assert!((mean - 0.5).abs() < 1e-5 && (variance - 1.0).abs() < 1e-5);
    }

    fn flat(row: &[Lanes]) -> Vec<f32> {
        row.iter().flat_map(|lanes| lanes.0).collect()
    }

    /// Everything in this module, on one row.
    struct All<'a> {
        row: &'a [Lanes],
        other: &'a [Lanes],
    }

    impl Work for All<'_> {
        type Output = Vec<u32>;
        #[inline(always)]
        fn run<D: Dot>(self) -> Vec<u32> {
            let (row, other) = (self.row, self.other);
            let mut bits = Vec::new();
            let mut bytes = vec![0; row.len() * LANES];
            let mut keep = |floats: &[f32], bytes: &[u8]| {
                bits.extend(floats.iter().map(|x| x.to_bits()));
                bits.extend(bytes.iter().map(|&b| u32::from(b)));
            };
            let RowScale { scale, zero } = quantize::<D::Simd>(row, &mut bytes);
            keep(&[scale, zero], &bytes);
            for shift in [0.0, 128.0] {
                let (scale, sum) = quantize_symmetric::<D::Simd>(row, &mut bytes, shift);
                keep(&[scale, sum], &bytes);
            }
            let mut work = row.to_vec();
            let most = row.iter().flat_map(|x| x.0).fold(f32::NEG_INFINITY, f32::max);
            let scales: Vec<Lanes> = other.iter().map(|x| Lanes(x.0.map(f32::abs))).collect();
            let factor = softmax::<D::Simd>(&mut work, most, |j| &scales[j], &mut bytes);
            keep(&[factor], &bytes);
            work.copy_from_slice(row);
            gelu::<D::Simd>(&mut work);
            keep(&flat(&work), &[]);
            work.copy_from_slice(row);
            add_and_normalize::<D::Simd>(&mut work, other, other, row, 1e-12);
            keep(&flat(&work), &[]);
            bits
        }
    }

    proptest::proptest! {
        #[test]
        fn every_instruction_set_gives_the_same_bits(
            numbers in proptest::collection::vec(number(), 96), count in 1usize..4,
        ) {
            let (row, other) = numbers.split_at(48);
            let (row, other) = (Lanes::of_row(&row[..count * LANES]), Lanes::of_row(&other[..count * LANES]));
            let of = |set| dispatch(set, All { row: &row, other: &other });
            let expected = of(InstructionSet::Scalar);
            for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                proptest::prop_assert_eq!(of(set), expected.clone(), "{}", set);
            }
        }
    }

    /// Numbers that activations may be: zeros of both signs, very small ones, ordinary and large ones.
    fn number() -> impl proptest::strategy::Strategy<Value = f32> {
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
