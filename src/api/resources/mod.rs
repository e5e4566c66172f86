//! Resources as JSON.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa::{IntoParams, ToSchema};

use super::caller::{Visitor, Who};
use super::captions::{CaptionView, RecognitionView, recognition};
use super::links::{self, Links, links};
use super::problem::ApiError;
use super::reader::Reader;
use super::sentences::sentence;
use crate::app::App;
use crate::catalogue::{
    BookChapter, Caller, Chapter, Details, Library, Rendition, RenditionState, Resource,
    ResourceId, ReviewState, RuleError, Slide, Stage, TrackKind,
};
use crate::db;
use crate::db::jobs::{JobState, Lane};
use crate::db::resources::Filter;
use crate::deliver::Delivery;
use crate::ingest::stage::{self, Action, Edit};
use crate::ingest::{disk, progress};
use crate::pages::Lang;
use crate::review::{walk, withdraw};

/// A resource.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResourceView {
    id: String,
    /// Slug of its library.
    library: String,
    /// video, audio, document, image or package
    kind: &'static str,
    /// draft, processing, ready, submitted (in review), published, withdrawn or failed
    stage: &'static str,
    title: String,
    description: String,
    language: Option<String>,
    author: String,
    licence: String,
    topics: Vec<String>,
    audiences: Vec<String>,
    /// Of the pipeline, 0 to 1.
    progress: f64,
    /// What the pipeline does now, as a sentence.
    doing: Option<String>,
    /// What is made of it, as a sentence, for those who may edit it.
    plan: Option<String>,
    /// How long the pipeline will still take, in steps that grow with it; null while it is not known.
    remaining_ms: Option<i64>,
    /// Number of the version that is in review, for those who may edit it.
    in_review: Option<i64>,
    /// Why it failed, as a sentence.
    failure: Option<String>,
    /// Code of the failure.
    failure_code: Option<String>,
    /// What was left out, as sentences.
    warnings: Vec<String>,
    duration_ms: Option<i64>,
    pages: Option<i64>,
    /// Pages whose pictures are still being made; their text is there.
    pages_to_come: i64,
    width: Option<i64>,
    height: Option<i64>,
    file_name: String,
    size_bytes: i64,
    /// Of the source.
    sha256: Option<String>,
    #[schema(value_type = Vec<Object>)]
    chapters: Vec<Chapter>,
    /// The chapters of what is read in chapters.
    contents: Vec<ContentsView>,
    /// The pages are slides.
    deck: bool,
    /// Slides inside a video, when it looks like a lecture.
    slides: Vec<SlideView>,
    links: Links,
    renditions: Vec<RenditionView>,
    captions: Vec<CaptionView>,
    /// Of speech, for those who may edit it; null: it never began.
    recognition: Option<RecognitionView>,
    /// RFC 3339.
    created: String,
    /// RFC 3339.
    published: Option<String>,
}

/// A chapter of a book.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ContentsView {
    /// From 1.
    number: i64,
    /// May be empty.
    title: String,
    /// Opens it.
    url: String,
}

/// One track encoded one way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RenditionView {
    name: String,
    /// video or audio
    kind: &'static str,
    language: Option<String>,
    /// Of sound: main, original, dub, commentary or description
    role: &'static str,
    codecs: Option<String>,
    width: Option<i64>,
    height: Option<i64>,
    bitrate_bps: i64,
    /// How far it can be played.
    duration_ms: i64,
    /// Whether all of it is there.
    complete: bool,
}

/// A slide inside a video.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SlideView {
    /// When the video shows it.
    start_ms: i64,
    /// When it is gone.
    end_ms: i64,
    /// Its picture, WebP.
    image: String,
    /// What is to be read on it; empty while, or where, nothing can be read.
    text: String,
}

/// A page of resources.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResourceList {
    /// In all.
    total: i64,
    items: Vec<ResourceView>,
}

/// Which resources to list.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ListQuery {
    /// Slug of a library.
    library: Option<String>,
    /// Kind.
    kind: Option<String>,
    /// Stage; others than published only where you are an author.
    stage: Option<String>,
    /// From 1.
    page: Option<i64>,
    /// At most 100.
    per_page: Option<i64>,
}

