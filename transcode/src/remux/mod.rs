//! The stored parts in other containers, for clients that do not know CMAF: what stands in
//! initialisation segments and fragments is read here, and written anew as MPEG-TS ([`ts`]) and as
//! plain MP4 ([`mp4`]).
//!
//! Nothing here opens a file. Callers read the small headers, learn from them where every sample
//! lies, and bring the samples' bytes when they are to be sent; so an hour of video is never in
//! memory. Parts come from the media child, which read hostile files: whatever the bytes are, the
//! answer is a value or an [`Error`](crate::Error), and its size is bounded by that of the bytes.

mod fragment;
pub mod mp4;
mod read;
mod track;
pub mod ts;

pub use fragment::{Fragment, HEADER_GUESS_BYTES, Sample};
pub use track::{AdtsHeader, ParameterSets, Track, TrackMedia};
