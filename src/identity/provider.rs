//! One provider: where it is asked, and how its answers are checked.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreErrorResponseType, CoreGrantType, CoreIdToken, CoreIdTokenClaims,
    CoreIdTokenVerifier, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType, CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndSessionUrl, HttpRequest,
    HttpResponse, IssuerUrl, JsonWebKeySet, JsonWebKeySetUrl, LanguageTag, LogoutRequest, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadata, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    StandardErrorResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::fetch::{FetchError, Fetcher};
use super::settings::{self, Identity};
use super::{Error, Vouched};

/// How long what a provider says of itself is believed.
const METADATA_LASTS: Duration = Duration::from_hours(1);

/// For how long a provider that did not answer is not asked who it is again.
const DOWN_PAUSE: Duration = Duration::from_secs(3);

/// The oldest token that is taken as fresh, seconds; codes live for minutes at most (RFC 6749
/// section 4.1.2).
const FRESH_SECONDS: i64 = 600;

/// What tokens may be signed with: keys that only the provider has. Neither `none` nor HMAC, whose
/// key we know too.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a provider says of itself besides what OpenID Connect Discovery 1.0 wants.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct More {
    /// OpenID Connect RP-Initiated Logout 1.0 section 2.1.
    end_session_endpoint: Option<EndSessionUrl>,
    /// RFC 9207 section 3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// One provider.
#[derive(Debug)]
pub struct Provider {
    /// Its settings.
    pub settings: settings::Provider,
    fetcher: Arc<Fetcher>,
    /// No slash at its end.
    site: String,
    leeway: Duration,
    keys_pause: Duration,
    known: Mutex<Known>,
}

/// What was read of a provider.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Instant)>,
    /// When it did not answer last.
    down: Option<Instant>,
    /// When its keys were asked for because of a token that none of them signed.
    asked_for_keys: Option<Instant>,
}

/// A login that was begun: where the browser goes, and what is kept until it comes back.
#[derive(Debug)]
pub struct Begun {
    /// At the provider.
    pub url: String,
    /// Comes back in the address.
    pub state: String,
    /// Comes back in the token.
    pub nonce: String,
    /// Of PKCE.
    pub verifier: String,
}

/// What a browser brought back, with what was kept for it.
#[derive(Debug)]
pub struct Finishing {
    /// From the address.
    pub code: String,
    /// As it was begun with.
    pub nonce: String,
    /// As it was begun with.
    pub verifier: String,
}

impl Provider {
    pub(super) fn new(
        identity: &Identity,
        settings: settings::Provider,
        public_url: &str,
    ) -> Result<Self, Error> {
        let fetcher = Fetcher::new(identity, settings.clone());
        Ok(Self {
            fetcher: Arc::new(fetcher.map_err(|error| Error::Unreachable(error.to_string()))?),
            site: public_url.trim_end_matches('/').to_owned(),
            leeway: Duration::from_secs(identity.leeway_seconds),
            keys_pause: Duration::from_millis(identity.keys_pause_ms),
            known: Mutex::default(),
            settings,
        })
    }

