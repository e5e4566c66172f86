//! What other programs are told: OAI-PMH.

use std::time::Duration;

use duoku::catalogue::{Details, Kind, Resource, ResourceId, Stage};
use duoku::db;
use http::Method;
use serde_json::json;

use crate::app::{TestApp, eventually};
use crate::client::{Answer, Client, answer};

const OAI: &str = "/oai?verb=";

/// Adds a published resource past the server.
pub(crate) async fn publish(app: &TestApp, library: &str, title: &str, topic: &str) -> ResourceId {
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let admin = db::accounts::find_by_name(&mut tx, "admin", 0).await.expect("read").expect("made");
    let library = db::libraries::find_by_slug(&mut tx, library).await.expect("read");
    let details = Details {
        title: title.into(),
        description: "介绍 <剪纸> & 窗花\u{1}".into(),
        language: Some("zh-Hans".into()),
        author: "李老师; 王".into(),
        licence: "CC-BY-4.0".into(),
        topics: vec![topic.into()],
        audiences: vec!["elders".into()],
        ..Details::default()
    };
    let mut resource = Resource {
        kind: Kind::Document,
        media_type: "application/pdf".into(),
        stage: Stage::Published,
        published_ms: Some(1_700_000_000_000),
        ..Resource::draft(library.expect("there").id, admin.id, details, 1_600_000_000_000)
    };
    db::resources::insert(&mut tx, &mut resource).await.expect("inserted");
    db::resources::save(&mut tx, &mut resource, 1_600_000_000_000).await.expect("saved");
    tx.commit().await.expect("committed");
    db.close().await;
    resource.id
}

async fn oai(app: &TestApp, query: &str) -> String {
    let answer = app.nobody().get(&format!("{OAI}{query}")).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/xml; charset=utf-8");
    answer.text()
}

/// Waits until the answer holds `text`, and gives it.
async fn oai_with(app: &TestApp, query: &str, text: &str) -> String {
    eventually(&format!("{query} has {text}"), Duration::from_secs(10), || async {
        Some(oai(app, query).await).filter(|answer| answer.contains(text))
    })
    .await
}

/// The texts of all elements `tag`.
fn texts<'a>(xml: &'a str, tag: &str) -> Vec<&'a str> {
    let open = format!("<{tag}");
    xml.split(&open)
        .skip(1)
        .filter_map(|rest| {
            let (head, rest) = rest.split_once('>')?;
            (head.is_empty() || head.starts_with(' ')).then(|| rest.split('<').next())?
        })
        .collect()
}

