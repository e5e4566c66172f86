//! CMAF tracks (ISO/IEC 23000-19): initialisation segments and fragments of one `moof` and one
//! `mdat`, written by ourselves because every sample's time must be what it was in the source.

mod avc;
mod boxes;
mod fragment;
mod init;
mod part;

pub(crate) use avc::{AvcConfig, NalFormat, has_idr, packet_format};
pub(crate) use fragment::{Sample, fragment};
pub(crate) use init::{AacTrack, AvcTrack, init_aac, init_avc};
pub(crate) use part::{Packager, Rendition};
