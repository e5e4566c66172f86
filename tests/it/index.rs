//! The index is a cache: it can be built anew at any time, and is when it is damaged.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use duoku::catalogue::{Details, Resource, ResourceId, Stage};
use duoku::db;
use http::Method;
use serde_json::json;

use crate::app::{TestApp, eventually};
use crate::client::{Client, encode};
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
    let victim = app.store().join(victim.expect("a picture"));
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

/// Rows of published resources in the library `main`, past the pipeline.
async fn rows(app: &TestApp, count: usize) -> Vec<ResourceId> {
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let library = db::libraries::find_by_slug(&mut tx, "main").await.expect("read").expect("main");
    let admin =
        db::accounts::find_by_name(&mut tx, "admin", 0).await.expect("read").expect("admin");
    let mut ids = Vec::new();
    for number in 0..count {
        let details = Details { title: format!("剪纸 {number}"), ..Details::default() };
        let mut resource = Resource::draft(library.id, admin.id, details, 0);
        db::resources::insert(&mut tx, &mut resource).await.expect("inserted");
        resource.stage = Stage::Published;
        resource.published_ms = Some(1);
        db::resources::save(&mut tx, &mut resource, 1).await.expect("saved");
        ids.push(resource.id);
    }
    tx.commit().await.expect("committed");
    db.close().await;
    ids
}

/// Waits until the index holds what is public, and nothing else.
async fn index_is_right(app: &TestApp) {
    eventually("the index is right", Duration::from_secs(15), || async {
        let report: serde_json::Value =
            serde_json::from_str(&app.run(&["check", "--json", "--quick"]).out).expect("JSON");
        let problems = report["problems"].as_array().expect("a list");
        let of_index = ["not-indexed", "indexed-too-much"];
        problems.iter().all(|p| !of_index.iter().any(|kind| p["kind"] == *kind)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_library_of_many_resources_is_closed_and_opened_as_a_whole() {
    const MANY: usize = 450;
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    rows(&app, MANY).await;
    let found = |count: usize| {
        let nobody = nobody.clone();
        async move {
            eventually(&format!("{count} are found"), Duration::from_secs(15), || async {
                let result = nobody.search("剪纸").await;
                (result["total"] == count && result["titles_only"] == false).then_some(())
            })
            .await;
        }
    };
    found(MANY).await;
    for (visibility, count) in [("internal", 0), ("public", MANY)] {
        let change = json!({ "visibility": visibility });
        admin.send(Method::PATCH, "/api/libraries/main", &change).await.expect(200);
        // Not one is shown after the answer, however far the index is.
        let hits = nobody.search("剪纸").await["hits"].as_array().expect("a list").len();
        assert!(hits == 0 || count > 0, "{hits}");
        found(count).await;
        index_is_right(&app).await;
        let out = app.ran(&["reindex"]);
        assert!(out.contains(&count.to_string()), "{out}");
        index_is_right(&app).await;
        found(count).await;
    }
}

#[tokio::test]
async fn what_is_not_public_any_more_is_not_found_while_the_index_is_stuck() {
    let app = TestApp::with(&[("DUOKU_SEARCH_FOLLOW_MS", "600000")]);
    let admin = app.admin().await;
    let ids = pictures(&app, &admin).await;
    let nobody = app.nobody();
    // Past the server: it is not told, and its index does not look.
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let id = ids[0].parse().expect("an id");
    let mut resource = db::resources::get_locked(&mut tx, id).await.expect("there");
    resource.stage = Stage::Withdrawn;
    db::resources::save(&mut tx, &mut resource, 1).await.expect("saved");
    tx.commit().await.expect("committed");
    db.close().await;
    let result = nobody.search("剪纸").await;
    assert_eq!((&result["total"], &result["titles_only"]), (&json!(3), &json!(false)));
    assert!(!nobody.found("剪纸").await.contains(&ids[0]));
    let path = format!("/api/suggest?q={}", encode(TITLES[0]));
    assert_eq!(nobody.get(&path).await.expect(200).json(), json!([]));
    let page = nobody.get(&format!("/search?q={}", encode("剪纸"))).await.expect(200).text();
    assert!(!page.contains(&ids[0]) && page.contains(&ids[1]), "{page}");
}

#[tokio::test]
async fn an_index_that_is_damaged_in_use_is_built_anew() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let ids = pictures(&app, &admin).await;
    type Damage = (&'static str, fn(PathBuf));
    let damages: [Damage; 2] = [
        // Whoever merges puts files into it meanwhile.
        ("deleted", |folder| while fs::remove_dir_all(&folder).is_err() {}),
        ("overwritten", |folder| {
            for entry in fs::read_dir(folder).expect("there").flatten() {
                // In place: the files are mapped into the server's memory.
                let mut file =
                    fs::OpenOptions::new().write(true).open(entry.path()).expect("opened");
                let length = file.metadata().expect("read").len();
                file.write_all(&vec![0xa5; length as usize]).expect("written");
            }
        }),
    ];
    for (what, damage) in damages {
        let before = current(&app);
        damage(before.clone());
        // Somebody edits, somebody searches.
        let path = format!("/api/resources/{}", ids[0]);
        let patch = json!({ "description": what });
        admin.send(Method::PATCH, &path, &patch).await.expect(200);
        app.nobody().search("剪纸").await;
        eventually(what, Duration::from_secs(15), || async {
            let name = fs::read_to_string(app.data().join("index/current")).ok()?;
            (!before.ends_with(name.trim())).then_some(())
        })
        .await;
        found_again(&app, &ids).await;
    }
    app.check();
}

/// Files of an index that are written once.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("there").flatten();
    let files = entries.map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|e| e != "json" && e != "lock")).collect()
}

/// Leaves so many tenths of a file.
fn cut(path: &Path, tenths: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).expect("opened");
    let length = file.metadata().expect("read").len();
    file.set_len(length * tenths / 10).expect("cut");
}

