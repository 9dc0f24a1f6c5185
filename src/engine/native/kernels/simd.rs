//! Sixteen f32 side by side: one vector of AVX-512, two of AVX2, four of NEON, or an array.
//!
//! Every operation is rounded once for each lane, and folds go in halves: the bits are the same with all of them.
//! The compiler would have to find the vectors in plain loops by itself, and in code of a layer's size it does not.

// Iterators are not inlined into code as large as a layer, and cost calls.
#![allow(clippy::needless_range_loop)]

use std::marker::PhantomData;

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

    /// All of them as one row.
    pub(crate) fn flat(lanes: &[Self]) -> &[f32] {
        // SAFETY: `Lanes` is `LANES` f32 without padding (its size is its alignment), and the slice borrows the same memory.
        unsafe { std::slice::from_raw_parts(lanes.as_ptr().cast(), lanes.len() * LANES) }
    }

    /// As [`flat`](Self::flat).
    pub(crate) fn flat_mut(lanes: &mut [Self]) -> &mut [f32] {
        // SAFETY: as in `flat`; every f32 may be written.
        unsafe { std::slice::from_raw_parts_mut(lanes.as_mut_ptr().cast(), lanes.len() * LANES) }
    }
}

/// `M` rows of `N` sixteens within a slice, which are checked once for all.
pub(crate) struct Grid<'a, const M: usize, const N: usize> {
    start: *mut Lanes,
    stride: usize,
    lanes: PhantomData<&'a mut [Lanes]>,
}

impl<'a, const M: usize, const N: usize> Grid<'a, M, N> {
    /// Row m begins at `m · stride`.
    ///
    /// # Panics
    /// When a row reaches past the slice.
    #[inline(always)]
    pub(crate) fn new(lanes: &'a mut [Lanes], stride: usize) -> Self {
        let reach = (M - 1).checked_mul(stride).and_then(|start| start.checked_add(N));
        assert!(
            reach.is_some_and(|reach| reach <= lanes.len()),
            "a grid reaches past its slice"
        );
        Self {
            start: lanes.as_mut_ptr(),
            stride,
            lanes: PhantomData,
        }
    }

    /// # Panics
    /// When the row or the column is none of the grid's.
    #[inline(always)]
    pub(crate) fn at(&mut self, m: usize, n: usize) -> &mut Lanes {
        assert!(m < M && n < N, "no such place in a grid");
        // SAFETY: m · stride + n is at most the last place that `new` has found within the slice, which is borrowed for as
        // long as this grid is; the reference borrows the grid, so there is one at a time.
        unsafe { &mut *self.start.add(m * self.stride + n) }
    }
}

/// Thirty-two i16, as two sixteens, in a cache line of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Words(pub(crate) [[i16; LANES]; 2]);

impl Words {
    pub(crate) const fn splat(x: i16) -> Self {
        Self([[x; LANES]; 2])
    }
}

/// Steps to a factor of 2 in the exponents of [`Simd::powers`].
pub(crate) const OCTAVE: i16 = 1 << OCTAVE_BITS;
pub(super) const OCTAVE_BITS: u32 = 6;

/// Bits of a power.
pub(super) const POWER_BITS: u32 = 12;
/// 2⁰ as a power: 16 times what rounds to 255.
pub(crate) const MOST_POWER: i32 = (FRACTIONS[0] >> (FRACTION_BITS - POWER_BITS)) as i32;

/// 2⁻ᶠ in 15 bits, by sixty-fourths: products of one by eighths and one, in 16 bits, by sixty-fourths.
pub(super) const FRACTION_BITS: u32 = 15;
const FRACTIONS: [u16; OCTAVE as usize] = {
    let mut table = [0; OCTAVE as usize];
    let mut i = 0;
    while i < table.len() {
        table[i] = ((COARSE[i / 8] as u32 * FINE[i % 8] as u32) >> 16) as u16;
        i += 1;
    }
    table
};
pub(super) const COARSE: [u16; 8] = [32_700, 29_986, 27_497, 25_215, 23_122, 21_203, 19_444, 17_830];
pub(super) const FINE: [u16; 8] = [65_535, 64_830, 64_132, 63_441, 62_757, 62_081, 61_413, 60_751];

/// Adding and subtracting it rounds to an integer, whose low bits are then those of the float: 1.5 · 2²³.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// Bits of a float behind the binary point, and of 1.0.
pub(super) const MANTISSA: u32 = (1 << 23) - 1;
pub(super) const ONE: u32 = 1.0f32.to_bits();

