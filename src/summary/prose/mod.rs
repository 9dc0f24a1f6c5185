//! Which sentences of a document can stand in a summary.
//!
//! Prose can: whole sentences of paragraphs, and of items that consist of them, as the numbered paragraphs of
//! rulings, statutes and minutes do. Headings, lists of other things, tables, code, captions, bylines, datelines and
//! the standing matter of web pages cannot. A document that hardly has prose (a log, a list) is summarised by
//! its lines instead.

mod dateline;
mod fitness;
mod items;
mod sentences;

use crate::document::{Document, Span};
use fitness::Fitness;
pub(super) use fitness::ends_like_a_sentence;
use sentences::sentences;

/// A longer one is an enumeration, or no sentence was found in it.
const MOST_WORDS: usize = 150;
/// A document with less prose than this share of its words is summarised by its lines.
const LEAST_PROSE: f64 = 0.05;
/// A section of fewer headings than this is no structure: a title, or a line taken for one.
const FEWEST_HEADINGS: usize = 3;

/// A sentence that can stand in a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which of the documents.
    pub document: usize,
    /// Where it stands in the document's clean text.
    pub span: Span,
    /// Its number among the candidates of its document, from 0.
    pub index: usize,
    /// Its number among those of its section: what a heading stands above, or the whole document.
    pub place: usize,
    /// How many candidates its section has.
    pub section_size: usize,
    /// The section's number in the document, from 0.
    pub section: usize,
    /// The heading above it, where there is one.
    pub heading: Option<Span>,
    /// Its length in words, as `wc -w` counts them.
    pub words: usize,
    /// Whether it leans on what stands before it ("He said …").
    pub leans: bool,
    /// Whether the candidate before it in the list is what stands before it in the text.
    pub follows: bool,
}

/// The candidates of a document.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// In the order of the text.
    pub candidates: Vec<Candidate>,
    /// Sentences that are none, in the order of the text.
    pub skipped: Vec<Span>,
    /// Whether there is so little prose that the candidates are lines.
    pub by_lines: bool,
}

/// Finds the candidates of a document, which is the one at `index`.
#[must_use]
pub fn candidates(document: &Document, index: usize) -> Found {
    let sentences = sentences(document);
    let words = |least: Fitness| -> usize {
        let fit = sentences.iter().filter(|s| s.fitness >= least);
        fit.map(|s| s.words).sum()
    };
    let prose = words(Fitness::Prose);
    let least = if prose > 0 && prose as f64 >= LEAST_PROSE * words(Fitness::Line) as f64 {
        Fitness::Prose
    } else if words(Fitness::Line) > 0 {
        Fitness::Line
    } else {
        Fitness::None
    };
    let structured = sentences.last().is_some_and(|s| s.section >= FEWEST_HEADINGS);
    let mut found = Found {
        by_lines: least < Fitness::Prose,
        ..Found::default()
    };
    let mut last_taken = false;
    for sentence in sentences {
        if sentence.fitness < least {
            found.skipped.push(sentence.span);
            last_taken = false;
            continue;
        }
        let section = if structured { sentence.section } else { 0 };
        let previous = found.candidates.last().filter(|p| p.section == section);
        found.candidates.push(Candidate {
            document: index,
            index: found.candidates.len(),
            place: previous.map_or(0, |p| p.place + 1),
            section_size: 0,
            section,
            heading: sentence.heading,
            words: sentence.words,
            leans: sentence.leans,
            follows: last_taken && previous.is_some(),
            span: sentence.span,
        });
        last_taken = true;
    }
    for section in found.candidates.chunk_by_mut(|a, b| a.section == b.section) {
        let size = section.len();
        section.iter_mut().for_each(|c| c.section_size = size);
    }
    found
}

/// The headings above candidates of one document, in the order of the text, and of each candidate which of them is its own.
#[must_use]
pub fn headings(candidates: &[Candidate]) -> (Vec<Span>, Vec<Option<usize>>) {
    let mut headings: Vec<Span> = Vec::new();
    let mut number = |candidate: &Candidate| {
        let heading = candidate.heading.as_ref()?;
        if headings.last() != Some(heading) {
            headings.push(heading.clone());
        }
        Some(headings.len() - 1)
    };
    let own = candidates.iter().map(&mut number).collect();
    (headings, own)
}

