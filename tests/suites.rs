//! The hand-written suites: that they are right themselves. Read without the program's own reader of suites, which
//! would share its mistakes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Deserialize)]
struct Suite {
    documents: Vec<String>,
    question: Vec<Question>,
    #[serde(default)]
    summary: Vec<Summary>,
}

#[derive(Deserialize)]
struct Question {
    id: String,
    question: String,
    #[serde(default)]
    answers: Vec<String>,
    #[serde(default)]
    unanswerable: bool,
    line: Option<usize>,
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct Summary {
    id: String,
    must_mention: Vec<String>,
    must_not_mention: Vec<String>,
}

fn suites() -> Vec<(PathBuf, Suite)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("eval/questions");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let suite = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, suite)
        })
        .collect()
}

/// Words with one space between them, of Markdown without the marks of code and emphasis.
fn words(text: &str, markdown: bool) -> String {
    let kept: String = text
        .chars()
        .filter(|c| !(markdown && matches!(c, '`' | '*')))
        .collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_answer_stands_in_its_document() {
    let suites = suites();
    assert!(suites.len() >= 5);
    for (path, suite) in &suites {
        let name = path.file_stem().unwrap().to_string_lossy();
        let [document] = &suite.documents[..] else {
            panic!("{name}: one document is expected")
        };
        let markdown = document.ends_with(".md");
        let document = std::fs::read_to_string(path.parent().unwrap().join(document)).unwrap();
        let all = words(&document, markdown);
        let lines: Vec<&str> = document.lines().collect();
        let mut ids = HashSet::new();
        for question in &suite.question {
            let id = format!("{name}/{}", question.id);
            assert!(ids.insert(&question.id), "{id} is there twice");
            assert!(
                !question.question.trim().is_empty() && !question.tags.is_empty(),
                "{id}"
            );
            assert_eq!(question.unanswerable, question.answers.is_empty(), "{id}");
            for answer in &question.answers {
                assert!(
                    all.contains(&words(answer, false)),
                    "{id}: {answer:?} is not in the document"
                );
            }
            if let (Some(first), Some(number)) = (question.answers.first(), question.line) {
                // It may go on in the lines after.
                let at = words(&lines[number - 1..].join("\n"), markdown).find(&words(first, false));
                assert!(
                    at.is_some_and(|at| at < words(lines[number - 1], markdown).len()),
                    "{id}: {first:?} does not begin on its line"
                );
            }
        }
        let unanswerable = suite.question.iter().filter(|q| q.unanswerable).count();
        let answerable = suite.question.len() - unanswerable;
        assert!(
            unanswerable * 4 >= suite.question.len(),
            "{name}: a quarter is unanswerable"
        );
        assert!(answerable >= 15, "{name}");
        for summary in &suite.summary {
            let id = format!("{name}/{}", summary.id);
            assert!(ids.insert(&summary.id), "{id} is there twice");
            let wanted = summary.must_mention.iter().chain(&summary.must_not_mention);
            for mention in wanted {
                assert!(
                    all.to_lowercase().contains(&words(mention, false).to_lowercase()),
                    "{id}: {mention:?} could never be in a summary"
                );
            }
        }
    }
}

#[test]
fn every_document_is_asked_about() {
    let asked: HashSet<PathBuf> = suites()
        .iter()
        .flat_map(|(path, suite)| suite.documents.iter().map(|d| path.parent().unwrap().join(d)))
        .map(|path| path.canonicalize().unwrap())
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("eval/documents");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path().canonicalize().unwrap();
        assert!(asked.contains(&path), "{} is in no suite", path.display());
    }
}
