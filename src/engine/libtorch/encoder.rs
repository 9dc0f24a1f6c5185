//! The encoder: embeddings and post-norm layers (Vaswani et al. 2017; Devlin et al. 2019, section 3), in f32.

use std::ops::Deref;

use tch::{Device, Kind, TchError, Tensor};

use super::LoadError;
use super::relative::{Distances, Positions};
use crate::model::tensors::{LayerNames, Tensors};
use crate::model::{Activation, Architecture, Config};

/// A tensor whose clones share its numbers.
#[derive(Debug)]
pub(super) struct Weight(Tensor);

impl Clone for Weight {
    fn clone(&self) -> Self {
        Self(self.0.shallow_clone())
    }
}

impl From<Tensor> for Weight {
    fn from(tensor: Tensor) -> Self {
        Self(tensor)
    }
}

impl Deref for Weight {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        &self.0
    }
}

/// A linear layer. `weight` is `[out, in]`, `bias` is `[out]`.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    pub(super) weight: Weight,
    pub(super) bias: Option<Weight>,
}

impl Linear {
    /// `input[tokens, in] · weightᵀ + bias`. `[tokens, out]`
    pub(super) fn apply(&self, input: &Tensor) -> Result<Tensor, TchError> {
        input.f_linear(&self.weight, self.bias.as_deref())
    }
}

/// A layer normalisation. Scale and bias are `[width]`.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    scale: Weight,
    bias: Weight,
    width: i64,
    epsilon: f64,
}

impl Norm {
    /// Of each row.
    pub(super) fn apply(&self, input: &Tensor) -> Result<Tensor, TchError> {
        input.f_layer_norm(
            [self.width],
            Some(&*self.scale),
            Some(&*self.bias),
            self.epsilon,
            false,
        )
    }
}

/// Makes tensors of a device out of those of a file.
pub(super) struct Loader<'a> {
    tensors: &'a Tensors<'a>,
    device: Device,
    epsilon: f64,
}

impl<'a> Loader<'a> {
    /// `epsilon` is that of normalisations.
    pub(super) fn new(tensors: &'a Tensors<'a>, device: Device, epsilon: f64) -> Self {
        Self {
            tensors,
            device,
            epsilon,
        }
    }

    /// Whether there is a tensor of this whole name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.has(name)
    }

    /// A tensor of the encoder.
    pub(super) fn weight(&self, name: &str, shape: &[usize]) -> Result<Weight, LoadError> {
        self.whole(&format!("{}{name}", self.tensors.prefix), shape)
    }

    /// A tensor by its whole name.
    pub(super) fn whole(&self, name: &str, shape: &[usize]) -> Result<Weight, LoadError> {
        let values = self.tensors.floats(name, shape)?;
        self.tensor(&values, shape)
    }

    fn tensor(&self, values: &[f32], shape: &[usize]) -> Result<Weight, LoadError> {
        let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        let tensor = Tensor::f_from_slice(values)?.f_reshape(&shape[..])?;
        Ok(Weight(tensor.f_to_device(self.device)?))
    }

    pub(super) fn linear(&self, name: &str, outputs: usize, inputs: usize) -> Result<Linear, LoadError> {
        Ok(Linear {
            bias: Some(self.weight(&format!("{name}.bias"), &[outputs])?),
            ..self.without_bias(name, outputs, inputs)?
        })
    }

    pub(super) fn without_bias(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Linear, LoadError> {
        Ok(Linear {
            weight: self.weight(&format!("{name}.weight"), &[outputs, inputs])?,
            bias: None,
        })
    }

    pub(super) fn norm(&self, name: &str, width: usize) -> Result<Norm, LoadError> {
        let (scale, bias) = self
            .tensors
            .norm(&format!("{}{name}", self.tensors.prefix), width)?;
        Ok(Norm {
            scale: self.tensor(&scale, &[width])?,
            bias: self.tensor(&bias, &[width])?,
            width: width as i64,
            epsilon: self.epsilon,
        })
    }
}

/// An encoder and, if the model has one, its head. A clone shares the weights.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    words: Weight,
    positions: Option<Weight>,
    segments: Option<Weight>,
    norm: Norm,
    projection: Option<Linear>,
    distances: Option<Distances>,
    layers: Vec<Layer>,
    convolution: Option<Convolution>,
    /// `[2, hidden_size]`: start, end.
    span: Option<Linear>,
    device: Device,
}

