//! Asks the questions of suites, and summarises their documents.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde::Serialize;

use super::answer::{Score, normalise, score};
use super::floor::{self, Sentences};
use super::rouge::{Rouge, rouge_best};
use super::suite::{Question, Suite, SummaryCheck, mentions, occurrences};
use super::summary::{self, Measures};
use crate::document::{Document, Span};
use crate::error::{Error, Result};
use crate::qa::{Answer, Answers};
use crate::reader::{AskOptions, Reader};

/// Questions that are asked one at a time, spread evenly, to measure how long one takes.
const TIMED: usize = 40;
/// When it takes longer than this, the rest is asked side by side.
const TIMED_AT_MOST: Duration = Duration::from_secs(10);
/// Answers that are asked for where a suite has several documents, for recall.
const TOP: usize = 3;

/// What became of a question. A line of the predictions file is one of these.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The suite's name.
    pub suite: String,
    /// The question's id.
    pub id: String,
    /// What was asked.
    pub question: String,
    /// The answer that was given; empty if it was declined.
    pub prediction: String,
    /// The acceptable answers; none if there is no answer to find.
    pub golds: Vec<String>,
    /// Exact match of the prediction, 0 or 1.
    pub exact: u8,
    /// F1 of the prediction.
    pub f1: f64,
    /// Whether it counts as right: an exact match, or F1 ≥ 0.6.
    pub right: bool,
    /// Whether an answer was given.
    pub answered: bool,
    /// Probability that the documents do not answer.
    pub not_in_document: f64,
    /// The best candidate, given or not.
    pub best: String,
    /// Probability that the best candidate is right.
    pub confidence: f64,
    /// Its raw score.
    pub score: f32,
    /// The evidence for an answer.
    pub evidence: f32,
    /// Its exact match, 0 or 1.
    pub best_exact: u8,
    /// Its F1.
    pub best_f1: f64,
    /// Windows that were read.
    pub windows: usize,
    /// Where the best candidate stands.
    pub document: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its first byte in the source.
    pub start_byte: usize,
    /// The byte after it.
    pub end_byte: usize,
    /// Whether the best candidate holds a whole acceptable answer; `None` where there is none.
    pub holds_gold: Option<bool>,
    /// Whether the best candidate stands where the suite says; `None` where it does not say.
    pub right_place: Option<bool>,
    /// The rank of the first candidate from a document that answers, where several are read.
    pub document_rank: Option<usize>,
    /// Whether several documents are read, one of which is known to answer.
    pub recalls: bool,
    /// F1 of the best BM25 sentence.
    pub floor_f1: f64,
    /// Whether that sentence holds a whole acceptable answer; `None` where there is none.
    pub floor_holds_gold: Option<bool>,
    /// The question's tags.
    pub tags: Vec<String>,
    /// Whether a wrong answer fails the gate.
    pub must_pass: bool,
    /// The document, for intervals and splits.
    pub group: String,
    /// Why it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The best candidate with what stands around it.
    #[serde(skip)]
    pub context: Option<Context>,
    /// An acceptable answer with what stands around it.
    #[serde(skip)]
    pub gold_context: Option<Context>,
    /// The suite's file and the question's line in it.
    #[serde(skip)]
    pub defined: (String, usize),
}

/// A stretch of a document with the sentence around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Context {
    /// Before it.
    pub before: String,
    /// The stretch itself.
    pub inside: String,
    /// After it.
    pub after: String,
    /// The document's name and the line.
    pub place: String,
}

impl Context {
    fn of(document: &Document, span: &Span) -> Self {
        let around = document.sentence_around(span);
        let text = document.text();
        let line = document.position(document.source_span(span).start).line;
        Self {
            before: text[around.start..span.start].to_owned(),
            inside: text[span.clone()].to_owned(),
            after: text[span.end..around.end].to_owned(),
            place: format!("{}:{line}", document.name()),
        }
    }
}

