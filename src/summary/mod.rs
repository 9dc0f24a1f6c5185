//! Summaries: whole sentences of documents, chosen by a score under a length.
//!
//! [`prose`] says which sentences can stand in a summary, a [`Scorer`] says how much each belongs there, and
//! [`select`] chooses: no sentence that repeats another, none that cannot be read without what stands before
//! it, unless that comes along. Every sentence of a summary is a slice of its document.

pub mod abstractive;
pub mod attribution;
pub mod claims;
pub mod focus;
pub mod lead;
pub mod opener;
mod passages;
pub mod prose;
mod release;
mod repetition;
pub mod select;
mod side_by_side;
pub mod terms;
pub mod textrank;
pub mod transformer;

use serde::{Deserialize, Serialize};

use crate::cite;
use crate::document::{Document, Span};
use crate::error::{Error, Result};
use crate::reader::Progress;
use focus::{Focus, Occurrences};
use lead::Lead;
use prose::Candidate;
use terms::Terms;
use textrank::TextRank;

/// How long a summary is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Length {
    /// So many sentences at most.
    Sentences(usize),
    /// So many words at most, as `wc -w` counts them, in whole sentences.
    Words(usize),
    /// This share (0 to 1) of the words of the text at most, in whole sentences.
    Share(f64),
}

/// How sentences are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Method {
    /// The first sentences: the floor that every other method has to beat
    Lead,
    /// Sentences that have much in common with the others (Mihalcea and Tarau 2004)
    Textrank,
    /// The local transformer
    Transformer,
}

impl Method {
    /// What scores sentences without a model, for the methods that need none.
    #[must_use]
    pub fn without_model(self) -> Option<&'static dyn Scorer> {
        match self {
            Self::Lead => Some(&Lead),
            Self::Textrank => Some(&TextRank),
            Self::Transformer => None,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct SummaryOptions {
    /// Of each document's summary, or of the one over all.
    pub length: Length,
    /// How [`Reader::summarize`](crate::Reader::summarize) scores sentences; [`summarize`] is given its scorer.
    pub method: Method,
    /// A question or topic; sentences about it are preferred.
    pub focus: Option<String>,
    /// One summary over all documents instead of one for each.
    pub together: bool,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        Self {
            length: Length::Sentences(3),
            method: Method::Transformer,
            focus: None,
            together: false,
        }
    }
}

/// Says how much each sentence belongs into a summary.
pub trait Scorer {
    /// One finite score a candidate, higher is better. `read` is told how many bytes of the documents that the
    /// candidates are of have been read, and ends the work by returning `false`.
    ///
    /// # Errors
    /// When a model cannot read, and [`Error::Interrupted`].
    fn score(
        &self,
        documents: &[&Document],
        candidates: &[Candidate],
        read: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Vec<f64>>;

    /// A score as results show it.
    fn shown(&self, score: f64) -> f64 {
        score
    }

    /// Whether the best sentences are taken as they are scored, whatever they repeat or lean on: a floor to compare with.
    fn is_plain(&self) -> bool {
        false
    }
}

/// Summaries of documents, in their order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// One element a document, also where one summary was made over all of them.
    pub documents: Vec<DocumentSummary>,
}

/// The sentences that were chosen of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DocumentSummary {
    /// The document's name.
    pub document: String,
    /// The encoding that it was read in, if it is not UTF-8: then bytes are those of its UTF-8 form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
    /// In the document's order.
    pub sentences: Vec<SummarySentence>,
    /// Sentences that were not considered: headings, lists, tables, code, captions and the like.
    pub skipped: usize,
    /// Whether there is so little prose that lines were chosen instead of sentences.
    #[serde(skip)]
    pub by_lines: bool,
    /// Where the words of the focus stand; nowhere without one.
    #[serde(skip)]
    pub focus: Occurrences,
}

