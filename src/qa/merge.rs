//! Candidates of all windows of all documents, merged: the best k that neither overlap nor say the same.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};

use unicode_segmentation::GraphemeCursor;

use super::decode::{Candidate, best_span, evidence, next_spans};
use super::wording::Wording;
use crate::document::{BlockKind, Document, STRUCK, Span, is_value, item_marker, turn};
use crate::engine::SpanLogits;
use crate::window::Window;

/// Windows kept for each answer that is asked for, and at least so many of those whose best spans say the
/// same words: else a sentence that recurs would crowd out the rest.
const WINDOWS_AN_ANSWER: usize = 16;
const WINDOWS_OF_THE_SAME: usize = 4;

/// A twentieth of all that speaks for any answer, as a difference of logarithms. Where no span may reach into the next section, what is
/// left of one that the reader meant to is often that section's number.
const LEAST_EVIDENCE_OF_A_MARK: f32 = 3.0;

/// Candidates beside better ones that are asked what they say, for each answer that is asked for: where a text says the same again and
/// again, all of its millions of spans are repetitions.
const LOOKED_AT_FOR_AN_ANSWER: usize = 500;

/// Collects windows with their logits and keeps those that can hold one of the best answers.
#[derive(Debug)]
pub struct Merger {
    answers: usize,
    answer_tokens: usize,
    windows: usize,
    evidence: Option<f32>,
    /// By score of the best span, then by order of arrival, the earlier the better.
    kept: BTreeMap<Key, Kept>,
    /// The keys of kept windows by the words of their best span.
    by_words: HashMap<String, BTreeSet<Key>>,
}

type Key = (OrderedScore, Reverse<usize>);

#[derive(Debug)]
struct Kept {
    document: usize,
    words: String,
    window: Window,
    logits: SpanLogits,
}

/// A finite score as a key.
#[derive(Debug, Clone, Copy, PartialEq)]
struct OrderedScore(f32);

impl Eq for OrderedScore {}

impl PartialOrd for OrderedScore {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OrderedScore {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Merger {
    /// For the best `answers` spans of at most `answer_tokens` tokens.
    #[must_use]
    pub fn new(answers: usize, answer_tokens: usize) -> Self {
        Self {
            answers,
            answer_tokens,
            windows: 0,
            evidence: None,
            kept: BTreeMap::new(),
            by_words: HashMap::new(),
        }
    }

    /// How many windows have been added.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// The greatest [`evidence`] of the windows that have been added; `None` without any that holds text.
    #[must_use]
    pub fn evidence(&self) -> Option<f32> {
        self.evidence
    }

    /// Adds a window of `document`, the `index`th. Windows come in the order of the documents.
    pub fn add(&mut self, index: usize, document: &Document, window: Window, logits: SpanLogits) {
        let order = self.windows;
        self.windows += 1;
        let Some(best) = best_span(&window, &logits, self.answer_tokens) else {
            return;
        };
        let evidence = evidence(&window, &logits, self.answer_tokens);
        self.evidence = Some(self.evidence.map_or(evidence, |greatest| greatest.max(evidence)));
        let key = (OrderedScore(best.score), Reverse(order));
        let words = folded(&document.text()[whole(document, best.span)]);
        let same = self.by_words.entry(words.clone()).or_default();
        same.insert(key);
        if same.len() > self.answers.max(WINDOWS_OF_THE_SAME)
            && let Some(lowest) = same.pop_first()
        {
            self.kept.remove(&lowest);
            if lowest == key {
                return;
            }
        }
        self.kept.insert(
            key,
            Kept {
                document: index,
                words,
                window,
                logits,
            },
        );
        if self.kept.len() > self.answers.saturating_mul(WINDOWS_AN_ANSWER)
            && let Some((lowest, kept)) = self.kept.pop_first()
            && let Some(same) = self.by_words.get_mut(&kept.words)
        {
            same.remove(&lowest);
        }
    }

