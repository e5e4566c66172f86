//! The media child: uploaded files are opened in a process of their own that
//! can reach nothing but the file it is given and a scratch folder.
//!
//! [`parent`] starts it and reads its answers, which are not trusted; [`child`]
//! is what it runs. The others are the steps that are not FFmpeg's (those are
//! in the crate `transcode`).

pub mod archive;
pub mod book;
pub mod captions;
pub mod child;
mod claims;
pub mod document;
pub mod ocr;
pub mod office;
mod outline;
pub mod parent;
pub mod prints;
pub mod protocol;
pub mod records;
pub mod sandbox;
pub mod scratch;
pub mod selftest;
pub mod sheet;
pub mod speech;
mod xml;
