use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::remux::Track;
use crate::remux::track::tests::{picture, sound};

fn sets() -> ParameterSets {
    Track::read(&picture()).unwrap().parameter_sets().unwrap()
}

fn header() -> AdtsHeader {
    Track::read(&sound(&[0x12, 0x10])).unwrap().adts().unwrap()
}

/// Frames of `sizes` bytes, a new one each `step` ticks, from `start` on.
fn samples(start: u64, step: u32, sizes: &[u32]) -> Vec<Sample> {
    let at = |n: usize| start + n as u64 * u64::from(step);
    let sample = |(n, &size): (usize, &u32)| Sample {
        decode: at(n),
        time: at(n) + u64::from(n != 0) * u64::from(step),
        duration: step,
        size,
        key: n == 0,
    };
    sizes.iter().enumerate().map(sample).collect()
}

/// NAL units with lengths, `size` bytes.
fn unit(size: u32) -> Vec<u8> {
    let mut unit = size.saturating_sub(4).to_be_bytes().to_vec();
    unit.extend((4..size).map(|n| (n % 200 + 2) as u8));
    unit.truncate(size as usize);
    unit
}

/// The bytes of a segment, written item by item.
fn write(segment: &Segment, picture: &[Sample], sound: &[Sample]) -> Vec<u8> {
    let mut out = Vec::new();
    for item in segment.items() {
        assert_eq!(out.len() as u64, item.offset());
        assert_eq!(segment.item_at(item.offset()), segment.item_at(item.offset() + 187));
        let data: Vec<Vec<u8>> = match item.samples() {
            Some((TrackMedia::Picture, range)) => {
                picture[range].iter().map(|s| unit(s.size)).collect()
            }
            Some((TrackMedia::Sound, range)) => {
                sound[range].iter().map(|s| vec![5; s.size as usize]).collect()
            }
            None => Vec::new(),
        };
        let data: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
        segment.write(item, &data, &mut out);
    }
    assert_eq!(out.len() as u64, segment.length());
    out
}

/// What a demuxer finds: the payload of each PID, and the clocks. Counters must go on from
/// `counters`.
fn demux(bytes: &[u8], counters: &mut HashMap<u16, u8>) -> (HashMap<u16, Vec<u8>>, Vec<u64>) {
    let (mut payloads, mut clocks) = (HashMap::<u16, Vec<u8>>::new(), Vec::new());
    for packet in bytes.chunks(188) {
        assert_eq!((packet.len(), packet[0]), (188, 0x47));
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        let (has_field, has_payload) = (packet[3] & 0x20 > 0, packet[3] & 0x10 > 0);
        let mut at = 4;
        if has_field {
            at += 1 + usize::from(packet[4]);
            if packet[4] > 0 && packet[5] & 0x10 > 0 {
                let base = packet[6..11].iter().fold(0, |sum, &b| sum << 8 | u64::from(b)) >> 7;
                clocks.push(base);
            }
        }
        assert!(at <= 188);
        let expected = counters.get(&pid).map(|last| (last + u8::from(has_payload)) & 15);
        let counter = packet[3] & 15;
        assert!(expected.is_none_or(|expected| expected == counter), "PID {pid}");
        counters.insert(pid, counter);
        payloads.entry(pid).or_default().extend_from_slice(&packet[at..]);
    }
    (payloads, clocks)
}

fn planned(picture: &[Sample], sound: &[Sample], end: u64) -> Segment {
    let stream = ElementaryStream { setup: sets(), time_scale: 90_000, samples: picture };
    let sounds = ElementaryStream { setup: header(), time_scale: 44_100, samples: sound };
    let both = (!picture.is_empty()).then_some(stream);
    Segment::plan(both, (!sound.is_empty()).then_some(sounds), end).unwrap()
}

#[test]
fn a_segment_without_samples_or_of_days_is_refused() {
    assert!(Segment::plan(None, None, 0).is_err());
    let picture = samples(0, 3600, &[100]);
    let stream =
        || ElementaryStream { setup: sets(), time_scale: 90_000, samples: picture.as_slice() };
    assert!(Segment::plan(Some(stream()), None, LONGEST).is_ok());
    assert!(Segment::plan(Some(stream()), None, LONGEST + 1).is_err());
}

