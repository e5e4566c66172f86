//! A resource: one thing to learn from, and the stages it goes through.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    AccountId, Chapter, FileType, Library, LibraryId, OutlineItem, Particulars, Publishing,
    ResourceId, RuleError, Sha256, vocabulary,
};

/// One thing to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// The library it belongs to.
    pub library: LibraryId,
    /// What sort of thing it is.
    pub kind: Kind,
    /// How far it has come.
    pub stage: Stage,
    /// What its author says about it.
    pub details: Details,
    /// Who uploaded it.
    pub uploaded_by: AccountId,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// Media type of the source, by its content.
    pub media_type: String,
    /// Size of the source, bytes.
    pub size_bytes: i64,
    /// The source's hash, once it is stored.
    pub source: Option<Sha256>,
    /// Length of video and audio, milliseconds.
    pub duration_ms: Option<i64>,
    /// Pages of a document.
    pub pages: Option<i64>,
    /// Width as shown, pixels.
    pub width: Option<i64>,
    /// Height as shown, pixels.
    pub height: Option<i64>,
    /// What is made of it, JSON.
    pub plan: Option<String>,
    /// Code of what the pipeline does now.
    pub doing: String,
    /// 0 to 1.
    pub progress: f64,
    /// Jobs to be done before it is ready.
    pub jobs_left: i64,
    /// Code of what went wrong.
    pub failure: Option<String>,
    /// The value in question.
    pub failure_info: Option<String>,
    /// Codes of what was left out.
    pub warnings: Vec<String>,
    /// Key of the chosen poster.
    pub poster: Option<String>,
    /// Posters, storyboard, chapters, outline.
    pub derived: Derived,
    /// Raised to end the tickets given so far.
    pub ticket_epoch: i64,
    /// Number of its last change.
    pub changed: i64,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub updated_ms: i64,
    /// Since when it is public, Unix milliseconds.
    pub published_ms: Option<i64>,
}

/// What an author says about a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Details {
    /// Title, 1 to 1,024 characters.
    pub title: String,
    /// Description, at most 20,000 characters.
    pub description: String,
    /// BCP 47.
    pub language: Option<String>,
    /// Who made it.
    pub author: String,
    /// SPDX id or words.
    pub licence: String,
    /// Codes of topics.
    pub topics: Vec<String>,
    /// Codes of audiences.
    pub audiences: Vec<String>,
    /// What else is known of it.
    #[serde(default)]
    pub particulars: Particulars,
}

impl Details {
    /// These, with the library's licence and topics where none is given.
    #[must_use]
    pub fn or_of(mut self, library: &Library) -> Self {
        if self.licence.is_empty() {
            self.licence.clone_from(&library.licence);
        }
        if self.topics.is_empty() {
            self.topics.clone_from(&library.topics);
        }
        self
    }

    /// Checks every field and trims the texts.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for the first field that cannot be kept.
    pub fn checked(mut self) -> Result<Self, RuleError> {
        self.title = tidy("title", &self.title, 1024)?;
        if self.title.is_empty() {
            return Err(RuleError::BadField { field: "title", value: String::new() });
        }
        self.description = tidy("description", &self.description, 20_000)?;
        self.author = tidy("author", &self.author, 1024)?;
        self.licence = tidy("licence", &self.licence, 200)?;
        self.language = language_of(self.language)?;
        known("topics", &self.topics, vocabulary::TOPICS)?;
        known("audiences", &self.audiences, vocabulary::AUDIENCES)?;
        self.particulars = self.particulars.checked()?;
        Ok(self)
    }
}

/// `text` trimmed, with `most` characters at most.
pub(super) fn tidy(field: &'static str, text: &str, most: usize) -> Result<String, RuleError> {
    let text = text.replace('\0', "").trim().to_owned();
    if text.chars().count() > most {
        let value = text.chars().take(40).collect::<String>() + "…";
        return Err(RuleError::BadField { field, value });
    }
    Ok(text)
}

/// A language (BCP 47); none when it is blank.
pub(super) fn language_of(language: Option<String>) -> Result<Option<String>, RuleError> {
    let language = language.filter(|language| !language.trim().is_empty());
    match language {
        Some(value)
            if value.len() > 35
                || !value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') =>
        {
            Err(RuleError::BadField { field: "language", value })
        }
        language => Ok(language),
    }
}

pub(super) fn known(
    field: &'static str,
    codes: &[String],
    terms: &[vocabulary::Term],
) -> Result<(), RuleError> {
    match codes.iter().find(|code| !terms.iter().any(|term| term.code == code.as_str())) {
        None => Ok(()),
        Some(code) => Err(RuleError::BadField { field, value: code.clone() }),
    }
}

