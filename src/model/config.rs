//! `config.json` as transformers writes it, for the BERT family and what descends from it.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The members of the BERT family: one encoder, other names and embeddings; and those that only the engine `libtorch` runs.
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
    /// ALBERT (Lan et al. 2020): layers share their weights. `libtorch` only.
    Albert,
    /// DeBERTa (He et al. 2021): attention to words and to distances. `libtorch` only.
    Deberta,
    /// DeBERTa v2 and v3 (He et al. 2023). `libtorch` only.
    DebertaV2,
}

impl Architecture {
    /// Whether the native engine runs it.
    #[must_use]
    pub fn is_native(self) -> bool {
        matches!(
            self,
            Self::Bert | Self::DistilBert | Self::Roberta | Self::Electra
        )
    }

    /// Its `model_type`, for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::DistilBert => "distilbert",
            Self::Roberta => "roberta",
            Self::Electra => "electra",
            Self::Albert => "albert",
            Self::Deberta => "deberta",
            Self::DebertaV2 => "deberta-v2",
        }
    }
}

/// How ALBERT's layers share weights: they are divided evenly among groups, and each use of a group is a few layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// Groups of layers.
    pub groups: usize,
    /// Layers in a group.
    pub group_layers: usize,
}

/// How DeBERTa attends to distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relative {
    /// Rows of the table of distances in each direction.
    pub span: usize,
    /// Distances beyond half of this fall into buckets whose width grows with the distance; 0 where each has a row.
    pub buckets: usize,
    /// The distance that the last bucket ends at.
    pub longest: usize,
    /// Whether words attend to distances.
    pub content_to_position: bool,
    /// Whether distances attend to words.
    pub position_to_content: bool,
    /// Whether distances take the matrices of the words (DeBERTa v3).
    pub shared: bool,
    /// Whether the table of distances is normalised.
    pub normed: bool,
}

/// The convolution beside the first layer of the largest DeBERTa v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    /// Tokens that it looks at; odd.
    pub tokens: usize,
    /// Groups of channels.
    pub groups: usize,
    /// Its activation; `None` is the hyperbolic tangent.
    pub activation: Option<Activation>,
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
    /// Width of the embeddings; differs from `hidden_size` in some ELECTRA and DeBERTa models and in ALBERT.
    pub embedding_size: usize,
    /// Layers, each use of one that is shared counted.
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
    /// Whether there are embeddings of positions; all but some DeBERTa models have them.
    pub position_embeddings: bool,
    /// Of ALBERT.
    pub sharing: Option<Sharing>,
    /// Of DeBERTa.
    pub relative: Option<Relative>,
    /// Of the largest DeBERTa v2.
    pub convolution: Option<Convolution>,
}

/// The fields of all architectures; transformers has its own names for DistilBERT's.
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
    num_hidden_groups: Option<usize>,
    inner_group_num: Option<usize>,
    relative_attention: Option<bool>,
    max_relative_positions: Option<i64>,
    position_buckets: Option<i64>,
    pos_att_type: Option<OneOrMore>,
    share_att_key: Option<bool>,
    norm_rel_ebd: Option<String>,
    position_biased_input: Option<bool>,
    talking_head: Option<bool>,
    conv_kernel_size: Option<usize>,
    conv_groups: Option<usize>,
    conv_act: Option<String>,
}

