//! How ids, places, texts, titles and facets are written in the index, and read again.

use tantivy::TantivyDocument;
use tantivy::schema::{Field, Value};
use uuid::Uuid;

use crate::schema::FACETS;
use crate::words::fold_text;
use crate::{Entry, Passage, PassageKind};

/// How a stored text is written, its first byte.
const NARROW: u8 = 8;
const WIDE: u8 = 16;

/// What is between the facets in a signature, and between the values of one.
const FACET_END: char = '\u{1e}';
const VALUE_END: char = '\u{1f}';

/// Where a passage is, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) kind: PassageKind,
    pub(crate) start_ms: Option<i64>,
    pub(crate) page: Option<u32>,
}

impl Place {
    /// That of `passage`.
    pub(crate) fn of(passage: &Passage) -> Self {
        Self { kind: passage.kind, start_ms: passage.start_ms, page: passage.page }
    }

    /// The kind, what follows, and that in as few bytes as it needs.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let has = u8::from(self.start_ms.is_some()) | u8::from(self.page.is_some()) << 1;
        let mut bytes = vec![self.kind.code(), has];
        for number in self
            .start_ms
            .map(i64::to_le_bytes)
            .into_iter()
            .chain(self.page.map(|page| u64::from(page).to_le_bytes()))
        {
            let size = number.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.push(u8::try_from(size).unwrap_or(8));
            bytes.extend(&number[..size]);
        }
        bytes
    }

    /// Reads what [`Place::bytes`] wrote; a page without a number for all else.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let (head, mut rest) = bytes.split_at(bytes.len().min(2));
        let (kind, has) = (head.first().copied().unwrap_or(1), head.get(1).copied().unwrap_or(0));
        let mut number = || {
            let (size, after) = rest.split_first()?;
            let (number, after) = after.split_at_checked(usize::from(*size).min(8))?;
            rest = after;
            let mut whole = [0; 8];
            whole[..number.len()].copy_from_slice(number);
            Some(u64::from_le_bytes(whole))
        };
        let start_ms = (has & 1 != 0).then(&mut number).flatten().map(u64::cast_signed);
        let page = (has & 2 != 0).then(&mut number).flatten();
        Self {
            kind: PassageKind::from_code(kind),
            start_ms,
            page: page.and_then(|page| page.try_into().ok()),
        }
    }
}

/// The stored text of `field` in `doc`; empty when there is none.
pub(crate) fn stored(doc: &TantivyDocument, field: Field) -> String {
    read_text(doc.get_first(field).and_then(|value| value.as_bytes()).unwrap_or_default())
}

