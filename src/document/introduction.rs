//! What introduces an item of a list, or begins the sentence that goes on in it: "The following are not covered:".

use super::{Block, BlockKind, Document, Span, item_marker, names_page};

/// Blocks above an item that are looked at.
const REACH: usize = 100;
/// Blocks between the two halves of a sentence: a note, a page's number, a running head.
const MOST_BETWEEN_HALVES: usize = 5;
/// An item of an item of an item.
const DEEPEST: usize = 3;
/// Fewer words are a name or a label, and no half of a sentence.
const FEWEST_WORDS: usize = 4;

/// The mark of an item, as far as those of one list are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// `3.`, `3)`, `(3)`
    Number(bool),
    /// `(b)`, `(B)`, and `(ii)`: roman numerals are not known from letters.
    Letter(bool),
    Bullet(char),
}

/// The mark of a block. Formats with markup know an item of a list without one.
fn mark_of(block: &Block, text: &str) -> Option<Mark> {
    mark(text).or((block.kind == BlockKind::ListItem).then_some(Mark::Bullet('•')))
}

fn mark(text: &str) -> Option<Mark> {
    let marker = text[..item_marker(text)].trim_end();
    let label = marker.trim_matches(['(', ')', '.']);
    let first = label.chars().next()?;
    Some(match first {
        _ if first.is_ascii_digit() => Mark::Number(marker.starts_with('(')),
        _ if first.is_ascii_alphabetic() => Mark::Letter(first.is_uppercase()),
        _ => Mark::Bullet(first),
    })
}

impl Document {
    /// What has to be read before a span to understand it, the outermost first: of an item of a list the sentence that
    /// introduces the list, of a sentence that begins in lower case its first half, where something stands between. Empty for
    /// all else.
    #[must_use]
    pub fn introductions(&self, span: &Span) -> Vec<Span> {
        let index = self.block_index(span.start);
        let mut found = Vec::new();
        let mut next = self.introduction_of(index);
        if next.is_none() {
            return found;
        }
        let item = &self.blocks()[index].span;
        let words = item.start + item_marker(&self.text()[item.clone()]);
        let sentence = self.sentence_at(span.start);
        if sentence.start > words && mark(&self.text()[sentence]).is_none() {
            return found; // Another sentence of the same item.
        }
        while found.len() < DEEPEST
            && let Some(above) = next
        {
            found.insert(0, self.sentence_at(self.blocks()[above].span.end - 1));
            next = self.introduction_of(above);
        }
        found
    }

    /// "The following statements are false.", which a list stands below.
    fn ends_with_announcement(&self, block: &Block) -> bool {
        // Sentences are looked for where there is one: of long lists, every item comes here.
        let announces = |text: &str| {
            let mut words = text.split(|c: char| !c.is_alphabetic());
            text.ends_with('.')
                && words.any(|word| matches!(word, "following" | "Following" | "follows" | "below"))
        };
        announces(&self.text()[block.span.clone()])
            && announces(&self.text()[self.sentence_at(block.span.end - 1)])
    }

