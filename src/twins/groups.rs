//! What belongs together: everything that pairs connect.

use std::collections::HashMap;
use std::hash::Hash;

/// The groups that `pairs` make, each with its members in the order in which they were first named.
#[must_use]
pub fn connected<T: Copy + Eq + Hash>(pairs: &[(T, T)]) -> Vec<Vec<T>> {
    let mut numbers: HashMap<T, usize> = HashMap::new();
    let mut members: Vec<T> = Vec::new();
    let mut number = |member: T| {
        *numbers.entry(member).or_insert_with(|| {
            members.push(member);
            members.len() - 1
        })
    };
    let edges: Vec<(usize, usize)> =
        pairs.iter().map(|(one, other)| (number(*one), number(*other))).collect();
    let mut parents: Vec<usize> = (0..members.len()).collect();
    for (one, other) in edges {
        let (one, other) = (root(&mut parents, one), root(&mut parents, other));
        parents[one.max(other)] = one.min(other);
    }
    let mut places: HashMap<usize, usize> = HashMap::new();
    let mut groups: Vec<Vec<T>> = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let root = root(&mut parents, at);
        let place = *places.entry(root).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(*member);
    }
    groups
}

/// The first of those that `at` is connected with; shortens the way there.
fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everybody_is_in_one_group_with_whom_pairs_name(pairs in prop::collection::vec((0_u8..40, 0_u8..40), 0..60)) {
            let groups = connected(&pairs);
            let all: Vec<u8> = groups.iter().flatten().copied().collect();
            let named: HashSet<u8> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
            prop_assert_eq!(all.len(), named.len());
            prop_assert_eq!(all.iter().copied().collect::<HashSet<_>>(), named);
            let group_of = |member: u8| groups.iter().position(|group| group.contains(&member));
            prop_assert!(pairs.iter().all(|(one, other)| group_of(*one) == group_of(*other)));
            // As many as there are when each pair that connects two takes one away.
            let mut labels: Vec<u8> = (0..40).collect();
            for (one, other) in &pairs {
                let (from, to) = (labels[*one as usize], labels[*other as usize]);
                labels.iter_mut().filter(|label| **label == from).for_each(|label| *label = to);
            }
            let left: HashSet<u8> = all.iter().map(|member| labels[*member as usize]).collect();
            prop_assert_eq!(groups.len(), left.len());
        }
    }
}
