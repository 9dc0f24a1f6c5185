//! Which sentences of a document can stand in a summary.
//!
//! Prose can: whole sentences of paragraphs, and of items that consist of them, as the numbered paragraphs of
//! rulings, statutes and minutes do. Headings, lists of other things, tables, code, captions, bylines, datelines and
//! the standing matter of web pages cannot. A document that hardly has prose (a log, a list) is summarised by
//! its lines instead.

use super::terms::is_function_word;
use super::{opener, release};
use crate::document::{
    Block, BlockKind, Document, STRUCK, Span, is_brand, item_marker, names_page, stops, turn,
};
use crate::reply::{FEWEST_WORDS, MOST_REPLIES, announces, is_reply, speaker, words_of};

/// A sentence that can stand in a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which of the documents.
    pub document: usize,
    /// Where it stands in the document's clean text.
    pub span: Span,
    /// Its number among the candidates of its document, from 0.
    pub index: usize,
    /// Its number among those of its section: what a heading stands above, or the whole document.
    pub place: usize,
    /// How many candidates its section has.
    pub section_size: usize,
    /// The section's number in the document, from 0.
    pub section: usize,
    /// The heading above it, where there is one.
    pub heading: Option<Span>,
    /// Its length in words, as `wc -w` counts them.
    pub words: usize,
    /// Whether it leans on what stands before it ("He said …").
    pub leans: bool,
    /// Whether the candidate before it in the list is what stands before it in the text.
    pub follows: bool,
}

/// The candidates of a document.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// In the order of the text.
    pub candidates: Vec<Candidate>,
    /// Sentences that are none, in the order of the text.
    pub skipped: Vec<Span>,
    /// Whether there is so little prose that the candidates are lines.
    pub by_lines: bool,
}

/// A longer one is an enumeration, or no sentence was found in it.
const MOST_WORDS: usize = 150;
/// An item of one sentence is prose by itself if it is so long; a shorter one may be an entry that ends with a stop.
const FEWEST_WORDS_OF_AN_ITEM: usize = 10;
/// The same in characters where words are not set apart.
const FEWEST_CHARACTERS_OF_AN_ITEM: usize = 20;
/// A heading has at most so many words behind its number.
const MOST_WORDS_OF_A_TITLE: usize = 8;
/// A document with less prose than this share of its words is summarised by its lines.
const LEAST_PROSE: f64 = 0.05;
/// A section of fewer headings than this is no structure: a title, or a line taken for one.
const FEWEST_HEADINGS: usize = 3;

/// How fit a sentence is for a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fitness {
    /// Nothing to read: no letters, code, a table's cell, standing matter.
    None,
    /// A line, an item, a fragment.
    Line,
    /// A sentence of running text.
    Prose,
}

struct Sentence {
    span: Span,
    fitness: Fitness,
    words: usize,
    /// How many sentences behind it are one with it.
    replies: usize,
    section: usize,
    heading: Option<Span>,
    leans: bool,
}

/// Finds the candidates of a document, which is the one at `index`.
#[must_use]
pub fn candidates(document: &Document, index: usize) -> Found {
    let sentences = sentences(document);
    let words = |least: Fitness| -> usize {
        let fit = sentences.iter().filter(|s| s.fitness >= least);
        fit.map(|s| s.words).sum()
    };
    let prose = words(Fitness::Prose);
    let least = if prose > 0 && prose as f64 >= LEAST_PROSE * words(Fitness::Line) as f64 {
        Fitness::Prose
    } else if words(Fitness::Line) > 0 {
        Fitness::Line
    } else {
        Fitness::None
    };
    let structured = sentences.last().is_some_and(|s| s.section >= FEWEST_HEADINGS);
    let mut found = Found {
        by_lines: least < Fitness::Prose,
        ..Found::default()
    };
    let mut last_taken = false;
    for sentence in sentences {
        if sentence.fitness < least {
            found.skipped.push(sentence.span);
            last_taken = false;
            continue;
        }
        let section = if structured { sentence.section } else { 0 };
        let previous = found.candidates.last().filter(|p| p.section == section);
        found.candidates.push(Candidate {
            document: index,
            index: found.candidates.len(),
            place: previous.map_or(0, |p| p.place + 1),
            section_size: 0,
            section,
            heading: sentence.heading,
            words: sentence.words,
            leans: sentence.leans,
            follows: last_taken && previous.is_some(),
            span: sentence.span,
        });
        last_taken = true;
    }
    for section in found.candidates.chunk_by_mut(|a, b| a.section == b.section) {
        let size = section.len();
        section.iter_mut().for_each(|c| c.section_size = size);
    }
    found
}

