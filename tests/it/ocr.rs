//! Text in pictures: scanned pages, images, slides of videos.

use std::time::Duration;

use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Client, text_of};
use crate::fixture;

/// What these tests are about; others have nothing read, so that nothing is left to be done when a
/// resource is ready.
const ON: [(&str, &str); 2] = [("DUOKU_OCR_ENABLED", "true"), ("DUOKU_SLIDES_ENABLED", "true")];

const READ: Duration = Duration::from_secs(60);

/// The first hit of `q`, which comes when the text was read.
async fn hit(client: &Client, q: &str) -> Value {
    eventually(&format!("{q} is found"), READ, || async {
        client.search(q).await["hits"].get(0).cloned()
    })
    .await
}

#[tokio::test]
async fn a_scanned_page_can_be_read_at_once_and_is_found_later() {
    let app = TestApp::with(&ON);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("scan.pdf", "扫描讲义", &fixture::scan()).await;
    assert_eq!(resource["warnings"], json!([]));
    let hit = hit(&nobody, fixture::SCAN_SAYS).await;
    assert_eq!(hit["resource"], resource["id"]);
    let moment = &hit["moments"][0];
    assert_eq!((&moment["kind"], &moment["page"]), (&json!("page"), &json!(1)), "{moment}");
    let base = text_of(&resource["links"]["base"]);
    let words = nobody.get(&format!("{base}/pages/1.json")).await.expect(200).json();
    let runs: Vec<&str> =
        words["words"].as_array().expect("a list").iter().map(|w| text_of(&w["text"])).collect();
    assert!(runs.iter().any(|run| run.contains(fixture::SCAN_SAYS)), "{runs:?}");
    let text = nobody.get(text_of(&resource["links"]["text"])).await.expect(200).text();
    assert!(text.contains(fixture::SCAN_SAYS), "no spaces in Chinese: {text}");
    settled(&app).await;
}

#[tokio::test]
async fn a_document_with_text_is_not_read() {
    let app = TestApp::with(&ON);
    let admin = app.admin().await;
    admin.published("讲义.pdf", "编网讲义", &fixture::pdf()).await;
    let jobs = app.ran(&["jobs", "--all", "--json"]);
    assert!(jobs.contains("pages") && !jobs.contains("recognise"), "{jobs}");
    app.check();
}

#[tokio::test]
async fn without_a_recogniser_pages_have_no_text_and_a_warning_says_so() {
    let app = TestApp::with(&[("DUOKU_OCR_ENABLED", "true"), ("DUOKU_OCR_LANGUAGES", "tlh")]);
    let admin = app.admin().await;
    let resource = admin.published("scan.pdf", "扫描讲义", &fixture::scan()).await;
    let warning = text_of(&resource["warnings"][0]);
    assert!(warning.contains("文字识别") || warning.contains("text recognition"), "{warning}");
    app.check();
}

#[tokio::test]
async fn the_text_in_an_image_is_found_and_can_be_marked() {
    let app = TestApp::with(&ON);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("notice.png", "通知", &fixture::picture_of_text()).await;
    let id = text_of(&resource["id"]);
    let hit = hit(&nobody, fixture::SCAN_SAYS).await;
    assert_eq!(hit["resource"], id);
    let base = text_of(&resource["links"]["base"]);
    let words = nobody.get(&format!("{base}/picture.json")).await.expect(200).json();
    assert!(words["words"].as_array().is_some_and(|words| !words.is_empty()), "{words}");
    let page = nobody.get(&format!("/resources/{id}")).await.expect(200).text();
    assert!(page.contains("picture.json"));
    settled(&app).await;
}

