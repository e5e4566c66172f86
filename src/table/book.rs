//! Tables as XLSX (ECMA-376): written row by row, so that memory does not grow with them.

use std::io::{Seek, Write};
use std::path::Path;

use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, Format, FormatAlign, Formula, Workbook,
    XlsxError,
};

use super::{lines_of, plain};

/// The last row of a sheet, from 0.
const LAST_ROW: u32 = 1_048_575;

/// A column of the table.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// As it is headed.
    pub heading: String,
    /// What it holds and how it is filled in.
    pub help: String,
    /// Characters that it is wide.
    pub width: u16,
    /// What is chosen from; none: any text.
    pub choices: Vec<Choice>,
    /// Other texts than those can be written too, or several of them.
    pub open: bool,
    /// It is there to be read: what is changed in it is refused.
    pub fixed: bool,
}

/// Something that can be chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// As it is written in a cell.
    pub word: String,
    /// Code that can be written in its place.
    pub code: String,
}

/// What the sheets are called, and the words around.
#[derive(Debug, Clone)]
pub struct Sheet<'a> {
    /// Name of the sheet with the table.
    pub table: &'a str,
    /// Name of the sheet that explains it, and its headings: column, what it holds.
    pub help: &'a str,
    /// Heads of the explanation: column and what it holds.
    pub help_heads: [&'a str; 2],
    /// Name of the sheet with the choices.
    pub choices: &'a str,
    /// Lines above the explanation.
    pub lines: &'a [&'a str],
}

/// A workbook that is being written.
pub struct Book {
    workbook: Workbook,
    columns: u16,
    row: u32,
}

impl Book {
    /// Begins one with the heading of its table; what does not fit in memory goes into `folder`.
    ///
    /// # Errors
    ///
    /// When `folder` cannot be written to.
    pub fn begin(columns: &[Column], sheet: &Sheet<'_>, folder: &Path) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder)?;
        let head = Format::new()
            .set_bold()
            .set_background_color(Color::RGB(0x00DD_EBF7))
            .set_align(FormatAlign::VerticalCenter);
        let fixed = head.clone().set_background_color(Color::RGB(0x00E7_E6E6));
        let table = workbook.add_worksheet_with_constant_memory()?.set_name(sheet.table)?;
        table.set_freeze_panes(1, 0)?;
        let mut lists = Vec::new();
        for (at, column) in (0_u16..).zip(columns) {
            table.set_column_width(at, column.width)?;
            let format = if column.fixed { &fixed } else { &head };
            table.write_string_with_format(0, at, &column.heading, format)?;
            if !column.choices.is_empty() {
                let list = letter(lists.len() * 2);
                let last = column.choices.len() + 1;
                let list = format!("='{}'!${list}$2:${list}${last}", sheet.choices);
                let mut rule = DataValidation::new()
                    .allow_list_formula(Formula::new(list))
                    .set_error_title(&column.heading)?;
                rule = match column.open {
                    true => rule.show_error_message(false),
                    false => rule.set_error_style(DataValidationErrorStyle::Stop),
                };
                table.add_data_validation(1, at, LAST_ROW, at, &rule)?;
                lists.push(column);
            }
        }
        explain(&mut workbook, columns, sheet, &head)?;
        let choices = workbook.add_worksheet().set_name(sheet.choices)?;
        for (at, column) in (0_u16..).step_by(2).zip(&lists) {
            choices.set_column_width(at, 30)?.set_column_width(at + 1, 24)?;
            choices.write_string_with_format(0, at, &column.heading, &head)?;
            for (row, choice) in (1..).zip(&column.choices) {
                choices.write_string(row, at, &choice.word)?;
                choices.write_string(row, at + 1, &choice.code)?;
            }
        }
        let columns = u16::try_from(columns.len()).unwrap_or(u16::MAX);
        Ok(Self { workbook, columns, row: 0 })
    }

    /// Writes a row. Cells that a spreadsheet would take for formulas after a change of format have
    /// a quote before them, as in CSV.
    ///
    /// # Errors
    ///
    /// When there are too many rows, a cell is longer than 32,767 characters, or the disk is full.
    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> Result<(), XlsxError> {
        self.row += 1;
        let table = self.workbook.worksheet_from_index(0)?;
        for (at, cell) in (0_u16..).zip(cells) {
            let cell = plain(&legible(cell.as_ref()));
            if !cell.is_empty() {
                table.write_string(self.row, at, cell)?;
            }
        }
        Ok(())
    }

    /// Ends it and writes it to `out`.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn end<W: Write + Seek + Send>(mut self, out: W) -> Result<(), XlsxError> {
        let last = self.columns.saturating_sub(1);
        self.workbook.worksheet_from_index(0)?.autofilter(0, 0, self.row.max(1), last)?;
        self.workbook.save_to_writer(out)
    }
}

/// The sheet that explains the columns.
fn explain(
    workbook: &mut Workbook,
    columns: &[Column],
    sheet: &Sheet<'_>,
    head: &Format,
) -> Result<(), XlsxError> {
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    let help = workbook.add_worksheet().set_name(sheet.help)?;
    help.set_column_width(0, 22)?.set_column_width(1, 90)?;
    for (row, line) in (0..).zip(sheet.lines) {
        help.write_string(row, 0, *line)?;
    }
    let first = u32::try_from(sheet.lines.len()).unwrap_or(0) + 1;
    for (at, word) in (0_u16..).zip(sheet.help_heads) {
        help.write_string_with_format(first, at, word, head)?;
    }
    for (row, column) in (first + 1..).zip(columns) {
        help.write_string_with_format(row, 0, &column.heading, &wrapped)?;
        help.write_string_with_format(row, 1, &column.help, &wrapped)?;
    }
    Ok(())
}

/// `text` without what XML 1.0 cannot hold (section 2.2), and with `\n` between its lines.
#[must_use]
pub fn legible(text: &str) -> String {
    let holds = |c: &char| {
        !(c.is_control() && !['\n', '\t'].contains(c) || ['\u{fffe}', '\u{ffff}'].contains(c))
    };
    lines_of(text).chars().filter(holds).collect()
}

/// The letters of the column `at`, from 0.
fn letter(at: usize) -> String {
    let name = |n: usize| char::from(b'A' + u8::try_from(n % 26).unwrap_or(0));
    match at {
        0..26 => name(at).to_string(),
        _ => format!("{}{}", name(at / 26 - 1), name(at)),
    }
}
