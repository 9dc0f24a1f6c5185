//! Suites: questions with their acceptable answers, and what a summary has to say, written by hand in TOML.
//!
//! ```toml
//! name = "lease"
//! documents = ["lease.md"]          # files, folders or patterns, relative to this file
//!
//! [[question]]
//! id = "end"
//! question = "when does the lease end?"
//! answers = ["31 May 2027", "on 31 May 2027"]   # exact words of the document, every acceptable wording;
//!                                                # white space may be another: lines are wrapped anywhere
//! line = 12                         # where it stands; or: sentence = "The lease ends on 31 May 2027."
//! tags = ["time"]
//! must_pass = true
//!
//! [[question]]
//! id = "pets"
//! question = "are dogs allowed?"
//! unanswerable = true
//!
//! [[summary]]
//! id = "short"
//! document = "lease.md"             # may be left out where there is one
//! sentences = 3
//! must_mention = ["31 May 2027"]
//! must_not_mention = ["parking"]
//! references = ["The lease ends on 31 May 2027.\nThe rent is 900 euros."]
//! ```

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::answer::normalise;
use super::file;
use super::problem::{Collector, Problem, Problems, Result, at, position, whole};
use crate::document::Document;
use crate::document::read::{self, ReadOptions};
use crate::harmless::shortened;

/// The largest suite file.
const MOST_BYTES: u64 = 8 << 20;
/// The most questions of a suite written by hand.
const MOST_QUESTIONS: usize = 10_000;
/// The longest id, in bytes.
const LONGEST_ID: usize = 200;
/// Sentences of a summary, unless a check says otherwise.
pub const SENTENCES: usize = 3;

/// Questions about documents, from whatever kind of file.
#[derive(Debug)]
pub struct Suite {
    /// What it is called in reports and baselines.
    pub name: String,
    /// Its file, as it was named.
    pub file: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// What the questions and checks are about.
    pub documents: Vec<Document>,
    /// The questions.
    pub questions: Vec<Question>,
    /// The checks of summaries.
    pub summaries: Vec<SummaryCheck>,
}

impl Suite {
    /// SHA-256 of the documents' sources, one after the other, lower-case hexadecimal.
    #[must_use]
    pub fn documents_sha256(&self) -> String {
        let mut hasher = Sha256::new();
        for document in &self.documents {
            hasher.update(document.source());
        }
        hexadecimal(&hasher.finalize())
    }
}

/// A question with what is right.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Unique in its suite.
    pub id: String,
    /// What is asked.
    pub question: String,
    /// Every acceptable answer; none if the documents do not answer it.
    pub golds: Vec<String>,
    /// For filters and scores by tag.
    pub tags: Vec<String>,
    /// Whether a wrong answer fails the gate whatever the rest does.
    pub must_pass: bool,
    /// Which of the suite's documents are read.
    pub documents: Vec<usize>,
    /// Which of them answer it; none if unknown.
    pub answering: Vec<usize>,
    /// Where an answer may be quoted from: document and bytes of its source. None if the suite does not say.
    pub places: Vec<(usize, Range<usize>)>,
    /// The document, for intervals and splits: its questions go together.
    pub group: String,
    /// The line of the suite's file, from 1.
    pub line: usize,
}

/// What a summary has to say and must not say.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryCheck {
    /// Unique in its suite.
    pub id: String,
    /// Which of the suite's documents is summarised.
    pub document: usize,
    /// How many sentences the summary has.
    pub sentences: usize,
    /// Each must occur; letter case and white space do not count.
    pub must_mention: Vec<String>,
    /// None may occur.
    pub must_not_mention: Vec<String>,
    /// Summaries that people wrote, one sentence a line.
    pub references: Vec<String>,
    /// A summary to score, from a file of pairs, one sentence a line.
    pub prediction: Option<String>,
    /// Whether a miss fails the gate.
    pub must_pass: bool,
    /// The line of the suite's file, from 1.
    pub line: usize,
}

