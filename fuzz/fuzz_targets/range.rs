//! The header `Range`.
#![no_main]

use duoku_fuzz::range::{Selection, select};

libfuzzer_sys::fuzz_target!(|input: (&str, u64)| {
    let (header, length) = input;
    let ranges = match select(Some(header), length, 100) {
        Selection::Whole | Selection::Unsatisfiable => return,
        Selection::Partial(range) => vec![range],
        Selection::Several(ranges) => ranges,
    };
    assert!(ranges.iter().all(|range| range.start < range.end && range.end <= length));
    let mut sorted = ranges;
    sorted.sort_by_key(|range| range.start);
    assert!(sorted.windows(2).all(|pair| pair[0].end < pair[1].start), "nothing is sent twice");
});
