//! Bytes of an upload as they come, and what is done when the last one is here.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
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
const WRITE_BYTES: i64 = 1024 * 1024;

/// Bytes that came together.
#[derive(Default)]
struct Gathered {
    chunks: Vec<Bytes>,
    bytes: i64,
    /// Nothing comes behind them.
    ended: bool,
    /// The body broke off, or another request of the same upload came.
    cut: bool,
}

/// A body, and the digest that was promised for it.
struct Incoming<'a> {
    stream: BodyDataStream,
    pause: Duration,
    superseded: &'a CancellationToken,
    checksum: Option<Checksum>,
}

impl Incoming<'_> {
    /// The next megabyte or so, or what is left.
    async fn gather(&mut self) -> Gathered {
        let mut gathered = Gathered::default();
        while gathered.bytes < WRITE_BYTES {
            let next = tokio::time::timeout(self.pause, self.stream.next());
            match self.superseded.run_until_cancelled(next).await {
                Some(Ok(Some(Ok(chunk)))) => {
                    if let Some(checksum) = &mut self.checksum {
                        checksum.update(&chunk);
                    }
                    gathered.bytes += chunk.len() as i64;
                    gathered.chunks.push(chunk);
                }
                Some(Ok(None)) => return Gathered { ended: true, ..gathered },
                Some(Ok(Some(Err(_))) | Err(_)) | None => {
                    return Gathered { ended: true, cut: true, ..gathered };
                }
            }
        }
        gathered
    }
}

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
    let checksum = super::text(headers, "upload-checksum").map(Checksum::parse).transpose()?;
    let is_promised = checksum.is_some();
    let mut receiving = Receiving::open(app, upload).await?;
    let pause = Duration::from_millis(app.config.server.body_timeout_ms);
    let mut incoming = Incoming { stream: body.into_data_stream(), pause, superseded, checksum };
    let mut gathered = incoming.gather().await;
    loop {
        if receiving.offset_bytes + gathered.bytes > upload.length_bytes {
            return Err(ApiError::coded(
                StatusCode::PAYLOAD_TOO_LARGE,
                "bad_request",
                "Upload-Length",
            ));
        }
        let (chunks, ended) = (std::mem::take(&mut gathered.chunks), gathered.ended);
        let writing = write(app, upload, receiving, chunks, is_promised);
        if ended {
            receiving = writing.await?;
            break;
        }
        // The next megabyte comes while this one is written.
        let following = async { Ok(incoming.gather().await) };
        (receiving, gathered) = tokio::try_join!(writing, following)?;
    }
    let cut = gathered.cut;
    if let Some(checksum) = incoming.checksum {
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

/// Writes `chunks`. Unless a checksum is still to show whether they count, the first bytes are
/// judged, and what came is kept now and then.
async fn write(
    app: &App,
    upload: &mut Upload,
    receiving: Receiving,
    chunks: Vec<Bytes>,
    is_promised: bool,
) -> Result<Receiving, ApiError> {
    let first = receiving.offset_bytes < upload::HEAD_BYTES as i64;
    let receiving = receiving.append(chunks).await?;
    if is_promised {
        return Ok(receiving);
    }
    if first {
        judge_head(app, upload, receiving.offset_bytes).await?;
    }
    if receiving.offset_bytes - upload.offset_bytes < upload::keep_bytes(app, upload) {
        return Ok(receiving);
    }
    keep(app, upload, receiving).await?;
    Ok(Receiving::open(app, upload).await?)
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
    let details = details.or_of(&db::libraries::get(&mut tx, upload.library).await?);
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
