//! Relevance to a question or topic.

use super::terms::{Terms, bm25, stems};
use crate::error::{Error, Result};

/// How much the length of a sentence matters to [`bm25`] (between 0.5 and 0.8; sentences differ less in length than documents).
const B: f64 = 0.5;

/// Where the words of a focus stand in a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// How many of the sentences that were considered have one.
    pub sentences: usize,
    /// How many of those that were not considered have one: headings, entries of lists and the like.
    pub skipped: usize,
}

/// A question or topic.
#[derive(Debug, Clone)]
pub struct Focus {
    stems: Vec<String>,
}

impl Focus {
    /// Reads a focus.
    ///
    /// # Errors
    /// [`Error::EmptyFocus`] when it has no word that tells sentences apart.
    pub fn new(text: &str) -> Result<Self> {
        let mut stems: Vec<String> = stems(text).take(256).collect();
        stems.sort_unstable();
        stems.dedup();
        if stems.is_empty() {
            return Err(Error::EmptyFocus);
        }
        Ok(Self { stems })
    }

    /// Whether a text has one of the words.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        stems(text).any(|stem| self.stems.binary_search(&stem).is_ok())
    }

    /// BM25 of each candidate, relative to the highest; 0 everywhere when no candidate has a term.
    #[must_use]
    pub fn relevance(&self, terms: &Terms) -> Vec<f64> {
        let wanted: Vec<u32> = self.stems.iter().filter_map(|s| terms.find(s)).collect();
        let lengths: Vec<f64> = terms
            .of
            .iter()
            .map(|t| t.iter().map(|&(_, n)| f64::from(n)).sum())
            .collect();
        let mean = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
        let scores: Vec<f64> = std::iter::zip(&terms.of, &lengths)
            .map(|(own, length)| {
                let shares = wanted
                    .iter()
                    .filter_map(|term| own.binary_search_by_key(term, |&(t, _)| t).ok())
                    .map(|at| {
                        let (term, count) = (own[at].0, f64::from(own[at].1));
                        bm25(terms.inverse_frequency(term), count, *length, mean, B)
                    });
                shares.sum::<f64>() + 0.0 // The sum of nothing is -0.
            })
            .collect();
        let highest = scores.iter().copied().fold(0.0, f64::max);
        if highest > 0.0 {
            scores.into_iter().map(|s| s / highest).collect()
        } else {
            scores
        }
    }
}
