use std::io::Write as _;

use transcode::{Input, Policy, plan, probe};

use crate::fixture::{clip, path};

fn subtitles_source() -> std::fs::File {
    let mut srt = tempfile::Builder::new().suffix(".srt").tempfile().unwrap();
    srt.write_all("1\n00:00:01,000 --> 00:00:02,500\n今天我们学习<b>黄海渔民</b>的\n编网技艺\n\n2\n00:00:03,000 --> 00:00:04,000\n第二句\n".as_bytes()).unwrap();
    let stable = std::env::temp_dir().join("duoku-transcode-subtitles.srt");
    std::fs::copy(srt.path(), &stable).unwrap();
    let made = path(
        "subtitled.mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x240:rate=25:duration=6",
            "-i",
            stable.to_str().unwrap(),
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "1",
            "-c:v",
            "libx264",
            "-c:s:0",
            "subrip",
            "-c:s:1",
            "ass",
            "-metadata:s:s:0",
            "language=chi",
            "-disposition:s:1",
            "forced",
        ],
    );
    std::fs::File::open(made).unwrap()
}

#[test]
fn text_comes_out_plain_whatever_it_was_written_in() {
    let mut input = Input::open(subtitles_source()).unwrap();
    let probe = probe(&mut input).unwrap();
    let plan = plan(&probe, &Policy::default()).unwrap();
    let tracks = transcode::extract_subtitles(&mut input, &plan).unwrap();
    assert_eq!(tracks.len(), 2);
    assert_eq!(tracks[0].language.as_deref(), Some("zh"));
    assert!(tracks[1].forced && !tracks[0].forced);
    for track in &tracks {
        let cues: Vec<_> =
            track.cues.iter().map(|c| (c.start_ms, c.end_ms, c.text.as_str())).collect();
        assert_eq!(
            cues,
            [(1_000, 2_500, "今天我们学习黄海渔民的\n编网技艺"), (3_000, 4_000, "第二句")]
        );
    }
}

/// Matroska's `S_TEXT/WEBVTT`, as mkvmerge writes it and FFmpeg 5.1 neither writes nor reads.
#[test]
fn webvtt_in_matroska_is_read() {
    let made = path(
        "webvtt-d.mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x240:rate=25:duration=6",
            "-f",
            "srt",
            "-i",
            "data:text/plain;base64,MQowMDowMDowMSwwMDAgLS0+IDAwOjAwOjAyLDUwMArnvJbnvZEKCg==",
            "-c:v",
            "libx264",
            "-c:s",
            "webvtt",
        ],
    );
    let mut bytes = std::fs::read(made).unwrap();
    let (from, to) = (&b"D_WEBVTT/SUBTITLES"[..], &b"S_TEXT/WEBVTT\xec\x83\0\0\0"[..]);
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    // CodecID (0x86): 13 bytes now, the rest a Void element.
    assert_eq!(bytes[at - 2..at], [0x86, 0x92]);
    bytes[at - 1] = 0x8d;
    bytes[at..at + to.len()].copy_from_slice(to);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let mut input = Input::open(file).unwrap();
    let probe = probe(&mut input).unwrap();
    let plan = plan(&probe, &Policy::default()).unwrap();
    let [track] = &transcode::extract_subtitles(&mut input, &plan).unwrap()[..] else {
        panic!("{:?}", plan.subtitles)
    };
    let cues: Vec<_> = track.cues.iter().map(|c| (c.start_ms, c.end_ms, c.text.as_str())).collect();
    assert_eq!(cues, [(1_000, 2_500, "编网")]);
}

