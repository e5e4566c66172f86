//! What an initialisation segment says of its track.

use crate::Error;
use crate::cmaf::Bits;

use super::read::{find, find_in, u16_at, u32_at};

/// A track, as its initialisation segment describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Picture or sound.
    pub media: TrackMedia,
    /// Ticks a second; not 0.
    pub time_scale: u32,
    /// Pixels; 0 of sound.
    pub width: u16,
    /// Pixels; 0 of sound.
    pub height: u16,
    /// `mdhd`'s packed ISO 639-2 code (ISO/IEC 14496-12 section 8.4.2.3).
    pub(super) language: u16,
    /// The whole sample entry, with its header.
    pub(super) entry: Vec<u8>,
}

/// Picture or sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackMedia {
    /// `vide`.
    Picture,
    /// `soun`.
    Sound,
}

/// H.264 parameter sets as a byte stream (ISO/IEC 14496-10 annex B).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSets(pub(super) Vec<u8>);

/// The header that each AAC frame has in ADTS (ISO/IEC 14496-3 section 1.A.2.2), but for the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdtsHeader {
    profile: u8,
    rate: u8,
    channels: u8,
}

/// Bytes of an ADTS header without a checksum.
pub(super) const ADTS_BYTES: usize = 7;

/// Fields before the boxes in a sample entry, with its header (ISO/IEC 14496-12 sections 12.1.3.2
/// and 12.2.3.2).
const PICTURE_FIELDS: usize = 8 + 78;
const SOUND_FIELDS: usize = 8 + 28;

impl Track {
    /// Reads an initialisation segment of one track.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when it is cut off or describes neither picture nor sound.
    pub fn read(init: &[u8]) -> Result<Self, Error> {
        Self::parse(init).ok_or_else(|| Error::unusable("a track that was not written here"))
    }

    fn parse(init: &[u8]) -> Option<Self> {
        let track = find_in(init, &[b"moov", b"trak"])?;
        let header = find(track, b"tkhd").filter(|tkhd| tkhd.first() == Some(&0))?;
        let media = find(track, b"mdia")?;
        let media_header = find(media, b"mdhd").filter(|mdhd| mdhd.first() == Some(&0))?;
        let entries = find_in(media, &[b"minf", b"stbl", b"stsd"])?.get(8..)?;
        let entry = entries.get(..usize::try_from(u32_at(entries, 0)?).ok()?)?;
        let (kind, fields) = match find(media, b"hdlr")?.get(8..12)? {
            b"vide" => (TrackMedia::Picture, PICTURE_FIELDS),
            b"soun" => (TrackMedia::Sound, SOUND_FIELDS),
            _ => return None,
        };
        (entry.len() >= fields).then_some(())?;
        Some(Self {
            media: kind,
            time_scale: u32_at(media_header, 12).filter(|scale| *scale > 0)?,
            width: u16_at(header, 76)?,
            height: u16_at(header, 80)?,
            language: u16_at(media_header, 20)?,
            entry: entry.to_vec(),
        })
    }

    /// The parameter sets of H.264 (ISO/IEC 14496-15 section 5.3.3.1).
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when the codec is another one, or NAL units have no lengths of four
    /// bytes.
    pub fn parameter_sets(&self) -> Result<ParameterSets, Error> {
        let sets = self.configuration(b"avc1", b"avcC").and_then(byte_stream);
        sets.ok_or_else(|| Error::unusable("no H.264 with lengths of four bytes"))
    }

    /// The ADTS header of AAC, from its `AudioSpecificConfig` (ISO/IEC 14496-3 section 1.6.2.1).
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when the codec is another one, or ADTS cannot say what it is.
    pub fn adts(&self) -> Result<AdtsHeader, Error> {
        let config = self.configuration(b"mp4a", b"esds").and_then(specific_config);
        let header = config.and_then(AdtsHeader::of);
        header.ok_or_else(|| Error::unusable("no AAC that ADTS can describe"))
    }

    /// The box with the decoder's configuration, in a sample entry of this name.
    fn configuration(&self, entry: &[u8; 4], name: &[u8; 4]) -> Option<&[u8]> {
        let fields = match self.media {
            TrackMedia::Picture => PICTURE_FIELDS,
            TrackMedia::Sound => SOUND_FIELDS,
        };
        (self.entry.get(4..8)? == entry).then_some(())?;
        find(self.entry.get(fields..)?, name)
    }
}

impl AdtsHeader {
    /// HE-AAC is announced as the AAC-LC that it contains: decoders find the rest in the frames
    /// (implicit signalling, section 1.6.5.2).
    fn of(config: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(config);
        let object = bits.take(5)?;
        let rate = bits.take(4)?;
        let channels = bits.take(4)?;
        let object = match object {
            // SBR and PS: the rate of the extension, then the object that is extended.
            5 | 29 => {
                (bits.take(4)? != 15).then_some(())?;
                bits.take(5)?
            }
            object => object,
        };
        // ADTS has two bits for the profile, no rate but those of the table, and no channel layout
        // in a program_config_element.
        let known = (1..=4).contains(&object) && rate <= 12 && (1..=7).contains(&channels);
        known.then_some(())?;
        let small = |value: u32| u8::try_from(value).ok();
        Some(Self { profile: small(object - 1)?, rate: small(rate)?, channels: small(channels)? })
    }

