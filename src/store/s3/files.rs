//! Whole objects as local files, for whoever must seek in them: a few, the last used ones.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::super::key::{hash_of_name, is_of};
use super::super::local::io_at;
use super::super::{Error, Stored};

/// A folder of objects, each under its hash.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    most_bytes: u64,
    /// Who fetches one lets others wait for it.
    fetching: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl Files {
    pub(super) fn open(folder: &Path, most_bytes: u64) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(io_at("making", folder))?;
        for left in fs::read_dir(folder).map_err(io_at("listing", folder))?.flatten() {
            if is_aside(&left) {
                // Somebody who was ended was writing it.
                let _ = fs::remove_file(left.path());
            }
        }
        Ok(Self { folder: folder.to_owned(), most_bytes, fetching: Mutex::default() })
    }

    /// The object at `key`, which `fetch` writes when it is not here. What comes must have the
    /// hash that the key names.
    pub(super) fn get(
        &self,
        key: &str,
        fetch: impl FnOnce(&mut File) -> Result<Stored, Error>,
    ) -> Result<File, Error> {
        let turn = Arc::clone(
            self.fetching
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key.to_owned())
                .or_default(),
        );
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let got = self.kept(key).map_or_else(|| self.fetch(key, fetch), Ok);
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        got
    }

    /// Keeps `file`, which is the object at `key`, if that costs no copy.
    pub(super) fn adopt(&self, key: &str, file: &Path) {
        if let Ok(path) = self.path(key)
            && !path.exists()
            && fs::hard_link(file, &path).is_ok()
        {
            self.make_room();
        }
    }

    pub(super) fn forget(&self, key: &str) {
        if let Ok(path) = self.path(key) {
            // It may not be here.
            let _ = fs::remove_file(path);
        }
    }

    fn kept(&self, key: &str) -> Option<File> {
        let file = File::open(self.path(key).ok()?).ok()?;
        // The last used are kept; a time that cannot be set only makes it go sooner.
        let _ = file.set_modified(SystemTime::now());
        Some(file)
    }

    fn fetch(
        &self,
        key: &str,
        fetch: impl FnOnce(&mut File) -> Result<Stored, Error>,
    ) -> Result<File, Error> {
        let path = self.path(key)?;
        let folder = &self.folder;
        let mut aside =
            tempfile::NamedTempFile::new_in(folder).map_err(io_at("writing", folder))?;
        let stored = fetch(aside.as_file_mut())?;
        if !is_of(key, &stored) {
            return Err(Error::Changed(key.to_owned()));
        }
        aside.as_file().sync_all().map_err(io_at("syncing", &path))?;
        aside.persist(&path).map_err(|error| io_at("moving", &path)(error.error))?;
        let file = File::open(&path).map_err(io_at("opening", &path))?;
        self.make_room();
        Ok(file)
    }

    /// Removes those that were used longest ago while there is too much. Whoever reads one has it
    /// open.
    fn make_room(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut kept: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter(|entry| !is_aside(entry))
            .filter_map(|entry| {
                let facts = entry.metadata().ok()?;
                Some((facts.modified().ok()?, facts.len(), entry.path()))
            })
            .collect();
        kept.sort();
        let mut bytes: u64 = kept.iter().map(|(_, size, _)| size).sum();
        // The newest stays whatever its size: somebody waits for it.
        kept.pop();
        for (_, size, path) in kept {
            if bytes <= self.most_bytes {
                break;
            }
            if fs::remove_file(path).is_ok() {
                bytes -= size;
            }
        }
    }

    fn path(&self, key: &str) -> Result<PathBuf, Error> {
        let hash = hash_of_name(key).ok_or_else(|| Error::BadKey(key.to_owned()))?;
        Ok(self.folder.join(hash))
    }
}

/// Whether it is being written: names of temporary files begin with a dot.
fn is_aside(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}
