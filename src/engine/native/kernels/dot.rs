//! Products of u8 with i8, summed in i32: the instructions that reading a window spends most of its time in.
//!
//! Sums of integers are exact, so every instruction set gives the same bits.

use std::fmt;

use super::pack::{DEPTH, LANES, Line};
pub(crate) use super::simd::Scalar;
use super::simd::Simd;

/// Steps of [`DEPTH`] that stand side by side in a block of 16.
const STEPS: usize = LANES / DEPTH;

/// Instructions for int8 products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// `tdpbusd` on tiles of sixteen rows, under Linux from 5.16: Intel's servers from Sapphire Rapids.
    Amx,
    /// `vpdpbusd` on 512 bits: Intel from Cascade Lake, AMD from Zen 4.
    Avx512Vnni,
    /// `vpdpbusd` on 256 bits: Intel from Alder Lake, AMD from Zen 5.
    AvxVnni,
    /// `vpmaddwd` on 256 bits: x86 from 2013.
    Avx2,
    /// `sdot` on 128 bits: ARM from 2018, Apple's from the first M1.
    NeonDot,
    /// What the compiler makes of plain loops, on any processor.
    Scalar,
}

impl InstructionSet {
    /// All, fastest first.
    pub const ALL: [Self; 6] = [
        Self::Amx,
        Self::Avx512Vnni,
        Self::AvxVnni,
        Self::Avx2,
        Self::NeonDot,
        Self::Scalar,
    ];

    /// The fastest that this processor has.
    #[must_use]
    pub fn detect() -> Self {
        let found = Self::ALL.into_iter().find(|set| set.is_available());
        found.unwrap_or(Self::Scalar)
    }

    /// Whether this processor has it, and for AMX whether Linux lets this process use it, which it is asked for once.
    #[must_use]
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Amx => Self::Avx512Vnni.is_available() && super::amx::is_available(),
            Self::Avx512Vnni => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
                    && Self::Avx2.is_available()
            }
            Self::AvxVnni => is_x86_feature_detected!("avxvnni") && Self::Avx2.is_available(),
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::NeonDot => false,
            Self::Scalar => true,
        }
        #[cfg(target_arch = "aarch64")]
        match self {
            Self::NeonDot => std::arch::is_aarch64_feature_detected!("dotprod"),
            Self::Amx | Self::Avx512Vnni | Self::AvxVnni | Self::Avx2 => false,
            Self::Scalar => true,
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        {
            self == Self::Scalar
        }
    }

    /// What it is called in `ASK_KERNELS` and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Amx => "amx",
            Self::Avx512Vnni => "avx512vnni",
            Self::AvxVnni => "avxvnni",
            Self::Avx2 => "avx2",
            Self::NeonDot => "neondot",
            Self::Scalar => "scalar",
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Work that is compiled once for each instruction set, floats included.
///
/// `run` and all that it calls must be `#[inline(always)]`, else it is compiled for the oldest processor.
pub(crate) trait Work {
    type Output;
    fn run<D: Dot>(self) -> Self::Output;
}

/// Runs work with an instruction set.
///
/// # Panics
/// When this processor does not have it.
#[inline]
pub(crate) fn dispatch<W: Work>(set: InstructionSet, work: W) -> W::Output {
    assert!(set.is_available(), "this processor has no {set}");
    match set {
        // SAFETY: `is_available` has found every feature that the function is compiled for; so below.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Amx => unsafe { super::amx::run_amx(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512Vnni => unsafe { x86::run_avx512vnni(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::AvxVnni => unsafe { x86::run_avxvnni(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { x86::run_avx2(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        InstructionSet::NeonDot => unsafe { super::arm::run_neondot(work) },
        // What is left has been found unavailable, but for the last.
        _ => work.run::<Scalar>(),
    }
}

/// Where packed columns lie for a product: panels of 16 columns, each of `blocks` times 16 rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) lines: &'a [Line],
    /// Lines from a block of 16 columns to the next.
    pub(crate) panel_stride: usize,
    /// Lines from a block of 16 rows, which are four lines, to the next.
    pub(crate) block_stride: usize,
    pub(crate) blocks: usize,
}

impl Columns<'_> {
    /// Lines that a product of `N` panels reaches, if they can be counted.
    #[inline(always)]
    fn reach<const N: usize>(&self) -> Option<usize> {
        let panels = (N - 1).checked_mul(self.panel_stride)?;
        let blocks = self.blocks.checked_sub(1)?.checked_mul(self.block_stride)?;
        panels.checked_add(blocks)?.checked_add(STEPS)
    }
}

