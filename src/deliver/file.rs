//! A virtual file: extents of memory and of objects, one behind the other.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, stream};

use super::parts::{Error, read_range};
use crate::store::Store;

/// Bytes of an object that are read and handed on at a time.
const AT_A_TIME: u64 = 1024 * 1024;

/// Extents, one behind the other. A connection that sends them holds one of them at a time.
#[derive(Debug, Default)]
pub struct VirtualFile {
    extents: Vec<Extent>,
    /// Behind the last byte of each.
    ends: Vec<u64>,
}

/// Bytes of a virtual file.
#[derive(Debug, Clone)]
pub enum Extent {
    /// In memory.
    Memory(Bytes),
    /// A range of an object, which is read when it is sent.
    Object(Arc<str>, Range<u64>),
}

impl Extent {
    fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Object(_, range) => range.end.saturating_sub(range.start),
        }
    }
}

impl VirtualFile {
    /// Adds an extent at the end. Ranges of the same object that touch become one extent.
    pub fn push(&mut self, extent: Extent) {
        let end = self.length() + extent.length();
        match (self.extents.last_mut(), &extent) {
            (Some(Extent::Object(key, before)), Extent::Object(same, next))
                if key == same && before.end == next.start =>
            {
                before.end = next.end;
                self.ends.pop();
            }
            _ => self.extents.push(extent),
        }
        self.ends.push(end);
    }

    /// Bytes of the whole file.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let held = self.extents.iter().map(|extent| match extent {
            Extent::Memory(bytes) => bytes.len(),
            // Keys are shared by the extents of a part, mostly of some ten.
            Extent::Object(key, _) => key.len() / 8,
        });
        held.sum::<usize>() + self.extents.len() * (size_of::<Extent>() + size_of::<u64>())
    }

    /// The extent that byte `at` is in, and what of it is between there and `end`, at most
    /// [`AT_A_TIME`] of an object.
    fn at(&self, at: u64, end: u64) -> Option<Extent> {
        let number = self.ends.partition_point(|&end| end <= at);
        let extent = self.extents.get(number).filter(|_| at < end)?;
        let skip = at - (self.ends[number] - extent.length());
        let until = extent.length().min(skip + (end - at));
        Some(match extent {
            Extent::Memory(bytes) => Extent::Memory(bytes.slice(skip as usize..until as usize)),
            Extent::Object(key, range) => {
                let start = range.start + skip;
                let end = (range.start + until).min(start + AT_A_TIME);
                Extent::Object(Arc::clone(key), start..end)
            }
        })
    }

    /// Some of its bytes, read as they are taken. The range must lie within.
    pub(super) fn read(
        self: Arc<Self>,
        store: Store,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold(range.start, move |at| {
            let (extents, store, end) = (Arc::clone(&self), store.clone(), range.end);
            async move {
                let bytes = match extents.at(at, end) {
                    None => return Ok::<_, Error>(None),
                    Some(Extent::Memory(bytes)) => bytes,
                    Some(Extent::Object(key, range)) => read_range(&store, &key, range).await?,
                };
                let next = at + bytes.len() as u64;
                Ok(Some((bytes, next)))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;
    use proptest::prelude::*;

    use super::*;
    use crate::store::LocalStore;

    /// A store with an object of these bytes.
    fn store(bytes: &[u8]) -> (tempfile::TempDir, Store, Arc<str>) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::Local(LocalStore::open(folder.path()).expect("a store"));
        let key = "derived/a/b-0123456789abcdef.m4s";
        let path = folder.path().join(key);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("written");
        (folder, store, key.into())
    }

    fn collect(file: &Arc<VirtualFile>, store: &Store, range: Range<u64>) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let stream = Arc::clone(file).read(store.clone(), range);
        let read: Vec<Bytes> = runtime.block_on(stream.try_collect()).expect("bytes");
        read.concat()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Any range of the virtual file is that slice of the whole.
        #[test]
        fn a_range_is_a_slice_of_the_whole(
            parts in proptest::collection::vec((any::<bool>(), 0_u64..3000, 0_u64..900), 0..12),
            (from, to) in (0_u64..10_000, 0_u64..10_000),
        ) {
            let object: Vec<u8> = (0..4000_u32).map(|n| (n * 7 % 251) as u8).collect();
            let (_folder, store, key) = store(&object);
            let (mut file, mut whole) = (VirtualFile::default(), Vec::new());
            for (in_memory, start, length) in parts {
                let own = &object[start as usize..(start + length) as usize];
                whole.extend_from_slice(own);
                file.push(match in_memory {
                    true => Extent::Memory(Bytes::copy_from_slice(own)),
                    false => Extent::Object(Arc::clone(&key), start..start + length),
                });
            }
            let file = Arc::new(file);
            prop_assert_eq!(file.length(), whole.len() as u64);
            let to = to.min(whole.len() as u64);
            let from = from.min(to);
            let found = collect(&file, &store, from..to);
            prop_assert_eq!(found, &whole[from as usize..to as usize]);
        }
    }

    #[test]
    fn large_extents_are_sent_in_several_and_touching_ones_are_one() {
        let object: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 3 % 256) as u8).collect();
        let (_folder, store, key) = store(&object);
        let mut file = VirtualFile::default();
        file.push(Extent::Object(Arc::clone(&key), 0..1_500_000));
        file.push(Extent::Object(Arc::clone(&key), 1_500_000..3_000_000));
        assert_eq!((file.extents.len(), file.length()), (1, 3_000_000));
        let file = Arc::new(file);
        assert_eq!(collect(&file, &store, 5..2_999_999), object[5..2_999_999]);
    }
}
