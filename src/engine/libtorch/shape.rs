//! What the files of a model that writes say of it: its shape, its special tokens, and how it is made to write.

use serde::Deserialize;
use serde_json::Value;

use crate::engine::Generation;
use crate::model::Activation;

/// The families of architectures, by where they normalise and how they know places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Normalises behind each sublayer; learned positions (Lewis et al. 2020).
    Bart,
    /// Normalises before each; positions are sines (Zhang et al. 2020).
    Pegasus,
    /// Normalises before each, by the root mean square; distances instead of positions (Raffel et al. 2020).
    T5,
}

/// An encoder's or a decoder's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) head_dim: usize,
    /// The inner width of the feed-forward network.
    pub(super) wide: usize,
}

/// The shape of an encoder and a decoder. All sizes are counts.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) family: Family,
    pub(super) hidden: usize,
    pub(super) vocabulary: usize,
    pub(super) encoder: Side,
    pub(super) decoder: Side,
    /// The most tokens that are read, and that are written.
    pub(super) positions: usize,
    /// What embeddings are multiplied with.
    pub(super) embedding_scale: f64,
    pub(super) activation: Activation,
    /// Whether the feed-forward network has a gate.
    pub(super) gated: bool,
    pub(super) epsilon: f64,
    /// Buckets of distances, and the distance from which all are in the last.
    pub(super) distances: (usize, usize),
    /// Whether what the decoder gives is scaled before it is read off by the embeddings.
    pub(super) scaled_output: bool,
}

/// The tokens by which writing begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// What the decoder is given first.
    pub(super) start: u32,
    /// What ends a text; one at least.
    pub(super) ends: Vec<u32>,
    /// What has to be written first.
    pub(super) forced_first: Option<u32>,
    /// What has to be written where the room ends.
    pub(super) forced_last: Option<u32>,
}

/// All of it.
#[derive(Debug, Clone)]
pub(super) struct WriterConfig {
    pub(super) shape: Shape,
    pub(super) frame: Frame,
    pub(super) generation: Generation,
    /// What is put before a text.
    pub(super) instruction: String,
}

/// More than this of anything is no model.
const MOST: usize = 1 << 20;
const MOST_LAYERS: usize = 512;
/// More beams than this are a mistake.
const MOST_BEAMS: usize = 32;

/// What `config.json` has for these architectures, by the names of all of them.
#[derive(Debug, Deserialize)]
struct Raw {
    d_model: usize,
    vocab_size: usize,
    encoder_layers: Option<usize>,
    decoder_layers: Option<usize>,
    encoder_attention_heads: Option<usize>,
    decoder_attention_heads: Option<usize>,
    encoder_ffn_dim: Option<usize>,
    decoder_ffn_dim: Option<usize>,
    activation_function: Option<String>,
    max_position_embeddings: Option<usize>,
    scale_embedding: Option<bool>,
    num_layers: Option<usize>,
    num_decoder_layers: Option<usize>,
    num_heads: Option<usize>,
    d_kv: Option<usize>,
    d_ff: Option<usize>,
    feed_forward_proj: Option<String>,
    layer_norm_epsilon: Option<f64>,
    relative_attention_num_buckets: Option<usize>,
    relative_attention_max_distance: Option<usize>,
    n_positions: Option<usize>,
    tie_word_embeddings: Option<bool>,
    scale_decoder_outputs: Option<bool>,
    normalize_before: Option<bool>,
}

/// What is wrong with a configuration.
pub(super) enum ConfigError {
    /// An architecture that does not write, or not here.
    Architecture(String),
    /// What is wrong, of `config.json`.
    Invalid(String),
}

impl From<String> for ConfigError {
    fn from(reason: String) -> Self {
        Self::Invalid(reason)
    }
}

