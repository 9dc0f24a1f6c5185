//! Tables: which cells stand in one row, and what stands above them.

use std::ops::Range;

use super::{Block, BlockKind, Document, Span};

/// The first rows of a table, which say how wide it is and where its headings stand.
const SAMPLE: usize = 8;

/// Rows above the headings: titles.
pub(super) const MOST_TITLES: usize = 3;

/// Longer headings are sentences, which help no one and take room.
pub(crate) const LONGEST_HEADING: usize = 60;

/// A row of more cells than this is no row of headings, which is looked at for every other row.
const MOST_HEADINGS: usize = 1000;

/// So many rows further down, a name reaches no more.
const MOST_ROWS_NAMED: u16 = 100;

/// So many cells further down, the name of a part reaches no more.
const MOST_CELLS_OF_A_PART: usize = 1000;

/// How rows begin that sum up the part of a table above them.
const SUMS: [&str; 22] = [
    "total",
    "subtotal",
    "sub-total",
    "grand total",
    "sum ",
    "summe",
    "gross ",
    "net ",
    "operating income",
    "operating loss",
    "operating profit",
    "income before",
    "income from",
    "income (loss)",
    "loss before",
    "loss from",
    "earnings before",
    "profit before",
    "profit for",
    "cash at",
    "cash, cash equivalents",
    "cash and cash equivalents",
];

/// How cells begin that stand alone in a row and name nothing.
const NOTES: [&str; 8] = [
    "page ",
    "note",
    "see ",
    "continued",
    "unaudited",
    "in thousands",
    "in millions",
    "n/a",
];

/// Words that a name does not end in: it goes on in the row below.
const OPEN: [&str; 12] = [
    "of",
    "and",
    "or",
    "to",
    "for",
    "by",
    "in",
    "on",
    "from",
    "the",
    "with",
    "attributable",
];

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The blocks that its cells with text are.
    pub(crate) cells: Range<usize>,
    /// Their columns, from 0.
    pub(crate) columns: Vec<usize>,
    /// Of each, the first column behind it.
    ends: Vec<usize>,
}

impl Row {
    /// How many columns its cells stand in.
    pub(crate) fn width(&self) -> usize {
        self.columns.last().map_or(0, |last| last + 1)
    }

    /// Of the cells that begin in this column or before it, the last.
    fn before(&self, column: usize) -> Option<usize> {
        self.columns
            .partition_point(|&other| other <= column)
            .checked_sub(1)
    }

    /// The cell that reaches over a column.
    fn at(&self, column: usize) -> Option<usize> {
        let at = self.before(column).filter(|&at| column < self.ends[at])?;
        Some(self.cells.start + at)
    }

    /// The cell over a column: as markup has it, or where that says nothing, the last one that begins in it or before it.
    fn over(&self, column: usize) -> Option<usize> {
        let is_known = self
            .columns
            .iter()
            .zip(&self.ends)
            .any(|(&column, &end)| end > column + 1);
        match is_known {
            true => self.at(column),
            false => Some(self.cells.start + self.before(column)?),
        }
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// The block that its first cell is.
    pub(crate) first: usize,
    /// How many columns most of its first rows have.
    pub(crate) width: usize,
    /// The first row that is so wide, if others follow it and its cells can say what stands below them, or the row that markup says; of
    /// two rows of headings the lower.
    pub(crate) headings: Option<Row>,
    /// The upper of two rows of headings, `| | 2023 | | 2024 | |` above `| Item | Budget | Actual | Budget | Actual |`, and where the
    /// text alone says what each cell stands over, the first column behind the last of them.
    groups: Option<(Row, Option<usize>)>,
}

/// A cell by its block, with the blocks of the headings above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Headed {
    pub(crate) group: Option<usize>,
    pub(crate) heading: Option<usize>,
    pub(crate) cell: usize,
}

impl Headed {
    /// The blocks of its headings, the outermost first.
    pub(crate) fn headings(&self) -> impl Iterator<Item = usize> {
        self.group.into_iter().chain(self.heading)
    }
}

impl Table {
    /// The rows of headings, the upper first.
    pub(crate) fn heading_rows(&self) -> impl Iterator<Item = &Row> {
        let groups = self.groups.iter().map(|(row, _)| row);
        groups.chain(&self.headings)
    }

