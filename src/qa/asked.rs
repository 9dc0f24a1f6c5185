//! What the words of a question say of its answers: how much of them has to be quoted, and which of them are doubtful.
//!
//! A reader quotes "the employees" of "All of the employees but interns", "three" of "no fewer than three" and what is said of 2026 where 2025
//! was asked for. Each would be the document's exact words, and none what it says.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::decode::Candidate;
use crate::document::{BlockKind, Document, Span, month};
use crate::reply::{negates, words_of};

/// Words before a number or a date that make a bound of it. Of 502 numbers with such words that people gave as answers to the human data of
/// training/, 48 % have them; of 830 with "about" and its like 27 %, so these are none.
#[rustfmt::skip]
const BOUNDS: &[&str] = &[
    "above", "at least", "at most", "below", "earlier than", "fewer than", "greater than", "later than", "less than", "maximum of", "minimum of", "more than",
    "not exceeding", "over", "under", "up to",
];
/// Words before a bound that belong to it.
const OF_BOUNDS: &[&str] = &["a", "no", "not"];

/// Words before what does not hold.
#[rustfmt::skip]
const EXCLUSIONS: &[&str] = &[
    "apart from", "but", "except", "except for", "excluding", "instead of", "never", "non", "not", "not for", "not including", "other than", "rather than",
    "with the exception of", "without",
];
/// Those that exclude only from all of something: "every day but Sunday".
const FROM_ALL: &[&str] = &["but"];
/// Words behind what does not hold of all: "all employees, excluding interns".
#[rustfmt::skip]
const EXCEPTIONS: &[&str] = &[
    "apart from", "but not", "except", "excluding", "not including", "other than", "unless", "with the exception of",
];
/// Words for all of something, or none.
#[rustfmt::skip]
const ALL: &[&str] = &[
    "all", "any", "anybody", "anyone", "anything", "each", "every", "everybody", "everyone", "everything", "no", "nobody", "none", "nothing",
];
/// Words by which a question asks for what is left out.
#[rustfmt::skip]
const ASKS_FOR_EXCEPTIONS: &[&str] = &[
    "besides", "barred", "except", "exception", "exceptions", "excluded", "excluding", "exclusion", "exclusions", "exempt", "exempted", "lack", "lacks", "missing",
    "prohibited", "unable", "unless", "without",
];
/// Number words that an amount begins with; "one" is seldom one.
#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty",
    "seventy", "eighty", "ninety", "hundred", "hundreds", "thousand", "thousands", "million", "millions", "half", "two-thirds", "three-quarters", "one-third",
    "one-fourth", "one-half",
];

/// An exception that is longer, in bytes, is left to the sentence.
const LONGEST_EXCEPTION: usize = 160;
/// How far in front of an exclusion that of which it is one is looked for, in bytes.
const LONGEST_HEAD: usize = 60;
/// A list that is longer, in bytes, is left to the document.
const LONGEST_LIST: usize = 800;

/// How much, as log-odds, speaks against an answer whose sentence names other years than the question, if the paragraph names the
/// question's or not. Of the answers that people gave to 2,072 questions that name a year, 3 % stand in such sentences.
const OTHER_YEAR: f64 = 2.0;
const OTHER_YEAR_NEARBY: f64 = 1.0;
/// The same against words of a heading that asks something.
const ASKED_BY_A_HEADING: f64 = 2.0;

const YEARS: RangeInclusive<u16> = 1900..=2099;

/// A question, by its words.
#[derive(Debug)]
pub(crate) struct Asked {
    years: HashSet<u16>,
    /// It asks what is not so.
    denies: bool,
}

impl Asked {
    pub(crate) fn of(question: &str) -> Self {
        let denies = |word: String| negates(&word) || ASKS_FOR_EXCEPTIONS.contains(&word.as_str());
        Self {
            years: years(question).map(|(year, _)| year).collect(),
            denies: words_of(question).any(denies),
        }
    }

    /// A span with what must not be left out of it.
    pub(crate) fn quoted(&self, document: &Document, span: Span) -> Span {
        let text = document.text();
        let block = document.paragraph_around(&span);
        let span = with_bound(text, &block, span);
        let span = match self.denies {
            true => span,
            false => with_exception(text, &block, with_exclusion(text, &block, span)),
        };
        with_list(document, span)
    }

