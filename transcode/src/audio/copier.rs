//! The source's own AAC frames as a rendition.

use std::path::Path;

use ffmpeg_next::{Packet, Rational};

use crate::cmaf::{adts_frame, lc_config};
use crate::plan::{AudioPlan, AudioRendition, MAX_COPY_LATE_MS, Plan};
use crate::probe::extradata;
use crate::time::{from_ms, ticks};
use crate::{Error, Input, Sink};

use super::writer::Writer;

/// Samples of an AAC-LC frame.
const FRAME: i64 = 1_024;

/// Packages packets as they are.
pub(super) struct Copier {
    writer: Writer,
    base: Rational,
    start_us: i64,
    rate: u32,
    /// Where the next frame belongs.
    next: Option<i64>,
    /// Taken off every time: a first frame that begins a little before media time 0 begins there.
    shift: i64,
    /// Each frame has a header of its own.
    adts: bool,
    /// Nothing is heard from here on.
    last: i64,
}

impl Copier {
    pub(super) fn open(
        input: &Input,
        plan: &Plan,
        audio: &AudioPlan,
        rendition: &AudioRendition,
        out: &Path,
        on: &mut Sink,
    ) -> Result<Self, Error> {
        let stream = input.context().stream(audio.track);
        let stream = stream.ok_or_else(|| Error::plan(format!("no track {}", audio.track)))?;
        let mut config = extradata(&stream);
        let adts = config.len() < 2;
        if adts {
            let made = lc_config(audio.sample_rate, rendition.channels);
            let made = made.ok_or_else(|| Error::unusable("AAC without its configuration"))?;
            config = made.to_vec();
        }
        let writer = Writer::open(plan, audio, rendition, &config, out, on)?;
        let base = stream.time_base();
        let rate = audio.sample_rate;
        let last = from_ms(plan.duration_ms + MAX_COPY_LATE_MS, rate);
        Ok(Self { writer, base, start_us: plan.start_us, rate, next: None, shift: 0, adts, last })
    }

    pub(super) fn packet(&mut self, packet: &Packet, on: &mut Sink) -> Result<(), Error> {
        let data = packet.data().unwrap_or_default();
        let data = match adts_frame(data) {
            Some((frame, _)) if self.adts => frame,
            None if self.adts => return Ok(()),
            _ => data,
        };
        if data.is_empty() || packet.is_corrupt() {
            // Cut off with the file; what follows, if anything, says where it belongs.
            return Ok(());
        }
        let Some(stamp) = packet.pts() else { return Ok(()) };
        let time = ticks(stamp, self.base, self.start_us, self.rate) - self.shift;
        let time = match self.next {
            Some(next) => self.place(time, next),
            // At most 5 ms early: rather a little late than a hole at the start.
            None if time < 0 && time >= -i64::from(self.rate) / 200 => {
                self.shift = time;
                0
            }
            // The encoder's priming, heard before media time 0.
            None if time < 0 => return Ok(()),
            None => time,
        };
        if time >= self.last {
            return Ok(());
        }
        self.next = Some(time + FRAME);
        self.writer.push(time, data.to_vec(), on)
    }

    pub(super) fn finish(self, on: &mut Sink) -> Result<(), Error> {
        let end = self.next.ok_or_else(|| Error::unusable("no frame of the sound to copy"))?;
        self.writer.finish(end, on)
    }

    /// Frames follow each other without rounding errors; only a true hole moves them.
    fn place(&self, time: i64, next: i64) -> i64 {
        if time - next > i64::from(self.rate) / 50 { time } else { next }
    }
}
