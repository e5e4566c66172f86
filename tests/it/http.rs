//! HTTP as the standards have it: problems, ranges, conditions, methods, limits.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::{Answer, Client, answer, text_of};
use crate::fixture;
use crate::raw::Raw;

#[tokio::test]
async fn problems_are_told_in_the_language_that_was_asked_for() {
    let app = TestApp::start();
    let nobody = app.nobody();
    let ask = |language: &str| {
        answer(nobody.ask(Method::GET, "/api/nothing").header("accept-language", language))
    };
    for (language, zh) in
        [("zh-CN", true), ("en-US,en;q=0.9", false), ("zh-TW,en;q=0.8", true), ("fr", true)]
    {
        let answer = ask(language).await.expect(404);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("cache-control"), "no-store");
        let problem = answer.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(404), &json!("not_found")));
        assert!(text_of(&problem["type"]).starts_with("urn:duoku:problem:"), "{problem}");
        let detail = text_of(&problem["detail"]);
        if language != "fr" {
            assert_eq!(detail.contains("没有找到"), zh, "{language}: {detail}");
        }
        assert!(!text_of(&problem["title"]).is_empty());
    }
}

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_gets_data() {
    let app = TestApp::start();
    let nobody = app.nobody();
    let browser = nobody.ask(Method::GET, "/nothing").header("accept", "text/html,*/*;q=0.8");
    let page = answer(browser).await.expect(404);
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    assert!(page.text().contains("<html") && page.text().contains("没有找到"), "{}", page.text());
    let program = nobody.get("/nothing").await.expect(404);
    assert_eq!(program.header("content-type"), "application/problem+json");
    let api = nobody.ask(Method::GET, "/api/nothing").header("accept", "text/html");
    assert_eq!(answer(api).await.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn wrong_methods_and_wrong_bodies_are_told_apart() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let resource = admin.published("p.bmp", "图", &fixture::picture(1)).await;
    let path = format!("/api/resources/{}", text_of(&resource["id"]));
    let wrong = admin.ask(Method::PUT, &path);
    let wrong = answer(wrong).await.expect(405);
    assert_eq!(wrong.json()["code"], "method");
    let allowed: BTreeSet<&str> = wrong.header("allow").split(',').map(str::trim).collect();
    assert!(allowed.is_superset(&BTreeSet::from(["GET", "PATCH", "DELETE"])), "{allowed:?}");
    admin.post("/api/search").await.expect(405);
    admin.delete("/healthz").await.expect(405);
    let original = text_of(&resource["links"]["original"]);
    admin.post(original).await.expect(405);

    let patch = |body: &str, kind: &str| {
        answer(admin.ask(Method::PATCH, &path).header("content-type", kind).body(body.to_owned()))
    };
    for garbage in ["", "{", "{\"title\":", "\u{1}", "{\"title\": \"a\"} x"] {
        let answer = patch(garbage, "application/json").await.expect(400);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{garbage:?}");
    }
    for unusable in [
        "[]",
        "null",
        "{\"title\": 5}",
        "{\"titel\": \"x\"}",
        "{\"title\": \"\"}",
        "{\"title\": null, \"topics\": \"x\"}",
        "{\"topics\": [\"nonsense\"]}",
        "{\"poster\": 99}",
    ] {
        let answer = patch(unusable, "application/json").await.expect(422);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{unusable:?}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = patch(&deep, "application/json").await;
    assert!([400, 422].contains(&answer.status), "{}", answer.status);
    patch("title=x", "application/x-www-form-urlencoded").await.expect(415);
    patch("{}", "text/plain").await.expect(415);
    let large = format!("{{\"title\": \"{}\"}}", "a".repeat(3_000_000));
    patch(&large, "application/json").await.expect(413);
    let long = json!({ "title": "长".repeat(1025) });
    admin.send(Method::PATCH, &path, &long).await.expect(422);
    let half = json!({ "title": "新", "poster": 99 });
    admin.send(Method::PATCH, &path, &half).await.expect(422);
    assert_eq!(admin.get(&path).await.json()["title"], "图", "nothing was changed");
    admin.send(Method::PATCH, &path, &json!({})).await.expect(200);
}

/// An `original` of 100,000 bytes: (client, address, bytes).
pub(crate) async fn original(app: &TestApp) -> (Client, String, Vec<u8>) {
    let bytes = fixture::noise(100_000);
    let resource = app.admin().await.published("渔 歌.wav", "渔歌", &bytes).await;
    (app.nobody(), text_of(&resource["links"]["original"]).to_owned(), bytes)
}

#[tokio::test]
async fn ranges_of_the_original_media_are_right() {
    let app = TestApp::start();
    let (nobody, path, bytes) = original(&app).await;
    let range = |value: &str| answer(nobody.ask(Method::GET, &path).header("range", value));
    for (value, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=0-499", 0, 500),
        ("bytes=99999-", 99_999, 100_000),
        ("bytes=99990-200000", 99_990, 100_000),
        ("bytes=-1", 99_999, 100_000),
        // A suffix longer than the file is all of it (RFC 9110 section 14.1.2).
        ("bytes=-200000", 0, 100_000),
        ("bytes=-99999999999999999999", 0, 100_000),
        ("bytes=0-10,5-20", 0, 21),
        ("bytes=5-9, 0-4", 0, 10),
    ] {
        let part = range(value).await.expect(206);
        assert_eq!(
            part.header("content-range"),
            format!("bytes {from}-{}/100000", to - 1),
            "{value}"
        );
        assert_eq!(part.body, bytes[from..to], "{value}");
        assert_eq!(part.header("content-length"), (to - from).to_string());
    }
    for value in ["bytes=100000-", "bytes=-0", "bytes=100000-100001,200000-"] {
        let none = range(value).await.expect(416);
        assert_eq!(none.header("content-range"), "bytes */100000", "{value}");
        assert!(none.body.is_empty(), "{value}");
    }
    for value in ["bytes=5-4", "bytes=a-b", "seconds=0-1", "bytes="] {
        assert_eq!(range(value).await.expect(200).body, bytes, "{value}: ignored");
    }
    let apart = range("bytes=0-0,99999-99999").await.expect(206);
    assert!(apart.header("content-type").starts_with("multipart/byteranges; boundary="));
    assert_eq!(apart.header("content-length"), apart.body.len().to_string());
    let parts = String::from_utf8_lossy(&apart.body);
    assert_eq!(parts.matches("content-range: bytes ").count(), 2, "{parts}");
    let storm = format!(
        "bytes={}",
        (0..2000).map(|n| format!("{0}-{0}", n * 2)).collect::<Vec<_>>().join(",")
    );
    assert_eq!(range(&storm).await.expect(200).body.len(), 100_000);
}

#[tokio::test]
async fn conditions_on_media_are_kept() {
    let app = TestApp::start();
    let (nobody, path, bytes) = original(&app).await;
    let whole = nobody.get(&path).await.expect(200);
    let etag = whole.header("etag").to_owned();
    assert_eq!(etag, format!("\"{}\"", fixture::sha256(&bytes)));
    assert_eq!(whole.header("accept-ranges"), "bytes");
    let name = whole.header("content-disposition");
    assert!(name.contains("filename*=UTF-8''%E6%B8%94%20%E6%AD%8C.wav"), "{name}");
    let ask = |pairs: &[(&str, &str)]| {
        let request = nobody.ask(Method::GET, &path);
        answer(pairs.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    };
    for known in [etag.as_str(), "*", &format!("W/{etag}"), &format!("\"x\", {etag}")] {
        let same = ask(&[("if-none-match", known)]).await.expect(304);
        assert!(same.body.is_empty());
        assert_eq!(same.header("etag"), etag, "{known}");
    }
    ask(&[("if-none-match", "\"x\"")]).await.expect(200);
    ask(&[("if-none-match", &etag), ("range", "bytes=0-1")]).await.expect(304);
    ask(&[("if-match", "\"x\"")]).await.expect(412);
    ask(&[("if-match", &etag)]).await.expect(200);
    ask(&[("if-match", &format!("W/{etag}"))]).await.expect(412);
    ask(&[("range", "bytes=0-1"), ("if-range", &etag)]).await.expect(206);
    for other in ["\"x\"", &format!("W/{etag}"), "Wed, 21 Oct 2015 07:28:00 GMT"] {
        let whole = ask(&[("range", "bytes=0-1"), ("if-range", other)]).await.expect(200);
        assert_eq!(whole.body.len(), bytes.len(), "{other}");
    }
    // HEAD has no ranges (RFC 9110 section 14.2).
    for range in [None, Some("bytes=5-99"), Some("bytes=100000-")] {
        let head = nobody.ask(Method::HEAD, &path);
        let head = range.into_iter().fold(head, |head, range| head.header("range", range));
        let (get, head) = (nobody.get(&path).await, answer(head).await.expect(200));
        assert!(head.body.is_empty());
        let fields = |answer: &Answer| -> Vec<(String, String)> {
            let mut fields: Vec<_> = answer
                .headers
                .iter()
                .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
                .map(|(name, value)| (name.to_string(), format!("{value:?}")))
                .collect();
            fields.sort();
            fields
        };
        assert_eq!(fields(&get), fields(&head), "{range:?}");
    }
    // On the wire as well: a HEAD has no body, so the next answer follows at once.
    let mut raw = Raw::connect(app.address());
    let head = format!("HEAD {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let get = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    raw.write(format!("{head}{get}").as_bytes());
    let (first, mut rest) = raw.head();
    assert!(first.contains("content-length: 100000"), "{first}");
    rest.extend(raw.rest().0);
    assert!(rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn what_was_sent_is_counted_by_library() {
    let mut app = TestApp::start();
    let (nobody, path, bytes) = original(&app).await;
    for _ in 0..2 {
        nobody.get(&path).await.expect(200);
    }
    app.stop();
    app.serve(&[]);
    let days = app.admin().await.get("/api/libraries/main/traffic").await.expect(200).json();
    let day = &days[0];
    assert!(day["answers"].as_i64() >= Some(2), "{days}");
    assert!(day["bytes"].as_i64() >= Some(2 * bytes.len() as i64), "{days}");
    app.nobody().get("/api/libraries/main/traffic").await.expect(401);
}

#[tokio::test]
async fn the_openapi_document_describes_every_operation() {
    let app = TestApp::start();
    let nobody = app.nobody();
    let document = nobody.get("/api/openapi.json").await.expect(200).json();
    assert!(text_of(&document["openapi"]).starts_with("3."), "{}", document["openapi"]);
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            assert!(operation["responses"].is_object(), "{method} {path}");
            let described =
                operation["summary"].is_string() || operation["description"].is_string();
            assert!(described, "{method} {path} is not described");
        }
    }
    check_references(&document, &document);
    nobody.get("/api/docs/").await.expect(200);
}

/// Every `$ref` leads somewhere.
fn check_references(document: &Value, value: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                let pointer = reference.strip_prefix('#').expect("within the document");
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            fields.values().for_each(|value| check_references(document, value));
        }
        Value::Array(values) => values.iter().for_each(|value| check_references(document, value)),
        _ => {}
    }
}

#[tokio::test]
async fn operators_see_that_it_lives_and_what_it_does() {
    let app = TestApp::start();
    let nobody = app.nobody();
    assert_eq!(nobody.get("/healthz").await.expect(200).text(), "ok\n");
    let ready = nobody.get("/readyz").await.expect(200).json();
    assert_eq!(
        (&ready["database"], &ready["store"], &ready["stopping"]),
        (&json!(true), &json!(true), &json!(false))
    );
    nobody.get("/api/search?q=x").await.expect(200);
    let metrics = nobody.get("/metrics").await.expect(200);
    assert!(metrics.header("content-type").starts_with("text/plain"), "{metrics:?}");
    let text = metrics.text();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (_, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    for needed in [
        "duoku_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1",
        "duoku_jobs{state=\"queued\",class=\"heavy\"}",
        "duoku_jobs_waiting_for_disk 0",
        "duoku_store_free_bytes",
        "duoku_connections",
    ] {
        assert!(text.contains(needed), "{needed} in\n{text}");
    }
}

#[tokio::test]
async fn errors_are_as_they_say_they_are() {
    let app = TestApp::start();
    let (nobody, admin) = (app.nobody(), app.admin().await);
    let gzip = |request: reqwest::RequestBuilder| {
        answer(request.header("accept-encoding", "gzip").header("accept-language", "en"))
    };
    let page = nobody.ask(Method::GET, "/search?page=x").header("accept", "text/html");
    let page = gzip(page).await.expect(400);
    assert_eq!(page.header("content-encoding"), "");
    assert!(page.text().contains("<html"), "{}", page.text());
    let problem = |text: &str| {
        let post = admin.ask(Method::POST, "/api/libraries");
        gzip(post.header("content-type", "application/json").body(text.to_owned()))
    };
    let wrong = problem("{\"slug\": 1, \"and\": \"more\"}").await.expect(422);
    assert_eq!(wrong.header("content-encoding"), "");
    assert_eq!(wrong.json()["code"], "malformed");
    assert!(text_of(&wrong.json()["detail"]).contains("slug: invalid type"), "{}", wrong.text());
    let large = problem(&format!("\"{}\"", "a".repeat(3_000_000))).await.expect(413);
    assert_eq!(large.json()["code"], "body_too_large");
    assert_eq!(large.header("connection"), "close", "the rest of the body was not read");
    assert_eq!(wrong.header("connection"), "");
    assert_eq!(nobody.get("/api/libraries").await.header("cache-control"), "no-store");
    let who = nobody.get("/api/session").await.expect(401);
    assert_eq!(who.header("www-authenticate"), "Bearer");
    // What it does is counted by methods that there are.
    answer(nobody.ask("BREW".parse().expect("a token"), "/healthz")).await;
    let metrics = nobody.get("/metrics").await.text();
    assert!(metrics.contains("method=\"other\"") && !metrics.contains("BREW"), "{metrics}");
}

#[tokio::test]
async fn a_nul_is_no_failure_of_ours() {
    let app = TestApp::start();
    let admin = app.admin().await;
    for path in [
        "/api/libraries/a%00",
        "/api/resources?kind=a%00",
        "/api/resources?library=main&stage=a%00",
        "/api/search?q=a%00&library=b%00",
        "/libraries/a%00",
        "/api/resources/a%00",
        "/media/a%00/original",
        "/studio?library=a%00&stage=b%00",
    ] {
        let status = admin.get(path).await.status;
        assert!(status < 500, "{path}: {status}");
    }
    for (path, body) in [
        ("/api/session", json!({ "name": "a\0", "password": "b\0" })),
        ("/api/resources", json!({ "library": "a\0", "title": "b\0" })),
        ("/api/resources", json!({ "library": "main", "title": "b\0", "licence": "c\0" })),
        ("/api/libraries", json!({ "slug": "a\0", "name": "b" })),
        ("/api/libraries", json!({ "slug": "a", "name": "b\0" })),
        ("/api/libraries", json!({ "slug": "a", "name": "b", "description": "c\0" })),
    ] {
        let status = admin.send(Method::POST, path, &body).await.status;
        assert!(status < 500, "{path} {body}: {status}");
    }
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let app = TestApp::start();
    let nobody = app.nobody();
    let (one, two) = (nobody.get("/healthz").await, nobody.get("/api/nothing").await);
    assert!(one.header("x-request-id").len() >= 16, "{one:?}");
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    assert!(!two.header("x-request-id").is_empty(), "{two:?}");
    // One line of the log tells of each.
    let logged = app.logged();
    for (answer, path, status) in [(&one, "/healthz", 200), (&two, "/api/nothing", 404)] {
        let id = answer.header("x-request-id");
        let lines: Vec<&str> = logged.lines().filter(|line| line.contains(id)).collect();
        assert_eq!(lines.len(), 1, "{logged}");
        assert!(lines[0].contains(path) && lines[0].contains(&status.to_string()), "{lines:?}");
    }
    nobody.get("/api/search?q=secret").await;
    nobody.get("/t/ticket/media/0198c0de000070008000000000000000/original").await;
    let logged = app.logged();
    assert!(!logged.contains("secret") && !logged.contains("ticket"), "{logged}");
}

#[tokio::test]
async fn players_of_other_sites_may_read_media() {
    let app = TestApp::start();
    let (nobody, path, _) = original(&app).await;
    let ask = |method: Method| nobody.ask(method, &path).header("origin", "https://tv.example.cn");
    let get = answer(ask(Method::GET).header("range", "bytes=0-1")).await.expect(206);
    assert_eq!(get.header("access-control-allow-origin"), "*");
    assert!(get.header("access-control-expose-headers").contains("content-range"), "{get:?}");
    assert!(get.header("access-control-allow-credentials").is_empty(), "{get:?}");
    let preflight = ask(Method::OPTIONS)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "range");
    let preflight = answer(preflight).await;
    assert!((200..300).contains(&preflight.status), "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn odd_paths_are_not_found_and_never_leave_the_store() {
    let app = TestApp::start();
    let (_, path, _) = original(&app).await;
    let (base, _) = path.rsplit_once('/').expect("a path");
    for odd in [
        format!("{base}/../../../duoku.db"),
        format!("{base}/..%2f..%2fduoku.db"),
        format!("{base}/%2e%2e/%2e%2e/duoku.db"),
        format!("{base}/storyboard/%2e%2e%2f0.jpg"),
        format!("{base}/captions/../original"),
        format!("{base}//original"),
        format!("{base}/original/"),
        format!("{base}/original%00"),
        format!("{base}/"),
        "/media/nonsense/original".into(),
        "/media/%FF/original".into(),
        "/assets/../Cargo.toml".into(),
        "/assets/%2e%2e/%2e%2e/etc/passwd".into(),
    ] {
        // reqwest would tidy the path up.
        let mut raw = Raw::connect(app.address());
        raw.write(format!("GET {odd} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes());
        let (head, _) = raw.head();
        let status: u16 = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        assert!([400, 404].contains(&status), "{odd}: {head}");
    }
}
