//! What is to be done: options from the command line and `ask.toml`, checked. No inference happens here.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::CommandFactory;

use super::args::{
    Args, Around, AskArgs, BatchArgs, Colour, CommonArgs, ReadingArgs, SummarizeArgs, SummaryArgs, TextArgs,
};
use super::config::{self, Chosen, Config, Configured};
use super::eval::args::EvalArgs;
use super::{Environment, Input, models};
use crate::document::read::ReadOptions;
use crate::engine::{self, Generator};
use crate::error::Error;
use crate::reader::{AskOptions, Reader};
use crate::summary::abstractive::AbstractiveOptions;
use crate::summary::{Length, Method, SummaryOptions};

/// What is to be done, and with which options.
#[derive(Debug)]
pub struct Plan {
    /// Where the documents come from.
    pub source: Source,
    /// What is asked of the reader.
    pub options: AskOptions,
    /// Nobody said how many answers: one, and its rival.
    pub rival: bool,
    /// What may be read.
    pub read: ReadOptions,
    /// What is shown around an answer.
    pub around: Around,
    /// One line of JSON instead of text.
    pub json: bool,
    /// The model's folder, or the embedded model.
    pub model: Option<PathBuf>,
    /// What reads with it.
    pub engine: engine::Choice,
    /// Which of these `ask.toml` chose.
    chosen: Chosen,
    /// Threads to work with.
    pub threads: usize,
    /// Whether to colour standard output.
    pub colour: bool,
    /// No notes, no progress.
    pub quiet: bool,
}

/// Where documents come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Paths that were typed.
    Paths(Vec<PathBuf>),
    /// Nothing was typed, and `ask.toml` names these.
    Configured(Configured),
    /// Paths that were typed, and standard input after so many of them.
    Among(Vec<PathBuf>, usize),
    /// Standard input, and what `ask.toml` names if there is nothing on it.
    Stream(Option<Configured>),
    /// Nothing was named.
    None,
}

impl Plan {
    /// Checks `ask [QUESTION] [PATH]…`.
    ///
    /// # Errors
    /// When an option is out of range, `ask.toml` is wrong, or the question looks like something else.
    pub fn of_ask(args: &AskArgs, escaped: bool, environment: &Environment) -> anyhow::Result<Self> {
        if let (Some(question), false) = (&args.question, escaped) {
            refuse_what_is_no_question(question, environment)?;
            refuse_forgotten_quotes(question, &args.paths, environment)?;
        }
        if args.json && args.question.is_none() {
            bail!(
                "--json without a question; write it in quotes: ask --json \"who leads negotiations?\", or put many as JSON Lines into ask batch"
            );
        }
        let config = config::find(environment)?.unwrap_or_default();
        let paths = args.paths.iter().chain(&args.docs);
        // A session's questions come from standard input.
        let may = args.question.is_some();
        let source = source(paths, may, "ask \"…\"", &config, environment)?;
        let mut plan = Self::new(&args.common, args.top, source, &config, environment)?;
        plan.around = args.context.or(config.context).unwrap_or(Around::Sentence);
        plan.json = args.json;
        Ok(plan)
    }

    /// Checks `ask batch [FILE]`.
    ///
    /// # Errors
    /// When an option is out of range or `ask.toml` is wrong.
    pub fn of_batch(args: &BatchArgs, environment: &Environment) -> anyhow::Result<Self> {
        if args.docs.iter().any(|path| is_dash(path)) {
            bail!("--docs -: standard input carries the questions of ask batch; name files or folders");
        }
        let config = config::find(environment)?.unwrap_or_default();
        let docs = args
            .docs
            .iter()
            .map(|path| environment.directory.join(path))
            .collect::<Vec<_>>();
        let source = if !docs.is_empty() {
            Source::Paths(docs)
        } else {
            config.documents().map_or(Source::None, Source::Configured)
        };
        Self::new(&args.common, args.top, source, &config, environment)
    }

    /// Checks `ask summarize [PATH]…`.
    ///
    /// # Errors
    /// When an option is out of range or `ask.toml` is wrong.
    pub fn of_summarize(args: &SummarizeArgs, environment: &Environment) -> anyhow::Result<Self> {
        let mut config = config::find(environment)?.unwrap_or_default();
        let paths = args.paths.iter().chain(&args.docs);
        let source = source(paths, true, "ask summarize", &config, environment)?;
        let mut common = CommonArgs {
            reading: args.reading.clone(),
            ..CommonArgs::default()
        };
        if args
            .summary
            .method
            .is_some_and(|method| method.without_model().is_some())
        {
            (config.model, common.reading.model) = (None, None);
        }
        let mut plan = Self::new(&common, None, source, &config, environment)?;
        plan.json = args.json;
        Ok(plan)
    }