impl SummaryCheck {
    /// Whether it says what has to hold; references are only scored.
    #[must_use]
    pub fn has_conditions(&self) -> bool {
        !self.must_mention.is_empty() || !self.must_not_mention.is_empty()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSuite {
    name: Option<Spanned<String>>,
    documents: Spanned<Vec<Spanned<PathBuf>>>,
    #[serde(default)]
    question: Vec<RawQuestion>,
    #[serde(default)]
    summary: Vec<RawSummary>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    id: Spanned<String>,
    question: Spanned<String>,
    #[serde(default)]
    answers: Vec<Spanned<String>>,
    unanswerable: Option<Spanned<bool>>,
    document: Option<Spanned<String>>,
    line: Option<Spanned<i64>>,
    sentence: Option<Spanned<String>>,
    #[serde(default)]
    tags: Vec<Spanned<String>>,
    #[serde(default)]
    must_pass: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSummary {
    id: Spanned<String>,
    document: Option<Spanned<String>>,
    sentences: Option<Spanned<i64>>,
    #[serde(default)]
    must_mention: Vec<Spanned<String>>,
    #[serde(default)]
    must_not_mention: Vec<Spanned<String>>,
    #[serde(default)]
    references: Vec<Spanned<String>>,
    #[serde(default)]
    must_pass: bool,
}

/// The suites that paths name: a folder stands for the `.toml` files in it and below, `ask.toml` excepted.
///
/// # Errors
/// When a path is not there, a folder holds no suite, or anything is wrong with a suite. All that is wrong
/// with all of them is told together.
pub fn load_all(paths: &[PathBuf], options: &ReadOptions) -> Result<Vec<Suite>> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        let walk = ignore::WalkBuilder::new(path)
            .require_git(false)
            .sort_by_file_name(std::ffi::OsStr::cmp)
            .build();
        let name = path.display().to_string();
        for entry in walk {
            match entry {
                Ok(entry) => {
                    let file = entry.into_path();
                    let is_suite =
                        file.extension().is_some_and(|e| e == "toml") && !file.ends_with("ask.toml");
                    if is_suite && file.is_file() {
                        files.push(file);
                    }
                }
                Err(error) => {
                    let remedy = "make it readable, or name the suites one by one";
                    problems.extend(whole(&name, error.to_string(), remedy).0);
                }
            }
        }
        if files.len() == before && problems.is_empty() {
            return Err(whole(
                &name,
                "holds no suite (*.toml)",
                "name a suite, or begin one with ask eval --init FILE",
            ));
        }
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|path| seen.insert(file::identity(path)));
    let mut suites: Vec<Suite> = Vec::new();
    for file in &files {
        let loaded = match file.extension().and_then(|e| e.to_str()) {
            Some("json") => super::squad::load(file),
            Some("jsonl" | "ndjson") => super::lines::load(file, options),
            _ => load(file, options),
        };
        match loaded {
            Ok(suite) => suites.push(suite),
            Err(Problems(more)) => problems.extend(more),
        }
    }
    problems.extend(of_one_name(&suites));
    if problems.is_empty() {
        Ok(suites)
    } else {
        Err(Problems(problems))
    }
}

/// Suites with the name of another one: reports, baselines and histories would take them for one.
pub(crate) fn of_one_name(suites: &[Suite]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, suite) in suites.iter().enumerate() {
        let Some(other) = suites[..i].iter().find(|other| other.name == suite.name) else {
            continue;
        };
        let path = Path::new(&suite.file);
        let what = format!("is called \"{}\", as {} is", suite.name, other.file);
        let told = if file::identity(path) == file::identity(Path::new(&other.file)) {
            whole(&suite.file, "is named twice", "name it once")
        } else if path.extension().is_some_and(|e| e == "toml") {
            whole(&suite.file, what, "give it a name of its own: name = \"…\"")
        } else {
            whole(&suite.file, what, "it is called as its file is: rename the file")
        };
        problems.extend(told.0);
    }
    problems
}

