//! Tables that people fill in with a spreadsheet: read from CSV, written as CSV and XLSX.
//!
//! XLSX is read in the media child (`media::sheet`); what it says becomes a [`Grid`] too.

mod book;
mod write;

pub use book::{Book, Choice, Column, Sheet, legible};
pub use write::{Csv, as_csv, bare, plain};

use std::collections::HashMap;

/// Why a table is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than are taken.
    #[error("more than {0} bytes")]
    TooLarge(usize),
    /// More rows than are taken.
    #[error("more than {0} rows")]
    TooManyRows(usize),
    /// More cells than are taken.
    #[error("more than {0} cells")]
    TooManyCells(usize),
    /// It is no CSV.
    #[error("{0}")]
    Malformed(String),
    /// A heading that is not known: a column that was misspelt would else be lost.
    #[error("the column {column:?} is none of {known}")]
    Unknown {
        /// As it stands there.
        column: String,
        /// Those that are known.
        known: String,
    },
    /// Two columns with one meaning.
    #[error("the column {0:?} is there twice")]
    Twice(String),
    /// A cell that must be filled in.
    #[error("{0} is empty")]
    Empty(String),
}

/// What is taken of a table.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the file.
    pub max_bytes: usize,
    /// Rows below the heading.
    pub max_rows: usize,
    /// Cells that are not empty.
    pub max_cells: usize,
}

/// What is taken of tables of people, organisations and libraries, and of manifests.
const LIMITS: Limits = Limits { max_bytes: 64 << 20, max_rows: 1_000_000, max_cells: 20_000_000 };

/// A table as it was read: trimmed cells, with `\n` between lines of a cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    /// The first row that is not empty.
    pub heading: Vec<String>,
    /// The rows below that are not empty.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// As a spreadsheet numbers it, from 1.
    pub number: usize,
    /// In their order.
    pub cells: Vec<String>,
}

impl Grid {
    /// Adds a row; the first is the heading.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRows`].
    pub fn push(
        &mut self,
        number: usize,
        cells: Vec<String>,
        limits: &Limits,
    ) -> Result<(), Error> {
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        if self.heading.is_empty() {
            self.heading = cells;
            return Ok(());
        }
        if self.rows.len() >= limits.max_rows {
            return Err(Error::TooManyRows(limits.max_rows));
        }
        self.rows.push(Row { number, cells });
        Ok(())
    }
}

/// Reads CSV in UTF-8, UTF-16 with a mark, or GB 18030, with commas, semicolons or tabs between.
///
/// # Errors
///
/// [`Error`].
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Grid, Error> {
    if bytes.len() > limits.max_bytes {
        return Err(Error::TooLarge(limits.max_bytes));
    }
    let text = lines_of(&decoded(bytes));
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .delimiter(delimiter(&text))
        .from_reader(text.as_bytes());
    let mut grid = Grid::default();
    let mut record = csv::StringRecord::new();
    // Lines of the file that a spreadsheet does not count: those within cells.
    let (mut within, mut cells) = (0, 0);
    while reader.read_record(&mut record).map_err(|error| Error::Malformed(error.to_string()))? {
        within += record.iter().map(|cell| cell.matches('\n').count()).sum::<usize>();
        // Empty lines before the record are counted, so the place behind it tells its number.
        let behind = usize::try_from(reader.position().line()).unwrap_or(usize::MAX);
        let row: Vec<String> = record.iter().map(tidy).collect();
        cells += row.iter().filter(|cell| !cell.is_empty()).count();
        if cells > limits.max_cells {
            return Err(Error::TooManyCells(limits.max_cells));
        }
        grid.push(behind.saturating_sub(1 + within), row, limits)?;
    }
    Ok(grid)
}

/// A cell as it is compared: trimmed, with `\n` between its lines, without control characters and
/// the quote that keeps a spreadsheet from taking it for a formula.
#[must_use]
pub fn tidy(cell: &str) -> String {
    bare(legible(cell).trim()).trim().to_owned()
}

/// `text` with `\n` at the ends of its lines.
#[must_use]
pub fn lines_of(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Spreadsheets in China write CSV in GB 18030 unless told not to.
fn decoded(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return with_end(encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned());
    }
    with_end(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030.decode(bytes).0.into_owned(),
    })
}

