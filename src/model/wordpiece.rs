//! WordPiece with a vocabulary that is ready in a fraction of the time that it takes to parse one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokenizers::models::wordpiece::WordPiece as HubWordPiece;
use tokenizers::models::{ModelWrapper, TrainerWrapper};
use tokenizers::tokenizer::{Model, Result, Token};

/// What splits words: WordPiece as below, or anything as the `tokenizers` library has it, which it is when it is read.
#[derive(Debug, Deserialize)]
#[serde(from = "ModelWrapper")]
pub(super) enum Splitter {
    WordPiece(WordPiece),
    Hub(Box<ModelWrapper>),
}

impl From<ModelWrapper> for Splitter {
    fn from(model: ModelWrapper) -> Self {
        Self::Hub(Box::new(model))
    }
}

/// Greedy longest match (Wu et al. 2016, section 4.1; Devlin et al. 2019), as `tokenizers` does it.
///
/// The vocabulary is one text and a hash table of places in it: nothing is allocated for a token, neither
/// when it is read nor when it is found.
#[derive(Debug)]
pub(super) struct WordPiece {
    text: Cow<'static, str>,
    /// Where each token stands in the text, with its id.
    tokens: Vec<Entry>,
    /// Index of a token plus one, or 0: open addressing, linear probing, at most half full.
    slots: Vec<u32>,
    /// Tokens that continue a word begin with it.
    prefix: String,
    unknown_id: u32,
    /// Longer words are unknown. In characters
    longest_word: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    end: u32,
    id: u32,
}

