//! Windows: pieces of a document short enough for the encoder, none of it left out.
//!
//! Blocks are tokenised one by one and windows are made as they are asked for, so that what is held in
//! memory does not grow with the document.

use std::collections::VecDeque;
use std::ops::Range;

use crate::document::{BlockKind, Document, Span};
use crate::engine::Input;
use crate::error::{Error, Result};
use crate::language::is_acronym;
use crate::model::tokenizer::{Template, Token};
use crate::model::{Limits, Tokenizer};
use cells::{Around, Cells};

mod cells;

/// A question, tokenised.
#[derive(Debug, Clone)]
pub struct Question {
    ids: Vec<u32>,
}

impl Question {
    /// Tokenises a question. One that begins like an English question and lacks its question mark gets it, so that it is the
    /// same question with and without: models know few that lack it, and are surer of an answer then. Keywords stay as
    /// they are.
    ///
    /// # Errors
    /// When there is no word in it, or it has more tokens than the model's limit.
    pub fn new(text: &str, tokenizer: &Tokenizer, limits: &Limits) -> Result<Self> {
        if !text.chars().any(char::is_alphanumeric) {
            return Err(Error::EmptyQuestion);
        }
        // A token stands for a few characters: what is far too long is not tokenised at all.
        let most_bytes = limits.question_tokens.saturating_mul(256);
        let text_read = text[..text.floor_char_boundary(most_bytes)].trim_end();
        let ids_of = |text: &str| -> Vec<u32> { tokenizer.tokens(text).iter().map(|t| t.id).collect() };
        let mut ids = ids_of(text_read);
        if ids.len() < limits.question_tokens && lacks_mark(text_read) {
            ids = ids_of(&format!("{text_read}?"));
        }
        match ids.len() {
            0 => Err(Error::EmptyQuestion),
            tokens if tokens > limits.question_tokens => Err(Error::QuestionTooLong {
                tokens,
                limit: limits.question_tokens,
            }),
            _ if text.len() > most_bytes => Err(Error::QuestionTooLarge {
                bytes: text.len(),
                limit_bytes: most_bytes,
            }),
            _ => Ok(Self { ids }),
        }
    }
}

/// Whether a text begins like a question, with a question word, a preposition and one ("in which year"), or a verb that asks for
/// a yes or no, and does not end with a mark.
fn lacks_mark(text: &str) -> bool {
    const ASKING: [&str; 9] = [
        "who", "whom", "whose", "what", "which", "when", "where", "why", "how",
    ];
    const PREPOSITIONS: [&str; 14] = [
        "in", "on", "at", "to", "for", "from", "by", "with", "of", "under", "since", "until", "about",
        "during",
    ];
    const VERBS: [&str; 18] = [
        "is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "can", "could", "will",
        "would", "shall", "should", "might", "must",
    ];
    let end = text.trim_end_matches(['"', '\'', '”', '’', ')', ']', '%', '°']);
    let mut words = text.split_whitespace();
    let (Some(first), second) = (words.next(), words.next().unwrap_or_default()) else {
        return false;
    };
    if is_acronym(first, text) {
        return false; // the WHO, not "who"
    }
    let [first, second] = [first, second].map(|word| word.to_lowercase().replace('’', "'"));
    // "who's", "isn't"
    let stem = first.split('\'').next().unwrap_or_default();
    let verb = first.strip_suffix("n't").unwrap_or(&first);
    let asks = ASKING.contains(&stem)
        || VERBS.contains(&verb)
        || ["can't", "won't"].contains(&&*first)
        || PREPOSITIONS.contains(&&*first) && ASKING.contains(&&*second);
    asks && end.ends_with(char::is_alphanumeric)
}

