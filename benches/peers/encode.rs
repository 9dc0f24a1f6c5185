//! Our side of `benches/peers/run`: reads windows with the embedded reader and says how long it took.
//!
//! `encode WINDOWS.json THREADS` takes one JSON command a line on standard input and gives one JSON line for each:
//! `{"do":"load"}` and `{"do":"time","case":"384 tokens"}` give `{"ms":…}`, `{"do":"logits","case":"384 tokens"}` gives
//! `{"start":[[…],…],"end":[[…],…]}`. `benches/peers/peer.py` answers the same commands with the other programs.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use quotable::engine::native::Native;
use quotable::engine::{Engine, Input};
use quotable::model::Model;
use serde::Deserialize;
use serde_json::json;

/// A window as the driver writes it.
#[derive(Deserialize)]
struct Window {
    ids: Vec<u32>,
    segments: Vec<u32>,
}

/// A line of standard input. The driver says more than we need: our engine pads nothing.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Command {
    Load,
    Time { case: String },
    Logits { case: String },
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, threads] = arguments.as_slice() else {
        return Err("usage: encode WINDOWS.json THREADS".into());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.parse()?)
        .build_global()?;
    let cases: HashMap<String, Vec<Window>> = serde_json::from_slice(&std::fs::read(file)?)?;
    let cases: HashMap<String, Vec<Input>> = cases
        .into_iter()
        .map(|(name, windows)| (name, windows.into_iter().map(input).collect()))
        .collect();
    let windows = |case: &str| -> Result<Vec<&Input>, String> {
        let windows = cases.get(case).ok_or(format!("no case {case} in {file}"))?;
        Ok(windows.iter().collect())
    };
    let engine = load()?;
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Command::Load => {
                let started = Instant::now();
                let _kept_until_measured = load()?;
                json!({ "ms": milliseconds(started.elapsed()) })
            }
            Command::Time { case } => {
                let windows = windows(&case)?;
                let started = Instant::now();
                engine.spans(&windows)?;
                json!({ "ms": milliseconds(started.elapsed()) })
            }
            Command::Logits { case } => {
                let spans = engine.spans(&windows(&case)?)?;
                let (start, end): (Vec<_>, Vec<_>) = spans.into_iter().map(|s| (s.start, s.end)).unzip();
                json!({ "start": start, "end": end })
            }
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn input(window: Window) -> Input {
    let mut input = Input::with_capacity(window.ids.len());
    input.extend(window.ids.into_iter().zip(window.segments));
    input
}

/// The model with its tokenizer, ready to read.
fn load() -> quotable::Result<Native> {
    Native::new(&Model::embedded()?)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
