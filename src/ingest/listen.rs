//! Recognises what is said in a video or audio and makes captions of it, after all else.
//!
//! The sound goes through the engine in pieces, a job each; the next one is pushed with the end of
//! the one before, so that other work comes between them and a killed worker repeats one piece.

use serde::{Deserialize, Serialize};
use transcode::{AudioPlan, AudioRole, Plan};

use super::derive::free_name;
use super::transcode::planned;
use super::{Error, Held, Outcome, captions, delete_object};
use crate::app::App;
use crate::catalogue::{
    Caption, CaptionOrigin, Kind, LANGUAGES, Resource, ResourceId, Stage, label_of,
};
use crate::config::{Speech, SpeechEngine};
use crate::db::heard::Piece;
use crate::db::jobs::{LISTEN, NewJob};
use crate::db::{self, Tx};
use crate::media::captions::{Captions, Cue, to_webvtt};
use crate::media::parent::{self, MediaChild};
use crate::media::protocol::{Answer, Step};
use crate::media::speech::{Engine, Heard, Listen};
use transcode::Event;

/// Behind all other work, that of rungs on demand too.
const PRIORITY: i64 = 200_000;

/// What an hour of sound weighs among other work: about a part of a large picture.
const HOUR_WEIGHT: f64 = 100.0;

/// A piece may end so much later than asked: its last packet is taken whole.
const MARGIN_MS: i64 = 1_000;

/// The language that the engine is to tell.
const AUTO: &str = "auto";

/// What a job says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    /// BCP 47, or `auto`.
    language: String,
    /// Piece of the sound, from 0.
    number: i64,
    /// Where it begins, media time.
    from_ms: i64,
}

/// Why nothing is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unable {
    /// No engine is set.
    Off,
    /// There is no sound, or it is not known yet.
    NoSound,
    /// It is being recognised already.
    Busy,
}

impl Unable {
    /// For the sentence that people read.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Off => "speech_off",
            Self::NoSound => "speech_no_sound",
            Self::Busy => "speech_busy",
        }
    }
}

/// Has the speech of a resource recognised that has just become ready, when the settings say so
/// and it has no captions in its language.
///
/// # Errors
///
/// Those of the database.
pub async fn begin_if_wanted(app: &App, tx: &mut Tx, resource: &Resource) -> Result<(), Error> {
    let speech = &app.config.speech;
    if !speech.automatic || speech.engine == SpeechEngine::Off {
        return Ok(());
    }
    let Some(plan) = plan_of(resource)? else { return Ok(()) };
    let Some(audio) = spoken(&plan) else { return Ok(()) };
    let language = language_of(speech, resource, audio, None);
    let there = db::media::list_captions(tx, resource.id).await?;
    let whole = |caption: &Caption| !caption.forced;
    // What is spoken is only known afterwards: any captions are taken for its.
    if there.iter().any(|one| whole(one) && (language == AUTO || one.is_in(&language))) {
        return Ok(());
    }
    push(app, tx, resource.id, &Order { language, number: 0, from_ms: 0 }, &plan).await
}

/// Has the speech of a resource recognised because somebody asks for it, in `language` or in what
/// is known of it.
///
/// # Errors
///
/// Those of the database.
pub async fn begin(
    app: &App,
    id: ResourceId,
    language: Option<&str>,
) -> Result<Result<(), Unable>, Error> {
    let speech = &app.config.speech;
    if speech.engine == SpeechEngine::Off {
        return Ok(Err(Unable::Off));
    }
    let mut tx = app.db.begin().await?;
    let resource = db::resources::get_locked(&mut tx, id).await?;
    let plan = plan_of(&resource)?;
    let ready = matches!(
        resource.stage,
        Stage::Ready | Stage::Submitted | Stage::Published | Stage::Withdrawn
    );
    let Some((plan, audio)) = plan.as_ref().and_then(|plan| Some((plan, spoken(plan)?))) else {
        return Ok(Err(Unable::NoSound));
    };
    if !ready {
        return Ok(Err(Unable::NoSound));
    }
    let jobs = db::jobs::list(&mut tx, id).await?;
    if jobs.iter().any(|job| job.kind == LISTEN && ["queued", "running"].contains(&&*job.state)) {
        return Ok(Err(Unable::Busy));
    }
    let language = language_of(speech, &resource, audio, language);
    push(app, &mut tx, id, &Order { language, number: 0, from_ms: 0 }, plan).await?;
    tx.commit().await?;
    app.announce(id);
    app.job_pushed.notify_waiters();
    Ok(Ok(()))
}

async fn push(
    app: &App,
    tx: &mut Tx,
    id: ResourceId,
    order: &Order,
    plan: &Plan,
) -> Result<(), Error> {
    db::heard::delete(tx, id).await?;
    let job = job(&app.config.speech, order, plan.duration_ms)?;
    Ok(db::jobs::push(tx, id, &job, app.now_ms()).await?)
}