/// FNV-1a (Fowler, Noll, Vo), which can be continued byte by byte.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    fn with(self, byte: u8) -> Self {
        Self((self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    fn of(text: &str) -> Self {
        text.bytes().fold(Self::EMPTY, Self::with)
    }
}

/// Taken places in a row at which a vocabulary is refused. Half-full tables of a million words have some fifty.
const MOST_TRIES: usize = 256;

impl WordPiece {
    /// A vocabulary with a token on each line, its number the id, and everything else as in `hub`.
    ///
    /// # Errors
    /// When the token for the unknown is not among them.
    pub(super) fn from_lines(lines: &'static str, hub: &HubWordPiece) -> std::result::Result<Self, String> {
        let mut start = 0;
        let tokens = memchr::memchr_iter(b'\n', lines.as_bytes())
            .enumerate()
            .map(|(id, end)| {
                let token = Entry {
                    start,
                    end: end as u32,
                    id: id as u32,
                };
                start = token.end + 1;
                token
            });
        let tokens = tokens.collect();
        Self::new(Cow::Borrowed(lines), tokens, hub)
    }

    /// The same vocabulary as `hub`.
    ///
    /// # Errors
    /// As [`from_lines`](Self::from_lines).
    pub(super) fn from_hub(hub: &HubWordPiece) -> std::result::Result<Self, String> {
        let mut text = String::new();
        let mut tokens = Vec::new();
        for (token, id) in hub.get_vocab() {
            let start = text.len() as u32;
            text.push_str(&token);
            tokens.push(Entry {
                start,
                end: text.len() as u32,
                id,
            });
        }
        Self::new(Cow::Owned(text), tokens, hub)
    }

    fn new(
        text: Cow<'static, str>,
        tokens: Vec<Entry>,
        hub: &HubWordPiece,
    ) -> std::result::Result<Self, String> {
        let mut words = Self {
            slots: vec![0; (2 * tokens.len() + 2).next_power_of_two()],
            text,
            tokens,
            prefix: hub.continuing_subword_prefix.clone(),
            unknown_id: 0,
            longest_word: hub.max_input_chars_per_word,
        };
        for index in 0..words.tokens.len() {
            let mut slot = words.slot(Hash::of(words.token(index)));
            let mut tries = 0;
            while words.slots[slot] != 0 {
                slot = (slot + 1) & (words.slots.len() - 1);
                tries += 1;
                if tries == MOST_TRIES {
                    return Err("its vocabulary was made so that looking words up takes long".to_owned());
                }
            }
            words.slots[slot] = index as u32 + 1;
        }
        match words.token_to_id(&hub.unk_token) {
            Some(id) => words.unknown_id = id,
            None => return Err("cannot spell every text: it has no token for the unknown".to_owned()),
        }
        Ok(words)
    }

    fn token(&self, index: usize) -> &str {
        let Entry { start, end, .. } = self.tokens[index];
        &self.text[start as usize..end as usize]
    }

    /// Where to look first. The low bits of FNV-1a depend on the low bits of the bytes only.
    fn slot(&self, Hash(hash): Hash) -> usize {
        (hash ^ (hash >> 32)) as usize & (self.slots.len() - 1)
    }

    /// The id of `prefix` and `text`, whose hash is given.
    fn find(&self, hash: Hash, prefix: &str, text: &str) -> Option<u32> {
        let mut slot = self.slot(hash);
        loop {
            let index = self.slots[slot].checked_sub(1)? as usize;
            if self.token(index).strip_prefix(prefix) == Some(text) {
                return Some(self.tokens[index].id);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// The longest token that `text` begins with: its id and length.
    fn longest(&self, prefix: &str, text: &str, hashes: &mut Vec<Hash>) -> Option<(u32, usize)> {
        hashes.clear();
        let mut hash = Hash::of(prefix);
        for byte in text.bytes() {
            hash = hash.with(byte);
            hashes.push(hash);
        }
        (1..=text.len())
            .rev()
            .filter(|&end| text.is_char_boundary(end))
            .find_map(|end| {
                self.find(hashes[end - 1], prefix, &text[..end])
                    .map(|id| (id, end))
            })
    }

    /// The highest id.
    fn highest_id(&self) -> Option<u32> {
        self.tokens.iter().map(|token| token.id).max()
    }
}

impl Splitter {
    /// The library's WordPiece, which ours can take the place of.
    pub(super) fn hub_word_piece(&self) -> Option<&HubWordPiece> {
        match self {
            Self::Hub(model) => match &**model {
                ModelWrapper::WordPiece(hub) => Some(hub),
                _ => None,
            },
            Self::WordPiece(_) => None,
        }
    }

    /// Tokens in the vocabulary, counted by the highest id: ids may have gaps.
    pub(super) fn vocabulary_size(&self) -> usize {
        let highest = match self {
            Self::WordPiece(words) => words.highest_id(),
            Self::Hub(model) => model.get_vocab().into_values().max(),
        };
        highest.map_or(0, |id| id as usize + 1)
    }
}

impl WordPiece {
    fn tokenize(&self, word: &str) -> Vec<Token> {
        // What a token spells is not copied: nothing here asks for it.
        let token = |id, start, end| Token {
            id,
            value: String::new(),
            offsets: (start, end),
        };
        let unknown = || vec![token(self.unknown_id, 0, word.len())];
        if word.chars().count() > self.longest_word {
            return unknown();
        }
        let mut tokens = Vec::new();
        let mut hashes = Vec::with_capacity(word.len());
        let mut start = 0;
        while start < word.len() {
            let prefix = if start > 0 { &self.prefix } else { "" };
            let Some((id, length)) = self.longest(prefix, &word[start..], &mut hashes) else {
                return unknown();
            };
            tokens.push(token(id, start, start + length));
            start += length;
        }
        tokens
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.find(Hash::of(token), "", token)
    }
}

impl Model for Splitter {
    type Trainer = TrainerWrapper;

    fn tokenize(&self, sequence: &str) -> Result<Vec<Token>> {
        match self {
            Self::WordPiece(words) => Ok(words.tokenize(sequence)),
            Self::Hub(model) => model.tokenize(sequence),
        }
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        match self {
            Self::WordPiece(words) => words.token_to_id(token),
            Self::Hub(model) => model.token_to_id(token),
        }
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        match self {
            Self::WordPiece(words) => {
                let index = words.tokens.iter().position(|token| token.id == id)?;
                Some(words.token(index).to_owned())
            }
            Self::Hub(model) => model.id_to_token(id),
        }
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        match self {
            Self::WordPiece(words) => (0..words.tokens.len())
                .map(|i| (words.token(i).to_owned(), words.tokens[i].id))
                .collect(),
            Self::Hub(model) => model.get_vocab(),
        }
    }

    fn get_vocab_size(&self) -> usize {
        match self {
            Self::WordPiece(words) => words.tokens.len(),
            Self::Hub(model) => model.get_vocab_size(),
        }
    }

    fn save(&self, _: &Path, _: Option<&str>) -> Result<Vec<PathBuf>> {
        Err("a tokenizer is only read".into())
    }

    fn get_trainer(&self) -> TrainerWrapper {
        match self {
            Self::WordPiece(_) => TrainerWrapper::WordPieceTrainer(Default::default()),
            Self::Hub(model) => model.get_trainer(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn both() -> (HubWordPiece, WordPiece) {
        let tokens = [
            "[UNK]", "a", "ab", "abc", "b", "##a", "##b", "##bc", "##é", "é", "漢", "##漢字", "##",
            "##abcabc", "x##a",
        ];
        let ids = [3, 1, 2, 9, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 40];
        let vocabulary: HashMap<&str, u32> = tokens.into_iter().zip(ids).collect();
        let hub = serde_json::json!({
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 12, "vocab": vocabulary,
        });
        let hub: HubWordPiece = serde_json::from_str(&hub.to_string()).unwrap();
        let ours = WordPiece::from_hub(&hub).unwrap();
        (hub, ours)
    }

    proptest! {
        #[test]
        fn words_are_split_as_the_library_splits_them(word in "[abcx#é漢字]{0,14}") {
            let (hub, ours) = both();
            let strip = |tokens: Vec<Token>| tokens.into_iter().map(|t| (t.id, t.offsets)).collect::<Vec<_>>();
            prop_assert_eq!(strip(ours.tokenize(&word)), strip(hub.tokenize(&word).unwrap()));
            prop_assert_eq!(ours.token_to_id(&word), hub.token_to_id(&word));
        }
    }

    #[test]
    fn lines_are_numbered() {
        let (hub, _) = both();
        let words = WordPiece::from_lines("[UNK]\nab\n##c\n", &hub).unwrap();
        assert_eq!(words.token_to_id("ab"), Some(1));
        assert_eq!(words.token_to_id("a"), None);
        assert_eq!(words.highest_id(), Some(2));
        let ids: Vec<u32> = words.tokenize("abc").iter().map(|t| t.id).collect();
        assert_eq!(ids, [1, 2]);
        assert!(WordPiece::from_lines("ab\n", &hub).is_err());
    }
}
