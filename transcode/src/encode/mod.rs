//! One part of every video rung: decode once, scale in a cascade, one lane (thread) a rung.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use ffmpeg_next::frame::Video;

use crate::decode::VideoReader;
use crate::event::Pulse;
use crate::facts::Colour;
use crate::frame::{Look, Upright, share};
use crate::plan::{PartRange, Plan, Rung, VideoPlan};
use crate::time::{VIDEO_SCALE, from_ms};
use crate::{Error, Event, Input, Sink};

mod coder;
mod lane;
mod pacer;
mod sieve;
mod svt;
mod x264;
mod x265;

use lane::{Job, Lane, Order};
use pacer::{Cut, Pacer, Which};
use sieve::Sieve;

/// Frames that wait before a lane; at 1080p 3 MB each.
const QUEUE: usize = 3;

/// By how much lanes below the top one step back: that one has half of all the work, and the
/// others wait for it in the end.
const STEP_BACK: i32 = 5;

/// Encodes part `part` (from 0) of the plan's rungs named in `rungs` (of all, if none is) into
/// `out`: `{rung}-init.mp4` and `{rung}-{part:05}.m4s`.
///
/// Every part can be made alone and in any order; borders fit. Frames that do not decode are
/// left out, the frame before lasts longer then. A plan without rungs gives nothing.
///
/// # Errors
///
/// [`Error::Plan`] when there is no such part, [`Error::Unusable`] when the whole track gives no
/// frame, [`Error::Stopped`] or what `on` answered. Files may be left in `out`.
pub fn encode_part(
    input: &mut Input,
    plan: &Plan,
    part: usize,
    rungs: &[String],
    out: &Path,
    on: &mut Sink,
) -> Result<(), Error> {
    let video = plan.video.as_ref().ok_or_else(|| Error::plan("no video"))?;
    let range = *plan.parts.get(part).ok_or_else(|| Error::plan(format!("no part {part}")))?;
    let rungs = selected(video, rungs)?;
    let Some(top) = rungs.first() else { return Ok(()) };
    let pacer = pacer(plan, range);
    let upright = Upright::new(Look::video(video, top.width, top.height));
    let (events, told) = mpsc::channel();
    thread::scope(|scope| {
        let mut lanes = Vec::new();
        let mut next: Option<SyncSender<Job>> = None;
        // From the smallest: each lane needs the way to the one below it.
        for (i, rung) in rungs.iter().enumerate().rev() {
            let (to, jobs) = mpsc::sync_channel(QUEUE);
            let from = rungs[i.saturating_sub(1)];
            let (below, events) = (next.replace(to), events.clone());
            let order = Order {
                video,
                rung,
                from: (from.width, from.height),
                part,
                first_segment: range.start_ms / plan.segment_ms.max(1),
                out,
            };
            let work = move || {
                if i > 0 {
                    step_back();
                }
                Lane::open(&order, below, events)?.run(&jobs)
            };
            lanes.push(scope.spawn(work));
        }
        drop(events);
        let feeder = Feeder { pacer, upright, lanes: next, told: &told, range };
        let fed = feeder.feed(input, plan, video, on);
        let mut result = Ok(());
        for lane in lanes {
            let ended = lane.join().unwrap_or_else(|_| Err(Error::unusable("a lane broke")));
            result = result.and(ended);
        }
        // A lane that failed makes the feeding fail too; its own reason is the better one.
        result.and(fed)?;
        told.try_iter().try_for_each(&mut *on)
    })?;
    on(Event::Progress(1.0))
}

/// The rungs that are asked for, as the cascade needs them: largest first.
fn selected<'a>(video: &'a VideoPlan, names: &[String]) -> Result<Vec<&'a Rung>, Error> {
    if let Some(name) = names.iter().find(|name| !video.rungs.iter().any(|r| r.name == **name)) {
        return Err(Error::plan(format!("no rung {name}")));
    }
    let wanted = |rung: &&Rung| names.is_empty() || names.contains(&rung.name);
    let mut rungs: Vec<&Rung> = video.rungs.iter().filter(wanted).collect();
    rungs.sort_by_key(|rung| std::cmp::Reverse(u64::from(rung.width) * u64::from(rung.height)));
    Ok(rungs)
}

fn pacer(plan: &Plan, range: PartRange) -> Pacer {
    let ticks = |ms| from_ms(ms, VIDEO_SCALE);
    let last = range.index + 1 == plan.parts.len();
    Pacer::new(Cut {
        segment: ticks(plan.segment_ms),
        gop: ticks(plan.gop_ms),
        start: ticks(range.start_ms),
        end: (!last).then(|| ticks(range.end_ms)),
        video_end: ticks(plan.duration_ms),
    })
}

/// The decoding side.
struct Feeder<'a> {
    pacer: Pacer,
    upright: Upright,
    lanes: Option<SyncSender<Job>>,
    told: &'a Receiver<Event>,
    range: PartRange,
}

