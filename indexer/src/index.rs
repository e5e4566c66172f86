//! The index on disk: opening, writing, committing.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;

use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, UserOperation};
use tantivy::store::Compressor;
use tantivy::{IndexReader, IndexSettings, ReloadPolicy, TantivyDocument, TantivyError};

use crate::query;
use crate::schema::{self, Fields};
use crate::suggest::Completions;
use crate::view::View;
use crate::words::{Cutter, Terms};
use crate::{Entry, Error, Explanation, Found, Query, Suggestion, Words, suggest};

/// What the writer may hold in memory before it writes a segment, in bytes, over all threads.
const WRITER_BYTES: usize = 48 << 20;
/// An index of up to so many bytes is verified when it is opened, which takes less than a tenth of a
/// second.
const VERIFIED_BYTES: u64 = 64 << 20;
/// The file that names the schema's version.
const VERSION_FILE: &str = "version";
/// The file that makes a folder an index of tantivy's.
const META_FILE: &str = "meta.json";

/// The search index of one folder; cheap to clone, safe to share.
#[derive(Clone)]
pub struct Index {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    fields: Fields,
    words: RwLock<Words>,
    index: tantivy::Index,
    reader: IndexReader,
    /// What is committed.
    view: RwLock<Arc<View>>,
    completions: Completions,
    writer: Mutex<Option<Writer>>,
    mark: AtomicI64,
}

type Writer = tantivy::IndexWriter<TantivyDocument>;

