//! The report as one HTML page that needs nothing else: no network, no fonts, charts as SVG.

use std::collections::BTreeSet;

use minijinja::Error;
use serde::Serialize;

use super::template::render;
use super::text::{figure, not_compared, provenance};
use super::{Latency, Provenance, Report};
use crate::eval::baseline::Comparison;
use crate::eval::calibration::{BINS, Reliability};
use crate::eval::problem::counted;
use crate::eval::run::{Context, LEAD, Outcome, SummaryOutcome};
use crate::eval::scores::{Figure, Scores};

const TEMPLATE: &str = include_str!("page.html");

/// Questions that the page lists; of more, the wrong ones come first.
const MOST_ROWS: usize = 2000;

/// Where the plots are in their SVG, in its units.
const LEFT: f64 = 46.0;
const TOP: f64 = 12.0;
const WIDTH: f64 = 262.0;
const HEIGHT: f64 = 176.0;
/// Bars of the latency chart.
const LATENCY_BARS: usize = 16;

#[derive(Serialize)]
struct Rect {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    title: String,
}

#[derive(Serialize)]
struct Point {
    x: f64,
    y: f64,
    radius: f64,
    title: String,
}

#[derive(Serialize)]
struct Tick {
    at: f64,
    label: String,
}

/// A chart: whatever of it is drawn, and what it says in words.
#[derive(Serialize, Default)]
struct Chart {
    title: &'static str,
    caption: String,
    x_label: &'static str,
    y_label: &'static str,
    bars: Vec<Rect>,
    points: Vec<Point>,
    line: String,
    diagonal: bool,
    marks: Vec<Tick>,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
}

/// A large figure with its interval as a bar.
#[derive(Serialize)]
struct Card {
    label: &'static str,
    value: String,
    note: String,
    low: f64,
    high: f64,
    at: f64,
}

#[derive(Serialize)]
struct Row<'a> {
    kind: &'static str,
    suite: &'a str,
    id: &'a str,
    question: &'a str,
    tags: &'a [String],
    declined: bool,
    candidate: Option<&'a Context>,
    gold: Option<&'a Context>,
    golds: &'a [String],
    f1: String,
    confidence: String,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct SuiteRow<'a> {
    name: &'a str,
    questions: usize,
    exact: String,
    f1: String,
    right: String,
    declined: String,
}

#[derive(Serialize)]
struct SystemRow<'a> {
    name: &'a str,
    summaries: usize,
    rouge: Vec<String>,
    checks: String,
    compression: String,
    coverage: String,
    redundancy: String,
    dangling: String,
}

/// A check of a summary that does not pass.
#[derive(Serialize)]
struct Missed<'a> {
    suite: &'a str,
    id: &'a str,
    system: &'a str,
    missing: &'a [String],
    forbidden: &'a [String],
    summary: &'a str,
}

/// Where charts are drawn.
#[derive(Serialize)]
struct Plot {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    right: f64,
    bottom: f64,
}

/// What the template is given.
#[derive(Serialize)]
struct Page<'a> {
    provenance: &'a Provenance,
    lines: Vec<String>,
    cards: Vec<Card>,
    charts: Vec<Chart>,
    suites: Vec<SuiteRow<'a>>,
    systems: Vec<SystemRow<'a>>,
    rouge: bool,
    missed: Vec<Missed<'a>>,
    comparison: Option<&'a Comparison>,
    holds: bool,
    not_compared: Vec<String>,
    rows: Vec<Row<'a>>,
    hidden: usize,
    wrong: usize,
    questions: usize,
    tags: BTreeSet<&'a String>,
    plot: Plot,
}