/// Reads a suite and its documents, and checks them against each other.
///
/// # Errors
/// Everything that is wrong, each with line and column.
pub fn load(path: &Path, options: &ReadOptions) -> Result<Suite> {
    let name = path.display().to_string();
    let text = file::read(path, MOST_BYTES, "a suite (*.toml)")?;
    let raw: RawSuite = toml::from_str(&text).map_err(|error| {
        let place = position(&text, error.span().map_or(0, |span| span.start));
        let what = error.message().trim().replace('\n', ", ");
        at(&name, place, what, "ask eval --init shows how a suite is written")
    })?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let mut checker = Checker {
        collector: Collector::new(&name, &text),
        text: &text,
        documents: Vec::new(),
        names: HashMap::new(),
        ids: HashMap::new(),
    };
    checker.read_documents(&raw, folder, options);
    if raw.question.is_empty() && raw.summary.is_empty() {
        checker.collector.add(
            text.len(),
            "has no [[question]] and no [[summary]]",
            "write one; ask eval --init FILE shows how",
        );
    }
    if raw.question.len() + raw.summary.len() > MOST_QUESTIONS {
        checker.collector.add(
            0,
            format!("has more than {MOST_QUESTIONS} questions"),
            "split the suite",
        );
    }
    let suite_name = match &raw.name {
        Some(given) => {
            let trimmed = given.get_ref().trim();
            if trimmed.is_empty() || trimmed.len() > LONGEST_ID {
                checker.collector.add(
                    given.span().start,
                    "name is empty or too long",
                    format!("use 1 to {LONGEST_ID} bytes"),
                );
            }
            trimmed.to_owned()
        }
        None => path
            .file_stem()
            .map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned()),
    };
    let questions = raw
        .question
        .iter()
        .map(|q| checker.question(q, &suite_name))
        .collect();
    let summaries = raw.summary.iter().map(|s| checker.summary(s)).collect();
    let Checker {
        collector, documents, ..
    } = checker;
    collector.finish(Suite {
        name: suite_name,
        sha256: sha256(text.as_bytes()),
        documents,
        questions,
        summaries,
        file: name.clone(),
    })
}

struct Checker<'a> {
    collector: Collector<'a>,
    text: &'a str,
    documents: Vec<Document>,
    /// Documents by the name that the suite gives them, where that names one file.
    names: HashMap<String, usize>,
    ids: HashMap<String, usize>,
}

