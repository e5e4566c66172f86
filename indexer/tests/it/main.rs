//! The index as its callers see it.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod any_text;
mod chinese;
mod library;
mod marks;
mod queries;
mod ranking;
mod storage;
mod suggesting;

use indexer::{Entry, Found, Index, Passage, PassageKind, Query, Words};
use tempfile::TempDir;

/// An index in a folder of its own.
struct Shelf {
    folder: TempDir,
    index: Index,
}

impl Shelf {
    fn new(entries: &[Entry]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), Words::new("")).unwrap();
        let shelf = Self { folder, index };
        shelf.put(entries);
        shelf
    }

    fn put(&self, entries: &[Entry]) {
        for entry in entries {
            self.index.put(entry).unwrap();
        }
        self.index.commit(self.index.mark() + 1).unwrap();
    }

    fn find(&self, text: &str) -> Found {
        self.index.search(&Query { text: text.into(), ..Query::default() }).unwrap()
    }

    /// The ids found, the best first.
    fn ids(&self, text: &str) -> Vec<String> {
        self.find(text).hits.into_iter().map(|hit| hit.resource).collect()
    }
}

fn titled(resource: &str, title: &str) -> Entry {
    Entry {
        resource: resource.into(),
        library: "main".into(),
        kind: "video".into(),
        title: title.into(),
        ..Entry::default()
    }
}

fn caption(start_ms: i64, text: &str) -> Passage {
    Passage { kind: PassageKind::Caption, start_ms: Some(start_ms), page: None, text: text.into() }
}

fn page(number: u32, text: &str) -> Passage {
    Passage { kind: PassageKind::Page, start_ms: None, page: Some(number), text: text.into() }
}
