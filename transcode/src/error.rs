//! What can go wrong between a file and its parts.

use std::io;

use thiserror::Error;

/// An error of this crate.
#[derive(Debug, Error)]
pub enum Error {
    /// The source could not be read or the output not be written.
    #[error("cannot {doing}")]
    Io {
        /// What was being done, and to which file.
        doing: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// FFmpeg refused; mostly the source's fault.
    #[error("FFmpeg cannot {doing}")]
    Ffmpeg {
        /// What was being done.
        doing: String,
        /// FFmpeg's answer.
        source: ffmpeg_next::Error,
    },
    /// The source can be read but not used.
    #[error("the source is not usable: {reason}")]
    Unusable {
        /// Why, with the value in question.
        reason: String,
    },
    /// The plan does not belong to this source, or names what is not there.
    #[error("the plan does not fit: {reason}")]
    Plan {
        /// What is missing.
        reason: String,
    },
    /// The caller's event sink asked to stop.
    #[error("stopped by the caller: {reason}")]
    Stopped {
        /// What the caller said.
        reason: String,
    },
}

impl Error {
    /// True when a later try may succeed: the disk was full, memory was short, a read failed.
    /// False when the source itself is at fault.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Io { .. } | Self::Stopped { .. } => true,
            Self::Ffmpeg { source: ffmpeg_next::Error::Other { errno }, .. } => {
                matches!(*errno, libc::ENOMEM | libc::EIO | libc::ENOSPC | libc::EMFILE)
            }
            Self::Ffmpeg { .. } | Self::Unusable { .. } | Self::Plan { .. } => false,
        }
    }

    pub(crate) fn unusable(reason: impl Into<String>) -> Self {
        Self::Unusable { reason: reason.into() }
    }

    pub(crate) fn plan(reason: impl Into<String>) -> Self {
        Self::Plan { reason: reason.into() }
    }
}

/// Turns an I/O error into ours by saying what was being done.
pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
    let doing = doing.into();
    move |source| Error::Io { doing, source }
}

/// Turns FFmpeg's error into ours by saying what was being done.
pub(crate) fn ff(doing: impl Into<String>) -> impl FnOnce(ffmpeg_next::Error) -> Error {
    let doing = doing.into();
    move |source| Error::Ffmpeg { doing, source }
}

/// Checks a return code of a C call of FFmpeg; `doing` is only made on failure.
pub(crate) fn check(code: i32, doing: &str) -> Result<i32, Error> {
    if code < 0 {
        return Err(Error::Ffmpeg {
            doing: doing.to_owned(),
            source: ffmpeg_next::Error::from(code),
        });
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_outer_circumstances_are_transient() {
        let full = Error::Io { doing: "write".into(), source: io::Error::other("full") };
        assert!(full.is_transient());
        let memory = check(-libc::ENOMEM, "decode").unwrap_err();
        assert!(memory.is_transient());
        let bad = ff("decode")(ffmpeg_next::Error::InvalidData);
        assert!(!bad.is_transient());
        assert!(!Error::unusable("no frame").is_transient());
    }
}
