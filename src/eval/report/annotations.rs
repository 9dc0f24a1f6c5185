//! Annotations of GitHub Actions: workflow commands on standard output.

use super::Report;
use super::text::scores;
use crate::eval::baseline::{Change, Item, must_pass_and_is_wrong};
use crate::eval::suite::sha256;
use crate::harmless::{one_line, shortened};

/// GitHub shows ten of a kind for a step.
const MOST: usize = 10;

/// A report as the runner of GitHub Actions prints it and obeys nothing in it: words of a suite may begin a line.
/// Commands stop until a token that the report cannot have, since it is made of the report.
#[must_use]
pub fn without_commands(report: Vec<u8>) -> Vec<u8> {
    let token = sha256(&report);
    [
        format!("::stop-commands::{token}\n").into_bytes(),
        report,
        format!("::{token}::\n").into_bytes(),
    ]
    .concat()
}

/// A line for each question that got worse: an error if the gate fails, otherwise a warning. What fails the gate
/// otherwise is one error. Without a comparison, an error for each that must pass and is wrong.
#[must_use]
pub fn annotations(report: &Report, must_pass_wrong: &[&Item]) -> Vec<String> {
    let Some(comparison) = &report.comparison else {
        let wrong = must_pass_wrong.iter().take(MOST);
        return wrong.map(|item| of_item(item)).collect();
    };
    let wrong = &comparison.must_pass_wrong;
    let told: Vec<String> = wrong.iter().map(must_pass_and_is_wrong).collect();
    let failures: Vec<&str> = comparison
        .failures
        .iter()
        .map(String::as_str)
        .filter(|failure| told.iter().all(|told| told != failure))
        .collect();
    let failures = (!failures.is_empty()).then(|| {
        let more = failures.len().saturating_sub(MOST);
        let more = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        let first: Vec<&str> = failures.into_iter().take(MOST).collect();
        command("error", &[("title", "ask eval")], &(first.join("; ") + &more))
    });
    let is_told = |change: &Change| {
        wrong
            .iter()
            .any(|w| (&w.suite, &w.id) == (&change.suite, &change.id))
    };
    let kind = if comparison.holds() { "warning" } else { "error" };
    let losses = comparison.losses.iter().filter(|change| !is_told(change));
    failures
        .into_iter()
        .chain(wrong.iter().map(|change| of_change("error", change)))
        .chain(losses.map(|change| of_change(kind, change)))
        .take(MOST)
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
    let before = change.answer_before.as_ref();
    let before = before.map_or_else(String::new, |before| format!("{} → ", quoted(before, "declined")));
    let message = format!(
        "{} {}{before}{}; wanted {}",
        shortened(&change.question),
        scores(change),
        quoted(&change.answer, "declined"),
        quoted(&change.wanted, "no answer")
    );
    let message = if change.must_pass && !change.right {
        format!("must pass: {message}")
    } else {
        message
    };
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

    #[test]
    fn a_report_cannot_end_the_silence_around_it() {
        let text = "tags\n::stop-commands::zz\n::zz::\n";
        let silent = String::from_utf8(without_commands(text.as_bytes().to_vec())).unwrap();
        let lines: Vec<&str> = silent.lines().collect();
        let token = lines[0].strip_prefix("::stop-commands::").unwrap();
        assert_eq!(lines[4], format!("::{token}::"));
        assert_eq!(silent.matches(token).count(), 2);
        assert!(silent.contains(text) && silent.ends_with("::\n"));
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