/// All sentences of a document, whatever they are fit for: headings, items, cells and code too. What is too long
/// for a sentence is there line by line, and a line by so many words.
pub(super) fn all_sentences(document: &Document) -> Vec<Span> {
    let text = document.text();
    let too_long = |span: &Span| count_words(&text[span.clone()]) > MOST_WORDS;
    let by_lines = |(_, span): (usize, Span)| {
        if too_long(&span) {
            lines(text, &span)
        } else {
            vec![span]
        }
    };
    document
        .sentences()
        .flat_map(by_lines)
        .flat_map(|line| by_words(text, line))
        .collect()
}

/// Pieces of so many words as a sentence may have.
fn by_words(text: &str, span: Span) -> Vec<Span> {
    let words: Vec<&str> = text[span.clone()].split_whitespace().collect();
    if words.len() <= MOST_WORDS {
        return vec![span];
    }
    let place = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let piece =
        |words: &[&str]| place(words[0])..place(words[words.len() - 1]) + words[words.len() - 1].len();
    words.chunks(MOST_WORDS).map(piece).collect()
}

/// The lines of what is too long for a sentence: log lines of one width look like a paragraph that was wrapped.
fn lines(text: &str, span: &Span) -> Vec<Span> {
    let mut start = span.start;
    let mut lines = Vec::new();
    for line in text[span.clone()].split('\n') {
        let lead = line.len() - line.trim_start().len();
        if !line.trim().is_empty() {
            lines.push(start + lead..start + lead + line.trim().len());
        }
        start += line.len() + 1;
    }
    lines
}

