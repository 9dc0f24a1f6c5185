//! Which passages to read for a question where there is much text and not all of it is to be read.
//!
//! Reading is what takes time; counting words is some thousand times cheaper. So every passage is scored by the words that
//! it has in common with the question (BM25: Robertson and Zaragoza 2009, section 3), and the best are read.

use rayon::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use crate::document::{BlockKind, Document, Span, sentences};
use crate::error::{Error, Result};
use crate::language::is_acronym;
use crate::qa::Skimmed;
use crate::summary::terms;

/// A passage ends with the block, or the row, that makes it so long, in bytes: two thirds of a window.
const PASSAGE: usize = 1000;
/// Longer blocks are cut between sentences.
const LONG: usize = 4 * PASSAGE;
/// So much is read in any case, in bytes.
pub(crate) const LEAST: usize = 64 << 10;
/// Of more text than 32 times that, one byte in so many is read.
const SHARE: usize = 32;
/// How much the length of a passage matters to [`terms::bm25`]; passages are about alike.
const B: f64 = 0.5;
/// Different words of a question that count; one has 64 tokens, but some tokens stand for many words.
const MOST_WORDS: usize = 64;
/// Passages whose words are counted before a wish to stop is heard.
const GROUP: usize = 4096;

/// What of the documents is to be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Stretches of whole passages, each with the index of its document, in order and apart.
    pub(crate) stretches: Vec<(usize, Span)>,
    pub(crate) skimmed: Skimmed,
    /// Bytes of the blocks in these stretches, and in each document.
    pub(crate) bytes: usize,
    pub(crate) bytes_of: Vec<usize>,
}

/// Chooses the passages that have most in common with the question: 64 KiB, or a thirty-second of the text where that is
/// more, the first of those that are alike. `None` where that is all there is.
///
/// # Errors
/// [`Error::Interrupted`] when `goes_on`, which is asked now and then, says no.
pub(crate) fn select(
    question: &str,
    documents: &[&Document],
    mut goes_on: impl FnMut() -> bool,
) -> Result<Option<Selection>> {
    let bytes_of = |document: &&Document| document.blocks().iter().map(|block| block.span.len()).sum();
    let bytes_of: Vec<usize> = documents.iter().map(bytes_of).collect();
    let total: usize = bytes_of.iter().sum();
    let most = LEAST.max(total / SHARE);
    if total <= most {
        return Ok(None);
    }
    let words = Words::of(question);
    let mut passages: Vec<Passage> = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        passages.extend(split(document).into_iter().map(|(span, bytes)| Passage {
            document: index,
            span,
            bytes,
            words: 0,
            counts: Vec::new(),
        }));
    }
    for group in passages.chunks_mut(GROUP) {
        if !goes_on() {
            return Err(Error::Interrupted);
        }
        group
            .par_iter_mut()
            .for_each(|passage| words.count(documents[passage.document].text(), passage));
    }
    let scores = words.scores(&passages);
    let mut order: Vec<usize> = (0..passages.len()).collect();
    order.par_sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let mut bytes = 0;
    let mut chosen: Vec<usize> = Vec::new();
    for index in order {
        if bytes >= most {
            break;
        }
        bytes += passages[index].bytes;
        chosen.push(index);
    }
    if chosen.len() == passages.len() {
        return Ok(None);
    }
    let skimmed = Skimmed {
        passages: chosen.len(),
        sharing: chosen.iter().filter(|&&index| scores[index] > 0.0).count(),
        of: passages.len(),
    };
    chosen.sort_unstable();
    let together = |a: &usize, b: &usize| a + 1 == *b && passages[*a].document == passages[*b].document;
    let stretches = chosen.chunk_by(together).map(|run| {
        let (first, last) = (&passages[run[0]], &passages[run[run.len() - 1]]);
        (first.document, first.span.start..last.span.end)
    });
    Ok(Some(Selection {
        stretches: stretches.collect(),
        skimmed,
        bytes,
        bytes_of,
    }))
}

/// The passages of a document, blocks that follow each other or pieces of a long one, with the bytes of these blocks. Every
/// block is in them.
fn split(document: &Document) -> Vec<(Span, usize)> {
    let text = document.text();
    let mut passages: Vec<(Span, usize)> = Vec::new();
    // The last one goes on, with what has been put into it.
    let mut is_open = false;
    let mut end = 0;
    for block in document.blocks() {
        // What stands beside it belongs to it.
        let is_beside = block.kind == BlockKind::TableCell && !text[end..block.span.start].contains('\n');
        end = block.span.end;
        let open = passages.last().filter(|_| is_open).map_or(0, |&(_, bytes)| bytes);
        let begins = block.kind == BlockKind::Heading && open >= PASSAGE / 2;
        let is_long = block.span.len() > LONG;
        // What stands above a long block, a heading or a few words, stays with its beginning.
        let is_full = open >= PASSAGE && (!is_beside || open >= LONG);
        if is_full || begins || is_long && open >= PASSAGE / 2 {
            is_open = false;
        }
        let mut start = block.span.start;
        while start < block.span.end {
            let end = if is_long {
                piece_end(text, start, block.span.end)
            } else {
                block.span.end
            };
            match passages.last_mut().filter(|_| is_open) {
                Some((span, bytes)) => {
                    span.end = end;
                    *bytes += end - start;
                }
                None => passages.push((start..end, end - start)),
            }
            is_open = !is_long;
            start = end;
        }
    }
    passages
}

