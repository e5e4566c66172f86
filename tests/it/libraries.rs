//! A library as its people set it up: look, host name, defaults of what is uploaded, retention.

use http::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::Client;
use crate::fixture;

async fn patch(client: &Client, patch: Value) -> crate::client::Answer {
    client.send(Method::PATCH, "/api/libraries/main", &patch).await
}

#[tokio::test]
async fn what_is_uploaded_gets_the_library_s_licence_and_topics() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let answer = patch(&admin, json!({ "licence": "CC-BY-4.0", "topics": ["culture-arts"] })).await;
    assert_eq!(answer.status, 200);
    let id = admin.upload("p.bmp", "图", &fixture::picture(1)).await;
    admin.settled(&id).await;
    let resource = admin.get(&format!("/api/resources/{id}")).await.json();
    assert_eq!(resource["licence"], "CC-BY-4.0");
    assert_eq!(resource["topics"], json!(["culture-arts"]));
    assert_eq!(patch(&admin, json!({ "topics": ["no-such"] })).await.status, 422);
}

#[tokio::test]
async fn a_host_of_its_own_shows_the_library_s_front_page() {
    let app = TestApp::start();
    let admin = app.admin().await;
    app.ran(&["library", "create", "shijiu", "--name", "石臼社区资源库"]);
    let host = json!({ "host": "Shijiu.example.cn" });
    let path = "/api/libraries/shijiu";
    assert_eq!(admin.send(Method::PATCH, path, &host).await.status, 200);
    assert_eq!(patch(&admin, host).await.status, 409, "two libraries cannot share it");
    assert_eq!(patch(&admin, json!({ "host": "a b" })).await.status, 422);
    let get = async |host: &str| {
        let url = format!("http://{}/", app.address());
        let request = reqwest::Client::new().get(url).header("host", host);
        request.send().await.expect("sent").text().await.expect("a page")
    };
    assert!(get("shijiu.example.cn:8080").await.contains("<h1>石臼社区资源库</h1>"));
    assert!(!get("other.example.cn").await.contains("<h1>石臼社区资源库</h1>"));
}

#[tokio::test]
async fn only_what_can_be_shown_is_kept_of_a_look() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let look = json!({ "look": { "colour": "pine", "notice": "周五停课", "blocks": ["newest"] } });
    let answer = patch(&admin, look).await;
    assert_eq!(answer.json()["look"]["colour"], "pine");
    for bad in [
        json!({ "colour": "red; }" }),
        json!({ "logo": "../../etc" }),
        json!({ "script": "x" }),
        json!({ "notice": "长".repeat(501) }),
    ] {
        assert_eq!(patch(&admin, json!({ "look": bad })).await.status, 422, "{bad}");
    }
    let kept = app.nobody().get("/api/libraries/main").await.json();
    assert_eq!(kept["look"]["notice"], "周五停课");
}

#[tokio::test]
async fn a_forecast_says_when_the_library_is_full() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let picture = fixture::picture(1);
    let id = admin.upload("p.bmp", "图", &picture).await;
    admin.settled(&id).await;
    let quota = i64::try_from(picture.len()).expect("small") * 3;
    let answer = patch(&admin, json!({ "quota_bytes": quota })).await.json();
    assert_eq!(answer["full_in_days"], 180, "as much in 90 days again, twice");
    assert!(app.nobody().get("/api/libraries/main").await.json()["full_in_days"].is_null());
}

/// What somebody still has to decide about is kept, however long ago it was withdrawn.
#[tokio::test]
async fn what_is_disputed_is_kept() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let lin = app.person("lin", &[("main", duoku::catalogue::Role::Author)]).await;
    let id = lin.upload("p.bmp", "图", &fixture::picture(1)).await;
    lin.settled(&id).await;
    let path = format!("/api/resources/{id}");
    let reason = json!({ "reason": "有人投诉" });
    admin.send(Method::POST, &format!("{path}/withdraw"), &reason).await.expect(200);
    let why = json!({ "text": "是我自己画的" });
    lin.send(Method::POST, &format!("{path}/appeal"), &why).await.expect(201);
    assert_eq!(patch(&admin, json!({ "retention_days": 30 })).await.status, 200);
    let inside = app.inside().await;
    let age = async || {
        let mut tx = inside.db.begin().await.expect("a transaction");
        sqlx::query("UPDATE resource SET updated_ms = updated_ms - 2678400000 WHERE id = $1")
            .bind(&id)
            .execute(&mut *tx)
            .await
            .expect("updated");
        tx.commit().await.expect("committed");
    };
    age().await;
    duoku::ingest::sweep::abandoned(&inside).await.expect("swept");
    assert_eq!(admin.get(&path).await.status, 200, "an appeal is open");
    let mut tx = inside.db.begin().await.expect("a transaction");
    sqlx::query("UPDATE appeal SET state = 'rejected', answer = '不是' WHERE resource = $1")
        .bind(&id)
        .execute(&mut *tx)
        .await
        .expect("answered");
    tx.commit().await.expect("committed");
    age().await;
    duoku::ingest::sweep::abandoned(&inside).await.expect("swept");
    assert_eq!(admin.get(&path).await.status, 404, "nobody has to decide any more");
    inside.db.close().await;
}

#[tokio::test]
async fn what_was_withdrawn_long_ago_goes_where_the_library_says_so() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let mut ids = Vec::new();
    for number in 1..=2 {
        let id = admin.upload("p.bmp", "图", &fixture::picture(number)).await;
        admin.settled(&id).await;
        assert_eq!(admin.post(&format!("/api/resources/{id}/withdraw")).await.status, 200);
        ids.push(id);
    }
    assert_eq!(patch(&admin, json!({ "retention_days": 30 })).await.status, 200);
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    sqlx::query("UPDATE resource SET updated_ms = updated_ms - 2678400000 WHERE id = $1")
        .bind(&ids[0])
        .execute(&mut *tx)
        .await
        .expect("updated");
    tx.commit().await.expect("committed");
    db.close().await;
    let inside = app.inside().await;
    duoku::ingest::sweep::abandoned(&inside).await.expect("swept");
    assert_eq!(admin.get(&format!("/api/resources/{}", ids[0])).await.status, 404);
    assert_eq!(admin.get(&format!("/api/resources/{}", ids[1])).await.status, 200);
    inside.db.close().await;
}

#[tokio::test]
async fn days_kept_are_bounded() {
    let app = TestApp::start();
    let admin = app.admin().await;
    for bad in [-1, 36_501, i64::MAX] {
        assert_eq!(patch(&admin, json!({ "retention_days": bad })).await.status, 422, "{bad}");
    }
    let kept = patch(&admin, json!({ "retention_days": 0 })).await.expect(200).json();
    assert_eq!(kept["retention_days"], Value::Null);
}
