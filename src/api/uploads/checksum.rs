//! `Upload-Checksum`: a digest that the bytes of one request must have.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Digest as _;

use super::super::problem::ApiError;

/// Bytes so far, and the digest they must have.
pub(super) enum Checksum {
    Sha1(sha1::Sha1, Vec<u8>),
    Sha256(sha2::Sha256, Vec<u8>),
}

impl Checksum {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let bad = || ApiError::bad("Upload-Checksum");
        let (algorithm, digest) = text.split_once(' ').ok_or_else(bad)?;
        let digest = STANDARD.decode(digest.trim()).map_err(|_| bad())?;
        match algorithm {
            "sha1" => Ok(Self::Sha1(sha1::Sha1::new(), digest)),
            "sha256" => Ok(Self::Sha256(sha2::Sha256::new(), digest)),
            _ => Err(bad()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher, _) => hasher.update(bytes),
            Self::Sha256(hasher, _) => hasher.update(bytes),
        }
    }

    pub(super) fn holds(self) -> bool {
        match self {
            Self::Sha1(hasher, digest) => hasher.finalize()[..] == digest[..],
            Self::Sha256(hasher, digest) => hasher.finalize()[..] == digest[..],
        }
    }
}
