//! Loads documents and tells what could not be read.

use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;

use super::plan::Source;
use super::{Environment, Input};
use crate::document::Document;
use crate::document::read::{self, ReadOptions};
use crate::error::Error;

/// The name of standard input in messages and results.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// Files that could not be read which are named one by one on standard error.
const MOST_UNREAD_LINES: usize = 5;

/// Documents, and what was to be read and was not.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) documents: Vec<Document>,
    pub(super) unread: Vec<UnreadNote>,
    /// Left out because hidden or ignored.
    pub(super) excluded: u64,
    /// Something that the user should know about where the documents came from.
    pub(super) note: Option<String>,
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
        Source::Stream(otherwise) => {
            let Input::Stream(stream) = std::mem::replace(&mut environment.input, Input::Nothing) else {
                bail!("standard input was read already");
            };
            match read::read_stream(stream, STANDARD_INPUT, options) {
                Ok(document) => Ok(Loaded {
                    documents: vec![document],
                    ..Loaded::default()
                }),
                // Programs are often started with an empty pipe for their input.
                Err(Error::EmptyDocument { .. }) if !otherwise.is_empty() => {
                    let mut loaded = load_paths(otherwise, options)?;
                    loaded.note =
                        Some("standard input is empty; reading the documents of ask.toml".to_owned());
                    Ok(loaded)
                }
                Err(error) => Err(error.into()),
            }
        }
        Source::None => bail!(
            "no documents: name them (ask \"…\" report.txt folder/), pipe text in, or list them in ask.toml: docs = [\"folder\"]"
        ),
    }
}

/// Finds and reads files. Fails when there is nothing left to read.
pub(super) fn load_paths(paths: &[PathBuf], options: &ReadOptions) -> anyhow::Result<Loaded> {
    let found = read::find(paths, options)?;
    let mut loaded = Loaded {
        excluded: found.excluded,
        ..Loaded::default()
    };
    let mut failures: Vec<(String, Error)> =
        found.unread.into_iter().map(|u| (u.document, u.error)).collect();
    let results = read::read_files(&found.files, options);
    for (path, result) in found.files.iter().zip(results) {
        match result {
            Ok(document) => loaded.documents.push(document),
            Err(error @ Error::TooMuchText { .. }) => bail!(error),
            Err(error) => failures.push((path.display().to_string(), error)),
        }
    }
    if loaded.documents.is_empty() {
        let more = failures.len().saturating_sub(1);
        let Some((_, error)) = failures.into_iter().next() else {
            bail!("no documents were found");
        };
        match more {
            0 => bail!(error),
            n => bail!("{error} (and {n} more that could not be read)"),
        }
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

/// An error's message without the document's name in front.
fn reason(document: &str, error: &Error) -> String {
    let message = error.to_string();
    message
        .strip_prefix(&format!("{document}: "))
        .unwrap_or(&message)
        .to_owned()
}

impl Loaded {
    /// Tells on standard error what was left out.
    pub(super) fn report(&self, quiet: bool, environment: &mut Environment) {
        for note in self.unread.iter().take(MOST_UNREAD_LINES) {
            environment.tell(&format!("not read: {}: {}", note.document, note.reason));
        }
        if let more @ 1.. = self.unread.len().saturating_sub(MOST_UNREAD_LINES) {
            environment.tell(&format!("not read: {more} more files (--json lists all)"));
        }
        if quiet {
            return;
        }
        if let Some(note) = &self.note {
            environment.tell(&format!("note: {note}"));
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
