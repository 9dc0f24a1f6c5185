//! HTML: the text without its markup, as a browser shows it; the map leads around tags and character references.
//!
//! Tokens are those of the WHATWG standard; of its tree only so much is known as text needs: which elements begin a block,
//! which are not shown. What style sheets hide is read. Struck text is set in tildes, as Markdown writes it: it must not be
//! quoted as if it held. A superscript number stays one ("10⁶" is not 106); links to footnotes are left out.

mod beside;
mod elements;
mod tables;
mod tag;

use std::convert::Infallible;
use std::ops::Range;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Token, Tokenizer};

use super::blocks::Blocks;
use super::{BlockKind, Layout, STRUCK, byte_order_mark, clean, math, package, plain};
use beside::{Beside, Certainty};
pub(super) use elements::element;
use elements::{NOT_SHOWN, RAW, is_block};
use tables::Tables;
use tag::StartTag;

/// A cell of more words is one of a table that sets a page, not of one that holds data.
const MOST_WORDS_OF_A_CELL: usize = 60;

/// What no end tag closes is no link any more behind so many bytes of text.
const LONGEST_LINK: usize = 2000;
/// Formulas of more markup are read as text.
const LONGEST_FORMULA: usize = 1 << 16;
/// As far as the end of a start tag is looked for.
const LONGEST_TAG: usize = 4096;

/// Whether a text is HTML, by its beginning.
pub(super) fn begins_like(head: &str) -> bool {
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let begins = |text: &str, with: &str| {
        text.get(..with.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(with))
    };
    begins(head, "<!doctype html")
        || begins(head, "<html")
        || (begins(head, "<?xml") && head.to_ascii_lowercase().contains("<html"))
}

/// Whether elements that are closed in their start tag are (`<script src="a.js"/>`): in XML, which browsers know by how it was
/// sent. Here it has to say so and to make use of it.
fn is_xml(source: &str) -> bool {
    let head = &source.as_bytes()[..source.len().min(4096)];
    let source = source.trim_start_matches('\u{feff}');
    let says_so = source.starts_with("<?xml") || memchr::memmem::find(head, b"xmlns=").is_some();
    let is_closed = |name: &str| {
        let tag = format!("<{name}");
        memchr::memmem::find_iter(source.as_bytes(), &tag).any(|at| {
            let rest = &source.as_bytes()[at + tag.len()..];
            let rest = &rest[..rest.len().min(LONGEST_TAG)];
            !rest.first().is_some_and(u8::is_ascii_alphanumeric)
                && memchr::memchr(b'>', rest).is_some_and(|end| rest[..end].ends_with(b"/"))
        })
    };
    says_so
        && RAW
            .iter()
            .chain(&["title", "textarea"])
            .any(|name| is_closed(name))
}

/// The encoding that a document says it is in.
pub(super) fn declared_encoding(head: &str) -> Option<&'static encoding_rs::Encoding> {
    let head = head.trim_start_matches('\u{feff}').to_ascii_lowercase();
    let of_meta = || {
        let mut tags = head
            .match_indices("<meta")
            .map(|(at, _)| &head[at..at + head[at..].find('>').unwrap_or(0)]);
        let (_, label) = tags.find_map(|tag| tag.split_once("charset="))?;
        let label = label.trim_start_matches(['"', '\'', ' ']);
        let end = label.find(['"', '\'', ' ', ';', '/']).unwrap_or(label.len());
        encoding_rs::Encoding::for_label(&label.as_bytes()[..end])
    };
    package::declared(head.as_bytes()).or_else(of_meta)
}

pub(super) fn layout(source: &str) -> Layout {
    read(source, true)
}

/// A part of a book or a mail: its title is for programs.
pub(super) fn body(source: &str) -> Layout {
    read(source, false)
}

fn read(source: &str, has_title: bool) -> Layout {
    let is_xml = is_xml(source);
    let mut open_to_the_end = Vec::new();
    loop {
        match walk(source, has_title, is_xml, &open_to_the_end) {
            Ok(layout) => return layout,
            // Once more without: what no end tag closes hides nothing.
            Err(name) => open_to_the_end.push(name),
        }
    }
}

/// Reads a page; the error is an element that is not shown and has no end.
fn walk(
    source: &str,
    has_title: bool,
    is_xml: bool,
    open_to_the_end: &[&'static str],
) -> Result<Layout, &'static str> {
    let mut walk = Walk {
        blocks: Blocks::new(source),
        gap: Gap::None,
        lists: 0,
        tables: Tables::default(),
        pre: Pre::No,
        is_superscript: false,
        link: None,
        link_end: 0,
        is_reference: false,
        has_title,
        is_xml,
        open_to_the_end,
        struck: 0,
        is_marked: false,
        hidden: None,
        beside: Beside::default(),
        formula: None,
        formula_end: 0,
        target: None,
        is_link: true,
        prose: (0, false),
    };
    let from = byte_order_mark(source);
    // What checks facts says so to search engines.
    let says_claims = memchr::memmem::find(source.as_bytes(), b"ClaimReview").is_some();
    let mut tag = StartTag::new(b"", from);
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| {
        let range = span.start + from..span.end + from;
        match event {
            CallbackEvent::OpenStartTag { name } => tag = StartTag::new(name, range.start),
            CallbackEvent::AttributeName { name } => tag.begin_attribute(name),
            CallbackEvent::AttributeValue { value } => tag.set(value, says_claims),
            CallbackEvent::CloseStartTag { self_closing } => {
                (tag.end, tag.is_closed) = (range.end, self_closing);
                walk.start_tag(&tag);
            }
            CallbackEvent::EndTag { name } => walk.end_tag(name, range),
            CallbackEvent::String { .. }
                if walk.hidden.is_none() && !walk.is_in_formula(range.start) && !walk.is_reference =>
            {
                walk.string(range);
            }
            _ => {}
        }
        None::<Infallible>
    });
    // In XML, `<script/>` is closed.
    emitter.naively_switch_states(!is_xml);
    let Ok(()) = Tokenizer::new_with_emitter(&source[from..], emitter).finish();
    walk.end_block();
    let blocks = &mut walk.blocks;
    walk.beside.mark(&mut blocks.written, &blocks.builder.text);
    match walk.hidden {
        Some((name, _)) if NOT_SHOWN.contains(&name) => Err(name),
        _ => Ok(walk.blocks.into_layout()),
    }
}

