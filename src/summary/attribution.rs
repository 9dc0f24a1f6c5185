//! Where a generated sentence comes from: the sentences of the documents that hold its words.
//!
//! Support is **lexical**. It says which share of a sentence's words, names and numbers the best few source
//! sentences hold, rare words counting more. It does not say that the sentence is true of them: "Ann sued Bob" has
//! full support from "Bob sued Ann", and "was not hurt" from "was hurt". What it finds is what cannot have come
//! from the documents.

use std::collections::HashMap;

use serde::Serialize;

use super::claims::{Claim, ClaimKind, Content, Key, NameWord, Needs};
use super::prose;
use crate::cite;
use crate::document::{Document, Span};

/// Source sentences that count for the support of one sentence.
pub const MOST_SUPPORTING: usize = 3;
/// A further source sentence has to add this share of the sentence's weight.
const LEAST_GAIN: f64 = 0.1;

/// A sentence's support and where it comes from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Attribution {
    /// From 0 to 1: the share of the sentence's content that its best [`MOST_SUPPORTING`] source sentences hold
    /// together. Content is its stems without function words, its numbers and its dates; each counts by its inverse
    /// frequency among the source sentences, those that none has most.
    pub support: f64,
    /// The source sentences: first those that support is counted from, the one that holds most first, then one
    /// for each name, number or date that only others have.
    pub sources: Vec<SourceSentence>,
    /// Names, numbers and dates that the documents do not have.
    pub unsupported: Vec<Unsupported>,
}

/// A sentence of a document that holds words of a generated one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SourceSentence {
    /// The document's name.
    pub document: String,
    /// The exact words, a slice of the document's clean text.
    pub text: String,
    /// The share of the generated sentence's content that it holds alone.
    pub covers: f64,
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
    /// Which of the documents.
    #[serde(skip)]
    pub document_index: usize,
    /// Where it stands in the document's clean text.
    #[serde(skip)]
    pub span: Span,
}

/// A name, number or date that the documents do not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unsupported {
    /// As the generated sentence has it.
    pub text: String,
    /// What it is.
    pub kind: ClaimKind,
    /// Where it begins in the generated sentence, in bytes.
    pub start_byte: usize,
    /// Where it ends in the generated sentence, in bytes.
    pub end_byte: usize,
}

/// The sentences of documents, to be looked up by what they hold.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Each with its document.
    sentences: Vec<(usize, Span)>,
    /// Of each key, the sentences that have it, in order.
    postings: HashMap<Key, Vec<u32>>,
}

/// What has to be found for a sentence: a weight, and the sentences that have it.
struct Term {
    weight: f64,
    holders: Vec<u32>,
}

/// What is found of a claim.
enum Finding {
    /// Each of these has to be cited by one of its sentences.
    Found(Vec<Vec<u32>>),
    /// These parts of the sentence stand nowhere.
    Missing(Vec<Span>),
}

impl Evidence {
    /// Reads all sentences of documents, headings and lists included.
    #[must_use]
    pub fn of(documents: &[&Document]) -> Self {
        let mut evidence = Self::default();
        for (index, document) in documents.iter().enumerate() {
            for span in prose::all_sentences(document) {
                let number = evidence.sentences.len() as u32;
                for key in Content::of(&document.text()[span.clone()]).into_keys() {
                    let holders = evidence.postings.entry(key).or_default();
                    if holders.last() != Some(&number) {
                        holders.push(number);
                    }
                }
                evidence.sentences.push((index, span));
            }
        }
        evidence
    }

    /// Finds what supports a sentence. `documents` are those that this was made of.
    #[must_use]
    pub fn attribute(&self, sentence: &str, documents: &[&Document]) -> Attribution {
        let content = Content::of(sentence);
        let terms = self.terms(&content);
        let total: f64 = terms.iter().map(|term| term.weight).sum();
        let alone = self.gains(&terms, &vec![false; terms.len()]);
        let mut covered = vec![false; terms.len()];
        let mut chosen: Vec<u32> = Vec::new();
        while chosen.len() < MOST_SUPPORTING {
            let Some((best, gain)) = highest(&self.gains(&terms, &covered)) else {
                break;
            };
            if gain <= 0.0 || !chosen.is_empty() && gain < LEAST_GAIN * total {
                break;
            }
            for (term, covered) in terms.iter().zip(&mut covered) {
                *covered |= term.holders.binary_search(&best).is_ok();
            }
            chosen.push(best);
        }
        let held = terms.iter().zip(&covered).filter(|(_, covered)| **covered);
        let held: f64 = held.map(|(term, _)| term.weight).sum();
        let mut unsupported = Vec::new();
        for claim in &content.claims {
            match self.find(claim) {
                Finding::Found(parts) => {
                    for holders in parts {
                        if !chosen.iter().any(|c| holders.binary_search(c).is_ok()) {
                            let best = holders.iter().copied().reduce(|best, other| {
                                if alone[other as usize] > alone[best as usize] {
                                    other
                                } else {
                                    best
                                }
                            });
                            chosen.extend(best);
                        }
                    }
                }
                Finding::Missing(spans) => unsupported.extend(spans.into_iter().map(|span| Unsupported {
                    text: sentence[span.clone()].to_owned(),
                    kind: claim.kind,
                    start_byte: span.start,
                    end_byte: span.end,
                })),
            }
        }
        // An empty sum is -0, which plus 0 is 0.
        let share = |weight: f64| {
            if total > 0.0 {
                (weight / total).min(1.0) + 0.0
            } else {
                0.0
            }
        };
        Attribution {
            support: share(held),
            sources: chosen
                .into_iter()
                .map(|number| self.source(number, share(alone[number as usize]), documents))
                .collect(),
            unsupported,
        }
    }

