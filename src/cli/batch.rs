//! Many questions: JSON Lines in, JSON Lines out.
//!
//! A thread reads lines; what is ready is answered in parallel and written in order, each answer as soon as those
//! before it are written. So a caller that writes one line and waits gets its answer, and a file
//! of a million lines keeps all cores busy. The parallel part takes no lock: a rayon thread that waits may
//! start another line.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::args::{BatchArgs, Style, SummaryArgs};
use super::documents::{self, Loaded};
use super::json::{self, ErrorLine, Line, SummaryLine};
use super::plan::{self, Answering, Plan, Source};
use super::progress::Counter;
use super::{ANSWERED, Environment, Input};
use crate::document::{Document, Format, read};
use crate::error::Error;
use crate::harmless::shortened;
use crate::reader::{AskOptions, Reader};

/// Lines that are answered together.
const MOST_LINES: usize = 64;
/// Source bytes of the documents that lines answered together may name, in all.
const MOST_DOCUMENT_BYTES: usize = 512 << 20;
/// How often Ctrl-C is looked for while waiting.
const PATIENCE: Duration = Duration::from_millis(100);

/// A line of input. What is no key of it is refused by [`refuse_unknown_keys`].
#[derive(Debug, Deserialize)]
struct Request {
    /// Read by [`Id`]; here so that one given twice is refused as every other key is.
    #[serde(rename = "id")]
    _id: Option<serde::de::IgnoredAny>,
    question: Option<String>,
    summarize: Option<SummaryArgs>,
    context: Option<String>,
    docs: Option<Vec<PathBuf>>,
    top: Option<usize>,
    min_confidence: Option<f64>,
    always_answer: Option<bool>,
    skim: Option<bool>,
}

/// The keys of a line, and of its summary: the names in [`Request`] and [`SummaryArgs`].
const KEYS: [&str; 9] = [
    "id",
    "question",
    "summarize",
    "context",
    "docs",
    "top",
    "min_confidence",
    "always_answer",
    "skim",
];
const SUMMARY_KEYS: [&str; 8] = [
    "sentences",
    "words",
    "share",
    "style",
    "strict",
    "method",
    "focus",
    "together",
];