/// The outcomes of a run, in the order of the suites.
#[derive(Debug)]
#[non_exhaustive]
pub struct Run {
    /// One for every question.
    pub outcomes: Vec<Outcome>,
    /// Questions that were asked alone: which outcome, and how long it took, in milliseconds.
    pub alone_ms: Vec<(usize, f64)>,
    /// How long all of them took.
    pub elapsed: Duration,
    /// Whether the reader's probabilities were fitted.
    pub calibrated: bool,
}

/// Asks all questions. Some are asked one at a time, to time them; the others side by side. The answers
/// depend on neither. `done` is told the bytes of text that each question had to read, and stops the run by
/// returning `false`. `options.top` does not count: a question of several documents has three answers, for recall, any
/// other one.
///
/// # Errors
/// [`Error::Interrupted`], or when the model cannot read at all.
pub fn ask(
    reader: &Reader,
    suites: &[Suite],
    options: &AskOptions,
    done: impl Fn(u64) -> bool + Sync,
) -> Result<Run> {
    let started = Instant::now();
    let sentences: Vec<Vec<Sentences>> = suites
        .iter()
        .map(|suite| {
            if suite.questions.is_empty() {
                Vec::new()
            } else {
                suite.documents.par_iter().map(Sentences::of).collect()
            }
        })
        .collect();
    let all: Vec<(&Suite, &[Sentences], &Question)> = suites
        .iter()
        .zip(&sentences)
        .flat_map(|(suite, sentences)| suite.questions.iter().map(move |q| (suite, &sentences[..], q)))
        .collect();
    let one = |&(suite, sentences, question): &(&Suite, &[Sentences], &Question)| {
        ask_one(reader, suite, sentences, question, options, &done)
    };
    let mut outcomes: Vec<Option<Outcome>> = vec![None; all.len()];
    let mut alone_ms = Vec::new();
    for k in 0..all.len().min(TIMED) {
        if started.elapsed() > TIMED_AT_MOST {
            break;
        }
        let at = k * all.len() / all.len().min(TIMED);
        let begun = Instant::now();
        outcomes[at] = Some(one(&all[at])?);
        alone_ms.push((at, begun.elapsed().as_secs_f64() * 1e3));
    }
    let rest: Vec<usize> = (0..all.len()).filter(|&i| outcomes[i].is_none()).collect();
    let answered: Result<Vec<_>> = rest.par_iter().map(|&i| one(&all[i])).collect();
    for (i, outcome) in rest.into_iter().zip(answered?) {
        outcomes[i] = Some(outcome);
    }
    Ok(Run {
        outcomes: outcomes.into_iter().flatten().collect(),
        alone_ms,
        elapsed: started.elapsed(),
        calibrated: reader.calibration().is_some(),
    })
}

