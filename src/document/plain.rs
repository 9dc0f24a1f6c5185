//! Plain text: which lines belong together.

use std::ops::Range;

use super::{Block, BlockKind, Builder, Layout};

/// Lines wrapped by hand or by a program are seldom longer, and paragraphs on one line seldom shorter.
const LONGEST_WRAPPED_LINE: usize = 120;

pub(super) fn layout(source: &str) -> Layout {
    let mut builder = Builder::new(source);
    builder.copy(0..source.len());
    let text = builder.text;
    let mut blocks = Vec::new();
    let mut run: Vec<Range<usize>> = Vec::new();
    let mut section = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() {
            if !run.is_empty() {
                push_run(&text, &run, section, &mut blocks);
                run.clear();
                section += 1;
            }
        } else {
            let lead = line.len() - line.trim_start().len();
            run.push(start + lead..start + lead + trimmed.len());
        }
        start = end;
    }
    push_run(&text, &run, section, &mut blocks);
    Layout {
        text,
        map: builder.map,
        blocks,
    }
}

/// Turns lines that follow each other without a blank line into blocks.
fn push_run(text: &str, lines: &[Range<usize>], section: u32, blocks: &mut Vec<Block>) {
    let widths: Vec<usize> = lines.iter().map(|l| text[l.clone()].chars().count()).collect();
    let widest = widths.iter().copied().max().unwrap_or(0);
    // A program that fills lines greedily breaks where the next word would not have fitted.
    let wrapped_after = |i: usize| {
        let next = &text[lines[i + 1].clone()];
        let word = next.split_whitespace().next().map_or(0, |w| w.chars().count());
        !starts_item(next) && widths[i] + 1 + word > widest
    };
    // One such break may be chance (the longest line always has one), so most have to be.
    let breaks = lines.len().saturating_sub(1);
    let is_wrapped = widest <= LONGEST_WRAPPED_LINE
        && breaks > 0
        && 2 * (0..breaks).filter(|&i| wrapped_after(i)).count() > breaks;

    let mut first = 0;
    for i in 0..lines.len() {
        if i + 1 < lines.len() && is_wrapped && wrapped_after(i) {
            continue;
        }
        let span = lines[first].start..lines[i].end;
        let kind = if starts_item(&text[span.clone()]) {
            BlockKind::ListItem
        } else if looks_like_heading(&text[span.clone()]) && lines.len() == 1 {
            BlockKind::Heading
        } else {
            BlockKind::Paragraph
        };
        blocks.push(Block { span, kind, section });
        first = i + 1;
    }
}

/// `- `, `* `, `• `, `3. `, `(a) ` and the like.
fn starts_item(line: &str) -> bool {
    let Some((marker, rest)) = line.split_once(char::is_whitespace) else {
        return false;
    };
    if rest.trim().is_empty() {
        return false;
    }
    if matches!(marker, "-" | "*" | "+" | "•" | "‣" | "◦" | "–" | "·") {
        return true;
    }
    let label = marker.trim_start_matches('(');
    let Some(label) = label.strip_suffix(')').or_else(|| label.strip_suffix('.')) else {
        return false;
    };
    // "I." and "A." may be initials; a number or a bracketed letter is not.
    (label.len() <= 3 && !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()))
        || (marker.ends_with(')') && label.len() == 1 && label.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// A short line by itself that does not end like a sentence.
fn looks_like_heading(line: &str) -> bool {
    line.chars().count() <= 80
        && !line.contains('\n')
        && line.chars().any(char::is_alphabetic)
        && !line.ends_with(['.', '!', '?', ':', ';', ',', '”', '"', '…'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<(BlockKind, &str)> {
        layout(text)
            .blocks
            .iter()
            .map(|b| (b.kind, &text[b.span.clone()]))
            .collect()
    }

    #[test]
    fn a_paragraph_a_line() {
        let long = "A sentence that is long enough. ".repeat(8);
        let text = format!("{long}\nShort one.\n{long}");
        assert_eq!(blocks(&text).len(), 3);
    }

    #[test]
    fn wrapped_lines_are_one_paragraph() {
        let text = "It was the best of times, it was the worst\nof times, it was the age of wisdom, it was\nthe age of foolishness.\n\nA second paragraph stands here, and it is\nwrapped too.";
        let blocks = blocks(text);
        assert_eq!(blocks.len(), 2, "{blocks:?}");
        assert!(blocks[0].1.ends_with("foolishness."));
    }

    #[test]
    fn headings_and_items() {
        use BlockKind::*;
        let text =
            "Annual report\n\nWe did three things:\n- sold apples\n- sold pears\n3. rested\n\nThe end.";
        assert_eq!(
            blocks(text),
            [
                (Heading, "Annual report"),
                (Paragraph, "We did three things:"),
                (ListItem, "- sold apples"),
                (ListItem, "- sold pears"),
                (ListItem, "3. rested"),
                (Paragraph, "The end."),
            ]
        );
    }

    #[test]
    fn log_lines_stay_apart() {
        let text = "10:01 started\n10:02 listening on port 8080 of all interfaces\n10:03 ready\n10:04 stopped by signal";
        assert_eq!(blocks(text).len(), 4);
    }
}
