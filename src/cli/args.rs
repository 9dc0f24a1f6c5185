//! What was typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, ValueHint};

use super::eval::args::EvalArgs;
use super::models::args::ModelsArgs;
use crate::engine::{Device, Kind};
use crate::summary::Method;

const EXAMPLES: &str = "\
Examples:
  ask \"who leads negotiations?\"                 the documents that ask.toml names
  ask \"when does the lease end?\" lease.md       one file
  ask \"who signed?\" contracts/ 'mail/*.eml'     a folder and a pattern
  ask \"what was the profit?\" report.pdf         PDF, DOCX, XLSX, PPTX, ODT, EPUB, HTML, mail
  curl -s https://… | ask \"who resigned?\"
  ask --skim \"who signed?\" archive/             much text: only what shares words with the question
  ask --top 3 --json \"who signed?\" contracts/   for programs
  ask summarize report.md                       a summary: some of its sentences
  ask                                           a session: many questions, one start
  ask -- summarize                              a question of one word

Exit code: 0 answered, 1 not in the documents, 2 error (also: not answered, and some documents
could not be read). Closing the output early does not change it.";

/// Ask your documents: answers are their exact words, with where they stand and how sure it is.
#[derive(Debug, Parser)]
#[command(
    name = "ask",
    disable_version_flag = true,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true
)]
pub struct Args {
    /// A question and its options.
    #[command(flatten)]
    pub ask: AskArgs,
    /// Another command.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Print the version
    #[arg(short = 'V', long)]
    pub version: bool,

    /// With --version: the built-in model, too, and the kernels that read with it
    #[arg(long, requires = "version")]
    pub verbose: bool,
}

/// `ask [QUESTION] [PATH]…`
#[derive(Debug, clap::Args)]
pub struct AskArgs {
    /// The question; without one, a session starts
    pub question: Option<String>,

    /// Files, folders or patterns to read ("-": standard input); standard input or ask.toml's documents
    /// if there are none
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// More files, folders or patterns to read
    #[arg(long = "docs", value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub docs: Vec<PathBuf>,

    /// How many answers to show, best first [default: 1, and after "or:" a different one that is at least half as sure, or a third in another document]
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true)]
    pub top: Option<usize>,

    /// What to show around an answer [default: sentence]
    #[arg(long, value_name = "WHAT", conflicts_with = "json")]
    pub context: Option<Around>,

    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
}

/// Options of all commands that answer questions.
#[derive(Debug, Default, clap::Args)]
pub struct CommonArgs {
    /// Count answers below this probability (0 to 1) as none
    #[arg(
        long,
        value_name = "P",
        allow_negative_numbers = true,
        conflicts_with = "always_answer"
    )]
    pub min_confidence: Option<f64>,

    /// Give the best answer even if the documents seem not to have one
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub always_answer: Option<bool>,

    /// Of longer texts, read only 64 KiB, or a thirty-second where that is more: the passages
    /// that share most words with the question
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub skim: Option<bool>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub reading: ReadingArgs,
}

/// Which files are read.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FileArgs {
    /// Read hidden files and those that .gitignore excludes, too
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub no_ignore: Option<bool>,

    /// The largest document to read, in MiB [default: 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub max_mib: Option<u64>,
}

/// Options of all commands that read documents.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ReadingArgs {
    /// Use the model in this folder, or a pulled model of this name, instead of the built-in one
    #[arg(long, value_name = "DIR|NAME", value_hint = ValueHint::DirPath)]
    pub model: Option<PathBuf>,

    /// The engine that runs the model [default: native]
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<Kind>,

    /// What the engine computes on [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<Device>,

    /// Threads to work with [default: all cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub threads: Option<usize>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub files: FileArgs,

    /// When to use colour [default: auto]
    #[arg(long, value_name = "WHEN")]
    pub color: Option<Colour>,

    /// Leave out notes and progress
    #[arg(short, long)]
    pub quiet: bool,
}

