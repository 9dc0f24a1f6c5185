//! The products and lanes of ARM: NEON with the dot-product instructions of ARMv8.2, which every Apple silicon has, every
//! Graviton from the second, and most phones and boards since 2018.

// Iterators are not inlined into code as large as a layer, and cost calls.
#![allow(clippy::needless_range_loop)]

#[allow(clippy::wildcard_imports)] // intrinsics: some forty names
use std::arch::aarch64::*;
use std::arch::asm;

use super::dot::{Ahead, Columns, Dot, Fours, Tile, Work, check};
use super::pack::{DEPTH, LANES, Line};
use super::simd::{
    COARSE, FINE, FRACTION_BITS, Lanes, MANTISSA, OCTAVE_BITS, ONE, POWER_BITS, Simd, Words, methods,
};

/// Vectors that sixteen lanes are made of.
const PARTS: usize = 4;

#[target_feature(enable = "neon,dotprod")]
pub(super) fn run_neondot<W: Work>(work: W) -> W::Output {
    work.run::<NeonDot>()
}

/// Adds to each lane four products of `$columns` with the four elements of `$row` that begin with the `4 · $step`th. (As an
/// intrinsic it is stable from Rust 1.98.)
macro_rules! sdot {
    ($sums:expr, $columns:expr, $row:expr, $step:literal) => {
        asm!(
            concat!("sdot {sums:v}.4s, {columns:v}.16b, {row:v}.4b[", $step, "]"),
            sums = inout(vreg) $sums,
            columns = in(vreg) $columns,
            row = in(vreg) $row,
            options(pure, nomem, nostack, preserves_flags),
        )
    };
}

/// Rows whose sums, with what else is needed, fit 32 registers.
const PART: usize = 8;

pub(super) struct NeonDot;

impl Dot for NeonDot {
    type Simd = Neon;

    #[inline(always)]
    fn tile<const M: usize, const N: usize>(
        rows: Fours<'_>,
        columns: Columns<'_>,
        start: [&[i32; LANES]; N],
        _ahead: Ahead<'_>,
    ) -> Tile<Self, M, N> {
        const { assert!(M == 4 || M.is_multiple_of(PART)) };
        check::<M, N>(rows, columns);
        let Columns {
            lines,
            panel_stride,
            block_stride,
            blocks,
        } = columns;
        let mut out = [[Neon::load_i32(&[0; LANES]); N]; M];
        for n in 0..N {
            let start = Neon::load_i32(start[n]);
            let lines = lines.as_ptr().wrapping_add(n * panel_stride);
            // Sixteen sums, what is shifted out of them, and their factors fit 32 registers.
            for first in (0..PARTS).step_by(2) {
                let start = [start[first], start[first + 1]];
                for top in (0..M).step_by(PART) {
                    let bytes = &rows.bytes[top * rows.row_stride..];
                    let rows = Fours { bytes, ..rows };
                    let mut sums = [[start[0]; 2]; PART];
                    // SAFETY: this type is reached through `dispatch` alone, behind a test for these instructions. `check` has
                    // shown that for every m, n, block and step both the line and the four bytes lie within their slices; a line
                    // has four parts, and M is 4 or a multiple of PART.
                    unsafe {
                        if M == 4 {
                            let four = part::<4>(rows, lines, first, block_stride, blocks, start);
                            sums[..4].copy_from_slice(&four);
                        } else {
                            sums = part(rows, lines, first, block_stride, blocks, start);
                        }
                    }
                    for m in top..M.min(top + PART) {
                        out[m][n][first..first + 2].copy_from_slice(&sums[m - top]);
                    }
                }
            }
        }
        out
    }
}

