//! `SubRip`, which has no standard: a number, a line of times, lines of text, an empty line.

use super::{Found, markup::clean, vtt::time};

/// Reads what is well enough formed; a missing number or empty line does not matter.
pub(super) fn parse(text: &str) -> Found {
    let mut found = Found::default();
    let lines: Vec<&str> = text.split('\n').collect();
    let mut at = 0;
    while at < lines.len() && !found.is_full() {
        let Some((start, end)) = lines[at].split_once("-->") else {
            at += 1;
            continue;
        };
        let times = time(start).zip(end.split_whitespace().next().and_then(time));
        let length = text_length(&lines[at + 1..]);
        let body = lines[at + 1..=at + length].join("\n");
        found.take(times, clean(&without_overrides(&body)), None);
        at += 1 + length;
    }
    found
}

/// How many lines belong to the text: up to the next times and their number, or an empty line,
/// unless text goes on after it.
fn text_length(lines: &[&str]) -> usize {
    // Index of the line after a row of empty ones, so that each row is looked through once.
    let mut filled = 0;
    for (at, line) in lines.iter().enumerate() {
        let ends = if line.trim().is_empty() {
            if filled <= at {
                let empty = lines[at..].iter().take_while(|line| line.trim().is_empty()).count();
                filled = at + empty;
            }
            lines.get(filled).is_none_or(|next| is_number(next) || next.contains("-->"))
        } else {
            let times_next = lines.get(at + 1).is_some_and(|next| next.contains("-->"));
            line.contains("-->") || is_number(line) && times_next
        };
        if ends {
            return at;
        }
    }
    lines.len()
}

fn is_number(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.len() <= 9 && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// Without `{\an8}` and the like, which players took over from ASS.
fn without_overrides(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{\\") {
        let Some(end) = rest[start..].find('}') else { break };
        kept.push_str(&rest[..start]);
        rest = &rest[start + end + 1..];
    }
    kept + rest
}