impl Encoder {
    pub(super) fn load(tensors: &Tensors<'_>, config: &Config, device: Device) -> Result<Self, LoadError> {
        let loader = Loader::new(tensors, device, f64::from(config.layer_norm_epsilon));
        let (hidden, embedding) = (config.hidden_size, config.embedding_size);
        let table =
            |name: &str, rows: usize| loader.weight(&format!("embeddings.{name}.weight"), &[rows, embedding]);
        let is_deberta = config.relative.is_some();
        let mut layers: Vec<Layer> = Vec::with_capacity(config.layers);
        let mut places: Vec<String> = Vec::new();
        for index in 0..config.layers {
            let names = LayerNames::new(index, config);
            // A layer that was there before is the same one again.
            let layer = match places.iter().position(|place| *place == names.base) {
                Some(before) => layers[before].clone(),
                None => Layer::load(&loader, &names, config)?,
            };
            places.push(names.base);
            layers.push(layer);
        }
        let has_head = tensors.has("qa_outputs.weight");
        Ok(Self {
            words: table("word_embeddings", config.vocabulary_size)?,
            positions: match config.position_embeddings {
                true => Some(table(
                    "position_embeddings",
                    config.first_position + config.max_tokens,
                )?),
                false => None,
            },
            segments: match config.segments {
                0 => None,
                n => Some(table("token_type_embeddings", n)?),
            },
            norm: loader.norm(
                "embeddings.LayerNorm",
                if is_deberta { hidden } else { embedding },
            )?,
            projection: match config.architecture {
                Architecture::Albert => {
                    Some(loader.linear("encoder.embedding_hidden_mapping_in", hidden, embedding)?)
                }
                Architecture::Electra if embedding != hidden => {
                    Some(loader.linear("embeddings_project", hidden, embedding)?)
                }
                _ if is_deberta && embedding != hidden => {
                    Some(loader.without_bias("embeddings.embed_proj", hidden, embedding)?)
                }
                _ => None,
            },
            distances: match &config.relative {
                Some(relative) => Some(Distances::load(&loader, relative, hidden)?),
                None => None,
            },
            layers,
            convolution: match &config.convolution {
                Some(_) => Some(Convolution::load(&loader, config)?),
                None => None,
            },
            span: match has_head {
                true => Some(Linear {
                    weight: loader.whole("qa_outputs.weight", &[2, hidden])?,
                    bias: Some(loader.whole("qa_outputs.bias", &[2])?),
                }),
                false => None,
            },
            device,
        })
    }

    pub(super) fn has_span_head(&self) -> bool {
        self.span.is_some()
    }

    /// Start and end logits by token. `[tokens, 2]`, row by row
    pub(super) fn spans(&self, hidden: &Tensor) -> Result<Vec<f32>, TchError> {
        match &self.span {
            Some(head) => floats(&head.apply(hidden)?),
            None => Ok(Vec::new()),
        }
    }

    /// Hidden state behind the first `depth` layers. `[tokens, hidden]`
    pub(super) fn forward(
        &self,
        ids: &[u32],
        segments: &[u32],
        depth: usize,
        config: &Config,
    ) -> Result<Tensor, TchError> {
        let embedded = self.embed(ids, segments, config)?;
        let positions = match &self.distances {
            Some(distances) => Some(distances.between(ids.len(), self.device)?),
            None => None,
        };
        let mut hidden = embedded.shallow_clone(); // [tokens, hidden]
        for (index, layer) in self.layers[..depth].iter().enumerate() {
            hidden = layer.forward(&hidden, positions.as_ref(), config)?;
            if let (0, Some(convolution)) = (index, &self.convolution) {
                hidden = convolution.forward(&embedded, &hidden)?;
            }
        }
        Ok(hidden)
    }