impl Feeder<'_> {
    fn feed(
        mut self,
        input: &mut Input,
        plan: &Plan,
        video: &VideoPlan,
        on: &mut Sink,
    ) -> Result<(), Error> {
        let mut reader = VideoReader::open(input, plan, video.track)?;
        let start = from_ms(self.range.start_ms, VIDEO_SCALE);
        if let Some(track) = video.burn {
            reader.burn(track, video.colour.matrix == Colour::BT709.matrix)?;
        }
        reader.start_before(start, video.reliable_times)?;
        let mut thinner = Thinner::new(video.cap_frame_rate);
        let mut early = Early { start, kept: VecDeque::new() };
        // Deinterlacing looks at the frames around; subtitles that are drawn change by themselves.
        let still = !video.deinterlace && video.burn.is_none();
        let mut sieve = Sieve::new(still, from_ms(plan.gop_ms, VIDEO_SCALE));
        let mut held: Option<Video> = None;
        let mut pulse = Pulse::new();
        loop {
            // All the while: the part may begin hours behind the first frame that is decoded.
            self.tell(&held, &mut pulse, on)?;
            let frame = reader.next()?;
            let ended = frame.is_none();
            let mut ready = Vec::new();
            for frame in early.take(frame.filter(|frame| thinner.keeps(frame)), ended) {
                if sieve.keeps(&frame)? {
                    ready.extend(self.upright.push(frame)?);
                }
            }
            if ended {
                ready.extend(self.upright.flush()?);
            }
            for mut frame in ready {
                reader.draw(&mut frame)?;
                if self.take(&mut held, frame)? {
                    return Ok(());
                }
            }
            if ended {
                return self.end(held);
            }
        }
    }

    /// Sends what is due now that `frame` has come; true when the part is complete.
    fn take(&mut self, held: &mut Option<Video>, frame: Video) -> Result<bool, Error> {
        let Some(time) = frame.pts() else { return Ok(false) };
        let due = self.pacer.next(time);
        for shot in due.shots {
            let picture = match (shot.which, held.as_ref()) {
                (Which::Before, Some(before)) => share(before)?,
                (Which::Before | Which::This, _) => share(&frame)?,
            };
            self.send(Job::Frame {
                frame: picture,
                time: shot.time,
                key: shot.key,
                segment: shot.segment,
            })?;
        }
        *held = Some(frame);
        match due.end {
            Some(end) => self.send(Job::End(end)).map(|()| true),
            None => Ok(false),
        }
    }

    fn end(mut self, held: Option<Video>) -> Result<(), Error> {
        let Some(last) = held else {
            return Err(Error::unusable("no frame of the video could be decoded"));
        };
        let due = self.pacer.finish();
        for shot in due.shots {
            let frame = share(&last)?;
            self.send(Job::Frame { frame, time: shot.time, key: shot.key, segment: shot.segment })?;
        }
        self.send(Job::End(due.end.unwrap_or(0)))
    }

    fn send(&self, job: Job) -> Result<(), Error> {
        let lane = self.lanes.as_ref().ok_or_else(|| Error::plan("no rungs"))?;
        lane.send(job).map_err(|_| Error::unusable("an encoder stopped"))
    }

    /// Hands events of the lanes on, and how far the part is.
    fn tell(&self, held: &Option<Video>, pulse: &mut Pulse, on: &mut Sink) -> Result<(), Error> {
        self.told.try_iter().try_for_each(&mut *on)?;
        let from = from_ms(self.range.start_ms, VIDEO_SCALE);
        let time = held.as_ref().and_then(|frame| frame.pts()).unwrap_or(from);
        let length = from_ms(self.range.end_ms - self.range.start_ms, VIDEO_SCALE).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
        let share = (time - from) as f64 / length as f64;
        pulse.beat(share, on)
    }
}

/// Frames before the part's start: only the last of them are shown or looked at by filters.
struct Early {
    start: i64,
    kept: VecDeque<Video>,
}

impl Early {
    /// What is to be filtered now that `next` has come, or nothing comes any more.
    fn take(&mut self, next: Option<Video>, ended: bool) -> Vec<Video> {
        let early = next.as_ref().is_some_and(|f| f.pts().is_some_and(|time| time < self.start));
        let some = next.is_some();
        self.kept.extend(next);
        if early {
            // A deinterlacer looks one frame back.
            self.kept.drain(..self.kept.len().saturating_sub(3));
        }
        if ended || (some && !early) { self.kept.drain(..).collect() } else { Vec::new() }
    }
}

/// Leaves frames out that come faster than 60 a second.
struct Thinner {
    active: bool,
    slot: Option<i64>,
}

impl Thinner {
    fn new(active: bool) -> Self {
        Self { active, slot: None }
    }

    /// One frame for each 60th of a second. Slots are of absolute time, so every part decides
    /// alike; they begin a quarter early, so that exact multiples do not fall on a border.
    fn keeps(&mut self, frame: &Video) -> bool {
        if !self.active {
            return true;
        }
        let slot = frame
            .pts()
            .map(|t| (t * 240 + i64::from(VIDEO_SCALE)).div_euclid(i64::from(VIDEO_SCALE) * 4));
        let kept = slot != self.slot;
        self.slot = slot;
        kept
    }
}

/// Lowers this thread's priority; where that is not allowed, work takes a little longer.
#[expect(unsafe_code, reason = "priorities of threads have no safe wrapper")]
fn step_back() {
    // SAFETY: takes a number; on Linux it is about the calling thread alone.
    unsafe { libc::nice(STEP_BACK) };
}

/// The name of a rung's lane, for messages.
fn lane_name(rung: &Rung) -> String {
    format!("encode {}", rung.name)
}
