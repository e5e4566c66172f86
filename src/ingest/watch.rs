//! Notices that files of the index were changed by somebody else.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// How often they are looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// What was seen of the files of an index: they grow while they are written, and stay as they are
/// from then on.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    seen: HashMap<OsString, (u64, SystemTime)>,
    looked: Option<Instant>,
}

impl Watch {
    /// Whether one was cut or written over since the last look, which is a second ago at least.
    /// Files that are gone may have been merged; those that are needed are missed when the index is
    /// read anew.
    pub(super) fn notices(&mut self, folder: &Path) -> bool {
        if self.looked.is_some_and(|looked| looked.elapsed() < PAUSE) {
            return false;
        }
        self.looked = Some(Instant::now());
        let now = look(folder);
        let spoilt = now.iter().any(|(name, (size, time))| {
            self.seen
                .get(name)
                .is_some_and(|before| *size < before.0 || *size == before.0 && *time != before.1)
        });
        self.seen = now;
        spoilt
    }
}

/// Size and time of each file that is written once: all but lists and locks.
fn look(folder: &Path) -> HashMap<OsString, (u64, SystemTime)> {
    let Ok(entries) = fs::read_dir(folder) else { return HashMap::new() };
    let facts = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let kept = !name.as_encoded_bytes().ends_with(b".json")
            && !name.as_encoded_bytes().ends_with(b".lock");
        let facts = entry.metadata().ok().filter(|facts| kept && facts.is_file())?;
        Some((name, (facts.len(), facts.modified().ok()?)))
    };
    entries.flatten().filter_map(facts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_written_and_what_changes_otherwise_is_spoilt() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("0198.pos");
        let mut watch = Watch::default();
        let mut notices = || {
            watch.looked = None;
            watch.notices(folder.path())
        };
        fs::write(&path, [1; 10]).expect("written");
        fs::write(folder.path().join("meta.json"), "{}").expect("written");
        assert!(!notices() && !notices());
        fs::write(&path, [1; 20]).expect("written");
        fs::write(folder.path().join("meta.json"), "").expect("written");
        assert!(!notices());
        fs::write(&path, [1; 15]).expect("written");
        assert!(notices() && !notices());
        fs::write(&path, [2; 15]).expect("written");
        let later = SystemTime::now() + Duration::from_secs(5);
        let file = fs::File::options().write(true).open(&path).expect("opened");
        file.set_modified(later).expect("set");
        assert!(notices());
        fs::remove_file(&path).expect("removed");
        assert!(!notices());
    }
}
