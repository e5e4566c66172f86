//! Complaints of the public and appeals of authors, as JSON.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::dossier::Dossier;
use super::listed::{Listing, PageOf, page_of, table};
use super::problem::ApiError;
use super::resources::{rfc3339, visible};
use crate::app::App;
use crate::catalogue::{Appeal, AppealedFrom, Caller, CaseNumber, CaseState, Complaint, RuleError};
use crate::db;
use crate::review::cases::{self, Grievance};
use crate::review::withdraw::{self, judges};
use crate::review::{Desk, Desks};

/// What somebody complains about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewComplaint {
    /// Id of the resource.
    resource: String,
    /// wrong, copyright, privacy, harmful, broken or other
    reason: String,
    text: String,
    /// How to reach you; for those who decide only.
    #[serde(default)]
    contact: String,
}

/// What the public may know of a complaint.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaseView {
    /// Case number.
    number: String,
    /// open, upheld or rejected
    state: &'static str,
    /// What was answered.
    answer: Option<String>,
    /// RFC 3339.
    created: String,
    /// RFC 3339.
    answered: Option<String>,
}

impl From<&Complaint> for CaseView {
    fn from(complaint: &Complaint) -> Self {
        Self {
            number: complaint.number.to_string(),
            state: complaint.state.as_str(),
            answer: Some(complaint.answer.clone()).filter(|answer| !answer.is_empty()),
            created: rfc3339(complaint.created_ms),
            answered: complaint.answered_ms.map(rfc3339),
        }
    }
}

/// A complaint, for those who decide.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ComplaintView {
    #[serde(flatten)]
    case: CaseView,
    /// Id of the resource.
    resource: String,
    title: String,
    reason: String,
    text: String,
    contact: String,
}

/// Which complaints.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
pub(super) struct ListQuery {
    /// Slug of a library.
    #[serde(default)]
    pub library: String,
    /// open, upheld or rejected
    #[serde(default)]
    pub state: String,
}

/// How a complaint or an appeal is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAnswer {
    /// upheld or rejected
    verdict: String,
    /// Of a complaint: what the public reads.
    answer: String,
}

impl NewAnswer {
    fn is_upheld(&self) -> Result<bool, RuleError> {
        is_upheld(&self.verdict)
    }
}

/// Reads `upheld` or `rejected`.
pub(super) fn is_upheld(verdict: &str) -> Result<bool, RuleError> {
    match verdict {
        "upheld" => Ok(true),
        "rejected" => Ok(false),
        other => {
            let value = other.chars().take(40).collect();
            Err(RuleError::BadField { field: "verdict", value })
        }
    }
}

/// Complains about a resource; gives the case number.
#[utoipa::path(post, path = "/api/complaints", tag = "complaints", request_body = NewComplaint, responses((status = 201, body = CaseView), (status = 404), (status = 409), (status = 422), (status = 429)))]
pub(super) async fn complain(
    State(app): State<App>,
    Who(caller): Who,
    Json(new): Json<NewComplaint>,
) -> Result<(StatusCode, Json<CaseView>), ApiError> {
    let (resource, _) = visible(&app, &caller, &new.resource).await?;
    let grievance = Grievance { reason: new.reason, words: new.text, contact: new.contact };
    let complaint = cases::complain(&app, &caller, &resource, grievance).await?;
    Ok((StatusCode::CREATED, Json(CaseView::from(&complaint))))
}

/// Complaints about the resources of libraries that you look after, the open ones first; `q` is in
/// the number, the words or the title.
#[utoipa::path(get, path = "/api/complaints", tag = "complaints", params(Listing, ListQuery), responses((status = 200, body = PageOf<ComplaintView>), (status = 401), (status = 403), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let view = |(complaint, title): (Complaint, String)| ComplaintView {
        case: CaseView::from(&complaint),
        resource: complaint.resource.to_string(),
        title,
        reason: complaint.reason,
        text: complaint.words,
        contact: complaint.contact,
    };
    if !list.is_table()? {
        let (total, found) = found(&app, &caller, &query, &list, list.span()).await?;
        return Ok(page_of(total, found.into_iter().map(view).collect()));
    }
    let (_, found) = found(&app, &caller, &query, &list, (0, i64::MAX)).await?;
    let rows = found.into_iter().map(view).map(|one| {
        [
            one.case.number,
            one.case.state.to_owned(),
            one.title,
            one.reason,
            one.text,
            one.contact,
            one.case.answer.unwrap_or_default(),
            one.case.created,
            one.case.answered.unwrap_or_default(),
            one.resource,
        ]
    });
    let heading = [
        "number", "state", "title", "reason", "text", "contact", "answer", "created", "answered",
        "resource",
    ];
    table("complaints.csv", heading, rows)
}

/// The complaints within `span` of those that `query` and `list` ask for and the caller decides.
pub(super) async fn found(
    app: &App,
    caller: &Caller,
    query: &ListQuery,
    list: &Listing,
    span: (i64, i64),
) -> Result<(i64, Vec<(Complaint, String)>), ApiError> {
    caller.account()?;
    let mut db = app.db.read().await?;
    let all = db::libraries::list(&mut db).await?;
    let managed = all.into_iter().filter(|library| caller.is_librarian_of(library.id));
    let mut managed: Vec<_> = managed.collect();
    if managed.is_empty() && !caller.is_administrator() {
        return Err(RuleError::Forbidden.into());
    }
    if !query.library.is_empty() {
        managed.retain(|library| library.slug.as_str() == query.library);
    }
    let ids: Vec<_> = managed.iter().map(|library| library.id).collect();
    let state = match query.state.as_str() {
        "" => None,
        state => Some(state.parse::<CaseState>()?),
    };
    let words = list.words().unwrap_or_default();
    Ok(db::complaints::list(&mut db, &ids, state, &words, span).await?)
}

