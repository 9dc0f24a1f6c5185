//! Who sends a press release: "About Velora Foods. Velora Foods makes flour …" stands in each of its releases and is no news. So is
//! what Project Gutenberg says of itself, its licence among it, around each book.
//!
//! Releases have much more behind the news, but notes to editors may hold facts, and what looks like their end ends other texts
//! only in part. So nothing is passed over but what has the form of such a paragraph, in a text with a mark of a release.

use super::terms::is_function_word;
use crate::document::{Block, BlockKind, Document, stops};

/// What lines of press releases are or begin with, and those of other texts seldom.
const MARKS: [&str; 17] = [
    "###",
    "# # #",
    "-30-",
    "for immediate release",
    "press release",
    "media release",
    "news release",
    "notes to editors",
    "note to editors",
    "notes for editors",
    "media contact",
    "press contact",
    "investor contact",
    "media enquiries",
    "press enquiries",
    "cautionary note",
    "forward-looking statements",
];
/// A line by itself.
const END: &str = "ends";
/// Longer lines are no titles.
const LONGEST_TITLE: usize = 80;

/// The lines that Project Gutenberg sets its books between.
const BOOK_BEGINS: &str = "*** start of th";
const BOOK_ENDS: &str = "*** end of th";

/// Of each block, whether it says who sends the press release that the document is, or who gives away the book, and how.
pub(super) fn about_the_sender(document: &Document) -> Vec<bool> {
    let mut is_about = about_the_company(document);
    // Whether a book begins or ends.
    let mark = |block: &Block| {
        let line = &document.text()[block.span.clone()];
        let begins = |mark: &str| {
            line.get(..mark.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(mark))
        };
        let is_begin = begins(BOOK_BEGINS);
        let is_mark = (is_begin || begins(BOOK_ENDS)) && line.to_lowercase().contains("project gutenberg");
        is_mark.then_some(is_begin)
    };
    let marks: Vec<Option<bool>> = document.blocks().iter().map(mark).collect();
    let begin = marks.iter().position(|mark| *mark == Some(true));
    let end = marks.iter().rposition(|mark| *mark == Some(false));
    if begin.is_some() && begin < end {
        let mut is_inside = false;
        for (is_about, mark) in is_about.iter_mut().zip(marks) {
            is_inside = mark.unwrap_or(is_inside);
            *is_about |= !is_inside || mark.is_some();
        }
    }
    is_about
}

fn about_the_company(document: &Document) -> Vec<bool> {
    let blocks = document.blocks();
    let text = |at: usize| document.text()[blocks[at].span.clone()].trim();
    let is_cell = |at: usize| matches!(blocks[at].kind, BlockKind::Verbatim | BlockKind::TableCell);
    let is_title = |at: &usize| text(*at).len() <= LONGEST_TITLE && !stops(text(*at)) && !is_cell(*at);
    let is_mark = |at: usize| {
        let line = text(at).to_lowercase();
        let bare = line.trim_matches(|c: char| "-–—*•[]() ".contains(c));
        bare == END || MARKS.iter().any(|mark| line.starts_with(mark))
    };
    let titles = || (0..blocks.len()).filter(is_title);
    let says_who = |below: &usize| {
        let is_paragraph = |block: &Block| block.kind == BlockKind::Paragraph && stops(text(*below));
        blocks.get(*below).is_some_and(is_paragraph)
            && about(text(below - 1)).is_some_and(|name| begins_with_name(text(*below), name))
    };
    let found: Vec<usize> = titles().map(|title| title + 1).filter(says_who).collect();
    let mut is_about = vec![false; blocks.len()];
    // Most documents have none: then no marks need be looked for.
    if !found.is_empty() && titles().any(is_mark) {
        found.into_iter().for_each(|below| is_about[below] = true);
    }
    is_about
}

/// Whom a title is about: "About Velora Foods:".
fn about(title: &str) -> Option<&str> {
    let (first, name) = title.split_once(' ')?;
    let name = name.trim_end_matches([':', ' ']);
    (first.eq_ignore_ascii_case("about") && !name.is_empty()).then_some(name)
}

/// Whether a paragraph begins with a name, or its first word: "About the University of Halden", "The University …".
fn begins_with_name(paragraph: &str, name: &str) -> bool {
    let first = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
        words.find(|word| !word.is_empty() && word != "the")
    };
    first(name).is_some_and(|word| !is_function_word(&word) && first(paragraph) == Some(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    /// What is taken for a paragraph about the sender.
    fn found(source: &str) -> Vec<&str> {
        let document = Document::new("t", source, Format::Markdown).unwrap();
        let about = about_the_sender(&document);
        let blocks = document.blocks().iter().zip(about).filter(|(_, about)| *about);
        let spans: Vec<_> = blocks
            .map(|(block, _)| document.source_span(&block.span))
            .collect();
        spans.into_iter().map(|span| &source[span]).collect()
    }

    #[test]
    fn who_sends_a_release_is_no_news() {
        let about = "## About Velora Foods\n\nVelora makes flour.\n\nIt is old.\n\n";
        for mark in ["ENDS", "– Ends –", "\\# # #", "Media contact: A. Holm"] {
            let source =
                format!("Velora Foods has bought a mill.\n\n{mark}\n\n{about}## Tables\n\nSales rose.\n");
            assert_eq!(found(&source), ["Velora makes flour."], "{mark}");
        }
        let university =
            "PRESS RELEASE\n\nA comet was seen.\n\nAbout the University\n\nThe University is old.\n";
        assert_eq!(found(university), ["The University is old."]);
    }

    #[test]
    fn what_stands_around_a_book_is_not_the_book() {
        let mark = |what: &str| format!("\\*\\*\\* {what} OF THE PROJECT GUTENBERG EBOOK X \\*\\*\\*\n\n");
        let book = format!(
            "Free.\n\n{}It was late.\n\n{}You may copy it.\n",
            mark("START"),
            mark("END")
        );
        let found = found(&book);
        assert_eq!((found[0], found[found.len() - 1]), ("Free.", "You may copy it."));
        assert!(!found.contains(&"It was late."));
        let two = book.replace('\\', "").repeat(2);
        let document = Document::new("t", two, Format::Plain).unwrap();
        let about = about_the_sender(&document);
        let kept = document.blocks().iter().zip(about).filter(|(_, about)| !about);
        let kept: Vec<&str> = kept
            .map(|(block, _)| &document.text()[block.span.clone()])
            .collect();
        assert_eq!(kept, ["It was late.", "It was late."]);
    }

    #[test]
    fn another_text_says_nothing_about_its_sender() {
        for source in [
            "It is sold.\n\n## About Velora\n\nVelora makes flour.\n",
            "Press release\n\n## About 400 jobs at risk\n\nThe union is angry.\n",
            "Press release\n\nIt is sold.\n\n## About Velora's future\n\nThe board has left.\n",
            "Press release\n\nAbout Velora Foods\n\n- Velora makes flour.\n",
            "Press release\n\n## About our results\n\nOur profit fell.\n",
            "\\*\\*\\* START OF THE PROJECT GUTENBERG EBOOK\n\nIt was late.\n",
            "The road ends\n\n## About Velora\n\nVelora makes flour.\n",
        ] {
            assert!(found(source).is_empty(), "{source}");
        }
    }
}
