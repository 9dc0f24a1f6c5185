//! The report for a terminal and as Markdown.

use super::Report;
use crate::eval::baseline::{Change, Comparison};
use crate::eval::calibration::Reliability;
use crate::eval::problem::counted;
use crate::eval::run::Outcome;
use crate::eval::scores::{Figure, Scores, SummaryScores};
use crate::harmless::{one_line, shortened};

/// Changes that are listed one by one.
const MOST_CHANGES: usize = 50;
/// Questions that are not right and listed.
const MOST_WRONG: usize = 20;
/// Tags that are listed.
const MOST_TAGS: usize = 20;
/// Suites that have a column of their own.
const MOST_SUITES: usize = 6;

/// How a line looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A heading.
    Heading,
    /// As it is.
    Plain,
    /// Something to be seen: a loss, a failure.
    Bad,
    /// Something good.
    Good,
    /// Of less weight.
    Faint,
}

/// A line for a terminal. Whatever came from a file is harmless in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it looks.
    pub style: Style,
    /// What it says.
    pub text: String,
}

/// A table: its head, and rows of a label and cells.
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<(String, Vec<String>)>,
}

/// A part of the report.
enum Part {
    Heading(String),
    Table(Table),
    Lines(Vec<Line>),
}

/// The report for a terminal.
#[must_use]
pub fn text(report: &Report) -> Vec<Line> {
    let mut out = Vec::new();
    for part in parts(report) {
        match part {
            Part::Heading(text) => {
                if !out.is_empty() {
                    out.push(line(Style::Plain, ""));
                }
                out.push(line(Style::Heading, &text));
            }
            Part::Table(table) => out.extend(aligned(&table)),
            Part::Lines(lines) => out.extend(lines),
        }
    }
    out
}

/// The report as Markdown (CommonMark with tables), for a pull request or a job summary.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    for part in parts(report) {
        match part {
            Part::Heading(text) => out += &format!("\n### {}\n\n", escaped(&text)),
            Part::Table(table) => {
                let row = |cells: &mut dyn Iterator<Item = &String>| {
                    let cells: Vec<String> = cells.map(|cell| escaped(cell)).collect();
                    format!("| {} |\n", cells.join(" | "))
                };
                out += &row(&mut std::iter::once(&String::new()).chain(&table.head));
                out += &format!("|---|{}\n", "--:|".repeat(table.head.len()));
                for (label, cells) in &table.rows {
                    out += &row(&mut std::iter::once(label).chain(cells));
                }
            }
            Part::Lines(lines) => {
                out.push('\n');
                for line in lines.iter().filter(|line| !line.text.is_empty()) {
                    let text = escaped(line.text.trim_start());
                    out += &if line.style == Style::Bad {
                        format!("- **{text}**\n")
                    } else {
                        format!("- {text}\n")
                    };
                }
            }
        }
    }
    out.trim_start().to_owned()
}

/// Text that Markdown takes as it is: what could be markup has a backslash (CommonMark 2.4), and no HTML is
/// left.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '&' => out += "&amp;",
            // An at sign and a number sign would call people and issues on GitHub.
            '@' => out += "&#64;",
            '#' => out += "&#35;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    // A link that Markdown would make of a bare address.
    out.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
}

fn parts(report: &Report) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(scores) = &report.scores {
        let several = report.suites.iter().filter(|s| s.scores.is_some()).count() > 1;
        let own = if several { &report.suites[..] } else { &[] };
        let columns: Vec<(String, &Scores)> = std::iter::once(("all".to_owned(), scores))
            .chain(
                own.iter()
                    .filter_map(|s| Some((one_line(&s.name), s.scores.as_ref()?)))
                    .take(MOST_SUITES),
            )
            .collect();
        parts.push(Part::Heading("Answers".to_owned()));
        parts.push(Part::Table(answers(&columns)));
        let hidden = own
            .iter()
            .filter(|s| s.scores.is_some())
            .count()
            .saturating_sub(MOST_SUITES);
        if hidden > 0 {
            parts.push(Part::Lines(vec![line(
                Style::Faint,
                &format!("{hidden} more suites: --json or --html has them"),
            )]));
        }
        if !report.tags.is_empty() {
            parts.push(Part::Heading("By tag".to_owned()));
            parts.push(Part::Table(Table {
                head: ["questions", "F1", "right", "F1, always answering"]
                    .map(str::to_owned)
                    .to_vec(),
                rows: report
                    .tags
                    .iter()
                    .take(MOST_TAGS)
                    .map(|t| {
                        (
                            one_line(&t.tag),
                            vec![
                                t.questions.to_string(),
                                one(t.f1),
                                one(t.right),
                                t.always_f1.map_or_else(none, one),
                            ],
                        )
                    })
                    .collect(),
            }));
        }
    }
    if !report.summaries.is_empty() {
        parts.push(Part::Heading("Summaries".to_owned()));
        parts.push(Part::Table(summaries(&report.summaries)));
    }
    // Beside a baseline, what changed is what counts.
    let wrong: Vec<&Outcome> = report.questions.iter().filter(|o| !o.right).collect();
    if report.comparison.is_none() && !wrong.is_empty() {
        parts.push(Part::Heading("Not right".to_owned()));
        let shown = wrong.iter().take(MOST_WRONG);
        let mut lines: Vec<Line> = shown.map(|o| line(Style::Plain, &not_right(o))).collect();
        if wrong.len() > MOST_WRONG {
            let more = format!("{} more: --json or --html has them", wrong.len() - MOST_WRONG);
            lines.push(line(Style::Faint, &more));
        }
        parts.push(Part::Lines(lines));
    }
    if let Some(comparison) = &report.comparison {
        parts.push(Part::Heading(format!(
            "Beside the baseline of {} ({})",
            comparison.baseline_date, comparison.baseline_model
        )));
        parts.push(Part::Lines(compared(comparison)));
    }
    parts.push(Part::Heading("What was measured".to_owned()));
    parts.push(Part::Lines(
        provenance(report)
            .into_iter()
            .map(|text| line(Style::Faint, &text))
            .collect(),
    ));
    parts
}