    /// Where the provider sends browsers back to; registered there exactly so.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("{}/login/with/{}/done", self.site, self.settings.key)
    }

    /// Begins a login in the language `lang` (BCP 47).
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] when the provider cannot be asked.
    pub async fn begin(&self, lang: &str) -> Result<Begun, Error> {
        let metadata = self.metadata().await?;
        let client =
            CoreClient::from_provider_metadata(metadata.as_ref().clone(), self.client_id(), None)
                .set_redirect_uri(self.redirect_url()?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid");
        let (url, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(scopes.map(|scope| Scope::new(scope.clone())))
            .add_ui_locale(LanguageTag::new(lang.to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun {
            url: url.into(),
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        })
    }

    /// Whether an answer with `iss` in its address (RFC 9207) is this provider's.
    ///
    /// # Errors
    ///
    /// [`Error::Token`] when it is another's, or should be told.
    pub async fn check_issuer(&self, iss: Option<&str>) -> Result<(), Error> {
        match iss {
            Some(iss) if iss == self.settings.issuer => Ok(()),
            Some(iss) => Err(Error::Token(format!("the answer is of {iss:?}"))),
            None if self
                .metadata()
                .await?
                .additional_metadata()
                .authorization_response_iss_parameter_supported =>
            {
                Err(Error::Token("the answer does not say whose it is".into()))
            }
            None => Ok(()),
        }
    }

    /// Gets who it is for the code that a browser brought back.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn finish(&self, finishing: Finishing) -> Result<Vouched, Error> {
        let metadata = self.metadata().await?;
        let tokens = self.exchange(&metadata, finishing.code, finishing.verifier).await?;
        let nonce = Nonce::new(finishing.nonce);
        let token = tokens.id_token().ok_or_else(|| Error::Token("there is none".into()))?;
        let (metadata, claims) = self.verify(metadata, token, &nonce).await?;
        self.check_access_token(&metadata, token, tokens.access_token(), &claims)?;
        let mut vouched = vouched(token, &claims)?;
        if let Some(endpoint) = metadata.userinfo_endpoint().filter(|_| self.wants_more(&vouched)) {
            let url = endpoint.url().as_str();
            let more = self.userinfo(url, tokens.access_token().secret(), &vouched.subject).await?;
            for (name, value) in more {
                // What is signed comes first.
                vouched.claims.entry(name).or_insert(value);
            }
        }
        Ok(vouched)
    }

    /// Where a browser logs out at the provider as well, when it has such a place.
    pub async fn logout_url(&self) -> Option<String> {
        let metadata = self.metadata().await.ok().filter(|_| self.settings.logout)?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone()?;
        let back = PostLogoutRedirectUrl::new(format!("{}/", self.site)).ok()?;
        let request = LogoutRequest::from(endpoint).set_client_id(self.client_id());
        Some(request.set_post_logout_redirect_uri(back).http_get_url().into())
    }

    /// Asks the provider who it is, whatever is known: for the command line.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`].
    pub async fn look(&self) -> Result<String, Error> {
        let metadata = self.metadata().await?;
        let keys = metadata.jwks().keys().len();
        let logout = metadata.additional_metadata().end_session_endpoint.is_some();
        let endpoint = metadata.authorization_endpoint().as_str();
        Ok(format!("{endpoint}\tkeys: {keys}\tlogout: {}", if logout { "yes" } else { "no" }))
    }

    fn exchange(
        &self,
        metadata: &Metadata,
        code: String,
        verifier: String,
    ) -> BoxFuture<'static, Result<CoreTokenResponse, Error>> {
        let secret = self.settings.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.0.clone()));
        let (metadata, client_id, fetcher) =
            (metadata.clone(), self.client_id(), Arc::clone(&self.fetcher));
        let redirect = self.redirect_url();
        Box::pin(async move {
            let by = auth_type(&metadata);
            let client = CoreClient::from_provider_metadata(metadata, client_id, secret)
                .set_auth_type(by)
                .set_redirect_uri(redirect?);
            let request = client
                .exchange_code(AuthorizationCode::new(code))
                .map_err(|error| Error::Unreachable(error.to_string()))?
                .set_pkce_verifier(PkceCodeVerifier::new(verifier));
            request.request_async(&asking(fetcher)).await.map_err(not_exchanged)
        })
    }

    /// Checks a token; when its key is not known, with the provider's keys of now.
    async fn verify(
        &self,
        metadata: Arc<Metadata>,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<(Arc<Metadata>, CoreIdTokenClaims), Error> {
        let verifier = self.verifier(&metadata);
        match token.claims(&verifier, nonce) {
            Err(error) if is_key_unknown(&error) => {
                let metadata = self.ask_for_keys(metadata).await?;
                let claims = token.claims(&self.verifier(&metadata), nonce).map_err(wrong)?.clone();
                self.check_party(&claims)?;
                Ok((metadata, claims))
            }
            Err(error) => Err(wrong(error)),
            Ok(claims) => {
                self.check_party(claims)?;
                Ok((metadata, claims.clone()))
            }
        }
    }

    /// The claims of a token that no login asked for, with the rest of its text.
    pub(super) async fn verify_other(
        &self,
        token: &CoreIdToken,
        types: &[&str],
    ) -> Result<Vouched, Error> {
        let metadata = self.metadata().await?;
        // OpenID Connect Back-Channel Logout 1.0 section 2.4: none may be there, so that no token
        // of a login can be taken for one of a logout.
        let none = |nonce: Option<&Nonce>| match nonce {
            None => Ok(()),
            Some(_) => Err("there is a nonce".to_owned()),
        };
        let claims = |metadata: &Arc<Metadata>| {
            let types =
                types.iter().map(|name| openidconnect::JsonWebTokenType::new((*name).to_owned()));
            let types = types.filter_map(|name| name.normalize().ok());
            token.claims(&self.verifier(metadata).set_allowed_jose_types(types), none).cloned()
        };
        let claims = match claims(&metadata) {
            Err(error) if is_key_unknown(&error) => {
                claims(&self.ask_for_keys(metadata).await?).map_err(wrong)?
            }
            other => other.map_err(wrong)?,
        };
        vouched(token, &claims)
    }

    /// What tokens are checked against: signature, issuer, audience, and our clock.
    fn verifier(&self, metadata: &Metadata) -> CoreIdTokenVerifier<'static> {
        let leeway = self.leeway;
        let slack = leeway.as_secs().try_into().unwrap_or(i64::MAX);
        let keys = metadata.jwks().clone();
        // A public client's: a secret that both know signs nothing.
        CoreIdTokenVerifier::new_public_client(self.client_id(), metadata.issuer().clone(), keys)
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || (SystemTime::now() - leeway).into())
            .set_issue_time_verifier_fn(move |issued| is_fresh(issued.timestamp(), now_s(), slack))
    }

    /// OpenID Connect Core 1.0 section 3.1.3.7: the party that it was made for is us.
    fn check_party(&self, claims: &CoreIdTokenClaims) -> Result<(), Error> {
        match claims.authorized_party() {
            Some(party) if party.as_str() != self.settings.client_id => {
                Err(Error::Token("it was made for another client".into()))
            }
            _ => Ok(()),
        }
    }

    /// OpenID Connect Core 1.0 section 3.1.3.8: the access token is the one that came with it.
    fn check_access_token(
        &self,
        metadata: &Metadata,
        token: &CoreIdToken,
        access: &AccessToken,
        claims: &CoreIdTokenClaims,
    ) -> Result<(), Error> {
        let Some(told) = claims.access_token_hash() else { return Ok(()) };
        let bad = |why: &str| Error::Token(why.to_owned());
        let algorithm = token.signing_alg().map_err(|_| bad("no algorithm"))?;
        let verifier = self.verifier(metadata);
        let key = token.signing_key(&verifier).map_err(|_| bad("no key"))?;
        let hash = AccessTokenHash::from_token(access, algorithm, key);
        let hash = hash.map_err(|_| bad("no hash of the access token"))?;
        if hash == *told { Ok(()) } else { Err(bad("the access token is another one")) }
    }

    /// Whether the token lacks something that is needed of the person.
    fn wants_more(&self, vouched: &Vouched) -> bool {
        let own = &self.settings;
        let email = own.trust_email || !own.email_domains.is_empty();
        !vouched.has(&own.name_claim)
            || !vouched.has(&own.display_name_claim)
            || email && !vouched.has("email")
            || !own.teams.is_empty() && !vouched.has(&own.groups_claim)
    }

    /// OpenID Connect Core 1.0 section 5.3.
    async fn userinfo(
        &self,
        url: &str,
        access: &str,
        subject: &str,
    ) -> Result<Map<String, Value>, Error> {
        let unreachable = |why: String| Error::Unreachable(format!("userinfo: {why}"));
        let request = http::Request::get(url)
            .header(http::header::AUTHORIZATION, format!("Bearer {access}"))
            .header(http::header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| unreachable(error.to_string()))?;
        let answer = self.fetcher.send(request).await.map_err(|e| unreachable(e.to_string()))?;
        if answer.status() != http::StatusCode::OK {
            return Err(unreachable(answer.status().to_string()));
        }
        let claims: Map<String, Value> = serde_json::from_slice(answer.body())
            .map_err(|_| unreachable("an answer of another form".into()))?;
        if claims.get("sub").and_then(Value::as_str) == Some(subject) {
            Ok(claims)
        } else {
            Err(Error::Token("userinfo is about somebody else".into()))
        }
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, Error> {
        let mut known = self.known.lock().await;
        if let Some((metadata, read)) = &known.metadata
            && read.elapsed() < METADATA_LASTS
        {
            return Ok(Arc::clone(metadata));
        }
        if known.down.is_some_and(|since| since.elapsed() < DOWN_PAUSE) {
            return Err(Error::Unreachable("it did not answer a moment ago".into()));
        }
        let issuer = IssuerUrl::new(self.settings.issuer.clone());
        let issuer = issuer.map_err(|error| Error::Unreachable(error.to_string()))?;
        match discover(Arc::clone(&self.fetcher), issuer).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known {
                    metadata: Some((Arc::clone(&metadata), Instant::now())),
                    ..Known::default()
                };
                Ok(metadata)
            }
            Err(error) => {
                known.down = Some(Instant::now());
                // What was known goes on for a while: keys may be all that is needed.
                let old = known.metadata.as_ref().map(|(metadata, _)| Arc::clone(metadata));
                old.ok_or(error)
            }
        }
    }

    /// The metadata with the provider's keys of now: it may sign with new ones. Anybody can send a
    /// token with a key that is unknown, so it is asked once in a while only.
    async fn ask_for_keys(&self, old: Arc<Metadata>) -> Result<Arc<Metadata>, Error> {
        let mut known = self.known.lock().await;
        if let Some((newer, _)) = known.metadata.as_ref().filter(|(now, _)| !Arc::ptr_eq(now, &old))
        {
            return Ok(Arc::clone(newer));
        }
        if known.asked_for_keys.is_some_and(|since| since.elapsed() < self.keys_pause) {
            return Ok(old);
        }
        known.asked_for_keys = Some(Instant::now());
        let keys = keys_at(Arc::clone(&self.fetcher), old.jwks_uri().clone()).await?;
        let metadata = Arc::new(old.as_ref().clone().set_jwks(keys));
        if let Some((now, _)) = &mut known.metadata {
            *now = Arc::clone(&metadata);
        }
        Ok(metadata)
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.settings.client_id.clone())
    }

    fn redirect_url(&self) -> Result<RedirectUrl, Error> {
        RedirectUrl::new(self.redirect_uri()).map_err(|error| Error::Refused(error.to_string()))
    }
}

