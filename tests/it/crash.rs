//! `kill -9`, SIGTERM, and several workers: nothing is lost, nothing is made twice.

use std::time::Duration;

use duoku::catalogue::ResourceId;
use duoku::db;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::app::{TestApp, children_of, eventually, is_alive};
use crate::captions::{RECOGNISER, recogniser};
use crate::client::{Client, text_of};
use crate::fixture;
use crate::office::{docx, paragraph};

/// The media child of `parent` that encodes, once there is one with a part under way.
async fn encoding_child(parent: u32, client: &Client, id: &str) -> u32 {
    let looking = || find_encoding_child(parent, client, id);
    eventually("a media child encodes", Duration::from_secs(60), looking).await
}

async fn find_encoding_child(parent: u32, client: &Client, id: &str) -> Option<u32> {
    let resource = client.get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!(resource["stage"], "processing", "too quick for this test: {resource:#}");
    let begun = resource["progress"].as_f64()? > 0.0;
    let children = children_of(parent);
    let child = children.iter().find(|(_, line)| line.contains("media child"))?;
    begun.then_some(child.0)
}

/// What was made of the resource is whole, and there is one of each.
async fn made_once(app: &TestApp, client: &Client, id: &str) -> Value {
    let resource = client.settled(id).await;
    assert_eq!(resource["stage"], "published", "{resource:#}\n{}", app.logged());
    let report = app.check();
    let objects = report["objects"].as_u64().expect("a number");
    assert_eq!(app.stored().len() as u64, objects, "as many files as rows");
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let key: ResourceId = id.parse().expect("an id");
    let jobs = db::jobs::list(&mut tx, key).await.expect("read");
    assert!(jobs.iter().all(|job| job.state == "done"), "{jobs:#?}");
    let published: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE subject = $1 AND action = 'process'")
            .bind(id)
            .fetch_one(&mut *tx)
            .await
            .expect("read");
    assert_eq!(published, 1, "published once");
    let mut names: Vec<&str> = resource["renditions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|rendition| text_of(&rendition["name"]))
        .collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
    drop(tx);
    db.close().await;
    resource
}

fn scratch(app: &TestApp) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(app.data().join("scratch")).expect("there");
    entries.map(|entry| entry.expect("readable").path()).collect()
}

#[tokio::test]
async fn kill_9_of_server_and_child_during_transcoding_loses_nothing() {
    let mut app = TestApp::start();
    let admin = app.admin().await;
    let id = admin.upload("a.mp4", "长视频", &fixture::heavy_video(70)).await;
    let child = encoding_child(app.server().id(), &admin, &id).await;
    kill_process(Pid::from_raw(i32::try_from(child).expect("small")).expect("not 0"), Signal::KILL)
        .expect("it is there");
    app.kill();

    app.serve(&[]);
    let admin = admin.at(app.address());
    let child = encoding_child(app.server().id(), &admin, &id).await;
    // Now the server alone: its child must not go on without it.
    app.kill();
    eventually("the child ends with its server", Duration::from_secs(5), || async {
        (!is_alive(child)).then_some(())
    })
    .await;

    app.serve(&[]);
    let admin = admin.at(app.address());
    let resource = made_once(&app, &admin, &id).await;
    let duration_ms = resource["duration_ms"].as_i64().expect("a number");
    assert!((duration_ms - 70_000).abs() <= 100, "{duration_ms}");
    assert!(scratch(&app).is_empty(), "{:?}", scratch(&app));
}

#[tokio::test]
async fn a_media_child_that_is_killed_is_replaced() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let id = admin.upload("a.mp4", "短视频", &fixture::heavy_video(20)).await;
    let child = encoding_child(app.server().id(), &admin, &id).await;
    kill_process(Pid::from_raw(i32::try_from(child).expect("small")).expect("not 0"), Signal::KILL)
        .expect("it is there");
    made_once(&app, &admin, &id).await;
}

#[tokio::test]
async fn a_stop_during_transcoding_is_quick_and_loses_nothing() {
    let mut app = TestApp::start();
    let admin = app.admin().await;
    let id = admin.upload("a.mp4", "停", &fixture::heavy_video(25)).await;
    let child = encoding_child(app.server().id(), &admin, &id).await;
    let begun = std::time::Instant::now();
    app.stop();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(!is_alive(child), "the child was left over");
    assert!(scratch(&app).is_empty(), "{:?}", scratch(&app));
    app.serve(&[]);
    let begun = std::time::Instant::now();
    let admin = admin.at(app.address());
    // A stop puts the job back: nobody waits for a lease to run out.
    encoding_child(app.server().id(), &admin, &id).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    made_once(&app, &admin, &id).await;
}

