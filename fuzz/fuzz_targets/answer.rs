//! Lines of a media child that was taken over.
#![no_main]

libfuzzer_sys::fuzz_target!(|line: &[u8]| duoku_fuzz::media::fuzz::answer(line));
