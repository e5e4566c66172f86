//! Review as JSON: what waits, what was handed in, what was decided and said, chains.

use axum::Json;
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::dossier::{Dossier, step_of, who};
use super::problem::ApiError;
use super::reader::Reader;
use super::resources::rfc3339;
use crate::app::App;
use crate::catalogue::{Caller, Deciders, Library, Review, Step, Verdict};
use crate::db;
use crate::db::reviews::Waiting;
use crate::pages::Lang;
use crate::review::Desks;
use crate::review::talk::{self, Remark};
use crate::review::walk::{self, Said};

/// The review of a resource.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReviewView {
    /// Of the resource.
    stage: &'static str,
    /// What you may do: edit, hand_in, publish, take_back, decide, withdraw, appeal
    may: Vec<&'static str>,
    /// What was handed in, the last first.
    versions: Vec<VersionView>,
    comments: Vec<CommentView>,
    /// It was taken from the public, and by whom and why.
    withdrawal: Option<WithdrawalView>,
    /// The last first.
    appeals: Vec<super::complaints::AppealView>,
}

/// A version of a resource that was handed in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionView {
    version: i64,
    /// open, accepted, returned or taken_back
    state: &'static str,
    /// The resource is published as it was before, until this is accepted.
    update: bool,
    /// Name of who handed it in.
    by: String,
    /// RFC 3339.
    handed_in: String,
    /// RFC 3339.
    ended: Option<String>,
    steps: Vec<StepView>,
    /// What is another than in the version before, or than before the first.
    changes: Vec<ChangeView>,
}

/// A step of a version.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StepView {
    /// From 0.
    number: usize,
    name: String,
    /// Who decides, in words.
    who: String,
    /// accepted, returned, waiting or to_come
    state: &'static str,
    /// RFC 3339, of the step that has it.
    due: Option<String>,
    overdue: bool,
    /// Name of who decided.
    by: Option<String>,
    /// RFC 3339.
    at: Option<String>,
    reason: Option<String>,
    /// It was decided above, on appeal.
    appealed: bool,
}

/// Something that was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangeView {
    /// A field of the resource, or poster, source or captions
    field: &'static str,
    before: String,
    after: String,
}

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CommentView {
    id: String,
    /// Id of the comment that it answers.
    answers: Option<String>,
    /// Name of who said it.
    by: String,
    /// The moment that it is about.
    start_ms: Option<i64>,
    /// The page that it is about.
    page: Option<i64>,
    text: String,
    /// RFC 3339.
    created: String,
    resolved: bool,
}

/// It was taken from the public.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WithdrawalView {
    /// Name of who did.
    by: String,
    reason: String,
    /// By somebody else than the author, who alone cannot undo it.
    ordered: bool,
    /// RFC 3339.
    at: String,
}

/// What a step says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDecision {
    /// accept or return
    verdict: String,
    /// Needed for a return.
    #[serde(default)]
    reason: String,
    /// The version that was read; refused when another one is open.
    version: Option<i64>,
    /// Number of the step; refused when another one has it.
    step: Option<usize>,
}

/// A comment to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewComment {
    text: String,
    /// The moment of video or audio that it is about.
    start_ms: Option<i64>,
    /// The page or chapter that it is about, from 1.
    page: Option<i64>,
    /// Id of the comment that it answers.
    answers: Option<String>,
}

/// What is changed of a comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommentPatch {
    resolved: bool,
}

/// The review of a resource. For those who may edit it, and those who read in its library.
#[utoipa::path(get, path = "/api/resources/{id}/review", tag = "review", params(("id" = String, Path)), responses((status = 200, body = ReviewView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ReviewView>, ApiError> {
    shown(&app, &caller, &reader, &id).await
}