/// `["c2p", "p2c"]` or, in files from Microsoft, `"c2p|p2c"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn names(&self) -> Vec<String> {
        match self {
            Self::One(names) => names
                .to_lowercase()
                .split('|')
                .map(|n| n.trim().to_owned())
                .collect(),
            Self::More(names) => names.clone(),
        }
    }
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
            "albert" => Architecture::Albert,
            "deberta" => Architecture::Deberta,
            "deberta-v2" => Architecture::DebertaV2,
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
        let is_deberta = matches!(architecture, Architecture::Deberta | Architecture::DebertaV2);
        let first_position = match architecture {
            Architecture::Roberta => raw.pad_token_id.unwrap_or(1).min(1 << 20) + 1,
            _ => 0,
        };
        let positions = size("max_position_embeddings", raw.max_position_embeddings, 1 << 17)?;
        let layers = size("num_hidden_layers", raw.num_hidden_layers, 256)?;
        let sharing = match architecture {
            Architecture::Albert => Some(Sharing {
                groups: size("num_hidden_groups", raw.num_hidden_groups, 256)?,
                group_layers: size("inner_group_num", raw.inner_group_num, 16)?,
            }),
            _ => None,
        };
        if let Some(sharing) = sharing
            && !layers.is_multiple_of(sharing.groups)
        {
            return Err(invalid(format!(
                "num_hidden_layers {layers} is no multiple of num_hidden_groups {}",
                sharing.groups
            )));
        }
        let v2 = architecture == Architecture::DebertaV2;
        let convolution = match raw.conv_kernel_size {
            Some(tokens) if v2 && tokens > 0 => Some(Convolution {
                tokens: match tokens {
                    1..=63 if tokens % 2 == 1 => tokens,
                    n => {
                        return Err(invalid(format!(
                            "conv_kernel_size is {n}, expected an odd number below 64"
                        )));
                    }
                },
                groups: match raw.conv_groups.unwrap_or(1) {
                    n if n > 0 && hidden_size.is_multiple_of(n) => n,
                    n => {
                        return Err(invalid(format!(
                            "conv_groups {n} does not divide hidden_size {hidden_size}"
                        )));
                    }
                },
                activation: match raw.conv_act.as_deref().unwrap_or("tanh") {
                    "tanh" => None,
                    "gelu" => Some(Activation::Gelu),
                    "relu" => Some(Activation::Relu),
                    other => return Err(invalid(format!("conv_act {other:?} is not supported"))),
                },
            }),
            _ => None,
        };
        let relative = match is_deberta {
            true => Some(Relative::of(&raw, positions, v2).map_err(invalid)?),
            false => None,
        };
        Ok(Self {
            architecture,
            vocabulary_size: size("vocab_size", raw.vocab_size, 1 << 21)?,
            hidden_size,
            embedding_size: match architecture {
                Architecture::Electra | Architecture::Albert => {
                    size("embedding_size", raw.embedding_size, 8192)?
                }
                _ if is_deberta && raw.embedding_size.is_some() => {
                    size("embedding_size", raw.embedding_size, 8192)?
                }
                _ => hidden_size,
            },
            layers: layers * sharing.map_or(1, |sharing| sharing.group_layers),
            heads,
            intermediate_size: size("intermediate_size", raw.intermediate_size, 1 << 16)?,
            max_tokens: positions
                .checked_sub(first_position)
                .filter(|&n| n >= 16)
                .ok_or_else(|| invalid(format!("max_position_embeddings {positions} is too small")))?,
            first_position,
            segments: match architecture {
                Architecture::DistilBert => 0,
                _ if is_deberta && raw.type_vocab_size.unwrap_or(0) == 0 => 0,
                _ => size("type_vocab_size", raw.type_vocab_size, 64)?,
            },
            layer_norm_epsilon: match raw
                .layer_norm_eps
                .unwrap_or(if is_deberta { 1e-7 } else { 1e-12 })
            {
                e if e > 0.0 && e <= 0.1 => e,
                e => return Err(invalid(format!("layer_norm_eps is {e}"))),
            },
            activation,
            position_embeddings: !is_deberta || raw.position_biased_input.unwrap_or(true),
            sharing,
            relative,
            convolution,
        })
    }
}

impl Relative {
    /// What DeBERTa's configuration says of distances; `v2`: of version 2 or 3.
    fn of(raw: &Raw, positions: usize, v2: bool) -> Result<Self, String> {
        if raw.relative_attention != Some(true) || raw.talking_head == Some(true) {
            return Err("only relative_attention true and talking_head false are supported".to_owned());
        }
        let longest = match raw.max_relative_positions.unwrap_or(-1) {
            ..=0 => positions,
            n => usize::try_from(n)
                .ok()
                .filter(|&n| n <= 1 << 17)
                .ok_or_else(|| format!("max_relative_positions is {n}, expected at most {}", 1 << 17))?,
        };
        let buckets = match raw.position_buckets.unwrap_or(-1) {
            n if n <= 0 || !v2 => 0,
            n => usize::try_from(n).unwrap_or(usize::MAX),
        };
        // The widths of buckets are in proportion to the logarithm of longest / half.
        if buckets == 1 || buckets > 4096 || (buckets > 0 && longest < buckets / 2 + 2) {
            return Err(format!(
                "position_buckets {buckets} do not fit {longest} positions"
            ));
        }
        let kinds = raw.pos_att_type.as_ref().map_or_else(Vec::new, OneOrMore::names);
        if let Some(other) = kinds.iter().find(|kind| !["c2p", "p2c"].contains(&kind.as_str())) {
            return Err(format!("pos_att_type {other:?} is not supported"));
        }
        let has = |kind: &str| kinds.iter().any(|k| k == kind);
        let norms = raw.norm_rel_ebd.as_deref().unwrap_or("none").to_lowercase();
        Ok(Self {
            span: if buckets > 0 { buckets } else { longest },
            buckets,
            longest,
            content_to_position: has("c2p"),
            position_to_content: has("p2c"),
            shared: v2 && raw.share_att_key == Some(true),
            normed: v2 && norms.split('|').any(|norm| norm.trim() == "layer_norm"),
        })
    }
}
