//! People: added one by one or from a table, edited, and helped in when they have no password.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::authority::Authority;
use super::code::{code_hash, fresh_code, fresh_token};
use super::{Error, is_id, organisations};
use crate::catalogue::{
    AccountId, LibraryId, Organisation, OrganisationId, Person, Phone, Role, RuleError, shown_name,
};
use crate::db::grants::{Grantee, Scope};
use crate::db::{self, Tx};
use crate::table::{self, Line};

/// Columns of the table of people.
pub const COLUMNS: [&str; 7] =
    ["name", "display_name", "phone", "email", "organisation", "role", "library"];

/// Most problems that are told of a table.
const MAX_PROBLEMS: usize = 100;

/// A person to be added, as somebody wrote it.
#[derive(Debug, Clone, Default)]
pub struct NewPerson {
    /// Login name; the number when it is empty.
    pub name: String,
    /// The login name when it is empty.
    pub display_name: String,
    /// May be empty.
    pub phone: String,
    /// May be empty.
    pub email: String,
    /// Where they belong.
    pub home: Option<OrganisationId>,
}

/// What is changed of a person; `None` stays, empty texts are none.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Name shown.
    pub display_name: Option<String>,
    /// A second name to log in with.
    pub phone: Option<String>,
    /// For people who write to them.
    pub email: Option<String>,
    /// Where they belong.
    pub home: Option<OrganisationId>,
    /// Whether they may not log in.
    pub disabled: Option<bool>,
}

