//! The fields of a request's head (RFC 9110 section 5), whoever has read them.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The fields of a request's head.
#[derive(Debug, Clone, Copy)]
pub enum Fields<'a> {
    /// As hyper gives them.
    Map(&'a HeaderMap),
    /// As they stand in the head.
    Lines(&'a [httparse::Header<'a>]),
}

impl<'a> Fields<'a> {
    /// Whether there is a field `name`.
    #[must_use]
    pub fn has(&self, name: &HeaderName) -> bool {
        match self {
            Self::Map(map) => map.contains_key(name),
            Self::Lines(lines) => lines.iter().any(|line| is(line, name)),
        }
    }

    /// The first line of the field `name`, if it is plain text.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&'a str> {
        match self {
            Self::Map(map) => map.get(name).and_then(|value| value.to_str().ok()),
            Self::Lines(lines) => lines.iter().find(|line| is(line, name)).and_then(text),
        }
    }

    /// All lines of the field `name` that are plain text, in order.
    pub fn all<'n>(
        &self,
        name: &'n HeaderName,
    ) -> impl DoubleEndedIterator<Item = &'a str> + use<'a, 'n> {
        let (map, lines) = match self {
            Self::Map(map) => (Some(map.get_all(name).into_iter()), [].as_slice()),
            Self::Lines(lines) => (None, *lines),
        };
        let of_map =
            map.into_iter().flatten().filter_map(|value: &HeaderValue| value.to_str().ok());
        of_map.chain(lines.iter().filter(|line| is(line, name)).filter_map(text))
    }
}

fn is(line: &httparse::Header<'_>, name: &HeaderName) -> bool {
    line.name.eq_ignore_ascii_case(name.as_str())
}

/// The same as `HeaderValue::to_str`.
fn text<'a>(line: &httparse::Header<'a>) -> Option<&'a str> {
    let plain = line.value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    std::str::from_utf8(line.value).ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use http::header::{IF_NONE_MATCH, RANGE};

    use super::*;

    #[test]
    fn a_head_says_the_same_in_both_forms() {
        let lines = [("If-None-Match", "\"a\""), ("RANGE", "bytes=0-"), ("if-none-match", "\"b\"")];
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_static(value));
        }
        map.append("x-name", HeaderValue::from_bytes("多".as_bytes()).expect("a value"));
        let mut lines: Vec<_> = lines
            .iter()
            .map(|(name, value)| httparse::Header { name, value: value.as_bytes() })
            .collect();
        lines.push(httparse::Header { name: "X-Name", value: "多".as_bytes() });
        for fields in [Fields::Map(&map), Fields::Lines(&lines)] {
            assert_eq!(fields.get(&RANGE), Some("bytes=0-"));
            assert_eq!(fields.all(&IF_NONE_MATCH).collect::<Vec<_>>(), ["\"a\"", "\"b\""]);
            assert_eq!(fields.all(&IF_NONE_MATCH).next_back(), Some("\"b\""));
            let other = HeaderName::from_static("x-name");
            assert!(fields.has(&other) && fields.get(&other).is_none(), "not plain text");
            assert!(!fields.has(&HeaderName::from_static("x-other")));
        }
    }
}
