//! People as those see them who look after them, and what may be done about them.

use std::fmt;
use std::str::FromStr;

use super::{AccountId, Caller, NetRole, Organisation, OrganisationId, Role, Roles, RuleError};

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Of the account.
    pub id: AccountId,
    /// Login name, lower case.
    pub name: String,
    /// Name shown to people.
    pub display_name: String,
    /// A second name to log in with.
    pub phone: Option<Phone>,
    /// For people who write to them.
    pub email: Option<Email>,
    /// Where they belong.
    pub home: Option<OrganisationId>,
    /// Role over the whole net.
    pub role: NetRole,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Since when they may not log in, Unix milliseconds.
    pub disabled_ms: Option<i64>,
    /// A password was chosen.
    pub has_password: bool,
}

impl Person {
    /// A fresh one without a password.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for names that cannot be kept.
    pub fn new(name: &str, display_name: &str, now_ms: i64) -> Result<Self, RuleError> {
        Ok(Self {
            id: AccountId::fresh(),
            name: login_name(name)?,
            display_name: shown_name(display_name)?,
            phone: None,
            email: None,
            home: None,
            role: NetRole::Learner,
            created_ms: now_ms,
            disabled_ms: None,
            has_password: false,
        })
    }
}

/// A name to log in with: lower case, 1 to 64 characters without spaces.
///
/// # Errors
///
/// [`RuleError::BadField`] for anything else.
pub fn login_name(text: &str) -> Result<String, RuleError> {
    let name = text.trim().to_lowercase();
    let fits = (1..=64).contains(&name.chars().count())
        && !name.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits { Ok(name) } else { Err(bad("login_name", text)) }
}

/// A name to be shown: 1 to 100 characters.
///
/// # Errors
///
/// [`RuleError::BadField`] for anything else.
pub fn shown_name(text: &str) -> Result<String, RuleError> {
    let name = text.trim();
    let fits = (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err(bad("display_name", text)) }
}

fn bad(field: &'static str, value: &str) -> RuleError {
    RuleError::BadField { field, value: value.chars().take(40).collect() }
}

/// A telephone number in one form, however it was typed: digits alone for one of China, `+` and
/// digits for others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Phone {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        // Full-width digits come from Chinese keyboards, dashes and spaces from everywhere.
        let plain: String = text
            .chars()
            .map(|c| match c {
                '０'..='９' => char::from(b'0' + (u32::from(c) - u32::from('０')) as u8),
                '＋' => '+',
                _ => c,
            })
            .filter(|c| !c.is_whitespace() && !"-－()（）·.".contains(*c))
            .collect();
        let (abroad, digits) = match plain.strip_prefix('+').or_else(|| plain.strip_prefix("00")) {
            Some(digits) => (true, digits),
            None => (false, plain.as_str()),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad("phone", text));
        }
        if abroad {
            return match digits.strip_prefix("86") {
                Some(mobile) if is_mobile(mobile) => Ok(Self(mobile.to_owned())),
                Some(line) if (9..=11).contains(&line.len()) => Ok(Self(format!("0{line}"))),
                // ITU-T E.164: at most 15 digits.
                None if (7..=15).contains(&digits.len()) => Ok(Self(format!("+{digits}"))),
                _ => Err(bad("phone", text)),
            };
        }
        if digits.len() == 13 && digits.starts_with("86") && is_mobile(&digits[2..]) {
            return Ok(Self(digits[2..].to_owned()));
        }
        // An area code of three or four digits, and seven or eight.
        let is_line = digits.starts_with('0') && (10..=12).contains(&digits.len());
        if is_mobile(digits) || is_line {
            Ok(Self(digits.to_owned()))
        } else {
            Err(bad("phone", text))
        }
    }
}

/// Eleven digits from 13 to 19 on.
fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && digits.starts_with('1') && digits.as_bytes()[1] >= b'3'
}

/// An address for e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = RuleError;

    /// Only what cannot be one is refused: whether it is, a letter tells.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        let text = text.trim();
        // RFC 5321 section 4.5.3.1: at most 254 bytes.
        let fits = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        match text.split_once('@') {
            Some((local, host)) if fits && !local.is_empty() && host.contains('.') => {
                if host.contains('@') {
                    return Err(bad("email", text));
                }
                Ok(Self(text.to_owned()))
            }
            _ => Err(bad("email", text)),
        }
    }
}

