//! What all lists have in common: words to look for, pages, and the whole as a table.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::people::csv_file;
use super::problem::ApiError;
use crate::catalogue::RuleError;
use crate::pages::{Listed, Paging};
use crate::table::as_csv;

/// Most rows on a page, and how many there are when nobody says.
const MAX_PER_PAGE: i64 = 500;
const PER_PAGE: i64 = 50;

/// Most letters that are looked for: no name is longer.
const MAX_WORDS: usize = 100;

/// Last page that can be asked for.
const MAX_PAGE: i64 = 1_000_000;

/// Rows read at a time for a whole table.
const BATCH: i64 = 1000;

/// What is looked for, which page of it, and as what.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
pub(in crate::api) struct Listing {
    /// What is looked for.
    #[serde(default)]
    pub q: String,
    /// From 1.
    pub page: Option<i64>,
    /// At most 500; 50 when left out.
    pub per_page: Option<i64>,
    /// csv: all that matches as a table, without pages.
    #[serde(default)]
    pub format: String,
}

impl Listing {
    /// What is looked for; PostgreSQL takes no NUL.
    pub(in crate::api) fn words(&self) -> Option<String> {
        let text: String = self.q.trim().replace('\0', "").chars().take(MAX_WORDS).collect();
        Some(text).filter(|text| !text.is_empty())
    }

    /// Whether one of `texts` has what is looked for.
    pub(in crate::api) fn matches(&self, texts: &[&str]) -> bool {
        self.words().is_none_or(|words| {
            let words = words.to_lowercase();
            texts.iter().any(|text| text.to_lowercase().contains(&words))
        })
    }

    /// Which rows are on the page: how many are left out, and how many there are at most.
    pub(in crate::api) fn span(&self) -> (i64, i64) {
        let per_page = self.per_page.unwrap_or(PER_PAGE).clamp(1, MAX_PER_PAGE);
        ((self.at() - 1) * per_page, per_page)
    }

    fn at(&self) -> i64 {
        self.page.unwrap_or(1).clamp(1, MAX_PAGE)
    }

    /// The page's rows of all that match.
    pub(in crate::api) fn cut<T>(&self, found: Vec<T>) -> (i64, Vec<T>) {
        let (offset, limit) = self.span();
        let number = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
        let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        (total, found.into_iter().skip(number(offset)).take(number(limit)).collect())
    }

    /// Whether a table is asked for.
    ///
    /// # Errors
    ///
    /// 422 for another form than that.
    pub(in crate::api) fn is_table(&self) -> Result<bool, ApiError> {
        match self.format.as_str() {
            "" | "json" => Ok(false),
            "csv" => Ok(true),
            other => {
                let value = other.chars().take(40).collect();
                Err(RuleError::BadField { field: "format", value }.into())
            }
        }
    }

    /// What a page at `path` says about a list of `total` rows that the API has at `api`, which may
    /// have a query, under the conditions `others` beside the words.
    pub(in crate::api) fn listed(
        &self,
        path: &'static str,
        api: &str,
        total: i64,
        others: &[(&str, &str)],
    ) -> Listed {
        let (_, per_page) = self.span();
        let mut asked = url::form_urlencoded::Serializer::new(String::new());
        asked.append_pair("q", &self.q);
        for (name, value) in others.iter().filter(|(_, value)| !value.is_empty()) {
            asked.append_pair(name, value);
        }
        let asked = asked.finish();
        let size = self.per_page.map(|_| format!("&per_page={per_page}")).unwrap_or_default();
        Listed {
            q: self.q.clone(),
            total: u64::try_from(total).unwrap_or(0),
            paging: Paging {
                page: u32::try_from(self.at()).unwrap_or(1),
                pages: u32::try_from((total + per_page - 1) / per_page).unwrap_or(1),
                href: format!("{path}?{asked}{size}&page="),
            },
            export: format!("{api}{}{asked}&format=csv", if api.contains('?') { '&' } else { '?' }),
            path,
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PageOf<T> {
    /// How many match in all.
    total: i64,
    items: Vec<T>,
}

/// A page of a list, on its way out.
pub(in crate::api) fn page_of<T: Serialize>(total: i64, items: Vec<T>) -> Response {
    Json(PageOf { total, items }).into_response()
}

/// The spans that together are a whole list, one after the other.
pub(in crate::api) fn batches() -> impl Iterator<Item = (i64, i64)> {
    (0..).map(|n| (n * BATCH, BATCH))
}

/// Rows as a table with a heading, on its way out; its file is called `name`.
pub(in crate::api) fn table<const N: usize>(
    name: &'static str,
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Response, ApiError> {
    let mut all = vec![heading.map(str::to_owned).to_vec()];
    all.extend(rows.into_iter().map(|row| row.to_vec()));
    Ok(csv_file(name, as_csv(&all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(q: &str, page: Option<i64>, per_page: Option<i64>) -> Listing {
        Listing { q: q.into(), page, per_page, format: String::new() }
    }

    #[test]
    fn pages_are_cut_and_bounded() {
        let rows: Vec<i64> = (0..120).collect();
        assert_eq!(listing("", None, None).cut(rows.clone()), (120, (0..50).collect()));
        assert_eq!(listing("", Some(3), None).cut(rows.clone()), (120, (100..120).collect()));
        assert_eq!(listing("", Some(4), None).cut(rows), (120, Vec::new()));
        assert_eq!(listing("", Some(i64::MAX), Some(i64::MAX)).span(), (499_999_500, 500));
        assert_eq!(listing("", Some(-1), Some(0)).span(), (0, 1));
    }

    #[test]
    fn words_are_found_in_any_of_the_texts() {
        assert!(listing(" LIN ", None, None).matches(&["x", "Linqu"]));
        assert!(!listing("lin", None, None).matches(&["x"]));
        assert!(listing(" \0", None, None).matches(&[]), "nothing is looked for");
    }

    #[test]
    fn links_keep_what_was_asked() {
        let listed = listing("林 &", Some(2), Some(10)).listed(
            "/a",
            "/api/a",
            25,
            &[("state", "x"), ("of", "")],
        );
        assert_eq!(listed.paging.href, "/a?q=%E6%9E%97+%26&state=x&per_page=10&page=");
        assert_eq!((listed.paging.page, listed.paging.pages), (2, 3));
        assert_eq!(listed.export, "/api/a?q=%E6%9E%97+%26&state=x&format=csv");
    }
}
