//! Objects as files in a folder: written aside, synced, renamed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use sha2::Digest as _;

use super::key::{is_of, is_plain};
use super::{Error, Key, Mapped};
use crate::catalogue::Sha256;

/// Open maps that are kept; each takes a few hundred bytes and no descriptor.
const MAPS: u64 = 4096;

/// A folder of objects. All calls block.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: PathBuf,
    maps: Cache<String, Arc<Mapped>>,
}

/// What was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size_bytes: i64,
    /// Of the content.
    pub sha256: Sha256,
}

impl LocalStore {
    /// Opens the folder `root`, making it when it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it cannot be made.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let aside = root.join("aside");
        fs::create_dir_all(&aside).map_err(io_at("making", &aside))?;
        Ok(Self { root: root.to_owned(), maps: Cache::new(MAPS) })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Copies what `from` gives, at most `most_bytes`, to where `key_of` its hash says. What is
    /// hashed is what is stored, whoever else may write to `from`. Durable when it returns; a
    /// second time with the same key changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; then nothing is at the key.
    pub fn put_copy(
        &self,
        from: impl Read,
        most_bytes: u64,
        key_of: impl FnOnce(Sha256) -> Key,
    ) -> Result<(Key, Stored), Error> {
        let aside = self.root.join("aside");
        let mut copy = tempfile::NamedTempFile::new_in(&aside).map_err(io_at("writing", &aside))?;
        let stored = copy_hashed(from.take(most_bytes), copy.as_file_mut())
            .map_err(io_at("writing", copy.path()))?;
        let key = key_of(stored.sha256);
        let target = self.path(&key.to_string())?;
        if !target.exists() {
            self.place(copy, &target)?;
        }
        Ok((key, stored))
    }

    /// Stores `file`, which must be `expected`, at `key`. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] when it is something else, [`Error::Io`]; then what was at `key` still is.
    pub fn put_object(&self, key: &str, file: &File, expected: &Stored) -> Result<(), Error> {
        let (target, aside) = (self.path(key)?, self.root.join("aside"));
        let mut copy = tempfile::NamedTempFile::new_in(&aside).map_err(io_at("writing", &aside))?;
        let stored = copy_hashed(file, copy.as_file_mut()).map_err(io_at("writing", &target))?;
        if stored != *expected {
            return Err(Error::Changed(key.to_owned()));
        }
        self.place(copy, &target)?;
        self.maps.invalidate(key);
        Ok(())
    }

    /// Gives what was written aside its name.
    fn place(&self, copy: tempfile::NamedTempFile, target: &Path) -> Result<(), Error> {
        let folder = parent(target);
        fs::create_dir_all(folder).map_err(io_at("making", folder))?;
        copy.as_file().sync_all().map_err(io_at("syncing", target))?;
        crate::fault::at("object-synced");
        copy.persist(target).map_err(|error| io_at("moving", target)(error.error))?;
        crate::fault::at("object-moved");
        self.sync_folders(folder)
    }

    /// Stores `file`, which is `stored`, as a source and leaves it where it is; on
    /// the same disk both are names of the same bytes. Durable when it returns. A
    /// source that is there already is read and, when it is damaged, replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; then the source is as it was.
    pub fn link_source(&self, stored: &Stored, file: &Path) -> Result<(), Error> {
        let key = Key::Source(stored.sha256).to_string();
        let target = self.path(&key)?;
        let there = target.exists();
        if there && Stored::of_file(&target).is_ok_and(|found| found == *stored) {
            return Ok(());
        }
        let folder = parent(&target);
        fs::create_dir_all(folder).map_err(io_at("making", folder))?;
        let opened = File::open(file).map_err(io_at("opening", file))?;
        opened.sync_all().map_err(io_at("syncing", file))?;
        if there || fs::hard_link(file, &target).is_err() {
            // A damaged one to be replaced, another disk, or a file system without links.
            self.copy_in(opened, &target)?;
            self.maps.invalidate(&key);
        }
        self.sync_folders(folder)
    }

    /// Size in bytes of the object at `key`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Io`].
    pub fn size_of(&self, key: &str) -> Result<i64, Error> {
        let facts = self.open_object(key)?.metadata();
        Ok(facts.map_err(io_at("looking at", &self.root.join(key)))?.len().cast_signed())
    }

    /// Whether the object at `key` was written less than `age` ago.
    #[must_use]
    pub fn is_young(&self, key: &str, age: Duration) -> bool {
        self.path(key).is_ok_and(|path| is_young(&path, age))
    }

    /// Removes what writes that were killed left aside more than `age` ago; gives their number.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn remove_abandoned(&self, age: Duration) -> Result<usize, Error> {
        let aside = self.root.join("aside");
        let mut removed = 0;
        for entry in fs::read_dir(&aside).map_err(io_at("listing", &aside))?.flatten() {
            let path = entry.path();
            if !is_young(&path, age) && fs::remove_file(&path).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Stores `bytes` at `key`. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; then nothing is at `key`.
    pub fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), Error> {
        let target = self.path(&key.to_string())?;
        if target.exists() {
            return Ok(());
        }
        let folder = parent(&target);
        fs::create_dir_all(folder).map_err(io_at("making", folder))?;
        self.copy_in(bytes, &target)?;
        self.sync_folders(folder)
    }

