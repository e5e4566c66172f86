//! Vouching for what is local about a resource, and taking that back.

use serde_json::json;

use super::{Error, path_of};
use crate::app::App;
use crate::catalogue::{
    Caller, Organisation, OrganisationId, ResourceId, RuleError, Voucher, VoucherId, can_vouch,
};
use crate::db;

/// Vouches for the resource `id` in the name of `organisation`.
///
/// # Errors
///
/// [`Error::Missing`] for a resource that the caller does not see, or an organisation that is not
/// there; [`Error::Rule`] when the caller may not, or the organisation vouches for it already.
pub async fn vouch(
    app: &App,
    caller: &Caller,
    id: ResourceId,
    organisation: OrganisationId,
    note: &str,
) -> Result<Voucher, Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    db::resources::find(&mut tx, id).await?.ok_or(Error::Missing)?;
    let resource = db::resources::get_locked(&mut tx, id).await?;
    let library = db::libraries::get(&mut tx, resource.library).await?;
    if !caller.can_see(&resource, &library) {
        return Err(Error::Missing);
    }
    let at = db::organisations::find(&mut tx, organisation).await?.ok_or(Error::Missing)?;
    let owners = ids(&path_of(&mut tx, library.owner).await?);
    let voucher = Voucher::new(&resource, &owners, &at, caller, note, now_ms)?;
    // One that stands for another mark is replaced.
    for old in db::vouchers::list(&mut tx, id).await? {
        let same = old.organisation == organisation && old.withdrawn_ms.is_none();
        if same && old.mark != voucher.mark {
            db::vouchers::withdraw(&mut tx, old.id, account, now_ms).await?;
        }
    }
    db::vouchers::insert(&mut tx, &voucher).await.map_err(|error| {
        if error.is_taken() {
            RuleError::Conflict("vouched_already").into()
        } else {
            Error::Db(error)
        }
    })?;
    db::vouchers::touch(&mut tx, id).await?;
    let detail = json!({
        "voucher": voucher.id.to_string(),
        "organisation": organisation.to_string(),
        "level": voucher.level.as_str(),
        "note": voucher.note,
        "mark": voucher.mark,
    });
    let subject = id.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "vouch", &subject, &detail).await?;
    tx.commit().await?;
    app.announce(id);
    Ok(voucher)
}

/// Withdraws the voucher `voucher` for the resource `id`. For those who review in the organisation
/// in whose name it was given, or above.
///
/// # Errors
///
/// [`Error::Missing`] when it is not there; [`Error::Rule`] when the caller may not, or it was
/// withdrawn before.
pub async fn unvouch(
    app: &App,
    caller: &Caller,
    id: ResourceId,
    voucher: VoucherId,
) -> Result<(), Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let resource = db::resources::find(&mut tx, id).await?.ok_or(Error::Missing)?;
    let library = db::libraries::get(&mut tx, resource.library).await?;
    if !caller.can_see(&resource, &library) {
        return Err(Error::Missing);
    }
    db::resources::get_locked(&mut tx, id).await?;
    let all = db::vouchers::list(&mut tx, id).await?;
    let found = all.into_iter().find(|one| one.id == voucher).ok_or(Error::Missing)?;
    let at = db::organisations::find(&mut tx, found.organisation).await?.ok_or(Error::Missing)?;
    if !caller.roles_at(&at).reviews() {
        return Err(RuleError::Forbidden.into());
    }
    if !db::vouchers::withdraw(&mut tx, voucher, account, now_ms).await? {
        return Err(RuleError::Conflict("unvouched_already").into());
    }
    db::vouchers::touch(&mut tx, id).await?;
    let detail = json!({
        "voucher": voucher.to_string(),
        "organisation": found.organisation.to_string(),
        "level": found.level.as_str(),
    });
    let subject = id.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "unvouch", &subject, &detail).await?;
    tx.commit().await?;
    app.announce(id);
    Ok(())
}

/// In whose name `caller` may vouch for what is in a library of `owner`, from the top down.
///
/// # Errors
///
/// Those of the database.
pub async fn offices(
    app: &App,
    caller: &Caller,
    owner: Option<OrganisationId>,
) -> Result<Vec<Organisation>, db::Error> {
    let mut db = app.db.read().await?;
    let owners = ids(&path_of(&mut db, owner).await?);
    let mut all = db::organisations::list(&mut db).await?;
    all.retain(|one| can_vouch(caller, &owners, one));
    all.sort_by(|a, b| (a.level, &a.name).cmp(&(b.level, &b.name)));
    Ok(all)
}

fn ids(path: &[Organisation]) -> Vec<OrganisationId> {
    path.iter().map(|one| one.id).collect()
}
