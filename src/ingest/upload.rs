//! Bytes on their way in. What was acknowledged is on the disk.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;
use sha2::Digest as _;
use sha2::digest::common::hazmat::{SerializableState as _, SerializedState};

use super::{Error, blocking, io};
use crate::app::App;
use crate::catalogue::{
    AccountId, Details, FileType, Library, Refusal, Resource, ResourceId, Sha256, Stage, UploadId,
};
use crate::db::jobs::NewJob;
use crate::db::uploads::{State, Upload};
use crate::db::{self, Tx};
use crate::store::{self, Stored};

/// So many first bytes tell the type of a file.
pub const HEAD_BYTES: usize = 4096;

/// Whether a file of this name and size can be used, before a byte of it comes.
///
/// # Errors
///
/// Why not.
pub fn judge(app: &App, file_name: &str, length_bytes: i64) -> Result<(), Refusal> {
    let limit_bytes = app.config.upload.max_bytes;
    FileType::by_name(file_name)?;
    match length_bytes {
        0 => Err(Refusal::Empty),
        size_bytes if size_bytes > limit_bytes => {
            Err(Refusal::TooLarge { size_bytes, limit_bytes })
        }
        _ => Ok(()),
    }
}

/// Whether there is room for a file of this size in `library` and on the disks.
/// `counted_bytes` of it are in the library already: those of parts that it is joined from.
///
/// # Errors
///
/// Within: the [`Refusal`]. Else a failure of the database or disk.
pub async fn admit(
    app: &App,
    library: &Library,
    length_bytes: i64,
    counted_bytes: i64,
) -> Result<Result<(), Refusal>, Error> {
    if let Some(quota_bytes) = library.quota_bytes {
        let used = db::libraries::used_bytes(&mut *app.db.read().await?, library.id).await?;
        let used = used - counted_bytes;
        if used + length_bytes > quota_bytes {
            let free_bytes = (quota_bytes - used).max(0);
            return Ok(Err(Refusal::Quota { size_bytes: length_bytes, free_bytes }));
        }
    }
    // Uploads land in the data folder; the store may be on another disk.
    let free_bytes = app.store.free_bytes()?.min(store::free_bytes(&folder(app))?);
    if free_bytes - length_bytes < app.config.upload.keep_free_bytes {
        return Ok(Err(Refusal::DiskFull { free_bytes }));
    }
    Ok(Ok(()))
}

/// Where uploads are collected.
#[must_use]
pub fn folder(app: &App) -> PathBuf {
    app.config.storage.data.join("uploads")
}

/// Where the bytes of an upload are collected.
#[must_use]
pub fn path(app: &App, id: UploadId) -> PathBuf {
    folder(app).join(id.to_string())
}

/// The uploads that have a file.
///
/// # Errors
///
/// [`Error::Io`].
pub async fn files(app: &App) -> Result<Vec<UploadId>, Error> {
    let folder = folder(app);
    blocking(move || {
        let entries = std::fs::read_dir(folder).map_err(io("listing uploads"))?;
        Ok(entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect())
    })
    .await
}

/// A file that is being written. Whoever has it lets every call end before another
/// may open the same upload: a write goes on when its future is dropped.
#[derive(Debug)]
pub struct Receiving {
    file: std::fs::File,
    /// Bytes in the file, durable or not.
    pub offset_bytes: i64,
    hash: Option<RunningHash>,
}

