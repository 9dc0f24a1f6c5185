//! Lead: the first sentences. News is written so that they summarise it; every method has to beat them.

use super::Scorer;
use super::prose::Candidate;
use crate::document::Document;
use crate::error::Result;

/// Scores a sentence by its place: one over its number.
#[derive(Debug, Clone, Copy)]
pub struct Lead;

impl Scorer for Lead {
    fn score(
        &self,
        _: &[&Document],
        candidates: &[Candidate],
        _: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Vec<f64>> {
        Ok(candidates.iter().map(|c| 1.0 / (c.index as f64 + 1.0)).collect())
    }

    fn is_plain(&self) -> bool {
        true
    }
}
