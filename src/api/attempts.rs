//! Attempts to get in: by password, phone, code or invitation. Wrong ones are counted by address
//! and by what was tried, in this process at once and in the database for all processes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;

use super::problem::ApiError;
use crate::app::App;
use crate::db;
use crate::net::code::token_hash;

/// How long wrong attempts are remembered.
const WINDOW: Duration = Duration::from_secs(60);

/// Attempts of the last minute that were wrong or are not over, by what they are counted for.
static ATTEMPTS: LazyLock<Mutex<HashMap<String, Vec<Instant>>>> = LazyLock::new(Mutex::default);

/// An attempt to get in, which counts until it is taken back.
pub(super) struct Attempt {
    /// Hashes: they are stored.
    keys: [String; 2],
    now_ms: i64,
}

impl Attempt {
    /// Counts one more from `address` and for `tried`, before any work is done, so that many at
    /// once cannot slip through.
    ///
    /// # Errors
    ///
    /// 429 when one of them has `session.max_failures` already.
    pub(super) async fn begin(app: &App, address: IpAddr, tried: &str) -> Result<Self, ApiError> {
        let keys = [format!("address {address}"), format!("tried {tried}")];
        let attempt = Self { keys: keys.map(|key| token_hash(&key)), now_ms: app.now_ms() };
        let most = app.config.session.max_failures;
        let too_many = || ApiError::coded(StatusCode::TOO_MANY_REQUESTS, "too_many", "");
        if !attempt.count_here(most) {
            return Err(too_many());
        }
        if attempt.is_over(app, most).await.inspect_err(|_| attempt.take_back())? {
            attempt.take_back();
            return Err(too_many());
        }
        Ok(attempt)
    }

    fn count_here(&self, most: u32) -> bool {
        let mut all = ATTEMPTS.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, times| {
            times.retain(|time| time.elapsed() < WINDOW);
            !times.is_empty()
        });
        let counted = |key| all.get(key).map_or(0, Vec::len);
        if self.keys.iter().map(counted).any(|count| count >= most as usize) {
            return false;
        }
        for key in &self.keys {
            all.entry(key.clone()).or_default().push(Instant::now());
        }
        true
    }

    async fn is_over(&self, app: &App, most: u32) -> Result<bool, ApiError> {
        let mut db = app.db.read().await?;
        for key in &self.keys {
            if db::attempts::count(&mut db, key, self.since_ms()).await? >= i64::from(most) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn since_ms(&self) -> i64 {
        self.now_ms - WINDOW.as_millis() as i64
    }

    /// It was wrong: all processes are to know.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn was_wrong(&self, app: &App) -> Result<(), ApiError> {
        let mut tx = app.db.begin().await?;
        db::attempts::note(&mut tx, &self.keys, self.now_ms, self.since_ms()).await?;
        Ok(tx.commit().await?)
    }

    /// It was right, or nothing came of it.
    pub(super) fn take_back(&self) {
        let mut all = ATTEMPTS.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            if let Some(times) = all.get_mut(key) {
                times.pop();
            }
        }
    }
}
