//! The names, numbers and dates of a sentence, in a form in which they can be looked for elsewhere.
//!
//! A [`Key`] is a string that two spellings of the same thing share: `1,000`, `1000` and `a thousand`; `5 %` and
//! `five per cent`; `3 March 2024`, `March 3rd, 2024` and `2024-03-03`; `Putin's` and `Putin`. The rules are for
//! English. They know no dictionary of names: a name is a word with a capital letter that is no function word.

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use super::terms::{is_function_word, stem};
use crate::document::Span;

/// What two spellings of the same thing share.
pub(super) type Key = String;

/// What a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    /// A word with a capital letter, or several in a row.
    Name,
    /// A number, in figures or words, with its percent sign or currency.
    Number,
    /// A date, a month or a day of the week.
    Date,
}

/// A name, number or date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) kind: ClaimKind,
    /// Where it stands in its text.
    pub(super) span: Span,
    pub(super) needs: Needs,
    /// The keys that it shows: its own, and those of claims that say less. A date shows its month.
    gives: Vec<Key>,
}

/// What shows that a source has a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Needs {
    /// One of these keys; none at all where it claims nothing ("one of them").
    AnyOf(Vec<Key>),
    /// All of these words of a name.
    AllOf(Vec<NameWord>),
}

/// A word of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameWord {
    pub(super) span: Span,
    pub(super) key: Key,
    /// The key that tells that the word is used in lower case, for a word at the beginning of a sentence: its
    /// capital letter means nothing then.
    pub(super) common: Option<Key>,
    /// Whether it is a title ("President"), which may stand apart from the name.
    pub(super) is_title: bool,
}

/// What is known of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// In the order of the text.
    pub(super) claims: Vec<Claim>,
    /// The stems of the words that carry meaning and are part of no number or date.
    pub(super) stems: Vec<Key>,
    /// The keys by which names are looked for: one or two for every word.
    names: Vec<Key>,
}

/// Words that a sentence often begins with and that are no names.
#[rustfmt::skip]
const OPENERS: &[&str] = &[
    "according", "accordingly", "additionally", "afterwards", "although", "another", "besides", "consequently",
    "despite", "earlier", "either", "else", "even", "every", "everyone", "finally", "furthermore", "hence",
    "however", "indeed", "instead", "last", "later", "like", "likewise", "many", "meanwhile", "moreover", "neither",
    "nevertheless", "next", "nobody", "none", "nonetheless", "nothing", "others", "otherwise", "people", "rather",
    "several", "similarly", "since", "still", "subsequently", "therefore", "though", "thus", "today", "together",
    "unless", "unlike", "yesterday", "yet",
];

/// Titles: they stand before names, and alone.
#[rustfmt::skip]
const TITLES: &[&str] = &[
    "captain", "chairman", "chancellor", "chief", "colonel", "deputy", "director", "dr", "envoy", "former", "general",
    "gov", "governor", "judge", "justice", "king", "lady", "lord", "mayor", "minister", "miss", "mr", "mrs", "ms",
    "pope", "president", "prime", "prince", "princess", "prof", "professor", "queen", "rep", "representative",
    "secretary", "sen", "senator", "sir", "vice",
];

