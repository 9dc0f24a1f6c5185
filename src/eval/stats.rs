//! How much of a figure is chance: bootstrap intervals, and two runs compared.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::Serialize;

/// The seed of every bootstrap; reports print it. ChaCha's stream is the same on every machine and in every
/// version, so two runs over the same scores give the same intervals.
pub const SEED: u64 = 20_240_501;
/// Resamples of a bootstrap.
pub const RESAMPLES: usize = 2000;
/// From so many documents up, documents are resampled, not questions: those of one document go right and
/// wrong together.
pub const CLUSTERS_FROM: usize = 10;

/// A percentile interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// 2.5 % of the resamples are below.
    pub low: f64,
    /// 2.5 % are above.
    pub high: f64,
}

/// The bootstrap interval of a mean (Efron and Tibshirani 1993, percentile method). `groups` says which
/// document each value belongs to. `None` for fewer than two values.
///
/// ```
/// use quotable::eval::stats::bootstrap;
///
/// let values: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
/// let groups = vec![""; 100];
/// let interval = bootstrap(&values, &groups).unwrap();
/// assert!(interval.low > 0.38 && interval.low < 0.45 && interval.high > 0.55 && interval.high < 0.62);
/// ```
#[must_use]
pub fn bootstrap(values: &[f64], groups: &[&str]) -> Option<Interval> {
    if values.len() < 2 || values.len() != groups.len() {
        return None;
    }
    let units = units(values, groups);
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (mut sum, mut count) = (0.0, 0.0);
            for _ in 0..units.len() {
                let (s, n) = units[below(&mut rng, units.len())];
                sum += s;
                count += n;
            }
            sum / count
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let tail = RESAMPLES / 40;
    Some(Interval {
        low: means[tail],
        high: means[RESAMPLES - 1 - tail],
    })
}

/// Whether documents are resampled rather than questions.
#[must_use]
pub fn is_clustered(groups: &[&str]) -> bool {
    groups.iter().collect::<std::collections::BTreeSet<_>>().len() >= CLUSTERS_FROM
}

/// What is resampled: sums and counts of whole documents, or single values.
fn units(values: &[f64], groups: &[&str]) -> Vec<(f64, f64)> {
    if !is_clustered(groups) {
        return values.iter().map(|v| (*v, 1.0)).collect();
    }
    let mut clusters: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (value, group) in values.iter().zip(groups) {
        let cluster = clusters.entry(group).or_default();
        cluster.0 += value;
        cluster.1 += 1.0;
    }
    clusters.into_values().collect()
}

/// A number below `n`, each nearly as likely (Lemire 2019, without the rejection: the bias is below 2⁻³²).
fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// McNemar's exact test: the two-sided probability that a coin falls as unevenly as the questions that only
/// one of two runs had right.
///
/// ```
/// use quotable::eval::stats::mcnemar;
///
/// assert!((mcnemar(1, 9) - 0.021484375).abs() < 1e-12);
/// assert_eq!(mcnemar(3, 3), 1.0);
/// assert_eq!(mcnemar(0, 0), 1.0);
/// ```
#[must_use]
pub fn mcnemar(only_before: usize, only_after: usize) -> f64 {
    let n = only_before + only_after;
    let mut ln_term = -(n as f64) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for k in 0..=only_before.min(only_after) {
        tail += ln_term.exp();
        ln_term += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_the_same_every_time() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i * 7 % 11) / 10.0).collect();
        let groups = vec!["a"; 50];
        assert_eq!(bootstrap(&values, &groups), bootstrap(&values, &groups));
        assert_eq!(bootstrap(&values[..1], &groups[..1]), None);
    }

    #[test]
    fn documents_are_resampled_from_ten_up() {
        // Ten documents, all right or all wrong: the interval must be as wide as that of ten values.
        let names: Vec<String> = (0..10).map(|i| i.to_string()).collect();
        let groups: Vec<&str> = (0..200).map(|i| names[i % 10].as_str()).collect();
        let values: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i % 10 < 5))).collect();
        let wide = bootstrap(&values, &groups).unwrap();
        let narrow = bootstrap(&values, &vec!["one"; 200]).unwrap();
        assert!(wide.high - wide.low > 2.0 * (narrow.high - narrow.low));
        assert!(is_clustered(&groups) && !is_clustered(&groups[..9]));
    }

    #[test]
    fn mcnemar_of_many_questions_neither_overflows_nor_vanishes() {
        assert!((mcnemar(4900, 5100) - 0.0466).abs() < 5e-4);
        assert!(mcnemar(0, 5000) == 0.0);
    }
}
