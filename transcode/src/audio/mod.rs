//! Every audio track at every bit rate, once through the whole source, cut into parts on the way:
//! so there is no encoder's delay at the borders of parts.

use std::path::Path;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::Packet;

use crate::event::Pulse;
use crate::plan::{AudioPlan, Plan};
use crate::{Error, Event, Input, Sink};

mod copier;
mod encoder;
mod loudness;
mod resampler;
mod speech;
mod track;
mod writer;

pub use speech::{Heard, SPEECH_RATE, hear};

use copier::Copier;
use loudness::factor;
use track::Track;

/// Makes all audio renditions of the plan in `out`: `{name}-init.mp4` and `{name}-{part:05}.m4s`.
///
/// Sound keeps to its time stamps: holes become silence, overlaps are cut, drift is stretched
/// away; every rendition lasts as long as the presentation. What does not decode is silent. Where
/// the plan wants a loudness, the sound is gone through twice: to measure it, then with one gain.
///
/// # Errors
///
/// [`Error::Plan`] when a track is missing, [`Error::Ffmpeg`] when a decoder or encoder does not
/// open, [`Error::Io`], [`Error::Stopped`] or what `on` answered.
pub fn encode_audio(
    input: &mut Input,
    plan: &Plan,
    out: &Path,
    on: &mut Sink,
) -> Result<(), Error> {
    if plan.audio.is_empty() {
        return Ok(());
    }
    let changes = changes(input, plan, on)?;
    let mut ways = Vec::new();
    for (audio, change) in plan.audio.iter().zip(changes) {
        ways.push(Way::open(input, plan, audio, change, out, on)?);
    }
    let from = if plan.audio.iter().any(|audio| audio.loudness_lufs.is_some()) { 0.5 } else { 0.0 };
    let mut pulse = Pulse::new();
    read(input, plan, &mut |packet| {
        for way in ways.iter_mut().filter(|way| way.index == packet.stream()) {
            way.packet(packet, on)?;
        }
        let share = ways.iter().map(Way::share).fold(1.0, f64::min);
        pulse.beat(from + (1.0 - from) * share, on)
    })?;
    ways.into_iter().try_for_each(|way| way.finish(on))?;
    on(Event::Progress(1.0))
}

/// Goes through the packets of the plan's tracks.
fn read(
    input: &mut Input,
    plan: &Plan,
    take: &mut dyn FnMut(&Packet) -> Result<(), Error>,
) -> Result<(), Error> {
    input.rewind()?;
    input.follow(&plan.jumps);
    let wanted: Vec<usize> = plan.audio.iter().map(|audio| audio.track).collect();
    input.select(&wanted);
    let mut packet = Packet::empty();
    loop {
        match input.read(&mut packet) {
            Ok(()) => take(&packet)?,
            Err(ffmpeg::Error::InvalidData) => {}
            Err(_) => return Ok(()),
        }
    }
}

/// By how many dB to change each of the plan's tracks.
fn changes(input: &mut Input, plan: &Plan, on: &mut Sink) -> Result<Vec<f64>, Error> {
    let mut tracks: Vec<(usize, i32, Track)> = Vec::new();
    for audio in &plan.audio {
        let Some(target) = audio.loudness_lufs else { continue };
        if tracks.iter().all(|(track, ..)| *track != audio.track) {
            tracks.push((audio.track, target, Track::measuring(input, plan, audio)?));
        }
    }
    if tracks.is_empty() {
        return Ok(vec![0.0; plan.audio.len()]);
    }
    let mut pulse = Pulse::new();
    read(input, plan, &mut |packet| {
        for (_, _, track) in tracks.iter_mut().filter(|(index, ..)| *index == packet.stream()) {
            track.packet(packet, on)?;
        }
        let share = tracks.iter().map(|(.., track)| track.share()).fold(1.0, f64::min);
        pulse.beat(share / 2.0, on)
    })?;
    let mut measured = Vec::new();
    for (index, target, track) in tracks {
        measured.push((index, track.measured(on)?.change_db(target)));
    }
    let of = |audio: &AudioPlan| measured.iter().find(|(index, _)| *index == audio.track);
    Ok(plan.audio.iter().map(|audio| of(audio).map_or(0.0, |(_, change)| *change)).collect())
}

/// What sounds nearly right is copied if it can be.
const COPY_WITHIN_DB: f64 = 1.0;

/// What is done with the packets of one track.
struct Way {
    index: usize,
    copier: Option<Copier>,
    track: Option<Track>,
}

impl Way {
    fn open(
        input: &Input,
        plan: &Plan,
        audio: &AudioPlan,
        mut change: f64,
        out: &Path,
        on: &mut Sink,
    ) -> Result<Self, Error> {
        let mut audio = audio.clone();
        if change.abs() > COPY_WITHIN_DB {
            audio.renditions.iter_mut().for_each(|rendition| rendition.copy = false);
        } else if plan
            .audio
            .iter()
            .any(|a| a.track == audio.track && a.renditions.iter().any(|r| r.copy))
        {
            // All renditions of a track sound alike.
            change = 0.0;
        }
        let audio = &audio;
        let copy = audio.renditions.iter().find(|r| r.copy);
        let copier = match copy {
            Some(rendition) => Some(Copier::open(input, plan, audio, rendition, out, on)?),
            None => None,
        };
        let encodes = audio.renditions.iter().any(|r| !r.copy);
        let track = match encodes {
            true => Some(Track::open(input, plan, audio, factor(change), out, on)?),
            false => None,
        };
        Ok(Self { index: audio.track, copier, track })
    }

    fn packet(&mut self, packet: &Packet, on: &mut Sink) -> Result<(), Error> {
        if let Some(copier) = &mut self.copier {
            copier.packet(packet, on)?;
        }
        if let Some(track) = &mut self.track {
            track.packet(packet, on)?;
        }
        Ok(())
    }

    fn share(&self) -> f64 {
        self.track.as_ref().map_or(1.0, Track::share)
    }

    fn finish(self, on: &mut Sink) -> Result<(), Error> {
        if let Some(copier) = self.copier {
            copier.finish(on)?;
        }
        self.track.map_or(Ok(()), |track| track.finish(on))
    }
}
