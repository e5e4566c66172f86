//! HTTP/1.1 (RFC 9112) for what the front answers, without what makes it general: a head is read
//! into memory that the connections of a thread share, the answer's head and its first bytes go to
//! the kernel together, and a connection that waits holds no buffer. With whatever else a client
//! asks for, its connection goes on by hyper.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf as _, Bytes};
use http::Method;
use http::header::{CONNECTION, STRICT_TRANSPORT_SECURITY};
use httparse::{Header, Status};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection::count_silent;
use super::kind::Kind;
use super::load::Place;
use super::peer::Peer;
use super::request::{self, Refused};
use super::{Edge, Request};
use crate::deliver::{Fields, Reply};

/// Longer heads are read by hyper, which knows the limits of those.
const HEAD_BYTES: usize = 8 * 1024;

/// Heads of more lines too.
const HEAD_LINES: usize = 64;

/// Room for the head of an answer.
const REPLY_HEAD_BYTES: usize = 640;

/// Bodies up to this are copied behind their head: that costs less than a second address for the
/// kernel.
const SHORT_BYTES: usize = 1024;

thread_local! {
    /// What is read lies here until it is answered; only what is not whole is kept elsewhere.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; 2 * HEAD_BYTES].into());
    /// The second that `Date` says, since 1970, and the field's value.
    static DATE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// Whose connection it is, and how it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub address: IpAddr,
    /// By TLS.
    pub secure: bool,
}

/// What is to be answered by hyper.
pub(super) struct Rest {
    /// What was read, from the head of a request.
    pub read: Vec<u8>,
    /// Whether that request may be answered, where that was asked.
    pub admitted: Option<Result<Place, Refused>>,
    /// When its head must be whole.
    pub deadline: Instant,
}

/// What comes next on a connection.
enum Next {
    Answer {
        reply: Reply,
        is_head: bool,
    },
    Other(Rest),
    /// Nothing: it was closed, was silent for too long, or the server stops.
    End,
}

/// What bytes that were read are.
enum Judged {
    /// A request that is answered; its head has so many bytes.
    Answer { reply: Reply, is_head: bool, length: usize },
    /// Not a whole head.
    Partial,
    /// For hyper.
    Other(Option<Result<Place, Refused>>),
}

/// What is read of a connection.
struct Reader<'a> {
    edge: &'a Edge,
    client: Client,
    unread: Vec<u8>,
    /// Whether the next request is the first.
    first: bool,
    /// When it must have come. The timer rings at it or before.
    deadline: Instant,
    timer: Pin<&'a mut Sleep>,
}

/// Answers what the front knows, until the connection ends (`None`) or is to go on by hyper.
/// `first` is when the first request must have come.
pub(super) async fn serve(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    edge: &Edge,
    client: Client,
    first: Instant,
) -> io::Result<Option<Rest>> {
    let idle = Duration::from_millis(edge.app.config.server.idle_timeout_ms);
    let (timer, mut stop) = (pin!(sleep_until(first)), pin!(edge.stop.cancelled()));
    let mut reader =
        Reader { edge, client, unread: Vec::new(), first: true, deadline: first, timer };
    loop {
        let next = poll_fn(|context| match reader.poll_next(stream, context) {
            Poll::Pending if stop.as_mut().poll(context).is_ready() => Poll::Ready(Ok(Next::End)),
            next => next,
        });
        match next.await? {
            Next::End => return Ok(None),
            Next::Other(rest) => return Ok(Some(rest)),
            Next::Answer { mut reply, is_head } => {
                let last = edge.stop.is_cancelled();
                if last {
                    reply.add(CONNECTION, "close");
                }
                write(stream, reply, is_head).await?;
                if last {
                    return Ok(None);
                }
                (reader.first, reader.deadline) = (false, Instant::now() + idle);
            }
        }
    }
}

