//! The primary item of an AVIF file (ISO/IEC 23008-12, AV1 Image File Format 1.1).
//!
//! FFmpeg 5.1 reads such files only through its MP4 demuxer; the few boxes that lead to the one
//! AV1 frame are read here instead. Grids, sequences and items of many kinds are refused.

use super::sniff::{be16, be32};

/// What the AV1 decoder needs, and the size that the file states.
pub(super) struct Item {
    /// Open bitstream units: the configuration's, then the item's.
    pub(super) units: Vec<u8>,
    /// Pixels, by the first `ispe` property.
    pub(super) size: Option<(u32, u32)>,
    /// Matrix (ISO/IEC 23091-2) and whether samples use the whole range: said here, it goes before
    /// what the frame says.
    pub(super) colour: Option<(u32, bool)>,
}

/// The primary item, if it is a single AV1 frame in one run of bytes.
pub(super) fn primary(file: &[u8]) -> Option<Item> {
    // A full box: version and flags first.
    let meta = child(file, b"meta")?.get(4..)?;
    let item = primary_id(child(meta, b"pitm")?)?;
    if item_kind(child(meta, b"iinf")?, item)? != *b"av01" {
        return None;
    }
    let (offset, length) = location(child(meta, b"iloc")?, item)?;
    let frame = match length {
        0 => file.get(offset..)?,
        _ => file.get(offset..offset.checked_add(length)?)?,
    };
    let properties = child(child(meta, b"iprp")?, b"ipco")?;
    // av1C: four bytes of configuration, then units (AV1-ISOBMFF section 2.3).
    let configuration = child(properties, b"av1C").and_then(|av1c| av1c.get(4..)).unwrap_or(&[]);
    let size = child(properties, b"ispe").and_then(|ispe| Some((be32(ispe, 4)?, be32(ispe, 8)?)));
    let nclx = child(properties, b"colr").and_then(|colr| colr.strip_prefix(b"nclx"));
    let colour = nclx.and_then(|nclx| Some((be16(nclx, 4)?, nclx.get(6)? & 0x80 != 0)));
    Some(Item { units: [configuration, frame].concat(), size, colour })
}

/// The content of the first box named `name` among these boxes.
fn child<'a>(boxes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = boxes;
    loop {
        let length = usize::try_from(be32(rest, 0)?).ok()?;
        let end = if length == 0 { rest.len() } else { length };
        let content = rest.get(8..end)?;
        if rest.get(4..8)? == name {
            return Some(content);
        }
        rest = &rest[end..];
    }
}

fn primary_id(pitm: &[u8]) -> Option<u32> {
    if *pitm.first()? == 0 { be16(pitm, 4) } else { be32(pitm, 4) }
}

/// The four letters of the item's type (ISO/IEC 14496-12 section 8.11.6).
fn item_kind(iinf: &[u8], item: u32) -> Option<[u8; 4]> {
    let mut entries = iinf.get(if *iinf.first()? == 0 { 6 } else { 8 }..)?;
    loop {
        let length = usize::try_from(be32(entries, 0)?).ok()?;
        let entry = entries.get(8..length)?;
        let (id, kind) = match *entry.first()? {
            2 => (be16(entry, 4)?, entry.get(8..12)?),
            3 => (be32(entry, 4)?, entry.get(10..14)?),
            _ => return None,
        };
        if id == item {
            return kind.try_into().ok();
        }
        entries = &entries[length..];
    }
}

/// Offset and length in the file of an item with one extent (ISO/IEC 14496-12 section 8.11.3).
fn location(iloc: &[u8], item: u32) -> Option<(usize, usize)> {
    let version = *iloc.first()?;
    let sizes = be16(iloc, 4)?;
    let nibble = |shift: u32| usize::try_from((sizes >> shift) & 15).ok();
    let (offset_size, length_size, base_size) = (nibble(12)?, nibble(8)?, nibble(4)?);
    let index_size = if version == 0 { 0 } else { nibble(0)? };
    let mut fields = Fields(iloc.get(6..)?);
    let id_size = if version == 2 { 4 } else { 2 };
    // Files with more items are no photos; and the numbers below may take no bytes at all.
    for _ in 0..fields.take(id_size)?.min(1024) {
        let id = fields.take(id_size)?;
        let method = if version == 0 { 0 } else { fields.take(2)? & 15 };
        fields.take(2)?;
        let base = fields.take(base_size)?;
        let extents = fields.take(2)?;
        for _ in 0..extents {
            fields.take(index_size)?;
            let offset = base.checked_add(fields.take(offset_size)?)?;
            let length = fields.take(length_size)?;
            if id == u64::from(item) {
                // Method 0: the place is in the file, not in another box or item.
                let whole = extents == 1 && method == 0;
                return whole.then_some((offset.try_into().ok()?, length.try_into().ok()?));
            }
        }
    }
    None
}

/// Big-endian numbers of 0 to 8 bytes, one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take(&mut self, bytes: usize) -> Option<u64> {
        if bytes > 8 || bytes > self.0.len() {
            return None;
        }
        let (number, rest) = self.0.split_at(bytes);
        self.0 = rest;
        Some(number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}
