//! Identifiers, each a type of its own.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A text is not an identifier of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an identifier")]
pub struct BadId(String);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh one; later ones sort after earlier ones (UUID version 7, RFC 9562).
            #[must_use]
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }

            /// Its last byte, which is random.
            #[must_use]
            pub fn last_byte(self) -> u8 {
                self.0.as_bytes()[15]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.simple().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                Uuid::try_parse(text).map(Self).map_err(|_| BadId(text.to_owned()))
            }
        }
    };
}

id!(
    /// Of an account.
    AccountId
);
id!(
    /// Of an organisation.
    OrganisationId
);
id!(
    /// Of a team.
    TeamId
);
id!(
    /// Of a library.
    LibraryId
);
id!(
    /// Of a voucher for a resource.
    VoucherId
);
id!(
    /// Of a resource.
    ResourceId
);
id!(
    /// Of a course.
    CourseId
);
id!(
    /// Of a lesson of a course.
    LessonId
);
id!(
    /// Of a collection.
    CollectionId
);
id!(
    /// Of a version of a resource that was handed in.
    ReviewId
);
id!(
    /// Of an upload.
    UploadId
);
id!(
    /// Of a repository that is harvested.
    SourceId
);
id!(
    /// Of a rendition. A new encode has a new one.
    RenditionId
);

/// SHA-256 of some content, shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

/// Hexadecimal.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All at once: media are named by it with every request.
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Sha256 {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId(text.to_owned());
        if text.len() != 64 || !text.is_ascii() {
            return Err(bad());
        }
        let mut out = [0; 32];
        for (byte, digits) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_as_it_is_shown() {
        let hash = Sha256::of("剪纸".as_bytes());
        assert_eq!(hash.to_string().parse::<Sha256>(), Ok(hash));
        assert!("é".repeat(32).parse::<Sha256>().is_err());
    }
}
