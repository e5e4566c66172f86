//! What people do to a resource: edit, cancel, retry, delete. How it becomes public is in
//! `crate::review`.

use serde_json::json;

use super::Error;
use crate::app::App;
use crate::catalogue::{
    AccountId, Chain, Details, ParticularsEdit, Resource, ResourceId, RuleError, Stage,
};
use crate::db;
use crate::db::jobs::NewJob;
use crate::review::{self, walk};

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Action {
    /// Say this about it.
    Edit {
        /// What.
        edit: Box<Edit>,
        /// Where the library has a chain, what is published keeps what was said until the chain
        /// accepted this.
        reviewed: bool,
    },
    /// Stop processing it.
    Cancel,
    /// Process it again.
    Retry,
    /// Remove it.
    Delete,
    /// Remove it since its library does not keep it any longer, unless somebody still has to decide
    /// about it.
    Outlive,
}

/// What is said anew about a resource; `None` leaves what is there.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in `Details`")]
pub struct Edit {
    pub title: Option<String>,
    pub description: Option<String>,
    /// Empty: not said.
    pub language: Option<String>,
    pub author: Option<String>,
    pub licence: Option<String>,
    pub topics: Option<Vec<String>>,
    pub audiences: Option<Vec<String>>,
    pub particulars: ParticularsEdit,
    /// Number of the poster, from 0.
    pub poster: Option<usize>,
}

impl Edit {
    /// The resource with this said about it.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for what cannot be kept.
    pub fn of(self, resource: Resource) -> Result<Resource, RuleError> {
        let old = resource.details;
        let details = Details {
            title: self.title.unwrap_or(old.title),
            description: self.description.unwrap_or(old.description),
            // An empty one is dropped by `checked`.
            language: self.language.or(old.language),
            author: self.author.unwrap_or(old.author),
            licence: self.licence.unwrap_or(old.licence),
            topics: self.topics.unwrap_or(old.topics),
            audiences: self.audiences.unwrap_or(old.audiences),
            particulars: self.particulars.over(old.particulars),
        };
        let poster = match self.poster {
            None => resource.poster,
            Some(number) => {
                let chosen = resource.derived.posters.get(number);
                let value = || RuleError::BadField { field: "poster", value: number.to_string() };
                Some(chosen.ok_or_else(value)?.key.clone())
            }
        };
        Ok(Resource { details: details.checked()?, poster, ..resource })
    }
}

impl Action {
    fn name(&self) -> &'static str {
        match self {
            Self::Edit { .. } => "edit",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Delete | Self::Outlive => "delete",
        }
    }
}

/// Does `action` to the resource `id` for `account`, who may do it, or for the command line.
///
/// # Errors
///
/// Within: the rule that it would break. Else those of the database.
pub async fn apply(
    app: &App,
    id: ResourceId,
    account: Option<AccountId>,
    action: Action,
) -> Result<Result<Resource, RuleError>, Error> {
    apply_since(app, id, account, action, None).await
}

