//! What stands in every press release of a company and is no news: who it is, whom to ask, what may turn out otherwise.

use crate::document::{Block, BlockKind, Document, stops};

/// What ends the news.
const ENDS: [&str; 4] = ["ends", "###", "# # #", "30"];
/// Lines that begin what is the same in every release, and that other texts hardly have. More may follow in the line.
const STANDING: [&str; 10] = [
    "notes to editors",
    "note to editors",
    "notes for editors",
    "media contact",
    "media enquiries",
    "media inquiries",
    "press contact",
    "press enquiries",
    "forward-looking statement",
    "cautionary statement",
];
/// What a release may begin with.
const RELEASE: [&str; 2] = ["for immediate release", "press release"];
/// Longer lines are no titles.
const LONGEST_TITLE: usize = 80;

#[derive(PartialEq)]
enum Line {
    /// Ends the news.
    End,
    /// Begins what is the same in every release.
    Standing,
    /// Begins what may be, if the text is a release: "About Velora Foods".
    About,
    /// Says that the text is a release.
    Release,
    Heading,
    Text,
}

impl Line {
    fn of(block: &Block, text: &str) -> Self {
        let is_title = text.len() <= LONGEST_TITLE && !stops(text.trim_end_matches(':'));
        if !is_title || matches!(block.kind, BlockKind::Verbatim | BlockKind::TableCell) {
            return Line::Text;
        }
        let lower = text.to_lowercase();
        let bare = lower.trim_matches(|c: char| "-–—*• :".contains(c));
        let begins = |titles: &[&str]| titles.iter().any(|title| bare.starts_with(title));
        let is_name = |rest: &str| rest.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
        if ENDS.contains(&bare) && (bare != "30" || lower != bare) {
            Line::End
        } else if begins(&STANDING) {
            Line::Standing
        } else if text
            .strip_prefix("About ")
            .or(text.strip_prefix("ABOUT "))
            .is_some_and(is_name)
        {
            Line::About
        } else if begins(&RELEASE) {
            Line::Release
        } else if block.kind == BlockKind::Heading {
            Line::Heading
        } else {
            Line::Text
        }
    }
}

/// Of each block, whether it stands behind the news of a press release. Of a text that is none, no block does.
pub(super) fn behind_the_news(document: &Document) -> Vec<bool> {
    let blocks = document.blocks();
    let lines: Vec<Line> = blocks
        .iter()
        .map(|block| Line::of(block, document.text()[block.span.clone()].trim()))
        .collect();
    if !lines
        .iter()
        .any(|line| matches!(line, Line::End | Line::Standing | Line::Release))
    {
        return vec![false; blocks.len()];
    }
    let (mut has_ended, mut is_behind, mut has_news) = (false, false, false);
    let behind = blocks.iter().zip(&lines).map(|(block, line)| {
        has_news |= block.kind == BlockKind::Paragraph && stops(&document.text()[block.span.clone()]);
        match line {
            Line::End => has_ended |= has_news,
            Line::Standing | Line::About => is_behind = has_news,
            Line::Heading => is_behind = false,
            Line::Release | Line::Text => {}
        }
        has_ended || is_behind
    });
    behind.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    /// What is told by the text alone, block by block.
    fn news(source: &str) -> Vec<&str> {
        let document = Document::new("t", source, Format::Markdown).unwrap();
        let behind = behind_the_news(&document);
        let of_news = document.blocks().iter().zip(behind).filter(|(_, behind)| !behind);
        let spans: Vec<_> = of_news
            .map(|(block, _)| document.source_span(&block.span))
            .collect();
        spans.into_iter().map(|span| &source[span]).collect()
    }

    #[test]
    fn what_stands_in_every_release_is_behind_the_news() {
        let source = "Velora buys a mill\n\nVelora Foods has bought a mill.\n\n## Results\n\nSales rose.\n\n## About Velora Foods\n\nVelora makes flour.\n\n\
                      ## Tables\n\nSales were 9 million.\n\nMedia contact: A. Holm\n\nShe answers.\n";
        let of = [
            "Velora buys a mill",
            "Velora Foods has bought a mill.",
            "Results",
            "Sales rose.",
            "Tables",
            "Sales were 9 million.",
        ];
        assert_eq!(news(source), of);
        for end in ["ENDS", "-ENDS-", "– Ends –", "\\# # #", "-30-"] {
            assert_eq!(
                news(&format!("It is sold.\n\n{end}\n\n## More\n\nWe are old.\n")),
                ["It is sold."],
                "{end}"
            );
        }
    }

    #[test]
    fn another_text_has_nothing_behind() {
        for source in [
            "It is sold.\n\n## About Velora\n\nIt makes flour.\n",
            "Media contact\n\nShe answers.\n\nFor immediate release\n\n## About Velora\n\n",
            "The road ends.\n\n30\n\nMedia contacts were few and far between, the minister said in March of that year, and left.\n\nMore.\n",
        ] {
            let document = Document::new("t", source, Format::Markdown).unwrap();
            assert!(!behind_the_news(&document)[..3].contains(&true), "{source}");
        }
    }
}
