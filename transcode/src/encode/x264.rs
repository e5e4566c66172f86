//! libx264 as measured best for a ladder (docs/transcoding.md): veryfast with capped constant
//! quality, one thread an encoder, a small search for motion.

use ffmpeg_next as ffmpeg;
use ffmpeg_next::Rational;
use ffmpeg_next::codec::encoder::video::Encoder;
use ffmpeg_next::format::Pixel;

use crate::Error;
use crate::error::ff;
use crate::facts::Colour;
use crate::plan::{Rung, VideoPlan};
use crate::time::VIDEO_SCALE;

/// Key frames are ordered by time; this only bounds what frame counting would do.
const MAX_GOP_FRAMES: u32 = 600;

/// Opens the encoder of a rung. Times are ticks of 1/90,000 s. The same plan gives the same
/// parameter sets each time.
pub(super) fn open(video: &VideoPlan, rung: &Rung) -> Result<Encoder, Error> {
    let codec = ffmpeg::encoder::find_by_name("libx264")
        .ok_or(ffmpeg::Error::EncoderNotFound)
        .map_err(ff("find libx264"))?;
    let mut context = ffmpeg::codec::Context::new_with_codec(codec);
    context.set_flags(ffmpeg::codec::Flags::GLOBAL_HEADER | ffmpeg::codec::Flags::CLOSED_GOP);
    let mut encoder = context.encoder().video().map_err(ff("set up libx264"))?;
    encoder.set_width(rung.width);
    encoder.set_height(rung.height);
    encoder.set_format(Pixel::YUV420P);
    encoder.set_gop(MAX_GOP_FRAMES);
    encoder.set_aspect_ratio(Rational::new(1, 1));
    let scale = i32::try_from(VIDEO_SCALE).expect("90,000 fits");
    encoder.set_time_base(Rational::new(1, scale));
    encoder.set_frame_rate(Some(frame_rate(video)));
    encoder.open_with(options(rung, video.colour)).map_err(ff(super::lane_name(rung)))
}

/// The parameter sets of an open encoder.
#[expect(unsafe_code, reason = "extradata has no safe getter")]
pub(super) fn extradata(encoder: &Encoder) -> Vec<u8> {
    // SAFETY: the encoder is open; extradata, when there is any, has extradata_size bytes.
    unsafe {
        let context = &*encoder.as_ptr();
        let size = usize::try_from(context.extradata_size).unwrap_or(0);
        if context.extradata.is_null() || size == 0 {
            return Vec::new();
        }
        std::slice::from_raw_parts(context.extradata, size).to_vec()
    }
}

fn options(rung: &Rung, colour: Colour) -> ffmpeg::Dictionary<'static> {
    let mut options = ffmpeg::Dictionary::new();
    options.set("preset", "veryfast");
    options.set("profile", "high");
    options.set("crf", &rung.crf.to_string());
    options.set("maxrate", &rung.max_bitrate_bps.to_string());
    // One and a half seconds at the cap: peaks of a segment stay within a quarter of it.
    options.set("bufsize", &(u64::from(rung.max_bitrate_bps) * 3 / 2).to_string());
    options.set("color_range", "tv");
    options.set("color_primaries", &colour.primaries.to_string());
    options.set("color_trc", &colour.transfer.to_string());
    options.set("colorspace", &colour.matrix.to_string());
    options.set("threads", "1");
    options.set("forced-idr", "1");
    options.set("x264-params", search(rung.width.min(rung.height)));
    options
}

/// What is searched for a rung of that short side. Large pictures lose little by whole macroblocks
/// and a fixed pattern of B-frames, and a longer look ahead gives more than that back; in small
/// ones a macroblock shows more, and being exact pays.
fn search(short_side: u32) -> &'static str {
    match short_side {
        600.. => "partitions=i8x8:me=dia:b-adapt=0:rc-lookahead=12",
        420.. => "partitions=i8x8,i4x4:me=dia:b-adapt=0:rc-lookahead=16",
        _ => "me=dia:rc-lookahead=16",
    }
}

/// Only a hint for rate control and the level; frames come when they come.
fn frame_rate(video: &VideoPlan) -> Rational {
    let rate = video.frame_rate;
    match (i32::try_from(rate.num), i32::try_from(rate.den)) {
        (Ok(num), Ok(den)) if num > 0 && den > 0 => Rational::new(num, den),
        _ => Rational::new(25, 1),
    }
}