/// Where the rows of a product lie: fours of neighbouring elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fours<'a> {
    pub(crate) bytes: &'a [u8],
    /// Bytes from a row to the next.
    pub(crate) row_stride: usize,
    /// Bytes from four elements of a row to its next four.
    pub(crate) step_stride: usize,
}

impl<'a> Fours<'a> {
    /// Rows whose elements lie one after the other; row m begins at `m · stride`.
    #[inline(always)]
    pub(crate) fn of_rows(bytes: &'a [u8], stride: usize) -> Self {
        Self {
            bytes,
            row_stride: stride,
            step_stride: DEPTH,
        }
    }

    /// Rows that are columns of lines, one of [`DEPTH`] elements after the other; the first is this column.
    #[inline(always)]
    pub(crate) fn of_lines(lines: &'a [Line], column: usize) -> Self {
        Self {
            bytes: &Line::bytes(lines)[column * DEPTH..],
            row_stride: DEPTH,
            step_stride: size_of::<Line>(),
        }
    }

    /// Bytes that a product of `M` rows, of so many blocks of 16, reaches, if they can be counted.
    #[inline(always)]
    fn reach<const M: usize>(&self, blocks: usize) -> Option<usize> {
        let rows = (M - 1).checked_mul(self.row_stride)?;
        let steps = blocks
            .checked_mul(STEPS)?
            .checked_sub(1)?
            .checked_mul(self.step_stride)?;
        rows.checked_add(steps)?.checked_add(DEPTH)
    }
}

/// Lines that a product asks the processor to bring near: some at each block of 16 rows, or all before the first. On x86
/// only.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) struct Ahead<'a> {
    lines: &'a [Line],
    each: usize,
}

impl<'a> Ahead<'a> {
    pub(crate) const NOTHING: Self = Self { lines: &[], each: 0 };

    /// These lines, in a product of so many blocks.
    #[inline(always)]
    pub(crate) fn new(lines: &'a [Line], blocks: usize) -> Self {
        Self {
            lines,
            each: lines.len().div_ceil(blocks),
        }
    }

    /// The share of a block.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn fetch(&self, block: usize) {
        for i in 0..self.each {
            let line = self.lines.as_ptr().wrapping_add(block * self.each + i);
            super::prefetch(line.cast());
        }
    }

    /// The shares of so many blocks.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn fetch_all(&self, blocks: usize) {
        for block in 0..blocks {
            self.fetch(block);
        }
    }
}

/// Sums of `M` rows and `N` panels, in registers where they fit.
pub(crate) type Tile<D, const M: usize, const N: usize> = [[<<D as Dot>::Simd as Simd>::I32; N]; M];

/// An instruction set for products, with its vectors of f32.
pub(crate) trait Dot: Sized {
    type Simd: Simd;

    /// Rows that a tile has best: 8, or all 16 of a block; queries then lie row behind row, instead of in columns.
    const ROWS: usize = 8;

    /// `start[n] + rows[m][k] · columns[k][n]`, for `M` of 4, 8 or 16 and k up to `16 · columns.blocks`.
    ///
    /// # Panics
    /// When rows or columns reach past what they lie in.
    fn tile<const M: usize, const N: usize>(
        rows: Fours<'_>,
        columns: Columns<'_>,
        start: [&[i32; LANES]; N],
        ahead: Ahead<'_>,
    ) -> Tile<Self, M, N>;
}

#[inline(always)]
pub(super) fn check<const M: usize, const N: usize>(rows: Fours<'_>, columns: Columns<'_>) {
    let lines = columns.reach::<N>();
    assert!(
        lines.is_some_and(|lines| lines <= columns.lines.len()),
        "columns reach past their lines"
    );
    let bytes = rows.reach::<M>(columns.blocks);
    assert!(
        bytes.is_some_and(|bytes| bytes <= rows.bytes.len()),
        "rows reach past their slice"
    );
}

/// The safe twin of the others.
impl Dot for Scalar {
    type Simd = Self;

