//! What every part of the running program shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use moka::sync::Cache;
use tokio::sync::{Notify, broadcast};

use crate::answers::Answers;
use crate::catalogue::ResourceId;
use crate::config::{self, Config, Place, S3Direct};
use crate::db::{self, Db};
use crate::deliver::{Asked, Deliveries, Downloads, Text, TicketKeys, Traffic};
use crate::identity::{self, Providers};
use crate::net::front::Fronts;
use crate::server::{Load, Rates};
use crate::store::{self, Direct, LocalStore, S3Settings, S3Store, Store};

/// Bytes of texts that are kept with their compressed forms.
const MOST_TEXT_BYTES: u64 = 32 * 1024 * 1024;

/// What every part of the running program shares. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Shared>);

/// The fields of [`App`].
#[derive(Debug)]
pub struct Shared {
    /// Settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The objects.
    pub store: Store,
    /// The index that searches use; `None` while it is built.
    pub index: ArcSwapOption<indexer::Index>,
    /// What searches were answered lately.
    pub answers: Answers,
    /// The net as everybody sees it.
    pub fronts: Fronts,
    /// A search could not read the index: it is to be looked at.
    pub index_doubted: AtomicBool,
    /// The last change up to which nothing here was harvested, as far as this process knows.
    pub unharvested: AtomicI64,
    /// What can be delivered now, kept for some seconds.
    pub deliveries: Deliveries,
    /// Heads of files that were downloaded lately.
    pub downloads: Downloads,
    /// Objects that are texts, with their compressed forms, by key.
    pub texts: Cache<String, Arc<Text>>,
    /// What was sent, until it is written down.
    pub traffic: Arc<Traffic>,
    /// What players asked for, until it is written down.
    pub asked: Asked,
    /// Sign and check tickets.
    pub ticket_keys: TicketKeys,
    /// Where people may log in by an account from elsewhere.
    pub providers: Providers,
    /// How often each client and account may ask.
    pub rates: Rates,
    /// What is in hand.
    pub load: Load,
    /// Wakes workers when a job was pushed.
    pub job_pushed: Notify,
    /// Wakes the index when a resource was changed.
    pub resource_changed: Notify,
    /// Tells who watches a resource's progress.
    pub progress: broadcast::Sender<ResourceId>,
    /// Done when the program is to stop.
    pub stop: tokio_util::sync::CancellationToken,
}

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The data folder.
    #[error("cannot make the folder {path}: {source}")]
    Folder {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The kernel gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// What asks providers of logins.
    #[error(transparent)]
    Identity(#[from] identity::Error),
}

impl App {
    /// Opens the database and the store that `config` names.
    ///
    /// # Errors
    ///
    /// [`Error`] when one of them cannot be used.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let data = &config.storage.data;
        for folder in [data.clone(), data.join("uploads"), data.join("scratch"), data.join("index")]
        {
            std::fs::create_dir_all(&folder)
                .map_err(|source| Error::Folder { path: folder, source })?;
        }
        let db = Db::open(&config.database_url()).await?;
        let store = open_store(&config, &config.store()).await?;
        let mut tx = db.begin().await?;
        let ticket_keys = TicketKeys::open(&mut tx).await?;
        tx.commit().await?;
        // What was rendered with an address is given out for a quarter of its time: whoever gets it
        // last still has three.
        let direct_for = (config.storage.s3_direct != S3Direct::Off)
            .then(|| Duration::from_mins(config.storage.s3_direct_minutes) / 4);
        let answers = Answers::new(config.search.answers_bytes);
        let deliver = &config.deliver;
        let downloads = Downloads::new(deliver.max_heads_bytes, deliver.heads_at_once);
        let traffic = Arc::<Traffic>::default();
        Ok(Self(Arc::new(Shared {
            providers: Providers::new(&config)?,
            rates: Rates::new(&config.rates),
            load: Load::new(&config.server),
            config,
            db,
            store,
            index: ArcSwapOption::empty(),
            answers,
            fronts: Fronts::default(),
            index_doubted: AtomicBool::new(false),
            unharvested: AtomicI64::new(-1),
            deliveries: Deliveries::new(Arc::clone(&traffic), direct_for),
            texts: Cache::builder()
                .weigher(|_, text: &Arc<Text>| {
                    u32::try_from(text.plain.len() * 2).unwrap_or(u32::MAX)
                })
                .max_capacity(MOST_TEXT_BYTES)
                .build(),
            traffic,
            downloads,
            asked: Asked::default(),
            ticket_keys,
            job_pushed: Notify::new(),
            resource_changed: Notify::new(),
            progress: broadcast::Sender::new(256),
            stop: tokio_util::sync::CancellationToken::new(),
        })))
    }

    /// Now, Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        since.as_millis().try_into().unwrap_or(i64::MAX)
    }

    /// Tells everybody in this process that `id` was changed: what is kept of
    /// it is forgotten, the index and those who watch are woken.
    pub fn announce(&self, id: ResourceId) {
        self.deliveries.forget(id);
        self.resource_changed.notify_one();
        // Nobody may be watching.
        let _ = self.progress.send(id);
    }
}

/// How clients fetch objects from the bucket themselves, if they do.
fn direct(storage: &config::Storage) -> Option<Direct> {
    let url = storage.s3_direct_url.clone();
    match storage.s3_direct {
        S3Direct::Off => None,
        S3Direct::Open => Some(Direct::Open(url)),
        S3Direct::Signed => {
            let lasting = Duration::from_mins(storage.s3_direct_minutes);
            Some(Direct::Signed { endpoint: url, lasting })
        }
    }
}

/// Opens the store at `place`.
///
/// # Errors
///
/// [`store::Error`] when its folder cannot be made, or its bucket cannot be reached.
pub async fn open_store(config: &Config, place: &Place) -> Result<Store, store::Error> {
    let (storage, place) = (config.storage.clone(), place.clone());
    let open = move || match place {
        Place::Folder(folder) => LocalStore::open(&folder).map(Store::Local),
        Place::Bucket { bucket, prefix } => S3Store::open(&S3Settings {
            bucket,
            prefix,
            path_style: storage.s3_path_style,
            cache: storage.data.join("cache"),
            cache_bytes: storage.s3_cache_bytes,
            block_bytes: storage.s3_block_bytes,
            source_cache_bytes: storage.s3_source_cache_bytes,
            max_fetches: storage.s3_max_fetches,
            timeout: Duration::from_millis(storage.s3_timeout_ms),
            direct: direct(&storage),
        })
        .map(Store::S3),
    };
    tokio::task::spawn_blocking(open).await.expect("opening a store does not panic")
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
