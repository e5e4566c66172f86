//! The package document of an EPUB (EPUB 3.3 section 5, OPF 2.0.1) and its tables of contents.

use std::collections::HashMap;

use quick_xml::events::Event;

use super::clean::resolve;
use super::{Error, MAX_CONTENTS, MAX_DEPTH, MAX_TITLE};
use crate::media::captions::language::of_tag;
use crate::media::captions::lines::tidy;
use crate::media::xml;

/// What the package document says.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) title: Option<String>,
    pub(super) author: Option<String>,
    pub(super) language: Option<String>,
    pub(super) right_to_left: bool,
    /// Files by their ids.
    pub(super) items: HashMap<String, Item>,
    /// Ids of what is read, in order.
    pub(super) spine: Vec<String>,
    /// Id of the cover's picture, or of the table of contents of EPUB 2.
    pub(super) cover: Option<String>,
    pub(super) ncx: Option<String>,
}

/// A file of the package.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// In the archive.
    pub(super) file: String,
    pub(super) media_type: String,
    pub(super) properties: String,
}

impl Package {
    /// Reads the package document, which is the file `file`.
    pub(super) fn parse(text: &str, file: &str, max_depth: usize) -> Result<Self, Error> {
        let mut package = Self::default();
        let (mut authors, mut languages) = (Vec::new(), Vec::new());
        let (mut inside, mut said) = (String::new(), String::new());
        let walked = xml::walk(text, max_depth, |event| match event {
            Event::Start(tag) | Event::Empty(tag) => {
                let value = |name: &str| xml::attribute(tag, name);
                match tag.local_name().as_ref() {
                    name @ ("title" | "creator" | "language") => {
                        name.clone_into(&mut inside);
                        said.clear();
                    }
                    "meta" if value("name").is_some_and(|name| name == "cover") => {
                        package.cover = value("content");
                    }
                    "item" => package.add_item(file, value),
                    "spine" => {
                        package.ncx = value("toc");
                        let direction = value("page-progression-direction");
                        package.right_to_left = direction.is_some_and(|way| way == "rtl");
                    }
                    "itemref" if value("linear").is_none_or(|linear| linear != "no") => {
                        package.spine.extend(value("idref"));
                    }
                    _ => {}
                }
            }
            Event::End(tag) if tag.local_name().as_ref() == inside => {
                if let Some(text) = tidy(&xml::text_of(&said), MAX_TITLE) {
                    match inside.as_str() {
                        "title" => {
                            package.title.get_or_insert(text);
                        }
                        "creator" => authors.push(text),
                        _ => languages.push(text),
                    }
                }
                inside.clear();
            }
            Event::Text(text) if !inside.is_empty() => said.push_str(&text.xml10_content()),
            Event::GeneralRef(name) if !inside.is_empty() => {
                let name: &str = name;
                said.push_str(&format!("&{name};"));
            }
            _ => {}
        });
        walked?;
        package.language = languages.iter().find_map(|tag| of_tag(tag));
        package.author = tidy(&authors.join("、"), MAX_TITLE);
        Ok(package)
    }

    fn add_item(&mut self, file: &str, value: impl Fn(&str) -> Option<String>) {
        let (Some(id), Some(href)) = (value("id"), value("href")) else { return };
        let Some((file, _)) = resolve(file, &href) else { return };
        let media_type = value("media-type").unwrap_or_default();
        let properties = value("properties").unwrap_or_default();
        self.items.insert(id, Item { file, media_type, properties });
    }

    /// The navigation document of EPUB 3.
    pub(super) fn nav(&self) -> Option<&Item> {
        self.with_property("nav")
    }

    /// The table of contents of EPUB 2.
    pub(super) fn ncx(&self) -> Option<&Item> {
        let is_ncx = |item: &&Item| item.media_type == "application/x-dtbncx+xml";
        let named = self.ncx.as_ref().and_then(|id| self.items.get(id));
        named.or_else(|| self.items.values().find(is_ncx))
    }

    /// The picture of the cover.
    pub(super) fn cover(&self) -> Option<&Item> {
        let is_picture = |item: &&Item| item.media_type.starts_with("image/");
        let named = self.cover.as_ref().and_then(|id| self.items.get(id)).filter(is_picture);
        self.with_property("cover-image").or(named)
    }

    fn with_property(&self, property: &str) -> Option<&Item> {
        let has = |item: &&Item| item.properties.split_whitespace().any(|word| word == property);
        self.items.values().find(has)
    }
}

/// An entry of a table of contents.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) title: String,
    /// In the archive.
    pub(super) file: String,
    pub(super) anchor: String,
    pub(super) depth: u32,
}