    #[inline(always)]
    fn tile<const M: usize, const N: usize>(
        rows: Fours<'_>,
        columns: Columns<'_>,
        start: [&[i32; LANES]; N],
        _ahead: Ahead<'_>,
    ) -> Tile<Self, M, N> {
        check::<M, N>(rows, columns);
        let mut out = [start.map(|start| *start); M];
        for (m, sums) in out.iter_mut().enumerate() {
            for (n, sums) in sums.iter_mut().enumerate() {
                for step in 0..columns.blocks * STEPS {
                    let four = &rows.bytes[m * rows.row_stride + step * rows.step_stride..][..DEPTH];
                    let line = n * columns.panel_stride + step / STEPS * columns.block_stride + step % STEPS;
                    let weights = columns.lines[line].0.chunks_exact(DEPTH);
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        for (&u, &w) in four.iter().zip(weights) {
                            *sum += i32::from(u) * i32::from(w.cast_signed());
                        }
                    }
                }
            }
        }
        out
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::needless_range_loop)] // iterators are not inlined into code this large, and cost calls
pub(super) mod x86 {
    #[allow(clippy::wildcard_imports)] // intrinsics: forty names for four kernels
    use std::arch::x86_64::*;
    use std::mem::MaybeUninit;

    use super::{Ahead, Columns, DEPTH, Dot, Fours, LANES, Line, STEPS, Simd, Tile, Work, check};

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
    pub(super) fn run_avx512vnni<W: Work>(work: W) -> W::Output {
        work.run::<Avx512Vnni>()
    }

