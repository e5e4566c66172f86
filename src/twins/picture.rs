//! Whether two videos show the same, or two images.

use std::collections::{HashMap, HashSet};

use transcode::{Bits, Look};

use super::{Likeness, Match, Span, align, keys};

/// Looks that differ in no more of their 255 bits are the same. What is encoded anew, scaled or has a
/// small logo differs in 5 to 40, what has nothing to do with it in 128 on the average and hardly ever
/// in less than 80.
pub const NEAR: u32 = 48;

/// The same on the average, where one look stands for all.
const VERY_NEAR: u32 = 24;

/// The same for images, of which one look must do.
const NEAR_IMAGE: u32 = 40;

/// How exactly times are compared, ms: half the distance of looks.
const STEP_MS: i64 = 500;

/// How far from its time a look may be, ms.
const SLACK_MS: i64 = 750;

/// Offsets that are tried.
const OFFSETS: usize = 6;

/// How many different looks must be the same, in order, so that it is the same video.
const CHANGES: usize = 3;

/// Share of what can be compared, from the first to the last that is the same, that must be the same.
const DENSE: f64 = 0.6;

/// Share that must be the same, of both, where the picture does not change.
const WHOLE: f64 = 0.8;

/// The most places in a video that are looked at for one key: what stands for long has many.
const MOST_PLACES: usize = 64;

/// What two videos show alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Where and how much.
    pub found: Match,
    /// The picture changes in it often enough to be sure.
    pub changes: bool,
}

/// In how many bits two looks differ.
#[must_use]
pub fn distance(one: &Bits, other: &Bits) -> u32 {
    one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum()
}

/// What two videos show alike; nothing when it may be by chance.
#[must_use]
pub fn compare(first: &[Look], second: &[Look]) -> Option<Seen> {
    let offsets = align::best(&votes(first, second), OFFSETS);
    let walks = offsets.into_iter().map(|offset| walk(first, second, offset * STEP_MS));
    let best = walks.max_by_key(|walk| walk.same_ms)?;
    best.judge(shown_ms(first), shown_ms(second))
}

/// What two images have in common.
#[must_use]
pub fn compare_images(first: &[Bits], second: &[Bits]) -> Option<Match> {
    let (one, other) = (first.first()?, second.first()?);
    let cropped = first.iter().map(|look| distance(look, other));
    let nearest = cropped.chain(second.iter().map(|look| distance(one, look))).min()?;
    (nearest <= NEAR_IMAGE).then(|| Match {
        likeness: Likeness::Picture,
        share: 1.0 - f64::from(nearest) / 255.0,
        first: Span::default(),
        second: Span::default(),
    })
}

/// By how many steps later the second shows what the first shows, for each look that both have.
fn votes(first: &[Look], second: &[Look]) -> Vec<i64> {
    let mut places: HashMap<i64, Vec<usize>> = HashMap::new();
    for (at, look) in second.iter().enumerate() {
        for key in keys::of_look(&look.bits) {
            let known = places.entry(key).or_default();
            if known.len() < MOST_PLACES {
                known.push(at);
            }
        }
    }
    let mut votes = Vec::new();
    for look in first {
        let near: HashSet<usize> = keys::of_look(&look.bits)
            .iter()
            .filter_map(|key| places.get(key))
            .flatten()
            .copied()
            .filter(|at| distance(&look.bits, &second[*at].bits) <= NEAR)
            .collect();
        votes.extend(
            near.iter().map(|at| (second[*at].start_ms - look.start_ms).div_euclid(STEP_MS)),
        );
    }
    votes
}

/// How long something is to be seen.
fn shown_ms(looks: &[Look]) -> i64 {
    looks.iter().map(|look| look.end_ms - look.start_ms).sum()
}

/// Two videos side by side.
#[derive(Debug, Default)]
struct Walk {
    offset_ms: i64,
    /// How long both show the same.
    same_ms: i64,
    /// The first and the last time when they do, of the first video.
    span: Option<(i64, i64)>,
    /// How long both show something between these two.
    both_ms: i64,
    /// The same after the last time that they showed the same.
    since_ms: i64,
    /// Sum of the differences.
    bits: i64,
    /// Different ones among what is the same, [`CHANGES`] at most.
    different: Vec<Bits>,
}

/// Lays the second video beside the first, `offset_ms` later.
fn walk(first: &[Look], second: &[Look], offset_ms: i64) -> Walk {
    let mut walk = Walk { offset_ms, ..Walk::default() };
    for look in first {
        let mut time_ms = look.start_ms;
        while time_ms < look.end_ms {
            let length_ms = STEP_MS.min(look.end_ms - time_ms);
            if let Some(bits) = nearest(&look.bits, second, time_ms + offset_ms) {
                walk.step(look, time_ms, length_ms, bits);
            }
            time_ms += STEP_MS;
        }
    }
    walk
}

/// The difference to what is most alike about `time_ms`; `None` where nothing is to be seen.
fn nearest(bits: &Bits, looks: &[Look], time_ms: i64) -> Option<u32> {
    let from = looks.partition_point(|look| look.end_ms <= time_ms - SLACK_MS);
    let near = looks[from..].iter().take_while(|look| look.start_ms <= time_ms + SLACK_MS);
    near.map(|look| distance(bits, &look.bits)).min()
}

