//! Answer metrics: exact match and F1 as the official SQuAD 2.0 script has them (Rajpurkar et al. 2018,
//! `evaluate-v2.0.py`), and what can be said about abstaining.
//!
//! `tests/eval_parity.rs` compares them with the official script on thousands of cases.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

/// An answer is right when it matches a gold exactly or reaches this F1 with one.
pub const RIGHT_F1: f64 = 0.6;

/// Exact match and F1 of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// Whether it equals a gold, after normalisation.
    pub exact: bool,
    /// The best F1 over the golds, 0 to 1.
    pub f1: f64,
}

impl Score {
    /// Of what is wrong whatever the golds are.
    pub(super) const WRONG: Self = Self {
        exact: false,
        f1: 0.0,
    };

    /// Whether the answer counts as right: an exact match, or an F1 of [`RIGHT_F1`].
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.exact || self.f1 >= RIGHT_F1
    }
}

/// Scores a prediction; `""` says that there is no answer. Golds that are nothing after normalisation do not
/// count, and without any gold the only right prediction is no answer.
///
/// ```
/// use quotable::eval::answer::score;
///
/// let golds = ["the Eiffel Tower", "Eiffel Tower in Paris"];
/// assert!(score("Eiffel tower!", &golds).exact);
/// assert!((score("tower", &golds).f1 - 2.0 / 3.0).abs() < 1e-12);
/// assert!(score::<&str>("", &[]).exact);
/// ```
#[must_use]
pub fn score<T: AsRef<str>>(prediction: &str, golds: &[T]) -> Score {
    let normal = normalise(prediction);
    let mut best: Option<Score> = None;
    let golds = golds.iter().map(|gold| normalise(gold.as_ref()));
    for gold in golds.filter(|gold| !gold.is_empty()) {
        let score = one(&normal, &gold);
        let before = best.get_or_insert(score);
        before.exact |= score.exact;
        before.f1 = before.f1.max(score.f1);
    }
    best.unwrap_or_else(|| one(&normal, ""))
}

fn one(prediction: &str, gold: &str) -> Score {
    Score {
        exact: prediction == gold,
        f1: f1(prediction, gold),
    }
}

/// F1 of the words of two normalised texts, counted as often as they occur.
fn f1(prediction: &str, gold: &str) -> f64 {
    let words = |text: &str| text.split(' ').filter(|w| !w.is_empty()).count();
    let (predicted, wanted) = (words(prediction), words(gold));
    if predicted == 0 || wanted == 0 {
        // If either is no answer, they agree or they do not.
        return f64::from(u8::from(predicted == wanted));
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in gold.split(' ') {
        *left.entry(word).or_default() += 1;
    }
    let mut same = 0usize;
    for word in prediction.split(' ') {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            same += 1;
        }
    }
    if same == 0 {
        return 0.0;
    }
    let precision = same as f64 / predicted as f64;
    let recall = same as f64 / wanted as f64;
    (2.0 * precision * recall) / (precision + recall)
}

/// Lower case, without ASCII punctuation and English articles, words separated by one space.
///
/// ```
/// # use quotable::eval::answer::normalise;
/// assert_eq!(normalise("  The U.S.-led\tforce, an “ally”"), "usled force “ally”");
/// ```
#[must_use]
pub fn normalise(text: &str) -> String {
    let text: String = text
        .to_lowercase()
        .chars()
        .filter(|c| !c.is_ascii_punctuation())
        .collect();
    let text = without_articles(&text);
    let mut normal = String::with_capacity(text.len());
    for word in text.split(is_python_space).filter(|w| !w.is_empty()) {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.push_str(word);
    }
    normal
}

