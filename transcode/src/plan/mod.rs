//! What to make of a source: pure decisions over a [`Probe`], no FFmpeg here.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::facts::{AudioRole, Chapter, Colour, Hdr, Probe, Ratio, SourceTrack, TrackKind};
use crate::timeline::{Jump, Landmark};

mod audio;
mod sentence;
mod video;

pub(crate) use video::MAX_COPY_KEY_INTERVAL_MS;

/// Packets that are copied may be shown or heard this much later than the presentation ends, as its
/// length is rounded; what comes later is damage, and no encoded rendition has it.
pub(crate) const MAX_COPY_LATE_MS: i64 = 100;

/// How renditions are to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The ladder, largest first.
    pub rungs: Vec<RungPolicy>,
    /// Constant rate factor of x264, under the cap of each rung; that of other codecs follows it.
    pub crf: f32,
    /// What else than H.264, which is always made, the rungs are made as.
    #[serde(default)]
    pub codecs: Vec<VideoCodec>,
    /// Bit rates of the audio renditions, largest first.
    pub audio_bitrates_bps: Vec<u32>,
    /// Sound is made as Opus too, beside AAC.
    #[serde(default)]
    pub opus: bool,
    /// Sound is made as loud as this (EBU R 128, integrated), LUFS; `None`: as loud as it is.
    #[serde(default)]
    pub loudness_lufs: Option<i32>,
    /// Length of a segment.
    pub segment_ms: i64,
    /// Length of a part; rounded up to whole segments. The first parts are shorter.
    pub part_ms: i64,
    /// Distance of key frames; a divisor of `segment_ms`.
    pub gop_ms: i64,
    /// May the source's own H.264 be kept as the top rung?
    pub copy_video: bool,
    /// May the source's own AAC be kept?
    pub copy_audio: bool,
    /// A copy above this does not stay, whatever its rung allows.
    pub max_copy_bitrate_bps: i64,
    /// A copy above this is not even made to be played until the rungs are.
    pub max_preview_bitrate_bps: i64,
    /// Below a rung that is expected to need no more than this, no smaller ones are made.
    pub enough_bitrate_bps: u32,
    /// Longer sources are refused.
    pub max_duration_ms: i64,
    /// More pixels in a frame are refused.
    pub max_pixels: u64,
    /// Subtitles that are pictures.
    #[serde(default)]
    pub picture_subtitles: PictureSubtitles,
}

/// What becomes of subtitles that are pictures (PGS, VobSub, DVB).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureSubtitles {
    /// They are left out.
    #[default]
    Skip,
    /// One track is drawn into the picture, for good: the default one, else one that is forced,
    /// else the first.
    Burn,
}

/// One step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungPolicy {
    /// The short side of the picture, in pixels.
    pub height: u32,
    /// Cap of the bit rate.
    pub max_bitrate_bps: u32,
}

impl Default for Policy {
    fn default() -> Self {
        let rung = |height, max_bitrate_bps| RungPolicy { height, max_bitrate_bps };
        Self {
            rungs: vec![
                rung(1080, 5_350_000),
                rung(720, 3_000_000),
                rung(480, 1_500_000),
                rung(360, 860_000),
                rung(240, 400_000),
            ],
            crf: 23.0,
            codecs: Vec::new(),
            audio_bitrates_bps: vec![128_000, 48_000],
            opus: false,
            loudness_lufs: None,
            segment_ms: 6_000,
            part_ms: 60_000,
            gop_ms: 2_000,
            copy_video: true,
            copy_audio: true,
            max_copy_bitrate_bps: 8_100_000,
            max_preview_bitrate_bps: 40_000_000,
            enough_bitrate_bps: 150_000,
            max_duration_ms: 24 * 3_600_000,
            max_pixels: 8_192 * 8_192,
            picture_subtitles: PictureSubtitles::Skip,
        }
    }
}

/// What will be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Length of the presentation.
    pub duration_ms: i64,
    /// The source's time stamp at media time 0, microseconds.
    pub start_us: i64,
    /// Where the source's time stamps jump.
    #[serde(default)]
    pub jumps: Vec<Jump>,
    /// Where to go in a source that jumps, by time.
    #[serde(default)]
    pub landmarks: Vec<Landmark>,
    /// Length of a segment.
    pub segment_ms: i64,
    /// Length of a part, whole segments.
    pub part_ms: i64,
    /// Distance of key frames.
    pub gop_ms: i64,
    /// The picture, when there is one.
    pub video: Option<VideoPlan>,
    /// The sound, one for each track and codec.
    pub audio: Vec<AudioPlan>,
    /// Text to be taken out.
    pub subtitles: Vec<SubtitlePlan>,
    /// A picture attached to the file, by track.
    pub cover: Option<usize>,
    /// The source's chapters.
    pub chapters: Vec<Chapter>,
    /// The parts of every rendition.
    pub parts: Vec<PartRange>,
    /// What will be done, for the author, in Chinese.
    pub sentence_zh: String,
    /// The same in English.
    pub sentence_en: String,
}

