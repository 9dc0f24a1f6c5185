//! XLSX (ECMA-376, part 1, section 18): what its cells show.
//!
//! The file holds numbers and, apart from them, how they are shown: 0.125 with `0.0%` is 12.5%. What is quoted is what is
//! shown. Where that depends on the reader's settings (dates in the formats 14 and 22), dates are written as in ISO 8601.

use std::collections::HashMap;
use std::ops::Range;

use ooxml_numfmt::{DateSystem, FormatOptions, NumberFormat};

use super::Document;
use super::extracted::{STRUCK, Setting};
use super::package::{Package, Relation};
use super::sheets::{CellText, Sheets, cell_named};
use super::xml::{Element, Event, Xml};
use crate::error::{Error, Result};

/// Numbers from here on have more digits than a double has, whatever their format says.
const TOO_LARGE_FOR_DIGITS: f64 = 1e15;

/// Excel has no more.
const MOST_STYLES: usize = 1 << 16;

/// Reads the workbook whose main part this is.
pub(super) fn document(package: &mut Package<'_>, part: &str) -> Result<Document> {
    let text = package.needed(part)?;
    let relations = package.relations(part)?;
    let workbook = Workbook::read(&text).map_err(|fault| package.malformed(part, fault))?;
    let mut read = |kind: &str| {
        let relation = relations.iter().find(|relation| relation.kind == kind);
        let part = relation.map_or("", |relation| &relation.target);
        Ok((part, package.text(part)?))
    };
    let (strings_part, strings) = read("sharedStrings")?;
    let (styles_part, styles) = read("styles")?;
    let strings = strings.map_or_else(|| Ok(Vec::new()), |text| shared_strings(&text));
    let styles = styles.map_or_else(|| Ok(Styles::default()), |text| Styles::read(&text));
    let book = Book {
        strings: strings.map_err(|fault| package.malformed(strings_part, fault))?,
        styles: styles.map_err(|fault| package.malformed(styles_part, fault))?,
        options: workbook.options(),
    };
    let mut sheets = Sheets::new(package.name, package.max_bytes);
    for (index, sheet) in workbook.sheets.iter().enumerate() {
        let Some(relation) = relations.iter().find(|relation| relation.id == sheet.id) else {
            return Err(package.damaged(format!("sheet {} is not there", index + 1)));
        };
        match relation.kind.as_str() {
            _ if sheet.is_hidden => sheets.leave_out("hidden sheet"),
            "worksheet" => {
                sheets.begin_sheet(&sheet.name)?;
                let text = package.needed(&relation.target)?;
                let malformed = |fault| package.malformed(&relation.target, fault);
                Walk::new(&book, &mut sheets).read(&text, malformed)?;
                sheets.end_sheet()?;
                for beside in package.relations(&relation.target)? {
                    leave_out(package, &beside, &mut sheets)?;
                }
            }
            "chartsheet" => sheets.leave_out("chart"),
            _ => sheets.leave_out("sheet of macros or dialogs"),
        }
    }
    sheets.document()
}

