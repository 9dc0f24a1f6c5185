//! Candidates of all windows of all documents, merged: the best k that neither overlap nor say the same.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};

use super::bounds::{is_mark, whole};
use super::decode::{Candidate, best_span, evidence, next_spans};
use super::wording::Wording;
use crate::document::{Document, Span};
use crate::engine::SpanLogits;
use crate::window::Window;

/// Windows kept for each answer that is asked for, and at least so many of those whose best spans say the
/// same words: else a sentence that recurs would crowd out the rest.
const WINDOWS_AN_ANSWER: usize = 16;
const WINDOWS_OF_THE_SAME: usize = 4;

/// A twentieth of all that speaks for any answer, as a difference of logarithms. Where no span may reach into the next section, what is
/// left of one that the reader meant to is often that section's number.
const LEAST_EVIDENCE_OF_A_MARK: f32 = 3.0;

/// Candidates beside better ones that are asked what they say, for each answer that is asked for: where a text says the same again and
/// again, all of its millions of spans are repetitions.
const LOOKED_AT_FOR_AN_ANSWER: usize = 500;

/// Collects windows with their logits and keeps those that can hold one of the best answers.
#[derive(Debug)]
pub struct Merger {
    answers: usize,
    answer_tokens: usize,
    windows: usize,
    evidence: Option<f32>,
    /// By score of the best span, then by order of arrival, the earlier the better.
    kept: BTreeMap<Key, Kept>,
    /// The keys of kept windows by the words of their best span.
    by_words: HashMap<String, BTreeSet<Key>>,
}

type Key = (OrderedScore, Reverse<usize>);

#[derive(Debug)]
struct Kept {
    document: usize,
    words: String,
    window: Window,
    logits: SpanLogits,
}

/// A finite score as a key.
#[derive(Debug, Clone, Copy, PartialEq)]
struct OrderedScore(f32);

impl Eq for OrderedScore {}

impl PartialOrd for OrderedScore {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OrderedScore {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Merger {
    /// For the best `answers` spans of at most `answer_tokens` tokens.
    #[must_use]
    pub fn new(answers: usize, answer_tokens: usize) -> Self {
        Self {
            answers,
            answer_tokens,
            windows: 0,
            evidence: None,
            kept: BTreeMap::new(),
            by_words: HashMap::new(),
        }
    }

    /// How many windows have been added.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// The greatest [`evidence`] of the windows that have been added; `None` without any that holds text.
    #[must_use]
    pub fn evidence(&self) -> Option<f32> {
        self.evidence
    }

    /// Adds a window of `document`, the `index`th. Windows come in the order of the documents.
    pub fn add(&mut self, index: usize, document: &Document, window: Window, logits: SpanLogits) {
        let order = self.windows;
        self.windows += 1;
        let Some(best) = best_span(&window, &logits, self.answer_tokens) else {
            return;
        };
        let evidence = evidence(&window, &logits, self.answer_tokens);
        self.evidence = Some(self.evidence.map_or(evidence, |greatest| greatest.max(evidence)));
        let key = (OrderedScore(best.score), Reverse(order));
        let words = folded(&document.text()[whole(document, best.span)]);
        let same = self.by_words.entry(words.clone()).or_default();
        same.insert(key);
        if same.len() > self.answers.max(WINDOWS_OF_THE_SAME)
            && let Some(lowest) = same.pop_first()
        {
            self.kept.remove(&lowest);
            if lowest == key {
                return;
            }
        }
        self.kept.insert(
            key,
            Kept {
                document: index,
                words,
                window,
                logits,
            },
        );
        if self.kept.len() > self.answers.saturating_mul(WINDOWS_AN_ANSWER)
            && let Some((lowest, kept)) = self.kept.pop_first()
            && let Some(same) = self.by_words.get_mut(&kept.words)
        {
            same.remove(&lowest);
        }
    }

