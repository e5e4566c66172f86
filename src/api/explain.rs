//! Why a resource is found where it is.

use axum::Json;
use axum::extract::{Query, State};
use indexer::{Explanation, FoundAt, PassageKind, Stands};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::problem::ApiError;
use super::search::{SearchQuery, narrowed, run, searched};
use crate::app::App;

/// What is to be explained.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ExplainQuery {
    /// What was searched for.
    q: String,
    /// Id of the resource.
    resource: String,
}

/// Why a resource has its score: (words + place + run) x vouched x freshness, where of each word the best
/// place counts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplanationView {
    /// Whether it is found.
    matches: bool,
    score: f32,
    /// Where the words are: same_title, title_and_rest, in_title, about, in_passage, apart
    stands: &'static str,
    /// Part of the score for that.
    place: f32,
    /// Part of the score for words that stand together as they were typed.
    run: f32,
    /// What the sum was multiplied by because somebody vouches for it.
    vouched: f32,
    /// What the sum was multiplied by for being new.
    freshness: f32,
    /// The rarest first.
    words: Vec<WordView>,
}

/// What a word gave.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WordView {
    /// Empty: what stands together as it was typed.
    text: String,
    /// The rarer the more.
    weight: f32,
    /// At most fifty places.
    found: Vec<FoundView>,
}

/// A place where a word is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundView {
    /// title, about (description, author, topics), caption, slide, page or chapter
    place: &'static str,
    start_ms: Option<i64>,
    /// Number of the page, slide or chapter, from 1.
    page: Option<u32>,
    score: f32,
}

/// Why a resource is found where it is. For administrators.
#[utoipa::path(get, path = "/api/search/explain", tag = "search", params(ExplainQuery), responses((status = 200, body = ExplanationView), (status = 403), (status = 404)))]
pub(super) async fn explain(
    State(app): State<App>,
    Who(caller): Who,
    Query(query): Query<ExplainQuery>,
) -> Result<Json<ExplanationView>, ApiError> {
    caller.may_administer()?;
    let told = explained(&app, &query.q, vec![query.resource]).await?;
    Ok(Json(told.into_iter().next().unwrap_or_default().into()))
}

/// Why each of `resources` has its score for the words of `q`, in their order.
///
/// # Errors
///
/// [`ApiError::NotFound`] while there is no index.
pub(super) async fn explained(
    app: &App,
    q: &str,
    resources: Vec<String>,
) -> Result<Vec<Explanation>, ApiError> {
    let index = app.index.load_full().ok_or(ApiError::NotFound)?;
    let query = SearchQuery { q: q.to_owned(), ..SearchQuery::default() };
    let asked = searched(app, &narrowed(app, &query).await?.q);
    run(app, move || resources.iter().map(|id| index.explain(&asked, id)).collect()).await
}

impl From<Explanation> for ExplanationView {
    fn from(told: Explanation) -> Self {
        let word = |word: indexer::WordExplanation| WordView {
            text: word.text,
            weight: word.weight,
            found: word.found.iter().map(FoundView::from).collect(),
        };
        Self {
            matches: told.matches,
            score: told.score,
            stands: match told.stands {
                Stands::SameTitle => "same_title",
                Stands::TitleAndRest => "title_and_rest",
                Stands::InTitle => "in_title",
                Stands::About => "about",
                Stands::InPassage => "in_passage",
                Stands::Apart => "apart",
            },
            place: told.place,
            run: told.run,
            vouched: told.vouched,
            freshness: told.freshness,
            words: told.words.into_iter().map(word).collect(),
        }
    }
}

impl From<&FoundAt> for FoundView {
    fn from(at: &FoundAt) -> Self {
        let place = match at.passage {
            _ if at.title => "title",
            None => "about",
            Some(PassageKind::Caption) => "caption",
            Some(PassageKind::Slide) => "slide",
            Some(PassageKind::Page) => "page",
            Some(PassageKind::Chapter) => "chapter",
        };
        Self { place, start_ms: at.start_ms, page: at.page, score: at.score }
    }
}
