//! The index is a cache: it can be built anew at any time, and is when it is damaged.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::app::{TestApp, eventually};
use crate::client::Client;
use crate::fixture;

const TITLES: &[&str] = &["剪纸 一", "剪纸 二", "剪纸 三", "剪纸 四"];

async fn pictures(app: &TestApp, admin: &Client) -> Vec<String> {
    let mut ids = Vec::new();
    for (number, title) in (0..).zip(TITLES) {
        ids.push(admin.upload("p.bmp", title, &fixture::picture(number)).await);
    }
    for id in &ids {
        admin.settled(id).await;
    }
    found_again(app, &ids).await;
    ids
}

/// All are found by the index, once, within the promised time.
async fn found_again(app: &TestApp, ids: &[String]) {
    let nobody = app.nobody();
    eventually("all are found", Duration::from_secs(5), || async {
        let result = nobody.search("剪纸").await;
        let full = result["titles_only"] == false;
        let mut found = nobody.found("剪纸").await;
        found.sort();
        let mut ids = ids.to_vec();
        ids.sort();
        (full && found == ids).then_some(())
    })
    .await;
}

/// Folder of the index in use.
fn current(app: &TestApp) -> PathBuf {
    let root = app.data().join("index");
    let name = fs::read_to_string(root.join("current")).expect("named");
    root.join(name.trim())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_is_built_anew_without_a_moment_of_silence() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = pictures(&app, &admin).await;
    let before = current(&app);
    let stop = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let (nobody, stop) = (app.nobody(), Arc::clone(&stop));
        async move {
            let mut asked = 0;
            while !stop.load(Ordering::Relaxed) {
                let result = nobody.search("剪纸").await;
                assert_eq!(result["total"], TITLES.len(), "after {asked}: {result:#}");
                asked += 1;
            }
            asked
        }
    });
    let out = app.ran(&["reindex"]);
    assert!(out.contains('4'), "{out}");
    eventually("the new one is in use", Duration::from_secs(5), || async {
        let folder = current(&app);
        (folder != before && !before.exists()).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    assert!(asking.await.expect("always an answer") > 10);
    found_again(&app, &ids).await;
    // And it follows changes.
    admin.post(&format!("/api/resources/{}/withdraw", ids[0])).await.expect(200);
    found_again(&app, &ids[1..]).await;
    app.check();
}

#[tokio::test]
async fn an_index_that_is_lost_or_damaged_is_built_anew_at_the_start() {
    let mut app = TestApp::start();
    let admin = app.admin().await;
    let ids = pictures(&app, &admin).await;
    type Damage = (&'static str, fn(&TestApp));
    let damages: [Damage; 6] = [
        ("deleted", |app| fs::remove_dir_all(app.data().join("index")).expect("removed")),
        ("emptied", |app| {
            let folder = current(app);
            fs::remove_dir_all(&folder).expect("removed");
            fs::create_dir(&folder).expect("made");
        }),
        ("truncated", |app| {
            for entry in fs::read_dir(current(app)).expect("there").flatten() {
                let file = fs::OpenOptions::new().write(true).open(entry.path()).expect("opened");
                let length = file.metadata().expect("read").len();
                file.set_len(length / 2).expect("cut");
            }
        }),
        ("overwritten", |app| {
            for entry in fs::read_dir(current(app)).expect("there").flatten() {
                let length = fs::metadata(entry.path()).expect("read").len();
                fs::write(entry.path(), vec![0xa5; length as usize]).expect("written");
            }
        }),
        ("unnamed", |app| fs::remove_file(app.data().join("index/current")).expect("removed")),
        ("misnamed", |app| {
            fs::write(app.data().join("index/current"), "../../etc").expect("written");
        }),
    ];
    for (what, damage) in damages {
        app.stop();
        damage(&app);
        let said = app.run(&["check"]);
        assert!(said.code == 2 && said.out.contains("index"), "{what}: {said:?}");
        app.serve(&[]);
        let begun = std::time::Instant::now();
        // Titles answer meanwhile.
        assert_eq!(app.nobody().get("/readyz").await.status, 200, "{what}");
        app.nobody().search("剪纸").await;
        found_again(&app, &ids).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{what}: {:?}", begun.elapsed());
    }
    app.check();
}

/// kill -9 while many changes go into the index: afterwards it is what the rows say.
#[tokio::test]
async fn an_index_that_was_killed_catches_up() {
    let mut app = TestApp::start();
    let admin = app.admin().await;
    let ids = pictures(&app, &admin).await;
    for round in 0..3 {
        let admin = admin.at(app.address());
        for id in &ids[..2] {
            let action = if round % 2 == 0 { "withdraw" } else { "publish" };
            admin.post(&format!("/api/resources/{id}/{action}")).await.expect(200);
        }
        app.kill();
        app.serve(&[]);
        let public = if round % 2 == 0 { &ids[2..] } else { &ids[..] };
        found_again(&app, public).await;
    }
    app.check();
}

#[tokio::test]
async fn an_index_in_use_is_told_apart_by_check() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = pictures(&app, &admin).await;
    // Damage of each sort is found and named.
    let victim = app.stored().into_iter().find(|p| p.to_string_lossy().ends_with(".webp"));
    let victim = app.data().join("store").join(victim.expect("a picture"));
    let bytes = fs::read(&victim).expect("there");
    let kinds = |said: &crate::app::Said| -> Vec<String> {
        let report: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let problems = report["problems"].as_array().expect("a list").clone();
        problems.iter().map(|p| p["kind"].as_str().expect("a word").to_owned()).collect()
    };
    let mut flipped = bytes.clone();
    flipped[20] ^= 1;
    fs::remove_file(&victim).expect("removed");
    let said = app.run(&["check", "--json"]);
    assert_eq!((said.code, kinds(&said)), (2, vec!["missing".to_owned()]));
    fs::write(&victim, &flipped).expect("written");
    let said = app.run(&["check", "--json"]);
    assert_eq!((said.code, kinds(&said)), (2, vec!["damaged".to_owned()]));
    assert_eq!(app.run(&["check", "--json", "--quick"]).code, 0, "sizes are right");
    fs::write(&victim, &bytes).expect("written");
    let orphan = victim.with_file_name("orphan.webp");
    fs::write(&orphan, b"x").expect("written");
    let said = app.run(&["check", "--json"]);
    assert_eq!((said.code, kinds(&said)), (2, vec!["orphan".to_owned()]));
    let said = app.run(&["check"]);
    assert!(said.code == 2 && said.out.contains("orphan\t"), "{said:?}");
    // Perhaps somebody is about to name it.
    assert_eq!(app.run(&["check", "--repair"]).code, 2);
    assert!(orphan.exists());
    let before = std::time::SystemTime::now() - Duration::from_hours(2);
    let file = fs::File::options().write(true).open(&orphan).expect("opened");
    file.set_modified(before).expect("set");
    app.ran(&["check", "--repair"]);
    assert!(!orphan.exists());
    app.check();
    found_again(&app, &ids).await;
}

/// Each row and file that check compares, made wrong in turn.
#[tokio::test]
async fn what_uploads_and_renditions_lack_is_told_by_check() {
    let mut app = TestApp::start();
    let admin = app.admin().await;
    let video = admin.published("a.mp4", "编网", &fixture::heavy_video(70)).await;
    let file = fixture::noise(9000);
    let begun = crate::client::answer(admin.create("a.wav", file.len())).await.expect(201);
    let url = begun.header("location").to_owned();
    crate::client::answer(admin.piece(&url, 0, &file[..5000])).await.expect(204);
    app.check();
    app.stop();
    let upload = app.data().join("uploads").join(url.rsplit('/').next().expect("an id"));
    let kinds = |app: &TestApp| -> Vec<String> {
        let report: serde_json::Value =
            serde_json::from_str(&app.run(&["check", "--json"]).out).expect("JSON");
        let problems = report["problems"].as_array().expect("a list").clone();
        problems.iter().map(|p| p["kind"].as_str().expect("a word").to_owned()).collect()
    };
    fs::write(&upload, b"x").expect("cut");
    assert_eq!(kinds(&app), ["damaged"]);
    fs::write(&upload, &file[..5000]).expect("written");
    assert!(kinds(&app).is_empty());
    // The last part of one rendition.
    let db = app.db().await;
    let id = video["id"].as_str().expect("an id");
    let lost = "DELETE FROM part WHERE number = 1 AND rendition =
        (SELECT MIN(id) FROM rendition WHERE resource = $1 AND kind = 'video')";
    let mut tx = db.begin().await.expect("a transaction");
    sqlx::query(lost).bind(id).execute(&mut *tx).await.expect("deleted");
    tx.commit().await.expect("committed");
    db.close().await;
    assert_eq!(kinds(&app), ["unused", "incomplete"]);
}
