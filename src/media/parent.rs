//! Starts the media child, reads what it says, and ends it when it hangs.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, setpriority_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::task::JoinHandle;
use transcode::Event;

use super::protocol::{Answer, Failure, Request, Step};
use super::sandbox::{Limits, OFFICE_FOLDER};
use super::scratch::Scratch;
use super::speech::Engine;
use crate::config::Config;
use crate::store;

/// How often the scratch folder is measured while nothing is said.
const MEASURE: Duration = Duration::from_secs(1);

/// Most files in a scratch folder: twice as many as a source of a day has parts and pictures.
const MAX_FILES: usize = 20_000;

/// Bytes of a source that are read in a millisecond of computing at least.
const READ_BYTES_A_MS: u64 = 50_000;

/// Bytes of a file that LibreOffice may write: a PDF of its pages, or what it unpacks.
const MOST_CONVERTED_BYTES: u64 = 512 << 20;

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
    /// The child said nothing, or nothing new, for too long.
    #[error("media child got no further for {0:?}")]
    Stalled(Duration),
    /// The child wrote more than it may.
    #[error("media child wrote {bytes} bytes in {files} files")]
    TooMuch {
        /// In the scratch folder.
        bytes: u64,
        /// In the scratch folder.
        files: usize,
    },
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
            Self::BadAnswer(_) | Self::TooMuch { .. } => false,
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
            Self::TooMuch { .. } => ("crashed".into(), self.to_string()),
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
    max_line_bytes: usize,
    max_output_bytes: u64,
    stall: Duration,
    standstill: Duration,
    /// The last answer that was more than a sign of life, and the share of the work it told of.
    advanced: Instant,
    share: f64,
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
        if step.needs_office() {
            std::fs::create_dir(scratch.path().join(OFFICE_FOLDER))?;
        }
        let media = &config.media;
        // Even a source whose length is not known yet is read once.
        let cpu_ms = media.cpu_base_ms
            + media.cpu_factor * u64::try_from(duration_ms).unwrap_or_default()
            + input.metadata()?.len() / READ_BYTES_A_MS;
        let mut limits = Limits {
            memory_bytes: media.max_memory_bytes,
            cpu_seconds: cpu_ms.div_ceil(1000),
            output_bytes: match step.needs_office() {
                // What it removes while it has it open is measured by nobody.
                true => media.max_output_bytes.min(MOST_CONVERTED_BYTES),
                false => media.max_output_bytes,
            },
            open_files: if step.needs_office() { 256 } else { 64 },
            helpers: step.needs_helpers(),
            office: step.needs_office(),
            program: None,
            readable: Vec::new(),
        };
        if let Step::Listen(listen) = &step {
            let speech = &config.speech;
            limits.memory_bytes = limits.memory_bytes.max(speech.max_memory_bytes);
            limits.cpu_seconds += speech.seconds_for(listen.most_ms);
            if !listen.model.as_os_str().is_empty() {
                limits.readable.push(listen.model.clone());
            }
            if let Engine::Command(command) = &listen.engine {
                limits.program = command.first().map(PathBuf::from);
                limits.readable.extend(speech.readable.iter().cloned());
            }
        }
        let insecure = config.work.insecure_sandbox;
        let max_line_bytes = step.max_line_bytes();
        let request = Request { step, limits, insecure, parent: std::process::id() };
        let request = serde_json::to_string(&request).map_err(std::io::Error::from)?;
        // The plan of a long source is longer than an argument may be: it goes by file.
        std::fs::write(scratch.path().join("request.json"), request)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["media", "child"]);
        Self::spawn(config, command, scratch, Stdio::from(input), max_line_bytes)
    }

    fn spawn(
        config: &Config,
        mut command: Command,
        scratch: Scratch,
        input: Stdio,
        max_line_bytes: usize,
    ) -> Result<Self, Error> {
        let mut child = command
            .env_clear()
            // glibc: large blocks go back when they are freed, and threads share one heap.
            .env("MALLOC_MMAP_THRESHOLD_", "262144")
            .env("MALLOC_ARENA_MAX", "1")
            .current_dir(scratch.path())
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let answers = BufReader::new(child.stdout.take().expect("the pipe was asked for"));
        let words = child.stderr.take().expect("the pipe was asked for");
        let words = tokio::spawn(last_of(words));
        Ok(Self {
            child,
            answers,
            words,
            scratch,
            max_line_bytes,
            max_output_bytes: config.media.max_output_bytes,
            stall: Duration::from_millis(config.work.stall_ms),
            standstill: Duration::from_millis(config.work.standstill_ms),
            advanced: Instant::now(),
            share: 0.0,
            ended: false,
        })
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

    /// The file `name`, of which the child spoke. The child may still have it open: what is
    /// wanted of it must be copied.
    ///
    /// # Errors
    ///
    /// [`Error::BadAnswer`] when the name leads elsewhere or names no plain file.
    pub fn file(&self, name: &str) -> Result<File, Error> {
        let plain = Path::new(name).components().count() == 1
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && !name.starts_with('.');
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let mut open = File::options();
        let open = open.read(true).write(true).custom_flags(flags);
        let opened = plain.then(|| open.open(self.scratch.path().join(name)).ok()).flatten();
        opened
            .filter(|file| file.metadata().is_ok_and(|facts| facts.is_file()))
            .ok_or_else(|| Error::BadAnswer(format!("file {name:?}")))
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
        match self.answer().await {
            Ok(Answer::Done) => {
                self.ended = true;
                Ok(None)
            }
            Ok(Answer::Failed(failure)) => Err(Error::Failed(failure)),
            Ok(answer) => Ok(Some(answer)),
            Err(error) => {
                // It may have ended by itself.
                let _ = self.child.start_kill();
                Err(error)
            }
        }
    }

    async fn answer(&mut self) -> Result<Answer, Error> {
        let line = self.line().await?;
        if line.is_empty() {
            return Err(self.last_words().await?);
        }
        let answer = Answer::parse(&line).map_err(Error::BadAnswer)?;
        let advances = match answer {
            Answer::Working => false,
            Answer::Media(Event::Progress(share)) => share > self.share,
            _ => true,
        };
        if let Answer::Media(Event::Progress(share)) = answer {
            self.share = self.share.max(share);
        }
        if advances {
            self.advanced = Instant::now();
        } else if self.advanced.elapsed() > self.standstill {
            return Err(Error::Stalled(self.standstill));
        }
        Ok(answer)
    }

    /// The next line; empty when there is none any more. While there is none yet, what the child
    /// has written is measured: all that it told of has been taken by now.
    async fn line(&mut self) -> Result<Vec<u8>, Error> {
        let begun = Instant::now();
        let mut line = Vec::new();
        let mut bounded = (&mut self.answers).take(self.max_line_bytes as u64);
        let mut reading = std::pin::pin!(bounded.read_until(b'\n', &mut line));
        let tick = MEASURE.min(self.stall);
        loop {
            if let Ok(read) = tokio::time::timeout(tick, &mut reading).await {
                read?;
                break;
            }
            let (bytes, files) = self.scratch.measure()?;
            if bytes > self.max_output_bytes || files > MAX_FILES {
                return Err(Error::TooMuch { bytes, files });
            }
            if begun.elapsed() >= self.stall {
                return Err(Error::Stalled(self.stall));
            }
        }
        Ok(line)
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

    fn config(data: &Path, settings: &[(&str, &str)]) -> Config {
        let own = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let data = ("DUOKU_DATA".to_owned(), data.display().to_string());
        Config::load(None, own.chain([data])).expect("settings")
    }

    /// A child that runs `script`, a shell's, instead of a step.
    fn child(script: &str, settings: &[(&str, &str)]) -> (tempfile::TempDir, MediaChild) {
        let data = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(data.path().join("scratch")).expect("made");
        let config = config(data.path(), settings);
        let scratch = Scratch::make(&data.path().join("scratch")).expect("made");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let child = MediaChild::spawn(&config, command, scratch, Stdio::null(), 1 << 20);
        (data, child.expect("it starts"))
    }

    async fn last_error(child: &mut MediaChild) -> String {
        loop {
            match child.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return "done".into(),
                Err(error) => return error.to_string(),
            }
        }
    }

    #[tokio::test]
    async fn a_child_that_hangs_is_ended() {
        let (_data, mut child) = child("sleep 60", &[("DUOKU_WORK_STALL_MS", "200")]);
        let said = last_error(&mut child).await;
        assert!(said.contains("got no further for 200ms"), "{said}");
    }

    #[tokio::test]
    async fn a_child_that_only_says_that_it_lives_is_ended() {
        for line in [r#""working""#, r#"{"media":{"progress":0.5}}"#] {
            let script = format!("while echo '{line}'; do sleep 0.05; done");
            let (_data, mut child) = child(&script, &[("DUOKU_WORK_STANDSTILL_MS", "300")]);
            let said = last_error(&mut child).await;
            assert!(said.contains("got no further for 300ms"), "{said}");
        }
    }

    #[tokio::test]
    async fn a_child_that_fills_the_disk_is_ended() {
        let settings =
            [("DUOKU_MEDIA_MAX_OUTPUT_BYTES", "3000000"), ("DUOKU_WORK_STALL_MS", "9000")];
        let script = "for n in 1 2 3 4; do head -c 1000000 /dev/zero > $n.m4s; done; sleep 60";
        let (_data, mut child) = child(script, &settings);
        let said = last_error(&mut child).await;
        assert!(said.contains("bytes in 4 files"), "{said}");
    }

    #[tokio::test]
    async fn a_line_without_end_is_not_read_to_its_end() {
        let (_data, mut child) = child("yes | tr -d '\\n'", &[]);
        let said = last_error(&mut child).await;
        assert!(said.contains("a line that does not end"), "{said}");
    }

    #[tokio::test]
    async fn only_plain_files_of_the_scratch_folder_are_taken() {
        let script =
            "echo x > a.m4s; ln -s /etc/passwd link; mkfifo pipe; mkdir d; echo '\"done\"'";
        let (_data, mut child) = child(script, &[]);
        assert_eq!(last_error(&mut child).await, "done");
        assert!(child.file("a.m4s").is_ok());
        for name in ["link", "pipe", "d", ".", "..", "", "../media", "/etc/passwd", "none"] {
            assert!(child.file(name).is_err(), "{name}");
        }
    }
}
