//! Abstractive summaries: a generator writes, and every sentence that it writes is attributed.
//!
//! A text that is longer than the generator reads is written about passage by passage; what was written is written
//! about again, until it is as short as was asked for (map, then reduce). All prose reaches the generator. What
//! comes out is never a quotation: each sentence has its [`Attribution`] to sentences of the documents. Passages are
//! written about side by side, by as many threads as rayon has; how many these are changes no word.

use serde::Serialize;

use super::attribution::{Attribution, Evidence, SourceSentence, Unsupported};
use super::passages::{self, Passage, Sentence};
use super::prose::{self, Candidate};
use super::select::REPEATS;
use super::side_by_side::Desk;
use super::terms::stems;
use super::{Length, SummaryOptions};
use crate::document::{Document, sentences};
use crate::engine::{Generation, Generator};
use crate::error::{Error, Result};

/// The least support with which [`AbstractiveOptions::strict`] keeps a sentence.
pub const STRICT_SUPPORT: f64 = 0.5;
/// A reduction has to leave at most this share of the tokens, or it is the last.
const PROGRESS: f64 = 0.9;
/// A text of fewer tokens than this is still given so many to be summarised in.
const FEWEST_NEW_TOKENS: usize = 16;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct AbstractiveOptions {
    /// Of each document's summary, or of the one over all.
    pub length: Length,
    /// Leave out sentences with less support than [`STRICT_SUPPORT`], and those with a name, number or date that
    /// the documents do not have.
    pub strict: bool,
    /// One summary over all documents instead of one for each.
    pub together: bool,
}

impl Default for AbstractiveOptions {
    fn default() -> Self {
        Self {
            length: SummaryOptions::default().length,
            strict: false,
            together: false,
        }
    }
}

/// A summary that was written, not quoted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GeneratedSummary {
    /// The names of the documents that it is of.
    pub documents: Vec<String>,
    /// In the order in which they were written.
    pub sentences: Vec<GeneratedSentence>,
    /// Sentences of the documents that were not read: headings, lists, tables, code, captions and the like.
    pub skipped: usize,
    /// Texts that the generator was given, those of reductions too.
    pub passages: usize,
    /// Sentences of the documents that were too long for the generator and were given to it in parts.
    pub split: usize,
    /// What was written and is not in the summary.
    pub dropped: Dropped,
}

/// A sentence of a generator.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GeneratedSentence {
    /// The words of the generator. They are no quotation.
    pub generated: String,
    /// See [`Attribution::support`].
    pub support: f64,
    /// See [`Attribution::sources`].
    pub sources: Vec<SourceSentence>,
    /// See [`Attribution::unsupported`]. Bytes of `generated`.
    pub unsupported: Vec<Unsupported>,
}

/// How many sentences were written and left out, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Dropped {
    /// With [`AbstractiveOptions::strict`]: without support, or with a name, number or date that the documents do
    /// not have.
    pub unsupported: usize,
    /// They repeat another.
    pub repeated: usize,
    /// No stop ends them: the generator came to the end of its room.
    pub unfinished: usize,
    /// They had no room in the summary.
    pub too_long: usize,
}

/// How far the writing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Writing {
    /// Passages that are written about.
    pub passages: usize,
    /// Passages that are known to have to be written about; a reduction adds to them.
    pub total_passages: usize,
    /// Tokens written about the passages under way.
    pub tokens: usize,
}

