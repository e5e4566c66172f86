//! One track of sound on its way from packets to renditions, kept to its time stamps.

use std::path::Path;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::decoder::Opened;
use ffmpeg_next::frame::Audio;
use ffmpeg_next::{Packet, Rational};

use crate::error::ff;
use crate::plan::{AudioPlan, Plan};
use crate::time::{from_ms, ticks};
use crate::{Error, Input, Sink};

use super::encoder::{Rendition, frame_size};
use super::loudness::{Loudness, Meter};
use super::resampler::{Kind, Resampler};

/// A hole or an overlap of more than this is filled or cut at once.
const HARD_MS: i64 = 30;
/// A steady difference of more than this is stretched away.
const SOFT_MS: i64 = 2;

/// Decodes, keeps to time, and feeds the renditions.
pub(super) struct Track {
    decoder: Opened,
    base: Rational,
    start_us: i64,
    rate: u32,
    channels: u32,
    resampler: Option<(Kind, Resampler)>,
    renditions: Vec<Rendition>,
    meter: Option<Meter>,
    /// What is made is kept in `waiting`, up to the end.
    listens: bool,
    /// Every sample is multiplied by this.
    gain: f32,
    /// Samples of a frame.
    frame: usize,
    /// For each channel, less than a frame between two packets.
    waiting: Vec<Vec<f32>>,
    /// Samples that came out of the resampler and were not dropped.
    made: i64,
    /// Samples to leave out of what comes next.
    surplus: i64,
    total: i64,
    clock: Clock,
}

impl Track {
    pub(super) fn open(
        input: &Input,
        plan: &Plan,
        audio: &AudioPlan,
        gain: f32,
        out: &Path,
        on: &mut Sink,
    ) -> Result<Self, Error> {
        let mut renditions = Vec::new();
        for rendition in audio.renditions.iter().filter(|r| !r.copy) {
            renditions.push(Rendition::open(plan, audio, rendition, out, on)?);
        }
        let channels = audio.renditions.iter().filter(|r| !r.copy).map(|r| r.channels);
        let (lead, _) = renditions.first().map_or((0, 0), Rendition::lead);
        let mut track = Self::new(input, plan, audio, channels.max().unwrap_or(2))?;
        let lead = usize::try_from(lead).unwrap_or(0);
        track.waiting.iter_mut().for_each(|waiting| waiting.resize(lead, 0.0));
        Ok(Self { renditions, gain, ..track })
    }

    /// A track that is not encoded but measured, as it would be encoded.
    pub(super) fn measuring(input: &Input, plan: &Plan, audio: &AudioPlan) -> Result<Self, Error> {
        let channels = audio.renditions.iter().map(|r| r.channels).max().unwrap_or(2);
        let track = Self::new(input, plan, audio, channels)?;
        let meter = Meter::new(track.channels, track.rate)?;
        Ok(Self { meter: Some(meter), ..track })
    }

    /// A track that is neither encoded nor measured: one channel, for who listens.
    pub(super) fn listening(input: &Input, plan: &Plan, audio: &AudioPlan) -> Result<Self, Error> {
        let track = Self::new(input, plan, audio, 1)?;
        Ok(Self { listens: true, ..track })
    }

    /// What there was to hear: as long as the plan, or less where the track ends before.
    pub(super) fn heard(mut self, on: &mut Sink) -> Result<Vec<f32>, Error> {
        if !self.is_whole() {
            let _ = self.decoder.send_eof();
            self.drain(on)?;
            self.empty_resampler(on)?;
        }
        Ok(self.waiting.swap_remove(0))
    }

    /// Whether all is there that the plan wants.
    pub(super) fn is_whole(&self) -> bool {
        self.made >= self.total
    }

    fn new(input: &Input, plan: &Plan, audio: &AudioPlan, channels: u32) -> Result<Self, Error> {
        let channels = channels.clamp(1, 2);
        let decoder = input.decoder(audio.track, 1)?;
        let stream = input.context().stream(audio.track);
        let stream = stream.ok_or_else(|| Error::plan(format!("no track {}", audio.track)))?;
        Ok(Self {
            decoder,
            base: stream.time_base(),
            start_us: plan.start_us,
            rate: audio.sample_rate,
            channels,
            resampler: None,
            renditions: Vec::new(),
            meter: None,
            listens: false,
            gain: 1.0,
            frame: frame_size(audio.codec),
            waiting: vec![Vec::new(); channels as usize],
            made: 0,
            surplus: 0,
            total: from_ms(plan.duration_ms, audio.sample_rate).max(1),
            clock: Clock::default(),
        })
    }

    /// How much of the track is done, 0 to 1.
    pub(super) fn share(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
        let share = self.made as f64 / self.total as f64;
        share.min(1.0)
    }

    pub(super) fn packet(&mut self, packet: &Packet, on: &mut Sink) -> Result<(), Error> {
        // A packet that does not decode leaves a hole, which becomes silence.
        let _ = self.decoder.send_packet(packet);
        self.drain(on)
    }

    pub(super) fn finish(mut self, on: &mut Sink) -> Result<(), Error> {
        let _ = self.decoder.send_eof();
        self.drain(on)?;
        self.empty_resampler(on)?;
        let frame = i64::try_from(self.frame).unwrap_or(1);
        let whole = (self.total + frame - 1) / frame * frame;
        let (_, after) = self.renditions.first().map_or((0, 0), Rendition::lead);
        self.silence(whole + after - self.made, whole + after, on)?;
        self.renditions.into_iter().try_for_each(|rendition| rendition.finish(on))
    }

