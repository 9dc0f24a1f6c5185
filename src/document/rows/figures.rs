//! Figures that the layout of a page left in one cell: "$ 3,226.8 $ 2,729.4 $ 2,198.7" beside "Net sales". Where the rows of a table
//! have as many figures each, every figure is a cell, and stands under its heading.

use std::collections::BTreeMap;

use super::{Piece, Row};
use crate::document::{MONTHS, is_value};

/// Rows with as many figures that say how many columns there are.
const FEWEST_ROWS: usize = 3;
/// The share of the rows with figures that have as many.
const MOST_ROWS: f64 = 0.6;

/// A row as its name and what stands behind that.
struct Named {
    name: Option<Piece>,
    others: Vec<Piece>,
}

impl Named {
    /// Whether all that stands behind the name are figures, and several.
    fn has_figures(&self) -> bool {
        let is_figure = |piece: &Piece| is_figure(&piece.text.replace(' ', ""));
        self.others.len() > 1 && self.others.iter().all(is_figure)
    }
}

/// The rows of a table with a cell for each figure, or nothing where they have one already, or not as many headings.
pub(super) fn set_apart(rows: &[Row]) -> Option<Vec<Row>> {
    let readings: Vec<[Named; 2]> = rows.iter().map(|row| [beside_name(row), figures(row)]).collect();
    let counts = readings.iter().filter_map(|readings| {
        let read = readings.iter().find(|read| read.has_figures())?;
        Some(read.others.len())
    });
    let mut alike: BTreeMap<usize, usize> = BTreeMap::new();
    for count in counts {
        *alike.entry(count).or_default() += 1;
    }
    let all: usize = alike.values().sum();
    let (&count, &alike) = alike.iter().max_by_key(|&(count, alike)| (alike, count))?;
    let read: Vec<Named> = readings
        .into_iter()
        .map(|readings| chosen(readings, count))
        .collect();
    let is_together = |read: &&Named| {
        let mut pairs = read.others.windows(2);
        read.others.len() == count && read.has_figures() && pairs.any(|pair| pair[0].column == pair[1].column)
    };
    let together = read.iter().filter(is_together).count();
    if alike < FEWEST_ROWS || (alike as f64) < MOST_ROWS * all as f64 || 2 * together < alike {
        return None;
    }
    let ends = ends(&read, count);
    let is_data = |row: &Named| row.has_figures() && row.others.iter().any(|figure| is_value(&figure.text));
    let first = read.iter().position(is_data)?;
    let mut out: Vec<Row> = Vec::with_capacity(rows.len());
    let (mut is_headed, mut are_headed) = (false, false);
    for (at, (row, read)) in rows.iter().zip(read).enumerate() {
        let heads = if at < first {
            headings(row, read, count)
        } else {
            Err(read)
        };
        let was_headed = std::mem::replace(
            &mut is_headed,
            matches!(&heads, Ok(heads) if heads.others.len() == count),
        );
        are_headed |= is_headed;
        let is_title = row
            .pieces
            .iter()
            .all(|piece| piece.column == row.pieces[0].column);
        let pieces = match heads {
            Ok(heads) => {
                let step = count / heads.others.len();
                placed(heads, |at, _| 1 + at * step)
            }
            Err(read) if read.others.len() == count => placed(read, |at, _| 1 + at),
            Err(_) if is_title => row.pieces.clone(),
            Err(read) => placed(read, |_, piece| 1 + column(&ends, piece)),
        };
        // "2023" below "January 28,": lines of the same headings.
        match out.last_mut() {
            Some(last) if was_headed && is_headed && last.pieces.iter().all(breaks_off) => {
                last.pieces = joined(&last.pieces, pieces);
            }
            _ => out.push(Row { pieces, ..*row }),
        }
    }
    // Without headings of their own, "522 250" may as well be one figure.
    are_headed.then_some(out)
}