/// White space that has been passed and is written before the next word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Line,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pre {
    No,
    /// Text whose line ends count: letters, laws.
    Text,
    /// Text whose spaces count, too.
    Code,
}

struct Walk<'a> {
    blocks: Blocks<'a>,
    gap: Gap,
    /// How many lists the current place is in.
    lists: u32,
    /// The tables and cells that the current place is in.
    tables: Tables,
    pre: Pre,
    is_superscript: bool,
    /// How long the text was when the link began that the place is in.
    link: Option<usize>,
    /// In a link to a note or back from it.
    is_reference: bool,
    has_title: bool,
    is_xml: bool,
    /// Elements that hide nothing here.
    open_to_the_end: &'a [&'static str],
    /// How long the text was when the last link ended.
    link_end: usize,
    /// How many elements strike the current place.
    struck: u32,
    /// Tildes have been written before struck text, and none behind it.
    is_marked: bool,
    /// The element that is not shown, and how many of its name are open.
    hidden: Option<(&'static str, u32)>,
    /// What stands beside the text.
    beside: Beside,
    /// Where the formula begins that the place is in.
    formula: Option<usize>,
    /// Where the next end tag of one is, or would be.
    formula_end: usize,
    /// How long the text was when the link elsewhere began that the place is in, over blocks.
    target: Option<usize>,
    /// All words of the current block are in such a link.
    is_link: bool,
    /// How far `<pre>` was looked at, and whether it holds prose there.
    prose: (usize, bool),
}

