//! Plain HTTP, answered with the same address under https.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, HOST, LOCATION};
use http::uri::Authority;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::Edge;
use super::guarded::Guarded;
use super::limits::Place;

/// Redirects what comes on `stream`, one request.
pub(super) async fn serve_connection(stream: TcpStream, edge: Rc<Edge>, _place: Place) {
    let settings = &edge.app.config.server;
    let head = Duration::from_millis(settings.head_timeout_ms);
    let stream = TokioIo::new(Guarded::new(stream, head));
    let service = hyper::service::service_fn(|request: Request<Incoming>| {
        let response = respond(&request, &settings.public_url, edge.port);
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(settings.max_head_bytes)
        .max_headers(settings.max_head_lines)
        .keep_alive(false)
        .serve_connection(stream, service);
    // Twice the deadline of a head: one for it, one for reading the answer.
    let _ = tokio::time::timeout(head * 2, connection).await;
}

/// 308, so that a POST stays one (RFC 9110 section 15.4.9); 400 without a host to go to.
fn respond<B>(request: &Request<B>, public_url: &str, port: u16) -> Response<Empty<bytes::Bytes>> {
    let mut response = Response::new(Empty::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let target = origin(request, public_url, port)
        .and_then(|origin| HeaderValue::from_str(&format!("{origin}{path}")).ok());
    match target {
        Some(target) => {
            headers.insert(LOCATION, target);
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        }
        None => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}

/// Where people are to go: `public_url` when it is https, else the host that they asked for.
fn origin<B>(request: &Request<B>, public_url: &str, port: u16) -> Option<String> {
    if public_url.starts_with("https://") {
        return Some(public_url.trim_end_matches('/').to_owned());
    }
    let host: Authority = request.headers().get(HOST)?.to_str().ok()?.parse().ok()?;
    let host = host.host();
    Some(if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(uri: &str, host: &str, public_url: &str, port: u16) -> String {
        let request = Request::builder().uri(uri).header(HOST, host).body(()).expect("a request");
        let response = respond(&request, public_url, port);
        response
            .headers()
            .get(LOCATION)
            .map_or(String::new(), |value| value.to_str().expect("ASCII").to_owned())
    }

    #[test]
    fn the_same_address_under_https() {
        assert_eq!(location("/a?b=c", "x.cn", "", 443), "https://x.cn/a?b=c");
        assert_eq!(location("/", "x.cn:80", "", 8443), "https://x.cn:8443/");
        assert_eq!(location("/", "[::1]:80", "", 443), "https://[::1]/");
        assert_eq!(location("/a", "evil.cn", "https://x.cn/", 443), "https://x.cn/a");
        assert_eq!(location("/", "a b", "", 443), "", "no host, no redirect");
    }
}
