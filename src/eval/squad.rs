//! SQuAD 1.1 and 2.0 as JSON (Rajpurkar et al. 2016, 2018).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

use super::file;
use super::problem::{Problem, Problems, Result, whole};
use super::stats::CLUSTERS_FROM;
use super::suite::{Question, Suite, sha256};
use crate::document::{Document, Format};
use crate::harmless::shortened;

/// The largest file.
const MOST_BYTES: u64 = 512 << 20;

#[derive(Deserialize)]
struct Root {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    #[serde(default)]
    title: String,
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Qa>,
}

#[derive(Deserialize)]
struct Qa {
    id: String,
    question: String,
    #[serde(default)]
    answers: Vec<Answer>,
    #[serde(default)]
    is_impossible: bool,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
    answer_start: Option<usize>,
}

/// Reads a file of SQuAD 1.1 or 2.0. Every paragraph is a document of its own.
///
/// # Errors
/// When it is not of that format, an id comes twice, or a paragraph holds no text; a place in the JSON is
/// named.
pub fn load(path: &Path) -> Result<Suite> {
    let name = path.display().to_string();
    let text = file::read(path, MOST_BYTES, "a file of SQuAD 1.1 or 2.0 (JSON)")?;
    let remedy = "SQuAD is {\"data\": [{\"title\", \"paragraphs\": [{\"context\", \"qas\": [{\"id\", \"question\", \"answers\"}]}]}]}";
    let root: Root = file::parsed(&name, &text, remedy)?;
    let mut problems = Vec::new();
    let mut problem = |place: String, what: &str, remedy: &str| {
        if problems.len() < 1000 {
            problems.push(Problem {
                file: name.clone(),
                position: None,
                what: format!("{place}: {what}"),
                remedy: remedy.to_owned(),
            });
        }
    };
    let mut ids = HashMap::new();
    let (mut documents, mut questions) = (Vec::new(), Vec::new());
    let file_name = file::name(path);
    let mut titles = HashSet::new();
    for (a, article) in root.data.iter().enumerate() {
        let title = match article.title.as_str() {
            "" => Cow::from(format!("{file_name}[{a}]")),
            title => Cow::from(title),
        };
        titles.insert(title.clone());
        for (p, paragraph) in article.paragraphs.iter().enumerate() {
            let place = || format!("data[{a}].paragraphs[{p}]");
            let document_name = format!("{title}#{}", p + 1);
            let Ok(document) = Document::new(document_name, paragraph.context.as_str(), Format::Plain) else {
                problem(
                    place(),
                    "the context holds no text",
                    "give it some, or take it out",
                );
                continue;
            };
            for (q, qa) in paragraph.qas.iter().enumerate() {
                let place = || format!("{}.qas[{q}]", place());
                if let Some(first) = ids.insert(qa.id.as_str(), place()) {
                    problem(
                        place(),
                        &format!("id \"{}\" is taken by {first}", shortened(&qa.id)),
                        "give each question an id of its own",
                    );
                }
                if qa.question.trim().is_empty() {
                    problem(place(), "the question is empty", "write what is asked");
                }
                let golds: Vec<String> = if qa.is_impossible {
                    Vec::new()
                } else {
                    qa.answers.iter().map(|a| a.text.clone()).collect()
                };
                let index = documents.len();
                questions.push(Question {
                    id: qa.id.clone(),
                    question: qa.question.clone(),
                    places: if golds.is_empty() {
                        Vec::new()
                    } else {
                        places(&paragraph.context, &qa.answers, index)
                    },
                    answering: if golds.is_empty() { Vec::new() } else { vec![index] },
                    golds,
                    tags: Vec::new(),
                    must_pass: false,
                    documents: vec![index],
                    group: title.clone().into_owned(),
                    line: 1,
                });
            }
            documents.push(document);
        }
    }
    if titles.len() < CLUSTERS_FROM {
        // Few articles: paragraphs are what can be resampled and split.
        for question in &mut questions {
            question.group = documents[question.documents[0]].name().to_owned();
        }
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    if questions.is_empty() {
        return Err(whole(
            &name,
            "holds no question",
            "name a file of SQuAD 1.1 or 2.0",
        ));
    }
    Ok(Suite {
        name: path
            .file_stem()
            .map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned()),
        sha256: sha256(text.as_bytes()),
        file: name,
        documents,
        questions,
        summaries: Vec::new(),
    })
}

