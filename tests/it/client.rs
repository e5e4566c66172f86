//! Who speaks with the server, and what it answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method};
use reqwest::RequestBuilder;
use serde_json::Value;

use crate::app::eventually;

/// Longest time that a test waits for a resource.
const PROCESSING: Duration = Duration::from_secs(120);

/// Somebody, or nobody, who makes requests.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    pub token: Option<String>,
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A field of the head; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Itself, when it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.text());
        self
    }
}

/// Sends a request and reads the answer to its end.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await.expect("a whole body"),
    }
}

/// The same; `None` when the connection or the body breaks off.
pub(crate) async fn try_answer(request: RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Some(Answer { status, headers, body: response.bytes().await.ok()? })
}

impl Client {
    pub(crate) fn new(address: &str, token: Option<String>) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self { http, base: format!("http://{address}"), token }
    }

    /// The same caller, at a server that was started again.
    pub(crate) fn at(&self, address: &str) -> Self {
        Self::new(address, self.token.clone())
    }

    /// A request to be finished with headers and a body. `path` may be a whole URL.
    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http://") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.ask(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        answer(self.ask(Method::POST, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        answer(self.ask(Method::DELETE, path)).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        answer(self.ask(method, path).json(body)).await
    }

    /// Begins an upload of `length` bytes by tus.
    pub(crate) fn create(&self, name: &str, length: usize) -> RequestBuilder {
        self.ask(Method::POST, "/api/uploads")
            .header("tus-resumable", "1.0.0")
            .header("upload-length", length)
            .header("upload-metadata", metadata(&[("filename", name), ("library", "main")]))
    }

    /// Sends `bytes` from `offset` on.
    pub(crate) fn piece(&self, url: &str, offset: usize, bytes: &[u8]) -> RequestBuilder {
        self.ask(Method::PATCH, url)
            .header("tus-resumable", "1.0.0")
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", offset)
            .body(bytes.to_vec())
    }

    /// What the server has of an upload, by HEAD.
    pub(crate) async fn offset(&self, url: &str) -> usize {
        let head = answer(self.ask(Method::HEAD, url).header("tus-resumable", "1.0.0")).await;
        head.expect(200).header("upload-offset").parse().expect("a number")
    }

    /// Uploads a whole file in one request; gives the resource's id.
    pub(crate) async fn upload(&self, name: &str, title: &str, bytes: &[u8]) -> String {
        self.upload_into("main", name, title, bytes).await
    }

    /// Uploads a whole file into a library; gives the resource's id.
    pub(crate) async fn upload_into(
        &self,
        library: &str,
        name: &str,
        title: &str,
        bytes: &[u8],
    ) -> String {
        let facts = metadata(&[("filename", name), ("library", library), ("title", title)]);
        let request = self
            .ask(Method::POST, "/api/uploads")
            .header("tus-resumable", "1.0.0")
            .header("upload-length", bytes.len())
            .header("upload-metadata", facts)
            .header("content-type", "application/offset+octet-stream")
            .body(bytes.to_vec());
        answer(request).await.expect(201).header("duoku-resource").to_owned()
    }

    /// The resource, once nothing works on it any more.
    pub(crate) async fn settled(&self, id: &str) -> Value {
        let path = format!("/api/resources/{id}");
        eventually(&format!("{path} settles"), PROCESSING, || async {
            let resource = self.get(&path).await.expect(200).json();
            let working = ["draft", "processing"].contains(&resource["stage"].as_str()?);
            (!working).then_some(resource)
        })
        .await
    }

    /// Uploads a file and waits until it is published.
    pub(crate) async fn published(&self, name: &str, title: &str, bytes: &[u8]) -> Value {
        let id = self.upload(name, title, bytes).await;
        let resource = self.settled(&id).await;
        assert_eq!(resource["stage"], "published", "{resource:#}");
        resource
    }

    pub(crate) async fn search(&self, q: &str) -> Value {
        self.get(&format!("/api/search?q={}", encode(q))).await.expect(200).json()
    }

    /// Ids of what a search finds.
    pub(crate) async fn found(&self, q: &str) -> Vec<String> {
        let result = self.search(q).await;
        let hits = result["hits"].as_array().expect("a list");
        hits.iter().map(|hit| hit["resource"].as_str().expect("an id").to_owned()).collect()
    }
}

/// `Upload-Metadata`.
pub(crate) fn metadata(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
    pairs.collect::<Vec<_>>().join(",")
}

/// Percent-encoding of everything that is not plain.
pub(crate) fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Text of a JSON value.
#[track_caller]
pub(crate) fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
