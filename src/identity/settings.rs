//! Which providers people may log in by: `[identity]` of the settings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use url::{Host, Url};

/// What variables with the secrets of clients begin with; the provider's key follows.
pub const SECRET_VARIABLE: &str = "DUOKU_IDENTITY_SECRET_";

/// `[identity]`; config/duoku.toml describes each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is described in config/duoku.toml")]
pub struct Identity {
    pub timeout_ms: u64,
    pub max_answer_bytes: usize,
    pub leeway_seconds: u64,
    pub login_minutes: i64,
    pub keys_pause_ms: u64,
    pub providers: Vec<Provider>,
}

/// `[[identity.providers]]`; config/duoku.toml describes each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is described in config/duoku.toml")]
pub struct Provider {
    pub key: String,
    pub name: String,
    #[serde(default)]
    pub name_en: String,
    pub issuer: String,
    pub client_id: String,
    /// Comes from the environment alone.
    #[serde(skip)]
    pub client_secret: Option<Secret>,
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    #[serde(default = "name_claim")]
    pub name_claim: String,
    #[serde(default = "display_name_claim")]
    pub display_name_claim: String,
    #[serde(default)]
    pub accounts: Accounts,
    #[serde(default)]
    pub organisation: String,
    #[serde(default)]
    pub email_domains: Vec<String>,
    #[serde(default)]
    pub trust_email: bool,
    #[serde(default = "groups_claim")]
    pub groups_claim: String,
    #[serde(default)]
    pub teams: BTreeMap<String, String>,
    #[serde(default)]
    pub allow_http: bool,
    #[serde(default = "yes")]
    pub logout: bool,
}

/// What becomes of somebody whom no account is linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accounts {
    /// They get an account with the first login.
    Create,
    /// Their account must be there and be linked.
    #[default]
    Link,
}

/// A text that no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).into()
}

fn name_claim() -> String {
    "preferred_username".to_owned()
}

fn display_name_claim() -> String {
    "name".to_owned()
}

fn groups_claim() -> String {
    "groups".to_owned()
}

fn yes() -> bool {
    true
}

impl Identity {
    /// Gives providers their secrets: variables that begin with [`SECRET_VARIABLE`].
    ///
    /// # Errors
    ///
    /// The name of a variable that belongs to no provider.
    pub fn take_secrets(&mut self, variables: Vec<(String, String)>) -> Result<(), String> {
        for (name, value) in variables {
            let provider = self.providers.iter_mut().find(|one| one.secret_variable() == name);
            let Some(provider) = provider else { return Err(name) };
            provider.client_secret = Some(Secret(value)).filter(|secret| !secret.0.is_empty());
        }
        Ok(())
    }

    /// Looks whether the settings can be used at `public_url`.
    ///
    /// # Errors
    ///
    /// The setting, and what is wrong with it.
    pub fn check(&self, public_url: &str) -> Result<(), (String, String)> {
        let bad = |name: &str, problem: &str| Err((format!("identity.{name}"), problem.to_owned()));
        if !(100..=120_000).contains(&self.timeout_ms) {
            return bad("timeout_ms", "must be 100 to 120000");
        }
        if !(4096..=67_108_864).contains(&self.max_answer_bytes) {
            return bad("max_answer_bytes", "must be 4096 to 67108864");
        }
        if self.leeway_seconds > 600 {
            return bad("leeway_seconds", "must be 0 to 600");
        }
        if !(1..=60).contains(&self.login_minutes) {
            return bad("login_minutes", "must be 1 to 60");
        }
        let (mut keys, mut issuers) = (BTreeSet::new(), BTreeSet::new());
        for (at, provider) in self.providers.iter().enumerate() {
            let wrong = |(name, problem): (&str, &str)| {
                let place =
                    if provider.key.is_empty() { at.to_string() } else { provider.key.clone() };
                (format!("identity.providers[{place}].{name}"), problem.to_owned())
            };
            provider.check().map_err(wrong)?;
            if !keys.insert(&provider.key) {
                return Err(wrong(("key", "is another provider's too")));
            }
            if !issuers.insert(&provider.issuer) {
                return Err(wrong(("issuer", "is another provider's too")));
            }
        }
        if self.providers.is_empty() {
            return Ok(());
        }
        let fits = Url::parse(public_url).is_ok_and(|url| is_safe(&url, true));
        if fits {
            Ok(())
        } else {
            bad("providers", "need server.public_url, https://… (http only at this machine)")
        }
    }
}

impl Provider {
    /// The variable that holds the client's secret.
    #[must_use]
    pub fn secret_variable(&self) -> String {
        format!("{SECRET_VARIABLE}{}", self.key.to_uppercase().replace('-', "_"))
    }

