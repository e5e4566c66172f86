//! Another repository whose records are shown here.

use serde::{Deserialize, Serialize};

use super::{AUDIENCES, AccountId, LibraryId, RuleError, SourceId, TOPICS};

/// Longest address, bytes.
const MAX_URL: usize = 1000;

/// A repository that is harvested by OAI-PMH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HarvestSource {
    /// Its id.
    pub id: SourceId,
    /// Shown as the home of its records.
    pub name: String,
    /// Base URL of its OAI-PMH.
    pub url: String,
    /// `metadataPrefix`
    pub prefix: String,
    /// Of this set only.
    pub set: Option<String>,
    /// Where its records are shown.
    pub library: LibraryId,
    /// Who added it.
    pub account: AccountId,
    /// What is put in where a record says nothing.
    pub mapping: Mapping,
    /// From one harvest's end to the next, milliseconds; 0: only when asked.
    pub every_ms: i64,
    /// Not before, Unix milliseconds; nothing: only when asked.
    pub run_at_ms: Option<i64>,
    /// How many harvests were begun.
    pub round: i64,
    /// The harvest under way takes all records: those it does not meet are gone.
    pub whole: bool,
    /// `from` of the next harvest.
    pub since: Option<String>,
    /// What `since` becomes when the harvest under way ends.
    pub begun: Option<String>,
    /// Where the harvest under way goes on.
    pub token: Option<String>,
    /// Failures since it last went well.
    pub failures: i64,
    /// Code of the last failure, and the value in question.
    pub error: Option<(String, String)>,
    /// When it last went well to its end, Unix milliseconds.
    pub ended_ms: Option<i64>,
}

/// What is put in where a record says nothing, and what its words mean here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// BCP 47, of records without a language.
    pub language: Option<String>,
    /// Topics that every record has.
    pub topics: Vec<String>,
    /// Audiences that every record has.
    pub audiences: Vec<String>,
    /// Subjects of theirs and the topics that they are here.
    pub subjects: std::collections::BTreeMap<String, String>,
    /// Licence of records that name none.
    pub licence: String,
}

impl Mapping {
    /// Checks the codes.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for the first that is not known.
    pub fn checked(self) -> Result<Self, RuleError> {
        let known = |terms: &[super::Term], code: &str| terms.iter().any(|term| term.code == code);
        let wrong_topic = self.topics.iter().chain(self.subjects.values());
        if let Some(code) = wrong_topic.into_iter().find(|code| !known(TOPICS, code)) {
            return Err(RuleError::BadField { field: "topics", value: code.clone() });
        }
        if let Some(code) = self.audiences.iter().find(|code| !known(AUDIENCES, code)) {
            return Err(RuleError::BadField { field: "audiences", value: code.clone() });
        }
        if self.subjects.len() > 1000 || self.licence.chars().count() > 200 {
            return Err(RuleError::BadField { field: "mapping", value: String::new() });
        }
        Ok(self)
    }
}

/// `url` as the base URL of a repository, with its host and port.
///
/// # Errors
///
/// [`RuleError::BadField`] unless it is by http or https and has no user, password or fragment.
pub fn base_url(text: &str) -> Result<(String, String), RuleError> {
    let bad = || {
        let value = text.chars().take(80).collect();
        RuleError::BadField { field: "url", value }
    };
    let url = url::Url::parse(text.trim()).map_err(|_| bad())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && url.as_str().len() <= MAX_URL;
    let host = url.host_str().filter(|_| plain).ok_or_else(bad)?;
    let port = url.port_or_known_default().ok_or_else(bad)?;
    Ok((url.to_string(), format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_sources() {
        let host = |url| base_url(url).map(|(_, host)| host).ok();
        assert_eq!(host("https://a.example/oai?x=1").as_deref(), Some("a.example:443"));
        assert_eq!(host(" http://[::1]:8080/oai ").as_deref(), Some("[::1]:8080"));
        for wrong in ["", "a.example/oai", "ftp://a.example/", "http://u:p@a/", "file:///etc"] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_mapping_names_what_is_known() {
        let mapping = |json: &str| serde_json::from_str::<Mapping>(json).expect("JSON").checked();
        assert!(mapping(r#"{"topics":["law"],"subjects":{"法律":"law"}}"#).is_ok());
        assert!(mapping(r#"{"subjects":{"法律":"lex"}}"#).is_err());
    }
}
