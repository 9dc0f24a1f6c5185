//! Text taken out of a format that is not text: what the document's source is then.
//!
//! A reader of a format opens and closes blocks, tables and asides as its elements come. Nothing is nested in the result:
//! text boxes follow the block that they are anchored in, tables in a cell follow the table around it, notes come at the end.

use std::collections::HashSet;

use super::setting::names_page;
use super::{Block, BlockKind, Builder, CellMarkup, Document, Layout, clean, leave_out};
use crate::error::Result;

/// A line break in a cell: `clean` reads it as a line feed, and the cells of a row stay on one line.
pub(super) const BREAK_IN_CELL: &str = "\u{2028}";

/// How text is set, where that changes what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) is_raised: bool,
    pub(super) is_struck: bool,
}

/// Stands around struck text, as Markdown has it: it must not be quoted as if it held.
pub(crate) const STRUCK: &str = "~~";

/// A paragraph, heading or item.
#[derive(Debug, Default)]
pub(super) struct Paragraph {
    kind: Option<BlockKind>,
    /// Which list an item belongs to.
    list: u32,
    /// What stands before an item: `(b)`.
    mark: String,
    text: String,
    /// Where pages begin in the text, with their numbers.
    pages: Vec<(usize, usize)>,
    /// Where the last struck text ends.
    struck: usize,
    /// It stands beside the text.
    is_beside: bool,
}

impl Paragraph {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds text. Line ends and tabs are spaces to XML.
    pub(super) fn push(&mut self, text: &str) {
        if text.contains(char::is_control) {
            let spaced = text.chars().filter_map(|c| match c {
                '\t' | '\n' | '\r' | '\u{85}' => Some(' '),
                c => (!c.is_control()).then_some(c),
            });
            self.text.extend(spaced);
        } else {
            self.text.push_str(text);
        }
    }

    /// Adds what is set in some way. Numbers stay superscripts.
    pub(super) fn push_set(&mut self, text: &str, setting: Setting) {
        let raised = setting.is_raised.then(|| clean::raised(text)).flatten();
        let text = raised.as_deref().unwrap_or(text);
        if !setting.is_struck || text.trim().is_empty() {
            return self.push(text);
        }
        // What is struck in several runs is struck together.
        if self.struck > 0 && self.struck == self.text.len() {
            self.text.truncate(self.struck - STRUCK.len());
        } else {
            self.push(STRUCK);
        }
        self.push(text);
        self.push(STRUCK);
        self.struck = self.text.len();
    }
}

/// What the text consists of.
#[derive(Debug)]
pub(super) enum Piece {
    Paragraph(Paragraph),
    Table(Vec<Row>),
}

type Row = Vec<Cell>;

/// A cell of a table.
#[derive(Debug, Default)]
pub(super) struct Cell {
    paragraphs: Vec<Paragraph>,
    markup: CellMarkup,
    /// How many rows above it the cell begins that it is a part of.
    above: u16,
}

/// What has been opened; each collects what is to follow it.
#[derive(Debug)]
enum Open {
    Paragraph(Paragraph, Vec<Piece>),
    Table(Vec<Row>, Vec<Piece>),
    Row(OpenRow, Vec<Piece>),
    Cell(Cell, Vec<Piece>),
    /// A text box, or a note if it goes to the end.
    Aside(Vec<Piece>, bool),
}

#[derive(Debug, Default)]
struct OpenRow {
    cells: Row,
    /// Its cells head those below.
    is_header: bool,
    /// The page that its cells begin on.
    first_page: usize,
    /// The last that one of them ends on.
    last_page: usize,
    /// How much text stood before it.
    written: usize,
    /// How many columns of the open cell have no cell of their own.
    fill: u16,
}

/// Makes cells above reach over those of a row that are a part of them.
fn reach_down(rows: &mut [Row], cells: &mut [Cell]) {
    for (column, cell) in cells.iter_mut().enumerate().filter(|(_, cell)| cell.above > 0) {
        let over = rows.last().and_then(|row| row.get(column));
        cell.above = over.map_or(0, |over| over.above.saturating_add(1));
        let begins = rows.len().checked_sub(cell.above.into());
        if let Some(first) = begins.and_then(|row| rows.get_mut(row)?.get_mut(column)) {
            first.markup.rows = cell.above.saturating_add(1);
        }
    }
}