/// The last line ends too, so that it is counted.
fn with_end(mut text: String) -> String {
    if !text.ends_with(['\n', '\r']) {
        text.push('\n');
    }
    text
}

/// What stands between the cells of the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let most = |byte: &u8| first.bytes().filter(|b| b == byte).count();
    // Of several as often, the last wins.
    [b';', b'\t', b','].into_iter().max_by_key(most).unwrap_or(b',')
}

/// A line of a table: its number and its values by the names of their columns.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// From 1, the heading.
    pub number: usize,
    values: HashMap<String, String>,
}

impl Line {
    /// The value in the column `name`, trimmed; `None` where it is empty or there is no such
    /// column.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value in the column `name`, which must be there.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] when it is not.
    pub fn need(&self, name: &str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| Error::Empty(name.to_owned()))
    }
}

/// Reads a table whose columns are among `columns`; lines without any value are left out.
///
/// # Errors
///
/// [`Error`].
pub fn read(bytes: &[u8], columns: &[&str]) -> Result<Vec<Line>, Error> {
    let grid = parse(bytes, &LIMITS)?;
    let unknown = |name: &&String| !columns.contains(&name.to_lowercase().as_str());
    if let Some(name) = grid.heading.iter().find(unknown) {
        return Err(Error::Unknown { column: name.clone(), known: columns.join(", ") });
    }
    Ok(lines(grid, columns))
}

/// The same; columns that are not among `columns` are passed over.
///
/// # Errors
///
/// [`Error`].
pub fn read_among(bytes: &[u8], columns: &[&str]) -> Result<Vec<Line>, Error> {
    Ok(lines(parse(bytes, &LIMITS)?, columns))
}

fn lines(grid: Grid, columns: &[&str]) -> Vec<Line> {
    let names: Vec<String> = grid.heading.iter().map(|name| name.to_lowercase()).collect();
    let line = |row: Row| Line {
        number: row.number,
        values: names
            .iter()
            .cloned()
            .zip(row.cells)
            .filter(|(name, value)| columns.contains(&name.as_str()) && !value.is_empty())
            .collect(),
    };
    let lines = grid.rows.into_iter().map(line);
    lines.filter(|line| !line.values.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(text: &str) -> Grid {
        parse(text.as_bytes(), &LIMITS).expect("a table")
    }

    #[test]
    fn a_spreadsheet_s_table_is_read() {
        let (gb, _, _) = encoding_rs::GB18030.encode("Code, name\r\n371100,日照市\r\n,\r\n");
        let text = "\u{feff}code;name\n371100; 日照市 \n";
        let utf16: Vec<u8> = "\u{feff}code\tname\r\n371100\t日照市"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [gb.to_vec(), text.into(), utf16] {
            let lines = read(&bytes, &["code", "name"]).expect("a table");
            assert_eq!(lines.len(), 1);
            assert_eq!((lines[0].number, lines[0].get("name")), (2, Some("日照市")));
        }
    }

    #[test]
    fn a_misspelt_column_is_told() {
        let error = read(b"code,nmae\n1,x\n", &["code", "name"]).expect_err("misspelt");
        assert!(error.to_string().contains("nmae"), "{error}");
    }

    #[test]
    fn rows_are_numbered_as_a_spreadsheet_does() {
        let rows = grid("a,b\r\n\r\n1,\"x\r\ny\r\nz\"\r\n,\r\n2,w\r\n\r\n3,\"\"\"q\"\"\"").rows;
        let numbers: Vec<usize> = rows.iter().map(|row| row.number).collect();
        assert_eq!(numbers, [3, 5, 7]);
        assert_eq!((rows[0].cells[1].as_str(), rows[2].cells[1].as_str()), ("x\ny\nz", "\"q\""));
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { max_bytes: 100, max_rows: 2, max_cells: 5 };
        let error = |text: &str| parse(text.as_bytes(), &limits).expect_err("too much");
        assert_eq!(error("a\n1\n2\n3\n"), Error::TooManyRows(2));
        assert_eq!(error("a,b\n1,2\n3,4\n"), Error::TooManyCells(5));
        assert_eq!(error(&"x".repeat(101)), Error::TooLarge(100));
    }
}
