//! From text to token ids, with the byte range of each token.

use serde_json::Value;
use tokenizers::tokenizer::{PostProcessor, TokenizerImpl};
use tokenizers::{DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper};

use super::wordpiece::{Splitter, WordPiece};

/// The library's pipeline, with our own last step where that is WordPiece.
type Pipeline =
    TokenizerImpl<Splitter, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// A tokenizer as the Hugging Face `tokenizers` library stores it.
#[derive(Debug)]
pub struct Tokenizer {
    inner: Pipeline,
    /// Special tokens around a question and a context, and around a text alone.
    pair: Template,
    single: Template,
}

/// One token of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Its id in the vocabulary.
    pub id: u32,
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// Where it ends in the text, in bytes.
    pub end: usize,
    /// Whether a word begins with it.
    pub starts_word: bool,
}

/// The special tokens that a model expects before, between and after its one or two sequences, found by
/// encoding a probe: templates differ between architectures (`[CLS] q [SEP] c [SEP]`,
/// `<s> q </s></s> c </s>`).
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    pub(crate) before: Vec<(u32, u32)>,
    pub(crate) between: Vec<(u32, u32)>,
    pub(crate) after: Vec<(u32, u32)>,
    /// Segment ids of the two sequences.
    pub(crate) segments: [u32; 2],
}

impl Template {
    pub(crate) fn special_tokens(&self) -> usize {
        self.before.len() + self.between.len() + self.after.len()
    }
}

/// Longer stretches are tokenised in pieces, cut at white space, so that memory stays bounded.
const PIECE_BYTES: usize = 16 << 10;

impl Tokenizer {
    /// Reads `tokenizer.json`.
    ///
    /// # Errors
    /// The parser's message, or that the tokenizer does not mark the ends of its sequences.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        Self::build(bytes, WordPiece::from_hub)
    }

    /// Reads a `tokenizer.json` whose WordPiece vocabulary is left out but for its special tokens and stands in
    /// `vocabulary`, a token on each line: nothing of that has to be parsed.
    pub(super) fn from_parts(bytes: &[u8], vocabulary: &'static str) -> Result<Self, String> {
        Self::build(bytes, |hub| WordPiece::from_lines(vocabulary, hub))
    }

    fn build(
        bytes: &[u8],
        word_piece: impl FnOnce(&tokenizers::models::wordpiece::WordPiece) -> Result<WordPiece, String>,
    ) -> Result<Self, String> {
        check_templates(bytes)?;
        let mut inner = Pipeline::from_bytes(bytes).map_err(|e| e.to_string())?;
        if let Some(hub) = inner.get_model().hub_word_piece() {
            let words = word_piece(hub)?;
            inner.with_model(Splitter::WordPiece(words));
        }
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|e| e.to_string())?;
        // "[SEP]" in a document is text, not the end of a sequence.
        inner.set_encode_special_tokens(true);
        // Where there is a token for the unknown, no text fails; where there is none, some would be lost.
        if inner.encode("\u{10FFFD} \u{378} ☃ 漢", false).is_err() {
            return Err("cannot spell every text: it has no token for the unknown".to_owned());
        }
        let pair = template(&inner, true)?;
        let single = template(&inner, false)?;
        Ok(Self { inner, pair, single })
    }

    /// Tokens in the vocabulary, added ones included.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        let added = self.inner.get_added_tokens_decoder();
        let added = added.into_keys().max().map_or(0, |id| id as usize + 1);
        self.inner.get_model().vocabulary_size().max(added)
    }

    /// The highest id that any text can get, special tokens included, plus one.
    pub(crate) fn highest_id(&self) -> usize {
        let special = [&self.pair, &self.single]
            .into_iter()
            .flat_map(|t| [&t.before, &t.between, &t.after]);
        let ids = special.flatten().map(|&(id, _)| id as usize + 1);
        ids.max().unwrap_or(0).max(self.vocabulary_size())
    }

    pub(crate) fn pair(&self) -> &Template {
        &self.pair
    }

    pub(crate) fn single(&self) -> &Template {
        &self.single
    }

    /// The tokens of a text, without special tokens, with their byte ranges.
    #[must_use]
    pub fn tokens(&self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let end = piece_end(text, start);
            self.push_tokens(&text[start..end], start, &mut tokens);
            start = end;
        }
        tokens
    }

    fn push_tokens(&self, piece: &str, base: usize, tokens: &mut Vec<Token>) {
        let Ok(encoding) = self.inner.encode(piece, false) else {
            debug_assert!(false, "from_bytes has ruled this out");
            return;
        };
        let mut last_word = None;
        let words = encoding.get_word_ids();
        for (i, (&id, &(start, end))) in encoding.get_ids().iter().zip(encoding.get_offsets()).enumerate() {
            let word = words.get(i).copied().flatten();
            // A piece of SentencePiece begins with the space before its word, which no quotation should.
            let start = piece
                .get(start..end)
                .map_or(start, |text| end - text.trim_start().len());
            tokens.push(Token {
                id,
                start: base + start,
                end: base + end,
                starts_word: word.is_none() || word != last_word,
            });
            last_word = word;
        }
    }
}

