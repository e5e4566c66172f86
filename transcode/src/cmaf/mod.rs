//! CMAF tracks (ISO/IEC 23000-19): initialisation segments and fragments of one `moof` and one
//! `mdat`, written by ourselves because every sample's time must be what it was in the source.

mod adts;
mod av1;
mod avc;
mod bits;
mod boxes;
mod fragment;
mod hevc;
mod init;
mod part;

pub(crate) use adts::{adts_frame, lc_config};
pub(crate) use av1::Av1Config;
pub(crate) use avc::{AvcConfig, NalFormat, has_idr, packet_format};
pub(crate) use bits::Bits;
pub(crate) use boxes::Boxes;
pub(crate) use fragment::{Sample, TRUN_FLAGS, fragment};
pub(crate) use hevc::HevcConfig;
pub(crate) use init::{AudioTrack, MATRIX, VideoTrack, init_audio, init_video, packed_language};
pub(crate) use part::{Packager, Rendition};
