//! What will be done, in a sentence for the author.

use super::Plan;

pub(super) fn chinese(plan: &Plan) -> String {
    let rungs = names(plan, "、");
    let copy = copied(plan);
    let sound = sound(plan);
    match (copy, rungs.is_empty(), sound) {
        (Some(copy), true, false) => format!("直接封装 {copy}"),
        (Some(copy), true, true) => format!("直接封装 {copy}，另制作声音"),
        (Some(copy), false, false) => format!("直接封装 {copy}，另制作 {rungs}"),
        (Some(copy), false, true) => format!("直接封装 {copy}，另制作 {rungs} 和声音"),
        (None, false, false) => format!("制作 {rungs}"),
        (None, false, true) => format!("制作 {rungs} 和声音"),
        (None, true, _) => "制作声音".to_owned(),
    }
}

pub(super) fn english(plan: &Plan) -> String {
    let rungs = names(plan, ", ");
    let sound = sound(plan);
    match (copied(plan), rungs.is_empty(), sound) {
        (Some(copy), true, false) => format!("package {copy} as it is"),
        (Some(copy), true, true) => format!("package {copy} as it is, make the sound"),
        (Some(copy), false, false) => format!("package {copy} as it is, make {rungs}"),
        (Some(copy), false, true) => {
            format!("package {copy} as it is, make {rungs} and the sound")
        }
        (None, false, false) => format!("make {rungs}"),
        (None, false, true) => format!("make {rungs} and the sound"),
        (None, true, _) => "make the sound".to_owned(),
    }
}

fn names(plan: &Plan, between: &str) -> String {
    let rungs = plan.video.iter().flat_map(|v| &v.rungs);
    rungs.map(|r| r.name.as_str()).collect::<Vec<_>>().join(between)
}

fn copied(plan: &Plan) -> Option<&str> {
    let copy = plan.video.as_ref()?.copy.as_ref()?;
    Some(copy.name.strip_suffix("-copy").unwrap_or(&copy.name))
}

fn sound(plan: &Plan) -> bool {
    !plan.audio.is_empty()
}
