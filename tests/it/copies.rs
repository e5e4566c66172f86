//! Copies of harvested records: fetched from their home where the licence allows it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Client, text_of};
use crate::fixture;

const SETTINGS: &[(&str, &str)] =
    &[("DUOKU_HARVEST_PRIVATE_ADDRESSES", "true"), ("DUOKU_HARVEST_PAUSE_MS", "0")];

const LONG: Duration = Duration::from_secs(60);

/// A published document at another installation; `licence` is what it may be used for.
async fn uploaded(there: &Client, licence: &str) -> String {
    let id = there.upload("剪纸.pdf", "剪纸入门", &fixture::pdf()).await;
    there.settled(&id).await;
    let path = format!("/api/resources/{id}");
    there.send(Method::PATCH, &path, &json!({ "licence": licence })).await.expect(200);
    id
}

/// Harvests `there`; gives the ids of its records here.
async fn harvested(there: &TestApp, here: &Client, records: usize) -> Vec<String> {
    let url = format!("http://{}/oai", there.address());
    let list = format!("completeListSize=\"{records}\"");
    eventually("they tell of it", LONG, || async {
        let path = "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc";
        let text = there.nobody().get(path).await.text();
        (text.contains(&list) || text.matches("<header>").count() == records).then_some(())
    })
    .await;
    let source = json!({ "url": url, "library": "main", "name": "邻市资源库", "every_hours": 0 });
    here.send(Method::POST, "/api/sources", &source).await.expect(201);
    eventually("it is harvested", LONG, || async {
        let list = here.get("/api/resources?stage=published").await.json();
        let items = list["items"].as_array()?;
        let ids: Vec<_> = items.iter().map(|one| text_of(&one["id"]).to_owned()).collect();
        (ids.len() == records).then_some(ids)
    })
    .await
}

async fn copy(client: &Client, id: &str, library: &str) -> crate::client::Answer {
    let path = format!("/api/resources/{id}/copy");
    client.send(Method::POST, &path, &json!({ "library": library })).await
}

async fn copied(client: &Client, id: &str) -> String {
    let made: Value = copy(client, id, "main").await.expect(202).json();
    text_of(&made["resource"]).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_copied_in_and_says_where_it_came_from() {
    let (there, here) = (TestApp::start(), TestApp::with(SETTINGS));
    let original = uploaded(&there.admin().await, "CC-BY-4.0").await;
    let ours = here.admin().await;
    let id = harvested(&there, &ours, 1).await.remove(0);

    here.nobody()
        .send(Method::POST, &format!("/api/resources/{id}/copy"), &json!({}))
        .await
        .expect(401);
    let author = here.person("lin", &[("main", duoku::catalogue::Role::Author)]).await;
    copy(&author, &id, "main").await.expect(403);
    copy(&ours, &id, "no-such").await.expect(422);
    let made = copied(&ours, &id).await;
    copy(&ours, &id, "main").await.expect(409);
    let resource = ours.settled(&made).await;
    assert_eq!(resource["failure"], Value::Null, "{resource:#}");
    assert_eq!(
        (&resource["licence"], &resource["kind"]),
        (&json!("CC-BY-4.0"), &json!("document"))
    );
    assert_eq!(resource["file_name"], "剪纸.pdf");
    assert_eq!(resource["stage"], "published");
    let file = here.nobody().get(&format!("/media/{made}/original")).await.expect(200);
    assert_eq!(file.body, fixture::pdf(), "the very file");
    let page = here.nobody().get(&format!("/resources/{made}")).await.expect(200).text();
    let home = format!("http://{}/resources/{original}", there.address());
    assert!(page.contains(&home) && page.contains("原件来自") && page.contains("感谢"));
    let page = ours.get(&format!("/resources/{id}")).await.expect(200).text();
    assert!(page.contains(&format!("/resources/{made}")), "leads to the copy");
    copy(&ours, &made, "main").await.expect(409);
    let log = ours.get("/api/audit?action=copy-in").await.json();
    assert_eq!((&log["total"], &log["items"][0]["subject"]), (&json!(1), &json!(made)));
    here.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_may_be_copied_is() {
    let (there, here) = (TestApp::start(), TestApp::with(SETTINGS));
    uploaded(&there.admin().await, "all-rights-reserved").await;
    let ours = here.admin().await;
    let id = harvested(&there, &ours, 1).await.remove(0);
    let refused = copy(&ours, &id, "main").await.expect(409).json();
    assert_eq!(refused["code"], "copy_licence");
    let page = ours.get(&format!("/resources/{id}")).await.expect(200).text();
    assert!(page.contains("不允许复制") && !page.contains("/copy\""));
    let page = here.nobody().get(&format!("/resources/{id}")).await.expect(200).text();
    assert!(!page.contains("复制进来"), "no matter of visitors");
    let own = ours.upload("p.bmp", "图", &fixture::picture(1)).await;
    ours.settled(&own).await;
    assert_eq!(copy(&ours, &own, "main").await.expect(409).json()["code"], "copy_own");
}

/// Its home gives no file: it fails with a sentence, and can be tried again.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_fetched_fails_with_a_reason() {
    let (there, here) = (TestApp::start(), TestApp::with(SETTINGS));
    let theirs = there.admin().await;
    let original = uploaded(&theirs, "CC-BY-4.0").await;
    let ours = here.admin().await;
    let id = harvested(&there, &ours, 1).await.remove(0);
    theirs.post(&format!("/api/resources/{original}/withdraw")).await.expect(200);
    let made = copied(&ours, &id).await;
    let failed = eventually("it fails", LONG, || async {
        let resource = ours.get(&format!("/api/resources/{made}")).await.json();
        (resource["stage"] == "failed").then_some(resource)
    })
    .await;
    assert!(failed["failure"].to_string().contains("404"), "{failed:#}");
    theirs.post(&format!("/api/resources/{original}/publish")).await.expect(200);
    ours.post(&format!("/api/resources/{made}/retry")).await.expect(200);
    let resource = ours.settled(&made).await;
    assert_eq!(resource["failure"], Value::Null, "{resource:#}");
}

/// Its home is silent while the file comes, and this server is killed: the copy is made once.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_on_after_a_kill() {
    let (there, mut here) = (TestApp::start(), TestApp::with(SETTINGS));
    uploaded(&there.admin().await, "CC0-1.0").await;
    let ours = here.admin().await;
    let id = harvested(&there, &ours, 1).await.remove(0);
    there.server().signal(rustix::process::Signal::STOP);
    let made = copied(&ours, &id).await;
    eventually("it is being fetched", LONG, || async {
        let jobs = ours.get(&format!("/api/jobs?resource={made}&state=running")).await.json();
        (jobs["items"][0]["step"] == "fetch").then_some(())
    })
    .await;
    here.kill();
    there.server().signal(rustix::process::Signal::CONT);
    here.serve(&[]);
    let ours = ours.at(here.address());
    let resource = ours.settled(&made).await;
    assert_eq!(resource["failure"], Value::Null, "{resource:#}");
    let file = here.nobody().get(&format!("/media/{made}/original")).await.expect(200);
    assert_eq!(file.body, fixture::pdf());
    let log = ours.get("/api/audit?q=copy-in").await.json();
    assert_eq!(log["total"], json!(1));
    here.check();
}
