//! Rungs on demand: made when somebody first plays the video, dropped when nobody does.

use std::time::Duration;

use duoku::catalogue::{Rendition, RenditionState, ResourceId, TrackKind};
use duoku::db;
use duoku::ingest::{demand, sweep};
use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::app::{TestApp, children_of, eventually};
use crate::client::{Client, answer, text_of};
use crate::fixture;

const ON: &[(&str, &str)] = &[("DUOKU_MEDIA_ON_DEMAND", "true")];

/// The pictures of a resource as rows, largest first.
async fn pictures(app: &TestApp, id: &str) -> Vec<Rendition> {
    let db = app.db().await;
    let id: ResourceId = id.parse().expect("an id");
    let all = db::media::list_renditions(&mut db.read().await.expect("read"), id).await;
    db.close().await;
    all.expect("listed").into_iter().filter(|one| one.kind == TrackKind::Video).collect()
}

async fn states(app: &TestApp, id: &str) -> Vec<(String, RenditionState)> {
    pictures(app, id).await.into_iter().map(|one| (one.name, one.state)).collect()
}

async fn in_state(app: &TestApp, id: &str, state: RenditionState) -> Vec<String> {
    let all = states(app, id).await.into_iter();
    all.filter(|(_, one)| *one == state).map(|(name, _)| name).collect()
}

/// Waits until all pictures are there; the resource is public all the while.
async fn made(app: &TestApp, client: &Client, id: &str) -> Value {
    eventually("all rungs are made", Duration::from_secs(120), || async {
        let view = client.get(&format!("/api/resources/{id}")).await.expect(200).json();
        assert_eq!(view["stage"], "published", "{view:#}");
        assert_eq!(view["progress"], 1.0, "{view:#}");
        let states = states(app, id).await;
        states.iter().all(|(_, state)| *state == RenditionState::Complete).then_some(view)
    })
    .await
}

/// How many sizes of the picture the manifest offers; who asks plays.
async fn play(client: &Client, view: &Value) -> usize {
    let master = client.get(text_of(&view["links"]["hls"])).await.expect(200).text();
    let variants = master.lines().filter(|line| line.starts_with("#EXT-X-STREAM-INF:"));
    let sizes = variants.filter_map(|line| line.split_once("RESOLUTION="));
    let mut sizes: Vec<&str> =
        sizes.map(|(_, rest)| rest.split(',').next().expect("a size")).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes.len()
}

async fn jobs(app: &TestApp, id: &str, kind: &str) -> Vec<db::jobs::JobState> {
    let db = app.db().await;
    let id: ResourceId = id.parse().expect("an id");
    let jobs = db::jobs::list(&mut db.read().await.expect("read"), id).await.expect("listed");
    db.close().await;
    jobs.into_iter().filter(|job| job.kind == kind).collect()
}

async fn execute(app: &TestApp, statement: &'static str) {
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    sqlx::query(statement).execute(&mut *tx).await.expect("executed");
    tx.commit().await.expect("committed");
    db.close().await;
}

fn report(app: &TestApp) -> Value {
    serde_json::from_str(&app.ran(&["renditions", "--json"])).expect("JSON")
}

#[tokio::test]
async fn rungs_are_made_with_the_first_play() {
    let app = TestApp::with(ON);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let view = admin.published("a.mp4", "按需", &fixture::heavy_video(12)).await;
    let id = text_of(&view["id"]);
    let absent = in_state(&app, id, RenditionState::Absent).await;
    assert_eq!(absent, ["360p"]);
    let listed = view["renditions"].to_string();
    assert!(!listed.contains("360p") && listed.contains("480p"), "{listed}");
    app.check();
    let before = report(&app);
    assert_eq!(before["all"]["absent"], 1, "{before:#}");
    assert!(before["all"]["absent_bytes"].as_i64() > Some(10_000), "{before:#}");
    assert_eq!(before["all"]["dropped_bytes"], 0, "{before:#}");
    let at_first = jobs(&app, id, "encode").await.len();

    // Who only looks does not play.
    let master = text_of(&view["links"]["hls"]);
    answer(nobody.ask(Method::HEAD, master)).await.expect(200);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(in_state(&app, id, RenditionState::Absent).await, absent);

    // Many play at the same time, by both manifests: the jobs are pushed once.
    let plays = (0..8).map(|number| {
        let link = if number % 2 == 0 { "hls" } else { "dash" };
        nobody.get(text_of(&view["links"][link]))
    });
    for played in futures::future::join_all(plays).await {
        played.expect(200);
    }
    let view = made(&app, &nobody, id).await;
    assert!(view["renditions"].to_string().contains("360p"), "{view:#}");
    let parts = pictures(&app, id).await[0].whole_parts.expect("encoded");
    let all = jobs(&app, id, "encode").await;
    assert_eq!(all.len() as i64 - at_first as i64, parts, "{all:#?}");
    assert!(all.iter().all(|job| job.state == "done" && job.attempts == 1), "{all:#?}");
    eventually("the manifest has them", Duration::from_secs(5), || async {
        (play(&nobody, &view).await == 3).then_some(())
    })
    .await;
    app.check();
    assert_eq!(report(&app)["all"]["absent_bytes"], 0);
}