/// What the pipeline found in a source and made beside its renditions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Derived {
    /// Pictures to choose the poster from, the best first.
    pub posters: Vec<Poster>,
    /// Small pictures for the seek bar.
    pub storyboard: Vec<Sprite>,
    /// Of video and audio.
    pub chapters: Vec<Chapter>,
    /// Of documents.
    pub outline: Vec<OutlineItem>,
    /// Key of an image resource's picture at full size.
    pub picture: Option<String>,
    /// Key of the PDF that an office document was made into.
    pub pdf: Option<String>,
    /// The pages are slides.
    pub deck: bool,
    /// A book is turned from right to left.
    pub right_to_left: bool,
    /// Key of the JSON with the places of the words in that picture.
    pub picture_words: Option<String>,
    /// What a document calls itself; may be empty, or a template's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub own_title: String,
}

/// A picture that can stand for the resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Poster {
    /// Key of the JPEG.
    pub key: String,
    /// Where in the video it is from, milliseconds.
    pub time_ms: i64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// One picture with many small ones in rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sprite {
    /// Key of the JPEG.
    pub key: String,
    /// Time of its first small picture, milliseconds.
    pub first_ms: i64,
    /// Time between small pictures, milliseconds.
    pub interval_ms: i64,
    /// Small pictures in a row.
    pub columns: u32,
    /// Small pictures in all.
    pub count: u32,
    /// Of a small picture, pixels.
    pub tile_width: u32,
    /// Of a small picture, pixels.
    pub tile_height: u32,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// As it is stored and sent.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = RuleError;

            fn from_str(text: &str) -> Result<Self, RuleError> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(RuleError::BadField { field: stringify!($name), value: text.to_owned() }),
                }
            }
        }
    };
}

pub(super) use words;

words!(
    /// What sort of thing a resource is.
    Kind {
        /// Moving pictures, with sound or without.
        Video = "video",
        /// Sound.
        Audio = "audio",
        /// Pages.
        Document = "document",
        /// One picture.
        Image = "image",
        /// An interactive package.
        Package = "package",
    }
);

words!(
    /// How far a resource has come.
    Stage {
        /// Its source is not there yet.
        Draft = "draft",
        /// The pipeline works on it.
        Processing = "processing",
        /// All is made; nobody else sees it yet.
        Ready = "ready",
        /// Handed in: the steps of its library's review have it.
        Submitted = "submitted",
        /// Those who may see its library see it.
        Published = "published",
        /// It was published and was taken back.
        Withdrawn = "withdrawn",
        /// Its source cannot be used.
        Failed = "failed",
        /// Gone; the row keeps the id from being used again.
        Deleted = "deleted",
    }
);

/// Code of the warning that pages stay without pictures.
pub const PAGES_UNSHOWN: &str = "pages_unshown";

impl Resource {
    /// One without a source yet, in `library`, by `account`, as of `now_ms`, Unix milliseconds.
    #[must_use]
    pub fn draft(library: LibraryId, account: AccountId, details: Details, now_ms: i64) -> Self {
        Self {
            id: ResourceId::fresh(),
            library,
            kind: Kind::Video,
            stage: Stage::Draft,
            details,
            uploaded_by: account,
            file_name: String::new(),
            media_type: String::new(),
            size_bytes: 0,
            source: None,
            duration_ms: None,
            pages: None,
            width: None,
            height: None,
            plan: None,
            doing: String::new(),
            progress: 0.0,
            jobs_left: 0,
            failure: None,
            failure_info: None,
            warnings: Vec::new(),
            poster: None,
            derived: Derived::default(),
            ticket_epoch: 0,
            changed: 0,
            created_ms: now_ms,
            updated_ms: now_ms,
            published_ms: None,
        }
    }

    /// The draft with the source that came for it: to be processed, by one job first.
    #[must_use]
    pub fn with_source(self, file_name: &str, file_type: FileType, size_bytes: i64) -> Self {
        Self {
            kind: file_type.kind,
            stage: Stage::Processing,
            file_name: file_name.to_owned(),
            media_type: file_type.media_type.to_owned(),
            size_bytes,
            doing: "waiting".into(),
            jobs_left: 1,
            ..self
        }
    }

