//! Marking what was found in the text as its author wrote it.

mod needles;
mod snippet;

pub(crate) use needles::Needles;
pub(crate) use snippet::{snippet, title};
