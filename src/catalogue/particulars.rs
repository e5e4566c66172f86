//! What else is known of a resource: what it is about, who made it when and where, by what right it
//! is shown, and what is local about it.

use serde::{Deserialize, Serialize};

use super::resource::{known, tidy};
use super::vocabulary::{DIALECTS, DIFFICULTIES, EVIDENCE, HERITAGE, ROLES};
use super::{DivisionCode, RuleError};

/// The most keywords, and the most contributors.
const MAX_ENTRIES: usize = 30;

/// The longest name, place or the like, in characters.
const MAX_NAME: usize = 200;

/// The longest keyword, in characters.
const MAX_KEYWORD: usize = 60;

/// The longest words about rights, in characters.
const MAX_WORDS: usize = 2_000;

/// The longest address, in bytes.
const MAX_URL: usize = 2_000;

/// The longest learning time, in minutes: as long as a course may have.
const MAX_MINUTES: i64 = 60_000;

/// What else is known of a resource. Empty texts: not said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Particulars {
    /// Free subjects, at most 30 of 60 characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Who else had a part in it, at most 30.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<Contributor>,
    /// Who publishes it, as shown; its library where nothing is said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub publisher: String,
    /// When it was made: `2019`, `2019-05` or `2019-05-01`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub made: String,
    /// The place that it is about, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// Code of the division that it is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub place_code: String,
    /// Code of how hard it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub difficulty: String,
    /// How long one learns with it, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_minutes: Option<i64>,
    /// Who has the rights.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rights_holder: String,
    /// Code of why it may be shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub evidence: String,
    /// More about that.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub evidence_words: String,
    /// Where the paper lies; told only to those who edit and review.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub evidence_paper: String,
    /// What it was made from: an address, http or https.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source_url: String,
    /// What is local about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalMark>,
}

/// Somebody who had a part in a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contributor {
    /// A person or a group.
    pub name: String,
    /// Code of what they did; `other` when it is not said.
    pub role: String,
}

/// The mark of local characteristic (地方特色). Whoever vouches for a resource vouches for this,
/// word for word.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalMark {
    /// The place that it comes from; must be there.
    pub origin: String,
    /// Who hands it down (传承人): a person or a people.
    pub bearer: String,
    /// Code of the dialect that is spoken in it.
    pub dialect: String,
    /// More about how it is spoken.
    pub dialect_words: String,
    /// Code of the list of heritage on which it stands.
    pub heritage: String,
}

/// What is said anew of [`Particulars`]; `None` leaves what is there, an empty text takes it away.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in `Particulars`")]
pub struct ParticularsEdit {
    pub keywords: Option<Vec<String>>,
    pub contributors: Option<Vec<Contributor>>,
    pub publisher: Option<String>,
    pub made: Option<String>,
    pub place: Option<String>,
    pub place_code: Option<String>,
    pub difficulty: Option<String>,
    /// 0: not said.
    pub learning_minutes: Option<i64>,
    pub rights_holder: Option<String>,
    pub evidence: Option<String>,
    pub evidence_words: Option<String>,
    pub evidence_paper: Option<String>,
    pub source_url: Option<String>,
    /// `Some(None)`: it is not local.
    pub local: Option<Option<LocalMark>>,
}

impl ParticularsEdit {
    /// `old` with what is said anew.
    #[must_use]
    pub fn over(self, old: Particulars) -> Particulars {
        Particulars {
            keywords: self.keywords.unwrap_or(old.keywords),
            contributors: self.contributors.unwrap_or(old.contributors),
            publisher: self.publisher.unwrap_or(old.publisher),
            made: self.made.unwrap_or(old.made),
            place: self.place.unwrap_or(old.place),
            place_code: self.place_code.unwrap_or(old.place_code),
            difficulty: self.difficulty.unwrap_or(old.difficulty),
            // A 0 is dropped by `checked`.
            learning_minutes: self.learning_minutes.or(old.learning_minutes),
            rights_holder: self.rights_holder.unwrap_or(old.rights_holder),
            evidence: self.evidence.unwrap_or(old.evidence),
            evidence_words: self.evidence_words.unwrap_or(old.evidence_words),
            evidence_paper: self.evidence_paper.unwrap_or(old.evidence_paper),
            source_url: self.source_url.unwrap_or(old.source_url),
            local: self.local.unwrap_or(old.local),
        }
    }

