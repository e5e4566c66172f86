//! Zip archives as documents are packed in, read within limits.
//!
//! What an archive says of sizes is not believed: every byte that is inflated is counted.

use std::fs::File;
use std::io::{self, Read, Seek};

use serde::{Deserialize, Serialize};

use super::xml;

/// What an archive may hold, and how deep XML may nest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Files in it.
    pub max_entries: usize,
    /// Bytes of all that is inflated.
    pub max_inflated_bytes: u64,
    /// How many times larger than the archive that may be, beyond [`FREE_BYTES`].
    pub max_ratio: u64,
    /// Elements within each other.
    pub max_depth: usize,
}

/// So much may be inflated whatever the ratio: small files of much white space are none of the bad.
pub const FREE_BYTES: u64 = 16 << 20;

/// An archive, and what is left of its limits.
pub struct Archive<R> {
    zip: zip::ZipArchive<R>,
    /// Bytes that may still be inflated.
    left: u64,
    ratio: bool,
}

impl<'a> Archive<&'a File> {
    /// Opens `source`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn open(source: &'a File, limits: &Limits) -> Result<Self, Error> {
        let length = source.metadata()?.len();
        Self::of(source, length, limits)
    }
}

impl<R: Read + Seek> Archive<R> {
    /// An archive of `length` bytes.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn of(source: R, length: u64, limits: &Limits) -> Result<Self, Error> {
        let zip = zip::ZipArchive::new(source)?;
        if zip.len() > limits.max_entries {
            return Err(Error::TooManyEntries(zip.len()));
        }
        let by_ratio = FREE_BYTES.max(length.saturating_mul(limits.max_ratio));
        let left = limits.max_inflated_bytes.min(by_ratio);
        Ok(Self { zip, left, ratio: by_ratio < limits.max_inflated_bytes })
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.zip.len()
    }

    /// The first name that `is`.
    pub fn find(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        self.zip.file_names().flatten().find(|name| is(name)).map(std::borrow::Cow::into_owned)
    }

    /// Name and bytes of the file of this number, from 0.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn read_at(&mut self, number: usize) -> Result<(String, Vec<u8>), Error> {
        let (left, ratio) = (self.left, self.ratio);
        let mut file = self.zip.by_index(number)?;
        let bytes = inflate(&mut file, left, ratio)?;
        let name = file.name()?.into_owned();
        drop(file);
        self.left -= bytes.len() as u64;
        Ok((name, bytes))
    }

    /// The bytes of the file of this name, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.zip.index_for_name(name) {
            Some(number) => Ok(Some(self.read_at(number)?.1)),
            None => Ok(None),
        }
    }
}

fn inflate(file: &mut impl Read, left: u64, ratio: bool) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    file.take(left + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::Damaged(error.to_string()))?;
    match bytes.len() as u64 > left {
        true if ratio => Err(Error::Ratio),
        true => Err(Error::TooLarge),
        false => Ok(bytes),
    }
}

/// Why an archive is not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is none, or cut, or its bytes are not what their check sums say.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// A file in it has a password.
    #[error("the archive needs a password")]
    Encrypted,
    /// More files than are allowed.
    #[error("the archive has {0} files, too many")]
    TooManyEntries(usize),
    /// It inflates to more than is allowed.
    #[error("the archive inflates to too much")]
    TooLarge,
    /// It inflates to so many times its size as only a bomb does.
    #[error("the archive inflates to far more than its size")]
    Ratio,
    /// Its XML.
    #[error(transparent)]
    Xml(#[from] xml::Error),
    /// It could not be read this time.
    #[error("cannot read the archive")]
    Io(#[from] io::Error),
}

impl Error {
    /// A code for the sentence that people read.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "archive_damaged",
            Self::Encrypted => "office_encrypted",
            Self::TooManyEntries(_) => "archive_too_many",
            Self::TooLarge => "archive_too_large",
            Self::Ratio => "archive_bomb",
            Self::Xml(error) => error.code(),
            Self::Io(_) => "internal",
        }
    }

    /// True when a later try may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}

impl From<zip::result::ZipError> for Error {
    fn from(error: zip::result::ZipError) -> Self {
        use zip::result::ZipError;
        match error {
            ZipError::UnsupportedArchive(why) if why == ZipError::PASSWORD_REQUIRED => {
                Self::Encrypted
            }
            error => Self::Damaged(error.to_string().chars().take(200).collect()),
        }
    }
}
