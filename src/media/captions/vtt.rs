//! `WebVTT` (W3C), in and out.

use std::fmt::Write as _;

use super::{Cue, Found, markup::clean, settings};

/// Reads the cues; comments, style and region blocks are passed over.
pub(super) fn parse(text: &str) -> Found {
    let mut found = Found::default();
    let mut lines = text.split('\n').peekable();
    // The header block: YouTube and others write the language there.
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        if let Some(language) = line.strip_prefix("Language:") {
            found.language = Some(language.trim().to_owned());
        }
        if line.contains("-->") {
            // A cue without the empty line before it.
            return parse(&format!(
                "WEBVTT\n\n{}",
                text.split_once('\n').map_or("", |(_, rest)| rest)
            ));
        }
    }
    while let Some(line) = lines.next() {
        if found.is_full() {
            break;
        }
        let Some((start, end)) = line.split_once("-->") else { continue };
        let mut body: Vec<&str> = Vec::new();
        // Times on the next line begin the next cue, with or without an empty line.
        while let Some(text) = lines.next_if(|line| !line.is_empty() && !line.contains("-->")) {
            body.push(text);
        }
        let end = end.trim_start();
        let (end, list) = end.split_once(char::is_whitespace).unwrap_or((end, ""));
        let times = time(start).zip(time(end));
        found.take(times, clean(&body.join("\n")), settings::valid(list));
    }
    found
}

/// A time in milliseconds: `[h:]mm:ss[.fff]`, with a comma or a point, three digits or none.
pub(super) fn time(text: &str) -> Option<u64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once([',', '.']).unwrap_or((text, "000"));
    let number = |digits: &str, most: usize| -> Option<u64> {
        let valid =
            (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        valid.then(|| digits.parse().ok())?
    };
    let mut fields = whole.rsplit(':');
    let seconds = number(fields.next()?, 2)?;
    let minutes = number(fields.next()?, 2)?;
    let hours = fields.next().map_or(Some(0), |hours| number(hours, 4))?;
    if fields.next().is_some() || seconds > 59 || minutes > 59 || fraction.len() != 3 {
        return None;
    }
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + number(fraction, 3)?)
}

/// The file.
pub(super) fn write(cues: &[Cue]) -> String {
    let mut file = String::from("WEBVTT\n");
    for cue in cues {
        let settings = cue.settings.as_deref().map_or(String::new(), |list| format!(" {list}"));
        let (start, end) = (stamp(cue.start_ms), stamp(cue.end_ms));
        // Writing to a string does not fail.
        let _ = write!(file, "\n{start} --> {end}{settings}\n{}\n", cue.text);
    }
    file
}

fn stamp(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, ms % 1000)
}