/// The reading that has so many figures; what stands in the first column is a name if it can be.
fn chosen([beside, within]: [Named; 2], count: usize) -> Named {
    match within.others.len() {
        _ if beside.others.len() == count && beside.has_figures() => beside,
        number if number == count && within.has_figures() => within,
        // "30-34 21%": the first is the name.
        number if number == count + 1 && within.name.is_none() && within.has_figures() => {
            let mut others = within.others.into_iter();
            Named {
                name: others.next().map(|name| Piece { column: 0, ..name }),
                others: others.collect(),
            }
        }
        _ => beside,
    }
}

/// The pieces of a row; `column` says where what stands behind its name is.
fn placed(row: Named, column: impl Fn(usize, &Piece) -> usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = row.name.into_iter().collect();
    for (at, piece) in row.others.into_iter().enumerate() {
        let column = column(at, &piece);
        match pieces.last_mut() {
            Some(last) if last.column >= column => {
                last.text = format!("{} {}", last.text, piece.text);
                last.end_x = piece.end_x;
            }
            _ => pieces.push(Piece { column, ..piece }),
        }
    }
    pieces
}

/// Whether a heading is the first line of a date.
fn breaks_off(heading: &Piece) -> bool {
    heading.text.ends_with(',') || is_month(&heading.text)
}

fn is_month(word: &str) -> bool {
    let begins = |month: &&str| {
        let start = word.as_bytes().get(..3);
        start.is_some_and(|start| start.eq_ignore_ascii_case(&month.as_bytes()[..3]))
    };
    MONTHS.iter().any(begins)
}

/// Two rows of headings as one.
fn joined(upper: &[Piece], lower: Vec<Piece>) -> Vec<Piece> {
    let mut pieces = lower;
    for above in upper {
        match pieces.iter_mut().find(|piece| piece.column == above.column) {
            Some(piece) => piece.text = format!("{} {}", above.text, piece.text),
            None => pieces.insert(0, above.clone()),
        }
    }
    pieces
}

/// Where each column ends, as the rows have it that are full.
fn ends(read: &[Named], count: usize) -> Vec<f32> {
    let full: Vec<&Named> = read
        .iter()
        .filter(|row| row.others.len() == count && row.others.iter().any(|figure| is_value(&figure.text)))
        .collect();
    let median = |column: usize| {
        let mut ends: Vec<f32> = full.iter().map(|row| row.others[column].end_x).collect();
        ends.sort_by(f32::total_cmp);
        ends[ends.len() / 2]
    };
    (0..count).map(median).collect()
}

/// The column that ends nearest to where a figure does.
fn column(ends: &[f32], figure: &Piece) -> usize {
    let distance = |end: &f32| (end - figure.end_x).abs();
    let nearest = ends
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
    nearest.map_or(0, |(column, _)| column)
}

/// A word with its place.
fn words(piece: &Piece) -> impl Iterator<Item = Piece> {
    let letters = piece.text.chars().count().max(1) as f32;
    let at = move |byte: usize| {
        let before = piece.text[..byte].chars().count() as f32;
        piece.x + (piece.end_x - piece.x) * before / letters
    };
    piece.text.split_whitespace().map(move |word| {
        let start = word.as_ptr() as usize - piece.text.as_ptr() as usize;
        Piece {
            x: at(start),
            end_x: at(start + word.len()),
            column: piece.column,
            text: word.to_owned(),
        }
    })
}

/// A row whose first cell is its name and whose others hold figures, each with its signs.
fn beside_name(row: &Row) -> Named {
    let named = as_laid_out(row);
    let words: Vec<Piece> = named.others.iter().flat_map(words).collect();
    match words.iter().all(|word| is_figure(&word.text)) {
        true => Named {
            others: signed(words),
            ..named
        },
        false => named,
    }
}

