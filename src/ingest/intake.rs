//! Takes an upload's bytes into the store, under the name of their hash.
//!
//! The upload's file stays until the row that names the source is committed:
//! killed at any moment, the next attempt finds one of the two.

use super::{Error, Held, Outcome, blocking};
use crate::catalogue::{FileType, Kind};
use crate::db;
use crate::db::jobs::NewJob;
use crate::store::{Key, Stored};

/// Hashes the uploaded file, stores it as a source, and gives the next job.
///
/// # Errors
///
/// [`Error::Unusable`] when the bytes are gone, and those of database and store.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (resource, upload) = {
        let mut db = app.db.read().await?;
        let resource = db::resources::find(&mut db, held.resource()).await?;
        (resource, db::uploads::find_by_resource(&mut db, held.resource()).await?)
    };
    let (Some(resource), Some(upload)) = (resource, upload) else {
        return Err(Error::unusable("upload_gone", ""));
    };
    let path = super::upload::path(app, upload.id);
    if resource.source.is_none() {
        let hashed = path.clone();
        if !path.exists() {
            return Err(Error::unusable("upload_gone", ""));
        }
        let stored = blocking(move || Ok(Stored::of_file(&hashed)?)).await?;
        let mut tx = held.begin().await?;
        // Serialises with the sweep of the same source; see `sweep`.
        let mut resource = db::resources::get_locked(&mut tx, resource.id).await?;
        resource.source = Some(stored.sha256);
        resource.size_bytes = stored.size_bytes;
        db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
        let key = Key::Source(stored.sha256);
        let (store, file, to) = (app.store.clone(), path.clone(), key.clone());
        blocking(move || Ok(store.link_file(&to, &file)?)).await?;
        let key = key.to_string();
        db::objects::insert(&mut tx, &key, stored.size_bytes, stored.sha256, None, app.now_ms())
            .await?;
        tx.commit().await?;
    }
    super::upload::remove_file(&path).await?;
    let head = super::head_of_source(app, held.resource()).await?;
    let file_type = FileType::by_content(&resource.file_name, &head)?;
    let kind = match file_type.kind {
        Kind::Video | Kind::Audio => "probe",
        Kind::Document => "inspect",
        Kind::Image | Kind::Package => "picture",
    };
    Ok(Outcome {
        next: vec![NewJob { kind, payload: "{}".into(), priority: 1, weight: 1.0 }],
        change: Some(Box::new(move |resource| {
            resource.kind = file_type.kind;
            resource.media_type = file_type.media_type.to_owned();
        })),
    })
}
