//! One question.

use std::time::{Duration, Instant};

use super::documents::{self, Loaded};
use super::json::{self, Line};
use super::plan::Plan;
use super::progress::Bar;
use super::{ANSWERED, ERROR, Environment, NOT_IN_DOCUMENT, Printer};
use crate::document::Document;
use crate::qa::{Answers, Skimmed};
use crate::reader::Reader;
use crate::skim;

pub(super) fn run(question: &str, plan: Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    let started = Instant::now();
    // What can be wrong with the question is told before a gigabyte is read.
    let reader = plan.load(environment)?;
    reader.question(question)?;
    let loaded = documents::load(&plan.source, &plan.read, environment)?;
    loaded.report(plan.quiet, true, environment);
    let documents: Vec<&Document> = loaded.documents.iter().collect();
    note_language(&loaded, "its confidence does", plan.quiet, environment);
    let answers = answer(&reader, question, &documents, &plan, environment)?;
    let mut text = Vec::new();
    if plan.json {
        text = json::line(&Line {
            id: None,
            question,
            answers: &answers,
            sources: loaded.sources(),
            model: reader.model_name(),
            elapsed_ms: milliseconds(started),
        })?;
    } else {
        Printer::new(&plan).answers(&answers, &documents, loaded.unread.len(), &mut text)?;
    }
    environment.print(&text)?;
    Ok(exit_code(&answers, &loaded))
}

/// Answers with a progress bar, listening for Ctrl-C. What is passed over is told.
pub(super) fn answer(
    reader: &Reader,
    question: &str,
    documents: &[&Document],
    plan: &Plan,
    environment: &mut Environment,
) -> crate::Result<Answers> {
    let mut bar = Bar::new(!plan.quiet && environment.error_is_terminal);
    let started = Instant::now();
    let answers = reader.ask_with_progress(question, documents, &plan.options, |progress| {
        bar.update(progress);
        !environment.is_interrupted()
    })?;
    drop(bar);
    match answers.skimmed {
        _ if plan.quiet => {}
        Some(skimmed) => environment.tell(&passed_over(skimmed)),
        None => {
            let bytes: usize = documents.iter().map(|document| document.text().len()).sum();
            let time = started.elapsed();
            if time > LONG && bytes > 2 * skim::LEAST && !plan.options.skim && environment.error_is_terminal {
                environment.tell(&format!(
                    "note: all of the text was read, in {} s; --skim reads only what shares most words with the question",
                    time.as_secs()
                ));
            }
        }
    }
    Ok(answers)
}

/// From so long a reading on, a person is told how to have a shorter one.
const LONG: Duration = Duration::from_secs(15);

fn passed_over(skimmed: Skimmed) -> String {
    let Skimmed {
        passages,
        sharing,
        of,
        ..
    } = skimmed;
    let which = match sharing {
        0 => "the first, since none shares a word with the question",
        n if n < passages => "those that share a word with the question, and the first of the others",
        _ => "those that share most words with the question",
    };
    format!("note: {passages} passages of {of} were read, {which}; --skim=false reads all")
}

/// Says that what holds for English, `what`, does not hold for the language of the text.
pub(super) fn note_language(loaded: &Loaded, what: &str, quiet: bool, environment: &mut Environment) {
    if let (Some(language), false) = (loaded.foreign_language(), quiet) {
        environment.tell(&format!(
            "note: the text looks like {language}; the built-in model reads English, and {what} not hold here"
        ));
    }
}

pub(super) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// "Not in the documents" cannot be said while some of them could not be read.
fn exit_code(answers: &Answers, loaded: &Loaded) -> u8 {
    match (answers.answered, loaded.unread.is_empty()) {
        (true, _) => ANSWERED,
        (false, true) => NOT_IN_DOCUMENT,
        (false, false) => ERROR,
    }
}
