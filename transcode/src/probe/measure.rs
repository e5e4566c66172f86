//! Where packets really lie: from the container's index where it is whole, else by reading all.

use std::collections::BTreeMap;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::ffi;
use ffmpeg_next::{Packet, Rational};

use crate::cmaf::{has_idr, packet_format};
use crate::facts::{Ratio, SourceTrack, TrackKind, VideoFacts};
use crate::time;
use crate::timeline::{Joiner, Jump, Landmark};
use crate::{Error, Input};

use super::{look, ratio, tracks};

/// Larger files with a length in their head are believed rather than read through.
const MAX_SCAN_BYTES: u64 = 6 << 30;

/// A hole or overlap in the sound that can be heard as lost sync.
const IRREGULAR_US: i64 = 5_000;

/// Frames that a picture may wait for those decoded before it (H.264 section A.3.1: 16), and one.
const MAX_REORDER: i64 = 17;

/// What was measured of one track.
#[derive(Debug, Default, Clone)]
pub(super) struct Measure {
    /// First presentation time, microseconds.
    pub(super) first_us: Option<i64>,
    /// End of the last packet, microseconds.
    pub(super) end_us: Option<i64>,
    packets: i64,
    bytes: u64,
    max_key_gap_us: Option<i64>,
    /// No key frame was seen that is not an IDR frame or has leading frames.
    pub(super) closed_gops: bool,
    /// An edit list hides frames.
    pub(super) hidden_frames: bool,
    min_step_us: Option<i64>,
    max_step_us: Option<i64>,
    /// No hole and no overlap between packets.
    pub(super) regular: bool,
    average: Option<Ratio>,
    /// Times are decode times.
    by_index: bool,
}

impl Measure {
    /// The end in presentation time, given when the first frame is shown.
    pub(super) fn end(&self, shown_us: Option<i64>, kind: TrackKind) -> Option<i64> {
        let (end, first) = (self.end_us?, self.first_us?);
        // Reordering delays all frames alike; a longer way is damage at the start.
        let delay = shown_us.map_or(0, |us| us - first);
        let most = self.min_step_us.unwrap_or(0).saturating_mul(MAX_REORDER).max(1_000_000);
        let applies = self.by_index && kind == TrackKind::Video && (0..most).contains(&delay);
        Some(if applies { end + delay } else { end })
    }

    pub(super) fn bitrate_bps(&self) -> Option<i64> {
        let us = self.end_us? - self.first_us?;
        let bits = i128::from(self.bytes) * 8_000_000;
        (us > 0 && self.bytes > 0).then(|| i64::try_from(bits / i128::from(us)).unwrap_or(i64::MAX))
    }

    /// Adds what only the whole file shows.
    pub(super) fn complete_video(&self, video: &mut VideoFacts) {
        video.max_key_interval_ms = self.max_key_gap_us.map(|us| us / 1_000);
        if let (Some(min), Some(max)) = (self.min_step_us, self.max_step_us) {
            // Containers that count in milliseconds are up to 1 ms off on either side.
            video.variable_frame_rate = max - min > 2_500.max(max / 10);
        }
        if let Some(rate) = self.frame_rate() {
            video.frame_rate = rate;
        }
    }

    /// The container's average where the count of packets agrees with it, else the count.
    fn frame_rate(&self) -> Option<Ratio> {
        let us = self.end_us? - self.first_us?;
        if us <= 0 || self.packets <= 0 {
            return self.average;
        }
        let thousandths = i128::from(self.packets) * 1_000_000_000 / i128::from(us);
        let counted = Ratio { num: u32::try_from(thousandths.max(1)).ok()?, den: 1_000 };
        let agrees = |said: &Ratio| (said.value() / counted.value() - 1.0).abs() < 0.05;
        Some(self.average.filter(agrees).unwrap_or(counted))
    }
}

/// Where time stamps jump, and where to go then.
type Found = (Vec<Jump>, Vec<Landmark>);

/// Measures every track; those that are of no use stay empty.
pub(super) fn measure(
    input: &mut Input,
    list: &[SourceTrack],
) -> Result<(Vec<Measure>, Found), Error> {
    let large = input.size_bytes() > MAX_SCAN_BYTES && claims(input) && !is_stream(input);
    let (mut measures, found) = match from_index(input, list) {
        Some(measures) => (measures, Found::default()),
        None if large => (claimed(input, list), Found::default()),
        None => scan(input, list)?,
    };
    for (measure, track) in measures.iter_mut().zip(list) {
        let stream = input.context().stream(track.index);
        measure.average = stream.and_then(|s| ratio(s.avg_frame_rate()));
    }
    Ok((measures, found))
}

/// Made to be broadcast and joined: its time stamps say nothing of its length, and holes in them
/// are no silence.
fn is_stream(input: &Input) -> bool {
    matches!(super::container(input).as_str(), "mpegts" | "mpeg")
}

fn used(track: &SourceTrack) -> bool {
    track.decodable && matches!(track.kind, TrackKind::Video | TrackKind::Audio)
}

