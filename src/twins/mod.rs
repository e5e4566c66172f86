//! Which resources are the same thing, or hold it: the rules, as plain functions.
//!
//! A [`Print`] is what is kept of a resource: what its picture looks like ([`picture`]), how it sounds
//! ([`sound`]), what its text says ([`text`]). [`keys`] of it go to an index, so that those that may be
//! alike are found without comparing all with all; [`compare`] then says what two really share.

pub mod groups;
pub mod keys;
pub mod pack;
pub mod picture;
pub mod sound;
pub mod text;

mod align;

use transcode::Look;

/// How prints are made: those of another version are made anew.
pub const VERSION: i64 = 1;

/// What two resources share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Likeness {
    /// The same bytes.
    File,
    /// The same picture track, or image.
    Picture,
    /// The same sound.
    Sound,
    /// The same text.
    Text,
}

impl Likeness {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::File, Self::Picture, Self::Sound, Self::Text];

    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Picture => "picture",
            Self::Sound => "sound",
            Self::Text => "text",
        }
    }
}

impl std::str::FromStr for Likeness {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// What is kept of a resource to compare it with others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Print {
    /// What a video shows, in the order of time.
    pub looks: Vec<Look>,
    /// What an image looks like, first as it is, then with its edges cropped a little.
    pub image: Vec<transcode::Bits>,
    /// How it sounds: see [`sound::ITEM_MS`].
    pub sound: Vec<u32>,
    /// What its text says.
    pub text: Vec<text::Shingle>,
}

/// From where to where, milliseconds of media time; of documents pages, from 1; 0 for images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Where it begins.
    pub from: i64,
    /// Where it ends; the last page.
    pub to: i64,
}

/// What two have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// What it is.
    pub likeness: Likeness,
    /// How much of the shorter one it is, 0 to 1.
    pub share: f64,
    /// Where in the first.
    pub first: Span,
    /// Where in the second.
    pub second: Span,
}

impl Match {
    /// The same, seen from the second.
    #[must_use]
    pub fn turned(self) -> Self {
        Self { first: self.second, second: self.first, ..self }
    }
}

/// What `first` and `second` have in common; nothing below `least_share`.
#[must_use]
pub fn compare(first: &Print, second: &Print, least_share: f64) -> Vec<Match> {
    let sound = sound::compare(&first.sound, &second.sound);
    let silent = first.sound.is_empty() && second.sound.is_empty();
    // One picture that stands all the time may be that of a hundred talks.
    let picture = picture::compare(&first.looks, &second.looks)
        .filter(|seen| seen.changes || silent || sound.is_some())
        .map(|seen| seen.found);
    let image = picture::compare_images(&first.image, &second.image);
    let text = text::compare(&first.text, &second.text);
    let found = [picture, image, sound, text].into_iter().flatten();
    found.filter(|found| found.share >= least_share).collect()
}