    /// One that says everything that `particulars` do.
    #[must_use]
    pub fn all(particulars: Particulars) -> Self {
        Self {
            keywords: Some(particulars.keywords),
            contributors: Some(particulars.contributors),
            publisher: Some(particulars.publisher),
            made: Some(particulars.made),
            place: Some(particulars.place),
            place_code: Some(particulars.place_code),
            difficulty: Some(particulars.difficulty),
            learning_minutes: Some(particulars.learning_minutes.unwrap_or(0)),
            rights_holder: Some(particulars.rights_holder),
            evidence: Some(particulars.evidence),
            evidence_words: Some(particulars.evidence_words),
            evidence_paper: Some(particulars.evidence_paper),
            source_url: Some(particulars.source_url),
            local: Some(particulars.local),
        }
    }
}

impl Particulars {
    /// Checks every field and trims the texts.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for the first field that cannot be kept.
    pub fn checked(mut self) -> Result<Self, RuleError> {
        self.keywords = keywords(&self.keywords)?;
        self.contributors = contributors(&self.contributors)?;
        for (field, text, most) in [
            ("publisher", &mut self.publisher, MAX_NAME),
            ("place", &mut self.place, MAX_NAME),
            ("rights_holder", &mut self.rights_holder, MAX_NAME),
            ("evidence_words", &mut self.evidence_words, MAX_WORDS),
            ("evidence_paper", &mut self.evidence_paper, MAX_NAME),
        ] {
            *text = tidy(field, text, most)?;
        }
        self.made = made(&self.made)?;
        self.place_code = place_code(&self.place_code)?;
        self.difficulty = code("difficulty", &self.difficulty, DIFFICULTIES)?;
        self.evidence = code("evidence", &self.evidence, EVIDENCE)?;
        self.learning_minutes = match self.learning_minutes {
            None | Some(0) => None,
            Some(minutes) if (1..=MAX_MINUTES).contains(&minutes) => Some(minutes),
            Some(minutes) => return Err(bad("learning_minutes", &minutes.to_string())),
        };
        self.source_url = address(&self.source_url)?;
        self.local = self.local.map(LocalMark::checked).transpose()?;
        Ok(self)
    }

    /// Every field as one text, by its name: to be compared and shown in lists. Codes stay codes;
    /// several values have a space between them, contributors and the local mark a line each.
    #[must_use]
    pub fn texts(&self) -> Vec<(&'static str, String)> {
        let contributors = self.contributors.iter();
        let contributors: Vec<String> =
            contributors.map(|one| format!("{} {}", one.role, one.name)).collect();
        let local = self.local.clone().unwrap_or_default();
        vec![
            ("keywords", self.keywords.join(" ")),
            ("contributors", contributors.join("\n")),
            ("publisher", self.publisher.clone()),
            ("made", self.made.clone()),
            ("place", self.place.clone()),
            ("place_code", self.place_code.clone()),
            ("difficulty", self.difficulty.clone()),
            ("learning_minutes", self.learning_minutes.map(|n| n.to_string()).unwrap_or_default()),
            ("rights_holder", self.rights_holder.clone()),
            ("evidence", self.evidence.clone()),
            ("evidence_words", self.evidence_words.clone()),
            ("evidence_paper", self.evidence_paper.clone()),
            ("source_url", self.source_url.clone()),
            ("local.origin", local.origin),
            ("local.bearer", local.bearer),
            ("local.dialect", local.dialect),
            ("local.dialect_words", local.dialect_words),
            ("local.heritage", local.heritage),
        ]
    }
}