/// A row as its name and the figures behind it, wherever they begin.
fn figures(row: &Row) -> Named {
    let mut words: Vec<Piece> = row.pieces.iter().flat_map(words).collect();
    // "COSTCO$ 1,302"
    for at in (0..words.len()).rev() {
        let word = &mut words[at];
        let letters = word.text.trim_end_matches(is_currency).len();
        if letters < word.text.len() && word.text[..letters].ends_with(char::is_alphabetic) && letters > 2 {
            let sign = word.text.split_off(letters);
            let sign = Piece { text: sign, ..*word };
            words.insert(at + 1, sign);
        }
    }
    let is_name = |word: &Piece| !is_figure(&word.text);
    let names = words.iter().rposition(is_name).map_or(0, |last| last + 1);
    let figures = words.split_off(names);
    Named {
        name: together(&words).map(|name| Piece { column: 0, ..name }),
        others: signed(figures),
    }
}

/// Figures with the signs before or behind them.
fn signed(words: Vec<Piece>) -> Vec<Piece> {
    let is_sign = |word: &Piece| word.text.chars().all(is_currency);
    let are_behind = words.last().is_some_and(is_sign) && !words.first().is_some_and(is_sign);
    let mut figures: Vec<Piece> = Vec::new();
    let mut sign: Option<Piece> = None;
    for word in words {
        let is_behind = word.text.chars().all(|c| ")%".contains(c)) || are_behind && is_sign(&word);
        match figures.last_mut() {
            Some(last) if is_behind => {
                let space = if is_sign(&word) { " " } else { "" };
                last.text = format!("{}{space}{}", last.text, word.text);
                last.end_x = word.end_x;
            }
            _ if is_sign(&word) => sign = Some(word),
            _ => figures.push(match sign.take() {
                Some(sign) => Piece {
                    x: sign.x,
                    text: format!("{} {}", sign.text, word.text),
                    ..word
                },
                None => word,
            }),
        }
    }
    figures.extend(sign);
    figures
}

/// A row without figures: what stands in its first column, and the rest.
fn as_laid_out(row: &Row) -> Named {
    let (names, others) = row
        .pieces
        .iter()
        .cloned()
        .partition(|piece: &Piece| piece.column == 0);
    let names: Vec<Piece> = names;
    Named {
        name: names.into_iter().next(),
        others,
    }
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '¥')
}

/// `3,226.8`, `(4.8%)`, `$`, `—`; no day of a date, and no part of a telephone number.
fn is_figure(word: &str) -> bool {
    let digits = word.trim_matches(|c| is_currency(c) || "()%*-–—−.".contains(c));
    let is_number = digits.bytes().all(|b| b.is_ascii_digit() || b".,-/".contains(&b));
    let is_dialled =
        digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    !word.ends_with([',', '.']) && !is_dialled && (is_number || digits.eq_ignore_ascii_case("n/a"))
}

/// Words as one piece.
fn together(words: &[Piece]) -> Option<Piece> {
    let (first, last) = words.first().zip(words.last())?;
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    Some(Piece {
        end_x: last.end_x,
        text: texts.join(" "),
        ..*first
    })
}

/// What stands over the columns in a row above the figures: as many parts as there are columns, or one for as many each. A row that
/// heads nothing is given back.
fn headings(row: &Row, read: Named, count: usize) -> Result<Named, Named> {
    if read.others.len() == count {
        return Ok(read);
    }
    let [first, rest @ ..] = &row.pieces[..] else {
        return Err(read);
    };
    let all: Vec<Piece> = row.pieces.iter().flat_map(words).collect();
    if let Some(others) = parts(&all, count) {
        return Ok(Named { name: None, others });
    }
    let name = (first.column == 0 && !rest.is_empty()).then(|| first.clone());
    let rest = if name.is_some() { rest } else { &row.pieces[..] };
    let words: Vec<Piece> = rest.iter().flat_map(words).collect();
    match parts(&words, count) {
        Some(others) => Ok(Named { name, others }),
        None if rest.len() > 1
            && count.is_multiple_of(rest.len())
            && !rest.iter().any(|piece| is_value(&piece.text)) =>
        {
            Ok(Named {
                name,
                others: rest.to_vec(),
            })
        }
        None => Err(read),
    }
}

