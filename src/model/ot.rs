//! `rust_model.ot`, the file of weights that `rust-bert` and `tch` write: an archive of TorchScript.
//!
//! libtorch's own reader compiles and may run what is in such an archive, which a model from somewhere should not be able to ask for. This
//! one reads the list of tensors, a pickle of a few kinds of values, and the numbers; no code. The result is in the
//! form of `model.safetensors`, so that everything behind it is the same.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::rc::Rc;

use safetensors::tensor::{Dtype, TensorView};
use zip::{CompressionMethod, ZipArchive};

/// The longest list of tensors, in bytes.
const LONGEST_LIST: u64 = 16 << 20;

/// Tensors may share numbers, as tied embeddings do. So many times the file's size they may have together.
const MOST_SHARED: usize = 4;

/// The tensors of an archive in the form of `model.safetensors`.
///
/// # Errors
/// What is wrong with the archive.
pub(super) fn to_safetensors(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("is no archive: {e}"))?;
    let list = archive
        .file_names()
        .filter_map(Result::ok)
        .find(|name| name.ends_with("/data.pkl"))
        .ok_or("has no data.pkl")?
        .into_owned();
    let folder = list.trim_end_matches("data.pkl").to_owned();
    if let Ok(order) = entry(&mut archive, &format!("{folder}byteorder"), 64)
        && order != b"little"
    {
        return Err("is not in little-endian order".to_owned());
    }
    let stored = Pickle::new(&entry(&mut archive, &list, LONGEST_LIST)?).tensors()?;
    let mut storages: HashMap<Rc<str>, Vec<u8>> = HashMap::new();
    // Entries may overlap, so each is at most what the file has more than those before.
    let mut left = bytes.len() as u64;
    for tensor in &stored {
        if !storages.contains_key(&tensor.storage) {
            let name = format!("{folder}data/{}", tensor.storage);
            let numbers = entry(&mut archive, &name, left)?;
            left -= numbers.len() as u64;
            storages.insert(tensor.storage.clone(), numbers);
        }
    }
    let mut total = 0_usize;
    let mut views = Vec::with_capacity(stored.len());
    for tensor in &stored {
        let name = tensor.name.replace('|', ".");
        let range = tensor
            .bytes()
            .ok_or_else(|| format!("tensor {name} is not stored row by row"))?;
        total = total.saturating_add(range.len());
        let data = storages[&tensor.storage]
            .get(range)
            .ok_or_else(|| format!("tensor {name} is longer than its numbers"))?;
        let view = TensorView::new(tensor.dtype, tensor.shape.clone(), data)
            .map_err(|e| format!("tensor {name}: {e}"))?;
        views.push((name, view));
    }
    if total > bytes.len().saturating_mul(MOST_SHARED) {
        return Err("has tensors of many times its size".to_owned());
    }
    safetensors::serialize(views, None).map_err(|e| e.to_string())
}

/// A file of the archive. It has to be stored as it is, so that the archive's size bounds what is read.
fn entry(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str, limit: u64) -> Result<Vec<u8>, String> {
    let entry = archive.by_name(name).map_err(|e| format!("{name}: {e}"))?;
    if entry.compression() != CompressionMethod::Stored || entry.size() > limit {
        return Err(format!("{name} is compressed, or longer than {limit} bytes"));
    }
    let mut bytes = Vec::new();
    entry
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("{name}: {e}"))?;
    Ok(bytes)
}

/// Where a tensor's numbers are.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    name: String,
    storage: Rc<str>,
    dtype: Dtype,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl Stored {
    /// Its place in its storage, if it is stored row by row.
    fn bytes(&self) -> Option<std::ops::Range<usize>> {
        let mut count = 1_usize;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if size != 1 && stride != count {
                return None;
            }
            count = count.checked_mul(size)?;
        }
        let width = self.dtype.bitsize() / 8;
        let start = self.offset.checked_mul(width)?;
        Some(start..start.checked_add(count.checked_mul(width)?)?)
    }
}

/// A value on the pickle's stack. None holds another, so that nothing nests.
#[derive(Debug, Clone)]
enum Value {
    Mark,
    Text(Rc<str>),
    Integer(usize),
    Integers(Rc<[usize]>),
    Global(Rc<str>),
    /// `("storage", type, key, device, length)`, and what it stands for.
    Storage(Rc<str>, Rc<str>),
    /// What a tensor is rebuilt from, and the tensor.
    Tensor(Rc<Rebuilt>),
    /// Something that no tensor needs.
    Other,
}

/// The arguments that a tensor is rebuilt from: type and key of its storage, and the place in it.
#[derive(Debug)]
struct Rebuilt {
    kind: Rc<str>,
    storage: Rc<str>,
    offset: usize,
    shape: Rc<[usize]>,
    strides: Rc<[usize]>,
}

/// A machine for the part of the format (PEP 307, protocol 2) that PyTorch's C++ writes.
struct Pickle<'a> {
    bytes: &'a [u8],
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
    found: Vec<(Rc<str>, Value)>,
}

