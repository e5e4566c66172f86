//! Seccomp: the system calls that exist for the child; every other one answers ENOSYS.
//!
//! A list of what is allowed, so what a later kernel brings is closed from its first day. ENOSYS
//! and not EPERM, because that is what a kernel without the call would say: glibc then takes the
//! older way (`clone` for `clone3`), and programs are used to it. The list is for glibc on
//! `x86_64` and aarch64; numbers come from the `libc` crate.

use std::{collections::BTreeMap, io};

use libc::{c_int, c_long};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};

use super::Limits;

/// Puts the list in force, in all threads.
pub(super) fn restrict(limits: &Limits, signals_scoped: bool) -> io::Result<()> {
    let program = program(limits, signals_scoped).map_err(io::Error::other)?;
    seccompiler::apply_filter_all_threads(&program).map_err(io::Error::other)
}

/// What a helper is started with: no further process, so that no document can make it fork
/// without end, and none of what only starting one needs. (`RLIMIT_NPROC` counts all processes of the account, and root's not at all.)
pub(super) fn alone() -> io::Result<BpfProgram> {
    alone_program().map_err(io::Error::other)
}

fn alone_program() -> Result<BpfProgram, BackendError> {
    let calls = [libc::SYS_clone3, libc::SYS_socketpair, libc::SYS_recvfrom];
    let mut rules = Rules::from(calls.map(|call| (call, Vec::new())));
    #[cfg(target_arch = "x86_64")]
    rules.extend([(libc::SYS_vfork, Vec::new()), (libc::SYS_fork, Vec::new())]);
    let thread = bits(libc::CLONE_THREAD);
    when(&mut rules, libc::SYS_clone, &[(0, SeccompCmpOp::MaskedEq(thread), 0)])?;
    let absent = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, absent, arch)?.try_into()
}

/// What LibreOffice is started with besides: a socket that nobody can reach, since it has no name
/// and nothing can be connected to it, is bound and listens, it is told. Without one it gives up.
pub(super) fn reachable() -> io::Result<BpfProgram> {
    let told = || -> Result<BpfProgram, BackendError> {
        let rules = Rules::from([libc::SYS_bind, libc::SYS_listen].map(|call| (call, Vec::new())));
        let arch = std::env::consts::ARCH.try_into()?;
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(0), arch)?.try_into()
    };
    told().map_err(io::Error::other)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn program(limits: &Limits, signals_scoped: bool) -> Result<BpfProgram, BackendError> {
    let mut rules: Rules = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    rules.extend(ALLOWED_X86_64.iter().map(|call| (*call, Vec::new())));

    // A file without a name would be counted by nobody.
    let unnamed = bits(libc::O_TMPFILE & !libc::O_DIRECTORY);
    when(&mut rules, libc::SYS_openat, &[(2, SeccompCmpOp::MaskedEq(unnamed), 0)])?;
    #[cfg(target_arch = "x86_64")]
    when(&mut rules, libc::SYS_open, &[(1, SeccompCmpOp::MaskedEq(unnamed), 0)])?;
    one_of(&mut rules, libc::SYS_prctl, 0, PRCTL)?;
    one_of(&mut rules, libc::SYS_ioctl, 1, IOCTL)?;
    one_of(&mut rules, libc::SYS_fcntl, 1, FCNTL)?;
    // Limits can be read, not set: the third argument is the new limit.
    when(&mut rules, libc::SYS_prlimit64, &[(2, SeccompCmpOp::Eq, 0)])?;
    // A thread may lower its own priority, and ask for it first (nice(3)).
    let own = [(0, SeccompCmpOp::Eq, 0), (1, SeccompCmpOp::Eq, 0)];
    when(&mut rules, libc::SYS_getpriority, &own)?;
    when(&mut rules, libc::SYS_setpriority, &own)?;
    processes(&mut rules, limits.may_start())?;
    if limits.office {
        office(&mut rules)?;
    }
    signals(&mut rules, limits.may_start() && signals_scoped)?;

    let absent = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, absent, SeccompAction::Allow, arch)?.try_into()
}

/// Threads always; processes and programs only with helpers, and never new namespaces.
fn processes(rules: &mut Rules, helpers: bool) -> Result<(), BackendError> {
    if !helpers {
        let thread = bits(libc::CLONE_THREAD);
        return when(rules, libc::SYS_clone, &[(0, SeccompCmpOp::MaskedEq(thread), thread)]);
    }
    when(rules, libc::SYS_clone, &[(0, SeccompCmpOp::MaskedEq(NAMESPACES), 0)])?;
    rules.insert(libc::SYS_execve, Vec::new());
    // To shut a helper in further: see `alone`.
    let filter = u64::from(libc::SECCOMP_SET_MODE_FILTER);
    when(rules, libc::SYS_seccomp, &[(0, SeccompCmpOp::Eq, filter)])?;
    // Rust's `Command` makes such a pair to hear whether the program was started, wherever
    // something is to be done between fork and exec.
    let kind = bits(libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC);
    let pair = [(0, SeccompCmpOp::Eq, bits(libc::AF_UNIX)), (1, SeccompCmpOp::Eq, kind)];
    when(rules, libc::SYS_socketpair, &pair)?;
    rules.insert(libc::SYS_recvfrom, Vec::new());
    Ok(())
}

