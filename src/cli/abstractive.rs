//! Summaries that a model writes.

use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Context;

use super::args::SummarizeArgs;
use super::ask::milliseconds;
use super::documents::{self, Loaded};
use super::json::{self, GeneratedLine};
use super::plan::{self, Plan};
use super::progress::WritingBar;
use super::render::generated::{Form, GeneratedPrinter};
use super::summarize::note_skipped;
use super::{ANSWERED, ERROR, Environment};
use crate::summary::abstractive::{GeneratedSummary, summarize};

pub(super) fn run(args: &SummarizeArgs, plan: &Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    let started = Instant::now();
    let options = plan::abstractive_options(args)?;
    // The model that ask.toml names reads questions.
    let directory = args.reading.model.as_ref().context(
        "--style abstractive needs a model that writes; name its folder with --model DIR (BART, T5 or Pegasus)",
    )?;
    let generator = plan.load_generator(directory, environment)?;
    let loaded = documents::load(&plan.source, &plan.read, environment)?;
    loaded.report(plan.quiet, true, environment);
    let documents = loaded.to_summarise()?;
    let mut bar = WritingBar::new(!plan.quiet && environment.error_is_terminal);
    let interrupted = &environment.interrupted;
    let summaries = summarize(&documents, &*generator, &options, |writing| {
        bar.update(writing);
        !interrupted.load(Ordering::SeqCst)
    })?;
    drop(bar);
    if !plan.quiet {
        note(&summaries, &loaded, plan.json, environment);
    }
    let mut text = Vec::new();
    if plan.json {
        text = json::line(&GeneratedLine {
            style: "abstractive",
            summaries: &summaries,
            strict: options.strict,
            sources: loaded.sources(),
            model: generator.name(),
            elapsed_ms: milliseconds(started),
        })?;
    } else {
        let form = match (args.markdown, args.bullets) {
            (true, _) => Form::Markdown,
            (_, true) => Form::Bullets,
            _ => Form::Paragraph,
        };
        let printer = GeneratedPrinter {
            colour: plan.colour,
            form,
            model: generator.name(),
        };
        printer.print(&summaries, &mut text)?;
    }
    environment.print(&text)?;
    Ok(if loaded.unread.is_empty() { ANSWERED } else { ERROR })
}

/// Tells what was not read, not read whole, or not kept, and why.
fn note(summaries: &[GeneratedSummary], loaded: &Loaded, json: bool, environment: &mut Environment) {
    if let Some(language) = loaded.foreign_language() {
        environment.tell(&format!(
            "note: the text looks like {language}; support and the marks of names, numbers and dates are made for English"
        ));
    }
    let sum = |of: fn(&GeneratedSummary) -> usize| summaries.iter().map(of).sum::<usize>();
    if !json {
        note_skipped(sum(|s| s.skipped), environment);
    }
    let mut tell = |count: usize, which: &str, what: &str| {
        let are = match count {
            0 => return,
            1 => "sentence is",
            _ => "sentences are",
        };
        environment.tell(&format!("note: {count} {which}{are} {what}"));
    };
    tell(
        sum(|s| s.split),
        "",
        "longer than the model reads, and given to it in parts",
    );
    tell(
        sum(|s| s.dropped.unfinished),
        "generated ",
        "left out: the model did not finish what it wrote",
    );
    tell(
        sum(|s| s.dropped.unsupported),
        "generated ",
        "left out: too little support, or a name, number or date that the documents do not have",
    );
}
