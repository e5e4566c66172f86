//! Documents, pictures, and sound alone.

use std::time::Duration;

use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::text_of;
use crate::fixture;

/// Width in the header of a WebP picture (VP8, VP8L or VP8X).
fn webp_width(bytes: &[u8]) -> u32 {
    assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WEBP"[..]));
    let byte = |at: usize| u32::from(bytes[at]);
    match &bytes[12..16] {
        b"VP8 " => (byte(26) | byte(27) << 8) & 0x3fff,
        b"VP8L" => ((byte(21) | byte(22) << 8) & 0x3fff) + 1,
        b"VP8X" => (byte(24) | byte(25) << 8 | byte(26) << 16) + 1,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_pdf_is_ingested_into_pages_that_are_read_and_found() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("讲义.pdf", "编网讲义", &fixture::pdf()).await;
    let id = text_of(&resource["id"]);
    assert_eq!((&resource["kind"], &resource["pages"]), (&json!("document"), &json!(3)));
    assert!(resource["links"]["hls"].is_null() && resource["duration_ms"].is_null());
    let base = text_of(&resource["links"]["base"]);
    for page in 1..=3 {
        let large = nobody.get(&format!("{base}/pages/{page}.webp")).await.expect(200);
        let small = nobody.get(&format!("{base}/pages/{page}-small.webp")).await.expect(200);
        assert_eq!(large.header("content-type"), "image/webp");
        let (wide, narrow) = (webp_width(&large.body), webp_width(&small.body));
        assert!(wide >= 1200 && narrow < wide && narrow >= 200, "{wide} and {narrow}");
        let words = nobody.get(&format!("{base}/pages/{page}.json")).await.expect(200).json();
        let words = words["words"].as_array().expect("a list");
        assert!(words.len() >= 5, "{words:?}");
        for word in words {
            let side = |name: &str| word[name].as_f64().expect("a number");
            assert!(
                side("x") >= 0.0 && side("y") >= 0.0 && side("w") > 0.0 && side("h") > 0.0,
                "{word}"
            );
            assert!(!text_of(&word["text"]).trim().is_empty(), "{word}");
        }
    }
    for missing in ["0.webp", "4.webp", "1.png", "x.webp", "-1.webp", "1-small.json", "01.webp/x"] {
        nobody.get(&format!("{base}/pages/{missing}")).await.expect(404);
    }
    let text = nobody.get(text_of(&resource["links"]["text"])).await.expect(200);
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    let text = text.text();
    let pages: Vec<&str> = text.split('\u{c}').collect();
    assert_eq!(pages.len(), 3, "a form feed between pages");
    let says = |page: &&str| page.contains(fixture::LAST_PAGE_SAYS);
    assert!(says(&pages[2]) && !pages[..2].iter().any(says), "{text}");
    assert!(pages.iter().all(|page| page.contains("网")), "{text}");
    let poster = nobody.get(text_of(&resource["links"]["poster"])).await.expect(200);
    assert_eq!(&poster.body[..3], b"\xff\xd8\xff");

    let hit = eventually("page 3 is found", Duration::from_secs(2), || async {
        nobody.search(fixture::LAST_PAGE_SAYS).await["hits"].get(0).cloned()
    })
    .await;
    assert_eq!(hit["resource"], id);
    let moment = &hit["moments"][0];
    assert_eq!((&moment["kind"], &moment["page"]), (&json!("page"), &json!(3)), "{hit:#}");
    assert!(
        moment["start_ms"].is_null() && text_of(&moment["text"]).contains("<mark>"),
        "{moment}"
    );
    assert!(text_of(&moment["url"]).starts_with(&format!("/resources/{id}?page=3")), "{moment}");
    app.check();
}

#[tokio::test]
async fn a_long_document_is_found_before_all_its_pictures_are_made() {
    const PAGES: i64 = 30;
    // One worker, so that the order of the jobs is what is seen.
    let app = TestApp::with(&[("DUOKU_WORK_LIGHT_WORKERS", "1")]);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("长.pdf", "编网讲义", &fixture::long_pdf(10)).await;
    let id = text_of(&resource["id"]);
    let hit = eventually("the last page is found", Duration::from_secs(5), || async {
        nobody.search(fixture::LAST_PAGE_SAYS).await["hits"].get(0).cloned()
    })
    .await;
    assert_eq!(hit["resource"], id);
    let path = format!("/api/resources/{id}");
    let early = nobody.get(&path).await.expect(200).json();
    assert_eq!((&early["stage"], &early["pages"]), (&json!("published"), &json!(PAGES)));
    let to_come = early["pages_to_come"].as_i64().expect("a number");
    assert!(0 < to_come && to_come < PAGES, "{to_come}");
    let base = text_of(&early["links"]["base"]);
    nobody.get(&format!("{base}/pages/1.webp")).await.expect(200);
    nobody.get(&format!("{base}/pages/{PAGES}.webp")).await.expect(404);
    let words = nobody.get(&format!("{base}/pages/{PAGES}.json")).await.expect(200).json();
    assert!(words["words"].as_array().is_some_and(|words| words.len() > 5));
    let text = nobody.get(&format!("{base}/text")).await.expect(200).text();
    assert_eq!(text.split('\u{c}').count() as i64, PAGES);
    let page = nobody.get(&format!("/resources/{id}?page={PAGES}")).await.expect(200).text();
    assert!(page.contains("data-growing") && page.contains("页的图片正在制作"));
    assert!(page.contains(&format!("data-page=\"{PAGES}\"")));

    eventually("all pages have pictures", Duration::from_secs(120), || async {
        let resource = nobody.get(&path).await.expect(200).json();
        (resource["pages_to_come"] == 0).then_some(())
    })
    .await;
    nobody.get(&format!("{base}/pages/{PAGES}.webp")).await.expect(200);
    let page = nobody.get(&format!("/resources/{id}")).await.expect(200).text();
    assert!(!page.contains("data-growing"));
    eventually("no job is left", Duration::from_secs(10), || async {
        app.ran(&["jobs", "--json"]).trim().is_empty().then_some(())
    })
    .await;
    app.check();
}

/// Pictures of later pages that cannot be made leave the document as it is, with a warning.
#[tokio::test]
async fn pages_that_get_no_pictures_are_read_as_text() {
    let mut app = TestApp::stopped(&[("DUOKU_WORK_LIGHT_WORKERS", "1")]);
    app.serve(&[]);
    let admin = app.admin().await;
    let resource = admin.published("长.pdf", "编网讲义", &fixture::long_pdf(10)).await;
    let id = text_of(&resource["id"]);
    app.kill();
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    sqlx::query("UPDATE job SET payload = 'x' WHERE kind = 'later_pages' AND state <> 'done'")
        .execute(&mut *tx)
        .await
        .expect("spoilt");
    tx.commit().await.expect("committed");
    db.close().await;
    app.serve(&[]);
    let admin = admin.at(app.address());
    let resource = eventually("it is said", Duration::from_secs(30), || async {
        let resource = admin.get(&format!("/api/resources/{id}")).await.expect(200).json();
        let said = resource["warnings"].as_array().is_some_and(|all| !all.is_empty());
        (said && app.ran(&["jobs", "--state", "running"]).is_empty()).then_some(resource)
    })
    .await;
    assert_eq!((&resource["stage"], &resource["pages_to_come"]), (&json!("published"), &json!(0)));
    assert!(text_of(&resource["warnings"][0]).contains("只能看文字"), "{resource:#}");
    let page = admin.get(&format!("/resources/{id}?page=30")).await.expect(200).text();
    assert!(page.contains("data-viewer") && !page.contains("data-growing"));
    app.check();
}

#[tokio::test]
async fn the_outline_of_a_pdf_is_rendered_on_its_page() {
    let Some(pdf) = fixture::shared("doc/pdf-pdflatex-outline.pdf") else {
        // Without the wider material the sample's outline is what there is.
        return outline_of_the_sample().await;
    };
    let app = TestApp::start();
    let admin = app.admin().await;
    let resource = admin.published("outline.pdf", "目录", &pdf).await;
    let items = outline(&app, text_of(&resource["id"])).await;
    assert!(items.len() > 3, "{items:?}");
    let last = resource["pages"].as_i64().expect("a number");
    assert!(items.iter().all(|(_, page)| (1..=last).contains(page)), "{items:?}");
}

async fn outline_of_the_sample() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let bytes = std::fs::read(fixture::sample("bianwang-jiangyi.pdf")).expect("a sample");
    let resource = admin.published("a.pdf", "目录", &bytes).await;
    let last = resource["pages"].as_i64().expect("a number");
    let items = outline(&app, text_of(&resource["id"])).await;
    assert!(items.iter().all(|(_, page)| (1..=last).contains(page)), "{items:?}");
}