/// What can be changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourcePatch {
    title: Option<String>,
    description: Option<String>,
    /// BCP 47; empty: not said.
    language: Option<String>,
    author: Option<String>,
    licence: Option<String>,
    topics: Option<Vec<String>>,
    audiences: Option<Vec<String>>,
    /// Number of the poster, from 0.
    poster: Option<usize>,
}

/// A draft to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewResource {
    /// Slug of its library.
    library: String,
    title: String,
    #[serde(default)]
    description: String,
    /// BCP 47
    language: Option<String>,
    #[serde(default)]
    author: String,
    #[serde(default)]
    licence: String,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    audiences: Vec<String>,
}

/// Makes a draft. An upload whose metadata name it as `resource` brings its source.
#[utoipa::path(post, path = "/api/resources", tag = "resources", request_body = NewResource, responses((status = 201, body = ResourceView), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Json(new): Json<NewResource>,
) -> Result<(StatusCode, Json<ResourceView>), ApiError> {
    let library = db::libraries::find_by_slug(&mut *app.db.read().await?, &new.library)
        .await?
        .filter(|library| caller.can_see_library(library))
        .ok_or_else(|| ApiError::bad(format!("library {:?}", new.library)))?;
    let account = caller.may_upload(library.id)?.id;
    let details = Details {
        title: new.title,
        description: new.description,
        language: new.language,
        author: new.author,
        licence: new.licence,
        topics: new.topics,
        audiences: new.audiences,
    };
    let mut draft =
        Resource::draft(library.id, account, details.checked()?.or_of(&library), app.now_ms());
    let mut tx = app.db.begin().await?;
    db::resources::insert(&mut tx, &mut draft).await?;
    let id = draft.id.to_string();
    let detail = serde_json::json!({});
    db::audit::record(&mut tx, app.now_ms(), Some(account), "draft", &id, &detail).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(view(&app, &caller, &reader, draft.id).await?)))
}

/// Lists resources that the caller may see, newest first.
#[utoipa::path(get, path = "/api/resources", tag = "resources", params(ListQuery), responses((status = 200, body = ResourceList)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<ResourceList>, ApiError> {
    let per_page = query.per_page.unwrap_or(20).clamp(1, 100);
    let page = query.page.unwrap_or(1).clamp(1, 1_000_000);
    let mut filter =
        Filter { kind: query.kind, stage: Some("published".into()), ..Filter::default() };
    let mut any_stage = caller.is_administrator();
    match &query.library {
        Some(slug) => {
            let library = db::libraries::find_by_slug(&mut *app.db.read().await?, slug)
                .await?
                .filter(|library| caller.can_see_library(library))
                .ok_or(ApiError::NotFound)?;
            any_stage = caller.is_author_of(library.id);
            if any_stage && !caller.is_librarian_of(library.id) {
                filter.seen_by = Some(caller.account()?.id.to_string());
            }
            filter.library = Some(library.id);
        }
        None => filter.public_only = !caller.is_administrator(),
    }
    if any_stage {
        filter.stage = query.stage;
    }
    let (total, found) =
        db::resources::list(&mut *app.db.read().await?, &filter, (page - 1) * per_page, per_page)
            .await?;
    let mut items = Vec::with_capacity(found.len());
    for resource in found {
        match view(&app, &caller, &reader, resource.id).await {
            Ok(view) => items.push(view),
            // Withdrawn since the list was read.
            Err(ApiError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Json(ResourceList { total, items }))
}

/// A resource.
#[utoipa::path(get, path = "/api/resources/{id}", tag = "resources", params(("id" = String, Path)), responses((status = 200, body = ResourceView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ResourceView>, ApiError> {
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    Ok(Json(view(&app, &caller, &reader, id).await?))
}

/// Changes what is said about a resource.
#[utoipa::path(patch, path = "/api/resources/{id}", tag = "resources", params(("id" = String, Path)), request_body = ResourcePatch, responses((status = 200, body = ResourceView), (status = 422)))]
pub(super) async fn patch(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    Json(patch): Json<ResourcePatch>,
) -> Result<Json<ResourceView>, ApiError> {
    let resource = editable(&app, &caller, &id).await?;
    let edit = Edit {
        title: patch.title,
        description: patch.description,
        language: patch.language,
        author: patch.author,
        licence: patch.licence,
        topics: patch.topics,
        audiences: patch.audiences,
        poster: patch.poster,
    };
    act(&app, &caller, resource.id, editing(&caller, &resource, edit)).await?;
    Ok(Json(view(&app, &caller, &reader, resource.id).await?))
}

