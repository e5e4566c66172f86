//! One run of a helper: bounded in time and in what it says.

use std::{
    fs::File,
    io::{self, Read},
    iter,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{Error, cannot};
use crate::media::sandbox::{HELPERS, keep_alone};

/// The source, as the helper finds it.
const SOURCE: &str = "/proc/self/fd/0";

/// How much of what a helper complains about is kept.
const MESSAGE_BYTES: u64 = 64 << 10;

/// How many helpers are at work.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// Whether a helper is at work: each has a time after which it is ended.
pub fn helper_works() -> bool {
    AT_WORK.load(Ordering::Relaxed) > 0
}

/// One of [`HELPERS`].
#[derive(Clone, Copy)]
pub(in crate::media) enum Program {
    Render,
    Text,
    Html,
    Info,
    Recognise,
}

impl Program {
    fn path(self) -> &'static str {
        HELPERS[self as usize]
    }

    /// The source, as the helper is told of it.
    fn source(self) -> &'static str {
        match self {
            Self::Recognise => "stdin",
            Self::Render | Self::Text | Self::Html | Self::Info => SOURCE,
        }
    }

    /// What comes after the name of the source.
    fn last_arguments(self) -> &'static [&'static str] {
        match self {
            // To standard output; without it, it makes a name of that of the source.
            Self::Text => &["-"],
            Self::Recognise => &["stdout"],
            Self::Render | Self::Html | Self::Info => &[],
        }
    }
}

/// What a helper said.
pub(in crate::media) struct Answer {
    pub(super) succeeded: bool,
    pub(super) message: String,
    pub(super) output: Vec<u8>,
}

impl Answer {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.output
    }

    pub(in crate::media) fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}

/// Runs a helper to its end and keeps what it writes to its standard output, at most
/// `most_bytes`; what comes after is not read.
///
/// # Errors
///
/// [`Error::Timeout`], and [`Error::Helper`] when it cannot be started. That it fails is an
/// answer, not an error.
pub(in crate::media) fn run(
    program: Program,
    arguments: &[&str],
    source: &File,
    time: Duration,
    most_bytes: u64,
) -> Result<Answer, Error> {
    let mut running = Running::start(program, arguments, source, time)?;
    let mut output = Vec::new();
    let read = running.output().take(most_bytes).read_to_end(&mut output);
    let ended = running.end()?;
    read.map_err(cannot("read what a helper says"))?;
    Ok(Answer { succeeded: ended.succeeded, message: ended.message, output })
}

/// Runs `command`, which was made to start `program` shut in, to its end; what it writes to its
/// standard output is not kept.
///
/// # Errors
///
/// As [`run`].
pub(in crate::media) fn run_to_end(
    command: Command,
    program: &'static str,
    time: Duration,
) -> Result<Ended, Error> {
    let mut running = Running::begin(command, program, time)?;
    let _ = io::copy(&mut running.output(), &mut io::sink());
    running.end()
}

/// A helper at work.
pub(super) struct Running {
    child: Arc<Mutex<Child>>,
    output: Option<std::process::ChildStdout>,
    message: JoinHandle<String>,
    /// Begins the time anew; dropped to call off the watch, whose answer says whether it had to
    /// end the helper.
    again: Sender<()>,
    watch: JoinHandle<bool>,
    time: Duration,
}

/// How a helper ended.
pub(in crate::media) struct Ended {
    pub(super) succeeded: bool,
    /// None: by a signal.
    pub(in crate::media) code: Option<i32>,
    pub(in crate::media) message: String,
}

impl Running {
    /// Starts `program` with `arguments` before the name of the source.
    pub(super) fn start(
        program: Program,
        arguments: &[&str],
        source: &File,
        time: Duration,
    ) -> Result<Self, Error> {
        let input = source.try_clone().map_err(cannot("share the source"))?;
        let failed = |source| Error::Helper { program: program.path(), source };
        let mut command = Command::new(program.path());
        command
            .args(arguments)
            .arg(program.source())
            .args(program.last_arguments())
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            // A picture is read by one thread: the others would mostly wait for each other.
            .env("OMP_THREAD_LIMIT", "1")
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        keep_alone(&mut command).map_err(failed)?;
        Self::begin(command, program.path(), time)
    }

    fn begin(mut command: Command, program: &'static str, time: Duration) -> Result<Self, Error> {
        let mut child = command.spawn().map_err(|source| Error::Helper { program, source })?;
        AT_WORK.fetch_add(1, Ordering::Relaxed);
        let output = child.stdout.take();
        let complaints = child.stderr.take();
        let message = thread::spawn(move || complaints.map(first_bytes).unwrap_or_default());
        let child = Arc::new(Mutex::new(child));
        let (again, stopped) = mpsc::channel();
        let watched = Arc::clone(&child);
        let watch = thread::spawn(move || {
            let last = iter::repeat_with(|| stopped.recv_timeout(time)).find(Result::is_err);
            let late = last == Some(Err(RecvTimeoutError::Timeout));
            AT_WORK.fetch_sub(1, Ordering::Relaxed);
            if late {
                // It may have ended this moment; then there is nothing to end.
                let _ = lock(&watched).kill();
            }
            late
        });
        Ok(Self { child, output, message, again, watch, time })
    }

    /// Gives it as much time again, from now on.
    pub(super) fn go_on(&self) {
        // Without a watch it has been ended already.
        let _ = self.again.send(());
    }

    /// What it writes to its standard output.
    pub(super) fn output(&mut self) -> impl Read + use<> {
        self.output.take().map_or_else(
            || Box::new(io::empty()) as Box<dyn Read>,
            |output| Box::new(output) as Box<dyn Read>,
        )
    }

    /// Waits for its end; the output must have been read or dropped.
    pub(super) fn end(self) -> Result<Ended, Error> {
        drop(self.output);
        let status = wait(&self.child);
        drop(self.again);
        let late = self.watch.join().unwrap_or(false);
        let message = self.message.join().unwrap_or_default();
        let status = status.map_err(cannot("wait for a helper"))?;
        if late {
            return Err(Error::Timeout(self.time));
        }
        Ok(Ended { succeeded: status.success(), code: status.code(), message })
    }
}

/// Waits without holding the lock, so that the watch can end the helper meanwhile.
fn wait(child: &Mutex<Child>) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = lock(child).try_wait()? {
            return Ok(status);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first part of what there is to read; the rest is read too, so that nobody waits for us.
fn first_bytes(mut from: impl Read) -> String {
    let mut first = Vec::new();
    let _ = from.by_ref().take(MESSAGE_BYTES).read_to_end(&mut first);
    let _ = io::copy(&mut from, &mut io::sink());
    String::from_utf8_lossy(&first).into_owned()
}
