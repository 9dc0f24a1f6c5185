//! JSON Lines: questions, and pairs of texts and summaries.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::answer::normalise;
use super::file;
use super::problem::{Problem, Problems, Result, whole};
use super::squad::{self, Gold, reason};
use super::suite::{Question, SENTENCES, Suite, SummaryCheck, holds, no_word_counts, not_verbatim, sha256};
use crate::document::read::{self, ReadOptions};
use crate::document::{Document, Format};

/// The largest file.
const MOST_BYTES: u64 = 1 << 30;
/// Problems that are told of one file.
const MOST_PROBLEMS: usize = 1000;

/// What is wrong with a line, and the remedy.
type Wrong = (String, Cow<'static, str>);

fn wrong(what: impl Into<String>, remedy: impl Into<Cow<'static, str>>) -> Wrong {
    (what.into(), remedy.into())
}

/// A line of questions. Keys that begin with `_` here are let and mean nothing: a line may be one of `ask batch`,
/// or of SQuAD. Those that would change a score are refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object: {\"id\": …, \"question\": …}")]
struct Line {
    id: Option<Box<RawValue>>,
    question: String,
    context: Option<String>,
    docs: Option<Vec<PathBuf>>,
    #[serde(alias = "golds")]
    answers: Option<Answers>,
    #[serde(default, alias = "is_impossible")]
    unanswerable: bool,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    must_pass: bool,
    title: Option<String>,
    #[serde(default, rename = "top")]
    _top: IgnoredAny,
    min_confidence: Option<IgnoredAny>,
    always_answer: Option<IgnoredAny>,
    skim: Option<IgnoredAny>,
    #[serde(default, rename = "plausible_answers")]
    _plausible_answers: IgnoredAny,
}

/// Texts, objects of SQuAD, or the columns of the Hugging Face hub.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "answers are a list of texts, or of objects: {\"text\": …}"
)]
enum Answers {
    Texts(Vec<String>),
    Objects(Vec<At>),
    Columns {
        text: Vec<String>,
        #[serde(default)]
        answer_start: Vec<usize>,
    },
}

#[derive(Deserialize)]
struct At {
    text: String,
    answer_start: Option<usize>,
}

impl Gold for At {
    fn text(&self) -> &str {
        &self.text
    }

    fn start(&self) -> Option<usize> {
        self.answer_start
    }
}

impl Answers {
    /// Whether this is how the hub says that nothing answers: columns without a row.
    fn are_empty_columns(&self) -> bool {
        matches!(self, Self::Columns { text, .. } if text.is_empty())
    }

    fn into_list(self) -> Vec<At> {
        match self {
            Self::Objects(list) => list,
            Self::Texts(list) => list
                .into_iter()
                .map(|text| At {
                    text,
                    answer_start: None,
                })
                .collect(),
            Self::Columns { text, answer_start } => text
                .into_iter()
                .enumerate()
                .map(|(i, text)| At {
                    text,
                    answer_start: answer_start.get(i).copied(),
                })
                .collect(),
        }
    }
}

