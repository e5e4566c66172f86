//! By how much one row of things is shifted against another.

use std::collections::HashMap;

/// The offsets that got most of `votes`, the best first; one step beside counts, too.
pub(super) fn best(votes: &[i64], most: usize) -> Vec<i64> {
    let mut counts: HashMap<i64, u32> = HashMap::new();
    for vote in votes {
        *counts.entry(*vote).or_default() += 1;
    }
    let at = |offset: i64| counts.get(&offset).copied().unwrap_or(0);
    let mut offsets: Vec<(u32, i64)> = counts
        .keys()
        .map(|offset| (2 * at(*offset) + at(offset - 1) + at(offset + 1), *offset))
        .collect();
    offsets.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
    offsets.into_iter().take(most).map(|(_, offset)| offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_common_offset_comes_first() {
        assert_eq!(best(&[5, 1, 5, 6, -3, 5], 2), [5, 6]);
        assert!(best(&[], 3).is_empty());
    }
}
