//! Plain text: which lines belong together.

use std::ops::Range;

use super::{Block, BlockKind, Builder, Layout, sentence};

/// Lines wrapped by hand or by a program are seldom longer, and paragraphs on one line seldom shorter.
const LONGEST_WRAPPED_LINE: usize = 120;
/// Lines of verse and items without a mark are seldom so long, in characters.
const SHORTEST_SEVERED_LINE: usize = 50;

pub(super) fn layout(source: &str) -> Layout {
    let mut builder = Builder::new(source);
    let mut blocks = Vec::new();
    let mut run: Vec<Line> = Vec::new();
    let (mut section, mut depth) = (0, 0);
    let mut lines = SourceLines::new(source);
    let mut joined = false;
    while let Some(line) = lines.read() {
        let end = lines.end_of(&line);
        let lead = match joined {
            true => line.words.len() - source[line.words.clone()].trim_start().len(),
            false => 0,
        };
        let start = builder.text.len();
        builder.copy(line.words.start + lead..end.words);
        let words = &builder.text[start..];
        let start = start + words.len() - words.trim_start().len();
        let span = start..start + words.trim().len();
        if (span.is_empty() || line.depth != depth) && !run.is_empty() {
            push_run(&builder.text, &run, section, &mut blocks);
            run.clear();
            section += 1;
        }
        depth = line.depth;
        if !span.is_empty() {
            run.push(Line { span, joined });
        }
        joined = end.joined;
        match end.break_until {
            Some(until) => {
                builder.replace(end.words..until, "\n");
                lines.at = until;
            }
            None if !joined => builder.copy(line.words.end..line.next),
            None => {}
        }
    }
    push_run(&builder.text, &run, section, &mut blocks);
    Layout {
        text: builder.text,
        map: builder.map,
        blocks,
    }
}

/// A line of the clean text that has words.
struct Line {
    span: Range<usize>,
    /// Whether it goes on in the middle of a word or sentence that the line before broke off, whatever lines are around.
    joined: bool,
}

/// A line of the source: its words, without the marks of quotation before them, and where the next line begins.
struct SourceLine {
    words: Range<usize>,
    next: usize,
    /// Whether a page ends with it.
    feeds: bool,
    /// How many marks of quotation stood before the words (`> > `).
    depth: usize,
}

/// What becomes of the end of a line.
struct End {
    /// Where the words end that are taken over.
    words: usize,
    /// Whether the next line goes on in the middle of a word or sentence.
    joined: bool,
    /// Where the sentence goes on, if a page break stands between.
    break_until: Option<usize>,
}

/// The lines of a source, each ended by what `clean` reads as a line feed.
#[derive(Clone)]
struct SourceLines<'a> {
    source: &'a str,
    at: usize,
    has_pages: bool,
    /// Whether the last line with words that is no quotation ends with a colon.
    introduced: bool,
    /// The lines up to here all have marks of quotation.
    marked_until: usize,
    /// Whether these are a quotation.
    is_quotation: bool,
}

impl<'a> SourceLines<'a> {
    fn new(source: &'a str) -> Self {
        SourceLines {
            source,
            at: 0,
            has_pages: source.contains('\u{C}'),
            introduced: false,
            marked_until: 0,
            is_quotation: false,
        }
    }

    fn read(&mut self) -> Option<SourceLine> {
        let start = self.at;
        let mut line = self.raw()?;
        let words = &self.source[line.words.clone()];
        let (length, depth) = quotation_marks(words);
        if depth == 0 {
            if !words.trim().is_empty() {
                self.introduced = words.trim_end().ends_with(':');
            }
            return Some(line);
        }
        if start >= self.marked_until {
            self.look_at_marked_lines(start);
        }
        if self.is_quotation {
            line.words.start += length;
            line.depth = depth;
        }
        Some(line)
    }

    fn raw(&mut self) -> Option<SourceLine> {
        let start = self.at;
        let rest = &self.source[start..];
        if rest.is_empty() {
            return None;
        }
        let is_end = |c: char| {
            matches!(
                c,
                '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}'
            )
        };
        let length = rest.find(is_end).unwrap_or(rest.len());
        let ending = rest[length..].chars().next();
        let is_pair = rest[length..].starts_with("\r\n");
        self.at += length + ending.map_or(0, char::len_utf8) + usize::from(is_pair);
        Some(SourceLine {
            words: start..start + length,
            next: self.at,
            feeds: ending == Some('\u{C}'),
            depth: 0,
        })
    }

