//! Whether one sentence tells all that another does.
//!
//! Two sentences that share nearly all of their words may still say opposite things: "found guilty" and "found not
//! guilty", "A sold it to B" and "B sold it to A", 400,000 and 900,000. So what repeats is left out, and what another
//! document is cited for, only where its words stand in the other sentence, in their order, and nothing there takes
//! them back. In doubt a sentence is no repetition.

use unicode_segmentation::UnicodeSegmentation;

use super::terms::fold;

/// Words beyond those of a statement that deny it, doubt it, or say whose it is not to be.
#[rustfmt::skip]
const UNSETTLING: &[&str] = &[
    "accused", "alleged", "allegedly", "almost", "apparently", "barely", "but", "cannot", "claim", "claimed", "claims",
    "contrary", "could", "denied", "denies", "deny", "denying", "disputed", "disputes", "doubt", "doubted", "doubts",
    "except", "fail", "failed", "fails", "false", "falsely", "few", "hardly", "if", "incorrect", "instead", "lie", "lied",
    "may", "might", "misled", "mistaken", "nearly", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing",
    "only", "otherwise", "perhaps", "possibly", "reject", "rejected", "rejects", "reportedly", "rumour", "rumoured",
    "should", "supposed", "supposedly", "unless", "unlikely", "unproven", "until", "untrue", "whether", "without",
    "would", "wrong", "wrongly",
];

/// Whether `sentence` tells all that `statement` does.
pub(super) fn tells(sentence: &str, statement: &str) -> bool {
    let mut wanted = words(statement).peekable();
    if wanted.peek().is_none() {
        return sentence.trim() == statement.trim();
    }
    let beyond = words(sentence).filter(|word| wanted.next_if_eq(word).is_none());
    let unsettled = beyond.fold(false, |unsettled, word| unsettled | unsettles(&word));
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
    text.unicode_words()
        .map(fold)
        .filter(|word| !matches!(word.as_str(), "a" | "an" | "the"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsettling_words_are_sorted() {
        assert!(UNSETTLING.is_sorted());
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
            ("—", "—"),
        ] {
            assert!(tells(sentence, statement), "{sentence} / {statement}");
        }
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
            ("—", "…"),
        ] {
            assert!(!tells(one, other) && !tells(other, one), "{one} / {other}");
        }
        assert!(!tells("The dam broke.", "The dam broke on Monday."));
    }
}
