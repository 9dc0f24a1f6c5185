//! Which sentences a summary is made of: the best ones, without repetition, that can be read where they stand.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::prose::Candidate;
use super::repetition::{contradict, folded, tells};
use super::terms::Terms;
use crate::document::Document;

/// What is taken off a sentence that leans on one that is not in the summary. This and the values below are
/// in standard deviations of the scores, which makes them the same for every method.
const LEANING: f64 = 1.6;
/// What is taken off a sentence all of whose terms are in another one that was chosen.
const REPETITION: f64 = 0.3;
/// A sentence that has this share of its terms in common with a chosen one repeats it,
pub(super) const REPEATS: f64 = 0.8;
/// and where it does not tell the same, this is taken off: it comes behind all others.
const VARIATION: f64 = 12.0;
/// What is taken off for every sentence that its section has beyond its share.
const CROWDING: f64 = 0.5;
/// What the focus adds to the sentence that has most to do with it: more than scores differ by, so that what was asked
/// for comes first.
const FOCUS: f64 = 12.0;
/// No sentence is worse than this, so that the focus reaches it in a text of which it is unlike the rest.
const LOWEST: f64 = -3.0;
/// A summary in words is full when this share of them is used; what is left is not filled with what happens
/// to be short. Where there is room for all, nothing is left out for that.
const FULL: f64 = 0.85;
/// Terms in more chosen sentences than this are not looked at: they tell none from another.
const MOST_POSTINGS: usize = 64;

/// The candidates of one summary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pool<'a> {
    pub(super) documents: &'a [&'a Document],
    pub(super) candidates: &'a [Candidate],
    pub(super) terms: &'a Terms,
    pub(super) scores: &'a [f64],
    pub(super) relevance: Option<&'a [f64]>,
    /// The first sentences as they come.
    pub(super) plain: bool,
}

/// What may be taken next: a sentence, or a sentence with the one before it, which it leans on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unit {
    index: usize,
    with_previous: bool,
}

/// A unit with what it was worth when it was looked at last. Ordered by value, earlier sentences first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Entry(f64, Unit);

impl Eq for Entry {}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |e: &Self| Reverse((e.1.index, e.1.with_previous));
        self.0
            .total_cmp(&other.0)
            .then_with(|| key(self).cmp(&key(other)))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Pool<'_> {
    /// The chosen candidates in their own order: at most `sentences` of them, of at most `words` words.
    pub(super) fn choose(&self, sentences: usize, words: usize) -> Vec<usize> {
        let mut choice = Choice::new(*self, sentences, words);
        if self.plain {
            for index in 0..self.candidates.len() {
                if !choice.fits(&[index]) {
                    break;
                }
                choice.take(index);
            }
        } else {
            choice.fill();
        }
        choice.chosen.sort_unstable();
        choice.chosen
    }

    /// Of each chosen candidate, those of other documents that tell what it does: they have its rarest term, too.
    pub(super) fn elsewhere(&self, chosen: &[usize]) -> Vec<Vec<usize>> {
        let mut of_term: HashMap<u32, Vec<usize>> = HashMap::new();
        for (place, &index) in chosen.iter().enumerate() {
            let rarest = self.terms.rarest(index).into_iter();
            rarest.for_each(|term| of_term.entry(term).or_default().push(place));
        }
        let mut elsewhere = vec![Vec::new(); chosen.len()];
        for other in 0..self.candidates.len() {
            for (term, _) in &self.terms.of[other] {
                for &place in of_term.get(term).into_iter().flatten() {
                    let index = chosen[place];
                    let is_elsewhere = self.candidates[other].document != self.candidates[index].document;
                    if is_elsewhere && self.tells(other, index) {
                        elsewhere[place].push(other);
                    }
                }
            }
        }
        elsewhere
    }

    /// Whether one candidate tells all that another does.
    fn tells(&self, one: usize, other: usize) -> bool {
        let terms = |i: usize| &self.terms.of[i];
        let has_all = common(terms(one), terms(other)) == terms(other).len();
        has_all && tells(self.text(one), self.text(other))
    }

    fn text(&self, index: usize) -> &str {
        let candidate = &self.candidates[index];
        &self.documents[candidate.document].text()[candidate.span.clone()]
    }

    /// Scores in standard deviations from their mean.
    fn values(&self) -> Vec<f64> {
        let n = self.scores.len().max(1) as f64;
        let mean = self.scores.iter().sum::<f64>() / n;
        let variance = self.scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / n;
        let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        let value = |score: &f64| ((score - mean) / deviation).max(LOWEST);
        self.scores.iter().map(value).collect()
    }

    /// What the focus adds to a candidate.
    fn focus(&self, index: usize) -> f64 {
        self.relevance.map_or(0.0, |relevance| FOCUS * relevance[index])
    }
}

