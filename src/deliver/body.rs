//! A body that is sent from mapped pages, without a copy, and without making
//! the thread that serves many wait for a disk or a bucket; or that is made while it is sent.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::Error;
use super::traffic::Sent;
use crate::store::{RemoteObject, is_resident, make_resident};

/// Bytes handed on at a time; what is not in memory is read by a blocking thread in such pieces.
const STEP: usize = 1024 * 1024;

/// Some bytes of a body.
#[derive(Debug)]
pub enum Piece {
    /// In memory.
    Memory(Bytes),
    /// A slice of a mapped object.
    Mapped(Bytes),
    /// A range of an object in a bucket.
    Remote(RemoteObject, Range<u64>),
    /// Made, or read, when it is taken.
    Made(Making),
}

/// Bytes that are made when they are taken; how many is known before.
pub struct Making {
    left: u64,
    stream: BoxStream<'static, io::Result<Bytes>>,
}

impl fmt::Debug for Making {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Making").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Making {
    /// Of `length` bytes, which `stream` gives.
    pub fn new(
        length: u64,
        stream: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    ) -> Self {
        Self { left: length, stream: stream.map(|made| made.map_err(io::Error::other)).boxed() }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let made = ready!(self.stream.poll_next_unpin(context));
        // The length was promised: the connection is cut rather than to end as if all was there.
        let made = made.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        Poll::Ready(Ok(made.slice(..made.len().min(most))))
    }
}

/// What is waited for.
enum Reading {
    /// Pages of a map.
    Pages(JoinHandle<()>),
    /// Bytes of a bucket.
    Bucket(BoxStream<'static, io::Result<Bytes>>),
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pages(_) => "Pages",
            Self::Bucket(_) => "Bucket",
        })
    }
}

/// Pieces, one after the other.
#[derive(Debug)]
pub struct PiecesBody {
    /// The first of them apart, since mostly there is one: a list would have to be made for it.
    first: Option<Piece>,
    pieces: VecDeque<Piece>,
    left: u64,
    reading: Option<Reading>,
    sent: Arc<Sent>,
}

impl Piece {
    /// Bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) | Self::Mapped(bytes) => bytes.len() as u64,
            Self::Remote(_, range) => range.end - range.start,
            Self::Made(making) => making.left,
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next of it to be sent, from memory or a map; none when it is still in the bucket, or
    /// not made.
    fn step(&self) -> Option<Bytes> {
        match self {
            Self::Memory(bytes) => Some(bytes.clone()),
            Self::Mapped(bytes) => Some(bytes.slice(..bytes.len().min(STEP))),
            Self::Remote(object, range) => {
                object.get(&(range.start..range.end.min(range.start + STEP as u64)))
            }
            Self::Made(_) => None,
        }
    }

    fn advance(&mut self, by: usize) {
        match self {
            Self::Memory(bytes) | Self::Mapped(bytes) => *bytes = bytes.slice(by..),
            Self::Remote(_, range) => range.start += by as u64,
            Self::Made(making) => making.left -= by as u64,
        }
    }
}

impl PiecesBody {
    /// Of no bytes yet; what is handed on is added to `sent`.
    #[must_use]
    pub fn empty(sent: Arc<Sent>) -> Self {
        Self { first: None, pieces: VecDeque::new(), left: 0, reading: None, sent }
    }

    /// Adds `pieces` after those that are there.
    pub fn extend(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            self.left += piece.len();
            match self.first {
                None => self.first = Some(piece),
                Some(_) => self.pieces.push_back(piece),
            }
        }
    }

    /// Bytes that were not handed on yet.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// All of it, when it lies in memory and has at most `most` bytes; then nothing is left.
    pub fn take_short(&mut self, most: usize) -> Option<Bytes> {
        if self.left > most as u64 || !self.pieces.is_empty() {
            return None;
        }
        let Some(Piece::Memory(bytes)) = &mut self.first else { return None };
        let bytes = std::mem::take(bytes);
        (self.first, self.left) = (None, 0);
        self.sent.add(bytes.len());
        Some(bytes)
    }

    /// The next bytes; `None` after the last.
    pub fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Some(piece) = &mut self.first else { return Poll::Ready(None) };
        let step = match ready!(poll_step(piece, &mut self.reading, context)) {
            Ok(step) => step,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        piece.advance(step.len());
        if piece.is_empty() {
            self.first = self.pieces.pop_front();
            self.reading = None;
        }
        self.left -= step.len() as u64;
        self.sent.add(step.len());
        Poll::Ready(Some(Ok(step)))
    }
}

impl Body for PiecesBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.poll_bytes(context).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// The next bytes of `piece`, when they are in memory.
fn poll_step(
    piece: &mut Piece,
    reading: &mut Option<Reading>,
    context: &mut Context<'_>,
) -> Poll<io::Result<Bytes>> {
    if let Piece::Made(making) = piece {
        return making.poll(context);
    }
    loop {
        match reading {
            Some(Reading::Bucket(stream)) => match ready!(stream.poll_next_unpin(context)) {
                Some(bytes) => return Poll::Ready(bytes),
                // The block is at its end.
                None => *reading = None,
            },
            Some(Reading::Pages(pages)) => {
                ready!(Pin::new(pages).poll(context)).map_err(io::Error::other)?;
                *reading = None;
                return Poll::Ready(
                    piece.step().ok_or_else(|| io::ErrorKind::UnexpectedEof.into()),
                );
            }
            None => match (piece.step(), &*piece) {
                (Some(step), Piece::Memory(_)) => return Poll::Ready(Ok(step)),
                (Some(step), _) if is_resident(&step) => return Poll::Ready(Ok(step)),
                (Some(step), _) => {
                    let pages = tokio::task::spawn_blocking(move || make_resident(&step));
                    *reading = Some(Reading::Pages(pages));
                }
                (None, Piece::Remote(object, range)) => {
                    *reading = Some(Reading::Bucket(object.stream(range)));
                }
                (None, _) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            },
        }
    }
}

impl Drop for PiecesBody {
    fn drop(&mut self) {
        if let Some(Reading::Pages(pages)) = &self.reading {
            pages.abort();
        }
    }
}
