//! What one needs to begin to play: the first part of the picture and of the sound.

use std::path::Path;

use crate::plan::{AudioPlan, Plan};
use crate::{Error, Event, Input, Sink, copy_video, encode_audio, encode_part};

/// Makes the first part of the picture, copied where the plan copies it, else of the smallest
/// rung alone, and of the best sound of the track that is played unless another is chosen.
///
/// The same files come again, byte for byte, from [`copy_video`], [`encode_part`] and
/// [`encode_audio`].
///
/// # Errors
///
/// Those of the three.
pub fn first_part(input: &mut Input, plan: &Plan, out: &Path, on: &mut Sink) -> Result<(), Error> {
    if let Some(video) = &plan.video {
        if video.copy.is_some() {
            until_part(on, &mut |on| copy_video(input, plan, out, on))?;
        } else if let Some(smallest) = plan.smallest_rung() {
            encode_part(input, plan, 0, std::slice::from_ref(&smallest.name), out, on)?;
        }
    }
    let Some(audio) = plan.audio.iter().find(|audio| audio.default) else { return Ok(()) };
    if audio.loudness_lufs.is_some() {
        // All of it has to be heard first.
        return Ok(());
    }
    let best = audio.renditions.iter().take(1).cloned().collect();
    let plan =
        Plan { audio: vec![AudioPlan { renditions: best, ..audio.clone() }], ..plan.clone() };
    until_part(on, &mut |on| encode_audio(input, &plan, out, on))
}

/// Runs `work` until it has told of its first part.
fn until_part(
    on: &mut Sink,
    work: &mut dyn FnMut(&mut Sink) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut made = false;
    let worked = work(&mut |event| {
        made |= matches!(event, Event::Part { .. });
        on(event)?;
        if made {
            return Err(Error::Stopped { reason: "the first part is made".into() });
        }
        Ok(())
    });
    match worked {
        Err(Error::Stopped { .. }) if made => Ok(()),
        worked => worked,
    }
}