    /// Size and hash of what is at `key`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Io`].
    pub fn stored(&self, key: &str) -> Result<Stored, Error> {
        hash_of(self.open_object(key)?).map_err(io_at("reading", &self.root.join(key)))
    }

    /// Opens the object at `key` to read it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Io`].
    pub fn open_object(&self, key: &str) -> Result<File, Error> {
        let path = self.path(key)?;
        File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::Missing(key.to_owned()),
            _ => io_at("opening", &path)(error),
        })
    }

    /// The object at `key`, mapped into memory.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Io`].
    pub fn map(&self, key: &str) -> Result<Arc<Mapped>, Error> {
        if let Some(mapped) = self.maps.get(key) {
            return Ok(mapped);
        }
        let file = self.open_object(key)?;
        let mapped = Mapped::new(&file).map_err(io_at("mapping", &self.root.join(key)))?;
        let mapped = Arc::new(mapped);
        self.maps.insert(key.to_owned(), Arc::clone(&mapped));
        Ok(mapped)
    }

    /// All of the object at `key`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Io`].
    pub fn read(&self, key: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.open_object(key)?
            .read_to_end(&mut bytes)
            .map_err(io_at("reading", &self.root.join(key)))?;
        Ok(bytes)
    }

    /// The first bytes of the object at `key`, at most `most_bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Io`].
    pub fn read_start(&self, key: &str, most_bytes: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.open_object(key)?
            .take(most_bytes)
            .read_to_end(&mut bytes)
            .map_err(io_at("reading", &self.root.join(key)))?;
        Ok(bytes)
    }

    /// Adds all of the object at `key` to `file`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Changed`], [`Error::Io`].
    pub fn read_into(&self, key: &str, file: &mut File) -> Result<(), Error> {
        let stored = copy_hashed(self.open_object(key)?, file)
            .map_err(io_at("reading", &self.root.join(key)))?;
        is_of(key, &stored).then_some(()).ok_or_else(|| Error::Changed(key.to_owned()))
    }

    /// Removes the object at `key`; none there is well too.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key)?;
        self.maps.invalidate(key);
        crate::fault::at("object-delete");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_at("removing", &path)(error))
            }
            _ => {
                remove_empty_folders(&self.root, parent(&path));
                Ok(())
            }
        }
    }

    /// Keys and sizes of all objects whose key begins with `prefix` (a folder,
    /// ending in `/`, or empty), in no order.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn list(&self, prefix: &str) -> Result<Vec<(String, i64)>, Error> {
        let mut found = Vec::new();
        let mut folders = if prefix.is_empty() {
            vec![self.root.join("source"), self.root.join("derived")]
        } else {
            vec![self.path(prefix.trim_end_matches('/'))?]
        };
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(io_at("listing", &folder)(error)),
            };
            for entry in entries {
                let entry = entry.map_err(io_at("listing", &folder))?;
                let facts = entry.metadata().map_err(io_at("listing", &entry.path()))?;
                if facts.is_dir() {
                    folders.push(entry.path());
                } else if let Ok(key) = entry.path().strip_prefix(&self.root) {
                    found.push((key.to_string_lossy().into_owned(), facts.len().cast_signed()));
                }
            }
        }
        Ok(found)
    }

    /// Bytes that can still be written to the store's disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn free_bytes(&self) -> Result<i64, Error> {
        free_bytes(&self.root)
    }

    fn path(&self, key: &str) -> Result<PathBuf, Error> {
        if is_plain(key) { Ok(self.root.join(key)) } else { Err(Error::BadKey(key.to_owned())) }
    }

    fn copy_in(&self, mut from: impl Read, target: &Path) -> Result<(), Error> {
        let mut aside = tempfile::NamedTempFile::new_in(self.root.join("aside"))
            .map_err(io_at("writing", target))?;
        io::copy(&mut from, &mut aside).map_err(io_at("writing", target))?;
        aside.flush().map_err(io_at("writing", target))?;
        aside.as_file().sync_all().map_err(io_at("syncing", target))?;
        aside.persist(target).map_err(|error| io_at("moving", target)(error.error))?;
        Ok(())
    }

    /// Syncs `folder` and those above it up to the root, so that new names last.
    fn sync_folders(&self, folder: &Path) -> Result<(), Error> {
        for folder in folder.ancestors().take_while(|step| step.starts_with(&self.root)) {
            let sync = File::open(folder).and_then(|opened| opened.sync_all());
            sync.map_err(io_at("syncing", folder))?;
        }
        Ok(())
    }
}

/// Bytes that can still be written to the disk of `folder`.
///
/// # Errors
///
/// [`Error::Io`].
pub fn free_bytes(folder: &Path) -> Result<i64, Error> {
    let facts =
        rustix::fs::statvfs(folder).map_err(|error| io_at("measuring", folder)(error.into()))?;
    Ok((facts.f_bavail.saturating_mul(facts.f_frsize)).cast_signed())
}

