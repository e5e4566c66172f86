//! The cascade's scaler: 4:2:0 to smaller 4:2:0.

use ffmpeg_next::ffi;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::software::scaling::{Context, Flags};

use crate::Error;
use crate::error::ff;
use crate::frame::share;

/// Scales `yuv420p` frames of one size to another, bicubic.
pub(crate) struct Scaler {
    context: Option<Context>,
    width: u32,
    height: u32,
    /// What was given out; used again as soon as nobody else holds it.
    frames: Vec<Video>,
}

impl Scaler {
    /// Frames of the wanted size already are handed on as they are.
    pub(crate) fn new(from: (u32, u32), to: (u32, u32)) -> Result<Self, Error> {
        let context = if from == to {
            None
        } else {
            let (format, flags) = (Pixel::YUV420P, Flags::BICUBIC);
            let context = Context::get(format, from.0, from.1, format, to.0, to.1, flags);
            Some(context.map_err(ff(format!("scale {from:?} to {to:?}")))?)
        };
        Ok(Self { context, width: to.0, height: to.1, frames: Vec::new() })
    }

    pub(crate) fn scale(&mut self, frame: Video) -> Result<Video, Error> {
        let Some(context) = &mut self.context else { return Ok(frame) };
        let free = self.frames.iter().position(is_free).unwrap_or_else(|| {
            self.frames.push(Video::new(Pixel::YUV420P, self.width, self.height));
            self.frames.len() - 1
        });
        let scaled = &mut self.frames[free];
        context.run(&frame, scaled).map_err(ff("scale a frame"))?;
        scaled.set_pts(frame.pts());
        share(scaled)
    }
}

#[expect(unsafe_code, reason = "FFmpeg's reference counting has no safe wrapper")]
fn is_free(frame: &Video) -> bool {
    // SAFETY: the frame is valid and has buffers; it is only read, though the type says else.
    unsafe { ffi::av_frame_is_writable(frame.as_ptr().cast_mut()) > 0 }
}
