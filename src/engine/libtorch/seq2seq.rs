//! Encoders with decoders: BART, Pegasus and T5, in f32. One text is read, and several sequences are written side
//! by side, token by token, with what each layer has seen kept.

use tch::{Device, Kind, TchError, Tensor};

use super::LoadError;
use super::encoder::{Linear, Loader, Norm, Weight, activate, by_head};
use super::shape::{Family, Shape, Side};
use crate::model::tensors::Tensors;

/// A model that writes. A clone shares the weights.
#[derive(Debug, Clone)]
pub(super) struct Seq2seq {
    shape: Shape,
    /// `[vocabulary, hidden]`
    words: Weight,
    encoder: Stack<EncoderLayer>,
    decoder: Stack<DecoderLayer>,
    output: Linear,
    /// What the decoder's last state is multiplied with before the output.
    output_scale: f64,
    device: Device,
}

/// Layers with what stands around them.
#[derive(Debug, Clone)]
struct Stack<L> {
    places: Places,
    first_norm: Option<AnyNorm>,
    layers: Vec<L>,
    last_norm: Option<AnyNorm>,
}

/// How a layer knows where a token stands.
#[derive(Debug, Clone)]
enum Places {
    /// A vector for each place, from two rows on. `[positions + 2, hidden]`
    Learned(Weight),
    /// Sines and cosines of the place.
    Sines,
    /// What each head adds to the scores of a distance. `[buckets, heads]`
    Distances(Weight),
}

#[derive(Debug, Clone)]
enum AnyNorm {
    Layer(Norm),
    /// By the root mean square alone. `[hidden]`
    RootMeanSquare(Weight, f64),
}

#[derive(Debug, Clone)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: i64,
    /// What queries are multiplied with.
    scale: f64,
}

#[derive(Debug, Clone)]
struct Feed {
    inner: Linear,
    gate: Option<Linear>,
    outer: Linear,
}

#[derive(Debug, Clone)]
struct EncoderLayer {
    attention: Attention,
    attention_norm: AnyNorm,
    feed: Feed,
    feed_norm: AnyNorm,
}

#[derive(Debug, Clone)]
struct DecoderLayer {
    own: Attention,
    own_norm: AnyNorm,
    cross: Attention,
    cross_norm: AnyNorm,
    feed: Feed,
    feed_norm: AnyNorm,
}

/// What the decoder has seen. Of each layer keys and values.
#[derive(Debug)]
pub(super) struct Memory {
    /// Of what was written. `[sequences, heads, tokens, head_dim]`
    own: Vec<(Tensor, Tensor)>,
    /// Of what was read. `[heads, read tokens, head_dim]`
    read: Vec<(Tensor, Tensor)>,
    tokens: usize,
}

/// What the parts of a model are called.
struct Names {
    layers: &'static str,
    own: &'static str,
    own_norm: &'static str,
    cross: &'static str,
    cross_norm: &'static str,
    /// Query, key, value, output.
    attention: [&'static str; 4],
    inner: &'static str,
    gate: &'static str,
    outer: &'static str,
    feed_norm: &'static str,
}

impl Names {
    fn of(shape: &Shape, is_decoder: bool) -> Self {
        if shape.family != Family::T5 {
            return Self {
                layers: "layers",
                own: "self_attn",
                own_norm: "self_attn_layer_norm",
                cross: "encoder_attn",
                cross_norm: "encoder_attn_layer_norm",
                attention: ["q_proj", "k_proj", "v_proj", "out_proj"],
                inner: "fc1",
                gate: "",
                outer: "fc2",
                feed_norm: "final_layer_norm",
            };
        }
        let at = |encoder, decoder| if is_decoder { decoder } else { encoder };
        Self {
            layers: "block",
            own: "layer.0.SelfAttention",
            own_norm: "layer.0.layer_norm",
            cross: "layer.1.EncDecAttention",
            cross_norm: "layer.1.layer_norm",
            attention: ["q", "k", "v", "o"],
            inner: match shape.gated {
                true => at("layer.1.DenseReluDense.wi_0", "layer.2.DenseReluDense.wi_0"),
                false => at("layer.1.DenseReluDense.wi", "layer.2.DenseReluDense.wi"),
            },
            gate: at("layer.1.DenseReluDense.wi_1", "layer.2.DenseReluDense.wi_1"),
            outer: at("layer.1.DenseReluDense.wo", "layer.2.DenseReluDense.wo"),
            feed_norm: at("layer.1.layer_norm", "layer.2.layer_norm"),
        }
    }
}

/// Loads the parts of one model.
struct Parts<'a> {
    loader: Loader<'a>,
    shape: &'a Shape,
}

