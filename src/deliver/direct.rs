//! Playlists whose segments clients fetch from a bucket, or a CDN before it: byte ranges of the
//! parts' objects. HLS only: of DASH, FFmpeg 5.1 cuts such addresses, and dash.js wants segments of
//! one length.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::hls::playlist;
use super::{Delivery, Text};
use crate::catalogue::Rendition;

/// Addresses of objects, by key.
pub type Addresses = HashMap<String, String>;

/// What was rendered with addresses that end, and when, by path.
#[derive(Debug, Default)]
pub(super) struct Passing(RwLock<HashMap<Box<str>, Made>>);

type Made = (Instant, Arc<Text>);

impl Passing {
    /// The text at `path`, made within `lasting`.
    pub(super) fn get(&self, path: &str, lasting: Duration) -> Option<Arc<Text>> {
        let texts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (made, text) = texts.get(path)?;
        (made.elapsed() < lasting).then(|| Arc::clone(text))
    }

    pub(super) fn keep(&self, path: &str, text: Text) -> Arc<Text> {
        let text = Arc::new(text);
        let mut texts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        texts.insert(path.into(), (Instant::now(), Arc::clone(&text)));
        text
    }
}

impl Delivery {
    /// Whether clients fetch its segments themselves. What needs a ticket comes from here: an
    /// address in the bucket admits whoever has it until it ends.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.direct.is_some() && self.is_public()
    }

    /// What [`Delivery::keep_direct`] kept at `path`, while its addresses hold for long enough.
    #[must_use]
    pub fn direct_text(&self, path: &str) -> Option<Arc<Text>> {
        self.passing.get(path, self.direct?)
    }

    /// Keys of the objects that the playlist of `rendition` names.
    #[must_use]
    pub fn direct_keys(rendition: &Rendition) -> Vec<String> {
        let parts = rendition.parts.iter().map(|part| &part.key);
        rendition.init.iter().chain(parts).cloned().collect()
    }

    /// Renders the playlist of `rendition` and keeps it at `path`.
    #[must_use]
    pub fn keep_direct(
        &self,
        path: &str,
        rendition: &Rendition,
        addresses: &Addresses,
    ) -> Arc<Text> {
        let text = direct_playlist(self, rendition, addresses);
        self.passing.keep(path, Text::new(text, super::wanted::HLS))
    }
}

/// The media playlist with byte ranges of parts (RFC 8216 section 4.3.2.2).
fn direct_playlist(delivery: &Delivery, rendition: &Rendition, addresses: &Addresses) -> String {
    let init = rendition.init.as_deref().unwrap_or_default();
    playlist(delivery, rendition, address(addresses, init), |text, _, part, segment| {
        let at = address(addresses, &part.key);
        let _ = writeln!(text, "#EXT-X-BYTERANGE:{}@{}\n{at}", segment.length, segment.offset);
    })
}

fn address<'a>(addresses: &'a Addresses, key: &str) -> &'a str {
    addresses.get(key).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::tests::{delivery, lines, video};

    #[test]
    fn segments_are_ranges_of_parts() {
        let one = delivery(vec![video(1280, 720)], Vec::new());
        let rendition = &one.renditions[0];
        let keys = Delivery::direct_keys(rendition).into_iter();
        let addresses = keys.map(|key| (key.clone(), format!("https://cdn.example/{key}?a=1")));
        let text = direct_playlist(&one, rendition, &addresses.collect());
        let here = crate::deliver::media_playlist(&one, rendition);
        assert_eq!(lines(&text, "#EXTINF"), lines(&here, "#EXTINF"));
        let ranges: Vec<String> = rendition
            .segments()
            .map(|(_, s)| format!("#EXT-X-BYTERANGE:{}@{}", s.length, s.offset))
            .collect();
        assert_eq!(lines(&text, "#EXT-X-BYTERANGE"), ranges);
        assert_eq!(lines(&text, "https://cdn.example/").len(), ranges.len());
        assert!(text.contains("#EXT-X-MAP:URI=\"https://cdn.example/") && !text.contains(".m4s"));
    }

    #[test]
    fn addresses_are_renewed_before_they_end() {
        let passing = Passing::default();
        let text = passing.keep("a", Text::new("a", "text/plain"));
        let again = passing.get("a", Duration::from_secs(60)).expect("it is new");
        assert!(Arc::ptr_eq(&text, &again) && passing.get("b", Duration::from_secs(60)).is_none());
        assert!(passing.get("a", Duration::ZERO).is_none());
    }
}
