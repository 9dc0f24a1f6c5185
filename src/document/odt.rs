//! ODT (OASIS OpenDocument 1.3, part 3): what LibreOffice shows, in the order of reading.

use std::collections::{HashMap, HashSet};

use super::BlockKind;
use super::extracted::{Extracted, Setting};
use super::numeral::{LONGEST_MARK, Numeral};
use super::package::Package;
use super::xml::{Element, Event, Xml};
use crate::error::Result;

/// The part that holds the text.
pub(super) const CONTENT: &str = "content.xml";
const STYLES: &str = "styles.xml";

const HIDDEN: &str = "hidden passage";
/// Levels of a list.
const LEVELS: usize = 10;
/// Styles, most of which LibreOffice makes by itself.
const MOST_STYLE_NAMES: usize = 1 << 18;
/// Lists.
const MOST_LISTS: usize = 1 << 16;
/// Styles that are based on each other.
const MOST_STYLES: usize = 32;
/// The most spaces that one element stands for: more take more memory than the file, and say no more.
const MOST_SPACES: usize = 16;

/// Reads the document.
pub(super) fn read(package: &mut Package<'_>) -> Result<Extracted> {
    let (known, text) = open(package)?;
    let mut walk = Walk::new(&known);
    walk.read(&text, "body")
        .map_err(|fault| package.malformed(CONTENT, fault))?;
    // LibreOffice writes where pages end as far as it has laid them out, which is not to the end if nobody looked at them.
    let meta = package.text("meta.xml")?.unwrap_or_default();
    let pages = page_count(&meta).map_err(|fault| package.malformed("meta.xml", fault))?;
    let has_pages = memchr::memmem::find(text.as_bytes(), b"soft-page-break/").is_some();
    if !has_pages || pages != Some(walk.extracted.page()) {
        walk.extracted.forget_pages();
    }
    // Heads and feet of pages are those of their styles.
    let mut edges = Walk::new(&known);
    if let Some(styles) = package.text(STYLES)? {
        let read = edges.read(&styles, "master-styles");
        read.map_err(|fault| package.malformed(STYLES, fault))?;
    }
    walk.extracted.add_beside(edges.extracted, &mut HashSet::new());
    Ok(walk.extracted)
}

/// The styles of a document of any kind, and its content.
pub(super) fn open(package: &mut Package<'_>) -> Result<(Known, String)> {
    if let Some(manifest) = package.text("META-INF/manifest.xml")?
        && memchr::memmem::find(manifest.as_bytes(), b"encryption-data").is_some()
    {
        return Err(package.locked());
    }
    let styles = package.text(STYLES)?;
    let text = package.needed(CONTENT)?;
    let mut known = Known::default();
    for (part, text) in [(STYLES, styles.as_deref()), (CONTENT, Some(&text))] {
        let read = text.map_or(Ok(()), |text| known.read(text));
        read.map_err(|fault| package.malformed(part, fault))?;
    }
    Ok((known, text))
}

/// How many pages the document says that it has.
fn page_count(meta: &str) -> Result<Option<usize>, &'static str> {
    let mut xml = Xml::new(meta);
    while let Some(element) = xml.next_element()? {
        if element.name() == "document-statistic" {
            return Ok(element.number("page-count"));
        }
    }
    Ok(None)
}

/// What the styles say.
#[derive(Default)]
pub(super) struct Known {
    styles: HashMap<String, Style>,
    lists: HashMap<String, [Level; LEVELS]>,
}

#[derive(Default)]
struct Style {
    parent: String,
    is_title: bool,
    is_hidden: Option<bool>,
    is_raised: Option<bool>,
    is_struck: Option<bool>,
    /// Whether a page begins before it, and whether one does behind it.
    breaks_page: (bool, bool),
}

#[derive(Clone, Default)]
struct Level {
    numeral: Option<Numeral>,
    prefix: String,
    suffix: String,
    /// How many levels are shown.
    shown: usize,
    start: u32,
}

