//! What is not public is played with tickets: no cookie, and an end.

use std::time::Duration;

use duoku::catalogue::Role;
use http::Method;
use serde_json::json;

use crate::app::{TestApp, eventually};
use crate::client::{Client, text_of};
use crate::fixture;
use crate::video::addresses;

#[tokio::test]
async fn media_that_is_not_public_is_played_with_a_ticket_until_it_is_withdrawn() {
    let app = TestApp::start();
    app.ran(&[
        "library",
        "create",
        "inner",
        "--name",
        "内部",
        "--internal",
        "--publish-when-ready",
    ]);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let id = admin.upload_into("inner", "a.mp4", "内部视频", &fixture::video(4)).await;
    let resource = admin.settled(&id).await;
    assert_eq!(resource["stage"], "published", "{resource:#}");
    let base = text_of(&resource["links"]["base"]);
    assert!(base.starts_with("/t/") && base.ends_with(&format!("/media/{id}")), "{base}");
    let all = addresses(&nobody, &resource).await;
    assert!(all.iter().any(|address| address.ends_with(".m4s")), "{all:?}");
    for address in &all {
        let answer = nobody.get(address).await.expect(200);
        assert!(!answer.header("cache-control").contains("public"), "{address}: {answer:?}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        // Without the ticket there is nothing, for nobody.
        let plain = &address[address.find("/media/").expect("a path")..];
        nobody.get(plain).await.expect(404);
        admin.get(plain).await.expect(200);
    }
    // Wrong tickets, and the right one for another resource.
    let other = admin.upload_into("inner", "b.bmp", "另一个", &fixture::picture(1)).await;
    admin.settled(&other).await;
    let ticket = base.split('/').nth(2).expect("a ticket");
    let mut forged = ticket.to_owned().into_bytes();
    forged[0] = if forged[0] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("ASCII");
    for wrong in [forged.as_str(), "x", "%00", &"A".repeat(32), &ticket[1..], &format!("{ticket}A")]
    {
        nobody.get(&format!("/t/{wrong}/media/{id}/master.m3u8")).await.expect(404);
    }
    nobody.get(&format!("/t/{ticket}/media/{other}/original")).await.expect(404);

    admin.post(&format!("/api/resources/{id}/withdraw")).await.expect(200);
    for address in &all {
        nobody.get(address).await.expect(404);
    }
    admin.post(&format!("/api/resources/{id}/publish")).await.expect(200);
    for address in &all {
        nobody.get(address).await.expect(404);
    }
    let again = admin.get(&format!("/api/resources/{id}")).await.json();
    let hls = text_of(&again["links"]["hls"]).to_owned();
    nobody.get(&hls).await.expect(200);
    admin.delete(&format!("/api/resources/{id}")).await.expect(204);
    nobody.get(&hls).await.expect(404);
    assert!(!app.logged().contains(ticket), "tickets are never logged");
    eventually("its objects go", Duration::from_secs(10), || async {
        app.stored().iter().all(|p| !p.to_string_lossy().contains(&id)).then_some(())
    })
    .await;
    app.check();
}

#[tokio::test]
async fn a_resource_that_is_closed_with_its_library_is_played_by_nobody() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.bmp", "图", &fixture::picture(1)).await;
    let picture = text_of(&resource["links"]["picture"]);
    nobody.get(picture).await.expect(200);
    let close = json!({ "visibility": "internal" });
    admin.send(Method::PATCH, "/api/libraries/main", &close).await.expect(200);
    nobody.get(picture).await.expect(404);
    nobody.get(text_of(&resource["links"]["original"])).await.expect(404);
    nobody.get("/libraries/main").await.expect(404);
}

#[tokio::test]
async fn a_stream_of_events_ends_with_the_work_and_with_the_right_to_see_it() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.bmp", "图", &fixture::picture(1)).await;
    let events = format!("/api/resources/{}/events", text_of(&resource["id"]));
    // Nothing works on it: the stream has one event, and nobody stays to see a ticket.
    let told = nobody.get(&events).await.expect(200).text();
    assert_eq!(told.matches("event: progress").count(), 1, "{told}");

    let lin = app.person("lin", &[("main", Role::Author)]).await;
    let draft = json!({ "library": "main", "title": "稿" });
    let draft = lin.send(Method::POST, "/api/resources", &draft).await.expect(201).json();
    let path = format!("/api/resources/{}/events", text_of(&draft["id"]));
    let mut stream = lin.ask(Method::GET, &path).send().await.expect("an answer");
    let first = stream.chunk().await.expect("a chunk").expect("an event");
    assert!(String::from_utf8_lossy(&first).contains("/t/"), "with a ticket: {first:?}");
    app.ran(&["user", "revoke", "lin", "--library", "main"]);
    let rest = tokio::time::timeout(Duration::from_secs(10), stream.text()).await;
    let rest = rest.expect("the stream ends").expect("a whole body");
    assert!(!rest.contains("/t/"), "{rest}");
}

