use std::process::Command;

use transcode::{Event, Hdr, Input, Policy, RungPolicy};

use crate::fixture::{clip, path, source};
use crate::made::{assert_times, ffprobe, frames, make, policy};

fn encoded() -> Policy {
    Policy { copy_video: false, ..policy() }
}

#[test]
fn every_frame_is_shown_once_and_when_it_was() {
    let rest = ["-bf", "2", "-g", "40", "-preset", "veryfast"];
    let made =
        make(clip("even.mp4", "testsrc2=size=640x480:rate=30000/1001", 20, &rest), &encoded());
    assert_eq!(made.plan.parts.len(), 4);
    let expected: Vec<f64> = (0..599).map(|i| f64::from(i) * 1001.0 / 30_000.0).collect();
    for rung in ["480p", "360p", "240p"] {
        assert_times(&made.frames(rung)[..599], &expected, 0.000_1);
        made.assert_whole(rung);
    }
    made.assert_aligned();
    let starts: Vec<i64> =
        made.rendition("480p").segments().iter().map(|s| s.start_ticks / 90_000).collect();
    assert_eq!(starts, [0, 6, 12, 18]);
}

#[test]
fn frames_keep_their_order_inside_and_between_parts() {
    // Quality is not the question here.
    let fine = RungPolicy { height: 240, max_bitrate_bps: 20_000_000 };
    // Each frame's brightness says its number.
    let video = "color=black:size=320x240:rate=25,geq=lum='16+mod(N*37,211)':cb=128:cr=128";
    let rest = ["-bf", "3", "-g", "60", "-preset", "veryfast", "-qp", "4"];
    let policy = Policy { crf: 4.0, rungs: vec![fine], ..encoded() };
    let made = make(clip("counted.mp4", video, 14, &rest), &policy);
    let times = made.frames("240p");
    assert_eq!(times.len(), 350);
    assert_shows(&made.file("240p"), &times, |time| 16 + (time * 25.0).round() as usize * 37 % 211);
}

#[test]
fn sound_and_picture_begin_together() {
    let made = make(
        clip(
            "even.mp4",
            "testsrc2=size=640x480:rate=30000/1001",
            20,
            &["-bf", "2", "-g", "40", "-preset", "veryfast"],
        ),
        &encoded(),
    );
    assert!(made.frames("480p")[0].abs() < 0.001);
    assert!(made.frames("audio-0-48k")[0].abs() < 0.001);
}

#[test]
fn variable_frame_rates_stay_variable() {
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=30:duration=20",
        "-vf",
        "select='not(mod(n\\,7))+lt(n\\,60)+between(n\\,200\\,260)'",
        "-vsync",
        "vfr",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
    ];
    let path = path("vfr.mkv", &arguments);
    let made = make(std::fs::File::open(&path).unwrap(), &encoded());
    assert!(made.probe.best_video().unwrap().video.as_ref().unwrap().variable_frame_rate);
    assert_times(&made.frames("240p"), &frames(&path, "v:0"), 0.001);
    made.assert_whole("240p");
    made.assert_aligned();
}

#[test]
fn slides_have_a_frame_in_every_segment() {
    // One slide of 25 s: a frame, and nothing else.
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
    let made = make(source("slides.mkv", &arguments), &encoded());
    let segments = made.rendition("240p").segments();
    assert_eq!(segments.len() as i64, (made.plan.duration_ms + 4_999) / 6_000);
    assert!(segments.iter().all(|s| s.duration_ticks <= 7 * 90_000));
    made.assert_whole("240p");
}

