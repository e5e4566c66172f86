//! Recognising speech: one small interface, and the engines behind it.
//!
//! The child decodes a piece of the sound and hands it to an engine, which is either whisper.cpp
//! inside this process (feature `whisper`) or a program of the operator's choice. Both run inside
//! the same walls. What they say becomes cues, on the clock of the piece.

mod answer;
mod command;
mod wav;
#[cfg(feature = "whisper")]
mod whisper;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use transcode::{Input, Plan, SPEECH_RATE};

use super::captions::Cue;

pub use command::command_works;

/// Sound that never gets louder than this holds no speech: engines invent words for it.
const SILENCE: f32 = 0.002;

/// A piece of sound, and who is to recognise what is said in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listen {
    /// Of the source.
    pub plan: Plan,
    /// Which track of it.
    pub track: usize,
    /// Where the piece begins, media time.
    pub from_ms: i64,
    /// The longest that it may be.
    pub most_ms: i64,
    /// BCP 47, or `auto`.
    pub language: String,
    /// A sentence in the way of the ones that are expected; may be empty.
    pub prompt: String,
    /// Threads to compute with.
    pub threads: usize,
    /// The model's file; empty: the engine needs none.
    pub model: PathBuf,
    /// How long a program may run.
    pub time: Duration,
    /// Who recognises.
    pub engine: Engine,
}

/// Who recognises.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// whisper.cpp, in this process.
    Whisper,
    /// A program with arguments; see docs/captions.md for what it is given and must answer.
    Command(Vec<String>),
}

/// What is said in a piece of sound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// BCP 47, where the engine told it.
    pub language: Option<String>,
    /// Media time where the piece ends.
    pub end_ms: i64,
    /// Times are from the beginning of the piece.
    pub cues: Vec<Cue>,
}

/// What an engine makes of a piece.
#[derive(Debug, Default)]
struct Said {
    language: Option<String>,
    cues: Vec<Cue>,
}

/// Why nothing was recognised.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sound could not be decoded.
    #[error(transparent)]
    Sound(#[from] transcode::Error),
    /// This program was built without the engine.
    #[error("the engine {0} is not part of this program")]
    NoEngine(&'static str),
    /// The model cannot be used.
    #[error("the model cannot be used: {0}")]
    Model(String),
    /// The program could not be started, or ended badly.
    #[error("{0}")]
    Command(String),
    /// The program took too long.
    #[error("it took longer than {0:?}")]
    Late(Duration),
    /// What the program answered cannot be read.
    #[error("its answer cannot be read: {0}")]
    Answer(String),
}

impl Error {
    /// For the sentence that people read.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sound(_) => "media_damaged",
            Self::NoEngine(_) => "speech_engine",
            Self::Model(_) => "speech_model",
            Self::Command(_) => "speech_command",
            Self::Late(_) => "speech_late",
            Self::Answer(_) => "speech_answer",
        }
    }

    /// The value in question, in one line.
    #[must_use]
    pub fn info(&self) -> String {
        let text = match self {
            Self::NoEngine(name) => (*name).to_owned(),
            Self::Model(text) | Self::Command(text) | Self::Answer(text) => text.clone(),
            Self::Late(time) => format!("{} s", time.as_secs()),
            Self::Sound(error) => error.to_string(),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").chars().take(300).collect()
    }
}

/// Recognises what is said in a piece of the source. `progress` is told how far the engine is,
/// where it tells it.
///
/// # Errors
///
/// [`Error`].
pub fn listen(
    input: &mut Input,
    listen: &Listen,
    progress: impl FnMut(f64) -> std::io::Result<()> + 'static,
) -> Result<Heard, Error> {
    let sound = transcode::hear(input, &listen.plan, listen.track, listen.from_ms, listen.most_ms)?;
    let loudest = sound.samples.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
    let said = if loudest < SILENCE {
        Said::default()
    } else {
        match &listen.engine {
            Engine::Command(command) => command::run(command, listen, &sound.samples)?,
            Engine::Whisper => recognise_here(listen, &sound.samples, progress)?,
        }
    };
    let length_ms = sound.samples.len() as u64 * 1000 / u64::from(SPEECH_RATE);
    let cues = answer::tidy(said.cues, length_ms);
    Ok(Heard { language: said.language, end_ms: sound.end_ms, cues })
}

#[cfg(feature = "whisper")]
fn recognise_here(
    listen: &Listen,
    samples: &[f32],
    progress: impl FnMut(f64) -> std::io::Result<()> + 'static,
) -> Result<Said, Error> {
    whisper::run(listen, samples, progress)
}

#[cfg(not(feature = "whisper"))]
fn recognise_here(
    _: &Listen,
    _: &[f32],
    _: impl FnMut(f64) -> std::io::Result<()> + 'static,
) -> Result<Said, Error> {
    Err(Error::NoEngine("whisper"))
}