/// How many terms two sorted lists share.
fn common(a: &[(u32, u32)], b: &[(u32, u32)]) -> usize {
    let has = |term: &u32| b.binary_search_by_key(term, |&(t, _)| t).is_ok();
    a.iter().filter(|(term, _)| has(term)).count()
}

/// A summary in the making.
struct Choice<'a> {
    pool: Pool<'a>,
    values: Vec<f64>,
    sentences: usize,
    words: usize,
    /// It is full from so many words on.
    full: f64,
    words_used: usize,
    taken: Vec<bool>,
    chosen: Vec<usize>,
    /// The words of the chosen sentences.
    told: HashSet<String>,
    /// Of each term, the chosen sentences that have it.
    postings: HashMap<u32, Vec<usize>>,
    /// Of each section of each document: its candidates, and how many of them are chosen.
    sections: HashMap<(usize, usize), (usize, usize)>,
}

impl<'a> Choice<'a> {
    fn new(pool: Pool<'a>, sentences: usize, words: usize) -> Self {
        let mut sections: HashMap<(usize, usize), (usize, usize)> = HashMap::new();
        for candidate in pool.candidates {
            sections.entry(section_of(candidate)).or_default().0 += 1;
        }
        let all: usize = pool.candidates.iter().map(|c| c.words).sum();
        Self {
            values: pool.values(),
            sentences,
            words,
            full: if all <= words {
                all as f64
            } else {
                FULL * words as f64
            },
            words_used: 0,
            taken: vec![false; pool.candidates.len()],
            chosen: Vec::new(),
            told: HashSet::new(),
            postings: HashMap::new(),
            sections,
            pool,
        }
    }

    /// Takes the unit that is worth most until the summary is full. A unit's worth falls as others are taken, so
    /// the best is found by looking again at the one that was best; it rises for a sentence whose companion was
    /// taken, which is put in anew.
    fn fill(&mut self) {
        let single = |index| Unit {
            index,
            with_previous: false,
        };
        let mut heap = BinaryHeap::with_capacity(2 * self.taken.len());
        for (index, candidate) in self.pool.candidates.iter().enumerate() {
            let alone = single(index);
            heap.extend(self.worth(alone).map(|worth| Entry(worth, alone)));
            if candidate.leans && candidate.follows {
                let both = Unit {
                    index,
                    with_previous: true,
                };
                heap.extend(self.worth(both).map(|worth| Entry(worth, both)));
            }
        }
        while let Some(Entry(_, unit)) = heap.pop() {
            let Some(worth) = self.worth(unit) else { continue };
            if heap.peek().is_some_and(|next| *next > Entry(worth, unit)) {
                heap.push(Entry(worth, unit));
                continue;
            }
            if unit.with_previous {
                self.take(unit.index - 1);
            }
            self.take(unit.index);
            let next = unit.index + 1;
            if self
                .pool
                .candidates
                .get(next)
                .is_some_and(|c| c.leans && c.follows)
            {
                heap.extend(self.worth(single(next)).map(|worth| Entry(worth, single(next))));
            }
            if self.is_full() {
                break;
            }
        }
    }

    fn is_full(&self) -> bool {
        self.chosen.len() >= self.sentences || self.words_used as f64 >= self.full
    }

    fn fits(&self, indices: &[usize]) -> bool {
        let words: usize = indices.iter().map(|&i| self.pool.candidates[i].words).sum();
        self.chosen.len() + indices.len() <= self.sentences && self.words_used + words <= self.words
    }

    /// What a unit adds to the summary; `None` when it repeats what is there, or has no room.
    fn worth(&self, unit: Unit) -> Option<f64> {
        let Unit { index, with_previous } = unit;
        if self.taken[index] {
            return None;
        }
        let candidate = &self.pool.candidates[index];
        if with_previous {
            let previous = index - 1;
            let leans_further = self.pool.candidates[previous].leans;
            if self.taken[previous] || leans_further || !self.fits(&[previous, index]) {
                return None;
            }
            // The sentence that says who "he" is need not be about what is asked for.
            let focus = self.pool.focus(previous).max(self.pool.focus(index));
            return Some((self.bare_worth(previous)? + self.bare_worth(index)?) / 2.0 + focus);
        }
        if !self.fits(&[index]) {
            return None;
        }
        let accompanied = candidate.follows && self.taken[index - 1];
        let leaning = if candidate.leans && !accompanied {
            LEANING
        } else {
            0.0
        };
        Some(self.bare_worth(index)? + self.pool.focus(index) - leaning)
    }