/// The report as an HTML page.
///
/// # Errors
/// Never, unless the template is wrong.
pub fn html(report: &Report) -> Result<String, Error> {
    let scores = report.scores.as_ref();
    let shown = rows(&report.questions);
    let tags: BTreeSet<&String> = report.questions.iter().flat_map(|o| &o.tags).collect();
    let mut charts: Vec<Chart> = Vec::new();
    if let Some(scores) = scores {
        charts.extend(scores.confidence.as_ref().map(reliability_chart));
        charts.push(risk_chart(scores));
    }
    charts.extend(report.latency.as_ref().map(latency_chart));
    let suites: Vec<SuiteRow<'_>> = report
        .suites
        .iter()
        .filter_map(|suite| Some((suite, suite.scores.as_ref()?)))
        .map(|(suite, s)| SuiteRow {
            name: &suite.name,
            questions: s.questions,
            exact: figure(&s.exact),
            f1: figure(&s.f1),
            right: figure(&s.right),
            declined: s.no_answer.map_or_else(|| "–".to_owned(), |v| format!("{v:.1}")),
        })
        .collect();
    let systems: Vec<SystemRow<'_>> = report
        .summaries
        .iter()
        .map(|s| SystemRow {
            name: &s.system,
            summaries: s.summaries,
            rouge: s
                .rouge
                .map_or_else(|| vec!["–".to_owned(); 4], |r| r.iter().map(figure).collect()),
            checks: s
                .checks_passed
                .map_or_else(|| "–".to_owned(), |v| format!("{v:.1}")),
            compression: format!("{:.3}", s.compression),
            coverage: format!("{:.3}", s.coverage),
            redundancy: format!("{:.3}", s.redundancy),
            dangling: format!("{:.3}", s.dangling),
        })
        .collect();
    let page = Page {
        provenance: &report.provenance,
        lines: provenance(report),
        cards: scores.map_or_else(Vec::new, cards),
        charts,
        suites,
        systems,
        rouge: report.summaries.iter().any(|s| s.rouge.is_some()),
        missed: missed(&report.summary_checks),
        comparison: report.comparison.as_ref(),
        holds: report.comparison.as_ref().is_some_and(Comparison::holds),
        not_compared: report.comparison.as_ref().map_or_else(Vec::new, not_compared),
        hidden: report.questions.len() - shown.len(),
        rows: shown,
        wrong: report.questions.iter().filter(|o| !o.right).count(),
        questions: report.questions.len(),
        tags,
        plot: Plot {
            left: LEFT,
            top: TOP,
            width: WIDTH,
            height: HEIGHT,
            right: LEFT + WIDTH,
            bottom: TOP + HEIGHT,
        },
    };
    render("page.html", TEMPLATE, &page)
}

/// What the floor misses is no news, so it is left out.
fn missed(checks: &[SummaryOutcome]) -> Vec<Missed<'_>> {
    checks
        .iter()
        .filter(|check| check.passed == Some(false) && check.system != LEAD)
        .take(MOST_ROWS)
        .map(|check| Missed {
            suite: &check.suite,
            id: &check.id,
            system: &check.system,
            missing: &check.missing,
            forbidden: &check.forbidden,
            summary: &check.summary,
        })
        .collect()
}

fn rows(questions: &[Outcome]) -> Vec<Row<'_>> {
    let mut order: Vec<&Outcome> = questions.iter().collect();
    if order.len() > MOST_ROWS {
        order.sort_by_key(|o| o.right);
        order.truncate(MOST_ROWS);
    }
    order
        .into_iter()
        .map(|o| Row {
            kind: kind(o),
            suite: &o.suite,
            id: &o.id,
            question: &o.question,
            tags: &o.tags,
            declined: !o.answered,
            candidate: o.context.as_ref(),
            gold: o.gold_context.as_ref(),
            golds: &o.golds,
            f1: format!("{:.2}", o.f1),
            confidence: format!("{:.2}", o.confidence),
            error: o.error.as_deref(),
        })
        .collect()
}

/// Why a question is right or wrong, in a word or two.
fn kind(o: &Outcome) -> &'static str {
    match (o.right, o.golds.is_empty(), o.answered) {
        (true, true, _) => "rightly declined",
        (true, false, _) => "right",
        (false, true, _) => "should decline",
        (false, false, false) => "wrongly declined",
        (false, false, true) => "wrong",
    }
}

fn cards(scores: &Scores) -> Vec<Card> {
    let plain = |label, value: Option<f64>, note: String| {
        value.map(|value| Card {
            label,
            value: format!("{value:.1}"),
            note,
            low: value,
            high: value,
            at: value,
        })
    };
    let with_interval = |label, figure: &Figure| Card {
        label,
        value: format!("{:.1}", figure.percent),
        note: figure
            .interval
            .map_or_else(String::new, |i| format!("95 %: {:.1} to {:.1}", i.low, i.high)),
        low: figure.interval.map_or(figure.percent, |i| i.low),
        high: figure.interval.map_or(figure.percent, |i| i.high),
        at: figure.percent,
    };
    let declined = scores.questions - scores.answerable;
    let mut cards = vec![
        with_interval("F1", &scores.f1),
        with_interval("Exact match", &scores.exact),
        with_interval("Right", &scores.right),
    ];
    cards.extend(plain(
        "F1, always answering",
        scores.always_f1,
        format!("of {} with an answer", scores.answerable),
    ));
    cards.extend(plain(
        "Floor: BM25 sentence F1",
        scores.floor_f1,
        "no model at all".to_owned(),
    ));
    cards.extend(plain(
        "Declined",
        scores.no_answer,
        format!("of {declined} without an answer"),
    ));
    cards.extend(plain(
        "Cited in the right place",
        scores.cites_place,
        "of the answers given".to_owned(),
    ));
    cards
}

