use std::io::Write as _;
use std::process::Command;

use transcode::Policy;

use crate::fixture::{path, source};
use crate::made::{Made, ffprobe, make, policy};

fn encoded() -> Policy {
    Policy { copy_audio: false, copy_video: false, ..policy() }
}

/// The first channel of a rendition, 48,000 samples a second.
fn samples(made: &Made, name: &str) -> Vec<f32> {
    decoded(&made.file(name))
}

fn decoded(path: &std::path::Path) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"])
        .output()
        .unwrap();
    output.stdout.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

/// Where, in seconds, it first becomes loud at or after `from` seconds.
fn loud(samples: &[f32], from: f64) -> f64 {
    let start = (from * 48_000.0) as usize;
    let at = samples[start..].iter().position(|s| s.abs() > 0.1).unwrap();
    from + at as f64 / 48_000.0
}

/// A burst of 1 kHz at the start of every third second, silence else.
const BURSTS: &str = "aevalsrc='0.8*sin(2*PI*1000*t)*lt(mod(t+1\\,3)\\,0.2)|\
    0.8*sin(2*PI*1000*t)*lt(mod(t+1\\,3)\\,0.2)':s=48000:d=15";

#[test]
fn sound_stays_where_it_was_over_the_borders_of_parts() {
    for (name, codec) in [
        ("bursts.wav", "pcm_s16le"),
        ("bursts.m4a", "aac"),
        ("bursts.mp3", "libmp3lame"),
        ("bursts.webm", "libopus"),
    ] {
        let made = make(source(name, &["-f", "lavfi", "-i", BURSTS, "-c:a", codec]), &encoded());
        let parts = made.rendition("audio-0-128k").parts.len();
        assert_eq!(parts, 3, "{name}");
        for rendition in ["audio-0-128k", "audio-0-48k"] {
            made.assert_whole(rendition);
            let samples = samples(&made, rendition);
            for second in [2.0, 5.0, 8.0, 11.0, 14.0] {
                let at = loud(&samples, second - 0.5);
                assert!((at - second).abs() < 0.005, "{name} {rendition}: {at} not {second}");
            }
        }
    }
}

#[test]
fn copied_sound_is_in_time_too() {
    let made = make(source("bursts.m4a", &["-f", "lavfi", "-i", BURSTS, "-c:a", "aac"]), &policy());
    let samples = samples(&made, "audio-0-copy");
    for second in [2.0, 5.0, 8.0, 11.0, 14.0] {
        let at = loud(&samples, second - 0.5);
        assert!((at - second).abs() < 0.005, "{at} not {second}");
    }
}

#[test]
fn holes_become_silence_and_overlaps_are_cut() {
    // Packets between 4 and 9 s are left out; the rest keeps its time stamps.
    let whole = path("bursts.mka", &["-f", "lavfi", "-i", BURSTS, "-c:a", "flac"]);
    let hole = path(
        "hole.mka",
        &[
            "-i",
            whole.to_str().unwrap(),
            "-c",
            "copy",
            "-bsf:a",
            "noise=drop='between(pts*tb\\,4\\,9)'",
        ],
    );
    let made = make(std::fs::File::open(hole).unwrap(), &encoded());
    made.assert_whole("audio-0-128k");
    let samples = samples(&made, "audio-0-128k");
    for second in [2.0, 11.0, 14.0] {
        let at = loud(&samples, second - 0.5);
        assert!((at - second).abs() < 0.005, "{at} not {second}");
    }
    assert!(samples[5 * 48_000..8 * 48_000].iter().all(|s| s.abs() < 0.01));
}

#[test]
fn surround_becomes_stereo_and_mono_stays_mono() {
    let surround =
        ["-f", "lavfi", "-i", "sine=frequency=440:duration=3", "-ac", "6", "-c:a", "ac3"];
    let made = make(source("surround.ac3", &surround), &encoded());
    assert_eq!(channels(&made, "audio-0-128k"), "2");
    let mono = ["-f", "lavfi", "-i", "sine=frequency=440:duration=3", "-ac", "1", "-c:a", "flac"];
    let made = make(source("mono.flac", &mono), &encoded());
    assert_eq!(channels(&made, "audio-0-128k"), "1");
}