/// Reads questions, one a line: `{"id", "question", "context" or "docs", "answers", "unanswerable", "tags"}`.
/// `answers` is a list of texts, SQuAD's list of objects, or the columns of the Hugging Face hub; empty columns
/// say that nothing answers. Each answer has to stand in the context or a document as it is.
///
/// # Errors
/// Everything that is wrong, with its line.
pub fn load(path: &Path, options: &ReadOptions) -> Result<Suite> {
    const REMEDY: &str =
        "a line is {\"id\", \"question\", \"context\" or \"docs\", \"answers\" or \"unanswerable\"}";
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let file_name = file::name(path);
    let mut documents: Vec<Document> = Vec::new();
    let mut contexts: HashMap<String, usize> = HashMap::new();
    let mut files: HashMap<PathBuf, usize> = HashMap::new();
    let mut questions = Vec::new();
    let mut ids = Ids::default();
    let (name, text) = each_line::<Line>(path, REMEDY, |number, line| {
        let docs = line.docs.iter().flatten().map(|doc| doc.to_string_lossy());
        let about: Vec<Cow<'_, str>> = line
            .context
            .as_deref()
            .map(Cow::from)
            .into_iter()
            .chain(docs)
            .collect();
        let content = format!("{}\n{}", line.question, about.join("\n"));
        if line.must_pass && line.id.is_none() {
            return Err(wrong(
                "must_pass needs an id",
                "give the question one, by which a baseline knows it",
            ));
        }
        let id = ids.take(line.id.as_deref(), &content, number)?;
        for (given, key) in [
            (line.min_confidence.is_some(), "min_confidence"),
            (line.always_answer.is_some(), "always_answer"),
            (line.skim.is_some(), "skim"),
        ] {
            if given {
                return Err(wrong(
                    format!("{key} is for all questions of a run"),
                    "leave it out, and give ask eval the option of that name",
                ));
            }
        }
        if !line.question.contains(char::is_alphanumeric) {
            return Err(wrong("the question is empty", "write what is asked"));
        }
        let unanswerable = line.unanswerable || line.answers.as_ref().is_some_and(Answers::are_empty_columns);
        let answers = line.answers.map(Answers::into_list).unwrap_or_default();
        let golds = golds(&id, &answers, unanswerable)?;
        let (read, places) = match (line.context, line.docs) {
            (Some(context), None) => {
                let next = documents.len();
                let index = *contexts.entry(context.clone()).or_insert(next);
                if index == next {
                    let document = Document::new(
                        format!("context of line {number} of {file_name}"),
                        context.as_str(),
                        Format::Plain,
                    );
                    documents.push(document.map_err(|_| wrong("the context holds no text", "give it some"))?);
                }
                (vec![index], squad::places(&context, &answers, index))
            }
            (None, Some(docs)) if !docs.is_empty() => {
                let paths: Vec<PathBuf> = docs.iter().map(|doc| folder.join(doc)).collect();
                let failed = |error: crate::Error| wrong(error.to_string(), "paths are relative to the file");
                let mut indices = Vec::new();
                for file in read::find(&paths, options).map_err(failed)?.files {
                    let index = match files.get(&file) {
                        Some(index) => *index,
                        None => {
                            documents.push(read::read_file(&file::shortest(&file), options).map_err(failed)?);
                            files.insert(file, documents.len() - 1);
                            documents.len() - 1
                        }
                    };
                    indices.push(index);
                }
                (indices, Vec::new())
            }
            _ => return Err(wrong("needs context or docs, one of them", REMEDY)),
        };
        refuse_what_is_not_verbatim(&id, &golds, &read, &documents)?;
        let answering: Vec<usize> = read
            .iter()
            .copied()
            .filter(|&i| golds.iter().any(|gold| holds(&documents[i], gold)))
            .collect();
        questions.push(Question {
            id,
            question: line.question,
            tags: line.tags,
            must_pass: line.must_pass,
            group: line.title.unwrap_or_else(|| documents[read[0]].name().to_owned()),
            golds,
            answering,
            places,
            documents: read,
            line: number,
        });
        Ok(())
    })?;
    if questions.is_empty() {
        return Err(whole(&name, "holds no question", REMEDY));
    }
    Ok(Suite {
        name: stem(path, &name),
        sha256: sha256(text.as_bytes()),
        file: name,
        documents,
        questions,
        summaries: Vec::new(),
    })
}

/// The acceptable answers, each once; none where nothing answers.
fn golds(id: &str, answers: &[At], unanswerable: bool) -> Result<Vec<String>, Wrong> {
    const REMEDY: &str = "list the exact words that answer it, or write \"unanswerable\": true";
    match (answers.is_empty(), unanswerable) {
        (true, false) => return Err(wrong(format!("{id}: has no answers"), REMEDY)),
        (false, true) => {
            return Err(wrong(
                format!("{id}: is unanswerable and has answers"),
                "keep one of the two",
            ));
        }
        _ => {}
    }
    let mut golds: Vec<String> = Vec::new();
    for At { text, .. } in answers {
        if text.trim().is_empty() {
            return Err(wrong(format!("{id}: an answer is empty"), REMEDY));
        }
        if !golds.contains(text) {
            golds.push(text.clone());
        }
    }
    if !golds.is_empty() && golds.iter().all(|gold| normalise(gold).is_empty()) {
        let (what, remedy) = no_word_counts(id);
        return Err(wrong(what, remedy));
    }
    Ok(golds)
}

