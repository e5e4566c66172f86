//! What resources are played and read from: renditions and their parts, captions, pages.

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, parse, parse_json, to_json};
use crate::catalogue::{
    AudioRole, Caption, CaptionOrigin, Page, PagePictures, Part, Rendition, RenditionId,
    RenditionState, ResourceId, Segment, TrackKind,
};

#[derive(FromRow)]
struct RenditionRow {
    id: String,
    name: String,
    kind: String,
    track: i64,
    language: Option<String>,
    label: String,
    role: String,
    selected: i64,
    bitrate_bps: i64,
    codecs: Option<String>,
    width: Option<i64>,
    height: Option<i64>,
    frame_rate: Option<f64>,
    sample_rate: Option<i64>,
    channels: Option<i64>,
    time_scale: Option<i64>,
    init: Option<String>,
    whole_parts: Option<i64>,
    preview: i64,
    spare: i64,
    state: String,
}

#[derive(FromRow)]
struct PartRow {
    rendition: String,
    number: i64,
    key: String,
    segments: String,
}

/// What the first part of a rendition tells.
#[derive(Debug, Clone)]
pub struct InitFacts {
    /// RFC 6381.
    pub codecs: String,
    /// Pixels.
    pub width: Option<i64>,
    /// Pixels.
    pub height: Option<i64>,
    /// Frames a second.
    pub frame_rate: Option<f64>,
    /// Samples a second.
    pub sample_rate: Option<i64>,
    /// Channels of sound.
    pub channels: Option<i64>,
    /// Ticks a second.
    pub time_scale: i64,
    /// Key of the init segment.
    pub init: String,
}

/// Adds a planned rendition; one of the same name stays as it is.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_rendition(
    db: &mut AnyConnection,
    resource: ResourceId,
    position: i64,
    rendition: &Rendition,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO rendition (id, resource, name, kind, position, track, language, label, role, selected, bitrate_bps,
             whole_parts, preview, spare, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
             ON CONFLICT (resource, name) DO NOTHING",
    )
    .bind(rendition.id.to_string())
    .bind(resource.to_string())
    .bind(&rendition.name)
    .bind(match rendition.kind {
        TrackKind::Video => "video",
        TrackKind::Audio => "audio",
    })
    .bind(position)
    .bind(rendition.track)
    .bind(rendition.language.as_deref())
    .bind(&rendition.label)
    .bind(rendition.role.as_str())
    .bind(i64::from(rendition.selected))
    .bind(rendition.bitrate_bps)
    .bind(rendition.whole_parts)
    .bind(i64::from(rendition.preview))
    .bind(i64::from(rendition.spare))
    .bind(match rendition.state {
        RenditionState::Absent => "absent",
        RenditionState::Making => "making",
        RenditionState::Complete => "complete",
        RenditionState::Retired => "retired",
    })
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps what the first part of a rendition told; false when it was known.
///
/// # Errors
///
/// Those of the database.
pub async fn save_init(db: &mut AnyConnection, id: RenditionId, facts: &InitFacts) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE rendition SET codecs = $2, width = $3, height = $4, frame_rate = NULLIF($5, 0.0),
                sample_rate = $6, channels = $7, time_scale = $8, init = $9
          WHERE id = $1 AND init IS NULL",
    )
    .bind(id.to_string())
    .bind(&facts.codecs)
    .bind(facts.width)
    .bind(facts.height)
    // sqlx 0.9 tells PostgreSQL that a missing f64 is a REAL; the next that is there is refused.
    .bind(facts.frame_rate.unwrap_or(0.0))
    .bind(facts.sample_rate)
    .bind(facts.channels)
    .bind(facts.time_scale)
    .bind(&facts.init)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds a part that is durable in the store. A second time changes nothing and gives false.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_part(
    db: &mut AnyConnection,
    rendition: RenditionId,
    part: &Part,
) -> Result<bool> {
    let row = |s: &Segment| [s.offset, s.length, s.key_length, s.start, s.duration];
    let segments: Vec<[u64; 5]> = part.segments.iter().map(row).collect();
    sqlx::query(
        "INSERT INTO part (rendition, number, key, segments) VALUES ($1, $2, $3, $4)
             ON CONFLICT (rendition, number) DO NOTHING",
    )
    .bind(rendition.to_string())
    .bind(part.number)
    .bind(&part.key)
    .bind(to_json(&segments))
    .execute(db)
    .await
    .map(|done| done.rows_affected() > 0)
    .map_err(Into::into)
}

