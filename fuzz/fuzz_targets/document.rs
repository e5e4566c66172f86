//! The answers of poppler's programs.
#![no_main]

libfuzzer_sys::fuzz_target!(|answer: &str| duoku_fuzz::media::fuzz::document(answer));