/// More columns under one cell are none.
const WIDEST_CELL: u32 = 64;

/// A document has no more empty cells than this that it only speaks of: each takes memory, and a few bytes tell of 64.
const MOST_FILLED: u32 = 1 << 20;

/// Collects the text of a document.
#[derive(Debug, Default)]
pub(super) struct Extracted {
    open: Vec<Open>,
    pieces: Vec<Piece>,
    notes: Vec<Piece>,
    /// A paragraph that goes on in the next one, and how much was open around it.
    unfinished: Option<(Paragraph, usize)>,
    /// The number of the current page; 0 in a document without pages.
    page: usize,
    /// Bytes of text so far.
    written: usize,
    /// Cells so far that have no element of their own.
    filled: u32,
    left_out: Vec<(&'static str, usize)>,
    /// What was left out last, and how much text stood before it.
    last_left_out: Option<(&'static str, usize)>,
}

impl Extracted {
    /// With pages, the first of which begins here.
    pub(super) fn with_pages() -> Self {
        Self {
            page: 1,
            ..Self::default()
        }
    }

    pub(super) fn open_paragraph(&mut self) {
        let depth = self.open.len();
        let unfinished = self.unfinished.take_if(|&mut (_, around)| around == depth);
        let paragraph = unfinished.map_or_else(Paragraph::default, |(paragraph, _)| paragraph);
        self.open.push(Open::Paragraph(paragraph, Vec::new()));
    }

    /// Closes a paragraph that goes on in the next one, which says what both are.
    pub(super) fn close_unfinished(&mut self) {
        if let Some(Open::Paragraph(paragraph, behind)) = self.open.pop() {
            self.add_behind(behind);
            let unfinished = self.unfinished.replace((paragraph, self.open.len()));
            unfinished
                .into_iter()
                .for_each(|(paragraph, _)| self.add(Piece::Paragraph(paragraph)));
        }
    }

    pub(super) fn open_table(&mut self) {
        self.finish_paragraph();
        self.open.push(Open::Table(Vec::new(), Vec::new()));
    }

    pub(super) fn open_row(&mut self) {
        let row = OpenRow {
            cells: Row::new(),
            is_header: false,
            first_page: self.page,
            last_page: self.page,
            written: self.written,
            fill: 0,
        };
        self.open.push(Open::Row(row, Vec::new()));
    }

    /// Says that the cells of the open row head those below.
    pub(super) fn head_row(&mut self) {
        if let Some(Open::Row(row, _)) = self.open.last_mut() {
            row.is_header = true;
        }
    }

    pub(super) fn open_cell(&mut self) {
        if let Some(Open::Row(row, _)) = self.open.last() {
            self.page = row.first_page;
        }
        self.open.push(Open::Cell(Cell::default(), Vec::new()));
    }

    /// Says how many columns and rows the open cell reaches over.
    pub(super) fn span_cell(&mut self, columns: u32, rows: u32) {
        if let Some(Open::Cell(cell, _)) = self.open.last_mut() {
            cell.markup.columns = columns.clamp(1, WIDEST_CELL) as u16;
            cell.markup.rows = u16::try_from(rows).unwrap_or(u16::MAX).max(1);
        }
    }

    /// Says how many columns the open cell reaches over, the others of which have no cell of their own.
    pub(super) fn fill_cell(&mut self, columns: u32) {
        self.span_cell(columns, 1);
        if let [.., Open::Row(row, _), Open::Cell(cell, _)] = &mut self.open[..] {
            row.fill =
                (cell.markup.columns - 1).min((MOST_FILLED - self.filled).try_into().unwrap_or(u16::MAX));
            self.filled += u32::from(row.fill);
        }
    }

    /// Says that the open cell is a part of the one above it.
    pub(super) fn go_on_in_cell(&mut self) {
        if let Some(Open::Cell(cell, _)) = self.open.last_mut() {
            cell.above = 1;
        }
    }

    /// Opens what an element of a table in Office Open XML stands for: `tbl`, `tr` or `tc`.
    pub(super) fn open_table_element(&mut self, name: &str) {
        match name {
            "tbl" => self.open_table(),
            "tr" => self.open_row(),
            _ => self.open_cell(),
        }
    }

    /// What is written next follows the block that is open.
    pub(super) fn open_aside(&mut self) {
        self.open.push(Open::Aside(Vec::new(), false));
    }

    /// What is written next follows all others.
    pub(super) fn open_note(&mut self) {
        self.open.push(Open::Aside(Vec::new(), true));
    }

    /// Adds, behind all else, the paragraphs of what stands beside the text, but for numbers of pages and what was seen.
    pub(super) fn add_beside(&mut self, beside: Self, seen: &mut HashSet<String>) {
        for piece in beside.pieces {
            let paragraphs = match piece {
                Piece::Paragraph(paragraph) => vec![paragraph],
                Piece::Table(rows) => rows
                    .into_iter()
                    .flatten()
                    .flat_map(|cell| cell.paragraphs)
                    .collect(),
            };
            for mut paragraph in paragraphs {
                let words = paragraph.text.trim();
                let has_letters = words.contains(char::is_alphabetic);
                if has_letters && !names_page(words) && seen.insert(words.to_owned()) {
                    paragraph.is_beside = true;
                    self.notes.push(Piece::Paragraph(paragraph));
                }
            }
        }
    }

    /// Leaves columns of the open row empty before its first cell.
    pub(super) fn skip_cells(&mut self, columns: u32) {
        if let Some(Open::Row(row, _)) = self.open.last_mut() {
            let columns = columns.min(WIDEST_CELL).min(MOST_FILLED - self.filled);
            row.cells.extend((0..columns).map(|_| Cell::default()));
            self.filled += columns;
        }
    }

    /// Closes what was opened last.
    pub(super) fn close(&mut self) {
        self.finish_paragraph();
        match self.open.pop() {
            None => {}
            Some(Open::Paragraph(paragraph, behind)) => {
                self.add(Piece::Paragraph(paragraph));
                self.add_behind(behind);
            }
            Some(Open::Table(rows, behind)) => {
                // Without words it would take memory for nothing. Within a cell it follows the table around it.
                if rows.is_empty() {
                    return self.add_behind(behind);
                }
                if let Some(Open::Cell(_, after)) = self.open.last_mut() {
                    after.push(Piece::Table(rows));
                    after.extend(behind);
                } else {
                    self.add(Piece::Table(rows));
                    self.add_behind(behind);
                }
            }
            Some(Open::Row(row, behind)) => {
                self.page = row.last_page;
                let mut cells = row.cells;
                for cell in &mut cells {
                    cell.markup.is_header = row.is_header;
                }
                match self.open.last_mut() {
                    _ if cells.iter().all(|cell| cell.paragraphs.is_empty()) => {}
                    Some(Open::Table(rows, _)) => {
                        reach_down(rows, &mut cells);
                        rows.push(cells);
                    }
                    _ => self.add(Piece::Table(vec![cells])),
                }
                self.add_behind(behind);
            }
            Some(Open::Cell(mut cell, behind)) => {
                cell.paragraphs.shrink_to_fit(); // Mostly a single one.
                match self.open.last_mut() {
                    Some(Open::Row(row, _)) => {
                        row.last_page = row.last_page.max(self.page);
                        row.cells.push(cell);
                        let fill = std::mem::take(&mut row.fill);
                        row.cells.extend((0..fill).map(|_| Cell::default()));
                    }
                    _ => {
                        let paragraphs = cell.paragraphs.into_iter();
                        paragraphs.for_each(|p| self.add(Piece::Paragraph(p)));
                    }
                }
                self.add_behind(behind);
            }
            Some(Open::Aside(pieces, true)) => self.notes.extend(pieces),
            Some(Open::Aside(pieces, false)) => self.add_behind(pieces),
        }
    }

    /// Adds what is unfinished and did not go on where it stands.
    fn finish_paragraph(&mut self) {
        let depth = self.open.len();
        if let Some((paragraph, _)) = self.unfinished.take_if(|&mut (_, around)| around == depth) {
            self.add(Piece::Paragraph(paragraph));
        }
    }

    /// Adds a piece to what is open, if there are words in it.
    fn add(&mut self, piece: Piece) {
        if matches!(&piece, Piece::Paragraph(paragraph) if paragraph.text.trim().is_empty()) {
            return;
        }
        match (self.open.last_mut(), piece) {
            (None, piece) => self.pieces.push(piece),
            (Some(Open::Aside(pieces, _)), piece) => pieces.push(piece),
            (Some(Open::Cell(cell, _)), Piece::Paragraph(paragraph)) => cell.paragraphs.push(paragraph),
            (
                Some(
                    Open::Paragraph(_, behind)
                    | Open::Table(_, behind)
                    | Open::Row(_, behind)
                    | Open::Cell(_, behind),
                ),
                piece,
            ) => behind.push(piece),
        }
    }

    /// Adds what follows a thing that was closed.
    fn add_behind(&mut self, pieces: Vec<Piece>) {
        match self.open.last_mut() {
            None => self.pieces.extend(pieces),
            Some(
                Open::Paragraph(_, behind)
                | Open::Table(_, behind)
                | Open::Row(_, behind)
                | Open::Cell(_, behind)
                | Open::Aside(behind, _),
            ) => behind.extend(pieces),
        }
    }

    fn paragraph(&mut self) -> Option<&mut Paragraph> {
        match self.open.last_mut() {
            Some(Open::Paragraph(paragraph, _)) => Some(paragraph),
            _ => None,
        }
    }

    /// Says what the open paragraph is, and which list it belongs to.
    pub(super) fn set_kind(&mut self, kind: BlockKind, list: u32) {
        if let Some(paragraph) = self.paragraph() {
            paragraph.kind = Some(kind);
            paragraph.list = list;
        }
    }

    /// Says what stands before the text of the open paragraph, if it has any.
    pub(super) fn set_mark(&mut self, mark: String) {
        if let Some(paragraph) = self.paragraph() {
            paragraph.mark = mark;
        }
    }

    /// Adds to the open paragraph. Line ends and tabs are spaces to XML.
    pub(super) fn text(&mut self, text: &str) {
        self.write(|paragraph| paragraph.push(text));
    }

    /// Adds to the open paragraph what is set in some way. Numbers stay superscripts.
    pub(super) fn set_text(&mut self, text: &str, setting: Setting) {
        self.write(|paragraph| paragraph.push_set(text, setting));
    }

    fn write(&mut self, write: impl FnOnce(&mut Paragraph)) {
        let page = self.page;
        let Some(paragraph) = self.paragraph() else {
            return;
        };
        if page > 0 && paragraph.pages.last().is_none_or(|&(_, last)| last != page) {
            paragraph.pages.push((paragraph.text.len(), page));
        }
        let before = paragraph.text.len();
        write(paragraph);
        self.written += paragraph.text.len() - before;
    }

    /// Adds text in which a run of white space is a space, and none at the beginning of a line.
    pub(super) fn collapsed_text(&mut self, text: &str) {
        let Some(paragraph) = self.paragraph() else {
            return;
        };
        let mut is_space = paragraph.text.is_empty() || paragraph.text.ends_with([' ', '\n', '\t']);
        let mut collapsed = String::with_capacity(text.len());
        for c in text.chars() {
            let was_space = std::mem::replace(&mut is_space, matches!(c, ' ' | '\t' | '\n' | '\r'));
            match is_space {
                true if was_space => {}
                true => collapsed.push(' '),
                false => collapsed.push(c),
            }
        }
        self.text(&collapsed);
    }

    pub(super) fn tab(&mut self) {
        if let Some(paragraph) = self.paragraph() {
            paragraph.text.push('\t');
        }
    }

    /// Breaks the line. Behind an empty line another paragraph begins.
    pub(super) fn line_break(&mut self) {
        let Some(paragraph) = self.paragraph() else {
            return;
        };
        if paragraph.text.trim_end_matches([' ', '\t']).ends_with('\n') {
            self.split_paragraph();
        } else {
            paragraph.text.push('\n');
        }
    }

    /// Goes on with another paragraph of the same kind.
    pub(super) fn split_paragraph(&mut self) {
        let Some(Open::Paragraph(paragraph, behind)) = self.open.pop() else {
            return;
        };
        let rest = Paragraph {
            kind: paragraph.kind,
            list: paragraph.list,
            ..Paragraph::default()
        };
        self.add(Piece::Paragraph(paragraph));
        self.add_behind(behind);
        self.open.push(Open::Paragraph(rest, Vec::new()));
    }

    /// Begins a page, if the document has any. Where nothing of a row has been written, all of the row is on it; where something
    /// has, only the rest of a cell is.
    pub(super) fn next_page(&mut self) {
        if self.page == 0 {
            return;
        }
        self.page += 1;
        let (page, written) = (self.page, self.written);
        let row = self.open.iter_mut().rev().find_map(|open| match open {
            Open::Row(row, _) => Some(row),
            _ => None,
        });
        if let Some(row) = row.filter(|row| row.written == written) {
            row.first_page = page;
            row.last_page = page;
        }
    }

    /// Takes back what was said of pages.
    pub(super) fn forget_pages(&mut self) {
        self.page = 0;
    }

    /// The number of the current page, 0 if there are no pages.
    pub(super) fn page(&self) -> usize {
        self.page
    }

    /// Bytes of text so far.
    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// Counts something that was not read.
    pub(super) fn leave_out(&mut self, what: &'static str) {
        leave_out(&mut self.left_out, what, 1);
    }

    /// Counts a passage that was not read; what follows it without text between is the same one.
    pub(super) fn leave_out_passage(&mut self, what: &'static str) {
        let here = Some((what, self.written));
        if self.last_left_out != here {
            self.leave_out(what);
        }
        self.last_left_out = here;
    }

    /// How many pieces there are.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Puts the headings among the pieces from `from` on first.
    pub(super) fn put_headings_first(&mut self, from: usize) {
        let is_heading =
            |piece: &Piece| matches!(piece, Piece::Paragraph(p) if p.kind == Some(BlockKind::Heading));
        self.pieces[from..].sort_by_key(|piece| !is_heading(piece));
    }

    /// Takes the pieces from `from` on out of the text.
    pub(super) fn take(&mut self, from: usize) -> Vec<Piece> {
        self.pieces.split_off(from)
    }

    /// Adds a note that is referred to on a page.
    pub(super) fn add_note(&mut self, pieces: Vec<Piece>, page: usize) {
        let set_page = |paragraph: &mut Paragraph| {
            paragraph.pages = if page > 0 { vec![(0, page)] } else { Vec::new() };
        };
        for mut piece in pieces {
            match &mut piece {
                Piece::Paragraph(paragraph) => set_page(paragraph),
                Piece::Table(rows) => {
                    let cells = rows.iter_mut().flatten();
                    cells.flat_map(|cell| &mut cell.paragraphs).for_each(set_page);
                }
            }
            self.notes.push(piece);
        }
    }

    /// The document.
    ///
    /// # Errors
    /// When there is no text.
    pub(super) fn document(mut self, name: String) -> Result<Document> {
        while !self.open.is_empty() {
            self.close();
        }
        self.finish_paragraph();
        let mut writer = Writer::default();
        for piece in self.pieces.into_iter().chain(self.notes) {
            writer.piece(piece);
        }
        if self.page == 0 {
            writer.pages.clear();
        }
        let mut document = writer.document(name)?;
        document.left_out = self.left_out;
        Ok(document)
    }
}

/// Writes the source.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) source: String,
    /// Blocks with their spans of the source.
    blocks: Vec<Block>,
    /// Where pages begin in the source, with their numbers.
    pages: Vec<(usize, usize)>,
    section: u32,
    /// The list that was written last.
    list: Option<u32>,
}

impl Writer {
    fn piece(&mut self, piece: Piece) {
        match piece {
            Piece::Paragraph(paragraph) => self.paragraph(&paragraph),
            Piece::Table(rows) => {
                let has_text = |cell: &&Cell| !cell.paragraphs.is_empty();
                let has_one = |row: &Row| row.iter().filter(has_text).count() < 2;
                // What has one column is there for its frame.
                if rows.iter().all(has_one) {
                    let paragraphs = rows.iter().flatten().flat_map(|cell| &cell.paragraphs);
                    paragraphs.for_each(|p| self.paragraph(p));
                } else {
                    self.table(&rows);
                }
            }
        }
    }