#[track_caller]
fn code(xml: &str) -> &str {
    let after = xml.split("<error code=\"").nth(1).unwrap_or_default();
    after.split('"').next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_given_by_get_and_by_post() {
    let app = TestApp::start();
    let id = publish(&app, "main", "剪纸入门", "culture-arts").await;
    let identify = oai(&app, "Identify").await;
    assert_eq!(texts(&identify, "deletedRecord"), ["persistent"]);
    assert_eq!(texts(&identify, "granularity"), ["YYYY-MM-DDThh:mm:ssZ"]);
    let records = oai_with(&app, "ListRecords&metadataPrefix=oai_dc", "剪纸入门").await;
    assert!(records.contains("介绍 &lt;剪纸&gt; &amp; 窗花<"), "escaped, without U+0001");
    assert_eq!(texts(&records, "setSpec"), ["library.main", "topic.culture-arts"]);
    assert_eq!(texts(&records, "dc:rights"), ["https://creativecommons.org/licenses/by/4.0/"]);
    let identifier = texts(&records, "identifier")[0].to_owned();
    assert!(identifier.ends_with(&format!(":{id}")));

    let form = format!("verb=GetRecord&metadataPrefix=lom&identifier={identifier}");
    let request = app.nobody().ask(Method::POST, "/oai").body(form);
    let typed = request.header("content-type", "application/x-www-form-urlencoded");
    let record = answer(typed).await.expect(200).text();
    assert!(record.contains("FN:李老师\\; 王"), "a vCard");
    assert!(record.contains("GB/T 21365-2008"));
    let formats = oai(&app, &format!("ListMetadataFormats&identifier={identifier}")).await;
    assert_eq!(texts(&formats, "metadataPrefix"), ["oai_dc", "lom"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_codes_of_the_protocol() {
    let app = TestApp::start();
    for (query, expected) in [
        ("", "badVerb"),
        ("Identify&verb=Identify", "badVerb"),
        ("Identify&x=1", "badArgument"),
        ("ListRecords", "badArgument"),
        ("ListRecords&metadataPrefix=oai_dc&from=2026-02-30", "badArgument"),
        ("ListRecords&metadataPrefix=marc", "cannotDisseminateFormat"),
        ("ListRecords&metadataPrefix=oai_dc", "noRecordsMatch"),
        ("ListRecords&resumptionToken=MQ", "badResumptionToken"),
        ("ListSets&resumptionToken=MQ", "badResumptionToken"),
        ("GetRecord&metadataPrefix=oai_dc&identifier=oai:x:y", "idDoesNotExist"),
        ("ListMetadataFormats&identifier=oai:x:y", "idDoesNotExist"),
    ] {
        assert_eq!(code(&oai(&app, query).await), expected, "{query}");
    }
    let echoed = oai(&app, "ListSets&x=%3Cb%3E%01").await;
    assert!(!echoed.contains("x=\""), "what is not understood is not told again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_a_deletion_and_a_library_that_closes_are_told_as_deleted() {
    let app = TestApp::start();
    let admin = app.admin().await;
    make_library(&admin, "lanshan").await;
    let withdrawn = publish(&app, "main", "第一课", "law").await;
    let deleted = publish(&app, "main", "第二课", "law").await;
    let closed = publish(&app, "lanshan", "第三课", "law").await;
    let all = "ListIdentifiers&metadataPrefix=oai_dc";
    let before = oai_with(&app, all, &closed.to_string()).await;
    let first_stamp = texts(&before, "datestamp")[0].to_owned();

    // Datestamps are whole seconds, and lie two ahead.
    tokio::time::sleep(Duration::from_secs(3)).await;
    admin.post(&format!("/api/resources/{withdrawn}/withdraw")).await.expect(200);
    admin.delete(&format!("/api/resources/{deleted}")).await.expect(204);
    let internal = json!({ "visibility": "internal" });
    admin.send(Method::PATCH, "/api/libraries/lanshan", &internal).await.expect(200);
    for id in [withdrawn, deleted, closed] {
        let identifier = texts(&before, "identifier");
        let identifier =
            identifier.iter().find(|text| text.ends_with(&id.to_string())).expect("it");
        let query = format!("GetRecord&metadataPrefix=oai_dc&identifier={identifier}");
        let record = oai(&app, &query).await;
        assert!(record.contains("<header status=\"deleted\">"), "at once");
        assert!(!record.contains("<metadata>"));
    }
    let since = format!("{all}&from={first_stamp}");
    eventually("all three have later datestamps", Duration::from_secs(10), || async {
        let told = oai(&app, &since).await;
        let later = texts(&told, "datestamp").iter().all(|stamp| **stamp > *first_stamp);
        (later && told.matches("status=\"deleted\"").count() == 3).then_some(())
    })
    .await;
    let of_library = oai(&app, &format!("{all}&set=library.lanshan")).await;
    assert!(of_library.contains(&closed.to_string()), "who follows the set is told too");
    assert!(!oai(&app, "ListSets").await.contains("library.lanshan"));

    admin.post(&format!("/api/resources/{withdrawn}/publish")).await.expect(200);
    let record = format!("ListRecords&metadataPrefix=oai_dc&set=library.main&from={first_stamp}");
    oai_with(&app, &record, "第一课").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_was_public_is_not_told() {
    let app = TestApp::start();
    let admin = app.admin().await;
    make_library(&admin, "closed").await;
    let internal = json!({ "visibility": "internal" });
    admin.send(Method::PATCH, "/api/libraries/closed", &internal).await.expect(200);
    let hidden = publish(&app, "closed", "内部课", "law").await;
    let draft = json!({ "library": "main", "title": "草稿" });
    let draft = admin.send(Method::POST, "/api/resources", &draft).await.expect(201).json();
    let draft = draft["id"].as_str().expect("an id").to_owned();
    admin.delete(&format!("/api/resources/{draft}")).await.expect(204);
    admin.delete(&format!("/api/resources/{hidden}")).await.expect(204);
    let shown = publish(&app, "main", "公开课", "law").await;
    let all = oai_with(&app, "ListIdentifiers&metadataPrefix=lom", &shown.to_string()).await;
    assert_eq!(texts(&all, "identifier").len(), 1, "neither draft nor internal, not as deleted");
    let sets = oai(&app, "ListSets").await;
    assert!(!sets.contains("library.closed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_on_over_edits_and_a_restart() {
    let mut app = TestApp::with(&[("DUOKU_EXCHANGE_RECORDS_PER_ANSWER", "2")]);
    let admin = app.admin().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(publish(&app, "main", &format!("第 {number} 课"), "law").await.to_string());
    }
    let all = "ListIdentifiers&metadataPrefix=oai_dc&set=topic.law";
    eventually("all five", Duration::from_secs(10), || async {
        let told = oai(&app, all).await;
        told.contains("completeListSize=\"5\"").then_some(())
    })
    .await;
    let mut told = oai(&app, all).await;
    let mut seen: Vec<String> = Vec::new();
    for turn in 0..10 {
        seen.extend(texts(&told, "identifier").iter().map(|text| (*text).to_owned()));
        let tokens = texts(&told, "resumptionToken");
        let Some(token) = tokens.first().filter(|token| !token.trim().is_empty()) else { break };
        let next = format!("ListIdentifiers&resumptionToken={token}");
        if turn == 0 {
            // One that was given and one that was not move to the end of the list.
            for id in [&ids[0], &ids[4]] {
                let title = json!({ "title": "改名" });
                admin
                    .send(Method::PATCH, &format!("/api/resources/{id}"), &title)
                    .await
                    .expect(200);
            }
            app.stop();
            app.serve(&[]);
            eventually("the edits are there", Duration::from_secs(10), || async {
                let told = oai(&app, &next).await;
                texts(&told, "identifier").len().eq(&2).then_some(())
            })
            .await;
        }
        told = oai(&app, &next).await;
    }
    for id in &ids {
        assert!(seen.iter().any(|identifier| identifier.ends_with(id.as_str())), "{id} {seen:?}");
    }
}

async fn make_library(admin: &Client, slug: &str) -> Answer {
    let library = json!({ "slug": slug, "name": slug });
    admin.send(Method::POST, "/api/libraries", &library).await.expect(201)
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_sitemap_and_robots_show_what_is_public() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let nobody = app.nobody();
    make_library(&admin, "closed").await;
    let internal = json!({ "visibility": "internal" });
    admin.send(Method::PATCH, "/api/libraries/closed", &internal).await.expect(200);
    let hidden = publish(&app, "closed", "内部课", "law").await.to_string();
    let shown = publish(&app, "main", "公开课 & <编网>", "law").await.to_string();
    for path in ["/feed", "/feed/rss?library=main", "/feed/atom", "/feed/atom?q=%E7%BC%96%E7%BD%91"]
    {
        let feed = eventually(path, Duration::from_secs(10), || async {
            Some(nobody.get(path).await.expect(200)).filter(|feed| feed.text().contains(&shown))
        })
        .await;
        assert!(
            !feed.text().contains(&hidden) && feed.text().contains("公开课 &amp; &lt;编网&gt;")
        );
        let tag = feed.header("etag");
        let again = nobody.ask(Method::GET, path).header("if-none-match", tag);
        answer(again).await.expect(304);
    }
    nobody.get("/feed/rss?library=closed").await.expect(404);
    admin.get("/feed/rss?library=closed").await.expect(404);
    nobody.get("/feed/json").await.expect(404);

    let index = nobody.get("/sitemap.xml").await.expect(200).text();
    assert_eq!(texts(&index, "loc").len(), 2);
    let list = eventually("the sitemap", Duration::from_secs(10), || async {
        let list = nobody.get("/sitemaps/first.xml").await.expect(200).text();
        Some(list).filter(|list| list.contains(&shown))
    })
    .await;
    assert!(!list.contains(&hidden) && list.ends_with("</urlset>\n"));
    let packed = nobody.ask(Method::GET, "/sitemaps/first.xml").header("accept-encoding", "gzip");
    let packed = answer(packed).await.expect(200);
    assert!(packed.header("content-encoding") == "gzip" && !packed.body.is_empty());
    nobody.get("/sitemaps/nothing.xml").await.expect(404);
    let pages = nobody.get("/sitemaps/pages.xml").await.expect(200).text();
    assert!(pages.contains("/libraries/main") && !pages.contains("closed"));
    let robots = nobody.get("/robots.txt").await.expect(200).text();
    assert!(robots.contains(&format!("Sitemap: http://{}/sitemap.xml", app.address())));

    admin.post(&format!("/api/resources/{shown}/withdraw")).await.expect(200);
    for path in ["/feed", "/sitemaps/first.xml"] {
        assert!(!nobody.get(path).await.expect(200).text().contains(&shown), "{path}, at once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_resource_can_be_embedded_and_no_other() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let id = publish(&app, "main", "编网 \"技艺\"", "culture-arts").await;
    let page =
        answer(nobody.ask(Method::GET, &format!("/resources/{id}")).header("accept", "text/html"));
    let page = page.await.expect(200);
    assert!(page.header("content-security-policy").contains("frame-ancestors 'self'"));
    let html = page.text();
    assert!(html.contains("name=\"DC.title\" lang=\"zh-Hans\" content=\"编网 &quot;技艺&quot;\""));
    assert!(html.contains("application/json+oembed") && html.contains("name=\"twitter:card\""));
    let embed = nobody.get(&format!("/embed/{id}?t=5")).await.expect(200);
    assert!(embed.header("content-security-policy").contains("frame-ancestors *"));
    assert!(embed.header("set-cookie").is_empty());

    let url = format!("http://{}/resources/{id}?t=5", app.address());
    let ask = |rest: &str| format!("/api/oembed?url={}{rest}", crate::client::encode(&url));
    let told = nobody.get(&ask("&maxwidth=320")).await.expect(200).json();
    assert_eq!((&told["type"], &told["width"]), (&json!("rich"), &json!(320)));
    let html = told["html"].as_str().expect("code");
    assert!(html.contains(&format!("/embed/{id}?t=5")) && html.contains("&quot;技艺&quot;"));
    let xml = nobody.get(&ask("&format=xml")).await.expect(200);
    assert_eq!(texts(&xml.text(), "version"), ["1.0"]);
    nobody.get(&ask("&format=yaml")).await.expect(501);
    nobody.get("/api/oembed?url=https%3A%2F%2Fother.example%2Fresources%2F1").await.expect(404);
    nobody.get("/api/oembed").await.expect(400);

    admin.post(&format!("/api/resources/{id}/withdraw")).await.expect(200);
    nobody.get(&ask("")).await.expect(404);
    nobody.get(&format!("/embed/{id}")).await.expect(404);
    admin.get(&format!("/embed/{id}")).await.expect(404);
}
