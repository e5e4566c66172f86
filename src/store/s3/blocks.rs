//! What is delivered, in blocks of some megabytes: fetched once however many ask, sent on as it
//! comes, kept on the local disk for the next, and then mapped as a local object is.
//!
//! Objects never change, so a block stays true as long as a row names its object.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_sdk_s3::Config;
use aws_sdk_s3::config::retry::RetryConfig;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use metrics::Counter;
use moka::sync::Cache;
use tokio::sync::{Notify, Semaphore};

use super::super::key::hash_of_name;
use super::super::local::io_at;
use super::super::{Error, Mapped};
use super::S3Settings;
use super::remote::{Remote, broken, failure, tag};
use crate::catalogue::Sha256;

/// Objects that are remembered.
const OBJECTS: u64 = 1_000_000;

/// Shows, locked, that a process uses the folder that it is in.
const LOCK: &str = "lock";

/// Numbers those that a process opens.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// How often a block is fetched again from where it broke off.
const ATTEMPTS: u32 = 4;

/// The first pause before that; it doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// Block `number` of the object at `key`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Id {
    key: Arc<str>,
    number: u64,
}

/// What is read of a bucket.
pub struct Blocks {
    remote: Remote,
    folder: PathBuf,
    block_bytes: u64,
    timeout: Duration,
    kept: Cache<Id, Arc<Block>>,
    facts: Cache<Arc<str>, Facts>,
    coming: Mutex<HashMap<Id, Arc<Coming>>>,
    /// Those who fetch.
    slots: Semaphore,
    most_fetches: usize,
    hits: Counter,
    misses: Counter,
    /// Names the next file.
    next: AtomicU64,
    /// Held as long as this process uses its folder.
    _lock: fs::File,
}

/// What the server says of an object; the same for all its blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    size: u64,
    etag: Option<String>,
}

/// A block that is whole, in a file of its own that goes with it.
#[derive(Debug)]
struct Block {
    map: Mapped,
    path: PathBuf,
}

/// A block that is being fetched.
#[derive(Debug, Default)]
struct Coming {
    state: Mutex<State>,
    changed: Notify,
    whole: OnceLock<Arc<Block>>,
}

#[derive(Debug, Default)]
struct State {
    frames: Vec<Bytes>,
    /// Bytes of them.
    got: u64,
    /// The object's facts, once the server has answered.
    facts: Option<Facts>,
    /// It is a whole object: nobody has the last of what he wants before its hash was checked, so
    /// that no wrong answer ever ends well.
    whole: bool,
    failed: Option<Arc<Error>>,
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blocks of {:?}", self.remote)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // Nobody else has the name.
        let _ = fs::remove_file(&self.path);
    }
}