/// Asks for the library. It owns what it asks with: a future with borrows in it is not known to be
/// `Send` there.
fn asking(
    fetcher: Arc<Fetcher>,
) -> impl Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, FetchError>> + Send + Sync {
    move |request| {
        let fetcher = Arc::clone(&fetcher);
        Box::pin(async move { fetcher.send(request).await })
    }
}

fn discover(
    fetcher: Arc<Fetcher>,
    issuer: IssuerUrl,
) -> BoxFuture<'static, Result<Metadata, Error>> {
    Box::pin(async move {
        let metadata = Metadata::discover_async(issuer, &asking(fetcher)).await;
        metadata.map_err(|error| Error::Unreachable(told(&error)))
    })
}

fn keys_at(
    fetcher: Arc<Fetcher>,
    url: JsonWebKeySetUrl,
) -> BoxFuture<'static, Result<JsonWebKeySet<CoreJsonWebKey>, Error>> {
    Box::pin(async move {
        let keys = JsonWebKeySet::fetch_async(&url, &asking(fetcher)).await;
        keys.map_err(|error| Error::Unreachable(told(&error)))
    })
}

/// Why there are no tokens for a code.
fn not_exchanged(
    error: RequestTokenError<FetchError, StandardErrorResponse<CoreErrorResponseType>>,
) -> Error {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            let told = answer.to_string().chars().take(200).collect();
            match answer.error() {
                CoreErrorResponseType::InvalidGrant => Error::Code(told),
                _ => Error::Refused(told),
            }
        }
        RequestTokenError::Request(error) => Error::Unreachable(error.to_string()),
        // Their texts may hold what was sent.
        RequestTokenError::Parse(..) => Error::Unreachable("an answer of another form".into()),
        RequestTokenError::Other(why) => Error::Unreachable(why.chars().take(200).collect()),
    }
}

