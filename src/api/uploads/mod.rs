//! Uploads by tus 1.0.0: creation, creation-with-upload, expiration, checksum,
//! termination, concatenation.

mod checksum;
mod metadata;
mod receive;
mod turn;

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::caller::Who;
use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::{Caller, RuleError, Stage, UploadId};
use crate::db;
use crate::db::uploads::{State as Progress, Upload};
use crate::ingest::upload;
use receive::{join, receive};
use turn::turn;

const EXTENSIONS: &str =
    "creation,creation-with-upload,expiration,checksum,termination,concatenation";

/// An upload as JSON.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UploadView {
    /// Its id.
    id: String,
    /// Bytes that are safe.
    offset: i64,
    /// Bytes in all.
    length: i64,
    /// What it became, once it is complete.
    resource: Option<String>,
    /// When it is given up unless more comes, RFC 3339.
    expires: String,
}

/// Gives every answer below `/api/uploads` what tus wants in it, refusals too, and says
/// what the server can do, where that is asked: `OPTIONS /api/uploads`.
pub(super) async fn protocol(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix("/api/uploads") else { return next.run(request).await };
    let asked = request.method() == Method::OPTIONS && rest.is_empty();
    let mut response = next.run(request).await;
    let status = response.status();
    let headers = response.headers_mut();
    set(headers, "tus-resumable", "1.0.0");
    if asked || status == StatusCode::PRECONDITION_FAILED {
        set(headers, "tus-version", "1.0.0");
    }
    if !asked {
        return response;
    }
    set(headers, "tus-extension", EXTENSIONS);
    set(headers, "tus-max-size", &app.config.upload.max_bytes.to_string());
    set(headers, "tus-checksum-algorithm", "sha1,sha256");
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Begins an upload; refuses by name, size, quota and disk before the first byte.
#[utoipa::path(post, path = "/api/uploads", tag = "uploads",
    params(("Upload-Length" = i64, Header, description = "bytes"),
           ("Upload-Metadata" = String, Header, description = "filename, library, and optionally title, description, language, author, licence, topics, audiences (codes with `;` between), or resource (id of a draft); values in base64"),
           ("Upload-Concat" = Option<String>, Header, description = "partial, or final;URL URL")),
    responses((status = 201, description = "Location names the upload"), (status = 413), (status = 415), (status = 507)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    check_version(&headers)?;
    let metadata_text = text(&headers, "upload-metadata").unwrap_or("");
    let metadata = metadata::parse(metadata_text)?;
    let concat = text(&headers, "upload-concat");
    let parts = match concat.and_then(|value| value.strip_prefix("final;")) {
        Some(urls) => Some(parts_of(&app, &caller, urls).await?),
        None => None,
    };
    let partial = concat == Some("partial");
    if concat.is_some() && !partial && parts.is_none() {
        return Err(ApiError::bad("Upload-Concat"));
    }
    let library_slug = metadata.get("library").map_or("main", String::as_str);
    let library = db::libraries::find_by_slug(&mut *app.db.read().await?, library_slug)
        .await?
        .filter(|library| caller.can_see_library(library) || caller.is_author_of(library.id))
        .ok_or_else(|| ApiError::bad(format!("library {library_slug:?}")))?;
    let account = caller.may_upload(library.id)?.id;
    let length_bytes = match &parts {
        Some(parts) => parts.iter().map(|part| part.length_bytes).sum(),
        None => text(&headers, "upload-length")
            .and_then(|value| value.parse::<i64>().ok())
            .filter(|length| *length >= 0)
            .ok_or_else(|| ApiError::bad("Upload-Length"))?,
    };
    let file_name =
        metadata.get("filename").or_else(|| metadata.get("name")).cloned().unwrap_or_default();
    if !partial {
        if file_name.trim().is_empty() || file_name.len() > 1024 {
            return Err(ApiError::bad("Upload-Metadata filename"));
        }
        metadata::details_of(&metadata, &file_name).checked()?;
        if let Some(id) = metadata.get("resource") {
            let draft = super::resources::editable(&app, &caller, id).await?;
            if draft.stage != Stage::Draft || draft.library != library.id {
                return Err(RuleError::WrongStage(draft.stage).into());
            }
        }
    }
    let judged_name = if partial { "" } else { file_name.as_str() };
    upload::judge(&app, judged_name, length_bytes)?;
    let counted = parts.iter().flatten().filter(|part| part.library == library.id);
    let counted_bytes = counted.map(|part| part.length_bytes).sum();
    upload::admit(&app, &library, length_bytes, counted_bytes).await??;
    let now_ms = app.now_ms();
    let mut upload = Upload {
        id: UploadId::fresh(),
        account,
        library: library.id,
        state: Progress::Receiving,
        concat: concat.map(str::to_owned),
        file_name,
        metadata: metadata_text.to_owned(),
        length_bytes,
        offset_bytes: 0,
        piece_bytes: 0,
        hashed: None,
        resource: None,
        created_ms: now_ms,
        expires_ms: expiry(&app),
    };
    crate::fault::at("upload-row");
    let mut tx = app.db.begin().await?;
    db::uploads::insert(&mut tx, &upload).await?;
    tx.commit().await?;
    crate::fault::at("upload-row-done");
    if let Some(parts) = parts {
        join(&app, &mut upload, parts).await?;
    } else if text(&headers, CONTENT_TYPE.as_str()) == Some("application/offset+octet-stream") {
        receive(&app, &mut upload, &headers, body, &CancellationToken::new()).await?;
    }
    let mut response = StatusCode::CREATED.into_response();
    // Without a host: the site may be open by another name than `public_url`.
    set(response.headers_mut(), LOCATION.as_str(), &format!("/api/uploads/{}", upload.id));
    describe(response.headers_mut(), &upload);
    Ok(response)
}

/// How far an upload is. Ends a request that still writes to it: its line was cut.
#[utoipa::path(head, path = "/api/uploads/{id}", tag = "uploads", params(("id" = String, Path)),
    responses((status = 200, description = "Upload-Offset tells the bytes that are safe"), (status = 404), (status = 410)))]
