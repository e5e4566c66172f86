//! The one thing that is kept of Exif: which way is up. The rest (places, names) is dropped.

use super::{
    Format,
    sniff::{jpeg_segments, png_chunks, riff_chunks},
};

/// Tag 0x0112 of TIFF 6.0 and Exif.
const ORIENTATION: u16 = 0x0112;

/// The orientation of a picture file, 1 to 8 as in TIFF 6.0 section 8; 1, upright, when it
/// says none.
pub(super) fn orientation(format: Format, bytes: &[u8]) -> u32 {
    let tiff = match format {
        Format::Jpeg => jpeg_segments(bytes)
            .filter(|(marker, _)| *marker == 0xE1)
            .find_map(|(_, content)| content.strip_prefix(b"Exif\0\0")),
        Format::Webp => riff_chunks(bytes)
            .find(|(name, _)| *name == b"EXIF")
            .map(|(_, content)| content.strip_prefix(b"Exif\0\0").unwrap_or(content)),
        Format::Png => {
            png_chunks(bytes).find(|(name, _)| *name == b"eXIf").map(|(_, content)| content)
        }
        Format::Tiff => Some(bytes),
        _ => None,
    };
    tiff.and_then(|tiff| number(tiff, ORIENTATION))
        .filter(|turn| (1..=8).contains(turn))
        .unwrap_or(1)
}

/// A SHORT or LONG of the first image file directory (TIFF 6.0 section 2).
pub(super) fn number(tiff: &[u8], tag: u16) -> Option<u32> {
    let little = match tiff.get(..4)? {
        [b'I', b'I', 42, 0] => true,
        [b'M', b'M', 0, 42] => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at: usize| {
        let bytes: [u8; 4] = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?);
    (0..entries).find_map(|entry| {
        let at = directory.checked_add(2 + 12 * entry)?;
        if short(at)? != tag {
            return None;
        }
        match short(at + 2)? {
            3 => short(at + 8).map(u32::from),
            4 => long(at + 8),
            _ => None,
        }
    })
}