/// Operations on sixteen lanes. Every method is to be inlined into code that is compiled for its instructions.
pub(crate) trait Simd {
    /// Sixteen f32.
    type F32: Copy;
    /// Sixteen i32.
    type I32: Copy;
    /// Thirty-two i16.
    type I16: Copy;

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
    /// Numbers of sixteen rows, each rounded to the nearest i8 (of two, the even one), so that rows are columns: line i has
    /// lanes 4i to 4i + 3 of each. What reaches 2³¹ becomes some integer, which instruction sets do not agree on.
    fn store_columns(x: &[Self::F32; LANES], to: &mut [Line; LANES / DEPTH]);
    /// e of m · 2^e with 1 ≤ m < 2, for a normal number above 0.
    fn exponent(x: Self::F32) -> Self::F32;
    /// m of the same.
    fn mantissa(x: Self::F32) -> Self::F32;
    /// Greatest lane: 16 to 8, 4, 2, 1.
    fn greatest(x: Self::F32) -> f32;
    /// Lane i is the sum of the i-th's lanes, in the same order.
    fn sums(x: &[Self::F32; LANES]) -> Self::F32;
    /// Lane i is the greatest of the i-th.
    fn greatests(x: &[Self::F32; LANES]) -> Self::F32;
    /// Each lane, which must be below 2³¹, rounded to the nearest i16 (of two, the even one).
    fn store_words(x: Self::F32, to: &mut [i16; LANES]);
    fn load_words(from: &Words) -> Self::I16;
    fn splat_word(x: i16) -> Self::I16;
    fn max_words(a: Self::I16, b: Self::I16) -> Self::I16;
    /// The greatest lane, in each.
    fn greatest_word(x: Self::I16) -> Self::I16;
    /// [`MOST_POWER`] · 2^((x − top) / [`OCTAVE`]), for x ≤ top: within 10⁻⁴ of it, then the integer below.
    fn powers(x: Self::I16, top: Self::I16) -> Self::I16;
    /// Sixteenths of powers, rounded.
    fn store_sixteenths(x: Self::I16, to: &mut [[u8; LANES]; 2]);
    /// Lane i has the products of lanes 2i and 2i + 1 added.
    fn add_products(sums: Self::I32, a: Self::I16, b: Self::I16) -> Self::I32;
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
    type I16 = [i16; 2 * LANES];

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
    fn store_columns(x: &[Self::F32; LANES], to: &mut [Line; LANES / DEPTH]) {
        for i in 0..LANES {
            for k in 0..LANES {
                to[k / DEPTH].0[i * DEPTH + k % DEPTH] = (x[i][k].round_ties_even() as i8).cast_unsigned();
            }
        }
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
    fn greatest(x: Self::F32) -> f32 {
        fold(x, max)
    }
    #[inline(always)]
    fn sums(x: &[Self::F32; LANES]) -> Self::F32 {
        x.map(|x| fold(x, |a, b| a + b))
    }
    #[inline(always)]
    fn greatests(x: &[Self::F32; LANES]) -> Self::F32 {
        x.map(Self::greatest)
    }
    #[inline(always)]
    fn store_words(x: Self::F32, to: &mut [i16; LANES]) {
        *to = x.map(|x| x.round_ties_even() as i16);
    }
    #[inline(always)]
    fn load_words(from: &Words) -> Self::I16 {
        std::array::from_fn(|i| from.0[i / LANES][i % LANES])
    }
    #[inline(always)]
    fn splat_word(x: i16) -> Self::I16 {
        [x; 2 * LANES]
    }
    #[inline(always)]
    fn max_words(a: Self::I16, b: Self::I16) -> Self::I16 {
        std::array::from_fn(|i| a[i].max(b[i]))
    }
    #[inline(always)]
    fn greatest_word(x: Self::I16) -> Self::I16 {
        [x.into_iter().fold(i16::MIN, i16::max); 2 * LANES]
    }
    #[inline(always)]
    fn powers(x: Self::I16, top: Self::I16) -> Self::I16 {
        std::array::from_fn(|i| {
            let depth = top[i].saturating_sub(x[i]).cast_unsigned();
            let fraction = u32::from(FRACTIONS[usize::from(depth) % FRACTIONS.len()]);
            let shift = FRACTION_BITS - POWER_BITS + u32::from(depth >> OCTAVE_BITS);
            fraction.checked_shr(shift).unwrap_or(0) as i16
        })
    }
    #[inline(always)]
    fn store_sixteenths(x: Self::I16, to: &mut [[u8; LANES]; 2]) {
        for i in 0..x.len() {
            to[i / LANES][i % LANES] = ((x[i] + 8) >> 4) as u8;
        }
    }
    #[inline(always)]
    fn add_products(sums: Self::I32, a: Self::I16, b: Self::I16) -> Self::I32 {
        std::array::from_fn(|i| {
            let product = |k: usize| i32::from(a[k]) * i32::from(b[k]);
            sums[i] + product(2 * i) + product(2 * i + 1)
        })
    }
}

/// A method of [`Simd`] that is one expression of intrinsics.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! methods {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)? = $body:expr;)*) => {
        $(
            #[inline(always)]
            fn $name($($arg: $type),*) $(-> $out)? {
                // SAFETY: this type is reached through `dispatch` alone, behind a test for the instructions. Every reference is to
                // as many bytes as are loaded or stored through it; `Lanes`, `Line` and `Words` are aligned to 64, of
                // others no alignment is claimed.
                unsafe { $body }
            }
        )*
    };
}
#[cfg(target_arch = "aarch64")]
pub(super) use methods;

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    #[allow(clippy::wildcard_imports)] // intrinsics: some fifty names
    use std::arch::x86_64::*;

    use super::{
        COARSE, DEPTH, FINE, FRACTION_BITS, FRACTIONS, LANES, Lanes, Line, MANTISSA, OCTAVE_BITS, POWER_BITS,
        Simd, Words,
    };

    /// Eight lanes to their greatest, in halves.
    macro_rules! greatest8 {
        ($x:expr) => {{
            let x = $x;
            let four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }};
    }

    /// Sixteen vectors to one, each in halves as `greatest8` does it, side by side: after each step a vector holds twice as
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

    /// With this, [`_mm512_mulhrs_epi16`] gives rounded sixteenths.
    const SIXTEENTH: i16 = 1 << 11;

    /// The greatest of eight i16, in the first.
    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn greatest_of_eight(x: __m128i) -> __m128i {
        // There is an instruction for the least of u16: turned round, and back.
        let flip = _mm_set1_epi16(i16::MAX);
        _mm_xor_si128(_mm_minpos_epu16(_mm_xor_si128(x, flip)), flip)
    }

    pub(crate) struct Avx512;

    impl Simd for Avx512 {
        type F32 = __m512;
        type I32 = __m512i;
        type I16 = __m512i;

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
            fn store_columns(x: &[__m512; LANES], to: &mut [Line; LANES / DEPTH]) = {
                // Packing works within quarters: each of the four has four rows, and quarter i what belongs into line i.
                let mut four = [_mm512_setzero_si512(); 4];
                for i in 0..4 {
                    let x = [x[4 * i], x[4 * i + 1], x[4 * i + 2], x[4 * i + 3]];
                    let low = _mm512_packs_epi32(_mm512_cvtps_epi32(x[0]), _mm512_cvtps_epi32(x[1]));
                    let high = _mm512_packs_epi32(_mm512_cvtps_epi32(x[2]), _mm512_cvtps_epi32(x[3]));
                    four[i] = _mm512_packs_epi16(low, high);
                }
                let low = [_mm512_shuffle_i32x4::<0x44>(four[0], four[1]), _mm512_shuffle_i32x4::<0x44>(four[2], four[3])];
                let high = [_mm512_shuffle_i32x4::<0xee>(four[0], four[1]), _mm512_shuffle_i32x4::<0xee>(four[2], four[3])];
                _mm512_store_si512(to[0].0.as_mut_ptr().cast(), _mm512_shuffle_i32x4::<0x88>(low[0], low[1]));
                _mm512_store_si512(to[1].0.as_mut_ptr().cast(), _mm512_shuffle_i32x4::<0xdd>(low[0], low[1]));
                _mm512_store_si512(to[2].0.as_mut_ptr().cast(), _mm512_shuffle_i32x4::<0x88>(high[0], high[1]));
                _mm512_store_si512(to[3].0.as_mut_ptr().cast(), _mm512_shuffle_i32x4::<0xdd>(high[0], high[1]));
            };
            fn exponent(x: __m512) -> __m512 = _mm512_getexp_ps(x);
            fn mantissa(x: __m512) -> __m512 = _mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(x);
            fn greatest(x: __m512) -> f32 =
                greatest8!(_mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x)));
            fn sums(x: &[__m512; LANES]) -> __m512 = fold_each512!(x, _mm512_add_ps);
            fn greatests(x: &[__m512; LANES]) -> __m512 = fold_each512!(x, _mm512_max_ps);
            fn store_words(x: __m512, to: &mut [i16; LANES]) =
                _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(x)));
            fn load_words(from: &Words) -> __m512i = _mm512_load_si512(from.0.as_ptr().cast());
            fn splat_word(x: i16) -> __m512i = _mm512_set1_epi16(x);
            fn max_words(a: __m512i, b: __m512i) -> __m512i = _mm512_max_epi16(a, b);
            fn greatest_word(x: __m512i) -> __m512i = {
                let half = _mm256_max_epi16(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64::<1>(x));
                let eight = _mm_max_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half));
                _mm512_broadcastw_epi16(greatest_of_eight(eight))
            };
            fn powers(x: __m512i, top: __m512i) -> __m512i = {
                let depth = _mm512_subs_epi16(top, x);
                // Only the low bits of an index count.
                let (low, high) = (FRACTIONS.as_ptr(), FRACTIONS.as_ptr().add(2 * LANES));
                let (low, high) = (_mm512_loadu_si512(low.cast()), _mm512_loadu_si512(high.cast()));
                let fraction = _mm512_permutex2var_epi16(low, depth, high);
                // Shifted by 15 bits, nothing is left.
                let octaves = _mm512_min_epu16(_mm512_srli_epi16::<OCTAVE_BITS>(depth), _mm512_set1_epi16(POWER_BITS as i16));
                let shift = _mm512_add_epi16(octaves, _mm512_set1_epi16((FRACTION_BITS - POWER_BITS) as i16));
                _mm512_srlv_epi16(fraction, shift)
            };
            fn store_sixteenths(x: __m512i, to: &mut [[u8; LANES]; 2]) = {
                let bytes = _mm512_cvtepi16_epi8(_mm512_mulhrs_epi16(x, _mm512_set1_epi16(SIXTEENTH)));
                _mm256_storeu_si256(to.as_mut_ptr().cast(), bytes);
            };
            fn add_products(sums: __m512i, a: __m512i, b: __m512i) -> __m512i = _mm512_dpwssd_epi32(sums, a, b);
        }
    }

    /// Half of [`Simd::powers`]. There are no tables of 64 words and no shifts by lanes: the products of two of 8 words, and a
    /// product with a power of 2.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn powers256(x: __m256i, top: __m256i) -> __m256i {
        const fn bytes(table: [u16; 8]) -> [u8; 16] {
            let mut bytes = [0; 16];
            let mut i = 0;
            while i < 16 {
                bytes[i] = table[i / 2].to_le_bytes()[i % 2];
                i += 1;
            }
            bytes
        }
        /// Low and high bytes of 2^(13 − i), with which a product of 16 bits is a shift by 3 + i.
        const fn scales() -> [[u8; 16]; 2] {
            let mut halves = [[0; 16]; 2];
            let mut i = 0;
            let most = 16 + POWER_BITS as usize - FRACTION_BITS as usize;
            while i <= most {
                let bytes = (1u16 << (most - i)).to_le_bytes();
                (halves[0][i], halves[1][i]) = (bytes[0], bytes[1]);
                i += 1;
            }
            halves
        }
        const SCALES: [[u8; 16]; 2] = scales();
        const TABLES: [[u8; 16]; 4] = [bytes(COARSE), bytes(FINE), SCALES[0], SCALES[1]];
        let table = |i: usize| {
            // SAFETY: sixteen bytes, of no alignment.
            let table = unsafe { _mm_loadu_si128(TABLES[i].as_ptr().cast()) };
            _mm256_broadcastsi128_si256(table)
        };
        let seven = _mm256_set1_epi16(7);
        // Words of a table of bytes: both bytes are looked up, 2i and 2i + 1.
        let word = |i: usize, index: __m256i| {
            let index = _mm256_mullo_epi16(_mm256_and_si256(index, seven), _mm256_set1_epi16(0x0202));
            _mm256_shuffle_epi8(table(i), _mm256_add_epi16(index, _mm256_set1_epi16(0x0100)))
        };
        let depth = _mm256_subs_epi16(top, x);
        let fraction = _mm256_mulhi_epu16(word(0, _mm256_srli_epi16::<3>(depth)), word(1, depth));
        // The high byte of an index is 0, and so is the low byte of the first scale.
        let octaves = _mm256_min_epi16(
            _mm256_srli_epi16::<{ OCTAVE_BITS as i32 }>(depth),
            _mm256_set1_epi16(15),
        );
        let high = _mm256_slli_epi16::<8>(_mm256_shuffle_epi8(table(3), octaves));
        let scale = _mm256_or_si256(_mm256_shuffle_epi8(table(2), octaves), high);
        _mm256_mulhi_epu16(fraction, scale)
    }

    pub(crate) struct Avx2;

    impl Simd for Avx2 {
        type F32 = [__m256; 2];
        type I32 = [__m256i; 2];
        type I16 = [__m256i; 2];

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
            fn store_columns(x: &[[__m256; 2]; LANES], to: &mut [Line; LANES / DEPTH]) = {
                for half in 0..2 {
                    let mut four = [_mm256_setzero_si256(); 4];
                    for i in 0..4 {
                        let x = [x[4 * i][half], x[4 * i + 1][half], x[4 * i + 2][half], x[4 * i + 3][half]];
                        let low = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
                        let high = _mm256_packs_epi32(_mm256_cvtps_epi32(x[2]), _mm256_cvtps_epi32(x[3]));
                        four[i] = _mm256_packs_epi16(low, high);
                    }
                    let (low, high) = to[2 * half..].split_at_mut(1);
                    let (low, high) = (low[0].0.as_mut_ptr().cast::<__m256i>(), high[0].0.as_mut_ptr().cast::<__m256i>());
                    for i in 0..2 {
                        let (a, b) = (four[2 * i], four[2 * i + 1]);
                        _mm256_store_si256(low.add(i), _mm256_permute2x128_si256::<0x20>(a, b));
                        _mm256_store_si256(high.add(i), _mm256_permute2x128_si256::<0x31>(a, b));
                    }
                }
            };
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
            fn greatest(x: [__m256; 2]) -> f32 = greatest8!(_mm256_max_ps(x[0], x[1]));
            fn sums(x: &[[__m256; 2]; LANES]) -> [__m256; 2] =
                [fold_each256!(x, 0, _mm256_add_ps), fold_each256!(x, 8, _mm256_add_ps)];
            fn greatests(x: &[[__m256; 2]; LANES]) -> [__m256; 2] =
                [fold_each256!(x, 0, _mm256_max_ps), fold_each256!(x, 8, _mm256_max_ps)];
            fn store_words(x: [__m256; 2], to: &mut [i16; LANES]) = {
                let words = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
                _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm256_permute4x64_epi64::<0b11_01_10_00>(words));
            };
            fn load_words(from: &Words) -> [__m256i; 2] =
                [_mm256_load_si256(from.0[0].as_ptr().cast()), _mm256_load_si256(from.0[1].as_ptr().cast())];
            fn splat_word(x: i16) -> [__m256i; 2] = [_mm256_set1_epi16(x); 2];
            fn max_words(a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] =
                [_mm256_max_epi16(a[0], b[0]), _mm256_max_epi16(a[1], b[1])];
            fn greatest_word(x: [__m256i; 2]) -> [__m256i; 2] = {
                let half = _mm256_max_epi16(x[0], x[1]);
                let eight = _mm_max_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half));
                [_mm256_broadcastw_epi16(greatest_of_eight(eight)); 2]
            };
            fn powers(x: [__m256i; 2], top: [__m256i; 2]) -> [__m256i; 2] =
                [powers256(x[0], top[0]), powers256(x[1], top[1])];
            fn store_sixteenths(x: [__m256i; 2], to: &mut [[u8; LANES]; 2]) = {
                let sixteenth = _mm256_set1_epi16(SIXTEENTH);
                let (low, high) = (_mm256_mulhrs_epi16(x[0], sixteenth), _mm256_mulhrs_epi16(x[1], sixteenth));
                let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(low, high));
                _mm256_storeu_si256(to.as_mut_ptr().cast(), bytes);
            };
            fn add_products(sums: [__m256i; 2], a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] = [
                _mm256_add_epi32(sums[0], _mm256_madd_epi16(a[0], b[0])),
                _mm256_add_epi32(sums[1], _mm256_madd_epi16(a[1], b[1])),
            ];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dot::{Dot, InstructionSet, Work, dispatch};
    use super::super::rows::tests::number;
    use super::*;

    /// Against the safe way: lane by lane.
    #[test]
    fn lanes_are_one_row() {
        let mut lanes: Vec<Lanes> = (0..5u8)
            .map(|i| Lanes(std::array::from_fn(|j| f32::from(i) - j as f32 / 3.0)))
            .collect();
        let safe = |lanes: &[Lanes]| lanes.iter().flat_map(|lanes| lanes.0).collect::<Vec<_>>();
        assert_eq!(Lanes::flat(&lanes), safe(&lanes));
        Lanes::flat_mut(&mut lanes[1..])[17] = 7.5;
        assert_eq!(lanes[2].0[1], 7.5);
        assert_eq!(Lanes::flat(&lanes), safe(&lanes));
        assert!(Lanes::flat(&lanes[..0]).is_empty());
    }

    /// What sixteen vectors become in one step: folds, bytes of four, columns, parts of floats.
    struct All<'a>(&'a [Lanes]);

    impl Work for All<'_> {
        type Output = (Vec<u32>, [Line; 1 + LANES / DEPTH]);
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
            let mut lines = [Line::ZERO; 1 + LANES / DEPTH];
            let (line, columns) = lines.split_first_mut().unwrap();
            <D::Simd>::store_low_bytes_of_four([x[0], x[1], x[2], x[3]], line);
            <D::Simd>::store_columns(&x, columns.first_chunk_mut().unwrap());
            (out, lines)
        }
    }

    /// Everything that is done to words: these of a float's, then of two vectors of words.
    struct OfWords<'a>(&'a [Lanes; 2], [Words; 2]);

    impl Work for OfWords<'_> {
        type Output = ([Words; 4], [[u8; LANES]; 2], [i32; LANES]);
        #[inline(always)]
        fn run<D: Dot>(self) -> Self::Output {
            let mut out = [Words::splat(0); 4];
            for i in 0..2 {
                <D::Simd>::store_words(<D::Simd>::load(&self.0[i]), &mut out[0].0[i]);
            }
            let keep = |x, out: &mut Words| {
                // There is no need to store words but for this test: their products with one are sums of pairs.
                let mut sums = [0; LANES];
                for half in 0..2 {
                    let mut one = Words::splat(0);
                    for i in 0..2 * LANES {
                        one.0[i / LANES][i % LANES] = i16::from(i % 2 == half);
                    }
                    let zero = <D::Simd>::load_i32(&[0; LANES]);
                    let sum = <D::Simd>::add_products(zero, x, <D::Simd>::load_words(&one));
                    <D::Simd>::store_i32(sum, &mut sums);
                    for i in 0..LANES {
                        let at = 2 * i + half;
                        out.0[at / LANES][at % LANES] = i16::try_from(sums[i]).unwrap();
                    }
                }
            };
            let (a, b) = (
                <D::Simd>::load_words(&self.1[0]),
                <D::Simd>::load_words(&self.1[1]),
            );
            let max = <D::Simd>::max_words(a, b);
            keep(max, &mut out[1]);
            let top = <D::Simd>::greatest_word(max);
            keep(top, &mut out[2]);
            let powers = <D::Simd>::powers(a, top);
            keep(powers, &mut out[3]);
            let mut bytes = [[0; LANES]; 2];
            <D::Simd>::store_sixteenths(powers, &mut bytes);
            let mut sums = [0; LANES];
            let start = <D::Simd>::load_i32(&std::array::from_fn(|i| i as i32));
            <D::Simd>::store_i32(<D::Simd>::add_products(start, powers, b), &mut sums);
            (out, bytes, sums)
        }
    }

    proptest::proptest! {
        #[test]
        fn words_are_the_same_with_every_instruction_set(
            numbers in proptest::collection::vec(-40_000.0f32..40_000.0, 2 * LANES),
            far in proptest::collection::vec(proptest::num::i16::ANY, 4 * LANES),
            near in proptest::collection::vec(-900i16..900, 4 * LANES),
        ) {
            let numbers = Lanes::of_row(&numbers);
            for words in [far, near] {
                let words: Vec<[i16; LANES]> = words.as_chunks().0.to_vec();
                let words = [Words([words[0], words[1]]), Words([words[2], words[3]])];
                let of = |set| dispatch(set, OfWords(numbers.first_chunk().unwrap(), words));
                let expected = of(InstructionSet::Scalar);
                for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                    proptest::prop_assert!(of(set) == expected, "{}", set);
                }
            }
        }
    }

    #[test]
    fn words_are_rounded_and_end_where_they_end() {
        let mut numbers = [0.0; LANES];
        numbers[..8].copy_from_slice(&[0.5, 1.5, -0.5, -2.5, 32767.4, 1e9, -32769.0, -1e37]);
        let mut words = [0; LANES];
        Scalar::store_words(numbers, &mut words);
        assert_eq!(words[..8], [0, 2, 0, -2, i16::MAX, i16::MAX, i16::MIN, i16::MIN]);
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let (out, _, _) = dispatch(set, OfWords(&[Lanes(numbers); 2], [Words::splat(0); 2]));
            assert_eq!(out[0].0, [words; 2], "{set}");
        }
    }

    #[test]
    fn powers_are_within_their_bound() {
        let most = f64::from(MOST_POWER);
        for (top, depths) in [(0, 0..=i16::MAX), (i16::MAX, 0..=i16::MAX), (-300, 0..=1000)] {
            for depth in depths {
                let x = [top - depth; 2 * LANES];
                let power = Scalar::powers(x, [top; 2 * LANES])[0];
                let exact = most * (-f64::from(depth) / f64::from(OCTAVE)).exp2();
                let error = f64::from(power) - exact;
                assert!(
                    (-1.0 - 1e-4 * exact..=1e-4 * exact + 0.5).contains(&error),
                    "{depth}: {power} {exact}"
                );
                let mut bytes = [[0; LANES]; 2];
                Scalar::store_sixteenths([power; 2 * LANES], &mut bytes);
                assert_eq!(f64::from(bytes[0][0]), (f64::from(power) / 16.0 + 0.5).floor());
            }
        }
        // Differences that no i16 holds.
        assert_eq!(
            Scalar::powers([i16::MIN; 2 * LANES], [i16::MAX; 2 * LANES]),
            [0; 2 * LANES]
        );
        let mut bytes = [[0; LANES]; 2];
        Scalar::store_sixteenths([MOST_POWER as i16; 2 * LANES], &mut bytes);
        assert_eq!(bytes[0][0], 255);
    }

    #[test]
    fn a_grid_is_where_indices_say() {
        for stride in [2, 3, 7] {
            let mut lanes = vec![Lanes::ZERO; 3 * stride + 2];
            let mut twin = lanes.clone();
            let mut grid = Grid::<4, 2>::new(&mut lanes, stride);
            for m in 0..4 {
                for n in 0..2 {
                    grid.at(m, n).0[m] += 1.0 + n as f32;
                    twin[m * stride + n].0[m] += 1.0 + n as f32;
                }
            }
            assert_eq!(lanes, twin);
        }
    }

    #[test]
    #[should_panic(expected = "a grid reaches past")]
    fn a_grid_that_is_too_large_panics() {
        Grid::<4, 2>::new(&mut [Lanes::ZERO; 10], 3);
    }

    #[test]
    #[should_panic(expected = "a grid reaches past")]
    fn a_grid_that_wraps_panics() {
        Grid::<3, 2>::new(&mut [Lanes::ZERO; 10], 1 << (usize::BITS - 1));
    }

    #[test]
    #[should_panic(expected = "no such place")]
    fn a_place_outside_a_grid_panics() {
        Grid::<2, 2>::new(&mut [Lanes::ZERO; 10], 3).at(1, 2);
    }

    proptest::proptest! {
        #[test]
        fn every_instruction_set_gives_the_same_bits(
            numbers in proptest::collection::vec(number(), LANES * LANES),
        ) {
            let x = Lanes::of_row(&numbers);
            let (expected, lines) = dispatch(InstructionSet::Scalar, All(&x));
            for i in 0..LANES {
                proptest::prop_assert_eq!(expected[i], fold(x[i].0, |a, b| a + b).to_bits());
                proptest::prop_assert_eq!(f32::from_bits(expected[LANES + i]), Scalar::greatest(x[i].0));
            }
            for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                let (bits, bytes) = dispatch(set, All(&x));
                proptest::prop_assert_eq!(&bits, &expected, "{}", set);
                proptest::prop_assert!(bytes == lines, "{}", set);
            }
        }
    }
}