/// Counts what stands beside the cells of a sheet.
fn leave_out(package: &mut Package<'_>, beside: &Relation, sheets: &mut Sheets<'_>) -> Result<()> {
    let counted: &[(&str, &'static str)] = match beside.kind.as_str() {
        "comments" => &[("comment", "comment")],
        "drawing" => &[("chart", "chart"), ("txBody", "text box")],
        _ => return Ok(()),
    };
    let Some(text) = package.text(&beside.target)? else {
        return Ok(());
    };
    let mut xml = Xml::new(&text);
    while let Some(element) = xml
        .next_element()
        .map_err(|fault| package.malformed(&beside.target, fault))?
    {
        let what = counted.iter().find(|(name, _)| *name == element.name());
        what.into_iter().for_each(|&(_, what)| sheets.leave_out(what));
    }
    Ok(())
}

struct Sheet {
    name: String,
    /// Its relation.
    id: String,
    is_hidden: bool,
}

#[derive(Default)]
struct Workbook {
    sheets: Vec<Sheet>,
    counts_from_1904: bool,
}

impl Workbook {
    fn read(text: &str) -> Result<Self, &'static str> {
        let mut xml = Xml::new(text);
        let mut workbook = Self::default();
        while let Some(element) = xml.next_element()? {
            match element.name() {
                "workbookPr" => workbook.counts_from_1904 = is_true(&element, "date1904"),
                "sheet" => workbook.sheets.push(Sheet {
                    name: element.get("name").unwrap_or_default(),
                    id: element.get_prefixed("id").unwrap_or_default(),
                    is_hidden: element.get("state").is_some_and(|state| state != "visible"),
                }),
                _ => {}
            }
        }
        Ok(workbook)
    }

    fn options(&self) -> FormatOptions {
        FormatOptions {
            date_system: match self.counts_from_1904 {
                true => DateSystem::Date1904,
                false => DateSystem::Date1900,
            },
            ..FormatOptions::default()
        }
    }
}

/// Whether an attribute that is off without a word is on.
fn is_true(element: &Element<'_>, name: &str) -> bool {
    matches!(element.get(name).as_deref(), Some("1" | "true" | "on"))
}

/// Text in runs, as it stands in the table of strings and in cells: `si` and `is`.
#[derive(Default)]
struct Runs {
    text: CellText,
    setting: Setting,
    is_text: bool,
    /// How deep the place is in what says how to pronounce the text.
    skipped: usize,
}

impl Runs {
    fn open(&mut self, element: &Element<'_>) {
        match element.name() {
            _ if self.skipped > 0 => self.skipped += 1,
            "rPh" | "phoneticPr" => self.skipped = 1,
            "r" => self.setting = Setting::default(),
            "strike" => self.setting.is_struck = element.is_on(),
            "vertAlign" => self.setting.is_raised = element.get("val").as_deref() == Some("superscript"),
            "t" => self.is_text = true,
            _ => {}
        }
    }

    fn text(&mut self, text: &str, is_struck: bool) {
        if self.is_text && self.skipped == 0 {
            let is_struck = is_struck || self.setting.is_struck;
            self.text.push(
                &unescaped(text),
                Setting {
                    is_struck,
                    ..self.setting
                },
            );
        }
    }

    fn close(&mut self) {
        match self.skipped {
            0 => self.is_text = false,
            _ => self.skipped -= 1,
        }
    }

    fn take(&mut self) -> String {
        self.setting = Setting::default();
        self.text.take()
    }
}

/// `_x000D_` is a character that XML cannot hold (section 22.9.2.19).
fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let character = rest[at + 2..]
            .split_once('_')
            .filter(|(digits, _)| digits.len() == 4)
            .and_then(|(digits, rest)| Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, rest)));
        match character {
            Some((character, behind)) => {
                unescaped.push_str(&rest[..at]);
                unescaped.push(character);
                rest = behind;
            }
            None => {
                unescaped.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
            }
        }
    }
    unescaped.push_str(rest);
    unescaped
}

/// The table of strings.
fn shared_strings(text: &str) -> Result<Vec<String>, &'static str> {
    let mut xml = Xml::new(text);
    let (mut strings, mut runs, mut depth) = (Vec::new(), Runs::default(), 0);
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(element) => {
                depth += 1;
                runs.open(&element);
            }
            Event::Text(text) => runs.text(&text, false),
            Event::Close => {
                depth -= 1;
                runs.close();
                if depth == 1 {
                    strings.push(runs.take());
                }
            }
        }
    }
    Ok(strings)
}

/// How a cell is set.
#[derive(Clone, Copy, Default)]
struct Style {
    /// Which of `Styles::formats`; without one, numbers are shown as they are.
    format: Option<usize>,
    is_struck: bool,
}

#[derive(Default)]
struct Styles {
    cells: Vec<Style>,
    formats: Vec<NumberFormat>,
}

