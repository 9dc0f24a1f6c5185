//! Loads documents and tells what could not be read.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;

use super::config::Configured;
use super::json::{LeftOut, Sources};
use super::plan::Source;
use super::{Environment, Input};
use crate::document::Document;
use crate::document::read::{self, Found, ReadOptions};
use crate::error::Error;
use crate::eval::problem::counted;
use crate::language;

/// The name of standard input in messages and results.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// Notes of one kind that are told one by one on standard error.
const MOST_NOTES: usize = 5;

/// Documents, and what was to be read and was not.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) documents: Vec<Document>,
    pub(super) unread: Vec<UnreadNote>,
    /// Files without text that a folder or a pattern held. They were read, and have no answer.
    pub(super) empty: Vec<String>,
    /// Left out because hidden or ignored.
    pub(super) excluded: u64,
    /// Something that the user should know about where the documents came from.
    pub(super) note: Option<String>,
    /// See [`foreign_language`](Self::foreign_language).
    pub(super) language: OnceLock<Option<&'static str>>,
}

/// A document that could not be read, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub(super) struct UnreadNote {
    pub(super) document: String,
    pub(super) reason: String,
}

/// Loads what a plan names.
pub(super) fn load(
    source: &Source,
    options: &ReadOptions,
    environment: &mut Environment,
) -> anyhow::Result<Loaded> {
    match source {
        Source::Paths(paths) => load_paths(paths, options),
        Source::Configured(configured) => load_configured(configured, options),
        Source::Among(paths, before) => {
            // Its place among the documents is behind those of the paths before it.
            let at = read::find(&paths[..*before], options)?.files.len();
            let found = read::find(paths, options)?;
            let document = read_input(options, environment);
            load_found(paths, found, Some((at, document)), options)
        }
        Source::Stream(otherwise) => match (read_input(options, environment), otherwise) {
            (Ok(document), _) => Ok(Loaded {
                documents: vec![document],
                ..Loaded::default()
            }),
            // Programs are often started with an empty pipe for their input.
            (Err(Error::EmptyDocument { .. }), Some(configured)) => {
                let mut loaded = load_configured(configured, options)?;
                loaded.note = Some("standard input is empty; reading the documents of ask.toml".to_owned());
                Ok(loaded)
            }
            (Err(error), _) => Err(error.into()),
        },
        Source::None => bail!(
            "no documents: name files or folders, pipe text in, or list them in ask.toml: docs = [\"folder\"]"
        ),
    }
}

/// Reads standard input to its end. A plan has looked whether there is one.
fn read_input(options: &ReadOptions, environment: &mut Environment) -> Result<Document, Error> {
    match std::mem::replace(&mut environment.input, Input::Nothing) {
        Input::Stream(stream) => read::read_stream(stream, STANDARD_INPUT, options),
        Input::Terminal | Input::Nothing => read::read_stream(std::io::empty(), STANDARD_INPUT, options),
    }
}

/// Finds and reads files. Fails when there is nothing left to read.
pub(super) fn load_paths(paths: &[PathBuf], options: &ReadOptions) -> anyhow::Result<Loaded> {
    load_found(paths, read::find(paths, options)?, None, options)
}

/// Finds and reads what `ask.toml` names; an error says so.
fn load_configured(configured: &Configured, options: &ReadOptions) -> anyhow::Result<Loaded> {
    load_paths(&configured.docs, options).with_context(|| configured.key.clone())
}

/// Reads the files that `paths` stand for, with what came through standard input in its place among them.
fn load_found(
    paths: &[PathBuf],
    found: Found,
    input: Option<(usize, Result<Document, Error>)>,
    options: &ReadOptions,
) -> anyhow::Result<Loaded> {
    let mut loaded = Loaded {
        excluded: found.excluded,
        ..Loaded::default()
    };
    let mut failures: Vec<(String, Error)> =
        found.unread.into_iter().map(|u| (u.document, u.error)).collect();
    let named: HashSet<&PathBuf> = paths.iter().collect();
    let files = found
        .files
        .iter()
        .map(|path| (path.display().to_string(), named.contains(path)));
    let mut results: Vec<_> = files.zip(read::read_files(&found.files, options)).collect();
    if let Some((at, result)) = input {
        results.insert(at.min(results.len()), ((STANDARD_INPUT.to_owned(), true), result));
    }
    for ((name, was_named), result) in results {
        match result {
            Ok(document) => loaded.documents.push(document),
            Err(error @ Error::TooMuchText { .. }) => bail!(error),
            Err(Error::EmptyDocument { .. }) if !was_named => loaded.empty.push(name),
            Err(error) => failures.push((name, error)),
        }
    }
    // Files without text hold no answer, which can be said of a folder of them.
    let has_read = !loaded.empty.is_empty() && failures.is_empty();
    if loaded.documents.is_empty() && !has_read {
        return Err(nothing_to_read(failures));
    }
    loaded.unread = failures
        .into_iter()
        .map(|(document, error)| UnreadNote {
            reason: reason(&document, &error),
            document,
        })
        .collect();
    Ok(loaded)
}

