//! What front pages tell: how much there is of what, and since which change.

use std::collections::HashMap;

use sqlx::{AnyConnection, FromRow};

use super::{Result, parse, parse_json};
use crate::catalogue::{Kind, LibraryId};

/// Published resources, counted.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// By library and kind.
    pub kinds: Vec<Tally>,
    /// By each list of topics that some have, codes.
    pub topics: Vec<(Vec<String>, i64)>,
    /// By each list of audiences that some have, codes.
    pub audiences: Vec<(Vec<String>, i64)>,
}

/// How many published resources of a library have the same kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Which library.
    pub library: LibraryId,
    /// What they are.
    pub kind: Kind,
    /// How many.
    pub resources: i64,
    /// How long they are together, of video and audio, in milliseconds.
    pub duration_ms: i64,
}

#[derive(FromRow)]
struct Row {
    library: String,
    kind: String,
    resources: i64,
    duration_ms: i64,
}

/// The published resources of `library`, or of all public ones, counted. Three questions, each with
/// few rows: one over library, kind, topics and audiences has nearly as many as there are resources.
///
/// # Errors
///
/// Those of the database.
pub async fn told(db: &mut AnyConnection, library: Option<LibraryId>) -> Result<Told> {
    macro_rules! of {
        ($columns:literal, $group:literal) => {
            concat!(
                "SELECT ", $columns, ", COUNT(*) AS resources FROM resource
                  WHERE stage = 'published'
                    AND library IN (SELECT id FROM library
                                     WHERE id = $1 OR ($1 IS NULL AND visibility = 'public'))
                  GROUP BY ", $group
            )
        };
    }
    let library = library.map(|id| id.to_string());
    let rows: Vec<Row> = sqlx::query_as(of!(
        "library, kind, CAST(COALESCE(SUM(duration_ms), 0) AS BIGINT) AS duration_ms",
        "library, kind"
    ))
    .bind(library.as_deref())
    .fetch_all(&mut *db)
    .await?;
    let topics: Vec<(String, i64)> = sqlx::query_as(of!("topics", "topics"))
        .bind(library.as_deref())
        .fetch_all(&mut *db)
        .await?;
    let audiences: Vec<(String, i64)> = sqlx::query_as(of!("audiences", "audiences"))
        .bind(library.as_deref())
        .fetch_all(db)
        .await?;
    let codes = |(text, count): (String, i64)| Ok((parse_json("resource.topics", &text)?, count));
    Ok(Told {
        kinds: rows.into_iter().map(Tally::try_from).collect::<Result<_>>()?,
        topics: topics.into_iter().map(codes).collect::<Result<_>>()?,
        audiences: audiences.into_iter().map(codes).collect::<Result<_>>()?,
    })
}

/// How many of what was counted have each code; a list of codes may have several.
#[must_use]
pub fn by_code(told: &[(Vec<String>, i64)]) -> HashMap<String, i64> {
    let mut counts = HashMap::new();
    for (codes, resources) in told {
        for code in codes {
            *counts.entry(code.clone()).or_default() += resources;
        }
    }
    counts
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
            resources: row.resources,
            duration_ms: row.duration_ms,
        })
    }
}