fn fill_with_garbage(path: &Path) {
    // In place: the file is mapped into the server's memory.
    let mut file = fs::OpenOptions::new().write(true).open(path).expect("opened");
    let length = file.metadata().expect("read").len();
    file.write_all(&fixture::noise(length as usize)).expect("written");
}

/// Nobody edits anything: searches go on, and the index notices by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_spoilt_while_it_is_searched_heals_and_answers_go_on() {
    const MANY: usize = 1500;
    let app = TestApp::start();
    rows(&app, MANY).await;
    let nobody = app.nobody();
    let whole = async |what: &str, before: Option<&PathBuf>| {
        eventually(what, Duration::from_secs(30), || async {
            let result = nobody.search("剪纸").await;
            let name = fs::read_to_string(app.data().join("index/current")).ok()?;
            let another = before.is_none_or(|before| !before.ends_with(name.trim()));
            (another && result["titles_only"] == false && result["total"] == MANY).then_some(())
        })
        .await;
    };
    whole("all are found", None).await;
    let stop = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let (nobody, stop) = (app.nobody(), Arc::clone(&stop));
        async move {
            let mut asked = 0_usize;
            while !stop.load(Ordering::Relaxed) {
                // Each in other words, so that none is answered from memory.
                let path = format!("/api/search?q={}", encode(&format!("剪纸 {}", asked % MANY)));
                let answer = nobody.get(&path).await.expect(200).json();
                let right = answer["titles_only"] == true || answer["total"] != 0;
                assert!(right, "after {asked}: an answer of nothing that is not marked");
                asked += 1;
            }
            asked
        }
    });
    type Damage = (&'static str, fn(&Path));
    let damages: [Damage; 4] = [
        ("cut in half", |folder| files(folder).iter().for_each(|path| cut(path, 5))),
        ("emptied", |folder| files(folder).iter().for_each(|path| cut(path, 0))),
        ("garbage", |folder| files(folder).iter().for_each(|path| fill_with_garbage(path))),
        ("gone", |folder| files(folder).iter().for_each(|path| drop(fs::remove_file(path)))),
    ];
    for (what, damage) in damages {
        let before = current(&app);
        damage(&before);
        whole(what, Some(&before)).await;
    }
    // Each sort of file alone.
    let mut seen = std::collections::HashSet::new();
    loop {
        let before = current(&app);
        let sort = |path: &PathBuf| path.extension().expect("chosen by it").to_owned();
        let Some(path) = files(&before).into_iter().find(|path| !seen.contains(&sort(path))) else {
            break;
        };
        seen.insert(sort(&path));
        cut(&path, 5);
        whole(&format!("{path:?} cut"), Some(&before)).await;
    }
    assert!(seen.len() >= 5, "{seen:?}");
    stop.store(true, Ordering::Relaxed);
    assert!(asking.await.expect("always an answer") > 100);
    index_is_right(&app).await;
}