/// A sentence of a summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SummarySentence {
    /// The exact words, a slice of the document's clean text.
    pub text: String,
    /// How much it belongs into the summary, as the method has it: the transformer's probability, the rank
    /// relative to the mean, one over the place. Compares within one method only.
    pub score: f64,
    /// How much it has to do with the focus, relative to the sentence that has most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevance: Option<f64>,
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
    /// The page that it begins on, from 1, where the text has pages.
    pub page: Option<usize>,
    /// The cells that it stands in, where the document is a spreadsheet: `Costs!B7`, as [`Document::cells`](crate::Document::cells) has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<String>,
    /// Where other documents say the same, in a summary over several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Place>,
    /// Where it stands in the document's clean text.
    #[serde(skip)]
    pub span: Span,
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Place {
    /// The document's name.
    pub document: String,
    /// The line, from 1.
    pub line: usize,
}

/// Summarises documents. `progress` is told now and then how far it is, and stops the work by returning
/// `false`.
///
/// ```
/// use quotable::summary::{Length, SummaryOptions, lead::Lead, summarize};
/// use quotable::{Document, Format};
///
/// let text = "The dam broke on Monday night. Water reached the town in an hour. Nobody was hurt by it.";
/// let document = Document::new("news.txt", text, Format::Plain)?;
/// let options = SummaryOptions { length: Length::Words(8), ..Default::default() };
/// let summary = summarize(&[&document], &Lead, &options, |_| true)?;
/// assert_eq!(summary.documents[0].sentences[0].text, "The dam broke on Monday night.");
/// # Ok::<(), quotable::Error>(())
/// ```
///
/// # Errors
/// When the length is none, the focus has no word in it, no sentence is short enough, or the scorer fails or does not
/// give a finite score for each candidate. Of no documents the summary is empty.
pub fn summarize(
    documents: &[&Document],
    scorer: &dyn Scorer,
    options: &SummaryOptions,
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<Summary> {
    let focus = options.focus.as_deref().map(Focus::new).transpose()?;
    options.length.check()?;
    let total_bytes = documents.iter().map(|d| d.text().len() as u64).sum();
    let mut found = Vec::with_capacity(documents.len());
    for (index, document) in documents.iter().enumerate() {
        if !progress(Progress {
            bytes: 0,
            total_bytes,
        }) {
            return Err(Error::Interrupted);
        }
        found.push(prose::candidates(document, index));
    }
    if options.together
        && found
            .iter()
            .any(|found| !found.by_lines && !found.candidates.is_empty())
    {
        // Lines of a table are no match for sentences.
        for found in found.iter_mut().filter(|found| found.by_lines) {
            found
                .skipped
                .extend(found.candidates.drain(..).map(|candidate| candidate.span));
            found.skipped.sort_unstable_by_key(|span| span.start);
        }
    }
    let mut summary = Summary {
        documents: std::iter::zip(documents, &found)
            .map(|(document, found)| DocumentSummary {
                document: document.name().to_owned(),
                encoding: cite::foreign_encoding(document),
                sentences: Vec::new(),
                skipped: found.skipped.len(),
                by_lines: found.by_lines,
                focus: Occurrences {
                    sentences: 0,
                    skipped: focus.as_ref().map_or(0, |focus| {
                        let has_word = |span: &&Span| focus.is_in(&document.text()[(*span).clone()]);
                        found.skipped.iter().filter(has_word).count()
                    }),
                },
            })
            .collect(),
    };
    let groups: Vec<Vec<Candidate>> = if options.together {
        vec![found.into_iter().flat_map(|f| f.candidates).collect()]
    } else {
        found.into_iter().map(|f| f.candidates).collect()
    };
    let mut bytes_before = 0;
    for candidates in &groups {
        let scores = scorer.score(documents, candidates, &mut |bytes| {
            progress(Progress {
                bytes: bytes_before + bytes,
                total_bytes,
            })
        })?;
        check_scores(&scores, candidates.len())?;
        let texts = candidates.chunk_by(|a, b| a.document == b.document);
        bytes_before += texts
            .map(|c| documents[c[0].document].text().len() as u64)
            .sum::<u64>();
        // Not every scorer tells how far it is.
        if !progress(Progress {
            bytes: bytes_before,
            total_bytes,
        }) {
            return Err(Error::Interrupted);
        }
        let terms = Terms::of(documents, candidates);
        let relevance = focus.as_ref().map(|focus| focus.relevance(&terms));
        for (candidate, _) in
            std::iter::zip(candidates, relevance.iter().flatten()).filter(|(_, r)| **r > 0.0)
        {
            summary.documents[candidate.document].focus.sentences += 1;
        }
        let pool = select::Pool {
            documents,
            candidates,
            terms: &terms,
            scores: &scores,
            relevance: relevance.as_deref(),
            plain: scorer.is_plain() && focus.is_none(),
        };
        let words = options.length.words(documents, candidates);
        let chosen = pool.choose(options.length.sentences(), words);
        let elsewhere = match options.together {
            true => pool.elsewhere(&chosen),
            false => vec![Vec::new(); chosen.len()],
        };
        for (index, also) in std::iter::zip(chosen, elsewhere) {
            let candidate = &candidates[index];
            let place = |&i: &usize| place(documents, &candidates[i]);
            summary.documents[candidate.document]
                .sentences
                .push(SummarySentence {
                    relevance: relevance.as_ref().map(|r| r[index]),
                    also: also.iter().map(place).collect(),
                    ..quote(documents, candidate, scorer.shown(scores[index]))
                });
        }
    }
    if !documents.is_empty() && summary.documents.iter().all(|d| d.sentences.is_empty()) {
        let shortest = groups.iter().flatten().map(|c| c.words).min();
        return Err(Error::SummaryTooShort {
            shortest: shortest.unwrap_or(0),
        });
    }
    Ok(summary)
}

/// A scorer of one's own may give too little, or what does not compare.
fn check_scores(scores: &[f64], candidates: usize) -> Result<()> {
    if scores.len() == candidates && scores.iter().all(|score| score.is_finite()) {
        return Ok(());
    }
    Err(Error::Engine {
        name: "summary".to_owned(),
        reason: "its scorer has to give a finite score for each candidate".to_owned(),
    })
}

impl Length {
    fn check(self) -> Result<()> {
        let bad = |option: &str, value: String, expected| Error::BadOption {
            option: option.to_owned(),
            value,
            expected,
        };
        match self {
            Self::Sentences(0) => Err(bad("sentences", "0".to_owned(), "1 or more")),
            Self::Words(0) => Err(bad("words", "0".to_owned(), "1 or more")),
            Self::Share(share) if !(share > 0.0 && share <= 1.0) => {
                Err(bad("share", share.to_string(), "more than 0, at most 1"))
            }
            _ => Ok(()),
        }
    }

    /// The most sentences.
    fn sentences(self) -> usize {
        match self {
            Self::Sentences(n) => n,
            _ => usize::MAX,
        }
    }

    /// The most words.
    fn words(self, documents: &[&Document], candidates: &[Candidate]) -> usize {
        match self {
            Self::Sentences(_) => usize::MAX,
            Self::Words(n) => n,
            Self::Share(share) => {
                let ours = candidates.chunk_by(|a, b| a.document == b.document);
                let words: usize = ours
                    .map(|c| documents[c[0].document].text().split_whitespace().count())
                    .sum();
                (share * words as f64).ceil() as usize
            }
        }
    }
}

fn quote(documents: &[&Document], candidate: &Candidate, score: f64) -> SummarySentence {
    let quotation = cite::quotation(documents[candidate.document], &candidate.span);
    SummarySentence {
        text: quotation.text,
        score,
        relevance: None,
        source_text: quotation.source_text,
        start_byte: quotation.source.start,
        end_byte: quotation.source.end,
        line: quotation.position.line,
        column: quotation.position.column,
        page: quotation.position.page,
        cells: quotation.cells,
        also: Vec::new(),
        span: candidate.span.clone(),
    }
}

fn place(documents: &[&Document], candidate: &Candidate) -> Place {
    let document = documents[candidate.document];
    let source = document.source_span(&candidate.span);
    Place {
        document: document.name().to_owned(),
        line: document.position(source.start).line,
    }
}

#[cfg(test)]
mod tests {
    use super::abstractive::{self, AbstractiveOptions};
    use super::*;
    use crate::document::Format;
    use crate::engine::scripted::ScriptedGenerator;

    /// Gives these scores, whatever there is.
    struct Gives(&'static [f64]);

    impl Scorer for Gives {
        fn score(
            &self,
            _: &[&Document],
            _: &[Candidate],
            _: &mut dyn FnMut(u64) -> bool,
        ) -> Result<Vec<f64>> {
            Ok(self.0.to_vec())
        }
    }

    #[test]
    fn the_scorer_counts_and_not_the_method_that_options_name() {
        let text = "The dam broke on Monday night. The dam broke on Monday night. Water reached the town in an hour.";
        let document = Document::new("t", text, Format::Plain).unwrap();
        let chosen = |scorer: &dyn Scorer, method| {
            let options = SummaryOptions {
                length: Length::Sentences(2),
                method,
                ..SummaryOptions::default()
            };
            let mut summary = summarize(&[&document], scorer, &options, |_| true).unwrap();
            let sentences = std::mem::take(&mut summary.documents[0].sentences);
            sentences.iter().map(|s| s.span.start).collect::<Vec<usize>>()
        };
        let own = Gives(&[0.9, 0.8, 0.7]);
        assert_eq!(chosen(&own, Method::Lead), chosen(&own, Method::Transformer));
        assert_ne!(chosen(&own, Method::Lead), chosen(&Lead, Method::Transformer));
        assert_eq!(chosen(&Lead, Method::Lead), chosen(&Lead, Method::Transformer));
    }

    #[test]
    fn a_scorer_that_gives_too_little_is_an_error() {
        let text = "The dam broke on Monday night. Water reached the town in an hour.";
        let document = Document::new("t", text, Format::Plain).unwrap();
        let options = SummaryOptions {
            length: Length::Sentences(1),
            ..SummaryOptions::default()
        };
        let summary = |scores| summarize(&[&document], &Gives(scores), &options, |_| true);
        let found = summary(&[1.0, 2.0]).unwrap();
        assert_eq!(
            found.documents[0].sentences[0].text,
            "Water reached the town in an hour."
        );
        let bad: [&[f64]; 5] = [
            &[],
            &[1.0],
            &[1.0, 2.0, 3.0],
            &[1.0, f64::NAN],
            &[f64::INFINITY, 1.0],
        ];
        for scores in bad {
            assert!(matches!(summary(scores), Err(Error::Engine { .. })), "{scores:?}");
        }
    }

    #[test]
    fn of_no_documents_the_summary_is_empty() {
        let generator = ScriptedGenerator::new(100, Vec::new());
        for together in [false, true] {
            let options = SummaryOptions {
                together,
                ..SummaryOptions::default()
            };
            let summary = summarize(&[], &Lead, &options, |_| true).unwrap();
            assert_eq!(summary.documents, []);
            let options = AbstractiveOptions {
                together,
                ..AbstractiveOptions::default()
            };
            let summaries = abstractive::summarize(&[], &generator, &options, |_| true).unwrap();
            assert_eq!(summaries, []);
        }
    }

    #[test]
    fn a_length_of_nothing_is_out_of_range() {
        let document = Document::new("t", "The dam broke.", Format::Plain).unwrap();
        let generator = ScriptedGenerator::new(100, Vec::new());
        for length in [Length::Sentences(0), Length::Words(0), Length::Share(f64::NAN)] {
            let options = SummaryOptions {
                length,
                ..SummaryOptions::default()
            };
            let quoted = summarize(&[&document], &Lead, &options, |_| true);
            assert!(matches!(quoted, Err(Error::BadOption { .. })), "{length:?}");
            let options = AbstractiveOptions {
                length,
                ..AbstractiveOptions::default()
            };
            let written = abstractive::summarize(&[&document], &generator, &options, |_| true);
            assert!(matches!(written, Err(Error::BadOption { .. })), "{length:?}");
        }
    }
}
