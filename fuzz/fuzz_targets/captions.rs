//! Captions of any form and encoding: what is read is written as WebVTT that reads the same.
#![no_main]

use duoku_fuzz::media::captions::{parse, to_webvtt};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(captions) = parse(bytes, "a.zh.srt") else { return };
    duoku_fuzz::media::fuzz::captions(&captions);
    let text = to_webvtt(&captions);
    let again = parse(text.as_bytes(), "a.vtt").expect("our own WebVTT is read");
    assert_eq!(again.cues, captions.cues, "{text}");
});