impl Plan {
    /// The rung that is made most quickly and played everywhere.
    #[must_use]
    pub fn smallest_rung(&self) -> Option<&Rung> {
        self.video.as_ref()?.rungs.iter().rfind(|rung| rung.codec == VideoCodec::H264)
    }
}

/// The picture's renditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoPlan {
    /// The source's track.
    pub track: usize,
    /// The source's own packets, as top rung.
    pub copy: Option<CopyPlan>,
    /// What is encoded: H.264, largest first, then the same for each other codec.
    pub rungs: Vec<Rung>,
    /// Rungs of the ladder that would add nothing for this source.
    pub left_out: Vec<String>,
    /// Frames a second of the result, average.
    pub frame_rate: Ratio,
    /// Frames nearer than a 60th of a second are dropped.
    pub cap_frame_rate: bool,
    /// Interlaced frames are made progressive.
    pub deinterlace: bool,
    /// Clockwise degrees.
    pub rotation: u16,
    /// Flipped left to right, after the rotation.
    pub mirrored: bool,
    /// High dynamic range to be brought down to BT.709; [`Hdr::None`] when there is none.
    pub tone_map: Hdr,
    /// The colours of the result.
    pub colour: Colour,
    /// Track of subtitles to be drawn into the picture.
    #[serde(default)]
    pub burn: Option<usize>,
    /// Time stamps can be sought; else a part decodes from a landmark, or from the start.
    pub reliable_times: bool,
}

/// The source's video kept as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyPlan {
    /// Name of the rendition, e.g. `1080p-copy`.
    pub name: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// As the source says it.
    pub colour: Colour,
    /// It stays as the top rung; else it is only played until the rungs are made.
    pub keep: bool,
}

/// One encoded rendition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// Name of the rendition, e.g. `720p`, `720p-av1`.
    pub name: String,
    /// How it is encoded.
    #[serde(default)]
    pub codec: VideoCodec,
    /// Pixels, even.
    pub width: u32,
    /// Pixels, even.
    pub height: u32,
    /// Cap.
    pub max_bitrate_bps: u32,
    /// Constant rate factor, on the codec's own scale.
    pub crf: f32,
}

/// How a picture is encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoCodec {
    /// By x264: every player plays it.
    #[default]
    H264,
    /// By x265.
    Hevc,
    /// By SVT-AV1.
    Av1,
}

/// How sound is encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AudioCodec {
    /// AAC-LC: every player plays it.
    #[default]
    Aac,
    /// By libopus.
    Opus,
}

/// The renditions of one audio track in one codec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioPlan {
    /// The source's track.
    pub track: usize,
    /// BCP 47.
    pub language: Option<String>,
    /// The track's own title.
    pub title: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub role: AudioRole,
    /// Exactly one track is.
    pub default: bool,
    /// Of the renditions that are encoded.
    #[serde(default)]
    pub codec: AudioCodec,
    /// As loud as this, LUFS; a rendition that is copied is encoded instead when it is off by more
    /// than 1.
    #[serde(default)]
    pub loudness_lufs: Option<i32>,
    /// Of the result, Hz.
    pub sample_rate: u32,
    /// Best first.
    pub renditions: Vec<AudioRendition>,
}

/// One audio rendition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioRendition {
    /// e.g. `audio-0-128k`, `audio-0-copy`, `audio-0-opus`; the number counts the plan's audio tracks.
    pub name: String,
    /// Of the encoder, or as measured when copied.
    pub bitrate_bps: u32,
    /// 1 or 2.
    pub channels: u32,
    /// The source's own packets.
    pub copy: bool,
}

/// A text track to be taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtitlePlan {
    /// The source's track.
    pub track: usize,
    /// BCP 47.
    pub language: Option<String>,
    /// The track's own title.
    pub title: Option<String>,
    /// To be shown to everybody.
    pub forced: bool,
    /// For people who are hard of hearing.
    pub hearing_impaired: bool,
}

/// A part's share of the media time. What begins in it belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRange {
    /// From 0.
    pub index: usize,
    /// Inclusive.
    pub start_ms: i64,
    /// Exclusive.
    pub end_ms: i64,
}

/// Why nothing can be made of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No track of sound or moving pictures.
    #[error("there is no video or audio in the file")]
    NoUsableStreams,
    /// There are tracks, but none that can be decoded.
    #[error("the format {0} cannot be decoded")]
    UnknownCodec(String),
    /// Tracks of a known format, of which no frame could be decoded.
    #[error("no frame of the {0} track could be decoded; the file is damaged")]
    Damaged(String),
    /// Nothing to play.
    #[error("the file has no duration")]
    Empty,
    /// Longer than allowed.
    #[error("the file lasts {duration_ms} ms, more than the allowed {max_ms} ms")]
    TooLong {
        /// Of the source.
        duration_ms: i64,
        /// Allowed.
        max_ms: i64,
    },
    /// A larger picture than allowed.
    #[error("the picture of {width}x{height} pixels is larger than allowed")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

impl Refusal {
    /// A stable name for translations.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoUsableStreams => "no_usable_streams",
            Self::UnknownCodec(_) => "unknown_codec",
            Self::Damaged(_) => "damaged",
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::TooLarge { .. } => "too_large",
        }
    }
}

