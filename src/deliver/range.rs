//! Which bytes a request is for (RFC 9110 sections 13 and 14).

use std::ops::Range;

/// Ranges that are closer to each other than this are sent as one: what stands between two parts
/// of a body takes about as much.
const GAP: u64 = 128;

/// What to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// 200 and all of it.
    Whole,
    /// 206 and these bytes.
    Partial(Range<u64>),
    /// 206 and these, apart from each other, in the order that they were asked for, or in theirs.
    Several(Vec<Range<u64>>),
    /// 416.
    Unsatisfiable,
}

/// Reads the `Range` field `header` for a representation of `length` bytes.
///
/// What is not a valid `bytes` range is ignored, as section 14.2 asks; so are more than
/// `most_ranges`, which are an attack and not a need. Ranges that overlap or nearly touch are
/// joined (section 15.3.7.2), so nothing is sent twice.
#[must_use]
pub fn select(header: Option<&str>, length: u64, most_ranges: usize) -> Selection {
    let set = header.and_then(|header| header.split_once('='));
    let Some((_, set)) = set.filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes")) else {
        return Selection::Whole;
    };
    let mut ranges = Vec::new();
    let mut count = 0;
    for spec in set.split(',').map(str::trim).filter(|spec| !spec.is_empty()) {
        count += 1;
        match one(spec, length) {
            Some(range) if count <= most_ranges => ranges.extend(range),
            _ => return Selection::Whole,
        }
    }
    let mut ranges = apart(ranges);
    match ranges.len() {
        0 if count == 0 => Selection::Whole,
        0 => Selection::Unsatisfiable,
        1 => Selection::Partial(ranges.remove(0)),
        _ => Selection::Several(ranges),
    }
}

/// The same bytes as ranges that are apart: as they are, or else sorted and joined.
fn apart(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted = ranges.clone();
    sorted.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for next in sorted {
        match joined.last_mut() {
            Some(last) if next.start <= last.end.saturating_add(GAP) => {
                last.end = last.end.max(next.end);
            }
            _ => joined.push(next),
        }
    }
    if joined.len() == ranges.len() { ranges } else { joined }
}

/// One range: `None` when it is not valid, `Some(None)` when nothing satisfies it.
fn one(spec: &str, length: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let suffix = digits(last)?;
        return Some((suffix > 0 && length > 0).then(|| length.saturating_sub(suffix)..length));
    }
    let first = digits(first)?;
    let last = if last.is_empty() { u64::MAX } else { digits(last)? };
    if last < first {
        return None;
    }
    Some((first < length).then(|| first..last.saturating_add(1).min(length)))
}

fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // A number too long for us is beyond any end.
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        let partial = Selection::Partial;
        for (header, expected) in [
            ("bytes=0-499", partial(0..500)),
            ("bytes=500-999", partial(500..1000)),
            ("bytes=-500", partial(9500..10_000)),
            ("bytes=9500-", partial(9500..10_000)),
            ("bytes=0-0", partial(0..1)),
            ("bytes=-20000", partial(0..10_000)),
            ("BYTES= 0-499", partial(0..500)),
            ("bytes=500-600,601-999", partial(500..1000)),
            ("bytes=500-700,601-999", partial(500..1000)),
            ("bytes=0-0,-1", Selection::Several(vec![0..1, 9999..10_000])),
            ("bytes=-1,0-0", Selection::Several(vec![9999..10_000, 0..1])),
            ("bytes=9000-9100,0-99,50-199", Selection::Several(vec![0..200, 9000..9101])),
            ("bytes=0-99,20000-", partial(0..100)),
            ("bytes=0-99,150-199", partial(0..200)),
            ("bytes=10000-", Selection::Unsatisfiable),
            ("bytes=-0", Selection::Unsatisfiable),
            ("bytes=99999999999999999999-", Selection::Unsatisfiable),
            ("bytes=5-4", Selection::Whole),
            ("bytes=a-b", Selection::Whole),
            ("bytes=", Selection::Whole),
            ("bytes=,", Selection::Whole),
            ("seconds=0-1", Selection::Whole),
            ("bytes=+1-2", Selection::Whole),
        ] {
            assert_eq!(select(Some(header), 10_000, 100), expected, "{header}");
        }
        assert_eq!(select(Some("bytes=0-"), 0, 100), Selection::Unsatisfiable);
        let many = format!("bytes={}", "0-0,".repeat(101));
        assert_eq!(select(Some(&many), 10, 100), Selection::Whole);
        assert_eq!(select(Some(&many), 10, 101), Selection::Partial(0..1));
    }

    proptest! {
        /// The model: each byte by itself is asked for or not.
        #[test]
        fn what_is_asked_for_is_sent_once(header in "bytes=([0-9]{0,3}-[0-9]{0,3},? ?){0,6}", length in 0_u64..900) {
            let specs: Vec<_> = header["bytes=".len()..].split(',').map(str::trim).filter(|s| !s.is_empty()).collect();
            let read: Option<Vec<_>> = specs.iter().map(|spec| one(spec, length)).collect();
            let asked = |at: u64| read.iter().flatten().flatten().any(|range| range.contains(&at));
            let sent = match select(Some(&header), length, 100) {
                Selection::Whole => {
                    prop_assert!(specs.is_empty() || read.is_none());
                    return Ok(());
                }
                Selection::Unsatisfiable => Vec::new(),
                Selection::Partial(range) => vec![range],
                Selection::Several(ranges) => ranges,
            };
            prop_assert!(sent.iter().all(|range| range.start < range.end && range.end <= length));
            for at in 0..length {
                let times = sent.iter().filter(|range| range.contains(&at)).count();
                let near = (at.saturating_sub(GAP)..=at + GAP).any(asked);
                prop_assert!(times <= 1 && (times == 1 || !asked(at)) && (times == 0 || near), "byte {at}");
            }
        }

        #[test]
        fn any_text_is_read(header in ".{0,40}", length in 0_u64..2000) {
            let _ = select(Some(&header), length, 100);
        }

        #[test]
        fn a_plain_range_gives_the_bytes_that_it_names(first in 0_u64..2000, last in 0_u64..2000, length in 1_u64..2000) {
            let expected = if last < first {
                Selection::Whole
            } else if first >= length {
                Selection::Unsatisfiable
            } else {
                Selection::Partial(first..length.min(last + 1))
            };
            prop_assert_eq!(select(Some(&format!("bytes={first}-{last}")), length, 100), expected);
        }
    }
}
