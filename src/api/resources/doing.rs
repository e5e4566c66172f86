//! What the pipeline does with a resource, in sentences.

use serde::Deserialize;

use super::super::problem::ApiError;
use super::super::sentences::sentence;
use crate::app::App;
use crate::catalogue::Resource;
use crate::db;
use crate::db::jobs::{JobState, Lane};
use crate::ingest::{disk, progress};
use crate::pages::Lang;

/// What is made of a video or sound, as its plan says it.
pub(in crate::api) fn plan_of(lang: Lang, resource: &Resource) -> Option<String> {
    #[derive(Deserialize)]
    struct Sentences {
        sentence_zh: String,
        sentence_en: String,
    }
    let plan: Sentences = serde_json::from_str(resource.plan.as_deref()?).ok()?;
    Some(lang.pick(&plan.sentence_zh, &plan.sentence_en).to_owned())
}

/// What the pipeline does with a resource now.
pub(in crate::api) struct Doing {
    /// As a sentence, with why it waits and how long it will take.
    pub says: String,
    /// How long it will take, in round milliseconds.
    pub remaining_ms: Option<i64>,
}

/// What the pipeline does now, and why it waits when it waits.
pub(in crate::api) async fn doing(
    app: &App,
    lang: Lang,
    resource: &Resource,
) -> Result<Doing, ApiError> {
    let mut db = app.db.read().await?;
    let jobs = db::jobs::list(&mut db, resource.id).await?;
    let now_ms = app.now_ms();
    if let Some(says) = waits(&mut db, lang, &jobs, now_ms).await? {
        return Ok(Doing { says, remaining_ms: None });
    }
    let says = match jobs.iter().find(|job| job.state == "running") {
        Some(job) => sentence(lang, &job.kind, ""),
        None => match db::jobs::count_ahead(&mut db, resource.id).await? {
            0 => sentence(lang, "waiting", ""),
            ahead => lang
                .pick("排队中，前面还有 {} 个资源", "Waiting behind {} others")
                .replace("{}", &ahead.to_string()),
        },
    };
    let begun = jobs.iter().any(|job| job.begun_ms.is_some() && job.lane != Lane::Look.as_str());
    let remaining_ms = if begun {
        let ahead = db::jobs::ahead(&mut db, resource.id).await?;
        progress::remaining_ms(&jobs, &ahead, now_ms)
    } else {
        None
    };
    let says = match remaining_ms {
        Some(ms) => format!("{says}{}{}", lang.pick("，", ", "), time_left(lang, ms)),
        None => says,
    };
    Ok(Doing { says, remaining_ms })
}

/// Why none of the jobs runs, when it is not their turn that they wait for.
async fn waits(
    db: &mut sqlx::AnyConnection,
    lang: Lang,
    jobs: &[JobState],
    now_ms: i64,
) -> Result<Option<String>, ApiError> {
    if jobs.iter().any(|job| job.state == "running") {
        return Ok(None);
    }
    let queued = || jobs.iter().filter(|job| job.state == "queued");
    if queued().any(|job| disk::is_needed(&job.lane)) && disk::makes_wait(db, now_ms).await? {
        return Ok(Some(sentence(lang, "disk_short", "")));
    }
    let again = queued().find(|job| job.attempts > 0 && job.run_at_ms > now_ms);
    Ok(again.map(|job| {
        let seconds = (job.run_at_ms - now_ms) / 1000;
        lang.pick("上次没有成功，{} 秒后重试", "The last attempt failed; again in {} s")
            .replace("{}", &seconds.to_string())
    }))
}

/// `约还需 3 分钟`
fn time_left(lang: Lang, ms: i64) -> String {
    let (seconds, minutes, hours) = (ms / 1000, ms / 60_000, ms / 3_600_000);
    let (zh, en) = match (hours, minutes % 60) {
        _ if seconds < 60 => (format!("{seconds} 秒"), format!("{seconds} seconds")),
        (0, 1) => ("1 分钟".into(), "1 minute".into()),
        (0, minutes) => (format!("{minutes} 分钟"), format!("{minutes} minutes")),
        (1, 0) => ("1 小时".into(), "1 hour".into()),
        (hours, 0) => (format!("{hours} 小时"), format!("{hours} hours")),
        (hours, rest) => (format!("{hours} 小时 {rest} 分钟"), format!("{hours} h {rest} min")),
    };
    lang.pick("约还需 {zh}", "about {en} left").replace("{zh}", &zh).replace("{en}", &en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_said_as_people_say_it() {
        for (ms, zh, en) in [
            (10_000, "约还需 10 秒", "about 10 seconds left"),
            (60_000, "约还需 1 分钟", "about 1 minute left"),
            (180_000, "约还需 3 分钟", "about 3 minutes left"),
            (3_600_000, "约还需 1 小时", "about 1 hour left"),
            (8_100_000, "约还需 2 小时 15 分钟", "about 2 h 15 min left"),
            (25_200_000, "约还需 7 小时", "about 7 hours left"),
        ] {
            assert_eq!(time_left(Lang::Zh, ms), zh);
            assert_eq!(time_left(Lang::En, ms), en);
        }
    }
}
