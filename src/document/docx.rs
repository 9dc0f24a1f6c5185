//! DOCX (ECMA-376, part 1, section 17): what Word shows, in the order of reading.
//!
//! Insertions are read, deletions and hidden text are not; headers and footers are read once, at the end, because they repeat. The marks of
//! items, which Word counts by itself, are written out.

use std::collections::{HashMap, HashSet};

use super::BlockKind;
use super::extracted::{Extracted, Piece, Setting};
use super::numeral::{LONGEST_MARK, Numeral};
use super::omml::Formula;
use super::package::Package;
use super::xml::{Element, Event, Xml};
use crate::error::Result;

const DELETED: &str = "deleted passage";
const HIDDEN: &str = "hidden passage";
/// Levels of a list.
const LEVELS: usize = 9;
/// Fields within fields.
const DEEPEST_FIELD: usize = 64;
/// Styles, and lists: far more than Word can make.
const MOST_DEFINITIONS: usize = 1 << 16;
/// Styles that are based on each other.
const MOST_STYLES: usize = 32;

/// Reads the document whose main part this is.
pub(super) fn read(package: &mut Package<'_>, part: &str) -> Result<Extracted> {
    let relations = package.relations(part)?;
    let mut text_of = |kind: &str| -> Result<Option<(String, String)>> {
        let Some(relation) = relations.iter().find(|relation| relation.kind == kind) else {
            return Ok(None);
        };
        let text = package.text(&relation.target)?;
        Ok(text.map(|text| (relation.target.clone(), text)))
    };
    let (styles, numbering) = (text_of("styles")?, text_of("numbering")?);
    let notes = [text_of("footnotes")?, text_of("endnotes")?];
    let mut edges = Vec::new();
    for relation in &relations {
        if matches!(relation.kind.as_str(), "header" | "footer") {
            let text = package.text(&relation.target)?;
            edges.push((&relation.target, text.unwrap_or_default()));
        }
    }
    let text = package.needed(part)?;
    let malformed = |part: &str, fault| package.malformed(part, fault);
    let mut known = Known::default();
    if let Some((part, text)) = &styles {
        known.read_styles(text).map_err(|fault| malformed(part, fault))?;
    }
    if let Some((part, text)) = &numbering {
        known
            .read_numbering(text)
            .map_err(|fault| malformed(part, fault))?;
    }
    // Word writes where its pages end; other programs do not.
    let has_pages = memchr::memmem::find(text.as_bytes(), b"lastRenderedPageBreak").is_some();
    let mut walk = Walk::new(&mut known, has_pages);
    walk.read(&text).map_err(|fault| malformed(part, fault))?;
    let (mut extracted, references) = (walk.extracted, walk.references);
    for (kind, notes) in notes.iter().enumerate() {
        let Some((part, text)) = notes else { continue };
        let mut walk = Walk::new(&mut known, false);
        walk.extracted = std::mem::take(&mut extracted);
        walk.first_of_notes = Some(walk.extracted.len());
        walk.boxes = 1; // They have no pages of their own.
        walk.read(text).map_err(|fault| malformed(part, fault))?;
        extracted = walk.extracted;
        for reference in references.iter().filter(|reference| reference.kind == kind) {
            if let Some(pieces) = walk.notes.remove(&reference.id) {
                extracted.add_note(pieces, reference.page);
            }
        }
    }
    // Word keeps one for each kind of page, most of them alike or empty.
    let mut seen = HashSet::new();
    for (part, text) in edges {
        let mut walk = Walk::new(&mut known, false);
        walk.boxes = 1;
        walk.read(&text).map_err(|fault| malformed(part, fault))?;
        extracted.add_beside(walk.extracted, &mut seen);
    }
    Ok(extracted)
}

/// What the other parts say.
#[derive(Default)]
struct Known {
    styles: HashMap<String, Style>,
    /// The list that is behind a number.
    lists: HashMap<u32, List>,
    schemes: HashMap<u32, Scheme>,
}

#[derive(Default)]
struct Style {
    name: String,
    based_on: String,
    outline: Option<usize>,
    list: Option<u32>,
    level: Option<usize>,
    is_hidden: Option<bool>,
}

/// `w:num`
#[derive(Default)]
struct List {
    scheme: u32,
    /// Where levels start that do not start as the scheme says; taken when the list is used first.
    starts: [Option<u32>; LEVELS],
    levels: [Option<Level>; LEVELS],
}

/// `w:abstractNum`
#[derive(Default)]
struct Scheme {
    levels: [Option<Level>; LEVELS],
    /// The style that has the list to use instead.
    style: Option<String>,
    /// How far each level has been counted.
    counts: [Option<u32>; LEVELS],
}

#[derive(Clone)]
struct Level {
    start: u32,
    numeral: Numeral,
    /// `%1.%2)`
    text: String,
    /// The paragraphs that have the level by their style.
    style: String,
    /// Whether the numbers of the levels above are written in figures.
    is_legal: bool,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            start: 0,
            numeral: Numeral::Decimal,
            text: String::new(),
            style: String::new(),
            is_legal: false,
        }
    }
}

