use crate::facts::{AudioFacts, AudioRole, Colour, VideoFacts};

use super::*;

fn video(width: u32, height: u32) -> SourceTrack {
    SourceTrack {
        index: 0,
        kind: TrackKind::Video,
        codec: "h264".into(),
        profile: Some("High".into()),
        language: None,
        title: None,
        default: true,
        role: AudioRole::Main,
        forced: false,
        hearing_impaired: false,
        decodable: true,
        bitrate_bps: Some(2_000_000),
        video: Some(VideoFacts {
            width,
            height,
            coded_width: width,
            coded_height: height,
            rotation: 0,
            mirrored: false,
            sar: Ratio::ONE,
            frame_rate: Ratio { num: 25, den: 1 },
            variable_frame_rate: false,
            interlaced: false,
            pixel_format: "yuv420p".into(),
            bit_depth: 8,
            hdr: Hdr::None,
            colour: Colour::BT709,
            has_b_frames: true,
            max_key_interval_ms: Some(2_000),
            closed_gops: true,
            hidden_frames: false,
            reliable_times: true,
        }),
        audio: None,
        picture_subtitle: false,
        text_subtitle: false,
        start_ms: 0,
        duration_ms: 600_000,
    }
}

fn audio(channels: u32, bitrate_bps: i64) -> SourceTrack {
    SourceTrack {
        index: 1,
        kind: TrackKind::Audio,
        codec: "aac".into(),
        profile: Some("LC".into()),
        bitrate_bps: Some(bitrate_bps),
        video: None,
        audio: Some(AudioFacts {
            channels,
            sample_rate: 48_000,
            layout: "stereo".into(),
            regular: true,
        }),
        ..video(2, 2)
    }
}

fn probe(tracks: Vec<SourceTrack>) -> Probe {
    Probe {
        container: "mov,mp4,m4a,3gp,3g2,mj2".into(),
        duration_ms: 600_000,
        start_ms: 0,
        start_us: 0,
        jumps: Vec::new(),
        landmarks: Vec::new(),
        bitrate_bps: 2_200_000,
        title: None,
        tracks,
        chapters: vec![],
    }
}

fn encoded(width: u32, height: u32) -> Vec<(String, u32, u32)> {
    let policy = Policy { copy_video: false, enough_bitrate_bps: 0, ..Policy::default() };
    let plan = plan(&probe(vec![video(width, height)]), &policy).unwrap();
    plan.video.unwrap().rungs.into_iter().map(|r| (r.name, r.width, r.height)).collect()
}

#[test]
fn the_ladder_goes_down_from_the_source_and_never_up() {
    let names = |w, h| encoded(w, h).into_iter().map(|r| r.0).collect::<Vec<_>>().join(" ");
    assert_eq!(names(1920, 1080), "1080p 720p 480p 360p 240p");
    assert_eq!(names(3840, 2160), "1080p 720p 480p 360p 240p");
    assert_eq!(names(1080, 1920), "1080p 720p 480p 360p 240p");
    assert_eq!(names(1280, 720), "720p 480p 360p 240p");
    // Within 10 % of 480 there is no rung of its own; 576 is one.
    assert_eq!(names(854, 500), "480p 360p 240p");
    assert_eq!(names(1024, 576), "576p 480p 360p 240p");
    assert_eq!(names(1919, 1079), "1078p 720p 480p 360p 240p");
    assert_eq!(names(161, 121), "120p");
}

#[test]
fn sides_are_even_and_keep_their_proportion() {
    assert_eq!(encoded(1080, 1920)[1], ("720p".into(), 720, 1280));
    assert_eq!(encoded(161, 121), [("120p".into(), 160, 120)]);
    for (width, height) in [(1, 1), (8192, 16), (853, 480), (7, 4000), (333, 777)] {
        for (_, w, h) in encoded(width, height) {
            assert!(w % 2 == 0 && h % 2 == 0 && w >= 16 && h >= 16, "{width}x{height}: {w}x{h}");
        }
    }
}

#[test]
fn fitting_h264_is_kept_instead_of_the_top_rung() {
    let plan =
        plan(&probe(vec![video(1920, 1080), audio(2, 120_000)]), &Policy::default()).unwrap();
    let video = plan.video.unwrap();
    assert_eq!(video.copy.unwrap().name, "1080p-copy");
    assert_eq!(video.rungs[0].name, "720p");
    assert_eq!(plan.sentence_zh, "直接封装 1080p，另制作 720p、480p、360p、240p 和声音");
    let names: Vec<_> = plan.audio[0].renditions.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["audio-0-copy", "audio-0-48k"]);
}

