//! What the words of a question say of its answers: how much of them has to be quoted, and which of them are doubtful.
//!
//! A reader quotes "the employees" of "All of the employees but interns", "three" of "no fewer than three" and what is said of 2026 where 2025
//! was asked for. Each would be the document's exact words, and none what it says.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::decode::Candidate;
use crate::document::{Block, BlockKind, Document, Span, month};
use crate::reply::{negates, words_of};
use crate::summary::terms::stems;

/// Words before a number or a date that make a bound of it. Of 502 numbers with such words that people gave as answers to the human data of
/// training/, 48 % have them; of 830 with "about" and its like 27 %, so these are none.
#[rustfmt::skip]
const BOUNDS: &[&str] = &[
    "at least", "at most", "earlier than", "exceeding", "fewer than", "greater than", "in excess of", "later than", "less than", "longer than", "maximum of",
    "minimum of", "more than", "not exceeding", "shorter than", "sooner than", "up to",
];
/// Words that make a bound of a number, or lead elsewhere ("handed over", "repaid over 25 years").
const PLACES: &[&str] = &["above", "below", "over", "under"];
/// Words behind which they make a bound.
#[rustfmt::skip]
const BEFORE_BOUNDS: &[&str] = &[
    "are", "at", "be", "been", "by", "cost", "costs", "for", "from", "had", "has", "have", "in", "is", "of", "than", "was", "were", "with",
];
/// Words behind which "up to" is none.
const SUMS: &[&str] = &[
    "add", "added", "adding", "adds", "amount", "amounted", "amounts", "come", "comes", "live", "lived",
    "sum", "sums",
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
    "besides", "except", "exception", "exceptions", "excluded", "excludes", "excluding", "exclusion", "exclusions", "exempt", "exempted", "unless",
];
/// Words by which it asks for what is not so.
const ASKS_FOR_WHAT_IS_NOT: &[&str] = &[
    "barred",
    "lack",
    "lacks",
    "missing",
    "prohibited",
    "unable",
    "without",
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
/// The same against items of a list, where another list near by has a heading with the question's words that this one's has, and more of
/// them: "Individual members approved" beside "Corporate members approved".
const BELOW_ANOTHER_HEADING: f64 = 4.0;
/// How far away, in blocks, such a heading is looked for.
const NEAR: usize = 60;

const YEARS: RangeInclusive<u16> = 1900..=2099;

/// A question, by its words.
#[derive(Debug)]
pub(crate) struct Asked {
    years: HashSet<u16>,
    /// The stems of its words that carry meaning.
    stems: HashSet<String>,
    /// It asks what is not so.
    denies: bool,
    asks_for_exceptions: bool,
}

impl Asked {
    pub(crate) fn of(question: &str) -> Self {
        let words: Vec<String> = words_of(question).collect();
        let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        let asks_for_exceptions = has(ASKS_FOR_EXCEPTIONS);
        Self {
            years: years(question).map(|(year, _)| year).collect(),
            stems: stems(question).collect(),
            denies: asks_for_exceptions
                || has(ASKS_FOR_WHAT_IS_NOT)
                || words.iter().any(|word| negates(word)),
            asks_for_exceptions,
        }
    }

    /// A span with what must not be left out of it.
    pub(crate) fn quoted(&self, document: &Document, span: Span) -> Span {
        let text = document.text();
        let block = document.paragraph_around(&span);
        let span = with_bound(text, &block, span);
        let span = match self.denies {
            true => span,
            false => with_exclusion(text, &block, span),
        };
        let span = match self.asks_for_exceptions {
            true => span,
            false => with_exception(document, &block, span),
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
        if self.is_below_another_heading(document, span) {
            return BELOW_ANOTHER_HEADING;
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

    /// Whether an answer stands in a list, and the heading of another one has all of the question's words that its own has, and others that
    /// the answer itself does not have.
    fn is_below_another_heading(&self, document: &Document, span: &Span) -> bool {
        let (text, blocks) = (document.text(), document.blocks());
        let item = document.block_index(span.start);
        if blocks[item].kind != BlockKind::ListItem {
            return false;
        }
        let asked_for = |part: &Span| -> HashSet<String> {
            stems(&text[part.clone()])
                .filter(|stem| self.stems.contains(stem))
                .collect()
        };
        let near = &blocks[item.saturating_sub(NEAR)..blocks.len().min(item + NEAR)];
        let is_heading = |block: &&Block| block.kind == BlockKind::Heading;
        let own = near
            .iter()
            .filter(is_heading)
            .rfind(|heading| heading.span.start < span.start)
            .map(|heading| asked_for(&heading.span))
            .unwrap_or_default();
        let said = asked_for(&blocks[item].span);
        let lists = near
            .windows(2)
            .filter(|pair| is_heading(&&pair[0]) && pair[1].kind == BlockKind::ListItem);
        !own.is_empty()
            && lists
                .map(|pair| asked_for(&pair[0].span))
                .any(|other| own.is_subset(&other) && other.difference(&own).any(|stem| !said.contains(stem)))
    }

    /// Whether a text names one of the years, or a time that may hold it: "from 2018 to 2021", "since 2018".
    fn is_named_by(&self, text: &str) -> bool {
        let found: Vec<(u16, usize)> = years(text).collect();
        let is_open = |at: usize| {
            let before = text[..at].trim_end();
            [
                "after",
                "before",
                "between",
                "by",
                "during",
                "from",
                "since",
                "through",
                "throughout",
                "to",
                "until",
                "-",
                "–",
            ]
            .iter()
            .any(|word| ends_with_words(before, word))
                || is_season(&text[at + 4..])
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
        // "$2000", "2000 people" would be amounts; the second is taken for a year. "The 1990s" are none.
        let is_decade = text[at + 4..].starts_with('s');
        let is_money = text[..at].ends_with(['$', '€', '£', '¥']);
        let year = year
            .parse()
            .ok()
            .filter(|year| YEARS.contains(year) && !is_money && !is_decade)?;
        Some((year, at))
    })
}

/// Whether what stands behind a year makes one of two of it: "2024/25", "2023–24".
fn is_season(behind: &str) -> bool {
    let next = behind.strip_prefix(['-', '–', '/']).unwrap_or_default();
    next.bytes().take_while(u8::is_ascii_digit).count() == 2
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
    let before = text[..span.start].trim_end();
    let before = &before[block.start.min(before.len())..];
    if !is_number {
        return span;
    }
    let lead = |bound: &str| before[..before.len() - bound.len()].trim_end();
    let is_bound = |bound: &&str| *bound != "up to" || last_words(lead(bound), SUMS).is_none();
    let is_place = |place: &&str| {
        let lead = lead(place);
        month(first).is_none() && (lead.is_empty() || last_words(lead, BEFORE_BOUNDS).is_some())
    };
    let bound = last_words(before, BOUNDS).filter(is_bound);
    let Some(bound) = bound.or_else(|| last_words(before, PLACES).filter(is_place)) else {
        return span;
    };
    let mut start = block.start + before.len() - bound.len();
    let before = text[..start].trim_end();
    if let Some(word) = last_words(&before[block.start.min(before.len())..], OF_BOUNDS) {
        start = before.len() - word.len();
    }
    start..span.end
}

/// Words with the exclusion that they stand behind, and with all that they are excluded from: "any reason other than" before "Cause".
fn with_exclusion(text: &str, block: &Span, span: Span) -> Span {
    let before = &text[block.start..span.start];
    let words = before.trim_end();
    let words = ["the", "a", "an"]
        .iter()
        .find(|article| ends_with_words(words, article))
        .map_or(words, |article| words[..words.len() - article.len()].trim_end());
    // A hyphen joins "non-", a space the others.
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
    // "hundreds, if not thousands"
    if exclusion == "not" && last_words(near.trim_end(), &["if", "or", "whether", "why"]).is_some() {
        return span;
    }
    let near = near
        .rsplit(['.', ',', ';', ':', '(', '!', '?'])
        .next()
        .unwrap_or_default();
    // "every day but Sunday", and not "everyone left but Ann stayed".
    let is_but = FROM_ALL.contains(&exclusion);
    let ends_clause = || {
        let behind = text[span.end..block.end.max(span.end)].trim_start();
        behind.is_empty() || behind.starts_with(['.', ',', ';', ':', '!', '?', ')'])
    };
    let all = near
        .split_whitespace()
        .rev()
        .take(if is_but { 2 } else { 4 })
        .find(|word| ALL.contains(&word.to_lowercase().as_str()));
    match all {
        Some(_) if is_but && !ends_clause() => span,
        Some(all) => {
            let at = all.as_ptr() as usize - text.as_ptr() as usize;
            at..span.end
        }
        None if is_but => span,
        None => block.start + start..span.end,
    }
}

/// Words with the exception that follows them, or, where they are of all, their sentence: whole, or not at all.
fn with_exception(document: &Document, block: &Span, span: Span) -> Span {
    let text = document.text();
    let behind = &text[span.end..block.end.max(span.end)];
    let reach = &behind[..behind.floor_char_boundary(LONGEST_EXCEPTION)];
    let lead = reach.len() - reach.trim_start_matches([',', ' ', '\n']).len();
    let excepts = |at: &usize| {
        EXCEPTIONS
            .iter()
            .any(|words| begins_with_words(&reach[*at..], words))
    };
    let first = text[span.clone()].split_whitespace().next().unwrap_or_default();
    let is_all = ALL.contains(&first.to_lowercase().as_str());
    let later = || reach.match_indices(' ').map(|(at, _)| at + 1).find(excepts);
    let directly = (lead > 0).then_some(lead).filter(excepts);
    let Some(at) = directly.or_else(|| is_all.then(later).flatten()) else {
        return span;
    };
    // ", but not" mostly begins another clause: "humour, but not knowing why, I left".
    let is_clause = reach[..at].ends_with(", ") && begins_with_words(&reach[at..], "but not");
    let sentence = document
        .sentence_around(&span)
        .end
        .clamp(span.end, span.end + behind.len());
    let rest = text[span.end..sentence].split(';').next().unwrap_or_default();
    let rest = rest.trim_end().trim_end_matches(['.', '!', '?']);
    let is_whole = (at + 1..=LONGEST_EXCEPTION).contains(&rest.len())
        && !rest.ends_with(':')
        && !rest.contains(": ")
        && rest.matches('(').count() == rest.matches(')').count();
    match is_whole && !is_clause {
        true => span.start..span.end + rest.len(),
        false => span,
    }
}

/// Words that introduce a list, with the list.
fn with_list(document: &Document, span: Span) -> Span {
    let blocks = document.blocks();
    let text = document.text();
    let index = blocks.partition_point(|block| block.span.start < span.end);
    let introduces = index.checked_sub(1).is_some_and(|own| {
        let Block { span: own, kind, .. } = &blocks[own];
        *kind == BlockKind::Paragraph
            && span.start >= own.start
            && span.end < own.end
            && text[span.end..own.end].trim() == ":"
    });
    if !introduces {
        return span;
    }
    let mut end = span.end;
    let items = blocks[index..]
        .iter()
        .take_while(|item| item.kind == BlockKind::ListItem && item.section == blocks[index].section);
    for item in items {
        end = item.span.end;
        // An item that introduces others may be another list.
        let introduces = text[item.span.clone()].trim_end().ends_with(':');
        if introduces || end - span.start > LONGEST_LIST {
            return span;
        }
    }
    span.start..end
}

/// Candidates as they are quoted, without those that thereby come to lie over a better one.
pub(crate) fn quoted(
    asked: &Asked,
    candidates: Vec<(usize, Candidate, f64)>,
    documents: &[&Document],
) -> Vec<(usize, Candidate, f64)> {
    let mut kept: Vec<(usize, Candidate, f64)> = Vec::with_capacity(candidates.len());
    for (index, mut candidate, confidence) in candidates {
        let is_free = |span: &Span| {
            !kept.iter().any(|(other, better, _)| {
                *other == index && better.span.start < span.end && span.start < better.span.end
            })
        };
        let whole = asked.quoted(documents[index], candidate.span.clone());
        let free = [whole, candidate.span.clone()].into_iter().find(is_free);
        if let Some(span) = free {
            candidate.span = span;
            kept.push((index, candidate, confidence));
        }
    }
    kept
}

/// How much of the evidence is left, as a share of it, where some candidates, given by their scores, are doubted: each stands for the share
/// that its own weight has.
pub(crate) fn undoubted(evidence: f32, candidates: impl Iterator<Item = (f32, f64)>) -> f64 {
    let (mut left, mut undoubted, mut least) = (1.0f64, 0.0f64, 1.0f64);
    for (score, doubt) in candidates {
        let share = f64::from(score - evidence).exp();
        left -= share * (1.0 - (-doubt).exp());
        undoubted += share * (-doubt).exp();
        least = least.min((-doubt).exp());
    }
    // Candidates of several windows may together have more than the evidence of one.
    left.max(undoubted).clamp(least, 1.0)
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
            ("He handed over 3 guns.", "3 guns", "3 guns"),
            ("It is over 3 years old.", "3 years", "over 3 years"),
            ("The costs add up to 500 euros.", "500 euros", "500 euros"),
            (
                "It is in excess of $3 million.",
                "$3 million",
                "in excess of $3 million",
            ),
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
            ("Everyone left but Ann stayed.", "Ann", "Ann"),
            ("All ministers resigned but Ann Lee.", "Ann Lee", "Ann Lee"),
            ("Hundreds, if not thousands, came.", "thousands", "thousands"),
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
                "It opens daily but not on Sundays.",
                "daily",
                "daily but not on Sundays",
            ),
            (
                "It opens every day except from 12:30 to 13:00 (see Sec. 3.2) and on Sundays.",
                "every day",
                "every day except from 12:30 to 13:00 (see Sec. 3.2) and on Sundays",
            ),
            ("Anyone may enter except: children, dogs.", "Anyone", "Anyone"),
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
            "For 2024/25, $60,000 was allocated.",
            "In the 2010s, $60,000 was allocated.",
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
    fn a_list_below_another_heading_than_the_one_asked_for_is_doubted() {
        let minutes = document(
            "# Members approved\n\n## Individual members approved\n\n- Ann Bell\n- Bo Lund\n\n## Corporate members approved\n\n- Six Feet Up\n\n\
             ## Present\n\n- Carl Dorn (corporate members)\n\n## Members\n\nEve Fox was approved.\n",
        );
        let doubt = |question, part| Asked::of(question).doubt(&minutes, &place(&minutes, part));
        let corporate = "Which corporate members were approved?";
        assert_eq!(doubt(corporate, "Bo Lund"), BELOW_ANOTHER_HEADING);
        assert_eq!(doubt(corporate, "Six Feet Up"), 0.0);
        assert_eq!(
            doubt("which individual member was approved", "Six Feet Up"),
            BELOW_ANOTHER_HEADING
        );
        // No heading has more of what is asked for, or this one has none of it, or the item has it, or it is no item.
        for (question, part) in [
            ("Which members were approved?", "Ann Bell"),
            (corporate, "Carl Dorn"),
            ("Who is present for the corporate members?", "Carl Dorn"),
            (corporate, "Eve Fox"),
            ("Who came?", "Bo Lund"),
        ] {
            assert_eq!(doubt(question, part), 0.0, "{question} {part}");
        }
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
            let document = Document::new("t", text, Format::Markdown);
            prop_assume!(document.is_ok()); // There may be no word.
            let document = document.unwrap();
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
            let own = document.paragraph_around(&span);
            prop_assert!(found.start >= own.start);
            prop_assert!(found.end <= own.end || found.len() <= LONGEST_LIST);
            let doubt = asked.doubt(&document, &span);
            prop_assert!((0.0..=OTHER_YEAR).contains(&doubt));
        }
    }
}
