//! Logging in by an account from elsewhere: whose it is here, linking and unlinking.
//!
//! Only the pair of issuer and subject says who somebody is. A name or an address that is the same
//! links nothing, but for a verified address where the settings trust the provider with that.

use serde_json::{Value, json};

use super::authority::Authority;
use super::{Error, is_id, organisations, people};
use crate::catalogue::{AccountId, Person, Phone, RuleError, TeamId};
use crate::db::identities::{self, Identity};
use crate::db::{self, Tx};
use crate::identity::Vouched;
use crate::identity::settings::{Accounts, Provider};

/// Names that are tried before one is made up.
const TRIED_NAMES: usize = 20;

/// Most identities of one account.
const MAX_IDENTITIES: usize = 20;

/// Rows for the log, which come last: others wait for their turn from the first one on.
type Log = Vec<(&'static str, String, Value)>;

/// Who came, by which identity.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The account.
    pub account: AccountId,
    /// Id of the identity.
    pub identity: String,
}

/// Whoever `vouched` is here: the account that is linked, else one found by a trusted address or
/// made, as the settings of `provider` say. Teams that it decides about are joined and left.
///
/// # Errors
///
/// [`Error::Rule`] with the code of a sentence when nobody is let in.
pub async fn arrive(
    tx: &mut Tx,
    provider: &Provider,
    vouched: &Vouched,
    now_ms: i64,
) -> Result<Arrived, Error> {
    if !vouched.is_of_domains(provider) {
        return Err(RuleError::Conflict("identity_domain").into());
    }
    let mut log = Log::new();
    let known = identities::find(tx, &vouched.issuer, &vouched.subject).await?;
    let arrived = match known {
        Some(known) => {
            let label = vouched.label(provider);
            identities::note(tx, &known.id, &provider.key, &label, now_ms).await?;
            Arrived { account: known.account, identity: known.id }
        }
        None => {
            let account = newcomer(tx, provider, vouched, now_ms, &mut log).await?;
            let identity = keep(tx, provider, vouched, account, now_ms, &mut log).await?;
            Arrived { account, identity }
        }
    };
    if db::accounts::find(tx, arrived.account, now_ms).await?.is_none() {
        return Err(RuleError::Conflict("identity_suspended").into());
    }
    sort_into_teams(tx, provider, vouched, arrived.account, &mut log).await?;
    for (action, subject, detail) in log {
        let by = Some(arrived.account);
        db::audit::record(tx, now_ms, by, action, &subject, &detail).await?;
    }
    Ok(arrived)
}

/// The account of somebody who never came by this identity.
async fn newcomer(
    tx: &mut Tx,
    provider: &Provider,
    vouched: &Vouched,
    now_ms: i64,
    log: &mut Log,
) -> Result<AccountId, Error> {
    if let Some(email) = vouched.verified_email().filter(|_| provider.trust_email) {
        match identities::accounts_of(tx, &email).await?.as_slice() {
            [] => {}
            [(account, true)] => return Ok(*account),
            // Several, an administrator of the net, or suspended: a person decides that.
            _ => return Err(RuleError::Conflict("identity_unknown").into()),
        }
    }
    if provider.accounts == Accounts::Link {
        return Err(RuleError::Conflict("identity_unknown").into());
    }
    let person = newly_made(tx, provider, vouched, now_ms).await?;
    db::people::insert(tx, &person).await.map_err(|error| Error::taken(error, &person.name))?;
    let detail = json!({
        "name": person.name,
        "display_name": person.display_name,
        "home": person.home.map(|id| id.to_string()),
        "provider": provider.key,
    });
    log.push(("add-person", person.id.to_string(), detail));
    Ok(person.id)
}

async fn newly_made(
    tx: &mut Tx,
    provider: &Provider,
    vouched: &Vouched,
    now_ms: i64,
) -> Result<Person, Error> {
    let name = free_name(tx, provider, vouched).await?;
    let shown = vouched.display_name(provider).unwrap_or_else(|| name.clone());
    let home = match provider.organisation.as_str() {
        "" => None,
        text => match organisations::named(tx, text).await {
            Ok(home) => Some(home.id),
            Err(Error::Missing { .. }) => {
                tracing::warn!(provider = provider.key, "identity.organisation is not there");
                None
            }
            Err(error) => return Err(error),
        },
    };
    let email = vouched.verified_email();
    Ok(Person { email, home, ..Person::new(&name, &shown, now_ms)? })
}