/// How the client says who it is: RFC 6749 section 2.3.1 has the head first.
fn auth_type(metadata: &Metadata) -> AuthType {
    let methods = metadata.token_endpoint_auth_methods_supported();
    let has = |method| methods.is_none_or(|all| all.contains(&method));
    if !has(CoreClientAuthMethod::ClientSecretBasic) && has(CoreClientAuthMethod::ClientSecretPost)
    {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    }
}

fn told(error: &openidconnect::DiscoveryError<FetchError>) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text.chars().take(300).collect()
}

fn is_key_unknown(error: &ClaimsVerificationError) -> bool {
    let unknown = SignatureVerificationError::NoMatchingKey;
    *error == ClaimsVerificationError::SignatureVerification(unknown)
}

fn wrong(error: ClaimsVerificationError) -> Error {
    match error {
        ClaimsVerificationError::Expired(why) => Error::Clock(why),
        other => Error::Token(other.to_string()),
    }
}

/// Whether a token that was issued at `issued`, Unix seconds, is fresh at `now`.
fn is_fresh(issued: i64, now: i64, slack: i64) -> Result<(), String> {
    if issued > now.saturating_add(slack) {
        Err(format!("it was issued {} s from now", issued.saturating_sub(now)))
    } else if issued < now.saturating_sub(slack).saturating_sub(FRESH_SECONDS) {
        Err(format!("it was issued {} s ago", now.saturating_sub(issued)))
    } else {
        Ok(())
    }
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(i64::MAX)
}