/// Writes summaries of documents: one for each in their order, or one over all. `progress` is told after each step
/// of the generator, by the thread that wrote, one at a time; it stops the work by returning `false`.
///
/// ```
/// use quotable::engine::scripted::ScriptedGenerator;
/// use quotable::summary::abstractive::{AbstractiveOptions, summarize};
/// use quotable::{Document, Format};
///
/// let text = "The dam above Elbing broke on Monday night. Mayor Ann Lund blamed the council.";
/// let document = Document::new("news.txt", text, Format::Plain)?;
/// let generator = ScriptedGenerator::new(100, vec![("dam".into(), "A dam broke. Otto Lund blamed it.".into())]);
/// let summary = summarize(&[&document], &generator, &AbstractiveOptions::default(), |_| true)?;
/// let [broke, blamed] = &summary[0].sentences[..] else { panic!() };
/// assert_eq!(broke.sources[0].text, "The dam above Elbing broke on Monday night.");
/// assert_eq!(blamed.unsupported[0].text, "Otto");
/// # Ok::<(), quotable::Error>(())
/// ```
///
/// # Errors
/// When the length is none; [`Error::SummaryTooShort`] when something was written and no sentence of it is short
/// enough; when the generator fails, with the first passage that it fails for; and [`Error::Interrupted`]. Of no
/// documents there are no summaries.
pub fn summarize(
    documents: &[&Document],
    generator: &dyn Generator,
    options: &AbstractiveOptions,
    mut progress: impl FnMut(Writing) -> bool + Send,
) -> Result<Vec<GeneratedSummary>> {
    options.length.check()?;
    let groups: Vec<&[&Document]> = match options.together {
        true if !documents.is_empty() => vec![documents],
        _ => documents.chunks(1).collect(),
    };
    let desk = Desk::new(&mut progress);
    let mut shortest = None;
    let mut summaries = Vec::with_capacity(groups.len());
    for group in groups {
        let mut writer = Writer {
            documents: group,
            evidence: Evidence::of(group),
            generator,
            options,
            desk: &desk,
            dropped: Dropped::default(),
            passages: 0,
            split: 0,
        };
        let (summary, too_long) = writer.write()?;
        shortest = shortest.into_iter().chain(too_long).min();
        summaries.push(summary);
    }
    match shortest {
        Some(shortest) if summaries.iter().all(|s| s.sentences.is_empty()) => {
            Err(Error::SummaryTooShort { shortest })
        }
        _ => Ok(summaries),
    }
}

/// One summary in the making.
struct Writer<'a> {
    documents: &'a [&'a Document],
    evidence: Evidence,
    generator: &'a dyn Generator,
    options: &'a AbstractiveOptions,
    desk: &'a Desk<'a>,
    dropped: Dropped,
    passages: usize,
    split: usize,
}

impl Writer<'_> {
    /// The summary, and the words of the shortest sentence for which there was no room.
    fn write(&mut self) -> Result<(GeneratedSummary, Option<usize>)> {
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut skipped = 0;
        for (index, document) in self.documents.iter().enumerate() {
            let found = prose::candidates(document, index);
            candidates.extend(found.candidates);
            skipped += found.skipped.len();
        }
        let room = Room {
            sentences: self.options.length.sentences(),
            words: self.options.length.words(self.documents, &candidates),
        };
        let mut text = self.prose(&candidates);
        let mut tokens = usize::MAX;
        let mut written;
        loop {
            let made = passages::passages(&text, self.generator);
            if tokens == usize::MAX {
                self.split = made.split;
            }
            tokens = made.passages.iter().map(|p| p.tokens).sum();
            written = self.generate(&made.passages, room)?;
            let next: Vec<Sentence> = written
                .iter()
                .map(|s| Sentence {
                    text: s.generated.clone(),
                    section: 0,
                })
                .collect();
            let left: usize = next.iter().map(|s| self.generator.count_tokens(&s.text)).sum();
            let is_short = room.takes(&written);
            if is_short || made.passages.len() <= 1 || left as f64 > PROGRESS * tokens as f64 {
                break;
            }
            text = next;
        }
        let (kept, cut) = room.fill(written);
        self.dropped.too_long = cut.len();
        let summary = GeneratedSummary {
            documents: self.documents.iter().map(|d| d.name().to_owned()).collect(),
            sentences: kept,
            skipped,
            passages: self.passages,
            split: self.split,
            dropped: self.dropped,
        };
        Ok((summary, cut.iter().map(GeneratedSentence::words).min()))
    }

    /// The sentences that can be summarised, each on one line, in the sections that they stand in.
    fn prose(&self, candidates: &[Candidate]) -> Vec<Sentence> {
        let mut section = 0;
        let mut last = None;
        let sentence = |candidate: &Candidate| {
            let place = (candidate.document, candidate.section);
            section += usize::from(last.replace(place).is_some_and(|last| last != place));
            let text = &self.documents[candidate.document].text()[candidate.span.clone()];
            Sentence {
                text: text.split_whitespace().collect::<Vec<_>>().join(" "),
                section,
            }
        };
        candidates.iter().map(sentence).collect()
    }

    /// What the generator writes about passages: whole sentences, none that repeats another.
    fn generate(&mut self, passages: &[Passage], room: Room) -> Result<Vec<GeneratedSentence>> {
        self.passages += passages.len();
        let write = |number: usize, step: &mut dyn FnMut(usize) -> bool| {
            let passage = &passages[number];
            let generation = generation(self.generator.generation(), passage.tokens, room);
            let text = self.generator.generate(&passage.text, &generation, step)?;
            let (finished, unfinished) = finished_sentences(&text);
            let finished: Vec<GeneratedSentence> = finished.into_iter().map(|s| self.attributed(s)).collect();
            Ok((finished, unfinished))
        };
        let written = self.desk.write_all(passages.len(), write)?;
        let mut kept = Kept::default();
        for (finished, unfinished) in written {
            self.dropped.unfinished += unfinished;
            for sentence in finished {
                let is_supported = sentence.support >= STRICT_SUPPORT && sentence.unsupported.is_empty();
                if self.options.strict && !is_supported {
                    self.dropped.unsupported += 1;
                } else if kept.repeats(&sentence.generated) {
                    self.dropped.repeated += 1;
                } else {
                    kept.push(sentence);
                }
            }
        }
        Ok(kept.sentences)
    }

    fn attributed(&self, generated: String) -> GeneratedSentence {
        let Attribution {
            support,
            sources,
            unsupported,
        } = self.evidence.attribute(&generated, self.documents);
        GeneratedSentence {
            generated,
            support,
            sources,
            unsupported,
        }
    }
}

