//! The tracks as the container describes them.

use ffmpeg_next as ffmpeg;
use ffmpeg_next::ffi;
use ffmpeg_next::format::stream::{Disposition, Stream};
use ffmpeg_next::media::Type;

use crate::facts::{AudioRole, SourceTrack, TrackKind};
use crate::input::allows_codec;
use crate::{Input, language, time};

/// Subtitles that are text.
const TEXT: [&str; 6] = ["subrip", "ass", "ssa", "mov_text", "webvtt", "text"];

/// Subtitles that are pictures.
const PICTURES: [&str; 3] = ["hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"];

/// Titles are cut to so many characters.
const MAX_TEXT: usize = 1_024;

pub(super) fn list(input: &Input) -> Vec<SourceTrack> {
    input.context().streams().map(|stream| track(&stream)).collect()
}

fn track(stream: &Stream) -> SourceTrack {
    let codec = codec_name(stream);
    let kind = kind(stream);
    let says = stream.disposition();
    let metadata = stream.metadata();
    let text_subtitle = kind == TrackKind::Subtitle && TEXT.contains(&codec.as_str());
    let bit_rate = stream.parameters().bit_rate();
    SourceTrack {
        index: stream.index(),
        kind,
        profile: profile(stream),
        language: metadata.get("language").and_then(language::bcp47),
        title: metadata.get("title").and_then(text),
        default: says.contains(Disposition::DEFAULT),
        role: role(says),
        forced: says.contains(Disposition::FORCED),
        hearing_impaired: says.contains(Disposition::HEARING_IMPAIRED),
        decodable: text_subtitle && allows_codec(&codec),
        bitrate_bps: (bit_rate > 0).then_some(bit_rate),
        video: None,
        audio: None,
        text_subtitle: text_subtitle && allows_codec(&codec),
        picture_subtitle: kind == TrackKind::Subtitle && PICTURES.contains(&codec.as_str()),
        start_ms: 0,
        duration_ms: claimed_us(stream).map_or(0, |us| us / 1_000),
        codec,
    }
}

fn role(says: Disposition) -> AudioRole {
    if says.intersects(Disposition::VISUAL_IMPAIRED | Disposition::DESCRIPTIONS) {
        AudioRole::Description
    } else if says.contains(Disposition::COMMENT) {
        AudioRole::Commentary
    } else if says.contains(Disposition::DUB) {
        AudioRole::Dub
    } else if says.contains(Disposition::ORIGINAL) {
        AudioRole::Original
    } else {
        AudioRole::Main
    }
}

fn kind(stream: &Stream) -> TrackKind {
    let picture = Disposition::ATTACHED_PIC;
    match stream.parameters().medium() {
        Type::Video if stream.disposition().contains(picture) => TrackKind::Cover,
        Type::Video => TrackKind::Video,
        Type::Audio => TrackKind::Audio,
        Type::Subtitle => TrackKind::Subtitle,
        _ => TrackKind::Other,
    }
}

/// What the container claims that the track lasts, in microseconds.
pub(super) fn claimed_us(stream: &Stream) -> Option<i64> {
    let duration = stream.duration();
    (duration > 0).then(|| time::micros(duration, stream.time_base()))
}

/// FFmpeg's name, or the container's four letters where FFmpeg has no name.
fn codec_name(stream: &Stream) -> String {
    let parameters = stream.parameters();
    if parameters.id() != ffmpeg::codec::Id::None {
        return parameters.id().name().to_owned();
    }
    #[expect(unsafe_code, reason = "the tag has no safe getter")]
    // SAFETY: the parameters belong to the stream that is borrowed.
    let tag = unsafe { (*parameters.as_ptr()).codec_tag };
    let letters = tag.to_le_bytes();
    if letters.iter().all(u8::is_ascii_graphic) {
        letters.iter().map(|&b| char::from(b)).collect()
    } else {
        "unknown".to_owned()
    }
}

#[expect(unsafe_code, reason = "FFmpeg's names of profiles have no safe getter")]
fn profile(stream: &Stream) -> Option<String> {
    let parameters = stream.parameters();
    // SAFETY: the parameters belong to the stream that is borrowed; the name is a constant.
    unsafe {
        let parameters = &*parameters.as_ptr();
        let name = ffi::avcodec_profile_name(parameters.codec_id, parameters.profile);
        (!name.is_null()).then(|| std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}

/// Clean text of a container, or nothing.
pub(super) fn text(text: &str) -> Option<String> {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

/// Rotation in clockwise degrees and whether to mirror, from the display matrix (ISO/IEC 14496-12
/// section 8.3.2), else from what some phones write instead.
pub(super) fn turn(stream: &Stream) -> (u16, bool) {
    let matrix = stream
        .side_data()
        .find(|data| data.kind() == ffmpeg::packet::side_data::Type::DisplayMatrix)
        .and_then(|data| matrix_turn(data.data()));
    matrix.unwrap_or_else(|| (said_turn(stream), false))
}

fn matrix_turn(bytes: &[u8]) -> Option<(u16, bool)> {
    let entry = |i: usize| {
        let bytes = bytes.get(i * 4..i * 4 + 4)?;
        Some(i64::from(i32::from_ne_bytes(bytes.try_into().ok()?)))
    };
    // A point (x, y) goes to (a x + c y, b x + d y).
    let (a, b, c, d) = (entry(0)?, entry(1)?, entry(3)?, entry(4)?);
    let straight = a.abs() + d.abs() >= b.abs() + c.abs();
    Some(match (straight, a < 0, d < 0, b < 0, c < 0) {
        (true, false, false, ..) => (0, false),
        (true, true, true, ..) => (180, false),
        (true, true, false, ..) => (0, true),
        (true, false, true, ..) => (180, true),
        (false, _, _, false, true) => (90, false),
        (false, _, _, true, false) => (270, false),
        (false, _, _, false, false) => (90, true),
        (false, _, _, true, true) => (270, true),
    })
}

fn said_turn(stream: &Stream) -> u16 {
    let metadata = stream.metadata();
    let title = metadata.get("title").and_then(|t| t.strip_prefix("htc_video_rotA-"));
    let said = metadata.get("rotate").or(title);
    let degrees = said.and_then(|d| d.trim().parse::<i32>().ok()).unwrap_or(0).rem_euclid(360);
    match degrees {
        90 => 90,
        180 => 180,
        270 => 270,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(a: i32, b: i32, c: i32, d: i32) -> Vec<u8> {
        let one = 0x1_0000;
        [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 0x4000_0000]
            .iter()
            .flat_map(|m: &i32| m.to_ne_bytes())
            .collect()
    }

    #[test]
    fn the_eight_orientations() {
        let cases = [
            ((1, 0, 0, 1), (0, false)),
            ((0, 1, -1, 0), (90, false)),
            ((-1, 0, 0, -1), (180, false)),
            ((0, -1, 1, 0), (270, false)),
            ((-1, 0, 0, 1), (0, true)),
            ((0, 1, 1, 0), (90, true)),
            ((1, 0, 0, -1), (180, true)),
            ((0, -1, -1, 0), (270, true)),
        ];
        for ((a, b, c, d), expected) in cases {
            assert_eq!(matrix_turn(&matrix(a, b, c, d)), Some(expected), "{a} {b} {c} {d}");
        }
        assert_eq!(matrix_turn(&[0; 5]), None);
    }
}
