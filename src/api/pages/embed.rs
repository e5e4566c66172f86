//! A public resource for pages of other sites.

use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::super::links;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::resource::{ResourceQuery, media};
use super::shell::{bare, framed_page};
use crate::app::App;
use crate::pages::{self, EmbedView};

/// Whoever asks is nobody here: a frame in a foreign page must not act for the person before it.
pub(in crate::api) async fn embed(
    State(app): State<App>,
    reader: Reader,
    Path(id): Path<String>,
    Query(query): Query<ResourceQuery>,
) -> Result<Response, ApiError> {
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    let delivery = app.deliveries.find(&app.db, id).await?;
    let delivery = delivery.filter(|delivery| delivery.is_public()).ok_or(ApiError::NotFound)?;
    let links = links::links(&app, &delivery);
    let view = EmbedView {
        path: format!("/resources/{id}"),
        title: delivery.resource.details.title.clone(),
        poster: links.poster.clone(),
        media: media(&app, &reader, &delivery, &links, &query).await?,
    };
    Ok(framed_page(&app, &reader, pages::embed(&bare(&app, &reader), &view)))
}