    /// What a sentence is worth whatever it leans on and whatever the focus is.
    fn bare_worth(&self, index: usize) -> Option<f64> {
        if self.is_told(index) {
            return None;
        }
        let (repeated, by) = self.repeated(index);
        let variation = if repeated < REPEATS || by.is_some_and(|by| self.contradicts(by, index)) {
            0.0
        } else {
            VARIATION
        };
        let (size, chosen) = self.sections[&section_of(&self.pool.candidates[index])];
        // A section's share of what is chosen once this sentence is, at least one sentence.
        let total = (self.chosen.len() + 1) as f64;
        let due = (total * size as f64 / self.taken.len() as f64).max(1.0);
        let crowding = (chosen as f64 + 1.0 - due).max(0.0);
        Some(self.values[index] - REPETITION * repeated - CROWDING * crowding - variation)
    }

    /// Whether two documents tell the same differently: the reader is to know both.
    fn contradicts(&self, chosen: usize, index: usize) -> bool {
        let document = |i: usize| self.pool.candidates[i].document;
        document(chosen) != document(index) && contradict(self.pool.text(chosen), self.pool.text(index))
    }

    /// The largest share of a sentence's terms that stands in one chosen sentence, and which that is.
    fn repeated(&self, index: usize) -> (f64, Option<usize>) {
        let own = &self.pool.terms.of[index];
        let mut common: HashMap<usize, usize> = HashMap::new();
        for (term, _) in own {
            let postings = self.postings.get(term).map_or(&[][..], Vec::as_slice);
            if postings.len() <= MOST_POSTINGS {
                for &chosen in postings {
                    *common.entry(chosen).or_default() += 1;
                }
            }
        }
        let most = common
            .into_iter()
            .max_by_key(|&(chosen, shared)| (shared, Reverse(chosen)));
        let (by, shared) = most.unzip();
        (shared.unwrap_or(0) as f64 / own.len().max(1) as f64, by)
    }

    /// Whether a chosen sentence tells all that this one does. The same words are found whatever else is chosen, more words among
    /// the first that have its rarest term.
    fn is_told(&self, index: usize) -> bool {
        if self.told.is_empty() {
            return false;
        }
        let rarest = self.pool.terms.rarest(index);
        let chosen = rarest.and_then(|term| self.postings.get(&term));
        let mut chosen = chosen.into_iter().flatten().take(MOST_POSTINGS);
        self.told.contains(&folded(self.pool.text(index)))
            || chosen.any(|&chosen| self.pool.tells(chosen, index))
    }

    fn take(&mut self, index: usize) {
        let candidate = &self.pool.candidates[index];
        self.taken[index] = true;
        self.words_used += candidate.words;
        self.chosen.push(index);
        self.told.insert(folded(self.pool.text(index)));
        for &(term, _) in &self.pool.terms.of[index] {
            self.postings.entry(term).or_default().push(index);
        }
        if let Some((_, chosen)) = self.sections.get_mut(&section_of(candidate)) {
            *chosen += 1;
        }
    }
}

