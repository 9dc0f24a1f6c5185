//! Which items of lists consist of sentences.

use super::fitness::{ends_like_a_sentence, is_unspaced};
use crate::document::{Block, BlockKind, Document, item_marker};
use crate::reply::FEWEST_WORDS;

/// An item of one sentence is prose by itself if it is so long; a shorter one may be an entry that ends with a stop.
const FEWEST_WORDS_OF_AN_ITEM: usize = 10;
/// The same in characters where words are not set apart.
const FEWEST_CHARACTERS_OF_AN_ITEM: usize = 20;

/// Of each block, whether it is an item that consists of sentences. A short sentence ("The appeal is allowed.") is
/// told from an entry ("Sold apples to Ann.") by the other items of its list.
pub(super) fn prose_items(document: &Document) -> Vec<bool> {
    let item = |block: &Block| match block.kind {
        BlockKind::ListItem => item(&document.text()[block.span.clone()]),
        _ => Item::Entry,
    };
    let lists = document.blocks().chunk_by(|a, b| a.kind == b.kind);
    lists
        .flat_map(|list| {
            let items: Vec<Item> = list.iter().map(item).collect();
            let paragraphs = items.iter().filter(|&&i| i == Item::Paragraph).count();
            let least = if 2 * paragraphs >= items.len() {
                Item::Sentence
            } else {
                Item::Paragraph
            };
            items.into_iter().map(move |item| item >= least)
        })
        .collect()
}

/// What an item of a list reads like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// A thing, a name, a source, a fragment.
    Entry,
    /// A short sentence, or an entry that ends with a stop.
    Sentence,
    /// Sentences of some length.
    Paragraph,
}

fn item(text: &str) -> Item {
    let text = &text[item_marker(text)..];
    let words: Vec<&str> = text.split_whitespace().collect();
    let opens_high = |word: &&&str| {
        word.trim_start_matches(|c: char| !c.is_alphanumeric())
            .starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
    };
    // Bibliographies have stops, and names, titles, years and addresses.
    let is_reference = 2 * words.iter().filter(opens_high).count() > words.len()
        || ["://", "www.", "doi:", "et al."].iter().any(|s| text.contains(s));
    let unspaced = is_unspaced(text);
    let has_verb = words.iter().any(|word| FINITE_VERBS.contains(word));
    // "rented a flat", of many names: titles have such verbs, too, but hardly before an article.
    let tells = || {
        words.windows(2).any(|pair| {
            pair[0].ends_with("ed")
                && pair[0].starts_with(char::is_lowercase)
                && matches!(pair[1], "a" | "an" | "the" | "to" | "that")
        })
    };
    if (is_reference && !has_verb && !tells())
        || text.starts_with(char::is_lowercase)
        || !ends_like_a_sentence(text)
        || (words.len() < FEWEST_WORDS && !unspaced)
    {
        Item::Entry
    } else if words.len() >= FEWEST_WORDS_OF_AN_ITEM
        || has_verb
        || (unspaced && text.chars().count() >= FEWEST_CHARACTERS_OF_AN_ITEM)
    {
        Item::Paragraph
    } else {
        Item::Sentence
    }
}

/// Verbs that sentences have, and entries of lists hardly ever.
#[rustfmt::skip]
const FINITE_VERBS: &[&str] = &[
    "are", "can", "cannot", "could", "did", "does", "had", "has", "have", "is", "may", "must", "shall", "should", "was",
    "were", "will", "would",
];
