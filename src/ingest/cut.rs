//! Files of the index that are cut while they are mapped into memory.
//!
//! Reading a mapped page that a file no longer has is SIGBUS, which ends the process. Here such a
//! page becomes one of zeros, and is counted: the index is then looked at, found to be damaged and
//! built anew, while the process goes on.

use std::ffi::{c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Below which the files lie, as the kernel tells their names.
static FOLDER: OnceLock<Vec<u8>> = OnceLock::new();

/// Bytes of a page of memory.
static PAGE: AtomicUsize = AtomicUsize::new(4096);

static CUT: AtomicU64 = AtomicU64::new(0);

/// `BUS_ADRERR` of sigaction(2): the address is of something that is not there.
const ADDRESS_ERROR: c_int = 2;

/// From now on the process survives that files below `folder` are cut while they are mapped.
///
/// # Errors
///
/// When the folder cannot be named, or the kernel refuses.
#[expect(unsafe_code, reason = "no safe wrapper: a handler of signals is what it is about")]
pub(super) fn survive(folder: &Path) -> io::Result<()> {
    let mut name = folder.canonicalize()?.as_os_str().as_bytes().to_vec();
    name.push(b'/');
    if FOLDER.set(name).is_err() {
        return Ok(());
    }
    PAGE.store(rustix::param::page_size(), Ordering::Relaxed);
    // SAFETY: the structure is plain numbers; the handler calls only what a handler may call.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_bus as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        if libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// How many pages were read that their files no longer had.
pub(super) fn count() -> u64 {
    CUT.load(Ordering::Relaxed)
}

/// Puts a page of zeros where one of the index was to be read. What else has no memory behind it
/// ends the process, as without a handler.
#[expect(unsafe_code, reason = "a handler of signals")]
extern "C" fn on_bus(signal: c_int, about: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel gives a valid `about`; all calls are system calls; `errno` is put back.
    unsafe {
        let errno = *libc::__errno_location();
        let address = (*about).si_addr().addr();
        if (*about).si_code == ADDRESS_ERROR && is_of_index(address) && put_zeros(address) {
            CUT.fetch_add(1, Ordering::Relaxed);
            *libc::__errno_location() = errno;
        } else {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

#[expect(unsafe_code, reason = "mmap(2)")]
fn put_zeros(address: usize) -> bool {
    let page = PAGE.load(Ordering::Relaxed);
    let start = std::ptr::without_provenance_mut::<c_void>(address & !(page - 1));
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: the page belongs to a mapping that is only read, whose file does not have it.
    unsafe { libc::mmap(start, page, libc::PROT_READ, flags, -1, 0) != libc::MAP_FAILED }
}

/// Whether the address lies in a file below [`FOLDER`] that is mapped to be read only: what the
/// database maps and writes to must not be replaced.
#[expect(unsafe_code, reason = "nothing else may be called in a handler of signals")]
fn is_of_index(address: usize) -> bool {
    let Some(folder) = FOLDER.get() else { return false };
    let mut lines = [0_u8; 8192];
    // SAFETY: a name that ends with NUL, and as many bytes as there are.
    unsafe {
        let maps = libc::open(c"/proc/self/maps".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if maps < 0 {
            return false;
        }
        let mut found = false;
        // Each read gives whole lines.
        while !found {
            let read = libc::read(maps, lines.as_mut_ptr().cast(), lines.len());
            let Ok(read @ 1..) = usize::try_from(read) else { break };
            found = lines[..read].split(|b| *b == b'\n').any(|line| names(line, address, folder));
        }
        libc::close(maps);
        found
    }
}

/// Whether a line `start-end r--s offset device inode name` of /proc/self/maps is of the address
/// and such a file.
fn names(line: &[u8], address: usize, folder: &[u8]) -> bool {
    let mut fields = line.splitn(6, |b| *b == b' ');
    let (Some(range), Some(rights)) = (fields.next(), fields.next()) else { return false };
    let Some(name) = fields.nth(3) else { return false };
    let mut ends = range.splitn(2, |b| *b == b'-').map(hexadecimal);
    let (Some(Some(start)), Some(Some(end))) = (ends.next(), ends.next()) else { return false };
    (start..end).contains(&address)
        && rights.starts_with(b"r-")
        && name.trim_ascii_start().starts_with(folder)
}

fn hexadecimal(digits: &[u8]) -> Option<usize> {
    let digit = |number: Option<usize>, b: &u8| {
        let value = char::from(*b).to_digit(16)?;
        number?.checked_mul(16)?.checked_add(value as usize)
    };
    digits.iter().fold(Some(0), digit)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn lines_of_maps_are_read() {
        let line = b"7f00-7f20 r--s 00000000 fd:00 131    /data/index/0198/a.pos";
        assert!(names(line, 0x7f00, b"/data/index/") && names(line, 0x7f1f, b"/data/index/"));
        assert!(!names(line, 0x7f20, b"/data/index/") && !names(line, 0x7f00, b"/data/store/"));
        let written = b"7f00-7f20 rw-s 00000000 fd:00 131    /data/index/x";
        assert!(!names(written, 0x7f00, b"/data/index/"));
        for odd in [&b""[..], b"x", b"7f00 r--s", b"-1-2 r--s 0 0 0 /data/index/x"] {
            assert!(!names(odd, 0, b"/data/index/"));
        }
    }

    #[test]
    fn a_file_that_is_cut_while_it_is_mapped_reads_as_zeros() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pos");
        let page = rustix::param::page_size();
        fs::write(&path, vec![7; 3 * page]).expect("written");
        let file = File::options().read(true).write(true).open(&path).expect("opened");
        #[expect(unsafe_code, reason = "what it is about is that the file is cut")]
        let mapped = unsafe { memmap2::Mmap::map(&file) }.expect("mapped");
        survive(folder.path()).expect("a handler");
        file.set_len(page as u64).expect("cut");
        assert_eq!((mapped[0], mapped[page], mapped[2 * page + 5]), (7, 0, 0));
        assert_eq!(count(), 2);
    }
}