impl Parts<'_> {
    fn is_t5(&self) -> bool {
        self.shape.family == Family::T5
    }

    fn linear(&self, name: &str, outputs: usize, inputs: usize) -> Result<Linear, LoadError> {
        match self.is_t5() {
            true => self.loader.without_bias(name, outputs, inputs),
            false => self.loader.linear(name, outputs, inputs),
        }
    }

    fn norm(&self, name: &str) -> Result<AnyNorm, LoadError> {
        let width = self.shape.hidden;
        Ok(match self.is_t5() {
            true => AnyNorm::RootMeanSquare(
                self.loader.weight(&format!("{name}.weight"), &[width])?,
                self.shape.epsilon,
            ),
            false => AnyNorm::Layer(self.loader.norm(name, width)?),
        })
    }

    fn attention(&self, name: &str, names: &Names, side: Side) -> Result<Attention, LoadError> {
        let (hidden, inner) = (self.shape.hidden, side.heads * side.head_dim);
        let [query, key, value, output] = names.attention.map(|part| format!("{name}.{part}"));
        Ok(Attention {
            query: self.linear(&query, inner, hidden)?,
            key: self.linear(&key, inner, hidden)?,
            value: self.linear(&value, inner, hidden)?,
            output: self.linear(&output, hidden, inner)?,
            heads: side.heads as i64,
            scale: if self.is_t5() {
                1.0
            } else {
                (side.head_dim as f64).powf(-0.5)
            },
        })
    }

    fn feed(&self, base: &str, names: &Names, wide: usize) -> Result<Feed, LoadError> {
        let hidden = self.shape.hidden;
        let linear = |part: &str, outputs, inputs| self.linear(&format!("{base}.{part}"), outputs, inputs);
        Ok(Feed {
            inner: linear(names.inner, wide, hidden)?,
            gate: match self.shape.gated {
                true => Some(linear(names.gate, wide, hidden)?),
                false => None,
            },
            outer: linear(names.outer, hidden, wide)?,
        })
    }

    fn stack<L>(
        &self,
        name: &str,
        side: Side,
        layer: impl Fn(&str, &Names) -> Result<L, LoadError>,
    ) -> Result<Stack<L>, LoadError> {
        let names = Names::of(self.shape, name == "decoder");
        let layers: Result<Vec<L>, LoadError> = (0..side.layers)
            .map(|i| layer(&format!("{name}.{}.{i}", names.layers), &names))
            .collect();
        let (positions, hidden) = (self.shape.positions, self.shape.hidden);
        Ok(Stack {
            layers: layers?,
            places: match self.shape.family {
                Family::Bart => Places::Learned(self.loader.weight(
                    &format!("{name}.embed_positions.weight"),
                    &[positions + 2, hidden],
                )?),
                Family::Pegasus => Places::Sines,
                Family::T5 => Places::Distances(self.loader.weight(
                    &format!("{name}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
                    &[self.shape.distances.0, side.heads],
                )?),
            },
            first_norm: match self.shape.family {
                Family::Bart => Some(self.norm(&format!("{name}.layernorm_embedding"))?),
                _ => None,
            },
            last_norm: match self.shape.family {
                Family::Bart => None,
                Family::Pegasus => Some(self.norm(&format!("{name}.layer_norm"))?),
                Family::T5 => Some(self.norm(&format!("{name}.final_layer_norm"))?),
            },
        })
    }
}

