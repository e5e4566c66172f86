//! Advanced `SubStation` Alpha (v4.00+) and SSA (v4.00): the words and when, not where.

use super::{Found, markup::Cleaned};

/// The fields of `[Events]` when the file has no `Format` line.
const FIELDS: &str = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text";

/// Reads the dialogue lines.
pub(super) fn parse(text: &str) -> Found {
    let mut found = Found::default();
    let mut in_events = !text.contains("[Events]");
    let mut fields = Fields::of(FIELDS);
    for line in text.split('\n').map(str::trim) {
        if line.starts_with('[') {
            in_events = line.eq_ignore_ascii_case("[events]");
        } else if let Some(list) = line.strip_prefix("Format:").filter(|_| in_events) {
            fields = Fields::of(list);
        } else if let Some(values) = line.strip_prefix("Dialogue:").filter(|_| in_events) {
            dialogue(values, &fields, &mut found);
        }
        if found.is_full() {
            break;
        }
    }
    found
}

/// Where the fields that count stand in a line.
struct Fields {
    count: usize,
    start: Option<usize>,
    end: Option<usize>,
    text: Option<usize>,
}

impl Fields {
    fn of(list: &str) -> Self {
        let names: Vec<String> = list.split(',').map(|name| name.trim().to_lowercase()).collect();
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        Self { count: names.len(), start: place("start"), end: place("end"), text: place("text") }
    }
}

fn dialogue(values: &str, fields: &Fields, found: &mut Found) {
    // The text is the last field and may have commas.
    let values: Vec<&str> = values.splitn(fields.count, ',').collect();
    let value = |place: Option<usize>| place.and_then(|at| values.get(at).copied());
    let times = value(fields.start).and_then(time).zip(value(fields.end).and_then(time));
    let text = clean(value(fields.text).unwrap_or_default());
    // Effects are made of many lines with one text; shown once is enough.
    let again = found
        .cues
        .iter()
        .rev()
        .take(8)
        .any(|cue| Some((cue.start_ms, cue.end_ms)) == times && cue.text == text);
    // Drawings have no text, and are no bad cues.
    if !(again || text.is_empty() && times.is_some()) {
        found.take(times, text, None);
    }
}

/// `h:mm:ss.cc`, or `h:mm:ss:cc` as some programs write it, in milliseconds.
fn time(text: &str) -> Option<u64> {
    let text = text.trim();
    let (whole, hundredths) = text.rsplit_once(['.', ':'])?;
    if hundredths.len() != 2 || !hundredths.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let has_hours = whole.matches(':').count() == 2;
    super::vtt::time(&format!("{whole}.{hundredths}0")).filter(|_| has_hours)
}

/// Clean text: `\N` breaks lines, `{\i1}` and the like become tags, drawings go.
fn clean(text: &str) -> String {
    let mut cleaned = Cleaned::default();
    let mut drawing = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '{'
            && let Some(end) = rest.find('}')
        {
            overrides(&rest[1..end], &mut cleaned, &mut drawing);
            rest = &rest[end + 1..];
            continue;
        }
        let escaped = if c == '\\' { rest.chars().nth(1) } else { None };
        let (c, length) = match escaped {
            Some('N' | 'n') => ('\n', 2),
            Some('h') => ('\u{A0}', 2),
            _ => (c, c.len_utf8()),
        };
        if !drawing {
            cleaned.push(c);
        }
        rest = &rest[length..];
    }
    cleaned.finish()
}

fn overrides(block: &str, cleaned: &mut Cleaned, drawing: &mut bool) {
    for code in block.split('\\').skip(1).map(str::trim) {
        let (name, value) = code.split_at_checked(1).unwrap_or((code, ""));
        let number = value.parse::<u32>();
        match (name, number) {
            ("i" | "u" | "b", Ok(on)) => cleaned.tag(name, on == 0),
            ("p", Ok(scale)) => *drawing = scale > 0,
            ("r", _) if value.is_empty() => cleaned.close_all(),
            _ => {}
        }
    }
}
