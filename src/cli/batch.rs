//! Many questions: JSON Lines in, JSON Lines out.
//!
//! A thread reads lines; what is ready is answered in parallel and written in order, and output is flushed
//! when no further input is ready. So a caller that writes one line and waits gets its answer, and a file
//! of a million lines keeps all cores busy.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::args::BatchArgs;
use super::documents::{self, Loaded};
use super::json::{self, ErrorLine, Line};
use super::plan::{self, Plan, Source};
use super::{ANSWERED, Environment, Input};
use crate::document::read::ReadOptions;
use crate::document::{Document, Format};
use crate::error::Error;
use crate::reader::{AskOptions, Reader};

/// Lines that are answered together.
const MOST_LINES: usize = 64;
/// Sets of documents that are kept for the next line that names them.
const MOST_SETS: usize = 16;
/// Source bytes of the sets that are kept, in all.
const MOST_CACHED_BYTES: usize = 512 << 20;
/// How often Ctrl-C is looked for while waiting.
const PATIENCE: Duration = Duration::from_millis(100);

/// A line of input. Keys that are not known are let pass: callers send their own records.
#[derive(Debug, Deserialize)]
struct Request {
    question: String,
    context: Option<String>,
    docs: Option<Vec<PathBuf>>,
    top: Option<usize>,
    min_confidence: Option<f64>,
    always_answer: Option<bool>,
}

/// What comes from the thread that reads.
enum RawLine {
    /// A line as it came.
    Line(Vec<u8>),
    /// A line that was too long to keep.
    TooLong(String),
    /// The end, before the input's.
    Broken(std::io::Error),
}

/// Bytes of lines that may be in memory at a time, answered or waiting.
const MOST_WAITING_BYTES: usize = 256 << 20;

/// Only the id, so that a line that is wrong otherwise can be told by it. Kept as it was written: a number
/// may have more digits than any type of ours.
#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

pub(super) fn run(args: &BatchArgs, plan: &Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    let input = open(args, environment)?;
    let reader = (environment.load)(plan.model.as_deref())?;
    let batch = Batch {
        reader: &reader,
        plan,
        directory: environment.directory.clone(),
        cache: Mutex::default(),
    };
    // Twice a context of the largest size, since JSON may escape every character.
    let limit = plan.read.max_bytes.saturating_mul(2).saturating_add(1 << 20);
    let waiting = Arc::new(AtomicUsize::new(0));
    let lines = read_lines(input, limit, Arc::clone(&waiting));
    let mut ready: Vec<RawLine> = Vec::new();
    loop {
        match lines.try_recv() {
            Ok(RawLine::Broken(error)) => {
                answer(&batch, &mut ready, &waiting, environment)?;
                environment.output.flush()?;
                bail!(broken(&error));
            }
            Ok(line) => ready.push(line),
            Err(TryRecvError::Disconnected) if ready.is_empty() => break,
            Err(_) if !ready.is_empty() => answer(&batch, &mut ready, &waiting, environment)?,
            Err(_) => {
                environment.output.flush()?;
                // Waits for the next line, but not so long that Ctrl-C goes unheard.
                match lines.recv_timeout(PATIENCE) {
                    Ok(RawLine::Broken(error)) => bail!(broken(&error)),
                    Ok(line) => ready.push(line),
                    Err(_) => {}
                }
            }
        }
        if ready.len() == MOST_LINES {
            answer(&batch, &mut ready, &waiting, environment)?;
        }
        if environment.is_interrupted() {
            environment.output.flush()?;
            bail!(Error::Interrupted);
        }
    }
    environment.output.flush()?;
    Ok(ANSWERED)
}

fn open(args: &BatchArgs, environment: &mut Environment) -> anyhow::Result<Box<dyn Read + Send>> {
    match &args.file {
        Some(file) if file != Path::new("-") => {
            let path = environment.directory.join(file);
            let name = path.display();
            if path.is_dir() {
                bail!("{name}: is a folder; ask batch reads a file of JSON Lines");
            }
            // A device may have no end. A pipe is fine: shells make one of <(command).
            let metadata = std::fs::metadata(&path)
                .with_context(|| format!("{name}: cannot be read; check the spelling"))?;
            if is_device(&metadata) {
                bail!("{name}: is a device; ask batch reads a file or a pipe of JSON Lines");
            }
            let file = File::open(&path).with_context(|| format!("{name}: cannot be read"))?;
            Ok(Box::new(file))
        }
        _ => match std::mem::replace(&mut environment.input, Input::Nothing) {
            Input::Stream(stream) => Ok(stream),
            Input::Terminal => bail!(
                "ask batch reads JSON Lines from a file or a pipe; see ask batch --help for what a line holds"
            ),
            Input::Nothing => Ok(Box::new(std::io::empty())),
        },
    }
}

