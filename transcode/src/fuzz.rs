//! Doors to the parsers for `fuzz/`, which is where these are called.

use crate::cmaf::{AvcConfig, adts_frame, has_idr, packet_format};

/// The extradata up to its length in the first byte, then a packet; all of it as a frame of AAC.
///
/// # Panics
///
/// When a sample is not a list of units with their lengths.
pub fn avc(bytes: &[u8]) {
    let _ = adts_frame(bytes);
    let Some((&length, rest)) = bytes.split_first() else { return };
    let (extradata, packet) = rest.split_at(rest.len().min(length.into()));
    let _ = has_idr(packet, packet_format(extradata));
    let Ok(config) = AvcConfig::from_extradata(extradata) else { return };
    let _ = config.is_changed_by(packet);
    let sample = config.sample(packet, true);
    let mut rest = sample.as_slice();
    while let Some((length, after)) = rest.split_first_chunk() {
        rest = after.get(u32::from_be_bytes(*length) as usize..).expect("the unit is there");
    }
    assert!(rest.is_empty());
    let again = AvcConfig::from_extradata(&config.record).expect("our own record is read");
    assert_eq!(again.record, config.record);
}

/// The head of a picture.
pub fn picture(bytes: &[u8]) {
    crate::picture::look(bytes);
}

/// A line of FFmpeg's ASS.
pub fn subtitle(line: &str) {
    crate::subtitles::look(line);
}

/// A language tag of a container.
///
/// # Panics
///
/// When the result is not a tag.
pub fn language(tag: &str) {
    let Some(tag) = crate::language::bcp47(tag) else { return };
    assert!(tag.len() <= 35 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
}
