//! A video goes the whole way: uploaded, made, played, withdrawn, deleted.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use duoku::catalogue::{RenditionState, ResourceId, TrackKind};
use duoku::db;
use duoku::db::jobs::NewJob;
use http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};
use crate::client::{Client, answer, text_of};
use crate::fixture;

/// A playlist with the ids in it replaced by numbers, in the order they come.
fn without_ids(text: &str, ids: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(std::iter::once('\n')) {
        if c.is_ascii_hexdigit() && !c.is_ascii_uppercase() {
            run.push(c);
            continue;
        }
        if run.len() == 32 {
            let at = ids.iter().position(|id| *id == run).unwrap_or_else(|| {
                ids.push(run.clone());
                ids.len() - 1
            });
            out.push_str(&format!("ID{at}"));
        } else {
            out.push_str(&run);
        }
        run.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// Every address that a player of the resource comes to, from its links on.
pub(crate) async fn addresses(client: &Client, resource: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut to_read = Vec::new();
    for link in resource["links"].as_object().expect("links").values() {
        if let Some(link) = link.as_str().filter(|link| link.contains("/media/")) {
            to_read.push(link.to_owned());
        }
    }
    to_read.extend(
        resource["links"]["captions"]
            .as_object()
            .expect("captions")
            .values()
            .map(|link| text_of(link).to_owned()),
    );
    let downloads = resource["links"]["downloads"].as_array().expect("downloads");
    to_read.extend(downloads.iter().map(|one| text_of(&one["href"]).to_owned()));
    let base = text_of(&resource["links"]["base"]).to_owned();
    to_read.retain(|link| *link != base);
    while let Some(address) = to_read.pop() {
        if !all.insert(address.clone()) || !address.ends_with(".m3u8") {
            continue;
        }
        let (folder, _) = address.rsplit_once('/').expect("a path");
        let playlist = client.get(&address).await.expect(200).text();
        for line in playlist.lines() {
            if let Some((_, rest)) = line.split_once("URI=\"") {
                let uri = rest.split('"').next().expect("closed");
                to_read.push(format!("{folder}/{uri}"));
            } else if !line.is_empty() && !line.starts_with('#') {
                to_read.push(format!("{folder}/{line}"));
            }
        }
    }
    all
}

fn ffprobe(url: &str) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_format", "-show_streams", url])
        .output()
        .expect("ffprobe is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn a_video_is_transcoded_published_and_played() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let id = admin.upload("test.mp4", "测试画面", &fixture::video(8)).await;
    let resource = admin.settled(&id).await;
    assert_eq!(resource["stage"], "published", "{resource:#}");
    assert_eq!((&resource["kind"], &resource["progress"]), (&json!("video"), &json!(1.0)));
    assert_eq!(resource["library"], "main");
    assert!(resource["failure"].is_null() && resource["doing"].is_null(), "{resource:#}");
    let duration_ms = resource["duration_ms"].as_i64().expect("a number");
    assert!((duration_ms - 8000).abs() <= 100, "{duration_ms}");
    for rendition in resource["renditions"].as_array().expect("a list") {
        assert_eq!(rendition["complete"], true, "{rendition}");
        let reach = rendition["duration_ms"].as_i64().expect("a number");
        assert!((reach - 8000).abs() <= 100, "{rendition}");
    }

    let hls = text_of(&resource["links"]["hls"]);
    let master = nobody.get(hls).await.expect(200);
    assert_eq!(master.header("content-type"), "application/vnd.apple.mpegurl");
    let mut ids = Vec::new();
    let shape = without_ids(&master.text(), &mut ids);
    assert!(
        shape.starts_with("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"),
        "{shape}"
    );
    let variants: Vec<&str> =
        shape.lines().filter(|l| l.starts_with("#EXT-X-STREAM-INF:")).collect();
    assert!(!variants.is_empty(), "{shape}");
    for variant in &variants {
        for needed in [
            "BANDWIDTH=",
            "AVERAGE-BANDWIDTH=",
            "CODECS=\"avc1.",
            ",mp4a.40.2\"",
            "RESOLUTION=320x180",
            "FRAME-RATE=25.000",
            "AUDIO=\"sound",
        ] {
            assert!(variant.contains(needed), "{needed} in {variant}");
        }
    }
    assert!(shape.contains("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound"), "{shape}");
    assert!(shape.contains("#EXT-X-IMAGE-STREAM-INF:"), "{shape}");

    // Pictures in segments of six seconds, each from its own address.
    let base = text_of(&resource["links"]["base"]);
    let picture = shape.lines().position(|l| l.starts_with("#EXT-X-STREAM-INF:")).expect("one");
    let playlist = master.text().lines().nth(picture + 1).expect("a line").to_owned();
    let (rendition, _) = playlist.split_once('/').expect("a path");
    let media = nobody.get(&format!("{base}/{playlist}")).await.expect(200).text();
    assert_eq!(
        media,
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:12\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n\
         #EXTINF:6.000000,\n0.m4s\n#EXTINF:2.000000,\n1.m4s\n#EXT-X-ENDLIST\n"
    );
    let init = nobody.get(&format!("{base}/{rendition}/init.mp4")).await.expect(200);
    assert_eq!(&init.body[4..8], b"ftyp");
    assert_eq!(init.header("cache-control"), "public, max-age=31536000, immutable");
    let address = format!("{base}/{rendition}/1.m4s");
    let segment = nobody.get(&address).await.expect(200);
    assert_eq!(segment.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(segment.header("access-control-allow-origin"), "*");
    let etag = segment.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "a strong tag: {etag}");
    assert_ne!(nobody.get(&format!("{base}/{rendition}/0.m4s")).await.header("etag"), etag);
    let range = nobody.ask(Method::GET, &address).header("range", "bytes=10-19");
    let range = answer(range).await.expect(206);
    assert_eq!(range.body, segment.body[10..20]);
    assert_eq!(range.header("content-range"), format!("bytes 10-19/{}", segment.body.len()));
    let known = nobody.ask(Method::GET, &address).header("if-none-match", &etag);
    assert!(answer(known).await.expect(304).body.is_empty());
    for missing in ["2.m4s", "-1.m4s", "+1.m4s", "1.m4s.m4s", "99999999999999999999.m4s", "1.mp4"] {
        nobody.get(&format!("{base}/{rendition}/{missing}")).await.expect(404);
    }

    let dash = nobody.get(text_of(&resource["links"]["dash"])).await.expect(200);
    assert_eq!(dash.header("content-type"), "application/dash+xml");
    let (mut reader, mut sets) =
        (quick_xml::Reader::from_str(std::str::from_utf8(&dash.body).expect("UTF-8")), 0);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().expect("well-formed") {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(start) => {
                start.attributes().for_each(|attribute| drop(attribute.expect("well-formed")));
                sets += usize::from(start.name().as_ref() == "AdaptationSet");
            }
            _ => {}
        }
    }
    assert!(sets >= 3, "picture, sound, storyboard: {}", dash.text());

    let probed = ffprobe(&format!("http://{}{hls}", app.address()));
    let seconds: f64 = text_of(&probed["format"]["duration"]).parse().expect("a number");
    assert!((seconds - 8.0).abs() <= 0.1, "{seconds}");
    let kinds: BTreeSet<&str> = probed["streams"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|stream| text_of(&stream["codec_name"]))
        .collect();
    assert!(kinds.contains("h264") && kinds.contains("aac"), "{kinds:?}");

    let poster = nobody.get(text_of(&resource["links"]["poster"])).await.expect(200);
    assert_eq!(
        (&poster.body[..3], poster.header("content-type")),
        (&b"\xff\xd8\xff"[..], "image/jpeg")
    );
    let storyboard = nobody.get(text_of(&resource["links"]["storyboard"])).await.expect(200);
    assert!(storyboard.text().starts_with("WEBVTT\n\n00:00:00.000 --> "), "{}", storyboard.text());
    assert!(storyboard.text().contains("storyboard/0.jpg#xywh=0,0,"), "{}", storyboard.text());
    let sprite = nobody.get(&format!("{base}/storyboard/0.jpg")).await.expect(200);
    assert_eq!(&sprite.body[..3], b"\xff\xd8\xff");
    for address in addresses(&nobody, &resource).await {
        nobody.get(&address).await.expect(200);
    }
    app.check();
}

#[tokio::test]
async fn captions_of_a_video_are_played_and_found_at_their_moment() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp4", "海边的一天", &fixture::video(4)).await;
    let id = text_of(&resource["id"]);
    let captions =
        fixture::captions(&[(500, "潮水退了"), (1500, "今天我们学习黄海渔民的编网技艺")]);
    let put = |language: &str, body: Vec<u8>| {
        let path = format!("/api/resources/{id}/captions/{language}?filename=a.vtt");
        admin.ask(Method::PUT, &path).body(body)
    };
    answer(put("zh", captions.clone().into_bytes())).await.expect(204);
    let begun = Instant::now();
    let hit = eventually("captions are found", Duration::from_secs(2), || async {
        nobody.search("渔民编网").await["hits"].get(0).cloned()
    })
    .await;
    assert!(begun.elapsed() <= Duration::from_secs(2));
    assert_eq!(hit["resource"], id);
    let moment = &hit["moments"][0];
    assert_eq!(
        (&moment["kind"], &moment["start_ms"]),
        (&json!("caption"), &json!(1500)),
        "{hit:#}"
    );
    assert_eq!(moment["url"], format!("/resources/{id}?t=1.5"));
    assert!(text_of(&moment["text"]).contains("<mark>"), "{moment}");

    let resource = nobody.get(&format!("/api/resources/{id}")).await.expect(200).json();
    let vtt = nobody.get(text_of(&resource["links"]["captions"]["zh"])).await.expect(200);
    assert_eq!(vtt.header("content-type"), "text/vtt; charset=utf-8");
    assert!(vtt.text().starts_with("WEBVTT\n"), "{}", vtt.text());
    assert!(vtt.text().contains("00:00:01.500 --> 00:00:03.500"), "{}", vtt.text());
    assert!(vtt.text().contains("黄海渔民的编网技艺"), "{}", vtt.text());
    let master = nobody.get(text_of(&resource["links"]["hls"])).await.expect(200).text();
    assert!(master.contains("TYPE=SUBTITLES,GROUP-ID=\"captions\""), "{master}");
    assert!(
        master.contains("LANGUAGE=\"zh\"") && master.contains("SUBTITLES=\"captions\""),
        "{master}"
    );
    let base = text_of(&resource["links"]["base"]);
    let playlist = nobody.get(&format!("{base}/captions/zh.m3u8")).await.expect(200).text();
    assert!(playlist.contains("\nzh.vtt\n") && playlist.contains("#EXT-X-ENDLIST"), "{playlist}");
    assert!(nobody.get(&format!("{base}/text")).await.expect(200).text().contains("潮水退了"));

    // Others in their place: the old words are gone, the new ones found. SRT in GB18030.
    let srt = "1\n00:00:02,000 --> 00:00:03,000\n改成了二十四节气\n";
    let (bytes, _, _) = encoding_rs::GB18030.encode(srt);
    answer(put("zh", bytes.into_owned()).header("content-type", "text/plain")).await.expect(204);
    eventually("new captions are found", Duration::from_secs(2), || async {
        let (new, old) = (nobody.found("二十四节气").await, nobody.found("渔民编网").await);
        (new == [id] && old.is_empty()).then_some(())
    })
    .await;
    answer(put("zh", b"no captions at all".to_vec())).await.expect(422);
    answer(put("../x", captions.clone().into_bytes())).await;
    answer(put("z%20h", captions.into_bytes())).await.expect(422);
    answer(
        app.nobody().ask(Method::PUT, &format!("/api/resources/{id}/captions/zh")).body("WEBVTT"),
    )
    .await
    .expect(401);
    admin.delete(&format!("/api/resources/{id}/captions/zh")).await.expect(204);
    admin.delete(&format!("/api/resources/{id}/captions/zh")).await.expect(404);
    let db = app.db().await;
    let mut read = db.read().await.expect("a connection");
    for action in ["captions", "remove-captions"] {
        let recorded: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE subject = $1 AND action = $2")
                .bind(id)
                .bind(action)
                .fetch_one(&mut *read)
                .await
                .expect("read");
        assert!(recorded > 0, "{action}");
    }
    drop(read);
    db.close().await;
    nobody.get(&format!("{base}/captions/zh.vtt")).await.expect(404);
    eventually("captions are gone", Duration::from_secs(2), || async {
        nobody.found("二十四节气").await.is_empty().then_some(())
    })
    .await;
    app.check();
}

