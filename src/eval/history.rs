//! The history of runs: JSON Lines, a line for each suite of each run, appended by `ask eval --save` and shown by
//! `ask eval --history`.
//!
//! A line that a cut write or an editor left damaged is told with its number and passed over: the others are as
//! good as they were. The next run begins a line of its own.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file;
use super::lines::parse;
use super::problem::{Problem, Result, whole};
use super::report::{Report, SuiteReport};
use super::scores::{Scores, SummaryScores};

/// The format of the lines that this version writes and reads.
pub const FORMAT: u32 = 1;
/// The file where none is named.
pub const FILE: &str = "eval-history.jsonl";
/// The largest file.
const MOST_BYTES: u64 = 64 << 20;
const KIND: &str = "a history that ask eval --save wrote";

/// What a suite scored in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`FORMAT`].
    pub format: u32,
    /// When, in UTC.
    pub date: String,
    /// The version of `ask`.
    pub ask: String,
    /// The model's name.
    pub model: String,
    /// SHA-256 of its weights.
    pub model_sha256: Option<String>,
    /// The suite's name.
    pub suite: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// SHA-256 of its documents' sources, one after the other.
    pub documents_sha256: String,
    /// Questions that were asked.
    pub questions: usize,
    /// Questions were sampled evenly down to so many.
    pub limit: Option<usize>,
    /// Whether no question was declined.
    pub always_answer: bool,
    /// Answers below this confidence did not count.
    pub min_confidence: f64,
    /// Whether only passages that share words with a question were read.
    #[serde(default)]
    pub skim: bool,
    /// The figures of its questions; `None` without questions.
    pub scores: Option<EntryScores>,
    /// The figures of its summaries, by what made them.
    pub summaries: Vec<EntrySummaries>,
    /// Half of the questions that were asked alone took at most this, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 % of them.
    pub p95_ms: Option<f64>,
    /// Processor and operating system.
    pub machine: String,
    /// How the encoder computed, where it is the native one.
    pub kernels: Option<String>,
    /// Threads.
    pub threads: usize,
    /// The seed of the bootstrap.
    pub seed: u64,
}

/// Figures of questions, named as in [`Scores`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryScores {
    /// F1 over all questions, 0 to 100.
    pub f1: f64,
    /// Exact match over all questions.
    pub exact: f64,
    /// Right answers, rightly declined questions among them.
    pub right: f64,
    /// F1 of questions with an answer.
    pub has_answer_f1: Option<f64>,
    /// Exact match of these.
    pub has_answer_exact: Option<f64>,
    /// Unanswerable questions that were declined.
    pub no_answer: Option<f64>,
    /// How well `not_in_document` tells unanswerable questions from the others, 0 to 1.
    pub no_answer_auroc: Option<f64>,
    /// The expected calibration error of the confidence, 0 to 1; lower is better.
    pub confidence_ece: Option<f64>,
    /// Of the answers given: how many hold a whole acceptable answer, 0 to 100.
    pub cites_gold: Option<f64>,
    /// How many stand where the suite says.
    pub cites_place: Option<f64>,
}

/// Figures of the summaries of one system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntrySummaries {
    /// What made them.
    pub system: String,
    /// How many.
    pub summaries: usize,
    /// Mean ROUGE F1, 0 to 100: 1, 2, L, Lsum. `None` without references.
    pub rouge: Option<[f64; 4]>,
    /// Share of the checks that pass, 0 to 100.
    pub checks_passed: Option<f64>,
}

impl EntryScores {
    fn of(scores: &Scores) -> Self {
        Self {
            f1: scores.f1.percent,
            exact: scores.exact.percent,
            right: scores.right.percent,
            has_answer_f1: scores.has_answer_f1,
            has_answer_exact: scores.has_answer_exact,
            no_answer: scores.no_answer,
            no_answer_auroc: scores.no_answer_auroc,
            confidence_ece: scores.confidence.as_ref().map(|held| held.ece),
            cites_gold: scores.cites_gold,
            cites_place: scores.cites_place,
        }
    }
}

