//! Recordings joined by `cat`: time stamps begin anew, or jump by hours.

use std::fs::File;
use std::io::Write as _;
use std::process::Command;

use transcode::Policy;

use crate::fixture::path;
use crate::made::{Made, make, policy};

/// A white flash and a burst of sound in the first 0.2 s of every second.
const FLASHES: &str = "color=black:size=320x240:rate=25,\
    geq=lum='if(lt(mod(N\\,25)\\,5)\\,235\\,16)':cb=128:cr=128";
const BURSTS: &str = "aevalsrc='0.8*sin(2*PI*1000*t)*lt(mod(t\\,1)\\,0.2)':s=48000";

fn recording(name: &str, seconds: &str, rest: &[&str]) -> Vec<u8> {
    let mut arguments = vec!["-f", "lavfi", "-i", FLASHES, "-f", "lavfi", "-i", BURSTS];
    arguments.extend(["-t", seconds, "-pix_fmt", "yuv420p", "-g", "25"]);
    arguments.extend(rest);
    std::fs::read(path(name, &arguments)).unwrap()
}

fn joined(parts: &[&[u8]]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    parts.iter().for_each(|part| file.write_all(part).unwrap());
    file
}

fn encoded() -> Policy {
    Policy { copy_audio: false, copy_video: false, ..policy() }
}

/// Where, in seconds, flashes and bursts begin.
fn marks(made: &Made) -> (Vec<f64>, Vec<f64>) {
    let pictures = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(made.file("240p"))
        .args(["-r", "100", "-vf", "scale=1:1:flags=area", "-f", "rawvideo", "-pix_fmt", "gray"])
        .arg("-")
        .output()
        .unwrap();
    let sound = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(made.file("audio-0-48k"))
        .args(["-af", "aeval=abs(val(0)),asetnsamples=480", "-ac", "1", "-f", "u8", "-"])
        .output()
        .unwrap();
    let loudest: Vec<u8> =
        sound.stdout.chunks(480).map(|c| c.iter().copied().max().unwrap()).collect();
    (rises(&pictures.stdout, 128, 0), rises(&loudest, 170, 10))
}

/// Hundredths at which the level rises after at least `quiet` that were below it.
fn rises(levels: &[u8], level: u8, quiet: usize) -> Vec<f64> {
    let before = |i: usize| &levels[i.saturating_sub(quiet.max(1))..i];
    let rises = |i: &usize| levels[*i] > level && before(*i).iter().all(|&l| l <= level);
    (0..levels.len()).filter(rises).map(|i| i as f64 / 100.0).collect()
}

fn assert_in_sync(made: &Made, count: usize) {
    let (flashes, bursts) = marks(made);
    assert_eq!((flashes.len(), bursts.len()), (count, count), "{flashes:?} {bursts:?}");
    for (flash, burst) in flashes.iter().zip(&bursts) {
        assert!((flash - burst).abs() <= 0.045, "{flashes:?} {bursts:?}");
    }
    made.assert_whole("240p");
    made.assert_whole("audio-0-48k");
}

#[test]
fn joined_recordings_go_on_where_the_one_before_ended() {
    let h264 = ["-c:v", "libx264", "-bf", "2", "-preset", "veryfast", "-c:a", "aac"];
    let mpeg = ["-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-c:a", "mp2"];
    let flv = ["-c:v", "libx264", "-bf", "0", "-preset", "veryfast", "-c:a", "aac"];
    for (ending, codecs) in [("ts", &h264[..]), ("vob", &mpeg), ("flv", &flv)] {
        let first = recording(&format!("first.{ending}"), "7", codecs);
        let second = recording(&format!("second.{ending}"), "8", codecs);
        // A server that goes on writing FLV writes no second header, of 13 bytes.
        let from = if ending == "flv" { 13 } else { 0 };
        let made = make(joined(&[&first, &second[from..], &first[from..]]), &encoded());
        assert!((made.plan.duration_ms - 22_000).abs() < 250, "{ending} {}", made.plan.duration_ms);
        assert_eq!(made.probe.jumps.len(), 2, "{ending} {:?}", made.probe.jumps);
        assert_in_sync(&made, 22);
    }
}

#[test]
fn jumps_of_hours_are_closed_and_wraps_are_no_jumps() {
    let at = |name: &str, offset: &str| {
        let rest = ["-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2", "-output_ts_offset", offset];
        recording(name, "5", &rest)
    };
    let (noon, evening) = (at("noon.ts", "43200"), at("evening.ts", "75600"));
    for parts in [[&noon[..], &evening], [&evening, &noon]] {
        let made = make(joined(&parts), &encoded());
        assert!((made.plan.duration_ms - 10_000).abs() < 200, "{}", made.plan.duration_ms);
        assert_in_sync(&made, 10);
    }
    // 33 bits of 90 kHz end 2.7 s after this.
    let wrapped = make(joined(&[&at("wrap.ts", "95441")]), &encoded());
    assert_eq!(wrapped.probe.jumps, []);
    assert!((wrapped.plan.duration_ms - 5_000).abs() < 100, "{}", wrapped.plan.duration_ms);
    assert_in_sync(&wrapped, 5);
}

#[test]
fn holes_of_one_track_and_of_files_stay_holes() {
    let hole = |name: &str, filters: &[&str]| {
        let whole = ["-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2"];
        recording("whole.ts", "20", &whole);
        let from = path("whole.ts", &{
            let mut arguments = vec!["-f", "lavfi", "-i", FLASHES, "-f", "lavfi", "-i", BURSTS];
            arguments.extend(["-t", "20", "-pix_fmt", "yuv420p", "-g", "25"]);
            arguments.extend(whole);
            arguments
        });
        let mut arguments = vec!["-i", from.to_str().unwrap(), "-c", "copy"];
        arguments.extend(filters);
        File::open(path(name, &arguments)).unwrap()
    };
    let pictures = ["-bsf:v", "noise=drop='between(pts*tb\\,5\\,17)'"];
    let both = [pictures[0], pictures[1], "-bsf:a", pictures[1]];
    for (name, filters, jumps) in
        [("silent.ts", &pictures[..], 0), ("hole.ts", &both, 1), ("hole.mkv", &both, 0)]
    {
        let made = make(hole(name, filters), &encoded());
        assert_eq!(made.probe.jumps.len(), jumps, "{name}");
        let duration_ms = 20_000 - 12_000 * i64::try_from(jumps).unwrap();
        assert!(
            (made.plan.duration_ms - duration_ms).abs() < 250,
            "{name} {}",
            made.plan.duration_ms
        );
    }
}
