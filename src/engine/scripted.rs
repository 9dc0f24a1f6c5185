//! An engine that says what it is told, for tests of everything around an engine.

use super::{Engine, Head, Input, Output, SpanLogits};
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
