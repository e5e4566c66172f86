//! What a picture's head says: format, size, orientation, and the boxes of AVIF.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| transcode::fuzz::picture(bytes));
