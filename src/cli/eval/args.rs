//! What was typed after `ask eval`.

use std::path::PathBuf;

use clap::ValueHint;

use crate::cli::args::CommonArgs;
use crate::eval::history;

const HELP: &str = "\
A suite is a TOML file of questions with their acceptable answers; ask eval --init writes the
beginning of one. Other files of questions are JSON Lines (*.jsonl) and SQuAD 1.1 or 2.0 (--squad).

Examples:
  ask eval --init lease.md > lease.toml           begin a suite, in the folder of its documents
  ask eval --check lease.toml                     is all well with it?
  ask eval suites/ --html report.html             measure, and look at it
  ask eval suites/ --bless baseline.json          keep this as the baseline
  ask eval suites/ --baseline baseline.json       exit code 1 and a list when something got worse
  ask eval suites/ --save                         add the scores to eval-history.jsonl
  ask eval --history                              how the scores went since
  ask eval --squad dev-v2.0.json --limit 1000 --predictions out.jsonl --json
  ask eval --summaries pairs.jsonl                ROUGE of the first sentences and of \"prediction\"
  ask eval suites/ --model DIR --calibrate        fit the probabilities of a model of yours

Settings of ask.toml do not apply, so that figures compare.

Exit code: 0 measured, and no worse than the baseline; 1 worse, or a question with must_pass = true
is wrong, with a baseline or without; 2 error. A run is also worse if its options are not those of
the baseline, or if a suite or a must_pass question of the baseline is gone.";

/// `ask eval [PATH]…`
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct EvalArgs {
    /// Suites (*.toml, *.jsonl), or folders of suites (*.toml)
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// Questions of SQuAD 1.1 or 2.0 (JSON)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub squad: Vec<PathBuf>,

    /// Texts with summaries (JSON Lines)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub summaries: Vec<PathBuf>,

    /// Only check that suites are valid; ask nothing
    #[arg(long, conflicts_with_all = ["init", "bless", "baseline", "calibrate", "save", "html", "markdown", "junit", "predictions", "json", "github"])]
    pub check: bool,

    /// Print a suite on these documents, to fill in
    #[arg(long, conflicts_with_all = ["squad", "summaries", "bless", "baseline", "calibrate", "save", "html", "markdown", "junit", "predictions", "json", "github"])]
    pub init: bool,

    /// Ask at most so many questions of each suite, evenly spread
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub limit: Option<usize>,

    /// Compare with this baseline
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,

    /// Write this run as a baseline; with --baseline, only if it is no worse
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "limit")]
    pub bless: Option<PathBuf>,

    /// Append the scores of this run to a history
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, num_args = 0..=1, default_missing_value = history::FILE, conflicts_with = "calibrate")]
    pub save: Option<PathBuf>,

    /// Show a history: each suite's scores over time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, num_args = 0..=1, default_missing_value = history::FILE,
          conflicts_with_all = ["paths", "squad", "summaries", "check", "init", "limit", "baseline", "bless", "save", "calibrate", "html", "markdown", "junit", "predictions", "github"])]
    pub history: Option<PathBuf>,

    /// Fit the probabilities of the model in --model to these questions, and write its manifest
    #[arg(long, conflicts_with_all = ["bless", "baseline", "html", "markdown", "junit", "predictions", "json", "github", "skim"])]
    pub calibrate: bool,

    /// Print the report as one line of JSON, a history line by line
    #[arg(long)]
    pub json: bool,

    /// Write the report as a self-contained HTML page
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,

    /// Write the report as Markdown
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub markdown: Option<PathBuf>,

    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,

    /// Write the outcome of each question as JSON Lines
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub predictions: Option<PathBuf>,

    /// Print annotations for GitHub Actions after the report
    #[arg(long, conflicts_with = "json")]
    pub github: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
}
