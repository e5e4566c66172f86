//! What a path below a resource means.

use std::ops::Range;
use std::sync::Arc;

use super::text::Text;
use super::{
    Caching, Delivery, audio_playlist, captions_playlist, iframe_playlist, manifest,
    master_playlist, media_playlist, storyboard_playlist, storyboard_vtt, transport_playlist,
};
use crate::catalogue::{FileType, Rendition, RenditionId, TrackKind};
use crate::store::Key;

/// How chapters look. Who reads may choose size and colours: see `web/src/viewer/book.ts`.
const CHAPTER_CSS: &str = include_str!("chapter.css");

/// Media type of playlists (RFC 8216 section 4).
pub(super) const HLS: &str = "application/vnd.apple.mpegurl";

/// What is asked for, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what it says")]
pub enum Kind {
    Manifest,
    Playlist,
    Init,
    Segment,
    Original,
    Picture,
    Storyboard,
    Captions,
    Page,
    Text,
    Download,
}

impl Kind {
    /// How many there are.
    pub const COUNT: usize = 11;

    /// Its name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Playlist => "playlist",
            Self::Init => "init",
            Self::Segment => "segment",
            Self::Original => "original",
            Self::Picture => "picture",
            Self::Storyboard => "storyboard",
            Self::Captions => "captions",
            Self::Page => "page",
            Self::Text => "text",
            Self::Download => "download",
        }
    }
}

/// What a path below a resource means.
#[derive(Debug)]
pub struct Wanted {
    /// What it is, for counting.
    pub kind: Kind,
    /// Where it is.
    pub what: What,
}

/// Where what is wanted is.
#[derive(Debug)]
pub enum What {
    /// A text rendered from rows.
    Text(Arc<Text>),
    /// All of an object, or a range of it.
    Object(Named),
    /// All that captions and pages say.
    Passages,
    /// A segment of MPEG-TS, made of those of a picture, a sound or both.
    Transport {
        /// The picture.
        picture: Option<RenditionId>,
        /// The sound.
        sound: Option<RenditionId>,
        /// From 0.
        number: usize,
    },
    /// A rendition as one file.
    Download(RenditionId),
    /// The playlist of a rendition with addresses in the bucket.
    Direct(RenditionId),
}

/// An object, or a range of it, with what is said about it.
#[derive(Debug)]
pub struct Named {
    /// Its key.
    pub key: String,
    /// Which bytes; all, if `None`.
    pub range: Option<Range<u64>>,
    /// Media type.
    pub media_type: &'static str,
    /// Strong entity tag without its quotes.
    pub tag: String,
    /// How long it may be kept.
    pub caching: Caching,
    /// To be saved under this name.
    pub attachment: Option<String>,
    /// Of which something was asked for.
    pub rendition: Option<RenditionId>,
}

impl Delivery {
    /// What `path` means; `None` when it means nothing, or nothing yet.
    #[must_use]
    pub fn wanted(&self, path: &str) -> Option<Wanted> {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        if path.ends_with('/') {
            return None;
        }
        let derived = &self.resource.derived;
        let (kind, what) = match (first, rest) {
            ("master.m3u8", "") if self.is_playable() => {
                (Kind::Manifest, self.text(path, HLS, || master_playlist(self)))
            }
            ("manifest.mpd", "") if self.is_playable() => {
                (Kind::Manifest, self.text(path, "application/dash+xml", || manifest(self)))
            }
            ("original", "") => (Kind::Original, self.original()?),
            ("poster.jpg", "") => {
                (Kind::Picture, self.whole(self.resource.poster.as_deref()?, "image/jpeg"))
            }
            ("posters", file) => {
                let poster = derived.posters.get(number(file, ".jpg")?)?;
                (Kind::Picture, self.whole(&poster.key, "image/jpeg"))
            }
            ("picture.webp", "") => {
                (Kind::Picture, self.whole(derived.picture.as_deref()?, "image/webp"))
            }
            ("picture.json", "") => {
                (Kind::Text, self.whole(derived.picture_words.as_deref()?, "application/json"))
            }
            ("storyboard.vtt", "") => {
                let vtt = "text/vtt; charset=utf-8";
                (Kind::Storyboard, self.text(path, vtt, || storyboard_vtt(self)))
            }
            ("storyboard.m3u8", "") => {
                (Kind::Storyboard, self.text(path, HLS, || storyboard_playlist(self)))
            }
            ("storyboard", file) => {
                let sprite = derived.storyboard.get(number(file, ".jpg")?)?;
                (Kind::Storyboard, self.whole(&sprite.key, "image/jpeg"))
            }
            ("captions", file) => (Kind::Captions, self.captions_file(path, file)?),
            ("pages", file) => (Kind::Page, self.page(file)?),
            ("chapters", "style.css") if !self.chapters.is_empty() => {
                let css = "text/css; charset=utf-8";
                (Kind::Page, self.text(path, css, || CHAPTER_CSS.to_owned()))
            }
            ("chapters", file) => {
                let number = number(file, ".html")?;
                let chapter = self.chapters.get(number.checked_sub(1)?)?;
                (Kind::Page, self.whole(&chapter.html, "text/html; charset=utf-8"))
            }
            ("figures", file) => {
                let number = i64::try_from(number(file, ".webp")?).ok()?;
                let figure = self.figures.iter().find(|figure| figure.number == number)?;
                (Kind::Page, self.whole(&figure.picture, "image/webp"))
            }
            ("slides", file) => (Kind::Picture, self.slide(file)?),
            ("text", "") => (Kind::Text, What::Passages),
            ("ts.m3u8", "") if self.is_playable() => {
                (Kind::Manifest, self.text(path, HLS, || transport_playlist(self)))
            }
            ("ts", below) => self.transport(path, below)?,
            ("audio.m3u8", "") if self.has_sound() => {
                (Kind::Playlist, self.text(path, HLS, || audio_playlist(self)))
            }
            (rendition, "iframes.m3u8") => {
                let picture = self.rendition(rendition).filter(|r| r.kind == TrackKind::Video)?;
                (Kind::Playlist, self.text(path, HLS, || iframe_playlist(self, picture)))
            }
            (file, "") => (Kind::Download, self.download(file)?),
            (rendition, "playlist.m3u8") => {
                let rendition = self.rendition(rendition)?;
                if self.is_direct() && self.offered().any(|offered| offered.id == rendition.id) {
                    return Some(Wanted { kind: Kind::Playlist, what: What::Direct(rendition.id) });
                }
                (Kind::Playlist, self.text(path, HLS, || media_playlist(self, rendition)))
            }
            (rendition, "init.mp4") => {
                let init = self.rendition(rendition)?.init.as_deref()?;
                let what = What::Object(Named {
                    caching: self.forever(),
                    ..named(init.to_owned(), "video/mp4")
                });
                (Kind::Init, what)
            }
            (rendition, file) => (Kind::Segment, self.segment(rendition, number(file, ".m4s")?)?),
        };
        Some(Wanted { kind, what })
    }