fn ask_one(
    reader: &Reader,
    suite: &Suite,
    sentences: &[Sentences],
    question: &Question,
    options: &AskOptions,
    done: &(impl Fn(u64) -> bool + Sync),
) -> Result<Outcome> {
    let documents: Vec<&Document> = question.documents.iter().map(|&i| &suite.documents[i]).collect();
    let options = AskOptions {
        top: if documents.len() > 1 { TOP } else { 1 },
        ..options.clone()
    };
    let found = reader.ask_with_progress(&question.question, &documents, &options, |_| done(0));
    if !done(documents.iter().map(|d| d.text().len() as u64).sum()) {
        return Err(Error::Interrupted);
    }
    let (found, error) = match found {
        Ok(found) => (found, None),
        // What is wrong with one question is no reason to lose the others.
        Err(
            error @ (Error::EmptyQuestion | Error::QuestionTooLong { .. } | Error::QuestionTooLarge { .. }),
        ) => {
            let nothing = Answers {
                answered: false,
                not_in_document: 1.0,
                evidence: None,
                calibrated: true,
                answers: Vec::new(),
                rival: None,
                skimmed: None,
                windows: 0,
            };
            (nothing, Some(error.to_string()))
        }
        Err(error) => return Err(error),
    };
    let best = found.answers.first();
    let given = best.filter(|_| found.answered).map_or("", |a| a.text.as_str());
    let candidate = best.map_or("", |a| a.text.as_str());
    let (mut given_score, best_score) = (score(given, &question.golds), score(candidate, &question.golds));
    if error.is_some() {
        given_score = Score::WRONG; // Silence is no answer to what was not asked.
    }
    let recalls = documents.len() > 1 && !question.answering.is_empty();
    let answers_from = |answer: &Answer| {
        question
            .answering
            .contains(&question.documents[answer.document_index])
    };
    let (floor_score, floor_holds) = floor(question, &documents, sentences);
    Ok(Outcome {
        suite: suite.name.clone(),
        id: question.id.clone(),
        question: question.question.clone(),
        prediction: given.to_owned(),
        exact: u8::from(given_score.exact),
        f1: given_score.f1,
        right: given_score.is_right(),
        answered: found.answered,
        not_in_document: found.not_in_document,
        best: candidate.to_owned(),
        confidence: best.map_or(0.0, |a| a.confidence),
        score: best.map_or(0.0, |a| a.score),
        evidence: found.evidence.unwrap_or(0.0),
        best_exact: u8::from(best_score.exact),
        best_f1: best_score.f1,
        windows: found.windows,
        document: best.map_or_else(String::new, |a| a.document.clone()),
        line: best.map_or(0, |a| a.line),
        start_byte: best.map_or(0, |a| a.start_byte),
        end_byte: best.map_or(0, |a| a.end_byte),
        holds_gold: (!question.golds.is_empty()).then(|| holds_gold(candidate, &question.golds)),
        right_place: (!question.places.is_empty())
            .then(|| best.is_some_and(|answer| stands_there(answer, question))),
        document_rank: found
            .answers
            .iter()
            .position(answers_from)
            .map(|i| i + 1)
            .filter(|_| recalls),
        recalls,
        floor_f1: floor_score.f1,
        floor_holds_gold: (!question.golds.is_empty()).then_some(floor_holds),
        tags: question.tags.clone(),
        must_pass: question.must_pass,
        group: question.group.clone(),
        error,
        context: best.map(|answer| Context::of(documents[answer.document_index], &answer.span)),
        gold_context: gold_context(suite, question),
        golds: question.golds.clone(),
        defined: (suite.file.clone(), question.line),
    })
}

fn floor(question: &Question, documents: &[&Document], sentences: &[Sentences]) -> (Score, bool) {
    let sentences: Vec<&Sentences> = question.documents.iter().map(|&i| &sentences[i]).collect();
    let text = match floor::best_sentence(&question.question, &sentences) {
        Some((document, span)) => &documents[document].text()[span],
        None => "",
    };
    (score(text, &question.golds), holds_gold(text, &question.golds))
}

/// Whether a text has all the words of an acceptable answer, one after the other.
fn holds_gold(text: &str, golds: &[String]) -> bool {
    let text = format!(" {} ", normalise(text));
    golds
        .iter()
        .map(|gold| normalise(gold))
        .any(|gold| !gold.is_empty() && text.contains(&format!(" {gold} ")))
}

/// Whether an answer's cited bytes overlap a place where the suite says that the answer stands.
fn stands_there(answer: &Answer, question: &Question) -> bool {
    let document = question.documents[answer.document_index];
    question
        .places
        .iter()
        .any(|(at, range)| *at == document && answer.start_byte < range.end && range.start < answer.end_byte)
}

/// Where the first acceptable answer stands, at one of its places if there are any.
fn gold_context(suite: &Suite, question: &Question) -> Option<Context> {
    let index = question
        .places
        .first()
        .map(|(document, _)| document)
        .or(question.answering.first())?;
    let document = &suite.documents[*index];
    let gold = question
        .golds
        .iter()
        .find(|gold| occurrences(document.text(), gold).next().is_some())?;
    let spans = || occurrences(document.text(), gold);
    let placed = spans().find(|span| {
        let source = document.source_span(span);
        question
            .places
            .iter()
            .any(|(d, range)| d == index && range.start <= source.start && source.start < range.end)
    });
    placed
        .or_else(|| spans().next())
        .map(|span| Context::of(document, &span))
}

