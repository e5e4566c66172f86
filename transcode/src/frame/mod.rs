//! Decoded pictures: sharing, scaling, and the filters that make them upright, square and SDR.

use ffmpeg_next::ffi;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;

use crate::Error;
use crate::error::check;

mod graph;
mod jpeg;
mod scale;

pub(crate) use graph::{Look, Upright};
pub(crate) use jpeg::jpeg;
pub(crate) use scale::Scaler;

/// Another handle on the same picture: no samples are copied.
#[expect(unsafe_code, reason = "FFmpeg's reference counting has no safe wrapper")]
pub(crate) fn share(frame: &Video) -> Result<Video, Error> {
    let mut shared = Video::empty();
    // SAFETY: both frames are valid; `shared` is empty, as av_frame_ref demands.
    let code = unsafe { ffi::av_frame_ref(shared.as_mut_ptr(), frame.as_ptr()) };
    check(code, "share a frame")?;
    Ok(shared)
}

/// What a pixel format means.
pub(crate) struct PixelFacts {
    /// FFmpeg's name.
    pub(crate) name: &'static str,
    /// Bits of the first component.
    pub(crate) bit_depth: u32,
    /// Red, green and blue, or a palette of them.
    pub(crate) rgb: bool,
}

/// Looks a pixel format up.
#[expect(unsafe_code, reason = "the descriptor's fields have no safe getters")]
pub(crate) fn pixel_facts(format: Pixel) -> PixelFacts {
    let Some(descriptor) = format.descriptor() else {
        return PixelFacts { name: "none", bit_depth: 8, rgb: false };
    };
    // SAFETY: descriptors are constants inside FFmpeg.
    let (depth, flags) = unsafe {
        let descriptor = &*descriptor.as_ptr();
        (descriptor.comp[0].depth, descriptor.flags)
    };
    let rgb = flags
        & u64::from((ffi::AV_PIX_FMT_FLAG_RGB | ffi::AV_PIX_FMT_FLAG_PAL).unsigned_abs())
        != 0;
    PixelFacts { name: descriptor.name(), bit_depth: depth.unsigned_abs(), rgb }
}