impl<'a> Pickle<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            stack: Vec::new(),
            memo: HashMap::new(),
            found: Vec::new(),
        }
    }

    /// All tensors of floats.
    fn tensors(mut self) -> Result<Vec<Stored>, String> {
        while self
            .step()
            .ok_or("its list of tensors is damaged, or of another kind")?
        {}
        let mut tensors = Vec::new();
        for (name, value) in self.found {
            let Value::Tensor(tensor) = value else { continue };
            let Rebuilt { shape, strides, .. } = &*tensor;
            let dtype = match &*tensor.kind {
                "torch FloatStorage" => Dtype::F32,
                "torch HalfStorage" => Dtype::F16,
                "torch BFloat16Storage" => Dtype::BF16,
                // Positions and the like, which are no weights.
                "torch LongStorage" | "torch IntStorage" | "torch BoolStorage" => continue,
                other => return Err(format!("tensor {name} is a {other}; use floats of 32 or 16 bits")),
            };
            if shape.len() != strides.len() {
                return Err(format!(
                    "tensor {name} has {} sizes and {} strides",
                    shape.len(),
                    strides.len()
                ));
            }
            tensors.push(Stored {
                name: name.to_string(),
                storage: tensor.storage.clone(),
                dtype,
                offset: tensor.offset,
                shape: shape.to_vec(),
                strides: strides.to_vec(),
            });
        }
        Ok(tensors)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<u32> {
        let taken = self.take(bytes)?;
        Some(
            taken
                .iter()
                .rev()
                .fold(0, |number, &byte| number << 8 | u32::from(byte)),
        )
    }

    fn line(&mut self) -> Option<&'a str> {
        let end = self.bytes.iter().position(|&b| b == b'\n')?;
        let line = self.take(end + 1)?;
        std::str::from_utf8(&line[..end]).ok()
    }

    /// What was pushed since the last mark.
    fn since_mark(&mut self) -> Option<Vec<Value>> {
        let mark = self
            .stack
            .iter()
            .rposition(|value| matches!(value, Value::Mark))?;
        let values = self.stack.split_off(mark + 1);
        self.stack.pop();
        Some(values)
    }

    /// One instruction; whether there are more. `None` where it is none that is known, or its operands are missing.
    fn step(&mut self) -> Option<bool> {
        let instruction = self.number(1)?;
        let pushed = match u8::try_from(instruction).ok()? {
            0x80 => {
                self.number(1)?;
                return Some(true);
            }
            b'.' => return Some(false),
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                Value::Global(format!("{module} {name}").into())
            }
            b'q' => return self.remember(1),
            b'r' => return self.remember(4),
            b'h' => {
                let place = self.number(1)?;
                self.memo.get(&place)?.clone()
            }
            b'j' => {
                let place = self.number(4)?;
                self.memo.get(&place)?.clone()
            }
            b'(' => Value::Mark,
            b')' => Value::Integers([].into()),
            b'}' | b']' | b'N' | 0x88 | 0x89 => Value::Other,
            b'X' => {
                let length = self.number(4)? as usize;
                Value::Text(std::str::from_utf8(self.take(length)?).ok()?.into())
            }
            b'K' => Value::Integer(self.number(1)? as usize),
            b'M' => Value::Integer(self.number(2)? as usize),
            // Signed; no size is negative.
            b'J' => Value::Integer(usize::try_from(self.number(4)?.cast_signed()).ok()?),
            0x8a => {
                let length = self.number(1)? as usize;
                let bytes = self.take(length)?;
                let number = bytes.iter().rev().try_fold(0_usize, |number, &byte| {
                    Some(number.checked_mul(256)? + usize::from(byte))
                });
                Value::Integer(number?)
            }
            b't' => {
                let values = self.since_mark()?;
                tuple(values)?
            }
            b'Q' => match self.stack.pop()? {
                storage @ Value::Storage(..) => storage,
                _ => return None,
            },
            // A class and its arguments; a function and its arguments.
            0x81 | b'R' => {
                let arguments = self.stack.pop()?;
                match (self.stack.pop()?, arguments) {
                    (Value::Global(name), tensor @ Value::Tensor(_))
                        if &*name == "torch._utils _rebuild_tensor_v2" =>
                    {
                        tensor
                    }
                    _ => Value::Other,
                }
            }
            b's' => {
                let (value, key) = (self.stack.pop()?, self.stack.pop()?);
                self.set(key, value);
                return Some(true);
            }
            b'u' => {
                let mut values = self.since_mark()?.into_iter();
                while let (Some(key), Some(value)) = (values.next(), values.next()) {
                    self.set(key, value);
                }
                return Some(true);
            }
            // The state of an object, which stays.
            b'b' => {
                self.stack.pop()?;
                return Some(true);
            }
            _ => return None,
        };
        self.stack.push(pushed);
        Some(true)
    }

    fn remember(&mut self, bytes: usize) -> Option<bool> {
        let place = self.number(bytes)?;
        self.memo.insert(place, self.stack.last()?.clone());
        Some(true)
    }

    fn set(&mut self, key: Value, value: Value) {
        if let (Value::Text(name), Value::Tensor(_)) = (key, &value) {
            self.found.push((name, value));
        }
    }
}

/// The tuples that there are: sizes, the name of a storage, and what a tensor is rebuilt from.
fn tuple(values: Vec<Value>) -> Option<Value> {
    match &values[..] {
        [Value::Text(word), Value::Global(kind), Value::Text(key), ..] if &**word == "storage" => {
            Some(Value::Storage(kind.clone(), key.clone()))
        }
        [
            Value::Storage(kind, storage),
            Value::Integer(offset),
            Value::Integers(shape),
            Value::Integers(strides),
            ..,
        ] => Some(Value::Tensor(Rc::new(Rebuilt {
            kind: kind.clone(),
            storage: storage.clone(),
            offset: *offset,
            shape: shape.clone(),
            strides: strides.clone(),
        }))),
        _ => {
            let integers = values.into_iter().map(|value| match value {
                Value::Integer(n) => Some(n),
                _ => None,
            });
            Some(Value::Integers(integers.collect::<Option<Vec<_>>>()?.into()))
        }
    }
}
