//! Answers with bytes: conditional requests, ranges, caching (RFC 9110, RFC 9111, RFC 8246).

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

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
pub fn reply(request: &HeaderMap, content: Content) -> Response<Body> {
    let length = content.bytes.len();
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    put(headers, ETAG, &content.etag);
    put(headers, CACHE_CONTROL, caching(content.caching));
    if let Some(wanted) = text(request, IF_MATCH)
        && !names(wanted, &content.etag)
    {
        *response.status_mut() = StatusCode::PRECONDITION_FAILED;
        return response;
    }
    if let Some(known) = text(request, IF_NONE_MATCH)
        && names(known, &content.etag)
    {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    put(headers, ACCEPT_RANGES, "bytes");
    put(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    // A strong tag, or nothing at all: we give no dates (section 13.1.5).
    let same = text(request, IF_RANGE).is_none_or(|tag| tag.trim() == content.etag);
    match select(text(request, RANGE).filter(|_| same), length) {
        Selection::Unsatisfiable => {
            put(headers, CONTENT_RANGE, &format!("bytes */{length}"));
            put(headers, CONTENT_LENGTH, "0");
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            return response;
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
    put(headers, CONTENT_TYPE, content.media_type);
    if let Some(name) = &content.attachment {
        put(headers, CONTENT_DISPOSITION, &attachment(name));
    }
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

/// Whether a list of entity tags holds `etag` or is `*`. A weak mark does not
/// matter for GET and HEAD (section 13.1.2).
fn names(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
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
        let mut request = HeaderMap::new();
        for (name, value) in fields {
            request.insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        let content = Content {
            bytes: Source::Memory(Bytes::from_static(b"0123456789")),
            media_type: "text/plain",
            etag: "\"a\"".into(),
            caching: Caching::Check,
            attachment: None,
        };
        reply(&request, content)
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        assert_eq!(get(&[(IF_NONE_MATCH, "\"b\", W/\"a\"")]).status(), 304);
        assert_eq!(get(&[(IF_NONE_MATCH, "\"b\"")]).status(), 200);
        assert_eq!(get(&[(IF_MATCH, "\"b\"")]).status(), 412);
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
