//! H.265 in MP4 (ISO/IEC 14496-15 section 8), as our own encoder writes it: start codes,
//! one temporal layer.

use std::fmt::Write as _;

use crate::Error;

use super::avc::annexb_units;
use super::bits::Bits;

/// NAL unit types of ISO/IEC 23008-2 table 7-1.
const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;
/// From here on there are only parameter sets, delimiters, filler and SEI.
const FIRST_NOT_A_PICTURE: u8 = 32;

/// What a decoder must know before the first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HevcConfig {
    /// `HEVCDecoderConfigurationRecord`, with lengths of four bytes.
    pub(crate) record: Vec<u8>,
    /// ISO/IEC 14496-15 annex E.3.
    pub(crate) codecs: String,
}

impl HevcConfig {
    /// From an encoder's extradata.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when parameter sets are missing or broken.
    pub(crate) fn from_extradata(extradata: &[u8]) -> Result<Self, Error> {
        let nals = annexb_units(extradata);
        let of = |kind: u8| nals.iter().copied().find(|nal| kind_of(nal) == kind);
        let (Some(vps), Some(sps), Some(pps)) = (of(VPS), of(SPS), of(PPS)) else {
            return Err(Error::unusable("no H.265 parameter sets"));
        };
        let facts = facts(sps).ok_or_else(|| Error::unusable("broken H.265 parameter set"))?;
        Ok(Self { record: record(&facts, [vps, sps, pps]), codecs: codecs(&facts) })
    }

    /// A packet as MP4 wants it: pictures alone, with lengths of four bytes.
    pub(crate) fn sample(packet: &[u8]) -> Vec<u8> {
        let mut sample = Vec::with_capacity(packet.len() + 16);
        for nal in annexb_units(packet) {
            let Ok(length) = u32::try_from(nal.len()) else { continue };
            if kind_of(nal) < FIRST_NOT_A_PICTURE {
                sample.extend_from_slice(&length.to_be_bytes());
                sample.extend_from_slice(nal);
            }
        }
        sample
    }
}

fn kind_of(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |byte| byte >> 1 & 0x3f)
}

/// What the sequence parameter set says.
struct Facts {
    /// Profile space, tier and profile; compatibility; constraints; level: as they stand there.
    profile: [u8; 12],
    nested: bool,
    chroma: u8,
    depths: [u8; 2],
}

/// ISO/IEC 23008-2 sections 7.3.2.2.1 and 7.3.3.
fn facts(sps: &[u8]) -> Option<Facts> {
    let plain = unescaped(sps);
    let mut bits = Bits::new(plain.get(2..)?);
    bits.skip(4)?;
    if bits.take(3)? != 0 {
        return None;
    }
    let nested = bits.flag()?;
    let profile = plain.get(3..15)?.try_into().ok()?;
    bits.skip(12 * 8)?;
    bits.golomb()?;
    let chroma = u8::try_from(bits.golomb()?).ok().filter(|chroma| *chroma < 3)?;
    let size = [bits.golomb()?, bits.golomb()?];
    if size.contains(&0) {
        return None;
    }
    if bits.flag()? {
        for _ in 0..4 {
            bits.golomb()?;
        }
    }
    let mut depth = || u8::try_from(bits.golomb()?).ok().filter(|depth| *depth < 8);
    Some(Facts { profile, nested, chroma, depths: [depth()?, depth()?] })
}

/// Without the bytes that keep start codes out (section 7.3.1.1).
fn unescaped(nal: &[u8]) -> Vec<u8> {
    let mut plain: Vec<u8> = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for &byte in nal {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

/// ISO/IEC 14496-15 section 8.3.3.1.2.
fn record(facts: &Facts, sets: [&[u8]; 3]) -> Vec<u8> {
    let mut record = vec![1];
    record.extend_from_slice(&facts.profile);
    // No least segmentation, parallelism not said; then no average frame rate.
    record.extend_from_slice(&[0xf0, 0, 0xfc, 0xfc | facts.chroma]);
    record.extend(facts.depths.map(|depth| 0xf8 | depth));
    record.extend_from_slice(&[0, 0, 0x08 | u8::from(facts.nested) << 2 | 3, 3]);
    for set in sets {
        let length = u16::try_from(set.len()).unwrap_or(0);
        // All sets of this kind are here, and there is one.
        record.extend_from_slice(&[0x80 | kind_of(set), 0, 1]);
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(&set[..usize::from(length)]);
    }
    record
}

fn codecs(facts: &Facts) -> String {
    let [head, compatible @ .., level] = facts.profile;
    let space = ["", "A", "B", "C"][usize::from(head >> 6)];
    let tier = if head & 0x20 == 0 { 'L' } else { 'H' };
    let flags = u32::from_be_bytes([compatible[0], compatible[1], compatible[2], compatible[3]]);
    let mut text = format!("hvc1.{space}{}.{:X}.{tier}{level}", head & 0x1f, flags.reverse_bits());
    let constraints = &compatible[4..];
    let count = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in &constraints[..count] {
        let _ = write!(text, ".{byte:X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VPS_NAL: [u8; 6] = [0x40, 1, 0x0c, 1, 0xff, 0xff];
    /// Main profile, level 3.1, 1280x720, of libx265.
    const SPS_NAL: [u8; 27] = [
        0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x5d, 0xa0, 2, 0x80, 0x80,
        0x2d, 0x16, 0x59, 0x59, 0xa4,
    ];
    const PPS_NAL: [u8; 5] = [0x44, 1, 0xc1, 0x72, 0xb4];

    fn annexb(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1][..], nal].concat()).collect()
    }

    #[test]
    fn the_record_says_what_the_parameter_sets_say() {
        let config = HevcConfig::from_extradata(&annexb(&[&VPS_NAL, &SPS_NAL, &PPS_NAL])).unwrap();
        assert_eq!(config.codecs, "hvc1.1.6.L93.90");
        assert_eq!(config.record[..13], [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93]);
        assert_eq!(config.record[16..23], [0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 3]);
        assert_eq!(config.record[23..28], [0x80 | 32, 0, 1, 0, 6]);
        assert!(HevcConfig::from_extradata(&annexb(&[&VPS_NAL, &PPS_NAL])).is_err());
        assert!(
            HevcConfig::from_extradata(&annexb(&[&VPS_NAL, &SPS_NAL[..20], &PPS_NAL])).is_err()
        );
    }

    #[test]
    fn samples_hold_pictures_alone() {
        let idr = [0x26, 1, 9, 9];
        let packet = annexb(&[&VPS_NAL, &SPS_NAL, &PPS_NAL, &[0x4e, 1, 5], &idr]);
        assert_eq!(HevcConfig::sample(&packet), [0, 0, 0, 4, 0x26, 1, 9, 9]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, at in 0_usize..27, with: u8) {
            let _ = HevcConfig::from_extradata(&bytes);
            HevcConfig::sample(&bytes);
            let mut sps = SPS_NAL;
            sps[at] = with;
            let _ = HevcConfig::from_extradata(&annexb(&[&VPS_NAL, &sps, &PPS_NAL]));
            let _ = HevcConfig::from_extradata(&annexb(&[&VPS_NAL, &[&[0x42, 1][..], &bytes].concat(), &PPS_NAL]));
        }
    }
}