/// Something that summarises: the spans of a summary of so many sentences, in the order of the text.
pub type Summariser<'a> = &'a (dyn Fn(&Document, usize) -> Result<Vec<Span>> + Sync);

/// The name of the floor of summaries: the first sentences of the text.
pub const LEAD: &str = "lead";

/// What became of a summary.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SummaryOutcome {
    /// The suite's name.
    pub suite: String,
    /// The check's id.
    pub id: String,
    /// What made the summary.
    pub system: String,
    /// The summary, one sentence a line.
    pub summary: String,
    /// Its ROUGE against the best reference, where there are references.
    pub rouge: Option<Rouge>,
    /// What can be said of it without a reference.
    #[serde(flatten)]
    pub measures: Measures,
    /// What it should mention and does not.
    pub missing: Vec<String>,
    /// What it should not mention and does.
    pub forbidden: Vec<String>,
    /// Whether it mentions what it should and nothing that it should not; `None` where that is not asked.
    pub passed: Option<bool>,
    /// Whether a miss fails the gate.
    pub must_pass: bool,
    /// The document, for intervals.
    pub group: String,
    /// The suite's file and the check's line in it.
    #[serde(skip)]
    pub defined: (String, usize),
}

/// Makes and measures summaries with each system; Lead is always among them, and so is what a file of pairs
/// predicts. `done` is told the bytes of each text, and stops the run by returning `false`: a system that takes
/// long asks as well, and fails with [`Error::Interrupted`].
///
/// # Errors
/// [`Error::Interrupted`], or what a system fails with for the first check that it fails for.
pub fn summarise(
    suites: &[Suite],
    systems: &[(&str, Summariser<'_>)],
    done: impl Fn(u64) -> bool + Sync,
) -> Result<Vec<SummaryOutcome>> {
    let checks: Vec<(&Suite, &SummaryCheck)> = suites
        .iter()
        .flat_map(|suite| suite.summaries.iter().map(move |c| (suite, c)))
        .collect();
    // Checks from here on are not begun: all after the first that failed, or all once it is to stop.
    let end = AtomicUsize::new(usize::MAX);
    let one = |(i, &(suite, check)): (usize, &(&Suite, &SummaryCheck))| {
        if i >= end.load(Ordering::SeqCst) {
            return Ok(Vec::new());
        }
        let outcomes = summarise_one(suite, check, systems, &done);
        match &outcomes {
            Ok(_) => {}
            Err(Error::Interrupted) => end.store(0, Ordering::SeqCst),
            Err(_) => _ = end.fetch_min(i, Ordering::SeqCst),
        }
        outcomes
    };
    // Collected before an error is looked for: of several, rayon would give any.
    let outcomes: Vec<Result<Vec<SummaryOutcome>>> = checks.par_iter().enumerate().map(one).collect();
    let outcomes: Vec<Vec<SummaryOutcome>> = outcomes.into_iter().collect::<Result<_>>()?;
    Ok(outcomes.into_iter().flatten().collect())
}

fn summarise_one(
    suite: &Suite,
    check: &SummaryCheck,
    systems: &[(&str, Summariser<'_>)],
    done: &(impl Fn(u64) -> bool + Sync),
) -> Result<Vec<SummaryOutcome>> {
    let document = &suite.documents[check.document];
    let sentences = Sentences::of(document);
    let mut outcomes = Vec::new();
    let lead = sentences.lead(document, check.sentences);
    outcomes.push(measure(suite, check, LEAD, &lines(document, &lead), &sentences));
    if let Some(prediction) = &check.prediction {
        outcomes.push(measure(suite, check, "prediction", prediction, &sentences));
    }
    for (name, system) in systems {
        let spans = system(document, check.sentences)?;
        outcomes.push(measure(suite, check, name, &lines(document, &spans), &sentences));
    }
    if !done(document.text().len() as u64) {
        return Err(Error::Interrupted);
    }
    Ok(outcomes)
}

/// The sentences of a summary, one a line, as ROUGE-Lsum wants them.
fn lines(document: &Document, spans: &[Span]) -> String {
    let one = |span: &Span| document.text()[span.clone()].replace('\n', " ");
    spans.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn measure(
    suite: &Suite,
    check: &SummaryCheck,
    system: &str,
    text: &str,
    sentences: &Sentences,
) -> SummaryOutcome {
    let document = &suite.documents[check.document];
    let missing: Vec<String> = check
        .must_mention
        .iter()
        .filter(|words| !mentions(text, words))
        .cloned()
        .collect();
    let forbidden: Vec<String> = check
        .must_not_mention
        .iter()
        .filter(|words| mentions(text, words))
        .cloned()
        .collect();
    SummaryOutcome {
        suite: suite.name.clone(),
        id: check.id.clone(),
        system: system.to_owned(),
        rouge: (!check.references.is_empty()).then(|| rouge_best(&check.references, text)),
        measures: summary::measures(document, sentences, text),
        passed: check
            .has_conditions()
            .then_some(missing.is_empty() && forbidden.is_empty()),
        missing,
        forbidden,
        summary: text.to_owned(),
        must_pass: check.must_pass,
        group: document.name().to_owned(),
        defined: (suite.file.clone(), check.line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    /// A suite that asks for a summary of each of so many documents.
    fn suite(checks: usize) -> Suite {
        let text = "The dam broke on Monday. Water reached the town in an hour.";
        let check = |document: usize| SummaryCheck {
            id: document.to_string(),
            document,
            sentences: 1,
            references: Vec::new(),
            prediction: None,
            must_mention: Vec::new(),
            must_not_mention: Vec::new(),
            must_pass: false,
            line: 1,
        };
        Suite {
            documents: (0..checks)
                .map(|i| Document::new(i.to_string(), text, Format::Plain).unwrap())
                .collect(),
            summaries: (0..checks).map(check).collect(),
            name: String::new(),
            file: String::new(),
            sha256: String::new(),
            questions: Vec::new(),
        }
    }

    /// Runs `work` where rayon has this many threads.
    fn on<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(work)
    }

    #[test]
    fn no_summary_is_begun_when_it_is_to_stop() {
        for threads in [1, 3] {
            let (told, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let system = |_: &Document, _: usize| {
                made.fetch_add(1, Ordering::SeqCst);
                Ok(vec![0..24, 25..59])
            };
            let done = |_| {
                told.fetch_add(1, Ordering::SeqCst);
                false
            };
            let run = on(threads, || summarise(&[suite(300)], &[("own", &system)], done));
            assert!(matches!(run, Err(Error::Interrupted)));
            // Each thread may be at one when the first is told.
            assert!((1..=threads).contains(&told.into_inner()));
            assert!((1..=threads).contains(&made.into_inner()));
        }
    }

    #[test]
    fn the_first_check_that_fails_is_the_error() {
        let system = |document: &Document, _: usize| match document.name().parse::<usize>() {
            Ok(i @ (150 | 40 | 299)) => Err(Error::QuestionTooLong { tokens: i, limit: 0 }),
            _ => Ok(vec![0..24, 25..59]),
        };
        for threads in [1, 2, 8] {
            let run = on(threads, || {
                summarise(&[suite(300)], &[("own", &system)], |_| true)
            });
            assert!(matches!(run, Err(Error::QuestionTooLong { tokens: 40, .. })));
        }
        let run = summarise(&[suite(30)], &[("own", &system)], |_| true).unwrap();
        let ids: Vec<&str> = run.iter().step_by(2).map(|o| o.id.as_str()).collect();
        assert_eq!(ids, (0..30).map(|i| i.to_string()).collect::<Vec<_>>());
    }
}
