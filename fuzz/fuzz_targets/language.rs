//! Language tags of containers and of captions.
#![no_main]

libfuzzer_sys::fuzz_target!(|tag: &str| {
    transcode::fuzz::language(tag);
    duoku_fuzz::media::fuzz::language(tag);
});
