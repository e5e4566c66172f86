//! Organisations and libraries to choose from, and what somebody chose.

use std::collections::HashMap;

use super::super::super::problem::ApiError;
use crate::catalogue::{Caller, Organisation, OrganisationId, Role, RuleError};
use crate::db;
use crate::db::grants::Scope;
use crate::db::people::Viewer;
use crate::net::authority::Authority;
use crate::net::{grants, is_id};
use crate::pages::{Givable, Option2};

/// The organisations that the caller looks after, who is above first; only `open` ones or all.
pub(super) async fn ours(
    db: &mut sqlx::AnyConnection,
    caller: &Caller,
    open: bool,
) -> Result<Vec<Organisation>, ApiError> {
    let all = db::organisations::list(db).await?;
    // By the places of all above in the list, which is by code and name.
    let places: HashMap<OrganisationId, usize> =
        all.iter().enumerate().map(|(place, one)| (one.id, place)).collect();
    let mut found: Vec<Organisation> = all
        .into_iter()
        .filter(|one| (!open || one.closed_ms.is_none()) && caller.roles_at(one).manages())
        .collect();
    found.sort_by_cached_key(|one| {
        one.path.iter().map(|id| places.get(id).copied()).collect::<Vec<_>>()
    });
    Ok(found)
}

/// Open organisations that the caller administers.
pub(super) async fn administered(
    db: &mut sqlx::AnyConnection,
    caller: &Caller,
) -> Result<Vec<Organisation>, ApiError> {
    let found = ours(db, caller, true).await?.into_iter();
    Ok(found.filter(|one| caller.is_administrator_of(one)).collect())
}

/// Organisations to choose from: what `value` makes of each, and its name, indented, with its code.
fn options(found: &[Organisation], value: impl Fn(&Organisation) -> String) -> Vec<Option2> {
    let top = found.iter().map(|one| one.path.len()).min().unwrap_or(1);
    let name = |one: &Organisation| {
        let indent = "　".repeat(one.path.len().saturating_sub(top));
        let code = one.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        format!("{indent}{}{code}", one.name)
    };
    found.iter().map(|one| (value(one), name(one))).collect()
}

pub(super) fn by_id(found: &[Organisation]) -> Vec<Option2> {
    options(found, |one| one.id.to_string())
}

/// Which of `options` was chosen: its value, or, where one types, its label, or the name or the code
/// in it when no other has that.
///
/// # Errors
///
/// 422 with what was typed when it is none of them, or several.
pub(super) fn chosen(
    options: &[Option2],
    field: &'static str,
    typed: &str,
) -> Result<String, ApiError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(String::new());
    }
    // Whether it may be theirs is asked by whoever uses it.
    if typed.starts_with("o:") || typed.starts_with("l:") || is_id(typed) {
        return Ok(typed.to_owned());
    }
    let label = |one: &Option2| one.1.trim().to_owned();
    let exact: Vec<&Option2> = options.iter().filter(|one| label(one) == typed).collect();
    let named: Vec<&Option2> = options
        .iter()
        .filter(|one| {
            let label = label(one);
            let mut words = label.split(' ');
            words.next() == Some(typed) || words.next_back() == Some(typed)
        })
        .collect();
    let found = match (exact.as_slice(), named.as_slice()) {
        ([one], _) | ([], [one]) => one,
        _ => {
            let value = typed.chars().take(40).collect();
            return Err(RuleError::BadField { field, value }.into());
        }
    };
    Ok(found.0.clone())
}

/// Slugs and names of the libraries that the caller looks after.
pub(super) async fn libraries_of(
    db: &mut sqlx::AnyConnection,
    viewer: &Viewer,
) -> Result<Vec<Option2>, ApiError> {
    let ours = db::people::libraries(db, viewer).await?;
    let all = db::libraries::list(db).await?.into_iter().filter(|one| ours.contains(&one.id));
    Ok(all.map(|one| (one.slug.to_string(), one.name)).collect())
}

/// Where the caller may give roles, and which.
pub(super) async fn givable(
    db: &mut sqlx::AnyConnection,
    caller: &Caller,
    viewer: &Viewer,
) -> Result<Givable, ApiError> {
    let organisations = ours(db, caller, true).await?;
    let libraries = libraries_of(db, viewer).await?;
    let account = caller.account()?;
    let mut here = account.libraries.values().chain(account.organisations.values());
    let all = viewer.whole || here.any(|roles| roles.has(Role::Administrator));
    let roles = Role::ALL.into_iter().filter(|role| all || *role < Role::Librarian);
    Ok(Givable {
        organisations: options(&organisations, |one| format!("o:{}", one.id)),
        libraries: libraries.into_iter().map(|(slug, name)| (format!("l:{slug}"), name)).collect(),
        roles: roles.collect(),
    })
}

/// The place that was chosen of those where the caller may give roles.
///
/// # Errors
///
/// As for [`chosen`], and 404 for what is not the caller's.
pub(super) async fn chosen_place(
    db: &mut sqlx::AnyConnection,
    caller: &Caller,
    by: &Authority<'_>,
    typed: &str,
) -> Result<Scope, ApiError> {
    let mut offered = givable(db, caller, &by.viewer()).await?;
    offered.organisations.append(&mut offered.libraries);
    let place = chosen(&offered.organisations, "where", typed)?;
    let (organisation, library) = (place.strip_prefix("o:"), place.strip_prefix("l:"));
    Ok(grants::place_named(db, by, organisation, library).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_names_one_of_them() {
        let options: Vec<Option2> = [
            ("a", "日照市 371100"),
            ("b", "　东港区 371102"),
            ("c", "　　石臼街道 371102001"),
            ("d", "　　石臼街道 371103001"),
            ("e", "文化馆"),
        ]
        .map(|(value, label)| (value.to_owned(), label.to_owned()))
        .to_vec();
        let is = |typed: &str| chosen(&options, "organisation", typed).ok();
        assert_eq!(is(" 东港区 371102 ").as_deref(), Some("b"));
        assert_eq!(is("东港区").as_deref(), Some("b"));
        assert_eq!(is("371102001").as_deref(), Some("c"));
        assert_eq!(is("文化馆").as_deref(), Some("e"));
        assert_eq!(is("o:x").as_deref(), Some("o:x"));
        assert_eq!(is("").as_deref(), Some(""));
        assert_eq!(is("石臼街道"), None, "there are two");
        assert_eq!(is("石臼"), None);
    }
}
