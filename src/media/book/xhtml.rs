//! XHTML as HTML: what XML writes in another way (`<a/>`, `<title/>`, CDATA) would be misread.

use std::fmt::Write as _;

use quick_xml::events::{BytesStart, Event};

use crate::media::xml;

/// Elements of HTML that have no end tag.
const VOID: &[&str] =
    &["br", "hr", "img", "wbr", "col", "input", "meta", "link", "base", "area", "source"];

/// The body of `text` as HTML; pictures within SVG become pictures of HTML. None when it is not well
/// formed: then it may be HTML already.
///
/// # Errors
///
/// [`xml::Error::Declarations`] and [`xml::Error::Deep`].
pub(super) fn to_html(text: &str, max_depth: usize) -> Result<Option<String>, xml::Error> {
    let mut out = String::with_capacity(text.len());
    let (mut inside_head, mut inside_svg) = (0_usize, 0_usize);
    let walked = xml::walk(text, max_depth, |event| match event {
        Event::Start(tag) | Event::Empty(tag) => {
            let name = tag.local_name().as_ref().to_ascii_lowercase();
            let opens = matches!(event, Event::Start(_));
            match name.as_str() {
                "head" | "script" | "style" => inside_head += usize::from(opens),
                "svg" => inside_svg += usize::from(opens),
                "image" if inside_svg > 0 => picture(&mut out, tag),
                "html" | "body" => {}
                _ if inside_head > 0 || inside_svg > 0 => {}
                name => {
                    open(&mut out, name, tag);
                    if !opens && !VOID.contains(&name) {
                        let _ = write!(out, "</{name}>");
                    }
                }
            }
        }
        Event::End(tag) => {
            let name = tag.local_name().as_ref().to_ascii_lowercase();
            match name.as_str() {
                "head" | "script" | "style" => inside_head = inside_head.saturating_sub(1),
                "svg" => inside_svg = inside_svg.saturating_sub(1),
                "html" | "body" => {}
                _ if inside_head > 0 || inside_svg > 0 => {}
                name if VOID.contains(&name) => {}
                name => {
                    let _ = write!(out, "</{name}>");
                }
            }
        }
        Event::Text(text) if inside_head == 0 && inside_svg == 0 => {
            push_escaped(&mut out, &text.xml10_content());
        }
        Event::CData(text) if inside_head == 0 && inside_svg == 0 => push_escaped(&mut out, text),
        Event::GeneralRef(name) if inside_head == 0 && inside_svg == 0 => {
            let name: &str = name;
            if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#') {
                let _ = write!(out, "&{name};");
            }
        }
        _ => {}
    });
    match walked {
        Ok(()) => Ok(Some(out)),
        Err(xml::Error::Malformed(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn open(out: &mut String, name: &str, tag: &BytesStart<'_>) {
    let _ = write!(out, "<{name}");
    for attribute in tag.attributes().with_checks(false).flatten() {
        let key = attribute.key.as_ref();
        let key = if key == "xml:lang" { "lang" } else { key };
        if key.contains(':') || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            continue;
        }
        let _ = write!(out, " {key}=\"{}\"", quoted(&xml::text_of(&attribute.value)));
    }
    out.push('>');
}

fn picture(out: &mut String, tag: &BytesStart<'_>) {
    if let Some(source) = xml::attribute(tag, "href") {
        let _ = write!(out, "<img src=\"{}\" alt=\"\">", quoted(&source));
    }
}

fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_writes_otherwise_is_html_afterwards() {
        let html = |text: &str| to_html(text, 256).expect("allowed").expect("well formed");
        assert_eq!(
            html(
                "<html><head><title/></head><body><a id='x'/><p>一&nbsp;&amp; 二<br/></p></body></html>"
            ),
            "<a id=\"x\"></a><p>一&nbsp;&amp; 二<br></p>"
        );
        assert_eq!(
            html("<svg:svg xmlns:xlink='x'><svg:image xlink:href='c.jpg'/></svg:svg>"),
            "<img src=\"c.jpg\" alt=\"\">"
        );
        assert_eq!(html("<p><![CDATA[<b>]]></p>"), "<p>&lt;b&gt;</p>");
    }

    #[test]
    fn entities_of_strangers_and_depth_are_refused() {
        let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><x>&b;</x>";
        assert_eq!(to_html(laughs, 256), Err(xml::Error::Declarations));
        let outside = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>";
        assert_eq!(to_html(outside, 256), Err(xml::Error::Declarations));
        let plain = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.1//EN\" \"http://www.w3.org/a.dtd\"><p>x</p>";
        assert_eq!(to_html(plain, 256), Ok(Some("<p>x</p>".into())));
        assert_eq!(to_html(&"<b>".repeat(300), 256), Err(xml::Error::Deep));
    }
}