/// Sections are numbered document by document.
fn section_of(candidate: &Candidate) -> (usize, usize) {
    (candidate.document, candidate.section)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Format};
    use crate::summary::prose;
    use proptest::prelude::*;

    /// Chooses from sentences with these scores.
    fn chosen(text: &str, scores: &[f64], sentences: usize, words: usize) -> Vec<usize> {
        let document = Document::new("t", text, Format::Plain).unwrap();
        let candidates = prose::candidates(&document, 0).candidates;
        assert_eq!(candidates.len(), scores.len(), "{candidates:?}");
        let terms = Terms::of(&[&document], &candidates);
        let pool = Pool {
            documents: &[&document],
            candidates: &candidates,
            terms: &terms,
            scores,
            relevance: None,
            plain: false,
        };
        pool.choose(sentences, words)
    }

    const STORM: &str = "The dam above Elbing broke on Monday. Water reached the town within an hour. \
        The dam above Elbing broke on Monday night. He blamed the council for everything. Insurers expect claims of forty millions.";

    #[test]
    fn what_repeats_is_not_taken() {
        assert_eq!(
            chosen(STORM, &[5.0, 1.0, 4.9, 0.0, 2.0], 3, usize::MAX),
            [0, 1, 4]
        );
        // Where there is room, what differs in a word is told after all, and what is told already is not.
        assert_eq!(
            chosen(STORM, &[5.0, 1.0, 4.9, 0.0, 2.0], 9, usize::MAX),
            [0, 1, 2, 3, 4]
        );
        assert_eq!(
            chosen(STORM, &[4.9, 1.0, 5.0, 0.0, 2.0], 9, usize::MAX),
            [1, 2, 3, 4]
        );
    }

    #[test]
    fn what_leans_is_taken_with_what_it_leans_on_or_left() {
        let text = "Mayor Ann Lund opened the meeting. She resigned over the broken dam. Taxes rise in March next year. Schools stay closed for now.";
        // Worth more than the alternatives together with its companion,
        assert_eq!(chosen(text, &[1.0, 3.0, 1.2, 0.0], 2, usize::MAX), [0, 1]);
        // and less than they alone.
        assert_eq!(chosen(text, &[-2.0, 1.3, 1.2, 1.0], 2, usize::MAX), [2, 3]);
    }

    #[test]
    fn words_are_a_limit_and_are_not_filled_with_scraps() {
        assert_eq!(chosen(STORM, &[3.0, 2.0, 0.0, 0.0, 1.0], 9, 14), [0, 1]);
        assert_eq!(chosen(STORM, &[3.0, 2.0, 0.0, 0.0, 1.0], 9, 15), [0, 1]);
        assert!(chosen(STORM, &[3.0, 2.0, 0.0, 0.0, 1.0], 9, 3).is_empty());
    }

    #[test]
    fn where_there_is_room_for_all_words_nothing_is_left_out() {
        let text = "The tea of Doctor Blum is sold in Graz. A study proved that 93 per cent of patients recovered. Graz has never heard of Doctor Blum.";
        let words = text.split_whitespace().count();
        assert_eq!(chosen(text, &[2.0, 1.0, 0.0], 9, words), [0, 1, 2]);
        assert_eq!(chosen(text, &[2.0, 1.0, 0.0], 9, words - 1), [0, 1]);
    }

    #[test]
    fn the_sentence_with_most_of_the_focus_comes_first_and_with_what_it_leans_on() {
        let text = "Mayor Ann Lund opened the meeting. She resigned over the broken dam. Taxes rise in March next year. The dam is old.";
        let document = Document::new("t", text, Format::Plain).unwrap();
        let candidates = prose::candidates(&document, 0).candidates;
        let terms = Terms::of(&[&document], &candidates);
        let chosen = |scores: &[f64], relevance: &[f64], sentences| {
            let pool = Pool {
                documents: &[&document],
                candidates: &candidates,
                terms: &terms,
                scores,
                relevance: Some(relevance),
                plain: false,
            };
            pool.choose(sentences, usize::MAX)
        };
        assert_eq!(chosen(&[0.0, -3.0, 1.0, 9.0], &[0.0, 1.0, 0.0, 0.5], 1), [1]);
        assert_eq!(chosen(&[0.0, -3.0, 1.0, 1.0], &[0.0, 1.0, 0.0, 0.5], 2), [0, 1]);
    }

    proptest! {
        /// The heap finds what looking at every unit at every step finds.
        #[test]
        fn the_heap_is_a_shortcut(
            scores in prop::collection::vec(-3.0..3.0f64, 6..24),
            words in prop::collection::vec("[a-f]{2}", 24 * 4),
            leans in prop::collection::vec(any::<bool>(), 24),
            sentences in 1usize..8,
        ) {
            let sentence = |i: usize| format!("{} {}.\n", if leans[i] { "He" } else { "Mayors" }, words[i * 4..][..4].join(" "));
            let text: String = (0..scores.len()).map(sentence).collect();
            let document = Document::new("t", text, Format::Plain).unwrap();
            let candidates = prose::candidates(&document, 0).candidates;
            prop_assume!(candidates.len() == scores.len());
            let terms = Terms::of(&[&document], &candidates);
            let pool = Pool { documents: &[&document], candidates: &candidates, terms: &terms, scores: &scores, relevance: None, plain: false };
            let mut slow = Choice::new(pool, sentences, usize::MAX);
            while !slow.is_full() {
                let units = (0..scores.len()).flat_map(|index| [false, true].map(|with_previous| Unit { index, with_previous }));
                let units = units.filter(|u| !u.with_previous || candidates[u.index].leans && candidates[u.index].follows);
                let best = units.filter_map(|u| slow.worth(u).map(|w| Entry(w, u))).max();
                let Some(Entry(_, unit)) = best else { break };
                if unit.with_previous { slow.take(unit.index - 1); }
                slow.take(unit.index);
            }
            slow.chosen.sort_unstable();
            prop_assert_eq!(pool.choose(sentences, usize::MAX), slow.chosen);
        }
    }
}