/// The same, if the last change of the resource is still the one numbered `since`.
///
/// # Errors
///
/// As [`apply`]; [`RuleError::Conflict`] within when it was changed.
pub async fn apply_since(
    app: &App,
    id: ResourceId,
    account: Option<AccountId>,
    action: Action,
    since: Option<i64>,
) -> Result<Result<Resource, RuleError>, Error> {
    let now_ms = app.now_ms();
    let name = action.name();
    let mut tx = app.db.begin().await?;
    let resource = db::resources::get_locked(&mut tx, id).await?;
    if since.is_some_and(|since| since != resource.changed) {
        return Ok(Err(RuleError::Conflict("row_changed")));
    }
    if let (Action::Edit { edit, reviewed: true }, Some(account)) = (&action, account)
        && resource.stage == Stage::Published
    {
        let chain = db::reviews::chain(&mut tx, resource.library).await?;
        if !chain.is_empty() {
            let edited = edit.as_ref().clone().of(resource.clone());
            return Box::pin(update(app, tx, (resource, edited), &chain, account)).await;
        }
    }
    let changed = match &action {
        Action::Edit { .. } if resource.stage == Stage::Submitted => {
            Err(RuleError::Conflict("in_review"))
        }
        Action::Edit { edit, .. } => edit.as_ref().clone().of(resource),
        Action::Cancel => resource.cancel(),
        Action::Retry => resource.retry(),
        // Whoever complains or appeals waits for the row that is locked here.
        Action::Outlive if db::libraries::is_disputed(&mut tx, id).await? => {
            Err(RuleError::Conflict("in_review"))
        }
        Action::Delete | Action::Outlive => resource.delete(),
    };
    let mut resource = match changed {
        Ok(resource) => resource,
        Err(rule) => return Ok(Err(rule)),
    };
    match action {
        Action::Cancel => {
            forget_made(&mut tx, id).await?;
            // Who works on one of these notices within a second that it is gone.
            db::jobs::delete_all(&mut tx, id).await?;
            let tidy = NewJob { kind: "tidy", payload: "{}".into(), priority: 50, weight: 1.0 };
            db::jobs::push(&mut tx, id, &tidy, now_ms + app.config.work.lease_ms).await?;
        }
        Action::Retry => {
            // What the failed attempt made is made anew; its objects go with the leftovers.
            forget_made(&mut tx, id).await?;
            db::jobs::delete_all(&mut tx, id).await?;
            resource.jobs_left = 1;
            let is_copy = db::copies::find(&mut tx, id).await?.is_some();
            let kind = if is_copy && resource.source.is_none() { "fetch" } else { "intake" };
            let first = NewJob { kind, payload: "{}".into(), priority: 0, weight: 1.0 };
            db::jobs::push(&mut tx, id, &first, now_ms).await?;
        }
        Action::Delete | Action::Outlive => {
            walk::end_open(&mut tx, &resource, now_ms).await?;
            db::media::delete_captions(&mut tx, id).await?;
            db::heard::delete(&mut tx, id).await?;
            forget_made(&mut tx, id).await?;
            db::jobs::delete_all(&mut tx, id).await?;
            let sweep = NewJob { kind: "sweep", payload: "{}".into(), priority: 50, weight: 1.0 };
            db::jobs::push(&mut tx, id, &sweep, now_ms).await?;
        }
        _ => {}
    }
    db::resources::save(&mut tx, &mut resource, now_ms).await?;
    db::audit::record(&mut tx, now_ms, account, name, &id.to_string(), &json!({})).await?;
    crate::fault::at("stage-changed");
    tx.commit().await?;
    crate::fault::at("stage-changed-done");
    app.announce(id);
    app.job_pushed.notify_waiters();
    Ok(Ok(resource))
}

/// Hands in what an author says anew about what is published.
async fn update(
    app: &App,
    mut tx: db::Tx,
    (resource, edited): (Resource, Result<Resource, RuleError>),
    chain: &Chain,
    account: AccountId,
) -> Result<Result<Resource, RuleError>, Error> {
    let edited = match edited {
        Ok(edited) if edited == resource => return Ok(Ok(resource)),
        Ok(edited) => edited,
        Err(rule) => return Ok(Err(rule)),
    };
    let (id, now_ms) = (resource.id, app.now_ms());
    match walk::hand_in_update(&mut tx, resource, &edited, chain, account, now_ms).await {
        Ok((resource, review)) => {
            walk::record_hand_in(&mut tx, &review, Some(account), now_ms).await?;
            tx.commit().await?;
            app.announce(id);
            Ok(Ok(resource))
        }
        Err(review::Error::Rule(rule)) => Ok(Err(rule)),
        Err(review::Error::Missing) => Ok(Err(RuleError::Forbidden)),
        Err(review::Error::Db(error)) => Err(error.into()),
    }
}

/// Forgets what was made of a resource; its objects go with the leftovers. Captions that somebody
/// uploaded stay.
pub(super) async fn forget_made(tx: &mut db::Tx, id: ResourceId) -> Result<(), db::Error> {
    db::media::delete_made(tx, id).await?;
    db::passages::delete_made(tx, id).await?;
    db::objects::delete_made(tx, id).await
}
