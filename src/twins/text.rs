//! Whether two texts say the same: shingles, and of them the smallest (a bottom-k sketch).

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{Likeness, Match, Span};

/// Words, or Chinese characters, in a shingle.
const LENGTH: usize = 6;

/// Shingles that are kept: shares are right to some hundredths.
const KEPT: usize = 2_048;

/// Texts with fewer shingles are too short to be compared.
const LEAST: usize = 24;

/// So many must be compared to be sure, where one text is much longer than the other.
const COMPARED: usize = 16;

/// Some words that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shingle {
    /// Of the words, not negative.
    pub hash: i64,
    /// Page or chapter where it is first, from 1.
    pub page: u32,
}

/// The shingles of a text, the smallest first; of `pages` each has a number and its text, in which
/// letters are folded already (width, case, Traditional and Simplified). None of a short text.
#[must_use]
pub fn sketch<'a>(pages: impl Iterator<Item = (u32, &'a str)>) -> Vec<Shingle> {
    let mut words: Vec<(u32, String)> = Vec::new();
    for (page, text) in pages {
        words.extend(words_of(text).map(|word| (page, word)));
    }
    let mut first: HashMap<i64, u32> = HashMap::new();
    for window in words.windows(LENGTH) {
        first.entry(hash(window)).or_insert(window[0].0);
    }
    if first.len() < LEAST {
        return Vec::new();
    }
    let mut shingles: Vec<Shingle> =
        first.into_iter().map(|(hash, page)| Shingle { hash, page }).collect();
    shingles.sort_unstable();
    shingles.truncate(KEPT);
    shingles
}

/// Chinese characters by themselves, letters and digits together; nothing of what stands between.
fn words_of(text: &str) -> impl Iterator<Item = String> {
    let mut words: Vec<String> = Vec::new();
    let mut inside = false;
    for letter in text.chars() {
        let goes_on = letter.is_alphanumeric() && !is_wide(letter);
        if is_wide(letter) || (goes_on && !inside) {
            words.push(letter.to_string());
        } else if goes_on && let Some(word) = words.last_mut() {
            word.push(letter);
        }
        inside = goes_on;
    }
    words.into_iter()
}

/// Written without spaces: Han, kana, hangul.
fn is_wide(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

fn hash(words: &[(u32, String)]) -> i64 {
    let mut sha = Sha256::new();
    for (_, word) in words {
        sha.update(word.as_bytes());
        sha.update([0]);
    }
    let head: [u8; 8] = sha.finalize()[..8].try_into().expect("a hash has 32 bytes");
    i64::from_be_bytes(head) & i64::MAX
}

/// What two texts have in common; nothing when there is little to compare.
#[must_use]
pub fn compare(first: &[Shingle], second: &[Shingle]) -> Option<Match> {
    // Up to here both sketches have all that there is.
    let known = |shingles: &[Shingle]| match shingles.last() {
        Some(last) if shingles.len() == KEPT => last.hash,
        _ => i64::MAX,
    };
    let limit = known(first).min(known(second));
    let count = |shingles: &[Shingle]| shingles.partition_point(|shingle| shingle.hash <= limit);
    let (ours, theirs) = (&first[..count(first)], &second[..count(second)]);
    let fewer = ours.len().min(theirs.len());
    if fewer < COMPARED {
        return None;
    }
    let theirs: HashMap<i64, u32> =
        theirs.iter().map(|shingle| (shingle.hash, shingle.page)).collect();
    let both: Vec<(u32, u32)> =
        ours.iter().filter_map(|ours| Some((ours.page, *theirs.get(&ours.hash)?))).collect();
    let span = |pages: &mut dyn Iterator<Item = u32>| {
        let (from, to) =
            pages.fold((u32::MAX, 0), |(from, to), page| (from.min(page), to.max(page)));
        Span { from: from.into(), to: to.into() }
    };
    (!both.is_empty()).then(|| Match {
        likeness: Likeness::Text,
        share: both.len() as f64 / fewer as f64,
        first: span(&mut both.iter().map(|(page, _)| *page)),
        second: span(&mut both.iter().map(|(_, page)| *page)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::keys::mix;
    use super::*;

    /// A page of Chinese-looking text.
    fn page(seed: u64, letters: u64) -> String {
        let letter = |at| char::from_u32(0x4e00 + (mix(seed << 32 | at) % 2_500) as u32);
        (0..letters).filter_map(letter).collect()
    }

    fn book(seeds: impl Iterator<Item = u64>) -> Vec<Shingle> {
        let pages: Vec<String> = seeds.map(|seed| page(seed, 400)).collect();
        sketch((1..).zip(pages.iter().map(String::as_str)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_changed_page_takes_its_share(seed in 0_u64..9_999) {
            let (whole, changed) = (book(seed..seed + 10), book((seed..seed + 9).chain([77_777])));
            let found = compare(&whole, &changed).expect("alike");
            prop_assert!((0.85..0.95).contains(&found.share), "{}", found.share);
            prop_assert_eq!((found.first.from, found.first.to), (1, 9));
        }

        #[test]
        fn a_part_is_found_in_the_whole(seed in 0_u64..9_999) {
            let found = compare(&book(seed..seed + 40), &book(seed + 10..seed + 20)).expect("alike");
            prop_assert!(found.share > 0.97);
            prop_assert_eq!((found.first.from, found.first.to), (11, 20));
        }

        #[test]
        fn others_have_nothing_in_common(seed in 0_u64..9_999) {
            prop_assert_eq!(compare(&book(seed..seed + 5), &book(seed + 20_000..seed + 20_005)), None);
        }

        #[test]
        fn spaces_and_marks_do_not_count(seed in 0_u64..9_999, every in 1_usize..9) {
            let text = page(seed, 300);
            let spread: String = text.chars().enumerate().flat_map(|(at, letter)| {
                [Some(letter), (at % every == 0).then_some('，'), (at % every == 0).then_some('\n')]
            }).flatten().collect();
            prop_assert_eq!(sketch([(1, text.as_str())].into_iter()), sketch([(1, spread.as_str())].into_iter()));
        }
    }

    #[test]
    fn words_of_letters_stay_together() {
        let words: Vec<String> = words_of("GB/T 2260，剪纸 paper-cut2").collect();
        assert_eq!(words, ["GB", "T", "2260", "剪", "纸", "paper", "cut2"]);
        assert!(sketch([(1, "一张通知")].into_iter()).is_empty());
    }
}
