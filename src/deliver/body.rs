//! A body that is sent from mapped pages, without a copy, and without making
//! the thread that serves many wait for a disk.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::traffic::Sent;
use crate::store::{is_resident, make_resident};

/// Bytes handed on at a time; what is not in memory is read by a blocking thread in such pieces.
const STEP: usize = 1024 * 1024;

/// Some bytes of a body.
#[derive(Debug, Clone)]
pub enum Piece {
    /// In memory.
    Memory(Bytes),
    /// A slice of a mapped object.
    Mapped(Bytes),
}

/// Pieces, one after the other.
#[derive(Debug)]
pub struct PiecesBody {
    pieces: VecDeque<Piece>,
    left: u64,
    reading: Option<JoinHandle<()>>,
    sent: Arc<Sent>,
}

impl Piece {
    /// Bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) | Self::Mapped(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next of it to be sent, and whether it may have to be read from the disk.
    fn step(&self) -> (Bytes, bool) {
        match self {
            Self::Memory(bytes) => (bytes.clone(), false),
            Self::Mapped(bytes) => (bytes.slice(..bytes.len().min(STEP)), true),
        }
    }

    fn advance(&mut self, by: usize) {
        let (Self::Memory(bytes) | Self::Mapped(bytes)) = self;
        *bytes = bytes.slice(by..);
    }
}

impl PiecesBody {
    /// Of `pieces`; what is handed on is added to `sent`.
    #[must_use]
    pub fn new(pieces: impl Into<VecDeque<Piece>>, sent: Arc<Sent>) -> Self {
        let mut pieces = pieces.into();
        pieces.retain(|piece| !piece.is_empty());
        let left = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { pieces, left, reading: None, sent }
    }
}

impl Body for PiecesBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let Some(piece) = self.pieces.front() else { return Poll::Ready(None) };
        let (step, from_disk) = piece.step();
        if let Some(reading) = &mut self.reading {
            ready!(Pin::new(reading).poll(context)).map_err(std::io::Error::other)?;
            self.reading = None;
        } else if from_disk && !is_resident(&step) {
            let cold = step.clone();
            let mut reading = tokio::task::spawn_blocking(move || make_resident(&cold));
            if Pin::new(&mut reading).poll(context).is_pending() {
                self.reading = Some(reading);
                return Poll::Pending;
            }
        }
        let this = &mut *self;
        if let Some(piece) = this.pieces.front_mut() {
            piece.advance(step.len());
            if piece.is_empty() {
                this.pieces.pop_front();
            }
        }
        this.left -= step.len() as u64;
        this.sent.add(step.len());
        Poll::Ready(Some(Ok(Frame::data(step))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl Drop for PiecesBody {
    fn drop(&mut self) {
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}