/// Size and hash of all that `from` gives.
///
/// # Errors
///
/// Those of reading.
pub(crate) fn hash_of(from: impl Read) -> io::Result<Stored> {
    copy_hashed(from, &mut io::sink())
}

/// Writes all that `from` gives into `to`; its size and hash.
pub(super) fn copy_hashed(mut from: impl Read, to: &mut impl Write) -> io::Result<Stored> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut size_bytes = 0_i64;
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(Stored { size_bytes, sha256: Sha256(hasher.finalize().into()) });
        }
        hasher.update(&buffer[..n]);
        to.write_all(&buffer[..n])?;
        size_bytes += n as i64;
    }
}

impl Stored {
    /// Size and hash of the file at `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn of_file(path: &Path) -> Result<Self, Error> {
        File::open(path).and_then(hash_of).map_err(io_at("reading", path))
    }

    /// Size and hash of `bytes`.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { size_bytes: bytes.len() as i64, sha256: Sha256::of(bytes) }
    }
}

/// Whether the file at `path` was written less than `age` ago. One that cannot be looked at is.
pub(crate) fn is_young(path: &Path, age: Duration) -> bool {
    let written = fs::metadata(path).and_then(|facts| facts.modified());
    // A time to come is young.
    !written.is_ok_and(|written| written.elapsed().is_ok_and(|elapsed| elapsed >= age))
}

fn parent(path: &Path) -> &Path {
    path.parent().expect("a key's path has a folder")
}

fn remove_empty_folders(root: &Path, folder: &Path) {
    let inside = folder.ancestors().take_while(|step| *step != root && step.starts_with(root));
    for step in inside {
        if fs::remove_dir(step).is_err() {
            break;
        }
    }
}

pub(super) fn io_at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::ResourceId;

    fn store() -> (tempfile::TempDir, LocalStore) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = LocalStore::open(folder.path()).expect("a store");
        (folder, store)
    }

    #[test]
    fn what_is_put_is_read_listed_and_deleted() {
        let (_folder, store) = store();
        let resource = ResourceId::fresh();
        let bytes = "渔民编网".as_bytes();
        let key = Key::Derived {
            resource,
            name: "caption/zh".into(),
            hash: Sha256::of(bytes),
            ending: "vtt",
        };
        store.put(&key, bytes).expect("stored");
        store.put(&key, bytes).expect("a second time");
        let text = key.to_string();
        assert_eq!(store.read(&text).expect("there"), bytes);
        assert_eq!(&store.map(&text).expect("there").slice(0..6)[..], &bytes[..6]);
        assert_eq!(
            store.list(&Key::prefix(resource)).expect("listed"),
            [(text.clone(), bytes.len() as i64)]
        );
        store.delete(&text).expect("deleted");
        store.delete(&text).expect("a second time");
        assert!(matches!(store.read(&text), Err(Error::Missing(_))));
        assert!(store.list("").expect("listed").is_empty());
    }

    #[test]
    fn who_holds_the_file_open_cannot_change_what_was_stored() {
        let (folder, store) = store();
        let path = folder.path().join("0.m4s");
        let mut held = File::create(&path).expect("made");
        held.write_all(b"abc").expect("written");
        let file = File::open(&path).expect("there");
        let (key, stored) = store.put_copy(file, 10, Key::Source).expect("stored");
        held.write_all(b"def").expect("written");
        assert_eq!(store.read(&key.to_string()).expect("there"), b"abc");
        assert_eq!((stored.size_bytes, stored.sha256), (3, Sha256::of(b"abc")));
        let (_, first) = store.put_copy(&b"abcdef"[..], 2, Key::Source).expect("stored");
        assert_eq!(first.size_bytes, 2);
        assert_eq!(fs::read_dir(folder.path().join("aside")).expect("there").count(), 0);
    }

    #[test]
    fn a_damaged_source_is_replaced() {
        let (folder, store) = store();
        let file = folder.path().join("upload");
        fs::write(&file, b"abc").expect("written");
        let stored = Stored::of_file(&file).expect("readable");
        let key = Key::Source(stored.sha256).to_string();
        store.link_source(&stored, &file).expect("stored");
        for damage in ["ab", "abd"] {
            fs::remove_file(folder.path().join(&key)).expect("removed");
            fs::write(folder.path().join(&key), damage).expect("written");
            store.link_source(&stored, &file).expect("stored again");
            assert_eq!(store.read(&key).expect("there"), b"abc");
        }
    }

    #[test]
    fn what_was_left_aside_is_removed_after_a_day() {
        let (folder, store) = store();
        let [old, new] = ["old", "new"].map(|name| folder.path().join("aside").join(name));
        fs::write(&old, b"x").expect("written");
        fs::write(&new, b"x").expect("written");
        let before = std::time::SystemTime::now() - Duration::from_hours(2);
        File::options().write(true).open(&old).and_then(|f| f.set_modified(before)).expect("set");
        assert_eq!(store.remove_abandoned(Duration::from_hours(1)).expect("listed"), 1);
        assert!(new.exists() && !old.exists());
    }
}