/// Who a token that was checked vouches for, with all that it says.
fn vouched(token: &CoreIdToken, claims: &CoreIdTokenClaims) -> Result<Vouched, Error> {
    let text = token.to_string();
    let payload = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let all: Option<Map<String, Value>> =
        payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    let all = all.ok_or_else(|| Error::Token("it cannot be read".into()))?;
    let subject = claims.subject().to_string();
    // OpenID Connect Core 1.0 section 2: at most 255 characters.
    if subject.is_empty() || subject.len() > 255 {
        return Err(Error::Token("a subject that cannot be kept".into()));
    }
    let session = all.get("sid").and_then(Value::as_str);
    let session = session.filter(|sid| sid.len() <= 255).map(str::to_owned);
    Ok(Vouched { issuer: claims.issuer().to_string(), subject, session, claims: all })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_fresh_for_minutes_and_a_little_before() {
        for (issued, fresh) in [
            (1000, true),
            (1060, true),
            (1061, false),
            (341, true),
            (339, false),
            (i64::MAX, false),
            (i64::MIN, false),
        ] {
            assert_eq!(is_fresh(issued, 1000, 60).is_ok(), fresh, "{issued}");
        }
    }

    #[test]
    fn no_secret_that_both_sides_know_signs_a_token() {
        use openidconnect::JwsSigningAlgorithm as _;
        assert!(ALGORITHMS.iter().all(|one| !one.uses_shared_secret()));
        assert!(!ALGORITHMS.contains(&CoreJwsSigningAlgorithm::None));
    }
}