    /// The best spans with the index of their document, best first.
    ///
    /// Chosen one after the other: each is the best that does not overlap a better one and does not repeat
    /// its words. What a window has to offer is looked at once, from the best down: what does not fit to those
    /// that are chosen will not fit later.
    #[must_use]
    pub fn finish(self, documents: &[&Document]) -> Vec<(usize, Candidate)> {
        let mut offers: Vec<Offers> = self.kept.values().rev().map(Offers::of).collect();
        // The best of each window, or more where it was not looked at yet.
        let first = self.kept.keys().rev().enumerate();
        let mut queue: BinaryHeap<(OrderedScore, Reverse<usize>)> =
            first.map(|(i, (score, _))| (*score, Reverse(i))).collect();
        let mut chosen: Vec<(usize, Candidate)> = Vec::new();
        let mut said: Vec<Said> = Vec::new();
        let looked_at = Cell::new(0);
        let doubted = self.evidence.unwrap_or_default() - LEAST_EVIDENCE_OF_A_MARK;
        let most = self.answers.saturating_mul(LOOKED_AT_FOR_AN_ANSWER);
        while chosen.len() < self.answers
            && looked_at.get() < most
            && let Some((_, Reverse(i))) = queue.pop()
        {
            let index = offers[i].kept.document;
            let document = documents[index];
            let lies_over = |span: &Span, chosen: &[(usize, Candidate)]| {
                let mut own = chosen.iter().filter(|(other, _)| *other == index);
                own.any(|(_, c)| overlap(&c.span, span))
            };
            let is_new = |candidate: &Candidate, chosen: &[(usize, Candidate)], said: &[Said]| {
                !lies_over(&candidate.span, chosen) && {
                    looked_at.update(|count| count + 1);
                    !repeats(document, &candidate.span, said)
                }
            };
            if let Some(candidate) = offers[i].best(self.answer_tokens)
                && is_new(candidate, &chosen, &said)
            {
                let mut candidate = candidate.clone();
                offers[i].drop_best();
                // As a whole, it may have come to lie over another, or to say the same.
                candidate.span = whole(document, candidate.span);
                let words = Said::of(&document.text()[candidate.span.clone()]);
                // A question may be after the number of a clause: then most speaks for it.
                let is_none = candidate.score < doubted && is_mark(document, &candidate.span);
                if !is_none && !lies_over(&candidate.span, &chosen) && !words.is_said(&said) {
                    said.push(words);
                    chosen.push((index, candidate));
                }
                if chosen.len() == self.answers {
                    break;
                }
            }
            while looked_at.get() < most
                && let Some(candidate) = offers[i].best(self.answer_tokens)
            {
                if is_new(candidate, &chosen, &said) {
                    queue.push((OrderedScore(candidate.score), Reverse(i)));
                    break;
                }
                offers[i].drop_best();
            }
        }
        chosen
    }
}

/// Spans of a window that are looked for at first, and twice as many each time that none of them fitted.
const OFFERS: usize = 64;

/// What a window has to offer, from the best down.
struct Offers<'a> {
    kept: &'a Kept,
    next: VecDeque<Candidate>,
    count: usize,
    dropped: Option<Candidate>,
}

impl<'a> Offers<'a> {
    fn of(kept: &'a Kept) -> Self {
        Self {
            kept,
            next: VecDeque::new(),
            count: OFFERS,
            dropped: None,
        }
    }

    fn best(&mut self, answer_tokens: usize) -> Option<&Candidate> {
        if self.next.is_empty() {
            let (window, logits) = (&self.kept.window, &self.kept.logits);
            self.next = next_spans(window, logits, answer_tokens, self.dropped.as_ref(), self.count).into();
            self.count *= 2;
        }
        self.next.front()
    }

    fn drop_best(&mut self) {
        self.dropped = self.next.pop_front();
    }
}

fn overlap(a: &Span, b: &Span) -> bool {
    a.start < b.end && b.start < a.end
}

/// What makes two answers the same: their words in lower case, a space before and after each.
fn folded(text: &str) -> String {
    let mut folded = String::from(" ");
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        folded.extend(word.chars().flat_map(char::to_lowercase));
        folded.push(' ');
    }
    folded
}

/// What a better answer says.
struct Said {
    folded: String,
    wording: Wording,
}

impl Said {
    fn of(text: &str) -> Self {
        Self {
            folded: folded(text),
            wording: Wording::of(text),
        }
    }

    fn has(&self, folded: &str) -> bool {
        memchr::memmem::find(self.folded.as_bytes(), folded.as_bytes()).is_some()
    }

    /// Whether a better answer has these words, and none beside them that makes another answer of it, or there are none.
    fn is_said(&self, better: &[Self]) -> bool {
        let is_said = |better: &Self| better.has(&self.folded) && self.wording.is_said_by(&better.wording);
        self.folded.trim().is_empty() || better.iter().any(is_said)
    }
}

