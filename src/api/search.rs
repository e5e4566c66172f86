//! Search and suggestions.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::ResourceId;
use crate::db;

/// What is searched for. Lists take several values with commas between.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(super) struct SearchQuery {
    /// Words, `"a phrase"`, `-not`; pinyin too.
    pub q: String,
    /// Slugs of libraries.
    pub library: String,
    /// Kinds.
    pub kind: String,
    /// Topics.
    pub topic: String,
    /// Audiences.
    pub audience: String,
    /// Languages.
    pub language: String,
    /// relevance or newest
    pub sort: String,
    /// From 1.
    pub page: Option<usize>,
    /// At most 100.
    pub per_page: Option<usize>,
}

/// What is found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SearchResult {
    /// Resources in all.
    pub total: usize,
    /// Time that the search took, milliseconds.
    pub took_ms: f64,
    pub hits: Vec<HitView>,
    /// Field -> [value, count].
    pub facets: BTreeMap<String, Vec<(String, u64)>>,
    /// True while the index is being built: only titles were searched.
    pub titles_only: bool,
}

/// A resource that was found. Texts are HTML, with what matched in `<mark>`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HitView {
    pub resource: String,
    pub title: String,
    pub snippet: String,
    pub url: String,
    pub moments: Vec<MomentView>,
}

/// A place in it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MomentView {
    /// caption, slide or page
    pub kind: &'static str,
    pub start_ms: Option<i64>,
    pub page: Option<u32>,
    pub text: String,
    /// Opens it there.
    pub url: String,
}

/// What is typed.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct SuggestQuery {
    /// Characters or pinyin.
    #[serde(default)]
    pub q: String,
    /// At most 20.
    pub limit: Option<usize>,
}

/// A completion.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuggestionView {
    pub text: String,
    /// The resource of that title.
    pub resource: Option<String>,
}

/// Searches every public library: titles, descriptions, captions, pages.
#[utoipa::path(get, path = "/api/search", tag = "search", params(SearchQuery), responses((status = 200, body = SearchResult), (status = 422)))]
pub(super) async fn search(
    State(app): State<App>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchResult>, ApiError> {
    Ok(Json(find(&app, &query).await?))
}

/// Completes what is typed, by characters, pinyin or initials.
#[utoipa::path(get, path = "/api/suggest", tag = "search", params(SuggestQuery), responses((status = 200, body = Vec<SuggestionView>)))]
pub(super) async fn suggest(
    State(app): State<App>,
    Query(query): Query<SuggestQuery>,
) -> Result<Json<Vec<SuggestionView>>, ApiError> {
    let Some(index) = app.index.load_full() else { return Ok(Json(Vec::new())) };
    let limit = query.limit.unwrap_or(8).clamp(1, 20);
    let found = match run(move || index.suggest(&query.q, limit)).await {
        Err(ApiError::Index(indexer::Error::QueryTooLong { .. })) => Vec::new(),
        found => found?,
    };
    let view =
        |found: indexer::Suggestion| SuggestionView { text: found.text, resource: found.resource };
    Ok(Json(found.into_iter().map(view).collect()))
}

/// Searches.
pub(super) async fn find(app: &App, query: &SearchQuery) -> Result<SearchResult, ApiError> {
    let begun = Instant::now();
    let Some(index) = app.index.load_full() else { return by_title(app, query, begun).await };
    let asked = indexer::Query {
        text: query.q.clone(),
        libraries: list(&query.library),
        kinds: list(&query.kind),
        topics: list(&query.topic),
        audiences: list(&query.audience),
        languages: list(&query.language),
        page: query.page.unwrap_or(1).max(1),
        per_page: query.per_page.unwrap_or(20).clamp(1, indexer::MAX_PER_PAGE),
        sort: if query.sort == "newest" { indexer::Sort::Newest } else { indexer::Sort::Relevance },
    };
    let found = run(move || index.search(&asked)).await?;
    metrics::histogram!("duoku_search_seconds").record(begun.elapsed().as_secs_f64());
    Ok(SearchResult {
        total: found.total,
        took_ms: took_ms(begun),
        hits: found.hits.into_iter().map(|hit| hit_view(hit, &query.q)).collect(),
        facets: found.facets,
        titles_only: false,
    })
}

/// Searches take some milliseconds of processor: not on a thread that serves many.
async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, indexer::Error> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => {
            tracing::error!(%error, "a search panicked");
            Err(ApiError::coded(http::StatusCode::INTERNAL_SERVER_ERROR, "broken", ""))
        }
    }
}

/// What answers while there is no index.
async fn by_title(
    app: &App,
    query: &SearchQuery,
    begun: Instant,
) -> Result<SearchResult, ApiError> {
    let mut db = app.db.read().await?;
    let found = db::resources::find_by_title(&mut db, query.q.trim(), 20).await?;
    let hits: Vec<HitView> = found
        .into_iter()
        .map(|resource| HitView {
            url: format!("/resources/{}", resource.id),
            resource: resource.id.to_string(),
            title: escape(&resource.details.title),
            snippet: escape(&resource.details.description.chars().take(120).collect::<String>()),
            moments: Vec::new(),
        })
        .collect();
    Ok(SearchResult {
        total: hits.len(),
        took_ms: took_ms(begun),
        hits,
        facets: BTreeMap::new(),
        titles_only: true,
    })
}

fn hit_view(hit: indexer::Hit, q: &str) -> HitView {
    let url = format!("/resources/{}", hit.resource);
    let moments = hit
        .moments
        .into_iter()
        .map(|moment| MomentView {
            kind: match moment.kind {
                indexer::PassageKind::Caption => "caption",
                indexer::PassageKind::Page => "page",
                indexer::PassageKind::Slide => "slide",
            },
            url: match (moment.start_ms, moment.page) {
                (Some(start_ms), _) => format!("{url}?t={}", seconds(start_ms)),
                (None, Some(page)) => format!("{url}?page={page}&q={}", encode(q)),
                _ => url.clone(),
            },
            start_ms: moment.start_ms,
            page: moment.page,
            text: moment.text,
        })
        .collect();
    HitView { title: hit.title, snippet: hit.snippet, resource: hit.resource, url, moments }
}

/// The resources of `hits`, in their order.
pub(super) async fn deliveries(
    app: &App,
    hits: &[HitView],
) -> Result<Vec<Option<Arc<crate::deliver::Delivery>>>, ApiError> {
    let mut found = Vec::with_capacity(hits.len());
    for hit in hits {
        let id: Result<ResourceId, _> = hit.resource.parse();
        found.push(match id {
            Ok(id) => app.deliveries.find(&app.db, id).await?,
            Err(_) => None,
        });
    }
    Ok(found)
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect()
}

fn took_ms(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

/// Seconds without needless zeros.
fn seconds(ms: i64) -> String {
    let text = format!("{:.3}", ms as f64 / 1000.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escape(text: &str) -> String {
    use maud::Render as _;
    text.render().into_string()
}

/// Percent-encoding of a value in a query (RFC 3986 section 2.1).
pub(super) fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                (b as char).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
