//! One connection: what it speaks, and deadlines for its head, its silence and its reading.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
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
use tokio::io::{AsyncRead, AsyncWrite};
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
use super::request::{self, Refused};
use super::streams::{Answer, Stream, Streams, Waits};

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

/// Answers requests of HTTP/1.1 or HTTP/2, whichever the client begins with. `first` is when the
/// first one must have come.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    address: SocketAddr,
    edge: &Rc<Edge>,
    first: Instant,
    secure: bool,
) {
    let streams = Streams::new();
    let service = {
        let (edge, streams, address) =
            (Rc::clone(edge), Rc::clone(&streams), address.ip().to_canonical());
        hyper::service::service_fn(move |request: Request<Incoming>| {
            let stream = streams.begin(request.version());
            respond(Rc::clone(&edge), request, address, secure, stream)
        })
    };
    let mut connection = pin!(edge.http.serve_connection(TokioIo::new(stream), service));
    let mut deadline = pin!(sleep_until(first));
    let (mut stopping, mut leaving) = (false, false);
    let settings = &edge.app.config.server;
    let ended = loop {
        tokio::select! {
            ended = &mut connection => break ended,
            () = edge.app.stop.cancelled(), if !stopping => {
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
        tracing::debug!(%address, error, "connection ended");
    }
}

/// Answers one request.
async fn respond(
    edge: Rc<Edge>,
    request: Request<Incoming>,
    address: IpAddr,
    secure: bool,
    stream: Option<Stream>,
) -> Result<Response<Answer>, Infallible> {
    let (head, body) = request.into_parts();
    let peer = Peer::of(address, &head.headers, &edge.app.config.server.trusted_proxies);
    let admitted = request::admit(&head, peer, &edge.app);
    let is_head = head.method == Method::HEAD;
    let at_once = matches!(head.method, Method::GET | Method::HEAD)
        && body.is_end_stream()
        && admitted.is_ok();
    let mut response = match at_once.then(|| edge.answers.front.answer(&head)).flatten() {
        Some(response) => response,
        // Boxed, so that the answers of the front cost a connection nothing that only routes need.
        None => Box::pin(route(&edge, head, body, (peer, secure), admitted)).await?,
    };
    if let Some(hsts) = edge.hsts.as_ref().filter(|_| secure) {
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

fn count_silent() {
    metrics::counter!("duoku_connections_silent").increment(1);
}

/// Bounds what the kernel holds unsent: a client that asks and does not read
/// costs this instead of megabytes.
fn set_notsent_lowat(stream: &TcpStream, bytes: u32) -> io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(bytes)
}
