//! What can be said of a summary without a reference.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::floor::Sentences;
use super::rouge::tokens;
use crate::document::Document;

/// Words that lean on the sentence before: at the beginning of a sentence whose predecessor is not there, they
/// point at nothing.
const OPENERS: [&str; 39] = [
    "he",
    "she",
    "it",
    "they",
    "his",
    "her",
    "its",
    "their",
    "him",
    "them",
    "this",
    "that",
    "these",
    "those",
    "such",
    "but",
    "and",
    "or",
    "so",
    "yet",
    "however",
    "therefore",
    "thus",
    "hence",
    "moreover",
    "furthermore",
    "also",
    "meanwhile",
    "instead",
    "otherwise",
    "nevertheless",
    "nonetheless",
    "then",
    "besides",
    "consequently",
    "similarly",
    "still",
    "both",
    "neither",
];

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
    /// Sentences that begin with a word that leans on a sentence which the summary leaves out.
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
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let before: HashMap<String, String> = {
        let all: Vec<String> = sentences
            .spans()
            .map(|span| flat(&document.text()[span.clone()]))
            .collect();
        all.windows(2)
            .map(|pair| (pair[1].clone(), pair[0].clone()))
            .collect()
    };
    let opens = |line: &str| {
        let first = line.split(|c: char| !c.is_alphanumeric()).find(|w| !w.is_empty());
        first.is_some_and(|word| OPENERS.contains(&word.to_lowercase().as_str()))
    };
    let leans_on_nothing = |i: &usize| {
        let line = flat(lines[*i]);
        let kept = *i > 0 && before.get(&line).is_some_and(|b| *b == flat(lines[*i - 1]));
        // The first sentence of the text leans on nothing that could have been kept.
        let first = !before.contains_key(&line) && document.text().trim_start().starts_with(lines[*i]);
        opens(lines[*i]) && !kept && !first
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
