//! The words that librarians keep for the search.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::caller::Who;
use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::{Caller, RuleError};
use crate::db;
use crate::ingest::index::{DICTIONARY, SYNONYMS};

/// The most bytes of one list.
const MAX_BYTES: usize = 1 << 20;

/// Words that the Chinese analysis keeps whole, and words that mean the same.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct Dictionary {
    /// A word a line: places, crafts, people. Lines that begin with `#` are notes.
    #[serde(default)]
    pub dictionary: String,
    /// A line of words that mean the same, with spaces, commas or `=` between.
    #[serde(default)]
    pub synonyms: String,
}

/// The installation's words. For administrators.
#[utoipa::path(get, path = "/api/search/dictionary", tag = "search", responses((status = 200, body = Dictionary), (status = 403)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<Json<Dictionary>, ApiError> {
    caller.may_administer()?;
    Ok(Json(read(&app).await?))
}

/// The words as they are kept.
pub(super) async fn read(app: &App) -> Result<Dictionary, ApiError> {
    let mut db = app.db.read().await?;
    let dictionary = db::settings::find(&mut db, DICTIONARY).await?.unwrap_or_default();
    let synonyms = db::settings::find(&mut db, SYNONYMS).await?.unwrap_or_default();
    Ok(Dictionary { dictionary, synonyms })
}

/// Changes the installation's words; searches know them within a second. For administrators.
#[utoipa::path(put, path = "/api/search/dictionary", tag = "search", request_body = Dictionary, responses((status = 200, body = Dictionary), (status = 403), (status = 422)))]
pub(super) async fn put(
    State(app): State<App>,
    Who(caller): Who,
    Json(words): Json<Dictionary>,
) -> Result<Json<Dictionary>, ApiError> {
    keep(&app, &caller, &words).await?;
    Ok(Json(words))
}

/// Keeps `words` if `caller` may.
pub(super) async fn keep(app: &App, caller: &Caller, words: &Dictionary) -> Result<(), ApiError> {
    caller.may_administer()?;
    for (field, text) in [("dictionary", &words.dictionary), ("synonyms", &words.synonyms)] {
        if text.len() > MAX_BYTES || text.contains('\0') {
            let value = text.chars().take(40).collect();
            return Err(RuleError::BadField { field, value }.into());
        }
    }
    let mut tx = app.db.begin().await?;
    db::settings::set(&mut tx, DICTIONARY, &words.dictionary).await?;
    db::settings::set(&mut tx, SYNONYMS, &words.synonyms).await?;
    let lines = |text: &str| text.lines().count();
    let detail = json!({ "words": lines(&words.dictionary), "synonyms": lines(&words.synonyms) });
    let account = caller.account()?.id;
    db::audit::record(&mut tx, app.now_ms(), Some(account), "search.dictionary", "", &detail)
        .await?;
    tx.commit().await?;
    app.resource_changed.notify_one();
    Ok(())
}
