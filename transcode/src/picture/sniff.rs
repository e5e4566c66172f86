//! What kind of picture it is and how large, from its first bytes.

use super::exif;

/// A picture format by its signature, whatever the file is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// ISO/IEC 10918-1.
    Jpeg,
    /// W3C PNG.
    Png,
    /// WebP in RIFF.
    Webp,
    /// GIF87a and GIF89a.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF 6.0, both byte orders.
    Tiff,
    /// AV1 in ISO/IEC 23008-12.
    Avif,
    /// HEVC in ISO/IEC 23008-12.
    Heic,
    /// Netpbm P5 and P6.
    Pnm,
}

impl Format {
    /// Tells the format by the first 32 bytes or more of a file.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        Some(match head {
            [0xFF, 0xD8, 0xFF, ..] => Self::Jpeg,
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Self::Png,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::Webp,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Self::Gif,
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Self::Bmp,
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Self::Tiff,
            [b'P', b'5' | b'6', b'\n' | b'\r' | b' ' | b'\t', ..] => Self::Pnm,
            [_, _, _, _, b'f', b't', b'y', b'p', rest @ ..] => return Self::of_brands(rest),
            _ => return None,
        })
    }

    /// The brands of a `ftyp` box: the main one, its version, then the compatible ones.
    fn of_brands(brands: &[u8]) -> Option<Self> {
        let brands = || brands.chunks_exact(4).take(8);
        if brands().any(|brand| matches!(brand, b"avif" | b"avis")) {
            return Some(Self::Avif);
        }
        let heif = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"];
        brands().next().filter(|brand| heif.iter().any(|known| known == brand))?;
        Some(Self::Heic)
    }
}

/// Width and height as the header says them, None when it does not say them where expected.
pub(super) fn size(format: Format, bytes: &[u8]) -> Option<(u32, u32)> {
    match format {
        Format::Jpeg => jpeg_size(bytes),
        Format::Png => Some((be32(bytes, 16)?, be32(bytes, 20)?)),
        Format::Webp => webp_size(bytes),
        Format::Gif => Some((le16(bytes, 6)?, le16(bytes, 8)?)),
        Format::Bmp => Some((le32(bytes, 18)?, le32(bytes, 22)?.cast_signed().unsigned_abs())),
        Format::Tiff => Some((exif::number(bytes, 256)?, exif::number(bytes, 257)?)),
        Format::Avif | Format::Heic | Format::Pnm => None,
    }
}

/// The frame header of ISO/IEC 10918-1 section B.2.2, after any number of other segments.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (_, frame) = jpeg_segments(bytes).find(|(marker, _)| {
        matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
    })?;
    Some((be16(frame, 3)?, be16(frame, 1)?))
}

/// Marker and content of the segments before the first scan.
pub(super) fn jpeg_segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut at = 2;
    std::iter::from_fn(move || {
        while bytes.get(at..at + 2)? == [0xFF, 0xFF] {
            at += 1;
        }
        let [0xFF, marker] = *bytes.get(at..at + 2)? else { return None };
        let length = usize::try_from(be16(bytes, at + 2)?).ok()?;
        let content = bytes.get(at + 4..(at + 2).checked_add(length)?)?;
        at += 2 + length;
        (marker != 0xDA).then_some((marker, content))
    })
}

/// RFC 9649 sections 2.5 to 2.7.
fn webp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8X" => Some((le24(bytes, 24)? + 1, le24(bytes, 27)? + 1)),
        b"VP8L" => {
            let packed = le32(bytes, 21)?;
            Some(((packed & 0x3FFF) + 1, ((packed >> 14) & 0x3FFF) + 1))
        }
        b"VP8 " => Some((le16(bytes, 26)? & 0x3FFF, le16(bytes, 28)? & 0x3FFF)),
        _ => None,
    }
}

/// Name and content of the chunks of a RIFF file.
pub(super) fn riff_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 12;
    std::iter::from_fn(move || {
        let name = bytes.get(at..at + 4)?;
        let length = usize::try_from(le32(bytes, at + 4)?).ok()?;
        let content = bytes.get(at + 8..(at + 8).checked_add(length)?)?;
        at += 8 + length + length % 2;
        Some((name, content))
    })
}

/// Name and content of the chunks of a PNG file.
pub(super) fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 8;
    std::iter::from_fn(move || {
        let length = usize::try_from(be32(bytes, at)?).ok()?;
        let name = bytes.get(at + 4..at + 8)?;
        let content = bytes.get(at + 8..(at + 8).checked_add(length)?)?;
        at += 12 + length;
        Some((name, content))
    })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u16::from_be_bytes).map(u32::from)
}

pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u16::from_le_bytes).map(u32::from)
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}
