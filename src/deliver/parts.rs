//! Reading stored parts: the only way from a key to bytes for what is made on the fly.

use std::ops::Range;

use bytes::Bytes;
use futures::StreamExt as _;
use transcode::remux::{Fragment, HEADER_GUESS_BYTES, Track};

use crate::catalogue::{Part, Rendition, Segment};
use crate::store::{self, Object, RemoteObject, Store, is_resident, make_resident};

/// A longer `moof` is refused: its samples would take twice that in memory. Hours of sound in one
/// segment stay below.
const MAX_HEADER_BYTES: u64 = 4 * 1024 * 1024;

/// Why something cannot be made of stored parts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An object was not fetched from its bucket.
    #[error("cannot fetch {key}")]
    Fetch {
        /// Which.
        key: String,
        /// Why.
        source: std::io::Error,
    },
    /// A part or an initialisation segment cannot be read.
    #[error("cannot make it of {key}")]
    Media {
        /// Of which object.
        key: String,
        /// What is wrong with it.
        source: transcode::Error,
    },
    /// The task that read or wrote it was ended.
    #[error("a task that makes media ended")]
    Ended(#[from] tokio::task::JoinError),
}

impl Error {
    /// Says which object could not be used.
    pub(super) fn media(key: &str) -> impl FnOnce(transcode::Error) -> Self {
        let key = key.to_owned();
        move |source| Self::Media { key, source }
    }
}

/// Bytes of an object. What is not in memory is read by a thread that may block, or fetched.
///
/// # Errors
///
/// [`store::Error::Damaged`] when the object ends before the range does, and those of the store.
pub(super) async fn read_range(
    store: &Store,
    key: &str,
    range: Range<u64>,
) -> Result<Bytes, Error> {
    let object = store.open(key, range.start).await?;
    let length = object.len();
    if range.end > length || range.start > range.end {
        let (expected, found) = (range.end.cast_signed(), length.cast_signed());
        return Err(store::Error::Damaged { key: key.to_owned(), expected, found }.into());
    }
    match object {
        Object::Mapped(mapped) => {
            let bytes = mapped.slice(range.start as usize..range.end as usize);
            if !is_resident(&bytes) {
                let cold = bytes.clone();
                tokio::task::spawn_blocking(move || make_resident(&cold)).await?;
            }
            Ok(bytes)
        }
        Object::Remote(remote) => fetch(key, &remote, range).await,
    }
}

/// Bytes of an object in a bucket: as they are, when they are all here.
async fn fetch(key: &str, remote: &RemoteObject, range: Range<u64>) -> Result<Bytes, Error> {
    let length = (range.end - range.start) as usize;
    let mut all = Vec::new();
    while all.len() < length {
        let rest = range.start + all.len() as u64..range.end;
        match remote.get(&rest) {
            Some(bytes) if bytes.len() == length => return Ok(bytes),
            Some(bytes) if !bytes.is_empty() => all.extend_from_slice(&bytes),
            _ => {
                let before = all.len();
                let mut block = remote.stream(&rest);
                while let Some(bytes) = block.next().await {
                    let bytes = bytes.map_err(|source| Error::Fetch { key: key.into(), source })?;
                    all.extend_from_slice(&bytes);
                }
                if all.len() == before {
                    let source = std::io::ErrorKind::UnexpectedEof.into();
                    return Err(Error::Fetch { key: key.into(), source });
                }
            }
        }
    }
    Ok(all.into())
}

/// The whole object.
pub(super) async fn read_all(store: &Store, key: &str) -> Result<Bytes, Error> {
    let length = store.open(key, 0).await?.len();
    read_range(store, key, 0..length).await
}

/// What a rendition's initialisation segment says of its track.
pub(super) async fn read_track(store: &Store, rendition: &Rendition) -> Result<Track, Error> {
    let key = rendition.init.as_deref().unwrap_or_default();
    Track::read(&read_all(store, key).await?).map_err(Error::media(key))
}

/// What a segment's `moof` says of its samples; nothing of its `mdat` is read, but for what is near.
pub(super) async fn read_fragment(
    store: &Store,
    part: &Part,
    segment: &Segment,
) -> Result<Fragment, Error> {
    let read = |length: u64| {
        let end = segment.offset.saturating_add(length.min(segment.length));
        read_range(store, &part.key, segment.offset..end)
    };
    let mut bytes = read(HEADER_GUESS_BYTES).await?;
    let header = Fragment::header_bytes(&bytes).unwrap_or(0).min(MAX_HEADER_BYTES);
    if header > bytes.len() as u64 {
        bytes = read(header).await?;
    }
    let fragment = Fragment::read(&bytes).map_err(Error::media(&part.key))?;
    let end = fragment.data_offset.saturating_add(fragment.data_bytes());
    if end > segment.length {
        let (expected, found) = (end.cast_signed(), segment.length.cast_signed());
        return Err(store::Error::Damaged { key: part.key.clone(), expected, found }.into());
    }
    Ok(fragment)
}
