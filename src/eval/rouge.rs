//! ROUGE (Lin 2004) as Google's `rouge_score` computes it, with its stemmer.
//!
//! `tests/eval_parity.rs` compares the figures with that package on hundreds of cases, to 1e-9.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::stemmer::stem;

/// The most cells of a table for one longest common subsequence. Texts beyond are cut to their beginning.
const MOST_CELLS: usize = 64 << 20;

/// Precision, recall and their harmonic mean, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Prf {
    /// Share of the summary that is in the reference.
    pub precision: f64,
    /// Share of the reference that is in the summary.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

impl Prf {
    fn of(hits: usize, predicted: usize, wanted: usize) -> Self {
        let precision = hits as f64 / predicted.max(1) as f64;
        let recall = hits as f64 / wanted.max(1) as f64;
        let f1 = if precision + recall > 0.0 {
            2.0 * precision * recall / (precision + recall)
        } else {
            0.0
        };
        Self {
            precision,
            recall,
            f1,
        }
    }
}

/// The four scores of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Rouge {
    /// Single words.
    pub rouge1: Prf,
    /// Pairs of words.
    pub rouge2: Prf,
    /// The longest common subsequence of the whole texts.
    pub rouge_l: Prf,
    /// The union of those of the sentences, which are lines.
    pub rouge_lsum: Prf,
}

/// Scores a summary against a reference; for ROUGE-Lsum, sentences end with a line feed.
///
/// ```
/// use quotable::eval::rouge::rouge;
///
/// let scores = rouge("police killed the gunman", "police kill the gunmen");
/// assert!((scores.rouge1.f1 - 0.75).abs() < 1e-12);
/// ```
#[must_use]
pub fn rouge(reference: &str, summary: &str) -> Rouge {
    let (wanted, got) = (tokens(reference), tokens(summary));
    Rouge {
        rouge1: ngrams(&wanted, &got, 1),
        rouge2: ngrams(&wanted, &got, 2),
        rouge_l: if wanted.is_empty() || got.is_empty() {
            Prf::default()
        } else {
            Prf::of(common_length(&wanted, &got), got.len(), wanted.len())
        },
        rouge_lsum: summary_level(reference, summary),
    }
}

/// Scores a summary against several references: for each measure the reference with the highest F1.
#[must_use]
pub fn rouge_best<T: AsRef<str>>(references: &[T], summary: &str) -> Rouge {
    let mut best: Option<Rouge> = None;
    for reference in references {
        let next = rouge(reference.as_ref(), summary);
        best = Some(match best {
            None => next,
            Some(before) => {
                let better = |a: Prf, b: Prf| if b.f1 > a.f1 { b } else { a };
                Rouge {
                    rouge1: better(before.rouge1, next.rouge1),
                    rouge2: better(before.rouge2, next.rouge2),
                    rouge_l: better(before.rouge_l, next.rouge_l),
                    rouge_lsum: better(before.rouge_lsum, next.rouge_lsum),
                }
            }
        });
    }
    best.unwrap_or_default()
}

/// Runs of ASCII letters and digits of the lower-cased text, those of more than three letters stemmed.
#[must_use]
pub fn tokens(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit()))
        .filter(|word| !word.is_empty())
        .map(|word| {
            if word.len() > 3 {
                stem(word)
            } else {
                word.to_owned()
            }
        })
        .filter(|word| !word.is_empty())
        .collect()
}

fn ngrams(wanted: &[String], got: &[String], n: usize) -> Prf {
    let count = |tokens: &[String]| (tokens.len() + 1).saturating_sub(n);
    let mut left: HashMap<&[String], usize> = HashMap::new();
    for gram in wanted.windows(n) {
        *left.entry(gram).or_default() += 1;
    }
    let mut hits = 0;
    for gram in got.windows(n) {
        if let Some(count) = left.get_mut(gram).filter(|count| **count > 0) {
            *count -= 1;
            hits += 1;
        }
    }
    Prf::of(hits, count(got), count(wanted))
}

