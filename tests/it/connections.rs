//! Connections that are silent, slow or many, and the end of the server.

use std::time::Duration;

use rustix::process::Signal;

use crate::app::TestApp;
use crate::client::text_of;
use crate::fixture;
use crate::raw::Raw;

const GET_HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn silent_connections_and_half_heads_are_closed() {
    let app = TestApp::with(&[("DUOKU_SERVER_HEAD_TIMEOUT_MS", "1000")]);
    let mut silent = Raw::connect(app.address());
    let mut half = Raw::connect(app.address());
    half.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ");
    // One byte now and then does not help.
    let mut drip = Raw::connect(app.address());
    let dripping = std::thread::spawn(move || {
        for byte in b"GET /healthz HTTP/1.1\r\n" {
            drip.write_if_open(&[*byte]);
            std::thread::sleep(Duration::from_millis(80));
        }
        drip.rest()
    });
    for (what, connection) in [("silent", &mut silent), ("half", &mut half)] {
        let (_, took) = connection.rest();
        assert!(took < Duration::from_secs(3), "{what}: {took:?}");
    }
    let (_, took) = dripping.join().expect("no panic");
    assert!(took < Duration::from_secs(2), "{took:?}");
    // A good one is left alone, also after its first request.
    let mut good = Raw::connect(app.address());
    good.write(GET_HEALTH);
    assert!(good.head().0.starts_with("HTTP/1.1 200"));
    std::thread::sleep(Duration::from_millis(1500));
    good.write(GET_HEALTH);
    assert!(good.head().0.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn bodies_that_do_not_come_are_not_waited_for() {
    let app = TestApp::with(&[("DUOKU_SERVER_BODY_TIMEOUT_MS", "300")]);
    let head = "POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let head = format!("{head}content-length: 1000\r\n\r\n");
    let mut silent = Raw::connect(app.address());
    silent.write(head.as_bytes());
    let mut drip = Raw::connect(app.address());
    drip.write(head.as_bytes());
    let dripping = std::thread::spawn(move || {
        for _ in 0..60 {
            drip.write_if_open(b" ");
            std::thread::sleep(Duration::from_millis(100));
        }
        drip.rest()
    });
    let (bytes, took) = silent.rest();
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(bytes.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&bytes));
    let (bytes, took) = dripping.join().expect("no panic");
    assert!(took < Duration::from_secs(1), "it was closed while the client dripped: {took:?}");
    assert!(bytes.is_empty() || bytes.starts_with(b"HTTP/1.1 400"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_a_while() {
    let app = TestApp::with(&[("DUOKU_SERVER_IDLE_TIMEOUT_MS", "1000")]);
    let mut idle = Raw::connect(app.address());
    idle.write(GET_HEALTH);
    assert!(idle.head().0.starts_with("HTTP/1.1 200"));
    let (_, took) = idle.rest();
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn heads_that_are_too_long_or_wrong_are_refused() {
    let app = TestApp::start();
    let long =
        format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(100_000));
    let many = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-a: b\r\n".repeat(150));
    for (what, request) in
        [("long", long.as_str()), ("many", &many), ("nonsense", "NONSENSE\r\n\r\n")]
    {
        let mut raw = Raw::connect(app.address());
        raw.write_if_open(request.as_bytes());
        let (bytes, _) = raw.rest();
        let answer = String::from_utf8_lossy(&bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{what}: {answer}");
    }
    let mut raw = Raw::connect(app.address());
    raw.write(GET_HEALTH);
    assert!(raw.head().0.starts_with("HTTP/1.1 200"));
}

/// A download of 12 MiB: path and bytes.
pub(crate) async fn large(app: &TestApp) -> (String, Vec<u8>) {
    let bytes = fixture::noise(12 * 1024 * 1024);
    let admin = app.admin().await;
    let id = admin.upload("a.wav", "长", &bytes).await;
    let path = format!("/media/{id}/original");
    crate::app::eventually("the source is stored", Duration::from_secs(30), || async {
        let resource = admin.get(&format!("/api/resources/{id}")).await.json();
        resource["links"]["original"].is_string().then_some(())
    })
    .await;
    let resource = admin.settled(&id).await;
    assert_eq!(text_of(&resource["links"]["original"]), path);
    (path, bytes)
}

#[tokio::test]
async fn a_client_that_does_not_read_its_download_is_cut() {
    let app = TestApp::with(&[("DUOKU_SERVER_WRITE_TIMEOUT_MS", "1500")]);
    let (path, bytes) = large(&app).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut stuck = Raw::with_small_buffer(app.address());
    stuck.write(request.as_bytes());
    // One that is slow but reads gets all of it.
    let mut slow = Raw::with_small_buffer(app.address());
    slow.write(request.as_bytes());
    let slow = std::thread::spawn(move || slow.slowly(Duration::from_secs(5)));
    std::thread::sleep(Duration::from_secs(5));
    let (read, _) = stuck.rest();
    assert!(read.len() < bytes.len(), "{} bytes came", read.len());
    let read = slow.join().expect("no panic");
    assert!(read.ends_with(&bytes), "{} of {} bytes", read.len(), bytes.len());
}

#[tokio::test]
async fn a_download_under_way_is_finished_when_the_server_stops() {
    let mut app = TestApp::start();
    let (path, bytes) = large(&app).await;
    let mut download = Raw::with_small_buffer(app.address());
    download.write(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
    let (head, mut body) = download.head();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let mut idle = Raw::connect(app.address());
    idle.write(GET_HEALTH);
    idle.head();
    app.server().signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(300));
    assert!(std::net::TcpStream::connect(app.address()).is_err(), "no new connections are taken");
    body.extend(download.slowly(Duration::from_secs(2)));
    assert_eq!(fixture::sha256(&body), fixture::sha256(&bytes), "{} bytes", body.len());
    assert!(idle.rest().1 < Duration::from_secs(2), "idle ones are closed");
    let begun = std::time::Instant::now();
    app.stop();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever_for_downloads_and_events() {
    let mut app = TestApp::with(&[("DUOKU_SERVER_GRACE_MS", "1000")]);
    let (path, _) = large(&app).await;
    let mut stuck = Raw::with_small_buffer(app.address());
    stuck.write(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
    stuck.head();
    let draft = serde_json::json!({ "library": "main", "title": "稿" });
    let admin = app.admin().await;
    let draft = admin.send(http::Method::POST, "/api/resources", &draft).await.expect(201).json();
    let (id, token) = (text_of(&draft["id"]), admin.token.as_deref().expect("a token"));
    let mut events = Raw::connect(app.address());
    let head = format!("GET /api/resources/{id}/events HTTP/1.1\r\nhost: x\r\n");
    events.write(format!("{head}authorization: Bearer {token}\r\n\r\n").as_bytes());
    assert!(events.head().0.starts_with("HTTP/1.1 200"));
    let begun = std::time::Instant::now();
    app.stop();
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn one_address_has_only_so_many_connections() {
    let app = TestApp::with(&[("DUOKU_SERVER_MAX_CONNECTIONS_PER_ADDRESS", "5")]);
    let mut open: Vec<Raw> = (0..5).map(|_| Raw::connect(app.address())).collect();
    for connection in &mut open {
        connection.write(GET_HEALTH);
        assert!(connection.head().0.starts_with("HTTP/1.1 200"));
    }
    let mut beyond = Raw::connect(app.address());
    beyond.write_if_open(GET_HEALTH);
    assert!(beyond.rest().0.is_empty());
    drop(open);
    std::thread::sleep(Duration::from_millis(200));
    let mut again = Raw::connect(app.address());
    again.write(GET_HEALTH);
    assert!(again.head().0.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn one_who_closes_half_a_connection_or_goes_away_leaves_nothing() {
    let app = TestApp::start();
    let (path, _) = large(&app).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    for _ in 0..50 {
        let mut aborted = Raw::with_small_buffer(app.address());
        aborted.write(request.as_bytes());
        aborted.head();
    }
    let mut half: Vec<Raw> = (0..50).map(|_| Raw::connect(app.address())).collect();
    for connection in &mut half {
        connection.write(GET_HEALTH);
        connection.close_half();
        let (bytes, took) = connection.rest();
        assert!(bytes.is_empty() || bytes.starts_with(b"HTTP/1.1 200"));
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    crate::app::eventually("all are gone", Duration::from_secs(5), || async {
        let metrics = app.nobody().get("/metrics").await.text();
        // The one that asks is there.
        let open = metrics.lines().find_map(|line| line.strip_prefix("duoku_connections "));
        (open?.parse::<f64>().ok()? <= 2.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn requests_that_are_piled_up_are_answered_as_they_are_taken() {
    let app = TestApp::start();
    let mut flood = Raw::connect(app.address());
    let piled = GET_HEALTH.repeat(20_000);
    let mut writer = flood.other();
    let writing = std::thread::spawn(move || writer.write_if_open(&piled));
    std::thread::sleep(Duration::from_secs(1));
    let before = app.server().own_memory_kb();
    assert!(before < 200 * 1024, "{before} kB");
    let mut good = Raw::connect(app.address());
    good.write(GET_HEALTH);
    assert!(good.head().0.starts_with("HTTP/1.1 200"), "nobody else waits");
    let mut answers = 0;
    while answers < 20_000 {
        answers += flood.count(b"HTTP/1.1 200");
    }
    writing.join().expect("no panic");
}

/// A slow reader costs a few kilobytes of ours, whatever it reads (shared/bench/findings.md,
/// section 2: `pipeline_flush` would cost all of the body).
#[tokio::test]
async fn slow_readers_cost_little_memory() {
    const READERS: usize = 300;
    let app = TestApp::start();
    let (path, _) = large(&app).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let read = |count: usize| -> Vec<Raw> {
        (0..count)
            .map(|_| {
                let mut reader = Raw::with_small_buffer(app.address());
                reader.write(request.as_bytes());
                reader.head();
                reader
            })
            .collect()
    };
    // What the first ones need once for all of them.
    drop(read(READERS));
    std::thread::sleep(Duration::from_secs(1));
    let before = app.server().own_memory_kb();
    let readers = read(READERS);
    std::thread::sleep(Duration::from_secs(1));
    let each = (app.server().own_memory_kb().saturating_sub(before)) as f64 / READERS as f64;
    // About 25 kB; a copy of what is read would be megabytes.
    assert!(each < 80.0, "{each:.1} kB each");
    drop(readers);
}