fn answers(columns: &[(String, &Scores)]) -> Table {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut row = |label: &str, cell: &dyn Fn(&Scores) -> Option<String>| {
        let cells: Vec<Option<String>> = columns.iter().map(|(_, scores)| cell(scores)).collect();
        if cells.iter().any(Option::is_some) {
            rows.push((
                label.to_owned(),
                cells.into_iter().map(|c| c.unwrap_or_else(none)).collect(),
            ));
        }
    };
    row("questions", &|s| Some(s.questions.to_string()));
    row("  with an answer", &|s| Some(s.answerable.to_string()));
    row("  answered", &|s| Some(s.answered.to_string()));
    row("  not asked (errors)", &|s| {
        (s.errors > 0).then(|| s.errors.to_string())
    });
    row("exact match", &|s| Some(figure(&s.exact)));
    row("F1", &|s| Some(figure(&s.f1)));
    row("right (EM or F1 ≥ 0.6)", &|s| Some(figure(&s.right)));
    row("with an answer: EM / F1", &|s| {
        pair(s.has_answer_exact, s.has_answer_f1)
    });
    row("  always answering", &|s| pair(s.always_exact, s.always_f1));
    row("  floor: best BM25 sentence, F1", &|s| s.floor_f1.map(one));
    row("  floor: it holds an answer", &|s| s.floor_holds_gold.map(one));
    row("without: declined", &|s| s.no_answer.map(one));
    row("best threshold here: EM / F1", &|s| {
        pair(Some(s.best_exact), Some(s.best_f1))
    });
    row("threshold of the other half: EM / F1", &|s| {
        pair(s.split.map(|h| h.exact), s.split.map(|h| h.f1))
    });
    row("AUROC of no answer", &|s| s.no_answer_auroc.map(three));
    row("area under risk–coverage", &|s| Some(three(s.risk_area)));
    row("confidence: ECE / Brier", &|s| s.confidence.as_ref().map(held));
    row("  exact match alone: ECE / Brier", &|s| {
        s.confidence_exact.as_ref().map(held)
    });
    row("not in document: ECE / Brier", &|s| {
        s.not_in_document.as_ref().map(held)
    });
    row("cited: holds an answer", &|s| s.cites_gold.map(one));
    row("cited: in the right place", &|s| s.cites_place.map(one));
    row("right document: first / first three", &|s| {
        pair(s.document_recall_1, s.document_recall_3)
    });
    Table {
        head: columns.iter().map(|(name, _)| name.clone()).collect(),
        rows,
    }
}

fn summaries(systems: &[SummaryScores]) -> Table {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut row = |label: &str, cell: &dyn Fn(&SummaryScores) -> Option<String>| {
        let cells: Vec<Option<String>> = systems.iter().map(cell).collect();
        if cells.iter().any(Option::is_some) {
            rows.push((
                label.to_owned(),
                cells.into_iter().map(|c| c.unwrap_or_else(none)).collect(),
            ));
        }
    };
    row("summaries", &|s| Some(s.summaries.to_string()));
    for (i, name) in ["ROUGE-1", "ROUGE-2", "ROUGE-L", "ROUGE-Lsum"]
        .into_iter()
        .enumerate()
    {
        row(name, &|s| s.rouge.map(|rouge| figure(&rouge[i])));
    }
    row("checks passed", &|s| s.checks_passed.map(one));
    row("words for each of the text", &|s| Some(three(s.compression)));
    row("copied in stretches", &|s| Some(three(s.coverage)));
    row("repeats itself", &|s| Some(three(s.redundancy)));
    row("sentences that lean on a missing one", &|s| {
        Some(three(s.dangling))
    });
    Table {
        head: systems.iter().map(|s| one_line(&s.system)).collect(),
        rows,
    }
}