impl Walk {
    fn step(&mut self, look: &Look, time_ms: i64, length_ms: i64, bits: u32) {
        self.since_ms += length_ms;
        if bits > NEAR {
            if self.span.is_none() {
                self.since_ms = 0;
            }
            return;
        }
        self.both_ms += std::mem::take(&mut self.since_ms);
        self.same_ms += length_ms;
        self.bits += i64::from(bits) * length_ms;
        self.span = Some((self.span.map_or(time_ms, |(from, _)| from), time_ms + length_ms));
        let is_new = self.different.iter().all(|known| distance(known, &look.bits) > NEAR);
        if self.different.len() < CHANGES && is_new {
            self.different.push(look.bits);
        }
    }

    /// What it means for videos that show something for so long.
    fn judge(self, first_ms: i64, second_ms: i64) -> Option<Seen> {
        let (from, to) = self.span?;
        let of = |whole_ms: i64| self.same_ms as f64 / whole_ms.max(1) as f64;
        let changes = self.different.len() >= CHANGES;
        let very_near = self.bits <= i64::from(VERY_NEAR) * self.same_ms;
        let enough = of(self.both_ms) >= DENSE
            && (changes || (very_near && of(first_ms) >= WHOLE && of(second_ms) >= WHOLE));
        let found = Match {
            likeness: Likeness::Picture,
            share: of(first_ms.min(second_ms)).min(1.0),
            first: Span { from, to },
            second: Span { from: (from + self.offset_ms).max(0), to: (to + self.offset_ms).max(0) },
        };
        enough.then_some(Seen { found, changes })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A film of `seconds`, a new picture each half second.
    pub(crate) fn film(seed: u64, seconds: u64) -> Vec<Look> {
        (0..seconds * 2)
            .map(|at| {
                let bits = |part: u64| keys::mix((seed << 32) | (at * 4 + part));
                let start_ms = at as i64 * 500;
                Look {
                    start_ms,
                    end_ms: start_ms + 500,
                    bits: [bits(0), bits(1), bits(2), bits(3)],
                }
            })
            .collect()
    }

    /// The same as an encoder would change it: some bits of each look are others.
    fn encoded(looks: &[Look], seed: u64, bits: u64) -> Vec<Look> {
        let mut looks = looks.to_vec();
        for (at, look) in looks.iter_mut().enumerate() {
            for number in 0..bits {
                let bit = keys::mix(seed << 40 | (at as u64) << 8 | number) % 255;
                look.bits[(bit / 64) as usize] ^= 1 << (bit % 64);
            }
        }
        looks
    }

    fn moved(looks: &[Look], by_ms: i64) -> Vec<Look> {
        let later = |look: &Look| Look {
            start_ms: look.start_ms + by_ms,
            end_ms: look.end_ms + by_ms,
            ..*look
        };
        looks.iter().map(later).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn a_cut_is_found_where_it_is(seed in 0_u64..9_999, from in 0_usize..100, length in 12_usize..60) {
            let whole = film(seed, 90);
            let cut = &whole[from..from + length];
            let cut = encoded(&moved(cut, -(from as i64) * 500), seed, 12);
            let seen = compare(&whole, &cut).expect("found");
            prop_assert!(seen.changes && seen.found.share > 0.95);
            prop_assert!((seen.found.first.from - from as i64 * 500).abs() <= 1_000);
            let turned = compare(&cut, &whole).expect("found");
            prop_assert!(turned.found.share > 0.95);
            prop_assert!((turned.found.second.from - seen.found.first.from).abs() <= 1_000);
        }

        #[test]
        fn other_films_are_others(one in 0_u64..5_000, other in 5_000_u64..9_999) {
            prop_assert_eq!(compare(&film(one, 60), &film(other, 60)), None);
        }

        #[test]
        fn nothing_breaks_it(one in any_looks(), other in any_looks()) {
            if let Some(seen) = compare(&one, &other) {
                prop_assert!((0.0..=1.0).contains(&seen.found.share));
                prop_assert!(seen.found.first.from <= seen.found.first.to);
            }
        }
    }

    fn any_looks() -> impl Strategy<Value = Vec<Look>> {
        prop::collection::vec((1_i64..3_000, 0_u64..4), 0..40).prop_map(|lengths| {
            let mut start_ms = 0;
            let mut looks = Vec::new();
            for (length, bits) in lengths {
                looks.push(Look { start_ms, end_ms: start_ms + length, bits: [bits, 0, 0, 0] });
                start_ms += length;
            }
            looks
        })
    }

    #[test]
    fn one_picture_that_stands_is_not_enough_by_itself() {
        let still = |end_ms| vec![Look { start_ms: 0, end_ms, bits: [7, 9, 11, 13] }];
        let seen = compare(&still(60_000), &still(62_000)).expect("alike");
        assert!(!seen.changes);
        assert_eq!(compare(&still(60_000), &still(600_000)), None);
    }

    #[test]
    fn an_image_is_found_by_its_cropped_looks() {
        let looks =
            |seed: u64| -> Vec<Bits> { film(seed, 2).iter().map(|look| look.bits).collect() };
        let (whole, other) = (looks(1), looks(2));
        let cropped = vec![whole[2]];
        assert!(compare_images(&whole, &cropped).is_some_and(|found| found.share > 0.99));
        assert!(compare_images(&cropped, &whole).is_some());
        assert_eq!(compare_images(&whole, &other), None);
        assert_eq!(compare_images(&whole, &[]), None);
    }
}
