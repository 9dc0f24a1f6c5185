//! Annotations of GitHub Actions: workflow commands on standard output.

use super::Report;
use super::text::shortened;
use crate::eval::baseline::Change;
use crate::harmless::one_line;

/// GitHub shows ten of a kind for a step.
const MOST: usize = 10;

/// A line for each question that got worse: an error if the gate fails, otherwise a warning. Without a
/// comparison there are none.
#[must_use]
pub fn annotations(report: &Report) -> Vec<String> {
    let Some(comparison) = &report.comparison else {
        return Vec::new();
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

fn of_change(kind: &str, change: &Change) -> String {
    let shown = |answer: &str| {
        if answer.is_empty() {
            "declined".to_owned()
        } else {
            format!("“{}”", shortened(answer))
        }
    };
    let line = change.line.to_string();
    let title = format!("{}/{}", change.suite, change.id);
    let wanted = if change.wanted.is_empty() {
        "no answer".to_owned()
    } else {
        format!("“{}”", shortened(&change.wanted))
    };
    let message = format!(
        "{} F1 {:.2} → {:.2}: {} → {}; wanted {wanted}",
        shortened(&change.question),
        change.score_before,
        change.score,
        shown(&change.answer_before),
        shown(&change.answer)
    );
    command(
        kind,
        &[("file", &change.file), ("line", &line), ("title", &title)],
        &message,
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
