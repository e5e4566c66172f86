//! Whether two recordings sound the same.
//!
//! A print of sound is what Chromaprint makes of it: 32 bits for each eighth of a second, which say how
//! the notes of the scale change; loudness, codec and pitch of the channel do not matter. A few of them
//! are exactly the same in two encodings, which tells by how much one is shifted; then all bits are
//! compared.

use std::collections::HashMap;
use std::ops::Range;

use super::{Likeness, Match, Span, align};

/// The time between two items of a print, ms: 1,365 samples at 11,025 Hz, rounded.
pub const ITEM_MS: i64 = 124;

/// An item where nothing is to be heard.
pub const SILENT: u32 = 0;

/// Exactly as long as [`ITEM_MS`].
const ITEM: f64 = 1_365.0 / 11.025;

/// Offsets that are tried.
const OFFSETS: usize = 6;

/// An item that is at more places of a recording than this tells nothing: a tone, a hum.
const MOST_PLACES: usize = 16;

/// Items that are judged together: a second.
const BLOCK: usize = 8;

/// A block that differs in no more than this of 32 bits on the average sounds the same, as part of
/// something longer; what has nothing to do with it differs in 16 on the average.
const NEAR: f64 = 8.5;

/// Blocks of others that may stand between such: a cough, a cut.
const GAP: usize = 2;

/// How long something must sound the same to be sure, ms, and how much it may differ.
const SURE_MS: f64 = 8_000.0;
const SURE: f64 = 7.5;

/// The same for what is shorter, down to this.
const SHORT_MS: f64 = 2_400.0;
const SHORT: f64 = 5.0;

/// So many different items there must be in it, a second: a tone is no evidence.
const VARIED: f64 = 1.5;

/// What two recordings have in common; nothing when it may be by chance.
#[must_use]
pub fn compare(first: &[u32], second: &[u32]) -> Option<Match> {
    let offsets = align::best(&votes(first, second), OFFSETS);
    let stretches = offsets.into_iter().map(|offset| Beside { first, second, offset }.longest());
    // Beside an offset that is wrong by one, more seems the same, but is less sure.
    let sure = stretches.flatten().filter(Stretch::is_sure);
    let best = sure.max_by_key(|stretch| stretch.items)?;
    Some(best.found(heard(first).min(heard(second))))
}

fn heard(items: &[u32]) -> usize {
    items.iter().filter(|item| **item != SILENT).count()
}

fn votes(first: &[u32], second: &[u32]) -> Vec<i64> {
    let (ours, theirs) = (places(first), places(second));
    let mut votes = Vec::new();
    for (item, at) in &ours {
        let there = theirs.get(item).map_or(&[][..], Vec::as_slice);
        votes.extend(
            at.iter().flat_map(|at| there.iter().map(move |other| *other as i64 - *at as i64)),
        );
    }
    votes
}

/// Where items are that are not everywhere; of what stays the same only where it begins.
fn places(items: &[u32]) -> HashMap<u32, Vec<usize>> {
    let mut places: HashMap<u32, Vec<usize>> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        let goes_on = at > 0 && items[at - 1] == *item;
        if *item != SILENT && !goes_on {
            places.entry(*item).or_default().push(at);
        }
    }
    places.retain(|_, at| at.len() <= MOST_PLACES);
    places
}

/// Where two recordings sound the same.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: usize,
    offset: i64,
    /// From its beginning to its end.
    length: usize,
    /// Heard in both.
    items: usize,
    /// Bits in which these differ.
    bits: u32,
    /// Different ones among them.
    varied: usize,
}

impl Stretch {
    fn is_sure(&self) -> bool {
        let long_ms = self.items as f64 * ITEM;
        let differs = f64::from(self.bits) / self.items.max(1) as f64;
        let near =
            (long_ms >= SURE_MS && differs <= SURE) || (long_ms >= SHORT_MS && differs <= SHORT);
        near && self.varied as f64 * 1_000.0 >= VARIED * long_ms
    }

    fn found(&self, heard: usize) -> Match {
        let ms = |items: i64| (items as f64 * ITEM) as i64;
        let (from, length) = (self.from as i64, self.length as i64);
        let span = |from: i64| Span { from: ms(from), to: ms(from + length) };
        Match {
            likeness: Likeness::Sound,
            share: (self.items as f64 / heard.max(1) as f64).min(1.0),
            first: span(from),
            second: span(from + self.offset),
        }
    }
}