    /// Checks `ask text [PATH]…`.
    ///
    /// # Errors
    /// When an option is out of range or `ask.toml` is wrong.
    pub fn of_text(args: &TextArgs, environment: &Environment) -> anyhow::Result<Self> {
        let mut config = config::find(environment)?.unwrap_or_default();
        config.model = None;
        let source = source(args.paths.iter(), true, "ask text", &config, environment)?;
        let common = CommonArgs {
            reading: ReadingArgs {
                files: args.files.clone(),
                quiet: args.quiet,
                ..ReadingArgs::default()
            },
            ..CommonArgs::default()
        };
        Self::new(&common, None, source, &config, environment)
    }

    /// Checks `ask eval [PATH]…`. `ask.toml` does not apply, so that figures compare.
    ///
    /// # Errors
    /// When an option is out of range.
    pub fn of_eval(args: &EvalArgs, environment: &Environment) -> anyhow::Result<Self> {
        Self::new(&args.common, None, Source::None, &Config::default(), environment)
    }

    fn new(
        args: &CommonArgs,
        top: Option<usize>,
        source: Source,
        config: &Config,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let of_config = Answering::default().or(
            config.min_confidence,
            config.always_answer,
            [&config.name("min-confidence"), &config.name("always-answer")],
        )?;
        let answering = of_config.or(
            args.min_confidence,
            args.always_answer,
            ["--min-confidence", "--always-answer"],
        )?;
        let options = AskOptions {
            top: match (top, config.top) {
                (Some(n), _) => checked_top(n, "--top")?,
                (None, Some(n)) => checked_top(n, &config.name("top"))?,
                (None, None) => 1,
            },
            min_confidence: answering.min_confidence,
            always_answer: answering.always_answer,
            skim: args.skim.or(config.skim).unwrap_or(false),
        };
        let reading = &args.reading;
        let option = |typed: bool, name: &str| {
            if typed {
                format!("--{name}")
            } else {
                config.name(name)
            }
        };
        let threads = match reading.threads.or(config.threads) {
            None => std::thread::available_parallelism().map_or(1, usize::from),
            Some(n) if (1..=1024).contains(&n) => n,
            Some(n) => bail!(bad_option(
                option(reading.threads.is_some(), "threads"),
                n,
                "1 to 1024"
            )),
        };
        let max_mib = match reading.files.max_mib.or(config.max_mib).unwrap_or(64) {
            n if (1..=1 << 20).contains(&n) => n,
            n => bail!(bad_option(
                option(reading.files.max_mib.is_some(), "max-mib"),
                n,
                "1 to 1048576"
            )),
        };
        let colour = match reading.color.or(config.color).unwrap_or(Colour::Auto) {
            Colour::Auto => environment.output_is_terminal && environment.colour,
            Colour::Always => true,
            Colour::Never => false,
        };
        let key = |typed: bool, set: bool, name: &str| (!typed && set).then(|| config.name(name));
        let chosen = Chosen {
            model: key(reading.model.is_some(), config.model.is_some(), "model"),
            engine: key(reading.engine.is_some(), config.engine.is_some(), "engine"),
            device: key(reading.device.is_some(), config.device.is_some(), "device"),
        };
        let model = match (&reading.model, &config.model) {
            (Some(typed), _) => models::locate(typed, &environment.directory, environment),
            (None, Some(model)) => models::locate(&model.typed, &model.folder, environment),
            (None, None) => Ok(None),
        };
        Ok(Self {
            source,
            options,
            rival: top.or(config.top).is_none(),
            read: ReadOptions {
                max_bytes: max_mib << 20,
                no_ignore: reading.files.no_ignore.or(config.no_ignore).unwrap_or(false),
            },
            around: Around::Sentence,
            json: false,
            model: model.map_err(|error| chosen.explain(error))?,
            engine: engine::Choice {
                kind: reading.engine.or(config.engine).unwrap_or_default(),
                device: reading.device.or(config.device).unwrap_or_default(),
            },
            chosen,
            threads,
            colour,
            quiet: reading.quiet,
        })
    }

    /// Loads what reads.
    ///
    /// # Errors
    /// When there is no such model, engine or device.
    pub(super) fn load(&self, environment: &Environment) -> anyhow::Result<Reader> {
        let reader = (environment.load)(self.model.as_deref(), self.engine);
        reader.map_err(|error| self.chosen.explain(error))
    }

