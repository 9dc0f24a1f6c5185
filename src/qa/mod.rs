//! Questions: from logits to answers.
//!
//! Scores are raw logits: the best span's start plus end, minus the null score of the same window. There
//! is no softmax within a window, so that scores compare across windows and documents (promise 5; Clark
//! and Gardner 2018, section 3, call this the "no-answer option" with shared normalisation left out).

pub mod calibrate;
pub mod decode;
pub mod merge;

use serde::Serialize;

use crate::document::Span;

/// What documents say to a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answers {
    /// Whether the documents answer it, as far as the model can tell.
    pub answered: bool,
    /// Probability that the documents do not answer it.
    pub not_in_document: f64,
    /// How strongly the documents speak for an answer at all: [`decode::evidence`] of the window where it is
    /// greatest. `None` where there was nothing to read.
    pub evidence: Option<f32>,
    /// Whether the probabilities are calibrated; a model without a calibration has uncalibrated ones.
    #[serde(skip_serializing_if = "is_true")]
    pub calibrated: bool,
    /// The candidates, best first, whether or not the question counts as answered.
    pub answers: Vec<Answer>,
    /// Windows that were read.
    #[serde(skip)]
    pub windows: usize,
}

fn is_true(value: &bool) -> bool {
    *value
}

impl Answers {
    /// The best answer; `None` where the documents do not answer, as far as the model can tell.
    #[must_use]
    pub fn best(&self) -> Option<&Answer> {
        self.answers.first().filter(|_| self.answered)
    }
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// What stands above its column, in the clean text; `None` where there is no row of headings.
    pub heading: Option<String>,
    /// Its own clean text.
    pub text: String,
}

/// A quotation that may answer a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The exact words, a slice of the document's clean text.
    pub text: String,
    /// Probability that this is right.
    pub confidence: f64,
    /// Raw score, for ranking: start + end − null.
    pub score: f32,
    /// The document's name.
    pub document: String,
    /// The bytes `start_byte..end_byte` of the source.
    pub source_text: String,
    /// Where it begins in the source, in bytes.
    pub start_byte: usize,
    /// Where it ends in the source, in bytes.
    pub end_byte: usize,
    /// The line that it begins on, from 1.
    pub line: usize,
    /// The column that it begins in, in characters from 1.
    pub column: usize,
    /// The sentence or sentences around it, from the clean text.
    pub sentence: String,
    /// The page that it begins on, from 1, where the text has pages.
    pub page: Option<usize>,
    /// What has to be read before the sentence: see [`Document::introductions`](crate::Document::introductions).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introduced_by: Vec<String>,
    /// The row that it stands in, if it stands in a table and its row has at most 3,000 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<Vec<Cell>>,
    /// The encoding that the document was read in, if it is not UTF-8: then bytes are those of its UTF-8 form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
    /// Which of the documents.
    #[serde(skip)]
    pub document_index: usize,
    /// Where it stands in that document's clean text.
    #[serde(skip)]
    pub span: Span,
}
