//! All sentences of a document, with how fit they are for a summary where they stand.

use super::dateline::dateline;
use super::fitness::{Fitness, fitness};
use super::items::prose_items;
use super::{MOST_WORDS, count_words, lines};
use crate::document::{Block, BlockKind, Document, STRUCK, Span, is_brand, item_marker, stops, turn};
use crate::reply::{FEWEST_WORDS, MOST_REPLIES, announces, is_reply, speaker, words_of};
use crate::summary::{opener, release};

pub(super) struct Sentence {
    pub(super) span: Span,
    pub(super) fitness: Fitness,
    pub(super) words: usize,
    /// How many sentences behind it are one with it.
    replies: usize,
    pub(super) section: usize,
    pub(super) heading: Option<Span>,
    pub(super) leans: bool,
}

/// The sentences in the order of the text, headings among them.
pub(super) fn sentences(document: &Document) -> Vec<Sentence> {
    let prose_items = prose_items(document);
    let about_the_sender = release::about_the_sender(document);
    let mut reading = Reading {
        document,
        sentences: Vec::new(),
        section: 0,
        heading: None,
        is_opening: true,
        quotes: false,
        strikes: false,
        is_labelled: false,
        answers: false,
    };
    let mut last = usize::MAX;
    for (index, span) in document.sentences() {
        let block = &document.blocks()[index];
        let place = Place {
            index,
            block,
            is_first: index != last,
            is_item: prose_items[index],
            is_beside: block.is_beside || about_the_sender[index],
        };
        last = index;
        if block.kind == BlockKind::Heading && !block.is_beside {
            reading.heading(place, span);
        } else {
            reading.sentence(place, span);
        }
    }
    reading.sentences
}

/// Where a sentence stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The number of its block.
    index: usize,
    block: &'a Block,
    /// It is the first of its block.
    is_first: bool,
    /// The block is an item that consists of sentences.
    is_item: bool,
    is_beside: bool,
}

impl Place<'_> {
    fn kind(self) -> BlockKind {
        match self.is_item {
            true => BlockKind::Paragraph,
            false => self.block.kind,
        }
    }
}

struct Reading<'a> {
    document: &'a Document,
    sentences: Vec<Sentence>,
    section: usize,
    heading: Option<Span>,
    /// Nothing but headings and bylines so far.
    is_opening: bool,
    /// The next sentence of the block begins within a quotation.
    quotes: bool,
    /// It begins in what is struck.
    strikes: bool,
    /// The block's first sentence has the name of who speaks.
    is_labelled: bool,
    /// What stood last answers a question of a transcript, and is too short to stand alone.
    answers: bool,
}