fn job(speech: &Speech, order: &Order, duration_ms: i64) -> Result<NewJob, Error> {
    let length_ms = (duration_ms - order.from_ms).clamp(0, i64::from(speech.piece_seconds) * 1000);
    let weight = 0.5 + HOUR_WEIGHT * length_ms as f64 / 3_600_000.0;
    let payload = serde_json::to_string(order)?;
    Ok(NewJob { kind: LISTEN, payload, priority: PRIORITY, weight })
}

/// Recognises one piece and, after the last, makes the captions.
///
/// # Errors
///
/// [`Error::Unusable`] with a code about the engine, its model or its answer.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let order: Order = serde_json::from_str(&held.job.payload)?;
    let (plan, source) = planned(held).await?;
    let before = db::heard::list(&mut *app.db.read().await?, held.resource()).await?;
    if before.len() < usize::try_from(order.number).unwrap_or(0) {
        // The captions were made, and the end of this job was not written down.
        return Ok(Outcome::default());
    }
    let known = before.into_iter().find(|piece| piece.number == order.number);
    let piece = match known.filter(|piece| piece.from_ms == order.from_ms) {
        Some(piece) => piece,
        None => {
            let heard = hear(held, &plan, source, &order).await?;
            keep(held, &order, heard).await?
        }
    };
    if piece.end_ms < plan.duration_ms {
        let next = Order { number: order.number + 1, from_ms: piece.end_ms, ..order };
        let next = job(&app.config.speech, &next, plan.duration_ms)?;
        return Ok(Outcome { next: vec![next], change: None });
    }
    make_captions(held, &order).await?;
    Ok(Outcome::default())
}

async fn hear(
    held: &Held,
    plan: &Plan,
    source: std::fs::File,
    order: &Order,
) -> Result<Heard, Error> {
    let speech = &held.app.config.speech;
    let track = spoken(plan).ok_or_else(|| Error::unusable("speech_no_sound", ""))?.track;
    let most_ms = i64::from(speech.piece_seconds) * 1000;
    let step = Listen {
        plan: plan.clone(),
        track,
        from_ms: order.from_ms,
        most_ms,
        language: order.language.clone(),
        prompt: if is_chinese(&order.language) { speech.prompt.clone() } else { String::new() },
        threads: speech.threads(),
        model: speech.model.clone(),
        time: std::time::Duration::from_secs(2 * speech.seconds_for(most_ms)),
        engine: engine(speech)?,
    };
    let duration_ms = most_ms.min(plan.duration_ms);
    let step = Step::Listen(Box::new(step));
    let mut child = MediaChild::start(&held.app.config, step, source, duration_ms)?;
    child.set_nice(held.app.config.work.nice)?;
    let mut heard = None;
    while let Some(answer) = child.next().await? {
        match answer {
            Answer::Heard(found) => heard = Some(found),
            Answer::Media(Event::Progress(share)) => held.set_progress(share),
            _ => {}
        }
    }
    let heard = heard.ok_or_else(|| bad("nothing was heard"))?;
    let length_ms = heard.end_ms - order.from_ms;
    let whole = u64::try_from(length_ms + MARGIN_MS).unwrap_or(0);
    if length_ms <= 0
        || length_ms > most_ms + MARGIN_MS
        || heard.end_ms > plan.duration_ms
        || heard.cues.iter().any(|cue| cue.end_ms > whole)
    {
        return Err(bad("times beyond the piece"));
    }
    Ok(heard)
}

fn bad(what: &str) -> Error {
    parent::Error::BadAnswer(what.into()).into()
}

fn engine(speech: &Speech) -> Result<Engine, Error> {
    let model = &speech.model;
    if !model.as_os_str().is_empty() && !model.is_file() {
        return Err(Error::unusable("speech_model", model.display().to_string()));
    }
    match speech.engine {
        SpeechEngine::Off => Err(Error::unusable("speech_off", "")),
        SpeechEngine::Whisper => Ok(Engine::Whisper),
        SpeechEngine::Command => Ok(Engine::Command(speech.command.clone())),
    }
}

async fn keep(held: &Held, order: &Order, heard: Heard) -> Result<Piece, Error> {
    let piece = Piece {
        number: order.number,
        from_ms: order.from_ms,
        end_ms: heard.end_ms,
        language: heard.language,
        cues: heard.cues,
    };
    let mut tx = held.begin().await?;
    db::heard::save(&mut tx, held.resource(), &piece).await?;
    tx.commit().await?;
    crate::fault::at("heard");
    Ok(piece)
}