    pub(super) fn text(
        &self,
        path: &str,
        media_type: &'static str,
        render: impl FnOnce() -> String,
    ) -> What {
        What::Text(self.texts.get(path, || Text::new(render(), media_type)))
    }

    /// An object whose address may come to name another one.
    fn whole(&self, key: &str, media_type: &'static str) -> What {
        What::Object(named(key.to_owned(), media_type))
    }

    fn segment(&self, rendition: &str, number: usize) -> Option<What> {
        let rendition = self.rendition(rendition)?;
        let (part, segment) = rendition.segment(number)?;
        Some(What::Object(Named {
            range: Some(segment.offset..segment.offset + segment.length),
            tag: format!("{}-{}", tag(&part.key), segment.offset),
            caching: self.forever(),
            rendition: Some(rendition.id),
            ..named(part.key.clone(), "video/iso.segment")
        }))
    }

    fn original(&self) -> Option<What> {
        let hash = self.resource.source?;
        let media_type = FileType::known_media_type(&self.resource.media_type);
        Some(What::Object(Named {
            tag: hash.to_string(),
            attachment: Some(self.resource.file_name.clone()),
            ..named(Key::Source(hash).to_string(), media_type)
        }))
    }

    /// `{name}.vtt` and `{name}.m3u8`.
    fn captions_file(&self, path: &str, file: &str) -> Option<What> {
        let (name, ending) = file.rsplit_once('.')?;
        let caption = self.captions.iter().find(|caption| caption.name == name)?;
        match ending {
            "vtt" => Some(self.whole(&caption.key, "text/vtt; charset=utf-8")),
            "m3u8" => Some(self.text(path, HLS, || captions_playlist(self, name))),
            _ => None,
        }
    }

    /// `{n}.webp`, `{n}-small.webp` and `{n}.json`, with `n` from 1.
    fn page(&self, file: &str) -> Option<What> {
        let (stem, ending) = file.rsplit_once('.')?;
        let (stem, small) = match stem.strip_suffix("-small") {
            Some(stem) => (stem, true),
            None => (stem, false),
        };
        let number: i64 = stem.parse().ok()?;
        let at = usize::try_from(number - 1).ok()?;
        let page = self.pages.get(at).filter(|page| page.number == number)?;
        match (ending, small) {
            ("webp", false) => Some(self.whole(&page.pictures.as_ref()?.large, "image/webp")),
            ("webp", true) => Some(self.whole(&page.pictures.as_ref()?.small, "image/webp")),
            ("json", false) => Some(self.whole(&page.words, "application/json")),
            _ => None,
        }
    }

    /// `{n}.webp`, with `n` from 1.
    fn slide(&self, file: &str) -> Option<What> {
        let slide = self.slides.get(number(file, ".webp")?.checked_sub(1)?)?;
        Some(self.whole(&slide.image, "image/webp"))
    }

    /// The rendition of this id. Only one way to write it counts: texts are kept by their paths.
    pub(super) fn rendition(&self, id: &str) -> Option<&Rendition> {
        let plain = id.len() == 32 && !id.bytes().any(|b| b.is_ascii_uppercase());
        self.get(id.parse().ok().filter(|_| plain)?)
    }

    /// The rendition of this id.
    #[must_use]
    pub fn get(&self, id: RenditionId) -> Option<&Rendition> {
        self.renditions.iter().find(|rendition| rendition.id == id)
    }

    /// How long what never changes may be kept.
    #[must_use]
    pub fn forever(&self) -> Caching {
        if self.is_public() { Caching::Forever } else { Caching::ForeverPrivate }
    }
}

fn named(key: String, media_type: &'static str) -> Named {
    let tag = tag(&key).to_owned();
    let caching = Caching::Check;
    Named { key, range: None, media_type, tag, caching, attachment: None, rendition: None }
}

/// The hash in a key's name.
fn tag(key: &str) -> &str {
    key.rsplit(['-', '.']).nth(1).unwrap_or(key)
}

pub(super) fn number(file: &str, ending: &str) -> Option<usize> {
    let digits = file.strip_suffix(ending)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}
