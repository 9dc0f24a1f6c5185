//! `ask models list`

use serde::Serialize;

use super::known::{self, Here, Known};
use super::{megabytes, store};
use crate::cli::render::harmless;
use crate::cli::{ANSWERED, Environment, json};
use crate::engine::Kind;
use crate::error::Error;
use crate::model::cache::MAIN;
use crate::model::registry::{self, Task};

#[derive(Serialize)]
struct Line<'a> {
    store: &'a str,
    models: &'a [Known],
    /// Models in the store that `ask` does not read, or that are not whole.
    others: usize,
}

pub(super) fn run(json: bool, environment: &mut Environment) -> anyhow::Result<u8> {
    let store = store(environment)?;
    let snapshots = store.list().map_err(|reason| Error::Unreadable {
        path: store.root().to_owned(),
        reason,
    })?;
    let mut models = vec![known::built_in()];
    for entry in registry::entries() {
        let of_main = snapshots
            .iter()
            .filter(|snapshot| snapshot.repository() == entry.repository && snapshot.is_whole())
            .max_by_key(|snapshot| snapshot.revisions().iter().any(|revision| revision == MAIN));
        models.push(Known {
            name: entry.name.clone(),
            recommended: Some(entry),
            here: of_main.map(known::of_snapshot),
        });
    }
    let mut others = 0;
    for snapshot in &snapshots {
        let shown = |known: &Known| {
            let here = known.here.as_ref();
            here.is_some_and(|here| here.path.as_deref() == Some(snapshot.directory()))
        };
        if models.iter().any(shown) {
            continue;
        }
        let here = known::of_snapshot(snapshot);
        if !here.whole || here.engines.is_empty() {
            others += 1;
            continue;
        }
        let main = here.revisions.iter().any(|revision| revision == MAIN);
        models.push(Known {
            name: if main {
                snapshot.repository().to_owned()
            } else {
                snapshot.to_string()
            },
            recommended: None,
            here: Some(here),
        });
    }
    let root = store.root().display().to_string();
    if json {
        let line = json::line(&Line {
            store: &root,
            models: &models,
            others,
        })?;
        environment.print(&line)?;
    } else {
        environment.print(table(&models, &root, others).as_bytes())?;
    }
    Ok(ANSWERED)
}

fn table(models: &[Known], root: &str, others: usize) -> String {
    let mut rows = vec![["NAME", "FOR", "ENGINE", "SIZE", "LICENCE", "HERE"].map(str::to_owned)];
    rows.extend(models.iter().map(row));
    let widths: Vec<usize> = (0..6)
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text += &format!("\nThe store: {}", harmless(root));
    match others {
        0 => {}
        1 => text += ", with one other model that is not whole or that ask does not read",
        n => text += &format!(", with {n} other models that are not whole or that ask does not read"),
    }
    text + "\nTo download one: ask models pull NAME\n"
}

fn row(known: &Known) -> [String; 6] {
    let entry = known.recommended;
    let here = known.here.as_ref();
    let engines = match (entry, here) {
        (Some(entry), _) => entry.engines.as_slice(),
        (None, Some(here)) => here.engines,
        (None, None) => &[],
    };
    let names: Vec<&str> = engines.iter().map(|engine: &Kind| engine.as_str()).collect();
    let size = match (here, entry) {
        (Some(here), _) => megabytes(here.bytes()),
        (None, Some(entry)) => about(entry.parameters_millions),
        (None, None) => String::new(),
    };
    let licence = entry.map(|entry| entry.licence.clone());
    let licence = licence.or_else(|| here?.licence.clone()).unwrap_or_default();
    [
        known.name.clone(),
        purpose(entry.map(|entry| entry.task), here).to_owned(),
        names.join(", "),
        size,
        licence,
        if here.is_some() { "yes" } else { "" }.to_owned(),
    ]
    .map(|cell| harmless(&cell).into_owned())
}

/// What the architecture is for, where the registry does not say it.
fn purpose(task: Option<Task>, here: Option<&Here>) -> &'static str {
    match task {
        Some(Task::Questions) => "questions",
        Some(Task::Summaries) => "summaries",
        None if here.is_some_and(|here| here.path.is_none()) => "questions, summaries",
        None => "",
    }
}

/// The size of f32 weights: `about 130 MB`.
pub(super) fn about(parameters_millions: u32) -> String {
    let megabytes = f64::from(parameters_millions) * 4.0;
    if megabytes < 1000.0 {
        format!("about {:.0} MB", (megabytes / 10.0).round() * 10.0)
    } else {
        format!("about {:.1} GB", megabytes / 1000.0)
    }
}
