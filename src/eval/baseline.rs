//! Baselines: what a run scored, kept to compare later ones with.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file;
use super::problem::{Result, counted, whole};
use super::run::{Outcome, SummaryOutcome};
use super::stats::{Interval, bootstrap, mcnemar};
use super::suite::Suite;

/// The format that this version writes and reads.
pub const FORMAT: u32 = 1;
/// The largest file.
const MOST_BYTES: u64 = 256 << 20;
/// From so many questions up, a loss has to be more than chance to fail.
pub const CHANCE_FROM: usize = 200;
/// As improbable as this is more than chance.
const SIGNIFICANT: f64 = 0.05;
/// What rounding in a file can change.
const ROUNDING: f64 = 1e-9;

/// What a run scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of `ask` that wrote it.
    pub ask: String,
    /// The model's name.
    pub model: String,
    /// SHA-256 of its weights.
    pub model_sha256: Option<String>,
    /// When it was written.
    pub date: String,
    /// How questions were asked; `None` where the baseline does not say.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// By the suite's name.
    pub suites: BTreeMap<String, SuiteBaseline>,
}

/// The options that change which answers are given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Whether no question was declined.
    pub always_answer: bool,
    /// Answers below this confidence did not count.
    pub min_confidence: f64,
    /// Whether only passages that share words with a question were read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub skim: bool,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.min_confidence {
            _ if self.always_answer => write!(f, "--always-answer")?,
            least if least > 0.0 => write!(f, "--min-confidence {least}")?,
            _ if self.skim => return write!(f, "--skim"),
            _ => write!(f, "none of --always-answer, --min-confidence and --skim")?,
        }
        f.write_str(if self.skim { " and --skim" } else { "" })
    }
}

/// What a suite scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteBaseline {
    /// SHA-256 of the suite's file.
    pub sha256: String,
    /// [`Suite::documents_sha256`]; `None` where the baseline does not say.
    #[serde(default)]
    pub documents_sha256: Option<String>,
    /// By the question's id. Checks of summaries are among them.
    pub questions: BTreeMap<String, Kept>,
}

/// What a question scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// F1, 0 to 1; for a check of a summary, the share of its conditions that hold.
    pub score: f64,
    /// Whether it was right.
    pub right: bool,
    /// What was answered; empty if it was declined.
    pub answer: String,
    /// Whether it fails the gate on its own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub must_pass: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// What is compared of a run: a question, or a check of a summary.
#[derive(Debug, Clone)]
pub struct Item {
    /// The suite's name.
    pub suite: String,
    /// The id.
    pub id: String,
    /// What was asked.
    pub question: String,
    /// What is right, in short.
    pub wanted: String,
    /// The score and the rest.
    pub kept: Kept,
    /// The document.
    pub group: String,
    /// The suite's file and the line in it.
    pub defined: (String, usize),
}

impl Item {
    /// Whether it fails the gate, whatever the rest does and with or without a baseline.
    #[must_use]
    pub fn fails_alone(&self) -> bool {
        self.kept.must_pass && !self.kept.right
    }
}

/// The items of a run. Of summaries, the checks of the system of this name count.
#[must_use]
pub fn items(outcomes: &[Outcome], summaries: &[SummaryOutcome], system: Option<&str>) -> Vec<Item> {
    let questions = outcomes.iter().map(|o| Item {
        suite: o.suite.clone(),
        id: o.id.clone(),
        question: o.question.clone(),
        wanted: o.golds.first().cloned().unwrap_or_default(),
        kept: Kept {
            score: o.f1,
            right: o.right,
            answer: o.prediction.clone(),
            must_pass: o.must_pass,
        },
        group: o.group.clone(),
        defined: o.defined.clone(),
    });
    let checks = summaries
        .iter()
        .filter(|s| Some(s.system.as_str()) == system)
        .filter_map(|s| {
            let right = s.passed?;
            Some(Item {
                suite: s.suite.clone(),
                id: s.id.clone(),
                question: "(summary)".to_owned(),
                wanted: s
                    .missing
                    .iter()
                    .map(|m| format!("+{m}"))
                    .chain(s.forbidden.iter().map(|f| format!("−{f}")))
                    .collect::<Vec<_>>()
                    .join(" "),
                kept: Kept {
                    score: f64::from(u8::from(right)),
                    right,
                    answer: s.summary.clone(),
                    must_pass: s.must_pass,
                },
                group: s.group.clone(),
                defined: s.defined.clone(),
            })
        });
    questions.chain(checks).collect()
}

