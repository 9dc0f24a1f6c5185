//! JSON Lines: the contract of `ask --json` and `ask batch`.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};
use serde_json::value::RawValue;

use super::documents::UnreadNote;
use super::render::is_hidden_control;
use crate::qa::Answers;
use crate::summary::abstractive::GeneratedSummary;
use crate::summary::{DocumentSummary, Method, SummarySentence};

/// What the documents are, and what of them was not read.
#[derive(Debug, Serialize)]
pub(super) struct Sources<'a> {
    pub(super) unread: &'a [UnreadNote],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) left_out: Vec<LeftOut<'a>>,
    pub(super) skipped: u64,
    pub(super) language: Option<&'static str>,
}

/// Something in a document that was not read.
#[derive(Debug, Serialize)]
pub(super) struct LeftOut<'a> {
    pub(super) document: &'a str,
    pub(super) what: &'static str,
    pub(super) count: usize,
}

/// What is printed for a question.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    /// `None` leaves it out, `Some(None)` is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Option<&'a RawValue>>,
    pub(super) question: &'a str,
    #[serde(flatten)]
    pub(super) answers: &'a Answers,
    #[serde(flatten)]
    pub(super) sources: Sources<'a>,
    pub(super) model: &'a str,
    pub(super) elapsed_ms: u64,
}

/// What is printed for a summary.
#[derive(Debug, Serialize)]
pub(super) struct SummaryLine<'a> {
    /// As in [`Line`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Option<&'a RawValue>>,
    pub(super) documents: &'a [DocumentSummary],
    #[serde(flatten)]
    pub(super) sources: Sources<'a>,
    pub(super) method: Method,
    /// `null` for a method without one.
    pub(super) model: Option<&'a str>,
    pub(super) elapsed_ms: u64,
}

/// What is printed for the summary of a text that came with its line: no document to name.
#[derive(Debug, Serialize)]
pub(super) struct ContextSummaryLine<'a> {
    id: Option<Option<&'a RawValue>>,
    sentences: &'a [SummarySentence],
    skipped: usize,
    language: Option<&'static str>,
    method: Method,
    model: Option<&'a str>,
    elapsed_ms: u64,
}

impl<'a> SummaryLine<'a> {
    pub(super) fn of_context(&self, context: &'a DocumentSummary) -> ContextSummaryLine<'a> {
        ContextSummaryLine {
            id: self.id,
            sentences: &context.sentences,
            skipped: context.skipped,
            language: self.sources.language,
            method: self.method,
            model: self.model,
            elapsed_ms: self.elapsed_ms,
        }
    }
}

/// What is printed for summaries that a model wrote. There is no key of an extractive one that holds their words.
#[derive(Debug, Serialize)]
pub(super) struct GeneratedLine<'a> {
    pub(super) style: &'static str,
    pub(super) summaries: &'a [GeneratedSummary],
    pub(super) strict: bool,
    #[serde(flatten)]
    pub(super) sources: Sources<'a>,
    pub(super) model: &'a str,
    pub(super) elapsed_ms: u64,
}

/// What is printed for a line of input that could not be answered.
#[derive(Debug, Serialize)]
pub(super) struct ErrorLine<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) error: &'a str,
}

/// One line with its line feed. Whole, so that it can be written at once.
pub(super) fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(512);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Harmless))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Compact JSON in which characters that could steer a terminal are escaped: serde escapes the control
/// characters of ASCII, this also DEL, those of Latin-1, and the invisible marks of direction.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|&(_, c)| is_hidden_control(c)) {
            CompactFormatter.write_string_fragment(writer, &rest[..at])?;
            write!(writer, "\\u{:04x}", u32::from(c))?;
            rest = &rest[at + c.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }

    /// An id as it was written. Outside of strings JSON has none of these characters.
    fn write_raw_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.write_string_fragment(writer, fragment)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn controls_are_escaped_and_read_back() {
        let text = "a\u{1b}[31m\u{202e}b\u{9b}c\u{7f}é\u{2066}";
        let line = String::from_utf8(super::line(&text).unwrap()).unwrap();
        assert_eq!(line, "\"a\\u001b[31m\\u202eb\\u009bc\\u007fé\\u2066\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
