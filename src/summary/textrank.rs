//! TextRank: a sentence matters that has much in common with sentences that matter (Mihalcea and Tarau 2004,
//! section 4), with the cosine of tf-idf vectors as what two sentences have in common (Erkan and Radev 2004,
//! section 3).
//!
//! The matrix of similarities is never made. It is X·Xᵀ less its diagonal, so that a step of the power
//! iteration is two products with the sparse X, and time grows with the length of the text, not its square.

use super::Scorer;
use super::prose::Candidate;
use super::terms::Terms;
use crate::document::Document;
use crate::error::{Error, Result};

/// Share of a step that follows similarities (Brin and Page 1998).
const DAMPING: f64 = 0.85;
const MOST_STEPS: usize = 100;
/// The iteration ends when no rank moves by more than this share of the mean.
const TOLERANCE: f64 = 1e-6;

/// Scores a sentence by its rank, relative to the mean of its text.
#[derive(Debug, Clone, Copy)]
pub struct TextRank;

impl Scorer for TextRank {
    fn score(
        &self,
        documents: &[&Document],
        candidates: &[Candidate],
        read: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Vec<f64>> {
        let terms = Terms::of(documents, candidates);
        if !read(0) {
            return Err(Error::Interrupted);
        }
        Ok(ranks(&terms))
    }
}

fn ranks(terms: &Terms) -> Vec<f64> {
    let rows: Vec<Vec<(u32, f64)>> = terms.of.iter().map(|own| unit_vector(terms, own)).collect();
    let sum_of_rows = |weights: &[f64]| {
        let mut sum = vec![0.0; terms.frequency.len()]; // [terms]
        for (row, weight) in std::iter::zip(&rows, weights) {
            for &(term, value) in row {
                sum[term as usize] += weight * value;
            }
        }
        sum
    };
    // What row i has in common with all others: its product with `sum`, less that with its own share of it.
    let common = |i: usize, sum: &[f64], own: f64| {
        let product: f64 = rows[i].iter().map(|&(t, v)| v * sum[t as usize]).sum();
        (product - if rows[i].is_empty() { 0.0 } else { own }).max(0.0)
    };
    let ones = vec![1.0; rows.len()];
    let sum = sum_of_rows(&ones);
    let degrees: Vec<f64> = (0..rows.len()).map(|i| common(i, &sum, 1.0)).collect();
    let mut ranks = ones;
    for _ in 0..MOST_STEPS {
        let given: Vec<f64> = std::iter::zip(&ranks, &degrees)
            .map(|(rank, degree)| if *degree > 1e-9 { rank / degree } else { 0.0 })
            .collect();
        let sum = sum_of_rows(&given);
        let next: Vec<f64> = (0..rows.len())
            .map(|i| 1.0 - DAMPING + DAMPING * common(i, &sum, given[i]))
            .collect();
        let moved = std::iter::zip(&next, &ranks)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        ranks = next;
        if moved < TOLERANCE {
            break;
        }
    }
    ranks
}

/// The tf-idf vector of a sentence, of length 1; empty where the sentence has no terms.
fn unit_vector(terms: &Terms, own: &[(u32, u32)]) -> Vec<(u32, f64)> {
    let row: Vec<(u32, f64)> = own
        .iter()
        .map(|&(term, count)| (term, f64::from(count) * terms.inverse_frequency(term)))
        .collect();
    let length = row.iter().map(|(_, v)| v * v).sum::<f64>().sqrt();
    row.into_iter()
        .map(|(term, value)| (term, value / length))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;
    use crate::summary::prose;

    fn ranks_of(text: &str) -> (Vec<f64>, Terms) {
        let document = Document::new("t", text, Format::Plain).unwrap();
        let candidates = prose::candidates(&document, 0).candidates;
        let terms = Terms::of(&[&document], &candidates);
        (ranks(&terms), terms)
    }

    #[test]
    fn the_sentence_that_the_others_are_about_ranks_highest() {
        let (ranks, _) = ranks_of(
            "The harbour bridge was closed on Monday. Storm damage closed the harbour bridge to lorries. \
             Lorries wait since the storm of Monday. An unrelated concert begins at eight.",
        );
        let highest = (0..4).max_by(|&a, &b| ranks[a].total_cmp(&ranks[b])).unwrap();
        assert_eq!(highest, 1, "{ranks:?}");
        assert!(ranks[3] < ranks[0]);
    }

    /// The products with the sparse matrix against the matrix of similarities itself.
    #[test]
    fn ranks_are_those_of_the_matrix_of_similarities() {
        let text = "Apples and pears fell. Pears and plums fell too. Plums were sold by the pound. \
                    The pound fell in March. March brought apples by the ton. Nothing else happened there.";
        let (ranks, terms) = ranks_of(text);
        let rows: Vec<_> = terms.of.iter().map(|own| unit_vector(&terms, own)).collect();
        let n = rows.len();
        let dot = |a: &[(u32, f64)], b: &[(u32, f64)]| -> f64 {
            let of = |t| b.iter().find(|(u, _)| *u == t).map_or(0.0, |(_, v)| *v);
            a.iter().map(|&(t, v)| v * of(t)).sum()
        };
        let similar = |i: usize, j: usize| if i == j { 0.0 } else { dot(&rows[i], &rows[j]) };
        let degree: Vec<f64> = (0..n).map(|i| (0..n).map(|j| similar(i, j)).sum()).collect();
        let mut expected = vec![1.0; n];
        for _ in 0..200 {
            let step = |i: usize| -> f64 {
                let given = |j: usize| {
                    if degree[j] > 1e-9 {
                        similar(i, j) * expected[j] / degree[j]
                    } else {
                        0.0
                    }
                };
                0.15 + 0.85 * (0..n).map(given).sum::<f64>()
            };
            expected = (0..n).map(step).collect();
        }
        for (got, expected) in std::iter::zip(&ranks, &expected) {
            assert!((got - expected).abs() < 1e-5, "{ranks:?} {expected:?}");
        }
    }
}
