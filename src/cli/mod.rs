//! The command line. The only part of the crate that prints.
//!
//! [`args`] is what was typed, [`plan`] what it means once it is checked against `ask.toml` and the file
//! system, and each command has a file of its own.

mod abstractive;
pub mod args;
mod ask;
mod batch;
mod config;
mod documents;
pub mod eval;
mod json;
pub mod models;
pub mod plan;
mod progress;
mod render;
mod session;
mod summarize;
mod text;
mod version;

use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser};

use crate::engine::{self, Generator};
use crate::error::{Error, Result};
use crate::reader::Reader;
use args::{Args, Command, Style};
use plan::Plan;
use render::Printer;

/// Exit code: the documents answer, or the command did what it was asked to.
pub const ANSWERED: u8 = 0;
/// Exit code: the documents do not answer.
pub const NOT_IN_DOCUMENT: u8 = 1;
/// Exit code: something went wrong.
pub const ERROR: u8 = 2;
/// Exit code: stopped by Ctrl-C, as shells have it (128 + SIGINT).
pub const INTERRUPTED: u8 = 130;
/// Exit code: whoever read the output of a stream went away before its end, as shells have it (128 + SIGPIPE).
pub const READER_GONE: u8 = 141;

/// Standard input, as far as it is meant for the program.
pub enum Input {
    /// A person's keyboard.
    Terminal,
    /// A pipe or a file.
    Stream(Box<dyn Read + Send>),
    /// Nothing to read from: a device, or closed.
    Nothing,
}

/// Everything that the program takes from the process around it, so that tests can put in their own.
pub struct Environment {
    /// Standard input.
    pub input: Input,
    /// Standard output.
    pub output: Box<dyn Write>,
    /// Standard error.
    pub error: Box<dyn Write>,
    /// Whether standard output is a terminal.
    pub output_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub error_is_terminal: bool,
    /// Whether colour is welcome on a terminal (`NO_COLOR`, `TERM`).
    pub colour: bool,
    /// The folder that relative paths start from.
    pub directory: PathBuf,
    /// Where the user's own `ask.toml` would be.
    pub user_configuration: Option<PathBuf>,
    /// Loads a model directory, or the embedded model, for an engine.
    pub load: fn(Option<&Path>, engine::Choice) -> Result<Reader>,
    /// Loads a model that writes.
    pub load_generator: fn(&Path, engine::Device) -> Result<Box<dyn Generator>>,
    /// A variable of the environment: where models are kept, and how the hub is reached.
    pub variable: fn(&str) -> Option<OsString>,
    /// Set when the user asks to stop.
    pub interrupted: Arc<AtomicBool>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        // The first Ctrl-C lets the line under way be finished, the second ends at once.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(INTERRUPTED.into());
            }
        });
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            input: process_input(),
            output: Box::new(std::io::stdout()),
            error: Box::new(std::io::stderr()),
            output_is_terminal: std::io::stdout().is_terminal(),
            error_is_terminal: std::io::stderr().is_terminal(),
            colour: !dumb && !no_colour,
            directory: PathBuf::new(),
            user_configuration: config::user_file(),
            load: Reader::load,
            load_generator: engine::generator,
            variable: |name| std::env::var_os(name),
            interrupted,
        }
    }

    /// Tells something on standard error. That it cannot be told is no reason to keep an answer back.
    fn tell(&mut self, message: &str) {
        let _ = writeln!(self.error, "ask: {}", render::harmless(message));
    }

    /// Prints a result. Its exit code holds whether anybody reads on to its end or not.
    fn print(&mut self, result: &[u8]) -> std::io::Result<()> {
        match self.output.write_all(result).and_then(|()| self.output.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed.map_err(|error| {
                let message = format!("the output cannot be written: {error}");
                std::io::Error::new(error.kind(), message)
            }),
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}

/// A pipe, a socket or a regular file is input; `/dev/null` and other devices are not.
fn process_input() -> Input {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Input::Terminal;
    }
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        use std::os::unix::fs::FileTypeExt;
        let kind = stdin
            .as_fd()
            .try_clone_to_owned()
            .and_then(|fd| std::fs::File::from(fd).metadata())
            .map(|metadata| metadata.file_type());
        if !kind.is_ok_and(|kind| kind.is_fifo() || kind.is_file() || kind.is_socket()) {
            return Input::Nothing;
        }
    }
    Input::Stream(Box::new(stdin))
}

