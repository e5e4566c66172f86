//! The tree of contents of a document, as `pdftohtml -xml` writes it: the only one of poppler's
//! programs that tells it.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};
use serde::{Deserialize, Serialize};

use super::captions::lines::tidy;

pub(super) const MAX_ITEMS: usize = 10_000;
pub(super) const MAX_DEPTH: u32 = 16;
const MAX_TITLE: usize = 256;

/// A heading and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlineItem {
    /// One line.
    pub title: String,
    /// From 1.
    pub page: u32,
    /// 0 at the top.
    pub depth: u32,
}

/// The items of the `<outline>` after the last page, as far as it is well formed.
///
/// `pages` is how many the document has; items that lead elsewhere are left out. What comes
/// before the outline is the text of a page, which pdftohtml does not always nest well.
pub(super) fn parse(answer: &str, pages: u32) -> Vec<OutlineItem> {
    let after_pages = answer.rfind("</page>").map_or(answer, |at| &answer[at..]);
    let Some(start) = after_pages.find("<outline>") else { return Vec::new() };
    let mut reader = Reader::from_str(&after_pages[start..]);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;

    let mut items: Vec<OutlineItem> = Vec::new();
    let mut depth = 0_u32;
    let mut open: Option<(u32, String)> = None;
    while items.len() < MAX_ITEMS {
        match reader.read_event() {
            Ok(Event::Start(tag)) if tag.name().as_ref() == "outline" => depth += 1,
            Ok(Event::End(tag)) if tag.name().as_ref() == "outline" => {
                depth = depth.saturating_sub(1);
            }
            Ok(Event::Start(tag)) if tag.name().as_ref() == "item" => {
                open = page_of(&tag).map(|page| (page, String::new()));
            }
            Ok(Event::Text(text)) => push(&mut open, &text.xml10_content()),
            Ok(Event::GeneralRef(name)) => match name.resolve_char_ref() {
                Ok(Some(c)) => push(&mut open, c.encode_utf8(&mut [0; 4])),
                _ => push(&mut open, resolve_predefined_entity(&name).unwrap_or_default()),
            },
            Ok(Event::End(tag)) if tag.name().as_ref() == "item" => {
                let item = open.take().filter(|(page, _)| (1..=pages).contains(page));
                let Some((page, title)) = item else { continue };
                let Some(title) = tidy(&title, MAX_TITLE) else { continue };
                items.push(OutlineItem {
                    title,
                    page,
                    depth: depth.saturating_sub(1).min(MAX_DEPTH),
                });
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    items
}

fn page_of(tag: &quick_xml::events::BytesStart<'_>) -> Option<u32> {
    tag.try_get_attribute("page").ok()??.value.parse().ok()
}

fn push(open: &mut Option<(u32, String)>, text: &str) {
    if let Some((_, title)) = open
        && title.len() < 4 * MAX_TITLE
    {
        title.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{OutlineItem, parse};

    fn item(title: &str, page: u32, depth: u32) -> OutlineItem {
        OutlineItem { title: title.into(), page, depth }
    }

    #[test]
    fn nested_items_have_depths() {
        let answer = "<page><text><b><a>x</b></a> &lt;outline> </text></page>\n<outline>\n\
            <item page=\"1\">第一章 &amp; &#x4e00;</item>\n<outline>\n<item page=\"2\">甲</item>\n\
            <item page=\"9\">beyond</item>\n</outline>\n<item page=\"3\">  第二章\n</item>\n\
            <item page=\"x\">nowhere</item><item page=\"3\"> </item></outline>\n</pdf2xml>";
        assert_eq!(
            parse(answer, 8),
            [item("第一章 & 一", 1, 0), item("甲", 2, 1), item("第二章", 3, 0)]
        );
    }

    #[test]
    fn without_outline_there_is_none() {
        assert_eq!(parse("<pdf2xml><page></page></pdf2xml>", 1), []);
        assert_eq!(parse("", 1), []);
    }

    #[test]
    fn endless_nesting_ends() {
        let deep = "<outline><item page=\"1\">x</item>".repeat(40_000);
        let items = parse(&deep, 1);
        assert_eq!(items.len(), 10_000);
        assert!(items.iter().all(|item| item.depth <= 16));
    }

    proptest! {
        #[test]
        fn anything_is_read_without_panic(text in "(<outline>|</outline>|<item page=\"1\">|</item>|&amp;|&#0;|<|&|\\PC)*") {
            for item in parse(&text, 1) {
                prop_assert!(!item.title.is_empty() && item.page == 1);
            }
        }
    }
}