impl Walk<'_> {
    fn start_tag(&mut self, tag: &StartTag) {
        let name = tag.name.as_slice();
        if let Some((hidden, depth)) = &mut self.hidden {
            *depth += u32::from(hidden.as_bytes() == name && !tag.is_closed);
            return;
        }
        if self.is_in_formula(tag.start) {
            return;
        }
        if name == b"math" && !tag.is_closed {
            self.begin_formula(tag.start);
            return;
        }
        let is_raw = RAW.iter().find(|raw| raw.as_bytes() == name);
        let is_raw = is_raw.or((name == b"title" && !self.has_title).then_some(&"title"));
        if let Some(hidden) = is_raw.or_else(|| NOT_SHOWN.iter().find(|hidden| hidden.as_bytes() == name)) {
            let hides = match is_raw {
                Some(_) if !self.is_xml => true,
                Some(_) => !tag.is_closed,
                None => !tag.is_closed && !self.open_to_the_end.contains(hidden),
            };
            if hides {
                self.hidden = Some((hidden, 1));
            }
            return;
        }
        self.set_place(tag);
        if !tag.is_closed {
            self.begin_beside(tag);
        }
    }

    /// Makes the place what an element makes it that begins.
    fn set_place(&mut self, tag: &StartTag) {
        let name = tag.name.as_slice();
        match name {
            b"br" => self.line_end(),
            b"a" if !tag.is_closed => {
                self.link = Some(self.blocks.builder.text.len());
                self.target = self.link.filter(|_| tag.has_target);
                self.is_reference |= tag.is_reference;
                // Two links side by side are two words, whatever sets them apart.
                if self.link_end == self.blocks.builder.text.len() {
                    self.gap = self.gap.max(Gap::Space);
                }
            }
            b"sup" => self.is_superscript = !tag.is_closed,
            b"del" | b"s" | b"strike" if !tag.is_closed => self.struck += 1,
            b"code" | b"samp" | b"span"
                if self.pre == Pre::Text
                    && self.blocks.is_fresh()
                    && !(name == b"span" && self.is_in_prose(tag.start)) =>
            {
                self.pre = Pre::Code;
                self.blocks.kind = BlockKind::Verbatim;
                self.blocks.is_code = true;
            }
            b"title" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => {
                self.end_block();
                self.blocks.kind = BlockKind::Heading;
            }
            b"pre" | b"xmp" | b"listing" | b"plaintext" => {
                self.end_block();
                self.pre = Pre::Text;
            }
            b"ul" | b"ol" | b"dl" | b"menu" => {
                self.end_block();
                if self.lists == 0 {
                    self.blocks.set_apart();
                }
                self.lists += 1;
            }
            b"li" | b"dt" | b"dd" | b"option" => {
                self.end_block();
                self.blocks.kind = BlockKind::ListItem;
            }
            b"table" => {
                self.end_block();
                self.blocks.set_apart();
                self.tables.begin(self.blocks.written.len());
            }
            b"tr" => {
                self.end_cells();
                self.blocks.next_row();
                self.tables.next_row();
            }
            b"thead" | b"tbody" | b"tfoot" => {
                self.end_cells();
                self.tables.set_head(name == b"thead");
            }
            b"td" | b"th" => {
                self.end_cells();
                let steps = self.tables.begin_cell(tag, self.blocks.written.len(), self.lists);
                (0..steps).for_each(|_| self.blocks.next_cell());
                self.end_block();
            }
            _ if is_block(name) => self.end_block(),
            _ => {}
        }
    }

    /// Whether what begins stands beside the text.
    fn begin_beside(&mut self, tag: &StartTag) {
        let name = tag.name.as_slice();
        // A paragraph needs no end tag: any block ends it.
        let ends_paragraph =
            is_block(name) || matches!(name, b"dl" | b"menu" | b"ol" | b"pre" | b"table" | b"ul");
        if let Some(paragraph) = self.beside.innermost(b"p").filter(|_| ends_paragraph) {
            self.end_beside(paragraph);
        }
        self.beside.enter(name);
        let is_inline = beside::is_inline(name);
        let certainty = match is_inline {
            true => self.hides_in_line(tag).then_some(Certainty::Sure),
            false => beside::of_element(tag),
        };
        if let Some(certainty) = certainty.filter(|&certainty| self.beside.has_room(certainty)) {
            if is_inline {
                self.end_block();
            }
            self.beside.open(name, certainty, self.blocks.written.len());
        }
    }

    /// Whether an element within lines is hidden where it can be left out.
    fn hides_in_line(&self, tag: &StartTag) -> bool {
        // A formula may be hidden beside its picture.
        let is_formula = || {
            let behind = &self.blocks.builder.source[tag.end..];
            behind.trim_start().starts_with("<math")
        };
        tag.is_hidden
            && !tag.is_correction
            && self.tables.cell().is_none()
            && self.blocks.kind != BlockKind::Heading
            && self.pre == Pre::No
            && self.blocks.begins_sentence()
            && !is_formula()
    }

    fn end_tag(&mut self, name: &[u8], range: Range<usize>) {
        if let Some((hidden, depth)) = &mut self.hidden {
            *depth -= u32::from(hidden.as_bytes() == name);
            if *depth == 0 {
                self.hidden = None;
            }
            return;
        }
        if self.is_in_formula(range.start) {
            if name == b"math" {
                self.end_formula(range.end);
            }
            return;
        }
        match name {
            b"a" => {
                (self.link, self.target, self.is_reference) = (None, None, false);
                self.link_end = self.blocks.builder.text.len();
            }
            b"sup" => self.is_superscript = false,
            b"del" | b"s" | b"strike" => {
                self.struck = self.struck.saturating_sub(1);
                if self.struck == 0 && std::mem::take(&mut self.is_marked) {
                    self.blocks.builder.replace(range, STRUCK);
                }
            }
            b"pre" | b"xmp" | b"listing" => {
                self.pre = Pre::No;
                self.end_block();
            }
            b"ul" | b"ol" | b"dl" | b"menu" => {
                self.lists = self.lists.saturating_sub(1);
                self.end_block();
            }
            b"td" | b"th" => self.end_cells(),
            b"thead" => {
                self.end_cells();
                self.tables.set_head(false);
            }
            b"table" => {
                self.end_cells();
                self.tables.end();
                self.blocks.set_apart();
            }
            _ if is_block(name) => self.end_block(),
            _ => {}
        }
        if let Some(closed) = self.beside.leave(name) {
            self.end_beside(closed);
        }
    }

    /// Ends one of what stands beside the text.
    fn end_beside(&mut self, index: usize) {
        if self.beside.is_inline(index) {
            self.end_block();
        }
        self.beside.close(index, self.blocks.written.len());
    }

    /// Ends the current block; the next one is what the place makes it.
    fn end_block(&mut self) {
        if std::mem::take(&mut self.is_marked) {
            let at = self.blocks.builder.taken;
            self.blocks.builder.replace(at..at, STRUCK);
        }
        self.gap = Gap::None;
        // Where their end tags are missing.
        (self.is_reference, self.is_superscript, self.link) = (false, false, None);
        // What is all of it a link leads to another text: a teaser, a table of contents.
        let is_link = std::mem::replace(&mut self.is_link, true);
        let is_text = matches!(self.blocks.kind, BlockKind::Paragraph | BlockKind::ListItem);
        self.blocks.is_beside = is_link && is_text;
        self.blocks.close();
        self.blocks.cell = self.tables.cell().map(|cell| cell.markup).unwrap_or_default();
        self.blocks.kind = match self.tables.cell() {
            Some(cell) if self.lists > cell.lists => BlockKind::ListItem,
            Some(cell) if cell.first == self.blocks.written.len() => BlockKind::TableCell,
            None if self.lists > 0 => BlockKind::ListItem,
            _ => BlockKind::Paragraph,
        };
    }

    /// Ends the cells that are open in the current table.
    fn end_cells(&mut self) {
        self.end_block();
        while let Some(cell) = self.tables.end_cell() {
            let blocks = &self.blocks.written[cell.first..];
            let holds_text = match blocks {
                [only] => self.blocks.builder.text[only.span.clone()]
                    .split_whitespace()
                    .nth(MOST_WORDS_OF_A_CELL)
                    .is_some(),
                blocks => !blocks.is_empty(),
            };
            if holds_text && !cell.begins_with_table {
                self.blocks.cell_is_text(cell.first);
            }
        }
        self.end_block();
    }

    /// Whether `<pre>` holds prose from a place on. What was looked at once is not looked at again.
    fn is_in_prose(&mut self, start: usize) -> bool {
        if start >= self.prose.0 {
            let source = &self.blocks.builder.source[start..];
            let head = &source[..source.floor_char_boundary(LONGEST_TAG.min(source.len()))];
            let head = head.split("</pre").next().unwrap_or_default();
            self.prose = (start + head.len(), holds_prose(head));
        }
        self.prose.1
    }

    /// Whether a place is in a formula, which ends at what looks like its end tag, if that is none.
    fn is_in_formula(&mut self, at: usize) -> bool {
        if at > self.formula_end {
            self.end_formula(at);
        }
        self.formula.is_some()
    }

    fn begin_formula(&mut self, start: usize) {
        if self.formula_end < start {
            let rest = &self.blocks.builder.source.as_bytes()[start..];
            self.formula_end = memchr::memmem::find(rest, b"</math").map_or(usize::MAX, |at| start + at);
        }
        let is_whole = self.formula_end - start <= LONGEST_FORMULA;
        self.formula = is_whole.then_some(start);
    }

    fn end_formula(&mut self, end: usize) {
        let Some(start) = self.formula.take() else { return };
        let formula = math::in_a_line(&self.blocks.builder.source[start..end]);
        if !formula.is_empty() && !self.is_reference {
            self.begin_word(start);
            self.blocks.builder.replace(start..end, &formula);
        }
    }

    /// A line ends; a second one ends the paragraph.
    fn line_end(&mut self) {
        if self.blocks.is_fresh() {
            return;
        }
        if self.gap == Gap::Line {
            let kind = self.blocks.kind;
            self.end_block();
            if self.pre != Pre::No {
                self.blocks.kind = kind;
            }
        } else {
            self.gap = Gap::Line;
        }
    }

    /// A stretch of text between tags, with character references in it.
    fn string(&mut self, range: Range<usize>) {
        let source = self.blocks.builder.source;
        let words = source[range.clone()].trim();
        if self.is_superscript && !words.is_empty() {
            let words = resolved(words);
            let is_all_of_link = self.link == Some(self.blocks.builder.text.len());
            if is_all_of_link && words.len() <= LONGEST_MARK {
                return;
            }
            if let Some(raised) = clean::raised(&words) {
                self.begin_word(range.start);
                self.blocks.builder.replace(range, &raised);
                return;
            }
        }
        let mut at = range.start;
        while let Some(reference) = memchr::memchr(b'&', &source.as_bytes()[at..range.end]) {
            let start = at + reference;
            self.text(at..start);
            let rest = &source[start + 1..range.end];
            let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'#';
            let length = rest
                .bytes()
                .take(LONGEST_REFERENCE)
                .take_while(|&b| is_part(b))
                .count();
            let end = start + 1 + length + usize::from(rest[length..].starts_with(';'));
            let written = &source[start..end];
            let read = resolved(written);
            // What stands behind a reference without a semicolon: `&copy2026`.
            let behind = written
                .bytes()
                .rev()
                .zip(read.bytes().rev())
                .take_while(|(a, b)| a == b)
                .count();
            at = if read == written { end } else { end - behind };
            if read == written {
                self.text(start..end);
            } else {
                self.reference(start..at, &read[..read.len() - behind]);
            }
        }
        self.text(at..range.end);
    }

    fn reference(&mut self, range: Range<usize>, read: &str) {
        let read = clean::cleaned(read);
        if !read.trim().is_empty() || (self.pre == Pre::Code && !read.is_empty()) {
            self.begin_word(range.start);
            self.blocks.builder.replace(range, &read);
        } else if !read.is_empty() {
            self.gap = self.gap.max(Gap::Space);
        }
    }

    /// Text without references.
    fn text(&mut self, range: Range<usize>) {
        let source = self.blocks.builder.source;
        if self.pre == Pre::Code {
            if !self.blocks.is_fresh() || !source[range.clone()].trim().is_empty() {
                self.begin_word(range.start);
                self.blocks.builder.copy(range);
            }
            return;
        }
        // Words with one space between them are taken over together.
        let mut stretch: Option<Range<usize>> = None;
        let mut at = range.start;
        loop {
            let rest = &source[at..range.end];
            let space = &rest[..rest.len() - rest.trim_start().len()];
            let start = at + space.len();
            let word = source[start..range.end]
                .split(char::is_whitespace)
                .next()
                .unwrap_or_default();
            at = start + word.len();
            let length = self.blocks.builder.text.len();
            let is_in_link = self.target.is_some_and(|from| length - from < LONGEST_LINK);
            self.is_link &= is_in_link || !word.contains(char::is_alphanumeric);
            match &mut stretch {
                Some(stretch) if space == " " && !word.is_empty() => {
                    stretch.end = at;
                    continue;
                }
                _ => {}
            }
            if let Some(stretch) = stretch.take() {
                self.blocks.builder.copy(stretch);
            }
            if self.pre == Pre::Text {
                (0..line_ends(space)).for_each(|_| self.line_end());
            }
            if !space.is_empty() {
                self.gap = self.gap.max(Gap::Space);
            }
            if word.is_empty() {
                return;
            }
            self.begin_word(start);
            stretch = Some(start..at);
        }
    }

    /// Writes what stands before a word at `start`.
    fn begin_word(&mut self, start: usize) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        let mark = if self.struck > 0 && !std::mem::replace(&mut self.is_marked, true) {
            STRUCK
        } else {
            ""
        };
        let gap = match gap {
            _ if self.blocks.is_fresh() => "",
            Gap::None => "",
            Gap::Space => " ",
            Gap::Line => "\n",
        };
        self.blocks.begin(start);
        if !gap.is_empty() || !mark.is_empty() {
            self.blocks.builder.separate(start, &format!("{gap}{mark}"));
        }
    }
}