impl Known {
    fn read(&mut self, text: &str) -> Result<(), &'static str> {
        let mut xml = Xml::new(text);
        let (mut style, mut list) = (None, None);
        while let Some(element) = xml.next_element()? {
            let value = |name: &str| element.get(name).unwrap_or_default();
            let affix = |name: &str| {
                Some(value(name))
                    .filter(|text| text.len() <= LONGEST_MARK)
                    .unwrap_or_default()
            };
            if self.styles.len() > MOST_STYLE_NAMES || self.lists.len() > MOST_LISTS {
                return Err("defines too many styles");
            }
            match element.name() {
                "body" => break,
                "style" => {
                    let name = value("name");
                    let read = Style {
                        parent: value("parent-style-name"),
                        is_title: matches!(name.as_str(), "Title" | "Subtitle"),
                        breaks_page: (!value("master-page-name").is_empty(), false),
                        ..Style::default()
                    };
                    self.styles.insert(name.clone(), read);
                    style = Some(name);
                }
                "text-properties" | "section-properties" | "paragraph-properties" | "table-properties" => {
                    let Some(style) = style.as_ref().and_then(|name| self.styles.get_mut(name)) else {
                        continue;
                    };
                    if let Some(display) = element.get("display") {
                        style.is_hidden = Some(matches!(display.as_str(), "none" | "false"));
                    }
                    if let Some(position) = element.get("text-position") {
                        // `super 58%`, or `33% 58%`.
                        let rise = position.split([' ', '%']).next().unwrap_or_default();
                        style.is_raised =
                            Some(rise == "super" || rise.parse().is_ok_and(|rise: f32| rise > 0.0));
                    }
                    // LibreOffice writes one of them, or both.
                    let line = element.get("text-line-through-style");
                    if let Some(line) = line.or_else(|| element.get("text-line-through-type")) {
                        style.is_struck = Some(line != "none");
                    }
                    style.breaks_page.0 |= value("break-before") == "page";
                    style.breaks_page.1 |= value("break-after") == "page";
                }
                "default-style" => style = None,
                "list-style" => {
                    self.lists.insert(value("name"), Default::default());
                    list = Some(value("name"));
                }
                name @ ("list-level-style-number" | "list-level-style-bullet" | "list-level-style-image") => {
                    let level = value("level").parse::<usize>().ok();
                    let level = level.and_then(|level| level.checked_sub(1));
                    let levels = list.as_ref().and_then(|name| self.lists.get_mut(name));
                    let Some(level) = levels.zip(level).and_then(|(levels, at)| levels.get_mut(at)) else {
                        continue;
                    };
                    *level = Level {
                        numeral: Some(match name {
                            "list-level-style-number" => numeral(&value("num-format")),
                            _ => Numeral::Bullet,
                        }),
                        prefix: affix("num-prefix"),
                        suffix: affix("num-suffix"),
                        shown: value("display-levels").parse().unwrap_or(1),
                        start: value("start-value").parse().unwrap_or(1),
                    };
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The first that a style, or one that it is based on, says.
    fn find<T>(&self, style: &str, says: impl Fn(&Style) -> Option<T>) -> Option<T> {
        let mut style = self.styles.get(style)?;
        for _ in 0..MOST_STYLES {
            if let Some(found) = says(style) {
                return Some(found);
            }
            style = self.styles.get(&style.parent)?;
        }
        None
    }

    pub(super) fn is_hidden(&self, style: &str) -> bool {
        self.find(style, |style| style.is_hidden).unwrap_or(false)
    }

    /// How a stretch of text is set, that is set so within another.
    pub(super) fn setting(&self, style: &str, around: Setting) -> Setting {
        Setting {
            is_raised: self
                .find(style, |style| style.is_raised)
                .unwrap_or(around.is_raised),
            is_struck: self
                .find(style, |style| style.is_struck)
                .unwrap_or(around.is_struck),
        }
    }

    fn breaks_page(&self, style: &str) -> (bool, bool) {
        self.styles
            .get(style)
            .map_or((false, false), |style| style.breaks_page)
    }
}

fn numeral(format: &str) -> Numeral {
    match format {
        "" => Numeral::None,
        "a" => Numeral::LowerLetter,
        "A" => Numeral::UpperLetter,
        "i" => Numeral::LowerRoman,
        "I" => Numeral::UpperRoman,
        _ => Numeral::Decimal,
    }
}

/// What has to be done at the end of an element.
enum Frame {
    Nothing,
    /// Something was opened in what is extracted; behind it a page may begin.
    Opened(bool),
    Paragraph(bool),
    /// The text within is hidden, and is counted.
    Hidden,
    /// How the text around it is set.
    Set(Setting),
    List,
    /// Rows that head a table.
    HeaderRows,
}

struct Walk<'a> {
    extracted: Extracted,
    known: &'a Known,
    frames: Vec<Frame>,
    /// How deep the place is in something that is not read.
    skipped: usize,
    hidden: usize,
    setting: Setting,
    paragraphs: usize,
    lists: Vec<OpenList>,
    /// How many lists have begun that are in no other.
    lists_begun: u32,
    /// How far the last list of each style was counted.
    counted: HashMap<String, [u32; LEVELS]>,
    /// The mark of an item whose first paragraph has not come.
    mark: Option<String>,
}

struct OpenList {
    style: String,
    counts: [u32; LEVELS],
}

impl<'a> Walk<'a> {
    fn new(known: &'a Known) -> Self {
        Self {
            extracted: Extracted::with_pages(),
            known,
            frames: Vec::new(),
            skipped: 0,
            hidden: 0,
            setting: Setting::default(),
            paragraphs: 0,
            lists: Vec::new(),
            lists_begun: 0,
            counted: HashMap::new(),
            mark: None,
        }
    }

    /// Reads what stands in an element of a part.
    fn read(&mut self, text: &str, body: &str) -> Result<(), &'static str> {
        let mut xml = Xml::new(text);
        let mut is_body = false;
        while let Some(event) = xml.next()? {
            match event {
                Event::Open(element) if !is_body => is_body = element.name() == body,
                _ if !is_body => {}
                Event::Open(_) if self.skipped > 0 => self.skipped += 1,
                Event::Close if self.skipped > 0 => self.skipped -= 1,
                Event::Text(_) if self.skipped > 0 => {}
                Event::Open(element) => self.open(&element),
                Event::Close => self.close(),
                Event::Text(text) if self.hidden > 0 => {
                    if self.paragraphs > 0 && !text.trim().is_empty() {
                        self.extracted.leave_out_passage(HIDDEN);
                    }
                }
                Event::Text(text) if self.setting == Setting::default() => {
                    self.extracted.collapsed_text(&text);
                }
                Event::Text(text) => self.extracted.set_text(&text, self.setting),
            }
        }
        Ok(())
    }

    fn open(&mut self, element: &Element<'_>) {
        let style = element.get("style-name").unwrap_or_default();
        let breaks = match element.name() {
            "p" | "h" | "table" => self.known.breaks_page(&style),
            _ => (false, false),
        };
        if breaks.0 && self.extracted.written() > 0 && self.paragraphs == 0 {
            self.extracted.next_page();
        }
        let extracted = &mut self.extracted;
        let frame = match element.name() {
            "deletion" => {
                extracted.leave_out("deleted passage");
                return self.skipped = 1;
            }
            "annotation" => {
                if element.full_name().starts_with("office:") {
                    extracted.leave_out("comment");
                }
                return self.skipped = 1;
            }
            "tracked-changes" => Frame::Nothing,
            "forms" | "note-citation" | "ruby-text" | "script" | "number" => return self.skipped = 1,
            "title" | "desc" if element.full_name().starts_with("svg:") => return self.skipped = 1,
            name if name.ends_with("-source") || name.ends_with("-decls") => return self.skipped = 1,
            "p" | "h" => {
                extracted.open_paragraph();
                self.begin_paragraph(element.name() == "h", &style);
                self.paragraphs += 1;
                Frame::Paragraph(breaks.1)
            }
            "span" | "section" if self.known.is_hidden(&style) => self.hide(),
            "span" => {
                let within = self.known.setting(&style, self.setting);
                Frame::Set(std::mem::replace(&mut self.setting, within))
            }
            "section" if element.get("display").as_deref() == Some("none") => self.hide(),
            "hidden-text" | "hidden-paragraph" => self.hide(),
            "s" => {
                let spaces = element.number("c").unwrap_or(1);
                if self.hidden == 0 {
                    extracted.text(&" ".repeat(MOST_SPACES.min(spaces)));
                }
                Frame::Nothing
            }
            "tab" if self.hidden == 0 => {
                extracted.tab();
                Frame::Nothing
            }
            "line-break" if self.hidden == 0 => {
                extracted.line_break();
                Frame::Nothing
            }
            "soft-page-break" => {
                extracted.next_page();
                Frame::Nothing
            }
            "list" => {
                self.open_list(style, element);
                Frame::List
            }
            "list-item" => {
                self.count_item(element);
                Frame::Nothing
            }
            "list-header" => {
                self.mark = None;
                Frame::Nothing
            }
            "table" => {
                extracted.open_table();
                Frame::Opened(breaks.1)
            }
            "table-header-rows" => Frame::HeaderRows,
            "table-row" => {
                extracted.open_row();
                if matches!(self.frames.last(), Some(Frame::HeaderRows)) {
                    extracted.head_row();
                }
                Frame::Opened(false)
            }
            "table-cell" | "covered-table-cell" => {
                extracted.open_cell();
                let number = |name| element.number(name).unwrap_or(1);
                extracted.span_cell(number("number-columns-spanned"), number("number-rows-spanned"));
                Frame::Opened(false)
            }
            "note-body" => {
                extracted.open_note();
                Frame::Opened(false)
            }
            "text-box" => {
                extracted.open_aside();
                Frame::Opened(false)
            }
            "object" => {
                extracted.leave_out("embedded object");
                Frame::Nothing
            }
            _ => Frame::Nothing,
        };
        self.frames.push(frame);
    }

    fn hide(&mut self) -> Frame {
        self.hidden += 1;
        Frame::Hidden
    }

    fn close(&mut self) {
        match self.frames.pop() {
            Some(Frame::Opened(ends_page)) => {
                self.extracted.close();
                if ends_page {
                    self.extracted.next_page();
                }
            }
            Some(Frame::Paragraph(ends_page)) => {
                self.extracted.close();
                self.paragraphs -= 1;
                if ends_page && self.paragraphs == 0 {
                    self.extracted.next_page();
                }
            }
            Some(Frame::Hidden) => self.hidden -= 1,
            Some(Frame::Set(around)) => self.setting = around,
            Some(Frame::List) => {
                self.mark = None;
                if let Some(list) = self.lists.pop()
                    && self.lists.is_empty()
                {
                    self.counted.insert(list.style, list.counts);
                }
            }
            Some(Frame::HeaderRows | Frame::Nothing) | None => {}
        }
    }

    fn begin_paragraph(&mut self, is_heading: bool, style: &str) {
        let is_heading = is_heading || self.known.find(style, |s| s.is_title.then_some(())).is_some();
        let kind = match self.lists.is_empty() {
            _ if is_heading => BlockKind::Heading,
            true => BlockKind::Paragraph,
            false => BlockKind::ListItem,
        };
        self.extracted.set_kind(kind, self.lists_begun);
        if let Some(mark) = self.mark.take() {
            self.extracted.set_mark(mark);
        }
    }

    fn open_list(&mut self, style: String, element: &Element<'_>) {
        let list = match self.lists.last() {
            Some(around) => OpenList {
                style: if style.is_empty() {
                    around.style.clone()
                } else {
                    style
                },
                counts: around.counts,
            },
            None => {
                self.lists_begun += 1;
                let goes_on = element.get("continue-numbering").as_deref() == Some("true")
                    || element.get("continue-list").is_some();
                let before = self.counted.get(&style).filter(|_| goes_on);
                OpenList {
                    counts: before.copied().unwrap_or_else(|| self.starts(&style)),
                    style,
                }
            }
        };
        self.lists.push(list);
        let depth = self.lists.len();
        if let Some(list) = self.lists.last_mut()
            && depth > 1
            && depth <= LEVELS
        {
            let start = self
                .known
                .lists
                .get(&list.style)
                .map_or(1, |levels| levels[depth - 1].start);
            list.counts[depth - 1] = start.saturating_sub(1);
        }
    }

    fn starts(&self, style: &str) -> [u32; LEVELS] {
        let levels = self.known.lists.get(style);
        std::array::from_fn(|at| levels.map_or(0, |levels| levels[at].start.saturating_sub(1)))
    }

    fn count_item(&mut self, element: &Element<'_>) {
        let at = self.lists.len().saturating_sub(1).min(LEVELS - 1);
        let Some(list) = self.lists.last_mut() else { return };
        list.counts[at] = match element.number("start-value") {
            Some(start) => start,
            None => list.counts[at].saturating_add(1),
        };
        let Some(levels) = self.known.lists.get(&list.style) else {
            self.mark = Some("•".to_owned());
            return;
        };
        let level = &levels[at];
        let first = (at + 1).saturating_sub(level.shown.max(1));
        let numbers: Vec<String> = (first..=at)
            .filter_map(|at| {
                let numeral = levels[at].numeral.filter(|&numeral| numeral != Numeral::Bullet)?;
                Some(numeral.write(list.counts[at]))
            })
            .collect();
        self.mark = match level.numeral {
            None | Some(Numeral::None) => None,
            Some(Numeral::Bullet) => Some(Numeral::Bullet.write(0)),
            Some(_) => Some(format!("{}{}{}", level.prefix, numbers.join("."), level.suffix)),
        };
    }
}

#[cfg(test)]
mod tests {
    use crate::document::package::tests::packed;
    use crate::document::read::document;
    use crate::document::{BlockKind, Document};
    use crate::error::Error;

