//! Roles given and taken, to people, teams, and by invitation.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::authority::Authority;
use super::code::{code_hash, fresh_token};
use super::{Error, is_id, organisations, people};
use crate::catalogue::{
    Account, AccountId, Library, OrganisationId, Role, RuleError, Slug, TeamId,
};
use crate::db::grants::{Grant, Grantee, Scope};
use crate::db::invitations::Invitation;
use crate::db::teams::Team;
use crate::db::{self, Tx};

/// Most people that one invitation is for.
const MAX_USES: i64 = 10_000;

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Most days that an invitation lasts.
const MAX_DAYS: i64 = 366;

/// What the log says of a role somewhere.
#[must_use]
pub fn described(role: Role, on: Scope) -> Value {
    match on {
        Scope::Organisation(id) => json!({ "role": role.as_str(), "organisation": id.to_string() }),
        Scope::Library(id) => json!({ "role": role.as_str(), "library": id.to_string() }),
    }
}

/// The library whose slug is `slug`, when it is in the caller's branch.
///
/// # Errors
///
/// [`Error::Missing`] when it is not.
pub async fn library_named(
    tx: &mut AnyConnection,
    by: &Authority<'_>,
    slug: &str,
) -> Result<Library, Error> {
    let missing = || Error::Missing { what: "library", value: slug.to_owned() };
    let slug: Slug = slug.parse().map_err(|_| missing())?;
    let found = db::libraries::find_by_slug(tx, slug.as_str()).await?.ok_or_else(missing)?;
    let ours = db::people::libraries(tx, &by.viewer()).await?;
    if ours.contains(&found.id) { Ok(found) } else { Err(missing()) }
}

/// The place that is named: an organisation by id or code, or a library by slug.
///
/// # Errors
///
/// [`Error::Missing`] for what is not there, [`Error::Rule`] when both or none are named.
pub async fn place_named(
    tx: &mut AnyConnection,
    by: &Authority<'_>,
    organisation: Option<&str>,
    library: Option<&str>,
) -> Result<Scope, Error> {
    match (organisation, library) {
        (Some(text), None) => {
            let found = organisations::named(tx, text).await?;
            if found.closed_ms.is_some() {
                return Err(RuleError::BadField { field: "organisation", value: found.name }.into());
            }
            Ok(Scope::Organisation(found.id))
        }
        (None, Some(slug)) => Ok(Scope::Library(library_named(tx, by, slug).await?.id)),
        _ => Err(RuleError::BadField { field: "where", value: String::new() }.into()),
    }
}

/// Grants `role` to somebody whom the caller looks after, until `ends_ms`; gives its id.
///
/// # Errors
///
/// [`Error::Missing`] and [`Error::Rule`] for whom and what is not the caller's.
pub async fn grant(
    tx: &mut Tx,
    by: &Authority<'_>,
    to: Grantee,
    role: Role,
    on: Scope,
    ends_ms: Option<i64>,
) -> Result<String, Error> {
    let subject = subject_of(tx, by, to).await?;
    by.may_grant(tx, role, on).await?;
    if ends_ms.is_some_and(|ends_ms| ends_ms <= by.now_ms()) {
        return Err(RuleError::BadField { field: "ends", value: String::new() }.into());
    }
    let id = db::grants::grant(tx, to, role, on, by.now_ms(), ends_ms).await?;
    by.actor().record(tx, "grant", &subject, &described(role, on)).await?;
    Ok(id)
}

async fn subject_of(tx: &mut Tx, by: &Authority<'_>, to: Grantee) -> Result<String, Error> {
    Ok(match to {
        Grantee::Account(id) => people::get(tx, by, id).await?.id.to_string(),
        Grantee::Team(id) => {
            // A team of somebody else gets nothing from here: its people are not the caller's.
            own_team(tx, by, id).await?.id.to_string()
        }
    })
}

/// Takes the grant `id` away.
///
/// # Errors
///
/// [`Error::Missing`] when it is not in the caller's branch, [`Error::Rule`] when it is more than
/// the caller could give.
pub async fn revoke(tx: &mut Tx, by: &Authority<'_>, id: &str) -> Result<(), Error> {
    let missing = || Error::Missing { what: "grant", value: id.to_owned() };
    if !is_id(id) {
        return Err(missing());
    }
    let grant = db::grants::find(tx, id).await?.ok_or_else(missing)?;
    if !by.roles_on(tx, grant.on).await?.manages() {
        return Err(missing());
    }
    by.may_grant(tx, grant.role, grant.on).await?;
    db::grants::delete(tx, id).await?;
    let subject = match grant.to {
        Grantee::Account(id) => id.to_string(),
        Grantee::Team(id) => id.to_string(),
    };
    by.actor().record(tx, "revoke", &subject, &described(grant.role, grant.on)).await?;
    Ok(())
}

