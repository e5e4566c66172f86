//! Who vouches for what is local about a resource, as JSON.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Who;
use super::problem::ApiError;
use super::resources::{rfc3339, visible};
use crate::app::App;
use crate::catalogue::{Caller, Resource, Voucher};
use crate::db;
use crate::net::organisations;
use crate::review::vouch;

/// A voucher.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VoucherView {
    pub(super) id: String,
    /// Id of the organisation in whose name it was given.
    pub(super) organisation: String,
    /// Its name.
    pub(super) name: String,
    /// city, district, township or community, as it was then
    pub(super) level: &'static str,
    /// RFC 3339.
    pub(super) at: String,
    pub(super) note: String,
    /// It was not withdrawn, and the mark is what was vouched for.
    pub(super) stands: bool,
    /// Name of who gave it; null for those who review nowhere.
    pub(super) by: Option<String>,
    /// RFC 3339; null: it was not withdrawn.
    pub(super) withdrawn: Option<String>,
}

/// A voucher to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewVoucher {
    /// Code or id of the organisation in whose name: one where you review.
    organisation: String,
    /// Why, for everybody; at most 500 characters.
    #[serde(default)]
    note: String,
}

/// Who vouches for a resource. Those who review somewhere are told who did it, too, and what was
/// withdrawn or does not hold for the mark any more.
#[utoipa::path(get, path = "/api/resources/{id}/vouchers", tag = "vouchers", params(("id" = String, Path)), responses((status = 200, body = Vec<VoucherView>), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Json<Vec<VoucherView>>, ApiError> {
    let (resource, _) = visible(&app, &caller, &id).await?;
    Ok(Json(shown(&app, &caller, &resource).await?))
}

/// Vouches for what is local about a resource, in the name of an organisation where you review,
/// which is the owner of its library, or above or below that.
#[utoipa::path(post, path = "/api/resources/{id}/vouchers", tag = "vouchers", params(("id" = String, Path)), request_body = NewVoucher, responses((status = 201, body = Vec<VoucherView>), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Json(new): Json<NewVoucher>,
) -> Result<(StatusCode, Json<Vec<VoucherView>>), ApiError> {
    caller.account()?;
    let (resource, _) = visible(&app, &caller, &id).await?;
    let named = organisations::named(&mut *app.db.read().await?, &new.organisation).await?;
    vouch::vouch(&app, &caller, resource.id, named.id, &new.note).await?;
    Ok((StatusCode::CREATED, Json(shown(&app, &caller, &resource).await?)))
}

/// Withdraws a voucher; that it was given stays in the list and in the log. For those who review in
/// its organisation or above.
#[utoipa::path(delete, path = "/api/resources/{id}/vouchers/{voucher}", tag = "vouchers", params(("id" = String, Path), ("voucher" = String, Path)), responses((status = 204), (status = 403), (status = 404), (status = 409)))]
pub(super) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, voucher)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    caller.account()?;
    let (resource, _) = visible(&app, &caller, &id).await?;
    let voucher = voucher.parse().map_err(|_| ApiError::NotFound)?;
    vouch::unvouch(&app, &caller, resource.id, voucher).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What `caller` is told of the vouchers for `resource`, the newest first.
pub(super) async fn shown(
    app: &App,
    caller: &Caller,
    resource: &Resource,
) -> Result<Vec<VoucherView>, ApiError> {
    let mut db = app.db.read().await?;
    let reviews = caller.reviews_somewhere();
    // As it is now, whatever was vouched for meanwhile.
    let now = db::resources::find(&mut db, resource.id).await?.ok_or(ApiError::NotFound)?;
    let mark = now.details.particulars.local.as_ref();
    let mut views = Vec::new();
    for voucher in db::vouchers::list(&mut db, resource.id).await? {
        let stands = voucher.stands_for(mark);
        if stands || reviews {
            views.push(view(&mut db, voucher, stands, reviews).await?);
        }
    }
    Ok(views)
}

async fn view(
    db: &mut sqlx::AnyConnection,
    voucher: Voucher,
    stands: bool,
    reviews: bool,
) -> Result<VoucherView, ApiError> {
    let organisation = db::organisations::find(db, voucher.organisation).await?;
    let by = match reviews {
        true => db::reviews::person(db, voucher.account).await?,
        false => None,
    };
    Ok(VoucherView {
        id: voucher.id.to_string(),
        organisation: voucher.organisation.to_string(),
        name: organisation.map(|one| one.name).unwrap_or_default(),
        level: voucher.level.as_str(),
        at: rfc3339(voucher.at_ms),
        note: voucher.note,
        stands,
        by,
        withdrawn: voucher.withdrawn_ms.map(rfc3339),
    })
}
