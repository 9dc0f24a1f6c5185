//! The words of a text, and what stands between them.

use unicode_segmentation::UnicodeSegmentation;

use super::date::month;
use super::name::TITLES;
use super::{Claim, Key};
use crate::document::Span;

/// Names of two words that are as often written in letters.
const ABBREVIATED: [(&str, &str, &str); 4] = [
    ("European", "Union", "EU"),
    ("United", "Kingdom", "UK"),
    ("United", "Nations", "UN"),
    ("United", "States", "US"),
];

/// Words that are others in capitals.
pub(super) const NOT_THE_WORD: [&str; 3] = ["IT", "US", "WHO"];

pub(super) struct Word {
    /// As it is written, but that two words for which there are letters are the letters.
    pub(super) text: String,
    pub(super) span: Span,
    /// Whether a sentence or a quotation begins with it.
    pub(super) opens: bool,
    /// Whether it is part of a number or date.
    pub(super) counted: bool,
}

impl Word {
    pub(super) fn folded(&self) -> String {
        self.text.to_lowercase().replace('’', "'")
    }

    pub(super) fn starts_upper(&self) -> bool {
        self.text.starts_with(char::is_uppercase)
    }

    /// The key of the word as part of a name; and, where it is written in lower case, the key that says so.
    pub(super) fn name_keys(&self) -> (Key, Option<Key>) {
        let bare = bare(&self.text);
        let folded = bare.to_lowercase();
        if NOT_THE_WORD.contains(&bare.as_str()) {
            return (format!("~={bare}"), None);
        }
        let key = singular(&folded);
        let common = (!self.starts_upper()).then(|| format!("-{key}"));
        (format!("~{key}"), common)
    }
}

/// Without a possessive, and without the dots of an abbreviation.
pub(super) fn bare(word: &str) -> String {
    let word = word.replace('’', "'");
    let word = word
        .strip_suffix("'s")
        .or(word.strip_suffix("'S"))
        .unwrap_or(&word);
    word.chars().filter(|c| !matches!(c, '.' | '\'')).collect()
}

/// The same for one and for many.
pub(super) fn singular(folded: &str) -> String {
    let plural = folded.chars().count() > 3 && folded.ends_with('s') && !folded.ends_with("ss");
    folded[..folded.len() - usize::from(plural)].to_owned()
}

pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) words: Vec<Word>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut words: Vec<Word> = Vec::new();
        for (start, word) in text.unicode_word_indices() {
            let end = start + word.len();
            let gap = &text[words.last().map_or(0, |w| w.span.end)..start];
            let opens = words.last().is_none_or(|last| {
                // "U.S. troops" and "J. Smith" go on; ". " after a word of letters does not.
                let stops = gap.contains(['!', '?', ':', '“', '"', '‘', '«', '—', '\n'])
                    || gap.contains('.') && last.text.chars().filter(|c| c.is_alphabetic()).count() > 2;
                stops && !(gap.trim() == "." && TITLES.binary_search(&last.folded().as_str()).is_ok())
            });
            let joined = words.last_mut().filter(|_| gap == " ").is_some_and(|last| {
                let letters = ABBREVIATED
                    .iter()
                    .find(|(first, second, _)| last.text == *first && bare(word) == *second);
                if let Some((.., letters)) = letters {
                    *last = Word {
                        text: (*letters).to_owned(),
                        span: last.span.start..end,
                        ..*last
                    };
                }
                letters.is_some()
            });
            let numbered = words.last_mut().filter(|last| {
                gap == "-" && last.starts_upper() && month(&last.text).is_none() && is_figures(word)
            });
            if let Some(last) = numbered {
                // COVID-19 and B-52 are names.
                last.text = format!("{}{word}", last.text);
                last.span.end = end;
            } else if !joined {
                words.push(Word {
                    text: word.to_owned(),
                    span: start..end,
                    opens,
                    counted: false,
                });
            }
        }
        Self { text, words }
    }

    /// What stands between a word and the next.
    pub(super) fn gap(&self, at: usize) -> &'a str {
        let end = self.words.get(at + 1).map_or(self.text.len(), |w| w.span.start);
        &self.text[self.words[at].span.end..end]
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |w| &w.text)
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        self.words[start].span.start..self.words[end - 1].span.end
    }
}

/// What a parser found: claims, and the word that it ends before.
pub(super) type Parsed = Option<(Vec<Claim>, usize)>;

pub(super) fn is_figures(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn without_ordinal(word: &str) -> &str {
    let endings = ["st", "nd", "rd", "th"];
    let stripped = endings.iter().find_map(|ending| word.strip_suffix(ending));
    stripped
        .filter(|rest| rest.ends_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(word)
}