/// The length of the longest common subsequence, in two rows of memory.
fn common_length(a: &[String], b: &[String]) -> usize {
    let (mut before, mut row) = (vec![0usize; b.len() + 1], vec![0usize; b.len() + 1]);
    for x in a {
        for (j, y) in b.iter().enumerate() {
            row[j + 1] = if x == y {
                before[j] + 1
            } else {
                before[j + 1].max(row[j])
            };
        }
        std::mem::swap(&mut before, &mut row);
    }
    before[b.len()]
}

/// Which tokens of `reference` belong to a longest common subsequence with `other`, as `rouge_score` walks
/// back through the table.
fn common_indices(reference: &[u32], other: &[u32]) -> Vec<usize> {
    let other = &other[..other.len().min(MOST_CELLS / (reference.len() + 1))];
    let width = other.len() + 1;
    let mut table = vec![0u32; (reference.len() + 1) * width];
    for (i, x) in reference.iter().enumerate() {
        for (j, y) in other.iter().enumerate() {
            table[(i + 1) * width + j + 1] = if x == y {
                table[i * width + j] + 1
            } else {
                table[i * width + j + 1].max(table[(i + 1) * width + j])
            };
        }
    }
    let (mut i, mut j) = (reference.len(), other.len());
    let mut indices = Vec::new();
    while i > 0 && j > 0 {
        if reference[i - 1] == other[j - 1] {
            indices.push(i - 1);
            i -= 1;
            j -= 1;
        } else if table[i * width + j - 1] > table[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    indices
}

/// Section 3.2 of the paper, without counting a token twice (as ROUGE 1.5.5 does).
fn summary_level(reference: &str, summary: &str) -> Prf {
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut sentences = |text: &str| -> Vec<Vec<u32>> {
        let mut number = |token| {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(token).or_insert(next)
        };
        text.split('\n')
            .filter(|line| !line.is_empty())
            .map(|line| tokens(line).into_iter().map(&mut number).collect())
            .collect()
    };
    let (wanted, got) = (sentences(reference), sentences(summary));
    let count = |sentences: &[Vec<u32>]| sentences.iter().map(Vec::len).sum::<usize>();
    let (m, n) = (count(&wanted), count(&got));
    if m == 0 || n == 0 {
        return Prf::default();
    }
    let bag = |sentences: &[Vec<u32>]| {
        let mut bag: HashMap<u32, usize> = HashMap::new();
        for token in sentences.iter().flatten() {
            *bag.entry(*token).or_default() += 1;
        }
        bag
    };
    let (mut left_wanted, mut left_got) = (bag(&wanted), bag(&got));
    let mut hits = 0;
    for sentence in &wanted {
        let union: BTreeSet<usize> = got
            .iter()
            .flat_map(|other| common_indices(sentence, other))
            .collect();
        for index in union {
            let token = sentence[index];
            let (a, b) = (
                left_wanted.entry(token).or_default(),
                left_got.entry(token).or_default(),
            );
            if *a > 0 && *b > 0 {
                hits += 1;
                *a -= 1;
                *b -= 1;
            }
        }
    }
    Prf::of(hits, n, m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_scores_nothing() {
        for (a, b) in [("", ""), ("a", ""), ("", "a"), ("\n", "é"), ("é", "é")] {
            assert_eq!(rouge(a, b), Rouge::default(), "{a:?} {b:?}");
        }
        assert_eq!(rouge_best::<&str>(&[], "a"), Rouge::default());
    }

    #[test]
    fn the_best_reference_counts_measure_by_measure() {
        let best = rouge_best(&["one two", "two one three"], "two one");
        assert_eq!(best.rouge1.f1, 1.0); // the first
        assert!((best.rouge_l.f1 - 0.8).abs() < 1e-12); // the second
    }

    #[test]
    fn lsum_takes_the_union_over_sentences() {
        // The example of section 3.2 of the paper.
        let scores = rouge("w1 w2 w3 w4 w5", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5");
        assert!((scores.rouge_lsum.recall - 0.8).abs() < 1e-12);
    }
}