    const MIMETYPE: (&str, &str) = ("mimetype", "application/vnd.oasis.opendocument.text");

    fn odt(styles: &str, body: &str) -> Document {
        odt_of(0, styles, body)
    }

    /// A document that says that it has so many pages.
    fn odt_of(pages: usize, styles: &str, body: &str) -> Document {
        let meta = format!("<office:meta><meta:document-statistic meta:page-count='{pages}'/></office:meta>");
        let content = format!(
            "<office:document-content><office:automatic-styles>{styles}</office:automatic-styles>\
             <office:body><office:text>{body}</office:text></office:body></office:document-content>"
        );
        let bytes = packed(&[MIMETYPE, ("content.xml", &content), ("meta.xml", &meta)]);
        document("t".into(), &bytes, None).unwrap()
    }

    #[test]
    fn paragraphs_headings_and_white_space_are_read() {
        let document = odt(
            "",
            "<text:h>The\n   dam</text:h><text:p> It was<text:s text:c='2'/>built<text:tab/>by <text:span>Ot</text:span>to\
             <text:line-break/>in 1931&#46;<text:note><text:note-citation>1</text:note-citation><text:note-body>\
             <text:p>So the register.</text:p></text:note-body></text:note> It held.</text:p>\
             <text:p><draw:frame><draw:text-box><text:p>A box.</text:p></draw:text-box><svg:desc>a picture</svg:desc></draw:frame>Anchor.</text:p>",
        );
        assert_eq!(
            document.source(),
            "The dam\n\nIt was  built\tby Otto\nin 1931. It held.\n\nAnchor.\n\nA box.\n\nSo the register."
        );
        assert_eq!(document.blocks()[0].kind, BlockKind::Heading);
        assert_eq!(document.encoding(), "UTF-8");
    }

