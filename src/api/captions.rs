//! Captions of a resource: read, saved, removed, and asked for.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Who;
use super::problem::ApiError;
use super::reader::Reader;
use super::resources::{changeable, visible};
use super::sentences::sentence;
use crate::app::App;
use crate::catalogue::{Caller, Caption, Resource, RuleError};
use crate::db;
use crate::ingest::captions::{self, NotSaved, Over, tag_of};
use crate::ingest::listen;
use crate::pages::Lang;

/// Captions in one language.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaptionView {
    /// In `links.captions`, too.
    name: String,
    language: String,
    label: String,
    /// uploaded (by an author, or edited), embedded (in the source), automatic (recognised speech)
    origin: &'static str,
    /// Only what everybody needs: foreign dialogue, signs.
    forced: bool,
    /// For people who are hard of hearing.
    hearing_impaired: bool,
}

impl From<&Caption> for CaptionView {
    fn from(caption: &Caption) -> Self {
        Self {
            name: caption.name.clone(),
            language: caption.language.clone(),
            label: caption.label.clone(),
            origin: caption.origin.as_str(),
            forced: caption.forced,
            hearing_impaired: caption.hearing_impaired,
        }
    }
}

impl From<NotSaved> for ApiError {
    fn from(error: NotSaved) -> Self {
        match error {
            NotSaved::Changed => {
                Self::coded(StatusCode::PRECONDITION_FAILED, "captions_changed", "")
            }
            NotSaved::Failed(error) => error.into(),
        }
    }
}

/// Recognising what is said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecognitionView {
    /// waiting, running, done or failed
    pub state: &'static str,
    /// 0 to 1.
    pub progress: f64,
    /// As a sentence.
    pub says: String,
}

/// What is to be recognised.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Recognise {
    /// BCP 47, or `auto`; left out: as the resource or its file says, else as the settings say.
    language: Option<String>,
}

/// Has the speech recognised, for captions marked as automatic. Captions of authors stay.
#[utoipa::path(post, path = "/api/resources/{id}/captions/recognise", tag = "resources", params(("id" = String, Path)),
    request_body = Option<Recognise>,
    responses((status = 202, body = RecognitionView), (status = 409), (status = 422)))]
pub(super) async fn recognise(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    body: Option<Json<Recognise>>,
) -> Result<(StatusCode, Json<RecognitionView>), ApiError> {
    let resource = changeable(&app, &caller, &id).await?;
    let Json(Recognise { language }) = body.unwrap_or_default();
    begin_recognition(&app, &resource, language.as_deref()).await?;
    let view = recognition(&app, reader.lang, &resource).await?.ok_or(ApiError::NotFound)?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Has the speech of `resource` recognised.
pub(super) async fn begin_recognition(
    app: &App,
    resource: &Resource,
    language: Option<&str>,
) -> Result<(), ApiError> {
    if let Some(wrong) = language.filter(|tag| !is_name(tag)) {
        return Err(RuleError::BadField { field: "language", value: wrong.into() }.into());
    }
    let begun = listen::begin(app, resource.id, language).await?;
    begun.map_err(|unable| ApiError::coded(StatusCode::CONFLICT, unable.code(), ""))
}

/// How far the recognition of a resource's speech is; nothing if it never began.
pub(super) async fn recognition(
    app: &App,
    lang: Lang,
    resource: &Resource,
) -> Result<Option<RecognitionView>, ApiError> {
    let mut db = app.db.read().await?;
    let jobs = db::jobs::list(&mut db, resource.id).await?;
    let Some(last) = jobs.into_iter().rfind(|job| job.kind == db::jobs::LISTEN) else {
        return Ok(None);
    };
    let reached_ms = db::heard::reached_ms(&mut db, resource.id).await?;
    let duration_ms = resource.duration_ms.unwrap_or(0).max(1);
    let share = (reached_ms as f64 / duration_ms as f64).clamp(0.0, 0.99);
    let (state, progress, says) = match &*last.state {
        "done" => ("done", 1.0, sentence(lang, "listened", "")),
        "failed" => {
            // An error's text begins with its code.
            let error = last.error.unwrap_or_default();
            let (code, info) = error.split_once(": ").unwrap_or((&error, ""));
            ("failed", share, sentence(lang, code, info))
        }
        state => {
            let percent = (share * 100.0).round();
            let code = if state == "running" { "listen" } else { "listen_waiting" };
            let says = format!("{} {percent}%", sentence(lang, code, ""));
            (if state == "running" { "running" } else { "waiting" }, share, says)
        }
    };
    Ok(Some(RecognitionView { state, progress, says }))
}

/// Captions as WebVTT. The entity tag is for `If-Match` of the `PUT` that follows.
#[utoipa::path(get, path = "/api/resources/{id}/captions/{language}", tag = "resources",
    params(("id" = String, Path), ("language" = String, Path)),
    responses((status = 200, content_type = "text/vtt"), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (resource, _) = visible(&app, &caller, &id).await?;
    let all = db::media::list_captions(&mut *app.db.read().await?, resource.id).await?;
    let caption = all.into_iter().find(|caption| caption.name == name);
    let caption = caption.ok_or(ApiError::NotFound)?;
    let bytes = app.store.open(&caption.key, 0).await?.read().await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/vtt; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        etag(&caption),
    ];
    Ok((headers, bytes).into_response())
}

