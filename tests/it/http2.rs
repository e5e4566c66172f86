//! HTTP/2: what it must do as well as HTTP/1.1, and what only its clients can do wrong.

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::app::TestApp;
use crate::client::{Answer, metadata};
use crate::connections::large;
use crate::fixture;

/// The preface of a client (RFC 9113 section 3.4), with empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A connection of HTTP/2.
pub(crate) struct H2 {
    send: SendRequest<Bytes>,
    /// Ends with the connection.
    pub ended: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

/// HTTP/2 on `stream`.
pub(crate) async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> H2 {
    with_window(stream, 65_535).await
}

/// HTTP/2 whose client takes `window` bytes of each answer before it must say more.
async fn with_window(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    window: u32,
) -> H2 {
    let (send, connection) = h2::client::Builder::new()
        .initial_window_size(window)
        .handshake(stream)
        .await
        .expect("a handshake");
    H2 { send, ended: tokio::spawn(connection) }
}

/// HTTP/2 without TLS, by prior knowledge (RFC 9113 section 3.3).
async fn connect(app: &TestApp) -> H2 {
    over(TcpStream::connect(app.address()).await.expect("connected")).await
}

impl H2 {
    pub(crate) async fn get(&mut self, url: &str) -> Answer {
        self.send("GET", url, &[], Bytes::new()).await
    }

    /// Sends a request and reads all of the answer.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        url: &str,
        fields: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let body = body.into();
        let mut sender = self.send.clone().ready().await.expect("the connection is open");
        let (response, mut stream) = sender
            .send_request(request.body(()).expect("a request"), body.is_empty())
            .expect("sent");
        if !body.is_empty() {
            stream.send_data(body, true).expect("sent");
        }
        let (head, mut body) = response.await.expect("an answer").into_parts();
        let mut bytes = Vec::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk.expect("a whole body");
            body.flow_control().release_capacity(chunk.len()).expect("ours");
            bytes.extend(chunk);
        }
        Answer { status: head.status.as_u16(), headers: head.headers, body: bytes.into() }
    }

    /// Sends a GET; gives the head and the body, of which nothing is taken yet.
    async fn begin(&mut self, url: &str) -> (HeaderMap, h2::RecvStream) {
        let request = Request::get(url).body(()).expect("a request");
        let mut sender = self.send.clone().ready().await.expect("the connection is open");
        let (response, _) = sender.send_request(request, true).expect("sent");
        let (head, body) = response.await.expect("an answer").into_parts();
        assert_eq!(head.status, 200);
        (head.headers, body)
    }
}

