//! What players asked for, in memory until it is written down.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

use crate::catalogue::{RenditionId, ResourceId};

/// How long a resource that could not be given more is left alone.
const PAUSE: Duration = Duration::from_secs(60);

/// Resources that are remembered.
const MOST: u64 = 10_000;

/// What players asked for.
#[derive(Debug)]
pub struct Asked {
    renditions: Mutex<BTreeMap<RenditionId, i64>>,
    more: Cache<ResourceId, ()>,
}

impl Default for Asked {
    fn default() -> Self {
        let more = Cache::builder().max_capacity(MOST).time_to_live(PAUSE).build();
        Self { renditions: Mutex::default(), more }
    }
}

impl Asked {
    /// Notes that some of a rendition was asked for.
    pub fn note(&self, rendition: RenditionId, now_ms: i64) {
        let mut renditions = self.renditions.lock().unwrap_or_else(PoisonError::into_inner);
        let last = renditions.entry(rendition).or_insert(now_ms);
        *last = now_ms.max(*last);
    }

    /// What was noted since the last time, in the order of ids.
    #[must_use]
    pub fn take(&self) -> BTreeMap<RenditionId, i64> {
        std::mem::take(&mut *self.renditions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether somebody is the first who wants more of a resource, for now.
    pub fn is_first(&self, resource: ResourceId) -> bool {
        let known = self.more.contains_key(&resource);
        if !known {
            self.more.insert(resource, ());
        }
        !known
    }

    /// The next who wants more of a resource is the first again.
    pub fn forget(&self, resource: ResourceId) {
        self.more.invalidate(&resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_time_counts_and_is_taken_once() {
        let (asked, id) = (Asked::default(), RenditionId::fresh());
        asked.note(id, 5);
        asked.note(id, 3);
        assert_eq!(asked.take(), BTreeMap::from([(id, 5)]));
        assert!(asked.take().is_empty());
    }

    #[test]
    fn one_of_many_players_is_the_first() {
        let (asked, id) = (Asked::default(), ResourceId::fresh());
        assert_eq!([asked.is_first(id), asked.is_first(id)], [true, false]);
        asked.forget(id);
        assert!(asked.is_first(id));
    }
}