impl Checker<'_> {
    fn read_documents(&mut self, raw: &RawSuite, folder: &Path, options: &ReadOptions) {
        if raw.documents.get_ref().is_empty() {
            self.collector.add(
                raw.documents.span().start,
                "documents is empty",
                "name what the questions are about: documents = [\"report.txt\"]",
            );
        }
        for entry in raw.documents.get_ref() {
            let at = entry.span().start;
            let found = match read::find(&[folder.join(entry.get_ref())], options) {
                Ok(found) => found,
                Err(error) => {
                    self.collector
                        .add(at, error.to_string(), "paths are relative to the suite");
                    continue;
                }
            };
            for unread in &found.unread {
                self.collector
                    .add(at, unread.error.to_string(), "a suite needs all of its documents");
            }
            let one = found.files.len() == 1;
            let files: Vec<PathBuf> = found.files.iter().map(|path| file::shortest(path)).collect();
            for (file, result) in found.files.iter().zip(read::read_files(&files, options)) {
                match result {
                    Ok(document) => {
                        let name = if one {
                            entry.get_ref().display().to_string()
                        } else {
                            file.strip_prefix(folder).unwrap_or(file).display().to_string()
                        };
                        self.names.insert(name, self.documents.len());
                        self.documents.push(document);
                    }
                    Err(error) => {
                        self.collector
                            .add(at, error.to_string(), "a suite needs all of its documents")
                    }
                }
            }
        }
    }

    fn id(&mut self, id: &Spanned<String>) {
        let (at, text) = (id.span().start, id.get_ref());
        if text.trim().is_empty() || text.len() > LONGEST_ID || text.contains(char::is_control) {
            self.collector.add(
                at,
                "id is empty, too long or has control characters",
                format!("use 1 to {LONGEST_ID} bytes of text"),
            );
        } else if let Some(first) = self.ids.insert(text.clone(), at) {
            let line = position(self.text, first).0;
            self.collector.add(
                at,
                format!("id \"{text}\" is taken by line {line}"),
                "give each question an id of its own",
            );
        }
    }

    /// The document that an entry names, or the only one.
    fn document(&mut self, named: Option<&Spanned<String>>) -> Option<usize> {
        match named {
            None => (self.documents.len() == 1).then_some(0),
            Some(name) => {
                let found = self.names.get(name.get_ref()).copied();
                if found.is_none() {
                    let mut known: Vec<&str> = self.names.keys().map(String::as_str).collect();
                    known.sort_unstable();
                    let what = format!(
                        "document \"{}\" is not one of the suite's",
                        shortened(name.get_ref())
                    );
                    self.collector.add(
                        name.span().start,
                        what,
                        format!("use one of: {}", shortened(&known.join(", "))),
                    );
                }
                found
            }
        }
    }

    fn question(&mut self, raw: &RawQuestion, suite: &str) -> Question {
        self.id(&raw.id);
        let id = raw.id.get_ref().clone();
        let start = raw.id.span().start;
        if !raw.question.get_ref().contains(char::is_alphanumeric) {
            self.collector.add(
                raw.question.span().start,
                format!("{id}: the question is empty"),
                "write what is asked",
            );
        }
        let unanswerable = raw.unanswerable.as_ref().is_some_and(|u| *u.get_ref());
        match (raw.answers.is_empty(), unanswerable) {
            (true, false) => self.collector.add(
                start,
                format!("{id}: has no answers"),
                "list the exact words that answer it, or write unanswerable = true",
            ),
            (false, true) => {
                let at = raw.unanswerable.as_ref().map_or(start, |u| u.span().start);
                self.collector.add(
                    at,
                    format!("{id}: is unanswerable and has answers"),
                    "keep one of the two",
                );
            }
            _ => {}
        }
        for tag in raw.tags.iter().filter(|tag| tag.get_ref().trim().is_empty()) {
            self.collector.add(
                tag.span().start,
                format!("{id}: a tag is empty"),
                "write a word, or leave it out",
            );
        }
        let document = self.document(raw.document.as_ref());
        let searched: Vec<usize> = match (document, &raw.document) {
            (Some(document), Some(_)) => vec![document],
            _ => (0..self.documents.len()).collect(),
        };
        let mut answering = Vec::new();
        for answer in &raw.answers {
            let holders = self.holders(answer, &id, &searched);
            answering.extend(holders);
        }
        if raw.answers.iter().any(|a| !a.get_ref().trim().is_empty())
            && raw.answers.iter().all(|a| normalise(a.get_ref()).is_empty())
        {
            let (what, remedy) = no_word_counts(&id);
            self.collector.add(raw.answers[0].span().start, what, remedy);
        }
        answering.sort_unstable();
        answering.dedup();
        let places = self.places(raw, &id, document, &answering);
        let group = match answering.first().or(document.as_ref()) {
            Some(&index) => self.documents[index].name().to_owned(),
            None => suite.to_owned(),
        };
        Question {
            id,
            question: raw.question.get_ref().clone(),
            golds: raw.answers.iter().map(|a| a.get_ref().clone()).collect(),
            tags: raw.tags.iter().map(|t| t.get_ref().clone()).collect(),
            must_pass: raw.must_pass,
            documents: (0..self.documents.len()).collect(),
            answering,
            places,
            group,
            line: position(self.text, start).0,
        }
    }

    /// The documents, of those searched, that hold an answer verbatim; a problem if none does.
    fn holders(&mut self, answer: &Spanned<String>, id: &str, searched: &[usize]) -> Vec<usize> {
        let words = answer.get_ref();
        if words.trim().is_empty() {
            self.collector.add(
                answer.span().start,
                format!("{id}: an answer is empty"),
                "write its words, or unanswerable = true",
            );
            return Vec::new();
        }
        let found: Vec<usize> = searched
            .iter()
            .copied()
            .filter(|&i| holds(&self.documents[i], words))
            .collect();
        // While documents could not be read, nothing can be said about what they hold.
        if found.is_empty() && !searched.is_empty() {
            let searched: Vec<&Document> = searched.iter().map(|&i| &self.documents[i]).collect();
            let (what, remedy) = not_verbatim(id, words, &searched);
            self.collector.add(answer.span().start, what, remedy);
        }
        found
    }

    fn places(
        &mut self,
        raw: &RawQuestion,
        id: &str,
        document: Option<usize>,
        answering: &[usize],
    ) -> Vec<(usize, Range<usize>)> {
        let place = match (&raw.line, &raw.sentence) {
            (None, None) => return Vec::new(),
            (Some(_), Some(sentence)) => {
                self.collector.add(
                    sentence.span().start,
                    format!("{id}: has both line and sentence"),
                    "keep one of the two",
                );
                return Vec::new();
            }
            (Some(line), None) => line.span().start,
            (None, Some(sentence)) => sentence.span().start,
        };
        if raw.answers.is_empty() {
            self.collector.add(
                place,
                format!("{id}: a place without an answer"),
                "leave out line and sentence, or list the answers",
            );
            return Vec::new();
        }
        let document = document.or(match answering {
            [one] => Some(*one),
            _ => None,
        });
        let Some(document) = document else {
            if self.documents.len() > 1 && raw.document.is_none() {
                self.collector.add(
                    place,
                    format!("{id}: which document's place is it?"),
                    "add document = \"…\"",
                );
            }
            return Vec::new();
        };
        let source = self.documents[document].source();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        if let Some(line) = &raw.line {
            let wanted = usize::try_from(*line.get_ref()).ok().filter(|n| *n > 0);
            let lines = line_ranges(source);
            match wanted.and_then(|n| lines.get(n - 1)) {
                Some(range) => ranges.push(range.clone()),
                None => {
                    self.collector.add(
                        place,
                        format!("{id}: line {} is not there", line.get_ref()),
                        format!("the document has {} lines", lines.len()),
                    );
                    return Vec::new();
                }
            }
        }
        if let Some(sentence) = &raw.sentence {
            let words = sentence.get_ref().as_str();
            ranges.extend(occurrences(source, words));
            if ranges.is_empty() {
                let what = format!(
                    "{id}: sentence \"{}\" is not in {}",
                    shortened(words),
                    self.documents[document].name()
                );
                self.collector.add(place, what, "copy it exactly");
                return Vec::new();
            }
        }
        // An answer may go on in the next line.
        let answered = raw
            .answers
            .iter()
            .flat_map(|a| occurrences(source, a.get_ref()))
            .any(|found| ranges.iter().any(|range| range.contains(&found.start)));
        if !answered {
            self.collector.add(
                place,
                format!("{id}: none of the answers stands there"),
                "correct the place or the answers",
            );
        }
        ranges.into_iter().map(|range| (document, range)).collect()
    }

    fn summary(&mut self, raw: &RawSummary) -> SummaryCheck {
        self.id(&raw.id);
        let id = raw.id.get_ref().clone();
        let start = raw.id.span().start;
        let document = self.document(raw.document.as_ref());
        if document.is_none() && raw.document.is_none() && self.documents.len() > 1 {
            self.collector.add(
                start,
                format!("{id}: which document is summarised?"),
                "add document = \"…\"",
            );
        }
        if raw.must_mention.is_empty() && raw.must_not_mention.is_empty() && raw.references.is_empty() {
            self.collector.add(
                start,
                format!("{id}: checks nothing"),
                "add must_mention, must_not_mention or references",
            );
        }
        if raw.must_pass && raw.must_mention.is_empty() && raw.must_not_mention.is_empty() {
            self.collector.add(
                start,
                format!("{id}: must_pass without what has to hold: references are only scored"),
                "add must_mention or must_not_mention, or leave must_pass out",
            );
        }
        for part in raw
            .must_mention
            .iter()
            .chain(&raw.must_not_mention)
            .chain(&raw.references)
        {
            if part.get_ref().trim().is_empty() {
                self.collector.add(
                    part.span().start,
                    format!("{id}: an entry is empty"),
                    "write its words, or leave it out",
                );
            }
        }
        if let Some(document) = document {
            for words in &raw.must_mention {
                if !mentions(self.documents[document].text(), words.get_ref()) {
                    let what = format!(
                        "{id}: \"{}\" is not in {}",
                        shortened(words.get_ref()),
                        self.documents[document].name()
                    );
                    self.collector.add(
                        words.span().start,
                        what,
                        "a summary quotes: use words of the document",
                    );
                }
            }
        }
        let sentences = raw.sentences.as_ref().map_or(Some(SENTENCES), |n| {
            usize::try_from(*n.get_ref())
                .ok()
                .filter(|n| (1..=100).contains(n))
        });
        if let (None, Some(given)) = (sentences, &raw.sentences) {
            self.collector.add(
                given.span().start,
                format!("{id}: sentences is out of range"),
                "use 1 to 100",
            );
        }
        let texts = |list: &[Spanned<String>]| list.iter().map(|s| s.get_ref().clone()).collect();
        SummaryCheck {
            id,
            document: document.unwrap_or(0),
            sentences: sentences.unwrap_or(SENTENCES),
            must_mention: texts(&raw.must_mention),
            must_not_mention: texts(&raw.must_not_mention),
            references: texts(&raw.references),
            prediction: None,
            must_pass: raw.must_pass,
            line: position(self.text, start).0,
        }
    }
}

