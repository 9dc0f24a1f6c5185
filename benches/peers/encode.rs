//! Our side of `benches/peers/run`: reads windows with the embedded reader and says how long it took.
//!
//! `encode WINDOWS.json` takes one JSON command a line on standard input and gives one JSON line for each:
//! `{"do":"load","threads":1}` and `{"do":"time","case":"384x1","threads":1}` give `{"ms":…}`,
//! `{"do":"logits","case":"384x1","threads":1}` gives `{"start":[[…],…],"end":[[…],…]}`.
//! `benches/peers/peer.py` answers the same commands with the other programs.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use quotable::engine::native::Native;
use quotable::engine::{Engine, Input};
use quotable::model::Model;
use rayon::{ThreadPool, ThreadPoolBuilder};
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
    Load { threads: usize },
    Time { case: String, threads: usize },
    Logits { case: String, threads: usize },
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: encode WINDOWS.json")?;
    let cases: HashMap<String, Vec<Window>> = serde_json::from_slice(&std::fs::read(&file)?)?;
    let cases: HashMap<String, Vec<Input>> = cases
        .into_iter()
        .map(|(name, windows)| (name, windows.into_iter().map(input).collect()))
        .collect();
    let case = |name: &str| -> Result<Vec<&Input>, String> {
        let windows = cases.get(name).ok_or(format!("no case {name} in {file}"))?;
        Ok(windows.iter().collect())
    };
    let engine = load()?;
    let mut pools = HashMap::new();
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Command::Load { threads } => {
                let started = Instant::now();
                let _kept_until_measured = pool(&mut pools, threads)?.install(load)?;
                json!({ "ms": milliseconds(started.elapsed()) })
            }
            Command::Time { case: name, threads } => {
                let (pool, windows) = (pool(&mut pools, threads)?, case(&name)?);
                let started = Instant::now();
                pool.install(|| engine.spans(&windows))?;
                json!({ "ms": milliseconds(started.elapsed()) })
            }
            Command::Logits { case: name, threads } => {
                let (pool, windows) = (pool(&mut pools, threads)?, case(&name)?);
                let spans = pool.install(|| engine.spans(&windows))?;
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

/// The pool of so many threads, made when it is first asked for.
fn pool(pools: &mut HashMap<usize, ThreadPool>, threads: usize) -> Result<&ThreadPool, Box<dyn Error>> {
    if !pools.contains_key(&threads) {
        pools.insert(threads, ThreadPoolBuilder::new().num_threads(threads).build()?);
    }
    Ok(&pools[&threads])
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
