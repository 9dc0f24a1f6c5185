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
/// How far from the words it stands at most, in their size.
const MARK_GAP: f32 = 0.3;
/// Words of so many letters are no units ("km²") and no formulas.
const LEAST_WORD: usize = 3;

/// Prepares the spans of a page, in the order in which they are drawn.
pub(super) fn prepare(spans: &mut Vec<TextSpan>) {
    raise(spans);
    let lines = baselines(spans);
    set_apart(spans, &lines);
    let mut index = 0;
    spans.retain(|span| {
        let is_kept = !is_blank(span) || !is_covered(span, &lines);
        index += 1;
        is_kept
    });
}

fn is_blank(span: &TextSpan) -> bool {
    span.text.trim().is_empty()
}

/// Figures above the line are left out behind words and stops: the marks of notes. Behind figures, units and brackets they are
/// exponents ("10⁶", "km²").
fn raise(spans: &mut Vec<TextSpan>) {
    let mut last: Option<usize> = None;
    for index in 0..spans.len() {
        if is_blank(&spans[index]) {
            continue;
        }
        let Some(before) = last.filter(|&last| is_mark(&spans[last], &spans[index])) else {
            last = Some(index);
            continue;
        };
        let (end_x, end) = (
            spans[index].end_x,
            spans[before].text.trim_end().chars().next_back(),
        );
        let letters = spans[before]
            .text
            .trim_end()
            .chars()
            .rev()
            .take_while(|c| c.is_alphabetic());
        let is_word = letters.count() >= LEAST_WORD || end.is_some_and(|c| ".,;:!?”’\"'".contains(c));
        let mark = &mut spans[index];
        let raised = clean::raised(mark.text.trim()).filter(|_| !is_word);
        if let Some(raised) = raised {
            let count = raised.chars().count();
            mark.glyph_x = (0..count)
                .map(|at| mark.x + (end_x - mark.x) * at as f32 / count as f32)
                .collect();
            mark.text = raised;
            last = Some(index);
        } else {
            let is_apart = mark.text.ends_with(char::is_whitespace);
            mark.text.clear();
            // What follows stands behind the word.
            let word = &mut spans[before];
            if is_apart && !word.text.ends_with(char::is_whitespace) {
                word.text.push(' ');
                if !word.glyph_x.is_empty() {
                    word.glyph_x = word.glyph_x.iter().copied().chain([word.end_x]).collect();
                }
            }
            word.end_x = end_x;
        }
    }
    spans.retain(|span| !span.text.is_empty());
}

/// Whether a span is a figure that is raised behind another: "2", "2,3".
fn is_mark(word: &TextSpan, mark: &TextSpan) -> bool {
    let text = mark.text.trim();
    let is_number = text
        .split(',')
        .all(|part| (1..4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    is_number
        && (word.rotate, mark.rotate) == (0, 0)
        && mark.size < MARK_SIZE * word.size
        && MARK_RISE.contains(&((mark.y - word.y) / word.size))
        && (mark.x - word.end_x).abs() < MARK_GAP * word.size
}

/// What is drawn on one baseline.
struct Baseline {
    size: f32,
    /// From where to where, across the page, for each span that has letters, from left to right.
    words: Vec<(f32, f32)>,
}

/// Baselines by how far up they stand, in hundredths of a point.
fn baselines(spans: &[TextSpan]) -> BTreeMap<i64, Baseline> {
    let mut lines: BTreeMap<i64, Baseline> = BTreeMap::new();
    for span in spans.iter().filter(|span| span.rotate == 0 && !is_blank(span)) {
        let line = lines.entry(hundredths(span.y)).or_insert(Baseline {
            size: 0.0,
            words: Vec::new(),
        });
        line.size = line.size.max(span.size);
        line.words.push((span.x, span.end_x));
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
fn common(first: &[(f32, f32)], second: &[(f32, f32)]) -> f32 {
    let (mut at, mut width) = (0, 0.0);
    for &(x, end_x) in first {
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

/// Whether a blank is drawn over the words of its line.
fn is_covered(blank: &TextSpan, lines: &BTreeMap<i64, Baseline>) -> bool {
    let Some(line) = lines.get(&hundredths(blank.y)) else {
        return false;
    };
    let near = line
        .words
        .partition_point(|word| word.0 < blank.x)
        .saturating_sub(MOST_NEIGHBOURS);
    let near = &line.words[near..(near + 2 * MOST_NEIGHBOURS).min(line.words.len())];
    common(&[(blank.x, blank.end_x)], near) > COVERED * (blank.end_x - blank.x)
}