    /// Whether what is at `url` may be asked.
    #[must_use]
    pub fn may_ask(&self, url: &Url) -> bool {
        is_safe(url, self.allow_http)
    }

    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=32).contains(&self.key.len()) || !self.key.chars().all(plain) {
            return Err(("key", "must be 1 to 32 of a to z, 0 to 9 and -"));
        }
        if self.name.trim().is_empty() {
            return Err(("name", "must not be empty"));
        }
        let issuer = Url::parse(&self.issuer).map_err(|_| ("issuer", "must be an address"))?;
        if issuer.query().is_some() || issuer.fragment().is_some() {
            return Err(("issuer", "must have neither ? nor #"));
        }
        if !self.may_ask(&issuer) {
            let problem =
                "must begin with https:// (http:// only at this machine, with allow_http)";
            return Err(("issuer", problem));
        }
        if self.client_id.trim().is_empty() {
            return Err(("client_id", "must not be empty"));
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err(("scopes", "must have \"openid\""));
        }
        if self.name_claim.is_empty() || self.display_name_claim.is_empty() {
            return Err(("name_claim", "and display_name_claim must not be empty"));
        }
        if !self.email_domains.iter().all(|domain| crate::config::is_domain(domain)) {
            return Err(("email_domains", "must be domains such as example.cn"));
        }
        if !self.teams.is_empty() && self.groups_claim.is_empty() {
            return Err(("groups_claim", "must be set together with teams"));
        }
        Ok(())
    }
}

/// Whether nobody on the way can read or change what is sent to `url`.
fn is_safe(url: &Url, allow_http: bool) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || url.scheme() == "http" && here && allow_http
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<(), String> {
        let text = format!(
            "timeout_ms = 10000\nmax_answer_bytes = 1048576\nleeway_seconds = 60\nlogin_minutes = 10\n\
             keys_pause_ms = 60000\n{lines}"
        );
        let identity: Identity = toml::from_str(&text).map_err(|error| error.to_string())?;
        let checked = identity.check("https://learn.example.cn");
        checked.map_err(|(name, problem)| format!("{name}: {problem}"))
    }

    const GOOD: &str = "[[providers]]\nkey = \"city\"\nname = \"市\"\n\
        issuer = \"https://id.example.cn/realms/city\"\nclient_id = \"duoku\"\n";

    #[test]
    fn a_provider_needs_few_settings() {
        read("providers = []").expect("none");
        read(GOOD).expect("one");
        read(
            &GOOD
                .replace("https://id.example.cn", "http://127.0.0.1:8081")
                .replace("key", "allow_http = true\nkey"),
        )
        .expect("http at this machine");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_name_of_the_setting() {
        let second = GOOD.replace("city\"\nname", "other\"\nname");
        for (lines, said) in [
            (GOOD.replace("\"city\"", "\"City Login\""), "providers[City Login].key"),
            (GOOD.replace("https://id", "http://id"), "providers[city].issuer"),
            (GOOD.replace("https://id", "allow://id"), "providers[city].issuer"),
            (GOOD.replace("https://id.example.cn", "http://127.0.0.1"), "providers[city].issuer"),
            (GOOD.replace("realms/city", "?a=b"), "providers[city].issuer"),
            (GOOD.replace("\"duoku\"", "\"\""), "providers[city].client_id"),
            (format!("{GOOD}scopes = [\"email\"]"), "providers[city].scopes"),
            (format!("{GOOD}email_domains = [\"@x\"]"), "providers[city].email_domains"),
            (
                format!("{GOOD}groups_claim = \"\"\nteams = {{ a = \"b\" }}"),
                "providers[city].groups_claim",
            ),
            (format!("{GOOD}{GOOD}"), "providers[city].key"),
            (format!("{GOOD}{second}"), "providers[other].issuer"),
            (format!("{GOOD}client_secret = \"x\""), "unknown field"),
            (format!("{GOOD}accounts = \"all\""), "unknown variant"),
        ] {
            let error = read(&lines).expect_err("wrong");
            assert!(error.contains(said), "{error} instead of {said}");
        }
    }

    #[test]
    fn the_site_must_be_known_and_safe() {
        let identity = format!(
            "timeout_ms = 1000\nmax_answer_bytes = 4096\nleeway_seconds = 0\nlogin_minutes = 1\nkeys_pause_ms = 0\n{GOOD}"
        );
        let identity: Identity = toml::from_str(&identity).expect("readable");
        for url in ["", "http://learn.example.cn", "https:"] {
            assert!(identity.check(url).is_err(), "{url:?}");
        }
        for url in ["https://learn.example.cn/", "http://127.0.0.1:8080", "http://localhost:1"] {
            assert!(identity.check(url).is_ok(), "{url:?}");
        }
    }

    #[test]
    fn secrets_come_from_the_environment_and_show_nowhere() {
        let text = format!(
            "timeout_ms = 1000\nmax_answer_bytes = 4096\nleeway_seconds = 0\nlogin_minutes = 1\nkeys_pause_ms = 0\n{}",
            GOOD.replace("\"city\"", "\"city-one\"")
        );
        let mut identity: Identity = toml::from_str(&text).expect("readable");
        let variable = |name: &str| (format!("{SECRET_VARIABLE}{name}"), "hush".to_owned());
        identity.take_secrets(vec![variable("CITY_ONE")]).expect("its own");
        assert!(identity.providers[0].client_secret.is_some());
        assert!(!format!("{identity:?}").contains("hush"));
        identity.take_secrets(vec![variable("OTHER")]).expect_err("nobody's");
    }
}
