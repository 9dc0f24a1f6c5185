//! Whether one sentence tells all that another does.
//!
//! Two sentences that share nearly all of their words may still say opposite things: "found guilty" and "found not
//! guilty", "A sold it to B" and "B sold it to A", 400,000 and 900,000. So what repeats is left out, and what another
//! document is cited for, only where its words stand in the other sentence, in their order, and nothing there takes
//! them back. In doubt a sentence is no repetition.

use unicode_segmentation::UnicodeSegmentation;

use super::terms::fold;

/// Words beyond those of a statement that deny it, doubt it, or say that it is somebody's or an invention.
#[rustfmt::skip]
const UNSETTLING: &[&str] = &[
    "according", "accused", "alleged", "allegedly", "almost", "apparently", "barely", "book", "but", "cannot", "claim", "claimed",
    "claims", "contrary", "could", "denied", "denies", "deny", "denying", "disputed", "disputes", "doubt", "doubted", "doubts",
    "except", "fail", "failed", "fails", "fake", "faked", "false", "falsely", "few", "fiction", "fictional", "fictitious", "film",
    "forged", "hardly", "hoax", "if", "imagined", "incorrect", "instead", "invented", "joke", "joked", "legend", "lie", "lied", "may",
    "might", "misled", "mistaken", "movie", "myth", "nearly", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing",
    "novel", "only", "otherwise", "parody", "perhaps", "play", "possibly", "reject", "rejected", "rejects", "reportedly", "rumor",
    "rumored", "rumour", "rumoured", "satire", "satirical", "should", "supposed", "supposedly", "unless", "unlikely", "unproven",
    "until", "untrue", "whether", "without", "would", "wrong", "wrongly",
];

/// Words that may stand before a statement and leave it what it is: those of dates and places, whose names begin with capitals.
/// Others are not known to: "It is a myth that", "The hoax said that".
#[rustfmt::skip]
const SETTLING: &[&str] = &[
    "also", "and", "at", "by", "early", "from", "in", "last", "late", "near", "of", "on", "since", "this", "today", "yesterday",
];

/// Whether `sentence` tells all that `statement` does.
pub(super) fn tells(sentence: &str, statement: &str) -> bool {
    let asks = |text: &str| {
        text.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '?')
            .ends_with('?')
    };
    if asks(sentence) != asks(statement) {
        return false;
    }
    let mut wanted = words(statement).peekable();
    if wanted.peek().is_none() {
        return sentence.trim() == statement.trim();
    }
    let mut begun = false;
    let mut unsettled = false;
    for (word, is_name) in named_words(sentence) {
        if wanted.next_if_eq(&word).is_some() {
            begun = true;
        } else {
            let may_begin = is_name || SETTLING.binary_search(&word.as_str()).is_ok();
            let is_month = is_name && word == "may";
            unsettled |= !is_month && unsettles(&word) || !begun && !may_begin;
        }
    }
    !unsettled && wanted.peek().is_none()
}

/// The words of a sentence, the same for sentences of the same words.
pub(super) fn folded(sentence: &str) -> String {
    words(sentence).fold(String::new(), |all, word| all + &word + " ")
}

fn unsettles(word: &str) -> bool {
    word.ends_with("n't") || UNSETTLING.binary_search(&word).is_ok()
}

/// Words in lower case without articles.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    named_words(text).map(|(word, _)| word)
}

/// The same, with whether each is a number or begins with a capital that is not that of the sentence.
fn named_words(text: &str) -> impl Iterator<Item = (String, bool)> + '_ {
    let words = text.unicode_word_indices().enumerate();
    words
        .map(move |(i, (at, word))| {
            if word.starts_with(|c: char| c.is_ascii_digit()) {
                (with_signs(text, at, word), true)
            } else {
                (fold(word), i > 0 && word.starts_with(char::is_uppercase))
            }
        })
        .filter(|(word, _)| !matches!(word.as_str(), "a" | "an" | "the"))
}