fn is_device(metadata: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        metadata.file_type().is_char_device() || metadata.file_type().is_block_device()
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

fn broken(error: &std::io::Error) -> String {
    format!("the input broke off: {error}; what came before that is answered")
}

/// Reads lines on a thread of its own, none of them longer than `limit` bytes, and waits while many bytes
/// wait for their answer.
fn read_lines(input: Box<dyn Read + Send>, limit: u64, waiting: Arc<AtomicUsize>) -> Receiver<RawLine> {
    let (sender, receiver) = sync_channel(MOST_LINES);
    std::thread::spawn(move || {
        let mut input = BufReader::new(input);
        let mut first = true;
        loop {
            while waiting.load(Ordering::Relaxed) > MOST_WAITING_BYTES {
                std::thread::sleep(Duration::from_millis(1));
            }
            let mut line = Vec::new();
            let raw = match (&mut input).take(limit).read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) if line.ends_with(b"\n") || (line.len() as u64) < limit => {
                    if std::mem::take(&mut first) && line.starts_with(b"\xef\xbb\xbf") {
                        line.drain(..3);
                    }
                    if line.trim_ascii().is_empty() {
                        continue;
                    }
                    waiting.fetch_add(line.len(), Ordering::Relaxed);
                    RawLine::Line(line)
                }
                Ok(_) => match skip_line(&mut input) {
                    Ok(()) => RawLine::TooLong(format!(
                        "the line is over the limit of {limit} bytes; raise it with --max-mib"
                    )),
                    Err(error) => RawLine::Broken(error),
                },
                Err(error) => RawLine::Broken(error),
            };
            let is_broken = matches!(raw, RawLine::Broken(_));
            if sender.send(raw).is_err() || is_broken {
                return;
            }
        }
    });
    receiver
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (end, used) = match memchr::memchr(b'\n', buffer) {
            Some(at) => (true, at + 1),
            None => (false, buffer.len()),
        };
        input.consume(used);
        if end {
            return Ok(());
        }
    }
}

/// Answers the lines that are ready, in parallel, and writes them in order.
fn answer(
    batch: &Batch<'_>,
    ready: &mut Vec<RawLine>,
    waiting: &AtomicUsize,
    environment: &mut Environment,
) -> anyhow::Result<()> {
    let interrupted = &environment.interrupted;
    let lines: Vec<Option<Vec<u8>>> = ready
        .par_drain(..)
        .map(|line| {
            let stopped = || interrupted.load(Ordering::SeqCst);
            if stopped() {
                return None;
            }
            let output = batch.line(&line, &stopped);
            if let RawLine::Line(line) = line {
                waiting.fetch_sub(line.len(), Ordering::Relaxed);
            }
            output
        })
        .collect();
    // After Ctrl-C, what was finished before it is still written, up to the first line that was not.
    for line in lines {
        match line {
            Some(line) => environment.output.write_all(&line)?,
            None => break,
        }
    }
    Ok(())
}

/// What is wrong with a line, with the key that it is wrong in.
fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> anyhow::Error {
    let (path, inner) = (error.path().to_string(), error.inner());
    if !inner.is_data() {
        anyhow::anyhow!("the line is not JSON: {inner}")
    } else if path == "." {
        anyhow::anyhow!("{inner}; see ask batch --help for what a line holds")
    } else {
        anyhow::anyhow!("{path}: {inner}; see ask batch --help for what a line holds")
    }
}

struct Batch<'a> {
    reader: &'a Reader,
    plan: &'a Plan,
    directory: PathBuf,
    cache: Mutex<Cache>,
}