#[tokio::test]
async fn a_copy_has_one_rung_beside_it_until_it_is_played() {
    let app = TestApp::with(ON);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let view = admin.published("a.mp4", "照搬", &fixture::sharp_video(8)).await;
    let id = text_of(&view["id"]);
    assert_eq!(
        in_state(&app, id, RenditionState::Complete).await,
        ["720p-copy", "360p"],
        "{:?}",
        states(&app, id).await
    );
    app.check();
    assert_eq!(play(&nobody, &view).await, 2);
    made(&app, &nobody, id).await;
    app.check();
}

#[tokio::test]
async fn kill_9_while_more_is_made_loses_nothing() {
    let mut app = TestApp::with(ON);
    let admin = app.admin().await;
    let view = admin.published("a.mp4", "断电", &fixture::heavy_video(70)).await;
    let id = text_of(&view["id"]).to_owned();
    play(&admin, &view).await;
    for kill_child in [true, false] {
        let server = app.server().id();
        let child = eventually("a child encodes", Duration::from_secs(30), || async {
            children_of(server).into_iter().find(|(_, line)| line.contains("media child"))
        })
        .await
        .0;
        if kill_child {
            let child = Pid::from_raw(i32::try_from(child).expect("small")).expect("not 0");
            kill_process(child, Signal::KILL).expect("it is there");
        }
        app.kill();
        assert!(!in_state(&app, &id, RenditionState::Making).await.is_empty(), "too quick");
        app.serve(&[]);
    }
    made(&app, &admin.at(app.address()), &id).await;
    eventually("no file is left over", Duration::from_secs(10), || async {
        let objects = app.check()["objects"].as_u64().expect("a number");
        (app.stored().len() as u64 == objects).then_some(())
    })
    .await;
    let all = jobs(&app, &id, "encode").await;
    assert!(all.iter().all(|job| job.state == "done"), "{all:#?}");
}

#[tokio::test]
async fn what_cannot_be_made_leaves_the_resource_as_it_is() {
    let mut app = TestApp::with(ON);
    let admin = app.admin().await;
    let view = admin.published("a.mp4", "坏", &fixture::heavy_video(12)).await;
    let id = text_of(&view["id"]).to_owned();
    app.stop();
    // Two servers at the same time: one pushes the jobs.
    let (one, other) = (app.inside().await, app.inside().await);
    let key: ResourceId = id.parse().expect("an id");
    let asked = futures::join!(demand::make_more(&one, key), demand::make_more(&other, key));
    let pushed = [asked.0.expect("asked"), asked.1.expect("asked")];
    assert!(pushed[0] != pushed[1], "{pushed:?}");
    let parts = pictures(&app, &id).await[0].whole_parts.expect("encoded");
    let waiting = jobs(&app, &id, "encode").await.into_iter().filter(|job| job.state == "queued");
    assert_eq!(waiting.count() as i64, parts);
    // They cannot be done.
    execute(&app, "UPDATE job SET payload = '{' WHERE state = 'queued'").await;
    app.serve(&[]);
    let admin = admin.at(app.address());
    eventually("it is given up", Duration::from_secs(60), || async {
        (in_state(&app, &id, RenditionState::Absent).await == ["360p"]).then_some(())
    })
    .await;
    let view = admin.get(&format!("/api/resources/{id}")).await.expect(200).json();
    assert_eq!(
        (&view["stage"], view["failure"].is_null()),
        (&"published".into(), true),
        "{view:#}"
    );
    let metrics = admin.get("/metrics").await.expect(200).text();
    assert!(metrics.contains("duoku_renditions_failed 1"), "{metrics}");
    app.check();
    let tried = jobs(&app, &id, "encode").await.len();
    // It is not tried again with each play.
    play(&admin, &view).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(jobs(&app, &id, "encode").await.len(), tried);
    assert_eq!(in_state(&app, &id, RenditionState::Absent).await, ["360p"]);
}

