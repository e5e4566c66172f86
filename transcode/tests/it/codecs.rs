use transcode::{Policy, RungPolicy, VideoCodec};

use crate::fixture::{clip, path, source};
use crate::made::{Made, assert_times, ffprobe, make, policy};

fn all_codecs() -> Policy {
    let rung = |height, max_bitrate_bps| RungPolicy { height, max_bitrate_bps };
    Policy {
        copy_video: false,
        codecs: vec![VideoCodec::Hevc, VideoCodec::Av1],
        rungs: vec![rung(360, 860_000), rung(240, 400_000)],
        ..policy()
    }
}

fn stream(made: &Made, name: &str) -> String {
    let entries = ["-select_streams", "v:0", "-show_entries"];
    let facts = "stream=codec_name,codec_tag_string,width,height,pix_fmt,color_space";
    ffprobe(&made.file(name), &[&entries[..], &[facts]].concat()).trim().to_owned()
}

/// Presentation times of the packets that are sync samples.
fn keys(made: &Made, name: &str) -> Vec<f64> {
    let entries = ["-select_streams", "v:0", "-show_entries", "packet=pts_time,flags"];
    let text = ffprobe(&made.file(name), &entries);
    let keys = text.lines().filter(|line| line.contains(",K"));
    keys.map(|line| line.split(',').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn other_codecs_show_the_same_frames_at_the_same_times() {
    let rest = ["-bf", "2", "-g", "40", "-preset", "veryfast"];
    let source = clip("even-13.mp4", "testsrc2=size=480x360:rate=30000/1001", 13, &rest);
    let made = make(source, &all_codecs());
    let expected = made.frames("360p");
    assert!(expected.len() >= 389);
    for (name, facts) in [
        ("360p-hevc", "hevc,hvc1,480,360,yuv420p,smpte170m"),
        ("360p-av1", "av1,av01,480,360,yuv420p,smpte170m"),
        ("240p-av1", "av1,av01,320,240,yuv420p,smpte170m"),
    ] {
        assert_eq!(stream(&made, name), facts);
        assert_times(&made.frames(name), &expected, 0.000_1);
        made.assert_whole(name);
    }
    made.assert_aligned();
    assert_eq!(keys(&made, "360p-hevc"), keys(&made, "360p"));
    let starts = keys(&made, "360p-av1");
    let segments = made.rendition("360p").segments();
    let expected: Vec<f64> = segments.iter().map(|s| s.start_ticks as f64 / 90_000.0).collect();
    assert_times(&starts, &expected, 0.000_1);
}

#[test]
fn what_they_are_is_said_as_manifests_want_it() {
    let rest = ["-bf", "2", "-g", "40", "-preset", "veryfast"];
    let source = clip("short-30.mp4", "testsrc2=size=640x480:rate=30", 2, &rest);
    let made = make(source, &all_codecs());
    let said = |name: &str| made.rendition(name).codecs.clone();
    assert_eq!(said("360p-hevc"), "hvc1.1.6.L63.90");
    assert_eq!(said("360p-av1"), "av01.0.01M.08.0.110.06.06.06.0");
    let plan = made.plan.sentence_en.as_str();
    assert_eq!(
        plan,
        "make 360p, 240p and the sound, make 360p, 240p as HEVC, make 360p, 240p as AV1"
    );
}

#[test]
fn slides_come_when_they_come_in_every_codec() {
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=1/13:duration=26",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
    ];
    let made = make(source("slides.mkv", &arguments), &all_codecs());
    let expected = made.frames("240p");
    for name in ["240p-hevc", "240p-av1"] {
        assert_times(&made.frames(name), &expected, 0.000_1);
        made.assert_whole(name);
    }
    made.assert_aligned();
}

#[test]
fn the_top_rung_is_made_in_other_codecs_though_h264_is_copied() {
    let rest = ["-bf", "0", "-g", "50", "-preset", "veryfast"];
    let kept = clip("kept.mp4", "testsrc2=size=320x240:rate=25", 4, &rest);
    let policy = Policy { copy_video: true, codecs: vec![VideoCodec::Av1], ..all_codecs() };
    let made = make(kept, &policy);
    assert!(made.renditions.contains_key("240p-copy"));
    assert_times(&made.frames("240p-av1"), &made.frames("240p-copy"), 0.000_1);
}

#[test]
fn only_the_rungs_that_are_named_are_made() {
    let even = path(
        "named.mp4",
        &["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=2", "-pix_fmt", "yuv420p"],
    );
    let mut input = transcode::Input::open(std::fs::File::open(even).unwrap()).unwrap();
    let probe = transcode::probe(&mut input).unwrap();
    let plan = transcode::plan(&probe, &all_codecs()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut make = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        transcode::encode_part(&mut input, &plan, 0, &names, out.path(), &mut |_| Ok(()))
    };
    make(&["240p-hevc", "360p"]).unwrap();
    let files = |ending: &str| out.path().join(ending).exists();
    assert!(files("240p-hevc-00000.m4s") && files("360p-00000.m4s"));
    assert!(!files("360p-hevc-00000.m4s") && !files("240p-00000.m4s"));
    assert!(matches!(make(&["999p"]), Err(transcode::Error::Plan { .. })));
}