/// LibreOffice makes, renames and removes what is in its own folder, where alone landlock lets it;
/// and a socket that it can do nothing with: see [`reachable`].
fn office(rules: &mut Rules) -> Result<(), BackendError> {
    let socket = [
        (0, SeccompCmpOp::Eq, bits(libc::AF_UNIX)),
        (1, SeccompCmpOp::Eq, bits(libc::SOCK_STREAM)),
    ];
    when(rules, libc::SYS_socket, &socket)?;
    let calls = [
        libc::SYS_mkdirat,
        libc::SYS_renameat,
        libc::SYS_unlinkat,
        libc::SYS_fsync,
        libc::SYS_fdatasync,
    ];
    rules.extend(calls.map(|call| (call, Vec::new())));
    #[cfg(target_arch = "x86_64")]
    {
        let older = [libc::SYS_mkdir, libc::SYS_rmdir, libc::SYS_rename, libc::SYS_unlink];
        rules.extend(older.map(|call| (call, Vec::new())));
    }
    Ok(())
}

/// A process may signal itself (`abort`); the helpers only where landlock keeps signals inside.
fn signals(rules: &mut Rules, scoped: bool) -> Result<(), BackendError> {
    if scoped {
        let calls = [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_pidfd_send_signal];
        rules.extend(calls.map(|call| (call, Vec::new())));
        return Ok(());
    }
    let this = u64::from(std::process::id());
    when(rules, libc::SYS_kill, &[(0, SeccompCmpOp::Eq, this)])?;
    when(rules, libc::SYS_tgkill, &[(0, SeccompCmpOp::Eq, this)])
}

/// Allows `call` if the argument number `argument` (32 bits) is one of `values`.
fn one_of(
    rules: &mut Rules,
    call: c_long,
    argument: u8,
    values: &[u32],
) -> Result<(), BackendError> {
    for value in values {
        let equal = SeccompCondition::new(
            argument,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::Eq,
            (*value).into(),
        )?;
        rules.entry(call).or_default().push(SeccompRule::new(vec![equal])?);
    }
    Ok(())
}

/// Allows `call` if all of the conditions (argument, comparison, value; 64 bits) hold.
fn when(
    rules: &mut Rules,
    call: c_long,
    conditions: &[(u8, SeccompCmpOp, u64)],
) -> Result<(), BackendError> {
    let conditions = conditions.iter().map(|(argument, compare, value)| {
        SeccompCondition::new(*argument, SeccompCmpArgLen::Qword, compare.clone(), *value)
    });
    let rule = SeccompRule::new(conditions.collect::<Result<_, _>>()?)?;
    rules.entry(call).or_default().push(rule);
    Ok(())
}

const fn bits(flag: c_int) -> u64 {
    flag.cast_unsigned() as u64
}

/// Every `CLONE_NEW*` flag.
const NAMESPACES: u64 = bits(libc::CLONE_NEWNS)
    | bits(libc::CLONE_NEWCGROUP)
    | bits(libc::CLONE_NEWUTS)
    | bits(libc::CLONE_NEWIPC)
    | bits(libc::CLONE_NEWUSER)
    | bits(libc::CLONE_NEWPID)
    | bits(libc::CLONE_NEWNET);

/// Names of threads and of memory, and what takes rights away.
const PRCTL: &[u32] = &[
    libc::PR_SET_NAME.cast_unsigned(),
    libc::PR_GET_NAME.cast_unsigned(),
    libc::PR_SET_PDEATHSIG.cast_unsigned(),
    libc::PR_SET_NO_NEW_PRIVS.cast_unsigned(),
    libc::PR_GET_NO_NEW_PRIVS.cast_unsigned(),
    libc::PR_GET_DUMPABLE.cast_unsigned(),
    libc::PR_SET_VMA.cast_unsigned(),
];

/// Is it a terminal, how much can be read, flags of the descriptor.
const IOCTL: &[u32] = &[
    libc::TCGETS as u32,
    libc::TIOCGWINSZ as u32,
    libc::FIONREAD as u32,
    libc::FIONBIO as u32,
    libc::FIOCLEX as u32,
];

/// Everything but the commands that aim signals at others, leases and seals.
const FCNTL: &[u32] = &[
    libc::F_DUPFD.cast_unsigned(),
    libc::F_DUPFD_CLOEXEC.cast_unsigned(),
    libc::F_GETFD.cast_unsigned(),
    libc::F_SETFD.cast_unsigned(),
    libc::F_GETFL.cast_unsigned(),
    libc::F_SETFL.cast_unsigned(),
    libc::F_GETLK.cast_unsigned(),
    libc::F_SETLK.cast_unsigned(),
    libc::F_SETLKW.cast_unsigned(),
    libc::F_OFD_GETLK.cast_unsigned(),
    libc::F_OFD_SETLK.cast_unsigned(),
    libc::F_OFD_SETLKW.cast_unsigned(),
    libc::F_GETPIPE_SZ.cast_unsigned(),
];

/// What a program needs that computes, has threads, and reads and writes files that it may open.
///
/// Absent on purpose, besides the obvious: `chmod`, `chown`, `utimensat` and `setxattr`, which
/// landlock does not watch; links and devices; `memfd_create`, whose memory no limit counts;
/// `setsid` and `setpgid`, so that the parent can end the whole group; `splice`.
const ALLOWED: &[i64] = &[
    // Files.
    libc::SYS_close,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_ftruncate,
    libc::SYS_dup,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    // Memory.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    // Threads, processors, own signals.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_wait4,
    libc::SYS_waitid,
    // Who and when.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getrusage,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrandom,
    libc::SYS_gettimeofday,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
];

/// The older names of the same things, which aarch64 never had.
#[cfg(target_arch = "x86_64")]
const ALLOWED_X86_64: &[i64] = &[
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_arch_prctl,
    libc::SYS_time,
];
