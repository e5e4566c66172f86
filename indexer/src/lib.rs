//! Search: one index of everything published, down to the second of a video and the page of a
//! document.
//!
//! ```no_run
//! use indexer::{Index, Query, Words};
//!
//! # fn main() -> Result<(), indexer::Error> {
//! let index = Index::open(std::path::Path::new("index"), Words::new(""))?;
//! let found = index.search(&Query { text: "太极拳 教学".into(), ..Query::default() })?;
//! # Ok(()) }
//! ```
//!
//! The index is a cache of rows and objects: it may be deleted and built again. Entries become
//! visible at [`Index::commit`], which also keeps the number of the last change that is in it.
//!
//! Plain synchronous code: no tokio, no SQL, no HTTP. It reads and writes its own folder only.

mod entry;
mod error;
mod found;
mod highlight;
mod index;
mod query;
mod schema;
mod suggest;
mod view;
mod words;
mod written;

pub use entry::{COURSE, Entry, Passage, PassageKind, VOUCHED};
pub use error::Error;
pub use found::{
    Explanation, Found, FoundAt, Hit, Moment, Query, Sort, Stands, Suggestion, WordExplanation,
};
pub use index::Index;
pub use words::{Words, fold_text};

/// The longest text that is searched for, in characters.
pub const MAX_QUERY_CHARS: usize = 1_000;

/// The deepest hit that can be paged to.
pub const MAX_DEPTH: usize = 10_000;

/// The most hits on one page.
pub const MAX_PER_PAGE: usize = 100;