/// How a passage is written about: a summary is no longer than its text, and no longer than there is room for
/// where that is less than the generator writes at least.
fn generation(own: Generation, tokens: usize, room: Room) -> Generation {
    let max_new_tokens = own.max_new_tokens.min(tokens.max(FEWEST_NEW_TOKENS)).max(1);
    let min_new_tokens = own
        .min_new_tokens
        .min(tokens / 4)
        .min(room.words)
        .min(max_new_tokens);
    Generation {
        max_new_tokens,
        min_new_tokens,
        ..own
    }
}

/// How much a summary may hold.
#[derive(Debug, Clone, Copy)]
struct Room {
    sentences: usize,
    words: usize,
}

impl Room {
    fn takes(self, sentences: &[GeneratedSentence]) -> bool {
        let words: usize = sentences.iter().map(GeneratedSentence::words).sum();
        sentences.len() <= self.sentences && words <= self.words
    }

    /// The first sentences that fit, and those that do not.
    fn fill(self, sentences: Vec<GeneratedSentence>) -> (Vec<GeneratedSentence>, Vec<GeneratedSentence>) {
        let (mut count, mut words) = (0, 0);
        sentences.into_iter().partition(|sentence| {
            let fits = count < self.sentences && words + sentence.words() <= self.words;
            if fits {
                count += 1;
                words += sentence.words();
            }
            fits
        })
    }
}

impl GeneratedSentence {
    fn words(&self) -> usize {
        self.generated.split_whitespace().count()
    }
}

/// Sentences that do not repeat each other.
#[derive(Default)]
struct Kept {
    sentences: Vec<GeneratedSentence>,
    /// The different stems of each. `[sentences]`
    stems: Vec<Vec<String>>,
}

impl Kept {
    /// Whether [`REPEATS`] of a sentence's stems stand in one that is kept.
    fn repeats(&self, sentence: &str) -> bool {
        let own = different_stems(sentence);
        let common = |kept: &Vec<String>| own.iter().filter(|stem| kept.binary_search(stem).is_ok()).count();
        let most = self.stems.iter().map(common).max().unwrap_or(0);
        match own.is_empty() {
            true => self.sentences.iter().any(|kept| kept.generated == sentence),
            false => most as f64 >= REPEATS * own.len() as f64,
        }
    }

