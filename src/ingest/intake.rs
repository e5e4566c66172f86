//! Takes an upload's bytes into the store, under the name of their hash.
//!
//! The upload's file stays until the row that names the source is committed:
//! killed at any moment, the next attempt finds one of the two.

use std::path::Path;

use super::{Error, Held, Outcome, blocking, probe};
use crate::app::App;
use crate::catalogue::{DocumentForm, FileType, Kind, Resource};
use crate::db::jobs::NewJob;
use crate::db::uploads::Upload;
use crate::db::{self, Tx};
use crate::store::{Key, Stored};

/// Stores the uploaded file as a source under its hash. Video and sound are looked into at once,
/// so that they can soon be played; what else there is gets its next job.
///
/// # Errors
///
/// [`Error::Unusable`] when the bytes are gone, those of database and store, and of [`probe`].
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (resource, upload) = {
        let mut db = app.db.read().await?;
        let resource = db::resources::find(&mut db, held.resource()).await?;
        (resource, db::uploads::find_by_resource(&mut db, held.resource()).await?)
    };
    let gone = || Error::unusable("upload_gone", "");
    let resource = resource.ok_or_else(gone)?;
    if resource.source.is_none() {
        store(held, upload.as_ref().ok_or_else(gone)?).await?;
    }
    if let Some(upload) = upload {
        super::upload::remove(app, &upload).await?;
    }
    let head = super::head_of_source(app, held.resource()).await?;
    let found = FileType::by_content(&resource.file_name, &head)?;
    let kind = match found.kind {
        Kind::Video | Kind::Audio => return probe::run(held).await,
        Kind::Document => match FileType::form(found.media_type) {
            DocumentForm::Pdf => "inspect",
            DocumentForm::Office { .. } => "convert",
            DocumentForm::Book => "book",
        },
        Kind::Image | Kind::Package => "picture",
    };
    let next = vec![NewJob { kind, payload: "{}".into(), priority: 1, weight: 1.0 }];
    Ok(Outcome { next, change: None })
}

/// Makes the bytes of `upload` the source of the resource.
async fn store(held: &Held, upload: &Upload) -> Result<(), Error> {
    let app = &held.app;
    super::upload::gather(app, upload).await?;
    let path = super::upload::path(app, upload.id);
    if !path.exists() {
        return Err(Error::unusable("upload_gone", ""));
    }
    let hashed = path.clone();
    let stored = match super::upload::stored(upload) {
        Some(stored) => stored,
        None => blocking(move || Ok(Stored::of_file(&hashed)?)).await?,
    };
    let found_bytes = path.metadata().map_err(super::io("looking at the upload"))?.len();
    if stored.size_bytes != upload.length_bytes || found_bytes.cast_signed() != stored.size_bytes {
        let sizes = format!("{found_bytes} / {}", upload.length_bytes);
        return Err(Error::unusable("upload_damaged", sizes));
    }
    crate::fault::at("source-hashed");
    link(app, stored, &path).await?;
    crate::fault::at("source-stored");
    let mut tx = match held.begin().await {
        Err(Error::LeaseLost) => {
            // Deleted meanwhile, perhaps: then nobody else would remove it.
            super::sweep::remove_unnamed(app, &Key::Source(stored.sha256).to_string()).await?;
            return Err(Error::LeaseLost);
        }
        begun => begun?,
    };
    let resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    name_source(app, &mut tx, resource, stored, &path).await?;
    tx.commit().await?;
    crate::fault::at("source-named");
    Ok(())
}

/// Stores `file`, which is `stored`, as a source that has no row yet. May copy all of
/// it: not to be called in a transaction.
///
/// # Errors
///
/// Those of the store.
pub async fn link(app: &App, stored: Stored, file: &Path) -> Result<(), Error> {
    let (store, file) = (app.store.clone(), file.to_owned());
    blocking(move || Ok(store.link_source(&stored, &file)?)).await
}

/// Makes `stored` the source of `resource`. It was linked before, from `file`, which is still
/// there: a sweep may have taken the source away again, before the row that names it.
///
/// # Errors
///
/// Those of database and store.
pub async fn name_source(
    app: &App,
    tx: &mut Tx,
    mut resource: Resource,
    stored: Stored,
    file: &Path,
) -> Result<Resource, Error> {
    resource.source = Some(stored.sha256);
    resource.size_bytes = stored.size_bytes;
    // Takes the counter's row, so it waits for a sweep of the same source; see `sweep`.
    db::resources::save(tx, &mut resource, app.now_ms()).await?;
    let key = Key::Source(stored.sha256).to_string();
    let (store, named) = (app.store.clone(), key.clone());
    let found = blocking(move || Ok(store.size_of(&named).ok())).await?;
    if found != Some(stored.size_bytes) {
        link(app, stored, file).await?;
    }
    db::objects::insert(tx, &key, stored.size_bytes, stored.sha256, None, app.now_ms()).await?;
    Ok(resource)
}
