//! Writing: whole, or in pieces where an object is large; looked at again before it counts.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::io::AsyncSeekExt as _;

use super::super::{Error, Stored};
use super::remote::{Remote, broken, failure, tag};
use crate::catalogue::Sha256;

/// Larger objects are sent in pieces.
const WHOLE: u64 = 16 * 1024 * 1024;

/// Pieces of an object at most; S3 has a limit of 10,000.
const PIECES: u64 = 9_000;

/// Pieces that are sent at the same time.
const AT_ONCE: usize = 4;

/// The most bytes of one request (S3's own limit).
const MOST_WHOLE: u64 = 5 * 1024 * 1024 * 1024;

/// What became of an object that was to be sent in pieces.
enum Sent {
    /// It is there, with this tag.
    Whole(Option<String>),
    /// The server knows no such thing.
    Refused,
}

/// Whether a server takes nothing in pieces: it says so, or answers well and not as S3 does (rclone).
fn knows_no_pieces<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let well = error.raw_response().is_some_and(|answer| answer.status().is_success());
    match error {
        SdkError::ServiceError(context) => well || context.err().code() == Some("NotImplemented"),
        _ => false,
    }
}

impl Remote {
    /// Stores `file`, which is `stored`, at `key`, unless an object of its size is there already.
    pub(super) fn put_file(&self, key: &str, file: &File, stored: &Stored) -> Result<(), Error> {
        if self.is_there(key, stored.size_bytes)? {
            return Ok(());
        }
        let reading = |error: std::io::Error| broken("reading", key, error.to_string());
        let size = stored.size_bytes.cast_unsigned();
        let etag = if size <= WHOLE {
            let mut bytes = vec![0; size as usize];
            file.read_exact_at(&mut bytes, 0).map_err(reading)?;
            self.put_whole(key, bytes.into(), stored.sha256)?
        } else {
            match self.put_pieces(key, file.try_clone().map_err(reading)?, size)? {
                Sent::Whole(etag) => etag,
                Sent::Refused if size <= MOST_WHOLE => {
                    self.put_streamed(key, file.try_clone().map_err(reading)?, stored)?
                }
                Sent::Refused => {
                    let problem =
                        "the server takes no uploads in pieces, and none of more than 5 GiB";
                    return Err(broken("writing", key, problem.into()));
                }
            }
        };
        self.verify(key, stored.size_bytes, etag)
    }

    /// Stores `bytes` at `key`, unless an object of their length is there already.
    pub(super) fn put_bytes(&self, key: &str, bytes: &[u8]) -> Result<(), Error> {
        let size_bytes = bytes.len() as i64;
        if self.is_there(key, size_bytes)? {
            return Ok(());
        }
        let etag = self.put_whole(key, Bytes::copy_from_slice(bytes), Sha256::of(bytes))?;
        self.verify(key, size_bytes, etag)
    }

