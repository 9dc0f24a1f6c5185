//! DeBERTa's attention to distances (He et al. 2021, section 3.1; He et al. 2023 for the buckets).

use tch::{Device, Kind, TchError, Tensor};

use super::LoadError;
use super::encoder::{Linear, Loader, Projections, Weight, by_head};
use crate::model::Relative;

/// The table of distances. `[2 · span, hidden]`: from far behind to far ahead.
#[derive(Debug, Clone)]
pub(super) struct Distances {
    table: Weight,
    relative: Relative,
}

/// The distances within one input.
pub(super) struct Between {
    /// The part of the table that can be needed. `[2 · span, hidden]`
    table: Tensor,
    /// For each query and key, the row of the key's distance. `[1, tokens, tokens]`
    content_to_position: Tensor,
    /// For each key and query, the row of the query's distance. `[1, tokens, tokens]`
    position_to_content: Tensor,
}

impl Distances {
    pub(super) fn load(loader: &Loader<'_>, relative: &Relative, hidden: usize) -> Result<Self, LoadError> {
        let table = loader.weight("encoder.rel_embeddings.weight", &[2 * relative.span, hidden])?;
        let table = match relative.normed {
            true => Weight::from(loader.norm("encoder.LayerNorm", hidden)?.apply(&table)?),
            false => table,
        };
        Ok(Self {
            table,
            relative: *relative,
        })
    }

    /// Of an input of so many tokens.
    pub(super) fn between(&self, tokens: usize, device: Device) -> Result<Between, TchError> {
        let relative = &self.relative;
        let tokens = tokens as i64;
        let places = Tensor::f_arange(tokens, (Kind::Int64, device))?;
        let mut distances = places.f_unsqueeze(1)?.f_sub(&places.f_unsqueeze(0)?)?; // [query, key]
        if relative.buckets > 0 {
            distances = bucketed(&distances, relative.buckets as i64, relative.longest as i64)?;
        }
        let whole = relative.span as i64;
        // Rows that a short input cannot need would be projected in vain.
        let span = if relative.buckets > 0 {
            whole
        } else {
            whole.min(tokens)
        };
        let row = |distance: Tensor| {
            distance
                .f_add_scalar(span)?
                .f_clamp(0, 2 * span - 1)?
                .f_unsqueeze(0)
        };
        Ok(Between {
            table: self.table.f_narrow(0, whole - span, 2 * span)?,
            content_to_position: row(distances.shallow_clone())?,
            position_to_content: row(distances.f_neg()?)?,
        })
    }
}

/// Distances up to half a side's buckets as they are, longer ones by their logarithm, in the arithmetic of the reference.
fn bucketed(distances: &Tensor, buckets: i64, longest: i64) -> Result<Tensor, TchError> {
    let half = buckets / 2;
    let long = distances.f_abs()?.f_clamp_min(half - 1)?; // [query, key]
    let widest = Tensor::f_from_slice(&[((longest - 1) as f64 / half as f64) as f32])?
        .f_log()?
        .f_to_device(distances.device())?;
    let logarithm = long
        .f_to_kind(Kind::Float)?
        .f_div_scalar(half)?
        .f_log()?
        .f_div(&widest)?
        .f_mul_scalar(half - 1)?
        .f_ceil()?
        .f_add_scalar(half)?;
    let signed = logarithm.f_mul(&distances.f_sign()?)?;
    let exact = distances.f_to_kind(Kind::Float)?;
    exact
        .f_where_self(&long.f_le(half)?, &signed)?
        .f_to_kind(Kind::Int64)
}

/// What a layer makes of distances.
#[derive(Debug, Clone)]
pub(super) struct Positions {
    key: Option<Linear>,
    query: Option<Linear>,
}

impl Positions {
    /// Of DeBERTa.
    pub(super) fn load_joint(
        loader: &Loader<'_>,
        base: &str,
        relative: &Relative,
        hidden: usize,
    ) -> Result<Self, LoadError> {
        Ok(Self {
            key: match relative.content_to_position {
                true => Some(loader.without_bias(&format!("{base}.pos_proj"), hidden, hidden)?),
                false => None,
            },
            query: match relative.position_to_content {
                true => Some(loader.linear(&format!("{base}.pos_q_proj"), hidden, hidden)?),
                false => None,
            },
        })
    }

    /// Of DeBERTa v2 and v3.
    pub(super) fn load(
        loader: &Loader<'_>,
        base: &str,
        relative: &Relative,
        words: &Projections,
        hidden: usize,
    ) -> Result<Self, LoadError> {
        let linear = |name: &str, wanted: bool, shared: &Linear| match (wanted, relative.shared) {
            (false, _) => Ok(None),
            (true, true) => Ok(Some(shared.clone())),
            (true, false) => loader.linear(&format!("{base}.{name}"), hidden, hidden).map(Some),
        };
        Ok(Self {
            key: linear("pos_key_proj", relative.content_to_position, &words.key)?,
            query: linear("pos_query_proj", relative.position_to_content, &words.query)?,
        })
    }

    /// How many kinds of scores are added to those of the words.
    pub(super) fn kinds(&self) -> f64 {
        f64::from(u8::from(self.key.is_some()) + u8::from(self.query.is_some()))
    }

    /// Adds the scores of distances to those of words, `[heads, tokens, tokens]`. Queries, `[heads, tokens, head_dim]`, are scaled
    /// already, keys are not.
    pub(super) fn add_to(
        &self,
        scores: &Tensor,
        query: &Tensor,
        key: &Tensor,
        distances: &Between,
        heads: i64,
    ) -> Result<Tensor, TchError> {
        let size = scores.size();
        let mut sum = scores.shallow_clone();
        if let Some(linear) = &self.key {
            let position = by_head(&linear.apply(&distances.table)?, heads)?; // [heads, 2 · span, head_dim]
            let found = query.f_matmul(&position.f_transpose(1, 2)?)?.f_gather(
                -1,
                &distances.content_to_position.f_expand(&size[..], false)?,
                false,
            )?;
            sum = sum.f_add(&found)?;
        }
        if let Some(linear) = &self.query {
            let position = by_head(&linear.apply(&distances.table)?, heads)?;
            let dim = position.size()[2] as f64;
            let position = position.f_div_scalar((dim * (1.0 + self.kinds())).sqrt())?;
            let found = key.f_matmul(&position.f_transpose(1, 2)?)?.f_gather(
                -1,
                &distances.position_to_content.f_expand(&size[..], false)?,
                false,
            )?;
            sum = sum.f_add(&found.f_transpose(1, 2)?)?;
        }
        Ok(sum)
    }
}
