//! JUnit XML, as build servers read it.

use std::collections::{HashMap, HashSet};

use minijinja::Error;
use serde::Serialize;

use super::Report;
use super::template::render;
use super::text::scores;
use crate::eval::baseline::{Change, Comparison};
use crate::eval::problem::counted;

const TEMPLATE: &str = include_str!("junit.xml");

#[derive(Serialize)]
struct Case<'a> {
    name: &'a str,
    /// What fails the build, in one line.
    failure: Option<String>,
    /// What is wrong but was so before.
    skipped: Option<String>,
    detail: String,
}

#[derive(Serialize)]
struct Group<'a> {
    name: &'a str,
    file: &'a str,
    cases: Vec<Case<'a>>,
    failures: usize,
    skipped: usize,
}

/// What the template is given.
#[derive(Serialize)]
struct Page<'a> {
    tests: usize,
    failures: usize,
    skipped: usize,
    date: &'a str,
    groups: Vec<Group<'a>>,
}

/// The report as JUnit XML: a test for every question, and for every summary of the system of this name that is
/// checked. Beside a baseline, the gate is a test of its own: while it holds, nothing fails, and what is wrong is
/// skipped; where it does not, what got worse fails. Without one, all that is wrong fails.
///
/// # Errors
/// Never, unless the template is wrong.
pub fn junit(report: &Report, system: Option<&str>) -> Result<String, Error> {
    let comparison = report.comparison.as_ref();
    let verdicts = Verdicts::of(comparison);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for suite in &report.suites {
        let questions = report
            .questions
            .iter()
            .filter(|o| o.suite == suite.name)
            .map(|o| {
                let wanted = match o.golds.as_slice() {
                    [] => "(no answer)".to_owned(),
                    golds => golds.join(" | "),
                };
                let message = match &o.error {
                    Some(error) => format!("could not be asked: {error}"),
                    None => format!("got {}, wanted {wanted}", or(&o.prediction, "(declined)")),
                };
                let detail = format!(
                    "{} F1 {:.3}, confidence {:.2}, {}:{}",
                    o.question, o.f1, o.confidence, o.document, o.line
                );
                verdicts.case((&o.suite, &o.id), o.right, message, detail)
            });
        let checks = report
            .summary_checks
            .iter()
            .filter(|o| o.suite == suite.name && Some(o.system.as_str()) == system)
            .filter_map(|o| {
                let has = [("lacks", &o.missing), ("has", &o.forbidden)];
                let message: Vec<String> = has
                    .iter()
                    .filter(|(_, words)| !words.is_empty())
                    .map(|(what, words)| format!("{what} {}", words.join(" | ")))
                    .collect();
                Some(verdicts.case(
                    (&o.suite, &o.id),
                    o.passed?,
                    message.join("; "),
                    o.summary.clone(),
                ))
            });
        let cases = questions.chain(checks).collect();
        groups.push(group(&suite.name, &suite.file, cases));
    }
    if let Some(comparison) = comparison {
        let gate = Case {
            name: "gate",
            failure: (!comparison.holds()).then(|| comparison.failures.join("; ")),
            skipped: None,
            detail: format!(
                "{} compared, {:+.2} points",
                counted(comparison.compared, "question"),
                comparison.difference
            ),
        };
        groups.push(group("baseline", "", vec![gate]));
    }
    let sum = |count: fn(&Group<'_>) -> usize| groups.iter().map(count).sum::<usize>();
    let page = Page {
        tests: sum(|g| g.cases.len()),
        failures: sum(|g| g.failures),
        skipped: sum(|g| g.skipped),
        date: report.provenance.date.trim_end_matches('Z'),
        groups,
    };
    render("junit.xml", TEMPLATE, &page)
}

fn or<'a>(text: &'a str, empty: &'a str) -> &'a str {
    if text.is_empty() { empty } else { text }
}

/// What the comparison says of each question, by suite and id.
#[derive(Default)]
struct Verdicts<'a> {
    compares: bool,
    holds: bool,
    must_pass: HashSet<(&'a str, &'a str)>,
    worse: HashMap<(&'a str, &'a str), &'a Change>,
    new: HashSet<&'a str>,
}

impl<'a> Verdicts<'a> {
    fn of(comparison: Option<&'a Comparison>) -> Self {
        let Some(comparison) = comparison else {
            return Self::default();
        };
        let key = |change: &'a Change| (change.suite.as_str(), change.id.as_str());
        Self {
            compares: true,
            holds: comparison.holds(),
            must_pass: comparison.must_pass_wrong.iter().map(key).collect(),
            worse: comparison
                .losses
                .iter()
                .map(|change| (key(change), change))
                .collect(),
            new: comparison.new.iter().map(String::as_str).collect(),
        }
    }

    fn case(&self, key: (&str, &'a str), right: bool, message: String, detail: String) -> Case<'a> {
        let worse = self.worse.get(&key);
        let message = worse.map_or_else(String::new, |change| scores(change)) + &message;
        let fails = if self.compares {
            self.must_pass.contains(&key) || worse.is_some() && !self.holds
        } else {
            !right
        };
        let skipped = if fails {
            None
        } else if worse.is_some() {
            Some("worse than in the baseline, and the gate holds")
        } else if right {
            None
        } else if self.new.contains(format!("{}/{}", key.0, key.1).as_str()) {
            Some("wrong, and not in the baseline")
        } else {
            Some("wrong as in the baseline")
        };
        Case {
            name: key.1,
            skipped: skipped.map(|how| format!("{how}: {message}")),
            failure: fails.then_some(message),
            detail,
        }
    }
}

fn group<'a>(name: &'a str, file: &'a str, cases: Vec<Case<'a>>) -> Group<'a> {
    Group {
        name,
        file,
        failures: cases.iter().filter(|c| c.failure.is_some()).count(),
        skipped: cases.iter().filter(|c| c.skipped.is_some()).count(),
        cases,
    }
}