    /// Whether the lines from `start` on that have marks of quotation (`> `, as replies to mail have them) are one. What begins
    /// so may be a prompt or a comparison, so there must be several, or one that is introduced, and words in them.
    fn look_at_marked_lines(&mut self, start: usize) {
        let mut ahead = self.clone();
        ahead.at = start;
        let (mut count, mut has_prose) = (0, false);
        self.marked_until = start;
        while let Some(line) = ahead.raw() {
            let words = &self.source[line.words];
            let (length, depth) = quotation_marks(words);
            if depth == 0 {
                break;
            }
            let words = &words[length..];
            has_prose |= words.split_whitespace().nth(2).is_some() && is_wordy(words);
            count += 1;
            self.marked_until = ahead.at;
        }
        self.is_quotation = has_prose && (count > 1 || self.introduced);
        self.introduced = false;
    }

    /// What becomes of the end of the line that was read last.
    fn end_of(&self, line: &SourceLine) -> End {
        let words = self.source[line.words.clone()].trim_end();
        let is_broken = words.ends_with('-') && {
            let next = self.clone().read();
            next.is_some_and(|next| {
                next.depth == line.depth && is_hyphenated(words, &self.source[next.words])
            })
        };
        // The hyphen stays, the end of the line does not.
        let words = if is_broken {
            line.words.start + words.len()
        } else {
            line.words.end
        };
        let break_until = if is_broken {
            None
        } else {
            self.over_page_break(line)
        };
        End {
            words,
            joined: is_broken || break_until.is_some(),
            break_until,
        }
    }

    /// Where the sentence of a line goes on behind a page break, if only the page's number and blank lines stand between.
    fn over_page_break(&self, line: &SourceLine) -> Option<usize> {
        const MOST_LINES: usize = 8;
        let is_furniture = |words: &str| {
            let number = words.trim().trim_matches(['-', '–', '—', ' ']);
            number.len() <= 4 && number.bytes().all(|b| b.is_ascii_digit())
        };
        let words = self.source[line.words.clone()].trim();
        if !self.has_pages || is_furniture(words) {
            return None;
        }
        let mut ahead = self.clone();
        let mut feeds = line.feeds;
        for _ in 0..MOST_LINES {
            let start = ahead.at;
            let next = ahead.read()?;
            let following = &self.source[next.words];
            if !is_furniture(following) {
                let goes_on = feeds && next.depth == line.depth && cuts(words, following.trim());
                return goes_on.then_some(start);
            }
            feeds |= next.feeds;
        }
        None
    }
}

/// The length in bytes of the marks of quotation at the start of a line, and how many there are.
fn quotation_marks(line: &str) -> (usize, usize) {
    let mut rest = line.trim_start_matches(' ');
    let mut depth = 0;
    while let Some(inner) = rest.strip_prefix('>') {
        depth += 1;
        rest = inner.strip_prefix(' ').unwrap_or(inner);
    }
    let length = line.len() - rest.len();
    let set_apart = rest.is_empty() || line[..length].ends_with(' ');
    let is_prompt = line.starts_with(">>>"); // Python's
    if set_apart && !is_prompt {
        (length, depth)
    } else {
        (0, 0)
    }
}

/// Whether a word was broken at the end of a line: "long-" before "term". Not "pre-" before "and post-war".
pub(super) fn is_hyphenated(line: &str, next: &str) -> bool {
    let next = next.trim_start();
    let first = next
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    line.strip_suffix('-')
        .is_some_and(|word| word.ends_with(char::is_lowercase))
        && line.contains(' ')
        && first.starts_with(char::is_lowercase)
        && !matches!(first, "and" | "or" | "to" | "und" | "oder" | "bis")
}

