//! Puts together what a caller may see of what is alike.

use std::collections::{HashMap, HashSet};

use super::{ListQuery, Sort};
use crate::api::problem::ApiError;
use crate::app::App;
use crate::catalogue::{
    Caller, Library, LibraryId, OrganisationId, Resource, ResourceId, RuleError,
};
use crate::db;
use crate::db::twins::{Member, Pair, Verdict, Which};
use crate::twins::Match;
use crate::twins::groups::connected;

/// Groups, and what is to be said of them.
#[derive(Debug)]
pub(in crate::api) struct Gathered {
    /// In the order that was asked for.
    pub groups: Vec<Group>,
    members: HashMap<ResourceId, Member>,
    /// Those of the groups that were loaded.
    resources: HashMap<ResourceId, Resource>,
    libraries: HashMap<LibraryId, Library>,
    /// Names by ids.
    organisations: HashMap<OrganisationId, String>,
    verdicts: HashMap<(ResourceId, ResourceId), Verdict>,
}

/// Resources that pairs connect.
#[derive(Debug)]
pub(in crate::api) struct Group {
    /// The oldest pair's first.
    pub members: Vec<ResourceId>,
    /// Those between members.
    pub pairs: Vec<Pair>,
    /// How many libraries have some of it.
    pub libraries: usize,
}

impl Gathered {
    /// The page of `most` groups behind the first `skipped`, with its resources.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(in crate::api) async fn load(
        &mut self,
        app: &App,
        skipped: usize,
        most: usize,
    ) -> Result<(), ApiError> {
        let shown = self.groups.iter().skip(skipped).take(most);
        let ids: Vec<ResourceId> = shown.flat_map(|group| group.members.clone()).collect();
        let found = db::resources::list_these(&mut *app.db.read().await?, &ids).await?;
        self.resources.extend(found.into_iter().map(|resource| (resource.id, resource)));
        Ok(())
    }

    /// A resource that was loaded, with its library.
    pub(in crate::api) fn resource(&self, id: ResourceId) -> Option<(&Resource, &Library)> {
        let resource = self.resources.get(&id)?;
        Some((resource, self.libraries.get(&resource.library)?))
    }

    /// Name of the organisation that owns a library.
    pub(in crate::api) fn owner(&self, library: &Library) -> Option<&str> {
        self.organisations.get(&library.owner?).map(String::as_str)
    }

    /// What somebody says of a pair.
    pub(in crate::api) fn verdict(&self, pair: &Pair) -> Option<&Verdict> {
        self.verdicts.get(&(pair.first, pair.second))
    }

    /// The libraries that `caller` may choose from.
    pub(in crate::api) fn libraries_of(&self, caller: &Caller) -> Vec<&Library> {
        let seen = self.libraries.values().filter(|library| caller.can_see_library(library));
        let mut seen: Vec<&Library> = seen.collect();
        seen.sort_by_key(|library| (library.name.clone(), library.slug.to_string()));
        seen
    }

    /// Everything that nobody spoke against, for the command line.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn of_all(app: &App) -> Result<Self, ApiError> {
        let mut all = read(app, Which::Open).await?;
        let pairs = std::mem::take(&mut all.1);
        let mut gathered = all.0;
        gathered.group(pairs);
        gathered.sort(Sort::Libraries);
        gathered.load(app, 0, usize::MAX).await?;
        Ok(gathered)
    }

    /// Makes groups of `pairs`.
    fn group(&mut self, pairs: Vec<Pair>) {
        let edges: Vec<(ResourceId, ResourceId)> =
            pairs.iter().map(|pair| (pair.first, pair.second)).collect();
        let groups = connected(&edges);
        let mut places: HashMap<ResourceId, usize> = HashMap::new();
        for (at, members) in groups.iter().enumerate() {
            places.extend(members.iter().map(|member| (*member, at)));
        }
        self.groups = groups
            .into_iter()
            .map(|members| {
                let owners = members.iter().filter_map(|id| self.members.get(id));
                let owners: HashSet<LibraryId> = owners.map(|member| member.library).collect();
                Group { members, pairs: Vec::new(), libraries: owners.len() }
            })
            .collect();
        for pair in pairs {
            self.groups[places[&pair.first]].pairs.push(pair);
        }
    }

    fn sort(&mut self, sort: Sort) {
        // What is the same there keeps the order in which it was found.
        match sort {
            Sort::Libraries => self
                .groups
                .sort_by_key(|group| std::cmp::Reverse((group.libraries, group.members.len()))),
            Sort::Size => {
                self.groups.sort_by_key(|group| std::cmp::Reverse(group.members.len()));
            }
            Sort::Share => {
                let most = |group: &Group| {
                    group.pairs.iter().map(|pair| pair.found.share).fold(0.0, f64::max)
                };
                self.groups.sort_by(|one, other| most(other).total_cmp(&most(one)));
            }
            Sort::Newest => self.groups.sort_by_key(|group| {
                std::cmp::Reverse(group.pairs.iter().map(|pair| pair.found_ms).max())
            }),
        }
    }
}

