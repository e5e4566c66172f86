//! TLS of our own: what is spoken, certificates that change, plain HTTP beside it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion, version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::app::{PASSWORD, TestApp, eventually};
use crate::http2;
use crate::raw::Raw;

const NAME: &str = "learn.example";

const GET_HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: learn.example\r\n\r\n";

/// A certificate in two files.
struct Files {
    chain: PathBuf,
    key: PathBuf,
}

impl Files {
    fn of(app: &TestApp) -> Self {
        Self { chain: app.desk().join("chain.pem"), key: app.desk().join("key.pem") }
    }

    /// Makes another certificate; gives it for a client to trust.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
        std::fs::write(&self.chain, made.cert.pem()).expect("written");
        std::fs::write(&self.key, made.signing_key.serialize_pem()).expect("written");
        made.cert.der().clone()
    }
}

/// A server that speaks TLS, and what to trust.
fn serve(settings: &[(&str, &str)]) -> (TestApp, Files, CertificateDer<'static>) {
    let mut app = TestApp::stopped(settings);
    let files = Files::of(&app);
    let trusted = files.renew();
    app.set("DUOKU_SERVER_TLS_CERTIFICATE", files.chain.to_str().expect("UTF-8"));
    app.set("DUOKU_SERVER_TLS_KEY", files.key.to_str().expect("UTF-8"));
    app.serve(&[]);
    (app, files, trusted)
}

/// A client that trusts `certificate` and offers `protocol`.
fn client(
    certificate: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
    protocol: &str,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("known versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Arc::new(config)
}

async fn connect(
    app: &TestApp,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(app.address()).await?;
    let name = ServerName::try_from(NAME).expect("a name");
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await
}

/// Sends a request of HTTP/1.1 and reads the head of the answer, and its body if it has a length.
async fn ask(stream: &mut TlsStream<TcpStream>, request: &[u8]) -> String {
    stream.write_all(request).await.expect("written");
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length: ").and_then(|text| text.parse().ok())
            });
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        assert!(stream.read_buf(&mut bytes).await.expect("read") > 0, "closed: {bytes:?}");
    }
}

#[tokio::test]
async fn both_versions_and_both_protocols_are_spoken() {
    let (app, _, trusted) = serve(&[]);
    for version in [&version::TLS12, &version::TLS13] {
        let config = client(&trusted, version, "http/1.1");
        let mut stream = connect(&app, &config).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        for _ in 0..2 {
            let answer = ask(&mut stream, GET_HEALTH).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.contains("strict-transport-security: max-age=15552000"), "{answer}");
        }
        // The second connection goes on with the session of the first one.
        let again = connect(&app, &config).await.expect("a handshake");
        assert_eq!(again.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));

        let stream = connect(&app, &client(&trusted, version, "h2")).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let mut h2 = http2::over(stream).await;
        let answer = h2.get("https://learn.example/healthz").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("strict-transport-security"), "max-age=15552000");
        let page = h2.get("https://learn.example/").await;
        assert!(page.text().contains("https://learn.example/"), "links are to https");
    }
}

#[tokio::test]
async fn cookies_are_secure_and_writes_by_http2_are_our_own() {
    let (app, _, trusted) = serve(&[]);
    let stream = connect(&app, &client(&trusted, &version::TLS13, "h2")).await.expect("TLS");
    let mut h2 = http2::over(stream).await;
    let login = serde_json::json!({ "name": "admin", "password": PASSWORD }).to_string();
    let url = "https://learn.example/api/session";
    let fields = [("content-type", "application/json"), ("origin", "https://learn.example")];
    let answer = h2.send("POST", url, &fields, login.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.contains("; Secure") && cookie.contains("HttpOnly"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair");
    let ours = [("cookie", cookie), ("origin", "https://learn.example")];
    assert_eq!(h2.send("DELETE", url, &ours, String::new()).await.status, 204);
    let foreign = [("content-type", "application/json"), ("origin", "https://evil.example")];
    assert_eq!(h2.send("POST", url, &foreign, login).await.status, 403);
}

#[tokio::test]
async fn a_new_certificate_is_taken_without_dropping_connections() {
    let (app, files, first) = serve(&[]);
    let config = client(&first, &version::TLS13, "http/1.1");
    let mut open = connect(&app, &config).await.expect("a handshake");
    assert!(ask(&mut open, GET_HEALTH).await.starts_with("HTTP/1.1 200"));

    // Half a renewal: the old one stays, and the log says why.
    std::fs::write(&files.key, "no key").expect("written");
    app.server().signal(Signal::HUP);
    eventually("the log tells", Duration::from_secs(5), || async {
        app.logged().contains("the old certificate stays in use").then_some(())
    })
    .await;
    connect(&app, &config).await.expect("still the old one");

    let second = files.renew();
    app.server().signal(Signal::HUP);
    let renewed = client(&second, &version::TLS13, "http/1.1");
    eventually("the new one is used", Duration::from_secs(5), || async {
        connect(&app, &renewed).await.ok()
    })
    .await;
    assert!(ask(&mut open, GET_HEALTH).await.starts_with("HTTP/1.1 200"), "it goes on");
}

#[tokio::test]
async fn who_does_not_finish_a_handshake_is_closed() {
    let (app, _, trusted) = serve(&[("DUOKU_SERVER_HEAD_TIMEOUT_MS", "1000")]);
    let begun = Instant::now();
    let mut silent = Raw::connect(app.address());
    let mut half = Raw::connect(app.address());
    half.write(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);
    let config = client(&trusted, &version::TLS13, "http/1.1");
    let mut without_request = connect(&app, &config).await.expect("a handshake");
    for connection in [&mut silent, &mut half] {
        assert!(connection.rest().1 < Duration::from_secs(3));
    }
    let mut rest = Vec::new();
    // Cut without a word, or closed.
    let _ = without_request.read_to_end(&mut rest).await;
    assert!(rest.is_empty() && begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let mut plain = Raw::connect(app.address());
    plain.write_if_open(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(plain.rest().1 < Duration::from_secs(1));
}

#[tokio::test]
async fn plain_http_is_redirected() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let redirect = free.local_addr().expect("an address").to_string();
    drop(free);
    let (app, ..) = serve(&[
        ("DUOKU_SERVER_REDIRECT_LISTEN", &redirect),
        ("DUOKU_SERVER_HEAD_TIMEOUT_MS", "1000"),
    ]);
    let port = app.address().rsplit_once(':').expect("a port").1;
    let mut raw = Raw::connect(&redirect);
    raw.write(
        b"POST /api/uploads?a=b HTTP/1.1\r\nhost: learn.example:80\r\ncontent-length: 5\r\n\r\n",
    );
    let (head, _) = raw.head();
    assert!(head.starts_with("HTTP/1.1 308"), "{head}");
    let target = format!("location: https://learn.example:{port}/api/uploads?a=b\r\n");
    assert!(head.contains(&target), "{head}");
    assert!(!head.contains("strict-transport-security"), "not over plain HTTP: {head}");
    let mut silent = Raw::connect(&redirect);
    assert!(silent.rest().1 < Duration::from_secs(4));
}
