//! The tables that say what is in the stream (ISO/IEC 13818-1 section 2.4.4).

use super::{PICTURE_PID, PROGRAM_PID, SOUND_PID};

/// `stream_type` (table 2-34): H.264 as a byte stream, AAC in ADTS.
const H264: u8 = 0x1b;
const AAC: u8 = 0x0f;

/// The program association table, as the payload of a packet: one program.
pub(super) fn association() -> Vec<u8> {
    let [high, low] = PROGRAM_PID.to_be_bytes();
    section(0, &[0, 1, 0xe0 | high, low])
}

/// The program map table, as the payload of a packet.
pub(super) fn map(picture: bool, sound: bool) -> Vec<u8> {
    let clock = if picture { PICTURE_PID } else { SOUND_PID };
    let [high, low] = clock.to_be_bytes();
    let mut body = vec![0xe0 | high, low, 0xf0, 0];
    for (there, kind, pid) in [(picture, H264, PICTURE_PID), (sound, AAC, SOUND_PID)] {
        let [high, low] = pid.to_be_bytes();
        if there {
            body.extend_from_slice(&[kind, 0xe0 | high, low, 0xf0, 0]);
        }
    }
    section(2, &body)
}

/// A section of table `id` about program or stream 1, behind a pointer to it.
fn section(id: u8, body: &[u8]) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, reason = "two streams at most")]
    let length = (5 + body.len() + 4) as u8;
    // Version 0, current, the only section.
    let mut bytes = vec![id, 0xb0, length, 0, 1, 0xc1, 0, 0];
    bytes.extend_from_slice(body);
    let sum = crc32(&bytes);
    bytes.extend_from_slice(&sum.to_be_bytes());
    bytes.insert(0, 0);
    bytes
}

/// Annex A.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| {
            if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // The usual check value of CRC-32/MPEG-2.
        assert_eq!(crc32(b"123456789"), 0x0376_e6e7);
        for section in [association(), map(true, true), map(true, false), map(false, true)] {
            assert_eq!(crc32(&section[1..]), 0, "a section with its sum gives 0");
            assert_eq!(usize::from(section[3]), section.len() - 4);
        }
    }
}
