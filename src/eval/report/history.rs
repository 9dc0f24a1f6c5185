//! A history of runs for a terminal: how each score of each suite went, and the runs themselves.

use super::text::{Line, Style, Table, aligned, line, none};
use crate::eval::history::Entry;
use crate::eval::problem::counted;
use crate::eval::run::LEAD;
use crate::harmless::{one_line, shortened};

/// Runs of a suite that are listed one by one, and runs that a sparkline shows.
const MOST_RUNS: usize = 20;
const MOST_POINTS: usize = 60;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Between runs of a sparkline that do not compare.
const CUT: char = '┊';

/// A score over the runs of a suite.
struct Series {
    label: String,
    values: Vec<Option<f64>>,
    decimals: usize,
}

/// A history for a terminal, suite by suite in the order in which they were first run.
#[must_use]
pub fn history(entries: &[Entry]) -> Vec<Line> {
    let mut suites: Vec<&str> = Vec::new();
    for entry in entries {
        if !suites.contains(&entry.suite.as_str()) {
            suites.push(&entry.suite);
        }
    }
    let mut lines = Vec::new();
    for suite in suites {
        let runs: Vec<&Entry> = entries.iter().filter(|e| e.suite == suite).collect();
        if !lines.is_empty() {
            lines.push(line(Style::Plain, ""));
        }
        lines.extend(of_suite(suite, &runs));
    }
    lines
}

fn of_suite(suite: &str, runs: &[&Entry]) -> Vec<Line> {
    let all = series(runs);
    // Where a run does not compare with the one before, and why.
    let cuts: Vec<Option<String>> = std::iter::once(None)
        .chain(runs.windows(2).map(|pair| pair[0].differs_from(pair[1])))
        .collect();
    let title = format!("{suite}: {}", counted(runs.len(), "run"));
    let mut lines = vec![line(Style::Heading, &title)];
    lines.extend(trends(&all, &cuts));
    let hidden = runs.len().saturating_sub(MOST_RUNS);
    if hidden > 0 {
        lines.push(line(
            Style::Faint,
            &format!("{hidden} earlier runs: --json has them"),
        ));
    }
    let table = Table {
        head: ["ask", "model", "questions"]
            .into_iter()
            .map(str::to_owned)
            .chain(all.iter().map(|s| s.label.clone()))
            .collect(),
        rows: (hidden..runs.len())
            .map(|i| (date(runs[i]), cells(runs[i], &all, i)))
            .collect(),
    };
    let mut rows = aligned(&table).into_iter();
    lines.extend(rows.next());
    for (row, cut) in rows.zip(&cuts[hidden..]) {
        if let Some(why) = cut {
            let text = format!("{why}: the scores above and below do not compare");
            lines.push(line(Style::Bad, &text));
        }
        lines.push(row);
    }
    lines
}

fn date(entry: &Entry) -> String {
    // To the minute: 2026-11-25T14:35:42Z.
    match entry.date.get(..16) {
        Some(minute) if entry.date.ends_with('Z') => shortened(&minute.replace('T', " ")),
        _ => shortened(&entry.date),
    }
}

fn cells(entry: &Entry, all: &[Series], run: usize) -> Vec<String> {
    let own = [
        shortened(&entry.ask),
        shortened(&entry.model),
        entry.questions.to_string(),
    ];
    own.into_iter()
        .chain(all.iter().map(|s| s.shown(s.values[run])))
        .collect()
}

/// A line for each score: its sparkline, and the first and the last value that compare.
fn trends(all: &[Series], cuts: &[Option<String>]) -> Vec<Line> {
    let first = cuts.iter().rposition(Option::is_some).unwrap_or(0);
    let from = cuts.len().saturating_sub(MOST_POINTS);
    let label = all.iter().map(|s| s.label.chars().count()).max().unwrap_or(0);
    all.iter()
        .map(|s| {
            let pad = " ".repeat(label - s.label.chars().count());
            let bars = sparkline(&s.values[from..], &cuts[from..]);
            let known: Vec<f64> = s.values[first..].iter().flatten().copied().collect();
            let way = match known[..] {
                [] => none(),
                [only] => s.shown(Some(only)),
                [then, .., now] => format!("{} → {}", s.shown(Some(then)), s.shown(Some(now))),
            };
            line(Style::Plain, &format!("{}{pad}  {bars}  {way}", s.label))
        })
        .collect()
}