/// Turns lines that follow each other without a blank line into blocks.
fn push_run(text: &str, run: &[Line], section: u32, blocks: &mut Vec<Block>) {
    let lines: Vec<&str> = run.iter().map(|line| &text[line.span.clone()]).collect();
    let goes_on = continued(&lines);
    let mut first = 0;
    for i in 0..lines.len() {
        let joined = run.get(i + 1).is_some_and(|next| next.joined);
        if joined || goes_on.get(i) == Some(&true) {
            continue;
        }
        let span = run[first].span.start..run[i].span.end;
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

/// Of each line but the last, whether its paragraph goes on in the next one.
fn continued(lines: &[&str]) -> Vec<bool> {
    let widths: Vec<usize> = lines.iter().map(|l| l.chars().count()).collect();
    let widest = widths.iter().copied().max().unwrap_or(0);
    let breaks = lines.len().saturating_sub(1);
    let is_item = |i: usize| starts_item(lines[i + 1]);
    // How wide a line would have been with the first word of the next one.
    let with_next = |i: usize| {
        let word = lines[i + 1].split_whitespace().next();
        widths[i] + 1 + word.map_or(0, |w| w.chars().count())
    };
    // A program that fills lines greedily breaks where the next word would not have fitted.
    let is_full = |i: usize| !is_item(i) && with_next(i) > widest;
    let severed = severed(lines);
    // Where widths are those of a proportional font, full lines differ in their number of characters.
    let is_about_full = |i: usize| {
        let (line, next) = (lines[i], lines[i + 1]);
        let word = next.trim_start_matches(sentence::is_opening);
        let introduces = line.ends_with(':') || (line.ends_with(';') && word.starts_with(char::is_uppercase));
        20 * with_next(i) >= 17 * widest
            && is_wordy(line)
            && word.starts_with(char::is_alphabetic)
            && !has_gap(line)
            && !has_gap(next)
            && !introduces
            && !(i == 0 && is_title(line))
            && !ends_sentence(line, next)
    };
    // One full line may be chance (the longest line always is), so most have to be broken for their width. Lines that
    // are about full count where a sentence shows that lines are broken.
    let is_broken = severed.contains(&true);
    let is_evidence = |i: usize| is_full(i) || severed[i] || (is_broken && !is_item(i) && is_about_full(i));
    let is_wrapped =
        widest <= LONGEST_WRAPPED_LINE && 2 * (0..breaks).filter(|&i| is_evidence(i)).count() > breaks;
    let is_cut = |i: usize| 2 * widths[i] > widest && cuts(lines[i], lines[i + 1]);
    (0..breaks)
        .map(|i| {
            severed[i] || (is_wrapped && (is_full(i) || (!is_item(i) && (is_about_full(i) || is_cut(i)))))
        })
        .collect()
}

/// Of each line but the last, whether it breaks off in the middle of a sentence that the next one ends, whatever
/// the other lines are. Lists, verse, tables and code, whose lines may go on in lower case too, are told from
/// prose by short lines, by gaps, by signs and by the missing full stop.
fn severed(lines: &[&str]) -> Vec<bool> {
    let is_prose = |line: &str| {
        line.chars().take(SHORTEST_SEVERED_LINE).count() == SHORTEST_SEVERED_LINE
            && line.split_whitespace().nth(5).is_some()
            && is_wordy(line)
    };
    let caption = lines.iter().position(|line| is_timing(line));
    let mut severed: Vec<bool> = lines
        .windows(2)
        .map(|pair| {
            let [line, next] = [pair[0], pair[1]];
            cuts(line, next) && !starts_item(next) && is_prose(line) && !has_gap(line) && !has_gap(next)
        })
        .collect();
    let has_stop = |line: &&str| line.split_whitespace().any(sentence::stops);
    let last_stop = lines.iter().rposition(has_stop);
    let behind = last_stop.unwrap_or(0);
    severed[behind..].fill(false);
    // Where every line begins in lower case, at least behind one that introduces them, they are items without marks.
    let introduced = lines.first().is_some_and(|line| line.ends_with(':'));
    let items = if introduced { &lines[1..] } else { lines };
    if items.iter().all(|line| line.starts_with(char::is_lowercase)) {
        severed.fill(false);
    }
    // The lines of a subtitle are short, and its sentence may end in the next one.
    for i in caption.map_or(lines.len(), |i| i + 1)..severed.len() {
        severed[i] |= lines[i + 1].starts_with(char::is_lowercase) && cuts(lines[i], lines[i + 1]);
    }
    severed
}

/// What stands between the cells of a table, or in settings.
fn has_gap(line: &str) -> bool {
    line.contains(['\t', '=']) || line.contains("   ")
}

/// Whether all longer words of a line, and at least two, begin with a capital.
fn is_title(line: &str) -> bool {
    let longer = line.split_whitespace().filter(|w| w.chars().count() > 3);
    let (high, low): (Vec<&str>, Vec<&str>) = longer.partition(|word| word.starts_with(char::is_uppercase));
    low.is_empty() && high.len() > 1
}

/// Whether most of a line are letters.
fn is_wordy(line: &str) -> bool {
    let visible = line.chars().filter(|c| !c.is_whitespace()).count();
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    5 * letters >= 4 * visible
}

/// `00:00:01,000 --> 00:00:04,000`, above the lines of a subtitle.
fn is_timing(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" --> ")
}

/// Whether a line breaks off in the middle of a sentence and the next one begins like the rest of it: with a plain
/// word in lower case, or with a figure after such a word.
fn cuts(line: &str, next: &str) -> bool {
    if sentence::stops(line) || line.trim_end_matches(sentence::is_closing).ends_with([':', ';']) {
        return false;
    }
    let word = next.split_whitespace().next().unwrap_or_default();
    let word = word
        .trim_start_matches(sentence::is_opening)
        .trim_end_matches([',', ';', '.', '!', '?', '…'])
        .trim_end_matches(sentence::is_closing)
        .trim_end_matches([',', ';', '.', '!', '?', '…']);
    if word.starts_with(char::is_lowercase) {
        let is_short = word.len() <= 3; // "e.g.", "p.m."
        return word
            .chars()
            .all(|c| c.is_alphabetic() || "'’-–—".contains(c) || (is_short && c == '.'));
    }
    let figure = word.trim_start_matches(['$', '€', '£', '¥']);
    let last = line.split_whitespace().next_back().unwrap_or_default();
    let last = last.strip_suffix(',').unwrap_or(last);
    !line.starts_with(|c: char| c.is_ascii_digit())
        && last.chars().all(char::is_lowercase)
        && figure.starts_with(|c: char| c.is_ascii_digit())
        && figure
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '%'))
}