#[test]
fn every_language_is_kept() {
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:duration=3",
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=880:duration=2",
        "-map",
        "0",
        "-map",
        "1",
        "-c:a",
        "libvorbis",
        "-metadata:s:a:0",
        "language=chi",
        "-metadata:s:a:1",
        "language=eng",
        "-disposition:a:0",
        "0",
        "-disposition:a:1",
        "default",
    ];
    let made = make(source("two.mkv", &arguments), &encoded());
    let languages: Vec<_> = made.plan.audio.iter().map(|a| a.language.as_deref()).collect();
    assert_eq!(languages, [Some("zh"), Some("en")]);
    let defaults: Vec<bool> = made.plan.audio.iter().map(|a| a.default).collect();
    assert_eq!(defaults, [false, true]);
    // The shorter one is filled up with silence.
    for audio in &made.plan.audio {
        made.assert_whole(&audio.renditions[0].name);
    }
}

#[test]
fn video_without_sound_and_sound_without_video() {
    let silent = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=2"];
    let made = make(source("silent.mp4", &silent), &encoded());
    assert!(made.plan.audio.is_empty());
    let sound = ["-f", "lavfi", "-i", "sine=duration=2", "-c:a", "libopus"];
    let made = make(source("sound.opus", &[&sound[..], &["-f", "ogg"]].concat()), &encoded());
    assert!(made.plan.video.is_none());
    assert_eq!(made.plan.sentence_zh, "制作声音");
}

#[test]
fn false_and_missing_lengths_are_measured() {
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=25:duration=9",
        "-c:v",
        "libvpx",
        "-deadline",
        "realtime",
        "-live",
        "1",
        "-f",
        "webm",
    ];
    let made = make(source("live.webm", &arguments), &encoded());
    assert!((made.plan.duration_ms - 9_000).abs() <= 40, "{}", made.plan.duration_ms);
    let mp3 = [
        "-f",
        "lavfi",
        "-i",
        "sine=duration=20",
        "-c:a",
        "libmp3lame",
        "-q:a",
        "9",
        "-write_xing",
        "0",
    ];
    let made = make(source("vbr.mp3", &mp3), &encoded());
    assert!((made.plan.duration_ms - 20_000).abs() <= 60, "{}", made.plan.duration_ms);
}

fn channels(made: &Made, name: &str) -> String {
    ffprobe(&made.file(name), &["-show_entries", "stream=channels"]).trim().to_owned()
}

#[test]
fn a_short_last_block_is_as_long_as_it_is() {
    for (name, codec) in [("odd.wav", "pcm_s16le"), ("odd.flac", "flac")] {
        let tone = ["-f", "lavfi", "-i", "sine=sample_rate=16000:duration=4.281", "-c:a", codec];
        let made = make(source(name, &tone), &encoded());
        assert!((made.plan.duration_ms - 4_281).abs() <= 1, "{name}: {}", made.plan.duration_ms);
    }
}