impl WriterConfig {
    /// Reads `config.json` and, where there is one, `generation_config.json`.
    pub(super) fn parse(config: &[u8], generation: Option<&[u8]>) -> Result<Self, ConfigError> {
        let json = |bytes| serde_json::from_slice::<Value>(bytes).map_err(|e| e.to_string());
        let config = json(config)?;
        let generation = generation
            .map(|bytes| json(bytes).map_err(|e| format!("generation_config.json: {e}")))
            .transpose()?;
        let family = match config["model_type"].as_str() {
            Some("bart") => Family::Bart,
            Some("pegasus") => Family::Pegasus,
            Some("t5") => Family::T5,
            other => return Err(ConfigError::Architecture(other.unwrap_or("").to_owned())),
        };
        let raw: Raw = Raw::deserialize(&config).map_err(|e| e.to_string())?;
        let shape = shape(family, &raw)?;
        // What is said of summaries goes before what is said of all texts.
        let summaries = &config["task_specific_params"]["summarization"];
        let sources = [Some(summaries), generation.as_ref(), Some(&config)];
        let find = |key: &str| {
            let found = sources.iter().flatten().map(|source| &source[key]);
            found.into_iter().find(|value| !value.is_null())
        };
        let frame = frame(&find, shape.vocabulary)?;
        let generation = how(&find, shape.positions)?;
        let instruction = find("prefix").and_then(Value::as_str).unwrap_or("").to_owned();
        Ok(Self {
            shape,
            frame,
            generation,
            instruction,
        })
    }
}

fn shape(family: Family, raw: &Raw) -> Result<Shape, String> {
    let need = |value: Option<usize>, key: &str| value.ok_or_else(|| format!("has no {key}"));
    let is_t5 = family == Family::T5;
    let (encoder, decoder) = if is_t5 {
        let heads = need(raw.num_heads, "num_heads")?;
        let wide = need(raw.d_ff, "d_ff")?;
        let layers = need(raw.num_layers, "num_layers")?;
        let head_dim = need(raw.d_kv, "d_kv")?;
        let side = |layers| Side {
            layers,
            heads,
            head_dim,
            wide,
        };
        (side(layers), side(raw.num_decoder_layers.unwrap_or(layers)))
    } else {
        let side = |layers, heads, wide, name: &str| -> Result<Side, String> {
            let heads = need(heads, &format!("{name}_attention_heads"))?;
            Ok(Side {
                layers: need(layers, &format!("{name}_layers"))?,
                heads,
                head_dim: raw.d_model / heads.max(1),
                wide: need(wide, &format!("{name}_ffn_dim"))?,
            })
        };
        (
            side(
                raw.encoder_layers,
                raw.encoder_attention_heads,
                raw.encoder_ffn_dim,
                "encoder",
            )?,
            side(
                raw.decoder_layers,
                raw.decoder_attention_heads,
                raw.decoder_ffn_dim,
                "decoder",
            )?,
        )
    };
    let (activation, gated) = match family {
        Family::T5 => {
            let name = raw.feed_forward_proj.as_deref().unwrap_or("relu");
            let gated = name.strip_prefix("gated-");
            // T5's gated-gelu is the one with the hyperbolic tangent.
            let name = if gated == Some("gelu") {
                "gelu_new"
            } else {
                gated.unwrap_or(name)
            };
            (activation(name)?, gated.is_some())
        }
        _ => (
            activation(raw.activation_function.as_deref().unwrap_or("gelu"))?,
            false,
        ),
    };
    if raw.normalize_before == Some(family == Family::Bart) && !is_t5 {
        return Err("normalize_before is another than this architecture's".to_owned());
    }
    let shape = Shape {
        family,
        hidden: raw.d_model,
        vocabulary: raw.vocab_size,
        encoder,
        decoder,
        positions: match is_t5 {
            true => raw.n_positions.unwrap_or(512),
            false => need(raw.max_position_embeddings, "max_position_embeddings")?,
        },
        embedding_scale: match raw.scale_embedding {
            Some(true) if !is_t5 => (raw.d_model as f64).sqrt(),
            _ => 1.0,
        },
        activation,
        gated,
        epsilon: if is_t5 {
            raw.layer_norm_epsilon.unwrap_or(1e-6)
        } else {
            1e-5
        },
        distances: (
            raw.relative_attention_num_buckets.unwrap_or(32),
            raw.relative_attention_max_distance.unwrap_or(128),
        ),
        // Before transformers 5, T5's files said it by this other key.
        scaled_output: is_t5
            && raw
                .scale_decoder_outputs
                .or(raw.tie_word_embeddings)
                .unwrap_or(true),
    };
    shape.check()?;
    Ok(shape)
}

