//! Office documents: made into PDF by LibreOffice, which then goes the way of every PDF.
//!
//! LibreOffice runs as a helper inside the sandbox of the process that calls this (`sandbox` with
//! `office`): no network, no other program, a profile in the scratch folder that forbids macros
//! and links. Before that the file is looked into here: what needs a password, inflates without
//! measure or nests without end never reaches it.

mod inside;
mod notes;
mod profile;

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::archive;
use super::document::{self, helper};
use super::sandbox::{OFFICE_FOLDER, OFFICES, keep_alone, pretend_reachable};

/// What is made, in the scratch folder.
pub const MADE: &str = "source.pdf";

/// The exit code with which LibreOffice asks to be started again, as it does with a profile that
/// another build made (`EXITHELPER_NORMAL_RESTART` of its desktop/source/inc/exithelper.h).
const AGAIN: i32 = 81;

/// How often it may ask.
const MOST_STARTS: usize = 3;

/// Makes the document `source`, whose name would end in `ending`, into [`MADE`] in `scratch`,
/// which is the current folder. Gives the notes of speakers: slide, from 1, and text.
///
/// # Errors
///
/// [`Error`].
pub fn convert(
    source: &mut File,
    scratch: &Path,
    ending: &str,
    limits: &archive::Limits,
    time: Duration,
) -> Result<Vec<(u32, String)>, Error> {
    let program = program().ok_or(Error::Missing)?;
    let kind = inside::look(source, limits)?;
    let copy = scratch.join(format!("source.{ending}"));
    source.rewind().map_err(cannot("read the source"))?;
    let mut to = File::create(&copy).map_err(cannot("copy the source"))?;
    io::copy(source, &mut to).map_err(cannot("copy the source"))?;
    profile::write(&scratch.join(OFFICE_FOLDER), Path::new(program))?;
    let mut message = String::new();
    for _ in 0..MOST_STARTS {
        let ended = helper::run_to_end(command(program, scratch, &copy)?, program, time)?;
        message = ended.message;
        if ended.code != Some(AGAIN) {
            break;
        }
    }
    let made = scratch.join(MADE);
    if fs::metadata(&made).map_or(0, |facts| facts.len()) == 0 {
        return Err(Error::Damaged(last_line(&message)));
    }
    Ok(match kind {
        inside::Kind::Archive => notes::read(source, limits).unwrap_or_default(),
        inside::Kind::Other => Vec::new(),
    })
}

/// Where LibreOffice is, if it is installed.
pub fn program() -> Option<&'static str> {
    OFFICES.into_iter().find(|path| fs::metadata(path).is_ok())
}

fn command(program: &'static str, scratch: &Path, source: &Path) -> Result<Command, Error> {
    let home = scratch.join(OFFICE_FOLDER);
    let url = |path: &PathBuf| format!("file://{}", path.display());
    let mut command = Command::new(program);
    command
        .arg(format!("-env:UserInstallation={}", url(&home)))
        .args(["--headless", "--invisible", "--nologo", "--nodefault", "--norestore"])
        .args(["--nolockcheck", "--nofirststartwizard", "--convert-to", "pdf", "--outdir"])
        .args([scratch, source])
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("SAL_USE_VCLPLUGIN", "svp")
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let cannot_start = |source| document::Error::Helper { program, source };
    keep_alone(&mut command).map_err(cannot_start)?;
    pretend_reachable(&mut command).map_err(cannot_start)?;
    Ok(command)
}

fn last_line(message: &str) -> String {
    let last = message.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or("no reason given").chars().take(200).collect()
}

/// Why an office document cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// LibreOffice is not installed.
    #[error("LibreOffice is not installed")]
    Missing,
    /// It needs a password, which nobody here has.
    #[error("the document needs a password")]
    Encrypted,
    /// LibreOffice cannot open it.
    #[error("LibreOffice cannot open it: {0}")]
    Damaged(String),
    /// What it is packed in.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The program could not be run, or took too long.
    #[error(transparent)]
    Helper(#[from] document::Error),
    /// Reading or writing failed.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// A code for the sentence that people read.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Missing => "office_missing".into(),
            Self::Encrypted => "office_encrypted".into(),
            Self::Damaged(_) => "office_damaged".into(),
            Self::Archive(error) => error.code().into(),
            Self::Helper(document::Error::Timeout(_)) => "office_timeout".into(),
            Self::Helper(_) | Self::Io { .. } => "internal".into(),
        }
    }

    /// True when a later try may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Helper(error) => error.is_transient(),
            Self::Io { .. } => true,
            Self::Archive(error) => error.is_transient(),
            _ => false,
        }
    }
}

fn cannot(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_start_is_enough() {
        // Where it is not installed, the profile's own test says what can be said.
        let Some(program) = program() else { return };
        let scratch = tempfile::tempdir().expect("a folder");
        let home = scratch.path().join(OFFICE_FOLDER);
        fs::create_dir(&home).expect("made");
        profile::write(&home, Path::new(program)).expect("written");
        let source = scratch.path().join("source.txt");
        fs::write(&source, "剪纸").expect("written");
        let command = command(program, scratch.path(), &source).expect("it can be shut in");
        let ended = helper::run_to_end(command, program, Duration::from_secs(120)).expect("ran");
        assert_eq!(ended.code, Some(0), "{}", ended.message);
        assert!(scratch.path().join(MADE).is_file());
    }
}
