//! Takes the file of a record of another repository, for its copy here.
//!
//! The file is written aside, among uploads, where a sweep removes it should this be killed; the
//! next attempt begins anew. The row that names the source ends it.

use std::path::Path;

use url::Url;

use super::harvest::fetch::{Error as Failed, Fetcher, Saved};
use super::{Error, Held, Outcome, blocking, intake, upload};
use crate::app::App;
use crate::catalogue::{FileType, UploadId};
use crate::db;
use crate::db::copies::Original;
use crate::db::jobs::NewJob;
use crate::store::Stored;

/// Fetches the file of the held resource, and makes it its source.
///
/// # Errors
///
/// [`Error::Unusable`] for what is no file that can be used here, and those of the network, the
/// database and the store.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (resource, original) = {
        let mut db = app.db.read().await?;
        let resource = db::resources::find(&mut db, held.resource()).await?;
        (resource, db::copies::find(&mut db, held.resource()).await?)
    };
    let gone = || Error::unusable("copy_gone", "");
    let resource = resource.ok_or_else(gone)?;
    if resource.source.is_none() {
        // It has no row: should this program be killed, a sweep removes it.
        let path = upload::path(app, UploadId::fresh());
        let taken = take(held, &original.ok_or_else(gone)?, &path).await;
        upload::remove_file(&path).await?;
        taken?;
    }
    let next = NewJob { kind: "intake", payload: "{}".into(), priority: 0, weight: 1.0 };
    Ok(Outcome { next: vec![next], change: None })
}

/// Fetches to `path`, and makes it the source.
async fn take(held: &Held, original: &Original, path: &Path) -> Result<(), Error> {
    let app = &held.app;
    let (saved, file_type) = first_usable(held, original, path).await?;
    let library = {
        let mut db = app.db.read().await?;
        let resource = db::resources::find(&mut db, held.resource()).await?;
        let resource = resource.ok_or_else(|| Error::unusable("copy_gone", ""))?;
        db::libraries::get(&mut db, resource.library).await?
    };
    upload::admit(app, &library, saved.bytes, 0).await??;
    crate::fault::at("copy-fetched");
    let hashed = path.to_owned();
    let stored = blocking(move || Ok(Stored::of_file(&hashed)?)).await?;
    intake::link(app, stored, path).await?;
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    resource.kind = file_type.kind;
    resource.media_type = file_type.media_type.to_owned();
    resource.file_name = saved.file_name;
    intake::name_source(app, &mut tx, resource, stored, path).await?;
    tx.commit().await?;
    crate::fault::at("copy-named");
    Ok(())
}

/// The file, where the record names one, else what its home answers with: a file that can be used
/// here, not a page.
async fn first_usable(
    held: &Held,
    original: &Original,
    path: &Path,
) -> Result<(Saved, FileType), Error> {
    let fetcher = Fetcher::of_files(&held.app.config).map_err(|error| failed(held, error))?;
    let mut why = Error::unusable("copy_no_file", original.home.clone());
    for address in original.file.iter().chain([&original.home]) {
        let Ok(url) = Url::parse(address) else { continue };
        let saved = match fetcher.save(&url, path, |share| held.set_progress(share)).await {
            Ok(saved) => saved,
            Err(error) => {
                why = failed(held, error);
                continue;
            }
        };
        if saved.is_page {
            continue;
        }
        match usable(&held.app, &saved, path).await? {
            Ok(file_type) => return Ok((saved, file_type)),
            Err(refusal) => why = refusal.into(),
        }
    }
    Err(why)
}

/// By its content; its name says what it has no signature for.
async fn usable(
    app: &App,
    saved: &Saved,
    path: &Path,
) -> Result<Result<FileType, crate::catalogue::Refusal>, Error> {
    if let Err(refusal) = upload::judge(app, &saved.file_name, saved.bytes) {
        return Ok(Err(refusal));
    }
    let path = path.to_owned();
    let head = blocking(move || {
        use std::io::Read as _;
        let mut head = Vec::new();
        let file = std::fs::File::open(path).map_err(super::io("looking at a file"))?;
        file.take(upload::HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(super::io("looking at a file"))?;
        Ok(head)
    })
    .await?;
    Ok(FileType::by_content(&saved.file_name, &head))
}

/// What cannot be reached is tried again, until the last attempt says why.
fn failed(held: &Held, error: Failed) -> Error {
    let last = held.job.attempts >= held.app.config.work.max_attempts;
    match error.reason() {
        Some((code, info)) if last || !error.is_transient() => Error::unusable(code, info),
        _ => Error::Io {
            doing: "fetching a file from its home",
            source: std::io::Error::other(error.to_string()),
        },
    }
}
