//! Every way in which the library can fail, each with its cause and its remedy.

use std::path::PathBuf;

/// The result of the library's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, why, and what to do about it.
///
/// The message of every variant names the thing, the reason and the remedy, in one line, and never
/// holds the text of a document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path that was named does not exist.
    #[error("{}: no such file or directory; check the spelling", .path.display())]
    NotFound {
        /// The path as it was given.
        path: PathBuf,
    },

    /// The operating system refused to read a file.
    #[error("{}: cannot be read: {reason}; check that it is there and that you may read it", .path.display())]
    Unreadable {
        /// The path as it was given.
        path: PathBuf,
        /// The operating system's reason.
        reason: std::io::Error,
    },

    /// A pipe, a socket, a device: reading it could block or never end.
    #[error("{}: is {kind}, not a regular file; {remedy}", .path.display())]
    NotRegular {
        /// The path as it was given.
        path: PathBuf,
        /// What it is instead, with its article.
        kind: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },

    /// Links that lead back to where they started.
    #[error("{}: symbolic links form a loop; remove the link, or name the files themselves", .path.display())]
    LinkLoop {
        /// The path as it was given.
        path: PathBuf,
    },

    /// A link to a folder, inside of a folder.
    #[error("{}: is a link to a folder, which is not followed; name it to read what is in it", .path.display())]
    LinkedFolder {
        /// The link.
        path: PathBuf,
    },

    /// A format whose text has to be extracted by another program.
    #[error("{name}: is {format}, which ask does not read; convert it first: {converter}")]
    NeedsConverter {
        /// The document's name.
        name: String,
        /// The format, with its article.
        format: &'static str,
        /// A command line that pipes the text to `ask`.
        converter: String,
    },

    /// Bytes that are no text in any encoding.
    #[error("{name}: is not text ({reason}); convert it to plain text first")]
    NotText {
        /// The document's name.
        name: String,
        /// What showed that it is not text.
        reason: &'static str,
    },

    /// A file of an office program that cannot be read to its end.
    #[error("{name}: is damaged: {reason}; open it in the program that it was made with, and save it again")]
    DamagedDocument {
        /// The document's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A document that is encrypted.
    #[error("{name}: is protected by a password; save it without one")]
    LockedDocument {
        /// The document's name.
        name: String,
    },

    /// A document over the size limit.
    #[error(
        "{name}: is over the limit of {limit_mib} MiB for one document; raise it with --max-mib, or split the document"
    )]
    DocumentTooLarge {
        /// The document's name.
        name: String,
        /// The limit in mebibytes.
        limit_mib: u64,
    },

    /// Documents that together are over the limit.
    #[error(
        "the documents hold more than {limit_mib} MiB of text; name fewer of them, or raise the limit with --max-mib"
    )]
    TooMuchText {
        /// The limit in mebibytes.
        limit_mib: u64,
    },

    /// A document without a single word.
    #[error("{name}: holds no text; name a document that does")]
    EmptyDocument {
        /// The document's name.
        name: String,
    },

    /// A directory or pattern in which there is nothing to read.
    #[error("{}: there are no text documents there{}", .path.display(), excluded_hint(*.excluded))]
    NoDocuments {
        /// The directory or pattern.
        path: PathBuf,
        /// Files left out because they are hidden or ignored.
        excluded: u64,
    },

    /// A glob pattern that does not parse.
    #[error("{pattern}: is not a valid pattern: {reason}; quote it, and escape [ and {{ with \\")]
    BadPattern {
        /// The pattern as it was given.
        pattern: String,
        /// The parser's reason.
        reason: String,
    },

    /// A question without a word in it.
    #[error("the question has no word in it; write it in quotes: ask \"who leads negotiations?\"")]
    EmptyQuestion,

    /// A question that does not fit beside the text.
    #[error(
        "the question has {tokens} tokens, {limit} is the limit; shorten it, and leave the background to the documents"
    )]
    QuestionTooLong {
        /// Its length in tokens of the model's tokenizer.
        tokens: usize,
        /// The model's limit in tokens.
        limit: usize,
    },

    /// A question of a few tokens and very many letters.
    #[error(
        "the question has {bytes} bytes, {limit_bytes} is the limit; shorten it, and leave the background to the documents"
    )]
    QuestionTooLarge {
        /// Its length in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit_bytes: usize,
    },

    /// A focus without a word that tells sentences apart.
    #[error(
        "the focus has no word that could be looked for; name a topic or ask a question: --focus \"sanctions\""
    )]
    EmptyFocus,

    /// Every sentence is longer than the summary may be.
    #[error(
        "no sentence is short enough: the shortest has {shortest} words; allow more with --words or --share"
    )]
    SummaryTooShort {
        /// Words of the shortest sentence that could stand in the summary.
        shortest: usize,
    },

    /// An option outside of its range.
    #[error("{option}: {value} is out of range; use {expected}")]
    BadOption {
        /// The option's name, and where it stands if that is not the command line.
        option: String,
        /// What was given.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },

    /// A model directory that does not exist.
    #[error("model {}: no such folder; check the spelling, leave out --model for the built-in one, or name one of those that ask models list shows", .model.display())]
    ModelNotFound {
        /// The model's directory.
        model: PathBuf,
    },

    /// A model of the hub that nobody has downloaded.
    #[error("model {name}: no such folder, and no whole model of that name in {}; to download it: ask models pull {name}", .store.display())]
    ModelNotPulled {
        /// The name as it was given.
        name: String,
        /// The hub's cache.
        store: PathBuf,
    },

    /// What should be a model's name and is none.
    #[error(
        "model {name}: {reason}; write owner/name, owner/name@revision, or a name that ask models list shows"
    )]
    ModelName {
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: String,
    },

    /// No folder for the hub's cache.
    #[error("there is no home folder to keep models in; name a folder in the variable HF_HOME")]
    NoStore,

    /// The hub did not give what was asked of it.
    #[error("{thing}: {reason}; {remedy}")]
    Hub {
        /// The model, or a file of it, or the variable that is wrong.
        thing: String,
        /// What happened.
        reason: String,
        /// What to do about it.
        remedy: String,
    },

    /// A file, where a model's directory is expected.
    #[error("model {}: is a file; name the folder that holds config.json, tokenizer.json and model.safetensors", .model.display())]
    ModelIsFile {
        /// The file.
        model: PathBuf,
    },

    /// A model directory without one of its files.
    #[error("model {}: has no {file}; a model directory needs config.json, tokenizer.json and model.safetensors", .model.display())]
    ModelFileMissing {
        /// The model's directory.
        model: PathBuf,
        /// The file that is not there.
        file: String,
    },

    /// A file of a model that cannot be used.
    #[error("model {}: {file}: {reason}; get the file again from where the model came from", .model.display())]
    ModelFileInvalid {
        /// The model's directory.
        model: PathBuf,
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The store cannot be written.
    #[error("{}: cannot be written: {reason}; {remedy}", .path.display())]
    StoreUnwritable {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        reason: std::io::Error,
        /// What is kept, and what to do.
        remedy: String,
    },

    /// An architecture that no engine of this build implements.
    #[error("model {}: architecture \"{architecture}\" is not supported; use bert, distilbert, roberta or electra, or with --engine libtorch also albert, deberta or deberta-v2", .model.display())]
    UnknownArchitecture {
        /// The model's directory.
        model: PathBuf,
        /// `model_type` of its configuration.
        architecture: String,
    },

    /// An architecture that another engine runs.
    #[error("model {}: architecture \"{architecture}\" is none that the native engine runs; add --engine libtorch{}", .model.display(), build_hint())]
    NotNative {
        /// The model's directory.
        model: PathBuf,
        /// `model_type` of its configuration.
        architecture: &'static str,
    },

    /// An engine that was left out of this program.
    #[error(
        "--engine libtorch: is not part of this program; build it with --features libtorch (README.md, Other models and engines), or leave out the option"
    )]
    EngineNotBuilt,

    /// A device that is not there, or not for this engine.
    #[error("--device {device}: {reason}")]
    DeviceUnavailable {
        /// What was asked for.
        device: &'static str,
        /// Why it is not to be had, and what to do instead.
        reason: String,
    },

    /// libtorch refused an operation.
    #[error(
        "libtorch: {reason}; if its memory ran out, free some, or leave out --device; if not, leave out --engine"
    )]
    Libtorch {
        /// The first line of its message.
        reason: String,
    },

    /// A model that was not trained for what is asked of it.
    #[error("model {model}: has no {head} head; use a model that was fine-tuned for {task}")]
    NoHead {
        /// The model's name.
        model: String,
        /// The head that is not there.
        head: &'static str,
        /// What that head is for.
        task: &'static str,
    },

    /// A text for a generator that does not fit into it.
    #[error(
        "model {model}: the text has {tokens} tokens, {limit} is its limit; cut the text into parts, as ask summarize does"
    )]
    InputTooLong {
        /// The model's name.
        model: String,
        /// The text's length in tokens of the model's tokenizer.
        tokens: usize,
        /// The most tokens of a text that the model reads.
        limit: usize,
    },

    /// Generators were left out of this program.
    #[error(
        "--style abstractive: needs the cargo feature libtorch, which is not part of this program; run \"bash scripts/libtorch.sh DIR\" and build with --features libtorch (README.md, Other models and engines), or leave out the option"
    )]
    GeneratorNotBuilt,

    /// A model that does not write.
    #[error("model {}: architecture \"{architecture}\" is none that writes; use bart, pegasus or t5, fine-tuned for summarization", .model.display())]
    NotAGenerator {
        /// The model's directory.
        model: PathBuf,
        /// `model_type` of its configuration.
        architecture: String,
    },

    /// An engine, a scorer or a generator of your own failed.
    #[error("{name}: {reason}; this is a fault of the program, not of the text")]
    Engine {
        /// What failed.
        name: String,
        /// Why.
        reason: String,
    },

    /// `ASK_KERNELS` names what there is not, or not here.
    #[error(
        "ASK_KERNELS={name}: {}; use amx, avx512vnni, avxvnni, avx2, neondot, scalar or f32, or unset it for the fastest",
        if *.known { "this processor does not have it" } else { "there are no such kernels" }
    )]
    KernelsUnavailable {
        /// What it names.
        name: String,
        /// Whether it is a name of kernels.
        known: bool,
    },

    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A document has more bytes than these.
    pub(crate) fn too_large(name: &str, max_bytes: u64) -> Self {
        Self::DocumentTooLarge {
            name: name.to_owned(),
            limit_mib: max_bytes.div_ceil(1 << 20),
        }
    }
}

fn build_hint() -> &'static str {
    if cfg!(feature = "libtorch") {
        ""
    } else {
        ", in a program that was built with --features libtorch"
    }
}

fn excluded_hint(excluded: u64) -> String {
    match excluded {
        0 => "; name a file, or a folder that holds text".to_owned(),
        n => format!(" ({n} hidden or ignored; --no-ignore includes them)"),
    }
}
