//! From outcomes to figures.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::answer::{RiskPoint, Thresholded, at_threshold, auroc, best_threshold, risk_coverage};
use super::calibration::{Reliability, reliability};
use super::rouge::Prf;
use super::run::{Outcome, SummaryOutcome};
use super::stats::{CLUSTERS_FROM, Interval, bootstrap};

/// Points of a risk–coverage curve that a report keeps.
const MOST_POINTS: usize = 200;

/// A percentage with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// 0 to 100.
    pub percent: f64,
    /// The 95 % bootstrap interval; `None` for a single question.
    pub interval: Option<Interval>,
}

/// The figures of a set of questions. Percentages are 0 to 100, probabilities and areas 0 to 1.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Scores {
    /// Questions in all.
    pub questions: usize,
    /// Questions with an answer.
    pub answerable: usize,
    /// Questions that were answered.
    pub answered: usize,
    /// Exact match over all questions.
    pub exact: Figure,
    /// F1 over all questions.
    pub f1: Figure,
    /// Right answers: exact match or F1 ≥ 0.6, and unanswerable questions that were declined.
    pub right: Figure,
    /// Exact match of questions with an answer (HasAns of the official script).
    pub has_answer_exact: Option<f64>,
    /// F1 of these.
    pub has_answer_f1: Option<f64>,
    /// Unanswerable questions that were declined (NoAns).
    pub no_answer: Option<f64>,
    /// Exact match of questions with an answer if every question were answered.
    pub always_exact: Option<f64>,
    /// F1 of these.
    pub always_f1: Option<f64>,
    /// The floor: F1 of the best BM25 sentence, questions with an answer.
    pub floor_f1: Option<f64>,
    /// How often that sentence holds a whole answer.
    pub floor_holds_gold: Option<f64>,
    /// The best exact match that a threshold could give, chosen on these same questions.
    pub best_exact: f64,
    /// That threshold.
    pub best_exact_threshold: f64,
    /// The best F1 that a threshold could give, chosen on these same questions.
    pub best_f1: f64,
    /// That threshold.
    pub best_f1_threshold: f64,
    /// Thresholds chosen on one half and measured on the other.
    pub split: Option<Split>,
    /// How well `not_in_document` tells unanswerable questions from the others.
    pub no_answer_auroc: Option<f64>,
    /// The risk–coverage curve of the confidence.
    pub risk_coverage: Vec<RiskPoint>,
    /// The area under it.
    pub risk_area: f64,
    /// Whether the confidence of the best candidate holds, where right is an exact match or F1 ≥ 0.6.
    pub confidence: Option<Reliability>,
    /// The same where right is an exact match.
    pub confidence_exact: Option<Reliability>,
    /// Whether `not_in_document` holds.
    pub not_in_document: Option<Reliability>,
    /// Of the answers given where there is one: how many hold a whole acceptable answer, as a percentage.
    pub cites_gold: Option<f64>,
    /// Of the answers given where the suite says where it stands: how many stand there.
    pub cites_place: Option<f64>,
    /// Of the questions that one of several documents answers: how often the best candidate is from one that
    /// does.
    pub document_recall_1: Option<f64>,
    /// How often one of the best three is.
    pub document_recall_3: Option<f64>,
    /// Questions that could not be asked.
    pub errors: usize,
}

/// Thresholds chosen on one half of the questions and measured on the other, both ways round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Split {
    /// `document`, or `question` where there are fewer than ten documents.
    pub by: &'static str,
    /// F1 over both halves, each at the other's threshold.
    pub f1: f64,
    /// Exact match over both.
    pub exact: f64,
    /// The thresholds for F1 of the two halves.
    pub thresholds: [f64; 2],
}

