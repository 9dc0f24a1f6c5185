//! Numbers, in figures and in words, with their units.

use super::lexer::{Lexer, Parsed, Word, is_figures, without_ordinal};
use super::{Claim, ClaimKind, Key, Needs};
use crate::document::Span;

#[rustfmt::skip]
const UNITS: [&str; 20] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
];
#[rustfmt::skip]
const ORDINALS: [&str; 20] = [
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth",
];
#[rustfmt::skip]
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// What multiplies a number, with its power of ten.
#[rustfmt::skip]
const MAGNITUDES: [(&str, usize); 9] = [
    ("hundred", 2), ("thousand", 3), ("million", 6), ("billion", 9), ("trillion", 12), ("mn", 6), ("mln", 6),
    ("bn", 9), ("tn", 12),
];

/// The same as a letter behind figures, which may also be a unit of its own: `100m`.
const LETTERS: [(&str, usize); 3] = [("k", 3), ("m", 6), ("b", 9)];

const CURRENCIES: [(char, &[&str]); 4] = [
    ('$', &["dollar", "dollars", "usd"]),
    ('€', &["euro", "euros", "eur"]),
    ('£', &["pound", "pounds", "gbp"]),
    ('¥', &["yen", "jpy", "yuan"]),
];

/// More digits than this are no number that anybody counted.
const MOST_DIGITS: usize = 40;

/// A number as it is read.
struct Value {
    /// In figures, without what does not matter: `1000`, `0.5`. Two of them where it may be either.
    figures: Vec<String>,
    /// The power of ten that a word behind it multiplies it with.
    magnitude: usize,
    /// The word that it ends before.
    end: usize,
}

