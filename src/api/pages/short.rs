//! The form of one minute: what is kept of a resource, and what is guessed where nothing is.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;

use super::super::caller::Visitor;
use super::super::dossier::Dossier;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::resources::{act, doing, editable, editing};
use super::super::sentences::{rule, sentence};
use super::shell::{page, shell};
use super::studio::{Fields, SavedQuery, check_csrf};
use super::tiles::poster;
use crate::app::App;
use crate::catalogue::{
    Caller, Details, LocalMark, Organisation, Particulars, ParticularsEdit, Resource, RuleError,
    Stage,
};
use crate::db;
use crate::guess::{Clues, Guess, MAX_TEXT, guess};
use crate::ingest::stage::Edit;
use crate::ingest::upload::title_from;
use crate::media::captions::language_of;
use crate::pages::{self, Offer, ProcessingView, ShortFormView, ShortThen};
use crate::review::walk;

/// Passages that are read to guess from.
const MAX_PASSAGES: i64 = 80;

pub(in crate::api) async fn short_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<SavedQuery>,
) -> Result<Response, ApiError> {
    if visitor.caller.0.is_none() {
        let login = format!("/login?next=/studio/resources/{id}/short");
        return Ok(Redirect::to(&login).into_response());
    }
    let resource = editable(&app, &visitor.caller, &id).await?;
    let mut view = view(&app, &reader, &visitor.caller, &resource).await?;
    view.saved = query.sentence(reader.lang);
    Ok(page(&reader, pages::short_form(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn short_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    let resource = editable(&app, &visitor.caller, &id).await?;
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let confirmed = fields.one("action") == "confirm";
    let done = match edit(&fields, &resource, confirmed) {
        Ok(edit) => {
            act(&app, &visitor.caller, resource.id, editing(&visitor.caller, &resource, edit)).await
        }
        Err(refused) => Err(refused.into()),
    };
    match done {
        Ok(_) => {}
        Err(ApiError::Rule(broken @ RuleError::BadField { field, .. })) => {
            let mut view = view(&app, &reader, &visitor.caller, &resource).await?;
            typed(&mut view, &fields);
            let says = match (field, &broken) {
                ("evidence", RuleError::BadField { value, .. }) if value.is_empty() => {
                    sentence(reader.lang, "evidence_needed", "")
                }
                _ => rule(reader.lang, &broken),
            };
            view.refusals = vec![(field.to_owned(), says)];
            let shell = shell(&app, &reader, &visitor);
            let mut response = page(&reader, pages::short_form(&shell, &view));
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        }
        Err(error) => return Err(error),
    }
    let resource = editable(&app, &visitor.caller, &id).await?;
    let saved = match then(&app, &visitor.caller, &resource).await? {
        ShortThen::Save => "1",
        _ if !confirmed => "1",
        ShortThen::Publish => {
            walk::publish(&app, &visitor.caller, resource.id).await?;
            "published"
        }
        ShortThen::HandIn => {
            walk::publish(&app, &visitor.caller, resource.id).await?;
            "handed-in"
        }
    };
    Ok(Redirect::to(&format!("/studio/resources/{id}/short?saved={saved}")).into_response())
}

/// What the form says anew. Who confirms says by what right it may be shown.
fn edit(fields: &Fields, resource: &Resource, confirmed: bool) -> Result<Edit, RuleError> {
    let evidence = fields.one("evidence");
    if confirmed && evidence.is_empty() {
        return Err(RuleError::BadField { field: "evidence", value: String::new() });
    }
    let text = |name: &str| Some(fields.one(name).to_owned());
    let old = resource.details.particulars.local.clone().unwrap_or_default();
    let local = (fields.one("local") == "yes").then(|| LocalMark {
        origin: fields.one("local.origin").to_owned(),
        bearer: fields.one("local.bearer").to_owned(),
        ..old
    });
    Ok(Edit {
        title: text("title"),
        description: text("description"),
        language: text("language"),
        author: text("author"),
        topics: Some(fields.all("topics")),
        audiences: Some(fields.all("audiences")),
        particulars: ParticularsEdit {
            evidence: text("evidence"),
            place: text("place"),
            local: Some(local),
            ..ParticularsEdit::default()
        },
        ..Edit::default()
    })
}

/// What was typed stays in a form that was refused.
fn typed(view: &mut ShortFormView, fields: &Fields) {
    let text = |name: &str| Offer { value: fields.one(name).to_owned(), guessed: false };
    let codes = |name: &str| Offer { value: fields.all(name), guessed: false };
    view.title = text("title");
    view.topics = codes("topics");
    view.audiences = codes("audiences");
    view.author = text("author");
    view.evidence = fields.one("evidence").to_owned();
    view.local = Offer { value: fields.one("local") == "yes", guessed: false };
    view.origin = text("local.origin");
    view.bearer = fields.one("local.bearer").to_owned();
    view.description = text("description");
    view.language = text("language");
    view.place = text("place");
}

async fn view(
    app: &App,
    reader: &Reader,
    caller: &Caller,
    resource: &Resource,
) -> Result<ShortFormView, ApiError> {
    let delivery = app.deliveries.find(&app.db, resource.id).await?.ok_or(ApiError::NotFound)?;
    let processing = resource.stage == Stage::Processing;
    let info = resource.failure_info.as_deref().unwrap_or("");
    let says = match &resource.failure {
        Some(code) => sentence(reader.lang, code, info),
        None if processing => doing(app, reader.lang, resource).await?.says,
        None => String::new(),
    };
    let (mut guess, mut language, has_text) = guessed(app, resource, &delivery).await?;
    let Details {
        title, description, language: kept, author, topics, audiences, particulars, ..
    } = resource.details.clone();
    let Particulars { evidence, place, local, .. } = particulars;
    let default_topics = topics == delivery.library.topics;
    let unnamed = title == title_from(&resource.file_name);
    // Whoever said by what right it is shown has been here: what is empty then is meant so.
    let been_here = !evidence.is_empty();
    if been_here {
        (guess, language) = (Guess::default(), String::new());
    }
    let name = &caller.account()?.display_name;
    let name = if been_here { String::new() } else { name.clone() };
    Ok(ShortFormView {
        id: resource.id.to_string(),
        kind: resource.kind,
        file_name: resource.file_name.clone(),
        size_bytes: u64::try_from(resource.size_bytes).unwrap_or_default(),
        state: ProcessingView {
            stage: resource.stage,
            progress: resource.progress,
            says,
            playable: delivery.is_playable() || !delivery.pages.is_empty(),
        },
        poster: poster(app, &delivery),
        then: then(app, caller, resource).await?,
        early: processing && !has_text,
        saved: None,
        refusals: Vec::new(),
        title: match unnamed && !guess.title.is_empty() && guess.title != title {
            true => Offer { value: guess.title, guessed: true },
            false => Offer { value: title, guessed: unnamed && !been_here },
        },
        topics: offer(topics, guess.topics, |kept| kept.is_empty() || default_topics),
        audiences: offer(audiences, guess.audiences, Vec::is_empty),
        author: offer(author, name, String::is_empty),
        evidence,
        local: match &local {
            Some(_) => Offer { value: true, guessed: false },
            None => Offer { value: guess.local, guessed: guess.local },
        },
        origin: offer(
            local.as_ref().map(|mark| mark.origin.clone()).unwrap_or_default(),
            guess.place.clone(),
            String::is_empty,
        ),
        bearer: local.map(|mark| mark.bearer).unwrap_or_default(),
        description: offer(description, guess.description, String::is_empty),
        language: offer(kept.unwrap_or_default(), language, String::is_empty),
        place: offer(place, guess.place, String::is_empty),
    })
}

/// What is kept, or what is guessed where that is `unsaid`.
fn offer<T: Default + PartialEq>(kept: T, guess: T, unsaid: impl Fn(&T) -> bool) -> Offer<T> {
    if unsaid(&kept) && guess != T::default() {
        Offer { value: guess, guessed: true }
    } else {
        Offer { value: kept, guessed: false }
    }
}

/// What is guessed of a resource, its language, and whether there was text to guess from.
async fn guessed(
    app: &App,
    resource: &Resource,
    delivery: &crate::deliver::Delivery,
) -> Result<(Guess, String, bool), ApiError> {
    let mut db = app.db.read().await?;
    let passages = db::passages::first(&mut db, resource.id, MAX_PASSAGES).await?;
    let owner = match delivery.library.owner {
        Some(owner) => db::organisations::find(&mut db, owner).await?,
        None => None,
    };
    drop(db);
    let written = passages.iter().any(|passage| passage.start_ms.is_none());
    let lines: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
    let text: String = lines.join("\n").chars().take(MAX_TEXT).collect();
    let derived = &resource.derived;
    let headings = derived.outline.iter().map(|item| item.title.as_str());
    let headings = headings.chain(derived.chapters.iter().map(|chapter| chapter.title.as_str()));
    let clues = Clues {
        file_name: &resource.file_name,
        own_title: &derived.own_title,
        headings: headings.take(100).collect(),
        text: &text,
        written,
        topics: &delivery.library.topics,
        owner: owner.as_ref().map_or("", |owner: &Organisation| owner.name.as_str()),
    };
    let spoken = delivery.captions.first().map(|caption| caption.language.clone());
    let language = spoken.or_else(|| language_of(&text)).unwrap_or_default();
    Ok((guess(&clues), language, !text.is_empty()))
}

/// What the button does beside saving.
async fn then(app: &App, caller: &Caller, resource: &Resource) -> Result<ShortThen, ApiError> {
    let dossier = Dossier::of(app, caller, &resource.id.to_string()).await?;
    Ok(match (dossier.may.hand_in, dossier.may.publish) {
        (true, _) => ShortThen::HandIn,
        (false, true) => ShortThen::Publish,
        (false, false) => ShortThen::Save,
    })
}