    /// The cells of a row with their headings.
    pub(crate) fn under_headings(&self, row: &Row) -> Vec<Headed> {
        let ends = self.heading_rows().filter_map(|row| row.ends.last());
        let width = ends.copied().max().unwrap_or(0);
        let is_below = |headings: &&Row| headings.cells.start < row.cells.start && row.width() <= width + 1;
        let headings = self.headings.as_ref().filter(is_below);
        let headed = |(&column, cell): (&usize, usize)| {
            let heading = headings.and_then(|headings| headings.at(column));
            let groups = self.groups.as_ref().filter(|_| headings.is_some());
            match (heading, groups) {
                // A cell that reaches over both rows.
                (None, Some((groups, _))) => Headed {
                    group: None,
                    heading: groups.at(column),
                    cell,
                },
                (heading, groups) => Headed {
                    group: groups.and_then(|(groups, end)| match end {
                        Some(end) => groups.over(column).filter(|_| column < *end),
                        None => groups.at(column),
                    }),
                    heading,
                    cell,
                },
            }
        };
        row.columns.iter().zip(row.cells.clone()).map(headed).collect()
    }
}

/// A cell of a table's row, as [`Document::table_row`] has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableCell {
    /// What stands above it: the heading of its column, and before that the one that several columns have in common.
    pub headings: Vec<Span>,
    /// The cell itself.
    pub span: Span,
}

impl TableCell {
    /// Its headings in the text of its document, a space between them: "2023 Budget". `None` where nothing stands above it.
    #[must_use]
    pub fn heading(&self, text: &str) -> Option<String> {
        let headings: Vec<&str> = self.headings.iter().map(|span| &text[span.clone()]).collect();
        (!headings.is_empty()).then(|| headings.join(" "))
    }
}

/// Whether a cell holds a number, an amount, a date or a time, which say nothing about what stands below them. A year may.
pub(crate) fn is_value(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit()) && !text.contains(char::is_alphabetic) && !is_year(text)
}

/// `2024`, and what begins so: `2023/24`, `2024-06`. With a day it is a date.
fn is_year(text: &str) -> bool {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let goes_on = |rest: &str| rest.starts_with(['.', ',']) && rest.len() > 1;
    let numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty());
    digits == 4
        && numbers.count() < 3
        && (text.starts_with("19") || text.starts_with("20"))
        && !goes_on(&text[digits..])
        && !text.contains(char::is_alphabetic)
}

/// Whether a cell that stands alone in its row can name what stands below it: no note, sentence or value.
fn names_part(text: &str) -> bool {
    text.len() <= LONGEST_HEADING
        && text.starts_with(|c: char| c.is_alphanumeric() && !c.is_lowercase())
        && !text.ends_with('.')
        && !is_value(text)
        && !begins_with(text, &NOTES)
}

/// Whether a cell is the first line of a name that the row below ends.
fn goes_on(text: &str, below: &str) -> bool {
    let last = text.rsplit(' ').next().unwrap_or_default();
    below.starts_with(char::is_lowercase) || text.ends_with([',', '\'', '’']) || OPEN.contains(&last)
}

fn begins_with(text: &str, openings: &[&str]) -> bool {
    let begins = |opening: &&str| {
        let start = text.as_bytes().get(..opening.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(opening.as_bytes()))
    };
    openings.iter().any(begins)
}

/// Whether a heading over names says what the figures beside them are in: "In millions", "USD ($)".
fn names_unit(text: &str) -> bool {
    let folded = text.to_lowercase();
    ["million", "thousand", "$", "€", "£"]
        .iter()
        .any(|unit| folded.contains(unit))
}

/// Whether a text is in capitals.
fn is_shouted(text: &str) -> bool {
    text.len() > 3 && text.contains(char::is_uppercase) && !text.contains(char::is_lowercase)
}

impl Document {
    /// The row of a table that a span lies in: each cell with the heading of its column, which stands where markup says, or in the first row
    /// that has as many columns as most of the table's, and with what stands above several columns. A name that reaches over several rows is
    /// a cell of each, and so is the name of a part of the table, alone in its row above them. Nothing where the span lies in no table or
    /// reaches over several rows.
    #[must_use]
    pub fn table_row(&self, span: &Span) -> Option<Vec<TableCell>> {
        let (first, last) = (
            self.block_index(span.start),
            self.block_index(span.end.saturating_sub(1)),
        );
        if self.blocks[first].kind != BlockKind::TableCell {
            return None;
        }
        let row = self.row_at(first);
        if !row.cells.contains(&last) {
            return None;
        }
        let span = |block: usize| self.blocks[block].span.clone();
        let table = self.table_at(first);
        let part = self.part_above(&table, &row).map(|cell| Headed {
            group: None,
            heading: None,
            cell,
        });
        let names = part.into_iter().chain(self.name_above(&table, &row));
        let cells = names.chain(table.under_headings(&row));
        let cells = cells.map(|headed| TableCell {
            headings: headed.headings().map(span).collect(),
            span: span(headed.cell),
        });
        Some(cells.collect())
    }