/// What comes from the thread that reads.
enum RawLine {
    /// A line as it came.
    Line(Vec<u8>),
    /// A line that was too long to keep.
    TooLong(String),
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
    if !args.docs.is_empty()
        && let Source::Paths(paths) = &plan.source
    {
        read::find(paths, &plan.read).context("--docs")?;
    }
    let input = open(args, environment)?;
    let reader = plan.load(environment)?;
    let batch = Batch {
        reader: &reader,
        plan,
        directory: environment.directory.clone(),
    };
    // Six times a context of the largest size: JSON may write a byte as `\u0001`.
    let limit = plan.read.max_bytes.saturating_mul(6).saturating_add(1 << 20);
    let waiting = Arc::new(AtomicUsize::new(0));
    let lines = read_lines(input, limit, Arc::clone(&waiting));
    let mut ready: Vec<RawLine> = Vec::new();
    let mut counter =
        Counter::new(!plan.quiet && environment.error_is_terminal && !environment.output_is_terminal);
    loop {
        match lines.try_recv() {
            Ok(Ok(line)) => ready.push(line),
            Ok(Err(error)) => {
                answer(&batch, &mut ready, &waiting, &mut counter, environment)?;
                environment.output.flush()?;
                bail!(broken(&error));
            }
            Err(TryRecvError::Disconnected) if ready.is_empty() => break,
            Err(_) if !ready.is_empty() => answer(&batch, &mut ready, &waiting, &mut counter, environment)?,
            Err(_) => {
                environment.output.flush()?;
                // Waits for the next line, but not so long that Ctrl-C goes unheard.
                match lines.recv_timeout(PATIENCE) {
                    Ok(Ok(line)) => ready.push(line),
                    Ok(Err(error)) => bail!(broken(&error)),
                    Err(_) => {}
                }
            }
        }
        if ready.len() == MOST_LINES {
            answer(&batch, &mut ready, &waiting, &mut counter, environment)?;
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
/// wait for their answer. An error is the last thing that it sends.
fn read_lines(
    input: Box<dyn Read + Send>,
    limit: u64,
    waiting: Arc<AtomicUsize>,
) -> Receiver<std::io::Result<RawLine>> {
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
                    Ok(RawLine::Line(line))
                }
                Ok(_) => skip_line(&mut input).map(|()| {
                    RawLine::TooLong(format!(
                        "the line is over the limit of {limit} bytes; raise it with --max-mib"
                    ))
                }),
                Err(error) => Err(error),
            };
            let is_broken = raw.is_err();
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
    counter: &mut Counter,
    environment: &mut Environment,
) -> anyhow::Result<()> {
    while !ready.is_empty() {
        // Documents are read before the lines are answered in parallel, each set once, and are forgotten
        // after it, so that a long stream sees files change.
        let mut sets = Sets::new();
        let mut bytes = 0;
        let mut lines = 0;
        while lines < ready.len() && (lines == 0 || bytes < MOST_DOCUMENT_BYTES) {
            bytes += batch.load(&ready[lines], &mut sets);
            lines += 1;
        }
        let group: Vec<RawLine> = ready.drain(..lines).collect();
        answer_group(batch, group, &sets, waiting, environment)?;
        counter.add(lines);
    }
    Ok(())
}

fn answer_group(
    batch: &Batch<'_>,
    group: Vec<RawLine>,
    sets: &Sets,
    waiting: &AtomicUsize,
    environment: &mut Environment,
) -> anyhow::Result<()> {
    let Environment {
        interrupted, output, ..
    } = environment;
    let interrupted: &AtomicBool = interrupted;
    let is_read = AtomicBool::new(true);
    let stopped = || interrupted.load(Ordering::SeqCst) || !is_read.load(Ordering::SeqCst);
    let (sender, finished) = channel();
    rayon::in_place_scope_fifo(|scope| {
        for (number, line) in group.into_iter().enumerate() {
            let (sender, stopped) = (sender.clone(), &stopped);
            scope.spawn_fifo(move |_| {
                let answer = if stopped() {
                    None
                } else {
                    batch.line(&line, sets, stopped)
                };
                if let RawLine::Line(line) = line {
                    waiting.fetch_sub(line.len(), Ordering::Relaxed);
                }
                // Nobody waits for it where the one before could not be written.
                let _ = sender.send((number, answer));
            });
        }
        drop(sender);
        let written = write_in_order(&finished, output);
        is_read.store(written.is_ok(), Ordering::SeqCst);
        Ok(written?)
    })
}

/// Writes answers as soon as those before them are written. After Ctrl-C, what was finished before it is still written, up to
/// the first line that was not.
fn write_in_order(
    finished: &Receiver<(usize, Option<Vec<u8>>)>,
    output: &mut dyn Write,
) -> std::io::Result<()> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (number, answer) in finished {
        early.insert(number, answer);
        let before = next;
        while let Some(answer) = early.remove(&next) {
            let Some(line) = answer else { return Ok(()) };
            output.write_all(&line)?;
            next += 1;
        }
        if next > before {
            output.flush()?;
        }
    }
    Ok(())
}

/// What is wrong with a line, with the key that it is wrong in. What was written there is not repeated: it may be
/// a document.
fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> anyhow::Error {
    let (path, inner) = (error.path().to_string(), error.inner());
    if !inner.is_data() {
        return not_json(inner);
    }
    let wrong = match inner.to_string() {
        message if message.starts_with("duplicate field") => {
            let key = message.split('`').nth(1).unwrap_or(&path);
            return anyhow::anyhow!("{key}: is given twice; keep one of them");
        }
        message => expected(&path).map_or(message, |what| format!("has to be {what}")),
    };
    anyhow::anyhow!("{path}: {wrong}; see ask batch --help for what a line holds")
}

