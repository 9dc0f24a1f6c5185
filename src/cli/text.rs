//! The text of documents, as it is read.

use super::documents;
use super::plan::Plan;
use super::render::harmless;
use super::{ANSWERED, ERROR, Environment};
use crate::document::Document;

pub(super) fn run(plan: &Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    let loaded = documents::load(&plan.source, &plan.read, environment)?;
    loaded.report(plan.quiet, false, environment);
    for document in &loaded.documents {
        let mut text = String::new();
        if loaded.documents.len() > 1 {
            text = format!("==> {} <==\n", harmless(document.name()));
        }
        text += &shown(document, environment.output_is_terminal);
        if loaded.documents.len() > 1 || environment.output_is_terminal {
            let ends = text.ends_with('\n');
            text.push_str(if ends { "" } else { "\n" });
        }
        environment.print(text.as_bytes())?;
    }
    Ok(if loaded.unread.is_empty() { ANSWERED } else { ERROR })
}

/// What bytes and lines of answers count: exactly so for programs, without what steers a terminal for people.
fn shown(document: &Document, is_terminal: bool) -> String {
    let source = document.source();
    if !is_terminal {
        return source.to_owned();
    }
    source.lines().map(|line| harmless(line) + "\n").collect()
}