#[tokio::test]
async fn tracks_keep_their_roles_flags_and_chapters() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let resource = admin.published("a.mkv", "多轨", &fixture::video_with_tracks()).await;
    let roles: Vec<&str> = resource["renditions"]
        .as_array()
        .expect("renditions")
        .iter()
        .filter(|rendition| rendition["kind"] == "audio")
        .map(|rendition| text_of(&rendition["role"]))
        .collect();
    assert!(roles.contains(&"main") && roles.contains(&"description"), "{roles:?}");
    let flags: Vec<(bool, bool)> = resource["captions"]
        .as_array()
        .expect("captions")
        .iter()
        .map(|one| (one["forced"] == true, one["hearing_impaired"] == true))
        .collect();
    assert_eq!(flags, [(false, false), (false, true), (true, false)], "{resource:#}");
    let titles: Vec<(&str, i64)> = resource["chapters"]
        .as_array()
        .expect("chapters")
        .iter()
        .map(|one| (text_of(&one["title"]), one["start_ms"].as_i64().expect("a number")))
        .collect();
    assert_eq!(titles, [("开场", 0), ("正文", 2_000)]);
    let master = admin.get(text_of(&resource["links"]["hls"])).await.expect(200).text();
    for part in ["describes-video", "FORCED=YES", "transcribes-spoken-dialog", "（听障）"] {
        assert!(master.contains(part), "{part}: {master}");
    }
    let page = admin.get(text_of(&resource["links"]["page"])).await.expect(200).text();
    for part in ["（仅外语对白）", "正文"] {
        assert!(page.contains(part), "{part}");
    }
    app.check();
}

