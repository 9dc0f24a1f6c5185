//! `ask eval --calibrate`: fits a model's probabilities and writes them into its manifest.

use std::path::Path;

use anyhow::{Context, bail};
use toml_edit::{DocumentMut, InlineTable, Item, Table, value};

use crate::cli::plan::Plan;
use crate::cli::{ANSWERED, Environment};
use crate::eval::calibration::{Sample, fit, reliability};
use crate::eval::run::Outcome;
use crate::eval::scores::{half, is_best_right, split_by};
use crate::eval::suite::Suite;
use crate::eval::{file, suite};
use crate::model::{Calibration, Logistic};
use crate::qa::calibrate::Signals;
use crate::reader::Reader;

/// The manifest of a model.
const MANIFEST: &str = "manifest.toml";
/// The names of the weights in it, in their order.
const NAMES: [&str; Logistic::WEIGHTS] = ["score", "evidence", "ln_windows", "bias"];
/// What the last digit of an ECE that is shown stands for.
const SHOWN: f64 = 1e-3;
/// The fewest questions of a half that is fitted to.
const FEWEST: usize = 30;

pub(super) fn run(
    reader: &Reader,
    suites: &[Suite],
    plan: &Plan,
    environment: &mut Environment,
) -> anyhow::Result<u8> {
    let Some(model) = &plan.model else {
        bail!(
            "--calibrate writes a model's manifest, and the built-in model is part of the program; name a folder with --model"
        );
    };
    let (run, _) = super::measure(reader, suites, plan, environment)?;
    let outcomes: Vec<&Outcome> = run.outcomes.iter().filter(|o| !o.best.is_empty()).collect();
    let by = split_by(&outcomes);
    let halves = [0, 1].map(|which| {
        let key = |o: &Outcome| half(if by == "document" { &o.group } else { &o.id });
        outcomes
            .iter()
            .copied()
            .filter(|o| key(o) == which)
            .collect::<Vec<_>>()
    });
    if let Some(few) = halves.iter().find(|half| half.len() < FEWEST) {
        bail!(
            "a half of the questions (split by {by}) has {} with a candidate, {FEWEST} are needed; measure more questions",
            few.len()
        );
    }
    let nothing = || {
        anyhow::anyhow!(
            "there are not both answerable and unanswerable questions, and right and wrong candidates, in each half; add what is missing"
        )
    };
    // Fitted on each half and measured on the other; what is written is fitted on both.
    let fitted: [Calibration; 2] = [
        fit(&samples(&halves[0])).ok_or_else(nothing)?,
        fit(&samples(&halves[1])).ok_or_else(nothing)?,
    ];
    let all = fit(&samples(&outcomes)).ok_or_else(nothing)?;
    let held_out: Vec<(&Outcome, &Calibration)> = halves[0]
        .iter()
        .map(|o| (*o, &fitted[1]))
        .chain(halves[1].iter().map(|o| (*o, &fitted[0])))
        .collect();
    let ece = |pairs: Vec<(f64, bool)>| reliability(&pairs).map_or(0.0, |r| r.ece);
    let confidence = [
        ece(outcomes
            .iter()
            .map(|o| (o.confidence, is_best_right(o)))
            .collect()),
        ece(held_out
            .iter()
            .map(|(o, c)| (c.confidence.probability(&signals(o)), is_best_right(o)))
            .collect()),
    ];
    let not_in_document = [
        ece(outcomes
            .iter()
            .map(|o| (o.not_in_document, o.golds.is_empty()))
            .collect()),
        ece(held_out
            .iter()
            .map(|(o, c)| (c.not_in_document.probability(&signals(o)), o.golds.is_empty()))
            .collect()),
    ];
    let measured = [("confidence", confidence), ("not in document", not_in_document)];
    let changes =
        measured.map(|(what, [before, after])| format!("{what}: ECE {before:.3} before, {after:.3} after"));
    let lines = [
        format!(
            "{} questions, halves by {by}; each half measured with what the other was fitted to",
            outcomes.len()
        ),
        changes.join("\n"),
        format!("threshold: {:.2}", all.threshold),
    ];
    let path = model.join(MANIFEST);
    write(&path, model, &all)?;
    for warning in measured.iter().filter_map(|(what, ece)| warning(what, *ece)) {
        environment.tell(&warning);
    }
    let written = format!("written to {}", path.display());
    let text = format!("{}\n{}\n", lines.join("\n"), crate::harmless::harmless(&written));
    environment.print(text.as_bytes())?;
    Ok(ANSWERED)
}

/// What to tell where the error of calibration, before and after, rose by as much as is shown.
fn warning(what: &str, [before, after]: [f64; 2]) -> Option<String> {
    (after - before >= SHOWN).then(|| {
        format!(
            "warning: {what}: ECE rose from {before:.3} to {after:.3}: probabilities are worse than they were, and written all the same; fit them to more questions"
        )
    })
}