    /// Loads the model in a folder that was typed, for it to write.
    ///
    /// # Errors
    /// When there is no such model or device.
    pub(super) fn load_generator(
        &self,
        folder: &Path,
        environment: &Environment,
    ) -> anyhow::Result<Box<dyn Generator>> {
        let typed = Chosen {
            model: None,
            device: self.chosen.device.clone(),
            engine: None,
        };
        let generator = (environment.load_generator)(&environment.directory.join(folder), self.engine.device);
        generator.map_err(|error| typed.explain(error))
    }
}

/// Whether a path that was typed stands for standard input. The file of this name is `./-`.
pub(super) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What was typed, else standard input if it `may` be read, else what `ask.toml` names.
///
/// # Errors
/// When standard input was typed and there is nothing to read from.
fn source<'a>(
    paths: impl Iterator<Item = &'a PathBuf>,
    may: bool,
    command: &str,
    config: &Config,
    environment: &Environment,
) -> anyhow::Result<Source> {
    let mut typed: Vec<&PathBuf> = paths.collect();
    let dash = typed.iter().position(|path| is_dash(path));
    typed.retain(|path| !is_dash(path));
    let paths: Vec<PathBuf> = typed
        .iter()
        .map(|path| environment.directory.join(path))
        .collect();
    if dash.is_some() {
        match &environment.input {
            _ if !may => bail!(
                "-: stands for standard input, where a session's questions come from; name files or folders"
            ),
            Input::Stream(_) => {}
            Input::Terminal => bail!(
                "-: stands for standard input, which is the terminal; pipe text in: COMMAND | {command} -"
            ),
            Input::Nothing => bail!(
                "-: stands for standard input, which is closed or a device; pipe text in: COMMAND | {command} -"
            ),
        }
    }
    Ok(match (dash, &environment.input, may) {
        (Some(_), ..) if paths.is_empty() => Source::Stream(None),
        (Some(before), ..) => Source::Among(paths, before),
        (None, ..) if !paths.is_empty() => Source::Paths(paths),
        (None, Input::Stream(_), true) => Source::Stream(config.documents()),
        _ => config.documents().map_or(Source::None, Source::Configured),
    })
}

/// The longest summaries that may be asked for.
const MAX_SENTENCES: usize = 100_000;
const MAX_WORDS: usize = 10_000_000;

/// What a summary is to be. `name` makes an option's name of a key's.
///
/// # Errors
/// When a number is out of range, or more than one length is given.
pub(super) fn summary_options(
    args: &SummaryArgs,
    name: impl Fn(&str) -> String,
) -> anyhow::Result<SummaryOptions> {
    if args.strict {
        bail!(
            "{} is for {} abstractive; an extractive summary has the documents' own sentences, leave it out",
            name("strict"),
            name("style")
        );
    }
    Ok(SummaryOptions {
        length: length(args, name)?,
        method: args.method.unwrap_or(Method::Transformer),
        focus: args.focus.clone(),
        together: args.together,
    })
}

/// What a summary is to be that a model writes.
///
/// # Errors
/// When a number is out of range, more than one length is given, or an option is for extractive summaries.
pub(super) fn abstractive_options(args: &SummarizeArgs) -> anyhow::Result<AbstractiveOptions> {
    let summary = &args.summary;
    let native = args.reading.engine == Some(engine::Kind::Native);
    let refused = [
        (native, "--engine native", "only reads"),
        (
            summary.method.is_some(),
            "--method",
            "scores the documents' own sentences",
        ),
        (
            summary.focus.is_some(),
            "--focus",
            "chooses among the documents' own sentences",
        ),
        (
            args.scores,
            "--scores",
            "shows scores of the documents' own sentences; support is shown anyway",
        ),
        (
            args.highlight,
            "--highlight",
            "marks sentences in the text, where generated ones do not stand",
        ),
    ];
    for (given, option, reason) in refused {
        if given {
            bail!("{option} is not for --style abstractive: it {reason}; leave one of the two out");
        }
    }
    Ok(AbstractiveOptions {
        length: length(summary, |key| format!("--{key}"))?,
        strict: summary.strict,
        together: summary.together,
    })
}

fn length(args: &SummaryArgs, name: impl Fn(&str) -> String) -> anyhow::Result<Length> {
    Ok(match (args.sentences, args.words, args.share) {
        (None, None, None) => SummaryOptions::default().length,
        (Some(n), None, None) if (1..=MAX_SENTENCES).contains(&n) => Length::Sentences(n),
        (None, Some(n), None) if (1..=MAX_WORDS).contains(&n) => Length::Words(n),
        (None, None, Some(p)) if p > 0.0 && p <= 1.0 => Length::Share(p),
        (Some(n), None, None) => bail!(bad_option(name("sentences"), n, "1 to 100000")),
        (None, Some(n), None) => bail!(bad_option(name("words"), n, "1 to 10000000")),
        (None, None, Some(p)) => bail!(bad_option(
            name("share"),
            p,
            "more than 0 and at most 1, like 0.1 or 10%"
        )),
        _ => bail!(
            "{}, {} and {} are one length each; keep one of them",
            name("sentences"),
            name("words"),
            name("share")
        ),
    })
}