    fn push(&mut self, sentence: GeneratedSentence) {
        self.stems.push(different_stems(&sentence.generated));
        self.sentences.push(sentence);
    }
}

fn different_stems(sentence: &str) -> Vec<String> {
    let mut stems: Vec<String> = stems(sentence).collect();
    stems.sort_unstable();
    stems.dedup();
    stems
}

/// The sentences of what a generator wrote, and how many it did not finish: no stop ends them.
///
/// Some generators write `<n>` between sentences, and spaces before stops with a small letter behind them: that is
/// their spelling, and is made the usual one.
fn finished_sentences(text: &str) -> (Vec<String>, usize) {
    let mut found: Vec<String> = Vec::new();
    for line in text.replace("<n>", "\n").lines() {
        let line = usual_spelling(line);
        found.extend(
            sentences(&line)
                .into_iter()
                .map(|span| line[span].trim().to_owned()),
        );
    }
    found.retain(|sentence| sentence.contains(char::is_alphanumeric));
    let whole = |sentence: &String| prose::ends_like_a_sentence(sentence);
    let (finished, unfinished): (Vec<String>, Vec<String>) = found.into_iter().partition(whole);
    (finished, unfinished.len())
}

/// `it broke . nobody came .` as `It broke. Nobody came.`
fn usual_spelling(line: &str) -> String {
    let mut spelled = String::with_capacity(line.len());
    let mut begins = true;
    for word in line.split_whitespace() {
        let is_stop = matches!(word, "." | "!" | "?" | "," | ";" | ":" | "%" | "...");
        if is_stop {
            spelled.push_str(word);
        } else {
            if !spelled.is_empty() {
                spelled.push(' ');
            }
            let mut rest = word.chars();
            match rest.next().filter(|c| begins && c.is_lowercase()) {
                Some(first) => spelled.extend(first.to_uppercase().chain(rest)),
                None => spelled.push_str(word),
            }
        }
        begins = matches!(word, "." | "!" | "?");
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;
    use crate::engine::scripted::ScriptedGenerator;
    use crate::summary::side_by_side::tests::on;
    use proptest::prelude::*;

    const STORM: &str = "The dam above Elbing broke on Monday night. Water reached the town within an hour. \
        Insurers expect claims of forty million crowns. Mayor Ann Lund blamed the council for it.";

    fn written(script: &str, options: &AbstractiveOptions) -> GeneratedSummary {
        let document = Document::new("storm.txt", STORM, Format::Plain).unwrap();
        let generator = ScriptedGenerator::new(100, vec![("dam".to_owned(), script.to_owned())]);
        summarize(&[&document], &generator, options, |_| true)
            .unwrap()
            .remove(0)
    }

    fn texts(summary: &GeneratedSummary) -> Vec<&str> {
        summary.sentences.iter().map(|s| s.generated.as_str()).collect()
    }

    #[test]
    fn what_repeats_or_is_not_finished_is_left_out() {
        let summary = written(
            "The dam broke on Monday. The dam broke. Insurers expect claims. Water reached the",
            &AbstractiveOptions::default(),
        );
        assert_eq!(
            texts(&summary),
            ["The dam broke on Monday.", "Insurers expect claims."]
        );
        let dropped = Dropped {
            repeated: 1,
            unfinished: 1,
            ..Dropped::default()
        };
        assert_eq!(summary.dropped, dropped);
    }

    #[test]
    fn strict_leaves_out_what_is_not_supported() {
        let script = "The dam broke on Monday. The dam broke on Friday. Mayor Otto Lund resigned. It was so.";
        let lenient = written(
            script,
            &AbstractiveOptions {
                length: Length::Sentences(9),
                ..Default::default()
            },
        );
        let marked: Vec<usize> = lenient.sentences.iter().map(|s| s.unsupported.len()).collect();
        assert_eq!(marked, [0, 1, 1, 0]);
        let strict = written(
            script,
            &AbstractiveOptions {
                strict: true,
                ..Default::default()
            },
        );
        assert_eq!(texts(&strict), ["The dam broke on Monday."]);
        assert_eq!(
            strict.dropped,
            Dropped {
                unsupported: 3,
                ..Dropped::default()
            }
        );
    }

    #[test]
    fn length_is_in_whole_sentences() {
        let script =
            "The dam above Elbing broke on Monday night. Water reached the town. Insurers expect claims.";
        let words = |n| AbstractiveOptions {
            length: Length::Words(n),
            ..Default::default()
        };
        assert_eq!(texts(&written(script, &words(10))).len(), 1);
        assert_eq!(texts(&written(script, &words(12))).len(), 2);
        assert_eq!(texts(&written(script, &words(15))).len(), 3);
        // The first has no room, the second has.
        assert_eq!(texts(&written(script, &words(4))), ["Water reached the town."]);
        let document = Document::new("t", STORM, Format::Plain).unwrap();
        let generator = ScriptedGenerator::new(100, vec![("dam".to_owned(), script.to_owned())]);
        let result = summarize(&[&document], &generator, &words(2), |_| true);
        assert!(matches!(result, Err(Error::SummaryTooShort { shortest: 3 })));
    }

    #[test]
    fn long_texts_are_written_about_in_passages_and_again() {
        let document = Document::new("storm.txt", STORM.repeat(5), Format::Plain).unwrap();
        let generator = ScriptedGenerator::new(20, Vec::new());
        let options = AbstractiveOptions {
            length: Length::Sentences(1),
            ..Default::default()
        };
        let mut seen = Vec::new();
        let summary = summarize(&[&document], &generator, &options, |writing| {
            seen.push(writing);
            true
        });
        let summary = summary.unwrap().remove(0);
        assert_eq!(texts(&summary), ["The dam above Elbing broke on Monday night."]);
        assert!(summary.passages > 5, "{summary:?}");
        assert_eq!(generator.inputs().len(), summary.passages);
        let last = seen.last().unwrap();
        assert_eq!(
            (last.passages, last.total_passages),
            (summary.passages, summary.passages)
        );
        assert!(seen.is_sorted_by_key(|w| w.passages));
    }

    #[test]
    fn writing_stops_when_it_is_asked_to() {
        let document = Document::new("storm.txt", STORM, Format::Plain).unwrap();
        let generator = ScriptedGenerator::new(100, Vec::new());
        let options = AbstractiveOptions::default();
        let result = summarize(&[&document], &generator, &options, |writing| writing.tokens < 3);
        assert!(matches!(result, Err(Error::Interrupted)));
    }

    #[test]
    fn the_spelling_of_generators_is_made_the_usual() {
        for (text, expected) in [
            (
                "the dam broke . nobody came .",
                &["The dam broke.", "Nobody came."][..],
            ),
            (
                "The dam broke.<n>Nobody came.",
                &["The dam broke.", "Nobody came."],
            ),
            ("U.S. troops left.", &["U.S. troops left."]),
            ("It fell 5 % , they said .", &["It fell 5%, they said."]),
            ("", &[]),
            (" . .", &[]),
        ] {
            assert_eq!(
                finished_sentences(text),
                (expected.iter().map(|s| (*s).to_owned()).collect(), 0),
                "{text}"
            );
        }
        assert_eq!(finished_sentences("The dam broke. Nobody").1, 1);
    }

    #[test]
    fn a_summary_is_no_longer_than_its_text() {
        let own = Generation {
            max_new_tokens: 142,
            min_new_tokens: 56,
            ..Generation::default()
        };
        let room = Room {
            sentences: 3,
            words: usize::MAX,
        };
        let limits = |tokens, room| {
            let made = generation(own, tokens, room);
            (made.min_new_tokens, made.max_new_tokens)
        };
        assert_eq!(limits(1000, room), (56, 142));
        assert_eq!(limits(40, room), (10, 40));
        assert_eq!(limits(1, room), (0, 16));
        assert_eq!(limits(1000, Room { words: 20, ..room }), (20, 142));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Nothing is cut: every sentence of prose is in an input of the generator, and if not whole, then split
        /// and said. Quotations are verbatim and traceable, lengths are kept, and the same comes out of three
        /// threads.
        #[test]
        fn all_prose_reaches_the_generator(
            paragraphs in prop::collection::vec(prop::collection::vec("[A-Z][a-z]{2,6}( [a-zA-Z0-9]{1,6}){3,30}", 1..6), 1..8),
            limit in 8usize..80,
            length in prop_oneof![(1usize..6).prop_map(Length::Sentences), (20usize..60).prop_map(Length::Words)],
            strict: bool,
            together: bool,
        ) {
            let paragraph = |sentences: &Vec<String>| sentences.join(". ") + ".\n\n";
            let text: String = paragraphs.iter().map(paragraph).collect();
            let document = Document::new("t", text, Format::Plain).unwrap();
            let found = prose::candidates(&document, 0);
            let generator = ScriptedGenerator::new(limit, Vec::new());
            let options = AbstractiveOptions { length, strict, together };
            let summarized = |threads| on(threads, || summarize(&[&document], &generator, &options, |_| true));
            let result = summarized(1);
            let inputs = generator.inputs();
            let one_line = |span: crate::document::Span| document.text()[span].split_whitespace().collect::<Vec<_>>().join(" ");
            let whole = |c: &Candidate| inputs.iter().any(|i| i.contains(&one_line(c.span.clone())));
            let split = found.candidates.iter().filter(|c| c.words > limit).count();
            for candidate in &found.candidates {
                prop_assert!(candidate.words > limit || whole(candidate));
            }
            let all = inputs.join(" ");
            let words: Vec<&str> = all.split(' ').collect();
            let prose = found.candidates.iter().map(|c| document.text()[c.span.clone()].split_whitespace());
            for (at, word) in prose.flatten().enumerate() {
                prop_assert_eq!(words.get(at).copied(), Some(word));
            }
            let summary = match result {
                Ok(mut summaries) => summaries.remove(0),
                Err(error) => {
                    prop_assert!(matches!(error, Error::SummaryTooShort { .. }), "{}", error);
                    return Ok(());
                }
            };
            prop_assert_eq!(summary.split, split);
            prop_assert_eq!(summary.skipped, found.skipped.len());
            let words: usize = summary.sentences.iter().map(GeneratedSentence::words).sum();
            match length {
                Length::Sentences(n) => prop_assert!(summary.sentences.len() <= n),
                Length::Words(n) => prop_assert!(words <= n),
                Length::Share(_) => {}
            }
            for sentence in &summary.sentences {
                prop_assert!(prose::ends_like_a_sentence(&sentence.generated));
                prop_assert!((0.0..=1.0).contains(&sentence.support));
                prop_assert!(!strict || sentence.support >= STRICT_SUPPORT && sentence.unsupported.is_empty());
                for source in &sentence.sources {
                    prop_assert_eq!(&source.text, &document.text()[source.span.clone()]);
                    prop_assert_eq!(&source.source_text, &document.source()[source.start_byte..source.end_byte]);
                }
            }
            let again = summarized(3).unwrap().remove(0);
            prop_assert_eq!(again, summary);
        }

        /// A number or a name that no document has is marked, wherever it stands, and one that it has is not.
        #[test]
        fn what_is_made_up_is_marked(number in 1000u32..100_000, name in "[A-Z][bdgz]{3,6}[aeo]", at in 0usize..4) {
            let document = Document::new("t", STORM, Format::Plain).unwrap();
            let evidence = Evidence::of(&[&document]);
            let mut words = vec!["Water", "reached", "the", "town"];
            let number = number.to_string();
            for made_up in [number.as_str(), name.as_str()] {
                words.insert(at, made_up);
                let sentence = words.join(" ") + ".";
                let found = evidence.attribute(&sentence, &[&document]).unsupported;
                prop_assert!(found.iter().any(|u| u.text == made_up), "{}: {:?}", sentence, found);
                for mark in &found {
                    prop_assert_eq!(&mark.text, &sentence[mark.start_byte..mark.end_byte]);
                }
                words.remove(at);
            }
            let real = evidence.attribute("Water reached the town.", &[&document]);
            prop_assert!(real.unsupported.is_empty());
        }
    }
}