/// What decides whether somebody may change a person, beside who it is.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    /// Whom it is about.
    pub person: &'a Person,
    /// Where they belong.
    pub home: Option<&'a Organisation>,
    /// What is granted to them and to their teams: the role, and what the caller is there.
    pub held: Vec<(Role, Roles)>,
}

impl Caller {
    /// Whether the caller, being `here` somewhere, may give or take `role` there. Librarians give
    /// what is below them, administrators everything.
    #[must_use]
    pub fn can_grant(role: Role, here: Roles) -> bool {
        here.has(Role::Administrator) || here.has(Role::Librarian) && role < Role::Librarian
    }

    /// Whether the caller may change a person: their names, their password, whether they log in.
    /// Whoever may set a password may be that person, so all that they hold must be the caller's
    /// to give.
    #[must_use]
    pub fn can_change(&self, standing: &Standing<'_>) -> bool {
        if self.is_administrator() {
            return true;
        }
        let person = standing.person;
        if self.0.is_none() || person.role == NetRole::Administrator {
            return false;
        }
        let at_home = match standing.home {
            Some(home) => self.roles_at(home).manages(),
            None => person.home.is_none() && !standing.held.is_empty(),
        };
        at_home && standing.held.iter().all(|(role, here)| Self::can_grant(*role, *here))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Account, Level};

    #[test]
    fn a_number_has_one_form_however_it_is_typed() {
        for (typed, kept) in [
            ("138 0013 8000", "13800138000"),
            ("+86-138-0013-8000", "13800138000"),
            ("008613800138000", "13800138000"),
            ("８６13800138000", "13800138000"),
            ("0633-8781234", "06338781234"),
            ("+86 633 8781234", "06338781234"),
            ("+49 30 901820", "+4930901820"),
        ] {
            let phone: Phone = typed.parse().unwrap_or_else(|_| panic!("{typed}"));
            assert_eq!(phone.as_str(), kept);
            assert_eq!(kept.parse(), Ok(phone), "it is its own form");
        }
        for typed in ["", "lin", "12345", "11000000000", "8781234", "+", "1380013800０0"] {
            assert!(typed.parse::<Phone>().is_err(), "{typed}");
        }
    }

    #[test]
    fn names_and_addresses_that_cannot_be() {
        assert_eq!(login_name(" Lin ").as_deref(), Ok("lin"));
        assert!(["", "a b", "a\u{0}b"].iter().all(|name| login_name(name).is_err()));
        assert!("lin@example.cn".parse::<Email>().is_ok());
        for text in ["lin", "@example.cn", "lin@", "a@b@c.cn", "l in@example.cn"] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }

    #[test]
    fn nobody_changes_whoever_holds_what_they_could_not_give() {
        let city = Organisation::new(None, Level::City, "市", 0).expect("a city");
        let east = Organisation::new(Some(&city), Level::District, "东", 0).expect("a district");
        let caller = |role| {
            let mut account = Account::new("lin", "林", NetRole::Learner);
            account.organisations.insert(east.id, Roles::NONE.with(role));
            Caller(Some(account))
        };
        let (administrator, librarian) = (caller(Role::Administrator), caller(Role::Librarian));
        let person =
            Person { home: Some(east.id), ..Person::new("wei", "魏", 0).expect("a person") };
        let held = |held: &[(Role, Roles)]| Standing {
            person: &person,
            home: Some(&east),
            held: held.to_vec(),
        };
        let (at, as_librarian) =
            (Roles::NONE.with(Role::Administrator), Roles::NONE.with(Role::Librarian));
        assert!(administrator.can_change(&held(&[])) && librarian.can_change(&held(&[])));
        assert!(administrator.can_change(&held(&[(Role::Administrator, at)])));
        assert!(!administrator.can_change(&held(&[(Role::Learner, Roles::NONE)])), "elsewhere");
        assert!(librarian.can_change(&held(&[(Role::Reviewer, as_librarian)])));
        assert!(!librarian.can_change(&held(&[(Role::Librarian, as_librarian)])));
        let net = Person { role: NetRole::Administrator, ..person.clone() };
        assert!(!administrator.can_change(&Standing { person: &net, ..held(&[]) }));
        let strange = Standing { home: Some(&city), ..held(&[]) };
        assert!(!administrator.can_change(&strange), "their home is above");
    }
}
