//! The net as everybody sees it: public libraries by region, what is in them, what is newest. Read
//! once for all who ask until something changes.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::catalogue::{
    Kind, Level, Library, LibraryId, Organisation, OrganisationId, Resource, Visibility,
};
use crate::db::front::{Moment, Told, by_code, moment, told};
use crate::db::{self, Db};

/// The newest resources that are kept of each library.
pub const NEWEST: i64 = 12;

/// The net as everybody sees it. Nothing of internal libraries is in it.
#[derive(Debug, Clone, Default)]
pub struct Front {
    /// The libraries, oldest first.
    pub shelves: Vec<Shelf>,
    /// Organisations that own some of them, and all above these; by code.
    pub regions: Vec<Organisation>,
    /// Open organisations in all.
    pub organisations: i64,
    /// Published resources.
    pub resources: i64,
    /// How long the videos are together, in milliseconds.
    pub video_ms: i64,
    /// Resources for which somebody vouches, the last vouched for first.
    pub vouched: Vec<Resource>,
    /// How many resources have each topic, by code.
    pub topics: HashMap<String, i64>,
    /// How many resources are for each audience, by code.
    pub audiences: HashMap<String, i64>,
}

/// A public library with what is in it.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// The library.
    pub library: Library,
    /// Ids from the top of the tree down to its owner; empty when it is the whole net's.
    pub path: Vec<OrganisationId>,
    /// Level of its owner.
    pub level: Option<Level>,
    /// Published resources.
    pub resources: i64,
    /// The newest of them.
    pub newest: Vec<Resource>,
}

impl Front {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// Those of the database.
    async fn read(db: &Db) -> Result<Self, db::Error> {
        let mut db = db.read().await?;
        let mut front = Self {
            regions: db::organisations::list_with_libraries(&mut db).await?,
            organisations: db::organisations::count_open(&mut db).await?,
            ..Self::default()
        };
        let mut libraries = db::libraries::list(&mut db).await?;
        libraries.retain(|library| library.visibility == Visibility::Public);
        let told = told(&mut db, None).await?;
        for library in libraries {
            let newest = db::resources::list_newest(&mut db, library.id, None, (0, NEWEST)).await?;
            front.shelve(library, newest);
        }
        front.count(&told);
        let ids = db::vouchers::newest_public(&mut db, NEWEST).await?;
        let mut vouched = db::resources::list_public(&mut db, &ids).await?;
        vouched.sort_by_key(|resource| ids.iter().position(|id| *id == resource.id.to_string()));
        front.vouched = vouched;
        Ok(front)
    }

    fn shelve(&mut self, library: Library, newest: Vec<Resource>) {
        let owner = self.regions.iter().find(|region| Some(region.id) == library.owner);
        let (path, level) = (owner.map(|owner| owner.path.clone()), owner.map(|owner| owner.level));
        let path = path.unwrap_or_default();
        self.shelves.push(Shelf { library, path, level, resources: 0, newest });
    }

    /// Adds up what is in the libraries that are here.
    fn count(&mut self, told: &Told) {
        let places: HashMap<LibraryId, usize> =
            self.shelves.iter().enumerate().map(|(at, shelf)| (shelf.library.id, at)).collect();
        for tally in &told.kinds {
            let Some(at) = places.get(&tally.library) else { continue };
            self.shelves[*at].resources += tally.resources;
            self.resources += tally.resources;
            if tally.kind == Kind::Video {
                self.video_ms += tally.duration_ms;
            }
        }
        self.topics = by_code(&told.topics);
        self.audiences = by_code(&told.audiences);
    }

    /// The newest resources of the libraries that are `wanted`, at most `most` and [`NEWEST`] of
    /// each library.
    #[must_use]
    pub fn newest(&self, most: usize, wanted: impl Fn(&Shelf) -> bool) -> Vec<&Resource> {
        let wanted = self.shelves.iter().filter(|shelf| wanted(shelf));
        newest_first(wanted.flat_map(|shelf| &shelf.newest).collect(), most)
    }

    /// What is vouched for, at most `most`. As long as nothing is: the newest resource of each
    /// library that belongs to a township or a community.
    #[must_use]
    pub fn treasures(&self, most: usize) -> Vec<&Resource> {
        if !self.vouched.is_empty() {
            return self.vouched.iter().take(most).collect();
        }
        let local = |shelf: &&Shelf| shelf.level >= Some(Level::Township);
        let first = self.shelves.iter().filter(local).filter_map(|shelf| shelf.newest.first());
        newest_first(first.collect(), most)
    }

