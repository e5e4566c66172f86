//! Search and suggestions.

use axum::extract::{Query, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::caller::Visitor;
use super::courses::visible as visible_course;
use super::narrow::{names_library, narrow};
use super::problem::ApiError;
use super::shown::{Shown, lessons_of, public, public_ids};
use crate::app::App;
use crate::catalogue::{Resource, ResourceId};
use crate::db;

/// What is searched for. Lists take several values with commas between.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(super) struct SearchQuery {
    /// Words, `"a phrase"`, `-not`; pinyin too; `作者:`, `标题:`, `库:`, `类型:`, `主题:`, `人群:`,
    /// `语言:` with a value.
    pub q: String,
    /// Slugs of libraries.
    pub library: String,
    /// Id of a course: only its lessons.
    pub course: String,
    /// Kinds, `course` among them.
    pub kind: String,
    /// Topics.
    pub topic: String,
    /// Audiences.
    pub audience: String,
    /// Languages.
    pub language: String,
    /// true: what is local; vouched: what an organisation vouches for.
    pub local: String,
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
    /// Nothing has what was typed: these sound like it.
    pub heard: bool,
    /// Other words for those that are nowhere; null: none.
    pub did_you_mean: Option<String>,
}

/// A resource or course that was found. Texts are HTML, with what matched in `<mark>`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HitView {
    /// Its id.
    pub resource: String,
    /// video, audio, document, image, package or course
    pub kind: String,
    pub title: String,
    pub snippet: String,
    pub url: String,
    pub moments: Vec<MomentView>,
    /// The repository that it comes from and is opened at; null: it is here.
    pub home: Option<OriginView>,
}

/// Another repository, where a resource is opened.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct OriginView {
    pub name: String,
    pub url: String,
}

/// A place in it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MomentView {
    /// caption, slide, page or chapter
    pub kind: &'static str,
    pub start_ms: Option<i64>,
    /// Number of the page, slide or chapter, from 1.
    pub page: Option<u32>,
    /// Picture of a slide.
    pub image: Option<String>,
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
    /// The resource, or course, of that title.
    pub resource: Option<String>,
}

/// Searches every public library: titles, descriptions, captions, pages.
#[utoipa::path(get, path = "/api/search", tag = "search", params(SearchQuery), responses((status = 200, body = SearchResult), (status = 422)))]
pub(super) async fn search(
    State(app): State<App>,
    RawQuery(asked): RawQuery,
    Query(query): Query<SearchQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if !query.course.is_empty() {
        // Everything else that is found is public, whoever asks.
        let caller = Visitor::of(&app, &headers).await?.caller;
        visible_course(&app, &caller, &query.course).await?;
    }
    let asked = format!("search?{}", asked.unwrap_or_default());
    kept(&app, &asked, async |change| answer(&app, &query, change).await).await
}

/// The answer that is kept for `asked`, or what `make` makes, as JSON; `make` is given the number
/// of the last change.
async fn kept<T: Serialize>(
    app: &App,
    asked: &str,
    make: impl AsyncFnOnce(i64) -> Result<T, ApiError>,
) -> Result<Response, ApiError> {
    let change = db::settings::last_change(&mut *app.db.read().await?).await?;
    let moment = app.answers.moment(change);
    let answer = match app.answers.find(moment, asked) {
        Some(answer) => answer,
        None => {
            let answer = serde_json::to_vec(&make(change).await?).expect("texts and numbers");
            let answer = Bytes::from(answer);
            // Without an index, or its completions, it is another answer soon.
            let index = app.index.load();
            let lasts = |index: &indexer::Index| {
                !asked.starts_with("suggest") || index.completions_follow()
            };
            if index.as_ref().is_some_and(|index| lasts(index)) {
                app.answers.keep(moment, asked, &answer);
            }
            answer
        }
    };
    Ok(([(CONTENT_TYPE, "application/json")], answer).into_response())
}

/// Completes what is typed, by characters, pinyin or initials.
#[utoipa::path(get, path = "/api/suggest", tag = "search", params(SuggestQuery), responses((status = 200, body = Vec<SuggestionView>)))]
pub(super) async fn suggest(
    State(app): State<App>,
    RawQuery(asked): RawQuery,
    Query(query): Query<SuggestQuery>,
) -> Result<Response, ApiError> {
    let asked = format!("suggest?{}", asked.unwrap_or_default());
    kept(&app, &asked, async |change| complete(&app, query, change).await).await
}

