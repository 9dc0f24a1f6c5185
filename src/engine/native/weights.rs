//! From `model.safetensors` to an encoder: names, shapes and types are checked here.

use std::borrow::Cow;
use std::ops::Range;

use safetensors::tensor::Dtype;

use super::encoder::{Encoder, Layer, Stack};
use super::kernels;
use super::kernels::dot::InstructionSet;
use super::kernels::pack::{self, Line, Packed};
use super::quantized::{self, FeedForward};
use crate::model::store::Bytes;
use crate::model::tensors::{LayerNames, Tensors};
use crate::model::{Architecture, Config};

#[derive(Debug)]
pub(super) struct Weights {
    pub(super) encoder: Encoder,
    pub(super) span: Option<Linear>,
}

/// A linear layer. `weight` is `[out, in]`, `bias` is `[out]`.
#[derive(Debug)]
pub(super) struct Linear {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) inputs: usize,
}

impl Linear {
    /// One output for one input row.
    pub(super) fn row_dot(&self, output: usize, input: &[f32]) -> f32 {
        let from = output * self.inputs;
        kernels::dot(&self.weight[from..from + self.inputs], input) + self.bias[output]
    }
}

/// Scale and bias of a layer normalisation. Both `[width]`.
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) scale: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// An embedding table `[rows, width]`. An int8 table stays as it is: half of a small model is embeddings,
/// of which a window uses a few hundred rows.
#[derive(Debug)]
pub(super) enum Table {
    F32 {
        data: Vec<f32>,
        width: usize,
    },
    Int8 {
        data: Bytes,
        scales: Vec<f32>,
        width: usize,
    },
}

impl Table {
    /// Asks the processor to bring a row near.
    #[inline(always)]
    pub(super) fn fetch(&self, row: usize) {
        if let Self::Int8 { data, width, .. } = self {
            kernels::fetch(&data[row * width..(row + 1) * width]);
        }
    }

    /// `out += table[row]`.
    #[inline(always)]
    pub(super) fn add_row(&self, row: usize, out: &mut [f32]) {
        match self {
            Self::F32 { data, width } => kernels::add(out, &data[row * width..(row + 1) * width]),
            Self::Int8 { data, scales, width } => {
                let scale = scales[row];
                for (x, &q) in out.iter_mut().zip(&data[row * width..(row + 1) * width]) {
                    *x += f32::from(q.cast_signed()) * scale;
                }
            }
        }
    }
}

/// A linear layer in int8: `data` is `[outputs, inputs]`, `scales` and `bias` are `[outputs]`.
struct Int8<'a> {
    data: &'a [u8],
    inputs: usize,
    scales: Vec<f32>,
    bias: Vec<f32>,
}

impl Int8<'_> {
    /// Some of its outputs, from some of its inputs.
    fn packed(&self, outputs: Range<usize>, inputs: Range<usize>, arena: &mut Vec<Line>) -> Packed {
        let matrix = &self.data[outputs.start * self.inputs..outputs.end * self.inputs];
        let (scales, bias) = (&self.scales[outputs.clone()], &self.bias[outputs]);
        Packed::new(matrix, self.inputs, inputs, scales, bias, arena)
    }
}

/// Refuses values that int8 kernels could overflow with.
fn moderate(name: &str, values: &[f32]) -> Result<(), String> {
    let largest = quantized::LARGEST;
    match values.iter().find(|x| x.abs() > largest) {
        Some(x) => Err(format!(
            "tensor {name} holds {x}, values beyond ±{largest} are not believed"
        )),
        None => Ok(()),
    }
}

struct Loader<'a> {
    bytes: &'a Bytes,
    tensors: Tensors<'a>,
}

impl Weights {
    /// Reads the weights of an encoder of this shape; its layers for int8 products with this instruction set, if there
    /// is one and they are stored so.
    pub(super) fn parse(bytes: &Bytes, config: &Config, set: Option<InstructionSet>) -> Result<Self, String> {
        let tensors = Tensors::parse(bytes, config)?;
        let loader = Loader { bytes, tensors };
        Ok(Self {
            encoder: loader.encoder(config, set)?,
            span: loader.head("qa_outputs", 2, config)?,
        })
    }
}

