use std::io;
use std::path::PathBuf;

use tantivy::TantivyError;

/// What can go wrong with the index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is in the folder cannot be read as an index: set it aside and rebuild.
    #[error("search index {} is damaged: {reason}", folder.display())]
    Damaged {
        /// Where it lies.
        folder: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The index was written with another schema: rebuild it.
    #[error("search index {} has version {found}, wanted {wanted}", folder.display())]
    Outdated {
        /// Where it lies.
        folder: PathBuf,
        /// The version it was written with.
        found: u32,
        /// The version this program writes.
        wanted: u32,
    },
    /// Another program, or another `Index` in this one, is writing to the folder.
    #[error("search index {} is being written by another process", folder.display())]
    Busy {
        /// Where it lies.
        folder: PathBuf,
    },
    /// The folder cannot be made or read.
    #[error("search index {}", folder.display())]
    Io {
        /// Where it lies.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was asked is too long to be a search.
    #[error("query has {chars} characters, at most {most} are allowed")]
    QueryTooLong {
        /// Its length.
        chars: usize,
        /// The longest allowed.
        most: usize,
    },
    /// Writing failed. Everything since the last commit is lost: go on from `mark()`.
    #[error("writing the search index")]
    Write(#[source] TantivyError),
    /// Reading failed.
    #[error("reading the search index")]
    Read(#[source] TantivyError),
}

impl Error {
    /// Whether trying again later can help, with the same index.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Io { .. } | Self::Write(_))
    }
}