/// A bar for each run, from the lowest value to the highest; a space where there is no value.
fn sparkline(values: &[Option<f64>], cuts: &[Option<String>]) -> String {
    let known = || values.iter().flatten().copied();
    let low = known().fold(f64::INFINITY, f64::min);
    let range = known().fold(f64::NEG_INFINITY, f64::max) - low;
    let mut out = String::new();
    for (i, (value, cut)) in values.iter().zip(cuts).enumerate() {
        if cut.is_some() && i > 0 {
            out.push(CUT);
        }
        out.push(match value {
            None => ' ',
            // All the same: neither low nor high.
            Some(_) if range <= 0.0 => BARS[BARS.len() / 2 - 1],
            Some(value) => {
                let step = (value - low) / range * (BARS.len() - 1) as f64;
                BARS[(step.round() as usize).min(BARS.len() - 1)]
            }
        });
    }
    out
}

impl Series {
    fn shown(&self, value: Option<f64>) -> String {
        value.map_or_else(none, |v| format!("{v:.*}", self.decimals))
    }
}

/// The scores that any of the runs has.
fn series(runs: &[&Entry]) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    let mut add = |label: &str, decimals: usize, value: &dyn Fn(&Entry) -> Option<f64>| {
        let values: Vec<Option<f64>> = runs.iter().map(|run| value(run)).collect();
        if values.iter().any(Option::is_some) {
            all.push(Series {
                label: label.to_owned(),
                values,
                decimals,
            });
        }
    };
    add("F1", 1, &|e| Some(e.scores.as_ref()?.f1));
    add("EM", 1, &|e| Some(e.scores.as_ref()?.exact));
    add("right", 1, &|e| Some(e.scores.as_ref()?.right));
    add("HasAns F1", 1, &|e| e.scores.as_ref()?.has_answer_f1);
    add("HasAns EM", 1, &|e| e.scores.as_ref()?.has_answer_exact);
    add("NoAns", 1, &|e| e.scores.as_ref()?.no_answer);
    add("AUROC", 3, &|e| e.scores.as_ref()?.no_answer_auroc);
    add("ECE", 3, &|e| e.scores.as_ref()?.confidence_ece);
    add("cites", 1, &|e| e.scores.as_ref()?.cites_gold);
    add("place", 1, &|e| e.scores.as_ref()?.cites_place);
    for system in systems(runs) {
        let of = |entry: &Entry| entry.summaries.iter().find(|s| s.system == system).cloned();
        let name = one_line(system);
        for (i, rouge) in ["ROUGE-1", "ROUGE-2", "ROUGE-L", "ROUGE-Lsum"].iter().enumerate() {
            add(&format!("{rouge} {name}"), 1, &|e| Some(of(e)?.rouge?[i]));
        }
        add(&format!("checks {name}"), 1, &|e| of(e)?.checks_passed);
    }
    add("p50 ms", 0, &|e| e.p50_ms);
    add("p95 ms", 0, &|e| e.p95_ms);
    all
}

/// What made summaries; the floor, which only the data can change, only where there is nothing else.
fn systems<'a>(runs: &[&'a Entry]) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for summaries in runs.iter().flat_map(|run| &run.summaries) {
        if !all.contains(&summaries.system.as_str()) {
            all.push(&summaries.system);
        }
    }
    if all.iter().any(|system| *system != LEAD) {
        all.retain(|system| *system != LEAD);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_go_from_the_lowest_to_the_highest() {
        let bars = |values: &[f64]| {
            let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
            sparkline(&values, &vec![None; values.len()])
        };
        assert_eq!(bars(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), "▁▂▃▄▅▆▇█");
        assert_eq!(bars(&[40.0, 20.0, 30.0]), "█▁▅");
        assert_eq!(bars(&[5.0, 5.0]), "▄▄");
        assert_eq!(bars(&[-1e308, 1e308]), "▁▁");
        assert_eq!(bars(&[]), "");
        let cuts = [None, None, Some("data".to_owned())];
        assert_eq!(sparkline(&[Some(1.0), None, Some(2.0)], &cuts), "▁ ┊█");
    }
}