impl Batch<'_> {
    /// The output for a line of input; `None` when it was stopped.
    fn line(&self, line: &RawLine, stopped: &impl Fn() -> bool) -> Option<Vec<u8>> {
        let started = Instant::now();
        let (line, problem) = match line {
            RawLine::Line(line) => (line.trim_ascii(), None),
            RawLine::TooLong(reason) => (&b""[..], Some(reason.clone())),
            RawLine::Broken(error) => (&b""[..], Some(broken(error))),
        };
        let id = serde_json::from_slice::<Id<'_>>(line).ok().and_then(|l| l.id);
        let output = match problem {
            Some(reason) => Err(anyhow::anyhow!(reason)),
            None => self.answer(id, line, started, stopped),
        };
        match output {
            Ok(line) => Some(line),
            Err(error) if matches!(error.downcast_ref(), Some(Error::Interrupted)) => None,
            Err(error) => json::line(&ErrorLine {
                id,
                error: &format!("{error:#}"),
            })
            .ok(),
        }
    }

    fn answer(
        &self,
        id: Option<&RawValue>,
        line: &[u8],
        started: Instant,
        stopped: &impl Fn() -> bool,
    ) -> anyhow::Result<Vec<u8>> {
        if !line.starts_with(b"{") {
            serde_json::from_slice::<serde::de::IgnoredAny>(line)
                .map_err(|e| anyhow::anyhow!("the line is not JSON: {e}"))?;
            bail!("the line is not an object; see ask batch --help for what a line holds");
        }
        let request: Request =
            serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(line))
                .map_err(|error| describe(&error))?;
        // The deserializer stops after the object; what follows it on the line would go unseen.
        serde_json::from_slice::<serde::de::IgnoredAny>(line)
            .map_err(|e| anyhow::anyhow!("the line is not JSON: {e}"))?;
        let options = self.options(&request)?;
        self.reader.question(&request.question)?;
        let loaded = self.documents(&request)?;
        let documents: Vec<&Document> = loaded.documents.iter().collect();
        let answers = self
            .reader
            .ask_with_progress(&request.question, &documents, &options, |_| !stopped())?;
        Ok(json::line(&Line {
            id: Some(id),
            question: &request.question,
            answers: &answers,
            unread: &loaded.unread,
            skipped: loaded.excluded,
            model: self.reader.model_name(),
            elapsed_ms: super::ask::milliseconds(started),
        })?)
    }

    fn options(&self, request: &Request) -> anyhow::Result<AskOptions> {
        let defaults = &self.plan.options;
        Ok(AskOptions {
            top: plan::checked_top(request.top.unwrap_or(defaults.top), "top")?,
            min_confidence: plan::checked_probability(
                request.min_confidence.unwrap_or(defaults.min_confidence),
                "min_confidence",
            )?,
            always_answer: request.always_answer.unwrap_or(defaults.always_answer),
        })
    }

    fn documents(&self, request: &Request) -> anyhow::Result<Arc<Loaded>> {
        let paths = match (&request.context, &request.docs, &self.plan.source) {
            (Some(_), Some(_), _) => bail!("the line has both context and docs; keep one of them"),
            (Some(context), None, _) => {
                let limit = self.plan.read.max_bytes;
                if context.len() as u64 > limit {
                    bail!(Error::DocumentTooLarge {
                        name: "context".to_owned(),
                        limit_mib: limit >> 20
                    });
                }
                let document = Document::new("context", context.as_str(), Format::Plain)
                    .map_err(|_| anyhow::anyhow!("the context holds no text"))?;
                return Ok(Arc::new(Loaded {
                    documents: vec![document],
                    ..Loaded::default()
                }));
            }
            (None, Some(docs), _) => docs.iter().map(|path| self.directory.join(path)).collect(),
            (None, None, Source::Paths(paths)) => paths.clone(),
            (None, None, _) => bail!("the line has neither context nor docs, and --docs names none"),
        };
        if paths.is_empty() {
            bail!("docs is empty; name a file or folder, or give the text as context");
        }
        // Held while reading: lines that name the same documents wait instead of reading them again.
        let mut cache = self
            .cache
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        cache.get(paths, &self.plan.read)
    }
}

/// The sets of documents that were read last.
#[derive(Debug, Default)]
struct Cache {
    sets: VecDeque<(Vec<PathBuf>, Arc<Loaded>)>,
}

impl Cache {
    fn get(&mut self, paths: Vec<PathBuf>, options: &ReadOptions) -> anyhow::Result<Arc<Loaded>> {
        if let Some((_, loaded)) = self.sets.iter().find(|(known, _)| *known == paths) {
            return Ok(Arc::clone(loaded));
        }
        let loaded = Arc::new(documents::load_paths(&paths, options)?);
        self.sets.push_back((paths, Arc::clone(&loaded)));
        let bytes = |set: &(Vec<PathBuf>, Arc<Loaded>)| -> usize {
            set.1.documents.iter().map(|d| d.source().len()).sum()
        };
        while self.sets.len() > MOST_SETS
            || (self.sets.len() > 1 && self.sets.iter().map(bytes).sum::<usize>() > MOST_CACHED_BYTES)
        {
            self.sets.pop_front();
        }
        Ok(loaded)
    }
}
