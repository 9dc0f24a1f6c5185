//! ODS (OpenDocument 1.3, part 3, section 9): what its cells show, which the file says.

use std::collections::HashSet;

use super::Document;
use super::extracted::Setting;
use super::package::Package;
use super::sheets::{CellText, Sheets};
use super::xml::{Element, Event, Xml};
use crate::error::Result;

const CONTENT: &str = "content.xml";

/// More of one column, or of a row, is none.
const MOST_COLUMNS: u32 = 1 << 14;
const MOST_ROWS: u32 = 1 << 20;

/// Reads the spreadsheet.
pub(super) fn document(package: &mut Package<'_>) -> Result<Document> {
    let text = package.needed(CONTENT)?;
    let mut walk = Walk::new(Sheets::new(package.name, package.max_bytes));
    if let Err(fault) = walk.read(&text)? {
        return Err(package.malformed(CONTENT, fault));
    }
    walk.sheets.document()
}

/// What has to be done at the end of an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Nothing,
    Style,
    Row,
    Cell,
    Paragraph,
    Struck,
}

/// Styles by what they do.
#[derive(Default)]
struct Styles {
    /// The style whose properties are read.
    name: String,
    hide_sheets: HashSet<String>,
    strike: HashSet<String>,
}

/// A row, until it is known what stands in it.
#[derive(Default)]
struct Row {
    repeated: u32,
    is_hidden: bool,
    /// Columns, how often they are repeated, and texts that are not empty.
    cells: Vec<(u32, u32, String)>,
}

struct Walk<'n> {
    sheets: Sheets<'n>,
    styles: Styles,
    frames: Vec<Frame>,
    /// How deep the place is in something that is not read.
    skipped: usize,
    hidden_columns: HashSet<u32>,
    columns_left_out: HashSet<u32>,
    /// How many columns have been described, rows and cells of the row been read.
    columns: u32,
    rows: u32,
    column: u32,
    row: Row,
    cell: CellText,
    paragraphs: usize,
    repeated: u32,
    struck: usize,
}

impl<'n> Walk<'n> {
    fn new(sheets: Sheets<'n>) -> Self {
        Self {
            sheets,
            styles: Styles::default(),
            frames: Vec::new(),
            skipped: 0,
            hidden_columns: HashSet::new(),
            columns_left_out: HashSet::new(),
            columns: 0,
            rows: 0,
            column: 0,
            row: Row::default(),
            cell: CellText::default(),
            paragraphs: 0,
            repeated: 1,
            struck: 0,
        }
    }

