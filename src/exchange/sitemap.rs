//! Sitemaps (sitemaps.org 0.9): an index, and lists of addresses.

use super::Xml;
use super::item::second;

/// Most addresses in one list.
pub const SITEMAP_URLS: i64 = 50_000;

const NAMESPACE: [(&str, &str); 1] = [("xmlns", "http://www.sitemaps.org/schemas/sitemap/0.9")];

/// The index of the lists at `addresses`.
#[must_use]
pub fn sitemap_index(addresses: &[String]) -> String {
    let mut xml = Xml::document();
    xml.open("sitemapindex", &NAMESPACE);
    for address in addresses {
        xml.open("sitemap", &[]);
        xml.leaf("loc", address);
        xml.close("sitemap");
    }
    xml.close("sitemapindex");
    xml.into_string()
}

/// How a list begins.
#[must_use]
pub fn sitemap_start() -> String {
    let mut xml = Xml::document();
    xml.open("urlset", &NAMESPACE);
    xml.into_string()
}

/// An address of a list, changed last at `changed_ms` where that is known.
#[must_use]
pub fn sitemap_url(address: &str, changed_ms: Option<i64>) -> String {
    let mut xml = Xml::piece();
    xml.open("url", &[]);
    xml.leaf("loc", address);
    if let Some(ms) = changed_ms {
        xml.leaf("lastmod", &second(ms));
    }
    xml.close("url");
    xml.into_string()
}

/// How a list ends.
#[must_use]
pub fn sitemap_end() -> String {
    let mut xml = Xml::piece();
    xml.close("urlset");
    xml.into_string()
}
