//! Notices that files of the index were changed by somebody else.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
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

/// What a look at the files shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noticed {
    /// All is as it should be.
    Nothing,
    /// One was cut or written over: the index may be damaged.
    Changed,
    /// One is gone that the index needs.
    Gone,
}

impl Watch {
    /// What happened since the last look, which is a second ago at least.
    pub(super) fn look(&mut self, folder: &Path) -> Noticed {
        if self.looked.is_some_and(|looked| looked.elapsed() < PAUSE) {
            return Noticed::Nothing;
        }
        self.looked = Some(Instant::now());
        let named = segments(folder);
        let now = facts(folder);
        let before = std::mem::replace(&mut self.seen, now);
        let now = &self.seen;
        let lacks = |segment: &String| {
            let store = OsString::from(format!("{segment}.store"));
            let mut files = before.keys().filter(|name| is_of(name, segment)).chain([&store]);
            files.any(|name| !now.contains_key(name))
        };
        let lacking: Vec<&String> = named.iter().filter(|segment| lacks(segment)).collect();
        // Files are removed after the list of segments has changed.
        if !lacking.is_empty() && segments(folder).iter().any(|named| lacking.contains(&named)) {
            return Noticed::Gone;
        }
        let spoilt = |(name, (size, time)): (&OsString, &(u64, SystemTime))| {
            before
                .get(name)
                .is_some_and(|before| *size < before.0 || *size == before.0 && *time != before.1)
        };
        if now.iter().any(spoilt) { Noticed::Changed } else { Noticed::Nothing }
    }
}

/// Whether the file is one of the segment's that stay as long as it: the list of what is deleted
/// from it is replaced by one of another name.
fn is_of(name: &OsStr, segment: &str) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(segment.as_bytes()) && !name.ends_with(b".del") && !name.ends_with(b".temp")
}

/// The segments that the index has, as their files are called.
fn segments(folder: &Path) -> Vec<String> {
    let listed = fs::read_to_string(folder.join("meta.json")).unwrap_or_default();
    let ids = listed.split("\"segment_id\"").skip(1).filter_map(|rest| rest.split('"').nth(1));
    ids.map(|id| id.replace('-', "")).filter(|id| id.len() == 32).collect()
}

/// Size and time of each file that is written once: all but lists and locks.
fn facts(folder: &Path) -> HashMap<OsString, (u64, SystemTime)> {
    let Ok(entries) = fs::read_dir(folder) else { return HashMap::new() };
    let of = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let kept = !name.as_encoded_bytes().ends_with(b".json")
            && !name.as_encoded_bytes().ends_with(b".lock");
        let facts = entry.metadata().ok().filter(|facts| kept && facts.is_file())?;
        Some((name, (facts.len(), facts.modified().ok()?)))
    };
    entries.flatten().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_written_and_what_changes_otherwise_is_spoilt() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("0123456789abcdef0123456789abcdef.pos");
        let meta = folder.path().join("meta.json");
        let mut watch = Watch::default();
        let mut look = || {
            watch.looked = None;
            watch.look(folder.path())
        };
        fs::write(&path, [1; 10]).expect("written");
        fs::write(&meta, "{}").expect("written");
        assert_eq!([look(), look()], [Noticed::Nothing; 2]);
        fs::write(&path, [1; 20]).expect("written");
        fs::write(&meta, "").expect("written");
        assert_eq!(look(), Noticed::Nothing);
        fs::write(&path, [1; 15]).expect("written");
        assert_eq!([look(), look()], [Noticed::Changed, Noticed::Nothing]);
        fs::write(&path, [2; 15]).expect("written");
        let later = SystemTime::now() + Duration::from_secs(5);
        let file = fs::File::options().write(true).open(&path).expect("opened");
        file.set_modified(later).expect("set");
        assert_eq!(look(), Noticed::Changed);
        fs::remove_file(&path).expect("removed");
        assert_eq!(look(), Noticed::Nothing, "merged");
        fs::write(&path, [1; 10]).expect("written");
        let store = path.with_extension("store");
        fs::write(&store, [1; 10]).expect("written");
        fs::write(&meta, "{\"segment_id\": \"01234567-89ab-cdef-0123-456789abcdef\"}")
            .expect("written");
        assert_eq!(look(), Noticed::Nothing);
        fs::remove_file(&path).expect("removed");
        assert_eq!([look(), look()], [Noticed::Gone, Noticed::Nothing]);
        fs::remove_file(&store).expect("removed");
        assert_eq!([look(), look()], [Noticed::Gone, Noticed::Gone]);
    }
}
