//! The page of the words that librarians keep for the search.

use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::super::dictionary::{Dictionary, keep, read};
use super::super::problem::ApiError;
use super::super::unindexed;
use super::here::{Form, Here};
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
    here: Here,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    here.caller().may_administer()?;
    let words = read(&here.app).await?;
    let view = DictionaryView { unindexed: left_out(&here.app).await?, ..view(words, came.saved) };
    Ok(here.show(|shell| pages::dictionary(shell, &view)))
}

pub(in crate::api) async fn dictionary_form(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let words = Dictionary {
        dictionary: fields.one("dictionary").to_owned(),
        synonyms: fields.one("synonyms").to_owned(),
    };
    match keep(&here.app, here.caller(), &words).await {
        Ok(()) => Ok(Redirect::to(&format!("{ADDRESS}?saved=true")).into_response()),
        Err(error) => {
            let refusal = here.refusal(error)?.bad;
            let unindexed = left_out(&here.app).await?;
            let view = DictionaryView { refusal, unindexed, ..view(words, false) };
            Ok(here.refuse(|shell| pages::dictionary(shell, &view)))
        }
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