fn signals(outcome: &Outcome) -> Signals {
    Signals {
        score: outcome.score,
        evidence: outcome.evidence,
        windows: outcome.windows,
    }
}

fn samples(outcomes: &[&Outcome]) -> Vec<Sample> {
    let sample = |o: &&Outcome| Sample {
        signals: signals(o),
        answerable: !o.golds.is_empty(),
        right: is_best_right(o),
        f1: o.best_f1,
    };
    outcomes.iter().map(sample).collect()
}

/// Puts the calibration into a manifest, whose other lines and comments stay as they are. A folder in the
/// hub's layout gets a manifest with its name, files and this.
fn write(path: &Path, model: &Path, calibration: &Calibration) -> anyhow::Result<()> {
    let name = path.display();
    let text = if path.exists() {
        std::fs::read_to_string(path).with_context(|| format!("{name}: cannot be read"))?
    } else {
        manifest_of_hub_model(model)?
    };
    let text = calibrated(&text, calibration).with_context(|| format!("{name}: cannot be changed"))?;
    file::write(path, text.as_bytes())
        .with_context(|| format!("{name}: cannot be written; check that you may write there"))
}

fn calibrated(text: &str, calibration: &Calibration) -> anyhow::Result<String> {
    let mut manifest: DocumentMut = text.parse()?;
    let table = manifest.entry("calibration").or_insert(Item::Table(Table::new()));
    let Some(table) = table.as_table_like_mut() else {
        bail!("calibration is not a table");
    };
    let rounded = |x: f64| (x * 1e6).round() / 1e6;
    let logistic = |l: &Logistic| {
        let mut inline = InlineTable::new();
        for (key, number) in NAMES.into_iter().zip(l.weights()) {
            inline.insert(key, rounded(number).into());
        }
        value(inline)
    };
    table.insert("threshold", value(rounded(calibration.threshold)));
    table.insert("not_in_document", logistic(&calibration.not_in_document));
    table.insert("confidence", logistic(&calibration.confidence));
    Ok(manifest.to_string())
}

/// A manifest for a folder that has none: without it, the files would not be known.
fn manifest_of_hub_model(model: &Path) -> anyhow::Result<String> {
    let name = model
        .canonicalize()?
        .file_name()
        .map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned());
    let mut manifest = DocumentMut::new();
    manifest.insert("name", value(name));
    let mut files = Table::new();
    files.set_implicit(true);
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let bytes = std::fs::read(model.join(file)).with_context(|| format!("{file}: cannot be read"))?;
        let mut entry = Table::new();
        entry.insert("sha256", value(suite::sha256(&bytes)));
        entry.insert("bytes", value(i64::try_from(bytes.len())?));
        files.insert(file, Item::Table(entry));
    }
    manifest.insert("files", Item::Table(files));
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Manifest;

    const FITTED: Calibration = Calibration {
        threshold: 0.4,
        not_in_document: Logistic {
            score: -0.5,
            evidence: 0.0,
            ln_windows: 0.1,
            bias: 1.0,
        },
        confidence: Logistic {
            score: 0.5,
            evidence: 0.25,
            ln_windows: -0.1,
            bias: -1.0,
        },
    };

    #[test]
    fn a_calibration_that_is_worse_is_told() {
        let told = warning("confidence", [0.031, 0.052]).unwrap();
        assert!(
            told.starts_with("warning: confidence: ECE rose from 0.031 to 0.052:"),
            "{told}"
        );
        assert_eq!(warning("confidence", [0.031, 0.0314]), None);
        assert_eq!(warning("confidence", [0.052, 0.031]), None);
    }

    #[test]
    fn the_rest_of_a_manifest_stays() {
        let before = "# mine\nname = \"m\" # so called\n\n[calibration] # old\nthreshold = 0.9\nnot_in_document = { score = 1, ln_windows = 2, bias = 3 }\nconfidence = { score = 1, ln_windows = 2, bias = 3 }\n\n[limits]\nanswer_tokens = 30\n";
        let after = calibrated(before, &FITTED).unwrap();
        for kept in [
            "# mine\nname = \"m\" # so called\n",
            "[calibration] # old\n",
            "[limits]\nanswer_tokens = 30\n",
        ] {
            assert!(after.contains(kept), "{after}");
        }
        assert_eq!(Manifest::parse(&after).unwrap().calibration, Some(FITTED));
        assert_eq!(
            Manifest::parse(&calibrated("name = \"x\"\n", &FITTED).unwrap())
                .unwrap()
                .calibration,
            Some(FITTED)
        );
        assert!(calibrated("calibration = 7\n", &FITTED).is_err());
    }
}