/// Why there is no document.
fn nothing_to_read(failures: Vec<(String, Error)>) -> anyhow::Error {
    let more = failures.len().saturating_sub(1);
    match (failures.into_iter().next(), more) {
        (None, _) => anyhow!("no documents were found"),
        (Some((_, error)), 0) => error.into(),
        (Some((_, error)), n) => anyhow!("{error} (and {n} more that could not be read)"),
    }
}

/// An error's message without the document's name in front.
fn reason(document: &str, error: &Error) -> String {
    let message = error.to_string();
    message
        .strip_prefix(&format!("{document}: "))
        .unwrap_or(&message)
        .to_owned()
}

impl Loaded {
    /// The documents, if there are any: of a folder of empty files there is no summary.
    pub(super) fn to_summarise(&self) -> anyhow::Result<Vec<&Document>> {
        if self.documents.is_empty() {
            bail!("there is nothing to summarise: the files hold no text");
        }
        Ok(self.documents.iter().collect())
    }

    /// The language of the documents, if they are clearly not English.
    pub(super) fn foreign_language(&self) -> Option<&'static str> {
        *self.language.get_or_init(|| {
            let documents: Vec<&Document> = self.documents.iter().collect();
            language::foreign(&documents)
        })
    }

    /// The same for programs.
    pub(super) fn sources(&self) -> Sources<'_> {
        let left_out = self.documents.iter().flat_map(|document| {
            document.left_out().iter().map(|&(what, count)| LeftOut {
                document: document.name(),
                what,
                count,
            })
        });
        Sources {
            unread: &self.unread,
            left_out: left_out.collect(),
            skipped: self.excluded,
            language: self.foreign_language(),
        }
    }

    /// Tells on standard error what was left out, of what goes on the first few, and how many more. `has_json` says that the command
    /// lists them all with `--json`.
    pub(super) fn report(&self, quiet: bool, has_json: bool, environment: &mut Environment) {
        let all = if has_json { " (--json lists all)" } else { "" };
        let mut tell = |notes: &mut dyn Iterator<Item = String>, more: &str| {
            notes.take(MOST_NOTES).for_each(|note| environment.tell(&note));
            if let n @ 1.. = notes.count() {
                environment.tell(&format!("{more}: {}{all}", counted(n, "more file")));
            }
        };
        let unread = self.unread.iter();
        let unread = unread.map(|note| format!("not read: {}: {}", note.document, note.reason));
        tell(&mut { unread }, "not read");
        // Told in any case: answers are from other documents than it may seem.
        let note = self.note.iter().map(|note| format!("note: {note}"));
        tell(&mut { note }, "note");
        if quiet {
            return;
        }
        let is_foreign = |d: &&Document| d.undecoded() > 0 || d.encoding() != "UTF-8";
        let foreign = self.documents.iter().filter(is_foreign).map(|document| {
            let encoding = document.encoding();
            let damage = match document.undecoded() {
                0 => String::new(),
                n => format!(
                    " but for {}, and what stands there may be wrong",
                    counted(n, "byte")
                ),
            };
            format!(
                "note: {}: read as {encoding}{damage}; bytes in --json are those of its UTF-8 form",
                document.name()
            )
        });
        tell(&mut { foreign }, "note: not in UTF-8");
        let columns = self.documents.iter().filter(|d| d.has_columns()).map(|document| {
            format!(
                "note: {}: two columns stand side by side, so its sentences are in pieces; convert it in the order of reading \
                 (pdftotext without -layout)",
                document.name()
            )
        });
        tell(&mut { columns }, "note: in two columns");
        let is_partial = |d: &&Document| !d.left_out().is_empty();
        let partial = self.documents.iter().filter(is_partial).map(|document| {
            let counts = document.left_out().iter();
            let counts: Vec<String> = counts.map(|&(what, count)| counted(count, what)).collect();
            format!("note: {}: not read: {}", document.name(), counts.join(", "))
        });
        tell(&mut { partial }, "note: not read in part");
        match &self.empty[..] {
            [] => {}
            [name] => environment.tell(&format!("note: {name}: holds no text")),
            [first, more @ ..] => {
                environment.tell(&format!("note: {first} and {} more hold no text", more.len()));
            }
        }
        if self.excluded > 0 {
            let (files, are) = if self.excluded == 1 {
                ("file", "is")
            } else {
                ("files", "are")
            };
            environment.tell(&format!(
                "note: {} {files} {are} hidden or ignored and not read (--no-ignore includes them)",
                self.excluded
            ));
        }
    }
}
