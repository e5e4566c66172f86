//! The page of a search.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::Render as _;

use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::search::{
    HitView as FoundView, MomentView as FoundMoment, SearchQuery, SearchResult, encode, find,
};
use super::super::shown::Shown;
use super::shell::{page, shell};
use super::tiles::shown_tiles;
use crate::app::App;
use crate::catalogue::{AUDIENCES, Kind, LANGUAGES, TOPICS, label_of};
use crate::db;
use crate::pages::{
    self, Choice, Facet, FacetValue, HitView, Lang, MomentKind, MomentView, Paging, SearchView,
};

/// Characters of a description under a hit.
const MAX_SNIPPET: usize = 160;

/// Words of a query that are offered alone.
const MAX_FEWER: usize = 6;

pub(in crate::api) async fn search(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<SearchQuery>,
) -> Result<Response, ApiError> {
    // A course is searched on its own page.
    let query = SearchQuery { course: String::new(), ..query };
    let (found, shown) = find(&app, &query).await?;
    let cards = shown_tiles(&app, &shown).await?;
    let mut hits = Vec::with_capacity(found.hits.len());
    for ((hit, shown), mut tile) in found.hits.iter().zip(&shown).zip(cards) {
        // A course's page searches inside it for what its address asks.
        if !query.q.is_empty() && matches!(shown, Shown::Resource(_)) {
            tile.href = format!("{}?q={}", tile.href, encode(&query.q));
        }
        hits.push(HitView {
            tile,
            title_html: hit.title.clone(),
            snippet_html: snippet(hit, shown.description()),
            moments: moments(hit, &query.q),
        });
    }
    let reachable = found.total.min(indexer::MAX_DEPTH);
    let names: BTreeMap<String, String> = db::libraries::list(&mut *app.db.read().await?)
        .await?
        .into_iter()
        .map(|library| (library.slug.to_string(), library.name))
        .collect();
    let view = SearchView {
        total: found.total as u64,
        took_ms: found.took_ms.ceil() as u64,
        notice: found.titles_only.then(|| {
            reader
                .lang
                .pick(
                    "索引正在重建，现在只搜索标题。",
                    "The index is being built: only titles are searched now.",
                )
                .to_owned()
        }),
        tabs: tabs(reader.lang, &query, &found),
        orders: orders(reader.lang, &query, &found),
        heard: found.heard,
        meant: found.did_you_mean.as_ref().map(|meant| instead(&query, meant)),
        fewer: if found.total == 0 { fewer(&query) } else { Vec::new() },
        facets: facets(reader.lang, &query, &found, &names),
        filters: query.filters(),
        clear_href: format!("/search?q={}", encode(&query.q)),
        feed: query.what(),
        paging: Paging {
            page: u32::try_from(query.page()).unwrap_or(1),
            pages: u32::try_from(reachable.div_ceil(query.per_page())).unwrap_or(1),
            href: format!("{}&page=", address(&query)),
        },
        why_href: (visitor.caller.is_administrator() && !query.q.trim().is_empty())
            .then(|| format!("/admin/search/why?q={}", encode(&query.q))),
        query: query.q.clone(),
        hits,
    };
    Ok(page(&reader, pages::search(&shell(&app, &reader, &visitor), &view)))
}

/// What stands under the title: what was met, unless a moment says the same, then the description.
pub(super) fn snippet(hit: &FoundView, description: &str) -> String {
    if hit.moments.iter().all(|moment| moment.text != hit.snippet) {
        return hit.snippet.clone();
    }
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_SNIPPET).collect::<String>().render().into_string()
}

/// The places of a hit; each link keeps the query, so that the resource's page can show it too.
pub(super) fn moments(hit: &FoundView, q: &str) -> Vec<MomentView> {
    let view = |moment: &FoundMoment| match (moment.start_ms, moment.page) {
        (Some(start_ms), _) => MomentView {
            kind: MomentKind::Time(u64::try_from(start_ms).unwrap_or_default()),
            href: format!("{}&q={}", moment.url, encode(q)),
            image: moment.image.clone(),
            text_html: moment.text.clone(),
        },
        (None, page) => MomentView {
            kind: match moment.kind {
                "slide" => MomentKind::Slide(page.unwrap_or(1)),
                "chapter" => MomentKind::Chapter(page.unwrap_or(1)),
                _ if hit.kind == Kind::Image.as_str() => MomentKind::Picture,
                _ => MomentKind::Page(page.unwrap_or(1)),
            },
            href: moment.url.clone(),
            image: None,
            text_html: moment.text.clone(),
        },
    };
    let mut places: Vec<&FoundMoment> = hit.moments.iter().collect();
    places.sort_by_key(|moment| (moment.start_ms, moment.page));
    places.into_iter().map(view).collect()
}

