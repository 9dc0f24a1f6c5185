//! From raw scores to probabilities.
//!
//! The best score of many windows is higher by chance, so the number of windows is part of the formula
//! (Platt scaling, Platt 1999, with the logarithm of the number of windows as a second feature).

use crate::model::{Calibration, Logistic};

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
        let as_it_is = |score| Logistic {
            score,
            ln_windows: 0.0,
            bias: 0.0,
        };
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

    /// Probability that the documents do not answer, for the best score of all windows.
    #[must_use]
    pub fn not_in_document(&self, best_score: f32, windows: usize) -> f64 {
        self.parameters.not_in_document.probability(best_score, windows)
    }

    /// Probability that an answer is right.
    #[must_use]
    pub fn confidence(&self, score: f32, windows: usize) -> f64 {
        self.parameters.confidence.probability(score, windows)
    }

    /// Whether a question counts as answered.
    #[must_use]
    pub fn is_answered(&self, not_in_document: f64) -> bool {
        not_in_document < self.parameters.threshold
    }
}

impl Logistic {
    fn probability(&self, score: f32, windows: usize) -> f64 {
        let ln_windows = (windows.max(1) as f64).ln();
        let logit = self.score * f64::from(score) + self.ln_windows * ln_windows + self.bias;
        1.0 / (1.0 + (-logit).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_windows_counts() {
        let calibrator = Calibrator::new(Some(Calibration {
            threshold: 0.5,
            not_in_document: Logistic {
                score: -0.5,
                ln_windows: 0.4,
                bias: 1.0,
            },
            confidence: Logistic {
                score: 0.5,
                ln_windows: -0.3,
                bias: -1.0,
            },
        }));
        assert!(calibrator.not_in_document(2.0, 1) < calibrator.not_in_document(2.0, 100));
        assert!(calibrator.confidence(2.0, 1) > calibrator.confidence(2.0, 100));
        assert!((calibrator.not_in_document(2.0, 1) - 0.5).abs() < 1e-12);
        assert!(!calibrator.is_answered(0.5));
        assert!(calibrator.is_fitted());
    }

    #[test]
    fn without_parameters_the_score_is_the_log_odds() {
        let calibrator = Calibrator::new(None);
        assert!((calibrator.confidence(0.0, 7) - 0.5).abs() < 1e-12);
        assert!(calibrator.is_answered(calibrator.not_in_document(0.1, 7)));
        assert!(!calibrator.is_fitted());
    }
}
