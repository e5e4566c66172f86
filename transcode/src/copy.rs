//! The source's own H.264 packets as a rendition: playable at once, no sample decoded.

use std::path::Path;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::{Packet, Rational};

use crate::cmaf::{AvcConfig, Packager, Rendition, Sample, VideoTrack, has_idr, init_video};
use crate::plan::{
    CopyPlan, MAX_COPY_KEY_INTERVAL_MS, MAX_COPY_LATE_MS, Plan, VideoCodec, VideoPlan,
};
use crate::probe::extradata;
use crate::time::{VIDEO_SCALE, from_ms, ticks};
use crate::{Error, Event, Input, Sink};

/// Packages the plan's copied video into `out`: `{name}-init.mp4` and `{name}-{part:05}.m4s`.
///
/// Segments and parts begin at the first IDR frame at or after their nominal place.
///
/// # Errors
///
/// [`Error::Plan`] when the plan copies nothing, [`Error::Unusable`] when the packets turn out not
/// to be fit for it (then plan again without [`crate::Policy::copy_video`]), [`Error::Io`].
pub fn copy_video(input: &mut Input, plan: &Plan, out: &Path, on: &mut Sink) -> Result<(), Error> {
    let video = plan.video.as_ref().ok_or_else(|| Error::plan("no video"))?;
    let copy = video.copy.as_ref().ok_or_else(|| Error::plan("no copied video"))?;
    input.rewind()?;
    input.follow(&plan.jumps);
    input.select(&[video.track]);
    let mut copier = Copier::open(input, plan, video, copy, out, on)?;
    let mut packet = Packet::empty();
    loop {
        match input.read(&mut packet) {
            Ok(()) if packet.stream() == video.track => copier.packet(&packet, on)?,
            Ok(()) | Err(ffmpeg::Error::InvalidData) => {}
            Err(_) => break,
        }
    }
    copier.finish(on)
}

struct Copier<'a> {
    plan: &'a Plan,
    config: AvcConfig,
    packager: Packager,
    base: Rational,
    part: usize,
    segment: i64,
    /// The last key frame's time: nothing may be shown before it any more.
    key: Option<i64>,
    end: i64,
}

impl<'a> Copier<'a> {
    fn open(
        input: &Input,
        plan: &'a Plan,
        video: &VideoPlan,
        copy: &CopyPlan,
        out: &Path,
        on: &mut Sink,
    ) -> Result<Self, Error> {
        let stream = input.context().stream(video.track);
        let stream = stream.ok_or_else(|| Error::plan(format!("no track {}", video.track)))?;
        let config = AvcConfig::from_extradata(&extradata(&stream))?;
        let rendition = Rendition::new(&copy.name, VIDEO_SCALE, out);
        let file = rendition.write_init(&init_video(&VideoTrack {
            codec: VideoCodec::H264,
            width: copy.width,
            height: copy.height,
            record: &config.record,
            colour: copy.colour,
            time_scale: VIDEO_SCALE,
        }))?;
        on(Event::Init {
            rendition: copy.name.clone(),
            file,
            codecs: config.codecs.clone(),
            width: copy.width,
            height: copy.height,
            frame_rate: video.frame_rate.value(),
            sample_rate: 0,
            channels: 0,
            time_scale: VIDEO_SCALE,
        })?;
        let mut packager = Packager::new(rendition);
        packager.begin_part(0)?;
        let base = stream.time_base();
        Ok(Self { plan, config, packager, base, part: 0, segment: 0, key: None, end: 0 })
    }

    fn packet(&mut self, packet: &Packet, on: &mut Sink) -> Result<(), Error> {
        let stamp = packet.pts().ok_or_else(|| Error::unusable("a frame without a time"))?;
        let time = ticks(stamp, self.base, self.plan.start_us, VIDEO_SCALE);
        if time >= from_ms(self.plan.duration_ms + MAX_COPY_LATE_MS, VIDEO_SCALE) {
            return Ok(());
        }
        let data = packet.data().unwrap_or_default();
        let idr = packet.is_key() && has_idr(data, self.config.packets);
        if self.key.is_none() && !idr {
            // Frames before the first key frame cannot be decoded.
            return Ok(());
        }
        if self.config.is_changed_by(data) || has_new_parameters(packet, &self.config) {
            return Err(Error::unusable("the parameters change within the video"));
        }
        let sample = self.config.sample(data, false);
        if sample.is_empty() || packet.is_corrupt() {
            // Cut off with the file: players refuse a sample of no bytes.
            return Ok(());
        }
        if self.key.is_some_and(|key| time < key) || time < 0 {
            return Err(Error::unusable("frames are shown before the key frame they follow"));
        }
        let longest = from_ms(MAX_COPY_KEY_INTERVAL_MS, VIDEO_SCALE);
        if idr {
            self.border(time, on)?;
            self.key = Some(time);
        } else if self.key.is_some_and(|key| time - key > longest) {
            // Its other key frames cannot be cut at (open GOPs): segments would grow without end.
            return Err(Error::unusable("the key frames are too far apart"));
        }
        let after =
            ticks(stamp + packet.duration().max(0), self.base, self.plan.start_us, VIDEO_SCALE);
        self.end = self.end.max(after);
        self.packager.push(Sample { time, key: idr, data: sample });
        Ok(())
    }

    /// A key frame: perhaps the first of a segment, perhaps of a part.
    fn border(&mut self, time: i64, on: &mut Sink) -> Result<(), Error> {
        let size = from_ms(self.plan.segment_ms, VIDEO_SCALE).max(1);
        let number = time.div_euclid(size);
        if number <= self.segment || !self.packager.has_samples() {
            return Ok(());
        }
        self.packager.end_segment(self.segment, time)?;
        self.segment = number;
        let part_of = |part: &&crate::PartRange| from_ms(part.end_ms, VIDEO_SCALE) > time;
        let part = self.plan.parts.iter().find(part_of).map_or(self.part, |part| part.index);
        if part > self.part {
            self.packager.end_part(on)?;
            self.packager.begin_part(part)?;
            self.part = part;
            #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
            on(Event::Progress(part as f64 / self.plan.parts.len() as f64))?;
        }
        Ok(())
    }

    fn finish(mut self, on: &mut Sink) -> Result<(), Error> {
        if self.key.is_none() {
            return Err(Error::unusable("no key frame to begin with"));
        }
        let duration = from_ms(self.plan.duration_ms, VIDEO_SCALE);
        let late = from_ms(MAX_COPY_LATE_MS, VIDEO_SCALE);
        let end = self.end.clamp(duration, duration + late);
        self.packager.end_segment(self.segment, end)?;
        self.packager.end_part(on)?;
        on(Event::Progress(1.0))
    }
}

/// Does the packet bring another decoder configuration with it?
fn has_new_parameters(packet: &Packet, config: &AvcConfig) -> bool {
    packet
        .side_data()
        .filter(|data| data.kind() == ffmpeg::packet::side_data::Type::NewExtraData)
        .any(|data| {
            AvcConfig::from_extradata(data.data()).is_ok_and(|new| new.record != config.record)
        })
}