/// A login name that nobody has, nor as a number: who has it stays who they are.
async fn free_name(tx: &mut Tx, provider: &Provider, vouched: &Vouched) -> Result<String, Error> {
    let wanted = vouched.login_name(provider);
    for number in 1..=TRIED_NAMES {
        let name = if number == 1 { wanted.clone() } else { format!("{wanted}-{number}") };
        let phone: Option<Phone> = name.parse().ok();
        if db::people::find_taken(tx, &name, phone.as_ref()).await?.is_none() {
            return Ok(name);
        }
    }
    Ok(vouched.made_up_name())
}

/// Links `account` with who `vouched` is.
async fn keep(
    tx: &mut Tx,
    provider: &Provider,
    vouched: &Vouched,
    account: AccountId,
    now_ms: i64,
    log: &mut Log,
) -> Result<String, Error> {
    let new = Identity {
        id: TeamId::fresh().to_string(),
        account,
        issuer: vouched.issuer.clone(),
        subject: vouched.subject.clone(),
        provider: provider.key.clone(),
        label: vouched.label(provider),
        created_ms: now_ms,
        used_ms: Some(now_ms),
    };
    put(tx, &new).await?;
    log.push(("link-identity", account.to_string(), described(&new)));
    Ok(new.id)
}

async fn put(tx: &mut Tx, new: &Identity) -> Result<(), Error> {
    if identities::list(tx, new.account).await?.len() >= MAX_IDENTITIES {
        return Err(RuleError::Conflict("identity_too_many").into());
    }
    if identities::insert(tx, new).await? {
        Ok(())
    } else {
        Err(RuleError::Conflict("identity_taken").into())
    }
}

fn described(identity: &Identity) -> Value {
    json!({
        "identity": identity.id,
        "provider": identity.provider,
        "issuer": identity.issuer,
        "subject": identity.subject,
    })
}

/// Membership of the teams that the settings name is what the provider says now.
async fn sort_into_teams(
    tx: &mut Tx,
    provider: &Provider,
    vouched: &Vouched,
    account: AccountId,
    log: &mut Log,
) -> Result<(), Error> {
    let groups = vouched.groups(provider);
    // Several groups may lead into one team.
    let mut wanted: Vec<(TeamId, bool)> = Vec::new();
    for (group, text) in &provider.teams {
        let Some(team) = identities::team_named(tx, text).await? else {
            tracing::warn!(
                provider = provider.key,
                team = text,
                "a team of the settings is not there"
            );
            continue;
        };
        let is_in = groups.contains(&group.as_str());
        match wanted.iter_mut().find(|(known, _)| *known == team) {
            Some((_, joins)) => *joins |= is_in,
            None => wanted.push((team, is_in)),
        }
    }
    for (team, joins) in wanted {
        let (changed, action) = if joins {
            (db::teams::join(tx, team, account).await?, "join-team")
        } else {
            (db::teams::leave(tx, team, account).await?, "leave-team")
        };
        if changed {
            let detail = json!({ "account": account.to_string(), "provider": provider.key });
            log.push((action, team.to_string(), detail));
        }
    }
    Ok(())
}

/// Links one's own account with who `vouched` is; once more changes nothing.
///
/// # Errors
///
/// [`Error::Rule`] when it is another account's, or cannot be let in.
pub async fn link_own(
    tx: &mut Tx,
    provider: &Provider,
    vouched: &Vouched,
    account: AccountId,
    now_ms: i64,
) -> Result<(), Error> {
    if !vouched.is_of_domains(provider) {
        return Err(RuleError::Conflict("identity_domain").into());
    }
    match identities::find(tx, &vouched.issuer, &vouched.subject).await? {
        Some(known) if known.account == account => return Ok(()),
        Some(_) => return Err(RuleError::Conflict("identity_taken").into()),
        None => {}
    }
    let mut log = Log::new();
    keep(tx, provider, vouched, account, now_ms, &mut log).await?;
    for (action, subject, detail) in log {
        db::audit::record(tx, now_ms, Some(account), action, &subject, &detail).await?;
    }
    Ok(())
}