/// Computes the figures of outcomes.
#[must_use]
pub fn scores<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Scores {
    let all: Vec<&Outcome> = outcomes.into_iter().collect();
    let groups: Vec<&str> = all.iter().map(|o| o.group.as_str()).collect();
    let figure = |value: fn(&Outcome) -> f64| {
        let values: Vec<f64> = all.iter().map(|o| 100.0 * value(o)).collect();
        Figure {
            percent: mean(&values).unwrap_or(0.0),
            interval: bootstrap(&values, &groups),
        }
    };
    let over = |which: fn(&Outcome) -> bool, value: fn(&Outcome) -> f64| {
        let values: Vec<f64> = all
            .iter()
            .filter(|o| which(o))
            .map(|o| 100.0 * value(o))
            .collect();
        mean(&values)
    };
    let share = |which: fn(&Outcome) -> Option<bool>| {
        let values: Vec<f64> = all
            .iter()
            .filter_map(|o| which(o))
            .map(|yes| 100.0 * f64::from(u8::from(yes)))
            .collect();
        mean(&values)
    };
    let pairs = |value: fn(&Outcome) -> (f64, bool)| all.iter().map(|o| value(o)).collect::<Vec<_>>();
    let exact: Vec<Thresholded> = all
        .iter()
        .map(|o| thresholded(o, f64::from(o.best_exact)))
        .collect();
    let f1: Vec<Thresholded> = all.iter().map(|o| thresholded(o, o.best_f1)).collect();
    let (best_exact, best_exact_threshold) = best_threshold(&exact);
    let (best_f1, best_f1_threshold) = best_threshold(&f1);
    let (points, risk_area) = risk_coverage(&pairs(|o| (o.confidence, is_best_right(o))));
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    let kept = points
        .into_iter()
        .enumerate()
        .filter(|(i, _)| i % step == 0 || *i == last);
    Scores {
        questions: all.len(),
        answerable: all.iter().filter(|o| answerable(o)).count(),
        answered: all.iter().filter(|o| o.answered).count(),
        exact: figure(|o| f64::from(o.exact)),
        f1: figure(|o| o.f1),
        right: figure(|o| f64::from(u8::from(o.right))),
        has_answer_exact: over(answerable, |o| f64::from(o.exact)),
        has_answer_f1: over(answerable, |o| o.f1),
        no_answer: over(
            |o| !answerable(o),
            |o| f64::from(u8::from(!o.answered && o.error.is_none())),
        ),
        always_exact: over(answerable, |o| f64::from(o.best_exact)),
        always_f1: over(answerable, |o| o.best_f1),
        floor_f1: over(answerable, |o| o.floor_f1),
        floor_holds_gold: share(|o| o.floor_holds_gold),
        best_exact,
        best_exact_threshold,
        best_f1,
        best_f1_threshold,
        split: split(&all, &exact, &f1),
        no_answer_auroc: auroc(&pairs(|o| (o.not_in_document, !answerable(o)))),
        risk_coverage: kept.map(|(_, point)| point).collect(),
        risk_area,
        confidence: reliability(&pairs(|o| (o.confidence, is_best_right(o)))),
        confidence_exact: reliability(&pairs(|o| (o.confidence, answerable(o) && o.best_exact == 1))),
        not_in_document: reliability(&pairs(|o| (o.not_in_document, !answerable(o)))),
        cites_gold: share(|o| o.holds_gold.filter(|_| o.answered)),
        cites_place: share(|o| o.right_place.filter(|_| o.answered)),
        document_recall_1: share(|o| o.recalls.then_some(o.document_rank == Some(1))),
        document_recall_3: share(|o| o.recalls.then_some(o.document_rank.is_some())),
        errors: all.iter().filter(|o| o.error.is_some()).count(),
    }
}

fn answerable(outcome: &Outcome) -> bool {
    !outcome.golds.is_empty()
}

/// Whether the best candidate is right, given or not.
#[must_use]
pub fn is_best_right(outcome: &Outcome) -> bool {
    let score = super::answer::Score {
        exact: outcome.best_exact == 1,
        f1: outcome.best_f1,
    };
    answerable(outcome) && score.is_right()
}

fn thresholded(outcome: &Outcome, score: f64) -> Thresholded {
    Thresholded {
        not_in_document: outcome.not_in_document,
        answerable: answerable(outcome),
        score,
        predicts: !outcome.best.is_empty(),
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Which half a document or question is in: by its hash, so that it does not move when others are added.
#[must_use]
pub fn half(key: &str) -> usize {
    usize::from(Sha256::digest(key.as_bytes())[0] & 1)
}

/// What is split: documents, or questions where there are few documents.
#[must_use]
pub fn split_by(outcomes: &[&Outcome]) -> &'static str {
    let groups: std::collections::BTreeSet<&str> = outcomes.iter().map(|o| o.group.as_str()).collect();
    if groups.len() >= CLUSTERS_FROM {
        "document"
    } else {
        "question"
    }
}

fn split(all: &[&Outcome], exact: &[Thresholded], f1: &[Thresholded]) -> Option<Split> {
    let by = split_by(all);
    let side = |o: &Outcome| half(if by == "document" { &o.group } else { &o.id });
    let sides: Vec<usize> = all.iter().map(|o| side(o)).collect();
    let of = |list: &[Thresholded], which: usize| -> Vec<Thresholded> {
        list.iter()
            .zip(&sides)
            .filter(|(_, side)| **side == which)
            .map(|(t, _)| *t)
            .collect()
    };
    let crossed = |list: &[Thresholded]| {
        let halves = [of(list, 0), of(list, 1)];
        if halves.iter().any(Vec::is_empty) {
            return None;
        }
        let thresholds = [best_threshold(&halves[0]).1, best_threshold(&halves[1]).1];
        let points: f64 = (0..2)
            .map(|i| at_threshold(&halves[i], thresholds[1 - i]) * halves[i].len() as f64)
            .sum();
        Some((points / list.len() as f64, thresholds))
    };
    let ((exact, _), (f1, thresholds)) = (crossed(exact)?, crossed(f1)?);
    Some(Split {
        by,
        f1,
        exact,
        thresholds,
    })
}

/// The figures of the summaries of one system.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SummaryScores {
    /// What made them.
    pub system: String,
    /// How many.
    pub summaries: usize,
    /// How many have a reference.
    pub with_reference: usize,
    /// Mean ROUGE F1, as a percentage with its interval: 1, 2, L, Lsum. `None` without references.
    pub rouge: Option<[Figure; 4]>,
    /// Share of the checks (must mention, must not mention) that pass, as a percentage.
    pub checks_passed: Option<f64>,
    /// Words of the summary for each word of the text.
    pub compression: f64,
    /// Share of the words copied in stretches.
    pub coverage: f64,
    /// How much sentences repeat each other.
    pub redundancy: f64,
    /// Share of the sentences that lean on one that was left out.
    pub dangling: f64,
}

