//! The floor under every answer score: the sentence that shares the rarest words with the question (BM25,
//! with the usual k₁ = 1.2 and b = 0.75), and no model at all.

use std::collections::{HashMap, HashSet};

use super::rouge::tokens;
use crate::document::{Document, Span};
use crate::summary::terms::{bm25, inverse_frequency};

const B: f64 = 0.75;

/// The sentences of a document with their words.
#[derive(Debug)]
pub struct Sentences(Vec<(Span, Vec<String>)>);

impl Sentences {
    /// Splits a document.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let text = document.text();
        let spans = document.sentences().map(|(_, span)| span);
        Self(spans.map(|span| (span.clone(), tokens(&text[span]))).collect())
    }

    /// The first sentences, those of headings aside where there is other text.
    #[must_use]
    pub fn lead(&self, document: &Document, count: usize) -> Vec<Span> {
        let is_text =
            |span: &&Span| document.block_at(span.start).kind != crate::document::BlockKind::Heading;
        let all = self.0.iter().map(|(span, _)| span);
        let lead: Vec<Span> = all.clone().filter(is_text).take(count).cloned().collect();
        if lead.is_empty() {
            all.take(count).cloned().collect()
        } else {
            lead
        }
    }

    /// All sentences, in order.
    pub(super) fn spans(&self) -> impl Iterator<Item = &Span> {
        self.0.iter().map(|(span, _)| span)
    }
}

/// The best sentence for a question: which document, and where. `None` when no word of the question occurs.
#[must_use]
pub fn best_sentence(question: &str, documents: &[&Sentences]) -> Option<(usize, Span)> {
    let wanted: HashSet<String> = tokens(question).into_iter().collect();
    let all = || {
        documents
            .iter()
            .enumerate()
            .flat_map(|(i, d)| d.0.iter().map(move |s| (i, s)))
    };
    let total = all().count() as f64;
    let mean = all().map(|(_, (_, words))| words.len()).sum::<usize>() as f64 / total.max(1.0);
    let mut with: HashMap<&str, f64> = HashMap::new();
    for (_, (_, words)) in all() {
        for word in words
            .iter()
            .filter(|w| wanted.contains(*w))
            .collect::<HashSet<_>>()
        {
            *with.entry(word).or_default() += 1.0;
        }
    }
    let mut best: Option<(f64, usize, &Span)> = None;
    for (document, (span, words)) in all() {
        let mut counts: HashMap<&str, f64> = HashMap::new();
        for word in words.iter().filter(|w| wanted.contains(*w)) {
            *counts.entry(word).or_default() += 1.0;
        }
        // Summed in the order of the words, so that rounding is the same every time.
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(word, _)| *word);
        let score: f64 = counts
            .iter()
            .map(|(word, count)| {
                let n = with.get(word).copied().unwrap_or(0.0);
                let rarity = inverse_frequency(total, n);
                bm25(rarity, *count, words.len() as f64, mean, B)
            })
            .sum();
        if score > best.map_or(0.0, |(s, ..)| s) {
            best = Some((score, document, span));
        }
    }
    best.map(|(_, document, span)| (document, span.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    #[test]
    fn the_rare_word_decides() {
        let document = |text| Document::new("t", text, Format::Plain).unwrap();
        let (a, b) = (
            document("The town has a bridge. The town has a mayor."),
            document("The ferry sank."),
        );
        let (sa, sb) = (Sentences::of(&a), Sentences::of(&b));
        let (index, span) = best_sentence("who is the mayor of the town?", &[&sb, &sa]).unwrap();
        assert_eq!((index, &a.text()[span]), (1, "The town has a mayor."));
        assert_eq!(best_sentence("what?", &[&sa]), None);
        assert_eq!(best_sentence("what?", &[]), None);
    }
}
