//! A public resource as others are told of it.

use crate::catalogue::{
    Kind, LICENCES, Library, Resource, TOPICS, Term, Vouched, label_of, licence_href,
};

/// A public resource with its library.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// It.
    pub resource: &'a Resource,
    /// Whose it is.
    pub library: &'a Library,
    /// Who vouches for what is local about it.
    pub vouched: &'a [Vouched],
    /// Scheme and authority of this site; no slash at the end.
    pub origin: &'a str,
}

impl Item<'_> {
    /// Address of its page.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}/resources/{}", self.origin, self.resource.id)
    }

    /// Address of the file as it was uploaded, for others who may copy it: where its licence lets
    /// everybody.
    #[must_use]
    pub fn file(&self) -> Option<String> {
        self.resource.source?;
        licence_href(&self.resource.details.licence)?;
        Some(format!("{}/media/{}/original", self.origin, self.resource.id))
    }

    /// Its topics, where the list has them.
    pub fn topics(&self) -> impl Iterator<Item = &'static Term> {
        let codes = &self.resource.details.topics;
        TOPICS.iter().filter(|term| codes.iter().any(|code| code == term.code))
    }

    /// Who publishes it.
    #[must_use]
    pub fn publisher(&self) -> &str {
        let said = &self.resource.details.particulars.publisher;
        if said.is_empty() { &self.library.name } else { said }
    }

    /// The type of the DCMI Type Vocabulary.
    #[must_use]
    pub fn dcmi_type(&self) -> &'static str {
        match self.resource.kind {
            Kind::Video => "MovingImage",
            Kind::Audio => "Sound",
            Kind::Document => "Text",
            Kind::Image => "StillImage",
            Kind::Package => "InteractiveResource",
        }
    }

    /// What may be done with it: where its licence can be read, else its words; may be empty.
    #[must_use]
    pub fn rights(&self) -> String {
        let licence = &self.resource.details.licence;
        licence_href(licence).unwrap_or_else(|| label_of(LICENCES, licence, true).to_owned())
    }

    /// The primary language in lower case, as LOM and `xml:lang` have it.
    #[must_use]
    pub fn language(&self) -> Option<String> {
        let language = self.resource.details.language.as_deref()?;
        let (primary, rest) = language.split_once('-').unwrap_or((language, ""));
        let primary = primary.to_ascii_lowercase();
        Some(if rest.is_empty() { primary } else { format!("{primary}-{rest}") })
    }

    /// The day it was published, `2026-11-26`.
    #[must_use]
    pub fn day(&self) -> Option<String> {
        Some(second(self.resource.published_ms?).get(..10)?.to_owned())
    }
}

/// UTC to the second, `2026-11-26T09:30:00Z`, of Unix milliseconds.
#[must_use]
pub(super) fn second(unix_ms: i64) -> String {
    jiff::Timestamp::from_second(unix_ms.div_euclid(1000))
        .map(|time| time.to_string())
        .unwrap_or_default()
}