    #[target_feature(enable = "avxvnni,avx2,fma")]
    pub(super) fn run_avxvnni<W: Work>(work: W) -> W::Output {
        work.run::<AvxVnni>()
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn run_avx2<W: Work>(work: W) -> W::Output {
        work.run::<Avx2>()
    }

    /// Four neighbouring elements of a row.
    #[inline(always)]
    unsafe fn four(at: *const u8) -> i32 {
        // SAFETY: the caller has checked that four bytes lie there; they need no alignment.
        unsafe { at.cast::<i32>().read_unaligned() }
    }

    pub(in super::super) struct Avx512Vnni;

    impl Dot for Avx512Vnni {
        type Simd = super::super::simd::x86::Avx512;

        #[inline(always)]
        fn tile<const M: usize, const N: usize>(
            rows: Fours<'_>,
            columns: Columns<'_>,
            start: [&[i32; LANES]; N],
            ahead: Ahead<'_>,
        ) -> Tile<Self, M, N> {
            check::<M, N>(rows, columns);
            // SAFETY: this type is reached through `dispatch` alone, behind a test for these instructions. `check` has shown
            // that for every m < M, n < N, block < blocks and step < 4 both the line
            // `n · panel_stride + block · block_stride + step` and the four bytes at `m · row_stride + (4 · block + step) · step_stride`
            // lie within their slices. A `Line` is 64 bytes, aligned to 64.
            unsafe {
                let mut first = [_mm512_loadu_si512(start[0].as_ptr().cast()); N];
                for n in 1..N {
                    first[n] = _mm512_loadu_si512(start[n].as_ptr().cast());
                }
                let mut sums = [first; M];
                for block in 0..columns.blocks {
                    ahead.fetch(block);
                    let lines = columns.lines.as_ptr().add(block * columns.block_stride);
                    let fours = rows.bytes.as_ptr().add(block * STEPS * rows.step_stride);
                    for step in 0..STEPS {
                        let mut weights = [_mm512_setzero_si512(); N];
                        for n in 0..N {
                            weights[n] = _mm512_load_si512(lines.add(n * columns.panel_stride + step).cast());
                        }
                        for m in 0..M {
                            let row = _mm512_set1_epi32(four(
                                fours.add(m * rows.row_stride + step * rows.step_stride),
                            ));
                            for n in 0..N {
                                sums[m][n] = _mm512_dpbusd_epi32(sums[m][n], row, weights[n]);
                            }
                        }
                    }
                }
                sums
            }
        }
    }

    /// Rows whose sums for one panel fit the sixteen registers of 256 bits.
    const PART: usize = 4;

    /// The halves of a line: eight columns each.
    #[inline(always)]
    unsafe fn halves(line: *const Line) -> [__m256i; 2] {
        // SAFETY: the caller has checked that a line lies there; it is 64 bytes, aligned to 64.
        unsafe {
            [
                _mm256_load_si256(line.cast()),
                _mm256_load_si256(line.cast::<__m256i>().add(1)),
            ]
        }
    }

    pub(super) struct AvxVnni;

    impl Dot for AvxVnni {
        type Simd = super::super::simd::x86::Avx2;

        #[inline(always)]
        fn tile<const M: usize, const N: usize>(
            rows: Fours<'_>,
            columns: Columns<'_>,
            start: [&[i32; LANES]; N],
            ahead: Ahead<'_>,
        ) -> Tile<Self, M, N> {
            const { assert!(M.is_multiple_of(PART)) };
            check::<M, N>(rows, columns);
            ahead.fetch_all(columns.blocks);
            let Columns {
                lines,
                panel_stride,
                block_stride,
                blocks,
            } = columns;
            let mut out = [start.map(Self::Simd::load_i32); M];
            for n in 0..N {
                let start = Self::Simd::load_i32(start[n]);
                let lines = lines.as_ptr().wrapping_add(n * panel_stride);
                for m in (0..M).step_by(PART) {
                    let fours = rows.bytes.as_ptr().wrapping_add(m * rows.row_stride);
                    // SAFETY: this type is reached through `dispatch` alone, behind a test for its instructions. `check` has
                    // shown that for every m, n, block and step both the line and the four bytes lie within their
                    // slices, and M is a multiple of PART.
                    let sums = unsafe {
                        avxvnni_part(
                            fours,
                            rows.row_stride,
                            rows.step_stride,
                            lines,
                            block_stride,
                            blocks,
                            start,
                        )
                    };
                    for r in 0..PART {
                        out[m + r][n] = sums[r];
                    }
                }
            }
            out
        }
    }

    /// # Safety
    /// Lines, and `PART` rows, reach as far as is read.
    #[target_feature(enable = "avx2,avxvnni")]
    unsafe fn avxvnni_part(
        fours: *const u8,
        row_stride: usize,
        step_stride: usize,
        lines: *const Line,
        block_stride: usize,
        blocks: usize,
        start: [__m256i; 2],
    ) -> [[__m256i; 2]; PART] {
        // SAFETY: the caller has checked what is read.
        unsafe {
            let mut sums = [start; PART];
            for block in 0..blocks {
                for step in 0..STEPS {
                    let weights = halves(lines.add(block * block_stride + step));
                    for r in 0..PART {
                        let row = _mm256_set1_epi32(four(
                            fours.add(r * row_stride + (block * STEPS + step) * step_stride),
                        ));
                        for half in 0..2 {
                            sums[r][half] = _mm256_dpbusd_avx_epi32(sums[r][half], row, weights[half]);
                        }
                    }
                }
            }
            sums
        }
    }

    pub(super) struct Avx2;

    /// Blocks of 16 elements of a row that are widened at a time.
    const WIDENED: usize = 24;

    /// `vpmaddubsw` would multiply bytes, but adds two products in an i16, where two of up to 255 · 127 do not fit. So both
    /// factors become words: a row's elements once for all panels, weights as they are read.
    impl Dot for Avx2 {
        type Simd = super::super::simd::x86::Avx2;

        #[inline(always)]
        fn tile<const M: usize, const N: usize>(
            rows: Fours<'_>,
            columns: Columns<'_>,
            start: [&[i32; LANES]; N],
            ahead: Ahead<'_>,
        ) -> Tile<Self, M, N> {
            const { assert!(M.is_multiple_of(PART)) };
            check::<M, N>(rows, columns);
            ahead.fetch_all(columns.blocks);
            let mut out = [start.map(Self::Simd::load_i32); M];
            let mut words = MaybeUninit::<[[__m256i; WIDENED]; M]>::uninit();
            let words = words.as_mut_ptr().cast::<__m256i>();
            for first in (0..columns.blocks).step_by(WIDENED) {
                let blocks = (columns.blocks - first).min(WIDENED);
                // SAFETY: this type is reached through `dispatch` alone, behind a test for its instructions. `check` has shown
                // that for every m, n, block and step both the line and the four bytes lie within their slices, and M is a
                // multiple of PART. The first `blocks` of each row of `words` are written before they are read.
                unsafe {
                    for m in 0..M {
                        for block in 0..blocks {
                            let at = m * rows.row_stride + (first + block) * STEPS * rows.step_stride;
                            let fours = rows.bytes.as_ptr().add(at);
                            let bytes = if rows.step_stride == DEPTH {
                                _mm_loadu_si128(fours.cast())
                            } else {
                                let four = |step: usize| four(fours.add(step * rows.step_stride));
                                _mm_setr_epi32(four(0), four(1), four(2), four(3))
                            };
                            let row = _mm256_cvtepu8_epi16(bytes);
                            _mm256_store_si256(words.add(m * WIDENED + block), row);
                        }
                    }
                    for n in 0..N {
                        let at = n * columns.panel_stride + first * columns.block_stride;
                        let lines = columns.lines.as_ptr().add(at);
                        for half in 0..2 {
                            for m in (0..M).step_by(PART) {
                                let rows = words.add(m * WIDENED).cast();
                                let sums = avx2_part(rows, lines, half, columns.block_stride, blocks);
                                for r in 0..PART {
                                    out[m + r][n][half] = _mm256_add_epi32(out[m + r][n][half], sums[r]);
                                }
                            }
                        }
                    }
                }
            }
            out
        }
    }

    /// Sums of `PART` rows, which are words, four to an i64, and half a panel.
    ///
    /// # Safety
    /// Lines reach as far as is read; of each row of `WIDENED` blocks the first `blocks` are there.
    #[target_feature(enable = "avx2")]
    unsafe fn avx2_part(
        rows: *const i64,
        lines: *const Line,
        half: usize,
        block_stride: usize,
        blocks: usize,
    ) -> [__m256i; PART] {
        // SAFETY: the caller has checked what is read. A line is 64 bytes, aligned to 64: four quarters.
        unsafe {
            let mut sums = [[_mm256_setzero_si256(); 2]; PART];
            for block in 0..blocks {
                for step in 0..STEPS {
                    let line = lines.add(block * block_stride + step).cast::<__m128i>();
                    let quarter = |i: usize| _mm256_cvtepi8_epi16(_mm_load_si128(line.add(2 * half + i)));
                    let weights = [quarter(0), quarter(1)];
                    for r in 0..PART {
                        let row = _mm256_set1_epi64x(*rows.add((r * WIDENED + block) * STEPS + step));
                        for i in 0..2 {
                            let pairs = _mm256_madd_epi16(weights[i], row);
                            sums[r][i] = _mm256_add_epi32(sums[r][i], pairs);
                        }
                    }
                }
            }
            // Two sums for each of four columns to one for each of eight.
            let mut out = [_mm256_setzero_si256(); PART];
            for r in 0..PART {
                let columns = _mm256_hadd_epi32(sums[r][0], sums[r][1]);
                out[r] = _mm256_permute4x64_epi64::<0b11_01_10_00>(columns);
            }
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Error;

    #[test]
    fn the_error_names_every_instruction_set() {
        let message = Error::KernelsUnavailable {
            name: String::new(),
            known: false,
        }
        .to_string();
        let named: Vec<&str> = message.split([' ', ',']).collect();
        for set in InstructionSet::ALL {
            assert!(named.contains(&set.name()), "{set}: {message}");
        }
    }

    struct Product<'a, const M: usize, const N: usize> {
        rows: Fours<'a>,
        columns: Columns<'a>,
    }

    /// What the sums start with.
    fn start<const N: usize>() -> [[i32; LANES]; N] {
        std::array::from_fn(|n| std::array::from_fn(|lane| 1000 * n as i32 - 70 * lane as i32))
    }

    impl<const M: usize, const N: usize> Work for Product<'_, M, N> {
        type Output = [[[i32; LANES]; N]; M];
        #[inline(always)]
        fn run<D: Dot>(self) -> Self::Output {
            let tile: Tile<D, M, N> = D::tile(self.rows, self.columns, start().each_ref(), Ahead::NOTHING);
            let mut out = [[[0; LANES]; N]; M];
            for m in 0..M {
                for n in 0..N {
                    <D::Simd>::store_i32(tile[m][n], &mut out[m][n]);
                }
            }
            out
        }
    }

    /// The definition, without packing order cleverness.
    fn plain(rows: Fours<'_>, columns: Columns<'_>, m: usize, n: usize, lane: usize) -> i32 {
        (0..columns.blocks * LANES)
            .map(|k| {
                let (block, step) = (k / LANES, k % LANES / DEPTH);
                let line = columns.lines[n * columns.panel_stride + block * columns.block_stride + step];
                let at = m * rows.row_stride + k / DEPTH * rows.step_stride + k % DEPTH;
                i32::from(rows.bytes[at]) * i32::from(line.0[lane * DEPTH + k % DEPTH].cast_signed())
            })
            .sum()
    }

    fn compare<const M: usize, const N: usize>(rows: Fours<'_>, columns: Columns<'_>) {
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let tile: [[[i32; LANES]; N]; M] = dispatch(set, Product { rows, columns });
            for (m, row) in tile.iter().enumerate() {
                for (n, panel) in row.iter().enumerate() {
                    for (lane, &sum) in panel.iter().enumerate() {
                        assert_eq!(
                            sum,
                            start::<N>()[n][lane] + plain(rows, columns, m, n, lane),
                            "{set} {M}×{N}: {m} {n} {lane}"
                        );
                    }
                }
            }
        }
    }

