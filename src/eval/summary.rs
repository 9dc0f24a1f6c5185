//! What can be said of a summary without a reference.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::floor::Sentences;
use super::rouge::tokens;
use crate::document::Document;
use crate::summary::opener;

/// The most words of a text in which copied stretches are looked for.
const MOST_WORDS: usize = 20_000;

/// Measures of a summary beside its text. All but `dangling` are shares.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Measures {
    /// Words of the summary for each word of the text.
    pub compression: f64,
    /// Share of its words that stand in the text in stretches of two or more as they do in the summary, after
    /// the fragments of Grusky et al. 2018 (which also count single words).
    pub coverage: f64,
    /// How much of a sentence another sentence of the summary says too: the highest share of common words
    /// over all pairs (Jaccard), averaged over the sentences.
    pub redundancy: f64,
    /// Sentences that lean on one which the summary leaves out ([`opener::leans`]).
    pub dangling: usize,
    /// Sentences.
    pub sentences: usize,
}

/// Measures a summary, one sentence a line.
#[must_use]
pub fn measures(document: &Document, sentences: &Sentences, summary: &str) -> Measures {
    let text = tokens(document.text());
    let lines: Vec<&str> = summary
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let words: Vec<Vec<String>> = lines.iter().map(|line| tokens(line)).collect();
    let total: usize = words.iter().map(Vec::len).sum();
    let share = |part: f64, of: usize| if of == 0 { 0.0 } else { part / of as f64 };
    let all: Vec<&String> = words.iter().flatten().collect();
    Measures {
        compression: share(total as f64, text.len()),
        coverage: share(copied(&text[..text.len().min(MOST_WORDS)], &all) as f64, total),
        redundancy: redundancy(&words),
        dangling: dangling(document, sentences, &lines),
        sentences: lines.len(),
    }
}

/// How many words of the summary are in a stretch of two or more that the text has, too; greedily, the longest
/// stretch from each word on.
fn copied(text: &[String], summary: &[&String]) -> usize {
    let mut at: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (i, pair) in text.windows(2).enumerate() {
        at.entry((&pair[0], &pair[1])).or_default().push(i);
    }
    let (mut i, mut count) = (0, 0);
    while i + 1 < summary.len() {
        let starts = at.get(&(summary[i].as_str(), summary[i + 1].as_str()));
        // A pair that recurs very often is looked at in its first places only.
        let longest = starts.into_iter().flatten().take(64).map(|&start| {
            let same = |(a, b): &(&String, &&String)| a == *b;
            text[start..].iter().zip(&summary[i..]).take_while(same).count()
        });
        match longest.max() {
            Some(length) => {
                count += length;
                i += length;
            }
            None => i += 1,
        }
    }
    count
}

fn redundancy(sentences: &[Vec<String>]) -> f64 {
    let bags: Vec<HashSet<&String>> = sentences.iter().map(|s| s.iter().collect()).collect();
    if bags.len() < 2 {
        return 0.0;
    }
    let highest = |i: usize| {
        let others = bags.iter().enumerate().filter(|(j, _)| *j != i);
        let overlap = |(_, other): (usize, &HashSet<&String>)| {
            let both = bags[i].intersection(other).count();
            let either = bags[i].len() + other.len() - both;
            if either == 0 {
                0.0
            } else {
                both as f64 / either as f64
            }
        };
        others.map(overlap).fold(0.0, f64::max)
    };
    (0..bags.len()).map(highest).sum::<f64>() / bags.len() as f64
}

fn dangling(document: &Document, sentences: &Sentences, lines: &[&str]) -> usize {
    /// What a sentence has before it, and whether a quotation is open where it begins.
    struct Place {
        before: Option<String>,
        in_quotation: bool,
    }
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut places: HashMap<String, Place> = HashMap::new();
    let (mut before, mut block, mut quoting) = (None, None, false);
    for span in sentences.spans() {
        let text = &document.text()[span.clone()];
        // A quotation over several paragraphs opens anew in each.
        let own = document.block_at(span.start).span.start;
        quoting &= block.replace(own) == Some(own);
        let sentence = flat(text);
        let place = Place {
            before: before.replace(sentence.clone()),
            in_quotation: quoting,
        };
        places.insert(sentence, place);
        quoting = opener::quotation_is_open(text, quoting);
    }
    let leans_on_nothing = |i: &usize| {
        let place = places.get(&flat(lines[*i]));
        let before = place.and_then(|place| place.before.as_ref());
        let kept = *i > 0 && before.is_some_and(|before| *before == flat(lines[*i - 1]));
        // The first sentence of the text leans on nothing that could have been kept.
        let first = before.is_none() && document.text().trim_start().starts_with(lines[*i]);
        opener::leans(lines[*i], place.is_some_and(|place| place.in_quotation)) && !kept && !first
    };
    (0..lines.len()).filter(leans_on_nothing).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn of(text: &str, summary: &str) -> Measures {
        let document = Document::new("t", text, Format::Plain).unwrap();
        measures(&document, &Sentences::of(&document), summary)
    }

    const TEXT: &str = "The ferry sank on Monday. It was old. But nobody was hurt. The owner paid.";

    #[test]
    fn openers_dangle_when_the_sentence_before_is_left_out() {
        assert_eq!(of(TEXT, "The ferry sank on Monday.\nIt was old.").dangling, 0);
        assert_eq!(
            of(TEXT, "The ferry sank on Monday.\nBut nobody was hurt.").dangling,
            1
        );
        assert_eq!(of(TEXT, "It was old.").dangling, 1);
        assert_eq!(of("It rained. The ferry sank.", "It rained.").dangling, 0);
        // A date and an expletive point at nothing; the middle of a quotation does.
        let told = "“We left. Nobody stayed,” she said.\n\nIt is unclear why. This week the court decides.";
        assert_eq!(
            of(told, "It is unclear why.\nThis week the court decides.").dangling,
            0
        );
        assert_eq!(of(told, "Nobody stayed,” she said.").dangling, 1);
    }

    #[test]
    fn copies_repeats_and_length_are_counted() {
        let exact = of(TEXT, "The ferry sank on Monday.");
        assert!(
            (exact.coverage - 1.0).abs() < 1e-12 && (exact.compression - 5.0 / 15.0).abs() < 1e-12,
            "{exact:?}"
        );
        assert_eq!(of(TEXT, "Ships sink often.").coverage, 0.0);
        assert_eq!(of(TEXT, "It was old.\nIt was old.").redundancy, 1.0);
        assert_eq!(of(TEXT, "").sentences, 0);
    }
}
