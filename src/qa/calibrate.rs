//! From raw scores to probabilities.
//!
//! The best score of many windows is higher by chance, so the number of windows is part of the formula
//! (Platt scaling, Platt 1999, with further features). So is the evidence: the more it exceeds an answer's
//! score, the more rivals the answer has, and the less often it is right.

use crate::model::{Calibration, Logistic};

/// What the probabilities of an answer are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signals {
    /// Its raw score s.
    pub score: f32,
    /// The [evidence](super::decode::evidence) e of the window that speaks most strongly for an answer. One serves all
    /// answers to a question, so that they rank as by score where nothing else speaks against one.
    pub evidence: f32,
    /// How many windows were read, n.
    pub windows: usize,
}

impl Signals {
    /// What the weights of a [`Logistic`] are multiplied by.
    #[must_use]
    pub fn features(&self) -> [f64; Logistic::WEIGHTS] {
        let ln_windows = (self.windows.max(1) as f64).ln();
        [f64::from(self.score), f64::from(self.evidence), ln_windows, 1.0]
    }
}

impl Logistic {
    /// How many weights there are.
    pub const WEIGHTS: usize = 4;

    /// In the order of [`Signals::features`].
    #[must_use]
    pub fn weights(&self) -> [f64; Self::WEIGHTS] {
        [self.score, self.evidence, self.ln_windows, self.bias]
    }

    /// The reverse of [`weights`](Self::weights).
    #[must_use]
    pub fn of_weights([score, evidence, ln_windows, bias]: [f64; Self::WEIGHTS]) -> Self {
        Self {
            score,
            evidence,
            ln_windows,
            bias,
        }
    }

    /// The probability that it gives.
    #[must_use]
    pub fn probability(&self, signals: &Signals) -> f64 {
        probability(self.log_odds(signals))
    }

    fn log_odds(&self, signals: &Signals) -> f64 {
        let terms = self.weights().into_iter().zip(signals.features());
        terms.map(|(weight, feature)| weight * feature).sum()
    }
}

fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Turns raw scores into probabilities.
#[derive(Debug, Clone, Copy)]
pub struct Calibrator {
    parameters: Calibration,
    fitted: bool,
}

impl Calibrator {
    /// With a model's parameters; without any, the score is taken as the log-odds.
    #[must_use]
    pub fn new(parameters: Option<Calibration>) -> Self {
        let as_it_is = |score| Logistic::of_weights([score, 0.0, 0.0, 0.0]);
        Self {
            fitted: parameters.is_some(),
            parameters: parameters.unwrap_or(Calibration {
                threshold: 0.5,
                not_in_document: as_it_is(-1.0),
                confidence: as_it_is(1.0),
            }),
        }
    }

    /// Whether the parameters were fitted to the model.
    #[must_use]
    pub fn is_fitted(&self) -> bool {
        self.fitted
    }

    /// Probability that the documents do not answer, by the best answer; `undoubted` is the share of the evidence that nothing else speaks
    /// against.
    #[must_use]
    pub fn not_in_document(&self, best: &Signals, undoubted: f64) -> f64 {
        probability(self.parameters.not_in_document.log_odds(best) - undoubted.ln())
    }

    /// Probability that an answer is right; `doubt` is what else speaks against it, as log-odds.
    #[must_use]
    pub fn confidence(&self, answer: &Signals, doubt: f64) -> f64 {
        probability(self.parameters.confidence.log_odds(answer) - doubt)
    }

    /// Whether a question counts as answered.
    #[must_use]
    pub fn is_answered(&self, not_in_document: f64) -> bool {
        not_in_document < self.parameters.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signals(score: f32, evidence: f32, windows: usize) -> Signals {
        Signals {
            score,
            evidence,
            windows,
        }
    }

    #[test]
    fn the_number_of_windows_counts() {
        let calibrator = Calibrator::new(Some(Calibration {
            threshold: 0.5,
            not_in_document: Logistic::of_weights([-0.5, 0.0, 0.4, 1.0]),
            confidence: Logistic::of_weights([0.5, 0.0, -0.3, -1.0]),
        }));
        let (few, many) = (signals(2.0, 2.0, 1), signals(2.0, 2.0, 100));
        assert!(calibrator.not_in_document(&few, 1.0) < calibrator.not_in_document(&many, 1.0));
        assert!(calibrator.confidence(&few, 0.0) > calibrator.confidence(&many, 0.0));
        assert!((calibrator.not_in_document(&few, 1.0) - 0.5).abs() < 1e-12);
        assert!((calibrator.not_in_document(&few, 0.25) - 0.8).abs() < 1e-12);
        assert!(calibrator.confidence(&few, 1.0) < calibrator.confidence(&few, 0.0));
        assert!(!calibrator.is_answered(0.5));
        assert!(calibrator.is_fitted());
    }

    #[test]
    fn rivals_count() {
        let confidence = Logistic::of_weights([1.0, -0.75, 0.0, 0.0]);
        let alone = confidence.probability(&signals(5.0, 5.0, 1));
        let one_of_several = confidence.probability(&signals(5.0, 7.0, 1));
        assert!(one_of_several < alone);
        assert!((one_of_several - 1.0 / (1.0 + 0.25f64.exp())).abs() < 1e-12);
    }

    #[test]
    fn without_parameters_the_score_is_the_log_odds() {
        let calibrator = Calibrator::new(None);
        assert!((calibrator.confidence(&signals(0.0, 1.0, 7), 0.0) - 0.5).abs() < 1e-12);
        assert!(calibrator.is_answered(calibrator.not_in_document(&signals(0.1, 1.0, 7), 1.0)));
        assert!(!calibrator.is_fitted());
    }
}