/// Three seconds of a tone in all of so many channels but the effects, as WAV without a layout.
fn wave(channels: u16) -> std::fs::File {
    let frames = 48_000 * 3_u32;
    let block = channels * 2;
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(48_000_u32.to_le_bytes());
    bytes.extend((48_000 * u32::from(block)).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend(b"\x10\0data");
    bytes.extend((frames * u32::from(block)).to_le_bytes());
    for at in 0..frames {
        let value = (f64::from(at) * 0.0576).sin() * 4_000.0;
        for channel in 0..channels {
            let value = if channel == 3 { 0.0 } else { value };
            bytes.extend((value as i16).to_le_bytes());
        }
    }
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file
}

#[test]
fn any_number_of_channels_is_mixed_down() {
    for channels in [3, 9, 12, 16] {
        let made = make(wave(channels), &encoded());
        assert_eq!(made.probe.tracks[0].audio.as_ref().unwrap().channels, u32::from(channels));
        for rendition in ["audio-0-128k", "audio-0-48k"] {
            made.assert_whole(rendition);
            let samples = samples(&made, rendition);
            let loudest = samples[48_000..96_000].iter().fold(0.0_f32, |max, s| max.max(s.abs()));
            assert!((0.08..0.19).contains(&loudest), "{channels} {rendition}: {loudest}");
        }
    }
}

#[test]
fn opus_is_in_time_and_as_long_as_the_rest() {
    let policy = Policy { opus: true, ..encoded() };
    for (name, rate) in [("bursts.wav", "48000"), ("bursts-44.wav", "44100")] {
        let bursts = ["-f", "lavfi", "-i", BURSTS, "-ar", rate, "-c:a", "pcm_s16le"];
        let made = make(source(name, &bursts), &policy);
        let opus = made.rendition("audio-0-opus");
        assert_eq!((opus.codecs.as_str(), opus.time_scale, opus.parts.len()), ("opus", 48_000, 3));
        made.assert_whole("audio-0-opus");
        let facts = ["-show_entries", "stream=codec_name,channels"];
        assert_eq!(ffprobe(&made.file("audio-0-opus"), &facts).trim(), "opus,2");
        let samples = samples(&made, "audio-0-opus");
        for second in [2.0, 5.0, 8.0, 11.0, 14.0] {
            let at = loud(&samples, second - 0.5);
            assert!((at - second).abs() < 0.005, "{name}: {at} not {second}");
        }
    }
}

/// Integrated loudness (LUFS) and the true peak (dB), by the ffmpeg tool.
fn loudness(path: &std::path::Path) -> (f64, f64) {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-i"])
        .arg(path)
        .args(["-af", "ebur128=peak=true:framelog=verbose:dualmono=true", "-f", "null", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let summary = text.rsplit("Summary:").next().unwrap();
    let number = |label: &str| {
        let line = summary.lines().find(|line| line.trim().starts_with(label)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (number("I:"), number("Peak:"))
}

#[test]
fn quiet_and_loud_sound_become_equally_loud() {
    let policy = Policy { opus: true, loudness_lufs: Some(-16), ..policy() };
    let noise = "anoisesrc=c=pink:r=48000:d=8:a=0.3";
    let tone = "sine=frequency=997:sample_rate=48000:duration=8";
    for (name, sound, volume, channels) in [
        ("quiet.wav", noise, "-24dB", "2"),
        ("loud.wav", noise, "12dB", "2"),
        ("mono.wav", tone, "-12dB", "1"),
    ] {
        let sound = format!("{sound},volume={volume}");
        let arguments = ["-f", "lavfi", "-i", &sound, "-ac", channels, "-c:a", "pcm_f32le"];
        let made = make(source(name, &arguments), &policy);
        for rendition in ["audio-0-128k", "audio-0-opus"] {
            let (integrated, peak) = loudness(&made.file(rendition));
            assert!((integrated + 16.0).abs() < 1.0, "{name} {rendition}: {integrated} LUFS");
            assert!(peak < 0.0, "{name} {rendition}: {peak} dB");
        }
    }
}

#[test]
fn peaks_limit_how_loud_sound_becomes() {
    // Quiet, with a click near full scale every second.
    let clicks =
        "aevalsrc=0.02*sin(2*PI*440*t)+0.9*sin(2*PI*1000*t)*lt(mod(t\\,1)\\,0.002):s=48000:d=8";
    let policy = Policy { loudness_lufs: Some(-10), ..policy() };
    let made = make(source("clicks.wav", &["-f", "lavfi", "-i", clicks]), &policy);
    let (integrated, peak) = loudness(&made.file("audio-0-128k"));
    assert!(integrated < -20.0 && peak < 1.0, "{integrated} LUFS, {peak} dB");
}

#[test]
fn sound_that_fits_is_copied_only_if_it_is_as_loud_as_wanted() {
    let noise = "anoisesrc=c=pink:r=48000:d=8:a=0.1";
    let arguments = ["-f", "lavfi", "-i", noise, "-ac", "2", "-c:a", "aac", "-b:a", "96k"];
    let path = path("pink.m4a", &arguments);
    let (own, _) = loudness(&path);
    let made = |lufs: i32| {
        let policy = Policy { loudness_lufs: Some(lufs), ..policy() };
        make(std::fs::File::open(&path).unwrap(), &policy)
    };
    #[expect(clippy::cast_possible_truncation, reason = "some LUFS")]
    let near = own.round() as i32;
    let copied = made(near);
    let packets = ["-show_entries", "packet=size"];
    let sizes = |path: &std::path::Path| ffprobe(path, &packets);
    let own_sizes = sizes(&path);
    let kept = sizes(&copied.file("audio-0-main"));
    assert!(own_sizes.contains(kept.lines().nth(9).unwrap()), "the source's own packets");
    assert!((loudness(&copied.file("audio-0-main")).0 - own).abs() < 0.2);
    let louder = made(near + 6);
    let (integrated, _) = loudness(&louder.file("audio-0-main"));
    assert!((integrated - f64::from(near + 6)).abs() < 1.0, "{integrated} LUFS");
}
