//! An S3 server of a test's own: s3s-fs, which nobody here wrote, behind a door that can misbehave.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

const NAME: &str = "media";
const KEY: &str = "key-of-tests";
const SECRET: &str = "secret-of-tests";

/// What the server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This status.
    Status(u16),
    /// The connection ends instead of an answer.
    Reset,
    /// Nothing comes.
    Silence,
    /// Half of a body comes, and then the connection ends.
    Truncated,
    /// Another entity tag each time.
    WrongTag,
    /// 200 with an error in its body.
    ErrorBody,
    /// What was written is not there.
    Lost,
    /// It takes nothing in pieces, and says so in its own way, as rclone does.
    NoPieces,
}

type Body =
    http_body_util::combinators::UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// What the door knows.
#[derive(Debug, Default)]
struct Door {
    /// What is done wrong, to how many requests.
    fault: Option<(Fault, usize)>,
    /// Reads, by path and range.
    reads: HashMap<String, usize>,
    tags: usize,
}

/// A running server with one bucket.
pub(crate) struct Bucket {
    folder: tempfile::TempDir,
    address: String,
    door: Arc<Mutex<Door>>,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("duoku-s3-").tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(NAME)).expect("a bucket");
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("a folder"));
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = service.build();
        let door = Arc::<Mutex<Door>>::default();
        let (send, address) = mpsc::channel();
        let own = Arc::clone(&door);
        // It ends with the test's process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                send.send(listener.local_addr().expect("bound").to_string()).expect("it waits");
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(connection(stream, service.clone(), Arc::clone(&own)));
                }
            });
        });
        Self { folder, address: address.recv().expect("it starts"), door }
    }

    /// The server's address.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Settings of a program that stores there.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        [
            ("DUOKU_STORE", "s3://media/test".to_owned()),
            ("DUOKU_STORAGE_S3_TIMEOUT_MS", "2000".to_owned()),
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// The folder of the objects.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join(NAME).join("test")
    }

    /// Does this wrong from now on.
    pub(crate) fn misbehave(&self, fault: Fault) {
        self.misbehave_to(fault, usize::MAX);
    }

    /// Does this wrong to the next `count` requests.
    pub(crate) fn misbehave_to(&self, fault: Fault, count: usize) {
        self.door.lock().expect("ours").fault = Some((fault, count));
    }

    pub(crate) fn behave(&self) {
        self.door.lock().expect("ours").fault = None;
    }

    /// How often each range of what has `text` in its path was read, since the last time.
    pub(crate) fn take_reads(&self, text: &str) -> Vec<(String, usize)> {
        let reads = std::mem::take(&mut self.door.lock().expect("ours").reads);
        reads.into_iter().filter(|(read, _)| read.contains(text)).collect()
    }
}

async fn connection(stream: tokio::net::TcpStream, service: S3Service, door: Arc<Mutex<Door>>) {
    let answer = hyper::service::service_fn(move |request| {
        let (service, door) = (service.clone(), Arc::clone(&door));
        async move { Ok::<_, Infallible>(answer(request, service, door).await) }
    });
    let builder = Builder::new(TokioExecutor::new());
    // A client may go at any time; a reset is an error in a body.
    let _ = builder.serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(
    request: Request<Incoming>,
    service: S3Service,
    door: Arc<Mutex<Door>>,
) -> Response<Body> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let begins_pieces = request
        .uri()
        .query()
        .is_some_and(|query| query.split('&').any(|part| part.trim_end_matches('=') == "uploads"));
    let fault = {
        let mut door = door.lock().expect("ours");
        if method == Method::GET {
            let range = request.headers().get("range").and_then(|range| range.to_str().ok());
            *door.reads.entry(format!("{path} {}", range.unwrap_or("all"))).or_default() += 1;
        }
        match &mut door.fault {
            Some((fault, left)) if *left > 0 => {
                *left = left.saturating_sub(1);
                Some(*fault)
            }
            _ => None,
        }
    };
    let made = |status, text: &'static str| {
        Response::builder().status(status).body(full(text.into())).expect("an answer")
    };
    const ERROR: &str =
        "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>no</Message></Error>";
    match fault {
        Some(Fault::Status(status)) => {
            return made(StatusCode::from_u16(status).expect("a status"), ERROR);
        }
        Some(Fault::ErrorBody) => return made(StatusCode::OK, ERROR),
        Some(Fault::NoPieces) if begins_pieces => {
            return made(StatusCode::OK, "<InitiateMultipartUpload/>");
        }
        Some(Fault::Silence) => std::future::pending::<()>().await,
        Some(Fault::Reset) => return Response::new(broken(Bytes::new())),
        Some(Fault::Lost) if method == Method::HEAD || method == Method::GET => {
            return made(StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>");
        }
        _ => {}
    }
    let answer = service.call(request.map(s3s::Body::from)).await.expect("s3s answers");
    let (mut head, body) = answer.into_parts();
    if fault == Some(Fault::WrongTag) {
        let mut door = door.lock().expect("ours");
        door.tags += 1;
        head.headers
            .insert("etag", HeaderValue::from_str(&format!("\"{}\"", door.tags)).expect("a tag"));
    }
    if fault == Some(Fault::Truncated) && method == Method::GET {
        let all = body.collect().await.expect("a body").to_bytes();
        return Response::from_parts(head, broken(all.slice(..all.len() / 2)));
    }
    Response::from_parts(head, body.map_err(Into::into).boxed_unsync())
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// These bytes, and then the end of the connection.
fn broken(bytes: Bytes) -> Body {
    let frames = futures::stream::unfold(0, move |step| {
        let bytes = bytes.clone();
        async move {
            match step {
                0 if !bytes.is_empty() => Some((Ok(Frame::data(bytes)), 1)),
                _ => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Some((Err("the connection ends".into()), 1))
                }
            }
        }
    });
    StreamBody::new(frames).boxed_unsync()
}
