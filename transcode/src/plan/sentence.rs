//! What will be done, in a sentence for the author.

use super::{CopyPlan, Plan, VideoCodec};

pub(super) fn chinese(plan: &Plan) -> String {
    let mut made: Vec<String> = match copied(plan) {
        Some((copy, true)) => vec![format!("直接封装 {copy}")],
        Some((copy, false)) => vec![format!("先直接封装 {copy} 供马上播放")],
        None => Vec::new(),
    };
    let rungs = names(plan, VideoCodec::H264, "、");
    let again = if made.is_empty() { "" } else { "另" };
    match (rungs.is_empty(), plan.audio.is_empty()) {
        (true, true) => {}
        (true, false) => made.push(format!("{again}制作声音")),
        (false, true) => made.push(format!("{again}制作 {rungs}")),
        (false, false) => made.push(format!("{again}制作 {rungs} 和声音")),
    }
    made.extend(others(plan, "、").map(|(codec, rungs)| format!("以 {codec} 制作 {rungs}")));
    let left_out = left_out(plan, "、");
    if !left_out.is_empty() {
        made.push(format!("{left_out} 省不了流量，不制作"));
    }
    made.join("，")
}

pub(super) fn english(plan: &Plan) -> String {
    let mut made: Vec<String> = match copied(plan) {
        Some((copy, true)) => vec![format!("package {copy} as it is")],
        Some((copy, false)) => vec![format!("package {copy} as it is to be played at once")],
        None => Vec::new(),
    };
    let rungs = names(plan, VideoCodec::H264, ", ");
    match (rungs.is_empty(), plan.audio.is_empty()) {
        (true, true) => {}
        (true, false) => made.push("make the sound".into()),
        (false, true) => made.push(format!("make {rungs}")),
        (false, false) => made.push(format!("make {rungs} and the sound")),
    }
    made.extend(others(plan, ", ").map(|(codec, rungs)| format!("make {rungs} as {codec}")));
    let left_out = left_out(plan, ", ");
    if !left_out.is_empty() {
        made.push(format!("leave out {left_out}, which would save no bits"));
    }
    made.join(", ")
}

/// Each other codec with its rungs.
fn others<'a>(
    plan: &'a Plan,
    between: &'a str,
) -> impl Iterator<Item = (&'static str, String)> + 'a {
    [(VideoCodec::Hevc, "HEVC"), (VideoCodec::Av1, "AV1")]
        .into_iter()
        .map(move |(codec, name)| (name, names(plan, codec, between)))
        .filter(|(_, rungs)| !rungs.is_empty())
}

fn names(plan: &Plan, codec: VideoCodec, between: &str) -> String {
    let rungs = plan.video.iter().flat_map(|v| &v.rungs).filter(|r| r.codec == codec);
    let names = rungs.map(|rung| rung.name.split('-').next().unwrap_or_default());
    names.collect::<Vec<_>>().join(between)
}

fn left_out(plan: &Plan, between: &str) -> String {
    plan.video.as_ref().map(|video| video.left_out.join(between)).unwrap_or_default()
}

/// What is copied, and whether it stays.
fn copied(plan: &Plan) -> Option<(&str, bool)> {
    let CopyPlan { name, keep, .. } = plan.video.as_ref()?.copy.as_ref()?;
    Some((name.strip_suffix("-copy").unwrap_or(name), *keep))
}
