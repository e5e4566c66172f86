//! What handlers of pages begin with: who asks, for whom the answer is worded, and forms that were
//! sent from our own pages.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Request};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use http::request::Parts;
use maud::Markup;

use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::shell::{page, shell};
use super::studio::{Fields, check_csrf};
use crate::app::App;
use crate::catalogue::Caller;
use crate::net::authority::Authority;
use crate::pages::{Notice, Shell};

/// Where a page is made: the process, who asks, and for whom it is worded.
pub(in crate::api) struct Here {
    pub(super) app: App,
    pub(super) reader: Reader,
    pub(super) visitor: Visitor,
}

impl Here {
    pub(super) fn caller(&self) -> &Caller {
        &self.visitor.caller
    }

    /// As what the caller looks after people and places.
    pub(super) fn authority(&self) -> Result<Authority<'_>, ApiError> {
        Ok(Authority::of(&self.visitor.caller, self.app.now_ms())?)
    }

    /// A page.
    pub(super) fn show(&self, view: impl FnOnce(&Shell) -> Markup) -> Response {
        page(&self.reader, view(&shell(&self.app, &self.reader, &self.visitor)))
    }

    /// A page that shows a form again, with why it was refused.
    pub(super) fn refuse(&self, view: impl FnOnce(&Shell) -> Markup) -> Response {
        (StatusCode::UNPROCESSABLE_ENTITY, self.show(view)).into_response()
    }

    /// Why a form was refused, for the page that shows it again; other errors go on.
    pub(super) fn refusal(&self, error: ApiError) -> Result<Notice, ApiError> {
        if error.is_refusal() {
            Ok(Notice { good: None, bad: Some(error.worded(self.reader.lang)) })
        } else {
            Err(error)
        }
    }

    /// What came of the form that led here by [`done`].
    pub(super) fn notice(&self) -> Notice {
        let query = self.reader.path.split_once('?').map_or("", |(_, query)| query);
        let is_done = query.split('&').any(|pair| pair == DONE);
        let saved = || self.reader.lang.pick("已保存。", "Saved.").to_owned();
        Notice { good: is_done.then(saved), bad: None }
    }
}

/// Says in an address that a form was taken.
const DONE: &str = "done=true";

/// Back to the page of a form that was taken.
pub(super) fn done(path: &str) -> Response {
    Redirect::to(&format!("{path}?{DONE}")).into_response()
}

impl FromRequestParts<App> for Here {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Ok(reader) = Reader::from_request_parts(parts, app).await;
        let visitor = Visitor::from_request_parts(parts, app).await?;
        Ok(Self { app: app.clone(), reader, visitor })
    }
}

/// A form that was sent from a page which this session was shown.
pub(in crate::api) struct Form {
    pub(super) here: Here,
    pub(super) fields: Fields,
}

impl FromRequest<App> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let here = Here::from_request_parts(&mut parts, app).await;
        let here = here.map_err(ApiError::into_response)?;
        let body = String::from_request(Request::from_parts(parts, body), app).await;
        let fields = Fields::parse(&body.map_err(|rejection| rejection.into_response())?);
        check_csrf(&here.visitor, fields.one("csrf")).map_err(ApiError::into_response)?;
        Ok(Self { here, fields })
    }
}

/// A table that was sent the same way, and the button that sent it.
pub(in crate::api) struct TableForm {
    pub(super) here: Here,
    pub(super) act: String,
    pub(super) bytes: Vec<u8>,
}

impl FromRequest<App> for TableForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let here = Here::from_request_parts(&mut parts, app).await;
        let here = here.map_err(ApiError::into_response)?;
        let form = Multipart::from_request(Request::from_parts(parts, body), app).await;
        let form = form.map_err(|rejection| rejection.into_response())?;
        Self::read(here, form).await.map_err(ApiError::into_response)
    }
}

impl TableForm {
    async fn read(here: Here, mut form: Multipart) -> Result<Self, ApiError> {
        let bad = |error: MultipartError| ApiError::bad(error.to_string());
        let (mut csrf, mut act, mut bytes) = (String::new(), String::new(), Vec::new());
        while let Some(field) = form.next_field().await.map_err(bad)? {
            match field.name().unwrap_or("") {
                "csrf" => csrf = field.text().await.map_err(bad)?,
                "act" => act = field.text().await.map_err(bad)?,
                "file" => bytes = field.bytes().await.map_err(bad)?.to_vec(),
                _ => {}
            }
        }
        check_csrf(&here.visitor, &csrf)?;
        Ok(Self { here, act, bytes })
    }
}