fn count_words(text: &str) -> usize {
    text.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    fn taken(text: &str, format: Format) -> (Vec<String>, usize) {
        let document = Document::new("t", text, format).unwrap();
        let found = candidates(&document, 0);
        let texts = found
            .candidates
            .iter()
            .map(|c| document.text()[c.span.clone()].to_owned());
        (texts.collect(), found.skipped.len())
    }

    #[test]
    fn only_prose_is_taken() {
        let text = "Storm over Elbing\n\nBy Ann Lee, Staff Writer\n\nELBING (AP) — The dam broke on Monday. Water reached the town.\n\n\
                    Figure 1: The dam in 1990.\n\nRead more: dams of the north.\n\nNobody was hurt by it.\n\n© 2024 The Elbing News. All rights reserved.";
        let (texts, skipped) = taken(text, Format::Plain);
        assert_eq!(
            texts,
            [
                "The dam broke on Monday.",
                "Water reached the town.",
                "Nobody was hurt by it."
            ]
        );
        assert_eq!(skipped, 6);
    }

    #[test]
    fn markdown_structure_is_no_prose() {
        let text = "# Title\n\nThe tool reads files quickly.\n\n- an item that ends like one.\n\n```\nlet x = 1;\n```\n\n| a | b |\n|---|---|\n| one two three four. | x |\n";
        let (texts, skipped) = taken(text, Format::Markdown);
        assert_eq!(texts, ["The tool reads files quickly."]);
        assert_eq!(skipped, 7);
    }

    #[test]
    fn what_would_say_the_contrary_by_itself_is_no_prose() {
        let policy = "The policy covers the whole of the building.\n\nThe following are not covered:\n\n(1) Damage to the building that is caused by flood.\n(2) Theft of goods from a vehicle that was left open.\n\nThe premium is due on the first of January.";
        for format in [Format::Plain, Format::Markdown] {
            let (texts, _) = taken(policy, format);
            assert_eq!(
                texts,
                [
                    "The policy covers the whole of the building.",
                    "The premium is due on the first of January."
                ]
            );
            assert_eq!(
                taken(&policy.replace("not covered", "covered"), format).0.len(),
                4
            );
            let myths = policy.replace(
                "The following are not covered",
                "It is a myth that the policy covers",
            );
            assert_eq!(taken(&myths, format).0, texts);
            let statements = policy.replace(
                "The following are not covered:",
                "The following statements are false.",
            );
            assert_eq!(taken(&statements, format).0, texts);
        }
        let (texts, _) = taken(
            "The claimant says that he forged the deed. He did not. It was late.",
            Format::Plain,
        );
        assert_eq!(texts, ["The claimant says that he forged the deed. He did not."]);
        let (texts, _) = taken(
            "The following rumour is false. The mayor resigned on Friday. He is in Spain.",
            Format::Plain,
        );
        assert_eq!(texts.len(), 2);
        let (texts, _) = taken(&"That is a lie. ".repeat(12), Format::Plain);
        assert_eq!(texts.len(), 4);
        for (text, expected) in [
            (
                "The court held that he had concealed the mould. That judgment is set aside.\n\nThe costs follow the event in the usual way.",
                2,
            ),
            (
                "Lind said that she had taken money from the firm.\n\nThe claim is false.\n\nThe payment went to an engineer in Graz.",
                2,
            ),
            (
                "1. The court held that he had concealed the mould in the flat.\n2. That judgment is set aside.\n3. The defendant must pay 6,500 crowns.",
                2,
            ),
            (
                "# A\n\nThe roof must be 50 square metres.\n\n# B\n\nThis does not apply to listed buildings.",
                2,
            ),
        ] {
            let (texts, _) = taken(text, Format::Markdown);
            assert_eq!(texts.len(), expected, "{texts:?}");
        }
        let (texts, _) = taken(
            "Q.  Were you ever convicted?\nA.  No.\nQ.  Whom do you work for?\nMR. ROE:  Objection, it was asked before.\nA.  I work for Acme.\n",
            Format::Plain,
        );
        assert_eq!(
            texts,
            [
                "Q.  Were you ever convicted?\nA.  No.",
                "MR. ROE:  Objection, it was asked before.",
                "A.  I work for Acme."
            ]
        );
        let (texts, _) = taken(
            "Q: Would you close the schools of the town again?\nA: Absolutely not. The damage to children was great. It was late in the year.\nQ: Did you take the money?\nA: No. I never met him.\n",
            Format::Plain,
        );
        assert_eq!(
            texts,
            [
                "Q: Would you close the schools of the town again?\nA: Absolutely not. The damage to children was great.",
                "It was late in the year.",
                "Q: Did you take the money?\nA: No. I never met him.",
            ]
        );
    }

    #[test]
    fn a_question_of_an_interview_is_no_prose_without_its_answer() {
        let (texts, _) = taken(
            "<p><b>TR: Will there be a film of the book?</b></p><p><b>IM:</b> I have sold nothing at all.</p>\
             <p>IM: Do you want to know why? I like my house.</p><p>TR: Did you sell it in May?</p><p>IM: I did not.</p>",
            Format::Html,
        );
        assert_eq!(
            texts,
            [
                "IM: I have sold nothing at all.",
                "IM: Do you want to know why?",
                "I like my house.",
                "TR: Did you sell it in May?\n\nIM: I did not."
            ]
        );
    }

    #[test]
    fn what_one_says_of_oneself_leans_on_ones_name() {
        let text = "RV: Well, I was asked. I was the first to invest in it. The market was small then.\n\nI left the firm in May. My shares are sold.\n";
        let document = Document::new("t", text, Format::Plain).unwrap();
        let leaning = candidates(&document, 0)
            .candidates
            .into_iter()
            .filter(|c| c.leans);
        let leaning: Vec<&str> = leaning.map(|c| &document.text()[c.span]).collect();
        assert_eq!(leaning, ["I was the first to invest in it."]);
    }

    #[test]
    fn a_sentence_that_is_struck_is_no_prose() {
        let (texts, _) = taken(
            "~~The town has asked for 12 million euros.~~ The town has asked for ~~8~~ 9 million euros.\n\n~~The mayor has resigned on Monday.~~\n",
            Format::Markdown,
        );
        assert_eq!(texts, ["The town has asked for ~~8~~ 9 million euros."]);
        let page = "<p><del>The mayor stole 40,000 pounds from the fund. His brother hid the money in Leeds.</del> The mayor took no money at all.</p>";
        assert_eq!(taken(page, Format::Html).0, ["The mayor took no money at all."]);
    }

    #[test]
    fn what_stands_beside_the_text_is_no_prose() {
        let page = "<h1>Dam</h1><p>The dam broke on Monday.</p><aside><h2>More news</h2><p>The mayor opens a bridge today.</p></aside>\
                    <p>Water reached the town in an hour.</p><footer><p>We write about the north every day.</p></footer>";
        let (texts, _) = taken(page, Format::Html);
        assert_eq!(
            texts,
            ["The dam broke on Monday.", "Water reached the town in an hour."]
        );
        let (texts, _) = taken(
            "<aside><p>The mayor opens a bridge today.</p></aside>",
            Format::Html,
        );
        assert_eq!(texts, ["The mayor opens a bridge today."]);
    }

    #[test]
    fn short_items_with_a_verb_are_prose() {
        let order = "IT IS ORDERED that:\n1.  Count III is not dismissed.\n2.  Landlord shall refund $8,500.00 to Tenant.\n3.  Defendant shall answer by September 30, 2021.\n4.  Milk and eggs.\n";
        let (texts, _) = taken(order, Format::Plain);
        assert_eq!(texts.len(), 3, "{texts:?}");
    }

    #[test]
    fn items_of_whole_sentences_are_prose_without_their_marks() {
        let ruling = "JUDGMENT\n\n1. This is an appeal from the order of Mr. Justice Harlow dated 3 May 2023. The appellant owned the vessel.\n\n\
                      2. We do not accept that the pump was material. The respondent must pay the appellant $3.9 million.\n\n\
                      3. The appeal is allowed.\n\nThe costs follow the event in the usual way.";
        let expected = [
            "This is an appeal from the order of Mr. Justice Harlow dated 3 May 2023.",
            "The appellant owned the vessel.",
            "We do not accept that the pump was material.",
            "The respondent must pay the appellant $3.9 million.",
            "The appeal is allowed.",
            "The costs follow the event in the usual way.",
        ];
        assert_eq!(taken(ruling, Format::Plain).0, expected);
        assert_eq!(taken(ruling, Format::Markdown).0, expected);
    }

    #[test]
    fn items_of_many_names_that_tell_something_are_prose() {
        let ruling = "1. The plaintiff, Marta Voss, rented a flat at 12 Lime Street from Alder Homes Ltd, from June 2016.\n\
                      2. She claims damages of 38,000 crowns from the owner of the house.\n";
        assert_eq!(taken(ruling, Format::Plain).0.len(), 2);
    }

    #[test]
    fn entries_are_no_prose_though_they_end_with_a_stop() {
        let end = "The council of Elbing met on Monday.";
        for list in [
            "- Milk.\n- Eggs and bread.\n- A pound of butter.",
            "- Fixed a crash in the parser.\n- Added a flag for the width.\n- Sold apples to Ann.",
            "- the name and the address of the landlord and of the agent, if there is one.",
            "1. Smith J, Brown K. The history of dams in the north. J Hydrol. 1999;12:34–45.\n\
             2. Lund A and others. A report on the state of the dams of the valley. See https://example.org/dams.",
            "- The lines of the poem that has no stop go on and on until the end of it",
        ] {
            for format in [Format::Plain, Format::Markdown] {
                let text = format!("{list}\n\n{end}");
                assert_eq!(taken(&text, format).0, [end], "{list}");
            }
        }
    }

    #[test]
    fn a_text_without_prose_is_taken_by_its_lines() {
        let log = "10:01 started\n10:02 listening on port 8080 of all interfaces\n10:03 ready\n10:04 stopped by signal";
        assert_eq!(taken(log, Format::Plain).0.len(), 4);
        assert_eq!(taken("- milk\n- eggs\n", Format::Markdown).0, ["milk", "eggs"]);
        assert_eq!(taken("```\nx = 1\n```\n", Format::Markdown).0, ["x = 1"]);
    }

    #[test]
    fn a_log_of_lines_of_one_width_is_taken_line_by_line() {
        let line = |i: usize| {
            format!(
                "2026-11-24 10:00:{:02} INFO worker {} took batch {i:04} to the queue\n",
                i % 60,
                i % 7
            )
        };
        let log: String = (0..200).map(line).collect();
        let (texts, skipped) = taken(&log, Format::Plain);
        assert_eq!((texts.len(), skipped), (200, 0));
        assert_eq!(texts[3], line(3).trim_end());
    }

    #[test]
    fn sections_need_headings() {
        let section = |n: usize| {
            format!("Part {n}\n\nThe first thing happened here. The second thing followed it.\n\n")
        };
        let document = Document::new("t", (0..4).map(section).collect::<String>(), Format::Plain).unwrap();
        let found = candidates(&document, 0).candidates;
        assert_eq!(
            found.iter().map(|c| c.section).collect::<Vec<_>>(),
            [1, 1, 2, 2, 3, 3, 4, 4]
        );
        assert!(
            found
                .iter()
                .all(|c| c.section_size == 2 && c.place == (c.index % 2))
        );
        assert!(!found[2].follows && found[3].follows);
    }
}