    /// What a row is named by that has no first cell of its own: one further up that reaches down to it, as markup says.
    pub(crate) fn name_above(&self, table: &Table, row: &Row) -> Option<Headed> {
        let has_own = row.columns.first() == Some(&0);
        if has_own || table.heading_rows().any(|headings| headings == row) {
            return None;
        }
        let section = self.blocks[row.cells.start].section;
        let mut next = row.cells.start;
        for distance in 1..MOST_ROWS_NAMED {
            let last = next.checked_sub(1)?;
            let block = &self.blocks[last];
            if block.kind != BlockKind::TableCell || block.section != section {
                return None;
            }
            let above = self.row_at(last);
            if above.columns.first() == Some(&0) {
                let reaches = self.blocks[above.cells.start].cell.rows > distance;
                return table
                    .under_headings(&above)
                    .into_iter()
                    .next()
                    .filter(|_| reaches);
            }
            next = above.cells.start;
        }
        None
    }

    /// The name of the part of a table that a row stands in: "Current assets:" alone in its row, above those that are such, down to their
    /// sum. A lone cell is one only where something says so, since others may have nothing beside them by chance.
    pub(crate) fn part_above(&self, table: &Table, row: &Row) -> Option<usize> {
        let text = |cell: usize| &self.text()[self.blocks[cell].span.clone()];
        let between =
            |cell: usize| &self.text()[self.blocks[cell - 1].span.end..self.blocks[cell].span.start];
        let begins_row = |&cell: &usize| cell == table.first || between(cell).contains('\n');
        let top = table.heading_rows().last().map(|headings| headings.cells.end);
        // Without headings, what stands alone at the top is a title.
        let top = top.unwrap_or_else(|| self.row_at(table.first).cells.end);
        let name = row.cells.start;
        if row.cells.len() == 1 || name < top || row.columns.first() != Some(&0) {
            return None;
        }
        let are_named = table.headings.as_ref().is_some_and(|headings| {
            let corner = headings.columns.first() == Some(&0);
            !corner || names_unit(text(headings.cells.start))
        });
        let mut sum = begins_with(text(name), &SUMS).then_some(name);
        let mut below = name;
        let lowest = top.max(name.saturating_sub(MOST_CELLS_OF_A_PART));
        for first in (lowest..name).rev().filter(begins_row) {
            let words = text(first);
            let has_name = !between(first).ends_with('\t');
            let is_sum = !has_name || begins_with(words, &SUMS);
            if first + 1 < below || !has_name {
                // What comes directly below the name of a part does not sum it up.
                if sum.is_some() {
                    return None;
                }
                sum = is_sum.then_some(first);
            } else if is_sum {
                return None;
            } else if !goes_on(words, text(below)) && !words.ends_with(']') {
                // In brackets stand a program's names: "Assets [Abstract]".
                let cell = &self.blocks[first].cell;
                let is_marked = are_named
                    || words.ends_with(':')
                    || cell.columns > 1
                    || cell.is_header
                    || is_shouted(words)
                    || is_year(words);
                let is_part = is_marked && cell.rows == 1 && names_part(words);
                return (is_part && sum.is_none_or(|sum| sum == below)).then_some(first);
            }
            below = first;
        }
        None
    }

    /// The first cell of the table that the block of this number, a cell, stands in.
    pub(crate) fn first_of_table(&self, index: usize) -> usize {
        let section = self.blocks[index].section;
        let begins = self.blocks[..index].partition_point(|block| block.section < section);
        let others = self.blocks[begins..index].iter();
        begins
            + others
                .take_while(|block| block.kind != BlockKind::TableCell)
                .count()
    }