pub(super) async fn head(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = find(&app, &caller, &id).await?.id;
    let _turn = turn(id).await;
    let upload = find(&app, &caller, &id.to_string()).await?;
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    describe(headers, &upload);
    set(headers, "upload-length", &upload.length_bytes.to_string());
    if !upload.metadata.is_empty() {
        set(headers, "upload-metadata", &upload.metadata);
    }
    if let Some(concat) = &upload.concat {
        set(headers, "upload-concat", concat);
    }
    set(headers, CACHE_CONTROL.as_str(), "no-store");
    Ok(response)
}

/// More bytes of an upload; those acknowledged are on the disk.
#[utoipa::path(patch, path = "/api/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Upload-Offset" = i64, Header, description = "bytes"),
           ("Upload-Checksum" = Option<String>, Header, description = "sha1 or sha256, and the digest in base64")),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204), (status = 409), (status = 415), (status = 460)))]
pub(super) async fn patch(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    check_version(&headers)?;
    if text(&headers, CONTENT_TYPE.as_str()) != Some("application/offset+octet-stream") {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::coded(status, "bad_request", "Content-Type"));
    }
    let id = find(&app, &caller, &id).await?.id;
    let turn = turn(id).await;
    let mut upload = find(&app, &caller, &id.to_string()).await?;
    let offset = text(&headers, "upload-offset").and_then(|value| value.parse::<i64>().ok());
    let offset = offset.ok_or_else(|| ApiError::bad("Upload-Offset"))?;
    if offset != upload.offset_bytes
        || upload.state == Progress::Complete && offset != upload.length_bytes
    {
        return Err(ApiError::coded(StatusCode::CONFLICT, "upload_offset", offset.to_string()));
    }
    if upload.state == Progress::Receiving {
        // A task of its own, that has the turn: it ends its writes when the client is gone.
        let received = tokio::spawn(async move {
            receive(&app, &mut upload, &headers, body, &turn.superseded).await.map(|()| upload)
        });
        upload = received.await.map_err(|error| ApiError::Ingest(error.into()))??;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    describe(response.headers_mut(), &upload);
    Ok(response)
}

/// Gives an upload up.
#[utoipa::path(delete, path = "/api/uploads/{id}", tag = "uploads", params(("id" = String, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = find(&app, &caller, &id).await?.id;
    let _turn = turn(id).await;
    let upload = find(&app, &caller, &id.to_string()).await?;
    if !upload.is_open() {
        return Err(ApiError::coded(StatusCode::CONFLICT, "conflict", "complete"));
    }
    upload::end(&app, upload).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// An upload, and what it became.
#[utoipa::path(get, path = "/api/uploads/{id}", tag = "uploads", params(("id" = String, Path)), responses((status = 200, body = UploadView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Json<UploadView>, ApiError> {
    let upload = find(&app, &caller, &id).await?;
    Ok(Json(UploadView {
        id: upload.id.to_string(),
        offset: upload.offset_bytes,
        length: upload.length_bytes,
        resource: upload.resource.map(|id| id.to_string()),
        expires: super::resources::rfc3339(upload.expires_ms),
    }))
}

async fn parts_of(app: &App, caller: &Caller, urls: &str) -> Result<Vec<Upload>, ApiError> {
    let mut parts = Vec::new();
    for url in urls.split_whitespace() {
        let id = url.rsplit('/').next().unwrap_or("");
        let part = find(app, caller, id).await?;
        if !part.is_part() || part.state != Progress::Complete {
            return Err(ApiError::bad(format!("Upload-Concat {id}")));
        }
        parts.push(part);
    }
    if parts.is_empty() {
        return Err(ApiError::bad("Upload-Concat"));
    }
    Ok(parts)
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<Upload, ApiError> {
    let account = caller.account()?;
    let id: UploadId = id.parse().map_err(|_| ApiError::NotFound)?;
    let upload = db::uploads::find(&mut *app.db.read().await?, id)
        .await?
        .filter(|upload| upload.account == account.id || caller.is_administrator())
        .ok_or(ApiError::NotFound)?;
    if upload.state == Progress::Ended {
        return Err(ApiError::coded(StatusCode::GONE, "upload_expired", ""));
    }
    Ok(upload)
}

fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    match text(headers, "tus-resumable") {
        Some("1.0.0") => Ok(()),
        _ => Err(ApiError::coded(StatusCode::PRECONDITION_FAILED, "tus_version", "")),
    }
}

fn expiry(app: &App) -> i64 {
    app.now_ms() + app.config.upload.expires_hours * 3_600_000
}

fn describe(headers: &mut HeaderMap, upload: &Upload) {
    set(headers, "upload-offset", &upload.offset_bytes.to_string());
    let expires = u64::try_from(upload.expires_ms).unwrap_or_default();
    let expires = std::time::UNIX_EPOCH + Duration::from_millis(expires);
    set(headers, "upload-expires", &httpdate::fmt_http_date(expires));
    if let Some(resource) = upload.resource {
        set(headers, "duoku-resource", &resource.to_string());
    }
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), HeaderValue::from_str(value))
    {
        headers.insert(name, value);
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
