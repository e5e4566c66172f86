//! A provider tells that somebody logged out there: OpenID Connect Back-Channel Logout 1.0.

use std::str::FromStr as _;

use openidconnect::core::CoreIdToken;

use super::{Error, Provider, Vouched};

/// The event that a token of a logout must name (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What such tokens call themselves (section 2.4): nothing at some providers, `Logout` at Keycloak.
const TYPES: [&str; 3] = ["JWT", "logout+jwt", "Logout"];

impl Provider {
    /// Whose sessions a provider's token ends: those of `subject`, or of them only those that were
    /// begun by `session`.
    ///
    /// # Errors
    ///
    /// [`Error`] when the token is not the provider's, not of now or of no logout.
    pub async fn logged_out(&self, token: &str) -> Result<Vouched, Error> {
        let token = CoreIdToken::from_str(token);
        let token = token.map_err(|_| Error::Token("it cannot be read".into()))?;
        let vouched = self.verify_other(&token, &TYPES).await?;
        let events = vouched.claims.get("events");
        if events.and_then(|events| events.get(EVENT)).is_some_and(serde_json::Value::is_object) {
            Ok(vouched)
        } else {
            Err(Error::Token("it is about no logout".into()))
        }
    }
}