/// A question beside a stretch of a document.
#[derive(Debug, Clone)]
pub struct Window {
    /// What the encoder reads.
    pub input: Input,
    /// Index in the input of the first token of the document.
    pub context_start: usize,
    /// The tokens of the document, in order.
    pub context: Vec<ContextToken>,
    /// How many of them, from the first, the window before holds as well; 0 for a document's first window.
    pub shared_before: usize,
    /// How many of them, to the last, the window after holds as well; 0 for a document's last window.
    pub shared_after: usize,
}

impl Window {
    /// The last tokens of the spans that begin with the context's token `first` and are to be read in this window.
    ///
    /// Every window that holds a span reads it, but not with fewer than 32 tokens of context on one side
    /// where a neighbour has more (after the "max context" of Devlin et al. 2019's `run_squad.py`): at the edge of a
    /// window a span has lost what it hangs on, such as the beginning of a list, and the model, which cannot know, is
    /// often surer of it than where it sees the sentence.
    #[must_use]
    pub fn ends(&self, first: usize) -> Range<usize> {
        let length = self.context.len();
        let from = if first < EDGE_TOKENS {
            // Here the span has `first` tokens before it; in the window before, `shared_before - 1 - last` after it.
            first.max(self.shared_before.saturating_sub(first + 1))
        } else {
            first
        };
        // Here it has `length - 1 - last` after it; in the window after, `first - own` before it.
        let own = length - self.shared_after;
        let to = (length - first.saturating_sub(own)).max(length.saturating_sub(EDGE_TOKENS));
        from..to
    }
}

/// Tokens of context that are enough on either side of a span: about a sentence. With 0, 16, 32 and all that there is,
/// 68.3, 69.0, 68.8 and 68.0 % of 600 answers on two windows were right; 16 and 32 cannot be told apart.
const EDGE_TOKENS: usize = 32;

/// A token of a document, in bytes of its clean text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextToken {
    /// Its id in the vocabulary.
    pub id: u32,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Whether a word begins with it.
    pub starts_word: bool,
    /// What an answer does not reach out of: the section of the block that it stands in, or a cell of a table; or
    /// [`INSERTED`](Self::INSERTED).
    pub section: u32,
}

impl ContextToken {
    /// The section of what the document does not have there: the heading of a cell's column, and what sets cells apart. The
    /// model reads it, and no answer holds it. Its place is where it was put in, and empty.
    pub const INSERTED: u32 = u32::MAX;

    /// Whether it was put in.
    #[must_use]
    pub fn is_inserted(&self) -> bool {
        self.section == Self::INSERTED
    }
}

/// Cuts a document into windows for a question, each sharing `overlap_tokens` with the one before. Where the limits leave
/// no room for more, a window holds one token beyond those, and is longer than `window_tokens`.
#[must_use]
pub fn plan<'a>(
    document: &'a Document,
    question: &'a Question,
    tokenizer: &'a Tokenizer,
    limits: &Limits,
) -> Plan<'a> {
    plan_of(document, 0..document.text().len(), question, tokenizer, limits)
}

/// Cuts a stretch of a document into windows, as [`plan`] does the whole.
pub(crate) fn plan_of<'a>(
    document: &'a Document,
    stretch: Span,
    question: &'a Question,
    tokenizer: &'a Tokenizer,
    limits: &Limits,
) -> Plan<'a> {
    let blocks = document.blocks();
    Plan {
        document,
        question,
        tokenizer,
        room: room(question, tokenizer, limits),
        overlap: limits.overlap_tokens,
        next_block: blocks.partition_point(|block| block.span.end <= stretch.start),
        buffer: VecDeque::new(),
        shared: 0,
        fresh: 0,
        read_to: stretch.start,
        cells: Cells::default(),
        stretch,
    }
}

/// Tokens of a document that fit into a window beside the question.
fn room(question: &Question, tokenizer: &Tokenizer, limits: &Limits) -> usize {
    let taken = question.ids.len() + tokenizer.pair().special_tokens();
    let least = limits.overlap_tokens.saturating_add(1);
    limits.window_tokens.saturating_sub(taken).max(least)
}