#[test]
fn slides_have_clocks_between_pictures_and_each_unit_begins_with_a_delimiter() {
    let picture = samples(0, 180_000, &[5000, 40, 900]);
    let segment = planned(&picture, &[], 540_000);
    let (payloads, clocks) = demux(&write(&segment, &picture, &[]), &mut HashMap::new());
    assert_eq!(clocks.first(), Some(&(OFFSET - DELAY)));
    assert!(clocks.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] <= 9000));
    assert!(clocks.last().is_some_and(|last| OFFSET - DELAY + 540_000 - last <= 9000));
    let stream = &payloads[&PICTURE_PID];
    assert_eq!(&stream[..4], [0, 0, 1, 0xe0]);
    // Header with one stamp, delimiter, parameter sets, then the picture.
    assert_eq!(&stream[14..20], DELIMITER);
    assert_eq!(stream[20..38], sets().0);
    assert_eq!(&stream[38..42], [0, 0, 0, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Counters go on over segments, clocks come in time, and no byte of media is lost.
    #[test]
    fn a_demuxer_is_content(
        sizes in proptest::collection::vec(proptest::collection::vec(5_u32..3000, 1..40), 1..4),
        step in 1500_u32..90_000,
        frames in proptest::collection::vec(1_u32..700, 0..400),
        with_picture: bool,
    ) {
        let sound = samples(0, 1024, &frames).into_iter()
            .map(|s| Sample { time: s.decode, ..s }).collect::<Vec<_>>();
        prop_assume!(with_picture || !sound.is_empty());
        let mut counters = HashMap::new();
        let (mut start, mut clocks, mut heard) = (0, Vec::new(), 0);
        for (n, sizes) in sizes.iter().enumerate() {
            let picture = samples(start, step, sizes);
            let end = start + u64::from(step) * sizes.len() as u64;
            let until = (n + 1 < 3).then_some(end);
            let own = &sound[within(&sound, 44_100, Some(start).filter(|_| n > 0), until)];
            let shown: &[Sample] = if with_picture { &picture } else { &[] };
            if shown.is_empty() && own.is_empty() {
                continue;
            }
            let segment = planned(shown, own, end);
            let bytes = write(&segment, shown, own);
            prop_assert_eq!(&bytes, &write(&segment, shown, own), "the same each time");
            let (payloads, own_clocks) = demux(&bytes, &mut counters);
            clocks.extend(own_clocks);
            let of = |pid| payloads.get(&pid).map_or(0, Vec::len);
            let pictures: usize = segment.items().iter()
                .filter(|item| matches!(item.samples(), Some((TrackMedia::Picture, _))))
                .count();
            prop_assert_eq!(pictures, shown.len());
            let media: usize = shown.iter().map(|s| s.size as usize).sum();
            prop_assert!(of(PICTURE_PID) >= media);
            heard += own.len();
            start = end;
        }
        prop_assert!(clocks.windows(2).all(|pair| pair[0] <= pair[1]));
        if with_picture {
            prop_assert!(clocks.windows(2).all(|pair| pair[1] - pair[0] <= 9000), "{:?}", clocks);
        }
        prop_assert!(heard <= sound.len());
    }

    /// Each frame of sound is in one segment, wherever segments begin.
    #[test]
    fn sound_is_parted_without_a_loss(
        steps in proptest::collection::vec(1_u32..5000, 1..300),
        mut cuts in proptest::collection::vec(0_u64..1_000_000, 0..12),
        rate in 8000_u32..48_001,
    ) {
        let mut decode = 0;
        let samples: Vec<Sample> = steps.iter().map(|&duration| {
            let sample = Sample { decode, time: decode, duration, size: 1, key: true };
            decode += u64::from(duration);
            sample
        }).collect();
        cuts.sort_unstable();
        let bounds: Vec<Option<u64>> =
            std::iter::once(None).chain(cuts.into_iter().map(Some)).chain([None]).collect();
        let mut all = Vec::new();
        for pair in bounds.windows(2) {
            all.extend(within(&samples, rate, pair[0], pair[1]));
        }
        prop_assert_eq!(all, (0..samples.len()).collect::<Vec<_>>());
    }
}