fn compared(c: &Comparison) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(changed) = &c.asked_changed {
        lines.push(line(Style::Bad, &format!("does not compare: {changed}")));
    }
    for failure in &c.failures {
        lines.push(line(Style::Bad, &format!("worse: {failure}")));
    }
    if c.holds() {
        lines.push(line(Style::Good, "holds: nothing that counts got worse"));
    }
    let interval = c.interval.map_or_else(String::new, |i| {
        format!(" (95 %: {:+.2} to {:+.2})", i.low, i.high)
    });
    lines.push(line(
        Style::Plain,
        &format!(
            "{} compared: {:+.2} points{interval}; right answers: {} lost, {} gained, McNemar p = {}",
            counted(c.compared, "question"),
            c.difference,
            c.lost_right,
            c.gained_right,
            three(c.mcnemar_p)
        ),
    ));
    let mut list = |what: &str, style: Style, changes: &[Change]| {
        for change in changes.iter().take(MOST_CHANGES) {
            lines.push(line(style, &format!("{what} {}", changed(change))));
        }
        if changes.len() > MOST_CHANGES {
            lines.push(line(
                Style::Faint,
                &format!("{} more: --json has them", changes.len() - MOST_CHANGES),
            ));
        }
    };
    list("lost", Style::Bad, &c.losses);
    list("gained", Style::Good, &c.gains);
    lines.extend(not_compared(c).iter().map(|text| line(Style::Faint, text)));
    lines
}

/// What of run and baseline has nothing to be compared with, or is not what it was, in lines.
pub(super) fn not_compared(c: &Comparison) -> Vec<String> {
    let lists = [
        ("not in the baseline", &c.new),
        ("not asked any more", &c.gone),
        ("suites of the baseline that were not run", &c.suites_not_run),
        ("suites that changed since", &c.suites_changed),
        ("suites whose documents changed since", &c.documents_changed),
    ];
    let one = |(what, names): (&str, &Vec<String>)| {
        let shown: Vec<String> = names.iter().take(10).map(|name| one_line(name)).collect();
        let more = if names.len() > 10 { " …" } else { "" };
        format!("{what} ({}): {}{more}", names.len(), shown.join(", "))
    };
    lists
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(one)
        .collect()
}

fn changed(change: &Change) -> String {
    format!(
        "{}/{}: {}{} → {}; wanted {}",
        one_line(&change.suite),
        one_line(&change.id),
        scores(change),
        given(change.answer_before.as_deref().unwrap_or_default()),
        given(&change.answer),
        wanted(&change.wanted)
    )
}

fn not_right(o: &Outcome) -> String {
    let given = match &o.error {
        Some(error) => one_line(error),
        None => given(&o.prediction),
    };
    let gold = o.golds.first().map_or("", String::as_str);
    format!(
        "{}/{}: {given}; wanted {}",
        one_line(&o.suite),
        one_line(&o.id),
        wanted(gold)
    )
}

/// An answer, if one was given.
fn given(answer: &str) -> String {
    match answer {
        "" => "declined".to_owned(),
        answer => format!("“{}”", shortened(answer)),
    }
}

fn wanted(answer: &str) -> String {
    match answer {
        "" => "no answer".to_owned(),
        answer => format!("“{}”", shortened(answer)),
    }
}

/// "F1 1.00 → 0.00: "; nothing for what is not in the baseline.
pub(super) fn scores(change: &Change) -> String {
    let before = change.score_before;
    before.map_or_else(String::new, |before| {
        format!("F1 {before:.2} → {:.2}: ", change.score)
    })
}

