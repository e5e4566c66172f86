//! For search engines: what there is, and what they need not look at.

use std::collections::VecDeque;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::StreamExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};

use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::text;
use crate::app::App;
use crate::catalogue::{Caller, ResourceId};
use crate::db;
use crate::exchange::{SITEMAP_URLS, sitemap_end, sitemap_index, sitemap_start, sitemap_url};

/// Addresses that are read at one time.
const CHUNK: i64 = 1000;

const XML: &str = "application/xml; charset=utf-8";

/// Which lists there are: pages, then resources by the id that comes before each list.
pub(in crate::api) async fn index(
    State(app): State<App>,
    reader: Reader,
    request: (Method, HeaderMap),
) -> Result<Response, ApiError> {
    let site = reader.site(&app);
    let at = |name: &str| format!("{site}/sitemaps/{name}.xml");
    let mut addresses = vec![at("pages"), at("first")];
    let mut db = app.db.read().await?;
    let mut last = String::new();
    while let Some(next) = db::records::skip_public(&mut db, &last, SITEMAP_URLS).await? {
        addresses.push(at(&next));
        last = next;
    }
    Ok(text(&app, &request, sitemap_index(&addresses), XML))
}

/// One list.
pub(in crate::api) async fn list(
    State(app): State<App>,
    reader: Reader,
    Path(name): Path<String>,
    request: (Method, HeaderMap),
) -> Result<Response, ApiError> {
    let site = reader.site(&app);
    let after = match name.strip_suffix(".xml").ok_or(ApiError::NotFound)? {
        "pages" => return pages(&app, &site, &request).await,
        "first" => String::new(),
        id => id.parse::<ResourceId>().map_err(|_| ApiError::NotFound)?.to_string(),
    };
    let walk = Walk { app, site, after, left: SITEMAP_URLS, ready: VecDeque::new(), ended: false };
    let walk = Walk { ready: VecDeque::from([sitemap_start()]), ..walk };
    // Compression asks once more after the end.
    let body = Body::from_stream(futures::stream::unfold(walk, Walk::next).fuse());
    Ok(([(CONTENT_TYPE, XML)], body).into_response())
}

async fn pages(app: &App, site: &str, request: &(Method, HeaderMap)) -> Result<Response, ApiError> {
    let mut xml = sitemap_start();
    xml.push_str(&sitemap_url(&format!("{site}/"), None));
    xml.push_str(&sitemap_url(&format!("{site}/libraries"), None));
    for library in db::libraries::list(&mut *app.db.read().await?).await? {
        if Caller(None).can_see_library(&library) {
            xml.push_str(&sitemap_url(&format!("{site}/libraries/{}", library.slug), None));
        }
    }
    xml.push_str(&sitemap_end());
    Ok(text(app, request, xml, XML))
}

/// Writes a list while it is sent, some at a time.
struct Walk {
    app: App,
    site: String,
    after: String,
    left: i64,
    ready: VecDeque<String>,
    ended: bool,
}

impl Walk {
    async fn next(mut self) -> Option<(Result<Bytes, db::Error>, Self)> {
        if let Some(ready) = self.ready.pop_front() {
            return Some((Ok(ready.into()), self));
        }
        if self.ended {
            return None;
        }
        let made = self.more().await;
        self.ended |= made.is_err();
        Some((made.map(Bytes::from), self))
    }

    async fn more(&mut self) -> Result<String, db::Error> {
        let limit = CHUNK.min(self.left);
        let mut db = self.app.db.read().await?;
        let records = db::records::list_public(&mut db, &self.after, limit).await?;
        let mut xml = String::new();
        for record in &records {
            let address = format!("{}/resources/{}", self.site, record.resource);
            xml.push_str(&sitemap_url(&address, Some(record.stamp_ms)));
        }
        self.left -= limit;
        if let Some(last) = records.last() {
            self.after.clone_from(&last.resource);
        }
        if self.left == 0 || (records.len() as i64) < limit {
            xml.push_str(&sitemap_end());
            self.ended = true;
        }
        Ok(xml)
    }
}

/// `robots.txt` (RFC 9309): searches and what needs a login are not for robots.
pub(in crate::api) async fn robots(
    State(app): State<App>,
    reader: Reader,
    request: (Method, HeaderMap),
) -> Response {
    let site = reader.site(&app);
    let closed = ["/admin", "/api/", "/login", "/logout", "/search", "/setup/", "/studio", "/t/"];
    let closed: String = closed.iter().map(|path| format!("Disallow: {path}\n")).collect();
    let body =
        format!("User-agent: *\nAllow: /api/oembed\n{closed}\nSitemap: {site}/sitemap.xml\n");
    text(&app, &request, body, "text/plain; charset=utf-8")
}
