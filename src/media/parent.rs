//! Starts the media child, reads what it says, and ends it when it hangs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, setpriority_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::protocol::{Answer, Failure, Request, Step};
use super::sandbox::Limits;
use super::scratch::Scratch;
use crate::config::Config;
use crate::store;

/// Longest line of an answer.
const MAX_LINE: usize = 64 * 1024 * 1024;

/// Most of what the child says on standard error that is kept: its last words.
const MAX_WORDS: usize = 8 * 1024;

/// What went wrong with a step.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The child says that it cannot be done.
    #[error("{}: {}", .0.code, .0.info)]
    Failed(Failure),
    /// The child could not be started or its answer not be read.
    #[error("media child: {0}")]
    Io(#[from] std::io::Error),
    /// The child said nothing for too long.
    #[error("media child said nothing for {0:?}")]
    Stalled(Duration),
    /// The child ended without a last word: killed by a limit, or crashed.
    #[error("media child ended early ({status}): {words}")]
    Died {
        /// Exit code or signal.
        status: String,
        /// Its last words.
        words: String,
    },
    /// The child said what it may not say.
    #[error("media child's answer cannot be used: {0}")]
    BadAnswer(String),
}

impl Error {
    /// Whether another attempt may go better.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Failed(failure) => failure.transient,
            Self::Io(_) | Self::Stalled(_) | Self::Died { .. } => true,
            Self::BadAnswer(_) => false,
        }
    }

    /// Whether the disk is full, or this user's share of it. The child tells it in words only.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let full = ["No space left on device", "Disk quota exceeded"];
        match self {
            Self::Failed(failure) => full.iter().any(|words| failure.info.contains(words)),
            Self::Io(error) => store::is_full(error),
            _ => false,
        }
    }

    /// Code and value for the sentence that people read.
    #[must_use]
    pub fn reason(&self) -> (String, String) {
        match self {
            Self::Failed(failure) => (failure.code.clone(), failure.info.clone()),
            Self::Io(error) => ("internal".into(), error.to_string()),
            Self::Stalled(_) => ("stalled".into(), String::new()),
            Self::Died { .. } => ("crashed".into(), self.to_string()),
            Self::BadAnswer(what) => ("internal".into(), what.clone()),
        }
    }
}

/// A running media child. It is killed when this is dropped.
#[derive(Debug)]
pub struct MediaChild {
    child: tokio::process::Child,
    answers: BufReader<ChildStdout>,
    /// Reads standard error all the time, so that a talkative child never waits for a reader.
    words: JoinHandle<Vec<u8>>,
    scratch: Scratch,
    stall: Duration,
    ended: bool,
}

impl MediaChild {
    /// Starts `step` on `input`, a source of `duration_ms` (0 when it is not known).
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when no process can be started.
    pub fn start(
        config: &Config,
        step: Step,
        input: File,
        duration_ms: i64,
    ) -> Result<Self, Error> {
        let scratch = Scratch::make(&config.storage.data.join("scratch"))?;
        let media = &config.media;
        let cpu_ms =
            media.cpu_base_ms + media.cpu_factor * u64::try_from(duration_ms).unwrap_or_default();
        let limits = Limits {
            memory_bytes: media.max_memory_bytes,
            cpu_seconds: cpu_ms.div_ceil(1000),
            output_bytes: media.max_output_bytes,
            open_files: 64,
            helpers: step.needs_helpers(),
        };
        let insecure = config.work.insecure_sandbox;
        let request = Request { step, limits, insecure, parent: std::process::id() };
        let request = serde_json::to_string(&request).map_err(std::io::Error::from)?;
        // The plan of a long source is longer than an argument may be: it goes by file.
        std::fs::write(scratch.path().join("request.json"), request)?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["media", "child"])
            .env_clear()
            .current_dir(scratch.path())
            .stdin(Stdio::from(input))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let answers = BufReader::new(child.stdout.take().expect("the pipe was asked for"));
        let words = child.stderr.take().expect("the pipe was asked for");
        let words = tokio::spawn(last_of(words));
        let stall = Duration::from_millis(config.work.stall_ms);
        Ok(Self { child, answers, words, scratch, stall, ended: false })
    }

    /// Lets the child give way to other processes: 0 not, 19 most.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the kernel refuses.
    pub fn set_nice(&self, nice: i32) -> Result<(), Error> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        // One that has ended already needs nothing.
        let set = id.map_or(Ok(()), |id| setpriority_process(Some(id), nice));
        set.map_err(|error| Error::Io(error.into()))
    }

    /// Where the file `name`, of which the child spoke, is.
    ///
    /// # Errors
    ///
    /// [`Error::BadAnswer`] when the name leads elsewhere or names no plain file.
    pub fn file(&self, name: &str) -> Result<PathBuf, Error> {
        let plain = Path::new(name).components().count() == 1
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && !name.starts_with('.');
        let path = self.scratch.path().join(name);
        let regular = plain && path.symlink_metadata().is_ok_and(|facts| facts.is_file());
        if regular { Ok(path) } else { Err(Error::BadAnswer(format!("file {name:?}"))) }
    }

    /// The next answer; `None` after the last.
    ///
    /// # Errors
    ///
    /// [`Error`]; the child is of no more use then.
    pub async fn next(&mut self) -> Result<Option<Answer>, Error> {
        if self.ended {
            return Ok(None);
        }
        let mut line = Vec::new();
        let mut bounded = (&mut self.answers).take(MAX_LINE as u64);
        let read = tokio::time::timeout(self.stall, bounded.read_until(b'\n', &mut line)).await;
        match read {
            Err(_) => {
                self.child.start_kill()?;
                return Err(Error::Stalled(self.stall));
            }
            Ok(read) => read?,
        };
        if line.is_empty() {
            return Err(self.last_words().await?);
        }
        if line.last() != Some(&b'\n') {
            return Err(Error::BadAnswer("a line that does not end".into()));
        }
        match serde_json::from_slice(&line) {
            Ok(Answer::Done) => {
                self.ended = true;
                Ok(None)
            }
            Ok(Answer::Failed(failure)) => Err(Error::Failed(failure)),
            Ok(answer) => Ok(Some(answer)),
            Err(error) => Err(Error::BadAnswer(error.to_string())),
        }
    }

    async fn last_words(&mut self) -> Result<Error, Error> {
        let status = self.child.wait().await?;
        let words = (&mut self.words).await.unwrap_or_default();
        Ok(Error::Died {
            status: status.to_string(),
            words: String::from_utf8_lossy(&words).trim().to_owned(),
        })
    }
}

async fn last_of(mut words: ChildStderr) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = words.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..n]);
        let beyond = kept.len().saturating_sub(MAX_WORDS);
        kept.drain(..beyond);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_found_no_room_says_so_in_words() {
        let failed = |info: &str| {
            Error::Failed(Failure { code: "internal".into(), info: info.into(), transient: true })
        };
        let full = rustix::io::Errno::NOSPC;
        assert!(failed(&format!("write a part: {}", std::io::Error::from(full))).is_full());
        assert!(!failed("write a part: Input/output error (os error 5)").is_full());
    }
}