impl Baseline {
    /// A baseline of a run.
    #[must_use]
    pub fn of(
        model: &str,
        model_sha256: Option<&str>,
        date: &str,
        asked: Asked,
        suites: &[Suite],
        items: &[Item],
    ) -> Self {
        let of_suite = |suite: &Suite| {
            let questions = items
                .iter()
                .filter(|item| item.suite == suite.name)
                .map(|item| (item.id.clone(), item.kept.clone()));
            let kept = SuiteBaseline {
                sha256: suite.sha256.clone(),
                documents_sha256: Some(suite.documents_sha256()),
                questions: questions.collect(),
            };
            (suite.name.clone(), kept)
        };
        Self {
            format: FORMAT,
            ask: env!("CARGO_PKG_VERSION").to_owned(),
            model: model.to_owned(),
            model_sha256: model_sha256.map(str::to_owned),
            date: date.to_owned(),
            asked: Some(asked),
            suites: suites
                .iter()
                .map(of_suite)
                .filter(|(_, kept)| !kept.questions.is_empty())
                .collect(),
        }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// With the place of what is wrong in it.
    pub fn read(path: &Path) -> Result<Self> {
        const REMEDY: &str = "write it anew with ask eval … --bless FILE";
        let name = path.display().to_string();
        let text = file::read(path, MOST_BYTES, "a baseline that ask eval --bless wrote")?;
        let baseline: Self = file::parsed(&name, &text, REMEDY)?;
        if baseline.format != FORMAT {
            let what = format!("has format {}, this version reads {FORMAT}", baseline.format);
            return Err(whole(&name, what, REMEDY));
        }
        Ok(baseline)
    }

    /// Its suites that are not among these.
    #[must_use]
    pub fn suites_not_in(&self, suites: &[Suite]) -> Vec<String> {
        let names = self.suites.keys();
        names
            .filter(|name| suites.iter().all(|suite| suite.name != **name))
            .cloned()
            .collect()
    }

    /// As a file has it: one question a line, so that a change shows in a diff.
    ///
    /// # Errors
    /// Never for what [`of`](Self::of) makes.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut out = format!(
            "{{\n\"format\": {},\n\"ask\": {},\n\"model\": {},\n\"model_sha256\": {},\n\"date\": {},\n\"asked\": {},\n\"suites\": {{",
            self.format,
            serde_json::to_string(&self.ask)?,
            serde_json::to_string(&self.model)?,
            serde_json::to_string(&self.model_sha256)?,
            serde_json::to_string(&self.date)?,
            serde_json::to_string(&self.asked)?,
        );
        for (i, (name, suite)) in self.suites.iter().enumerate() {
            out += if i > 0 { ",\n" } else { "\n" };
            out += &format!(
                "{}: {{\n  \"sha256\": {},\n  \"documents_sha256\": {},\n  \"questions\": {{",
                serde_json::to_string(name)?,
                serde_json::to_string(&suite.sha256)?,
                serde_json::to_string(&suite.documents_sha256)?
            );
            for (j, (id, kept)) in suite.questions.iter().enumerate() {
                out += if j > 0 { ",\n" } else { "\n" };
                out += &format!(
                    "    {}: {}",
                    serde_json::to_string(id)?,
                    serde_json::to_string(kept)?
                );
            }
            out += "\n  }\n}";
        }
        out += "\n}\n}\n";
        Ok(out)
    }
}