impl NewPerson {
    fn read(&self, now_ms: i64) -> Result<Person, Error> {
        let phone = some(&self.phone).map(str::parse::<Phone>).transpose()?;
        let name = some(&self.name).or(phone.as_ref().map(Phone::as_str)).unwrap_or("");
        let display_name = some(&self.display_name).unwrap_or(name).to_owned();
        let person = Person::new(name, &display_name, now_ms)?;
        let email = some(&self.email).map(str::parse).transpose()?;
        Ok(Person { phone, email, home: self.home, ..person })
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// Adds a person without a password.
///
/// # Errors
///
/// [`Error::Taken`] when the name or the number is in use; [`Error::Rule`] when the home is not the
/// caller's.
pub async fn add(tx: &mut Tx, by: &Authority<'_>, new: &NewPerson) -> Result<Person, Error> {
    let person = new.read(by.now_ms())?;
    by.may_house(tx, person.home).await?;
    put(tx, &person).await?;
    by.actor().record(tx, "add-person", &person.id.to_string(), &described(&person)).await?;
    Ok(person)
}

/// Adds somebody who comes by themselves, by an invitation, with a password's `hash`. The caller
/// records in the log that they accepted it.
///
/// # Errors
///
/// [`Error::Taken`] when the name or the number is in use, [`Error::Rule`] for what cannot be kept.
pub async fn come(tx: &mut Tx, new: &NewPerson, hash: &str, now_ms: i64) -> Result<Person, Error> {
    let person = new.read(now_ms)?;
    put(tx, &person).await?;
    db::accounts::set_password(tx, person.id, hash).await?;
    Ok(person)
}

/// Asked first: a refused insert would end a transaction of PostgreSQL.
async fn put(tx: &mut Tx, person: &Person) -> Result<(), Error> {
    let taken = db::people::find_taken(tx, &person.name, person.phone.as_ref()).await?;
    if let Some((_, name)) = taken {
        let phone = person.phone.as_ref().filter(|_| name != person.name);
        return Err(Error::Taken(phone.map_or(name, Phone::to_string)));
    }
    let inserted = db::people::insert(tx, person).await;
    inserted.map_err(|error| Error::taken(error, &person.name))
}

fn described(person: &Person) -> Value {
    json!({
        "name": person.name,
        "display_name": person.display_name,
        "home": person.home.map(|id| id.to_string()),
    })
}

/// Changes a person, who may be asked for by whoever looks after them.
///
/// # Errors
///
/// [`Error::Missing`] when the caller does not look after them, [`Error::Rule`] when the caller may
/// not change them, [`Error::Taken`] when the number is in use.
pub async fn edit(
    tx: &mut Tx,
    by: &Authority<'_>,
    id: AccountId,
    edit: &Edit,
) -> Result<Person, Error> {
    let old = get(tx, by, id).await?;
    by.may_change(tx, &old).await?;
    let disabled_ms = match edit.disabled {
        None => old.disabled_ms,
        Some(false) => None,
        Some(true) => Some(old.disabled_ms.unwrap_or(by.now_ms())),
    };
    let mut person = apply(old.clone(), edit)?;
    person.disabled_ms = disabled_ms;
    if let Some(home) = edit.home.filter(|home| old.home != Some(*home)) {
        by.may_house(tx, Some(home)).await?;
        person.home = Some(home);
    }
    save(tx, &old, &person).await?;
    if edit.disabled == Some(true) {
        db::sessions::delete_all(tx, id, None).await?;
    }
    let action = match (old.disabled_ms, person.disabled_ms) {
        (None, Some(_)) => "disable-person",
        (Some(_), None) => "enable-person",
        _ => "edit-person",
    };
    by.actor().record(tx, action, &id.to_string(), &described(&person)).await?;
    Ok(person)
}

/// Changes what is a person's own to change: name shown, number, address.
///
/// # Errors
///
/// [`Error::Taken`] when the number is in use, [`Error::Rule`] for what cannot be kept.
pub async fn edit_own(tx: &mut Tx, person: Person, edit: &Edit) -> Result<Person, Error> {
    let changed = apply(person.clone(), edit)?;
    save(tx, &person, &changed).await?;
    Ok(changed)
}

fn apply(mut person: Person, edit: &Edit) -> Result<Person, Error> {
    if let Some(name) = &edit.display_name {
        person.display_name = shown_name(name)?;
    }
    if let Some(phone) = &edit.phone {
        person.phone = some(phone).map(str::parse).transpose()?;
    }
    if let Some(email) = &edit.email {
        person.email = some(email).map(str::parse).transpose()?;
    }
    Ok(person)
}

async fn save(tx: &mut Tx, old: &Person, person: &Person) -> Result<(), Error> {
    if let Some(phone) = person.phone.as_ref().filter(|_| old.phone != person.phone) {
        // An empty name is nobody's.
        if db::people::find_taken(tx, "", Some(phone)).await?.is_some() {
            return Err(Error::Taken(phone.to_string()));
        }
    }
    let phone = person.phone.as_ref().map(Phone::to_string).unwrap_or_default();
    db::people::save(tx, person).await.map_err(|error| Error::taken(error, &phone))
}

/// The person `id`, whom the caller looks after.
///
/// # Errors
///
/// [`Error::Missing`] when the caller does not.
pub async fn get(
    tx: &mut AnyConnection,
    by: &Authority<'_>,
    id: AccountId,
) -> Result<Person, Error> {
    let found = db::people::find(tx, &by.viewer(), id).await?;
    found.ok_or_else(|| Error::Missing { what: "account", value: id.to_string() })
}

/// Ends a person's sessions and, unless `keep_tokens`, their API tokens: nobody knows who has them.
/// Gives a code with which they choose a new password, once, within `lasting_ms`. Earlier codes end.
/// Their old password holds until then.
///
/// # Errors
///
/// [`Error::Missing`], and [`Error::Rule`] when the caller may not change them.
pub async fn reset(
    tx: &mut Tx,
    by: &Authority<'_>,
    id: AccountId,
    lasting_ms: i64,
    keep_tokens: bool,
) -> Result<(Person, String), Error> {
    let person = get(tx, by, id).await?;
    by.may_change(tx, &person).await?;
    let code = fresh_code().map_err(|_| Error::Random)?;
    let now_ms = by.now_ms();
    db::start_links::delete_all(tx, id, now_ms).await?;
    db::start_links::insert(tx, &code_hash(&code), id, now_ms, now_ms + lasting_ms).await?;
    db::sessions::delete_all(tx, id, None).await?;
    let tokens = if keep_tokens { 0 } else { db::tokens::delete_all(tx, id).await? };
    let detail = json!({ "tokens": tokens });
    by.actor().record(tx, "reset-password", &id.to_string(), &detail).await?;
    Ok((person, code))
}

/// Revokes a token of somebody whom the caller could change.
///
/// # Errors
///
/// [`Error::Missing`], and [`Error::Rule`] when the caller may not change them.
pub async fn revoke_token(tx: &mut Tx, by: &Authority<'_>, id: &str) -> Result<(), Error> {
    let missing = || Error::Missing { what: "token", value: id.to_owned() };
    if !is_id(id) {
        return Err(missing());
    }
    let held = db::tokens::find_held(tx, &by.viewer(), id).await?.ok_or_else(missing)?;
    let account: AccountId = held.account.parse().map_err(|_| missing())?;
    let person = get(tx, by, account).await?;
    by.may_change(tx, &person).await?;
    db::tokens::delete(tx, id, Some(account)).await?;
    let detail = json!({ "account": held.account, "label": held.token.label });
    by.actor().record(tx, "revoke-token", id, &detail).await?;
    Ok(())
}

/// Whose way in `code` is, while it can be used.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_code(
    db: &mut AnyConnection,
    code: &str,
    now_ms: i64,
) -> Result<Option<AccountId>, Error> {
    Ok(db::start_links::find(db, &code_hash(code), now_ms).await?)
}

/// A way in for somebody who has no password yet.
#[derive(Debug, Clone)]
pub struct StartLink {
    /// Login name.
    pub name: String,
    /// Name shown.
    pub display_name: String,
    /// What the link ends with.
    pub code: String,
}

/// What a table did.
#[derive(Debug, Default)]
pub struct Imported {
    /// People who were not there.
    pub added: usize,
    /// Roles given.
    pub granted: usize,
    /// People who were there already; they stay as they are.
    pub same: usize,
    /// Lines that cannot be taken, with why; when there are any, the caller commits nothing.
    pub problems: Vec<(usize, Error)>,
    /// For those who were added, when it was asked for.
    pub links: Vec<StartLink>,
}

/// Takes the people of a table, with a home and a role each if those are given. Whoever is there
/// already only gets the role, so that a longer table can be given again. `links_ms` makes each new
/// person a link that lasts so long.
///
/// # Errors
///
/// [`Error::Table`] when it cannot be read at all; what is wrong with lines is in the answer.
pub async fn import(
    tx: &mut Tx,
    by: &Authority<'_>,
    bytes: &[u8],
    links_ms: Option<i64>,
) -> Result<Imported, Error> {
    let lines = table::read(bytes, &COLUMNS)?;
    let mut places = Places::read(tx).await?;
    let mut done = Imported::default();
    let mut log = Vec::new();
    for line in &lines {
        if done.problems.len() >= MAX_PROBLEMS {
            break;
        }
        if let Err(error) = take(tx, by, line, &mut places, links_ms, &mut done, &mut log).await {
            match error {
                Error::Db(error) => return Err(error.into()),
                Error::Line { source, .. } => done.problems.push((line.number, *source)),
                error => done.problems.push((line.number, error)),
            }
        }
    }
    // The log comes last: others wait for their turn from its first row on.
    for (action, subject, detail) in log {
        by.actor().record(tx, action, &subject, &detail).await?;
    }
    Ok(done)
}

/// What a table's lines name, read once.
struct Places {
    organisations: HashMap<String, Organisation>,
    libraries: HashMap<String, LibraryId>,
    /// What was found out about the caller's rights.
    granted: HashMap<(Role, String), bool>,
    housed: HashMap<OrganisationId, bool>,
}

impl Places {
    async fn read(tx: &mut Tx) -> Result<Self, Error> {
        let mut organisations = HashMap::new();
        for organisation in db::organisations::list(tx).await? {
            organisations.insert(organisation.id.to_string(), organisation.clone());
            if let Some(code) = &organisation.code {
                organisations.insert(code.to_string(), organisation);
            }
        }
        let libraries = db::libraries::list(tx).await?.into_iter();
        let libraries = libraries.map(|one| (one.slug.to_string(), one.id)).collect();
        let (granted, housed) = (HashMap::new(), HashMap::new());
        Ok(Self { organisations, libraries, granted, housed })
    }