/// Two recordings side by side: the second has everything `offset` items later.
#[derive(Debug, Clone, Copy)]
struct Beside<'a> {
    first: &'a [u32],
    second: &'a [u32],
    offset: i64,
}

impl Beside<'_> {
    /// What both have, as places in the first.
    fn common(&self) -> Range<usize> {
        let from = usize::try_from(-self.offset).unwrap_or(0);
        let to = usize::try_from(self.second.len() as i64 - self.offset).unwrap_or(0);
        from..self.first.len().min(to)
    }

    /// Items that are heard in both.
    fn pairs(&self, range: Range<usize>) -> impl Iterator<Item = (u32, u32)> {
        let Self { first, second, offset } = *self;
        let there = move |at: usize| usize::try_from(at as i64 + offset).unwrap_or(0);
        let pairs = range.map(move |at| (first[at], second[there(at)]));
        pairs.filter(|(one, other)| *one != SILENT && *other != SILENT)
    }

    fn sounds_the_same(&self, range: Range<usize>) -> bool {
        let (count, bits) = self.pairs(range).fold((0_u32, 0_u32), |(count, bits), pair| {
            (count + 1, bits + (pair.0 ^ pair.1).count_ones())
        });
        count > 0 && f64::from(bits) <= NEAR * f64::from(count)
    }

    /// The longest stretch that sounds the same.
    fn longest(&self) -> Option<Stretch> {
        let common = self.common();
        let block = |at: usize| at..(at + BLOCK).min(common.end);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for at in common.clone().step_by(BLOCK).filter(|at| self.sounds_the_same(block(*at))) {
            match ranges.last_mut() {
                Some(last) if at <= last.end + GAP * BLOCK => last.end = block(at).end,
                _ => ranges.push(block(at)),
            }
        }
        let stretches = ranges.into_iter().map(|range| self.stretch(range));
        stretches.max_by_key(|stretch| stretch.items)
    }

    fn stretch(&self, range: Range<usize>) -> Stretch {
        let mut items: Vec<u32> = self.pairs(range.clone()).map(|(item, _)| item).collect();
        let count = items.len();
        items.sort_unstable();
        items.dedup();
        let differ = self.pairs(range.clone()).map(|(one, other)| (one ^ other).count_ones());
        Stretch {
            from: range.start,
            offset: self.offset,
            length: range.len(),
            items: count,
            bits: differ.sum(),
            varied: items.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::keys::mix;
    use super::*;

    fn recording(seed: u64, items: usize) -> Vec<u32> {
        (0..items).map(|at| (mix((seed << 32) | (at as u64 / 2)) >> 16) as u32 | 1).collect()
    }

    /// The same encoded anew: most items have some other bits.
    fn encoded(items: &[u32], seed: u64) -> Vec<u32> {
        let changed = |(at, item): (usize, &u32)| {
            let noise = mix(seed << 33 | at as u64);
            let bits = if noise.is_multiple_of(4) {
                0
            } else {
                1 << (noise >> 8 & 31) | 1 << (noise >> 16 & 31)
            };
            item ^ bits
        };
        items.iter().enumerate().map(changed).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn a_cut_is_found_where_it_is(seed in 0_u64..9_999, from in 0_usize..400) {
            let whole = recording(seed, 800);
            let cut = encoded(&whole[from..from + 160], seed);
            let found = compare(&whole, &cut).expect("found");
            prop_assert!(found.share > 0.9);
            prop_assert!((found.first.from - (from as f64 * ITEM) as i64).abs() <= 1_200);
            let turned = compare(&cut, &whole).expect("found").turned();
            prop_assert!((turned.first.from - found.first.from).abs() <= 1_200);
        }

        #[test]
        fn others_are_others(one in 0_u64..5_000, other in 5_000_u64..9_999) {
            prop_assert_eq!(compare(&recording(one, 600), &recording(other, 600)), None);
        }

        #[test]
        fn nothing_breaks_it(one in prop::collection::vec(0_u32..6, 0..200), other in prop::collection::vec(0_u32..6, 0..200)) {
            if let Some(found) = compare(&one, &other) {
                prop_assert!((0.0..=1.0).contains(&found.share));
                prop_assert!(found.first.from >= 0 && found.second.from >= 0);
            }
        }
    }

    #[test]
    fn silence_and_a_tone_are_no_evidence() {
        assert_eq!(compare(&[SILENT; 900], &[SILENT; 900]), None);
        assert_eq!(compare(&[0x00ff_00ff; 900], &[0x00ff_00ff; 900]), None);
    }
}
