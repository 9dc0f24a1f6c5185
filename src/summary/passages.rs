//! Passages: what a generator reads at a time. Whole sentences, none left out, a section kept together where it fits.

use crate::engine::Generator;

/// A sentence for a generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentence {
    /// On one line.
    pub(super) text: String,
    /// Sentences with the same number, which follow each other, belong together.
    pub(super) section: usize,
}

/// A text that fits into a generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) text: String,
    /// Its length in tokens.
    pub(super) tokens: usize,
}

/// Passages with what was done to make them fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Passages {
    pub(super) passages: Vec<Passage>,
    /// Sentences that were longer than a generator reads, and stand in several parts.
    pub(super) split: usize,
}

/// Fills passages with sentences, in order.
pub(super) fn passages(sentences: &[Sentence], generator: &dyn Generator) -> Passages {
    let limit = generator.input_tokens().max(1);
    let mut made = Passages::default();
    let mut parts: Vec<(&str, usize, usize)> = Vec::new(); // text, section, tokens
    for sentence in sentences {
        let own = split(&sentence.text, limit, generator);
        made.split += usize::from(own.len() > 1);
        let with_tokens = |text| (text, sentence.section, generator.count_tokens(text));
        parts.extend(own.into_iter().map(with_tokens));
    }
    let mut start = 0;
    while start < parts.len() {
        let mut end = fitting(&parts, start, limit);
        if let Some(next) = parts.get(end)
            && next.1 == parts[end - 1].1
        {
            // The section that would be cut is not, if a passage of its own holds it.
            let first = parts[..end].partition_point(|part| part.1 < next.1);
            let behind = parts[end..].iter().take_while(|part| part.1 == next.1).count();
            if first > start && fitting(&parts, first, limit) >= end + behind {
                end = first;
            }
        }
        // Tokens of sentences may be others, and more, once they stand side by side.
        loop {
            let texts: Vec<&str> = parts[start..end].iter().map(|part| part.0).collect();
            let text = texts.join(" ");
            let tokens = generator.count_tokens(&text);
            if tokens <= limit || end - start == 1 {
                made.passages.push(Passage { text, tokens });
                break;
            }
            end -= 1;
        }
        start = end;
    }
    made
}

/// The end of the parts from `start` that fit into a passage: one at least.
fn fitting(parts: &[(&str, usize, usize)], start: usize, limit: usize) -> usize {
    let mut tokens = 0;
    let fits = |part: &&(&str, usize, usize)| {
        tokens += part.2;
        tokens <= limit
    };
    start + parts[start..].iter().take_while(fits).count().max(1)
}

/// The parts of a sentence that fit each, cut at white space where there is any.
fn split<'a>(sentence: &'a str, limit: usize, generator: &dyn Generator) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut rest = sentence.trim();
    while !rest.is_empty() && generator.count_tokens(rest) > limit {
        let (part, behind) = rest.split_at(longest_prefix(rest, limit, generator));
        parts.push(part.trim_end());
        rest = behind.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// Bytes of the longest beginning that fits; at least one character.
fn longest_prefix(text: &str, limit: usize, generator: &dyn Generator) -> usize {
    let fits = |end: usize| generator.count_tokens(text[..end].trim_end()) <= limit;
    let spaces = || text.char_indices().filter(|(_, c)| c.is_whitespace());
    let longest = |ends: &[usize]| {
        let mut count = ends.partition_point(|&end| fits(end));
        // A longer beginning has hardly ever fewer tokens, but nothing says never.
        while count > 0 && !fits(ends[count - 1]) {
            count -= 1;
        }
        count.checked_sub(1).map(|at| ends[at])
    };
    let words: Vec<usize> = spaces().map(|(at, _)| at).collect();
    longest(&words).unwrap_or_else(|| {
        let characters: Vec<usize> = text.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
        longest(&characters).unwrap_or(characters[0])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::scripted::ScriptedGenerator;
    use proptest::prelude::*;

    fn made(sentences: &[(&str, usize)], limit: usize) -> (Vec<String>, usize) {
        let sentence = |&(text, section): &(&str, usize)| Sentence {
            text: text.to_owned(),
            section,
        };
        let sentences: Vec<Sentence> = sentences.iter().map(sentence).collect();
        let made = passages(&sentences, &ScriptedGenerator::new(limit, Vec::new()));
        (made.passages.into_iter().map(|p| p.text).collect(), made.split)
    }

    #[test]
    fn sections_are_kept_together_where_they_fit() {
        let text = [("a b.", 0), ("c d.", 1), ("e f.", 1), ("g h.", 2)];
        assert_eq!(made(&text, 8).0, ["a b. c d. e f. g h."]);
        assert_eq!(made(&text, 5).0, ["a b.", "c d. e f.", "g h."]);
        assert_eq!(made(&text, 3).0, ["a b.", "c d.", "e f.", "g h."]);
    }

    #[test]
    fn a_sentence_that_is_too_long_is_split_at_its_words() {
        assert_eq!(
            made(&[("a b c d e.", 0), ("f.", 0)], 2),
            (vec!["a b".into(), "c d".into(), "e. f.".into()], 1)
        );
    }

    proptest! {
        /// Nothing is cut: the words of all passages are the words of all sentences, in order, and each fits.
        #[test]
        fn every_word_is_in_a_passage(
            sentences in prop::collection::vec(("[a-zé]{1,4}( [a-zé]{1,4}){0,30}\\.", 0usize..4), 0..40),
            limit in 1usize..40,
        ) {
            let mut sentences = sentences;
            sentences.sort_by_key(|s| s.1);
            let borrowed: Vec<(&str, usize)> = sentences.iter().map(|(s, n)| (s.as_str(), *n)).collect();
            let (texts, split) = made(&borrowed, limit);
            let words = |texts: Vec<&str>| texts.join(" ").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let all = words(borrowed.iter().map(|s| s.0).collect());
            prop_assert_eq!(words(texts.iter().map(String::as_str).collect()), all);
            prop_assert!(texts.iter().all(|t| t.split_whitespace().count() <= limit));
            let long = borrowed.iter().filter(|s| s.0.split_whitespace().count() > limit).count();
            prop_assert_eq!(split, long);
        }
    }
}