/// Sums of eight columns, which are two parts of each line. The instruction wants both factors signed: an element u
/// becomes u − 128, and what that takes away, 128 times the sum of the weights, is counted in the same pass.
///
/// # Safety
/// Lines, and `M` rows, reach as far as is read.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn part<const M: usize>(
    rows: Fours<'_>,
    lines: *const Line,
    first: usize,
    block_stride: usize,
    blocks: usize,
    start: [int32x4_t; 2],
) -> [[int32x4_t; 2]; M] {
    // SAFETY: the caller has checked what is read; `sdot` reads and writes registers only.
    unsafe {
        let (ones, shift) = (vdupq_n_s8(1), vdupq_n_u8(128));
        let mut sums = [start; M];
        let mut shifted = [vdupq_n_s32(0); 2];
        for block in 0..blocks {
            let mut row = [ones; M];
            for m in 0..M {
                let at = m * rows.row_stride + block * (LANES / DEPTH) * rows.step_stride;
                let fours = rows.bytes.as_ptr().add(at);
                let bytes = if rows.step_stride == DEPTH {
                    vld1q_u8(fours)
                } else {
                    let four =
                        |step: usize| fours.add(step * rows.step_stride).cast::<u32>().read_unaligned();
                    let four = [four(0), four(1), four(2), four(3)];
                    vreinterpretq_u8_u32(vld1q_u32(four.as_ptr()))
                };
                row[m] = vreinterpretq_s8_u8(veorq_u8(bytes, shift));
            }
            let lines = lines.add(block * block_stride).cast::<i8>().add(first * LANES);
            macro_rules! step {
                ($step:literal) => {
                    let line = lines.add($step * LANES * DEPTH);
                    let weights = [vld1q_s8(line), vld1q_s8(line.add(LANES))];
                    for i in 0..2 {
                        sdot!(shifted[i], weights[i], ones, 0);
                        for m in 0..M {
                            sdot!(sums[m][i], weights[i], row[m], $step);
                        }
                    }
                };
            }
            step!(0);
            step!(1);
            step!(2);
            step!(3);
        }
        for m in 0..M {
            for i in 0..2 {
                sums[m][i] = vaddq_s32(sums[m][i], vshlq_n_s32::<7>(shifted[i]));
            }
        }
        sums
    }
}

/// Four vectors of four.
pub(crate) struct Neon;

/// Does the same to each part.
macro_rules! each {
    (|$i:ident| $body:expr) => {{
        let part = |$i: usize| $body;
        [part(0), part(1), part(2), part(3)]
    }};
}

/// a where a > b, else b: what NEON calls the maximum differs for zeros of two signs.
#[inline(always)]
unsafe fn greater(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of every 64-bit ARM that Rust compiles for, and nothing is read or written but registers.
    unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
}

/// Words of a table of eight, by the low three bits of an index: both bytes are looked up, 2i and 2i + 1.
#[inline(always)]
unsafe fn word(table: uint8x16_t, index: uint16x8_t) -> uint16x8_t {
    // SAFETY: NEON is part of every 64-bit ARM that Rust compiles for, and nothing is read or written but registers.
    unsafe {
        let bytes = vmulq_n_u16(vandq_u16(index, vdupq_n_u16(7)), 0x0202);
        let bytes = vreinterpretq_u8_u16(vaddq_u16(bytes, vdupq_n_u16(0x0100)));
        vreinterpretq_u16_u8(vqtbl1q_u8(table, bytes))
    }
}

/// Sixteen lanes of each of four to one each, in halves: lane i is what the i-th comes to.
macro_rules! fold4 {
    ($x:expr, $op:ident) => {{
        let x: [[float32x4_t; PARTS]; 4] = $x;
        // 16 to 8 to 4 lanes.
        let four = each!(|i| $op($op(x[i][0], x[i][2]), $op(x[i][1], x[i][3])));
        let two = |a: float32x4_t, b: float32x4_t| {
            let (a, b) = (vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b));
            $op(
                vreinterpretq_f32_f64(vzip1q_f64(a, b)),
                vreinterpretq_f32_f64(vzip2q_f64(a, b)),
            )
        };
        let (low, high) = (two(four[0], four[1]), two(four[2], four[3]));
        $op(vuzp1q_f32(low, high), vuzp2q_f32(low, high))
    }};
}

impl Simd for Neon {
    type F32 = [float32x4_t; PARTS];
    type I32 = [int32x4_t; PARTS];
    type I16 = [int16x8_t; PARTS];