/// Marks the renditions of a resource as complete that are: a copied picture and the sound have
/// one job each, an encoded picture is whole with the last of its parts.
///
/// # Errors
///
/// Those of the database.
pub async fn complete_renditions(
    db: &mut AnyConnection,
    resource: ResourceId,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "UPDATE rendition SET state = 'complete', made_ms = $2
          WHERE resource = $1 AND state = 'making'
            AND CASE WHEN whole_parts IS NULL
                     THEN NOT EXISTS (
                          SELECT 1 FROM job
                           WHERE job.resource = $1 AND job.state IN ('queued', 'running')
                             AND job.kind IN ('probe', CASE WHEN rendition.kind = 'audio' THEN 'audio' ELSE 'copy' END))
                     ELSE (SELECT COUNT(*) FROM part WHERE part.rendition = rendition.id) >= whole_parts END",
    )
    .bind(resource.to_string())
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the copies that were only to be played until all else is whole out of the manifests.
///
/// # Errors
///
/// Those of the database.
pub async fn retire_previews(
    db: &mut AnyConnection,
    resource: ResourceId,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "UPDATE rendition SET state = 'retired', retired_ms = $2
          WHERE resource = $1 AND preview = 1 AND state <> 'retired'",
    )
    .bind(resource.to_string())
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The renditions of a resource in the order of manifests, each with the parts
/// that reach from its start without a gap.
///
/// # Errors
///
/// Those of the database.
pub async fn list_renditions(
    db: &mut AnyConnection,
    resource: ResourceId,
) -> Result<Vec<Rendition>> {
    let rows: Vec<RenditionRow> =
        sqlx::query_as("SELECT * FROM rendition WHERE resource = $1 ORDER BY position, name")
            .bind(resource.to_string())
            .fetch_all(&mut *db)
            .await?;
    let parts: Vec<PartRow> = sqlx::query_as(
        "SELECT p.rendition, p.number, p.key, p.segments
           FROM part p JOIN rendition r ON r.id = p.rendition
          WHERE r.resource = $1 ORDER BY p.rendition, p.number",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|row| rendition(row, &parts)).collect()
}

/// What of a rendition's row shows that it is offered in another way than before.
#[derive(Debug, PartialEq, Eq, FromRow)]
pub struct RenditionMark {
    id: String,
    state: String,
    spare: i64,
    init: Option<String>,
    parts: i64,
}

/// The marks of a resource's renditions.
///
/// # Errors
///
/// Those of the database.
pub async fn mark_renditions(
    db: &mut AnyConnection,
    resource: ResourceId,
) -> Result<Vec<RenditionMark>> {
    Ok(sqlx::query_as(
        "SELECT id, state, spare, init,
                (SELECT COUNT(*) FROM part WHERE part.rendition = rendition.id) AS parts
           FROM rendition WHERE resource = $1 ORDER BY id",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?)
}

/// How many parts of a rendition there are, behind a gap too.
///
/// # Errors
///
/// Those of the database.
pub async fn count_parts(db: &mut AnyConnection, rendition: RenditionId) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM part WHERE rendition = $1")
        .bind(rendition.to_string())
        .fetch_one(db)
        .await?)
}

/// Keys of all parts and init segments of a resource, gaps or not.
///
/// # Errors
///
/// Those of the database.
pub async fn keys_of(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT p.key FROM part p JOIN rendition r ON r.id = p.rendition WHERE r.resource = $1
         UNION SELECT init FROM rendition WHERE resource = $1 AND init IS NOT NULL
         UNION SELECT key FROM caption WHERE resource = $1
         UNION SELECT large FROM page WHERE resource = $1 AND large IS NOT NULL
         UNION SELECT small FROM page WHERE resource = $1 AND small IS NOT NULL
         UNION SELECT words FROM page WHERE resource = $1
         UNION SELECT html FROM chapter WHERE resource = $1
         UNION SELECT picture FROM figure WHERE resource = $1
         UNION SELECT image FROM slide WHERE resource = $1",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?)
}

/// Forgets renditions, pages, chapters, slides and captions of a resource that nobody uploaded.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_made(db: &mut AnyConnection, resource: ResourceId) -> Result<()> {
    for statement in [
        "DELETE FROM part WHERE rendition IN (SELECT id FROM rendition WHERE resource = $1)",
        "DELETE FROM rendition WHERE resource = $1",
        "DELETE FROM caption WHERE resource = $1 AND origin <> 'uploaded'",
        "DELETE FROM page WHERE resource = $1",
        "DELETE FROM chapter WHERE resource = $1",
        "DELETE FROM figure WHERE resource = $1",
        "DELETE FROM slide WHERE resource = $1",
    ] {
        sqlx::query(statement).bind(resource.to_string()).execute(&mut *db).await?;
    }
    Ok(())
}

