//! A store in a bucket: delivery through the cache, a server that misbehaves, moving a store.

use std::time::Duration;

use duoku::store::{Error, Key, Stored};
use http::Method;
use serde_json::json;

use crate::app::{TestApp, collect, eventually};
use crate::bucket::{Bucket, Fault};
use crate::client::{Client, answer, text_of, try_answer};
use crate::fixture;

/// Publishes a video; gives the paths of a segment of its first rendition and of the original.
async fn publish(app: &TestApp, bytes: &[u8]) -> [String; 2] {
    let resource = app.admin().await.published("编网.mp4", "编网", bytes).await;
    let base = format!("/media/{}", text_of(&resource["id"]));
    let master = app.nobody().get(&format!("{base}/master.m3u8")).await.expect(200).text();
    let playlist = master.lines().find(|line| line.ends_with("/playlist.m3u8")).expect("a variant");
    let rendition = playlist.split('/').next().expect("its id");
    [format!("{base}/{rendition}/1.m4s"), format!("{base}/original")]
}

#[tokio::test]
async fn many_who_watch_cost_one_fetch() {
    let mut app = TestApp::in_bucket(&[]);
    let [path, _] = publish(&app, &fixture::video(20)).await;
    // The cache begins empty.
    app.stop();
    app.serve(&[]);
    let nobody = app.nobody();
    app.bucket().take_reads("");
    let answers = futures::future::join_all((0..100).map(|_| nobody.get(&path))).await;
    let first = answers[0].body.clone();
    assert!(!first.is_empty());
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (200, &first));
    }
    let reads = app.bucket().take_reads("");
    assert!(reads.iter().all(|(_, count)| *count == 1), "{reads:?}");
    assert_eq!(nobody.get(&path).await.body, first);
    assert!(app.bucket().take_reads("").is_empty(), "it is here now");
    app.check();
}

#[tokio::test]
async fn nothing_wrong_is_ever_delivered() {
    let mut app = TestApp::in_bucket(&[]);
    let [path, original] = publish(&app, &fixture::sharp_video(20)).await;
    let right = [app.nobody().get(&path).await.body, app.nobody().get(&original).await.body];
    for fault in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Reset,
        Fault::Silence,
        Fault::Truncated,
        Fault::ErrorBody,
        Fault::Lost,
    ] {
        app.stop();
        app.serve(&[]);
        let nobody = app.nobody();
        app.bucket().misbehave(fault);
        for path in [&path, &original] {
            let got = try_answer(nobody.ask(Method::GET, path));
            let got = tokio::time::timeout(Duration::from_secs(60), got).await;
            let got = got.unwrap_or_else(|_| panic!("{fault:?}: no end of {path}"));
            // A body that breaks off is an error to its reader.
            if let Some(answer) = got {
                assert!([404, 503].contains(&answer.status), "{fault:?}: {}", answer.status);
            }
        }
        app.bucket().behave();
        for (path, right) in [&path, &original].into_iter().zip(&right) {
            eventually("it is delivered again", Duration::from_secs(60), async || {
                let answer = try_answer(nobody.ask(Method::GET, path)).await?;
                (answer.status == 200).then(|| assert_eq!(&answer.body, right, "{fault:?}"))
            })
            .await;
        }
    }
}

#[tokio::test]
async fn an_upload_ends_well_after_the_server_was_ill() {
    let app = TestApp::in_bucket(&[]);
    let admin = app.admin().await;
    for (number, fault) in [
        Fault::Status(503),
        Fault::Reset,
        Fault::Silence,
        Fault::WrongTag,
        Fault::ErrorBody,
        Fault::Lost,
    ]
    .into_iter()
    .enumerate()
    {
        app.bucket().misbehave_to(fault, 8);
        let picture = fixture::picture(900 + number as u32);
        let resource = admin.published("图.bmp", &format!("{fault:?}"), &picture).await;
        app.bucket().behave();
        let path = format!("/media/{}/original", text_of(&resource["id"]));
        let original = app.nobody().get(&path).await.expect(200);
        assert_eq!(original.body, picture, "{fault:?}");
    }
    app.check();
}

#[tokio::test]
async fn what_was_changed_in_the_bucket_is_not_delivered() {
    let mut app = TestApp::in_bucket(&[]);
    let resource = app.admin().await.published("图.bmp", "图", &fixture::picture(950)).await;
    let path = format!("/media/{}/original", text_of(&resource["id"]));
    app.stop();
    let source = app.stored().into_iter().find(|path| path.starts_with("source"));
    let source = app.store().join(source.expect("a source"));
    let mut bytes = std::fs::read(&source).expect("read");
    *bytes.last_mut().expect("some") ^= 1;
    std::fs::write(&source, bytes).expect("written");
    app.serve(&[]);
    let answer = try_answer(app.nobody().ask(Method::GET, &path)).await;
    assert!(answer.is_none_or(|answer| answer.status == 503), "one byte is another");
    let said = app.run(&["check"]);
    assert!(said.code != 0 && said.out.contains("SHA-256"), "{said:?}");
}

