//! Tries to break out of the sandbox, from inside: `duoku media --selftest-escape`.
//!
//! Every attempt is something that hostile media would do after it has taken over a decoder.
//! An attempt that succeeds does no harm: it opens, asks or makes, and lets go.

#![expect(unsafe_code, reason = "escape attempts are bare system calls")]

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    process::Command,
    ptr,
};

use libc::{c_int, c_long};
use rustix::process::{Resource, getrlimit};
use serde::Serialize;

/// One way out, and whether it was shut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// What was tried.
    pub name: &'static str,
    /// True when the system refused it.
    pub refused: bool,
}

/// Tries them all, one after the other; to be called after
/// [`enter`](super::sandbox::enter) with the scratch folder as the current one.
///
/// The last attempts go over the memory and output limits.
pub fn escape_attempts() -> Vec<Attempt> {
    let attempts: &[Way] = &[
        ("read /etc/passwd", || File::open("/etc/passwd").is_ok()),
        ("read /proc/self/environ", || File::open("/proc/self/environ").is_ok()),
        ("list /", || fs::read_dir("/").is_ok()),
        ("list the folder above scratch", || fs::read_dir("..").is_ok()),
        ("write beside scratch", write_beside),
        ("write /dev/shm", || make("/dev/shm/duoku-selftest")),
        ("truncate a file by its name", || {
            answered(unsafe { libc::truncate(c"/etc/hostname".as_ptr(), -1) })
        }),
        ("symbolic link to /etc", symbolic_link),
        ("hard link to /etc/passwd", hard_link),
        ("climb out by ..", || File::open("../../../../../../etc/passwd").is_ok()),
        ("change the mode of /etc", || answered(unsafe { libc::chmod(c"/etc".as_ptr(), 0o755) })),
        ("make a device", make_device),
        ("open a file by its handle", || called(libc::SYS_open_by_handle_at, [-1, 0, 0, 0])),
        ("memory of the parent", || parent_file("mem")),
        ("environment of the parent", || parent_file("environ")),
        ("TCP socket", || socket(libc::AF_INET, libc::SOCK_STREAM)),
        ("TCP connection", || std::net::TcpStream::connect("127.0.0.1:9").is_ok()),
        ("UDP socket", || socket(libc::AF_INET6, libc::SOCK_DGRAM)),
        ("UDP datagram", udp_datagram),
        ("unix socket", || socket(libc::AF_UNIX, libc::SOCK_STREAM)),
        ("socket pair", socket_pair),
        ("raw socket", || socket(libc::AF_INET, libc::SOCK_RAW)),
        ("packet socket", || socket(libc::AF_PACKET, libc::SOCK_RAW)),
        ("netlink socket", || socket(libc::AF_NETLINK, libc::SOCK_RAW)),
        ("run /bin/sh", || run("/bin/sh")),
        ("run itself", || run("/proc/self/exe")),
        ("run a program from memory", memory_file),
        ("namespaces by unshare", || {
            called(libc::SYS_unshare, [flag(libc::CLONE_NEWUSER), 0, 0, 0])
        }),
        ("namespaces by clone", namespace_by_clone),
        ("clone3", || called(libc::SYS_clone3, [0, 0, 0, 0])),
        ("setns", || called(libc::SYS_setns, [0, 0, 0, 0])),
        ("mount", || called(libc::SYS_mount, [0, 0, 0, 0])),
        ("new mount API", || called(libc::SYS_open_tree, [flag(libc::AT_FDCWD), 0, 0, 0])),
        ("chroot", || answered(unsafe { libc::chroot(c"/".as_ptr()) })),
        ("pivot_root", || called(libc::SYS_pivot_root, [0, 0, 0, 0])),
        ("trace the parent", || called(libc::SYS_ptrace, [PTRACE_PEEKDATA, parent(), 0, 0])),
        ("read the parent's memory", || called(libc::SYS_process_vm_readv, [parent(), 0, 0, 0])),
        ("take the parent's descriptor", || called(libc::SYS_pidfd_getfd, [0, 0, 0, 0])),
        ("signal the parent", || answered(unsafe { libc::kill(libc::getppid(), 0) })),
        ("signal process 1", || answered(unsafe { libc::kill(1, 0) })),
        ("change the parent's limits", change_parent_limits),
        ("raise the own limits", raise_limits),
        ("become root", || {
            called(libc::SYS_setresuid, [0, 0, 0, 0]) || called(libc::SYS_capset, [0, 0, 0, 0])
        }),
        ("io_uring", || called(libc::SYS_io_uring_setup, [1, 0, 0, 0])),
        ("bpf", || called(libc::SYS_bpf, [0, 0, 0, 0])),
        ("userfaultfd", || called(libc::SYS_userfaultfd, [0, 0, 0, 0])),
        ("perf_event_open", || called(libc::SYS_perf_event_open, [0, 0, 0, 0])),
        ("keyring", || called(libc::SYS_keyctl, [0, 0, 0, 0])),
        ("kernel module", || called(libc::SYS_finit_module, [0, 0, 0, 0])),
        ("kexec", || called(libc::SYS_kexec_load, [0, 0, 0, 0])),
        ("kernel log", || called(libc::SYS_syslog, [10, 0, 0, 0])),
        ("leave the process group", || called(libc::SYS_setsid, [0, 0, 0, 0])),
        ("set the clock", || called(libc::SYS_clock_settime, [0, 0, 0, 0])),
        ("too many descriptors", too_many_descriptors),
        ("a file above the output limit", file_above_limit),
        ("memory above the limit", memory_above_limit),
    ];
    attempts
        .iter()
        .map(|(name, attempt)| Attempt { name, refused: !attempt() })
        .chain([Attempt { name: "fork", refused: !fork() }])
        .collect()
}

