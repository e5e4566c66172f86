//! What a recogniser answers: `WebVTT` or `SubRip`, or a JSON object a line.

use serde::Deserialize;

use super::{Error, Said};
use crate::media::captions::{self, CaptionError, Cue, MAX_CUE_BYTES, MAX_CUES, plain};

/// No engine gives a shorter time, ms: what has none is shown for so long.
const LEAST_MS: u64 = 200;

/// A line of JSON: something that is said, or the language alone.
#[derive(Deserialize)]
struct Line {
    /// Seconds from the beginning of the piece.
    start: Option<f64>,
    /// Seconds from the beginning of the piece.
    end: Option<f64>,
    text: Option<String>,
    /// BCP 47.
    language: Option<String>,
}

/// Reads what a program wrote to its standard output. Nothing at all is an answer, too: nothing
/// was said.
pub(super) fn parse(bytes: &[u8]) -> Result<Said, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::Answer("not UTF-8".into()))?;
    let text = text.trim_start_matches('\u{FEFF}').trim();
    if text.is_empty() {
        return Ok(Said::default());
    }
    if text.starts_with('{') {
        return lines(text);
    }
    match captions::parse(text.as_bytes(), "") {
        Ok(read) => Ok(Said { language: None, cues: read.cues }),
        Err(CaptionError::Empty) => Ok(Said::default()),
        Err(error) => Err(Error::Answer(format!("{error}: {}", first_line(text)))),
    }
}

fn lines(text: &str) -> Result<Said, Error> {
    let mut said = Said::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let read: Line = serde_json::from_str(line)
            .map_err(|error| Error::Answer(format!("{error}: {}", first_line(line))))?;
        said.language = read.language.filter(|tag| is_tag(tag)).or(said.language);
        if let (Some(start), Some(end), Some(text)) = (read.start, read.end, read.text) {
            said.cues.push(cue(start, end, &text));
        }
        if said.cues.len() > MAX_CUES {
            return Err(Error::Answer("too many lines".into()));
        }
    }
    Ok(said)
}

/// Something that was said from `start` to `end`, seconds.
pub(super) fn cue(start: f64, end: f64, text: &str) -> Cue {
    // Beyond all measure or no number at all becomes 0 or a very late time.
    let ms = |seconds: f64| (seconds * 1000.0).round() as u64;
    let text = text.trim().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Cue { start_ms: ms(start), end_ms: ms(end), text: lines.join("\n"), settings: None }
}

/// The cues that can be shown, in order, within a piece that is `length_ms` long.
pub(super) fn tidy(cues: Vec<Cue>, length_ms: u64) -> Vec<Cue> {
    let within = |mut cue: Cue| {
        cue.start_ms = cue.start_ms.min(length_ms.saturating_sub(LEAST_MS));
        cue.end_ms = cue.end_ms.min(length_ms).max(cue.start_ms + LEAST_MS);
        cue
    };
    let shown = |cue: &Cue| cue.text.len() <= MAX_CUE_BYTES && !plain(cue).is_empty();
    let mut cues: Vec<Cue> = cues.into_iter().filter(shown).map(within).collect();
    cues.sort_by_key(|cue| (cue.start_ms, cue.end_ms));
    cues.truncate(MAX_CUES);
    cues
}

fn is_tag(tag: &str) -> bool {
    (1..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let json = "{\"language\":\"zh\"}\n{\"start\":0.5,\"end\":2,\"text\":\" 今天 \"}\n\
                    {\"start\":2,\"end\":3.25,\"text\":\"a < b\\n\\n-->\"}\n";
        let said = parse(json.as_bytes()).expect("read");
        assert_eq!(said.language.as_deref(), Some("zh"));
        let times: Vec<(u64, u64)> = said.cues.iter().map(|c| (c.start_ms, c.end_ms)).collect();
        assert_eq!(times, [(500, 2_000), (2_000, 3_250)]);
        assert_eq!(said.cues[1].text, "a &lt; b\n--&gt;");
        let vtt = "WEBVTT\n\n00:00.500 --> 00:02.000\n今天\n";
        assert_eq!(parse(vtt.as_bytes()).expect("read").cues[0], said.cues[0]);
    }

    #[test]
    fn nothing_said_is_an_answer_and_nonsense_is_none() {
        for nothing in ["", " \n", "WEBVTT\n\n"] {
            assert_eq!(parse(nothing.as_bytes()).expect("an answer").cues, []);
        }
        for nonsense in
            [&b"Segmentation fault"[..], b"{\"start\": ", b"\xff\xfe", b"{\"start\":1} x"]
        {
            assert!(matches!(parse(nonsense), Err(Error::Answer(_))), "{nonsense:?}");
        }
    }

    #[test]
    fn times_stay_within_the_piece() {
        let cues = vec![cue(9.0, 99.0, "b"), cue(-1.0, f64::NAN, "a"), cue(1.0, 2.0, " ")];
        let tidied = tidy(cues, 10_000);
        let times: Vec<(u64, u64)> = tidied.iter().map(|c| (c.start_ms, c.end_ms)).collect();
        assert_eq!(times, [(0, 200), (9_000, 10_000)]);
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(text in "(\\{|\\}|\"start\":|1e999|,|\"text\":\"x\"|-->|\n|WEBVTT|\\PC)*", ms in 0_u64..400_000) {
            if let Ok(said) = parse(text.as_bytes()) {
                for cue in tidy(said.cues, ms) {
                    prop_assert!(cue.start_ms < cue.end_ms && cue.end_ms <= ms.max(LEAST_MS));
                }
            }
        }
    }
}
