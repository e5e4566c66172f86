//! What front pages tell: how much there is of what, and since which change.

use sqlx::{AnyConnection, FromRow};

use super::{Result, parse, parse_json};
use crate::catalogue::{Kind, LibraryId};

/// How many published resources of a library have the same kind, topics and audiences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Which library.
    pub library: LibraryId,
    /// What they are.
    pub kind: Kind,
    /// Codes.
    pub topics: Vec<String>,
    /// Codes.
    pub audiences: Vec<String>,
    /// How many.
    pub resources: i64,
    /// How long they are together, of video and audio, in milliseconds.
    pub duration_ms: i64,
}

#[derive(FromRow)]
struct Row {
    library: String,
    kind: String,
    topics: String,
    audiences: String,
    resources: i64,
    duration_ms: i64,
}

/// The published resources of all libraries, counted.
///
/// # Errors
///
/// Those of the database.
pub async fn tallies(db: &mut AnyConnection) -> Result<Vec<Tally>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT library, kind, topics, audiences, COUNT(*) AS resources,
                CAST(COALESCE(SUM(duration_ms), 0) AS BIGINT) AS duration_ms
           FROM resource WHERE stage = 'published'
          GROUP BY library, kind, topics, audiences",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Tally::try_from).collect()
}

/// The published resources of `library`, counted.
///
/// # Errors
///
/// Those of the database.
pub async fn tallies_of(db: &mut AnyConnection, library: LibraryId) -> Result<Vec<Tally>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT library, kind, topics, audiences, COUNT(*) AS resources,
                CAST(COALESCE(SUM(duration_ms), 0) AS BIGINT) AS duration_ms
           FROM resource WHERE stage = 'published' AND library = $1
          GROUP BY library, kind, topics, audiences",
    )
    .bind(library.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Tally::try_from).collect()
}

/// Between two changes of resources, libraries and organisations: the number of the last change of
/// a resource, and that of the last entry of the audit log, which every other change has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    change: i64,
    audit: i64,
}

impl Moment {
    /// Whether nothing that `asked` saw came after this.
    #[must_use]
    pub fn covers(self, asked: Self) -> bool {
        self.change >= asked.change && self.audit >= asked.audit
    }
}

/// What moment it is.
///
/// # Errors
///
/// Those of the database.
pub async fn moment(db: &mut AnyConnection) -> Result<Moment> {
    let last: Vec<i64> = sqlx::query_scalar(
        "SELECT value FROM counter WHERE name IN ('audit', 'change') ORDER BY name",
    )
    .fetch_all(db)
    .await?;
    let of = |at: usize| last.get(at).copied().unwrap_or_default();
    Ok(Moment { audit: of(0), change: of(1) })
}

impl TryFrom<Row> for Tally {
    type Error = super::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            library: parse("resource.library", &row.library)?,
            kind: parse("resource.kind", &row.kind)?,
            topics: parse_json("resource.topics", &row.topics)?,
            audiences: parse_json("resource.audiences", &row.audiences)?,
            resources: row.resources,
            duration_ms: row.duration_ms,
        })
    }
}