    /// The table that the block of this number, a cell, stands in.
    pub(crate) fn table_at(&self, index: usize) -> Table {
        let first = self.first_of_table(index);
        let mut rows = vec![self.row_at(first)];
        rows.extend(self.rows_below(&rows[0], SAMPLE - 1));
        let alike = |width: usize| rows.iter().filter(|row| row.width() == width).count();
        let widths = rows.iter().map(Row::width);
        let width = widths.max_by_key(|&width| (alike(width), width)).unwrap_or(0);
        if let Some((upper, lower)) = self.marked_headings(&rows) {
            let groups = upper.map(|upper| {
                (
                    rows[upper].clone(),
                    self.end_of_groups(&rows[upper], &rows[lower]),
                )
            });
            return Table {
                first,
                width,
                headings: Some(rows[lower].clone()),
                groups,
            };
        }
        let is_wide = |row: &Row| row.width() >= width && row.cells.len() > 1;
        let at = rows.iter().take(1 + MOST_TITLES).position(is_wide);
        let at = at.filter(|&at| at + 1 < rows.len() && self.are_headings(&rows[at], width));
        let above = at
            .and_then(|at| at.checked_sub(1))
            .map(|above| (above, above + 1));
        let below = at
            .map(|at| (at, at + 1))
            .filter(|(_, below)| below + 1 < rows.len());
        let mut two = [above, below].into_iter().flatten();
        let grouped = two
            .find_map(|(upper, lower)| Some((upper, lower, self.end_of_groups(&rows[upper], &rows[lower])?)));
        // "In millions of CHF" and "2023" at both ends of a row say what the names below them are of.
        let is_over = |at: &usize| self.says_what_of(&rows[*at], &rows[*at + 1], width);
        let at = at.map(|at| if is_over(&at) { at + 1 } else { at });
        let headings = grouped.map_or(at, |(_, lower, _)| Some(lower));
        Table {
            first,
            width,
            headings: headings.map(|at| rows[at].clone()),
            groups: grouped.map(|(upper, _, end)| (rows[upper].clone(), Some(end))),
        }
    }

    /// Of the first rows of a table, below its titles, the row of headings, as markup has it, and the one above it if that is one, too.
    fn marked_headings(&self, rows: &[Row]) -> Option<(Option<usize>, usize)> {
        let is_marked = |row: &Row| {
            let mut cells = self.blocks[row.cells.clone()].iter();
            row.cells.len() <= MOST_HEADINGS && cells.all(|block| block.cell.is_header)
        };
        // What has one cell, at the left, is a title.
        let is_title = |row: &Row| row.columns == [0];
        let first = rows.iter().take(1 + MOST_TITLES).position(|row| !is_title(row))?;
        // Below a full row, another is data, whose cells are marked for some other reason.
        let goes_on = |pair: &&[Row]| {
            let [upper, lower] = pair else { return false };
            let reaches = |block: &Block| block.cell.columns > 1 || block.cell.rows > 1;
            let is_full =
                upper.columns == lower.columns && !self.blocks[upper.cells.clone()].iter().any(reaches);
            is_marked(lower) && !is_title(lower) && !is_full
        };
        let lower = first + rows[first..].windows(2).take_while(goes_on).count();
        let has_data = rows[lower..].iter().any(|row| !is_marked(row));
        (is_marked(&rows[first]) && has_data)
            .then(|| (lower.checked_sub(1).filter(|&upper| upper >= first), lower))
    }

    /// Whether markup says that a row is none of headings: its first cell heads the others.
    fn heads_itself(&self, row: &Row) -> bool {
        let [first, others @ ..] = &self.blocks[row.cells.clone()] else {
            return false;
        };
        first.cell.is_header && others.iter().any(|block| !block.cell.is_header)
    }

    /// Whether the cells of a row can say what stands below them: none is a number or a sentence, and half of them are short. Nobody leaves
    /// the first cell of a row without headings empty.
    fn are_headings(&self, row: &Row, width: usize) -> bool {
        let text = |cell: usize| &self.text()[self.blocks[cell].span.clone()];
        let is_sentence = |text: &str| text.ends_with('.') && text.len() > LONGEST_HEADING;
        let cells = || row.cells.clone().map(text);
        // "Founded 1987" and "Approved by Bell" are the first of pairs; above numbers, two names are headings.
        let last = |row: &Row| text(row.cells.end - 1);
        let is_amount = |text: &str| {
            let number = text.trim_start_matches(|c: char| !c.is_alphanumeric());
            number.starts_with(|c: char| c.is_ascii_digit()) && text.split_whitespace().nth(2).is_none()
        };
        let is_pair = width == 2 && {
            let below = self.rows_below(row, SAMPLE);
            let below = || below.iter().map(last);
            match is_year(last(row)) {
                true => !below().all(is_value),
                false => 4 * below().filter(|text| is_amount(text)).count() < 3 * below().count(),
            }
        };
        let are_named = || !cells().any(|text| is_value(text) || is_sentence(text));
        let short = || cells().filter(|text| text.len() <= LONGEST_HEADING).count();
        row.cells.len() <= MOST_HEADINGS
            && !is_pair
            && !self.heads_itself(row)
            && (row.columns.first() != Some(&0) || are_named() && 2 * short() >= row.cells.len())
    }

