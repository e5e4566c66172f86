//! Answers of searches that are given again until something changes.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use moka::sync::Cache;

/// Answers by what was asked, and when.
#[derive(Debug)]
pub struct Answers {
    kept: Cache<(Moment, String), Bytes>,
    /// Counted up with every change of the index.
    index: AtomicU64,
}

/// Between two changes of what can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    index: u64,
    /// The number of the last change in the database, by whichever process.
    change: i64,
}

impl Answers {
    /// None, of at most so many bytes.
    #[must_use]
    pub fn new(most_bytes: u64) -> Self {
        let weigh = |(_, asked): &(Moment, String), answer: &Bytes| {
            u32::try_from(asked.len() + answer.len() + 128).unwrap_or(u32::MAX)
        };
        let kept = Cache::builder().weigher(weigh).max_capacity(most_bytes).build();
        Self { kept, index: AtomicU64::new(0) }
    }

    /// Forgets all: the index was changed.
    pub fn forget(&self) {
        self.index.fetch_add(1, Ordering::AcqRel);
        self.kept.invalidate_all();
    }

    /// The moment of an answer that is begun now, when `change` is the last one.
    #[must_use]
    pub fn moment(&self, change: i64) -> Moment {
        Moment { index: self.index.load(Ordering::Acquire), change }
    }

    /// The answer to `asked`.
    #[must_use]
    pub fn find(&self, moment: Moment, asked: &str) -> Option<Bytes> {
        self.kept.get(&(moment, asked.to_owned()))
    }

    /// Keeps an answer that was begun at `moment`.
    pub fn keep(&self, moment: Moment, asked: &str, answer: &Bytes) {
        self.kept.insert((moment, asked.to_owned()), answer.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_before_a_change_is_not_given_after_it() {
        let answers = Answers::new(1 << 20);
        let before = answers.moment(7);
        answers.keep(before, "q", &Bytes::from_static(b"old"));
        assert!(answers.find(before, "q").is_some());
        assert!(answers.find(answers.moment(8), "q").is_none());
        answers.forget();
        answers.keep(before, "q", &Bytes::from_static(b"old"));
        assert!(answers.find(answers.moment(7), "q").is_none());
    }
}