/// Hands a resource in. Where there is no chain, or for who stands at its end, it is published.
#[utoipa::path(post, path = "/api/resources/{id}/review", tag = "review", params(("id" = String, Path)), responses((status = 200, body = ReviewView), (status = 409)))]
pub(super) async fn hand_in(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ReviewView>, ApiError> {
    let dossier = Dossier::of(&app, &caller, &id).await?;
    walk::publish(&app, &caller, dossier.resource.id).await?;
    shown(&app, &caller, &reader, &id).await
}

/// Takes back what was handed in.
#[utoipa::path(delete, path = "/api/resources/{id}/review", tag = "review", params(("id" = String, Path)), responses((status = 200, body = ReviewView), (status = 409)))]
pub(super) async fn take_back(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ReviewView>, ApiError> {
    let dossier = Dossier::of(&app, &caller, &id).await?;
    walk::take_back(&app, &caller, dossier.resource.id).await?;
    shown(&app, &caller, &reader, &id).await
}

/// Accepts or returns what was handed in. For those whose step has it.
#[utoipa::path(post, path = "/api/resources/{id}/review/decision", tag = "review", params(("id" = String, Path)), request_body = NewDecision, responses((status = 200, body = ReviewView), (status = 403), (status = 409)))]
pub(super) async fn decide(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    Json(new): Json<NewDecision>,
) -> Result<Json<ReviewView>, ApiError> {
    let dossier = Dossier::of(&app, &caller, &id).await?;
    let verdict = new.verdict.parse::<Verdict>()?;
    let said = Said { version: new.version, step: new.step, verdict, reason: new.reason };
    walk::decide(&app, &caller, dossier.resource.id, said).await?;
    shown(&app, &caller, &reader, &id).await
}

/// Comments on a resource, or on a moment or page of it.
#[utoipa::path(post, path = "/api/resources/{id}/review/comments", tag = "review", params(("id" = String, Path)), request_body = NewComment, responses((status = 201, body = ReviewView), (status = 422)))]
pub(super) async fn comment(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    Json(new): Json<NewComment>,
) -> Result<(StatusCode, Json<ReviewView>), ApiError> {
    let dossier = Dossier::of(&app, &caller, &id).await?;
    let remark =
        Remark { words: new.text, start_ms: new.start_ms, page: new.page, answers: new.answers };
    talk::comment(&app, &caller, &dossier.resource, remark).await?;
    Ok((StatusCode::CREATED, shown(&app, &caller, &reader, &id).await?))
}

/// Says that what a comment is about is settled, or not.
#[utoipa::path(patch, path = "/api/resources/{id}/review/comments/{comment}", tag = "review", params(("id" = String, Path), ("comment" = String, Path)), request_body = CommentPatch, responses((status = 200, body = ReviewView), (status = 404)))]
pub(super) async fn resolve(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path((id, comment)): Path<(String, String)>,
    Json(patch): Json<CommentPatch>,
) -> Result<Json<ReviewView>, ApiError> {
    let dossier = Dossier::of(&app, &caller, &id).await?;
    talk::resolve(&app, &caller, &dossier.resource, &comment, patch.resolved).await?;
    shown(&app, &caller, &reader, &id).await
}

async fn shown(
    app: &App,
    caller: &Caller,
    reader: &Reader,
    id: &str,
) -> Result<Json<ReviewView>, ApiError> {
    let dossier = Dossier::of(app, caller, id).await?;
    let now_ms = app.now_ms();
    Ok(Json(ReviewView {
        stage: dossier.resource.stage.as_str(),
        may: dossier.may.words(),
        versions: dossier
            .versions
            .iter()
            .enumerate()
            .map(|(at, review)| version(&dossier, reader.lang, review, at, now_ms))
            .collect(),
        comments: dossier
            .comments
            .iter()
            .map(|comment| CommentView {
                id: comment.id.clone(),
                answers: comment.answers.clone(),
                by: comment.display_name.clone(),
                start_ms: comment.start_ms,
                page: comment.page,
                text: comment.words.clone(),
                created: rfc3339(comment.created_ms),
                resolved: comment.resolved_ms.is_some(),
            })
            .collect(),
        withdrawal: dossier.withdrawal.as_ref().map(|withdrawn| WithdrawalView {
            by: dossier.person(withdrawn.account),
            reason: withdrawn.reason.clone(),
            ordered: withdrawn.ordered,
            at: rfc3339(withdrawn.at_ms),
        }),
        appeals: dossier.appeals.iter().map(super::complaints::AppealView::from).collect(),
    }))
}

fn version(dossier: &Dossier, lang: Lang, review: &Review, at: usize, now_ms: i64) -> VersionView {
    let before = dossier.versions.get(at + 1);
    let changes = before.map_or_else(Vec::new, |old| review.snapshot.changes(&old.snapshot));
    let step = |(number, step): (usize, &Step)| {
        let (state, decision) = step_of(review, number);
        let waits = review.waits_for().is_some() && review.step == number;
        StepView {
            number,
            name: step.name.clone(),
            who: dossier.who(lang, step),
            state: state.as_str(),
            due: waits.then(|| rfc3339(review.due_ms)),
            overdue: waits && review.is_overdue(now_ms),
            by: decision.map(|decision| dossier.person(decision.account)),
            at: decision.map(|decision| rfc3339(decision.at_ms)),
            reason: decision.map(|decision| decision.reason.clone()),
            appealed: decision.is_some_and(|decision| decision.appealed),
        }
    };
    VersionView {
        version: review.version,
        state: review.state.as_str(),
        update: review.update,
        by: dossier.person(review.by),
        handed_in: rfc3339(review.handed_in_ms),
        ended: review.ended_ms.map(rfc3339),
        steps: review.steps.iter().enumerate().map(step).collect(),
        changes: changes
            .into_iter()
            .map(|change| ChangeView {
                field: change.field,
                before: change.before,
                after: change.after,
            })
            .collect(),
    }
}

/// What waits in which queue.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
pub(super) struct QueueQuery {
    /// Only what waits for you; any value. Else all that is open where you read.
    pub mine: Option<String>,
    /// Slug of a library.
    #[serde(default)]
    pub library: String,
    /// Words of the title, or of the name of who handed it in.
    #[serde(default)]
    pub q: String,
    /// From 1.
    pub page: Option<usize>,
    /// At most 100.
    pub per_page: Option<usize>,
}

/// A page of what is open, what is due first first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Queue {
    /// In all.
    total: usize,
    items: Vec<QueueItem>,
}

/// Something that is open.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QueueItem {
    /// Id of the resource.
    resource: String,
    title: String,
    kind: String,
    /// Slug of its library.
    library: String,
    version: i64,
    /// A new version of what is published.
    update: bool,
    /// Name of the step that has it.
    step: String,
    /// How many steps there are.
    steps: usize,
    /// Who decides, in words.
    who: String,
    /// It waits for you.
    mine: bool,
    /// RFC 3339.
    due: String,
    overdue: bool,
    /// Name of who handed it in.
    by: String,
    /// RFC 3339.
    handed_in: String,
}

