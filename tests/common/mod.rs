//! What the tests of the command line and of the built program share.
#![allow(dead_code)] // each test crate uses a part of it

use std::cell::RefCell;
use std::fmt;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use quotable::cli::{self, Environment, Input};
use quotable::engine::scripted::{Scripted, ScriptedGenerator};
use quotable::engine::{Choice, Device, Generator};
use quotable::model::{Calibration, Limits, Logistic, Model};
use quotable::{Error, Reader, Result};
use serde_json::Value;
use tempfile::TempDir;

/// A folder for a test, gone when it is dropped.
pub fn temporary_folder() -> TempDir {
    // Not tempfile's own prefix, a dot: hidden folders are a matter of their own.
    let folder = tempfile::Builder::new().prefix("ask-test-").tempdir();
    folder.expect("a temporary folder")
}

/// Writes a file, and the folders above it.
pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the file");
    fs::write(path, content).expect("a file");
}

/// What a run of the program left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl fmt::Display for Outcome {
    /// As a snapshot: probabilities and times are not shown, for models and machines differ.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit code {}", self.code)?;
        if !self.out.is_empty() {
            write!(f, "--- output\n{}", without_numbers(&self.out))?;
        }
        if !self.err.is_empty() {
            write!(f, "--- error\n{}", without_numbers(&self.err))?;
        }
        Ok(())
    }
}

impl Outcome {
    /// The only line of output, as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let lines = self.json_lines();
        assert_eq!(lines.len(), 1, "one line was expected: {self:?}");
        lines.into_iter().next().unwrap()
    }

    /// All lines of output, as JSON.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        assert!(
            self.out.is_empty() || self.out.ends_with('\n'),
            "half a line: {self:?}"
        );
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(parse).collect()
    }

    /// The message of a run that failed as it should: exit code 2, nothing on standard output, one line on
    /// standard error, harmless to a terminal.
    #[track_caller]
    pub fn failure(&self) -> &str {
        assert_eq!(self.code, 2, "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        let line = self.err.strip_suffix('\n');
        let line = line.unwrap_or_else(|| panic!("the line has no end: {self:?}"));
        assert!(!line.contains('\n'), "more than one line: {self:?}");
        assert!(!line.contains("panicked"), "{self:?}");
        assert_harmless(line);
        let message = line.strip_prefix("ask: ");
        message.unwrap_or_else(|| panic!("the line does not say who speaks: {self:?}"))
    }

    /// As [`Self::failure`], and the message holds each of `parts`: the thing and the remedy.
    #[track_caller]
    pub fn fails_with(&self, parts: &[&str]) {
        let message = self.failure();
        for part in parts {
            assert!(message.contains(part), "expected {part:?} in: {message}");
        }
    }
}

/// Fails when `text` could steer a terminal.
#[track_caller]
pub fn assert_harmless(text: &str) {
    let steers = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let found = text.find(steers);
    assert!(found.is_none(), "steers a terminal at byte {found:?}: {text:?}");
}

/// `(93 %)` becomes `(… %)`, `"confidence":0.93` becomes `"confidence":…`.
fn without_numbers(text: &str) -> String {
    let mut text = text.to_owned();
    for key in ["not_in_document", "evidence", "confidence", "score", "elapsed_ms"] {
        let key = format!("\"{key}\":");
        let mut parts = text.split(&key);
        let mut blanked = parts.next().unwrap_or("").to_owned();
        for part in parts {
            let end = part.find([',', '}']).unwrap_or(part.len());
            blanked += &format!("{key}…{}", &part[end..]);
        }
        text = blanked;
    }
    let mut parts = text.split('(');
    let mut blanked = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let after = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_percent = after.len() < part.len() && after.starts_with(" %");
        blanked += "(";
        blanked += &if is_percent {
            format!("…{after}")
        } else {
            part.to_owned()
        };
    }
    blanked
}

thread_local! {
    /// What the scripted engine of this thread's test finds: words, and the logit of their start and end.
    static SCRIPT: RefCell<Vec<(String, f32)>> = const { RefCell::new(Vec::new()) };
}

/// Loads the scripted engine instead of the built-in model; a model folder as the program does.
fn load(directory: Option<&Path>, engine: Choice) -> Result<Reader> {
    if directory.is_some() || engine != Choice::default() {
        return Reader::load(directory, engine);
    }
    let mut model = Model::embedded()?;
    // Everything that may change with better weights is set: only the vocabulary is the model's.
    model.manifest.name = "scripted".to_owned();
    model.manifest.limits = Limits::default();
    let logistic = |score| Logistic {
        score,
        evidence: 0.0,
        ln_windows: 0.0,
        bias: 0.0,
    };
    model.manifest.calibration = Some(Calibration {
        threshold: 0.5,
        not_in_document: logistic(-1.0),
        confidence: logistic(1.0),
    });
    let ids = |words: &str| model.tokenizer.tokens(words).iter().map(|t| t.id).collect();
    let script =
        SCRIPT.with_borrow(|script| script.iter().map(|(words, logit)| (ids(words), *logit)).collect());
    Reader::with_engine(model, Box::new(Scripted::new(script)))
}

