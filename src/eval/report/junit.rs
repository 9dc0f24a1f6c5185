//! JUnit XML, as build servers read it.

use std::collections::HashSet;

use minijinja::Error;
use serde::Serialize;

use super::Report;
use super::template::render;
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

/// The report as JUnit XML: a test for every question. Beside a baseline, a test fails when its question got
/// worse and is skipped when it is as wrong as before, and the gate is a test of its own; without one, every
/// wrong question fails.
///
/// # Errors
/// Never, unless the template is wrong.
pub fn junit(report: &Report) -> Result<String, Error> {
    let comparison = report.comparison.as_ref();
    let worse: HashSet<(&str, &str)> = comparison
        .into_iter()
        .flat_map(|c| c.losses.iter().chain(&c.must_pass_wrong))
        .map(|change| (change.suite.as_str(), change.id.as_str()))
        .collect();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for suite in &report.suites {
        let cases: Vec<Case<'_>> = report
            .questions
            .iter()
            .filter(|o| o.suite == suite.name)
            .map(|o| {
                let shown = |text: &str| {
                    if text.is_empty() {
                        "(declined)".to_owned()
                    } else {
                        text.to_owned()
                    }
                };
                let wanted = if o.golds.is_empty() {
                    "(no answer)".to_owned()
                } else {
                    o.golds.join(" | ")
                };
                let message = format!("got {}, wanted {wanted}", shown(&o.prediction));
                let fails = if comparison.is_some() {
                    worse.contains(&(o.suite.as_str(), o.id.as_str()))
                } else {
                    !o.right
                };
                Case {
                    name: &o.id,
                    detail: format!(
                        "{} F1 {:.3}, confidence {:.2}, {}:{}",
                        o.question, o.f1, o.confidence, o.document, o.line
                    ),
                    failure: fails.then(|| message.clone()),
                    skipped: (!fails && !o.right).then(|| format!("wrong as in the baseline: {message}")),
                }
            })
            .collect();
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

fn group<'a>(name: &'a str, file: &'a str, cases: Vec<Case<'a>>) -> Group<'a> {
    Group {
        name,
        file,
        failures: cases.iter().filter(|c| c.failure.is_some()).count(),
        skipped: cases.iter().filter(|c| c.skipped.is_some()).count(),
        cases,
    }
}