/// MP4 and QuickTime list every packet in front; the list is trusted when all of it lies in the
/// file and no fragments follow.
fn from_index(input: &Input, list: &[SourceTrack]) -> Option<Vec<Measure>> {
    if !super::container(input).starts_with("mov,") || has_fragments(input) {
        return None;
    }
    let of = |track: &SourceTrack| {
        if used(track) { index_of(input, track) } else { Some(Measure::default()) }
    };
    list.iter().map(of).collect()
}

/// Is there a `moof` box (ISO/IEC 14496-12 section 8.8.4) at the top?
fn has_fragments(input: &Input) -> bool {
    let mut offset = 0;
    for _ in 0..10_000 {
        let mut head = [0; 16];
        let whole = input.read_at(&mut head, offset).is_ok();
        if !whole && input.read_at(&mut head[..8], offset).is_err() {
            return false;
        }
        if &head[4..8] == b"moof" {
            return true;
        }
        let size = u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
        let size = match size {
            1 => u64::from_be_bytes(head[8..16].try_into().unwrap_or_default()),
            0 => return false,
            size => size,
        };
        offset = match offset.checked_add(size) {
            Some(next) if size >= 8 => next,
            _ => return false,
        };
    }
    true
}

#[expect(unsafe_code, reason = "the index has no safe getter")]
fn index_of(input: &Input, track: &SourceTrack) -> Option<Measure> {
    let stream = input.context().stream(track.index)?;
    let base = stream.time_base();
    let mut tally = Tally::new(track.kind == TrackKind::Audio);
    // SAFETY: entries are read at once, before the demuxer can change the index.
    unsafe {
        let pointer = stream.as_ptr().cast_mut();
        let count = ffi::avformat_index_get_entries_count(pointer);
        for i in 0..count {
            let entry = ffi::avformat_index_get_entry(pointer, i).as_ref()?;
            let size = u64::from(entry.size().unsigned_abs());
            if u64::try_from(entry.pos).ok()?.checked_add(size)? > input.size_bytes() {
                return None;
            }
            if entry.flags() & ffi::AVINDEX_DISCARD_FRAME != 0 {
                tally.measure.hidden_frames = true;
                continue;
            }
            let key = entry.flags() & ffi::AVINDEX_KEYFRAME != 0;
            tally.add(time::micros(entry.timestamp, base), None, key, size);
        }
    }
    (tally.measure.packets > 0).then(|| tally.end_by_index(tracks::claimed_us(&stream)))
}

/// Reads every packet.
fn scan(input: &mut Input, list: &[SourceTrack]) -> Result<(Vec<Measure>, Found), Error> {
    input.rewind()?;
    let mut tallies = BTreeMap::new();
    for track in list.iter().filter(|t| used(t)) {
        let Some(stream) = input.context().stream(track.index) else { continue };
        let nals = (track.codec == "h264").then(|| packet_format(&look::extradata(&stream)));
        let tally = Tally::new(track.kind == TrackKind::Audio);
        tallies.insert(track.index, (tally, stream.time_base(), nals));
    }
    let wanted: Vec<usize> = tallies.keys().copied().collect();
    input.select(&wanted);
    let mut joiner = Joiner::new(super::best_video(list), is_stream(input));
    let mut packet = Packet::empty();
    loop {
        match input.read(&mut packet) {
            Ok(()) => {}
            Err(ffmpeg::Error::InvalidData) => continue,
            Err(_) => break,
        }
        let Some((tally, base, nals)) = tallies.get_mut(&packet.stream()) else { continue };
        joiner.place(&mut packet, *base);
        if packet.flags().bits() & ffi::AV_PKT_FLAG_DISCARD != 0 {
            tally.measure.hidden_frames = true;
            continue;
        }
        if let Some(nals) = nals.filter(|_| packet.is_key()) {
            tally.measure.closed_gops &= has_idr(packet.data().unwrap_or_default(), nals);
        }
        tally.packet(&packet, *base);
    }
    let ended = |track: &SourceTrack| {
        let tally = tallies.remove(&track.index);
        tally.map_or_else(Measure::default, |(tally, ..)| tally.end_by_packets())
    };
    Ok((list.iter().map(ended).collect(), joiner.into_found()))
}

/// Does the container say how long it is?
fn claims(input: &Input) -> bool {
    input.context().duration() > 0
}

/// Believes the container.
fn claimed(input: &Input, list: &[SourceTrack]) -> Vec<Measure> {
    let first_us = Some(container_start(input));
    let end_us = Some(container_start(input) + input.context().duration());
    let measure = |track: &SourceTrack| match used(track) {
        true => Measure { first_us, end_us, ..Measure::default() },
        false => Measure::default(),
    };
    list.iter().map(measure).collect()
}

#[expect(unsafe_code, reason = "the start has no safe getter")]
fn container_start(input: &Input) -> i64 {
    // SAFETY: the context is borrowed.
    let start = unsafe { (*input.context().as_ptr()).start_time };
    if start == ffi::AV_NOPTS_VALUE { 0 } else { start }
}

