use std::io::{Read as _, Write as _};

use transcode::Policy;

use crate::fixture::{clip, path, source};
use crate::made::{assert_times, frames, make, policy};

#[test]
fn a_copy_shows_the_same_frames_at_the_same_times() {
    // B-frames give an edit list; key frames every two seconds.
    let rest = ["-bf", "3", "-g", "50", "-preset", "veryfast", "-flags", "+cgop"];
    let made = make(clip("copied.mp4", "testsrc2=size=640x480:rate=25", 20, &rest), &policy());
    assert_eq!(made.plan.video.as_ref().unwrap().copy.as_ref().unwrap().name, "480p-copy");
    let expected: Vec<f64> = (0..500).map(|i| f64::from(i) / 25.0).collect();
    assert_times(&made.frames("480p-copy"), &expected, 0.000_1);
    assert_times(&made.frames("360p"), &expected, 0.000_1);
    made.assert_whole("480p-copy");
    let parts: Vec<usize> = made.rendition("480p-copy").parts.keys().copied().collect();
    assert_eq!(parts, [0, 1, 2, 3]);
}

/// What was read is let go: memory does not grow with the source.
#[test]
fn a_copy_holds_no_packets() {
    let rest = ["-vf", "noise=alls=60:allf=t", "-g", "50"];
    let source = clip("noise.mp4", "testsrc2=size=640x480:rate=25", 20, &rest);
    let bytes = source.metadata().unwrap().len();
    let mut input = transcode::Input::open(source).unwrap();
    let probe = transcode::probe(&mut input).unwrap();
    let policy = Policy { max_preview_bitrate_bps: i64::MAX, ..policy() };
    let plan = transcode::plan(&probe, &policy).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut copy =
        || transcode::copy_video(&mut input, &plan, out.path(), &mut |_| Ok(())).unwrap();
    copy();
    let before = resident_bytes();
    (0..10).for_each(|_| copy());
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < bytes * 3, "{grown} bytes more after 10 times {bytes}");
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Damaged sources have packets long after what was measured as their end.
#[test]
fn a_copy_ends_with_the_presentation() {
    let rest = ["-bf", "3", "-g", "50", "-preset", "veryfast", "-flags", "+cgop"];
    let source = clip("copied.mp4", "testsrc2=size=640x480:rate=25", 20, &rest);
    let mut input = transcode::Input::open(source).unwrap();
    let mut probe = transcode::probe(&mut input).unwrap();
    probe.duration_ms = 9_000;
    let plan = transcode::plan(&probe, &policy()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut ends = std::collections::BTreeMap::new();
    let mut on = |event| {
        if let transcode::Event::Part { rendition, segments, .. } = event {
            let last = segments.last().unwrap();
            ends.insert(rendition, last.start_ticks + last.duration_ticks);
        }
        Ok(())
    };
    transcode::copy_video(&mut input, &plan, out.path(), &mut on).unwrap();
    transcode::encode_audio(&mut input, &plan, out.path(), &mut on).unwrap();
    let end = |name: &str, scale: i64| ends[name] as f64 / scale as f64;
    assert!((9.0..=9.1).contains(&end("480p-copy", 90_000)), "{ends:?}");
    assert!((9.0..=9.13).contains(&end("audio-0-copy", 48_000)), "{ends:?}");
}

#[test]
fn open_groups_of_pictures_and_long_ones_are_not_copied() {
    let video = "testsrc2=size=640x480:rate=25";
    let open =
        ["-bf", "3", "-preset", "veryfast", "-x264-params", "open-gop=1:keyint=50:scenecut=0"];
    let long = ["-bf", "3", "-preset", "veryfast", "-x264-params", "keyint=400:scenecut=0"];
    for (name, rest) in [("open.mkv", open), ("long.mp4", long)] {
        let made = make(clip(name, video, 20, &rest), &policy());
        assert_eq!(made.plan.video.as_ref().unwrap().copy, None, "{name}");
        assert_eq!(made.frames("480p").len(), 500, "{name}");
        made.assert_whole("480p");
    }
}

/// In MP4 the index calls every I picture a key frame; only the packets tell which are.
#[test]
fn a_copy_that_cannot_be_cut_is_given_up() {
    let options =
        ["-bf", "3", "-preset", "veryfast", "-x264-params", "open-gop=1:keyint=50:scenecut=0"];
    let source = clip("open.mp4", "testsrc2=size=640x480:rate=25", 20, &options);
    let mut input = transcode::Input::open(source).unwrap();
    let plan = transcode::plan(&transcode::probe(&mut input).unwrap(), &policy()).unwrap();
    if plan.video.as_ref().unwrap().copy.is_none() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let copied = transcode::copy_video(&mut input, &plan, out.path(), &mut |_| Ok(()));
    assert!(matches!(copied, Err(transcode::Error::Unusable { .. })), "{copied:?}");
}

#[test]
fn an_edit_list_that_hides_frames_is_kept_by_encoding() {
    let whole = path(
        "edit-whole.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x240:rate=25:duration=8",
            "-c:v",
            "libx264",
            "-g",
            "250",
        ],
    );
    // Cut at 3 s by copying: the frames before it stay in the file, hidden.
    let cut = path("edit-cut.mp4", &["-ss", "3", "-i", whole.to_str().unwrap(), "-c", "copy"]);
    let made = make(std::fs::File::open(&cut).unwrap(), &policy());
    let video = made.plan.video.as_ref().unwrap();
    assert_eq!(video.copy, None);
    let shown = frames(&cut, "v:0").len();
    assert!((124..=126).contains(&shown), "{shown}");
    assert_eq!(made.frames("240p").len(), shown);
}

