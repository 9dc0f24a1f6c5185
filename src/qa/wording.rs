//! Whether two answers say the same in other words.

use std::collections::HashSet;

use crate::document::{MONTHS, is_value, month};
use crate::reply::negates;

/// Words and signs that make another answer of one: "30 business days", "at least 50", "5 million".
#[rustfmt::skip]
const CHANGES: [&str; 43] = [
    "hundred", "thousand", "million", "billion", "half", "second", "least", "most", "up", "minimum", "maximum", "under", "over",
    "below", "above", "less", "more", "plus", "excluding", "exclusive", "business", "working", "jr", "<", ">", "≤", "≥", "±", "+", "excl",
    "bn", "m", "mn", "k", "trillion", "dozen", "except", "excepted", "without", "unless", "until", "before", "after",
];

const NUMBERS: [&str; 12] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

/// The longest unit that is written to its number: "5kg".
const LONGEST_UNIT: usize = 3;

/// The words of an answer, each written in one way, in no order.
#[derive(Debug)]
pub(crate) struct Wording(HashSet<String>);

impl Wording {
    pub(crate) fn of(text: &str) -> Self {
        // With what belongs to a number: "£1,200" is neither "$1,200" nor "200".
        let is_mark = |c: char| c.is_ascii_punctuation() && !"$%+-<>".contains(c) || "“”‘’…".contains(c);
        let text = text.replace('−', "-");
        // Accounts write a loss in brackets.
        let loss = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let loss = loss.filter(|text| is_value(text)).map(|text| format!("-{text}"));
        let text = loss
            .unwrap_or(text)
            .replace("per cent", "%")
            .replace("percent", "%")
            .replace('%', " %");
        let words = text.split_whitespace().map(|word| word.trim_matches(is_mark));
        let mut wording = HashSet::new();
        words
            .filter(|word| !word.is_empty())
            .for_each(|word| add(word, &mut wording));
        Self(wording)
    }

    /// Whether its words are among the other's, in whatever order, and what the other has beside them changes nothing: "31 May 2027" in
    /// "the 31st of May, 2027".
    pub(crate) fn is_said_by(&self, other: &Self) -> bool {
        let changes = |word: &&String| negates(word) || CHANGES.contains(&word.as_str());
        self.0.is_subset(&other.0) && !other.0.difference(&self.0).any(|word| changes(&word))
    }

    /// Whether one of them is said by the other.
    pub(crate) fn rewords(&self, other: &Self) -> bool {
        self.is_said_by(other) || other.is_said_by(self)
    }
}

/// Adds a word as it is written elsewhere: dates, numbers, companies.
fn add(word: &str, wording: &mut HashSet<String>) {
    if let Some(month) = month(word) {
        wording.insert(MONTHS[month as usize - 1].to_lowercase());
        return;
    }
    if let Some((year, month, day)) = iso_date(word) {
        wording.extend([year, month, day]);
        return;
    }
    let word = word.to_lowercase().replace('’', "'");
    if !word.contains(|c: char| c.is_ascii_digit()) {
        let number = NUMBERS.iter().position(|number| *number == word);
        wording.insert(match word.as_str() {
            _ if let Some(at) = number => (at + 1).to_string(),
            "limited" => "ltd".to_owned(),
            "incorporated" => "inc".to_owned(),
            "corporation" => "corp".to_owned(),
            "company" => "co".to_owned(),
            _ => word,
        });
        return;
    }
    let word = match word.strip_prefix('0') {
        Some(rest) if rest.len() == 1 && rest != "0" => rest.to_owned(),
        _ => word,
    };
    let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let behind = &word[number.len()..];
    let is_plain = number
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b'.' || b == b',');
    if !is_plain || behind.len() > LONGEST_UNIT {
        wording.insert(without_separators(&word));
    } else {
        wording.insert(without_separators(number));
        if !["", "st", "nd", "rd", "th"].contains(&behind) {
            wording.insert(behind.to_owned());
        }
    }
}

/// `1,250.00` as `1250`.
fn without_separators(number: &str) -> String {
    let parts: Vec<&str> = number.split(',').collect();
    let is_group = |part: &&str| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        digits == 3 && !part[3..].starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    let whole = match parts[1..].iter().all(is_group) {
        true => parts.concat(),
        false => number.to_owned(),
    };
    whole.strip_suffix(".00").unwrap_or(&whole).to_owned()
}

/// `2028-12-31`.
fn iso_date(word: &str) -> Option<(String, String, String)> {
    let (year, rest) = word.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let is_number = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(year, 4) || !is_number(month, 2) || !is_number(day, 2) {
        return None;
    }
    let name = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some((
        year.to_owned(),
        name.to_lowercase(),
        day.trim_start_matches('0').to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_the_same(one: &str, other: &str) -> bool {
        Wording::of(one).rewords(&Wording::of(other))
    }

    #[test]
    fn the_same_in_other_words() {
        for (one, other) in [
            ("May 31, 2027", "31 May 2027"),
            ("the 1st of May 2025", "1 May 2025"),
            ("31 December 2028", "2028-12-31"),
            ("31 Dec. 2028", "Dec 31 2028"),
            ("£5,000.00", "£5000"),
            ("four per cent", "4 percent"),
            ("4 %", "4%"),
            ("6 months", "six months"),
            ("5 kg", "5kg"),
            ("Acme Limited", "Acme Ltd."),
            ("Ada Quist", "Mayor Ada Quist of Halden"),
            ("400", "400 euros"),
            ("−5 °C", "-5 °C"),
            ("(1,142)", "-1,142"),
            ("03 February 2028", "2028-02-03"),
        ] {
            assert!(are_the_same(one, other), "{one} | {other}");
        }
    }

    #[test]
    fn what_makes_another_answer_of_one() {
        for (one, other) in [
            ("liable", "not liable"),
            ("£40,000", "$40,000"),
            ("1,200 euros", "200 euros"),
            ("1,000", "1,000,000"),
            ("1,25", "125"),
            ("5", "5 million"),
            ("4 %", "4.25 %"),
            ("> 5 mg", "5 mg"),
            (">5 mg", "<5 mg"),
            ("5 °C", "-5 °C"),
            ("(1,142)", "1,142"),
            ("USD 5", "USD 5bn"),
            ("30 days", "30 business days"),
            ("£2,400", "£2,400 plus VAT"),
            ("50", "up to 50"),
            ("at least 50", "at most 50"),
            ("every month", "every second month"),
        ] {
            assert!(!are_the_same(one, other), "{one} | {other}");
        }
    }
}