    /// The best spans with the index of their document, best first.
    ///
    /// Chosen one after the other: each is the best that does not overlap a better one and does not repeat
    /// its words. What a window has to offer is looked at once, from the best down: what does not fit to those
    /// that are chosen will not fit later.
    #[must_use]
    pub fn finish(self, documents: &[&Document]) -> Vec<(usize, Candidate)> {
        let mut offers: Vec<Offers> = self.kept.values().rev().map(Offers::of).collect();
        // The best of each window, or more where it was not looked at yet.
        let first = self.kept.keys().rev().enumerate();
        let mut queue: BinaryHeap<(OrderedScore, Reverse<usize>)> =
            first.map(|(i, (score, _))| (*score, Reverse(i))).collect();
        let mut chosen: Vec<(usize, Candidate)> = Vec::new();
        let mut said: Vec<Said> = Vec::new();
        let looked_at = Cell::new(0);
        let doubted = self.evidence.unwrap_or_default() - LEAST_EVIDENCE_OF_A_MARK;
        let most = self.answers.saturating_mul(LOOKED_AT_FOR_AN_ANSWER);
        while chosen.len() < self.answers
            && looked_at.get() < most
            && let Some((_, Reverse(i))) = queue.pop()
        {
            let index = offers[i].kept.document;
            let document = documents[index];
            let lies_over = |span: &Span, chosen: &[(usize, Candidate)]| {
                let mut own = chosen.iter().filter(|(other, _)| *other == index);
                own.any(|(_, c)| overlap(&c.span, span))
            };
            let is_new = |candidate: &Candidate, chosen: &[(usize, Candidate)], said: &[Said]| {
                !lies_over(&candidate.span, chosen) && {
                    looked_at.update(|count| count + 1);
                    let own = (document.text(), &candidate.span);
                    let is_copy = |(i, c): &(usize, Candidate)| is_copy(own, (documents[*i].text(), &c.span));
                    !repeats(document, &candidate.span, said) && !chosen.iter().any(is_copy)
                }
            };
            if let Some(candidate) = offers[i].best(self.answer_tokens)
                && is_new(candidate, &chosen, &said)
            {
                let mut candidate = candidate.clone();
                offers[i].drop_best();
                // As a whole, it may have come to lie over another, or to say the same.
                candidate.span = whole(document, candidate.span);
                let words = Said::of(&document.text()[candidate.span.clone()]);
                // A question may be after the number of a clause: then most speaks for it.
                let is_none = candidate.score < doubted && is_mark(document, &candidate.span);
                if !is_none && !lies_over(&candidate.span, &chosen) && !words.is_said(&said) {
                    said.push(words);
                    chosen.push((index, candidate));
                }
                if chosen.len() == self.answers {
                    break;
                }
            }
            while looked_at.get() < most
                && let Some(candidate) = offers[i].best(self.answer_tokens)
            {
                if is_new(candidate, &chosen, &said) {
                    queue.push((OrderedScore(candidate.score), Reverse(i)));
                    break;
                }
                offers[i].drop_best();
            }
        }
        chosen
    }
}

/// Spans of a window that are looked for at first, and twice as many each time that none of them fitted.
const OFFERS: usize = 64;

/// What a window has to offer, from the best down.
struct Offers<'a> {
    kept: &'a Kept,
    next: VecDeque<Candidate>,
    count: usize,
    dropped: Option<Candidate>,
}

impl<'a> Offers<'a> {
    fn of(kept: &'a Kept) -> Self {
        Self {
            kept,
            next: VecDeque::new(),
            count: OFFERS,
            dropped: None,
        }
    }

    fn best(&mut self, answer_tokens: usize) -> Option<&Candidate> {
        if self.next.is_empty() {
            let (window, logits) = (&self.kept.window, &self.kept.logits);
            self.next = next_spans(window, logits, answer_tokens, self.dropped.as_ref(), self.count).into();
            self.count *= 2;
        }
        self.next.front()
    }

