//! The cascade's scaler: 4:2:0 to smaller 4:2:0.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::software::scaling::{Context, Flags};

use crate::Error;
use crate::error::ff;

/// Scales `yuv420p` frames of one size to another, bicubic.
pub(crate) struct Scaler {
    context: Option<Context>,
    width: u32,
    height: u32,
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
        Ok(Self { context, width: to.0, height: to.1 })
    }

    pub(crate) fn scale(&mut self, frame: Video) -> Result<Video, Error> {
        let Some(context) = &mut self.context else { return Ok(frame) };
        let mut scaled = Video::new(Pixel::YUV420P, self.width, self.height);
        context.run(&frame, &mut scaled).map_err(ff("scale a frame"))?;
        scaled.set_pts(frame.pts());
        Ok(scaled)
    }
}
