//! Pages for authors: upload, watch, edit.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::captions;
use super::super::dossier::{Dossier, case_name};
use super::super::links;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::resources::{act, changeable, doing, editable, editing, plan_of};
use super::super::sentences::{rule, sentence};
use super::particulars_form::particulars_of;
use super::review::{versions, withdrawn};
use super::shell::{page, playing_page, shell};
use super::tiles::poster;
use crate::app::App;
use crate::catalogue::{
    Details, FileType, Kind, ParticularsEdit, Resource, ReviewState, RuleError, Stage,
};
use crate::config::SpeechEngine;
use crate::db;
use crate::db::jobs::JobState;
use crate::db::resources::Filter;
use crate::deliver::Delivery;
use crate::ingest::captions::Over;
use crate::ingest::stage::{Action, Edit};
use crate::pages::{
    self, CaptionsRow, EditReview, EditView, Lang, Paging, PosterChoice, ProcessingView, StepView,
    StudioRow, StudioTab, StudioView,
};
use crate::review::{walk, withdraw};

const PER_PAGE: i64 = 30;

/// Divisions that the form offers; others can be written.
const MAX_DIVISIONS: usize = 500;

/// Which resources the studio lists.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct ListQuery {
    #[serde(default)]
    library: String,
    #[serde(default)]
    stage: String,
    page: Option<i64>,
}

pub(in crate::api) async fn list(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    if visitor.caller.0.is_none() {
        return Ok(Redirect::to("/login?next=/studio").into_response());
    }
    if !visitor.caller.has_studio() {
        return Err(RuleError::Forbidden.into());
    }
    let mut db = app.db.read().await?;
    let libraries: Vec<_> = db::libraries::list(&mut db)
        .await?
        .into_iter()
        .filter(|library| visitor.caller.is_author_of(library.id))
        .collect();
    let chosen = libraries.iter().find(|library| library.slug.as_str() == query.library);
    let own_only = !chosen.map_or(visitor.caller.is_administrator(), |library| {
        visitor.caller.is_librarian_of(library.id)
    });
    let account = visitor.caller.account()?.id.to_string();
    let base = Filter {
        library: chosen.map(|library| library.id),
        uploaded_by: own_only.then_some(account),
        ..Filter::default()
    };
    let mut tabs = Vec::new();
    for (stage, label) in [
        ("", reader.lang.pick("全部", "All")),
        ("processing", pages::stage_word(reader.lang, Stage::Processing)),
        ("ready", pages::stage_word(reader.lang, Stage::Ready)),
        ("submitted", pages::stage_word(reader.lang, Stage::Submitted)),
        ("published", pages::stage_word(reader.lang, Stage::Published)),
        ("withdrawn", pages::stage_word(reader.lang, Stage::Withdrawn)),
        ("failed", pages::stage_word(reader.lang, Stage::Failed)),
    ] {
        let filter =
            Filter { stage: Some(stage.to_owned()).filter(|s| !s.is_empty()), ..base.clone() };
        let (count, _) = db::resources::list(&mut db, &filter, 0, 1).await?;
        if stage.is_empty() || count > 0 {
            tabs.push(StudioTab {
                label: label.to_owned(),
                count: u64::try_from(count).unwrap_or_default(),
                href: format!("/studio?library={}&stage={stage}", query.library),
                on: stage == query.stage,
            });
        }
    }
    let at = query.page.unwrap_or(1).clamp(1, 1_000_000);
    let filter = Filter { stage: Some(query.stage.clone()).filter(|s| !s.is_empty()), ..base };
    let (total, found) =
        db::resources::list(&mut db, &filter, (at - 1) * PER_PAGE, PER_PAGE).await?;
    drop(db);
    let mut rows = Vec::with_capacity(found.len());
    for resource in found {
        rows.push(row(&app, &reader, &visitor, resource).await?);
    }
    let view = StudioView {
        compares: libraries.iter().any(|library| visitor.caller.is_librarian_of(library.id)),
        libraries: libraries
            .iter()
            .map(|library| (library.slug.to_string(), library.name.clone()))
            .collect(),
        library: query.library.clone(),
        stage: query.stage.clone(),
        count: total,
        largest_bytes: u64::try_from(app.config.upload.max_bytes).unwrap_or_default(),
        accept: FileType::endings().map(|ending| format!(".{ending}")).collect(),
        tabs,
        rows,
        paging: Paging {
            page: u32::try_from(at).unwrap_or(1),
            pages: u32::try_from((total + PER_PAGE - 1) / PER_PAGE).unwrap_or(1),
            href: format!("/studio?library={}&stage={}&page=", query.library, query.stage),
        },
    };
    Ok(page(&reader, pages::studio(&shell(&app, &reader, &visitor), &view)))
}