impl Receiving {
    /// Opens the file of `upload` and cuts what was written but never acknowledged.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub async fn open(app: &App, upload: &Upload) -> Result<Self, Error> {
        let (path, offset_bytes) = (path(app, upload.id), upload.offset_bytes);
        let hash = RunningHash::of(upload);
        blocking(move || {
            let file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(io("opening the upload"))?;
            let length = u64::try_from(offset_bytes).unwrap_or_default();
            if file.metadata().map_err(io("opening the upload"))?.len() < length {
                let lost = io::Error::other("acknowledged bytes are missing");
                return Err(io("opening the upload")(lost));
            }
            file.set_len(length).map_err(io("cutting the upload"))?;
            Ok(Self { file, offset_bytes, hash })
        })
        .await
    }

    /// Writes `chunks` where those before end. Not durable yet.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; some of it may be written.
    pub async fn append(mut self, chunks: Vec<Bytes>) -> Result<Self, Error> {
        blocking(move || {
            for chunk in &chunks {
                let at = u64::try_from(self.offset_bytes).unwrap_or_default();
                self.file.write_all_at(chunk, at).map_err(io("writing the upload"))?;
                self.offset_bytes += chunk.len() as i64;
                if let Some(hash) = &mut self.hash {
                    hash.0.update(chunk);
                }
            }
            crate::fault::at("chunk-written");
            Ok(self)
        })
        .await
    }

    /// Makes what was written durable and says so in `upload`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub async fn sync(self, upload: &mut Upload) -> Result<(), Error> {
        let synced = blocking(move || {
            self.file.sync_data().map_err(io("syncing the upload"))?;
            crate::fault::at("chunk-synced");
            Ok(self)
        });
        let synced = synced.await?;
        upload.offset_bytes = synced.offset_bytes;
        upload.hashed = synced.hash.map(|hash| hash.to_text());
        Ok(())
    }
}

/// SHA-256 over the bytes of an upload so far. It is kept with the offset, so the last byte of a
/// film of hours is not followed by a minute of reading it again.
#[derive(Debug)]
struct RunningHash(sha2::Sha256);

impl RunningHash {
    /// Over the bytes that are safe; `None` where they were not hashed as they came.
    fn of(upload: &Upload) -> Option<Self> {
        if upload.is_part() {
            // Its hash would be of no use when it is joined with others.
            return None;
        }
        match &upload.hashed {
            Some(text) => Self::from_text(text),
            None => (upload.offset_bytes == 0).then(|| Self(sha2::Sha256::new())),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        let state = SerializedState::<sha2::Sha256>::try_from(bytes.as_slice()).ok()?;
        sha2::Sha256::deserialize(&state).ok().map(Self)
    }

    fn to_text(&self) -> String {
        STANDARD.encode(self.0.serialize())
    }
}

/// Size and hash of a complete upload, where it was hashed as it came.
#[must_use]
pub fn stored(upload: &Upload) -> Option<Stored> {
    let hash = RunningHash::from_text(upload.hashed.as_deref()?)?;
    let sha256 = Sha256(hash.0.finalize().into());
    Some(Stored { size_bytes: upload.offset_bytes, sha256 })
}

/// The first bytes of `upload`.
///
/// # Errors
///
/// [`Error::Io`].
pub async fn head(app: &App, id: UploadId) -> Result<Vec<u8>, Error> {
    let path = path(app, id);
    blocking(move || {
        use std::io::Read as _;
        let file = std::fs::File::open(path).map_err(io("opening the upload"))?;
        let mut head = Vec::new();
        file.take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(io("reading the upload"))?;
        Ok(head)
    })
    .await
}

/// Puts the bytes of `parts` one behind another into the file of `id` and makes it durable.
///
/// # Errors
///
/// [`Error::Io`].
pub async fn concatenate(app: &App, id: UploadId, parts: Vec<UploadId>) -> Result<(), Error> {
    let target = path(app, id);
    let parts: Vec<_> = parts.into_iter().map(|part| path(app, part)).collect();
    blocking(move || {
        let mut file = std::fs::File::create(target).map_err(io("making the upload"))?;
        for part in parts {
            let mut part = std::fs::File::open(part).map_err(io("opening a part"))?;
            io::copy(&mut part, &mut file).map_err(io("joining the parts"))?;
        }
        file.sync_all().map_err(io("syncing the upload"))
    })
    .await
}

/// Ends an upload and removes its bytes.
///
/// # Errors
///
/// Those of the database.
pub async fn end(app: &App, mut upload: Upload) -> Result<(), Error> {
    upload.state = State::Ended;
    let mut tx = app.db.begin().await?;
    db::uploads::save(&mut tx, &upload).await?;
    tx.commit().await?;
    remove_file(&path(app, upload.id)).await
}

/// Removes an upload's file; none there is well too.
///
/// # Errors
///
/// [`Error::Io`].
pub async fn remove_file(path: &Path) -> Result<(), Error> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io("removing an upload")(error))
        }
        _ => Ok(()),
    }
}

