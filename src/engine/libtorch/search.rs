//! The search for the likeliest text: greedy, or with beams, as transformers does it (`generation/utils.py`,
//! `_beam_search` of version 5), so that the same weights write the same words. Nothing is drawn by chance.

use super::shape::Frame;
use crate::engine::Generation;
use crate::error::{Error, Result};

/// A decoder that writes sequences side by side.
pub(super) trait Steps {
    /// Log probabilities of what follows each sequence. `last` is its last token, and `parents` says which sequence
    /// of the step before it continues; at the first step there is none. `[sequences, vocabulary]`, all finite
    fn next(&mut self, last: &[u32], parents: &[usize]) -> Result<Vec<f32>>;
}

/// What may be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) frame: &'a Frame,
    pub(super) vocabulary: usize,
    pub(super) generation: &'a Generation,
}

/// A score that stands for "not at all", as the reference has it: sums with it stay finite.
const NONE: f32 = -1e9;

/// A sequence with its score.
#[derive(Debug, Clone)]
struct Beam {
    /// With the token that the decoder begins with.
    ids: Vec<u32>,
    score: f32,
    finished: bool,
}

impl Rules<'_> {
    /// The most tokens of a sequence, the first included.
    fn longest(&self) -> usize {
        self.generation.max_new_tokens + 1
    }

    fn ends(&self, ids: &[u32]) -> bool {
        ids.last().is_some_and(|last| self.frame.ends.contains(last)) || ids.len() >= self.longest()
    }

    /// Takes out of a row of log probabilities what may not follow a sequence. `[vocabulary]`
    fn apply(&self, row: &mut [f32], ids: &[u32]) {
        let n = self.generation.no_repeat_ngram;
        if n > 0 && ids.len() + 1 >= n {
            let tail = &ids[ids.len() + 1 - n..];
            for before in ids.windows(n) {
                if before[..n - 1] == *tail {
                    row[before[n - 1] as usize] = f32::NEG_INFINITY;
                }
            }
        }
        if ids.len() - 1 < self.generation.min_new_tokens {
            for &end in &self.frame.ends {
                row[end as usize] = f32::NEG_INFINITY;
            }
        }
        let mut force = |token: Option<u32>| {
            if let Some(token) = token {
                row.fill(f32::NEG_INFINITY);
                row[token as usize] = 0.0;
            }
        };
        if ids.len() == 1 {
            force(self.frame.forced_first);
        }
        if ids.len() + 1 == self.longest() {
            force(self.frame.forced_last);
        }
    }
}