impl Blocks {
    pub(super) fn open(remote: Remote, settings: &S3Settings) -> Result<Self, Error> {
        let all = settings.cache.join("blocks");
        fs::create_dir_all(&all).map_err(io_at("making", &all))?;
        remove_left(&all);
        // One for each that is opened, also within a process.
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let folder = all.join(format!("{}-{number}", std::process::id()));
        let lock = make_own(&folder).map_err(io_at("making", &folder))?;
        let weight =
            |_: &Id, block: &Arc<Block>| u32::try_from(block.map.len()).unwrap_or(u32::MAX);
        Ok(Self {
            remote,
            folder,
            block_bytes: settings.block_bytes,
            timeout: settings.timeout,
            kept: Cache::builder()
                .weigher(weight)
                .max_capacity(settings.cache_bytes)
                .support_invalidation_closures()
                .build(),
            facts: Cache::new(OBJECTS),
            coming: Mutex::default(),
            slots: Semaphore::new(settings.max_fetches),
            most_fetches: settings.max_fetches,
            hits: metrics::counter!("duoku_cache_hits_total", "cache" => "blocks"),
            misses: metrics::counter!("duoku_cache_misses_total", "cache" => "blocks"),
            next: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// Bytes of what is kept.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.kept.weighted_size()
    }

    /// Size of the object at `key`, if it is known.
    pub fn known_size(&self, key: &str) -> Option<u64> {
        self.facts.get(key).map(|facts| facts.size)
    }

    /// Size of the object at `key`, from whose byte `at` on will be read.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Remote`].
    pub async fn size(self: &Arc<Self>, key: &Arc<str>, at: u64) -> Result<u64, Error> {
        if let Some(size) = self.known_size(key) {
            return Ok(size);
        }
        let coming = self.fetch(Id { key: Arc::clone(key), number: at / self.block_bytes });
        loop {
            let changed = coming.changed.notified();
            {
                let state = coming.state();
                if let Some(facts) = &state.facts {
                    return Ok(facts.size);
                }
                if let Some(error) = &state.failed {
                    return Err(error.again());
                }
            }
            changed.await;
        }
    }

    /// Bytes of the object at `key` from `range.start` on, as far as their block reaches and
    /// `range` goes, when they are here.
    #[must_use]
    pub fn get(&self, key: &Arc<str>, range: &Range<u64>) -> Option<Bytes> {
        let (number, within) = self.first_of(range);
        let block = self.kept.get(&Id { key: Arc::clone(key), number })?;
        self.hits.increment(1);
        (within.end <= block.map.len()).then(|| Block::slice(&block, within))
    }

    /// The same, as they come.
    pub fn stream(
        self: &Arc<Self>,
        key: &Arc<str>,
        range: &Range<u64>,
    ) -> BoxStream<'static, io::Result<Bytes>> {
        let (number, within) = self.first_of(range);
        let coming = self.fetch(Id { key: Arc::clone(key), number });
        let cursor =
            Cursor { coming, frame: 0, skip: within.start, left: within.len(), at: within.start };
        stream::unfold(cursor, |mut cursor| async move {
            cursor.next().await.map(|piece| (piece, cursor))
        })
        .boxed()
    }

    /// Begins to fetch the block behind the one that byte `at` of the object at `key` is in, while
    /// few do.
    pub fn read_ahead(self: &Arc<Self>, key: &Arc<str>, at: u64) {
        let id = Id { key: Arc::clone(key), number: at / self.block_bytes + 1 };
        let begins = id.number * self.block_bytes;
        let is_beyond = self.known_size(key).is_none_or(|size| begins >= size);
        let busy = self.slots.available_permits() * 2 < self.most_fetches;
        if !is_beyond && !busy && !self.kept.contains_key(&id) {
            self.fetch(id);
        }
    }

    /// Forgets all of the object at `key`.
    pub(super) fn forget(&self, key: &str) {
        let gone = key.to_owned();
        self.facts.invalidate(key);
        // Only with an invalidation closure, which this cache supports, can it be refused.
        let _ = self.kept.invalidate_entries_if(move |id, _| *id.key == *gone);
    }

    /// The block that `range` begins in, and what of `range` lies in it.
    fn first_of(&self, range: &Range<u64>) -> (u64, Range<usize>) {
        let number = range.start / self.block_bytes;
        let begins = number * self.block_bytes;
        let end = range.end.min(begins + self.block_bytes);
        (number, (range.start - begins) as usize..(end - begins) as usize)
    }

    /// The block as it comes, once for all who ask.
    fn fetch(self: &Arc<Self>, id: Id) -> Arc<Coming> {
        let mut all = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(coming) = all.get(&id) {
            return Arc::clone(coming);
        }
        let coming = Arc::<Coming>::default();
        // A block whose object's facts were forgotten is fetched again: somebody may wait for them.
        if let (Some(block), Some(facts)) = (self.kept.get(&id), self.facts.get(&id.key)) {
            coming.finish(block, Some(facts));
            return coming;
        }
        self.misses.increment(1);
        all.insert(id.clone(), Arc::clone(&coming));
        let (own, filling) = (Arc::clone(self), Arc::clone(&coming));
        self.remote.runtime.spawn(async move {
            match own.fill(&id, &filling).await {
                Ok(block) => {
                    own.kept.insert(id.clone(), Arc::clone(&block));
                    filling.finish(block, None);
                }
                Err(error) => {
                    tracing::warn!(key = &*id.key, block = id.number, %error, "cannot read from S3");
                    filling.fail(error);
                }
            }
            own.coming.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
        coming
    }

    async fn fill(self: &Arc<Self>, id: &Id, coming: &Coming) -> Result<Arc<Block>, Error> {
        let _slot = self.slots.acquire().await.expect("it is never closed");
        let mut pause = PAUSE;
        for attempt in 1.. {
            match self.fill_rest(id, coming).await {
                Ok(()) => break,
                Err(error) if attempt >= ATTEMPTS || matches!(error, Error::Changed(_)) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::debug!(key = &*id.key, %error, "reading from S3 broke off");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
        }
        let frames = coming.state().frames.clone();
        let path = self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let key = Arc::clone(&id.key);
        let whole = coming.state().whole;
        let written = tokio::task::spawn_blocking(move || keep(&key, path, &frames, whole));
        written.await.map_err(|error| broken("keeping", &id.key, error.to_string()))?
    }

    /// Fetches what is still missing of a block.
    async fn fill_rest(&self, id: &Id, coming: &Coming) -> Result<(), Error> {
        let begins = id.number * self.block_bytes;
        let first = begins + coming.state().got;
        let known = self.facts.get(&id.key);
        let last = begins + self.block_bytes - 1;
        let call = self
            .remote
            .client
            .get_object()
            .bucket(&self.remote.bucket)
            .key(self.remote.name(&id.key))
            .range(format!("bytes={first}-{last}"))
            .customize()
            // We try again ourselves, from where it broke off.
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send();
        let mut answer = call.await.map_err(|error| failure("reading", &id.key, &error))?;
        let wrong = |problem: String| broken("reading", &id.key, problem);
        // A server that answers with all of it, or with a page of its own, gives no range.
        let range = answer.content_range().unwrap_or_default();
        let (from, to, size) =
            content_range(range).ok_or_else(|| wrong(format!("its range is {range:?}")))?;
        if from != first || to != last.min(size.saturating_sub(1)) {
            return Err(wrong(format!("it gives {range} for {first}-{last}")));
        }
        let facts = Facts { size, etag: tag(answer.e_tag()) };
        if known.is_some_and(|known| known != facts) {
            // One of the two is wrong, and nobody can tell which.
            self.forget(&id.key);
            return Err(Error::Changed(id.key.to_string()));
        }
        self.facts.insert(Arc::clone(&id.key), facts.clone());
        coming.begin(facts, size <= self.block_bytes);
        let mut left = to + 1 - from;
        loop {
            let frame = tokio::time::timeout(self.timeout, answer.body.next()).await;
            let frame = frame.map_err(|_| wrong("nothing comes any more".into()))?;
            match frame.transpose().map_err(|error| wrong(error.to_string()))? {
                Some(frame) if frame.len() as u64 <= left => {
                    left -= frame.len() as u64;
                    coming.add(frame);
                }
                Some(_) => return Err(wrong("it gives more than was asked for".into())),
                None if left == 0 => return Ok(()),
                None => return Err(wrong(format!("{left} bytes are missing"))),
            }
        }
    }
}

/// Removes the folders of processes that have ended: what they left may not have reached the disk.
fn remove_left(all: &Path) {
    for folder in fs::read_dir(all).into_iter().flatten().flatten() {
        let lock = fs::File::open(folder.path().join(LOCK));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            // Another process may do the same.
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

fn make_own(folder: &Path) -> io::Result<fs::File> {
    fs::create_dir_all(folder)?;
    let lock = fs::File::create(folder.join(LOCK))?;
    lock.lock()?;
    Ok(lock)
}

/// Writes a block into a file and maps it. One that is a whole object must have its hash.
fn keep(key: &str, path: PathBuf, frames: &[Bytes], whole: bool) -> Result<Arc<Block>, Error> {
    use std::io::Write as _;
    if whole {
        use sha2::Digest as _;
        let mut hasher = sha2::Sha256::new();
        frames.iter().for_each(|frame| hasher.update(frame));
        let found = Sha256(hasher.finalize().into()).to_string();
        if !hash_of_name(key).is_none_or(|hash| found.starts_with(hash)) {
            return Err(Error::Changed(key.to_owned()));
        }
    }
    let written = fs::File::create_new(&path).and_then(|mut file| {
        frames.iter().try_for_each(|frame| file.write_all(frame))?;
        Mapped::new(&fs::File::open(&path)?)
    });
    match written {
        Ok(map) => Ok(Arc::new(Block { map, path })),
        Err(error) => {
            // It may not be there.
            let _ = fs::remove_file(&path);
            Err(io_at("keeping", &path)(error))
        }
    }
}

/// `bytes 0-4/5`: first, last, and size of all.
fn content_range(field: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = field.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, size.parse().ok()?))
}

/// Keeps a block, and with it its file, as long as slices of it are sent.
struct Owner {
    block: Arc<Block>,
    within: Range<usize>,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.block.map.as_bytes()[self.within.clone()]
    }
}

impl Block {
    fn slice(block: &Arc<Self>, within: Range<usize>) -> Bytes {
        Bytes::from_owner(Owner { block: Arc::clone(block), within })
    }
}

impl Coming {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, facts: Facts, whole: bool) {
        let mut state = self.state();
        state.facts = Some(facts);
        state.whole = whole;
        drop(state);
        self.changed.notify_waiters();
    }

    fn add(&self, frame: Bytes) {
        let mut state = self.state();
        state.got += frame.len() as u64;
        state.frames.push(frame);
        drop(state);
        self.changed.notify_waiters();
    }

    /// From now on it is read from its file; the frames go.
    fn finish(&self, block: Arc<Block>, facts: Option<Facts>) {
        // It is finished once.
        let _ = self.whole.set(block);
        let mut state = self.state();
        state.facts = state.facts.take().or(facts);
        state.frames = Vec::new();
        drop(state);
        self.changed.notify_waiters();
    }

    fn fail(&self, error: Error) {
        self.state().failed = Some(Arc::new(error));
        self.changed.notify_waiters();
    }
}

/// A place in a block that may still be coming.
struct Cursor {
    coming: Arc<Coming>,
    /// The next frame, while there are frames, and bytes to leave out before what is wanted.
    frame: usize,
    skip: usize,
    /// Bytes that are still wanted, and where they begin in the block.
    left: usize,
    at: usize,
}

impl Cursor {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        while self.left > 0 {
            let coming = Arc::clone(&self.coming);
            let changed = coming.changed.notified();
            if let Some(block) = coming.whole.get() {
                let rest = self.at..self.at + self.left;
                self.left = 0;
                let short = rest.end > block.map.len();
                return Some(if short {
                    Err(io::ErrorKind::UnexpectedEof.into())
                } else {
                    Ok(Block::slice(block, rest))
                });
            }
            if let Some(piece) = self.frame() {
                return Some(piece);
            }
            changed.await;
        }
        None
    }

    /// What is wanted of the next frame, or why there is none.
    fn frame(&mut self) -> Option<io::Result<Bytes>> {
        let state = self.coming.state();
        while let Some(frame) = state.frames.get(self.frame) {
            if self.skip >= frame.len() {
                self.frame += 1;
                self.skip -= frame.len();
                continue;
            }
            let piece = frame.slice(self.skip..frame.len().min(self.skip + self.left));
            if state.whole && piece.len() == self.left {
                break;
            }
            self.frame += 1;
            self.skip = 0;
            self.left -= piece.len();
            self.at += piece.len();
            return Some(Ok(piece));
        }
        let error = state.failed.as_ref()?;
        self.left = 0;
        Some(Err(io::Error::other(error.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(content_range("bytes 0-4/5"), Some((0, 4, 5)));
        for bad in ["", "bytes */5", "bytes 0-4/*", "bytes 0-/5", "0-4/5", "bytes -1-4/5"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
