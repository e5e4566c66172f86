//! What players and readers fetch. One way in: find, check who may have it, answer.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, State};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, REFERRER_POLICY};
use http::{HeaderMap, Method, Response};

use super::caller::Who;
use super::forms;
use super::meter::Meter;
use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::ResourceId;
use crate::db;
use crate::deliver::{
    Caching, Content, Delivery, Fields, Kind, Named, Reply, Source, Text, Wanted, What, reply,
};
use crate::ingest::demand;
use crate::server::{Front, Request};
use crate::store::{self, Object};

/// Texts among the objects that are kept with their compressed forms are not longer than this.
const MOST_TEXT_BYTES: u64 = 1024 * 1024;

/// What an answer depends on besides the path.
type Asked = (Method, HeaderMap);

/// Of what is public, or the caller's.
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, path)): Path<(String, String)>,
    request: Asked,
) -> Result<Response<Body>, ApiError> {
    let delivery = find(&app, &id).await?;
    if !delivery.is_public() && !caller.can_see(&delivery.resource, &delivery.library) {
        return Err(ApiError::NotFound);
    }
    answer(&app, &delivery, &path, &request).await
}

/// Of what is not public, with a ticket.
pub(super) async fn get_with_ticket(
    State(app): State<App>,
    Path((ticket, id, path)): Path<(String, String, String)>,
    request: Asked,
) -> Result<Response<Body>, ApiError> {
    let delivery = find(&app, &id).await?;
    if !app.ticket_keys.admits(&ticket, &delivery.resource, app.now_ms() / 1000) {
        return Err(ApiError::NotFound);
    }
    answer(&app, &delivery, &path, &request).await
}

/// Answers what is known and needs nobody's name without the router and its layers, which cost
/// several times as much as the answer.
pub(super) struct QuickAnswers {
    app: App,
    meter: Meter,
}

impl QuickAnswers {
    pub(super) fn new(app: App) -> Self {
        Self { app, meter: Meter::default() }
    }