/// Runs the program: parses, does, reports. Returns the exit code.
pub fn main<I>(arguments: I, environment: &mut Environment) -> u8
where
    I: IntoIterator<Item = OsString>,
{
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let args = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error) => match misplaced_command(&error, &arguments) {
            Some(error) => {
                environment.tell(&error.to_string());
                return ERROR;
            }
            None => return usage(&error, environment),
        },
    };
    match run(&args, &arguments, environment) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ANSWERED,
        Err(error) if matches!(error.downcast_ref(), Some(Error::Interrupted)) => INTERRUPTED,
        Err(error) => {
            environment.tell(&format!("{error:#}"));
            ERROR
        }
    }
}

fn run(args: &Args, arguments: &[OsString], environment: &mut Environment) -> anyhow::Result<u8> {
    if args.version {
        return version::run(args.verbose, environment);
    }
    match &args.command {
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "ask", &mut script);
            environment.print(&script)?;
            return Ok(ANSWERED);
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            render::man_page(&mut page)?;
            environment.print(&page)?;
            return Ok(ANSWERED);
        }
        Some(Command::Batch(batch)) => {
            let plan = Plan::of_batch(batch, environment)?;
            return match with_threads(plan.threads, || batch::run(batch, &plan, environment)) {
                Err(error) if is_broken_pipe(&error) => Ok(READER_GONE),
                code => code,
            };
        }
        Some(Command::Summarize(summarize)) => {
            let plan = Plan::of_summarize(summarize, environment)?;
            return with_threads(plan.threads, || match summarize.summary.style {
                Some(Style::Abstractive) => abstractive::run(summarize, &plan, environment),
                Some(Style::Extractive) | None => summarize::run(summarize, &plan, environment),
            });
        }
        Some(Command::Text(text)) => {
            let plan = Plan::of_text(text, environment)?;
            return with_threads(plan.threads, || text::run(&plan, text.clean, environment));
        }
        Some(Command::Eval(eval)) => {
            let plan = Plan::of_eval(eval, environment)?;
            return with_threads(plan.threads, || eval::run(eval, &plan, environment));
        }
        Some(Command::Models(models)) => return models::run(&models.command, environment),
        None => {}
    }
    let escaped = arguments.iter().any(|a| a == "--");
    let plan = Plan::of_ask(&args.ask, escaped, environment)?;
    let question = args.ask.question.as_deref();
    match question {
        Some(question) => with_threads(plan.threads, || ask::run(question, plan, environment)),
        None => with_threads(plan.threads, || session::run(plan, environment)),
    }
}

/// Runs `work` where rayon uses this many threads.
fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    // The pool serves the work's parallel loops through the global pool: the work itself prints and reads
    // the terminal, so it stays on this thread. A second call (tests) finds the pool already built, and
    // results do not depend on its size.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global();
    work()
}

/// `ask -q summarize a.txt --bullets`: the option is unknown only because its command does not come first.
fn misplaced_command(error: &clap::Error, arguments: &[OsString]) -> Option<anyhow::Error> {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let is_option = |argument: &OsString| {
        let argument = argument.to_str().unwrap_or_default();
        argument.split('=').next() == Some(option)
    };
    let before = &arguments[..arguments.iter().position(is_option)?];
    let question = Args::try_parse_from(before).ok()?.ask.question?;
    plan::refuse_command(question.trim()).err()
}

fn usage(error: &clap::Error, environment: &mut Environment) -> u8 {
    if error.use_stderr() {
        // The message repeats what was typed: one line at a time, so that clap's own line feeds stay.
        for line in error.render().to_string().lines() {
            let _ = writeln!(environment.error, "{}", render::harmless(line));
        }
        return ERROR;
    }
    let text = if environment.colour && environment.output_is_terminal {
        error.render().ansi().to_string()
    } else {
        error.render().to_string()
    };
    match environment.print(text.as_bytes()) {
        Ok(()) => ANSWERED,
        Err(error) => {
            environment.tell(&error.to_string());
            ERROR
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