impl Seq2seq {
    pub(super) fn load(tensors: &Tensors<'_>, shape: &Shape, device: Device) -> Result<Self, LoadError> {
        let parts = Parts {
            loader: Loader::new(tensors, device, shape.epsilon),
            shape,
        };
        let loader = &parts.loader;
        let table = [shape.vocabulary, shape.hidden];
        // Tied tensors are stored under one of their names.
        let names = [
            "shared.weight",
            "encoder.embed_tokens.weight",
            "decoder.embed_tokens.weight",
        ];
        let names = names.map(|name| format!("{}{name}", tensors.prefix));
        let words = match names.iter().find(|name| loader.has(name)) {
            Some(name) => loader.whole(name, &table)?,
            None if loader.has("lm_head.weight") => loader.whole("lm_head.weight", &table)?,
            None => loader.whole(&names[0], &table)?,
        };
        Ok(Self {
            encoder: parts.stack("encoder", shape.encoder, |base, names| {
                let side = shape.encoder;
                Ok(EncoderLayer {
                    attention: parts.attention(&format!("{base}.{}", names.own), names, side)?,
                    attention_norm: parts.norm(&format!("{base}.{}", names.own_norm))?,
                    feed: parts.feed(base, names, shape.encoder.wide)?,
                    feed_norm: parts.norm(&format!("{base}.{}", names.feed_norm))?,
                })
            })?,
            decoder: parts.stack("decoder", shape.decoder, |base, names| {
                let side = shape.decoder;
                Ok(DecoderLayer {
                    own: parts.attention(&format!("{base}.{}", names.own), names, side)?,
                    own_norm: parts.norm(&format!("{base}.{}", names.own_norm))?,
                    cross: parts.attention(&format!("{base}.{}", names.cross), names, side)?,
                    cross_norm: parts.norm(&format!("{base}.{}", names.cross_norm))?,
                    feed: parts.feed(base, names, shape.decoder.wide)?,
                    feed_norm: parts.norm(&format!("{base}.{}", names.feed_norm))?,
                })
            })?,
            output: Linear {
                weight: match loader.has("lm_head.weight") {
                    true => loader.whole("lm_head.weight", &table)?,
                    false => words.clone(),
                },
                bias: match loader.has("final_logits_bias") {
                    true => {
                        let bias = loader.whole("final_logits_bias", &[1, shape.vocabulary])?;
                        Some(bias.f_reshape([-1])?.into())
                    }
                    false => None,
                },
            },
            output_scale: if shape.scaled_output {
                (shape.hidden as f64).powf(-0.5)
            } else {
                1.0
            },
            words,
            shape: shape.clone(),
            device,
        })
    }

    /// Reads a text, for sequences to be written about it.
    pub(super) fn read(&self, ids: &[u32]) -> Result<Memory, TchError> {
        let count = ids.len();
        let mut hidden = self.embed(ids, &(0..count).collect::<Vec<_>>(), &self.encoder)?; // [tokens, hidden]
        let bias = match &self.encoder.places {
            Places::Distances(table) => Some(self.distances(table, 0..count, count, true)?),
            _ => None,
        };
        for layer in &self.encoder.layers {
            hidden = self.sublayer(&hidden, &layer.attention_norm, |x| {
                let [query, key, value] = layer.attention.project(x)?;
                layer.attention.attend(&query, &key, &value, bias.as_ref())
            })?;
            hidden = self.sublayer(&hidden, &layer.feed_norm, |x| self.feed(&layer.feed, x))?;
        }
        if let Some(norm) = &self.encoder.last_norm {
            hidden = norm.apply(&hidden)?;
        }
        let keys_and_values = |layer: &DecoderLayer| {
            let heads = layer.cross.heads;
            let key = by_head(&layer.cross.key.apply(&hidden)?, heads)?;
            Ok((key, by_head(&layer.cross.value.apply(&hidden)?, heads)?))
        };
        Ok(Memory {
            own: Vec::new(),
            read: self
                .decoder
                .layers
                .iter()
                .map(keys_and_values)
                .collect::<Result<_, TchError>>()?,
            tokens: 0,
        })
    }