/// Address of the first page of a query.
fn address(query: &SearchQuery) -> String {
    let mut address = format!("/search?q={}", encode(&query.q));
    for (name, value) in query.filters() {
        address.push_str(&format!("&{name}={}", encode(&value)));
    }
    if let Some(per_page) = query.per_page {
        address.push_str(&format!("&per_page={per_page}"));
    }
    address
}

/// All kinds first, then each; none with fewer than two.
fn tabs(lang: Lang, query: &SearchQuery, found: &SearchResult) -> Vec<FacetValue> {
    let kinds = found.facets.get("kind").map(Vec::as_slice).unwrap_or_default();
    if kinds.len() < 2 && query.kind.is_empty() {
        return Vec::new();
    }
    let tab = |kind: &str, label: &str, count: u64| {
        let narrowed = SearchQuery { kind: kind.to_owned(), page: None, ..query.clone() };
        FacetValue {
            label: label.to_owned(),
            count,
            href: address(&narrowed),
            on: query.kind == kind,
        }
    };
    let all = tab("", lang.pick("全部", "All"), kinds.iter().map(|(_, count)| count).sum());
    let each = kinds
        .iter()
        .filter_map(|(code, count)| Some(tab(code, pages::found_word(lang, code)?, *count)));
    std::iter::once(all).chain(each).collect()
}

fn orders(lang: Lang, query: &SearchQuery, found: &SearchResult) -> Vec<Choice> {
    if found.total < 2 || found.titles_only || query.q.trim().is_empty() {
        return Vec::new();
    }
    let newest = query.sort == "newest";
    [
        ("", lang.pick("最相关", "Best match"), !newest),
        ("newest", lang.pick("最新", "Newest"), newest),
    ]
    .into_iter()
    .map(|(sort, label, on)| {
        let sorted = SearchQuery { sort: sort.to_owned(), page: None, ..query.clone() };
        Choice { label: label.to_owned(), href: address(&sorted), on }
    })
    .collect()
}

/// The same search with other words.
fn instead(query: &SearchQuery, words: &str) -> Choice {
    let other = SearchQuery { q: words.to_owned(), page: None, ..query.clone() };
    Choice { label: words.to_owned(), href: address(&other), on: false }
}

/// Searches for each of several words, everywhere.
fn fewer(query: &SearchQuery) -> Vec<Choice> {
    let words: Vec<&str> = query.q.split_whitespace().take(MAX_FEWER).collect();
    let alone = |word: &&str| instead(&SearchQuery::default(), word);
    if words.len() < 2 { Vec::new() } else { words.iter().map(alone).collect() }
}

fn facets(
    lang: Lang,
    query: &SearchQuery,
    found: &SearchResult,
    libraries: &BTreeMap<String, String>,
) -> Vec<Facet> {
    let chinese = lang == Lang::Zh;
    let label = |field: &str, code: &str| match field {
        "library" => libraries.get(code).cloned().unwrap_or_else(|| code.to_owned()),
        "kind" => pages::found_word(lang, code).unwrap_or(code).to_owned(),
        "topic" => label_of(TOPICS, code, chinese).to_owned(),
        "audience" => label_of(AUDIENCES, code, chinese).to_owned(),
        "local" if code == indexer::VOUCHED => lang.pick("有机构认证", "Vouched for").to_owned(),
        "local" => lang.pick("地方特色", "Local").to_owned(),
        _ => label_of(LANGUAGES, code, chinese).to_owned(),
    };
    let names = [
        ("library", lang.pick("资源库", "Library")),
        ("topic", lang.pick("主题", "Topic")),
        ("audience", lang.pick("适用人群", "Audience")),
        ("language", lang.pick("语言", "Language")),
        ("local", lang.pick("地方特色", "Local")),
    ];
    names
        .into_iter()
        .map(|(field, name)| Facet {
            name: name.to_owned(),
            values: found
                .facets
                .get(field)
                .into_iter()
                .flatten()
                .map(|(code, count)| {
                    let (on, narrowed) = toggled(query, field, code);
                    FacetValue {
                        label: label(field, code),
                        count: *count,
                        href: address(&narrowed),
                        on,
                    }
                })
                .collect(),
        })
        .filter(|facet| !facet.values.is_empty())
        .collect()
}

/// The query with `code` of `field` added, or taken away where it is in force.
fn toggled(query: &SearchQuery, field: &str, code: &str) -> (bool, SearchQuery) {
    let mut query = SearchQuery { page: None, ..query.clone() };
    let values = match field {
        "library" => &mut query.library,
        "kind" => &mut query.kind,
        "topic" => &mut query.topic,
        "audience" => &mut query.audience,
        "local" => &mut query.local,
        _ => &mut query.language,
    };
    let mut codes: Vec<&str> = values.split(',').filter(|value| !value.is_empty()).collect();
    let on = codes.contains(&code);
    if on {
        codes.retain(|other| *other != code);
    } else {
        codes.push(code);
    }
    *values = codes.join(",");
    (on, query)
}