    /// Where two rows are both headings, no numbers, and below two cells of the upper stand the same, which say nothing without
    /// those: the first column behind what the last of them stands over.
    fn end_of_groups(&self, upper: &Row, lower: &Row) -> Option<usize> {
        let text = |cell: usize| &self.text()[self.blocks[cell].span.clone()];
        let are_names =
            |row: &Row| row.cells.len() <= MOST_HEADINGS && !row.cells.clone().map(text).any(is_value);
        // What has a name of its own is a row, not headings: "Smoker | Yes | No | Yes | No".
        let is_named = |row: &Row| row.columns.first() == Some(&0);
        if !are_names(upper) || !are_names(lower) || is_named(upper) && is_named(lower) {
            return None;
        }
        let place = |column: usize| lower.columns.partition_point(|&other| other < column);
        let end = lower.columns.len();
        let ends = upper
            .columns
            .iter()
            .skip(1)
            .map(|&column| place(column))
            .chain([end]);
        let groups: Vec<Vec<&str>> = upper
            .columns
            .iter()
            .zip(ends)
            .map(|(&column, end)| {
                (place(column)..end)
                    .map(|at| text(lower.cells.start + at))
                    .collect()
            })
            .collect();
        let (last, others) = groups.split_last()?;
        let others: Vec<&Vec<&str>> = others.iter().filter(|group| group.len() > 1).collect();
        // What stands right of the last group is none of it.
        if let Some(group) = others.iter().find(|group| last.starts_with(group)) {
            let behind = end - last.len() + group.len();
            return Some(lower.columns.get(behind).copied().unwrap_or(usize::MAX));
        }
        let recurs = (1..others.len()).any(|i| others[..i].contains(&others[i]));
        recurs.then_some(usize::MAX)
    }

    /// Whether a row with a name and few other cells stands above the headings, which have no name of their own.
    fn says_what_of(&self, upper: &Row, lower: &Row, width: usize) -> bool {
        let text = |cell: usize| &self.text()[self.blocks[cell].span.clone()];
        let is_sparse = upper.columns.first() == Some(&0) && 2 * upper.cells.len() <= width;
        let is_full = lower.columns.first() == Some(&1) && lower.cells.len() + 1 == width;
        is_sparse
            && is_full
            && lower.cells.len() <= MOST_HEADINGS
            && !lower.cells.clone().map(text).any(is_value)
    }

    /// At most so many rows of a table below this one.
    pub(crate) fn rows_below(&self, row: &Row, most: usize) -> Vec<Row> {
        let section = self.blocks[row.cells.start].section;
        let mut rows = Vec::new();
        let mut next = row.cells.end;
        while rows.len() < most
            && let Some(block) = self.blocks.get(next)
            && block.kind == BlockKind::TableCell
            && block.section == section
        {
            let row = self.row_at(next);
            next = row.cells.end;
            rows.push(row);
        }
        rows
    }

    /// The row that the block of this number, a cell, stands in.
    pub(crate) fn row_at(&self, index: usize) -> Row {
        let section = self.blocks[index].section;
        let is_cell = |block: &Block| block.kind == BlockKind::TableCell && block.section == section;
        // What writes blocks puts a tab between the cells of a row.
        let goes_on = |pair: &&[Block]| {
            is_cell(&pair[0])
                && is_cell(&pair[1])
                && !self.text()[pair[0].span.end..pair[1].span.start].contains('\n')
        };
        let pairs_before = self.blocks[..=index].windows(2).rev();
        let first = index - pairs_before.take_while(goes_on).count();
        let cells = first..index + self.blocks[index..].windows(2).take_while(goes_on).count() + 1;
        // A cell's column: the tabs before it in its row.
        let mut column = 0;
        let columns = cells.clone().map(|index| {
            let end = index
                .checked_sub(1)
                .map_or(0, |before| self.blocks[before].span.end);
            let between = &self.text()[end..self.blocks[index].span.start];
            let row = between.rsplit('\n').next().unwrap_or_default();
            column += row.matches('\t').count();
            column
        });
        let columns: Vec<usize> = columns.collect();
        let reaches = self.blocks[cells.clone()]
            .iter()
            .map(|block| usize::from(block.cell.columns));
        Row {
            ends: columns
                .iter()
                .zip(reaches)
                .map(|(column, reach)| column + reach)
                .collect(),
            columns,
            cells,
        }
    }
}