/// What an upload becomes: the resource and its first job, in one transaction
/// with the upload's last byte. `draft` is a resource that waits for its source.
///
/// # Errors
///
/// Those of the database.
pub async fn complete(
    tx: &mut Tx,
    upload: &mut Upload,
    file_type: FileType,
    details: Details,
    draft: Option<ResourceId>,
    now_ms: i64,
) -> Result<Resource, db::Error> {
    let waiting = match draft {
        Some(id) => Some(db::resources::get_locked(tx, id).await?)
            .filter(|found| found.stage == Stage::Draft),
        None => None,
    };
    let resource = match waiting {
        Some(draft) => {
            let mut resource = draft.with_source(&upload.file_name, file_type, upload.length_bytes);
            db::resources::save(tx, &mut resource, now_ms).await?;
            resource
        }
        None => {
            let mut resource = Resource::draft(upload.library, upload.account, details, now_ms)
                .with_source(&upload.file_name, file_type, upload.length_bytes);
            db::resources::insert(tx, &mut resource).await?;
            resource
        }
    };
    begin(tx, upload.account, &resource, now_ms).await?;
    upload.state = State::Complete;
    upload.offset_bytes = upload.length_bytes;
    upload.resource = Some(resource.id);
    db::uploads::save(tx, upload).await?;
    Ok(resource)
}

/// The first job of `resource`, which `account` uploaded, in the transaction that makes it.
///
/// # Errors
///
/// Those of the database.
pub async fn begin(
    tx: &mut Tx,
    account: AccountId,
    resource: &Resource,
    now_ms: i64,
) -> Result<(), db::Error> {
    let first = NewJob { kind: "intake", payload: "{}".into(), priority: 0, weight: 1.0 };
    db::jobs::push(tx, resource.id, &first, now_ms).await?;
    let detail = json!({ "file_name": resource.file_name, "size_bytes": resource.size_bytes });
    let subject = resource.id.to_string();
    db::audit::record(tx, now_ms, Some(account), "upload", &subject, &detail).await
}

/// A title made from a file's name: without its ending, `_` as spaces.
#[must_use]
pub fn title_from(file_name: &str) -> String {
    let base = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    let title = stem.replace('_', " ").trim().to_owned();
    if title.is_empty() { base.to_owned() } else { title }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_hash_goes_on_where_it_was(bytes in proptest::collection::vec(any::<u8>(), 0..500), cut in 0_usize..500) {
            let (first, rest) = bytes.split_at(cut.min(bytes.len()));
            let text = RunningHash(sha2::Sha256::new_with_prefix(first)).to_text();
            let mut hash = RunningHash::from_text(&text).expect("its own text");
            hash.0.update(rest);
            prop_assert_eq!(Sha256(hash.0.finalize().into()), Sha256::of(&bytes));
        }

        #[test]
        fn no_text_breaks_a_hash(text in ".{0,200}") {
            let _ = RunningHash::from_text(&text);
        }
    }

    #[test]
    fn titles_come_from_file_names() {
        assert_eq!(title_from("第01讲_课程导论（双语）.mkv"), "第01讲 课程导论（双语）");
        assert_eq!(title_from("/home/lin/a.b.mp4"), "a.b");
        assert_eq!(title_from(".mp4"), ".mp4");
    }
}
