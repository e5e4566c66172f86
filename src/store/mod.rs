//! Objects by [`Key`]: written once, never changed, so they can be mapped and cached for ever.
//!
//! Two stores under one contract: a folder, and a bucket of an S3 server.

mod key;
mod local;
mod mapped;
mod object;
mod s3;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::catalogue::Sha256;

pub use key::Key;
pub use local::{LocalStore, Stored, free_bytes};
pub(crate) use local::{hash_of, is_young};
pub use mapped::{Mapped, is_resident, make_resident};
pub use object::{Object, RemoteObject};
pub use s3::{Blocks, Direct, S3Settings, S3Store, Saved};

/// Where objects are. All calls block but those that are `async`, and [`Store::opened`].
#[derive(Debug, Clone)]
pub enum Store {
    /// A folder.
    Local(LocalStore),
    /// A bucket.
    S3(S3Store),
}

/// The same call for both.
macro_rules! each {
    ($store:expr, $own:ident => $call:expr) => {
        match $store {
            Store::Local($own) => $call,
            Store::S3($own) => $call,
        }
    };
}

impl Store {
    /// Copies what `from` gives, at most `most_bytes`, to where `key_of` its hash says. What is
    /// hashed is what is stored, whoever else may write to `from`. Durable when it returns; a
    /// second time with the same key changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error`]; then nothing is at the key.
    pub fn put_copy(
        &self,
        from: impl Read,
        most_bytes: u64,
        key_of: impl FnOnce(Sha256) -> Key,
    ) -> Result<(Key, Stored), Error> {
        each!(self, own => own.put_copy(from, most_bytes, key_of))
    }

    /// Stores `file`, which is `stored`, as a source and leaves it where it is. Durable when it
    /// returns.
    ///
    /// # Errors
    ///
    /// [`Error`]; then the source is as it was.
    pub fn link_source(&self, stored: &Stored, file: &Path) -> Result<(), Error> {
        each!(self, own => own.link_source(stored, file))
    }

