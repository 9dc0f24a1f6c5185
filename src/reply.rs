//! Sentences that say no, or yes, to the one before them, which says something else without them: "That judgment is set
//! aside."
//!
//! Rules on words, for English; they are counted on, not proved. In doubt two sentences are kept together, which makes what
//! is shown longer and not wrong.

use std::collections::HashSet;

use crate::document::{Block, BlockKind, Document, Span, item_marker, stops};
use crate::summary::opener::is_time;
use crate::summary::terms::stems;

/// A sentence of fewer words is too short to stand alone.
pub(crate) const FEWEST_WORDS: usize = 4;
/// So many sentences belong to one at most.
pub(crate) const MOST_REPLIES: usize = 2;
/// So many captions, banners and the like may stand before it.
const MOST_BESIDE: usize = 3;
/// A longer one says by itself what it denies.
const MOST_WORDS: usize = 14;
/// A verdict in so few words is one on what was said before.
const MOST_WORDS_OF_A_VERDICT: usize = 10;
/// "There was no seconder."
const MOST_WORDS_OF_A_LACK: usize = 5;
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
    "abandoned", "amended", "cancelled", "canceled", "changed", "denied", "denies", "denying", "dismissed", "disputed", "disputes", "dropped", "exempt",
    "halted", "ignore", "lapsed", "lapses", "lost", "only", "overruled", "postponed", "reduced", "refused", "refuses", "rejected", "rejects", "replaced",
    "reversed", "revoked", "rescinded", "stayed", "stopped", "struck", "succeeds", "suspended", "vacated", "void", "yes",
];

/// Words that are a verdict on what was said before in a short sentence by themselves.
#[rustfmt::skip]
const STRONG_VERDICTS: &[&str] = &[
    "acquitted", "alive", "annulled", "apologised", "apologized", "baseless", "correct", "corrected", "debunked", "disagree",
    "disagreed", "disagrees", "disproved", "disproven", "error", "excepted", "excluded", "exonerated", "fabricated", "fake", "faked",
    "false", "fiction", "forged", "forgery", "hoax", "incorrect", "invented", "invention", "lie", "lied", "lies", "mistake", "mistaken",
    "myth", "nonsense", "otherwise", "overturned", "quashed", "refuted", "retracted", "retracts", "rubbish", "unfounded", "unproven",
    "untrue", "withdrawn", "withdrew", "wrong",
];

/// Those that may stand before a noun and are none then: "a false alarm".
#[rustfmt::skip]
const ADJECTIVES: &[&str] = &[
    "alive", "correct", "fabricated", "fake", "faked", "false", "forged", "incorrect", "invented", "mistaken", "wrong",
];

/// The same in two words.
#[rustfmt::skip]
const STRONG_PAIRS: &[[&str; 2]] = &[
    ["another", "matter"], ["different", "picture"], ["fallen", "through"], ["in", "fact"], ["ignore", "that"], ["ignore", "this"],
    ["not", "covered"], ["not", "included"], ["not", "studied"], ["not", "tested"], ["or", "so"], ["scratch", "that"],
    ["set", "aside"], ["should", "read"], ["strike", "that"], ["that", "up"], ["to", "differ"], ["turned", "out"],
    ["voted", "against"], ["without", "charge"], ["without", "charges"],
];

/// What ends or undoes something, behind "but", "however" and the like.
#[rustfmt::skip]
const REVERSALS: &[&str] = &[
    "abandoned", "annulled", "cancelled", "canceled", "overturned", "quashed", "reinstated", "reopen", "reopened", "repealed",
    "rescinded", "retracted", "reversed", "revived", "revoked", "scrapped", "superseded", "withdrawn", "withdrew",
];
/// In a longer sentence it may be anything that is undone.
const MOST_WORDS_OF_A_TURN: usize = 30;

