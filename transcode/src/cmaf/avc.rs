//! H.264 in MP4 (ISO/IEC 14496-15): the decoder's configuration, and NAL units with lengths.

use crate::Error;

/// NAL unit types of ISO/IEC 14496-10 table 7-1.
const IDR: u8 = 5;
const SEI: u8 = 6;
const SPS: u8 = 7;
const PPS: u8 = 8;
const AUD: u8 = 9;
const FILLER: u8 = 12;

/// How NAL units follow each other in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NalFormat {
    /// Start codes (annex B).
    AnnexB,
    /// A length of so many bytes before each.
    Length(usize),
}

/// What a decoder must know before the first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AvcConfig {
    /// `AVCDecoderConfigurationRecord`, always with lengths of four bytes.
    pub(crate) record: Vec<u8>,
    /// RFC 6381 section 3.3.
    pub(crate) codecs: String,
    /// How the packets that came with this extradata are written.
    pub(crate) packets: NalFormat,
    /// The parameter sets that the record holds.
    sets: Vec<Vec<u8>>,
}

impl AvcConfig {
    /// From a codec's extradata, of either form.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when it has no parameter sets.
    pub(crate) fn from_extradata(extradata: &[u8]) -> Result<Self, Error> {
        let (packets, nals) = if extradata.first() == Some(&1) {
            from_record(extradata).ok_or_else(|| Error::unusable("broken avcC record"))?
        } else {
            (NalFormat::AnnexB, units(extradata, NalFormat::AnnexB))
        };
        let of = |kind: u8| nals.iter().copied().filter(move |n| kind_of(n) == kind);
        let (sps, pps): (Vec<_>, Vec<_>) = (of(SPS).collect(), of(PPS).collect());
        let first = sps.first().filter(|s| s.len() >= 4);
        let Some(first) = first.filter(|_| !pps.is_empty()) else {
            return Err(Error::unusable("no H.264 parameter sets"));
        };
        Ok(Self {
            record: record(first, &sps, &pps),
            codecs: codecs(first),
            packets,
            sets: sps.iter().chain(&pps).map(|set| set.to_vec()).collect(),
        })
    }

    /// Does the packet hold a parameter set that the record has not? It would be lost.
    pub(crate) fn is_changed_by(&self, packet: &[u8]) -> bool {
        units(packet, self.packets)
            .iter()
            .any(|nal| matches!(kind_of(nal), SPS | PPS) && !self.sets.iter().any(|set| set == nal))
    }

    /// A packet as MP4 wants it: lengths of four bytes, without what the container says itself
    /// (parameter sets, delimiters, filler), and without SEI if `drop_sei`.
    pub(crate) fn sample(&self, packet: &[u8], drop_sei: bool) -> Vec<u8> {
        let mut sample = Vec::with_capacity(packet.len() + 16);
        for nal in units(packet, self.packets) {
            let kind = kind_of(nal);
            if matches!(kind, SPS | PPS | AUD | FILLER) || (drop_sei && kind == SEI) {
                continue;
            }
            let Ok(length) = u32::try_from(nal.len()) else { continue };
            sample.extend_from_slice(&length.to_be_bytes());
            sample.extend_from_slice(nal);
        }
        sample
    }
}

/// Does the packet hold an IDR picture?
pub(crate) fn has_idr(packet: &[u8], format: NalFormat) -> bool {
    units(packet, format).iter().any(|nal| kind_of(nal) == IDR)
}

/// The format of packets that come with this extradata.
pub(crate) fn packet_format(extradata: &[u8]) -> NalFormat {
    match extradata {
        [1, _, _, _, sizes, ..] => NalFormat::Length(usize::from(sizes & 3) + 1),
        _ => NalFormat::AnnexB,
    }
}

fn kind_of(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |b| b & 0x1f)
}

fn codecs(sps: &[u8]) -> String {
    format!("avc1.{:02X}{:02X}{:02X}", sps[1], sps[2], sps[3])
}

/// ISO/IEC 14496-15 section 5.3.3.1.2.
fn record(first: &[u8], sps: &[&[u8]], pps: &[&[u8]]) -> Vec<u8> {
    let (sps, pps) = (&sps[..sps.len().min(31)], &pps[..pps.len().min(255)]);
    let mut record = vec![1, first[1], first[2], first[3], 0xff];
    #[expect(clippy::cast_possible_truncation, reason = "at most 31 and 255")]
    let counts = (0xe0 | sps.len() as u8, pps.len() as u8);
    record.push(counts.0);
    sps.iter().for_each(|nal| put_set(&mut record, nal));
    record.push(counts.1);
    pps.iter().for_each(|nal| put_set(&mut record, nal));
    // High profiles add chroma format and bit depths: what duoku packages is 8-bit 4:2:0.
    if matches!(first[1], 100 | 110 | 122 | 144) {
        record.extend_from_slice(&[0xfd, 0xf8, 0xf8, 0]);
    }
    record
}