/// What is wrong where all answers are nothing to the metric, so that silence would be right, and the remedy.
pub(super) fn no_word_counts(id: &str) -> (String, &'static str) {
    (
        format!("{id}: no word of the answers counts: punctuation and the articles a, an, the do not"),
        "list a wording with a word that counts, such as \"grade A\" for \"A\"",
    )
}

/// What is wrong with an answer that none of the documents holds, and the remedy.
pub(super) fn not_verbatim(id: &str, words: &str, documents: &[&Document]) -> (String, String) {
    let near = documents
        .iter()
        .find_map(|document| nearly(document.source(), words));
    let remedy = match near {
        Some(near) => format!("it has \"{}\": copy the exact words", shortened(&near)),
        None => "copy the exact words, with their quotation marks and letter case".to_owned(),
    };
    let place = match documents {
        [one] => one.name(),
        _ => "the documents",
    };
    let what = format!("{id}: answer \"{}\" is not in {place}", shortened(words));
    (what, remedy)
}

/// Whether a document holds these words, as its source has them or as it is read.
pub(super) fn holds(document: &Document, words: &str) -> bool {
    [document.source(), document.text()]
        .into_iter()
        .any(|text| occurrences(text, words).next().is_some())
}

/// Where a text has these words, with any white space between them: where its lines end is no matter.
pub(super) fn occurrences(text: &str, words: &str) -> impl Iterator<Item = Range<usize>> {
    let first = words.split_whitespace().next();
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + text[from..].find(first?)?;
            from = at + text[at..].chars().next().map_or(1, char::len_utf8);
            if let Some(length) = beginning(&text[at..], words) {
                return Some(at..at + length);
            }
        }
    })
}

