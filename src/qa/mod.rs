//! Questions: from logits to answers.
//!
//! Scores are raw logits: the best span's start plus end, minus the null score of the same window. There
//! is no softmax within a window, so that scores compare across windows and documents (promise 5; Clark
//! and Gardner 2018, section 3, call this the "no-answer option" with shared normalisation left out).

mod asked;
mod bounds;
pub mod calibrate;
pub mod decode;
pub mod merge;
mod wording;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::document::Span;
pub(crate) use asked::{Asked, quoted, undoubted};
use wording::Wording;

/// What documents say to a question.
///
/// It can be read back from its JSON, without `windows`, [`Answer::document_index`] and [`Answer::span`], which are not in it
/// and are then 0 and empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answers {
    /// Whether the documents answer it, as far as the model can tell.
    pub answered: bool,
    /// Probability that the documents do not answer it; where passages were passed over, that those do not which were read.
    pub not_in_document: f64,
    /// How strongly the documents speak for an answer at all: [`decode::evidence`] of the window where it is
    /// greatest. `None` where there was nothing to read.
    pub evidence: Option<f32>,
    /// Whether the probabilities are calibrated; a model without a calibration has uncalibrated ones.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub calibrated: bool,
    /// The candidates, best first, whether or not the question counts as answered.
    pub answers: Vec<Answer>,
    /// Of the best 32 candidates, however many were asked for, the first that says something else than the best answer and is at
    /// least half as sure, or a third where it stands in another document: the documents may say two things, or the model took one
    /// for the other. That there is none does not prove that nothing contradicts the answer. A model that is not calibrated has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rival: Option<Answer>,
    /// What was read, where that was not all: see [`AskOptions::skim`](crate::AskOptions::skim).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skimmed: Option<Skimmed>,
    /// Windows that were read.
    #[serde(skip)]
    pub windows: usize,
}

/// How much of the documents was read for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Skimmed {
    /// Passages that were read, of some 1,000 bytes each.
    pub passages: usize,
    /// Those of them that share a word with the question.
    pub sharing: usize,
    /// Passages that there are. Those of some documents may all have been passed over.
    pub of: usize,
}

/// An answer of a calibrated model that is below this confidence is doubtful: of two like it, hardly one is right.
pub const DOUBTFUL: f64 = 0.4;

/// What documents say to a question, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// They answer it: with [`Answers::best`].
    Answered,
    /// They seem to answer it, but the best answer's confidence is below [`DOUBTFUL`]. A model that is not calibrated
    /// has no such answers.
    Doubtful,
    /// It would be wrong to say that they do not answer it: that they do is likelier than not. But no answer is sure
    /// enough for the model's threshold, or for `min_confidence`.
    Unsure,
    /// They do not answer it, as far as the model can tell.
    NotInDocument,
}

/// Among so many candidates a rival of the best is looked for.
pub(crate) const RIVALS: usize = 32;

/// Below this confidence an answer is one guess of many.
const LEAST_RIVAL: f64 = 0.1;

/// Which of `candidates`, best first, is the rival of the first, as [`Answers::rival`] has it: each with the index of its document, its
/// words and its confidence.
pub(crate) fn rival<'a>(candidates: impl IntoIterator<Item = (usize, &'a str, f64)>) -> Option<usize> {
    let mut candidates = candidates.into_iter().take(RIVALS);
    let (document, best, confidence) = candidates.next()?;
    let said = Wording::of(best);
    let is_rival = |(elsewhere, text, other): (usize, &str, f64)| {
        let least = confidence / if elsewhere == document { 2.0 } else { 3.0 };
        other >= least.max(LEAST_RIVAL) && !said.rewords(&Wording::of(text))
    };
    Some(1 + candidates.position(is_rival)?)
}

fn is_true(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}

impl Answers {
    /// The best answer; `None` where the documents do not answer, as far as the model can tell.
    #[must_use]
    pub fn best(&self) -> Option<&Answer> {
        self.answers.first().filter(|_| self.answered)
    }

    /// What to tell a person: [`best`](Self::best) is there with the first two of [`Verdict`], the closest candidate is
    /// the first of `answers` with the others.
    ///
    /// ```
    /// use quotable::{AskOptions, Document, Format, Reader, Verdict};
    ///
    /// let note = Document::new("note", "The bridge was opened by Mayor Ada Quist in 1931.", Format::Plain)?;
    /// let found = Reader::embedded()?.ask("Who opened the bridge?", &[&note], &AskOptions::default())?;
    /// let told = match (found.verdict(), found.best()) {
    ///     (Verdict::Answered, Some(best)) => best.text.clone(),
    ///     (_, Some(best)) => format!("perhaps {}", best.text),
    ///     (Verdict::Unsure, None) => "I am not sure.".to_owned(),
    ///     (_, None) => "The note does not say.".to_owned(),
    /// };
    /// assert!(told.contains("Ada Quist"));
    /// # Ok::<(), quotable::Error>(())
    /// ```
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.best() {
            Some(best) if self.calibrated && best.confidence < DOUBTFUL => Verdict::Doubtful,
            Some(_) => Verdict::Answered,
            None if self.not_in_document < 0.5 => Verdict::Unsure,
            None => Verdict::NotInDocument,
        }
    }
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cell {
    /// What stands above its column, in the clean text; `None` where there is no row of headings. Of two rows of headings both, with a
    /// space between them: "2023 Budget".
    pub heading: Option<String>,
    /// Its own clean text.
    pub text: String,
}