    /// The libraries of `region` and of all below it.
    pub fn below(&self, region: OrganisationId) -> impl Iterator<Item = &Shelf> {
        self.shelves.iter().filter(move |shelf| shelf.path.contains(&region))
    }

    /// The library of `resource`.
    #[must_use]
    pub fn library_of(&self, resource: &Resource) -> Option<&Library> {
        let own = self.shelves.iter().find(|shelf| shelf.library.id == resource.library);
        own.map(|shelf| &shelf.library)
    }
}

fn newest_first(mut resources: Vec<&Resource>, most: usize) -> Vec<&Resource> {
    resources.sort_by_key(|resource| Reverse((resource.published_ms, resource.id.to_string())));
    resources.truncate(most);
    resources
}

/// The net as it was read last.
#[derive(Debug, Default)]
pub struct Fronts(Mutex<Option<(Moment, Arc<Front>)>>);

impl Fronts {
    /// The net as it is now: what was read last while nothing changed. Those who ask while it is
    /// read wait for the one reading.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn now(&self, db: &Db) -> Result<Arc<Front>, db::Error> {
        let asked = moment(&mut *db.read().await?).await?;
        let mut kept = self.0.lock().await;
        if let Some((since, front)) = &*kept
            && since.covers(asked)
        {
            return Ok(Arc::clone(front));
        }
        // Whoever read while this waited may have seen less than is there by now.
        let since = moment(&mut *db.read().await?).await?;
        let front = Arc::new(Front::read(db).await?);
        *kept = Some((since, Arc::clone(&front)));
        Ok(front)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Stage, test_resource};
    use crate::db::front::Tally;

    fn shelf(front: &mut Front, owner: Option<OrganisationId>, published_ms: i64) -> LibraryId {
        let slug = format!("l{published_ms}").parse().expect("a slug");
        let library = Library { owner, ..Library::new(slug, "库", 0) };
        let id = library.id;
        let resource = Resource {
            library: id,
            published_ms: Some(published_ms),
            ..test_resource(Stage::Published)
        };
        front.shelve(library, vec![resource]);
        id
    }

    #[test]
    fn treasures_are_of_townships_and_the_tree_rolls_up() {
        let city = Organisation::new(None, Level::City, "市", 0).expect("a city");
        let town = Organisation::new(Some(&city), Level::Township, "镇", 0).expect("a town");
        let mut front = Front { regions: vec![city.clone(), town.clone()], ..Front::default() };
        shelf(&mut front, None, 4);
        shelf(&mut front, Some(city.id), 3);
        let local = shelf(&mut front, Some(town.id), 2);
        let treasures: Vec<_> = front.treasures(9).iter().map(|found| found.library).collect();
        assert_eq!(treasures, [local]);
        front.vouched = vec![front.shelves[1].newest[0].clone()];
        let treasures: Vec<_> = front.treasures(9).iter().map(|found| found.library).collect();
        assert_eq!(treasures, [front.shelves[1].library.id], "what is vouched for comes instead");
        assert_eq!((front.below(city.id).count(), front.below(town.id).count()), (2, 1));
        let times: Vec<_> =
            front.newest(2, |_| true).iter().filter_map(|found| found.published_ms).collect();
        assert_eq!(times, [4, 3]);
    }

    #[test]
    fn what_is_in_the_libraries_is_added_up() {
        let mut front = Front::default();
        let here = shelf(&mut front, None, 1);
        let tally = |kind| Tally { library: here, kind, resources: 2, duration_ms: 500 };
        front.count(&Told {
            kinds: vec![tally(Kind::Video), tally(Kind::Audio)],
            topics: vec![(vec!["law".into()], 1), (vec!["law".into(), "values".into()], 3)],
            audiences: vec![(vec!["elders".into(), "youth".into()], 4)],
        });
        assert_eq!((front.resources, front.video_ms, front.shelves[0].resources), (4, 500, 4));
        assert_eq!((front.topics["law"], front.topics["values"]), (4, 3));
        assert_eq!(front.audiences["youth"], 4);
    }
}