/// Counts packets as they come.
struct Tally {
    measure: Measure,
    audio: bool,
    last_us: Option<i64>,
    last_key_us: Option<i64>,
    expected_us: Option<i64>,
    latest_end_us: i64,
    /// The latest packet that does not say how long it lasts.
    endless_us: Option<i64>,
}

impl Tally {
    fn new(audio: bool) -> Self {
        Self {
            measure: Measure { closed_gops: true, regular: true, ..Measure::default() },
            audio,
            last_us: None,
            last_key_us: None,
            expected_us: None,
            latest_end_us: i64::MIN,
            endless_us: None,
        }
    }

    fn packet(&mut self, packet: &Packet, base: Rational) {
        let measure = &mut self.measure;
        let Some(stamp) = packet.pts().or(packet.dts()) else {
            measure.packets += 1;
            measure.bytes += packet.size() as u64;
            // Without time stamps the durations are all there is.
            let us = time::micros(packet.duration().max(0), base);
            measure.first_us.get_or_insert(0);
            self.latest_end_us = self.latest_end_us.max(0).saturating_add(us);
            return;
        };
        let us = time::micros(stamp, base);
        let order_us = packet.dts().map_or(us, |dts| time::micros(dts, base));
        if self.last_key_us.is_some_and(|key| us < key) {
            measure.closed_gops = false;
        }
        let duration_us = time::micros(packet.duration().max(0), base);
        self.latest_end_us = self.latest_end_us.max(us.saturating_add(duration_us));
        if duration_us == 0 {
            self.endless_us = self.endless_us.max(Some(order_us));
        }
        measure.first_us = Some(measure.first_us.map_or(us, |first| first.min(us)));
        self.step(order_us, Some(duration_us));
        self.key(us, packet.is_key());
        self.measure.packets += 1;
        self.measure.bytes += packet.size() as u64;
    }

    /// An entry of an index; its time is the decode time.
    fn add(&mut self, us: i64, duration_us: Option<i64>, key: bool, bytes: u64) {
        self.measure.first_us.get_or_insert(us);
        self.step(us, duration_us);
        self.key(us, key);
        self.measure.packets += 1;
        self.measure.bytes += bytes;
    }

    fn step(&mut self, us: i64, duration_us: Option<i64>) {
        let measure = &mut self.measure;
        if let Some(last) = self.last_us {
            let step = us.saturating_sub(last);
            measure.min_step_us = Some(measure.min_step_us.map_or(step, |min| min.min(step)));
            measure.max_step_us = Some(measure.max_step_us.map_or(step, |max| max.max(step)));
        }
        if let Some(expected) = self.expected_us {
            let off = us.saturating_sub(expected).saturating_abs();
            measure.regular &= !self.audio || off < IRREGULAR_US;
        }
        self.expected_us = duration_us.filter(|&d| d > 0).map(|d| us.saturating_add(d));
        self.last_us = Some(us);
    }

    fn key(&mut self, us: i64, key: bool) {
        if key {
            let since = self.last_key_us.or(self.measure.first_us).unwrap_or(us);
            self.gap(us - since);
            self.last_key_us = Some(us);
        }
    }

    fn gap(&mut self, us: i64) {
        let longest = self.measure.max_key_gap_us.map_or(us, |old| old.max(us));
        self.measure.max_key_gap_us = Some(longest);
    }

    /// The index has no end of the last packet: the track's length says it, when it fits.
    fn end_by_index(mut self, claimed_us: Option<i64>) -> Measure {
        let first = self.measure.first_us.unwrap_or(0);
        let last = self.last_us.unwrap_or(first);
        let step = self.measure.min_step_us.unwrap_or(40_000).max(0);
        let by_index = last + step;
        let by_claim = claimed_us.map(|us| first + us);
        // The last sample may last long (a slide), so a longer claim is as good as any.
        let end = by_claim.filter(|&end| end >= last).unwrap_or(by_index);
        self.measure.end_us = Some(end);
        self.measure.by_index = true;
        if self.audio {
            // Steps of an index are exact: equal ones mean no hole.
            let (min, max) = (self.measure.min_step_us, self.measure.max_step_us);
            self.measure.regular = max.unwrap_or(0) - min.unwrap_or(0) < IRREGULAR_US;
        }
        self.last_gap(end)
    }

    fn end_by_packets(mut self) -> Measure {
        if self.measure.first_us.is_some() {
            // A packet without a duration lasts as long as the shortest step; one that has it may
            // be shorter than all others (the last one of WAV and FLAC).
            let step = self.measure.min_step_us.unwrap_or(0).max(0);
            let last = self.endless_us.map_or(i64::MIN, |us| us.saturating_add(step));
            self.measure.end_us = Some(self.latest_end_us.max(last));
        }
        let end = self.measure.end_us.unwrap_or(0);
        self.last_gap(end)
    }

    /// From the last key frame to the end counts too.
    fn last_gap(mut self, end_us: i64) -> Measure {
        match self.last_key_us {
            Some(key) => self.gap((end_us - key).max(0)),
            None => self.measure.max_key_gap_us = None,
        }
        self.measure
    }
}
