//! The text of documents, as it is read.

use super::documents;
use super::plan::Plan;
use super::render::harmless;
use super::{ANSWERED, ERROR, Environment};

/// `clean`: without markup.
pub(super) fn run(plan: &Plan, clean: bool, environment: &mut Environment) -> anyhow::Result<u8> {
    let loaded = documents::load(&plan.source, &plan.read, environment)?;
    loaded.report(plan.quiet, false, environment);
    for document in &loaded.documents {
        let mut text = String::new();
        if loaded.documents.len() > 1 {
            text = format!("==> {} <==\n", harmless(document.name()));
        }
        let of_document = if clean { document.text() } else { document.source() };
        text += &shown(of_document, environment.output_is_terminal);
        if loaded.documents.len() > 1 || environment.output_is_terminal {
            let ends = text.ends_with('\n');
            text.push_str(if ends { "" } else { "\n" });
        }
        environment.print(text.as_bytes())?;
    }
    Ok(if loaded.unread.is_empty() { ANSWERED } else { ERROR })
}

/// A text: exactly so for programs, without what steers a terminal for people.
fn shown(text: &str, is_terminal: bool) -> String {
    if !is_terminal {
        return text.to_owned();
    }
    text.lines().map(|line| harmless(line) + "\n").collect()
}
