//! What stands beside the text of a page: it is read, and no part of summaries.
//!
//! Pages name such elements themselves. Some of these names are sure; others are guesses, which hold unless they would take most
//! of the text away.

use std::ops::Range;

use super::elements::is_one;
use super::tag::StartTag;
use crate::document::{Block, BlockKind, stops};

/// Whether an element stands beside the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Certainty {
    /// Unless it holds most of the text.
    Guess,
    Sure,
}

/// Elements that are open one within the other and are looked at.
const MOST_OPEN: usize = 8;
/// So much text is enough for a page, in bytes: what guesses take away may be more than it.
const ENOUGH_TEXT: usize = 600;

/// Elements that stand beside the text, and what others are said to be that do.
const BESIDE: [&str; 4] = ["aside", "figcaption", "footer", "nav"];
const ROLES_BESIDE: [&str; 5] = [
    "alertdialog",
    "complementary",
    "contentinfo",
    "dialog",
    "navigation",
];
const LABELS_BESIDE: [&str; 6] = ["comments", "consent", "cookie", "cookies", "onetrust", "related"];
/// Words of identifiers and classes of what mostly stands beside the text: on 311 pages of news and blogs whose text others had
/// marked, next to nothing below them belonged to it.
#[rustfmt::skip]
const LABELS_GUESSED: [&str; 36] = [
    "bio", "biography", "byline", "caption", "comment", "commentform", "copyright", "cta", "disclaimer", "disclosure", "excerpt",
    "feedback", "flyout", "footer", "gallery", "hatnote", "legal", "masthead", "modal", "newsletter", "newsletters", "overlay", "popular",
    "popup", "promo", "promos", "recirc", "recommended", "respond", "sidebar", "signup", "subscribe", "subscription", "teaser", "teasers",
    "trending",
];
/// The same on pages that check what somebody claims.
const LABELS_OF_CLAIMS: [&str; 2] = ["claim", "statement"];
/// Identifiers and classes as they stand: "ad" is also in `ad-free`.
const NAMES_BESIDE: [&str; 8] = [
    "ad",
    "ads",
    "ad-container",
    "ad-slot",
    "advert",
    "advertisement",
    "pull-quote",
    "pullquote",
];
/// Beginnings of classes that say what an article is about, or what it does not have.
const ABOUT: [&str; 4] = ["category-", "has-", "no-", "tag-"];
/// What is said to be one belongs to the text, wherever it stands.
const CORRECTIONS: [&str; 7] = [
    "clarification",
    "correction",
    "corrections",
    "editor",
    "editors",
    "factcheck",
    "retraction",
];
/// Elements that do where they are said to; others hold the text, or are often left open.
const CONTAINERS: [&str; 11] = [
    "article", "details", "dialog", "div", "figure", "form", "header", "ol", "p", "section", "ul",
];
/// What is hidden within lines is beside the text where a sentence begins; elsewhere it would cut one in two.
const INLINE_CONTAINERS: [&str; 3] = ["a", "cite", "span"];

/// An element that stands beside the text and is open.
struct Open {
    name: Vec<u8>,
    /// How many of its name are open.
    depth: u32,
    /// Its first block.
    first: usize,
    certainty: Certainty,
    /// It is one of those that stand within lines.
    is_inline: bool,
}

/// What stands beside the text of a page.
#[derive(Default)]
pub(super) struct Beside {
    /// Outermost first.
    open: Vec<Open>,
    /// The blocks of what is closed.
    closed: Vec<(Range<usize>, Certainty)>,
}

impl Beside {
    /// An element begins within what is open.
    pub(super) fn enter(&mut self, name: &[u8]) {
        for open in self.open.iter_mut().filter(|open| open.name == name) {
            open.depth += 1;
        }
    }

    /// An element ends. Returns which of the open ones it was, if one.
    pub(super) fn leave(&mut self, name: &[u8]) -> Option<usize> {
        for open in self.open.iter_mut().filter(|open| open.name == name) {
            open.depth -= 1;
        }
        self.open.iter().position(|open| open.depth == 0)
    }

    /// The innermost open element, if it is of this name.
    pub(super) fn innermost(&self, name: &[u8]) -> Option<usize> {
        let last = self.open.len().checked_sub(1)?;
        (self.open[last].name == name).then_some(last)
    }

    /// Whether there is room for one more. What is sure takes the place of a guess, which may have no end.
    pub(super) fn has_room(&mut self, certainty: Certainty) -> bool {
        if self.open.len() == MOST_OPEN && certainty == Certainty::Sure {
            let guess = |open: &Open| open.certainty == Certainty::Guess;
            self.open
                .iter()
                .rposition(guess)
                .map(|guess| self.open.remove(guess));
        }
        self.open.len() < MOST_OPEN
    }

    /// Opens an element behind so many blocks.
    pub(super) fn open(&mut self, name: &[u8], certainty: Certainty, blocks: usize) {
        self.open.push(Open {
            name: name.to_owned(),
            depth: 1,
            first: blocks,
            certainty,
            is_inline: is_inline(name),
        });
    }