    fn drop_best(&mut self) {
        self.dropped = self.next.pop_front();
    }
}

fn overlap(a: &Span, b: &Span) -> bool {
    a.start < b.end && b.start < a.end
}

/// Whether one of two spans is a part of the other where its text is copied: "one-fourth" in "No more than one-fourth of the members",
/// which another document has, too.
fn is_copy(a: (&str, &Span), b: (&str, &Span)) -> bool {
    let (part, whole) = if a.1.len() <= b.1.len() { (a, b) } else { (b, a) };
    let words = &whole.0[whole.1.clone()];
    let mut places = words.match_indices(&part.0[part.1.clone()]);
    places.any(|(at, _)| {
        let start = part.1.start.checked_sub(at);
        start
            .and_then(|start| part.0.get(start..))
            .is_some_and(|text| text.starts_with(words))
    })
}

/// What makes two answers the same: their words in lower case, a space before and after each.
fn folded(text: &str) -> String {
    let mut folded = String::from(" ");
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        folded.extend(word.chars().flat_map(char::to_lowercase));
        folded.push(' ');
    }
    folded
}

/// What a better answer says.
struct Said {
    folded: String,
    wording: Wording,
}

impl Said {
    fn of(text: &str) -> Self {
        Self {
            folded: folded(text),
            wording: Wording::of(text),
        }
    }

    fn has(&self, folded: &str) -> bool {
        memchr::memmem::find(self.folded.as_bytes(), folded.as_bytes()).is_some()
    }

    /// Whether a better answer has these words, and none beside them that makes another answer of it, or there are none.
    fn is_said(&self, better: &[Self]) -> bool {
        let is_said = |better: &Self| better.has(&self.folded) && self.wording.is_said_by(&better.wording);
        self.folded.trim().is_empty() || better.iter().any(is_said)
    }
}

/// Whether a span says what a better answer says, or is punctuation. What counts is the whole that would be
/// quoted: the "5" of "-5" is no repetition of "5".
fn repeats(document: &Document, span: &Span, said: &[Said]) -> bool {
    let part = folded(&document.text()[span.clone()]);
    // Most have other words, which are quickly seen.
    if !part.trim().is_empty() && !said.iter().any(|better| better.has(&part)) {
        return false;
    }
    let words = match stands_alone(document.text(), span) {
        true => Said {
            wording: Wording::of(&document.text()[span.clone()]),
            folded: part,
        },
        false => Said::of(&document.text()[whole(document, span.clone())]),
    };
    words.is_said(said)
}

/// Whether a span is words, with white space around them: it is all that would be quoted. What says the same again and again has so
/// many of them that asking [`whole`] would take minutes.
fn stands_alone(text: &str, span: &Span) -> bool {
    let inside = &text[span.clone()];
    let is_word = |c: char| c.is_alphabetic() || matches!(c, ' ' | ',');
    text[..span.start].ends_with(' ')
        && text[span.end..].starts_with(' ')
        && inside.chars().all(is_word)
        && !inside.ends_with([' ', ','])
        && !inside.starts_with([' ', ','])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    #[test]
    fn a_part_of_an_answer_in_a_copy_of_its_text_is_no_other_answer() {
        let (text, other) = ("It has no more than one-fourth.", "It has one-fourth.");
        let copy = format!("# Charter\n\n{text}");
        let span = |text: &str, part: &str| {
            let start = text.find(part).unwrap();
            start..start + part.len()
        };
        let whole = (text, &span(text, "no more than one-fourth"));
        for (of, is_one) in [(&*copy, true), (other, false)] {
            let part = (of, &span(of, "one-fourth"));
            assert_eq!(is_copy(whole, part), is_one, "{of}");
            assert_eq!(is_copy(part, whole), is_one, "{of}");
        }
    }

    #[test]
    fn the_same_words_are_the_same_answer() {
        assert_eq!(folded("Marco Rubio,"), folded("marco rubio"));
        let said = ["Bob Smith of Hull", "£2,400 plus VAT", "€500", "5", "7 ~~8~~"].map(Said::of);
        let repeats = |text: &str, part: &str| {
            let document = Document::new("t", text, Format::Markdown).unwrap();
            let start = document.text().find(part).unwrap();
            super::repeats(&document, &(start..start + part.len()), &said)
        };
        for same in ["— “…”", "Smith", "5", "7"] {
            assert!(repeats(same, same), "{same}");
        }
        for other in ["Smi", "Al Jones", "£400", "£2,400", "£500"] {
            assert!(!repeats(other, other), "{other}");
        }
        assert!(!repeats("at -5 degrees", "5"));
        assert!(!repeats("within 5.5 days", "5"));
    }
}