/// What a sentence may have told of, by which the next one points at it.
#[rustfmt::skip]
const SAYINGS: &[&str] = &[
    "account", "accusation", "accusations", "allegation", "allegations", "amendment", "appeal", "approval", "argument", "assertion",
    "award", "charge", "charges", "claim", "claims", "clause", "complaint", "conclusion", "conviction", "date", "deal", "decision",
    "difference", "effect", "evidence", "exception", "figure", "figures", "finding", "findings", "footage", "foregoing", "injunction",
    "judgement", "judgment", "letter", "limit", "motion", "objection", "offer", "order", "permission", "photograph", "proposal",
    "provision", "quotation", "quote", "report", "reports", "resolution", "result", "results", "right", "rule", "rumor", "rumors",
    "rumour", "rumours", "ruling", "sale", "sentence", "signature", "statement", "statements", "story", "study", "testimony", "theory",
    "trial", "verdict", "video", "vote", "warranty",
];
/// Words before one of them that has been told of.
const KNOWN: &[&str] = &["her", "his", "its", "that", "the", "their"];

/// What has to be read behind a span to understand it: the sentences behind its own that reply to it.
pub(crate) fn behind(document: &Document, span: &Span) -> Vec<Span> {
    let text = document.text();
    let mut before = document.sentence_around(span);
    let is_text = |block: &Block| matches!(block.kind, BlockKind::Paragraph | BlockKind::ListItem);
    if !is_text(document.block_at(before.start)) {
        return Vec::new();
    }
    let is_beside = document.block_at(before.start).is_beside;
    let (mut replies, mut passed_over) = (Vec::new(), 0);
    let mut from = before.end;
    while replies.len() < MOST_REPLIES {
        let rest = &text[from..];
        let next = from + rest.len() - rest.trim_start().len();
        if next == text.len() {
            break;
        }
        let block = document.block_at(next);
        let mut reply = document.sentence_around(&(next..next + 1));
        reply.start = reply.start.max(next);
        if block.span.start == reply.start {
            reply.start += item_marker(&text[reply.clone()]);
        }
        // An item that says more than that is one of its own: "7. Owner Retracts the Notice. If the owner …"
        let is_other_item = block.kind == BlockKind::ListItem
            && block.span.start > before.start
            && reply.end < block.span.end
            && document.block_at(before.start).kind == BlockKind::ListItem;
        if is_text(block) && !is_other_item && is_reply(&text[reply.clone()], &text[before.clone()]) {
            (before.end, from) = (reply.end, reply.end);
            replies.push(reply);
        } else if block.is_beside && !is_beside && passed_over < MOST_BESIDE {
            passed_over += 1;
            from = block.span.end;
        } else {
            break;
        }
    }
    replies
}

