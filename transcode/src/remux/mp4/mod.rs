//! Plain MP4 (ISO/IEC 14496-12) whose index comes first, for phones, televisions with a USB port
//! and download managers.
//!
//! Only the beginning of the file is made here: `ftyp`, `moov` and the header of `mdat`. Behind it
//! belong the samples of the chunks that were added, in the order in which they were added.
//!
//! # Times
//!
//! Decode times of stored fragments begin with the first time of presentation and composition
//! offsets are never negative (ARCHITECTURE.md, "Media time and parts"), so `stts` and `ctts`
//! version 0 tell them as they are, and mostly no edit list is needed. A track that begins after
//! media time 0 has one: an empty edit until then.

mod movie;
mod tables;
mod text;

pub use movie::{Head, Movie};
pub use text::{Cue, text_samples};
