//! An engine that says what it is told, for tests of everything around an engine.

use std::sync::{Mutex, PoisonError};

use super::{Engine, Generation, Generator, Head, Input, Output, SpanLogits};
use crate::error::{Error, Result};

/// Finds fixed runs of token ids in the second segment and points at them; elsewhere it points at the null position.
///
/// ```
/// use quotable::engine::{Engine, Input, scripted::Scripted};
///
/// let engine = Scripted::new(vec![(vec![7, 8], 5.0)]);
/// let input = Input { ids: vec![1, 7, 8, 2], segments: vec![0, 1, 1, 1], sentences: vec![] };
/// let logits = engine.spans(&[&input])?;
/// assert_eq!(logits[0].start, [0.0, 5.0, -9.0, -9.0]);
/// assert_eq!(logits[0].end, [0.0, -9.0, 5.0, -9.0]);
/// # Ok::<(), quotable::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Scripted {
    answers: Vec<(Vec<u32>, f32)>,
}

impl Scripted {
    /// Token ids of answers, each with the logit of its start and end.
    #[must_use]
    pub fn new(answers: Vec<(Vec<u32>, f32)>) -> Self {
        Self { answers }
    }
}

impl Engine for Scripted {
    fn encode(&self, inputs: &[&Input], head: Head) -> Result<Output> {
        if head != Head::Span {
            return Err(Error::NoHead {
                model: "scripted".to_owned(),
                head: "sentence",
                task: "summarization",
            });
        }
        let logits = |input: &&Input| {
            let mut logits = SpanLogits {
                start: vec![-9.0; input.len()],
                end: vec![-9.0; input.len()],
            };
            logits.start[0] = 0.0;
            logits.end[0] = 0.0;
            for (ids, logit) in &self.answers {
                for at in 1..(input.len() + 1).saturating_sub(ids.len()) {
                    if input.ids[at..].starts_with(ids) && input.segments[at] == 1 {
                        logits.start[at] = *logit;
                        logits.end[at + ids.len() - 1] = *logit;
                    }
                }
            }
            logits
        };
        Ok(Output::Span(inputs.iter().map(logits).collect()))
    }
}

/// A generator that writes what it is told, for tests of everything around one. Its tokens are words.
///
/// For every cue that stands in its input, in the order of the cues, it writes the words that belong to the cue;
/// without any, the first sentence of the input.
///
/// ```
/// use quotable::engine::{Generation, Generator, scripted::ScriptedGenerator};
///
/// let generator = ScriptedGenerator::new(100, vec![("dam".into(), "The dam broke.".into())]);
/// let write = |text| generator.generate(text, &Generation::default(), &mut |_| true);
/// assert_eq!(write("A dam above Elbing.")?, "The dam broke.");
/// assert_eq!(write("One came. Two left.")?, "One came.");
/// assert_eq!(generator.inputs(), ["A dam above Elbing.", "One came. Two left."]);
/// # Ok::<(), quotable::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ScriptedGenerator {
    input_tokens: usize,
    script: Vec<(String, String)>,
    inputs: Mutex<Vec<String>>,
}

impl ScriptedGenerator {
    /// Reads so many words, and writes what belongs to each cue.
    #[must_use]
    pub fn new(input_tokens: usize, script: Vec<(String, String)>) -> Self {
        Self {
            input_tokens,
            script,
            inputs: Mutex::default(),
        }
    }

    /// All that it has read, in the order in which it was asked.
    #[must_use]
    pub fn inputs(&self) -> Vec<String> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Generator for ScriptedGenerator {
    fn name(&self) -> &str {
        "scripted"
    }

    fn input_tokens(&self) -> usize {
        self.input_tokens
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn generation(&self) -> Generation {
        Generation::default()
    }

    fn generate(
        &self,
        text: &str,
        generation: &Generation,
        step: &mut dyn FnMut(usize) -> bool,
    ) -> Result<String> {
        let tokens = self.count_tokens(text);
        if tokens > self.input_tokens {
            return Err(Error::InputTooLong {
                model: self.name().to_owned(),
                tokens,
                limit: self.input_tokens,
            });
        }
        self.inputs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text.to_owned());
        let cued = self.script.iter().filter(|(cue, _)| text.contains(cue));
        let mut words: Vec<&str> = cued.flat_map(|(_, words)| words.split_whitespace()).collect();
        if words.is_empty() {
            let mut stopped = false;
            let goes_on = |word: &&str| !std::mem::replace(&mut stopped, word.ends_with(['.', '!', '?']));
            words = text.split_whitespace().take_while(goes_on).collect();
        }
        words.truncate(generation.max_new_tokens);
        match (1..=words.len()).all(step) {
            true => Ok(words.join(" ")),
            false => Err(Error::Interrupted),
        }
    }
}
