//! A library: a named set of resources that somebody looks after.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{LibraryId, Look, OrganisationId, RuleError};

/// A library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Its id.
    pub id: LibraryId,
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// What happens to a resource that is ready.
    pub publishing: Publishing,
    /// The most its sources may take together, bytes.
    pub quota_bytes: Option<i64>,
    /// How its videos and audios are made.
    pub media: MediaPolicy,
    /// Whose it is; `None`: of the whole net.
    pub owner: Option<OrganisationId>,
    /// The host name at which its front page is the front page.
    pub host: Option<Host>,
    /// Licence of what is uploaded without one.
    pub licence: String,
    /// Topics of what is uploaded without any.
    pub topics: Vec<String>,
    /// What was withdrawn or failed is removed after so many days; `None`: never.
    pub retention_days: Option<i64>,
    /// How its front page looks.
    pub look: Look,
    /// When it was made, Unix milliseconds.
    pub created_ms: i64,
}

impl Library {
    /// A public one that somebody publishes in, as of `now_ms`, Unix milliseconds.
    #[must_use]
    pub fn new(slug: Slug, name: &str, now_ms: i64) -> Self {
        Self {
            id: LibraryId::fresh(),
            slug,
            name: name.to_owned(),
            description: String::new(),
            visibility: Visibility::Public,
            publishing: Publishing::Manual,
            quota_bytes: None,
            media: MediaPolicy::default(),
            owner: None,
            host: None,
            licence: String::new(),
            topics: Vec::new(),
            retention_days: None,
            look: Look::default(),
            created_ms: now_ms,
        }
    }
}

/// How a library's videos and audios are made, from now on; what is left out is as in the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaPolicy {
    /// What pictures are made as beside H.264.
    pub codecs: Vec<OtherCodec>,
    /// Sound is made as Opus too, beside AAC.
    pub opus: bool,
    /// Sound is made as loud as this (EBU R 128), LUFS; `None`: as loud as it is.
    pub loudness_lufs: Option<i32>,
}

/// A codec of pictures that not every player knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherCodec {
    /// H.265.
    Hevc,
    /// AV1.
    Av1,
}

impl OtherCodec {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hevc => "hevc",
            Self::Av1 => "av1",
        }
    }
}

/// How loud sound can be made: from very quiet to what cannot be reached without distortion.
const LOUDNESS_LUFS: std::ops::RangeInclusive<i32> = -36..=-10;

impl MediaPolicy {
    /// Sets the codecs by name; `h264`, which is always made, may be among them.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] with the name that is none.
    pub fn set_codecs<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), RuleError> {
        let mut codecs = Vec::new();
        for name in names {
            let codec = match name.trim() {
                "h264" => continue,
                "hevc" => OtherCodec::Hevc,
                "av1" => OtherCodec::Av1,
                other => {
                    let value = other.chars().take(40).collect();
                    return Err(RuleError::BadField { field: "codecs", value });
                }
            };
            if !codecs.contains(&codec) {
                codecs.push(codec);
            }
        }
        self.codecs = codecs;
        Ok(())
    }

    /// Sets the loudness; 0: as loud as it is.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] when it is none that sound is made at.
    pub fn set_loudness(&mut self, lufs: i32) -> Result<(), RuleError> {
        if lufs != 0 && !LOUDNESS_LUFS.contains(&lufs) {
            let value = lufs.to_string();
            return Err(RuleError::BadField { field: "loudness_lufs", value });
        }
        self.loudness_lufs = Some(lufs).filter(|lufs| *lufs != 0);
        Ok(())
    }
}

/// Who may see a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Its people: those with a role in it or above.
    Internal,
}

/// What happens to a resource that is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publishing {
    /// It is published.
    Automatic,
    /// It waits for somebody to publish it.
    Manual,
}

/// The most days after which something can be removed: a century.
const MAX_RETENTION_DAYS: i64 = 36_500;

/// After how many days what was withdrawn or failed is removed; 0 is never.
///
/// # Errors
///
/// [`RuleError::BadField`] for what is no number of days.
pub fn retention(days: i64) -> Result<Option<i64>, RuleError> {
    if (0..=MAX_RETENTION_DAYS).contains(&days) {
        Ok(Some(days).filter(|days| *days > 0))
    } else {
        Err(RuleError::BadField { field: "retention_days", value: days.to_string() })
    }
}

/// A host name, lower case (RFC 1123 section 2.1), without a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Host {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let name = text.trim().to_ascii_lowercase();
        let fits = (1..=253).contains(&name.len())
            && name.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            });
        if fits {
            Ok(Self(name))
        } else {
            Err(RuleError::BadField { field: "host", value: name.chars().take(40).collect() })
        }
    }
}

/// A library's name in URLs: 1 to 64 of `a-z`, `0-9` and `-`, not beginning or ending with `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Slug {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(RuleError::BadField { field: "slug", value: text.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_stored_reads_as_the_default() {
        assert_eq!(
            serde_json::from_str::<MediaPolicy>("{}").expect("JSON"),
            MediaPolicy::default()
        );
        assert!(serde_json::from_str::<MediaPolicy>(r#"{"loudnes":1}"#).is_err());
    }

    #[test]
    fn only_what_can_be_made_is_kept() {
        let mut media = MediaPolicy::default();
        media.set_codecs(["av1", "h264", "hevc", "av1"]).expect("codecs");
        assert_eq!(media.codecs, [OtherCodec::Av1, OtherCodec::Hevc]);
        assert!(media.set_codecs(["vp9"]).is_err());
        media.set_loudness(-16).expect("a loudness");
        assert!(media.set_loudness(3).is_err());
        assert_eq!(media.loudness_lufs, Some(-16));
        media.set_loudness(0).expect("none");
        assert_eq!(media.loudness_lufs, None);
    }

    #[test]
    fn a_host_is_a_name_without_a_port() {
        assert_eq!("Lib.Example.CN".parse::<Host>().expect("a host").as_str(), "lib.example.cn");
        for text in ["", "a..b", "-a.cn", "a:80", "库.cn", "a/b"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }
}
