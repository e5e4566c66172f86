//! A program of the operator's choice that recognises speech.

use std::fs::File;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Error, Listen, Said, answer, wav::wav};
use crate::media::sandbox::keep_alone;

/// Most that a program's answer may have, bytes.
const MAX_ANSWER: u64 = 8 << 20;

/// How much of what it complains about is kept, bytes.
const MAX_WORDS: u64 = 64 << 10;

/// Name of the piece in the scratch folder.
const SOUND: &str = "speech.wav";

static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// Whether a program is at work: it has a time after which it is ended.
pub fn command_works() -> bool {
    AT_WORK.load(Ordering::Relaxed) > 0
}

/// Runs the program on a piece of sound.
pub(super) fn run(command: &[String], listen: &Listen, samples: &[f32]) -> Result<Said, Error> {
    let failed = |error: std::io::Error| Error::Command(error.to_string());
    let folder = std::env::current_dir().map_err(failed)?;
    let sound = folder.join(SOUND);
    File::create(&sound).and_then(|mut file| file.write_all(&wav(samples))).map_err(failed)?;
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::Command("no program".into()));
    };
    let threads = listen.threads.to_string();
    let (path, model) = (sound.display().to_string(), listen.model.display().to_string());
    let places = [
        ("{wav}", path.as_str()),
        ("{model}", &model),
        ("{language}", &listen.language),
        ("{prompt}", &listen.prompt),
        ("{threads}", &threads),
    ];
    let fill = |text: &String| {
        places.iter().fold(text.clone(), |text, (place, value)| text.replace(place, value))
    };
    let mut command = Command::new(program);
    command
        .args(arguments.iter().map(fill))
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", &folder)
        .env("TMPDIR", &folder)
        .env("OMP_NUM_THREADS", &threads)
        .stdin(File::open(&sound).map_err(failed)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    keep_alone(&mut command).map_err(failed)?;
    end_with_this_thread(&mut command);
    let child = command.spawn().map_err(|error| Error::Command(format!("{program}: {error}")))?;
    AT_WORK.fetch_add(1, Ordering::Relaxed);
    let answer = ended(child, listen.time);
    AT_WORK.fetch_sub(1, Ordering::Relaxed);
    answer::parse(&answer?)
}

/// Has the kernel end the program when this process ends, however it ends. (It tells so by the
/// thread that starts it: the main one here.)
#[expect(unsafe_code, reason = "what runs between fork and exec is unsafe to choose")]
fn end_with_this_thread(command: &mut Command) {
    let tie = || {
        // SAFETY: a plain system call.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(tie) };
}

/// Waits for the end of the program; what it wrote to its standard output.
fn ended(mut child: Child, time: Duration) -> Result<Vec<u8>, Error> {
    let answer = child.stdout.take().map(|output| thread::spawn(|| first(output, MAX_ANSWER)));
    let words = child.stderr.take().map(|output| thread::spawn(|| first(output, MAX_WORDS)));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) if begun.elapsed() > time => {
                // It may have ended this moment.
                let _ = child.kill();
                let _ = child.wait();
                break Err(Error::Late(time));
            }
            Ok(None) => thread::sleep(Duration::from_millis(20)),
            Err(error) => break Err(Error::Command(error.to_string())),
        }
    };
    let read = |thread: Option<thread::JoinHandle<Vec<u8>>>| {
        thread.and_then(|thread| thread.join().ok()).unwrap_or_default()
    };
    let (answer, words) = (read(answer), read(words));
    let status = status?;
    if !status.success() {
        let words = String::from_utf8_lossy(&words);
        let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(Error::Command(format!("{status}: {last}")));
    }
    if answer.len() as u64 > MAX_ANSWER {
        return Err(Error::Answer(format!("more than {MAX_ANSWER} bytes")));
    }
    Ok(answer)
}

/// Up to `most` bytes and one more; the rest is read too, so that nobody waits for us.
fn first(mut from: impl Read, most: u64) -> Vec<u8> {
    let mut first = Vec::new();
    let _ = from.by_ref().take(most + 1).read_to_end(&mut first);
    let _ = std::io::copy(&mut from, &mut std::io::sink());
    first
}