#[test]
fn copied_sound_has_every_frame_and_starts_in_time() {
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:sample_rate=44100:duration=14",
        "-c:a",
        "aac",
        "-b:a",
        "96k",
        "-ac",
        "2",
    ];
    let made = make(source("tone.m4a", &arguments), &policy());
    let names: Vec<&str> = made.renditions.keys().map(String::as_str).collect();
    assert_eq!(names, ["audio-0-48k", "audio-0-copy"]);
    for name in names {
        made.assert_whole(name);
        assert!(made.frames(name)[0].abs() < 0.005, "{name}");
    }
    let made = make(source("tone.m4a", &arguments), &Policy { copy_audio: false, ..policy() });
    assert!(made.renditions.contains_key("audio-0-128k"));
}

#[test]
fn a_file_that_is_cut_off_is_copied_up_to_the_cut() {
    let rest = ["-bf", "3", "-g", "50", "-preset", "veryfast", "-movflags", "+faststart"];
    let whole = {
        let mut bytes = Vec::new();
        let mut file = clip("faststart.mp4", "testsrc2=size=640x480:rate=25", 12, &rest);
        file.read_to_end(&mut bytes).unwrap();
        bytes
    };
    for share in [61, 73] {
        // The last packet is not whole: of it, nothing is left to be copied.
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&whole[..whole.len() * share / 100]).unwrap();
        let made = make(file, &policy());
        let encoded = made.frames("360p");
        assert!(encoded.len() > 100, "{}", encoded.len());
        made.assert_whole("480p-copy");
        let copied = made.frames("480p-copy");
        assert!(copied.len().abs_diff(encoded.len()) <= 3, "{} {}", copied.len(), encoded.len());
        assert!(!made.frames("audio-0-copy").is_empty());
    }
}

/// Parameter sets and headers lie within the streams; both are taken apart.
#[test]
fn transport_streams_that_fit_are_copied() {
    let video = "testsrc2=size=640x480:rate=25";
    let rest = ["-bf", "3", "-g", "50", "-preset", "veryfast", "-flags", "+cgop", "-ac", "2"];
    let ts = path("fits.ts", &{
        let mut arguments = vec!["-f", "lavfi", "-i", video, "-f", "lavfi", "-i"];
        arguments.extend(["sine=frequency=440:sample_rate=48000", "-t", "14", "-c:v", "libx264"]);
        arguments.extend(["-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k"]);
        arguments.extend(rest);
        arguments
    });
    let made = make(std::fs::File::open(&ts).unwrap(), &policy());
    let shift = frames(&ts, "v:0")[0] - made.frames("480p-copy")[0];
    let source: Vec<f64> = frames(&ts, "v:0").iter().map(|time| time - shift).collect();
    assert_times(&made.frames("480p-copy"), &source, 0.000_1);
    assert_times(&made.frames("360p"), &source, 0.000_1);
    made.assert_whole("480p-copy");
    made.assert_whole("audio-0-copy");
    let heard = frames(&made.file("audio-0-copy"), "a:0").len();
    assert!(frames(&ts, "a:0").len().abs_diff(heard) <= 1, "{heard}");
}

#[test]
fn raw_aac_is_copied() {
    let tone = ["-f", "lavfi", "-i", "sine=sample_rate=44100:duration=8", "-ac", "2"];
    let rest = ["-c:a", "aac", "-b:a", "96k"];
    let made = make(source("tone.aac", &[&tone[..], &rest].concat()), &policy());
    made.assert_whole("audio-0-copy");
    assert!(made.frames("audio-0-copy").len() >= 344);
}
