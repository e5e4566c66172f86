//! Text tracks inside the source, as plain cues.

use std::collections::BTreeMap;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::decoder::Opened;
use ffmpeg_next::ffi;
use ffmpeg_next::{Packet, Rational};
use serde::{Deserialize, Serialize};

use crate::plan::{Plan, SubtitlePlan};
use crate::time::ticks;
use crate::{Error, Input};

/// More cues of a track than this are left out.
const MAX_CUES: usize = 50_000;
/// Bytes of a cue's text.
const MAX_CUE_BYTES: usize = 8 << 10;
/// For text without an end.
const DEFAULT_MS: i64 = 3_000;

/// The text of one track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedSubtitles {
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
    /// By start.
    pub cues: Vec<Cue>,
}

/// Text that is shown for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// Media time.
    pub start_ms: i64,
    /// Media time, later than the start.
    pub end_ms: i64,
    /// Plain; lines end in `\n`.
    pub text: String,
}

/// Takes the plan's text tracks out of the source.
///
/// # Errors
///
/// [`Error::Ffmpeg`] when the source cannot be read. A track that does not decode has no cues.
pub fn extract_subtitles(input: &mut Input, plan: &Plan) -> Result<Vec<EmbeddedSubtitles>, Error> {
    if plan.subtitles.is_empty() {
        return Ok(Vec::new());
    }
    input.rewind()?;
    input.follow(&plan.jumps);
    let mut readers = BTreeMap::new();
    for wanted in &plan.subtitles {
        let stream = input.context().stream(wanted.track);
        let stream = stream.ok_or_else(|| Error::plan(format!("no track {}", wanted.track)))?;
        let base = stream.time_base();
        if let Ok(decoder) = input.decoder(wanted.track, 1) {
            readers.insert(wanted.track, Reader { decoder, base, cues: Vec::new() });
        }
    }
    let tracks: Vec<usize> = readers.keys().copied().collect();
    input.select(&tracks);
    let mut packet = Packet::empty();
    loop {
        match input.read(&mut packet) {
            Ok(()) => {
                if let Some(reader) = readers.get_mut(&packet.stream()) {
                    reader.packet(&packet, plan.start_us);
                }
            }
            Err(ffmpeg::Error::InvalidData) => {}
            Err(_) => break,
        }
    }
    let result = |wanted: &SubtitlePlan| {
        let cues = readers.remove(&wanted.track).map(|reader| reader.cues).unwrap_or_default();
        embedded(wanted, cues, plan.duration_ms)
    };
    Ok(plan.subtitles.iter().map(result).collect())
}

fn embedded(plan: &SubtitlePlan, mut cues: Vec<Cue>, duration_ms: i64) -> EmbeddedSubtitles {
    for cue in &mut cues {
        cue.start_ms = cue.start_ms.max(0);
        cue.end_ms = cue.end_ms.min(duration_ms);
    }
    cues.retain(|cue| cue.start_ms < cue.end_ms);
    cues.sort_by_key(|cue| cue.start_ms);
    EmbeddedSubtitles {
        track: plan.track,
        language: plan.language.clone(),
        title: plan.title.clone(),
        forced: plan.forced,
        hearing_impaired: plan.hearing_impaired,
        cues,
    }
}

struct Reader {
    decoder: Opened,
    base: Rational,
    cues: Vec<Cue>,
}

impl Reader {
    fn packet(&mut self, packet: &Packet, start_us: i64) {
        let Some(stamp) = packet.pts().or(packet.dts()) else { return };
        if self.cues.len() >= MAX_CUES {
            return;
        }
        // Matroska's text is UTF-8; anything else is no text, whatever the track is called.
        let webvtt = self.decoder.id() == ffmpeg::codec::Id::WEBVTT;
        if webvtt && std::str::from_utf8(packet.data().unwrap_or_default()).is_err() {
            return;
        }
        let Some(decoded) = decode(&mut self.decoder, packet) else { return };
        let ms = |stamp| ticks(stamp, self.base, start_us, 1_000);
        let start_ms = ms(stamp) + decoded.start_ms;
        let lasts_ms = match (packet.duration(), decoded.end_ms - decoded.start_ms) {
            (duration, _) if duration > 0 => ms(stamp.saturating_add(duration)) - ms(stamp),
            (_, shown) if shown > 0 => shown,
            _ => DEFAULT_MS,
        };
        for text in decoded.texts {
            self.cues.push(Cue { start_ms, end_ms: start_ms.saturating_add(lasts_ms), text });
        }
    }
}

