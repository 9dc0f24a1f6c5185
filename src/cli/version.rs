//! `ask --version`, and with `--verbose` what a report of a fault or of a speed should name.

use super::{ANSWERED, Environment};
use crate::engine::native::{InstructionSet, KERNELS_VARIABLE, Kernels, Native};
use crate::model::Model;

pub(super) fn run(verbose: bool, environment: &mut Environment) -> anyhow::Result<u8> {
    let mut text = format!("ask {}\n", env!("CARGO_PKG_VERSION"));
    if verbose {
        let model = Model::embedded()?;
        let available = InstructionSet::ALL.into_iter().filter(|set| set.is_available());
        let available: Vec<&str> = available.map(InstructionSet::name).collect();
        text += &format!(
            "built-in model: {}\nengines: {}\nkernels: {} ({KERNELS_VARIABLE} can name: {}, f32)\nthreads: {}\n",
            model.manifest.name,
            if cfg!(feature = "libtorch") {
                "native, libtorch"
            } else {
                "native"
            },
            Native::with_kernels(&model, Kernels::choose()?)?.kernels(),
            available.join(", "),
            std::thread::available_parallelism().map_or(1, usize::from),
        );
    }
    environment.print(text.as_bytes())?;
    Ok(ANSWERED)
}