/// A question whose score changed.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// The suite's name.
    pub suite: String,
    /// The id.
    pub id: String,
    /// What was asked.
    pub question: String,
    /// An acceptable answer; empty if there is none.
    pub wanted: String,
    /// The score before, 0 to 1; `None` if it is not in the baseline.
    pub score_before: Option<f64>,
    /// And now.
    pub score: f64,
    /// What was answered before; empty if it was declined, `None` if it is not in the baseline.
    pub answer_before: Option<String>,
    /// And now.
    pub answer: String,
    /// Whether it was right before.
    pub right_before: bool,
    /// And now.
    pub right: bool,
    /// Whether the suite says that it must pass.
    pub must_pass: bool,
    /// The suite's file.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
}

/// How the right answers of a suite changed.
#[derive(Debug, Clone, Serialize)]
pub struct SuiteLoss {
    /// The suite's name.
    pub suite: String,
    /// Questions in both.
    pub compared: usize,
    /// Right before and not now.
    pub lost_right: usize,
    /// Right now and not before.
    pub gained_right: usize,
    /// McNemar's exact test of these two.
    pub mcnemar_p: f64,
}

/// What of a baseline a run is to ask.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Whether it is to have every suite of the baseline.
    pub all_suites: bool,
    /// Suites and ids of questions that it leaves out and that are not gone.
    pub left_out: &'a HashSet<(String, String)>,
}

/// A run beside a baseline.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The baseline's model, version and date.
    pub baseline_model: String,
    /// When it was blessed.
    pub baseline_date: String,
    /// How the run was asked and how the baseline was, where that differs: the scores do not compare.
    pub asked_changed: Option<String>,
    /// Questions in both.
    pub compared: usize,
    /// Questions whose score rose.
    pub gains: Vec<Change>,
    /// Questions whose score fell.
    pub losses: Vec<Change>,
    /// Questions that must pass and are wrong now; so must those that did in the baseline and were right.
    pub must_pass_wrong: Vec<Change>,
    /// `suite/id` of questions that the baseline does not have.
    pub new: Vec<String>,
    /// `suite/id` of questions that the run does not have, of suites that it has.
    pub gone: Vec<String>,
    /// Those of them that must pass.
    pub must_pass_gone: Vec<String>,
    /// Suites of the baseline that the run does not have.
    pub suites_not_run: Vec<String>,
    /// Those of them that it is to have.
    pub suites_missing: Vec<String>,
    /// Suites of whose questions in the baseline the run has less than half, with how many it has not, and of how many.
    pub suites_mostly_gone: Vec<(String, usize, usize)>,
    /// Suites whose file has changed since they were blessed.
    pub suites_changed: Vec<String>,
    /// Suites whose documents have.
    pub documents_changed: Vec<String>,
    /// Suites that lost right answers on balance, or, if they are large, more than chance takes; of several only.
    pub suites_worse: Vec<SuiteLoss>,
    /// The mean score now less that before, in percentage points.
    pub difference: f64,
    /// Its paired bootstrap interval of 95 %.
    pub interval: Option<Interval>,
    /// Right before and not now.
    pub lost_right: usize,
    /// Right now and not before.
    pub gained_right: usize,
    /// McNemar's exact test of these two.
    pub mcnemar_p: f64,
    /// Why the gate fails; empty if it holds.
    pub failures: Vec<String>,
}