    /// Stores `bytes` at `key`. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`Error`]; then nothing is at `key`.
    pub fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), Error> {
        each!(self, own => own.put(key, bytes))
    }

    /// Stores `file`, which must be `expected`, at `key`, whatever is there. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] when it is something else; others.
    pub fn put_object(&self, key: &str, file: &File, expected: &Stored) -> Result<(), Error> {
        each!(self, own => own.put_object(key, file, expected))
    }

    /// Size in bytes of the object at `key`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], and others.
    pub fn size_of(&self, key: &str) -> Result<i64, Error> {
        each!(self, own => own.size_of(key))
    }

    /// Size and hash of what is at `key`, read as a whole.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], and others.
    pub fn stored(&self, key: &str) -> Result<Stored, Error> {
        each!(self, own => own.stored(key))
    }

    /// Whether the object at `key` was written less than `age` ago.
    #[must_use]
    pub fn is_young(&self, key: &str, age: Duration) -> bool {
        each!(self, own => own.is_young(key, age))
    }

    /// Removes what writes that were killed left more than `age` ago; gives their number.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn remove_abandoned(&self, age: Duration) -> Result<usize, Error> {
        each!(self, own => own.remove_abandoned(age))
    }

    /// The object at `key` as a file to be read.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], and others.
    pub fn open_object(&self, key: &str) -> Result<File, Error> {
        each!(self, own => own.open_object(key))
    }

    /// All of the object at `key`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], and others.
    pub fn read(&self, key: &str) -> Result<Vec<u8>, Error> {
        each!(self, own => own.read(key))
    }

    /// The first bytes of the object at `key`, at most `most_bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], and others.
    pub fn read_start(&self, key: &str, most_bytes: u64) -> Result<Vec<u8>, Error> {
        each!(self, own => own.read_start(key, most_bytes))
    }

    /// Adds all of the object at `key` to `file`, where that is at.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Changed`] when it is another than its key says, and others;
    /// some of it may be written.
    pub fn read_into(&self, key: &str, file: &mut File) -> Result<(), Error> {
        each!(self, own => own.read_into(key, file))
    }

    /// Removes the object at `key`; none there is well too.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        each!(self, own => own.delete(key))
    }

    /// Keys and sizes of all objects whose key begins with `prefix` (a folder,
    /// ending in `/`, or empty), in no order.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn list(&self, prefix: &str) -> Result<Vec<(String, i64)>, Error> {
        each!(self, own => own.list(prefix))
    }

    /// Bytes that can still be written to the disk of the store, or of its cache.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn free_bytes(&self) -> Result<i64, Error> {
        each!(self, own => own.free_bytes())
    }

    /// Bytes of a bucket that are kept on the local disk.
    #[must_use]
    pub fn cached_bytes(&self) -> u64 {
        match self {
            Self::Local(_) => 0,
            Self::S3(s3) => s3.blocks().kept_bytes(),
        }
    }

    /// The object at `key` to be delivered from, when nothing has to be waited for.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], and others.
    pub fn opened(&self, key: &str) -> Result<Option<Object>, Error> {
        match self {
            Self::Local(local) => local.map(key).map(|mapped| Some(Object::Mapped(mapped))),
            Self::S3(s3) => Ok(s3.blocks().known_size(key).map(|size| s3.object(key.into(), size))),
        }
    }

    /// Addresses under which clients fetch the objects at `keys` themselves; `None` where they do
    /// not.
    ///
    /// # Errors
    ///
    /// [`Error::Remote`].
    pub async fn addresses(
        &self,
        keys: Vec<String>,
    ) -> Result<Option<HashMap<String, String>>, Error> {
        match self {
            Self::Local(_) => Ok(None),
            Self::S3(s3) => s3.addresses(keys).await,
        }
    }

    /// The same of one that is to be saved.
    ///
    /// # Errors
    ///
    /// [`Error::Remote`].
    pub async fn address(&self, key: &str, saved: Saved<'_>) -> Result<Option<String>, Error> {
        match self {
            Self::Local(_) => Ok(None),
            Self::S3(s3) => s3.address(key, saved).await,
        }
    }

    /// The object at `key` to be delivered, beginning at its byte `at`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], and others.
    pub async fn open(&self, key: &str, at: u64) -> Result<Object, Error> {
        match self {
            Self::Local(local) => local.map(key).map(Object::Mapped),
            Self::S3(s3) => {
                let key: Arc<str> = key.into();
                let size = s3.blocks().size(&key, at).await?;
                Ok(s3.object(key, size))
            }
        }
    }
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no object of this key.
    #[error("there is no object {0}")]
    Missing(String),
    /// The text is not a key that this program makes.
    #[error("{0:?} is not a key")]
    BadKey(String),
    /// The object is larger or smaller than it was when it was stored.
    #[error("the object {key} has {found} bytes instead of {expected}")]
    Damaged {
        /// Its key.
        key: String,
        /// Size by its row.
        expected: i64,
        /// Size in the store.
        found: i64,
    },
    /// The object is another than its key says.
    #[error("the object {0} has other content than was stored")]
    Changed(String),
    /// The disk.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The S3 server, or the way there.
    #[error("{doing} {key} in S3: {problem}")]
    Remote {
        /// What was being done.
        doing: &'static str,
        /// To which object, or bucket.
        key: String,
        /// Why it failed.
        problem: String,
    },
}

impl Error {
    /// Whether the same thing may work later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Remote { .. } | Self::Changed(_))
    }

    /// Whether the disk is full, or this user's share of it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_full(source))
    }

    /// The same for another who waits for the same thing.
    fn again(&self) -> Self {
        match self {
            Self::Missing(key) => Self::Missing(key.clone()),
            Self::Changed(key) => Self::Changed(key.clone()),
            Self::Remote { doing, key, problem } => {
                Self::Remote { doing, key: key.clone(), problem: problem.clone() }
            }
            other => {
                Self::Remote { doing: "reading", key: String::new(), problem: other.to_string() }
            }
        }
    }
}

/// Whether it failed because the disk, or this user's share of it, is full.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