/// Forgets all captions of a resource.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_captions(db: &mut AnyConnection, resource: ResourceId) -> Result<()> {
    sqlx::query("DELETE FROM caption WHERE resource = $1")
        .bind(resource.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Keeps captions in the place of those of the same name.
///
/// # Errors
///
/// Those of the database.
pub async fn save_caption(
    db: &mut AnyConnection,
    resource: ResourceId,
    caption: &Caption,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO caption (resource, name, language, label, origin, forced, hearing_impaired, key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (resource, name) DO UPDATE
            SET language = excluded.language, label = excluded.label, origin = excluded.origin,
                forced = excluded.forced, hearing_impaired = excluded.hearing_impaired, key = excluded.key",
    )
    .bind(resource.to_string())
    .bind(&caption.name)
    .bind(&caption.language)
    .bind(&caption.label)
    .bind(caption.origin.as_str())
    .bind(i64::from(caption.forced))
    .bind(i64::from(caption.hearing_impaired))
    .bind(&caption.key)
    .execute(db)
    .await?;
    Ok(())
}

/// Removes captions; false when there are none of this name.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_caption(
    db: &mut AnyConnection,
    resource: ResourceId,
    name: &str,
) -> Result<bool> {
    let done = sqlx::query("DELETE FROM caption WHERE resource = $1 AND name = $2")
        .bind(resource.to_string())
        .bind(name)
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The captions of a resource, Chinese first, of each language the whole ones first.
///
/// # Errors
///
/// Those of the database.
pub async fn list_captions(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Caption>> {
    let rows: Vec<(String, String, String, String, i64, i64, String)> = sqlx::query_as(
        "SELECT name, language, label, origin, forced, hearing_impaired, key FROM caption WHERE resource = $1
          ORDER BY CASE WHEN language LIKE 'zh%' THEN 0 ELSE 1 END, language, forced, hearing_impaired, name",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(name, language, label, origin, forced, hearing_impaired, key)| {
            let Some(origin) = CaptionOrigin::of(&origin) else {
                return Err(Error::Row { what: "caption.origin", value: origin });
            };
            let (forced, hearing_impaired) = (forced != 0, hearing_impaired != 0);
            Ok(Caption { name, language, label, origin, forced, hearing_impaired, key })
        })
        .collect()
}

/// Keeps a page of a document in the place of the one of the same number.
///
/// # Errors
///
/// Those of the database.
pub async fn save_page(db: &mut AnyConnection, resource: ResourceId, page: &Page) -> Result<()> {
    sqlx::query(
        "INSERT INTO page (resource, number, width, height, large, small, words)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (resource, number) DO UPDATE
            SET width = excluded.width, height = excluded.height, large = excluded.large,
                small = excluded.small, words = excluded.words",
    )
    .bind(resource.to_string())
    .bind(page.number)
    .bind(page.width)
    .bind(page.height)
    .bind(page.pictures.as_ref().map(|pictures| &pictures.large))
    .bind(page.pictures.as_ref().map(|pictures| &pictures.small))
    .bind(&page.words)
    .execute(db)
    .await?;
    Ok(())
}

/// Names the pictures of a page, of which the large one is `width` by `height` pixels.
///
/// # Errors
///
/// Those of the database.
pub async fn set_pictures(
    db: &mut AnyConnection,
    resource: ResourceId,
    number: i64,
    (width, height): (i64, i64),
    pictures: &PagePictures,
) -> Result<()> {
    sqlx::query(
        "UPDATE page SET width = $3, height = $4, large = $5, small = $6
          WHERE resource = $1 AND number = $2",
    )
    .bind(resource.to_string())
    .bind(number)
    .bind(width)
    .bind(height)
    .bind(&pictures.large)
    .bind(&pictures.small)
    .execute(db)
    .await?;
    Ok(())
}

/// How many pages of a document have no pictures yet.
///
/// # Errors
///
/// Those of the database.
pub async fn count_without_pictures(db: &mut AnyConnection, resource: ResourceId) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM page WHERE resource = $1 AND large IS NULL")
        .bind(resource.to_string())
        .fetch_one(db)
        .await?)
}

