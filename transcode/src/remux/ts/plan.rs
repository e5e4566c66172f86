//! The order of what is sent, with everything's place and time, before a byte of media is read.

use std::ops::Range;

use super::packet::{Clock, fewest, packet, pes_header, pes_header_bytes, spread};
use super::{
    CLOCK_STEP, DELAY, OFFSET, PACKET_BYTES, PICTURE_PID, PROGRAM_PID, SOUND_PID, SOUND_STEP,
    TABLES_STEP, TICKS, psi,
};
use crate::Error;
use crate::remux::track::ADTS_BYTES;
use crate::remux::{AdtsHeader, ParameterSets, Sample, TrackMedia};

/// An access unit delimiter that allows any slices (ISO/IEC 14496-10 section 7.3.2.4): every access
/// unit must begin with one (ISO/IEC 13818-1 section 2.14.1).
const DELIMITER: [u8; 6] = [0, 0, 0, 1, 9, 0xf0];

/// A longer segment is refused: there is nothing so long but a last picture that stands while sound
/// goes on, and clocks must be planned for all of it. Four hours.
const LONGEST: u64 = 4 * 3600 * TICKS as u64;

/// `stream_id` of the first picture and the first sound (table 2-22).
const PICTURE_STREAM: u8 = 0xe0;
const SOUND_STREAM: u8 = 0xc0;

/// A planned segment of a transport stream.
#[derive(Debug, Clone)]
pub struct Segment {
    sets: ParameterSets,
    header: Option<AdtsHeader>,
    has_picture: bool,
    items: Vec<Item>,
    packets: u64,
}

/// Some packets that belong together: a PES packet, the tables, or a clock.
#[derive(Debug, Clone)]
pub struct Item {
    what: What,
    /// Packets before it in the segment.
    first: u64,
    packets: u32,
    /// Continuity counter of its first packet.
    counter: u8,
}

#[derive(Debug, Clone)]
enum What {
    Tables,
    Clock(u64),
    Picture { sample: u32, time: u64, decode: u64, key: bool },
    Sound { samples: Range<u32>, time: u64, clock: bool },
}

/// The samples of one track that go into a segment.
#[derive(Debug, Clone, Copy)]
pub struct ElementaryStream<'a, T> {
    /// What the track's decoder must know.
    pub setup: T,
    /// Ticks a second of the samples' times.
    pub time_scale: u32,
    /// In decode order.
    pub samples: &'a [Sample],
}

impl<T> ElementaryStream<'_, T> {
    fn at(&self, ticks: u64) -> u64 {
        rescale(ticks, self.time_scale)
    }
}

/// Which samples of sound belong to the time from `from` until before `until`, in ticks of 90 kHz;
/// `None` is a side without a bound. The spans of all segments together have each sample once.
#[must_use]
pub fn within(
    samples: &[Sample],
    time_scale: u32,
    from: Option<u64>,
    until: Option<u64>,
) -> Range<usize> {
    let before = |bound: u64| samples.partition_point(|s| rescale(s.decode, time_scale) < bound);
    let start = from.map_or(0, before);
    start..until.map_or(samples.len(), before).max(start)
}

