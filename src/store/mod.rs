//! Objects by [`Key`]: written once, never changed, so they can be mapped and cached for ever.

mod key;
mod local;
mod mapped;

pub use key::Key;
pub use local::{LocalStore as Store, Stored, free_bytes};
pub(crate) use local::{hash_of, is_young};
pub use mapped::{Mapped, is_resident, make_resident};

use std::path::PathBuf;

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
}

impl Error {
    /// Whether the same thing may work later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Io { .. })
    }

    /// Whether the disk is full, or this user's share of it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_full(source))
    }
}

/// Whether it failed because the disk, or this user's share of it, is full.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
