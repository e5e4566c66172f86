//! What is alike as CSV, for spreadsheets.

use super::gather::Gathered;
use super::rfc3339;
use crate::app::App;
use crate::db::twins::Pair;
use crate::table::as_csv;

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

/// A line for each pair, in the order of the groups, which are numbered from 1.
pub(super) fn csv(gathered: &Gathered) -> String {
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    for (number, group) in (1..).zip(&gathered.groups) {
        rows.extend(group.pairs.iter().map(|pair| row(gathered, number, group.libraries, pair)));
    }
    as_csv(&rows)
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
        let title = of.map_or_else(String::new, |(resource, _)| resource.details.title.clone());
        let library = of.map_or("", |(_, library)| library.slug.as_str());
        let stage = of.map_or("", |(resource, _)| resource.stage.as_str());
        row.extend([id.to_string(), title, library.to_owned(), stage.to_owned()]);
        row.extend([span.from.to_string(), span.to.to_string()]);
    }
    let verdict = gathered.verdict(pair);
    row.push(rfc3339(pair.found_ms));
    row.push(verdict.map_or_else(String::new, |verdict| verdict.by.clone()));
    row.push(verdict.map_or_else(String::new, |verdict| verdict.reason.clone()));
    row
}
