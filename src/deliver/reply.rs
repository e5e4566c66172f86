//! Answers with bytes: conditional requests, ranges, caching (RFC 9110, RFC 9111, RFC 8246).

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_NONE_MATCH, IF_RANGE, RANGE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use super::text::{Encoding, Text};
use super::traffic::Sent;
use super::{Fields, Making, Piece, PiecesBody, Selection, Transport, VirtualFile, select};
use crate::store::{Object, Store};

/// Of pages that strangers made: nothing in them runs, sends or fetches, and they are framed by our
/// own pages alone. They have our origin only so that those can mark words in them and size them.
const SHUT_IN: &str = "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; \
     default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'";

/// Fields of an answer, so that their list need not grow.
const FIELDS: usize = 14;

/// An answer: `server` writes it by HTTP/1.1 itself, or hyper does.
#[derive(Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Fields of its head, each once.
    pub fields: Vec<(HeaderName, HeaderValue)>,
    /// Its bytes.
    pub body: PiecesBody,
}

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
    fn compressed(&self, request: Fields<'_>) -> Option<(Encoding, Bytes)> {
        let Self::Text(text) = self else { return None };
        if request.has(&RANGE) {
            return None;
        }
        let encoding = Encoding::choose(request.get(&ACCEPT_ENCODING)?)?;
        Some((encoding, text.compressed(encoding)?.clone()))
    }
}

impl Reply {
    fn new(sent: Arc<Sent>) -> Self {
        let fields = Vec::with_capacity(FIELDS);
        Self { status: StatusCode::OK, fields, body: PiecesBody::empty(sent) }
    }

    /// Adds the field `name`, which is not there yet.
    pub fn add(&mut self, name: HeaderName, value: &'static str) {
        self.fields.push((name, HeaderValue::from_static(value)));
    }

    fn add_made(&mut self, name: HeaderName, value: String) {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.fields.push((name, value));
        }
    }

    /// An answer about the request alone, which nobody is to keep.
    fn refuse(mut self, status: StatusCode) -> Self {
        self.add(CACHE_CONTROL, "no-store");
        self.add(CONTENT_LENGTH, "0");
        Self { status, ..self }
    }

    fn send(mut self, status: StatusCode, pieces: impl IntoIterator<Item = Piece>) -> Self {
        self.body.extend(pieces);
        self.fields.push((CONTENT_LENGTH, HeaderValue::from(self.body.left())));
        Self { status, ..self }
    }

    /// The same for hyper.
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::new(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.fields);
        response
    }
}

/// Answers a GET or HEAD with `content`: 200, 206, 304, 412 or 416; 200 to more than `most_ranges`.
/// (The server does not send the body of an answer to HEAD.)
#[must_use]
pub fn reply(method: &Method, request: Fields<'_>, content: Content, most_ranges: usize) -> Reply {
    content.sent.answer();
    let compressed = content.bytes.compressed(request);
    let etag = match &compressed {
        Some((encoding, _)) => format!("\"{}-{}\"", content.tag, encoding.as_str()),
        None => format!("\"{}\"", content.tag),
    };
    let mut reply = Reply::new(Arc::clone(&content.sent));
    let matched = matches(request, &etag);
    // A weak mark does not matter here (section 13.1.2).
    let is_known = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == etag;
    let known = tags(request, &IF_NONE_MATCH).any(is_known);
    // A strong tag, or nothing at all: we give no dates (section 13.1.5).
    let same = request.get(&IF_RANGE).is_none_or(|tag| tag.trim() == etag);
    reply.add_made(ETAG, etag);
    if !matched {
        return reply.refuse(StatusCode::PRECONDITION_FAILED);
    }
    if matches!(content.bytes, Source::Text(_)) {
        reply.add(VARY, "accept-encoding");
    }
    if known {
        reply.add(CACHE_CONTROL, caching(content.caching));
        return Reply { status: StatusCode::NOT_MODIFIED, ..reply };
    }
    reply.add(ACCEPT_RANGES, "bytes");
    reply.add(X_CONTENT_TYPE_OPTIONS, "nosniff");
    let length = content.bytes.len();
    // Only GET has ranges (section 14.2).
    let range = request.get(&RANGE).filter(|_| same && method == Method::GET);
    let selection = match &compressed {
        Some(_) => Selection::Whole,
        None => select(range, length, most_ranges),
    };
    if selection == Selection::Unsatisfiable {
        reply.add_made(CONTENT_RANGE, format!("bytes */{length}"));
        return reply.refuse(StatusCode::RANGE_NOT_SATISFIABLE);
    }
    reply.add(CACHE_CONTROL, caching(content.caching));
    if let Some(name) = &content.attachment {
        reply.add_made(CONTENT_DISPOSITION, attachment(name));
    }
    if let Selection::Several(ranges) = &selection {
        return several(reply, &content, ranges);
    }
    reply.add(CONTENT_TYPE, content.media_type);
    if content.media_type.starts_with("text/html") {
        reply.add(CONTENT_SECURITY_POLICY, SHUT_IN);
    }
    if let Some((encoding, bytes)) = compressed {
        reply.add(CONTENT_ENCODING, encoding.as_str());
        return reply.send(StatusCode::OK, [Piece::Memory(bytes)]);
    }
    match selection {
        Selection::Partial(range) => {
            reply.add_made(CONTENT_RANGE, content_range(&range, length));
            reply.send(StatusCode::PARTIAL_CONTENT, [content.bytes.slice(range)])
        }
        _ => reply.send(StatusCode::OK, [content.bytes.slice(0..length)]),
    }
}

/// A body of type `multipart/byteranges` (section 14.6).
fn several(mut reply: Reply, content: &Content, ranges: &[Range<u64>]) -> Reply {
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
    reply.add_made(CONTENT_TYPE, format!("multipart/byteranges; boundary={boundary}"));
    reply.send(StatusCode::PARTIAL_CONTENT, pieces)
}

fn content_range(range: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.start, range.end - 1)
}

/// The entity tags in all lines of a field.
fn tags<'a>(request: Fields<'a>, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    request.all(name).flat_map(|line| line.split(',')).map(str::trim)
}

/// Whether `If-Match` lets the request through: it is not there, or names `etag`,
/// which is strong, as it is (section 13.1.1).
fn matches(request: Fields<'_>, etag: &str) -> bool {
    !request.has(&IF_MATCH) || tags(request, &IF_MATCH).any(|tag| tag == "*" || tag == etag)
}

fn caching(caching: Caching) -> &'static str {
    match caching {
        Caching::Forever => "public, max-age=31536000, immutable",
        Caching::ForeverPrivate => "private, max-age=31536000, immutable",
        Caching::Check => "no-cache",
    }
}

/// RFC 6266: a name in ASCII for old clients, and the true one (RFC 8187).
#[must_use]
pub fn attachment(name: &str) -> String {
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
    use http::HeaderMap;

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
        reply(method, Fields::Map(&request), content, 100).into_response()
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
