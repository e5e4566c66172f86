//! Posters: frames from all over the video, the liveliest first.

use std::path::Path;

use ffmpeg_next::frame::Video;

use crate::decode::VideoReader;
use crate::event::Pulse;
use crate::facts::{Colour, Hdr};
use crate::frame::{Look, Upright, jpeg};
use crate::plan::{Plan, VideoPlan};
use crate::time::{VIDEO_SCALE, from_ms};
use crate::{Error, Input, Sink};

use super::{Poster, in_proportion, shown, write};

/// Where to look, in thousandths of the video.
const PLACES: [i64; 8] = [50, 130, 220, 330, 440, 560, 700, 850];
/// How many to keep.
const KEEP: usize = 3;
/// Pixels of the longer side.
const LONG_SIDE: u32 = 1_280;
/// FFmpeg's scale, 2 is best.
const QUALITY: u8 = 4;
/// Mean and variance of luma (0 to 255) below which a frame shows nothing.
const DARK: f64 = 24.0;
const FLAT: f64 = 60.0;

pub(super) fn posters(
    input: &mut Input,
    plan: &Plan,
    video: &VideoPlan,
    out: &Path,
    on: &mut Sink,
) -> Result<Vec<Poster>, Error> {
    let (width, height) = bounded(shown(video));
    let look = Look { jpeg: true, ..Look::video(video, width, height) };
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut reader = VideoReader::open(input, plan, video.track)?;
    let mut pulse = Pulse::new();
    for place in PLACES {
        // The storyboard is most of the work.
        pulse.beat(0.0, on)?;
        let time = from_ms(plan.duration_ms * place / 1_000, VIDEO_SCALE);
        let Some(frame) = reader.key_frame_before(time)? else { continue };
        let time_ms = frame.pts().unwrap_or(0).max(0) / i64::from(VIDEO_SCALE / 1_000);
        if candidates.iter().any(|c| c.time_ms == time_ms) {
            continue;
        }
        candidates.extend(upright(&look, frame)?.map(|frame| Candidate::new(frame, time_ms)));
    }
    if candidates.len() < KEEP {
        add_first(&mut reader, video, &look, &mut candidates)?;
    }
    if candidates.is_empty() {
        return Err(Error::unusable("no frame of the video could be decoded"));
    }
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(KEEP);
    save(&candidates, out)
}

/// The cover of a piece of sound.
pub(super) fn cover(
    input: &mut Input,
    plan: &Plan,
    track: usize,
    out: &Path,
) -> Result<Vec<Poster>, Error> {
    let mut reader = VideoReader::open(input, plan, track)?;
    let Some(frame) = reader.next()? else { return Ok(Vec::new()) };
    let (width, height) = bounded((frame.width(), frame.height()));
    let look = Look {
        width,
        height,
        deinterlace: false,
        rotation: 0,
        mirrored: false,
        tone_map: Hdr::None,
        matrix: Colour::BT601.matrix,
        jpeg: true,
    };
    let candidates: Vec<Candidate> =
        upright(&look, frame)?.map(|frame| Candidate::new(frame, 0)).into_iter().collect();
    save(&candidates, out)
}

/// A short video may have a single key frame: take the first frame that shows something, and some
/// behind it.
fn add_first(
    reader: &mut VideoReader,
    video: &VideoPlan,
    look: &Look,
    candidates: &mut Vec<Candidate>,
) -> Result<(), Error> {
    reader.start_before(0, video.reliable_times)?;
    for number in 0..64 {
        let Some(frame) = reader.next()? else { break };
        if number % 16 != 0 {
            continue;
        }
        let time_ms = frame.pts().unwrap_or(0).max(0) / i64::from(VIDEO_SCALE / 1_000);
        if candidates.iter().all(|c| c.time_ms != time_ms) {
            candidates.extend(upright(look, frame)?.map(|frame| Candidate::new(frame, time_ms)));
        }
    }
    Ok(())
}

fn bounded((width, height): (u32, u32)) -> (u32, u32) {
    let long = width.max(height);
    let to = long.min(LONG_SIDE);
    (in_proportion(width, to, long), in_proportion(height, to, long))
}

/// One frame as the look wants it.
pub(crate) fn upright(look: &Look, frame: Video) -> Result<Option<Video>, Error> {
    let mut filters = Upright::new(look.clone());
    let mut ready = filters.push(frame)?;
    ready.extend(filters.flush()?);
    Ok(ready.into_iter().next())
}

fn save(candidates: &[Candidate], out: &Path) -> Result<Vec<Poster>, Error> {
    let mut posters = Vec::new();
    for (i, candidate) in candidates.iter().enumerate() {
        let file = format!("poster-{i}.jpg");
        write(out, &file, &jpeg(&candidate.frame, QUALITY)?)?;
        let (width, height) = (candidate.frame.width(), candidate.frame.height());
        posters.push(Poster { file, time_ms: candidate.time_ms, width, height });
    }
    Ok(posters)
}

struct Candidate {
    frame: Video,
    time_ms: i64,
    score: f64,
}

impl Candidate {
    fn new(frame: Video, time_ms: i64) -> Self {
        let (mean, variance) = luma(&frame);
        // What is black or of one colour comes after all others.
        let empty = mean < DARK || variance < FLAT;
        let score = if empty { variance - 1e6 } else { variance };
        Self { frame, time_ms, score }
    }
}

/// Mean and variance of the luma plane, of every fourth sample of every fourth row.
fn luma(frame: &Video) -> (f64, f64) {
    let (stride, width) = (frame.stride(0), frame.width() as usize);
    let rows = frame.data(0).chunks(stride.max(1)).take(frame.height() as usize).step_by(4);
    let (mut count, mut sum, mut squares) = (0_u32, 0.0, 0.0);
    for sample in rows.flat_map(|row| row.iter().take(width).step_by(4)) {
        let value = f64::from(*sample);
        count += 1;
        sum += value;
        squares += value * value;
    }
    let count = f64::from(count.max(1));
    let mean = sum / count;
    (mean, squares / count - mean * mean)
}
