//! Measures sentence segmenters on `tests/data/sentences.toml`.
//!
//! For every candidate: blocks segmented exactly as expected, precision, recall
//! and F1 of the boundaries inside the blocks, and speed; tuning cases and
//! held-out cases apart. Each candidate is measured as it comes and followed by
//! the toolkit's own rules (`src/document/sentence.rs`).
//!
//! ```text
//! cargo run --release -- [--failures CANDIDATE] [--srx FILE] [--table FILE] [--hostile]
//! ```
//!
//! `--table` takes another table in the same format. `--hostile` also times inputs made to be slow.
//! `--failures` prints what a candidate makes of the tuning cases it gets wrong
//! (of the held-out ones nothing is shown, so that nobody tunes to them).
//! `--srx` names a file of SRX 2.0 rules. The rules everybody means, those of
//! LanguageTool, are LGPL, so they are read from where the user has them and are
//! not kept here.

use std::{
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    str::FromStr,
    time::Instant,
};

use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

#[allow(dead_code)]
#[path = "../../../src/document/sentence.rs"]
mod sentence;

#[derive(Deserialize)]
struct Table {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    text: String,
    sentences: Vec<String>,
    #[serde(default)]
    held_out: bool,
}

/// A candidate gives the offsets at which it cuts a text (0 and the length of
/// the text may or may not be among them).
type Cut<'a> = dyn Fn(&str) -> Vec<usize> + 'a;

fn candidates(srx_file: Option<&str>) -> Vec<(&'static str, Box<Cut<'static>>)> {
    let mut all: Vec<(&'static str, Box<Cut<'static>>)> = Vec::new();
    all.push((
        "sentencex",
        Box::new(|text| {
            sentencex::get_sentence_boundaries("en", text)
                .into_iter()
                .map(|b| b.start_byte)
                .collect()
        }),
    ));
    all.push((
        "icu_segmenter",
        Box::new(|text| {
            icu_segmenter::SentenceSegmenter::new(Default::default())
                .segment_str(text)
                .collect()
        }),
    ));
    all.push((
        "unicode-segmentation",
        Box::new(|text| {
            text.split_sentence_bound_indices()
                .map(|(i, _)| i)
                .collect()
        }),
    ));
    if let Some(file) = srx_file {
        let xml = fs::read_to_string(file).expect("the SRX file is readable");
        let rules = srx::SRX::from_str(&xml)
            .expect("the SRX file is valid")
            .language_rules("en_two");
        all.push((
            "srx",
            Box::new(move |text| {
                rules
                    .split_ranges(text)
                    .into_iter()
                    .map(|r| r.start)
                    .collect()
            }),
        ));
    }
    let sentencize = sentencize::Segmenter::default();
    all.push((
        "sentencize",
        Box::new(move |text| sentencize.spans(text).into_iter().map(|s| s.0).collect()),
    ));
    let sakurs = sakurs_core::SentenceProcessor::with_language("en").expect("it knows English");
    all.push((
        "sakurs-core",
        Box::new(move |text| {
            let output = sakurs.process(sakurs_core::Input::from_text(text));
            let boundaries = output.map(|o| o.boundaries).unwrap_or_default();
            boundaries.into_iter().map(|b| b.offset).collect()
        }),
    ));
    all
}

/// The pieces between `cuts`, trimmed of white space, without empty ones.
fn pieces<'a>(text: &'a str, cuts: &[usize]) -> Vec<&'a str> {
    let mut bounds = vec![0];
    bounds.extend(cuts);
    bounds.push(text.len());
    bounds
        .windows(2)
        .map(|w| text[w[0]..w[1].max(w[0])].trim())
        .filter(|s| !s.is_empty())
        .collect()
}

#[derive(Default)]
struct Score {
    cases: usize,
    exact: usize,
    found: usize,
    expected: usize,
    right: usize,
}