/// How many bytes of a text its beginning has that is these words.
fn beginning(text: &str, words: &str) -> Option<usize> {
    let mut rest = text;
    for (i, word) in words.split_whitespace().enumerate() {
        let after = rest.trim_start();
        if i > 0 && after.len() == rest.len() {
            return None;
        }
        rest = after.strip_prefix(word)?;
    }
    Some(text.len() - rest.len())
}

/// Whether a text has these words, whatever their letter case and white space.
#[must_use]
pub fn mentions(text: &str, words: &str) -> bool {
    let fold = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    fold(text).contains(&fold(words))
}

/// Words of the text that are the same but for letter case, quotation marks and kinds of space.
fn nearly(text: &str, words: &str) -> Option<String> {
    let fold = |c: char| match c {
        '’' | '‘' | '`' => '\'',
        '“' | '”' => '"',
        '–' | '—' => '-',
        c if c.is_whitespace() => ' ',
        c => c.to_lowercase().next().unwrap_or(c),
    };
    let folded: String = text.chars().map(fold).collect();
    let wanted: String = words.chars().map(fold).collect();
    let start = folded[..folded.find(&wanted)?].chars().count();
    Some(text.chars().skip(start).take(words.chars().count()).collect())
}

/// The bytes of each line; lines end as in [`Document::position`].
fn line_ranges(source: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    for at in memchr::memchr2_iter(b'\n', b'\r', source.as_bytes()) {
        if at < start {
            continue; // the line feed of a pair
        }
        ranges.push(start..at);
        start = at + if source[at..].starts_with("\r\n") { 2 } else { 1 };
    }
    if start < source.len() {
        ranges.push(start..source.len());
    }
    ranges
}

