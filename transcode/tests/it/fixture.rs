//! Sources made by the `ffmpeg` tool, kept under the target folder.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

/// A source made with these arguments of `ffmpeg`; the name's ending says the container.
pub(crate) fn source(name: &str, arguments: &[&str]) -> File {
    File::open(path(name, arguments)).unwrap()
}

/// The same, as a path.
pub(crate) fn path(name: &str, arguments: &[&str]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sources");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let recipe = folder.join(format!("{name}.recipe"));
    let wanted = arguments.join(" ");
    let made = |path: &PathBuf| fs::metadata(path).and_then(|m| m.modified()).ok();
    let inputs = arguments.iter().filter_map(|argument| made(&PathBuf::from(argument)));
    let same = fs::read_to_string(&recipe).is_ok_and(|old| old == wanted);
    if same && made(&path).is_some_and(|at| inputs.max().is_none_or(|input| input <= at)) {
        return path;
    }
    let half = folder.join(format!("{}-{name}", std::process::id()));
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(&half)
        .status()
        .unwrap();
    assert!(status.success(), "ffmpeg {wanted}");
    fs::rename(half, &path).unwrap();
    fs::write(recipe, wanted).unwrap();
    path
}

/// Video and a tone: `video` is a lavfi source, `seconds` long.
pub(crate) fn clip(name: &str, video: &str, seconds: u32, rest: &[&str]) -> File {
    let seconds = seconds.to_string();
    let mut arguments = vec!["-f", "lavfi", "-i", video, "-f", "lavfi", "-i"];
    arguments.extend(["sine=frequency=440:sample_rate=48000", "-t", &seconds]);
    arguments.extend(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
    arguments.extend(["-c:a", "aac", "-b:a", "96k"]);
    arguments.extend(rest);
    source(name, &arguments)
}