/// A generator that reads as many words as the folder's name ends with and writes what its file `script` says:
/// lines of a cue, a tab and words.
fn load_generator(directory: &Path, _: Device) -> Result<Box<dyn Generator>> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let words = name
        .rsplit('-')
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(100);
    let script = fs::read_to_string(directory.join("script")).map_err(|_| Error::ModelNotFound {
        model: directory.to_owned(),
    })?;
    let line = |line: &str| {
        let (cue, words) = line.split_once('\t').expect("a cue and words");
        (cue.to_owned(), words.to_owned())
    };
    Ok(Box::new(ScriptedGenerator::new(
        words,
        script.lines().map(line).collect(),
    )))
}

/// A stream in memory that can be read after it was given away.
#[derive(Clone, Default)]
struct Stream(Arc<Mutex<Vec<u8>>>);

impl Stream {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).expect("output is UTF-8")
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A folder with files, a script for the engine, and what a process would have around it.
pub struct Scene {
    folder: TempDir,
    directory: PathBuf,
    user_configuration: Option<PathBuf>,
    script: Vec<(String, f32)>,
    stdin: Option<Vec<u8>>,
    pub interrupted: bool,
    pub terminal: bool,
}

impl Scene {
    /// An empty folder, an engine that finds nothing, nothing on standard input.
    pub fn new() -> Self {
        let folder = temporary_folder();
        let directory = folder.path().to_owned();
        Self {
            folder,
            directory,
            user_configuration: None,
            script: Vec::new(),
            stdin: None,
            interrupted: false,
            terminal: false,
        }
    }

    /// A file of the folder.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        write(&self.path(path), content);
        self
    }

    /// The engine finds these words, with this logit for their start and for their end; 0 is as much as
    /// it gives to "not here".
    pub fn finds(mut self, words: &str, logit: f32) -> Self {
        self.script.push((words.to_owned(), logit));
        self
    }

    /// What comes through a pipe.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = Some(bytes.as_ref().to_owned());
        self
    }

    /// Lines of JSON that come through a pipe.
    pub fn lines<I: fmt::Display>(self, lines: impl IntoIterator<Item = I>) -> Self {
        let lines: String = lines.into_iter().map(|line| format!("{line}\n")).collect();
        self.stdin(lines)
    }

    /// The program starts in this folder below.
    pub fn starting_in(mut self, folder: &str) -> Self {
        self.directory = self.path(folder);
        fs::create_dir_all(&self.directory).expect("a folder");
        self
    }

    /// The user's own configuration is this file below.
    pub fn user_configuration(mut self, path: &str) -> Self {
        self.user_configuration = Some(self.path(path));
        self
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Runs `ask` with these arguments. Paths below the starting folder read as if the process were there.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let input = match &self.stdin {
            Some(bytes) => Input::Stream(Box::new(Cursor::new(bytes.clone()))),
            None if self.terminal => Input::Terminal,
            None => Input::Nothing,
        };
        self.run_with(arguments, input)
    }

    /// As [`Self::run`], with any stream for standard input.
    pub fn run_with_stream(&self, arguments: &[&str], stream: impl Read + Send + 'static) -> Outcome {
        self.run_with(arguments, Input::Stream(Box::new(stream)))
    }

    fn run_with(&self, arguments: &[&str], input: Input) -> Outcome {
        SCRIPT.set(self.script.clone());
        let (output, error) = (Stream::default(), Stream::default());
        let mut environment = Environment {
            input,
            output: Box::new(output.clone()),
            error: Box::new(error.clone()),
            output_is_terminal: self.terminal,
            error_is_terminal: false,
            colour: true,
            directory: self.directory.clone(),
            user_configuration: self.user_configuration.clone(),
            load,
            load_generator,
            // Not the store of whoever runs the tests.
            variable: |name| (name == "HF_HOME").then(|| "/no/such/folder".into()),
            interrupted: Arc::new(AtomicBool::new(self.interrupted)),
        };
        let arguments = std::iter::once("ask").chain(arguments.iter().copied());
        let code = cli::main(arguments.map(Into::into), &mut environment);
        let here = format!("{}/", self.directory.display());
        Outcome {
            code: code.into(),
            out: output.text().replace(&here, ""),
            err: error.text().replace(&here, ""),
        }
    }
}
