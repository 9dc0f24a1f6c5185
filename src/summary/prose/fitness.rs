//! How fit a sentence is for a summary, by itself and by the kind of its block.

use super::MOST_WORDS;
use crate::document::{BlockKind, names_page, stops};
use crate::reply::FEWEST_WORDS;
use crate::summary::terms::is_function_word;

/// A heading has at most so many words behind its number.
const MOST_WORDS_OF_A_TITLE: usize = 8;

/// How fit a sentence is for a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fitness {
    /// Nothing to read: no letters, code, a table's cell, standing matter.
    None,
    /// A line, an item, a fragment.
    Line,
    /// A sentence of running text.
    Prose,
}

pub(super) fn fitness(sentence: &str, kind: BlockKind) -> Fitness {
    let letters = sentence.chars().filter(|c| c.is_alphabetic()).count();
    let visible = sentence.chars().filter(|c| !c.is_whitespace()).count();
    let is_shouted = sentence.contains(char::is_uppercase) && !sentence.contains(char::is_lowercase);
    if letters == 0 || is_standing_matter(sentence) || is_caption(sentence) || names_page(sentence) {
        return Fitness::None;
    }
    let words = super::count_words(sentence);
    // Sums and dates are part of sentences where words of a sentence are around them.
    let low = sentence
        .split_whitespace()
        .filter(|word| word.starts_with(char::is_lowercase));
    let least_letters = if low.count() >= FEWEST_WORDS - 1 { 0.4 } else { 0.6 };
    match kind {
        BlockKind::Verbatim | BlockKind::TableCell | BlockKind::Heading => Fitness::None,
        BlockKind::Paragraph
            if ends_like_a_sentence(sentence)
                && (words >= FEWEST_WORDS || is_unspaced(sentence))
                && words <= MOST_WORDS
                && letters as f64 >= least_letters * visible as f64
                && !is_shouted
                && !is_title(sentence) =>
        {
            Fitness::Prose
        }
        _ => Fitness::Line,
    }
}

/// "2.3 Effect of Termination.": a heading within a paragraph, all of whose words but function words begin with capitals.
fn is_title(sentence: &str) -> bool {
    let low = |word: &str| word.starts_with(char::is_lowercase) && !is_function_word(word);
    let mut words = sentence.split_whitespace();
    let begins = words
        .next()
        .unwrap_or_default()
        .starts_with(|c: char| c.is_ascii_digit());
    begins && words.clone().count() <= MOST_WORDS_OF_A_TITLE && !words.any(low)
}

/// A script that sets no spaces between words has no words to count.
pub(super) fn is_unspaced(sentence: &str) -> bool {
    sentence
        .chars()
        .any(|c| matches!(c, '\u{3040}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{0E00}'..='\u{0E7F}'))
}

pub(in crate::summary) fn ends_like_a_sentence(sentence: &str) -> bool {
    // Reference marks and closing marks stand behind the stop: `… it fell.”[3]`; emphasis may, too.
    stops(sentence.trim_end_matches(['*', '_']))
}

/// What stands on many pages and says nothing of this one.
#[rustfmt::skip]
const STANDING_MATTER: &[&str] = &[
    "all rights reserved", "associated press writer", "click here", "contributed to this report",
    "contributed to this story", "end-to-end encrypted", "follow us on", "forward-looking statements", "getty images",
    "in error, please", "intended recipient", "like us on facebook",
    "may not be published, broadcast", "project gutenberg", "sign up for our", "sign up to our",
    "subscribe now", "subscribe to our", "this copyrighted", "this story has been updated",
];

/// Beginnings of bylines, credits and notes to the reader.
#[rustfmt::skip]
const STANDING_OPENINGS: &[&str] = &[
    "advertisement", "correction:", "editor's note:", "file photo", "follow @", "image caption",
    "image copyright", "image:", "listen:", "media caption", "photo:", "photograph:", "photos:",
    "published:", "read more:", "related:", "scroll down for", "see also:", "sign up", "source:",
    "updated:", "watch:", "©",
];

fn is_standing_matter(sentence: &str) -> bool {
    // Standing matter is short: a long sentence that mentions such words is about something.
    if sentence.len() > 400 {
        return false;
    }
    let folded = sentence.to_lowercase().replace('’', "'");
    let folded = folded.trim_start_matches(['(', '[', '*', ' ']);
    STANDING_OPENINGS.iter().any(|s| folded.starts_with(s))
        || STANDING_MATTER.iter().any(|s| folded.contains(s))
        || is_byline(sentence)
        || folded
            .strip_prefix("copyright")
            .is_some_and(|rest| rest.trim_start().starts_with(['©', '(', '1', '2']))
}

/// "By Ann Lee, Staff Writer".
fn is_byline(sentence: &str) -> bool {
    let Some(rest) = ["By ", "BY "].iter().find_map(|by| sentence.strip_prefix(by)) else {
        return false;
    };
    rest.split_whitespace().count() <= 8
        && !ends_like_a_sentence(rest)
        && rest
            .split_whitespace()
            .all(|w| matches!(w, "and" | "for" | "in" | "of") || !w.starts_with(char::is_lowercase))
}

/// "Figure 3: …", "Table 2. …".
fn is_caption(sentence: &str) -> bool {
    let Some((word, rest)) = sentence.split_once(' ') else {
        return false;
    };
    let number = rest.split_whitespace().next().unwrap_or("");
    matches!(
        word.trim_end_matches('.').to_lowercase().as_str(),
        "box" | "chart" | "exhibit" | "fig" | "figure" | "plate" | "table"
    ) && number.ends_with([':', '.'])
        && number
            .trim_end_matches([':', '.'])
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '.')
}
