//! What is kept of media to find the same in other resources: how the picture looks, by `transcode`,
//! and how the sound sounds, by Chromaprint. See [`crate::twins`].

use rusty_chromaprint::{Configuration, Fingerprinter};
use serde::{Deserialize, Serialize};
use transcode::picture::Picture;
use transcode::{AudioPlan, Error, Event, Input, Plan, SPEECH_RATE, Sink};

use super::claims::MAX_MS;
use crate::twins::pack;
use crate::twins::sound::SILENT;

/// Sound that is decoded at once, ms: 20 MB.
const PIECE_MS: i64 = 300_000;

/// The same of a source that cannot be sought in, of which only one piece is heard, ms: 230 MB.
const ONLY_PIECE_MS: i64 = 3_600_000;

/// Samples at 11,025 Hz from one item of sound to the next: a third of Chromaprint's frame.
const ITEM_SAMPLES: usize = 1_365;
const ITEM_RATE: usize = 11_025;

/// Items whose sound goes into one: a frame of three, and 16 side by side.
const ITEM_SPAN: usize = 19;

/// Mean power below which nothing is to be heard: 60 dB below full scale.
const SILENCE: f64 = 1e-6;

/// The picture comes first, and takes most of the time.
const PICTURE_SHARE: f64 = 0.9;

/// The most looks of an image.
const MAX_IMAGE_LOOKS: usize = 16;

/// Looks, image and sound, as [`pack`] packs them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prints {
    /// What a video shows.
    pub looks: String,
    /// What an image looks like.
    pub image: String,
    /// How it sounds.
    pub sound: String,
}

impl Prints {
    /// Whether all of it can be unpacked, and looks follow each other in time.
    pub(super) fn hold(&self) -> bool {
        let looks = pack::to_looks(&self.looks);
        let in_order = looks.is_some_and(|looks| {
            looks.iter().all(|look| look.start_ms < look.end_ms && look.end_ms <= MAX_MS)
                && looks.windows(2).all(|pair| pair[0].end_ms <= pair[1].start_ms)
        });
        let image = pack::to_image(&self.image).is_some_and(|it| it.len() <= MAX_IMAGE_LOOKS);
        in_order && image && pack::to_sound(&self.sound).is_some()
    }
}

/// Those of a video or audio up to `most_ms`; tells `on` the progress.
///
/// # Errors
///
/// Those of decoding, and what `on` answered.
pub fn of_media(
    input: &mut Input,
    plan: &Plan,
    most_ms: i64,
    on: &mut Sink,
) -> Result<Prints, Error> {
    let share = if plan.video.is_some() { PICTURE_SHARE } else { 0.0 };
    let mut seen = |event: Event| match event {
        Event::Progress(part) => on(Event::Progress(part * share)),
        other => on(other),
    };
    let looks = transcode::looks(input, plan, most_ms, &mut seen)?;
    let main = plan.audio.iter().find(|audio| audio.default).or(plan.audio.first());
    let mut heard = |part: f64| on(Event::Progress(share + part * (1.0 - share)));
    let sound = match main {
        Some(audio) => sound(input, plan, audio, most_ms, &mut heard)?,
        None => Vec::new(),
    };
    Ok(Prints { looks: pack::looks(&looks), image: String::new(), sound: pack::sound(&sound) })
}

/// Those of an image.
///
/// # Errors
///
/// [`Error::Ffmpeg`] when it cannot be made small.
pub fn of_picture(picture: &Picture) -> Result<Prints, Error> {
    let image = pack::image(&transcode::looks_of_picture(picture)?);
    Ok(Prints { image, ..Prints::default() })
}

fn sound(
    input: &mut Input,
    plan: &Plan,
    audio: &AudioPlan,
    most_ms: i64,
    on: &mut dyn FnMut(f64) -> Result<(), Error>,
) -> Result<Vec<u32>, Error> {
    let mut ear = Ear::new();
    let end_ms = plan.duration_ms.min(most_ms);
    let seekable = plan.jumps.is_empty();
    let piece_ms = if seekable { PIECE_MS } else { ONLY_PIECE_MS };
    let mut from_ms = 0;
    while from_ms < end_ms {
        on(from_ms as f64 / end_ms as f64)?;
        let most_ms = piece_ms.min(end_ms - from_ms);
        let heard = transcode::hear(input, plan, audio.track, from_ms, most_ms)?;
        ear.hear(&heard.samples);
        if heard.end_ms <= from_ms || !seekable {
            break;
        }
        from_ms = heard.end_ms;
    }
    Ok(ear.items())
}