    #[test]
    fn items_have_their_marks() {
        let level = |level: u32, what: &str, more: &str| {
            format!("<text:list-level-style-{what} text:level='{level}' {more}/>")
        };
        let styles = format!(
            "<text:list-style style:name='L'>{}{}</text:list-style><text:list-style style:name='B'>{}</text:list-style>",
            level(1, "number", "style:num-format='1' style:num-suffix='.'"),
            level(
                2,
                "number",
                "style:num-format='a' style:num-suffix=')' text:display-levels='2'"
            ),
            level(1, "bullet", "text:bullet-char='x'"),
        );
        let item = |text: &str| format!("<text:list-item><text:p>{text}</text:p></text:list-item>");
        let body = format!(
            "<text:list text:style-name='L'>{}<text:list-item><text:p>two</text:p><text:p>more</text:p><text:list>{}{}</text:list></text:list-item>{}</text:list>\
             <text:list text:style-name='B'>{}</text:list><text:list text:style-name='L' text:continue-numbering='true'>{}</text:list>",
            item("one"),
            item("deep"),
            item("deeper"),
            item("three"),
            item("dot"),
            item("four")
        );
        let document = odt(&styles, &body);
        assert_eq!(
            document.source(),
            "1. one\n2. two\nmore\n2.a) deep\n2.b) deeper\n3. three\n\n• dot\n\n4. four"
        );
        assert!(document.blocks().iter().all(|b| b.kind == BlockKind::ListItem));
    }

