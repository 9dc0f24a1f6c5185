//! Whether probabilities hold, and fitting them so that they do.

use serde::Serialize;

use crate::model::{Calibration, Logistic};
use crate::qa::calibrate::Signals;

/// Bins of a reliability diagram, of equal width.
pub const BINS: usize = 10;

/// A bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Bin {
    /// Probabilities in it.
    pub count: usize,
    /// Their mean.
    pub predicted: f64,
    /// The share of them that came true.
    pub observed: f64,
}

/// How well probabilities hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// Expected calibration error: the distance of predicted and observed, averaged over all (Guo et al. 2017).
    pub ece: f64,
    /// Mean squared error (Brier 1950).
    pub brier: f64,
    /// From 0 to 1.
    pub bins: Vec<Bin>,
}

/// Compares probabilities with what happened. `None` without any.
///
/// ```
/// use quotable::eval::calibration::reliability;
///
/// let found = reliability(&[(0.9, true), (0.9, true), (0.9, false), (0.1, false)]).unwrap();
/// assert!((found.ece - (0.75 * (0.9 - 2.0 / 3.0) + 0.25 * 0.1)).abs() < 1e-12);
/// ```
#[must_use]
pub fn reliability(predictions: &[(f64, bool)]) -> Option<Reliability> {
    if predictions.is_empty() {
        return None;
    }
    let mut bins = [(0usize, 0.0, 0usize); BINS];
    let mut squares = 0.0;
    for &(p, happened) in predictions {
        // `as` saturates: a probability out of range, or none at all, ends in the first or last bin.
        let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += p;
        bin.2 += usize::from(happened);
        squares += (p - f64::from(u8::from(happened))).powi(2);
    }
    let total = predictions.len() as f64;
    let bins: Vec<Bin> = bins
        .into_iter()
        .map(|(count, sum, happened)| Bin {
            count,
            predicted: sum / count.max(1) as f64,
            observed: happened as f64 / count.max(1) as f64,
        })
        .collect();
    Some(Reliability {
        ece: bins
            .iter()
            .map(|b| b.count as f64 / total * (b.predicted - b.observed).abs())
            .sum(),
        brier: squares / total,
        bins,
    })
}

/// What a calibration is fitted to: the best candidate of one question.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// What its probabilities are made of.
    pub signals: Signals,
    /// Whether the documents answer the question.
    pub answerable: bool,
    /// Whether the candidate is right.
    pub right: bool,
    /// Its F1; 0 where there is no answer.
    pub f1: f64,
}

/// Fits both probabilities of [`qa::calibrate`](crate::qa::calibrate) by logistic regression, and chooses the
/// threshold with the best overall F1. `None` when the samples are of one kind only, so that there is
/// nothing to tell apart.
#[must_use]
pub fn fit(samples: &[Sample]) -> Option<Calibration> {
    let labels = |label: fn(&Sample) -> bool| samples.iter().map(label).collect::<Vec<_>>();
    let not_in_document = logistic(samples, &labels(|s| !s.answerable))?;
    let confidence = logistic(samples, &labels(|s| s.right))?;
    let overall = |threshold: f64| -> f64 {
        let points = |s: &Sample| {
            if not_in_document.probability(&s.signals) < threshold {
                s.f1
            } else {
                f64::from(u8::from(!s.answerable))
            }
        };
        samples.iter().map(points).sum()
    };
    let mut threshold = 0.5;
    for step in 5..=95 {
        let candidate = f64::from(step) / 100.0;
        if overall(candidate) > overall(threshold) + 1e-9 {
            threshold = candidate;
        }
    }
    Some(Calibration {
        threshold,
        not_in_document,
        confidence,
    })
}