impl EntrySummaries {
    fn of(scores: &SummaryScores) -> Self {
        Self {
            system: scores.system.clone(),
            summaries: scores.summaries,
            rouge: scores.rouge.map(|rouge| rouge.map(|figure| figure.percent)),
            checks_passed: scores.checks_passed,
        }
    }
}

/// The entries of a run, one for each suite.
#[must_use]
pub fn entries(report: &Report) -> Vec<Entry> {
    let p = &report.provenance;
    let of_suite = |suite: &SuiteReport| Entry {
        format: FORMAT,
        date: p.date.clone(),
        ask: p.ask.clone(),
        model: p.model.clone(),
        model_sha256: p.model_sha256.clone(),
        suite: suite.name.clone(),
        sha256: suite.sha256.clone(),
        documents_sha256: suite.documents_sha256.clone(),
        questions: suite.scores.as_ref().map_or(0, |s| s.questions),
        limit: p.limit,
        always_answer: p.always_answer,
        min_confidence: p.min_confidence,
        skim: p.skim,
        scores: suite.scores.as_ref().map(EntryScores::of),
        summaries: suite.summaries.iter().map(EntrySummaries::of).collect(),
        p50_ms: suite.p50_ms,
        p95_ms: suite.p95_ms,
        machine: p.machine.clone(),
        kernels: p.kernels.clone(),
        threads: p.threads,
        seed: p.seed,
    };
    report.suites.iter().map(of_suite).collect()
}

impl Entry {
    /// Why the scores of a later run of the suite do not compare with this one's; `None` if they do.
    #[must_use]
    pub fn differs_from(&self, later: &Self) -> Option<String> {
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        let changed = |what: &str, before: &str, after: &str| {
            (before != after)
                .then(|| format!("{what} changed (sha256 {}… → {}…)", short(before), short(after)))
        };
        let asked = |entry: &Self| {
            let limit = entry
                .limit
                .map_or_else(|| "all".to_owned(), |n| format!("at most {n}"));
            let always = if entry.always_answer {
                ", always answering"
            } else {
                ""
            };
            let least = match entry.min_confidence {
                least if least > 0.0 => format!(", confidence {least} at least"),
                _ => String::new(),
            };
            let skim = if entry.skim { ", skimming" } else { "" };
            format!("{limit}{always}{least}{skim}")
        };
        let (before, after) = (asked(self), asked(later));
        let reasons: Vec<String> = [
            changed("the suite", &self.sha256, &later.sha256),
            changed("its documents", &self.documents_sha256, &later.documents_sha256),
            (before != after).then(|| format!("questions asked: {before} → {after}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// What a history holds: its entries in the order of the file, and the lines that are damaged.
#[derive(Debug)]
pub struct History {
    /// What can be read.
    pub entries: Vec<Entry>,
    /// What cannot, line by line.
    pub damaged: Vec<Problem>,
    /// Whether the last line has its end.
    is_whole: bool,
}

impl History {
    /// Reads a history.
    ///
    /// # Errors
    /// When the file is not there, over the limit, or no line of it is an entry.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        if !path.exists() {
            return Err(whole(&name, "no such history", "ask eval --save begins one"));
        }
        let text = file::read(path, MOST_BYTES, KIND)?;
        let mut history = Self {
            entries: Vec::new(),
            damaged: Vec::new(),
            is_whole: text.is_empty() || text.ends_with('\n'),
        };
        for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let entry = parse::<Entry>(line).and_then(|entry| match entry.format {
                FORMAT => Ok(entry),
                other => Err((1, format!("has format {other}, this version reads {FORMAT}"))),
            });
            match entry {
                Ok(entry) => history.entries.push(entry),
                Err((column, what)) => history.damaged.push(Problem {
                    file: name.clone(),
                    position: Some((i + 1, column)),
                    what: format!("is no entry of a history: {what}"),
                    remedy: "the line is passed over; delete or mend it".to_owned(),
                }),
            }
        }
        if history.entries.is_empty() && !history.damaged.is_empty() {
            let what = format!("is no history ({})", history.damaged[0].what);
            return Err(whole(&name, what, format!("name {KIND}")));
        }
        Ok(history)
    }

    /// Reads a history that is to be continued: what is not there yet is empty.
    ///
    /// # Errors
    /// As [`read`](Self::read): nothing is appended to a file that is something else.
    pub fn read_or_new(path: &Path) -> Result<Self> {
        match path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self {
                entries: Vec::new(),
                damaged: Vec::new(),
                is_whole: true,
            }),
            _ => Self::read(path),
        }
    }