fn refuse_what_is_not_verbatim(
    id: &str,
    golds: &[String],
    read: &[usize],
    documents: &[Document],
) -> Result<(), Wrong> {
    let read: Vec<&Document> = read.iter().map(|&i| &documents[i]).collect();
    match golds
        .iter()
        .find(|gold| !read.iter().any(|document| holds(document, gold)))
    {
        Some(gold) => {
            let (what, remedy) = not_verbatim(id, gold, &read);
            Err(wrong(what, remedy))
        }
        None => Ok(()),
    }
}

/// A text with its summary, under the names that data sets use.
#[derive(Deserialize)]
struct Pair {
    id: Option<Box<RawValue>>,
    #[serde(alias = "document", alias = "text", alias = "source")]
    article: Text,
    #[serde(
        alias = "highlights",
        alias = "summary_sents",
        alias = "reference",
        alias = "target"
    )]
    summary: Text,
    #[serde(alias = "predicted")]
    prediction: Option<Text>,
}

/// A text, or its sentences.
#[derive(Deserialize)]
#[serde(untagged, expecting = "neither a text nor a list of sentences")]
enum Text {
    Whole(String),
    Sentences(Vec<String>),
}

impl Text {
    fn into_lines(self) -> String {
        match self {
            Self::Whole(text) => text,
            Self::Sentences(list) => list.join("\n"),
        }
    }
}

/// Reads pairs of texts and summaries, one a line: `article` (or `document`, `text`, `source`), `summary` (or
/// `highlights`, `summary_sents`, `reference`, `target`), and `prediction` if one is to be scored. Each is a
/// text or a list of sentences.
///
/// # Errors
/// Everything that is wrong, with its line.
pub fn load_pairs(path: &Path) -> Result<Suite> {
    const REMEDY: &str = "a line is {\"article\", \"summary\"}, with \"prediction\" if one is to be scored";
    let (mut documents, mut summaries) = (Vec::new(), Vec::new());
    let file_name = file::name(path);
    let mut ids = Ids::default();
    let (name, text) = each_line::<Pair>(path, REMEDY, |number, pair| {
        let article = pair.article.into_lines();
        let id = ids.take(pair.id.as_deref(), &article, number)?;
        let reference = pair.summary.into_lines();
        if reference.trim().is_empty() {
            return Err(wrong("the summary is empty", REMEDY));
        }
        let document = Document::new(format!("article {id} of {file_name}"), article, Format::Plain);
        documents.push(document.map_err(|_| wrong("the article holds no text", REMEDY))?);
        summaries.push(SummaryCheck {
            id,
            document: documents.len() - 1,
            sentences: SENTENCES,
            must_mention: Vec::new(),
            must_not_mention: Vec::new(),
            references: vec![reference],
            prediction: pair.prediction.map(Text::into_lines),
            must_pass: false,
            line: number,
        });
        Ok(())
    })?;
    if summaries.is_empty() {
        return Err(whole(&name, "holds no pair", REMEDY));
    }
    Ok(Suite {
        name: stem(path, &name),
        sha256: sha256(text.as_bytes()),
        file: name,
        documents,
        questions: Vec::new(),
        summaries,
    })
}

/// Parses every line and hands it on with its number; what is wrong with any is told together.
fn each_line<T: serde::de::DeserializeOwned>(
    path: &Path,
    remedy: &str,
    mut take: impl FnMut(usize, T) -> Result<(), Wrong>,
) -> Result<(String, String)> {
    let name = path.display().to_string();
    let text = file::read(path, MOST_BYTES, "a file of JSON Lines")?;
    let mut problems = Vec::new();
    for (i, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let mut problem = |column: usize, what: String, remedy: &str| {
            problems.push(Problem {
                file: name.clone(),
                position: Some((i + 1, column)),
                what,
                remedy: remedy.to_owned(),
            });
        };
        match parse(line) {
            Ok(value) => {
                if let Err((what, remedy)) = take(i + 1, value) {
                    problem(1, what, &remedy);
                }
            }
            Err((column, what)) => problem(column, what, remedy),
        }
        if problems.len() == MOST_PROBLEMS {
            break;
        }
    }
    if problems.is_empty() {
        Ok((name, text))
    } else {
        Err(Problems(problems))
    }
}