async fn row(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    resource: Resource,
) -> Result<StudioRow, ApiError> {
    let delivery = app.deliveries.find(&app.db, resource.id).await?.ok_or(ApiError::NotFound)?;
    Ok(StudioRow {
        id: resource.id.to_string(),
        title: resource.details.title.clone(),
        kind: resource.kind,
        library: delivery.library.name.clone(),
        poster: poster(app, &delivery),
        duration_ms: resource.duration_ms.and_then(|ms| u64::try_from(ms).ok()),
        pages: resource.pages.and_then(|pages| u32::try_from(pages).ok()),
        size_bytes: u64::try_from(resource.size_bytes).unwrap_or_default(),
        updated_ms: resource.updated_ms,
        state: state(app, (reader, visitor), &resource, &delivery).await?,
    })
}

async fn state(
    app: &App,
    (reader, visitor): (&Reader, &Visitor),
    resource: &Resource,
    delivery: &Delivery,
) -> Result<ProcessingView, ApiError> {
    let info = resource.failure_info.as_deref().unwrap_or("");
    let says = match (&resource.failure, resource.stage) {
        (Some(code), _) => sentence(reader.lang, code, info),
        (None, Stage::Processing) => doing(app, reader.lang, resource).await?.says,
        (None, Stage::Ready | Stage::Submitted | Stage::Published | Stage::Withdrawn) => {
            reviewed(app, reader, visitor, resource).await?.unwrap_or_default()
        }
        _ => String::new(),
    };
    Ok(ProcessingView {
        stage: resource.stage,
        progress: resource.progress,
        says,
        playable: delivery.is_playable() || !delivery.pages.is_empty(),
    })
}

/// What happened to a form before.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct SavedQuery {
    #[serde(default)]
    saved: String,
}

impl SavedQuery {
    /// What to say of it.
    pub(super) fn sentence(&self, lang: Lang) -> Option<String> {
        let (zh, en) = match self.saved.as_str() {
            "" => return None,
            "recognise" => ("已开始识别语音", "Speech will be recognised"),
            "appeal" => ("已申诉，由上一级决定", "The level above will decide"),
            "captions" => ("字幕已更新", "Captions updated"),
            "published" => ("已保存并发布", "Saved and published"),
            "handed-in" => ("已保存并送审", "Saved and handed in"),
            _ => ("已保存", "Saved"),
        };
        Some(lang.pick(zh, en).to_owned())
    }
}

pub(in crate::api) async fn resource_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<SavedQuery>,
) -> Result<Response, ApiError> {
    if visitor.caller.0.is_none() {
        return Ok(Redirect::to(&format!("/login?next=/studio/resources/{id}")).into_response());
    }
    let resource = editable(&app, &visitor.caller, &id).await?;
    // What was returned of an update is there to be worked on.
    let last = db::reviews::last(&mut *app.db.read().await?, resource.id).await?;
    let returned = last.filter(|last| last.update && last.state == ReviewState::Returned);
    let details = returned
        .filter(|_| resource.stage == Stage::Published)
        .map_or_else(|| resource.details.clone(), |returned| returned.snapshot.details);
    let mut view = edit_view(&app, &reader, &visitor, &resource, details).await?;
    view.saved = query.sentence(reader.lang);
    Ok(playing_page(&app, &reader, pages::edit(&shell(&app, &reader, &visitor), &view)))
}

