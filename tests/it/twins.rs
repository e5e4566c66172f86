//! What is the same in several resources, and who is told of it.

use std::process::Command;
use std::time::Duration;

use duoku::catalogue::Role::{Author, Librarian};
use duoku::catalogue::{Details, Resource, Stage};
use duoku::db;
use http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Client, text_of};
use crate::fixture;

const ON: (&str, &str) = ("DUOKU_TWINS_ENABLED", "true");

/// How long the jobs may take on a busy machine.
const SOON: Duration = Duration::from_secs(90);

/// A film of `seconds` whose picture changes all the time, other for each `rule` of an automaton.
fn film(app: &TestApp, name: &str, rule: u32, seconds: u32, filters: &str) -> Vec<u8> {
    let to = app.desk().join(name);
    let source = format!("cellauto=rule={rule}:size=80x60:rate=2:random_seed={rule}:scroll=1");
    let ran = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &source, "-t", &seconds.to_string()])
        .args(["-vf", &format!("scale=320:240,gblur=6,fps=10{filters}"), "-pix_fmt", "yuv420p"])
        .arg(&to)
        .status();
    assert!(ran.expect("ffmpeg runs").success());
    std::fs::read(to).expect("a film")
}

async fn library(admin: &Client, slug: &str, visibility: &str) {
    let library =
        json!({ "slug": slug, "name": slug, "visibility": visibility, "publishing": "automatic" });
    admin.send(Method::POST, "/api/libraries", &library).await.expect(201);
}

/// The groups that `who` sees, once there are `count`.
async fn groups(who: &Client, count: u64) -> Value {
    eventually(&format!("{count} groups"), SOON, || async {
        let view = who.get("/api/duplicates").await.expect(200).json();
        (view["total"] == count).then_some(view)
    })
    .await
}