impl Comparison {
    /// Whether the gate holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Compares a run with a baseline.
#[must_use]
pub fn compare(
    baseline: &Baseline,
    asked: Asked,
    suites: &[Suite],
    items: &[Item],
    scope: Scope<'_>,
) -> Comparison {
    let before = |item: &Item| baseline.suites.get(&item.suite)?.questions.get(&item.id);
    let name = |item: &Item| format!("{}/{}", item.suite, item.id);
    let paired: Vec<(&Item, &Kept)> = items
        .iter()
        .filter_map(|item| Some((item, before(item)?)))
        .collect();
    let differences: Vec<f64> = paired
        .iter()
        .map(|(item, kept)| item.kept.score - kept.score)
        .map(|d| if d.abs() < ROUNDING { 0.0 } else { 100.0 * d })
        .collect();
    let groups: Vec<&str> = paired.iter().map(|(item, _)| item.group.as_str()).collect();
    let changes = |wanted: fn(f64, &Item, &Kept) -> bool| -> Vec<Change> {
        let all = paired.iter().zip(&differences);
        all.filter(|((item, kept), d)| wanted(**d, item, kept))
            .map(|((item, kept), _)| change(item, Some(kept)))
            .collect()
    };
    let (lost_right, gained_right) = flipped(paired.iter().copied());
    let left_out = scope
        .left_out
        .iter()
        .map(|(suite, id)| (suite.as_str(), id.as_str()));
    let keys: HashSet<(&str, &str)> = items
        .iter()
        .map(|item| (item.suite.as_str(), item.id.as_str()))
        .chain(left_out)
        .collect();
    let still_asked = |suite: &str, id: &str| keys.contains(&(suite, id));
    let gone: Vec<(String, bool)> = suites
        .iter()
        .filter_map(|suite| Some((suite, baseline.suites.get(&suite.name)?)))
        .flat_map(|(suite, kept)| {
            let missing = kept
                .questions
                .iter()
                .filter(|(id, _)| !still_asked(&suite.name, id));
            missing
                .map(|(id, kept)| (format!("{}/{id}", suite.name), kept.must_pass))
                .collect::<Vec<_>>()
        })
        .collect();
    let suites_mostly_gone = baseline.suites.iter().filter_map(|(name, kept)| {
        let gone = kept.questions.keys().filter(|id| !still_asked(name, id)).count();
        let is_run = suites.iter().any(|suite| suite.name == *name);
        (is_run && 2 * gone > kept.questions.len()).then(|| (name.clone(), gone, kept.questions.len()))
    });
    let suites_mostly_gone = suites_mostly_gone.collect();
    let suites_not_run = baseline.suites_not_in(suites);
    let changed = |is_changed: fn(&Suite, &SuiteBaseline) -> bool| -> Vec<String> {
        let both = suites
            .iter()
            .filter_map(|s| Some((s, baseline.suites.get(&s.name)?)));
        both.filter(|(suite, kept)| is_changed(suite, kept))
            .map(|(suite, _)| suite.name.clone())
            .collect()
    };
    let mean = differences.iter().sum::<f64>() / differences.len().max(1) as f64;
    let mut comparison = Comparison {
        baseline_model: baseline.model.clone(),
        baseline_date: baseline.date.clone(),
        asked_changed: baseline
            .asked
            .filter(|before| *before != asked)
            .map(|before| format!("this run was made with {asked}, the baseline with {before}")),
        compared: paired.len(),
        gains: changes(|d, item, kept| d > 0.0 || d == 0.0 && item.kept.right && !kept.right),
        losses: changes(|d, item, kept| d < 0.0 || d == 0.0 && !item.kept.right && kept.right),
        must_pass_wrong: items
            .iter()
            .filter(|item| !item.kept.right)
            .filter(|item| {
                item.kept.must_pass || before(item).is_some_and(|kept| kept.must_pass && kept.right)
            })
            .map(|item| change(item, before(item)))
            .collect(),
        new: items
            .iter()
            .filter(|item| before(item).is_none())
            .map(name)
            .collect(),
        must_pass_gone: gone
            .iter()
            .filter(|(_, must)| *must)
            .map(|(name, _)| name.clone())
            .collect(),
        gone: gone.into_iter().map(|(name, _)| name).collect(),
        suites_missing: if scope.all_suites {
            suites_not_run.clone()
        } else {
            Vec::new()
        },
        suites_not_run,
        suites_mostly_gone,
        suites_changed: changed(|suite, kept| suite.sha256 != kept.sha256),
        documents_changed: changed(|suite, kept| {
            let before = kept.documents_sha256.as_ref();
            before.is_some_and(|before| *before != suite.documents_sha256())
        }),
        suites_worse: suites_worse(&paired),
        difference: if mean.abs() < ROUNDING { 0.0 } else { mean },
        interval: bootstrap(&differences, &groups),
        lost_right,
        gained_right,
        mcnemar_p: mcnemar(lost_right, gained_right),
        failures: Vec::new(),
    };
    comparison.failures = failures(&comparison);
    comparison
}

/// How many of these were right before and are not now, and the other way round.
fn flipped<'a>(paired: impl Iterator<Item = (&'a Item, &'a Kept)>) -> (usize, usize) {
    paired.fold((0, 0), |(lost, gained), (item, kept)| {
        match (kept.right, item.kept.right) {
            (true, false) => (lost + 1, gained),
            (false, true) => (lost, gained + 1),
            _ => (lost, gained),
        }
    })
}