    /// What speaks against an answer, as log-odds.
    pub(crate) fn doubt(&self, document: &Document, span: &Span) -> f64 {
        let block = document.block_at(span.start);
        let text = document.text();
        if block.kind == BlockKind::Heading && text[block.span.clone()].trim_end().ends_with('?') {
            return ASKED_BY_A_HEADING;
        }
        if self.years.is_empty() {
            return 0.0;
        }
        let around: Vec<Span> = match document.table_row(span) {
            // The headings of other columns say nothing of this cell.
            Some(row) => row
                .into_iter()
                .flat_map(|cell| {
                    let is_own = cell.span.contains(&span.start);
                    let headings = cell.headings.into_iter().filter(move |_| is_own);
                    headings.chain([cell.span])
                })
                .collect(),
            None => vec![document.sentence_around(span)],
        };
        let is_other =
            |around: &Span| years(&text[around.clone()]).any(|(_, at)| !span.contains(&(around.start + at)));
        let is_asked = |around: Span| self.is_named_by(&text[around]);
        if !around.iter().any(is_other) || around.iter().cloned().any(is_asked) {
            return 0.0;
        }
        match is_asked(document.paragraph_around(span)) {
            true => OTHER_YEAR_NEARBY,
            false => OTHER_YEAR,
        }
    }

    /// Whether a text names one of the years, or a time that may hold it: "from 2018 to 2021", "since 2018".
    fn is_named_by(&self, text: &str) -> bool {
        let found: Vec<(u16, usize)> = years(text).collect();
        let is_open = |at: usize| {
            let before = words_before(text, at);
            [
                "after", "before", "by", "from", "since", "through", "to", "until", "-", "–",
            ]
            .iter()
            .any(|word| ends_with_words(before, word))
        };
        found
            .iter()
            .any(|&(year, at)| self.years.contains(&year) || is_open(at))
    }
}

/// The years in a text, and where they begin.
fn years(text: &str) -> impl Iterator<Item = (u16, usize)> + '_ {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    (0..bytes.len().saturating_sub(3)).filter_map(move |at| {
        let year = text
            .get(at..at + 4)
            .filter(|year| year.bytes().all(|b| b.is_ascii_digit()))?;
        let before = at.checked_sub(1);
        let is_part = |at: Option<usize>, next: Option<usize>| {
            digit(at) || (at.and_then(|at| bytes.get(at)).is_some_and(|b| b",.".contains(b)) && digit(next))
        };
        if is_part(before, before.and_then(|at| at.checked_sub(1))) || is_part(Some(at + 4), Some(at + 5)) {
            return None;
        }
        // "$2000", "2000 people" would be amounts; the second is taken for a year.
        let is_money = text[..at].ends_with(['$', '€', '£', '¥']);
        let year = year
            .parse()
            .ok()
            .filter(|year| YEARS.contains(year) && !is_money)?;
        Some((year, at))
    })
}

/// What stands before a place, without the white space between; of the place itself where there is none.
fn words_before(text: &str, at: usize) -> &str {
    text[..at].trim_end()
}

/// Whether a text ends with these words, in whatever case, and they begin where a word does.
fn ends_with_words(text: &str, words: &str) -> bool {
    let Some(start) = text.len().checked_sub(words.len()) else {
        return false;
    };
    let is_word = |c: char| c.is_alphanumeric();
    text.get(start..)
        .is_some_and(|end| end.eq_ignore_ascii_case(words))
        && !(words.starts_with(is_word) && text[..start].ends_with(is_word))
}

/// The longest of these words that a text ends with.
fn last_words<'a>(text: &str, every: &[&'a str]) -> Option<&'a str> {
    let found = every.iter().filter(|words| ends_with_words(text, words));
    found.max_by_key(|words| words.len()).copied()
}

/// Whether words behind a place begin with these.
fn begins_with_words(text: &str, words: &str) -> bool {
    text.get(..words.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(words))
        && !text[words.len()..].starts_with(char::is_alphanumeric)
}

/// A number with the words that make a bound of it: "no fewer than" before "three".
fn with_bound(text: &str, block: &Span, span: Span) -> Span {
    let first = text[span.clone()].split_whitespace().next().unwrap_or_default();
    let first = first.trim_matches(|c: char| !c.is_alphanumeric());
    let is_number = first.starts_with(|c: char| c.is_ascii_digit())
        || NUMBERS.contains(&first.to_lowercase().as_str())
        || month(first).is_some();
    let before = words_before(&text[..span.start], span.start);
    let before = &before[block.start.min(before.len())..];
    let Some(bound) = last_words(before, BOUNDS).filter(|_| is_number) else {
        return span;
    };
    let mut start = block.start + before.len() - bound.len();
    let before = words_before(text, start);
    if let Some(word) = last_words(&before[block.start.min(before.len())..], OF_BOUNDS) {
        start = before.len() - word.len();
    }
    start..span.end
}

