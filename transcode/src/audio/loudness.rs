//! How loud sound is (EBU R 128, by FFmpeg's filter), and what is to be done about it.

use ffmpeg_next as ffmpeg;
use ffmpeg_next::filter::Graph;
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::frame::Audio;

use crate::Error;
use crate::error::ff;

use super::encoder::layout;

/// The highest true peak, dB of full scale: encoders overshoot a little.
const MAX_PEAK_DB: f64 = -1.0;

/// Quieter than this is silence (ITU-R BS.1770-4's absolute gate).
const GATE_LUFS: f64 = -70.0;

/// A whole track, measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Loudness {
    /// Integrated, LUFS.
    integrated: f64,
    /// The largest true peak, 1 being full scale.
    peak: f64,
}

impl Loudness {
    pub(super) const SILENCE: Self = Self { integrated: GATE_LUFS, peak: 0.0 };

    /// By how many dB to raise it for `target` LUFS, as far as its peaks allow.
    pub(super) fn change_db(self, target: i32) -> f64 {
        if self.integrated <= GATE_LUFS {
            return 0.0;
        }
        let room = MAX_PEAK_DB - 20.0 * self.peak.max(1e-3).log10();
        (f64::from(target) - self.integrated).min(room)
    }
}

/// dB as a factor of amplitude.
#[expect(clippy::cast_possible_truncation, reason = "samples are no finer")]
pub(super) fn factor(db: f64) -> f32 {
    10_f64.powf(db / 20.0) as f32
}

/// Measures what it is given.
pub(super) struct Meter {
    graph: Graph,
    channels: u32,
    rate: u32,
    loudness: Loudness,
    taken: i64,
}

impl Meter {
    pub(super) fn new(channels: u32, rate: u32) -> Result<Self, Error> {
        let find = |name: &str| {
            ffmpeg::filter::find(name).ok_or(ffmpeg::Error::FilterNotFound).map_err(ff(name))
        };
        let mut graph = Graph::new();
        let layout = if channels == 1 { "mono" } else { "stereo" };
        let from = format!(
            "time_base=1/{rate}:sample_rate={rate}:sample_fmt=fltp:channel_layout={layout}"
        );
        graph.add(&find("abuffer")?, "in", &from).map_err(ff("add the meter's source"))?;
        graph.add(&find("abuffersink")?, "out", "").map_err(ff("add the meter's sink"))?;
        // One channel is heard from two loudspeakers.
        let spec = "ebur128=peak=true:metadata=1:framelog=verbose:dualmono=true";
        graph
            .output("in", 0)
            .and_then(|parser| parser.input("out", 0))
            .and_then(|parser| parser.parse(spec))
            .and_then(|()| graph.validate())
            .map_err(ff("set up the meter"))?;
        Ok(Self { graph, channels, rate, loudness: Loudness::SILENCE, taken: 0 })
    }

    /// Takes samples, a plane for each channel.
    pub(super) fn take(&mut self, planes: &[&[f32]]) -> Result<(), Error> {
        let size = planes.first().map_or(0, |plane| plane.len());
        let mut frame = Audio::new(Sample::F32(Type::Planar), size, layout(self.channels));
        frame.set_rate(self.rate);
        frame.set_pts(Some(self.taken));
        for (channel, plane) in planes.iter().enumerate() {
            frame.plane_mut::<f32>(channel).copy_from_slice(plane);
        }
        self.taken += i64::try_from(size).unwrap_or(0);
        let mut source = self.graph.get("in").ok_or_else(lost)?;
        source.source().add(&frame).map_err(ff("measure the sound"))?;
        self.read()
    }

    pub(super) fn finish(mut self) -> Result<Loudness, Error> {
        let mut source = self.graph.get("in").ok_or_else(lost)?;
        source.source().flush().map_err(ff("measure the sound"))?;
        self.read()?;
        Ok(self.loudness)
    }

    /// Each frame that comes out tells of all before it.
    fn read(&mut self) -> Result<(), Error> {
        let mut sink = self.graph.get("out").ok_or_else(lost)?;
        let mut frame = Audio::empty();
        while sink.sink().frame(&mut frame).is_ok() {
            let told = frame.metadata();
            let number = |key: &str| told.get(key).and_then(|text| text.parse::<f64>().ok());
            if let Some(integrated) = number("lavfi.r128.I") {
                self.loudness.integrated = integrated;
            }
            let peaks = ["lavfi.r128.true_peaks_ch0", "lavfi.r128.true_peaks_ch1"];
            let peak = peaks.iter().filter_map(|key| number(key)).fold(0.0, f64::max);
            self.loudness.peak = self.loudness.peak.max(peak);
        }
        Ok(())
    }
}

fn lost() -> Error {
    Error::plan("the meter lost its ends")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_raised_as_far_as_its_peaks_allow() {
        let quiet = Loudness { integrated: -40.0, peak: 0.05 };
        assert!((quiet.change_db(-16) - 24.0).abs() < 1.1, "{}", quiet.change_db(-16));
        let peaky = Loudness { integrated: -30.0, peak: 0.891 };
        assert!(peaky.change_db(-16).abs() < 0.01, "{}", peaky.change_db(-16));
        let loud = Loudness { integrated: -6.0, peak: 1.2 };
        assert!((loud.change_db(-16) + 10.0).abs() < 1e-9);
        assert!(Loudness::SILENCE.change_db(-16).abs() < 1e-9);
    }
}
