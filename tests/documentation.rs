//! The documentation against the program, so that it cannot drift.

use std::collections::BTreeSet;

use clap::CommandFactory;
use quotable::Reader;
use quotable::cli::args::Args;
use quotable::engine::native::{InstructionSet, Kernels};
use quotable::model::Model;

const README: &str = include_str!("../README.md");

fn long_options(command: &clap::Command) -> BTreeSet<String> {
    let own = command
        .get_arguments()
        .filter_map(|a| a.get_long())
        .map(str::to_owned);
    let subs = command.get_subcommands().flat_map(long_options);
    own.chain(subs).collect()
}

#[test]
fn every_option_in_the_readme_exists() {
    let known = long_options(&Args::command());
    let mut seen = 0;
    for line in README
        .lines()
        .filter(|l| l.contains("ask ") || l.starts_with("| `--"))
    {
        // `cargo` and `cat` have options of their own.
        let line = line.rsplit_once("cargo ").map_or(line, |(before, _)| before);
        for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            if let Some(name) = word.strip_prefix("--").filter(|n| !n.is_empty()) {
                seen += 1;
                assert!(
                    known.contains(name) || name == "help",
                    "README.md: --{name}: {line}"
                );
            }
        }
    }
    assert!(seen >= 8);
}

#[test]
fn the_readme_names_each_command() {
    for command in Args::command().get_subcommands() {
        let name = format!("ask {}", command.get_name());
        assert!(README.contains(&name), "{name}");
    }
}

/// The answer that the README shows is the one that the program gives.
#[test]
fn the_output_in_the_readme_is_real() {
    // In int8, whatever the processor's default: the answers of f32 may differ.
    let kernels = Kernels::Int8(InstructionSet::detect());
    let reader = Reader::with_kernels(Model::embedded().unwrap(), kernels).unwrap();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/000_641a5b59e4350978.txt");
    let seed = quotable::document::read::read_file(&path, &Default::default()).unwrap();
    let ask = |question: &str| reader.ask(question, &[&seed], &Default::default()).unwrap();
    let shown = |question: &str| {
        let (_, after) = README.split_once(&format!("\"{question}\"\n")).unwrap();
        after.lines().next().unwrap().to_owned()
    };
    for question in ["who leads negotiations?", "tallest mountain in south america"] {
        let found = ask(question);
        let first = if found.answered {
            &found.answers[0].text
        } else {
            "Not in the document."
        };
        assert!(shown(question).starts_with(first), "{question}: {first}");
    }
    let json: serde_json::Value = serde_json::from_str(&shown("who was released by Russia?")).unwrap();
    let found = ask("who was released by Russia?");
    // Behind them stand what only the command line adds.
    let keys = serde_json::to_value(&found).unwrap();
    for key in keys
        .as_object()
        .unwrap()
        .keys()
        .filter(|key| *key != "calibrated")
    {
        assert!(json.get(key).is_some(), "README.md: the JSON has no {key}");
    }
    let answer = &found.answers[0];
    assert_eq!(json["answers"][0]["source_text"], answer.source_text);
    assert_eq!(json["answers"][0]["start_byte"], answer.start_byte);
}