async fn edit_view(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    resource: &Resource,
    details: Details,
) -> Result<EditView, ApiError> {
    let delivery = app.deliveries.find(&app.db, resource.id).await?.ok_or(ApiError::NotFound)?;
    let base = links::base(app, &delivery);
    let jobs = db::jobs::list(&mut *app.db.read().await?, resource.id).await?;
    let processing = resource.stage == Stage::Processing;
    let recognition = captions::recognition(app, reader.lang, resource).await?;
    let listening =
        recognition.as_ref().is_some_and(|it| ["waiting", "running"].contains(&it.state));
    let plays = matches!(resource.kind, Kind::Video | Kind::Audio);
    Ok(EditView {
        recognition: recognition.map(|it| (it.says, listening)),
        may_recognise: plays
            && !listening
            && app.config.speech.engine != SpeechEngine::Off
            && matches!(resource.stage, Stage::Ready | Stage::Published | Stage::Withdrawn),
        id: resource.id.to_string(),
        kind: resource.kind,
        library_name: delivery.library.name.clone(),
        file_name: resource.file_name.clone(),
        size_bytes: u64::try_from(resource.size_bytes).unwrap_or_default(),
        state: state(app, (reader, visitor), resource, &delivery).await?,
        plan: plan_of(reader.lang, resource).filter(|_| processing),
        steps: if processing { steps(reader.lang, &jobs) } else { Vec::new() },
        warnings: resource.warnings.iter().map(|code| sentence(reader.lang, code, "")).collect(),
        alike: super::duplicates::told(app, &visitor.caller, reader.lang, resource).await?,
        saved: None,
        refusals: Vec::new(),
        title: details.title,
        description: details.description,
        language: details.language.unwrap_or_default(),
        author: details.author,
        licence: details.licence,
        topics: details.topics,
        audiences: details.audiences,
        particulars: details.particulars,
        divisions: divisions(app).await?,
        posters: resource
            .derived
            .posters
            .iter()
            .enumerate()
            .map(|(number, poster)| PosterChoice {
                value: number.to_string(),
                src: format!("{base}/posters/{number}.jpg"),
                time_ms: u64::try_from(poster.time_ms)
                    .ok()
                    .filter(|_| resource.kind == Kind::Video),
                on: resource.poster.as_ref() == Some(&poster.key),
            })
            .collect(),
        captions: delivery
            .captions
            .iter()
            .map(|caption| CaptionsRow {
                name: caption.name.clone(),
                label: caption.word(reader.lang == Lang::Zh),
                href: format!("{base}/captions/{}.vtt", caption.name),
                edit_href: format!("/studio/resources/{}/captions/{}", resource.id, caption.name),
            })
            .collect(),
        may_publish: visitor.caller.can_edit(resource),
        review: in_review(app, reader, visitor, resource).await?,
    })
}

/// Codes and names of the organisations that have a code.
async fn divisions(app: &App) -> Result<Vec<(String, String)>, ApiError> {
    let all = db::organisations::list(&mut *app.db.read().await?).await?;
    let open = all.into_iter().filter(|one| one.closed_ms.is_none());
    let named = open.filter_map(|one| Some((one.code?.to_string(), one.name)));
    Ok(named.take(MAX_DIVISIONS).collect())
}

async fn in_review(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    resource: &Resource,
) -> Result<EditReview, ApiError> {
    let dossier = Dossier::of(app, &visitor.caller, &resource.id.to_string()).await?;
    let (may, lang) = (dossier.may, reader.lang);
    let appeals = dossier.appeals.iter().map(|appeal| {
        let state = case_name(lang, appeal.state);
        let says = format!("{}{state}", lang.pick("申诉：", "Appeal: "));
        if appeal.answer.is_empty() { says } else { format!("{says}。{}", appeal.answer) }
    });
    Ok(EditReview {
        hand_in: may.hand_in,
        publish: may.publish,
        take_back: may.take_back,
        appeal: may.appeal,
        reason_needed: visitor.caller.account()?.id != resource.uploaded_by,
        edits_are_reviewed: resource.stage == Stage::Published
            && !dossier.desk.chain.is_empty()
            && !visitor.caller.is_librarian_of(resource.library),
        version: versions(app, lang, &dossier).into_iter().next(),
        comments: dossier
            .comments
            .iter()
            .filter(|comment| comment.answers.is_none() && comment.resolved_ms.is_none())
            .count(),
        withdrawn: withdrawn(lang, &dossier),
        appeals: appeals.collect(),
    })
}

