//! Libraries: added one by one or from a table, and given to organisations.

use serde_json::json;

use super::Error;
use super::organisations::{self, Actor};
use crate::catalogue::{Library, Organisation, Publishing, RuleError, Visibility};
use crate::db::{self, Tx};
use crate::table;

/// Columns of the table of libraries.
pub const COLUMNS: [&str; 7] =
    ["slug", "name", "owner", "description", "visibility", "publishing", "quota_gb"];

/// Adds `library`.
///
/// # Errors
///
/// [`Error::Taken`] when its slug is in use.
pub async fn add(tx: &mut Tx, library: &Library, by: Actor) -> Result<(), Error> {
    let slug = library.slug.as_str();
    db::libraries::insert(tx, library).await.map_err(|error| Error::taken(error, slug))?;
    let detail = json!({ "slug": slug, "owner": library.owner.map(|id| id.to_string()) });
    by.record(tx, "create-library", &library.id.to_string(), &detail).await?;
    Ok(())
}

/// Keeps how the people of `library` arranged it: look, defaults of what is uploaded, retention.
///
/// # Errors
///
/// Those of the database.
pub async fn arrange(tx: &mut Tx, library: &Library, by: Actor) -> Result<(), Error> {
    db::libraries::save(tx, library).await?;
    let detail = json!({
        "look": library.look,
        "licence": library.licence,
        "topics": library.topics,
        "retention_days": library.retention_days,
    });
    by.record(tx, "edit-library", &library.id.to_string(), &detail).await?;
    Ok(())
}

/// Gives `library` to `owner`. What it did so far stays with whose it was then.
///
/// # Errors
///
/// [`Error::Rule`] when `owner` is closed.
pub async fn give(
    tx: &mut Tx,
    library: &Library,
    owner: &Organisation,
    by: Actor,
) -> Result<(), Error> {
    if owner.closed_ms.is_some() {
        return Err(RuleError::BadField { field: "owner", value: owner.name.clone() }.into());
    }
    db::libraries::give(tx, library.id, Some(owner.id), by.now_ms).await?;
    let detail = json!({
        "from": library.owner.map(|id| id.to_string()),
        "to": owner.id.to_string(),
    });
    by.record(tx, "give-library", &library.id.to_string(), &detail).await?;
    Ok(())
}

/// Makes the libraries of a table; says how many. Those whose slug is there already stay as they
/// are, so that a longer table can be given again.
///
/// # Errors
///
/// [`Error::Line`] with the first line that cannot be taken; the caller then commits nothing.
pub async fn import(tx: &mut Tx, bytes: &[u8], by: Actor) -> Result<usize, Error> {
    let mut made = 0;
    for line in table::read(bytes, &COLUMNS)? {
        if take(tx, &line, by).await.map_err(|error| error.in_line(line.number))? {
            made += 1;
        }
    }
    Ok(made)
}

async fn take(tx: &mut Tx, line: &table::Line, by: Actor) -> Result<bool, Error> {
    let slug = line.need("slug")?;
    if db::libraries::find_by_slug(tx, slug).await?.is_some() {
        return Ok(false);
    }
    let mut library = Library::new(slug.parse()?, line.need("name")?, by.now_ms);
    if let Some(owner) = line.get("owner") {
        library.owner = Some(organisations::named(tx, owner).await?.id);
    }
    library.description = line.get("description").unwrap_or_default().to_owned();
    library.visibility = match line.get("visibility") {
        None | Some("public") => Visibility::Public,
        Some("internal") => Visibility::Internal,
        Some(other) => return Err(bad("visibility", other)),
    };
    library.publishing = match line.get("publishing") {
        None | Some("manual") => Publishing::Manual,
        Some("automatic") => Publishing::Automatic,
        Some(other) => return Err(bad("publishing", other)),
    };
    if let Some(text) = line.get("quota_gb") {
        let gigabytes: u32 = text.parse().map_err(|_| bad("quota_gb", text))?;
        library.quota_bytes = Some(i64::from(gigabytes) << 30).filter(|bytes| *bytes > 0);
    }
    add(tx, &library, by).await?;
    Ok(true)
}

fn bad(field: &'static str, value: &str) -> Error {
    RuleError::BadField { field, value: value.chars().take(40).collect() }.into()
}