    /// Reads the sheets. The inner error says what is wrong with their XML.
    fn read(&mut self, text: &str) -> Result<Result<(), &'static str>> {
        let mut xml = Xml::new(text);
        loop {
            match xml.next() {
                Err(fault) => return Ok(Err(fault)),
                Ok(None) => break,
                Ok(Some(Event::Open(_))) if self.skipped > 0 => self.skipped += 1,
                Ok(Some(Event::Close)) if self.skipped > 0 => self.skipped -= 1,
                Ok(Some(Event::Open(element))) => self.open(&element)?,
                Ok(Some(Event::Close)) => self.close()?,
                Ok(Some(Event::Text(text))) if self.skipped == 0 && self.is_in_paragraph() => {
                    self.push(&text.replace(['\n', '\r'], " "));
                }
                Ok(Some(Event::Text(_))) => {}
            }
        }
        self.end_sheet();
        Ok(Ok(()))
    }

    fn is_in_paragraph(&self) -> bool {
        self.frames.contains(&Frame::Paragraph)
    }

    fn push(&mut self, text: &str) {
        let setting = Setting {
            is_struck: self.struck > 0,
            ..Setting::default()
        };
        self.cell.push(text, setting);
    }

    fn open(&mut self, element: &Element<'_>) -> Result<()> {
        let number = |name: &str| element.get(name).and_then(|value| value.parse::<u32>().ok());
        let style = || element.get("style-name").unwrap_or_default();
        let is_in_cell = self.frames.contains(&Frame::Cell);
        let frame = match element.name() {
            "style" => {
                self.styles.name = element.get("name").unwrap_or_default();
                Frame::Style
            }
            "table-properties" if element.get("display").as_deref() == Some("false") => {
                self.styles.hide_sheets.insert(self.styles.name.clone());
                Frame::Nothing
            }
            "text-properties"
                if element
                    .get("text-line-through-style")
                    .is_some_and(|style| style != "none") =>
            {
                self.styles.strike.insert(self.styles.name.clone());
                Frame::Nothing
            }
            "annotation" => {
                self.sheets.leave_out("comment", 1);
                return self.skip();
            }
            "object" => {
                self.sheets.leave_out("embedded object", 1);
                return self.skip();
            }
            "text-box" => {
                self.sheets.leave_out("text box", 1);
                return self.skip();
            }
            "tracked-changes" | "content-validations" | "forms" | "title" | "desc" => return self.skip(),
            // A table in a cell, or in a chart, is none of the sheets.
            "table" if is_in_cell => return self.skip(),
            "table" => {
                self.end_sheet();
                if self.styles.hide_sheets.contains(&style()) {
                    self.sheets.leave_out("hidden sheet", 1);
                    return self.skip();
                }
                self.sheets
                    .begin_sheet(&element.get("name").unwrap_or_default())?;
                Frame::Nothing
            }
            "table-column" => {
                let repeated = number("number-columns-repeated").unwrap_or(1).min(MOST_COLUMNS);
                if is_hidden(element) && self.columns < MOST_COLUMNS {
                    self.hidden_columns.extend(self.columns..self.columns + repeated);
                }
                self.columns = self.columns.saturating_add(repeated);
                Frame::Nothing
            }
            "table-row" => {
                self.column = 0;
                self.row = Row {
                    repeated: number("number-rows-repeated").unwrap_or(1).min(MOST_ROWS),
                    is_hidden: is_hidden(element),
                    cells: Vec::new(),
                };
                Frame::Row
            }
            "table-cell" | "covered-table-cell" => {
                self.repeated = number("number-columns-repeated").unwrap_or(1).min(MOST_COLUMNS);
                self.paragraphs = 0;
                self.struck = usize::from(self.styles.strike.contains(&style()));
                Frame::Cell
            }
            "p" | "h" if is_in_cell => {
                if self.paragraphs > 0 {
                    self.push("\n");
                }
                self.paragraphs += 1;
                Frame::Paragraph
            }
            "span" if self.styles.strike.contains(&style()) => {
                self.struck += 1;
                Frame::Struck
            }
            "s" | "tab" if self.is_in_paragraph() => {
                self.push(" ");
                Frame::Nothing
            }
            "line-break" if self.is_in_paragraph() => {
                self.push("\n");
                Frame::Nothing
            }
            _ => Frame::Nothing,
        };
        self.frames.push(frame);
        Ok(())
    }

    fn skip(&mut self) -> Result<()> {
        self.skipped = 1;
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        match self.frames.pop() {
            Some(Frame::Style) => self.styles.name.clear(),
            Some(Frame::Struck) => self.struck -= 1,
            Some(Frame::Cell) => {
                let text = self.cell.take();
                if !text.is_empty() {
                    self.row.cells.push((self.column, self.repeated, text));
                }
                self.column = self.column.saturating_add(self.repeated);
            }
            Some(Frame::Row) => self.close_row()?,
            Some(Frame::Paragraph | Frame::Nothing) | None => {}
        }
        Ok(())
    }

    fn close_row(&mut self) -> Result<()> {
        let row = std::mem::take(&mut self.row);
        let first = self.rows;
        self.rows = first.saturating_add(row.repeated);
        if row.cells.is_empty() {
            return Ok(());
        }
        for number in first..self.rows {
            if row.is_hidden {
                self.sheets.hide_row(number);
                continue;
            }
            for (first, repeated, text) in &row.cells {
                for column in *first..first.saturating_add(*repeated) {
                    if self.hidden_columns.contains(&column) {
                        self.columns_left_out.insert(column);
                    } else {
                        self.sheets.cell(number, column, text.clone())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn end_sheet(&mut self) {
        self.sheets
            .leave_out("hidden column", self.columns_left_out.len());
        self.columns_left_out.clear();
        self.hidden_columns.clear();
        self.columns = 0;
        self.rows = 0;
    }
}

fn is_hidden(element: &Element<'_>) -> bool {
    element
        .get("visibility")
        .is_some_and(|visibility| visibility != "visible")
}

#[cfg(test)]
mod tests {
    use crate::document::Document;
    use crate::document::package::tests::packed;
    use crate::document::read::document;
    use crate::error::{Error, Result};

    fn read(sheets: &str) -> Result<Document> {
        let content = format!(
            "<office:document-content><office:automatic-styles>\
             <style:style style:name='ta2'><style:table-properties table:display='false'/></style:style>\
             <style:style style:name='s'><style:text-properties style:text-line-through-style='solid'/></style:style>\
             </office:automatic-styles><office:body><office:spreadsheet>\
             <table:content-validations><table:content-validation><table:help-message><text:p>help</text:p></table:help-message>\
             </table:content-validation></table:content-validations>{sheets}</office:spreadsheet></office:body></office:document-content>"
        );
        let bytes = packed(&[
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("content.xml", &content),
        ]);
        document("t.ods".into(), &bytes, None)
    }

    fn cell(text: &str) -> String {
        format!("<table:table-cell office:value='0.125'><text:p>{text}</text:p></table:table-cell>")
    }

    #[test]
    fn cells_are_read_as_they_are_shown() {
        let row = |attributes: &str, cells: &str| {
            format!("<table:table-row {attributes}>{cells}</table:table-row>")
        };
        let document = read(&format!(
            "<table:table table:name='Costs'><table:table-column/><table:table-column table:number-columns-repeated='2'/>\
             <table:table-column table:visibility='collapse'/><table:table-header-rows>{}</table:table-header-rows>{}{}{}{}</table:table>\
             <table:table table:name='Old' table:style-name='ta2'>{}</table:table>",
            row("", &[cell("Item"), cell("Share"), "<table:table-cell/>".into(), cell("secret")].concat()),
            row("table:number-rows-repeated='2'", &[cell("Dredging\n sand"), cell("12.5%")].concat()),
            row("table:visibility='filter'", &cell("filtered")),
            row("table:number-rows-repeated='1048576'", "<table:table-cell table:number-columns-repeated='16384'/>"),
            row(
                "",
                "<table:table-cell table:style-name='s' table:number-columns-repeated='2'><office:annotation><text:p>why</text:p></office:annotation>\
                 <text:p>one<text:s/>two</text:p><text:p>three</text:p></table:table-cell>\
                 <table:covered-table-cell><text:p>a <text:span text:style-name='s'>b</text:span></text:p></table:covered-table-cell>"
            ),
            row("", &cell("hidden")),
        ))
        .unwrap();
        assert_eq!(
            document.source(),
            "Costs\n\nItem\tShare\nDredging  sand\t12.5%\nDredging  sand\t12.5%\n\n\
             ~~one~~ ~~two~~\u{2028}~~three~~\t~~one~~ ~~two~~\u{2028}~~three~~\ta ~~b~~"
        );
        let at = document.source().rfind("12.5%").unwrap();
        assert_eq!(document.cells(&(at..at + 5)).as_deref(), Some("Costs!B3"));
        let left_out = [
            ("hidden row", 1),
            ("comment", 1),
            ("hidden column", 1),
            ("hidden sheet", 1),
        ];
        assert_eq!(document.left_out(), left_out);
    }

    #[test]
    fn what_is_repeated_stays_within_the_limit() {
        let cell = "<table:table-cell table:number-columns-repeated='16384'><text:p>0000000</text:p></table:table-cell>";
        let row = format!("<table:table-row table:number-rows-repeated='1048576'>{cell}</table:table-row>");
        let read = read(&format!("<table:table>{row}</table:table>"));
        assert!(matches!(read, Err(Error::DocumentTooLarge { .. })));
    }

    #[test]
    fn a_spreadsheet_without_words_is_empty() {
        let read = read("<table:table table:name='Sheet1'/>");
        assert!(matches!(read, Err(Error::EmptyDocument { .. })));
    }
}