#[test]
fn posters_are_not_black_and_the_storyboard_covers_everything() {
    let video = "color=black:size=640x360:rate=10:duration=12[b];testsrc2=size=640x360:rate=10:duration=12[t];[b][t]concat";
    let source = clip("dark.mp4", video, 24, &["-g", "20"]);
    let mut input = Input::open(source).unwrap();
    let probe = probe(&mut input).unwrap();
    let plan = plan(&probe, &Policy::default()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut told = 0;
    let mut on = |_| {
        told += 1;
        Ok(())
    };
    let stills = transcode::stills(&mut input, &plan, out.path(), &mut on).unwrap();
    assert!(told > 0, "the caller sees that it works");
    assert_eq!(stills.posters.len(), 3);
    assert!(stills.posters.iter().all(|p| p.time_ms >= 12_000), "{:?}", stills.posters);
    assert_eq!((stills.posters[0].width, stills.posters[0].height), (640, 360));
    let [sprite] = &stills.storyboard[..] else { panic!("{:?}", stills.storyboard) };
    assert_eq!((sprite.count, sprite.columns, sprite.rows), (12, 10, 2));
    assert_eq!((sprite.tile_width, sprite.tile_height, sprite.interval_ms), (160, 90, 2_000));
    let size = crate::made::ffprobe(
        &out.path().join(&sprite.file),
        &["-show_entries", "stream=width,height"],
    );
    assert_eq!(size.trim(), "1600,180");
}

#[test]
fn a_cover_is_the_poster_of_a_song() {
    let art = path("art.png", &["-f", "lavfi", "-i", "testsrc2=size=400x300", "-frames:v", "1"]);
    let song = path(
        "song.mp3",
        &[
            "-f",
            "lavfi",
            "-i",
            "sine=duration=2",
            "-i",
            art.to_str().unwrap(),
            "-map",
            "0",
            "-map",
            "1",
            "-c:v",
            "mjpeg",
            "-disposition:v",
            "attached_pic",
        ],
    );
    let mut input = Input::open(std::fs::File::open(song).unwrap()).unwrap();
    let probe = probe(&mut input).unwrap();
    let plan = plan(&probe, &Policy::default()).unwrap();
    assert!(plan.video.is_none(), "a cover is no video");
    let out = tempfile::tempdir().unwrap();
    let stills = transcode::stills(&mut input, &plan, out.path(), &mut |_| Ok(())).unwrap();
    assert_eq!((stills.posters[0].width, stills.posters[0].height), (400, 300));
    assert!(out.path().join(&stills.posters[0].file).exists());
}

#[test]
fn damage_anywhere_is_survived() {
    let whole = std::fs::read(path(
        "even-for-damage.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x240:rate=25:duration=8",
            "-movflags",
            "+faststart",
        ],
    ))
    .unwrap();
    for (i, stride) in [(0_usize, 97_usize), (1, 1_009), (2, 20_011)] {
        let mut bytes = whole.clone();
        let from = if i == 0 { 3_000 } else { 40 };
        for at in (from..bytes.len()).step_by(stride) {
            bytes[at] ^= 0x55;
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        // Any answer will do but a panic or a hang.
        let Ok(mut input) = Input::open(file) else { continue };
        let Ok(probe) = probe(&mut input) else { continue };
        let Ok(plan) = plan(&probe, &Policy::default()) else { continue };
        let out = tempfile::tempdir().unwrap();
        let mut on = |_| Ok(());
        for part in 0..plan.parts.len() {
            let _ = transcode::encode_part(&mut input, &plan, part, &[], out.path(), &mut on);
        }
        let _ = transcode::stills(&mut input, &plan, out.path(), &mut |_| Ok(()));
    }
}

/// One colour, whatever way it was written: JPEG has a way of its own.
#[test]
fn posters_have_the_colours_of_the_video() {
    let tagged = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"];
    for (name, size, matrix, tags) in [
        ("hd.mp4", "1280x720", "bt709", &tagged[..]),
        // Says nothing: taken for BT.709 by its size, as players do.
        ("hd-untagged.mp4", "1280x720", "bt709", &[]),
        ("sd-untagged.mp4", "320x240", "bt601", &[]),
        ("hd-full.mp4", "1280x720", "bt709", &["-colorspace", "bt709", "-color_range", "pc"]),
    ] {
        let range = if name.contains("full") { "pc" } else { "tv" };
        let video = format!(
            "color=0x20C040:size={size}:rate=10:duration=4,format=gbrp,\
             scale=out_color_matrix={matrix}:out_range={range},format=yuv420p"
        );
        let mut arguments = vec!["-f", "lavfi", "-i", &video, "-c:v", "libx264", "-crf", "10"];
        arguments.extend(tags);
        let mut input = Input::open(std::fs::File::open(path(name, &arguments)).unwrap()).unwrap();
        let plan = plan(&probe(&mut input).unwrap(), &Policy::default()).unwrap();
        let out = tempfile::tempdir().unwrap();
        let stills = transcode::stills(&mut input, &plan, out.path(), &mut |_| Ok(())).unwrap();
        let (poster, sprite) = (&stills.posters[0].file, &stills.storyboard[0].file);
        for file in [poster, sprite] {
            let jpeg = std::fs::File::open(out.path().join(file)).unwrap();
            let picture = transcode::picture::decode(jpeg).unwrap();
            let near =
                picture.rgb[..3].iter().zip([0x20, 0xc0, 0x40]).all(|(a, b)| a.abs_diff(b) < 7);
            assert!(near, "{name} {file}: {:?}", &picture.rgb[..3]);
        }
    }
}