/// How many windows a document of about so many tokens is cut into.
pub(crate) fn windows_of(tokens: f64, question: &Question, tokenizer: &Tokenizer, limits: &Limits) -> f64 {
    let (room, overlap) = (
        room(question, tokenizer, limits) as f64,
        limits.overlap_tokens as f64,
    );
    ((tokens - overlap) / (room - overlap)).ceil().max(1.0)
}

/// The windows of a document for a question, in order.
#[derive(Debug)]
pub struct Plan<'a> {
    document: &'a Document,
    /// The bytes of its clean text that are read.
    stretch: Span,
    question: &'a Question,
    tokenizer: &'a Tokenizer,
    /// Tokens of the document that fit into a window.
    room: usize,
    overlap: usize,
    next_block: usize,
    buffer: VecDeque<ContextToken>,
    /// Tokens at its front that the last window held.
    shared: usize,
    /// Tokens at its end that no window has held yet.
    fresh: usize,
    read_to: usize,
    cells: Cells,
}

impl Plan<'_> {
    /// Bytes of the clean text that have been tokenised, for progress.
    #[must_use]
    pub fn bytes_read(&self) -> usize {
        self.read_to - self.stretch.start
    }

    fn fill(&mut self) {
        while self.buffer.len() < self.room
            && let Some(block) = self.document.blocks().get(self.next_block)
            && block.span.start < self.stretch.end
        {
            let base = block.span.start.max(self.stretch.start);
            let end = block.span.end.min(self.stretch.end);
            let before = self.buffer.len();
            let around = match block.kind {
                BlockKind::TableCell => self.cells.around(self.document, self.next_block),
                _ => Around::default(),
            };
            self.insert(&around.before, base);
            let section = match block.kind {
                BlockKind::TableCell => ContextToken::INSERTED - 1 - self.next_block as u32, // Sections count from 0.
                _ => block.section,
            };
            let tokens = self.tokenizer.tokens(&self.document.text()[base..end]);
            self.buffer.extend(tokens.into_iter().map(|token| ContextToken {
                id: token.id,
                start: base + token.start,
                end: base + token.end,
                starts_word: token.starts_word,
                section,
            }));
            self.insert(around.after, end);
            self.fresh += self.buffer.len() - before;
            self.read_to = end;
            self.next_block += 1;
        }
    }

    /// Puts in a text that the document does not have at this place.
    fn insert(&mut self, text: &str, at: usize) {
        let tokens = self.tokenizer.tokens(text);
        self.buffer.extend(tokens.into_iter().map(|token| ContextToken {
            id: token.id,
            start: at,
            end: at,
            starts_word: token.starts_word,
            section: ContextToken::INSERTED,
        }));
    }
}

/// A word of more tokens than this may be cut by the end of a window.
const LONGEST_WORD_TOKENS: usize = 32;

impl Plan<'_> {
    /// How many tokens the next window takes: all that fit, less a word that would be cut at the end.
    fn whole_words(&self) -> usize {
        let most = self.room.min(self.buffer.len());
        let least = most.saturating_sub(LONGEST_WORD_TOKENS).max(self.overlap + 1);
        (least..=most)
            .rev()
            .find(|&n| self.buffer.get(n).is_none_or(|next| next.starts_word))
            .unwrap_or(most)
    }
}

impl Iterator for Plan<'_> {
    type Item = Window;

    fn next(&mut self) -> Option<Window> {
        self.fill();
        if self.fresh == 0 {
            return None;
        }
        let length = self.whole_words();
        let context: Vec<ContextToken> = self.buffer.iter().take(length).copied().collect();
        let shared_before = self.shared;
        self.fresh = self.buffer.len() - context.len();
        // What the next window shares with this one stays.
        self.shared = context.len().min(self.overlap);
        self.buffer.drain(..context.len() - self.shared);
        self.fill();
        let shared_after = if self.fresh == 0 { 0 } else { self.shared };
        let template = self.tokenizer.pair();
        Some(window(
            self.question,
            context,
            template,
            [shared_before, shared_after],
        ))
    }
}

