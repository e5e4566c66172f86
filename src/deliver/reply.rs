//! Answers with bytes: conditional requests, ranges, caching (RFC 9110, RFC 9111, RFC 8246).

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::{MappedBody, Selection, select};
use crate::store::Mapped;

/// What is sent.
#[derive(Debug)]
pub struct Content {
    /// Where the bytes are.
    pub bytes: Source,
    /// Media type.
    pub media_type: &'static str,
    /// Strong entity tag, with its quotes.
    pub etag: String,
    /// How long it may be kept.
    pub caching: Caching,
    /// To be saved under this name.
    pub attachment: Option<String>,
}

/// Where bytes are.
#[derive(Debug)]
pub enum Source {
    /// In memory.
    Memory(Bytes),
    /// A range of an object.
    Object(Arc<Mapped>, std::ops::Range<usize>),
}

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// It never changes; anybody may keep it.
    Forever,
    /// It never changes; only who got it may keep it.
    ForeverPrivate,
    /// Ask each time whether it changed.
    Check,
}

impl Source {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Object(_, range) => (range.end - range.start) as u64,
        }
    }

    fn slice(&self, range: std::ops::Range<u64>) -> Body {
        let (start, end) = (range.start as usize, range.end as usize);
        match self {
            Self::Memory(bytes) => Body::from(bytes.slice(start..end)),
            Self::Object(object, within) => {
                Body::new(MappedBody::new(object.slice(within.start + start..within.start + end)))
            }
        }
    }
}

