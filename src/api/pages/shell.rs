//! What every page needs, and the files of `web/`.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::tz::TimeZone;
use maud::Markup;
use rust_embed::Embed;

use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use crate::app::App;
use crate::deliver::{Caching, Content, Fields, Source, Text, reply};
use crate::pages::{self, Assets, AssetsError, ErrorView, Shell};

/// What `web/` was built into.
#[derive(Embed)]
#[folder = "web/dist"]
struct Dist;

/// Only our own scripts, styles and media; video players build blobs.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; \
     style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; connect-src 'self'; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

static ASSETS: LazyLock<Result<Assets, AssetsError>> = LazyLock::new(|| {
    let manifest = Dist::get(".vite/manifest.json").map(|file| file.data);
    Assets::from_manifest(&String::from_utf8_lossy(&manifest.unwrap_or_default()))
});

/// Reads the manifest of `web/`, so that a bad build is found at the start.
///
/// # Errors
///
/// [`AssetsError`].
pub(in crate::api) fn load_assets() -> Result<(), &'static AssetsError> {
    ASSETS.as_ref().map(|_| ())
}

fn assets() -> Assets {
    ASSETS.as_ref().expect("read at the start").clone()
}

/// What a page knows about the request.
pub(super) fn shell(app: &App, reader: &Reader, visitor: &Visitor) -> Shell {
    let person = visitor.caller.0.as_ref();
    Shell {
        visitor: person.map(|account| pages::Visitor {
            name: account.display_name.clone(),
            may_author: visitor.caller.has_studio(),
            may_review: visitor.caller.reviews_somewhere(),
            may_administer: visitor.caller.is_administrator(),
            administers: visitor.caller.administers(),
        }),
        csrf: visitor.csrf.clone(),
        ..bare(app, reader)
    }
}

/// The same for nobody in particular.
pub(super) fn bare(app: &App, reader: &Reader) -> Shell {
    Shell {
        lang: reader.lang,
        theme: reader.theme,
        elder: reader.elder,
        net_name: app.config.site.name.clone(),
        visitor: None,
        csrf: String::new(),
        path: reader.path.clone(),
        origin: reader.site(app),
        zone: TimeZone::get(&app.config.site.zone).unwrap_or(TimeZone::UTC),
        assets: assets(),
    }
}

/// A page on its way out.
pub(super) fn page(reader: &Reader, markup: Markup) -> Response {
    let mut response = Html(markup.into_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("referrer-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cache-control", HeaderValue::from_static("private, no-cache"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    let lang = reader.chosen.map(|lang| ("lang", lang.code()));
    let elder = reader.chosen_elder.map(|elder| ("elder", if elder { "1" } else { "0" }));
    for (name, value) in lang.into_iter().chain(elder) {
        let text = format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax");
        headers.append(SET_COOKIE, HeaderValue::from_str(&text).expect("plain text"));
    }
    response
}

/// The same with a player, which may fetch from the bucket as well where clients do.
pub(super) fn playing_page(app: &App, reader: &Reader, markup: Markup) -> Response {
    with_policy(page(reader, markup), &playing_policy(app))
}

/// The same for pages of other sites: the only one that they may frame, and one that says nothing
/// of who asks.
pub(super) fn framed_page(app: &App, reader: &Reader, markup: Markup) -> Response {
    let policy = playing_policy(app).replace("frame-ancestors 'self'", "frame-ancestors *");
    let mut response = with_policy(page(reader, markup), &policy);
    response.headers_mut().remove(SET_COOKIE);
    response
}

fn playing_policy(app: &App) -> String {
    let origins = app.config.direct_origins().join(" ");
    if origins.is_empty() {
        return POLICY.to_owned();
    }
    POLICY.replace("connect-src 'self'", &format!("connect-src 'self' {origins}"))
}

fn with_policy(mut response: Response, policy: &str) -> Response {
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page that says what went wrong.
pub(in crate::api) fn error_page(
    app: &App,
    reader: &Reader,
    status: StatusCode,
    sentence: &str,
) -> Response {
    let view = ErrorView { status: status.as_u16(), detail: sentence.to_owned(), reference: None };
    let mut response = page(reader, pages::error(&bare(app, reader), &view));
    *response.status_mut() = status;
    response
}

/// A script, style or picture with a hashed name.
pub(in crate::api) async fn asset(
    State(app): State<App>,
    Path(path): Path<String>,
    request: (Method, HeaderMap),
) -> Result<Response, ApiError> {
    file(&app, &format!("assets/{path}"), &request, Caching::Forever)
}

/// A file at the root, such as `/favicon.svg`.
pub(in crate::api) async fn web_file(
    State(app): State<App>,
    uri: http::Uri,
    request: (Method, HeaderMap),
) -> Result<Response, ApiError> {
    file(&app, uri.path().trim_start_matches('/'), &request, Caching::Check)
}

fn file(
    app: &App,
    path: &str,
    (method, headers): &(Method, HeaderMap),
    caching: Caching,
) -> Result<Response, ApiError> {
    let file = Dist::get(path).ok_or(ApiError::NotFound)?;
    let make = || Arc::new(Text::new(file.data.into_owned(), media_type(path)));
    let text = app.texts.get_with(path.to_owned(), make);
    let content = Content {
        media_type: text.media_type,
        tag: text.hash.clone(),
        bytes: Source::Text(text),
        caching,
        attachment: None,
        sent: Arc::default(),
    };
    let most_ranges = app.config.server.max_ranges;
    Ok(reply(method, Fields::Map(headers), content, most_ranges).into_response())
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json" | "webmanifest") => "application/json",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