/// Writes a sequence; with the token that the decoder begins with. `step` is told how many tokens are written.
///
/// # Errors
/// Those of the decoder, and [`Error::Interrupted`].
pub(super) fn search(
    steps: &mut dyn Steps,
    rules: Rules<'_>,
    step: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<u32>> {
    match rules.generation.beams {
        0 | 1 => greedy(steps, rules, step),
        beams => beam_search(steps, rules, beams, step),
    }
}

fn greedy(steps: &mut dyn Steps, rules: Rules<'_>, step: &mut dyn FnMut(usize) -> bool) -> Result<Vec<u32>> {
    let mut ids = vec![rules.frame.start];
    while !rules.ends(&ids) || ids.len() == 1 {
        let mut row = steps.next(&ids[ids.len() - 1..], &[0])?;
        rules.apply(&mut row, &ids);
        ids.extend(best(&row, 1).first().map(|&(at, _)| at as u32));
        if !step(ids.len() - 1) {
            return Err(Error::Interrupted);
        }
    }
    Ok(ids)
}

fn beam_search(
    steps: &mut dyn Steps,
    rules: Rules<'_>,
    beams: usize,
    step: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<u32>> {
    let Generation {
        length_penalty,
        early_stopping,
        ..
    } = *rules.generation;
    let penalty = |tokens: usize| (tokens as f64).powf(length_penalty) as f32;
    let beam = |score| Beam {
        ids: vec![rules.frame.start],
        score,
        finished: false,
    };
    // All begin alike: only the first counts, or all would be the same.
    let mut running: Vec<Beam> = (0..beams)
        .map(|i| beam(if i == 0 { 0.0 } else { NONE }))
        .collect();
    let mut finished: Vec<Beam> = (0..beams).map(|_| beam(NONE)).collect();
    let mut parents: Vec<usize> = (0..beams).collect();
    // So many that, whichever of them end, enough go on.
    let kept = (1 + rules.frame.ends.len()).max(2) * beams;
    let mut can_improve = true;
    loop {
        let last: Vec<u32> = running.iter().map(|b| b.ids[b.ids.len() - 1]).collect();
        let mut scores = steps.next(&last, &parents)?; // [beams, vocabulary]
        for (row, beam) in scores.chunks_exact_mut(rules.vocabulary).zip(&running) {
            rules.apply(row, &beam.ids);
            row.iter_mut().for_each(|score| *score += beam.score);
        }
        let continued = best(&scores, kept).into_iter().map(|(at, score)| {
            let parent = at / rules.vocabulary;
            let mut ids = running[parent].ids.clone();
            ids.push((at % rules.vocabulary) as u32);
            let finished = rules.ends(&ids);
            (Beam { ids, score, finished }, parent)
        });
        let continued: Vec<(Beam, usize)> = continued.collect();
        let tokens = running[0].ids.len();

        let all_finished = finished.iter().all(|b| b.finished);
        let closed = all_finished && early_stopping;
        for (rank, (candidate, _)) in continued.iter().enumerate() {
            let done = candidate.finished && rank < beams;
            let mut score = candidate.score / penalty(tokens);
            for out in [closed, !can_improve, !done] {
                score += if out { NONE } else { 0.0 };
            }
            finished.push(Beam {
                score,
                finished: done,
                ids: candidate.ids.clone(),
            });
        }
        finished = ranked(finished, beams);

        let all_end = continued.iter().all(|(candidate, _)| candidate.finished);
        let going_on = continued.into_iter().map(|(mut candidate, parent)| {
            candidate.score += if candidate.finished { NONE } else { 0.0 };
            (candidate, parent)
        });
        let mut going_on: Vec<(Beam, usize)> = going_on.collect();
        going_on.sort_by(|a, b| b.0.score.total_cmp(&a.0.score));
        going_on.truncate(beams);
        (running, parents) = going_on.into_iter().unzip();

        if !step(tokens) {
            return Err(Error::Interrupted);
        }
        let possible = running[0].score / penalty(tokens);
        let lowest = finished.iter().map(|b| b.score).fold(f32::INFINITY, f32::min);
        can_improve &= finished
            .iter()
            .any(|b| possible > if b.finished { lowest } else { NONE });
        let all_finished = finished.iter().all(|b| b.finished);
        if !can_improve || all_finished && early_stopping || all_end {
            return Ok(finished.swap_remove(0).ids);
        }
    }
}

/// The beams with the highest scores, the first of equals first.
fn ranked(mut beams: Vec<Beam>, count: usize) -> Vec<Beam> {
    beams.sort_by(|a, b| b.score.total_cmp(&a.score));
    beams.truncate(count);
    beams
}

/// The highest values with their places, the first of equals first.
fn best(values: &[f32], count: usize) -> Vec<(usize, f32)> {
    let mut best: Vec<(usize, f32)> = Vec::with_capacity(count + 1);
    for (at, &value) in values.iter().enumerate() {
        if best.len() < count || value > best[best.len() - 1].1 {
            let place = best.partition_point(|&(_, other)| other >= value);
            best.insert(place, (at, value));
            best.truncate(count);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Log probabilities that depend on the last token only: a row for each.
    struct Chain(Vec<Vec<f32>>);

    impl Steps for Chain {
        fn next(&mut self, last: &[u32], _: &[usize]) -> Result<Vec<f32>> {
            Ok(last.iter().flat_map(|&id| self.0[id as usize].clone()).collect())
        }
    }

    /// 0 begins, 1 ends. From 0 the likeliest is 2, but 3 leads to an end that is all but certain.
    fn chain() -> Chain {
        let row = |p: [f32; 4]| p.iter().map(|p| p.ln()).collect();
        Chain(vec![
            row([0.01, 0.01, 0.55, 0.43]),
            row([0.25, 0.25, 0.25, 0.25]),
            row([0.30, 0.32, 0.19, 0.19]),
            row([0.01, 0.97, 0.01, 0.01]),
        ])
    }

    fn written(generation: Generation, forced_first: Option<u32>, forced_last: Option<u32>) -> Vec<u32> {
        let frame = Frame {
            start: 0,
            ends: vec![1],
            forced_first,
            forced_last,
        };
        let rules = Rules {
            frame: &frame,
            vocabulary: 4,
            generation: &generation,
        };
        search(&mut chain(), rules, &mut |_| true).unwrap()
    }

    #[test]
    fn beams_find_what_greed_passes_over() {
        let generation = |beams| Generation {
            beams,
            max_new_tokens: 6,
            ..Generation::default()
        };
        assert_eq!(written(generation(1), None, None), [0, 2, 1]);
        assert_eq!(written(generation(2), None, None), [0, 3, 1]);
    }

    #[test]
    fn rules_are_kept() {
        for beams in [1, 3] {
            let generation = Generation {
                beams,
                max_new_tokens: 6,
                min_new_tokens: 4,
                ..Generation::default()
            };
            let ids = written(generation, Some(2), Some(1));
            assert_eq!(ids[1], 2);
            assert!(ids.len() - 1 > 4, "{ids:?}");
            assert_eq!(ids.last(), Some(&1));
            let once = Generation {
                no_repeat_ngram: 2,
                ..generation
            };
            let ids = written(once, None, None);
            let mut pairs: Vec<&[u32]> = ids.windows(2).collect();
            pairs.sort_unstable();
            pairs.dedup();
            assert_eq!(pairs.len(), ids.len() - 1, "{ids:?}");
            assert!(ids.len() > 4, "{ids:?}");
        }
    }

    #[test]
    fn a_search_stops_when_it_is_asked_to() {
        let frame = Frame {
            start: 0,
            ends: vec![1],
            forced_first: None,
            forced_last: None,
        };
        for beams in [1, 2] {
            let generation = Generation {
                beams,
                min_new_tokens: 9,
                ..Generation::default()
            };
            let rules = Rules {
                frame: &frame,
                vocabulary: 4,
                generation: &generation,
            };
            let result = search(&mut chain(), rules, &mut |tokens| tokens < 3);
            assert!(matches!(result, Err(Error::Interrupted)));
        }
    }
}
