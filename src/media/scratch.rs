//! Folders that media children write into, one each, and what a killed worker leaves of them.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// How the names of these folders begin.
const PREFIX: &str = "media-";

/// Folders below are looked into up to so many files: no child may have as many.
const MAX_LOOKED: usize = 100_000;

/// A folder for one child; removed on drop. Its owner keeps it locked, so that
/// one without a lock is known to be nobody's.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: tempfile::TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one in `root`.
    pub(super) fn make(root: &Path) -> io::Result<Self> {
        loop {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root)?;
            let lock = match File::open(folder.path()) {
                Ok(lock) => lock,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            // A sweep between the making and the lock took it for abandoned.
            if lock.try_lock().is_ok() && is_at(&lock, folder.path()) {
                return Ok(Self { folder, _lock: lock });
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Bytes and files in it and in folders below, by length or by what they take of the disk,
    /// whichever is more.
    pub(super) fn measure(&self) -> io::Result<(u64, usize)> {
        let mut bytes = 0_u64;
        let mut files = 0;
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let facts = entry.metadata()?;
                bytes = bytes.saturating_add(facts.len().max(facts.blocks() * 512));
                files += 1;
                if facts.is_dir() && files < MAX_LOOKED {
                    folders.push(entry.path());
                }
            }
        }
        Ok((bytes, files))
    }
}

fn is_at(folder: &File, path: &Path) -> bool {
    match (folder.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Removes the folders in `root` whose owners were killed; gives their number.
///
/// # Errors
///
/// When `root` cannot be read. What cannot be removed stays for the next time.
pub fn remove_abandoned(root: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(root)?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        // One that is gone by now was removed by its owner.
        let Ok(lock) = File::open(entry.path()) else { continue };
        if lock.try_lock().is_ok() && fs::remove_dir_all(entry.path()).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let root = tempfile::tempdir().expect("a folder");
        let held = Scratch::make(root.path()).expect("made");
        fs::write(held.path().join("0.mp4"), "x").expect("written");
        let abandoned = root.path().join("media-gone");
        fs::create_dir(&abandoned).expect("made");
        fs::write(abandoned.join("0.mp4"), "x").expect("written");
        let other = root.path().join("other");
        fs::create_dir(&other).expect("made");
        assert_eq!(remove_abandoned(root.path()).expect("read"), 1);
        assert!(held.path().join("0.mp4").exists() && other.exists() && !abandoned.exists());
        drop(held);
        assert_eq!(fs::read_dir(root.path()).expect("read").count(), 1);
    }
}
