//! Text tracks as FFmpeg's decoders give them.
#![no_main]

libfuzzer_sys::fuzz_target!(|line: &str| transcode::fuzz::subtitle(line));
