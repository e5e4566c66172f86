//! The same media in other forms: MPEG-TS, single files, sound alone, single frames.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;

use http::Method;
use serde_json::Value;

use crate::app::TestApp;
use crate::client::{Answer, Client, answer, text_of};
use crate::fixture;

/// What FFmpeg's muxer and ours add to every time, in seconds.
const TRANSPORT_OFFSET: f64 = 1.4;

/// Times of presentation of all frames of one kind (`v`, `a` or `s`), in order. Nothing may be
/// complained about.
fn frames(input: &str, kind: &str) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args(["-v", "warning", "-select_streams", kind, "-show_entries", "packet=pts_time"])
        .args(["-of", "csv=p=0", input])
        .output()
        .expect("ffprobe is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{input}: {said}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut times: Vec<f64> =
        text.lines().filter_map(|line| line.split(',').next()?.parse().ok()).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Decodes all of it, without a warning, and gives what the frames are.
fn decoded(input: &str) -> String {
    let output = Command::new("ffmpeg")
        .args([
            "-nostdin", "-v", "warning", "-xerror", "-i", input, "-map", "0:v:0", "-map", "0:a:0?",
        ])
        .args(["-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "md5", "-"])
        .output()
        .expect("ffmpeg is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{input}: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[track_caller]
fn same_times(one: &[f64], other: &[f64], offset: f64) {
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(other) {
        assert!((one + offset - other).abs() < 1e-4, "{one} + {offset} is not {other}");
    }
}

/// The lines of a playlist that are addresses.
fn addresses(playlist: &Answer) -> Vec<String> {
    let text = playlist.text();
    text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect()
}

/// Ids of renditions in an address.
fn ids(address: &str) -> Vec<&str> {
    let is_id = |step: &&str| step.len() == 32 && step.bytes().all(|b| b.is_ascii_hexdigit());
    address.split(['/', '.']).filter(is_id).collect()
}

fn base(resource: &Value) -> &str {
    text_of(&resource["links"]["base"])
}

/// Continuity counters go on from packet to packet; those of packets without payload stand still.
fn follow(segment: &[u8], counters: &mut HashMap<u16, u8>) {
    for packet in segment.chunks(188) {
        assert_eq!((packet.len(), packet[0]), (188, 0x47));
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        let (payload, counter) = (packet[3] >> 4 & 1, packet[3] & 15);
        if let Some(last) = counters.insert(pid, counter) {
            assert_eq!((last + payload) & 15, counter, "PID {pid}");
        }
    }
}

#[tokio::test]
async fn set_top_boxes_play_transport_streams() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp4", "机顶盒", &fixture::sharp_video(20)).await;
    let (base, host) = (base(&resource), format!("http://{}", app.address()));
    let master = nobody.get(text_of(&resource["links"]["ts"])).await.expect(200);
    assert_eq!(master.header("content-type"), "application/vnd.apple.mpegurl");
    let text = master.text();
    assert!(text.starts_with("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-STREAM-INF:BANDWIDTH="), "{text}");
    assert!(text.contains("CODECS=\"avc1.") && text.contains(",mp4a.40.2\""), "{text}");
    let variants = addresses(&master);
    assert!(variants.len() >= 2, "{text}");
    let told: Vec<f64> = text
        .lines()
        .filter_map(|line| line.split_once(":BANDWIDTH=")?.1.split(',').next()?.parse().ok())
        .collect();
    for (variant, told) in variants.iter().zip(told) {
        let playlist = nobody.get(&format!("{base}/{variant}")).await.expect(200);
        let text = playlist.text();
        assert!(text.contains("#EXT-X-PLAYLIST-TYPE:VOD\n") && text.ends_with("#EXT-X-ENDLIST\n"));
        assert!(!text.contains("EXT-X-MAP") && !text.contains(".m4s"), "{text}");
        let segments = addresses(&playlist);
        assert!(segments.len() >= 3, "{text}");
        let mut counters = HashMap::new();
        let ids = ids(variant);
        let seconds = text
            .lines()
            .filter_map(|line| line.strip_prefix("#EXTINF:")?.strip_suffix(',')?.parse().ok());
        for (segment, seconds) in segments.iter().zip(seconds) {
            let seconds: f64 = seconds;
            let segment = nobody.get(&format!("{base}/ts/{}/{segment}", ids[0])).await.expect(200);
            assert_eq!(segment.header("content-type"), "video/mp2t");
            let bps = segment.body.len() as f64 * 8.0 / seconds;
            assert!(bps <= told, "BANDWIDTH {told} is less than {bps}");
            follow(&segment.body, &mut counters);
        }
        assert!(counters.len() == 4, "tables, picture and sound: {counters:?}");
        let whole = format!("{host}{base}/{variant}");
        for (kind, id) in [("v", ids[0]), ("a", ids[1])] {
            let own = frames(&format!("{host}{base}/{id}/playlist.m3u8"), kind);
            assert!(!own.is_empty());
            same_times(&own, &frames(&whole, kind), TRANSPORT_OFFSET);
        }
        decoded(&whole);
    }
    decoded(&format!("{host}{}", text_of(&resource["links"]["ts"])));
    app.check();
}

#[tokio::test]
async fn segments_of_transport_streams_are_kept_and_cut_like_others() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp4", "机顶盒", &fixture::video(14)).await;
    let base = base(&resource);
    let master = nobody.get(&format!("{base}/ts.m3u8")).await.expect(200);
    let variant = addresses(&master).remove(0);
    let [picture, sound] = ids(&variant)[..] else { panic!("{variant}") };
    let address = format!("{base}/ts/{picture}/{sound}/1.ts");
    // The second before the first, and each the same whenever it is asked for.
    let segment = nobody.get(&address).await.expect(200);
    let first = nobody.get(&format!("{base}/ts/{picture}/{sound}/0.ts")).await.expect(200);
    assert_eq!(nobody.get(&address).await.body, segment.body);
    assert_eq!(segment.header("cache-control"), "public, max-age=31536000, immutable");
    let etag = segment.header("etag").to_owned();
    assert_ne!(first.header("etag"), etag);
    let known = nobody.ask(Method::GET, &address).header("if-none-match", &etag);
    answer(known).await.expect(304);
    let head = answer(nobody.ask(Method::HEAD, &address)).await.expect(200);
    assert_eq!(head.header("content-length"), segment.body.len().to_string());
    let length = segment.body.len();
    for (range, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=187-189", 187..190),
        ("bytes=1000-90000", 1000..length.min(90_001)),
        ("bytes=-77", length - 77..length),
    ] {
        let part = nobody.ask(Method::GET, &address).header("range", range);
        assert_eq!(answer(part).await.expect(206).body, segment.body[expected], "{range}");
    }
    // One of the two alone, and what is not there.
    for alone in [picture, sound] {
        let playlist = nobody.get(&format!("{base}/ts/{alone}.m3u8")).await.expect(200);
        let segment = addresses(&playlist).remove(0);
        nobody.get(&format!("{base}/ts/{segment}")).await.expect(200);
    }
    for missing in [
        format!("{sound}/{picture}/0.ts"),
        format!("{picture}/{picture}.m3u8"),
        format!("{picture}/{sound}/3.ts"),
        format!("{picture}/{sound}/-1.ts"),
        format!("{picture}/{sound}/0.m4s"),
        format!("{picture}/{sound}/{sound}/0.ts"),
        "x.m3u8".to_owned(),
        "0.ts".to_owned(),
        String::new(),
    ] {
        nobody.get(&format!("{base}/ts/{missing}")).await.expect(404);
    }
}

/// Takes a file away by ranges, as a download manager does with several connections.
async fn by_ranges(client: &Client, address: &str, length: usize, etag: &str) -> Vec<u8> {
    let mut file = Vec::new();
    while file.len() < length {
        let last = (file.len() + length / 7).min(length - 1);
        let range = format!("bytes={}-{last}", file.len());
        let part = client.ask(Method::GET, address).header("range", range).header("if-range", etag);
        file.extend_from_slice(&answer(part).await.expect(206).body);
    }
    file
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("written");
    path.to_str().expect("a plain path").to_owned()
}

#[tokio::test]
async fn renditions_are_taken_away_as_single_files() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp4", "剪纸/入门", &fixture::sharp_video(20)).await;
    let id = text_of(&resource["id"]);
    let captions = fixture::captions(&[(500, "潮水退了"), (9000, "编网")]);
    let path = format!("/api/resources/{id}/captions/zh?filename=a.vtt");
    answer(admin.ask(Method::PUT, &path).body(captions)).await.expect(204);
    let resource = admin.get(&format!("/api/resources/{id}")).await.json();
    let (base, host) = (base(&resource), format!("http://{}", app.address()));
    let downloads = resource["links"]["downloads"].as_array().expect("a list");
    assert_eq!(downloads[0]["label"], "720p", "{downloads:?}");
    assert!(downloads.iter().any(|one| one["media_type"] == "audio/mp4"), "{downloads:?}");
    for one in downloads {
        let address = text_of(&one["href"]);
        let file = nobody.get(address).await.expect(200);
        assert_eq!(file.header("content-type"), text_of(&one["media_type"]));
        let about = one["about_bytes"].as_u64().expect("a number") as f64;
        assert!((file.body.len() as f64 / about - 1.0).abs() < 0.15, "{about} {}", file.body.len());
        let head = answer(nobody.ask(Method::HEAD, address)).await.expect(200);
        assert_eq!(head.header("content-length"), file.body.len().to_string());
        let etag = file.header("etag").to_owned();
        let known = nobody.ask(Method::GET, address).header("if-none-match", &etag);
        answer(known).await.expect(304);
        assert_eq!(by_ranges(&nobody, address, file.body.len(), &etag).await, file.body);
        // Its index comes first, and everything that HLS plays is in it, at the same times.
        let at = |name: &[u8]| file.body.windows(4).position(|w| w == name).expect("a box");
        assert!(at(b"moov") < at(b"mdat"));
        let local = write(&app.desk(), "a.mp4", &file.body);
        let kind = if one["kind"] == "video" { "v" } else { "a" };
        let rendition = ids(address)[1];
        let own = frames(&format!("{host}{base}/{rendition}/playlist.m3u8"), kind);
        same_times(&own, &frames(&local, kind), 0.0);
        if kind == "v" {
            decoded(&local);
            assert!(frames(&local, "a").len() > 400, "the sound that suits it");
            assert_eq!(frames(&local, "s")[..3], [0.0, 0.5, 2.5], "captions");
        }
    }
    let file = answer(nobody.ask(Method::HEAD, text_of(&downloads[0]["href"]))).await;
    let name = file.header("content-disposition");
    assert!(
        name.contains("filename*=UTF-8''%E5%89%AA%E7%BA%B8%20%E5%85%A5%E9%97%A8%20720p.mp4"),
        "{name}"
    );

    // Other captions are another file.
    let captions = fixture::captions(&[(500, "潮水来了")]);
    answer(admin.ask(Method::PUT, &path).body(captions)).await.expect(204);
    let changed = answer(nobody.ask(Method::HEAD, text_of(&downloads[0]["href"]))).await;
    assert_ne!(changed.header("etag"), file.header("etag"));
    let video = ids(text_of(&downloads[0]["href"]))[1];
    for missing in
        [format!("{video}.m4a"), format!("{video}.m4s"), "x.mp4".to_owned(), ".mp4".to_owned()]
    {
        nobody.get(&format!("{base}/{missing}")).await.expect(404);
    }
    let page = nobody.ask(Method::GET, &format!("/resources/{id}")).header("accept-language", "zh");
    assert!(answer(page).await.text().contains("视频 720p（MP4）"));
    app.check();
}

#[tokio::test]
async fn other_forms_are_made_of_a_bucket_as_well() {
    // Blocks that are smaller than a segment.
    let mut app = TestApp::in_bucket(&[("DUOKU_STORAGE_S3_BLOCK_BYTES", "65536")]);
    let admin = app.admin().await;
    let resource = admin.published("a.mp4", "桶", &fixture::sharp_video(14)).await;
    let base = base(&resource);
    let master = app.nobody().get(&format!("{base}/ts.m3u8")).await.expect(200);
    let segment = format!("{base}/{}/1.ts", addresses(&master)[0].trim_end_matches(".m3u8"));
    let file = text_of(&resource["links"]["downloads"][0]["href"]);
    let before = [app.nobody().get(&segment).await.expect(200), app.nobody().get(file).await];
    // The cache begins empty.
    app.stop();
    app.serve(&[]);
    let nobody = app.nobody();
    for (address, before) in [segment.as_str(), file].iter().zip(&before) {
        let range = nobody.ask(Method::GET, address).header("range", "bytes=100000-400000");
        assert_eq!(answer(range).await.expect(206).body, before.body[100_000..400_001]);
        assert_eq!(nobody.get(address).await.expect(200).body, before.body);
    }
    decoded(&write(&app.desk(), "a.mp4", &before[1].body));
    decoded(&write(&app.desk(), "1.ts", &before[0].body));
}

#[tokio::test]
async fn sound_is_listened_to_alone() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mkv", "多轨", &fixture::video_with_tracks()).await;
    let host = format!("http://{}", app.address());
    let audio = nobody.get(text_of(&resource["links"]["audio"])).await.expect(200);
    let text = audio.text();
    assert!(!text.contains("RESOLUTION") && !text.contains("avc1"), "{text}");
    let sounds = resource["renditions"].as_array().expect("a list").iter();
    let sounds = sounds.filter(|rendition| rendition["kind"] == "audio").count();
    let named: BTreeSet<&str> =
        text.split(['"', '\n']).filter_map(|word| word.strip_suffix("/playlist.m3u8")).collect();
    assert_eq!(named.len(), sounds, "{text}");
    let master = format!("{host}{}", text_of(&resource["links"]["audio"]));
    assert!(frames(&master, "v").is_empty() && !frames(&master, "a").is_empty());
    let silent = admin.published("b.mp4", "无声", &fixture::video_without_sound()).await;
    assert!(silent["links"]["audio"].is_null());
    nobody.get(&format!("{}/audio.m3u8", base(&silent))).await.expect(404);
}

#[tokio::test]
async fn single_frames_are_named_for_winding() {
    let app = TestApp::start();
    let (admin, nobody) = (app.admin().await, app.nobody());
    let resource = admin.published("a.mp4", "快进", &fixture::video(14)).await;
    let base = base(&resource);
    let master = nobody.get(text_of(&resource["links"]["hls"])).await.expect(200).text();
    let line = master.lines().find(|l| l.starts_with("#EXT-X-I-FRAME-STREAM-INF:")).expect("one");
    for needed in ["BANDWIDTH=", ",CODECS=\"avc1.", ",RESOLUTION=320x180,"] {
        assert!(line.contains(needed), "{line}");
    }
    let uri = line.split("URI=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a URI");
    let playlist = nobody.get(&format!("{base}/{uri}")).await.expect(200);
    let text = playlist.text();
    assert!(text.contains("#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"init.mp4\"\n"), "{text}");
    let (folder, _) = uri.split_once('/').expect("a path");
    let init = nobody.get(&format!("{base}/{folder}/init.mp4")).await.expect(200).body;
    let lengths: Vec<usize> = text
        .lines()
        .filter_map(|l| l.strip_prefix("#EXT-X-BYTERANGE:")?.strip_suffix("@0")?.parse().ok())
        .collect();
    let segments = addresses(&playlist);
    assert_eq!((lengths.len(), segments.len()), (3, 3), "{text}");
    for (length, segment) in lengths.iter().zip(&segments) {
        let range = format!("bytes=0-{}", length - 1);
        let frame = nobody.ask(Method::GET, &format!("{base}/{folder}/{segment}"));
        let frame = answer(frame.header("range", range)).await.expect(206).body;
        // The whole first sample and not a byte more: what is left of the segment is cut off.
        let file = write(&app.desk(), "frame.mp4", &[&init[..], &frame].concat());
        let said = Command::new("ffprobe")
            .args(["-v", "quiet", "-show_entries", "packet=flags", "-of", "csv=p=0", &file])
            .output()
            .expect("ffprobe is installed");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.lines().next().is_some_and(|flags| flags.starts_with('K')), "{said}");
        assert_eq!(&frame[4..8], b"moof");
    }
    let sound = master.lines().find(|l| l.starts_with("#EXT-X-MEDIA:TYPE=AUDIO")).expect("one");
    nobody
        .get(&format!(
            "{base}/{}/iframes.m3u8",
            ids(sound.split("URI=\"").nth(1).expect("a URI"))[0]
        ))
        .await
        .expect(404);
}