/// Links a person with `subject` of `provider`, as somebody says who looks after them.
///
/// # Errors
///
/// [`Error::Missing`], and [`Error::Rule`] when the caller may not change them, or it is somebody
/// else's.
pub async fn link(
    tx: &mut Tx,
    by: &Authority<'_>,
    account: AccountId,
    provider: &Provider,
    subject: &str,
) -> Result<Identity, Error> {
    let person = people::get(tx, by, account).await?;
    by.may_change(tx, &person).await?;
    let subject = subject.trim();
    // OpenID Connect Core 1.0 section 2.
    if !(1..=255).contains(&subject.len())
        || !subject.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    {
        let value = subject.chars().take(40).collect();
        return Err(RuleError::BadField { field: "subject", value }.into());
    }
    let new = Identity {
        id: TeamId::fresh().to_string(),
        account,
        issuer: provider.issuer.clone(),
        subject: subject.to_owned(),
        provider: provider.key.clone(),
        label: subject.chars().take(100).collect(),
        created_ms: by.now_ms(),
        used_ms: None,
    };
    put(tx, &new).await?;
    by.actor().record(tx, "link-identity", &account.to_string(), &described(&new)).await?;
    Ok(new)
}

/// Removes one of one's own identities, and ends the sessions that it began but for `kept`. The
/// last way in stays: a password, or an identity of one of `issuers`.
///
/// # Errors
///
/// [`Error::Missing`], and [`Error::Rule`] when nothing else would be left.
pub async fn unlink_own(
    tx: &mut Tx,
    account: AccountId,
    id: &str,
    issuers: &[&str],
    kept: Option<&str>,
    now_ms: i64,
) -> Result<(), Error> {
    let all = identities::list(tx, account).await?;
    let gone = find_in(&all, id)?;
    let other = all.iter().any(|one| one.id != id && issuers.contains(&one.issuer.as_str()));
    if !other && db::accounts::find_password(tx, account).await?.is_none() {
        return Err(RuleError::Conflict("identity_last").into());
    }
    remove(tx, gone, kept).await?;
    let (subject, detail) = (account.to_string(), described(gone));
    db::audit::record(tx, now_ms, Some(account), "unlink-identity", &subject, &detail).await?;
    Ok(())
}

/// Removes an identity of a person whom the caller looks after, and ends the sessions it began.
///
/// # Errors
///
/// [`Error::Missing`], and [`Error::Rule`] when the caller may not change them.
pub async fn unlink(
    tx: &mut Tx,
    by: &Authority<'_>,
    account: AccountId,
    id: &str,
) -> Result<(), Error> {
    let person = people::get(tx, by, account).await?;
    by.may_change(tx, &person).await?;
    let all = identities::list(tx, account).await?;
    let gone = find_in(&all, id)?;
    remove(tx, gone, None).await?;
    by.actor().record(tx, "unlink-identity", &account.to_string(), &described(gone)).await?;
    Ok(())
}

fn find_in<'a>(all: &'a [Identity], id: &str) -> Result<&'a Identity, Error> {
    let found = all.iter().find(|one| is_id(id) && one.id == id);
    found.ok_or_else(|| Error::Missing { what: "identity", value: id.to_owned() })
}

async fn remove(tx: &mut Tx, gone: &Identity, kept: Option<&str>) -> Result<(), Error> {
    db::sessions::delete_by(tx, &gone.id, None, kept).await?;
    identities::delete(tx, gone.account, &gone.id).await?;
    Ok(())
}

/// Ends the sessions of whoever logged out at `provider`; says how many.
///
/// # Errors
///
/// Those of the database.
pub async fn log_out(tx: &mut Tx, vouched: &Vouched, now_ms: i64) -> Result<u64, Error> {
    let Some(known) = identities::find(tx, &vouched.issuer, &vouched.subject).await? else {
        return Ok(0);
    };
    let ended = db::sessions::delete_by(tx, &known.id, vouched.session.as_deref(), None).await?;
    if ended > 0 {
        let detail = json!({ "provider": known.provider, "sessions": ended });
        let subject = known.account.to_string();
        db::audit::record(tx, now_ms, None, "end-session", &subject, &detail).await?;
    }
    Ok(ended)
}
