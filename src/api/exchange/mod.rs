//! What other programs are told: OAI-PMH, feeds, sitemaps, oEmbed.

mod feeds;
mod oai;
pub(super) mod oembed;
mod sitemap;

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, Method};

pub(super) use feeds::{feed, feed_in};
pub(super) use oai::{oai_get, oai_post};
pub(super) use sitemap::{index as sitemap_index, list as sitemap_list, robots};

use crate::app::App;
use crate::deliver::{Caching, Content, Fields, Source, Text, reply};

/// A text with its entity tag, so that who has it already is told so.
fn text(
    app: &App,
    (method, headers): &(Method, HeaderMap),
    body: String,
    media_type: &'static str,
) -> Response {
    let text = Arc::new(Text::new(body.into_bytes(), media_type));
    let content = Content {
        media_type,
        tag: text.hash.clone(),
        bytes: Source::Text(text),
        caching: Caching::Check,
        attachment: None,
        sent: Arc::default(),
    };
    reply(method, Fields::Map(headers), content, app.config.server.max_ranges).into_response()
}