#[tokio::test]
async fn a_range_of_a_bucket_is_the_range_that_was_asked_for() {
    let app = TestApp::in_bucket(&[("DUOKU_STORAGE_S3_BLOCK_BYTES", "65536")]);
    let bytes = fixture::sharp_video(20);
    let [_, path] = publish(&app, &bytes).await;
    let length = bytes.len();
    for (from, to) in
        [(0, 1), (65_535, 65_537), (65_536, 131_072), (100_000, 400_000), (length - 1, length)]
    {
        let ask = app
            .nobody()
            .ask(Method::GET, &path)
            .header("range", format!("bytes={from}-{}", to - 1));
        let part = answer(ask).await.expect(206);
        assert_eq!(part.body, bytes[from..to], "{from} to {to}");
    }
    assert_eq!(app.nobody().get(&path).await.expect(200).body, bytes);
}

#[tokio::test]
async fn large_objects_are_written_in_pieces_and_read_back_whole() {
    let mut app = TestApp::in_bucket(&[]);
    app.stop();
    let store = app.inside().await.store.clone();
    let bytes: Vec<u8> =
        (0..40_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let expected = Stored::of_bytes(&bytes);
    let work = move || {
        let (key, stored) = store.put_copy(&*bytes, u64::MAX, Key::Source)?;
        assert_eq!(stored, expected);
        assert_eq!(store.stored(&key.to_string())?, expected);
        store.delete(&key.to_string())?;
        assert!(matches!(store.size_of(&key.to_string()), Err(Error::Missing(_))));
        Ok::<_, Error>(())
    };
    let again = work.clone();
    tokio::task::spawn_blocking(work).await.expect("no panic").expect("written and read");
    // By a server that takes no pieces, whole.
    app.bucket().misbehave(Fault::NoPieces);
    tokio::task::spawn_blocking(again).await.expect("no panic").expect("written and read");
}

#[tokio::test]
async fn a_store_moves_into_a_bucket_and_back() {
    if std::env::var_os("DUOKU_TEST_STORE").is_some() {
        // Every installation has a bucket then; this one is to begin with a folder.
        return;
    }
    let mut app = TestApp::with(&[]);
    let bucket = Bucket::start();
    let resource = app.admin().await.published("编网.mp4", "编网", &fixture::video(8)).await;
    let master = format!("/media/{}/master.m3u8", text_of(&resource["id"]));
    let path = format!("/media/{}/original", text_of(&resource["id"]));
    let before = app.nobody().get(&path).await.expect(200).body;
    for (name, value) in bucket.settings() {
        if name != "DUOKU_STORE" {
            app.set(&name, &value);
        }
    }
    let said = app.ran(&["store", "copy", "s3://media/test"]);
    assert!(said.contains(" 0 failed") && !said.contains(" 0 copied"), "{said}");
    let again = app.ran(&["store", "copy", "s3://media/test"]);
    assert!(again.contains(" 0 copied"), "nothing is copied twice: {again}");
    // What was damaged meanwhile is found, and put right.
    let source =
        std::fs::read_dir(bucket.folder().join("source")).expect("sources").flatten().next();
    let source = std::fs::read_dir(source.expect("one").path()).expect("it").flatten().next();
    let source = source.expect("a source").path();
    let mut bytes = std::fs::read(&source).expect("read");
    bytes[0] ^= 1;
    std::fs::write(&source, bytes).expect("written");
    let verified = app.ran(&["store", "copy", "--verify", "s3://media/test"]);
    assert!(verified.contains(" 1 copied"), "{verified}");
    app.stop();
    app.set("DUOKU_STORE", "s3://media/test");
    app.serve(&[]);
    assert_eq!(app.nobody().get(&path).await.expect(200).body, before);
    app.nobody().get(&master).await.expect(200);
    let report = app.check();
    assert!(report["objects"].as_i64().is_some_and(|count| count > 3), "{report}");
    let back = app.desk().join("back");
    app.ran(&["store", "copy", back.to_str().expect("text")]);
    app.stop();
    app.set("DUOKU_STORE", back.to_str().expect("text"));
    app.serve(&[]);
    assert_eq!(app.nobody().get(&path).await.expect(200).body, before);
    app.check();
}

#[tokio::test]
async fn whoever_reads_on_finds_the_next_block_there() {
    let mut app = TestApp::in_bucket(&[("DUOKU_STORAGE_S3_BLOCK_BYTES", "65536")]);
    let [_, path] = publish(&app, &fixture::sharp_video(20)).await;
    app.stop();
    app.serve(&[]);
    app.bucket().take_reads("");
    let ask = app.nobody().ask(Method::GET, &path).header("range", "bytes=0-99");
    answer(ask).await.expect(206);
    eventually("the block behind is fetched", Duration::from_secs(10), async || {
        let reads = app.bucket().take_reads("source/");
        reads.iter().any(|(read, _)| read.ends_with("bytes=65536-131071")).then_some(())
    })
    .await;
}

/// A playlist's lines that are addresses, with the byte range that stands before each.
fn ranges(playlist: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = playlist.lines().collect();
    let pairs = lines.windows(2).filter(|pair| pair[0].starts_with("#EXT-X-BYTERANGE:"));
    let range = |line: &str| {
        let (length, offset) = line["#EXT-X-BYTERANGE:".len()..].split_once('@').expect("both");
        let (length, offset): (u64, u64) =
            (length.parse().expect("a number"), offset.parse().expect("a number"));
        format!("bytes={offset}-{}", offset + length - 1)
    };
    pairs.map(|pair| (range(pair[0]), pair[1].to_owned())).collect()
}

#[tokio::test]
async fn players_fetch_what_is_public_from_the_bucket() {
    let mut app = TestApp::in_bucket(&[]);
    let endpoint = app.bucket().endpoint();
    app.stop();
    app.set("DUOKU_STORAGE_S3_DIRECT", "signed");
    app.set("DUOKU_STORAGE_S3_DIRECT_URL", &endpoint);
    app.serve(&[]);
    let bytes = fixture::video(20);
    let [segment, original] = publish(&app, &bytes).await;
    let (base, _) = segment.rsplit_once('/').expect("a path");
    let nobody = app.nobody();
    let playlist = nobody.get(&format!("{base}/playlist.m3u8")).await.expect(200).text();
    let there = ranges(&playlist);
    assert!(there.len() >= 3 && !playlist.contains("\n0.m4s"), "{playlist}");
    for (number, (range, address)) in there.iter().enumerate() {
        assert!(address.starts_with(&endpoint), "{address}");
        let direct = reqwest::Client::new().get(address).header("range", range);
        let direct = answer(direct).await.expect(206).body;
        let here = nobody.get(&format!("{base}/{number}.m4s")).await.expect(200).body;
        assert!(direct == here, "segment {number}");
    }
    // A program of others follows it.
    let (media, _) = base.rsplit_once('/').expect("a path");
    let frames =
        crate::video::times(&format!("http://{}{media}/master.m3u8", app.address()), "v:0");
    assert!(frames.len() >= 400, "{} frames", frames.len());
    let moved = nobody.get(&original).await.expect(307);
    let saved = answer(reqwest::Client::new().get(moved.header("location"))).await.expect(200);
    assert!(saved.body == bytes);
    assert!(saved.header("content-disposition").contains("filename*=UTF-8''%E7%BC%96"));
    answer(nobody.ask(Method::HEAD, &original)).await.expect(200);
    let id = base.split('/').nth(2).expect("an id").to_owned();
    let page = nobody.get(&format!("/resources/{id}")).await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains(&format!("connect-src 'self' {endpoint};")), "{policy}");
    // What needs a ticket comes from here, and so its withdrawal holds at once.
    let admin = app.admin().await;
    admin
        .send(Method::POST, &format!("/api/resources/{id}/withdraw"), &json!({}))
        .await
        .expect(200);
    nobody.get(&format!("{base}/playlist.m3u8")).await.expect(404);
    let resource = admin.get(&format!("/api/resources/{id}?ticket=true")).await.expect(200).json();
    let master = text_of(&resource["links"]["hls"]).to_owned();
    let (media, _) = master.rsplit_once('/').expect("a path");
    let rendition = base.rsplit('/').next().expect("an id");
    let playlist =
        nobody.get(&format!("{media}/{rendition}/playlist.m3u8")).await.expect(200).text();
    assert!(playlist.contains("0.m4s") && ranges(&playlist).is_empty(), "{playlist}");
}