/// Removes a resource and what was made of it.
#[utoipa::path(delete, path = "/api/resources/{id}", tag = "resources", params(("id" = String, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let resource = editable(&app, &caller, &id).await?;
    act(&app, &caller, resource.id, Action::Delete).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets others see a resource that is ready; where its library has a chain that you do not stand at
/// the end of, hands it in.
#[utoipa::path(post, path = "/api/resources/{id}/publish", tag = "resources", params(("id" = String, Path)), responses((status = 200, body = ResourceView), (status = 409)))]
pub(super) async fn publish(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ResourceView>, ApiError> {
    let resource = editable(&app, &caller, &id).await?;
    walk::publish(&app, &caller, resource.id).await?;
    Ok(Json(view(&app, &caller, &reader, resource.id).await?))
}

/// Why something is withdrawn.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// Only the author may leave it empty.
    #[serde(default)]
    reason: String,
}

/// Takes a resource back; tickets end, players get 404. For its author, and for all who review or
/// manage in its library or above.
#[utoipa::path(post, path = "/api/resources/{id}/withdraw", tag = "resources", params(("id" = String, Path)), request_body = Option<Reason>, responses((status = 200, body = ResourceView), (status = 409), (status = 422)))]
pub(super) async fn withdraw(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    body: Option<Json<Reason>>,
) -> Result<Json<ResourceView>, ApiError> {
    caller.account()?;
    let (resource, _) = visible(&app, &caller, &id).await?;
    let Json(Reason { reason }) = body.unwrap_or_default();
    withdraw::withdraw(&app, &caller, resource.id, &reason).await?;
    Ok(Json(view(&app, &caller, &reader, resource.id).await?))
}

