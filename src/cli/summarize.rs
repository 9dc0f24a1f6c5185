//! Summaries of documents.

use std::time::Instant;

use super::args::SummarizeArgs;
use super::ask::{milliseconds, note_language};
use super::documents;
use super::json::{self, SummaryLine};
use super::plan::{self, Plan};
use super::progress::Bar;
use super::render::summary::{Form, SummaryPrinter};
use super::{ANSWERED, ERROR, Environment};
use crate::eval::problem::counted;
use crate::summary::focus::Focus;
use crate::summary::{DocumentSummary, Method, Scorer, Summary, SummaryOptions, summarize};

pub(super) fn run(args: &SummarizeArgs, plan: &Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    let started = Instant::now();
    let options = plan::summary_options(&args.summary, |key| format!("--{key}"))?;
    // What can be wrong with the options is told before a gigabyte is read.
    options.focus.as_deref().map(Focus::new).transpose()?;
    let reader;
    let (scorer, model): (&dyn Scorer, _) = match options.method.without_model() {
        Some(scorer) => (scorer, None),
        None => {
            reader = plan.load(environment)?;
            (&reader, Some(reader.model_name()))
        }
    };
    let loaded = documents::load(&plan.source, &plan.read, environment)?;
    loaded.report(plan.quiet, true, environment);
    let documents = loaded.to_summarise()?;
    let mut bar = Bar::new(!plan.quiet && environment.error_is_terminal);
    let summary = summarize(&documents, scorer, &options, |progress| {
        bar.update(progress);
        !environment.is_interrupted()
    })?;
    drop(bar);
    if options.method == Method::Transformer {
        note_language(&loaded, "its scores do", plan.quiet, environment);
    }
    if !plan.quiet {
        note(&summary, &options, plan.json, environment);
    }
    let mut text = Vec::new();
    if plan.json {
        text = json::line(&SummaryLine {
            id: None,
            documents: &summary.documents,
            sources: loaded.sources(),
            method: options.method,
            model,
            elapsed_ms: milliseconds(started),
        })?;
    } else {
        let form = if args.highlight {
            Form::Highlight
        } else if args.markdown {
            Form::Markdown
        } else if args.bullets || args.scores {
            Form::Bullets
        } else {
            Form::Paragraph
        };
        let printer = SummaryPrinter {
            colour: plan.colour,
            form,
            scores: args.scores,
            together: options.together,
        };
        printer.summary(&summary, &documents, &mut text)?;
    }
    environment.print(&text)?;
    Ok(if loaded.unread.is_empty() { ANSWERED } else { ERROR })
}

/// Tells what is not in the summary, and why.
fn note(summary: &Summary, options: &SummaryOptions, json: bool, environment: &mut Environment) {
    if let Some(focus) = &options.focus {
        note_focus(summary, focus, options.together, environment);
    }
    if !json {
        let by_lines = summary.documents.iter().filter(|d| d.by_lines);
        let (shown, left_out): (Vec<_>, Vec<_>) = by_lines.partition(|d| !d.sentences.is_empty());
        let ends = [
            ("these are lines of it", "these are lines of them"),
            (
                "nothing of it stands beside those of others",
                "nothing of them stands beside those of others",
            ),
        ];
        for (documents, (of_it, of_them)) in std::iter::zip([shown, left_out], ends) {
            match documents[..] {
                [] => {}
                [one] => environment.tell(&format!(
                    "note: {} has hardly any sentences; {of_it}",
                    one.document
                )),
                _ => environment.tell(&format!(
                    "note: {} documents have hardly any sentences; {of_them}",
                    documents.len()
                )),
            }
        }
        note_skipped(summary.documents.iter().map(|d| d.skipped).sum(), environment);
    }
}

/// Tells where the focus is not in a summary.
fn note_focus(summary: &Summary, focus: &str, together: bool, environment: &mut Environment) {
    let lacks = |document: &&DocumentSummary| document.sentences.iter().all(|s| s.relevance == Some(0.0));
    if summary.documents.iter().all(|d| lacks(&d)) {
        let found = summary.documents.iter().map(|d| d.focus);
        let (sentences, skipped) = found.fold((0, 0), |(sentences, skipped), found| {
            (sentences + found.sentences, skipped + found.skipped)
        });
        let without = if sentences > 0 {
            format!(
                "no sentence with a word of the focus \"{focus}\" was chosen: none fits the length or can be read by itself"
            )
        } else if skipped > 0 {
            format!(
                "words of the focus \"{focus}\" stand only in what is left out ({}: headings, lists and the like)",
                counted(skipped, "part")
            )
        } else {
            format!("no sentence has a word of the focus \"{focus}\"")
        };
        environment.tell(&format!("note: {without}; the summary is without one"));
    } else if !together {
        let told = summary.documents.iter().filter(|d| !d.sentences.is_empty());
        let names: Vec<&str> = told.filter(lacks).map(|d| d.document.as_str()).collect();
        let of = match names[..] {
            [] => return,
            [name] => format!("the summary of {name} has"),
            _ => format!("the summaries of {} documents have", names.len()),
        };
        environment.tell(&format!(
            "note: {of} no sentence with a word of the focus \"{focus}\""
        ));
    }
}

/// Tells how much of the documents is no prose.
pub(super) fn note_skipped(skipped: usize, environment: &mut Environment) {
    if skipped > 0 {
        environment.tell(&format!(
            "note: {} of the text left out: headings, lists, tables, code, captions, sentences of three words or fewer",
            counted(skipped, "part")
        ));
    }
}