impl<'a> Reading<'a> {
    fn text(&self, span: &Span) -> &'a str {
        &self.document.text()[span.clone()]
    }

    fn block(&self, index: Option<usize>) -> Option<&'a Block> {
        self.document.blocks().get(index?)
    }

    fn heading(&mut self, place: Place<'_>, span: Span) {
        self.section += usize::from(place.is_first);
        self.heading = Some(place.block.span.clone());
        self.sentences.push(Sentence {
            words: count_words(self.text(&span)),
            span,
            replies: 0,
            fitness: Fitness::None,
            section: self.section,
            heading: None,
            leans: false,
        });
    }

    fn sentence(&mut self, place: Place<'_>, mut span: Span) {
        if place.is_first {
            self.is_labelled = speaker(self.text(&span)).is_some();
            self.strikes = false;
            // A quotation over several paragraphs opens anew in each, so a paragraph begins outside of one.
            self.quotes = false;
        }
        let began_quoted = self.quotes;
        self.quotes = opener::quotation_is_open(self.text(&span), began_quoted);
        if place.is_first && place.is_item {
            span.start += item_marker(self.text(&span));
        }
        if place.is_first && self.is_opening {
            span.start += dateline(self.text(&span));
        }
        if count_words(self.text(&span)) <= MOST_WORDS {
            self.part(place, span, false, began_quoted);
            return;
        }
        for line in lines(self.document.text(), &span) {
            self.part(place, line, true, began_quoted);
        }
    }

    /// A sentence, or a part of one that is too long.
    fn part(&mut self, place: Place<'_>, part: Span, is_too_long: bool, began_quoted: bool) {
        let sentence = self.text(&part);
        let is_struck = is_struck(sentence, &mut self.strikes);
        if place.is_first {
            self.begin_turn(place, sentence);
        }
        if !is_struck && self.is_one_with_the_last(place, &part) {
            self.join(part);
            return;
        }
        let fitness = match fitness(sentence, place.kind()) {
            Fitness::Prose if !self.stands_alone(place, &part) => Fitness::Line,
            _ if is_struck => Fitness::None,
            // A part of a sentence is none.
            fitness if place.is_beside || is_too_long => fitness.min(Fitness::Line),
            fitness => fitness,
        };
        self.is_opening &= fitness != Fitness::Prose;
        // What one says of oneself, behind the sentence that has the name: "RV: Sure. I was the first."
        let is_of_the_speaker = || words_of(sentence).any(|word| is_of_the_speaker(&word));
        let leans_on_name = self.is_labelled && !place.is_first && is_of_the_speaker();
        self.sentences.push(Sentence {
            fitness,
            words: count_words(sentence),
            replies: 0,
            section: self.section,
            heading: self.heading.clone(),
            leans: leans_on_name || opener::leans(sentence, began_quoted),
            span: part,
        });
    }

    /// The first sentence of a block may answer the question of a transcript that stands above; a question without its answer
    /// is no prose.
    fn begin_turn(&mut self, place: Place<'_>, sentence: &str) {
        let is_asked = self
            .block(place.index.checked_sub(1))
            .is_some_and(|above| self.is_question(above));
        self.answers = is_asked && turn(sentence) == Some('A');
        if is_asked
            && !self.answers
            && let Some(question) = self.sentences.last_mut()
        {
            question.fitness = question.fitness.min(Fitness::Line);
        }
    }

    /// Whether a sentence is a reply to the last one, or what that announces.
    fn is_one_with_the_last(&self, place: Place<'_>, part: &Span) -> bool {
        let Some(last) = self.sentences.last() else {
            return false;
        };
        let begins_an_item = place.is_item && place.is_first && part.end < place.block.span.end;
        last.fitness == Fitness::Prose
            && last.replies < MOST_REPLIES
            && place.kind() == BlockKind::Paragraph
            && !place.is_beside
            && !begins_an_item
            && {
                let before = self.text(&last.span);
                self.answers || is_reply(self.text(part), before) || last.replies == 0 && announces(before)
            }
    }

    fn join(&mut self, part: Span) {
        let sentence = self.text(&part);
        self.answers &= count_words(sentence) < FEWEST_WORDS + 1 || sentence.ends_with('?');
        if let Some(last) = self.sentences.last_mut() {
            last.span.end = part.end;
            last.words += count_words(sentence);
            last.replies += 1;
        }
    }

    /// Whether a sentence says what it says without what stands around it.
    fn stands_alone(&self, place: Place<'_>, part: &Span) -> bool {
        let sentence = self.text(part);
        let marker = item_marker(sentence);
        let may_be_cut = marker > 0 || (place.is_first && self.is_cut_above(place));
        !(may_be_cut && begins_in_the_middle(&sentence[marker..])
            || self.introduces(place, part)
            || self.asks_another(place, part)
            || (place.is_first || marker > 0) && is_restricted(self.document, part))
    }

    /// Whether a sentence may have begun above the block: what stands there is no heading and ends with no stop.
    fn is_cut_above(&self, place: Place<'_>) -> bool {
        self.block(place.index.checked_sub(1)).is_some_and(|above| {
            let is_prose = above.kind == BlockKind::Paragraph && stops(self.text(&above.span));
            above.kind != BlockKind::Heading && !is_prose
        })
    }

    /// "The following statements are false." says nothing without them.
    fn introduces(&self, place: Place<'_>, part: &Span) -> bool {
        part.end == place.block.span.end
            && self.block(Some(place.index + 1)).is_some_and(|below| {
                let start = below.span.start;
                let introductions = self.document.introductions(&(start..start + 1));
                introductions.last().is_some_and(|last| last.end == part.end)
            })
    }

    /// What one asks is answered by what the other says.
    fn asks_another(&self, place: Place<'_>, part: &Span) -> bool {
        let sentence = self.text(part);
        let asks =
            part.end == place.block.span.end && sentence.ends_with('?') && !self.is_question(place.block);
        let name = |block: &Block| speaker(self.text(&block.span)).map(|(name, _)| name);
        asks && self.block(Some(place.index + 1)).is_some_and(|below| {
            let start = below.span.start;
            let names = name(place.block).zip(name(below));
            names.is_some_and(|(asks, answers)| asks != answers)
                && !is_reply(
                    self.text(&self.document.sentence_around(&(start..start + 1))),
                    sentence,
                )
        })
    }

    /// "Q." of a transcript.
    fn is_question(&self, block: &Block) -> bool {
        turn(self.text(&block.span)) == Some('Q')
    }
}

/// Words by which somebody speaks of themselves.
fn is_of_the_speaker(word: &str) -> bool {
    matches!(
        word.split('\'').next(),
        Some("i" | "me" | "my" | "mine" | "we" | "us" | "our" | "ours")
    )
}

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

/// Whether a paragraph begins like the rest of a sentence: what a list or a formula stood in the middle of.
fn begins_in_the_middle(sentence: &str) -> bool {
    sentence.starts_with(char::is_lowercase) && !is_brand(sentence)
}