/// The place of a share on the horizontal axis, to a tenth of a unit.
fn x(share: f64) -> f64 {
    ((LEFT + WIDTH * share.clamp(0.0, 1.0)) * 10.0).round() / 10.0
}

/// On the vertical axis, which runs upwards.
fn y(share: f64) -> f64 {
    ((TOP + HEIGHT * (1.0 - share.clamp(0.0, 1.0))) * 10.0).round() / 10.0
}

/// Five ticks from 0 to 1.
fn unit_ticks(along: fn(f64) -> f64) -> Vec<Tick> {
    (0..=4)
        .map(|i| f64::from(i) / 4.0)
        .map(|share| Tick {
            at: along(share),
            label: format!("{share}"),
        })
        .collect()
}

fn reliability_chart(r: &Reliability) -> Chart {
    let most = r.bins.iter().map(|b| b.count).max().unwrap_or(1).max(1) as f64;
    let filled = || r.bins.iter().enumerate().filter(|(_, bin)| bin.count > 0);
    let title = |bin: &crate::eval::calibration::Bin| {
        format!(
            "said {:.2}, right {:.2}, {}",
            bin.predicted,
            bin.observed,
            counted(bin.count, "question")
        )
    };
    Chart {
        title: "Does the confidence hold?",
        caption: format!(
            "Expected calibration error {:.3}, Brier score {:.3}. On the dashed line, of the answers given at 0.8, 80 % are right. Larger dots: more questions.",
            r.ece, r.brier
        ),
        x_label: "confidence",
        y_label: "share that is right",
        bars: filled()
            .map(|(i, bin)| Rect {
                x: x(i as f64 / BINS as f64) + 1.0,
                y: y(bin.observed),
                width: WIDTH / BINS as f64 - 2.0,
                height: TOP + HEIGHT - y(bin.observed),
                title: title(bin),
            })
            .collect(),
        points: filled()
            .map(|(_, bin)| Point {
                x: x(bin.predicted),
                y: y(bin.observed),
                radius: 3.0 + 5.0 * (bin.count as f64 / most).sqrt(),
                title: title(bin),
            })
            .collect(),
        diagonal: true,
        x_ticks: unit_ticks(x),
        y_ticks: unit_ticks(y),
        ..Chart::default()
    }
}

fn risk_chart(scores: &Scores) -> Chart {
    let points: Vec<String> = scores
        .risk_coverage
        .iter()
        .map(|p| format!("{},{}", x(p.coverage), y(p.risk)))
        .collect();
    Chart {
        title: "Risk and coverage",
        caption: format!(
            "When only the surest answers are given: how many questions are answered, and how many of the answers are wrong. Area {:.3}; lower is better.",
            scores.risk_area
        ),
        x_label: "share of questions answered",
        y_label: "share of answers wrong",
        line: points.join(" "),
        x_ticks: unit_ticks(x),
        y_ticks: unit_ticks(y),
        ..Chart::default()
    }
}

fn latency_chart(latency: &Latency) -> Chart {
    let longest = latency.times_ms.last().copied().unwrap_or(1.0).max(1e-3);
    let mut counts = [0usize; LATENCY_BARS];
    for time in &latency.times_ms {
        counts[((time / longest * LATENCY_BARS as f64) as usize).min(LATENCY_BARS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let width = 1.0 / LATENCY_BARS as f64;
    let milliseconds = |share: f64| format!("{:.0}", longest * share);
    Chart {
        title: "How long a question takes",
        caption: format!(
            "{} questions asked one at a time: half within {:.0} ms, 95 % within {:.0} ms. All, side by side: {:.1} a second.",
            latency.timed, latency.p50_ms, latency.p95_ms, latency.questions_per_second
        ),
        x_label: "milliseconds",
        y_label: "questions",
        bars: counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(i, &count)| Rect {
                x: x(i as f64 * width) + 1.0,
                y: y(count as f64 / most),
                width: WIDTH * width - 2.0,
                height: TOP + HEIGHT - y(count as f64 / most),
                title: format!(
                    "{} to {} ms: {}",
                    milliseconds(i as f64 * width),
                    milliseconds((i + 1) as f64 * width),
                    counted(count, "question")
                ),
            })
            .collect(),
        marks: [("p50", latency.p50_ms), ("p95", latency.p95_ms)]
            .map(|(label, at)| Tick {
                at: x(at / longest),
                label: label.to_owned(),
            })
            .into(),
        x_ticks: (0..=4)
            .map(|i| f64::from(i) / 4.0)
            .map(|share| Tick {
                at: x(share),
                label: milliseconds(share),
            })
            .collect(),
        y_ticks: [0.0, 1.0]
            .map(|share| Tick {
                at: y(share),
                label: format!("{:.0}", share * most),
            })
            .into(),
        ..Chart::default()
    }
}
