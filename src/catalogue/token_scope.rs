//! What an API token may be used for.

use std::fmt;
use std::str::FromStr;

use super::RuleError;

/// A kind of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum TokenScope {
    /// To read what its owner may see.
    Read,
    /// To upload, and to make the drafts that uploads go into.
    Upload,
    /// To change everything else that its owner may change.
    Manage,
}

impl TokenScope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Upload, Self::Manage];

    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Upload => "upload",
            Self::Manage => "manage",
        }
    }
}

impl FromStr for TokenScope {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let bad =
            || RuleError::BadField { field: "scopes", value: text.chars().take(40).collect() };
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(bad)
    }
}

/// The uses that a token has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenScopes(u8);

impl TokenScopes {
    /// Everything its owner may do; what a session is for.
    pub const ALL: Self = Self(0b111);

    /// Those that are named; at least one.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for a name that is none, or for none at all.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, RuleError> {
        let mut bits = 0;
        for name in names {
            bits |= 1 << name.parse::<TokenScope>()? as u8;
        }
        if bits == 0 {
            return Err(RuleError::BadField { field: "scopes", value: String::new() });
        }
        Ok(Self(bits))
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub fn has(self, scope: TokenScope) -> bool {
        self.0 & 1 << scope as u8 != 0
    }

    /// Whether all of these are among `others`.
    #[must_use]
    pub fn within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = TokenScope> {
        TokenScope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl fmt::Display for TokenScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(TokenScope::as_str).collect();
        f.write_str(&names.join(" "))
    }
}

impl FromStr for TokenScopes {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::of(text.split([' ', ',']).filter(|name| !name.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_as_they_are_written() {
        for text in ["read", "read upload", "upload manage", "read upload manage"] {
            assert_eq!(text.parse::<TokenScopes>().expect("scopes").to_string(), text);
        }
        assert_eq!(
            "upload,read".parse::<TokenScopes>().expect("scopes").to_string(),
            "read upload"
        );
        assert!("".parse::<TokenScopes>().is_err() && "admin".parse::<TokenScopes>().is_err());
        let read = "read".parse::<TokenScopes>().expect("scopes");
        assert!(read.within(TokenScopes::ALL) && !TokenScopes::ALL.within(read));
    }
}
