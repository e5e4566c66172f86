//! Sound for who recognises speech: one channel at 16 kHz, a piece at a time, cut where it is quiet.

use ffmpeg_next as ffmpeg;
use ffmpeg_next::Packet;

use super::track::Track;
use crate::plan::{AudioPlan, Plan};
use crate::{Error, Input};

/// Samples a second, as every recogniser wants them.
pub const SPEECH_RATE: u32 = 16_000;

/// A piece before this is read from the start of the source, ms.
const SEEK_FROM_MS: i64 = 10_000;

/// How long before a piece reading begins, so that the decoder has settled, ms.
const SETTLE_MS: i64 = 1_000;

/// The last part of a piece, in which it is cut where it is quietest: at most this, and at most a
/// quarter of it, ms.
const CUT_WITHIN_MS: i64 = 20_000;

/// How long it is quiet where a piece is cut: a breath, ms.
const BREATH_MS: i64 = 250;

/// A piece of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// One channel, -1 to 1, [`SPEECH_RATE`] samples a second.
    pub samples: Vec<f32>,
    /// Media time where it ends and the next one begins; the end of the source for the last.
    pub end_ms: i64,
}

/// The sound of `track` from `from_ms` on, at most `most_ms` of it, kept to its time stamps.
///
/// # Errors
///
/// [`Error::Plan`] when there is no such track, [`Error::Ffmpeg`] when its decoder does not open or
/// the source cannot be read.
pub fn hear(
    input: &mut Input,
    plan: &Plan,
    track: usize,
    from_ms: i64,
    most_ms: i64,
) -> Result<Heard, Error> {
    let audio = plan.audio.iter().find(|audio| audio.track == track);
    let audio = audio.ok_or_else(|| Error::plan(format!("no sound in track {track}")))?;
    let wanted = AudioPlan { sample_rate: SPEECH_RATE, renditions: Vec::new(), ..audio.clone() };
    let left_ms = (plan.duration_ms - from_ms).max(1);
    let piece = Plan {
        start_us: plan.start_us.saturating_add(from_ms.saturating_mul(1_000)),
        duration_ms: left_ms.min(most_ms).max(1),
        ..plan.clone()
    };
    let samples = match seek(input, plan, track, from_ms)? {
        Some(first) => read(input, &piece, &wanted, Some(first))?,
        None => {
            input.rewind()?;
            input.follow(&plan.jumps);
            input.select(&[track]);
            read(input, &piece, &wanted, None)?
        }
    };
    let last = left_ms <= most_ms;
    let kept = if last { samples.len() } else { quietest(&samples, most_ms) };
    let mut samples = samples;
    samples.truncate(kept);
    let end_ms = if last {
        plan.duration_ms
    } else {
        from_ms + i64::try_from(kept).unwrap_or(0) * 1_000 / i64::from(SPEECH_RATE)
    };
    Ok(Heard { samples, end_ms })
}

/// Goes shortly before `from_ms`, and answers the first packet there; nothing where the source must
/// be read from its start, or where seeking would lead beyond.
fn seek(
    input: &mut Input,
    plan: &Plan,
    track: usize,
    from_ms: i64,
) -> Result<Option<Packet>, Error> {
    if from_ms < SEEK_FROM_MS || !plan.jumps.is_empty() {
        return Ok(None);
    }
    input.follow(&[]);
    input.select(&[track]);
    let at_us = plan.start_us.saturating_add((from_ms - SETTLE_MS).saturating_mul(1_000));
    if input.context_mut().seek(at_us, ..at_us).is_err() {
        return Ok(None);
    }
    let base = input.context().stream(track).map(|stream| stream.time_base());
    let base = base.ok_or_else(|| Error::plan(format!("no track {track}")))?;
    let mut packet = Packet::empty();
    loop {
        match input.read(&mut packet) {
            Ok(()) if packet.stream() == track => break,
            Ok(()) | Err(ffmpeg::Error::InvalidData) => {}
            Err(_) => return Ok(None),
        }
    }
    let stamp = packet.pts().or(packet.dts());
    let time_ms = stamp.map(|stamp| crate::time::ticks(stamp, base, plan.start_us, 1_000));
    Ok(time_ms.filter(|time| *time <= from_ms).map(|_| packet))
}

fn read(
    input: &mut Input,
    piece: &Plan,
    audio: &AudioPlan,
    first: Option<Packet>,
) -> Result<Vec<f32>, Error> {
    let mut track = Track::listening(input, piece, audio)?;
    // Nothing is told: what listens is not encoded.
    let silent = &mut |_| Ok(());
    if let Some(packet) = first {
        track.packet(&packet, silent)?;
    }
    let mut packet = Packet::empty();
    while !track.is_whole() {
        match input.read(&mut packet) {
            Ok(()) if packet.stream() == audio.track => track.packet(&packet, silent)?,
            Ok(()) | Err(ffmpeg::Error::InvalidData) => {}
            Err(_) => break,
        }
    }
    track.heard(silent)
}

/// How many samples to keep so that the cut is in the middle of the quietest breath near the end.
fn quietest(samples: &[f32], most_ms: i64) -> usize {
    let count = |ms: i64| usize::try_from(ms * i64::from(SPEECH_RATE) / 1_000).unwrap_or(0);
    let (breath, within) = (count(BREATH_MS), count(CUT_WITHIN_MS.min(most_ms / 4)));
    let from = samples.len().saturating_sub(within.max(breath));
    let step = (breath / 5).max(1);
    let energy = |at: usize| samples[at..at + breath].iter().map(|sample| sample * sample).sum();
    let places = (from..=samples.len().saturating_sub(breath)).step_by(step);
    let places = places.filter(|at| at + breath <= samples.len());
    let quiet = places
        .map(|at| (at, energy(at)))
        .min_by(|(_, one): &(usize, f32), (_, other)| one.total_cmp(other));
    quiet.map_or(samples.len(), |(at, _)| (at + breath / 2).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_cut_in_the_quietest_breath() {
        let rate = SPEECH_RATE as usize;
        let mut samples = vec![0.5_f32; 60 * rate];
        // Quiet at second 30, which is too far from the end, and less so at 52.
        samples[30 * rate..31 * rate].fill(0.0);
        samples[52 * rate..53 * rate].fill(0.01);
        let kept = quietest(&samples, 60_000);
        assert!((52 * rate..53 * rate).contains(&kept), "{}", kept as f64 / rate as f64);
        assert_eq!(quietest(&[], 60_000), 0);
        assert!(quietest(&samples[..100], 60_000) <= 100);
    }
}