/// Something that is open, with whose it is.
pub(super) struct Open {
    pub waiting: Waiting,
    pub library: Library,
    pub who: String,
    pub mine: bool,
}

/// What waits for you, or all that is open where you read.
#[utoipa::path(get, path = "/api/review", tag = "review", params(QueueQuery), responses((status = 200, body = Queue), (status = 401)))]
pub(super) async fn queue(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Query(query): Query<QueueQuery>,
) -> Result<Json<Queue>, ApiError> {
    let per_page = query.per_page.unwrap_or(20).clamp(1, 100);
    let at = query.page.unwrap_or(1).clamp(1, 1_000_000) - 1;
    let open = open_for(&app, &caller, reader.lang, &query).await?;
    let now_ms = app.now_ms();
    let item = |open: Open| {
        let review = open.waiting.review;
        QueueItem {
            resource: review.resource.to_string(),
            title: open.waiting.title,
            kind: open.waiting.kind,
            library: open.library.slug.to_string(),
            version: review.version,
            update: review.update,
            step: review.waits_for().map(|step| step.name.clone()).unwrap_or_default(),
            steps: review.steps.len(),
            who: open.who,
            mine: open.mine,
            due: rfc3339(review.due_ms),
            overdue: review.is_overdue(now_ms),
            by: open.waiting.by,
            handed_in: rfc3339(review.handed_in_ms),
        }
    };
    Ok(Json(Queue {
        total: open.len(),
        items: open.into_iter().skip(at * per_page).take(per_page).map(item).collect(),
    }))
}

/// What is open and the caller may know of, narrowed by `query`, what is due first first.
pub(super) async fn open_for(
    app: &App,
    caller: &Caller,
    lang: Lang,
    query: &QueueQuery,
) -> Result<Vec<Open>, ApiError> {
    let account = caller.account()?.id;
    let mut db = app.db.read().await?;
    let library = match query.library.as_str() {
        "" => None,
        slug => match db::libraries::find_by_slug(&mut db, slug).await? {
            Some(library) if caller.can_see_library(&library) => Some(library.id),
            _ => return Err(ApiError::NotFound),
        },
    };
    let desks = Desks::of(&mut db, caller, app.now_ms()).await?;
    let words = query.q.trim().to_lowercase();
    let mut found = Vec::new();
    for waiting in db::reviews::list_open(&mut db, library).await? {
        let Some(desk) = desks.get(waiting.review.library) else { continue };
        let Some(step) = waiting.review.waits_for() else { continue };
        let read = waiting.readers.contains(&account.to_string());
        let may = !read && waiting.review.may_be_read_by(account, waiting.author).is_ok();
        let mine = may && desk.waits_for(caller, step);
        let seen = mine || query.mine.is_none() && caller.is_reviewer_of(desk.library.id);
        let text = format!("{} {}", waiting.title, waiting.by).to_lowercase();
        if seen && text.contains(&words) {
            let who = match step.who {
                Deciders::Account(id) => db::reviews::person(&mut db, id).await?,
                Deciders::Team(id) => db::reviews::team_name(&mut db, id).await?,
                Deciders::At { .. } => Some(who(lang, desk, step)),
            };
            let library = desk.library.clone();
            found.push(Open { library, who: who.unwrap_or_default(), mine, waiting });
        }
    }
    Ok(found)
}
