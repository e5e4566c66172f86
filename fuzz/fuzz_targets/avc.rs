//! H.264: the decoder's configuration and packets in both forms.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| transcode::fuzz::avc(bytes));