/// What Python's `str.split` splits at: Unicode's white space and the four separators of ASCII.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Puts a space for each `\b(a|an|the)\b`, that is, for each whole run of word characters which is one of these.
fn without_articles(text: &str) -> String {
    // Python's `\w` is a letter or a number; Rust's `is_alphanumeric` also takes combining vowel signs.
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{N}_]$").expect("a pattern"));
    let is_word = |c: char| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric() || c == '_'
        } else {
            c.is_alphanumeric() && WORD.is_match(c.encode_utf8(&mut [0; 4]))
        }
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let end = rest[start..]
            .find(|c| !is_word(c))
            .map_or(rest.len(), |n| start + n);
        let word = &rest[start..end];
        out.push_str(&rest[..start]);
        out.push_str(if matches!(word, "a" | "an" | "the") {
            " "
        } else {
            word
        });
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// What is needed of an answered question to choose a threshold.
#[derive(Debug, Clone, Copy)]
pub struct Thresholded {
    /// Probability that there is no answer.
    pub not_in_document: f64,
    /// Whether there is one.
    pub answerable: bool,
    /// The score of the best candidate, answered or not.
    pub score: f64,
    /// Whether there is a candidate at all.
    pub predicts: bool,
}

/// The best overall score that a threshold on `not_in_document` could give, as a percentage, and that
/// threshold, chosen on these same questions as the official script does (an optimistic figure). Questions
/// *at* the threshold are answered.
#[must_use]
pub fn best_threshold(questions: &[Thresholded]) -> (f64, f64) {
    let mut order: Vec<&Thresholded> = questions.iter().collect();
    order.sort_by(|a, b| a.not_in_document.total_cmp(&b.not_in_document));
    // With the threshold below all: every question is declined.
    let mut current = questions.iter().filter(|q| !q.answerable).count() as f64;
    let (mut best, mut threshold) = (current, 0.0);
    for question in order {
        current += match (question.answerable, question.predicts) {
            (true, _) => question.score,
            (false, true) => -1.0,
            (false, false) => 0.0,
        };
        if current > best {
            (best, threshold) = (current, question.not_in_document);
        }
    }
    (100.0 * best / questions.len().max(1) as f64, threshold)
}

/// The overall score, 0 to 100, when questions up to this threshold are answered.
#[must_use]
pub fn at_threshold(questions: &[Thresholded], threshold: f64) -> f64 {
    let points = |q: &Thresholded| {
        if q.not_in_document > threshold {
            f64::from(u8::from(!q.answerable))
        } else {
            q.score
        }
    };
    100.0 * questions.iter().map(points).sum::<f64>() / questions.len().max(1) as f64
}

/// The area under the ROC curve: how often a positive has a higher score than a negative, ties counting half
/// (Mann and Whitney). `None` when one of the classes is empty.
#[must_use]
pub fn auroc(scored: &[(f64, bool)]) -> Option<f64> {
    let mut order: Vec<(f64, bool)> = scored.to_vec();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = order.iter().filter(|(_, p)| *p).count();
    let negatives = order.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut rank_sum = 0.0;
    let mut at = 0;
    while at < order.len() {
        let ties = order[at..].iter().take_while(|(s, _)| *s == order[at].0).count();
        // Ranks from 1; ties share their mean.
        let rank = at as f64 + (ties as f64 + 1.0) / 2.0;
        rank_sum += rank * order[at..at + ties].iter().filter(|(_, p)| *p).count() as f64;
        at += ties;
    }
    let pairs = positives as f64 * negatives as f64;
    Some((rank_sum - positives as f64 * (positives as f64 + 1.0) / 2.0) / pairs)
}

/// A point of the risk–coverage curve: the share of questions that are answered when the most certain come
/// first, and the share of these that are answered wrongly (El-Yaniv and Wiener 2010).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct RiskPoint {
    /// Share of the questions answered, 0 to 1.
    pub coverage: f64,
    /// Share of those answered that are wrong, 0 to 1.
    pub risk: f64,
}

