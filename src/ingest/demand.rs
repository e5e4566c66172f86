//! Rungs that come and go: made when somebody first plays the resource, dropped when nobody does.
//!
//! A rung that is not made at once has a row in the state `absent`. It is made by the same jobs as
//! at first, behind all first-time work, while the resource stays as it is.

use transcode::{Plan, Rung, VideoCodec, VideoPlan};

use super::{Error, probe};
use crate::app::App;
use crate::catalogue::{ResourceId, Stage};
use crate::config::Config;
use crate::db;
use crate::deliver::Delivery;

/// Behind all parts of what is not ready yet.
const PRIORITY: i64 = 100_000;

/// How long making more of a resource is not tried again after it failed.
const FAILED_PAUSE_MS: i64 = DAY_MS;

const DAY_MS: i64 = 24 * 3_600_000;

/// Resources that are looked at together.
const BATCH: i64 = 200;

/// Whether only some rungs are made before somebody plays the resource.
fn is_on(config: &Config) -> bool {
    config.media.on_demand
}

/// The rungs that are made at once, largest first.
///
/// On demand: beside a copy of the source one for small screens and slow lines; without a copy
/// the top one, which shows all that was uploaded, and those that always stay.
pub(super) fn at_once<'a>(config: &Config, video: &'a VideoPlan) -> Vec<&'a Rung> {
    if !is_on(config) {
        return video.rungs.iter().collect();
    }
    let copied = is_copied(video);
    let wanted = |at: usize, rung: &Rung| {
        rung.codec != VideoCodec::H264
            || rung.name == handy(video)
            || (!copied && (at == 0 || stays(video, rung)))
    };
    let rungs = video.rungs.iter().enumerate();
    rungs.filter(|(at, rung)| wanted(*at, rung)).map(|(_, rung)| rung).collect()
}

/// Whether a rung is never dropped: the handy one, and the smallest, which is the first to be
/// played, before any other is made, and which every line carries.
pub(super) fn stays(video: &VideoPlan, rung: &Rung) -> bool {
    rung.codec != VideoCodec::H264
        || rung.name == handy(video)
        || basic(video).next_back().is_some_and(|last| last.name == rung.name)
}

/// The rungs that every player plays; those of other codecs are made beside them, and stay.
fn basic(video: &VideoPlan) -> impl DoubleEndedIterator<Item = &Rung> {
    video.rungs.iter().filter(|rung| rung.codec == VideoCodec::H264)
}

/// The rung that nearly every screen and line can do with. A copy serves those that have more, so
/// that a cheap one is enough beside it.
fn handy(video: &VideoPlan) -> &str {
    let short = |rung: &Rung| rung.width.min(rung.height);
    let found = if is_copied(video) {
        basic(video).rfind(|rung| short(rung) >= 360).or(basic(video).next_back())
    } else {
        basic(video).min_by_key(|rung| short(rung).abs_diff(480))
    };
    found.map_or("", |rung| &rung.name)
}

fn is_copied(video: &VideoPlan) -> bool {
    video.copy.as_ref().is_some_and(|copy| copy.keep)
}

/// Somebody plays a resource: the rungs that it lacks are made. Nobody waits for that.
pub fn played(app: &App, delivery: &Delivery) {
    let id = delivery.resource.id;
    // Segments may be answered by caches between us and the player; what it chooses from is not.
    if let Some(lasting) = delivery.renditions.iter().find(|rendition| !rendition.spare) {
        app.asked.note(lasting.id, app.now_ms());
    }
    let wanted = delivery.wants_more && delivery.resource.stage == Stage::Published;
    if !wanted || !app.asked.is_first(id) {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        match make_more(&app, id).await {
            Ok(false) => {}
            Ok(true) => app.asked.forget(id),
            Err(error) => {
                tracing::warn!(resource = %id, %error, "cannot have more made");
                app.asked.forget(id);
            }
        }
    });
}

/// Pushes the jobs for what is absent, once whoever asks, and offers again what was dropped and is
/// still there. False when there was nothing to do, or when it failed not long ago.
///
/// # Errors
///
/// Those of the database.
pub async fn make_more(app: &App, id: ResourceId) -> Result<bool, Error> {
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let resource = db::resources::get_locked(&mut tx, id).await?;
    let (Stage::Published, Some(plan)) = (resource.stage, &resource.plan) else {
        return Ok(false);
    };
    let back = db::renditions::take_back(&mut tx, id, now_ms).await?;
    let failed_ms = now_ms - FAILED_PAUSE_MS;
    let rungs = db::renditions::begin_absent(&mut tx, id, failed_ms, now_ms).await?;
    if !rungs.is_empty() {
        let plan: Plan = serde_json::from_str(plan)?;
        for part in &plan.parts {
            let job = probe::encode_job(&plan, part, rungs.clone(), PRIORITY);
            db::jobs::push(&mut tx, id, &job, now_ms).await?;
        }
    }
    if rungs.is_empty() && back == 0 {
        return Ok(false);
    }
    tx.commit().await?;
    tracing::info!(resource = %id, ?rungs, back, "made because it is played");
    app.announce(id);
    app.job_pushed.notify_waiters();
    Ok(true)
}