/// A team in the caller's branch.
///
/// # Errors
///
/// [`Error::Missing`] when it is not.
pub async fn team(tx: &mut AnyConnection, by: &Authority<'_>, id: TeamId) -> Result<Team, Error> {
    let found = db::teams::find(tx, &by.viewer(), id).await?;
    found.ok_or_else(|| Error::Missing { what: "team", value: id.to_string() })
}

/// A team that the caller looks after, with what is granted to it: all of it is the caller's to
/// give, since whoever adds members gives it.
///
/// # Errors
///
/// [`Error::Missing`] and [`Error::Rule`] when it is not.
pub async fn own_team(
    tx: &mut AnyConnection,
    by: &Authority<'_>,
    id: TeamId,
) -> Result<Team, Error> {
    let found = team(tx, by, id).await?;
    by.may_house(tx, found.organisation).await?;
    let granted: Vec<Grant> = db::grants::list_of(tx, Grantee::Team(id)).await?;
    by.may_grant_all(tx, &granted).await?;
    Ok(found)
}

fn team_name(name: &str) -> Result<String, Error> {
    Ok(crate::catalogue::shown_name(name).map_err(|_| RuleError::BadField {
        field: "name",
        value: name.chars().take(40).collect(),
    })?)
}

/// Makes a team of `organisation`, or of the whole net.
///
/// # Errors
///
/// [`Error::Rule`] when the place is not the caller's, or the name cannot be kept.
pub async fn make_team(
    tx: &mut Tx,
    by: &Authority<'_>,
    name: &str,
    organisation: Option<OrganisationId>,
) -> Result<Team, Error> {
    by.may_house(tx, organisation).await?;
    let team = Team { id: TeamId::fresh(), name: team_name(name)?, organisation, members: 0 };
    db::teams::insert(tx, &team, by.now_ms()).await?;
    let detail = json!({ "name": team.name });
    by.actor().record(tx, "make-team", &team.id.to_string(), &detail).await?;
    Ok(team)
}

/// Names a team anew.
///
/// # Errors
///
/// Those of [`make_team`].
pub async fn rename_team(
    tx: &mut Tx,
    by: &Authority<'_>,
    id: TeamId,
    name: &str,
) -> Result<Team, Error> {
    let team = Team { name: team_name(name)?, ..own_team(tx, by, id).await? };
    db::teams::rename(tx, id, &team.name).await?;
    by.actor().record(tx, "edit-team", &id.to_string(), &json!({ "name": team.name })).await?;
    Ok(team)
}

/// Ends a team, and what was granted to it.
///
/// # Errors
///
/// [`Error::Missing`] and [`Error::Rule`] when it is not the caller's.
pub async fn end_team(tx: &mut Tx, by: &Authority<'_>, id: TeamId) -> Result<(), Error> {
    let team = own_team(tx, by, id).await?;
    db::teams::delete(tx, id).await?;
    by.actor().record(tx, "end-team", &id.to_string(), &json!({ "name": team.name })).await?;
    Ok(())
}

/// Takes somebody whom the caller looks after into a team, or out of it (`joins` false).
///
/// # Errors
///
/// [`Error::Missing`] and [`Error::Rule`] when one of them is not the caller's.
pub async fn set_member(
    tx: &mut Tx,
    by: &Authority<'_>,
    id: TeamId,
    account: AccountId,
    joins: bool,
) -> Result<(), Error> {
    own_team(tx, by, id).await?;
    people::get(tx, by, account).await?;
    let (changed, action) = if joins {
        (db::teams::join(tx, id, account).await?, "join-team")
    } else {
        (db::teams::leave(tx, id, account).await?, "leave-team")
    };
    if changed {
        let detail = json!({ "account": account.to_string() });
        by.actor().record(tx, action, &id.to_string(), &detail).await?;
    }
    Ok(())
}

/// An invitation to be made.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// What it brings.
    pub role: Role,
    /// Where.
    pub on: Scope,
    /// For whom it is, in words.
    pub note: String,
    /// For how many people.
    pub uses: i64,
    /// How long it lasts.
    pub days: i64,
}