/// Stops the processing of a resource: it has failed as `cancelled` then, and can be retried.
#[utoipa::path(post, path = "/api/resources/{id}/cancel", tag = "resources", params(("id" = String, Path)), responses((status = 200, body = ResourceView), (status = 409)))]
pub(super) async fn cancel(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ResourceView>, ApiError> {
    acted(&app, &caller, &reader, &id, Action::Cancel).await
}

/// Processes a resource that failed again.
#[utoipa::path(post, path = "/api/resources/{id}/retry", tag = "resources", params(("id" = String, Path)), responses((status = 200, body = ResourceView), (status = 409)))]
pub(super) async fn retry(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ResourceView>, ApiError> {
    acted(&app, &caller, &reader, &id, Action::Retry).await
}

/// The resource each time the pipeline comes further, as server-sent events named `progress`.
///
/// The stream ends once nothing works on it any more, or when you may not see it any longer.
#[utoipa::path(get, path = "/api/resources/{id}/events", tag = "resources", params(("id" = String, Path)), responses((status = 200, content_type = "text/event-stream")))]
pub(super) async fn events(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (resource, _) = visible(&app, &caller, &id).await?;
    let watch = app.progress.subscribe();
    let (id, told) = (resource.id, String::new());
    let follower = Follower { app, headers, reader, id, watch, told, over: false };
    let stream = futures::stream::unfold(follower, Follower::next);
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}

/// The resource `id` and its library, if the caller may see it.
pub(super) async fn visible(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<(Resource, Library), ApiError> {
    let id: ResourceId = id.parse().map_err(|_| ApiError::NotFound)?;
    let mut db = app.db.read().await?;
    let resource = db::resources::find(&mut db, id).await?.ok_or(ApiError::NotFound)?;
    let library = db::libraries::get(&mut db, resource.library).await?;
    if caller.can_see(&resource, &library) {
        Ok((resource, library))
    } else {
        Err(ApiError::NotFound)
    }
}

/// The resource `id`, if the caller may edit it.
pub(super) async fn editable(app: &App, caller: &Caller, id: &str) -> Result<Resource, ApiError> {
    caller.account()?;
    let (resource, _) = visible(app, caller, id).await?;
    caller.may_edit(&resource)?;
    Ok(resource)
}

/// The resource `id`, if the caller may edit it now: what is in review stays as it was handed in,
/// and what is published is an author's to change only by a new version, where there is a chain.
pub(super) async fn changeable(app: &App, caller: &Caller, id: &str) -> Result<Resource, ApiError> {
    let resource = editable(app, caller, id).await?;
    match resource.stage {
        Stage::Submitted => return Err(RuleError::Conflict("in_review").into()),
        Stage::Published if !caller.is_librarian_of(resource.library) => {
            let mut db = app.db.read().await?;
            if !db::reviews::chain(&mut db, resource.library).await?.is_empty() {
                return Err(RuleError::Conflict("was_reviewed").into());
            }
        }
        _ => {}
    }
    Ok(resource)
}

/// That the caller says `edit` about `resource`.
pub(super) fn editing(caller: &Caller, resource: &Resource, edit: Edit) -> Action {
    let reviewed = !caller.is_librarian_of(resource.library);
    Action::Edit { edit: Box::new(edit), reviewed }
}

/// Does `action`, which the caller may do.
pub(super) async fn act(
    app: &App,
    caller: &Caller,
    id: ResourceId,
    action: Action,
) -> Result<Resource, ApiError> {
    Ok(stage::apply(app, id, Some(caller.account()?.id), action).await??)
}

async fn acted(
    app: &App,
    caller: &Caller,
    reader: &Reader,
    id: &str,
    action: Action,
) -> Result<Json<ResourceView>, ApiError> {
    let resource = editable(app, caller, id).await?;
    act(app, caller, resource.id, action).await?;
    Ok(Json(view(app, caller, reader, resource.id).await?))
}

/// Somebody who watches a resource.
struct Follower {
    app: App,
    headers: HeaderMap,
    reader: Reader,
    id: ResourceId,
    watch: Receiver<ResourceId>,
    /// What was told last; empty before the first time.
    told: String,
    /// Whether nothing more will change by itself.
    over: bool,
}

impl Follower {
    /// The next view that differs from the last. Each turn asks again who is calling and
    /// what they may see, so a withdrawal or a lost role ends the stream.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        while !self.over {
            if !self.told.is_empty() && !changed(&self.app, &mut self.watch, self.id).await {
                return None;
            }
            let caller = Visitor::of(&self.app, &self.headers).await.ok()?.caller;
            let view = view(&self.app, &caller, &self.reader, self.id).await.ok()?;
            self.over = !matches!(view.stage, "draft" | "processing");
            let text = serde_json::to_string(&view).expect("plain data has a JSON form");
            if text != self.told {
                self.told.clone_from(&text);
                return Some((Ok(Event::default().event("progress").data(text)), self));
            }
        }
        None
    }
}

/// Waits until `id` may have changed; false when the program stops.
async fn changed(app: &App, watch: &mut Receiver<ResourceId>, id: ResourceId) -> bool {
    // What another process does is seen by looking now and then.
    let look = tokio::time::sleep(Duration::from_secs(2));
    tokio::pin!(look);
    loop {
        tokio::select! {
            told = watch.recv() => match told {
                Ok(other) if other != id => {}
                Err(RecvError::Closed) => return false,
                _ => return true,
            },
            () = &mut look => return true,
            () = app.stop.cancelled() => return false,
        }
    }
}

/// What `caller` is shown of the resource `id`, with tickets where it is not public.
async fn view(
    app: &App,
    caller: &Caller,
    reader: &Reader,
    id: ResourceId,
) -> Result<ResourceView, ApiError> {
    let mut delivery = app.deliveries.find(&app.db, id).await?.ok_or(ApiError::NotFound)?;
    // What changes by the second is not kept. It is read after the delivery, so that tickets
    // are of an epoch in which the caller may see it.
    let resource = db::resources::find(&mut *app.db.read().await?, id)
        .await?
        .filter(|resource| caller.can_see(resource, &delivery.library))
        .ok_or(ApiError::NotFound)?;
    if resource.changed != delivery.resource.changed {
        // Kept from before the change: its links would not fit what is said of the stage.
        app.deliveries.forget(id);
        delivery = app.deliveries.find(&app.db, id).await?.ok_or(ApiError::NotFound)?;
    }
    let recognition = match caller.can_edit(&resource) {
        true => recognition(app, reader.lang, &resource).await?,
        false => None,
    };
    let in_review = match caller.can_edit(&resource) {
        true => {
            let last = db::reviews::last(&mut *app.db.read().await?, id).await?;
            last.filter(|last| last.state == ReviewState::Open).map(|last| last.version)
        }
        false => None,
    };
    let word = |code: &str| sentence(reader.lang, code, "");
    let doing = match resource.stage {
        Stage::Processing => Some(doing(app, reader.lang, &resource).await?),
        _ => None,
    };
    Ok(ResourceView {
        id: id.to_string(),
        library: delivery.library.slug.to_string(),
        kind: resource.kind.as_str(),
        stage: resource.stage.as_str(),
        progress: resource.progress,
        plan: plan_of(reader.lang, &resource).filter(|_| caller.can_edit(&resource)),
        remaining_ms: doing.as_ref().and_then(|doing| doing.remaining_ms),
        doing: doing.map(|doing| doing.says),
        in_review,
        failure: resource.failure.as_deref().map(|code| {
            sentence(reader.lang, code, resource.failure_info.as_deref().unwrap_or(""))
        }),
        failure_code: resource.failure.clone(),
        warnings: resource.warnings.iter().map(|code| word(code)).collect(),
        duration_ms: resource.duration_ms,
        pages: resource.pages,
        pages_to_come: delivery.pages_to_come(),
        width: resource.width,
        height: resource.height,
        sha256: resource.source.filter(|_| caller.can_edit(&resource)).map(|hash| hash.to_string()),
        file_name: resource.file_name.clone(),
        size_bytes: resource.size_bytes,
        chapters: resource.derived.chapters.clone(),
        contents: contents(&delivery),
        deck: resource.derived.deck,
        slides: slides(app, &delivery),
        links: links(app, &delivery),
        renditions: delivery
            .renditions
            .iter()
            .filter(|r| r.state != RenditionState::Retired)
            .map(rendition)
            .collect(),
        captions: delivery.captions.iter().map(CaptionView::from).collect(),
        recognition,
        created: rfc3339(resource.created_ms),
        published: resource.published_ms.map(rfc3339),
        title: resource.details.title,
        description: resource.details.description,
        language: resource.details.language,
        author: resource.details.author,
        licence: resource.details.licence,
        topics: resource.details.topics,
        audiences: resource.details.audiences,
    })
}

/// The chapters of a book and where they are read.
fn contents(delivery: &crate::deliver::Delivery) -> Vec<ContentsView> {
    let id = delivery.resource.id;
    let view = |chapter: &BookChapter| ContentsView {
        number: chapter.number,
        title: chapter.title.clone(),
        url: format!("/resources/{id}?chapter={}", chapter.number),
    };
    delivery.chapters.iter().map(view).collect()
}

/// What is made of a video or sound, as its plan says it.
pub(super) fn plan_of(lang: Lang, resource: &Resource) -> Option<String> {
    #[derive(Deserialize)]
    struct Sentences {
        sentence_zh: String,
        sentence_en: String,
    }
    let plan: Sentences = serde_json::from_str(resource.plan.as_deref()?).ok()?;
    Some(lang.pick(&plan.sentence_zh, &plan.sentence_en).to_owned())
}

/// What the pipeline does with a resource now.
pub(super) struct Doing {
    /// As a sentence, with why it waits and how long it will take.
    pub says: String,
    /// How long it will take, in round milliseconds.
    pub remaining_ms: Option<i64>,
}

/// What the pipeline does now, and why it waits when it waits.
pub(super) async fn doing(app: &App, lang: Lang, resource: &Resource) -> Result<Doing, ApiError> {
    let mut db = app.db.read().await?;
    let jobs = db::jobs::list(&mut db, resource.id).await?;
    let now_ms = app.now_ms();
    if let Some(says) = waits(&mut db, lang, &jobs, now_ms).await? {
        return Ok(Doing { says, remaining_ms: None });
    }
    let says = match jobs.iter().find(|job| job.state == "running") {
        Some(job) => sentence(lang, &job.kind, ""),
        None => match db::jobs::count_ahead(&mut db, resource.id).await? {
            0 => sentence(lang, "waiting", ""),
            ahead => lang
                .pick("排队中，前面还有 {} 个资源", "Waiting behind {} others")
                .replace("{}", &ahead.to_string()),
        },
    };
    let begun = jobs.iter().any(|job| job.begun_ms.is_some() && job.lane != Lane::Look.as_str());
    let remaining_ms = if begun {
        let ahead = db::jobs::ahead(&mut db, resource.id).await?;
        progress::remaining_ms(&jobs, &ahead, now_ms)
    } else {
        None
    };
    let says = match remaining_ms {
        Some(ms) => format!("{says}{}{}", lang.pick("，", ", "), time_left(lang, ms)),
        None => says,
    };
    Ok(Doing { says, remaining_ms })
}

/// Why none of the jobs runs, when it is not their turn that they wait for.
async fn waits(
    db: &mut sqlx::AnyConnection,
    lang: Lang,
    jobs: &[JobState],
    now_ms: i64,
) -> Result<Option<String>, ApiError> {
    if jobs.iter().any(|job| job.state == "running") {
        return Ok(None);
    }
    let queued = || jobs.iter().filter(|job| job.state == "queued");
    if queued().any(|job| disk::is_needed(&job.lane)) && disk::makes_wait(db, now_ms).await? {
        return Ok(Some(sentence(lang, "disk_short", "")));
    }
    let again = queued().find(|job| job.attempts > 0 && job.run_at_ms > now_ms);
    Ok(again.map(|job| {
        let seconds = (job.run_at_ms - now_ms) / 1000;
        lang.pick("上次没有成功，{} 秒后重试", "The last attempt failed; again in {} s")
            .replace("{}", &seconds.to_string())
    }))
}

/// `约还需 3 分钟`
fn time_left(lang: Lang, ms: i64) -> String {
    let (seconds, minutes, hours) = (ms / 1000, ms / 60_000, ms / 3_600_000);
    let (zh, en) = match (hours, minutes % 60) {
        _ if seconds < 60 => (format!("{seconds} 秒"), format!("{seconds} seconds")),
        (0, 1) => ("1 分钟".into(), "1 minute".into()),
        (0, minutes) => (format!("{minutes} 分钟"), format!("{minutes} minutes")),
        (1, 0) => ("1 小时".into(), "1 hour".into()),
        (hours, 0) => (format!("{hours} 小时"), format!("{hours} hours")),
        (hours, rest) => (format!("{hours} 小时 {rest} 分钟"), format!("{hours} h {rest} min")),
    };
    lang.pick("约还需 {zh}", "about {en} left").replace("{zh}", &zh).replace("{en}", &en)
}

fn slides(app: &App, delivery: &Delivery) -> Vec<SlideView> {
    let base = links::base(app, delivery);
    let view = |slide: &Slide| SlideView {
        start_ms: slide.start_ms,
        end_ms: slide.end_ms,
        image: links::slide(&base, slide),
        text: slide.text.clone(),
    };
    delivery.slides.iter().map(view).collect()
}

fn rendition(rendition: &Rendition) -> RenditionView {
    let end = rendition.segments().last().map_or(0, |(_, s)| s.start + s.duration);
    RenditionView {
        name: rendition.name.clone(),
        kind: match rendition.kind {
            TrackKind::Video => "video",
            TrackKind::Audio => "audio",
        },
        language: rendition.language.clone(),
        role: rendition.role.as_str(),
        codecs: rendition.codecs.clone(),
        width: rendition.width,
        height: rendition.height,
        bitrate_bps: rendition.bitrate_bps,
        duration_ms: (rendition.seconds(end) * 1000.0).round() as i64,
        complete: rendition.is_complete(),
    }
}

/// Unix milliseconds of an RFC 3339 time.
pub(super) fn ms_of(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// RFC 3339, in UTC.
pub(super) fn rfc3339(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_said_as_people_say_it() {
        for (ms, zh, en) in [
            (10_000, "约还需 10 秒", "about 10 seconds left"),
            (60_000, "约还需 1 分钟", "about 1 minute left"),
            (180_000, "约还需 3 分钟", "about 3 minutes left"),
            (3_600_000, "约还需 1 小时", "about 1 hour left"),
            (8_100_000, "约还需 2 小时 15 分钟", "about 2 h 15 min left"),
            (25_200_000, "约还需 7 小时", "about 7 hours left"),
        ] {
            assert_eq!(time_left(Lang::Zh, ms), zh);
            assert_eq!(time_left(Lang::En, ms), en);
        }
    }
}