/// The parser's reason without its own place.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(at) => message[..at].to_owned(),
        None => message,
    }
}

/// Where answers stand: where the file says if it is so, otherwise wherever their words occur.
pub(super) fn places(context: &str, answers: &[impl Gold], document: usize) -> Vec<(usize, Range<usize>)> {
    let mut places = Vec::new();
    for answer in answers {
        let text = answer.text();
        let start = answer
            .start()
            .and_then(|n| context.char_indices().map(|(at, _)| at).nth(n));
        match start.filter(|&at| !text.is_empty() && context[at..].starts_with(text)) {
            Some(at) => places.push(at..at + text.len()),
            None => places.extend(
                context
                    .match_indices(text)
                    .map(|(at, found)| at..at + found.len())
                    .filter(|r| !r.is_empty()),
            ),
        }
    }
    places.sort_by_key(|range| (range.start, range.end));
    places.dedup();
    places.into_iter().map(|range| (document, range)).collect()
}

/// An acceptable answer of a file.
pub(super) trait Gold {
    fn text(&self) -> &str;
    /// Where it stands, in characters.
    fn start(&self) -> Option<usize>;
}

impl Gold for Answer {
    fn text(&self) -> &str {
        &self.text
    }

    fn start(&self) -> Option<usize> {
        self.answer_start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<Suite> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.json");
        std::fs::write(&path, json).unwrap();
        load(&path)
    }

    #[test]
    fn both_versions_are_read() {
        let suite = check(
            r#"{"version": "v2.0", "data": [{"title": "T", "paragraphs": [{"context": "É. Ada and Ada.", "qas": [
                {"id": "1", "question": "who?", "answers": [{"text": "Ada", "answer_start": 11}]},
                {"id": "2", "question": "who?", "answers": [{"text": "Ada", "answer_start": 1}], "is_impossible": false},
                {"id": "3", "question": "why?", "answers": [], "is_impossible": true, "plausible_answers": []}]}]}]}"#,
        )
        .unwrap();
        let places: Vec<_> = suite.questions.iter().map(|q| q.places.clone()).collect();
        assert_eq!(places, [vec![(0, 12..15)], vec![(0, 4..7), (0, 12..15)], vec![]]);
        assert_eq!(suite.questions[2].golds.len(), 0);
        assert_eq!(suite.questions[0].group, "T#1");
    }

    #[test]
    fn articles_without_a_title_are_not_one_document() {
        for (articles, second) in [(3, "dev.json[1]#1"), (10, "dev.json[1]")] {
            let article = |i| {
                format!(
                    r#"{{"paragraphs": [{{"context": "x", "qas": [{{"id": "{i}", "question": "a", "is_impossible": true}}]}}]}}"#
                )
            };
            let all: Vec<String> = (0..articles).map(article).collect();
            let suite = check(&format!(r#"{{"data": [{}]}}"#, all.join(","))).unwrap();
            assert_eq!(suite.questions[1].group, second);
            assert_eq!(suite.questions[1].documents, [1]);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let message = |json| check(json).unwrap_err().to_string();
        let after = |json| message(json).split_once("dev.json").unwrap().1.to_owned();
        assert!(
            after("{\n \"data\": 7}")
                .starts_with(":2:10: data: invalid type: integer `7`, expected a sequence;"),
            "{}",
            after("{\n \"data\": 7}")
        );
        assert!(after("{").starts_with(":1:1: "));
        assert!(after(r#"{"data": []}"#).starts_with(": holds no question;"));
        let twice = r#"{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": "1", "question": "a"}, {"id": "1", "question": "b"}]}]}]}"#;
        assert!(after(twice).starts_with(
            ": data[0].paragraphs[0].qas[1]: id \"1\" is taken by data[0].paragraphs[0].qas[0];"
        ));
        let empty = r#"{"data": [{"paragraphs": [{"context": " ", "qas": []}]}]}"#;
        assert!(after(empty).starts_with(": data[0].paragraphs[0]: the context holds no text;"));
    }
}