/// Whether a span says what a better answer says, or is punctuation. What counts is the whole that would be
/// quoted: the "5" of "-5" is no repetition of "5".
fn repeats(document: &Document, span: &Span, said: &[Said]) -> bool {
    let part = folded(&document.text()[span.clone()]);
    // Most have other words, which are quickly seen.
    if !part.trim().is_empty() && !said.iter().any(|better| better.has(&part)) {
        return false;
    }
    let whole = match stands_alone(document.text(), span) {
        true => span.clone(),
        false => whole(document, span.clone()),
    };
    Said::of(&document.text()[whole]).is_said(said)
}

/// Whether a span is words, with white space around them: it is all that would be quoted. What says the same again and again has so
/// many of them that asking [`whole`] would take minutes.
fn stands_alone(text: &str, span: &Span) -> bool {
    let inside = &text[span.clone()];
    let is_word = |c: char| c.is_alphabetic() || matches!(c, ' ' | ',');
    text[..span.start].ends_with(' ')
        && text[span.end..].starts_with(' ')
        && inside.chars().all(is_word)
        && !inside.ends_with([' ', ','])
        && !inside.starts_with([' ', ','])
}

/// What is quoted of a document for a span of tokens.
fn whole(document: &Document, span: Span) -> Span {
    let text = document.text();
    let span = without_next_mark(text, whole_characters(text, span));
    let span = within_item(document, whole_tokens(text, span));
    let span = without_struck(text, without_turn(text, span));
    whole_value(document, span)
}

/// Whether a span is the number of a clause, which stands before what it says: "1.2 The fee" with "1.1" above or "1.3" below, and not
/// a version of a list that begins with the newest.
fn is_mark(document: &Document, span: &Span) -> bool {
    /// How far away they are looked for, in bytes.
    const REACH: usize = 2000;
    let text = document.text();
    let begins_line = span.start == 0 || text[..span.start].ends_with('\n');
    let mark = text[span.clone()].trim_end_matches('.');
    let is_number = |part: &str| matches!(part.len(), 1..=3) && part.bytes().all(|b| b.is_ascii_digit());
    let opens = |rest: &str| {
        let rest = rest.trim_start_matches('.').strip_prefix([' ', '\t']);
        rest.is_some_and(|rest| rest.starts_with(char::is_uppercase))
    };
    let Some((chapter, number)) = mark.rsplit_once('.') else {
        return false;
    };
    let (true, true, Ok(number)) = (begins_line, mark.split('.').all(is_number), number.parse::<u16>())
    else {
        return false;
    };
    if !opens(&text[span.start + mark.len()..]) || document.block_at(span.start).kind == BlockKind::TableCell
    {
        return false;
    }
    let (from, to) = (
        text.ceil_char_boundary(span.start.saturating_sub(REACH)),
        text.floor_char_boundary((span.end + REACH).min(text.len())),
    );
    let has = |near: &str, number: u16| {
        let mark = format!("{chapter}.{number}");
        near.lines()
            .any(|line| line.strip_prefix(&mark).is_some_and(opens))
    };
    number > 0 && has(&text[from..span.start], number - 1) || has(&text[span.end..to], number + 1)
}

/// A span without what it ends with of the next line's beginning: the number of a clause, "£4.50.\n1.3" of "is £4.50.\n1.3 The fee", or
/// the label of an entry, "4120\nLaptop" of "Pay: Bell, 4120\nLaptop: Lund, 4400".
fn without_next_mark(text: &str, span: Span) -> Span {
    let inside = &text[span.clone()];
    let Some(line) = inside.rfind('\n') else {
        return span;
    };
    // What begins with a mark itself has the marks of several.
    if text[..span.start].ends_with('\n') && inside.starts_with(|c: char| c.is_ascii_digit() || c == '(') {
        return span;
    }
    let (before, mark) = (inside[..line].trim_end(), inside[line..].trim());
    let is_number = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'(' | b')');
    let goes_on = text[span.end..].starts_with(['.', ')', ' ', '\t']);
    let ends = |text: &str| text.ends_with(['.', ';', '?', '!', ':']);
    if mark.len() <= LONGEST_MARK && mark.bytes().all(is_number) && goes_on && ends(before) {
        // The stop belongs to the sentence, unless it is one of an abbreviation.
        let number = before.trim_end_matches(['.', ';']);
        let is_amount = number.ends_with(|c: char| c.is_ascii_digit() || c == '%');
        let kept = if is_amount { number } else { before };
        return span.start..span.start + kept.len();
    }
    let reach = |at: usize| text.floor_char_boundary((at + LONGEST_LABEL).min(text.len()));
    let from = text.ceil_char_boundary(span.start.saturating_sub(LONGEST_LINE));
    let own = text[from..span.start]
        .rfind('\n')
        .map_or(from, |line| from + line + 1);
    let (own_label, next) = (label(&text[own..reach(own)]), span.start + line + 1);
    let ends_in_label = label(&text[next..reach(next)]).is_some_and(|label| span.end <= next + label.len());
    let is_entry = own_label.is_some_and(|label| own + label.len() < span.start);
    match ends_in_label && is_entry && !before.is_empty() {
        true => span.start..span.start + before.len(),
        false => span,
    }
}

