//! The engine behind the feature `libtorch`: other architectures than the native engine's, and CUDA.
//!
//! Reads what the native engine reads, in f32, and ALBERT and DeBERTa. The layers are ours, over the tensors of `tch`: the encoders of
//! `rust-bert` differ from transformers (ARCHITECTURE.md names how). An input is read by itself, unpadded, by one thread, so
//! that neither a neighbour nor the number of threads can change a bit of its output.

mod encoder;
mod generator;
mod relative;
mod search;
mod seq2seq;
mod shape;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use tch::{TchError, Tensor};

use super::{Device, Engine, Head, Input, Output, SpanLogits, check_finite, no_sentence_head, no_span_head};
use crate::error::{Error, Result};
use crate::model::tensors::Tensors;
use crate::model::{Config, Model};
use encoder::Encoder;
pub use generator::Writer;

/// The longest window in tokens: attention takes memory with its square, for all heads at once.
const LONGEST_WINDOW: usize = 4096;

/// An encoder with the heads that its model has.
pub struct Libtorch {
    name: String,
    origin: PathBuf,
    config: Config,
    /// Layers that a sentence's vector is read behind.
    sentence_layer: Option<usize>,
    device: tch::Device,
    encoders: Pool<Encoder>,
}

impl fmt::Debug for Libtorch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Libtorch")
            .field("name", &self.name)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

impl Libtorch {
    /// Builds the encoder of a model on a device.
    ///
    /// # Errors
    /// When the device is not there, windows are longer than 4,096 tokens, or the weights are damaged, lack a tensor, or hold one
    /// of another shape than the configuration says.
    pub fn new(model: &Model, device: Device) -> Result<Self> {
        let device = find(device)?;
        let invalid = |reason: String| Error::ModelFileInvalid {
            model: model.origin.clone(),
            file: "model.safetensors".to_owned(),
            reason,
        };
        let window = model.manifest.limits.window_tokens;
        if window > LONGEST_WINDOW {
            return Err(Error::ModelFileInvalid {
                model: model.origin.clone(),
                file: "manifest.toml".to_owned(),
                reason: format!(
                    "limits.window_tokens is {window}, with libtorch {LONGEST_WINDOW} is the most"
                ),
            });
        }
        let tensors = Tensors::parse(&model.weights, &model.config).map_err(invalid)?;
        let encoder = Encoder::load(&tensors, &model.config, device).map_err(|e| match e {
            LoadError::File(reason) => invalid(reason),
            LoadError::Torch(error) => refused(&error),
        })?;
        Ok(Self {
            name: model.manifest.name.clone(),
            origin: model.origin.clone(),
            config: model.config.clone(),
            sentence_layer: model.manifest.sentence_layer,
            device,
            encoders: Pool::new(encoder),
        })
    }

    /// The device that it computes on.
    #[must_use]
    pub fn device(&self) -> Device {
        match self.device {
            tch::Device::Cuda(_) => Device::Cuda,
            _ => Device::Cpu,
        }
    }

    /// The hidden state of each input behind the first `depth` layers, as `head` reads it. `[tokens, hidden_size]`
    fn read<T: Send>(
        &self,
        inputs: &[&Input],
        depth: usize,
        head: impl Fn(&Encoder, &Input, Tensor) -> Result<T, TchError> + Sync,
    ) -> Result<Vec<T>> {
        let read = |input: &&Input| {
            input.check_planned(&self.config)?;
            // Products that several threads share are not the same to the bit for every number of them.
            tch::set_num_threads(1);
            let output = self.encoders.lend(|encoder| {
                let hidden = encoder.forward(&input.ids, &input.segments, depth, &self.config)?;
                head(encoder, input, hidden)
            });
            output.map_err(|error| refused(&error))
        };
        match self.device {
            // All threads would wait for the one device.
            tch::Device::Cuda(_) => inputs.iter().map(read).collect(),
            _ => inputs.par_iter().with_max_len(1).map(read).collect(),
        }
    }
}

impl Engine for Libtorch {
    fn encode(&self, inputs: &[&Input], head: Head) -> Result<Output> {
        let width = self.config.hidden_size;
        let depth = self.config.layers;
        match head {
            Head::Span => {
                if !self.encoders.lend(Encoder::has_span_head) {
                    return Err(no_span_head(&self.name));
                }
                let logits = self.read(inputs, depth, |encoder, _, hidden| encoder.spans(&hidden))?;
                let spans = logits.into_iter().map(|logits| {
                    check_finite(&logits, &self.origin)?;
                    let (start, end) = logits.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip();
                    Ok(SpanLogits { start, end })
                });
                Ok(Output::Span(spans.collect::<Result<_>>()?))
            }
            Head::Sentence => {
                let depth = self.sentence_layer.ok_or_else(|| no_sentence_head(&self.name))?;
                let hidden = self.read(inputs, depth, |_, _, hidden| encoder::floats(&hidden))?;
                let vectors = inputs.iter().zip(hidden).map(|(input, hidden)| {
                    check_finite(&hidden, &self.origin)?;
                    Ok(input.sentence_means(&hidden, width))
                });
                Ok(Output::Sentence(vectors.collect::<Result<_>>()?))
            }
            Head::Hidden => {
                let hidden = self.read(inputs, depth, |_, _, hidden| encoder::floats(&hidden))?;
                hidden
                    .iter()
                    .try_for_each(|hidden| check_finite(hidden, &self.origin))?;
                Ok(Output::Hidden(hidden))
            }
        }
    }
}

/// A model for several threads: a tensor may go to another thread but not be used by two, so each uses a clone of its own. Clones
/// share the numbers.
struct Pool<M> {
    /// Those that no thread is using. Never empty.
    idle: Mutex<Vec<M>>,
}

impl<M: Clone> Pool<M> {
    fn new(model: M) -> Self {
        Self {
            idle: Mutex::new(vec![model]),
        }
    }

    /// Does something with a model that no other thread is using.
    fn lend<T>(&self, work: impl FnOnce(&M) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = {
            let mut idle = idle();
            match &idle[..] {
                [last] => last.clone(),
                _ => idle.swap_remove(0),
            }
        };
        let result = work(&taken);
        idle().push(taken);
        result
    }
}

/// The device, if it is there.
fn find(device: Device) -> Result<tch::Device> {
    match device {
        Device::Cpu => Ok(tch::Device::Cpu),
        Device::Cuda if tch::Cuda::is_available() => Ok(tch::Device::Cuda(0)),
        Device::Cuda => Err(Error::DeviceUnavailable {
            device: "cuda",
            reason: "libtorch finds no CUDA device; check that nvidia-smi lists one, that the program was built with a libtorch \
                     for CUDA (LIBTORCH; the one of scripts/libtorch.sh is for the CPU), or use --device cpu"
                .to_owned(),
        }),
    }
}

/// Why an encoder could not be built.
enum LoadError {
    /// What is wrong with the file.
    File(String),
    Torch(TchError),
}

impl From<TchError> for LoadError {
    fn from(error: TchError) -> Self {
        Self::Torch(error)
    }
}

impl From<String> for LoadError {
    fn from(reason: String) -> Self {
        Self::File(reason)
    }
}

/// What libtorch says, without its stack trace.
fn refused(error: &TchError) -> Error {
    let text = match error {
        TchError::Torch(text) => text.clone(),
        other => other.to_string(),
    };
    let line = text.lines().next().unwrap_or_default();
    Error::Libtorch {
        reason: line.chars().take(300).collect(),
    }
}
