//! HTML of strangers, made harmless: what is not on the lists of `ammonia` is left out, and every
//! address is one of the book's own, or a link to elsewhere that a reader must follow himself.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use ammonia::{Builder, UrlRelative};

/// Where the addresses in a chapter lead.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Numbers of chapters by their files in the archive.
    pub(super) chapters: HashMap<String, u32>,
    /// Files in the archive that are pictures.
    pub(super) pictures: HashSet<String>,
    /// The numbers that pictures were given, by their files.
    pub(super) figures: Mutex<HashMap<String, u32>>,
}

impl Places {
    /// The number of the picture in this file.
    fn figure(&self, file: &str) -> Option<u32> {
        if !self.pictures.contains(file) {
            return None;
        }
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        let next = u32::try_from(figures.len()).ok()? + 1;
        Some(*figures.entry(file.to_owned()).or_insert(next))
    }
}

/// Cleans `html`, which is the file `file` of an archive, or stands alone.
pub(super) fn clean(html: &str, file: &str, places: &Arc<Places>) -> String {
    let (places, file) = (Arc::clone(places), file.to_owned());
    let mut builder = builder();
    builder.attribute_filter(move |element, attribute, value| match (element, attribute) {
        ("img", "src") => {
            let number = places.figure(&resolve(&file, value)?.0)?;
            Some(format!("../figures/{number}.webp").into())
        }
        (_, "href") => link(value, &file, &places),
        (_, "src" | "cite" | "longdesc" | "action") => None,
        _ => Some(value.into()),
    });
    builder.clean(html).to_string()
}

/// Closes what a cut left open, and leaves the rest as it is: `html` was cleaned before.
pub(super) fn balance(html: &str) -> String {
    builder().clean(html).to_string()
}

fn builder() -> Builder<'static> {
    let mut builder = Builder::default();
    builder
        .rm_tags(["map", "area"])
        .add_clean_content_tags(["title", "textarea", "select", "iframe", "noembed", "template"])
        .add_tags(["section"])
        .add_generic_attributes(["id", "dir", "lang", "title"])
        .add_tag_attributes("ol", ["start", "type", "reversed"])
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("noopener noreferrer nofollow"));
    builder
}

/// A link within its chapter, to another, or elsewhere; none to what is not there.
fn link<'a>(value: &'a str, file: &str, places: &Places) -> Option<Cow<'a, str>> {
    let value = value.trim();
    if value.starts_with('#') || has_scheme(value) {
        return Some(value.into());
    }
    let (target, anchor) = resolve(file, value)?;
    let number = places.chapters.get(&target)?;
    let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
    Some(format!("{number}.html{anchor}").into())
}

fn has_scheme(value: &str) -> bool {
    let name = value.split_once(':').map_or("", |(name, _)| name);
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// The file and the anchor that `address`, in `file`, names; None when it leads out of the archive.
pub(super) fn resolve(file: &str, address: &str) -> Option<(String, String)> {
    let (path, anchor) = address.trim().split_once('#').unwrap_or((address.trim(), ""));
    if has_scheme(path) || path.starts_with('/') {
        return None;
    }
    let path = path.split('?').next().unwrap_or_default();
    let mut steps: Vec<&str> = match path.is_empty() {
        true => file.split('/').collect(),
        false => file.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect(),
    };
    let decoded = unescape(path);
    for step in decoded.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop()?;
            }
            step => steps.push(step),
        }
    }
    Some((steps.join("/"), anchor.to_owned()))
}

/// Percent-encoding undone (RFC 3986 section 2.1).
fn unescape(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let two = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match two.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_in_the_book() {
        let found = |file: &str, address: &str| resolve(file, address).map(|found| found.0);
        assert_eq!(found("OPS/text/1.html", "../img/a%20b.png"), Some("OPS/img/a b.png".into()));
        assert_eq!(found("OPS/1.html", "2.html#x"), Some("OPS/2.html".into()));
        assert_eq!(found("OPS/1.html", "#x"), Some("OPS/1.html".into()));
        for bad in ["../../../etc/passwd", "/etc/passwd", "http://a/b", "file:///etc/passwd"] {
            assert_eq!(found("OPS/1.html", bad), None, "{bad}");
        }
    }

    #[test]
    fn nothing_that_acts_is_left() {
        let places = Arc::new(Places {
            chapters: HashMap::from([("b/2.html".into(), 2)]),
            pictures: HashSet::from(["b/p.png".to_owned()]),
            ..Places::default()
        });
        let hostile = r##"<p onclick="x()" style="position:fixed" id="a">一<script>alert(1)</script>
            <iframe src="http://e/"></iframe><img src="http://e/t.gif" onerror="x()"><img src="p.png" alt="图">
            <a href="javascript:x()">j</a><a href="2.html#q">二</a><a href="3.html">三</a><a href="#a">上</a>
            <form action="http://e/"><input name="p"></form><object data="x.swf"></object><svg onload="x()"></svg>
            <a href="data:text/html,x">d</a><meta http-equiv="refresh" content="0"><link rel="stylesheet" href="//e/">"##;
        let clean = clean(hostile, "b/1.html", &places);
        for bad in [
            "script",
            "onclick",
            "style",
            "iframe",
            "http://e",
            "onerror",
            "javascript",
            "form",
            "input",
            "object",
            "svg",
            "data:",
            "meta",
            "link",
            "//e/",
        ] {
            assert!(!clean.contains(bad), "{bad}: {clean}");
        }
        assert!(
            clean.contains(r#"src="../figures/1.webp""#) && clean.contains(r##"href="2.html#q""##)
        );
        assert!(
            clean.contains(r##"href="#a""##) && !clean.contains("3.html") && clean.contains("三")
        );
    }
}
