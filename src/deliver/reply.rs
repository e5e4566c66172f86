//! Answers with bytes: conditional requests, ranges, caching (RFC 9110, RFC 9111, RFC 8246).

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::text::{Encoding, Text};
use super::traffic::Sent;
use super::{Making, Piece, PiecesBody, Selection, Transport, VirtualFile, select};
use crate::store::{Object, Store};

/// Headers of an answer, so that the map need not grow.
const HEADERS: usize = 14;

/// What is sent.
#[derive(Debug)]
pub struct Content {
    /// Where the bytes are.
    pub bytes: Source,
    /// Media type.
    pub media_type: &'static str,
    /// Strong entity tag, without its quotes.
    pub tag: String,
    /// How long it may be kept.
    pub caching: Caching,
    /// To be saved under this name.
    pub attachment: Option<String>,
    /// Counts the answer, and the bytes that are sent.
    pub sent: Arc<Sent>,
}

/// Where bytes are.
#[derive(Debug)]
pub enum Source {
    /// In memory; compressed for whom accepts it.
    Text(Arc<Text>),
    /// A range of an object.
    Object(Object, Range<u64>),
    /// A segment of MPEG-TS, written as it is sent.
    Transport(Arc<Transport>),
    /// A virtual file, and where its objects are.
    File(Arc<VirtualFile>, Store),
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
            Self::Text(text) => text.plain.len() as u64,
            Self::Object(_, range) => range.end - range.start,
            Self::Transport(segment) => segment.length(),
            Self::File(file, _) => file.length(),
        }
    }

    fn slice(&self, range: Range<u64>) -> Piece {
        let as_usize = |range: Range<u64>| range.start as usize..range.end as usize;
        match self {
            Self::Text(text) => Piece::Memory(text.plain.slice(as_usize(range))),
            Self::Object(object, within) => {
                let range = within.start + range.start..within.start + range.end;
                match object {
                    Object::Mapped(mapped) => Piece::Mapped(mapped.slice(as_usize(range))),
                    Object::Remote(remote) => Piece::Remote(remote.clone(), range),
                }
            }
            Self::Transport(segment) => {
                let length = range.end - range.start;
                Piece::Made(Making::new(length, Arc::clone(segment).read(range)))
            }
            Self::File(file, store) => {
                let length = range.end - range.start;
                Piece::Made(Making::new(length, Arc::clone(file).read(store.clone(), range)))
            }
        }
    }

    /// The form that `request` accepts; a range is one of the plain text.
    fn compressed(&self, request: &HeaderMap) -> Option<(Encoding, Bytes)> {
        let Self::Text(text) = self else { return None };
        if request.contains_key(RANGE) {
            return None;
        }
        let encoding = Encoding::choose(field(request, ACCEPT_ENCODING)?)?;
        Some((encoding, text.compressed(encoding)?.clone()))
    }
}

/// Answers a GET or HEAD with `content`: 200, 206, 304, 412 or 416; 200 to more than `most_ranges`.
/// (The server drops the body of an answer to HEAD.)
#[must_use]
pub fn reply(
    method: &Method,
    request: &HeaderMap,
    content: Content,
    most_ranges: usize,
) -> Response<Body> {
    content.sent.answer();
    let compressed = content.bytes.compressed(request);
    let etag = match &compressed {
        Some((encoding, _)) => format!("\"{}-{}\"", content.tag, encoding.as_str()),
        None => format!("\"{}\"", content.tag),
    };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    let matched = matches(request, &etag);
    // A weak mark does not matter here (section 13.1.2).
    let is_known = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == etag;
    let known = tags(request, IF_NONE_MATCH).any(is_known);
    // A strong tag, or nothing at all: we give no dates (section 13.1.5).
    let same = field(request, IF_RANGE).is_none_or(|tag| tag.trim() == etag);
    put(headers, ETAG, etag);
    if !matched {
        return refusal(response, StatusCode::PRECONDITION_FAILED);
    }
    if matches!(content.bytes, Source::Text(_)) {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if known {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching(content.caching)));
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching(content.caching)));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content.media_type));
    if let Some(name) = &content.attachment {
        put(headers, CONTENT_DISPOSITION, attachment(name));
    }
    if let Some((encoding, bytes)) = compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.as_str()));
        return full(response, Piece::Memory(bytes), content.sent);
    }
    let length = content.bytes.len();
    // Only GET has ranges (section 14.2).
    let range = field(request, RANGE).filter(|_| same && method == Method::GET);
    match select(range, length, most_ranges) {
        Selection::Unsatisfiable => {
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_DISPOSITION);
            put(headers, CONTENT_RANGE, format!("bytes */{length}"));
            refusal(response, StatusCode::RANGE_NOT_SATISFIABLE)
        }
        Selection::Whole => {
            let all = content.bytes.slice(0..length);
            full(response, all, content.sent)
        }
        Selection::Partial(range) => {
            put(headers, CONTENT_RANGE, content_range(&range, length));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            full(response, content.bytes.slice(range), content.sent)
        }
        Selection::Several(ranges) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            several(response, content, &ranges)
        }
    }
}

