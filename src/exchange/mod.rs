//! What other programs are told, as text: records of OAI-PMH, feeds, sitemaps.
//!
//! Pure functions from rows to XML. What must not live here: SQL, requests, who may see what.

mod dublin_core;
mod feed;
mod item;
mod lom;
pub mod oai;
mod sitemap;
mod xml;

pub use dublin_core::{dublin_core, meta as dublin_core_meta};
pub use feed::{Enclosure, Feed, FeedItem, atom, rss};
pub use item::Item;
pub use lom::lom;
pub use sitemap::{SITEMAP_URLS, sitemap_end, sitemap_index, sitemap_start, sitemap_url};
pub use xml::Xml;

#[cfg(test)]
mod tests;
