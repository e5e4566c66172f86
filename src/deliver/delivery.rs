//! A resource with all that it is played and read from, kept for some seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use crate::catalogue::{
    Caption, Library, Page, Rendition, RenditionState, Resource, ResourceId, Stage, TrackKind,
    Visibility,
};
use crate::db::{self, Db};

/// How long something changed by another process may still be answered from memory.
const KEEP: Duration = Duration::from_secs(3);

/// Resources that are kept.
const MOST: u64 = 10_000;

/// A resource with all that it is played and read from.
#[derive(Debug)]
pub struct Delivery {
    /// The resource.
    pub resource: Resource,
    /// Its library.
    pub library: Library,
    /// In the order of manifests; those without a part are left out, and all while
    /// picture or sound has none.
    pub renditions: Vec<Rendition>,
    /// There are others that are made when somebody plays it.
    pub wants_more: bool,
    /// Chinese first.
    pub captions: Vec<Caption>,
    /// In order.
    pub pages: Vec<Page>,
}

/// What can be delivered, by resource.
#[derive(Debug, Clone)]
pub struct Deliveries {
    kept: Cache<ResourceId, Option<Arc<Delivery>>>,
    /// Raised whenever something is forgotten.
    epoch: Arc<AtomicU64>,
}

impl Default for Deliveries {
    fn default() -> Self {
        let kept = Cache::builder().max_capacity(MOST).time_to_live(KEEP).build();
        Self { kept, epoch: Arc::default() }
    }
}

impl Deliveries {
    /// What `id` is delivered from, if there is such a resource.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn find(&self, db: &Db, id: ResourceId) -> Result<Option<Arc<Delivery>>, db::Error> {
        match self.kept.get(&id) {
            Some(kept) => Ok(kept),
            None => self.keep(id, load(db, id)).await,
        }
    }

    /// Keeps what `loading` gives, unless something was forgotten meanwhile: it may be from
    /// before the change.
    async fn keep(
        &self,
        id: ResourceId,
        loading: impl Future<Output = Result<Option<Delivery>, db::Error>>,
    ) -> Result<Option<Arc<Delivery>>, db::Error> {
        let epoch = self.epoch.load(Ordering::SeqCst);
        let found = loading.await?.map(Arc::new);
        self.kept.insert(id, found.clone());
        // After the insertion: who raises it later removes what was inserted.
        if self.epoch.load(Ordering::SeqCst) != epoch {
            self.kept.invalidate(&id);
        }
        Ok(found)
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

async fn load(db: &Db, id: ResourceId) -> Result<Option<Delivery>, db::Error> {
    let mut db = db.read().await?;
    let Some(resource) = db::resources::find(&mut db, id).await? else { return Ok(None) };
    let renditions = db::media::list_renditions(&mut db, id).await?;
    let wants_more = renditions.iter().any(Rendition::is_wanted);
    Ok(Some(Delivery {
        library: db::libraries::get(&mut db, resource.library).await?,
        captions: db::media::list_captions(&mut db, id).await?,
        pages: db::media::list_pages(&mut db, id).await?,
        renditions: playable(renditions),
        wants_more,
        resource,
    }))
}

/// Those that have begun; none before there is both picture and sound, where both are planned.
/// Players look only once for what there is to choose from.
fn playable(mut renditions: Vec<Rendition>) -> Vec<Rendition> {
    let kinds = |renditions: &[Rendition]| {
        [TrackKind::Video, TrackKind::Audio]
            .map(|kind| renditions.iter().any(|r| r.kind == kind && r.is_basic()))
    };
    let planned = kinds(&renditions);
    renditions.retain(|rendition| rendition.init.is_some() && !rendition.parts.is_empty());
    if kinds(&renditions) != planned {
        renditions.clear();
    }
    renditions
}

impl Delivery {
    /// Whether everybody may have it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.resource.stage == Stage::Published && self.library.visibility == Visibility::Public
    }

    /// Whether there is something to play.
    #[must_use]
    pub fn is_playable(&self) -> bool {
        !self.renditions.is_empty()
    }

    /// Whether picture and sound, as far as there are any, can be had whole by every player.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let of = |kind| self.renditions.iter().filter(move |r| r.kind == kind && r.is_basic());
        [TrackKind::Video, TrackKind::Audio]
            .into_iter()
            .all(|kind| of(kind).next().is_none() || of(kind).any(Rendition::is_complete))
    }

    /// What manifests name: as soon as it can be had whole, nothing that is still being made; until
    /// then what every player plays. Other codecs join when they are whole.
    pub(super) fn offered(&self) -> impl Iterator<Item = &Rendition> {
        let whole = self.is_complete();
        self.renditions.iter().filter(move |rendition| match rendition.state {
            RenditionState::Absent | RenditionState::Retired => false,
            _ if whole => rendition.is_complete(),
            _ => rendition.is_basic(),
        })
    }

    pub(super) fn of_kind(&self, kind: TrackKind) -> impl Iterator<Item = &Rendition> {
        self.offered().filter(move |rendition| rendition.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_played_before_picture_and_sound() {
        let [video, sound] = [TrackKind::Video, TrackKind::Audio]
            .map(|kind| super::super::tests::rendition("a", kind, None));
        let coming = Rendition { parts: Vec::new(), init: None, ..sound.clone() };
        assert_eq!(playable(vec![video.clone()]).len(), 1, "one without sound");
        assert_eq!(playable(vec![video.clone(), coming.clone()]).len(), 0);
        let dark = Rendition { parts: Vec::new(), ..video.clone() };
        assert_eq!(playable(vec![dark, sound.clone()]).len(), 0);
        assert_eq!(playable(vec![video, coming, sound]).len(), 2);
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept() {
        let (deliveries, id) = (Deliveries::default(), ResourceId::fresh());
        deliveries.keep(id, async { Ok(None) }).await.expect("found");
        assert!(deliveries.kept.get(&id).is_some());
        let changed_meanwhile = async {
            deliveries.forget(id);
            Ok(None)
        };
        deliveries.keep(id, changed_meanwhile).await.expect("found");
        assert!(deliveries.kept.get(&id).is_none());
    }
}