    /// Appends lines, each with its line feed.
    ///
    /// # Errors
    /// The operating system's.
    pub fn append(&self, path: &Path, lines: &[Vec<u8>]) -> std::io::Result<()> {
        // One write at the end of the file, so that two runs at once do not mix their lines.
        let mut bytes = if self.is_whole { Vec::new() } else { vec![b'\n'] };
        bytes.extend(lines.iter().flatten());
        let mut file = File::options().create(true).append(true).open(path)?;
        file.write_all(&bytes)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(date: &str) -> Entry {
        Entry {
            format: FORMAT,
            date: date.to_owned(),
            ask: "0".to_owned(),
            model: "m".to_owned(),
            model_sha256: None,
            suite: "s".to_owned(),
            sha256: "11".to_owned(),
            documents_sha256: "22".to_owned(),
            questions: 3,
            limit: None,
            always_answer: false,
            min_confidence: 0.0,
            skim: false,
            scores: None,
            summaries: Vec::new(),
            p50_ms: None,
            p95_ms: None,
            machine: String::new(),
            kernels: None,
            threads: 1,
            seed: 7,
        }
    }

    fn line(entry: &Entry) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(entry).unwrap();
        bytes.push(b'\n');
        bytes
    }

    #[test]
    fn a_cut_line_costs_itself_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.jsonl");
        let empty = History::read_or_new(&path).unwrap();
        empty
            .append(&path, &[line(&entry("1")), line(&entry("2"))])
            .unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in [1, 30, 100] {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let before = History::read_or_new(&path).unwrap();
            before.append(&path, &[line(&entry("3"))]).unwrap();
            let after = History::read(&path).unwrap();
            let dates: Vec<&str> = after.entries.iter().map(|e| e.date.as_str()).collect();
            // Without its line feed alone, an entry is still whole.
            let wanted = if cut == 1 {
                &["1", "2", "3"][..]
            } else {
                &["1", "3"]
            };
            assert_eq!(dates, wanted);
            let places: Vec<usize> = after.damaged.iter().map(|p| p.position.unwrap().0).collect();
            assert_eq!(places, if cut == 1 { vec![] } else { vec![2] });
        }
    }

    #[test]
    fn what_is_no_history_is_not_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        std::fs::write(&path, "name = \"suite\"\n").unwrap();
        let error = History::read_or_new(&path).unwrap_err().to_string();
        assert!(error.contains("is no history"), "{error}");
        std::fs::write(
            &path,
            line(&Entry {
                format: 9,
                ..entry("1")
            }),
        )
        .unwrap();
        let error = History::read_or_new(&path).unwrap_err().to_string();
        assert!(error.contains("has format 9"), "{error}");
        std::fs::write(&path, "").unwrap();
        assert!(History::read_or_new(&path).unwrap().entries.is_empty());
        assert!(History::read(&folder.path().join("none")).is_err());
        assert!(History::read_or_new(folder.path()).is_err());
    }

    #[test]
    fn runs_compare_while_data_and_options_are_the_same() {
        let before = entry("1");
        let later = Entry {
            model: "better".to_owned(),
            ask: "9".to_owned(),
            ..entry("2")
        };
        assert_eq!(before.differs_from(&later), None);
        let why = |later: Entry| before.differs_from(&later).unwrap();
        let changed = why(Entry {
            documents_sha256: "33".to_owned(),
            ..entry("2")
        });
        assert_eq!(changed, "its documents changed (sha256 22… → 33…)");
        let fewer = why(Entry {
            sha256: "44".to_owned(),
            limit: Some(5),
            ..entry("2")
        });
        assert_eq!(
            fewer,
            "the suite changed (sha256 11… → 44…); questions asked: all → at most 5"
        );
        let always = why(Entry {
            always_answer: true,
            ..entry("2")
        });
        assert!(always.ends_with("all → all, always answering"), "{always}");
    }
}
