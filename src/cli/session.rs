//! Many questions from a terminal: the model and the documents are loaded once.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::bail;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::documents::{self, Loaded};
use super::plan::{self, Plan, Source};
use super::{ANSWERED, Environment, Input, Printer, ask, render};
use crate::document::Document;
use crate::error::Error;

const HELP: &str = "\
Type a question, or
  :docs PATH…   read other documents (\"in quotes\" where there are spaces)
  :docs         list the documents
  :top N        show N answers, and none after \"or:\"
  :help         this
  :quit         leave (also quit, exit, Ctrl-D)
";

pub(super) fn run(mut plan: Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    match environment.input {
        Input::Terminal => {}
        Input::Stream(_) => bail!(
            "no question, and a session needs a terminal; write the question in quotes: ask \"who leads negotiations?\", or put many as JSON Lines into ask batch"
        ),
        Input::Nothing => bail!("no question; write it in quotes: ask \"who leads negotiations?\""),
    }
    let reader = plan.load(environment)?;
    let mut loaded = match plan.source {
        Source::None => Loaded::default(),
        _ => documents::load(&plan.source, &plan.read, environment)?,
    };
    loaded.report(plan.quiet, false, environment);
    writeln!(
        environment.output,
        "{} :help lists commands, :quit leaves.",
        summary(&loaded)
    )?;

    let mut editor = DefaultEditor::new()?;
    let history = history_file();
    if let Some(file) = &history {
        let _ = editor.load_history(file);
    }
    loop {
        environment.interrupted.store(false, Ordering::SeqCst);
        let line = match editor.readline("ask> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                environment.tell("that line is not UTF-8; set the terminal to it, or type the line again");
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let _ = editor.add_history_entry(line);
        match Typed::of(line) {
            Typed::Quit => break,
            Typed::Help => write!(environment.output, "{HELP}")?,
            Typed::Top(n) => {
                match n
                    .parse()
                    .map_err(|_| ())
                    .and_then(|n| plan::checked_top(n, ":top").map_err(|_| ()))
                {
                    Ok(n) => {
                        plan.options.top = n;
                        plan.rival = false;
                    }
                    Err(()) => writeln!(environment.output, ":top needs a number from 1 to 1000")?,
                }
            }
            Typed::List => list(&loaded, environment)?,
            Typed::Docs(paths) => {
                let paths: Vec<PathBuf> = match PathBuf::from(paths) {
                    whole if whole.exists() => vec![whole],
                    _ => words(paths).into_iter().map(PathBuf::from).collect(),
                };
                match documents::load_paths(&paths, &plan.read) {
                    Ok(new) => {
                        loaded = new;
                        loaded.report(plan.quiet, false, environment);
                        writeln!(environment.output, "{}", summary(&loaded))?;
                    }
                    Err(error) => environment.tell(&format!("{error:#}")),
                }
            }
            Typed::Unknown(command) => {
                writeln!(
                    environment.output,
                    "{}: no such command; :help lists them",
                    render::harmless(command)
                )?;
            }
            Typed::Question => {
                let documents: Vec<&Document> = loaded.documents.iter().collect();
                if documents.is_empty() {
                    writeln!(environment.output, "no documents yet; name some with :docs PATH…")?;
                    continue;
                }
                ask::note_language(&loaded, "its confidence does", plan.quiet, environment);
                match ask::answer(&reader, line, &documents, &plan, environment) {
                    Ok(answers) => {
                        Printer::new(&plan).answers(
                            &answers,
                            &documents,
                            loaded.unread.len(),
                            &mut environment.output,
                        )?;
                    }
                    Err(Error::Interrupted) => writeln!(environment.output, "stopped")?,
                    Err(error) => environment.tell(&error.to_string()),
                }
            }
        }
    }
    if let Some(file) = &history {
        if let Some(folder) = file.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = editor.save_history(file);
    }
    Ok(ANSWERED)
}

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
enum Typed<'a> {
    Quit,
    Help,
    Top(&'a str),
    List,
    Docs(&'a str),
    Unknown(&'a str),
    Question,
}

impl<'a> Typed<'a> {
    fn of(line: &'a str) -> Self {
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (command, rest.trim()) {
            (":quit" | ":q" | ":exit", _) | ("quit" | "exit", "") => Self::Quit,
            (":help" | ":h", _) | ("help", "") => Self::Help,
            (":top", n) => Self::Top(n),
            (":docs", "") => Self::List,
            (":docs", paths) => Self::Docs(paths),
            (command, _) if command.starts_with(':') => Self::Unknown(command),
            _ => Self::Question,
        }
    }
}

/// The words of a line. One that begins with a quotation mark goes on to the next of its kind, or to the end.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' | '\'' => rest[1..].split_once(first).unwrap_or((&rest[1..], "")),
            _ => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

fn summary(loaded: &Loaded) -> String {
    match loaded.documents.len() {
        0 => "No documents yet: name some with :docs PATH….".to_owned(),
        1 => "1 document.".to_owned(),
        n => format!("{n} documents."),
    }
}

fn list(loaded: &Loaded, environment: &mut Environment) -> std::io::Result<()> {
    for document in &loaded.documents {
        writeln!(environment.output, "{}", render::harmless(document.name()))?;
    }
    writeln!(environment.output, "{}", summary(loaded))
}

fn history_file() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.data_dir().join("quotable").join("history.txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_to_leave_or_for_help_is_no_question() {
        for line in [":quit", ":q", "quit", "exit", ":exit"] {
            assert_eq!(Typed::of(line), Typed::Quit, "{line}");
        }
        for line in [":help", ":h", "help"] {
            assert_eq!(Typed::of(line), Typed::Help, "{line}");
        }
        for line in ["exit strategy?", "help desk", "who quit?", "quit?"] {
            assert_eq!(Typed::of(line), Typed::Question, "{line}");
        }
        assert_eq!(Typed::of(":top  3"), Typed::Top("3"));
        assert_eq!(Typed::of(":docs"), Typed::List);
        assert_eq!(Typed::of(":docs a b"), Typed::Docs("a b"));
        assert_eq!(Typed::of(":dcos a"), Typed::Unknown(":dcos"));
    }

    #[test]
    fn paths_may_be_in_quotes() {
        for (line, expected) in [
            ("a.txt  b.txt", &["a.txt", "b.txt"] as &[&str]),
            ("\"A folder with spaces\"", &["A folder with spaces"]),
            (
                "'my mail' \"O'Brien's notes\" c",
                &["my mail", "O'Brien's notes", "c"],
            ),
            ("O'Brien.txt it's.md", &["O'Brien.txt", "it's.md"]),
            ("\"no end", &["no end"]),
            ("", &[]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }
}
