//! What a page of a PDF draws, made ready to be laid out: small figures above the line are marks of notes or exponents, large
//! letters are kept out of the line above or below them, and blanks out of the words that they are drawn over.

use std::collections::BTreeMap;
use std::ops::Range;

use pdfboss_output::TextSpan;

use super::clean;

/// The layout takes spans for one line whose baselines are closer than this, of the larger size.
const SAME_LINE: f32 = 0.5;
/// Baselines that are looked at on each side of one.
const MOST_BASELINES: usize = 64;
/// Baselines of two lines are further apart than this, of the smaller size; those of a line and its indices are not.
const CLOSEST_LINES: f32 = 0.6;
/// What is drawn above a line for as much of its width, in its size, is no accent, limit or numerator.
const LARGEST_ACCENT: f32 = 2.0;
/// Blanks of which as much lies over words say nothing: what fills the cell of a table up is drawn on into the next.
const COVERED: f32 = 0.9;
/// Words that are looked at on each side of a blank.
const MOST_NEIGHBOURS: usize = 8;
/// A mark is smaller than this, of the words' size.
const MARK_SIZE: f32 = 0.85;
/// How far it is raised, in the words' size.
const MARK_RISE: Range<f32> = 0.15..0.7;
/// How far below a numerator its denominator stands, in its size. The mark of the next line is further down.
const DENOMINATOR_DROP: Range<f32> = 0.6..2.0;
/// How far from the words it stands at most, in their size.
const MARK_GAP: f32 = 0.15;
/// Letters of a word are closer, in their size.
const WITHIN_WORD: f32 = 0.12;
/// What is kept of a word to know how it ends, in bytes, and how many spans a mark may be.
const LONGEST_TAIL: usize = 16;
/// Before a figure it is raised with it: no mark has one.
const MINUS: [char; 2] = ['-', '−'];
/// Words of so many letters are no units ("km²") and no formulas.
const LEAST_WORD: usize = 3;

/// Prepares the spans of a page, in the order in which they are drawn.
pub(super) fn prepare(spans: &mut Vec<TextSpan>) {
    raise(spans);
    let lines = baselines(spans);
    set_apart(spans, &lines);
    let mut index = 0;
    spans.retain(|span| {
        index += 1;
        !is_blank(span) || !is_covered(span, index - 1, &lines)
    });
}

fn is_blank(span: &TextSpan) -> bool {
    span.text.trim().is_empty()
}

/// Figures above the line are left out behind words, stops and years: the marks of notes. Behind other figures, units and brackets
/// they are exponents ("10⁶", "km²"). What is raised and no figure, a numerator, or what stands before a word is left as it is.
fn raise(spans: &mut Vec<TextSpan>) {
    // The end of the word that was drawn last, which may be several spans.
    let (mut word, mut tail) = (None, String::new());
    let mut index = 0;
    while index < spans.len() {
        if is_blank(&spans[index]) {
            tail.push(' ');
            index += 1;
            continue;
        }
        let before: Option<&TextSpan> = word.map(|word: usize| &spans[word]);
        let Some(before) = before.filter(|before| is_raised(before, &spans[index]) && !tail.ends_with(' '))
        else {
            let span = &spans[index];
            if !before.is_some_and(|before| is_behind(before, span)) {
                tail.clear();
            }
            tail.push_str(&span.text);
            let kept = tail.floor_char_boundary(tail.len().saturating_sub(LONGEST_TAIL));
            tail.drain(..kept);
            word = Some(index);
            index += 1;
            continue;
        };
        let end = end_of_run(spans, index);
        let last = spans[index..end]
            .iter()
            .rposition(|span| !is_blank(span))
            .map_or(index, |at| index + at);
        let text: String = spans[index..=last]
            .iter()
            .map(|span| span.text.as_str())
            .collect();
        let is_numerator = is_numerator(spans, index, end);
        let next = spans.get(end);
        let is_negative = text.trim_start().starts_with(MINUS);
        let is_mark = !is_negative
            && ends_word(&tail)
            && !next.is_some_and(|next| begins_word(before, &spans[last], next));
        let is_number = text
            .trim()
            .chars()
            .all(|c| c.is_ascii_digit() || " ,–-".contains(c));
        if is_mark && is_number && !is_numerator {
            let (end_x, is_apart) = (spans[last].end_x, text.ends_with(char::is_whitespace));
            spans[index..=last].iter_mut().for_each(|span| span.text.clear());
            if let Some(word) = word.map(|word| &mut spans[word]) {
                // What follows stands behind the word.
                extend(word, end_x, is_apart);
            }
        } else if !is_numerator && clean::raised(text.trim()).is_some() {
            for span in spans[index..=last].iter_mut().filter(|span| !is_blank(span)) {
                let raised = clean::raised(span.text.trim()).unwrap_or_default();
                let (count, width) = (raised.chars().count(), span.end_x - span.x);
                span.glyph_x = (0..count)
                    .map(|at| span.x + width * at as f32 / count as f32)
                    .collect();
                span.text = raised;
            }
        }
        tail.push('^');
        index = last + 1;
    }
    spans.retain(|span| !span.text.is_empty());
}