    /// The block that introduces a block.
    fn introduction_of(&self, index: usize) -> Option<usize> {
        let text = |block: &Block| &self.text()[block.span.clone()];
        let is_text = |block: &Block| matches!(block.kind, BlockKind::Paragraph | BlockKind::ListItem);
        let block = self.blocks().get(index).filter(|block| is_text(block))?;
        let own = mark_of(block, text(block));
        let begins_low = text(block).starts_with(char::is_lowercase);
        if own.is_none() && !begins_low {
            return None;
        }
        let is_word = |text: &str| text.split_whitespace().nth(1).is_none();
        let mut between = 0;
        for above in (index.saturating_sub(REACH)..index).rev() {
            let block = &self.blocks()[above];
            let words = text(block);
            if !is_text(block) {
                return None;
            }
            // What it opens is a list of such items, not one within or behind it.
            let opens_a_list = || {
                let below = &self.blocks()[above + 1];
                mark_of(below, text(below)) == own
                    && (words.ends_with([':', '—', '–']) || self.ends_with_announcement(block))
            };
            // With a word in lower case, as a running head hardly does.
            let breaks_off = || {
                let last = words.split_whitespace().next_back().unwrap_or_default();
                words.split_whitespace().nth(FEWEST_WORDS - 1).is_some()
                    && last.chars().all(char::is_lowercase)
            };
            // "(b) does not include—" above "(i) sand;", which no (h) stands before.
            let begins_anew = || {
                let below = &self.blocks()[above + 1];
                words.ends_with([':', '—', '–'])
                    && text(below).starts_with("(i) ")
                    && !words.starts_with("(h)")
            };
            match (own, mark_of(block, words)) {
                (Some(own), Some(mark)) if own == mark => {
                    if begins_anew() {
                        return Some(above);
                    }
                }
                (Some(_), Some(_)) if opens_a_list() => return Some(above),
                (Some(_), Some(_)) => {}
                _ if names_page(words) || is_word(words) && !words.ends_with(':') => {}
                (Some(_), None) => return (opens_a_list() || breaks_off()).then_some(above),
                (None, _) if breaks_off() => return Some(above),
                (None, _) => {
                    between += 1;
                    if between == MOST_BETWEEN_HALVES {
                        return None;
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    fn introductions(text: &str, format: Format, of: &str) -> Vec<String> {
        let document = Document::new("t", text, format).unwrap();
        let at = document.text().find(of).unwrap();
        let found = document.introductions(&(at..at + of.len()));
        found
            .into_iter()
            .map(|span| document.text()[span].to_owned())
            .collect()
    }

    #[test]
    fn an_item_has_what_its_list_is_introduced_by() {
        let text = "The roof was new. The following are not covered:\n\n\
                    (1) Damage by flood. Flood is water.\n\
                    (2) Theft from a car:\n\n(a) unlocked; or\n\n(b) open; and\n\n(3) Loss by fire.\n\nThe premium is due.\n";
        for format in [Format::Plain, Format::Markdown] {
            let found = |of| introductions(text, format, of);
            let excluded = "The following are not covered:";
            assert_eq!(found("Damage"), [excluded], "{format:?}");
            assert_eq!(found("Loss"), [excluded]);
            assert_eq!(found("open"), [excluded, "(2) Theft from a car:"]);
            assert!(found("Flood is").is_empty() && found("premium").is_empty() && found("roof").is_empty());
        }
        let minutes = "Board members in attendance:\n- Bo\n- Ann\n\nApologies:\n- Tom Lind\n";
        for format in [Format::Plain, Format::Markdown] {
            assert_eq!(introductions(minutes, format, "Tom"), ["Apologies:"]);
        }
        let nested = "2.1 The Owner may:\n\n(a) end it; or\n\n(b) send a ship, which must:\n\n\u{2022} float; and\n\n\u{2022} sail.\n\n\
                      3.1 The hire is 900 pounds.\n";
        assert!(introductions(nested, Format::Plain, "900").is_empty());
        assert_eq!(
            introductions(nested, Format::Plain, "sail"),
            ["2.1 The Owner may:", "(b) send a ship, which must:"]
        );
        let list = "The policy does not cover:\n\n- theft; or\n- flood and\n  - its damages.\n\nThe premium is due.\n";
        for of in ["theft", "flood", "damages"] {
            assert_eq!(
                introductions(list, Format::Markdown, of),
                ["The policy does not cover:"],
                "{of}"
            );
        }
        for (first, outer) in [("(a)", "(b)"), ("(A)", "(B)")] {
            let coins = format!(
                "A coin:\n\n{first} is money; and\n\n{outer} does not include\u{2014}\n(i) sand;\n(ii) shells; or\n(iii) mining.\n"
            );
            let of_it = format!("{outer} does not include\u{2014}");
            for of in ["sand", "shells", "mining"] {
                let found = introductions(&coins, Format::Plain, of);
                assert_eq!(found, ["A coin:", &of_it], "{of}");
            }
        }
        let stop = "We met. The following statements are false.\n\n1. Ann sold apples.\n2. Bo sold pears.\n";
        assert_eq!(
            introductions(stop, Format::Plain, "pears"),
            ["The following statements are false."]
        );
        assert!(
            introductions(
                "We met.\n\n1. Ann sold apples.\n2. Bo sold pears.\n",
                Format::Plain,
                "pears"
            )
            .is_empty()
        );
    }

    #[test]
    fn the_rest_of_a_sentence_has_its_first_half() {
        let text = "Roe v. Acme\n\nThe tribunal did not accept that the\n\n3 He also paid for an expert.\n\n7\n\u{c}Roe v. Acme\n\nrespondent forged the invoices. It found so.\n";
        let found = |of| introductions(text, Format::Plain, of);
        assert_eq!(found("respondent"), ["The tribunal did not accept that the"]);
        assert!(found("It found").is_empty() && found("He also").is_empty());
    }
}
