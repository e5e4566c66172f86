//! Bytes on their way in. What was acknowledged is on the disk.

use std::io::{self, Seek as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;
use sha2::Digest as _;
use sha2::digest::common::hazmat::{SerializableState as _, SerializedState};

use super::{Error, blocking, delete_below, io};
use crate::app::App;
use crate::catalogue::{
    AccountId, Details, FileType, Library, Refusal, Resource, ResourceId, Sha256, Stage, UploadId,
};
use crate::db::jobs::NewJob;
use crate::db::uploads::{State, Upload};
use crate::db::{self, Tx};
use crate::store::{self, Key, Store, Stored};

/// So many first bytes tell the type of a file.
pub const HEAD_BYTES: usize = 4096;

/// Bytes after which what came is made durable and written down, should the line be cut.
const KEEP_BYTES: i64 = 32 * 1024 * 1024;

/// The same where they become a piece in the bucket: one that is sent whole.
const PIECE_BYTES: i64 = 15 * 1024 * 1024;

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
    let needed_bytes = if app.config.upload.in_bucket { PIECE_BYTES } else { length_bytes };
    if free_bytes - needed_bytes < app.config.upload.keep_free_bytes {
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

/// Whether what comes of `upload` goes on into the bucket, piece by piece: then any process of the
/// installation can take the next bytes, and any worker all of them. Parts that are to be joined
/// stay where they are.
fn is_in_bucket(app: &App, upload: &Upload) -> bool {
    (app.config.upload.in_bucket || upload.piece_bytes > 0) && !upload.is_part()
}

/// After how many bytes of `upload` those that came are to be kept.
#[must_use]
pub fn keep_bytes(app: &App, upload: &Upload) -> i64 {
    if is_in_bucket(app, upload) { PIECE_BYTES } else { KEEP_BYTES }
}

/// A file that is being written. Whoever has it lets every call end before another
/// may open the same upload: a write goes on when its future is dropped.
#[derive(Debug)]
pub struct Receiving {
    path: PathBuf,
    file: std::fs::File,
    /// Bytes that are pieces in the bucket, and not in the file.
    piece_bytes: i64,
    /// Bytes that were acknowledged.
    safe_bytes: i64,
    /// What is in the file must be durable there.
    stays: bool,
    /// Bytes so far, durable or not.
    pub offset_bytes: i64,
    hash: Option<RunningHash>,
}

/// Bytes of an upload that are in the bucket, and named by no row yet.
#[derive(Debug)]
pub struct Piece {
    key: Key,
    stored: Stored,
}

impl Receiving {
    /// Opens the file of `upload` and cuts what was written but never acknowledged.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub async fn open(app: &App, upload: &Upload) -> Result<Self, Error> {
        let (path, offset_bytes) = (path(app, upload.id), upload.offset_bytes);
        let piece_bytes = upload.piece_bytes;
        let (hash, stays) = (RunningHash::of(upload), !is_in_bucket(app, upload));
        blocking(move || {
            let file = std::fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(io("opening the upload"))?;
            let length = u64::try_from(offset_bytes - piece_bytes).unwrap_or_default();
            if file.metadata().map_err(io("opening the upload"))?.len() < length {
                let lost = io::Error::other("acknowledged bytes are missing");
                return Err(io("opening the upload")(lost));
            }
            file.set_len(length).map_err(io("cutting the upload"))?;
            let safe_bytes = offset_bytes;
            Ok(Self { path, file, piece_bytes, safe_bytes, stays, offset_bytes, hash })
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
            let begin = self.offset_bytes - self.piece_bytes;
            for chunk in &chunks {
                let at = u64::try_from(self.offset_bytes - self.piece_bytes).unwrap_or_default();
                self.file.write_all_at(chunk, at).map_err(io("writing the upload"))?;
                self.offset_bytes += chunk.len() as i64;
                if let Some(hash) = &mut self.hash {
                    hash.0.update(chunk);
                }
            }
            if self.stays {
                begin_to_sync(&self.file, begin, self.offset_bytes - self.piece_bytes - begin);
            }
            crate::fault::at("chunk-written");
            Ok(self)
        })
        .await
    }

    /// Makes what was written durable, here or as a piece in the bucket, and says so in `upload`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Store`].
    pub async fn sync(self, app: &App, upload: &mut Upload) -> Result<Option<Piece>, Error> {
        let store = is_in_bucket(app, upload).then(|| app.store.clone());
        let id = upload.id;
        let synced = blocking(move || {
            let Self { path, mut file, piece_bytes, safe_bytes, offset_bytes, hash, .. } = self;
            let piece = match store {
                Some(_) if offset_bytes == piece_bytes => None,
                Some(store) => {
                    let piece = put_piece(&store, id, &mut file, piece_bytes);
                    if safe_bytes == piece_bytes {
                        // It is there, or was not acknowledged; nobody would remember it here.
                        std::fs::remove_file(path).map_err(io("removing the upload"))?;
                    }
                    Some(piece?)
                }
                None => {
                    file.sync_data().map_err(io("syncing the upload"))?;
                    None
                }
            };
            crate::fault::at("chunk-synced");
            Ok((offset_bytes, hash, piece))
        });
        let (offset_bytes, hash, piece) = synced.await?;
        upload.offset_bytes = offset_bytes;
        if piece.is_some() {
            upload.piece_bytes = offset_bytes;
        }
        upload.hashed = hash.map(|hash| hash.to_text());
        Ok(piece)
    }
}

/// Has the kernel begin to write `length` bytes of `file` from `at` on to the disk, so that little
/// is left for the sync that waits for them.
#[expect(unsafe_code, reason = "neither std nor rustix has sync_file_range")]
fn begin_to_sync(file: &std::fs::File, at: i64, length: i64) {
    // SAFETY: the descriptor is open. That it cannot be begun is no failure: the sync does it.
    unsafe { libc::sync_file_range(file.as_raw_fd(), at, length, libc::SYNC_FILE_RANGE_WRITE) };
}

/// Stores all of `file` as the piece of `upload` that begins at its byte `at`.
fn put_piece(
    store: &Store,
    upload: UploadId,
    file: &mut std::fs::File,
    at: i64,
) -> Result<Piece, Error> {
    file.rewind().map_err(io("reading the upload"))?;
    let (key, stored) = store.put_copy(file, u64::MAX, |hash| Key::Piece { upload, at, hash })?;
    Ok(Piece { key, stored })
}

/// Writes `upload` down, and with it the `piece` that was stored of it.
///
/// # Errors
///
/// Those of the database.
pub async fn save(
    tx: &mut Tx,
    upload: &Upload,
    piece: Option<&Piece>,
    now_ms: i64,
) -> Result<(), db::Error> {
    if let Some(Piece { key, stored }) = piece {
        db::objects::insert_piece(tx, upload.id, &key.to_string(), stored, now_ms).await?;
    }
    db::uploads::save(tx, upload).await
}

/// Puts the bytes of a complete `upload` together into its file here, when they are in the bucket.
///
/// # Errors
///
/// [`Error::Io`], [`Error::Store`], those of the database.
pub async fn gather(app: &App, upload: &Upload) -> Result<(), Error> {
    if upload.piece_bytes == 0 {
        return Ok(());
    }
    let pieces = db::objects::list_pieces(&mut *app.db.read().await?, upload.id).await?;
    let (store, path) = (app.store.clone(), path(app, upload.id));
    blocking(move || {
        let mut file = std::fs::File::create(path).map_err(io("making the upload"))?;
        for piece in pieces {
            store.read_into(&piece.key, &mut file)?;
        }
        file.sync_all().map_err(io("syncing the upload"))
    })
    .await
}

/// Removes the bytes of an upload, here and in the bucket.
///
/// # Errors
///
/// [`Error::Io`], [`Error::Store`], those of the database.
pub async fn remove(app: &App, upload: &Upload) -> Result<(), Error> {
    remove_file(&path(app, upload.id)).await?;
    if upload.piece_bytes == 0 {
        return Ok(());
    }
    // Also those that no row came to name.
    delete_below(app, Key::pieces(upload.id)).await?;
    let mut tx = app.db.begin().await?;
    db::objects::delete_pieces(&mut tx, upload.id).await?;
    // Until then a sweep finds them.
    db::uploads::save(&mut tx, &Upload { piece_bytes: 0, ..upload.clone() }).await?;
    tx.commit().await?;
    Ok(())
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

/// The first bytes of `upload`, of which `last` may not have a row yet.
///
/// # Errors
///
/// [`Error::Io`], [`Error::Store`], those of the database.
pub async fn head(app: &App, upload: &Upload, last: Option<&Piece>) -> Result<Vec<u8>, Error> {
    let pieces = match upload.piece_bytes {
        0 => Vec::new(),
        _ => db::objects::list_pieces(&mut *app.db.read().await?, upload.id).await?,
    };
    let keys = pieces.into_iter().map(|piece| piece.key);
    let keys: Vec<String> = keys.chain(last.map(|piece| piece.key.to_string())).collect();
    let (store, path, is_whole) =
        (app.store.clone(), path(app, upload.id), upload.piece_bytes == upload.length_bytes);
    blocking(move || {
        use std::io::Read as _;
        let mut head = Vec::new();
        for key in keys {
            if head.len() < HEAD_BYTES {
                head.extend(store.read_start(&key, (HEAD_BYTES - head.len()) as u64)?);
            }
        }
        if head.len() < HEAD_BYTES && !is_whole {
            let file = std::fs::File::open(path).map_err(io("opening the upload"))?;
            let more = (HEAD_BYTES - head.len()) as u64;
            file.take(more).read_to_end(&mut head).map_err(io("reading the upload"))?;
        }
        Ok(head)
    })
    .await
}

/// Puts the bytes of `parts` one behind another into the file of `upload` and makes it durable,
/// here or as a piece in the bucket.
///
/// # Errors
///
/// [`Error::Io`], [`Error::Store`].
pub async fn concatenate(
    app: &App,
    upload: &mut Upload,
    parts: Vec<UploadId>,
) -> Result<Option<Piece>, Error> {
    let (id, target) = (upload.id, path(app, upload.id));
    let store = is_in_bucket(app, upload).then(|| app.store.clone());
    let parts: Vec<_> = parts.into_iter().map(|part| path(app, part)).collect();
    let piece = blocking(move || {
        let opened = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(target);
        let mut file = opened.map_err(io("making the upload"))?;
        for part in parts {
            let mut part = std::fs::File::open(part).map_err(io("opening a part"))?;
            io::copy(&mut part, &mut file).map_err(io("joining the parts"))?;
        }
        match store {
            Some(store) => put_piece(&store, id, &mut file, 0).map(Some),
            None => file.sync_all().map(|()| None).map_err(io("syncing the upload")),
        }
    });
    let piece = piece.await?;
    if piece.is_some() {
        upload.piece_bytes = upload.length_bytes;
    }
    Ok(piece)
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
    remove(app, &upload).await
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
/// with the upload's last byte, and the `piece` that it is in. `draft` is a resource that waits for its source.
///
/// # Errors
///
/// Those of the database.
pub async fn complete(
    tx: &mut Tx,
    (upload, piece): (&mut Upload, Option<&Piece>),
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
    save(tx, upload, piece, now_ms).await?;
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