#[tokio::test]
async fn what_is_withdrawn_cannot_be_played_and_what_is_deleted_is_gone() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp4", "退潮", &fixture::video(4)).await;
    let id = text_of(&resource["id"]);
    let path = format!("/api/resources/{id}");
    let all = addresses(&nobody, &resource).await;
    assert!(all.iter().any(|a| a.ends_with(".m4s")), "{all:?}");
    eventually("it is found", Duration::from_secs(2), || async {
        (nobody.found("退潮").await == [id]).then_some(())
    })
    .await;

    admin.post(&format!("{path}/withdraw")).await.expect(200);
    for address in &all {
        nobody.get(address).await.expect(404);
    }
    nobody.get(&path).await.expect(404);
    nobody.get(&format!("/resources/{id}")).await.expect(404);
    eventually("it is not found", Duration::from_secs(2), || async {
        nobody.found("退潮").await.is_empty().then_some(())
    })
    .await;
    admin.post(&format!("{path}/withdraw")).await.expect(409);
    assert_eq!(admin.get(&path).await.expect(200).json()["stage"], "withdrawn");

    admin.post(&format!("{path}/publish")).await.expect(200);
    for address in &all {
        nobody.get(address).await.expect(200);
    }
    eventually("it is found again", Duration::from_secs(2), || async {
        (nobody.found("退潮").await == [id]).then_some(())
    })
    .await;
    admin.post(&format!("{path}/publish")).await.expect(409);

    admin.delete(&path).await.expect(204);
    for address in &all {
        nobody.get(address).await.expect(404);
        admin.get(address).await.expect(404);
    }
    for client in [&nobody, &admin] {
        client.get(&path).await.expect(404);
        assert!(client.found("退潮").await.is_empty() || client.token.is_none());
    }
    admin.delete(&path).await.expect(404);
    admin.post(&format!("{path}/publish")).await.expect(404);
    eventually("the store is empty", Duration::from_secs(10), || async {
        app.stored().is_empty().then_some(())
    })
    .await;
    app.check();
}

