//! whisper.cpp in this process.

use std::io;

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
    get_lang_str,
};

use super::{Error, Listen, Said, answer};

/// Beams that are searched: as OpenAI's own program does it.
const BEAMS: i32 = 5;

/// Recognises what is said in `samples`.
pub(super) fn run(
    listen: &Listen,
    samples: &[f32],
    mut progress: impl FnMut(f64) -> io::Result<()> + 'static,
) -> Result<Said, Error> {
    // Nothing of it belongs on standard error, which is the worker's.
    whisper_rs::install_logging_hooks();
    let bad = |error: whisper_rs::WhisperError| Error::Model(error.to_string());
    let context =
        WhisperContext::new_with_params(&listen.model, WhisperContextParameters::default())
            .map_err(|_| Error::Model(listen.model.display().to_string()))?;
    let mut state = context.create_state().map_err(bad)?;
    let language = language_of(&listen.language);
    let mut params =
        FullParams::new(SamplingStrategy::BeamSearch { beam_size: BEAMS, patience: -1.0 });
    params.set_language(Some(&language));
    params.set_n_threads(i32::try_from(listen.threads).unwrap_or(1));
    if !listen.prompt.is_empty() {
        params.set_initial_prompt(&listen.prompt);
    }
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_special(false);
    params.set_print_timestamps(false);
    params.set_progress_callback_safe(move |percent: i32| {
        // The worker may be gone; then this process ends soon.
        // It counts the last window of 30 s whole.
        let _ = progress((f64::from(percent) / 100.0).clamp(0.0, 1.0));
    });
    state.full(params, samples).map_err(bad)?;
    let heard = get_lang_str(state.full_lang_id_from_state());
    Ok(Said { language: heard.map(ToOwned::to_owned), cues: cues(&state) })
}

/// What whisper calls a language: `zh` for `zh-Hans`.
fn language_of(tag: &str) -> String {
    tag.split('-').next().unwrap_or("auto").to_ascii_lowercase()
}

fn cues(state: &WhisperState) -> Vec<super::Cue> {
    let segments = state.as_iter();
    segments
        .map(|segment| {
            // Hundredths of a second.
            let seconds = |time: i64| time as f64 / 100.0;
            let text = segment.to_str_lossy().unwrap_or_default();
            answer::cue(seconds(segment.start_timestamp()), seconds(segment.end_timestamp()), &text)
        })
        .collect()
}
