//! Who owns libraries: a tree of four levels, and where each node was at any time.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

use super::{LibraryId, OrganisationId, RuleError};

/// A department, school or office that owns libraries.
#[derive(Debug, Clone, PartialEq)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// How far up it is.
    pub level: Level,
    /// Of the division that it serves.
    pub code: Option<DivisionCode>,
    /// Its name for people.
    pub name: String,
    /// Ids from the top down to its own.
    pub path: Vec<OrganisationId>,
    /// Whom to ask and how.
    pub contact: String,
    /// Address.
    pub place: String,
    /// WGS 84, degrees: longitude, latitude.
    pub position: Option<(f64, f64)>,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Since when it is no more, Unix milliseconds.
    pub closed_ms: Option<i64>,
    /// Who took over what it had.
    pub merged_into: Option<OrganisationId>,
}

/// How far up an organisation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A prefecture-level city (社区大学).
    City,
    /// A district or county (社区教育学院).
    District,
    /// A township or street (社区教育中心).
    Township,
    /// A village or community (社区教育学校).
    Community,
}

impl Level {
    /// All of them, the highest first.
    pub const ALL: [Self; 4] = [Self::City, Self::District, Self::Township, Self::Community];

    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::District => "district",
            Self::Township => "township",
            Self::Community => "community",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let bad = || RuleError::BadField { field: "level", value: text.chars().take(40).collect() };
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or_else(bad)
    }
}

/// Code of an administrative division: six digits down to counties (GB/T 2260), nine for
/// townships and streets (GB/T 10114), twelve for villages and communities (the statistical
/// bureau's extension of both).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DivisionCode(String);

impl DivisionCode {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The level of divisions with a code of this form.
    #[must_use]
    pub fn level(&self) -> Level {
        match self.0.len() {
            12 => Level::Community,
            9 => Level::Township,
            _ if self.0.ends_with("00") => Level::City,
            _ => Level::District,
        }
    }

    /// The code of the division above, by its digits.
    #[must_use]
    pub fn above(&self) -> Option<Self> {
        match self.level() {
            Level::City => None,
            Level::District => Some(Self(format!("{}00", &self.0[..4]))),
            Level::Township => Some(Self(self.0[..6].to_owned())),
            Level::Community => Some(Self(self.0[..9].to_owned())),
        }
    }
}

impl fmt::Display for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DivisionCode {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let fits = [6, 9, 12].contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        // Provinces begin with 1 to 9; a code of zeros below a level is the level above.
        let fits = fits && !text.starts_with('0') && &text[2..4] != "00";
        if fits && (text.len() == 6 || !text.ends_with("000")) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RuleError::BadField { field: "code", value: text.chars().take(40).collect() })
        }
    }
}

impl Organisation {
    /// An organisation below `parent`, as of `now_ms`, Unix milliseconds.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for a name that cannot be kept, or a level that is not below the
    /// parent's.
    pub fn new(
        parent: Option<&Self>,
        level: Level,
        name: &str,
        now_ms: i64,
    ) -> Result<Self, RuleError> {
        let id = OrganisationId::fresh();
        let mut path = parent.map_or_else(Vec::new, |parent| parent.path.clone());
        path.push(id);
        let organisation = Self {
            id,
            level,
            code: None,
            name: name.to_owned(),
            path,
            contact: String::new(),
            place: String::new(),
            position: None,
            created_ms: now_ms,
            closed_ms: None,
            merged_into: None,
        };
        organisation.checked(parent)
    }

    /// Checks the texts, and that it may stand below `parent`.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for the first field that cannot be kept.
    pub fn checked(mut self, parent: Option<&Self>) -> Result<Self, RuleError> {
        for (field, text, least, most) in [
            ("name", &mut self.name, 1, 200),
            ("contact", &mut self.contact, 0, 1000),
            ("place", &mut self.place, 0, 1000),
        ] {
            *text = text.trim().replace('\0', "");
            if !(least..=most).contains(&text.chars().count()) {
                return Err(RuleError::BadField { field, value: text.chars().take(40).collect() });
            }
        }
        if let Some((longitude, latitude)) = self.position
            && !((-180.0..=180.0).contains(&longitude) && (-90.0..=90.0).contains(&latitude))
        {
            let value = format!("{longitude}, {latitude}");
            return Err(RuleError::BadField { field: "position", value });
        }
        if let Some(parent) = parent {
            if parent.level >= self.level {
                return Err(RuleError::BadField { field: "level", value: self.level.to_string() });
            }
            if parent.closed_ms.is_some() || parent.path.contains(&self.id) {
                return Err(RuleError::BadField { field: "parent", value: parent.name.clone() });
            }
        }
        Ok(self)
    }

