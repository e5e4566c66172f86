//! Subtitles that are pictures, drawn into the frames.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use transcode::{PictureSubtitles, Policy};

use crate::fixture::path;
use crate::made::{Made, make, policy};

/// A real file that lies beside the repository, if it does.
fn real(name: &str) -> Option<PathBuf> {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/media/odd");
    Some(media.join(name)).filter(|file| file.exists())
}

/// Times, in tenths of a second, of the frames that show something.
fn shown(made: &Made) -> Vec<usize> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(made.file(&made.plan.video.as_ref().unwrap().rungs[0].name))
        .args(["-vf", "fps=10:round=down,scale=64:32:flags=area,format=gray"])
        .args(["-f", "rawvideo", "-"])
        .output()
        .unwrap();
    let frames = output.stdout.chunks(64 * 32).enumerate();
    frames.filter(|(_, frame)| frame.iter().any(|&level| level > 60)).map(|(i, _)| i).collect()
}

/// They are there from 5.4 to 6.64 s, over the border of two parts, and at no other time.
#[test]
fn subtitles_of_pictures_are_drawn_into_every_part() {
    for (from, name, codec) in [
        ("sample_with_pgs_subtitles.mkv", "pgs.mkv", "copy"),
        ("sample_with_vobsub.mkv", "vobsub.mkv", "copy"),
        ("sample_with_vobsub.mkv", "dvb.ts", "dvbsub"),
    ] {
        let Some(from) = real(from) else { continue };
        let black = "color=black:size=426x240:rate=25:duration=13";
        let mut arguments = vec!["-f", "lavfi", "-i", black, "-itsoffset", "5.4", "-i"];
        arguments.extend([from.to_str().unwrap(), "-map", "0", "-map", "1:s", "-c:s", codec]);
        arguments.extend(["-c:v", "libx264", "-preset", "ultrafast", "-g", "25"]);
        arguments.extend(["-pix_fmt", "yuv420p"]);
        let source = path(name, &arguments);
        let policy = Policy { picture_subtitles: PictureSubtitles::Burn, ..policy() };
        let burnt = make(File::open(&source).unwrap(), &policy);
        let video = burnt.plan.video.as_ref().unwrap();
        assert!(video.burn.is_some() && video.copy.is_none(), "{name}");
        let times = shown(&burnt);
        assert!(times.contains(&56) && times.contains(&62), "{name}: {times:?}");
        assert!(times.iter().all(|time| (53..=67).contains(time)), "{name}: {times:?}");
        let skipped = transcode::plan(&burnt.probe, &Policy::default()).unwrap();
        assert_eq!(skipped.video.unwrap().burn, None, "{name}");
    }
}