impl Styles {
    fn read(text: &str) -> Result<Self, &'static str> {
        let mut xml = Xml::new(text);
        let mut path: Vec<String> = Vec::new();
        let mut codes: HashMap<u32, String> = HashMap::new();
        let mut struck_fonts: Vec<bool> = Vec::new();
        let mut known: HashMap<u32, Option<usize>> = HashMap::new();
        let mut styles = Self::default();
        while let Some(element) = xml.next_element()? {
            path.truncate(xml.depth() - 1);
            if styles.cells.len() > MOST_STYLES {
                return Err("defines too many styles");
            }
            // Differential formats have fonts and formats, too.
            match (path.get(1).map(String::as_str), element.name()) {
                (Some("numFmts"), "numFmt") => {
                    if let (Some(id), Some(code)) = (element.number("numFmtId"), element.get("formatCode")) {
                        codes.insert(id, code);
                    }
                }
                (Some("fonts"), "font") => struck_fonts.push(false),
                (Some("fonts"), "strike") => {
                    if let Some(is_struck) = struck_fonts.last_mut() {
                        *is_struck = element.is_on();
                    }
                }
                (Some("cellXfs"), "xf") => {
                    let id = element.number("numFmtId").unwrap_or_default();
                    let format = *known.entry(id).or_insert_with(|| styles.add_format(id, &codes));
                    let font = element.number::<usize>("fontId").unwrap_or_default();
                    let is_struck = struck_fonts.get(font).copied().unwrap_or_default();
                    styles.cells.push(Style { format, is_struck });
                }
                _ => {}
            }
            path.push(element.name().to_owned());
        }
        Ok(styles)
    }

    /// Adds the format of this number; `None` where it has none that can be read.
    fn add_format(&mut self, id: u32, codes: &HashMap<u32, String>) -> Option<usize> {
        let code = match (id, codes.get(&id)) {
            (_, Some(code)) => code,
            (14, None) => "yyyy-mm-dd",
            (22, None) => "yyyy-mm-dd h:mm",
            (_, None) => ooxml_numfmt::format_code_from_id(id)?,
        };
        if code.eq_ignore_ascii_case("general") {
            return None;
        }
        self.formats.push(NumberFormat::parse(code).ok()?);
        Some(self.formats.len() - 1)
    }
}

/// What the sheets of a workbook have in common.
struct Book {
    strings: Vec<String>,
    styles: Styles,
    options: FormatOptions,
}

impl Book {
    /// A number as a cell of this style shows it.
    fn shown(&self, value: &str, style: Style) -> String {
        let Ok(number) = value.trim().parse::<f64>() else {
            return value.trim().to_owned();
        };
        let format = style.format.map(|format| &self.styles.formats[format]);
        let formatted = format
            .filter(|_| number.abs() < TOO_LARGE_FOR_DIGITS)
            .and_then(|format| format.try_format(number, &self.options).ok());
        let formatted = formatted.unwrap_or_else(|| general(number));
        formatted.trim().to_owned()
    }
}

/// A number without a format.
fn general(number: f64) -> String {
    ooxml_numfmt::format_default(number, "General").unwrap_or_else(|_| number.to_string())
}

/// What a cell holds (section 18.18.11).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Number,
    /// A place in the table of strings.
    Shared,
    Boolean,
    /// Text, an error's name, or a date.
    Plain,
}

/// The cell that is being read.
#[derive(Default)]
struct Cell {
    column: u32,
    kind: Kind,
    style: Style,
    value: String,
    runs: Runs,
    has_formula: bool,
}

/// What has to be done at the end of an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Nothing,
    Row,
    Cell,
    Value,
    /// Text that stands in the cell itself.
    Inline,
    /// An element within it.
    Run,
}

struct Walk<'a, 'n> {
    book: &'a Book,
    sheets: &'a mut Sheets<'n>,
    frames: Vec<Frame>,
    /// The row that is open, or was last, and what stands in it.
    row: Option<u32>,
    row_is_hidden: bool,
    cells: Vec<(Range<u32>, String)>,
    cell: Cell,
    /// The column behind the last cell of the row.
    next_column: u32,
}

