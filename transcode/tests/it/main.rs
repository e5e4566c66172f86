//! The crate against FFmpeg's own tools: sources made in code, results read back by ffprobe.

#![expect(
    clippy::unwrap_used,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "tests fail by panicking; their numbers are small"
)]

mod audio;
mod burnt;
mod codecs;
mod copy;
mod fixture;
mod joined;
mod made;
mod others;
mod seeks;
mod shared;
mod slides;
mod video;