/// The label that a line begins with: "Laptop and phone" of "Laptop and phone: Lund".
fn label(line: &str) -> Option<&str> {
    let (label, _) = line.split_once(": ")?;
    let is_label = label.starts_with(char::is_uppercase) && !label.contains(['\n', '.', ',']);
    is_label.then_some(label)
}

/// Longer labels, and lines behind them, in bytes, are prose.
const LONGEST_LABEL: usize = 42;
const LONGEST_LINE: usize = 200;

/// The number of a clause is seldom longer.
const LONGEST_MARK: usize = 9;

/// A span from within an item into the next, but not to that one's end: what it has of the first. Whole items may be an answer together,
/// and so may those of a sentence ("Ann Bell,").
fn within_item(document: &Document, span: Span) -> Span {
    let (first, last) = (document.block_at(span.start), document.block_at(span.end - 1));
    let text = document.text();
    if first.kind != BlockKind::ListItem || first.span == last.span || !first.span.contains(&span.start) {
        return span;
    }
    let begins = text.floor_char_boundary((first.span.start + LONGEST_MARK).min(first.span.end));
    let begins = first.span.start + item_marker(&text[first.span.start..begins]);
    let ends = text[span.end..last.span.end.max(span.end)].trim_start_matches(['.', ',', ';']);
    if span.start <= begins || ends.is_empty() {
        return span;
    }
    let kept = text[span.start..first.span.end].trim_end_matches([',', ';', '.', ' ']);
    match kept.is_empty() {
        true => span,
        false => span.start..span.start + kept.len(),
    }
}

/// Widens a span to whole user-perceived characters, since tokenizers leave out combining marks at the end
/// of a word, and takes white space off its ends.
fn whole_characters(text: &str, span: Span) -> Span {
    let (mut start, mut end) = (span.start, span.end);
    let boundary = |at: usize| {
        GraphemeCursor::new(at, text.len(), true)
            .is_boundary(text, 0)
            .unwrap_or(true)
    };
    while !text.is_char_boundary(start) || !boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) || !boundary(end) {
        end += 1;
    }
    let inner = &text[start..end];
    let lead = inner.len() - inner.trim_start().len();
    let trimmed = inner.trim();
    if trimmed.is_empty() {
        start..end
    } else {
        start + lead..start + lead + trimmed.len()
    }
}

/// A span without the `A.` that a witness's words begin with: a name with an initial before it would be another.
fn without_turn(text: &str, span: Span) -> Span {
    /// How far away another turn is looked for, in bytes.
    const REACH: usize = 2000;
    let begins_line = span.start == 0 || text[..span.start].ends_with('\n');
    let Some(own) = turn(&text[span.clone()]).filter(|_| begins_line) else {
        return span;
    };
    let (from, to) = (
        text.ceil_char_boundary(span.start.saturating_sub(REACH)),
        text.floor_char_boundary((span.start + REACH).min(text.len())),
    );
    let is_other = |line: &str| turn(line).is_some_and(|other| other != own);
    if !text[from..to].lines().any(is_other) {
        return span;
    }
    let words = text[span.start + 1..span.end]
        .trim_start_matches(|c: char| matches!(c, '.' | ':') || c.is_whitespace());
    match words.len() {
        0 => span,
        length => span.end - length..span.end,
    }
}