#[test]
fn what_would_play_badly_is_not_kept() {
    type Change = fn(&mut SourceTrack);
    let changes: [Change; 10] = [
        |t| t.profile = Some("High 4:4:4 Predictive".into()),
        |t| t.codec = "hevc".into(),
        |t| t.bitrate_bps = Some(41_000_000),
        |t| t.start_ms = 500,
        |t| t.duration_ms = 300_000,
        |t| t.video.as_mut().unwrap().rotation = 90,
        |t| t.video.as_mut().unwrap().pixel_format = "yuv422p".into(),
        |t| t.video.as_mut().unwrap().max_key_interval_ms = Some(10_000),
        |t| t.video.as_mut().unwrap().closed_gops = false,
        |t| t.video.as_mut().unwrap().sar = Ratio { num: 4, den: 3 },
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut track = video(1920, 1080);
        change(&mut track);
        let video = plan(&probe(vec![track]), &Policy::default()).unwrap().video.unwrap();
        assert_eq!(video.copy, None, "change {i}");
        assert_eq!(video.rungs[0].name, "1080p", "change {i}");
    }
}

#[test]
fn what_is_too_heavy_to_stay_is_played_until_the_rungs_are_made() {
    let mut track = video(1920, 1080);
    track.bitrate_bps = Some(9_000_000);
    let plan = plan(&probe(vec![track]), &Policy::default()).unwrap();
    assert_eq!(
        plan.sentence_zh,
        "先直接封装 1080p 供马上播放，另制作 1080p、720p、480p、360p、240p"
    );
    let video = plan.video.unwrap();
    assert!(video.copy.is_some_and(|copy| !copy.keep));
    assert_eq!(video.rungs[0].name, "1080p");
}

#[test]
fn rungs_that_would_save_nothing_are_left_out() {
    let made = |codec: &str, bps| {
        let mut track = video(1920, 1080);
        (track.codec, track.bitrate_bps) = (codec.into(), bps);
        let policy = Policy { copy_video: false, ..Policy::default() };
        let video = plan(&probe(vec![track]), &policy).unwrap().video.unwrap();
        (video.rungs.len(), video.left_out.join(" "))
    };
    assert_eq!(made("h264", Some(100_000)), (1, "720p 480p 360p 240p".into()));
    // 250 kbit/s at 1080p are about 136 at 720p.
    assert_eq!(made("h264", Some(250_000)), (2, "480p 360p 240p".into()));
    assert_eq!(made("av1", Some(100_000)), (2, "480p 360p 240p".into()));
    assert_eq!(made("h264", Some(2_000_000)), (5, String::new()));
    assert_eq!(made("h264", None), (5, String::new()));
}