/// Words with the exclusion that they stand behind, and with all that they are excluded from: "any reason other than" before "Cause".
fn with_exclusion(text: &str, block: &Span, span: Span) -> Span {
    let before = &text[block.start..span.start];
    let words = before.trim_end();
    // A hyphen joins "non-", a space the others.
    let words = ["the", "a", "an"]
        .iter()
        .find(|article| ends_with_words(words, article))
        .map_or(words, |article| words[..words.len() - article.len()].trim_end());
    let exclusion = last_words(words.trim_end_matches('-'), EXCLUSIONS);
    let is_joined = words.len() == before.len();
    let Some(exclusion) =
        exclusion.filter(|&exclusion| is_joined == (words.ends_with('-') && exclusion == "non"))
    else {
        return span;
    };
    let start = words.trim_end_matches('-').len() - exclusion.len();
    let head = &before[..start];
    let near = &head[head.ceil_char_boundary(head.len().saturating_sub(LONGEST_HEAD))..];
    let near = near
        .rsplit(['.', ',', ';', ':', '(', '!', '?'])
        .next()
        .unwrap_or_default();
    let all = near
        .split_whitespace()
        .rev()
        .take(4)
        .find(|word| ALL.contains(&word.to_lowercase().as_str()));
    match all {
        Some(all) => {
            let at = all.as_ptr() as usize - text.as_ptr() as usize;
            at..span.end
        }
        None if FROM_ALL.contains(&exclusion) => span,
        None => block.start + start..span.end,
    }
}

/// Words with the exception that follows them, or, where they are of all, their sentence.
fn with_exception(text: &str, block: &Span, span: Span) -> Span {
    let behind = &text[span.end..block.end.max(span.end)];
    let reach = &behind[..behind.floor_char_boundary(LONGEST_EXCEPTION)];
    // The sentence's rest; where it does not end soon, that up to a comma.
    let end = |from: usize| {
        let rest = &reach[from..];
        let stops = rest.char_indices().find(|&(at, c)| {
            matches!(c, ';' | ':' | '!' | '?' | ')')
                || c == '.' && rest[at + 1..].chars().next().is_none_or(char::is_whitespace)
        });
        let is_all = reach.len() == behind.len();
        stops
            .map(|(at, _)| at)
            .or(is_all.then_some(rest.trim_end().len()))
            .or_else(|| rest.find(','))
            .map(|length| from + length)
    };
    let first = text[span.clone()].split_whitespace().next().unwrap_or_default();
    let is_all = ALL.contains(&first.to_lowercase().as_str());
    let lead = reach.len() - reach.trim_start_matches([',', ' ', '\n']).len();
    // ", but not" may begin another clause.
    let begins_clause = reach[..lead].contains(',') && begins_with_words(&reach[lead..], "but not");
    let directly = (lead > 0
        && !begins_clause
        && EXCEPTIONS
            .iter()
            .any(|words| begins_with_words(&reach[lead..], words)))
    .then_some(lead);
    let later = || {
        let until = end(0)?;
        let places = reach[..until].match_indices(' ').map(|(at, _)| at + 1);
        places
            .filter(|&at| {
                EXCEPTIONS
                    .iter()
                    .any(|words| begins_with_words(&reach[at..], words))
            })
            .find(|&at| !reach[..at].contains("that "))
    };
    let found = directly.or_else(|| is_all.then(later).flatten());
    match found.and_then(end) {
        Some(end) => span.start..span.end + reach[..end].trim_end().len(),
        None => span,
    }
}

/// Words that introduce a list, with the list.
fn with_list(document: &Document, span: Span) -> Span {
    let blocks = document.blocks();
    let text = document.text();
    let index = blocks.partition_point(|block| block.span.start < span.end);
    let own = index.checked_sub(1).map(|own| &blocks[own].span);
    let introduces = own.is_some_and(|own| {
        span.start >= own.start && span.end < own.end && text[span.end..own.end].trim() == ":"
    });
    let items = blocks[index..]
        .iter()
        .take_while(|block| block.kind == BlockKind::ListItem);
    match items.last().filter(|_| introduces) {
        Some(last) if last.span.end - span.start <= LONGEST_LIST => span.start..last.span.end,
        _ => span,
    }
}

