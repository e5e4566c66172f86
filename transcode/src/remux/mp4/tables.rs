//! The sample tables of a track (ISO/IEC 14496-12 sections 8.6 and 8.7), grown sample by sample.

use crate::cmaf::Boxes;
use crate::remux::{Fragment, Sample};

/// Where samples are and when they are shown. Equal ones in a row are kept as one, as they are
/// written.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// `stts`: samples, ticks of each.
    durations: Vec<(u32, u32)>,
    /// `ctts`: samples, ticks from decoding to showing.
    offsets: Vec<(u32, u32)>,
    /// `stsz`.
    sizes: Vec<u32>,
    /// `stss`: numbers from 1.
    keys: Vec<u32>,
    /// `stsc`: first chunk from 1, samples of each.
    chunks: Vec<(u32, u32)>,
    /// First byte of each chunk behind the header of `mdat`.
    places: Vec<u64>,
    /// Of the first sample, ticks.
    start: u64,
    /// When the last sample is decoded, from `start`, and how long it lasts.
    last: Option<(u64, u32)>,
    /// The earliest time of the first chunk, from `start`.
    lead: u64,
    /// Ticks that were written to `durations`.
    written: u64,
}

impl Tables {
    /// Adds a fragment's samples as a chunk that begins at `place`.
    pub(super) fn chunk(&mut self, fragment: &Fragment, place: u64) {
        let Some(first) = fragment.samples.first() else { return };
        if self.last.is_none() {
            self.start = first.decode;
            let earliest = fragment.samples.iter().map(|sample| sample.time).min().unwrap_or(0);
            self.lead = earliest.saturating_sub(self.start);
        }
        fragment.samples.iter().for_each(|sample| self.sample(sample));
        self.places.push(place);
        let (number, count) = (count(self.places.len()), count(fragment.samples.len()));
        if self.chunks.last().is_none_or(|(_, samples)| *samples != count) {
            self.chunks.push((number, count));
        }
    }

    fn sample(&mut self, sample: &Sample) {
        let mut decode = sample.decode.saturating_sub(self.start);
        if let Some((before, _)) = self.last {
            // Decode times never fall; one that did would be told by the composition offset.
            decode = decode.max(before);
            let lasts = small(decode - before);
            self.lasts(lasts);
        }
        self.last = Some((decode, sample.duration));
        let offset = sample.time.saturating_sub(self.start).saturating_sub(decode);
        run(&mut self.offsets, small(offset));
        self.sizes.push(sample.size);
        if sample.key {
            self.keys.push(count(self.sizes.len()));
        }
    }

    fn lasts(&mut self, ticks: u32) {
        self.written += u64::from(ticks);
        run(&mut self.durations, ticks);
    }

    /// No sample comes any more: the last one lasts as long as it said.
    pub(super) fn finish(&mut self) {
        if let Some((_, lasts)) = self.last.filter(|_| self.written_samples() < self.sizes.len()) {
            self.lasts(lasts);
        }
    }

    fn written_samples(&self) -> usize {
        self.durations.iter().map(|(samples, _)| *samples as usize).sum()
    }

    /// Ticks from media time 0 until something is shown.
    pub(super) fn begins(&self) -> u64 {
        self.start + self.lead
    }

    /// Ticks of the track's own time before something is shown.
    pub(super) fn lead(&self) -> u64 {
        self.lead
    }

    /// Ticks that are shown.
    pub(super) fn shown(&self) -> u64 {
        self.written.saturating_sub(self.lead)
    }

    /// Ticks of all samples.
    pub(super) fn length(&self) -> u64 {
        self.written
    }

    /// Writes the tables; `mdat`'s content begins at byte `base`. `wide` asks for offsets of 64
    /// bits.
    pub(super) fn write(&self, b: &mut Boxes, base: u64, wide: bool) {
        runs(b, b"stts", &self.durations);
        if self.offsets.iter().any(|(_, offset)| *offset > 0) {
            runs(b, b"ctts", &self.offsets);
        }
        // Without it, every sample is one (section 8.6.2.1).
        if self.keys.len() < self.sizes.len() {
            list(b, b"stss", &self.keys);
        }
        b.full(b"stsc", 0, 0, |b| {
            b.u32(count(self.chunks.len()));
            for &(chunk, samples) in &self.chunks {
                b.u32(chunk).u32(samples).u32(1);
            }
        });
        b.full(b"stsz", 0, 0, |b| {
            b.u32(0).u32(count(self.sizes.len()));
            self.sizes.iter().for_each(|&size| {
                b.u32(size);
            });
        });
        if wide {
            b.full(b"co64", 0, 0, |b| {
                b.u32(count(self.places.len()));
                self.places.iter().for_each(|place| {
                    b.u64(base + place);
                });
            });
        } else {
            let places: Vec<u32> = self.places.iter().map(|place| small(base + place)).collect();
            list(b, b"stco", &places);
        }
    }
}

fn list(b: &mut Boxes, name: &[u8; 4], values: &[u32]) {
    b.full(name, 0, 0, |b| {
        b.u32(count(values.len()));
        values.iter().for_each(|&value| {
            b.u32(value);
        });
    });
}

fn runs(b: &mut Boxes, name: &[u8; 4], runs: &[(u32, u32)]) {
    b.full(name, 0, 0, |b| {
        b.u32(count(runs.len()));
        for &(samples, ticks) in runs {
            b.u32(samples).u32(ticks);
        }
    });
}

/// Adds a sample to the last run, or begins another one.
fn run(runs: &mut Vec<(u32, u32)>, value: u32) {
    match runs.last_mut() {
        Some((samples, same)) if *same == value => *samples += 1,
        _ => runs.push((1, value)),
    }
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
