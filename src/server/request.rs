//! What is found out about a request before it is answered: from whom it is, and whether it may be.

use http::header::HOST;
use http::{HeaderValue, Method, Request};

use super::kind::Kind;
use super::load::Place;
use super::peer::Peer;
use super::rates::TooOften;
use crate::app::App;

/// A request that is not to be answered; whoever words answers finds it among the extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Its client asks too often.
    TooOften(TooOften),
    /// There is too much to do.
    Busy,
}

/// A request that came by TLS, in its extensions.
#[derive(Debug, Clone, Copy)]
pub struct Secure;

/// Takes a place for a request.
///
/// # Errors
///
/// [`Refused`].
pub(super) fn admit(method: &Method, path: &str, peer: Peer, app: &App) -> Result<Place, Refused> {
    let kind = Kind::of(method, path);
    app.rates.take(peer, kind).map_err(Refused::TooOften)?;
    app.load.begin(kind).map_err(|_| Refused::Busy)
}

/// Writes down among the extensions what the connection knows: from whom `request` is, whether it
/// is secure, whether it is refused; and among the fields the host, which HTTP/2 names beside them
/// (RFC 9113 section 8.3.1).
pub(super) fn describe<B>(
    request: &mut Request<B>,
    peer: Peer,
    secure: bool,
    refused: Option<&Refused>,
) {
    let extensions = request.extensions_mut();
    extensions.insert(peer);
    if secure {
        extensions.insert(Secure);
    }
    if let Some(refused) = refused {
        extensions.insert(*refused);
    }
    let authority = request.uri().authority().map(|authority| authority.as_str());
    if let Some(Ok(host)) = authority.map(HeaderValue::from_str) {
        // What it says counts, also with HTTP/1.1 (RFC 9112 section 3.2.2).
        request.headers_mut().insert(HOST, host);
    }
}