    fn paragraph(&mut self, paragraph: &Paragraph) {
        let kind = paragraph.kind.unwrap_or(BlockKind::Paragraph);
        let list = (kind == BlockKind::ListItem).then_some(paragraph.list);
        if list.is_some() && list == self.list {
            self.source.push('\n');
        } else {
            self.begin_section();
        }
        self.list = list;
        let start = self.source.len();
        self.words(paragraph, "\n");
        if let Some(block) = self.block(start, kind) {
            block.is_beside = paragraph.is_beside;
        }
    }

    fn table(&mut self, rows: &[Row]) {
        self.begin_section();
        self.list = None;
        for (i, row) in rows.iter().enumerate() {
            if i > 0 {
                self.source.push('\n');
            }
            for (i, cell) in row.iter().enumerate() {
                if i > 0 {
                    self.source.push('\t');
                }
                let start = self.source.len();
                for paragraph in &cell.paragraphs {
                    if self.source.len() > start {
                        self.source.push_str(BREAK_IN_CELL);
                    }
                    self.words(paragraph, BREAK_IN_CELL);
                }
                if let Some(block) = self.block(start, BlockKind::TableCell) {
                    block.cell = cell.markup;
                }
            }
        }
    }

    /// Leaves an empty line behind what has been written.
    pub(super) fn begin_section(&mut self) {
        if !self.blocks.is_empty() {
            self.source.push_str("\n\n");
            self.section += 1;
        }
    }

