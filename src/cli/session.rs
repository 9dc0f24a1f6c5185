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
  :docs PATH…   read other documents
  :docs         list the documents
  :top N        show N answers
  :help         this
  :quit         leave (also Ctrl-D)
";

pub(super) fn run(mut plan: Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    if !matches!(environment.input, Input::Terminal) {
        bail!("no question; write it in quotes: ask \"who leads negotiations?\"");
    }
    let reader = plan.load(environment)?;
    let mut loaded = match plan.source {
        Source::None => Loaded::default(),
        _ => documents::load(&plan.source, &plan.read, environment)?,
    };
    loaded.report(plan.quiet, environment);
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
            Err(error) => return Err(error.into()),
        };
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let _ = editor.add_history_entry(line);
        match line.split_once(char::is_whitespace).unwrap_or((line, "")) {
            (":quit" | ":q" | ":exit", _) => break,
            (":help" | ":h", _) => write!(environment.output, "{HELP}")?,
            (":top", n) => {
                match n
                    .trim()
                    .parse()
                    .map_err(|_| ())
                    .and_then(|n| plan::checked_top(n, ":top").map_err(|_| ()))
                {
                    Ok(n) => plan.options.top = n,
                    Err(()) => writeln!(environment.output, ":top needs a number from 1 to 1000")?,
                }
            }
            (":docs", "") => list(&loaded, environment)?,
            (":docs", paths) => {
                let paths: Vec<PathBuf> = match PathBuf::from(paths.trim()) {
                    whole if whole.exists() => vec![whole],
                    _ => paths.split_whitespace().map(PathBuf::from).collect(),
                };
                match documents::load_paths(&paths, &plan.read) {
                    Ok(new) => {
                        loaded = new;
                        loaded.report(plan.quiet, environment);
                        writeln!(environment.output, "{}", summary(&loaded))?;
                    }
                    Err(error) => environment.tell(&format!("{error:#}")),
                }
            }
            (command, _) if command.starts_with(':') => {
                writeln!(
                    environment.output,
                    "{}: no such command; :help lists them",
                    render::harmless(command)
                )?;
            }
            _ => {
                let documents: Vec<&Document> = loaded.documents.iter().collect();
                if documents.is_empty() {
                    writeln!(environment.output, "no documents yet; name some with :docs PATH…")?;
                    continue;
                }
                ask::note_language(&loaded, "its confidence does", plan.quiet, environment);
                match ask::answer(&reader, line, &documents, &plan.options, !plan.quiet, environment) {
                    Ok(answers) => {
                        let printer = Printer {
                            colour: plan.colour,
                            around: plan.around,
                            min_confidence: plan.options.min_confidence,
                        };
                        printer.answers(
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
