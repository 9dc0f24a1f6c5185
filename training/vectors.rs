//! What `train_scorer.py` is trained on: the candidates of documents with their vectors, as `ask summarize` reads them.
//!
//! `vectors OUT [MODEL]` takes one JSON line a document on standard input, `{"id":…,"format":"md"|"txt","text":…}`, and gives one
//! for each on standard output: `{"id":…,"by_lines":…,"sentences":[{"text":…,"section":…,"heading":…}],"headings":[…],"tokens":[…]}`.
//! `heading` is a number among `headings`; `tokens` has the length of each sentence, then of each heading; in the same order their
//! vectors follow each other in OUT, in f16.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;

use half::f16;
use quotable::engine::native::Native;
use quotable::engine::{Engine, Input};
use quotable::model::Model;
use quotable::summary::prose;
use quotable::window::{self, SentenceWindow};
use quotable::{Document, Format, Span};
use serde::Deserialize;
use serde_json::{Value, json};

/// Candidates of a document that are read: more do not fit a summary that people write.
const MOST: usize = 600;

#[derive(Deserialize)]
struct Line {
    id: String,
    format: String,
    text: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (out, model) = match arguments.as_slice() {
        [out] => (out, Model::embedded()?),
        [out, model] => (out, Model::from_directory(Path::new(model))?),
        _ => return Err("usage: vectors OUT [MODEL] < DOCUMENTS.jsonl".into()),
    };
    let engine = Native::new(&model)?;
    let mut out = BufWriter::new(File::create(out)?);
    let mut lines = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let format = if line.format == "md" {
            Format::Markdown
        } else {
            Format::Plain
        };
        let document = Document::new(&line.id, line.text, format)?;
        let mut found = prose::candidates(&document, 0);
        found.candidates.truncate(MOST);
        let (headings, above) = prose::headings(&found.candidates);
        let sentence = |(candidate, heading): (&prose::Candidate, Option<usize>)| {
            let text = &document.text()[candidate.span.clone()];
            json!({ "text": text, "section": candidate.section, "heading": heading })
        };
        let sentences: Vec<Value> = found.candidates.iter().zip(above).map(sentence).collect();
        let spans: Vec<Span> = found.candidates.iter().map(|c| c.span.clone()).collect();
        let mut tokens = read(&document, &engine, &model, &spans, &mut out)?;
        tokens.extend(read(&document, &engine, &model, &headings, &mut out)?);
        let headings: Vec<&str> = headings.into_iter().map(|span| &document.text()[span]).collect();
        let row = json!({ "id": line.id, "by_lines": found.by_lines, "sentences": sentences, "headings": headings, "tokens": tokens });
        writeln!(lines, "{row}")?;
    }
    out.flush()?;
    Ok(())
}

/// Writes the vectors of spans and gives their lengths in tokens.
fn read(
    document: &Document,
    engine: &Native,
    model: &Model,
    spans: &[Span],
    out: &mut impl Write,
) -> Result<Vec<usize>, Box<dyn Error>> {
    let windows: Vec<SentenceWindow> = window::sentence_windows(
        document,
        spans.iter().cloned(),
        &model.tokenizer,
        &model.manifest.limits,
    )
    .collect();
    let inputs: Vec<&Input> = windows.iter().map(|w| &w.input).collect();
    let mut sums = vec![(vec![0.0; model.config.hidden_size], 0); spans.len()];
    let mut at = 0;
    for (window, means) in windows.iter().zip(engine.sentences(&inputs)?) {
        for ((span, mean), range) in window.sentences.iter().zip(means).zip(&window.input.sentences) {
            while spans[at] != *span {
                at += 1;
            }
            let (sum, tokens) = &mut sums[at];
            sum.iter_mut()
                .zip(&mean)
                .for_each(|(s, m)| *s += m * range.len() as f32);
            *tokens += range.len();
        }
    }
    for (sum, tokens) in &sums {
        for value in sum {
            out.write_all(&f16::from_f32(value / (*tokens).max(1) as f32).to_le_bytes())?;
        }
    }
    Ok(sums.into_iter().map(|(_, tokens)| tokens).collect())
}