/// A span without the part of what is struck that it begins or ends with: of `£5,000~~ £7,500`, only the second holds.
fn without_struck(text: &str, span: Span) -> Span {
    /// How far away the tildes before it are looked for, in bytes.
    const REACH: usize = 2000;
    // Tokens cut the marks themselves.
    let cut = |at: usize| {
        let tildes = at - text[..at].trim_end_matches('~').len();
        tildes % STRUCK.len() == 1 && text[at..].starts_with('~')
    };
    let span = span.start - usize::from(cut(span.start))..span.end + usize::from(cut(span.end));
    let from = text.ceil_char_boundary(span.start.saturating_sub(REACH));
    let before = &text[from..span.start];
    let before = &before[before.rfind("\n\n").unwrap_or(0)..];
    let begins_struck = before.matches(STRUCK).count() % 2 == 1;
    let inside = &text[span.clone()];
    let holds = match inside.split_once(STRUCK) {
        Some((_, rest)) if begins_struck => rest,
        _ => inside,
    };
    let holds = match holds.rsplit_once(STRUCK) {
        Some((rest, _)) if holds.matches(STRUCK).count() % 2 == 1 => rest,
        _ => holds,
    };
    let words = holds.trim();
    match words.contains(char::is_alphanumeric) {
        true => {
            let start = span.start + (words.as_ptr() as usize - inside.as_ptr() as usize);
            start..start + words.len()
        }
        false => span,
    }
}

/// Widens the number of a table's cell to the cell, if that holds no other: `(1,142)` is a loss, and `$0.52` no number of shares.
fn whole_value(document: &Document, span: Span) -> Span {
    let block = document.block_at(span.start);
    let text = document.text();
    let is_cell = block.kind == BlockKind::TableCell
        && span.end <= block.span.end
        && block.span.len() <= LONGEST_NUMBER;
    let has_digit = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    let is_all = || {
        let others = [block.span.start..span.start, span.end..block.span.end];
        has_digit(&text[span.clone()]) && !others.into_iter().any(|other| has_digit(&text[other]))
    };
    match is_cell && is_value(&text[block.span.clone()]) && is_all() {
        true => block.span.clone(),
        false => span,
    }
}

/// Widens a span at whose ends an address of mail or of the web, a number with a fraction or a sign, a time, a telephone number or a
/// case's number (`3:22-cv-04410`) would be cut: half of one is none.
fn whole_tokens(text: &str, span: Span) -> Span {
    let (mut start, mut end) = (span.start, span.end);
    if let Some(address) = address_at(text, start) {
        start = start.min(address.start);
    }
    if let Some(address) = address_at(text, end - 1) {
        end = end.max(address.end);
    }
    let digit = |c: char| c.is_ascii_digit();
    let least = text.ceil_char_boundary(start.saturating_sub(LONGEST_NUMBER));
    while text[start..].starts_with(digit) {
        let near = &text[least..start];
        let before = near.strip_suffix(['.', ',', ':']).unwrap_or(near);
        let rest = before.trim_end_matches(digit);
        if rest.len() == before.len() {
            break;
        }
        start = least + rest.len();
    }
    // A sign, also one before a currency's: "-$5".
    let currency = ['$', '€', '£', '¥'];
    let number = text[start..].strip_prefix(currency).unwrap_or(&text[start..]);
    if number.starts_with(digit) {
        let money = text[..start].strip_suffix(currency).unwrap_or(&text[..start]);
        let before = money.trim_end_matches(['-', '−', '–']);
        let is_sign = before.is_empty() || before.ends_with(|c: char| c.is_whitespace() || c == '(');
        if money.ends_with('+') && !money.ends_with("++") && !money.trim_end_matches('+').ends_with(digit) {
            start = money.len() - 1;
        } else if is_sign && money[before.len()..].chars().count() == 1 {
            start = before.len();
        }
    }
    let most = text.floor_char_boundary((end + LONGEST_NUMBER).min(text.len()));
    while text[..end].ends_with(digit) && end < most {
        let rest = &text[end..most];
        let fraction = rest.strip_prefix(['.', ',', ':']).unwrap_or(rest);
        let digits = fraction.len() - fraction.trim_start_matches(digit).len();
        if digits == 0 {
            break;
        }
        end += rest.len() - fraction.len() + digits;
    }
    if text[..end].ends_with(digit) && text[end..].starts_with('-') {
        let to = text.floor_char_boundary((end + LONGEST_NUMBER).min(text.len()));
        let rest = text[end..to]
            .split(char::is_whitespace)
            .next()
            .unwrap_or_default();
        let rest = rest.trim_end_matches(|c: char| !c.is_alphanumeric());
        if rest.contains(digit) && rest.contains(|c: char| c.is_ascii_alphabetic()) {
            end += rest.len();
        }
    }
    let others = text[..end].trim_end_matches(|c: char| c.is_alphabetic() || c == '.');
    let is_abbreviation = text[others.len()..end]
        .split_once('.')
        .is_some_and(|(first, rest)| first.len() == 1 && rest.split('.').all(|part| part.len() == 1));
    if is_abbreviation && text[end..].starts_with('.') {
        end += 1; // "6 a.m"
    }
    start..end
}