fn window(
    question: &Question,
    context: Vec<ContextToken>,
    template: &Template,
    [shared_before, shared_after]: [usize; 2],
) -> Window {
    let length = template.special_tokens() + question.ids.len() + context.len();
    let mut input = Input::with_capacity(length);
    let [question_segment, context_segment] = template.segments;
    input.extend(template.before.iter().copied());
    input.extend(question.ids.iter().map(|&id| (id, question_segment)));
    input.extend(template.between.iter().copied());
    let context_start = input.len();
    input.extend(context.iter().map(|t| (t.id, context_segment)));
    input.extend(template.after.iter().copied());
    Window {
        input,
        context_start,
        context,
        shared_before,
        shared_after,
    }
}

/// Sentences of a document, as many as fit, for scoring.
#[derive(Debug, Clone)]
pub struct SentenceWindow {
    /// What the encoder reads: every sentence between its own special tokens, segments alternating
    /// (`BertSum`, Liu and Lapata 2019, section 3.1).
    pub input: Input,
    /// The sentence of each of the input's. One that is too long for a window is there once a part.
    pub sentences: Vec<Span>,
}

/// Fills windows with sentences of a document, in order and whole. One that is longer than a window is cut into
/// parts that follow each other, of at least one token, however short the limits have windows.
pub fn sentence_windows<'a>(
    document: &'a Document,
    sentences: impl Iterator<Item = Span> + 'a,
    tokenizer: &'a Tokenizer,
    limits: &Limits,
) -> impl Iterator<Item = SentenceWindow> + 'a {
    let template = tokenizer.single();
    let window_tokens = limits.window_tokens.max(template.special_tokens() + 1);
    let longest = window_tokens - template.special_tokens();
    let mut parts = sentences
        .flat_map(move |span| {
            let tokens = tokenizer.tokens(&document.text()[span.clone()]);
            tokens
                .chunks(longest)
                .map(|part| (span.clone(), part.to_vec()))
                .collect::<Vec<(Span, Vec<Token>)>>()
        })
        .peekable();
    std::iter::from_fn(move || {
        parts.peek()?;
        let mut window = SentenceWindow {
            input: Input::default(),
            sentences: Vec::new(),
        };
        while let Some((_, tokens)) = parts.peek() {
            if window.input.len() + tokens.len() + template.special_tokens() > window_tokens {
                break;
            }
            let Some((span, tokens)) = parts.next() else { break };
            // The second segment's id, which is that of the first where a model has only one.
            let segment = tokenizer.pair().segments[window.sentences.len() % 2];
            window
                .input
                .extend(template.before.iter().map(|&(id, _)| (id, segment)));
            let start = window.input.len();
            window.input.sentences.push(start..start + tokens.len());
            window.input.extend(tokens.iter().map(|t| (t.id, segment)));
            window
                .input
                .extend(template.after.iter().map(|&(id, _)| (id, segment)));
            window.sentences.push(span);
        }
        Some(window)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;
    use crate::model::Model;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| Model::embedded().unwrap().tokenizer);

    fn document(text: &str) -> Document {
        Document::new("t", text, Format::Plain).unwrap()
    }

    fn all_tokens(document: &Document) -> Vec<(usize, usize)> {
        document
            .blocks()
            .iter()
            .flat_map(|b| {
                TOKENIZER
                    .tokens(&document.text()[b.span.clone()])
                    .into_iter()
                    .map(|t| (t.start + b.span.start, t.end + b.span.start))
            })
            .collect()
    }

    #[test]
    fn windows_of_no_size_hold_a_token() {
        let document = document("The dam broke.");
        let tokens = all_tokens(&document).len();
        for window_tokens in [0, 1, 2, 3, usize::MAX] {
            let limits = Limits {
                window_tokens,
                ..Limits::default()
            };
            let whole = std::iter::once(0..document.text().len());
            let windows: Vec<_> = sentence_windows(&document, whole, &TOKENIZER, &limits).collect();
            let each = if window_tokens == usize::MAX { tokens } else { 1 };
            let sizes = windows
                .iter()
                .flat_map(|w| w.input.sentences.iter().map(Range::len));
            assert_eq!(
                sizes.collect::<Vec<_>>(),
                vec![each; tokens / each],
                "{window_tokens}"
            );
            let question = Question::new("who?", &TOKENIZER, &limits).unwrap();
            let read = plan(&document, &question, &TOKENIZER, &limits).map(|w| w.context.len());
            assert_eq!(read.collect::<Vec<_>>(), [tokens], "{window_tokens}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Promise 3: every run of 64 tokens of a document lies whole in at least one window.
        #[test]
        fn every_run_of_64_tokens_is_whole_in_a_window(
            words in prop::collection::vec("[a-zA-Zé’]{1,12}[ .\n]{1,2}", 1..1500),
            question_words in 1usize..30,
        ) {
            let Ok(document) = Document::new("t", words.concat(), Format::Plain) else { return Ok(()) };
            let limits = Limits::default();
            let question = Question::new(&"who ".repeat(question_words), &TOKENIZER, &limits).unwrap();
            let windows: Vec<Window> = plan(&document, &question, &TOKENIZER, &limits).collect();
            let tokens = all_tokens(&document);
            let mut covered = 0; // runs that begin before this token are whole in a window
            let mut from = 0;
            for window in &windows {
                prop_assert!(window.input.len() <= limits.window_tokens);
                let spans: Vec<(usize, usize)> = window.context.iter().map(|t| (t.start, t.end)).collect();
                let at = from + tokens[from..].iter().position(|t| *t == spans[0]).unwrap();
                prop_assert_eq!(&tokens[at..at + spans.len()], &spans[..]);
                prop_assert!(at <= covered, "a run of 64 tokens at {} is in no window", covered);
                covered = (at + spans.len() + 1).saturating_sub(64).max(covered);
                from = at;
                if at + spans.len() == tokens.len() { covered = tokens.len(); }
            }
            prop_assert_eq!(covered, tokens.len());
        }

        /// Each span no longer than the overlap is read, and only where it has context enough or none has more.
        #[test]
        fn every_span_is_read_where_it_has_context(
            words in prop::collection::vec("[a-z]{1,9}[ \n]", 1..1200), lengths in prop::collection::vec(1usize..128, 40), from in prop::collection::vec(0usize..1200, 40),
        ) {
            let Ok(document) = Document::new("t", words.concat(), Format::Plain) else { return Ok(()) };
            let limits = Limits::default();
            let question = Question::new("who?", &TOKENIZER, &limits).unwrap();
            let windows: Vec<Window> = plan(&document, &question, &TOKENIZER, &limits).collect();
            let tokens = all_tokens(&document);
            for (first, length) in from.into_iter().zip(lengths) {
                let first = first % tokens.len();
                let last = (first + length).min(tokens.len()) - 1;
                // (least context, read there) of each window that holds the span; at an end of the document none is lost.
                let holding: Vec<(usize, bool)> = windows
                    .iter()
                    .enumerate()
                    .filter_map(|(number, window)| {
                        let place = |token: (usize, usize)| window.context.iter().position(|t| (t.start, t.end) == token);
                        let (a, b) = (place(tokens[first])?, place(tokens[last])?);
                        let before = if number == 0 { usize::MAX } else { a };
                        let after = if number + 1 == windows.len() { usize::MAX } else { window.context.len() - 1 - b };
                        Some((before.min(after), window.ends(a).contains(&b)))
                    })
                    .collect();
                let most = holding.iter().map(|h| h.0).max().unwrap();
                prop_assert!(holding.iter().any(|h| h.1 && h.0 == most), "{:?}", holding);
                prop_assert!(holding.iter().all(|h| h.1 == (h.0 == most || h.0 >= EDGE_TOKENS)), "{:?}", holding);
            }
        }

        /// Every sentence is in exactly one window, or its parts follow each other.
        #[test]
        fn every_sentence_is_in_a_window(
            sentences in prop::collection::vec("[A-Z][a-z]{1,8}( [a-z]{1,8}){0,600}\\.\n", 1..20),
        ) {
            let document = document(&sentences.concat());
            let limits = Limits::default();
            let expected: Vec<Span> = document.sentences().map(|(_, span)| span).collect();
            let mut seen: Vec<Span> = Vec::new();
            for window in sentence_windows(&document, expected.clone().into_iter(), &TOKENIZER, &limits) {
                prop_assert!(window.input.len() <= limits.window_tokens);
                prop_assert_eq!(window.input.sentences.len(), window.sentences.len());
                seen.extend(window.sentences);
            }
            seen.dedup();
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn a_window_is_what_the_pair_encoding_is() {
        let limits = Limits::default();
        let question = Question::new("Who?", &TOKENIZER, &limits).unwrap();
        let document = document("Bob did.");
        let windows: Vec<Window> = plan(&document, &question, &TOKENIZER, &limits).collect();
        assert_eq!(windows.len(), 1);
        assert_eq!(windows[0].input.ids[0], 101);
        assert_eq!(windows[0].input.segments, [0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!(windows[0].context_start, 4);
        assert_eq!(windows[0].context[1].start, 4);
    }

    #[test]
    fn questions_have_a_word_and_a_limit() {
        let limits = Limits::default();
        let question = |text: &str| Question::new(text, &TOKENIZER, &limits);
        assert!(matches!(question(""), Err(Error::EmptyQuestion)));
        assert!(matches!(question(" ?! "), Err(Error::EmptyQuestion)));
        assert!(question(&"why ".repeat(64)).is_ok());
        assert!(matches!(
            question(&"why ".repeat(65)),
            Err(Error::QuestionTooLong { tokens: 65, .. })
        ));
        assert!(matches!(
            question(&"x".repeat(1 << 20)),
            Err(Error::QuestionTooLarge { .. })
        ));
    }

    #[test]
    fn a_question_mark_makes_no_difference() {
        let limits = Limits::default();
        let ids = |text: &str| Question::new(text, &TOKENIZER, &limits).unwrap().ids;
        assert_eq!(ids("who leads negotiations"), ids("who leads negotiations?"));
        assert_eq!(ids("Who leads \n"), ids("who leads?"));
        assert_eq!(ids("in which year did it end"), ids("in which year did it end?"));
        assert_eq!(ids("did it end"), ids("did it end?"));
        assert_eq!(ids("WHO WON IN 2024"), ids("WHO WON IN 2024?"));
        assert_eq!(ids("who's in"), ids("who's in?"));
        assert_eq!(ids("isn't it closed"), ids("isn't it closed?"));
        assert_eq!(ids("won't it close"), ids("won't it close?"));
        assert_eq!(ids("who wrote \"Hamlet\""), ids("who wrote \"Hamlet\"?"));
        for keywords in [
            "year it ended",
            "people who died",
            "May 2024 revenue",
            "in 2024",
            "price",
            "WHO guidelines on lead",
        ] {
            assert_ne!(ids(keywords), ids(&format!("{keywords}?")), "{keywords}");
        }
        assert_ne!(ids("who leads."), ids("who leads?"));
        assert_eq!(ids(&"why ".repeat(64)).len(), 64);
        assert_eq!(ids(&"why ".repeat(63)).len(), 64);
    }
}