#[tokio::test]
async fn pieces_of_an_upload_that_was_given_up_are_swept() {
    let mut app = TestApp::in_bucket(&[("DUOKU_UPLOAD_IN_BUCKET", "true")]);
    let admin = app.admin().await;
    let created = answer(admin.create("a.wav", 300_000)).await.expect(201);
    let url = created.header("location").to_owned();
    answer(admin.piece(&url, 0, &fixture::noise(300_000)[..200_000])).await.expect(204);
    app.stop();
    // As if the program had been killed between the two steps of giving up.
    let inside = app.inside().await;
    let id = url.rsplit('/').next().expect("an id").parse().expect("an id");
    let mut tx = inside.db.begin().await.expect("a transaction");
    let mut upload = duoku::db::uploads::find(&mut tx, id).await.expect("read").expect("there");
    upload.state = duoku::db::uploads::State::Ended;
    duoku::db::uploads::save(&mut tx, &upload).await.expect("saved");
    tx.commit().await.expect("committed");
    let pieces = || {
        let mut found = Vec::new();
        collect(&app.store().join("upload"), &mut found);
        found.len()
    };
    assert_eq!(pieces(), 1);
    duoku::ingest::sweep::abandoned(&inside).await.expect("swept");
    assert_eq!(pieces(), 0);
    inside.db.close().await;
    app.check();
}

