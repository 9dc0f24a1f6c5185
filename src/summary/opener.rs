//! Sentences that cannot be read alone: "He said …", "But …", the middle of a quotation.
//!
//! Rules on the first words, for English; they are counted on, not proved. A sentence that they let pass may
//! still refer to something ("The latter figure …").

/// Openers that point at something said before, whatever follows.
#[rustfmt::skip]
const POINTERS: &[&str] = &[
    "accordingly", "additionally", "afterwards", "also", "alternatively", "and", "another", "besides",
    "both", "but", "consequently", "conversely", "each", "either", "else", "finally", "furthermore",
    "he", "he'd", "he'll", "he's", "hence", "her", "hers", "herself", "him", "himself", "his", "however",
    "indeed", "instead", "its", "itself", "later", "likewise", "meanwhile", "moreover", "neither",
    "nevertheless", "nonetheless", "nor", "or", "other", "others", "otherwise", "plus", "rather", "she",
    "she'd", "she'll", "she's", "similarly", "so", "still", "subsequently", "such", "that's", "their",
    "theirs", "them", "themselves", "then", "thereafter", "therefore", "they", "they'd", "they'll",
    "they're", "they've", "this", "those", "thus", "too", "yet",
];

/// Phrases that do the same.
#[rustfmt::skip]
const POINTING_PHRASES: &[&str] = &[
    "after that", "all of this", "among them", "as a result", "as such", "at the same time",
    "at that point", "at that time", "because of this", "because of that", "by contrast", "by then",
    "despite this", "despite that", "for example", "for instance", "for this reason", "for that reason",
    "from there", "in addition", "in contrast", "in fact", "in other words", "in response",
    "in that case", "in the meantime", "in this case", "in turn", "most of them", "none of them",
    "of course", "of those", "of these", "on the contrary", "on the other hand", "one of them",
    "some of them", "the former", "the latter", "to this end", "what's more", "with that", "with this",
];

/// "This week" is a date, not a reference.
#[rustfmt::skip]
const TIMES: &[&str] = &[
    "afternoon", "autumn", "century", "day", "days", "evening", "fall", "month", "months", "morning",
    "season", "spring", "summer", "time", "week", "weekend", "weeks", "winter", "year", "year's", "years",
];

/// Whether "this" before a word in lower case makes a date of it.
pub(crate) fn is_time(word: &str) -> bool {
    TIMES.contains(&word)
}

/// What "it is" and "it was" introduce rather than refer to: "It is unclear whether …".
#[rustfmt::skip]
const EXPLETIVES: &[&str] = &[
    "appears", "believed", "clear", "common", "difficult", "easy", "emerged", "estimated", "expected",
    "feared", "hard", "hoped", "illegal", "important", "impossible", "known", "legal", "likely",
    "necessary", "not", "possible", "reported", "said", "seems", "thought", "time", "took", "true",
    "unclear", "understood", "unknown", "unlikely", "unusual",
];

/// Whether a sentence leans on what stands before it. `in_quotation`: whether a quotation is open where it
/// begins, so that it is somebody's words and does not say whose.
#[must_use]
pub fn leans(sentence: &str, in_quotation: bool) -> bool {
    if in_quotation || is_bare_quotation(sentence) {
        return true;
    }
    let folded = sentence
        .trim_start_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase()
        .replace('’', "'");
    let starts = |phrase: &str| {
        folded
            .strip_prefix(phrase)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '\''))
    };
    // "In addition to the tax" points at nothing.
    let goes_on = |phrase: &str| folded[phrase.len()..].starts_with(" to ");
    if POINTING_PHRASES.iter().any(|p| starts(p) && !goes_on(p)) {
        return true;
    }
    let mut words = folded
        .split(|c: char| c.is_whitespace() || ",;:—–".contains(c))
        .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|w| !w.is_empty());
    let Some(first) = words.next() else { return true };
    let next: Vec<&str> = words.take(3).collect();
    let second = next.first().copied().unwrap_or("");
    match first {
        "this" | "these" | "that" | "those" => !is_time(second),
        "it" | "it's" | "it'll" | "it'd" => !next.iter().any(|w| EXPLETIVES.contains(w)),
        // "Later in March …" and "Each of the banks …" say what they mean; "Both sides …" does not.
        "later" => !matches!(second, "in" | "on" | "this"),
        "each" | "either" | "neither" => second != "of" || next.get(1) == Some(&"them"),
        "another" | "other" | "such" => false,
        _ => POINTERS.binary_search(&first).is_ok(),
    }
}

/// A quotation from beginning to end: nobody is named who says it.
fn is_bare_quotation(sentence: &str) -> bool {
    let closes = |c: char| matches!(c, '”' | '"' | '’' | '\'');
    let mut inner = sentence.trim_matches(|c: char| ".!?,… ".contains(c)).chars();
    let (Some(first), Some(last)) = (inner.next(), inner.next_back()) else {
        return false;
    };
    matches!(first, '“' | '"' | '‘') && closes(last) && !inner.any(|c| matches!(c, '”' | '"'))
}

/// Whether a quotation is open at the end of `text`, if one was `open` at its start. Only marks with a
/// direction are trusted, and straight ones counted.
#[must_use]
pub fn quotation_is_open(text: &str, open: bool) -> bool {
    text.chars().fold(open, |open, c| match c {
        '“' => true,
        '”' => false,
        '"' => !open,
        _ => open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_lists_are_sorted() {
        assert!(POINTERS.is_sorted());
    }

    #[test]
    fn what_leans_and_what_does_not() {
        for sentence in [
            "He said no.",
            "But the court refused.",
            "“They have agreed to do that,” he said.",
            "This decision was welcomed.",
            "That’s why it failed.",
            "It was signed on Monday.",
            "In addition, taxes rise.",
            "However, nobody came.",
            "Both sides refused.",
            "“We discussed Ukraine.”",
            "\"Nobody knows.\"",
        ] {
            assert!(leans(sentence, false), "{sentence}");
        }
        for sentence in [
            "President Trump spoke with Vladimir Putin.",
            "This week the court decides.",
            "It is unclear whether the court will decide.",
            "“No,” said Maria Lund, the mayor.",
            "Heavy rain fell.",
            "Butter is dear.",
            "In addition to the pledge, both said they would visit.",
            "Shell’s profit fell.",
            "Each of the banks paid.",
        ] {
            assert!(!leans(sentence, false), "{sentence}");
        }
        assert!(leans("Nothing was decided.", true));
    }

    #[test]
    fn quotations_open_and_close() {
        assert!(quotation_is_open("He said: “We came.", false));
        assert!(!quotation_is_open("We left.”", true));
        assert!(!quotation_is_open("A \"big\" thing.", false));
    }
}
