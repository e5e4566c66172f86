//! One connection: what it speaks, and deadlines for its head, its silence and its reading.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use http::header::{CONNECTION, STRICT_TRANSPORT_SECURITY};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};
use tower::Service as _;

use super::Edge;
use super::guarded::Guarded;
use super::kind::Kind;
use super::limits;
use super::load::Place;
use super::patient::Patient;
use super::peer::Peer;
use super::quick::{self, Client};
use super::request::{self, Refused};
use super::rewound::Rewound;
use super::streams::{Answer, Stream, Streams, Waits};
use crate::deliver::Fields;

/// Answers what comes on `stream` until it ends or a deadline passes.
pub(super) async fn serve_connection(
    stream: TcpStream,
    address: SocketAddr,
    edge: Rc<Edge>,
    _place: limits::Place,
) {
    let settings = &edge.app.config.server;
    // Neither is worth a connection.
    let _ = stream.set_nodelay(true);
    let _ = set_notsent_lowat(&stream, settings.notsent_lowat_bytes);
    // The first request must have come by then, after the handshake.
    let deadline = Instant::now() + Duration::from_millis(settings.head_timeout_ms);
    let stream = Guarded::new(stream, Duration::from_millis(settings.write_timeout_ms));
    let Some(tls) = &edge.tls else {
        return answer(stream, address, &edge, deadline, false).await;
    };
    match timeout_at(deadline, tls.accept(stream)).await {
        Ok(Ok(Some(stream))) => {
            // Boxed, since it is much larger than what plain connections need.
            Box::pin(answer(stream, address, &edge, deadline, true)).await;
        }
        Ok(Ok(None)) => tracing::debug!(%address, "a CA looked at us"),
        Ok(Err(error)) => tracing::debug!(%address, %error, "no handshake"),
        Err(_) => count_silent(),
    }
}

/// Answers requests. `first` is when the first one must have come.
async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    address: SocketAddr,
    edge: &Rc<Edge>,
    first: Instant,
    secure: bool,
) {
    let client = Client { address: address.ip().to_canonical(), secure };
    match quick::serve(&mut stream, edge, client, first).await {
        Ok(Some(rest)) => {
            let stream = Rewound::new(rest.read, stream);
            // Boxed, so that a connection without it stays small.
            Box::pin(answer_all(stream, client, edge, rest.deadline, rest.admitted)).await;
        }
        // Whether the other side hears of it does not matter any more.
        Ok(None) => drop(stream.shutdown().await),
        Err(error) => tracing::debug!(%address, %error, "connection ended"),
    }
}

/// Answers whatever is asked by HTTP/1.1 or HTTP/2, whichever the client begins with. `admitted` is
/// the first request, where it was looked at.
async fn answer_all(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    client: Client,
    edge: &Rc<Edge>,
    first: Instant,
    admitted: Option<Result<Place, Refused>>,
) {
    let streams = Streams::new();
    let service = {
        let (edge, streams, admitted) = (Rc::clone(edge), Rc::clone(&streams), Cell::new(admitted));
        hyper::service::service_fn(move |request: Request<Incoming>| {
            let stream = streams.begin(request.version());
            respond(Rc::clone(&edge), request, client, admitted.take(), stream)
        })
    };
    let mut connection = pin!(edge.http.serve_connection(TokioIo::new(stream), service));
    let mut deadline = pin!(sleep_until(first));
    let (mut stopping, mut leaving) = (false, false);
    let settings = &edge.app.config.server;
    let ended = loop {
        tokio::select! {
            ended = &mut connection => break ended,
            () = edge.stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut deadline, if !streams.is_http1() => {
                let (since, limit_ms) = match streams.waits() {
                    Waits::First => return count_silent(),
                    Waits::Idle(since) => (since, settings.idle_timeout_ms),
                    Waits::Stalled(since) => (since, settings.write_timeout_ms),
                    Waits::Busy => (Instant::now(), settings.idle_timeout_ms),
                };
                let until = since + Duration::from_millis(limit_ms);
                if until > Instant::now() {
                    deadline.as_mut().reset(until);
                } else if leaving || matches!(streams.waits(), Waits::Stalled(_)) {
                    metrics::counter!("duoku_connections_stalled").increment(1);
                    return;
                } else {
                    // Answers that are with the client already may still be on their way.
                    leaving = true;
                    connection.as_mut().graceful_shutdown();
                    let grace = Duration::from_millis(settings.write_timeout_ms);
                    deadline.as_mut().reset(Instant::now() + grace);
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(address = %client.address, error, "connection ended");
    }
}

/// Answers one request.
async fn respond(
    edge: Rc<Edge>,
    request: Request<Incoming>,
    client: Client,
    admitted: Option<Result<Place, Refused>>,
    stream: Option<Stream>,
) -> Result<Response<Answer>, Infallible> {
    let (head, body) = request.into_parts();
    let (method, path, fields) = (&head.method, head.uri.path(), Fields::Map(&head.headers));
    let peer = Peer::of(client.address, fields, &edge.app.config.server.trusted_proxies);
    let admitted = admitted.unwrap_or_else(|| request::admit(method, path, peer, &edge.app));
    let is_head = method == Method::HEAD;
    let at_once =
        matches!(*method, Method::GET | Method::HEAD) && body.is_end_stream() && admitted.is_ok();
    let quick = super::Request { method, path, fields };
    let mut response = match at_once.then(|| edge.answers.front.answer(&quick)).flatten() {
        Some(reply) => reply.into_response(),
        // Boxed, so that the answers of the front cost a connection nothing that only routes need.
        None => Box::pin(route(&edge, head, body, (peer, client.secure), admitted)).await?,
    };
    if let Some(hsts) = edge.hsts.as_ref().filter(|_| client.secure) {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    // Of HTTP/2 hyper would send it, and the client call that an error (RFC 9110 section 9.3.2).
    let response = if is_head { response.map(|_| Body::empty()) } else { response };
    Ok(response.map(|body| Answer::new(body, stream)))
}

/// Has the router answer.
async fn route(
    edge: &Edge,
    head: Parts,
    body: Incoming,
    (peer, secure): (Peer, bool),
    admitted: Result<Place, Refused>,
) -> Result<Response<Body>, Infallible> {
    let http2 = head.version == Version::HTTP_2;
    let is_upload = Kind::of(&head.method, head.uri.path()) == Kind::Upload;
    let body = Patient::new(body, is_upload, edge.app.clone());
    let unread = body.unread();
    let mut request = Request::from_parts(head, Body::new(body));
    request::describe(&mut request, peer, secure, admitted.as_ref().err());
    // A router is always ready.
    let mut response = edge.answers.router.clone().call(request).await?;
    if unread.load(Ordering::Relaxed) && !http2 {
        // Then hyper closes the connection: the client must not send more on it. (A stream of
        // HTTP/2 is reset.)
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

pub(super) fn count_silent() {
    metrics::counter!("duoku_connections_silent").increment(1);
}

/// Bounds what the kernel holds unsent: a client that asks and does not read
/// costs this instead of megabytes.
fn set_notsent_lowat(stream: &TcpStream, bytes: u32) -> io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(bytes)
}
