//! Doors to the parsers for `fuzz/`, which is where these are called.

use super::captions::Captions;
use super::protocol::Answer;
use super::{document, outline};

/// Whatever captions are read may also be said.
///
/// # Panics
///
/// When they may not.
pub fn captions(captions: &Captions) {
    Answer::Captions(captions.clone()).check().expect("what is read may be said");
}

/// An answer of `pdfinfo`, `pdftotext` or `pdftohtml`: whatever is read may be said.
///
/// # Panics
///
/// When it may not.
pub fn document(answer: &str) {
    document::look(answer);
    let outline = outline::parse(answer, 9);
    assert!(outline.iter().all(|item| (1..=9).contains(&item.page)));
}

/// A language tag of captions.
pub fn language(tag: &str) {
    super::captions::look(tag);
}

/// A line of a media child: what is admitted can be used.
///
/// # Panics
///
/// When it cannot.
pub fn answer(line: &[u8]) {
    let Ok(Answer::Probe(probe, _)) = Answer::parse(line) else { return };
    if let Ok(plan) = transcode::plan(&probe, &transcode::Policy::default()) {
        assert!(plan.parts.len() <= 1_440);
    }
}
