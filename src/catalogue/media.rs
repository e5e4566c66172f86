//! What a resource is played and read from.

use super::{LANGUAGES, RenditionId, label_of};

/// One track encoded one way; see ARCHITECTURE.md, "Media time and parts".
#[derive(Debug, Clone, PartialEq)]
pub struct Rendition {
    /// Its id, part of the URLs of its segments.
    pub id: RenditionId,
    /// Its name in the plan.
    pub name: String,
    /// Picture or sound.
    pub kind: TrackKind,
    /// Track of the source that it was made from.
    pub track: i64,
    /// BCP 47.
    pub language: Option<String>,
    /// The track's name for people; may be empty.
    pub label: String,
    /// What a track of sound is for.
    pub role: AudioRole,
    /// To be played unless another track is chosen.
    pub selected: bool,
    /// Planned peak, bits a second.
    pub bitrate_bps: i64,
    /// RFC 6381; `None` until its first part is there.
    pub codecs: Option<String>,
    /// Pixels.
    pub width: Option<i64>,
    /// Pixels.
    pub height: Option<i64>,
    /// Frames a second, on average.
    pub frame_rate: Option<f64>,
    /// Samples a second.
    pub sample_rate: Option<i64>,
    /// Channels of sound.
    pub channels: Option<i64>,
    /// Ticks a second; 0 until its first part is there.
    pub time_scale: i64,
    /// Key of its init segment.
    pub init: Option<String>,
    /// How many parts make it whole, where several jobs make them.
    pub whole_parts: Option<i64>,
    /// A copy that is played only until the others are whole.
    pub preview: bool,
    /// It may be dropped when nobody watches, and is made again when somebody does.
    pub spare: bool,
    /// How far it is.
    pub state: RenditionState,
    /// Its parts from the start, without a gap.
    pub parts: Vec<Part>,
}

/// How far a rendition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenditionState {
    /// It is planned, and made when somebody plays the resource.
    Absent,
    /// Parts are still to come.
    Making,
    /// All its parts are there.
    Complete,
    /// No manifest names it any more; its parts stay for players that have begun.
    Retired,
}

/// Picture or sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackKind {
    /// Picture.
    Video,
    /// Sound.
    Audio,
}

/// What a track of sound is for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum AudioRole {
    /// To be listened to; pictures have it, too.
    #[default]
    Main,
    /// In the language it was recorded in, where there are others.
    Original,
    /// Spoken anew in another language.
    Dub,
    /// Somebody talks about what is seen.
    Commentary,
    /// What is seen is told, for people who do not see it.
    Description,
}

impl AudioRole {
    /// All, each with its name in rows and in Chinese.
    const ALL: [(Self, &str, &str); 5] = [
        (Self::Main, "main", ""),
        (Self::Original, "original", "原声"),
        (Self::Dub, "dub", "配音"),
        (Self::Commentary, "commentary", "评论"),
        (Self::Description, "description", "口述影像"),
    ];

    /// Its name in rows and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(role, ..)| *role == self).map_or("main", |(_, name, _)| name)
    }

    /// The role of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(role, ..)| *role)
    }

    /// For people, in Chinese; empty for [`AudioRole::Main`].
    #[must_use]
    pub fn zh(self) -> &'static str {
        Self::ALL.iter().find(|(role, ..)| *role == self).map_or("", |(.., zh)| zh)
    }
}

/// About a minute of a rendition, stored as one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub number: i64,
    /// Key of the object.
    pub key: String,
    /// Its segments in order.
    pub segments: Vec<Segment>,
}

/// A CMAF segment inside a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// First byte in the part.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// Bytes up to the end of the first sample, which of a picture is an IDR frame.
    pub key_length: u64,
    /// First presentation time, ticks.
    pub start: u64,
    /// Ticks.
    pub duration: u64,
}

impl Rendition {
    /// Whether all its parts are there, and it is offered.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == RenditionState::Complete
    }

    /// Whether parts are still to come.
    #[must_use]
    pub fn is_growing(&self) -> bool {
        self.state == RenditionState::Making
    }

    /// Whether somebody who plays the resource is to have it, and cannot.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        match self.state {
            RenditionState::Absent => true,
            RenditionState::Retired => self.spare,
            RenditionState::Making | RenditionState::Complete => false,
        }
    }

    /// All segments that are there, with the part that each is in.
    pub fn segments(&self) -> impl Iterator<Item = (&Part, &Segment)> {
        self.parts.iter().flat_map(|part| part.segments.iter().map(move |segment| (part, segment)))
    }

    /// The segment of this number, from 0, with the part that it is in.
    #[must_use]
    pub fn segment(&self, mut number: usize) -> Option<(&Part, &Segment)> {
        for part in &self.parts {
            match part.segments.get(number) {
                Some(segment) => return Some((part, segment)),
                None => number -= part.segments.len(),
            }
        }
        None
    }

    /// Whether every player can play it, being H.264 or AAC; others are beside it, and come later.
    #[must_use]
    pub fn is_basic(&self) -> bool {
        !["-hevc", "-av1", "-opus"].iter().any(|ending| self.name.ends_with(ending))
    }

    /// The codec without its details: avc1, hvc1, av01, mp4a, opus.
    #[must_use]
    pub fn family(&self) -> &str {
        let codecs = self.codecs.as_deref().unwrap_or_default();
        codecs.split_once('.').map_or(codecs, |(family, _)| family)
    }

    /// Seconds of a number of ticks.
    #[must_use]
    pub fn seconds(&self, ticks: u64) -> f64 {
        ticks as f64 / self.time_scale.max(1) as f64
    }
}

