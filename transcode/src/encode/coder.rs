//! The encoders of the codecs, behind one face.

use ffmpeg_next as ffmpeg;
use ffmpeg_next::Rational;
use ffmpeg_next::codec::encoder::video::{Encoder, Video};
use ffmpeg_next::format::Pixel;

use crate::Error;
use crate::cmaf::{Av1Config, AvcConfig, HevcConfig};
use crate::error::ff;
use crate::facts::Colour;
use crate::plan::{Rung, VideoCodec, VideoPlan};
use crate::time::VIDEO_SCALE;

use super::{svt, x264, x265};

/// Key frames are ordered by time; this only bounds what frame counting would do.
const MAX_GOP_FRAMES: u32 = 600;

/// Opens the encoder of a rung. Times are ticks of 1/90,000 s. The same plan gives the same
/// parameter sets each time.
pub(super) fn open(video: &VideoPlan, rung: &Rung) -> Result<Encoder, Error> {
    match rung.codec {
        VideoCodec::H264 => x264::open(video, rung),
        VideoCodec::Hevc => x265::open(video, rung),
        VideoCodec::Av1 => svt::open(video, rung),
    }
}

/// Does the encoder make a key frame of the frame that is marked as one? FFmpeg 5.1 does not tell
/// SVT-AV1 of the mark.
pub(super) fn takes_orders(codec: VideoCodec) -> bool {
    codec != VideoCodec::Av1
}

/// What a decoder must know, and how packets become samples.
pub(super) enum Config {
    /// H.264.
    Avc(AvcConfig),
    /// H.265.
    Hevc(HevcConfig),
    /// AV1.
    Av1(Av1Config, Colour),
}

impl Config {
    /// Of an open encoder, whose first packet is `key`.
    pub(super) fn new(
        video: &VideoPlan,
        rung: &Rung,
        encoder: &Encoder,
        key: &[u8],
    ) -> Result<Self, Error> {
        let colour = video.colour;
        Ok(match rung.codec {
            VideoCodec::H264 => Self::Avc(AvcConfig::from_extradata(&x264::extradata(encoder))?),
            VideoCodec::Hevc => Self::Hevc(HevcConfig::from_extradata(&x264::extradata(encoder))?),
            // The extradata of SVT-AV1 1.4 is from before it has settled on its tools.
            VideoCodec::Av1 => Self::Av1(Av1Config::from_stream(key, colour)?, colour),
        })
    }

    pub(super) fn record(&self) -> &[u8] {
        match self {
            Self::Avc(config) => &config.record,
            Self::Hevc(config) => &config.record,
            Self::Av1(config, _) => &config.record,
        }
    }

    pub(super) fn codecs(&self) -> &str {
        match self {
            Self::Avc(config) => &config.codecs,
            Self::Hevc(config) => &config.codecs,
            Self::Av1(config, _) => &config.codecs,
        }
    }

    pub(super) fn sample(&self, packet: &[u8]) -> Vec<u8> {
        match self {
            Self::Avc(config) => config.sample(packet, true),
            Self::Hevc(_) => HevcConfig::sample(packet),
            Self::Av1(..) => Av1Config::sample(packet),
        }
    }

    /// Refuses a key frame that brings another configuration with it.
    pub(super) fn agrees_with(&self, key: &[u8]) -> Result<(), Error> {
        match self {
            Self::Av1(config, colour) if Av1Config::from_stream(key, *colour)? != *config => {
                Err(Error::unusable("the encoder changed its parameters"))
            }
            // Opened once, these do not change.
            _ => Ok(()),
        }
    }
}

/// What is set up alike for the encoders named here.
pub(super) fn set_up(name: &str, video: &VideoPlan, rung: &Rung) -> Result<Video, Error> {
    let codec = ffmpeg::encoder::find_by_name(name)
        .ok_or(ffmpeg::Error::EncoderNotFound)
        .map_err(ff(format!("find {name}")))?;
    let mut context = ffmpeg::codec::Context::new_with_codec(codec);
    context.set_flags(ffmpeg::codec::Flags::GLOBAL_HEADER | ffmpeg::codec::Flags::CLOSED_GOP);
    let mut encoder = context.encoder().video().map_err(ff(format!("set up {name}")))?;
    encoder.set_width(rung.width);
    encoder.set_height(rung.height);
    encoder.set_format(Pixel::YUV420P);
    encoder.set_gop(MAX_GOP_FRAMES);
    encoder.set_aspect_ratio(Rational::new(1, 1));
    let scale = i32::try_from(VIDEO_SCALE).expect("90,000 fits");
    encoder.set_time_base(Rational::new(1, scale));
    encoder.set_frame_rate(Some(frame_rate(video)));
    Ok(encoder)
}

/// Options that say the colours.
pub(super) fn colours(colour: Colour) -> ffmpeg::Dictionary<'static> {
    let mut options = ffmpeg::Dictionary::new();
    options.set("color_range", "tv");
    options.set("color_primaries", &colour.primaries.to_string());
    options.set("color_trc", &colour.transfer.to_string());
    options.set("colorspace", &colour.matrix.to_string());
    options
}

/// Only a hint for rate control and the level; frames come when they come.
fn frame_rate(video: &VideoPlan) -> Rational {
    let rate = video.frame_rate;
    match (i32::try_from(rate.num), i32::try_from(rate.den)) {
        (Ok(num), Ok(den)) if num > 0 && den > 0 && num >= den => Rational::new(num, den),
        (Ok(num), Ok(den)) if num > 0 && den > 0 => Rational::new(1, 1),
        _ => Rational::new(25, 1),
    }
}
