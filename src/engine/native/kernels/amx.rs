//! Products by Intel's AMX, which multiplies sixteen rows with sixteen columns in one instruction (Intel, Architectures
//! Software Developer's Manual, volume 1, chapter "Programming with Intel AMX").
//!
//! Its intrinsics are not stable in Rust, so these are assembly. A tile of memory is as many rows of up to 64 bytes at equal
//! distances: of the rows of a product 64 elements, of its columns sixteen [`Line`]s.

use std::arch::asm;
use std::mem::MaybeUninit;
use std::sync::LazyLock;

use super::dot::x86::Avx512Vnni;
use super::dot::{Ahead, Columns, Dot, Fours, Tile, Work, check};
use super::pack::{DEPTH, LANES, Line};

/// Bytes of a row of a tile, at most.
const WIDTH: usize = size_of::<Line>();
/// Blocks of 16 elements in such a row.
const BLOCKS: usize = WIDTH / LANES;

/// Whether the processor has it and the operating system lets this process use it, which Linux must be asked for: a thread's
/// registers are 8 kB larger then. Once for all threads.
///
/// These 8 kB also go onto the stack of a signal's handler. Rust's handler of stack overflows then has too little of it, so that on a
/// thread that has read windows an overflow ends the program without a word of it.
pub(super) fn is_available() -> bool {
    static AVAILABLE: LazyLock<bool> = LazyLock::new(|| is_there() && may_be_used());
    *AVAILABLE
}

fn is_there() -> bool {
    use std::arch::x86_64::__cpuid_count;
    const TILES: u32 = 1 << 24;
    const INT8: u32 = 1 << 25;
    // Leaf 7 is there on whatever has AVX-512, which is asked for first.
    __cpuid_count(7, 0).edx & (TILES | INT8) == TILES | INT8
}

#[cfg(target_os = "linux")]
fn may_be_used() -> bool {
    /// `arch/x86/include/uapi/asm/prctl.h`
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    /// `arch/x86/include/asm/fpu/types.h`
    const XFEATURE_XTILE_DATA: libc::c_long = 18;
    // SAFETY: takes numbers only, and allows this process more registers. A kernel that does not know it refuses.
    let answer = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA) };
    answer == 0
}

#[cfg(not(target_os = "linux"))]
fn may_be_used() -> bool {
    false
}

/// Bytes of a row, and rows, of each of the eight registers: `ldtilecfg`'s operand.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl Configuration {
    const NONE: Self = Self {
        palette: 0,
        start_row: 0,
        reserved: [0; 14],
        row_bytes: [0; 16],
        rows: [0; 16],
    };

    /// 0 to 2: sums. 3 and 4: 64 elements of sixteen rows, and of as many columns. 5 and 6: 16 elements of the same.
    const PRODUCTS: Self = {
        let mut of = Self::NONE;
        of.palette = 1;
        of.row_bytes = [64, 64, 64, 64, 64, 16, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        of.rows = [16, 16, 16, 16, 16, 16, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        of
    };
}

/// While it lives, this thread's registers have the shapes of [`Configuration::PRODUCTS`]; then, what they had before.
struct Shapes {
    before: Configuration,
}

impl Shapes {
    /// # Safety
    /// The processor has AMX and this process may use it.
    unsafe fn set() -> Self {
        let mut before = Configuration::NONE;
        // SAFETY: writes and reads 64 bytes, of which each configuration has as many. No code of the compiler's uses these
        // registers, and no other of ours leaves anything in them.
        unsafe {
            asm!("sttilecfg [{}]", in(reg) &raw mut before, options(nostack, preserves_flags));
            load(&Configuration::PRODUCTS);
        }
        Self { before }
    }
}

impl Drop for Shapes {
    fn drop(&mut self) {
        // SAFETY: what `sttilecfg` has written may be loaded again. Without shapes, the processor need not keep the registers.
        unsafe { load(&self.before) };
    }
}

/// Gives the registers shapes, and zeros.
///
/// # Safety
/// The processor has AMX and this process may use it.
unsafe fn load(configuration: &Configuration) {
    // SAFETY: reads 64 bytes, which a configuration has.
    unsafe {
        asm!(
            "ldtilecfg [{}]",
            in(reg) configuration,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, preserves_flags, readonly),
        );
    }
}

/// # Safety
/// [`is_available`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
pub(super) unsafe fn run_amx<W: Work>(work: W) -> W::Output {
    // SAFETY: the caller's.
    let _shapes = unsafe { Shapes::set() };
    work.run::<Amx>()
}

pub(super) struct Amx;

impl Dot for Amx {
    type Simd = super::simd::x86::Avx512;

    const ROWS: usize = LANES;

    #[inline(always)]
    fn tile<const M: usize, const N: usize>(
        rows: Fours<'_>,
        columns: Columns<'_>,
        start: [&[i32; LANES]; N],
        ahead: Ahead<'_>,
    ) -> Tile<Self, M, N> {
        if M != LANES || rows.step_stride != DEPTH {
            return Avx512Vnni::tile::<M, N>(rows, columns, start, ahead);
        }
        check::<M, N>(rows, columns);
        ahead.fetch_all(columns.blocks);
        let mut sums = MaybeUninit::<Tile<Self, M, N>>::uninit();
        // SAFETY: this type is reached through `dispatch` alone, behind a test for AMX, on the thread whose registers have their
        // shapes for so long: no work goes to another one, and nothing that it calls knows of them.
        // `check` has shown that the rows, which have no gaps, and the lines of all blocks lie within their slices. Sixteen rows
        // of N vectors are what is written.
        unsafe {
            products(rows, columns, &start, sums.as_mut_ptr().cast());
            sums.assume_init()
        }
    }
}

