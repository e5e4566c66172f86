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

/// The streams of which an office document of that kind has one (MS-DOC section 2.1.1, MS-XLS section
/// 2.1.2, MS-PPT section 2.1.1; `Book` of Excel 5). Any other file LibreOffice would take for a text.
const STREAMS: [&str; 4] = ["WordDocument", "Workbook", "Book", "PowerPoint Document"];

/// Bytes of a compound file that are looked through at a time.
const CHUNK: usize = 1 << 20;

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
    let is_text = head.starts_with(b"{\\rtf");
    if !is_text && head != COMPOUND {
        return Err(Error::Damaged("it is no office document".into()));
    }
    if !is_text {
        let names = streams(source)?;
        if names.contains(&PACKAGE) {
            return Err(Error::Encrypted);
        }
        if names.is_empty() {
            return Err(Error::Damaged("it holds no document".into()));
        }
    }
    Ok(Kind::Other)
}

/// Inflates everything once, within the limits, and reads all XML in it.
fn look_into_archive(source: &mut File, limits: &Limits) -> Result<(), Error> {
    let mut archive = Archive::open(source, limits)?;
    let is_document = |name: &str| name == "[Content_Types].xml" || name == "content.xml";
    if archive.find(is_document).is_none() {
        return Err(Error::Damaged("it holds no document".into()));
    }
    for number in 0..archive.count() {
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

/// Those of [`STREAMS`] and [`PACKAGE`] whose names stand in a compound file.
fn streams(source: &mut File) -> Result<Vec<&'static str>, Error> {
    let names = STREAMS.into_iter().chain([PACKAGE]).map(|name| {
        // Behind it a zero: the names of its folder have as long a field each.
        let bytes = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes);
        (name, bytes.collect::<Vec<u8>>())
    });
    let names: Vec<_> = names.collect();
    let longest = names.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or(0);
    let (mut found, mut window) = (Vec::new(), Vec::new());
    source.rewind().map_err(cannot("read the source"))?;
    loop {
        let read = source.by_ref().take(CHUNK as u64).read_to_end(&mut window);
        if read.map_err(cannot("read the source"))? == 0 {
            return Ok(found);
        }
        for (name, bytes) in &names {
            if !found.contains(name) && window.windows(bytes.len()).any(|part| part == bytes) {
                found.push(name);
            }
        }
        window.drain(..window.len().saturating_sub(longest));
    }
}
