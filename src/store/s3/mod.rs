//! Objects in a bucket of any S3 server, by aws-sdk-s3.
//!
//! What is written is looked at again before a row may name it. What is read goes through
//! [`Blocks`], which keep on the local disk what was read last, or, for the media child, which
//! needs a file, through [`Files`].

mod blocks;
mod direct;
mod files;
mod remote;
mod write;

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use blocks::Blocks;
pub use direct::{Direct, Saved};
pub(super) use remote::broken;

use self::direct::Directory;
use self::files::Files;
use self::remote::Remote;
use super::key::is_of;
use super::local::{copy_hashed, hash_of, io_at};
use super::{Error, Key, Object, RemoteObject, Stored};
use crate::catalogue::Sha256;

/// What an S3 store is opened with.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// Bucket.
    pub bucket: String,
    /// What every key begins with; empty, or with `/` at its end.
    pub prefix: String,
    /// The bucket is part of the path, not of the host.
    pub path_style: bool,
    /// Folder for what is read and written, on a local disk.
    pub cache: PathBuf,
    /// Bytes of blocks that are kept there.
    pub cache_bytes: u64,
    /// Bytes of a block.
    pub block_bytes: u64,
    /// Bytes of whole sources that are kept there.
    pub source_cache_bytes: u64,
    /// Blocks that are fetched at the same time.
    pub max_fetches: usize,
    /// How long the server may be silent.
    pub timeout: Duration,
    /// How clients fetch objects themselves, if they do.
    pub direct: Option<Direct>,
}

/// A bucket of objects. All calls but those of [`Blocks`] block; they may come from any thread.
#[derive(Debug, Clone)]
pub struct S3Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    remote: Remote,
    files: Files,
    blocks: Arc<Blocks>,
    directory: Option<Directory>,
    aside: PathBuf,
}

impl S3Store {
    /// Opens the bucket. Endpoint, region and keys are in AWS's own variables and files.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the cache's folder cannot be made, [`Error::Remote`] when the bucket
    /// cannot be reached.
    pub fn open(settings: &S3Settings) -> Result<Self, Error> {
        let remote = Remote::connect(settings)?;
        let aside = settings.cache.join("aside");
        std::fs::create_dir_all(&aside).map_err(io_at("making", &aside))?;
        let files = Files::open(&settings.cache.join("sources"), settings.source_cache_bytes)?;
        let blocks = Arc::new(Blocks::open(remote.clone(), settings)?);
        let directory = settings.direct.clone().map(|direct| Directory::new(&remote, direct));
        Ok(Self(Arc::new(Shared { remote, files, blocks, directory, aside })))
    }

    /// What is delivered from.
    #[must_use]
    pub fn blocks(&self) -> &Arc<Blocks> {
        &self.0.blocks
    }

    /// See [`super::Store::addresses`].
    pub(super) async fn addresses(
        &self,
        keys: Vec<String>,
    ) -> Result<Option<HashMap<String, String>>, Error> {
        match &self.0.directory {
            Some(directory) => directory.addresses(keys).await.map(Some),
            None => Ok(None),
        }
    }

    /// See [`super::Store::address`].
    pub(super) async fn address(
        &self,
        key: &str,
        saved: Saved<'_>,
    ) -> Result<Option<String>, Error> {
        match &self.0.directory {
            Some(directory) => directory.address(key, Some(saved)).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn object(&self, key: Arc<str>, size: u64) -> Object {
        Object::Remote(RemoteObject::new(Arc::clone(&self.0.blocks), key, size))
    }

    /// See [`super::Store::put_copy`].
    pub(super) fn put_copy(
        &self,
        from: impl Read,
        most_bytes: u64,
        key_of: impl FnOnce(Sha256) -> Key,
    ) -> Result<(Key, Stored), Error> {
        let aside = &self.0.aside;
        let mut copy = tempfile::NamedTempFile::new_in(aside).map_err(io_at("writing", aside))?;
        let stored = copy_hashed(from.take(most_bytes), copy.as_file_mut())
            .map_err(io_at("writing", copy.path()))?;
        let key = key_of(stored.sha256);
        crate::fault::at("object-synced");
        self.0.remote.put_file(&key.to_string(), copy.as_file(), &stored)?;
        crate::fault::at("object-moved");
        Ok((key, stored))
    }

    /// See [`super::Store::link_source`].
    pub(super) fn link_source(&self, stored: &Stored, file: &Path) -> Result<(), Error> {
        let key = Key::Source(stored.sha256).to_string();
        let opened = File::open(file).map_err(io_at("opening", file))?;
        self.0.remote.put_file(&key, &opened, stored)?;
        // The worker reads it next; it need not come back from there.
        self.0.files.adopt(&key, file);
        Ok(())
    }

    /// See [`super::Store::put_object`].
    pub(super) fn put_object(
        &self,
        key: &str,
        mut file: &File,
        expected: &Stored,
    ) -> Result<(), Error> {
        let reading = |error: std::io::Error| broken("reading", key, error.to_string());
        if hash_of(file).map_err(reading)? != *expected {
            return Err(Error::Changed(key.to_owned()));
        }
        file.rewind().map_err(reading)?;
        // One of the same size and other content would be taken for it.
        self.0.remote.delete(key)?;
        self.0.remote.put_file(key, file, expected)
    }

    /// See [`super::Store::put`].
    pub(super) fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), Error> {
        let key = key.to_string();
        self.0.remote.put_bytes(&key, bytes)
    }

    /// Size in bytes of the object at `key`.
    pub(super) fn size_of(&self, key: &str) -> Result<i64, Error> {
        Ok(self.0.remote.head(key)?.size_bytes)
    }

    pub(super) fn is_young(&self, key: &str, age: Duration) -> bool {
        self.0.remote.head(key).map_or(true, |facts| facts.age < age)
    }

    pub(super) fn remove_abandoned(&self, age: Duration) -> Result<usize, Error> {
        self.0.remote.abort_uploads(age)
    }

    /// The object at `key` as a local file, its hash checked.
    pub(super) fn open_object(&self, key: &str) -> Result<File, Error> {
        self.0.files.get(key, |to| self.0.remote.read_into(key, to))
    }

    pub(super) fn read(&self, key: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.0.remote.read_into(key, &mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn read_start(&self, key: &str, most_bytes: u64) -> Result<Vec<u8>, Error> {
        self.0.remote.read_start(key, most_bytes)
    }

    pub(super) fn read_into(&self, key: &str, file: &mut File) -> Result<(), Error> {
        let stored = self.0.remote.read_into(key, file)?;
        is_of(key, &stored).then_some(()).ok_or_else(|| Error::Changed(key.to_owned()))
    }

    /// Size and hash of what is at `key`.
    pub(super) fn stored(&self, key: &str) -> Result<Stored, Error> {
        self.0.remote.read_into(key, &mut std::io::sink())
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), Error> {
        crate::fault::at("object-delete");
        self.0.files.forget(key);
        self.0.blocks.forget(key);
        self.0.remote.delete(key)
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<(String, i64)>, Error> {
        self.0.remote.list(prefix)
    }

    pub(super) fn free_bytes(&self) -> Result<i64, Error> {
        super::free_bytes(&self.0.aside)
    }
}
