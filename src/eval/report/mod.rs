//! A run as people and programs read it: one value, several forms.

mod annotations;
mod history;
mod html;
mod junit;
mod template;
mod text;

use serde::Serialize;

pub use annotations::{annotations, without_commands};
pub use history::history;
pub use html::html;
pub use junit::junit;
pub use text::{Line, Style, markdown, text};

use super::baseline::Comparison;
use super::run::{Outcome, Run, SummaryOutcome};
use super::scores::{self, Scores, SummaryScores, TagScores};
use super::stats::{RESAMPLES, SEED};
use super::suite::Suite;
use crate::{AskOptions, Reader};

/// The format of the JSON report.
pub const FORMAT: u32 = 1;

/// Everything that a run found.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// What was measured, with what, where and when.
    pub provenance: Provenance,
    /// Over all questions; `None` without any.
    pub scores: Option<Scores>,
    /// By suite.
    pub suites: Vec<SuiteReport>,
    /// By tag.
    pub tags: Vec<TagScores>,
    /// How long it took.
    pub latency: Option<Latency>,
    /// By system.
    pub summaries: Vec<SummaryScores>,
    /// Beside a baseline.
    pub comparison: Option<Comparison>,
    /// Question by question.
    pub questions: Vec<Outcome>,
    /// Summary by summary.
    pub summary_checks: Vec<SummaryOutcome>,
}

/// What was measured, with what, where and when.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    /// The version of `ask`.
    pub ask: String,
    /// The model's name.
    pub model: String,
    /// SHA-256 of its weights.
    pub model_sha256: Option<String>,
    /// Whether its probabilities were fitted.
    pub calibrated: bool,
    /// Above this probability a question is declined.
    pub threshold: f64,
    /// Whether no question was declined.
    pub always_answer: bool,
    /// Answers below this confidence did not count.
    pub min_confidence: f64,
    /// Whether only passages that share words with a question were read.
    pub skim: bool,
    /// Questions were sampled evenly down to so many.
    pub limit: Option<usize>,
    /// Processor and operating system.
    pub machine: String,
    /// How the encoder computes, where it is the native one.
    pub kernels: Option<String>,
    /// Threads.
    pub threads: usize,
    /// When, in UTC.
    pub date: String,
    /// The seed of the bootstrap.
    pub seed: u64,
    /// Its resamples.
    pub resamples: usize,
}

impl Provenance {
    /// Of questions that a reader was asked with these options on this machine, by so many threads.
    #[must_use]
    pub fn of(reader: &Reader, options: &AskOptions, threads: usize) -> Self {
        Self {
            ask: env!("CARGO_PKG_VERSION").to_owned(),
            model: reader.model_name().to_owned(),
            model_sha256: reader.weights_sha256().map(str::to_owned),
            calibrated: reader.calibration().is_some(),
            threshold: reader.calibration().map_or(0.5, |c| c.threshold),
            always_answer: options.always_answer,
            min_confidence: options.min_confidence,
            skim: options.skim,
            limit: None,
            machine: machine(),
            kernels: reader.arithmetic().map(str::to_owned),
            threads,
            date: now(),
            seed: SEED,
            resamples: RESAMPLES,
        }
    }
}

/// The time in UTC, to the second.
#[must_use]
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second())
        .unwrap_or(now)
        .to_string()
}

/// The processor's name where the system tells it, and the system.
fn machine() -> String {
    let system = format!("{} {}", std::env::consts::ARCH, std::env::consts::OS);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    match name {
        Some((_, name)) => format!("{}, {system}", name.trim()),
        None => system,
    }
}

/// A suite and its figures.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SuiteReport {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// SHA-256 of its documents' sources, one after the other.
    pub documents_sha256: String,
    /// How many documents.
    pub documents: usize,
    /// Its figures; `None` without questions.
    pub scores: Option<Scores>,
    /// The figures of its summaries, by system.
    pub summaries: Vec<SummaryScores>,
    /// Half of its questions that were asked alone took at most this, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 % of them.
    pub p95_ms: Option<f64>,
}

/// How long questions take that are asked one at a time.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Latency {
    /// How many were timed.
    pub timed: usize,
    /// Half of them took at most this, in milliseconds.
    pub p50_ms: f64,
    /// 95 % of them.
    pub p95_ms: f64,
    /// Questions a second over the whole run, side by side.
    pub questions_per_second: f64,
    /// All times, sorted.
    pub times_ms: Vec<f64>,
}

/// The nearest-rank quantile of sorted times.
fn quantile(times: &[f64], q: f64) -> Option<f64> {
    let rank = (times.len() as f64 * q).ceil() as usize;
    times.get(rank.saturating_sub(1)).copied()
}

impl Latency {
    fn of(run: &Run) -> Option<Self> {
        let mut times: Vec<f64> = run.alone_ms.iter().map(|(_, ms)| *ms).collect();
        times.sort_by(f64::total_cmp);
        Some(Self {
            timed: times.len(),
            p50_ms: quantile(&times, 0.5)?,
            p95_ms: quantile(&times, 0.95)?,
            questions_per_second: run.outcomes.len() as f64 / run.elapsed.as_secs_f64().max(1e-9),
            times_ms: times,
        })
    }
}

impl Report {
    /// Puts a run's figures together.
    #[must_use]
    pub fn new(
        provenance: Provenance,
        suites: &[Suite],
        run: Run,
        summary_checks: Vec<SummaryOutcome>,
        comparison: Option<Comparison>,
    ) -> Self {
        let scored =
            |outcomes: &[&Outcome]| (!outcomes.is_empty()).then(|| scores::scores(outcomes.iter().copied()));
        let all: Vec<&Outcome> = run.outcomes.iter().collect();
        let of_suite = |suite: &Suite| {
            let own: Vec<&Outcome> = all.iter().copied().filter(|o| o.suite == suite.name).collect();
            let own_summaries: Vec<SummaryOutcome> = summary_checks
                .iter()
                .filter(|o| o.suite == suite.name)
                .cloned()
                .collect();
            let timed = run.alone_ms.iter().filter(|(at, _)| all[*at].suite == suite.name);
            let mut times: Vec<f64> = timed.map(|(_, ms)| *ms).collect();
            times.sort_by(f64::total_cmp);
            SuiteReport {
                name: suite.name.clone(),
                file: suite.file.clone(),
                sha256: suite.sha256.clone(),
                documents_sha256: suite.documents_sha256(),
                documents: suite.documents.len(),
                scores: scored(&own),
                summaries: scores::summary_scores(&own_summaries),
                p50_ms: quantile(&times, 0.5),
                p95_ms: quantile(&times, 0.95),
            }
        };
        Self {
            format: FORMAT,
            scores: scored(&all),
            suites: suites.iter().map(of_suite).collect(),
            tags: scores::by_tag(&run.outcomes),
            latency: Latency::of(&run),
            summaries: scores::summary_scores(&summary_checks),
            comparison,
            provenance,
            questions: run.outcomes,
            summary_checks,
        }
    }
}