/// Where a piece of a long block ends: with a sentence, else before white space, else anywhere.
fn piece_end(text: &str, start: usize, end: usize) -> usize {
    if end - start <= 2 * PASSAGE {
        return end;
    }
    // With a little of the next sentence, which says where the one before ends.
    let reach = text.floor_char_boundary(start + PASSAGE + PASSAGE / 2);
    let piece = &text[start..reach];
    let whole = sentences(piece).iter().nth_back(1).map(|sentence| sentence.end);
    let space = || piece.rfind(char::is_whitespace);
    start + whole.or_else(space).filter(|&at| at > 0).unwrap_or(piece.len())
}

/// A passage, with how often each of the question's words stands in it.
struct Passage {
    document: usize,
    span: Span,
    /// Of its blocks.
    bytes: usize,
    words: usize,
    /// Numbers of words with their counts.
    counts: Vec<(u32, u32)>,
}

/// The stems of a question's words: those that are no function words, if it has any.
struct Words {
    stems: Vec<String>,
    /// The characters that they begin with.
    first: Vec<char>,
}

impl Words {
    fn of(question: &str) -> Self {
        // "who's" is a function word, and so is "who", which it stems to. In "in May" and "the US" they are names.
        let is_name = |at: usize, word: &str| {
            let is_capital = word.starts_with(char::is_uppercase) && question.contains(char::is_lowercase);
            is_acronym(word, question) || at > 0 && is_capital
        };
        let says_something = |&(at, word): &(usize, &str)| {
            let folded = terms::fold(word);
            let stem = folded.split('\'').next().unwrap_or_default();
            is_name(at, word) || !terms::is_function_word(&folded) && !terms::is_function_word(stem)
        };
        let words = || question.unicode_words().enumerate();
        let stem = |(_, word): (usize, &str)| terms::stem(word);
        let mut stems: Vec<String> = words()
            .filter(says_something)
            .map(stem)
            .take(MOST_WORDS)
            .collect();
        if stems.is_empty() {
            stems = words().map(stem).take(MOST_WORDS).collect();
        }
        stems.sort_unstable();
        stems.dedup();
        let mut first: Vec<char> = stems.iter().filter_map(|stem| stem.chars().next()).collect();
        first.dedup();
        Self { stems, first }
    }

    /// Counts the words of a passage of this text.
    fn count(&self, text: &str, passage: &mut Passage) {
        let mut counts = vec![0; self.stems.len()];
        for word in text[passage.span.clone()].unicode_words() {
            passage.words += 1;
            // A stem begins as its word does, and few words begin as one of the question's.
            let first = word.chars().flat_map(char::to_lowercase).next();
            if first.is_some_and(|first| self.first.contains(&first))
                && let Ok(at) = self.stems.binary_search(&terms::stem(word))
            {
                counts[at] += 1;
            }
        }
        let counts = (0..).zip(counts);
        passage.counts = counts.filter(|&(_, count)| count > 0).collect();
    }