    /// Whether one of the open elements stands within lines.
    pub(super) fn is_inline(&self, index: usize) -> bool {
        self.open[index].is_inline
    }

    /// Closes one of the open elements, and what is open in it, behind so many blocks.
    pub(super) fn close(&mut self, index: usize, blocks: usize) {
        let closed = self.open.drain(index..).next();
        self.closed
            .extend(closed.map(|closed| (closed.first..blocks, closed.certainty)));
    }

    /// Marks the blocks of what is closed. Guesses that would take most of it, each or all together, are none. What no end
    /// tag closes may hold all of the text, and is not marked.
    pub(super) fn mark(self, blocks: &mut [Block], text: &str) {
        let closed = self.closed.into_iter();
        let (sure, mut guessed): (Vec<_>, Vec<_>) =
            closed.partition(|(_, certainty)| *certainty == Certainty::Sure);
        for (range, _) in sure {
            blocks[range].iter_mut().for_each(|block| block.is_beside = true);
        }
        let weight = |block: &Block| {
            let is_text = matches!(block.kind, BlockKind::Paragraph | BlockKind::ListItem);
            let is_prose = is_text && !block.is_beside && stops(&text[block.span.clone()]);
            if is_prose { block.span.len() } else { 0 }
        };
        let weights: Vec<usize> = blocks.iter().map(weight).collect();
        let mut until = vec![0]; // of each block, how much stands above it
        until.extend(weights.iter().scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        }));
        let all = until[weights.len()];
        guessed.retain(|(range, _)| 2 * (until[range.end] - until[range.start]) < all);
        let mut is_beside = vec![false; weights.len()];
        guessed.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut done = 0; // What stands within another is beside already.
        for (range, _) in guessed {
            let start = range.start.max(done);
            done = range.end.max(done);
            is_beside[start..done].fill(true);
        }
        let left: usize = weights
            .iter()
            .zip(&is_beside)
            .filter(|(_, beside)| !**beside)
            .map(|(weight, _)| weight)
            .sum();
        if left >= ENOUGH_TEXT.min(all / 4) {
            blocks
                .iter_mut()
                .zip(is_beside)
                .for_each(|(block, is_beside)| block.is_beside |= is_beside);
        }
    }
}

/// Whether what is hidden within lines may be an element of this name.
pub(super) fn is_inline(name: &[u8]) -> bool {
    is_one(name, &INLINE_CONTAINERS)
}

/// Whether an element that stands in blocks of its own is beside the text, by its name and what it is said to be.
pub(super) fn of_element(tag: &StartTag) -> Option<Certainty> {
    if tag.is_correction {
        return None;
    }
    if is_one(&tag.name, &BESIDE) {
        return Some(Certainty::Sure);
    }
    let said = tag.beside.max(tag.is_hidden.then_some(Certainty::Sure));
    let said = said.max((tag.name == b"form").then_some(Certainty::Guess))?;
    is_one(&tag.name, &CONTAINERS).then_some(said)
}

/// An identifier, or classes.
fn labels(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let labels = value.split(u8::is_ascii_whitespace);
    labels.filter(|label| !ABOUT.iter().any(|about| label.starts_with(about.as_bytes())))
}

/// Whether an identifier or classes have one of these words, as `cookie-banner` has "cookie".
fn has_word(value: &[u8], words: &[&str]) -> bool {
    let parts = labels(value).flat_map(|label| label.split(|byte| !byte.is_ascii_alphanumeric()));
    // `photoCaption` has two.
    let goes_on = |a: &u8, b: &u8| !(a.is_ascii_lowercase() && b.is_ascii_uppercase());
    let mut own = parts.flat_map(|part| part.chunk_by(goes_on).chain([part]));
    own.any(|own| is_label(own, words))
}

/// Whether a role says that its element stands beside the text.
pub(super) fn of_role(value: &[u8]) -> Option<Certainty> {
    is_one(value, &ROLES_BESIDE).then_some(Certainty::Sure)
}

/// Whether an identifier or classes do. `says_claims`: the page checks facts.
pub(super) fn of_label(value: &[u8], says_claims: bool) -> Option<Certainty> {
    if has_word(value, &LABELS_BESIDE) || has_name(value, &NAMES_BESIDE) {
        return Some(Certainty::Sure);
    }
    let is_guess = has_word(value, &LABELS_GUESSED) || says_claims && has_word(value, &LABELS_OF_CLAIMS);
    is_guess.then_some(Certainty::Guess)
}

/// Whether an identifier or classes say that their element corrects the text.
pub(super) fn is_correction(value: &[u8]) -> bool {
    has_word(value, &CORRECTIONS)
}

/// Whether an identifier, or a class, is one of these.
fn has_name(value: &[u8], names: &[&str]) -> bool {
    labels(value).any(|label| is_label(label, names))
}

fn is_label(label: &[u8], labels: &[&str]) -> bool {
    labels
        .iter()
        .any(|one| label.eq_ignore_ascii_case(one.as_bytes()))
}
