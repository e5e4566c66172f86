//! A resource with all that it is played and read from, kept for some seconds.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use crate::catalogue::{
    Caption, Library, Page, Rendition, Resource, ResourceId, Stage, TrackKind, Visibility,
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
    /// In the order of manifests; those without a part are left out.
    pub renditions: Vec<Rendition>,
    /// Chinese first.
    pub captions: Vec<Caption>,
    /// In order.
    pub pages: Vec<Page>,
}

/// What can be delivered, by resource.
#[derive(Debug, Clone)]
pub struct Deliveries(Cache<ResourceId, Option<Arc<Delivery>>>);

impl Default for Deliveries {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(KEEP).build())
    }
}

impl Deliveries {
    /// What `id` is delivered from, if there is such a resource.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn find(&self, db: &Db, id: ResourceId) -> Result<Option<Arc<Delivery>>, db::Error> {
        if let Some(kept) = self.0.get(&id) {
            return Ok(kept);
        }
        let found = load(db, id).await?.map(Arc::new);
        self.0.insert(id, found.clone());
        Ok(found)
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        self.0.invalidate_all();
    }

    /// Forgets what is kept of `id`.
    pub fn forget(&self, id: ResourceId) {
        self.0.invalidate(&id);
    }
}

async fn load(db: &Db, id: ResourceId) -> Result<Option<Delivery>, db::Error> {
    let mut db = db.read().await?;
    let Some(resource) = db::resources::find(&mut db, id).await? else { return Ok(None) };
    let mut renditions = db::media::list_renditions(&mut db, id).await?;
    renditions.retain(|rendition| rendition.init.is_some() && !rendition.parts.is_empty());
    Ok(Some(Delivery {
        library: db::libraries::get(&mut db, resource.library).await?,
        captions: db::media::list_captions(&mut db, id).await?,
        pages: db::media::list_pages(&mut db, id).await?,
        renditions,
        resource,
    }))
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

    /// Whether no more parts will come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.renditions.iter().all(|rendition| rendition.complete)
    }

    pub(super) fn of_kind(&self, kind: TrackKind) -> impl Iterator<Item = &Rendition> {
        self.renditions.iter().filter(move |rendition| rendition.kind == kind)
    }
}
