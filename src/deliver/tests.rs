//! The texts of HLS and DASH for resources that are awkward in some way.

use crate::catalogue::{
    AccountId, AudioRole, Caption, CaptionOrigin, Derived, Details, Kind, Library, LibraryId, Part,
    Rendition, RenditionId, RenditionState, Resource, ResourceId, Segment, Stage, TrackKind,
};

use super::delivery::Mark;
use super::direct::Passing;
use super::text::Texts;
use super::{Delivery, manifest, master_playlist, media_playlist};

pub(super) fn rendition(name: &str, kind: TrackKind, size: Option<(i64, i64)>) -> Rendition {
    let time_scale = if kind == TrackKind::Video { 90_000 } else { 48_000 };
    let segment = |number: u64, seconds: u64| Segment {
        offset: number * 100_000,
        length: 100_000,
        key_length: 20_000,
        start: number * 6 * time_scale,
        duration: seconds * time_scale,
    };
    let segments = vec![segment(0, 6), segment(1, 6), segment(2, 3)];
    Rendition {
        id: RenditionId::fresh(),
        name: name.to_owned(),
        kind,
        track: 1,
        language: None,
        label: String::new(),
        role: AudioRole::Main,
        selected: true,
        bitrate_bps: 1,
        codecs: Some(if size.is_some() { "avc1.64001F" } else { "mp4a.40.2" }.to_owned()),
        width: size.map(|size| size.0),
        height: size.map(|size| size.1),
        frame_rate: size.map(|_| 25.0),
        sample_rate: size.is_none().then_some(48_000),
        channels: size.is_none().then_some(2),
        time_scale: i64::try_from(time_scale).expect("small"),
        init: Some("init".to_owned()),
        whole_parts: None,
        preview: false,
        spare: false,
        state: RenditionState::Complete,
        parts: vec![Part { number: 0, key: "part".to_owned(), segments }],
    }
}

pub(super) fn video(width: i64, height: i64) -> Rendition {
    rendition(&format!("{height}p"), TrackKind::Video, Some((width, height)))
}

/// The best and the smallest sound of a track.
pub(super) fn sound(track: i64) -> [Rendition; 2] {
    [(128_000, "best"), (48_000, "small")].map(|(bitrate_bps, name)| Rendition {
        track,
        bitrate_bps,
        selected: track == 1,
        ..rendition(name, TrackKind::Audio, None)
    })
}

pub(super) fn delivery(renditions: Vec<Rendition>, captions: Vec<Caption>) -> Delivery {
    let library = LibraryId::fresh();
    let resource = Resource {
        id: ResourceId::fresh(),
        library,
        kind: Kind::Video,
        stage: Stage::Published,
        details: Details::default(),
        uploaded_by: AccountId::fresh(),
        file_name: "a.mp4".to_owned(),
        media_type: "video/mp4".to_owned(),
        size_bytes: 1,
        source: None,
        duration_ms: Some(15_000),
        pages: None,
        width: None,
        height: None,
        plan: None,
        doing: String::new(),
        progress: 1.0,
        jobs_left: 0,
        failure: None,
        failure_info: None,
        warnings: Vec::new(),
        poster: None,
        derived: Derived::default(),
        ticket_epoch: 0,
        changed: 1,
        created_ms: 0,
        updated_ms: 0,
        published_ms: Some(0),
    };
    let library = Library { id: library, ..Library::new("main".parse().expect("a slug"), "", 0) };
    Delivery {
        resource,
        library,
        renditions,
        wants_more: false,
        captions,
        chapters: Vec::new(),
        figures: Vec::new(),
        pages: Vec::new(),
        slides: Vec::new(),
        sent: std::sync::Arc::default(),
        texts: Texts::default(),
        passing: Passing::default(),
        direct: None,
        mark: Mark::default(),
    }
}

pub(super) fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

#[test]
fn what_a_thin_line_carries_is_begun_with() {
    // Segments of six seconds; the first one decides.
    let of = |height: i64, kbps: u64| {
        let mut rung = video(height * 16 / 9, height);
        for part in &mut rung.parts {
            let time_scale = rung.time_scale.cast_unsigned();
            for segment in &mut part.segments {
                segment.length = kbps * 125 * segment.duration / time_scale;
            }
        }
        rung
    };
    let first = |rungs: Vec<Rendition>| {
        let text = master_playlist(&delivery(rungs, Vec::new()));
        let line = *lines(&text, "#EXT-X-STREAM-INF").first().expect("a variant");
        line.rsplit_once('x').and_then(|(_, rest)| rest.split(',').next()?.parse::<i64>().ok())
    };
    let ladder = || vec![of(720, 3000), of(480, 1500), of(360, 900), of(240, 350)];
    assert_eq!(first(ladder()), Some(360));
    assert_eq!(first(ladder()[..2].to_vec()), Some(480), "the smallest, when all are larger");
    let text = master_playlist(&delivery(ladder(), Vec::new()));
    assert_eq!(lines(&text, "#EXT-X-STREAM-INF").len(), 4, "each once");
}

