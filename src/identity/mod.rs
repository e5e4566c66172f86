//! Logging in by an account from elsewhere: OpenID Connect Core 1.0, authorisation code flow with
//! PKCE (RFC 7636). What is asked of providers and how their answers are checked; no rows.

mod fetch;
mod logout;
mod provider;
pub mod settings;
mod vouched;

use crate::config::Config;

pub use provider::{Begun, Finishing, Provider};
pub use vouched::Vouched;

/// Why somebody could not be vouched for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider does not answer, or not as a provider does.
    #[error("the provider does not answer: {0}")]
    Unreachable(String),
    /// The provider refuses: the client's settings are wrong there or here.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// The person, or the provider for them, said no.
    #[error("not allowed at the provider: {0}")]
    Denied(String),
    /// The code was used, or its time is over.
    #[error("the code is not taken: {0}")]
    Code(String),
    /// The token's times do not go with our clock.
    #[error("times that do not fit: {0}")]
    Clock(String),
    /// The token is not for us, or not from them.
    #[error("a token that is not trusted: {0}")]
    Token(String),
}

impl Error {
    /// Code of the sentence that tells it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "identity_down",
            Self::Refused(_) => "identity_refused",
            Self::Denied(_) => "identity_denied",
            Self::Code(_) => "identity_over",
            Self::Clock(_) => "identity_clock",
            Self::Token(_) => "identity_token",
        }
    }
}

/// The providers of the settings, with what is known of them.
#[derive(Debug, Default)]
pub struct Providers(Vec<Provider>);

impl Providers {
    /// Those of `config`; none is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] when there is no TLS to ask with.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let settings = &config.identity;
        let one = |own: &settings::Provider| {
            Provider::new(settings, own.clone(), &config.server.public_url)
        };
        Ok(Self(settings.providers.iter().map(one).collect::<Result<_, _>>()?))
    }

    /// In the order of the settings.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }

    /// The one called `key`.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&Provider> {
        self.0.iter().find(|one| one.settings.key == key)
    }

    /// The issuers by which somebody can log in now.
    #[must_use]
    pub fn issuers(&self) -> Vec<&str> {
        self.0.iter().map(|one| one.settings.issuer.as_str()).collect()
    }
}
