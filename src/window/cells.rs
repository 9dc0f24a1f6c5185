//! How the rows of tables are read: "Item: Dredging, Budget: 400, Actual: 512." instead of "Dredging 400 512".
//!
//! A model that learned from prose does not know which number stands under which heading, and still less which of a row of
//! numbers is meant. ARCHITECTURE.md has what these ways of reading were worth.

use std::collections::VecDeque;

use crate::document::{Document, Headed, LONGEST_HEADING, Table, is_value};

/// So many rows say whether numbers stand beside names.
const ROWS_LOOKED_AT: usize = 8;

/// What is read around a cell and is not in the document.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) before: String,
    pub(super) after: &'static str,
}

/// The row that is being read.
#[derive(Debug, Default)]
pub(super) struct Cells {
    table: Option<Table>,
    reading: Reading,
    /// The cells that are left of the row.
    row: VecDeque<Headed>,
    /// Its first cell, if it can say what the others are about.
    name: Option<usize>,
    /// What it is named by if that stands further up.
    above: Option<Headed>,
    /// The name of the part of the table that it stands in.
    part: Option<usize>,
    /// Whether it is a row of headings.
    is_heading: bool,
}

/// How the rows of a table are read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// With their headings, which are read as they are.
    Headings,
    /// With their headings and the name that the row begins with, as sentences: what is asked for has two names, and the other
    /// cells have one of them each.
    Crossed,
    /// Names with what they name.
    Pairs,
    /// What it is under is not known.
    #[default]
    List,
}

impl Cells {
    /// What is read around the cell that this block is. Blocks come in order.
    pub(super) fn around(&mut self, document: &Document, block: usize) -> Around {
        let text = |block: usize| &document.text()[document.blocks()[block].span.clone()];
        if self.row.front().is_none_or(|headed| headed.cell != block) {
            self.begin_row(document, block);
        }
        let headed = self.row.pop_front();
        let short = |headed: Option<&Headed>| {
            let headings = headed.into_iter().flat_map(Headed::headings).map(text);
            let headings: Vec<&str> = headings.filter(|text| text.len() <= LONGEST_HEADING).collect();
            Some(headings.join(" ")).filter(|text| !text.is_empty())
        };
        let stop = |stop| {
            let ends = text(block).ends_with([':', '.', ',', ';', '?', '!']);
            if ends { "" } else { stop }
        };
        let is_last = self.row.is_empty();
        let part = self.part.map_or_else(String::new, |part| {
            format!("{}: ", text(part).trim_end_matches(':'))
        });
        // What is not read as sentences of its own names the part once.
        if self.reading != Reading::Crossed || self.name.is_none() {
            self.part = None;
        }
        match self.reading {
            Reading::Headings | Reading::Crossed if self.is_heading => Around::default(),
            Reading::Crossed if self.name == Some(block) => Around {
                before: match short(self.row.front()) {
                    Some(heading) => format!("In {heading}, {part}").trim_end().to_owned(),
                    None => part.trim_end().to_owned(),
                },
                after: "is",
            },
            Reading::Crossed if let Some(name) = self.name => {
                let before = match short(headed.as_ref()) {
                    // The name itself stands before it.
                    _ if name + 1 == block && self.above.is_none() => String::new(),
                    Some(heading) => format!("In {heading}, {part}{} is", text(name)),
                    None => format!("{part}{} is", text(name)),
                };
                Around {
                    before,
                    after: stop("."),
                }
            }
            Reading::Headings | Reading::Crossed => {
                let colon = |headed: Option<&Headed>| {
                    short(headed).map_or_else(String::new, |text| format!("{}:", text.trim_end_matches(':')))
                };
                let name = self.above.take().map(|name| {
                    let words = text(name.cell);
                    format!("{} {words}, ", colon(Some(&name)))
                });
                Around {
                    before: part + &name.unwrap_or_default() + &colon(headed.as_ref()),
                    after: stop(if is_last { "." } else { "," }),
                }
            }
            Reading::Pairs if !is_last => Around {
                before: part,
                after: stop(":"),
            },
            Reading::Pairs | Reading::List => Around {
                before: part,
                after: stop(if is_last { "." } else { "," }),
            },
        }
    }

