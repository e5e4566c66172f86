//! Texts with their compressed forms, each made once, when somebody first asks for it.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;

use crate::catalogue::Sha256;

/// Shorter ones are sent as they are.
const WORTH_BYTES: usize = 512;

/// A text of a known type.
#[derive(Debug)]
pub struct Text {
    /// As it is.
    pub plain: Bytes,
    /// Media type.
    pub media_type: &'static str,
    /// The first half of its hash, hexadecimal.
    pub hash: String,
    compressed: [OnceLock<Bytes>; 3],
}

/// How a text is compressed (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `br`
    Brotli,
    /// `zstd`
    Zstd,
    /// `gzip`
    Gzip,
}

impl Encoding {
    /// The smallest result first.
    const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// Its name in headers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The first of ours that `accepted`, an `Accept-Encoding` field, has (section 12.5.3).
    #[must_use]
    pub fn choose(accepted: &str) -> Option<Self> {
        let weight = |name: &str| {
            let mut named =
                accepted.split(',').map(|item| item.split_once(';').unwrap_or((item, "")));
            let (_, parameter) = named.find(|(item, _)| item.trim().eq_ignore_ascii_case(name))?;
            let q = parameter.trim().strip_prefix("q=").unwrap_or("1");
            Some(q.trim().parse().unwrap_or(0.0))
        };
        let accepts = |name| weight(name).or_else(|| weight("*")).is_some_and(|q: f64| q > 0.0);
        Self::ALL.into_iter().find(|encoding| accepts(encoding.as_str()))
    }

    fn compress(self, text: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Brotli => {
                let mut small = Vec::new();
                let parameters =
                    brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
                brotli::BrotliCompress(&mut &*text, &mut small, &parameters)?;
                Ok(small)
            }
            Self::Zstd => zstd::bulk::compress(text, 9),
            Self::Gzip => {
                let mut gzip =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                gzip.write_all(text)?;
                gzip.finish()
            }
        }
    }
}

impl Text {
    /// Of `plain`, which is of `media_type`.
    #[must_use]
    pub fn new(plain: impl Into<Bytes>, media_type: &'static str) -> Self {
        let plain = plain.into();
        let hash = Sha256::of(&plain).to_string()[..16].to_owned();
        Self { plain, media_type, hash, compressed: Default::default() }
    }

    /// Compressed, where that makes it smaller.
    pub fn compressed(&self, encoding: Encoding) -> Option<&Bytes> {
        if self.plain.len() < WORTH_BYTES {
            return None;
        }
        let made = self.compressed[encoding as usize].get_or_init(|| {
            // Writing to memory does not fail; the text is sent plain if it did.
            Bytes::from(encoding.compress(&self.plain).unwrap_or_default())
        });
        (!made.is_empty() && made.len() < self.plain.len()).then_some(made)
    }
}

/// What was rendered of one state of a resource, by path.
#[derive(Debug, Default)]
pub(super) struct Texts(RwLock<HashMap<Box<str>, Arc<Text>>>);

impl Texts {
    /// The text at `path`, rendered if it was not.
    pub(super) fn get(&self, path: &str, render: impl FnOnce() -> Text) -> Arc<Text> {
        if let Some(text) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Arc::clone(text);
        }
        let text = Arc::new(render());
        let mut texts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(texts.entry(path.into()).or_insert(text))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_is_accepted_is_chosen() {
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", Some(Encoding::Brotli)),
            ("gzip, zstd;q=0.5", Some(Encoding::Zstd)),
            ("GZIP", Some(Encoding::Gzip)),
            ("br;q=0, *", Some(Encoding::Zstd)),
            ("br; q=0.000, gzip", Some(Encoding::Gzip)),
            ("identity", None),
            ("*;q=0", None),
            ("br;q=many", None),
            ("", None),
        ] {
            assert_eq!(Encoding::choose(accepted), expected, "{accepted}");
        }
    }

    #[test]
    fn every_form_says_the_same() {
        let text = Text::new("#EXTINF:6.000000,\n0.m4s\n".repeat(500), "text/plain");
        let form = |encoding| text.compressed(encoding).expect("smaller").clone();
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&*form(Encoding::Gzip)).read_to_end(&mut plain).expect("gzip");
        assert_eq!(plain, text.plain);
        assert_eq!(zstd::decode_all(&*form(Encoding::Zstd)).expect("zstd"), text.plain);
        plain.clear();
        brotli::BrotliDecompress(&mut &*form(Encoding::Brotli), &mut plain).expect("br");
        assert_eq!(plain, text.plain);
        assert!(Text::new("short", "text/plain").compressed(Encoding::Gzip).is_none());
    }
}