    fn answer(&self, request: &Request<'_>) -> Option<(Kind, Reply)> {
        let (ticket, id, path) = split(request.path)?;
        let delivery = self.app.deliveries.known(&self.app.db, id.parse().ok()?)?;
        let may = match ticket {
            None => delivery.is_public(),
            Some(ticket) => {
                let now_s = self.app.now_ms() / 1000;
                self.app.ticket_keys.admits(ticket, &delivery.resource, now_s)
            }
        };
        // Whoever may not, and whatever is not there, is answered by the router, in words.
        let Wanted { kind, what } = may.then(|| delivery.wanted(path))??;
        let content = answer_now(&self.app, &delivery, (path, request.method), what)?;
        let mut reply = send(&self.app, &delivery, kind, (request.method, request.fields), content);
        reply.add(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        reply.add(ACCESS_CONTROL_EXPOSE_HEADERS, super::EXPOSED_MEDIA);
        if ticket.is_some() {
            // The address is a secret.
            reply.add(REFERRER_POLICY, "no-referrer");
        }
        Some((kind, reply))
    }
}

impl Front for QuickAnswers {
    fn answer(&self, request: &Request<'_>) -> Option<Reply> {
        let begun = Instant::now();
        let (kind, reply) = self.answer(request)?;
        self.meter.count(kind, reply.status, begun.elapsed());
        Some(reply)
    }
}

/// `/media/{id}/{path}` and `/t/{ticket}/media/{id}/{path}`, where nothing is escaped.
fn split(path: &str) -> Option<(Option<&str>, &str, &str)> {
    if path.contains('%') {
        return None;
    }
    let (ticket, rest) = match path.strip_prefix("/t/") {
        None => (None, path.strip_prefix("/media/")?),
        Some(rest) => {
            let (ticket, rest) = rest.split_once('/')?;
            (Some(ticket), rest.strip_prefix("media/")?)
        }
    };
    let (id, path) = rest.split_once('/')?;
    Some((ticket, id, path))
}

async fn find(app: &App, id: &str) -> Result<Arc<Delivery>, ApiError> {
    let id: ResourceId = id.parse().map_err(|_| ApiError::NotFound)?;
    app.deliveries.find(&app.db, id).await?.ok_or(ApiError::NotFound)
}

/// Answers for `path` below the resource.
async fn answer(
    app: &App,
    delivery: &Delivery,
    path: &str,
    (method, headers): &Asked,
) -> Result<Response<Body>, ApiError> {
    let Wanted { kind, what } = delivery.wanted(path).ok_or(ApiError::NotFound)?;
    let content = match what {
        What::Text(text) => text_content(delivery, text),
        What::Object(named) if is_saved_elsewhere(delivery, &named, method) => {
            return forms::redirect(app, &named).await;
        }
        What::Object(named) => match app.texts.get(&named.key) {
            Some(text) => object_text(delivery, named, text),
            None => {
                let at = named.range.as_ref().map_or(0, |range| range.start);
                let object = app.store.open(&named.key, at).await?;
                if is_text(&named) && object.len() <= MOST_TEXT_BYTES {
                    let text = Text::new(object.read().await?, named.media_type);
                    let text = app.texts.get_with(named.key.clone(), || Arc::new(text));
                    object_text(delivery, named, text)
                } else {
                    object_content(app, delivery, named, object)?
                }
            }
        },
        What::Passages => text_content(delivery, passages(app, delivery).await?),
        What::Transport { picture, sound, number } => {
            forms::transport(app, delivery, (picture, sound), number).await?
        }
        What::Download(rendition) => forms::download(app, delivery, rendition).await?,
        What::Direct(rendition) => {
            text_content(delivery, forms::direct(app, delivery, path, rendition).await?)
        }
    };
    Ok(send(app, delivery, kind, (method, Fields::Map(headers)), content).into_response())
}

/// What is wanted, when nothing has to be waited for.
fn answer_now(
    app: &App,
    delivery: &Delivery,
    (path, method): (&str, &Method),
    what: What,
) -> Option<Content> {
    match what {
        What::Text(text) => Some(text_content(delivery, text)),
        What::Direct(_) => Some(text_content(delivery, delivery.direct_text(path)?)),
        What::Object(named) if is_saved_elsewhere(delivery, &named, method) => None,
        What::Object(named) if is_text(&named) => {
            let text = app.texts.get(&named.key)?;
            Some(object_text(delivery, named, text))
        }
        What::Object(named) => {
            let object = app.store.opened(&named.key).ok()??;
            object_content(app, delivery, named, object).ok()
        }
        What::Passages | What::Transport { .. } | What::Download(_) => None,
    }
}

fn send(
    app: &App,
    delivery: &Delivery,
    kind: Kind,
    (method, fields): (&Method, Fields<'_>),
    content: Content,
) -> Reply {
    if kind == Kind::Manifest && *method == Method::GET {
        demand::played(app, delivery);
    }
    reply(method, fields, content, app.config.server.max_ranges)
}

fn text_content(delivery: &Delivery, text: Arc<Text>) -> Content {
    Content {
        media_type: text.media_type,
        tag: text.hash.clone(),
        bytes: Source::Text(text),
        caching: Caching::Check,
        attachment: None,
        sent: Arc::clone(&delivery.sent),
    }
}

fn object_text(delivery: &Delivery, named: Named, text: Arc<Text>) -> Content {
    let Named { tag, caching, .. } = named;
    Content { tag, caching, ..text_content(delivery, text) }
}

fn object_content(
    app: &App,
    delivery: &Delivery,
    named: Named,
    object: Object,
) -> Result<Content, ApiError> {
    if let Some(rendition) = named.rendition {
        app.asked.note(rendition, app.now_ms());
    }
    let length = object.len();
    let range = named.range.unwrap_or(0..length);
    if range.end > length {
        let (expected, found) = (range.end.cast_signed(), length.cast_signed());
        return Err(store::Error::Damaged { key: named.key, expected, found }.into());
    }
    Ok(Content {
        bytes: Source::Object(object, range),
        media_type: named.media_type,
        tag: named.tag,
        caching: named.caching,
        attachment: named.attachment,
        sent: Arc::clone(&delivery.sent),
    })
}

/// Whether clients fetch it from the bucket themselves. (An address there is for GET alone.)
fn is_saved_elsewhere(delivery: &Delivery, named: &Named, method: &Method) -> bool {
    delivery.is_direct() && named.attachment.is_some() && method == Method::GET
}

fn is_text(named: &Named) -> bool {
    // A source is sent as it is, to be saved, whatever its type.
    let text = named.media_type.starts_with("text/") || named.media_type == "application/json";
    text && named.attachment.is_none()
}

/// All that captions, pages and chapters say; pages and chapters are told apart by form feeds.
async fn passages(app: &App, delivery: &Delivery) -> Result<Arc<Text>, ApiError> {
    let mut db = app.db.read().await?;
    let passages = db::passages::list(&mut db, delivery.resource.id).await?;
    if passages.is_empty() {
        return Err(ApiError::NotFound);
    }
    let mut text = String::new();
    let mut before = None;
    for passage in passages {
        if before.is_some() {
            text.push_str(
                if before == Some(passage.page) && passage.page.is_some() || passage.page.is_none()
                {
                    "\n"
                } else {
                    "\n\u{c}"
                },
            );
        }
        before = Some(passage.page);
        text.push_str(&passage.text);
    }
    Ok(Arc::new(Text::new(text, "text/plain; charset=utf-8")))
}
