//! One part of every video rung: decode once, scale in a cascade. One thread decodes, one says what
//! is shown when, and each rung has a lane (thread) of its own.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use ffmpeg_next::frame::Video;

use crate::decode::VideoReader;
use crate::event::Pulse;
use crate::facts::Colour;
use crate::plan::{PartRange, Plan, Rung, VideoPlan};
use crate::time::{VIDEO_SCALE, from_ms};
use crate::{Error, Event, Input, Sink};

mod coder;
mod lane;
mod pacer;
mod shaper;
mod sieve;
mod svt;
mod x264;
mod x265;

use lane::{Job, Lane, Order};
use shaper::{Read, Shaper};

/// Frames that wait before a lane; at 1080p 3 MB each.
const QUEUE: usize = 5;

/// Frames that are decoded before it is known what is shown of them.
const READ_AHEAD: usize = 2;

/// By how much lanes below the top one step back: that one has half of all the work, and the
/// others wait for it in the end (docs/transcoding.md has what less of it costs).
const STEP_BACK: i32 = 12;

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
    let mut reader = VideoReader::open(input, plan, video.track)?;
    let bt709 = video.colour.matrix == Colour::BT709.matrix;
    let burner = video.burn.map(|track| reader.burn(track, bt709)).transpose()?;
    let (events, told) = mpsc::channel();
    thread::scope(|scope| {
        let mut threads = Vec::new();
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
            threads.push(scope.spawn(work));
        }
        drop(events);
        let shaper = Shaper::new(plan, video, range, (top.width, top.height), burner, next);
        let (to, reads) = mpsc::sync_channel(READ_AHEAD);
        threads.push(scope.spawn(move || shaper.run(&reads)));
        let fed = Feeder { to, told: &told, range }.feed(reader, video, on);
        let mut result = Ok(());
        for thread in threads {
            let ended = thread.join().unwrap_or_else(|_| Err(Error::unusable("a thread broke")));
            // A lane that failed makes those above fail too; its own reason is the better one.
            result = result.and(ended);
        }
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

/// Reads and decodes what the part shows, and hands it on.
struct Feeder<'a> {
    to: SyncSender<Read>,
    told: &'a Receiver<Event>,
    range: PartRange,
}

impl Feeder<'_> {
    fn feed(self, mut reader: VideoReader, video: &VideoPlan, on: &mut Sink) -> Result<(), Error> {
        let start = from_ms(self.range.start_ms, VIDEO_SCALE);
        reader.start_before(start, video.reliable_times)?;
        let mut thinner = Thinner::new(video.cap_frame_rate);
        let mut early = Early { start, kept: VecDeque::new() };
        let mut pulse = Pulse::new();
        let mut time = start;
        loop {
            // All the while: the part may begin hours behind the first frame that is decoded.
            self.tell(time, &mut pulse, on)?;
            let frame = reader.next()?;
            let ended = frame.is_none();
            let mut reads: Vec<Read> = reader.subtitles().map(Read::Subtitle).collect();
            for frame in early.take(frame.filter(|frame| thinner.keeps(frame)), ended) {
                time = frame.pts().unwrap_or(time);
                reads.push(Read::Frame(frame));
            }
            reads.extend(ended.then_some(Read::End));
            // Nobody takes any more when the part is complete, or when making it has failed.
            if reads.into_iter().any(|read| self.to.send(read).is_err()) || ended {
                return Ok(());
            }
        }
    }

    /// Hands events of the lanes on, and how far the part is: to `time`.
    fn tell(&self, time: i64, pulse: &mut Pulse, on: &mut Sink) -> Result<(), Error> {
        self.told.try_iter().try_for_each(&mut *on)?;
        let from = from_ms(self.range.start_ms, VIDEO_SCALE);
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