#[tokio::test]
async fn the_slides_of_a_lecture_are_chapters_with_text_that_is_found() {
    let app = TestApp::with(&ON);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("lecture.mp4", "公开课", &fixture::lecture()).await;
    let id = text_of(&resource["id"]).to_owned();
    let hit = hit(&nobody, fixture::SCAN_SAYS).await;
    let moment = &hit["moments"][0];
    assert_eq!((&moment["kind"], &moment["page"]), (&json!("slide"), &Value::Null), "{moment}");
    let start = moment["start_ms"].as_i64().expect("a time");
    assert!((5_000..7_500).contains(&start), "{moment}");
    assert!(text_of(&moment["url"]).starts_with(&format!("/resources/{id}?t=")), "{moment}");
    let image = nobody.get(text_of(&moment["image"])).await.expect(200);
    assert_eq!(image.header("content-type"), "image/webp");

    let resource = nobody.get(&format!("/api/resources/{id}")).await.expect(200).json();
    let slides = resource["slides"].as_array().expect("a list");
    assert_eq!(slides.len(), 2, "{slides:?}");
    assert_eq!(slides[0]["start_ms"], 0);
    assert_eq!(slides[0]["end_ms"], slides[1]["start_ms"]);
    for slide in slides {
        nobody.get(text_of(&slide["image"])).await.expect(200);
    }
    for missing in ["0.webp", "3.webp", "1.jpg", "x.webp"] {
        nobody.get(&format!("/media/{id}/slides/{missing}")).await.expect(404);
    }
    let page = nobody.get(&format!("/resources/{id}")).await.expect(200).text();
    assert_eq!(page.matches("/slides/").count(), 2);
    settled(&app).await;
}

#[tokio::test]
async fn a_film_has_no_slides() {
    let app = TestApp::with(&ON);
    let admin = app.admin().await;
    let resource = admin.published("a.mp4", "短片", &fixture::video(8)).await;
    settled(&app).await;
    let id = text_of(&resource["id"]);
    let resource = admin.get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!(resource["slides"], json!([]));
    let page = admin.get(&format!("/resources/{id}")).await.expect(200).text();
    assert!(!page.contains("data-slides"));
}

#[tokio::test]
async fn what_was_taken_in_without_a_recogniser_is_read_later() {
    let mut app = TestApp::with(&[
        ("DUOKU_OCR_ENABLED", "true"),
        ("DUOKU_SLIDES_ENABLED", "true"),
        ("DUOKU_OCR_LANGUAGES", "tlh"),
    ]);
    let admin = app.admin().await;
    let scan = admin.published("scan.pdf", "扫描讲义", &fixture::scan()).await;
    let notice = admin.published("notice.png", "通知", &fixture::picture_of_text()).await;
    let lecture = admin.published("lecture.mp4", "公开课", &fixture::lecture()).await;
    admin.published("讲义.pdf", "编网讲义", &fixture::pdf()).await;
    settled(&app).await;
    let mut all: Vec<&str> = [&scan, &notice, &lecture].map(|one| text_of(&one["id"])).to_vec();
    all.sort_unstable();
    // The lecture notes have some of the words.
    let found = app.nobody().found(fixture::SCAN_SAYS).await;
    assert!(!found.iter().any(|id| all.contains(&&**id)), "{found:?}");
    let said = app.run(&["recognise", "--missing"]);
    assert!(said.code == 1 && said.err.contains("tesseract"), "{said:?}");

    app.stop();
    app.set("DUOKU_OCR_LANGUAGES", "chi_sim,eng");
    app.serve(&[]);
    let said = app.ran(&["recognise", "--missing"]);
    assert!(said.contains("3 resources") && said.contains("3 jobs"), "{said}");
    let nobody = app.nobody();
    eventually("all three are found", READ, || async {
        let mut found = nobody.found(fixture::SCAN_SAYS).await;
        found.sort_unstable();
        (found == all).then_some(())
    })
    .await;
    settled(&app).await;
    let path = format!("/api/resources/{}", text_of(&scan["id"]));
    assert_eq!(nobody.get(&path).await.expect(200).json()["warnings"], json!([]));
    // What was read is not read again, unless it is named and still has no text.
    assert!(app.ran(&["recognise", "--missing"]).contains("0 resources"));
    assert!(app.ran(&["recognise", text_of(&scan["id"])]).contains("0 resources"));
    for wrong in [&["recognise"][..], &["recognise", "x"], &["recognise", "--missing", "x"]] {
        assert_ne!(app.run(wrong).code, 0, "{wrong:?}");
    }
}

/// Waits until nothing is left to be done; then rows and objects must fit.
async fn settled(app: &TestApp) {
    eventually("all jobs are done", READ, || async {
        app.ran(&["jobs", "--json"]).trim().is_empty().then_some(())
    })
    .await;
    app.check();
}