/// Those of several suites that are worse by the rule that each meets alone; none hides behind another. Large ones are
/// tested together, so each is held to its share of the level (Bonferroni).
fn suites_worse(paired: &[(&Item, &Kept)]) -> Vec<SuiteLoss> {
    let mut suites: BTreeMap<&str, Vec<(&Item, &Kept)>> = BTreeMap::new();
    for &(item, kept) in paired {
        suites.entry(&item.suite).or_default().push((item, kept));
    }
    if suites.len() < 2 {
        return Vec::new();
    }
    let level = SIGNIFICANT / suites.len() as f64;
    let mut worse = Vec::new();
    for (suite, own) in suites {
        let (lost_right, gained_right) = flipped(own.iter().copied());
        let mcnemar_p = mcnemar(lost_right, gained_right);
        if lost_right > gained_right && (own.len() < CHANCE_FROM || mcnemar_p < level) {
            worse.push(SuiteLoss {
                suite: suite.to_owned(),
                compared: own.len(),
                lost_right,
                gained_right,
                mcnemar_p,
            });
        }
    }
    worse
}

fn change(item: &Item, before: Option<&Kept>) -> Change {
    Change {
        suite: item.suite.clone(),
        id: item.id.clone(),
        question: item.question.clone(),
        wanted: item.wanted.clone(),
        score_before: before.map(|kept| kept.score),
        score: item.kept.score,
        answer_before: before.map(|kept| kept.answer.clone()),
        answer: item.kept.answer.clone(),
        right_before: before.is_some_and(|kept| kept.right),
        right: item.kept.right,
        must_pass: item.kept.must_pass,
        file: item.defined.0.clone(),
        line: item.defined.1,
    }
}

/// The gate. Among few questions the interval is wide enough to hide any loss, so a net loss fails; among many
/// it has to be more than chance, in the scores or in the right answers. The interval alone would let whole
/// documents be lost: with ten documents, all that three of them answer is within it.
fn failures(comparison: &Comparison) -> Vec<String> {
    let c = comparison;
    let mut failures = Vec::new();
    if c.asked_changed.is_some() {
        failures.push("it was asked with other options than the baseline".to_owned());
    }
    for wrong in &c.must_pass_wrong {
        failures.push(must_pass_and_is_wrong(wrong));
    }
    for gone in &c.must_pass_gone {
        failures.push(format!("{gone} must pass and is not asked any more"));
    }
    for suite in &c.suites_missing {
        failures.push(format!("the suite {suite} of the baseline was not run"));
    }
    for (suite, gone, all) in &c.suites_mostly_gone {
        let are = if *gone == 1 { "is" } else { "are" };
        failures.push(format!(
            "{suite}: {gone} of its {} in the baseline {are} not asked any more",
            counted(*all, "question")
        ));
    }
    let lost = |lost: usize, gained: usize| {
        let were = if lost == 1 { "was" } else { "were" };
        format!(
            "{} {were} lost and {gained} gained",
            counted(lost, "right answer")
        )
    };
    if c.compared == 0 {
        failures.push("no question of the run is in the baseline".to_owned());
    } else if c.compared < CHANCE_FROM {
        if c.difference < -ROUNDING {
            failures.push(format!(
                "the score fell by {:.2} points over {}",
                -c.difference,
                counted(c.compared, "question")
            ));
        }
        if c.lost_right > c.gained_right {
            failures.push(lost(c.lost_right, c.gained_right));
        }
    } else {
        if let Some(interval) = c.interval.filter(|interval| interval.high < 0.0) {
            failures.push(format!(
                "the score fell by {:.2} points over {} questions, more than chance (95 %: {:.2} to {:.2})",
                -c.difference, c.compared, interval.low, interval.high
            ));
        }
        if c.lost_right > c.gained_right && c.mcnemar_p < SIGNIFICANT {
            let lost = lost(c.lost_right, c.gained_right);
            failures.push(format!("{lost}, {}", more_than_chance(c.mcnemar_p)));
        }
    }
    for loss in &c.suites_worse {
        let chance = if loss.compared < CHANCE_FROM {
            String::new()
        } else {
            format!(", {}", more_than_chance(loss.mcnemar_p))
        };
        failures.push(format!(
            "{}: {}{chance}",
            loss.suite,
            lost(loss.lost_right, loss.gained_right)
        ));
    }
    failures
}

