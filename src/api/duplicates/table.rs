//! What is alike as CSV, for spreadsheets.

use super::gather::Gathered;
use super::rfc3339;
use crate::app::App;
use crate::db::twins::Pair;

const HEAD: [&str; 19] = [
    "group",
    "libraries",
    "likeness",
    "share",
    "first",
    "first_title",
    "first_library",
    "first_stage",
    "first_from",
    "first_to",
    "second",
    "second_title",
    "second_library",
    "second_stage",
    "second_from",
    "second_to",
    "found",
    "set_aside_by",
    "reason",
];

/// Everything that nobody spoke against.
///
/// # Errors
///
/// Those of the database.
pub(crate) async fn csv_of_all(app: &App) -> anyhow::Result<String> {
    Ok(csv(&Gathered::of_all(app).await?))
}

/// A line for each pair, in the order of the groups, which are numbered from 1. It begins with a byte
/// order mark, without which Excel takes it for another encoding.
pub(super) fn csv(gathered: &Gathered) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: &[String]| writer.write_record(row).expect("memory takes it");
    write(&HEAD.map(str::to_owned));
    for (number, group) in (1..).zip(&gathered.groups) {
        for pair in &group.pairs {
            write(&row(gathered, number, group.libraries, pair));
        }
    }
    let bytes = writer.into_inner().expect("memory takes it");
    format!("\u{feff}{}", String::from_utf8_lossy(&bytes))
}

fn row(gathered: &Gathered, number: usize, libraries: usize, pair: &Pair) -> Vec<String> {
    let found = pair.found;
    let mut row = vec![
        number.to_string(),
        libraries.to_string(),
        found.likeness.as_str().to_owned(),
        format!("{:.3}", found.share),
    ];
    for (id, span) in [(pair.first, found.first), (pair.second, found.second)] {
        let of = gathered.resource(id);
        let title = of.map_or("", |(resource, _)| &resource.details.title);
        let library = of.map_or("", |(_, library)| library.slug.as_str());
        let stage = of.map_or("", |(resource, _)| resource.stage.as_str());
        row.extend([id.to_string(), plain(title), library.to_owned(), stage.to_owned()]);
        row.extend([span.from.to_string(), span.to.to_string()]);
    }
    let verdict = gathered.verdict(pair);
    row.push(rfc3339(pair.found_ms));
    row.push(plain(verdict.map_or("", |verdict| &verdict.by)));
    row.push(plain(verdict.map_or("", |verdict| &verdict.reason)));
    row
}

/// A text that no spreadsheet takes for a formula.
fn plain(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn titles_are_no_formulas() {
        assert_eq!(super::plain("=1+1"), "'=1+1");
        assert_eq!(super::plain("剪纸"), "剪纸");
    }
}
