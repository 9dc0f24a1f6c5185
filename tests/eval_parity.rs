//! The metrics against the official SQuAD 2.0 script, NLTK's stemmer and Google's `rouge_score`.
//! `scripts/goldens/eval.py` makes the files in `tests/data/golden/eval`.

use quotable::eval::answer::{Thresholded, at_threshold, best_threshold, score};
use quotable::eval::rouge::rouge;
use quotable::eval::stemmer::stem;
use serde::Deserialize;

const ANSWERS: &str = include_str!("data/golden/eval/answers.json");
const STEMS: &str = include_str!("data/golden/eval/stems.txt");
const SUMMARIES: &str = include_str!("data/golden/eval/summaries.json");

#[derive(Deserialize)]
struct Answers {
    cases: Vec<(String, Vec<String>, f64, f64, f64)>,
    reports: Vec<serde_json::Map<String, serde_json::Value>>,
}

#[test]
fn exact_match_and_f1_are_the_official_ones() {
    let golden: Answers = serde_json::from_str(ANSWERS).unwrap();
    assert!(golden.cases.len() >= 3000);
    for (i, (prediction, golds, _, exact, f1)) in golden.cases.iter().enumerate() {
        let ours = score(prediction, golds);
        assert_eq!(
            f64::from(u8::from(ours.exact)),
            *exact,
            "case {i}: {prediction:?} {golds:?}"
        );
        // Not to the last bit: reading a decimal may round.
        assert!((ours.f1 - f1).abs() < 1e-14, "case {i}: {prediction:?} {golds:?}");
    }
}

#[test]
fn thresholds_are_the_official_ones() {
    let golden: Answers = serde_json::from_str(ANSWERS).unwrap();
    for (i, (cases, report)) in golden.cases.chunks(1000).zip(&golden.reports).enumerate() {
        let wanted = |key: &str| report[key].as_f64().unwrap();
        let close = |ours: f64, key: &str| {
            assert!(
                (ours - wanted(key)).abs() < 1e-9,
                "report {i}: {key}: {ours} {}",
                wanted(key)
            )
        };
        let scored = |pick: fn(f64, f64) -> f64| -> Vec<Thresholded> {
            let one =
                |(prediction, golds, not_in_document, exact, f1): &(String, Vec<String>, f64, f64, f64)| {
                    Thresholded {
                        not_in_document: *not_in_document,
                        answerable: !golds.is_empty(),
                        score: pick(*exact, *f1),
                        predicts: !prediction.is_empty(),
                    }
                };
            cases.iter().map(one).collect()
        };
        let mean = |part: &dyn Fn(bool) -> bool, pick: fn(f64, f64) -> f64| {
            let scores: Vec<f64> = cases
                .iter()
                .filter(|c| part(!c.1.is_empty()))
                .map(|c| pick(c.3, c.4))
                .collect();
            100.0 * scores.iter().sum::<f64>() / scores.len() as f64
        };
        close(mean(&|_| true, |e, _| e), "exact");
        close(mean(&|has| has, |_, f| f), "HasAns_f1");
        close(mean(&|has| !has, |_, f| f), "NoAns_f1");
        let (best, threshold) = best_threshold(&scored(|e, _| e));
        close(best, "best_exact");
        close(threshold, "best_exact_thresh");
        let (best, threshold) = best_threshold(&scored(|_, f| f));
        close(best, "best_f1");
        close(threshold, "best_f1_thresh");
    }
}

#[test]
fn applied_thresholds_are_the_official_ones() {
    let golden: Answers = serde_json::from_str(ANSWERS).unwrap();
    for (cases, report) in golden.cases.chunks(1000).zip(&golden.reports) {
        for threshold in [0.25, 0.5] {
            let scored: Vec<Thresholded> = cases
                .iter()
                .map(|c| Thresholded {
                    not_in_document: c.2,
                    answerable: !c.1.is_empty(),
                    score: c.4,
                    predicts: !c.0.is_empty(),
                })
                .collect();
            let ours = at_threshold(&scored, threshold);
            let wanted = report[&format!("f1_at_{threshold}")].as_f64().unwrap();
            assert!((ours - wanted).abs() < 1e-9, "{threshold}: {ours} {wanted}");
        }
    }
}

#[test]
fn stems_are_those_of_nltk() {
    let mut count = 0;
    for line in STEMS.lines() {
        let (word, wanted) = line.split_once(' ').unwrap();
        assert_eq!(stem(word), wanted, "{word}");
        count += 1;
    }
    assert!(count >= 7000);
}

#[test]
fn rouge_is_that_of_rouge_score() {
    type Case = (String, String, [f64; 2], [f64; 2], [f64; 2], [f64; 3]);
    #[derive(Deserialize)]
    struct Summaries {
        cases: Vec<Case>,
    }
    let golden: Summaries = serde_json::from_str(SUMMARIES).unwrap();
    assert!(golden.cases.len() >= 500);
    for (i, (reference, summary, r1, r2, rl, rlsum)) in golden.cases.iter().enumerate() {
        let ours = rouge(reference, summary);
        let all = [
            (ours.rouge1, &r1[..]),
            (ours.rouge2, r2),
            (ours.rouge_l, rl),
            (ours.rouge_lsum, rlsum),
        ];
        for (name, (ours, wanted)) in ["rouge1", "rouge2", "rougeL", "rougeLsum"].iter().zip(all) {
            for (ours, wanted) in [ours.precision, ours.recall, ours.f1].iter().zip(wanted) {
                assert!(
                    (ours - wanted).abs() < 1e-9,
                    "case {i}: {name}: {ours} {wanted}\n{reference:?}\n{summary:?}"
                );
            }
        }
    }
}
