//! Harvesting: a second duoku as the source, and sources that misbehave.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Client, text_of};
use crate::exchange::publish;

/// Settings of who harvests: this machine, without pauses.
const SETTINGS: &[(&str, &str)] =
    &[("DUOKU_HARVEST_PRIVATE_ADDRESSES", "true"), ("DUOKU_HARVEST_PAUSE_MS", "0")];

const LONG: Duration = Duration::from_secs(60);

async fn add(admin: &Client, url: &str, more: &Value) -> String {
    let mut source =
        json!({ "url": url, "library": "main", "name": "邻市资源库", "every_hours": 0 });
    for (name, value) in more.as_object().expect("an object") {
        source[name] = value.clone();
    }
    let added = admin.send(Method::POST, "/api/sources", &source).await.expect(201).json();
    text_of(&added["id"]).to_owned()
}

async fn source(admin: &Client, id: &str) -> Value {
    let all = admin.get("/api/sources").await.expect(200).json();
    let all = all["items"].as_array().expect("a list").clone();
    all.into_iter().find(|source| source["id"] == id).expect("the source")
}

/// Waits until the source has so many records and is at rest.
async fn has(admin: &Client, id: &str, records: i64) -> Value {
    eventually(&format!("{records} records"), LONG, || async {
        let source = source(admin, id).await;
        let there = source["records"] == records && source["running"] == false;
        (there && !source["ended"].is_null()).then_some(source)
    })
    .await
}