    /// The header of a frame of `size` bytes; what is longer than ADTS can say is cut off there.
    pub(super) fn write(self, size: usize, out: &mut Vec<u8>) {
        let length = (size + ADTS_BYTES).min(0x1fff);
        #[expect(clippy::cast_possible_truncation, reason = "13 bits, taken apart")]
        let (high, middle, low) = ((length >> 11) as u8, (length >> 3) as u8, (length << 5) as u8);
        out.extend_from_slice(&[
            0xff,
            // MPEG-4, no checksum.
            0xf1,
            self.profile << 6 | self.rate << 2 | self.channels >> 2,
            (self.channels & 3) << 6 | high,
            middle,
            // Buffer fullness 0x7ff: the rate is variable. One block.
            low | 0x1f,
            0xfc,
        ]);
    }
}

/// `AudioSpecificConfig` inside `ES_Descriptor` and `DecoderConfigDescriptor` (ISO/IEC 14496-1
/// sections 7.2.6.5 and 7.2.6.6).
fn specific_config(esds: &[u8]) -> Option<&[u8]> {
    let stream = descriptor(esds.get(4..)?, 3)?.get(3..)?;
    descriptor(descriptor(stream, 4)?.get(13..)?, 5)
}

/// The content of the descriptor that `bytes` begins with, if it has this tag; its size is written
/// in groups of seven bits (section 8.3.3).
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (&found, mut rest) = bytes.split_first()?;
    (found == tag).then_some(())?;
    let mut size = 0;
    for _ in 0..4 {
        let (&byte, tail) = rest.split_first()?;
        size = size << 7 | usize::from(byte & 0x7f);
        rest = tail;
        if byte & 0x80 == 0 {
            return rest.get(..size);
        }
    }
    None
}

fn byte_stream(record: &[u8]) -> Option<ParameterSets> {
    let mut sets = Vec::new();
    (record.get(4)? & 3 == 3).then_some(())?;
    let mut rest = record.get(5..)?;
    for mask in [0x1f, 0xff] {
        let (&count, mut tail) = rest.split_first()?;
        for _ in 0..count & mask {
            let length = usize::from(u16_at(tail, 0)?);
            sets.extend_from_slice(&[0, 0, 0, 1]);
            sets.extend_from_slice(tail.get(2..2 + length)?);
            tail = &tail[2 + length..];
        }
        rest = tail;
    }
    Some(ParameterSets(sets))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cmaf::{AudioTrack, AvcConfig, VideoTrack, init_audio, init_video};
    use crate::facts::Colour;
    use crate::plan::{AudioCodec, VideoCodec};

    const SETS: [u8; 18] =
        [0, 0, 0, 1, 0x67, 100, 0, 31, 0xac, 0xd9, 0, 0, 0, 1, 0x68, 0xeb, 0xe3, 0xcb];

    pub(in super::super) fn picture() -> Vec<u8> {
        let config = AvcConfig::from_extradata(&SETS).unwrap();
        init_video(&VideoTrack {
            codec: VideoCodec::H264,
            width: 640,
            height: 360,
            record: &config.record,
            colour: Colour::BT709,
            time_scale: 90_000,
        })
    }

    pub(in super::super) fn sound(config: &[u8]) -> Vec<u8> {
        init_audio(&AudioTrack {
            codec: AudioCodec::Aac,
            config,
            channels: 2,
            sample_rate: 44_100,
            bitrate_bps: 128_000,
            language: Some("zh"),
        })
    }

    #[test]
    fn a_picture_is_described() {
        let track = Track::read(&picture()).unwrap();
        assert_eq!((track.media, track.time_scale), (TrackMedia::Picture, 90_000));
        assert_eq!((track.width, track.height), (640, 360));
        assert_eq!(track.parameter_sets().unwrap().0, SETS);
        assert!(track.adts().is_err());
    }

    #[test]
    fn sound_is_described() {
        let track = Track::read(&sound(&[0x12, 0x10])).unwrap();
        assert_eq!((track.media, track.time_scale), (TrackMedia::Sound, 44_100));
        let mut header = Vec::new();
        track.adts().unwrap().write(100, &mut header);
        assert_eq!(header, [0xff, 0xf1, 0x50, 0x80, 0x0d, 0x7f, 0xfc]);
        assert!(track.parameter_sets().is_err());
    }

    #[test]
    fn he_aac_is_announced_as_its_core() {
        // Object 5, 24 kHz extended to 48 kHz, stereo, over object 2.
        let he = AdtsHeader::of(&[0b0010_1011, 0b0001_0001, 0b1000_1000]).unwrap();
        assert_eq!(he, AdtsHeader { profile: 1, rate: 6, channels: 2 });
        for bad in [&[0x12][..], &[0x17, 0x80, 0, 0, 0x10], &[0x12, 0x00], &[0xf8, 0, 0]] {
            assert_eq!(AdtsHeader::of(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, at: usize, byte: u8, of_sound: bool) {
            let _ = Track::read(&bytes);
            let _ = specific_config(&bytes);
            let _ = byte_stream(&bytes);
            let mut good = if of_sound { sound(&[0x12, 0x10]) } else { picture() };
            let at = at % good.len();
            good[at] = byte;
            if let Ok(track) = Track::read(&good) {
                let _ = (track.parameter_sets(), track.adts());
            }
        }
    }
}
