//! What of a print goes to the index: numbers that are likely to be the same where it is.
//!
//! Of more than are kept those with the smallest mixed values are, everywhere by the same measure:
//! so the keys of a part are likely among those of the whole, and no key depends on where it is.

use transcode::Bits;

use super::Print;

/// Bits of a look in one key, and keys of a look: of its lowest frequencies, which change least.
const BAND_BITS: u32 = 20;
const BANDS: u32 = 4;

/// The most keys of a picture track or sound: so many, and so many more for each minute.
const LEAST: usize = 64;
const A_MINUTE: usize = 8;
const MOST: usize = 256;

/// Keys of a text.
const OF_TEXT: usize = 64;

/// What a key is of: the highest byte of it.
const VIDEO: i64 = 1;
const IMAGE: i64 = 2;
const SOUND: i64 = 3;
const TEXT: i64 = 4;

/// Places of the tag and of the band's number in a key.
const TAG: u32 = 56;
const BAND: u32 = 48;

/// The keys of a print, each once.
#[must_use]
pub fn of(print: &Print) -> Vec<i64> {
    let video = print.looks.iter().flat_map(|look| of_look(&look.bits));
    let looked_ms = print.looks.last().map_or(0, |look| look.end_ms);
    let heard_ms = print.sound.len() as i64 * super::sound::ITEM_MS;
    let image = print.image.iter().flat_map(bands).map(|band| IMAGE << TAG | band);
    let sound = print.sound.iter().filter(|item| **item != super::sound::SILENT);
    let sound = sound.map(|item| SOUND << TAG | i64::from(*item));
    let text = print.text.iter().take(OF_TEXT).map(|shingle| TEXT << TAG | shingle.hash >> 8);
    [
        smallest(video, most(looked_ms)),
        smallest(image, MOST),
        smallest(sound, most(heard_ms)),
        smallest(text, OF_TEXT),
    ]
    .concat()
}

/// The keys of one look of a video.
pub(super) fn of_look(bits: &Bits) -> [i64; BANDS as usize] {
    bands(bits).map(|band| VIDEO << TAG | band)
}

fn bands(bits: &Bits) -> [i64; BANDS as usize] {
    let low = u128::from(bits[0]) | u128::from(bits[1]) << 64;
    std::array::from_fn(|number| {
        let band = (low >> (number as u32 * BAND_BITS)) & ((1 << BAND_BITS) - 1);
        (number as i64) << BAND | i64::try_from(band).unwrap_or(0)
    })
}

fn most(length_ms: i64) -> usize {
    let minutes = usize::try_from(length_ms / 60_000).unwrap_or(0);
    (LEAST + A_MINUTE.saturating_mul(minutes)).min(MOST)
}

fn smallest(keys: impl Iterator<Item = i64>, most: usize) -> Vec<i64> {
    let mut keys: Vec<(u64, i64)> = keys.map(|key| (mix(key.cast_unsigned()), key)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(most);
    keys.into_iter().map(|(_, key)| key).collect()
}

/// Spreads numbers evenly: the last step of splitmix64. No secret depends on it.
#[must_use]
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::picture::tests::film;
    use super::*;

    proptest! {
        #[test]
        fn a_part_shares_keys_with_the_whole(seed in 0_u64..9_999, from in 0_usize..500) {
            let looks = film(seed, 600);
            let part = Print { looks: looks[from..from + 120].to_vec(), ..Print::default() };
            let whole = Print { looks, ..Print::default() };
            let (whole, part) = (of(&whole), of(&part));
            prop_assert!(whole.len() <= MOST && part.len() <= MOST);
            prop_assert!(part.iter().filter(|key| whole.contains(key)).count() >= 3);
        }

        #[test]
        fn keys_of_different_kinds_never_meet(item in 1_u32.., bits in any::<[u64; 4]>()) {
            let image = of(&Print { image: vec![bits], ..Print::default() });
            let sound = of(&Print { sound: vec![item], ..Print::default() });
            let video = of_look(&bits);
            prop_assert!(image.iter().all(|key| !video.contains(key) && !sound.contains(key)));
            prop_assert!(image.iter().chain(&sound).chain(&video).all(|key| *key > 0));
        }
    }
}
