//! Looks for the same in other resources: makes a print, keeps it, and compares it with those that
//! share keys with it. A resource is ready without.

use super::transcode::planned;
use super::{Error, Held, Outcome, blocking, open_source, recognise};
use crate::app::App;
use crate::catalogue::{Kind, Resource, ResourceId, Stage};
use crate::db::jobs::{NewJob, RECOGNISE, TWINS};
use crate::db::{self, Tx};
use crate::media::parent::MediaChild;
use crate::media::prints::Prints;
use crate::media::protocol::{Answer, Step};
use crate::twins::{self, Likeness, Match, Print, Span, pack, text};
use transcode::Event;

/// After all that is shown, played and read.
const PRIORITY: i64 = 3_000;

/// The share of a video's length that looking through it takes, about.
const WEIGHT: f64 = 0.03;

/// The most resources that one is compared with, by what is kept of them and by their files.
const MOST: usize = 40;
const MOST_FILES: i64 = 40;

/// The job that looks for the same as a resource of `duration_ms`; 0 for what has no time.
fn job(duration_ms: i64) -> NewJob {
    let weight = 1.0 + WEIGHT * duration_ms as f64 / 1_000.0;
    NewJob { kind: TWINS, payload: "{}".into(), priority: PRIORITY, weight }
}

/// Has a resource compared that became ready.
///
/// # Errors
///
/// Those of the database.
pub async fn begin_if_wanted(app: &App, tx: &mut Tx, resource: &Resource) -> Result<(), Error> {
    let wanted = app.config.twins.enabled && resource.kind != Kind::Package;
    if !wanted || db::twins::awaits(tx, resource.id, TWINS).await? {
        return Ok(());
    }
    let job = job(resource.duration_ms.unwrap_or(0));
    Ok(db::jobs::push(tx, resource.id, &job, app.now_ms()).await?)
}

/// Has a document compared again when the last job of kind `ended` has read text in its pages; true
/// when it will be.
///
/// # Errors
///
/// Those of the database.
pub async fn begin_again(
    app: &App,
    tx: &mut Tx,
    resource: &Resource,
    ended: &str,
) -> Result<bool, Error> {
    let changed = ended == RECOGNISE && resource.kind == Kind::Document && is_done(resource.stage);
    if !changed || db::twins::awaits(tx, resource.id, RECOGNISE).await? {
        return Ok(false);
    }
    begin_if_wanted(app, tx, resource).await?;
    Ok(true)
}

/// Has resources compared that were there before, a few at a time; whether there may be more.
///
/// # Errors
///
/// Those of the database.
pub async fn push_missing(app: &App) -> Result<bool, Error> {
    if !app.config.twins.enabled {
        return Ok(false);
    }
    let mut db = app.db.read().await?;
    let room = app.config.twins.backlog - db::twins::waiting(&mut db).await?;
    if room <= 0 {
        return Ok(true);
    }
    let missing = db::twins::missing(&mut db, room).await?;
    drop(db);
    for id in &missing {
        let mut tx = app.db.begin().await?;
        let resource = db::resources::get_locked(&mut tx, *id).await?;
        // Another process may have been quicker, or it went.
        if is_done(resource.stage) {
            begin_if_wanted(app, &mut tx, &resource).await?;
        }
        tx.commit().await?;
    }
    if !missing.is_empty() {
        tracing::info!(count = missing.len(), "resources from before will be compared");
        app.job_pushed.notify_waiters();
    }
    Ok(!missing.is_empty())
}

fn is_done(stage: Stage) -> bool {
    matches!(stage, Stage::Ready | Stage::Submitted | Stage::Published | Stage::Withdrawn)
}