    /// Who is right above it.
    #[must_use]
    pub fn parent(&self) -> Option<OrganisationId> {
        self.path.iter().rev().nth(1).copied()
    }
}

/// Where something was during a time: under an organisation, or under none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay<T> {
    /// What was there.
    pub of: T,
    /// Under whom.
    pub under: Option<OrganisationId>,
    /// Unix milliseconds.
    pub from_ms: i64,
    /// Unix milliseconds, not any more; `None`: still.
    pub until_ms: Option<i64>,
}

impl<T> Stay<T> {
    /// Whether it was there at `at_ms`, Unix milliseconds.
    #[must_use]
    pub fn covers(&self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && self.until_ms.is_none_or(|until_ms| at_ms < until_ms)
    }
}

/// Where every organisation and every library was at any time.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Of organisations.
    pub places: Vec<Stay<OrganisationId>>,
    /// Of libraries.
    pub owners: Vec<Stay<LibraryId>>,
}

impl History {
    /// The libraries that were `top`'s at `at_ms`, Unix milliseconds, or those of somebody who was
    /// then below it.
    #[must_use]
    pub fn libraries_under(&self, top: OrganisationId, at_ms: i64) -> HashSet<LibraryId> {
        let above: HashMap<_, _> = self
            .places
            .iter()
            .filter(|stay| stay.covers(at_ms))
            .filter_map(|stay| Some((stay.of, stay.under?)))
            .collect();
        let is_under = |mut node: OrganisationId| {
            // Four levels; a damaged table must not make this spin.
            for _ in 0..16 {
                if node == top {
                    return true;
                }
                match above.get(&node) {
                    Some(parent) => node = *parent,
                    None => return false,
                }
            }
            false
        };
        let owned = self.owners.iter().filter(|stay| stay.covers(at_ms));
        owned.filter(|stay| stay.under.is_some_and(is_under)).map(|stay| stay.of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_its_level_and_what_is_above() {
        let code = |text: &str| text.parse::<DivisionCode>().expect("a code");
        for (text, level, above) in [
            ("371100", Level::City, None),
            ("371102", Level::District, Some("371100")),
            ("371102001", Level::Township, Some("371102")),
            ("371102001002", Level::Community, Some("371102001")),
        ] {
            assert_eq!(code(text).level(), level);
            assert_eq!(code(text).above(), above.map(code));
        }
        for text in
            ["", "3711", "37110a", "071100", "370000", "371102000", "371102001000", "日照日照日照"]
        {
            assert!(text.parse::<DivisionCode>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_lower_levels_stand_below() {
        let city = Organisation::new(None, Level::City, " 市 ", 0).expect("an organisation");
        assert_eq!(city.name, "市");
        let village = Organisation::new(Some(&city), Level::Community, "村", 0).expect("skips two");
        assert_eq!(village.parent(), Some(city.id));
        assert!(Organisation::new(Some(&village), Level::Community, "村", 0).is_err());
        assert!(Organisation::new(Some(&village), Level::City, "市", 0).is_err());
        assert!(Organisation::new(None, Level::City, "", 0).is_err());
    }

    #[test]
    fn numbers_stay_with_whom_they_were_at_their_time() {
        let [city, east, west, school] = [(); 4].map(|()| OrganisationId::fresh());
        let library = LibraryId::fresh();
        let stay = |of, under, from_ms, until_ms| Stay { of, under, from_ms, until_ms };
        let history = History {
            places: vec![
                stay(city, None, 0, None),
                stay(east, Some(city), 0, None),
                stay(west, Some(city), 0, None),
                stay(school, Some(east), 0, Some(100)),
                stay(school, Some(west), 100, None),
            ],
            owners: vec![Stay { of: library, under: Some(school), from_ms: 10, until_ms: None }],
        };
        let under = |node, at_ms| history.libraries_under(node, at_ms).contains(&library);
        assert!(!under(city, 9));
        assert!(under(east, 99) && !under(west, 99) && under(city, 99));
        assert!(!under(east, 100) && under(west, 100) && under(city, 100));
    }
}