    /// Publishes it as of `now_ms`, Unix milliseconds.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it is ready or withdrawn.
    pub fn publish(self, now_ms: i64) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Ready | Stage::Withdrawn => {
                Ok(Self { stage: Stage::Published, published_ms: Some(now_ms), ..self })
            }
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Hands it in to its library's review.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it is ready or withdrawn.
    pub fn submit(self) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Ready | Stage::Withdrawn => Ok(Self { stage: Stage::Submitted, ..self }),
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Publishes what was handed in, as of `now_ms`, Unix milliseconds: every step accepted it.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it was handed in.
    pub fn accept(self, now_ms: i64) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Submitted => {
                Ok(Self { stage: Stage::Published, published_ms: Some(now_ms), ..self })
            }
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Gives what was handed in back to its author.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it was handed in.
    pub fn give_back(self) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Submitted => Ok(Self { stage: Stage::Ready, ..self }),
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Takes it back; tickets given so far end.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it is published.
    pub fn withdraw(self) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Published => Ok(Self {
                stage: Stage::Withdrawn,
                published_ms: None,
                ticket_epoch: self.ticket_epoch + 1,
                ..self
            }),
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Ends the processing: all that its rows name is stored.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it is being processed.
    pub fn finish(self, publishing: Publishing, now_ms: i64) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Processing => {
                let ready =
                    Self { stage: Stage::Ready, progress: 1.0, doing: String::new(), ..self };
                match publishing {
                    Publishing::Automatic => ready.publish(now_ms),
                    Publishing::Manual => Ok(ready),
                }
            }
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Says that something was left out, by a code; false when it was said before.
    pub fn warn(&mut self, code: &str) -> bool {
        let fresh = !self.warnings.iter().any(|known| known == code);
        if fresh {
            self.warnings.push(code.to_owned());
        }
        fresh
    }

    /// Ends the processing because of `code`, about `info`.
    #[must_use]
    pub fn fail(self, code: &str, info: Option<String>) -> Self {
        Self {
            stage: Stage::Failed,
            doing: String::new(),
            failure: Some(code.to_owned()),
            failure_info: info,
            jobs_left: 0,
            ..self
        }
    }

    /// Ends the processing because somebody wants it ended; what was made of it is forgotten.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it is being processed.
    pub fn cancel(self) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Processing => Ok(Self {
                warnings: Vec::new(),
                poster: None,
                derived: Derived::default(),
                progress: 0.0,
                ..self.fail("cancelled", None)
            }),
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Begins the processing again, from its source or else its upload; what was made
    /// of it before is forgotten.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it failed.
    pub fn retry(self) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Failed => Ok(Self {
                stage: Stage::Processing,
                failure: None,
                failure_info: None,
                warnings: Vec::new(),
                poster: None,
                derived: Derived::default(),
                progress: 0.0,
                doing: "waiting".into(),
                ..self
            }),
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Deletes it; what it was made of can be collected.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] when it is deleted already.
    pub fn delete(self) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Deleted => Err(RuleError::WrongStage(Stage::Deleted)),
            _ => Ok(Self {
                stage: Stage::Deleted,
                published_ms: None,
                source: None,
                poster: None,
                plan: None,
                derived: Derived::default(),
                jobs_left: 0,
                ticket_epoch: self.ticket_epoch + 1,
                ..self
            }),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn resource(stage: Stage) -> Resource {
        let details = Details { title: "剪纸入门".into(), ..Details::default() };
        Resource { stage, ..Resource::draft(LibraryId::fresh(), AccountId::fresh(), details, 0) }
    }

    #[test]
    fn only_what_is_ready_is_published() {
        let published = resource(Stage::Ready).publish(7).expect("ready");
        assert_eq!((published.stage, published.published_ms), (Stage::Published, Some(7)));
        assert_eq!(
            resource(Stage::Processing).publish(7),
            Err(RuleError::WrongStage(Stage::Processing))
        );
    }

    #[test]
    fn a_withdrawal_ends_the_tickets() {
        let withdrawn = resource(Stage::Published).withdraw().expect("published");
        assert_eq!((withdrawn.stage, withdrawn.ticket_epoch), (Stage::Withdrawn, 1));
        assert_eq!(withdrawn.published_ms, None);
    }

    #[test]
    fn only_what_is_processed_is_cancelled_and_then_it_can_be_begun_again() {
        let cancelled = resource(Stage::Processing).cancel().expect("processing");
        assert_eq!(cancelled.failure.as_deref(), Some("cancelled"));
        assert_eq!(cancelled.retry().expect("failed").stage, Stage::Processing);
        let published = resource(Stage::Published).cancel();
        assert_eq!(published, Err(RuleError::WrongStage(Stage::Published)));
    }

    #[test]
    fn a_title_is_trimmed_and_must_be_there() {
        let details = |title: &str| Details { title: title.into(), ..Details::default() };
        assert_eq!(details("  太极 ").checked().expect("a title").title, "太极");
        assert!(details(" \n ").checked().is_err());
        assert!(details(&"长".repeat(1025)).checked().is_err());
    }

    #[test]
    fn unknown_topics_are_named() {
        let details =
            Details { title: "a".into(), topics: vec!["astrology".into()], ..Details::default() };
        let error = details.checked().expect_err("no such topic");
        assert_eq!(error.to_string(), "topics: \"astrology\" cannot be used");
    }
}
