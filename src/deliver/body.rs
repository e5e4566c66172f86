//! A body that is sent from mapped pages, without a copy, and without making
//! the thread that serves many wait for a disk.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::store::{is_resident, make_resident};

/// Bytes handed on at a time; what is not in memory is read by a blocking thread in such pieces.
const PIECE: usize = 4 * 1024 * 1024;

/// A slice of a mapped object.
#[derive(Debug)]
pub struct MappedBody {
    rest: Bytes,
    reading: Option<JoinHandle<()>>,
}

impl MappedBody {
    /// Of `bytes`, a slice of a map.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        Self { rest: bytes, reading: None }
    }
}

impl Body for MappedBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = self.rest.slice(..self.rest.len().min(PIECE));
        if let Some(reading) = &mut self.reading {
            ready!(Pin::new(reading).poll(context)).map_err(std::io::Error::other)?;
            self.reading = None;
        } else if !is_resident(&piece) {
            let cold = piece.clone();
            let mut reading = tokio::task::spawn_blocking(move || make_resident(&cold));
            if Pin::new(&mut reading).poll(context).is_pending() {
                self.reading = Some(reading);
                return Poll::Pending;
            }
        }
        self.rest = self.rest.slice(piece.len()..);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

impl Drop for MappedBody {
    fn drop(&mut self) {
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}
