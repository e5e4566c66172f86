//! Answers that are given without hyper, on connections that go on with it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rustix::process::Signal;

use crate::app::TestApp;
use crate::http::original;
use crate::raw::Raw;

/// A request; `fields` are whole lines.
fn request(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n")
}

/// Reads an answer of which `read` came already: its head, its body, and what came after it.
fn next(raw: &mut Raw, read: Vec<u8>, is_head: bool) -> (String, Vec<u8>, Vec<u8>) {
    let (head, mut rest) = raw.head_after(read);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.filter(|_| !is_head).map_or(0, |length| length.parse().expect("a number"));
    raw.fill(&mut rest, length);
    let after = rest.split_off(length);
    (head, rest, after)
}

/// Lines of a head that say something about the answer, sorted.
fn lines(head: &str) -> Vec<&str> {
    let of_connection = ["date: ", "connection: ", "x-request-id: "];
    let mut lines: Vec<_> =
        head.lines().filter(|line| !of_connection.iter().any(|of| line.starts_with(of))).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn an_answer_is_the_same_without_hyper() {
    let app = TestApp::start();
    let (nobody, path, _) = original(&app).await;
    let etag = nobody.get(&path).await.header("etag").to_owned();
    let missing = path.replace("original", "missing");
    for (method, path, fields) in [
        ("GET", &path, String::new()),
        ("GET", &format!("{path}?a=b"), String::new()),
        ("HEAD", &path, String::new()),
        ("GET", &path, "RANGE: bytes=5-99\r\n".into()),
        ("GET", &path, "Range: bytes=5-6, 5000-5001\r\n".into()),
        ("GET", &path, "Range: bytes=100000-\r\n".into()),
        ("GET", &path, format!("If-None-Match: \"x\"\r\nif-none-match: {etag}\r\n")),
        ("GET", &path, "If-Match: \"x\"\r\n".into()),
        ("GET", &missing, String::new()),
        ("POST", &path, "content-length: 0\r\n".into()),
    ] {
        let ask = |more: &str| {
            let mut raw = Raw::connect(app.address());
            raw.write(request(method, path, &format!("{fields}{more}")).as_bytes());
            next(&mut raw, Vec::new(), method == "HEAD")
        };
        let (ours, hypers) = (ask("Connection: Keep-Alive\r\n"), ask("Connection: close\r\n"));
        assert_eq!(lines(&ours.0), lines(&hypers.0), "{method} {path} {fields}");
        assert!(ours.0.contains("\r\ndate: ") && hypers.0.contains("\r\ndate: "));
        assert!(ours.1 == hypers.1 && ours.2.is_empty(), "{method} {path} {fields}");
    }
}

#[tokio::test]
async fn requests_may_come_in_any_pieces() {
    let app = TestApp::start();
    let (_, path, bytes) = original(&app).await;
    let all = [
        request("GET", &path, "range: bytes=1-3\r\n"),
        request("HEAD", &path, ""),
        request("GET", &path, &format!("x-long: {}\r\n", "a".repeat(3000))),
        request("GET", &path, "range: bytes=-2\r\n"),
        request("GET", "/healthz", ""),
        request("GET", &path, "range: bytes=0-0\r\n"),
    ]
    .concat();
    let answers = [&bytes[1..4], &[], &bytes, &bytes[99_998..], b"ok\n", &bytes[..1]];
    let cuts = prop::collection::vec(0..all.len(), 0..6);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let sent = runner.run(&cuts, |mut cuts| {
        cuts.sort_unstable();
        cuts.push(all.len());
        let mut raw = Raw::connect(app.address());
        let mut from = 0;
        for cut in cuts {
            raw.write(&all.as_bytes()[from..cut]);
            std::thread::sleep(Duration::from_millis(2));
            from = cut;
        }
        let mut read = Vec::new();
        for (number, expected) in answers.iter().enumerate() {
            let (head, body, after) = next(&mut raw, read, number == 1);
            prop_assert!(head.starts_with("HTTP/1.1 20"), "{head}");
            prop_assert!(body == *expected, "answer {number}");
            read = after;
        }
        prop_assert!(read.is_empty());
        Ok(())
    });
    sent.expect("every answer");
}

#[tokio::test]
async fn what_is_not_plain_is_for_hyper() {
    let app = TestApp::start();
    let (_, path, bytes) = original(&app).await;
    let range = "range: bytes=0-3\r\n";
    // A body that belongs to a GET must not be read as the next request.
    let hidden = request("GET", "/nothing", "");
    let body = format!("{range}content-length: {}\r\n", hidden.len());
    let chunks = format!("{range}transfer-encoding: chunked\r\n");
    let chunked = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    let old = format!("GET {path} HTTP/1.0\r\n{range}\r\n");
    for sent in [
        request("GET", &path, &body) + &hidden,
        request("GET", &path, &chunks) + &chunked,
        request("GET", &path, &format!("{range}{}", "x-a: b\r\n".repeat(90))),
        request("GET", &path, &format!("{range}x-a: {}\r\n", "a".repeat(9000))),
        request("GET", &format!("http://x{path}"), range),
        old,
    ] {
        let mut raw = Raw::connect(app.address());
        raw.write(sent.as_bytes());
        let (head, body, after) = next(&mut raw, Vec::new(), false);
        assert!(head.contains(" 206 ") && body == bytes[..4] && after.is_empty(), "{sent}\n{head}");
    }
    for wrong in ["GET /media/x HTTP/1.1\r\nno colon\r\n\r\n", "GET  /media/x HTTP/1.1\r\n\r\n"] {
        let mut raw = Raw::connect(app.address());
        raw.write(wrong.as_bytes());
        let (bytes, _) = raw.rest();
        assert!(bytes.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&bytes));
    }
}

#[tokio::test]
async fn a_watching_connection_is_closed_when_it_idles_and_at_a_stop() {
    let mut app = TestApp::with(&[
        ("DUOKU_SERVER_IDLE_TIMEOUT_MS", "1500"),
        ("DUOKU_SERVER_HEAD_TIMEOUT_MS", "500"),
    ]);
    let (_, path, _) = original(&app).await;
    let asked = request("HEAD", &path, "");
    let connect = |app: &TestApp| {
        let mut raw = Raw::connect(app.address());
        raw.write(asked.as_bytes());
        next(&mut raw, Vec::new(), true);
        raw
    };
    let (mut idle, mut drip) = (connect(&app), connect(&app));
    let mut writer = drip.other();
    let dripping = std::thread::spawn(move || {
        for byte in format!("HEAD {path} HTTP/1.1\r\nx-slow: {}", "a".repeat(60)).bytes() {
            writer.write_if_open(&[byte]);
            std::thread::sleep(Duration::from_millis(40));
        }
    });
    for (what, raw) in [("idle", &mut idle), ("drip", &mut drip)] {
        let (bytes, took) = raw.rest();
        assert!(bytes.is_empty() && took < Duration::from_secs(3), "{what}: {took:?}");
    }
    dripping.join().expect("no panic");
    let mut watching = connect(&app);
    app.server().signal(Signal::TERM);
    let (bytes, took) = watching.rest();
    assert!(bytes.is_empty() && took < Duration::from_millis(1000), "{took:?}");
    app.stop();
}
