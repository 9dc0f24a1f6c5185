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
/// A verdict in so few words is one on what was said before.
const MOST_WORDS_OF_A_VERDICT: usize = 8;
/// Words at the beginning of a sentence among which its subject is.
const SUBJECT: usize = 3;
/// Words of the name of a speaker.
const MOST_WORDS_OF_A_NAME: usize = 4;

/// Words that deny what stands beside them: what was said before if a sentence points at it.
#[rustfmt::skip]
const NEGATIONS: &[&str] = &[
    "cannot", "failed", "fails", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing",
];

/// Words that judge, end or restrict what was said before if a sentence points at it.
#[rustfmt::skip]
const VERDICTS: &[&str] = &[
    "abandoned", "cancelled", "canceled", "denied", "denies", "denying", "dismissed", "disputed", "disputes", "dropped", "ends",
    "excepted", "exempt", "expired", "expires", "halted", "ignore", "lapsed", "lapses", "lost", "overruled", "refused", "refuses",
    "rejected", "rejects", "reversed", "revoked", "rescinded", "stayed", "stopped", "struck", "succeeds", "suspended", "vacated", "void",
    "yes",
];

/// Words that are a verdict on what was said before in a short sentence by themselves.
#[rustfmt::skip]
const STRONG_VERDICTS: &[&str] = &[
    "annulled", "apologised", "apologized", "baseless", "debunked", "disagree", "disagreed", "disagrees", "disproved", "disproven",
    "error", "excluded", "fabricated", "fake", "faked", "false", "fiction", "forged", "forgery", "hoax", "incorrect", "invented", "lie",
    "lied", "lies", "mistake", "mistaken", "myth", "nonsense", "otherwise", "overturned", "quashed", "refuted", "retracted", "retracts",
    "rubbish", "unfounded", "unproven", "untrue", "withdrawn", "withdrew", "wrong",
];

/// The same in two words.
#[rustfmt::skip]
const STRONG_PAIRS: &[[&str; 2]] = &[
    ["fallen", "through"], ["ignore", "that"], ["ignore", "this"], ["or", "so"], ["scratch", "that"], ["set", "aside"],
    ["should", "read"], ["that", "up"], ["voted", "against"],
];

/// What a sentence may have told of, by which the next one points at it.
#[rustfmt::skip]
const SAYINGS: &[&str] = &[
    "account", "accusation", "accusations", "allegation", "allegations", "amendment", "appeal", "approval", "argument", "assertion",
    "award", "charge", "charges", "claim", "claims", "complaint", "conclusion", "conviction", "deal", "decision", "difference",
    "evidence", "exception", "figure", "figures", "finding", "findings", "footage", "injunction", "judgement", "judgment", "letter",
    "motion", "objection", "offer", "order", "permission", "photograph", "proposal", "quotation", "quote", "report", "reports",
    "resolution", "result", "results", "right", "rumor", "rumors", "rumour", "rumours", "ruling", "sale", "sentence", "signature",
    "statement", "statements", "story", "study", "testimony", "theory", "trial", "verdict", "video",
];

/// Words before one of them that has been told of.
const KNOWN: &[&str] = &["her", "his", "its", "that", "the", "their"];

/// Whether a sentence replies to the one before it in the text.
pub(super) fn replies(sentence: &str, previous: &str) -> bool {
    if !ends_like_a_sentence(sentence) || announces(sentence) {
        return false;
    }
    let said = without_speaker(sentence);
    let words: Vec<String> = words_of(said).filter(|word| !word.is_empty()).collect();
    let has_pair = |pairs: &[[&str; 2]]| {
        let mut own = words.windows(2);
        own.any(|own| pairs.iter().any(|pair| own == pair))
    };
    let negates = |word: &String| NEGATIONS.contains(&word.as_str()) || word.ends_with("n't");
    let is_strong = |word: &String| STRONG_VERDICTS.contains(&word.as_str());
    let judges = |word: &String| negates(word) || is_strong(word) || VERDICTS.contains(&word.as_str());
    let is_negative = words.iter().any(negates);
    if is_negative && has_pair(&[["the", "kind"], ["the", "sort"]]) {
        return true;
    }
    let has_strong = has_pair(STRONG_PAIRS) || words.iter().any(is_strong);
    if words.len() > MOST_WORDS || !has_strong && !words.iter().any(judges) {
        return false;
    }
    if count_words(said) < FEWEST_WORDS || has_strong && words.len() <= MOST_WORDS_OF_A_VERDICT {
        return true;
    }
    let first = words[0].as_str();
    let next = |i: usize| words.get(i + 1).map_or("", String::as_str);
    let points = |i: usize| match words[i].as_str() {
        "this" | "these" | "those" | "such" => !is_time(next(i)),
        "that" | "that's" => i == 0 && !is_time(next(i)),
        word => SAYINGS.contains(&word) && (i < SUBJECT || KNOWN.contains(&words[i - 1].as_str())),
    };
    let last = words.last().map_or("", String::as_str);
    if (0..words.len()).any(points)
        || matches!(last, "it" | "so" | "that" | "them")
        || matches!(first, "correction" | "not")
        || first == "there" && words.get(2).is_some_and(negates)
    {
        return true;
    }
    if has_strong && matches!(first, "it" | "it's" | "they" | "they're") {
        return true;
    }
    // Two denials, one behind the other, are of two things.
    if words_of(previous).any(|word| negates(&word)) {
        return false;
    }
    let before: HashSet<String> = stems(previous).collect();
    let own: Vec<String> = stems(said).filter(|stem| !judges(stem)).collect();
    let repeated = own.iter().filter(|stem| before.contains(*stem)).count();
    match first {
        "he" | "i" | "it" | "neither" | "nobody" | "none" | "she" | "they" | "we" => repeated > 0,
        _ => repeated > 0 && 2 * repeated >= own.len(),
    }
}