#[tokio::test]
async fn an_author_lists_what_is_published_and_their_own() {
    let app = TestApp::start();
    app.ran(&["library", "create", "draft", "--name", "待审"]);
    let lin = app.person("lin", &[("draft", Role::Author)]).await;
    let chen = app.person("chen", &[("draft", Role::Author)]).await;
    let sun = app.person("sun", &[("draft", Role::Librarian)]).await;
    let mut ids = Vec::new();
    for number in 1..=2 {
        let id = lin.upload_into("draft", "p.bmp", "图", &fixture::picture(number)).await;
        lin.settled(&id).await;
        ids.push(id);
    }
    lin.post(&format!("/api/resources/{}/publish", ids[0])).await.expect(200);
    let listed = |client: &Client, query: &str| {
        let (client, path) = (client.clone(), format!("/api/resources?library=draft{query}"));
        async move {
            let list = client.get(&path).await.expect(200).json();
            let items = list["items"].as_array().expect("a list").clone();
            assert_eq!(list["total"], items.len(), "{list:#}");
            let mut stages: Vec<String> =
                items.iter().map(|item| text_of(&item["stage"]).to_owned()).collect();
            stages.sort();
            stages.join(" ")
        }
    };
    for (who, client, all, ready) in [
        ("author", &lin, "published ready", "ready"),
        ("librarian", &sun, "published ready", "ready"),
        ("colleague", &chen, "published", ""),
        ("nobody", &app.nobody(), "published", "published"),
    ] {
        assert_eq!(listed(client, "").await, all, "{who}");
        assert_eq!(listed(client, "&stage=ready").await, ready, "{who}");
    }
}

/// An internal library with a picture that is published: its id, and the address of its original.
async fn inner(app: &TestApp, admin: &Client) -> (String, String) {
    let create = ["library", "create", "inner", "--name", "内部", "--internal"];
    app.ran(&[&create[..], &["--publish-when-ready"]].concat());
    let id = admin.upload_into("inner", "a.bmp", "图", &fixture::picture(7)).await;
    let resource = admin.settled(&id).await;
    (id, text_of(&resource["links"]["original"]).to_owned())
}

#[tokio::test]
async fn a_withdrawal_ends_tickets_in_other_processes_too() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let (id, original) = inner(&app, &admin).await;
    let second = app.another(&["--no-work"]);
    let there = app.nobody().at(&second.address);
    there.get(&original).await.expect(200);
    admin.post(&format!("/api/resources/{id}/withdraw")).await.expect(200);
    app.nobody().get(&original).await.expect(404);
    eventually("the other process follows", Duration::from_secs(10), || async {
        (there.get(&original).await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn keys_are_rotated_without_interruption_or_dropped() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let (id, original) = inner(&app, &admin).await;
    let second = app.another(&["--no-work"]);
    let (here, there) = (app.nobody(), app.nobody().at(&second.address));
    app.ran(&["ticket", "rotate"]);
    tokio::time::sleep(Duration::from_secs(7)).await;
    // Old links, and those that each process makes now, hold in both.
    for client in [&admin, &admin.at(&second.address)] {
        let resource = client.get(&format!("/api/resources/{id}")).await.json();
        let link = text_of(&resource["links"]["original"]);
        for reader in [&here, &there] {
            reader.get(link).await.expect(200);
            reader.get(&original).await.expect(200);
        }
    }
    app.ran(&["ticket", "rotate", "--drop-earlier"]);
    for reader in [&here, &there] {
        eventually("old links end", Duration::from_secs(10), || async {
            (reader.get(&original).await.status == 404).then_some(())
        })
        .await;
    }
    let resource = admin.get(&format!("/api/resources/{id}")).await.json();
    for reader in [&here, &there] {
        reader.get(text_of(&resource["links"]["original"])).await.expect(200);
    }
}

#[tokio::test]
async fn private_and_missing_look_the_same_and_tickets_are_told_nowhere() {
    let app = TestApp::with(&[("DUOKU_LOG_LEVEL", "debug")]);
    let admin = app.admin().await;
    let (id, original) = inner(&app, &admin).await;
    let nobody = app.nobody();
    nobody.get(&original).await.expect(200);
    let missing = "0".repeat(id.len());
    let ticket = original.split('/').nth(2).expect("a ticket").to_owned();
    let forged = ticket.replace(&ticket[20..24], "AAAA");
    let bare = |answer: &crate::client::Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("date");
        headers.remove("x-request-id");
        (answer.status, format!("{headers:?}"), answer.text())
    };
    for path in ["original", "master.m3u8", "poster.jpg", "x"] {
        let private = nobody.get(&format!("/media/{id}/{path}")).await.expect(404);
        let gone = nobody.get(&format!("/media/{missing}/{path}")).await;
        assert_eq!(bare(&private), bare(&gone), "{path}");
        let private = nobody.get(&format!("/t/{forged}/media/{id}/{path}")).await.expect(404);
        let gone = nobody.get(&format!("/t/{forged}/media/{missing}/{path}")).await;
        assert_eq!(bare(&private), bare(&gone), "{path}");
        assert_eq!(private.header("referrer-policy"), "no-referrer");
        assert!(!private.text().contains(&forged));
    }
    let wrong = nobody.get(&format!("/t/{ticket}/media/{id}/nothing")).await.expect(404);
    assert_eq!(wrong.header("referrer-policy"), "no-referrer");
    let metrics = nobody.get("/metrics").await.text();
    for secret in [ticket.as_str(), &forged] {
        assert!(!metrics.contains(secret) && !app.logged().contains(secret), "{secret}");
    }
}
