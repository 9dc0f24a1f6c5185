//! From the logits of a window to a span of its document.

use crate::document::Span;
use crate::engine::SpanLogits;
use crate::window::Window;

/// A span of a document's clean text with its raw score.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Start logit + end logit − null score of the same window.
    pub score: f32,
    /// Bytes of the clean text.
    pub span: Span,
}

/// Calls `found` with each span of a window that can be an answer, as the first and the last token of the context, and its score.
///
/// A span starts and ends with whole words, starts no later than it ends, lies in the context and within
/// one section, has at most `answer_tokens` tokens, and is [read in this window](Window::ends).
fn spans(
    window: &Window,
    logits: &SpanLogits,
    answer_tokens: usize,
    mut found: impl FnMut(usize, usize, f32),
) {
    let context = &window.context; // [tokens]
    let from = window.context_start;
    let start = &logits.start[from..from + context.len()]; // [tokens]
    let end = &logits.end[from..from + context.len()]; // [tokens]
    // Position 0 is where the model points when the window does not answer (Devlin et al. 2019, section 4.3).
    let null = logits.start[0] + logits.end[0];
    let ends_word = |i: usize| context.get(i + 1).is_none_or(|next| next.starts_word);
    for first in (0..context.len()).filter(|&i| context[i].starts_word && !context[i].is_inserted()) {
        let ends = window.ends(first);
        for last in ends.start..ends.end.min(first + answer_tokens) {
            if context[last].section != context[first].section {
                break;
            }
            if ends_word(last) && context[first].start < context[last].end {
                found(first, last, start[first] + end[last] - null);
            }
        }
    }
}

/// The best span of a window; of equal scores the earlier and shorter one. `None` where no span can be an answer.
#[must_use]
pub fn best_span(window: &Window, logits: &SpanLogits, answer_tokens: usize) -> Option<Candidate> {
    let mut best: Option<(usize, usize, f32)> = None;
    spans(window, logits, answer_tokens, |first, last, score| {
        if best.is_none_or(|(_, _, highest)| score > highest) {
            best = Some((first, last, score));
        }
    });
    best.map(|(first, last, score)| candidate(window, first, last, score))
}

/// The best `count` spans of a window behind `after` in the order of [`best_span`], the best first.
#[must_use]
pub fn next_spans(
    window: &Window,
    logits: &SpanLogits,
    answer_tokens: usize,
    after: Option<&Candidate>,
    count: usize,
) -> Vec<Candidate> {
    let order = |a: &Candidate, b: &Candidate| {
        let place = |c: &Candidate| (c.span.start, c.span.end);
        b.score.total_cmp(&a.score).then_with(|| place(a).cmp(&place(b)))
    };
    let mut found = Vec::new();
    spans(window, logits, answer_tokens, |first, last, score| {
        // A negative zero would come behind a positive one.
        let candidate = candidate(window, first, last, score + 0.0);
        if after.is_none_or(|after| order(after, &candidate).is_lt()) {
            found.push(candidate);
        }
    });
    if found.len() > count {
        found.select_nth_unstable_by(count, order);
        found.truncate(count);
    }
    found.sort_unstable_by(order);
    found
}

fn candidate(window: &Window, first: usize, last: usize, score: f32) -> Candidate {
    Candidate {
        score,
        span: window.context[first].start..window.context[last].end,
    }
}

/// How strongly a window speaks for an answer at all, wherever it begins and ends: the logarithm of the sum of
/// e^(start + end) over its spans of at most `answer_tokens` tokens that are [read in it](Window::ends), minus the
/// null score.
///
/// It is never below the score of the best span, and well above it where several spans share the weight. Parts
/// of words and spans across sections count too; their share is small.
#[must_use]
pub fn evidence(window: &Window, logits: &SpanLogits, answer_tokens: usize) -> f32 {
    let context = window.context_start..window.context_start + window.context.len();
    let start = &logits.start[context.clone()]; // [tokens]
    let end = &logits.end[context]; // [tokens]
    let can_answer = |i: usize| f64::from(u8::from(!window.context[i].is_inserted()));
    let (top_start, top_end) = (greatest(start), greatest(end));
    let end_weights: Vec<f64> = end
        .iter()
        .enumerate()
        .map(|(i, &logit)| can_answer(i) * (f64::from(logit) - top_end).exp())
        .collect(); // [tokens]
    let mass: f64 = start
        .iter()
        .enumerate()
        .map(|(i, &logit)| {
            let read = window.ends(i);
            let reach = read.end.min(i + answer_tokens);
            // Not a difference of running sums: that loses what is small beside the greatest.
            let weight: f64 = end_weights
                .get(read.start..reach)
                .unwrap_or_default()
                .iter()
                .sum();
            can_answer(i) * (f64::from(logit) - top_start).exp() * weight
        })
        .sum();
    let null = f64::from(logits.start[0]) + f64::from(logits.end[0]);
    (mass.ln() + top_start + top_end - null) as f32
}

