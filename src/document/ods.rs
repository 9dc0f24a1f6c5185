//! ODS (OpenDocument 1.3, part 3, section 9): what its cells show, which the file says.

use std::ops::Range;

use super::Document;
use super::extracted::Setting;
use super::odt::{self, CONTENT, Known};
use super::package::Package;
use super::sheets::{CellText, MOST_COLUMNS, Sheets};
use super::xml::{Element, Event, Xml};
use crate::error::{Error, Result};

/// A row is repeated no more often.
const MOST_ROWS: u32 = 1 << 20;

/// Reads the spreadsheet.
pub(super) fn document(package: &mut Package<'_>) -> Result<Document> {
    let (known, text) = odt::open(package)?;
    let mut walk = Walk::new(&known, Sheets::new(package.name, package.max_bytes));
    walk.read(&text, |fault| package.malformed(CONTENT, fault))?;
    walk.sheets.document()
}

/// What has to be done at the end of an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Nothing,
    Sheet,
    Row,
    Cell,
    Paragraph,
    /// How the text around it is set.
    Set(Setting),
}

/// A row, until it is known what stands in it.
#[derive(Default)]
struct Row {
    repeated: u32,
    is_hidden: bool,
    /// Columns that have been read.
    columns: u32,
    cells: Vec<(Range<u32>, String)>,
}

struct Walk<'a, 'n> {
    known: &'a Known,
    sheets: Sheets<'n>,
    frames: Vec<Frame>,
    /// How deep the place is in something that is not read.
    skipped: usize,
    /// How many columns and rows of the sheet have been described.
    columns: u32,
    rows: u32,
    row: Row,
    cell: CellText,
    paragraphs: usize,
    repeated: u32,
    setting: Setting,
}

impl<'a, 'n> Walk<'a, 'n> {
    fn new(known: &'a Known, sheets: Sheets<'n>) -> Self {
        Self {
            known,
            sheets,
            frames: Vec::new(),
            skipped: 0,
            columns: 0,
            rows: 0,
            row: Row::default(),
            cell: CellText::default(),
            paragraphs: 0,
            repeated: 1,
            setting: Setting::default(),
        }
    }

    fn read(&mut self, text: &str, malformed: impl Fn(&'static str) -> Error) -> Result<()> {
        let mut xml = Xml::new(text);
        while let Some(event) = xml.next().map_err(&malformed)? {
            match event {
                Event::Open(_) if self.skipped > 0 => self.skipped += 1,
                Event::Close if self.skipped > 0 => self.skipped -= 1,
                Event::Text(_) if self.skipped > 0 => {}
                Event::Open(element) => self.open(&element)?,
                Event::Close => self.close()?,
                Event::Text(text) if self.is_in(Frame::Paragraph) => {
                    self.cell.push(&text.replace(['\n', '\r'], " "), self.setting);
                }
                Event::Text(_) => {}
            }
        }
        Ok(())
    }

    fn is_in(&self, frame: Frame) -> bool {
        self.frames.contains(&frame)
    }

    fn open(&mut self, element: &Element<'_>) -> Result<()> {
        let repeated = |name, most| element.number(name).unwrap_or(1).min(most);
        let style = || element.get("style-name").unwrap_or_default();
        let frame = match element.name() {
            "annotation" => {
                self.sheets.leave_out("comment");
                return self.skip();
            }
            "object" => {
                self.sheets.leave_out("embedded object");
                return self.skip();
            }
            "text-box" => {
                self.sheets.leave_out("text box");
                return self.skip();
            }
            "tracked-changes" | "content-validations" | "forms" | "title" | "desc" => return self.skip(),
            // A table in a cell, or in a chart, is none of the sheets.
            "table" if self.is_in(Frame::Cell) => return self.skip(),
            "table" if self.known.is_hidden(&style()) => {
                self.sheets.end_sheet()?;
                self.sheets.leave_out("hidden sheet");
                return self.skip();
            }
            "table" => {
                self.sheets
                    .begin_sheet(&element.get("name").unwrap_or_default())?;
                (self.columns, self.rows) = (0, 0);
                Frame::Sheet
            }
            "table-column" => {
                let first = self.columns;
                self.columns = first.saturating_add(repeated("number-columns-repeated", MOST_COLUMNS));
                if is_hidden(element) {
                    self.sheets.hide_columns(first..self.columns);
                }
                Frame::Nothing
            }
            "table-row" if self.is_in(Frame::Sheet) => {
                self.row = Row {
                    repeated: repeated("number-rows-repeated", MOST_ROWS),
                    is_hidden: is_hidden(element),
                    ..Row::default()
                };
                Frame::Row
            }
            "table-cell" | "covered-table-cell" if self.is_in(Frame::Row) => {
                self.repeated = repeated("number-columns-repeated", MOST_COLUMNS);
                self.paragraphs = 0;
                self.setting = self.known.setting(&style(), Setting::default());
                Frame::Cell
            }
            "p" | "h" if self.is_in(Frame::Cell) => {
                if self.paragraphs > 0 {
                    self.cell.push("\n", Setting::default());
                }
                self.paragraphs += 1;
                Frame::Paragraph
            }
            "span" => {
                let within = self.known.setting(&style(), self.setting);
                Frame::Set(std::mem::replace(&mut self.setting, within))
            }
            "s" | "tab" if self.is_in(Frame::Paragraph) => {
                self.cell.push(" ", Setting::default());
                Frame::Nothing
            }
            "line-break" if self.is_in(Frame::Paragraph) => {
                self.cell.push("\n", Setting::default());
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
            Some(Frame::Set(around)) => self.setting = around,
            Some(Frame::Cell) => {
                let (first, text) = (self.row.columns, self.cell.take());
                self.row.columns = first.saturating_add(self.repeated).min(MOST_COLUMNS);
                if !text.is_empty() {
                    self.row.cells.push((first..self.row.columns, text));
                }
            }
            Some(Frame::Row) => self.close_row()?,
            Some(Frame::Sheet | Frame::Paragraph | Frame::Nothing) | None => {}
        }
        Ok(())
    }

    fn close_row(&mut self) -> Result<()> {
        let row = std::mem::take(&mut self.row);
        let first = self.rows;
        self.rows = first.saturating_add(row.repeated);
        self.sheets.add_rows(first..self.rows, row.is_hidden, &row.cells)
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
    fn what_stands_outside_of_a_sheet_is_in_no_cell() {
        let row = format!("<table:table-row>{}</table:table-row>", cell("x"));
        for stray in [
            row.clone(),
            cell("x"),
            format!("<table:table table:name='A'>{}</table:table>", cell("x")),
        ] {
            assert!(
                matches!(read(&stray), Err(Error::EmptyDocument { .. })),
                "{stray}"
            );
        }
        let within = format!("<text:p><text:span text:style-name='s'>{row}</text:span></text:p>");
        let sheet = format!("<table:table table:name='A'>{within}</table:table>");
        assert_eq!(read(&sheet).unwrap().source(), "A\n\nx");
    }

    #[test]
    fn one_with_a_password_is_said_to_have_one() {
        let manifest = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>";
        let bytes = packed(&[
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("META-INF/manifest.xml", manifest),
            ("content.xml", "secret"),
        ]);
        let error = document("t.ods".into(), &bytes, None).unwrap_err();
        assert!(matches!(error, Error::LockedDocument { .. }), "{error}");
    }

    #[test]
    fn a_spreadsheet_without_words_is_empty() {
        let read = read("<table:table table:name='Sheet1'/>");
        assert!(matches!(read, Err(Error::EmptyDocument { .. })));
    }
}
