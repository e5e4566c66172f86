//! Resources as JSON.

mod change;
mod doing;
mod events;
mod list;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use self::change::{
    __path_cancel, __path_create, __path_delete, __path_patch, __path_publish, __path_retry,
    __path_withdraw, cancel, create, delete, patch, publish, retry, withdraw,
};
pub(super) use self::doing::{doing, plan_of};
pub(super) use self::events::{__path_events, events};
pub(super) use self::list::{__path_list, list};
use super::caller::Who;
use super::captions::{CaptionView, RecognitionView, recognition};
use super::links::{self, Links, links};
use super::particulars::{ParticularsView, VouchedView};
use super::problem::ApiError;
use super::reader::Reader;
use super::sentences::sentence;
use crate::app::App;
use crate::catalogue::{
    BookChapter, Caller, Chapter, Library, Rendition, RenditionState, Resource, ResourceId,
    ReviewState, RuleError, Slide, Stage, TrackKind,
};
use crate::db;
use crate::deliver::Delivery;
use crate::ingest::stage::{self, Action, Edit};

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
    #[serde(flatten)]
    particulars: ParticularsView,
    /// Who vouches for what is local about it, the highest level first.
    vouchers: Vec<VouchedView>,
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
    let vouchers = match resource.details.particulars.local {
        Some(_) => db::vouchers::standing_for(&mut *app.db.read().await?, id).await?,
        None => Vec::new(),
    };
    let edits = caller.can_edit(&resource) || caller.is_reviewer_of(resource.library);
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
        particulars: ParticularsView::of(resource.details.particulars, edits),
        vouchers: vouchers.into_iter().map(VouchedView::from).collect(),
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