/// The entries of a navigation document (`nav` with `ol`, of the kind `toc`) or of an NCX
/// (`navMap`), which is the file `file`.
pub(super) fn entries(text: &str, file: &str, max_depth: usize) -> Result<Vec<Entry>, Error> {
    let mut reading = Reading { file, ..Reading::default() };
    xml::walk(text, max_depth, |event| reading.see(event))?;
    Ok(reading.entries)
}

#[derive(Default)]
struct Reading<'a> {
    file: &'a str,
    entries: Vec<Entry>,
    /// Within the table, not another one such as that of pages.
    inside: bool,
    depth: u32,
    address: Option<String>,
    /// Text is that of a title.
    titled: bool,
    title: String,
}

impl Reading<'_> {
    fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "nav" => {
                    let kind = xml::attribute(tag, "type").unwrap_or_default();
                    self.inside = kind.split_whitespace().any(|word| word == "toc");
                }
                "navMap" => self.inside = true,
                "ol" | "navPoint" if self.inside && matches!(event, Event::Start(_)) => {
                    self.depth += 1;
                }
                "a" if self.inside => {
                    self.address = xml::attribute(tag, "href");
                    self.begin_title();
                }
                "text" if self.inside => self.begin_title(),
                "content" if self.inside => {
                    self.address = xml::attribute(tag, "src");
                    self.add();
                }
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "nav" | "navMap" => self.inside = false,
                "ol" | "navPoint" => self.depth = self.depth.saturating_sub(1),
                "a" if self.titled => self.add(),
                "text" => self.titled = false,
                _ => {}
            },
            Event::Text(text) if self.titled => self.title.push_str(&text.xml10_content()),
            Event::GeneralRef(name) if self.titled => {
                let name: &str = name;
                self.title.push_str(&xml::text_of(&format!("&{name};")));
            }
            _ => {}
        }
    }

    fn begin_title(&mut self) {
        self.titled = true;
        self.title.clear();
    }

    fn add(&mut self) {
        self.titled = false;
        let place = self.address.take().and_then(|address| resolve(self.file, &address));
        let (Some((file, anchor)), Some(title)) = (place, tidy(&self.title, MAX_TITLE)) else {
            return;
        };
        if self.entries.len() < MAX_CONTENTS {
            let depth = self.depth.saturating_sub(1).min(MAX_DEPTH);
            self.entries.push(Entry { title, file, anchor, depth });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_of_contents_are_read() {
        let nav = r#"<nav epub:type="landmarks"><ol><li><a href="x.html">no</a></li></ol></nav>
            <nav epub:type="toc"><h1>目录</h1><ol><li><a href="a.html">一 &amp; <b>二</b></a>
            <ol><li><a href="a.html#s">三</a></li></ol></li></ol></nav>"#;
        let ncx = r#"<ncx><docTitle><text>no</text></docTitle><navMap><navPoint><navLabel><text>一 &amp; 二</text></navLabel>
            <content src="a.html"/><navPoint><navLabel><text>三</text></navLabel><content src="a.html#s"/></navPoint></navPoint></navMap></ncx>"#;
        let expected = |title: &str, anchor: &str, depth| Entry {
            title: title.into(),
            file: "b/a.html".into(),
            anchor: anchor.into(),
            depth,
        };
        for text in [nav, ncx] {
            let found = entries(text, "b/toc", 99).expect("read");
            assert_eq!(found, [expected("一 & 二", "", 0), expected("三", "s", 1)]);
        }
    }

    #[test]
    fn a_package_says_what_is_read() {
        let opf = r#"<package><metadata><dc:title>A &amp; B</dc:title><dc:creator>甲</dc:creator><dc:creator>乙</dc:creator>
            <dc:language>zh_cn</dc:language><meta name="cover" content="c"/></metadata><manifest>
            <item id="c" href="c.jpg" media-type="image/jpeg"/><item id="t" href="../t%201.xhtml" media-type="application/xhtml+xml" properties="nav"/>
            </manifest><spine page-progression-direction="rtl"><itemref idref="t"/><itemref idref="n" linear="no"/></spine></package>"#;
        let package = Package::parse(opf, "OPS/p.opf", 99).expect("read");
        assert_eq!(
            (package.title.as_deref(), package.author.as_deref()),
            (Some("A & B"), Some("甲、乙"))
        );
        assert_eq!((package.language.as_deref(), package.right_to_left), (Some("zh-Hans"), true));
        assert_eq!(package.spine, ["t"]);
        assert_eq!(package.cover().expect("there").file, "OPS/c.jpg");
        assert_eq!(package.nav().expect("there").file, "t 1.xhtml");
    }
}
