//! Spreadsheets: sheet by sheet, each with its name as a heading, and what stands in its cells.
//!
//! Cells between empty rows are a table, and so are those behind an empty row that are not headed, also below the name of a part
//! ("2024"). Where an empty column sets two tables apart, one follows the other. Rows of one cell above and below a table are paragraphs:
//! titles, notes, sources.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::extracted::{BREAK_IN_CELL, Paragraph, Setting, Writer};
use super::{BlockKind, Document, is_value, leave_out, stops};
use crate::error::{Error, Result};

/// What a row that a file only says is repeated takes in memory for each cell, in bytes.
const REPEATED_ROW: usize = 100;

/// A sheet has no more columns.
pub(super) const MOST_COLUMNS: u32 = 1 << 14;

/// Which cell begins at a byte of the source. Rows and columns count from 0.
#[derive(Debug, Clone, Copy)]
struct Place {
    source: usize,
    sheet: usize,
    row: u32,
    column: u32,
}

/// Where the cells of sheets stand in the source.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    sheets: Vec<String>,
    /// In the order of the source.
    cells: Vec<Place>,
}

impl Places {
    /// The cells that a non-empty range of the source stands in, as a formula names them: `'Q3 2024'!B7`, `Costs!B7:D7`.
    pub(super) fn name(&self, source: &Range<usize>) -> Option<String> {
        let at = |byte: usize| {
            let after = self.cells.partition_point(|place| place.source <= byte);
            self.cells.get(after.checked_sub(1)?)
        };
        let (first, last) = (at(source.start)?, at(source.end.saturating_sub(1))?);
        let sheet = &self.sheets[first.sheet];
        let is_plain =
            sheet.starts_with(char::is_alphabetic) && sheet.chars().all(|c| c.is_alphanumeric() || c == '_');
        let mut name = match is_plain {
            true => format!("{sheet}!"),
            false => format!("'{}'!", sheet.replace('\'', "''")),
        };
        name += &cell_name(first.row, first.column);
        if last.sheet == first.sheet && (last.row, last.column) != (first.row, first.column) {
            name.push(':');
            name += &cell_name(last.row, last.column);
        }
        Some(name)
    }
}

/// `B7` for row 6 and column 1.
fn cell_name(row: u32, column: u32) -> String {
    let mut letters = String::new();
    let mut left = u64::from(column) + 1;
    while left > 0 {
        left -= 1;
        letters.insert(0, char::from(b'A' + (left % 26) as u8));
        left /= 26;
    }
    format!("{letters}{}", u64::from(row) + 1)
}

/// The row and column that `B7` names.
pub(super) fn cell_named(name: &str) -> Option<(u32, u32)> {
    let digits = name.find(|c: char| !c.is_ascii_alphabetic())?;
    let column = name[..digits].bytes().try_fold(0u32, |column, letter| {
        let letter = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        column.checked_mul(26)?.checked_add(letter)
    })?;
    let row: u32 = name[digits..].parse().ok()?;
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

/// What stands in a cell.
#[derive(Debug, Default)]
pub(super) struct CellText(Paragraph);

impl CellText {
    /// Adds text, over several lines where it has line feeds.
    pub(super) fn push(&mut self, text: &str, setting: Setting) {
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                self.0.push(BREAK_IN_CELL);
            }
            self.0.push_set(line, setting);
        }
    }

    /// The text, without the white space around it.
    pub(super) fn take(&mut self) -> String {
        let paragraph = std::mem::take(&mut self.0);
        paragraph.text().trim().to_owned()
    }
}

/// A row with what stands in it: columns with texts that are not empty.
#[derive(Debug, Default)]
struct Row {
    number: u32,
    /// Whether an empty row stands above it.
    is_apart: bool,
    cells: Vec<(u32, String)>,
}

/// Rows with more gaps are looked at as one table.
const MOST_BESIDE: usize = 16;
/// Longer texts name no part of a table.
const LONGEST_LABEL: usize = 60;

/// Rows that are a table, and which columns they reach from and to.
#[derive(Default)]
struct OpenTable {
    rows: Range<usize>,
    first_column: u32,
    last_column: u32,
}