    /// BM25 of each passage.
    fn scores(&self, passages: &[Passage]) -> Vec<f64> {
        let all = passages.len() as f64;
        let mean = passages.iter().map(|p| p.words as f64).sum::<f64>() / all;
        let mut holding = vec![0.0; self.stems.len()];
        for &(word, _) in passages.iter().flat_map(|p| &p.counts) {
            holding[word as usize] += 1.0;
        }
        let weights: Vec<f64> = holding
            .iter()
            .map(|&df| terms::inverse_frequency(all, df))
            .collect();
        let score = |passage: &Passage| -> f64 {
            let length = passage.words as f64;
            let shares = passage
                .counts
                .iter()
                .map(|&(word, count)| terms::bm25(weights[word as usize], f64::from(count), length, mean, B));
            shares.sum::<f64>() + 0.0 // The sum of nothing is -0.
        };
        passages.iter().map(score).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;
    use proptest::prelude::*;

    fn document(text: impl Into<String>) -> Document {
        Document::new("t", text.into(), Format::Plain).unwrap()
    }

    fn filler(paragraphs: usize) -> String {
        let sentence = "The committee then went on to the next item of its long agenda. ";
        format!("{}\n\n", sentence.repeat(8).trim_end()).repeat(paragraphs)
    }

    fn chosen(question: &str, documents: &[&Document]) -> Selection {
        select(question, documents, || true).unwrap().unwrap()
    }

    #[test]
    fn what_is_short_is_read_whole() {
        let short = document(filler(60));
        assert!(short.text().len() < LEAST);
        assert_eq!(select("who went on?", &[&short], || true).unwrap(), None);
    }

    #[test]
    fn the_passages_that_share_words_are_chosen() {
        let text = filler(300) + "The dredging was paid for by Marta Quist.\n\n" + &filler(300);
        let (first, second) = (document(filler(200)), document(text));
        let at = second.text().find("Marta").unwrap();
        let documents = [&first, &second];
        let holds = |(document, span): &(usize, Span)| *document == 1 && span.contains(&at);
        for question in [
            "Who paid for dredging?",
            "what do they pay for: DREDGES",
            "who\u{2019}s been dredging",
        ] {
            let selection = chosen(question, &documents);
            assert!(selection.stretches.iter().any(holds), "{question}");
            assert!((LEAST..LEAST + LONG).contains(&selection.bytes));
            assert_eq!(selection.skimmed.sharing, 1, "{question}");
        }
        assert_eq!(chosen("Who was Ada?", &documents).skimmed.sharing, 0);
        let function_words = chosen("who was it by?", &documents);
        assert!(function_words.stretches.iter().any(holds));
    }

    #[test]
    fn names_that_look_like_function_words_count() {
        let words = |question| Words::of(question).stems;
        assert_eq!(words("What happened in May?"), ["happen", "may"]);
        assert_eq!(
            words("Who represents the US, may I ask?"),
            ["ask", "i", "repres", "us"]
        );
        assert_eq!(words("Who owned the place?"), ["own", "place"]);
        assert_eq!(words("who\u{2019}s been dredging"), ["dredg"]);
        assert_eq!(words("WHO IS IT?"), ["is", "it", "who"]);
    }

    #[test]
    fn rows_of_tables_are_whole() {
        let rows = |cell: &str| {
            (0..40)
                .map(|row| format!("{row},{cell},end\n"))
                .collect::<String>()
        };
        for cell in ["x".repeat(280), "x".repeat(1500)] {
            let document = Document::new("t", rows(&cell), Format::Csv).unwrap();
            let passages = split(&document);
            assert!(passages.len() >= 10);
            assert!(
                passages
                    .iter()
                    .all(|(span, _)| document.text()[span.clone()].ends_with("end"))
            );
        }
    }

    #[test]
    fn of_many_documents_only_some_are_read() {
        let other: Vec<Document> = (0..150).map(|_| document(filler(2))).collect();
        let wanted = document("The dredging was paid for by Marta Quist.");
        let documents: Vec<&Document> = other.iter().chain([&wanted]).collect();
        let selection = chosen("Who paid for the dredging?", &documents);
        assert!(selection.stretches.contains(&(150, 0..wanted.text().len())));
        assert!(selection.skimmed.passages < 100 && selection.skimmed.of == 151);
        assert_eq!(selection.bytes_of.len(), 151);
    }

    #[test]
    fn a_wish_to_stop_is_heard() {
        let long = document(filler(9000));
        let mut asked = 0;
        let stops = || {
            asked += 1;
            asked < 2
        };
        assert!(matches!(select("who?", &[&long], stops), Err(Error::Interrupted)));
        assert_eq!(asked, 2);
    }

    #[test]
    fn a_heading_stays_with_what_follows() {
        let text = filler(1) + "# Costs\n\nThey rose.\n\n# Dredging\n\n" + &"It went on and on. ".repeat(300);
        let text = Document::new("t.md", text, Format::Markdown).unwrap();
        let passages: Vec<&str> = split(&text)
            .into_iter()
            .map(|(span, _)| &text.text()[span])
            .collect();
        assert!(passages[1].starts_with("Costs\n\nThey rose."), "{passages:?}");
        assert!(passages[1].contains("Dredging\n\nIt went on"), "{passages:?}");
        assert!(
            passages[1..]
                .iter()
                .all(|passage| passage.ends_with("on and on.")),
            "{passages:?}"
        );
    }

    #[test]
    fn a_question_of_one_token_and_many_words_is_bounded() {
        let words: Vec<String> = (0..5000).map(|i| format!("a{i}")).collect();
        assert!(Words::of(&words.join("\u{2192}")).stems.len() <= MOST_WORDS);
    }

    proptest! {
        /// Nothing is in no passage, and nothing in two; white space between blocks makes none long.
        #[test]
        fn passages_hold_every_block(
            text in "(([a-z\u{e9}]{1,12}[ .,?]){1,40}\n{1,2}){1,30}",
            letter in "[a\u{e9}\u{2603}]", stop in "(|[.] | )", long in 0usize..30, gap in 0usize..9000,
        ) {
            let endless = (letter.repeat(700) + &stop).repeat(long);
            let Ok(document) = Document::new("t", text.clone() + &"\n".repeat(gap) + &text + &endless, Format::Plain) else {
                return Ok(());
            };
            let passages = split(&document);
            prop_assert!(passages.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
            prop_assert!(passages.iter().all(|&(_, bytes)| 0 < bytes && bytes <= 2 * LONG));
            let held = |span: &Span, within: &Span| span.end.min(within.end).saturating_sub(span.start.max(within.start));
            for block in document.blocks() {
                let all: usize = passages.iter().map(|(span, _)| held(&block.span, span)).sum();
                prop_assert_eq!(all, block.span.len());
            }
            for (span, bytes) in &passages {
                let blocks: usize = document.blocks().iter().map(|block| held(&block.span, span)).sum();
                prop_assert_eq!(blocks, *bytes);
            }
        }
    }
}