impl Loader<'_> {
    fn encoder(&self, config: &Config, set: Option<InstructionSet>) -> Result<Encoder, String> {
        let (hidden, embedding) = (config.hidden_size, config.embedding_size);
        let positions = config.first_position + config.max_tokens;
        let words = self.table("embeddings.word_embeddings", config.vocabulary_size, embedding)?;
        let positions = self.table("embeddings.position_embeddings", positions, embedding)?;
        let segments = match config.segments {
            0 => None,
            n => Some(self.table("embeddings.token_type_embeddings", n, embedding)?),
        };
        let norm = self.norm("embeddings.LayerNorm", embedding)?;
        let projection = match config.architecture {
            Architecture::Electra if embedding != hidden => {
                Some(self.linear(&["embeddings_project"], hidden, embedding)?)
            }
            _ => None,
        };
        let layers = match set {
            Some(set)
                if quantized::fits(config)
                    && let Some(bytes) = self.int8_bytes(config) =>
            {
                // What the first layer reads has to be moderate, too.
                self.check_norm("embeddings.LayerNorm", &norm)?;
                let mut arena = pack::arena(bytes);
                let layers = (0..config.layers).map(|i| self.quantized_layer(i, config, &mut arena));
                let layers = layers.collect::<Result<_, _>>()?;
                Stack::Int8(quantized::Layers::new(layers, arena, config, set))
            }
            _ => {
                let layers = (0..config.layers).map(|i| self.layer(i, config));
                Stack::F32(layers.collect::<Result<_, _>>()?)
            }
        };
        Ok(Encoder {
            words,
            positions,
            segments,
            norm,
            projection,
            layers,
        })
    }

    /// The bytes of all matrices of all layers, if every one is stored in int8. They are in the file, whatever `config.json` says.
    fn int8_bytes(&self, config: &Config) -> Option<usize> {
        let names = (0..config.layers).map(|i| LayerNames::new(i, config));
        let bytes = |name: &str| {
            self.tensors
                .int8_bytes(&format!("{}{name}.weight", self.tensors.prefix))
        };
        names.flat_map(|names| names.matrices().map(bytes)).sum()
    }

    fn layer(&self, index: usize, config: &Config) -> Result<Layer, String> {
        let names = LayerNames::new(index, config);
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        Ok(Layer {
            query_key_value: self.linear(&[&names.query, &names.key, &names.value], hidden, hidden)?,
            attention_output: self.linear(&[&names.attention_output], hidden, hidden)?,
            attention_norm: self.norm(&names.attention_norm, hidden)?,
            intermediate: self.linear(&[&names.intermediate], wide, hidden)?,
            output: self.linear(&[&names.output], hidden, wide)?,
            output_norm: self.norm(&names.output_norm, hidden)?,
        })
    }

    fn quantized_layer(
        &self,
        index: usize,
        config: &Config,
        arena: &mut Vec<Line>,
    ) -> Result<quantized::Layer, String> {
        let names = LayerNames::new(index, config);
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let mut square = |name: &str| {
            let matrix = self.int8(name, hidden, hidden)?;
            Ok::<_, String>(matrix.packed(0..hidden, 0..hidden, arena))
        };
        // In the order in which they are read.
        let (query, key, value) = (square(&names.query)?, square(&names.key)?, square(&names.value)?);
        let attention_output = square(&names.attention_output)?;
        let group = quantized::group(config);
        let intermediate = self.int8(&names.intermediate, wide, hidden)?;
        let output = self.int8(&names.output, hidden, wide)?;
        let feed_forward = (0..wide).step_by(group).map(|start| FeedForward {
            intermediate: intermediate.packed(start..start + group, 0..hidden, arena),
            output: match output.packed(0..hidden, start..start + group, arena) {
                first if start == 0 => first,
                other => other.without_bias(),
            },
        });
        Ok(quantized::Layer {
            query,
            key,
            value,
            attention_output,
            feed_forward: feed_forward.collect(),
            attention_norm: self.quantized_norm(&names.attention_norm, hidden)?,
            output_norm: self.quantized_norm(&names.output_norm, hidden)?,
        })
    }

    /// A head on top of the encoder, if the file has it.
    fn head(&self, name: &str, outputs: usize, config: &Config) -> Result<Option<Linear>, String> {
        if !self.tensors.has(&format!("{name}.weight")) {
            return Ok(None);
        }
        Ok(Some(Linear {
            weight: self
                .tensors
                .floats(&format!("{name}.weight"), &[outputs, config.hidden_size])?,
            bias: self.tensors.floats(&format!("{name}.bias"), &[outputs])?,
            inputs: config.hidden_size,
        }))
    }

    /// A linear layer as it is stored in int8.
    fn int8(&self, name: &str, outputs: usize, inputs: usize) -> Result<Int8<'_>, String> {
        let name = format!("{}{name}", self.tensors.prefix);
        let data = self
            .tensors
            .view(&format!("{name}.weight"), &[outputs, inputs])?
            .data();
        // The range of the layout; products rely on it.
        if data.contains(&i8::MIN.cast_unsigned()) {
            return Err(format!(
                "tensor {name}.weight holds -128; int8 weights go from -127 to 127"
            ));
        }
        Ok(Int8 {
            data,
            inputs,
            scales: self.moderate(&format!("{name}.weight_scale"), outputs)?,
            bias: self.moderate(&format!("{name}.bias"), outputs)?,
        })
    }

    /// The normalisation of a layer in int8.
    fn quantized_norm(&self, name: &str, width: usize) -> Result<quantized::Norm, String> {
        let norm = self.norm(name, width)?;
        self.check_norm(name, &norm)?;
        Ok(norm.into())
    }

    fn check_norm(&self, name: &str, norm: &Norm) -> Result<(), String> {
        let name = format!("{}{name}", self.tensors.prefix);
        moderate(&name, &norm.scale)?;
        moderate(&name, &norm.bias)
    }

    /// Floats of a layer in int8.
    fn moderate(&self, name: &str, width: usize) -> Result<Vec<f32>, String> {
        let values = self.tensors.floats(name, &[width])?;
        moderate(name, &values)?;
        Ok(values)
    }

    /// Linear layers of the same shape, one below the other.
    fn linear(&self, names: &[&str], outputs: usize, inputs: usize) -> Result<Linear, String> {
        let mut linear = Linear {
            weight: Vec::new(),
            bias: Vec::new(),
            inputs,
        };
        for name in names {
            let name = format!("{}{name}", self.tensors.prefix);
            linear.weight.extend(
                self.tensors
                    .floats(&format!("{name}.weight"), &[outputs, inputs])?,
            );
            linear
                .bias
                .extend(self.tensors.floats(&format!("{name}.bias"), &[outputs])?);
        }
        Ok(linear)
    }

    fn norm(&self, name: &str, width: usize) -> Result<Norm, String> {
        let name = format!("{}{name}", self.tensors.prefix);
        let (scale, bias) = self.tensors.norm(&name, width)?;
        Ok(Norm { scale, bias })
    }

    fn table(&self, name: &str, rows: usize, width: usize) -> Result<Table, String> {
        let name = format!("{}{name}.weight", self.tensors.prefix);
        let tensor = self.tensors.view(&name, &[rows, width])?;
        if tensor.dtype() != Dtype::I8 {
            return Ok(Table::F32 {
                data: self.tensors.floats(&name, &[rows, width])?,
                width,
            });
        }
        let scales = self.tensors.floats(&format!("{name}_scale"), &[rows])?;
        let data = match self.bytes {
            // The tensor's place within bytes that live as long as the program.
            Cow::Borrowed(all) => {
                let start = tensor.data().as_ptr().addr() - all.as_ptr().addr();
                Cow::Borrowed(&all[start..start + tensor.data().len()])
            }
            Cow::Owned(_) => Cow::Owned(tensor.data().to_vec()),
        };
        Ok(Table::Int8 { data, scales, width })
    }
}