async fn complete(
    app: &App,
    query: SuggestQuery,
    change: i64,
) -> Result<Vec<SuggestionView>, ApiError> {
    let Some(index) = app.index.load_full() else { return Ok(Vec::new()) };
    let limit = query.limit.unwrap_or(8).clamp(1, 20);
    let work = move || {
        let mark = index.mark();
        Ok((index.suggest(&query.q, limit)?, mark))
    };
    let (mut found, mark) = match run(app, work).await {
        Err(ApiError::Index(indexer::Error::QueryTooLong { .. })) => (Vec::new(), change),
        Err(ApiError::Index(error)) => {
            doubt(app, &error);
            (Vec::new(), change)
        }
        found => found?,
    };
    if mark != change {
        let ids: Vec<String> = found.iter().filter_map(|found| found.resource.clone()).collect();
        let public = public_ids(app, &ids).await?;
        found.retain(|found| found.resource.as_ref().is_none_or(|id| public.contains(id)));
    }
    let view =
        |found: indexer::Suggestion| SuggestionView { text: found.text, resource: found.resource };
    Ok(found.into_iter().map(view).collect())
}

/// What the index answers.
struct Answer {
    found: indexer::Found,
    /// What may have been meant.
    meant: Option<String>,
    /// The change that the index was at, or a later one.
    mark: i64,
}

/// Searches, `change` being the last one in the database.
async fn answer(app: &App, query: &SearchQuery, change: i64) -> Result<SearchResult, ApiError> {
    let begun = Instant::now();
    let query = &narrowed(app, query).await?;
    let among = among(app, query).await?;
    let answer = ask(app, query, among.clone(), begun).await?;
    let Some(Answer { mut found, meant, mark }) = answer else {
        return Ok(by_title(app, query, among.as_deref(), begun).await?.0);
    };
    let mut gone = 0;
    // An index that has every change has nothing but what is public.
    if mark != change {
        let ids: Vec<String> = found.hits.iter().map(|hit| hit.resource.clone()).collect();
        let public = public_ids(app, &ids).await?;
        found.hits.retain(|hit| public.contains(&hit.resource));
        gone = ids.len() - found.hits.len();
    }
    let hits = std::mem::take(&mut found.hits);
    let ids: Vec<String> = hits.iter().map(|hit| hit.resource.clone()).collect();
    let mut origins = origins(app, &ids, Some(change)).await?;
    let view = |hit: indexer::Hit| {
        let home = origins.remove(&hit.resource);
        HitView { home, ..hit_view(hit, &query.q) }
    };
    let hits = hits.into_iter().map(view).collect();
    Ok(result(found, gone, hits, meant, begun))
}

/// Searches. Gives what the hits are too, in their order.
pub(super) async fn find(
    app: &App,
    query: &SearchQuery,
) -> Result<(SearchResult, Vec<Shown>), ApiError> {
    let begun = Instant::now();
    let query = &narrowed(app, query).await?;
    let among = among(app, query).await?;
    let answer = ask(app, query, among.clone(), begun).await?;
    let Some(Answer { mut found, meant, .. }) = answer else {
        return by_title(app, query, among.as_deref(), begun).await;
    };
    // The index follows changes after a while; what is not public any more is left out at once.
    let ids: Vec<String> = found.hits.iter().map(|hit| hit.resource.clone()).collect();
    let mut public = public(app, &ids).await?;
    let gone = ids.len() - public.len();
    let origins = origins(app, &ids, None).await?;
    let (hits, shown) = std::mem::take(&mut found.hits)
        .into_iter()
        .filter_map(|hit| {
            let shown = public.remove(&hit.resource)?;
            let home = origins.get(&hit.resource).cloned();
            Some((HitView { home, ..hit_view(hit, &query.q) }, shown))
        })
        .unzip();
    Ok((result(found, gone, hits, meant, begun), shown))
}

/// What alone is searched: the lessons of a course, where one is named.
async fn among(app: &App, query: &SearchQuery) -> Result<Option<Vec<String>>, ApiError> {
    match query.course.as_str() {
        "" => Ok(None),
        id => Ok(Some(lessons_of(app, id).await?)),
    }
}

/// Asks the index; `None` when there is none that answers.
async fn ask(
    app: &App,
    query: &SearchQuery,
    among: Option<Vec<String>>,
    begun: Instant,
) -> Result<Option<Answer>, ApiError> {
    let Some(index) = app.index.load_full() else { return Ok(None) };
    let asked = indexer::Query { now_ms: app.now_ms(), among, ..query.asked() };
    let work = move || {
        let mark = index.mark();
        let found = index.search(&asked)?;
        let nowhere = found.total == 0 || found.heard;
        let meant = if nowhere { index.did_you_mean(&asked.text)? } else { None };
        Ok(Answer { found, meant, mark })
    };
    match run(app, work).await {
        Err(ApiError::Index(error)) if !matches!(error, indexer::Error::QueryTooLong { .. }) => {
            doubt(app, &error);
            Ok(None)
        }
        answer => {
            metrics::histogram!("duoku_search_seconds").record(begun.elapsed().as_secs_f64());
            Ok(Some(answer?))
        }
    }
}

