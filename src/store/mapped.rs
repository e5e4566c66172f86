//! An object mapped into memory: what is sent is what the kernel has cached.
//!
//! Objects never change, so a map stays true. A file that something else cuts
//! short under a map ends the process (SIGBUS): nothing but this program may
//! write in the store's folder.

use std::fs::File;
use std::io;
use std::ops::Range;

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

/// Whether all pages of `bytes` (of a map) are in memory, so that touching them does not block.
#[must_use]
pub fn is_resident(bytes: &Bytes) -> bool {
    if bytes.is_empty() {
        return true;
    }
    let page = rustix::param::page_size();
    let start = bytes.as_ptr() as usize / page * page;
    let end = bytes.as_ptr() as usize + bytes.len();
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
