//! TLS 1.2 and 1.3 (RFC 8446) with certificates that change while connections go on.
//!
//! The provider is aws-lc-rs, which the S3 client brings: 17 GB/s of AES-128-GCM a core here (ring:
//! 12). With two in one program rustls would not know which to take by itself.

mod acme;
mod files;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Protocols in the order of our choice (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The protocol of a CA that looks whether a name leads here (RFC 8737 section 6.2).
const CHALLENGE: &[u8] = b"acme-tls/1";

/// What TLS cannot be spoken for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the certificate.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// A file that holds no certificate.
    #[error("there is no certificate in {0}")]
    Empty(PathBuf),
    /// Certificate and key, or what rustls makes of them.
    #[error("cannot use the certificate: {0}")]
    Rustls(#[from] rustls::Error),
    /// Something else about ACME.
    #[error(transparent)]
    Acme(#[from] acme::Error),
}

/// Speaks TLS on connections. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificates: Arc<Certificates>,
    source: Arc<Source>,
}

/// Where certificates come from.
enum Source {
    Files(files::Files),
    Acme(Box<acme::Acme>),
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(…)")
    }
}

impl Tls {
    /// As `config` says; `None` without a certificate.
    ///
    /// # Errors
    ///
    /// An error when the certificate cannot be used. One of ACME may still have to be fetched.
    pub fn open(config: &Config) -> Result<Option<Self>, Error> {
        let server = &config.server;
        if !server.uses_tls() {
            return Ok(None);
        }
        let certificates = Arc::new(Certificates::default());
        let source = if server.acme_domains.is_empty() {
            let files = files::Files::new(&server.tls_certificate, &server.tls_key);
            certificates.set(files.load()?);
            Source::Files(files)
        } else {
            let acme = acme::Acme::new(server, &config.storage.data);
            acme.load(&certificates);
            Source::Acme(Box::new(acme))
        };
        let mut tls = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificates) as Arc<dyn ResolvesServerCert>);
        tls.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        if matches!(source, Source::Acme(_)) {
            tls.alpn_protocols.push(CHALLENGE.to_vec());
        }
        // Sessions are resumed by tickets (RFC 8446 section 2.2, RFC 5077), so they take no memory
        // here. Their keys change every six hours.
        tls.ticketer = aws_lc_rs::Ticketer::new()?;
        tls.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        Ok(Some(Self { acceptor, certificates, source: Arc::new(source) }))
    }

    /// The handshake. `None` when it was only a CA that looked whether we have the name.
    ///
    /// # Errors
    ///
    /// Those of the connection and of TLS.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> std::io::Result<Option<TlsStream<S>>> {
        let stream = self.acceptor.accept(stream).await?;
        let was_challenge = stream.get_ref().1.alpn_protocol() == Some(CHALLENGE);
        Ok((!was_challenge).then_some(stream))
    }

    /// Keeps the certificate new until `stop`: reads the files again, or fetches another by ACME.
    pub async fn follow(&self, stop: &CancellationToken) {
        let following = async {
            match &*self.source {
                Source::Files(files) => files.follow(&self.certificates).await,
                Source::Acme(acme) => acme.follow(&self.certificates).await,
            }
        };
        // It does not end by itself.
        stop.run_until_cancelled(following).await;
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Reads a chain and its key, which must belong together.
fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, Error> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .map_err(file(certificate))?
        .collect::<Result<_, _>>()
        .map_err(file(certificate))?;
    if chain.is_empty() {
        return Err(Error::Empty(certificate.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(file(key))?;
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

/// The certificate in use, and those that answer a CA.
#[derive(Debug, Default)]
struct Certificates {
    current: ArcSwapOption<CertifiedKey>,
    /// By name.
    challenges: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    fn set(&self, certificate: CertifiedKey) {
        if let Some(expires_s) = expires_s(&certificate) {
            metrics::gauge!("duoku_certificate_expires_seconds").set(expires_s as f64);
        }
        self.current.store(Some(Arc::new(certificate)));
    }

    fn challenges(&self) -> MutexGuard<'_, HashMap<String, Arc<CertifiedKey>>> {
        self.challenges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let is_challenge = hello.alpn().is_some_and(|offered| offered.eq([CHALLENGE]));
        if is_challenge {
            return self.challenges().get(hello.server_name()?).cloned();
        }
        self.current.load_full()
    }
}

/// When a certificate ends, Unix seconds.
fn expires_s(certificate: &CertifiedKey) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate.cert.first()?).ok()?;
    Some(parsed.validity().not_after.timestamp())
}
