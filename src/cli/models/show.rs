//! `ask models show`

use super::known::{self, Here, Known};
use super::list::about;
use super::megabytes;
use crate::cli::render::harmless;
use crate::cli::{ANSWERED, Environment, json};
use crate::engine::Kind;
use crate::model::registry::{Entry, Task};

pub(super) fn run(model: &str, json: bool, environment: &mut Environment) -> anyhow::Result<u8> {
    let known = known::of(model, environment)?;
    if json {
        environment.print(&json::line(&known)?)?;
    } else {
        environment.print(text(&known).as_bytes())?;
    }
    Ok(ANSWERED)
}

fn text(known: &Known) -> String {
    let mut lines = vec![("name", known.name.clone())];
    if let Some(entry) = known.recommended {
        of_entry(entry, &mut lines);
    }
    match &known.here {
        Some(here) => of_here(here, known.recommended.is_some(), &mut lines),
        None => lines.push((
            "here",
            format!("no; to download it: ask models pull {}", known.name),
        )),
    }
    lines
        .iter()
        .map(|(label, value)| format!("{label:<14}{}\n", harmless(value)))
        .collect()
}

fn of_entry(entry: &Entry, lines: &mut Vec<(&'static str, String)>) {
    lines.push(("repository", entry.repository.clone()));
    let task = match entry.task {
        Task::Questions => "questions",
        Task::Summaries => "summaries in its own words",
    };
    lines.push(("for", format!("{task}: {}", entry.purpose)));
    lines.push(("architecture", entry.architecture.clone()));
    lines.push(("engines", names(&entry.engines)));
    let n = entry.parameters_millions;
    lines.push(("parameters", format!("{n} million, {} in f32", about(n))));
    lines.push(("licence", entry.licence.clone()));
    for scores in &entry.scores {
        let metrics: Vec<String> = scores
            .metrics
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        lines.push((
            "scores",
            format!("{}: {} ({})", scores.on, metrics.join(", "), scores.source),
        ));
    }
}

fn of_here(here: &Here, recommended: bool, lines: &mut Vec<(&'static str, String)>) {
    if !recommended {
        let architecture = here.architecture.as_deref().unwrap_or("unknown");
        lines.push(("architecture", architecture.to_owned()));
        lines.push(("engines", names(here.engines)));
        if let Some(licence) = &here.licence {
            lines.push(("licence", licence.clone()));
        }
    }
    if let Some(parameters) = here.parameters {
        lines.push(("counted", format!("{parameters} parameters in its weights")));
    }
    let calibrated = if here.calibrated {
        "yes"
    } else {
        "no; ask eval --calibrate does it"
    };
    lines.push(("calibrated", calibrated.to_owned()));
    match &here.path {
        Some(path) => lines.push(("here", path.display().to_string())),
        None => lines.push(("here", "in the program".to_owned())),
    }
    if let Some(commit) = &here.commit {
        let revisions = match here.revisions.as_slice() {
            [] => String::new(),
            revisions => format!(" ({})", revisions.join(", ")),
        };
        lines.push(("commit", format!("{commit}{revisions}")));
    }
    if let Some(date) = &here.pulled {
        lines.push(("pulled", date.clone()));
    }
    for file in &here.files {
        lines.push(("file", format!("{}, {}", file.name, megabytes(file.bytes))));
    }
    if !here.whole {
        lines.push(("missing", "config.json, tokenizer.json or the weights".to_owned()));
    }
}

fn names(engines: &[Kind]) -> String {
    match engines {
        [] => "none".to_owned(),
        _ => engines
            .iter()
            .map(|engine| engine.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    }
}
