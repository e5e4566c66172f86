//! What is new, as RSS 2.0 and as Atom (RFC 4287).

use super::Xml;
use super::item::second;

/// A list of what is new.
#[derive(Debug, Clone)]
pub struct Feed {
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub about: String,
    /// The page that shows the same.
    pub page: String,
    /// Where it is itself.
    pub address: String,
    /// The site's name.
    pub site: String,
    /// The newest first.
    pub items: Vec<FeedItem>,
}

/// A resource in it.
#[derive(Debug, Clone)]
pub struct FeedItem {
    /// Its title.
    pub title: String,
    /// Its page, by which readers know it again.
    pub page: String,
    /// Plain text; may be empty.
    pub summary: String,
    /// Who made it; may be empty.
    pub author: String,
    /// Its library's name.
    pub library: String,
    /// Unix milliseconds.
    pub published_ms: i64,
    /// Unix milliseconds.
    pub updated_ms: i64,
    /// What its topics are called.
    pub topics: Vec<String>,
    /// A picture.
    pub picture: Option<String>,
    /// What can be played or read.
    pub enclosure: Option<Enclosure>,
}

/// A file that goes with an item.
#[derive(Debug, Clone)]
pub struct Enclosure {
    /// Its address.
    pub href: String,
    /// Its media type.
    pub media_type: String,
    /// Its size, for files that are made while they are sent about so.
    pub size_bytes: u64,
    /// Length of video and sound, milliseconds.
    pub duration_ms: Option<i64>,
}

/// `feed` as RSS 2.0.
#[must_use]
pub fn rss(feed: &Feed) -> String {
    let mut xml = Xml::document();
    xml.open(
        "rss",
        &[
            ("version", "2.0"),
            ("xmlns:atom", "http://www.w3.org/2005/Atom"),
            ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
            ("xmlns:media", "http://search.yahoo.com/mrss/"),
            ("xmlns:itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
        ],
    );
    xml.open("channel", &[]);
    xml.leaf("title", &feed.title);
    xml.leaf("link", &feed.page);
    xml.leaf("description", &feed.about);
    xml.leaf("language", "zh-cn");
    xml.leaf("generator", "duoku");
    let own = [("href", &*feed.address), ("rel", "self"), ("type", "application/rss+xml")];
    xml.empty("atom:link", &own);
    if let Some(newest) = feed.items.iter().map(|item| item.updated_ms).max() {
        xml.leaf("lastBuildDate", &rfc822(newest));
    }
    for item in &feed.items {
        rss_item(&mut xml, item);
    }
    xml.close("channel");
    xml.close("rss");
    xml.into_string()
}

fn rss_item(xml: &mut Xml, item: &FeedItem) {
    xml.open("item", &[]);
    xml.leaf("title", &item.title);
    xml.leaf("link", &item.page);
    xml.leaf_with("guid", &[("isPermaLink", "true")], &item.page);
    xml.leaf("pubDate", &rfc822(item.published_ms));
    if !item.summary.is_empty() {
        xml.leaf("description", &item.summary);
    }
    if !item.author.is_empty() {
        xml.leaf("dc:creator", &item.author);
    }
    for topic in &item.topics {
        xml.leaf("category", topic);
    }
    if let Some(file) = &item.enclosure {
        let size = file.size_bytes.to_string();
        let about = [("url", &*file.href), ("length", &size), ("type", &file.media_type)];
        xml.empty("enclosure", &about);
        if let Some(ms) = file.duration_ms {
            xml.leaf("itunes:duration", &(ms / 1000).to_string());
        }
    }
    if let Some(picture) = &item.picture {
        xml.empty("media:thumbnail", &[("url", picture)]);
    }
    xml.close("item");
}

/// `feed` as Atom.
#[must_use]
pub fn atom(feed: &Feed) -> String {
    let mut xml = Xml::document();
    xml.open("feed", &[("xmlns", "http://www.w3.org/2005/Atom"), ("xml:lang", "zh-CN")]);
    xml.leaf("id", &feed.address);
    xml.leaf("title", &feed.title);
    xml.leaf("subtitle", &feed.about);
    let newest = feed.items.iter().map(|item| item.updated_ms).max().unwrap_or_default();
    xml.leaf("updated", &second(newest));
    xml.empty("link", &[("rel", "self"), ("href", &feed.address)]);
    xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &feed.page)]);
    xml.leaf("generator", "duoku");
    person(&mut xml, &feed.site);
    for item in &feed.items {
        entry(&mut xml, item);
    }
    xml.close("feed");
    xml.into_string()
}

fn entry(xml: &mut Xml, item: &FeedItem) {
    xml.open("entry", &[]);
    xml.leaf("id", &item.page);
    xml.leaf("title", &item.title);
    xml.leaf("published", &second(item.published_ms));
    xml.leaf("updated", &second(item.updated_ms));
    xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &item.page)]);
    person(xml, if item.author.is_empty() { &item.library } else { &item.author });
    if !item.summary.is_empty() {
        xml.leaf("summary", &item.summary);
    }
    for topic in &item.topics {
        xml.empty("category", &[("term", topic)]);
    }
    if let Some(file) = &item.enclosure {
        let size = file.size_bytes.to_string();
        let about = [
            ("rel", "enclosure"),
            ("href", &*file.href),
            ("type", &file.media_type),
            ("length", &size),
        ];
        xml.empty("link", &about);
    }
    xml.close("entry");
}

fn person(xml: &mut Xml, name: &str) {
    xml.open("author", &[]);
    xml.leaf("name", name);
    xml.close("author");
}

/// The date of RSS (RFC 822 with four digits of the year).
fn rfc822(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms)
        .map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_rss() {
        assert_eq!(rfc822(1_795_478_400_000), "Tue, 24 Nov 2026 00:00:00 GMT");
    }
}
