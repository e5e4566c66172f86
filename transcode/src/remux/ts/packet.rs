//! Packets, and the PES packets in them.

use super::{OFFSET, PACKET_BYTES, WRAP};

/// Bytes of a packet behind its header.
const ROOM: usize = PACKET_BYTES as usize - 4;

/// Bytes of an adaptation field with a clock: its length, flags, clock.
const CLOCK_BYTES: usize = 8;

/// A clock in an adaptation field (ISO/IEC 13818-1 section 2.4.3.4).
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// `program_clock_reference_base`, ticks.
    pub(super) ticks: u64,
    /// `random_access_indicator`.
    pub(super) random_access: bool,
}

/// The fewest packets that hold `length` bytes, the first of them with or without a clock.
pub(super) fn fewest(length: usize, clock: bool) -> usize {
    let first = if clock { ROOM - CLOCK_BYTES } else { ROOM };
    1 + length.saturating_sub(first).div_ceil(ROOM)
}

/// Writes `payload` as so many packets, at least [`fewest`] and at most one for each byte. Those
/// behind what is needed have a byte each.
pub(super) fn spread(
    pid: u16,
    counter: u8,
    clock: Option<Clock>,
    payload: &[u8],
    packets: usize,
    out: &mut Vec<u8>,
) {
    let mut rest = payload;
    for number in 0..packets {
        let clock = clock.filter(|_| number == 0);
        let room = if clock.is_some() { ROOM - CLOCK_BYTES } else { ROOM };
        let keep = packets - 1 - number;
        let (own, tail) = rest.split_at(room.min(rest.len().saturating_sub(keep)));
        #[expect(clippy::cast_possible_truncation, reason = "of four bits")]
        let counter = counter.wrapping_add(number as u8) & 15;
        packet(pid, number == 0, counter, clock, own, out);
        rest = tail;
    }
}

/// One packet, filled up in its adaptation field (section 2.4.3.2). `counter` of a packet without
/// payload is that of the one before.
pub(super) fn packet(
    pid: u16,
    start: bool,
    counter: u8,
    clock: Option<Clock>,
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    let end = out.len() + PACKET_BYTES as usize;
    let field = ROOM - payload.len();
    let control = u8::from(field > 0) << 1 | u8::from(!payload.is_empty());
    let [high, low] = pid.to_be_bytes();
    out.extend_from_slice(&[0x47, u8::from(start) << 6 | high, low, control << 4 | counter]);
    if field > 0 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 183")]
        out.push((field - 1) as u8);
    }
    if field > 1 {
        let flags = clock.map_or(0, |clock| u8::from(clock.random_access) << 6 | 0x10);
        out.push(flags);
        if let Some(clock) = clock {
            // 33 bits, six that are reserved, nine of an extension that is 0 here.
            let base = (clock.ticks & WRAP) << 15 | 0x7e00;
            out.extend_from_slice(&base.to_be_bytes()[2..]);
        }
    }
    out.resize(end - payload.len(), 0xff);
    out.extend_from_slice(payload);
}

/// Bytes of a PES packet's header, with one or two time stamps.
pub(super) fn pes_header_bytes(both: bool) -> usize {
    if both { 19 } else { 14 }
}

/// The header of a PES packet of `length` bytes behind it (section 2.4.3.6). Times are media
/// times; a decode time is given where it differs.
pub(super) fn pes_header(stream: u8, length: usize, time: u64, decode: u64, out: &mut Vec<u8>) {
    let both = time != decode;
    let header = pes_header_bytes(both);
    // What does not fit is left open, which only pictures may (`PES_packet_length` 0).
    let length = u16::try_from(header - 6 + length).unwrap_or(0);
    out.extend_from_slice(&[0, 0, 1, stream]);
    out.extend_from_slice(&length.to_be_bytes());
    // Data begin with a frame.
    out.push(0x84);
    if both {
        out.extend_from_slice(&[0xc0, 10]);
        stamp(3, time, out);
        stamp(1, decode, out);
    } else {
        out.extend_from_slice(&[0x80, 5]);
        stamp(2, time, out);
    }
}

fn stamp(prefix: u8, time: u64, out: &mut Vec<u8>) {
    let ticks = time.wrapping_add(OFFSET) & WRAP;
    // 3, 15 and 15 bits, each before a marker bit.
    let bits = u64::from(prefix) << 36
        | (ticks >> 30) << 33
        | 1 << 32
        | (ticks >> 15 & 0x7fff) << 17
        | 1 << 16
        | (ticks & 0x7fff) << 1
        | 1;
    out.extend_from_slice(&bits.to_be_bytes()[3..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_wrap_after_33_bits() {
        let read = |time| {
            let mut out = Vec::new();
            stamp(2, time, &mut out);
            assert_eq!((out.len(), out[0] >> 4), (5, 2));
            assert!([0, 2, 4].iter().all(|&at| out[at] & 1 == 1), "markers");
            let bits = |at: usize, shift: u32| u64::from(out[at]) << shift;
            (bits(0, 29) >> 30 & 7) << 30
                | (bits(1, 7) | u64::from(out[2] >> 1)) << 15
                | bits(3, 7)
                | u64::from(out[4] >> 1)
        };
        assert_eq!(read(0), OFFSET);
        assert_eq!(read((1 << 33) - OFFSET - 1), (1 << 33) - 1);
        assert_eq!(read((1 << 33) - OFFSET), 0);
    }

    #[test]
    fn packets_are_filled_up() {
        for length in [1, 5, 175, 176, 177, 183, 184, 185, 1000] {
            for clock in [None, Some(Clock { ticks: 5, random_access: true })] {
                let payload: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
                let least = fewest(length, clock.is_some());
                for packets in least..=(least + 15).min(length) {
                    let mut out = Vec::new();
                    spread(0x100, 14, clock, &payload, packets, &mut out);
                    assert_eq!(out.len(), packets * 188, "{length}");
                    let mut back = Vec::new();
                    for (number, packet) in out.chunks(188).enumerate() {
                        assert_eq!(packet[0], 0x47);
                        assert_eq!(usize::from(packet[3] & 15), (14 + number) % 16);
                        let field =
                            if packet[3] & 0x20 > 0 { usize::from(packet[4]) + 1 } else { 0 };
                        back.extend_from_slice(&packet[4 + field..]);
                    }
                    assert_eq!(back, payload);
                }
            }
        }
    }
}
