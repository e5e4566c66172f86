//! Where objects are: one place makes every path.

use std::fmt;

use super::Stored;
use crate::catalogue::{ResourceId, Sha256, UploadId};

/// Place of an object. Its text is relative, of ASCII letters, digits, `/`, `-`, `.` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A source, found by its content.
    Source(Sha256),
    /// Something made of a resource. The content's hash is part of the name,
    /// so making it again gives the same object or another one, never a changed one.
    Derived {
        /// Whose it is.
        resource: ResourceId,
        /// What it is, such as `720p/00003` or `page/00001-large`.
        name: String,
        /// Of its content.
        hash: Sha256,
        /// Ending of the name, such as `m4s`.
        ending: &'static str,
    },
    /// Bytes of an upload, from `at` on.
    Piece {
        /// Of which upload.
        upload: UploadId,
        /// Where they begin, bytes.
        at: i64,
        /// Of them.
        hash: Sha256,
    },
}

impl Key {
    /// Where all that is made of `resource` begins.
    #[must_use]
    pub fn prefix(resource: ResourceId) -> String {
        format!("derived/{resource}/")
    }

    /// Where all pieces of `upload` begin.
    #[must_use]
    pub fn pieces(upload: UploadId) -> String {
        format!("upload/{upload}/")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(hash) => {
                let hash = hash.to_string();
                write!(f, "source/{}/{hash}", &hash[..2])
            }
            Self::Derived { resource, name, hash, ending } => {
                let name: String = name
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() || "/-_".contains(c) { c } else { '_' })
                    .collect();
                write!(f, "derived/{resource}/{name}-{}.{ending}", &hash.to_string()[..16])
            }
            // In the order of their names.
            Self::Piece { upload, at, hash } => {
                write!(f, "upload/{upload}/{at:014}-{}", &hash.to_string()[..16])
            }
        }
    }
}

/// What a key says of the hash of its object: all hexadecimal digits of it, or the first sixteen.
pub(super) fn hash_of_name(key: &str) -> Option<&str> {
    let name = key.rsplit('/').next()?;
    let hash = match name.rsplit_once('-') {
        Some((_, end)) => end.split('.').next()?,
        None => name,
    };
    let is_hash = matches!(hash.len(), 16 | 64) && hash.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then_some(hash)
}

/// Whether `stored` has the hash that `key` names.
pub(super) fn is_of(key: &str, stored: &Stored) -> bool {
    hash_of_name(key).is_some_and(|hash| stored.sha256.to_string().starts_with(hash))
}

/// Whether `text` can be a key: relative and without steps upwards.
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.split('/').all(|step| {
            !step.is_empty()
                && step != "."
                && step != ".."
                && step.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_the_hash_of_their_objects() {
        let hash = Sha256::of(b"");
        assert_eq!(hash_of_name(&Key::Source(hash).to_string()), Some(&*hash.to_string()));
        let resource = ResourceId::fresh();
        let key = Key::Derived { resource, name: "page/00001-large".into(), hash, ending: "webp" };
        assert_eq!(hash_of_name(&key.to_string()), Some(&hash.to_string()[..16]));
        assert_eq!(hash_of_name("derived/a/b-c.vtt"), None);
    }

    #[test]
    fn keys_never_leave_the_store() {
        let key = Key::Derived {
            resource: ResourceId::fresh(),
            name: "../../etc/中文".into(),
            hash: Sha256::of(b""),
            ending: "vtt",
        };
        assert!(is_plain(&key.to_string()), "{key}");
        for bad in ["", "/etc/passwd", "a/../b", "a//b", "a\0b", "a/./b"] {
            assert!(!is_plain(bad), "{bad:?}");
        }
    }
}