/// What was measured, with what, where and when, in lines.
pub(super) fn provenance(report: &Report) -> Vec<String> {
    let p = &report.provenance;
    let sha = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
    let model_sha = p
        .model_sha256
        .as_deref()
        .map_or_else(String::new, |hash| format!(" (sha256 {}…)", sha(hash)));
    let calibrated = if p.calibrated { "" } else { ", not calibrated" };
    let mut lines = vec![format!(
        "ask {}, {}{model_sha}{calibrated}",
        p.ask,
        one_line(&p.model)
    )];
    for suite in &report.suites {
        lines.push(format!(
            "{}: {} (sha256 {}…), {} (sha256 {}…)",
            one_line(&suite.name),
            one_line(&suite.file),
            sha(&suite.sha256),
            counted(suite.documents, "document"),
            sha(&suite.documents_sha256)
        ));
    }
    let answering = if p.always_answer {
        "always answering".to_owned()
    } else {
        format!("declined from {} on", p.threshold)
    };
    let limit = p.limit.map_or_else(String::new, |n| {
        format!(", at most {n} questions of a suite, evenly spread")
    });
    let least = if p.min_confidence > 0.0 {
        format!(", confidence {} at least", p.min_confidence)
    } else {
        String::new()
    };
    let skim = if p.skim { ", skimming" } else { "" };
    lines.push(format!(
        "{answering}{least}{skim}{limit}; bootstrap of {} resamples, seed {}",
        p.resamples, p.seed
    ));
    if let Some(latency) = &report.latency {
        lines.push(format!(
            "a question alone: p50 {:.0} ms, p95 {:.0} ms ({} timed); all side by side: {:.1} a second",
            latency.p50_ms, latency.p95_ms, latency.timed, latency.questions_per_second
        ));
    }
    let kernels = p.kernels.as_ref().map(|kernels| format!(", {kernels}"));
    lines.push(format!(
        "{}{}, {}, {}",
        one_line(&p.machine),
        kernels.unwrap_or_default(),
        counted(p.threads, "thread"),
        p.date
    ));
    lines
}

pub(super) fn aligned(table: &Table) -> Vec<Line> {
    let width = |text: &str| text.chars().count();
    let label = table
        .rows
        .iter()
        .map(|(label, _)| width(label))
        .max()
        .unwrap_or(0);
    let widths: Vec<usize> = (0..table.head.len())
        .map(|i| {
            let cells = table.rows.iter().map(|(_, cells)| width(&cells[i]));
            cells.chain([width(&table.head[i])]).max().unwrap_or(0)
        })
        .collect();
    let padded = |text: &str, to: usize| format!("{}{text}", " ".repeat(to.saturating_sub(width(text))));
    let row = |name: &str, cells: &[String]| {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| padded(cell, *width))
            .collect();
        format!(
            "{name}{}  {}",
            " ".repeat(label.saturating_sub(width(name))),
            cells.join("  ")
        )
    };
    let mut lines = Vec::new();
    if table.head.len() > 1 {
        lines.push(line(Style::Faint, &row("", &table.head)));
    }
    lines.extend(
        table
            .rows
            .iter()
            .map(|(label, cells)| line(Style::Plain, &row(label, cells))),
    );
    lines
}

pub(super) fn line(style: Style, text: &str) -> Line {
    Line {
        style,
        text: one_line(text),
    }
}

/// `77.8 [75.1, 80.2]`
pub(super) fn figure(figure: &Figure) -> String {
    match figure.interval {
        Some(interval) => format!(
            "{:.1} [{:.1}, {:.1}]",
            figure.percent, interval.low, interval.high
        ),
        None => one(figure.percent),
    }
}

fn pair(a: Option<f64>, b: Option<f64>) -> Option<String> {
    Some(format!("{:.1} / {:.1}", a?, b?))
}

fn held(r: &Reliability) -> String {
    format!("{:.3} / {:.3}", r.ece, r.brier)
}

fn one(value: f64) -> String {
    format!("{value:.1}")
}

fn three(value: f64) -> String {
    format!("{value:.3}")
}

pub(super) fn none() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    proptest! {
        /// Whatever a suite holds, in Markdown it is text and nothing else.
        #[test]
        fn markdown_is_only_text(text in "(?s)([a-z <>&*_`|\\[\\]()!#@~$\\\\\u{1b}\u{202e}\n]|https://x\\.y|www\\.x\\.y|.){0,40}") {
            let source = format!("| a |\n|---|\n| {} |\n", escaped(&text));
            let events: Vec<Event> = Parser::new_ext(&source, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).collect();
            let cells = events.iter().filter(|e| matches!(e, Event::Start(Tag::TableCell))).count();
            prop_assert_eq!(cells, 2, "{}", source);
            for event in &events {
                let allowed = matches!(event, Event::Text(_) | Event::End(_) | Event::Start(Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell));
                prop_assert!(allowed, "{:?} of {}", event, source);
            }
            prop_assert!(!source.contains(|c: char| c.is_control() && c != '\n'));
        }
    }

    #[test]
    fn tables_are_aligned() {
        let table = Table {
            head: vec!["all".to_owned(), "ü".to_owned()],
            rows: vec![
                ("F1".to_owned(), vec!["10.0".to_owned(), "–".to_owned()]),
                ("longer".to_owned(), vec!["1".to_owned(), "2".to_owned()]),
            ],
        };
        let lines: Vec<String> = aligned(&table).into_iter().map(|l| l.text).collect();
        assert_eq!(lines, ["         all  ü", "F1      10.0  –", "longer     1  2"]);
    }
}