    /// The different terms of a sentence.
    fn terms(&self, content: &Content) -> Vec<Term> {
        let mut keys: Vec<&[Key]> = content.stems.iter().map(std::slice::from_ref).collect();
        keys.extend(content.claims.iter().filter_map(|claim| match &claim.needs {
            Needs::AnyOf(keys) if !keys.is_empty() => Some(&keys[..]),
            _ => None,
        }));
        keys.sort_unstable();
        keys.dedup();
        let n = self.sentences.len() as f64;
        let term = |keys: &[Key]| {
            let holders = self.union(keys);
            // As in `Terms::inverse_frequency`.
            let df = holders.len() as f64;
            Term {
                weight: ((n - df + 0.5) / (df + 0.5)).ln_1p(),
                holders,
            }
        };
        keys.into_iter().map(term).collect()
    }

    /// What each source sentence holds of the terms that are not covered yet. `[sentences]`
    fn gains(&self, terms: &[Term], covered: &[bool]) -> Vec<f64> {
        let mut gains = vec![0.0; self.sentences.len()];
        for (term, _) in terms.iter().zip(covered).filter(|(_, covered)| !**covered) {
            for &holder in &term.holders {
                gains[holder as usize] += term.weight;
            }
        }
        gains
    }

    fn find(&self, claim: &Claim) -> Finding {
        match &claim.needs {
            Needs::AnyOf(keys) if keys.is_empty() => Finding::Found(Vec::new()),
            Needs::AnyOf(keys) => match self.union(keys) {
                holders if holders.is_empty() => Finding::Missing(vec![claim.span.clone()]),
                holders => Finding::Found(vec![holders]),
            },
            Needs::AllOf(words) => self.find_name(words),
        }
    }

    /// A name is found where all its words stand in one sentence. Its titles may stand in another.
    fn find_name(&self, words: &[NameWord]) -> Finding {
        // A word at the beginning of a sentence that the documents have in lower case is no name.
        let is_common = |word: &&NameWord| {
            word.common
                .as_ref()
                .is_some_and(|key| self.postings.contains_key(key))
        };
        let words: Vec<(&NameWord, Vec<u32>)> = words
            .iter()
            .filter(|word| !is_common(word))
            .map(|word| (word, self.union(&spellings(&word.key))))
            .collect();
        let missing: Vec<Span> = words
            .iter()
            .filter(|(_, holders)| holders.is_empty())
            .map(|(word, _)| word.span.clone())
            .collect();
        if !missing.is_empty() {
            return Finding::Missing(missing);
        }
        let together = |words: &[&(&NameWord, Vec<u32>)]| {
            let (first, rest) = words.split_first()?;
            let mut holders = first.1.clone();
            for (_, others) in rest {
                holders.retain(|holder| others.binary_search(holder).is_ok());
            }
            (!holders.is_empty()).then_some(holders)
        };
        let all: Vec<_> = words.iter().collect();
        let (titles, names): (Vec<_>, Vec<_>) = words.iter().partition(|(word, _)| word.is_title);
        if all.is_empty() {
            Finding::Found(Vec::new())
        } else if let Some(holders) = together(&all) {
            Finding::Found(vec![holders])
        } else if let Some(holders) = together(&names) {
            let titles = titles.into_iter().map(|(_, holders)| holders.clone());
            Finding::Found([holders].into_iter().chain(titles).collect())
        } else if names.is_empty() {
            Finding::Found(titles.into_iter().map(|(_, holders)| holders.clone()).collect())
        } else {
            let whole = names[0].0.span.start..names[names.len() - 1].0.span.end;
            Finding::Missing(Vec::from([whole]))
        }
    }