/// Makes captions of all pieces, in the place of those that were recognised before.
async fn make_captions(held: &Held, order: &Order) -> Result<(), Error> {
    let (app, id) = (&held.app, held.resource());
    let mut tx = held.begin().await?;
    let pieces = db::heard::list(&mut tx, id).await?;
    let captions = Captions { cues: all_cues(&pieces), ..Captions::default() };
    if captions.cues.is_empty() {
        return Err(Error::unusable("speech_nothing", ""));
    }
    let told = pieces.iter().find(|piece| !piece.cues.is_empty()).and_then(|p| p.language.clone());
    let language = match &*order.language {
        AUTO => told.unwrap_or_else(|| "und".into()),
        language => language.to_owned(),
    };
    let there = db::media::list_captions(&mut tx, id).await?;
    let before =
        there.iter().find(|one| one.origin == CaptionOrigin::Automatic && one.is_in(&language));
    let name = before.map_or_else(|| free_name(&language, &there), |before| before.name.clone());
    let text = to_webvtt(&captions).into_bytes();
    let object = held.store_bytes(text, format!("caption/{name}"), "vtt").await?;
    crate::fault::at("heard-stored");
    let caption = Caption {
        name,
        label: label_of(LANGUAGES, &language, true).to_owned(),
        language,
        origin: CaptionOrigin::Automatic,
        forced: false,
        hearing_impaired: false,
        key: object.key.clone(),
    };
    let mut resource = db::resources::get_locked(&mut tx, id).await?;
    let gone = before.map(|before| before.key.clone()).into_iter().collect();
    let gone = captions::keep(&mut tx, app, &resource, &caption, &object, &captions, gone).await?;
    db::heard::delete(&mut tx, id).await?;
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    let detail = serde_json::json!({ "name": caption.name, "automatic": true });
    db::audit::record(&mut tx, app.now_ms(), None, "captions", &id.to_string(), &detail).await?;
    tx.commit().await?;
    crate::fault::at("heard-named");
    for key in gone {
        delete_object(app, &key).await?;
    }
    app.announce(id);
    tracing::info!(resource = %id, language = caption.language, cues = captions.cues.len(), "recognised");
    Ok(())
}

/// The cues of all pieces on the clock of the media.
fn all_cues(pieces: &[Piece]) -> Vec<Cue> {
    let on_clock = |piece: &Piece, cue: &Cue| {
        let from_ms = u64::try_from(piece.from_ms).unwrap_or(0);
        let (start_ms, end_ms) = (cue.start_ms + from_ms, cue.end_ms + from_ms);
        Cue { start_ms, end_ms, ..cue.clone() }
    };
    let cues = pieces.iter().flat_map(|piece| piece.cues.iter().map(|cue| on_clock(piece, cue)));
    cues.take(crate::media::captions::MAX_CUES).collect()
}

/// The plan of a video or audio.
fn plan_of(resource: &Resource) -> Result<Option<Plan>, Error> {
    if !matches!(resource.kind, Kind::Video | Kind::Audio) {
        return Ok(None);
    }
    Ok(resource.plan.as_deref().map(serde_json::from_str).transpose()?)
}

/// The sound that is listened to first.
fn spoken(plan: &Plan) -> Option<&AudioPlan> {
    let usual =
        |audio: &&AudioPlan| !matches!(audio.role, AudioRole::Commentary | AudioRole::Description);
    let mut all = plan.audio.iter().filter(usual);
    all.clone().find(|audio| audio.default).or_else(|| all.next()).or(plan.audio.first())
}

/// What is spoken, by who asks, the author, the file, the settings: the first that says it.
fn language_of(
    speech: &Speech,
    resource: &Resource,
    audio: &AudioPlan,
    asked: Option<&str>,
) -> String {
    let stated = asked.or(resource.details.language.as_deref()).or(audio.language.as_deref());
    stated.filter(|tag| *tag != "und").unwrap_or(&speech.language).to_owned()
}

/// Whether the prompt may be in the way of the language; for `auto` it would decide it.
fn is_chinese(language: &str) -> bool {
    language.split('-').next() == Some("zh") && !language.starts_with("zh-Hant")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_on_one_clock() {
        let cue = |start_ms, end_ms| Cue { start_ms, end_ms, text: "x".into(), settings: None };
        let piece = |number, from_ms, end_ms| Piece {
            number,
            from_ms,
            end_ms,
            language: None,
            cues: vec![cue(0, 500), cue(700, 900)],
        };
        let cues = all_cues(&[piece(0, 0, 1_000), piece(1, 1_000, 2_000)]);
        let times: Vec<(u64, u64)> = cues.iter().map(|cue| (cue.start_ms, cue.end_ms)).collect();
        assert_eq!(times, [(0, 500), (700, 900), (1_000, 1_500), (1_700, 1_900)]);
    }
}