fn greatest(logits: &[f32]) -> f64 {
    f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Input;
    use crate::window::ContextToken;
    use proptest::prelude::*;

    /// `[CLS] q [SEP] context [SEP]` with tokens of two bytes: `words[i]` says whether token i starts one.
    fn window(words: &[bool], sections: &[u32]) -> Window {
        let context: Vec<ContextToken> = words
            .iter()
            .zip(sections)
            .enumerate()
            .map(|(i, (&starts_word, &section))| ContextToken {
                id: 0,
                start: 2 * i,
                end: 2 * i + 2,
                starts_word,
                section,
            })
            .collect();
        let length = context.len() + 4;
        Window {
            input: Input {
                ids: vec![0; length],
                segments: vec![0; length],
                sentences: vec![],
            },
            context_start: 3,
            context,
            shared_before: 0,
            shared_after: 0,
        }
    }

    proptest! {
        /// Against a list of all spans, sorted.
        #[test]
        fn the_next_spans_are_the_best_of_the_rest(
            tokens in prop::collection::vec((any::<bool>(), 0u32..3, -9i8..9, -9i8..9), 1..40),
            null in -9i8..9, answer_tokens in 1usize..12, count in 1usize..9,
        ) {
            let words: Vec<bool> = tokens.iter().map(|t| t.0).collect();
            let mut sections: Vec<u32> = tokens.iter().map(|t| t.1).collect();
            sections.sort_unstable();
            let window = window(&words, &sections);
            let pad = |pick: fn(&(bool, u32, i8, i8)) -> i8| {
                let mut logits = vec![f32::from(null), 9.0, 9.0];
                logits.extend(tokens.iter().map(|t| f32::from(pick(t))));
                logits.push(9.0);
                logits
            };
            let logits = SpanLogits { start: pad(|t| t.2), end: pad(|t| t.3) };
            let mut all = Vec::new();
            for i in 0..tokens.len() {
                for j in i..tokens.len().min(i + answer_tokens) {
                    let whole = words[i] && (j + 1 == tokens.len() || words[j + 1]);
                    if whole && sections[i] == sections[j] {
                        let score = f32::from(tokens[i].2) + f32::from(tokens[j].3) - 2.0 * f32::from(null);
                        all.push(Candidate { score, span: 2 * i..2 * j + 2 });
                    }
                }
            }
            all.sort_by(|a, b| b.score.total_cmp(&a.score));
            prop_assert_eq!(best_span(&window, &logits, answer_tokens), all.first().cloned());
            let mut found: Vec<Candidate> = Vec::new();
            loop {
                let next = next_spans(&window, &logits, answer_tokens, found.last(), count);
                let is_last = next.len() < count;
                found.extend(next);
                if is_last {
                    break;
                }
            }
            prop_assert_eq!(found, all);
        }
    }

    proptest! {
        /// Against the sum over all pairs.
        #[test]
        fn evidence_is_the_weight_of_all_spans(
            tokens in prop::collection::vec((-30i8..30, -30i8..30), 1..40), null in -9i8..9, answer_tokens in 1usize..12,
        ) {
            let window = window(&vec![true; tokens.len()], &vec![0; tokens.len()]);
            let logits = |pick: fn(&(i8, i8)) -> i8| {
                let mut logits = vec![f32::from(null), 9.0, 9.0];
                logits.extend(tokens.iter().map(|t| f32::from(pick(t))));
                logits.push(9.0);
                logits
            };
            let logits = SpanLogits { start: logits(|t| t.0), end: logits(|t| t.1) };
            let mut mass = 0.0;
            for i in 0..tokens.len() {
                for j in i..tokens.len().min(i + answer_tokens) {
                    mass += (f64::from(tokens[i].0) + f64::from(tokens[j].1) - 2.0 * f64::from(null)).exp();
                }
            }
            let found = f64::from(evidence(&window, &logits, answer_tokens));
            prop_assert!((found - mass.ln()).abs() < 1e-4, "{} {}", found, mass.ln());
            let best = best_span(&window, &logits, answer_tokens).unwrap();
            prop_assert!(found + 1e-4 >= f64::from(best.score));
        }
    }

    #[test]
    fn the_end_of_a_list_that_a_window_cuts_is_left_to_the_window_before() {
        let mut window = window(&[true; 200], &[0; 200]);
        let mut logits = SpanLogits {
            start: vec![0.0; 204],
            end: vec![0.0; 204],
        };
        // The last item, two tokens into the window, and a weaker span in its middle.
        (logits.start[3 + 2], logits.end[3 + 3]) = (6.0, 6.0);
        (logits.start[3 + 90], logits.end[3 + 91]) = (2.0, 2.0);
        let span = |window: &Window| best_span(window, &logits, 96).unwrap().span;
        assert_eq!(span(&window), 4..8);
        let whole = evidence(&window, &logits, 96);
        window.shared_before = 128;
        assert_eq!(span(&window), 180..184);
        assert!(evidence(&window, &logits, 96) < whole - 2.0);
    }

    #[test]
    fn an_answer_of_64_tokens_and_more_can_be_found() {
        let window = window(&[true; 80], &[0; 80]);
        let mut logits = SpanLogits {
            start: vec![0.0; 84],
            end: vec![0.0; 84],
        };
        logits.start[3 + 2] = 5.0;
        logits.end[3 + 70] = 5.0;
        let best = best_span(&window, &logits, 96).unwrap();
        assert_eq!(best.span, 4..142);
        assert!((best.score - 10.0).abs() < f32::EPSILON);
    }
}
