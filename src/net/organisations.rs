//! Organisations: added, edited, moved, merged, closed, and read from a table.

use std::collections::HashMap;

use serde_json::json;
use sqlx::AnyConnection;

use super::Error;
use crate::catalogue::{AccountId, DivisionCode, Level, Organisation, RuleError};
use crate::db::{self, Tx};
use crate::table::{self, Line};

/// Columns of the table of organisations.
pub const COLUMNS: [&str; 8] =
    ["code", "name", "level", "parent", "contact", "place", "longitude", "latitude"];

/// Who does it and when: an account, or the command line when there is none.
#[derive(Debug, Clone, Copy)]
pub struct Actor {
    /// Who.
    pub account: Option<AccountId>,
    /// Unix milliseconds.
    pub now_ms: i64,
}

impl Actor {
    /// Records that it did `action` to `subject`.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn record(
        self,
        tx: &mut Tx,
        action: &str,
        subject: &str,
        detail: &serde_json::Value,
    ) -> Result<(), db::Error> {
        db::audit::record(tx, self.now_ms, self.account, action, subject, detail).await
    }
}

/// The organisation that `text` names: its id or its code.
///
/// # Errors
///
/// [`Error::Missing`] when there is none.
pub async fn named(tx: &mut AnyConnection, text: &str) -> Result<Organisation, Error> {
    let found = if let Ok(code) = text.parse::<DivisionCode>() {
        db::organisations::find_by_code(tx, &code).await?
    } else if let Ok(id) = text.parse() {
        db::organisations::find(tx, id).await?
    } else {
        None
    };
    found.ok_or_else(|| Error::Missing { what: "organisation", value: text.to_owned() })
}

/// Adds `organisation`.
///
/// # Errors
///
/// [`Error::Taken`] when its code is in use.
pub async fn add(tx: &mut Tx, organisation: &Organisation, by: Actor) -> Result<(), Error> {
    let code = organisation.code.as_ref().map_or("", DivisionCode::as_str);
    db::organisations::insert(tx, organisation).await.map_err(|error| Error::taken(error, code))?;
    let detail = json!({ "name": organisation.name, "code": code });
    by.record(tx, "add-organisation", &organisation.id.to_string(), &detail).await?;
    Ok(())
}

/// Keeps what was changed of `organisation`, but for where it is.
///
/// # Errors
///
/// [`Error::Taken`] when its code is in use.
pub async fn edit(tx: &mut Tx, organisation: &Organisation, by: Actor) -> Result<(), Error> {
    let code = organisation.code.as_ref().map_or("", DivisionCode::as_str);
    db::organisations::save(tx, organisation).await.map_err(|error| Error::taken(error, code))?;
    let detail = json!({ "name": organisation.name, "code": code });
    by.record(tx, "edit-organisation", &organisation.id.to_string(), &detail).await?;
    Ok(())
}

/// Puts `organisation` and all below it under `parent`. What it did so far stays with whom it was
/// under then.
///
/// # Errors
///
/// [`Error::Rule`] when it may not stand there.
pub async fn move_to(
    tx: &mut Tx,
    organisation: &Organisation,
    parent: &Organisation,
    by: Actor,
) -> Result<(), Error> {
    organisation.clone().checked(Some(parent))?;
    db::organisations::move_to(tx, organisation, Some(parent), by.now_ms).await?;
    let detail = json!({ "from": organisation.parent().map(|id| id.to_string()), "to": parent.id.to_string() });
    by.record(tx, "move-organisation", &organisation.id.to_string(), &detail).await?;
    Ok(())
}

/// Merges `from` into `into`, which gets its libraries, what is below it, and its people; `from`
/// is closed.
///
/// # Errors
///
/// [`Error::Rule`] when `into` is `from`, below it or closed, or what is below cannot stand there.
pub async fn merge(
    tx: &mut Tx,
    from: &Organisation,
    into: &Organisation,
    by: Actor,
) -> Result<(), Error> {
    if into.path.contains(&from.id) || into.closed_ms.is_some() {
        return Err(RuleError::BadField { field: "into", value: into.name.clone() }.into());
    }
    for below in db::organisations::list(tx).await? {
        if below.parent() == Some(from.id) && below.closed_ms.is_none() {
            below.clone().checked(Some(into))?;
            db::organisations::move_to(tx, &below, Some(into), by.now_ms).await?;
        }
    }
    for library in db::libraries::list_owned(tx, from.id).await? {
        db::libraries::give(tx, library.id, Some(into.id), by.now_ms).await?;
    }
    db::grants::hand_over(tx, from.id, into.id).await?;
    db::people::rehome(tx, from.id, Some(into)).await?;
    let closed =
        Organisation { closed_ms: Some(by.now_ms), merged_into: Some(into.id), ..from.clone() };
    db::organisations::save(tx, &closed).await?;
    db::organisations::end_stay(tx, from.id, by.now_ms).await?;
    let detail = json!({ "into": into.id.to_string() });
    by.record(tx, "merge-organisation", &from.id.to_string(), &detail).await?;
    Ok(())
}

