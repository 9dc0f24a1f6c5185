//! Text for people. Nothing of a document reaches a terminal but through [`harmless`].

pub(super) mod generated;
pub(super) mod summary;

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::{Args, Around};
use super::plan::Plan;
use crate::document::{BlockKind, Document, Span, TableCell};
use crate::eval::problem::counted;
use crate::harmless::shortened;
pub(super) use crate::harmless::{harmless, is_hidden_control};
use crate::qa::{Answer, Answers, DOUBTFUL, Skimmed, Verdict};

/// Prints answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    pub(super) colour: bool,
    pub(super) around: Around,
    /// Whether the best answer is shown with its rival, instead of all answers.
    pub(super) rival: bool,
    /// What `--min-confidence` asks for.
    pub(super) min_confidence: f64,
}

/// So many characters are shown before an answer, of it, and after it: a "sentence" may be a file of a single line.
const MOST_SHOWN: usize = 1500;

const RED: &str = "\u{1b}[31m";
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

impl Printer {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            colour: plan.colour,
            around: plan.around,
            rival: plan.rival,
            min_confidence: plan.options.min_confidence,
        }
    }

    pub(super) fn answers(
        self,
        answers: &Answers,
        documents: &[&Document],
        unread: usize,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut text = String::new();
        if answers.answered {
            for (i, answer) in answers.answers.iter().enumerate() {
                if i > 0 {
                    text.push('\n');
                }
                self.answer(
                    answer,
                    documents[answer.document_index],
                    answers.calibrated,
                    &mut text,
                );
            }
            if let (true, Some(rival)) = (self.rival, &answers.rival) {
                text += "or: ";
                self.answer(
                    rival,
                    documents[rival.document_index],
                    answers.calibrated,
                    &mut text,
                );
            }
        } else {
            let too_unsure = |best: &Answer| best.confidence < self.min_confidence;
            if answers.answers.first().is_some_and(too_unsure) {
                let percent = (self.min_confidence * 1e4).round() / 1e2;
                text += &format!("No answer at {percent} % or above.\n");
            } else {
                let which = match (answers.skimmed, documents.len(), unread) {
                    (Some(Skimmed { passages, of, .. }), _, n) => {
                        let unread = match n {
                            0 => String::new(),
                            n => format!(" ({} could not)", counted(n, "document")),
                        };
                        format!("{} of {of} that were read{unread}", counted(passages, "passage"))
                    }
                    (None, 1, 0) => "document".to_owned(),
                    (None, _, 0) => "documents".to_owned(),
                    (None, _, n) => format!("documents that could be read ({n} could not)"),
                };
                let probability = answers.not_in_document;
                if answers.verdict() == Verdict::Unsure {
                    let sure = format!("({} that it is not in the {which})", rounded(probability));
                    text += &format!("No sure answer. {}\n", self.dim(&sure));
                } else {
                    let sure = percent(probability, answers.calibrated);
                    text += &format!("Not in the {which}. {}\n", self.dim(&sure));
                }
            }
            if let Some(closest) = answers.answers.first() {
                let place = place(closest);
                let said = separated(documents[closest.document_index], &closest.span);
                let words = shortened(&one_line(&said));
                let sure = percent(closest.confidence, answers.calibrated);
                text += &self.dim(&format!("  closest: “{words}” {sure} {place}"));
                text.push('\n');
            }
        }
        out.write_all(text.as_bytes())
    }

    fn answer(self, answer: &Answer, document: &Document, calibrated: bool, text: &mut String) {
        let sure = if calibrated && answer.confidence < DOUBTFUL {
            format!("({}, doubtful)", rounded(answer.confidence))
        } else {
            percent(answer.confidence, calibrated)
        };
        let words = beginning(&separated(document, &answer.span));
        *text += &format!("{}  {}\n", self.bold(&words), self.dim(&sure));
        *text += &format!("  {}", self.dim(&place(answer)));
        if let Some(context) = self.context(answer, document) {
            *text += &format!("  {context}");
        }
        text.push('\n');
    }

    /// The answer in what stands around it, if that is to be shown.
    fn context(self, answer: &Answer, document: &Document) -> Option<String> {
        let around = match self.around {
            Around::Sentence => document.sentence_around(&answer.span),
            Around::Paragraph => document.paragraph_around(&answer.span),
            Around::None => return None,
        };
        let all = document.text();
        if let Some(row) = document.table_row(&answer.span) {
            return Some(self.row(&row, &answer.span, document));
        }
        let introductions = answer.introduced_by.iter();
        let introductions = introductions.map(|text| shortened(&one_line(text)) + " … ");
        let shown = &all[around.clone()];
        let replies = answer
            .followed_by
            .iter()
            .filter(|text| !shown.contains(text.as_str()));
        let replies = replies.map(|text| format!(" {}", shortened(&one_line(text))));
        let marked = self.marked_in(document, &around, &answer.span);
        Some(introductions.chain([marked]).chain(replies).collect())
    }

    /// A stretch of the text with the answer in it marked.
    fn marked_in(self, document: &Document, around: &Span, answer: &Span) -> String {
        let before = ending(&separated(document, &(around.start..answer.start)));
        let inside = beginning(&separated(document, answer));
        let after = beginning(&separated(document, &(answer.end..around.end)));
        // Brackets of the document are not to be taken for those around the answer.
        let has_brackets = [&before, &inside, &after]
            .iter()
            .any(|text| text.contains(['[', ']']));
        format!("{before}{}{after}", self.marked(&inside, has_brackets))
    }

    /// The cells of a table's row with their headings, what answers marked.
    fn row(self, row: &[TableCell], answer: &Span, document: &Document) -> String {
        let all = document.text();
        let is_long = row.iter().map(|cell| cell.span.len()).sum::<usize>() > MOST_SHOWN;
        let mut shown = Vec::new();
        for (column, headed) in row.iter().enumerate() {
            let cell = &headed.span;
            let (start, end) = (answer.start.max(cell.start), answer.end.min(cell.end));
            let text = match start < end {
                true => self.marked_in(document, cell, &(start..end)),
                // Of a row that is too long, its name and the answer.
                false if is_long && column > 0 => continue,
                false => shortened(&one_line(&all[cell.clone()])),
            };
            let heading = headed.heading(all);
            let heading = heading.map(|heading| shortened(&one_line(&heading)) + ": ");
            shown.push(heading.unwrap_or_default() + &text);
        }
        shown.join(if is_long { " | … | " } else { " | " })
    }

    fn marked(self, text: &str, has_brackets: bool) -> String {
        match (self.colour, has_brackets) {
            (true, _) => self.bold(text),
            (false, true) => format!("[[{text}]]"),
            (false, false) => format!("[{text}]"),
        }
    }

    fn bold(self, text: &str) -> String {
        if self.colour {
            format!("{BOLD}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }

    fn dim(self, text: &str) -> String {
        if self.colour {
            format!("{DIM}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}

/// A stretch of a document, with a stroke where an item or a paragraph ends and the next begins, as lines of verse are quoted.
fn separated(document: &Document, span: &Span) -> String {
    let text = document.text();
    let blocks = document.blocks();
    let first = blocks.partition_point(|block| block.span.start <= span.start);
    // A line of a cell is a paragraph of its own, or broken by hand.
    if document.block_at(span.start).kind == BlockKind::TableCell {
        return text[span.clone()].replace('\n', " / ");
    }
    let (mut shown, mut from) = (String::new(), span.start);
    for block in blocks[first..]
        .iter()
        .take_while(|block| block.span.start <= span.end)
    {
        if block.kind != BlockKind::TableCell {
            shown += text[from..block.span.start].trim_end();
            shown += " / ";
            from = block.span.start;
        }
    }
    shown + &text[from..span.end]
}

/// `report.txt:5`, with the page where there are pages.
fn place(answer: &Answer) -> String {
    let line = line(answer.line, answer.page, answer.cells.as_deref());
    format!("{}:{line}", harmless(&answer.document))
}

/// `5`, `5 (page 2)`, or `5 (Costs!B7)` in a spreadsheet.
fn line(line: usize, page: Option<usize>, cells: Option<&str>) -> String {
    match (cells, page) {
        (Some(cells), _) => format!("{line} ({})", harmless(cells)),
        (None, Some(page)) => format!("{line} (page {page})"),
        (None, None) => line.to_string(),
    }
}

fn percent(probability: f64, calibrated: bool) -> String {
    let percent = rounded(probability);
    if calibrated {
        format!("({percent})")
    } else {
        format!("({percent}, not calibrated)")
    }
}

/// `93 %`.
fn rounded(probability: f64) -> String {
    // 0 % and 100 % are for what is certain.
    format!("{:.0} %", (probability * 100.0).round().clamp(1.0, 99.0))
}

/// The beginning of a text on one line, of whole words if it has any.
fn beginning(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(MOST_SHOWN) else {
        return one_line(text);
    };
    let head = text[..end].trim_end();
    let head = head.rfind(char::is_whitespace).map_or(head, |at| &head[..at]);
    one_line(head) + " …"
}

/// The end of a text on one line, of whole words if it has any.
fn ending(text: &str) -> String {
    let Some((start, _)) = text.char_indices().rev().nth(MOST_SHOWN) else {
        return one_line(text);
    };
    let tail = &text[start..];
    let first = tail
        .find(char::is_whitespace)
        .filter(|&at| !tail[at..].trim().is_empty());
    "… ".to_owned() + &one_line(first.map_or(tail, |at| tail[at..].trim_start()))
}

/// A stretch of text on one line, harmless, with one space for each run of white space: lines are indented, and justified.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' | '\n' | '\t' if line.ends_with(' ') => {}
            '\n' | '\t' => line.push(' '),
            c => line.push(c),
        }
    }
    harmless(&line).into_owned()
}

/// The manual page, from the same definitions as the help.
pub(super) fn man_page(out: &mut Vec<u8>) -> io::Result<()> {
    let command = Args::command();
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    let mut commands = Roff::new();
    commands.control("SH", ["COMMANDS"]);
    for sub in command.get_subcommands() {
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        let name = bold(format!("ask {}", sub.get_name()));
        commands.control("TP", []).text([name]).text([roman(about)]);
    }
    commands.to_writer(out)?;
    man_examples(&command, out)?;
    let sections = ["batch", "summarize", "text", "eval", "models"];
    for sub in command
        .get_subcommands()
        .filter(|c| sections.contains(&c.get_name()))
    {
        man_section("ASK", sub, out)?;
        for below in sub.get_subcommands() {
            man_section(&format!("ASK {}", sub.get_name().to_uppercase()), below, out)?;
        }
    }
    Ok(())
}

fn man_section(above: &str, command: &clap::Command, out: &mut Vec<u8>) -> io::Result<()> {
    writeln!(out, ".SH {above} {}", command.get_name().to_uppercase())?;
    let name = format!("{} {}", above.to_lowercase(), command.get_name());
    let man = clap_mangen::Man::new(command.clone().display_name(&name).bin_name(name));
    man.render_synopsis_section(out)?;
    man.render_options_section(out)?;
    man_examples(command, out)
}

/// What stands below the help, in lines as they are.
fn man_examples(command: &clap::Command, out: &mut Vec<u8>) -> io::Result<()> {
    let text = command.get_after_long_help().or_else(|| command.get_after_help());
    let Some(text) = text.map(ToString::to_string) else {
        return Ok(());
    };
    let mut page = Roff::new();
    page.control("SS", ["Examples and notes"]).control("nf", []);
    for line in text.lines() {
        page.text([roman(line)]);
    }
    page.control("fi", []).to_writer(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    #[test]
    fn long_text_is_shown_in_whole_words_up_to_a_length() {
        assert_eq!(beginning("a\nb "), "a b ");
        assert_eq!(ending(" a\nb "), " a b ");
        let words = "wörter sind das ".repeat(1000);
        let (head, tail) = (beginning(&words), ending(&words));
        let is_word = |word: Option<&str>| word.is_some_and(|w| ["wörter", "sind", "das"].contains(&w));
        assert!(
            is_word(head.strip_suffix(" …").unwrap().split(' ').next_back()),
            "{head}"
        );
        assert!(
            is_word(tail.strip_prefix("… ").unwrap().split(' ').next()),
            "{tail}"
        );
        assert!(tail.ends_with("sind das "), "{tail}");
        for shown in [
            head,
            tail,
            beginning(&"é".repeat(9999)),
            ending(&"é".repeat(9999)),
        ] {
            let length = shown.chars().count();
            assert!((MOST_SHOWN - 10..=MOST_SHOWN + 3).contains(&length), "{length}");
        }
    }

    /// What is printed of an answer of these words, found with this confidence.
    fn printed(document: &Document, words: &str, answered: bool, not_in_document: f64) -> String {
        let at = document.text().find(words).unwrap();
        let answer = crate::cite::quote(document, 0, at..at + words.len(), 1.0, 0.3);
        let answers = Answers {
            answered,
            not_in_document,
            evidence: Some(1.0),
            calibrated: true,
            answers: vec![answer],
            rival: None,
            skimmed: None,
            windows: 1,
        };
        print(&answers, document, Around::Sentence, true)
    }

    fn print(answers: &Answers, document: &Document, around: Around, rival: bool) -> String {
        let printer = Printer {
            colour: false,
            around,
            rival,
            min_confidence: 0.0,
        };
        let mut out = Vec::new();
        printer.answers(answers, &[document], 0, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_is_not_denied_that_a_document_says_what_it_may_say() {
        let document = Document::new("t.txt", "The dam broke.", Format::Plain).unwrap();
        assert!(printed(&document, "dam", false, 0.6).starts_with("Not in the document. (60 %)\n"));
        let unsure = printed(&document, "dam", false, 0.44);
        assert!(
            unsure.starts_with("No sure answer. (44 % that it is not in the document)\n"),
            "{unsure}"
        );
    }

    #[test]
    fn behind_a_single_answer_stands_its_rival() {
        let document = Document::new("t.txt", "Six turbines. No, five.", Format::Plain).unwrap();
        let quote = |span, confidence| crate::cite::quote(&document, 0, span, 1.0, confidence);
        let answers = Answers {
            answered: true,
            not_in_document: 0.1,
            evidence: Some(1.0),
            calibrated: true,
            answers: vec![quote(0..3, 0.6)],
            rival: Some(quote(18..22, 0.5)),
            skimmed: None,
            windows: 1,
        };
        let shown = |rival| print(&answers, &document, Around::None, rival);
        let first = "Six  (60 %)\n  t.txt:1\n";
        assert_eq!(shown(true), format!("{first}or: five  (50 %)\n  t.txt:1\n"));
        assert_eq!(shown(false), first);
    }

    #[test]
    fn a_cell_is_shown_with_its_row_and_headings() {
        let source = "| Item | Budget |\n|---|---|\n| Dredging | 400 euro |\n";
        let document = Document::new("t.md", source, Format::Markdown).unwrap();
        let shown = "400 euro  (30 %, doubtful)\n  t.md:3  Item: Dredging | Budget: [400 euro]\n";
        assert_eq!(printed(&document, "400 euro", true, 0.1), shown);
        let source = "<table><tr><th>Ann<th>Bo<tr><td>17<br>32<td>5<br>6</table>";
        let document = Document::new("t.html", source, Format::Html).unwrap();
        let shown = printed(&document, "17\n32", true, 0.1);
        assert!(
            shown.starts_with("17 / 32  (30 %"),
            "two paragraphs are no number: {shown}"
        );
    }

    #[test]
    fn nothing_is_certain() {
        assert_eq!(percent(0.9999, true), "(99 %)");
        assert_eq!(percent(0.0, true), "(1 %)");
        assert_eq!(percent(0.5, false), "(50 %, not calibrated)");
    }
}
