//! `config.json` as transformers writes it, for the BERT family.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The members of the BERT family: one encoder, other names and embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Architecture {
    /// BERT and MiniLM (Devlin et al. 2019; Wang et al. 2020).
    Bert,
    /// DistilBERT (Sanh et al. 2019): no segment embeddings.
    DistilBert,
    /// RoBERTa (Liu et al. 2019): positions count from the padding id + 1.
    Roberta,
    /// ELECTRA (Clark et al. 2020): embeddings may be narrower than the encoder.
    Electra,
}

/// The activation between the two feed-forward products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// GELU by the error function.
    Gelu,
    /// GELU by its hyperbolic tangent approximation.
    GeluTanh,
    /// Rectified linear unit.
    Relu,
}

/// The shape of an encoder. All sizes are counts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Which member of the family it is.
    pub architecture: Architecture,
    /// Tokens in the vocabulary.
    pub vocabulary_size: usize,
    /// Width of a token's vector.
    pub hidden_size: usize,
    /// Width of the embeddings; differs from `hidden_size` in some ELECTRA models only.
    pub embedding_size: usize,
    /// Layers.
    pub layers: usize,
    /// Attention heads a layer.
    pub heads: usize,
    /// Width between the feed-forward products.
    pub intermediate_size: usize,
    /// Longest input in tokens, special tokens included.
    pub max_tokens: usize,
    /// The row of the position embeddings that the first token takes.
    pub first_position: usize,
    /// Segments; 0 where the architecture has none.
    pub segments: usize,
    /// Epsilon of the layer normalisation.
    pub layer_norm_epsilon: f32,
    /// Activation of the feed-forward network.
    pub activation: Activation,
}

/// The fields of all four architectures; transformers has its own names for DistilBERT's.
#[derive(Deserialize)]
struct Raw {
    model_type: Option<String>,
    vocab_size: Option<usize>,
    #[serde(alias = "dim")]
    hidden_size: Option<usize>,
    embedding_size: Option<usize>,
    #[serde(alias = "n_layers")]
    num_hidden_layers: Option<usize>,
    #[serde(alias = "n_heads")]
    num_attention_heads: Option<usize>,
    #[serde(alias = "hidden_dim")]
    intermediate_size: Option<usize>,
    max_position_embeddings: Option<usize>,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f32>,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    pad_token_id: Option<usize>,
    position_embedding_type: Option<String>,
}

impl Config {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// When it is not JSON, lacks a size, has an absurd one, or names an architecture or activation
    /// that is not supported.
    pub fn parse(bytes: &[u8], origin: &Path) -> Result<Self> {
        let invalid = |reason: String| Error::ModelFileInvalid {
            model: origin.to_owned(),
            file: "config.json".to_owned(),
            reason,
        };
        let raw: Raw = serde_json::from_slice(bytes).map_err(|e| invalid(e.to_string()))?;
        let model_type = raw.model_type.as_deref().unwrap_or("none");
        let architecture = match model_type {
            "bert" => Architecture::Bert,
            "distilbert" => Architecture::DistilBert,
            "roberta" | "xlm-roberta" | "camembert" => Architecture::Roberta,
            "electra" => Architecture::Electra,
            other => {
                return Err(Error::UnknownArchitecture {
                    model: origin.to_owned(),
                    architecture: other.chars().take(40).collect(),
                });
            }
        };
        // Limits far above any published model of the family, so that a hostile file cannot ask for more
        // memory than the weights that it comes with.
        let size = |name: &str, value: Option<usize>, limit: usize| match value {
            Some(n) if (1..=limit).contains(&n) => Ok(n),
            Some(n) => Err(invalid(format!("{name} is {n}, expected 1 to {limit}"))),
            None => Err(invalid(format!("{name} is missing"))),
        };
        let hidden_size = size("hidden_size", raw.hidden_size, 8192)?;
        let heads = size("num_attention_heads", raw.num_attention_heads, 256)?;
        if !hidden_size.is_multiple_of(heads) {
            return Err(invalid(format!(
                "hidden_size {hidden_size} is no multiple of num_attention_heads {heads}"
            )));
        }
        if raw
            .position_embedding_type
            .as_deref()
            .is_some_and(|t| t != "absolute")
        {
            return Err(invalid("position_embedding_type must be \"absolute\"".to_owned()));
        }
        let activation = match raw.hidden_act.as_deref().unwrap_or("gelu") {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            other => return Err(invalid(format!("hidden_act {other:?} is not supported"))),
        };
        let first_position = match architecture {
            Architecture::Roberta => raw.pad_token_id.unwrap_or(1).min(1 << 20) + 1,
            _ => 0,
        };
        let positions = size("max_position_embeddings", raw.max_position_embeddings, 1 << 17)?;
        Ok(Self {
            architecture,
            vocabulary_size: size("vocab_size", raw.vocab_size, 1 << 21)?,
            hidden_size,
            embedding_size: match architecture {
                Architecture::Electra => size("embedding_size", raw.embedding_size, 8192)?,
                _ => hidden_size,
            },
            layers: size("num_hidden_layers", raw.num_hidden_layers, 256)?,
            heads,
            intermediate_size: size("intermediate_size", raw.intermediate_size, 1 << 16)?,
            max_tokens: positions
                .checked_sub(first_position)
                .filter(|&n| n >= 16)
                .ok_or_else(|| invalid(format!("max_position_embeddings {positions} is too small")))?,
            first_position,
            segments: match architecture {
                Architecture::DistilBert => 0,
                _ => size("type_vocab_size", raw.type_vocab_size, 64)?,
            },
            layer_norm_epsilon: match raw.layer_norm_eps.unwrap_or(1e-12) {
                e if (0.0..=0.1).contains(&e) => e,
                e => return Err(invalid(format!("layer_norm_eps is {e}"))),
            },
            activation,
        })
    }
}
