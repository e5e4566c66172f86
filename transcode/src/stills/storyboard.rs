//! The storyboard: small pictures at even distances, a hundred to a sheet.

use std::path::Path;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;

use crate::decode::VideoReader;
use crate::event::Pulse;
use crate::frame::{Look, Upright, jpeg, share};
use crate::plan::{Plan, VideoPlan};
use crate::time::{VIDEO_SCALE, from_ms};
use crate::{Error, Input, Sink};

use super::{Sprite, in_proportion, shown, write};

/// Pictures in a row and in a column of a sheet.
const SIDE: u32 = 10;
/// Pixels.
const TILE_WIDTH: u32 = 160;
/// Tall pictures are bounded: a sheet must stay below 4,096 pixels.
const MAX_TILE_HEIGHT: u32 = 400;
/// Pictures of the whole video, at most.
const MAX_TILES: i64 = 200;
const MIN_INTERVAL_MS: i64 = 2_000;
/// Up to this length all frames are decoded, so that each picture is from its own time.
const EXACT_MS: i64 = 90_000;
/// FFmpeg's scale, 2 is best.
const QUALITY: u8 = 6;

pub(super) fn storyboard(
    input: &mut Input,
    plan: &Plan,
    video: &VideoPlan,
    out: &Path,
    on: &mut Sink,
) -> Result<Vec<Sprite>, Error> {
    let (width, height) = shown(video);
    let tile_height = in_proportion(height, TILE_WIDTH, width).min(MAX_TILE_HEIGHT);
    let look = Look { jpeg: true, ..Look::video(video, TILE_WIDTH, tile_height) };
    let interval_ms = (plan.duration_ms + MAX_TILES - 1) / MAX_TILES;
    let interval_ms = interval_ms.max(MIN_INTERVAL_MS);
    let count = (plan.duration_ms + interval_ms - 1) / interval_ms;
    let times = (0..count).map(|i| from_ms(i * interval_ms, VIDEO_SCALE));
    let mut reader = VideoReader::open(input, plan, video.track)?;
    let mut pulse = Pulse::new();
    let end = from_ms(plan.duration_ms, VIDEO_SCALE).max(1);
    #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
    let mut tell = |time: i64| pulse.beat(time as f64 / end as f64, on);
    let tiles = if plan.duration_ms <= EXACT_MS || !video.reliable_times {
        exact(&mut reader, &look, times, &mut tell)?
    } else {
        by_key_frames(&mut reader, &look, times, &mut tell)?
    };
    sheets(&tiles, tile_height, interval_ms, out)
}

/// The frame on the screen at each time, decoding everything once.
fn exact(
    reader: &mut VideoReader,
    look: &Look,
    times: impl Iterator<Item = i64>,
    tell: &mut dyn FnMut(i64) -> Result<(), Error>,
) -> Result<Vec<Video>, Error> {
    let mut filters = Upright::new(look.clone());
    let mut tiles: Vec<Video> = Vec::new();
    let mut times = times.peekable();
    let mut last: Option<Video> = None;
    while let Some(&time) = times.peek() {
        tell(time)?;
        match reader.next()? {
            Some(frame) if frame.pts().is_some_and(|pts| pts <= time) => last = Some(frame),
            frame => {
                let ended = frame.is_none();
                let next = frame.as_ref().and_then(|frame| frame.pts()).unwrap_or(i64::MAX);
                // Before the first frame there is only the first frame.
                let (picture, following) = match (last.take(), frame) {
                    (Some(picture), following) => (picture, following),
                    (None, Some(first)) => (first, None),
                    (None, None) => break,
                };
                let small = small(&mut filters, share(&picture)?)?;
                // One picture for all times before the next frame.
                while times.next_if(|&time| time < next || ended).is_some() {
                    tiles.push(share(&small)?);
                }
                last = following.or(Some(picture));
            }
        }
    }
    Ok(tiles)
}

/// The key frame before each time.
fn by_key_frames(
    reader: &mut VideoReader,
    look: &Look,
    times: impl Iterator<Item = i64>,
    tell: &mut dyn FnMut(i64) -> Result<(), Error>,
) -> Result<Vec<Video>, Error> {
    let mut filters = Upright::new(look.clone());
    let mut tiles: Vec<Video> = Vec::new();
    let mut shown = None;
    for time in times {
        tell(time)?;
        let frame = reader.key_frame_before(time)?;
        let again = frame.as_ref().is_none_or(|frame| frame.pts() == shown);
        let tile = match (frame, tiles.last()) {
            (_, Some(before)) if again => share(before)?,
            (Some(frame), _) => {
                shown = frame.pts();
                small(&mut filters, frame)?
            }
            (None, Some(before)) => share(before)?,
            (None, None) => continue,
        };
        tiles.push(tile);
    }
    Ok(tiles)
}

fn small(filters: &mut Upright, frame: Video) -> Result<Video, Error> {
    let mut ready = filters.push(frame)?;
    if ready.is_empty() {
        // A deinterlacer waits for the next frame, which is far away here.
        ready = filters.flush()?;
    }
    ready.pop().ok_or_else(|| Error::unusable("the filters gave no picture"))
}

fn sheets(
    tiles: &[Video],
    tile_height: u32,
    interval_ms: i64,
    out: &Path,
) -> Result<Vec<Sprite>, Error> {
    let mut sprites = Vec::new();
    let per_sheet = (SIDE * SIDE) as usize;
    for (i, tiles) in tiles.chunks(per_sheet).enumerate() {
        let count = u32::try_from(tiles.len()).unwrap_or(SIDE * SIDE);
        let columns = SIDE.min(count);
        let rows = count.div_ceil(SIDE);
        let mut sheet = Video::new(Pixel::YUVJ420P, columns * TILE_WIDTH, rows * tile_height);
        blacken(&mut sheet);
        for (tile, at) in tiles.iter().zip(0..) {
            paste(tile, &mut sheet, at % SIDE * TILE_WIDTH, at / SIDE * tile_height);
        }
        let file = format!("storyboard-{i}.jpg");
        write(out, &file, &jpeg(&sheet, QUALITY)?)?;
        sprites.push(Sprite {
            file,
            first_ms: i64::try_from(i * per_sheet).unwrap_or(0) * interval_ms,
            columns,
            rows,
            tile_width: TILE_WIDTH,
            tile_height,
            interval_ms,
            count,
        });
    }
    Ok(sprites)
}

fn blacken(sheet: &mut Video) {
    for plane in 0..3 {
        sheet.data_mut(plane).fill(if plane == 0 { 0 } else { 128 });
    }
}

/// Copies the three planes of a picture to an even place.
fn paste(tile: &Video, sheet: &mut Video, x: u32, y: u32) {
    for plane in 0..3 {
        let half = u32::from(plane > 0);
        let (x, y) = ((x >> half) as usize, (y >> half) as usize);
        let (width, height) = ((tile.width() >> half) as usize, (tile.height() >> half) as usize);
        let (from_stride, to_stride) = (tile.stride(plane), sheet.stride(plane));
        let to = sheet.data_mut(plane);
        for (row, line) in tile.data(plane).chunks(from_stride).take(height).enumerate() {
            let at = (y + row) * to_stride + x;
            if let (Some(to), Some(from)) = (to.get_mut(at..at + width), line.get(..width)) {
                to.copy_from_slice(from);
            }
        }
    }
}
