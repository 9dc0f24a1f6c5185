//! Dates: days, months, and days of the week.

use super::lexer::{Lexer, Parsed, bare, is_figures, singular, without_ordinal};
use super::{Claim, ClaimKind, Key, Needs};
use crate::document::{self, MONTHS};

#[rustfmt::skip]
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Year, month and day.
type Day = (u32, u32, u32);

impl Lexer<'_> {
    pub(super) fn date(&self, at: usize) -> Parsed {
        let claim = |end: usize, needs: Vec<Key>, gives: Vec<Key>| {
            let (kind, span) = (ClaimKind::Date, self.span(at, end));
            let needs = Needs::AnyOf(needs);
            Some((
                vec![Claim {
                    kind,
                    span,
                    needs,
                    gives,
                }],
                end,
            ))
        };
        let date = |end: usize, year, month, day| {
            let keys = date_keys(year, month, day);
            claim(end, vec![keys[0].clone()], keys)
        };
        let word = self.word(at);
        if WEEKDAYS.contains(&bare(word).trim_end_matches('s')) {
            let key = vec![format!("@{}", singular(&bare(word).to_lowercase()))];
            return claim(at + 1, key.clone(), key);
        }
        if let Some((end, dates)) = self.figures(at) {
            let keys: Vec<_> = dates
                .iter()
                .map(|&(y, m, d)| date_keys(Some(y), m, Some(d)))
                .collect();
            return claim(end, keys.iter().map(|k| k[0].clone()).collect(), keys.concat());
        }
        // "3 March 2024", "3rd of March".
        if let Some(day) = day(word) {
            let of = usize::from(self.word(at + 1) == "of" && self.gap(at) == " ");
            let after = at + 1 + of;
            if self.gap(at) == " "
                && after < self.words.len()
                && let Some(month) = month(self.word(after))
            {
                let (year, end) = self.year(after);
                return date(end, year, month, Some(day));
            }
        }
        let month = month(word)?;
        let is_abbreviated = !MONTHS.contains(&bare(word).as_str());
        // "March 3rd, 2024", "March 2024".
        let spaced = matches!(self.gap(at), " " | ". ");
        if spaced && let Some(day) = self.words.get(at + 1).and_then(|w| day(&w.text)) {
            let (year, end) = self.year(at + 1);
            return date(end, year, month, Some(day));
        }
        if spaced && let (Some(year), end) = self.year(at) {
            return date(end, Some(year), month, None);
        }
        // "May" and "Mar" alone may be something else.
        let before = if at > 0 {
            self.words[at - 1].folded()
        } else {
            String::new()
        };
        let introduced = matches!(
            before.as_str(),
            "by" | "early"
                | "from"
                | "in"
                | "last"
                | "late"
                | "mid"
                | "next"
                | "of"
                | "since"
                | "this"
                | "until"
        );
        if is_abbreviated || (month == 5 && !introduced) {
            return None;
        }
        date(at + 1, None, month, None)
    }

    /// The year behind a word of a date, and the word that the date ends before.
    fn year(&self, at: usize) -> (Option<u32>, usize) {
        let year = self.words.get(at + 1).and_then(|w| year(&w.text));
        match (self.gap(at), year) {
            (" " | ", " | ". ", Some(year)) => (Some(year), at + 2),
            _ => (None, at + 1),
        }
    }

    /// `2024-03-03`, and `3/4/2024`, `3.4.2024`, which are one of two days.
    fn figures(&self, at: usize) -> Option<(usize, Vec<Day>)> {
        let number = |s: &str| {
            if is_figures(s) {
                s.parse::<u32>().ok()
            } else {
                None
            }
        };
        let dotted: Vec<&str> = self.word(at).split('.').collect();
        let (parts, separator, end) = if let [a, b, c] = dotted[..] {
            ([a, b, c], ".", at + 1)
        } else {
            let separator = self.gap(at);
            if at + 2 >= self.words.len() || self.gap(at + 1) != separator {
                return None;
            }
            (
                [self.word(at), self.word(at + 1), self.word(at + 2)],
                separator,
                at + 3,
            )
        };
        let [a, b, c] = [number(parts[0])?, number(parts[1])?, number(parts[2])?];
        let dates: Vec<Day> = match separator {
            "-" if parts[0].len() == 4 => vec![(a, b, c)],
            "/" | "." if parts[2].len() == 4 => vec![(c, a, b), (c, b, a)],
            _ => return None,
        };
        let is_date =
            |&(y, m, d): &Day| (1000..3000).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d);
        let dates: Vec<_> = dates.into_iter().filter(is_date).collect();
        (!dates.is_empty()).then_some((end, dates))
    }
}

/// The key of a date, and behind it those of what is part of it.
fn date_keys(year: Option<u32>, month: u32, day: Option<u32>) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for (y, d) in [(year, day), (year, None), (None, day), (None, None)] {
        let part = |n: Option<u32>| n.map_or(String::new(), |n| n.to_string());
        let key = format!("@{}-{month}-{}", part(y), part(d));
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.extend(year.map(|y| format!("#{y}")));
    keys
}

/// A month, whatever stands around its name; from 1.
pub(super) fn month(word: &str) -> Option<u32> {
    document::month(&bare(word))
}

fn day(word: &str) -> Option<u32> {
    let figures = without_ordinal(word);
    let day = figures.parse().ok().filter(|d| (1..=31).contains(d))?;
    (figures.len() <= 2 && is_figures(figures)).then_some(day)
}

fn year(word: &str) -> Option<u32> {
    let is_year = word.len() == 4 && is_figures(word);
    word.parse().ok().filter(|y| is_year && (1000..3000).contains(y))
}