/// Computes the figures of each system, in the order in which they come.
#[must_use]
pub fn summary_scores(outcomes: &[SummaryOutcome]) -> Vec<SummaryScores> {
    let mut systems: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !systems.contains(&outcome.system.as_str()) {
            systems.push(&outcome.system);
        }
    }
    systems
        .into_iter()
        .map(|system| of_system(system, outcomes))
        .collect()
}

fn of_system(system: &str, outcomes: &[SummaryOutcome]) -> SummaryScores {
    let of: Vec<&SummaryOutcome> = outcomes.iter().filter(|o| o.system == system).collect();
    let scored: Vec<_> = of
        .iter()
        .filter_map(|o| o.rouge.map(|rouge| (rouge, o.group.as_str())))
        .collect();
    let groups: Vec<&str> = scored.iter().map(|(_, group)| *group).collect();
    let figure = |pick: fn(&super::rouge::Rouge) -> Prf| {
        let values: Vec<f64> = scored.iter().map(|(rouge, _)| 100.0 * pick(rouge).f1).collect();
        Figure {
            percent: mean(&values).unwrap_or(0.0),
            interval: bootstrap(&values, &groups),
        }
    };
    let average = |value: fn(&SummaryOutcome) -> f64| {
        mean(&of.iter().map(|o| value(o)).collect::<Vec<_>>()).unwrap_or(0.0)
    };
    let passed: Vec<f64> = of
        .iter()
        .filter_map(|o| o.passed)
        .map(|yes| 100.0 * f64::from(u8::from(yes)))
        .collect();
    let sentences: usize = of.iter().map(|o| o.measures.sentences).sum();
    SummaryScores {
        system: system.to_owned(),
        summaries: of.len(),
        with_reference: scored.len(),
        rouge: (!scored.is_empty()).then(|| {
            [
                figure(|r| r.rouge1),
                figure(|r| r.rouge2),
                figure(|r| r.rouge_l),
                figure(|r| r.rouge_lsum),
            ]
        }),
        checks_passed: mean(&passed),
        compression: average(|o| o.measures.compression),
        coverage: average(|o| o.measures.coverage),
        redundancy: average(|o| o.measures.redundancy),
        dangling: of.iter().map(|o| o.measures.dangling).sum::<usize>() as f64 / sentences.max(1) as f64,
    }
}

/// The figures of one tag.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct TagScores {
    /// The tag.
    pub tag: String,
    /// Questions that have it.
    pub questions: usize,
    /// F1 of these, 0 to 100.
    pub f1: f64,
    /// Right ones, 0 to 100.
    pub right: f64,
    /// F1 if every question were answered, those with an answer only.
    pub always_f1: Option<f64>,
}

/// Figures by tag, the most frequent first.
#[must_use]
pub fn by_tag(outcomes: &[Outcome]) -> Vec<TagScores> {
    let mut tags: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        for tag in &outcome.tags {
            tags.entry(tag).or_default().push(outcome);
        }
    }
    let mut all: Vec<TagScores> = tags
        .into_iter()
        .map(|(tag, of)| {
            let over = |value: fn(&Outcome) -> Option<f64>| {
                mean(
                    &of.iter()
                        .filter_map(|o| value(o))
                        .map(|v| 100.0 * v)
                        .collect::<Vec<_>>(),
                )
            };
            TagScores {
                tag: tag.to_owned(),
                questions: of.len(),
                f1: over(|o| Some(o.f1)).unwrap_or(0.0),
                right: over(|o| Some(f64::from(u8::from(o.right)))).unwrap_or(0.0),
                always_f1: over(|o| answerable(o).then_some(o.best_f1)),
            }
        })
        .collect();
    all.sort_by_key(|t| std::cmp::Reverse(t.questions));
    all
}
