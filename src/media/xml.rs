//! XML of strangers: no document type with declarations of its own, no nesting without end.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Why XML is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It declares entities or the like: what "a billion laughs" and reading other files need.
    #[error("the XML has declarations of its own")]
    Declarations,
    /// Too many elements within each other.
    #[error("the XML nests too deep")]
    Deep,
    /// It is not well formed.
    #[error("the XML is not well formed: {0}")]
    Malformed(String),
}

impl Error {
    /// A code for the sentence that people read.
    #[must_use]
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Declarations => "xml_declarations",
            Self::Deep => "xml_deep",
            Self::Malformed(_) => "archive_damaged",
        }
    }
}

/// The text of XML: UTF-8, or UTF-16 with a mark.
#[must_use]
pub(super) fn decode(bytes: &[u8]) -> String {
    let (text, ..) = encoding_rs::UTF_8.decode(bytes);
    text.into_owned()
}

/// Refuses XML with declarations and such as nests more than `max_depth`. What is not well formed
/// passes: that is for who reads it.
///
/// # Errors
///
/// [`Error::Declarations`] and [`Error::Deep`].
pub(super) fn check(bytes: &[u8], max_depth: usize) -> Result<(), Error> {
    match walk(&decode(bytes), max_depth, |_| {}) {
        Err(Error::Malformed(_)) => Ok(()),
        checked => checked,
    }
}

/// Tells `each` of all events of `text`, in order.
///
/// # Errors
///
/// [`Error`].
pub(super) fn walk<'a>(
    text: &'a str,
    max_depth: usize,
    mut each: impl FnMut(&Event<'a>),
) -> Result<(), Error> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event().map_err(|error| Error::Malformed(error.to_string()))?;
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::DocType(kind) if kind.contains('[') || kind.contains("<!") => {
                return Err(Error::Declarations);
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
        if depth > max_depth {
            return Err(Error::Deep);
        }
        each(&event);
    }
}

/// The value of an attribute, by its name without a prefix.
#[must_use]
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes().with_checks(false).flatten().find_map(|attribute| {
        let found = attribute.key.local_name();
        (found.as_ref() == name).then(|| text_of(&attribute.value))
    })
}

/// `raw` with its references resolved, as far as XML itself knows them.
#[must_use]
pub(super) fn text_of(raw: &str) -> String {
    quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_owned(), |text| text.into_owned())
}
