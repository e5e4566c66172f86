//! Slides inside videos.

use std::fs::File;
use std::path::Path;

use transcode::{Input, Policy, Slide};

use crate::fixture;

fn slides(source: File) -> Vec<Slide> {
    let mut input = Input::open(source).unwrap();
    let probe = transcode::probe(&mut input).unwrap();
    let plan = transcode::plan(&probe, &Policy::default()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let found = transcode::slides(&mut input, &plan, out.path(), &mut |_| Ok(())).unwrap();
    for slide in &found {
        let picture = File::open(out.path().join(&slide.file)).unwrap();
        let picture = transcode::picture::decode(picture).unwrap();
        assert_eq!((picture.width, picture.height), (slide.width, slide.height));
    }
    found
}

fn times(source: File) -> Vec<(i64, i64)> {
    slides(source).iter().map(|slide| (slide.start_ms, slide.end_ms)).collect()
}

/// Pages of bars, each for some seconds, as `drawbox` filters.
fn pages(seconds: &[u32]) -> String {
    let mut filters = Vec::new();
    let mut begin = 0;
    for (page, long) in seconds.iter().enumerate() {
        for line in 0..5 {
            let (x, y) = (20 + page * 17 + line * 11 % 40, 20 + line * 28);
            for bar in 0..12 {
                filters.push(format!(
                    "drawbox=x={}:y={y}:w=4:h=10:color=black:t=fill:enable='between(t,{begin},{})'",
                    x + bar * 12,
                    f64::from(begin + long) - 0.001
                ));
            }
        }
        begin += long;
    }
    filters.join(",")
}

#[test]
fn the_slides_of_a_lecture_are_found_where_they_change() {
    let drawn = pages(&[7, 5, 9]);
    // Key frames are rare and do not fall on the changes.
    let rest = ["-c:v", "libx264", "-g", "200", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-vf"];
    let rest = [&rest[..], &[&drawn]].concat();
    let clip = fixture::clip("slides.mp4", "color=white:s=320x180:r=10", 21, &rest);
    assert_eq!(times(clip), [(0, 7_000), (7_000, 12_000), (12_000, 21_000)]);
}

#[test]
fn a_film_has_no_slides() {
    let rest = ["-c:v", "libx264", "-g", "50", "-pix_fmt", "yuv420p"];
    let clip = fixture::clip("no-slides.mp4", "testsrc2=s=320x180:r=25", 20, &rest);
    assert_eq!(times(clip), []);
}

#[test]
fn real_lectures_have_slides_and_real_films_have_none() {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/media");
    let expected = [
        ("lecture/slides-444-1fps.mp4", 2),
        ("lecture/scene-change-mjpeg.mov", 2),
        // One slide, with another one for a second.
        ("lecture/slides-sar4x3.mov", 0),
        ("lecture/slides-vfr-640x480.mov", 0),
        ("lecture/speech-720p-42s.mp4", 0),
        ("lecture/camera-720p60.mts", 0),
        // Black for two hours.
        ("derived/slides-2h.mp4", 0),
        ("video/car-detection-768x432.mp4", 0),
        ("video/corridor-768x432-10fps-139s.mp4", 0),
        ("video/tears-of-steel-800x332-vp8.webm", 0),
        ("video/nasa-multistream.mp4", 0),
    ];
    for (name, count) in expected {
        let Ok(file) = File::open(media.join(name)) else { continue };
        assert_eq!(slides(file).len(), count, "{name}");
    }
}