/// Whether a sentence replies to the one before it in the text.
pub(crate) fn is_reply(sentence: &str, previous: &str) -> bool {
    let bare = sentence.trim_end_matches(['*', '_']);
    let asks = bare.trim_end_matches(['"', '”']).ends_with('?');
    let is_cut = sentence.starts_with('(') && !sentence.contains(')');
    // The rest of another sentence.
    let is_rest = sentence.starts_with(char::is_lowercase) && previous.starts_with(char::is_uppercase);
    if !stops(bare) || asks || is_cut || is_rest || announces(sentence) {
        return false;
    }
    let said = without_speaker(sentence);
    if turns(said) {
        return true;
    }
    let mut counted = said
        .split_whitespace()
        .filter(|word| word.contains(char::is_alphanumeric));
    let is_long = counted.nth(MOST_WORDS).is_some();
    if is_long && !sentence.starts_with('[') && !said.contains("kind") && !said.contains("sort") {
        return begins_with_a_verdict(said);
    }
    let words: Vec<String> = words_of(said).filter(|word| !word.is_empty()).collect();
    let word = |i: usize| words.get(i).map_or("", String::as_str);
    let has_pair = |pairs: &[[&str; 2]]| {
        let mut own = words.windows(2);
        own.any(|own| pairs.iter().any(|pair| own == pair))
    };
    let is_strong = |i: usize| {
        // "A false alarm", but not "Wrong on both counts" or "The image is a fake".
        let before_a_noun = ADJECTIVES.contains(&word(i))
            && i + 1 < words.len()
            && (i == 0 && word(i) != "wrong" && words.len() > 2
                || i > 0 && matches!(word(i - 1), "a" | "an"));
        STRONG_VERDICTS.contains(&word(i)) && !before_a_noun
    };
    let judges = |word: &str| negates(word) || STRONG_VERDICTS.contains(&word) || VERDICTS.contains(&word);
    let is_negative = words.iter().any(|word| negates(word));
    let is_note = sentence.starts_with('[') && words.iter().any(|word| judges(word));
    if is_note || is_negative && has_pair(&[["the", "kind"], ["the", "sort"]]) {
        return true;
    }
    if is_long {
        return begins_with_a_verdict(said);
    }
    let has_strong = has_pair(STRONG_PAIRS) || (0..words.len()).any(is_strong);
    let is_verdict = |word: &String| negates(word) || VERDICTS.contains(&word.as_str());
    if !has_strong && !words.iter().any(is_verdict) {
        return false;
    }
    if words.len() < FEWEST_WORDS || has_strong && words.len() <= MOST_WORDS_OF_A_VERDICT {
        return true;
    }
    let (first, last) = (word(0), word(words.len() - 1));
    let points = |i: usize| match word(i) {
        "this" | "these" | "those" | "such" => !is_time(word(i + 1)),
        "that" | "that's" => i == 0 && !is_time(word(i + 1)),
        word => SAYINGS.contains(&word) && (i < SUBJECT || KNOWN.contains(&words[i - 1].as_str())),
    };
    if (0..words.len()).any(points)
        || matches!(last, "it" | "none" | "not" | "so" | "that" | "them")
        || last.ends_with("n't")
        || matches!(first, "correction" | "not" | "nothing")
        || first == "there" && negates(word(2)) && words.len() <= MOST_WORDS_OF_A_LACK
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
        "he" | "i" | "it" | "neither" | "no" | "nobody" | "none" | "she" | "they" | "we" => repeated > 0,
        _ => repeated > 0 && 2 * repeated >= own.len(),
    }
}

/// "However, prosecutors have reopened the case.": what was said before holds no longer.
fn turns(sentence: &str) -> bool {
    let words: Vec<String> = words_of(sentence).filter(|word| !word.is_empty()).collect();
    let first = words.first().map_or("", String::as_str);
    matches!(first, "but" | "however" | "instead" | "nevertheless" | "yet")
        && words.len() <= MOST_WORDS_OF_A_TURN
        && (words.iter().any(|word| REVERSALS.contains(&word.as_str()))
            || words.windows(2).any(|pair| pair == ["no", "longer"]))
}

/// "That claim is false, according to Ms Aldous, who …"
fn begins_with_a_verdict(sentence: &str) -> bool {
    let Some((clause, _)) = sentence.split_once([',', ';', '—', '–']) else {
        return false;
    };
    let words: Vec<String> = words_of(clause).filter(|word| !word.is_empty()).collect();
    let word = |i: usize| words.get(i).map_or("", String::as_str);
    let points = match word(0) {
        "that" | "this" | "these" | "those" => !is_time(word(1)),
        "the" => SAYINGS.contains(&word(1)),
        _ => false,
    };
    let verbs = ["are", "had", "has", "have", "is", "was", "were"];
    let judges =
        |last: &String| STRONG_VERDICTS.contains(&last.as_str()) || VERDICTS.contains(&last.as_str());
    points
        && words.len() <= MOST_WORDS_OF_A_VERDICT
        && words.iter().any(|word| verbs.contains(&word.as_str()))
        && (words.last().is_some_and(judges)
            || words
                .last_chunk()
                .is_some_and(|last| STRONG_PAIRS.iter().any(|pair| last == pair)))
}