impl OpenTable {
    /// Whether a row below an empty one belongs to it, which then is there for the eye: it has a number, so it is no row of headings,
    /// and stands below the others.
    fn goes_on(&self, row: &Row) -> bool {
        let columns = self.first_column..=self.last_column;
        let outside = row
            .cells
            .iter()
            .filter(|(column, _)| !columns.contains(column))
            .count();
        // Headings alone may leave out what the first column holds.
        let is_left_of_headings =
            self.rows.len() == 1 && outside == 1 && row.cells.len() > 2 && row.cells[0].0 < self.first_column;
        !self.rows.is_empty()
            && (outside == 0 || is_left_of_headings)
            && row.cells.iter().any(|(_, text)| is_value(text))
    }

    /// Whether rows may name a part of it.
    fn may_be_named_by(&self, rows: &[Row]) -> bool {
        let is_label = |row: &Row| match &row.cells[..] {
            [(column, text)] => *column <= self.first_column && text.len() <= LONGEST_LABEL && !stops(text),
            _ => false,
        };
        !self.rows.is_empty() && rows.iter().all(is_label)
    }

    fn add(&mut self, rows: &[Row], range: Range<usize>) {
        if self.rows.is_empty() {
            self.rows = range.start..range.start;
            self.first_column = u32::MAX;
            self.last_column = 0;
        }
        self.rows.end = range.end;
        for &(column, _) in rows[range].iter().flat_map(|row| &row.cells) {
            self.first_column = self.first_column.min(column);
            self.last_column = self.last_column.max(column);
        }
    }
}

/// The columns of tables that stand side by side in rows with an empty column between them. That alone may be there for the eye: what
/// stands behind it has to have names of its own, and headings that repeat those before it or a row that has nothing before it.
fn tables_beside(rows: &[Row]) -> Vec<Range<u32>> {
    let columns: BTreeSet<u32> = rows
        .iter()
        .flat_map(|row| &row.cells)
        .map(|&(column, _)| column)
        .collect();
    let columns: Vec<u32> = columns.into_iter().collect();
    let parts = || columns.chunk_by(|a, b| a + 1 == *b);
    if parts().nth(MOST_BESIDE).is_some() {
        return Vec::new();
    }
    let mut tables: Vec<Range<u32>> = Vec::new();
    for part in parts() {
        let part = part[0]..part[part.len() - 1] + 1;
        match tables.last_mut() {
            Some(last) if !stand_side_by_side(rows, last, &part) => last.end = part.end,
            _ => tables.push(part),
        }
    }
    tables
}

fn stand_side_by_side<'a>(rows: &'a [Row], left: &'a Range<u32>, right: &'a Range<u32>) -> bool {
    if left.len() < 2 || right.len() < 2 {
        return false;
    }
    let cells = |row: &'a Row, columns: &'a Range<u32>| {
        let cells = row.cells.iter().filter(|(column, _)| columns.contains(column));
        cells.map(|(_, text)| text.as_str())
    };
    let names = rows
        .iter()
        .flat_map(|row| &row.cells)
        .filter(|&&(column, _)| column == right.start);
    let is_word = |text: &str| text.contains(char::is_alphabetic);
    let (words, values): (Vec<_>, Vec<_>) = names.partition(|(_, text)| is_word(text));
    let repeats = |row: &'a Row| {
        let headings: HashSet<&str> = cells(row, left).filter(|text| is_word(text)).collect();
        cells(row, right)
            .filter(|text| headings.contains(text))
            .nth(1)
            .is_some()
    };
    let is_alone = |row: &'a Row| cells(row, left).next().is_none() && cells(row, right).nth(1).is_some();
    words.len() >= 2 && words.len() >= values.len() && rows.iter().any(|row| repeats(row) || is_alone(row))
}

/// What stands in some columns of rows.
fn within(rows: &[Row], columns: &Range<u32>) -> Vec<Row> {
    let (mut is_first, mut is_apart) = (true, false);
    let rows = rows.iter().filter_map(|row| {
        let cells = row.cells.iter().filter(|(column, _)| columns.contains(column));
        let cells: Vec<(u32, String)> = cells.cloned().collect();
        if cells.is_empty() {
            is_apart = true;
            return None;
        }
        let was_apart = std::mem::take(&mut is_apart);
        let is_below = !std::mem::take(&mut is_first);
        Some(Row {
            number: row.number,
            is_apart: was_apart && is_below,
            cells,
        })
    });
    rows.collect()
}