    /// Writes the words of a paragraph, without the white space around them.
    fn words(&mut self, paragraph: &Paragraph, line_break: &str) {
        let text = paragraph.text.trim_end();
        let lead = text.len() - text.trim_start().len();
        let mut pages = paragraph.pages.iter().peekable();
        let mut at = lead;
        if !paragraph.mark.is_empty() {
            let first = pages.next_if(|&&(from, _)| from <= at);
            first.into_iter().for_each(|&(_, page)| self.begin_page(page));
            self.source.push_str(paragraph.mark.trim());
            self.source.push(' ');
        }
        loop {
            while let Some(&(_, page)) = pages.next_if(|&&(from, _)| from <= at) {
                self.begin_page(page);
            }
            let next = pages
                .peek()
                .map_or(text.len(), |&&(from, _)| from.min(text.len()));
            if next <= at {
                break;
            }
            match line_break {
                "\n" => self.source.push_str(&text[at..next]),
                _ => self.source.push_str(&text[at..next].replace('\n', line_break)),
            }
            at = next;
        }
    }

    fn begin_page(&mut self, page: usize) {
        let here = self.source.len();
        if self.pages.last().is_some_and(|&(from, _)| from == here) {
            self.pages.pop();
        }
        if self.pages.last().is_none_or(|&(_, last)| last != page) {
            self.pages.push((here, page));
        }
    }