impl Score {
    fn add(&mut self, case: &Case, got: &[&str]) -> bool {
        let begins = |slices: &[&str]| -> Vec<usize> {
            let mut from = 0;
            let all = slices.iter().map(|s| {
                let at = from + case.text[from..].find(s).expect("a slice of the text");
                from = at + s.len();
                at
            });
            all.collect::<Vec<_>>().into_iter().skip(1).collect()
        };
        let want: Vec<&str> = case.sentences.iter().map(String::as_str).collect();
        let (want_begins, got_begins) = (begins(&want), begins(got));
        let exact = want == got;
        self.cases += 1;
        self.exact += usize::from(exact);
        self.found += got_begins.len();
        self.expected += want_begins.len();
        self.right += got_begins
            .iter()
            .filter(|b| want_begins.contains(b))
            .count();
        exact
    }

    fn row(&self) -> String {
        let precision = self.right as f64 / self.found.max(1) as f64;
        let recall = self.right as f64 / self.expected.max(1) as f64;
        let f1 = 2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE);
        format!(
            "{:>3}/{:<3}  P {precision:.3}  R {recall:.3}  F1 {f1:.3}",
            self.exact, self.cases
        )
    }
}

/// Megabytes a second over blocks of a few kilobytes, as they occur in documents.
fn speed(cut: &Cut, table: &Table) -> f64 {
    let all: Vec<&str> = table.case.iter().map(|c| c.text.as_str()).collect();
    let blocks: Vec<String> = all.chunks(40).map(|c| c.join(" ")).collect();
    let bytes: usize = blocks.iter().map(String::len).sum();
    let begin = Instant::now();
    let mut rounds = 0;
    while rounds < 3 || begin.elapsed().as_millis() < 500 {
        for block in &blocks {
            black_box(cut(black_box(block)));
        }
        rounds += 1;
    }
    (bytes * rounds) as f64 / 1e6 / begin.elapsed().as_secs_f64()
}

/// Seconds for growing hostile inputs, to tell linear candidates from the others
/// (ten times the input should take ten times as long).
fn hostile(cut: &Cut) {
    let units = [
        "word ",
        "word",
        ".",
        ". ",
        "\"",
        "'",
        "'a ",
        "(",
        "a. ",
        "a.",
        "A. ",
        "1. ",
        "? ",
        "\u{201C}",
        "\u{2026} ",
        "[1] ",
        "\n",
        "e.g. ",
        "\"A. ",
        "x@",
        "(a. ",
        " ",
    ];
    for unit in units {
        let mut took = Vec::new();
        for kilobytes in [20, 200, 2000] {
            let text = unit.repeat(kilobytes * 1000 / unit.len());
            let begin = Instant::now();
            black_box(cut(black_box(&text)));
            took.push(begin.elapsed().as_secs_f64());
            if took.last().is_some_and(|&s| s > 0.5) {
                break;
            }
        }
        if took.len() < 3 || took[2] > 30.0 * took[1].max(0.005) {
            println!("    superlinear on {unit:?} (20 kB, 200 kB, 2 MB): {took:.4?} s");
        }
    }
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let option = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        args.get(at + 1).map(String::as_str)
    };
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sentences.toml");
    let path = option("--table").map_or(own, PathBuf::from);
    let table: Table =
        toml::from_str(&fs::read_to_string(path).expect("the table is readable")).expect("valid");

    for (name, cut) in candidates(option("--srx")) {
        let with_rules = |text: &str| sentence::revise(text, &cut(text));
        let pair: [(String, &Cut); 2] = [
            (name.to_owned(), &cut),
            (format!("{name} + rules"), &with_rules),
        ];
        for (label, cut) in pair {
            let (mut tuning, mut held_out) = (Score::default(), Score::default());
            for case in &table.case {
                let cuts = cut(&case.text);
                let got = pieces(&case.text, &cuts);
                let score = if case.held_out {
                    &mut held_out
                } else {
                    &mut tuning
                };
                let exact = score.add(case, &got);
                if !exact && !case.held_out && option("--failures") == Some(label.as_str()) {
                    println!("  {}: {got:?}", case.name);
                }
            }
            println!(
                "{label:<30} tuning {}   held out {}   {:7.1} MB/s",
                tuning.row(),
                held_out.row(),
                speed(cut, &table)
            );
            if args.iter().any(|a| a == "--hostile") {
                hostile(cut);
            }
        }
    }
}
