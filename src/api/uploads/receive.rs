//! Bytes of an upload as they come, and what is done when the last one is here.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode};
use tokio_util::sync::CancellationToken;

use super::super::problem::ApiError;
use super::checksum::Checksum;
use super::metadata;
use crate::app::App;
use crate::catalogue::FileType;
use crate::db;
use crate::db::uploads::{State as Progress, Upload};
use crate::ingest::upload::{self, Piece, Receiving};

/// Bytes that are collected before they are written.
const WRITE_BYTES: usize = 1024 * 1024;

/// Writes what `body` brings. What has come when the line is cut, or another request
/// of the same upload comes, is kept, unless a checksum was promised for it.
///
/// Not to be dropped half-way: a write would go on behind the next request's back.
pub(super) async fn receive(
    app: &App,
    upload: &mut Upload,
    headers: &HeaderMap,
    body: Body,
    superseded: &CancellationToken,
) -> Result<(), ApiError> {
    let mut checksum = super::text(headers, "upload-checksum").map(Checksum::parse).transpose()?;
    let mut receiving = Receiving::open(app, upload).await?;
    let mut stream = body.into_data_stream();
    let pause = Duration::from_millis(app.config.server.body_timeout_ms);
    let (mut chunks, mut gathered): (Vec<Bytes>, usize) = (Vec::new(), 0);
    let mut cut = false;
    let keep_bytes = upload::keep_bytes(app, upload);
    loop {
        let next = superseded.run_until_cancelled(tokio::time::timeout(pause, stream.next()));
        let chunk = match next.await {
            Some(Ok(Some(Ok(chunk)))) => Some(chunk),
            Some(Ok(None)) => None,
            Some(Ok(Some(Err(_))) | Err(_)) | None => {
                cut = true;
                None
            }
        };
        let ended = chunk.is_none();
        if let Some(chunk) = chunk {
            if let Some(checksum) = &mut checksum {
                checksum.update(&chunk);
            }
            gathered += chunk.len();
            chunks.push(chunk);
        }
        let beyond = receiving.offset_bytes + gathered as i64 > upload.length_bytes;
        if beyond {
            return Err(ApiError::coded(
                StatusCode::PAYLOAD_TOO_LARGE,
                "bad_request",
                "Upload-Length",
            ));
        }
        if gathered >= WRITE_BYTES || ended {
            let first = receiving.offset_bytes < upload::HEAD_BYTES as i64;
            receiving = receiving.append(std::mem::take(&mut chunks)).await?;
            gathered = 0;
            if first && checksum.is_none() {
                judge_head(app, upload, receiving.offset_bytes).await?;
            }
        }
        if ended {
            break;
        }
        if checksum.is_none() && receiving.offset_bytes - upload.offset_bytes >= keep_bytes {
            keep(app, upload, receiving).await?;
            receiving = Receiving::open(app, upload).await?;
        }
    }
    if let Some(checksum) = checksum {
        if cut || !checksum.holds() {
            let status = StatusCode::from_u16(460).expect("tus's own status");
            return Err(ApiError::coded(status, "upload_checksum", ""));
        }
        judge_head(app, upload, receiving.offset_bytes).await?;
    }
    if receiving.offset_bytes == upload.length_bytes {
        let piece = receiving.sync(app, upload).await?;
        return complete(app, upload, piece).await;
    }
    keep(app, upload, receiving).await?;
    if cut {
        // Uploaders ask for the offset and go on after 409, not after another 4xx.
        return Err(ApiError::coded(StatusCode::CONFLICT, "upload_offset", ""));
    }
    Ok(())
}

/// Makes durable what came so far and writes the offset down.
async fn keep(app: &App, upload: &mut Upload, receiving: Receiving) -> Result<(), ApiError> {
    let piece = receiving.sync(app, upload).await?;
    upload.expires_ms = super::expiry(app);
    let mut tx = app.db.begin().await?;
    upload::save(&mut tx, upload, piece.as_ref(), app.now_ms()).await?;
    tx.commit().await?;
    crate::fault::at("offset-committed");
    Ok(())
}

/// Ends the upload when its first bytes are not what is taken here.
async fn judge_head(app: &App, upload: &Upload, have_bytes: i64) -> Result<(), ApiError> {
    let enough = have_bytes >= (upload::HEAD_BYTES as i64).min(upload.length_bytes);
    if upload.is_part() || !enough {
        return Ok(());
    }
    let head = upload::head(app, upload, None).await?;
    if let Err(refusal) = FileType::by_content(&upload.file_name, &head) {
        upload::end(app, upload.clone()).await?;
        return Err(refusal.into());
    }
    Ok(())
}

/// What is to be done when all bytes are durable, the last of them perhaps as `piece`.
async fn complete(app: &App, upload: &mut Upload, piece: Option<Piece>) -> Result<(), ApiError> {
    if upload.is_part() {
        upload.state = Progress::Complete;
        upload.offset_bytes = upload.length_bytes;
        upload.expires_ms = super::expiry(app);
        let mut tx = app.db.begin().await?;
        db::uploads::save(&mut tx, upload).await?;
        tx.commit().await?;
        return Ok(());
    }
    let head = upload::head(app, upload, piece.as_ref()).await?;
    let file_type = match FileType::by_content(&upload.file_name, &head) {
        Ok(file_type) => file_type,
        Err(refusal) => {
            upload::end(app, upload.clone()).await?;
            return Err(refusal.into());
        }
    };
    let metadata = metadata::parse(&upload.metadata)?;
    let details = metadata::details_of(&metadata, &upload.file_name).checked()?;
    let draft = metadata.get("resource").and_then(|id| id.parse().ok());
    let mut tx = app.db.begin().await?;
    let resource = upload::complete(
        &mut tx,
        (upload, piece.as_ref()),
        file_type,
        details,
        draft,
        app.now_ms(),
    )
    .await?;
    crate::fault::at("upload-complete");
    tx.commit().await?;
    crate::fault::at("upload-complete-done");
    app.announce(resource.id);
    app.job_pushed.notify_waiters();
    Ok(())
}

/// Makes one upload of several that are complete.
pub(super) async fn join(
    app: &App,
    upload: &mut Upload,
    parts: Vec<Upload>,
) -> Result<(), ApiError> {
    let ids = parts.iter().map(|part| part.id).collect();
    let piece = upload::concatenate(app, upload, ids).await?;
    complete(app, upload, piece).await?;
    for part in parts {
        upload::end(app, part).await?;
    }
    Ok(())
}
