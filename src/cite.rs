//! From a span to the place where a person finds it.

use std::borrow::Cow;

use crate::document::{Document, Position, Span, TableCell};
use crate::qa::{Answer, Cell};
use crate::reply;

/// A span of a document with its place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quotation {
    /// The exact words, a slice of the document's clean text.
    pub text: String,
    /// The bytes of the source that the words were made of.
    pub source_text: String,
    /// Where those stand in the source, in bytes.
    pub source: Span,
    /// Where they begin, for people.
    pub position: Position,
    /// The cells that they stand in, where the document is a spreadsheet ([`Document::cells`]).
    pub cells: Option<String>,
}

/// The longest row that goes with an answer, in bytes with its headings.
const LONGEST_ROW: usize = 3_000;

/// The encoding of a document whose bytes are not those of its source.
pub(crate) fn foreign_encoding(document: &Document) -> Option<&'static str> {
    match (document.encoding(), document.undecoded()) {
        ("UTF-8", 0) => None,
        ("UTF-8", _) => Some("UTF-8, damaged"),
        (encoding, _) => Some(encoding),
    }
}

/// Quotes a span of a document.
///
/// # Panics
/// When it is no span of the document's clean text.
#[must_use]
pub fn quotation(document: &Document, span: &Span) -> Quotation {
    let source = document.source_span(span);
    Quotation {
        text: document.text()[span.clone()].to_owned(),
        source_text: document.source()[source.clone()].to_owned(),
        position: document.position(source.start),
        cells: document.cells(&source),
        source,
    }
}

/// Quotes a span of a document as an answer.
///
/// # Panics
/// As [`quotation`].
#[must_use]
pub fn quote(document: &Document, document_index: usize, span: Span, score: f32, confidence: f64) -> Answer {
    let quotation = quotation(document, &span);
    let text = |span: Span| document.text()[span].to_owned();
    let length = |cell: &TableCell| cell.headings.iter().map(Span::len).sum::<usize>() + cell.span.len();
    let is_short = |row: &Vec<TableCell>| row.iter().map(length).sum::<usize>() <= LONGEST_ROW;
    let row = document.table_row(&span).filter(is_short);
    let sentence = document.sentence_around(&span);
    let row = row.map(|row| {
        row.into_iter()
            .map(|cell| Cell {
                heading: cell.heading(document.text()),
                text: text(cell.span),
            })
            .collect()
    });
    Answer {
        row,
        encoding: foreign_encoding(document).map(Cow::Borrowed),
        text: quotation.text,
        confidence,
        score,
        document: document.name().to_owned(),
        source_text: quotation.source_text,
        start_byte: quotation.source.start,
        end_byte: quotation.source.end,
        line: quotation.position.line,
        column: quotation.position.column,
        offset: span.start - sentence.start,
        sentence: text(sentence),
        page: quotation.position.page,
        cells: quotation.cells,
        introduced_by: document.introductions(&span).into_iter().map(text).collect(),
        followed_by: reply::behind(document, &span).into_iter().map(text).collect(),
        document_index,
        span,
    }
}
