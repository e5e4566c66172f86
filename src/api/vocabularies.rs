//! The controlled lists, for programs that fill in metadata.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::ApiError;
use crate::catalogue::{Term, VOCABULARIES, Vocabulary};

/// A controlled list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VocabularyView {
    /// As in its address.
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    /// Other values may be written too.
    open: bool,
    /// In the order of forms.
    terms: Vec<TermView>,
}

/// A word of a controlled list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TermView {
    /// As stored and sent.
    code: &'static str,
    zh: &'static str,
    en: &'static str,
}

/// All controlled lists.
#[utoipa::path(get, path = "/api/vocabularies", tag = "vocabularies", responses((status = 200, body = Vec<VocabularyView>)))]
pub(super) async fn list() -> Json<Vec<VocabularyView>> {
    Json(VOCABULARIES.iter().map(view).collect())
}

/// One controlled list.
#[utoipa::path(get, path = "/api/vocabularies/{name}", tag = "vocabularies", params(("name" = String, Path)), responses((status = 200, body = VocabularyView), (status = 404)))]
pub(super) async fn get(Path(name): Path<String>) -> Result<Json<VocabularyView>, ApiError> {
    let found = VOCABULARIES.iter().find(|vocabulary| vocabulary.name == name);
    Ok(Json(view(found.ok_or(ApiError::NotFound)?)))
}

fn view(vocabulary: &Vocabulary) -> VocabularyView {
    let Vocabulary { name, zh, en, open, terms } = *vocabulary;
    let term = |term: &Term| TermView { code: term.code, zh: term.zh, en: term.en };
    VocabularyView { name, zh, en, open, terms: terms.iter().map(term).collect() }
}
