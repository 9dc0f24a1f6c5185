//! rten as a process of its own. It answers the commands of `../encode.rs`, with "batch" as in `../peer.py`:
//!
//!     peer-rten MODEL.onnx TOKENIZER.json WINDOWS.json THREADS

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use rten::{Model, NodeId, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use serde::Deserialize;
use serde_json::json;
use tokenizers::Tokenizer;

/// A window as the driver writes it.
#[derive(Deserialize)]
struct Window {
    ids: Vec<i32>,
    segments: Vec<i32>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Command {
    About,
    Load,
    Time { case: String, batch: usize },
    Logits { case: String, batch: usize },
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, tokenizer, windows, threads] = arguments.as_slice() else {
        bail!("usage: peer-rten MODEL.onnx TOKENIZER.json WINDOWS.json THREADS");
    };
    let pool = Arc::new(ThreadPool::with_num_threads(threads.parse()?));
    let cases: HashMap<String, Vec<Window>> = serde_json::from_slice(&std::fs::read(windows)?)?;
    let windows = |case: &str| cases.get(case).ok_or_else(|| anyhow!("no case {case}"));
    let reader = Reader::open(model, &pool)?;
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Command::About => json!({ "version": version() }),
            Command::Load => {
                let started = Instant::now();
                let tokenizer = Tokenizer::from_file(tokenizer).map_err(|error| anyhow!(error))?;
                let _kept_until_measured = (Reader::open(model, &pool)?, tokenizer);
                json!({ "ms": milliseconds(started) })
            }
            Command::Time { case, batch } => {
                let windows = windows(&case)?;
                let started = Instant::now();
                reader.read_all(windows, batch)?;
                json!({ "ms": milliseconds(started) })
            }
            Command::Logits { case, batch } => {
                let (start, end): (Vec<_>, Vec<_>) =
                    reader.read_all(windows(&case)?, batch)?.into_iter().unzip();
                json!({ "start": start, "end": end })
            }
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// The version of rten that is pinned.
fn version() -> Option<&'static str> {
    let (_, version) = include_str!("Cargo.toml").split_once("\nrten = \"=")?;
    version.split('"').next()
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// The start and the end logits of a window's own tokens.
type Logits = (Vec<f32>, Vec<f32>);

struct Reader {
    model: Model,
    /// `ids`, `mask`, `segments`.
    inputs: [NodeId; 3],
    /// `start`, `end`.
    outputs: [NodeId; 2],
    options: RunOptions,
}

impl Reader {
    fn open(file: &str, pool: &Arc<ThreadPool>) -> Result<Self> {
        let model = Model::load_file(file)?;
        let node = |name| model.node_id(name);
        Ok(Self {
            inputs: [node("ids")?, node("mask")?, node("segments")?],
            outputs: [node("start")?, node("end")?],
            options: RunOptions::default().with_thread_pool(Some(Arc::clone(pool))),
            model,
        })
    }

    /// `batch` windows at a time, neighbours in length together, padded to the longest of them.
    fn read_all(&self, windows: &[Window], batch: usize) -> Result<Vec<Logits>> {
        let mut order: Vec<usize> = (0..windows.len()).collect();
        order.sort_by_key(|&i| windows[i].ids.len());
        let mut found = vec![Logits::default(); windows.len()];
        for group in order.chunks(batch) {
            let longest = group
                .iter()
                .map(|&i| windows[i].ids.len())
                .max()
                .unwrap_or_default();
            let padded = |value: &dyn Fn(&Window, usize) -> i32| {
                NdTensor::<i32, 2>::from_fn([group.len(), longest], |[row, token]| {
                    let window = &windows[group[row]];
                    if token < window.ids.len() {
                        value(window, token)
                    } else {
                        0
                    }
                })
            };
            let values = [
                padded(&|window, token| window.ids[token]),
                padded(&|_, _| 1),
                padded(&|window, token| window.segments[token]),
            ];
            let inputs = self
                .inputs
                .into_iter()
                .zip(values.iter().map(Into::into))
                .collect();
            let [start, end] = self
                .model
                .run_n(inputs, self.outputs, Some(self.options.clone()))?;
            let (start, end): (NdTensor<f32, 2>, NdTensor<f32, 2>) = (start.try_into()?, end.try_into()?);
            for (row, &i) in group.iter().enumerate() {
                let own = |logits: &NdTensor<f32, 2>| {
                    logits
                        .slice(row)
                        .iter()
                        .take(windows[i].ids.len())
                        .copied()
                        .collect()
                };
                found[i] = (own(&start), own(&end));
            }
        }
        Ok(found)
    }
}