/// The risk–coverage curve of (confidence, right) pairs, one point for every distinct confidence, and the
/// area under it (a lower one is better).
#[must_use]
pub fn risk_coverage(scored: &[(f64, bool)]) -> (Vec<RiskPoint>, f64) {
    let mut order: Vec<(f64, bool)> = scored.to_vec();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut points, mut area, mut wrong) = (Vec::new(), 0.0, 0usize);
    let mut at = 0;
    while at < order.len() {
        // Answers of the same confidence are given together.
        let ties = order[at..].iter().take_while(|(c, _)| *c == order[at].0).count();
        wrong += order[at..at + ties].iter().filter(|(_, right)| !right).count();
        at += ties;
        let risk = wrong as f64 / at as f64;
        area += risk * ties as f64 / order.len() as f64;
        points.push(RiskPoint {
            coverage: at as f64 / order.len() as f64,
            risk,
        });
    }
    (points, area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalisation_is_pythons() {
        let check = |text: &str, normal: &str| assert_eq!(normalise(text), normal, "{text:?}");
        check("An apple, a day.", "apple day");
        check("A_a the", "aa"); // the underscore is punctuation, and goes first
        check("the’s", "’s");
        check("a\u{1c}b\u{a0}c\u{2003}d", "b c d");
        check("theﬁ anä aß", "theﬁ anä aß");
        // A combining vowel sign is no letter: the article stands alone.
        check("a\u{93f}", "\u{93f}");
        check("ΣΑΣ İ", "σας i\u{307}");
        check("", "");
        check("The", "");
    }

    #[test]
    fn no_answer_agrees_or_not() {
        assert_eq!(score::<&str>("", &[]), Score { exact: true, f1: 1.0 });
        assert_eq!(
            score("", &["x"]),
            Score {
                exact: false,
                f1: 0.0
            }
        );
        assert_eq!(
            score::<&str>("x", &[]),
            Score {
                exact: false,
                f1: 0.0
            }
        );
        // A gold of nothing but an article does not count.
        assert_eq!(score("the", &["a"]), Score { exact: true, f1: 1.0 });
        assert!(!score("the", &["a", "b"]).exact);
    }

    #[test]
    fn words_count_as_often_as_they_occur() {
        assert!(
            (score("b b c", &["b c c d"]).f1 - 2.0 * (2.0 / 3.0 * 0.5) / (2.0 / 3.0 + 0.5)).abs() < 1e-15
        );
    }

    #[test]
    fn auroc_counts_ties_half() {
        assert_eq!(auroc(&[(0.1, false), (0.9, true)]), Some(1.0));
        assert_eq!(auroc(&[(0.5, false), (0.5, true)]), Some(0.5));
        assert_eq!(auroc(&[(0.9, false), (0.1, true), (0.1, false)]), Some(0.25));
        assert_eq!(auroc(&[(0.9, true)]), None);
    }

    #[test]
    fn risk_falls_with_coverage_when_confidence_is_good() {
        let (points, area) = risk_coverage(&[(0.2, false), (0.9, true), (0.9, true), (0.1, false)]);
        let shown: Vec<_> = points.iter().map(|p| (p.coverage, p.risk)).collect();
        assert_eq!(shown, [(0.5, 0.0), (0.75, 1.0 / 3.0), (1.0, 0.5)]);
        assert!((area - (1.0 / 3.0 * 0.25 + 0.5 * 0.25)).abs() < 1e-12);
        assert_eq!(risk_coverage(&[]).1, 0.0);
    }

    #[test]
    fn the_threshold_is_found_and_applied() {
        let q = |not_in_document, answerable, score| Thresholded {
            not_in_document,
            answerable,
            score,
            predicts: true,
        };
        let all = [
            q(0.1, true, 1.0),
            q(0.2, true, 0.5),
            q(0.6, false, 0.0),
            q(0.9, true, 0.2),
        ];
        let (best, threshold) = best_threshold(&all);
        assert_eq!((best, threshold), (62.5, 0.2));
        assert_eq!(at_threshold(&all, threshold), best);
        assert_eq!(best_threshold(&[]), (0.0, 0.0));
    }
}