fn not_json(error: &serde_json::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "the line is not JSON: {error}; lines are questions, documents are named behind --docs: see ask batch --help"
    )
}

/// What the value of a key is, in words.
fn expected(path: &str) -> Option<&'static str> {
    Some(match path {
        "question" | "context" | "summarize.focus" => "text in quotes",
        "summarize" => "an object like {\"sentences\": 3}",
        "top" | "summarize.sentences" | "summarize.words" => "a whole number",
        "min_confidence" => "a number from 0 to 1",
        "always_answer" | "skim" | "summarize.strict" | "summarize.together" => "true or false",
        "summarize.share" => "a share like 0.1 or a percentage like \"10%\"",
        "summarize.style" => "\"extractive\"",
        "summarize.method" => "\"transformer\", \"textrank\" or \"lead\"",
        _ if path.starts_with("docs") => "a list of paths like [\"contracts/\", \"note.txt\"]",
        _ => return None,
    })
}

/// Refuses a key that a line does not have: a setting that is spelt wrong would have no effect.
fn refuse_unknown_keys(line: &[u8]) -> anyhow::Result<()> {
    let object: BTreeMap<String, &RawValue> = serde_json::from_slice(line).map_err(|e| not_json(&e))?;
    known(object.keys(), &KEYS, "", "a line")?;
    let Some(summary) = object.get("summarize").map(|value| value.get()) else {
        return Ok(());
    };
    if summary.starts_with('[') {
        bail!(
            "summarize: has to be {}",
            expected("summarize").unwrap_or_default()
        );
    }
    let object: Option<BTreeMap<String, serde::de::IgnoredAny>> = serde_json::from_str(summary)?;
    let keys = object.iter().flat_map(BTreeMap::keys);
    known(keys, &SUMMARY_KEYS, "summarize.", "summarize")?;
    Ok(())
}

fn known<'a>(
    mut keys: impl Iterator<Item = &'a String>,
    all: &[&'static str],
    prefix: &str,
    what: &str,
) -> anyhow::Result<()> {
    let Some(key) = keys.find(|key| !all.contains(&key.as_str())) else {
        return Ok(());
    };
    let remedy = match plan::nearest(&key.to_lowercase(), all.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("its keys are {}", all.join(", ")),
    };
    bail!("{prefix}{}: is not a key of {what}; {remedy}", shortened(key))
}

/// Refuses on a line that asks for a summary what would have no effect there.
fn refuse_keys_of_questions(request: &Request) -> anyhow::Result<()> {
    let given = [
        ("top", request.top.is_some()),
        ("min_confidence", request.min_confidence.is_some()),
        ("always_answer", request.always_answer.is_some()),
        ("skim", request.skim.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((key, _)) => bail!("{key}: is for questions, and the line asks for a summary; leave it out"),
        None => Ok(()),
    }
}

/// The documents that lines name, or why they could not be read.
type Sets = HashMap<Vec<PathBuf>, Result<Arc<Loaded>, String>>;

struct Batch<'a> {
    reader: &'a Reader,
    plan: &'a Plan,
    directory: PathBuf,
}

