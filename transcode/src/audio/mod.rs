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
mod resampler;
mod track;
mod writer;

use copier::Copier;
use track::Track;

/// Makes all audio renditions of the plan in `out`: `{name}-init.mp4` and `{name}-{part:05}.m4s`.
///
/// Sound keeps to its time stamps: holes become silence, overlaps are cut, drift is stretched
/// away; every rendition lasts as long as the presentation. What does not decode is silent.
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
    input.rewind()?;
    input.follow(&plan.jumps);
    let wanted: Vec<usize> = plan.audio.iter().map(|audio| audio.track).collect();
    input.select(&wanted);
    let mut ways = Vec::new();
    for audio in &plan.audio {
        ways.push(Way::open(input, plan, audio, out, on)?);
    }
    let mut pulse = Pulse::new();
    let mut packet = Packet::empty();
    loop {
        match input.read(&mut packet) {
            Ok(()) => {}
            Err(ffmpeg::Error::InvalidData) => continue,
            Err(_) => break,
        }
        let Some(way) = ways.iter_mut().find(|way| way.index == packet.stream()) else { continue };
        way.packet(&packet, on)?;
        let share = ways.iter().map(Way::share).fold(1.0, f64::min);
        pulse.beat(share, on)?;
    }
    ways.into_iter().try_for_each(|way| way.finish(on))?;
    on(Event::Progress(1.0))
}

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
        out: &Path,
        on: &mut Sink,
    ) -> Result<Self, Error> {
        let copy = audio.renditions.iter().find(|r| r.copy);
        let copier = match copy {
            Some(rendition) => Some(Copier::open(input, plan, audio, rendition, out, on)?),
            None => None,
        };
        let encodes = audio.renditions.iter().any(|r| !r.copy);
        let track = match encodes {
            true => Some(Track::open(input, plan, audio, out, on)?),
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
