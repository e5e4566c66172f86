//! What is asked and what comes out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::PassageKind;

/// A search. Empty lists do not restrict; within a list any value will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// What was typed: words, `"a phrase"`, `-not`, `作者:name`, `标题:title`. Empty lists everything, newest first.
    pub text: String,
    /// The one resource that is looked at.
    pub resource: Option<String>,
    /// The only resources that are looked at; `None`: all.
    pub among: Option<Vec<String>>,
    /// Library slugs.
    pub libraries: Vec<String>,
    /// Kinds of resource.
    pub kinds: Vec<String>,
    /// Topics.
    pub topics: Vec<String>,
    /// Audiences.
    pub audiences: Vec<String>,
    /// Languages.
    pub languages: Vec<String>,
    /// What is local about them, as in [`Entry::local`](crate::Entry::local).
    pub local: Vec<String>,
    /// The page wanted, from 1.
    pub page: usize,
    /// Hits a page, at most [`MAX_PER_PAGE`](crate::MAX_PER_PAGE).
    pub per_page: usize,
    /// The order of the hits.
    pub sort: Sort,
    /// Now, Unix time in milliseconds: what is new comes a little higher. 0: it does not.
    pub now_ms: i64,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            text: String::new(),
            resource: None,
            among: None,
            libraries: Vec::new(),
            kinds: Vec::new(),
            topics: Vec::new(),
            audiences: Vec::new(),
            languages: Vec::new(),
            local: Vec::new(),
            page: 1,
            per_page: 20,
            sort: Sort::Relevance,
            now_ms: 0,
        }
    }
}

/// The order of hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// The best match first, then the newest.
    #[default]
    Relevance,
    /// The newest first.
    Newest,
}

/// The answer to a [`Query`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Resources that match, on all pages together.
    pub total: usize,
    /// Nothing has what was typed: these sound like it.
    pub heard: bool,
    /// This page of them.
    pub hits: Vec<Hit>,
    /// library, kind, topic, audience, language: each value found with its
    /// number of resources, the most frequent first.
    pub facets: BTreeMap<String, Vec<(String, u64)>>,
}

/// A resource that matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The resource's id.
    pub resource: String,
    /// Its kind.
    pub kind: String,
    /// Its score; only comparable within one answer.
    pub score: f32,
    /// The title as HTML: escaped, matches in `<mark>`.
    pub title: String,
    /// About 100 characters around the best match, as HTML like the title.
    pub snippet: String,
    /// The best places in it, the best first: three at most, a hundred when only this one was searched.
    pub moments: Vec<Moment>,
}

/// A place in a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// What it is a piece of.
    pub kind: PassageKind,
    /// Where it begins in media time, in milliseconds.
    pub start_ms: Option<i64>,
    /// Its page, slide or chapter, counted from 1.
    pub page: Option<u32>,
    /// About 100 characters around the match as HTML: escaped, matches in `<mark>`.
    pub text: String,
}

/// Why a resource has its score: `(words + place + run) * vouched * freshness`, where of each word the best
/// of its ways counts, in the resource itself and in its best passages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Whether it is found.
    pub matches: bool,
    /// Its score.
    pub score: f32,
    /// Where its words are.
    pub stands: Stands,
    /// What it has for that.
    pub place: f32,
    /// What it has for a run of words that stands somewhere as it was typed.
    pub run: f32,
    /// What it has because somebody vouches for it, as a factor.
    pub vouched: f32,
    /// What it has for being new, as a factor.
    pub freshness: f32,
    /// What each word gave, the rarest first.
    pub words: Vec<WordExplanation>,
}

/// Where the words of a query are in a resource, the best first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// The title is the query, or sounds like it.
    SameTitle,
    /// The title is a part of the query, the rest is said of the resource: `author title`.
    TitleAndRest,
    /// All in the title.
    InTitle,
    /// All in what is said of the resource.
    About,
    /// All in one passage.
    InPassage,
    /// Here and there.
    #[default]
    Apart,
}

/// What a word gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WordExplanation {
    /// The word, folded; empty for runs as they stand, and pairs of characters.
    pub text: String,
    /// How much it tells: the rarer the more.
    pub weight: f32,
    /// Where it is, in the order of the resource: the first fifty places.
    pub found: Vec<FoundAt>,
}

/// A place where a word is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundAt {
    /// In the title; else in what is said of the resource, or in a passage.
    pub title: bool,
    /// What the passage is; `None` in the resource itself.
    pub passage: Option<PassageKind>,
    /// Where the passage begins in media time, in milliseconds.
    pub start_ms: Option<i64>,
    /// The passage's page, slide or chapter, counted from 1.
    pub page: Option<u32>,
    /// What it gave.
    pub score: f32,
}

/// A completion of what is being typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What to put into the search box, plain text.
    pub text: String,
    /// The resource whose title this is; `None` for a word of several titles.
    pub resource: Option<String>,
}