/// Titles and pages of the outline, as the database has them.
async fn outline(app: &TestApp, id: &str) -> Vec<(String, i64)> {
    let db = app.db().await;
    let key = id.parse().expect("an id");
    let resource = duoku::db::resources::find(&mut db.read().await.expect("read"), key).await;
    let resource = resource.expect("read").expect("there");
    db.close().await;
    resource.derived.outline.into_iter().map(|item| (item.title, i64::from(item.page))).collect()
}

#[tokio::test]
async fn a_picture_is_ingested_and_shown() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("剪.bmp", "剪纸花样", &fixture::picture(5)).await;
    assert_eq!(resource["kind"], "image");
    assert_eq!((&resource["width"], &resource["height"]), (&json!(48), &json!(32)));
    let picture = nobody.get(text_of(&resource["links"]["picture"])).await.expect(200);
    assert_eq!(webp_width(&picture.body), 48);
    let poster = nobody.get(text_of(&resource["links"]["poster"])).await.expect(200);
    assert_eq!(&poster.body[..3], b"\xff\xd8\xff");
    let original = nobody.get(text_of(&resource["links"]["original"])).await.expect(200);
    assert_eq!(original.body, fixture::picture(5));
    let disposition = original.header("content-disposition");
    assert!(
        disposition.starts_with("attachment;") && disposition.contains("UTF-8''%E5%89%AA.bmp"),
        "{disposition}"
    );
    assert_eq!(original.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn sound_alone_is_transcoded_into_audio() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("歌.mp3", "渔歌", &fixture::audio(13)).await;
    assert_eq!(resource["kind"], "audio");
    let duration_ms = resource["duration_ms"].as_i64().expect("a number");
    assert!((duration_ms - 13_000).abs() <= 100, "{duration_ms}");
    let renditions = resource["renditions"].as_array().expect("a list");
    assert!(
        renditions.iter().all(|rendition: &Value| rendition["kind"] == "audio"),
        "{renditions:?}"
    );
    let master = nobody.get(text_of(&resource["links"]["hls"])).await.expect(200).text();
    let variants = master.lines().filter(|l| l.starts_with("#EXT-X-STREAM-INF:"));
    for variant in variants.clone() {
        assert!(
            variant.contains("CODECS=\"mp4a.40.") && !variant.contains("RESOLUTION"),
            "{variant}"
        );
    }
    assert!(variants.count() >= 1, "{master}");
    for address in crate::video::addresses(&nobody, &resource).await {
        nobody.get(&address).await.expect(200);
    }
    app.check();
}