/// Makes an invitation; gives what its link ends with.
///
/// # Errors
///
/// [`Error::Rule`] when the role is not the caller's to give, or a number cannot be used.
pub async fn invite(
    tx: &mut Tx,
    by: &Authority<'_>,
    new: &NewInvitation,
) -> Result<(Invitation, String), Error> {
    by.may_grant(tx, new.role, new.on).await?;
    let bad = |field, value: i64| RuleError::BadField { field, value: value.to_string() };
    if !(1..=MAX_USES).contains(&new.uses) {
        return Err(bad("uses", new.uses).into());
    }
    if !(1..=MAX_DAYS).contains(&new.days) {
        return Err(bad("days", new.days).into());
    }
    if new.note.chars().count() > 200 || new.note.contains('\0') {
        let value = new.note.chars().take(40).collect();
        return Err(RuleError::BadField { field: "note", value }.into());
    }
    let made_by = by.actor().account.ok_or(RuleError::Anonymous)?;
    let code = fresh_token().map_err(|_| Error::Random)?;
    let invitation = Invitation {
        id: TeamId::fresh().to_string(),
        role: new.role,
        on: new.on,
        note: new.note.trim().to_owned(),
        uses: new.uses,
        uses_left: new.uses,
        made_by,
        created_ms: by.now_ms(),
        expires_ms: by.now_ms() + new.days * DAY_MS,
        revoked_ms: None,
    };
    db::invitations::insert(tx, &invitation, &code_hash(&code)).await?;
    by.actor().record(tx, "invite", &invitation.id, &described(new.role, new.on)).await?;
    Ok((invitation, code))
}

/// Takes an invitation back. Whoever came by it stays.
///
/// # Errors
///
/// [`Error::Missing`] when it is not into the caller's branch, [`Error::Rule`] when it brings more
/// than the caller could give.
pub async fn uninvite(tx: &mut Tx, by: &Authority<'_>, id: &str) -> Result<(), Error> {
    let missing = || Error::Missing { what: "invitation", value: id.to_owned() };
    if !is_id(id) {
        return Err(missing());
    }
    let found = db::invitations::find(tx, &by.viewer(), id).await?;
    let invitation = found.ok_or_else(missing)?;
    by.may_grant(tx, invitation.role, invitation.on).await?;
    db::invitations::revoke(tx, id, by.now_ms()).await?;
    let detail = described(invitation.role, invitation.on);
    by.actor().record(tx, "uninvite", id, &detail).await?;
    Ok(())
}

/// The invitation that `code` opens, while somebody may come by it and whoever made it may still
/// give what it brings.
///
/// # Errors
///
/// Those of the database.
pub async fn find_open(
    db: &mut AnyConnection,
    code: &str,
    now_ms: i64,
) -> Result<Option<Invitation>, Error> {
    let found = db::invitations::find_by_code(db, &code_hash(code)).await?;
    let Some(invitation) = found.filter(|found| found.is_open(now_ms)) else { return Ok(None) };
    let Some(maker) = db::accounts::find(db, invitation.made_by, now_ms).await? else {
        return Ok(None);
    };
    let maker = crate::catalogue::Caller(Some(maker));
    let here = match invitation.on {
        Scope::Library(id) => maker.roles_in(id),
        Scope::Organisation(id) => match db::organisations::find(db, id).await? {
            Some(found) => maker.roles_at(&found),
            None => return Ok(None),
        },
    };
    let holds = crate::catalogue::Caller::can_grant(invitation.role, here);
    Ok(holds.then_some(invitation))
}

/// Gives `account` what the invitation brings. Who has it already uses nothing up.
///
/// # Errors
///
/// [`Error::Missing`] when nobody may come by it any more.
pub async fn accept(
    tx: &mut Tx,
    invitation: &Invitation,
    account: &Account,
    now_ms: i64,
) -> Result<(), Error> {
    let to = Grantee::Account(account.id);
    let held = db::grants::list_of(tx, to).await?;
    let same = |grant: &Grant| {
        grant.role == invitation.role && grant.on == invitation.on && grant.ends_ms.is_none()
    };
    if held.iter().any(same) {
        return Ok(());
    }
    if !db::invitations::use_once(tx, &invitation.id, now_ms).await? {
        return Err(Error::Missing { what: "invitation", value: invitation.id.clone() });
    }
    db::grants::grant(tx, to, invitation.role, invitation.on, now_ms, None).await?;
    let mut detail = described(invitation.role, invitation.on);
    detail["invitation"] = json!(invitation.id);
    let subject = account.id.to_string();
    db::audit::record(tx, now_ms, Some(account.id), "accept", &subject, &detail).await?;
    Ok(())
}