/// Words that say the same of several columns in turn: "12 Weeks Ended 36 Weeks Ended", "2023 2022", "Budget Actual Budget Actual".
fn parts(words: &[Piece], count: usize) -> Option<Vec<Piece>> {
    let shapes: Vec<String> = words.iter().map(|word| shape(&word.text)).collect();
    let repeats = |parts: usize| {
        let length = shapes.len() / parts;
        parts > 1
            && length > 0
            && shapes.len().is_multiple_of(parts)
            && shapes.chunks(length).all(|part| *part == shapes[..length])
    };
    let parts = (2..=count)
        .rev()
        .filter(|parts| count.is_multiple_of(*parts))
        .find(|&parts| repeats(parts))?;
    let has_number = words
        .iter()
        .any(|word| word.text.contains(|c: char| c.is_ascii_digit()));
    let is_one = words.iter().all(|word| word.column == words[0].column);
    let parts = if words.len() == count && !has_number && is_one {
        count
    } else {
        parts
    };
    words.chunks(words.len() / parts).map(together).collect()
}

/// A word without its digits; months are alike.
fn shape(word: &str) -> String {
    match is_month(word) {
        true => "month".to_owned(),
        false => word.to_lowercase().replace(|c: char| c.is_ascii_digit(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as a layout has them: column and text of each cell; a letter is five points wide, a column a hundred.
    fn rows(rows: &[&[(usize, &str)]]) -> Vec<Row> {
        let row = |(number, cells): (usize, &&[(usize, &str)])| Row {
            y: 700.0 - 14.0 * number as f32,
            size: 10.0,
            is_heading: false,
            is_item: false,
            is_margin: false,
            table: Some(0),
            pieces: cells
                .iter()
                .map(|&(column, text)| Piece {
                    x: 50.0 + 100.0 * column as f32,
                    end_x: 50.0 + 100.0 * column as f32 + 5.0 * text.chars().count() as f32,
                    column,
                    text: text.to_owned(),
                })
                .collect(),
        };
        rows.iter().enumerate().map(row).collect()
    }

    /// Each row with a bar before what stands in the next column.
    fn apart(table: &[&[(usize, &str)]]) -> Option<Vec<String>> {
        let show = |row: &Row| {
            let mut column = 0;
            row.pieces.iter().fold(String::new(), |shown, piece| {
                let bars = "|".repeat(piece.column - std::mem::replace(&mut column, piece.column));
                shown + &bars + &piece.text
            })
        };
        Some(set_apart(&rows(table))?.iter().map(show).collect())
    }

    #[test]
    fn figures_of_one_cell_stand_under_their_headings() {
        let table: &[&[(usize, &str)]] = &[
            &[(1, "13 Weeks Ended"), (3, "52 Weeks Ended")],
            &[(1, "January January"), (3, "January January")],
            &[(1, "28, 29,"), (3, "28, 29,")],
            &[(0, "In millions"), (1, "2023 2022"), (3, "2023 2022")],
            &[
                (0, "Net sales"),
                (1, "$ 3,226.8 $ 2,729.4"),
                (3, "$ 10,208.6 $ 8,630.9"),
            ],
            &[(0, "Margin"), (1, "15.6%  (4.8%)"), (3, "— 37.9 %")],
            &[(0, "OTHER")],
            &[(0, "EARNINGS OF ACME$ 1,302  $ 1,353  $ 4,132  $"), (4, "3,976")],
            &[(0, "Debt (2)"), (1, "7 8"), (3, "9 6")],
        ];
        assert_eq!(
            apart(table).unwrap(),
            [
                "|13 Weeks Ended||52 Weeks Ended",
                "In millions|January 28, 2023|January 29, 2022|January 28, 2023|January 29, 2022",
                "Net sales|$ 3,226.8|$ 2,729.4|$ 10,208.6|$ 8,630.9",
                "Margin|15.6%|(4.8%)|—|37.9%",
                "OTHER",
                "EARNINGS OF ACME|$ 1,302|$ 1,353|$ 4,132|$ 3,976",
                "Debt (2)|7|8|9|6",
            ]
        );
    }

    #[test]
    fn dates_and_words_over_the_figures_are_headings_of_as_many() {
        let figures: [&[(usize, &str)]; 3] = [
            &[(0, "Hall"), (1, "1 2 3 4")],
            &[(0, "Quay"), (1, "5 6 7 8")],
            &[(0, "Pier"), (1, "9 1 2 3")],
        ];
        let below = |heading: &[(usize, &str)]| {
            let table: Vec<&[(usize, &str)]> = std::iter::once(heading).chain(figures).collect();
            apart(&table).unwrap().remove(0)
        };
        assert_eq!(
            below(&[(1, "May 7, 2023 June 8, 2022 May 7, 2023 Dec. 8, 2022")]),
            "|May 7, 2023|June 8, 2022|May 7, 2023|Dec. 8, 2022"
        );
        assert_eq!(
            below(&[(1, "Budget Actual Budget Actual")]),
            "|Budget|Actual|Budget|Actual"
        );
        assert_eq!(
            below(&[(0, "Rent"), (1, "2023 2022 2021 2020")]),
            "Rent|2023|2022|2021|2020"
        );
    }

    #[test]
    fn a_table_whose_figures_have_cells_stays_as_it_is() {
        assert_eq!(
            apart(&[
                &[(0, "Hall"), (1, "1"), (2, "2")],
                &[(0, "Quay"), (1, "3"), (2, "4")],
                &[(0, "Pier"), (1, "5"), (2, "6")]
            ]),
            None
        );
        // French thousands, an account, two figures of one heading.
        let headed: [&[(usize, &str)]; 4] = [
            &[(0, "Commune"), (1, "Habitants")],
            &[(0, "Lyon"), (1, "522 250")],
            &[(0, "Nice"), (1, "348 085")],
            &[(0, "Lille"), (1, "236 234")],
        ];
        assert_eq!(apart(&headed), None);
        assert_eq!(
            apart(&[
                &[(0, "Hall"), (1, "1 2")],
                &[(0, "Quay"), (1, "at 3")],
                &[(0, "Pier"), (1, "5 6 7")]
            ]),
            None
        );
        assert_eq!(
            apart(&[
                &[(0, "Ann"), (1, "3 May 2024")],
                &[(0, "Bo"), (1, "4 May 2024")],
                &[(0, "Cy"), (1, "5 May 2024")]
            ]),
            None
        );
        assert_eq!(
            apart(&[
                &[(0, "Tel."), (1, "020 7946 0018")],
                &[(0, "Fax"), (1, "020 7946 0019")],
                &[(0, "Desk"), (1, "020 7946 0020")]
            ]),
            None
        );
    }

    #[test]
    fn a_name_keeps_its_number() {
        let table: &[&[(usize, &str)]] = &[
            &[(0, "In millions"), (1, "2024 2023")],
            &[(0, "Level 1"), (1, "14 15")],
            &[(0, "Balance at May 31, 2023"), (1, "125 $ 470")],
            &[(0, "30-34"), (1, "7 8")],
            &[(0, "Debt (2)"), (1, "12 € 13 €")],
            &[(0, "45-60 21% 16%")],
        ];
        assert_eq!(
            apart(table).unwrap()[1..],
            [
                "Level 1|14|15",
                "Balance at May 31, 2023|125|$ 470",
                "30-34|7|8",
                "Debt (2)|12 €|13 €",
                "45-60|21%|16%",
            ]
        );
    }

    #[test]
    fn fewer_figures_stand_where_they_are_nearest() {
        let table: &[&[(usize, &str)]] = &[
            &[(0, "Rent"), (1, "2024 2023"), (2, "2022")],
            &[(0, "Hall"), (1, "11 22"), (2, "33")],
            &[(0, "Quay"), (1, "44 55"), (2, "66")],
            &[(0, "Pier"), (1, "77 88"), (2, "99")],
            &[(0, "Dock"), (2, "12")],
        ];
        assert_eq!(apart(table).unwrap()[4], "Dock|||12");
    }
}