#[test]
fn sound_is_stereo_at_most_and_quiet_sources_get_one_rendition() {
    let renditions = |track: SourceTrack| {
        let plan = plan(&probe(vec![track]), &Policy::default()).unwrap();
        let of = |r: &AudioRendition| (r.name.clone(), r.channels);
        plan.audio[0].renditions.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(
        renditions(audio(6, 384_000)),
        [("audio-0-128k".into(), 2), ("audio-0-48k".into(), 1)]
    );
    let speech = SourceTrack { codec: "amrnb".into(), ..audio(1, 12_200) };
    assert_eq!(renditions(speech), [("audio-0-48k".into(), 1)]);
}

#[test]
fn parts_cover_the_media_and_leave_no_crumb() {
    for duration_ms in [1, 999, 60_000, 60_500, 61_000, 61_001, 600_000, 7_200_123] {
        let parts = parts(duration_ms, 6_000, 60_000, 2);
        assert_eq!(parts[0].start_ms, 0);
        assert_eq!(parts.last().unwrap().end_ms, duration_ms);
        assert!(parts.windows(2).all(|w| w[0].end_ms == w[1].start_ms));
        let last = parts.last().unwrap();
        assert!(parts.len() == 1 || last.end_ms - last.start_ms > MIN_LAST_PART_MS);
    }
    let policy = Policy { part_ms: 10_000, ..Policy::default() };
    assert_eq!(whole_segments(&policy), 12_000);
}

#[test]
fn parts_grow_slowly_only_where_the_viewer_must_wait() {
    let starts = |track: SourceTrack, copy_video| {
        let source = Probe { duration_ms: 200_000, ..probe(vec![track]) };
        let plan = plan(&source, &Policy { copy_video, ..Policy::default() }).unwrap();
        plan.parts.iter().map(|part| part.start_ms).collect::<Vec<_>>()
    };
    let soon = [0, 6_000, 66_000, 126_000, 186_000];
    assert_eq!(starts(video(1920, 1080), false), [0, 6_000, 18_000, 42_000, 90_000, 150_000]);
    assert_eq!(starts(video(1920, 1080), true), soon);
    let slides = SourceTrack { bitrate_bps: Some(500_000), ..video(1920, 1080) };
    assert_eq!(starts(slides, false), soon);
    assert_eq!(starts(audio(2, 128_000), true), soon);
}

#[test]
fn refusals_have_codes_and_reasons() {
    let of = |tracks, duration_ms| {
        let probe = Probe { duration_ms, ..probe(tracks) };
        plan(&probe, &Policy::default()).unwrap_err()
    };
    let undecodable = |codec: &str| SourceTrack {
        codec: codec.into(),
        decodable: false,
        video: None,
        ..video(2, 2)
    };
    assert_eq!(of(vec![], 1_000), Refusal::NoUsableStreams);
    assert_eq!(of(vec![undecodable("vvc1")], 1_000), Refusal::UnknownCodec("vvc1".into()));
    assert_eq!(of(vec![undecodable("h264")], 1_000), Refusal::Damaged("h264".into()));
    assert_eq!(of(vec![video(640, 480)], 0), Refusal::Empty);
    assert_eq!(of(vec![video(640, 480)], 90_000_000).code(), "too_long");
    assert_eq!(of(vec![video(10_000, 9_000)], 1_000).code(), "too_large");
}

#[test]
fn other_codecs_follow_h264_in_batches_that_memory_allows() {
    let policy = Policy { codecs: vec![VideoCodec::Av1, VideoCodec::H264], ..Policy::default() };
    let plan = plan(&probe(vec![video(1920, 1080)]), &policy).unwrap();
    let video = plan.video.unwrap();
    assert_eq!(
        video.batches().iter().map(|batch| batch.join(" ")).collect::<Vec<_>>(),
        ["720p 480p 360p 240p", "1080p-av1", "720p-av1 480p-av1 360p-av1 240p-av1"]
    );
    let named = |name: &str| video.rungs.iter().find(|r| r.name == name).unwrap().clone();
    let (old, new) = (named("720p"), named("720p-av1"));
    assert_eq!((new.codec, new.width, new.height), (VideoCodec::Av1, old.width, old.height));
    assert!(new.max_bitrate_bps < old.max_bitrate_bps);
}

#[test]
fn pictures_too_small_for_an_encoder_are_h264_alone() {
    let policy = Policy { codecs: vec![VideoCodec::Hevc], copy_video: false, ..Policy::default() };
    let plan = plan(&probe(vec![video(48, 48)]), &policy).unwrap();
    assert_eq!(plan.video.unwrap().batches(), [["48p"]]);
}

#[test]
fn a_plan_crosses_the_process_border_unchanged() {
    let plan =
        plan(&probe(vec![video(1920, 1080), audio(2, 120_000)]), &Policy::default()).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn colours_that_are_open_or_reserved_are_said_by_the_size_of_the_source() {
    let colour = |width, height, said| {
        let mut track = video(width, height);
        track.video.as_mut().unwrap().colour = said;
        let plan = plan(&probe(vec![track]), &Policy { copy_video: false, ..Policy::default() });
        plan.unwrap().video.unwrap().colour
    };
    let open = Colour { primaries: 2, transfer: 2, matrix: 2, full_range: true };
    assert_eq!(colour(1920, 1080, open), Colour::BT709);
    assert_eq!(colour(720, 576, open), Colour::BT601);
    let reserved = Colour { primaries: 0, transfer: 0, matrix: 3, full_range: false };
    assert_eq!(colour(640, 360, reserved), Colour::BT601);
    let pal = Colour { primaries: 5, transfer: 6, matrix: 5, full_range: false };
    assert_eq!(colour(720, 576, pal), pal);
}
