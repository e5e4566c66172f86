//! The way of a file, one module for each step, in order, and the worker that runs them.
//!
//! ```text
//! upload, fetch -> intake -> probe -> transcode | office, document, book | picture -> derive -> finish -> index
//!                                                       -> slides, recognise, twins
//! ```
//!
//! [`demand`] has rungs made later, when somebody plays what is ready; [`listen`] recognises what is
//! said in it.

pub mod book;
pub mod captions;
pub mod counted;
mod cut;
pub mod demand;
pub mod derive;
pub mod disk;
pub mod document;
mod entry;
pub mod fetch;
pub mod finish;
pub mod harvest;
pub mod index;
pub mod intake;
pub mod listen;
pub mod missing;
pub mod office;
pub mod picture;
pub mod probe;
pub mod progress;
pub mod recognise;
pub mod records;
pub mod slides;
pub mod stage;
pub mod sweep;
pub mod transcode;
pub mod twins;
mod unindexed;
pub mod upload;
mod watch;
pub mod worker;

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::app::App;
use crate::catalogue::{Refusal, Resource, ResourceId};
use crate::db::jobs::{Job, NewJob};
use crate::db::{self, Tx};
use crate::media::parent;
use crate::store::{self, Key, Stored};

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source cannot be used: a code for the sentence, and the value in question.
    #[error("{code}: {info}")]
    Unusable {
        /// Code.
        code: String,
        /// The value in question.
        info: String,
    },
    /// The media child.
    #[error(transparent)]
    Media(#[from] parent::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The search index.
    #[error(transparent)]
    Index(#[from] indexer::Error),
    /// A file.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Another worker has the job now.
    #[error("the lease was lost")]
    LeaseLost,
    /// What the job says cannot be read.
    #[error("the job's payload cannot be read: {0}")]
    Payload(#[from] serde_json::Error),
}

impl Error {
    pub(crate) fn unusable(code: &str, info: impl Into<String>) -> Self {
        Self::Unusable { code: code.to_owned(), info: info.into() }
    }

    /// Whether another attempt may go better.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unusable { .. } | Self::Payload(_) => false,
            Self::Media(error) => error.is_transient(),
            Self::Db(error) => error.is_transient(),
            Self::Store(error) => error.is_transient(),
            Self::Index(error) => error.is_transient(),
            Self::Io { .. } | Self::LeaseLost => true,
        }
    }

    /// Whether a disk is full, or what may be written to it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Db(error) => error.is_full(),
            Self::Store(error) => error.is_full(),
            Self::Media(error) => error.is_full(),
            Self::Io { source, .. } => store::is_full(source),
            _ => false,
        }
    }

    /// Code and value for the sentence that people read.
    #[must_use]
    pub fn reason(&self) -> (String, String) {
        match self {
            Self::Unusable { code, info } => (code.clone(), info.clone()),
            error if error.is_full() => ("disk_full".into(), String::new()),
            Self::Media(error) => error.reason(),
            other => ("internal".into(), other.to_string()),
        }
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Io { doing: "waiting for a thread", source: std::io::Error::other(error) }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::unusable(refusal.code(), refusal.info())
    }
}

/// A change of the resource that goes with a step.
type Change = Box<dyn FnOnce(&mut Resource) + Send>;

/// What a step leads to.
#[derive(Default)]
pub struct Outcome {
    /// Jobs that are needed now.
    pub next: Vec<NewJob>,
    /// What it says about the resource.
    pub change: Option<Change>,
}

/// A job in the hands of a worker.
#[derive(Debug, Clone)]
pub struct Held {
    /// The program.
    pub app: App,
    /// The job.
    pub job: Arc<Job>,
    progress: Arc<AtomicU64>,
}

impl Held {
    fn new(app: &App, job: Job) -> Self {
        Self { app: app.clone(), job: Arc::new(job), progress: Arc::default() }
    }

    /// Whose job it is.
    #[must_use]
    pub fn resource(&self) -> ResourceId {
        self.job.resource
    }

    /// Says how far the job is, 0 to 1.
    pub fn set_progress(&self, progress: f64) {
        let progress = if progress.is_finite() { progress.clamp(0.0, 1.0) } else { 0.0 };
        self.progress.store(progress.to_bits(), Ordering::Relaxed);
    }

    fn progress(&self) -> f64 {
        f64::from_bits(self.progress.load(Ordering::Relaxed))
    }