/// Lower-case hexadecimal SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The beginning of a suite on these documents, to be filled in. What is still to be written is what
/// `ask eval --check` complains about.
#[must_use]
pub fn skeleton(documents: &[(String, Document)]) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let names: Vec<String> = documents.iter().map(|(path, _)| quoted(path)).collect();
    let stem = documents
        .first()
        .and_then(|(path, _)| Path::new(path).file_stem())
        .map_or_else(|| "suite".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let mut out = format!(
        "\
# Questions for ask eval. Write them from the documents, before any model is run on them, and check them:
#   ask eval --check THIS-FILE
# Answers are the exact words of a document; list every wording that is acceptable.

name = {}
documents = [{}] # relative to this file: keep it in the folder in which ask eval --init ran
",
        quoted(&stem),
        names.join(", ")
    );
    for (i, (path, document)) in documents.iter().enumerate() {
        let block = document
            .blocks()
            .iter()
            .find(|b| b.kind == crate::document::BlockKind::Paragraph && !b.is_beside);
        let sentence = block.map_or(0..0, |b| {
            document.sentence_around(&(b.span.start..b.span.start + 1))
        });
        let source = if sentence.is_empty() {
            0..0
        } else {
            document.source_span(&sentence)
        };
        let line = document.position(source.start).line;
        let named = if documents.len() > 1 {
            format!("document = {}\n", quoted(path))
        } else {
            String::new()
        };
        out += &format!(
            "
[[question]]
id = \"answerable-{n}\"
question = \"\"
answers = [{}]
{named}line = {line}
tags = []
must_pass = false
",
            quoted(&document.source()[source]),
            n = i + 1,
        );
    }
    out += "
[[question]]
id = \"unanswerable-1\"
question = \"\"
unanswerable = true
tags = []
must_pass = false

# [[summary]]                # what a summary has to say
# id = \"summary-1\"
# sentences = 3
# must_mention = [\"…\"]     # and must_not_mention; references: summaries that people wrote, for ROUGE
# must_pass = false
";
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(suite: &str, document: &str) -> Result<Suite> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("d.txt"), document).unwrap();
        let path = folder.path().join("s.toml");
        std::fs::write(&path, suite).unwrap();
        load(&path, &ReadOptions::default())
    }

    #[test]
    fn a_suite_is_read_with_its_places() {
        let suite = check(
            "documents = [\"d.txt\"]\n[[question]]\nid = \"a\"\nquestion = \"who?\"\nanswers = [\"Ada\"]\nline = 2\n\
             [[question]]\nid = \"b\"\nquestion = \"what?\"\nunanswerable = true\n\
             [[summary]]\nid = \"c\"\nmust_mention = [\"ada  CAME\"]\n",
            "First.\r\nThen Ada came.\r\n",
        )
        .unwrap();
        assert_eq!(suite.name, "s");
        let first = &suite.questions[0];
        assert_eq!(first.places, [(0, 8..22)]);
        assert_eq!((first.line, first.answering.as_slice()), (3, &[0][..]));
        assert!(suite.questions[1].golds.is_empty());
        assert_eq!(suite.summaries[0].sentences, SENTENCES);
    }

    #[test]
    fn a_near_miss_is_shown() {
        let suite = "documents = [\"d.txt\"]\n[[question]]\nid = \"a\"\nquestion = \"who?\"\nanswers = [\"the king's Horse\"]\n";
        let problems = check(suite, "It was the King’s horse.").unwrap_err();
        assert_eq!(problems.0[0].position, Some((5, 12)));
        assert!(problems.0[0].remedy.contains("the King’s horse"), "{problems}");
    }

    #[test]
    fn answers_of_which_nothing_counts_are_refused() {
        let told = |answers: &str| {
            let suite = format!(
                "documents = [\"d.txt\"]\n[[question]]\nid = \"a\"\nquestion = \"grade?\"\nanswers = {answers}\n"
            );
            check(&suite, "The grade: grade A.")
                .map(|_| ())
                .map_err(|problems| problems.to_string())
        };
        for answers in ["[\"A\"]", "[\"The\", \":\"]"] {
            let told = told(answers).unwrap_err();
            assert!(told.contains(":5:12: a: no word of the answers counts"), "{told}");
        }
        told("[\"A\", \"grade A\"]").unwrap();
    }

    #[test]
    fn a_summary_that_must_pass_says_what_has_to_hold() {
        let suite = |more: &str| {
            format!("documents = [\"d.txt\"]\n[[summary]]\nid = \"a\"\nmust_pass = true\n{more}\n")
        };
        let problems = check(&suite("references = [\"Ada came.\"]"), "Ada came.").unwrap_err();
        assert!(
            problems.0[0].what.contains("must_pass without what has to hold"),
            "{problems}"
        );
        assert!(
            check(&suite("must_not_mention = [\"Bo\"]"), "Ada came.")
                .unwrap()
                .summaries[0]
                .has_conditions()
        );
    }

    #[test]
    fn an_answer_may_go_over_the_end_of_a_line() {
        let suite = |line| {
            format!(
                "documents = [\"d.txt\"]\n[[question]]\nid = \"a\"\nquestion = \"who?\"\nanswers = [\"Ada  Quist the elder\"]\nline = {line}\n"
            )
        };
        let document = "It was Ada\n  Quist the\r\nelder.\nAda Quistthe elder.\n";
        assert_eq!(check(&suite(1), document).unwrap().questions[0].answering, [0]);
        let problems = check(&suite(2), document).unwrap_err();
        assert!(problems.0[0].what.contains("none of the answers stands there"));
        let found = |text, words| occurrences(text, words).collect::<Vec<_>>();
        assert_eq!(found("aaa\nb aa b", "aa b"), [1..5, 6..10]);
        assert_eq!(found("üü ü", "ü"), [0..2, 2..4, 5..7]);
        assert!(found("a b", " ").is_empty() && found("ab", "a b").is_empty() && found("", "a").is_empty());
    }

    #[test]
    fn lines_are_counted_as_documents_count_them() {
        let source = "a\rb\r\nc\n\nd";
        let document = Document::new("t", source, crate::Format::Plain).unwrap();
        for (i, range) in line_ranges(source).into_iter().enumerate() {
            if !range.is_empty() {
                assert_eq!(document.position(range.start).line, i + 1);
            }
        }
        assert_eq!(line_ranges(source).len(), 5);
    }

    #[test]
    fn a_skeleton_proposes_no_navigation() {
        let page = "<nav><p>Skip to the text.</p></nav><p>The dam broke.</p>";
        let document = Document::new("d.html", page, crate::Format::Html).unwrap();
        let text = skeleton(&[("d.html".to_owned(), document)]);
        assert!(text.contains("answers = [\"The dam broke.\"]"), "{text}");
    }

    #[test]
    fn the_settings_of_a_folder_are_no_suite() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ask.toml"), "docs = [\"d.txt\"]\n").unwrap();
        let problems = load_all(&[folder.path().to_owned()], &ReadOptions::default()).unwrap_err();
        assert!(problems.0[0].what.contains("holds no suite"), "{problems:?}");
    }

    #[test]
    fn a_skeleton_is_right_but_for_its_blanks() {
        let document = Document::new(
            "d.txt",
            "Heading\n\nAda \"the\" Quist came. She left.",
            crate::Format::Plain,
        )
        .unwrap();
        let text = skeleton(&[("d.txt".to_owned(), document)]);
        let problems = check(&text, "Heading\n\nAda \"the\" Quist came. She left.").unwrap_err();
        assert_eq!(problems.0.len(), 2, "{text}\n{problems:?}");
        assert!(
            problems
                .0
                .iter()
                .all(|p| p.what.contains("the question is empty"))
        );
    }
}
