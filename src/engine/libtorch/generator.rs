//! Models that write, from a folder in the hub's layout to words.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokenizers::Tokenizer;

use super::encoder::floats;
use super::search::{Rules, Steps, search};
use super::seq2seq::{Memory, Seq2seq};
use super::shape::{ConfigError, WriterConfig};
use super::{LoadError, Pool, find, refused};
use crate::engine::{Device, Generation, Generator};
use crate::error::{Error, Result};
use crate::model::store;
use crate::model::tensors::Tensors;
use crate::model::tokenizer::check_templates;

/// The longest text in tokens, read or written: attention takes memory with its square. A model that reads more is
/// given shorter passages.
const LONGEST: usize = 4096;

/// BART, Pegasus or T5 with its tokenizer.
pub struct Writer {
    name: String,
    origin: PathBuf,
    config: WriterConfig,
    tokenizer: Tokenizer,
    /// Tokens that are put around a text, the instruction's included.
    around: usize,
    models: Pool<Seq2seq>,
    /// Held while a text is written on CUDA: all threads would wait for the one device, each with its own memory of it.
    turn: Option<Mutex<()>>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Loads `config.json`, `tokenizer.json`, and `model.safetensors` or `rust_model.ot`; `generation_config.json`
    /// where there is one.
    ///
    /// # Errors
    /// When the device is not there, a file is missing, or cannot be used: its architecture is another, or its
    /// tensors are damaged, not there, or of another shape than `config.json` says.
    pub fn from_directory(directory: &Path, device: Device) -> Result<Self> {
        let device = find(device)?;
        let files = store::writer(directory)?;
        let invalid = |file: &str, reason: String| Error::ModelFileInvalid {
            model: directory.to_owned(),
            file: file.to_owned(),
            reason,
        };
        let config =
            WriterConfig::parse(&files.config, files.generation.as_deref()).map_err(|e| match e {
                ConfigError::Architecture(architecture) => Error::NotAGenerator {
                    model: directory.to_owned(),
                    architecture,
                },
                ConfigError::Invalid(reason) => invalid("config.json", reason),
            })?;
        let tokenizer = tokenizer(&files.tokenizer).map_err(|e| invalid("tokenizer.json", e))?;
        let highest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0) as usize;
        if highest >= config.shape.vocabulary {
            let vocabulary = config.shape.vocabulary;
            let reason = format!("has a token {highest}, config.json says that there are {vocabulary}");
            return Err(invalid("tokenizer.json", reason));
        }
        let tensors =
            Tensors::with_prefix(&files.weights, "model.").map_err(|e| invalid("model.safetensors", e))?;
        let model = Seq2seq::load(&tensors, &config.shape, device).map_err(|e| match e {
            LoadError::File(reason) => invalid("model.safetensors", reason),
            LoadError::Torch(error) => refused(&error),
        })?;
        let around = tokenizer
            .encode(config.instruction.as_str(), true)
            .map_or(0, |encoding| encoding.len());
        // One more, for an instruction whose last token takes in the text's first letters.
        let around = around + usize::from(!config.instruction.is_empty());
        if around >= config.shape.positions.min(LONGEST) {
            let reason = "its instruction leaves no room for a text".to_owned();
            return Err(invalid("config.json", reason));
        }
        let name = directory.canonicalize().ok();
        let name = name.as_deref().and_then(Path::file_name);
        Ok(Self {
            name: name.map_or_else(
                || directory.display().to_string(),
                |n| n.to_string_lossy().into_owned(),
            ),
            origin: directory.to_owned(),
            config,
            tokenizer,
            around,
            models: Pool::new(model),
            turn: matches!(device, tch::Device::Cuda(_)).then(Mutex::default),
        })
    }

    /// Token ids of a text with the instruction and the special tokens around it.
    ///
    /// # Errors
    /// When the tokenizer cannot spell it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let text = format!("{}{text}", self.config.instruction);
        match self.tokenizer.encode(text, true) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(error) => Err(self.invalid("tokenizer.json", format!("cannot spell a text: {error}"))),
        }
    }

    /// The ids that are written about ids that are read, with the one that the decoder begins with. `step` as in
    /// [`Generator::generate`].
    ///
    /// # Errors
    /// As [`Generator::generate`].
    pub fn generate_ids(
        &self,
        ids: &[u32],
        generation: &Generation,
        step: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<u32>> {
        let shape = &self.config.shape;
        let positions = shape.positions.min(LONGEST);
        if ids.len() > positions {
            return Err(Error::InputTooLong {
                model: self.name.clone(),
                tokens: ids.len(),
                limit: positions,
            });
        }
        let known = |id: &u32| (*id as usize) < shape.vocabulary;
        if ids.is_empty() || !ids.iter().all(known) {
            return Err(self.invalid(
                "tokenizer.json",
                "gives ids that the model does not have".to_owned(),
            ));
        }
        let max_new_tokens = generation.max_new_tokens.clamp(1, positions - 1);
        let generation = Generation {
            max_new_tokens,
            ..*generation
        };
        let rules = Rules {
            frame: &self.config.frame,
            vocabulary: shape.vocabulary,
            generation: &generation,
        };
        // Products that several threads share are not the same to the bit for every number of them.
        tch::set_num_threads(1);
        let turn = self.turn.as_ref();
        let _turn = turn.map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        self.models.lend(|model| {
            let memory = model.read(ids).map_err(|error| refused(&error))?;
            let mut writing = Writing {
                writer: self,
                model,
                memory,
            };
            search(&mut writing, rules, step)
        })
    }

    fn invalid(&self, file: &str, reason: String) -> Error {
        Error::ModelFileInvalid {
            model: self.origin.clone(),
            file: file.to_owned(),
            reason,
        }
    }
}