impl LocalMark {
    /// Checks every field and trims the texts.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for the first field that cannot be kept.
    pub fn checked(self) -> Result<Self, RuleError> {
        let mark = Self {
            origin: tidy("local.origin", &self.origin, MAX_NAME)?,
            bearer: tidy("local.bearer", &self.bearer, MAX_NAME)?,
            dialect: code("local.dialect", &self.dialect, DIALECTS)?,
            dialect_words: tidy("local.dialect_words", &self.dialect_words, MAX_NAME)?,
            heritage: code("local.heritage", &self.heritage, HERITAGE)?,
        };
        if mark.origin.is_empty() { Err(bad("local.origin", "")) } else { Ok(mark) }
    }
}

fn bad(field: &'static str, value: &str) -> RuleError {
    RuleError::BadField { field, value: value.chars().take(40).collect() }
}

/// Trimmed, each once, none empty.
fn keywords(words: &[String]) -> Result<Vec<String>, RuleError> {
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let word = tidy("keywords", word, MAX_KEYWORD)?;
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
        if !word.is_empty() && !kept.contains(&word) {
            kept.push(word);
        }
    }
    few("keywords", kept)
}

/// Those that have a name; without a role they are `other`.
fn contributors(all: &[Contributor]) -> Result<Vec<Contributor>, RuleError> {
    let mut kept = Vec::new();
    for one in all {
        let name = tidy("contributors", &one.name, MAX_NAME)?;
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let role = if one.role.trim().is_empty() { "other" } else { one.role.trim() };
        let one = Contributor { role: code("contributors", role, ROLES)?, name };
        if !one.name.is_empty() && !kept.contains(&one) {
            kept.push(one);
        }
    }
    few("contributors", kept)
}

fn few<T>(field: &'static str, kept: Vec<T>) -> Result<Vec<T>, RuleError> {
    if kept.len() > MAX_ENTRIES { Err(bad(field, &kept.len().to_string())) } else { Ok(kept) }
}

/// A code of `terms`, or nothing.
fn code(
    field: &'static str,
    text: &str,
    terms: &[super::vocabulary::Term],
) -> Result<String, RuleError> {
    let code = text.trim().to_owned();
    if !code.is_empty() {
        known(field, std::slice::from_ref(&code), terms).map_err(|_| bad(field, &code))?;
    }
    Ok(code)
}

fn place_code(text: &str) -> Result<String, RuleError> {
    let text = text.trim();
    if !text.is_empty() {
        text.parse::<DivisionCode>().map_err(|_| bad("place_code", text))?;
    }
    Ok(text.to_owned())
}

/// A year, a month or a day of the Gregorian calendar (ISO 8601-1).
fn made(text: &str) -> Result<String, RuleError> {
    let text = text.trim();
    let parts: Vec<&str> = text.split('-').collect();
    let is_number = |part: &&str, digits| {
        part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let number = |at: usize| parts.get(at).and_then(|part| part.parse::<i16>().ok());
    let fits = match parts[..] {
        [""] => true,
        [year] => is_number(&year, 4) && number(0) > Some(0),
        [year, month] => {
            is_number(&year, 4)
                && is_number(&month, 2)
                && number(1).is_some_and(|m| (1..=12).contains(&m))
        }
        [year, month, day] => {
            is_number(&year, 4)
                && is_number(&month, 2)
                && is_number(&day, 2)
                && text.parse::<jiff::civil::Date>().is_ok()
        }
        _ => false,
    };
    if fits { Ok(text.to_owned()) } else { Err(bad("made", text)) }
}

/// An address that a browser opens, without a password.
fn address(text: &str) -> Result<String, RuleError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let url = url::Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
    });
    match url.map(String::from).filter(|url| url.len() <= MAX_URL) {
        Some(url) => Ok(url),
        None => Err(bad("source_url", text)),
    }
}

#[cfg(test)]
#[path = "particulars_tests.rs"]
mod tests;
