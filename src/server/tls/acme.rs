//! Certificates by ACME (RFC 8555), proven by TLS-ALPN-01 (RFC 8737): the CA connects to the
//! port that we listen on, so nothing else is needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeHandle, ChallengeType, Identifier,
    NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use super::{Certificates, provider, read};
use crate::config;

/// Pause after the first failure; it doubles each time up to `LONGEST_PAUSE`, far below the
/// bounds of public CAs for failed attempts.
const PAUSE: Duration = Duration::from_secs(60);

const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// How often it is looked, at least, whether it is time for another certificate.
const LOOK: Duration = Duration::from_secs(3600);

/// How long a CA may take to look at us, and to sign.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file in the folder.
    #[error("{path}: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The account's file does not hold what we wrote.
    #[error("the ACME account is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    /// The CA, or the way to it.
    #[error("ACME")]
    Ca(#[from] instant_acme::Error),
    /// The CA offers no way that we know.
    #[error("the CA offers no TLS-ALPN-01 for {0}")]
    NoChallenge(String),
    /// The CA has looked and is not content.
    #[error("the CA did not accept that the names lead here: {0:?}")]
    Refused(OrderStatus),
    /// A certificate that answers the CA.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// Its key.
    #[error("cannot use a key: {0}")]
    Key(#[from] rustls::Error),
}

/// Fetches certificates.
pub(super) struct Acme {
    domains: Vec<String>,
    contact: Option<String>,
    directory: String,
    folder: PathBuf,
}

impl Acme {
    pub(super) fn new(settings: &config::Server, data: &Path) -> Self {
        let contact = settings.acme_contact.trim();
        let contact = (!contact.is_empty())
            .then(|| format!("mailto:{}", contact.trim_start_matches("mailto:")));
        Self {
            domains: settings.acme_domains.clone(),
            contact,
            directory: settings.acme_directory.clone(),
            folder: data.join("acme"),
        }
    }

    /// Takes the certificate that was fetched before, if there is one for the same names.
    pub(super) fn load(&self, certificates: &Certificates) {
        let names = std::fs::read_to_string(self.file("names")).unwrap_or_default();
        if names.lines().eq(self.domains.iter())
            && let Ok(certificate) =
                read(&self.file("certificate.pem"), &self.file("certificate.pem"))
        {
            certificates.set(certificate);
        }
    }

    /// Fetches a certificate when there is none, or a third of its time is left.
    pub(super) async fn follow(&self, certificates: &Certificates) {
        let mut pause = PAUSE;
        loop {
            let wait = self.due_in(certificates);
            if !wait.is_zero() {
                tokio::time::sleep(wait.min(LOOK)).await;
                continue;
            }
            match self.fetch(certificates).await {
                Ok(()) => {
                    tracing::info!(names = ?self.domains, "certificate fetched");
                    pause = PAUSE;
                }
                Err(error) => {
                    let error = crate::api::chain(&error);
                    tracing::error!(error, names = ?self.domains, "no new certificate");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// How long until another certificate is to be fetched.
    fn due_in(&self, certificates: &Certificates) -> Duration {
        let current = certificates.current.load();
        let Some(certificate) = current.as_deref() else { return Duration::ZERO };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        due_in(certificate, now.try_into().unwrap_or(i64::MAX))
    }

    async fn fetch(&self, certificates: &Certificates) -> Result<(), Error> {
        let account = self.account().await?;
        let names: Vec<_> = self.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        let proven = self.prove(&mut order, certificates).await;
        certificates.challenges().clear();
        proven?;
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&PATIENCE).await?;
        self.write("certificate.pem", &format!("{key}{chain}"))?;
        self.write("names", &self.domains.join("\n"))?;
        self.load(certificates);
        Ok(())
    }

    /// The account in the folder, else a new one.
    async fn account(&self) -> Result<Account, Error> {
        let path = self.file("account.json");
        if let Ok(text) = std::fs::read_to_string(&path) {
            let kept: Kept = serde_json::from_str(&text)?;
            if kept.directory == self.directory {
                return Ok(Account::builder()?.from_credentials(kept.credentials).await?);
            }
        }
        let contact: Vec<&str> = self.contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let directory = self.directory.clone();
        let (account, credentials) = Account::builder()?.create(&new, directory, None).await?;
        let kept = Kept { directory: self.directory.clone(), credentials };
        self.write("account.json", &serde_json::to_string(&kept)?)?;
        Ok(account)
    }

    /// Proves to the CA that each name of `order` leads here.
    async fn prove(&self, order: &mut Order, certificates: &Certificates) -> Result<(), Error> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let name = authorization.identifier().to_string();
            let mut challenge = authorization
                .challenge(ChallengeType::TlsAlpn01)
                .ok_or_else(|| Error::NoChallenge(name.clone()))?;
            let answer = answer(&name, &challenge)?;
            certificates.challenges().insert(name, Arc::new(answer));
            challenge.set_ready().await?;
        }
        match order.poll_ready(&PATIENCE).await? {
            OrderStatus::Ready => Ok(()),
            status => Err(Error::Refused(status)),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file that only we may read, whole or not at all.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.file(name);
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(&self.folder)?;
            // Made with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|source| Error::Folder { path: path.clone(), source })
    }
}

/// What is kept of an account.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    directory: String,
    credentials: AccountCredentials,
}

/// The certificate that proves to a CA that we have `name` (RFC 8737 section 3).
fn answer(name: &str, challenge: &ChallengeHandle<'_>) -> Result<CertifiedKey, Error> {
    let mut parameters = CertificateParams::new([name.to_owned()])?;
    let digest = challenge.key_authorization().digest();
    parameters.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    // Not `from_der`: it would look into the certificate, whose extension it does not know.
    let key = provider().key_provider.load_private_key(key)?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// How long, from `now_s` (Unix seconds), until only a third of a certificate's time is left.
fn due_in(certificate: &CertifiedKey, now_s: i64) -> Duration {
    let parsed = certificate.cert.first().map(|der| x509_parser::parse_x509_certificate(der));
    let Some(Ok((_, parsed))) = parsed else { return Duration::ZERO };
    let validity = parsed.validity();
    let (begun_s, ends_s) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let due_s = ends_s - (ends_s - begun_s) / 3;
    Duration::from_secs(due_s.saturating_sub(now_s).try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_in_its_last_third() {
        let mut parameters = CertificateParams::new(["a.example".to_owned()]).expect("a good name");
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2026, 1, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let certificate = CertifiedKey::from_der(vec![certificate.der().clone()], key, &provider());
        let certificate = certificate.expect("they belong together");
        let day_s = 86_400;
        let begun_s = rcgen::date_time_ymd(2026, 1, 1).unix_timestamp();
        let due_in = |days: i64| due_in(&certificate, begun_s + days * day_s).as_secs();
        assert_eq!(due_in(19), 86_400);
        assert_eq!((due_in(20), due_in(21), due_in(40)), (0, 0, 0));
    }
}
