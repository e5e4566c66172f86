//! The page that tells administrators why hits are where they are.

use axum::extract::{Query, State};
use axum::response::Response;
use indexer::{Explanation, FoundAt, PassageKind, Stands, WordExplanation};
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::explain::explained;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::search::{SearchQuery, encode, find};
use super::super::shown::Shown;
use super::shell::{page, shell};
use crate::app::App;
use crate::catalogue::{Resource, ResourceId};
use crate::db;
use crate::pages::{self, Lang, Rarity, WhyHit, WhyPart, WhyView, WhyWord};

/// Hits that are explained.
const HITS: usize = 10;
/// The fewest points that are told.
const LEAST: f32 = 0.05;
/// Places of a word that are named.
const MAX_PLACES: usize = 4;
/// Weights of words that are rare and common: one in a thousand, one in thirty.
const RARE: f32 = 7.0;
const COMMON: f32 = 3.5;

/// What is to be explained.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::api) struct WhyQuery {
    q: String,
    /// Id or address of one more resource.
    resource: String,
}

pub(in crate::api) async fn why(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<WhyQuery>,
) -> Result<Response, ApiError> {
    visitor.caller.may_administer()?;
    let mut view = WhyView { query: query.q, resource: query.resource, ..WhyView::default() };
    if !view.query.trim().is_empty() {
        fill(&app, reader.lang, &mut view).await?;
    }
    Ok(page(&reader, pages::why(&shell(&app, &reader, &visitor), &view)))
}

async fn fill(app: &App, lang: Lang, view: &mut WhyView) -> Result<(), ApiError> {
    let asked =
        SearchQuery { q: view.query.clone(), per_page: Some(HITS), ..SearchQuery::default() };
    let (found, mut shown) = find(app, &asked).await?;
    view.total = found.total as u64;
    view.search_href = format!("/search?q={}", encode(&view.query));
    if found.titles_only {
        let (zh, en) = (
            "索引正在重建，现在没有排名可以说明。",
            "The index is being built: there is no order to explain now.",
        );
        view.notice = Some(lang.pick(zh, en).to_owned());
        return Ok(());
    }
    if found.heard {
        let (zh, en) = (
            "没有完全符合的：下面的结果只是读音相同。",
            "Nothing has what was typed: these sound like it.",
        );
        view.notice = Some(lang.pick(zh, en).to_owned());
    }
    let ranked = shown.len();
    match one_more(app, &view.resource).await? {
        More::Known(resource) if shown.iter().all(|hit| hit.id() != resource.id.to_string()) => {
            shown.push(Shown::Resource(resource));
        }
        More::Unknown => view.unknown = true,
        More::Known(_) | More::None => {}
    }
    let ids = shown.iter().map(Shown::id).collect();
    let told = explained(app, &view.query, ids).await?;
    let rank = |at: usize| (at < ranked).then_some(at + 1);
    let hits = shown.iter().zip(told).enumerate();
    view.hits = hits.map(|(at, (shown, told))| hit(lang, rank(at), shown, &told)).collect();
    Ok(())
}

enum More {
    None,
    Known(Box<Resource>),
    Unknown,
}

/// The resource whose id or address was given.
async fn one_more(app: &App, given: &str) -> Result<More, ApiError> {
    let given = given.trim().split(['?', '#']).next().unwrap_or_default();
    let id = given.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if id.is_empty() {
        return Ok(More::None);
    }
    let Ok(id) = id.parse::<ResourceId>() else { return Ok(More::Unknown) };
    let found = db::resources::find(&mut *app.db.read().await?, id).await?;
    Ok(found.map_or(More::Unknown, |resource| More::Known(Box::new(resource))))
}

fn hit(lang: Lang, rank: Option<usize>, shown: &Shown, told: &Explanation) -> WhyHit {
    let (named, together): (Vec<_>, Vec<_>) =
        told.words.iter().partition(|word| !word.text.is_empty());
    let words: Vec<WhyWord> = named.into_iter().map(|word| self::word(lang, word)).collect();
    let old = told.score / told.freshness.max(1.0);
    let raw = old / told.vouched.max(1.0);
    let part =
        |zh: &str, en: &str, points: f32| WhyPart { says: lang.pick(zh, en).to_owned(), points };
    let (place_zh, place_en) = place(told.stands);
    let mut parts = vec![part(place_zh, place_en, told.place)];
    if told.run > 0.0 {
        parts.push(part(
            "几个词照原样连在一起",
            "Words stand together as they were typed",
            told.run,
        ));
    }
    let points = raw - told.place - told.run;
    parts.push(match together.is_empty() {
        true => part("词本身", "The words themselves", points),
        false => part(
            "词本身，以及挨在一起的字",
            "The words themselves, and characters side by side",
            points,
        ),
    });
    let vouched = old - raw;
    if vouched >= LEAST {
        parts.push(part("有机构认证的地方特色", "Somebody vouches for it", vouched));
    }
    let new = told.score - old;
    if new >= LEAST {
        parts.push(part("新发布", "Newly published", new));
    }
    WhyHit {
        rank,
        title: shown.title().to_owned(),
        href: shown.path(),
        matches: told.matches,
        score: told.score,
        parts,
        words,
    }
}

/// In Chinese and in English.
fn place(stands: Stands) -> (&'static str, &'static str) {
    match stands {
        Stands::SameTitle => {
            ("标题就是所搜的词（或读音相同）", "The title is what was asked, or sounds like it")
        }
        Stands::TitleAndRest => (
            "标题是所搜的一部分，其余的词是作者或写在简介里",
            "The title is a part of what was asked; the rest is the author or in the description",
        ),
        Stands::InTitle => ("所有词都在标题里", "All words are in the title"),
        Stands::About => (
            "所有词都在标题、简介、作者或主题里",
            "All words are in the title, description, author or topics",
        ),
        Stands::InPassage => ("所有词都在正文的同一处", "All words are in one passage of the text"),
        Stands::Apart => {
            ("词分散在几处，或缺一些", "The words are here and there, or some are missing")
        }
    }
}

fn word(lang: Lang, word: &WordExplanation) -> WhyWord {
    let mut places: Vec<String> = Vec::new();
    for at in &word.found {
        let place = where_it_is(lang, at);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let more = places.len().saturating_sub(MAX_PLACES);
    places.truncate(MAX_PLACES);
    WhyWord {
        text: word.text.clone(),
        rarity: match word.weight {
            weight if weight >= RARE => Rarity::Rare,
            weight if weight <= COMMON => Rarity::Common,
            _ => Rarity::Usual,
        },
        places,
        more,
    }
}

fn where_it_is(lang: Lang, at: &FoundAt) -> String {
    let numbered = |zh: &str, en: &str| match lang {
        Lang::Zh => format!("第 {} {zh}", at.page.unwrap_or(1)),
        Lang::En => format!("{en} {}", at.page.unwrap_or(1)),
    };
    match at.passage {
        _ if at.title => lang.pick("标题", "title").to_owned(),
        None => lang.pick("简介、作者或主题", "description, author or topics").to_owned(),
        Some(PassageKind::Page) => numbered("页", "page"),
        Some(PassageKind::Chapter) => numbered("章", "chapter"),
        Some(PassageKind::Slide) if at.start_ms.is_none() => numbered("张幻灯片", "slide"),
        Some(PassageKind::Caption | PassageKind::Slide) => {
            pages::clock(u64::try_from(at.start_ms.unwrap_or_default()).unwrap_or_default())
        }
    }
}