/// Two resources of the same file share the source; each can go without the other.
#[tokio::test]
async fn a_media_source_stays_while_one_resource_has_it() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let audio = fixture::audio(2);
    let first = admin.published("a.mp3", "一", &audio).await;
    let second = admin.published("b.mp3", "二", &audio).await;
    let sources = || app.stored().iter().filter(|p| p.starts_with("source")).count();
    let before = sources();
    admin.delete(&format!("/api/resources/{}", text_of(&first["id"]))).await.expect(204);
    let derived = app.stored().len();
    eventually("its objects go", Duration::from_secs(10), || async {
        (app.stored().len() < derived
            || app.stored().iter().all(|p| !p.to_string_lossy().contains(text_of(&first["id"]))))
        .then_some(())
    })
    .await;
    assert_eq!(sources(), before);
    let original = format!("/media/{}/original", text_of(&second["id"]));
    let left = app.nobody().get(&original).await.expect(200);
    assert_eq!(fixture::sha256(&left.body), fixture::sha256(&audio));
    app.check();
}

#[tokio::test]
async fn a_failed_resource_is_ingested_again_on_retry() {
    let mut app = TestApp::with(&[("DUOKU_MEDIA_MAX_PAGES", "2")]);
    let admin = app.admin().await;
    let id = admin.upload("讲义.pdf", "编网讲义", &fixture::pdf()).await;
    let resource = admin.settled(&id).await;
    assert_eq!(resource["stage"], "failed", "{resource:#}");
    assert_eq!(resource["failure_code"], "document_too_many_pages");
    app.nobody().get(&format!("/api/resources/{id}")).await.expect(404);
    app.stop();
    app.set("DUOKU_MEDIA_MAX_PAGES", "20000");
    app.serve(&[]);
    let admin = admin.at(app.address());
    let path = format!("/api/resources/{id}");
    admin.post(&format!("{path}/publish")).await.expect(409);
    admin.post(&format!("{path}/retry")).await.expect(200);
    let resource = admin.settled(&id).await;
    assert_eq!(resource["stage"], "published", "{resource:#}");
    assert!(resource["failure"].is_null(), "{resource:#}");
    admin.post(&format!("{path}/retry")).await.expect(409);
    app.check();
}