#[tokio::test]
async fn requests_go_side_by_side_and_bytes_are_right() {
    let app = TestApp::start();
    let (path, bytes) = large(&app).await;
    let mut h2 = connect(&app).await;
    let download = h2.get(&format!("http://x{path}")).await;
    assert_eq!(fixture::sha256(&download.body), fixture::sha256(&bytes));
    let part = [("range", "bytes=5-9")];
    let part = h2.send("GET", &format!("http://x{path}"), &part, Bytes::new()).await;
    assert_eq!((part.status, &part.body[..]), (206, &bytes[5..10]));
    let head = h2.send("HEAD", &format!("http://x{path}"), &[], Bytes::new()).await;
    assert_eq!(head.header("content-length"), bytes.len().to_string());

    let many = (0..50).map(|number| {
        let mut h2 = H2 { send: h2.send.clone(), ended: tokio::spawn(async { Ok(()) }) };
        async move { h2.get(&format!("http://x/api/search?q={number}")).await.status }
    });
    assert!(futures::future::join_all(many).await.into_iter().all(|status| status == 200));

    let admin = app.admin().await;
    let bearer = format!("Bearer {}", admin.token.as_deref().expect("a token"));
    let picture = fixture::picture(3);
    let (length, facts) =
        (picture.len().to_string(), metadata(&[("filename", "a.bmp"), ("library", "main")]));
    let fields = [
        ("authorization", bearer.as_str()),
        ("tus-resumable", "1.0.0"),
        ("upload-length", &length),
        ("upload-metadata", &facts),
        ("content-type", "application/offset+octet-stream"),
    ];
    let made = h2.send("POST", "http://x/api/uploads", &fields, picture).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let resource = admin.settled(made.header("duoku-resource")).await;
    assert_eq!(resource["stage"], "published", "{resource:#}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut() {
    let app = TestApp::with(&[
        ("DUOKU_SERVER_WRITE_TIMEOUT_MS", "1500"),
        ("DUOKU_SERVER_HEAD_TIMEOUT_MS", "1000"),
        ("DUOKU_SERVER_IDLE_TIMEOUT_MS", "1000"),
        // Pings that are answered do not help.
        ("DUOKU_SERVER_HTTP2_PING_MS", "200"),
    ]);
    let (path, bytes) = large(&app).await;
    let url = format!("http://x{path}");
    let mut stuck = connect(&app).await;
    let (_, _held) = stuck.begin(&url).await;
    // One that is slow but reads gets all of it.
    let mut slow = connect(&app).await;
    let (_, mut body) = slow.begin(&url).await;
    let slow = tokio::spawn(async move {
        let mut taken = 0;
        while let Some(chunk) = body.data().await {
            let length = chunk.expect("a whole body").len();
            body.flow_control().release_capacity(length).expect("ours");
            taken += length;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        taken
    });
    let begun = Instant::now();
    let _ =
        tokio::time::timeout(Duration::from_secs(6), &mut stuck.ended).await.expect("it is cut");
    assert!(begun.elapsed() > Duration::from_millis(1000), "{:?}", begun.elapsed());
    assert_eq!(slow.await.expect("no panic"), bytes.len());
    assert!(begun.elapsed() > Duration::from_millis(3000), "slow enough: {:?}", begun.elapsed());
}

#[tokio::test]
async fn who_asks_for_nothing_is_closed() {
    let app = TestApp::with(&[
        ("DUOKU_SERVER_HEAD_TIMEOUT_MS", "1000"),
        ("DUOKU_SERVER_IDLE_TIMEOUT_MS", "1500"),
        ("DUOKU_SERVER_HTTP2_PING_MS", "200"),
    ]);
    let begun = Instant::now();
    let silent = connect(&app).await;
    let mut idle = connect(&app).await;
    assert_eq!(idle.get("http://x/healthz").await.status, 200);
    let _ = tokio::time::timeout(Duration::from_secs(3), silent.ended).await.expect("closed");
    let goodbye = tokio::time::timeout(Duration::from_secs(5), idle.ended).await.expect("closed");
    goodbye.expect("no panic").expect("with a word: it was only idle");
    assert!(begun.elapsed() > Duration::from_millis(1400), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = TestApp::with(&[("DUOKU_SERVER_BODY_TIMEOUT_MS", "300")]);
    let mut h2 = connect(&app).await;
    let request = Request::post("http://x/api/session").header("content-type", "application/json");
    let request = request.body(()).expect("a request");
    let mut sender = h2.send.clone().ready().await.expect("open");
    let (response, _body) = sender.send_request(request, false).expect("sent");
    let response = tokio::time::timeout(Duration::from_secs(3), response).await.expect("in time");
    assert_eq!(response.expect("an answer").status(), 400);
    assert_eq!(h2.get("http://x/healthz").await.status, 200, "others are left alone");
}

#[tokio::test]
async fn floods_end_their_connection_and_nothing_else() {
    let app = TestApp::start();
    // Streams that are reset at once (CVE-2023-44487): HEADERS and RST_STREAM, again and again.
    let mut resets = PREFACE.to_vec();
    for number in 0..5000_u32 {
        let id = (number * 2 + 1).to_be_bytes();
        // GET, http, "/", by the static table (RFC 7541 appendix A), END_STREAM and END_HEADERS.
        resets.extend([0, 0, 3, 1, 5, id[0], id[1], id[2], id[3], 0x82, 0x86, 0x84]);
        resets.extend([0, 0, 4, 3, 0, id[0], id[1], id[2], id[3], 0, 0, 0, 8]);
    }
    // A head that never ends: CONTINUATION after CONTINUATION (VU#421644).
    let mut endless = PREFACE.to_vec();
    endless.extend([0, 0, 3, 1, 1, 0, 0, 0, 1, 0x82, 0x86, 0x84]);
    for _ in 0..2000 {
        endless.extend([0, 0x10, 0, 9, 0, 0, 0, 0, 1]);
        endless.extend(std::iter::repeat_n(0x84, 0x1000));
    }
    // Empty frames of settings and pings without end.
    let mut chatter = PREFACE.to_vec();
    for _ in 0..200_000 {
        chatter.extend([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
    for (what, bytes, must_close) in
        [("resets", resets, true), ("endless head", endless, true), ("pings", chatter, false)]
    {
        let mut stream = TcpStream::connect(app.address()).await.expect("connected");
        let (mut read, mut write) = stream.split();
        let mut answer = Vec::new();
        let flood = async {
            // It may be cut while we write.
            let _ = write.write_all(&bytes).await;
            if !must_close {
                let _ = write.shutdown().await;
            }
        };
        let reading = async {
            let _ = read.read_to_end(&mut answer).await;
        };
        let both = futures::future::join(flood, reading);
        tokio::time::timeout(Duration::from_secs(10), both).await.expect(what);
    }
    let memory = app.server().own_memory_kb();
    assert!(memory < 200 * 1024, "{memory} kB");
    let mut good = connect(&app).await;
    assert_eq!(good.get("http://x/healthz").await.status, 200);
    // A head beyond the bound is refused, on its stream alone.
    let long = "a".repeat(60_000);
    let answer = good.send("GET", "http://x/healthz", &[("x-long", &long)], Bytes::new()).await;
    assert_eq!(answer.status, 431);
    assert_eq!(good.get("http://x/healthz").await.status, 200);
}

#[tokio::test]
async fn a_download_under_way_is_finished_when_the_server_stops() {
    let mut app = TestApp::start();
    let (path, bytes) = large(&app).await;
    let mut h2 = connect(&app).await;
    let (_, mut body) = h2.begin(&format!("http://x{path}")).await;
    let mut idle = connect(&app).await;
    assert_eq!(idle.get("http://x/healthz").await.status, 200);
    app.server().signal(Signal::TERM);
    let goodbye = tokio::time::timeout(Duration::from_secs(2), idle.ended).await.expect("closed");
    goodbye.expect("no panic").expect("with a word");
    let mut taken = 0;
    while let Some(chunk) = body.data().await {
        let length = chunk.expect("a whole body").len();
        body.flow_control().release_capacity(length).expect("ours");
        taken += length;
    }
    assert_eq!(taken, bytes.len());
    app.stop();
}

#[tokio::test]
async fn only_so_many_requests_go_side_by_side() {
    let app = TestApp::with(&[("DUOKU_SERVER_HTTP2_MAX_STREAMS", "10")]);
    let (path, _) = large(&app).await;
    let mut h2 = with_window(TcpStream::connect(app.address()).await.expect("connected"), 0).await;
    let mut held = Vec::new();
    for _ in 0..10 {
        held.push(h2.begin(&format!("http://x{path}")).await);
    }
    let url = format!("http://x{path}");
    let more = h2.begin(&url);
    assert!(tokio::time::timeout(Duration::from_millis(500), more).await.is_err(), "it waits");
}
