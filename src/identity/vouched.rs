//! What a provider says of a person, read with care: names are for people, never for rights.

use serde_json::{Map, Value};

use super::settings::Provider;
use crate::catalogue::{Email, Sha256, login_name, shown_name};

/// Longest login name that is made of a claim, in characters; an ending may follow.
const MAX_NAME: usize = 48;

/// Groups that are looked at.
const MAX_GROUPS: usize = 1000;

/// A person as a provider vouches for them.
#[derive(Debug, Clone)]
pub struct Vouched {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `sid`: the session there.
    pub session: Option<String>,
    /// All that the token and the provider's answer say.
    pub(super) claims: Map<String, Value>,
}

impl Vouched {
    /// The claim `name`; parts of a path are separated by dots (`realm_access.roles`).
    fn claim(&self, name: &str) -> Option<&Value> {
        let whole = self.claims.get(name);
        whole.or_else(|| {
            let mut parts = name.split('.');
            let first = self.claims.get(parts.next()?)?;
            parts.try_fold(first, |value, part| value.get(part))
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// Whether the claim `name` was told.
    pub(super) fn has(&self, name: &str) -> bool {
        self.claim(name).is_some()
    }

    /// The address that they write to, when the provider has made sure that it is theirs.
    #[must_use]
    pub fn verified_email(&self) -> Option<Email> {
        let verified = match self.claim("email_verified")? {
            Value::Bool(verified) => *verified,
            // As some providers write it.
            Value::String(text) => text == "true",
            _ => false,
        };
        self.text("email").filter(|_| verified)?.parse().ok()
    }

    /// Whether `provider` lets in whoever has this address.
    #[must_use]
    pub fn is_of_domains(&self, provider: &Provider) -> bool {
        if provider.email_domains.is_empty() {
            return true;
        }
        self.verified_email().is_some_and(|email| {
            let host = email.as_str().rsplit('@').next().unwrap_or_default();
            provider.email_domains.iter().any(|domain| domain.eq_ignore_ascii_case(host))
        })
    }

    /// A name to log in with, of the claim that `provider` says, else of the address.
    #[must_use]
    pub fn login_name(&self, provider: &Provider) -> String {
        let local = self.text("email").and_then(|email| email.split('@').next());
        let told = self.text(&provider.name_claim).or(local).unwrap_or_default();
        let plain = told.chars().map(|c| if c.is_whitespace() { '-' } else { c });
        let plain: String = plain.filter(|c| !c.is_control()).take(MAX_NAME).collect();
        login_name(&plain).unwrap_or_else(|_| self.made_up_name())
    }

    /// A name that hardly anybody else has.
    #[must_use]
    pub fn made_up_name(&self) -> String {
        let hash = Sha256::of(format!("{}\n{}", self.issuer, self.subject).as_bytes()).to_string();
        format!("u-{}", &hash[..12])
    }

    /// The name shown to people.
    #[must_use]
    pub fn display_name(&self, provider: &Provider) -> Option<String> {
        let told = self.text(&provider.display_name_claim)?;
        let short: String = told.chars().filter(|c| !c.is_control()).take(100).collect();
        shown_name(&short).ok()
    }

    /// What the person is called there, for a list of identities.
    #[must_use]
    pub fn label(&self, provider: &Provider) -> String {
        let told = [provider.name_claim.as_str(), "email", &provider.display_name_claim];
        let told = told.iter().find_map(|name| self.text(name)).unwrap_or(&self.subject);
        told.chars().filter(|c| !c.is_control()).take(100).collect()
    }

    /// The groups of the claim that `provider` says: a list of names, or one name.
    #[must_use]
    pub fn groups(&self, provider: &Provider) -> Vec<&str> {
        match self.claim(&provider.groups_claim) {
            Some(Value::Array(all)) => {
                all.iter().filter_map(Value::as_str).take(MAX_GROUPS).collect()
            }
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn provider() -> Provider {
        let text = "key = \"city\"\nname = \"市\"\nissuer = \"https://id.example.cn\"\nclient_id = \"duoku\"";
        toml::from_str(text).expect("a provider")
    }

    fn vouched(claims: Value) -> Vouched {
        let Value::Object(claims) = claims else { panic!("an object") };
        let (issuer, subject) = ("https://id.example.cn".to_owned(), "7".to_owned());
        Vouched { issuer, subject, session: None, claims }
    }

    #[test]
    fn names_come_from_claims_and_can_always_be_kept() {
        let named = |claims| vouched(claims).login_name(&provider());
        assert_eq!(named(json!({ "preferred_username": "Lin  Xue" })), "lin--xue");
        assert_eq!(named(json!({ "email": "wei@example.cn" })), "wei");
        for claims in [
            json!({}),
            json!({ "preferred_username": 7 }),
            json!({ "preferred_username": " \u{7}" }),
        ] {
            assert!(named(claims).starts_with("u-"));
        }
        assert_eq!(named(json!({ "preferred_username": "x".repeat(5000) })).len(), MAX_NAME);
        let shown = vouched(json!({ "name": " 林\u{0}雪 " })).display_name(&provider());
        assert_eq!(shown.as_deref(), Some("林雪"));
        assert_eq!(vouched(json!({})).label(&provider()), "7");
    }

    #[test]
    fn an_address_counts_only_when_it_was_verified() {
        let mut provider = provider();
        provider.email_domains = vec!["example.cn".into()];
        for (claims, good) in [
            (json!({ "email": "a@Example.CN", "email_verified": true }), true),
            (json!({ "email": "a@example.cn", "email_verified": "true" }), true),
            (json!({ "email": "a@example.cn", "email_verified": false }), false),
            (json!({ "email": "a@example.cn" }), false),
            (json!({ "email": "a@b.example.cn", "email_verified": true }), false),
            (json!({ "email": "a@evil.cn@example.cn", "email_verified": true }), false),
            (json!({}), false),
        ] {
            assert_eq!(vouched(claims.clone()).is_of_domains(&provider), good, "{claims}");
        }
    }

    #[test]
    fn groups_are_read_where_the_settings_say() {
        let mut provider = provider();
        let claims =
            json!({ "groups": ["a", 7, "b"], "realm_access": { "roles": ["r"] }, "one": "x" });
        let vouched = vouched(claims);
        assert_eq!(vouched.groups(&provider), ["a", "b"]);
        for (claim, groups) in [
            ("realm_access.roles", vec!["r"]),
            ("one", vec!["x"]),
            ("groups.a", vec![]),
            ("", vec![]),
        ] {
            provider.groups_claim = claim.into();
            assert_eq!(vouched.groups(&provider), groups, "{claim}");
        }
    }
}