/// Titles that say nothing of a person's office.
const FORMS_OF_ADDRESS: &[&str] = &["miss", "mr", "mrs", "ms", "mx"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[rustfmt::skip]
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Names of two words that are as often written in letters.
const ABBREVIATED: [(&str, &str, &str); 4] = [
    ("European", "Union", "EU"),
    ("United", "Kingdom", "UK"),
    ("United", "Nations", "UN"),
    ("United", "States", "US"),
];

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

/// Words that are others in capitals.
const NOT_THE_WORD: [&str; 3] = ["IT", "US", "WHO"];

const CURRENCIES: [(char, &[&str]); 4] = [
    ('$', &["dollar", "dollars", "usd"]),
    ('€', &["euro", "euros", "eur"]),
    ('£', &["pound", "pounds", "gbp"]),
    ('¥', &["yen", "jpy", "yuan"]),
];

/// More digits than this are no number that anybody counted.
const MOST_DIGITS: usize = 40;
/// A run of more capitals than this is a headline: its words are looked for one by one.
const LONGEST_NAME: usize = 6;

impl Content {
    /// Reads a text.
    pub(super) fn of(text: &str) -> Self {
        let mut lexer = Lexer::new(text);
        let mut content = Self::default();
        let mut at = 0;
        while at < lexer.words.len() {
            let found = lexer.date(at).or_else(|| lexer.number(at));
            if let Some((claims, end)) = found {
                content.claims.extend(claims);
                lexer.words[at..end].iter_mut().for_each(|w| w.counted = true);
                at = end;
            } else if let Some((claims, end)) = lexer.name(at) {
                content.claims.extend(claims);
                at = end;
            } else {
                at += 1;
            }
        }
        for word in &lexer.words {
            let (key, common) = word.name_keys();
            content.names.extend([key].into_iter().chain(common));
            if !word.counted && !is_function_word(&word.folded()) {
                content.stems.push(stem(&word.text));
            }
        }
        content
    }

    /// Every key that another text's claims and words can be looked for by.
    pub(super) fn into_keys(self) -> impl Iterator<Item = Key> {
        let counted = self.claims.into_iter().flat_map(|claim| claim.gives);
        self.stems.into_iter().chain(self.names).chain(counted)
    }
}

struct Word {
    /// As it is written, but that two words for which there are letters are the letters.
    text: String,
    span: Span,
    /// Whether a sentence or a quotation begins with it.
    opens: bool,
    /// Whether it is part of a number or date.
    counted: bool,
}

impl Word {
    fn folded(&self) -> String {
        self.text.to_lowercase().replace('’', "'")
    }

    fn starts_upper(&self) -> bool {
        self.text.starts_with(char::is_uppercase)
    }

    /// `USA`, `U.S`, `G7`, `COVID`.
    fn is_all_capitals(&self) -> bool {
        let letters = || self.text.chars().filter(|c| c.is_alphabetic());
        letters().count() >= 2 && letters().all(char::is_uppercase)
    }

    /// The key of the word as part of a name; and, where it is written in lower case, the key that says so.
    fn name_keys(&self) -> (Key, Option<Key>) {
        let bare = bare(&self.text);
        let folded = bare.to_lowercase();
        if NOT_THE_WORD.contains(&bare.as_str()) {
            return (format!("~={bare}"), None);
        }
        let key = singular(&folded);
        let common = (!self.starts_upper()).then(|| format!("-{key}"));
        (format!("~{key}"), common)
    }
}

/// Without a possessive, and without the dots of an abbreviation.
fn bare(word: &str) -> String {
    let word = word.replace('’', "'");
    let word = word
        .strip_suffix("'s")
        .or(word.strip_suffix("'S"))
        .unwrap_or(&word);
    word.chars().filter(|c| !matches!(c, '.' | '\'')).collect()
}

/// The same for one and for many.
fn singular(folded: &str) -> String {
    let plural = folded.chars().count() > 3 && folded.ends_with('s') && !folded.ends_with("ss");
    folded[..folded.len() - usize::from(plural)].to_owned()
}

struct Lexer<'a> {
    text: &'a str,
    words: Vec<Word>,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        let mut words: Vec<Word> = Vec::new();
        for (start, word) in text.unicode_word_indices() {
            let end = start + word.len();
            let gap = &text[words.last().map_or(0, |w| w.span.end)..start];
            let opens = words.last().is_none_or(|last| {
                // "U.S. troops" and "J. Smith" go on; ". " after a word of letters does not.
                let stops = gap.contains(['!', '?', ':', '“', '"', '‘', '«', '—', '\n'])
                    || gap.contains('.') && last.text.chars().filter(|c| c.is_alphabetic()).count() > 2;
                stops && !(gap.trim() == "." && TITLES.binary_search(&last.folded().as_str()).is_ok())
            });
            let joined = words.last_mut().filter(|_| gap == " ").is_some_and(|last| {
                let letters = ABBREVIATED
                    .iter()
                    .find(|(first, second, _)| last.text == *first && bare(word) == *second);
                if let Some((.., letters)) = letters {
                    *last = Word {
                        text: (*letters).to_owned(),
                        span: last.span.start..end,
                        ..*last
                    };
                }
                letters.is_some()
            });
            let numbered = words.last_mut().filter(|last| {
                gap == "-" && last.starts_upper() && month(&last.text).is_none() && is_figures(word)
            });
            if let Some(last) = numbered {
                // COVID-19 and B-52 are names.
                last.text = format!("{}{word}", last.text);
                last.span.end = end;
            } else if !joined {
                words.push(Word {
                    text: word.to_owned(),
                    span: start..end,
                    opens,
                    counted: false,
                });
            }
        }
        Self { text, words }
    }

    /// What stands between a word and the next.
    fn gap(&self, at: usize) -> &'a str {
        let end = self.words.get(at + 1).map_or(self.text.len(), |w| w.span.start);
        &self.text[self.words[at].span.end..end]
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |w| &w.text)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        self.words[start].span.start..self.words[end - 1].span.end
    }
}

