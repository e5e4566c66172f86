//! The header `Range`.
#![no_main]

use duoku_fuzz::range::{Selection, select};

libfuzzer_sys::fuzz_target!(|input: (&str, u64)| {
    let (header, length) = input;
    if let Selection::Partial(range) = select(Some(header), length) {
        assert!(range.start < range.end && range.end <= length);
    }
});