    /// Finds the row of a cell, and how its table is read.
    fn begin_row(&mut self, document: &Document, block: usize) {
        let first = document.first_of_table(block);
        let known = self.table.take().filter(|table| table.first == first);
        let table = known.unwrap_or_else(|| {
            let table = document.table_at(block);
            self.reading = reading(document, &table);
            table
        });
        let row = document.row_at(block);
        let is_headed = table
            .headings
            .as_ref()
            .is_some_and(|headings| headings.cells.start < row.cells.start);
        let has_name = is_headed && row.columns.first() == Some(&0) && row.cells.len() > 1;
        let is_short = |cell: &usize| document.blocks()[*cell].span.len() <= LONGEST_HEADING;
        let above = document.name_above(&table, &row);
        self.part = document.part_above(&table, &row);
        self.above = above.filter(|above| is_headed && is_short(&above.cell));
        let name = has_name.then_some(row.cells.start).filter(is_short);
        self.name = name.or(self.above.map(|above| above.cell));
        self.is_heading = table.heading_rows().any(|headings| *headings == row);
        let cells = table.under_headings(&row).into_iter();
        self.row = cells.filter(|headed| headed.cell >= block).collect();
        self.table = Some(table);
    }
}

/// How a table is read. Two columns are mostly names with what they name.
fn reading(document: &Document, table: &Table) -> Reading {
    let text = |cell: usize| &document.text()[document.blocks()[cell].span.clone()];
    match &table.headings {
        _ if table.width == 2 => Reading::Pairs,
        // Nobody leaves the first cell of a row without headings empty.
        Some(_) if table.heading_rows().all(|row| row.columns.first() != Some(&0)) => Reading::Crossed,
        Some(row) => {
            let rows = document.rows_below(row, ROWS_LOOKED_AT);
            let cells = rows
                .iter()
                .flat_map(|row| row.columns.iter().zip(row.cells.clone()));
            let (names, others): (Vec<_>, Vec<_>) = cells.partition(|&(&column, _)| column == 0);
            let share = |cells: &[(&usize, usize)]| {
                let values = cells.iter().filter(|&&(_, cell)| is_value(text(cell))).count();
                values as f64 / cells.len() as f64
            };
            match share(&names) < 0.5 && share(&others) >= 0.8 {
                true => Reading::Crossed,
                false => Reading::Headings,
            }
        }
        None => Reading::List,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{BlockKind, Format};

    fn read(source: &str) -> String {
        read_as(source, Format::Markdown)
    }

    /// What is read of a text, cell by cell.
    fn read_as(source: &str, format: Format) -> String {
        let document = Document::new("t", source, format).unwrap();
        let mut cells = Cells::default();
        let blocks = document.blocks().iter().enumerate();
        let read = blocks.map(|(index, block)| {
            let text = &document.text()[block.span.clone()];
            if block.kind != BlockKind::TableCell {
                return text.to_owned();
            }
            let around = cells.around(&document, index);
            [&around.before, text, around.after].concat()
        });
        read.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_cell_is_read_behind_its_heading() {
        let source =
            "| Item | 2024 | By: |\n|---|---|---|\n| Dredging | 400 | Bell |\n| Lights | | Lund. |\n\nEnd.\n";
        assert_eq!(
            read(source),
            "Item 2024 By: Item:Dredging, 2024:400, By:Bell. Item:Lights, By:Lund. End."
        );
    }

    #[test]
    fn two_columns_are_names_with_what_they_name() {
        let source = "| Landlord | Bell |\n|---|---|\n| Rent: | 400 |\n\nText.\n\n| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |\n";
        assert_eq!(
            read(source),
            "Landlord: Bell. Rent: 400. Text. a b c a:1, b:2, c:3."
        );
    }

    #[test]
    fn a_table_without_headings_is_a_list() {
        let source = "| Dredging | 400 | 512 |\n|---|---|---|\n| Lights | 85 | 81 |\n";
        assert_eq!(read(source), "Dredging, 400, 512. Lights, 85, 81.");
        let long = "a heading that goes on and on until it is none any more, as can be seen";
        let source = format!("| {long} | b | c |\n|---|---|---|\n| 1 | 2 | 3 |\n");
        assert!(read(&source).ends_with(" 1, b:2, c:3."));
        let sentence = format!("{long}.");
        let source = format!("| R-1 | {sentence} | high |\n|---|---|---|\n| R-2 | x | low |\n");
        assert!(read(&source).ends_with(" R-2, x, low."));
        let numbers = "| Dredging | 20.5 | 2019.5 |\n|---|---|---|\n| Lights | 85 | 81 |\n";
        assert!(read(numbers).ends_with(" Lights, 85, 81."));
    }

    #[test]
    fn headings_need_not_all_be_words() {
        let table = |headings: &str| {
            let source = format!("{headings}\n|---|---|---|\n| 1 | 2 | 3 |\n");
            read(&source)
        };
        assert!(table("| | 08:00 | 08:30 |").ends_with(" In 08:00,1is 2. In 08:30, 1 is3."));
        assert!(table("| # | Name | % |").ends_with(" #:1, Name:2, %:3."));
        assert!(table("| Item | 2022/23 | 2023/24 |").ends_with(" Item:1, 2022/23:2, 2023/24:3."));
    }

    #[test]
    fn numbers_are_read_with_both_of_their_names() {
        let source = "| Rent | 2023 | 2024 | Note |\n|---|---|---|---|\n| Hall | 400 | 512 | |\n| Quay | | 85 | |\n| Pier | 90 | 81. | |\n";
        assert_eq!(
            read(source),
            "Rent 2023 2024 Note In 2023,Hallis 400. In 2024, Hall is512. In 2024,Quayis 85. In 2023,Pieris 90. In 2024, Pier is81."
        );
        let source = "| Rent | 2023 | Tenant |\n|---|---|---|\n| Hall | 400 | Bell |\n";
        assert!(read(source).ends_with(" Rent:Hall, 2023:400, Tenant:Bell."));
    }

    #[test]
    fn headings_that_recur_are_read_with_what_they_stand_under() {
        let upper = "Rent,2023,,2024,\n";
        let rows = "Hall,400,512,390,401\nQuay,85,97,86,84\n";
        let read = |lower: &str| read_as(&format!("{upper}{lower}\n{rows}"), Format::Csv);
        assert_eq!(
            read(",Budget,Actual,Budget,Actual"),
            "Rent 2023 2024 Budget Actual Budget Actual \
             In 2023 Budget,Hallis 400. In 2023 Actual, Hall is512. In 2024 Budget, Hall is390. In 2024 Actual, Hall is401. \
             In 2023 Budget,Quayis 85. In 2023 Actual, Quay is97. In 2024 Budget, Quay is86. In 2024 Actual, Quay is84."
        );
        assert!(!read("Smoker,Yes,No,Yes,No").contains("2023 Yes"));
        assert!(read("of,Budget,Actual,Forecast,Draft").contains("In Forecast, Hall is390."));
        assert!(!read(",1,2,1,2").contains("2024 1"));
    }

    #[test]
    fn a_name_that_reaches_over_several_rows_is_read_in_each() {
        let source = "<table><tr><th>Pier<th>Year<th>By<tr><td rowspan=2>North<td>2023<td>Bell<tr><td>2024<td>Lund<tr><td>South<td>2024<td>Ames</table>";
        assert_eq!(
            read_as(source, Format::Html),
            "Pier Year By Pier:North, Year:2023, By:Bell. Pier: North, Year:2024, By:Lund. Pier:South, Year:2024, By:Ames."
        );
        let source = "<table><tr><th>Pier<th>2023<th>2024<tr><td rowspan=2>North<td>400<td>512<tr><td>85<td>97<tr><td>South<td>4<td>5</table>";
        assert!(read_as(source, Format::Html).contains("In 2023, North is85. In 2024, North is97."));
    }

    #[test]
    fn the_name_of_a_part_is_read_in_its_rows() {
        let crossed = "Rent,2023,2024\nQuays:,,\nHall,400,512\nPier,85,97\n";
        assert!(read_as(crossed, Format::Csv).ends_with(
            "In 2023, Quays:Hallis 400. In 2024, Quays: Hall is512. In 2023, Quays:Pieris 85. In 2024, Quays: Pier is97."
        ));
        let headed = "Item,Year,By\nQuays:,,\nHall,2023,Bell\nPier,2024,Lund\n";
        assert!(
            read_as(headed, Format::Csv)
                .ends_with("Quays: Item:Hall, Year:2023, By:Bell. Quays: Item:Pier, Year:2024, By:Lund.")
        );
        let pairs = "Landlord,Bell\nRent:,\nHall,400\nPier,85\n";
        assert!(read_as(pairs, Format::Csv).ends_with("Rent: Hall: 400. Rent: Pier: 85."));
    }

    #[test]
    fn titles_above_the_headings_are_none() {
        let source = "Accounts\nby Bell, auditor\nItem,2023,2024\nDredging,400,512\nLights,85,81\n";
        assert_eq!(
            read_as(source, Format::Csv),
            "Accounts. by Bell, auditor. Item 2023 2024 In 2023,Dredgingis 400. In 2024, Dredging is512. In 2023,Lightsis 85. In 2024, Lights is81."
        );
    }
}