/// A name, and what is true when the way is open.
type Way = (&'static str, fn() -> bool);

/// Asks for a word of another process's memory; answers ESRCH when that is not traced yet.
const PTRACE_PEEKDATA: c_long = 2;

/// Whether the kernel has this call for us at all: any answer of its own, be it that the
/// arguments are wrong, means that the way is open.
fn called(call: c_long, arguments: [c_long; 4]) -> bool {
    let [a, b, c, d] = arguments;
    // SAFETY: every caller passes null or invalid arguments, which the kernel checks.
    answered_long(unsafe { libc::syscall(call, a, b, c, d) })
}

fn answered(result: c_int) -> bool {
    answered_long(result.into())
}

fn answered_long(result: c_long) -> bool {
    let shut = [libc::EPERM, libc::EACCES, libc::ENOSYS];
    result >= 0 || !io::Error::last_os_error().raw_os_error().is_some_and(|no| shut.contains(&no))
}

fn flag(value: c_int) -> c_long {
    value.into()
}

fn parent() -> c_long {
    // SAFETY: takes and touches nothing.
    unsafe { libc::getppid() }.into()
}

fn parent_file(name: &str) -> bool {
    File::open(format!("/proc/{}/{name}", parent())).is_ok()
}

/// Whether a file can be made at `path`; it is taken away again.
fn make(path: &str) -> bool {
    let made = OpenOptions::new().write(true).create_new(true).open(path).is_ok();
    if made {
        let _ = fs::remove_file(path);
    }
    made
}

fn write_beside() -> bool {
    make("../duoku-selftest") || make("/tmp/duoku-selftest") || make("/duoku-selftest")
}

fn symbolic_link() -> bool {
    let made = std::os::unix::fs::symlink("/etc", "selftest-link").is_ok();
    let read = File::open("selftest-link/passwd").is_ok();
    let _ = fs::remove_file("selftest-link");
    made || read
}

fn hard_link() -> bool {
    let made = fs::hard_link("/etc/passwd", "selftest-hard").is_ok();
    let _ = fs::remove_file("selftest-hard");
    made
}

fn make_device() -> bool {
    // SAFETY: the name is a C string.
    let made = unsafe { libc::mknod(c"selftest-null".as_ptr(), libc::S_IFCHR | 0o600, 0x0103) };
    let _ = fs::remove_file("selftest-null");
    made == 0
}

fn socket(family: c_int, kind: c_int) -> bool {
    // SAFETY: plain numbers in, a descriptor out.
    let opened = unsafe { libc::socket(family, kind, 0) };
    close(opened)
}

fn socket_pair() -> bool {
    let mut pair: [c_int; 2] = [-1; 2];
    // SAFETY: `pair` has room for the two descriptors.
    let made = unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()) };
    for descriptor in pair {
        close(descriptor);
    }
    made == 0
}

