//! Markdown: the text without its markup.
//!
//! Emphasis, link targets, image addresses, list markers, the marks of footnotes, and the tags and comments of HTML are markup
//! and are not read; the map leads around them. Code and front matter are text and are read as they stand, and so are the tildes
//! around struck text: it must not be quoted as if it held.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::blocks::Blocks;
use super::{BlockKind, Layout, STRUCK, byte_order_mark, clean, html, plain};

/// As far back as the words are looked at that a line breaks, in bytes.
const LONGEST_WORD: usize = 256;

pub(super) fn layout(source: &str) -> Layout {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM // "[!WARNING]" says what kind of quotation follows.
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut walk = Walk {
        blocks: Blocks::new(source),
        items: 0,
        definitions: VecDeque::new(),
        within: Within::Text,
        is_superscript: false,
    };
    let from = byte_order_mark(source);
    let parsed = line_feeds(&source[from..]);
    let events = Parser::new_ext(&parsed, options).into_offset_iter();
    let shifted = |range: Range<usize>| range.start + from..range.end + from;
    let mut definitions: Vec<Range<usize>> = events
        .reference_definitions()
        .iter()
        .map(|(_, d)| shifted(d.span.clone()))
        .collect();
    definitions.sort_by_key(|span| span.start);
    walk.definitions = definitions.into();
    for (event, range) in events {
        walk.event(event, shifted(range));
    }
    walk.blocks.close();
    walk.push_definitions(source.len());
    walk.blocks.into_layout()
}

/// The same text with a line feed for each carriage return that stands alone: the parser knows it as the end of a line, but not
/// everywhere.
fn line_feeds(source: &str) -> Cow<'_, str> {
    let is_alone = |at: usize| !source[at + 1..].starts_with('\n');
    if !source.match_indices('\r').any(|(at, _)| is_alone(at)) {
        return Cow::Borrowed(source);
    }
    let pairs_apart = source.split("\r\n").map(|lines| lines.replace('\r', "\n"));
    Cow::Owned(pairs_apart.collect::<Vec<_>>().join("\r\n"))
}

struct Walk<'a> {
    blocks: Blocks<'a>,
    /// How many lists the current place is in.
    items: u32,
    /// Link reference definitions (`[label]: target`) still to come; the parser has no events for them, and
    /// what merely looks like one (`[Chairman]: Smith`) is text.
    definitions: VecDeque<Range<usize>>,
    /// What a line of HTML leaves open.
    within: Within,
    /// Between `<sup>` and `</sup>`.
    is_superscript: bool,
}

/// What a place in HTML is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Text,
    Tag,
    Comment,
    /// A program or a style sheet.
    Raw(&'static str),
}

/// A tag of HTML.
struct HtmlTag<'a> {
    name: &'a str,
    is_end: bool,
}

impl<'a> HtmlTag<'a> {
    /// The one that a text begins with, if its name is one of HTML's: `Vec<String>` is none.
    fn at(text: &'a str) -> Option<Self> {
        let name = text.strip_prefix('<')?;
        let is_end = name.starts_with('/');
        let name = name.trim_start_matches('/');
        let name = &name[..name.bytes().take_while(u8::is_ascii_alphanumeric).count()];
        html::element(&name.to_ascii_lowercase()).map(|_| Self { name, is_end })
    }

    fn is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }

    fn is_line(&self) -> bool {
        html::element(&self.name.to_ascii_lowercase()) == Some(true)
    }
}