/// What is shown around an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Around {
    /// The sentence
    Sentence,
    /// The paragraph
    Paragraph,
    /// Only where it stands
    None,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands beside asking.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer many questions: JSON Lines in, JSON Lines out
    Batch(BatchArgs),
    /// Shorten documents to some of their sentences
    Summarize(SummarizeArgs),
    /// Print the text that is read of documents, in which the bytes and lines of answers are counted
    Text(TextArgs),
    /// Measure answers and summaries against suites of questions, and compare with a baseline
    Eval(EvalArgs),
    /// List, check and download models
    Models(ModelsArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  ask completions bash > ~/.local/share/bash-completion/completions/ask"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example:\n  ask man > ask.1 && man ./ask.1")]
    Man,
}

const BATCH_HELP: &str = "\
A line of input is one of
  {\"id\": 7, \"question\": \"who signed?\", \"context\": \"The text itself.\"}
  {\"id\": 8, \"question\": \"who signed?\", \"docs\": [\"contracts/\", \"note.txt\"]}
  {\"id\": 9, \"question\": \"who signed?\"}                  with --docs, or those of ask.toml
  {\"id\": 10, \"summarize\": {\"sentences\": 3}, \"context\": \"The text itself.\"}
A question may set \"top\", \"skim\" and one of \"min_confidence\" and \"always_answer\" for itself, a
summary \"sentences\", \"words\", \"share\", \"method\", \"focus\" and \"together\". Keys of a
line override options, and options override ask.toml. Other keys are refused. A context is
plain text; all other formats are read from docs.

There is one line of output for every line of input, in order; blank lines give none, a bad
line gives {\"id\": …, \"error\": …} and the rest goes on. Each is written as soon as those
before it are. \"answers\" has the best candidates also when \"answered\" is false: look
at that first.

Examples:
  ask batch questions.jsonl > answers.jsonl
  ask batch --docs contracts/ < questions.jsonl |
    jq -r 'if .answered then .answers[0].text | gsub(\"\\\\s+\"; \" \") else \"\" end'
  parallel --pipe --block 1M ask batch < questions.jsonl

Exit code: 0 when the whole stream was processed, whatever the answers; 2 on an error;
141, without a message, if the output was closed before its end.";

/// `ask batch [FILE]`
#[derive(Debug, clap::Args)]
#[command(after_help = BATCH_HELP)]
pub struct BatchArgs {
    /// JSON Lines; standard input if there is none, or "-"
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,

    /// Documents for lines that name none
    #[arg(long = "docs", value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub docs: Vec<PathBuf>,

    /// How many answers for each question, best first [default: 1]
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true)]
    pub top: Option<usize>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
}

const SUMMARIZE_HELP: &str = "\
Every sentence is a sentence of the document, word for word, in its order. Headings, lists,
tables, code and captions are left out; a text that has nothing else is shortened to its lines.

With --style abstractive, the model in --model DIR (BART, T5 or Pegasus) writes the sentences.
They are no quotations: each is shown with its support, the share of its words that the best
few sentences of the documents hold, and with their places. Names, numbers and dates that the
documents do not have are marked [like this?].

Examples:
  ask summarize                                 the documents that ask.toml names
  ask summarize report.md --words 120
  ask summarize folder/ --sentences 5 --focus \"sanctions\"
  ask summarize --together mail/ --bullets      one summary over all, with the places
  ask summarize law.txt --highlight | less -R   the whole text, the chosen sentences marked
  ask summarize report.md --style abstractive --model bart-cnn --strict
  ask summarize report.pdf --json

Exit code: 0 done, 2 error (also: done, but some documents could not be read).";

/// `ask summarize [PATH]…`
#[derive(Debug, clap::Args)]
#[command(after_help = SUMMARIZE_HELP)]
pub struct SummarizeArgs {
    /// Files, folders or patterns to read ("-": standard input); standard input or ask.toml's documents
    /// if there are none
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// More files, folders or patterns to read
    #[arg(long = "docs", value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub docs: Vec<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub summary: SummaryArgs,

    /// One sentence a line, with its place
    #[arg(long, group = "form")]
    pub bullets: bool,

    /// The whole text, with the chosen sentences marked
    #[arg(long, group = "form")]
    pub highlight: bool,

    /// Markdown with the places as footnotes
    #[arg(long, group = "form")]
    pub markdown: bool,

    /// Print one line of JSON
    #[arg(long, group = "form")]
    pub json: bool,

    /// Show the score of each sentence
    #[arg(long, conflicts_with_all = ["highlight", "markdown", "json"])]
    pub scores: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub reading: ReadingArgs,
}

const TEXT_HELP: &str = "\
Of a PDF, DOCX, RTF, XLSX, PPTX, ODT, ODS, EPUB or MIME mail it is the text that was taken out, a
line a paragraph or a row, in UTF-8; of other files what they hold, markup included.
\"start_byte\" and \"end_byte\" of answers count its bytes. On a terminal, control characters are
shown as \\u{1b}.

Examples:
  ask text contract.docx | less
  ask text report.pdf > report.txt
  ask text --clean page.html                    what is read of it, without tags
  ask text contracts/                           several, each below a line with its name

Exit code: 0 done, 2 error (also: done, but some documents could not be read).";

/// `ask text [PATH]…`
#[derive(Debug, clap::Args)]
#[command(after_help = TEXT_HELP)]
pub struct TextArgs {
    /// Files, folders or patterns to read ("-": standard input); standard input or ask.toml's documents
    /// if there are none
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// Without markup: what the model reads of HTML, Markdown and the like
    #[arg(long)]
    pub clean: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub files: FileArgs,

    /// Leave out notes
    #[arg(short, long)]
    pub quiet: bool,
}

/// What a summary is to be. The keys of `ask batch` are the names of these flags.
#[derive(Debug, Clone, Default, clap::Args, serde::Deserialize)]
#[serde(default)]
pub struct SummaryArgs {
    /// At most this many sentences [default: 3]
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        group = "length",
        allow_negative_numbers = true
    )]
    pub sentences: Option<usize>,

    /// At most this many words, in whole sentences
    #[arg(long, value_name = "N", group = "length", allow_negative_numbers = true)]
    pub words: Option<usize>,

    /// At most this share of the text's words (0.1 or 10%), in whole sentences
    #[arg(long, value_name = "P", group = "length", allow_negative_numbers = true, value_parser = share)]
    #[serde(deserialize_with = "share_of_json")]
    pub share: Option<f64>,

    /// Sentences of the documents, or new ones by the model in --model [default: extractive]
    #[arg(long, value_name = "STYLE")]
    pub style: Option<Style>,

    /// With --style abstractive: leave out sentences whose support is below 0.5, and those with a name,
    /// number or date that the documents do not have
    #[arg(long)]
    pub strict: bool,

    /// How sentences are scored [default: transformer]
    #[arg(long, value_name = "METHOD")]
    pub method: Option<Method>,

    /// Prefer sentences about a question or topic
    #[arg(long, value_name = "TEXT")]
    pub focus: Option<String>,

    /// One summary over all documents instead of one each
    #[arg(long)]
    pub together: bool,
}

/// Whose sentences a summary is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Sentences of the documents, word for word
    Extractive,
    /// Sentences that a model writes, each with what supports it
    Abstractive,
}

/// `0.1` or `10%`.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = text
        .strip_suffix('%')
        .map_or((text, 1.0), |number| (number, 100.0));
    match number.trim().parse::<f64>() {
        Ok(value) => Ok(value / unit),
        Err(_) => Err("write a share like 0.1 or a percentage like 10%".to_owned()),
    }
}

/// A number, or what [`share`] takes.
fn share_of_json<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Share {
        Number(f64),
        Text(String),
    }
    match serde::Deserialize::deserialize(deserializer)? {
        None => Ok(None),
        Some(Share::Number(number)) => Ok(Some(number)),
        Some(Share::Text(text)) => share(&text).map(Some).map_err(serde::de::Error::custom),
    }
}
