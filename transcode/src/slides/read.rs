//! Which frames of a video are looked at, so that little of it is decoded.

use ffmpeg_next::frame::Video;

use super::{Eye, Glance, Next};
use crate::decode::VideoReader;
use crate::event::Pulse;
use crate::plan::{Plan, VideoPlan};
use crate::time::{VIDEO_SCALE, from_ms};
use crate::{Error, Input, Sink};

/// Frames nearer to each other than this are not looked at.
const STEP_MS: i64 = 1_000;

/// Key frames farther from each other than this may have had a slide between them: what lies between
/// is decoded.
const FAR_MS: i64 = 12_000;

/// Between key frames that are nearer than this it does not matter when the slide changed.
const NEAR_MS: i64 = 2_500;

/// Share of blocks that differ between two key frames with a change between them.
const DIFFERENT: usize = super::glance::BLOCKS / 20;

/// Of what is decoded between key frames that differ, this share of the video and so much more: a film
/// differs everywhere, and is not worth it.
const MOST_SHARE: i64 = 3;
const MOST_MS: i64 = 120_000;

/// Takes a frame and its media time.
type Look<'a> = dyn FnMut(i64, &Video) -> Result<Next, Error> + 'a;

/// Gives `look` frames of the video, each later than the one before, in steps small enough for slides.
pub(super) fn samples(
    input: &mut Input,
    plan: &Plan,
    video: &VideoPlan,
    on: &mut Sink,
    look: &mut Look<'_>,
) -> Result<(), Error> {
    let mut reader = VideoReader::open(input, plan, video.track)?;
    let mut pulse = Pulse::new();
    let end_ms = plan.duration_ms.max(1);
    #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
    let mut tell = |time_ms: i64| pulse.beat(time_ms as f64 / end_ms as f64, on);
    if !video.reliable_times {
        reader.hurry(None);
        return each(&mut reader, i64::MIN, i64::MAX, &mut tell, look).map(drop);
    }
    let most_ms = end_ms / MOST_SHARE + MOST_MS;
    Sampler { reader, most_ms, longest_ms: 0, eye: Eye::default(), last: None }.run(&mut tell, look)
}

struct Sampler<'a> {
    reader: VideoReader<'a>,
    /// How much may still be decoded because key frames differ.
    most_ms: i64,
    /// The longest distance of key frames so far.
    longest_ms: i64,
    eye: Eye,
    /// The last key frame.
    last: Option<(i64, Glance)>,
}

impl Sampler<'_> {
    fn run(
        mut self,
        tell: &mut dyn FnMut(i64) -> Result<(), Error>,
        look: &mut Look<'_>,
    ) -> Result<(), Error> {
        let apart = Some(from_ms(STEP_MS, VIDEO_SCALE));
        self.reader.hurry(apart);
        while let Some(frame) = self.reader.next()? {
            let time_ms = ms(&frame);
            if self.last.as_ref().is_some_and(|(last, _)| *last >= time_ms) {
                continue;
            }
            tell(time_ms)?;
            let glance = self.eye.look(&frame)?;
            if let Some(from_ms) = self.hides(time_ms, &glance) {
                self.reader.hurry(None);
                self.reader.start_before(from_ms_ticks(from_ms), true)?;
                if each(&mut self.reader, from_ms, time_ms, tell, look)? == Next::Stop {
                    return Ok(());
                }
                self.reader.hurry(apart);
                self.reader.seek(from_ms_ticks(time_ms))?;
            }
            self.last = Some((time_ms, glance));
            if look(time_ms, &frame)? == Next::Stop {
                return Ok(());
            }
        }
        // Behind the last key frame there may be much.
        let Some((from_ms, _)) = self.last else { return Ok(()) };
        self.reader.hurry(None);
        self.reader.start_before(from_ms_ticks(from_ms), true)?;
        each(&mut self.reader, from_ms, i64::MAX, tell, look).map(drop)
    }

    /// The last key frame's time, when it is to be known what was shown between it and the one at
    /// `time_ms`: they are far apart, or differ. One that came before its turn was put there by the
    /// encoder because the picture changed, so nothing is hidden before it.
    fn hides(&mut self, time_ms: i64, glance: &Glance) -> Option<i64> {
        let (last_ms, last) = self.last.as_ref()?;
        let distance_ms = time_ms - last_ms;
        let early = distance_ms * 10 < self.longest_ms * 9;
        self.longest_ms = self.longest_ms.max(distance_ms);
        if distance_ms > FAR_MS {
            return Some(*last_ms);
        }
        let differs = glance.changed(last).count() > DIFFERENT;
        let worth = distance_ms > NEAR_MS && differs && !early && self.most_ms > 0;
        if worth {
            self.most_ms -= distance_ms;
        }
        worth.then_some(*last_ms)
    }
}

/// Looks at frames between two times, neither of them included, in steps.
fn each(
    reader: &mut VideoReader<'_>,
    after_ms: i64,
    before_ms: i64,
    tell: &mut dyn FnMut(i64) -> Result<(), Error>,
    look: &mut Look<'_>,
) -> Result<Next, Error> {
    let mut next_ms = after_ms.saturating_add(STEP_MS);
    while let Some(frame) = reader.next()? {
        let time_ms = ms(&frame);
        if time_ms >= before_ms {
            break;
        }
        if time_ms < next_ms {
            continue;
        }
        tell(time_ms)?;
        if look(time_ms, &frame)? == Next::Stop {
            return Ok(Next::Stop);
        }
        next_ms = time_ms.saturating_add(STEP_MS);
    }
    Ok(Next::GoOn)
}

fn ms(frame: &Video) -> i64 {
    frame.pts().unwrap_or(0) / i64::from(VIDEO_SCALE / 1_000)
}

fn from_ms_ticks(time_ms: i64) -> i64 {
    from_ms(time_ms, VIDEO_SCALE)
}