/// "The following rumour is false.": the next sentence is one with it.
pub(super) fn announces(sentence: &str) -> bool {
    let words: Vec<String> = words_of(sentence).collect();
    let next = |i: usize| words.get(i + 1).map_or("", String::as_str);
    let mut pairs = words.windows(2).enumerate();
    words.len() <= MOST_WORDS
        && pairs.any(|(i, pair)| {
            pair == ["as", "follows"] || pair == ["the", "following"] && !is_time(next(i + 1))
        })
}

/// What is said, without the name of who says it: "Jones: I did not."
fn without_speaker(sentence: &str) -> &str {
    let Some((name, said)) = sentence.split_once(':') else {
        return sentence;
    };
    let mut words = name.split_whitespace();
    let is_name = words.clone().count() <= MOST_WORDS_OF_A_NAME
        && words.all(|word| {
            word.trim_start_matches(|c: char| !c.is_alphanumeric())
                .starts_with(char::is_uppercase)
        });
    if is_name && !name.eq_ignore_ascii_case("correction") {
        said.trim_start_matches(|c: char| !c.is_alphanumeric())
    } else {
        sentence
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
            (
                "The mayor said that it had been paid.",
                "The mayor later withdrew this statement.",
            ),
            ("The mayor took money.", "The mayor denies it."),
            ("Police arrested a man on Monday.", "No arrest was made."),
            ("The video shows the mayor.", "The footage is fake."),
            ("The lower court found him guilty.", "We disagree."),
            (
                "The lower court found him guilty.",
                "His evidence was struck from the record.",
            ),
            ("It was moved to sell the house.", "The motion was lost."),
            ("It was moved to sell the house.", "There was no seconder."),
            ("The town paid 12,000 crowns.", "The figure should read 1,200."),
            (
                "The drug lowers blood pressure.",
                "The difference was not statistically significant.",
            ),
            (
                "The firm will sell the drug in May.",
                "Approval has not been granted.",
            ),
            ("The firm will buy the mill.", "The deal has fallen through."),
            ("The release is in May.", "Scratch that."),
            (
                "The release is in May for all countries.",
                "Correction: not for Germany.",
            ),
            ("He stole 40,000 pounds.", "“Not a penny,” said Blake."),
            ("He stole 40,000 pounds.", "“I made that up.”"),
            ("He stole 40,000 pounds.", "Ms Orr disputes this."),
            ("He stole 40,000 pounds.", "We now know that this was wrong."),
            (
                "Residents were beaten.",
                "Staff and residents whom we asked told us that nothing of the kind had ever happened at the home.",
            ),
            ("Smith: You burnt the invoices in the yard.", "Jones: I did not."),
            ("**Herald:** The fund is empty.", "**Mayor:** That is a lie."),
        ] {
            assert!(replies(sentence, previous), "{sentence}");
        }
    }

    #[test]
    fn what_stands_by_itself_does_not() {
        for sentence in [
            "Water did not reach the town.",
            "This week no trains ran.",
            "He was not available for comment.",
            "The repairs cost 14 million euros.",
            "That was expected.",
            "Nobody was hurt by the flood.",
            "That the dam broke was not known to the mayor of the town until the evening of the next day.",
            "Not a word of this",
            "The following statements are false.",
            "Mayor Lund: The town has lost four houses and a bridge to the water.",
        ] {
            assert!(!replies(sentence, "The dam broke on Monday."), "{sentence}");
        }
        let twice = [
            "The town sold the mill for nothing.",
            "The town sold the pier for nothing.",
        ];
        assert!(!replies(twice[1], twice[0]));
        assert!(announces("The following rumour is false.") && announces("His case is as follows."));
        assert!(!announces("He left the following day.") && !announces("Following the vote, he left."));
    }
}
