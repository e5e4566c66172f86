//! What this process and its files take.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Memory: the most so far, and what it has of its own now.
pub(crate) fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = |line: &&str| line.starts_with("VmHWM") || line.starts_with("RssAnon");
    let lines = status.lines().filter(wanted).map(|line| line.replace('\t', " "));
    lines.collect::<Vec<_>>().join(", ")
}

/// Bytes of the files of a folder.
pub(crate) fn size(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

/// How long each of `count` runs took, the shortest first.
pub(crate) fn times(count: usize, mut run: impl FnMut(usize)) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..count)
        .map(|number| {
            let begin = Instant::now();
            run(number);
            begin.elapsed()
        })
        .collect();
    times.sort();
    times
}

/// The one at `percent` of `times`, which are sorted.
pub(crate) fn at(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() - 1) * percent / 100]
}
