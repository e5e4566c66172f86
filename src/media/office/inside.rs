//! What an office document is packed in, looked at before LibreOffice is.

use std::fs::File;
use std::io::{Read as _, Seek as _};

use super::{Error, cannot};
use crate::media::archive::{self, Archive, Limits};
use crate::media::xml;

/// How a document is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A zip archive of XML (ISO/IEC 29500-2, ISO/IEC 26300-3).
    Archive,
    /// A compound file (MS-CFB) or one text (RTF).
    Other,
}

/// The first bytes of a compound file (MS-CFB section 2.2).
const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// The stream of a compound file in which an encrypted package is (MS-OFFCRYPTO section 1.3.2).
const PACKAGE: &str = "EncryptedPackage";

/// Bytes at the front and at the end of a compound file in which its folder is looked for.
const LOOKED: u64 = 1 << 20;

/// Refuses what would need a password, and archives beyond `limits`.
///
/// # Errors
///
/// [`Error::Encrypted`] and [`Error::Archive`].
pub(super) fn look(source: &mut File, limits: &Limits) -> Result<Kind, Error> {
    source.rewind().map_err(cannot("read the source"))?;
    let mut head = [0; 8];
    let read = source.read(&mut head).map_err(cannot("read the source"))?;
    if head[..read].starts_with(b"PK") {
        look_into_archive(source, limits)?;
        return Ok(Kind::Archive);
    }
    if head == COMPOUND && holds_package(source)? {
        return Err(Error::Encrypted);
    }
    Ok(Kind::Other)
}

/// Inflates everything once, within the limits, and reads all XML in it.
fn look_into_archive(source: &mut File, limits: &Limits) -> Result<(), Error> {
    let mut archive = Archive::open(source, limits)?;
    for number in 0..archive.len() {
        let (name, bytes) = archive.read_at(number)?;
        if !is_xml(&name) {
            continue;
        }
        xml::check(&bytes, limits.max_depth).map_err(archive::Error::from)?;
        let encrypted = b"encryption-data";
        if name == "META-INF/manifest.xml" && bytes.windows(encrypted.len()).any(|w| w == encrypted)
        {
            return Err(Error::Encrypted);
        }
    }
    Ok(())
}

fn is_xml(name: &str) -> bool {
    [".xml", ".rels", ".rdf", ".vml"].iter().any(|ending| name.ends_with(ending))
}

fn holds_package(source: &mut File) -> Result<bool, Error> {
    let name: Vec<u8> = PACKAGE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = source.metadata().map_err(cannot("read the source"))?.len();
    for at in [0, length.saturating_sub(LOOKED)] {
        let mut bytes = Vec::new();
        source.seek(std::io::SeekFrom::Start(at)).map_err(cannot("read the source"))?;
        source.by_ref().take(LOOKED).read_to_end(&mut bytes).map_err(cannot("read the source"))?;
        if bytes.windows(name.len()).any(|window| window == name) {
            return Ok(true);
        }
    }
    Ok(false)
}
