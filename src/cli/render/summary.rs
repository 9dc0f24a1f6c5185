//! Summaries for people.

use std::io::{self, Write};

use super::{BOLD, DIM, RESET, harmless, line, one_line};
use crate::document::Document;
use crate::summary::{DocumentSummary, Summary, SummarySentence};

/// What a summary looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Form {
    Paragraph,
    Bullets,
    Highlight,
    Markdown,
}

/// Prints summaries.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct SummaryPrinter {
    pub(in crate::cli) colour: bool,
    pub(in crate::cli) form: Form,
    pub(in crate::cli) scores: bool,
    /// One summary over all documents.
    pub(in crate::cli) together: bool,
}

impl SummaryPrinter {
    pub(in crate::cli) fn summary(
        self,
        summary: &Summary,
        documents: &[&Document],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match self.form {
            Form::Paragraph => self.paragraphs(summary, out),
            Form::Bullets => self.bullets(summary, out),
            Form::Highlight => self.highlight(summary, documents, out),
            Form::Markdown => self.markdown(summary, out),
        }
    }

    fn paragraphs(self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        if self.together {
            writeln!(out, "{}", running(&summary.documents))?;
            for document in summary.documents.iter().filter(|d| !d.sentences.is_empty()) {
                writeln!(out, "  {}", self.dim(&lines(document)))?;
            }
            return Ok(());
        }
        for (i, document) in summary.documents.iter().enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            if document.sentences.is_empty() {
                let name = harmless(&document.document);
                writeln!(
                    out,
                    "{}",
                    self.dim(&format!("{name}: no sentence is short enough"))
                )?;
                continue;
            }
            writeln!(out, "{}", running(std::slice::from_ref(document)))?;
            writeln!(out, "  {}", self.dim(&lines(document)))?;
        }
        Ok(())
    }

    fn bullets(self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        for document in &summary.documents {
            for sentence in &document.sentences {
                let score = match self.scores {
                    true => format!("{:.2}  ", sentence.score),
                    false => String::new(),
                };
                let place = self.dim(&place(document, sentence));
                writeln!(out, "- {score}{}  {place}", one_line(&sentence.text))?;
            }
        }
        Ok(())
    }

    /// The text as it is read, the chosen sentences bold, or in brackets where there is no colour.
    fn highlight(self, summary: &Summary, documents: &[&Document], out: &mut dyn Write) -> io::Result<()> {
        let (open, close) = if self.colour { (BOLD, RESET) } else { ("[", "]") };
        for (i, (chosen, document)) in summary.documents.iter().zip(documents).enumerate() {
            if documents.len() > 1 {
                let before = if i > 0 { "\n" } else { "" };
                writeln!(out, "{before}{}", self.dim(&harmless(&chosen.document)))?;
            }
            let text = document.text();
            let mut from = 0;
            for sentence in &chosen.sentences {
                write_lines(out, &text[from..sentence.span.start])?;
                write!(out, "{open}")?;
                write_lines(out, &text[sentence.span.clone()])?;
                write!(out, "{close}")?;
                from = sentence.span.end;
            }
            write_lines(out, text[from..].trim_end())?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn markdown(self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        let headed = summary.documents.len() > 1 && !self.together;
        let mut notes = String::new();
        let mut number = 0;
        let mut after_line = false;
        for (i, document) in summary.documents.iter().enumerate() {
            if headed {
                let before = if i > 0 { "\n\n" } else { "" };
                writeln!(out, "{before}## {}\n", markdown_text(&document.document))?;
            }
            for (j, sentence) in document.sentences.iter().enumerate() {
                number += 1;
                let is_first = j == 0 && (headed || number == 1);
                let before = match after_line || document.by_lines {
                    _ if is_first => "",
                    true => "\n\n",
                    false => " ",
                };
                after_line = document.by_lines;
                write!(out, "{before}{}[^{number}]", markdown_text(&sentence.text))?;
                let place = markdown_text(&place(document, sentence));
                notes += &format!("[^{number}]: {place}\n");
            }
        }
        write!(out, "\n\n{notes}")
    }

    fn dim(self, text: &str) -> String {
        if self.colour {
            format!("{DIM}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}

/// Sentences one after the other, and lines one below the other.
fn running(documents: &[DocumentSummary]) -> String {
    let mut text = String::new();
    let mut after_line = false;
    for document in documents {
        for sentence in &document.sentences {
            if !text.is_empty() {
                text.push(if after_line || document.by_lines {
                    '\n'
                } else {
                    ' '
                });
            }
            text += &one_line(&sentence.text);
            after_line = document.by_lines;
        }
    }
    text
}

/// `report.txt:5, 7`, with the pages where there are pages.
fn lines(document: &DocumentSummary) -> String {
    let mut lines: Vec<String> = document.sentences.iter().map(line_of).collect();
    lines.dedup();
    format!("{}:{}", harmless(&document.document), lines.join(", "))
}

/// `report.txt:5 (also note.txt:3)`
fn place(document: &DocumentSummary, sentence: &SummarySentence) -> String {
    let also: Vec<String> = sentence
        .also
        .iter()
        .map(|p| format!("{}:{}", harmless(&p.document), p.line))
        .collect();
    let also = match also.is_empty() {
        true => String::new(),
        false => format!(" (also {})", also.join(", ")),
    };
    format!("{}:{}{also}", harmless(&document.document), line_of(sentence))
}

fn line_of(sentence: &SummarySentence) -> String {
    line(sentence.line, sentence.page, sentence.cells.as_deref())
}

/// Text over several lines, each of them harmless.
fn write_lines(out: &mut dyn Write, text: &str) -> io::Result<()> {
    for (i, line) in text.split('\n').enumerate() {
        let before = if i > 0 { "\n" } else { "" };
        write!(out, "{before}{}", harmless(&line.replace('\t', " ")))?;
    }
    Ok(())
}

/// Text that Markdown shows as it is.
pub(super) fn markdown_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_shows_the_words_as_they_are() {
        assert_eq!(
            markdown_text("a *b* [c](d)\n<e> & f_g"),
            r"a \*b\* \[c\](d) \<e\> \& f\_g"
        );
    }
}