#[test]
fn phones_held_upright_are_shown_upright() {
    // Left half white, right half black, turned by 90 degrees: white on top.
    let still = path(
        "white-left.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=white:size=320x240:rate=10:duration=2,drawbox=x=160:w=160:h=240:color=black:t=fill",
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let turned = path(
        "turned.mp4",
        &["-i", still.to_str().unwrap(), "-c", "copy", "-metadata:s:v:0", "rotate=270"],
    );
    let made = make(std::fs::File::open(turned).unwrap(), &encoded());
    let facts = made.probe.best_video().unwrap().video.clone().unwrap();
    assert_eq!((facts.rotation, facts.width, facts.height), (90, 240, 320));
    assert_eq!(size(&made.file("240p")), "240,320");
    let pixels = gray(&made.file("240p"), "2x2");
    assert!(pixels[0] > 200 && pixels[1] > 200 && pixels[2] < 50 && pixels[3] < 50, "{pixels:?}");
}

#[test]
fn odd_sizes_and_odd_pixels_become_even_and_square() {
    let odd = ["-f", "lavfi", "-i", "testsrc2=size=321x241:rate=10:duration=1", "-c:v", "ffv1"];
    let made = make(source("odd.mkv", &odd), &encoded());
    assert_eq!(size(&made.file("240p")), "320,240");
    let wide = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=720x576:rate=25:duration=1",
        "-vf",
        "setsar=64/45",
        "-c:v",
        "mpeg2video",
        "-q:v",
        "3",
    ];
    let made = make(source("wide.ts", &wide), &encoded());
    assert_eq!(size(&made.file("576p")), "1024,576");
}

#[test]
fn interlaced_video_becomes_progressive() {
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=720x576:rate=50:duration=2",
        "-vf",
        "tinterlace=interleave_top,setfield=tff",
        "-c:v",
        "mpeg2video",
        "-flags",
        "+ildct+ilme",
        "-q:v",
        "3",
    ];
    let made = make(source("interlaced.ts", &arguments), &encoded());
    assert!(made.plan.video.as_ref().unwrap().deinterlace);
    let file = made.file("576p");
    let orders = ffprobe(&file, &["-select_streams", "v:0", "-show_entries", "stream=field_order"]);
    assert_eq!(orders.trim(), "progressive");
    assert_eq!(frames(&file, "v:0").len(), 50);
}

#[test]
fn high_dynamic_range_comes_down_to_bt709() {
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=640x360:rate=10:duration=1",
        "-pix_fmt",
        "yuv420p10le",
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
    ];
    let made = make(source("hdr.mp4", &arguments), &encoded());
    assert_eq!(made.plan.video.as_ref().unwrap().tone_map, Hdr::Pq);
    let entries = "stream=pix_fmt,color_space,color_transfer,color_primaries";
    let facts = ffprobe(&made.file("360p"), &["-show_entries", entries]);
    assert_eq!(facts.trim(), "yuv420p,bt709,bt709,bt709");
}

#[test]
fn high_dynamic_range_of_the_whole_range_is_converted_once() {
    let made = |name: &str, range: &str, x265: &str| {
        let video = format!(
            "gradients=size=640x360:rate=10:duration=1:c0=black:c1=white:nb_colors=2:seed=1:speed=0.00001,\
             format=gbrp10,scale=out_color_matrix=bt2020:out_range={range},format=yuv420p10le"
        );
        let mut arguments = vec!["-f", "lavfi", "-i", &video, "-c:v", "libx265"];
        let params = format!(
            "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range={x265}"
        );
        arguments.extend(["-color_range", range, "-x265-params", &params]);
        let made = make(source(name, &arguments), &encoded());
        gray(&made.file("360p"), "8x8")
    };
    let (limited, full) = (made("limited.mp4", "tv", "limited"), made("full.mp4", "pc", "full"));
    assert!(limited.iter().max() > limited.iter().min().map(|min| min + 50).as_ref());
    assert!(limited.iter().zip(&full).all(|(a, b)| a.abs_diff(*b) < 4), "{limited:?} {full:?}");
}

#[test]
fn more_than_sixty_frames_a_second_become_sixty() {
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=120:duration=2",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
    ];
    let made = make(source("fast.mp4", &arguments), &encoded());
    let expected: Vec<f64> = (0..120).map(|i| f64::from(i) / 60.0).collect();
    assert_times(&made.frames("240p"), &expected, 0.001);
}

