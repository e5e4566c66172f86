//! Captions that are edited: who saves over whose, and what becomes of those in the file.

use http::Method;
use reqwest::RequestBuilder;
use serde_json::json;

use crate::app::TestApp;
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