/// Whether most lines of what `<pre>` holds are of words, as in a memo, and not in a program, whose words `<span>` gives their
/// colours, too.
fn holds_prose(source: &str) -> bool {
    let mut text = String::new();
    for part in source.split('<') {
        let (tag, behind) = part.split_once('>').unwrap_or(("", part));
        if tag.starts_with("br") {
            text.push('\n');
        }
        text.push_str(behind);
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let (of_words, all) = lines.fold((0, 0), |(of_words, all), line| {
        let is_of_words = line.split_whitespace().nth(5).is_some()
            && plain::is_wordy(line)
            && !line.contains(['{', '}', ';', '=']);
        (of_words + usize::from(is_of_words), all + 1)
    });
    2 * of_words > all
}

/// The mark of a footnote: `[12]`, `[a 3]`.
const LONGEST_MARK: usize = 8;
/// The longest name of a character, without `&` and `;`.
const LONGEST_REFERENCE: usize = 32;

/// What a browser makes of a character reference.
fn resolved(reference: &str) -> String {
    let mut text = String::new();
    let Ok(()) = Tokenizer::new(reference).try_for_each(|token| {
        if let Token::String(string) = token? {
            text.push_str(&String::from_utf8_lossy(&string));
        }
        Ok::<(), Infallible>(())
    });
    text
}

fn line_ends(space: &str) -> usize {
    match space.matches('\n').count() {
        0 => space.matches('\r').count(),
        n => n,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Format};
    use BlockKind::*;

    fn seen(source: &str) -> Vec<(BlockKind, String)> {
        let layout = layout(source);
        let blocks = layout.blocks.iter();
        blocks
            .map(|b| (b.kind, layout.text[b.span.clone()].to_owned()))
            .collect()
    }

    fn text(source: &str) -> String {
        layout(source).text
    }

    #[test]
    fn markup_is_not_read_and_the_map_leads_around_it() {
        let source = "<!DOCTYPE html>\n<html><head><title>Dam</title><style>p { color: red }</style></head><body>\n\
                      <h1>The <i>dam</i></h1>\n<p>See <b><a href='x'>the\n   report</a></b> of AT&amp;T &mdash; 5&nbsp;km<script>if (a<b) {}</script>.\n\
                      <ul><li>one<li>two\n<ul><li>three</ul></ul><!-- not this --><div>End</div>tail";
        let expected = [
            (Heading, "Dam"),
            (Heading, "The dam"),
            (Paragraph, "See the report of AT&T — 5 km."),
            (ListItem, "one"),
            (ListItem, "two"),
            (ListItem, "three"),
            (Paragraph, "End"),
            (Paragraph, "tail"),
        ];
        assert_eq!(seen(source), expected.map(|(kind, text)| (kind, text.to_owned())));
        let layout = layout(source);
        let at = layout.text.find("report of AT&T — 5 km").unwrap();
        assert_eq!(
            &source[layout.map.to_source(at..at + "report of AT&T — 5 km".len())],
            "report</a></b> of AT&amp;T &mdash; 5&nbsp;km"
        );
    }

    #[test]
    fn what_stands_beside_the_text_is_known() {
        let source = "<body class='cookies-on'><nav>Home</nav><div id='cookie-banner'><div>We use them.</div> All.</div>\
                      <section class=story><p>The dam broke.</section><p hidden>Not yet.</p><div class='ad top'>Save 40 %.</div><div class='ad-free tag-cookies'>It was on the road.</div><div style='Display: none'>Never.</div><figure>Image<figcaption>The dam</figcaption></figure>\
                      <aside>Read <p>more</aside>It fell.<div role=contentinfo><table><tr><td>Press</table></div>\
                      <nav/>Nobody was hurt.<footer>Imprint</footer><aside class='note correction'>It held.</aside><aside>The end.";
        let beside: Vec<String> = layout(source)
            .blocks
            .iter()
            .filter(|block| block.is_beside)
            .map(|block| text(source)[block.span.clone()].to_owned())
            .collect();
        assert_eq!(
            beside,
            [
                "Home",
                "We use them.",
                "All.",
                "Not yet.",
                "Save 40 %.",
                "Never.",
                "The dam",
                "Read",
                "more",
                "Press",
                "Imprint"
            ]
        );
    }

    /// The texts of a page that stand beside it.
    fn beside(page: &str) -> Vec<String> {
        let layout = layout(page);
        let beside = layout.blocks.iter().filter(|block| block.is_beside);
        beside
            .map(|block| layout.text[block.span.clone()].to_owned())
            .collect()
    }

    #[test]
    fn what_a_page_calls_its_footer_is_beside_unless_it_is_most_of_the_page() {
        let text = format!("<p>{}</p>", "The dam broke on Monday. ".repeat(30));
        let page = |rest: &str| format!("<body><div class='page-body'>{text}{rest}</div>");
        for element in [
            "<div class='site-footer'><div>Ours.</div></div>",
            "<div id='photoCaption'>Ours.</div>",
            "<p class='caption'>Ours.<p>It fell.<p>It rose.",
            "<form action='/'><p>Ours.</p></form>",
            "<section aria-hidden='true'><p>Ours.</p></section>",
            "<cite style='display: none'>Ours.</cite>",
            "<p>It fell. <span hidden>Ours.</span> It rose.</p>",
            "<ul class='teasers'><li>Ours.</ul>",
            "<script type='application/ld+json'>{\"@type\": \"ClaimReview\"}</script><div class='claim'>Ours.</div>",
        ] {
            assert_eq!(beside(&page(element)), ["Ours."], "{element}");
        }
        for element in [
            "<div class='no-footer'>Ours.</div>",
            "<div class='claim'>Ours.</div>",
            "<p>It <span hidden>fell</span> down.</p>",
            "<p>It fell. <span style='display:none'><math><mi>x</mi></math></span></p>",
            "<pre>x = 1; <span class='comment' hidden># Ours.</span></pre>",
        ] {
            assert_eq!(beside(&page(element)), [""; 0], "{element}");
        }
        // Frameworks set all of a page in a form, and an index page has nothing but teasers.
        let form = format!("<form><div class='footer'><p>Ours.</p></div>{text}</form>");
        assert_eq!(beside(&form), ["Ours."]);
        assert_eq!(beside("<form><ul><li>It fell.<li>It rose.</ul></form>"), [""; 0]);
        // Hidden keys by which cells are sorted leave them cells.
        let table = layout("<table><tr><th>a<th>b<tr><td><span hidden>02</span>2<td>3</table>");
        assert_eq!(
            table
                .blocks
                .iter()
                .filter(|b| b.kind == BlockKind::TableCell)
                .count(),
            4
        );
        let open = "<div><section class='footer'></div>".repeat(20);
        assert_eq!(beside(&format!("{text}{open}<nav><p>Ours.</p></nav>")), ["Ours."]);
        assert_eq!(beside(&page("<div class='OneTrust'>Ours.</div>")), ["Ours."]);
        let teasers = "<div class='teaser'><p>It fell.</p></div>".repeat(9);
        assert_eq!(beside(&teasers), [""; 0]);
    }

    #[test]
    fn references_are_resolved_as_browsers_do() {
        for (written, read) in [
            ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
            ("&copy2026 &copy; 2026", "©2026 © 2026"),
            ("&#x41;&#66;&#8212;", "AB—"),
            ("Q&A, R&D; x & y &unknown; &", "Q&A, R&D; x & y &unknown; &"),
            ("co&shy;op&#8203;era&ZeroWidthSpace;tion", "cooperation"),
            ("&#150; &#x93;No&#x94;", "– “No”"),
            ("<a>Home</a><a>Ne<i>ws</i></a>", "Home News"),
            ("caf&eacute;s &NotEqualTilde;", "cafés \u{2242}\u{338}"),
        ] {
            assert_eq!(text(written), read, "{written}");
        }
    }

    #[test]
    fn what_is_struck_raised_or_a_mark_of_a_footnote_is_no_other_text() {
        assert_eq!(text("It is <s>900</s> 400."), "It is ~~900~~ 400.");
        assert_eq!(
            text("<p>It is <del>900<p>and</del> 400."),
            "It is ~~900~~\n\n~~and~~ 400."
        );
        assert_eq!(
            text("10<sup>6</sup> m<sup>2</sup>, 10<sup>&minus;3</sup>, the 1<sup>st</sup>."),
            "10⁶ m², 10⁻³, the 1st."
        );
        assert_eq!(
            text("Bergen<sup><a href='#n'>[1]</a></sup><a href=x.html#n><sup>2</sup></a> in spring."),
            "Bergen in spring."
        );
        assert_eq!(
            text(
                "<p>Bergen.<a href='#fn1' role=\"doc-noteref\">1</a> It rained.<p>A note.<a class=footnote-back>↩︎</a>"
            ),
            "Bergen. It rained.\n\nA note."
        );
        assert_eq!(body("<title>c1.xhtml</title><p>One").text, "One");
    }

    #[test]
    fn cells_that_reach_over_many_rows_do_not_make_the_text_grow() {
        let page = format!(
            "<table><tr>{}{}",
            "<td rowspan=65000 colspan=9>x".repeat(1000),
            "<tr><td>y".repeat(1000)
        );
        let read = text(&page);
        assert_eq!(read.matches('y').count(), 1000);
        assert!(
            read.len() < 1000 * (2 * tables::MOST_COLUMNS + 20),
            "{}",
            read.len()
        );
        let widest = text("<table><tr><td>a<td colspan=18446744073709551615>b<td>c");
        assert_eq!(widest.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn formulas_are_read_as_they_are_written_in_a_line() {
        let page = "<p>It weighs about <math display=inline><semantics><msup><mn>10</mn><mn>30</mn></msup>\
            <annotation>10^{30}</annotation></semantics></math> kilograms, at <math><mfrac><mn>1</mn><mn>6</mn></mfrac></math>.";
        let read = layout(page);
        assert_eq!(read.text, "It weighs about 10³⁰ kilograms, at 1/6.");
        let end = read.text.find(" kilograms").unwrap();
        let source = read.map.to_source(end - "10³⁰".len()..end);
        assert!(page[source.clone()].starts_with("<math display") && page[source].ends_with("</math>"));
        assert_eq!(text("<p>A <math><mi>x</mi> and so on."), "A x and so on.");
        assert_eq!(
            text("<p>A <math><mi>x</mi><!-- </math> --> and so on. It rained."),
            "A x and so on. It rained."
        );
    }

    #[test]
    fn what_is_all_of_it_a_link_stands_beside_the_text() {
        let page = "<p><a href=x>A company will break ground on a new line.</a><p>The <a href=y>dam</a> broke.\
            <p><a href=y>Not only the dam</a>, but all of the road is gone.\
            <a href=z><h3>Weather</h3><p>It will rain all of the week.</p></a><ul><li><a href=#a>1. Whose dam is it?</a>.</ul>\
            <p><a name=b>It was built in 1931.<p>It fell.";
        let layout = layout(page);
        let beside: Vec<_> = layout
            .blocks
            .iter()
            .filter(|b| b.is_beside)
            .map(|b| &layout.text[b.span.clone()])
            .collect();
        assert_eq!(
            beside,
            [
                "A company will break ground on a new line.",
                "It will rain all of the week.",
                "1. Whose dam is it?."
            ]
        );
    }

    #[test]
    fn a_memo_in_pre_is_no_program() {
        let memo = "<pre><span class='grey'>Internet-Draft of the working group for mail and calendars</span>\n\n\
            Status of this Memo\n\n   This draft is sent to the group so that all of its\n   members can say what they think of it.\n</pre>";
        let read: Vec<String> = seen(memo).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            read[1..],
            [
                "Status of this Memo",
                "This draft is sent to the group so that all of its\nmembers can say what they think of it."
            ]
        );
    }

    #[test]
    fn lines_end_where_they_are_told_to() {
        assert_eq!(
            text("<p>12 High Street<br>Bergen<br/><br>Norway"),
            "12 High Street\nBergen\n\nNorway"
        );
        assert_eq!(
            text("<pre>\nIt was moved\n   by Ines.\n\nAnd <b>carried</b>.\n</pre>"),
            "It was moved\nby Ines.\n\nAnd carried."
        );
        let code = "<pre><code>if a:\n    b &lt; c\n</code></pre><p>Done.";
        assert_eq!(
            seen(code),
            [
                (Verbatim, "if a:".to_owned()),
                (Verbatim, "b < c".to_owned()),
                (Paragraph, "Done.".to_owned())
            ]
        );
    }

    #[test]
    fn a_table_of_data_has_rows_and_one_of_text_has_paragraphs() {
        let source = "<table><tr><th>Item<th>Actual</tr>\n<tr><td><p>Dredging</p></td>\n<td>512<br></td></tr></table>\
                      <table><tr><td><p>It was a long day.</p><p>He left.</p></td><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>";
        let cell = |text: &str| (TableCell, text.to_owned());
        let paragraph = |text: &str| (Paragraph, text.to_owned());
        assert_eq!(
            seen(source),
            [
                cell("Item"),
                cell("Actual"),
                cell("Dredging"),
                cell("512"),
                paragraph("It was a long day."),
                paragraph("He left."),
                cell("a"),
                cell("b"),
            ]
        );
        let document = Document::new("t", source, Format::Html).unwrap();
        let at = document.text().find("512").unwrap();
        let row = document.shown_row(&(at..at + 3)).unwrap();
        assert_eq!(row, ["Item: Dredging", "Actual: 512"]);
        let sections: Vec<_> = document.blocks().iter().map(|b| b.section).collect();
        assert!(sections.is_sorted() && sections[3] != sections[4] && sections[4] != sections[5]);
    }

    #[test]
    fn cells_over_several_columns_and_rows_leave_the_others_below_their_headings() {
        let source = "<table><tr><th>Year<th colspan=2>Budget<th>Actual</tr>\
                      <tr><td rowspan='2'>2023<td>Lights<td>85<td>97</tr>\
                      <tr><td>Dredging<td>400<td>512</tr><tr><td>2024<td colspan=99999>none</tr></table>";
        let document = Document::new("t", source, Format::Html).unwrap();
        let row = |cell: &str| {
            let at = document.text().find(cell).unwrap();
            document.shown_row(&(at..at + cell.len())).unwrap()
        };
        assert_eq!(
            row("97"),
            ["Year: 2023", "Budget: Lights", "Budget: 85", "Actual: 97"]
        );
        assert_eq!(
            row("512"),
            ["Year: 2023", "Budget: Dredging", "Budget: 400", "Actual: 512"]
        );
        assert_eq!(row("none"), ["Year: 2024", "Budget: none"]);
    }

    #[test]
    fn headings_are_what_markup_says_they_are() {
        let row = |source: &str, cell: &str| {
            let document = Document::new("t", source, Format::Html).unwrap();
            let at = document.text().find(cell).unwrap();
            document.shown_row(&(at..at + cell.len())).unwrap()
        };
        // Numbers, and a unit.
        let source = "<table><thead><tr><th>Decile<td>1<th>10</thead><tbody><tr><td>Income<td>9,400<td>81,200<tr><td>Tax<td>8<td>2</table>";
        assert_eq!(
            row(source, "81,200"),
            ["Decile: Income", "1: 9,400", "10: 81,200"]
        );
        let source = "<table><tr><th>Beam<th>Length<th>Load<tr><th><th>m<th>kN<tr><td>A1<td>4.2<td>18<tr><td>A2<td>5<td>9</table>";
        assert_eq!(row(source, "18"), ["Beam: A1", "Length m: 4.2", "Load kN: 18"]);
        // One group, and a title.
        let source = "<table><tr><th colspan=4>Table 3<tr><th><th><th colspan=2>2024<tr><th>Item<th>Code<th>Budget<th>Actual\
                      <tr><td>Sand<td>7<td>400<td>512<tr><td>Lime<td>8<td>85<td>97</table>";
        assert_eq!(
            row(source, "512"),
            ["Item: Sand", "Code: 7", "2024 Budget: 400", "2024 Actual: 512"]
        );
        assert_eq!(row(source, "Table 3"), ["Table 3"]);
        // Rows that head themselves.
        let source =
            "<table><tr><th>Founded<td>in Leeds<td>by Bell<tr><th>Sold<td>in Hull<td>to Lund</table>";
        assert_eq!(row(source, "Lund"), ["Sold", "in Hull", "to Lund"]);
        let source = "<table><tr><td>Document<td>HR-012<tr><td>Valid from<td>1 January 2025<tr><td>Approved by<td>The board</table>";
        assert_eq!(row(source, "board"), ["Approved by", "The board"]);
        let source = "<table><tr><td>Item<td>Cost<tr><td>Sand<td>400 euro<tr><td>Lime<td>€85</table>";
        assert_eq!(row(source, "400"), ["Item: Sand", "Cost: 400 euro"]);
        // A total above the rows, a title among them, and a form.
        let source = "<table><thead><tr><th>Item<th>Cost</thead><tfoot><tr><th>Total<th>485</tfoot><tr><td>Sand<td>400<tr><td>Lime<td>85</table>";
        assert_eq!(row(source, "400"), ["Item: Sand", "Cost: 400"]);
        let source = "<table><thead><tr><th>Item<th>Code<th>Cost</thead><tr><th colspan=3>North<tr><td>Sand<td>7<td>400<tr><td>Lime<td>8<td>85</table>";
        assert_eq!(
            row(source, "400"),
            ["North", "Item: Sand", "Code: 7", "Cost: 400"]
        );
        let source = "<table><tr><th>Name<td><th>Date<td><tr><th>Address<td><th>Phone<td><tr><th>Sum<td><th>Paid<td></table>";
        assert_eq!(
            row(source, "Paid").last().unwrap().rsplit(": ").next(),
            Some("Paid")
        );
        // A group that stands over one column.
        let source =
            "<table><tr><th><th>2024<th><tr><th>Item<th>Cost<th>Supplier<tr><td>Sand<td>400<td>Bell</table>";
        assert_eq!(
            row(source, "Bell"),
            ["Item: Sand", "2024 Cost: 400", "Supplier: Bell"]
        );
        // Everything, or only a title, says nothing.
        let source =
            "<table><tr><th>Item<th>Cost<th>Due<tr><th>Sand<th>400<th>May<tr><th>Lime<th>85<th>June</table>";
        assert_eq!(row(source, "400"), ["Item: Sand", "Cost: 400", "Due: May"]);
        let source = "<table><thead><tr><th colspan=3>Costs</thead><tr><td>Item<td>Cost<td>Due<tr><td>Sand<td>400<td>May</table>";
        assert_eq!(row(source, "400"), ["Item: Sand", "Cost: 400", "Due: May"]);
    }

    #[test]
    fn a_cell_below_two_rows_of_headings_has_both() {
        let source = "<table><thead><tr><th rowspan=2>Item<th colspan=2>2023<th colspan=2>2024<th rowspan=2>Note</tr>\
                      <tr><th>Budget<th>Actual<th>Budget<th>Actual</tr></thead>\
                      <tr><td>Dredging<td>400<td>512<td>390<td>401<td>late</tr>\
                      <tr><td>Lights<td>85<td>97<td>86<td>84<td></tr></table>";
        let document = Document::new("t", source, Format::Html).unwrap();
        let row = |cell: &str| {
            let at = document.text().find(cell).unwrap();
            document.shown_row(&(at..at + cell.len())).unwrap()
        };
        assert_eq!(
            row("390"),
            [
                "Item: Dredging",
                "2023 Budget: 400",
                "2023 Actual: 512",
                "2024 Budget: 390",
                "2024 Actual: 401",
                "Note: late"
            ]
        );
        assert_eq!(row("Actual"), ["Budget", "Actual", "Budget", "Actual"]);
        let source = source
            .replace("<th rowspan=2>Note", "")
            .replace("Actual</tr>", "Actual<th>Note</tr>");
        let document = Document::new("t", source.as_str(), Format::Html).unwrap();
        let at = document.text().find("late").unwrap();
        let row = document.shown_row(&(at..at + 4)).unwrap();
        assert_eq!(row[4..], ["2024 Actual: 401", "Note: late"]);
    }

    #[test]
    fn what_is_never_closed_hides_nothing() {
        assert_eq!(text("<svg><p>Seen."), "Seen.");
        assert_eq!(text("<svg><text>no</text><svg></svg>no</svg>yes"), "yes");
        assert_eq!(text("<svg><text>a</text><svg></svg>b"), "ab");
        assert_eq!(
            text("<?xml version='1.0'?><html><script src='a'/><p>Seen.</p></html>"),
            "Seen."
        );
        assert_eq!(
            text("<?xml version='1.0'?><html><script>for(i=0;i<n;i++);</script><p>Seen.</html>"),
            "Seen."
        );
        assert_eq!(
            text("<a name=top>In the 19<sup>th</sup> 10<sup>6</sup><p>m<sup>2"),
            "In the 19th 10⁶\n\nm²"
        );
        assert_eq!(text("<a href=x>10<sup>6</sup> km</a>"), "10⁶ km");
        assert_eq!(text("</table></ul></td></p>Seen."), "Seen.");
    }

    #[test]
    fn html_and_its_encoding_are_known_by_the_beginning() {
        for html in [
            "<!DOCTYPE HTML PUBLIC>",
            "\u{feff}\n <html lang=en>",
            "<?xml version='1.0'?>\n<html>",
        ] {
            assert!(begins_like(html), "{html}");
        }
        assert!(!begins_like("<p>An example of <html>") && !begins_like("<?xml version='1.0'?><feed>"));
        let declared = |head| declared_encoding(head).map(encoding_rs::Encoding::name);
        assert_eq!(declared("<meta charset=ISO-8859-1>"), Some("windows-1252"));
        assert_eq!(
            declared("<meta content='text/html; charset=utf-8'>"),
            Some("UTF-8")
        );
        assert_eq!(
            declared("<?xml version='1.0' encoding=\"iso-8859-2\"?>"),
            Some("ISO-8859-2")
        );
        assert_eq!(declared("<p>charset=none"), None);
    }
}