    /// Log probabilities of what follows the last token of each sequence. `parents`: which sequence of the step
    /// before each continues. `[sequences, vocabulary]`
    pub(super) fn next(
        &self,
        memory: &mut Memory,
        last: &[u32],
        parents: &[i64],
    ) -> Result<Tensor, TchError> {
        let place = memory.tokens;
        let mut hidden = self.embed(last, &vec![place; last.len()], &self.decoder)?; // [sequences, hidden]
        let bias = match &self.decoder.places {
            Places::Distances(table) => Some(self.distances(table, place..place + 1, place + 1, false)?),
            _ => None,
        };
        let order = Tensor::f_from_slice(parents)?.f_to_device(self.device)?;
        for (index, layer) in self.decoder.layers.iter().enumerate() {
            hidden = self.sublayer(&hidden, &layer.own_norm, |x| {
                // One token a sequence. [sequences, heads, 1, head_dim]
                let by_sequence = |rows: Tensor| rows.f_reshape([last.len() as i64, layer.own.heads, 1, -1]);
                let query = by_sequence(layer.own.query.apply(x)?)?.f_mul_scalar(layer.own.scale)?;
                let mut key = by_sequence(layer.own.key.apply(x)?)?;
                let mut value = by_sequence(layer.own.value.apply(x)?)?;
                if let Some((keys, values)) = memory.own.get(index) {
                    key = Tensor::f_cat(&[&keys.f_index_select(0, &order)?, &key], 2)?;
                    value = Tensor::f_cat(&[&values.f_index_select(0, &order)?, &value], 2)?;
                }
                let context = attended(&query, &key, &value, bias.as_ref())?; // [sequences, heads, 1, head_dim]
                match memory.own.get_mut(index) {
                    Some(own) => *own = (key, value),
                    None => memory.own.push((key, value)),
                }
                layer
                    .own
                    .output
                    .apply(&context.f_reshape([last.len() as i64, -1])?)
            })?;
            let (key, value) = &memory.read[index];
            hidden = self.sublayer(&hidden, &layer.cross_norm, |x| {
                let query = by_head(&layer.cross.query.apply(x)?, layer.cross.heads)?;
                let query = query.f_mul_scalar(layer.cross.scale)?; // [heads, sequences, head_dim]
                layer.cross.attend(&query, key, value, None)
            })?;
            hidden = self.sublayer(&hidden, &layer.feed_norm, |x| self.feed(&layer.feed, x))?;
        }
        memory.tokens += 1;
        if let Some(norm) = &self.decoder.last_norm {
            hidden = norm.apply(&hidden)?;
        }
        if self.output_scale != 1.0 {
            hidden = hidden.f_mul_scalar(self.output_scale)?;
        }
        self.output.apply(&hidden)?.f_log_softmax(-1, Kind::Float)
    }

    /// A sublayer, normalised and added to what it was given.
    fn sublayer(
        &self,
        hidden: &Tensor,
        norm: &AnyNorm,
        apply: impl FnOnce(&Tensor) -> Result<Tensor, TchError>,
    ) -> Result<Tensor, TchError> {
        match self.shape.family {
            Family::Bart => norm.apply(&hidden.f_add(&apply(hidden)?)?),
            Family::Pegasus | Family::T5 => hidden.f_add(&apply(&norm.apply(hidden)?)?),
        }
    }

    fn feed(&self, feed: &Feed, rows: &Tensor) -> Result<Tensor, TchError> {
        let mut inner = activate(&feed.inner.apply(rows)?, self.shape.activation)?;
        if let Some(gate) = &feed.gate {
            inner = inner.f_mul(&gate.apply(rows)?)?;
        }
        feed.outer.apply(&inner)
    }

    /// Words with their places. `[ids, hidden]`
    fn embed<L>(&self, ids: &[u32], places: &[usize], stack: &Stack<L>) -> Result<Tensor, TchError> {
        let rows = |ids: Vec<i64>| Tensor::f_from_slice(&ids)?.f_to_device(self.device);
        let ids = rows(ids.iter().map(|&id| i64::from(id)).collect())?;
        let mut sum = self.words.f_index_select(0, &ids)?;
        if self.shape.embedding_scale != 1.0 {
            sum = sum.f_mul_scalar(self.shape.embedding_scale)?;
        }
        match &stack.places {
            Places::Learned(table) => {
                let rows = rows(places.iter().map(|&place| place as i64 + 2).collect())?;
                sum = sum.f_add(&table.f_index_select(0, &rows)?)?;
            }
            Places::Sines => {
                let values: Vec<f32> = places
                    .iter()
                    .flat_map(|&place| sines(place, self.shape.hidden))
                    .collect();
                let table = Tensor::f_from_slice(&values)?.f_reshape([places.len() as i64, -1])?;
                sum = sum.f_add(&table.f_to_device(self.device)?)?;
            }
            Places::Distances(_) => {}
        }
        match &stack.first_norm {
            Some(norm) => norm.apply(&sum),
            None => Ok(sum),
        }
    }

