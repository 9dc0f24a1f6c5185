//! Where `ask eval` writes, looked at before a question is asked: nothing that it reads is overwritten, and no run is
//! lost for a folder that is not there.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::EvalArgs;
use crate::cli::Environment;
use crate::eval::file;
use crate::eval::suite::Suite;

/// The beginning of a file that tells what it is.
const HEAD_BYTES: u64 = 1 << 16;
/// What a report in Markdown can begin with.
const MARKDOWN_HEADINGS: [&str; 4] = [
    "### Answers",
    "### Summaries",
    "### Beside the baseline of ",
    "### What was measured",
];

/// Checks the files that are to be written against those that are read, against each other, and for whether
/// they can be written at all. What is no regular file (`/dev/stdout`) may be named more than once.
///
/// # Errors
/// When an output is a suite, a document, the baseline (which only `--bless` may replace) or another output;
/// when it is there and is something else than what its option writes; and when it cannot be written.
pub(super) fn check(args: &EvalArgs, suites: &[Suite], environment: &Environment) -> anyhow::Result<()> {
    let here = |path: &PathBuf| environment.directory.join(path);
    let outputs: Vec<(&str, PathBuf)> = [
        ("--bless", &args.bless),
        ("--save", &args.save),
        ("--predictions", &args.predictions),
        ("--html", &args.html),
        ("--markdown", &args.markdown),
        ("--junit", &args.junit),
    ]
    .into_iter()
    .filter_map(|(option, path)| Some((option, here(path.as_ref()?))))
    .filter(|(_, path)| !path.metadata().is_ok_and(|m| !m.is_file() && !m.is_dir()))
    .collect();
    let named = args.paths.iter().chain(&args.squad).chain(&args.summaries);
    let suite_files = named
        .map(here)
        .chain(suites.iter().map(|s| PathBuf::from(&s.file)));
    let documents = suites.iter().flat_map(|s| &s.documents);
    let inputs: Vec<(&str, PathBuf)> = suite_files
        .map(|path| ("a suite", path))
        .chain(documents.map(|d| ("a document of a suite", PathBuf::from(d.name()))))
        .chain(args.baseline.iter().map(|path| ("the baseline", here(path))))
        .filter_map(|(what, path)| Some((what, path.canonicalize().ok()?)))
        .collect();
    let mut taken: Vec<(&str, PathBuf)> = Vec::new();
    for (option, path) in outputs {
        let name = path.display();
        if path == environment.directory.join("-") {
            bail!("{option} -: would be a file of that name; standard output is /dev/stdout");
        }
        if path.is_dir() {
            bail!("{option} {name}: is a folder; name a file in it");
        }
        let identity = file::identity(&path);
        let read = inputs
            .iter()
            .find(|(what, input)| *input == identity && !(option == "--bless" && *what == "the baseline"));
        if let Some((what, _)) = read {
            bail!("{option} {name}: is {what}, which would be overwritten; name another file");
        }
        if let Some((other, _)) = taken.iter().find(|(_, other)| *other == identity) {
            bail!("{option} {name}: is what {other} writes, too; name a file for each");
        }
        if !is_own(option, &path) {
            bail!(
                "{option} {name}: is there and is nothing that {option} wrote; what follows {option} is overwritten, name another file"
            );
        }
        file::check_writable(&path, option == "--save").with_context(|| super::unwritable(&path))?;
        taken.push((option, identity));
    }
    Ok(())
}

/// Whether a file may be replaced: it is not there, is empty, or begins as what the option writes. A history is
/// only appended to, by what reads it first.
fn is_own(option: &str, path: &Path) -> bool {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut bytes)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return true,
        Err(_) => return false,
        Ok(_) => {}
    }
    let head = String::from_utf8_lossy(&bytes);
    if head.trim().is_empty() {
        return true;
    }
    match option {
        "--bless" => head.starts_with('{') && head.contains("\"format\":") && head.contains("\"suites\":"),
        "--predictions" => head.starts_with("{\"suite\":"),
        "--html" => head.contains("<title>ask eval: "),
        "--markdown" => MARKDOWN_HEADINGS.iter().any(|heading| head.starts_with(heading)),
        "--junit" => head.contains("<testsuites name=\"ask eval\""),
        _ => true,
    }
}