/// Waits until nothing is compared any more.
async fn compared(app: &TestApp) {
    eventually("all is compared", SOON, || async {
        let open = app.ran(&["jobs"]);
        (!open.contains("\ttwins\t")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_film_encoded_anew_is_found_by_who_may_see_both() {
    let app = TestApp::with(&[ON]);
    let admin = app.admin().await;
    library(&admin, "county", "internal").await;
    let main = app.person("mainkeeper", &[("main", Librarian)]).await;
    let county = app.person("countykeeper", &[("county", Librarian)]).await;
    let author = app.person("author", &[("county", Author)]).await;
    let first = film(&app, "first.mp4", 30, 20, "");
    let logo = ",drawbox=x=270:y=10:w=40:h=24:color=red:t=fill,scale=160:120,pad=160:160:0:20";
    let copy = film(&app, "copy.mp4", 30, 14, logo);
    let other = film(&app, "other.mp4", 110, 20, "");
    let whole = text_of(&admin.published("first.mp4", "剪纸", &first).await["id"]).to_owned();
    admin.published("other.mp4", "编网", &other).await;
    let part = author.upload_into("county", "copy.mp4", "剪纸入门", &copy).await;
    author.settled(&part).await;

    let view = groups(&admin, 1).await;
    let group = &view["groups"][0];
    assert_eq!(
        (&group["libraries"], group["resources"].as_array().map(Vec::len)),
        (&json!(2), Some(2))
    );
    let pair = &group["pairs"][0];
    assert_eq!(pair["likeness"], "picture");
    assert!(pair["share"].as_f64().is_some_and(|share| share > 0.8), "{pair:#}");
    let (one, other) = (text_of(&pair["first"]), text_of(&pair["second"]));
    assert!([one, other].contains(&whole.as_str()) && [one, other].contains(&part.as_str()));
    assert!(text_of(&pair["says"]).starts_with("画面相同"), "{pair:#}");

    // What the county has is not for the eyes of others.
    compared(&app).await;
    assert_eq!(groups(&main, 0).await["groups"], json!([]));
    assert!(!main.get("/api/duplicates.csv").await.expect(200).text().contains(&part));
    groups(&county, 1).await;
    author.get("/api/duplicates").await.expect(403);
    app.nobody().get("/api/duplicates").await.expect(401);
    admin.get("/api/duplicates?sort=size&likeness=sound").await.expect(200);
    admin.get("/api/duplicates?sort=oddly").await.expect(400);
    let page = county.get("/admin/duplicates").await.expect(200).text();
    assert!(page.contains("剪纸入门") && page.contains("画面相同"));
    assert!(!main.get("/admin/duplicates").await.expect(200).text().contains("剪纸入门"));

    // The author is told, by what they may see.
    let hint = author.get(&format!("/studio/resources/{part}")).await.expect(200).text();
    assert!(hint.contains("基本相同") && hint.contains("该视频与"));
    let hint = main.get(&format!("/studio/resources/{whole}")).await.expect(200).text();
    assert!(!hint.contains("基本相同"));

    // Tables for people with a spreadsheet.
    let table = app.ran(&["duplicates", "--csv"]);
    assert!(table.lines().count() == 2 && table.contains("剪纸入门"), "{}", table.lines().count());
    assert!(app.ran(&["duplicates"]).contains("picture"));

    // Somebody says that they are not the same.
    let path = format!("/api/duplicates/{part}/{whole}");
    let reason = json!({ "reason": "两位老师各自拍的" });
    main.send(Method::PUT, &path, &reason).await.expect(404);
    author.send(Method::PUT, &path, &reason).await.expect(403);
    county.send(Method::PUT, &path, &json!({ "reason": " " })).await.expect(422);
    county.send(Method::PUT, &path, &reason).await.expect(204);
    groups(&admin, 0).await;
    let aside = admin.get("/api/duplicates?set_aside=true").await.expect(200).json();
    assert_eq!(aside["groups"][0]["pairs"][0]["verdict"]["reason"], reason["reason"]);
    county.delete(&path).await.expect(204);
    county.delete(&path).await.expect(404);
    groups(&admin, 1).await;

    // What is gone is forgotten.
    county.delete(&format!("/api/resources/{part}")).await.expect(204);
    groups(&admin, 0).await;
    app.check();
}

#[tokio::test]
async fn files_from_before_are_compared_when_the_server_starts_again() {
    let mut app = TestApp::start();
    let admin = app.admin().await;
    library(&admin, "county", "public").await;
    let picture = fixture::picture_of_text();
    let first = text_of(&admin.published("one.png", "告示", &picture).await["id"]).to_owned();
    let second = admin.upload_into("county", "two.png", "告示二", &picture).await;
    admin.settled(&second).await;
    assert_eq!(admin.get("/api/duplicates").await.expect(200).json()["total"], 0);
    app.kill();
    app.set(ON.0, ON.1);
    app.serve(&[]);
    let admin = admin.at(app.address());
    let view = groups(&admin, 1).await;
    let pair = &view["groups"][0]["pairs"][0];
    assert_eq!((&pair["likeness"], &pair["share"]), (&json!("file"), &json!(1.0)));
    assert!([&pair["first"], &pair["second"]].contains(&&json!(first)));
    compared(&app).await;
    app.check();
}

const NOTES: &str = "剪纸是用剪刀在纸上剪出花纹的手艺，过年时贴在窗户上，叫做窗花。学习的时候先把红纸对折，再用铅笔画出一半的轮廓，\
    沿着线慢慢剪开，展开以后两边完全一样。老人们说，剪纸要心静手稳，刀口不能断，线条要连着走，留白的地方先剪，外面的轮廓最后剪。";
const TRADITIONAL: &str = "剪紙是用剪刀在紙上剪出花紋的手藝，過年時貼在窗戶上，叫做窗花。學習的時候先把紅紙對折，再用鉛筆畫出一半的輪廓，\
    沿著線慢慢剪開，展開以後兩邊完全一樣。老人們說，剪紙要心靜手穩，刀口不能斷，線條要連著走，留白的地方先剪，外面的輪廓最後剪。";
const OTHER: &str = "编网是黄海边渔民的活计，冬天不出海的时候，一家人围着火炉坐下，用竹梭把麻线编成网眼，大小要看捕什么鱼，\
    先起头再走边，破了的地方用同样粗细的线补上，晒干以后再下水试一试，结实的网可以用上三五年。";

#[tokio::test]
async fn the_same_text_is_found_in_another_format_and_script() {
    let app = TestApp::with(&[ON]);
    let admin = app.admin().await;
    let word = crate::office::docx(&crate::office::paragraph(NOTES));
    admin.published("notes.docx", "讲义", &word).await;
    admin.published("notes.md", "講義", format!("# 講義\n\n{TRADITIONAL}\n").as_bytes()).await;
    admin.published("other.md", "编网", format!("# 编网\n\n{OTHER}\n").as_bytes()).await;
    let view = groups(&admin, 1).await;
    compared(&app).await;
    let group = &groups(&admin, 1).await["groups"][0];
    assert_eq!(group["pairs"].as_array().map(Vec::len), Some(1), "{}", view["total"]);
    let pair = &group["pairs"][0];
    assert_eq!(pair["likeness"], "text");
    assert!(pair["share"].as_f64().is_some_and(|share| share > 0.8), "{pair:#}");
}

/// What was harvested has no file here.
#[tokio::test]
async fn what_has_no_file_waits_for_nothing() {
    let app = TestApp::start();
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let admin = db::accounts::find_by_name(&mut tx, "admin", 0).await.expect("read");
    let main = db::libraries::find_by_slug(&mut tx, "main").await.expect("read");
    let details = Details { title: "别处的".into(), ..Details::default() };
    let mut resource =
        Resource::draft(main.expect("there").id, admin.expect("there").id, details, 1);
    db::resources::insert(&mut tx, &mut resource).await.expect("inserted");
    resource.stage = Stage::Published;
    db::resources::save(&mut tx, &mut resource, 1).await.expect("saved");
    assert_eq!(db::twins::missing(&mut tx, 9).await.expect("read"), []);
    tx.commit().await.expect("committed");
    db.close().await;
}
