//! Captions as people upload them, to captions as browsers want them: `SubRip`, `WebVTT` and
//! ASS/SSA in, our own clean `WebVTT` out. Plain functions over bytes.

mod ass;
mod charset;
pub(in crate::media) mod language;
pub(in crate::media) mod lines;
mod markup;
mod settings;
mod srt;
mod vtt;

use serde::{Deserialize, Serialize};

pub(crate) use charset::decode;
pub use language::of_text as language_of;
pub use markup::plain;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 10 << 20;

/// The most cues of a file.
pub const MAX_CUES: usize = 50_000;

/// The longest text of a cue, in bytes of clean text.
pub const MAX_CUE_BYTES: usize = 8 << 10;

/// No time is later, in milliseconds: 100 hours, less one.
const MAX_MS: u64 = 100 * 3_600_000 - 1;

/// The cues of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captions {
    /// By start, then by end; they may overlap.
    pub cues: Vec<Cue>,
    /// BCP 47: `zh-Hans`, `zh-Hant`, `en`, ... by the file's own word, its name, or its letters.
    pub language_guess: Option<String>,
    /// Cues that were left out: bad times, no text, too long.
    pub dropped: usize,
}

/// A text and when it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// From the start of the media.
    pub start_ms: u64,
    /// After `start_ms`.
    pub end_ms: u64,
    /// Clean `WebVTT` cue text: lines, `<i> <b> <u> <ruby> <rt>` well nested, `&amp; &lt; &gt;`.
    pub text: String,
    /// Valid `WebVTT` cue settings.
    pub settings: Option<String>,
}

/// Reads captions; `name` is the file's, for its language: the format is told by the content.
///
/// # Errors
///
/// [`CaptionError`] when there is no cue that can be shown, or more than allowed.
pub fn parse(bytes: &[u8], name: &str) -> Result<Captions, CaptionError> {
    if bytes.len() > MAX_BYTES {
        return Err(CaptionError::TooLarge(bytes.len()));
    }
    let text = charset::decode(bytes).ok_or(CaptionError::NotText)?;
    if text.trim().is_empty() {
        return Err(CaptionError::Empty);
    }
    // One kind of line end, as WebVTT section 6.1 does it.
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{FFFD}");
    let found = match Format::of(&text) {
        Some(Format::Vtt) => vtt::parse(&text),
        Some(Format::Srt) => srt::parse(&text),
        Some(Format::Ass) => ass::parse(&text),
        None => return Err(CaptionError::Unknown),
    };
    collect(found, name)
}

/// The captions as `WebVTT` (W3C), UTF-8 without byte order mark.
pub fn to_webvtt(captions: &Captions) -> String {
    vtt::write(&captions.cues)
}

/// Why captions cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptionError {
    /// More than [`MAX_BYTES`].
    #[error("the caption file has {0} bytes, {MAX_BYTES} are allowed")]
    TooLarge(usize),
    /// Nothing in it, or nothing but a header.
    #[error("the caption file is empty")]
    Empty,
    /// Bytes that are no text in any encoding known here.
    #[error("the caption file is not text")]
    NotText,
    /// Text, but no times.
    #[error("the file is no SRT, WebVTT or ASS")]
    Unknown,
    /// More than [`MAX_CUES`].
    #[error("the caption file has more than {MAX_CUES} cues")]
    TooManyCues,
    /// There are cues, and none of them can be shown.
    #[error("none of the {0} cues has both valid times and text")]
    NoCues(usize),
}

impl CaptionError {
    /// A short name that the pages can translate.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too_large",
            Self::Empty => "empty",
            Self::NotText => "not_text",
            Self::Unknown => "unknown",
            Self::TooManyCues => "too_many_cues",
            Self::NoCues(_) => "no_cues",
        }
    }
}

/// What a reader of one format found.
#[derive(Default)]
struct Found {
    cues: Vec<Cue>,
    /// Cues with bad times.
    bad: usize,
    /// What the file says of its language.
    language: Option<String>,
}

impl Found {
    /// Takes a cue with clean text; without times or with none to show for, it is bad.
    fn take(&mut self, times: Option<(u64, u64)>, text: String, settings: Option<String>) {
        match times {
            Some((start_ms, end_ms)) if start_ms < end_ms && end_ms <= MAX_MS => {
                self.cues.push(Cue { start_ms, end_ms, text, settings });
            }
            _ => self.bad += 1,
        }
    }

    fn is_full(&self) -> bool {
        self.cues.len() + self.bad > MAX_CUES
    }
}

fn collect(found: Found, name: &str) -> Result<Captions, CaptionError> {
    if found.is_full() {
        return Err(CaptionError::TooManyCues);
    }
    let all = found.cues.len() + found.bad;
    let shown = |cue: &Cue| cue.text.len() <= MAX_CUE_BYTES && !plain(cue).is_empty();
    let mut cues: Vec<Cue> = found.cues.into_iter().filter(shown).collect();
    if cues.is_empty() {
        return Err(if all == 0 { CaptionError::Empty } else { CaptionError::NoCues(all) });
    }
    cues.sort_by_key(|cue| (cue.start_ms, cue.end_ms));
    let stated = found.language.as_deref().and_then(language::of_tag);
    let language_guess = stated.or_else(|| language::guess(name, &cues));
    Ok(Captions { dropped: all - cues.len(), language_guess, cues })
}

/// For `fuzz`.
#[cfg(fuzzing)]
pub(super) fn look(tag: &str) {
    let _ = language::of_tag(tag);
    let _ = language::guess(tag, &[]);
    let _ = settings::valid(tag);
}

enum Format {
    Vtt,
    Srt,
    Ass,
}

impl Format {
    fn of(text: &str) -> Option<Self> {
        if text
            .strip_prefix("WEBVTT")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n']))
        {
            return Some(Self::Vtt);
        }
        let starts = |with: &str| text.lines().any(|line| line.trim_start().starts_with(with));
        if starts("[Script Info]") || starts("[Events]") || starts("Dialogue:") {
            return Some(Self::Ass);
        }
        text.contains("-->").then_some(Self::Srt)
    }
}

#[cfg(test)]
mod tests;
