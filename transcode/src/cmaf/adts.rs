//! AAC with a header before each frame (ADTS, ISO/IEC 13818-7 section 6.2), as in MPEG-TS.

/// By their index (ISO/IEC 14496-3 table 1.18).
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// The frame behind the header, and whether it is a single one; `None` when there is no header, or
/// when less follows it than it says.
pub(crate) fn adts_frame(packet: &[u8]) -> Option<(&[u8], bool)> {
    let [0xff, flags, _, high, middle, low, blocks, ..] = *packet else { return None };
    let length = usize::from(high & 3) << 11 | usize::from(middle) << 3 | usize::from(low >> 5);
    if flags & 0xf6 != 0xf0 || packet.len() < length {
        return None;
    }
    // A checksum follows unless the last bit says that it is absent.
    let header = if flags & 1 == 1 { 7 } else { 9 };
    Some((packet.get(header..)?, blocks & 3 == 0))
}

/// `AudioSpecificConfig` of AAC-LC (ISO/IEC 14496-3 section 1.6.2.1).
pub(crate) fn lc_config(sample_rate: u32, channels: u32) -> Option<[u8; 2]> {
    let rate = u8::try_from(RATES.iter().position(|&rate| rate == sample_rate)?).ok()?;
    let channels = u8::try_from(channels).ok().filter(|c| (1..=7).contains(c))?;
    Some([2 << 3 | rate >> 1, (rate & 1) << 7 | channels << 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_taken_off() {
        let header = [0xff, 0xf1, 0x4c, 0x80, 0x01, 0x5f, 0xfc];
        let packet = [&header[..], &[1, 2, 3]].concat();
        assert_eq!(adts_frame(&packet), Some((&[1, 2, 3][..], true)));
        let checked = [&[0xff, 0xf0][..], &header[2..], &[9, 9, 1, 2]].concat();
        assert_eq!(adts_frame(&checked), Some((&[1, 2][..], true)));
        assert_eq!(adts_frame(&[0x21, 0x10, 4, 5, 6, 7, 8, 9]), None);
        assert_eq!(adts_frame(&header[..6]), None);
        assert_eq!(adts_frame(&packet[..9]), None, "cut off");
        assert_eq!(lc_config(44_100, 2), Some([0x12, 0x10]));
        assert_eq!(lc_config(48_000, 1), Some([0x11, 0x88]));
        assert_eq!(lc_config(47_999, 1), None);
    }
}