async fn run(admin: &Client, id: &str, all: bool) {
    admin.post(&format!("/api/sources/{id}/run?all={all}")).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_duoku_is_harvested_and_followed() {
    let there = TestApp::with(&[("DUOKU_EXCHANGE_RECORDS_PER_ANSWER", "2")]);
    let here = TestApp::with(SETTINGS);
    let (theirs, ours) = (there.admin().await, here.admin().await);
    let mut ids = Vec::new();
    for title in ["渔民编网", "二十四式太极拳", "剪纸入门"] {
        ids.push(publish(&there, "main", title, "culture-arts").await.to_string());
    }
    eventually("they tell of all", LONG, || async {
        let list = there.nobody().get("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc").await;
        list.text().contains("completeListSize=\"3\"").then_some(())
    })
    .await;
    let url = format!("http://{}/oai", there.address());
    let id = add(&ours, &url, &json!({ "prefix": "lom" })).await;
    has(&ours, &id, 3).await;
    let hit = eventually("it is found", LONG, || async {
        here.nobody().search("编网").await["hits"].get(0).cloned()
    })
    .await;
    assert_eq!(hit["home"]["name"], "邻市资源库");
    let home = format!("http://{}/resources/{}", there.address(), ids[0]);
    assert_eq!(hit["home"]["url"], home.as_str());
    let resource = format!("/resources/{}", text_of(&hit["resource"]));
    let page = here.nobody().get(&resource).await.expect(200).text();
    assert!(page.contains(&format!("href=\"{home}\"")) && page.contains("来自"));
    let api = here.nobody().get(&format!("/api{resource}")).await.expect(200).json();
    assert_eq!((&api["kind"], &api["licence"]), (&json!("document"), &json!("CC-BY-4.0")));
    assert_eq!(api["topics"], json!(["culture-arts"]));
    assert_eq!(api["author"], "李老师; 王");
    let own = here.nobody().get("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc").await.text();
    assert!(own.contains("noRecordsMatch"), "what is another's is not told as ours");

    let title = json!({ "title": "渔民编网技艺" });
    theirs.send(Method::PATCH, &format!("/api/resources/{}", ids[0]), &title).await.expect(200);
    theirs.post(&format!("/api/resources/{}/withdraw", ids[1])).await.expect(200);
    eventually("they tell of the change", LONG, || async {
        let query = "/oai?verb=ListRecords&metadataPrefix=oai_dc";
        let mut text = there.nobody().get(query).await.text();
        if let Some(token) = text.split("resumptionToken").nth(1).and_then(|t| t.split('>').nth(1))
        {
            let token = token.split('<').next().unwrap_or_default();
            let next = format!("/oai?verb=ListRecords&resumptionToken={token}");
            text += &there.nobody().get(&next).await.text();
        }
        (text.contains("渔民编网技艺") && text.contains("status=\"deleted\"")).then_some(())
    })
    .await;
    run(&ours, &id, false).await;
    has(&ours, &id, 2).await;
    eventually("what is gone there is gone here", LONG, || async {
        let gone = here.nobody().found("太极拳").await.is_empty();
        let new = here.nobody().search("编网技艺").await;
        (gone && new["hits"][0]["resource"] == hit["resource"]).then_some(())
    })
    .await;
    here.check();

    ours.delete(&format!("/api/sources/{id}")).await.expect(204);
    here.nobody().get(&format!("/api{resource}")).await.expect(404);
    eventually("all of it is gone", LONG, || async {
        here.nobody().found("剪纸").await.is_empty().then_some(())
    })
    .await;
    here.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_harvest_goes_on_after_a_kill() {
    let there = TestApp::with(&[("DUOKU_EXCHANGE_RECORDS_PER_ANSWER", "1")]);
    let slow = [("DUOKU_HARVEST_PRIVATE_ADDRESSES", "true"), ("DUOKU_HARVEST_PAUSE_MS", "400")];
    let mut here = TestApp::with(&slow);
    for number in 0..6 {
        publish(&there, "main", &format!("第 {number} 课"), "law").await;
    }
    eventually("they tell of all", LONG, || async {
        let list = there.nobody().get("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc").await;
        list.text().contains("completeListSize=\"6\"").then_some(())
    })
    .await;
    let admin = here.admin().await;
    let id = add(&admin, &format!("http://{}/oai", there.address()), &json!({})).await;
    eventually("it is half done", LONG, || async {
        let records = source(&admin, &id).await["records"].as_i64()?;
        (records >= 2).then_some(())
    })
    .await;
    here.kill();
    here.serve(&[]);
    let admin = admin.at(here.address());
    let source = has(&admin, &id, 6).await;
    assert_eq!(source["failures"], 0);
    here.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_inside_is_not_asked_unless_the_settings_say_so() {
    let here = TestApp::start();
    let admin = here.admin().await;
    for host in ["127.0.0.1:1", "localhost:1", "[::1]:1", "169.254.169.254", "[::ffff:10.0.0.1]"] {
        let id = add(&admin, &format!("http://{host}/oai"), &json!({})).await;
        let failed = eventually(host, LONG, || async {
            let source = source(&admin, &id).await;
            (source["failures"] == 1).then_some(source)
        })
        .await;
        let said = text_of(&failed["failure"]);
        assert!(said.contains("harvest.private_addresses") || host == "localhost:1", "{said}");
        assert_eq!(failed["records"], 0);
    }
    for (field, value) in [
        ("url", json!("file:///etc/passwd")),
        ("url", json!("http://a:b@c.example/")),
        ("library", json!("none")),
        ("prefix", json!("marc")),
        ("every_hours", json!(-1)),
        ("mapping", json!({ "topics": ["none"] })),
    ] {
        let mut new = json!({ "url": "https://a.example/oai", "library": "main" });
        new[field] = value;
        admin.send(Method::POST, "/api/sources", &new).await.expect(422);
    }
    here.nobody().get("/api/sources").await.expect(401);
    here.person("wei", &[]).await.get("/api/sources").await.expect(403);
}

/// Answers each request with the next of `answers`, then with the last one for ever.
fn hostile(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut head = [0; 4096];
            // The head comes at once.
            let _ = stream.read(&mut head);
            let answer = &answers[number.min(answers.len() - 1)];
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/oai")
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn identify() -> String {
    ok("<OAI-PMH><responseDate>2026-11-26T09:00:00Z</responseDate><Identify>\
        <deletedRecord>persistent</deletedRecord></Identify></OAI-PMH>")
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_answers_are_refused_with_a_sentence() {
    let here = TestApp::with(&[
        SETTINGS[0],
        SETTINGS[1],
        ("DUOKU_HARVEST_MAX_ANSWER_BYTES", "100000"),
        ("DUOKU_HARVEST_TIMEOUT_MS", "3000"),
    ]);
    let admin = here.admin().await;
    let deep = "<a>".repeat(5000);
    let circle = ok("<OAI-PMH><responseDate>x</responseDate><ListRecords>\
        <resumptionToken>same</resumptionToken></ListRecords></OAI-PMH>");
    let redirect =
        "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nConnection: close\r\n\r\n";
    for (what, answers, said) in [
        ("not XML", vec![ok("<html>hello</html>")], "OAI-PMH"),
        ("a bomb", vec![ok("<!DOCTYPE a [<!ENTITY b \"c\">]><OAI-PMH>&b;</OAI-PMH>")], "XML"),
        ("deep", vec![ok(&deep)], "嵌套"),
        ("long", vec![ok(&"x".repeat(200_000))], "100000"),
        ("gone", vec!["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into()], "404"),
        ("elsewhere", vec![redirect.into()], "private_addresses"),
        ("silent", vec![String::new()], ""),
        ("a circle", vec![identify(), circle], "尽头"),
    ] {
        let id = add(&admin, &hostile(answers), &json!({ "name": what })).await;
        let failed = eventually(what, LONG, || async {
            let source = source(&admin, &id).await;
            (source["failures"] == 1).then_some(source)
        })
        .await;
        assert!(text_of(&failed["failure"]).contains(said), "{what}: {failed}");
        assert!(!failed["next"].is_null(), "{what} is tried again later");
    }
    let busy =
        "HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let none =
        ok("<OAI-PMH><responseDate>x</responseDate><error code=\"noRecordsMatch\"/></OAI-PMH>");
    let id = add(&admin, &hostile(vec![busy.into(), identify(), none]), &json!({})).await;
    let source = has(&admin, &id, 0).await;
    assert_eq!(source["failures"], 0, "a pause that was asked for is no failure");
}
