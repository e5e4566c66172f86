//! XML as it is written.

use std::borrow::Cow;

/// The first line of every document.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A text of XML that grows.
#[derive(Debug, Clone, Default)]
pub struct Xml(String);

impl Xml {
    /// A piece of a document.
    #[must_use]
    pub fn piece() -> Self {
        Self::default()
    }

    /// A document.
    #[must_use]
    pub fn document() -> Self {
        Self(DECLARATION.to_owned())
    }

    /// The text so far.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// Begins the element `tag`, which has `attributes`.
    pub fn open(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.start(tag, attributes);
        self.0.push('>');
    }

    /// Ends the element `tag`.
    pub fn close(&mut self, tag: &str) {
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push_str(">\n");
    }

    /// The element `tag` with `text`.
    pub fn leaf(&mut self, tag: &str, text: &str) {
        self.leaf_with(tag, &[], text);
    }

    /// The element `tag` with `attributes` and `text`.
    pub fn leaf_with(&mut self, tag: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(tag, attributes);
        self.0.push_str(&escape(text));
        self.close(tag);
    }

    /// The element `tag` with `attributes` and nothing in it.
    pub fn empty(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.start(tag, attributes);
        self.0.push_str("/>\n");
    }

    /// Whatever is well formed already.
    pub fn raw(&mut self, xml: &str) {
        self.0.push_str(xml);
    }

    fn start(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.0.push_str(&escape(value));
            self.0.push('"');
        }
    }
}

/// `text` as XML 1.0 can hold it (section 2.2 Char, section 2.4): what it cannot hold is left out.
fn escape(text: &str) -> Cow<'_, str> {
    let fits = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let plain = |c: char| fits(c) && !matches!(c, '<' | '>' | '&' | '"' | '\'' | '\r');
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars().filter(|c| fits(*c)) {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\r' => escaped.push_str("&#13;"),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::events::Event;

    use super::*;

    proptest! {
        #[test]
        fn any_text_reads_back_without_what_xml_cannot_hold(text: String) {
            let mut xml = Xml::document();
            xml.leaf_with("a", &[("b", &text)], &text);
            let written = xml.into_string();
            let mut reader = quick_xml::Reader::from_str(&written);
            loop {
                match reader.read_event() {
                    Ok(Event::Eof) => break,
                    Ok(_) => {}
                    Err(error) => prop_assert!(false, "{error}"),
                }
            }
            let holds = |c: char| c < ' ' && !"\t\r\n".contains(c) || c == '\u{ffff}';
            prop_assert!(!written.contains(holds));
        }
    }
}
