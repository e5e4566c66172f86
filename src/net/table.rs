//! Tables that people fill in: CSV with a heading, in UTF-8 or GB 18030 as spreadsheets write it.

use std::collections::HashMap;

use super::Error;

/// The most bytes of a table.
const MAX_BYTES: usize = 64 << 20;

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
    /// [`Error::Table`] when it is not.
    pub fn need(&self, name: &str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| Error::Table(format!("{name} is empty")).in_line(self.number))
    }
}

/// Reads a table whose columns are among `columns`; lines without any value are left out.
///
/// # Errors
///
/// [`Error::Table`] when it is too large, no CSV, or has a column that is not known: a column that
/// was misspelt would else be lost.
pub fn read(bytes: &[u8], columns: &[&str]) -> Result<Vec<Line>, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::Table(format!("more than {MAX_BYTES} bytes")));
    }
    // With both, lines would be counted one too few.
    let text = decoded(bytes).replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| Error::Table(error.to_string());
    let heading = reader.headers().map_err(unreadable)?;
    let names: Vec<String> = heading.iter().map(|name| name.trim().to_lowercase()).collect();
    if let Some(name) = names.iter().find(|name| !columns.contains(&name.as_str())) {
        let known = columns.join(", ");
        return Err(Error::Table(format!("the column {name:?} is none of {known}")));
    }
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let position = record.position().map_or(0, csv::Position::line);
        let values: HashMap<_, _> = names
            .iter()
            .cloned()
            .zip(record.iter().map(|value| value.trim().replace('\0', "")))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        if !values.is_empty() {
            lines.push(Line { number: usize::try_from(position).unwrap_or(0), values });
        }
    }
    Ok(lines)
}

/// Spreadsheets in China write CSV in GB 18030 unless told not to.
fn decoded(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030.decode(bytes).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_s_table_is_read() {
        let (bytes, _, _) = encoding_rs::GB18030.encode("Code, name\r\n371100,日照市\r\n,\r\n");
        for bytes in [bytes.to_vec(), "\u{feff}code,name\n371100, 日照市 \n".into()] {
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
}