    fn is_there(&self, key: &str, size_bytes: i64) -> Result<bool, Error> {
        match self.head(key) {
            Ok(facts) => Ok(facts.size_bytes == size_bytes),
            Err(Error::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn put_whole(&self, key: &str, bytes: Bytes, sha256: Sha256) -> Result<Option<String>, Error> {
        let call = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.name(key))
            .content_length(bytes.len() as i64)
            .checksum_sha256(STANDARD.encode(sha256.0))
            .body(ByteStream::from(bytes))
            .send();
        let done = self.wait(call).map_err(|error| failure("writing", key, &error))?;
        Ok(tag(done.e_tag()))
    }

    /// Sends all of `file`, which is `stored`, in one request.
    fn put_streamed(
        &self,
        key: &str,
        file: File,
        stored: &Stored,
    ) -> Result<Option<String>, Error> {
        let (size_bytes, sha256) = (stored.size_bytes, STANDARD.encode(stored.sha256.0));
        let (own, name) = (self.clone(), key.to_owned());
        self.wait(async move {
            let mut file = tokio::fs::File::from_std(file);
            file.rewind().await.map_err(|error| broken("reading", &name, error.to_string()))?;
            let body = ByteStream::read_from().file(file).build().await;
            let body = body.map_err(|error| broken("reading", &name, error.to_string()))?;
            let call = own
                .client
                .put_object()
                .bucket(&own.bucket)
                .key(own.name(&name))
                .content_length(size_bytes)
                .checksum_sha256(sha256)
                .body(body);
            let done = call.send().await.map_err(|error| failure("writing", &name, &error))?;
            Ok(tag(done.e_tag()))
        })
    }

    fn put_pieces(&self, key: &str, file: File, size: u64) -> Result<Sent, Error> {
        let begin = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(self.name(key))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .send();
        let begun = match self.wait(begin) {
            Err(error) if knows_no_pieces(&error) => return Ok(Sent::Refused),
            begun => begun.map_err(|error| failure("writing", key, &error))?,
        };
        let id = begun.upload_id().unwrap_or_default().to_owned();
        let (own, name) = (self.clone(), key.to_owned());
        let upload = id.clone();
        let done = self.wait(async move { own.send_pieces(&name, &upload, file, size).await });
        if done.is_err() {
            let call = self
                .client
                .abort_multipart_upload()
                .bucket(&self.bucket)
                .key(self.name(key))
                .upload_id(id)
                .send();
            // What is left is removed by the sweep.
            let _ = self.wait(call);
        }
        done.map(Sent::Whole)
    }

    async fn send_pieces(
        &self,
        key: &str,
        upload: &str,
        file: File,
        size: u64,
    ) -> Result<Option<String>, Error> {
        let (file, step) = (Arc::new(file), WHOLE.max(size.div_ceil(PIECES)));
        let pieces = (0..size.div_ceil(step)).map(|number| {
            let (file, range) = (Arc::clone(&file), number * step..size.min((number + 1) * step));
            self.send_piece(key, upload, number as i32 + 1, file, range)
        });
        let sent: Vec<CompletedPart> =
            futures::stream::iter(pieces).buffered(AT_ONCE).try_collect().await?;
        let pieces = CompletedMultipartUpload::builder().set_parts(Some(sent)).build();
        let done = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(self.name(key))
            .upload_id(upload)
            .multipart_upload(pieces)
            .send()
            .await
            .map_err(|error| failure("completing", key, &error))?;
        Ok(tag(done.e_tag()))
    }

    async fn send_piece(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        file: Arc<File>,
        range: std::ops::Range<u64>,
    ) -> Result<CompletedPart, Error> {
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; (range.end - range.start) as usize];
            file.read_exact_at(&mut bytes, range.start)?;
            let sha256 = Sha256::of(&bytes);
            Ok::<_, std::io::Error>((Bytes::from(bytes), sha256))
        });
        let read = read.await.map_err(std::io::Error::other).flatten();
        let (bytes, sha256) = read.map_err(|error| broken("reading", key, error.to_string()))?;
        let checksum = STANDARD.encode(sha256.0);
        let sent = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(self.name(key))
            .upload_id(upload)
            .part_number(number)
            .content_length(bytes.len() as i64)
            .checksum_sha256(&checksum)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|error| failure("writing", key, &error))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(tag(sent.e_tag()))
            .set_checksum_sha256(sent.checksum_sha256().map(str::to_owned))
            .build())
    }

    /// Whether what was written is there: its size, and the tag that the server gave it.
    fn verify(&self, key: &str, size_bytes: i64, etag: Option<String>) -> Result<(), Error> {
        let facts = match self.head(key) {
            // It was acknowledged; a server that does not know it yet may later.
            Err(Error::Missing(_)) => {
                return Err(broken(
                    "verifying",
                    key,
                    "it is not there after it was written".into(),
                ));
            }
            facts => facts?,
        };
        if facts.size_bytes != size_bytes {
            let (key, found) = (key.to_owned(), facts.size_bytes);
            return Err(Error::Damaged { key, expected: size_bytes, found });
        }
        match (etag, facts.etag) {
            (Some(written), Some(found)) if written != found => {
                let problem = format!("its tag is {found} instead of {written}");
                Err(broken("verifying", key, problem))
            }
            _ => Ok(()),
        }
    }

    /// Ends uploads in pieces that were begun more than `age` ago; gives their number.
    pub(super) fn abort_uploads(&self, age: Duration) -> Result<usize, Error> {
        let call =
            self.client.list_multipart_uploads().bucket(&self.bucket).prefix(self.name("")).send();
        let found = match self.wait(call) {
            // Some servers remove what was not completed themselves.
            Err(error) if error.code() == Some("NotImplemented") => return Ok(0),
            found => found.map_err(|error| failure("listing", "uploads", &error))?,
        };
        let mut ended = 0;
        for upload in found.uploads() {
            let begun = upload.initiated().and_then(|time| SystemTime::try_from(*time).ok());
            let old = begun.is_some_and(|begun| begun.elapsed().is_ok_and(|passed| passed >= age));
            if let (true, Some(name), Some(id)) = (old, upload.key(), upload.upload_id()) {
                let call = self
                    .client
                    .abort_multipart_upload()
                    .bucket(&self.bucket)
                    .key(name)
                    .upload_id(id)
                    .send();
                ended += usize::from(self.wait(call).is_ok());
            }
        }
        Ok(ended)
    }
}
