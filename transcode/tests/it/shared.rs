//! Every real file that lies beside the repository, when there are any.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use transcode::{Event, Input, Policy, Refusal};

const FOLDERS: [&str; 5] = ["video", "lecture", "odd", "audio", "derived"];

/// Files of which nothing can be made, and why.
const REFUSED: [(&str, &str); 5] = [
    ("nostreams.mp4", "no_usable_streams"),
    ("invalid-bitstream.webm", "damaged"),
    ("large_stbl_truncated_after_moov.m4b", "damaged"),
    ("sample_vvc.mp4", "unknown_codec"),
    ("sample_malformed_free_box.mp4", "unusable"),
];

fn files() -> Vec<PathBuf> {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/media");
    let list = |folder: &&str| fs::read_dir(media.join(folder)).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = FOLDERS.iter().flat_map(list).map(|entry| entry.path()).collect();
    let text = ["pdf", "srt", "txt", "vtt"];
    files.retain(|file| file.extension().is_none_or(|e| !text.iter().any(|t| e == *t)));
    files.sort();
    files
}

/// `Ok` with the number of segments of the first part, or the code of the refusal.
fn first_part(file: &Path) -> Result<usize, String> {
    let unusable = |error: transcode::Error| match error {
        transcode::Error::Unusable { .. } => "unusable".to_owned(),
        error => panic!("{}: {error:?}", file.display()),
    };
    let mut input = Input::open(File::open(file).unwrap()).map_err(unusable)?;
    let probe = transcode::probe(&mut input).map_err(unusable)?;
    let mut plan = transcode::plan(&probe, &Policy::default())
        .map_err(|refusal: Refusal| refusal.code().to_owned())?;
    // The smallest rung shows as much as all of them, in less time.
    if let Some(video) = &mut plan.video {
        video.rungs = video.rungs.split_off(video.rungs.len().saturating_sub(1));
    }
    plan.duration_ms = plan.duration_ms.min(12_000);
    plan.parts.truncate(1);
    plan.parts[0].end_ms = plan.duration_ms;
    let out = tempfile::tempdir().unwrap();
    let mut segments = 0;
    let mut on = |event| {
        if let Event::Part { segments: made, .. } = event {
            segments += made.len();
        }
        Ok(())
    };
    if plan.video.is_some() {
        transcode::encode_part(&mut input, &plan, 0, &[], out.path(), &mut on).unwrap();
    }
    if plan.video.as_ref().is_some_and(|video| video.copy.is_some()) {
        transcode::copy_video(&mut input, &plan, out.path(), &mut on).unwrap();
    }
    plan.audio.truncate(1);
    transcode::encode_audio(&mut input, &plan, out.path(), &mut on).unwrap();
    transcode::extract_subtitles(&mut input, &plan).unwrap();
    Ok(segments)
}

#[test]
fn every_real_file_is_played_or_refused_with_a_reason() {
    for file in files() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let refused = REFUSED.iter().find(|(refused, _)| *refused == name);
        match (first_part(&file), refused) {
            (Ok(segments), None) => assert!(segments > 0, "{name}"),
            (Err(code), Some((_, expected))) => assert_eq!(code, *expected, "{name}"),
            (Ok(_), Some(_)) => panic!("{name} was not refused"),
            (Err(code), None) => panic!("{name} was refused: {code}"),
        }
    }
}

/// (track, presentation time, decode time, size) of the first packets.
fn first_packets(input: &mut Input, count: usize) -> Vec<(usize, Option<i64>, Option<i64>, usize)> {
    let mut packet = ffmpeg_next::Packet::empty();
    let mut next = || {
        packet.read(input.context_mut()).ok()?;
        Some((packet.stream(), packet.pts(), packet.dts(), packet.size()))
    };
    std::iter::from_fn(&mut next).take(count).collect()
}

#[test]
fn going_back_finds_the_first_packet_again() {
    let made = crate::fixture::path(
        "late-sound.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=160x120:r=25",
            "-f",
            "lavfi",
            "-itsoffset",
            "0.4",
            "-i",
            "sine",
            "-t",
            "4",
            "-c:v",
            "libx264",
            "-bf",
            "2",
            "-c:a",
            "aac",
        ],
    );
    for file in files().into_iter().chain([made]) {
        let Ok(mut input) = Input::open(File::open(&file).unwrap()) else { continue };
        let fresh = first_packets(&mut input, 60);
        for more in [0, 7, 5_000] {
            first_packets(&mut input, more);
            input.rewind().unwrap();
            assert_eq!(first_packets(&mut input, 60), fresh, "{}", file.display());
        }
    }
}