/// Whether a sentence ends with a line, and is not merely interrupted after an abbreviation.
fn ends_sentence(line: &str, next: &str) -> bool {
    let joined = format!("{line} {next}");
    sentence::stops(line)
        && sentence::sentences(&joined)
            .iter()
            .any(|s| s.start == line.len() + 1)
}

/// `- `, `* `, `• `, `3. `, `(a) ` and the like.
fn starts_item(line: &str) -> bool {
    item_marker(line) > 0
}

/// The length in bytes of the mark of an item at the start of a line, with the white space after it; 0 if there is
/// none.
pub(crate) fn item_marker(line: &str) -> usize {
    let Some((marker, rest)) = line.split_once(char::is_whitespace) else {
        return 0;
    };
    let rest = rest.trim_start();
    if !rest.is_empty() && is_marker(marker) {
        line.len() - rest.len()
    } else {
        0
    }
}

fn is_marker(marker: &str) -> bool {
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

    fn text_and_blocks(source: &str) -> (String, Vec<String>) {
        let layout = layout(source);
        let blocks = layout
            .blocks
            .iter()
            .map(|b| layout.text[b.span.clone()].to_owned());
        (layout.text.clone(), blocks.collect())
    }

    #[test]
    fn marks_of_quotation_are_not_read() {
        let source = "Anna wrote:\n> The councillor confirmed by phone that the\n> contract was worth £310,000. He said he was\n> not proud.\n>\n> > I was not asked about any of this.\n\nThanks.\n";
        let (text, blocks) = text_and_blocks(source);
        assert_eq!(
            blocks,
            [
                "Anna wrote:",
                "The councillor confirmed by phone that the\ncontract was worth £310,000. He said he was\nnot proud.",
                "I was not asked about any of this.",
                "Thanks."
            ]
        );
        let at = text.find("£310,000").unwrap();
        let found = layout(source).map.to_source(at..at + "£310,000".len());
        assert_eq!(&source[found], "£310,000");
    }

    #[test]
    fn prompts_and_comparisons_are_no_quotation() {
        for source in [
            "> 5 mg\n> 7 mg\n",
            ">>> import ask\n>>> ask.who()\n",
            "Run this.\n\n> cargo run now please\n",
            ">a b c\n>d e f\n",
        ] {
            assert_eq!(text_and_blocks(source).0, source);
        }
    }

    #[test]
    fn a_word_broken_at_the_end_of_a_line_is_one_word() {
        let (text, blocks) = text_and_blocks(
            "Collars were made by Lotek Wire-\n  less Inc. of Newmarket. The long-\r\nterm study ended.\n",
        );
        assert_eq!(
            blocks,
            ["Collars were made by Lotek Wire-less Inc. of Newmarket. The long-term study ended."]
        );
        assert!(text.ends_with("long-term study ended.\n"));
        for apart in [
            "The pre-\nand post-war years.",
            "list-\nitems",
            "Of the Anglo-\nSaxon kind.",
            "From 5-\nto 6.",
        ] {
            assert_eq!(text_and_blocks(apart).0, apart);
        }
    }

    #[test]
    fn a_sentence_goes_on_behind_a_page_break() {
        let whole = "The chair, Ms. Lund, resigned on\n3 May 2021 after the vote.";
        for between in [
            "\n\u{c}",
            "\n\n12\n\u{c}",
            "\u{c}",
            "\n\u{c}- 13 -\n\n",
            "\r\n\u{c}",
        ] {
            let source = format!("The chair, Ms. Lund, resigned on{between}3 May 2021 after the vote.\n");
            assert_eq!(text_and_blocks(&source).1, [whole], "{between:?}");
        }
        // A new paragraph, a heading of the next page, and no page break.
        for source in [
            "The chair resigned.\n\u{c}She left at once.\n",
            "The chair resigned on\n\u{c}Results of the vote\n",
            "The chair resigned on\n\n3 May 2021 after the vote.\n",
        ] {
            assert!(text_and_blocks(source).1.len() > 1, "{source:?}");
        }
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

    fn texts(text: &str) -> Vec<&str> {
        blocks(text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn lines_filled_by_the_width_of_letters_are_one_paragraph() {
        let paragraphs = [
            "The call between Mr. Trump and Putin is the first known conversation between the two since\n\
             the president returned to the White House for a second term. It comes a day after Russia\n\
             released Pennsylvania schoolteacher Marc Fogel, who was serving a 14-year sentence and\n\
             was designated as wrongfully detained late last year.",
            "eventual membership in NATO. Speaking ahead of a closed-door meeting of the Ukraine\n\
             Defense Contract Group about more aid, Hegseth said peace in the country must include\n\
             security guarantees that “should not be provided through NATO membership, but must instead\n\
             be backed by capable European and non-European troops.”",
            "He had seen nothing that was out of order. Speaking ahead of a meeting of the union, Mr.\n\
             Berg said that peace in the company must include some guarantees that it will be able to pay up\n\
             them. He said that he had no wish to go on with the work that others had begun. What he said\n\
             was heard.",
            "The president, too, addressed the prospect of Russia maintaining control of Ukrainian territory its forces\n\
             have occupied during an interview with Fox News that aired Monday, suggesting Ukraine “may be\n\
             Russian someday, or they may not be Russian someday.”",
            "The company said on Monday that it would pay a fine of about\n\
             $500 million to the commission in Brussels, which had asked for twice as much in the spring.",
        ];
        for paragraph in paragraphs {
            assert_eq!(texts(paragraph), [paragraph]);
        }
    }

    #[test]
    fn a_sentence_goes_on_in_lower_case_though_most_lines_are_paragraphs() {
        let text = "MARK: We sent the letter on Monday by courier to the wrong address, and nobody had\n\
                    noticed it by Friday.\nJANE: I never saw it.\nMARK: No, you did not.\nJANE: Nobody told me either.";
        assert_eq!(texts(text).len(), 4);
        assert!(texts(text)[0].ends_with("by Friday."));
    }

    #[test]
    fn subtitles_go_on_in_lower_case() {
        let text = "1\n00:00:01,000 --> 00:00:04,000\nThe harbour was closed by the storm\nthat came in from the west.\n\n\
                    2\n00:00:05,000 --> 00:00:08,000\nThe mayor,\nOtto Lund, opened it.";
        let texts = texts(text);
        assert_eq!(texts.len(), 7);
        assert_eq!(
            texts[2],
            "The harbour was closed by the storm\nthat came in from the west."
        );
    }

    #[test]
    fn what_is_no_prose_stays_in_lines() {
        for text in [
            // Items.
            "Shopping\nmilk\neggs and bread\nbutter",
            "To buy for the feast\n12 apples of the red kind\n30 pears\n2 pounds of butter from the farm",
            "Storm closes the harbour\nMayor opens it again on Sunday\nCouncil votes on the dam and the bridge over it\nNo vote",
            "fixed a crash in the parser of dates that have no year\nadded a flag for the width of all the lines that are printed to the terminal\nremoved the old reader",
            "fixed a crash in the parser of dates that have no year\nadded a flag for the width of all the lines that are printed\nremoved the old reader.",
            "The tenant shall, at the end of the lease, do what follows:\nclean the house and the garden and everything that stands in it, the shed as well\nreturn the keys.",
            // Verse.
            "The fog comes\non little cat feet.",
            "I wandered lonely as a cloud\nThat floats on high o'er vales and hills,\nWhen all at once I saw a crowd,\nA host, of golden daffodils;",
            // A table, settings, code, a log, an address.
            "Revenue of the whole group in the first half     1,234\nof which in the north of the country, abroad and on the islands     500.\ntotal     9",
            "description: the reader of dates that is used in the north\nname: dates.\nkind: a",
            "let total = sum of all the values that were given to it\nreturn the total of everything in the list that was given to the function.",
            "worker started listening on the port of all interfaces\nconnected: yes\n10:03 ready\nstopped by signal",
            "Otto Lund\nHarbour Street 12\n1234 Elbing\nPhone 555 12 13",
        ] {
            assert_eq!(texts(text).len(), text.lines().count(), "{:?}", texts(text));
        }
    }
}
