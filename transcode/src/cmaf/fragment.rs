//! Fragments: one `moof` and one `mdat`, a whole CMAF segment.

use super::boxes::Boxes;

/// A coded frame, in decode order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Presentation time in ticks, not negative.
    pub(crate) time: i64,
    /// Decoding can begin here.
    pub(crate) key: bool,
    /// As it stands in `mdat`.
    pub(crate) data: Vec<u8>,
}

/// `sample_flags` (ISO/IEC 14496-12 section 8.8.3.1): depends on no other sample.
const KEY: u32 = 0x0200_0000;
/// Depends on others, is no sync sample.
const NOT_KEY: u32 = 0x0101_0000;

/// Data offset, and duration, size, flags and composition offset of each sample.
pub(crate) const TRUN_FLAGS: u32 = 0x1 | 0x100 | 0x200 | 0x400 | 0x800;

/// Writes the samples as a fragment that lasts until `end`.
pub(crate) fn fragment(sequence: u32, samples: &[Sample], end: i64) -> Vec<u8> {
    let times = decode_times(samples);
    let start = times.first().copied().unwrap_or(0);
    let mut file = Boxes::new();
    let mut offset_at = 0;
    file.put(b"moof", |b| {
        b.full(b"mfhd", 0, 0, |b| {
            b.u32(sequence);
        });
        b.put(b"traf", |b| {
            // Offsets count from the moof (CMAF section 7.5.14).
            b.full(b"tfhd", 0, 0x02_0000, |b| {
                b.u32(1);
            });
            b.full(b"tfdt", 1, 0, |b| {
                b.u64(start.unsigned_abs());
            });
            b.full(b"trun", 1, TRUN_FLAGS, |b| {
                b.u32(count(samples.len()));
                offset_at = b.len();
                b.u32(0);
                run(b, samples, &times, end);
            });
        });
    });
    let header = count(file.len()) + 8;
    file.patch_u32(offset_at, header);
    file.put(b"mdat", |b| {
        samples.iter().for_each(|s| {
            b.bytes(&s.data);
        });
    });
    file.into_bytes()
}

/// When samples are decoded: from the first presentation time on, and none after it is shown.
///
/// Decoding lags behind by the fewest frames for which that holds; the first frames share the
/// first frame's time to get there. Decode times equal to the sorted presentation times would be
/// plainer, but their negative composition offsets make FFmpeg's demuxer show the whole track too
/// late; an edit list would have to know the lag before the first frame is encoded.
fn decode_times(samples: &[Sample]) -> Vec<i64> {
    let mut sorted: Vec<i64> = samples.iter().map(|s| s.time.max(0)).collect();
    sorted.sort_unstable();
    let lag = lag(samples, &sorted);
    let (first, second) = (sorted.first().copied(), sorted.get(1).copied());
    let (first, second) = (first.unwrap_or(0), second.or(first).unwrap_or(0));
    let shares = i64::try_from(lag).unwrap_or(0) + 1;
    let early = (0..shares).map(|i| first + (second - first) * i / shares);
    early.chain(sorted.iter().skip(1).copied()).take(samples.len()).collect()
}

/// How many frames decoding lags behind showing.
fn lag(samples: &[Sample], sorted: &[i64]) -> usize {
    let place = |time: i64| sorted.partition_point(|&t| t <= time);
    let late =
        samples.iter().enumerate().map(|(i, s)| (i + 1).saturating_sub(place(s.time.max(0))));
    late.max().unwrap_or(0)
}

fn run(b: &mut Boxes, samples: &[Sample], times: &[i64], end: i64) {
    for (i, sample) in samples.iter().enumerate() {
        let until = times.get(i + 1).copied().unwrap_or(end);
        b.u32(u32::try_from((until - times[i]).max(0)).unwrap_or(u32::MAX));
        b.u32(count(sample.data.len()));
        b.u32(if sample.key { KEY } else { NOT_KEY });
        b.i32(i32::try_from(sample.time.max(0) - times[i]).unwrap_or(0));
    }
}

fn count(value: usize) -> u32 {
    u32::try_from(value).expect("a segment stays below 4 GiB")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(time: i64, size: usize) -> Sample {
        Sample { time, key: time == 0, data: vec![7; size] }
    }

    fn u32_at(bytes: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    /// Reads a fragment back: (decode time, duration, size, presentation time) of each sample.
    fn read(bytes: &[u8]) -> Vec<(i64, i64, usize, i64)> {
        let find = |name: &[u8; 4]| bytes.windows(4).position(|w| w == name).unwrap() + 4;
        let tfdt = find(b"tfdt");
        let mut time = i64::from_be_bytes(bytes[tfdt + 4..tfdt + 12].try_into().unwrap());
        let trun = find(b"trun");
        (0..u32_at(bytes, trun + 4) as usize)
            .map(|i| {
                let at = trun + 12 + i * 16;
                let duration = i64::from(u32_at(bytes, at));
                let offset = i64::from(u32_at(bytes, at + 12).cast_signed());
                let entry = (time, duration, u32_at(bytes, at + 4) as usize, time + offset);
                time += duration;
                entry
            })
            .collect()
    }

    #[test]
    fn b_frames_are_shown_when_they_were() {
        let samples: Vec<_> = [0, 9000, 3000, 6000].map(|t| sample(t, 10)).into();
        let read = read(&fragment(1, &samples, 12_000));
        let shown: Vec<i64> = read.iter().map(|s| s.3).collect();
        assert_eq!(shown, [0, 9000, 3000, 6000]);
        assert_eq!(read.last().unwrap().0 + read.last().unwrap().1, 12_000);
    }

    #[test]
    fn the_data_offset_points_at_the_first_sample() {
        let bytes = fragment(3, &[sample(0, 5)], 10);
        let trun = bytes.windows(4).position(|w| w == b"trun").unwrap();
        let offset = u32_at(&bytes, trun + 12) as usize;
        assert_eq!(bytes[offset..], [7; 5]);
        assert_eq!(u32_at(&bytes, 0) as usize + 8, offset);
    }

    proptest! {
        #[test]
        fn times_and_sizes_come_back(mut times in proptest::collection::vec(0_i64..1_000_000, 1..60),
                                     tail in 1_i64..100_000) {
            let end = times.iter().max().unwrap() + tail;
            times.dedup();
            let samples: Vec<_> = times.iter().enumerate().map(|(i, &t)| sample(t, i)).collect();
            let read = read(&fragment(1, &samples, end));
            prop_assert_eq!(read.iter().map(|s| s.3).collect::<Vec<_>>(), times.clone());
            prop_assert_eq!(read.iter().map(|s| s.2).collect::<Vec<_>>(), (0..samples.len()).collect::<Vec<_>>());
            prop_assert_eq!(read.last().map(|s| s.0 + s.1), Some(end));
            let first = times.iter().min().copied();
            prop_assert_eq!(read.first().map(|s| s.0), first, "tfdt is the first presentation time");
            // With the first sample first, as in a closed GOP, none is shown before it is decoded.
            if times.first().copied() == first {
                prop_assert!(read.iter().all(|s| s.3 >= s.0));
            }
        }
    }
}