fn udp_datagram() -> bool {
    std::net::UdpSocket::bind("127.0.0.1:0")
        .is_ok_and(|udp| udp.send_to(b"x", "127.0.0.1:9").is_ok())
}

/// Closes what a system call opened; false when it opened nothing.
fn close(opened: c_int) -> bool {
    if opened >= 0 {
        // SAFETY: the descriptor was just made here and nothing else knows it.
        unsafe { libc::close(opened) };
    }
    opened >= 0
}

fn run(program: &str) -> bool {
    Command::new(program).arg("-c").arg(":").env_clear().status().is_ok()
}

fn memory_file() -> bool {
    // SAFETY: the name is a C string.
    close(unsafe { libc::memfd_create(c"selftest".as_ptr(), 0) })
}

fn namespace_by_clone() -> bool {
    let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
    // SAFETY: like fork with no stack given; the new process leaves at once.
    let process = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if process == 0 {
        // SAFETY: ends the new process without running anything of the old one.
        unsafe { libc::_exit(0) };
    }
    process > 0
}

/// Refused, or allowed to start helpers: then a bare new process is no way out, as all of this
/// holds in it.
fn fork() -> bool {
    // SAFETY: the new process leaves at once.
    let process = unsafe { libc::fork() };
    if process == 0 {
        // SAFETY: as above.
        unsafe { libc::_exit(i32::from(File::open("/etc/passwd").is_ok())) };
    }
    if process < 0 {
        return false;
    }
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    let waited = unsafe { libc::waitpid(process, &raw mut status, 0) };
    let helpers = rustix::fs::access(super::sandbox::HELPERS[0], rustix::fs::Access::EXISTS)
        .is_ok()
        && File::open("/dev/null").is_ok();
    !(helpers && waited == process && status == 0)
}

fn change_parent_limits() -> bool {
    let limit = libc::rlimit64 { rlim_cur: 1 << 30, rlim_max: 1 << 30 };
    // SAFETY: `limit` outlives the call; the old value is not asked for.
    let set = unsafe {
        libc::syscall(libc::SYS_prlimit64, parent(), libc::RLIMIT_CORE, &raw const limit, 0)
    };
    set == 0
}

fn raise_limits() -> bool {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: `limit` outlives the call.
    unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const limit) == 0 }
}

fn too_many_descriptors() -> bool {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return true };
    let opened: Vec<_> = (0..=limit).map_while(|_| io::pipe().ok()).collect();
    opened.len() as u64 > limit
}

fn file_above_limit() -> bool {
    let Some(limit) = getrlimit(Resource::Fsize).current else { return true };
    let Ok(mut file) = File::create("selftest-large") else { return false };
    let long = file.set_len(limit.saturating_add(1)).is_ok();
    let written = io::Seek::seek(&mut file, io::SeekFrom::Start(limit)).is_ok()
        && file.write_all(b"x").is_ok();
    let _ = fs::remove_file("selftest-large");
    long || written
}

fn memory_above_limit() -> bool {
    let Some(limit) = getrlimit(Resource::Data).current else { return true };
    let Ok(length) = usize::try_from(limit.saturating_add(1 << 20)) else { return true };
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping that nothing else knows, unmapped below and never touched.
    let mapped = unsafe { libc::mmap(ptr::null_mut(), length, protection, kind, -1, 0) };
    if mapped != libc::MAP_FAILED {
        // SAFETY: exactly the mapping made above.
        unsafe { libc::munmap(mapped, length) };
    }
    mapped != libc::MAP_FAILED
}