#[tokio::test]
async fn progress_of_a_transcoding_is_told_as_it_goes() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let id = admin.upload("a.mp4", "进度", &fixture::heavy_video(10)).await;
    let request = admin.ask(Method::GET, &format!("/api/resources/{id}/events"));
    let mut response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut text, mut seen): (String, Vec<(String, f64)>) = (String::new(), Vec::new());
    while seen.last().is_none_or(|(stage, _)| stage == "processing") {
        let chunk = response.chunk().await.expect("a chunk").expect("not ended");
        text.push_str(&String::from_utf8_lossy(&chunk));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let data = event.lines().find_map(|line| line.strip_prefix("data: "));
            if let Some(data) = data {
                let view: Value = serde_json::from_str(data).expect("JSON");
                let progress = view["progress"].as_f64().expect("a number");
                seen.push((text_of(&view["stage"]).to_owned(), progress));
            }
            text = rest.to_owned();
        }
    }
    assert_eq!(
        seen.last().map(|(stage, progress)| (stage.as_str(), *progress)),
        Some(("published", 1.0))
    );
    assert!(seen.iter().any(|(_, progress)| *progress > 0.0 && *progress < 1.0), "{seen:?}");
}

#[tokio::test]
async fn a_rendition_is_complete_with_its_own_last_part() {
    let mut app = TestApp::start();
    let id = text_of(
        &app.admin().await.published("a.mp4", "分批", &fixture::heavy_video(8)).await["id"],
    )
    .parse()
    .expect("an id");
    app.stop();
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    sqlx::query("UPDATE rendition SET state = 'making'").execute(&mut *tx).await.expect("updated");
    let made = db::media::list_renditions(&mut tx, id).await.expect("listed");
    let short = made.iter().find(|rendition| rendition.whole_parts.is_some()).expect("encoded");
    sqlx::query("DELETE FROM part WHERE rendition = $1 AND number = 1")
        .bind(short.id.to_string())
        .execute(&mut *tx)
        .await
        .expect("deleted");
    let job = NewJob { kind: "copy", payload: String::new(), priority: 0, weight: 1.0 };
    db::jobs::push(&mut tx, id, &job, 0).await.expect("pushed");
    db::media::complete_renditions(&mut tx, id, 0).await.expect("updated");
    for rendition in db::media::list_renditions(&mut tx, id).await.expect("listed") {
        let copied = rendition.kind == TrackKind::Video && rendition.whole_parts.is_none();
        let waits = rendition.id == short.id || copied;
        assert_eq!(rendition.is_complete(), !waits, "{}", rendition.name);
    }
    drop(tx);
    db.close().await;
}