impl Reader<'_> {
    fn poll_next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Next>> {
        if !self.unread.is_empty() {
            let unread = std::mem::take(&mut self.unread);
            if let Some(next) = self.take(&unread) {
                return Poll::Ready(Ok(next));
            }
        }
        READ.with_borrow_mut(|memory| {
            loop {
                let mut read = ReadBuf::new(memory);
                if Pin::new(&mut *stream).poll_read(context, &mut read)?.is_pending() {
                    return self.poll_deadline(context).map(|()| Ok(Next::End));
                }
                if read.filled().is_empty() {
                    return Poll::Ready(Ok(Next::End));
                }
                let next = if self.unread.is_empty() {
                    self.take(read.filled())
                } else {
                    let mut whole = std::mem::take(&mut self.unread);
                    whole.extend_from_slice(read.filled());
                    self.take(&whole)
                };
                if let Some(next) = next {
                    return Poll::Ready(Ok(next));
                }
            }
        })
    }

    /// Ready when the next request should have come.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            if self.deadline <= Instant::now() {
                if self.first {
                    count_silent();
                }
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.deadline);
        }
    }

    /// What `bytes` say, if that is known yet; the rest of them is kept.
    fn take(&mut self, bytes: &[u8]) -> Option<Next> {
        let (next, rest) = match self.judge(bytes) {
            Judged::Partial => (None, bytes),
            Judged::Answer { reply, is_head, length } => {
                (Some(Next::Answer { reply, is_head }), &bytes[length..])
            }
            Judged::Other(admitted) => {
                let rest = Rest { read: bytes.to_vec(), admitted, deadline: self.deadline };
                (Some(Next::Other(rest)), [].as_slice())
            }
        };
        self.unread = rest.to_vec();
        next
    }

    fn judge(&self, bytes: &[u8]) -> Judged {
        let settings = &self.edge.app.config.server;
        let most = settings.max_head_bytes.min(HEAD_BYTES);
        let mut lines = [const { MaybeUninit::uninit() }; HEAD_LINES];
        let mut head = httparse::Request::new(&mut []);
        let length = match head.parse_with_uninit_headers(bytes, &mut lines) {
            Ok(Status::Complete(length)) if length <= most => length,
            Ok(Status::Partial) if bytes.len() < most => return Judged::Partial,
            _ => return Judged::Other(None),
        };
        let (Some(method), Some(path)) = (method(&head), head.path) else {
            return Judged::Other(None);
        };
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        if Kind::of(method, path) != Kind::Media || head.headers.len() > settings.max_head_lines {
            return Judged::Other(None);
        }
        let fields = Fields::Lines(head.headers);
        let peer = Peer::of(self.client.address, fields, &settings.trusted_proxies);
        let admitted = request::admit(method, path, peer, &self.edge.app);
        let request = Request { method, path, fields };
        match admitted.is_ok().then(|| self.edge.answers.front.answer(&request)).flatten() {
            Some(mut reply) => {
                if let Some(hsts) = self.edge.hsts.as_ref().filter(|_| self.client.secure) {
                    reply.fields.push((STRICT_TRANSPORT_SECURITY, hsts.clone()));
                }
                Judged::Answer { reply, is_head: method == Method::HEAD, length }
            }
            None => Judged::Other(Some(admitted)),
        }
    }
}

/// GET or HEAD, when it is a request that may be answered here: of HTTP/1.1, without a body, on a
/// connection that goes on.
fn method(head: &httparse::Request<'_, '_>) -> Option<&'static Method> {
    let plain = head.version == Some(1) && head.headers.iter().all(is_plain);
    match head.method {
        Some("GET") if plain => Some(&Method::GET),
        Some("HEAD") if plain => Some(&Method::HEAD),
        _ => None,
    }
}

/// Whether a line has nothing to do with how the connection goes on.
fn is_plain(line: &Header<'_>) -> bool {
    let is = |name: &str| line.name.eq_ignore_ascii_case(name);
    match line.name.len() {
        10 if is("connection") => line.value.eq_ignore_ascii_case(b"keep-alive"),
        6 => !is("expect"),
        7 => !is("upgrade"),
        14 => !is("content-length") && !is("http2-settings"),
        17 => !is("transfer-encoding"),
        _ => true,
    }
}

/// Writes `reply`, or its head only.
async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    reply: Reply,
    is_head: bool,
) -> io::Result<()> {
    let mut head = head_of(&reply);
    let mut body = (!is_head).then_some(reply.body);
    if let Some(short) = body.as_mut().and_then(|body| body.take_short(SHORT_BYTES)) {
        head.extend_from_slice(&short);
    }
    let (mut head, mut step) = (Bytes::from(head), Bytes::new());
    poll_fn(|context| {
        loop {
            if step.is_empty() {
                match body.as_mut().map_or(Poll::Ready(None), |body| body.poll_bytes(context)) {
                    Poll::Ready(Some(bytes)) => step = bytes?,
                    Poll::Ready(None) if head.is_empty() => break,
                    Poll::Pending if head.is_empty() => return Poll::Pending,
                    // The head can go before it.
                    Poll::Ready(None) | Poll::Pending => {}
                }
            }
            let both = [IoSlice::new(&head), IoSlice::new(&step)];
            let stream = Pin::new(&mut *stream);
            let written = match (head.is_empty(), step.is_empty()) {
                (true, _) => stream.poll_write(context, &step),
                (_, true) => stream.poll_write(context, &head),
                _ => stream.poll_write_vectored(context, &both),
            };
            let written = ready!(written)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let of_head = written.min(head.len());
            step.advance(written - of_head);
            head.advance(of_head);
            if head.is_empty() {
                // A slow client is not to hold its memory.
                head = Bytes::new();
            }
        }
        Pin::new(&mut *stream).poll_flush(context)
    })
    .await
}

/// The head of `reply` as it is sent (RFC 9112 sections 4 and 5).
fn head_of(reply: &Reply) -> Vec<u8> {
    let mut head = Vec::with_capacity(REPLY_HEAD_BYTES);
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(reply.status.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(reply.status.canonical_reason().unwrap_or_default().as_bytes());
    for (name, value) in &reply.fields {
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
    }
    head.extend_from_slice(b"\r\ndate: ");
    write_date(&mut head);
    head.extend_from_slice(b"\r\n\r\n");
    head
}

/// The time (RFC 9110 section 6.6.1), worded once a second.
fn write_date(head: &mut Vec<u8>) {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    DATE.with_borrow_mut(|(worded, text)| {
        if *worded != second {
            (*worded, *text) = (second, httpdate::fmt_http_date(now));
        }
        head.extend_from_slice(text.as_bytes());
    });
}