/// What is told of what was found, but for so many hits that are not public any more.
fn result(
    found: indexer::Found,
    gone: usize,
    hits: Vec<HitView>,
    did_you_mean: Option<String>,
    begun: Instant,
) -> SearchResult {
    SearchResult {
        total: found.total.saturating_sub(gone),
        took_ms: took_ms(begun),
        hits,
        facets: found.facets,
        titles_only: false,
        heard: found.heard,
        did_you_mean,
    }
}

impl SearchQuery {
    /// The page, from 1.
    pub(super) fn page(&self) -> usize {
        self.page.unwrap_or(1).max(1)
    }

    /// Hits a page.
    pub(super) fn per_page(&self) -> usize {
        self.per_page.unwrap_or(20).clamp(1, indexer::MAX_PER_PAGE)
    }

    /// The filters: name and value.
    pub(super) fn filters(&self) -> Vec<(String, String)> {
        [
            ("library", &self.library),
            ("kind", &self.kind),
            ("topic", &self.topic),
            ("audience", &self.audience),
            ("language", &self.language),
            ("local", &self.local),
            ("sort", &self.sort),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
    }

    /// Words and filters as an address has them, from the question mark on; empty when all is asked
    /// for. The order is left out.
    pub(super) fn what(&self) -> String {
        let q = Some(("q".to_owned(), self.q.trim().to_owned())).filter(|(_, q)| !q.is_empty());
        let filters = self.filters().into_iter().filter(|(name, _)| name != "sort");
        let pairs = q.into_iter().chain(filters);
        let pairs: Vec<String> =
            pairs.map(|(name, value)| format!("{name}={}", encode(&value))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }

    fn asked(&self) -> indexer::Query {
        indexer::Query {
            text: self.q.clone(),
            libraries: list(&self.library),
            kinds: list(&self.kind),
            topics: list(&self.topic),
            audiences: list(&self.audience),
            languages: list(&self.language),
            local: list(&self.local),
            page: self.page(),
            per_page: self.per_page(),
            sort: if self.sort == "newest" {
                indexer::Sort::Newest
            } else {
                indexer::Sort::Relevance
            },
            ..indexer::Query::default()
        }
    }
}

/// Whether there is an index or not.
fn refuse_long(q: &str) -> Result<(), indexer::Error> {
    let (chars, most) = (q.chars().count(), indexer::MAX_QUERY_CHARS);
    if chars > most { Err(indexer::Error::QueryTooLong { chars, most }) } else { Ok(()) }
}

/// `query` with the filters that its words name.
pub(super) async fn narrowed(app: &App, query: &SearchQuery) -> Result<SearchQuery, ApiError> {
    refuse_long(&query.q)?;
    if !query.q.contains([':', '：']) {
        return Ok(query.clone());
    }
    let libraries = match names_library(&query.q) {
        true => db::libraries::list(&mut *app.db.read().await?).await?,
        false => Vec::new(),
    };
    let names = libraries.into_iter().map(|library| (library.slug.to_string(), library.name));
    Ok(narrow(query, &names.collect::<Vec<_>>()))
}

/// A search for the words `q` now.
pub(super) fn searched(app: &App, q: &str) -> indexer::Query {
    let query = SearchQuery { q: q.to_owned(), ..SearchQuery::default() };
    indexer::Query { now_ms: app.now_ms(), ..query.asked() }
}

/// Where `q` is met in `resource`; nothing when the index does not answer.
pub(super) async fn find_in(app: &App, resource: ResourceId, q: &str) -> Option<HitView> {
    let index = app.index.load_full()?;
    let asked = indexer::Query {
        text: q.to_owned(),
        resource: Some(resource.to_string()),
        per_page: 1,
        ..indexer::Query::default()
    };
    match run(app, move || index.search(&asked)).await {
        Ok(found) => found.hits.into_iter().next().map(|hit| hit_view(hit, q)),
        Err(ApiError::Index(error)) => {
            doubt(app, &error);
            None
        }
        Err(_) => None,
    }
}

/// Lets the index be looked at that could not be read.
fn doubt(app: &App, error: &indexer::Error) {
    if !matches!(error, indexer::Error::QueryTooLong { .. }) {
        tracing::error!(%error, "cannot search the index");
        app.index_doubted.store(true, Ordering::Relaxed);
        app.resource_changed.notify_one();
    }
}

/// Where those of `ids` are opened that are not here. Nothing is asked while nothing was harvested
/// up to `change`, the last one: what is harvested later has a later number.
async fn origins(
    app: &App,
    ids: &[String],
    change: Option<i64>,
) -> Result<HashMap<String, OriginView>, ApiError> {
    if ids.is_empty() || change.is_some_and(|n| n <= app.unharvested.load(Ordering::Relaxed)) {
        return Ok(HashMap::new());
    }
    let mut db = app.db.read().await?;
    let found = db::sources::origins(&mut db, ids).await?;
    if let Some(change) = change
        && found.is_empty()
        && !db::sources::is_any_harvested(&mut db).await?
    {
        app.unharvested.fetch_max(change, Ordering::Relaxed);
    }
    let view = |origin: db::sources::Origin| {
        (origin.resource, OriginView { name: origin.name, url: origin.home })
    };
    Ok(found.into_iter().map(view).collect())
}

/// Searches take some milliseconds of processor: not on a thread that serves many, and only so many
/// at a time, those that nobody waits for any more included.
pub(super) async fn run<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> Result<T, indexer::Error> + Send + 'static,
) -> Result<T, ApiError> {
    let place = app.load.begin_search()?;
    let work = move || {
        let _held = place;
        work()
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => {
            tracing::error!(%error, "a search panicked");
            Err(ApiError::coded(http::StatusCode::INTERNAL_SERVER_ERROR, "broken", ""))
        }
    }
}

/// What answers while there is no index: resources, no courses.
async fn by_title(
    app: &App,
    query: &SearchQuery,
    among: Option<&[String]>,
    begun: Instant,
) -> Result<(SearchResult, Vec<Shown>), ApiError> {
    let asked = db::resources::TitleQuery {
        text: query.q.trim().to_owned(),
        libraries: list(&query.library),
        kinds: list(&query.kind),
        topics: list(&query.topic),
        audiences: list(&query.audience),
        languages: list(&query.language),
        local: list(&query.local),
    };
    let skipped = (query.page() - 1).saturating_mul(query.per_page()).min(indexer::MAX_DEPTH);
    let (offset, limit) = (skipped as i64, query.per_page() as i64);
    let mut db = app.db.read().await?;
    let (total, found) = match among {
        None => db::resources::find_by_title(&mut db, &asked, offset, limit).await?,
        Some(ids) => {
            let mut found = db::resources::list_public(&mut db, ids).await?;
            found.retain(|resource| resource.details.title.contains(&asked.text));
            (found.len() as i64, found.into_iter().skip(skipped).take(query.per_page()).collect())
        }
    };
    drop(db);
    let ids: Vec<String> = found.iter().map(|resource| resource.id.to_string()).collect();
    let origins = origins(app, &ids, None).await?;
    let hit = |resource: &Resource| HitView {
        kind: resource.kind.as_str().to_owned(),
        url: format!("/resources/{}", resource.id),
        resource: resource.id.to_string(),
        title: escape(&resource.details.title),
        snippet: escape(&resource.details.description.chars().take(120).collect::<String>()),
        moments: Vec::new(),
        home: origins.get(&resource.id.to_string()).cloned(),
    };
    let result = SearchResult {
        total: usize::try_from(total).unwrap_or_default(),
        took_ms: took_ms(begun),
        hits: found.iter().map(hit).collect(),
        facets: BTreeMap::new(),
        titles_only: true,
        heard: false,
        did_you_mean: None,
    };
    let shown = found.into_iter().map(|resource| Shown::Resource(Box::new(resource)));
    Ok((result, shown.collect()))
}

fn hit_view(hit: indexer::Hit, q: &str) -> HitView {
    let url = match hit.kind.as_str() {
        indexer::COURSE => format!("/courses/{}", hit.resource),
        _ => format!("/resources/{}", hit.resource),
    };
    let moments = hit
        .moments
        .into_iter()
        .map(|moment| MomentView {
            kind: match moment.kind {
                indexer::PassageKind::Caption => "caption",
                indexer::PassageKind::Page => "page",
                indexer::PassageKind::Slide => "slide",
                indexer::PassageKind::Chapter => "chapter",
            },
            url: match (moment.start_ms, moment.page) {
                (Some(start_ms), _) => format!("{url}?t={}", seconds(start_ms)),
                (None, Some(page)) => {
                    let what = match moment.kind {
                        indexer::PassageKind::Chapter => "chapter",
                        _ => "page",
                    };
                    format!("{url}?{what}={page}&q={}", encode(q))
                }
                _ => url.clone(),
            },
            start_ms: moment.start_ms,
            image: moment
                .page
                .filter(|_| moment.start_ms.is_some())
                .map(|number| format!("/media/{}/slides/{number}.webp", hit.resource)),
            // A slide inside a video is found by its time.
            page: moment.page.filter(|_| moment.start_ms.is_none()),
            text: moment.text,
        })
        .collect();
    let indexer::Hit { resource, kind, title, snippet, .. } = hit;
    HitView { resource, kind, title, snippet, url, moments, home: None }
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