impl Known {
    fn read_styles(&mut self, text: &str) -> Result<(), &'static str> {
        let mut xml = Xml::new(text);
        let mut path: Vec<bool> = Vec::new(); // Whether each open element is a formatting that was replaced.
        let mut id = None;
        while let Some(element) = xml.next_element()? {
            path.truncate(xml.depth() - 1);
            let name = element.name();
            path.push(name.ends_with("Change") || name == "tblStylePr" || path.last() == Some(&true));
            if name == "style" {
                id = element.get("styleId");
            }
            if self.styles.len() > MOST_DEFINITIONS {
                return Err("defines too many styles");
            }
            let Some(id) = id.as_ref().filter(|_| path.last() == Some(&false)) else {
                continue;
            };
            let style = self.styles.entry(id.clone()).or_default();
            let value = || element.get("val").unwrap_or_default();
            match name {
                "name" => style.name = value().to_lowercase(),
                "basedOn" => style.based_on = value(),
                "outlineLvl" => style.outline = element.number("val"),
                "numId" => style.list = element.number("val"),
                "ilvl" => style.level = element.number("val"),
                "vanish" => style.is_hidden = Some(element.is_on()),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_numbering(&mut self, text: &str) -> Result<(), &'static str> {
        #[derive(Clone, Copy)]
        enum Of {
            Scheme(u32),
            List(u32),
        }
        let mut xml = Xml::new(text);
        let (mut of, mut at) = (None, 0);
        while let Some(element) = xml.next_element()? {
            if self.schemes.len() + self.lists.len() > MOST_DEFINITIONS {
                return Err("defines too many lists");
            }
            let value = || element.get("val").unwrap_or_default();
            let id = |name: &str| element.number(name);
            match element.name() {
                "abstractNum" => of = id("abstractNumId").map(Of::Scheme),
                "num" => of = id("numId").map(Of::List),
                "lvl" | "lvlOverride" => {
                    at = id("ilvl").map_or(LEVELS, |level: u32| level as usize);
                    if element.name() == "lvlOverride" {
                        continue;
                    }
                }
                _ => {}
            }
            match (element.name(), of) {
                ("abstractNum", Some(Of::Scheme(scheme))) => {
                    self.schemes.insert(scheme, Scheme::default());
                }
                ("num", Some(Of::List(list))) => {
                    self.lists.insert(list, List::default());
                }
                ("numStyleLink", Some(Of::Scheme(scheme))) => {
                    self.schemes.entry(scheme).or_default().style = Some(value());
                }
                ("abstractNumId", Some(Of::List(list))) => {
                    self.lists.entry(list).or_default().scheme = element.number("val").unwrap_or_default();
                }
                ("startOverride", Some(Of::List(list))) => {
                    if let Some(start) = self.lists.entry(list).or_default().starts.get_mut(at) {
                        *start = element.number("val");
                    }
                }
                (name @ ("lvl" | "start" | "numFmt" | "lvlText" | "pStyle" | "isLgl"), Some(of)) => {
                    let levels = match of {
                        Of::Scheme(scheme) => &mut self.schemes.entry(scheme).or_default().levels,
                        Of::List(list) => &mut self.lists.entry(list).or_default().levels,
                    };
                    let Some(level) = levels.get_mut(at) else { continue };
                    let level = level.get_or_insert_default();
                    match name {
                        "start" => level.start = element.number("val").unwrap_or_default(),
                        "numFmt" => level.numeral = numeral(&value()),
                        "lvlText" => {
                            level.text = Some(value())
                                .filter(|text| text.len() <= LONGEST_MARK)
                                .unwrap_or_default()
                        }
                        "pStyle" => level.style = value(),
                        "isLgl" => level.is_legal = element.is_on(),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The first that a style, or one that it is based on, says.
    fn find<T>(&self, style: &str, says: impl Fn(&str, &Style) -> Option<T>) -> Option<T> {
        let mut id = style;
        for _ in 0..MOST_STYLES {
            let style = self.styles.get(id)?;
            if let Some(found) = says(id, style) {
                return Some(found);
            }
            id = &style.based_on;
        }
        None
    }

    fn is_hidden(&self, style: &str) -> Option<bool> {
        self.find(style, |_, style| style.is_hidden)
    }

    fn is_heading(&self, style: &str) -> bool {
        let of_name = |name: &str| {
            let level = name.strip_prefix("heading ").map(str::trim);
            level.is_some_and(|level| level.len() == 1 && level.bytes().all(|b| b.is_ascii_digit()))
                || matches!(name, "title" | "subtitle")
        };
        let says = |_: &str, style: &Style| match style.outline {
            Some(level) => Some(level < LEVELS),
            None => of_name(&style.name).then_some(true),
        };
        self.find(style, says).unwrap_or(false)
    }

    /// The list of a paragraph and its level in it.
    fn list_of(&self, paragraph: &ParagraphProperties) -> Option<(u32, usize)> {
        let of_style = || {
            self.find(&paragraph.style, |id, style| {
                Some((style.list?, style.level, id.to_owned()))
            })
        };
        let (list, level, style) = match paragraph.list {
            Some(list) => (list, paragraph.level, paragraph.style.clone()),
            None => of_style()?,
        };
        let by_style = || {
            let levels = &self.schemes.get(&self.scheme_of(list)?)?.levels;
            levels.iter().position(|level| {
                level
                    .as_ref()
                    .is_some_and(|l| !l.style.is_empty() && l.style == style)
            })
        };
        let level = paragraph
            .level
            .or(level)
            .or_else(by_style)
            .unwrap_or(0)
            .min(LEVELS - 1);
        (list != 0).then_some((list, level)) // 0 takes a paragraph out of its list.
    }

    fn scheme_of(&self, list: u32) -> Option<u32> {
        let scheme = self.lists.get(&list)?.scheme;
        let style = self.schemes.get(&scheme)?.style.as_ref();
        let linked = style
            .and_then(|style| self.styles.get(style)?.list)
            .and_then(|list| self.lists.get(&list));
        Some(linked.map_or(scheme, |list| list.scheme))
    }

    /// Counts an item, and writes its mark.
    fn mark(&mut self, list: u32, level: usize) -> Option<String> {
        let scheme = self.scheme_of(list)?;
        let list = self.lists.get_mut(&list)?;
        let scheme = self.schemes.get_mut(&scheme)?;
        if let Some(start) = list.starts[level].take() {
            scheme.counts[level] = start.checked_sub(1);
        }
        let levels: [Level; LEVELS] = std::array::from_fn(|at| {
            let own = list.levels[at].clone().filter(|level| !level.text.is_empty());
            own.or_else(|| scheme.levels[at].clone()).unwrap_or_default()
        });
        for (above, count) in scheme.counts[..level].iter_mut().enumerate() {
            count.get_or_insert(levels[above].start);
        }
        let here = &mut scheme.counts[level];
        *here = Some(here.map_or(levels[level].start, |count| count.saturating_add(1)));
        scheme.counts[level + 1..].fill(None);
        let own = &levels[level];
        if own.numeral == Numeral::Bullet {
            let is_dash = matches!(own.text.as_str(), "-" | "–");
            return Some(if is_dash {
                own.text.clone()
            } else {
                "•".to_owned()
            });
        }
        let mut mark = String::new();
        let mut rest = own.text.as_str();
        while let Some((before, after)) = rest.split_once('%') {
            mark += before;
            rest = after;
            let Some(digit @ '1'..='9') = after.chars().next() else {
                mark.push('%');
                continue;
            };
            rest = &after[1..];
            let at = digit as usize - '1' as usize;
            let numeral = match levels[at].numeral {
                _ if own.is_legal => Numeral::Decimal,
                numeral => numeral,
            };
            mark += &numeral.write(scheme.counts[at].unwrap_or(levels[at].start));
        }
        mark += rest;
        Some(mark).filter(|mark| !mark.trim().is_empty())
    }
}

/// The formats of numbers (section 17.18.59); what is not here is counted in figures.
fn numeral(format: &str) -> Numeral {
    match format {
        "bullet" => Numeral::Bullet,
        "none" => Numeral::None,
        "decimalZero" => Numeral::DecimalZero,
        "lowerLetter" => Numeral::LowerLetter,
        "upperLetter" => Numeral::UpperLetter,
        "lowerRoman" => Numeral::LowerRoman,
        "upperRoman" => Numeral::UpperRoman,
        _ => Numeral::Decimal,
    }
}

/// `w:pPr`
#[derive(Default)]
struct ParagraphProperties {
    style: String,
    outline: Option<usize>,
    list: Option<u32>,
    level: Option<usize>,
    /// Whether it goes on in the next one: its end was deleted, or it is an initial in a frame.
    goes_on: bool,
}

/// A note that the text refers to.
struct Reference {
    /// 0 of a footnote, 1 of an endnote.
    kind: usize,
    id: String,
    page: usize,
}

/// What has to be done at the end of an element.
enum Frame {
    Nothing,
    /// Something was opened in what is extracted.
    Opened,
    /// A paragraph, with the properties of the one around it.
    Paragraph(ParagraphProperties),
    TextBox,
    /// A run, with whether the one around it is hidden.
    Run(bool),
    Text,
    Properties,
    /// `mc:AlternateContent`, and whether one of its alternatives has been read.
    Alternatives(bool),
    Note(String),
}

/// What properties belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Paragraph,
    Run,
    Numbering,
    Other,
}

struct Walk<'a> {
    extracted: Extracted,
    known: &'a mut Known,
    frames: Vec<Frame>,
    /// How deep the place is in something that is not read.
    skipped: usize,
    /// Whether that was deleted.
    is_deleted: bool,
    properties: Vec<Of>,
    paragraph: ParagraphProperties,
    is_hidden: bool,
    /// How the current run is set.
    setting: Setting,
    /// The formula that the place is in.
    formula: Option<Formula>,
    /// Whether the result of each open field has begun.
    fields: Vec<bool>,
    /// How many text boxes the place is in.
    boxes: usize,
    /// Whether a page was broken by hand, and nothing written since: Word writes such a break twice.
    is_broken: bool,
    references: Vec<Reference>,
    /// In a part of notes, the number of pieces before them.
    first_of_notes: Option<usize>,
    notes: HashMap<String, Vec<Piece>>,
}

impl<'a> Walk<'a> {
    fn new(known: &'a mut Known, has_pages: bool) -> Self {
        Self {
            extracted: if has_pages {
                Extracted::with_pages()
            } else {
                Extracted::default()
            },
            known,
            frames: Vec::new(),
            skipped: 0,
            is_deleted: false,
            properties: Vec::new(),
            paragraph: ParagraphProperties::default(),
            is_hidden: false,
            setting: Setting::default(),
            formula: None,
            fields: Vec::new(),
            boxes: 0,
            is_broken: false,
            references: Vec::new(),
            first_of_notes: None,
            notes: HashMap::new(),
        }
    }

    fn read(&mut self, text: &str) -> Result<(), &'static str> {
        let mut xml = Xml::new(text);
        while let Some(event) = xml.next()? {
            match event {
                Event::Open(_) if self.skipped > 0 => self.skipped += 1,
                Event::Close if self.skipped > 0 => self.skipped -= 1,
                Event::Text(text) if self.skipped > 0 => {
                    if self.is_deleted && !text.trim().is_empty() {
                        self.extracted.leave_out_passage(DELETED);
                    }
                }
                Event::Open(element)
                    if self.formula.is_some() && matches!(element.name(), "del" | "moveFrom") =>
                {
                    self.skip(element.name() == "del");
                }
                event if let Some(formula) = &mut self.formula => {
                    if let Some(line) = formula.event(&event) {
                        self.formula = None;
                        self.text(&line);
                        self.close();
                    }
                }
                Event::Open(element) if !self.properties.is_empty() => self.property(&element),
                Event::Open(element) => self.open(&element),
                Event::Close => self.close(),
                Event::Text(text) if matches!(self.frames.last(), Some(Frame::Text)) => self.text(&text),
                Event::Text(_) => {}
            }
        }
        Ok(())
    }

    fn skip(&mut self, is_deleted: bool) {
        self.skipped = 1;
        self.is_deleted = is_deleted;
    }

    fn open(&mut self, element: &Element<'_>) {
        if let Some(Frame::Alternatives(is_read)) = self.frames.last_mut()
            && std::mem::replace(is_read, true)
        {
            return self.skip(false);
        }
        let extracted = &mut self.extracted;
        let frame = match element.name() {
            "del" | "moveFrom" => return self.skip(element.name() == "del"),
            "instrText" | "delInstrText" | "delText" | "fldData" | "rt" => {
                return self.skip(false);
            }
            "p" => {
                extracted.open_paragraph();
                self.is_hidden = false;
                Frame::Paragraph(std::mem::take(&mut self.paragraph))
            }
            "r" => Frame::Run(self.is_hidden),
            "t" => Frame::Text,
            "oMath" => {
                self.formula = Some(Formula::default());
                Frame::Nothing
            }
            name @ ("tbl" | "tr" | "tc") => {
                extracted.open_table_element(name);
                Frame::Opened
            }
            "txbxContent" => {
                extracted.open_aside();
                self.boxes += 1;
                Frame::TextBox
            }
            "AlternateContent" => Frame::Alternatives(false),
            "footnote" | "endnote" if self.first_of_notes.is_some() => {
                Frame::Note(element.get("id").unwrap_or_default())
            }
            name if name.ends_with("Pr") => {
                self.properties.push(match name {
                    "pPr" => Of::Paragraph,
                    "rPr" => Of::Run,
                    _ => Of::Other,
                });
                Frame::Properties
            }
            name => {
                self.character(name, element);
                Frame::Nothing
            }
        };
        self.frames.push(frame);
    }

    /// Elements without text of their own that stand for something.
    fn character(&mut self, name: &str, element: &Element<'_>) {
        match name {
            "tab" | "ptab" if !self.is_hidden => self.extracted.tab(),
            "noBreakHyphen" => self.text("-"),
            "sym" => {
                // Pictures of symbol fonts are in the area for private use.
                let code = element.get("char");
                let code = code.and_then(|code| u32::from_str_radix(&code, 16).ok());
                let is_private = |c: &char| ('\u{E000}'..='\u{F8FF}').contains(c);
                if let Some(c) = code.and_then(char::from_u32).filter(|c| !is_private(c)) {
                    self.text(c.encode_utf8(&mut [0; 4]));
                }
            }
            "br" if element.get("type").as_deref() == Some("page") => {
                self.extracted.split_paragraph();
                if self.boxes == 0 {
                    self.extracted.next_page();
                    self.is_broken = true;
                }
            }
            "br" | "cr" if !self.is_hidden => self.extracted.line_break(),
            "lastRenderedPageBreak" if self.boxes == 0 && !std::mem::take(&mut self.is_broken) => {
                self.extracted.next_page();
            }
            "fldChar" => match element.get("fldCharType").as_deref() {
                Some("begin") if self.fields.len() < DEEPEST_FIELD => self.fields.push(false),
                Some("separate") => {
                    if let Some(has_result) = self.fields.last_mut() {
                        *has_result = true;
                    }
                }
                Some("end") => {
                    self.fields.pop();
                }
                _ => {}
            },
            "footnoteReference" | "endnoteReference" if self.first_of_notes.is_none() => {
                self.references.push(Reference {
                    kind: usize::from(name == "endnoteReference"),
                    id: element.get("id").unwrap_or_default(),
                    page: self.extracted.page(),
                });
            }
            "commentReference" => self.extracted.leave_out("comment"),
            "chart" => self.extracted.leave_out("chart"),
            "relIds" => self.extracted.leave_out("diagram"),
            "altChunk" | "OLEObject" => self.extracted.leave_out("embedded file"),
            _ => {}
        }
    }

    fn property(&mut self, element: &Element<'_>) {
        let name = element.name();
        match (&self.properties[..], name) {
            ([Of::Paragraph], "pStyle") => self.paragraph.style = element.get("val").unwrap_or_default(),
            ([Of::Paragraph], "outlineLvl") => self.paragraph.outline = element.number("val"),
            ([Of::Paragraph, Of::Numbering], "numId") => self.paragraph.list = element.number("val"),
            ([Of::Paragraph, Of::Numbering], "ilvl") => self.paragraph.level = element.number("val"),
            ([Of::Paragraph, Of::Run], "del") => self.paragraph.goes_on = true,
            ([Of::Paragraph], "framePr") => {
                let kind = element.get("dropCap");
                self.paragraph.goes_on |= matches!(kind.as_deref(), Some("drop" | "margin"));
            }
            ([Of::Run], "rStyle") => {
                let style = element.get("val").unwrap_or_default();
                self.is_hidden = self.known.is_hidden(&style).unwrap_or(self.is_hidden);
            }
            ([Of::Other], "gridBefore") => self.extracted.skip_cells(element.number("val").unwrap_or(0)),
            ([Of::Other], "tblHeader") if element.is_on() => self.extracted.head_row(),
            ([Of::Other], "gridSpan") => self.extracted.fill_cell(element.number("val").unwrap_or(1)),
            ([Of::Other], "vMerge") if element.get("val").as_deref() != Some("restart") => {
                self.extracted.go_on_in_cell();
            }
            ([Of::Run], "vanish") => self.is_hidden = element.is_on(),
            ([Of::Run], "strike" | "dstrike") => self.setting.is_struck |= element.is_on(),
            ([Of::Run], "vertAlign") => {
                self.setting.is_raised = element.get("val").as_deref() == Some("superscript");
            }
            _ => {}
        }
        if name.ends_with("Pr") {
            self.properties.push(match name {
                "pPr" => Of::Paragraph,
                "rPr" => Of::Run,
                "numPr" => Of::Numbering,
                _ => Of::Other,
            });
            self.frames.push(Frame::Properties);
        } else {
            self.frames.push(Frame::Nothing);
        }
    }

    fn close(&mut self) {
        match self.frames.pop() {
            Some(Frame::Opened) => self.extracted.close(),
            Some(Frame::Paragraph(around)) => {
                match std::mem::replace(&mut self.paragraph, around).goes_on {
                    true => self.extracted.close_unfinished(),
                    false => self.extracted.close(),
                }
                // What is left open has no result in sight, and must not hide the rest of the document.
                self.fields.fill(true);
                self.is_hidden = false;
            }
            Some(Frame::TextBox) => {
                self.extracted.close();
                self.boxes -= 1;
            }
            Some(Frame::Run(was_hidden)) => {
                self.is_hidden = was_hidden;
                self.setting = Setting::default();
            }
            Some(Frame::Properties) => {
                let of = self.properties.pop();
                if of == Some(Of::Paragraph) && self.properties.is_empty() {
                    self.begin_paragraph();
                }
            }
            Some(Frame::Note(id)) => {
                let first = self.first_of_notes.unwrap_or_default();
                let pieces = self.extracted.take(first);
                self.notes.insert(id, pieces);
            }
            Some(Frame::Nothing | Frame::Text | Frame::Alternatives(_)) | None => {}
        }
    }

    /// The properties of a paragraph are known.
    fn begin_paragraph(&mut self) {
        let paragraph = &self.paragraph;
        self.is_hidden = self.known.is_hidden(&paragraph.style).unwrap_or(false);
        let list = self.known.list_of(paragraph);
        let is_heading = match paragraph.outline {
            Some(level) => level < LEVELS,
            None => self.known.is_heading(&paragraph.style),
        };
        let kind = match list {
            _ if is_heading => BlockKind::Heading,
            Some(_) => BlockKind::ListItem,
            None => BlockKind::Paragraph,
        };
        self.extracted.set_kind(kind, list.map_or(0, |(list, _)| list));
        let counted = list.filter(|_| !paragraph.goes_on);
        if let Some(mark) = counted.and_then(|(list, level)| self.known.mark(list, level)) {
            self.extracted.set_mark(mark);
        }
    }

    fn text(&mut self, text: &str) {
        if self.fields.contains(&false) {
            return;
        }
        if !self.is_hidden {
            self.is_broken = false;
            self.extracted.set_text(text, self.setting);
        } else if !text.trim().is_empty() {
            self.extracted.leave_out_passage(HIDDEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::document::package::tests::packed;
    use crate::document::read::document;
    use crate::document::{BlockKind, Document};

    const STYLES: &str = "<w:styles><w:style w:styleId='H1'><w:name w:val='heading 1'/></w:style>\
        <w:style w:styleId='Mine'><w:name w:val='Mine'/><w:basedOn w:val='H1'/></w:style>\
        <w:style w:styleId='Toc'><w:basedOn w:val='H1'/><w:pPr><w:outlineLvl w:val='9'/></w:pPr></w:style>\
        <w:style w:styleId='Loop'><w:basedOn w:val='Loop'/></w:style>\
        <w:style w:styleId='Bullets'><w:pPr><w:numPr><w:numId w:val='2'/></w:numPr></w:pPr></w:style>\
        <w:style w:styleId='Secret'><w:rPr><w:vanish/></w:rPr></w:style></w:styles>";
    const NUMBERING: &str = "<w:numbering><w:abstractNum w:abstractNumId='5'>\
        <w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='decimal'/><w:lvlText w:val='%1.'/></w:lvl>\
        <w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='lowerLetter'/><w:lvlText w:val='(%2)'/></w:lvl>\
        <w:lvl w:ilvl='2'><w:start w:val='3'/><w:numFmt w:val='lowerRoman'/><w:lvlText w:val='%1.%2.%3'/></w:lvl></w:abstractNum>\
        <w:abstractNum w:abstractNumId='6'><w:lvl w:ilvl='0'><w:numFmt w:val='bullet'/><w:lvlText w:val='\u{f0b7}'/></w:lvl></w:abstractNum>\
        <w:num w:numId='1'><w:abstractNumId w:val='5'/></w:num><w:num w:numId='2'><w:abstractNumId w:val='6'/></w:num>\
        <w:num w:numId='3'><w:abstractNumId w:val='5'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='7'/></w:lvlOverride></w:num></w:numbering>";
    const FOOTNOTES: &str = "<w:footnotes><w:footnote w:id='-1'><w:p><w:r><w:separator/></w:r></w:p></w:footnote>\
        <w:footnote w:id='2'><w:p><w:r><w:footnoteRef/><w:t xml:space='preserve'> So the register.</w:t></w:r></w:p></w:footnote>\
        <w:footnote w:id='3'><w:p><w:r><w:t>Nobody refers to it.</w:t></w:r></w:p></w:footnote></w:footnotes>";

    fn docx(body: &str) -> Document {
        docx_above(body, "")
    }

    fn docx_above(body: &str, footer: &str) -> Document {
        let main = format!("<w:document><w:body>{body}<w:sectPr/></w:body></w:document>");
        let bytes = packed(&[
            ("[Content_Types].xml", "<Types/>"),
            (
                "_rels/.rels",
                "<Relationships><Relationship Id='rId1' Type='http://x/officeDocument' Target='/word/main.xml'/></Relationships>",
            ),
            ("word/main.xml", &main),
            (
                "word/_rels/main.xml.rels",
                "<Relationships><Relationship Type='http://x/styles' Target='styles.xml'/>\
                <Relationship Type='http://x/numbering' Target='numbering.xml'/><Relationship Type='http://x/footnotes' Target='footnotes.xml'/>\
                <Relationship Type='http://x/header' Target='header1.xml'/><Relationship Type='http://x/footer' Target='footer1.xml'/>\
                <Relationship Type='http://x/footer' Target='footer2.xml'/>\
                <Relationship Type='http://x/hyperlink' TargetMode='External' Target='http://a.example'/></Relationships>",
            ),
            (
                "word/header1.xml",
                &format!("<w:hdr>{}</w:hdr>", paragraph("", "Page 1 of 3")),
            ),
            (
                "word/footer1.xml",
                &format!("<w:ftr>{}</w:ftr>", paragraph("", footer)),
            ),
            (
                "word/footer2.xml",
                &format!("<w:ftr>{}</w:ftr>", paragraph("", footer)),
            ),
            ("word/styles.xml", STYLES),
            ("word/numbering.xml", NUMBERING),
            ("word/footnotes.xml", FOOTNOTES),
        ]);
        document("t".into(), &bytes, None).unwrap()
    }

    fn run(text: &str) -> String {
        format!("<w:r><w:t xml:space='preserve'>{text}</w:t></w:r>")
    }

    fn paragraph(properties: &str, text: &str) -> String {
        format!("<w:p><w:pPr>{properties}</w:pPr>{}</w:p>", run(text))
    }

    fn blocks(body: &str) -> Vec<(BlockKind, String)> {
        let document = docx(body);
        let blocks = document.blocks().iter();
        blocks
            .map(|b| (b.kind, document.text()[b.span.clone()].to_owned()))
            .collect()
    }

    fn source(body: &str) -> String {
        docx(body).source().to_owned()
    }

    #[test]
    fn what_stands_in_a_paragraph_is_read() {
        let body = "<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr><w:r><w:t>A</w:t><w:tab/><w:t>b</w:t><w:noBreakHyphen/><w:t>c</w:t><w:br/><w:t>d</w:t>\
            <w:softHyphen/><w:t>e</w:t><w:sym w:font='Wingdings' w:char='F0E0'/><w:sym w:font='Arial' w:char='00E9'/></w:r>\
            <w:hyperlink><w:r><w:t> link</w:t></w:r></w:hyperlink><w:smartTag><w:r><w:t> tag</w:t></w:r></w:smartTag>\
            <w:sdt><w:sdtPr><w:rPr><w:vanish/></w:rPr><w:alias w:val='x'/></w:sdtPr><w:sdtContent><w:r><w:t> control</w:t></w:r></w:sdtContent></w:sdt>\
            <m:oMath><m:r><m:rPr><m:sty/></m:rPr><m:t> x=1</m:t></m:r></m:oMath><w:r><w:ruby><w:rt><w:r><w:t>no</w:t></w:r></w:rt><w:rubyBase><w:r><w:t> base</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>";
        assert_eq!(
            source(body).replace("<w:t> ", ""),
            "A\tb-c\ndeé link tag control x = 1 base"
        );
    }

    #[test]
    fn formulas_are_written_in_a_line() {
        let run = |text: &str| format!("<m:r><m:rPr><m:sty/></m:rPr><m:t>{text}</m:t></m:r>");
        let part = |name: &str, text: &str| format!("<m:{name}>{}</m:{name}>", run(text));
        let element = |name: &str, properties: &str, parts: &[String]| {
            format!(
                "<m:{name}><m:{name}Pr>{properties}<m:ctrlPr/></m:{name}Pr>{}</m:{name}>",
                parts.concat()
            )
        };
        let minus = element("sSup", "", &[part("e", "10"), part("sup", "-4")]);
        let long = format!("<w:p><m:oMath>{}</m:oMath></w:p>", run(&"+".repeat(1 << 17)));
        let signs = source(&long).matches('+').count();
        assert_eq!(signs, 1 << 17, "what is not looked at is not lost");
        for (markup, line) in [
            (run("2.2×") + &minus, "2.2 × 10⁻⁴"),
            (
                run("θ=") + &element("f", "", &[part("num", "m+1"), part("den", "a")]),
                "θ = (m + 1)/a",
            ),
            (
                element("rad", "<m:degHide/>", &[part("deg", ""), part("e", "x+1")]) + &run("−1"),
                "√(x + 1) − 1",
            ),
            (element("rad", "", &[part("deg", "3"), part("e", "x")]), "³√x"),
            (
                element("func", "", &[part("fName", "sin"), part("e", "\u{2061}θ")]),
                "sin θ",
            ),
            (
                element(
                    "d",
                    "<m:begChr m:val='['/><m:endChr m:val=']'/>",
                    &[part("e", "x,y")],
                ),
                "[x, y]",
            ),
            (
                element(
                    "nary",
                    "<m:chr m:val='∑'/>",
                    &[part("sub", "i=1"), part("sup", "n"), part("e", "i")],
                ),
                "∑_(i = 1)^n i",
            ),
            (
                element(
                    "sSubSup",
                    "",
                    &[part("e", "x"), part("sub", "1"), part("sup", "2")],
                ),
                "x₁²",
            ),
            (element("acc", "", &[part("e", "x")]), "x\u{302}"),
            (
                element("bar", "<m:pos m:val='top'/>", &[part("e", "x")]),
                "x\u{304}",
            ),
            (
                element("d", "<m:sepChr m:val=','/>", &[part("e", "x"), part("e", "y")]),
                "(x,y)",
            ),
            (
                element(
                    "f",
                    "<m:type m:val='noBar'/>",
                    &[part("num", "n"), part("den", "k")],
                ),
                "n; k",
            ),
            (run("16,788:3, 4"), "16,788:3, 4"),
            (run("x=").replace("<m:sty/>", "<m:nor/>") + &run("a-b"), "x=a - b"),
            (format!("{}<w:del>{}</w:del>", run("6"), run("5")), "6"),
            (run("x") + "<m:r><w:br/></m:r>", "x "),
            (
                element(
                    "m",
                    "",
                    &[
                        ["<m:mr>", &part("e", "1"), &part("e", "2"), "</m:mr>"].concat(),
                        part("mr", "3"),
                    ],
                ),
                "1, 2; 3",
            ),
        ] {
            let body = format!(
                "<w:p><w:r><w:t>so </w:t></w:r><m:oMath>{markup}</m:oMath><w:r><w:t>.</w:t></w:r></w:p>"
            );
            assert_eq!(source(&body), format!("so {line}."), "{markup}");
        }
    }

    #[test]
    fn results_of_fields_are_read_and_instructions_are_not() {
        let field = |kind: &str| format!("<w:r><w:fldChar w:fldCharType='{kind}'/></w:r>");
        let instruction = "<w:r><w:instrText> PAGEREF x </w:instrText></w:r>";
        let body = format!(
            "<w:p>{}{}{instruction}{}{}{}{}{}</w:p>{}",
            run("See page "),
            field("begin"),
            run("not this"),
            field("separate"),
            run("7"),
            field("end"),
            run("."),
            // A field without an end hides nothing beyond its paragraph.
            format_args!(
                "<w:p>{}{}</w:p>{}",
                field("begin"),
                run("lost"),
                paragraph("", "Found.")
            ),
        );
        assert_eq!(source(&body), "See page 7.\n\nFound.");
    }

    #[test]
    fn headings_are_known_by_their_styles() {
        let style = |style: &str| paragraph(&format!("<w:pStyle w:val='{style}'/>"), "Head");
        let kind = |body: &str| blocks(body)[0].0;
        assert_eq!(kind(&style("H1")), BlockKind::Heading);
        assert_eq!(kind(&style("Mine")), BlockKind::Heading);
        for other in ["Toc", "Loop", "unknown"] {
            assert_eq!(kind(&style(other)), BlockKind::Paragraph, "{other}");
        }
        assert_eq!(
            kind(&paragraph("<w:outlineLvl w:val='2'/>", "Head")),
            BlockKind::Heading
        );
    }

    #[test]
    fn items_have_the_marks_that_word_counts() {
        let item = |list: u32, level: u32, text: &str| {
            paragraph(
                &format!("<w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='{list}'/></w:numPr>"),
                text,
            )
        };
        let body = [
            item(1, 0, "one"),
            item(1, 1, "deep"),
            item(1, 1, "deep"),
            item(1, 2, "deeper"),
            item(1, 0, "two"),
            item(1, 1, "again"),
            paragraph("<w:pStyle w:val='Bullets'/>", "dot"),
            paragraph(
                "<w:pStyle w:val='Bullets'/><w:numPr><w:numId w:val='0'/></w:numPr>",
                "none",
            ),
            item(1, 0, "three"),
            item(3, 0, "seven"),
            item(3, 0, ""),
            item(3, 0, "nine"),
            item(99, 0, "unknown"),
        ];
        assert_eq!(
            source(&body.concat()),
            "1. one\n(a) deep\n(b) deep\n1.b.iii deeper\n2. two\n(a) again\n\n• dot\n\nnone\n\n3. three\n\n7. seven\n9. nine\n\nunknown"
        );
    }

    #[test]
    fn an_item_has_what_its_list_is_introduced_by() {
        let item = |text: &str| paragraph("<w:pStyle w:val='Bullets'/>", text);
        let body = [
            paragraph("", "The following are not covered:"),
            item("Flood."),
            item("Fire."),
        ]
        .concat();
        let document = docx(&body);
        let at = document.text().find("Fire").unwrap();
        let found = document.introductions(&(at..at + 4));
        assert_eq!(
            &document.text()[found[0].clone()],
            "The following are not covered:"
        );
    }

    #[test]
    fn tables_keep_their_rows_and_cells() {
        let cell = |text: &str| format!("<w:tc><w:tcPr/>{text}</w:tc>");
        let words = |text: &str| cell(&paragraph("", text));
        let row = |cells: &str| format!("<w:tr><w:trPr/>{cells}</w:tr>");
        let inner = format!("<w:tbl>{}</w:tbl>", row(&[words("in"), words("ner")].concat()));
        let body = format!(
            "<w:tbl><w:tblPr/>{}{}</w:tbl>{}<w:tbl>{}</w:tbl>",
            row(&[words("Item"), words("Cost")].concat()),
            row(&[
                cell(&[paragraph("", "Sand"), inner, paragraph("", "washed")].concat()),
                words("400")
            ]
            .concat()),
            paragraph("", "After."),
            row(&cell(
                &[
                    paragraph("<w:pStyle w:val='H1'/>", "Frame"),
                    paragraph("", "Prose.")
                ]
                .concat()
            )),
        );
        assert_eq!(
            source(&body),
            "Item\tCost\nSand\u{2028}washed\t400\n\nin\tner\n\nAfter.\n\nFrame\n\nProse."
        );
        let kinds: Vec<_> = blocks(&body).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds[7..], [BlockKind::Heading, BlockKind::Paragraph]);
        let wide = format!(
            "<w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr>{}</w:tc>",
            paragraph("", "Budget")
        );
        let body = format!(
            "<w:tbl>{}{}</w:tbl>",
            row(&[wide, words("Actual")].concat()),
            row(&[words("400"), words("euro"), words("512")].concat())
        );
        assert_eq!(source(&body), "Budget\t\tActual\n400\teuro\t512");
        let widest = words("400").replacen("<w:tc>", "<w:tc><w:tcPr><w:gridSpan w:val='64'/></w:tcPr>", 1);
        let body = format!("<w:tbl>{}</w:tbl>", row(&widest.repeat(2)).repeat(9000));
        let filled = source(&body).matches('\t').count() - 9000; // 126 a row, were there no limit
        assert_eq!(filled, 1 << 20);
        let merged = |value: &str, text: &str| {
            format!(
                "<w:tc><w:tcPr><w:vMerge{value}/></w:tcPr>{}</w:tc>",
                paragraph("", text)
            )
        };
        let rows = [
            row(&[words("Pier"), words("Year"), words("Cost")].concat()),
            row(&[merged(" w:val='restart'", "North"), words("2023"), words("400")].concat()),
            row(&[merged("", ""), words("2024"), words("512")].concat()),
            row(&[merged(" w:val='continue'", ""), words("2025"), words("85")].concat()),
            row(&[words(""), words("All"), words("997")].concat()),
        ];
        let document = docx(&format!("<w:tbl>{}</w:tbl>", rows.concat()));
        let shown = |cell: &str| {
            let at = document.text().find(cell).unwrap();
            document.shown_row(&(at..at + cell.len())).unwrap().join(", ")
        };
        assert_eq!(shown("85"), "Pier: North, Year: 2025, Cost: 85");
        assert_eq!(shown("997"), "Year: All, Cost: 997");
    }

    #[test]
    fn what_stands_above_or_below_each_page_is_read_once() {
        assert_eq!(docx(&paragraph("", "Text.")).source(), "Text.");
        let document = docx_above(&paragraph("", "Text."), "Call 0800 555 0190");
        assert_eq!(document.source(), "Text.\n\nCall 0800 555 0190");
        assert!(document.blocks()[1].is_beside && document.left_out().is_empty());
    }

    #[test]
    fn rows_that_are_repeated_on_each_page_are_headings() {
        let row = |properties: &str, cells: [&str; 3]| {
            let cells = cells.map(|text| format!("<w:tc>{}</w:tc>", paragraph("", text)));
            format!("<w:tr><w:trPr>{properties}</w:trPr>{}</w:tr>", cells.concat())
        };
        let rows = [["Age", "18", "65"], ["Rent", "400", "512"], ["Food", "85", "97"]];
        let shown = |properties: &str| {
            let rows = [row(properties, rows[0]), row("", rows[1]), row("", rows[2])];
            let document = docx(&format!("<w:tbl>{}</w:tbl>", rows.concat()));
            let at = document.text().find("512").unwrap();
            document.shown_row(&(at..at + 3)).unwrap()
        };
        assert_eq!(shown("<w:tblHeader/>"), ["Age: Rent", "18: 400", "65: 512"]);
        assert_eq!(shown("<w:tblHeader w:val='0'/>"), ["Rent", "400", "512"]);
    }

    #[test]
    fn what_is_struck_or_raised_is_no_other_text() {
        let set = |how: &str, text: &str| {
            format!("<w:r><w:rPr>{how}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>")
        };
        let raised = "<w:vertAlign w:val='superscript'/>";
        let body = format!(
            "<w:p>{}{}{}{}{}{}{}</w:p>",
            run("10"),
            set(raised, "6"),
            run(" crowns, "),
            set("<w:strike/>", "9"),
            set("<w:strike/>", "00 "),
            set("<w:strike w:val='0'/><w:dstrike/>", "old"),
            set(raised, "th"),
        );
        assert_eq!(docx(&body).text(), "10⁶ crowns, ~~900 old~~th");
    }

    #[test]
    fn what_is_deleted_hidden_or_a_comment_is_counted() {
        let hidden = |how: &str, text: &str| format!("<w:r><w:rPr>{how}</w:rPr><w:t>{text}</w:t></w:r>");
        let body = format!(
            "<w:p>{}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:del><w:r><w:delText>too</w:delText></w:r></w:del><w:ins>{}</w:ins>\
             <w:moveFrom>{}</w:moveFrom><w:moveTo>{}</w:moveTo>{}{}{}{}<w:r><w:commentReference w:id='0'/></w:r></w:p>\
             <w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:del><w:r><w:delText>whole</w:delText></w:r></w:del></w:p>",
            run("Kept"),
            run(" new"),
            run(" from"),
            run(" to"),
            hidden("<w:vanish/>", "secret"),
            hidden("<w:rStyle w:val='Secret'/>", "secret"),
            hidden(
                "<w:vanish w:val='0'/><w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange>",
                " shown"
            ),
            run("."),
        );
        let document = docx(&body);
        assert_eq!(document.source(), "Kept new to shown.");
        assert_eq!(
            document.left_out(),
            [("deleted passage", 2), ("hidden passage", 1), ("comment", 1)]
        );
    }

    #[test]
    fn boxes_and_notes_follow_and_alternatives_are_read_once() {
        let text_box = |text: &str| {
            format!(
                "<wps:txbx><w:txbxContent>{}</w:txbxContent></wps:txbx>",
                paragraph("", text)
            )
        };
        let body = format!(
            "<w:p>{}<w:r><w:footnoteReference w:id='2'/></w:r><w:r><mc:AlternateContent><mc:Choice><w:drawing>{}</w:drawing></mc:Choice>\
             <mc:Fallback><w:pict>{}</w:pict></mc:Fallback></mc:AlternateContent></w:r>{}</w:p>{}",
            run("The dam"),
            text_box("A box."),
            text_box("Twice."),
            run(" broke."),
            paragraph("", "End.")
        );
        assert_eq!(
            source(&body),
            "The dam broke.\n\nA box.\n\nEnd.\n\nSo the register."
        );
    }

    #[test]
    fn a_paragraph_goes_on_behind_its_initial_and_a_deleted_end() {
        let initial = paragraph("<w:framePr w:dropCap='drop'/>", "T");
        let joined = paragraph("<w:rPr><w:del/></w:rPr>", "It was ");
        let (first, second) = (paragraph("", "he dam broke."), paragraph("", "rebuilt."));
        let body = [&*initial, &first, &joined, &second, &joined];
        let cell = format!(
            "<w:tbl><w:tr><w:tc>{joined}</w:tc><w:tc>{}</w:tc></w:tr></w:tbl>",
            paragraph("", "cell")
        );
        let body = format!("{}{cell}{}", body.concat(), paragraph("", "End."));
        assert_eq!(
            source(&body),
            "The dam broke.\n\nIt was rebuilt.\n\nIt was\n\nIt was\tcell\n\nEnd."
        );
    }

    #[test]
    fn pages_are_those_that_word_wrote() {
        let broken = "<w:r><w:lastRenderedPageBreak/></w:r>";
        let by_hand = "<w:p><w:r><w:br w:type='page'/></w:r></w:p>";
        let body = format!(
            "<w:p>{}{broken}{}<w:r><w:footnoteReference w:id='2'/></w:r></w:p>{by_hand}<w:p>{broken}{}</w:p>{by_hand}{}",
            run("The dam was "),
            run("built by Otto."),
            run("Three."),
            paragraph("", "Four."),
        );
        let document = docx(&body);
        assert!(
            document
                .source()
                .starts_with("The dam was built by Otto.\n\nThree.")
        );
        assert_eq!(document.sentences().next().unwrap().1, 0..26);
        let page = |of: &str| document.position(document.source().find(of).unwrap()).page;
        for (of, at) in [
            ("The dam", 1),
            ("built", 2),
            ("Three", 3),
            ("Four", 4),
            ("So the", 2),
        ] {
            assert_eq!(page(of), Some(at), "{of}");
        }
        // Without a word of Word's, breaks by hand tell too little.
        let document = docx(&[by_hand, &paragraph("", "Two?")].concat());
        assert_eq!(document.position(0).page, None);
    }
}