/// Who has what is in review and until when, or why it was returned.
async fn reviewed(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    resource: &Resource,
) -> Result<Option<String>, ApiError> {
    let dossier = Dossier::of(app, &visitor.caller, &resource.id.to_string()).await?;
    let lang = reader.lang;
    if let Some(withdrawn) = withdrawn(lang, &dossier) {
        return Ok(Some(withdrawn));
    }
    if let Some(review) = dossier.open() {
        let Some(step) = review.waits_for() else { return Ok(None) };
        let due = pages::minute(lang, review.due_ms, &shell(app, reader, visitor).zone);
        let who = dossier.who(lang, step);
        return Ok(Some(match lang {
            Lang::Zh => format!("{}：{who}，期限 {due}", step.name),
            Lang::En => format!("{}: {who}, until {due}", step.name),
        }));
    }
    let returned = dossier.returned().and_then(|review| review.decisions.last());
    Ok(returned.map(|decision| format!("{}{}", lang.pick("退回：", "Returned: "), decision.reason)))
}

/// One line for each kind of step; parts of the same kind go together.
fn steps(lang: Lang, jobs: &[JobState]) -> Vec<StepView> {
    let mut kinds: Vec<&str> = Vec::new();
    for job in jobs {
        if !kinds.contains(&job.kind.as_str()) {
            kinds.push(&job.kind);
        }
    }
    kinds
        .into_iter()
        .map(|kind| {
            let own = jobs.iter().filter(|job| job.kind == kind);
            let (done, all) = own.fold((0.0, 0.0), |(done, all), job| {
                (done + job.progress * job.weight, all + job.weight)
            });
            let progress = if all > 0.0 { done / all } else { 0.0 };
            StepView { label: sentence(lang, kind, ""), progress }
        })
        .collect()
}