    fn organisation(&self, text: &str) -> Result<&Organisation, Error> {
        self.organisations
            .get(text)
            .filter(|found| found.closed_ms.is_none())
            .ok_or_else(|| Error::Missing { what: "organisation", value: text.to_owned() })
    }

    async fn may_grant(
        &mut self,
        tx: &mut Tx,
        by: &Authority<'_>,
        role: Role,
        on: Scope,
    ) -> Result<(), Error> {
        let key = (role, format!("{on:?}"));
        let may = match self.granted.get(&key) {
            Some(may) => *may,
            None => by.may_grant(tx, role, on).await.is_ok(),
        };
        self.granted.insert(key, may);
        if may { Ok(()) } else { Err(RuleError::Forbidden.into()) }
    }

    async fn may_house(
        &mut self,
        tx: &mut Tx,
        by: &Authority<'_>,
        home: Option<OrganisationId>,
    ) -> Result<(), Error> {
        let Some(home) = home else { return by.may_house(tx, None).await };
        let may = match self.housed.get(&home) {
            Some(may) => *may,
            None => by.may_house(tx, Some(home)).await.is_ok(),
        };
        self.housed.insert(home, may);
        if may { Ok(()) } else { Err(RuleError::Forbidden.into()) }
    }
}

type Logged = (&'static str, String, Value);

async fn take(
    tx: &mut Tx,
    by: &Authority<'_>,
    line: &Line,
    places: &mut Places,
    links_ms: Option<i64>,
    done: &mut Imported,
    log: &mut Vec<Logged>,
) -> Result<(), Error> {
    let text = |name| line.get(name).unwrap_or_default().to_owned();
    let home = line.get("organisation").map(|text| places.organisation(text)).transpose()?;
    let home = home.map(|home| home.id);
    let new = NewPerson {
        name: text("name"),
        display_name: text("display_name"),
        phone: text("phone"),
        email: text("email"),
        home,
    };
    let person = new.read(by.now_ms())?;
    let role = line.get("role").map(role_named).transpose()?;
    let on = match (line.get("library"), home) {
        (Some(slug), _) => {
            let missing = || Error::Missing { what: "library", value: slug.to_owned() };
            Some(Scope::Library(*places.libraries.get(slug).ok_or_else(missing)?))
        }
        (None, Some(home)) => Some(Scope::Organisation(home)),
        (None, None) => None,
    };
    if let (Some(role), Some(on)) = (role, on) {
        places.may_grant(tx, by, role, on).await?;
    } else if role.is_some() {
        return Err(Error::Table("role without organisation or library".into()));
    } else if line.get("library").is_some() {
        return Err(Error::Table("library without role".into()));
    }
    let id = match there(tx, by, line, &person).await? {
        Some(id) => {
            done.same += 1;
            id
        }
        None => {
            places.may_house(tx, by, home).await?;
            put(tx, &person).await?;
            done.added += 1;
            log.push(("add-person", person.id.to_string(), described(&person)));
            if let Some(lasting_ms) = links_ms {
                let code = fresh_token().map_err(|_| Error::Random)?;
                let now_ms = by.now_ms();
                let hash = code_hash(&code);
                db::start_links::insert(tx, &hash, person.id, now_ms, now_ms + lasting_ms).await?;
                let (name, display_name) = (person.name.clone(), person.display_name.clone());
                done.links.push(StartLink { name, display_name, code });
            }
            person.id
        }
    };
    if let (Some(role), Some(on)) = (role, on) {
        let to = Grantee::Account(id);
        let held = db::grants::list_of(tx, to).await?;
        if !held.iter().any(|grant| grant.role == role && grant.on == on && grant.ends_ms.is_none())
        {
            db::grants::grant(tx, to, role, on, by.now_ms(), None).await?;
            log.push(("grant", id.to_string(), super::grants::described(role, on)));
            done.granted += 1;
        }
    }
    Ok(())
}

/// A role by its code, or as the pages call it.
fn role_named(text: &str) -> Result<Role, Error> {
    let role = match text {
        "学员" => Role::Learner,
        "教师" => Role::Teacher,
        "作者" => Role::Author,
        "审核员" => Role::Reviewer,
        "库管理员" => Role::Librarian,
        "机构管理员" => Role::Administrator,
        code => return Ok(code.parse()?),
    };
    Ok(role)
}

/// Whom the line names, when they are there already: somebody else of the same name is an error.
async fn there(
    tx: &mut Tx,
    by: &Authority<'_>,
    line: &Line,
    person: &Person,
) -> Result<Option<AccountId>, Error> {
    let found = db::people::find_taken(tx, &person.name, person.phone.as_ref()).await?;
    let Some((id, name)) = found else { return Ok(None) };
    let taken = || {
        let phone = person.phone.as_ref().filter(|_| name != person.name);
        Error::Taken(phone.map_or(name.clone(), Phone::to_string))
    };
    let known = db::people::find(tx, &by.viewer(), id).await?.ok_or_else(taken)?;
    let same_phone = person.phone.is_none() || person.phone == known.phone;
    let same_words =
        line.get("display_name").is_none_or(|words| words == known.display_name.as_str());
    let same = known.name == person.name && same_phone && same_words;
    if same { Ok(Some(id)) } else { Err(taken()) }
}

/// The organisation that `text` names by id or code.
///
/// # Errors
///
/// [`Error::Missing`] when there is none.
pub async fn home_named(
    tx: &mut AnyConnection,
    text: &str,
) -> Result<Option<OrganisationId>, Error> {
    match some(text) {
        None => Ok(None),
        Some(text) => Ok(Some(organisations::named(tx, text).await?.id)),
    }
}
