//! What people do to a resource: edit, publish, withdraw, retry, delete.

use serde_json::json;

use super::Error;
use crate::app::App;
use crate::catalogue::{AccountId, Details, Resource, ResourceId, RuleError};
use crate::db;
use crate::db::jobs::NewJob;

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Action {
    /// Keep these details.
    Edit(Box<Details>),
    /// Let others see it.
    Publish,
    /// Take it back.
    Withdraw,
    /// Process it again.
    Retry,
    /// Remove it.
    Delete,
    /// Show the poster of this number.
    Poster(usize),
}

impl Action {
    fn name(&self) -> &'static str {
        match self {
            Self::Edit(_) => "edit",
            Self::Publish => "publish",
            Self::Withdraw => "withdraw",
            Self::Retry => "retry",
            Self::Delete => "delete",
            Self::Poster(_) => "poster",
        }
    }
}

/// Does `action` to the resource `id` for `account`, who may do it.
///
/// # Errors
///
/// Within: the rule that it would break. Else those of the database.
pub async fn apply(
    app: &App,
    id: ResourceId,
    account: AccountId,
    action: Action,
) -> Result<Result<Resource, RuleError>, Error> {
    let now_ms = app.now_ms();
    let name = action.name();
    let mut tx = app.db.begin().await?;
    let resource = db::resources::get_locked(&mut tx, id).await?;
    let changed = match &action {
        Action::Edit(details) => {
            details.as_ref().clone().checked().map(|details| Resource { details, ..resource })
        }
        Action::Publish => resource.publish(now_ms),
        Action::Withdraw => resource.withdraw(),
        Action::Retry => resource.retry(),
        Action::Delete => resource.delete(),
        Action::Poster(number) => match resource.derived.posters.get(*number) {
            Some(poster) => Ok(Resource { poster: Some(poster.key.clone()), ..resource }),
            None => Err(RuleError::BadField { field: "poster", value: number.to_string() }),
        },
    };
    let mut resource = match changed {
        Ok(resource) => resource,
        Err(rule) => return Ok(Err(rule)),
    };
    match action {
        Action::Retry => {
            // What the failed attempt made is made anew; its objects go with the leftovers.
            forget_made(&mut tx, id).await?;
            db::jobs::delete_all(&mut tx, id).await?;
            resource.jobs_left = 1;
            let first = NewJob { kind: "intake", payload: "{}".into(), priority: 0, weight: 1.0 };
            db::jobs::push(&mut tx, id, &first, now_ms).await?;
        }
        Action::Delete => {
            db::media::delete_captions(&mut tx, id).await?;
            forget_made(&mut tx, id).await?;
            db::jobs::delete_all(&mut tx, id).await?;
            let sweep = NewJob { kind: "sweep", payload: "{}".into(), priority: 50, weight: 1.0 };
            db::jobs::push(&mut tx, id, &sweep, now_ms).await?;
        }
        _ => {}
    }
    db::resources::save(&mut tx, &mut resource, now_ms).await?;
    db::audit::record(&mut tx, now_ms, Some(account), name, &id.to_string(), &json!({})).await?;
    tx.commit().await?;
    app.announce(id);
    app.job_pushed.notify_waiters();
    Ok(Ok(resource))
}

/// Forgets what was made of a resource; its objects go with the leftovers. Captions that somebody
/// uploaded stay.
pub(super) async fn forget_made(tx: &mut db::Tx, id: ResourceId) -> Result<(), db::Error> {
    db::media::delete_made(tx, id).await?;
    db::passages::delete_made(tx, id).await?;
    db::objects::delete_made(tx, id).await
}