/// Where a piece that begins at `start` ends: behind the last white space in reach, if there is any.
fn piece_end(text: &str, start: usize) -> usize {
    if text.len() - start <= PIECE_BYTES {
        return text.len();
    }
    let reach = text.floor_char_boundary(start + PIECE_BYTES);
    match text[start..reach].rfind(char::is_whitespace) {
        Some(at) if at > 0 => start + at,
        _ => reach,
    }
}

/// Refuses a template that names a special token which it does not define: the library would panic on it.
pub(crate) fn check_templates(bytes: &[u8]) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct PostProcessor {
        post_processor: Value,
    }
    let json: PostProcessor = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let mut processors = vec![&json.post_processor];
    while let Some(processor) = processors.pop() {
        processors.extend(processor["processors"].as_array().into_iter().flatten());
        let defined = &processor["special_tokens"];
        let pieces = [&processor["single"], &processor["pair"]];
        for piece in pieces.into_iter().filter_map(Value::as_array).flatten() {
            if let Some(id) = piece["SpecialToken"]["id"].as_str()
                && defined.get(id).is_none()
            {
                return Err(format!(
                    "its template names the token {id:?}, which it does not define"
                ));
            }
        }
    }
    Ok(())
}

fn template(inner: &Pipeline, pair: bool) -> Result<Template, String> {
    let probe = |text| inner.encode(text, false).map_err(|e| e.to_string());
    let first = probe("a")?;
    let second = pair.then(|| probe("b")).transpose()?;
    let encoding = match inner.get_post_processor() {
        Some(processor) => processor
            .process(first, second, true)
            .map_err(|e| e.to_string())?,
        None => return Err("has no post-processor: special tokens are unknown".to_owned()),
    };
    let mut template = Template::default();
    let mut seen = 0;
    let sequences = encoding.get_sequence_ids();
    let special = encoding.get_special_tokens_mask();
    for i in 0..encoding.len() {
        let token = (encoding.get_ids()[i], encoding.get_type_ids()[i]);
        match (special[i] == 1, seen) {
            (true, 0) => template.before.push(token),
            (true, 1) if pair => template.between.push(token),
            (true, _) => template.after.push(token),
            (false, _) => {
                let sequence = sequences[i].unwrap_or(0).min(1);
                template.segments[sequence] = token.1;
                seen = sequence + 1;
            }
        }
    }
    let expected = if pair { 2 } else { 1 };
    if seen != expected || template.before.is_empty() || (pair && template.between.is_empty()) {
        return Err("its template does not set question and context apart".to_owned());
    }
    Ok(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_cut_at_white_space_or_at_a_character() {
        let words = "wörd ".repeat(10_000);
        let mut start = 0;
        while start < words.len() {
            let end = piece_end(&words, start);
            assert!(end > start && end - start <= PIECE_BYTES);
            assert!(end == words.len() || words[end..].starts_with(' '));
            start = end;
        }
        let unbroken = "é".repeat(PIECE_BYTES);
        assert!(unbroken.is_char_boundary(piece_end(&unbroken, 0)));
    }
}