pub(in crate::api) async fn edit_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    let resource = editable(&app, &visitor.caller, &id).await?;
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let details = Details {
        title: fields.one("title").to_owned(),
        description: fields.one("description").to_owned(),
        language: Some(fields.one("language").to_owned()).filter(|language| !language.is_empty()),
        author: fields.one("author").to_owned(),
        licence: fields.one("licence").to_owned(),
        topics: fields.all("topics"),
        audiences: fields.all("audiences"),
        particulars: particulars_of(&fields, &resource.details.particulars),
    };
    if fields.one("action") == "recognise" {
        changeable(&app, &visitor.caller, &id).await?;
        captions::begin_recognition(&app, &resource, None).await?;
        return Ok(Redirect::to(&format!("/studio/resources/{id}?saved=recognise")).into_response());
    }
    let again = |saved: &str| {
        Redirect::to(&format!("/studio/resources/{id}?saved={saved}")).into_response()
    };
    match fields.one("action") {
        "publish" => {
            walk::publish(&app, &visitor.caller, resource.id).await?;
            return Ok(again("1"));
        }
        "take-back" => {
            walk::take_back(&app, &visitor.caller, resource.id).await?;
            return Ok(again("1"));
        }
        "withdraw" => {
            let reason = reason_of(&fields);
            withdraw::withdraw(&app, &visitor.caller, resource.id, &reason).await?;
            return Ok(again("1"));
        }
        "appeal" => {
            withdraw::appeal(&app, &visitor.caller, resource.id, fields.one("words")).await?;
            return Ok(again("appeal"));
        }
        _ => {}
    }
    let action = match fields.one("action") {
        "delete" => Action::Delete,
        "cancel" => Action::Cancel,
        "retry" => Action::Retry,
        "poster" => {
            let poster = fields.one("poster").parse().unwrap_or(usize::MAX);
            let edit = Edit { poster: Some(poster), ..Edit::default() };
            editing(&visitor.caller, &resource, edit)
        }
        _ => editing(&visitor.caller, &resource, all_of(details.clone())),
    };
    let deleted = matches!(action, Action::Delete);
    match act(&app, &visitor.caller, resource.id, action).await {
        Ok(_) if deleted => Ok(Redirect::to("/studio").into_response()),
        Ok(_) => Ok(Redirect::to(&format!("/studio/resources/{id}?saved=1")).into_response()),
        Err(ApiError::Rule(broken @ RuleError::BadField { field, .. })) => {
            // The poster's form has no details, so those that are kept are shown.
            let details = if field == "poster" { resource.details.clone() } else { details };
            let mut view = edit_view(&app, &reader, &visitor, &resource, details).await?;
            view.refusals = vec![(field.to_owned(), rule(reader.lang, &broken))];
            let mut response = page(&reader, pages::edit(&shell(&app, &reader, &visitor), &view));
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

/// A form says everything.
fn all_of(details: Details) -> Edit {
    Edit {
        title: Some(details.title),
        description: Some(details.description),
        language: Some(details.language.unwrap_or_default()),
        author: Some(details.author),
        licence: Some(details.licence),
        topics: Some(details.topics),
        audiences: Some(details.audiences),
        particulars: ParticularsEdit::all(details.particulars),
        poster: None,
    }
}

/// Adds or removes captions: `file`, `language`, or `remove`.
pub(in crate::api) async fn captions_form(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    mut form: axum::extract::Multipart,
) -> Result<Response, ApiError> {
    let resource = changeable(&app, &visitor.caller, &id).await?;
    let (mut csrf, mut language, mut remove, mut file) =
        (String::new(), String::new(), String::new(), None);
    let bad = |error: axum::extract::multipart::MultipartError| ApiError::bad(error.to_string());
    while let Some(field) = form.next_field().await.map_err(bad)? {
        match field.name().unwrap_or("") {
            "csrf" => csrf = field.text().await.map_err(bad)?,
            "language" => language = field.text().await.map_err(bad)?,
            "remove" => remove = field.text().await.map_err(bad)?,
            "file" => {
                let name = field.file_name().unwrap_or("captions").to_owned();
                file = Some((name, field.bytes().await.map_err(bad)?));
            }
            _ => {}
        }
    }
    check_csrf(&visitor, &csrf)?;
    let caller = &visitor.caller;
    if !remove.is_empty() {
        crate::ingest::captions::remove(&app, &resource, &remove, caller.account()?.id).await?;
    } else if let Some((name, bytes)) = file.filter(|(_, bytes)| !bytes.is_empty()) {
        let file = (name.as_str(), bytes.to_vec());
        captions::add(&app, caller, &resource, &language, file, &Over::Any).await?;
    }
    Ok(Redirect::to(&format!("/studio/resources/{id}?saved=captions")).into_response())
}

/// Why something is withdrawn: the choice, and the words beside it.
pub(super) fn reason_of(fields: &Fields) -> String {
    let both = [fields.one("reason"), fields.one("words")];
    let said = both.into_iter().map(str::trim).filter(|text| !text.is_empty());
    said.collect::<Vec<_>>().join("：")
}

pub(super) fn check_csrf(visitor: &Visitor, sent: &str) -> Result<(), ApiError> {
    if visitor.csrf.is_empty() || visitor.csrf == sent {
        Ok(())
    } else {
        Err(ApiError::coded(StatusCode::FORBIDDEN, "foreign_origin", ""))
    }
}

/// Fields of a form, several of which may have the same name.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn parse(body: &str) -> Self {
        Self(url::form_urlencoded::parse(body.as_bytes()).into_owned().collect())
    }

    pub(super) fn one(&self, name: &str) -> &str {
        self.find(name).unwrap_or("")
    }

    /// The field `name`, if the form has it.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a field, empty ones too, in order.
    pub(super) fn each(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let named = self.0.iter().filter(|(known, value)| known == name && !value.is_empty());
        named.map(|(_, value)| value.clone()).collect()
    }
}