/// A number with what makes it another: its sign, its currency, "%" and "<".
fn with_signs(text: &str, at: usize, number: &str) -> String {
    let is_sign = |c: char| "-−–+±<>≤≥~≈$£€¥".contains(c);
    let before = text[..at].trim_end_matches(|c: char| c == ' ' || is_sign(c));
    let signs = text[before.len()..at].replace(' ', "");
    // The line of a range is no sign.
    let is_range = before.ends_with(char::is_alphanumeric) && text[before.len()..].starts_with(['-', '–']);
    let signs = if is_range { "" } else { &signs };
    let percent = if text[at + number.len()..].trim_start().starts_with('%') {
        "%"
    } else {
        ""
    };
    format!("{signs}{number}{percent}")
}

/// Whether two sentences that have nearly all words in common differ in a number, or in whether it is so.
pub(super) fn contradict(one: &str, other: &str) -> bool {
    let decisive = |text: &str| -> Vec<String> {
        let mut words: Vec<String> = named_words(text)
            .filter(|(word, _)| unsettles(word) || word.contains(|c: char| c.is_ascii_digit()))
            .map(|(word, _)| word)
            .collect();
        words.sort_unstable();
        words
    };
    decisive(one) != decisive(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsettling_words_are_sorted() {
        assert!(UNSETTLING.is_sorted() && SETTLING.is_sorted());
    }

    #[test]
    fn the_same_words_with_more_around_them_tell_the_same() {
        for (sentence, statement) in [
            ("The dam broke.", "The dam broke."),
            ("“A dam broke”", "The dam broke."),
            (
                "The dam above Elbing broke late on Monday night.",
                "The dam above Elbing broke on Monday.",
            ),
            (
                "He didn’t pay the rent in May, Holm said.",
                "He didn't pay the rent in May.",
            ),
            ("On Monday, 4 May, the dam broke.", "The dam broke."),
            ("—", "—"),
        ] {
            assert!(tells(sentence, statement), "{sentence} / {statement}");
        }
    }

    #[test]
    fn a_number_or_a_not_makes_a_contradiction() {
        assert!(contradict("He resigned in May.", "He did not resign in May."));
        assert!(contradict("It paid 2.4 million.", "It paid 4.2 million."));
        assert!(!contradict(
            "The dam broke on Monday.",
            "The dam burst on Monday."
        ));
        assert!(!contradict("From 1990-1995 it paid.", "It paid from 1990–1995."));
    }

    #[test]
    fn what_differs_does_not() {
        for (one, other) in [
            (
                "Mr. Roe was found guilty of theft.",
                "Mr. Roe was found not guilty of theft.",
            ),
            ("The board approved the sale.", "The board rejected the sale."),
            (
                "The board approved the sale.",
                "The board denied that it approved the sale.",
            ),
            ("Roe sold the mill to Holm.", "Holm sold the mill to Roe."),
            ("It paid 400,000 crowns.", "It paid 900,000 crowns."),
            ("He paid the rent.", "He hasn't paid the rent."),
            ("The dam broke on Monday.", "The dam broke on Monday?"),
            (
                "It made a profit of 5 million.",
                "It made a profit of -5 million.",
            ),
            ("It paid $5 million.", "It paid £5 million."),
            ("It rose by 5%.", "It rose by 5."),
            ("Fewer than < 5 came.", "Fewer than > 5 came."),
            ("—", "…"),
        ] {
            assert!(!tells(one, other) && !tells(other, one), "{one} / {other}");
        }
        for sentence in [
            "The dam broke.",
            "It is a myth that the dam broke on Monday.",
            "The hoax said the dam broke on Monday.",
            "In the novel, the dam broke on Monday.",
            "The dam broke on Monday, according to a forged letter.",
            "Mayor Lund said that the dam broke on Monday.",
        ] {
            assert!(!tells(sentence, "The dam broke on Monday."), "{sentence}");
        }
    }
}
