//! The page of the words that librarians keep for the search.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::dictionary::{Dictionary, keep, read};
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::sentences::rule;
use super::super::unindexed;
use super::shell::{page, shell};
use super::studio::{Fields, check_csrf};
use crate::app::App;
use crate::pages::{self, DictionaryView};

const ADDRESS: &str = "/admin/search";

/// What came of the form.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct Came {
    #[serde(default)]
    saved: bool,
}

pub(in crate::api) async fn dictionary_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    visitor.caller.may_administer()?;
    let view =
        DictionaryView { unindexed: left_out(&app).await?, ..view(read(&app).await?, came.saved) };
    Ok(page(&reader, pages::dictionary(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn dictionary_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let words = Dictionary {
        dictionary: fields.one("dictionary").to_owned(),
        synonyms: fields.one("synonyms").to_owned(),
    };
    match keep(&app, &visitor.caller, &words).await {
        Ok(()) => Ok(Redirect::to(&format!("{ADDRESS}?saved=true")).into_response()),
        Err(ApiError::Rule(broken @ crate::catalogue::RuleError::BadField { .. })) => {
            let refusal = Some(rule(reader.lang, &broken));
            let unindexed = left_out(&app).await?;
            let view = DictionaryView { refusal, unindexed, ..view(words, false) };
            let shown = pages::dictionary(&shell(&app, &reader, &visitor), &view);
            let mut response = page(&reader, shown);
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

fn view(words: Dictionary, saved: bool) -> DictionaryView {
    DictionaryView {
        action: ADDRESS.to_owned(),
        dictionary: words.dictionary,
        synonyms: words.synonyms,
        saved,
        refusal: None,
        unindexed: Vec::new(),
    }
}

async fn left_out(app: &App) -> Result<Vec<(String, String, String)>, ApiError> {
    let all = unindexed::read(app).await?;
    Ok(all.into_iter().map(|one| (one.resource, one.title, one.reason)).collect())
}
