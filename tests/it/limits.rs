//! Who asks too often and what is too much: refused with a reason, while the others go on.

use std::time::{Duration, Instant};

use http::Method;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::json;

use crate::app::{PASSWORD, TestApp, eventually};
use crate::client::{Answer, Client, answer};
use crate::connections::large;
use crate::raw::Raw;

/// Requests come through a proxy on this machine, so that tests can be anybody.
const PROXY: (&str, &str) = ("DUOKU_SERVER_TRUSTED_PROXIES", "127.0.0.1");

const GET_HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

async fn get_from(client: &Client, address: &str, path: &str) -> Answer {
    answer(client.ask(Method::GET, path).header("x-forwarded-for", address)).await
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let app = TestApp::with(&[PROXY, ("DUOKU_RATES_SEARCH_PER_MINUTE", "3")]);
    let nobody = app.nobody();
    let search = "/api/search?q=x";
    for _ in 0..3 {
        get_from(&nobody, "192.0.2.1", search).await.expect(200);
    }
    let refused = get_from(&nobody, "192.0.2.1", search).await.expect(429);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    let problem = refused.json();
    assert_eq!(problem["code"], "too_often");
    assert!(problem["title"].as_str().expect("text").contains(&wait.to_string()), "{problem}");
    // Other kinds, other people, and another address of the proxy's list are not meant.
    get_from(&nobody, "192.0.2.1", "/api/libraries").await.expect(200);
    get_from(&nobody, "192.0.2.2", search).await.expect(200);
    get_from(&nobody, "192.0.2.1, 192.0.2.3", search).await.expect(200);
    // All of a /64 of IPv6 is one.
    for last in 1..=3 {
        get_from(&nobody, &format!("2001:db8:0:1::{last}"), search).await.expect(200);
    }
    get_from(&nobody, "2001:db8:0:1:ffff::9", search).await.expect(429);
    get_from(&nobody, "2001:db8:0:2::1", search).await.expect(200);
    // This machine itself is not counted.
    for _ in 0..5 {
        nobody.get(search).await.expect(200);
    }
}

#[tokio::test]
async fn an_account_is_counted_wherever_it_is() {
    let app = TestApp::with(&[PROXY, ("DUOKU_RATES_WRITE_PER_MINUTE", "3")]);
    let admin = app.admin().await;
    let lin = app.person("lin", &[("main", duoku::catalogue::Role::Author)]).await;
    let draft = json!({ "library": "main", "title": "稿" });
    let write = async |client: &Client, address: &str| {
        let request = client.ask(Method::POST, "/api/resources").json(&draft);
        answer(request.header("x-forwarded-for", address)).await.status
    };
    for number in 1..=3 {
        assert_eq!(write(&admin, &format!("192.0.2.{number}")).await, 201);
    }
    assert_eq!(write(&admin, "192.0.2.9").await, 429);
    assert_eq!(write(&lin, "192.0.2.9").await, 201);
}

#[tokio::test]
async fn logins_have_a_rate_of_their_own() {
    let app = TestApp::with(&[PROXY, ("DUOKU_RATES_LOGIN_PER_MINUTE", "2")]);
    let nobody = app.nobody();
    let login = async |password: &str| {
        let body = json!({ "name": "admin", "password": password });
        let request = nobody.ask(Method::POST, "/api/session").json(&body);
        answer(request.header("x-forwarded-for", "192.0.2.1")).await.status
    };
    assert_eq!(login(PASSWORD).await, 200);
    assert_eq!(login("wrong password").await, 401);
    assert_eq!(login(PASSWORD).await, 429);
}

#[tokio::test]
async fn too_much_to_do_is_refused_and_media_goes_on() {
    // Two requests at a time, one of them with a body.
    let app = TestApp::with(&[("DUOKU_SERVER_MAX_REQUESTS", "2")]);
    let (path, _) = large(&app).await;
    let nobody = app.nobody();
    let mut slow = Raw::connect(app.address());
    let head = "POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    slow.write(format!("{head}content-length: 100\r\nexpect: 100-continue\r\n\r\n").as_bytes());
    // Its body is waited for: it has the place.
    assert!(slow.head().0.starts_with("HTTP/1.1 100"));
    let busy = nobody.post("/api/resources").await.expect(503);
    assert_eq!(busy.header("retry-after"), "5");
    assert_eq!(busy.json()["code"], "busy");
    nobody.get("/").await.expect(200);
    nobody.get(&path).await.expect(200);
    drop(slow);
    eventually("the place is given back", Duration::from_secs(5), || async {
        (nobody.post("/api/resources").await.status != 503).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_memory_nothing_new_is_begun_and_media_goes_on() {
    let mut app = TestApp::start();
    let (path, bytes) = large(&app).await;
    app.stop();
    app.set("DUOKU_SERVER_MAX_MEMORY_BYTES", "1");
    app.serve(&[]);
    let nobody = app.nobody();
    eventually("it is found out", Duration::from_secs(5), || async {
        (nobody.get("/").await.status == 503).then_some(())
    })
    .await;
    let busy = nobody.get("/api/search?q=x").await.expect(503);
    assert_eq!(busy.header("retry-after"), "5");
    nobody.get("/healthz").await.expect(200);
    assert_eq!(nobody.get(&path).await.expect(200).body.len(), bytes.len());
    let metrics = nobody.get("/metrics").await.expect(200).text();
    assert!(metrics.contains("duoku_requests_shed{why=\"memory\"}"), "{metrics}");
}

#[tokio::test]
async fn a_process_without_descriptors_left_goes_on_when_some_are_closed() {
    let app = TestApp::start();
    let mut known = Raw::connect(app.address());
    known.write(GET_HEALTH);
    assert!(known.head().0.starts_with("HTTP/1.1 200"));
    let id = app.server().id();
    let open = std::fs::read_dir(format!("/proc/{id}/fd")).expect("it runs").count() as u64;
    let pid = Pid::from_raw(id.cast_signed());
    let few = Rlimit { current: Some(open + 20), ..getrlimit(Resource::Nofile) };
    prlimit(pid, Resource::Nofile, few).expect("ours");
    let mut many: Vec<Raw> = (0..100).map(|_| Raw::connect(app.address())).collect();
    std::thread::sleep(Duration::from_millis(500));
    // Who is there already is answered.
    known.write(GET_HEALTH);
    assert!(known.head().0.starts_with("HTTP/1.1 200"));
    many.truncate(5);
    let begun = Instant::now();
    let mut late = Raw::connect(app.address());
    late.write(GET_HEALTH);
    assert!(late.head().0.starts_with("HTTP/1.1 200"));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    app.nobody().get("/readyz").await.expect(200);
    let told = app.logged().matches("cannot accept").count();
    assert!((1..10).contains(&told), "not each time: {told}");
}