/// Text for the store: in UTF-16 (RFC 2781), which has two bytes for a Han character, where that is
/// shorter than UTF-8, which has three. The store's compression does not see bits.
pub(crate) fn text_bytes(text: &str) -> Vec<u8> {
    let wide = text.encode_utf16().count() * 2;
    if wide >= text.len() {
        return [&[NARROW], text.as_bytes()].concat();
    }
    let mut bytes = Vec::with_capacity(wide + 1);
    bytes.push(WIDE);
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

fn read_text(bytes: &[u8]) -> String {
    match bytes {
        [WIDE, units @ ..] => {
            let units = units.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
            char::decode_utf16(units).map(|ch| ch.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        [_, text @ ..] => String::from_utf8_lossy(text).into_owned(),
        [] => String::new(),
    }
}

/// What a text that is no UUID ends with, which is no byte of a text (RFC 3629 section 1).
const TEXT_END: u8 = 0xff;

/// The id of a resource in as few bytes as it needs: a UUID as its 16 (RFC 9562 section 4), all
/// else as it is and an end, never 16 long.
pub(crate) fn id_bytes(id: &str) -> Vec<u8> {
    if let Some(uuid) = Uuid::try_parse(id).ok().filter(|uuid| uuid.simple().to_string() == id) {
        return uuid.into_bytes().to_vec();
    }
    let mut bytes = [id.as_bytes(), &[TEXT_END]].concat();
    if bytes.len() == 16 {
        bytes.push(TEXT_END);
    }
    bytes
}

/// The id that [`id_bytes`] made these of.
pub(crate) fn id_text(bytes: &[u8]) -> String {
    if let Ok(uuid) = Uuid::from_slice(bytes) {
        return uuid.simple().to_string();
    }
    let end = bytes.iter().position(|byte| *byte == TEXT_END).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// All values of an entry's facets.
pub(crate) fn signature(entry: &Entry) -> String {
    let own = |value: &String| vec![value.clone()];
    let lists: [Vec<String>; FACETS.len()] = [
        own(&entry.library),
        own(&entry.kind),
        entry.topics.clone(),
        entry.audiences.clone(),
        entry.language.iter().cloned().collect(),
        entry.local.clone(),
    ];
    lists.map(|list| list.join(&VALUE_END.to_string())).join(&FACET_END.to_string())
}

/// The values of each of [`FACETS`] in a signature.
pub(crate) fn read_signature(signature: &str) -> impl Iterator<Item = impl Iterator<Item = &str>> {
    let lists = signature.split(FACET_END);
    lists.map(|list| list.split(VALUE_END).filter(|value| !value.is_empty()))
}

/// A number for a title as it is compared whole: folded, letters and characters only. Titles that
/// have the same words and the same number are the same.
pub(crate) fn exact(title: &str) -> u32 {
    // FNV-1a of 32 bits (draft-eastlake-fnv): kept in files, so always the same.
    let fnv = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let kept = |c: &char| c.is_alphanumeric();
    let whole: String = fold_text(title).chars().filter(kept).take(1_000).collect();
    whole.bytes().fold(0x811c_9dc5, fnv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back() {
        for id in [
            "",
            "a",
            "r000001",
            "123456789012345",
            "1234567890123456",
            "0192e5a0-0000-7000-8000-000000000000",
            "0192E5A0-0000-7000-8000-000000000000",
            "0192e5a0000070008000000000000000",
            "00000000000000000000000000000001",
            "剪纸",
        ] {
            assert_eq!(id_text(&id_bytes(id)), id);
        }
        assert_eq!(id_bytes("0192e5a0000070008000000000000000").len(), 16);
    }

    #[test]
    fn places_come_back() {
        let kinds =
            [PassageKind::Caption, PassageKind::Page, PassageKind::Slide, PassageKind::Chapter];
        for kind in kinds {
            for start_ms in [None, Some(0), Some(255), Some(86_400_000), Some(i64::MAX), Some(-1)] {
                for page in [None, Some(0), Some(1), Some(u32::MAX)] {
                    let place = Place { kind, start_ms, page };
                    assert_eq!(Place::read(&place.bytes()), place);
                }
            }
        }
    }

    #[test]
    fn signatures_come_back() {
        let entry = Entry {
            library: "main".into(),
            kind: "video".into(),
            topics: vec!["law".into(), "health".into()],
            local: vec!["true".into()],
            ..Entry::default()
        };
        let values: Vec<Vec<String>> = read_signature(&signature(&entry))
            .map(|values| values.map(str::to_owned).collect())
            .collect();
        assert_eq!(values, [&["main"][..], &["video"], &["law", "health"], &[], &[], &["true"]]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_something(bytes in proptest::collection::vec(0..=255_u8, 0..24)) {
            let _ = (Place::read(&bytes), id_text(&bytes), read_text(&bytes));
        }

        #[test]
        fn texts_come_back(text in ".{0,40}|[剪纸𠮷a ]{0,40}") {
            let bytes = text_bytes(&text);
            proptest::prop_assert!(bytes.len() <= text.len() + 1);
            proptest::prop_assert_eq!(read_text(&bytes), text);
        }
    }
}