/// Collects what stands in the cells of a spreadsheet.
pub(super) struct Sheets<'a> {
    name: &'a str,
    max_bytes: u64,
    writer: Writer,
    places: Places,
    /// The rows of the sheet that are not empty.
    rows: Vec<Row>,
    /// The last row that was not empty, hidden or not.
    last_row: Option<u32>,
    /// Whether an empty row stands between that and the next.
    is_apart: bool,
    /// Bytes in `rows`.
    waiting: usize,
    hidden_columns: HashSet<u32>,
    /// Those of them that something stands in.
    columns_left_out: HashSet<u32>,
    left_out: Vec<(&'static str, usize)>,
}

impl<'a> Sheets<'a> {
    /// For a document of this name with at most so many bytes of text.
    pub(super) fn new(name: &'a str, max_bytes: u64) -> Self {
        Self {
            name,
            max_bytes,
            writer: Writer::default(),
            places: Places::default(),
            rows: Vec::new(),
            last_row: None,
            is_apart: false,
            waiting: 0,
            hidden_columns: HashSet::new(),
            columns_left_out: HashSet::new(),
            left_out: Vec::new(),
        }
    }

    /// Counts what is not read.
    pub(super) fn leave_out(&mut self, what: &'static str) {
        leave_out(&mut self.left_out, what, 1);
    }

    /// Begins a sheet.
    ///
    /// # Errors
    /// As [`add_rows`](Self::add_rows).
    pub(super) fn begin_sheet(&mut self, name: &str) -> Result<()> {
        self.end_sheet()?;
        self.places.sheets.push(name.to_owned());
        let mut heading = Paragraph::default();
        heading.push(name);
        self.paragraph(BlockKind::Heading, heading.text().trim());
        Ok(())
    }

    /// Ends a sheet, if one has begun.
    ///
    /// # Errors
    /// As [`add_rows`](Self::add_rows).
    pub(super) fn end_sheet(&mut self) -> Result<()> {
        self.write_rows()?;
        leave_out(&mut self.left_out, "hidden column", self.columns_left_out.len());
        self.hidden_columns.clear();
        self.columns_left_out.clear();
        self.last_row = None;
        self.is_apart = false;
        Ok(())
    }

    /// Says that some columns of the sheet are not shown.
    pub(super) fn hide_columns(&mut self, columns: Range<u32>) {
        let columns = columns.start..columns.end.min(MOST_COLUMNS);
        self.hidden_columns.extend(columns);
    }

    /// Adds rows of the sheet that are alike: columns, and what stands in each of them. Rows come in order. Hidden ones are counted.
    ///
    /// # Errors
    /// When there is more text than there may be.
    pub(super) fn add_rows(
        &mut self,
        rows: Range<u32>,
        are_hidden: bool,
        cells: &[(Range<u32>, String)],
    ) -> Result<()> {
        if are_hidden && !cells.is_empty() && !rows.is_empty() {
            leave_out(&mut self.left_out, "hidden row", rows.len());
            self.begin_row(rows.start);
            self.last_row = Some(rows.end - 1);
        }
        if are_hidden {
            return Ok(());
        }
        let mut shown: Vec<(u32, &str)> = Vec::new();
        for (columns, text) in cells {
            for column in columns.clone() {
                if self.hidden_columns.contains(&column) {
                    self.columns_left_out.insert(column);
                } else {
                    shown.push((column, text));
                }
            }
        }
        shown.sort_by_key(|&(column, _)| column);
        if shown.is_empty() {
            return Ok(());
        }
        for number in rows.clone() {
            if number != rows.start {
                // It takes no bytes of the file.
                self.waiting += REPEATED_ROW * shown.len();
            }
            self.begin_row(number);
            let mut row = Row {
                number,
                is_apart: std::mem::take(&mut self.is_apart),
                cells: Vec::new(),
            };
            for &(column, text) in &shown {
                self.waiting += text.len();
                self.check()?;
                row.cells.push((column, text.to_owned()));
            }
            self.rows.push(row);
        }
        Ok(())
    }

    fn begin_row(&mut self, row: u32) {
        let next = self.last_row.replace(row).and_then(|last| last.checked_add(1));
        self.is_apart |= next != Some(row);
    }

    fn check(&self) -> Result<()> {
        let bytes = self.writer.source.len() + self.waiting;
        if bytes as u64 > self.max_bytes {
            return Err(Error::too_large(self.name, self.max_bytes));
        }
        Ok(())
    }

