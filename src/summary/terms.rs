//! The words of sentences that carry meaning, as numbers, with the counts that weigh them.

use std::collections::HashMap;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

use super::prose::Candidate;
use crate::document::Document;

/// Function words of English: they stand in every sentence and tell none from another.
#[rustfmt::skip]
const FUNCTION_WORDS: &[&str] = &[
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "because", "been", "before", "being", "between", "both", "but", "by", "can", "could", "did", "do",
    "does", "doing", "during", "each", "few", "for", "from", "further", "had", "has", "have", "having",
    "he", "her", "here", "hers", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just",
    "may", "me", "might", "more", "most", "must", "my", "no", "nor", "not", "now", "of", "off", "on",
    "once", "only", "or", "other", "our", "ours", "out", "over", "own", "said", "same", "say", "says",
    "shall", "she", "should", "so", "some", "such", "than", "that", "the", "their", "theirs", "them",
    "then", "there", "these", "they", "this", "those", "through", "to", "too", "under", "until", "up",
    "us", "very", "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom", "whose",
    "why", "will", "with", "would", "you", "your", "yours",
];

/// Whether a word, in lower case, stands in every sentence and tells none from another.
pub(crate) fn is_function_word(folded: &str) -> bool {
    FUNCTION_WORDS.binary_search(&folded).is_ok()
}

/// A word in lower case, apostrophes alike.
pub(crate) fn fold(word: &str) -> String {
    word.to_lowercase().replace('’', "'")
}

/// The stem of a word.
pub(crate) fn stem(word: &str) -> String {
    Stemmer::create(Algorithm::English).stem(&fold(word)).into_owned()
}

/// The stems of the words of `text` that carry meaning, in order.
pub(crate) fn stems(text: &str) -> impl Iterator<Item = String> + '_ {
    let stemmer = Stemmer::create(Algorithm::English);
    text.unicode_words()
        .map(fold)
        .filter(|word| !is_function_word(word))
        .map(move |word| stemmer.stem(&word).into_owned())
}

/// The terms of candidates.
#[derive(Debug, Default)]
pub struct Terms {
    /// Of each candidate: its different terms with how often each stands in it, in the order of the numbers.
    pub(super) of: Vec<Vec<(u32, u32)>>,
    /// In how many candidates each term stands.
    pub(super) frequency: Vec<u32>,
    numbers: HashMap<String, u32>,
}

impl Terms {
    /// The term of a candidate that the fewest candidates have.
    pub(super) fn rarest(&self, index: usize) -> Option<u32> {
        let terms = self.of[index].iter().map(|&(term, _)| term);
        terms.min_by_key(|&term| self.frequency[term as usize])
    }

    /// Reads the sentences of candidates.
    #[must_use]
    pub fn of(documents: &[&Document], candidates: &[Candidate]) -> Self {
        let mut terms = Self::default();
        for candidate in candidates {
            let text = &documents[candidate.document].text()[candidate.span.clone()];
            let mut own: Vec<u32> = stems(text).map(|stem| terms.number(stem)).collect();
            own.sort_unstable();
            let counted: Vec<(u32, u32)> = own
                .chunk_by(|a, b| a == b)
                .map(|same| (same[0], same.len() as u32))
                .collect();
            for &(term, _) in &counted {
                terms.frequency[term as usize] += 1;
            }
            terms.of.push(counted);
        }
        terms
    }

    /// A term's number; new ones count up.
    fn number(&mut self, stem: String) -> u32 {
        let next = self.numbers.len() as u32;
        let number = *self.numbers.entry(stem).or_insert(next);
        if number == next {
            self.frequency.push(0);
        }
        number
    }

    /// The number of a term that some candidate has.
    pub(super) fn find(&self, stem: &str) -> Option<u32> {
        self.numbers.get(stem).copied()
    }

    /// The weight of a term.
    pub(super) fn inverse_frequency(&self, term: u32) -> f64 {
        inverse_frequency(self.of.len() as f64, f64::from(self.frequency[term as usize]))
    }
}

/// ln(1 + (n − df + ½) / (df + ½)), never negative: the weight of a term that `df` of `n` texts have (Robertson and Zaragoza
/// 2009, section 3, with 1 added).
pub(crate) fn inverse_frequency(n: f64, df: f64) -> f64 {
    ((n - df + 0.5) / (df + 0.5)).ln_1p()
}

/// What a term of this weight adds to the BM25 of a text that has it `count` times (Robertson and Zaragoza 2009, section 3.5).
/// `length` is the text's and `mean` that of all texts, in words; `b`, 0 to 1, is how much they matter.
pub(crate) fn bm25(weight: f64, count: f64, length: f64, mean: f64, b: f64) -> f64 {
    /// How fast a term that recurs stops to count: between 1.2 and 2.
    const K1: f64 = 1.2;
    weight * count * (K1 + 1.0) / (count + K1 * (1.0 - b + b * length / mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_words_are_sorted() {
        assert!(FUNCTION_WORDS.is_sorted());
    }

    #[test]
    fn words_are_folded_and_stemmed() {
        let found: Vec<String> = stems("The sanctions; a Sanction was sanctioned, he said.").collect();
        assert_eq!(found, ["sanction", "sanction", "sanction"]);
    }
}