impl Batch<'_> {
    /// The output for a line of input; `None` when it was stopped.
    fn line(&self, line: &RawLine, sets: &Sets, stopped: &impl Fn() -> bool) -> Option<Vec<u8>> {
        let started = Instant::now();
        let (line, problem) = match line {
            RawLine::Line(line) => (line.trim_ascii(), None),
            RawLine::TooLong(reason) => (&b""[..], Some(reason.clone())),
        };
        let id = serde_json::from_slice::<Id<'_>>(line)
            .ok()
            .filter(|_| line.starts_with(b"{"))
            .and_then(|l| l.id);
        let output = match problem {
            Some(reason) => Err(anyhow::anyhow!(reason)),
            None => self.answer(id, line, sets, started, stopped),
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
        sets: &Sets,
        started: Instant,
        stopped: &impl Fn() -> bool,
    ) -> anyhow::Result<Vec<u8>> {
        if !line.starts_with(b"{") {
            serde_json::from_slice::<serde::de::IgnoredAny>(line).map_err(|e| not_json(&e))?;
            bail!("the line is not an object; see ask batch --help for what a line holds");
        }
        let request: Request =
            serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(line))
                .map_err(|error| describe(&error))?;
        // Also sees what follows the object on the line, where the deserializer above stops.
        refuse_unknown_keys(line)?;
        match (&request.question, &request.summarize) {
            (Some(question), None) => self.question(id, question, &request, sets, started, stopped),
            (None, Some(args)) => self.summary(id, args, &request, sets, started, stopped),
            (None, None) => bail!(
                "the line has neither question nor summarize; see ask batch --help for what a line holds"
            ),
            (Some(_), Some(_)) => bail!("the line has both question and summarize; make two lines of it"),
        }
    }

    fn question(
        &self,
        id: Option<&RawValue>,
        question: &str,
        request: &Request,
        sets: &Sets,
        started: Instant,
        stopped: &impl Fn() -> bool,
    ) -> anyhow::Result<Vec<u8>> {
        let options = self.options(request)?;
        self.reader.question(question)?;
        let loaded = self.documents(request, sets)?;
        let documents: Vec<&Document> = loaded.documents.iter().collect();
        let answers = self
            .reader
            .ask_with_progress(question, &documents, &options, |_| !stopped())?;
        Ok(json::line(&Line {
            id: Some(id),
            question,
            answers: &answers,
            sources: loaded.sources(),
            model: self.reader.model_name(),
            elapsed_ms: super::ask::milliseconds(started),
        })?)
    }

    fn summary(
        &self,
        id: Option<&RawValue>,
        args: &SummaryArgs,
        request: &Request,
        sets: &Sets,
        started: Instant,
        stopped: &impl Fn() -> bool,
    ) -> anyhow::Result<Vec<u8>> {
        if args.style == Some(Style::Abstractive) {
            bail!(
                "summarize.style: abstractive summaries are not written by ask batch, whose model is a reader; use ask summarize --style abstractive --json"
            );
        }
        refuse_keys_of_questions(request)?;
        let options = plan::summary_options(args, |key| format!("summarize.{key}"))?;
        let loaded = self.documents(request, sets)?;
        let documents = loaded.to_summarise()?;
        let summary = self.reader.summarize(&documents, &options, |_| !stopped())?;
        let uses_model = options.method.without_model().is_none();
        let line = SummaryLine {
            id: Some(id),
            documents: &summary.documents,
            sources: loaded.sources(),
            method: options.method,
            model: uses_model.then(|| self.reader.model_name()),
            elapsed_ms: super::ask::milliseconds(started),
        };
        Ok(match (&summary.documents[..], &request.context) {
            ([only], Some(_)) => json::line(&line.of_context(only))?,
            _ => json::line(&line)?,
        })
    }

    fn options(&self, request: &Request) -> anyhow::Result<AskOptions> {
        let defaults = &self.plan.options;
        let answering = Answering {
            min_confidence: defaults.min_confidence,
            always_answer: defaults.always_answer,
        };
        let Answering {
            min_confidence,
            always_answer,
        } = answering.or(
            request.min_confidence,
            request.always_answer,
            ["min_confidence", "always_answer"],
        )?;
        Ok(AskOptions {
            top: plan::checked_top(request.top.unwrap_or(defaults.top), "top")?,
            min_confidence,
            always_answer,
            skim: request.skim.unwrap_or(defaults.skim),
        })
    }

    fn documents(&self, request: &Request, sets: &Sets) -> anyhow::Result<Arc<Loaded>> {
        if let (Some(context), None) = (&request.context, &request.docs) {
            let limit = self.plan.read.max_bytes;
            if context.len() as u64 > limit {
                bail!(Error::too_large("context", limit));
            }
            let document = Document::new("context", context.as_str(), Format::Plain)
                .map_err(|_| anyhow::anyhow!("the context holds no text"))?;
            return Ok(Arc::new(Loaded {
                documents: vec![document],
                ..Loaded::default()
            }));
        }
        let paths = self.paths(request.context.is_some(), request.docs.as_deref())?;
        match sets.get(&paths) {
            Some(Ok(loaded)) => Ok(Arc::clone(loaded)),
            Some(Err(reason)) => match (&request.docs, &self.plan.source) {
                (None, Source::Configured(configured)) => bail!("{}: {reason}", configured.key),
                _ => bail!("{reason}"),
            },
            None => bail!("the documents were not read"),
        }
    }

    /// The paths of a line that has no context.
    fn paths(&self, has_context: bool, docs: Option<&[PathBuf]>) -> anyhow::Result<Vec<PathBuf>> {
        match (has_context, docs, &self.plan.source) {
            (true, Some(_), _) => bail!("the line has both context and docs; keep one of them"),
            (_, Some([]), _) => bail!("docs is empty; name a file or folder, or give the text as context"),
            (_, Some(docs), _) if docs.iter().any(|path| plan::is_dash(path)) => {
                bail!(
                    "docs: \"-\" stands for standard input, which carries the questions; name files or give the text as context"
                )
            }
            (_, Some(docs), _) => Ok(docs.iter().map(|path| self.directory.join(path)).collect()),
            (_, None, Source::Paths(paths)) => Ok(paths.clone()),
            (_, None, Source::Configured(configured)) => Ok(configured.docs.clone()),
            (_, None, _) => bail!("the line has neither context nor docs, and --docs names none"),
        }
    }

    /// Reads the documents that a line names, unless another line named the same. Returns their bytes.
    fn load(&self, line: &RawLine, sets: &mut Sets) -> usize {
        /// The keys that say what to read; what is wrong with a line is told when it is answered.
        #[derive(Deserialize)]
        struct Named {
            context: Option<serde::de::IgnoredAny>,
            docs: Option<Vec<PathBuf>>,
        }
        let RawLine::Line(line) = line else { return 0 };
        let Ok(named) = serde_json::from_slice::<Named>(line) else {
            return 0;
        };
        if named.context.is_some() {
            return 0;
        }
        let Ok(paths) = self.paths(false, named.docs.as_deref()) else {
            return 0;
        };
        if sets.contains_key(&paths) {
            return 0;
        }
        let loaded = documents::load_paths(&paths, &self.plan.read);
        let bytes = loaded
            .as_ref()
            .map_or(0, |l| l.documents.iter().map(|d| d.source().len()).sum());
        sets.insert(paths, loaded.map(Arc::new).map_err(|e| format!("{e:#}")));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Args;

    use super::*;

    #[test]
    fn the_keys_of_a_summary_are_the_options_of_ask_summarize() {
        let command = SummaryArgs::augment_args(clap::Command::new("ask"));
        let options: BTreeSet<&str> = command.get_arguments().map(|a| a.get_id().as_str()).collect();
        assert_eq!(options, BTreeSet::from(SUMMARY_KEYS));
        for key in SUMMARY_KEYS {
            assert!(expected(&format!("summarize.{key}")).is_some(), "{key}");
        }
    }

    #[test]
    fn every_key_of_a_line_is_read() {
        for key in KEYS.into_iter().filter(|&key| key != "id") {
            let line = format!("{{\"{key}\": [[7]]}}");
            let read: Result<Request, _> =
                serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(&line));
            let path = read.unwrap_err().path().to_string();
            assert!(path.starts_with(key), "{key} {path}");
            assert!(expected(key).is_some(), "{key}");
        }
    }
}
