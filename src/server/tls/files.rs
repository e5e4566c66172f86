//! A certificate in files that somebody else renews.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use rustls::sign::CertifiedKey;
use tokio::signal::unix::{SignalKind, signal};

use super::{Certificates, Error, read};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(60);

/// Chain and key, PEM.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// What the files looked like when they were read last.
    seen: Mutex<Option<Look>>,
}

/// Enough to see that a file was replaced or changed.
type Look = [Option<(SystemTime, u64)>; 2];

impl Files {
    pub(super) fn new(certificate: &Path, key: &Path) -> Self {
        Self { certificate: certificate.into(), key: key.into(), seen: Mutex::default() }
    }

    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`Error`] when they cannot be read or do not belong together.
    pub(super) fn load(&self) -> Result<CertifiedKey, Error> {
        self.note();
        read(&self.certificate, &self.key)
    }

    /// Reads them again when they change, and on SIGHUP. What cannot be used is told once, and the
    /// certificate in use stays.
    pub(super) async fn follow(&self, certificates: &Certificates) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            let asked = tokio::select! {
                _ = ticks.tick() => false,
                Some(()) = async { hangup.as_mut()?.recv().await } => true,
            };
            if self.note() || asked {
                self.reload(certificates);
            }
        }
    }

    fn reload(&self, certificates: &Certificates) {
        match self.load() {
            Ok(certificate) => {
                certificates.set(certificate);
                tracing::info!(certificate = %self.certificate.display(), "certificate read again");
            }
            Err(error) => tracing::error!(%error, "the old certificate stays in use"),
        }
    }

    /// Whether they look other than the last time.
    fn note(&self) -> bool {
        let look = [&self.certificate, &self.key].map(|path| {
            let file = std::fs::metadata(path).ok()?;
            Some((file.modified().ok()?, file.len()))
        });
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.replace(look) != Some(look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str) -> Files {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let (certificate, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).expect("written");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
        Files::new(&certificate, &key)
    }

    #[test]
    fn a_broken_change_keeps_the_old_certificate() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = write(folder.path(), "a.example");
        let certificates = Certificates::default();
        certificates.set(files.load().expect("usable"));
        let first = certificates.current.load_full().expect("a certificate");
        assert!(super::super::expires_s(&first).is_some());
        assert!(!files.note(), "nothing changed");

        // A chain whose key did not come yet.
        let other = rcgen::generate_simple_self_signed(["b.example".to_owned()]).expect("made");
        std::fs::write(folder.path().join("chain.pem"), other.cert.pem() + "\n").expect("written");
        assert!(files.note(), "changed");
        files.reload(&certificates);
        let kept = certificates.current.load_full().expect("a certificate");
        assert_eq!(kept.cert, first.cert);

        std::fs::write(folder.path().join("key.pem"), other.signing_key.serialize_pem())
            .expect("written");
        files.reload(&certificates);
        let changed = certificates.current.load_full().expect("a certificate");
        assert_ne!(changed.cert, first.cert);
    }

    #[test]
    fn what_is_missing_is_named() {
        let files = Files::new(Path::new("/nonexistent/chain.pem"), Path::new("/nonexistent/key"));
        let error = files.load().expect_err("missing").to_string();
        assert!(error.contains("/nonexistent/chain.pem"), "{error}");
    }
}
