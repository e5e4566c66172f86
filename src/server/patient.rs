//! A request's body with deadlines: silence ends it, and so do dripping and want of memory.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::app::App;

/// Longest silences after which a body that is not an upload must keep its rate.
const HEAD_START: u32 = 2;

/// A body that ends with an error when nothing comes of it for too long.
pub(super) struct Patient {
    body: Incoming,
    silence: Duration,
    /// When it is cut unless more has come until then, and for how much longer each byte keeps it.
    end: Option<(Instant, Duration)>,
    /// Set while we wait.
    deadline: Option<Pin<Box<Sleep>>>,
    unread: Arc<AtomicBool>,
    app: App,
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.unread.store(!self.body.is_end_stream(), Ordering::Relaxed);
    }
}

impl Patient {
    /// Of an upload when `is_upload`: that takes as long as it takes.
    pub(super) fn new(body: Incoming, is_upload: bool, app: App) -> Self {
        let settings = &app.config.server;
        let silence = Duration::from_millis(settings.body_timeout_ms);
        let each = Duration::from_secs(1) / settings.min_body_rate_bytes;
        let end = (!is_upload).then(|| (Instant::now() + silence * HEAD_START, each));
        Self { body, silence, end, deadline: None, unread: Arc::default(), app }
    }

    /// Tells, once the body was dropped, whether some of it was not read.
    pub(super) fn unread(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.unread)
    }
}

impl Body for Patient {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.app.load.is_short_of_memory() {
            return Poll::Ready(Some(Err("there is no memory for a body".into())));
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.deadline = None;
            if let (Some(Ok(frame)), Some((end, each))) = (&frame, &mut self.end) {
                let length = frame.data_ref().map_or(0, Bytes::len);
                *end += *each * u32::try_from(length).unwrap_or(u32::MAX);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let silent = Instant::now() + self.silence;
        let deadline = self.end.map_or(silent, |(end, _)| end.min(silent));
        let deadline =
            self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        deadline.as_mut().poll(context).map(|()| {
            metrics::counter!("duoku_bodies_silent").increment(1);
            Some(Err("nothing came of the body for too long".into()))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