/// Puts captions in the place of those of the same name, which is their language.
///
/// The body is the file (WebVTT, SRT, ASS); its name by `?filename=`. With `If-Match` they are
/// saved only over those with that entity tag, with `If-None-Match: *` only where there are none.
#[utoipa::path(put, path = "/api/resources/{id}/captions/{language}", tag = "resources",
    params(("id" = String, Path), ("language" = String, Path), ("filename" = Option<String>, Query),
        ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), (status = 412), (status = 413), (status = 422)))]
pub(super) async fn put(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, name)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Result<Response, ApiError> {
    let resource = changeable(&app, &caller, &id).await?;
    let bytes = axum::body::to_bytes(body, app.config.upload.max_caption_bytes)
        .await
        .map_err(|_| ApiError::coded(StatusCode::PAYLOAD_TOO_LARGE, "captions_too_large", ""))?;
    let file = query.get("filename").map_or("captions.vtt", String::as_str);
    let over = over(&headers);
    let caption = add(&app, &caller, &resource, &name, (file, bytes.to_vec()), &over).await?;
    Ok((StatusCode::NO_CONTENT, [etag(&caption)]).into_response())
}

/// Removes captions.
#[utoipa::path(delete, path = "/api/resources/{id}/captions/{language}", tag = "resources", params(("id" = String, Path), ("language" = String, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let resource = changeable(&app, &caller, &id).await?;
    if captions::remove(&app, &resource, &name, caller.account()?.id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// Reads captions of any known form, a file of some name, and adds them as `name`.
pub(super) async fn add(
    app: &App,
    caller: &Caller,
    resource: &Resource,
    name: &str,
    (file, bytes): (&str, Vec<u8>),
    over: &Over,
) -> Result<Caption, ApiError> {
    if !is_name(name) {
        return Err(RuleError::BadField { field: "language", value: name.into() }.into());
    }
    let read = captions::read(app, file, bytes).await?;
    Ok(captions::add(app, resource, name, &read, caller.account()?.id, over).await?)
}

/// Whether captions can be called `name`: a language (BCP 47), with a number where there are several.
pub(super) fn is_name(name: &str) -> bool {
    (1..=35).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn etag(caption: &Caption) -> (HeaderName, HeaderValue) {
    let tag = format!("\"{}\"", tag_of(caption));
    (ETAG, HeaderValue::try_from(tag).expect("hexadecimal digits"))
}

/// What the conditions of a request (RFC 9110 section 13.1) allow to save over.
fn over(headers: &HeaderMap) -> Over {
    let texts = |name| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let tags: Vec<&str> = texts(IF_MATCH).flat_map(|list| list.split(',')).map(str::trim).collect();
    if texts(IF_NONE_MATCH).any(|value| value.trim() == "*") {
        Over::Nothing
    } else if tags.is_empty() || tags.contains(&"*") {
        Over::Any
    } else {
        // RFC 9110 section 13.1.1 wants strong tags. What compresses on the way makes ours weak;
        // it is the hash of what was compressed all the same.
        let bare = |tag: &str| {
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            Some(tag.strip_prefix('"')?.strip_suffix('"')?.to_owned())
        };
        Over::These(tags.into_iter().filter_map(bare).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_say_what_may_be_replaced() {
        let headers = |pairs: &[(HeaderName, &'static str)]| {
            let pairs = pairs.iter().cloned();
            pairs.map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
        };
        assert_eq!(over(&HeaderMap::new()), Over::Any);
        assert_eq!(over(&headers(&[(IF_NONE_MATCH, "*")])), Over::Nothing);
        let these = |tags: &[&str]| Over::These(tags.iter().map(|&tag| tag.to_owned()).collect());
        assert_eq!(over(&headers(&[(IF_MATCH, "\"a\", \"b\"")])), these(&["a", "b"]));
        assert_eq!(over(&headers(&[(IF_MATCH, "W/\"a\"")])), these(&["a"]));
        assert_eq!(over(&headers(&[(IF_MATCH, "a")])), these(&[]));
    }

    #[test]
    fn names_are_languages() {
        assert!(is_name("zh") && is_name("zh-Hans") && is_name("zh-2"));
        assert!(!is_name("") && !is_name("z h") && !is_name("../x") && !is_name("中文"));
    }
}
