//! Putting broken lines together again, so that words across a break can be found;
//! and one line of text from untrusted bytes.

/// Adds `next` to `text`, with a space between them unless both sides are Chinese or Japanese,
/// which have none.
pub(in crate::media) fn join(text: &mut String, next: &str) {
    let next = next.trim();
    let (Some(last), Some(first)) = (text.chars().next_back(), next.chars().next()) else {
        text.push_str(next);
        return;
    };
    // A soft hyphen is where the word was parted.
    if last == '\u{AD}' {
        text.pop();
    } else if !(last.is_whitespace() || is_ideographic(last) && is_ideographic(first)) {
        text.push(' ');
    }
    text.push_str(next);
}

/// One line without control characters; None when nothing is left.
pub(in crate::media) fn tidy(text: &str, most_chars: usize) -> Option<String> {
    let visible: String =
        text.chars().map(|c| if c.is_control() || c == '\u{FFFD}' { ' ' } else { c }).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let tidy: String = words.join(" ").chars().take(most_chars).collect();
    (!tidy.is_empty()).then_some(tidy)
}

/// Whether `c` is written without spaces to its neighbours: Han, kana, and their punctuation.
pub(in crate::media) fn is_ideographic(c: char) -> bool {
    matches!(c,
        '\u{2E80}'..='\u{30FF}'     // radicals, CJK punctuation, kana
        | '\u{3100}'..='\u{31FF}'   // bopomofo, strokes
        | '\u{3400}'..='\u{9FFF}'   // unified ideographs
        | '\u{F900}'..='\u{FAFF}'   // compatibility ideographs
        | '\u{FE30}'..='\u{FE4F}'   // vertical forms
        | '\u{FF00}'..='\u{FF60}'   // full width forms
        | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::join;

    fn joined(lines: &[&str]) -> String {
        let mut text = String::new();
        lines.iter().for_each(|line| join(&mut text, line));
        text
    }

    #[test]
    fn chinese_words_grow_together_and_others_do_not() {
        assert_eq!(
            joined(&["今天我们学习黄", "海渔民的编网技艺，", "很好"]),
            "今天我们学习黄海渔民的编网技艺，很好"
        );
        assert_eq!(
            joined(&["use Debian", "参考手册", "and", "read"]),
            "use Debian 参考手册 and read"
        );
        assert_eq!(joined(&["com\u{AD}", "munity", "", " x "]), "community x");
    }
}
