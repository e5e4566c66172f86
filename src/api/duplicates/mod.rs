//! What is the same in several resources, for who looks after libraries.

mod gather;
mod table;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

pub(super) use gather::{Gathered, Group, gather, hints};
pub(crate) use table::csv_of_all;

use super::caller::Who;
use super::links;
use super::problem::ApiError;
use super::reader::Reader;
use crate::app::App;
use crate::catalogue::{Caller, ResourceId, RuleError};
use crate::db;
use crate::db::twins::{Pair, Verdict, Which};
use crate::pages::{self, Lang};
use crate::twins::Likeness;

/// The longest reason, characters.
const MAX_REASON: usize = 500;

/// Groups on a page, unless asked otherwise, and at most.
const PER_PAGE: usize = 20;
const MOST_PER_PAGE: usize = 100;

/// Which groups, in which order.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Slug of a library that has something in the group.
    pub library: String,
    /// file, picture, sound or text
    pub likeness: String,
    /// libraries (those in most libraries first), size, share or newest
    pub sort: String,
    /// Pairs that are not the same, as somebody said, instead of those that nobody spoke against.
    pub set_aside: bool,
    /// From 1.
    pub page: Option<usize>,
    /// 1 to 100.
    pub per_page: Option<usize>,
}

impl ListQuery {
    /// What is asked for, in which order.
    ///
    /// # Errors
    ///
    /// 400 for words that are not known.
    pub(super) fn order(&self) -> Result<(Which, Option<Likeness>, Sort), ApiError> {
        let which = if self.set_aside { Which::SetAside } else { Which::Open };
        let likeness = match self.likeness.as_str() {
            "" => None,
            word => Some(word.parse().map_err(|()| ApiError::bad(format!("likeness {word:?}")))?),
        };
        let sort = match self.sort.as_str() {
            "" | "libraries" => Sort::Libraries,
            "size" => Sort::Size,
            "share" => Sort::Share,
            "newest" => Sort::Newest,
            word => return Err(ApiError::bad(format!("sort {word:?}"))),
        };
        Ok((which, likeness, sort))
    }
}

/// Which groups come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Those in most libraries.
    Libraries,
    /// Those with most resources.
    Size,
    /// Those with most in common.
    Share,
    /// Those found last.
    Newest,
}

/// A page of groups.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DuplicatesView {
    /// Groups in all.
    total: usize,
    /// Of this page.
    groups: Vec<GroupView>,
}

/// Resources that belong together because pairs of them are alike.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupView {
    /// How many libraries have some of it.
    libraries: usize,
    resources: Vec<MemberView>,
    pairs: Vec<PairView>,
}

/// A resource of a group.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberView {
    id: String,
    title: String,
    /// video, audio, document or image
    kind: &'static str,
    /// Slug.
    library: String,
    library_name: String,
    /// Name of the organisation that owns the library.
    owner: Option<String>,
    /// ready, published or withdrawn
    stage: &'static str,
    duration_ms: Option<i64>,
    pages: Option<i64>,
    size_bytes: i64,
    /// RFC 3339.
    created: String,
    /// Address of its page.
    page: String,
    poster: Option<String>,
}

/// What two resources have in common.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PairView {
    first: String,
    second: String,
    /// file, picture, sound or text
    likeness: &'static str,
    /// How much of the shorter one it is, 0 to 1.
    share: f64,
    /// Where it is in the first: milliseconds, or numbers of pages; 0 for images and files.
    first_from: i64,
    first_to: i64,
    /// Where it is in the second.
    second_from: i64,
    second_to: i64,
    /// A sentence.
    says: String,
    /// RFC 3339.
    found: String,
    /// Why they are not the same, as somebody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<VerdictView>,
}

/// Why two are not the same.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerdictView {
    by: String,
    reason: String,
    /// RFC 3339.
    at: String,
}

/// Why two are not the same.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewVerdict {
    /// 1 to 500 characters.
    reason: String,
}

/// Groups of resources that are alike: all for administrators, for librarians those that touch a
/// library of theirs, with what they may see of others.
#[utoipa::path(get, path = "/api/duplicates", tag = "duplicates", params(ListQuery), responses((status = 200, body = DuplicatesView), (status = 403)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<DuplicatesView>, ApiError> {
    let mut gathered = gather(&app, &caller, &query).await?;
    let per_page = query.per_page.unwrap_or(PER_PAGE).clamp(1, MOST_PER_PAGE);
    let skipped = query.page.unwrap_or(1).max(1).saturating_sub(1).saturating_mul(per_page);
    gathered.load(&app, skipped, per_page).await?;
    let shown = gathered.groups.iter().skip(skipped).take(per_page);
    let groups = shown.map(|group| group_view(&app, reader.lang, &gathered, group)).collect();
    Ok(Json(DuplicatesView { total: gathered.groups.len(), groups }))
}

/// The same in CSV, a line for each pair.
#[utoipa::path(get, path = "/api/duplicates.csv", tag = "duplicates", params(ListQuery), responses((status = 200, content_type = "text/csv", body = String), (status = 403)))]
pub(super) async fn csv(
    State(app): State<App>,
    Who(caller): Who,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let mut gathered = gather(&app, &caller, &query).await?;
    gathered.load(&app, 0, usize::MAX).await?;
    let text = table::csv(&gathered);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"duplicates.csv\""),
    ];
    Ok((headers, text).into_response())
}

