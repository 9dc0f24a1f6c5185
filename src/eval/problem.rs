//! What is wrong with a file that eval reads, and where.

use std::fmt;

/// The result of reading suites, baselines and the like.
pub type Result<T, E = Problems> = std::result::Result<T, E>;

/// The most problems that are kept of one file.
const MOST: usize = 1000;

/// One thing that is wrong, with its place and its remedy: `suite.toml:12:5: what; remedy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Line and column, both from 1, the column in characters; `None` where the file as a whole is meant.
    pub position: Option<(usize, usize)>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}; {}", self.what, self.remedy)
    }
}

/// Everything that is wrong with a file, in its order; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.0.first() {
            write!(f, "{first}")?;
        }
        match self.0.len() {
            0 | 1 => Ok(()),
            n => write!(f, " (and {} more; ask eval --check lists all)", n - 1),
        }
    }
}

impl std::error::Error for Problems {}

/// Collects what is wrong with one file.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<(usize, Problem)>,
}

impl<'a> Collector<'a> {
    /// For a file and its text; places are bytes of the text.
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text,
            problems: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, byte: usize, what: impl Into<String>, remedy: impl Into<String>) {
        if self.problems.len() < MOST {
            let problem = Problem {
                file: self.file.to_owned(),
                position: Some(position(self.text, byte)),
                what: what.into(),
                remedy: remedy.into(),
            };
            self.problems.push((byte, problem));
        }
    }

    /// The value if nothing was wrong.
    pub(super) fn finish<T>(mut self, value: T) -> Result<T> {
        if self.problems.is_empty() {
            return Ok(value);
        }
        self.problems.sort_by_key(|(byte, _)| *byte);
        Err(Problems(self.problems.into_iter().map(|(_, p)| p).collect()))
    }
}

/// One problem with a file as a whole.
pub(super) fn whole(file: &str, what: impl Into<String>, remedy: impl Into<String>) -> Problems {
    Problems(vec![Problem {
        file: file.to_owned(),
        position: None,
        what: what.into(),
        remedy: remedy.into(),
    }])
}

/// One problem at a place.
pub(super) fn at(
    file: &str,
    position: (usize, usize),
    what: impl Into<String>,
    remedy: impl Into<String>,
) -> Problems {
    Problems(vec![Problem {
        file: file.to_owned(),
        position: Some(position),
        what: what.into(),
        remedy: remedy.into(),
    }])
}

/// Line and column of a byte, both from 1.
pub(super) fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(byte)];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    (line, before[start..].chars().count() + 1)
}

/// `1 question`, `2 questions`.
pub(crate) fn counted(n: usize, noun: &str) -> String {
    let s = match n {
        1 => "",
        _ if noun.ends_with('x') => "es",
        _ => "s",
    };
    format!("{n} {noun}{s}")
}
