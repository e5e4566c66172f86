//! Sound as every recogniser reads it: RIFF WAVE, 16-bit PCM, one channel at 16 kHz.

use transcode::SPEECH_RATE;

/// The file. Samples beyond -1 to 1 are cut.
pub(super) fn wav(samples: &[f32]) -> Vec<u8> {
    let bytes = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend(b"RIFF");
    file.extend((bytes.saturating_add(36)).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    file.extend([1, 0, 1, 0]);
    file.extend(SPEECH_RATE.to_le_bytes());
    file.extend((SPEECH_RATE * 2).to_le_bytes());
    // Bytes of a frame, bits of a sample.
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    let whole = |sample: &f32| (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
    file.extend(samples.iter().flat_map(|sample| whole(sample).to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_holds() {
        let file = wav(&[0.0, 1.0, -2.0]);
        assert_eq!(file.len(), 50);
        assert_eq!(&file[4..8], 42_u32.to_le_bytes());
        assert_eq!(&file[44..], [0, 0, 0xFF, 0x7F, 0x01, 0x80]);
    }
}