    /// What each head adds to the score of a token at one of `from` for one before `count`. Distances are counted in
    /// buckets, far ones together (Raffel et al. 2020, section 2.1). `[heads, from, count]`
    fn distances(
        &self,
        table: &Tensor,
        from: std::ops::Range<usize>,
        count: usize,
        both_ways: bool,
    ) -> Result<Tensor, TchError> {
        let (buckets, farthest) = self.shape.distances;
        let options = (Kind::Int64, self.device);
        let range = |start: usize, end: usize| Tensor::f_arange_start(start as i64, end as i64, options);
        let query = range(from.start, from.end)?.f_unsqueeze(1)?;
        let distance = range(0, count)?.f_unsqueeze(0)?.f_sub(&query)?; // [from, count]
        let (buckets, side, distance) = match both_ways {
            true => {
                let half = (buckets / 2) as i64;
                let behind = distance.f_gt(0)?.f_to_kind(Kind::Int64)?.f_mul_scalar(half)?;
                (half, behind, distance.f_abs()?)
            }
            false => (
                buckets as i64,
                distance.f_zeros_like()?,
                distance.f_neg()?.f_clamp_min(0)?,
            ),
        };
        let exact = buckets / 2;
        let far = distance
            .f_clamp_min(1)?
            .f_to_kind(Kind::Float)?
            .f_div_scalar(exact as f64)?
            .f_log()?
            .f_div_scalar((farthest as f64 / exact as f64).ln())?
            .f_mul_scalar((buckets - exact) as f64)?
            .f_to_kind(Kind::Int64)?
            .f_add_scalar(exact)?
            .f_clamp_max(buckets - 1)?;
        let bucket = distance
            .f_where_self(&distance.f_lt(exact)?, &far)?
            .f_add(&side)?;
        let shape = bucket.size();
        let bias = table.f_index_select(0, &bucket.f_reshape([-1])?)?; // [from · count, heads]
        bias.f_reshape([shape[0], shape[1], -1])?.f_permute([2, 0, 1])
    }
}

impl Attention {
    /// Query, scaled, key and value of rows. `[heads, rows, head_dim]` each
    fn project(&self, rows: &Tensor) -> Result<[Tensor; 3], TchError> {
        let query = by_head(&self.query.apply(rows)?, self.heads)?;
        Ok([
            query.f_mul_scalar(self.scale)?,
            by_head(&self.key.apply(rows)?, self.heads)?,
            by_head(&self.value.apply(rows)?, self.heads)?,
        ])
    }

    /// What the rows of `query` attend to. `[rows, hidden]`
    fn attend(
        &self,
        query: &Tensor,
        key: &Tensor,
        value: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<Tensor, TchError> {
        let rows = query.size()[1];
        let context = attended(query, key, value, bias)?.f_transpose(0, 1)?;
        self.output.apply(&context.f_reshape([rows, -1])?)
    }
}

/// Values weighted by how much queries have to do with keys. Shapes as the query's.
fn attended(query: &Tensor, key: &Tensor, value: &Tensor, bias: Option<&Tensor>) -> Result<Tensor, TchError> {
    let mut scores = query.f_matmul(&key.f_transpose(-2, -1)?)?;
    if let Some(bias) = bias {
        scores = scores.f_add(bias)?;
    }
    scores.f_softmax(-1, Kind::Float)?.f_matmul(value)
}

impl AnyNorm {
    fn apply(&self, rows: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::Layer(norm) => norm.apply(rows),
            Self::RootMeanSquare(scale, epsilon) => {
                let mean = rows.f_square()?.f_mean_dim(-1, true, Kind::Float)?;
                rows.f_mul(&mean.f_add_scalar(*epsilon)?.f_rsqrt()?)?.f_mul(scale)
            }
        }
    }
}

/// The vector of a place: sines in its first half, cosines in its second (Vaswani et al. 2017, section 3.5).
fn sines(place: usize, width: usize) -> Vec<f32> {
    let angle = |j: usize| place as f64 / 10000f64.powf((2 * (j / 2)) as f64 / width as f64);
    let sines = (0..width).step_by(2).map(|j| angle(j).sin() as f32);
    sines
        .chain((1..width).step_by(2).map(|j| angle(j).cos() as f32))
        .collect()
}