impl Index {
    /// Opens the index in `folder`, making both when there is nothing.
    ///
    /// The dictionary is read in the background when there is something to search. What is small is
    /// verified.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] when what is there cannot be read, [`Error::Outdated`] when it has
    /// another schema (set it aside and rebuild), [`Error::Io`].
    pub fn open(folder: &Path, words: Words) -> Result<Self, Error> {
        let io = |source| Error::Io { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(io)?;
        let (schema, fields) = schema::schema();
        let fresh = !folder.join(META_FILE).exists();
        if fresh {
            refuse_remains(folder)?;
            fs::write(folder.join(VERSION_FILE), format!("{}\n", schema::VERSION)).map_err(io)?;
        } else {
            check_version(folder)?;
        }
        let damaged = |error: TantivyError| damaged(folder, &error);
        let directory = MmapDirectory::open(folder).map_err(|error| damaged(error.into()))?;
        let index = guarded(folder, || {
            if fresh {
                tantivy::Index::create(directory, schema.clone(), settings())
            } else {
                tantivy::Index::open(directory)
            }
        })?;
        if index.schema() != schema {
            return Err(Error::Outdated {
                folder: folder.to_owned(),
                found: 0,
                wanted: schema::VERSION,
            });
        }
        for terms in Terms::ALL {
            index.tokenizers().register(terms.name(), Cutter::new(terms, words.clone()));
        }
        let payload = index.load_metas().map_err(damaged)?.payload;
        let mark = payload.and_then(|payload| payload.parse().ok()).unwrap_or(0);
        let reader = guarded(folder, || {
            index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()
        })?;
        let view = guarded(folder, || View::open(reader.searcher(), None))?;
        if view.documents > 0 {
            words.warm();
        }
        let inner = Inner {
            folder: folder.to_owned(),
            fields,
            words: RwLock::new(words),
            index,
            reader,
            view: RwLock::new(Arc::new(view)),
            completions: Completions::default(),
            writer: Mutex::new(None),
            mark: AtomicI64::new(mark),
        };
        let opened = Self { inner: Arc::new(inner) };
        if size_bytes(folder).map_err(io)? <= VERIFIED_BYTES {
            opened.refuse_damage()?;
        }
        Ok(opened)
    }

    /// Puts `entry`, in place of what was there of its resource. Searches see it after
    /// [`Index::commit`].
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when another process writes; [`Error::Write`], after which everything
    /// since the last commit is lost: go on from [`Index::mark`].
    pub fn put(&self, entry: &Entry) -> Result<(), Error> {
        let fields = &self.inner.fields;
        let mut operations = vec![UserOperation::Delete(fields.id_term(&entry.resource))];
        let documents = fields.documents(entry);
        operations.extend(documents.into_iter().map(UserOperation::Add));
        self.write(|writer| writer.run(operations).map(drop))
    }

    /// Takes `resource` with all its passages out, at the next [`Index::commit`].
    ///
    /// # Errors
    ///
    /// As [`Index::put`].
    pub fn remove(&self, resource: &str) -> Result<(), Error> {
        let term = self.inner.fields.id_term(resource);
        self.write(|writer| {
            writer.delete_term(term);
            Ok(())
        })
    }

    /// Makes everything put and removed durable, and visible to searches when it returns.
    /// `mark` is the number of the last change that is in, kept with it.
    ///
    /// # Errors
    ///
    /// As [`Index::put`].
    pub fn commit(&self, mark: i64) -> Result<(), Error> {
        self.write(|writer| {
            let mut prepared = writer.prepare_commit()?;
            prepared.set_payload(&mark.to_string());
            prepared.commit()
        })?;
        self.look()?;
        self.inner.mark.store(mark, Ordering::Release);
        Ok(())
    }

    /// Waits until what is being merged is merged; searches have fewer segments then.
    ///
    /// # Errors
    ///
    /// As [`Index::put`].
    pub fn settle(&self) -> Result<(), Error> {
        // Another is made for what is put next.
        if let Some(writer) = self.lock().take() {
            writer.wait_merging_threads().map_err(Error::Write)?;
        }
        self.look()
    }

    /// The mark of the last commit, 0 in a new index.
    pub fn mark(&self) -> i64 {
        self.inner.mark.load(Ordering::Acquire)
    }

    /// Searches.
    ///
    /// # Errors
    ///
    /// [`Error::QueryTooLong`]; [`Error::Damaged`] and [`Error::Read`] when the index cannot be
    /// read. Nothing else that can be typed is an error.
    pub fn search(&self, query: &Query) -> Result<Found, Error> {
        refuse_long(&query.text)?;
        let words = self.words();
        self.read(|view| query::search(view, &self.inner.fields, &words, query))
    }

    /// Why `resource` has its score for `query`.
    ///
    /// # Errors
    ///
    /// As [`Index::search`].
    pub fn explain(&self, query: &Query, resource: &str) -> Result<Explanation, Error> {
        refuse_long(&query.text)?;
        let words = self.words();
        self.read(|view| query::explain(view, &self.inner.fields, &words, query, resource))
    }

    /// What may have been meant by `text`, of which words are nowhere: words of titles that sound
    /// the same, or have one letter more, less or other. `None` when there is nothing like it.
    ///
    /// # Errors
    ///
    /// As [`Index::search`].
    pub fn did_you_mean(&self, text: &str) -> Result<Option<String>, Error> {
        refuse_long(text)?;
        let words = self.words();
        let inner = &self.inner;
        self.read(|view| {
            suggest::did_you_mean(view, &inner.fields, &words, &inner.completions, text)
        })
    }

    /// Has queries cut by `words` from now on. What is completed is cut by them as it is put.
    pub fn set_words(&self, words: Words) {
        words.warm();
        *self.inner.words.write().unwrap_or_else(PoisonError::into_inner) = words;
    }

    /// At most `limit` completions of `typed`: by characters, by pinyin in full, by initials, or
    /// mixed. Words that several titles have come first, then titles.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] and [`Error::Read`] when the index cannot be read.
    pub fn suggest(&self, typed: &str, limit: usize) -> Result<Vec<Suggestion>, Error> {
        self.read(|view| {
            suggest::suggest(view, &self.inner.fields, &self.inner.completions, typed, limit)
        })
    }

    /// Whether completions are those of what is committed: in a large index they follow after a
    /// while.
    pub fn completions_follow(&self) -> bool {
        self.inner.completions.follow(&self.view())
    }

    /// The ids of all resources, sorted.
    ///
    /// # Errors
    ///
    /// As [`Index::suggest`].
    pub fn resources(&self) -> Result<Vec<String>, Error> {
        self.read(|view| view.ids(&self.inner.fields))
    }

    /// How many resources can be found.
    ///
    /// # Errors
    ///
    /// As [`Index::suggest`].
    pub fn len(&self) -> Result<usize, Error> {
        self.read(|view| Ok(view.count()))
    }

    /// Whether there is nothing to find.
    ///
    /// # Errors
    ///
    /// As [`Index::suggest`].
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Reads every file of the index and compares checksums; takes a second a gigabyte.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`], naming the files.
    pub fn verify(&self) -> Result<(), Error> {
        let bad = guarded(&self.inner.folder, || self.inner.index.validate_checksum())?;
        self.refuse(&bad)
    }

    /// Damage makes tantivy panic, which is caught, or ask for more memory than there is, which
    /// ends the process: what has a wrong checksum is not read at all.
    fn refuse_damage(&self) -> Result<(), Error> {
        // Another process may take files away meanwhile; that is no damage.
        let bad = guarded(&self.inner.folder, || self.inner.index.validate_checksum());
        self.refuse(&bad.unwrap_or_default())
    }

    fn refuse(&self, bad: &HashSet<PathBuf>) -> Result<(), Error> {
        if bad.is_empty() {
            return Ok(());
        }
        let reason = format!("wrong checksum: {bad:?}");
        Err(Error::Damaged { folder: self.inner.folder.clone(), reason })
    }

    /// Runs `read` on what is committed. tantivy panics on some kinds of damage: that must not
    /// end the caller.
    fn read<T>(&self, read: impl FnOnce(&Arc<View>) -> tantivy::Result<T>) -> Result<T, Error> {
        let view = self.view();
        match catch_unwind(AssertUnwindSafe(|| read(&view))) {
            Ok(result) => result.map_err(Error::Read),
            Err(panic) => Err(panicked(&self.inner.folder, panic.as_ref())),
        }
    }

    fn words(&self) -> Words {
        self.inner.words.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn view(&self) -> Arc<View> {
        Arc::clone(&self.inner.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has searches see what is committed.
    fn look(&self) -> Result<(), Error> {
        self.inner.reader.reload().map_err(Error::Read)?;
        let searcher = self.inner.reader.searcher();
        let view = self.read(|before| View::open(searcher, Some(before)))?;
        *self.inner.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        Ok(())
    }

    /// Runs `write` on the writer, which is made when first needed. After an error it is thrown
    /// away with all that was not committed, for tantivy's does not recover.
    fn write<T>(&self, write: impl FnOnce(&mut Writer) -> tantivy::Result<T>) -> Result<T, Error> {
        let mut slot = self.lock();
        let writer = match &mut *slot {
            Some(writer) => writer,
            none => none.insert(self.new_writer()?),
        };
        let result = write(writer).map_err(Error::Write);
        if result.is_err() {
            *slot = None;
        }
        result
    }

    fn new_writer(&self) -> Result<Writer, Error> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(2);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(threads)
            .memory_budget_per_thread(WRITER_BYTES / threads)
            .num_merge_threads(1)
            .build();
        let writer =
            self.inner.index.writer_with_options(options).map_err(|error| match error {
                TantivyError::LockFailure(LockError::LockBusy, _) => {
                    Error::Busy { folder: self.inner.folder.clone() }
                }
                other => Error::Write(other),
            })?;
        writer.set_merge_policy(Box::new(merging()));
        Ok(writer)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Writer>> {
        self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

/// What the files of a folder take; another process may take some away meanwhile.
fn size_bytes(folder: &Path) -> io::Result<u64> {
    let length = |entry: io::Result<fs::DirEntry>| entry?.metadata().map(|facts| facts.len());
    Ok(fs::read_dir(folder)?.filter_map(|entry| length(entry).ok()).sum())
}

/// Refuses a folder that has files of an index but not the one that tells what they are.
fn refuse_remains(folder: &Path) -> Result<(), Error> {
    let io = |source| Error::Io { folder: folder.to_owned(), source };
    for file in fs::read_dir(folder).map_err(io)? {
        let name = file.map_err(io)?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && name != VERSION_FILE {
            let reason = format!("{name} without {META_FILE}");
            return Err(Error::Damaged { folder: folder.to_owned(), reason });
        }
    }
    // tantivy's list of files of an index that is no more.
    match fs::remove_file(folder.join(".managed.json")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(error)),
        _ => Ok(()),
    }
}

fn check_version(folder: &Path) -> Result<(), Error> {
    let text = fs::read_to_string(folder.join(VERSION_FILE)).unwrap_or_default();
    match text.trim().parse() {
        Ok(schema::VERSION) => Ok(()),
        Ok(found) => {
            Err(Error::Outdated { folder: folder.to_owned(), found, wanted: schema::VERSION })
        }
        Err(_) => {
            let reason =
                format!("{VERSION_FILE} holds {:?}", text.chars().take(20).collect::<String>());
            Err(Error::Damaged { folder: folder.to_owned(), reason })
        }
    }
}

/// Runs `open`, taking errors and panics of tantivy's for damage.
fn guarded<T>(folder: &Path, open: impl FnOnce() -> tantivy::Result<T>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(result) => result.map_err(|error| damaged(folder, &error)),
        Err(panic) => Err(panicked(folder, panic.as_ref())),
    }
}

/// Few segments, so that a search has little to open; each resource is written some five times
/// until a million are there.
fn merging() -> LogMergePolicy {
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(4);
    policy
}

/// Small blocks of what is stored, for a page of hits reads one for each.
fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compression: Compressor::Lz4,
        docstore_blocksize: 4 << 10,
        ..IndexSettings::default()
    }
}

fn refuse_long(text: &str) -> Result<(), Error> {
    let (chars, most) = (text.chars().count(), crate::MAX_QUERY_CHARS);
    if chars > most { Err(Error::QueryTooLong { chars, most }) } else { Ok(()) }
}

fn damaged(folder: &Path, error: &TantivyError) -> Error {
    Error::Damaged { folder: folder.to_owned(), reason: error.to_string() }
}

fn panicked(folder: &Path, panic: &(dyn std::any::Any + Send)) -> Error {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let reason = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("reader panicked");
    Error::Damaged { folder: folder.to_owned(), reason: reason.to_owned() }
}
