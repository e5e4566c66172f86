//! What the long steps tell their caller while they work.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Error;

/// Takes events; an error stops the step.
pub type Sink<'a> = dyn FnMut(Event) -> Result<(), Error> + 'a;

/// Something happened. Files are names inside the step's output folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The initialisation segment (`ftyp moov`) of a rendition is written. It comes before the
    /// rendition's first part in every call and has the same bytes each time.
    Init {
        /// Name of the rendition, e.g. `720p`.
        rendition: String,
        /// File name.
        file: String,
        /// RFC 6381, e.g. `avc1.64001F`.
        codecs: String,
        /// Pixels; 0 for audio.
        width: u32,
        /// Pixels; 0 for audio.
        height: u32,
        /// Frames a second, average; 0 for audio.
        frame_rate: f64,
        /// Hz; 0 for video.
        sample_rate: u32,
        /// 0 for video.
        channels: u32,
        /// Ticks a second of this rendition's times.
        time_scale: u32,
    },
    /// A part is written: whole segments, `moof mdat` each, one after the other.
    Part {
        /// Name of the rendition.
        rendition: String,
        /// Which part, from 0.
        index: usize,
        /// File name.
        file: String,
        /// The segments, in order; together they are the whole file.
        segments: Vec<Segment>,
        /// The largest bit rate of one segment.
        peak_bitrate_bps: i64,
    },
    /// Share of this call's work that is done, 0 to 1.
    Progress(f64),
}

/// Tells how far a step is, at once and then about once a second, so that its caller sees that it
/// is alive.
pub(crate) struct Pulse {
    told: Option<Instant>,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self { told: None }
    }

    /// Tells the share of the work that is done, 0 to 1, if it is time to.
    pub(crate) fn beat(&mut self, share: f64, on: &mut Sink) -> Result<(), Error> {
        if self.told.is_some_and(|told| told.elapsed() < Duration::from_secs(1)) {
            return Ok(());
        }
        self.told = Some(Instant::now());
        on(Event::Progress(share.clamp(0.0, 0.99)))
    }
}

/// One segment: where it lies in its part and when it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// From the start of the part.
    pub offset_bytes: u64,
    /// `moof` and `mdat` together.
    pub length_bytes: u64,
    /// Up to the end of the first sample, which of a picture is an IDR frame.
    pub key_bytes: u64,
    /// Media time in the rendition's ticks.
    pub start_ticks: i64,
    /// Up to the next segment's start.
    pub duration_ticks: i64,
}