/// Makes items of samples, and knows where there was nothing to be heard.
struct Ear {
    printer: Fingerprinter,
    heard: usize,
    /// Sum of the squares of the samples of each item.
    powers: Vec<f64>,
}

impl Ear {
    fn new() -> Self {
        let mut printer = Fingerprinter::new(&Configuration::preset_test2());
        printer.start(SPEECH_RATE, 1).expect("one channel at more than 11,025 Hz is taken");
        Self { printer, heard: 0, powers: Vec::new() }
    }

    fn hear(&mut self, samples: &[f32]) {
        for sample in samples {
            let item = self.heard * ITEM_RATE / (SPEECH_RATE as usize * ITEM_SAMPLES);
            self.powers.resize(self.powers.len().max(item + 1), 0.0);
            self.powers[item] += f64::from(*sample).powi(2);
            self.heard += 1;
        }
        let whole = |sample: &f32| (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
        let samples: Vec<i16> = samples.iter().map(whole).collect();
        self.printer.consume(&samples);
    }

    fn items(mut self) -> Vec<u32> {
        self.printer.finish();
        let least = SILENCE * (ITEM_SAMPLES * SPEECH_RATE as usize / ITEM_RATE) as f64;
        let is_heard = |at: usize| {
            let span = self.powers.iter().skip(at).take(ITEM_SPAN);
            span.sum::<f64>() >= least * ITEM_SPAN as f64
        };
        let items = self.printer.fingerprint().iter().enumerate();
        items.map(|(at, item)| if is_heard(at) { *item } else { SILENT }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A melody of sines with overtones, other for each seed.
    fn melody(seed: u64, seconds: usize, gain: f32) -> Vec<f32> {
        let rate = SPEECH_RATE as usize;
        (0..seconds * rate)
            .map(|at| {
                let note = crate::twins::keys::mix(seed << 20 | (at / (rate / 4)) as u64) % 36;
                let pitch = 110.0 * 2_f32.powf(note as f32 / 12.0);
                let phase = at as f32 / rate as f32 * pitch * std::f32::consts::TAU;
                gain * (phase.sin() + 0.4 * (2.0 * phase).sin() + 0.2 * (3.0 * phase).sin()) / 1.6
            })
            .collect()
    }

    fn items(samples: &[f32]) -> Vec<u32> {
        let mut ear = Ear::new();
        samples.chunks(50_000).for_each(|piece| ear.hear(piece));
        ear.items()
    }

    #[test]
    fn a_quieter_part_sounds_the_same_and_another_melody_does_not() {
        let whole = items(&melody(1, 40, 0.8));
        let part = items(&melody(1, 40, 0.1)[13 * SPEECH_RATE as usize + 777..]);
        let found = crate::twins::sound::compare(&whole, &part).expect("the same");
        assert!(found.share > 0.8, "{found:?}");
        assert!((found.first.from - found.second.from - 13_049).abs() < 200, "{found:?}");
        let other = items(&melody(2, 40, 0.8));
        assert_eq!(crate::twins::sound::compare(&whole, &other), None);
    }

    #[test]
    fn what_is_silent_has_no_items() {
        let silent = items(&vec![0.0002; 20 * SPEECH_RATE as usize]);
        assert!(!silent.is_empty() && silent.iter().all(|item| *item == SILENT));
    }

    #[test]
    fn prints_that_are_out_of_order_do_not_hold() {
        use transcode::Look;
        let look = |start_ms, end_ms| Look { start_ms, end_ms, bits: [1, 2, 3, 4] };
        let of = |looks: &[Look]| Prints { looks: pack::looks(looks), ..Prints::default() };
        assert!(of(&[look(0, 5), look(5, 9)]).hold());
        assert!(!of(&[look(0, 5), look(4, 9)]).hold());
        assert!(!of(&[look(5, 5)]).hold());
        assert!(!Prints { sound: "not base64".into(), ..Prints::default() }.hold());
    }
}
