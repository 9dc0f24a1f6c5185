//! The names, numbers and dates of a sentence, in a form in which they can be looked for elsewhere.
//!
//! A key is a string that two spellings of the same thing share: `1,000`, `1000` and `a thousand`; `5 %` and
//! `five per cent`; `3 March 2024`, `March 3rd, 2024` and `2024-03-03`; `Putin's` and `Putin`. The rules are for
//! English. They know no dictionary of names: a name is a word with a capital letter that is no function word.

mod date;
mod lexer;
mod name;
mod number;

use serde::Serialize;

use super::terms::{is_function_word, stem};
use crate::document::Span;
use lexer::Lexer;

/// What two spellings of the same thing share.
pub(super) type Key = String;

/// What a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    /// A word with a capital letter, or several in a row.
    Name,
    /// A number, in figures or words, with its percent sign or currency.
    Number,
    /// A date, a month or a day of the week.
    Date,
}

/// A name, number or date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) kind: ClaimKind,
    /// Where it stands in its text.
    pub(super) span: Span,
    pub(super) needs: Needs,
    /// The keys that it shows: its own, and those of claims that say less. A date shows its month.
    gives: Vec<Key>,
}

/// What shows that a source has a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Needs {
    /// One of these keys; none at all where it claims nothing ("one of them").
    AnyOf(Vec<Key>),
    /// All of these words of a name.
    AllOf(Vec<NameWord>),
}

/// A word of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameWord {
    pub(super) span: Span,
    pub(super) key: Key,
    /// The key that tells that the word is used in lower case, for a word at the beginning of a sentence: its
    /// capital letter means nothing then.
    pub(super) common: Option<Key>,
    /// Whether it is a title ("President"), which may stand apart from the name.
    pub(super) is_title: bool,
}

/// What is known of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// In the order of the text.
    pub(super) claims: Vec<Claim>,
    /// The stems of the words that carry meaning and are part of no number or date.
    pub(super) stems: Vec<Key>,
    /// The keys by which names are looked for: one or two for every word.
    names: Vec<Key>,
}
impl Content {
    /// Reads a text.
    pub(super) fn of(text: &str) -> Self {
        let mut lexer = Lexer::new(text);
        let mut content = Self::default();
        let mut at = 0;
        while at < lexer.words.len() {
            let found = lexer.date(at).or_else(|| lexer.number(at));
            if let Some((claims, end)) = found {
                content.claims.extend(claims);
                lexer.words[at..end].iter_mut().for_each(|w| w.counted = true);
                at = end;
            } else if let Some((claims, end)) = lexer.name(at) {
                content.claims.extend(claims);
                at = end;
            } else {
                at += 1;
            }
        }
        for word in &lexer.words {
            let (key, common) = word.name_keys();
            content.names.extend([key].into_iter().chain(common));
            if !word.counted && !is_function_word(&word.folded()) {
                content.stems.push(stem(&word.text));
            }
        }
        content
    }

    /// Every key that another text's claims and words can be looked for by.
    pub(super) fn into_keys(self) -> impl Iterator<Item = Key> {
        let counted = self.claims.into_iter().flat_map(|claim| claim.gives);
        self.stems.into_iter().chain(self.names).chain(counted)
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    /// Claims as `kind:text`, those that need nothing left out.
    fn claims(text: &str) -> Vec<String> {
        let content = Content::of(text);
        let shown = content.claims.iter().filter(|c| c.needs != Needs::AnyOf(vec![]));
        shown
            .map(|c| format!("{:?}:{}", c.kind, &text[c.span.clone()]).to_lowercase())
            .collect()
    }

    /// Whether one text's first claim is shown by another text.
    fn shows(source: &str, claim: &str) -> bool {
        let keys: Vec<Key> = Content::of(source).into_keys().collect();
        let content = Content::of(claim);
        match &content
            .claims
            .first()
            .unwrap_or_else(|| panic!("no claim: {claim}"))
            .needs
        {
            Needs::AnyOf(any) => any.iter().any(|key| keys.contains(key)),
            Needs::AllOf(all) => all.iter().all(|word| keys.contains(&word.key)),
        }
    }

    #[test]
    fn word_lists_are_sorted() {
        assert!(name::OPENERS.is_sorted());
        assert!(name::TITLES.is_sorted());
    }

    #[test]
    fn claims_are_found_where_they_stand() {
        for (text, expected) in [
            ("The dam broke.", &[][..]),
            (
                "Insurers expect $40 million.",
                &["name:insurers", "number:$40 million"],
            ),
            (
                "On 3 March 2024, Ann Lund resigned.",
                &["date:3 march 2024", "name:ann lund"],
            ),
            ("It fell 5 % on Monday.", &["number:5 %", "date:monday"]),
            ("He said: “We lost five per cent.”", &["number:five per cent"]),
            (
                "Mr. Trump met U.S. Senator J. D. Vance.",
                &["name:trump", "name:u.s", "name:senator j. d. vance"],
            ),
            (
                "However, two hundred and fifty people left.",
                &["number:two hundred and fifty"],
            ),
            ("One of them came, no one left.", &[]),
            ("We may march in May.", &["date:may"]),
            (
                "It was 10:30 when COVID-19 came.",
                &["number:10:30", "name:covid-19"],
            ),
            (
                "Russia’s Putin and the WHO agreed.",
                &["name:russia’s", "name:putin", "name:who"],
            ),
            (
                "She is the first of 1,234.5.",
                &["number:first", "number:1,234.5"],
            ),
        ] {
            assert_eq!(claims(text), expected, "{text}");
        }
    }

    #[test]
    fn spellings_of_the_same_are_the_same() {
        for (a, b) in [
            ("1,000", "1000"),
            ("a thousand", "1000"),
            ("five", "5"),
            ("5%", "five percent"),
            ("5 per cent", "5 %"),
            ("$40 million", "40 million dollars"),
            ("1.1 million", "1,100,000"),
            ("40m", "forty million"),
            ("twenty-one", "21"),
            ("third", "3rd"),
            ("two hundred and fifty thousand", "250,000"),
            ("1990s", "1990"),
            ("3 March 2024", "March 3rd, 2024"),
            ("2024-03-03", "Mar. 3, 2024"),
            ("Putin’s", "Putin"),
            ("the Democrats", "a Democrat"),
            ("in the U.S.", "in the US"),
            ("in the United States", "in the US"),
        ] {
            assert!(shows(a, b), "{a} shows {b}");
            assert!(shows(b, a), "{b} shows {a}");
        }
    }

    #[test]
    fn what_says_more_shows_what_says_less() {
        for (more, less) in [
            ("3 March 2024", "March 2024"),
            ("3 March 2024", "3 March"),
            ("3 March 2024", "2024"),
            ("$40", "40"),
            ("3/4/2024", "3 April 2024"),
            ("40 to 50 million", "40 million"),
        ] {
            assert!(shows(more, less), "{more} shows {less}");
        }
        for (less, more) in [
            ("March 2024", "3 March 2024"),
            ("40", "$40"),
            ("5", "5 %"),
            ("5 %", "5"),
            ("40 million", "40"),
            ("give it to us", "to the US"),
            ("10 March", "10"),
            ("a second later", "5 seconds, or 3"),
        ] {
            assert!(!shows(less, more), "{less} does not show {more}");
        }
    }
}
