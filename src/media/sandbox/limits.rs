//! Resource limits, and the end of privileges.

use std::io;
use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// What one run of the media child may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Writable memory in bytes, all threads together (`RLIMIT_DATA`).
    ///
    /// Each helper has as much again for itself.
    pub memory_bytes: u64,
    /// CPU time in seconds of this process, and of each helper.
    pub cpu_seconds: u64,
    /// Bytes of the largest file that may be written.
    pub output_bytes: u64,
    /// Open descriptors.
    pub open_files: u64,
    /// Whether the programs in [`HELPERS`](super::HELPERS) may be started.
    pub helpers: bool,
    /// Whether LibreOffice may be started too, with [`OFFICE_FOLDER`](super::OFFICE_FOLDER) of the
    /// scratch folder to itself.
    #[serde(default)]
    pub office: bool,
    /// The operator's own program that may be started, by its whole path; only it.
    pub program: Option<PathBuf>,
    /// Files and folders of the operator that may be read: a model, what the program is made of.
    pub readable: Vec<PathBuf>,
}

impl Limits {
    /// Whether anything may be started at all.
    #[must_use]
    pub fn may_start(&self) -> bool {
        self.helpers || self.office || self.program.is_some()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 1536 << 20,
            cpu_seconds: 120,
            output_bytes: 2 << 30,
            open_files: 64,
            helpers: false,
            office: false,
            program: None,
            readable: Vec::new(),
        }
    }
}

/// Address space beyond the writable memory: libraries, guard pages, and what glibc's arenas
/// reserve without using it (64 MiB a thread).
const ADDRESS_SPACE_MARGIN: u64 = 4 << 30;

/// Between the signal that can be handled and the end.
const CPU_GRACE_SECONDS: u64 = 5;

pub(super) fn set(limits: &Limits) -> io::Result<()> {
    // Too large a write then fails with EFBIG, which can be told, instead of ending the process.
    ignore_file_size_signal()?;
    let address_space = limits.memory_bytes.saturating_add(ADDRESS_SPACE_MARGIN);
    for (resource, value) in [
        (Resource::Data, limits.memory_bytes),
        (Resource::As, address_space),
        (Resource::Fsize, limits.output_bytes),
        (Resource::Nofile, limits.open_files),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })?;
    }
    let cpu = Rlimit {
        current: Some(limits.cpu_seconds),
        maximum: Some(limits.cpu_seconds.saturating_add(CPU_GRACE_SECONDS)),
    };
    setrlimit(Resource::Cpu, cpu)?;
    // RLIMIT_NPROC counts every process of the account, so it would depend on what else runs
    // here; starting processes is closed by seccomp instead, for helpers too.
    Ok(())
}

#[expect(unsafe_code, reason = "signal(2) has no safe wrapper here; no handler is installed")]
fn ignore_file_size_signal() -> io::Result<()> {
    // SAFETY: SIG_IGN runs no code of ours.
    match unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Gives up every capability, lets no program give one back, and keeps the open descriptors
/// from the helpers.
#[expect(unsafe_code, reason = "prctl(2), capset(2) and close_range(2) have no safe wrapper")]
pub(super) fn drop_privileges() -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    // _LINUX_CAPABILITY_VERSION_3 of linux/capability.h; two words of three sets.
    let header = Header { version: 0x2008_0522, pid: 0 };
    let none = [0_u32; 6];
    // SAFETY: plain system calls; `header` and `none` outlive them and have the kernel's layout.
    unsafe {
        done(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        done(libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0))?;
        done_long(libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()))?;
        done_long(libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC))
    }
}

fn done(result: libc::c_int) -> io::Result<()> {
    done_long(result.into())
}

fn done_long(result: libc::c_long) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
