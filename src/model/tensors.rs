//! The tensors of `model.safetensors`, by name. Shapes and types are checked against `config.json` before anything is made of them.

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::config::{Architecture, Config};

/// The tensors of a file.
pub(crate) struct Tensors<'a> {
    views: SafeTensors<'a>,
    /// What the encoder's names begin with: `bert.` and the like; some files have the encoder without it.
    pub(crate) prefix: &'static str,
}

impl<'a> Tensors<'a> {
    /// Reads the header of a file of this configuration's encoder.
    pub(crate) fn parse(bytes: &'a [u8], config: &Config) -> Result<Self, String> {
        let prefix = match config.architecture {
            Architecture::Bert => "bert.",
            Architecture::DistilBert => "distilbert.",
            Architecture::Roberta => "roberta.",
            Architecture::Electra => "electra.",
            Architecture::Albert => "albert.",
            Architecture::Deberta | Architecture::DebertaV2 => "deberta.",
        };
        Self::with_prefix(bytes, prefix)
    }

    /// Reads the header of a file whose names begin with this prefix, or with none.
    pub(crate) fn with_prefix(bytes: &'a [u8], prefix: &'static str) -> Result<Self, String> {
        let views = SafeTensors::deserialize(bytes).map_err(|e| match e {
            safetensors::SafeTensorError::InvalidOffset(_)
            | safetensors::SafeTensorError::MetadataIncompleteBuffer => {
                "is truncated or padded: its header and its size do not agree".to_owned()
            }
            other => format!("is not a valid safetensors file: {other}"),
        })?;
        let has_prefix = views.names().iter().any(|name| name.starts_with(prefix));
        Ok(Self {
            views,
            prefix: if has_prefix { prefix } else { "" },
        })
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.views.tensor(name).is_ok()
    }

    /// How many bytes a tensor has that is stored in int8.
    pub(crate) fn int8_bytes(&self, name: &str) -> Option<usize> {
        let tensor = self.views.tensor(name).ok()?;
        (tensor.dtype() == Dtype::I8).then(|| tensor.data().len())
    }

    /// A tensor of this shape as it is stored.
    pub(crate) fn view(&self, name: &str, shape: &[usize]) -> Result<TensorView<'a>, String> {
        let tensor = self
            .views
            .tensor(name)
            .map_err(|_| format!("has no tensor {name}, which config.json calls for"))?;
        if tensor.shape() != shape {
            return Err(format!(
                "tensor {name} has shape {:?}, config.json says {shape:?}",
                tensor.shape()
            ));
        }
        Ok(tensor)
    }

    /// A tensor as f32, whatever it is stored as; all of its values are finite.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let values = self.stored_floats(name, shape)?;
        if values.iter().all(|x| x.is_finite()) {
            return Ok(values);
        }
        Err(format!("tensor {name} holds a value that is not finite"))
    }

    fn stored_floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let tensor = self.view(name, shape)?;
        let data = tensor.data();
        let pairs = || data.chunks_exact(2).map(|b| [b[0], b[1]]);
        match tensor.dtype() {
            Dtype::F32 => Ok(data
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect()),
            Dtype::F16 => Ok(pairs().map(|b| f16::from_le_bytes(b).to_f32()).collect()),
            Dtype::BF16 => Ok(pairs().map(|b| bf16::from_le_bytes(b).to_f32()).collect()),
            Dtype::I8 if shape.len() == 2 => {
                let scales = self.floats(&format!("{name}_scale"), &shape[..1])?;
                Ok(data
                    .chunks_exact(shape[1])
                    .zip(&scales)
                    .flat_map(|(row, &scale)| row.iter().map(move |&q| f32::from(q.cast_signed()) * scale))
                    .collect())
            }
            other => Err(format!(
                "tensor {name} is {other:?}; use F32, F16, BF16 or I8 with scales"
            )),
        }
    }

    /// Scale and bias of the normalisation of this name. Both `[width]`.
    pub(crate) fn norm(&self, name: &str, width: usize) -> Result<(Vec<f32>, Vec<f32>), String> {
        // Files from before 2019 have TensorFlow's names.
        let either = |new: &str, old: &str| {
            let old = format!("{name}.{old}");
            if self.has(&old) {
                old
            } else {
                format!("{name}.{new}")
            }
        };
        Ok((
            self.floats(&either("weight", "gamma"), &[width])?,
            self.floats(&either("bias", "beta"), &[width])?,
        ))
    }
}

/// What a layer's tensors are called behind the prefix, without `.weight` and `.bias`.
pub(crate) struct LayerNames {
    /// What all of them begin with.
    #[cfg_attr(
        not(feature = "libtorch"),
        expect(dead_code, reason = "native layers have no other tensors")
    )]
    pub(crate) base: String,
    pub(crate) query: String,
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) attention_output: String,
    pub(crate) attention_norm: String,
    pub(crate) intermediate: String,
    pub(crate) output: String,
    pub(crate) output_norm: String,
}

impl LayerNames {
    /// Of the layer that is used in place `index`: ALBERT uses layers several times.
    pub(crate) fn new(index: usize, config: &Config) -> Self {
        let base = match (config.architecture, config.sharing) {
            (Architecture::DistilBert, _) => format!("transformer.layer.{index}"),
            (_, Some(sharing)) => {
                let place = index / sharing.group_layers;
                let group = place * sharing.groups / (config.layers / sharing.group_layers);
                let layer = index % sharing.group_layers;
                format!("encoder.albert_layer_groups.{group}.albert_layers.{layer}")
            }
            _ => format!("encoder.layer.{index}"),
        };
        let [
            query,
            key,
            value,
            attention_output,
            attention_norm,
            intermediate,
            output,
            output_norm,
        ] = match config.architecture {
            Architecture::DistilBert => [
                "attention.q_lin",
                "attention.k_lin",
                "attention.v_lin",
                "attention.out_lin",
                "sa_layer_norm",
                "ffn.lin1",
                "ffn.lin2",
                "output_layer_norm",
            ],
            Architecture::Albert => [
                "attention.query",
                "attention.key",
                "attention.value",
                "attention.dense",
                "attention.LayerNorm",
                "ffn",
                "ffn_output",
                "full_layer_layer_norm",
            ],
            Architecture::DebertaV2 => [
                "attention.self.query_proj",
                "attention.self.key_proj",
                "attention.self.value_proj",
                "attention.output.dense",
                "attention.output.LayerNorm",
                "intermediate.dense",
                "output.dense",
                "output.LayerNorm",
            ],
            _ => [
                "attention.self.query",
                "attention.self.key",
                "attention.self.value",
                "attention.output.dense",
                "attention.output.LayerNorm",
                "intermediate.dense",
                "output.dense",
                "output.LayerNorm",
            ],
        }
        .map(|name| format!("{base}.{name}"));
        Self {
            base,
            query,
            key,
            value,
            attention_output,
            attention_norm,
            intermediate,
            output,
            output_norm,
        }
    }

    /// The names of its matrices.
    pub(crate) fn matrices(&self) -> [&str; 6] {
        [
            &self.query,
            &self.key,
            &self.value,
            &self.attention_output,
            &self.intermediate,
            &self.output,
        ]
        .map(String::as_str)
    }
}
