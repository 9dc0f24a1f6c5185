//! The arithmetic of the encoder, and the only module with `unsafe` code. Here: f32, with products by `gemm`, whose
//! instruction set (AVX-512, AVX2 with FMA, NEON, scalar) is chosen at run time. Below: int8.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "aarch64")]
mod arm;
pub(super) mod dot;
pub(super) mod heads;
pub(super) mod pack;
pub(super) mod rows;
pub(super) mod simd;

/// A matrix of f32 within a slice: element (r, c) is `data[r * row_stride + c * column_stride]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A matrix stored row by row without gaps.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self {
            data,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Panics unless every element lies within the slice.
    fn check(&self) {
        if self.rows > 0 && self.columns > 0 {
            let last = (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride;
            assert!(last < self.data.len(), "a matrix reaches past its data");
        }
    }
}

/// `out[m, n] = scale · a[m, k] · b[k, n]`, row by row without gaps, on the calling thread.
pub(super) fn product(out: &mut [f32], a: Matrix<'_>, b: Matrix<'_>, scale: f32) {
    a.check();
    b.check();
    assert_eq!(a.columns, b.rows);
    assert_eq!(out.len(), a.rows * b.columns);
    // SAFETY: `check` has shown that every element of `a` and `b` that the strides can reach lies within
    // its slice, and `out` holds exactly m·n elements at row stride n and column stride 1. `out` is
    // borrowed mutably, so it overlaps neither input. Strides fit isize because slices do.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns.cast_signed(),
            false,
            a.data.as_ptr(),
            a.column_stride.cast_signed(),
            a.row_stride.cast_signed(),
            b.data.as_ptr(),
            b.column_stride.cast_signed(),
            b.row_stride.cast_signed(),
            0.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Softmax of a row, in place. Its exponential is within 2 units in the last place.
pub(super) fn softmax(row: &mut [f32]) {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for x in row.iter_mut() {
        *x = exp(*x - max);
    }
    // Eight partial sums, in a fixed order: the compiler may use vectors, the result may not change.
    let mut sums = [0.0f32; 8];
    let mut chunks = row.chunks_exact(8);
    for chunk in &mut chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    let total: f32 = sums.iter().sum::<f32>() + chunks.remainder().iter().sum::<f32>();
    let inverse = 1.0 / total;
    for x in row {
        *x *= inverse;
    }
}

/// eˣ for x ≤ 0: 2ⁿ·eʳ with |r| ≤ ln 2 / 2 and Cephes' polynomial (`expf`, Moshier 1992), written so that
/// the compiler vectorises it. Below −87 the result is the smallest normal number's neighbourhood, never 0.
#[inline]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³: adding and subtracting it rounds to an integer
    let x = x.max(-87.0);
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let p = ((((1.987_569_1e-4 * r + 1.398_2e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r
        + 0.166_666_65)
        * r
        + 0.5;
    let value = p * r * r + r + 1.0;
    let power = f32::from_bits((((n as i32) + 127) << 23).cast_unsigned());
    value * power
}

/// GELU by the error function, x·Φ(x) (Hendrycks and Gimpel 2016), in place.
pub(super) fn gelu(row: &mut [f32]) {
    for x in row {
        *x = 0.5 * *x * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// The error function as a ratio of polynomials on ±4 (the minimax fit that Eigen and XLA use); absolute
/// error below 5·10⁻⁷.
#[inline]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let x2 = x * x;
    let p = (((((-2.726_142_3e-10 * x2 + 2.770_681_4e-8) * x2 - 2.101_024e-6) * x2 - 5.692_506e-5) * x2
        - 7.349_906e-4)
        * x2
        - 2.954_6e-3)
        * x2
        - 1.609_603_3e-2;
    let q = (((-1.456_607_2e-5 * x2 - 2.133_740_6e-4) * x2 - 1.682_827e-3) * x2 - 7.373_329e-3) * x2
        - 1.426_473_9e-2;
    x * p / q
}

/// GELU by its hyperbolic tangent approximation, in place.
pub(super) fn gelu_tanh(row: &mut [f32]) {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    for x in row {
        let inner = SQRT_2_OVER_PI * (*x + 0.044_715 * *x * *x * *x);
        *x = 0.5 * *x * (1.0 + inner.tanh());
    }
}

/// Rectified linear unit, in place.
pub(super) fn relu(row: &mut [f32]) {
    for x in row {
        *x = x.max(0.0);
    }
}

/// Layer normalisation of a row (Ba et al. 2016), in place.
#[inline(always)]
pub(super) fn layer_norm(row: &mut [f32], scale: &[f32], bias: &[f32], epsilon: f32) {
    let n = row.len() as f32;
    let mean = sum(row) / n;
    for x in row.iter_mut() {
        *x -= mean;
    }
    let variance = dot(row, row) / n;
    let inverse = 1.0 / (variance + epsilon).sqrt();
    for ((x, s), b) in row.iter_mut().zip(scale).zip(bias) {
        *x = *x * inverse * s + b;
    }
}

/// Asks the processor to bring these bytes near. On x86 only.
#[inline(always)]
pub(super) fn fetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    bytes.chunks(64).for_each(|line| prefetch(line.as_ptr()));
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch(line: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch reads nothing, of whatever address; SSE is part of x86-64.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
}

#[inline(always)]
fn sum(row: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let chunks = row.chunks_exact(8);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Inner product.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a8.zip(b8) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// `row += other`.
#[inline(always)]
pub(super) fn add(row: &mut [f32], other: &[f32]) {
    for (x, y) in row.iter_mut().zip(other) {
        *x += y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The safe twin of [`product`].
    fn plain_product(a: Matrix<'_>, b: Matrix<'_>, scale: f32) -> Vec<f32> {
        let at = |m: &Matrix<'_>, r, c| m.data[r * m.row_stride + c * m.column_stride];
        let mut out = Vec::new();
        for r in 0..a.rows {
            for c in 0..b.columns {
                let sum: f64 = (0..a.columns)
                    .map(|k| f64::from(at(&a, r, k)) * f64::from(at(&b, k, c)))
                    .sum();
                out.push((sum * f64::from(scale)) as f32);
            }
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn products_are_those_of_the_plain_twin(
            m in 1usize..40, k in 1usize..70, n in 1usize..40, gap in 0usize..5, transpose: bool, seed: u32,
        ) {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(i16::try_from(state >> 17).unwrap()) / 16384.0 - 1.0
            };
            let a_data: Vec<f32> = (0..m * (k + gap)).map(|_| next()).collect();
            let b_data: Vec<f32> = (0..k * n).map(|_| next()).collect();
            let a = Matrix { row_stride: k + gap, ..Matrix::new(&a_data, m, k) };
            let b = if transpose { Matrix::new(&b_data, n, k).transposed() } else { Matrix::new(&b_data, k, n) };
            let mut out = vec![f32::NAN; m * n];
            product(&mut out, a, b, 0.5);
            for (x, y) in out.iter().zip(plain_product(a, b, 0.5)) {
                prop_assert!((x - y).abs() < 1e-4, "{x} {y}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "past its data")]
    fn a_matrix_that_reaches_too_far_panics() {
        let data = [0.0; 5];
        product(
            &mut [0.0; 4],
            Matrix::new(&data, 2, 3),
            Matrix::new(&data[..4], 2, 2),
            1.0,
        );
    }

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for i in 0..=87_000 {
            let x = -(i as f32) / 1000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 2.4e-7, "{x}: {error}");
        }
        assert!(exp(-1e30) >= 0.0 && exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn the_error_function_is_within_its_bound() {
        // erf as 2/√π times the integral, by Simpson's rule in f64.
        for i in -500..=500 {
            let x = f64::from(i) / 100.0;
            let steps = 2000;
            let h = x / f64::from(steps);
            let f = |t: f64| (-t * t).exp();
            let mut sum = f(0.0) + f(x);
            for j in 1..steps {
                sum += f(h * f64::from(j)) * if j % 2 == 1 { 4.0 } else { 2.0 };
            }
            let exact = sum * h / 3.0 * std::f64::consts::FRAC_2_SQRT_PI;
            let error = (f64::from(erf(x as f32)) - exact).abs();
            assert!(error < 5e-7, "{x}: {error}");
        }
    }

    #[test]
    fn rows_of_any_length_are_normalised() {
        for n in [1usize, 7, 8, 9, 33] {
            let mut row: Vec<f32> = (0..n).map(|i| i as f32 * 0.3).collect();
            softmax(&mut row);
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            let mut row: Vec<f32> = (0..n).map(|i| i as f32).collect();
            layer_norm(&mut row, &vec![1.0; n], &vec![0.0; n], 1e-12);
            assert!(sum(&row).abs() < 1e-4);
        }
    }
}
