//! The walls around the media child: limits, no privileges, no files, no network, few system calls.
//!
//! Three layers, each of them enough against a good part of what hostile media could try:
//!
//! - resource limits and dropped privileges (`limits.rs`),
//! - landlock: no file but the scratch folder, the source and, if asked, the helpers or what the
//!   operator named (`files.rs`),
//! - seccomp: a short list of system calls, everything else does not exist (`calls.rs`).
//!
//! Nothing here knows what the child does inside.

mod calls;
mod files;
mod limits;

use std::{io, path::Path};

use serde::Serialize;

pub use files::{HELPERS, OFFICE_FOLDER, OFFICES, RECOGNISER, TESSDATA};
pub use limits::Limits;

/// Walls the calling process in, for ever: what it starts inherits all of it.
///
/// To be called while the process has one thread and before a byte of the source is read.
/// Afterwards files can be read and written below `scratch` only; standard input, if it is a
/// regular file, can be opened again for reading by the name `/proc/self/fd/0`.
///
/// # Errors
///
/// [`Error::Missing`] names the first layer that does not hold; the others hold as far as
/// possible, but the process should leave.
pub fn enter(scratch: &Path, limits: &Limits) -> Result<Layers, Error> {
    match apply(scratch, limits) {
        (layers, None) => Ok(layers),
        (_, Some(error)) => Err(error),
    }
}

/// The same as [`enter`], but goes on when a layer is missing: for `--insecure-sandbox` only.
///
/// # Errors
///
/// [`Error::Threads`] when there is a second thread, which would stay outside.
pub fn enter_as_far_as_possible(scratch: &Path, limits: &Limits) -> Result<Layers, Error> {
    match apply(scratch, limits) {
        (_, Some(error @ Error::Threads(_))) => Err(error),
        (layers, _) => Ok(layers),
    }
}

/// Lets what `command` starts start nothing further, for ever; threads it may have.
///
/// # Errors
///
/// When the filter cannot be made. Where the kernel has no filters [`enter`] has said so.
pub fn keep_alone(command: &mut std::process::Command) -> io::Result<()> {
    filtered(command, calls::alone()?)
}

/// Lets what `command` starts believe that others can reach it at its socket, which it asks for
/// before it does anything: LibreOffice, so that a second one would find it.
///
/// # Errors
///
/// As [`keep_alone`].
pub fn pretend_reachable(command: &mut std::process::Command) -> io::Result<()> {
    filtered(command, calls::reachable()?)
}

#[expect(unsafe_code, reason = "what runs between fork and exec is unsafe to choose")]
fn filtered(
    command: &mut std::process::Command,
    filter: seccompiler::BpfProgram,
) -> io::Result<()> {
    use std::os::unix::process::CommandExt as _;
    let put_in_force = move || match seccompiler::apply_filter(&filter) {
        Err(seccompiler::Error::Seccomp(error)) if is_absent(&error) => Ok(()),
        Err(seccompiler::Error::Seccomp(error) | seccompiler::Error::Prctl(error)) => Err(error),
        Err(_) => Err(io::ErrorKind::Other.into()),
        Ok(()) => Ok(()),
    };
    // SAFETY: the closure makes two system calls and allocates nothing.
    unsafe { command.pre_exec(put_in_force) };
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL))
}

/// Which layers hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Layers {
    /// Memory, CPU, output and descriptor limits are set and cannot be raised.
    pub limits: bool,
    /// No capability is left, and no program can give one back.
    pub unprivileged: bool,
    /// The landlock ABI in force, 0 when there is none.
    ///
    /// 1 closes the files, 4 also TCP, 6 also signals and abstract sockets; what a lower one
    /// leaves open the seccomp list closes too.
    pub landlock_abi: u32,
    /// The list of system calls is in force.
    pub seccomp: bool,
}

/// Why the process is not walled in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One layer could not be set up.
    #[error("the sandbox layer {layer} cannot be had here")]
    Missing {
        /// `limits`, `privileges`, `landlock` or `seccomp`.
        layer: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Other threads would stay outside.
    #[error("the sandbox must be entered with one thread, there are {0}")]
    Threads(usize),
}

impl Error {
    /// A short name for logs and for the parent process.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { layer, .. } => layer,
            Self::Threads(_) => "threads",
        }
    }
}

fn apply(scratch: &Path, limits: &Limits) -> (Layers, Option<Error>) {
    let mut layers = Layers::default();
    match threads() {
        1 => {}
        many => return (layers, Some(Error::Threads(many))),
    }
    let mut first = None;
    let mut missing = |layer, source| {
        first.get_or_insert(Error::Missing { layer, source });
    };
    // Files before the limits: building the rules opens more descriptors than may stay open.
    match files::restrict(scratch, limits) {
        Ok(abi) => layers.landlock_abi = abi,
        Err(source) => missing("landlock", source),
    }
    match limits::set(limits) {
        Ok(()) => layers.limits = true,
        Err(source) => missing("limits", source),
    }
    match limits::drop_privileges() {
        Ok(()) => layers.unprivileged = true,
        Err(source) => missing("privileges", source),
    }
    let signals_scoped = layers.landlock_abi >= files::ABI_WITH_SIGNALS;
    match calls::restrict(limits, signals_scoped) {
        Ok(()) => layers.seccomp = true,
        Err(source) => missing("seccomp", source),
    }
    (layers, first)
}

/// How many threads the process has; 1 where /proc cannot be read.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(1, |tasks| tasks.count())
}

#[cfg(test)]
mod tests;