    fn compare_all(rows: Fours<'_>, columns: Columns<'_>) {
        if rows.bytes.len() >= rows.reach::<LANES>(columns.blocks).unwrap() {
            compare::<LANES, 3>(rows, columns);
            compare::<LANES, 2>(rows, columns);
            compare::<LANES, 1>(rows, columns);
        }
        compare::<8, 3>(rows, columns);
        compare::<8, 1>(rows, columns);
        compare::<8, 2>(rows, columns);
        compare::<4, 3>(rows, columns);
        compare::<4, 2>(rows, columns);
        compare::<4, 1>(rows, columns);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn every_instruction_set_gives_the_plain_sums(
            blocks in 1usize..14, gap in 0usize..5, panel_gap in 0usize..3, block_gap in 0usize..3, seed: u64,
        ) {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state.to_le_bytes()[7]
            };
            let stride = blocks * LANES + gap;
            let block_stride = STEPS + block_gap;
            let panel_stride = blocks * block_stride + panel_gap;
            let rows: Vec<u8> = (0..LANES * stride).map(|_| next()).collect();
            let mut lines = vec![Line::ZERO; 3 * panel_stride];
            for line in &mut lines {
                line.0 = std::array::from_fn(|_| next().cast_signed().max(-127).cast_unsigned());
            }
            let columns = Columns { lines: &lines, panel_stride, block_stride, blocks };
            compare_all(Fours::of_rows(&rows, stride), columns);
            let mut rows = vec![Line::ZERO; blocks * STEPS];
            for line in &mut rows {
                line.0 = std::array::from_fn(|_| next());
            }
            compare_all(Fours::of_lines(&rows, gap), columns);
        }
    }

    #[test]
    fn nothing_saturates_at_the_extremes() {
        let blocks = 24;
        for u in [0u8, 1, 127, 128, 129, 255] {
            for w in [-127i8, 0, 127] {
                let rows = vec![u; LANES * blocks * LANES];
                let lines = vec![Line([w.cast_unsigned(); 64]); 3 * blocks * STEPS];
                let columns = Columns {
                    lines: &lines,
                    panel_stride: blocks * STEPS,
                    block_stride: STEPS,
                    blocks,
                };
                compare_all(Fours::of_rows(&rows, blocks * LANES), columns);
            }
        }
    }

    #[test]
    #[should_panic(expected = "columns reach past")]
    fn a_reach_that_wraps_panics() {
        let columns = Columns {
            lines: &[Line::ZERO; 4],
            panel_stride: 1 << (usize::BITS - 1),
            block_stride: 4,
            blocks: 1,
        };
        let rows = Fours::of_rows(&[0; 64], 16);
        let _: [[[i32; LANES]; 3]; 4] = dispatch(InstructionSet::Scalar, Product { rows, columns });
    }

    #[test]
    #[should_panic(expected = "rows reach past")]
    fn rows_that_are_too_short_panic() {
        let lines = [Line::ZERO; 4];
        let columns = Columns {
            lines: &lines,
            panel_stride: 4,
            block_stride: 4,
            blocks: 1,
        };
        let _: [[[i32; LANES]; 1]; 4] = dispatch(
            InstructionSet::detect(),
            Product {
                rows: Fours::of_rows(&[0; 63], 16),
                columns,
            },
        );
    }

    #[test]
    #[should_panic(expected = "columns reach past")]
    fn columns_that_are_too_short_panic() {
        let lines = [Line::ZERO; 7];
        let columns = Columns {
            lines: &lines,
            panel_stride: 4,
            block_stride: 4,
            blocks: 1,
        };
        let _: [[[i32; LANES]; 2]; 4] = dispatch(
            InstructionSet::detect(),
            Product {
                rows: Fours::of_rows(&[0; 64], 16),
                columns,
            },
        );
    }
}