#[tokio::test]
async fn two_workers_beside_a_server_transcode_everything_once() {
    let mut app = TestApp::stopped(&[]);
    app.serve(&["--no-work"]);
    let admin = app.admin().await;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(admin.upload("p.bmp", &format!("图 {number}"), &fixture::picture(number)).await);
    }
    ids.push(admin.upload("a.mp3", "声音", &fixture::audio(3)).await);
    ids.push(admin.upload("b.mp4", "画面", &fixture::heavy_video(10)).await);
    ids.push(admin.upload("c.pdf", "讲义", &fixture::pdf()).await);
    std::thread::sleep(Duration::from_millis(500));
    let waiting = admin.get(&format!("/api/resources/{}", ids[0])).await.expect(200).json();
    assert_eq!(waiting["stage"], "processing", "a server told not to work does not");
    let workers = [app.background(&["work"]), app.background(&["work"])];
    // Files are counted when no more come.
    for id in &ids {
        admin.settled(id).await;
    }
    for id in &ids {
        made_once(&app, &admin, id).await;
        let key: ResourceId = id.parse().expect("an id");
        let db = app.db().await;
        let jobs = db::jobs::list(&mut db.read().await.expect("read"), key).await.expect("read");
        assert!(jobs.iter().all(|job| job.attempts == 1), "each job was begun once: {jobs:#?}");
        db.close().await;
    }
    let found = eventually("all are found", Duration::from_secs(3), || async {
        let found = admin.found("").await;
        (found.len() == ids.len()).then_some(found)
    })
    .await;
    assert_eq!(found.len(), ids.len());
    drop(workers);
}

/// A worker that was frozen for longer than its lease has lost its job, and
/// can do no harm when it wakes up.
#[tokio::test]
async fn a_worker_frozen_while_transcoding_does_no_harm_when_it_wakes() {
    let mut app = TestApp::stopped(&[]);
    app.serve(&["--no-work"]);
    let admin = app.admin().await;
    let id = admin.upload("a.mp4", "冻", &fixture::heavy_video(20)).await;
    let first = app.background(&["work"]);
    encoding_child(first.id(), &admin, &id).await;
    first.signal(Signal::STOP);
    let second = app.background(&["work"]);
    let mut looks = 0;
    while find_encoding_child(second.id(), &admin, &id).await.is_none() {
        looks += 1;
        assert!(looks < 1000, "the second worker does not go on");
        tokio::time::sleep(Duration::from_millis(50)).await;
        if looks % 100 == 0 {
            // Frozen within a transaction it keeps the database locked: it may end that.
            first.signal(Signal::CONT);
            tokio::time::sleep(Duration::from_millis(100)).await;
            first.signal(Signal::STOP);
        }
    }
    first.signal(Signal::CONT);
    made_once(&app, &admin, &id).await;
    drop((first, second));
}

/// Waits until a job of this kind runs for the resource.
async fn running(app: &TestApp, id: &str, kind: &str) {
    let db = app.db().await;
    let key: ResourceId = id.parse().expect("an id");
    let begun = std::time::Instant::now();
    loop {
        let jobs = db::jobs::list(&mut db.read().await.expect("read"), key).await.expect("read");
        let of_kind: Vec<_> = jobs.iter().filter(|job| job.kind == kind).collect();
        if of_kind.iter().any(|job| job.state == "running") {
            break;
        }
        let over = !of_kind.is_empty() && of_kind.iter().all(|job| job.state == "done");
        assert!(!over, "{kind}: too quick for this test");
        assert!(begun.elapsed() < Duration::from_secs(60), "no job {kind}: {jobs:#?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    db.close().await;
}

/// The jobs that read documents, pictures and speech, each killed with its server in its midst.
/// `tests/acceptance/faults.py --files read` has each of their durable steps.
#[tokio::test]
async fn kill_9_during_each_job_that_reads_makes_nothing_twice() {
    let (_folder, speech) = recogniser(RECOGNISER);
    let mut app =
        TestApp::stopped(&[("DUOKU_OCR_ENABLED", "true"), ("DUOKU_SLIDES_ENABLED", "true")]);
    speech.iter().for_each(|(name, value)| app.set(name, value));
    app.serve(&[]);
    let text = format!("第一章 剪纸\n\n{}", "红纸、剪刀、折叠。\n\n".repeat(60_000));
    let files: [(&str, &str, Vec<u8>); 7] = [
        ("convert", "讲.docx", docx(&paragraph("渔网的编法"))),
        ("book", "书.txt", text.into_bytes()),
        ("inspect", "长.pdf", fixture::long_pdf(5)),
        ("later_pages", "更长.pdf", fixture::long_pdf(6)),
        ("recognise", "扫描.pdf", fixture::scan()),
        ("slides", "课.mp4", fixture::lecture()),
        ("listen", "话.mp4", fixture::video(65)),
    ];
    for (kind, name, bytes) in files {
        let admin = app.admin().await;
        let id = admin.upload(name, name, &bytes).await;
        running(&app, &id, kind).await;
        app.kill();
        app.serve(&[]);
        let admin = admin.at(app.address());
        admin.settled(&id).await;
        eventually(&format!("{kind} ends"), Duration::from_secs(90), || async {
            app.ran(&["jobs", "--json"]).trim().is_empty().then_some(())
        })
        .await;
        let resource = made_once(&app, &admin, &id).await;
        match kind {
            "listen" => assert_eq!(resource["captions"].as_array().map(Vec::len), Some(1)),
            "slides" => assert_eq!(resource["slides"].as_array().map(Vec::len), Some(2)),
            "recognise" => assert!(admin.found(fixture::SCAN_SAYS).await.contains(&id)),
            _ => {}
        }
        assert!(scratch(&app).is_empty(), "{kind}: {:?}", scratch(&app));
    }
}