/// Says that two resources are not the same, which stays.
#[utoipa::path(put, path = "/api/duplicates/{first}/{second}", tag = "duplicates", params(("first" = String, Path), ("second" = String, Path)), request_body = NewVerdict, responses((status = 204), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn put(
    State(app): State<App>,
    Who(caller): Who,
    Path(pair): Path<(String, String)>,
    Json(verdict): Json<NewVerdict>,
) -> Result<StatusCode, ApiError> {
    set_aside(&app, &caller, (&pair.0, &pair.1), &verdict.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes back that two resources are not the same.
#[utoipa::path(delete, path = "/api/duplicates/{first}/{second}", tag = "duplicates", params(("first" = String, Path), ("second" = String, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path(pair): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    take_back(&app, &caller, (&pair.0, &pair.1)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps that two are not the same, if `caller` may say so.
pub(super) async fn set_aside(
    app: &App,
    caller: &Caller,
    pair: (&str, &str),
    reason: &str,
) -> Result<(), ApiError> {
    let pair = judged(app, caller, pair).await?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON || reason.contains('\0') {
        let value = reason.chars().take(40).filter(|letter| *letter != '\0').collect();
        return Err(RuleError::BadField { field: "reason", value }.into());
    }
    let account = caller.account()?.id;
    let mut tx = app.db.begin().await?;
    db::twins::set_aside(&mut tx, pair, account, reason, app.now_ms()).await?;
    let detail = json!({ "other": pair.1.to_string(), "reason": reason });
    let (subject, now_ms) = (pair.0.to_string(), app.now_ms());
    db::audit::record(&mut tx, now_ms, Some(account), "duplicates.set_aside", &subject, &detail)
        .await?;
    Ok(tx.commit().await?)
}

/// Takes that back, if `caller` may.
pub(super) async fn take_back(
    app: &App,
    caller: &Caller,
    pair: (&str, &str),
) -> Result<(), ApiError> {
    let pair = judged(app, caller, pair).await?;
    let account = caller.account()?.id;
    let mut tx = app.db.begin().await?;
    if !db::twins::take_back(&mut tx, pair.0, pair.1).await? {
        return Err(ApiError::NotFound);
    }
    let detail = json!({ "other": pair.1.to_string() });
    let (subject, now_ms) = (pair.0.to_string(), app.now_ms());
    db::audit::record(&mut tx, now_ms, Some(account), "duplicates.take_back", &subject, &detail)
        .await?;
    Ok(tx.commit().await?)
}

/// A pair that `caller` may judge: they see both, and look after the library of one.
async fn judged(
    app: &App,
    caller: &Caller,
    (one, other): (&str, &str),
) -> Result<(ResourceId, ResourceId), ApiError> {
    caller.account()?;
    let parse = |id: &str| id.parse::<ResourceId>().map_err(|_| ApiError::NotFound);
    let pair = (parse(one)?, parse(other)?);
    let mut db = app.db.read().await?;
    let mut looks_after = false;
    for id in [pair.0, pair.1] {
        let resource = db::resources::find(&mut db, id).await?.ok_or(ApiError::NotFound)?;
        let library = db::libraries::get(&mut db, resource.library).await?;
        if !caller.can_see(&resource, &library) {
            return Err(ApiError::NotFound);
        }
        looks_after |= caller.is_librarian_of(resource.library);
    }
    if !db::twins::is_pair(&mut db, pair.0, pair.1).await? {
        return Err(ApiError::NotFound);
    }
    if looks_after { Ok(pair) } else { Err(RuleError::Forbidden.into()) }
}

fn group_view(app: &App, lang: Lang, gathered: &Gathered, group: &Group) -> GroupView {
    GroupView {
        libraries: group.libraries,
        resources: group.members.iter().filter_map(|id| member_view(app, gathered, *id)).collect(),
        pairs: group.pairs.iter().map(|pair| pair_view(lang, gathered, pair)).collect(),
    }
}

fn member_view(app: &App, gathered: &Gathered, id: ResourceId) -> Option<MemberView> {
    let (resource, library) = gathered.resource(id)?;
    Some(MemberView {
        id: resource.id.to_string(),
        title: resource.details.title.clone(),
        kind: resource.kind.as_str(),
        library: library.slug.to_string(),
        library_name: library.name.clone(),
        owner: gathered.owner(library).map(str::to_owned),
        stage: resource.stage.as_str(),
        duration_ms: resource.duration_ms,
        pages: resource.pages,
        size_bytes: resource.size_bytes,
        created: rfc3339(resource.created_ms),
        page: format!("/resources/{id}"),
        poster: links::poster_of(app, resource, library),
    })
}

fn pair_view(lang: Lang, gathered: &Gathered, pair: &Pair) -> PairView {
    let found = pair.found;
    PairView {
        first: pair.first.to_string(),
        second: pair.second.to_string(),
        likeness: found.likeness.as_str(),
        share: found.share,
        first_from: found.first.from,
        first_to: found.first.to,
        second_from: found.second.from,
        second_to: found.second.to,
        says: pages::alike(lang, &found),
        found: rfc3339(pair.found_ms),
        verdict: gathered.verdict(pair).map(verdict_view),
    }
}

fn verdict_view(verdict: &Verdict) -> VerdictView {
    let (by, reason) = (verdict.by.clone(), verdict.reason.clone());
    VerdictView { by, reason, at: rfc3339(verdict.at_ms) }
}

pub(super) fn rfc3339(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).map_or_else(|_| String::new(), |at| at.to_string())
}
