//! JPEG files of `yuvj420p` frames.

use ffmpeg_next as ffmpeg;
use ffmpeg_next::frame::Video;

use crate::Error;
use crate::error::ff;

/// Encodes a frame; `quality` is FFmpeg's scale from 2 (best) to 31.
pub(crate) fn jpeg(frame: &Video, quality: u8) -> Result<Vec<u8>, Error> {
    let codec = ffmpeg::encoder::find(ffmpeg::codec::Id::MJPEG)
        .ok_or(ffmpeg::Error::EncoderNotFound)
        .map_err(ff("find the JPEG encoder"))?;
    let context = ffmpeg::codec::Context::new_with_codec(codec);
    let mut encoder = context.encoder().video().map_err(ff("set up the JPEG encoder"))?;
    encoder.set_width(frame.width());
    encoder.set_height(frame.height());
    encoder.set_format(frame.format());
    encoder.set_color_range(ffmpeg::color::Range::JPEG);
    encoder.set_time_base(ffmpeg::Rational::new(1, 25));
    let mut options = ffmpeg::Dictionary::new();
    let quality = quality.to_string();
    options.set("flags", "+qscale");
    options.set("qmin", &quality);
    options.set("qmax", &quality);
    options.set("threads", "1");
    let mut encoder = encoder.open_with(options).map_err(ff("open the JPEG encoder"))?;
    encoder.send_frame(frame).map_err(ff("encode a JPEG"))?;
    encoder.send_eof().map_err(ff("encode a JPEG"))?;
    let mut packet = ffmpeg::Packet::empty();
    encoder.receive_packet(&mut packet).map_err(ff("encode a JPEG"))?;
    Ok(packet.data().unwrap_or_default().to_vec())
}