    #[test]
    fn heads_of_pages_are_read_once_at_the_end() {
        let styles = "<office:document-styles><office:styles><number:number-style><number:text>x</number:text></number:number-style></office:styles>\
            <office:master-styles><style:master-page><style:header><text:p>Contract 4711</text:p></style:header>\
            <style:header-left><text:p>Contract 4711</text:p></style:header-left><style:footer><text:p>Page <text:page-number>1</text:page-number></text:p></style:footer>\
            </style:master-page></office:master-styles></office:document-styles>";
        let content = "<office:document-content><office:body><office:text><text:p>The bridge is open.</text:p></office:text></office:body></office:document-content>";
        let bytes = packed(&[MIMETYPE, ("content.xml", content), ("styles.xml", styles)]);
        let document = document("t".into(), &bytes, None).unwrap();
        assert_eq!(document.text(), "The bridge is open.\n\nContract 4711");
    }

    #[test]
    fn header_rows_are_headings() {
        let row = |cells: [&str; 3]| {
            let cells =
                cells.map(|text| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>"));
            format!("<table:table-row>{}</table:table-row>", cells.concat())
        };
        let body = format!(
            "<table:table><table:table-header-rows>{}</table:table-header-rows>{}{}</table:table>",
            row(["Age", "18", "65"]),
            row(["Rent", "400", "512"]),
            row(["Food", "85", "97"])
        );
        let document = odt("", &body);
        let at = document.text().find("512").unwrap();
        let shown = document.shown_row(&(at..at + 3)).unwrap();
        assert_eq!(shown, ["Age: Rent", "18: 400", "65: 512"]);
        let first = "<table:table-cell><text:p>Rent";
        let body = body
            .replacen(
                first,
                &first.replace("-cell", "-cell table:number-rows-spanned='2'"),
                1,
            )
            .replace(
                "<table:table-cell><text:p>Food</text:p></table:table-cell>",
                "<table:covered-table-cell/>",
            );
        let document = odt("", &body);
        let at = document.text().find("97").unwrap();
        let shown = document.shown_row(&(at..at + 2)).unwrap();
        assert_eq!(shown, ["Age: Rent", "18: 85", "65: 97"]);
    }

    #[test]
    fn what_is_struck_or_raised_is_no_other_text() {
        let styles = "<style:style style:name='S'><style:text-properties style:text-line-through-style='solid'/></style:style>\
                      <style:style style:name='R'><style:text-properties style:text-position='super 58%'/></style:style>";
        let body = "<text:p>10<text:span text:style-name='R'>6</text:span> is <text:span text:style-name='S'>not</text:span> paid.</text:p>";
        assert_eq!(odt(styles, body).text(), "10⁶ is ~~not~~ paid.");
        let by_type = styles.replace("line-through-style='solid'", "line-through-type='single'");
        assert_eq!(odt(&by_type, body).text(), "10⁶ is ~~not~~ paid.");
        let neither = styles.replace("='solid'", "='none' style:text-line-through-type='single'");
        assert_eq!(odt(&neither, body).text(), "10⁶ is not paid.");
    }

    #[test]
    fn what_is_deleted_hidden_or_a_comment_is_counted() {
        let document = odt(
            "<style:style style:name='H'><style:text-properties text:display='none'/></style:style>\
             <style:style style:name='I' style:parent-style-name='H'/>",
            "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion></text:changed-region>\
             <text:changed-region><text:insertion><office:change-info><dc:creator>Ann</dc:creator></office:change-info></text:insertion></text:changed-region></text:tracked-changes>\
             <text:p>Kept<text:span text:style-name='I'> not <text:s/>this</text:span>.<office:annotation><text:p>Why?</text:p></office:annotation></text:p>",
        );
        assert_eq!(document.source(), "Kept.");
        assert_eq!(
            document.left_out(),
            [("deleted passage", 1), ("hidden passage", 1), ("comment", 1)]
        );
    }

    #[test]
    fn pages_are_those_of_breaks_of_both_kinds() {
        let styles =
            "<style:style style:name='N'><style:paragraph-properties fo:break-before='page'/></style:style>";
        let body =
            "<text:p>One <text:soft-page-break/>two.</text:p><text:p text:style-name='N'>Three.</text:p>";
        let document = odt(styles, body);
        assert_eq!(document.position(0).page, None); // It does not say how many it has.
        let document = odt_of(3, styles, body);
        let page = |of: &str| document.position(document.source().find(of).unwrap()).page;
        assert_eq!(
            (page("One"), page("two"), page("Three")),
            (Some(1), Some(2), Some(3))
        );
        assert_eq!(odt_of(4, styles, body).position(0).page, None);
    }

    #[test]
    fn a_password_is_said_to_be_one() {
        let manifest = "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
        let bytes = packed(&[
            MIMETYPE,
            ("META-INF/manifest.xml", manifest),
            ("content.xml", "\u{7}"),
        ]);
        let error = document("t.odt".into(), &bytes, None).unwrap_err();
        assert!(matches!(error, Error::LockedDocument { .. }), "{error}");
    }
}
