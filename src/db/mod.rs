//! Every SQL statement, one file per noun; the same text for SQLite and PostgreSQL.

pub mod accounts;
pub mod attempts;
pub mod audit;
pub mod batches;
pub mod books;
pub mod collections;
pub mod complaints;
pub mod copies;
pub mod courses;
pub mod front;
pub mod granted;
pub mod grants;
pub mod heard;
pub mod identities;
pub mod invitations;
pub mod jobs;
pub mod lessons;
pub mod libraries;
pub mod login_flows;
pub mod media;
pub mod objects;
pub mod organisations;
pub mod passages;
pub mod people;
pub mod records;
pub mod renditions;
pub mod resources;
pub mod reviews;
pub mod sessions;
pub mod settings;
pub mod slides;
pub mod sources;
pub mod start_links;
pub mod teams;
pub mod tokens;
pub mod traffic;
pub mod twins;
pub mod unindexed;
pub mod uploads;
pub mod vouchers;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long the database may take to answer at the start.
const FIRST_CONNECTION: Duration = Duration::from_secs(4);

/// A failure of the database, or a row that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or could not be reached.
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
    /// A migration failed.
    #[error("migration: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A row has a value that this version does not know.
    #[error("the row {what} holds {value:?}, which cannot be read")]
    Row {
        /// Table and column.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// The URL names no engine that is known.
    #[error("{0:?} is neither a sqlite: nor a postgres: URL")]
    Url(String),
    /// The engine is too old to be trusted.
    #[error("SQLite {0} can damage a database in WAL mode; 3.51.3 or later is needed")]
    OldSqlite(String),
}

impl Error {
    /// Whether the same thing may work later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Sql(
                sqlx::Error::Io(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::Database(_)
            )
        )
    }

    /// Whether a row holds what cannot be read, or names another that is not there.
    #[must_use]
    pub fn is_of_row(&self) -> bool {
        use sqlx::Error::{ColumnDecode, Decode, RowNotFound};
        matches!(self, Self::Row { .. } | Self::Sql(ColumnDecode { .. } | Decode(_) | RowNotFound))
    }

    /// Whether the engine's disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        // SQLITE_FULL, and PostgreSQL's disk_full.
        let full = ["13", "53100"];
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.code().is_some_and(|code| full.contains(&&*code)))
    }

    /// Whether a text was given that cannot be kept: PostgreSQL takes no NUL
    /// (`character_not_in_repertoire`).
    #[must_use]
    pub fn is_bad_text(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.code().is_some_and(|c| c == "22021"))
    }

    /// Whether a unique name is taken already.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

/// What statements of this folder return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Which engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A server.
    Postgres,
}

/// The database.
#[derive(Debug, Clone)]
pub struct Db {
    pool: AnyPool,
    engine: Engine,
    /// SQLite has one writer: ours wait here in turn, not in the engine's busy loop.
    writer: Arc<Mutex<()>>,
}

/// A transaction that may write.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Any>,
    /// What the audit log is to say of it.
    notes: Vec<audit::Note>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Tx {
    /// Makes what was written last, with what the audit log says of it.
    ///
    /// # Errors
    ///
    /// [`Error::Sql`]; then nothing was written.
    pub async fn commit(mut self) -> Result<()> {
        for note in std::mem::take(&mut self.notes) {
            audit::write(&mut self.inner, note).await?;
        }
        Ok(self.inner.commit().await?)
    }
}

impl std::ops::Deref for Tx {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}

impl Db {
    /// Connects to `url` (`sqlite:PATH`, `postgres://…`) and runs the migrations.
    ///
    /// # Errors
    ///
    /// [`Error`] when the engine is not known, cannot be reached, or is too old.
    pub async fn open(url: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let engine = engine_of(url)?;
        let options: AnyConnectOptions = match engine {
            Engine::Sqlite => sqlite_url(url).parse()?,
            Engine::Postgres => url.parse()?,
        };
        // A pool would try for as long as it waits for a connection: once, to be told soon.
        let first = AnyConnection::connect_with(&options);
        let first = tokio::time::timeout(FIRST_CONNECTION, first).await;
        first.map_err(|_| sqlx::Error::PoolTimedOut)??.close().await?;
        let pool = AnyPoolOptions::new()
            .max_connections(if engine == Engine::Sqlite { 8 } else { 16 })
            .acquire_timeout(Duration::from_secs(10))
            // A file does not go away; a server may have closed the connection meanwhile.
            .test_before_acquire(engine == Engine::Postgres)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if engine == Engine::Sqlite {
                        for pragma in [
                            "PRAGMA busy_timeout = 10000",
                            "PRAGMA journal_mode = WAL",
                            "PRAGMA synchronous = FULL",
                            "PRAGMA foreign_keys = ON",
                            "PRAGMA cache_size = -4096",
                        ] {
                            sqlx::query(pragma).execute(&mut *connection).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        let db = Self { pool, engine, writer: Arc::default() };
        if engine == Engine::Sqlite {
            db.check_sqlite().await?;
        }
        sqlx::migrate!("./migrations").run(&db.pool).await?;
        Ok(db)
    }

    /// Which engine answers.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// A connection to read with.
    ///
    /// # Errors
    ///
    /// [`Error::Sql`] when none is free for ten seconds.
    pub async fn read(&self) -> Result<sqlx::pool::PoolConnection<Any>> {
        Ok(self.pool.acquire().await?)
    }

    /// Begins a transaction that may write. Waits for its turn on SQLite.
    ///
    /// # Errors
    ///
    /// [`Error::Sql`] when no connection is to be had.
    pub async fn begin(&self) -> Result<Tx> {
        match self.engine {
            Engine::Sqlite => {
                let turn = Arc::clone(&self.writer).lock_owned().await;
                let inner = self.pool.begin_with("BEGIN IMMEDIATE").await?;
                Ok(Tx { inner, notes: Vec::new(), _turn: Some(turn) })
            }
            Engine::Postgres => {
                Ok(Tx { inner: self.pool.begin().await?, notes: Vec::new(), _turn: None })
            }
        }
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn check_sqlite(&self) -> Result<()> {
        let version: String =
            sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&self.pool).await?;
        let numbers: Vec<u32> = version.split('.').filter_map(|n| n.parse().ok()).collect();
        if numbers.as_slice() < [3, 51, 3].as_slice() {
            return Err(Error::OldSqlite(version));
        }
        Ok(())
    }
}

fn engine_of(url: &str) -> Result<Engine> {
    if url.starts_with("sqlite:") {
        Ok(Engine::Sqlite)
    } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        Ok(Engine::Postgres)
    } else {
        // The rest may hold a password.
        Err(Error::Url(url.split(':').next().unwrap_or_default().to_owned()))
    }
}

fn sqlite_url(url: &str) -> String {
    if url.contains("mode=") || url.contains(":memory:") {
        url.to_owned()
    } else {
        format!("{url}{}mode=rwc", if url.contains('?') { '&' } else { '?' })
    }
}

/// The URL of the embedded database at `path`.
#[must_use]
pub fn sqlite_file(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn parse<T: std::str::FromStr>(what: &'static str, value: &str) -> Result<T> {
    value.parse().map_err(|_| Error::Row { what, value: value.to_owned() })
}

fn parse_json<T: serde::de::DeserializeOwned>(what: &'static str, value: &str) -> Result<T> {
    serde_json::from_str(value).map_err(|_| Error::Row { what, value: value.to_owned() })
}

fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data has a JSON form")
}
