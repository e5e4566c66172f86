//! Parts on disk: segments one after the other, and the table of where they lie.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::io;
use crate::event::{Event, Segment};
use crate::{Error, Sink};

use super::{Sample, fragment};

/// What all parts of a rendition have in common.
#[derive(Debug, Clone)]
pub(crate) struct Rendition {
    /// Its name; files are named after it.
    pub(crate) name: String,
    /// Ticks a second.
    pub(crate) time_scale: u32,
    /// The folder to write into.
    pub(crate) out: PathBuf,
}

impl Rendition {
    pub(crate) fn new(name: &str, time_scale: u32, out: &Path) -> Self {
        Self { name: name.to_owned(), time_scale, out: out.to_owned() }
    }

    /// Writes the initialisation segment and gives its file's name.
    pub(crate) fn write_init(&self, bytes: &[u8]) -> Result<String, Error> {
        let file = format!("{}-init.mp4", self.name);
        std::fs::write(self.out.join(&file), bytes).map_err(io(format!("write {file}")))?;
        Ok(file)
    }
}

/// Collects samples into segments and segments into parts.
///
/// The caller says where segments and parts begin; a sample belongs to what was begun last.
pub(crate) struct Packager {
    rendition: Rendition,
    samples: Vec<Sample>,
    sequence: u32,
    part: Option<Open>,
}

/// The part being written.
struct Open {
    index: usize,
    name: String,
    file: BufWriter<File>,
    offset_bytes: u64,
    segments: Vec<Segment>,
}

impl Packager {
    /// `sequence` is the number of segments before the first one.
    pub(crate) fn new(rendition: Rendition) -> Self {
        Self { rendition, samples: Vec::new(), sequence: 0, part: None }
    }

    /// Begins a part; the one before must be finished.
    pub(crate) fn begin_part(&mut self, index: usize) -> Result<(), Error> {
        let name = format!("{}-{index:05}.m4s", self.rendition.name);
        let path = self.rendition.out.join(&name);
        let file = File::create(&path).map_err(io(format!("create {name}")))?;
        let file = BufWriter::with_capacity(1 << 20, file);
        self.part = Some(Open { index, name, file, offset_bytes: 0, segments: Vec::new() });
        Ok(())
    }

    /// Adds a sample, in decode order.
    pub(crate) fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// Is there a sample in the segment that is being collected?
    pub(crate) fn has_samples(&self) -> bool {
        !self.samples.is_empty()
    }

    /// Writes what was collected as the segment of that number (from 0 in the rendition), which
    /// lasts until `end` ticks. Nothing collected, nothing written.
    pub(crate) fn end_segment(&mut self, number: i64, end: i64) -> Result<(), Error> {
        let samples = std::mem::take(&mut self.samples);
        let (Some(part), false) = (&mut self.part, samples.is_empty()) else { return Ok(()) };
        // Numbers rise through the rendition, whichever parts were made (mfhd).
        let number = u32::try_from(number).unwrap_or(0).saturating_add(1);
        self.sequence = number.max(self.sequence.saturating_add(1));
        let bytes = fragment(self.sequence, &samples, end);
        let others: usize = samples.iter().skip(1).map(|sample| sample.data.len()).sum();
        let start_ticks = samples.iter().map(|s| s.time.max(0)).min().unwrap_or(0);
        part.file.write_all(&bytes).map_err(io(format!("write {}", part.name)))?;
        part.segments.push(Segment {
            offset_bytes: part.offset_bytes,
            length_bytes: bytes.len() as u64,
            key_bytes: (bytes.len() - others) as u64,
            start_ticks,
            duration_ticks: end - start_ticks,
        });
        part.offset_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Closes the part and tells of it; of a part without a segment nothing is told.
    pub(crate) fn end_part(&mut self, on: &mut Sink) -> Result<(), Error> {
        let Some(mut part) = self.part.take() else { return Ok(()) };
        part.file.flush().map_err(io(format!("write {}", part.name)))?;
        if part.segments.is_empty() {
            return Ok(());
        }
        on(Event::Part {
            rendition: self.rendition.name.clone(),
            index: part.index,
            file: part.name,
            peak_bitrate_bps: peak(&part.segments, self.rendition.time_scale),
            segments: part.segments,
        })
    }
}

/// The largest bit rate of a segment.
fn peak(segments: &[Segment], time_scale: u32) -> i64 {
    let rate = |s: &Segment| {
        let bits = i128::from(s.length_bytes) * 8 * i128::from(time_scale);
        i64::try_from(bits / i128::from(s.duration_ticks.max(1))).unwrap_or(i64::MAX)
    };
    segments.iter().map(rate).max().unwrap_or(0)
}