/// Takes out of the manifests what nobody has watched for as long as the settings say.
///
/// That is asked of the whole resource: what one rung of it lacks would be made again with the
/// next play of any other.
///
/// # Errors
///
/// Those of the database.
pub async fn drop_unwatched(app: &App) -> Result<(), Error> {
    let days = app.config.media.drop_after_days;
    if days == 0 {
        return Ok(());
    }
    loop {
        let now_ms = app.now_ms();
        let before_ms = now_ms - days * DAY_MS;
        let found =
            db::renditions::list_unwatched(&mut *app.db.read().await?, before_ms, BATCH).await?;
        for id in &found {
            let mut tx = app.db.begin().await?;
            db::resources::get_locked(&mut tx, *id).await?;
            let count = db::renditions::drop_unwatched(&mut tx, *id, before_ms, now_ms).await?;
            tx.commit().await?;
            app.announce(*id);
            tracing::info!(resource = %id, count, "dropped what nobody watches");
        }
        if found.len() < BATCH as usize {
            return Ok(());
        }
    }
}

/// Writes down what was asked for since the last time.
pub(super) async fn write_down(app: &App) {
    let asked = app.asked.take();
    let written = async {
        let mut tx = app.db.begin().await?;
        for (id, asked_ms) in &asked {
            db::renditions::note_asked(&mut tx, *id, *asked_ms).await?;
        }
        tx.commit().await
    };
    if asked.is_empty() {
        return;
    }
    if let Err(error) = written.await {
        tracing::warn!(%error, "cannot write down what was asked for");
        asked.into_iter().for_each(|(id, asked_ms)| app.asked.note(id, asked_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(copied: bool, heights: &[u32]) -> VideoPlan {
        let rungs: Vec<_> = heights
            .iter()
            .map(|height| {
                serde_json::json!({
                    "name": format!("{height}p"), "width": height * 16 / 9, "height": height,
                    "max_bitrate_bps": height * 2000, "crf": 23.0,
                })
            })
            .collect();
        let colour = serde_json::to_value(transcode::Colour::BT709).expect("JSON");
        let copy = copied.then(|| {
            serde_json::json!({
                "name": "copy", "width": 1920, "height": 1080, "colour": colour, "keep": true,
            })
        });
        serde_json::from_value(serde_json::json!({
            "track": 0, "copy": copy, "rungs": rungs, "left_out": [],
            "frame_rate": { "num": 25, "den": 1 }, "cap_frame_rate": false, "deinterlace": false,
            "rotation": 0, "mirrored": false, "tone_map": transcode::Hdr::None, "colour": colour,
            "reliable_times": true,
        }))
        .expect("a plan")
    }

    #[test]
    fn enough_is_made_at_once_to_be_played_by_all() {
        let mut config = Config::load(None, std::iter::empty()).expect("defaults");
        let names = |config: &Config, video: &VideoPlan| {
            at_once(config, video).iter().map(|rung| rung.name.clone()).collect::<Vec<_>>()
        };
        let all = video(false, &[1080, 720, 480, 360, 240]);
        assert_eq!(names(&config, &all).len(), 5);
        config.media.on_demand = true;
        for (copied, planned, made) in [
            (false, &[1080, 720, 480, 360, 240][..], &["1080p", "480p", "240p"][..]),
            (false, &[480, 360, 240], &["480p", "240p"]),
            (false, &[720], &["720p"]),
            (true, &[720, 480, 360, 240], &["360p"]),
            (true, &[240], &["240p"]),
            (true, &[], &[]),
        ] {
            assert_eq!(names(&config, &video(copied, planned)), made, "{copied} {planned:?}");
        }
    }

    #[test]
    fn what_stays_can_always_be_played() {
        for (copied, staying) in [(false, ["480p", "240p"]), (true, ["360p", "240p"])] {
            let video = video(copied, &[720, 480, 360, 240]);
            let kept: Vec<_> = video.rungs.iter().filter(|rung| stays(&video, rung)).collect();
            assert_eq!(kept.iter().map(|rung| &rung.name).collect::<Vec<_>>(), staying);
        }
    }
}
