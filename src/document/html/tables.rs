//! Where cells of tables stand, by rows, columns and what cells reach over.

use super::tag::StartTag;
use crate::document::CellMarkup;

/// More columns of a table are not counted.
pub(super) const MOST_COLUMNS: usize = 100;

/// The tables and cells that a place is in, outermost first.
#[derive(Default)]
pub(super) struct Tables {
    open: Vec<Table>,
    cells: Vec<Cell>,
}

/// A cell of a table.
pub(super) struct Cell {
    /// How many blocks stand before it.
    pub(super) first: usize,
    /// How many lists it stands in.
    pub(super) lists: u32,
    /// It begins with a table of its own.
    pub(super) begins_with_table: bool,
    pub(super) markup: CellMarkup,
}

#[derive(Default)]
struct Table {
    /// How many cells it stands in.
    outside: usize,
    /// The first column behind the last cell of the row, and the one that it begins in.
    column: usize,
    last: Option<usize>,
    /// Of each column, how many of the next rows a cell of a row above reaches over.
    taken: Vec<usize>,
    /// The place is in its head.
    is_head: bool,
}

impl Tables {
    /// The innermost cell.
    pub(super) fn cell(&self) -> Option<&Cell> {
        self.cells.last()
    }

    /// A table begins, behind so many blocks.
    pub(super) fn begin(&mut self, blocks: usize) {
        if let Some(cell) = self.cells.last_mut() {
            cell.begins_with_table |= cell.first == blocks;
        }
        self.open.push(Table {
            outside: self.cells.len(),
            ..Table::default()
        });
    }

    pub(super) fn end(&mut self) {
        self.open.pop();
    }

    /// A part of the table begins or ends: its head, its body.
    pub(super) fn set_head(&mut self, is_head: bool) {
        if let Some(table) = self.open.last_mut() {
            table.is_head = is_head;
        }
    }

    pub(super) fn next_row(&mut self) {
        if let Some(table) = self.open.last_mut() {
            table.next_row();
        }
    }

    /// A cell begins, behind so many blocks and in so many lists. Returns by how many columns it begins behind the last one.
    pub(super) fn begin_cell(&mut self, tag: &StartTag, blocks: usize, lists: u32) -> usize {
        let table = self.open.last_mut();
        let is_head = table.as_ref().is_some_and(|table| table.is_head);
        self.cells.push(Cell {
            first: blocks,
            lists,
            begins_with_table: false,
            markup: CellMarkup {
                is_header: is_head || tag.name == b"th",
                columns: tag.columns.clamp(1, MOST_COLUMNS) as u16,
                rows: u16::try_from(tag.rows).unwrap_or(u16::MAX).max(1),
            },
        });
        table.map_or(1, |table| table.next_cell(tag.columns, tag.rows))
    }

    /// Ends the innermost cell of the current table, if there is one.
    pub(super) fn end_cell(&mut self) -> Option<Cell> {
        let outside = self.open.last().map_or(0, |table| table.outside);
        (self.cells.len() > outside).then(|| self.cells.pop())?
    }
}

impl Table {
    fn next_row(&mut self) {
        for rows in self.taken.iter_mut().skip(self.column) {
            *rows = rows.saturating_sub(1);
        }
        self.column = 0;
        self.last = None;
    }

    /// By how many columns the next cell, which reaches over so many, begins behind the last one.
    fn next_cell(&mut self, columns: usize, rows: usize) -> usize {
        while let Some(above) = self.taken.get_mut(self.column).filter(|above| **above > 0) {
            *above -= 1;
            self.column += 1;
        }
        let steps = self.last.map_or(self.column + 1, |last| self.column - last);
        self.last = Some(self.column);
        let end = self
            .column
            .saturating_add(columns)
            .clamp(self.column + 1, MOST_COLUMNS.max(self.column + 1));
        // What is not counted reaches over nothing.
        let counted = end.min(MOST_COLUMNS);
        if self.taken.len() < counted {
            self.taken.resize(counted, 0);
        }
        if self.column < counted {
            self.taken[self.column..counted].fill(rows.saturating_sub(1));
        }
        self.column = end;
        steps
    }
}