/// Answers a GET or HEAD with `content`: 200, 206, 304, 412 or 416. (The
/// server drops the body of an answer to HEAD.)
#[must_use]
pub fn reply(method: &Method, request: &HeaderMap, content: Content) -> Response<Body> {
    let length = content.bytes.len();
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    put(headers, ETAG, &content.etag);
    if !matches(request, &content.etag) {
        return refusal(response, StatusCode::PRECONDITION_FAILED);
    }
    // A weak mark does not matter here (section 13.1.2).
    let is_known = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == content.etag;
    if tags(request, IF_NONE_MATCH).any(is_known) {
        put(headers, CACHE_CONTROL, caching(content.caching));
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    put(headers, ACCEPT_RANGES, "bytes");
    put(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    // A strong tag, or nothing at all: we give no dates (section 13.1.5).
    let same = text(request, IF_RANGE).is_none_or(|tag| tag.trim() == content.etag);
    // Only GET has ranges (section 14.2).
    let range = text(request, RANGE).filter(|_| same && method == Method::GET);
    match select(range, length) {
        Selection::Unsatisfiable => {
            put(headers, CONTENT_RANGE, &format!("bytes */{length}"));
            return refusal(response, StatusCode::RANGE_NOT_SATISFIABLE);
        }
        Selection::Whole => {
            put(headers, CONTENT_LENGTH, &length.to_string());
            *response.body_mut() = content.bytes.slice(0..length);
        }
        Selection::Partial(range) => {
            let (first, last) = (range.start, range.end - 1);
            put(headers, CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
            put(headers, CONTENT_LENGTH, &(range.end - range.start).to_string());
            *response.body_mut() = content.bytes.slice(range);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
    }
    let headers = response.headers_mut();
    put(headers, CACHE_CONTROL, caching(content.caching));
    put(headers, CONTENT_TYPE, content.media_type);
    if let Some(name) = &content.attachment {
        put(headers, CONTENT_DISPOSITION, &attachment(name));
    }
    response
}

/// An answer about the request alone, which nobody is to keep.
fn refusal(mut response: Response<Body>, status: StatusCode) -> Response<Body> {
    put(response.headers_mut(), CACHE_CONTROL, "no-store");
    put(response.headers_mut(), CONTENT_LENGTH, "0");
    *response.status_mut() = status;
    response
}

fn put(headers: &mut HeaderMap, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn text(headers: &HeaderMap, name: http::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The entity tags in all lines of a field.
fn tags(headers: &HeaderMap, name: http::HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Whether `If-Match` lets the request through: it is not there, or names `etag`,
/// which is strong, as it is (section 13.1.1).
fn matches(request: &HeaderMap, etag: &str) -> bool {
    !request.contains_key(IF_MATCH) || tags(request, IF_MATCH).any(|tag| tag == "*" || tag == etag)
}

fn caching(caching: Caching) -> &'static str {
    match caching {
        Caching::Forever => "public, max-age=31536000, immutable",
        Caching::ForeverPrivate => "private, max-age=31536000, immutable",
        Caching::Check => "no-cache",
    }
}

/// RFC 6266: a name in ASCII for old clients, and the true one (RFC 8187).
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(fields: &[(http::HeaderName, &str)]) -> Response<Body> {
        ask(&Method::GET, fields)
    }

    fn ask(method: &Method, fields: &[(http::HeaderName, &str)]) -> Response<Body> {
        let mut request = HeaderMap::new();
        for (name, value) in fields {
            request.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        let content = Content {
            bytes: Source::Memory(Bytes::from_static(b"0123456789")),
            media_type: "text/plain",
            etag: "\"a\"".into(),
            caching: Caching::Forever,
            attachment: None,
        };
        reply(method, &request, content)
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        assert_eq!(get(&[(IF_NONE_MATCH, "\"b\", W/\"a\"")]).status(), 304);
        assert_eq!(get(&[(IF_NONE_MATCH, "\"b\"")]).status(), 200);
        let lines = [(IF_NONE_MATCH, "\"b\""), (IF_NONE_MATCH, "\"a\"")];
        assert_eq!(get(&lines).status(), 304, "every line counts");
        assert_eq!(get(&[(IF_MATCH, "\"b\", \"a\"")]).status(), 200);
        assert_eq!(get(&[(IF_MATCH, "*")]).status(), 200);
        assert_eq!(get(&[(IF_MATCH, "W/\"a\"")]).status(), 412, "a weak tag is not enough");
    }

    #[test]
    fn refusals_are_not_kept() {
        assert_eq!(get(&[]).headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        for refused in [get(&[(IF_MATCH, "\"b\"")]), get(&[(RANGE, "bytes=10-")])] {
            assert!(refused.status().is_client_error());
            assert_eq!(refused.headers()[CACHE_CONTROL], "no-store", "{}", refused.status());
        }
    }

    #[test]
    fn only_get_has_ranges() {
        let head = ask(&Method::HEAD, &[(RANGE, "bytes=2-3")]);
        assert_eq!(
            (head.status(), &head.headers()[CONTENT_LENGTH]),
            (StatusCode::OK, &"10".parse().expect("a value"))
        );
        assert_eq!(ask(&Method::HEAD, &[(RANGE, "bytes=10-")]).status(), 200);
    }

    #[test]
    fn a_range_counts_only_while_the_tag_is_the_same() {
        let same = get(&[(RANGE, "bytes=2-3"), (IF_RANGE, "\"a\"")]);
        assert_eq!(same.status(), 206);
        assert_eq!(same.headers()[CONTENT_RANGE], "bytes 2-3/10");
        assert_eq!(get(&[(RANGE, "bytes=2-3"), (IF_RANGE, "\"b\"")]).status(), 200);
        let beyond = get(&[(RANGE, "bytes=10-")]);
        assert_eq!(beyond.status(), 416);
        assert_eq!(beyond.headers()[CONTENT_RANGE], "bytes */10");
    }

    #[test]
    fn chinese_names_are_kept() {
        let field = attachment("第1讲 \"剪纸\".mp4");
        assert_eq!(
            field,
            "attachment; filename=\"_1_ ____.mp4\"; filename*=UTF-8''%E7%AC%AC1%E8%AE%B2%20%22%E5%89%AA%E7%BA%B8%22.mp4"
        );
    }
}
