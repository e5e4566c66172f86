//! Resources by the numbers of their changes.

use sqlx::AnyConnection;

use super::super::{Result, courses, settings};
use super::Row;
use crate::catalogue::{LibraryId, Resource};

/// Numbers a change of every resource and course of `library`, each with a number of its own, so that the
/// index looks at them again.
///
/// # Errors
///
/// Those of the database.
pub async fn touch_library(db: &mut AnyConnection, library: LibraryId) -> Result<()> {
    // Rows of resources and courses are locked before that of the counter, as everywhere.
    sqlx::query("UPDATE resource SET changed = changed WHERE library = $1")
        .bind(library.to_string())
        .execute(&mut *db)
        .await?;
    courses::lock_library(&mut *db, library).await?;
    let before = settings::last_change_locked(&mut *db).await?;
    let touched = sqlx::query(
        "UPDATE resource SET changed = $2 + numbered.number
           FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS number
                   FROM resource WHERE library = $1) AS numbered
          WHERE resource.id = numbered.id",
    )
    .bind(library.to_string())
    .bind(before)
    .execute(&mut *db)
    .await?;
    settings::skip_changes(&mut *db, touched.rows_affected()).await?;
    courses::touch_library(db, library).await
}

/// Up to `limit` resources changed after the change `mark`, deleted ones among
/// them, in the order of their changes. No two have the same number.
///
/// # Errors
///
/// Those of the database.
pub async fn list_changed(db: &mut AnyConnection, mark: i64, limit: i64) -> Result<Vec<Resource>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM resource WHERE changed > $1 ORDER BY changed LIMIT $2")
            .bind(mark)
            .bind(limit)
            .fetch_all(db)
            .await?;
    rows.into_iter().map(Resource::try_from).collect()
}

/// As [`list_changed`], but id and number of the change alone, which can be read of any row.
///
/// # Errors
///
/// Those of the database.
pub async fn list_changes(
    db: &mut AnyConnection,
    mark: i64,
    limit: i64,
) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as(
        "SELECT id, changed FROM resource WHERE changed > $1 ORDER BY changed LIMIT $2",
    )
    .bind(mark)
    .bind(limit)
    .fetch_all(db)
    .await?)
}