fn more_than_chance(mcnemar_p: f64) -> String {
    if mcnemar_p < 0.001 {
        "more than chance (McNemar p < 0.001)".to_owned()
    } else {
        format!("more than chance (McNemar p = {mcnemar_p:.3})")
    }
}

/// A question that fails the gate on its own, in words.
pub(super) fn must_pass_and_is_wrong(wrong: &Change) -> String {
    let had = if wrong.must_pass {
        "must pass"
    } else {
        "had to pass in the baseline"
    };
    format!("{}/{} {had} and is wrong", wrong.suite, wrong.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked = Asked {
        always_answer: false,
        min_confidence: 0.25,
        skim: false,
    };

    fn item(id: usize, score: f64, must_pass: bool) -> Item {
        Item {
            suite: "s".to_owned(),
            id: id.to_string(),
            question: "q".to_owned(),
            wanted: "w".to_owned(),
            kept: Kept {
                score,
                right: score >= 0.6,
                answer: "a".to_owned(),
                must_pass,
            },
            group: (id % 20).to_string(),
            defined: ("s.toml".to_owned(), id + 1),
        }
    }

    fn suite(name: &str, documents: &[&str]) -> Suite {
        let document = |text: &&str| crate::Document::new("d", *text, crate::Format::Plain).unwrap();
        Suite {
            name: name.to_owned(),
            file: format!("{name}.toml"),
            sha256: "0".to_owned(),
            documents: documents.iter().map(document).collect(),
            questions: Vec::new(),
            summaries: Vec::new(),
        }
    }

    /// As a file keeps it.
    fn blessed(suites: &[Suite], items: &[Item]) -> Baseline {
        let baseline = Baseline::of("m", None, "now", ASKED, suites, items);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        std::fs::write(&path, baseline.to_json().unwrap()).unwrap();
        let read = Baseline::read(&path).unwrap();
        let count = |b: &Baseline| b.suites.values().map(|s| s.questions.len()).sum::<usize>();
        assert_eq!(count(&read), count(&baseline));
        read
    }

    fn compared(before: &[Item], after: &[Item]) -> Comparison {
        let suites = [suite("s", &[])];
        compare(
            &blessed(&suites, before),
            ASKED,
            &suites,
            after,
            all(&HashSet::new()),
        )
    }

    fn all(left_out: &HashSet<(String, String)>) -> Scope<'_> {
        Scope {
            all_suites: true,
            left_out,
        }
    }

    /// The same item, right or wrong.
    fn now(item: &Item, right: bool) -> Item {
        let mut item = item.clone();
        (item.kept.score, item.kept.right) = (f64::from(u8::from(right)), right);
        item
    }

    #[test]
    fn the_same_again_holds() {
        let items: Vec<Item> = (0..50)
            .map(|i| item(i, 1.0 / (1.0 + i as f64 / 7.0), i == 0))
            .collect();
        let comparison = compared(&items, &items);
        assert_eq!(comparison.asked_changed, None);
        assert!(comparison.holds() && comparison.gains.is_empty() && comparison.losses.is_empty());
        assert_eq!(comparison.mcnemar_p, 1.0);
        // The sum of nothing is minus zero.
        assert!(compared(&items, &[]).difference.is_sign_positive());
    }

    #[test]
    fn one_of_a_kind_is_told_in_the_singular() {
        let comparison = compared(&[item(0, 1.0, false)], &[item(0, 0.0, false)]);
        assert_eq!(
            comparison.failures,
            [
                "the score fell by 100.00 points over 1 question",
                "1 right answer was lost and 0 gained"
            ]
        );
    }

    #[test]
    fn few_questions_may_not_lose_on_balance() {
        let before: Vec<Item> = (0..50).map(|i| item(i, 0.8, false)).collect();
        let mut after = before.clone();
        after[7].kept.score = 0.7;
        let comparison = compared(&before, &after);
        assert_eq!(comparison.losses[0].id, "7");
        assert_eq!(
            comparison.failures,
            ["the score fell by 0.20 points over 50 questions"]
        );
        after[8].kept.score = 1.0;
        assert!(compared(&before, &after).holds());
    }

    #[test]
    fn many_questions_may_lose_by_chance_but_no_more() {
        let before: Vec<Item> = (0..400)
            .map(|i| item(i, f64::from(u8::from(i % 3 > 0)), false))
            .collect();
        // Noise: as many lost as gained, but one.
        let mut after = before.clone();
        for i in (0..14).map(|k| 3 * k).chain((0..15).map(|k| 3 * k + 1)) {
            let flip = &mut after[i].kept;
            flip.score = 1.0 - flip.score;
            flip.right = !flip.right;
        }
        let noise = compared(&before, &after);
        assert!(noise.difference < 0.0 && noise.holds(), "{:?}", noise.failures);
        // More than noise.
        for kept in after
            .iter_mut()
            .filter(|i| i.id.parse::<usize>().unwrap() / 20 % 4 == 0)
            .map(|i| &mut i.kept)
        {
            (kept.score, kept.right) = (0.0, false);
        }
        let worse = compared(&before, &after);
        assert!(
            worse.failures[0].contains("more than chance"),
            "{:?}",
            worse.failures
        );
        assert!(worse.mcnemar_p < 0.05);
    }

    #[test]
    fn documents_that_are_lost_do_not_hide_among_those_that_are_not() {
        // Twelve documents of twenty questions, three lost: the interval of documents reaches zero.
        let before: Vec<Item> = (0..240)
            .map(|i| Item {
                group: (i % 12).to_string(),
                ..item(i, 1.0, false)
            })
            .collect();
        let after: Vec<Item> = before
            .iter()
            .map(|i| now(i, i.group.parse::<usize>().unwrap() >= 3))
            .collect();
        let comparison = compared(&before, &after);
        assert_eq!(comparison.interval.unwrap().high, 0.0);
        assert_eq!(
            comparison.failures,
            ["60 right answers were lost and 0 gained, more than chance (McNemar p < 0.001)"]
        );
    }

    #[test]
    fn a_suite_does_not_hide_behind_another() {
        let suites = [suite("big", &[]), suite("own", &[])];
        let items = |own_right: usize, big_right: usize| -> Vec<Item> {
            let of = |suite: &str, n: usize, right: usize| -> Vec<Item> {
                (0..n)
                    .map(|i| Item {
                        suite: suite.to_owned(),
                        ..now(&item(i, 1.0, false), i < right)
                    })
                    .collect()
            };
            [of("big", 1000, big_right), of("own", 40, own_right)].concat()
        };
        let baseline = blessed(&suites, &items(40, 900));
        let failures = |own_right, big_right| {
            let items = items(own_right, big_right);
            compare(&baseline, ASKED, &suites, &items, all(&HashSet::new())).failures
        };
        assert_eq!(failures(39, 920), ["own: 1 right answer was lost and 0 gained"]);
        assert_eq!(failures(40, 897), [""; 0]);
        assert_eq!(
            failures(40, 880)[1..],
            [
                "20 right answers were lost and 0 gained, more than chance (McNemar p < 0.001)",
                "big: 20 right answers were lost and 0 gained, more than chance (McNemar p < 0.001)"
            ]
        );
    }

    #[test]
    fn suites_that_are_not_run_fail_unless_only_some_are_to_be() {
        let suites = [suite("s", &[]), suite("t", &[])];
        let of_t = Item {
            suite: "t".to_owned(),
            ..item(7, 1.0, true)
        };
        let items = [item(1, 1.0, false), of_t];
        let baseline = blessed(&suites, &items);
        let nothing = HashSet::new();
        let some = Scope {
            all_suites: false,
            ..all(&nothing)
        };
        let run = |scope| compare(&baseline, ASKED, &suites[..1], &items[..1], scope);
        assert_eq!(
            run(all(&nothing)).failures,
            ["the suite t of the baseline was not run"]
        );
        assert!(run(some).holds());
        assert_eq!(run(some).suites_not_run, ["t"]);
        let without = |scope| compare(&baseline, ASKED, &suites, &items[..1], scope).failures;
        assert_eq!(
            without(some),
            [
                "t/7 must pass and is not asked any more",
                "t: 1 of its 1 question in the baseline is not asked any more"
            ]
        );
        let left_out = HashSet::from([("t".to_owned(), "7".to_owned())]);
        assert_eq!(without(all(&left_out)), [""; 0]);
    }

    #[test]
    fn documents_that_changed_are_told() {
        let items = [item(1, 1.0, false)];
        let baseline = blessed(&[suite("s", &["One.", "Two."])], &items);
        let changed = |documents: &[&str]| {
            let suites = [suite("s", documents)];
            compare(&baseline, ASKED, &suites, &items, all(&HashSet::new())).documents_changed
        };
        assert_eq!(changed(&["One.", "Two."]), [""; 0]);
        assert_eq!(changed(&["One.", "Too."]), ["s"]);
        let mut silent = baseline.clone();
        silent.suites.get_mut("s").unwrap().documents_sha256 = None;
        let now = [suite("s", &["New."])];
        assert!(
            compare(&silent, ASKED, &now, &items, all(&HashSet::new()))
                .documents_changed
                .is_empty()
        );
    }

    #[test]
    fn a_mark_that_is_taken_away_does_not_let_a_wrong_answer_pass() {
        let before = [item(1, 1.0, true), item(2, 0.0, false)];
        let after = [item(1, 0.0, false), item(2, 1.0, false)];
        assert_eq!(
            compared(&before, &after).failures,
            ["s/1 had to pass in the baseline and is wrong"]
        );
        assert!(compared(&after, &after).holds());
        // It was wrong before, too: without the mark it is as it was.
        assert!(compared(&[item(1, 0.0, true)], &[item(1, 0.0, false)]).holds());
    }

    #[test]
    fn what_must_pass_decides_alone() {
        let before: Vec<Item> = (0..300).map(|i| item(i, 0.5, i == 3)).collect();
        let mut after: Vec<Item> = before
            .iter()
            .map(|i| item(i.id.parse().unwrap(), 0.9, i.kept.must_pass))
            .collect();
        after[3] = item(3, 0.1, true);
        assert_eq!(compared(&before, &after).failures, ["s/3 must pass and is wrong"]);
        after.remove(3);
        assert_eq!(
            compared(&before, &after).failures,
            ["s/3 must pass and is not asked any more"]
        );
        assert_eq!(
            compared(&before, &[]).failures,
            [
                "s/3 must pass and is not asked any more",
                "s: 300 of its 300 questions in the baseline are not asked any more",
                "no question of the run is in the baseline"
            ]
        );
    }
}