/// The headings above candidates of one document, in the order of the text, and of each candidate which of them is its own.
#[must_use]
pub fn headings(candidates: &[Candidate]) -> (Vec<Span>, Vec<Option<usize>>) {
    let mut headings: Vec<Span> = Vec::new();
    let mut number = |candidate: &Candidate| {
        let heading = candidate.heading.as_ref()?;
        if headings.last() != Some(heading) {
            headings.push(heading.clone());
        }
        Some(headings.len() - 1)
    };
    let own = candidates.iter().map(&mut number).collect();
    (headings, own)
}

/// All sentences of a document, whatever they are fit for: headings, items, cells and code too. What is too long
/// for a sentence is there line by line, and a line by so many words.
pub(super) fn all_sentences(document: &Document) -> Vec<Span> {
    let text = document.text();
    let too_long = |span: &Span| count_words(&text[span.clone()]) > MOST_WORDS;
    let by_lines = |(_, span): (usize, Span)| {
        if too_long(&span) {
            lines(text, &span)
        } else {
            vec![span]
        }
    };
    document
        .sentences()
        .flat_map(by_lines)
        .flat_map(|line| by_words(text, line))
        .collect()
}

/// Pieces of so many words as a sentence may have.
fn by_words(text: &str, span: Span) -> Vec<Span> {
    let words: Vec<&str> = text[span.clone()].split_whitespace().collect();
    if words.len() <= MOST_WORDS {
        return vec![span];
    }
    let place = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let piece =
        |words: &[&str]| place(words[0])..place(words[words.len() - 1]) + words[words.len() - 1].len();
    words.chunks(MOST_WORDS).map(piece).collect()
}