/// Logistic regression by Newton's method with a weak ridge, which keeps separable data finite.
fn logistic(samples: &[Sample], labels: &[bool]) -> Option<Logistic> {
    const RIDGE: f64 = 1e-3;
    if !labels.contains(&true) || !labels.contains(&false) {
        return None;
    }
    const N: usize = Logistic::WEIGHTS;
    let features: Vec<[f64; N]> = samples.iter().map(|s| s.signals.features()).collect();
    let logit = |beta: &[f64; N], x: &[f64; N]| beta.iter().zip(x).map(|(b, x)| b * x).sum::<f64>();
    let loss = |beta: &[f64; N]| {
        let data: f64 = features
            .iter()
            .zip(labels)
            .map(|(x, &y)| {
                let z = if y { -logit(beta, x) } else { logit(beta, x) };
                // ln(1 + e^z) without overflow
                z.max(0.0) + (-z.abs()).exp().ln_1p()
            })
            .sum();
        data + RIDGE / 2.0 * beta.iter().map(|b| b * b).sum::<f64>()
    };
    let mut beta = [0.0; N];
    for _ in 0..100 {
        let mut gradient = [0.0; N];
        let mut hessian = [[0.0; N]; N];
        for i in 0..N {
            gradient[i] = RIDGE * beta[i];
            hessian[i][i] = RIDGE;
        }
        for (x, &y) in features.iter().zip(labels) {
            let p = 1.0 / (1.0 + (-logit(&beta, x)).exp());
            for i in 0..N {
                gradient[i] += (p - f64::from(u8::from(y))) * x[i];
                for j in 0..N {
                    hessian[i][j] += p * (1.0 - p) * x[i] * x[j];
                }
            }
        }
        let step = solve(hessian, gradient)?;
        // Halved until it helps: far from the optimum a whole step may overshoot.
        let before = loss(&beta);
        let next = (0..30).find_map(|halvings| {
            let scale = 0.5f64.powi(halvings);
            let next: [f64; N] = std::array::from_fn(|i| beta[i] - scale * step[i]);
            (loss(&next) < before).then_some(next)
        });
        let Some(next) = next else { break };
        let moved = (0..N).map(|i| (next[i] - beta[i]).abs()).fold(0.0, f64::max);
        beta = next;
        if moved < 1e-9 {
            break;
        }
    }
    beta.iter()
        .all(|b| b.is_finite())
        .then(|| Logistic::of_weights(beta))
}

/// Gaussian elimination with partial pivoting.
fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let pivot = (column..N).max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs()))?;
        a.swap(column, pivot);
        b.swap(column, pivot);
        if a[column][column].abs() < 1e-300 {
            return None;
        }
        for row in column + 1..N {
            let factor = a[row][column] / a[column][column];
            let above = a[column];
            for (value, above) in a[row].iter_mut().zip(above) {
                *value -= factor * above;
            }
            b[row] -= factor * b[column];
        }
    }
    let mut x = [0.0; N];
    for row in (0..N).rev() {
        let rest: f64 = (row + 1..N).map(|i| a[row][i] * x[i]).sum();
        x[row] = (b[row] - rest) / a[row][row];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::stats::SEED;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{RngCore, SeedableRng};

    #[test]
    fn known_parameters_are_found_again() {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let mut uniform = || rng.next_u32() as f64 / 2f64.powi(32);
        let samples: Vec<Sample> = (0..20_000)
            .map(|_| {
                let (score, windows) = (uniform() * 20.0 - 10.0, 1 + (uniform() * 40.0) as usize);
                let p = 1.0 / (1.0 + (-(0.5 * score - 0.4 * (windows as f64).ln() + 0.3)).exp());
                let right = uniform() < p;
                Sample {
                    signals: Signals {
                        score: score as f32,
                        evidence: score as f32 + 2.0 * uniform() as f32,
                        windows,
                    },
                    answerable: right,
                    right,
                    f1: f64::from(u8::from(right)),
                }
            })
            .collect();
        let fitted = fit(&samples).unwrap();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 0.1, "{a} {b}");
        near(fitted.confidence.score, 0.5);
        near(fitted.confidence.ln_windows, -0.4);
        near(fitted.confidence.bias, 0.3);
        near(fitted.not_in_document.score, -0.5);
        near(fitted.threshold, 0.5);
        let after: Vec<_> = samples
            .iter()
            .map(|s| (fitted.confidence.probability(&s.signals), s.right))
            .collect();
        assert!(reliability(&after).unwrap().ece < 0.02);
    }

    #[test]
    fn what_is_separable_or_of_one_kind_does_not_run_away() {
        let sample = |score: f32, right| Sample {
            signals: Signals {
                score,
                evidence: score,
                windows: 1,
            },
            answerable: right,
            right,
            f1: 0.0,
        };
        let fitted = fit(&[sample(-5.0, false), sample(5.0, true)]).unwrap();
        assert!(fitted.confidence.score.is_finite() && fitted.confidence.score > 0.0);
        assert!(fit(&[sample(1.0, true), sample(2.0, true)]).is_none());
        assert!(fit(&[]).is_none());
    }

    #[test]
    fn no_probability_panics() {
        assert!(reliability(&[(f64::NAN, true), (2.0, false), (-1.0, true)]).is_some());
        assert!(reliability(&[]).is_none());
    }
}
