//! Single calls to the server, each tried again by the SDK while the failure may pass.

use std::fmt;
use std::io::Write;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use tokio::runtime::Handle;

use super::super::{Error, Stored};
use super::S3Settings;
use crate::catalogue::Sha256;

/// How often the SDK tries a call.
const ATTEMPTS: u32 = 4;

/// A bucket, seen from threads that may block.
#[derive(Clone)]
pub(super) struct Remote {
    pub(super) client: Client,
    pub(super) bucket: String,
    prefix: String,
    /// All calls run here, so that connections live as long as the program.
    pub(super) runtime: Handle,
}

/// What is known of an object without reading it.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) size_bytes: i64,
    pub(super) etag: Option<String>,
    pub(super) age: Duration,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl Remote {
    pub(super) fn connect(settings: &S3Settings) -> Result<Self, Error> {
        let runtime = start_runtime()?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(settings.timeout)
            .read_timeout(settings.timeout)
            .build();
        let path_style = settings.path_style;
        let client = wait(&runtime, async move {
            let shared = aws_config::defaults(BehaviorVersion::latest())
                .timeout_config(timeouts)
                .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
                .load()
                .await;
            let own = aws_sdk_s3::config::Builder::from(&shared)
                .force_path_style(path_style)
                // We send SHA-256 ourselves; what the SDK adds by itself many servers do not know.
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
                .build();
            Client::from_conf(own)
        });
        let (bucket, prefix) = (settings.bucket.clone(), settings.prefix.clone());
        let remote = Self { client, bucket, prefix, runtime };
        remote.probe()?;
        Ok(remote)
    }

    /// Whether the bucket answers, with the keys that were given.
    fn probe(&self) -> Result<(), Error> {
        let call = self.client.list_objects_v2().bucket(&self.bucket).max_keys(1).send();
        self.wait(call).map(drop).map_err(|error| failure("reaching", &self.bucket, &error))
    }

    /// The name of the object at `key` in the bucket.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Runs `call` to its end.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> T {
        wait(&self.runtime, call)
    }

    pub(super) fn head(&self, key: &str) -> Result<Facts, Error> {
        let call = self.client.head_object().bucket(&self.bucket).key(self.name(key)).send();
        let head = self.wait(call).map_err(|error| failure("looking at", key, &error))?;
        let written = head.last_modified().map_or(0, |time| time.secs());
        let written = UNIX_EPOCH + Duration::from_secs(written.max(0).cast_unsigned());
        Ok(Facts {
            size_bytes: head.content_length().unwrap_or(-1),
            etag: tag(head.e_tag()),
            age: SystemTime::now().duration_since(written).unwrap_or(Duration::ZERO),
        })
    }

    /// Writes all of the object at `key` into `to`; an object that is not whole, or whose hash is
    /// another than its key says, is [`Error::Damaged`].
    pub(super) fn read_into(&self, key: &str, to: &mut impl Write) -> Result<Stored, Error> {
        use sha2::Digest as _;
        let call = self.client.get_object().bucket(&self.bucket).key(self.name(key)).send();
        let answer = self.wait(call).map_err(|error| failure("reading", key, &error))?;
        let expected = answer.content_length().unwrap_or(-1);
        let (mut hasher, mut size_bytes, mut body) = (sha2::Sha256::new(), 0_i64, answer.body);
        loop {
            let (rest, next) = self.wait(next(body));
            body = rest;
            let Some(frame) = next.map_err(|error| broken("reading", key, error))? else { break };
            hasher.update(&frame);
            size_bytes += frame.len() as i64;
            to.write_all(&frame).map_err(|error| broken("keeping", key, error.to_string()))?;
        }
        if expected >= 0 && size_bytes != expected {
            let (key, found) = (key.to_owned(), size_bytes);
            return Err(Error::Damaged { key, expected, found });
        }
        let sha256 = Sha256(hasher.finalize().into());
        Ok(Stored { size_bytes, sha256 })
    }

    /// The first bytes of the object at `key`, at most `most_bytes`.
    pub(super) fn read_start(&self, key: &str, most_bytes: u64) -> Result<Vec<u8>, Error> {
        let call = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(self.name(key))
            .range(format!("bytes=0-{}", most_bytes.saturating_sub(1)))
            .send();
        let answer = self.wait(call).map_err(|error| failure("reading", key, &error))?;
        let body = answer.body;
        let read = self.wait(async move { body.collect().await });
        let mut bytes = read.map_err(|error| broken("reading", key, error.to_string()))?.to_vec();
        // A server that knows no ranges gives all of it.
        bytes.truncate(usize::try_from(most_bytes).unwrap_or(usize::MAX));
        Ok(bytes)
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), Error> {
        let call = self.client.delete_object().bucket(&self.bucket).key(self.name(key)).send();
        match self.wait(call).map_err(|error| failure("removing", key, &error)) {
            Err(Error::Missing(_)) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<(String, i64)>, Error> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let call = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(self.name(prefix))
                .set_continuation_token(after)
                .send();
            let page = self.wait(call).map_err(|error| failure("listing", prefix, &error))?;
            for object in page.contents() {
                if let (Some(name), Some(size)) = (object.key(), object.size())
                    && let Some(key) = name.strip_prefix(&self.prefix)
                {
                    found.push((key.to_owned(), size));
                }
            }
            after = page.next_continuation_token().map(str::to_owned);
            if after.is_none() {
                return Ok(found);
            }
        }
    }
}

/// An entity tag; some servers give empty ones.
pub(super) fn tag(tag: Option<&str>) -> Option<String> {
    tag.filter(|tag| !tag.trim_matches('"').is_empty()).map(str::to_owned)
}

/// The next frame of a body, and the body again.
async fn next(mut body: ByteStream) -> (ByteStream, Result<Option<bytes::Bytes>, String>) {
    let frame = body.next().await.transpose().map_err(|error| reasons(&error));
    (body, frame)
}

/// A runtime of its own for all calls, which lives as long as the program.
fn start_runtime() -> Result<Handle, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("s3")
        .enable_all()
        .build()
        .map_err(|error| broken("starting", "s3", error.to_string()))?;
    let handle = runtime.handle().clone();
    // The program ends with all its threads.
    std::mem::forget(runtime);
    Ok(handle)
}

/// Runs `call` on `runtime` and blocks this thread until it is done.
fn wait<T: Send + 'static>(runtime: &Handle, call: impl Future<Output = T> + Send + 'static) -> T {
    let (done, answer) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        // Whoever waits does so until the end.
        let _ = done.send(call.await);
    });
    answer.recv().expect("a call to S3 does not panic")
}

/// What a failed call says.
pub(super) fn failure<E>(doing: &'static str, key: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let missing = matches!(error.code(), Some("NoSuchKey" | "NotFound"));
    if missing {
        return Error::Missing(key.to_owned());
    }
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    let problem = match (error.code(), error.message(), status) {
        (Some(code), message, Some(status)) => {
            format!("{code} ({status}) {}", message.unwrap_or_default())
        }
        _ => reasons(error),
    };
    broken(doing, key, problem)
}

/// What an error says, and what each that it comes from says.
fn reasons(error: &(dyn std::error::Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

pub(in crate::store) fn broken(doing: &'static str, key: &str, problem: String) -> Error {
    Error::Remote { doing, key: key.to_owned(), problem }
}