/// What the public may know of a complaint.
#[utoipa::path(get, path = "/api/complaints/{number}", tag = "complaints", params(("number" = String, Path)), responses((status = 200, body = CaseView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Json<CaseView>, ApiError> {
    Ok(Json(CaseView::from(&case(&app, &number).await?)))
}

/// The complaint called `number`.
pub(super) async fn case(app: &App, number: &str) -> Result<Complaint, ApiError> {
    let number: CaseNumber = number.parse().map_err(|_| ApiError::NotFound)?;
    let mut db = app.db.read().await?;
    db::complaints::find(&mut db, number).await?.ok_or(ApiError::NotFound)
}

/// Decides a complaint: upheld withdraws the resource. For those who look after its library.
#[utoipa::path(post, path = "/api/complaints/{number}/answer", tag = "complaints", params(("number" = String, Path)), request_body = NewAnswer, responses((status = 200, body = CaseView), (status = 404), (status = 409)))]
pub(super) async fn answer(
    State(app): State<App>,
    Who(caller): Who,
    Path(number): Path<String>,
    Json(new): Json<NewAnswer>,
) -> Result<Json<CaseView>, ApiError> {
    caller.account()?;
    let number = number.parse().map_err(|_| ApiError::NotFound)?;
    let upheld = new.is_upheld()?;
    let complaint = cases::answer(&app, &caller, number, upheld, &new.answer).await?;
    Ok(Json(CaseView::from(&complaint)))
}

/// An appeal.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AppealView {
    id: String,
    /// Id of the resource.
    resource: String,
    /// withdrawal or return
    from: &'static str,
    text: String,
    /// open, upheld or rejected
    state: &'static str,
    answer: Option<String>,
    /// RFC 3339.
    created: String,
    /// RFC 3339.
    answered: Option<String>,
}

impl From<&Appeal> for AppealView {
    fn from(appeal: &Appeal) -> Self {
        Self {
            id: appeal.id.clone(),
            resource: appeal.resource.to_string(),
            from: match appeal.from {
                AppealedFrom::Withdrawal(_) => "withdrawal",
                AppealedFrom::Return(_) => "return",
            },
            text: appeal.words.clone(),
            state: appeal.state.as_str(),
            answer: Some(appeal.answer.clone()).filter(|answer| !answer.is_empty()),
            created: rfc3339(appeal.created_ms),
            answered: appeal.answered_ms.map(rfc3339),
        }
    }
}

/// Why somebody appeals.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAppeal {
    text: String,
}

/// Appeals from the withdrawal of a resource, or from its last return. For its author; those above
/// decide.
#[utoipa::path(post, path = "/api/resources/{id}/appeal", tag = "complaints", params(("id" = String, Path)), request_body = NewAppeal, responses((status = 201, body = AppealView), (status = 403), (status = 409)))]
pub(super) async fn appeal(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Json(new): Json<NewAppeal>,
) -> Result<(StatusCode, Json<AppealView>), ApiError> {
    let dossier = Dossier::of(&app, &caller, &id).await?;
    let appeal = withdraw::appeal(&app, &caller, dossier.resource.id, &new.text).await?;
    Ok((StatusCode::CREATED, Json(AppealView::from(&appeal))))
}

/// Open appeals that you decide, the oldest first.
#[utoipa::path(get, path = "/api/appeals", tag = "complaints", responses((status = 200, body = Vec<AppealView>), (status = 401)))]
pub(super) async fn appeals(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<Json<Vec<AppealView>>, ApiError> {
    let found = appeals_for(&app, &caller).await?;
    Ok(Json(found.iter().map(|(appeal, _, _)| AppealView::from(appeal)).collect()))
}

/// Open appeals that the caller decides, with the resources' titles and their libraries' names.
pub(super) async fn appeals_for(
    app: &App,
    caller: &Caller,
) -> Result<Vec<(Appeal, String, String)>, ApiError> {
    caller.account()?;
    let mut db = app.db.read().await?;
    let desks = Desks::of(&mut db, caller, app.now_ms()).await?;
    let open = db::complaints::open_appeals(&mut db).await?;
    let decided = |(appeal, title): (Appeal, String)| {
        let desk: &Desk = desks.get(appeal.library)?;
        judges(desk, caller, &appeal).then(|| (appeal, title, desk.library.name.clone()))
    };
    Ok(open.into_iter().filter_map(decided).collect())
}

/// Decides an appeal: upheld lets what was withdrawn be seen again, and what was returned go on.
/// For those who read or manage at the level above.
#[utoipa::path(post, path = "/api/appeals/{id}/answer", tag = "complaints", params(("id" = String, Path)), request_body = NewAnswer, responses((status = 200, body = AppealView), (status = 403), (status = 404), (status = 409)))]
pub(super) async fn answer_appeal(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Json(new): Json<NewAnswer>,
) -> Result<Json<AppealView>, ApiError> {
    caller.account()?;
    let upheld = new.is_upheld()?;
    let appeal = withdraw::answer_appeal(&app, &caller, &id, upheld, &new.answer).await?;
    Ok(Json(AppealView::from(&appeal)))
}
