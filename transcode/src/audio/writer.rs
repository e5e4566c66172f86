//! Frames of sound into segments and parts, by the clock of the sample rate.

use std::path::Path;

use crate::cmaf::{AudioTrack, Packager, Rendition, Sample, init_audio};
use crate::plan::{AudioCodec, AudioPlan, AudioRendition, Plan};
use crate::time::from_ms;
use crate::{Error, Event, PartRange, Sink};

/// Writes one rendition.
pub(super) struct Writer {
    packager: Packager,
    rate: u32,
    segment_ticks: i64,
    parts: Vec<PartRange>,
    part: usize,
    segment: i64,
}

impl Writer {
    /// Writes the initialisation segment, for AAC with its `AudioSpecificConfig`, and begins the first part.
    pub(super) fn open(
        plan: &Plan,
        audio: &AudioPlan,
        rendition: &AudioRendition,
        config: &[u8],
        out: &Path,
        on: &mut Sink,
    ) -> Result<Self, Error> {
        let files = Rendition::new(&rendition.name, audio.sample_rate, out);
        let file = files.write_init(&init_audio(&AudioTrack {
            codec: audio.codec,
            config,
            channels: rendition.channels,
            sample_rate: audio.sample_rate,
            bitrate_bps: rendition.bitrate_bps,
            language: audio.language.as_deref(),
        }))?;
        on(Event::Init {
            rendition: rendition.name.clone(),
            file,
            codecs: match audio.codec {
                // AAC-LC, the only kind made or copied (ISO/IEC 14496-3 table 1.17).
                AudioCodec::Aac => "mp4a.40.2".to_owned(),
                AudioCodec::Opus => "opus".to_owned(),
            },
            width: 0,
            height: 0,
            frame_rate: 0.0,
            sample_rate: audio.sample_rate,
            channels: rendition.channels,
            time_scale: audio.sample_rate,
        })?;
        let mut packager = Packager::new(files);
        packager.begin_part(0)?;
        Ok(Self {
            packager,
            rate: audio.sample_rate,
            segment_ticks: from_ms(plan.segment_ms, audio.sample_rate).max(1),
            parts: plan.parts.clone(),
            part: 0,
            segment: 0,
        })
    }

    /// Adds a frame that is heard from `time`, in samples; times rise.
    pub(super) fn push(&mut self, time: i64, data: Vec<u8>, on: &mut Sink) -> Result<(), Error> {
        let number = self.number(time);
        if number > self.segment {
            self.packager.end_segment(self.segment, time)?;
            self.segment = number;
            self.turn_part(time, on)?;
        }
        self.packager.push(Sample { time, key: true, data });
        Ok(())
    }

    /// Ends the rendition at `end`, in samples.
    pub(super) fn finish(mut self, end: i64, on: &mut Sink) -> Result<(), Error> {
        self.packager.end_segment(self.segment, end)?;
        self.packager.end_part(on)
    }

    /// The segment that a time lies in. What little is left behind the last border of the last
    /// part makes no part of its own (see the plan), but a segment.
    fn number(&self, time: i64) -> i64 {
        time.div_euclid(self.segment_ticks)
    }

    fn turn_part(&mut self, time: i64, on: &mut Sink) -> Result<(), Error> {
        let here = |part: &&PartRange| from_ms(part.end_ms, self.rate) > time;
        let last = self.parts.len().saturating_sub(1);
        let part = self.parts.iter().find(here).map_or(last, |part| part.index);
        if part > self.part {
            self.packager.end_part(on)?;
            self.packager.begin_part(part)?;
            self.part = part;
        }
        Ok(())
    }
}
