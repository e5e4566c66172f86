//! Which bytes a request is for (RFC 9110 sections 13 and 14).

use std::ops::Range;

/// More ranges than this in one request are an attack, not a need.
const MAX_RANGES: usize = 100;

/// What to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// 200 and all of it.
    Whole,
    /// 206 and these bytes.
    Partial(Range<u64>),
    /// 416.
    Unsatisfiable,
}

/// Reads the `Range` field `header` for a representation of `length` bytes.
///
/// What is not a valid `bytes` range is ignored, as section 14.2 asks; a
/// request for several ranges gets them as the one range that spans them when
/// they overlap or touch, and else the whole (section 14.2 allows both).
#[must_use]
pub fn select(header: Option<&str>, length: u64) -> Selection {
    let Some(set) = header.and_then(|header| {
        let (unit, set) = header.split_once('=')?;
        unit.trim().eq_ignore_ascii_case("bytes").then_some(set)
    }) else {
        return Selection::Whole;
    };
    let mut ranges = Vec::new();
    for (count, spec) in set.split(',').map(str::trim).filter(|spec| !spec.is_empty()).enumerate() {
        if count >= MAX_RANGES {
            return Selection::Whole;
        }
        match one(spec, length) {
            None => return Selection::Whole,
            Some(Some(range)) => ranges.push(range),
            Some(None) => {}
        }
    }
    if set.split(',').all(|spec| spec.trim().is_empty()) {
        return Selection::Whole;
    }
    ranges.sort_by_key(|range| range.start);
    let mut ranges = ranges.into_iter();
    let Some(mut span) = ranges.next() else { return Selection::Unsatisfiable };
    for next in ranges {
        if next.start > span.end {
            return Selection::Whole;
        }
        span.end = span.end.max(next.end);
    }
    Selection::Partial(span)
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
            ("bytes=0-0,-1", Selection::Whole),
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
            assert_eq!(select(Some(header), 10_000), expected, "{header}");
        }
        assert_eq!(select(Some("bytes=0-"), 0), Selection::Unsatisfiable);
        assert_eq!(select(Some(&format!("bytes={}", "0-0,".repeat(200))), 10), Selection::Whole);
    }

    proptest! {
        #[test]
        fn whatever_is_asked_lies_within(header in "(bytes)?=?[0-9,\\- ]{0,40}", length in 0_u64..2000) {
            if let Selection::Partial(range) = select(Some(&header), length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
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
            prop_assert_eq!(select(Some(&format!("bytes={first}-{last}")), length), expected);
        }
    }
}
