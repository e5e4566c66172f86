//! FFmpeg's AAC-LC encoder for one rendition.

use std::path::Path;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::encoder::audio::Encoder;
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::frame::Audio;
use ffmpeg_next::{ChannelLayout, Packet, Rational};

use crate::error::ff;
use crate::plan::{AudioPlan, AudioRendition, Plan};
use crate::{Error, Sink};

use super::writer::Writer;

/// Samples of a frame.
pub(super) const FRAME: usize = 1_024;
/// The same, as a length of time.
pub(super) const FRAME_TICKS: i64 = 1_024;

/// Encodes and packages one rendition.
pub(super) struct Rendition {
    encoder: Encoder,
    writer: Writer,
    channels: u32,
    rate: u32,
    sent: i64,
    /// Frames that hold only the encoder's delay; they are left out, so the sound is in place.
    priming: i64,
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
        let encoder = encoder(audio.sample_rate, rendition)?;
        let (config, padding) = facts(&encoder);
        let writer = Writer::open(plan, audio, rendition, &config, out, on)?;
        Ok(Self {
            encoder,
            writer,
            channels: rendition.channels,
            rate: audio.sample_rate,
            sent: 0,
            priming: (padding + FRAME_TICKS / 2) / FRAME_TICKS,
            received: 0,
        })
    }

    /// Takes one frame of samples for each channel that the source gives.
    pub(super) fn frame(&mut self, planes: &[&[f32]], on: &mut Sink) -> Result<(), Error> {
        let mut frame = Audio::new(Sample::F32(Type::Planar), FRAME, layout(self.channels));
        frame.set_rate(self.rate);
        frame.set_pts(Some(self.sent));
        for channel in 0..self.channels as usize {
            mix(planes, channel, self.channels, frame.plane_mut::<f32>(channel));
        }
        self.sent += FRAME_TICKS;
        self.encoder.send_frame(&frame).map_err(ff("encode the sound"))?;
        self.receive(on)
    }

    pub(super) fn finish(mut self, on: &mut Sink) -> Result<(), Error> {
        self.encoder.send_eof().map_err(ff("encode the sound"))?;
        self.receive(on)?;
        self.writer.finish(self.sent, on)
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
            let time = (self.received - self.priming) * FRAME_TICKS;
            self.received += 1;
            // Behind the last sample that was sent there is only padding.
            if time >= 0 && time < self.sent {
                let data = packet.data().unwrap_or_default().to_vec();
                self.writer.push(time, data, on)?;
            }
        }
    }
}

/// One channel of the source, or all of them in one.
fn mix(planes: &[&[f32]], channel: usize, channels: u32, to: &mut [f32]) {
    match planes {
        [left, right] if channels == 1 => {
            for ((to, left), right) in to.iter_mut().zip(*left).zip(*right) {
                *to = (left + right) / 2.0;
            }
        }
        planes => {
            let plane = planes.get(channel).or(planes.first());
            if let Some(plane) = plane {
                to[..FRAME].copy_from_slice(&plane[..FRAME]);
            }
        }
    }
}

fn layout(channels: u32) -> ChannelLayout {
    if channels == 1 { ChannelLayout::MONO } else { ChannelLayout::STEREO }
}

fn encoder(rate: u32, rendition: &AudioRendition) -> Result<Encoder, Error> {
    let codec = ffmpeg::encoder::find_by_name("aac")
        .ok_or(ffmpeg::Error::EncoderNotFound)
        .map_err(ff("find the AAC encoder"))?;
    let mut context = ffmpeg::codec::Context::new_with_codec(codec);
    context.set_flags(ffmpeg::codec::Flags::GLOBAL_HEADER);
    let mut encoder = context.encoder().audio().map_err(ff("set up the AAC encoder"))?;
    let rate = i32::try_from(rate).map_err(|_| Error::plan(format!("{rate} Hz")))?;
    encoder.set_rate(rate);
    encoder.set_format(Sample::F32(Type::Planar));
    encoder.set_channel_layout(layout(rendition.channels));
    encoder.set_time_base(Rational::new(1, rate));
    encoder.set_bit_rate(rendition.bitrate_bps as usize);
    encoder.open().map_err(ff(format!("open the AAC encoder for {}", rendition.name)))
}

/// `AudioSpecificConfig` and the encoder's delay in samples.
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
