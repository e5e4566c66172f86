//! AV1 in MP4 (AV1 Codec ISO Media File Format Binding 1.2.0), as our own encoder writes it: OBUs
//! with their sizes, main profile, one operating point.

use crate::Error;
use crate::facts::Colour;

use super::bits::Bits;

/// `obu_type` (AV1 section 6.2.2).
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const TILE_LIST: u8 = 8;
const PADDING: u8 = 15;

/// What a decoder must know before the first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Av1Config {
    /// `AV1CodecConfigurationRecord` with the sequence header.
    pub(crate) record: Vec<u8>,
    /// Section 5 of the binding.
    pub(crate) codecs: String,
}

impl Av1Config {
    /// From the first key frame of a stream.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when there is no sequence header, a broken one, or one of a kind that
    /// is not made here.
    pub(crate) fn from_stream(extradata: &[u8], colour: Colour) -> Result<Self, Error> {
        let header = obus(extradata).find(|obu| obu.kind == SEQUENCE_HEADER);
        let header = header.ok_or_else(|| Error::unusable("no AV1 sequence header"))?;
        let facts =
            facts(header.payload).ok_or_else(|| Error::unusable("broken AV1 sequence header"))?;
        let deep = u8::from(facts.deep) << 6;
        let mut record = vec![
            0x81,
            facts.level,
            u8::from(facts.high_tier) << 7 | deep | 0x0c | facts.chroma_position,
            0,
        ];
        record.extend_from_slice(header.whole);
        Ok(Self { record, codecs: codecs(&facts, colour) })
    }

    /// A packet as MP4 wants it: without delimiters and padding.
    pub(crate) fn sample(packet: &[u8]) -> Vec<u8> {
        obus(packet)
            .filter(|obu| !matches!(obu.kind, TEMPORAL_DELIMITER | TILE_LIST | PADDING))
            .flat_map(|obu| obu.whole)
            .copied()
            .collect()
    }
}

/// The colours are left out where they are those that are meant without them (section 5).
fn codecs(facts: &Facts, colour: Colour) -> String {
    let tier = if facts.high_tier { 'H' } else { 'M' };
    let depth = if facts.deep { 10 } else { 8 };
    let text = format!("av01.0.{:02}{tier}.{depth:02}", facts.level);
    if colour == Colour::BT709 {
        return text;
    }
    let Colour { primaries, transfer, matrix, full_range } = colour;
    let [position, full] = [facts.chroma_position, u8::from(full_range)];
    format!("{text}.0.11{position}.{primaries:02}.{transfer:02}.{matrix:02}.{full}")
}

/// A unit of the stream.
struct Obu<'a> {
    kind: u8,
    /// With its header.
    whole: &'a [u8],
    payload: &'a [u8],
}

/// The units of a packet (AV1 section 5.3); what is broken, or says no size, ends them.
fn obus(mut bytes: &[u8]) -> impl Iterator<Item = Obu<'_>> {
    std::iter::from_fn(move || {
        let (obu, rest) = obu(bytes)?;
        bytes = rest;
        Some(obu)
    })
}

fn obu(bytes: &[u8]) -> Option<(Obu<'_>, &[u8])> {
    let head = *bytes.first()?;
    let (forbidden, extended, sized) = (head & 0x80 != 0, head & 4 != 0, head & 2 != 0);
    if forbidden || !sized {
        return None;
    }
    let start = if extended { 2 } else { 1 };
    let (size, count) = leb128(bytes.get(start..)?)?;
    let payload = bytes.get(start + count..)?.get(..size)?;
    let (whole, rest) = bytes.split_at(start + count + size);
    Some((Obu { kind: head >> 3 & 15, whole, payload }, rest))
}

/// A length and how many bytes it takes (AV1 section 4.10.5).
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for (i, &byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (i * 7);
        if byte & 0x80 == 0 {
            return u32::try_from(value).ok().map(|size| (size as usize, i + 1));
        }
    }
    None
}

/// What the sequence header says.
struct Facts {
    level: u8,
    high_tier: bool,
    /// Ten bits.
    deep: bool,
    chroma_position: u8,
}

/// AV1 section 5.5, as far as it is used here.
fn facts(header: &[u8]) -> Option<Facts> {
    let mut bits = Bits::new(header);
    // Main profile, moving pictures, with a full header, without timing.
    let plain = bits.take(3)? == 0 && !bits.flag()? && !bits.flag()? && !bits.flag()?;
    if !plain {
        return None;
    }
    let delays = bits.flag()?;
    if bits.take(5)? != 0 {
        return None;
    }
    bits.skip(12)?;
    let level = u8::try_from(bits.take(5)?).ok()?;
    let high_tier = level > 7 && bits.flag()?;
    if delays && bits.flag()? {
        bits.skip(4)?;
    }
    let sides = [bits.take(4)? + 1, bits.take(4)? + 1];
    bits.skip((sides[0] + sides[1]) as usize)?;
    if bits.flag()? {
        bits.skip(7)?;
    }
    tools(&mut bits)?;
    let deep = bits.flag()?;
    let monochrome = bits.flag()?;
    if bits.flag()? {
        let colours = [bits.take(8)?, bits.take(8)?, bits.take(8)?];
        // BT.709 primaries, sRGB and no matrix mean 4:4:4, which is not in the main profile.
        if colours == [1, 13, 0] {
            return None;
        }
    }
    if monochrome {
        return None;
    }
    bits.skip(1)?;
    let chroma_position = u8::try_from(bits.take(2)?).ok()?;
    Some(Facts { level, high_tier, deep, chroma_position })
}

/// Leaves out which tools are in use: from `use_128x128_superblock` to `enable_restoration`.
fn tools(bits: &mut Bits) -> Option<()> {
    bits.skip(3 + 4)?;
    let order_hint = bits.flag()?;
    if order_hint {
        bits.skip(2)?;
    }
    let screen_content = bits.flag()? || bits.flag()?;
    if screen_content && !bits.flag()? {
        bits.skip(1)?;
    }
    if order_hint {
        bits.skip(3)?;
    }
    bits.skip(3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of SVT-AV1 at 640x360.
    const HEADER: [u8; 13] = [0x0a, 0x0b, 0, 0, 0, 0x0c, 0xc4, 0xff, 0x67, 0x3e, 0xfe, 0x60, 0x90];

    #[test]
    fn the_record_says_what_the_header_says() {
        let config = Av1Config::from_stream(&HEADER, Colour::BT709).unwrap();
        assert_eq!(config.codecs, "av01.0.01M.08");
        assert_eq!(config.record[..4], [0x81, 1, 0x0d, 0]);
        assert_eq!(config.record[4..], HEADER);
        let old = Av1Config::from_stream(&HEADER, Colour::BT601).unwrap();
        assert_eq!(old.codecs, "av01.0.01M.08.0.111.06.06.06.0");
        for end in 0..HEADER.len() {
            assert!(Av1Config::from_stream(&HEADER[..end], Colour::BT709).is_err());
        }
    }

    #[test]
    fn samples_have_no_delimiters() {
        let frame = [0x32, 3, 1, 2, 3];
        let packet = [&[0x12, 0][..], &HEADER, &frame, &[0x7a, 2, 0, 0]].concat();
        assert_eq!(Av1Config::sample(&packet), [&HEADER[..], &frame].concat());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, at in 2_usize..13, with: u8) {
            let _ = Av1Config::from_stream(&bytes, Colour::BT709);
            Av1Config::sample(&bytes);
            let mut header = HEADER;
            header[at] = with;
            let _ = Av1Config::from_stream(&header, Colour::BT709);
        }
    }
}
