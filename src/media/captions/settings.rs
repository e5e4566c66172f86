//! `WebVTT` cue settings (W3C WebVTT section 4.4), of which only the valid ones are kept.

/// The valid settings of a list, each once, in the order they came; None when there are none.
///
/// Regions are dropped, as what they name is.
pub(super) fn valid(list: &str) -> Option<String> {
    let mut kept: Vec<(&str, &str)> = Vec::new();
    for setting in list.split_ascii_whitespace() {
        let Some((name, value)) = setting.split_once(':') else { continue };
        let known = match name {
            "vertical" => matches!(value, "rl" | "lr"),
            "align" => matches!(value, "start" | "center" | "end" | "left" | "right"),
            "size" => is_percentage(value),
            "position" => aligned(value, &["line-left", "center", "line-right"], is_percentage),
            "line" => {
                aligned(value, &["start", "center", "end"], |at| is_percentage(at) || is_line(at))
            }
            _ => false,
        };
        if known && kept.iter().all(|(before, _)| *before != name) {
            kept.push((name, value));
        }
    }
    let list: Vec<String> = kept.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    (!list.is_empty()).then(|| list.join(" "))
}

/// A value that may be followed by a comma and one of the words.
fn aligned(value: &str, words: &[&str], is_valid: impl Fn(&str) -> bool) -> bool {
    match value.split_once(',') {
        Some((value, word)) => is_valid(value) && words.contains(&word),
        None => is_valid(value),
    }
}

fn is_percentage(value: &str) -> bool {
    let Some(number) = value.strip_suffix('%') else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    number.len() <= 8
        && digits(whole)
        && digits(fraction)
        && number.parse::<f64>().is_ok_and(|number| number <= 100.0)
}

fn is_line(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
