//! A resource while the pipeline works on it, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::super::caller::{Visitor, Who};
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::{view, visible};
use crate::app::App;
use crate::catalogue::ResourceId;

/// The resource each time the pipeline comes further, as server-sent events named `progress`.
///
/// The stream ends once nothing works on it any more, or when you may not see it any longer.
#[utoipa::path(get, path = "/api/resources/{id}/events", tag = "resources", params(("id" = String, Path)), responses((status = 200, content_type = "text/event-stream")))]
pub(in crate::api) async fn events(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (resource, _) = visible(&app, &caller, &id).await?;
    let watch = app.progress.subscribe();
    let (id, told) = (resource.id, String::new());
    let follower = Follower { app, headers, reader, id, watch, told, over: false };
    let stream = futures::stream::unfold(follower, Follower::next);
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}

/// Somebody who watches a resource.
struct Follower {
    app: App,
    headers: HeaderMap,
    reader: Reader,
    id: ResourceId,
    watch: Receiver<ResourceId>,
    /// What was told last; empty before the first time.
    told: String,
    /// Whether nothing more will change by itself.
    over: bool,
}

impl Follower {
    /// The next view that differs from the last. Each turn asks again who is calling and
    /// what they may see, so a withdrawal or a lost role ends the stream.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        while !self.over {
            if !self.told.is_empty() && !changed(&self.app, &mut self.watch, self.id).await {
                return None;
            }
            let caller = Visitor::of(&self.app, &self.headers).await.ok()?.caller;
            let view = view(&self.app, &caller, &self.reader, self.id).await.ok()?;
            self.over = !matches!(view.stage, "draft" | "processing");
            let text = serde_json::to_string(&view).expect("plain data has a JSON form");
            if text != self.told {
                self.told.clone_from(&text);
                return Some((Ok(Event::default().event("progress").data(text)), self));
            }
        }
        None
    }
}

/// Waits until `id` may have changed; false when the program stops.
async fn changed(app: &App, watch: &mut Receiver<ResourceId>, id: ResourceId) -> bool {
    // What another process does is seen by looking now and then.
    let look = tokio::time::sleep(Duration::from_secs(2));
    tokio::pin!(look);
    loop {
        tokio::select! {
            told = watch.recv() => match told {
                Ok(other) if other != id => {}
                Err(RecvError::Closed) => return false,
                _ => return true,
            },
            () = &mut look => return true,
            () = app.stop.cancelled() => return false,
        }
    }
}