/// Whether so many answers may be asked for.
///
/// # Errors
/// When not; the message calls the number `option`.
pub(super) fn checked_top(top: usize, option: &str) -> Result<usize, Error> {
    AskOptions::check_top(top, option).map(|()| top)
}

/// When a candidate counts as an answer. Its two settings rule each other out, so the more specific level that has
/// one of them decides about both: a line of a batch before the command line, and that before `ask.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Answering {
    pub(super) min_confidence: f64,
    pub(super) always_answer: bool,
}

impl Answering {
    /// What holds when a level sets these over `self`. `names` are what the level calls them.
    ///
    /// # Errors
    /// When the level sets both, or the confidence is no probability.
    pub(super) fn or(self, min: Option<f64>, always: Option<bool>, names: [&str; 2]) -> anyhow::Result<Self> {
        match (min, always) {
            (Some(_), Some(true)) => bail!(
                "{} and {} rule each other out; keep one of them",
                names[0],
                names[1]
            ),
            (Some(p), _) if (0.0..=1.0).contains(&p) => Ok(Self {
                min_confidence: p,
                always_answer: false,
            }),
            (Some(p), _) => bail!(bad_option(names[0].to_owned(), p, "0 to 1")),
            (None, Some(true)) => Ok(Self {
                min_confidence: 0.0,
                always_answer: true,
            }),
            (None, Some(false)) => Ok(Self {
                always_answer: false,
                ..self
            }),
            (None, None) => Ok(self),
        }
    }
}

fn bad_option(option: String, value: impl ToString, expected: &'static str) -> Error {
    Error::BadOption {
        option,
        value: value.to_string(),
        expected,
    }
}

/// `ask who signed contract.txt` takes a word for a path. Words come first, and what follows them are paths, if any.
fn refuse_forgotten_quotes(
    question: &str,
    paths: &[PathBuf],
    environment: &Environment,
) -> anyhow::Result<()> {
    let is_there =
        |path: &PathBuf| is_dash(path) || environment.directory.join(path).symlink_metadata().is_ok();
    let is_word =
        |path: &PathBuf| path.components().count() == 1 && path.extension().is_none() && !is_there(path);
    let words = paths
        .iter()
        .position(|path| !is_word(path))
        .unwrap_or(paths.len());
    let (words, files) = paths.split_at(words);
    if words.is_empty() || !question.chars().all(char::is_alphanumeric) || !files.iter().all(is_there) {
        return Ok(());
    }
    let mut command = format!("ask \"{question}");
    for word in words {
        command += &format!(" {}", word.display());
    }
    command.push('"');
    for file in files {
        let file = file.display().to_string();
        command += &if file.contains(char::is_whitespace) {
            format!(" '{file}'")
        } else {
            format!(" {file}")
        };
    }
    bail!("put the question in quotes: {command}")
}

/// The name that a word was probably meant to be.
pub(super) fn nearest<'a>(word: &str, mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.find(|name| {
        strsim::damerau_levenshtein(name, word) <= usize::from(name.len() > 4) + usize::from(name.len() > 7)
    })
}

/// One word that is a path, a command or nearly one was hardly meant as a question.
fn refuse_what_is_no_question(question: &str, environment: &Environment) -> anyhow::Result<()> {
    if question.trim().is_empty() {
        bail!(Error::EmptyQuestion);
    }
    if question.split_whitespace().count() != 1 {
        return Ok(());
    }
    let question = question.trim();
    if environment.directory.join(Path::new(question)).exists() {
        bail!(
            "{question}: is a file or folder, not a question; write ask \"your question\" {question}, \
             ask --docs {question} for many questions, or ask -- {question} if you do mean the word"
        );
    }
    refuse_command(question)
}

/// A command that is not where commands are looked for, or nearly a command.
pub(super) fn refuse_command(question: &str) -> anyhow::Result<()> {
    let lower = question.to_lowercase();
    let command = Args::command();
    let names = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .chain(["help"]);
    let near = nearest(&lower, names);
    if let Some(near) = near {
        let hint = if near == lower {
            format!("a command comes first, then its options: ask {near} [OPTIONS].")
        } else {
            format!("did you mean the command: ask {near}?")
        };
        bail!("{question}: looks like a command; {hint} Write ask -- {question} if you do mean the word");
    }
    Ok(())
}
