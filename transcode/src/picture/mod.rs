//! Still pictures: uploaded ones, pages of documents, posters.
//!
//! A picture is decoded by one of FFmpeg's decoders straight from its bytes, without any
//! demuxer or protocol in between, and is plain RGB from then on.

mod avif;
mod decode;
mod encode;
mod exif;
mod scale;
mod sniff;

use std::io;

pub use decode::{decode, decode_within};
pub use sniff::Format;

/// The most pixels that a source picture may have.
pub const MAX_PIXELS: u64 = 100_000_000;

/// The largest file that is read as a picture, in bytes.
pub const MAX_BYTES: u64 = 256 << 20;

/// A picture in memory, upright and without transparency.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue of each pixel, row by row from the top: `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// A picture of these bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] unless there are `3 * width * height` of them and more than none.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, Error> {
        let bytes = u64::from(width) * u64::from(height) * 3;
        if bytes == 0 || bytes != rgb.len() as u64 {
            return Err(Error::Damaged(format!("{width}x{height} pixels in {} bytes", rgb.len())));
        }
        Ok(Self { width, height, rgb })
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}

/// For `fuzz`.
#[cfg(fuzzing)]
pub(crate) fn look(bytes: &[u8]) {
    let _ = avif::primary(bytes);
    let _ = exif::number(bytes, 274);
    let Some(format) = Format::of(bytes) else { return };
    let _ = sniff::size(format, bytes);
    assert!((1..=8).contains(&exif::orientation(format, bytes)));
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A photo of a phone in a format that FFmpeg 5.1 cannot put together.
    #[error("HEIC pictures are not supported, save it as JPEG")]
    Heic,
    /// AVIF of more than one frame or item.
    #[error("AVIF pictures of this kind are not supported, save it as JPEG or PNG")]
    Avif,
    /// No format that is known here.
    #[error("the file is not a picture of a known format")]
    Unknown,
    /// More pixels or bytes than allowed.
    #[error("the picture is too large: {width}x{height} pixels, {bytes} bytes")]
    TooLarge {
        /// In pixels; 0 when it was not looked at.
        width: u32,
        /// In pixels; 0 when it was not looked at.
        height: u32,
        /// Of the file.
        bytes: u64,
    },
    /// It begins like a picture but cannot be decoded.
    #[error("the picture is damaged: {0}")]
    Damaged(String),
    /// The encoder did not take it.
    #[error("cannot encode the picture: {0}")]
    Encode(String),
    /// Memory was short.
    #[error("not enough memory for the picture")]
    Memory,
    /// The file could not be read.
    #[error("cannot read the picture")]
    Io(#[from] io::Error),
}

impl Error {
    /// A short name that the pages can translate.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Heic => "heic",
            Self::Avif => "avif",
            Self::Unknown => "unknown",
            Self::TooLarge { .. } => "too_large",
            Self::Damaged(_) => "damaged",
            Self::Encode(_) => "encode",
            Self::Memory => "memory",
            Self::Io(_) => "io",
        }
    }

    /// True when a later try may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Io(_) | Self::Memory)
    }

    fn ffmpeg(error: ffmpeg_next::Error, other: impl FnOnce(String) -> Self) -> Self {
        match error {
            ffmpeg_next::Error::Other { errno: libc::ENOMEM } => Self::Memory,
            error => other(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