impl Walk<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.open(&tag, range),
            Event::End(tag) => self.close(tag),
            Event::Code(text) => self.inside(&text, range),
            Event::Html(_) => {
                self.blocks.kind = BlockKind::Verbatim;
                self.html(range);
            }
            Event::InlineHtml(text) => self.inline_html(&text, range),
            Event::Text(text) if self.is_superscript => match clean::raised(text.trim()) {
                Some(raised) => self.text(&raised, range),
                None => self.text(&text, range),
            },
            Event::Text(text) => self.text(&text, range),
            Event::SoftBreak if self.breaks_word(range.end) => {}
            Event::SoftBreak | Event::HardBreak => self.text("\n", range),
            Event::Rule => self.blocks.next(BlockKind::Paragraph),
            _ => {}
        }
    }

    fn open(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { .. } => self.blocks.next(BlockKind::Heading),
            Tag::List(_) => {
                if self.items == 0 {
                    self.blocks.set_apart();
                }
                self.items += 1;
            }
            Tag::Table(_) => self.blocks.set_apart(),
            Tag::TableHead | Tag::TableRow => self.blocks.next_row(),
            Tag::Item => {
                self.blocks.next(BlockKind::ListItem);
                self.year(range);
            }
            Tag::FootnoteDefinition(_) => self.blocks.next(BlockKind::ListItem),
            Tag::TableCell => {
                self.blocks.next(BlockKind::TableCell);
                self.blocks.next_cell();
            }
            Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::MetadataBlock(_) => {
                self.blocks.next(BlockKind::Verbatim);
                self.within = Within::Text;
                self.blocks.is_code = !matches!(tag, Tag::HtmlBlock);
            }
            Tag::Paragraph => self.blocks.next(if self.items > 0 {
                BlockKind::ListItem
            } else {
                BlockKind::Paragraph
            }),
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::List(_) => {
                self.items = self.items.saturating_sub(1);
                self.blocks.next(BlockKind::Paragraph);
            }
            TagEnd::Heading(_)
            | TagEnd::Paragraph
            | TagEnd::Item
            | TagEnd::TableCell
            | TagEnd::CodeBlock
            | TagEnd::HtmlBlock
            | TagEnd::MetadataBlock(_) => self.blocks.next(BlockKind::Paragraph),
            _ => {}
        }
    }

    /// A tag or a comment within a line.
    fn inline_html(&mut self, text: &str, range: Range<usize>) {
        match HtmlTag::at(text) {
            Some(tag) if tag.is_line() => self.line_end(range),
            Some(tag) if tag.is(&["sup"]) => self.is_superscript = !tag.is_end,
            Some(tag) if tag.is(&["del", "s", "strike"]) => self.text(STRUCK, range),
            Some(_) => {}
            None if text.starts_with("<!--") => {}
            None => self.text(text, range),
        }
    }

    /// An element that stands in a line of its own begins or ends.
    fn line_end(&mut self, range: Range<usize>) {
        if !self.blocks.is_fresh() && !self.blocks.builder.text.ends_with('\n') {
            self.text("\n", range);
        }
    }

    /// A line of a block of HTML, without its tags and comments.
    fn html(&mut self, range: Range<usize>) {
        let source = self.blocks.builder.source;
        let mut at = range.start;
        while at < range.end {
            let rest = &source[at..range.end];
            let end = match self.within {
                Within::Text => None,
                Within::Tag => Some(">"),
                Within::Comment => Some("-->"),
                Within::Raw(name) => Some(name),
            };
            if let Some(end) = end {
                let Some(found) = rest.find(end) else { return };
                at += found + end.len();
                self.within = match self.within {
                    Within::Raw(_) => Within::Tag,
                    _ => Within::Text,
                };
                continue;
            }
            let open = rest.find('<').unwrap_or(rest.len());
            let stretch = &rest[..open];
            if stretch.trim().is_empty() && stretch.contains('\n') {
                self.line_end(at..at + open);
            } else if !stretch.trim().is_empty() || !self.blocks.is_fresh() {
                self.text(stretch, at..at + open);
            }
            at += open;
            let rest = &rest[open..];
            if rest.starts_with("<!--") {
                self.within = Within::Comment;
            } else if let Some(tag) = HtmlTag::at(rest) {
                if tag.is_line() {
                    self.line_end(at..at + 1);
                }
                let name = ["script", "style"]
                    .iter()
                    .find(|name| tag.is(&[name]) && !tag.is_end);
                let (head, _) = rest.split_once('>').unwrap_or((rest, ""));
                match name {
                    Some(&"script") if !head.ends_with('/') => self.within = Within::Raw("</script"),
                    Some(_) if !head.ends_with('/') => self.within = Within::Raw("</style"),
                    _ => self.within = Within::Tag,
                }
                at += 1;
            } else if !rest.is_empty() {
                self.text("<", at..at + 1);
                at += 1;
            }
        }
    }

    /// Whether the line that ends with what was written last, and goes on at `next`, breaks a word.
    fn breaks_word(&self, next: usize) -> bool {
        let text = &self.blocks.builder.text;
        let tail = &text[text.floor_char_boundary(text.len().saturating_sub(LONGEST_WORD))..];
        let line = tail.rsplit('\n').next().unwrap_or_default();
        let next = self.blocks.builder.source[next..]
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches(['>', ' ']);
        plain::is_hyphenated(line, next)
    }

    /// "1986. The bridge was opened" is a numbered item to Markdown and a year to its writer.
    fn year(&mut self, range: Range<usize>) {
        let item = &self.blocks.builder.source[range.clone()];
        let digits = item.bytes().take_while(u8::is_ascii_digit).count();
        if digits >= 3 {
            let rest = item[digits..]
                .trim_start_matches(['.', ')'])
                .trim_start_matches(' ');
            let end = range.start + item.len() - rest.len();
            let marker = self.blocks.builder.source[range.start..end].to_owned();
            self.text(&marker, range.start..end);
        }
    }

    /// Takes over the definitions that stand before `until`, each as a block.
    fn push_definitions(&mut self, until: usize) {
        while let Some(span) = self.definitions.pop_front_if(|span| span.start < until) {
            if span.start < self.blocks.builder.taken {
                continue;
            }
            let kind = std::mem::replace(&mut self.blocks.kind, BlockKind::Verbatim);
            self.blocks.begin(span.start);
            self.blocks.builder.copy(span);
            self.blocks.next(kind);
        }
    }

    /// Text that may differ from the source (`&amp;`, escapes).
    fn text(&mut self, text: &str, range: Range<usize>) {
        if text.is_empty() || range.start < self.blocks.builder.taken {
            return;
        }
        self.separate(range.start);
        if self.blocks.builder.source[range.clone()] == *text {
            self.blocks.builder.copy(range);
        } else {
            self.blocks.builder.replace(range, &clean::cleaned(text));
        }
    }

    /// Text that stands somewhere within the range, between markers.
    fn inside(&mut self, text: &str, range: Range<usize>) {
        let source = self.blocks.builder.source;
        let words = source[range.clone()].trim_matches('`').trim();
        let found = source[range.clone()].find(text).filter(|_| !text.is_empty());
        if let Some(at) = found {
            self.text(text, range.start + at..range.start + at + text.len());
        } else if words.split_whitespace().eq(text.split_whitespace()) && !words.is_empty() {
            // The parser reads line ends as spaces.
            let start = words.as_ptr() as usize - source.as_ptr() as usize;
            self.text(words, start..start + words.len());
        } else {
            self.text(text, range);
        }
    }

    fn separate(&mut self, until: usize) {
        if self.blocks.is_fresh() {
            self.push_definitions(until);
            self.blocks.begin(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_of_byte_order_and_line_ends_of_any_kind_change_no_structure() {
        let source = "---\ntitle: T\n---\n\n# Head\n\n| Name | Age |\n|---|---|\n| Carl | 42 |\n\n```\nlet x = 1;\n```\n\nThe dam was built by Otto.\n";
        let read = |source: &str| {
            let layout = layout(source);
            let blocks = layout.blocks.iter();
            blocks
                .map(|b| (b.kind, layout.text[b.span.clone()].to_owned()))
                .collect::<Vec<_>>()
        };
        let expected = read(source);
        assert!(expected.contains(&(BlockKind::Heading, "Head".to_owned())));
        assert!(expected.contains(&(BlockKind::TableCell, "42".to_owned())));
        for (from, to) in [("---\ntitle", "\u{FEFF}---\ntitle"), ("\n", "\r\n"), ("\n", "\r")] {
            assert_eq!(read(&source.replace(from, to)), expected, "{to:?}");
        }
        let marked = format!("\u{FEFF}{source}");
        let layout = layout(&marked);
        let at = layout.text.find("Otto").unwrap();
        assert_eq!(&marked[layout.map.to_source(at..at + 4)], "Otto");
    }

    #[test]
    fn the_kind_of_a_note_is_none_of_its_words() {
        let text = layout("> [!WARNING]\n> Switch it off first.\n").text;
        assert_eq!(text.trim(), "Switch it off first.");
    }

    #[test]
    fn code_that_runs_over_a_line_end_keeps_its_places() {
        for source in [
            "The `lease was signed\nby Otto` in May.",
            "The ``lease was signed\r\nby Otto`` in May.",
        ] {
            let layout = layout(source);
            let at = layout.text.find("Otto").unwrap();
            assert_eq!(
                layout.map.to_source(at..at + 4),
                source.find("Otto").unwrap()..source.find("Otto").unwrap() + 4
            );
            assert!(
                layout.text.starts_with("The lease was signed\nby Otto in May"),
                "{:?}",
                layout.text
            );
        }
    }

    #[test]
    fn struck_text_shows_that_it_is_struck() {
        let text = |source: &str| layout(source).text;
        assert_eq!(
            text("It is 400. ~~It is 900.~~ Done."),
            "It is 400. ~~It is 900.~~ Done."
        );
    }

    #[test]
    fn marks_of_footnotes_are_not_read() {
        let source = "By the University of Bergen[^1] in spring.\n\n[^1]: Accredited since 1990.\n";
        assert_eq!(
            layout(source).text,
            "By the University of Bergen in spring.\n\nAccredited since 1990."
        );
    }

    #[test]
    fn a_word_broken_at_the_end_of_a_line_is_one_word() {
        assert_eq!(
            layout("> The long-\n> term *study* ended.\n").text,
            "The long-term study ended."
        );
    }

    #[test]
    fn markup_is_not_read_and_the_map_leads_around_it() {
        let source = "# A *big* title\n\nSee **[the report](http://a.example/b)** of `ask` &amp; co.\n\n- one\n- two\n  three\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
        let layout = layout(source);
        let seen: Vec<_> = layout
            .blocks
            .iter()
            .map(|b| (b.kind, &layout.text[b.span.clone()]))
            .collect();
        use BlockKind::*;
        assert_eq!(
            seen,
            [
                (Heading, "A big title"),
                (Paragraph, "See the report of ask & co."),
                (ListItem, "one"),
                (ListItem, "two\nthree"),
                (TableCell, "a"),
                (TableCell, "b"),
                (TableCell, "1"),
                (TableCell, "2"),
            ]
        );
        let at = layout.text.find("the report").unwrap();
        let back = layout.map.to_source(at..at + "the report of ask".len());
        assert_eq!(&source[back], "the report](http://a.example/b)** of `ask");
    }

    #[test]
    fn what_only_looks_like_markup_is_read() {
        let source = "# Board\n\n[Chairman]: Smith\n\n1986. The bridge was opened.\n\nBob&nbsp;Lee.\n\n[Clerk]: Jones\n";
        let layout = layout(source);
        let seen: Vec<_> = layout
            .blocks
            .iter()
            .map(|b| &layout.text[b.span.clone()])
            .collect();
        assert_eq!(
            seen,
            [
                "Board",
                "[Chairman]: Smith",
                "1986. The bridge was opened.",
                "Bob Lee.",
                "[Clerk]: Jones"
            ]
        );
    }

    #[test]
    fn two_tables_are_two_sections() {
        let layout = layout("| a |\n|---|\n| b |\n\n<!-- -->\n\n| c |\n|---|\n");
        let section = |text: &str| {
            let found = layout
                .blocks
                .iter()
                .find(|b| &layout.text[b.span.clone()] == text);
            found.unwrap().section
        };
        assert_eq!(section("a"), section("b"));
        assert_ne!(section("b"), section("c"));
    }

    #[test]
    fn lines_of_code_and_of_front_matter_are_blocks_of_one_section() {
        let source = "---\ntitle: Tea\nauthor: Ms Oolong\n---\n\n```sh\nexport PORT=8080\n./serve --timeout 30\n```\n\n\
            ```text\nThe kettle must be cleaned once a week by whoever has\nused it last, and the filter changed in every month of the\nyear.\n```\n";
        let layout = layout(source);
        let blocks: Vec<_> = layout
            .blocks
            .iter()
            .map(|b| (b.section, &layout.text[b.span.clone()]))
            .collect();
        let prose = "The kettle must be cleaned once a week by whoever has\nused it last, and the filter changed in every month of the\nyear.";
        assert_eq!(
            blocks,
            [
                (0, "title: Tea"),
                (0, "author: Ms Oolong"),
                (1, "export PORT=8080"),
                (1, "./serve --timeout 30"),
                (2, prose),
            ]
        );
    }

    #[test]
    fn code_and_front_matter_are_text_and_tags_are_not() {
        let source =
            "---\ntitle: Tea\n---\n\n```rust\nfn main() {}\n```\n\n<div>raw</div>\n\nplain <b>bold</b>\n";
        let layout = layout(source);
        for part in ["title: Tea", "fn main() {}", "raw", "plain bold"] {
            assert!(layout.text.contains(part), "{part}: {:?}", layout.text);
        }
        assert!(!layout.text.contains("<"), "{:?}", layout.text);
        let text = |source: &str| super::layout(source).text;
        assert_eq!(
            text(
                "<a name=\"other\"></a>**Other**: a `Vec<u8>` of a Vec<String>, 10<sup>6</sup>,<br>an <!-- old --><del>old</del> A&amp;B.\n"
            ),
            "Other: a Vec<u8> of a Vec<String>, 10⁶,\nan ~~old~~ A&B."
        );
        assert_eq!(
            text(
                "<!-- not\nshown -->\n<p align=\n\"center\">Logo</p><ul><li>One<li>Two</ul>\n<script>\nif (a < b) {}\n</script>\n\nText.\n"
            ),
            "Logo\nOne\nTwo\n\n\nText."
        );
    }
}