    /// Writes the rows of a sheet.
    fn write_rows(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        self.waiting = 0;
        let (mut written, mut end) = (0, 0);
        for part in rows.chunk_by(|_, next| !next.is_apart) {
            let begin = end;
            end += part.len();
            let tables = tables_beside(part);
            if tables.len() > 1 {
                self.write_tables(&rows[written..begin])?;
                for columns in &tables {
                    self.write_tables(&within(part, columns))?;
                }
                written = end;
            }
        }
        self.write_tables(&rows[written..])
    }

    /// Writes rows with tables one below the other.
    fn write_tables(&mut self, rows: &[Row]) -> Result<()> {
        let is_table_row = |row: &Row| row.cells.len() > 1;
        // A table that may go on below an empty row, and below rows that may name what follows.
        let mut open = OpenTable::default();
        let (mut from, mut end) = (0, 0);
        for part in rows.chunk_by(|_, next| !next.is_apart) {
            end += part.len();
            if open.may_be_named_by(part) {
                continue;
            }
            let begin = end - part.len();
            let first = part.iter().position(is_table_row).map_or(end, |at| begin + at);
            // What stands alone below its first column is a note, elsewhere a value.
            let cells = rows[first..end]
                .iter()
                .filter(|row| is_table_row(row))
                .flat_map(|row| &row.cells);
            let left = cells.map(|&(column, _)| column).min();
            let is_row =
                |row: &Row| is_table_row(row) || row.cells.iter().any(|&(column, _)| Some(column) > left);
            let last = rows[first..end]
                .iter()
                .rposition(is_row)
                .map_or(end, |at| first + at + 1);
            if let Some(row) = rows[first..last].first()
                && open.goes_on(row)
            {
                open.add(rows, from..last);
            } else {
                self.table(&rows[std::mem::take(&mut open).rows])?;
                for row in &rows[from..first] {
                    self.paragraphs(row)?;
                }
                open.add(rows, first..last);
            }
            if last < end {
                self.table(&rows[std::mem::take(&mut open).rows])?;
            }
            for row in &rows[last..end] {
                self.paragraphs(row)?;
            }
            from = end;
        }
        self.table(&rows[open.rows])?;
        rows[from..].iter().try_for_each(|row| self.paragraphs(row))
    }

    fn paragraphs(&mut self, row: &Row) -> Result<()> {
        for (column, text) in &row.cells {
            self.paragraph(BlockKind::Paragraph, text);
            self.place(row.number, *column, text);
        }
        self.check()
    }

    fn paragraph(&mut self, kind: BlockKind, text: &str) {
        self.writer.begin_section();
        let start = self.writer.source.len();
        self.writer.source.push_str(text);
        self.writer.block(start, kind);
    }

    fn table(&mut self, rows: &[Row]) -> Result<()> {
        let mut columns: Vec<u32> = rows
            .iter()
            .flat_map(|row| &row.cells)
            .map(|&(column, _)| column)
            .collect();
        columns.sort_unstable();
        columns.dedup();
        if !rows.is_empty() {
            self.writer.begin_section();
        }
        for (i, row) in rows.iter().enumerate() {
            if i > 0 {
                self.writer.source.push('\n');
            }
            let mut written = 0;
            for (column, text) in &row.cells {
                // What is empty in all rows is there for the eye.
                let at = columns.partition_point(|other| other < column);
                for _ in written..at {
                    self.writer.source.push('\t');
                }
                written = at;
                let start = self.writer.source.len();
                self.writer.source.push_str(text);
                self.writer.block(start, BlockKind::TableCell);
                self.place(row.number, *column, text);
            }
            self.check()?;
        }
        Ok(())
    }

    /// Notes which cell the text that was written last stands in.
    fn place(&mut self, row: u32, column: u32, text: &str) {
        self.places.cells.push(Place {
            source: self.writer.source.len() - text.len(),
            sheet: self.places.sheets.len() - 1,
            row,
            column,
        });
    }