/// Closes `organisation`, which has no libraries and nothing open below it any more. Its people
/// belong to who is above.
///
/// # Errors
///
/// [`Error::NotEmpty`] when it has.
pub async fn close(tx: &mut Tx, organisation: &Organisation, by: Actor) -> Result<(), Error> {
    let below = db::organisations::count_below(tx, organisation.id).await?;
    if below > 0 || !db::libraries::list_owned(tx, organisation.id).await?.is_empty() {
        return Err(Error::NotEmpty(organisation.name.clone()));
    }
    let above = match organisation.parent() {
        None => None,
        Some(parent) => db::organisations::find(tx, parent).await?,
    };
    db::people::rehome(tx, organisation.id, above.as_ref()).await?;
    let closed = Organisation { closed_ms: Some(by.now_ms), ..organisation.clone() };
    db::organisations::save(tx, &closed).await?;
    db::organisations::end_stay(tx, organisation.id, by.now_ms).await?;
    by.record(tx, "close-organisation", &organisation.id.to_string(), &json!({})).await?;
    Ok(())
}

/// What a table did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Organisations that were not there.
    pub added: usize,
    /// Organisations that were, and are as the table says now.
    pub changed: usize,
    /// Organisations that were so already.
    pub same: usize,
}

/// Takes the organisations of a table: those of a code that is known are changed, the others
/// added, below the organisation that `parent` or the code itself names. Lines may stand in any
/// order.
///
/// # Errors
///
/// [`Error::Line`] with the first line that cannot be taken; the caller then commits nothing.
pub async fn import(tx: &mut Tx, bytes: &[u8], by: Actor) -> Result<Imported, Error> {
    let mut lines = table::read(bytes, &COLUMNS)?;
    let mut known: HashMap<DivisionCode, Organisation> = HashMap::new();
    for organisation in db::organisations::list(tx).await? {
        if let Some(code) = &organisation.code {
            known.insert(code.clone(), organisation);
        }
    }
    // Higher levels first, so that everybody finds whom they stand below.
    for line in &lines {
        level_of(line).map_err(|error| error.in_line(line.number))?;
    }
    lines.sort_by_key(|line| level_of(line).ok());
    let mut done = Imported::default();
    for line in &lines {
        let taken = take(tx, line, &mut known, by).await;
        match taken.map_err(|error| error.in_line(line.number))? {
            Taken::Added => done.added += 1,
            Taken::Changed => done.changed += 1,
            Taken::Same => done.same += 1,
        }
    }
    Ok(done)
}

enum Taken {
    Added,
    Changed,
    Same,
}

fn level_of(line: &Line) -> Result<Level, Error> {
    if let Some(level) = line.get("level") {
        return Ok(level.parse()?);
    }
    match line.get("code") {
        Some(code) => Ok(code.parse::<DivisionCode>()?.level()),
        None => Err(Error::Table("neither level nor code".into())),
    }
}

async fn take(
    tx: &mut Tx,
    line: &Line,
    known: &mut HashMap<DivisionCode, Organisation>,
    by: Actor,
) -> Result<Taken, Error> {
    let code = line.get("code").map(str::parse::<DivisionCode>).transpose()?;
    let above = match line.get("parent") {
        Some(parent) => Some(parent.parse::<DivisionCode>()?),
        None => code.as_ref().and_then(DivisionCode::above),
    };
    let parent =
        match &above {
            None => None,
            Some(above) => Some(known.get(above).cloned().ok_or_else(|| Error::Missing {
                what: "organisation",
                value: above.to_string(),
            })?),
        };
    let there = code.as_ref().and_then(|code| known.get(code)).cloned();
    let fresh = there.is_none();
    let before = match there {
        Some(there) => there,
        None => Organisation::new(parent.as_ref(), level_of(line)?, line.need("name")?, by.now_ms)?,
    };
    let number = |name| match line.get(name) {
        None => Ok(None),
        Some(text) => text.parse::<f64>().map(Some).map_err(|_| {
            Error::from(RuleError::BadField { field: "position", value: text.to_owned() })
        }),
    };
    let text = |name, old: &str| line.get(name).unwrap_or(old).to_owned();
    let after = Organisation {
        level: level_of(line)?,
        name: text("name", &before.name),
        code: code.clone(),
        contact: text("contact", &before.contact),
        place: text("place", &before.place),
        position: number("longitude")?.zip(number("latitude")?).or(before.position),
        ..before.clone()
    }
    .checked(parent.as_ref())?;
    let taken = if fresh {
        add(tx, &after, by).await?;
        Taken::Added
    } else {
        let moved = parent.as_ref().filter(|parent| before.parent() != Some(parent.id));
        if let Some(parent) = moved {
            move_to(tx, &before, parent, by).await?;
        }
        if after != before {
            edit(tx, &after, by).await?;
        }
        if after == before && moved.is_none() { Taken::Same } else { Taken::Changed }
    };
    if let Some(code) = code {
        let kept = db::organisations::find(tx, after.id).await?.unwrap_or(after);
        known.insert(code, kept);
    }
    Ok(taken)
}