/// Rounded down, always: so that who compares rounded times gets the same answer everywhere.
fn rescale(ticks: u64, time_scale: u32) -> u64 {
    let ticks = u128::from(ticks) * u128::from(TICKS) / u128::from(time_scale.max(1));
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

impl Segment {
    /// Plans a segment that lasts until `end`, in ticks of 90 kHz, when the next one begins.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when there is no sample, or too long a time.
    pub fn plan(
        picture: Option<ElementaryStream<'_, ParameterSets>>,
        sound: Option<ElementaryStream<'_, AdtsHeader>>,
        end: u64,
    ) -> Result<Self, Error> {
        let has_picture = picture.is_some();
        let mut events = Vec::new();
        if let Some(picture) = &picture {
            pictures(picture, &mut events)?;
        }
        if let Some(sound) = &sound {
            sounds(sound, has_picture, &mut events)?;
        }
        let times = events.iter().map(|(time, _)| *time);
        let (start, last) = (times.clone().min(), times.max());
        let (Some(start), Some(last)) = (start, last) else {
            return Err(Error::unusable("a segment without a sample"));
        };
        let end = end.max(last);
        if end - start > LONGEST {
            return Err(Error::unusable(format!("a segment of {} ticks", end - start)));
        }
        tables(start, end, &mut events);
        // Stable: at the same time come tables, then the picture, then sound.
        events.sort_by_key(|(time, what)| (*time, what.rank()));
        let events = clocked(events, end, has_picture);
        let sets = picture.as_ref().map_or(ParameterSets(Vec::new()), |p| p.setup.clone());
        let mut segment = Self {
            header: sound.as_ref().map(|sound| sound.setup),
            sets,
            has_picture,
            items: Vec::new(),
            packets: 0,
        };
        segment.place(events, &Sizes { picture, sound });
        Ok(segment)
    }

    /// Bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.packets * PACKET_BYTES
    }

    /// In the order in which they are sent; never none.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The item that byte `at` is in.
    #[must_use]
    pub fn item_at(&self, at: u64) -> usize {
        let packet = at / PACKET_BYTES;
        self.items.partition_point(|item| item.first <= packet).saturating_sub(1)
    }

    /// Writes an item; `data` has the bytes of its [`Item::samples`].
    pub fn write(&self, item: &Item, data: &[&[u8]], out: &mut Vec<u8>) {
        let packets = item.packets as usize;
        match &item.what {
            What::Tables => {
                for (pid, section) in [
                    (0, psi::association()),
                    (PROGRAM_PID, psi::map(self.has_picture, self.header.is_some())),
                ] {
                    table(pid, item.counter, &section, out);
                }
            }
            What::Clock(time) => {
                let pid = if self.has_picture { PICTURE_PID } else { SOUND_PID };
                packet(pid, false, item.counter, Some(clock(*time, false)), &[], out);
            }
            What::Picture { time, decode, key, .. } => {
                let mut payload = Vec::new();
                let unit = data.first().copied().unwrap_or_default();
                let sets = if *key { self.sets.0.as_slice() } else { &[] };
                let length = DELIMITER.len() + sets.len() + unit.len();
                pes_header(PICTURE_STREAM, length, *time, *decode, &mut payload);
                payload.extend_from_slice(&DELIMITER);
                payload.extend_from_slice(sets);
                byte_stream(unit, &mut payload);
                let clock = Some(clock(*decode, *key));
                spread(PICTURE_PID, item.counter, clock, &payload, packets, out);
            }
            What::Sound { time, clock: with_clock, .. } => {
                let mut payload = Vec::new();
                let length: usize = data.iter().map(|frame| ADTS_BYTES + frame.len()).sum();
                pes_header(SOUND_STREAM, length, *time, *time, &mut payload);
                for frame in data {
                    if let Some(header) = self.header {
                        header.write(frame.len(), &mut payload);
                    }
                    payload.extend_from_slice(frame);
                }
                let clock = with_clock.then(|| clock(*time, true));
                spread(SOUND_PID, item.counter, clock, &payload, packets, out);
            }
        }
    }

    /// Gives every event its packets and counters.
    fn place(&mut self, events: Vec<(u64, What)>, sizes: &Sizes<'_>) {
        let lengths: Vec<usize> = events.iter().map(|(_, what)| sizes.of(what)).collect();
        let mut counts: Vec<usize> = events
            .iter()
            .zip(&lengths)
            .map(|((_, what), &length)| match what {
                What::Tables => 2,
                What::Clock(_) => 1,
                What::Picture { .. } => fewest(length, true),
                What::Sound { clock, .. } => fewest(length, *clock),
            })
            .collect();
        for media in [TrackMedia::Picture, TrackMedia::Sound] {
            let own = || (0..events.len()).filter(|&at| events[at].1.media() == Some(media));
            let total: usize = own().map(|at| counts[at]).sum();
            if let Some(largest) = own().max_by_key(|&at| lengths[at]) {
                counts[largest] += (16 - total % 16) % 16;
            }
        }
        let (mut tables, mut picture, mut sound) = (0, 0, 0);
        let mut packets = 0;
        self.items = events
            .into_iter()
            .zip(counts)
            .map(|((_, what), count)| {
                let counted = match &what {
                    What::Picture { .. } => &mut picture,
                    What::Sound { .. } => &mut sound,
                    What::Tables => &mut tables,
                    What::Clock(_) if self.has_picture => &mut picture,
                    What::Clock(_) => &mut sound,
                };
                let counter = match &what {
                    What::Clock(_) => *counted + 15,
                    _ => *counted,
                };
                *counted += match &what {
                    What::Clock(_) => 0,
                    What::Tables => 1,
                    _ => count,
                };
                let first = packets;
                packets += count as u64;
                #[expect(clippy::cast_possible_truncation, reason = "of four bits")]
                let counter = (counter % 16) as u8;
                Item { what, first, packets: u32::try_from(count).unwrap_or(u32::MAX), counter }
            })
            .collect();
        self.packets = packets;
    }
}

impl Item {
    /// Where it begins in the segment, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.first * PACKET_BYTES
    }

    /// The samples that it is made of: of which track, and which of those that were planned.
    #[must_use]
    pub fn samples(&self) -> Option<(TrackMedia, Range<usize>)> {
        match &self.what {
            What::Picture { sample, .. } => {
                let sample = *sample as usize;
                Some((TrackMedia::Picture, sample..sample + 1))
            }
            What::Sound { samples, .. } => {
                Some((TrackMedia::Sound, samples.start as usize..samples.end as usize))
            }
            What::Tables | What::Clock(_) => None,
        }
    }
}

impl What {
    fn media(&self) -> Option<TrackMedia> {
        match self {
            Self::Picture { .. } => Some(TrackMedia::Picture),
            Self::Sound { .. } => Some(TrackMedia::Sound),
            Self::Tables | Self::Clock(_) => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Tables => 0,
            Self::Picture { .. } | Self::Clock(_) => 1,
            Self::Sound { .. } => 2,
        }
    }

