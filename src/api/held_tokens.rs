//! The API tokens of the people whom somebody looks after, as JSON.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Who;
use super::listed::{Listing, PageOf, page_of, table};
use super::problem::ApiError;
use super::resources::rfc3339;
use crate::app::App;
use crate::db::tokens::{self, Held};
use crate::net::authority::Authority;
use crate::net::people;

/// A token of somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HeldTokenView {
    id: String,
    /// Id of whose it is.
    account: String,
    /// Their login name.
    name: String,
    display_name: String,
    label: String,
    /// read, upload, manage
    scopes: Vec<String>,
    /// RFC 3339.
    created: String,
    /// null: until it is revoked
    expires: Option<String>,
}

impl From<Held> for HeldTokenView {
    fn from(held: Held) -> Self {
        Self {
            id: held.token.id,
            account: held.account,
            name: held.name,
            display_name: held.display_name,
            label: held.token.label,
            scopes: held.token.scopes.split(' ').map(str::to_owned).collect(),
            created: rfc3339(held.token.created_ms),
            expires: held.token.expires_ms.map(rfc3339),
        }
    }
}

/// Tokens of the people whom the caller looks after, the last first; `q` is in what they are for or
/// in a name.
#[utoipa::path(get, path = "/api/people/tokens", tag = "people", params(Listing), responses((status = 200, body = PageOf<HeldTokenView>), (status = 403), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let viewer = Authority::of(&caller, app.now_ms())?.viewer();
    let (is_table, words) = (list.is_table()?, list.words());
    let span = if is_table { (0, i64::MAX) } else { list.span() };
    let mut db = app.db.read().await?;
    let (total, found) = tokens::list_held(&mut db, &viewer, words.as_deref(), span).await?;
    let views = found.into_iter().map(HeldTokenView::from);
    if !is_table {
        return Ok(page_of(total, views.collect()));
    }
    let rows = views.map(|one| {
        let scopes = one.scopes.join(" ");
        let expires = one.expires.unwrap_or_default();
        [one.name, one.display_name, one.label, scopes, one.created, expires]
    });
    let heading = ["name", "display_name", "label", "scopes", "created", "expires"];
    table("tokens.csv", heading, rows)
}

/// Revokes a token of somebody. For those who could give all of their roles.
#[utoipa::path(delete, path = "/api/people/tokens/{id}", tag = "people", params(("id" = String, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn revoke(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    people::revoke_token(&mut tx, &by, &id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
