//! Parts begin in the middle of the source: they must show what decoding from its start shows.

use std::fs::File;
use std::io::Write as _;
use std::process::Command;

use transcode::Policy;

use crate::fixture::{path, source};
use crate::made::{Made, assert_times, make};

const MOVING: &str = "testsrc2=size=320x240:rate=25:duration=8,hue=h=t*40:b=sin(t)";

/// Recipe, and whether its parts can be sought.
/// Groups of 13 and 47 frames, so that parts of 25 frames begin anywhere in them.
const SOURCES: [(&str, &[&str]); 9] = [
    (
        "refresh.mkv",
        &[X264[0], X264[1], X264[2], X264[3], X264[4], "intra-refresh=1:keyint=47:bframes=0"],
    ),
    ("open.mp4", &[X264[0], X264[1], X264[2], X264[3], X264[4], OPEN]),
    ("open.ts", &[X264[0], X264[1], X264[2], X264[3], X264[4], OPEN]),
    ("open2.mkv", &["-c:v", "mpeg2video", "-bf", "2", "-q:v", "3", "-g", "13"]),
    ("mpeg4.avi", &["-c:v", "mpeg4", "-bf", "2", "-q:v", "3", "-g", "47"]),
    ("mjpeg.avi", &["-c:v", "mjpeg", "-q:v", "3"]),
    ("disc.vob", &["-c:v", "mpeg2video", "-bf", "2", "-q:v", "3", "-g", "13"]),
    ("raw.h264", &["-c:v", "libx264", "-bf", "2", "-g", "47"]),
    ("home.dv", &["-vf", "scale=720:576,setsar=16/15", "-r", "25", "-c:v", "dvvideo"]),
];

const X264: [&str; 5] = ["-c:v", "libx264", "-preset", "veryfast", "-x264-params"];
const OPEN: &str = "open-gop=1:keyint=13:scenecut=0:bframes=3";

fn policy(part_ms: i64) -> Policy {
    let rungs = Policy::default().rungs.into_iter().filter(|r| r.height == 240).collect();
    Policy {
        rungs,
        copy_video: false,
        part_ms,
        segment_ms: 1_000,
        gop_ms: 1_000,
        ..Policy::default()
    }
}

/// Each frame in 16 by 12 gray pixels.
fn frames(made: &Made) -> Vec<Vec<u8>> {
    let name = &made.plan.video.as_ref().unwrap().rungs[0].name;
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(made.file(name))
        .args(["-vsync", "passthrough", "-vf", "scale=16:12:flags=area,format=gray"])
        .args(["-f", "rawvideo", "-"])
        .output()
        .unwrap();
    output.stdout.chunks(192).map(<[u8]>::to_vec).collect()
}

fn assert_alike(name: &str, source: impl Fn() -> File) {
    let (whole, parts) = (make(source(), &policy(60_000)), make(source(), &policy(1_000)));
    assert!(parts.plan.parts.len() > 6, "{name}");
    let rung = &whole.plan.video.as_ref().unwrap().rungs[0].name;
    assert_times(&parts.frames(rung), &whole.frames(rung), 0.001);
    for (number, (whole, part)) in frames(&whole).iter().zip(&frames(&parts)).enumerate() {
        let alike = whole.iter().zip(part).all(|(a, b)| a.abs_diff(*b) <= 8);
        assert!(alike, "{name}: frame {number}\n{whole:?}\n{part:?}");
    }
}

fn assert_all_alike(sources: &[(&str, &[&str])]) {
    for (name, codec) in sources {
        let input = ["-f", "lavfi", "-i", MOVING, "-pix_fmt", "yuv420p"];
        assert_alike(name, || source(name, &[&input[..], codec].concat()));
    }
}

#[test]
fn parts_show_what_the_whole_shows_in_groups_that_are_open() {
    assert_all_alike(&SOURCES[..4]);
}

#[test]
fn parts_show_what_the_whole_shows_in_avi() {
    assert_all_alike(&SOURCES[4..6]);
}

#[test]
fn parts_show_what_the_whole_shows_in_streams() {
    assert_all_alike(&SOURCES[6..]);
}

fn assert_landmarks(name: &str) {
    let codec = ["-c:v", "mpeg2video", "-bf", "2", "-q:v", "3", "-g", "13"];
    let input = ["-f", "lavfi", "-i", MOVING, "-pix_fmt", "yuv420p"];
    let one = std::fs::read(path(name, &[&input[..], &codec].concat())).unwrap();
    let joined = || {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&one).unwrap();
        file.write_all(&one).unwrap();
        file
    };
    let mut input = transcode::Input::open(joined()).unwrap();
    let probe = transcode::probe(&mut input).unwrap();
    assert_eq!(probe.landmarks.len(), 2, "one in ten seconds");
    assert_alike(name, joined);
}

#[test]
fn parts_of_joined_transport_streams_begin_at_landmarks() {
    assert_landmarks("join.ts");
}

#[test]
fn parts_of_joined_program_streams_begin_at_landmarks() {
    assert_landmarks("join.vob");
}