    fn has_clock(&self) -> bool {
        matches!(self, Self::Picture { .. } | Self::Clock(_) | Self::Sound { clock: true, .. })
    }
}

/// What an event's PES packet is long.
struct Sizes<'a> {
    picture: Option<ElementaryStream<'a, ParameterSets>>,
    sound: Option<ElementaryStream<'a, AdtsHeader>>,
}

impl Sizes<'_> {
    fn of(&self, what: &What) -> usize {
        match (what, &self.picture, &self.sound) {
            (What::Picture { sample, time, decode, key }, Some(picture), _) => {
                let sets = if *key { picture.setup.0.len() } else { 0 };
                let unit = picture.samples[*sample as usize].size as usize;
                pes_header_bytes(time != decode) + DELIMITER.len() + sets + unit
            }
            (What::Sound { samples, .. }, _, Some(sound)) => {
                let frames = &sound.samples[samples.start as usize..samples.end as usize];
                let frames = frames.iter().map(|frame| ADTS_BYTES + frame.size as usize);
                pes_header_bytes(false) + frames.sum::<usize>()
            }
            _ => 0,
        }
    }
}

fn index(at: usize) -> Result<u32, Error> {
    u32::try_from(at).map_err(|_| Error::unusable("too many samples"))
}

fn pictures(
    picture: &ElementaryStream<'_, ParameterSets>,
    events: &mut Vec<(u64, What)>,
) -> Result<(), Error> {
    for (at, sample) in picture.samples.iter().enumerate() {
        let (time, decode) = (picture.at(sample.time), picture.at(sample.decode));
        let what = What::Picture { sample: index(at)?, time, decode, key: sample.key };
        events.push((decode, what));
    }
    Ok(())
}

/// Some frames of sound together, as far as a PES packet may reach; where sound carries the clock,
/// no longer than from one clock to the next.
fn sounds(
    sound: &ElementaryStream<'_, AdtsHeader>,
    has_picture: bool,
    events: &mut Vec<(u64, What)>,
) -> Result<(), Error> {
    let step = if has_picture { SOUND_STEP } else { CLOCK_STEP };
    // Behind the length of a PES packet of sound there must be no more than 65,535 bytes.
    let most = usize::from(u16::MAX) - pes_header_bytes(false);
    let mut rest = 0..sound.samples.len();
    while let Some(first) = sound.samples.get(rest.start) {
        let time = sound.at(first.decode);
        let mut bytes = 0;
        let own = sound.samples[rest.clone()].iter().take_while(|frame| {
            bytes += ADTS_BYTES + frame.size as usize;
            sound.at(frame.decode) < time + step && bytes <= most
        });
        let next = rest.start + own.count().max(1);
        let samples = index(rest.start)?..index(next)?;
        events.push((time, What::Sound { samples, time, clock: !has_picture }));
        rest.start = next;
    }
    Ok(())
}

/// A multiple of 16 times the tables, the first of them at once.
fn tables(start: u64, end: u64, events: &mut Vec<(u64, What)>) {
    let count = ((end - start).div_ceil(TABLES_STEP)).max(1).next_multiple_of(16);
    events.extend((0..count).map(|n| (start + (end - start) * n / count, What::Tables)));
}

/// With clocks wherever nothing that carries one comes in time.
fn clocked(events: Vec<(u64, What)>, end: u64, has_picture: bool) -> Vec<(u64, What)> {
    let mut all = Vec::with_capacity(events.len());
    let mut last: Option<u64> = None;
    let fill = |last: &mut Option<u64>, until: u64, all: &mut Vec<(u64, What)>| {
        while let Some(next) = last.map(|last| last + CLOCK_STEP).filter(|next| *next < until) {
            all.push((next, What::Clock(next)));
            *last = Some(next);
        }
    };
    for (time, what) in events {
        fill(&mut last, time, &mut all);
        if what.has_clock() {
            last = Some(time);
        } else if last.is_none() && what.media().is_some() {
            // Sound before the first picture.
            debug_assert!(has_picture, "sound alone carries clocks");
            all.push((time, What::Clock(time)));
            last = Some(time);
        }
        all.push((time, what));
    }
    fill(&mut last, end, &mut all);
    all
}

fn clock(time: u64, random_access: bool) -> Clock {
    Clock { ticks: time.wrapping_add(OFFSET - DELAY), random_access }
}

/// A packet with a section, filled up with 0xff behind it (section 2.4.4).
fn table(pid: u16, counter: u8, section: &[u8], out: &mut Vec<u8>) {
    let mut payload = section.to_vec();
    payload.resize(PACKET_BYTES as usize - 4, 0xff);
    packet(pid, true, counter, None, &payload, out);
}

/// NAL units with start codes in the place of their lengths, which take as many bytes. What is
/// broken stays as it is.
fn byte_stream(sample: &[u8], out: &mut Vec<u8>) {
    let mut rest = sample;
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some(unit) = tail.get(..length) else { break };
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(unit);
        rest = &tail[length..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests;
