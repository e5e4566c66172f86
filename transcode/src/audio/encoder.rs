//! FFmpeg's AAC-LC encoder, or libopus, for one rendition.

use std::path::Path;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::encoder::audio::Encoder;
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::frame::Audio;
use ffmpeg_next::{ChannelLayout, Packet, Rational};

use crate::error::ff;
use crate::plan::{AudioCodec, AudioPlan, AudioRendition, Plan};
use crate::{Error, Sink};

use super::writer::Writer;

/// Samples of a frame.
pub(super) fn frame_size(codec: AudioCodec) -> usize {
    match codec {
        AudioCodec::Aac => 1_024,
        // 20 ms.
        AudioCodec::Opus => 960,
    }
}

/// Encodes and packages one rendition.
pub(super) struct Rendition {
    encoder: Encoder,
    writer: Writer,
    codec: AudioCodec,
    channels: u32,
    rate: u32,
    /// Samples of a frame.
    frame: i64,
    sent: i64,
    /// Frames that hold only the encoder's delay; they are left out, so the sound is in place.
    priming: i64,
    /// Samples of silence that come first: with them the delay is of whole frames.
    lead: i64,
    received: i64,
}

impl Rendition {
    pub(super) fn open(
        plan: &Plan,
        audio: &AudioPlan,
        rendition: &AudioRendition,
        out: &Path,
        on: &mut Sink,
    ) -> Result<Self, Error> {
        let encoder = encoder(audio, rendition)?;
        let (config, padding) = facts(&encoder);
        let writer = Writer::open(plan, audio, rendition, &config, out, on)?;
        let frame = i64::try_from(frame_size(audio.codec)).unwrap_or(1);
        let priming = (padding + frame - 1) / frame;
        Ok(Self {
            encoder,
            writer,
            codec: audio.codec,
            frame,
            lead: priming * frame - padding,
            channels: rendition.channels,
            rate: audio.sample_rate,
            sent: 0,
            priming,
            received: 0,
        })
    }

    /// Samples of silence to be given before the sound, and again to fill up their last frame.
    pub(super) fn lead(&self) -> (i64, i64) {
        (self.lead, if self.lead > 0 { self.frame - self.lead } else { 0 })
    }

    /// Takes one frame of samples for each channel that the source gives.
    pub(super) fn frame(&mut self, planes: &[&[f32]], on: &mut Sink) -> Result<(), Error> {
        let size = planes.first().map_or(0, |plane| plane.len());
        let mut frame = Audio::new(format(self.codec), size, layout(self.channels));
        frame.set_rate(self.rate);
        frame.set_pts(Some(self.sent));
        let mixed = |channel| mixed(planes, channel, self.channels);
        match (self.codec, self.channels) {
            (AudioCodec::Opus, 2) => {
                let both = mixed(0).zip(mixed(1));
                frame.plane_mut::<(f32, f32)>(0).iter_mut().zip(both).for_each(|(to, of)| *to = of);
            }
            _ => {
                for channel in 0..self.channels as usize {
                    let to = frame.plane_mut::<f32>(channel).iter_mut();
                    to.zip(mixed(channel)).for_each(|(to, of)| *to = of);
                }
            }
        }
        self.sent += self.frame;
        self.encoder.send_frame(&frame).map_err(ff("encode the sound"))?;
        self.receive(on)
    }

    pub(super) fn finish(mut self, on: &mut Sink) -> Result<(), Error> {
        self.encoder.send_eof().map_err(ff("encode the sound"))?;
        self.receive(on)?;
        let end = self.end();
        self.writer.finish(end, on)
    }

    /// Where the sound ends that was sent.
    fn end(&self) -> i64 {
        let (before, after) = self.lead();
        self.sent - before - after
    }

    fn receive(&mut self, on: &mut Sink) -> Result<(), Error> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => {
                    return Ok(());
                }
                Err(error) => return Err(ff("encode the sound")(error)),
            }
            let time = (self.received - self.priming) * self.frame;
            self.received += 1;
            // Behind the last sample that was sent there is only padding.
            if time >= 0 && time < self.end() {
                let data = packet.data().unwrap_or_default().to_vec();
                self.writer.push(time, data, on)?;
            }
        }
    }
}

/// One channel of the source, or all of them in one.
fn mixed<'a>(
    planes: &'a [&[f32]],
    channel: usize,
    channels: u32,
) -> Box<dyn Iterator<Item = f32> + 'a> {
    match planes {
        [left, right] if channels == 1 => {
            Box::new(left.iter().zip(*right).map(|(left, right)| (left + right) / 2.0))
        }
        planes => {
            let plane = planes.get(channel).or(planes.first());
            Box::new(plane.into_iter().flat_map(|plane| plane.iter().copied()))
        }
    }
}

/// libopus takes the channels' samples in turn.
fn format(codec: AudioCodec) -> Sample {
    match codec {
        AudioCodec::Aac => Sample::F32(Type::Planar),
        AudioCodec::Opus => Sample::F32(Type::Packed),
    }
}

pub(super) fn layout(channels: u32) -> ChannelLayout {
    if channels == 1 { ChannelLayout::MONO } else { ChannelLayout::STEREO }
}

fn encoder(audio: &AudioPlan, rendition: &AudioRendition) -> Result<Encoder, Error> {
    let name = match audio.codec {
        AudioCodec::Aac => "aac",
        AudioCodec::Opus => "libopus",
    };
    let codec = ffmpeg::encoder::find_by_name(name)
        .ok_or(ffmpeg::Error::EncoderNotFound)
        .map_err(ff(format!("find the encoder {name}")))?;
    let mut context = ffmpeg::codec::Context::new_with_codec(codec);
    context.set_flags(ffmpeg::codec::Flags::GLOBAL_HEADER);
    let mut encoder = context.encoder().audio().map_err(ff(format!("set up {name}")))?;
    let rate = i32::try_from(audio.sample_rate)
        .map_err(|_| Error::plan(format!("{} Hz", audio.sample_rate)))?;
    encoder.set_rate(rate);
    encoder.set_format(format(audio.codec));
    encoder.set_channel_layout(layout(rendition.channels));
    encoder.set_time_base(Rational::new(1, rate));
    encoder.set_bit_rate(rendition.bitrate_bps as usize);
    encoder.open().map_err(ff(format!("open {name} for {}", rendition.name)))
}

/// What the encoder says of itself (of AAC, `AudioSpecificConfig`) and its delay in samples.
#[expect(unsafe_code, reason = "extradata has no safe getter")]
fn facts(encoder: &Encoder) -> (Vec<u8>, i64) {
    // SAFETY: the encoder is open; extradata, when there is any, has extradata_size bytes.
    unsafe {
        let context = &*encoder.as_ptr();
        let size = usize::try_from(context.extradata_size).unwrap_or(0);
        let config = if context.extradata.is_null() || size == 0 {
            Vec::new()
        } else {
            std::slice::from_raw_parts(context.extradata, size).to_vec()
        };
        (config, i64::from(context.initial_padding))
    }
}