fn put_set(record: &mut Vec<u8>, nal: &[u8]) {
    let length = u16::try_from(nal.len()).unwrap_or(0);
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(&nal[..usize::from(length)]);
}

fn from_record(record: &[u8]) -> Option<(NalFormat, Vec<&[u8]>)> {
    let mut nals = Vec::new();
    let mut rest = record.get(5..)?;
    for mask in [0x1f, 0xff] {
        let (&count, mut tail) = rest.split_first()?;
        for _ in 0..count & mask {
            let length = usize::from(u16::from_be_bytes([*tail.first()?, *tail.get(1)?]));
            nals.push(tail.get(2..2 + length)?);
            tail = &tail[2 + length..];
        }
        rest = tail;
    }
    Some((packet_format(record), nals))
}

/// The NAL units of a packet; what is broken ends the list.
fn units(packet: &[u8], format: NalFormat) -> Vec<&[u8]> {
    match format {
        NalFormat::AnnexB => annexb_units(packet),
        NalFormat::Length(size) => length_units(packet, size),
    }
}

fn length_units(mut packet: &[u8], size: usize) -> Vec<&[u8]> {
    let mut units = Vec::new();
    while packet.len() > size {
        let (head, rest) = packet.split_at(size);
        let length = head.iter().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte));
        let Some(unit) = rest.get(..length) else { break };
        if !unit.is_empty() {
            units.push(unit);
        }
        packet = &rest[length..];
    }
    units
}

pub(super) fn annexb_units(packet: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= packet.len() {
        if packet[at..at + 3] == [0, 0, 1] {
            starts.push(at + 3);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).map(|next| next - 3).chain([packet.len()]);
    let trim = |unit: &'_ [u8]| unit.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| &packet[start..end])
        .map(|unit| &unit[..trim(unit)])
        .filter(|unit| !unit.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPS_NAL: [u8; 6] = [0x67, 100, 0, 31, 0xac, 0xd9];
    const PPS_NAL: [u8; 4] = [0x68, 0xeb, 0xe3, 0xcb];

    fn annexb(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1][..], nal].concat()).collect()
    }

    #[test]
    fn both_forms_of_extradata_give_the_same_record() {
        let from_annexb = AvcConfig::from_extradata(&annexb(&[&SPS_NAL, &PPS_NAL])).unwrap();
        assert_eq!(from_annexb.codecs, "avc1.64001F");
        assert_eq!(from_annexb.packets, NalFormat::AnnexB);
        let again = AvcConfig::from_extradata(&from_annexb.record).unwrap();
        assert_eq!(again.record, from_annexb.record);
        assert_eq!(again.packets, NalFormat::Length(4));
    }

    #[test]
    fn samples_keep_pictures_and_lose_what_the_container_says() {
        let config = AvcConfig::from_extradata(&annexb(&[&SPS_NAL, &PPS_NAL])).unwrap();
        let packet = annexb(&[&[9, 0x10], &SPS_NAL, &PPS_NAL, &[6, 5, 1], &[0x65, 1, 2, 3]]);
        assert_eq!(config.sample(&packet, true), [0, 0, 0, 4, 0x65, 1, 2, 3]);
        assert_eq!(config.sample(&packet, false).len(), 8 + 4 + 3);
        assert!(!config.is_changed_by(&packet));
        assert!(config.is_changed_by(&annexb(&[&[0x68, 9, 9], &[0x65, 1]])));
        assert!(has_idr(&packet, NalFormat::AnnexB));
        assert!(!has_idr(&annexb(&[&[0x41, 9]]), NalFormat::AnnexB));
    }

    #[test]
    fn no_parameter_sets_are_an_error() {
        for bytes in [&[][..], &[1], &[1, 100, 0, 31, 0xff, 0xe1, 0, 9, 1], &[0, 0, 1, 0x68, 1]] {
            assert!(AvcConfig::from_extradata(bytes).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, size in 1_usize..5) {
            let _ = AvcConfig::from_extradata(&bytes);
            has_idr(&bytes, NalFormat::AnnexB);
            has_idr(&bytes, NalFormat::Length(size));
        }

        #[test]
        fn units_survive_the_change_of_form(units in proptest::collection::vec(
            proptest::collection::vec(1_u8..=255, 1..40), 1..8)) {
            let units: Vec<Vec<u8>> = units.into_iter()
                .map(|mut u| { u[0] = 0x41; u }).collect();
            let slices: Vec<&[u8]> = units.iter().map(Vec::as_slice).collect();
            let config = AvcConfig::from_extradata(&annexb(&[&SPS_NAL, &PPS_NAL])).unwrap();
            let sample = config.sample(&annexb(&slices), true);
            prop_assert_eq!(length_units(&sample, 4), slices);
        }
    }
}