    /// How loud the track is as a whole.
    pub(super) fn measured(mut self, on: &mut Sink) -> Result<Loudness, Error> {
        let _ = self.decoder.send_eof();
        self.drain(on)?;
        self.empty_resampler(on)?;
        self.meter.map_or(Ok(Loudness::SILENCE), Meter::finish)
    }

    fn drain(&mut self, on: &mut Sink) -> Result<(), Error> {
        let mut frame = Audio::empty();
        loop {
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => self.frame(&frame, on)?,
                Err(error @ ffmpeg::Error::Other { errno: libc::ENOMEM }) => {
                    return Err(ff("decode the sound")(error));
                }
                Err(_) => return Ok(()),
            }
        }
    }

    fn frame(&mut self, frame: &Audio, on: &mut Sink) -> Result<(), Error> {
        if frame.samples() == 0 || frame.rate() == 0 || frame.channels() == 0 {
            return Ok(());
        }
        let kind = Kind::of(frame);
        if self.resampler.as_ref().is_none_or(|(old, _)| *old != kind) {
            self.empty_resampler(on)?;
            let resampler = Resampler::new(frame, self.channels, self.rate)?;
            self.resampler = Some((kind, resampler));
        }
        if let Some(stamp) = frame.timestamp() {
            self.keep_time(stamp, on)?;
        }
        let Some((_, resampler)) = &mut self.resampler else { return Ok(()) };
        let planes = resampler.convert(Some(frame))?;
        self.take(&planes, on)
    }

    /// Compares where the frame should be heard with where it would be.
    fn keep_time(&mut self, stamp: i64, on: &mut Sink) -> Result<(), Error> {
        let held = self.resampler.as_ref().map_or(0, |(_, resampler)| resampler.delay());
        let place = self.made + held - self.surplus;
        let wanted = ticks(stamp, self.base, self.start_us, self.rate);
        let off = wanted.saturating_sub(place);
        let ms = |ms: i64| from_ms(ms, self.rate);
        if off.abs() > ms(HARD_MS) || !self.clock.started {
            self.clock = Clock { started: true, ..Clock::default() };
            if off > 0 {
                self.silence(off, self.total, on)?;
            } else {
                self.surplus -= off;
            }
        } else if let Some(samples) = self.clock.drift(off, ms(SOFT_MS), i64::from(self.rate))
            && let Some((_, resampler)) = &mut self.resampler
        {
            resampler.stretch(samples);
        }
        Ok(())
    }

    fn empty_resampler(&mut self, on: &mut Sink) -> Result<(), Error> {
        let Some((_, mut resampler)) = self.resampler.take() else { return Ok(()) };
        let planes = resampler.convert(None)?;
        self.take(&planes, on)
    }

    /// Adds converted samples; what is beyond the end is left out.
    fn take(&mut self, planes: &[Vec<f32>], on: &mut Sink) -> Result<(), Error> {
        let count = planes.first().map_or(0, Vec::len);
        let dropped = usize::try_from(self.surplus.max(0)).unwrap_or(usize::MAX).min(count);
        self.surplus -= i64::try_from(dropped).unwrap_or(0);
        let room = usize::try_from((self.total - self.made).max(0)).unwrap_or(0);
        let kept = (count - dropped).min(room);
        for (waiting, plane) in self.waiting.iter_mut().zip(planes) {
            let plane = &plane[dropped..dropped + kept];
            waiting.extend(plane.iter().map(|sample| sample * self.gain));
        }
        self.made += i64::try_from(kept).unwrap_or(0);
        self.encode(on)
    }

    /// Adds so many samples of silence, up to `limit` samples in all, encoding on the way: a hole
    /// may last for hours.
    fn silence(&mut self, count: i64, limit: i64, on: &mut Sink) -> Result<(), Error> {
        let mut rest = count.min(limit - self.made).max(0);
        while rest > 0 {
            let step = rest.min(i64::from(self.rate));
            let samples = usize::try_from(step).unwrap_or(0);
            for waiting in &mut self.waiting {
                waiting.resize(waiting.len() + samples, 0.0);
            }
            self.made += step;
            rest -= step;
            self.encode(on)?;
        }
        Ok(())
    }

    fn encode(&mut self, on: &mut Sink) -> Result<(), Error> {
        if self.listens {
            return Ok(());
        }
        let whole = self.waiting.first().map_or(0, |w| w.len() / self.frame * self.frame);
        for at in (0..whole).step_by(self.frame) {
            let planes: Vec<&[f32]> =
                self.waiting.iter().map(|w| &w[at..at + self.frame]).collect();
            if let Some(meter) = &mut self.meter {
                meter.take(&planes)?;
            }
            for rendition in &mut self.renditions {
                rendition.frame(&planes, on)?;
            }
        }
        for waiting in &mut self.waiting {
            waiting.drain(..whole);
        }
        Ok(())
    }
}

/// Tells drift from the jitter of rounded time stamps.
#[derive(Debug, Default)]
struct Clock {
    started: bool,
    mean: f64,
    frames: u32,
}

impl Clock {
    /// The samples to stretch by during the next second, when the mean is off by more than
    /// `tolerance`. Asked again only after some frames, so that a correction can work first.
    fn drift(&mut self, off: i64, tolerance: i64, rate: i64) -> Option<i32> {
        #[expect(clippy::cast_precision_loss, reason = "at most 30 ms of samples")]
        let off = off as f64;
        self.frames += 1;
        self.mean += (off - self.mean) / f64::from(self.frames.min(32));
        #[expect(clippy::cast_possible_truncation, reason = "at most 30 ms of samples")]
        let mean = self.mean as i64;
        if self.frames < 48 || mean.abs() <= tolerance {
            return None;
        }
        self.frames = 0;
        self.mean = 0.0;
        i32::try_from(mean.clamp(-rate / 50, rate / 50)).ok()
    }
}