/// Decides what to make of a source.
///
/// # Errors
///
/// A [`Refusal`] when nothing can be made of it.
pub fn plan(probe: &Probe, policy: &Policy) -> Result<Plan, Refusal> {
    refuse(probe, policy)?;
    let video = probe.best_video().and_then(|track| video::plan(probe, track, policy));
    let audio = audio::plan(probe, policy);
    let part_ms = whole_segments(policy);
    let mut plan = Plan {
        duration_ms: probe.duration_ms,
        start_us: probe.start_us,
        jumps: probe.jumps.clone(),
        landmarks: probe.landmarks.clone(),
        segment_ms: policy.segment_ms,
        part_ms,
        gop_ms: policy.gop_ms,
        video,
        audio,
        subtitles: probe.tracks.iter().filter(|t| t.text_subtitle).map(subtitle).collect(),
        cover: probe
            .tracks
            .iter()
            .find(|t| t.kind == TrackKind::Cover && t.decodable)
            .map(|t| t.index),
        chapters: probe.chapters.clone(),
        parts: Vec::new(),
        sentence_zh: String::new(),
        sentence_en: String::new(),
    };
    let segment_ms = policy.segment_ms.max(1_000);
    let growth = if is_slow(probe, &plan) { SLOW_GROWTH } else { part_ms / segment_ms };
    plan.parts = parts(probe.duration_ms, segment_ms, part_ms, growth.max(1));
    plan.sentence_zh = sentence::chinese(&plan);
    plan.sentence_en = sentence::english(&plan);
    Ok(plan)
}

fn refuse(probe: &Probe, policy: &Policy) -> Result<(), Refusal> {
    let playable =
        |t: &&SourceTrack| matches!(t.kind, TrackKind::Video | TrackKind::Audio) && t.decodable;
    if !probe.tracks.iter().any(|t| playable(&t)) {
        return Err(why_not(probe));
    }
    if probe.duration_ms <= 0 {
        return Err(Refusal::Empty);
    }
    if probe.duration_ms > policy.max_duration_ms {
        let (duration_ms, max_ms) = (probe.duration_ms, policy.max_duration_ms);
        return Err(Refusal::TooLong { duration_ms, max_ms });
    }
    let Some(facts) = probe.best_video().and_then(|t| t.video.as_ref()) else { return Ok(()) };
    let (width, height) = (facts.coded_width, facts.coded_height);
    if u64::from(width) * u64::from(height) > policy.max_pixels {
        return Err(Refusal::TooLarge { width, height });
    }
    Ok(())
}

fn why_not(probe: &Probe) -> Refusal {
    let media = |t: &&SourceTrack| matches!(t.kind, TrackKind::Video | TrackKind::Audio);
    match probe.tracks.iter().find(media) {
        None => Refusal::NoUsableStreams,
        Some(track) if crate::input::allows_codec(&track.codec) => {
            Refusal::Damaged(track.codec.clone())
        }
        Some(track) => Refusal::UnknownCodec(track.codec.clone()),
    }
}

fn subtitle(track: &SourceTrack) -> SubtitlePlan {
    SubtitlePlan {
        track: track.index,
        language: track.language.clone(),
        title: track.title.clone(),
        forced: track.forced,
        hearing_impaired: track.hearing_impaired,
    }
}

/// A part's length: `part_ms` rounded up to whole segments.
fn whole_segments(policy: &Policy) -> i64 {
    let segment_ms = policy.segment_ms.max(1_000);
    let segments = policy.part_ms.max(1).div_euclid(segment_ms);
    let whole = if segments * segment_ms >= policy.part_ms { segments } else { segments + 1 };
    whole.max(1) * segment_ms
}

/// Shorter rests join the part before: a part must have room for a frame of its own.
pub(crate) const MIN_LAST_PART_MS: i64 = 1_000;

/// How much longer a part is than the one before where encoding takes about as long as watching:
/// then the end of what is there stays ahead of the viewer.
const SLOW_GROWTH: i64 = 2;

/// Must the viewer wait for what is encoded?
fn is_slow(probe: &Probe, plan: &Plan) -> bool {
    let encoded = plan.video.as_ref().filter(|video| video.copy.is_none());
    let track = encoded.and_then(|video| probe.tracks.iter().find(|t| t.index == video.track));
    track.is_some_and(|track| !video::stands_still(track))
}

/// The first part is one segment, so that there is soon something to play; each next one is
/// `growth` times as long, up to `part_ms`.
fn parts(duration_ms: i64, segment_ms: i64, part_ms: i64, growth: i64) -> Vec<PartRange> {
    let mut parts = Vec::new();
    let (mut start_ms, mut length_ms) = (0, segment_ms.min(part_ms));
    while start_ms < duration_ms {
        let rest_ms = duration_ms - start_ms - length_ms;
        let end_ms = if rest_ms <= MIN_LAST_PART_MS { duration_ms } else { start_ms + length_ms };
        parts.push(PartRange { index: parts.len(), start_ms, end_ms });
        start_ms = end_ms;
        length_ms = (length_ms * growth).min(part_ms);
    }
    parts
}

#[cfg(test)]
mod tests;
