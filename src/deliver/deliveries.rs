//! What resources are delivered from, kept for some seconds.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::delivery::load;
use super::{Delivery, Traffic};
use crate::catalogue::ResourceId;
use crate::db::{self, Db};

/// How old an answer from memory may be before rows are looked at again.
const FRESH: Duration = Duration::from_secs(3);

/// How old it may be while they are looked at: the longest that something withdrawn by another
/// process is still answered.
const STALE: Duration = Duration::from_secs(8);

/// How long what nobody asks for is kept.
const IDLE: Duration = Duration::from_mins(1);

/// Bytes of what is kept.
const MOST_BYTES: u64 = 128 * 1024 * 1024;

/// Resources that a thread remembers by itself.
const RECENT: usize = 64;

/// What can be delivered, by resource.
#[derive(Debug, Clone)]
pub struct Deliveries {
    kept: Cache<ResourceId, Arc<Kept>>,
    /// Counts what is sent.
    traffic: Arc<Traffic>,
    /// For how long addresses in the bucket are given out, where clients fetch there.
    direct: Option<Duration>,
    /// Raised whenever something is forgotten.
    epoch: Arc<AtomicU64>,
}

/// What was found last, if anything, and when.
#[derive(Debug)]
struct Kept {
    delivery: Option<Arc<Delivery>>,
    /// When rows were looked at.
    checked: Instant,
    /// Somebody looks at them again.
    checking: AtomicBool,
}

/// What a thread found last: asking the cache that all share costs a tenth of an answer.
struct Recent {
    id: ResourceId,
    /// Whose epoch it was, and which; another one means that something was forgotten since.
    epoch: (*const AtomicU64, u64),
    kept: Arc<Kept>,
}

thread_local! {
    static FOUND: RefCell<[Option<Recent>; RECENT]> = const { RefCell::new([const { None }; RECENT]) };
}

impl Deliveries {
    /// Nothing is kept yet; deliveries count what they send in `traffic`. `direct` is how long
    /// addresses in the bucket are given out, where clients fetch there.
    #[must_use]
    pub fn new(traffic: Arc<Traffic>, direct: Option<Duration>) -> Self {
        let weight = |_: &ResourceId, kept: &Arc<Kept>| kept.weight();
        let kept = Cache::builder().weigher(weight).max_capacity(MOST_BYTES).time_to_idle(IDLE);
        Self { kept: kept.build(), traffic, direct, epoch: Arc::default() }
    }
}

impl Kept {
    fn weight(&self) -> u32 {
        self.delivery.as_ref().map_or(200, |delivery| delivery.size_bytes())
    }
}

impl Deliveries {
    /// What `id` is delivered from, if there is such a resource.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn find(&self, db: &Db, id: ResourceId) -> Result<Option<Arc<Delivery>>, db::Error> {
        if let Some(kept) = self.kept.get(&id)
            && kept.checked.elapsed() < FRESH
        {
            return Ok(kept.delivery.clone());
        }
        self.check(db, id).await
    }

    /// What is known of `id`, without waiting: not older than eight seconds, and looked at again
    /// meanwhile once it is older than three.
    pub fn known(&self, db: &Db, id: ResourceId) -> Option<Arc<Delivery>> {
        let kept = self.recent(id)?;
        let age = kept.checked.elapsed();
        if age >= STALE {
            return None;
        }
        if age >= FRESH && !kept.checking.swap(true, Ordering::Relaxed) {
            let (own, db, kept) = (self.clone(), db.clone(), Arc::clone(&kept));
            tokio::spawn(async move {
                // Whoever comes when it is too old meets the error.
                if own.check(&db, id).await.is_err() {
                    kept.checking.store(false, Ordering::Relaxed);
                }
            });
        }
        kept.delivery.clone()
    }

    /// What is kept of `id`, from this thread's own memory where that is fresh.
    fn recent(&self, id: ResourceId) -> Option<Arc<Kept>> {
        let epoch = (Arc::as_ptr(&self.epoch), self.epoch.load(Ordering::SeqCst));
        FOUND.with_borrow_mut(|found| {
            let slot = &mut found[usize::from(id.last_byte()) % RECENT];
            if let Some(recent) = slot
                && recent.id == id
                && recent.epoch == epoch
                && recent.kept.checked.elapsed() < FRESH
            {
                return Some(Arc::clone(&recent.kept));
            }
            let kept = self.kept.get(&id)?;
            *slot = Some(Recent { id, epoch, kept: Arc::clone(&kept) });
            Some(kept)
        })
    }

    /// Looks at the rows of `id`, and keeps what they say unless something was forgotten meanwhile:
    /// it may be from before the change.
    async fn check(&self, db: &Db, id: ResourceId) -> Result<Option<Arc<Delivery>>, db::Error> {
        let before = self.kept.get(&id).and_then(|kept| kept.delivery.clone());
        self.keep(id, load(db, id, before, (&self.traffic, self.direct))).await
    }

    async fn keep(
        &self,
        id: ResourceId,
        loading: impl Future<Output = Result<Option<Arc<Delivery>>, db::Error>>,
    ) -> Result<Option<Arc<Delivery>>, db::Error> {
        let (epoch, checked) = (self.epoch.load(Ordering::SeqCst), Instant::now());
        let delivery = loading.await?;
        let kept = Kept { delivery: delivery.clone(), checked, checking: AtomicBool::new(false) };
        self.kept.insert(id, Arc::new(kept));
        // After the insertion: who raises it later removes what was inserted.
        if self.epoch.load(Ordering::SeqCst) != epoch {
            self.kept.invalidate(&id);
        }
        Ok(delivery)
    }

    /// About the memory that is used.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.kept.weighted_size()
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.kept.invalidate_all();
    }

    /// Forgets what is kept of `id`.
    pub fn forget(&self, id: ResourceId) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.kept.invalidate(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept() {
        let (deliveries, id) = (Deliveries::new(Arc::default(), None), ResourceId::fresh());
        deliveries.keep(id, async { Ok(None) }).await.expect("found");
        assert!(deliveries.kept.get(&id).is_some());
        let changed_meanwhile = async {
            deliveries.forget(id);
            Ok(None)
        };
        deliveries.keep(id, changed_meanwhile).await.expect("found");
        assert!(deliveries.kept.get(&id).is_none());
    }

    #[tokio::test]
    async fn a_thread_forgets_with_the_others() {
        let (deliveries, id) = (Deliveries::new(Arc::default(), None), ResourceId::fresh());
        deliveries.keep(id, async { Ok(None) }).await.expect("found");
        assert!(deliveries.recent(id).is_some() && deliveries.recent(id).is_some());
        deliveries.forget(id);
        assert!(deliveries.recent(id).is_none());
        assert!(
            Deliveries::new(Arc::default(), None).recent(id).is_none(),
            "others know nothing of it"
        );
    }
}