/// Sums of sixteen rows and `N` panels: `[16, N, 16]`, aligned to a line.
///
/// # Safety
/// Rows, without gaps between their elements, and columns reach as far as is read; the registers have the shapes of
/// [`Configuration::PRODUCTS`].
#[inline(always)]
unsafe fn products<const N: usize>(
    rows: Fours<'_>,
    columns: Columns<'_>,
    start: &[&[i32; LANES]; N],
    sums: *mut Line,
) {
    const { assert!(N <= 3) };
    // Four blocks of lines without gaps are one tile.
    let wide = if columns.block_stride == LANES / DEPTH {
        columns.blocks / BLOCKS
    } else {
        0
    };
    let panel = |n: usize| columns.lines.as_ptr().wrapping_add(n * columns.panel_stride);
    macro_rules! multiply {
        ($($n:literal $panel:ident),*) => {
            asm!(
                // Without a distance between its rows, a tile is one row again and again.
                $(
                    concat!("mov {stride}, [{start} + 8 * ", $n, "]"),
                    concat!("tileloadd tmm", $n, ", [{stride}]"),
                )*
                "mov {stride:e}, 64",
                "test {wide}, {wide}",
                "jz 3f",
                "2:",
                "tileloadd tmm3, [{row} + {row_stride}]",
                $(
                    concat!("tileloadd tmm4, [{", stringify!($panel), "} + {stride}]"),
                    concat!("tdpbusd tmm", $n, ", tmm3, tmm4"),
                    concat!("add {", stringify!($panel), "}, 16 * 64"),
                )*
                "add {row}, 64",
                "dec {wide}",
                "jnz 2b",
                "3:",
                "test {narrow}, {narrow}",
                "jz 5f",
                "4:",
                "tileloadd tmm5, [{row} + {row_stride}]",
                $(
                    concat!("tileloadd tmm6, [{", stringify!($panel), "} + {stride}]"),
                    concat!("tdpbusd tmm", $n, ", tmm5, tmm6"),
                    concat!("add {", stringify!($panel), "}, {block}"),
                )*
                "add {row}, 16",
                "dec {narrow}",
                "jnz 4b",
                "5:",
                "mov {stride:e}, {width}",
                $(concat!("tilestored [{sums} + {stride} + 64 * ", $n, "], tmm", $n),)*
                start = in(reg) start.as_ptr(),
                row = inout(reg) rows.bytes.as_ptr() => _,
                row_stride = in(reg) rows.row_stride,
                $($panel = inout(reg) panel($n) => _,)*
                block = in(reg) columns.block_stride * WIDTH,
                wide = inout(reg) wide => _,
                narrow = inout(reg) columns.blocks - wide * BLOCKS => _,
                sums = in(reg) sums,
                width = const N * WIDTH,
                stride = out(reg) _,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            )
        };
    }
    // SAFETY: the caller's. Reads through the pointers that it names, and writes all of `sums`.
    unsafe {
        match N {
            1 => multiply!(0 first),
            2 => multiply!(0 first, 1 second),
            _ => multiply!(0 first, 1 second, 2 third),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dot::{InstructionSet, dispatch};
    use super::super::simd::Simd;
    use super::*;

    /// A product, with other work in the middle of its own.
    struct Nested(usize);

    impl Work for Nested {
        type Output = i32;
        #[inline(always)]
        fn run<D: Dot>(self) -> i32 {
            let inner = if self.0 > 0 {
                dispatch(InstructionSet::Amx, Nested(self.0 - 1))
            } else {
                0
            };
            let lines = [Line([1; 64]); 20];
            let columns = Columns {
                lines: &lines,
                panel_stride: 0,
                block_stride: 4,
                blocks: 5,
            };
            let rows = Fours::of_rows(&[2; 80], 0);
            let tile: Tile<D, LANES, 1> = D::tile(rows, columns, [&[inner; LANES]], Ahead::NOTHING);
            let mut sums = [0; LANES];
            D::Simd::store_i32(tile[LANES - 1][0], &mut sums);
            sums[LANES - 1]
        }
    }

    /// A tile of these rows and lines; without AMX, of VNNI's or the like.
    struct Short<'a>(&'a [u8], &'a [Line]);

    impl Work for Short<'_> {
        type Output = ();
        #[inline(always)]
        fn run<D: Dot>(self) {
            let Self(bytes, lines) = self;
            let columns = Columns {
                lines,
                panel_stride: 4,
                block_stride: 4,
                blocks: 1,
            };
            let rows = Fours::of_rows(bytes, LANES);
            let _: Tile<D, LANES, 2> = D::tile(rows, columns, [&[0; LANES]; 2], Ahead::NOTHING);
        }
    }

    #[test]
    #[should_panic(expected = "rows reach past")]
    fn rows_that_are_too_short_panic() {
        dispatch(InstructionSet::detect(), Short(&[0; 255], &[Line::ZERO; 8]));
    }

    #[test]
    #[should_panic(expected = "columns reach past")]
    fn columns_that_are_too_short_panic() {
        dispatch(InstructionSet::detect(), Short(&[0; 256], &[Line::ZERO; 7]));
    }

    #[test]
    fn registers_keep_their_shapes_behind_other_work() {
        if InstructionSet::Amx.is_available() {
            assert_eq!(dispatch(InstructionSet::Amx, Nested(2)), 3 * 5 * 16 * 2);
        }
    }
}