/// Bad JSON in a row stops neither the index nor a new one.
#[tokio::test]
async fn what_cannot_be_indexed_is_left_out_and_listed() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let ids = pictures(&app, &admin).await;
    let spoilt = &ids[1];
    let derived = |value: Option<&'static str>| {
        let (app, id) = (&app, spoilt.clone());
        async move {
            let db = app.db().await;
            let mut tx = db.begin().await.expect("a transaction");
            let before: String = sqlx::query_scalar("SELECT derived FROM resource WHERE id = $1")
                .bind(&id)
                .fetch_one(&mut *tx)
                .await
                .expect("read");
            let number = db::settings::next_change(&mut tx).await.expect("a number");
            let value =
                value.map_or_else(|| before[1..].to_owned(), |rest| rest.to_owned() + &before);
            sqlx::query("UPDATE resource SET derived = $2, changed = $3 WHERE id = $1")
                .bind(&id)
                .bind(value)
                .bind(number)
                .execute(&mut *tx)
                .await
                .expect("written");
            tx.commit().await.expect("committed");
            db.close().await;
        }
    };
    derived(Some("!")).await;
    let late = admin.published("p.bmp", "剪纸 五", &fixture::picture(9)).await;
    let late = late["id"].as_str().expect("an id").to_owned();
    let mut rest: Vec<String> = ids.iter().filter(|id| *id != spoilt).cloned().collect();
    rest.push(late);
    found_again(&app, &rest).await;
    nobody.get("/api/search/unindexed").await.expect(401);
    app.person("wei", &[]).await.get("/api/search/unindexed").await.expect(403);
    let listed = admin.get("/api/search/unindexed").await.expect(200).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!((&listed[0]["resource"], &listed[0]["title"]), (&json!(spoilt), &json!(TITLES[1])));
    assert!(listed[0]["reason"].as_str().expect("a reason").contains("derived"), "{listed}");
    let metrics = admin.get("/metrics").await.expect(200).text();
    assert!(metrics.lines().any(|line| line == "duoku_index_unindexed 1"));
    let page = admin.get("/admin/search").await.expect(200).text();
    assert!(page.contains("搜不到的资源") && page.contains(TITLES[1]));
    let out = app.ran(&["reindex"]);
    assert!(out.contains(&rest.len().to_string()) && out.contains(spoilt.as_str()), "{out}");
    found_again(&app, &rest).await;
    // Once it is mended, it is found and off the list.
    derived(None).await;
    rest.push(spoilt.clone());
    found_again(&app, &rest).await;
    assert_eq!(admin.get("/api/search/unindexed").await.expect(200).json(), json!([]));
    app.check();
}

#[tokio::test]
async fn an_index_of_another_database_is_not_trusted() {
    let mut app = TestApp::start();
    let admin = app.admin().await;
    let ids = pictures(&app, &admin).await;
    let change = |statement: &'static str| {
        let app = &app;
        async move {
            let db = app.db().await;
            let mut tx = db.begin().await.expect("a transaction");
            sqlx::query(statement).execute(&mut *tx).await.expect("done");
            tx.commit().await.expect("committed");
            db.close().await;
        }
    };
    // As after an older copy was put back, while it runs.
    let before = current(&app);
    change("UPDATE resource SET changed = 1 WHERE changed = (SELECT MAX(changed) FROM resource)")
        .await;
    change("UPDATE counter SET value = (SELECT MAX(changed) FROM resource)").await;
    eventually("an older state is seen", Duration::from_secs(10), || async {
        let name = fs::read_to_string(app.data().join("index/current")).ok()?;
        (!before.ends_with(name.trim())).then_some(())
    })
    .await;
    let before = current(&app);
    change("UPDATE setting SET value = 'another' WHERE name = 'database'").await;
    app.stop();
    app.serve(&[]);
    eventually("another database is seen", Duration::from_secs(10), || async {
        let name = fs::read_to_string(app.data().join("index/current")).ok()?;
        (!before.ends_with(name.trim())).then_some(())
    })
    .await;
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
