//! FFmpeg behind duoku: what is in a file, which renditions to make of it, and their parts.
//!
//! The way of a source through this crate:
//!
//! ```text
//! Input::open -> probe -> plan -> first_part -> copy_video, encode_part, encode_audio
//!                                             -> files and Events
//!                              -> extract_subtitles, stills, slides, looks, hear
//! ```
//!
//! [`remux`] gives stored parts in other containers, from any program that has them.
//!
//! Plain synchronous code. It reads one open file and writes into one folder; it knows nothing of
//! tokio, SQL, HTTP or the catalogue's ids.

mod audio;
mod burn;
mod cmaf;
mod copy;
mod decode;
mod encode;
mod error;
mod event;
mod facts;
mod first;
mod frame;
#[cfg(fuzzing)]
pub mod fuzz;
pub mod input;
mod language;
pub mod picture;
pub mod plan;
mod prints;
mod probe;
pub mod remux;
mod slides;
mod stills;
mod subtitles;
mod time;
mod timeline;

pub use audio::{Heard, SPEECH_RATE, encode_audio, hear};
pub use copy::copy_video;
pub use encode::encode_part;
pub use error::Error;
pub use event::{Event, Segment, Sink};
pub use facts::{
    AudioFacts, AudioRole, Chapter, Colour, Hdr, Probe, Ratio, SourceTrack, TrackKind, VideoFacts,
};
pub use first::first_part;
pub use input::Input;
pub use plan::{
    AudioCodec, AudioPlan, AudioRendition, CopyPlan, PartRange, PictureSubtitles, Plan, Policy,
    Refusal, Rung, RungPolicy, SubtitlePlan, VideoCodec, VideoPlan, plan,
};
pub use prints::{Bits, Look, looks, looks_of_picture};
pub use probe::probe;
pub use slides::{Slide, slides};
pub use stills::{Poster, Sprite, Stills, stills};
pub use subtitles::{Cue, EmbeddedSubtitles, extract_subtitles};
pub use time::VIDEO_SCALE;
pub use timeline::{Jump, Landmark};
