//! Annotations of GitHub Actions: workflow commands on standard output.

use super::Report;
use super::text::shortened;
use crate::eval::baseline::{Change, Item};
use crate::harmless::one_line;

/// GitHub shows ten of a kind for a step.
const MOST: usize = 10;

/// A line for each question that got worse: an error if the gate fails, otherwise a warning. Without a
/// comparison, an error for each that must pass and is wrong.
#[must_use]
pub fn annotations(report: &Report, must_pass_wrong: &[&Item]) -> Vec<String> {
    let Some(comparison) = &report.comparison else {
        let wrong = must_pass_wrong.iter().take(MOST);
        return wrong.map(|item| of_item(item)).collect();
    };
    let kind = if comparison.holds() { "warning" } else { "error" };
    let failures = comparison
        .failures
        .iter()
        .map(|failure| command("error", &[("title", "ask eval")], failure));
    let wrong = comparison
        .must_pass_wrong
        .iter()
        .map(|change| of_change("error", change));
    let losses = comparison
        .losses
        .iter()
        .filter(|change| !change.must_pass || change.right)
        .map(|change| of_change(kind, change));
    failures
        .chain(wrong)
        .take(MOST)
        .chain(losses.take(MOST))
        .collect()
}

fn of_item(item: &Item) -> String {
    let message = format!(
        "{} must pass and is wrong: {}; wanted {}",
        shortened(&item.question),
        quoted(&item.kept.answer, "declined"),
        quoted(&item.wanted, "no answer")
    );
    let (file, line) = &item.defined;
    at("error", file, *line, (&item.suite, &item.id), &message)
}

fn of_change(kind: &str, change: &Change) -> String {
    let message = format!(
        "{} F1 {:.2} → {:.2}: {} → {}; wanted {}",
        shortened(&change.question),
        change.score_before,
        change.score,
        quoted(&change.answer_before, "declined"),
        quoted(&change.answer, "declined"),
        quoted(&change.wanted, "no answer")
    );
    at(
        kind,
        &change.file,
        change.line,
        (&change.suite, &change.id),
        &message,
    )
}

fn quoted(answer: &str, empty: &str) -> String {
    if answer.is_empty() {
        empty.to_owned()
    } else {
        format!("“{}”", shortened(answer))
    }
}

/// A command about a question, at the line of its suite.
fn at(kind: &str, file: &str, line: usize, (suite, id): (&str, &str), message: &str) -> String {
    let (line, title) = (line.to_string(), format!("{suite}/{id}"));
    command(
        kind,
        &[("file", file), ("line", &line), ("title", &title)],
        message,
    )
}

/// `::error file=a.toml,line=3::message`, with what would end a value or a command escaped.
fn command(kind: &str, properties: &[(&str, &str)], message: &str) -> String {
    let properties: Vec<String> = properties
        .iter()
        .map(|(name, value)| {
            format!(
                "{name}={}",
                escaped(value).replace(':', "%3A").replace(',', "%2C")
            )
        })
        .collect();
    format!("::{kind} {}::{}", properties.join(","), escaped(message))
}

fn escaped(text: &str) -> String {
    one_line(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_cannot_end_a_command() {
        let made = command(
            "error",
            &[("file", "a,b::c.toml"), ("title", "100%\n::stop")],
            "x\r\n::error::y",
        );
        assert_eq!(
            made,
            "::error file=a%2Cb%3A%3Ac.toml,title=100%25 %3A%3Astop::x  ::error::y"
        );
    }

    proptest! {
        #[test]
        fn a_command_is_one_line_with_its_own_separators(value in "(?s).{0,30}", message in "(?s).{0,30}") {
            let made = command("warning", &[("title", &value)], &message);
            prop_assert!(!made.contains(['\n', '\r', '\u{1b}', '\u{202e}']), "{}", made);
            let head = made.strip_prefix("::warning title=").unwrap();
            let (value, _) = head.split_once("::").unwrap();
            prop_assert!(!value.contains([',', ':']));
        }
    }
}
