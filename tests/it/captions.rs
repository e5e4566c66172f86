//! Captions that are edited: who saves over whose, and what becomes of those in the file.

use std::time::Duration;

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Answer, Client, answer, text_of};
use crate::fixture;

fn put(client: &Client, path: &str, text: &str) -> RequestBuilder {
    client.ask(Method::PUT, path).body(text.to_owned())
}

async fn saved(request: RequestBuilder) -> String {
    let answer: Answer = answer(request).await.expect(204);
    assert!(answer.header("etag").starts_with('"'), "{:?}", answer.headers);
    answer.header("etag").to_owned()
}

#[tokio::test]
async fn nobody_saves_over_captions_that_they_have_not_seen() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp4", "编网", &fixture::video(4)).await;
    let path = format!("/api/resources/{}/captions/zh", text_of(&resource["id"]));
    let captions = |text: &str| fixture::captions(&[(500, text)]);

    admin.get(&path).await.expect(404);
    let first = put(&admin, &path, &captions("潮水退了")).header("if-none-match", "*");
    let first = saved(first).await;
    let read = nobody.get(&path).await.expect(200);
    assert_eq!(
        (read.header("etag").trim_start_matches("W/"), read.header("content-type")),
        (&*first, "text/vtt; charset=utf-8")
    );
    assert!(read.text().contains("潮水退了"), "{}", read.text());

    let late = put(&admin, &path, &captions("别的")).header("if-none-match", "*");
    let refused = answer(late.header("accept-language", "zh")).await.expect(412).json();
    assert_eq!(refused["code"], "captions_changed");
    assert!(text_of(&refused["detail"]).contains("别人"), "{refused}");
    let weak = format!("W/{first}");
    let second = put(&admin, &path, &captions("潮水又涨了")).header("if-match", weak);
    let second = saved(second).await;
    assert_ne!(second, first);
    let stale = put(&admin, &path, &captions("别的")).header("if-match", &first);
    answer(stale).await.expect(412);
    assert!(nobody.get(&path).await.expect(200).text().contains("潮水又涨了"));
    // Without a condition, as other programs do it; and over none when they are gone.
    saved(put(&admin, &path, &captions("最后"))).await;
    admin.delete(&path).await.expect(204);
    let gone = put(&admin, &path, &captions("别的")).header("if-match", &second);
    answer(gone).await.expect(412);
    app.check();
}

#[tokio::test]
async fn edited_captions_take_the_place_of_those_in_the_file() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mkv", "导论", &fixture::video_with_tracks()).await;
    let id = text_of(&resource["id"]);
    // Chinese, for people who are hard of hearing, and the second of its language.
    let own = &resource["captions"][1];
    let (name, flag) = (text_of(&own["name"]), &own["hearing_impaired"]);
    assert_eq!((flag, &own["origin"]), (&json!(true), &json!("embedded")), "{own}");
    assert_ne!(name, own["language"]);
    let path = format!("/api/resources/{id}/captions/{name}");
    let read = nobody.get(&path).await.expect(200);
    let text = read.text().replace("编网", "编渔网");
    let over = put(&admin, &path, &text).header("if-match", read.header("etag"));
    saved(over).await;

    let after = nobody.get(&format!("/api/resources/{id}")).await.expect(200).json();
    let all = after["captions"].as_array().expect("a list");
    let new = all.iter().find(|one| one["name"] == name).expect("it is there");
    // What the track was in the file stays, and so do the others.
    assert_eq!((all.len(), &new["origin"]), (3, &json!("uploaded")), "{all:?}");
    for kept in ["label", "language", "hearing_impaired", "forced"] {
        assert_eq!(new[kept], own[kept], "{kept}");
    }
    assert!(nobody.get(&path).await.expect(200).text().contains("编渔网"));
    app.check();
}

#[tokio::test]
async fn the_editor_is_for_those_who_may_edit() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp4", "编网", &fixture::video(4)).await;
    let editor = format!("/studio/resources/{}/captions", text_of(&resource["id"]));
    let page = admin.get(&format!("{editor}/zh")).await.expect(200).text();
    assert!(page.contains("data-captions-editor") && page.contains("字幕：中文"), "no editor");
    let to_log_in = nobody.get(&format!("{editor}/zh")).await.expect(303);
    assert!(to_log_in.header("location").starts_with("/login?next="));
    let chosen = admin.get(&format!("{editor}?language=en")).await.expect(303);
    assert_eq!(chosen.header("location"), format!("{editor}/en"));
    for wrong in ["/z%20h", "/..%2Fx", "?language=/evil", "?language="] {
        admin.get(&format!("{editor}{wrong}")).await.expect(404);
    }
    admin.get("/studio/resources/0198c0de000070008000000000000000/captions/zh").await.expect(404);
}

/// A recogniser that always hears the same, twice in each piece; it may start nothing else.
pub(crate) const RECOGNISER: &str = "echo '{\"language\":\"zh\"}'\n\
    echo '{\"start\":0.5,\"end\":1.5,\"text\":\"今天我們學習黃海漁民的編網技藝\"}'\n\
    echo '{\"start\":2,\"end\":99,\"text\":\"'$1'\"}'\n";

