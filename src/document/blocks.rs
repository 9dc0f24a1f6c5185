//! Blocks of a format with markup, written one after the other.

use super::{Block, BlockKind, Builder, CellMarkup, Layout, plain, stops};

/// Writes clean text and notes its blocks: a blank line before a section, a line feed between items of a list and rows of a
/// table, a tab between the cells of a row.
pub(super) struct Blocks<'a> {
    pub(super) builder: Builder<'a>,
    /// Their sections are, until the end, by how much they differ from the one before.
    pub(super) written: Vec<Block>,
    /// What the current block is, or the next one will be.
    pub(super) kind: BlockKind,
    /// Whether blocks stand beside the text.
    pub(super) is_beside: bool,
    /// Whether what is verbatim is code or data: each of its lines is a block, but for those that look wrapped.
    pub(super) is_code: bool,
    /// What markup says of the current cell.
    pub(super) cell: CellMarkup,
    /// Where the current block began in the clean text.
    start: usize,
    /// By how much its section differs from that of the last one.
    step: u32,
    /// Nothing of the current block has been written.
    fresh: bool,
    /// A list or table has begun: the next block does not belong to one before it.
    apart: bool,
    /// A row has begun: the next cell does not stand beside the one before it.
    below: bool,
    /// How many cells have begun since the last that has text, or since the row began.
    cells: usize,
    /// `apart`, `below` and `cells` before the current block, where it begins a row, a table or a list.
    begun: Option<(bool, bool, usize)>,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            builder: Builder::new(source),
            written: Vec::new(),
            kind: BlockKind::Paragraph,
            is_beside: false,
            is_code: false,
            cell: CellMarkup::default(),
            start: 0,
            step: 0,
            fresh: true,
            apart: false,
            below: false,
            cells: 0,
            begun: None,
        }
    }

    /// Whether nothing of the current block has been written.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether what is written next begins a sentence.
    pub(super) fn begins_sentence(&self) -> bool {
        self.fresh || stops(self.builder.text[self.start..].trim_end())
    }

    /// Ends the current block; what is written next is one of this kind.
    pub(super) fn next(&mut self, kind: BlockKind) {
        self.close();
        self.kind = kind;
    }

    /// A list or a table begins or ends here.
    pub(super) fn set_apart(&mut self) {
        self.apart = true;
    }

    /// A row of a table begins here.
    pub(super) fn next_row(&mut self) {
        self.below = true;
        self.cells = 0;
    }

    /// A cell of a table begins here, if only to stay empty.
    pub(super) fn next_cell(&mut self) {
        self.cells += 1;
    }

    /// To be called before anything is written, with where it stands in the source: sets a new block apart from the last one.
    pub(super) fn begin(&mut self, until: usize) {
        if !self.fresh {
            return;
        }
        self.fresh = false;
        let apart = std::mem::take(&mut self.apart);
        let below = std::mem::take(&mut self.below);
        self.begun = Some((apart, below, self.cells));
        if let Some(last) = self.written.last() {
            let together = !apart
                && last.kind == self.kind
                && matches!(self.kind, BlockKind::ListItem | BlockKind::TableCell);
            self.step |= u32::from(!together);
            let before = match (together, self.kind, below) {
                (false, ..) => "\n\n",
                (true, BlockKind::TableCell, false) => "",
                (true, ..) => "\n",
            };
            let tabs = self.tabs(before);
            self.begun.take_if(|_| before.is_empty());
            self.builder.separate(until, &(before.to_owned() + &tabs));
        } else {
            let tabs = self.tabs("\n");
            if !tabs.is_empty() {
                self.builder.separate(until, &tabs);
            }
        }
        self.start = self.builder.text.len();
    }

    /// A tab for each cell between the last one that has text, or the beginning of the row, and this one.
    fn tabs(&mut self, before: &str) -> String {
        let cells = std::mem::take(&mut self.cells);
        match self.kind {
            BlockKind::TableCell if before.is_empty() => "\t".repeat(cells.max(1)),
            BlockKind::TableCell => "\t".repeat(cells.saturating_sub(1)),
            _ => String::new(),
        }
    }

    /// Ends the current block.
    pub(super) fn close(&mut self) {
        let written = &self.builder.text[self.start..];
        let is_empty = written.trim().is_empty();
        if let Some((apart, below, cells)) = self.begun.take().filter(|_| is_empty) {
            // The next one begins what it would have begun.
            self.apart |= apart;
            self.below |= below;
            self.cells += cells;
        }
        if !self.fresh && !is_empty {
            let parts = match self.kind {
                BlockKind::Verbatim if self.is_code => plain::stretches(written),
                _ => vec![plain::trimmed(written, 0..written.len())],
            };
            self.written.extend(parts.into_iter().map(|part| Block {
                span: self.start + part.start..self.start + part.end,
                kind: self.kind,
                section: std::mem::take(&mut self.step),
                is_beside: self.is_beside,
                cell: match self.kind {
                    BlockKind::TableCell => self.cell,
                    _ => CellMarkup::default(),
                },
            }));
        }
        self.start = self.builder.text.len();
        self.fresh = true;
    }

    /// What was taken for the cell of a table, the block of this number, is a paragraph.
    pub(super) fn cell_is_text(&mut self, index: usize) {
        self.written[index].kind = BlockKind::Paragraph;
        self.written[index].cell = CellMarkup::default();
        self.written[index].section = 1;
    }

    pub(super) fn into_layout(mut self) -> Layout {
        self.close();
        let mut section = 0;
        for block in &mut self.written {
            section += block.section;
            block.section = section;
        }
        Layout {
            text: self.builder.text,
            map: self.builder.map,
            blocks: self.written,
            has_columns: false,
        }
    }
}
