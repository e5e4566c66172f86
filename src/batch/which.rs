//! Which resources are meant: those that a caller may see, or those that they may edit.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::Error;
use crate::catalogue::{Caller, Library, LibraryId, Resource, ResourceId, RuleError};
use crate::db;
use crate::db::resources::Filter;

/// A choice among resources; `None` takes any.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Slug of their library.
    pub library: Option<String>,
    /// Their kind.
    pub kind: Option<String>,
    /// Their stage.
    pub stage: Option<String>,
}

/// Those that `caller` may see, as lists give them: published ones, and more where the caller is an
/// author.
///
/// # Errors
///
/// [`Error::Missing`] for a library that the caller may not see.
pub async fn visible(
    db: &mut AnyConnection,
    caller: &Caller,
    which: &Which,
) -> Result<Filter, Error> {
    let published = Some("published".to_owned());
    let mut filter = Filter { kind: which.kind.clone(), stage: published, ..Filter::default() };
    let mut any_stage = caller.is_administrator();
    match &which.library {
        Some(slug) => {
            let library = library_of(db, caller, slug).await?;
            any_stage = caller.is_author_of(library.id);
            if any_stage && !caller.is_librarian_of(library.id) {
                filter.seen_by = Some(caller.account()?.id.to_string());
            }
            filter.library = Some(library.id);
        }
        None => filter.public_only = !caller.is_administrator(),
    }
    if any_stage {
        filter.stage.clone_from(&which.stage);
    }
    Ok(filter)
}

/// Those that `caller` may edit, as the studio lists them: their own, or all of a library that they
/// look after.
///
/// # Errors
///
/// [`Error::Missing`] for a library that the caller may not see, [`Error::Rule`] for those who may
/// edit nothing there.
pub async fn editable(
    db: &mut AnyConnection,
    caller: &Caller,
    which: &Which,
) -> Result<Filter, Error> {
    let account = caller.account()?.id;
    let mut filter =
        Filter { kind: which.kind.clone(), stage: which.stage.clone(), ..Filter::default() };
    let all = match &which.library {
        Some(slug) => {
            let library = library_of(db, caller, slug).await?;
            caller.may_upload(library.id)?;
            filter.library = Some(library.id);
            caller.is_librarian_of(library.id)
        }
        None if !caller.has_studio() => return Err(RuleError::Forbidden.into()),
        None => caller.is_administrator(),
    };
    filter.uploaded_by = (!all).then(|| account.to_string());
    Ok(filter)
}

async fn library_of(db: &mut AnyConnection, caller: &Caller, slug: &str) -> Result<Library, Error> {
    let found = db::libraries::find_by_slug(db, slug).await?;
    found.filter(|library| caller.can_see_library(library)).ok_or(Error::Missing)
}

/// All libraries, by their ids.
///
/// # Errors
///
/// Those of the database.
pub async fn libraries(db: &mut AnyConnection) -> Result<HashMap<LibraryId, Library>, Error> {
    let all = db::libraries::list(db).await?;
    Ok(all.into_iter().map(|library| (library.id, library)).collect())
}

/// Those of the resources `ids` that `caller` may edit.
///
/// # Errors
///
/// Those of the database.
pub async fn these(
    db: &mut AnyConnection,
    caller: &Caller,
    ids: &[ResourceId],
) -> Result<HashMap<ResourceId, Resource>, Error> {
    let found = db::resources::list_these(db, ids).await?.into_iter();
    let ours = found.filter(|resource| caller.can_edit(resource));
    Ok(ours.map(|resource| (resource.id, resource)).collect())
}