/// The settings of a recogniser that runs `script`, a shell's; the folder is its.
pub(crate) fn recogniser(script: &str) -> (tempfile::TempDir, Vec<(&'static str, String)>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("recognise.sh");
    std::fs::write(&path, script).expect("written");
    let path = path.display().to_string();
    let settings = vec![
        ("DUOKU_SPEECH_ENGINE", "command".to_owned()),
        ("DUOKU_SPEECH_COMMAND", format!("/bin/sh,{path},{{language}}")),
        ("DUOKU_SPEECH_READABLE", path),
        ("DUOKU_SPEECH_PIECE_SECONDS", "30".to_owned()),
    ];
    (folder, settings)
}

fn with(settings: &[(&'static str, String)]) -> TestApp {
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (*name, &**value)).collect();
    TestApp::with(&settings)
}

/// Waits until speech is recognised, or is not; the resource as its author sees it.
async fn listened(admin: &Client, id: &str) -> Value {
    eventually("speech is recognised", Duration::from_secs(60), || async {
        let resource = admin.get(&format!("/api/resources/{id}")).await.expect(200).json();
        let state = text_of(&resource["recognition"]["state"]);
        ["done", "failed"].contains(&state).then_some(resource)
    })
    .await
}

#[tokio::test]
async fn what_is_said_becomes_automatic_captions_that_an_author_can_correct() {
    let (_folder, settings) = recogniser(RECOGNISER);
    let app = with(&settings);
    let (admin, nobody) = (app.admin().await, app.nobody());
    // Two pieces and a bit.
    let resource = admin.published("a.mp4", "编网", &fixture::video(65)).await;
    let id = text_of(&resource["id"]);
    let resource = listened(&admin, id).await;
    let captions = &resource["captions"];
    assert_eq!(
        (captions.as_array().map(Vec::len), &captions[0]["name"], &captions[0]["origin"]),
        (Some(1), &json!("zh"), &json!("automatic")),
        "{captions}"
    );
    let path = format!("/api/resources/{id}/captions/zh");
    let vtt = nobody.get(&path).await.expect(200);
    let begun = vtt.text().matches("黃海漁民").count();
    assert!(begun == 3, "{begun} pieces of 65 s: {}", vtt.text());
    assert!(vtt.text().contains("00:00:00.500 --> 00:00:01.500\n今天我們學習"), "{}", vtt.text());
    // The text is kept as it was heard; it is found in simplified characters, at its second.
    eventually("speech is found", Duration::from_secs(5), || async {
        let hits = nobody.search("渔民编网").await["hits"].clone();
        (hits[0]["moments"][0]["start_ms"] == 500).then_some(())
    })
    .await;
    let page = nobody.get(&format!("/resources/{id}")).await.expect(200).text();
    assert!(page.contains("中文（自动生成）"), "not marked");
    assert!(nobody.get(&format!("/api/resources/{id}")).await.json()["recognition"].is_null());

    let edited = put(&admin, &path, &vtt.text().replace("漁民", "渔民"));
    saved(edited.header("if-match", vtt.header("etag"))).await;
    let resource = admin.get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!(resource["captions"][0]["origin"], "uploaded");

    // Asked for again, it stands beside what the author wrote, until the author saves once more.
    let ask = format!("/api/resources/{id}/captions/recognise");
    answer(nobody.ask(Method::POST, &ask)).await.expect(401);
    let begun = admin.post(&ask).await.expect(202).json();
    assert!(!text_of(&begun["says"]).is_empty(), "{begun}");
    let resource = listened(&admin, id).await;
    let origins: Vec<&str> = resource["captions"]
        .as_array()
        .expect("captions")
        .iter()
        .map(|one| text_of(&one["origin"]))
        .collect();
    assert_eq!(origins, ["uploaded", "automatic"]);
    saved(put(&admin, &path, &fixture::captions(&[(500, "潮水退了")]))).await;
    let resource = admin.get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!(resource["captions"].as_array().map(Vec::len), Some(1), "{}", resource["captions"]);
    app.check();
}

#[tokio::test]
async fn a_recogniser_that_fails_breaks_nothing_and_reaches_nothing() {
    // Neither the password file, nor a place to write beside its folder, nor another program.
    let script = "if read x < /etc/passwd || echo x > /tmp/duoku-escaped; then\n\
                  echo '{\"start\":0,\"end\":1,\"text\":\"escaped\"}'\nelse exec /bin/ls; fi\n";
    let (_folder, settings) = recogniser(script);
    let app = with(&settings);
    let admin = app.admin().await;
    let resource = admin.published("a.mp4", "编网", &fixture::video(4)).await;
    let resource = listened(&admin, text_of(&resource["id"])).await;
    let recognition = &resource["recognition"];
    assert_eq!(recognition["state"], "failed", "{recognition}");
    assert!(text_of(&recognition["says"]).contains("Permission denied"), "{recognition}");
    assert_eq!((&resource["stage"], &resource["captions"]), (&json!("published"), &json!([])));
    app.check();
}

#[tokio::test]
async fn without_an_engine_there_is_a_sentence() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let resource = admin.published("a.mp4", "编网", &fixture::video(4)).await;
    assert!(resource["recognition"].is_null());
    let ask = format!("/api/resources/{}/captions/recognise", text_of(&resource["id"]));
    let refused = admin.post(&ask).await.expect(409).json();
    assert_eq!(refused["code"], "speech_off");
    let (_folder, mut settings) = recogniser(RECOGNISER);
    settings.push(("DUOKU_SPEECH_MODEL", "/nowhere/model.bin".to_owned()));
    let app = with(&settings);
    let admin = app.admin().await;
    let resource = admin.published("a.mp4", "编网", &fixture::video(4)).await;
    let resource = listened(&admin, text_of(&resource["id"])).await;
    let says = text_of(&resource["recognition"]["says"]);
    assert!(says.contains("/nowhere/model.bin"), "{says}");
    app.check();
}