/// Makes the print of a resource and finds what it has in common with others.
///
/// # Errors
///
/// [`Error`].
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let (app, id) = (&held.app, held.resource());
    let resource = db::resources::find(&mut *app.db.read().await?, id).await?;
    let Some(resource) = resource else { return Ok(Outcome::default()) };
    let print = match resource.kind {
        Kind::Video | Kind::Audio => of_media(held).await?,
        Kind::Image => of_picture(held).await?,
        Kind::Document => of_text(app, id).await?,
        Kind::Package => Print::default(),
    };
    let mut tx = held.begin().await?;
    db::twins::keep(&mut tx, id, &print, app.now_ms()).await?;
    crate::fault::at("print-kept");
    tx.commit().await?;
    crate::fault::at("print-kept-done");
    // From here on whoever comes later finds this one; so of two at the same time one finds the other.
    let found = find(app, &resource, &print).await?;
    let mut tx = held.begin().await?;
    db::twins::replace(&mut tx, id, &found, app.now_ms()).await?;
    crate::fault::at("twins-found");
    tx.commit().await?;
    Ok(Outcome::default())
}

async fn of_media(held: &Held) -> Result<Print, Error> {
    let (plan, source) = planned(held).await?;
    let duration_ms = plan.duration_ms;
    let most_ms = held.app.config.twins.max_minutes * 60_000;
    let step = Step::Prints(Box::new(plan), most_ms);
    let child = recognise::start(held, step, source, duration_ms)?;
    prints_of(child, |share| held.set_progress(share)).await
}

async fn of_picture(held: &Held) -> Result<Print, Error> {
    let (_, source) = open_source(&held.app, held.resource()).await?;
    let step = Step::PicturePrints { max_pixels: held.app.config.media.max_pixels };
    prints_of(recognise::start(held, step, source, 0)?, |_| ()).await
}

/// What the media child says, unpacked.
///
/// # Errors
///
/// [`Error::Media`], and when it said nothing.
pub async fn prints_of(mut child: MediaChild, progress: impl Fn(f64)) -> Result<Print, Error> {
    let mut made: Option<Prints> = None;
    while let Some(answer) = child.next().await? {
        match answer {
            Answer::Prints(prints) => made = Some(prints),
            Answer::Media(Event::Progress(share)) => progress(share),
            _ => {}
        }
    }
    let print = made.and_then(|made| {
        Some(Print {
            looks: pack::to_looks(&made.looks)?,
            image: pack::to_image(&made.image)?,
            sound: pack::to_sound(&made.sound)?,
            text: Vec::new(),
        })
    });
    print.ok_or_else(|| Error::unusable("internal", "no prints"))
}

async fn of_text(app: &App, id: ResourceId) -> Result<Print, Error> {
    let passages = db::passages::list(&mut *app.db.read().await?, id).await?;
    blocking(move || {
        let folded: Vec<(u32, String)> = passages
            .iter()
            .map(|passage| {
                let page = passage.page.and_then(|page| u32::try_from(page).ok()).unwrap_or(1);
                (page, indexer::fold_text(&passage.text))
            })
            .collect();
        let text = text::sketch(folded.iter().map(|(page, text)| (*page, text.as_str())));
        Ok(Print { text, ..Print::default() })
    })
    .await
}

/// Compares a print with those that may be like it.
async fn find(
    app: &App,
    resource: &Resource,
    print: &Print,
) -> Result<Vec<(ResourceId, Match)>, Error> {
    let id = resource.id;
    let mut found = Vec::new();
    if let Some(source) = resource.source {
        let same = db::twins::of_source(&mut *app.db.read().await?, id, source, MOST_FILES).await?;
        let (first, second) = (Span::default(), Span::default());
        let whole = Match { likeness: Likeness::File, share: 1.0, first, second };
        found.extend(same.into_iter().map(|other| (other, whole)));
    }
    let candidates = db::twins::candidates(&mut *app.db.read().await?, id, print, MOST).await?;
    for other in candidates {
        if found.iter().any(|(known, _)| *known == other) {
            continue;
        }
        // The connection is given back before it is computed.
        let theirs = db::twins::find(&mut *app.db.read().await?, other).await?;
        let Some(theirs) = theirs else { continue };
        let (ours, least) = (print.clone(), app.config.twins.least_share);
        let alike = blocking(move || Ok(twins::compare(&ours, &theirs, least))).await?;
        found.extend(alike.into_iter().map(|alike| (other, alike)));
    }
    Ok(found)
}
