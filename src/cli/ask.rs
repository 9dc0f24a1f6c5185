//! One question.

use std::time::Instant;

use super::documents::{self, Loaded};
use super::json::{self, Line};
use super::plan::Plan;
use super::progress::Bar;
use super::{ANSWERED, ERROR, Environment, NOT_IN_DOCUMENT, Printer};
use crate::document::Document;
use crate::qa::Answers;
use crate::reader::{AskOptions, Reader};

pub(super) fn run(question: &str, plan: Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    let started = Instant::now();
    // What can be wrong with the question is told before a gigabyte is read.
    let reader = plan.load(environment)?;
    reader.question(question)?;
    let loaded = documents::load(&plan.source, &plan.read, environment)?;
    loaded.report(plan.quiet, environment);
    let documents: Vec<&Document> = loaded.documents.iter().collect();
    note_language(&loaded, "its confidence does", plan.quiet, environment);
    let answers = answer(
        &reader,
        question,
        &documents,
        &plan.options,
        !plan.quiet,
        environment,
    )?;
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
        let printer = Printer {
            colour: plan.colour,
            around: plan.around,
            min_confidence: plan.options.min_confidence,
        };
        printer.answers(&answers, &documents, loaded.unread.len(), &mut text)?;
    }
    environment.print(&text)?;
    Ok(exit_code(&answers, &loaded))
}

/// Answers with a progress bar, listening for Ctrl-C.
pub(super) fn answer(
    reader: &Reader,
    question: &str,
    documents: &[&Document],
    options: &AskOptions,
    show_progress: bool,
    environment: &Environment,
) -> crate::Result<Answers> {
    let mut bar = Bar::new(show_progress && environment.error_is_terminal);
    reader.ask_with_progress(question, documents, options, |progress| {
        bar.update(progress);
        !environment.is_interrupted()
    })
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