    fn embed(&self, ids: &[u32], segments: &[u32], config: &Config) -> Result<Tensor, TchError> {
        let row = |id: u32| i64::from(id);
        let rows = |ids: Vec<i64>| Tensor::f_from_slice(&ids)?.f_to_device(self.device);
        let ids = rows(ids.iter().copied().map(row).collect())?;
        let mut sum = self.words.f_index_select(0, &ids)?; // [tokens, embedding]
        if let Some(table) = &self.positions {
            sum = sum.f_add(&table.f_narrow(0, config.first_position as i64, segments.len() as i64)?)?;
        }
        if let Some(table) = &self.segments {
            // RoBERTa has one segment, whatever the template says.
            let last = config.segments as i64 - 1;
            let segments = rows(segments.iter().map(|&s| row(s).min(last)).collect())?;
            sum = sum.f_add(&table.f_index_select(0, &segments)?)?;
        }
        match &self.projection {
            // DeBERTa normalises behind the projection, the others before it.
            Some(projection) if config.relative.is_some() => self.norm.apply(&projection.apply(&sum)?),
            Some(projection) => projection.apply(&self.norm.apply(&sum)?),
            None => self.norm.apply(&sum),
        }
    }
}

#[derive(Debug, Clone)]
struct Layer {
    attention: Attention,
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
}

#[derive(Debug, Clone)]
enum Attention {
    /// To words.
    Words(Projections),
    /// To words and to distances (DeBERTa v2 and v3).
    WordsAndDistances {
        words: Projections,
        positions: Positions,
    },
    /// The same with queries, keys and values in one matrix (DeBERTa).
    Joint {
        /// By head: query, key, value. `[3 · hidden, hidden]`
        joint: Linear,
        query_bias: Weight,
        value_bias: Weight,
        positions: Positions,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Projections {
    pub(super) query: Linear,
    pub(super) key: Linear,
    value: Linear,
}

impl Layer {
    fn load(loader: &Loader<'_>, names: &LayerNames, config: &Config) -> Result<Self, LoadError> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let words = || -> Result<_, LoadError> {
            Ok(Projections {
                query: loader.linear(&names.query, hidden, hidden)?,
                key: loader.linear(&names.key, hidden, hidden)?,
                value: loader.linear(&names.value, hidden, hidden)?,
            })
        };
        let own = format!("{}.attention.self", names.base);
        let attention = match (&config.relative, config.architecture) {
            (Some(relative), Architecture::Deberta) => Attention::Joint {
                joint: loader.without_bias(&format!("{own}.in_proj"), 3 * hidden, hidden)?,
                query_bias: loader.weight(&format!("{own}.q_bias"), &[hidden])?,
                value_bias: loader.weight(&format!("{own}.v_bias"), &[hidden])?,
                positions: Positions::load_joint(loader, &own, relative, hidden)?,
            },
            (Some(relative), _) => {
                let words = words()?;
                let positions = Positions::load(loader, &own, relative, &words, hidden)?;
                Attention::WordsAndDistances { words, positions }
            }
            (None, _) => Attention::Words(words()?),
        };
        Ok(Self {
            attention,
            attention_output: loader.linear(&names.attention_output, hidden, hidden)?,
            attention_norm: loader.norm(&names.attention_norm, hidden)?,
            intermediate: loader.linear(&names.intermediate, wide, hidden)?,
            output: loader.linear(&names.output, hidden, wide)?,
            output_norm: loader.norm(&names.output_norm, hidden)?,
        })
    }

    fn forward(
        &self,
        hidden: &Tensor,
        distances: Option<&super::relative::Between>,
        config: &Config,
    ) -> Result<Tensor, TchError> {
        let context = self.attention.forward(hidden, distances, config)?;
        let attended = self.attention_output.apply(&context)?.f_add(hidden)?;
        let attended = self.attention_norm.apply(&attended)?; // [tokens, hidden]
        let inner = activate(&self.intermediate.apply(&attended)?, config.activation)?; // [tokens, intermediate]
        self.output_norm
            .apply(&self.output.apply(&inner)?.f_add(&attended)?)
    }
}

impl Attention {
    /// The values that each token attends to. `[tokens, hidden]`
    fn forward(
        &self,
        hidden: &Tensor,
        distances: Option<&super::relative::Between>,
        config: &Config,
    ) -> Result<Tensor, TchError> {
        let heads = config.heads as i64;
        let dim = (config.hidden_size / config.heads) as f64;
        let (query, key, value, positions) = match self {
            Self::Words(words) => {
                let [query, key, value] = words.apply(hidden, heads)?;
                (query, key, value, None)
            }
            Self::WordsAndDistances { words, positions } => {
                let [query, key, value] = words.apply(hidden, heads)?;
                (query, key, value, Some(positions))
            }
            Self::Joint {
                joint,
                query_bias,
                value_bias,
                positions,
            } => {
                let parts = by_head(&joint.apply(hidden)?, heads)?.f_chunk(3, -1)?;
                let bias = |bias: &Tensor| bias.f_reshape([heads, 1, -1]);
                let query = parts[0].f_add(&bias(query_bias)?)?;
                let value = parts[2].f_add(&bias(value_bias)?)?;
                (query, parts[1].shallow_clone(), value, Some(positions))
            }
        };
        // Scores of words and of distances are of the same size, so that their sum is divided by more.
        let kinds = positions.map_or(1.0, |positions| 1.0 + positions.kinds());
        let query = query.f_div_scalar((dim * kinds).sqrt())?;
        let mut scores = query.f_matmul(&key.f_transpose(1, 2)?)?; // [heads, tokens, tokens]
        if let (Some(positions), Some(distances)) = (positions, distances) {
            scores = positions.add_to(&scores, &query, &key, distances, heads)?;
        }
        let context = scores.f_softmax(-1, Kind::Float)?.f_matmul(&value)?; // [heads, tokens, head_dim]
        context
            .f_transpose(0, 1)?
            .f_reshape([hidden.size()[0], config.hidden_size as i64])
    }
}

impl Projections {
    /// Query, key and value. `[heads, tokens, head_dim]`
    fn apply(&self, hidden: &Tensor, heads: i64) -> Result<[Tensor; 3], TchError> {
        Ok([
            by_head(&self.query.apply(hidden)?, heads)?,
            by_head(&self.key.apply(hidden)?, heads)?,
            by_head(&self.value.apply(hidden)?, heads)?,
        ])
    }
}

/// `[rows, heads · dim]` as `[heads, rows, dim]`.
pub(super) fn by_head(rows: &Tensor, heads: i64) -> Result<Tensor, TchError> {
    rows.f_reshape([rows.size()[0], heads, -1])?.f_transpose(0, 1)
}

/// The convolution beside the first layer of the largest DeBERTa v2.
#[derive(Debug, Clone)]
struct Convolution {
    weight: Weight,
    bias: Weight,
    norm: Norm,
    padding: i64,
    groups: i64,
    activation: Option<Activation>,
}

impl Convolution {
    fn load(loader: &Loader<'_>, config: &Config) -> Result<Self, LoadError> {
        let hidden = config.hidden_size;
        let Some(shape) = config.convolution else {
            return Err(LoadError::File("has no convolution".to_owned()));
        };
        Ok(Self {
            weight: loader.weight(
                "encoder.conv.conv.weight",
                &[hidden, hidden / shape.groups, shape.tokens],
            )?,
            bias: loader.weight("encoder.conv.conv.bias", &[hidden])?,
            norm: loader.norm("encoder.conv.LayerNorm", hidden)?,
            padding: (shape.tokens as i64 - 1) / 2,
            groups: shape.groups as i64,
            activation: shape.activation,
        })
    }

