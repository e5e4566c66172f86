//! One connection: deadlines for its head, its body, its silence and its reading.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use futures::future::{Either, ready};
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tower::Service as _;

use super::Answers;
use super::limits::{Peer, Place};
use super::patient::Patient;
use crate::config;

/// Answers what comes on `stream` until it ends or a deadline passes.
pub(super) fn serve_connection(
    stream: TcpStream,
    address: SocketAddr,
    answers: &Answers,
    settings: &config::Server,
    place: Place,
    graceful: &GracefulShutdown,
) {
    // Neither is worth a connection.
    let _ = stream.set_nodelay(true);
    let _ = set_notsent_lowat(&stream, settings.notsent_lowat_bytes);
    let io = TokioIo::new(Guarded {
        stream,
        patience: Duration::from_millis(settings.write_timeout_ms),
        stalled: None,
    });
    let asked = Arc::new(AtomicBool::new(false));
    let service = {
        let (answers, asked) = (answers.clone(), Arc::clone(&asked));
        let trusted = settings.trusted_proxies.clone();
        let silence = Duration::from_millis(settings.body_timeout_ms);
        hyper::service::service_fn(move |request: Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            let (head, body) = request.into_parts();
            if matches!(head.method, Method::GET | Method::HEAD)
                && body.is_end_stream()
                && let Some(response) = answers.front.answer(&head)
            {
                return Either::Left(ready(Ok::<Response<Body>, Infallible>(response)));
            }
            // An upload takes as long as it takes.
            let whole = !head.uri.path().starts_with("/api/uploads");
            let body = Patient::new(body, silence, whole);
            let unread = body.unread();
            let mut request = Request::from_parts(head, Body::new(body));
            let peer = Peer::of(address.ip().to_canonical(), request.headers(), &trusted);
            request.extensions_mut().insert(peer);
            // A router is always ready.
            let answering = answers.router.clone().call(request);
            Either::Right(async move {
                let mut response = answering.await?;
                if unread.load(Ordering::Relaxed) {
                    // Then hyper closes the connection: the client must not send more on it.
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            })
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A silent client, half a head, and idling between requests are one thing to hyper.
        .header_read_timeout(Duration::from_millis(settings.idle_timeout_ms))
        .max_buf_size(settings.max_head_bytes)
        .max_headers(settings.max_head_lines)
        .serve_connection(io, service);
    let connection = graceful.watch(connection);
    let head = Duration::from_millis(settings.head_timeout_ms);
    tokio::task::spawn_local(async move {
        let _place = place;
        tokio::pin!(connection);
        let deadline = tokio::time::sleep(head);
        tokio::pin!(deadline);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            // The first request must have come by now.
            () = &mut deadline => {
                if !asked.load(Ordering::Relaxed) {
                    metrics::counter!("duoku_connections_silent").increment(1);
                    return;
                }
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%address, %error, "connection ended");
        }
    });
}

/// Bounds what the kernel holds unsent: a client that asks and does not read
/// costs this instead of megabytes.
fn set_notsent_lowat(stream: &TcpStream, bytes: u32) -> io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(bytes)
}

/// A stream that ends when the other side takes nothing for too long.
struct Guarded {
    stream: TcpStream,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + patience)));
        if stalled.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