    /// The sentences that have one of the keys, in order.
    fn union(&self, keys: &[Key]) -> Vec<u32> {
        let postings = keys.iter().filter_map(|key| self.postings.get(key));
        let mut all: Vec<u32> = postings.flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn source(&self, number: u32, covers: f64, documents: &[&Document]) -> SourceSentence {
        let (document_index, span) = self.sentences[number as usize].clone();
        let document = documents[document_index];
        let quotation = cite::quotation(document, &span);
        SourceSentence {
            document: document.name().to_owned(),
            text: quotation.text,
            covers,
            source_text: quotation.source_text,
            start_byte: quotation.source.start,
            end_byte: quotation.source.end,
            line: quotation.position.line,
            column: quotation.position.column,
            page: quotation.position.page,
            cells: quotation.cells,
            document_index,
            span,
        }
    }
}

/// The place of the highest value, the first of equals.
fn highest(values: &[f64]) -> Option<(u32, f64)> {
    let all = values.iter().copied().enumerate();
    let (at, value) = all.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
    Some((at as u32, value))
}

/// The key of a name's word, and those of the country for a people and of a people for the country.
fn spellings(key: &str) -> Vec<Key> {
    let mut keys = vec![key.to_owned()];
    // A stem of four letters and the tilde at least.
    let mut add = |stem: Option<&str>, endings: &[&str]| {
        let stem = stem.filter(|stem| stem.chars().count() > 4);
        keys.extend(
            stem.iter()
                .flat_map(|stem| endings.iter().map(move |e| format!("{stem}{e}"))),
        );
    };
    add(key.strip_suffix("an"), &["a"]);
    add(key.strip_suffix("ian"), &["e", "y", ""]);
    add(key.strip_suffix('a'), &["an"]);
    add(key.strip_suffix(['e', 'y']), &["ian"]);
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    const STORM: &str = "Storm over Elbing\n\nThe dam above Elbing broke on Monday, 3 March 2024. \
        Insurers expect claims of forty million crowns. Mayor Ann Lund blamed the council. \
        Karl Berg of the council said that prices rose by five per cent in Russia.";

    fn attributed(sentence: &str) -> (f64, Vec<String>, Vec<String>) {
        let document = Document::new("storm.txt", STORM, Format::Plain).unwrap();
        let found = Evidence::of(&[&document]).attribute(sentence, &[&document]);
        let sources = found.sources.iter().map(|s| s.text.clone()).collect();
        let unsupported = found.unsupported.iter().map(|u| {
            assert_eq!(u.text, sentence[u.start_byte..u.end_byte]);
            u.text.clone()
        });
        (found.support, sources, unsupported.collect())
    }

    #[test]
    fn a_sentence_of_the_document_has_full_support() {
        let (support, sources, unsupported) = attributed("Insurers expect claims of forty million crowns.");
        assert!((support - 1.0).abs() < 1e-9);
        assert_eq!(sources, ["Insurers expect claims of forty million crowns."]);
        assert!(unsupported.is_empty());
    }

    #[test]
    fn what_is_not_in_the_document_is_marked() {
        for (sentence, expected) in [
            ("Insurers expect claims of 40,000,000 crowns.", &[][..]),
            ("Insurers expect claims of $50 million.", &["$50 million"]),
            ("The dam broke on 3 March.", &[]),
            ("The dam broke on 4 March 2024.", &["4 March 2024"]),
            ("The dam broke on Tuesday.", &["Tuesday"]),
            ("Mayor Lund blamed the council.", &[]),
            ("Mayor Otto Lund blamed the council.", &["Otto"]),
            ("Karl Lund blamed the council.", &["Karl Lund"]),
            ("Smith blamed the council.", &["Smith"]),
            ("Prices rose in Elbing by 5 %.", &[]),
            ("Prices rose by 5.", &["5"]),
            ("Russian prices rose.", &[]),
            ("President Lund spoke.", &["President"]),
            ("The storm hit Elbing.", &[]),
        ] {
            assert_eq!(attributed(sentence).2, expected, "{sentence}");
        }
    }

    #[test]
    fn support_falls_with_what_is_not_said() {
        let all = attributed("The dam above Elbing broke.").0;
        let some = attributed("The dam above Elbing exploded.").0;
        let none = attributed("Quarterly revenue doubled again.").0;
        assert!(all > some && some > none, "{all} {some} {none}");
        assert!(none < 0.01);
        for nothing in ["It was so.", "Quarterly revenue doubled again."] {
            assert_eq!(attributed(nothing).0.to_string(), "0");
        }
    }

    #[test]
    fn every_claim_is_cited_or_marked() {
        let sentence = "Ann Lund, Karl Berg, insurers of 40 million, Elbing and Russia met on Monday.";
        let (_, sources, unsupported) = attributed(sentence);
        assert!(unsupported.is_empty());
        for word in ["Lund", "Berg", "forty million", "Elbing", "Russia", "Monday"] {
            assert!(sources.iter().any(|s| s.contains(word)), "{word}: {sources:?}");
        }
    }

    #[test]
    fn the_sources_of_a_sentence_that_joins_two() {
        let (support, sources, _) = attributed("The dam broke and insurers expect claims.");
        assert_eq!(sources.len(), 2, "{sources:?}");
        assert!((support - 1.0).abs() < 1e-9);
    }
}
