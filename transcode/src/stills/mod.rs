//! Pictures of a source: posters to choose from, and a storyboard to seek by.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::{Error, Input, Sink};

mod poster;
mod storyboard;

pub(crate) use poster::upright;

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stills {
    /// Up to three JPEG files, the best first. Sound with a cover has the cover.
    pub posters: Vec<Poster>,
    /// JPEG sprites, in order; none for sound.
    pub storyboard: Vec<Sprite>,
}

/// A picture that may stand for the resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poster {
    /// File name.
    pub file: String,
    /// Media time of the frame; 0 for a cover.
    pub time_ms: i64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A sheet of small pictures, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sprite {
    /// File name.
    pub file: String,
    /// Media time of the first picture's stretch.
    pub first_ms: i64,
    /// Pictures in a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Pixels of one picture.
    pub tile_width: u32,
    /// Pixels of one picture.
    pub tile_height: u32,
    /// How long each picture stands for.
    pub interval_ms: i64,
    /// Pictures in this sheet.
    pub count: u32,
}

/// Makes the posters and the storyboard in `out`; tells `on` the progress.
///
/// # Errors
///
/// [`Error::Unusable`] when no frame decodes, [`Error::Io`] when `out` cannot be written,
/// [`Error::Stopped`] or what `on` answered.
pub fn stills(input: &mut Input, plan: &Plan, out: &Path, on: &mut Sink) -> Result<Stills, Error> {
    let Some(video) = &plan.video else {
        let posters = match plan.cover {
            Some(track) => poster::cover(input, plan, track, out)?,
            None => Vec::new(),
        };
        return Ok(Stills { posters, storyboard: Vec::new() });
    };
    let posters = poster::posters(input, plan, video, out, on)?;
    let storyboard = storyboard::storyboard(input, plan, video, out, on)?;
    Ok(Stills { posters, storyboard })
}

/// The size of the video as it is shown.
pub(crate) fn shown(video: &crate::VideoPlan) -> (u32, u32) {
    let copy = video.copy.as_ref().map(|copy| (copy.width, copy.height));
    let rung = video.rungs.first().map(|rung| (rung.width, rung.height));
    copy.or(rung).unwrap_or((16, 9))
}

/// A side scaled in proportion, even, at least 2.
pub(crate) fn in_proportion(side: u32, to: u32, from: u32) -> u32 {
    let scaled = u64::from(side) * u64::from(to) / u64::from(from.max(1));
    u32::try_from(scaled).unwrap_or(8_192).clamp(2, 8_192) & !1
}

pub(crate) fn write(out: &Path, file: &str, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(out.join(file), bytes).map_err(crate::error::io(format!("write {file}")))
}