/// The groups that `caller` may see: of resources that they see, with one in a library that they look
/// after.
pub(in crate::api) async fn gather(
    app: &App,
    caller: &Caller,
    query: &ListQuery,
) -> Result<Gathered, ApiError> {
    caller.account()?;
    let (which, likeness, sort) = query.order()?;
    let (mut gathered, mut pairs) = read(app, which).await?;
    if !gathered.libraries.keys().any(|library| caller.is_librarian_of(*library)) {
        return Err(RuleError::Forbidden.into());
    }
    let seen = |id: ResourceId| {
        let member = gathered.members.get(&id);
        let known = member.and_then(|it| Some((it, gathered.libraries.get(&it.library)?)));
        known.is_some_and(|(it, library)| caller.can_see_of(library, it.uploaded_by, it.stage))
    };
    pairs.retain(|pair| {
        likeness.is_none_or(|likeness| pair.found.likeness == likeness)
            && seen(pair.first)
            && seen(pair.second)
    });
    gathered.group(pairs);
    let (members, libraries) = (&gathered.members, &gathered.libraries);
    let of = |id: &ResourceId| members.get(id).map(|member| member.library);
    gathered.groups.retain(|group| {
        let mut owners = group.members.iter().filter_map(of);
        let touches = owners.clone().any(|library| caller.is_librarian_of(library));
        let slug = |library: LibraryId| libraries.get(&library).map(|it| it.slug.as_str());
        touches
            && (query.library.is_empty()
                || owners.any(|library| slug(library) == Some(query.library.as_str())))
    });
    gathered.sort(sort);
    Ok(gathered)
}

/// All pairs with what belongs to them.
async fn read(app: &App, which: Which) -> Result<(Gathered, Vec<Pair>), ApiError> {
    let mut db = app.db.read().await?;
    let pairs = db::twins::list(&mut db, which).await?;
    let members = db::twins::members(&mut db).await?;
    let libraries = db::libraries::list(&mut db).await?;
    let organisations = db::organisations::list(&mut db).await?;
    let verdicts = db::twins::verdicts(&mut db).await?;
    let gathered = Gathered {
        groups: Vec::new(),
        members: members.into_iter().map(|member| (member.id, member)).collect(),
        resources: HashMap::new(),
        libraries: libraries.into_iter().map(|library| (library.id, library)).collect(),
        organisations: organisations.into_iter().map(|it| (it.id, it.name)).collect(),
        verdicts: verdicts.into_iter().map(|it| ((it.first, it.second), it)).collect(),
    };
    Ok((gathered, pairs))
}

/// What a resource has in common with others that `caller` may see, the most alike first: what it is,
/// and with what.
pub(in crate::api) async fn hints(
    app: &App,
    caller: &Caller,
    id: ResourceId,
    least_share: f64,
) -> Result<Vec<(Match, Resource, Library)>, ApiError> {
    let mut db = app.db.read().await?;
    let mut hints: Vec<(Match, Resource, Library)> = Vec::new();
    for pair in db::twins::open_of(&mut db, id).await? {
        let other = if pair.first == id { pair.second } else { pair.first };
        let known = hints.iter().any(|(_, resource, _)| resource.id == other);
        if pair.found.share < least_share || known {
            continue;
        }
        let Some(resource) = db::resources::find(&mut db, other).await? else { continue };
        let library = db::libraries::get(&mut db, resource.library).await?;
        if caller.can_see(&resource, &library) {
            let found = if pair.first == id { pair.found } else { pair.found.turned() };
            hints.push((found, resource, library));
        }
    }
    Ok(hints)
}