impl Lexer<'_> {
    pub(super) fn number(&self, at: usize) -> Parsed {
        let mut value = self.value(at)?;
        let mut span = self.span(at, value.end);
        let unit = self.unit(&mut span, &mut value.end);
        let key = |figures: &String, unit: &str| format!("#{figures}{unit}");
        let mut needs: Vec<Key> = value.figures.iter().map(|f| key(f, &unit)).collect();
        let mut gives = needs.clone();
        if unit != "%" {
            gives.extend(value.figures.iter().map(|f| key(f, "")));
        }
        // In "40 to 50 million" the first number is one of millions, too.
        if unit.is_empty()
            && value.magnitude == 0
            && let Some((magnitude, unit)) = self.range(value.end)
        {
            let scaled = value.figures.iter().map(|f| key(&scaled(f, magnitude), &unit));
            needs.extend(scaled);
            gives.clone_from(&needs);
        }
        if self.claims_nothing(at, value.end) {
            needs.clear();
        }
        let (kind, needs) = (ClaimKind::Number, Needs::AnyOf(needs));
        Some((
            vec![Claim {
                kind,
                span,
                needs,
                gives,
            }],
            value.end,
        ))
    }

    /// "One of them", "no one", "a second later".
    fn claims_nothing(&self, at: usize, end: usize) -> bool {
        let before = if at > 0 {
            self.words[at - 1].folded()
        } else {
            String::new()
        };
        let after = self.words.get(end).map_or(String::new(), Word::folded);
        match self.words[at].folded().as_str() {
            "one" if end == at + 1 => {
                matches!(
                    before.as_str(),
                    "any" | "another" | "each" | "every" | "no" | "some" | "that" | "the" | "this"
                ) || matches!(after.as_str(), "of" | "another")
            }
            "second" => matches!(before.as_str(), "a" | "per"),
            _ => false,
        }
    }

    fn value(&self, at: usize) -> Option<Value> {
        let word = self.words.get(at)?;
        if !word.text.starts_with(|c: char| c.is_ascii_digit()) {
            return self.spelled(at);
        }
        let text = without_ordinal(&word.text);
        let length = text
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
            .unwrap_or(text.len());
        let (figures, letters) = text.split_at(length);
        let mut figures = figures.replace(',', "");
        let mut end = at + 1;
        // "10:30" and "1 000".
        if self.gap(at) == ":" && self.word(end).len() == 2 && is_figures(self.word(end)) {
            figures = format!("{figures}:{}", self.word(end));
            return Some(Value {
                figures: vec![figures],
                magnitude: 0,
                end: end + 1,
            });
        }
        while letters.is_empty()
            && (matches!(self.gap(end - 1), "\u{a0}" | "\u{202f}" | "\u{2009}") || self.word(end) == "000")
            && self.gap(end - 1).chars().count() == 1
            && self.word(end).len() == 3
            && is_figures(self.word(end))
        {
            figures += self.word(end);
            end += 1;
        }
        let mut magnitude = of_table(&MAGNITUDES, letters).unwrap_or(0);
        while let Some(more) = of_table(&MAGNITUDES, &self.word(end).to_lowercase()) {
            if !matches!(self.gap(end - 1), " " | "-") || magnitude + more > MOST_DIGITS {
                break;
            }
            magnitude += more;
            end += 1;
        }
        let mut all = vec![scaled(&figures, magnitude)];
        if let Some(more) = of_table(&LETTERS, letters) {
            all.push(scaled(&figures, more));
        }
        Some(Value {
            figures: all,
            magnitude,
            end,
        })
    }

    /// A number in words: "two hundred and fifty", "twenty-first", "a million".
    fn spelled(&self, at: usize) -> Option<Value> {
        let place = |table: &[&str], word: &str| table.iter().position(|w| *w == word);
        let (mut total, mut current, mut magnitude) = (0u64, 0u64, 0);
        let (mut end, mut next) = (at, at);
        let first = self.words[at].folded();
        if matches!(first.as_str(), "a" | "an") {
            of_table(&MAGNITUDES[..5], &self.words.get(at + 1)?.folded())?;
            (current, next) = (1, at + 1);
        }
        while let Some(word) = self.words.get(next) {
            let folded = word.folded();
            let room = current.is_multiple_of(100);
            let after_tens = current % 100 >= 20 && current.is_multiple_of(10);
            if next > at && !matches!(self.gap(next - 1), " " | "-") {
                break;
            }
            if let Some(n) = place(&UNITS, &folded).filter(|&n| room || after_tens && (1..10).contains(&n)) {
                current += n as u64;
                magnitude = 0;
            } else if let Some(n) = place(&ORDINALS, &folded).filter(|&n| room || after_tens && n < 10) {
                current += n as u64;
                end = next + 1;
                break;
            } else if let Some(n) = place(&TENS, &folded).filter(|_| room) {
                current += 10 * (n as u64 + 2);
                magnitude = 0;
            } else if let Some(power) =
                of_table(&MAGNITUDES[..5], &folded).filter(|_| end > at || current > 0)
            {
                let factor = 10u64.pow(power as u32);
                if power == 2 {
                    current = current.max(1).checked_mul(factor)?;
                } else {
                    total = total.checked_add(current.max(1).checked_mul(factor)?)?;
                    current = 0;
                }
                magnitude += power;
            } else if folded == "and" && end > at && room && (current > 0 || total > 0) {
                // Belongs to the number only if it goes on.
                next += 1;
                let goes_on = self.words.get(next).map(Word::folded);
                let goes_on = goes_on.is_some_and(|w| place(&UNITS, &w).or(place(&TENS, &w)).is_some());
                if goes_on && magnitude > 0 {
                    continue;
                }
                break;
            } else {
                break;
            }
            next += 1;
            end = next;
        }
        let figures = vec![total.checked_add(current)?.to_string()];
        (end > at).then_some(Value {
            figures,
            magnitude,
            end,
        })
    }

    /// The unit of a number, `%` or a currency; takes it into the number's span.
    fn unit(&self, span: &mut Span, end: &mut usize) -> String {
        let before = self.text[..span.start].chars().next_back();
        if let Some((symbol, _)) = CURRENCIES.iter().find(|(symbol, _)| before == Some(*symbol)) {
            span.start -= symbol.len_utf8();
            return symbol.to_string();
        }
        let gap = self.gap(*end - 1);
        let behind = gap.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
        let symbols = ['%'].into_iter().chain(CURRENCIES.map(|(symbol, _)| symbol));
        for symbol in symbols {
            // "5, €7": the symbol of the next number is none of this one's.
            let next_is_figures = self.word(*end).starts_with(|c: char| c.is_ascii_digit());
            if behind.starts_with(symbol) && (symbol == '%' || !next_is_figures) {
                span.end += gap.len() - behind.len() + symbol.len_utf8();
                return symbol.to_string();
            }
        }
        if !matches!(gap, " " | "-") {
            return String::new();
        }
        let word = |at: usize| self.words.get(at).map_or(String::new(), Word::folded);
        let (words, unit) = match (word(*end).as_str(), word(*end + 1).as_str()) {
            ("percent", _) => (1, '%'),
            ("per", "cent") | ("percentage", "point" | "points") => (2, '%'),
            (next, _) => match CURRENCIES.iter().find(|(_, words)| words.contains(&next)) {
                Some((symbol, _)) => (1, *symbol),
                None => return String::new(),
            },
        };
        *end += words;
        span.end = self.words[*end - 1].span.end;
        unit.to_string()
    }

    /// Magnitude and unit of the number that a range ends with whose first number ends before the word `end`.
    fn range(&self, end: usize) -> Option<(usize, String)> {
        let joined = matches!(self.gap(end - 1).trim(), "-" | "–" | "—");
        let next = match self.word(end) {
            "to" | "and" | "or" => end + 1,
            _ if joined => end,
            _ => return None,
        };
        let mut value = self.value(next)?;
        let unit = self.unit(&mut self.span(next, value.end), &mut value.end);
        (value.magnitude > 0 || !unit.is_empty()).then_some((value.magnitude, unit))
    }
}

fn of_table(table: &[(&str, usize)], word: &str) -> Option<usize> {
    table
        .iter()
        .find(|(name, _)| *name == word)
        .map(|&(_, power)| power)
}

/// A number in figures, times a power of ten, without zeros that say nothing. What has several points (a
/// version) stays as it is.
fn scaled(figures: &str, power: usize) -> String {
    let (whole, fraction) = figures.split_once('.').unwrap_or((figures, ""));
    if fraction.contains('.') || figures.len() > MOST_DIGITS {
        return figures.trim_end_matches('.').to_owned();
    }
    let moved = &fraction[..power.min(fraction.len())];
    let zeros = "0".repeat(power - moved.len());
    let whole = format!("{whole}{moved}{zeros}");
    let whole = whole.trim_start_matches('0');
    let fraction = fraction[moved.len()..].trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    }
}