fn sentences(document: &Document) -> Vec<Sentence> {
    let text = document.text();
    let prose_items = prose_items(document);
    let about_the_sender = release::about_the_sender(document);
    let mut sentences: Vec<Sentence> = Vec::new();
    let mut section = 0;
    let mut heading: Option<Span> = None;
    let mut last_block = usize::MAX;
    let mut quoting = false;
    let mut striking = false;
    let mut opening = true; // nothing but headings and bylines so far
    let is_question = |block: &Block| turn(&text[block.span.clone()]) == Some('Q');
    let mut is_labelled = false; // the block's first sentence has the name of who speaks
    let mut answering = false; // a question of a transcript whose answer is too short to stand alone
    for (block_index, mut span) in document.sentences() {
        let block = &document.blocks()[block_index];
        let is_beside = block.is_beside || about_the_sender[block_index];
        let first_of_block = block_index != last_block;
        last_block = block_index;
        if block.kind == BlockKind::Heading && !block.is_beside {
            section += usize::from(first_of_block);
            heading = Some(block.span.clone());
            sentences.push(Sentence {
                words: count_words(&text[span.clone()]),
                span,
                replies: 0,
                fitness: Fitness::None,
                section,
                heading: None,
                leans: false,
            });
            continue;
        }
        // Whether a sentence may have begun above the block: what stands there is no heading and ends with no stop.
        let above = block_index.checked_sub(1).map(|above| &document.blocks()[above]);
        let is_cut_above = above.is_some_and(|above| {
            let is_prose = above.kind == BlockKind::Paragraph && stops(&text[above.span.clone()]);
            above.kind != BlockKind::Heading && !is_prose
        });
        if first_of_block {
            is_labelled = speaker(&text[span.clone()]).is_some();
        }
        // A quotation over several paragraphs opens anew in each, so a paragraph begins outside of one.
        quoting &= !first_of_block;
        striking &= !first_of_block;
        let was_quoting = quoting;
        quoting = opener::quotation_is_open(&text[span.clone()], quoting);
        let kind = if prose_items[block_index] {
            BlockKind::Paragraph
        } else {
            block.kind
        };
        if first_of_block && prose_items[block_index] {
            span.start += item_marker(&text[span.clone()]);
        }
        if opening && first_of_block {
            span.start += dateline(&text[span.clone()]);
        }
        let is_too_long = count_words(&text[span.clone()]) > MOST_WORDS;
        for part in if is_too_long {
            lines(text, &span)
        } else {
            vec![span]
        } {
            let sentence = &text[part.clone()];
            let is_struck = is_struck(sentence, &mut striking);
            if first_of_block {
                let is_asked = above.is_some_and(is_question);
                answering = is_asked && turn(sentence) == Some('A');
                if is_asked
                    && !answering
                    && let Some(question) = sentences.last_mut()
                {
                    question.fitness = question.fitness.min(Fitness::Line);
                }
            }
            if let Some(previous) = sentences.last_mut()
                && previous.fitness == Fitness::Prose
                && previous.replies < MOST_REPLIES
                && kind == BlockKind::Paragraph
                && !is_beside
                && !is_struck
                && !(prose_items[block_index] && first_of_block && part.end < block.span.end)
                && {
                    let before = &text[previous.span.clone()];
                    answering || is_reply(sentence, before) || previous.replies == 0 && announces(before)
                }
            {
                previous.span.end = part.end;
                previous.words += count_words(sentence);
                previous.replies += 1;
                answering &= count_words(sentence) < FEWEST_WORDS + 1 || sentence.ends_with('?');
                continue;
            }
            let marker = item_marker(sentence);
            let begins_in_the_middle = match marker {
                0 => first_of_block && is_cut_above && begins_in_the_middle(sentence),
                _ => begins_in_the_middle(&sentence[marker..]),
            };
            // "The following statements are false." says nothing without them.
            let below = document.blocks().get(block_index + 1);
            let introduces = || {
                part.end == block.span.end
                    && below.is_some_and(|below| {
                        let introductions = document.introductions(&(below.span.start..below.span.start + 1));
                        introductions.last().is_some_and(|last| last.end == part.end)
                    })
            };
            // What one asks is answered by what the other says.
            let asks_another = || {
                let speaker = |block: &Block| speaker(&text[block.span.clone()]).map(|(name, _)| name);
                let asks = part.end == block.span.end && sentence.ends_with('?') && !is_question(block);
                let is_kept = |below: &Block| {
                    let first = document.sentence_around(&(below.span.start..below.span.start + 1));
                    is_reply(&text[first], sentence)
                };
                asks && below.is_some_and(|below| {
                    let speakers = speaker(block).zip(speaker(below));
                    speakers.is_some_and(|(asks, answers)| asks != answers) && !is_kept(below)
                })
            };
            // What one says of oneself, behind the sentence that has the name: "RV: Sure. I was the first."
            let is_unsaid =
                || is_labelled && !first_of_block && words_of(sentence).any(|word| is_of_the_speaker(&word));
            let may_be_restricted = first_of_block || marker > 0;
            let fitness = match fitness(sentence, kind) {
                Fitness::Prose
                    if begins_in_the_middle
                        || introduces()
                        || asks_another()
                        || (may_be_restricted && is_restricted(document, &part)) =>
                {
                    Fitness::Line
                }
                _ if is_struck => Fitness::None,
                // A part of a sentence is none.
                fitness if is_beside || is_too_long => fitness.min(Fitness::Line),
                fitness => fitness,
            };
            opening &= fitness != Fitness::Prose;
            sentences.push(Sentence {
                fitness,
                words: count_words(sentence),
                replies: 0,
                section,
                heading: heading.clone(),
                leans: opener::leans(sentence, was_quoting) || is_unsaid(),
                span: part,
            });
        }
    }
    sentences
}

/// Words by which somebody speaks of themselves.
fn is_of_the_speaker(word: &str) -> bool {
    matches!(
        word.split('\'').next(),
        Some("i" | "me" | "my" | "mine" | "we" | "us" | "our" | "ours")
    )
}

