//! Sixteen f32 side by side: one vector of AVX-512, two of AVX2, four of NEON, or an array.
//!
//! Every operation is rounded once for each lane, and folds go in halves: the bits are the same with all of them.
//! The compiler would have to find the vectors in plain loops by itself, and in code of a layer's size it does not.

// Iterators are not inlined into code as large as a layer, and cost calls.
#![allow(clippy::needless_range_loop)]

use super::pack::{DEPTH, LANES, Line};

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

/// Bits of a float behind the binary point, and of 1.0.
pub(super) const MANTISSA: u32 = (1 << 23) - 1;
pub(super) const ONE: u32 = 1.0f32.to_bits();

/// Where the exponent is added to a float's bits, 64 more are added and then taken out by a multiplication, which rounds; a
/// power below this is as good as it: both give 0.
pub(super) const STEP_POWER: f32 = 64.0;
pub(super) const STEP: f32 = 1.0 / (1u128 << 64) as f32;
pub(super) const LEAST_POWER: f32 = -180.0;

/// Operations on sixteen lanes. Every method is to be inlined into code that is compiled for its instructions.
pub(crate) trait Simd {
    /// Sixteen f32.
    type F32: Copy;
    /// Sixteen i32.
    type I32: Copy;

    fn splat(x: f32) -> Self::F32;
    fn load(from: &Lanes) -> Self::F32;
    fn store(x: Self::F32, to: &mut Lanes);
    fn load_i32(from: &[i32; LANES]) -> Self::I32;
    fn store_i32(x: Self::I32, to: &mut [i32; LANES]);
    /// Integers as floats, rounded to nearest.
    fn from_i32(x: Self::I32) -> Self::F32;
    fn add(a: Self::F32, b: Self::F32) -> Self::F32;
    fn sub(a: Self::F32, b: Self::F32) -> Self::F32;
    fn mul(a: Self::F32, b: Self::F32) -> Self::F32;
    fn div(a: Self::F32, b: Self::F32) -> Self::F32;
    /// a · b + c, rounded once.
    fn mul_add(a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    fn abs(x: Self::F32) -> Self::F32;
    fn sqrt(x: Self::F32) -> Self::F32;
    /// a where a < b, else b.
    fn min(a: Self::F32, b: Self::F32) -> Self::F32;
    /// a where a > b, else b.
    fn max(a: Self::F32, b: Self::F32) -> Self::F32;
    /// The low byte of each lane's bits.
    fn store_low_bytes(x: Self::F32, to: &mut [u8; LANES]);
    /// The low bytes of four, lane by lane: byte `4 · lane + i` is that of `x[i]`.
    fn store_low_bytes_of_four(x: [Self::F32; DEPTH], to: &mut Line);
    /// x − ⌊x⌋
    fn fraction(x: Self::F32) -> Self::F32;
    /// x · 2^⌊n⌋ for 1/2 ≤ x ≤ 2, to the nearest, which may be 0; n must not be above 60.
    fn scale_by_power(x: Self::F32, n: Self::F32) -> Self::F32;
    /// e of m · 2^e with 1 ≤ m < 2, for a normal number above 0.
    fn exponent(x: Self::F32) -> Self::F32;
    /// m of the same.
    fn mantissa(x: Self::F32) -> Self::F32;
    /// Sum of the lanes: 16 to 8, 4, 2, 1.
    fn sum(x: Self::F32) -> f32;
    /// Greatest lane, in the same order.
    fn greatest(x: Self::F32) -> f32;
    /// Lane i is the [`sum`](Self::sum) of the i-th.
    fn sums(x: &[Self::F32; LANES]) -> Self::F32;
    /// Lane i is the greatest of the i-th.
    fn greatests(x: &[Self::F32; LANES]) -> Self::F32;
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
    type I32 = [i32; LANES];

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
    fn load_i32(from: &[i32; LANES]) -> Self::I32 {
        *from
    }
    #[inline(always)]
    fn store_i32(x: Self::I32, to: &mut [i32; LANES]) {
        *to = x;
    }
    #[inline(always)]
    fn from_i32(x: Self::I32) -> Self::F32 {
        x.map(|x| x as f32)
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
    fn div(a: Self::F32, b: Self::F32) -> Self::F32 {
        map2(a, b, |a, b| a / b)
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
    fn sqrt(x: Self::F32) -> Self::F32 {
        x.map(f32::sqrt)
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
    fn store_low_bytes_of_four(x: [Self::F32; DEPTH], to: &mut Line) {
        to.0 = std::array::from_fn(|i| x[i % DEPTH][i / DEPTH].to_bits() as u8);
    }
    #[inline(always)]
    fn fraction(x: Self::F32) -> Self::F32 {
        x.map(|x| x - x.floor())
    }
    #[inline(always)]
    fn scale_by_power(x: Self::F32, n: Self::F32) -> Self::F32 {
        map2(x, n, |x, n| {
            let power = (max(n.floor(), LEAST_POWER) + STEP_POWER) as i32;
            f32::from_bits(x.to_bits().wrapping_add_signed(power << 23)) * STEP
        })
    }
    #[inline(always)]
    fn exponent(x: Self::F32) -> Self::F32 {
        x.map(|x| (x.to_bits() >> 23) as f32 - 127.0)
    }
    #[inline(always)]
    fn mantissa(x: Self::F32) -> Self::F32 {
        x.map(|x| f32::from_bits(x.to_bits() & MANTISSA | ONE))
    }
    #[inline(always)]
    fn sum(x: Self::F32) -> f32 {
        fold(x, |a, b| a + b)
    }
    #[inline(always)]
    fn greatest(x: Self::F32) -> f32 {
        fold(x, max)
    }
    #[inline(always)]
    fn sums(x: &[Self::F32; LANES]) -> Self::F32 {
        x.map(Self::sum)
    }
    #[inline(always)]
    fn greatests(x: &[Self::F32; LANES]) -> Self::F32 {
        x.map(Self::greatest)
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    #[allow(clippy::wildcard_imports)] // intrinsics: some fifty names
    use std::arch::x86_64::*;

    use super::{DEPTH, LANES, LEAST_POWER, Lanes, Line, MANTISSA, STEP, STEP_POWER, Simd};

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

    /// Sixteen vectors to one, each in halves as `fold8` does it, side by side: after each step a vector holds twice as
    /// many of them. At last they stand in the order 0, 2, 1, 3 within quarters that begin with 0, 8, 4, 12.
    macro_rules! fold_each512 {
        ($x:expr, $op:ident) => {{
            let x: &[__m512; LANES] = $x;
            let mut two = [_mm512_setzero_ps(); 8];
            for i in 0..8 {
                let (a, b) = (x[i], x[i + 8]);
                two[i] = $op(
                    _mm512_shuffle_f32x4::<0x44>(a, b),
                    _mm512_shuffle_f32x4::<0xee>(a, b),
                );
            }
            let mut four = [_mm512_setzero_ps(); 4];
            for i in 0..4 {
                let (a, b) = (two[i], two[i + 4]);
                four[i] = $op(
                    _mm512_shuffle_f32x4::<0x88>(a, b),
                    _mm512_shuffle_f32x4::<0xdd>(a, b),
                );
            }
            let mut eight = [_mm512_setzero_ps(); 2];
            for i in 0..2 {
                let (a, b) = (four[i], four[i + 2]);
                eight[i] = $op(_mm512_shuffle_ps::<0x44>(a, b), _mm512_shuffle_ps::<0xee>(a, b));
            }
            let (a, b) = (eight[0], eight[1]);
            let all = $op(_mm512_shuffle_ps::<0x88>(a, b), _mm512_shuffle_ps::<0xdd>(a, b));
            let order = _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15);
            _mm512_permutexvar_ps(order, all)
        }};
    }

    /// The same for eight vectors of 256 bits, from `$first` on.
    macro_rules! fold_each256 {
        ($x:expr, $first:expr, $op:ident) => {{
            let x: &[[__m256; 2]; LANES] = $x;
            let mut one = [_mm256_setzero_ps(); 8];
            for i in 0..8 {
                one[i] = $op(x[$first + i][0], x[$first + i][1]);
            }
            let mut two = [_mm256_setzero_ps(); 4];
            for i in 0..4 {
                let (a, b) = (one[i], one[i + 4]);
                two[i] = $op(
                    _mm256_permute2f128_ps::<0x20>(a, b),
                    _mm256_permute2f128_ps::<0x31>(a, b),
                );
            }
            let mut four = [_mm256_setzero_ps(); 2];
            for i in 0..2 {
                let (a, b) = (two[i], two[i + 2]);
                four[i] = $op(_mm256_shuffle_ps::<0x44>(a, b), _mm256_shuffle_ps::<0xee>(a, b));
            }
            let (a, b) = (four[0], four[1]);
            let all = $op(_mm256_shuffle_ps::<0x88>(a, b), _mm256_shuffle_ps::<0xdd>(a, b));
            _mm256_permute_ps::<0b11_01_10_00>(all)
        }};
    }

    pub(crate) struct Avx512;

    impl Simd for Avx512 {
        type F32 = __m512;
        type I32 = __m512i;

        methods! {
            fn splat(x: f32) -> __m512 = _mm512_set1_ps(x);
            fn load(from: &Lanes) -> __m512 = _mm512_load_ps(from.0.as_ptr());
            fn store(x: __m512, to: &mut Lanes) = _mm512_store_ps(to.0.as_mut_ptr(), x);
            fn load_i32(from: &[i32; LANES]) -> __m512i = _mm512_loadu_si512(from.as_ptr().cast());
            fn store_i32(x: __m512i, to: &mut [i32; LANES]) = _mm512_storeu_si512(to.as_mut_ptr().cast(), x);
            fn from_i32(x: __m512i) -> __m512 = _mm512_cvtepi32_ps(x);
            fn add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
            fn sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
            fn mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
            fn div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
            fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
            fn abs(x: __m512) -> __m512 = _mm512_abs_ps(x);
            fn sqrt(x: __m512) -> __m512 = _mm512_sqrt_ps(x);
            fn min(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(a, b);
            fn max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
            fn store_low_bytes(x: __m512, to: &mut [u8; LANES]) =
                _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(_mm512_castps_si512(x)));
            fn store_low_bytes_of_four(x: [__m512; DEPTH], to: &mut Line) = {
                // By this table, bits of the second where the first is 1, else of the third.
                const SELECT: i32 = 0xca;
                let (byte, word) = (_mm512_set1_epi32(0xff), _mm512_set1_epi32(0xffff));
                let one = _mm512_slli_epi32::<8>(_mm512_castps_si512(x[1]));
                let three = _mm512_slli_epi32::<8>(_mm512_castps_si512(x[3]));
                let low = _mm512_ternarylogic_epi32::<SELECT>(byte, _mm512_castps_si512(x[0]), one);
                let high = _mm512_ternarylogic_epi32::<SELECT>(byte, _mm512_castps_si512(x[2]), three);
                let all = _mm512_ternarylogic_epi32::<SELECT>(word, low, _mm512_slli_epi32::<16>(high));
                _mm512_store_si512(to.0.as_mut_ptr().cast(), all);
            };
            fn fraction(x: __m512) -> __m512 = _mm512_sub_ps(x, _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF }>(x));
            fn scale_by_power(x: __m512, n: __m512) -> __m512 = _mm512_scalef_ps(x, n);
            fn exponent(x: __m512) -> __m512 = _mm512_getexp_ps(x);
            fn mantissa(x: __m512) -> __m512 = _mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(x);
            fn sum(x: __m512) -> f32 =
                fold8!(_mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x)), _mm_add_ps, _mm_add_ss);
            fn greatest(x: __m512) -> f32 =
                fold8!(_mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x)), _mm_max_ps, _mm_max_ss);
            fn sums(x: &[__m512; LANES]) -> __m512 = fold_each512!(x, _mm512_add_ps);
            fn greatests(x: &[__m512; LANES]) -> __m512 = fold_each512!(x, _mm512_max_ps);
        }
    }

    /// Half of [`Simd::scale_by_power`]. The power is taken in two steps, so that the first is a normal number.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn scaled256(x: __m256, n: __m256) -> __m256 {
        let n = _mm256_max_ps(_mm256_floor_ps(n), _mm256_set1_ps(LEAST_POWER));
        let power = _mm256_cvtps_epi32(_mm256_add_ps(n, _mm256_set1_ps(STEP_POWER)));
        let scaled = _mm256_add_epi32(_mm256_castps_si256(x), _mm256_slli_epi32::<23>(power));
        _mm256_mul_ps(_mm256_castsi256_ps(scaled), _mm256_set1_ps(STEP))
    }

    pub(crate) struct Avx2;

    impl Simd for Avx2 {
        type F32 = [__m256; 2];
        type I32 = [__m256i; 2];

        methods! {
            fn splat(x: f32) -> [__m256; 2] = [_mm256_set1_ps(x); 2];
            fn load(from: &Lanes) -> [__m256; 2] =
                [_mm256_load_ps(from.0.as_ptr()), _mm256_load_ps(from.0.as_ptr().add(8))];
            fn store(x: [__m256; 2], to: &mut Lanes) = {
                _mm256_store_ps(to.0.as_mut_ptr(), x[0]);
                _mm256_store_ps(to.0.as_mut_ptr().add(8), x[1]);
            };
            fn load_i32(from: &[i32; LANES]) -> [__m256i; 2] =
                [_mm256_loadu_si256(from.as_ptr().cast()), _mm256_loadu_si256(from.as_ptr().add(8).cast())];
            fn store_i32(x: [__m256i; 2], to: &mut [i32; LANES]) = {
                _mm256_storeu_si256(to.as_mut_ptr().cast(), x[0]);
                _mm256_storeu_si256(to.as_mut_ptr().add(8).cast(), x[1]);
            };
            fn from_i32(x: [__m256i; 2]) -> [__m256; 2] = [_mm256_cvtepi32_ps(x[0]), _mm256_cvtepi32_ps(x[1])];
            fn add(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] =
                [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])];
            fn sub(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] =
                [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])];
            fn mul(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] =
                [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])];
            fn div(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] =
                [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])];
            fn mul_add(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] =
                [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])];
            fn abs(x: [__m256; 2]) -> [__m256; 2] = {
                let sign = _mm256_set1_ps(-0.0);
                [_mm256_andnot_ps(sign, x[0]), _mm256_andnot_ps(sign, x[1])]
            };
            fn sqrt(x: [__m256; 2]) -> [__m256; 2] = [_mm256_sqrt_ps(x[0]), _mm256_sqrt_ps(x[1])];
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
            fn store_low_bytes_of_four(x: [[__m256; 2]; DEPTH], to: &mut Line) = {
                let (byte, word) = (_mm256_set1_epi32(0xff), _mm256_set1_epi32(0xffff));
                for half in 0..2 {
                    let one = _mm256_slli_epi32::<8>(_mm256_castps_si256(x[1][half]));
                    let three = _mm256_slli_epi32::<8>(_mm256_castps_si256(x[3][half]));
                    let low = _mm256_blendv_epi8(one, _mm256_castps_si256(x[0][half]), byte);
                    let high = _mm256_blendv_epi8(three, _mm256_castps_si256(x[2][half]), byte);
                    let all = _mm256_blendv_epi8(_mm256_slli_epi32::<16>(high), low, word);
                    _mm256_store_si256(to.0.as_mut_ptr().cast::<__m256i>().add(half), all);
                }
            };
            fn fraction(x: [__m256; 2]) -> [__m256; 2] =
                [_mm256_sub_ps(x[0], _mm256_floor_ps(x[0])), _mm256_sub_ps(x[1], _mm256_floor_ps(x[1]))];
            fn scale_by_power(x: [__m256; 2], n: [__m256; 2]) -> [__m256; 2] =
                [scaled256(x[0], n[0]), scaled256(x[1], n[1])];
            fn exponent(x: [__m256; 2]) -> [__m256; 2] = {
                let bias = _mm256_set1_epi32(127);
                [
                    _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32::<23>(_mm256_castps_si256(x[0])), bias)),
                    _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32::<23>(_mm256_castps_si256(x[1])), bias)),
                ]
            };
            fn mantissa(x: [__m256; 2]) -> [__m256; 2] = {
                let (mask, one) = (_mm256_castsi256_ps(_mm256_set1_epi32(MANTISSA.cast_signed())), _mm256_set1_ps(1.0));
                [_mm256_or_ps(_mm256_and_ps(x[0], mask), one), _mm256_or_ps(_mm256_and_ps(x[1], mask), one)]
            };
            fn sum(x: [__m256; 2]) -> f32 = fold8!(_mm256_add_ps(x[0], x[1]), _mm_add_ps, _mm_add_ss);
            fn greatest(x: [__m256; 2]) -> f32 = fold8!(_mm256_max_ps(x[0], x[1]), _mm_max_ps, _mm_max_ss);
            fn sums(x: &[[__m256; 2]; LANES]) -> [__m256; 2] =
                [fold_each256!(x, 0, _mm256_add_ps), fold_each256!(x, 8, _mm256_add_ps)];
            fn greatests(x: &[[__m256; 2]; LANES]) -> [__m256; 2] =
                [fold_each256!(x, 0, _mm256_max_ps), fold_each256!(x, 8, _mm256_max_ps)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dot::{Dot, InstructionSet, Work, dispatch};
    use super::super::rows::tests::number;
    use super::*;

    /// What sixteen vectors become in one step: folds, bytes of four, parts of floats.
    struct All<'a>(&'a [Lanes]);

    impl Work for All<'_> {
        type Output = (Vec<u32>, Line);
        #[inline(always)]
        fn run<D: Dot>(self) -> Self::Output {
            let mut x = [<D::Simd>::splat(1.0); LANES];
            for i in 0..LANES {
                x[i] = <D::Simd>::load(&self.0[i]);
            }
            let mut out = Vec::new();
            let mut keep = |x| {
                let mut lanes = Lanes::ZERO;
                <D::Simd>::store(x, &mut lanes);
                out.extend(lanes.0.map(f32::to_bits));
            };
            keep(<D::Simd>::sums(&x));
            keep(<D::Simd>::greatests(&x));
            let normal = <D::Simd>::max(<D::Simd>::abs(x[0]), <D::Simd>::splat(f32::MIN_POSITIVE));
            keep(<D::Simd>::exponent(normal));
            keep(<D::Simd>::mantissa(normal));
            keep(<D::Simd>::fraction(x[0]));
            for n in [x[1], <D::Simd>::splat(-137.5), <D::Simd>::splat(-1e9)] {
                let n = <D::Simd>::min(n, <D::Simd>::splat(8.0));
                keep(<D::Simd>::scale_by_power(<D::Simd>::mantissa(normal), n));
            }
            let mut line = Line::ZERO;
            <D::Simd>::store_low_bytes_of_four([x[0], x[1], x[2], x[3]], &mut line);
            (out, line)
        }
    }

    proptest::proptest! {
        #[test]
        fn every_instruction_set_gives_the_same_bits(
            numbers in proptest::collection::vec(number(), LANES * LANES),
        ) {
            let x = Lanes::of_row(&numbers);
            let (expected, line) = dispatch(InstructionSet::Scalar, All(&x));
            for i in 0..LANES {
                proptest::prop_assert_eq!(expected[i], Scalar::sum(x[i].0).to_bits());
                proptest::prop_assert_eq!(f32::from_bits(expected[LANES + i]), Scalar::greatest(x[i].0));
            }
            for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                let (bits, bytes) = dispatch(set, All(&x));
                proptest::prop_assert_eq!(&bits, &expected, "{}", set);
                proptest::prop_assert!(bytes == line, "{}", set);
            }
        }
    }
}
