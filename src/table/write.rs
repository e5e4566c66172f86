//! Tables as CSV that spreadsheets open as they are.

use std::io::{self, Write};

/// What Excel takes UTF-8 for another encoding without.
const MARK: &str = "\u{feff}";

/// Writes CSV (RFC 4180) in UTF-8 with its mark, and no cell that a spreadsheet takes for a formula.
#[derive(Debug)]
pub struct Csv<W: Write>(csv::Writer<W>);

impl<W: Write> Csv<W> {
    /// Begins a table on `out`.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(MARK.as_bytes())?;
        Ok(Self(csv::Writer::from_writer(out)))
    }

    /// Goes on with a table whose beginning was written elsewhere.
    pub fn go_on(out: W) -> Self {
        Self(csv::Writer::from_writer(out))
    }

    /// Writes a row.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> io::Result<()> {
        for cell in cells {
            self.0.write_field(plain(cell.as_ref())).map_err(io::Error::other)?;
        }
        self.0.write_record(None::<&[u8]>).map_err(io::Error::other)
    }

    /// Ends it and gives `out` back.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn end(self) -> io::Result<W> {
        self.0.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}

/// `rows` as CSV.
#[must_use]
pub fn as_csv<T: AsRef<str>>(rows: &[Vec<T>]) -> String {
    let write = || {
        let mut csv = Csv::begin(Vec::new())?;
        rows.iter().try_for_each(|row| csv.row(row))?;
        csv.end()
    };
    String::from_utf8(write().expect("memory takes it")).expect("it was text")
}

/// Whether a spreadsheet takes `text` for a formula (OWASP, "CSV Injection"). A number may begin
/// with + or -, a formula goes on after it.
fn is_formula(text: &str) -> bool {
    let number = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == '.');
    match text.strip_prefix(['+', '-']) {
        Some(rest) => !number(rest),
        None => text.starts_with(['=', '@', '\t', '\r']),
    }
}

/// `text` with a quote before it where a spreadsheet would take it for a formula, or where a reader
/// would take its own quote away.
#[must_use]
pub fn plain(text: &str) -> String {
    match is_formula(text.trim_start_matches('\'')) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// `cell` without the quote of [`plain`].
#[must_use]
pub fn bare(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::{Limits, legible, parse, tidy};

    #[test]
    fn no_cell_is_a_formula() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("'=1+1", "''=1+1"),
            ("+4930901820", "+4930901820"),
            ("-1+cmd", "'-1+cmd"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("'n Sync", "'n Sync"),
            ("林", "林"),
        ] {
            assert_eq!(plain(text), written);
            assert_eq!(bare(written), text);
        }
        let rows = [vec!["=1+1", "+4930901820", "-1+cmd", "林"]];
        assert_eq!(as_csv(&rows), "\u{feff}'=1+1,+4930901820,'-1+cmd,林\n");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(texts in prop::collection::vec(prop::collection::vec("\\PC*|['=+@\\-\t,;\"\\n\\r 林]{0,9}", 3), 0..6)) {
            let limits = Limits { max_bytes: 1 << 20, max_rows: 100, max_cells: 1000 };
            let mut rows = vec![vec!["a".to_owned(), "b".into(), "c".into()]];
            rows.extend(texts.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()));
            let grid = parse(as_csv(&rows).as_bytes(), &limits).expect("a table");
            let filled = rows.iter().enumerate().skip(1).filter(|(_, row)| row.iter().any(|c| !c.is_empty()));
            let filled: Vec<_> = filled.map(|(at, row)| (at + 1, row.clone())).collect();
            let read: Vec<_> = grid.rows.into_iter().map(|row| (row.number, row.cells)).collect();
            prop_assert_eq!(read, filled);
        }
    }

    /// A text as it can be in a cell.
    fn clean(text: &str) -> String {
        let text = legible(text);
        let text = text.trim();
        // What is compared is what is tidy.
        assert_eq!(tidy(&plain(text)), text, "{text:?}");
        text.to_owned()
    }
}
