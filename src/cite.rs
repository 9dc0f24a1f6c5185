//! From a span to the place where a person finds it.

use crate::document::{Document, Span};
use crate::qa::Answer;

/// Quotes a span of a document, with its place in the source.
#[must_use]
pub fn quote(document: &Document, document_index: usize, span: Span, score: f32, confidence: f64) -> Answer {
    let source = document.source_span(&span);
    let position = document.position(source.start);
    Answer {
        text: document.text()[span.clone()].to_owned(),
        confidence,
        score,
        document: document.name().to_owned(),
        source_text: document.source()[source.clone()].to_owned(),
        start_byte: source.start,
        end_byte: source.end,
        line: position.line,
        column: position.column,
        sentence: document.text()[document.sentence_around(&span)].to_owned(),
        page: position.page,
        document_index,
        span,
    }
}
