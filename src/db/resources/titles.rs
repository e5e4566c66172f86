//! Resources by words in their titles.

use sqlx::AnyConnection;

use super::super::{Result, to_json};
use super::{Row, places};
use crate::catalogue::{LibraryId, Resource};

/// Up to `limit` resources of `library` whose titles hold `text`, newest first: those that are
/// published, and those uploaded by `seen_by`, else all. What failed is left out.
///
/// # Errors
///
/// Those of the database.
pub async fn find_in_library(
    db: &mut AnyConnection,
    library: LibraryId,
    seen_by: Option<&str>,
    text: &str,
    limit: i64,
) -> Result<Vec<Resource>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM resource
          WHERE library = $1 AND stage IN ('published', 'ready', 'processing', 'withdrawn')
            AND ($2 IS NULL OR stage = 'published' OR uploaded_by = $2)
            AND LOWER(title) LIKE '%' || LOWER($3) || '%'
          ORDER BY COALESCE(published_ms, created_ms) DESC, id DESC LIMIT $4",
    )
    .bind(library.to_string())
    .bind(seen_by)
    .bind(text.replace(['%', '_'], " "))
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Resource::try_from).collect()
}

/// A search among titles. Empty lists take any.
#[derive(Debug, Clone, Default)]
pub struct TitleQuery {
    /// What the title holds.
    pub text: String,
    /// Slugs of libraries.
    pub libraries: Vec<String>,
    /// Kinds.
    pub kinds: Vec<String>,
    /// Topics.
    pub topics: Vec<String>,
    /// Audiences.
    pub audiences: Vec<String>,
    /// Languages.
    pub languages: Vec<String>,
    /// true, vouched.
    pub local: Vec<String>,
}

/// A page of the public resources whose title holds a text, newest first, and how many there are
/// in all: what answers while there is no index.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_title(
    db: &mut AnyConnection,
    query: &TitleQuery,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<Resource>)> {
    let mut condition = "r.stage = 'published' AND l.visibility = 'public'
            AND LOWER(r.title) LIKE '%' || LOWER($1) || '%'"
        .to_owned();
    let mut values = vec![query.text.replace(['%', '_'], " ")];
    for (column, wanted) in
        [("l.slug", &query.libraries), ("r.kind", &query.kinds), ("r.language", &query.languages)]
    {
        if !wanted.is_empty() {
            let places = places(values.len() + 1, wanted.len(), "");
            condition.push_str(&format!(" AND {column} IN ({places})"));
            values.extend_from_slice(wanted);
        }
    }
    for (column, wanted) in [("r.topics", &query.topics), ("r.audiences", &query.audiences)] {
        if !wanted.is_empty() {
            // JSON arrays of codes.
            let places = places(values.len() + 1, wanted.len(), &format!(" OR {column} LIKE "));
            condition.push_str(&format!(" AND ({column} LIKE {places})"));
            values.extend(wanted.iter().map(|code| format!("%{}%", to_json(code))));
        }
    }
    if !query.local.is_empty() {
        condition.push_str(super::super::vouchers::local_condition(&query.local));
    }
    let from = format!("FROM resource r JOIN library l ON l.id = r.library WHERE {condition}");
    let mut count = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {from}")));
    let next = values.len() + 1;
    let mut page = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT r.* {from} ORDER BY r.published_ms DESC, r.id DESC LIMIT ${next} OFFSET ${}",
        next + 1
    )));
    for value in &values {
        count = count.bind(value);
        page = page.bind(value);
    }
    let total: i64 = count.fetch_one(&mut *db).await?;
    let rows: Vec<Row> = page.bind(limit).bind(offset).fetch_all(db).await?;
    Ok((total, rows.into_iter().map(Resource::try_from).collect::<Result<_>>()?))
}
