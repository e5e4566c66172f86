//! Errors at the edge: one type, one table of statuses, RFC 9457 out.
//!
//! A handler's error does not know the reader's language: it travels as an
//! extension of the response, and [`finish`] words it.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY,
    WWW_AUTHENTICATE,
};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::reader::Reader;
use super::sentences;
use crate::app::App;
use crate::catalogue::{Refusal, RuleError};
use crate::pages::Lang;
use crate::server::{Busy, Refused, TooOften};
use crate::{batch, db, deliver, identity, ingest, net, review, store};

/// More than axum says of what is wrong with a request.
const MAX_REASON_BYTES: usize = 8 * 1024;

/// What a handler fails with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// There is no such thing, or the caller may not see it.
    #[error("not found")]
    NotFound,
    /// A rule of the catalogue.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A file that is not taken.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A code of `sentences`, with the value in question.
    #[error("{code}: {info}")]
    Coded {
        /// Status of the answer.
        status: StatusCode,
        /// Code.
        code: &'static str,
        /// The value in question.
        info: String,
    },
    /// A client or an account that asks too often.
    #[error("too often")]
    TooOften(TooOften),
    /// A step of the pipeline that was asked for directly.
    #[error(transparent)]
    Ingest(ingest::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Something that is made while it is sent.
    #[error(transparent)]
    Deliver(deliver::Error),
    /// The index.
    #[error(transparent)]
    Index(#[from] indexer::Error),
}

impl From<ingest::Error> for ApiError {
    fn from(error: ingest::Error) -> Self {
        match error {
            ingest::Error::Store(error) => Self::Store(error),
            error => Self::Ingest(error),
        }
    }
}

impl From<net::Error> for ApiError {
    fn from(error: net::Error) -> Self {
        match error {
            net::Error::Rule(rule) => Self::Rule(rule),
            net::Error::Db(error) => Self::Db(error),
            net::Error::Missing { .. } => Self::NotFound,
            net::Error::Random => {
                Self::coded(StatusCode::INTERNAL_SERVER_ERROR, "broken", error.to_string())
            }
            net::Error::Taken(value) => Self::coded(StatusCode::CONFLICT, "taken", value),
            net::Error::NotEmpty(name) => Self::coded(StatusCode::CONFLICT, "not_empty", name),
            net::Error::Table(_) | net::Error::Line { .. } => {
                Self::coded(StatusCode::UNPROCESSABLE_ENTITY, "bad_table", error.to_string())
            }
        }
    }
}

impl From<identity::Error> for ApiError {
    fn from(error: identity::Error) -> Self {
        let status = match error {
            identity::Error::Unreachable(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::coded(status, error.code(), "")
    }
}

impl From<batch::Error> for ApiError {
    fn from(error: batch::Error) -> Self {
        match error {
            batch::Error::Rule(rule) => Self::Rule(rule),
            batch::Error::Missing => Self::NotFound,
            batch::Error::Table { code, info } => {
                Self::coded(StatusCode::UNPROCESSABLE_ENTITY, code, info)
            }
            batch::Error::Ingest(error) => error.into(),
            batch::Error::Db(error) => Self::Db(error),
            batch::Error::Write(why) => {
                Self::coded(StatusCode::INTERNAL_SERVER_ERROR, "broken", why)
            }
        }
    }
}

impl From<review::Error> for ApiError {
    fn from(error: review::Error) -> Self {
        match error {
            review::Error::Rule(rule) => Self::Rule(rule),
            review::Error::Missing => Self::NotFound,
            review::Error::Db(error) => Self::Db(error),
        }
    }
}

impl From<deliver::Error> for ApiError {
    fn from(error: deliver::Error) -> Self {
        match error {
            deliver::Error::Store(error) => Self::Store(error),
            error => Self::Deliver(error),
        }
    }
}

impl ApiError {
    /// `code` of the sentences with `status`.
    pub(super) fn coded(status: StatusCode, code: &'static str, info: impl Into<String>) -> Self {
        Self::Coded { status, code, info: info.into() }
    }

    /// 400 with what is wrong.
    pub(super) fn bad(info: impl Into<String>) -> Self {
        Self::coded(StatusCode::BAD_REQUEST, "bad_request", info)
    }

    /// In words for a person who reads `lang`.
    pub(super) fn worded(&self, lang: Lang) -> String {
        let (code, info) = self.reason();
        match self {
            Self::Rule(rule) => sentences::rule(lang, rule),
            _ => sentences::sentence(lang, &code, &info),
        }
    }

    /// Whether the caller can do better: what a form shows again with the reason.
    pub(super) fn is_refusal(&self) -> bool {
        !matches!(self, Self::NotFound | Self::Rule(RuleError::Anonymous | RuleError::Forbidden))
            && self.status().is_client_error()
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::Store(store::Error::Missing(_)) => StatusCode::NOT_FOUND,
            Self::Rule(RuleError::Anonymous) => StatusCode::UNAUTHORIZED,
            Self::Rule(RuleError::Forbidden) => StatusCode::FORBIDDEN,
            Self::Rule(RuleError::WrongStage(_) | RuleError::Conflict(_)) => StatusCode::CONFLICT,
            Self::Rule(RuleError::BadField { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused(refusal) => match refusal {
                Refusal::Type(_)
                | Refusal::NotYet(_)
                | Refusal::Captions
                | Refusal::Mismatch { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Refusal::Empty => StatusCode::UNPROCESSABLE_ENTITY,
                Refusal::TooLarge { .. } | Refusal::Quota { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                Refusal::DiskFull { .. } => StatusCode::INSUFFICIENT_STORAGE,
            },
            Self::Coded { status, .. } => *status,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Db(db::Error::Sql(sqlx::Error::RowNotFound))
            | Self::Ingest(ingest::Error::Db(db::Error::Sql(sqlx::Error::RowNotFound))) => {
                StatusCode::NOT_FOUND
            }
            Self::Ingest(error) if !error.is_transient() => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Ingest(error) if error.is_full() => StatusCode::INSUFFICIENT_STORAGE,
            Self::Db(error) if error.is_full() => StatusCode::INSUFFICIENT_STORAGE,
            Self::Store(store::Error::Remote { .. } | store::Error::Changed(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Store(error) if error.is_full() => StatusCode::INSUFFICIENT_STORAGE,
            Self::Index(indexer::Error::QueryTooLong { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Db(error) if error.is_bad_text() => StatusCode::BAD_REQUEST,
            Self::Ingest(_) | Self::Db(_) | Self::Store(_) | Self::Index(_) | Self::Deliver(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// Seconds after which it may be tried again (RFC 9110 section 10.2.3), where that helps.
    fn retry_after_s(&self) -> Option<u64> {
        match (self, self.status()) {
            (Self::TooOften(TooOften { wait }), _) => Some(wait.as_secs() + 1),
            (_, StatusCode::TOO_MANY_REQUESTS) => Some(60),
            (_, StatusCode::SERVICE_UNAVAILABLE) => Some(5),
            _ => None,
        }
    }

    /// Code, and the value in question.
    fn reason(&self) -> (String, String) {
        match self {
            Self::NotFound => ("not_found".into(), String::new()),
            // `sentences::rule` words them; only the code is from here.
            Self::Rule(rule) => {
                let code = match rule {
                    RuleError::Anonymous => "anonymous",
                    RuleError::Forbidden => "forbidden",
                    RuleError::WrongStage(_) => "conflict",
                    RuleError::Conflict(code) => code,
                    RuleError::BadField { .. } => "bad_field",
                };
                (code.into(), String::new())
            }
            Self::Refused(refusal) => (refusal.code().into(), refusal.info()),
            Self::Coded { code, info, .. } => ((*code).into(), info.clone()),
            Self::TooOften(_) => {
                ("too_often".into(), self.retry_after_s().unwrap_or(1).to_string())
            }
            Self::Ingest(error) if !error.is_transient() => error.reason(),
            Self::Index(indexer::Error::QueryTooLong { .. }) => {
                ("query_too_long".into(), String::new())
            }
            Self::Db(error) if error.is_bad_text() => ("malformed".into(), String::new()),
            _ if self.status() == StatusCode::INSUFFICIENT_STORAGE => {
                ("disk_full".into(), String::new())
            }
            _ if self.status() == StatusCode::NOT_FOUND => ("not_found".into(), String::new()),
            _ => ("broken".into(), String::new()),
        }
    }
}

impl From<Busy> for ApiError {
    fn from(Busy: Busy) -> Self {
        Self::coded(StatusCode::SERVICE_UNAVAILABLE, "busy", "")
    }
}

impl From<TooOften> for ApiError {
    fn from(too_often: TooOften) -> Self {
        Self::TooOften(too_often)
    }
}

/// An error on its way out, not yet worded.
#[derive(Debug, Clone)]
struct Unworded(std::sync::Arc<ApiError>);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Unworded(std::sync::Arc::new(self)));
        response
    }
}

/// Words the error of a response for its reader: a page for a person who asked
/// for one, problem+json for everybody else. The only place that logs a 5xx.
pub(super) async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let reader = Reader::of(request.headers(), request.uri(), request.extensions());
    let path = super::tracing_path(request.uri().path()).into_owned();
    let mut response = next.run(request).await;
    let error = match response.extensions_mut().remove::<Unworded>() {
        Some(Unworded(error)) => error,
        None => match bare(&response) {
            Some(error) => std::sync::Arc::new(error),
            None => return response,
        },
    };
    let status = error.status();
    // That there is too much to do is counted where it is found; under load a line each is a load.
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::error!(error = %chain(&error), path, "request failed");
    }
    let (code, _) = error.reason();
    let sentence = error.worded(reader.lang);
    let mut worded = if reader.wants_page {
        super::pages::error_page(&app, &reader, status, &sentence)
    } else {
        problem(status, &code, &sentence)
    };
    for (name, value) in response.headers() {
        // What says something about the body that was replaced does not hold any more.
        if ![CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CACHE_CONTROL].contains(name) {
            worded.headers_mut().append(name.clone(), value.clone());
        }
    }
    let headers = worded.headers_mut();
    if let Some(seconds) = error.retry_after_s() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    worded
}

/// Refuses a request that the server's limits do not let through.
pub(super) async fn refuse(request: Request, next: Next) -> Result<Response, ApiError> {
    match request.extensions().get::<Refused>() {
        None => Ok(next.run(request).await),
        Some(Refused::TooOften(too_often)) => Err(ApiError::TooOften(*too_often)),
        Some(Refused::Busy) => Err(Busy.into()),
    }
}

/// Keeps what axum says is wrong with a request: which field, at which place of the body.
pub(super) async fn tell_why(response: Response) -> Response {
    // Ours say why already.
    if response.extensions().get::<Unworded>().is_some() {
        return response;
    }
    let Some(ApiError::Coded { status, code: "malformed", .. }) = bare(&response) else {
        return response;
    };
    let said = axum::body::to_bytes(response.into_body(), MAX_REASON_BYTES).await;
    let said = said.map(|said| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default();
    ApiError::coded(status, "malformed", &said).into_response()
}

/// An error that axum or a layer answered with, without a word of ours.
fn bare(response: &Response) -> Option<ApiError> {
    let typed = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let ours = typed.is_some_and(|t| !t.starts_with("text/plain"));
    let coded = |code| Some(ApiError::coded(response.status(), code, ""));
    match response.status() {
        _ if ours => None,
        StatusCode::NOT_FOUND => Some(ApiError::NotFound),
        StatusCode::METHOD_NOT_ALLOWED => coded("method"),
        StatusCode::PAYLOAD_TOO_LARGE => coded("body_too_large"),
        StatusCode::BAD_REQUEST
        | StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => coded("malformed"),
        StatusCode::INTERNAL_SERVER_ERROR => coded("broken"),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => coded("busy"),
        _ => None,
    }
}

fn problem(status: StatusCode, code: &str, sentence: &str) -> Response {
    let body = json!({
        "type": format!("urn:duoku:problem:{code}"),
        "title": sentence,
        "status": status.as_u16(),
        "detail": sentence,
        "code": code,
    });
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    response
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