impl Shape {
    fn check(&self) -> Result<(), String> {
        for side in [self.encoder, self.decoder] {
            if !(1..=MOST_LAYERS).contains(&side.layers) {
                return Err(format!("has {} layers, use 1 to {MOST_LAYERS}", side.layers));
            }
            let width = side.head_dim.checked_mul(side.heads);
            if self.family != Family::T5 && width != Some(self.hidden) {
                return Err(format!(
                    "d_model {} is not divided by {} heads",
                    self.hidden, side.heads
                ));
            }
        }
        let (buckets, farthest) = self.distances;
        let counts = [
            ("d_model", self.hidden, 1),
            ("vocab_size", self.vocabulary, 2),
            ("d_kv", self.encoder.head_dim, 1),
            ("d_kv", self.decoder.head_dim, 1),
            ("heads", self.encoder.heads, 1),
            ("heads", self.decoder.heads, 1),
            ("the feed-forward network's width", self.encoder.wide, 1),
            ("the feed-forward network's width", self.decoder.wide, 1),
            ("positions", self.positions, 8),
            ("relative_attention_num_buckets", buckets, 4),
            ("relative_attention_max_distance", farthest, buckets),
        ];
        for (name, count, least) in counts {
            if !(least..=MOST).contains(&count) {
                return Err(format!("{name} is {count}, use {least} to {MOST}"));
            }
        }
        if !(0.0..1.0).contains(&self.epsilon) {
            return Err(format!("layer_norm_epsilon is {}", self.epsilon));
        }
        Ok(())
    }
}

fn activation(name: &str) -> Result<Activation, String> {
    match name {
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        other => Err(format!(
            "activation \"{other}\" is not supported; use gelu, gelu_new or relu"
        )),
    }
}

fn frame<'a>(find: &impl Fn(&str) -> Option<&'a Value>, vocabulary: usize) -> Result<Frame, String> {
    let id = |key: &str, value: &Value| -> Result<u32, String> {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        id.filter(|&id| (id as usize) < vocabulary)
            .ok_or_else(|| format!("{key} is {value}, which is no token of the vocabulary"))
    };
    let ids = |key: &str| -> Result<Vec<u32>, String> {
        match find(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(all)) => all.iter().map(|value| id(key, value)).collect(),
            Some(one) => Ok(vec![id(key, one)?]),
        }
    };
    let first = |key: &str| ids(key).map(|ids| ids.first().copied());
    let ends = ids("eos_token_id")?;
    if ends.is_empty() {
        return Err("has no eos_token_id".to_owned());
    }
    Ok(Frame {
        start: first("decoder_start_token_id")?.ok_or("has no decoder_start_token_id")?,
        ends,
        forced_first: first("forced_bos_token_id")?,
        forced_last: first("forced_eos_token_id")?,
    })
}

/// How the model is made to write. Lengths count the token that the decoder begins with, where they do not say
/// that they are of new ones.
fn how<'a>(find: &impl Fn(&str) -> Option<&'a Value>, positions: usize) -> Result<Generation, String> {
    let count = |key: &str| match find(key) {
        None => Ok(None),
        Some(value) => match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
            Some(n) => Ok(Some(n)),
            None => Err(format!("{key} is {value}, which is no count")),
        },
    };
    let length_penalty = find("length_penalty").map_or(Some(1.0), Value::as_f64);
    let length_penalty = length_penalty.filter(|p| (-10.0..=10.0).contains(p));
    let most = positions - 1;
    let own = Generation::default();
    let new = |all: Option<usize>| all.map(|n| n.saturating_sub(1));
    let max_new_tokens = count("max_new_tokens")?.or(new(count("max_length")?));
    let min_new_tokens = count("min_new_tokens")?.or(new(count("min_length")?));
    let max_new_tokens = max_new_tokens.unwrap_or(own.max_new_tokens).clamp(1, most);
    Ok(Generation {
        max_new_tokens,
        min_new_tokens: min_new_tokens.unwrap_or(0).min(max_new_tokens),
        beams: count("num_beams")?.unwrap_or(1).clamp(1, MOST_BEAMS),
        no_repeat_ngram: count("no_repeat_ngram_size")?.unwrap_or(0),
        length_penalty: length_penalty.ok_or("length_penalty is no number from -10 to 10")?,
        // "never" searches longer than `false`; the summaries are those of `false`.
        early_stopping: find("early_stopping").and_then(Value::as_bool).unwrap_or(false),
    })
}
