//! What identifies a video's or image's picture, however it was encoded: a row of [`Look`]s.
//!
//! Frames are looked at twice a second, in long videos once, since key frames of two encodings are
//! other frames. Frames that no others are made of are not decoded, nor are block edges smoothed:
//! small grey pictures do not show it.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::software::scaling::{Context, Flags};
use serde::{Deserialize, Serialize};

use crate::decode::VideoReader;
use crate::error::ff;
use crate::event::Pulse;
use crate::picture::Picture;
use crate::plan::Plan;
use crate::time::VIDEO_SCALE;
use crate::{Error, Input, Sink};

mod look;

use look::{Grey, SIDE, Window};

pub use look::Bits;

/// How often a frame is looked at.
const STEP_MS: i64 = 500;

/// The same of videos longer than [`LONG_MS`].
const LONG_STEP_MS: i64 = 1_000;
const LONG_MS: i64 = 20 * 60_000;

/// How an image may have been cropped: what is left out at the left, top, right and bottom, of one.
/// Twice the same share at both sides, and one side alone.
const CROPS: [(f32, f32, f32, f32); 7] = [
    (0.0, 0.0, 0.0, 0.0),
    (0.025, 0.025, 0.025, 0.025),
    (0.05, 0.05, 0.05, 0.05),
    (0.05, 0.0, 0.0, 0.0),
    (0.0, 0.05, 0.0, 0.0),
    (0.0, 0.0, 0.05, 0.0),
    (0.0, 0.0, 0.0, 0.05),
];

/// What is seen for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Media time from which on it is shown.
    pub start_ms: i64,
    /// Media time at which it is gone.
    pub end_ms: i64,
    /// What it looks like.
    pub bits: Bits,
}

/// The looks of a video up to `most_ms`, in order; frames that show nothing are left out. Tells `on`
/// the progress.
///
/// # Errors
///
/// [`Error::Ffmpeg`] when the track cannot be decoded, [`Error::Stopped`] or what `on` answered.
pub fn looks(
    input: &mut Input,
    plan: &Plan,
    most_ms: i64,
    on: &mut Sink,
) -> Result<Vec<Look>, Error> {
    let Some(video) = &plan.video else { return Ok(Vec::new()) };
    let end_ms = plan.duration_ms.min(most_ms).max(1);
    let step_ms = if end_ms > LONG_MS { LONG_STEP_MS } else { STEP_MS };
    let mut reader = VideoReader::open(input, plan, video.track)?;
    reader.glance();
    let (mut eye, mut pulse, mut next_ms) = (Eye::default(), Pulse::new(), 0);
    let mut stills: Vec<(i64, Grey)> = Vec::new();
    while let Some(frame) = reader.next()? {
        let time_ms = frame.pts().unwrap_or(0) / i64::from(VIDEO_SCALE / 1_000);
        if time_ms < next_ms {
            continue;
        }
        if time_ms >= end_ms {
            break;
        }
        #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
        pulse.beat(time_ms as f64 / end_ms as f64, on)?;
        next_ms = time_ms + step_ms;
        let grey = eye.look(&frame)?.upright(video.rotation, video.mirrored);
        if stills.last().is_none_or(|(_, still)| !still.is_still(&grey)) {
            stills.push((time_ms, grey));
        }
    }
    let window = Window::within_bars(stills.iter().map(|(_, grey)| grey));
    let ends = stills.iter().skip(1).map(|(time_ms, _)| *time_ms).chain([end_ms]);
    let looks = stills.iter().zip(ends).filter_map(|((start_ms, grey), end_ms)| {
        let bits = look::look(grey, window)?;
        (*start_ms < end_ms).then_some(Look { start_ms: *start_ms, end_ms, bits })
    });
    Ok(looks.collect())
}

/// The looks of an image: as it is, and as it would be if its edges were cropped a little.
///
/// # Errors
///
/// [`Error::Ffmpeg`] when it cannot be made small.
pub fn looks_of_picture(picture: &Picture) -> Result<Vec<Bits>, Error> {
    let mut frame = Video::new(Pixel::RGB24, picture.width, picture.height);
    let (stride, row) = (frame.stride(0).max(1), picture.width as usize * 3);
    for (to, from) in frame.data_mut(0).chunks_mut(stride).zip(picture.rgb.chunks(row)) {
        to[..row].copy_from_slice(from);
    }
    let grey = Eye::default().look(&frame)?;
    let window = Window::within_bars([&grey].into_iter());
    let cropped = CROPS.iter().filter_map(|(left, top, right, bottom)| {
        look::look(&grey, window.without(*left, *top, *right, *bottom))
    });
    Ok(cropped.collect())
}

/// Makes frames small, grey and square.
#[derive(Default)]
struct Eye {
    context: Option<((Pixel, u32, u32), Context)>,
}

impl Eye {
    fn look(&mut self, frame: &Video) -> Result<Grey, Error> {
        let of = (frame.format(), frame.width(), frame.height());
        let fits = self.context.as_ref().is_some_and(|(made_for, _)| *made_for == of);
        if !fits {
            let side = SIDE as u32;
            let made = Context::get(of.0, of.1, of.2, Pixel::GRAY8, side, side, Flags::AREA);
            self.context = Some((of, made.map_err(ff("make a frame small"))?));
        }
        let Some((_, context)) = &mut self.context else { unreachable!("made above") };
        let mut small = Video::empty();
        context.run(frame, &mut small).map_err(ff("make a frame small"))?;
        let stride = small.stride(0).max(1);
        let rows = small.data(0).chunks(stride).take(SIDE);
        let mut pixels: Vec<u8> = rows.flat_map(|row| row.iter().take(SIDE).copied()).collect();
        pixels.resize(SIDE * SIDE, 0);
        Ok(Grey(pixels))
    }
}
