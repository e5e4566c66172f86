//! What the requests of an HTTP/2 connection are waiting for. Its own silence says nothing: it
//! answers pings while a client takes nothing of its answers, or asks for nothing more.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::Version;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// Bytes of an answer that are handed on at a time: taking them all within the deadline for
/// stalled readers asks for 2 kB a second, and no more of an answer is held for a client.
const PIECE: usize = 256 * 1024;

/// The requests of one connection.
#[derive(Debug)]
pub(super) struct Streams {
    asked: Cell<bool>,
    /// Whether they are streams of HTTP/2; until the first one came, it is not known.
    http2: Cell<bool>,
    open: Cell<usize>,
    /// Of those, how many wait for the client to take what it was given.
    given: Cell<usize>,
    /// When something last went on.
    moved: Cell<Instant>,
}

/// What a connection waits for, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// For the first request.
    First,
    /// For another request.
    Idle(Instant),
    /// For the client to take what it asked for.
    Stalled(Instant),
    /// For us.
    Busy,
}

impl Streams {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            asked: Cell::new(false),
            http2: Cell::new(false),
            open: Cell::new(0),
            given: Cell::new(0),
            moved: Cell::new(Instant::now()),
        })
    }

    /// Notes a request. One of HTTP/2 lasts until what is given back is dropped; those of HTTP/1.1
    /// come one by one, and hyper and `Guarded` have the deadlines.
    pub(super) fn begin(self: &Rc<Self>, version: Version) -> Option<Stream> {
        self.asked.set(true);
        if version != Version::HTTP_2 {
            return None;
        }
        self.http2.set(true);
        self.open.set(self.open.get() + 1);
        self.moved.set(Instant::now());
        Some(Stream { streams: Rc::clone(self), given: false })
    }

    /// Whether there was a request, not of HTTP/2: then the deadlines of HTTP/1.1 hold.
    pub(super) fn is_http1(&self) -> bool {
        self.asked.get() && !self.http2.get()
    }

    pub(super) fn waits(&self) -> Waits {
        match (self.asked.get(), self.open.get(), self.given.get()) {
            (false, ..) => Waits::First,
            (_, 0, _) => Waits::Idle(self.moved.get()),
            (_, _, 0) => Waits::Busy,
            _ => Waits::Stalled(self.moved.get()),
        }
    }
}

/// A request of a connection.
#[derive(Debug)]
pub(super) struct Stream {
    streams: Rc<Streams>,
    /// Whether the client has the turn.
    given: bool,
}

impl Stream {
    fn turn(&mut self, given: bool) {
        let count = self.streams.given.get() - usize::from(self.given) + usize::from(given);
        self.streams.given.set(count);
        self.streams.moved.set(Instant::now());
        self.given = given;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.turn(false);
        self.streams.open.set(self.streams.open.get() - 1);
    }
}

/// The body of an answer: of HTTP/1.1 as it is, of HTTP/2 in pieces, each noted.
pub(super) struct Answer {
    body: Body,
    stream: Option<Stream>,
    rest: Bytes,
}

impl Answer {
    /// `stream` is the request's, when it is of HTTP/2.
    pub(super) fn new(body: Body, stream: Option<Stream>) -> Self {
        Self { body, stream, rest: Bytes::new() }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else {
            return Pin::new(&mut this.body).poll_frame(context);
        };
        stream.turn(false);
        if this.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        stream.turn(true);
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole.set_lower(hint.lower() + rest);
        whole
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_given_in_pieces_that_are_noted() {
        let streams = Streams::new();
        assert_eq!(streams.waits(), Waits::First);
        let stream = streams.begin(Version::HTTP_2);
        assert_eq!(streams.waits(), Waits::Busy);
        let bytes = Bytes::from(vec![7; PIECE * 2 + 5]);
        let mut answer = Answer::new(Body::from(bytes.clone()), stream);
        let mut got = Vec::new();
        for length in [PIECE, PIECE, 5] {
            assert_eq!(answer.size_hint().exact(), Some((bytes.len() - got.len()) as u64));
            let piece = answer.frame().await.expect("more").expect("no error");
            let piece = piece.into_data().expect("no trailers");
            assert_eq!(piece.len(), length);
            got.extend_from_slice(&piece);
            assert!(matches!(streams.waits(), Waits::Stalled(_)));
        }
        assert!(answer.is_end_stream() && got == bytes);
        drop(answer);
        assert!(matches!(streams.waits(), Waits::Idle(_)));
    }

    #[tokio::test]
    async fn what_has_nothing_to_give_waits_for_us() {
        let streams = Streams::new();
        let silent = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        let mut answer = Answer::new(Body::from_stream(silent), streams.begin(Version::HTTP_2));
        assert!(futures::poll!(answer.frame()).is_pending());
        assert_eq!(streams.waits(), Waits::Busy);
    }
}