    /// Begins a transaction in which the job is surely still ours. Its resource is locked first,
    /// as wherever both are: transactions that lock rows in one order cannot wait for each other
    /// in a circle (resource, job, counter of changes).
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when it is not.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let mut tx = self.app.db.begin().await?;
        db::resources::get_locked(&mut tx, self.resource()).await?;
        let lease_ms = self.app.config.work.lease_ms;
        let progress = self.progress();
        if db::jobs::hold(&mut tx, &self.job, self.app.now_ms(), lease_ms, progress).await? {
            Ok(tx)
        } else {
            Err(Error::LeaseLost)
        }
    }

    /// Stores a copy of `file`, which the media child wrote, as `name` of the resource, and
    /// empties the file. The object has no row yet: see [`NewObject::insert`].
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn store_file(
        &self,
        file: File,
        name: String,
        ending: &'static str,
    ) -> Result<NewObject, Error> {
        let (store, resource) = (self.app.store.clone(), self.resource());
        let most_bytes = self.app.config.media.max_output_bytes;
        blocking(move || {
            let key_of = |hash| Key::Derived { resource, name, hash, ending };
            let (key, stored) = store.put_copy(&file, most_bytes, key_of)?;
            file.set_len(0).map_err(io("emptying a file of the media child"))?;
            Ok(NewObject { key: key.to_string(), stored, resource })
        })
        .await
    }

    /// Stores `bytes` as `name` of the resource. It has no row yet.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn store_bytes(
        &self,
        bytes: Vec<u8>,
        name: String,
        ending: &'static str,
    ) -> Result<NewObject, Error> {
        store_bytes(&self.app, self.resource(), bytes, name, ending).await
    }
}

/// Stores `bytes` as `name` of `resource`. It has no row yet.
///
/// # Errors
///
/// Those of the store.
pub async fn store_bytes(
    app: &App,
    resource: ResourceId,
    bytes: Vec<u8>,
    name: String,
    ending: &'static str,
) -> Result<NewObject, Error> {
    let store = app.store.clone();
    blocking(move || {
        let stored = Stored::of_bytes(&bytes);
        let key = Key::Derived { resource, name, hash: stored.sha256, ending };
        store.put(&key, &bytes)?;
        Ok(NewObject { key: key.to_string(), stored, resource })
    })
    .await
}

/// An object that is durable and has no row yet.
#[derive(Debug, Clone)]
pub struct NewObject {
    /// Where it is.
    pub key: String,
    stored: Stored,
    resource: ResourceId,
}

impl NewObject {
    /// Its size.
    #[must_use]
    pub fn size_bytes(&self) -> i64 {
        self.stored.size_bytes
    }

    /// Gives it its row.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn insert(&self, tx: &mut Tx, now_ms: i64) -> Result<(), db::Error> {
        let Stored { size_bytes, sha256 } = self.stored;
        db::objects::insert(tx, &self.key, size_bytes, sha256, Some(self.resource), now_ms).await
    }
}

/// Opens the source of `id` to read it, with the resource.
///
/// # Errors
///
/// [`Error::Unusable`] when the resource is gone, and those of database and store.
pub async fn open_source(app: &App, id: ResourceId) -> Result<(Resource, File), Error> {
    let resource = db::resources::find(&mut *app.db.read().await?, id).await?;
    let Some((resource, hash)) =
        resource.and_then(|resource| resource.source.map(|hash| (resource, hash)))
    else {
        return Err(Error::unusable("source_gone", ""));
    };
    let store = app.store.clone();
    let file = blocking(move || Ok(store.open_object(&Key::Source(hash).to_string())?)).await?;
    Ok((resource, file))
}

/// Opens the PDF that the pages of `id` are made of: the source, or what LibreOffice made of it.
///
/// # Errors
///
/// As [`open_source`].
async fn open_pages(app: &App, id: ResourceId) -> Result<(Resource, File), Error> {
    let (resource, source) = open_source(app, id).await?;
    let Some(key) = resource.derived.pdf.clone() else { return Ok((resource, source)) };
    let store = app.store.clone();
    Ok((resource, blocking(move || Ok(store.open_object(&key)?)).await?))
}

async fn head_of_source(app: &App, id: ResourceId) -> Result<Vec<u8>, Error> {
    use std::io::Read as _;
    let (_, file) = open_source(app, id).await?;
    blocking(move || {
        let mut head = Vec::new();
        file.take(upload::HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(io("reading the source"))?;
        Ok(head)
    })
    .await
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(error.into()),
    }
}

/// Removes all objects whose keys begin with `prefix` from the store.
async fn delete_below(app: &App, prefix: String) -> Result<(), Error> {
    let store = app.store.clone();
    blocking(move || {
        for (key, _) in store.list(&prefix)? {
            store.delete(&key)?;
        }
        Ok(())
    })
    .await
}

/// Removes the object at `key` from the store, which may be far away.
async fn delete_object(app: &App, key: &str) -> Result<(), Error> {
    let (store, key) = (app.store.clone(), key.to_owned());
    blocking(move || Ok(store.delete(&key)?)).await
}

fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io { doing, source }
}