/// Whether a word in lower case denies what stands beside it.
pub(crate) fn negates(word: &str) -> bool {
    NEGATIONS.contains(&word) || word.ends_with("n't")
}

/// "The following rumour is false.": the next sentence is one with it.
pub(crate) fn announces(sentence: &str) -> bool {
    if sentence.split_whitespace().nth(MOST_WORDS).is_some() {
        return false;
    }
    let words: Vec<String> = words_of(sentence).collect();
    let next = |i: usize| words.get(i + 1).map_or("", String::as_str);
    let mut pairs = words.windows(2).enumerate();
    pairs.any(|(i, pair)| pair == ["as", "follows"] || pair == ["the", "following"] && !is_time(next(i + 1)))
}

/// What is said, without the name of who says it: "Jones: I did not."
fn without_speaker(sentence: &str) -> &str {
    speaker(sentence).map_or(sentence, |(_, said)| said)
}

/// Who says something, and what.
pub(crate) fn speaker(sentence: &str) -> Option<(&str, &str)> {
    let (name, said) = sentence.split_once(':')?;
    let mut words = name.split_whitespace();
    let is_name = words.clone().count() <= MOST_WORDS_OF_A_NAME
        && words.all(|word| {
            word.trim_start_matches(|c: char| !c.is_alphanumeric())
                .starts_with(char::is_uppercase)
        });
    let is_name = is_name && !name.eq_ignore_ascii_case("correction");
    is_name.then(|| (name, said.trim_start_matches(|c: char| !c.is_alphanumeric())))
}