impl<'a, 'n> Walk<'a, 'n> {
    fn new(book: &'a Book, sheets: &'a mut Sheets<'n>) -> Self {
        Self {
            book,
            sheets,
            frames: Vec::new(),
            row: None,
            row_is_hidden: false,
            cells: Vec::new(),
            cell: Cell::default(),
            next_column: 0,
        }
    }

    fn read(mut self, text: &str, malformed: impl Fn(&'static str) -> Error) -> Result<()> {
        let mut xml = Xml::new(text);
        while let Some(event) = xml.next().map_err(&malformed)? {
            match (event, self.frames.last()) {
                (Event::Open(element), _) => self.open(&element),
                (Event::Close, _) => self.close()?,
                (Event::Text(text), Some(Frame::Value)) => self.cell.value.push_str(&text),
                (Event::Text(text), Some(Frame::Run)) => {
                    self.cell.runs.text(&text, self.cell.style.is_struck)
                }
                (Event::Text(_), _) => {}
            }
        }
        Ok(())
    }

    fn open(&mut self, element: &Element<'_>) {
        let frame = match (self.frames.last(), element.name()) {
            (Some(Frame::Inline | Frame::Run), _) => {
                self.cell.runs.open(element);
                Frame::Run
            }
            (Some(Frame::Cell), "v") => Frame::Value,
            (Some(Frame::Cell), "f") => {
                self.cell.has_formula = true;
                Frame::Nothing
            }
            (Some(Frame::Cell), "is") => Frame::Inline,
            (Some(Frame::Row), "c") => {
                self.open_cell(element);
                Frame::Cell
            }
            (_, "row") => {
                let next = self.row.map_or(0, |row| row.saturating_add(1));
                let named = element.number::<u32>("r").and_then(|row| row.checked_sub(1));
                self.row = Some(named.unwrap_or(next));
                self.row_is_hidden = is_true(element, "hidden");
                self.next_column = 0;
                Frame::Row
            }
            (_, "col") if is_true(element, "hidden") => {
                if let (Some(first), Some(last)) = (element.number::<u32>("min"), element.number("max")) {
                    self.sheets.hide_columns(first.saturating_sub(1)..last);
                }
                Frame::Nothing
            }
            _ => Frame::Nothing,
        };
        self.frames.push(frame);
    }

    fn open_cell(&mut self, element: &Element<'_>) {
        let named = element.get("r").and_then(|name| cell_named(&name));
        if let Some((row, _)) = named {
            self.row = Some(row);
        }
        let column = named.map_or(self.next_column, |(_, column)| column);
        self.next_column = column.saturating_add(1);
        let style = element.number::<usize>("s").unwrap_or_default();
        self.cell = Cell {
            column,
            kind: match element.get("t").as_deref() {
                None | Some("n") => Kind::Number,
                Some("s") => Kind::Shared,
                Some("b") => Kind::Boolean,
                Some(_) => Kind::Plain,
            },
            style: self.book.styles.cells.get(style).copied().unwrap_or_default(),
            ..Cell::default()
        };
    }

    fn close(&mut self) -> Result<()> {
        match self.frames.pop() {
            Some(Frame::Cell) => self.close_cell(),
            Some(Frame::Run) => self.cell.runs.close(),
            Some(Frame::Row) => return self.close_row(),
            _ => {}
        }
        Ok(())
    }

    fn close_row(&mut self) -> Result<()> {
        let cells = std::mem::take(&mut self.cells);
        let row = self.row.unwrap_or_default();
        self.sheets
            .add_rows(row..row.saturating_add(1), self.row_is_hidden, &cells)
    }

    fn close_cell(&mut self) {
        let cell = &mut self.cell;
        if cell.has_formula && cell.kind == Kind::Number && cell.value.is_empty() {
            return self.sheets.leave_out("formula without a value");
        }
        let setting = Setting {
            is_struck: cell.style.is_struck,
            ..Setting::default()
        };
        let text = |shown: &str| {
            let mut text = CellText::default();
            text.push(shown, setting);
            text.take()
        };
        let text = match cell.kind {
            _ if cell.value.is_empty() => cell.runs.take(),
            Kind::Number => text(&self.book.shown(&cell.value, cell.style)),
            Kind::Shared => {
                let index = cell.value.trim().parse::<usize>().ok();
                let string = index.and_then(|index| self.book.strings.get(index));
                string.map_or_else(String::new, |string| match setting.is_struck {
                    true => text(&string.replace(STRUCK, "")),
                    false => string.clone(),
                })
            }
            Kind::Boolean => text(match cell.value.trim() {
                "0" => "FALSE",
                _ => "TRUE",
            }),
            Kind::Plain => text(&unescaped(&cell.value)),
        };
        if !text.is_empty() {
            self.cells
                .push((cell.column..cell.column.saturating_add(1), text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unescaped;
    use crate::document::Document;
    use crate::document::package::tests::packed;
    use crate::document::read::document;

    const RELATIONS: &str = "<Relationships>
        <Relationship Id='r1' Type='http://x/worksheet' Target='worksheets/a.xml'/>
        <Relationship Id='r2' Type='http://x/worksheet' Target='worksheets/b.xml'/>
        <Relationship Id='r3' Type='http://x/chartsheet' Target='chartsheets/c.xml'/>
        <Relationship Id='r4' Type='http://x/sharedStrings' Target='strings.xml'/>
        <Relationship Id='r5' Type='http://x/styles' Target='styles.xml'/></Relationships>";

    /// A workbook with these rows on its first sheet, and these attributes of its properties.
    fn workbook(rows: &str, properties: &str) -> Document {
        let workbook = format!(
            "<workbook><workbookPr {properties}/><sheets><sheet name='Costs' r:id='r1'/>\
             <sheet name='Old' state='veryHidden' r:id='r2'/><sheet name='Chart' r:id='r3'/></sheets></workbook>"
        );
        let sheet = format!(
            "<worksheet><cols><col min='5' max='99999999' hidden='1'/></cols><sheetData>{rows}</sheetData></worksheet>"
        );
        let bytes = packed(&[
            (
                "_rels/.rels",
                "<Relationships><Relationship Type='http://x/officeDocument' Target='xl/workbook.xml'/></Relationships>",
            ),
            ("xl/workbook.xml", &workbook),
            ("xl/_rels/workbook.xml.rels", RELATIONS),
            ("xl/worksheets/a.xml", &sheet),
            (
                "xl/worksheets/_rels/a.xml.rels",
                "<Relationships><Relationship Type='http://x/comments' Target='../comments.xml'/>\
                 <Relationship Type='http://x/drawing' Target='../drawing.xml'/></Relationships>",
            ),
            (
                "xl/comments.xml",
                "<comments><comment><text><t>no</t></text></comment></comments>",
            ),
            ("xl/drawing.xml", "<wsDr><c:chart/><sp><txBody/></sp></wsDr>"),
            ("xl/worksheets/b.xml", "<worksheet/>"),
            (
                "xl/strings.xml",
                "<sst><si><t>Item</t></si><si><r><rPr><strike/></rPr><t>4</t></r><r><rPr><strike/></rPr><t>0</t></r>\
                 <r><t xml:space='preserve'> 50 m</t></r><r><rPr><vertAlign val='superscript'/></rPr><t>2</t></r>\
                 <rPh><t>yomi</t></rPh></si><si><t>two\nlines_x000D_</t></si></sst>",
            ),
            (
                "xl/styles.xml",
                "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='dd.mm.yyyy'/><numFmt numFmtId='165' formatCode='0.0%'/>\
                 <numFmt numFmtId='166' formatCode='&quot;$&quot;#,##0.00_);(&quot;$&quot;#,##0.00)'/></numFmts>\
                 <fonts><font/><font><strike/></font></fonts><cellStyleXfs><xf numFmtId='165'/></cellStyleXfs>\
                 <cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='165'/><xf numFmtId='166'/><xf numFmtId='14'/>\
                 <xf numFmtId='0' fontId='1'/><xf numFmtId='3'/></cellXfs>\
                 <dxfs><dxf><font><strike/></font></dxf></dxfs></styleSheet>",
            ),
        ]);
        document("t.xlsx".into(), &bytes, None).unwrap()
    }

    fn cells(cells: &str) -> String {
        let document = workbook(&format!("<row r='1'>{cells}</row>"), "");
        document.source().strip_prefix("Costs\n\n").unwrap().to_owned()
    }

    #[test]
    fn numbers_are_as_they_are_shown() {
        for (style, value, shown) in [
            (0, "0.30000000000000004", "0.3"),
            (0, "1E+21", "1E+21"),
            (1, "45123", "16.07.2023"),
            (2, "0.125", "12.5%"),
            (3, "-1234.5", "($1,234.50)"),
            (4, "45123", "2023-07-16"),
            (5, "7", "~~7~~"),
            (6, "1234567", "1,234,567"),
            (6, "1E+21", "1E+21"),
            (99, "7", "7"),
            (0, "many", "many"),
        ] {
            let read = cells(&format!("<c s='{style}'><v>{value}</v></c>"));
            assert_eq!(read, shown, "{style} {value}");
        }
        let mac = workbook("<row><c s='1'><v>1</v></c></row>", "date1904='1'");
        assert!(mac.source().ends_with("02.01.1904"), "{}", mac.source());
    }

    #[test]
    fn cells_of_every_kind_are_read() {
        for (cell, shown) in [
            ("<c t='s'><v>1</v></c>", "~~40~~ 50 m²"),
            ("<c t='s' s='5'><v>0</v></c>", "~~Item~~"),
            ("<c t='s' s='5'><v>1</v></c>", "~~40 50 m²~~"),
            ("<c t='s'><v>2</v></c>", "two\u{2028}lines"),
            (
                "<c t='inlineStr'><is><r><t>in</t></r><r><t>line</t></r></is></c>",
                "inline",
            ),
            ("<c t='str'><f>A1</f><v>a_x0041_b_xyz</v></c>", "aAb_xyz"),
            ("<c t='b'><v>1</v></c>", "TRUE"),
            ("<c t='e'><v>#N/A</v></c>", "#N/A"),
        ] {
            assert_eq!(cells(cell), shown, "{cell}");
        }
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let document = workbook(
            "<row r='2'><c r='B2' t='s'><v>0</v></c><c r='D2'><v>1</v></c><c r='E2'><v>2</v></c></row>\
             <row r='3' hidden='1'><c r='B3'><v>3</v></c></row>\
             <row r='4'><c r='B4'><f>1+1</f><v></v></c><c t='str'><f>A1</f><v/></c><c r='C4' s='2'/><c r='D4'><v>4</v></c></row>\
             <row r='5' hidden='1'/>",
            "",
        );
        assert_eq!(document.source(), "Costs\n\nItem\t1\n\t4");
        let at = document.source().find('4').unwrap();
        assert_eq!(document.cells(&(at..at + 1)).as_deref(), Some("Costs!D4"));
        assert_eq!(
            document.left_out(),
            [
                ("hidden row", 1),
                ("formula without a value", 1),
                ("hidden column", 1),
                ("comment", 1),
                ("chart", 2),
                ("text box", 1),
                ("hidden sheet", 1),
            ]
        );
    }

    #[test]
    fn escapes_are_characters() {
        assert_eq!(unescaped("a_x000A_b_x00e9_"), "a\nbé");
        for plain in ["_x", "_x12_", "_x00zz_", "_xD800_", "_x000A"] {
            assert_eq!(unescaped(plain), plain);
        }
    }
}