#[test]
fn small_pictures_have_small_sound_unless_they_are_the_best_there_is() {
    let with = |heights: &[i64]| {
        let mut all: Vec<Rendition> = heights.iter().map(|&h| video(h * 16 / 9, h)).collect();
        all.extend(sound(1));
        let text = master_playlist(&delivery(all, Vec::new()));
        let mut groups: Vec<&str> = lines(&text, "#EXT-X-STREAM-INF")
            .iter()
            .filter_map(|line| line.split("AUDIO=\"").nth(1)?.split('"').next())
            .map(|group| if group == "sound" { "best" } else { "small" })
            .collect();
        groups.sort_unstable();
        (groups.join(" "), lines(&text, "#EXT-X-MEDIA:TYPE=AUDIO").len())
    };
    assert_eq!(with(&[1080, 360, 240]), ("best small small".to_owned(), 2));
    assert_eq!(with(&[360, 240]), ("best small".to_owned(), 2));
    // A group that no variant names is never played; some players count it all the same.
    assert_eq!(with(&[240]), ("best".to_owned(), 1));
    assert_eq!(with(&[1080]), ("best".to_owned(), 1));
}

#[test]
fn names_differ_within_a_group() {
    let caption = |name: &str| Caption {
        name: name.to_owned(),
        language: "zh".to_owned(),
        label: "中文".to_owned(),
        origin: CaptionOrigin::Embedded,
        forced: false,
        hearing_impaired: false,
        key: "caption".to_owned(),
    };
    let mut all = vec![video(1280, 720)];
    all.extend(sound(1));
    all.extend(sound(2));
    let text = master_playlist(&delivery(all, vec![caption("zh"), caption("zh-2")]));
    for kind in ["AUDIO", "SUBTITLES"] {
        let lines = lines(&text, &format!("#EXT-X-MEDIA:TYPE={kind}"));
        let mut names: Vec<&str> =
            lines.iter().filter_map(|line| line.split("NAME=").nth(1)?.split(',').next()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 2, "{kind}: {text}");
    }
    assert_eq!(text.matches("DEFAULT=YES").count(), 1, "{text}");
}

#[test]
fn manifests_say_whom_tracks_are_for() {
    let caption = |name: &str, forced, hearing_impaired| Caption {
        name: name.to_owned(),
        language: "zh".to_owned(),
        label: "中文".to_owned(),
        origin: CaptionOrigin::Embedded,
        forced,
        hearing_impaired,
        key: "caption".to_owned(),
    };
    let captions = vec![caption("zh", true, false), caption("zh-2", false, true)];
    let [told, _] = sound(2);
    let mut all = vec![video(1280, 720)];
    all.extend(sound(1));
    all.push(Rendition { role: AudioRole::Description, selected: false, ..told });
    let both = delivery(all, captions);
    let (hls, dash) = (master_playlist(&both), manifest(&both));
    let texts = lines(&hls, "#EXT-X-MEDIA:TYPE=SUBTITLES");
    assert!(texts[0].contains("NAME=\"中文（仅外语对白）\""), "{hls}");
    assert!(texts[0].contains("FORCED=YES,URI"), "{hls}");
    assert!(texts[1].contains("FORCED=NO,CHARACTERISTICS=\"public.accessibility.transcribes"));
    let sounds = lines(&hls, "#EXT-X-MEDIA:TYPE=AUDIO");
    let told = "CHARACTERISTICS=\"public.accessibility.describes-video\"";
    assert_eq!(sounds.iter().filter(|line| line.contains(told)).count(), 1, "{hls}");
    for role in ["forced-subtitle", "caption", "main", "description"] {
        assert!(dash.contains(&format!("value=\"{role}\"")), "{role}: {dash}");
    }
    assert!(dash.contains("AudioPurposeCS:2007\" value=\"1\""), "{dash}");
}

#[test]
fn sound_alone_is_its_own_variant() {
    let text = master_playlist(&delivery(sound(1).into(), Vec::new()));
    assert_eq!(lines(&text, "#EXT-X-STREAM-INF").len(), 2);
    assert!(lines(&text, "#EXT-X-MEDIA").is_empty() && !text.contains("AUDIO=\""), "{text}");
}