#[test]
fn containers_without_time_stamps_are_cut_without_loss() {
    let avi = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=25:duration=14",
        "-c:v",
        "mpeg4",
        "-bf",
        "2",
        "-q:v",
        "3",
    ];
    let raw = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=25:duration=14",
        "-c:v",
        "libx264",
        "-bf",
        "0",
        "-f",
        "h264",
    ];
    for (name, arguments) in [("times.avi", &avi[..]), ("raw.h264", &raw)] {
        let made = make(source(name, arguments), &encoded());
        let count = made.frames("240p").len();
        assert!((348..=351).contains(&count), "{name}: {count} frames");
        made.assert_whole("240p");
    }
}

#[test]
fn the_caller_can_stop_the_work() {
    let source = clip(
        "even.mp4",
        "testsrc2=size=640x480:rate=30000/1001",
        20,
        &["-bf", "2", "-g", "40", "-preset", "veryfast"],
    );
    let mut input = Input::open(source).unwrap();
    let probe = transcode::probe(&mut input).unwrap();
    let plan = transcode::plan(&probe, &encoded()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut on = |event| match event {
        Event::Progress(_) => Err(transcode::Error::Stopped { reason: "lease lost".into() }),
        _ => Ok(()),
    };
    let answer = transcode::encode_part(&mut input, &plan, 0, &[], out.path(), &mut on);
    assert!(matches!(answer, Err(transcode::Error::Stopped { .. })), "{answer:?}");
}

fn size(path: &std::path::Path) -> String {
    let entries = ["-select_streams", "v:0", "-show_entries", "stream=width,height"];
    ffprobe(path, &entries).trim().to_owned()
}

/// The first frame, shrunk, in gray.
fn gray(path: &std::path::Path, size: &str) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-frames:v", "1", "-vf", &format!("scale={}:flags=area", size.replace('x', ":"))])
        .args(["-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    output.stdout
}

#[test]
fn one_frame_a_second_with_b_frames_is_shown_to_its_end() {
    // Decoding begins two frames, here two seconds, before the first one is shown.
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=1:duration=30",
        "-c:v",
        "libx264",
        "-bf",
        "2",
        "-x264-params",
        "b-pyramid=normal:b-adapt=0:scenecut=0",
    ];
    let made = make(source("slow.mp4", &arguments), &encoded());
    assert_eq!(made.plan.duration_ms, 30_000);
    let expected: Vec<f64> = (0..30).map(f64::from).collect();
    assert_times(&made.frames("240p"), &expected, 0.001);
}

#[test]
fn slides_change_when_the_source_does_and_cost_what_they_show() {
    // A page of another brightness every 37 frames, which is on no border of a segment.
    let video = "color=black:size=320x240:rate=25,\
                 geq=lum='16+mod(floor(N/37)*61,211)':cb=128:cr=128";
    let rest = ["-bf", "2", "-g", "50", "-preset", "veryfast"];
    let made = make(clip("slides.mp4", video, 20, &rest), &encoded());
    assert_eq!(made.plan.parts.len(), 4);
    let times = made.frames("240p");
    let pages = (0..=13).map(|page| f64::from(page) * 1.48);
    let mut expected: Vec<f64> = pages.chain((0..10).map(|key| f64::from(key * 2))).collect();
    expected.sort_by(f64::total_cmp);
    expected.dedup();
    assert_times(&times, &expected, 0.000_1);
    assert_shows(&made.file("240p"), &times, |time| 16 + (time / 1.48 + 0.01) as usize * 61 % 211);
    let starts: Vec<i64> =
        made.rendition("240p").segments().iter().map(|s| s.start_ticks / 90_000).collect();
    assert_eq!(starts, [0, 6, 12, 18]);
    made.assert_whole("240p");
}

/// Compares the brightness of each frame with what is expected at its time.
fn assert_shows(file: &std::path::Path, times: &[f64], expected: impl Fn(f64) -> usize) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-vsync", "passthrough", "-vf", "extractplanes=y", "-pix_fmt", "gray"])
        .args(["-f", "rawvideo", "-"])
        .output()
        .unwrap();
    let frames: Vec<&[u8]> = output.stdout.chunks(320 * 240).collect();
    assert_eq!(frames.len(), times.len());
    for (frame, &time) in frames.iter().zip(times) {
        let middle = usize::from(frame[120 * 320 + 160]);
        assert!(middle.abs_diff(expected(time)) < 10, "at {time} {middle} is shown");
    }
}
