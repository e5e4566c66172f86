//! Captions as timed text (3GPP TS 26.245, "tx3g").

use std::collections::BTreeMap;

use crate::cmaf::Boxes;
use crate::remux::{Fragment, Sample};

/// Ticks a second of a track of text.
pub(super) const TIME_SCALE: u32 = 1000;

/// Cues that are shown at one time; others of the same time are left out.
const MAX_SHOWN: usize = 4;

/// A text and when it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// From media time 0.
    pub start_ms: u64,
    /// After `start_ms`.
    pub end_ms: u64,
    /// Plain, lines parted by line feeds.
    pub text: String,
}

/// The samples of a track of text, from media time 0 on, and their bytes. Times without a text have
/// an empty sample; cues of the same time are shown together (section 5.17).
#[must_use]
pub fn text_samples(cues: &[Cue]) -> (Fragment, Vec<u8>) {
    let mut changes: BTreeMap<u64, Vec<(usize, bool)>> = BTreeMap::new();
    for (number, cue) in cues.iter().enumerate().filter(|(_, cue)| cue.start_ms < cue.end_ms) {
        changes.entry(cue.start_ms).or_default().push((number, true));
        changes.entry(cue.end_ms).or_default().push((number, false));
    }
    changes.entry(0).or_default();
    let mut shown = std::collections::BTreeSet::new();
    let (mut samples, mut bytes) = (Vec::new(), Vec::new());
    let mut times = changes.iter().peekable();
    while let Some((&time, changed)) = times.next() {
        for (number, begins) in changed {
            if *begins {
                shown.insert(*number)
            } else {
                shown.remove(number)
            };
        }
        let Some(&(&until, _)) = times.peek() else { break };
        let texts: Vec<&str> =
            shown.iter().take(MAX_SHOWN).map(|&number| cues[number].text.as_str()).collect();
        let text = texts.join("\n");
        let length = u16::try_from(text.len()).unwrap_or(0);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
        let (duration, size) =
            (u32::try_from(until - time).unwrap_or(u32::MAX), u32::from(length) + 2);
        samples.push(Sample { decode: time, time, duration, size, key: true });
    }
    (Fragment { data_offset: 0, samples }, bytes)
}

/// The sample entry (section 5.16): white, at the bottom, a twentieth of the picture high.
pub(super) fn entry(width: u16, height: u16) -> Vec<u8> {
    let mut file = Boxes::new();
    let size = u8::try_from(height / 20).unwrap_or(u8::MAX).max(12);
    file.put(b"tx3g", |b| {
        b.zeros(6).u16(1).u32(0);
        // In the middle, at the bottom, on nothing.
        b.u8(1).u8(0xff).zeros(4);
        // The box of the text: top, left, bottom, right.
        b.u16(0).u16(0).u16(height).u16(width);
        // The style of all characters, in font 1.
        b.u16(0).u16(0).u16(1).u8(0).u8(size).u32(u32::MAX);
        b.put(b"ftab", |b| {
            let name = b"Sans-Serif";
            b.u16(1).u16(1).u8(10).bytes(name);
        });
    });
    file.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(start_ms: u64, end_ms: u64, text: &str) -> Cue {
        Cue { start_ms, end_ms, text: text.to_owned() }
    }

    /// Start, length and text of each sample.
    fn told(cues: &[Cue]) -> Vec<(u64, u32, String)> {
        let (fragment, bytes) = text_samples(cues);
        let mut at = 0;
        fragment
            .samples
            .iter()
            .map(|sample| {
                let own = &bytes[at..at + sample.size as usize];
                at += own.len();
                assert_eq!(usize::from(u16::from_be_bytes([own[0], own[1]])), own.len() - 2);
                let text = String::from_utf8(own[2..].to_vec()).unwrap();
                (sample.time, sample.duration, text)
            })
            .collect()
    }

    #[test]
    fn gaps_are_empty_and_overlaps_are_shown_together() {
        let cues = [cue(1000, 3000, "一"), cue(2000, 4000, "二"), cue(6000, 7000, "三")];
        let expected = [
            (0, 1000, ""),
            (1000, 1000, "一"),
            (2000, 1000, "一\n二"),
            (3000, 1000, "二"),
            (4000, 2000, ""),
            (6000, 1000, "三"),
        ];
        let expected: Vec<_> = expected.iter().map(|&(t, d, s)| (t, d, s.to_owned())).collect();
        assert_eq!(told(&cues), expected);
        assert_eq!(told(&[cue(0, 5, "即")]), [(0, 5, "即".to_owned())]);
        assert!(told(&[cue(5, 5, "x")]).is_empty() && told(&[]).is_empty());
    }

    #[test]
    fn many_at_once_do_not_grow_without_bounds() {
        let long = "字".repeat(2000);
        let cues: Vec<Cue> = (0..500).map(|n| cue(n, 100_000, &long)).collect();
        assert!(told(&cues).iter().all(|(.., text)| text.len() < 25_000));
    }
}
