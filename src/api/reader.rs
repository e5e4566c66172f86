//! For whom an answer is worded: language, looks, page or data.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, COOKIE};
use http::request::Parts;
use http::{Extensions, HeaderMap, Uri};

use crate::app::App;
use crate::pages::{Lang, Theme};
use crate::server::Secure;

/// For whom an answer is worded.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub lang: Lang,
    pub theme: Theme,
    /// Large type and few things on a page.
    pub elder: bool,
    /// A person in a browser, not a program.
    pub wants_page: bool,
    /// Path and query.
    pub path: String,
    /// Scheme and authority that the request was sent to.
    pub origin: String,
    /// Chosen just now, to be kept in a cookie.
    pub chosen: Option<Lang>,
    /// Whether the elder mode was chosen just now, or the other; to be kept in a cookie.
    pub chosen_elder: Option<bool>,
}

impl Reader {
    pub(super) fn of(headers: &HeaderMap, uri: &Uri, extensions: &Extensions) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let pairs = || uri.query().unwrap_or("").split('&');
        let chosen = pairs().find_map(|pair| pair.strip_prefix("lang=")).and_then(Lang::from_code);
        let chosen_elder = pairs().find_map(|pair| match pair {
            "elder=1" => Some(true),
            "elder=0" => Some(false),
            _ => None,
        });
        let lang = chosen
            .or_else(|| cookie(headers, "lang").and_then(Lang::from_code))
            .unwrap_or_else(|| Lang::from_accept(text(ACCEPT_LANGUAGE)));
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let scheme = if extensions.get::<Secure>().is_some() { "https" } else { "http" };
        let data = ["/api/", "/media/", "/t/", "/metrics"].iter().any(|p| path.starts_with(p));
        Self {
            lang,
            theme: Theme::from_cookie(cookie(headers, "theme").unwrap_or("")),
            elder: chosen_elder.unwrap_or_else(|| cookie(headers, "elder") == Some("1")),
            wants_page: !data && text(ACCEPT).contains("text/html"),
            origin: format!("{scheme}://{}", text(http::header::HOST)),
            path,
            chosen,
            chosen_elder,
        }
    }
}

impl Reader {
    /// The host name that the request was sent to, without its port.
    pub(super) fn host(&self) -> &str {
        let authority = self.origin.split_once("://").map_or("", |(_, authority)| authority);
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    /// Scheme and authority of this site as people use it; no slash at the end.
    pub(super) fn site(&self, app: &App) -> String {
        match app.config.server.public_url.trim_end_matches('/') {
            "" => self.origin.clone(),
            url => url.to_owned(),
        }
    }
}

/// The value of the cookie `name`.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Nested routers change the URI; the layer outside keeps the true one.
        let uri =
            parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        Ok(Self::of(&parts.headers, uri, &parts.extensions))
    }
}