#[tokio::test]
async fn a_copy_too_heavy_to_stay_is_played_until_the_rungs_are_made() {
    let mut app = TestApp::start();
    let admin = app.admin().await;
    let view = admin.published("a.mp4", "高码率", &fixture::rich_video(8)).await;
    let names = |view: &Value| {
        let all = view["renditions"].as_array().expect("a list").iter();
        all.map(|rendition| text_of(&rendition["name"]).to_owned()).collect::<Vec<_>>()
    };
    assert!(names(&view).iter().any(|name| name == "180p"), "{view}");
    assert!(!names(&view).iter().any(|name| name == "180p-copy"), "{view}");
    app.check();
    let id: ResourceId = text_of(&view["id"]).parse().expect("an id");
    let db = app.db().await;
    let mut tx = db.begin().await.expect("a transaction");
    let made = db::media::list_renditions(&mut tx, id).await.expect("listed");
    let copy = made.iter().find(|rendition| rendition.preview).expect("a copy");
    assert_eq!((copy.name.as_str(), copy.state), ("180p-copy", RenditionState::Retired));
    // Who has begun with it can go on.
    let segment = admin.get(&format!("/media/{id}/{}/1.m4s", copy.id)).await;
    segment.expect(200);
    let gone = db::renditions::forget_retired(&mut tx, i64::MAX).await.expect("forgotten");
    assert_eq!(gone.map(|(_, keys)| keys.len()), Some(copy.parts.len() + 1));
    assert_eq!(db::renditions::forget_retired(&mut tx, i64::MAX).await.expect("none"), None);
    drop(tx);
    db.close().await;
    app.stop();
}

/// Presentation times of all frames of the stream, decoded.
pub(crate) fn times(url: &str, stream: &str) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-of", "csv=p=0"])
        .args(["-show_entries", "frame=best_effort_timestamp_time", url])
        .output()
        .expect("ffprobe is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{url}: {said}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect()
}

#[tokio::test]
async fn other_codecs_join_what_is_published_already() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let media = json!({ "media": { "codecs": ["hevc", "av1"], "opus": true } });
    admin.send(Method::PATCH, "/api/libraries/main", &media).await.expect(200);
    let resource = admin.published("test.mp4", "三种编码", &fixture::video(8)).await;
    let hls = text_of(&resource["links"]["hls"]).to_owned();
    let early = nobody.get(&hls).await.expect(200).text();
    assert!(early.contains("avc1."), "playable before the others are there: {early}");
    let master = eventually("all codecs are offered", Duration::from_secs(120), || async {
        let text = nobody.get(&hls).await.text();
        ["hvc1.", "av01.", "opus"].iter().all(|codec| text.contains(codec)).then_some(text)
    })
    .await;
    let base = format!("http://{}{}", app.address(), text_of(&resource["links"]["base"]));
    let playlist = |codecs: &str| {
        let mut lines = master.lines().skip_while(|line| !line.contains(codecs));
        lines.nth(1).map(|path| format!("{base}/{path}")).expect("a variant")
    };
    let expected = times(&playlist("avc1."), "v:0");
    assert!(expected.len() >= 199, "{} frames", expected.len());
    for codecs in ["hvc1.", "av01."] {
        let found = times(&playlist(codecs), "v:0");
        assert_eq!(found.len(), expected.len(), "{codecs}");
        let off = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 0.001, "{codecs} is off by {off} s");
    }
    let dash = nobody.get(text_of(&resource["links"]["dash"])).await.expect(200).text();
    assert_eq!(dash.matches("contentType=\"video\"").count(), 3, "{dash}");
    let probed = ffprobe(&format!("{base}/manifest.mpd"));
    let streams = probed["streams"].as_array().expect("a list");
    let kinds: BTreeSet<&str> = streams.iter().map(|s| text_of(&s["codec_name"])).collect();
    for kind in ["h264", "hevc", "av1", "aac", "opus"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    let problems = app.run(&["check", "--json"]);
    assert_eq!(problems.code, 0, "{problems:?}");
}
