//! Everything made of a source, and what ffprobe says about it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use transcode::{Event, Input, Plan, Policy, Probe, Segment};

/// What was made.
pub(crate) struct Made {
    pub(crate) probe: Probe,
    pub(crate) plan: Plan,
    pub(crate) renditions: BTreeMap<String, Rendition>,
    pub(crate) out: tempfile::TempDir,
}

/// One rendition as its events told it.
#[derive(Default)]
pub(crate) struct Rendition {
    pub(crate) init: String,
    pub(crate) codecs: String,
    pub(crate) init_bytes: Vec<u8>,
    pub(crate) time_scale: u32,
    pub(crate) parts: BTreeMap<usize, (String, Vec<Segment>)>,
}

impl Rendition {
    pub(crate) fn segments(&self) -> Vec<Segment> {
        self.parts.values().flat_map(|(_, segments)| segments).copied().collect()
    }
}

/// Small parts, so that a short source has several.
pub(crate) fn policy() -> Policy {
    Policy { part_ms: 6_000, ..Policy::default() }
}

/// Makes all renditions of a source.
pub(crate) fn make(source: File, policy: &Policy) -> Made {
    let mut input = Input::open(source).unwrap();
    let probe = transcode::probe(&mut input).unwrap();
    let plan = transcode::plan(&probe, policy).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut renditions: BTreeMap<String, Rendition> = BTreeMap::new();
    let folder = out.path().to_owned();
    let mut on = |event| {
        take(&mut renditions, event, &folder);
        Ok(())
    };
    if plan.video.as_ref().is_some_and(|v| v.copy.is_some()) {
        transcode::copy_video(&mut input, &plan, out.path(), &mut on).unwrap();
    }
    if plan.video.is_some() {
        // Backwards: parts must not need each other.
        for part in (0..plan.parts.len()).rev() {
            transcode::encode_part(&mut input, &plan, part, &[], out.path(), &mut on).unwrap();
        }
    }
    transcode::encode_audio(&mut input, &plan, out.path(), &mut on).unwrap();
    Made { probe, plan, renditions, out }
}

fn take(renditions: &mut BTreeMap<String, Rendition>, event: Event, folder: &std::path::Path) {
    match event {
        Event::Init { rendition, file, codecs, time_scale, .. } => {
            let entry = renditions.entry(rendition).or_default();
            let bytes = fs::read(folder.join(&file)).unwrap();
            if !entry.init_bytes.is_empty() {
                assert_eq!(entry.init_bytes, bytes, "{file} must be the same for all parts");
            }
            (entry.init, entry.init_bytes, entry.time_scale) = (file, bytes, time_scale);
            entry.codecs = codecs;
        }
        Event::Part { rendition, index, file, segments, peak_bitrate_bps } => {
            let length = fs::metadata(folder.join(&file)).unwrap().len();
            let mut offset = 0;
            for segment in &segments {
                assert_eq!(segment.offset_bytes, offset, "{file}");
                assert!((1..=segment.length_bytes).contains(&segment.key_bytes), "{file}");
                offset += segment.length_bytes;
            }
            assert_eq!(offset, length, "{file}");
            assert!(peak_bitrate_bps > 0);
            let entry = renditions.get_mut(&rendition).expect("Init comes first");
            entry.parts.insert(index, (file, segments));
        }
        Event::Progress(share) => assert!((0.0..=1.0).contains(&share)),
    }
}

impl Made {
    pub(crate) fn rendition(&self, name: &str) -> &Rendition {
        let names: Vec<_> = self.renditions.keys().collect();
        self.renditions.get(name).unwrap_or_else(|| panic!("no {name} in {names:?}"))
    }

    /// The whole rendition as one file.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let rendition = self.rendition(name);
        let mut bytes = rendition.init_bytes.clone();
        for (file, _) in rendition.parts.values() {
            bytes.extend(fs::read(self.out.path().join(file)).unwrap());
        }
        let path = self.out.path().join(format!("{name}.mp4"));
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Presentation times of the decoded frames, in seconds.
    pub(crate) fn frames(&self, name: &str) -> Vec<f64> {
        frames(&self.file(name), if name.starts_with("audio") { "a:0" } else { "v:0" })
    }

    /// Segment starts and ends follow each other without a hole, to the end of the media.
    pub(crate) fn assert_whole(&self, name: &str) {
        let rendition = self.rendition(name);
        let segments = rendition.segments();
        for pair in segments.windows(2) {
            assert_eq!(pair[0].start_ticks + pair[0].duration_ticks, pair[1].start_ticks, "{name}");
        }
        let last = segments.last().unwrap();
        let end = (last.start_ticks + last.duration_ticks) as f64 / f64::from(rendition.time_scale);
        let duration = self.plan.duration_ms as f64 / 1000.0;
        assert!((end - duration).abs() <= 0.04, "{name} ends at {end}, not {duration}");
    }

    /// All rungs have the same segments.
    pub(crate) fn assert_aligned(&self) {
        let rungs = &self.plan.video.as_ref().unwrap().rungs;
        let times = |name: &str| -> Vec<(i64, i64)> {
            let segments = self.rendition(name).segments();
            segments.iter().map(|s| (s.start_ticks, s.duration_ticks)).collect()
        };
        for rung in rungs {
            assert_eq!(times(&rung.name), times(&rungs[0].name), "{}", rung.name);
        }
    }
}

/// Presentation times of a file's decoded frames, in seconds.
pub(crate) fn frames(path: &std::path::Path, stream: &str) -> Vec<f64> {
    let entries = "frame=best_effort_timestamp_time";
    let text = ffprobe(path, &["-select_streams", stream, "-show_entries", entries]);
    text.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect()
}

/// ffprobe's answer as CSV; it must not complain.
pub(crate) fn ffprobe(path: &std::path::Path, arguments: &[&str]) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "csv=p=0"])
        .args(arguments)
        .arg(path)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{}: {complaints}", path.display());
    String::from_utf8(output.stdout).unwrap()
}

/// Asserts that two lists of times are the same, to `tolerance` seconds.
pub(crate) fn assert_times(made: &[f64], source: &[f64], tolerance: f64) {
    assert_eq!(made.len(), source.len(), "frames:\n{made:?}\n{source:?}");
    for (made, source) in made.iter().zip(source) {
        assert!((made - source).abs() <= tolerance, "{made} instead of {source}");
    }
}