/// A quotation that may answer a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// The exact words, a slice of the document's clean text.
    pub text: String,
    /// Probability that this is right.
    pub confidence: f64,
    /// Raw score: start + end − null. Answers rank by it, but for those that the question's words speak against.
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
    /// The sentence or sentences around it, from the clean text; of a text without an end to a sentence up to 32 KiB on either side.
    pub sentence: String,
    /// Where `text` begins in `sentence`, in bytes.
    #[serde(default)]
    pub offset: usize,
    /// The page that it begins on, from 1, where the text has pages.
    pub page: Option<usize>,
    /// The cells that it stands in, where the document is a spreadsheet: `Costs!B7`, as [`Document::cells`](crate::Document::cells) has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<String>,
    /// What has to be read before the sentence: see [`Document::introductions`](crate::Document::introductions).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub introduced_by: Vec<String>,
    /// What has to be read behind the sentence: those that follow and deny, retract or restrict it, as far as rules on English
    /// words find them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followed_by: Vec<String>,
    /// The row that it stands in, if it stands in a table and its row has at most 3,000 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<Vec<Cell>>,
    /// The encoding that the document was read in, if it is not UTF-8: then bytes are those of its UTF-8 form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Cow<'static, str>>,
    /// Which of the documents.
    #[serde(skip)]
    pub document_index: usize,
    /// Where it stands in that document's clean text.
    #[serde(skip)]
    pub span: Span,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Format};

    #[test]
    fn answers_are_read_back_from_their_json() {
        let latin = b"| Item | Budget |\n|---|---|\n| Caf\xe9 na\xefve | 400 euro |\n";
        let document = crate::document::read::document("t.md".into(), latin, None).unwrap();
        let at = document.text().find("400").unwrap();
        let mut answers = Answers {
            answered: true,
            not_in_document: 0.25,
            evidence: Some(1.5),
            calibrated: true,
            answers: vec![crate::cite::quote(&document, 0, at..at + 3, 2.5, 0.75)],
            rival: Some(crate::cite::quote(&document, 0, 2..6, 1.5, 0.5)),
            skimmed: Some(Skimmed {
                passages: 64,
                sharing: 9,
                of: 900,
            }),
            windows: 3,
        };
        assert_eq!(answers.answers[0].encoding.as_deref(), Some("windows-1252"));
        assert!(answers.answers[0].row.is_some());
        for calibrated in [true, false] {
            answers.calibrated = calibrated;
            let json = serde_json::to_string(&answers).unwrap();
            let read: Answers = serde_json::from_str(&json).unwrap();
            let mut expected = answers.clone();
            expected.windows = 0;
            expected.answers[0].span = 0..0;
            expected.rival.as_mut().unwrap().span = 0..0;
            assert_eq!(read, expected);
        }
    }

    /// The rival of answers of these words in documents of these indices, with their confidences.
    fn rival(answers: &[(&'static str, usize, f64)]) -> Option<&'static str> {
        let candidates = answers
            .iter()
            .map(|&(text, index, confidence)| (index, text, confidence));
        super::rival(candidates).map(|which| answers[which].0)
    }

    #[test]
    fn a_rival_is_half_as_sure_or_a_third_in_another_document() {
        assert_eq!(rival(&[("six", 0, 0.8), ("five", 0, 0.4)]), Some("five"));
        assert_eq!(rival(&[("six", 0, 0.8), ("five", 0, 0.39)]), None);
        assert_eq!(rival(&[("six", 0, 0.75), ("five", 1, 0.25)]), Some("five"));
        assert_eq!(rival(&[("six", 0, 0.8), ("five", 1, 0.26)]), None);
        assert_eq!(
            rival(&[("six", 0, 0.8), ("two", 0, 0.3), ("five", 1, 0.3)]),
            Some("five")
        );
        assert_eq!(rival(&[("six", 0, 0.12), ("five", 0, 0.09)]), None);
        assert_eq!(rival(&[("six", 0, 0.8)]), None);
        let mut many = vec![("six", 0, 0.3); RIVALS];
        many.push(("five", 0, 0.3));
        assert_eq!(rival(&many), None);
        assert_eq!(rival(&many[1..]), Some("five"));
    }

    #[test]
    fn the_same_in_other_words_is_no_rival() {
        let leases = [
            ("May 31, 2027", 0, 0.84),
            ("31 May 2027", 1, 0.81),
            ("30 June 2028", 2, 0.79),
        ];
        assert_eq!(rival(&leases), Some("30 June 2028"));
        let same = [("Ada Quist", 0, 0.8), ("Mayor Ada Quist of Halden", 1, 0.7)];
        assert_eq!(rival(&same), None);
    }

    #[test]
    fn a_verdict_is_what_a_person_is_told() {
        let document = Document::new("t", "The dam broke.", Format::Plain).unwrap();
        let verdict = |answered, confidence: Option<f64>, not_in_document, calibrated| {
            let quote = |confidence| crate::cite::quote(&document, 0, 4..7, 1.0, confidence);
            let answers = Answers {
                answered,
                not_in_document,
                evidence: None,
                calibrated,
                answers: confidence.map(quote).into_iter().collect(),
                rival: None,
                skimmed: None,
                windows: 1,
            };
            answers.verdict()
        };
        assert_eq!(verdict(true, Some(0.4), 0.9, true), Verdict::Answered);
        assert_eq!(verdict(true, Some(0.39), 0.1, true), Verdict::Doubtful);
        assert_eq!(verdict(true, Some(0.39), 0.1, false), Verdict::Answered);
        assert_eq!(verdict(false, Some(0.9), 0.49, true), Verdict::Unsure);
        assert_eq!(verdict(false, Some(0.9), 0.5, true), Verdict::NotInDocument);
        assert_eq!(verdict(false, None, 1.0, true), Verdict::NotInDocument);
        assert_eq!(
            serde_json::to_string(&Verdict::NotInDocument).unwrap(),
            "\"not_in_document\""
        );
    }
}