struct Decoded {
    start_ms: i64,
    end_ms: i64,
    texts: Vec<String>,
}

/// Decodes one packet; FFmpeg's text decoders all answer in ASS.
#[expect(unsafe_code, reason = "the safe wrapper panics on texts that are not UTF-8")]
fn decode(decoder: &mut Opened, packet: &Packet) -> Option<Decoded> {
    use ffmpeg::packet::Ref as _;
    // SAFETY: AVSubtitle is plain data that FFmpeg fills; rects are read before it is freed.
    unsafe {
        let mut subtitle: ffi::AVSubtitle = std::mem::zeroed();
        let mut got = 0;
        let pointer = packet.as_ptr().cast_mut();
        let code = ffi::avcodec_decode_subtitle2(
            decoder.as_mut_ptr(),
            &raw mut subtitle,
            &raw mut got,
            pointer,
        );
        if code < 0 || got == 0 {
            return None;
        }
        let mut texts = Vec::new();
        for i in 0..subtitle.num_rects as usize {
            let rect = &**subtitle.rects.add(i);
            let (text, ass) =
                if rect.ass.is_null() { (rect.text, false) } else { (rect.ass, true) };
            if text.is_null() {
                continue;
            }
            let text = std::ffi::CStr::from_ptr(text).to_string_lossy();
            let text = if ass { plain(dialogue(&text)) } else { text.trim().to_owned() };
            if !text.is_empty() && text.len() <= MAX_CUE_BYTES {
                texts.push(text);
            }
        }
        let decoded = Decoded {
            start_ms: i64::from(subtitle.start_display_time),
            end_ms: i64::from(subtitle.end_display_time),
            texts,
        };
        ffi::avsubtitle_free(&raw mut subtitle);
        Some(decoded)
    }
}

/// The text of FFmpeg's ASS line: after `ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,`.
fn dialogue(line: &str) -> &str {
    line.splitn(9, ',').nth(8).unwrap_or("")
}

/// Text without ASS codes: `{...}` goes, `\N` and `\n` end lines, drawings are no text.
fn plain(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut drawing = false;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '\\']) {
        if !drawing {
            result.push_str(&rest[..at]);
        }
        let tail = &rest[at..];
        rest = if tail.starts_with('{') {
            // A code without an end reaches to the end.
            let end = tail.find('}').unwrap_or(tail.len());
            drawing = draws(&tail[1..end]).unwrap_or(drawing);
            tail.get(end + 1..).unwrap_or_default()
        } else {
            let (text, used) = escape(tail);
            if !drawing {
                result.push_str(text);
            }
            &tail[used..]
        };
    }
    if !drawing {
        result.push_str(rest);
    }
    let lines: Vec<&str> = result.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines.join("\n")
}

/// Does an override block switch drawing on or off (`\p1`, `\p0`)?
fn draws(block: &str) -> Option<bool> {
    let levels = block.split('\\').filter_map(|code| code.strip_prefix('p'));
    levels.filter_map(|level| level.trim().parse::<u32>().ok()).next_back().map(|level| level > 0)
}

/// What a backslash and the letter behind it mean, and how many bytes they take.
fn escape(text: &str) -> (&str, usize) {
    match text.as_bytes().get(1) {
        Some(b'N' | b'n') => ("\n", 2),
        Some(b'h') => (" ", 2),
        Some(b'{') => ("{", 2),
        Some(b'}') => ("}", 2),
        _ => ("\\", 1),
    }
}

/// For `fuzz`.
#[cfg(fuzzing)]
pub(crate) fn look(line: &str) {
    let text = plain(dialogue(line));
    assert!(text.len() <= line.len());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_go_and_text_stays() {
        let cases = [
            (r"{\an8\fs20}渔民的{\b1}编网{\b0}技艺", "渔民的编网技艺"),
            (r"one\Ntwo\hthree", "one\ntwo three"),
            (r"{\p1}m 0 0 l 100 0 100 100{\p0}text", "text"),
            (r"{\pos(10,20)}here", "here"),
            ("{open", ""),
            ("text {open", "text"),
            (r"a\b", r"a\b"),
            ("  \n x \n", "x"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text}");
        }
        assert_eq!(dialogue("0,0,Default,,0,0,0,,a, b"), "a, b");
        assert_eq!(dialogue("broken"), "");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = plain(&text);
            let _ = plain(dialogue(&text));
        }
    }
}