/// Captions of a resource in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caption {
    /// Name in URLs: the language, with a number where there are several.
    pub name: String,
    /// BCP 47.
    pub language: String,
    /// Name for people.
    pub label: String,
    /// Where they are from.
    pub origin: CaptionOrigin,
    /// Only what everybody needs: foreign dialogue, signs.
    pub forced: bool,
    /// For people who are hard of hearing: sounds are told, too.
    pub hearing_impaired: bool,
    /// Key of the WebVTT object.
    pub key: String,
}

impl Caption {
    /// Whether they are in `language`, in whatever script or country: `zh` and `zh-Hant` are one.
    #[must_use]
    pub fn is_in(&self, language: &str) -> bool {
        let base = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        base(&self.language) == base(language)
    }

    /// What they are called: their own label or, in the reader's words, their language, and whom
    /// they are for.
    #[must_use]
    pub fn word(&self, chinese: bool) -> String {
        let own = self.label != label_of(LANGUAGES, &self.language, true);
        let label = if own { &self.label } else { label_of(LANGUAGES, &self.language, chinese) };
        let automatic = match (self.origin, chinese) {
            (CaptionOrigin::Automatic, true) => "（自动生成）",
            (CaptionOrigin::Automatic, false) => " (automatic)",
            _ => "",
        };
        let whom = match (self.forced, self.hearing_impaired, chinese) {
            (true, _, true) => "（仅外语对白）",
            (true, _, false) => " (forced)",
            (_, true, true) => "（听障）",
            (_, true, false) => " (SDH)",
            _ => "",
        };
        format!("{label}{whom}{automatic}")
    }
}

/// Where captions are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptionOrigin {
    /// A file that somebody uploaded.
    Uploaded,
    /// The source itself.
    Embedded,
    /// What was heard in its sound.
    Automatic,
}

impl CaptionOrigin {
    /// All, each with its name in rows and in the API.
    const ALL: [(Self, &str); 3] = [
        (Self::Uploaded, "uploaded"),
        (Self::Embedded, "embedded"),
        (Self::Automatic, "automatic"),
    ];

    /// Its name in rows and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(origin, _)| *origin == self).map_or("uploaded", |(_, name)| name)
    }

    /// The origin of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(origin, _)| *origin)
    }
}

/// A page of a document: its words, and pictures as soon as they are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: i64,
    /// Of the large picture, pixels.
    pub width: i64,
    /// Of the large picture, pixels.
    pub height: i64,
    /// `None` until they are made.
    pub pictures: Option<PagePictures>,
    /// Key of the JSON with the places of the words.
    pub words: String,
}

/// The pictures of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePictures {
    /// Key of the large one, to read.
    pub large: String,
    /// Key of the small one, to look over.
    pub small: String,
}

/// A chapter of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookChapter {
    /// From 1.
    pub number: i64,
    /// One line; may be empty.
    pub title: String,
    /// Key of its HTML.
    pub html: String,
}

/// A picture in a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// From 1; chapters name it so.
    pub number: i64,
    /// Key of the WebP.
    pub picture: String,
}

/// A slide inside a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slide {
    /// From 1, in the order they are shown.
    pub number: i64,
    /// When it is there, milliseconds from the start.
    pub start_ms: i64,
    /// When it is gone, milliseconds from the start.
    pub end_ms: i64,
    /// Of the picture, pixels.
    pub width: i64,
    /// Of the picture, pixels.
    pub height: i64,
    /// Key of the picture.
    pub image: String,
    /// What is to be read on it; empty while that is not known.
    pub text: String,
}

/// A named stretch of a video or audio.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Chapter {
    /// Milliseconds from the start.
    pub start_ms: i64,
    /// Milliseconds from the start.
    pub end_ms: i64,
    /// Its name.
    pub title: String,
}

/// An entry of a document's table of contents.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OutlineItem {
    /// Its heading.
    pub title: String,
    /// Page or chapter that it is in, from 1.
    pub page: u32,
    /// The place in a chapter, the id of an element; empty: where it begins.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub anchor: String,
    /// 0 at the top.
    pub depth: u32,
}