/// Names the places of a page's words anew; gives the key that it named before, `None` without
/// such a page.
///
/// # Errors
///
/// Those of the database.
pub async fn set_words(
    db: &mut AnyConnection,
    resource: ResourceId,
    number: i64,
    words: &str,
) -> Result<Option<String>> {
    let before = sqlx::query_scalar("SELECT words FROM page WHERE resource = $1 AND number = $2")
        .bind(resource.to_string())
        .bind(number)
        .fetch_optional(&mut *db)
        .await?;
    sqlx::query("UPDATE page SET words = $3 WHERE resource = $1 AND number = $2")
        .bind(resource.to_string())
        .bind(number)
        .bind(words)
        .execute(db)
        .await?;
    Ok(before)
}

/// The pages of a document, in order.
///
/// # Errors
///
/// Those of the database.
pub async fn list_pages(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Page>> {
    type Row = (i64, i64, i64, Option<String>, Option<String>, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT number, width, height, large, small, words FROM page WHERE resource = $1 ORDER BY number",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(number, width, height, large, small, words)| Page {
            number,
            width,
            height,
            pictures: large.zip(small).map(|(large, small)| PagePictures { large, small }),
            words,
        })
        .collect())
}

fn rendition(row: RenditionRow, parts: &[PartRow]) -> Result<Rendition> {
    let mut own = Vec::new();
    for (expected, part) in (0_i64..).zip(parts.iter().filter(|part| part.rendition == row.id)) {
        if part.number != expected {
            break;
        }
        let segments: Vec<[u64; 5]> = parse_json("part.segments", &part.segments)?;
        own.push(Part {
            number: part.number,
            key: part.key.clone(),
            segments: segments
                .into_iter()
                .map(|[offset, length, key_length, start, duration]| Segment {
                    offset,
                    length,
                    key_length,
                    start,
                    duration,
                })
                .collect(),
        });
    }
    Ok(Rendition {
        id: parse("rendition.id", &row.id)?,
        name: row.name,
        kind: match row.kind.as_str() {
            "video" => TrackKind::Video,
            "audio" => TrackKind::Audio,
            _ => return Err(Error::Row { what: "rendition.kind", value: row.kind }),
        },
        track: row.track,
        language: row.language,
        label: row.label,
        role: AudioRole::of(&row.role)
            .ok_or(Error::Row { what: "rendition.role", value: row.role })?,
        selected: row.selected != 0,
        bitrate_bps: row.bitrate_bps,
        codecs: row.codecs,
        width: row.width,
        height: row.height,
        frame_rate: row.frame_rate,
        sample_rate: row.sample_rate,
        channels: row.channels,
        time_scale: row.time_scale.unwrap_or(0),
        init: row.init,
        whole_parts: row.whole_parts,
        preview: row.preview != 0,
        spare: row.spare != 0,
        state: match row.state.as_str() {
            "absent" => RenditionState::Absent,
            "making" => RenditionState::Making,
            "complete" => RenditionState::Complete,
            "retired" => RenditionState::Retired,
            _ => return Err(Error::Row { what: "rendition.state", value: row.state }),
        },
        parts: own,
    })
}
