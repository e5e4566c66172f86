//! Answers of searches that are given again until something changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use moka::sync::Cache;

/// Answers by what was asked; all are forgotten together.
#[derive(Debug)]
pub struct Answers {
    kept: Cache<(u64, String), Bytes>,
    /// Counted up with every change.
    generation: Arc<AtomicU64>,
}

impl Answers {
    /// None, of at most so many bytes.
    #[must_use]
    pub fn new(most_bytes: u64) -> Self {
        let weigh = |(_, asked): &(u64, String), answer: &Bytes| {
            u32::try_from(asked.len() + answer.len() + 128).unwrap_or(u32::MAX)
        };
        let kept = Cache::builder().weigher(weigh).max_capacity(most_bytes).build();
        Self { kept, generation: Arc::default() }
    }

    /// Forgets all: something that can be found was changed.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.kept.invalidate_all();
    }

    /// The generation of an answer that is begun now.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The answer to `asked`.
    #[must_use]
    pub fn find(&self, generation: u64, asked: &str) -> Option<Bytes> {
        self.kept.get(&(generation, asked.to_owned()))
    }

    /// Keeps an answer that was begun in `generation`.
    pub fn keep(&self, generation: u64, asked: &str, answer: &Bytes) {
        self.kept.insert((generation, asked.to_owned()), answer.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_before_a_change_is_not_given_after_it() {
        let answers = Answers::new(1 << 20);
        let before = answers.generation();
        answers.keep(before, "q", &Bytes::from_static(b"old"));
        assert!(answers.find(before, "q").is_some());
        answers.forget();
        answers.keep(before, "q", &Bytes::from_static(b"old"));
        assert!(answers.find(answers.generation(), "q").is_none());
    }
}