fn full(mut response: Response<Body>, piece: Piece, sent: Arc<Sent>) -> Response<Body> {
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(piece.len()));
    *response.body_mut() = match piece {
        Piece::Memory(bytes) => {
            sent.add(bytes.len());
            Body::from(bytes)
        }
        piece => Body::new(PiecesBody::new([piece], sent)),
    };
    response
}

/// A body of type `multipart/byteranges` (section 14.6).
fn several(
    mut response: Response<Body>,
    content: Content,
    ranges: &[Range<u64>],
) -> Response<Body> {
    let length = content.bytes.len();
    // It has the content's hash in it, so it does not stand in the content.
    let boundary = format!("duoku-{}", content.tag);
    let mut pieces = Vec::with_capacity(ranges.len() * 2 + 1);
    for range in ranges {
        let head = format!(
            "\r\n--{boundary}\r\ncontent-type: {}\r\ncontent-range: {}\r\n\r\n",
            content.media_type,
            content_range(range, length)
        );
        pieces.push(Piece::Memory(head.into()));
        pieces.push(content.bytes.slice(range.clone()));
    }
    pieces.push(Piece::Memory(format!("\r\n--{boundary}--\r\n").into()));
    let headers = response.headers_mut();
    put(headers, CONTENT_TYPE, format!("multipart/byteranges; boundary={boundary}"));
    let length: u64 = pieces.iter().map(Piece::len).sum();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    *response.body_mut() = Body::new(PiecesBody::new(pieces, content.sent));
    response
}

fn content_range(range: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.start, range.end - 1)
}

/// An answer about the request alone, which nobody is to keep.
fn refusal(mut response: Response<Body>, status: StatusCode) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    *response.status_mut() = status;
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

fn field(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The entity tags in all lines of a field.
fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
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

    fn get(fields: &[(HeaderName, &str)]) -> Response<Body> {
        ask(&Method::GET, fields)
    }

    fn ask(method: &Method, fields: &[(HeaderName, &str)]) -> Response<Body> {
        ask_for("0123456789", method, fields)
    }

    fn ask_for(
        text: &'static str,
        method: &Method,
        fields: &[(HeaderName, &str)],
    ) -> Response<Body> {
        let mut request = HeaderMap::new();
        for (name, value) in fields {
            request.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        let content = Content {
            bytes: Source::Text(Arc::new(Text::new(text, "text/plain"))),
            media_type: "text/plain",
            tag: "a".into(),
            caching: Caching::Forever,
            attachment: None,
            sent: Arc::default(),
        };
        reply(method, &request, content, 100)
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

    #[tokio::test]
    async fn ranges_apart_are_parts_of_one_body() {
        let text: &'static str = Box::leak("0123456789".repeat(100).into_boxed_str());
        let answer = ask_for(text, &Method::GET, &[(RANGE, "bytes=990-,0-3")]);
        assert_eq!(answer.status(), 206);
        assert_eq!(answer.headers()[CONTENT_TYPE], "multipart/byteranges; boundary=duoku-a");
        assert!(!answer.headers().contains_key(CONTENT_RANGE));
        let length: usize =
            answer.headers()[CONTENT_LENGTH].to_str().expect("text").parse().expect("a number");
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.expect("a body");
        let part = |range, bytes| {
            format!(
                "\r\n--duoku-a\r\ncontent-type: text/plain\r\ncontent-range: bytes {range}/1000\r\n\r\n{bytes}"
            )
        };
        let expected = part("990-999", "0123456789") + &part("0-3", "0123") + "\r\n--duoku-a--\r\n";
        assert_eq!((body.as_ref(), length), (expected.as_bytes(), expected.len()));
    }

    #[tokio::test]
    async fn texts_are_sent_as_their_reader_likes() {
        let text: &'static str = Box::leak("#EXTINF:6.0,\n".repeat(100).into_boxed_str());
        let small = ask_for(text, &Method::GET, &[(ACCEPT_ENCODING, "gzip, br")]);
        let fields = [(CONTENT_ENCODING, "br"), (ETAG, "\"a-br\""), (VARY, "accept-encoding")];
        for (name, value) in fields {
            assert_eq!(small.headers()[&name], value, "{name}");
        }
        let known = [(ACCEPT_ENCODING, "br"), (IF_NONE_MATCH, "\"a-br\"")];
        assert_eq!(ask_for(text, &Method::GET, &known).status(), 304);
        let other = [(ACCEPT_ENCODING, "gzip"), (IF_NONE_MATCH, "\"a-br\"")];
        assert_eq!(ask_for(text, &Method::GET, &other).status(), 200);
        let plain = ask_for(text, &Method::GET, &[]);
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
        assert_eq!(plain.headers()[VARY], "accept-encoding");
        let range = [(ACCEPT_ENCODING, "br"), (RANGE, "bytes=0-1")];
        let range = ask_for(text, &Method::GET, &range);
        assert_eq!(
            (range.status().as_u16(), &range.headers()[ETAG]),
            (206, &"\"a\"".parse().expect("a tag"))
        );
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
