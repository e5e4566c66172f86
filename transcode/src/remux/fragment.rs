//! What a fragment says of its samples: the `moof` that `cmaf` wrote, read back.

use crate::Error;
use crate::cmaf::TRUN_FLAGS;

use super::read::{find, find_in, u32_at, u64_at};

/// Bytes of a segment within which its `moof` mostly lies: ten minutes of sound, or six seconds at
/// 170 frames a second.
pub const HEADER_GUESS_BYTES: u64 = 16 * 1024;

/// No time is later: 2^48 ticks are 99 years at 90 kHz. So sums of times never overflow.
const LATEST: u64 = 1 << 48;

/// `sample_is_non_sync_sample` of `sample_flags` (ISO/IEC 14496-12 section 8.8.3.1).
const NON_SYNC: u32 = 0x1_0000;

/// Bytes of an entry of `trun` with [`TRUN_FLAGS`].
const ENTRY_BYTES: usize = 16;

/// A fragment's samples, in decode order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// First byte of the first sample, from the fragment's first byte. The samples follow each
    /// other without a gap.
    pub data_offset: u64,
    /// In decode order.
    pub samples: Vec<Sample>,
}

/// What is known of a sample without its bytes. Times are ticks of the track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it is decoded; never falls from one sample to the next.
    pub decode: u64,
    /// When it is shown or heard.
    pub time: u64,
    /// Until the next sample is decoded.
    pub duration: u32,
    /// Bytes.
    pub size: u32,
    /// Decoding can begin here.
    pub key: bool,
}

impl Fragment {
    /// How many bytes of a segment, from its first byte on, [`Fragment::read`] needs; `None` when
    /// no `moof` begins there. Eight bytes tell it.
    #[must_use]
    pub fn header_bytes(segment: &[u8]) -> Option<u64> {
        let size = u32_at(segment, 0)?;
        (segment.get(4..8)? == b"moof").then_some(u64::from(size))
    }

    /// Reads the `moof` that `bytes` begins with (ISO/IEC 14496-12 section 8.8), in the form in
    /// which this crate writes it: one track, one run, every field with every sample.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when it is cut off or of another form.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse(bytes).ok_or_else(|| Error::unusable("a fragment that was not written here"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let track = find_in(bytes, &[b"moof", b"traf"])?;
        let decode = find(track, b"tfdt").filter(|tfdt| tfdt.first() == Some(&1))?;
        let mut decode = u64_at(decode, 4)?;
        let run = find(track, b"trun")?;
        if u32_at(run, 0)? & 0xff_ffff != TRUN_FLAGS {
            return None;
        }
        let count = usize::try_from(u32_at(run, 4)?).ok()?;
        let data_offset = u64::from(u32_at(run, 8)?);
        let entries = run.get(12..12_usize.checked_add(count.checked_mul(ENTRY_BYTES)?)?)?;
        let mut samples = Vec::with_capacity(count);
        for entry in entries.chunks_exact(ENTRY_BYTES) {
            let [duration, size, flags] = [0, 4, 8].map(|at| u32_at(entry, at).unwrap_or(0));
            let offset = i64::from(u32_at(entry, 12)?.cast_signed());
            let time = decode.checked_add_signed(offset).filter(|_| decode < LATEST)?;
            samples.push(Sample { decode, time, duration, size, key: flags & NON_SYNC == 0 });
            decode += u64::from(duration);
        }
        Some(Self { data_offset, samples })
    }

    /// The same samples as several fragments, each of which is decoded over less than `ticks`, or
    /// has a single sample.
    #[must_use]
    pub fn split(self, ticks: u64) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut offset = self.data_offset;
        for sample in self.samples {
            let size = u64::from(sample.size);
            match all.last_mut() {
                Some(last)
                    if last.samples.first().is_some_and(|s| sample.decode < s.decode + ticks) =>
                {
                    last.samples.push(sample);
                }
                _ => all.push(Self { data_offset: offset, samples: vec![sample] }),
            }
            offset += size;
        }
        all
    }

    /// Bytes of all samples.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        self.samples.iter().map(|sample| u64::from(sample.size)).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cmaf;

    fn written(times: &[i64], end: i64) -> Vec<u8> {
        let samples: Vec<_> = times
            .iter()
            .enumerate()
            .map(|(i, &time)| cmaf::Sample { time, key: i == 0, data: vec![7; i + 1] })
            .collect();
        cmaf::fragment(1, &samples, end)
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = written(&[9000, 18_000, 12_000, 15_000], 21_000);
        let header = Fragment::header_bytes(&bytes).unwrap();
        let read = Fragment::read(&bytes[..usize::try_from(header).unwrap()]).unwrap();
        assert_eq!(read.data_offset, header + 8);
        let times: Vec<u64> = read.samples.iter().map(|s| s.time).collect();
        assert_eq!(times, [9000, 18_000, 12_000, 15_000]);
        let sizes: Vec<u32> = read.samples.iter().map(|s| s.size).collect();
        assert_eq!((sizes, read.data_bytes()), (vec![1, 2, 3, 4], 10));
        let keys: Vec<bool> = read.samples.iter().map(|s| s.key).collect();
        assert_eq!(keys, [true, false, false, false]);
        let last = read.samples.last().unwrap();
        assert_eq!(last.decode + u64::from(last.duration), 21_000);
        assert!(Fragment::read(&bytes[..40]).is_err(), "cut off");
        assert_eq!(Fragment::header_bytes(&bytes[8..]), None);
    }

    proptest! {
        #[test]
        fn what_is_split_is_all_there(mut times in proptest::collection::vec(0_i64..100_000, 1..80),
                                      ticks in 0_u64..50_000) {
            times.sort_unstable();
            let whole = Fragment::read(&written(&times, 100_000)).unwrap();
            let split = whole.clone().split(ticks);
            let mut offset = whole.data_offset;
            for one in &split {
                prop_assert_eq!(one.data_offset, offset);
                offset += one.data_bytes();
                let last = one.samples.last().unwrap().decode;
                prop_assert!(one.samples.len() == 1 || last < one.samples[0].decode + ticks);
            }
            let samples: Vec<Sample> = split.into_iter().flat_map(|one| one.samples).collect();
            prop_assert_eq!(samples, whole.samples);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, at: usize, byte: u8) {
            let _ = Fragment::read(&bytes);
            let mut good = written(&[0, 3000, 6000], 9000);
            let at = at % good.len();
            good[at] = byte;
            if let Ok(read) = Fragment::read(&good) {
                prop_assert!(read.samples.len() <= good.len());
            }
        }
    }
}
