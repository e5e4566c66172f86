//! How much was sent, by library, in memory until it is written down.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::catalogue::LibraryId;

/// How much was sent, by library.
#[derive(Debug, Default)]
pub struct Traffic(RwLock<HashMap<LibraryId, Arc<Sent>>>);

/// What was sent for one library since it was last taken.
#[derive(Debug, Default)]
pub struct Sent {
    /// Answers.
    answers: AtomicU64,
    /// Of their bodies.
    bytes: AtomicU64,
}

/// What was sent for one library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Answers.
    pub answers: i64,
    /// Bytes of their bodies.
    pub bytes: i64,
}

impl Traffic {
    /// Counts for `library`.
    pub fn of(&self, library: LibraryId) -> Arc<Sent> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&library).cloned();
        known.unwrap_or_else(|| {
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(library).or_default())
        })
    }

    /// What was sent since the last time, of libraries with any.
    #[must_use]
    pub fn take(&self) -> Vec<(LibraryId, Amount)> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let taken = all.iter().map(|(library, sent)| (*library, sent.take()));
        taken.filter(|(_, amount)| amount.answers > 0 || amount.bytes > 0).collect()
    }
}

impl Sent {
    /// One more answer.
    pub(super) fn answer(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// More bytes of a body.
    pub(super) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn take(&self) -> Amount {
        let take = |from: &AtomicU64| from.swap(0, Ordering::Relaxed).cast_signed();
        Amount { answers: take(&self.answers), bytes: take(&self.bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_taken_once() {
        let (traffic, library) = (Traffic::default(), LibraryId::fresh());
        let sent = traffic.of(library);
        sent.answer();
        sent.add(5);
        traffic.of(library).add(2);
        assert_eq!(traffic.take(), [(library, Amount { answers: 1, bytes: 7 })]);
        sent.add(1);
        assert_eq!(traffic.take(), [(library, Amount { answers: 0, bytes: 1 })]);
        assert_eq!(traffic.take(), []);
    }
}
