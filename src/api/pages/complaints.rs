//! Complaints of the public: the form of a resource's page, and the page of a case.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::complaints::case;
use super::super::dossier::case_name;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::resources::visible;
use super::here::Form;
use super::shell::{page, shell};
use crate::app::App;
use crate::pages::{self, CaseView};
use crate::review::cases::{self, Grievance};

/// Whether the case was opened just now.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct Came {
    #[serde(default)]
    fresh: String,
}

pub(in crate::api) async fn complain(
    Path(id): Path<String>,
    Form { here, fields }: Form,
) -> Result<Response, ApiError> {
    let (resource, _) = visible(&here.app, here.caller(), &id).await?;
    if !fields.one("website").is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(ApiError::coded(status, "leave_empty", ""));
    }
    let grievance = Grievance {
        reason: fields.one("reason").to_owned(),
        words: fields.one("words").to_owned(),
        contact: fields.one("contact").to_owned(),
    };
    let complaint = cases::complain(&here.app, here.caller(), &resource, grievance).await?;
    Ok(Redirect::to(&format!("/complaints/{}?fresh=1", complaint.number)).into_response())
}

pub(in crate::api) async fn case_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(number): Path<String>,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    let complaint = case(&app, &number).await?;
    let view = CaseView {
        number: complaint.number.to_string(),
        state: complaint.state.as_str(),
        word: case_name(reader.lang, complaint.state).to_owned(),
        answer: complaint.answer,
        created_ms: complaint.created_ms,
        answered_ms: complaint.answered_ms,
        fresh: !came.fresh.is_empty(),
    };
    Ok(page(&reader, pages::case(&shell(&app, &reader, &visitor), &view)))
}
