//! An object mapped into memory: what is sent is what the kernel has cached.
//!
//! Objects never change, so a map stays true. A file that something else cuts
//! short under a map ends the process (SIGBUS): nothing but this program may
//! write in the store's folder.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;
use memmap2::Mmap;

/// An object mapped into memory.
#[derive(Debug, Clone)]
pub struct Mapped {
    bytes: Bytes,
}

/// Owner of a map's pages, shared by all slices of it.
struct Pages(Mmap);

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Mapped {
    /// Maps all of `file`.
    ///
    /// # Errors
    ///
    /// Those of `mmap`.
    pub(super) fn new(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self { bytes: Bytes::new() });
        }
        #[expect(unsafe_code, reason = "objects are never changed or cut while they are named")]
        let map = unsafe { Mmap::map(file)? };
        Ok(Self { bytes: Bytes::from_owner(Pages(map)) })
    }

    /// Size in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the object is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All of it.
    #[must_use]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Some of it, without a copy. The range must lie within.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Bytes {
        self.bytes.slice(range)
    }
}

/// Pages are looked at so many bytes at a time where that can be, and not again within a second:
/// asking the kernel costs a twentieth of a short range.
const CHUNK: usize = 1024 * 1024;

thread_local! {
    /// Chunks that were looked at, by their address: when, and whether all pages were in memory.
    /// (Pages that were dropped within the second, or another map in their place, make the thread
    /// wait for a disk.)
    static LOOKED: RefCell<Vec<(usize, Instant, bool)>> =
        RefCell::new(vec![(0, Instant::now(), false); 4096]);
}

/// Whether all pages of `bytes` (of a map) are in memory, so that touching them does not block.
#[must_use]
pub fn is_resident(bytes: &Bytes) -> bool {
    let (start, end) = (bytes.as_ptr() as usize, bytes.as_ptr() as usize + bytes.len());
    bytes.is_empty() || (start / CHUNK..=(end - 1) / CHUNK).all(is_warm) || are_resident(start, end)
}

/// Whether all of chunk `number` of the address space is in memory, or was a moment ago.
fn is_warm(number: usize) -> bool {
    LOOKED.with_borrow_mut(|looked| {
        let slot = number % looked.len();
        let (known, when, resident) = looked[slot];
        if known == number && when.elapsed() < Duration::from_secs(1) {
            return resident;
        }
        // Where a map ends within it, the kernel says no.
        let resident = are_resident(number * CHUNK, (number + 1) * CHUNK);
        looked[slot] = (number, Instant::now(), resident);
        resident
    })
}

/// Whether all pages from `start` to `end`, addresses, are mapped and in memory.
fn are_resident(start: usize, end: usize) -> bool {
    let page = rustix::param::page_size();
    let start = start / page * page;
    let mut pages = vec![0_u8; (end - start).div_ceil(page)];
    #[expect(unsafe_code, reason = "mincore writes one byte a page into a vector of that length")]
    let done =
        unsafe { libc::mincore(start as *mut libc::c_void, end - start, pages.as_mut_ptr()) };
    done == 0 && pages.iter().all(|flags| flags & 1 == 1)
}

/// Reads all pages of `bytes` (of a map) into memory. Blocks.
pub fn make_resident(bytes: &Bytes) {
    let page = rustix::param::page_size();
    let _: u8 = bytes.iter().step_by(page).fold(0, |sum, byte| sum ^ std::hint::black_box(byte));
}
