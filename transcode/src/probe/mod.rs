//! What is in a source: what the container says, checked by decoding the first frames and by
//! measuring where packets really lie.

use ffmpeg_next as ffmpeg;

use crate::facts::{Chapter, Probe, SourceTrack, TrackKind};
use crate::time;
use crate::{Error, Input};

mod look;
mod measure;
mod tracks;

use look::Look;
pub(crate) use look::extradata;
use measure::Measure;

/// Looks at a source.
///
/// Decodes the first frames of each track, so what is said to be decodable is. Reads the packets
/// to the end where the container's claim of its length cannot be trusted.
///
/// # Errors
///
/// [`Error::Io`] and [`Error::Ffmpeg`] when the source cannot be read. A source of which nothing
/// can be decoded is no error here: the plan refuses it with the reason.
pub fn probe(input: &mut Input) -> Result<Probe, Error> {
    input.rewind()?;
    input.follow(&[]);
    let mut tracks = tracks::list(input);
    let looks = look::look(input, &mut tracks)?;
    let (measures, (jumps, landmarks)) = measure::measure(input, &tracks)?;
    let start_us = start(&tracks, &looks);
    let joined = !jumps.is_empty();
    for (track, (look, measure)) in tracks.iter_mut().zip(looks.iter().zip(&measures)) {
        finish(track, look, measure, start_us);
        if let Some(video) = &mut track.video {
            // Seeking goes by time stamps, which are not unique.
            video.reliable_times &= !joined;
        }
    }
    let mut probe = Probe {
        container: container(input),
        duration_ms: 0,
        start_ms: start_us.div_euclid(1_000),
        start_us,
        bitrate_bps: 0,
        title: input.context().metadata().get("title").and_then(tracks::text),
        chapters: Vec::new(),
        jumps,
        landmarks,
        tracks,
    };
    probe.duration_ms = duration(&probe);
    let bits = i128::from(input.size_bytes()) * 8_000;
    let bitrate_bps = bits / i128::from(probe.duration_ms.max(1));
    probe.bitrate_bps = i64::try_from(bitrate_bps).unwrap_or(i64::MAX);
    probe.chapters = chapters(input, start_us, probe.duration_ms);
    Ok(probe)
}

/// The container by FFmpeg's name.
fn container(input: &Input) -> String {
    input.context().format().name().to_owned()
}

/// Media time 0: the earliest first frame of the tracks that are used.
fn start(tracks: &[SourceTrack], looks: &[Look]) -> i64 {
    let best = best_video(tracks);
    let used =
        |t: &SourceTrack| t.decodable && (t.kind == TrackKind::Audio || Some(t.index) == best);
    let used = tracks.iter().zip(looks).filter(|(t, _)| used(t));
    used.filter_map(|(_, look)| look.first_us).min().unwrap_or(0)
}

fn best_video(tracks: &[SourceTrack]) -> Option<usize> {
    let area =
        |t: &SourceTrack| t.video.as_ref().map_or(0, |v| u64::from(v.width) * u64::from(v.height));
    let videos = tracks.iter().filter(|t| t.kind == TrackKind::Video && t.decodable);
    let best = videos.max_by_key(|t| (t.default, area(t), std::cmp::Reverse(t.index)));
    best.map(|t| t.index)
}

/// Adds what was measured to what was seen.
fn finish(track: &mut SourceTrack, look: &Look, measure: &Measure, start_us: i64) {
    let first_us = look.first_us.or(measure.first_us);
    track.start_ms = first_us.map_or(0, |us| to_ms(us - start_us));
    if let (Some(first), Some(end)) = (first_us, measure.end(look.first_us, track.kind)) {
        track.duration_ms = to_ms((end - first).max(0));
    }
    if let Some(bps) = measure.bitrate_bps() {
        track.bitrate_bps = Some(bps);
    }
    if let Some(video) = &mut track.video {
        measure.complete_video(video);
        video.closed_gops = look.closed_gops && measure.closed_gops;
        video.hidden_frames = measure.hidden_frames;
    }
    if let Some(audio) = &mut track.audio {
        audio.regular = measure.regular;
    }
}

/// To the nearest millisecond.
fn to_ms(us: i64) -> i64 {
    (us + 500).div_euclid(1_000)
}

/// The end of the longest track that is used.
fn duration(probe: &Probe) -> i64 {
    let video = probe.best_video().into_iter();
    let ends = video.chain(probe.usable_audio()).map(|t| t.start_ms + t.duration_ms);
    ends.max().unwrap_or(0).max(0)
}

/// Chapters that lie inside the media, in order.
fn chapters(input: &Input, start_us: i64, duration_ms: i64) -> Vec<Chapter> {
    let chapters = input.context().chapters().map(|chapter| {
        let base = chapter.time_base();
        let ms = |stamp| to_ms(time::micros(stamp, base).saturating_sub(start_us));
        let title = chapter.metadata().get("title").and_then(tracks::text);
        Chapter {
            start_ms: ms(chapter.start()).clamp(0, duration_ms),
            end_ms: ms(chapter.end()).clamp(0, duration_ms),
            title: title.unwrap_or_default(),
        }
    });
    let mut chapters: Vec<Chapter> = chapters.filter(|c| c.start_ms < c.end_ms).collect();
    chapters.sort_by_key(|c| c.start_ms);
    chapters.truncate(1_000);
    chapters
}

/// A ratio of FFmpeg's, when it is one.
fn ratio(value: ffmpeg::Rational) -> Option<crate::Ratio> {
    let num = u32::try_from(value.numerator()).ok().filter(|&n| n > 0)?;
    let den = u32::try_from(value.denominator()).ok().filter(|&d| d > 0)?;
    Some(crate::Ratio { num, den })
}
