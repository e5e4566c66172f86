//! What a probe says about a source. Plain data that crosses the process border.

use serde::{Deserialize, Serialize};

use crate::timeline::{Jump, Landmark};

/// What is in a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// FFmpeg's short name of the container, e.g. `mov,mp4,m4a,3gp,3g2,mj2`.
    pub container: String,
    /// From media time 0 to the end of the longest chosen track, measured where the file lies.
    pub duration_ms: i64,
    /// The source's own time stamp at media time 0, rounded.
    pub start_ms: i64,
    /// The same in microseconds: what everything is shifted by.
    pub start_us: i64,
    /// Whole file over duration.
    pub bitrate_bps: i64,
    /// The title that the container carries.
    pub title: Option<String>,
    /// Every track, in the container's order.
    pub tracks: Vec<SourceTrack>,
    /// Chapters in media time.
    pub chapters: Vec<Chapter>,
    /// Where the source's time stamps jump.
    #[serde(default)]
    pub jumps: Vec<Jump>,
    /// Where to go in a source that jumps, by time.
    #[serde(default)]
    pub landmarks: Vec<Landmark>,
}

impl Probe {
    /// The video track to use: the default one, else the largest, among those that decode.
    #[must_use]
    pub fn best_video(&self) -> Option<&SourceTrack> {
        let area = |t: &SourceTrack| {
            t.video.as_ref().map_or(0, |v| u64::from(v.width) * u64::from(v.height))
        };
        self.tracks
            .iter()
            .filter(|t| t.kind == TrackKind::Video && t.decodable)
            .max_by_key(|t| (t.default, area(t), std::cmp::Reverse(t.index)))
    }

    /// The audio tracks that decode.
    pub fn usable_audio(&self) -> impl Iterator<Item = &SourceTrack> {
        self.tracks.iter().filter(|t| t.kind == TrackKind::Audio && t.decodable)
    }
}

/// A chapter of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// Media time.
    pub start_ms: i64,
    /// Media time.
    pub end_ms: i64,
    /// May be empty.
    pub title: String,
}

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackKind {
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
    /// Text or pictures to lay over.
    Subtitle,
    /// A still picture attached to the file.
    Cover,
    /// Data, attachments, what FFmpeg does not know.
    Other,
}

/// One track of the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceTrack {
    /// Its place in the container, from 0.
    pub index: usize,
    /// What it carries.
    pub kind: TrackKind,
    /// FFmpeg's name (`h264`, `aac`), or the four letters of the container when FFmpeg knows none.
    pub codec: String,
    /// FFmpeg's name of the profile.
    pub profile: Option<String>,
    /// BCP 47, shortest form; `None` when not said or `und`.
    pub language: Option<String>,
    /// The track's own title.
    pub title: Option<String>,
    /// To be played unless the viewer chooses otherwise.
    pub default: bool,
    /// Of sound.
    #[serde(default)]
    pub role: AudioRole,
    /// Subtitles to be shown to everybody (foreign dialogue, signs).
    pub forced: bool,
    /// Made for people who are hard of hearing.
    pub hearing_impaired: bool,
    /// A frame of it was really decoded (video, audio, cover), or there is a decoder (subtitles).
    pub decodable: bool,
    /// As measured, or as the container says.
    pub bitrate_bps: Option<i64>,
    /// For [`TrackKind::Video`] and [`TrackKind::Cover`] that were decoded.
    pub video: Option<VideoFacts>,
    /// For [`TrackKind::Audio`] that was decoded.
    pub audio: Option<AudioFacts>,
    /// Subtitles of text that [`crate::extract_subtitles`] can give.
    pub text_subtitle: bool,
    /// Subtitles of pictures that can be drawn into the frames.
    #[serde(default)]
    pub picture_subtitle: bool,
    /// First frame's media time.
    pub start_ms: i64,
    /// From the first frame's start to the last frame's end.
    pub duration_ms: i64,
}

