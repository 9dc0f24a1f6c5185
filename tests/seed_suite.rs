//! The hand-written questions on the seed article: that the suite itself is right.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
struct Suite {
    documents: Vec<String>,
    question: Vec<Question>,
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

#[test]
fn every_answer_stands_in_the_document() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("eval/questions");
    let suite: Suite = toml::from_str(&std::fs::read_to_string(folder.join("seed.toml")).unwrap()).unwrap();
    let document = std::fs::read_to_string(folder.join(&suite.documents[0])).unwrap();
    let mut ids = HashSet::new();
    for question in &suite.question {
        let id = &question.id;
        assert!(ids.insert(id), "{id} is there twice");
        assert!(
            !question.question.trim().is_empty() && !question.tags.is_empty(),
            "{id}"
        );
        assert_eq!(question.unanswerable, question.answers.is_empty(), "{id}");
        for answer in &question.answers {
            assert!(
                document.contains(answer),
                "{id}: {answer:?} is not in the document"
            );
        }
        if let Some(first) = question.answers.first() {
            let line = document.lines().nth(question.line.unwrap() - 1).unwrap();
            assert!(line.contains(first), "{id}: {first:?} is not on its line");
        }
    }
    let unanswerable = suite.question.iter().filter(|q| q.unanswerable).count();
    assert!(unanswerable >= 10 && suite.question.len() - unanswerable >= 30);
}