/// A line as a value, or the column and what is wrong there.
pub(super) fn parse<T: serde::de::DeserializeOwned>(line: &str) -> Result<T, (usize, String)> {
    let mut json = serde_json::Deserializer::from_str(line);
    let column = |error: &serde_json::Error| error.column().max(1);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let reason = reason(error.inner());
        let what = match error.path().to_string().as_str() {
            // Of an unknown key, path and reason are both its name.
            "." => reason,
            _ if reason.starts_with("unknown field") => reason,
            path => format!("{path}: {reason}"),
        };
        (column(error.inner()), what)
    })?;
    json.end().map_err(|error| (column(&error), reason(&error)))?;
    Ok(value)
}

/// The ids of a file, with the lines that have them.
#[derive(Default)]
struct Ids(HashMap<String, usize>);

impl Ids {
    /// An id as text. A line without one is called by what it holds: by its number, a baseline would compare it
    /// with another once a line is put in above it.
    fn take(&mut self, given: Option<&RawValue>, content: &str, number: usize) -> Result<String, Wrong> {
        let id = match given.map(RawValue::get) {
            None | Some("null") => {
                let hash = &sha256(content.as_bytes())[..12];
                let nth = (2..).map(|n| format!("{hash}-{n}"));
                let mut ids = std::iter::once(hash.to_owned()).chain(nth);
                ids.find(|id| !self.0.contains_key(id)).unwrap_or_default()
            }
            Some(raw) => serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned()),
        };
        match self.0.insert(id.clone(), number) {
            Some(first) => Err(wrong(
                format!("id \"{id}\" is taken by line {first}"),
                "give each line an id of its own",
            )),
            None => Ok(id),
        }
    }
}