impl Generator for Writer {
    fn name(&self) -> &str {
        &self.name
    }

    fn input_tokens(&self) -> usize {
        self.config.shape.positions.min(LONGEST) - self.around
    }

    fn count_tokens(&self, text: &str) -> usize {
        // What cannot be spelled fails when it is written about.
        self.tokenizer
            .encode(text, false)
            .map_or(0, |encoding| encoding.len())
    }

    fn generation(&self) -> Generation {
        self.config.generation
    }

    fn generate(
        &self,
        text: &str,
        generation: &Generation,
        step: &mut dyn FnMut(usize) -> bool,
    ) -> Result<String> {
        let ids = self.encode(text)?;
        let written = self.generate_ids(&ids, generation, step)?;
        self.tokenizer
            .decode(&written, true)
            .map_err(|e| self.invalid("tokenizer.json", format!("cannot spell what was written: {e}")))
    }
}

/// A text that is written.
struct Writing<'a> {
    writer: &'a Writer,
    model: &'a Seq2seq,
    memory: Memory,
}

impl Steps for Writing<'_> {
    fn next(&mut self, last: &[u32], parents: &[usize]) -> Result<Vec<f32>> {
        let parents: Vec<i64> = parents.iter().map(|&parent| parent as i64).collect();
        let next = self.model.next(&mut self.memory, last, &parents);
        let values = next
            .and_then(|next| floats(&next))
            .map_err(|error| refused(&error))?;
        if values.iter().all(|x| x.is_finite()) {
            return Ok(values);
        }
        Err(self.writer.invalid(
            "model.safetensors",
            "its weights give values that are not finite".to_owned(),
        ))
    }
}

/// Reads `tokenizer.json`. "</s>" in a document is text, not the end of it.
fn tokenizer(bytes: &[u8]) -> Result<Tokenizer, String> {
    check_templates(bytes)?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|e| e.to_string())?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(|e| e.to_string())?;
    tokenizer.set_encode_special_tokens(true);
    Ok(tokenizer)
}
