//! Sentences that say no, or yes, to the one before them, which says something else without them: "That judgment is set
//! aside."
//!
//! Rules on words, for English; they are counted on, not proved. In doubt two sentences are kept together, which makes a
//! summary longer and not wrong.

use std::collections::HashSet;

use super::opener::is_time;
use super::prose::{count_words, ends_like_a_sentence};
use super::terms::stems;

/// A sentence of fewer words is too short to stand alone.
pub(super) const FEWEST_WORDS: usize = 4;
/// A longer one says by itself what it denies.
const MOST_WORDS: usize = 14;
/// Words at the beginning of a sentence among which its subject is.
const SUBJECT: usize = 3;

/// Words that say no or yes to what a sentence points at.
#[rustfmt::skip]
const VERDICTS: &[&str] = &[
    "annulled", "baseless", "cannot", "debunked", "denied", "denies", "dismissed", "disproved", "disproven", "dropped", "fabricated",
    "failed", "fake", "false", "fiction", "forged", "forgery", "hoax", "incorrect", "invented", "lie", "lied", "lies", "mistaken", "myth",
    "neither", "never", "no", "nobody", "none", "nonsense", "nor", "not", "nothing", "overruled", "overturned", "quashed", "refused",
    "refuted", "rejected", "rescinded", "retracted", "reversed", "revoked", "unfounded", "unproven", "untrue", "vacated", "void",
    "withdrawn", "withdrew", "wrong", "yes",
];

/// Those of them that deny or doubt only the words beside them: "It is not far."
const NEGATIONS: &[&str] = &[
    "cannot", "failed", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing",
];

/// What a sentence may have said, by which the next one points at it.
#[rustfmt::skip]
const SAYINGS: &[&str] = &[
    "account", "accusation", "accusations", "allegation", "allegations", "argument", "assertion", "award", "charge", "charges",
    "claim", "claims", "complaint", "conclusion", "conviction", "decision", "exception", "finding", "findings", "injunction",
    "judgment", "judgement", "objection", "offer", "order", "proposal", "quotation", "quote", "report", "reports", "rumor", "rumors",
    "rumour", "rumours", "ruling", "sentence", "statement", "statements", "story", "theory", "verdict",
];

/// Whether a sentence replies to the one before it in the text.
pub(super) fn replies(sentence: &str, previous: &str) -> bool {
    let words: Vec<String> = words_of(sentence).filter(|word| !word.is_empty()).collect();
    let announces = words.iter().any(|word| word == "following");
    if words.len() > MOST_WORDS || announces || !ends_like_a_sentence(sentence) {
        return false;
    }
    let is_set_aside = words.windows(2).any(|pair| pair == ["set", "aside"]);
    let judges = |word: &String| VERDICTS.contains(&word.as_str()) || word.ends_with("n't");
    if !is_set_aside && !words.iter().any(judges) {
        return false;
    }
    if count_words(sentence) < FEWEST_WORDS {
        return true;
    }
    let first = words[0].as_str();
    let second = words.get(1).map_or("", String::as_str);
    let points = |word: &String| matches!(word.as_str(), "this" | "these" | "those" | "such");
    let subject = &words[..SUBJECT.min(words.len())];
    let last = words.last().map_or("", String::as_str);
    let is_said = |word: &String| SAYINGS.contains(&word.as_str());
    if matches!(first, "that" | "that's") && !is_time(second)
        || subject.iter().any(|word| points(word) || is_said(word)) && !(points(&words[0]) && is_time(second))
        || words.windows(2).any(|pair| pair == ["no", "such"])
        || matches!(last, "this" | "that" | "so")
    {
        return true;
    }
    let negates = |word: &String| NEGATIONS.contains(&word.as_str()) || word.ends_with("n't");
    let is_retracted = is_set_aside || words.iter().any(|word| judges(word) && !negates(word));
    match first {
        "it" | "it's" | "they" | "they're" if is_retracted => true,
        "he" | "i" | "it" | "neither" | "nobody" | "none" | "she" | "they" | "we" => {
            let said: HashSet<String> = stems(previous).collect();
            stems(sentence).any(|stem| said.contains(&stem))
        }
        _ => {
            let said: HashSet<String> = stems(previous).collect();
            let mut own = stems(sentence).filter(|stem| !judges(stem)).peekable();
            own.peek().is_some() && own.all(|stem| said.contains(&stem))
        }
    }
}

/// Words in lower case without marks around them.
pub(super) fn words_of(sentence: &str) -> impl Iterator<Item = String> {
    let words = sentence.split_whitespace();
    words.map(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.to_lowercase().replace('’', "'")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_back_the_sentence_before_replies_to_it() {
        for (previous, sentence) in [
            ("The claimant says that he forged the deed.", "He did not."),
            (
                "The court of first instance held that he had concealed it.",
                "That judgment is set aside.",
            ),
            (
                "The article said that Brandt had signed the contract.",
                "She did not sign it.",
            ),
            (
                "A study proved that 93 per cent recovered.",
                "There is no such study.",
            ),
            ("Some say that we hid the data.", "“That is simply untrue.”"),
            (
                "The operator stated that the leak had been repaired.",
                "The inspectors could not confirm this.",
            ),
            ("Lind said that she had taken money.", "The claim is false."),
            (
                "The roof must be 50 square metres.",
                "This does not apply to listed buildings.",
            ),
            ("The jury convicted him.", "His conviction was quashed in May."),
            ("The witness said that the car was red.", "The car was not red."),
            (
                "The letter names the minister.",
                "It was later found to be a forgery.",
            ),
            ("He was charged with theft.", "The charges were dropped."),
            ("The board says that it paid.", "It hasn’t paid."),
        ] {
            assert!(replies(sentence, previous), "{sentence}");
        }
    }

    #[test]
    fn what_stands_by_itself_does_not() {
        for (previous, sentence) in [
            ("The dam broke on Monday.", "Water did not reach the town."),
            ("The dam broke on Monday.", "This week no trains ran."),
            ("The dam broke on Monday.", "He was not available for comment."),
            ("The dam broke on Monday.", "The repairs cost 14 million euros."),
            ("The dam broke on Monday.", "That was expected."),
            ("The dam broke on Monday.", "Nobody was hurt by the flood."),
            (
                "The dam broke on Monday.",
                "That the dam broke was not known to the mayor of the town until the evening of the next day.",
            ),
            ("The dam broke on Monday.", "Not a word of this"),
            ("The dam broke on Monday.", "The following statements are false."),
        ] {
            assert!(!replies(sentence, previous), "{sentence}");
        }
    }
}