/// Moves the end of a word.
fn extend(word: &mut TextSpan, end_x: f32, is_apart: bool) {
    if is_apart && !word.text.ends_with(char::is_whitespace) {
        word.text.push(' ');
        if !word.glyph_x.is_empty() {
            word.glyph_x = word.glyph_x.iter().copied().chain([word.end_x]).collect();
        }
    }
    word.end_x = end_x;
}

/// Whether a span begins with a figure, or its minus, that is raised behind another.
fn is_raised(word: &TextSpan, mark: &TextSpan) -> bool {
    mark.text
        .trim_start()
        .starts_with(|c: char| c.is_ascii_digit() || MINUS.contains(&c))
        && (word.rotate, mark.rotate) == (0, 0)
        && mark.size < MARK_SIZE * word.size
        && MARK_RISE.contains(&((mark.y - word.y) / word.size))
        && (mark.x - word.end_x).abs() < MARK_GAP * word.size
        && !word.text.ends_with(char::is_whitespace)
}

/// Where the spans end that are raised as far and as small as the first of them, and stand side by side.
fn end_of_run(spans: &[TextSpan], first: usize) -> usize {
    let mark = &spans[first];
    let near = 0.1 * mark.size;
    let is_one = |pair: &[TextSpan]| {
        (pair[1].y - mark.y).abs() < near
            && (pair[1].size - mark.size).abs() < near
            && (pair[1].x - pair[0].end_x).abs() < 5.0 * near
    };
    first
        + 1
        + spans[first..]
            .windows(2)
            .take(LONGEST_TAIL)
            .take_while(|pair| is_one(pair))
            .count()
}

/// Whether something as small stands below what is raised: a denominator.
fn is_numerator(spans: &[TextSpan], first: usize, end: usize) -> bool {
    let (mark, last) = (&spans[first], &spans[end - 1]);
    let near = spans[end..].iter().take(2 * MOST_NEIGHBOURS);
    let mut near = near.filter(|span| !is_blank(span));
    near.any(|span| {
        span.size < 1.3 * mark.size
            && DENOMINATOR_DROP.contains(&((mark.y - span.y) / mark.size))
            && span.x < last.end_x
            && span.end_x > mark.x
    })
}

/// Whether a word goes on directly behind what is raised.
fn begins_word(word: &TextSpan, mark: &TextSpan, next: &TextSpan) -> bool {
    next.text
        .starts_with(|c: char| c.is_alphanumeric() || "/⁄".contains(c))
        && (next.x - mark.end_x).abs() < WITHIN_WORD * word.size
        && !mark.text.ends_with(char::is_whitespace)
}

/// Whether a span is drawn directly behind another on its line.
fn is_behind(before: &TextSpan, span: &TextSpan) -> bool {
    (span.y - before.y).abs() < 0.1 * span.size && (span.x - before.end_x).abs() < WITHIN_WORD * span.size
}