/// What a parser found: claims, and the word that it ends before.
type Parsed = Option<(Vec<Claim>, usize)>;

/// Dates.
impl Lexer<'_> {
    fn date(&self, at: usize) -> Parsed {
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
    fn figures(&self, at: usize) -> Option<(usize, Vec<(u32, u32, u32)>)> {
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
        let dates: Vec<(u32, u32, u32)> = match separator {
            "-" if parts[0].len() == 4 => vec![(a, b, c)],
            "/" | "." if parts[2].len() == 4 => vec![(c, a, b), (c, b, a)],
            _ => return None,
        };
        let is_date = |&(y, m, d): &(u32, u32, u32)| {
            (1000..3000).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d)
        };
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

/// A month by its name, or at least the first three letters of it; from 1.
fn month(word: &str) -> Option<u32> {
    let word = bare(word);
    let is = |name: &&str| word == **name || (3..=4).contains(&word.len()) && name.starts_with(&word);
    let at = MONTHS.iter().position(|name| is(&name))?;
    u32::try_from(at + 1).ok()
}

fn day(word: &str) -> Option<u32> {
    let figures = without_ordinal(word);
    let day = figures.parse().ok().filter(|d| (1..=31).contains(d))?;
    (figures.len() <= 2 && is_figures(figures)).then_some(day)
}

fn is_figures(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

fn year(word: &str) -> Option<u32> {
    let is_year = word.len() == 4 && is_figures(word);
    word.parse().ok().filter(|y| is_year && (1000..3000).contains(y))
}

fn without_ordinal(word: &str) -> &str {
    let endings = ["st", "nd", "rd", "th"];
    let stripped = endings.iter().find_map(|ending| word.strip_suffix(ending));
    stripped
        .filter(|rest| rest.ends_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(word)
}

/// A number as it is read.
struct Value {
    /// In figures, without what does not matter: `1000`, `0.5`. Two of them where it may be either.
    figures: Vec<String>,
    /// The power of ten that a word behind it multiplies it with.
    magnitude: usize,
    /// The word that it ends before.
    end: usize,
}

/// Numbers.
impl Lexer<'_> {
    fn number(&self, at: usize) -> Parsed {
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

/// Names.
impl Lexer<'_> {
    fn name(&self, at: usize) -> Parsed {
        let mut end = at;
        while self.is_name(end) && (end == at || self.goes_on(end - 1)) {
            end += 1;
        }
        if end == at {
            return None;
        }
        let word = |i: usize| {
            let word = &self.words[i];
            let (key, _) = word.name_keys();
            let folded = bare(&word.text).to_lowercase();
            let address = FORMS_OF_ADDRESS.contains(&folded.as_str());
            (!address).then(|| NameWord {
                span: word.span.clone(),
                common: word.opens.then(|| format!("-{}", key.trim_start_matches('~'))),
                is_title: TITLES.binary_search(&folded.as_str()).is_ok(),
                key,
            })
        };
        let words: Vec<NameWord> = (at..end).filter_map(word).collect();
        let together = if words.len() > LONGEST_NAME {
            1
        } else {
            LONGEST_NAME
        };
        let claim = |words: &[NameWord]| Claim {
            kind: ClaimKind::Name,
            span: words[0].span.start..words[words.len() - 1].span.end,
            needs: Needs::AllOf(words.to_vec()),
            gives: Vec::new(),
        };
        Some((words.chunks(together).map(claim).collect(), end))
    }

    fn is_name(&self, at: usize) -> bool {
        let Some(word) = self.words.get(at) else {
            return false;
        };
        let folded = word.folded();
        let plain = folded.split('\'').next().unwrap_or("");
        if NOT_THE_WORD.contains(&bare(&word.text).as_str()) {
            return true;
        }
        word.text.contains(char::is_uppercase)
            && !word.text.starts_with(|c: char| c.is_ascii_digit())
            && !is_function_word(plain)
            && !(word.opens && OPENERS.binary_search(&plain).is_ok())
            && self.date(at).is_none()
            && (!word.opens || self.number(at).is_none())
    }

    /// Whether a name may go on behind this word of it.
    fn goes_on(&self, at: usize) -> bool {
        let word = &self.words[at];
        let is_short =
            word.text.chars().count() == 1 || TITLES.binary_search(&word.folded().as_str()).is_ok();
        let is_possessive = word.folded().ends_with("'s");
        let next_opens = self.words.get(at + 1).is_some_and(|w| w.opens);
        match self.gap(at) {
            " " | "-" => !is_possessive && !next_opens,
            ". " | "." => is_short && !next_opens,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Claims as `kind:text`, those that need nothing left out.
    fn claims(text: &str) -> Vec<String> {
        let content = Content::of(text);
        let shown = content.claims.iter().filter(|c| c.needs != Needs::AnyOf(vec![]));
        shown
            .map(|c| format!("{:?}:{}", c.kind, &text[c.span.clone()]).to_lowercase())
            .collect()
    }

    /// Whether one text's first claim is shown by another text.
    fn shows(source: &str, claim: &str) -> bool {
        let keys: Vec<Key> = Content::of(source).into_keys().collect();
        let content = Content::of(claim);
        match &content
            .claims
            .first()
            .unwrap_or_else(|| panic!("no claim: {claim}"))
            .needs
        {
            Needs::AnyOf(any) => any.iter().any(|key| keys.contains(key)),
            Needs::AllOf(all) => all.iter().all(|word| keys.contains(&word.key)),
        }
    }

    #[test]
    fn word_lists_are_sorted() {
        assert!(OPENERS.is_sorted());
        assert!(TITLES.is_sorted());
    }

    #[test]
    fn claims_are_found_where_they_stand() {
        for (text, expected) in [
            ("The dam broke.", &[][..]),
            (
                "Insurers expect $40 million.",
                &["name:insurers", "number:$40 million"],
            ),
            (
                "On 3 March 2024, Ann Lund resigned.",
                &["date:3 march 2024", "name:ann lund"],
            ),
            ("It fell 5 % on Monday.", &["number:5 %", "date:monday"]),
            ("He said: “We lost five per cent.”", &["number:five per cent"]),
            (
                "Mr. Trump met U.S. Senator J. D. Vance.",
                &["name:trump", "name:u.s", "name:senator j. d. vance"],
            ),
            (
                "However, two hundred and fifty people left.",
                &["number:two hundred and fifty"],
            ),
            ("One of them came, no one left.", &[]),
            ("We may march in May.", &["date:may"]),
            (
                "It was 10:30 when COVID-19 came.",
                &["number:10:30", "name:covid-19"],
            ),
            (
                "Russia’s Putin and the WHO agreed.",
                &["name:russia’s", "name:putin", "name:who"],
            ),
            (
                "She is the first of 1,234.5.",
                &["number:first", "number:1,234.5"],
            ),
        ] {
            assert_eq!(claims(text), expected, "{text}");
        }
    }

    #[test]
    fn spellings_of_the_same_are_the_same() {
        for (a, b) in [
            ("1,000", "1000"),
            ("a thousand", "1000"),
            ("five", "5"),
            ("5%", "five percent"),
            ("5 per cent", "5 %"),
            ("$40 million", "40 million dollars"),
            ("1.1 million", "1,100,000"),
            ("40m", "forty million"),
            ("twenty-one", "21"),
            ("third", "3rd"),
            ("two hundred and fifty thousand", "250,000"),
            ("1990s", "1990"),
            ("3 March 2024", "March 3rd, 2024"),
            ("2024-03-03", "Mar. 3, 2024"),
            ("Putin’s", "Putin"),
            ("the Democrats", "a Democrat"),
            ("in the U.S.", "in the US"),
            ("in the United States", "in the US"),
        ] {
            assert!(shows(a, b), "{a} shows {b}");
            assert!(shows(b, a), "{b} shows {a}");
        }
    }

    #[test]
    fn what_says_more_shows_what_says_less() {
        for (more, less) in [
            ("3 March 2024", "March 2024"),
            ("3 March 2024", "3 March"),
            ("3 March 2024", "2024"),
            ("$40", "40"),
            ("3/4/2024", "3 April 2024"),
            ("40 to 50 million", "40 million"),
        ] {
            assert!(shows(more, less), "{more} shows {less}");
        }
        for (less, more) in [
            ("March 2024", "3 March 2024"),
            ("40", "$40"),
            ("5", "5 %"),
            ("5 %", "5"),
            ("40 million", "40"),
            ("give it to us", "to the US"),
            ("10 March", "10"),
            ("a second later", "5 seconds, or 3"),
        ] {
            assert!(!shows(less, more), "{less} does not show {more}");
        }
    }
}
