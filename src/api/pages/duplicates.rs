//! The page of what is the same in several resources.

use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::super::duplicates::{Gathered, Group, ListQuery, gather, hints, set_aside, take_back};
use super::super::links;
use super::super::problem::ApiError;
use super::super::search::encode;
use super::here::{Form, Here};
use crate::app::App;
use crate::catalogue::{Caller, Resource, ResourceId};
use crate::pages::{
    self, AlikeHint, DuplicatesView, GroupView, Lang, MemberView, Paging, PairView, VerdictView,
};

const ADDRESS: &str = "/admin/duplicates";
const PER_PAGE: usize = 10;

/// Share from which on an author is told.
const TOLD: f64 = 0.6;

/// The most others that an author is told of.
const MOST_TOLD: usize = 3;

pub(in crate::api) async fn duplicates_page(
    here: Here,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let mut gathered = gather(&here.app, here.caller(), &query).await?;
    let at = page_of(&query, &gathered);
    gathered.load(&here.app, (at - 1) * PER_PAGE, PER_PAGE).await?;
    let view = view(&here.app, here.caller(), &query, &gathered);
    Ok(here.show(|shell| pages::duplicates(shell, &view)))
}

/// `first`, `second`, `action` (set_aside or take_back), `reason`, and `back`: where the page was.
pub(in crate::api) async fn duplicates_form(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let pair = (fields.one("first"), fields.one("second"));
    match fields.one("action") {
        "take_back" => take_back(&here.app, here.caller(), pair).await?,
        _ => set_aside(&here.app, here.caller(), pair, fields.one("reason")).await?,
    }
    let back = fields.one("back");
    let back = if back.bytes().all(|b| b.is_ascii_graphic()) { back } else { "" };
    Ok(Redirect::to(&format!("{ADDRESS}?{back}")).into_response())
}

/// From 1; at most the last one.
fn page_of(query: &ListQuery, gathered: &Gathered) -> usize {
    query.page.unwrap_or(1).clamp(1, gathered.groups.len().div_ceil(PER_PAGE).max(1))
}

fn view(app: &App, caller: &Caller, query: &ListQuery, gathered: &Gathered) -> DuplicatesView {
    let total = gathered.groups.len();
    let pages = total.div_ceil(PER_PAGE).max(1);
    let at = page_of(query, gathered);
    let shown = gathered.groups.iter().skip((at - 1) * PER_PAGE).take(PER_PAGE);
    let asked = format!(
        "library={}&likeness={}&sort={}&set_aside={}",
        encode(&query.library),
        encode(&query.likeness),
        encode(&query.sort),
        query.set_aside
    );
    let libraries = gathered.libraries_of(caller);
    DuplicatesView {
        action: ADDRESS.to_owned(),
        total,
        libraries: libraries
            .into_iter()
            .map(|library| (library.slug.to_string(), library.name.clone()))
            .collect(),
        library: query.library.clone(),
        likeness: query.likeness.clone(),
        sort: query.sort.clone(),
        set_aside: query.set_aside,
        csv: format!("/api/duplicates.csv?{asked}"),
        back: format!("{asked}&page={at}"),
        groups: shown.map(|group| group_view(app, caller, gathered, group)).collect(),
        paging: Paging {
            page: u32::try_from(at).unwrap_or(1),
            pages: u32::try_from(pages).unwrap_or(1),
            href: format!("{ADDRESS}?{asked}&page="),
        },
    }
}

fn group_view(app: &App, caller: &Caller, gathered: &Gathered, group: &Group) -> GroupView {
    let number =
        |id: ResourceId| group.members.iter().position(|member| *member == id).unwrap_or(0) + 1;
    let owned = |id: ResourceId| {
        gathered.resource(id).is_some_and(|(resource, _)| caller.is_librarian_of(resource.library))
    };
    GroupView {
        libraries: group.libraries,
        members: group
            .members
            .iter()
            .filter_map(|id| gathered.resource(*id))
            .map(|(resource, library)| MemberView {
                href: format!("/resources/{}", resource.id),
                title: resource.details.title.clone(),
                kind: resource.kind,
                stage: resource.stage,
                library: library.name.clone(),
                owner: gathered.owner(library).map(str::to_owned),
                library_href: format!("/libraries/{}", library.slug),
                poster: links::poster_of(app, resource, library),
                duration_ms: resource.duration_ms.and_then(|ms| u64::try_from(ms).ok()),
                pages: resource.pages.and_then(|pages| u32::try_from(pages).ok()),
                size_bytes: u64::try_from(resource.size_bytes).unwrap_or_default(),
                created_ms: resource.created_ms,
            })
            .collect(),
        pairs: group
            .pairs
            .iter()
            .map(|pair| PairView {
                first: pair.first.to_string(),
                second: pair.second.to_string(),
                numbers: (number(pair.first), number(pair.second)),
                found: pair.found,
                may_judge: owned(pair.first) || owned(pair.second),
                verdict: gathered.verdict(pair).map(|verdict| VerdictView {
                    by: verdict.by.clone(),
                    reason: verdict.reason.clone(),
                    at_ms: verdict.at_ms,
                }),
            })
            .collect(),
    }
}

/// What an author is told after an upload.
pub(super) async fn told(
    app: &App,
    caller: &Caller,
    lang: Lang,
    resource: &Resource,
) -> Result<Vec<AlikeHint>, ApiError> {
    let hints = hints(app, caller, resource.id, TOLD).await?;
    let hint = |(found, other, library): (_, Resource, crate::catalogue::Library)| AlikeHint {
        says: pages::alike(lang, &found),
        title: other.details.title.clone(),
        href: format!("/resources/{}", other.id),
        library: library.name,
    };
    Ok(hints.into_iter().take(MOST_TOLD).map(hint).collect())
}