    /// The layer's output with what the convolution makes of its input. `[tokens, hidden]`
    fn forward(&self, input: &Tensor, output: &Tensor) -> Result<Tensor, TchError> {
        let channels = input.f_transpose(0, 1)?.f_unsqueeze(0)?; // [1, hidden, tokens]
        let seen = channels.f_conv1d(
            &self.weight,
            Some(&*self.bias),
            [1],
            [self.padding],
            [1],
            self.groups,
        )?;
        let seen = seen.f_squeeze_dim(0)?.f_transpose(0, 1)?.f_contiguous()?;
        let seen = match self.activation {
            Some(activation) => activate(&seen, activation)?,
            None => seen.f_tanh()?,
        };
        self.norm.apply(&output.f_add(&seen)?)
    }
}

pub(super) fn activate(rows: &Tensor, activation: Activation) -> Result<Tensor, TchError> {
    match activation {
        Activation::Gelu => rows.f_gelu("none"),
        Activation::GeluTanh => rows.f_gelu("tanh"),
        Activation::Relu => rows.f_relu(),
    }
}

/// The numbers of a tensor, row by row.
pub(super) fn floats(tensor: &Tensor) -> Result<Vec<f32>, TchError> {
    let tensor = tensor.f_to_device(Device::Cpu)?.f_contiguous()?;
    let mut values = vec![0.0_f32; tensor.numel()];
    let count = values.len();
    tensor.f_copy_data(&mut values, count)?;
    Ok(values)
}