/// With on demand off: all is made, what nobody watches is dropped, and made again when somebody
/// does.
#[tokio::test]
async fn what_nobody_watches_is_dropped_and_made_again() {
    let mut app = TestApp::with(&[("DUOKU_MEDIA_DROP_AFTER_DAYS", "30")]);
    let (admin, nobody) = (app.admin().await, app.nobody());
    let view = admin.published("a.mp4", "无人看", &fixture::sharp_video(8)).await;
    let id = text_of(&view["id"]).to_owned();
    let all = pictures(&app, &id).await;
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["720p-copy", "480p", "360p", "240p"]);
    assert!(all.iter().all(Rendition::is_complete), "{all:#?}");
    let inside = app.inside().await;

    // Some of it was asked for: it is written down when the server stops.
    let segment = format!("/media/{id}/{}/0.m4s", all[2].id);
    nobody.get(&segment).await.expect(200);
    app.stop();
    let asked: i64 = {
        let mut read = inside.db.read().await.expect("read");
        sqlx::query_scalar("SELECT asked_ms FROM rendition WHERE name = '360p'")
            .fetch_one(&mut *read)
            .await
            .expect("one")
    };
    assert!((inside.now_ms() - asked).abs() < 60_000, "{asked}");
    execute(&app, "UPDATE rendition SET made_ms = 1").await;
    demand::drop_unwatched(&inside).await.expect("looked");
    assert!(in_state(&app, &id, RenditionState::Retired).await.is_empty(), "it was watched");

    // Nobody has asked for anything since.
    execute(&app, "UPDATE rendition SET asked_ms = 1").await;
    demand::drop_unwatched(&inside).await.expect("dropped");
    assert_eq!(in_state(&app, &id, RenditionState::Retired).await, ["480p"]);
    app.serve(&[]);
    let nobody = app.nobody();
    // Who has begun can go on.
    let dropped = format!("/media/{id}/{}/0.m4s", all[1].id);
    nobody.get(&dropped).await.expect(200);
    app.check();
    assert_eq!(report(&app)["all"]["retired"], 1);

    // Played within the day, it is simply offered again.
    assert_eq!(play(&nobody, &view).await, 3, "720p, 360p, 240p");
    eventually("it is back", Duration::from_secs(5), || async {
        in_state(&app, &id, RenditionState::Retired).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(pictures(&app, &id).await[1], all[1]);

    // Dropped again, and the day is over.
    app.stop();
    execute(&app, "UPDATE rendition SET asked_ms = 1, made_ms = 1").await;
    demand::drop_unwatched(&inside).await.expect("dropped");
    execute(&app, "UPDATE rendition SET retired_ms = 1 WHERE state = 'retired'").await;
    let files = app.stored().len();
    sweep::abandoned(&inside).await.expect("swept");
    assert_eq!(in_state(&app, &id, RenditionState::Absent).await, ["480p"]);
    let kept = in_state(&app, &id, RenditionState::Complete).await;
    assert_eq!(kept, ["720p-copy", "360p", "240p"]);
    let gone = all[1].parts.len() + 1;
    assert_eq!(app.stored().len() + gone, files, "parts and init are gone");
    app.serve(&[]);
    app.check();
    let held = report(&app);
    let bytes = held["all"]["dropped_bytes"].as_i64().expect("a number");
    assert!(bytes > 10_000 && held["all"]["absent_bytes"] == bytes, "{held:#}");
    assert!(app.ran(&["renditions"]).contains("dropped"));
    let admin = admin.at(app.address());
    assert_eq!(admin.get("/api/renditions").await.expect(200).json(), held);
    app.nobody().get("/api/renditions").await.expect(401);

    let nobody = app.nobody();
    assert_eq!(play(&nobody, &view).await, 3);
    made(&app, &nobody, &id).await;
    let again = pictures(&app, &id).await;
    assert_ne!(again[1].id, all[1].id, "caches may have the old one for ever");
    assert_eq!(again[1].parts.len(), all[1].parts.len());
    nobody.get(&dropped).await.expect(404);
    nobody.get(&format!("/media/{id}/{}/0.m4s", again[1].id)).await.expect(200);
    app.check();
}