fn stem(path: &Path, name: &str) -> String {
    path.file_stem()
        .map_or_else(|| name.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.jsonl");
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn three_ways_to_write_answers() {
        let (_folder, path) = file(
            "{\"id\":7,\"question\":\"who?\",\"context\":\"Ada came.\",\"answers\":[\"Ada\"]}\n\n\
             {\"question\":\"who?\",\"context\":\"Ada came.\",\"answers\":[{\"text\":\"Ada\",\"answer_start\":0}]}\n\
             {\"id\":\"x\",\"question\":\"who?\",\"context\":\"Bo.\",\"answers\":{\"text\":[],\"answer_start\":[]}}\n",
        );
        let suite = load(&path, &ReadOptions::default()).unwrap();
        let ids: Vec<&str> = suite.questions.iter().map(|q| q.id.as_str()).collect();
        assert_eq!(ids, ["7", "b172b9443aed", "x"]);
        assert_eq!(suite.documents.len(), 2);
        assert_eq!(suite.questions[1].places, [(0, 0..3)]);
        assert!(suite.questions[2].golds.is_empty());
    }

    fn told(line: &str) -> String {
        let (_folder, path) = file(line);
        load(&path, &ReadOptions::default()).unwrap_err().to_string()
    }

    #[test]
    fn what_a_suite_in_toml_is_refused_for_a_line_is_refused_for() {
        for (rest, message) in [
            (
                r#""answers":["Ada"],"must_pas":true"#,
                "in.jsonl:1:78: unknown field `must_pas`, expected",
            ),
            (r#""anwsers":["Ada"]"#, "unknown field `anwsers`"),
            (
                r#""answers":["ada"]"#,
                "in.jsonl:1:1: x: answer \"ada\" is not in context of line 1 of in.jsonl; it has \"Ada\": copy the exact words",
            ),
            (
                r#""answers":["Ada",{"text":"Bo"}]"#,
                "answers: answers are a list of texts, or of objects",
            ),
            (
                r#""answers":[{"text":"Ada"},{"text":"Bo"}]"#,
                "x: answer \"Bo\" is not in context of line 1 of in.jsonl",
            ),
            (
                r#""answers":["Ada"],"unanswerable":true"#,
                "x: is unanswerable and has answers; keep one",
            ),
            (
                r#""tags":[]"#,
                "x: has no answers; list the exact words that answer it, or write \"unanswerable\": true",
            ),
            (r#""answers":[]"#, "x: has no answers"),
            (r#""answers":[" "]"#, "x: an answer is empty"),
            (
                r#""answers":["."]"#,
                "in.jsonl:1:1: x: no word of the answers counts: punctuation and the articles a, an, the do not; list a",
            ),
            (
                r#""answers":["Ada"],"min_confidence":0.5"#,
                "min_confidence is for all questions of a run; leave it out",
            ),
        ] {
            let told = told(&format!(
                r#"{{"id":"x","question":"who?","context":"Ada came.",{rest}}}"#
            ));
            assert!(told.contains(message), "{told}");
        }
    }

    #[test]
    fn a_line_of_batch_or_of_squad_gets_answers_and_no_other_change() {
        let (_folder, path) = file(
            "{\"question\":\"who?\",\"context\":\"Ada\\n came.\",\"answers\":[\"Ada came\"],\"top\":2}\n\
             {\"question\":\"why?\",\"context\":\"Ada came.\",\"title\":\"T\",\"answers\":[],\"is_impossible\":true,\"plausible_answers\":[]}\n",
        );
        let suite = load(&path, &ReadOptions::default()).unwrap();
        assert_eq!(suite.questions[0].answering, [0]);
        assert!(suite.questions[1].golds.is_empty());
    }

    #[test]
    fn pairs_of_every_name_are_read() {
        let (_folder, path) = file(
            "{\"article\":\"A b. C d.\",\"highlights\":\"A.\\nB.\"}\n{\"document\":[\"A.\",\"B.\"],\"summary\":[\"x\",\"y\"],\"prediction\":\"A.\"}\n",
        );
        let suite = load_pairs(&path).unwrap();
        assert_eq!(suite.summaries[1].references, ["x\ny"]);
        assert_eq!(suite.summaries[1].prediction.as_deref(), Some("A."));
        assert_eq!(suite.documents[1].source(), "A.\nB.");
    }

    #[test]
    fn a_line_without_an_id_is_called_the_same_wherever_it_stands() {
        let ids = |content: &str| -> Vec<String> {
            let (_folder, path) = file(content);
            let suite = load(&path, &ReadOptions::default()).unwrap();
            suite.questions.into_iter().map(|q| q.id).collect()
        };
        let line = |context: &str| {
            format!("{{\"question\":\"who?\",\"context\":\"{context}\",\"unanswerable\":true}}\n")
        };
        let (ada, bo) = (line("Ada."), line("Bo."));
        let once = ids(&(ada.clone() + &bo));
        assert_ne!(once[0], once[1]);
        assert_eq!(ids(&(bo.clone() + &ada)), [once[1].as_str(), once[0].as_str()]);
        let marked = ada.replace("}", ",\"must_pass\":true}");
        let (_folder, path) = file(&marked);
        let told = load(&path, &ReadOptions::default()).unwrap_err().to_string();
        assert!(
            told.contains("in.jsonl:1:1: must_pass needs an id; give the question one"),
            "{told}"
        );
        // What is asked twice is two questions.
        assert_eq!(
            ids(&(ada.clone() + &ada + &ada))[1..],
            [format!("{}-2", once[0]), format!("{}-3", once[0])]
        );
    }

    #[test]
    fn contexts_of_two_files_are_no_one_document() {
        let line = r#"{"question":"who?","context":"Ada came.","answers":["Ada"]}"#;
        let (folder, path) = file(line);
        let other = folder.path().join("other.jsonl");
        std::fs::write(&other, line).unwrap();
        let group = |path| {
            load(path, &ReadOptions::default()).unwrap().questions[0]
                .group
                .clone()
        };
        assert_ne!(group(&path), group(&other));
        assert_eq!(group(&path), "context of line 1 of in.jsonl");
    }

    #[test]
    fn every_bad_line_is_told() {
        let (_folder, path) = file(
            "{\"question\":\"q\"}\nnonsense\n{\"question\":7}\n{\"question\":\"q\",\"context\":\"x\"} y\n{\"question\":\"q\",\"docs\":[\"no\"]}\n",
        );
        let problems = load(&path, &ReadOptions::default()).unwrap_err().0;
        let places: Vec<_> = problems.iter().map(|p| p.position.unwrap().0).collect();
        assert_eq!(places, [1, 2, 3, 4, 5], "{problems:?}");
    }
}