    /// Makes a block of what has been written from `start` on, if that is anything.
    pub(super) fn block(&mut self, start: usize, kind: BlockKind) -> Option<&mut Block> {
        let span = start..self.source.len();
        if span.is_empty() {
            return None;
        }
        self.blocks.push(Block::new(span, kind, self.section));
        self.blocks.last_mut()
    }

    /// The document.
    ///
    /// # Errors
    /// When there is no text.
    pub(super) fn document(self, name: String) -> Result<Document> {
        let layout = self.layout();
        let mut document = Document::of_layout(name, self.source, layout)?;
        document.pages = Some(self.pages);
        Ok(document)
    }

    /// The clean text of the source.
    fn layout(&self) -> Layout {
        let mut builder = Builder::new(&self.source);
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            builder.copy(builder.taken..block.span.start);
            let start = builder.text.len();
            builder.copy(block.span.clone());
            let words = &builder.text[start..];
            let start = start + words.len() - words.trim_start().len();
            let span = start..start + words.trim().len();
            if !span.is_empty() {
                blocks.push(Block { span, ..*block });
            }
        }
        Layout {
            text: builder.text,
            map: builder.map,
            blocks,
            has_columns: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraph(extracted: &mut Extracted, kind: BlockKind, text: &str) {
        extracted.open_paragraph();
        extracted.set_kind(kind, 1);
        extracted.text(text);
        extracted.close();
    }

    fn cell(extracted: &mut Extracted, text: &str) {
        extracted.open_cell();
        paragraph(extracted, BlockKind::Paragraph, text);
        extracted.close();
    }

    #[test]
    fn blocks_are_lines_and_sections_are_apart() {
        let mut extracted = Extracted::default();
        paragraph(&mut extracted, BlockKind::Heading, " Head ");
        paragraph(&mut extracted, BlockKind::Paragraph, "\u{ad}");
        paragraph(&mut extracted, BlockKind::ListItem, "• one\u{a0}half");
        paragraph(&mut extracted, BlockKind::ListItem, "• two");
        extracted.open_table();
        extracted.open_row();
        cell(&mut extracted, "Item");
        cell(&mut extracted, "Cost");
        extracted.close();
        extracted.open_row();
        extracted.open_cell();
        paragraph(&mut extracted, BlockKind::Paragraph, "Sand");
        extracted.open_table();
        extracted.open_row();
        cell(&mut extracted, "inner");
        cell(&mut extracted, "table");
        extracted.close();
        extracted.close();
        paragraph(&mut extracted, BlockKind::Paragraph, "washed");
        extracted.close();
        cell(&mut extracted, "400");
        extracted.close();
        extracted.close();
        let document = extracted.document("t".into()).unwrap();
        assert_eq!(
            document.source(),
            "Head\n\n\u{ad}\n\n• one\u{a0}half\n• two\n\nItem\tCost\nSand\u{2028}washed\t400\n\ninner\ttable"
        );
        let seen: Vec<_> = document
            .blocks()
            .iter()
            .map(|b| (&document.text()[b.span.clone()], b.section))
            .collect();
        assert_eq!(
            seen,
            [
                ("Head", 0),
                ("• one half", 2),
                ("• two", 2),
                ("Item", 3),
                ("Cost", 3),
                ("Sand\nwashed", 3),
                ("400", 3),
                ("inner", 4),
                ("table", 4)
            ]
        );
        let at = document.text().find("400").unwrap();
        let row = document.shown_row(&(at..at + 3)).unwrap();
        assert_eq!(row, ["Item: Sand\nwashed", "Cost: 400"]);
    }

    #[test]
    fn pages_begin_in_the_middle_of_sentences_and_cells() {
        let mut extracted = Extracted::with_pages();
        extracted.open_paragraph();
        extracted.text("The dam was ");
        extracted.next_page();
        extracted.text("built by Otto.");
        extracted.close();
        extracted.open_table();
        extracted.open_row();
        extracted.open_cell();
        extracted.open_paragraph();
        extracted.text("left ");
        extracted.next_page();
        extracted.text("rest");
        extracted.close();
        extracted.close();
        cell(&mut extracted, "right");
        extracted.close();
        extracted.open_row();
        extracted.open_cell();
        extracted.open_paragraph();
        extracted.next_page();
        extracted.text("below");
        extracted.close();
        extracted.close();
        cell(&mut extracted, "beside");
        extracted.close();
        extracted.close();
        extracted.open_note();
        paragraph(&mut extracted, BlockKind::Paragraph, "A note.");
        extracted.close();
        extracted.add_note(Vec::new(), 1);
        let document = extracted.document("t".into()).unwrap();
        let page = |of: &str| document.position(document.source().find(of).unwrap()).page;
        assert!(document.source().starts_with("The dam was built by Otto.\n\n"));
        for (of, at) in [
            ("dam", 1),
            ("built", 2),
            ("left", 2),
            ("rest", 3),
            ("right", 2),
            ("below", 4),
            ("beside", 4),
            ("A note", 4),
        ] {
            assert_eq!(page(of), Some(at), "{of}");
        }
    }

    #[test]
    fn an_empty_line_ends_a_block() {
        let mut extracted = Extracted::default();
        extracted.open_paragraph();
        extracted.text("one");
        extracted.line_break();
        extracted.text("two");
        extracted.line_break();
        extracted.text(" ");
        extracted.line_break();
        extracted.text("three\u{7}\n\u{c}four");
        extracted.close();
        let document = extracted.document("t".into()).unwrap();
        assert_eq!(document.source(), "one\ntwo\n\nthree four");
        assert_eq!(document.blocks().len(), 2);
        assert_eq!(document.position(0).page, None);
    }
}