/// Whether a text ends with what notes are marked behind: a word, a stop, a year.
fn ends_word(text: &str) -> bool {
    let letters = text.chars().rev().take_while(|c| c.is_alphabetic()).count();
    let figures = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let is_year = figures == 4
        && ["19", "20"]
            .iter()
            .any(|century| text[text.len() - 4..].starts_with(century));
    letters >= LEAST_WORD || is_year || text.ends_with(['.', ',', ';', ':', '!', '?', '”', '’', '"', '\''])
}

/// What is drawn on one baseline.
struct Baseline {
    size: f32,
    /// From where to where, across the page, for each span that has letters, from left to right, with its number.
    words: Vec<(f32, f32, usize)>,
}

/// Baselines by how far up they stand, in hundredths of a point.
fn baselines(spans: &[TextSpan]) -> BTreeMap<i64, Baseline> {
    let mut lines: BTreeMap<i64, Baseline> = BTreeMap::new();
    for (index, span) in (0..)
        .zip(spans)
        .filter(|(_, span)| span.rotate == 0 && !is_blank(span))
    {
        let line = lines.entry(hundredths(span.y)).or_insert(Baseline {
            size: 0.0,
            words: Vec::new(),
        });
        line.size = line.size.max(span.size);
        line.words.push((span.x, span.end_x, index));
    }
    for line in lines.values_mut() {
        line.words.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    lines
}

fn hundredths(y: f32) -> i64 {
    (y * 100.0).round() as i64
}

/// Gives large letters a size with which the layout does not take them for one line with the words above or below them.
fn set_apart(spans: &mut [TextSpan], lines: &BTreeMap<i64, Baseline>) {
    let mut sizes: BTreeMap<i64, f32> = BTreeMap::new();
    for (&y, line) in lines {
        let above = lines.range(y + 1..).take(MOST_BASELINES);
        let below = lines.range(..y).rev().take(MOST_BASELINES);
        for (&other_y, other) in above.chain(below) {
            let apart = (other_y - y).abs() as f32 / 100.0;
            let could_join = apart <= SAME_LINE * line.size && other.size <= line.size;
            if could_join
                && apart >= CLOSEST_LINES * other.size
                && common(&line.words, &other.words) >= LARGEST_ACCENT * other.size
            {
                // From the layout's rules: half a size between baselines, half a height in common.
                let size = (1.9 * apart).min(1.3 * apart + 0.3 * other.size);
                let least = sizes.entry(y).or_insert(f32::MAX);
                *least = least.min(size);
            }
        }
    }
    for span in spans.iter_mut().filter(|span| span.rotate == 0) {
        if let Some(&size) = sizes.get(&hundredths(span.y)) {
            span.size = span.size.min(size);
        }
    }
}

/// How much of their width two baselines have in common.
fn common(first: &[(f32, f32, usize)], second: &[(f32, f32, usize)]) -> f32 {
    let (mut at, mut width) = (0, 0.0);
    for &(x, end_x, _) in first {
        while second.get(at).is_some_and(|other| other.1 <= x) {
            at += 1;
        }
        let over = second[at..].iter().take_while(|other| other.0 < end_x);
        width += over
            .map(|other| (other.1.min(end_x) - other.0.max(x)).max(0.0))
            .sum::<f32>();
    }
    width
}

/// Whether words of its line are drawn over a blank later.
fn is_covered(blank: &TextSpan, index: usize, lines: &BTreeMap<i64, Baseline>) -> bool {
    let Some(line) = lines.get(&hundredths(blank.y)) else {
        return false;
    };
    let near = line
        .words
        .partition_point(|word| word.0 < blank.x)
        .saturating_sub(MOST_NEIGHBOURS);
    let near = line.words[near..].iter().take(2 * MOST_NEIGHBOURS);
    let later: Vec<_> = near.filter(|word| word.2 > index).copied().collect();
    common(&[(blank.x, blank.end_x, index)], &later) > COVERED * (blank.end_x - blank.x)
}