#[tokio::test]
async fn behind_a_cdn_addresses_are_open() {
    let app = TestApp::in_bucket(&[
        ("DUOKU_STORAGE_S3_DIRECT", "open"),
        ("DUOKU_STORAGE_S3_DIRECT_URL", "https://cdn.example/media/"),
    ]);
    let [segment, original] = publish(&app, &fixture::video(20)).await;
    let (base, _) = segment.rsplit_once('/').expect("a path");
    let nobody = app.nobody();
    let playlist = nobody.get(&format!("{base}/playlist.m3u8")).await.expect(200).text();
    let (_, there) = ranges(&playlist).pop().expect("a segment");
    let key = there.strip_prefix("https://cdn.example/media/test/").expect("below the CDN");
    assert!(app.store().join(key).is_file(), "{key}");
    let moved = nobody.get(&original).await.expect(307);
    assert!(moved.header("location").starts_with("https://cdn.example/media/test/source/"));
}

/// How many uploads a data folder has bytes of.
fn uploads_in(data: &std::path::Path) -> usize {
    std::fs::read_dir(data.join("uploads")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn machines_that_share_no_folder_take_turns_with_an_upload() {
    let mut app = TestApp::in_bucket(&[]);
    app.stop();
    app.set("DUOKU_UPLOAD_IN_BUCKET", "true");
    // One receives, and has no workers.
    app.serve(&["--no-work"]);
    let first_data = app.data();
    let other = app.move_to_another_machine();
    let second = app.another(&["--no-work"]);
    let admin = app.admin().await;
    let there = Client::new(&second.address, admin.token.clone());
    // A film with something behind it that players skip.
    let mut bytes = fixture::video(12);
    let free = 40_000_000_u32;
    bytes.extend(free.to_be_bytes());
    bytes.extend(b"free");
    bytes.extend(fixture::noise(free as usize - 8));
    let created = answer(admin.create("编网.mp4", bytes.len())).await.expect(201);
    let url = created.header("location").to_owned();
    answer(admin.piece(&url, 0, &bytes[..1000])).await.expect(204);
    answer(there.piece(&url, 1000, &bytes[1000..20_000_000])).await.expect(204);
    assert_eq!(admin.offset(&url).await, 20_000_000);
    assert_eq!((uploads_in(&first_data), uploads_in(other.path())), (0, 0), "nothing stays here");
    // The server that has the bucket is ill for a while: nothing is acknowledged that is not there.
    app.bucket().misbehave_to(Fault::Status(503), 40);
    let failed = try_answer(admin.piece(&url, 20_000_000, &bytes[20_000_000..])).await;
    assert!(failed.is_none_or(|answer| answer.status == 503));
    app.bucket().behave();
    let offset = there.offset(&url).await;
    assert!((20_000_000..bytes.len()).contains(&offset), "{offset}");
    answer(there.piece(&url, offset, &bytes[offset..])).await.expect(204);
    // A third one works.
    let third = app.move_to_another_machine();
    let _worker = app.background(&["work"]);
    let view = admin.get(&url).await.expect(200).json();
    let resource = admin.settled(text_of(&view["resource"])).await;
    assert_eq!(resource["stage"], "published", "{resource}");
    assert_eq!(resource["sha256"], fixture::sha256(&bytes));
    for data in [&first_data, other.path(), third.path()] {
        assert_eq!(uploads_in(data), 0, "{}", data.display());
    }
    let mut pieces = Vec::new();
    collect(&app.store().join("upload"), &mut pieces);
    assert!(pieces.is_empty(), "{pieces:?}");
    app.set("DUOKU_DATA", &first_data.display().to_string());
    app.check();
}
