//! Sixteen f32 side by side: one vector of AVX-512, two of AVX2, or an array.
//!
//! Every operation is rounded once for each lane, and folds go in halves: the bits are the same with all three.
//! The compiler would have to find the vectors in plain loops by itself, and in code of a layer's size it does not.

use super::pack::LANES;

/// Sixteen f32 in a cache line of their own: a load that goes over the end of a line costs two.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Lanes(pub(crate) [f32; LANES]);

impl Lanes {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);

    /// A row, which must have a multiple of 16 elements.
    pub(crate) fn of_row(row: &[f32]) -> Vec<Self> {
        let (lanes, rest) = row.as_chunks();
        assert!(rest.is_empty());
        lanes.iter().copied().map(Self).collect()
    }
}

/// Adding and subtracting it rounds to an integer, whose low bits are then those of the float: 1.5 · 2²³.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// Operations on sixteen lanes. Every method is to be inlined into code that is compiled for its instructions.
pub(crate) trait Simd {
    /// Sixteen f32.
    type F32: Copy;

    fn splat(x: f32) -> Self::F32;
    fn load(from: &Lanes) -> Self::F32;
    fn store(x: Self::F32, to: &mut Lanes);
    /// Integers as floats, rounded to nearest.
    fn from_i32(from: &[i32; LANES]) -> Self::F32;
    fn add(a: Self::F32, b: Self::F32) -> Self::F32;
    fn sub(a: Self::F32, b: Self::F32) -> Self::F32;
    fn mul(a: Self::F32, b: Self::F32) -> Self::F32;
    /// a · b + c, rounded once.
    fn mul_add(a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    fn abs(x: Self::F32) -> Self::F32;
    /// a where a < b, else b.
    fn min(a: Self::F32, b: Self::F32) -> Self::F32;
    /// a where a > b, else b.
    fn max(a: Self::F32, b: Self::F32) -> Self::F32;
    /// The low byte of each lane's bits.
    fn store_low_bytes(x: Self::F32, to: &mut [u8; LANES]);
    /// The nearest integers, of two the even one.
    fn round(x: Self::F32) -> Self::F32;
    /// x · 2ⁿ for an integer n; both x and the result must be normal.
    fn scale_by_power(x: Self::F32, n: Self::F32) -> Self::F32;
    /// Sum of the lanes: 16 to 8, 4, 2, 1.
    fn sum(x: Self::F32) -> f32;
    /// Least lane, in the same order.
    fn least(x: Self::F32) -> f32;
    /// Greatest lane, in the same order.
    fn greatest(x: Self::F32) -> f32;
}

/// Lanes as an array, for any processor.
pub(crate) struct Scalar;

#[inline(always)]
fn map2(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

#[inline(always)]
fn fold(mut x: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES;
    while half > 1 {
        half /= 2;
        for i in 0..half {
            x[i] = f(x[i], x[i + half]);
        }
    }
    x[0]
}

#[inline(always)]
fn min(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn max(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

impl Simd for Scalar {
    type F32 = [f32; LANES];

    #[inline(always)]
    fn splat(x: f32) -> Self::F32 {
        [x; LANES]
    }
    #[inline(always)]
    fn load(from: &Lanes) -> Self::F32 {
        from.0
    }
    #[inline(always)]
    fn store(x: Self::F32, to: &mut Lanes) {
        to.0 = x;
    }
    #[inline(always)]
    fn from_i32(from: &[i32; LANES]) -> Self::F32 {
        from.map(|x| x as f32)
    }
    #[inline(always)]
    fn add(a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn mul_add(a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
    }
    #[inline(always)]
    fn abs(x: Self::F32) -> Self::F32 {
        x.map(f32::abs)
    }
    #[inline(always)]
    fn min(a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, min)
    }
    #[inline(always)]
    fn max(a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, max)
    }
    #[inline(always)]
    fn store_low_bytes(x: Self::F32, to: &mut [u8; LANES]) {
        *to = x.map(|x| x.to_bits() as u8);
    }
    #[inline(always)]
    fn round(x: Self::F32) -> Self::F32 {
        x.map(f32::round_ties_even)
    }
    #[inline(always)]
    fn scale_by_power(x: Self::F32, n: Self::F32) -> Self::F32 {
        map2(x, n, |x, n| {
            f32::from_bits(x.to_bits().wrapping_add((n + ROUND).to_bits() << 23))
        })
    }
    #[inline(always)]
    fn sum(x: Self::F32) -> f32 {
        fold(x, |a, b| a + b)
    }
    #[inline(always)]
    fn least(x: Self::F32) -> f32 {
        fold(x, min)
    }
    #[inline(always)]
    fn greatest(x: Self::F32) -> f32 {
        fold(x, max)
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    #[allow(clippy::wildcard_imports)] // intrinsics: some fifty names
    use std::arch::x86_64::*;

    use super::{LANES, Lanes, Simd};

    /// A method that is one expression of intrinsics.
    macro_rules! methods {
        ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)? = $body:expr;)*) => {
            $(
                #[inline(always)]
                fn $name($($arg: $type),*) $(-> $out)? {
                    // SAFETY: this type is reached through `dispatch` alone, behind a test for the instructions. References to arrays
                    // of sixteen are as long as what is loaded or stored; `Lanes` are aligned to 64, of others no
                    // alignment is claimed.
                    unsafe { $body }
                }
            )*
        };
    }

    /// Eight lanes to one, in halves.
    macro_rules! fold8 {
        ($x:expr, $op:ident, $op_one:ident) => {{
            let x = $x;
            let four = $op(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let two = $op(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32($op_one(two, _mm_movehdup_ps(two)))
        }};
    }

    pub(crate) struct Avx512;

    impl Simd for Avx512 {
        type F32 = __m512;

        methods! {
            fn splat(x: f32) -> __m512 = _mm512_set1_ps(x);
            fn load(from: &Lanes) -> __m512 = _mm512_load_ps(from.0.as_ptr());
            fn store(x: __m512, to: &mut Lanes) = _mm512_store_ps(to.0.as_mut_ptr(), x);
            fn from_i32(from: &[i32; LANES]) -> __m512 = _mm512_cvtepi32_ps(_mm512_loadu_si512(from.as_ptr().cast()));
            fn add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
            fn sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
            fn mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
            fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
            fn abs(x: __m512) -> __m512 = _mm512_abs_ps(x);
            fn min(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(a, b);
            fn max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
            fn store_low_bytes(x: __m512, to: &mut [u8; LANES]) =
                _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(_mm512_castps_si512(x)));
            fn round(x: __m512) -> __m512 = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT }>(x);
            fn scale_by_power(x: __m512, n: __m512) -> __m512 = _mm512_scalef_ps(x, n);
            fn sum(x: __m512) -> f32 =
                fold8!(_mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x)), _mm_add_ps, _mm_add_ss);
            fn least(x: __m512) -> f32 =
                fold8!(_mm256_min_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x)), _mm_min_ps, _mm_min_ss);
            fn greatest(x: __m512) -> f32 =
                fold8!(_mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x)), _mm_max_ps, _mm_max_ss);
        }
    }

    pub(crate) struct Avx2;

    impl Simd for Avx2 {
        type F32 = [__m256; 2];

        methods! {
            fn splat(x: f32) -> [__m256; 2] = [_mm256_set1_ps(x); 2];
            fn load(from: &Lanes) -> [__m256; 2] =
                [_mm256_load_ps(from.0.as_ptr()), _mm256_load_ps(from.0.as_ptr().add(8))];
            fn store(x: [__m256; 2], to: &mut Lanes) = {
                _mm256_store_ps(to.0.as_mut_ptr(), x[0]);
                _mm256_store_ps(to.0.as_mut_ptr().add(8), x[1]);
            };
            fn from_i32(from: &[i32; LANES]) -> [__m256; 2] = [
                _mm256_cvtepi32_ps(_mm256_loadu_si256(from.as_ptr().cast())),
                _mm256_cvtepi32_ps(_mm256_loadu_si256(from.as_ptr().add(8).cast())),
            ];
            fn add(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] =
                [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])];
            fn sub(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] =
                [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])];
            fn mul(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] =
                [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])];
            fn mul_add(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] =
                [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])];
            fn abs(x: [__m256; 2]) -> [__m256; 2] = {
                let sign = _mm256_set1_ps(-0.0);
                [_mm256_andnot_ps(sign, x[0]), _mm256_andnot_ps(sign, x[1])]
            };
            fn min(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] =
                [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])];
            fn max(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] =
                [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])];
            fn store_low_bytes(x: [__m256; 2], to: &mut [u8; LANES]) = {
                let byte = _mm256_set1_epi32(0xff);
                let low = _mm256_and_si256(_mm256_castps_si256(x[0]), byte);
                let high = _mm256_and_si256(_mm256_castps_si256(x[1]), byte);
                // Packing works within halves of 128 bits: low and high alternate until they are put in order.
                let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
                let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
                _mm_storeu_si128(to.as_mut_ptr().cast(), bytes);
            };
            fn round(x: [__m256; 2]) -> [__m256; 2] = [
                _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x[0]),
                _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x[1]),
            ];
            fn scale_by_power(x: [__m256; 2], n: [__m256; 2]) -> [__m256; 2] = [
                _mm256_castsi256_ps(_mm256_add_epi32(
                    _mm256_castps_si256(x[0]),
                    _mm256_slli_epi32::<23>(_mm256_cvtps_epi32(n[0])),
                )),
                _mm256_castsi256_ps(_mm256_add_epi32(
                    _mm256_castps_si256(x[1]),
                    _mm256_slli_epi32::<23>(_mm256_cvtps_epi32(n[1])),
                )),
            ];
            fn sum(x: [__m256; 2]) -> f32 = fold8!(_mm256_add_ps(x[0], x[1]), _mm_add_ps, _mm_add_ss);
            fn least(x: [__m256; 2]) -> f32 = fold8!(_mm256_min_ps(x[0], x[1]), _mm_min_ps, _mm_min_ss);
            fn greatest(x: [__m256; 2]) -> f32 = fold8!(_mm256_max_ps(x[0], x[1]), _mm_max_ps, _mm_max_ss);
        }
    }
}