/// What a track of sound is for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AudioRole {
    /// To be listened to.
    #[default]
    Main,
    /// In the language it was recorded in, where there are others.
    Original,
    /// Spoken anew in another language.
    Dub,
    /// Somebody talks about what is seen.
    Commentary,
    /// What is seen is told, for people who do not see it.
    Description,
}

/// A ratio, e.g. of frames to seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// Numerator.
    pub num: u32,
    /// Denominator, never 0.
    pub den: u32,
}

impl Ratio {
    /// 1:1.
    pub const ONE: Self = Self { num: 1, den: 1 };

    /// As a number.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.num) / f64::from(self.den.max(1))
    }
}

/// High dynamic range, by its transfer function (ITU-R BT.2100).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hdr {
    /// Standard dynamic range.
    None,
    /// Perceptual quantisation, SMPTE ST 2084 (HDR10, Dolby Vision).
    Pq,
    /// Hybrid log-gamma.
    Hlg,
}

/// Colour description by the code points of ISO/IEC 23091-2 (2 is "unspecified").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour {
    /// Colour primaries.
    pub primaries: u8,
    /// Transfer characteristics.
    pub transfer: u8,
    /// Matrix coefficients.
    pub matrix: u8,
    /// Samples use the whole range (0 to 255).
    pub full_range: bool,
}

impl Colour {
    /// ITU-R BT.709, limited range.
    pub const BT709: Self = Self { primaries: 1, transfer: 1, matrix: 1, full_range: false };

    /// ITU-R BT.601 with 525 lines, limited range.
    pub const BT601: Self = Self { primaries: 6, transfer: 6, matrix: 6, full_range: false };

    /// True when at least one of the three code points is given.
    #[must_use]
    pub fn is_known(&self) -> bool {
        [self.primaries, self.transfer, self.matrix].iter().any(|&c| c != 2)
    }
}

/// What is known of a video track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoFacts {
    /// As shown: after pixel shape and rotation.
    pub width: u32,
    /// As shown: after pixel shape and rotation.
    pub height: u32,
    /// As decoded.
    pub coded_width: u32,
    /// As decoded.
    pub coded_height: u32,
    /// Clockwise, 0, 90, 180 or 270 degrees, to be applied when showing.
    pub rotation: u16,
    /// To be flipped left to right, after the rotation.
    pub mirrored: bool,
    /// Shape of a decoded pixel, width to height.
    pub sar: Ratio,
    /// Frames a second, average.
    pub frame_rate: Ratio,
    /// The distance between frames changes.
    pub variable_frame_rate: bool,
    /// Most of the first frames are interlaced.
    pub interlaced: bool,
    /// FFmpeg's name, e.g. `yuv420p10le`.
    pub pixel_format: String,
    /// Bits a component.
    pub bit_depth: u32,
    /// High dynamic range.
    pub hdr: Hdr,
    /// How to read the decoded samples.
    pub colour: Colour,
    /// Frames are shown in another order than decoded.
    pub has_b_frames: bool,
    /// Longest time without a key frame; `None` when it was not measured.
    pub max_key_interval_ms: Option<i64>,
    /// Every key frame is an IDR frame with nothing shown before it that is decoded after it,
    /// as far as was looked at.
    pub closed_gops: bool,
    /// The container hides frames at the start by an edit list (ISO/IEC 14496-12 section 8.6.6).
    pub hidden_frames: bool,
    /// Time stamps can be sought (not so in elementary streams and where they jump).
    pub reliable_times: bool,
}

/// What is known of an audio track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioFacts {
    /// As decoded.
    pub channels: u32,
    /// As decoded, in Hz.
    pub sample_rate: u32,
    /// FFmpeg's name, e.g. `5.1(side)`.
    pub layout: String,
    /// Frames follow each other without holes or overlaps of 5 ms or more, as measured.
    pub regular: bool,
}