/// What a number has on either side of a span, in bytes, is seldom longer.
const LONGEST_NUMBER: usize = 40;

/// The address around a byte, without the brackets and stops around it.
fn address_at(text: &str, byte: usize) -> Option<Span> {
    const LONGEST: usize = 500;
    let from = text.ceil_char_boundary(byte.saturating_sub(LONGEST));
    let to = text.floor_char_boundary((byte + LONGEST).min(text.len()));
    let at = text.floor_char_boundary(byte).max(from);
    let start = text[from..at]
        .char_indices()
        .rev()
        .find(|&(_, c)| c.is_whitespace())
        .map(|(space, c)| from + space + c.len_utf8())
        .or((from == 0).then_some(0))?;
    let end = text[at..to]
        .find(char::is_whitespace)
        .map(|length| at + length)
        .or((to == text.len()).then_some(to))?;
    let word = &text[start..end];
    let is_around = |c: char| !c.is_alphanumeric() && !matches!(c, '/' | '+' | '_');
    let word = word.trim_start_matches(is_around);
    let start = end - word.len();
    let word = word.trim_end_matches(is_around);
    let is_address = word.contains("://") || word.starts_with("www.") || word.trim_matches('@').contains('@');
    let span = start..start + word.len();
    (is_address && span.contains(&byte)).then_some(span)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::Format;

    #[test]
    fn the_mark_of_a_turn_is_no_initial() {
        let words = |text: &'static str, answer: &str| {
            let at = text.find(answer).unwrap();
            &text[without_turn(text, at..at + answer.len())]
        };
        let transcript = "Q.  Who?\nA.  Dale Pruitt.\nQ.  A. Milne?\n";
        assert_eq!(words(transcript, "A.  Dale Pruitt"), "Dale Pruitt");
        assert_eq!(words(transcript, "Q.  A. Milne"), "A. Milne");
        assert_eq!(
            words("Q: Who?\nA: Dale Pruitt.\n", "A: Dale Pruitt"),
            "Dale Pruitt"
        );
        assert_eq!(words(transcript, "A. Milne"), "A. Milne");
        assert_eq!(words(transcript, "A.  "), "A.  ");
        assert_eq!(words("A. Milne wrote it.\nQ was there.", "A. Milne"), "A. Milne");
    }

    #[test]
    fn addresses_and_numbers_are_not_cut() {
        let text = "Write to <press.office@trust.example>, call +44 20 7946 or 3.5, see https://www.trust.example/a-b/c.html. Version 1.2.3, 14-year-old (www.a.example).";
        let widened = |part: &str| {
            let at = text.find(part).unwrap();
            &text[whole_tokens(text, at..at + part.len())]
        };
        assert_eq!(widened("press"), "press.office@trust.example");
        assert_eq!(widened("to <press"), "to <press.office@trust.example");
        assert_eq!(widened("trust"), "press.office@trust.example");
        assert_eq!(widened("44 20"), "+44 20");
        assert_eq!(widened("or 3"), "or 3.5");
        assert_eq!(
            widened("https://www.trust"),
            "https://www.trust.example/a-b/c.html"
        );
        assert_eq!(widened("1.2"), "1.2.3");
        assert_eq!(widened("14"), "14");
        assert_eq!(widened("(www.a"), "(www.a.example");
        assert_eq!(widened("www"), "https://www.trust.example/a-b/c.html");
        assert_eq!(whole_tokens("No. 3:22-cv-04410-JSC, filed", 4..8), 4..21);
        assert_eq!(whole_tokens("in 2019-2020", 3..7), 3..7);
        assert_eq!(whole_tokens("a 19-year-old", 2..4), 2..4);
        assert_eq!(whole_tokens("a@b", 0..1), 0..3);
        assert_eq!(whole_tokens("at 10:30", 3..5), 3..8);
        assert_eq!(whole_tokens("at 10:30", 6..8), 3..8);
        assert_eq!(whole_tokens("cost $5,199.50", 8..11), 6..14);
        assert_eq!(whole_tokens("cost 84.2", 8..9), 5..9);
        assert_eq!(whole_tokens("in 2019. 14 died", 9..16), 9..16);
        assert_eq!(whole_tokens("at -5 degrees", 4..5), 3..5);
        assert_eq!(whole_tokens("−7", 3..4), 0..4);
        for money in ["at -$5", "at −£5", "at -5"] {
            assert_eq!(
                whole_tokens(money, money.len() - 1..money.len()).start,
                3,
                "{money}"
            );
        }
        assert_eq!(whole_tokens("at -$5", 4..6), 3..6);
        assert_eq!(whole_tokens("at -£5", 6..7), 3..7);
        assert_eq!(whole_tokens("at $5", 4..5), 4..5);
        assert_eq!(whole_tokens("at $5+$3", 6..8), 6..8);
        assert_eq!(whole_tokens("score 3-2", 8..9), 8..9);
        assert_eq!(whole_tokens("a --5", 4..5), 4..5);
        let endless = "5,".repeat(10_000);
        assert_eq!(whole_tokens(&endless, 5_000..5_001), 4_960..5_041);
        let endless = "x@".repeat(10_000);
        assert_eq!(whole_tokens(&endless, 5_000..5_001), 5_000..5_001);
    }

    #[test]
    fn the_number_of_a_cell_is_the_whole_cell() {
        let source = "a,b,c\n(142),$0.52,93 ± 7\nx 5,2024,−3.1%\n";
        let document = Document::new("t", source, Format::Csv).unwrap();
        let of = |part: &str| {
            let at = document.text().find(part).unwrap();
            &document.text()[whole_value(&document, at..at + part.len())]
        };
        assert_eq!(of("142"), "(142)");
        assert_eq!(of("0.52"), "$0.52");
        assert_eq!(of("3.1"), "−3.1%");
        assert_eq!(of("93"), "93");
        assert_eq!(of("x"), "x");
    }

    #[test]
    fn what_is_half_struck_is_what_holds() {
        let of = |text: &'static str, part: &str| {
            let at = text.find(part).unwrap();
            &text[without_struck(text, at..at + part.len())]
        };
        assert_eq!(of("It is ~~£5,000~~ £7,500.", "£5,000~~ £7,500"), "£7,500");
        assert_eq!(of("It is £7,500 ~~£5,000~~.", "£7,500 ~~£5,000"), "£7,500");
        assert_eq!(
            of("It is ~~£5,000~~ £7,500.", "~~£5,000~~ £7,500"),
            "~~£5,000~~ £7,500"
        );
        assert_eq!(of("It is ~~£5,000~~ £7,500.", "£5,000"), "£5,000");
        assert_eq!(of("It is ~~£5,000~~.", "~£5,000~"), "~~£5,000~~");
        assert_eq!(of("It is ~~£5,000~~ £7,500.", "~ £7,500"), "£7,500");
        assert_eq!(
            of("~~£5,000~~~~£6,000~~ £7,500", "~~£6,000~~ £7,500"),
            "~~£6,000~~ £7,500"
        );
        assert_eq!(of("~~£5,000~~~~£6,000~~ £7,500", "~~£5,000~~"), "~~£5,000~~");
        assert_eq!(of("~~It is 5~~.", "5~~"), "5~~");
        assert_eq!(of("a ~~ b\n\n5 ~~6~~ 7", "5 ~~6~~ 7"), "5 ~~6~~ 7");
        assert_eq!(of("about ~~ 5", "5"), "5");
    }

    #[test]
    fn the_number_of_the_next_clause_is_no_part_of_an_answer() {
        let of = |text: &str, part: &str, format| {
            let document = Document::new("t", text, format).unwrap();
            let at = document.text().find(part).unwrap();
            document.text()[whole(&document, at..at + part.len())].to_owned()
        };
        let clauses = "1.2 The fee is £4.50.\n1.3 The other is from Acme Inc.\n(4) Cash is free at 9:30; and\n3 people pay.\n";
        let plain = |part: &str| of(clauses, part, Format::Plain);
        assert_eq!(plain("£4.50.\n1.3"), "£4.50");
        assert_eq!(plain("£4.50.\n1"), "£4.50");
        assert_eq!(plain("Acme Inc.\n(4"), "Acme Inc.");
        for part in ["9:30; and\n3", "1.3 The other is from Acme Inc.\n(4"] {
            assert_eq!(plain(part), part);
        }
        let entries = "Pay: Beatrix Lam, extension 4120\nLaptop and phone: Lund\nHe was with the mayor\nJohn Smith: no.\n";
        let entry = |part: &str| of(entries, part, Format::Plain);
        assert_eq!(entry("4120\nLaptop and phone"), "4120");
        assert_eq!(entry("4120\nLaptop"), "4120");
        assert_eq!(entry("the mayor\nJohn Smith"), "the mayor\nJohn Smith");
        let long = format!("Pay: {}\nLaptop: Lund\n", "word ".repeat(100));
        let all = &long["Pay: ".len()..long.len() - ": Lund\n".len()];
        assert_eq!(
            of(&long, all, Format::Plain),
            all.trim_end_matches("\nLaptop").trim_end()
        );
        let items =
            "- Bell, extension 4120\n- Laptop and phone: Lund\n- Ann Bell,\n- Otto Lund and\n- Mary Ames.\n";
        let list = |part: &str| of(items, part, Format::Markdown);
        assert_eq!(list("4120\nLaptop and phone"), "4120");
        for part in ["Bell, extension 4120\nLaptop", "Bell,\nOtto Lund and\nMary Ames"] {
            assert_eq!(list(part), part);
        }
    }

    #[test]
    fn the_number_of_a_clause_has_neighbours() {
        let is_mark = |text: &str, part: &str, format| {
            let document = Document::new("t", text, format).unwrap();
            let at = document.text().find(part).unwrap();
            is_mark(&document, &(at..at + part.len()))
        };
        let clauses = "1.2 The fee is £4.50.\n1.3. The other is £9.\n1.5 Cash is free.\n";
        assert!(is_mark(clauses, "1.2", Format::Plain));
        assert!(is_mark(clauses, "1.3", Format::Plain));
        assert!(!is_mark(clauses, "1.5", Format::Plain));
        let versions = "1.3 Fixes the search.\n1.2 Adds tables.\n1.1 First release.\n";
        assert!(!is_mark(versions, "1.2", Format::Plain));
        assert!(!is_mark("Score,Name\n1.2,Bell\n1.3,Lund\n", "1.2", Format::Csv));
    }

    #[test]
    fn spans_are_widened_to_whole_characters() {
        let text = "a cafe\u{301} b";
        assert_eq!(&text[whole_characters(text, 2..6)], "cafe\u{301}");
        let text = " 👩\u{200d}🚀 ";
        assert_eq!(&text[whole_characters(text, 1..5)], "👩\u{200d}🚀");
        assert_eq!(&text[whole_characters(text, 0..12)], "👩\u{200d}🚀");
    }

    #[test]
    fn the_same_words_are_the_same_answer() {
        assert_eq!(folded("Marco Rubio,"), folded("marco rubio"));
        let said = ["Bob Smith of Hull", "£2,400 plus VAT", "€500", "5", "7 ~~8~~"].map(Said::of);
        let repeats = |text: &str, part: &str| {
            let document = Document::new("t", text, Format::Markdown).unwrap();
            let start = document.text().find(part).unwrap();
            super::repeats(&document, &(start..start + part.len()), &said)
        };
        for same in ["— “…”", "Smith", "5", "7"] {
            assert!(repeats(same, same), "{same}");
        }
        for other in ["Smi", "Al Jones", "£400", "£2,400", "£500"] {
            assert!(!repeats(other, other), "{other}");
        }
        assert!(!repeats("at -5 degrees", "5"));
        assert!(!repeats("within 5.5 days", "5"));
    }

    /// Text made of what the rules look at.
    fn tricky() -> impl Strategy<Value = String> {
        #[rustfmt::skip]
        let pieces = [
            "1.2", "1.3", "(4)", " ", "\n", "\n\n", "- ", "The fee", "Pay: Bell", "£", "-", "−", "$5", "9:30", ".", ";", "~", "~~", "A.", "Q. Who?", "é", "cafe\u{301}", "👩\u{200d}🚀", "www.a.example", "(1,142)", "+", "5,5,5", "%", "\t", "|",
        ];
        proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 1..40)
            .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_a_part_of_the_text(text in tricky(), from in 0usize..200, length in 1usize..60, is_list: bool) {
            let format = if is_list { Format::Markdown } else { Format::Plain };
            let Ok(document) = Document::new("t", text.as_str(), format) else { return Ok(()) };
            let text = document.text();
            let start = text.floor_char_boundary(from % text.len());
            let end = text.ceil_char_boundary((start + length).min(text.len()));
            prop_assume!(start < end && !text[start..end].trim().is_empty());
            let span = whole(&document, start..end);
            prop_assert!(!span.is_empty() && !text[span].trim().is_empty());
        }
    }
}