    /// The document.
    ///
    /// # Errors
    /// When there is no text, or too much.
    pub(super) fn document(mut self) -> Result<Document> {
        self.end_sheet()?;
        let name = self.name.to_owned();
        if self.places.cells.is_empty() {
            return Err(Error::EmptyDocument { name });
        }
        let mut document = self.writer.document(name)?;
        document.places = self.places;
        document.left_out = self.left_out;
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add<'a>(
        sheets: &mut Sheets<'_>,
        row: u32,
        cells: impl IntoIterator<Item = (u32, &'a str)>,
    ) -> Result<()> {
        let cells = cells
            .into_iter()
            .map(|(column, text)| (column..column + 1, text.to_owned()));
        sheets.add_rows(row..row + 1, false, &cells.collect::<Vec<_>>())
    }

    fn sheets(cells: &[(u32, u32, &str)]) -> Document {
        let mut sheets = Sheets::new("t", 10_000);
        sheets.begin_sheet("Q3 '24").unwrap();
        for row in cells.chunk_by(|a, b| a.0 == b.0) {
            add(
                &mut sheets,
                row[0].0,
                row.iter().map(|&(_, column, text)| (column, text)),
            )
            .unwrap();
        }
        sheets.document().unwrap()
    }

    fn cells(document: &Document, words: &str) -> Option<String> {
        let at = document.source().find(words).unwrap();
        document.cells(&(at..at + words.len()))
    }

    #[test]
    fn rows_of_one_cell_around_a_table_are_paragraphs() {
        let document = sheets(&[
            (0, 1, "Accounts"),
            (1, 1, "in euro"),
            (2, 1, "Item"),
            (2, 3, "Budget"),
            (3, 1, "Dredging"),
            (3, 3, "400"),
            (4, 3, "85"),
            (5, 1, "Lights"),
            (5, 3, "2"),
            (6, 1, "unaudited"),
            (8, 1, "a"),
            (8, 2, "b"),
        ]);
        assert_eq!(
            document.source(),
            "Q3 '24\n\nAccounts\n\nin euro\n\nItem\tBudget\nDredging\t400\n\t85\nLights\t2\n\nunaudited\n\na\tb"
        );
        assert_eq!(document.blocks()[0].kind, BlockKind::Heading);
        let kinds = document.blocks().iter().map(|block| block.kind);
        assert_eq!(kinds.filter(|&kind| kind == BlockKind::TableCell).count(), 9);
        let at = document.text().find("85").unwrap();
        assert_eq!(document.shown_row(&(at..at + 2)).unwrap(), ["Budget: 85"]);
        assert_eq!(cells(&document, "85").as_deref(), Some("'Q3 ''24'!D5"));
        assert_eq!(cells(&document, "unaud").as_deref(), Some("'Q3 ''24'!B7"));
        assert_eq!(
            cells(&document, "Dredging\t400").as_deref(),
            Some("'Q3 ''24'!B4:D4")
        );
        assert_eq!(cells(&document, "Q3"), None);
    }

    #[test]
    fn a_hidden_row_does_not_end_a_table() {
        let mut sheets = Sheets::new("t", 10_000);
        sheets.begin_sheet("Costs").unwrap();
        for row in 0..6 {
            match row {
                2 | 3 => sheets
                    .add_rows(row..row + 1, true, &[(0..1, "hidden".to_owned())])
                    .unwrap(),
                _ => add(
                    &mut sheets,
                    row,
                    [(0, &*format!("{row}0")), (1, &*format!("{row}1"))],
                )
                .unwrap(),
            }
        }
        let document = sheets.document().unwrap();
        assert_eq!(document.source(), "Costs\n\n00\t01\n10\t11\n40\t41\n50\t51");
        assert_eq!(document.left_out(), [("hidden row", 2)]);
        assert_eq!(cells(&document, "41").as_deref(), Some("Costs!B5"));
    }

    #[test]
    fn a_table_goes_on_below_an_empty_row_where_no_headings_follow() {
        let document = sheets(&[
            (0, 0, "Item"),
            (0, 1, "Budget"),
            (1, 0, "Dredging"),
            (1, 1, "400"),
            (3, 0, "Repairs"),
            (4, 0, "Lights"),
            (4, 1, "85"),
            (6, 0, "Name"),
            (6, 1, "Role"),
            (7, 0, "Bell"),
            (7, 1, "chair"),
            (9, 3, "Tide"),
            (9, 4, "2.1"),
        ]);
        assert_eq!(
            document.source(),
            "Q3 '24\n\nItem\tBudget\nDredging\t400\nRepairs\nLights\t85\n\nName\tRole\nBell\tchair\n\nTide\t2.1"
        );
    }

    #[test]
    fn what_names_a_part_of_a_table_does_not_end_it() {
        let rows = [
            (0, 1, "Name"),
            (0, 2, "Ends"),
            (2, 0, "2011"),
            (4, 0, "2012"),
            (6, 0, "A"),
            (6, 1, "Ost"),
            (6, 2, "2012-05-04"),
        ];
        let source = |rows: &[(u32, u32, &str)]| sheets(rows).source().to_owned();
        assert_eq!(
            source(&rows),
            "Q3 '24\n\n\tName\tEnds\n2011\n2012\nA\tOst\t2012-05-04"
        );
        assert_eq!(source(&rows[..4]), "Q3 '24\n\nName\tEnds\n\n2011\n\n2012");
        let mut note = rows;
        note[3] = (4, 0, "It was late.");
        assert_eq!(
            source(&note),
            "Q3 '24\n\nName\tEnds\n\n2011\n\nIt was late.\n\nA\tOst\t2012-05-04"
        );
    }

    #[test]
    fn tables_side_by_side_follow_each_other() {
        let cities = [
            (0, 0, "Big"),
            (0, 3, "Small"),
            (1, 0, "City"),
            (1, 1, "People"),
            (1, 3, "City"),
            (1, 4, "People"),
            (2, 0, "Delhi"),
            (2, 1, "16,788,000"),
            (2, 3, "Auckland"),
            (2, 4, "1,454,000"),
        ];
        let document = sheets(&cities);
        assert_eq!(
            document.source(),
            "Q3 '24\n\nBig\n\nCity\tPeople\nDelhi\t16,788,000\n\nSmall\n\nCity\tPeople\nAuckland\t1,454,000"
        );
        assert_eq!(cells(&document, "1,454,000").as_deref(), Some("'Q3 ''24'!E3"));
        // A row of its own tells as much; an empty column within a table does not.
        let budget = [
            (0, 0, "Item"),
            (0, 1, "Sum"),
            (1, 0, "Rent"),
            (1, 1, "5"),
            (1, 3, "SUM"),
            (2, 3, "In"),
            (2, 4, "Out"),
            (3, 3, "7"),
            (3, 4, "5"),
        ];
        assert_eq!(
            sheets(&budget).source(),
            "Q3 '24\n\nItem\tSum\nRent\t5\n\nSUM\n\nIn\tOut\n7\t5"
        );
        let periods = [
            (0, 0, "Zone"),
            (0, 1, "Cost"),
            (0, 2, "Loss"),
            (0, 4, "Cost"),
            (0, 5, "Loss"),
            (1, 0, "NA"),
            (1, 1, "—"),
            (1, 2, "(9)"),
            (1, 4, "—"),
            (1, 5, "(8)"),
        ];
        assert_eq!(
            sheets(&periods).source(),
            "Q3 '24\n\nZone\tCost\tLoss\tCost\tLoss\nNA\t—\t(9)\t—\t(8)"
        );
        let spaced = [
            (0, 0, "Item"),
            (0, 1, "No."),
            (0, 3, "Owner"),
            (0, 4, "Note"),
            (1, 0, "Rent"),
            (1, 1, "5"),
            (1, 3, "Ann"),
            (1, 4, "late"),
        ];
        assert_eq!(
            sheets(&spaced).source(),
            "Q3 '24\n\nItem\tNo.\tOwner\tNote\nRent\t5\tAnn\tlate"
        );
    }

    #[test]
    fn what_is_far_apart_stays_within_the_limit() {
        let mut sheets = Sheets::new("t", 100_000);
        sheets.begin_sheet("s").unwrap();
        let far = |sheets: &mut Sheets<'_>| -> Result<()> {
            for row in 0..2_000 {
                add(sheets, row, [(row, "x"), (2_000, "y")])?;
            }
            sheets.write_rows()
        };
        assert!(matches!(far(&mut sheets), Err(Error::DocumentTooLarge { .. })));
    }

    #[test]
    fn cells_have_names() {
        for (row, column, name) in [
            (0, 0, "A1"),
            (6, 25, "Z7"),
            (6, 26, "AA7"),
            (1_048_575, 16_383, "XFD1048576"),
        ] {
            assert_eq!(cell_name(row, column), name);
            assert_eq!(cell_named(name), Some((row, column)));
        }
        for none in ["", "7", "A", "A0", "B-1", "ZZZZZZZZ1", "é1"] {
            assert_eq!(cell_named(none), None, "{none}");
        }
    }
}