/// Candidates as they are quoted, without those that thereby come to lie over a better one.
pub(crate) fn quoted(
    asked: &Asked,
    candidates: Vec<(usize, Candidate, f64)>,
    documents: &[&Document],
) -> Vec<(usize, Candidate, f64)> {
    let mut kept: Vec<(usize, Candidate, f64)> = Vec::with_capacity(candidates.len());
    for (index, mut candidate, confidence) in candidates {
        candidate.span = asked.quoted(documents[index], candidate.span);
        let lies_over = |(other, better, _): &(usize, Candidate, f64)| {
            *other == index
                && better.span.start < candidate.span.end
                && candidate.span.start < better.span.end
        };
        if !kept.iter().any(lies_over) {
            kept.push((index, candidate, confidence));
        }
    }
    kept
}

/// How much of the evidence is left, as a share of it, where some candidates, given by their scores, are doubted: each stands for the share
/// that its own weight has.
pub(crate) fn undoubted(evidence: f32, candidates: impl Iterator<Item = (f32, f64)>) -> f64 {
    let (mut left, mut least) = (1.0, 1.0f64);
    for (score, doubt) in candidates {
        left -= f64::from(score - evidence).exp() * (1.0 - (-doubt).exp());
        least = least.min((-doubt).exp());
    }
    left.clamp(least, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::Format;

    fn document(text: &str) -> Document {
        Document::new("t", text, Format::Markdown).unwrap()
    }

    fn place(document: &Document, part: &str) -> Span {
        let start = document.text().find(part).unwrap();
        start..start + part.len()
    }

    /// What is quoted for a part of a text.
    fn quoted(question: &str, text: &str, part: &str) -> String {
        let document = document(text);
        let span = Asked::of(question).quoted(&document, place(&document, part));
        document.text()[span].to_owned()
    }

    #[test]
    fn a_number_has_its_bound() {
        for (text, part, whole) in [
            (
                "It has no fewer than three members.",
                "three members",
                "no fewer than three members",
            ),
            (
                "Notice of at least\n14 days is due.",
                "14 days",
                "at least\n14 days",
            ),
            ("It may have up to 50.", "50", "up to 50"),
            ("A fee not exceeding €500 is due.", "€500", "not exceeding €500"),
            ("A maximum of two is let in.", "two", "A maximum of two"),
            ("File it no later than May 10.", "May 10", "no later than May 10"),
            ("More than 600 came.", "600", "More than 600"),
            ("It lasted about 50 days.", "50 days", "50 days"),
            ("He moved over to Two Rivers.", "Rivers", "Rivers"),
            ("It was takeover 3.", "3", "3"),
            ("There are more than\n\n3 of them.", "3", "3"),
        ] {
            assert_eq!(quoted("How many?", text, part), whole);
        }
    }

    #[test]
    fn what_is_excluded_is_quoted_as_such() {
        let asked = "When is it paid?";
        for (text, part, whole) in [
            (
                "It is paid for any reason other than Cause.",
                "Cause",
                "any reason other than Cause",
            ),
            (
                "All notes are secured, other than the 2027 notes.",
                "2027 notes",
                "other than the 2027 notes",
            ),
            ("It opens every day but Sunday.", "Sunday", "every day but Sunday"),
            ("Small but fine.", "fine", "fine"),
            (
                "It is a not for profit body.",
                "profit body",
                "not for profit body",
            ),
            ("It is not refundable.", "refundable", "not refundable"),
            ("It is a non-binding vote.", "binding", "non-binding"),
            ("He did it without a licence.", "licence", "without a licence"),
        ] {
            assert_eq!(quoted(asked, text, part), whole);
        }
        assert_eq!(quoted("What is not paid?", "All but two are paid.", "two"), "two");
        assert_eq!(
            quoted("Who is exempt?", "All pay except monks.", "monks"),
            "monks"
        );
    }

    #[test]
    fn what_holds_for_all_has_its_exceptions() {
        for (text, part, whole) in [
            (
                "It covers all vehicles except motorcycles. So it is.",
                "all vehicles",
                "all vehicles except motorcycles",
            ),
            (
                "All employees are eligible, excluding contractors and interns.",
                "All employees",
                "All employees are eligible, excluding contractors and interns",
            ),
            (
                "The fee is refundable unless the event has begun; no more.",
                "refundable",
                "refundable unless the event has begun",
            ),
            (
                "It was all humour, but not knowing why, I left.",
                "humour",
                "humour",
            ),
            (
                "Employees are eligible, as we said, except Ann.",
                "Employees",
                "Employees",
            ),
            (
                "All schools, public or not, can apply.",
                "All schools",
                "All schools",
            ),
        ] {
            assert_eq!(quoted("Who is it for?", text, part), whole);
        }
    }

    #[test]
    fn words_that_introduce_a_list_have_it() {
        let list = "We use three kinds of cookies:\n\n- Session cookies\n- Trackers\n\nThat is all.";
        assert_eq!(
            quoted("What is used?", list, "three kinds of cookies"),
            "three kinds of cookies:\n\nSession cookies\nTrackers"
        );
        assert_eq!(quoted("What is used?", list, "three kinds"), "three kinds");
    }

    #[test]
    fn another_year_is_doubted() {
        let doubt = |question: &str, text: &str, part: &str| {
            let document = document(text);
            Asked::of(question).doubt(&document, &place(&document, part))
        };
        let asked = "How much was allocated for 2025?";
        assert_eq!(
            doubt(asked, "For 2026, $60,000 was allocated.", "$60,000"),
            OTHER_YEAR
        );
        let text = "For 2026, $60,000 was allocated. In 2025 it was less.";
        assert_eq!(doubt(asked, text, "$60,000"), OTHER_YEAR_NEARBY);
        for text in [
            "For 2025, $60,000 was allocated.",
            "$60,000 was allocated.",
            "From 2024 to 2026, $60,000 was allocated.",
            "Since 2020, $60,000 is allocated.",
            "For 2026 and 2025, $60,000 was allocated.",
        ] {
            assert_eq!(doubt(asked, text, "$60,000"), 0.0, "{text}");
        }
        assert_eq!(
            doubt(
                "When was the law of 2019 repealed?",
                "It was repealed in 2021.",
                "2021"
            ),
            0.0
        );
        assert_eq!(
            doubt("Who came?", "For 2026, $60,000 was allocated.", "$60,000"),
            0.0
        );
        let table = "| | 2024 | 2025 |\n|---|---|---|\n| Fund | 40 | 60 |\n";
        assert_eq!(doubt(asked, table, "60"), 0.0);
        assert_eq!(doubt(asked, table, "40"), OTHER_YEAR);
    }

    #[test]
    fn what_a_heading_asks_is_doubted() {
        let document = document("# Can I use the scheme for my partner?\n\nIt must be for you.\n");
        let doubt = |part| Asked::of("Can I get it?").doubt(&document, &place(&document, part));
        assert_eq!((doubt("the scheme"), doubt("for you")), (ASKED_BY_A_HEADING, 0.0));
    }

    #[test]
    fn years_are_no_parts_of_other_numbers() {
        let found = |text| years(text).map(|(year, _)| year).collect::<Vec<u16>>();
        assert_eq!(found("In 2024-25 and FY2026, by 1999."), [2024, 2026, 1999]);
        assert_eq!(found("$2024, 12024, 2024.5, 1,2024, 1850, 20245 é2024é"), [2024]);
    }

    #[test]
    fn of_the_evidence_the_undoubted_is_left() {
        let left = |found: &[(f32, f64)]| undoubted(5.0, found.iter().copied());
        assert!((left(&[(5.0, 0.0), (1.0, 0.0)]) - 1.0).abs() < 1e-12);
        assert!((left(&[(5.0, 2.0)]) - (-2.0f64).exp()).abs() < 1e-12);
        assert!(left(&[(1.0, 2.0), (4.9, 0.0)]) > 0.95);
    }

    proptest! {
        #[test]
        fn a_quotation_holds_the_answer_and_goes_no_further_than_its_list(
            words in prop::collection::vec(prop::sample::select(vec![
                "all", "but", "except", "no", "more", "than", "3", "é", "not", "the", ",", ".", ":", "\n\n", "\n- ", "unless", "2024", "non-", "a",
            ]), 1..40),
            from in 0usize..40, length in 1usize..5, denies in any::<bool>(),
        ) {
            let text = words.join(" ");
            prop_assume!(!text.trim().is_empty());
            let document = document(&text);
            let text = document.text();
            let starts: Vec<usize> = text.split_whitespace().map(|word| word.as_ptr() as usize - text.as_ptr() as usize).collect();
            prop_assume!(!starts.is_empty());
            let first = from % starts.len();
            let last = (first + length - 1).min(starts.len() - 1);
            let end = starts[last] + text[starts[last]..].split_whitespace().next().unwrap_or_default().len();
            let span = starts[first]..end;
            let asked = Asked::of(if denies { "What is not so?" } else { "What is so in 2025?" });
            let found = asked.quoted(&document, span.clone());
            prop_assert!(found.start <= span.start && span.end <= found.end);
            prop_assert!(text.get(found.clone()).is_some());
            prop_assert!(found.start >= document.paragraph_around(&span).start);
            let doubt = asked.doubt(&document, &span);
            prop_assert!((0.0..=OTHER_YEAR).contains(&doubt));
        }
    }
}
