//! Spreadsheets (XLSX, ECMA-376): the values of the first sheet.
//!
//! Of a formula the value that the spreadsheet kept is taken; nothing is computed, and no link to
//! another file is followed.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use serde::{Deserialize, Serialize};

use super::archive::{self, Archive, Limits};
use super::xml;

/// Most columns that are filled in.
pub const MAX_COLUMNS: usize = 200;

/// The last row of a sheet (ECMA-376 part 1, section 18.3.1.73, as Excel has it).
const MAX_ROW: u32 = 1_048_576;

/// Longest text of a cell, characters: what Excel takes.
pub const MAX_CHARS: usize = 32_767;

/// Rows that are told together at most, and bytes of their texts that are enough.
const MAX_TOLD: usize = 500;
const ENOUGH_BYTES: usize = 1 << 20;

/// The first bytes of a compound file (MS-CFB section 2.2): an older spreadsheet, or one with a
/// password.
const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// A row that is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetRow {
    /// From 1.
    pub number: u32,
    /// Up to the last that is filled in.
    pub cells: Vec<String>,
}

/// Why a spreadsheet is not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is an older one, or has a password.
    #[error("it is a compound file")]
    Old,
    /// It is none, or damaged.
    #[error("the spreadsheet is damaged: {0}")]
    Damaged(String),
    /// There is no sheet in it.
    #[error("there is no sheet")]
    NoSheet,
    /// More rows than are taken.
    #[error("more than {0} rows")]
    TooManyRows(usize),
    /// More cells than are taken, or one that is too far right or too long.
    #[error("too many cells")]
    TooManyCells,
    /// How it is packed.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// It could not be read, or its rows not be told.
    #[error("cannot read the spreadsheet")]
    Io(#[from] io::Error),
}

impl Error {
    /// A code for the sentence that people read.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Old => "table_old",
            Self::Damaged(_) | Self::NoSheet => "table_damaged",
            Self::TooManyRows(_) => "table_rows",
            Self::TooManyCells => "table_cells",
            Self::Archive(error) => error.code(),
            Self::Io(_) => "internal",
        }
    }

    /// True when a later try may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Archive(error) => error.is_transient(),
            Self::Io(_) => true,
            _ => false,
        }
    }
}

impl From<XlsxError> for Error {
    fn from(error: XlsxError) -> Self {
        match error {
            XlsxError::Io(error) => Self::Io(error),
            error => Self::Damaged(error.to_string().chars().take(200).collect()),
        }
    }
}

/// Tells the rows of the first sheet of `source`, some at a time.
///
/// # Errors
///
/// [`Error`]; rows may have been told before.
pub fn read(
    source: &File,
    limits: &Limits,
    (max_rows, max_cells): (usize, usize),
    told: &mut dyn FnMut(Vec<SheetRow>) -> io::Result<()>,
) -> Result<(), Error> {
    look(source, limits)?;
    let mut source = source;
    source.rewind()?;
    let mut book: Xlsx<_> = Xlsx::new(io::BufReader::new(source))?;
    let name = book.sheet_names().into_iter().next().ok_or(Error::NoSheet)?;
    let mut cells = book.worksheet_cells_reader(&name)?;
    let mut telling = Telling { rows: Vec::new(), bytes: 0, read: 0, max_rows, told };
    let (mut row, mut count) = (SheetRow::default(), 0);
    while let Some(cell) = cells.next_cell()? {
        let (number, at) = cell.get_position();
        let text = text_of(cell.get_value());
        if text.is_empty() {
            continue;
        }
        count += 1;
        let (number, at) = (number.saturating_add(1), at as usize);
        if count > max_cells || at >= MAX_COLUMNS || number > MAX_ROW || is_long(&text) {
            return Err(Error::TooManyCells);
        }
        if number != row.number {
            if number < row.number {
                return Err(Error::Damaged("its rows are in no order".into()));
            }
            telling.take(std::mem::replace(&mut row, SheetRow { number, cells: Vec::new() }))?;
        }
        if row.cells.len() <= at {
            row.cells.resize(at + 1, String::new());
        }
        row.cells[at] = text;
    }
    telling.take(row)?;
    telling.tell()
}

/// Inflates everything once, within the limits, and looks at how its XML nests.
fn look(mut source: &File, limits: &Limits) -> Result<(), Error> {
    source.rewind()?;
    let mut head = Vec::new();
    source.take(COMPOUND.len() as u64).read_to_end(&mut head)?;
    if head == COMPOUND {
        return Err(Error::Old);
    }
    let mut archive = Archive::open(source, limits)?;
    for number in 0..archive.count() {
        let (name, bytes) = archive.read_at(number)?;
        if name.ends_with(".xml") || name.ends_with(".rels") {
            xml::check(&bytes, limits.max_depth).map_err(archive::Error::from)?;
        }
    }
    Ok(())
}

/// Rows on their way out.
struct Telling<'a> {
    rows: Vec<SheetRow>,
    bytes: usize,
    read: usize,
    max_rows: usize,
    told: &'a mut dyn FnMut(Vec<SheetRow>) -> io::Result<()>,
}

impl Telling<'_> {
    fn take(&mut self, row: SheetRow) -> Result<(), Error> {
        if row.cells.is_empty() {
            return Ok(());
        }
        self.read += 1;
        if self.read > self.max_rows {
            return Err(Error::TooManyRows(self.max_rows));
        }
        self.bytes += row.cells.iter().map(String::len).sum::<usize>();
        self.rows.push(row);
        if self.rows.len() == MAX_TOLD || self.bytes >= ENOUGH_BYTES {
            self.tell()?;
        }
        Ok(())
    }

    fn tell(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        if !self.rows.is_empty() {
            (self.told)(std::mem::take(&mut self.rows))?;
        }
        Ok(())
    }
}

/// A value as it is written.
fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(is) => if *is { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(time) => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        DataRef::Error(error) => error.to_string(),
    }
}

fn is_long(text: &str) -> bool {
    text.len() > MAX_CHARS && text.chars().count() > MAX_CHARS
}

/// Whether rows are such as [`read`] tells.
pub(super) fn hold(rows: &[SheetRow]) -> bool {
    let numbered = rows.windows(2).all(|pair| pair[0].number < pair[1].number);
    let whole = |row: &SheetRow| {
        (1..=MAX_ROW).contains(&row.number)
            && (1..=MAX_COLUMNS).contains(&row.cells.len())
            && !row.cells.iter().any(|cell| is_long(cell))
    };
    numbered && (1..=MAX_TOLD).contains(&rows.len()) && rows.iter().all(whole)
}