/// Words in lower case without marks around them.
pub(crate) fn words_of(sentence: &str) -> impl Iterator<Item = String> {
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
    fn an_item_that_says_more_denies_nothing() {
        let behind = |text: &str| {
            let document = Document::new("t", text, crate::Format::Markdown).unwrap();
            let replies = behind(&document, &(4..8));
            replies
                .into_iter()
                .map(|span| document.text()[span].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            behind(
                "6. We then notify the owner of it.\n7. **The Owner Retracts the Notice.** We restore it within a day.\n"
            ),
            [] as [&str; 0]
        );
        assert_eq!(
            behind("* He took the money.\n* That is false.\n"),
            ["That is false."]
        );
        assert!(!is_reply("(Short: that is not true in 2.", "The fund is empty."));
        assert!(!is_reply(
            "this condition will not recur.",
            "It is seen before the age of 85."
        ));
        assert!(is_reply("that is not true.", "the fund is empty."));
    }

    #[test]
    fn a_question_denies_nothing() {
        assert!(!is_reply(
            "What is not covered?",
            "The warranty covers five years."
        ));
        assert!(!is_reply("**Was that not true?**", "The fund is empty."));
        assert!(is_reply("Is that true? It is not.", "The fund is empty."));
    }

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
            (
                "The case was dropped in 2017 with no charges.",
                "However, prosecutors decided to reopen the inquiry in May after he had been arrested in London by the police.",
            ),
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
            ("The photograph shows soldiers.", "The image is a fake."),
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
            (
                "The licensee may use the marks worldwide.",
                "Japan and Korea are excepted.",
            ),
            (
                "The supplier is liable for all losses.",
                "The foregoing does not extend to consequential damage.",
            ),
            (
                "The buyer may return the machine.",
                "Custom builds are another matter.",
            ),
            ("The actor has died at the age of 71.", "He is alive and well."),
            (
                "The police arrested the son.",
                "He was released without charge the next morning.",
            ),
            (
                "The compound doubles survival.",
                "Two laboratories could not reproduce the effect.",
            ),
            (
                "The signal was taken for a particle.",
                "It turned out to be noise.",
            ),
            (
                "We reported a yield of 94 percent.",
                "The correct value is 49 percent.",
            ),
            (
                "The model has an error of two centimetres.",
                "This holds only for the Baltic.",
            ),
            ("Sample 14 contained asbestos.", "A second analysis found none."),
            ("The pump runs for 10,000 hours.", "With sea water it does not."),
            (
                "The crane was inspected in April.",
                "No record of any inspection exists.",
            ),
            (
                "The treasurer reported a surplus.",
                "He later corrected this to a deficit.",
            ),
            (
                "The motion was carried.",
                "The vote was annulled for want of a quorum.",
            ),
            ("The merger had been agreed.", "Nothing has been signed."),
            (
                "The next meeting is on 20 June.",
                "[Note of the secretary, 24 May: the date has been changed to 27 June because of the chair's absence.]",
            ),
            ("The fund was covered, he said.", "The actuary begged to differ."),
            (
                "The lifts went to Hoist & Sons.",
                "It had in fact gone to Meridian Lifts.",
            ),
            (
                "A leaked memo claims that officials were told of rust in 2019.",
                "That claim is false, according to Ms Aldous, who said the memo referred to another kind of bridge.",
            ),
            (
                "The court held that he had concealed the deed.",
                "That judgment was set aside – the claimant had seen the deed in the office of the town in 2019.",
            ),
        ] {
            assert!(is_reply(sentence, previous), "{sentence}");
        }
    }

    #[test]
    fn what_replies_to_a_span_is_found_behind_its_sentence() {
        let behind_in = |format, text: &str, of: &str| -> Vec<String> {
            let document = Document::new("t", text, format).unwrap();
            let at = document.text().find(of).unwrap();
            let found = super::behind(&document, &(at..at + of.len()));
            found
                .into_iter()
                .map(|span| document.text()[span].to_owned())
                .collect()
        };
        let behind = |text: &str, of: &str| behind_in(crate::Format::Markdown, text, of);
        let text = "The Aurora had failed an inspection. She passed it. That is untrue.\n\nThe report is false.\n\n# Next\n\nNo.\n";
        assert_eq!(behind(text, "Aurora"), [""; 0]);
        assert_eq!(
            behind(text, "passed"),
            ["That is untrue.", "The report is false."]
        );
        assert_eq!(behind(text, "The report"), [""; 0]);
        assert_eq!(behind(text, "No."), [""; 0]);
        let items = "1. The court held that he had concealed it.\n2. That judgment is set aside.\n\n| a | b |\n|---|---|\n| x | No. |\n";
        assert_eq!(behind(items, "concealed"), ["That judgment is set aside."]);
        assert_eq!(behind(items, "x"), [""; 0]);
        let page = "<p>She passed it.</p><figcaption>The yard.</figcaption><p>That is untrue.</p><aside>This claim is false.</aside>\
                    <aside><p>He signed it.</p><p>He did not.</p></aside>";
        assert_eq!(
            behind_in(crate::Format::Html, page, "passed"),
            ["That is untrue.", "This claim is false."]
        );
        assert_eq!(behind_in(crate::Format::Html, page, "signed"), ["He did not."]);
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
            "That summer was lost, said Ms Aldous, who had planted the crop on the north side of the hill.",
            "This invention, patented in 1876 by two people at once, made its way into every house of the town.",
            "That the dam broke was not known to the mayor of the town until the evening of the next day.",
            "Not a word of this",
            "A false alarm woke the crew at night.",
            "False teeth were found under a pew.",
            "The trial ends in July.",
            "There is no parking at the eastern terminal.",
            "The following statements are false.",
            "Mayor Lund: The town has lost four houses and a bridge to the water.",
        ] {
            assert!(!is_reply(sentence, "The dam broke on Monday."), "{sentence}");
        }
        let twice = [
            "The town sold the mill for nothing.",
            "The town sold the pier for nothing.",
        ];
        assert!(!is_reply(twice[1], twice[0]));
        assert!(announces("The following rumour is false.") && announces("His case is as follows."));
        assert!(!announces("He left the following day.") && !announces("Following the vote, he left."));
    }
}