/// Of each block, whether it is an item that consists of sentences. A short sentence ("The appeal is allowed.") is
/// told from an entry ("Sold apples to Ann.") by the other items of its list.
fn prose_items(document: &Document) -> Vec<bool> {
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

/// Words in what introduces a list without which its items say the contrary, or say without a condition what holds under one.
/// (Under "alleges as follows" stand whole complaints.)
#[rustfmt::skip]
const RESTRICTIONS: &[&str] = &[
    "cannot", "denied", "denies", "dismissed", "dismisses", "except", "exceptions", "excluded", "excludes", "excluding",
    "exclusions", "failed", "false", "forbidden", "if", "incorrect", "invented", "myth", "myths", "neither", "never", "no", "none",
    "nor", "not", "only", "otherwise", "prohibited", "refused", "rejected", "rejects", "rumors", "rumours", "unless", "untrue",
    "withdrawn", "withdrew", "without",
];

/// Whether a sentence is an item of a list whose introduction says more than that a list follows.
fn is_restricted(document: &Document, sentence: &Span) -> bool {
    let restricts = |word: String| RESTRICTIONS.contains(&word.as_str()) || word.ends_with("n't");
    document.introductions(sentence).into_iter().any(|span| {
        let text = document.text()[span].replace("No. ", ""); // of something
        words_of(&text).any(restricts)
    })
}

/// Whether all words of a sentence are struck. `striking`: whether it begins, and then whether it ends, in what is struck.
fn is_struck(sentence: &str, striking: &mut bool) -> bool {
    let mut has_words = false;
    let mut is_first = true;
    for part in sentence.split(STRUCK) {
        *striking ^= !is_first;
        is_first = false;
        has_words |= !*striking && part.contains(char::is_alphanumeric);
    }
    !has_words && sentence.contains(char::is_alphanumeric)
}

/// The lines of what is too long for a sentence: log lines of one width look like a paragraph that was wrapped.
fn lines(text: &str, span: &Span) -> Vec<Span> {
    let mut start = span.start;
    let mut lines = Vec::new();
    for line in text[span.clone()].split('\n') {
        let lead = line.len() - line.trim_start().len();
        if !line.trim().is_empty() {
            lines.push(start + lead..start + lead + line.trim().len());
        }
        start += line.len() + 1;
    }
    lines
}

fn count_words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn fitness(sentence: &str, kind: BlockKind) -> Fitness {
    let letters = sentence.chars().filter(|c| c.is_alphabetic()).count();
    let visible = sentence.chars().filter(|c| !c.is_whitespace()).count();
    let is_shouted = sentence.contains(char::is_uppercase) && !sentence.contains(char::is_lowercase);
    if letters == 0 || is_standing_matter(sentence) || is_caption(sentence) || names_page(sentence) {
        return Fitness::None;
    }
    let words = count_words(sentence);
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
fn is_unspaced(sentence: &str) -> bool {
    sentence
        .chars()
        .any(|c| matches!(c, '\u{3040}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{0E00}'..='\u{0E7F}'))
}

pub(super) fn ends_like_a_sentence(sentence: &str) -> bool {
    // Reference marks and closing marks stand behind the stop: `… it fell.”[3]`; emphasis may, too.
    stops(sentence.trim_end_matches(['*', '_']))
}

/// Whether a paragraph begins like the rest of a sentence: what a list or a formula stood in the middle of.
fn begins_in_the_middle(sentence: &str) -> bool {
    sentence.starts_with(char::is_lowercase) && !is_brand(sentence)
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

/// The longest dateline, in bytes.
const LONGEST_DATELINE: usize = 80;

/// How many bytes of the first sentence are a dateline: `Washington — `, `LONDON, England (CNN) -- `, `(CNN)`.
fn dateline(sentence: &str) -> usize {
    let head = &sentence[..sentence.floor_char_boundary(LONGEST_DATELINE)];
    let agency = head.find('(').and_then(|open| {
        let close = open + head[open..].find(')')?;
        let name = &head[open + 1..close];
        let is_name = name.starts_with(char::is_uppercase) && name.split_whitespace().count() <= 3;
        (is_name && is_place(&head[..open])).then_some(close + 1)
    });
    let dash = ["—", "–", "--", " - "].iter().filter_map(|dash| {
        let at = head.find(dash)?;
        // With a second one it is a parenthesis: "Marco Rubio — the secretary — said".
        let again = sentence[at + dash.len()..].contains(dash);
        Some((at, at + dash.len(), again))
    });
    let end = match (agency, dash.min()) {
        (Some(end), Some((at, after, _))) if head[end..at.max(end)].trim().is_empty() => Some(after),
        (Some(end), _) => Some(end),
        (None, Some((at, after, false))) if is_place(&head[..at]) && at > 0 => Some(after),
        _ => None,
    };
    let Some(end) = end else { return 0 };
    let rest = sentence[end..].trim_start();
    let opens = |c: char| c.is_uppercase() || c.is_ascii_digit() || "“\"‘'".contains(c);
    if rest.starts_with(opens) {
        sentence.len() - rest.len()
    } else {
        0
    }
}

/// A name of a place, perhaps with a date: capitals, figures, months, and at most six words.
fn is_place(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.len() <= 6
        && words.iter().all(|w| {
            w.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
                || matches!(*w, "of" | "the" | "de" | "del" | "la" | "and")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    fn taken(text: &str, format: Format) -> (Vec<String>, usize) {
        let document = Document::new("t", text, format).unwrap();
        let found = candidates(&document, 0);
        let texts = found
            .candidates
            .iter()
            .map(|c| document.text()[c.span.clone()].to_owned());
        (texts.collect(), found.skipped.len())
    }

    #[test]
    fn datelines_are_left_out_of_the_sentence() {
        for (text, length) in [
            ("Washington — President Trump said no.", "Washington — ".len()),
            (
                "LONDON, England (CNN) -- The queen spoke.",
                "LONDON, England (CNN) -- ".len(),
            ),
            ("(CNN)Share, and your gift will grow.", 5),
            (
                "PARIS, March 3 (Reuters) - Shares fell.",
                "PARIS, March 3 (Reuters) - ".len(),
            ),
            ("Marco Rubio — the secretary — said so.", 0),
            ("The plan (see below) — a good one — failed.", 0),
            ("Apple (AAPL) shares fell.", 0),
            ("Nobody came.", 0),
            ("— Ha!", 0),
        ] {
            assert_eq!(dateline(text), length, "{text}");
        }
    }

    #[test]
    fn only_prose_is_taken() {
        let text = "Storm over Elbing\n\nBy Ann Lee, Staff Writer\n\nELBING (AP) — The dam broke on Monday. Water reached the town.\n\n\
                    Figure 1: The dam in 1990.\n\nRead more: dams of the north.\n\nNobody was hurt by it.\n\n© 2024 The Elbing News. All rights reserved.";
        let (texts, skipped) = taken(text, Format::Plain);
        assert_eq!(
            texts,
            [
                "The dam broke on Monday.",
                "Water reached the town.",
                "Nobody was hurt by it."
            ]
        );
        assert_eq!(skipped, 6);
    }

    #[test]
    fn markdown_structure_is_no_prose() {
        let text = "# Title\n\nThe tool reads files quickly.\n\n- an item that ends like one.\n\n```\nlet x = 1;\n```\n\n| a | b |\n|---|---|\n| one two three four. | x |\n";
        let (texts, skipped) = taken(text, Format::Markdown);
        assert_eq!(texts, ["The tool reads files quickly."]);
        assert_eq!(skipped, 7);
    }

    #[test]
    fn what_would_say_the_contrary_by_itself_is_no_prose() {
        let policy = "The policy covers the whole of the building.\n\nThe following are not covered:\n\n(1) Damage to the building that is caused by flood.\n(2) Theft of goods from a vehicle that was left open.\n\nThe premium is due on the first of January.";
        for format in [Format::Plain, Format::Markdown] {
            let (texts, _) = taken(policy, format);
            assert_eq!(
                texts,
                [
                    "The policy covers the whole of the building.",
                    "The premium is due on the first of January."
                ]
            );
            assert_eq!(
                taken(&policy.replace("not covered", "covered"), format).0.len(),
                4
            );
            let myths = policy.replace(
                "The following are not covered",
                "It is a myth that the policy covers",
            );
            assert_eq!(taken(&myths, format).0, texts);
            let statements = policy.replace(
                "The following are not covered:",
                "The following statements are false.",
            );
            assert_eq!(taken(&statements, format).0, texts);
        }
        let (texts, _) = taken(
            "The claimant says that he forged the deed. He did not. It was late.",
            Format::Plain,
        );
        assert_eq!(texts, ["The claimant says that he forged the deed. He did not."]);
        let (texts, _) = taken(
            "The following rumour is false. The mayor resigned on Friday. He is in Spain.",
            Format::Plain,
        );
        assert_eq!(texts.len(), 2);
        let (texts, _) = taken(&"That is a lie. ".repeat(12), Format::Plain);
        assert_eq!(texts.len(), 4);
        for (text, expected) in [
            (
                "The court held that he had concealed the mould. That judgment is set aside.\n\nThe costs follow the event in the usual way.",
                2,
            ),
            (
                "Lind said that she had taken money from the firm.\n\nThe claim is false.\n\nThe payment went to an engineer in Graz.",
                2,
            ),
            (
                "1. The court held that he had concealed the mould in the flat.\n2. That judgment is set aside.\n3. The defendant must pay 6,500 crowns.",
                2,
            ),
            (
                "# A\n\nThe roof must be 50 square metres.\n\n# B\n\nThis does not apply to listed buildings.",
                2,
            ),
        ] {
            let (texts, _) = taken(text, Format::Markdown);
            assert_eq!(texts.len(), expected, "{texts:?}");
        }
        let (texts, _) = taken(
            "Q.  Were you ever convicted?\nA.  No.\nQ.  Whom do you work for?\nMR. ROE:  Objection, it was asked before.\nA.  I work for Acme.\n",
            Format::Plain,
        );
        assert_eq!(
            texts,
            [
                "Q.  Were you ever convicted?\nA.  No.",
                "MR. ROE:  Objection, it was asked before.",
                "A.  I work for Acme."
            ]
        );
        let (texts, _) = taken(
            "Q: Would you close the schools of the town again?\nA: Absolutely not. The damage to children was great. It was late in the year.\nQ: Did you take the money?\nA: No. I never met him.\n",
            Format::Plain,
        );
        assert_eq!(
            texts,
            [
                "Q: Would you close the schools of the town again?\nA: Absolutely not. The damage to children was great.",
                "It was late in the year.",
                "Q: Did you take the money?\nA: No. I never met him.",
            ]
        );
    }

    #[test]
    fn a_question_of_an_interview_is_no_prose_without_its_answer() {
        let (texts, _) = taken(
            "<p><b>TR: Will there be a film of the book?</b></p><p><b>IM:</b> I have sold nothing at all.</p>\
             <p>IM: Do you want to know why? I like my house.</p><p>TR: Did you sell it in May?</p><p>IM: I did not.</p>",
            Format::Html,
        );
        assert_eq!(
            texts,
            [
                "IM: I have sold nothing at all.",
                "IM: Do you want to know why?",
                "I like my house.",
                "TR: Did you sell it in May?\n\nIM: I did not."
            ]
        );
    }

    #[test]
    fn what_one_says_of_oneself_leans_on_ones_name() {
        let text = "RV: Well, I was asked. I was the first to invest in it. The market was small then.\n\nI left the firm in May. My shares are sold.\n";
        let document = Document::new("t", text, Format::Plain).unwrap();
        let leaning = candidates(&document, 0)
            .candidates
            .into_iter()
            .filter(|c| c.leans);
        let leaning: Vec<&str> = leaning.map(|c| &document.text()[c.span]).collect();
        assert_eq!(leaning, ["I was the first to invest in it."]);
    }

    #[test]
    fn a_sentence_that_is_struck_is_no_prose() {
        let (texts, _) = taken(
            "~~The town has asked for 12 million euros.~~ The town has asked for ~~8~~ 9 million euros.\n\n~~The mayor has resigned on Monday.~~\n",
            Format::Markdown,
        );
        assert_eq!(texts, ["The town has asked for ~~8~~ 9 million euros."]);
        let page = "<p><del>The mayor stole 40,000 pounds from the fund. His brother hid the money in Leeds.</del> The mayor took no money at all.</p>";
        assert_eq!(taken(page, Format::Html).0, ["The mayor took no money at all."]);
    }

    #[test]
    fn what_stands_beside_the_text_is_no_prose() {
        let page = "<h1>Dam</h1><p>The dam broke on Monday.</p><aside><h2>More news</h2><p>The mayor opens a bridge today.</p></aside>\
                    <p>Water reached the town in an hour.</p><footer><p>We write about the north every day.</p></footer>";
        let (texts, _) = taken(page, Format::Html);
        assert_eq!(
            texts,
            ["The dam broke on Monday.", "Water reached the town in an hour."]
        );
        let (texts, _) = taken(
            "<aside><p>The mayor opens a bridge today.</p></aside>",
            Format::Html,
        );
        assert_eq!(texts, ["The mayor opens a bridge today."]);
    }

    #[test]
    fn short_items_with_a_verb_are_prose() {
        let order = "IT IS ORDERED that:\n1.  Count III is not dismissed.\n2.  Landlord shall refund $8,500.00 to Tenant.\n3.  Defendant shall answer by September 30, 2021.\n4.  Milk and eggs.\n";
        let (texts, _) = taken(order, Format::Plain);
        assert_eq!(texts.len(), 3, "{texts:?}");
    }

    #[test]
    fn items_of_whole_sentences_are_prose_without_their_marks() {
        let ruling = "JUDGMENT\n\n1. This is an appeal from the order of Mr. Justice Harlow dated 3 May 2023. The appellant owned the vessel.\n\n\
                      2. We do not accept that the pump was material. The respondent must pay the appellant $3.9 million.\n\n\
                      3. The appeal is allowed.\n\nThe costs follow the event in the usual way.";
        let expected = [
            "This is an appeal from the order of Mr. Justice Harlow dated 3 May 2023.",
            "The appellant owned the vessel.",
            "We do not accept that the pump was material.",
            "The respondent must pay the appellant $3.9 million.",
            "The appeal is allowed.",
            "The costs follow the event in the usual way.",
        ];
        assert_eq!(taken(ruling, Format::Plain).0, expected);
        assert_eq!(taken(ruling, Format::Markdown).0, expected);
    }

    #[test]
    fn items_of_many_names_that_tell_something_are_prose() {
        let ruling = "1. The plaintiff, Marta Voss, rented a flat at 12 Lime Street from Alder Homes Ltd, from June 2016.\n\
                      2. She claims damages of 38,000 crowns from the owner of the house.\n";
        assert_eq!(taken(ruling, Format::Plain).0.len(), 2);
    }

    #[test]
    fn entries_are_no_prose_though_they_end_with_a_stop() {
        let end = "The council of Elbing met on Monday.";
        for list in [
            "- Milk.\n- Eggs and bread.\n- A pound of butter.",
            "- Fixed a crash in the parser.\n- Added a flag for the width.\n- Sold apples to Ann.",
            "- the name and the address of the landlord and of the agent, if there is one.",
            "1. Smith J, Brown K. The history of dams in the north. J Hydrol. 1999;12:34–45.\n\
             2. Lund A and others. A report on the state of the dams of the valley. See https://example.org/dams.",
            "- The lines of the poem that has no stop go on and on until the end of it",
        ] {
            for format in [Format::Plain, Format::Markdown] {
                let text = format!("{list}\n\n{end}");
                assert_eq!(taken(&text, format).0, [end], "{list}");
            }
        }
    }

    #[test]
    fn a_text_without_prose_is_taken_by_its_lines() {
        let log = "10:01 started\n10:02 listening on port 8080 of all interfaces\n10:03 ready\n10:04 stopped by signal";
        assert_eq!(taken(log, Format::Plain).0.len(), 4);
        assert_eq!(taken("- milk\n- eggs\n", Format::Markdown).0, ["milk", "eggs"]);
        assert_eq!(taken("```\nx = 1\n```\n", Format::Markdown).0, ["x = 1"]);
    }

    #[test]
    fn a_log_of_lines_of_one_width_is_taken_line_by_line() {
        let line = |i: usize| {
            format!(
                "2026-11-24 10:00:{:02} INFO worker {} took batch {i:04} to the queue\n",
                i % 60,
                i % 7
            )
        };
        let log: String = (0..200).map(line).collect();
        let (texts, skipped) = taken(&log, Format::Plain);
        assert_eq!((texts.len(), skipped), (200, 0));
        assert_eq!(texts[3], line(3).trim_end());
    }

    #[test]
    fn sections_need_headings() {
        let section = |n: usize| {
            format!("Part {n}\n\nThe first thing happened here. The second thing followed it.\n\n")
        };
        let document = Document::new("t", (0..4).map(section).collect::<String>(), Format::Plain).unwrap();
        let found = candidates(&document, 0).candidates;
        assert_eq!(
            found.iter().map(|c| c.section).collect::<Vec<_>>(),
            [1, 1, 2, 2, 3, 3, 4, 4]
        );
        assert!(
            found
                .iter()
                .all(|c| c.section_size == 2 && c.place == (c.index % 2))
        );
        assert!(!found[2].follows && found[3].follows);
    }
}