#[test]
fn manifests_say_when_segments_begin() {
    let mut all = vec![video(1280, 720), video(640, 360)];
    all[0].parts[0].segments[1].start += 9_000;
    let text = manifest(&delivery(all.clone(), Vec::new()));
    assert!(text.contains(r#"segmentAlignment="false""#), "{text}");
    assert!(text.contains(r#"mediaPresentationDuration="PT15.000S""#), "{text}");
    assert!(text.contains(r#"<S t="0" d="540000" r="1"></S><S t="1080000" d="270000"></S>"#));
    let playlist = media_playlist(&delivery(all.clone(), Vec::new()), &all[1]);
    assert!(playlist.contains("#EXT-X-TARGETDURATION:6\n"), "{playlist}");
    assert!(playlist.ends_with("#EXTINF:3.000000,\n2.m4s\n#EXT-X-ENDLIST\n"), "{playlist}");
    let growing = Rendition { state: RenditionState::Making, ..all[1].clone() };
    let sound = rendition("audio-0-128k", TrackKind::Audio, None);
    let both = delivery(vec![growing.clone(), sound.clone()], Vec::new());
    assert!(media_playlist(&both, &sound).contains("PLAYLIST-TYPE:EVENT\n"), "it waits");
    assert!(master_playlist(&both).contains(&growing.id.to_string()));
    let copied = delivery(vec![all[0].clone(), growing.clone(), sound.clone()], Vec::new());
    assert!(media_playlist(&copied, &sound).contains("PLAYLIST-TYPE:VOD\n"));
    assert!(!master_playlist(&copied).contains(&growing.id.to_string()), "not offered yet");
    let playlist = media_playlist(&both, &growing);
    assert!(playlist.contains("PLAYLIST-TYPE:EVENT\n") && !playlist.contains("ENDLIST"));
    assert!(playlist.contains("#EXT-X-START:TIME-OFFSET=0\n"), "{playlist}");
}

/// A ladder of two in H.264 and AV1, with AAC and Opus.
fn two_codecs() -> Vec<Rendition> {
    let av1 = |height: i64| Rendition {
        name: format!("{height}p-av1"),
        codecs: Some("av01.0.05M.08".to_owned()),
        ..video(height * 16 / 9, height)
    };
    let opus = Rendition {
        name: "audio-0-opus".to_owned(),
        codecs: Some("opus".to_owned()),
        ..sound(1)[0].clone()
    };
    let mut all = vec![video(1280, 720), video(640, 360), av1(720), av1(360)];
    all.extend(sound(1));
    all.push(opus);
    all
}

#[test]
fn each_codec_has_a_whole_ladder_and_h264_comes_first() {
    let text = master_playlist(&delivery(two_codecs(), Vec::new()));
    let variants = lines(&text, "#EXT-X-STREAM-INF");
    let codecs = |line: &str| line.split('"').nth(1).expect("CODECS").to_owned();
    assert_eq!(
        variants.iter().map(|line| codecs(line)).collect::<Vec<_>>(),
        [
            "avc1.64001F,mp4a.40.2",
            "avc1.64001F,mp4a.40.2",
            "av01.0.05M.08,mp4a.40.2",
            "av01.0.05M.08,mp4a.40.2",
            "av01.0.05M.08,opus",
            "av01.0.05M.08,opus"
        ]
    );
    assert!(variants[4].contains("AUDIO=\"sound-opus\""), "{text}");
    let groups = lines(&text, "#EXT-X-MEDIA:TYPE=AUDIO");
    assert_eq!(groups.iter().filter(|line| line.contains("\"sound-opus\"")).count(), 1, "{text}");
    let dash = manifest(&delivery(two_codecs(), Vec::new()));
    assert_eq!(dash.matches("contentType=\"video\"").count(), 2, "{dash}");
    assert_eq!(dash.matches("contentType=\"audio\"").count(), 2, "{dash}");
    let set = dash.split("</AdaptationSet>").nth(1).expect("a second set");
    assert_eq!((set.matches("av01.").count(), set.matches("avc1.").count()), (2, 0), "{set}");
}

#[test]
fn other_codecs_join_when_they_are_whole() {
    let offered = |whole: &[&str]| {
        let made = |r: Rendition| {
            let state = match whole.contains(&r.name.as_str()) {
                true => RenditionState::Complete,
                false => RenditionState::Making,
            };
            Rendition { state, ..r }
        };
        let delivery = delivery(two_codecs().into_iter().map(made).collect(), Vec::new());
        (delivery.is_complete(), master_playlist(&delivery).contains("av01"))
    };
    assert_eq!(offered(&["720p", "best"]), (true, false));
    assert_eq!(offered(&["720p", "360p", "best", "720p-av1"]), (true, true));
    assert_eq!(
        offered(&["720p-av1", "360p-av1", "best"]),
        (false, false),
        "AV1 alone is not enough"
    );
}

#[test]
fn the_target_duration_does_not_change_as_a_playlist_grows() {
    let target = |rendition: &Rendition| {
        let whole = delivery(vec![rendition.clone()], Vec::new());
        let playlist = media_playlist(&whole, rendition);
        lines(&playlist, "#EXT-X-TARGETDURATION")[0].to_owned()
    };
    for name in ["720p", "720p-copy"] {
        let mut growing = rendition(name, TrackKind::Video, Some((1280, 720)));
        growing.parts[0].segments.truncate(1);
        growing.parts[0].segments[0].duration = 90_000;
        let before = target(&growing);
        if name.ends_with("-copy") {
            growing.parts[0].segments[0].duration = 90_000 * 12;
        }
        growing.state = RenditionState::Complete;
        assert_eq!(target(&growing), before, "{name}");
    }
}
