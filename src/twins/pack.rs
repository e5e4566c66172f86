//! Prints as text of the database: base64 of fixed little-endian records.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use transcode::{Bits, Look};

use super::text::Shingle;

/// Looks: start and length in ms, 4 bytes each, and their bits.
#[must_use]
pub fn looks(looks: &[Look]) -> String {
    let ms = |ms: i64| u32::try_from(ms).unwrap_or(u32::MAX).to_le_bytes();
    let bytes = looks.iter().flat_map(|look| {
        [ms(look.start_ms), ms(look.end_ms - look.start_ms)]
            .concat()
            .into_iter()
            .chain(raw(&look.bits))
    });
    STANDARD_NO_PAD.encode(bytes.collect::<Vec<u8>>())
}

/// What [`looks`] packed; `None` for anything else.
#[must_use]
pub fn to_looks(text: &str) -> Option<Vec<Look>> {
    records::<40>(text)?
        .map(|record| {
            let start_ms = i64::from(word(&record[..4])?);
            let end_ms = start_ms + i64::from(word(&record[4..8])?);
            Some(Look { start_ms, end_ms, bits: to_bits(&record[8..])? })
        })
        .collect()
}

/// Looks of an image.
#[must_use]
pub fn image(looks: &[Bits]) -> String {
    STANDARD_NO_PAD.encode(looks.iter().flat_map(raw).collect::<Vec<u8>>())
}

/// What [`image`] packed.
#[must_use]
pub fn to_image(text: &str) -> Option<Vec<Bits>> {
    records::<32>(text)?.map(|record| to_bits(&record)).collect()
}

/// Items of sound.
#[must_use]
pub fn sound(items: &[u32]) -> String {
    STANDARD_NO_PAD.encode(items.iter().flat_map(|item| item.to_le_bytes()).collect::<Vec<u8>>())
}

/// What [`sound`] packed.
#[must_use]
pub fn to_sound(text: &str) -> Option<Vec<u32>> {
    Some(records::<4>(text)?.map(u32::from_le_bytes).collect())
}

/// Shingles: 8 bytes of hash, 4 of page.
#[must_use]
pub fn text(shingles: &[Shingle]) -> String {
    let bytes = shingles
        .iter()
        .flat_map(|it| it.hash.to_le_bytes().into_iter().chain(it.page.to_le_bytes()));
    STANDARD_NO_PAD.encode(bytes.collect::<Vec<u8>>())
}

/// What [`text`] packed.
#[must_use]
pub fn to_text(text: &str) -> Option<Vec<Shingle>> {
    records::<12>(text)?
        .map(|record| {
            let hash = i64::from_le_bytes(record[..8].try_into().ok()?);
            Some(Shingle { hash, page: word(&record[8..])? })
        })
        .collect()
}

fn raw(bits: &Bits) -> impl Iterator<Item = u8> {
    bits.map(u64::to_le_bytes).into_iter().flatten()
}

fn to_bits(bytes: &[u8]) -> Option<Bits> {
    let mut bits = Bits::default();
    for (word, bytes) in bits.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    Some(bits)
}

fn word(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// The records of `SIZE` bytes; `None` when there are not only whole ones.
fn records<const SIZE: usize>(text: &str) -> Option<impl Iterator<Item = [u8; SIZE]>> {
    let bytes = STANDARD_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() % SIZE == 0)?;
    let count = bytes.len() / SIZE;
    Some((0..count).map(move |at| std::array::from_fn(|byte| bytes[at * SIZE + byte])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            times in prop::collection::vec((0_i64..100_000_000, 1_i64..100_000, any::<Bits>()), 0..20),
            items in prop::collection::vec(any::<u32>(), 0..50),
            shingles in prop::collection::vec((0_i64.., any::<u32>()), 0..50),
        ) {
            let seen: Vec<Look> = times.iter().map(|(start_ms, length, bits)| Look { start_ms: *start_ms, end_ms: start_ms + length, bits: *bits }).collect();
            let images: Vec<Bits> = times.iter().map(|(.., bits)| *bits).collect();
            let shingles: Vec<Shingle> = shingles.into_iter().map(|(hash, page)| Shingle { hash, page }).collect();
            prop_assert_eq!(to_looks(&looks(&seen)), Some(seen));
            prop_assert_eq!(to_image(&image(&images)), Some(images));
            prop_assert_eq!(to_sound(&sound(&items)), Some(items));
            prop_assert_eq!(to_text(&text(&shingles)), Some(shingles));
        }

        #[test]
        fn anything_else_is_refused(text in "[A-Za-z0-9+/=é]{0,40}") {
            // No panic, whatever it is.
            let _ = (to_looks(&text), to_image(&text), to_sound(&text), to_text(&text));
        }
    }

    #[test]
    fn half_a_record_is_refused() {
        assert_eq!(to_sound("AAAA"), None);
        assert_eq!(to_sound(""), Some(Vec::new()));
    }
}
