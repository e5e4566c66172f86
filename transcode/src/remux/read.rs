//! Reading boxes (ISO/IEC 14496-12 section 4.2).

/// The content of the first box called `name` among the boxes that `bytes` begins with.
pub(super) fn find<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = bytes;
    loop {
        let (found, content, next) = split(rest)?;
        if found == name {
            return Some(content);
        }
        rest = next;
    }
}

/// The content of a box inside others, outermost first.
pub(super) fn find_in<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |within, name| find(within, name))
}

/// Name and content of the first box, and what follows it. Sizes of 64 bits are not used in what
/// is read here.
fn split(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let size = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let name = bytes.get(4..8)?.try_into().ok()?;
    Some((name, bytes.get(8..size)?, bytes.get(size..)?))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}