    methods! {
        fn splat(x: f32) -> Self::F32 = [vdupq_n_f32(x); PARTS];
        fn load(from: &Lanes) -> Self::F32 = each!(|i| vld1q_f32(from.0.as_ptr().add(4 * i)));
        fn store(x: Self::F32, to: &mut Lanes) = for i in 0..PARTS {
            vst1q_f32(to.0.as_mut_ptr().add(4 * i), x[i]);
        };
        fn load_i32(from: &[i32; LANES]) -> Self::I32 = each!(|i| vld1q_s32(from.as_ptr().add(4 * i)));
        fn store_i32(x: Self::I32, to: &mut [i32; LANES]) = for i in 0..PARTS {
            vst1q_s32(to.as_mut_ptr().add(4 * i), x[i]);
        };
        fn from_i32(x: Self::I32) -> Self::F32 = each!(|i| vcvtq_f32_s32(x[i]));
        fn add(a: Self::F32, b: Self::F32) -> Self::F32 = each!(|i| vaddq_f32(a[i], b[i]));
        fn sub(a: Self::F32, b: Self::F32) -> Self::F32 = each!(|i| vsubq_f32(a[i], b[i]));
        fn mul(a: Self::F32, b: Self::F32) -> Self::F32 = each!(|i| vmulq_f32(a[i], b[i]));
        fn div(a: Self::F32, b: Self::F32) -> Self::F32 = each!(|i| vdivq_f32(a[i], b[i]));
        fn mul_add(a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 = each!(|i| vfmaq_f32(c[i], a[i], b[i]));
        fn abs(x: Self::F32) -> Self::F32 = each!(|i| vabsq_f32(x[i]));
        fn sqrt(x: Self::F32) -> Self::F32 = each!(|i| vsqrtq_f32(x[i]));
        fn min(a: Self::F32, b: Self::F32) -> Self::F32 = each!(|i| vbslq_f32(vcltq_f32(a[i], b[i]), a[i], b[i]));
        fn max(a: Self::F32, b: Self::F32) -> Self::F32 = each!(|i| greater(a[i], b[i]));
        fn store_low_bytes(x: Self::F32, to: &mut [u8; LANES]) = {
            let all = uint8x16x4_t(
                vreinterpretq_u8_f32(x[0]), vreinterpretq_u8_f32(x[1]), vreinterpretq_u8_f32(x[2]), vreinterpretq_u8_f32(x[3]),
            );
            const LOW: [u8; LANES] = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60];
            vst1q_u8(to.as_mut_ptr(), vqtbl4q_u8(all, vld1q_u8(LOW.as_ptr())));
        };
        fn store_low_bytes_of_four(x: [Self::F32; DEPTH], to: &mut Line) = {
            // Byte 4 · lane + i is in the i-th vector.
            const LOW: [u8; LANES] = [0, 16, 32, 48, 4, 20, 36, 52, 8, 24, 40, 56, 12, 28, 44, 60];
            let low = vld1q_u8(LOW.as_ptr());
            for i in 0..PARTS {
                let all = uint8x16x4_t(
                    vreinterpretq_u8_f32(x[0][i]), vreinterpretq_u8_f32(x[1][i]), vreinterpretq_u8_f32(x[2][i]), vreinterpretq_u8_f32(x[3][i]),
                );
                vst1q_u8(to.0.as_mut_ptr().add(LANES * i), vqtbl4q_u8(all, low));
            }
        };
        fn store_columns(x: &[Self::F32; LANES], to: &mut [Line; LANES / DEPTH]) = for i in 0..PARTS {
            for first in (0..LANES).step_by(4) {
                let four = each!(|k| vqmovn_s32(vcvtnq_s32_f32(x[first + k][i])));
                let (low, high) = (vcombine_s16(four[0], four[1]), vcombine_s16(four[2], four[3]));
                let bytes = vcombine_s8(vqmovn_s16(low), vqmovn_s16(high));
                vst1q_s8(to[i].0.as_mut_ptr().add(first * DEPTH).cast(), bytes);
            }
        };
        fn exponent(x: Self::F32) -> Self::F32 = each!(|i| {
            let biased = vcvtq_f32_u32(vshrq_n_u32::<23>(vreinterpretq_u32_f32(x[i])));
            vsubq_f32(biased, vdupq_n_f32(127.0))
        });
        fn mantissa(x: Self::F32) -> Self::F32 = each!(|i| {
            let bits = vandq_u32(vreinterpretq_u32_f32(x[i]), vdupq_n_u32(MANTISSA));
            vreinterpretq_f32_u32(vorrq_u32(bits, vdupq_n_u32(ONE)))
        });
        fn greatest(x: Self::F32) -> f32 = vgetq_lane_f32::<0>(fold4!([x; 4], greater));
        fn sums(x: &[Self::F32; LANES]) -> Self::F32 =
            each!(|i| fold4!([x[4 * i], x[4 * i + 1], x[4 * i + 2], x[4 * i + 3]], vaddq_f32));
        fn greatests(x: &[Self::F32; LANES]) -> Self::F32 =
            each!(|i| fold4!([x[4 * i], x[4 * i + 1], x[4 * i + 2], x[4 * i + 3]], greater));
        fn store_words(x: Self::F32, to: &mut [i16; LANES]) = for i in 0..2 {
            let low = vqmovn_s32(vcvtnq_s32_f32(x[2 * i]));
            let high = vqmovn_s32(vcvtnq_s32_f32(x[2 * i + 1]));
            vst1q_s16(to.as_mut_ptr().add(8 * i), vcombine_s16(low, high));
        };
        fn load_words(from: &Words) -> Self::I16 = each!(|i| vld1q_s16(from.0[i / 2].as_ptr().add(i % 2 * 8)));
        fn splat_word(x: i16) -> Self::I16 = [vdupq_n_s16(x); PARTS];
        fn max_words(a: Self::I16, b: Self::I16) -> Self::I16 = each!(|i| vmaxq_s16(a[i], b[i]));
        fn greatest_word(x: Self::I16) -> Self::I16 = {
            let all = vmaxq_s16(vmaxq_s16(x[0], x[1]), vmaxq_s16(x[2], x[3]));
            [vdupq_n_s16(vmaxvq_s16(all)); PARTS]
        };
        fn powers(x: Self::I16, top: Self::I16) -> Self::I16 = {
            let tables = [COARSE, FINE].map(|table| vreinterpretq_u8_u16(vld1q_u16(table.as_ptr())));
            each!(|i| {
                let depth = vreinterpretq_u16_s16(vqsubq_s16(top[i], x[i]));
                let coarse = word(tables[0], vshrq_n_u16::<3>(depth));
                let fine = word(tables[1], depth);
                let low = vmull_u16(vget_low_u16(coarse), vget_low_u16(fine));
                let high = vmull_high_u16(coarse, fine);
                let fraction = vcombine_u16(vshrn_n_u32::<16>(low), vshrn_n_u32::<16>(high));
                // Shifted by 15 bits, nothing is left.
                let octaves = vminq_u16(vshrq_n_u16::<{ OCTAVE_BITS as i32 }>(depth), vdupq_n_u16(POWER_BITS as u16));
                let shift = vaddq_u16(octaves, vdupq_n_u16((FRACTION_BITS - POWER_BITS) as u16));
                vreinterpretq_s16_u16(vshlq_u16(fraction, vnegq_s16(vreinterpretq_s16_u16(shift))))
            })
        };
        fn store_sixteenths(x: Self::I16, to: &mut [[u8; LANES]; 2]) = for i in 0..2 {
            let low = vrshrn_n_u16::<4>(vreinterpretq_u16_s16(x[2 * i]));
            let high = vrshrn_n_u16::<4>(vreinterpretq_u16_s16(x[2 * i + 1]));
            vst1q_u8(to[i].as_mut_ptr(), vcombine_u8(low, high));
        };
        fn add_products(sums: Self::I32, a: Self::I16, b: Self::I16) -> Self::I32 = each!(|i| {
            let low = vmull_s16(vget_low_s16(a[i]), vget_low_s16(b[i]));
            vaddq_s32(sums[i], vpaddq_s32(low, vmull_high_s16(a[i], b[i])))
        });
    }
}
