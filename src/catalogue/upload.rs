//! What may be uploaded, told from a file's name and its first bytes.

use super::Kind;

/// The type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileType {
    /// What it becomes.
    pub kind: Kind,
    /// Its media type.
    pub media_type: &'static str,
}

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Files with this ending, or such content, cannot be used.
    #[error("files of the type {0:?} are not supported")]
    Type(String),
    /// The type will be supported by a later version.
    #[error("files of the type {0:?} are not supported yet")]
    NotYet(String),
    /// Captions belong to a video or audio.
    #[error("captions are added to a video or audio")]
    Captions,
    /// The content is not what the name says.
    #[error("the file says {named} but holds {found}")]
    Mismatch {
        /// Kind by name.
        named: Kind,
        /// Kind by content.
        found: Kind,
    },
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// More than is allowed for one file.
    #[error("the file has {size_bytes} bytes, more than {limit_bytes}")]
    TooLarge {
        /// Of the file.
        size_bytes: i64,
        /// The most that is allowed.
        limit_bytes: i64,
    },
    /// The library's share is used up.
    #[error("the library has {free_bytes} bytes left, the file has {size_bytes}")]
    Quota {
        /// Of the file.
        size_bytes: i64,
        /// What is left.
        free_bytes: i64,
    },
    /// The server's disk is too full.
    #[error("the server's disk has {free_bytes} bytes free")]
    DiskFull {
        /// What is left.
        free_bytes: i64,
    },
}

impl Refusal {
    /// Code for the sentence that people read.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Type(_) => "type",
            // Those have a way out that is not PDF.
            Self::NotYet(ending) if matches!(ending.as_str(), "heic" | "heif") => "picture_heic",
            Self::NotYet(_) => "type_not_yet",
            Self::Captions => "captions_alone",
            Self::Mismatch { .. } => "type_mismatch",
            Self::Empty => "empty",
            Self::TooLarge { .. } => "too_large",
            Self::Quota { .. } => "quota",
            Self::DiskFull { .. } => "disk_full",
        }
    }

    /// What the sentence is about, in no language: an ending, kinds, or bytes.
    #[must_use]
    pub fn info(&self) -> String {
        match self {
            Self::Type(ending) | Self::NotYet(ending) => ending.clone(),
            Self::Mismatch { named, found } => format!("{named} {found}"),
            Self::TooLarge { size_bytes, limit_bytes } => format!("{size_bytes} {limit_bytes}"),
            Self::Quota { size_bytes, free_bytes } => format!("{size_bytes} {free_bytes}"),
            Self::Captions | Self::Empty | Self::DiskFull { .. } => String::new(),
        }
    }
}

const fn of(kind: Kind, media_type: &'static str) -> FileType {
    FileType { kind, media_type }
}

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
const PPSX: &str = "application/vnd.openxmlformats-officedocument.presentationml.slideshow";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const EPUB: &str = "application/epub+zip";

/// How a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentForm {
    /// Pages, as they are.
    Pdf,
    /// Pages, made by LibreOffice; of slides, when `deck`.
    Office {
        /// One page is one slide.
        deck: bool,
    },
    /// Chapters: EPUB, Markdown, HTML, plain text.
    Book,
}

/// Endings and what they stand for.
const ENDINGS: &[(&str, FileType)] = &[
    ("mp4", of(Kind::Video, "video/mp4")),
    ("m4v", of(Kind::Video, "video/mp4")),
    ("mov", of(Kind::Video, "video/quicktime")),
    ("mkv", of(Kind::Video, "video/x-matroska")),
    ("webm", of(Kind::Video, "video/webm")),
    ("avi", of(Kind::Video, "video/x-msvideo")),
    ("flv", of(Kind::Video, "video/x-flv")),
    ("wmv", of(Kind::Video, "video/x-ms-wmv")),
    ("asf", of(Kind::Video, "video/x-ms-asf")),
    ("3gp", of(Kind::Video, "video/3gpp")),
    ("3g2", of(Kind::Video, "video/3gpp2")),
    ("ts", of(Kind::Video, "video/mp2t")),
    ("mts", of(Kind::Video, "video/mp2t")),
    ("m2ts", of(Kind::Video, "video/mp2t")),
    ("mpg", of(Kind::Video, "video/mpeg")),
    ("mpeg", of(Kind::Video, "video/mpeg")),
    ("vob", of(Kind::Video, "video/mpeg")),
    ("ps", of(Kind::Video, "video/mpeg")),
    ("ogv", of(Kind::Video, "video/ogg")),
    ("mp3", of(Kind::Audio, "audio/mpeg")),
    ("m4a", of(Kind::Audio, "audio/mp4")),
    ("m4b", of(Kind::Audio, "audio/mp4")),
    ("aac", of(Kind::Audio, "audio/aac")),
    ("adts", of(Kind::Audio, "audio/aac")),
    ("flac", of(Kind::Audio, "audio/flac")),
    ("ogg", of(Kind::Audio, "audio/ogg")),
    ("oga", of(Kind::Audio, "audio/ogg")),
    ("opus", of(Kind::Audio, "audio/ogg")),
    ("wav", of(Kind::Audio, "audio/wav")),
    ("aif", of(Kind::Audio, "audio/aiff")),
    ("aiff", of(Kind::Audio, "audio/aiff")),
    ("wma", of(Kind::Audio, "audio/x-ms-wma")),
    ("amr", of(Kind::Audio, "audio/amr")),
    ("mka", of(Kind::Audio, "audio/x-matroska")),
    ("ac3", of(Kind::Audio, "audio/ac3")),
    ("pdf", of(Kind::Document, "application/pdf")),
    ("docx", of(Kind::Document, DOCX)),
    ("docm", of(Kind::Document, "application/vnd.ms-word.document.macroenabled.12")),
    ("doc", of(Kind::Document, "application/msword")),
    ("wps", of(Kind::Document, "application/wps-office.wps")),
    ("rtf", of(Kind::Document, "application/rtf")),
    ("odt", of(Kind::Document, "application/vnd.oasis.opendocument.text")),
    ("pptx", of(Kind::Document, PPTX)),
    ("pptm", of(Kind::Document, "application/vnd.ms-powerpoint.presentation.macroenabled.12")),
    ("ppsx", of(Kind::Document, PPSX)),
    ("ppt", of(Kind::Document, "application/vnd.ms-powerpoint")),
    ("pps", of(Kind::Document, "application/vnd.ms-powerpoint")),
    ("dps", of(Kind::Document, "application/wps-office.dps")),
    ("odp", of(Kind::Document, "application/vnd.oasis.opendocument.presentation")),
    ("xlsx", of(Kind::Document, XLSX)),
    ("xlsm", of(Kind::Document, "application/vnd.ms-excel.sheet.macroenabled.12")),
    ("xls", of(Kind::Document, "application/vnd.ms-excel")),
    ("et", of(Kind::Document, "application/wps-office.et")),
    ("ods", of(Kind::Document, "application/vnd.oasis.opendocument.spreadsheet")),
    ("epub", of(Kind::Document, EPUB)),
    ("txt", of(Kind::Document, "text/plain")),
    ("md", of(Kind::Document, "text/markdown")),
    ("markdown", of(Kind::Document, "text/markdown")),
    ("html", of(Kind::Document, "text/html")),
    ("htm", of(Kind::Document, "text/html")),
    ("xhtml", of(Kind::Document, "application/xhtml+xml")),
    ("jpg", of(Kind::Image, "image/jpeg")),
    ("jpeg", of(Kind::Image, "image/jpeg")),
    ("png", of(Kind::Image, "image/png")),
    ("webp", of(Kind::Image, "image/webp")),
    ("gif", of(Kind::Image, "image/gif")),
    ("bmp", of(Kind::Image, "image/bmp")),
    ("tif", of(Kind::Image, "image/tiff")),
    ("tiff", of(Kind::Image, "image/tiff")),
    ("avif", of(Kind::Image, "image/avif")),
];

/// Endings of what a later version takes.
const NOT_YET: &[&str] = &["h5p", "zip", "heic", "heif", "svg", "msg"];

/// Endings of captions.
const CAPTIONS: &[&str] = &["srt", "vtt", "ass", "ssa"];

impl FileType {
    /// By the ending of `file_name`, before a byte of it is here.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] for endings that are known not to be usable. A name
    /// without an ending is judged later, by its content.
    pub fn by_name(file_name: &str) -> Result<Option<Self>, Refusal> {
        let Some((_, ending)) = file_name.rsplit_once('.') else { return Ok(None) };
        let ending = ending.to_lowercase();
        if let Some((_, found)) = ENDINGS.iter().find(|(known, _)| *known == ending) {
            Ok(Some(*found))
        } else if CAPTIONS.contains(&ending.as_str()) {
            Err(Refusal::Captions)
        } else if NOT_YET.contains(&ending.as_str()) {
            Err(Refusal::NotYet(ending))
        } else {
            Err(Refusal::Type(ending))
        }
    }

    /// Endings of what is taken here, without their dots.
    pub fn endings() -> impl Iterator<Item = &'static str> {
        ENDINGS.iter().map(|(ending, _)| *ending)
    }

    /// How a document of this type is read.
    #[must_use]
    pub fn form(media_type: &str) -> DocumentForm {
        let is_deck = ["presentation", "powerpoint", "wps-office.dps"];
        match media_type {
            "application/pdf" => DocumentForm::Pdf,
            EPUB | "application/xhtml+xml" => DocumentForm::Book,
            text if text.starts_with("text/") => DocumentForm::Book,
            office => {
                DocumentForm::Office { deck: is_deck.iter().any(|word| office.contains(word)) }
            }
        }
    }

    /// The first ending of files of this type; empty for those that are not taken here.
    #[must_use]
    pub fn ending(media_type: &str) -> &'static str {
        let known = ENDINGS.iter().find(|(_, found)| found.media_type == media_type);
        known.map_or("", |(ending, _)| ending)
    }

    /// `text` when it is a media type that is taken here; else the one of unknown bytes.
    #[must_use]
    pub fn known_media_type(text: &str) -> &'static str {
        let known = ENDINGS.iter().find(|(_, found)| found.media_type == text);
        known.map_or("application/octet-stream", |(_, found)| found.media_type)
    }

    /// By the name and the first bytes of the content (4 KiB are enough).
    ///
    /// What a container holds (sound alone or pictures) is found out by the
    /// probe; here only families are told apart.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the content cannot be used or is not what the name says.
    pub fn by_content(file_name: &str, head: &[u8]) -> Result<Self, Refusal> {
        let named = Self::by_name(file_name)?;
        if head.is_empty() {
            return Err(Refusal::Empty);
        }
        match (named, sniff(head, named.map_or("", |named| named.media_type))) {
            // Whatever an office document says that it is, what it holds decides how it is read.
            (Some(named), Some(Sniffed::Is(found))) if found.kind == Kind::Document => {
                match named.kind {
                    Kind::Document => Ok(found),
                    _ => Err(Refusal::Mismatch { named: named.kind, found: found.kind }),
                }
            }
            (_, Some(Sniffed::Bad("heic"))) => Err(Refusal::NotYet("heic".to_owned())),
            (_, Some(Sniffed::Bad(what))) => Err(Refusal::Type(what.to_owned())),
            (Some(named), Some(Sniffed::Is(found))) => {
                if family(named.kind) == family(found.kind) {
                    Ok(if named.kind == found.kind { named } else { found })
                } else {
                    Err(Refusal::Mismatch { named: named.kind, found: found.kind })
                }
            }
            (None, Some(Sniffed::Is(found))) => Ok(found),
            // Streams without a signature at the front (MPEG-TS cut anywhere,
            // MP3 behind rubbish): the probe decides.
            (Some(named), None) if matches!(named.kind, Kind::Video | Kind::Audio) => Ok(named),
            (Some(named), None) => Err(Refusal::Type(format!("{}?", named.media_type))),
            (None, None) => Err(Refusal::Type(String::new())),
        }
    }
}

fn family(kind: Kind) -> u8 {
    match kind {
        Kind::Video | Kind::Audio => 0,
        Kind::Document => 1,
        Kind::Image => 2,
        Kind::Package => 3,
    }
}

enum Sniffed {
    Is(FileType),
    Bad(&'static str),
}

/// What packed documents look like, as far as they are not told apart by their names.
fn sniff_document(head: &[u8], named: &'static str) -> Option<Sniffed> {
    let is = |media_type| Some(Sniffed::Is(of(Kind::Document, media_type)));
    let holds = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    if head.starts_with(b"PK\x03\x04") {
        // The first file of such an archive says what it is (EPUB 3.3 OCF, section 4.2.2; ISO/IEC 26300-3
        // section 3.3).
        let said = head.get(30..).and_then(|rest| rest.strip_prefix(b"mimetype")).unwrap_or(&[]);
        let known = ENDINGS.iter().map(|(_, found)| found.media_type);
        let packed = |kind: &&str| *kind == EPUB || kind.contains("opendocument");
        if let Some(found) = known.filter(packed).find(|kind| said.starts_with(kind.as_bytes())) {
            return is(found);
        }
        let packed = named == EPUB || named.contains("openxml") || named.contains("opendocument");
        if packed || named.contains("macroenabled") {
            return is(named);
        }
        return match (holds(b"word/"), holds(b"ppt/"), holds(b"xl/")) {
            (true, ..) => is(DOCX),
            (_, true, _) => is(PPTX),
            (.., true) => is(XLSX),
            // An office document under another name; LibreOffice looks into it.
            _ if named.contains("office") || named.contains("ms") => is(named),
            _ => None,
        };
    }
    // A compound file, or RTF: the name tells which, and LibreOffice looks into it.
    let packed = head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    if head.starts_with(b"{\\rtf") || packed {
        let office = matches!(FileType::form(named), DocumentForm::Office { .. });
        return match named {
            _ if !named.is_empty() && office => is(named),
            _ if !packed => is("application/rtf"),
            _ => None,
        };
    }
    // Text has no mark of its own; what is not text has zeros, unless it is UTF-16.
    let marked = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let text = named != EPUB && FileType::form(named) == DocumentForm::Book;
    (text && (marked || !head.contains(&0))).then(|| Sniffed::Is(of(Kind::Document, named)))
}

fn sniff(head: &[u8], named: &'static str) -> Option<Sniffed> {
    let at = |offset: usize, magic: &[u8]| {
        head.get(offset..offset + magic.len()).is_some_and(|part| part == magic)
    };
    let is = |kind, media_type| Some(Sniffed::Is(of(kind, media_type)));
    if head.starts_with(b"%PDF-") {
        return is(Kind::Document, "application/pdf");
    }
    if let Some(found) = sniff_document(head, named) {
        return Some(found);
    }
    if head[..head.len().min(1024)].windows(5).any(|window| window == b"%PDF-") {
        return is(Kind::Document, "application/pdf");
    }
    if at(4, b"ftyp") {
        return match head.get(8..12) {
            Some(b"heic" | b"heix" | b"heim" | b"heis" | b"mif1" | b"msf1" | b"hevc") => {
                Some(Sniffed::Bad("heic"))
            }
            Some(b"avif" | b"avis") => is(Kind::Image, "image/avif"),
            Some(b"M4A " | b"M4B ") => is(Kind::Audio, "audio/mp4"),
            Some(b"qt  ") => is(Kind::Video, "video/quicktime"),
            _ => is(Kind::Video, "video/mp4"),
        };
    }
    let signatures: &[(usize, &[u8], Kind, &str)] = &[
        (4, b"moov", Kind::Video, "video/quicktime"),
        (4, b"mdat", Kind::Video, "video/quicktime"),
        (4, b"wide", Kind::Video, "video/quicktime"),
        (0, b"\x1a\x45\xdf\xa3", Kind::Video, "video/x-matroska"),
        (8, b"AVI ", Kind::Video, "video/x-msvideo"),
        (0, b"FLV\x01", Kind::Video, "video/x-flv"),
        (0, b"\x00\x00\x01\xba", Kind::Video, "video/mpeg"),
        (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind::Video, "video/x-ms-asf"),
        (0, b"ID3", Kind::Audio, "audio/mpeg"),
        (0, b"fLaC", Kind::Audio, "audio/flac"),
        (0, b"OggS", Kind::Audio, "audio/ogg"),
        (8, b"WAVE", Kind::Audio, "audio/wav"),
        (8, b"AIFF", Kind::Audio, "audio/aiff"),
        (8, b"AIFC", Kind::Audio, "audio/aiff"),
        (0, b"#!AMR", Kind::Audio, "audio/amr"),
        (0, b"\xff\xd8\xff", Kind::Image, "image/jpeg"),
        (0, b"\x89PNG\r\n\x1a\n", Kind::Image, "image/png"),
        (8, b"WEBP", Kind::Image, "image/webp"),
        (0, b"GIF8", Kind::Image, "image/gif"),
        (0, b"BM", Kind::Image, "image/bmp"),
        (0, b"II*\x00", Kind::Image, "image/tiff"),
        (0, b"MM\x00*", Kind::Image, "image/tiff"),
    ];
    if let Some((.., kind, media_type)) =
        signatures.iter().find(|(offset, magic, ..)| at(*offset, magic))
    {
        let found = match *media_type {
            "image/jpeg" => of(*kind, "image/jpeg"),
            media_type => {
                of(*kind, ENDINGS.iter().find(|(_, t)| t.media_type == media_type)?.1.media_type)
            }
        };
        return Some(Sniffed::Is(found));
    }
    let bad: &[(&[u8], &str)] = &[
        (b"MZ", "exe"),
        (b"\x7fELF", "elf"),
        (b"PK\x03\x04", "zip"),
        (b"Rar!", "rar"),
        (b"7z\xbc\xaf", "7z"),
        (b"\x1f\x8b", "gz"),
        (b"<!DOCTYPE", "html"),
        (b"<html", "html"),
        (b"<svg", "svg"),
        (b"<?xml", "xml"),
        (b"#EXTM3U", "m3u8"),
    ];
    bad.iter().find(|(magic, _)| at(0, magic)).map(|(_, name)| Sniffed::Bad(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_before_bytes() {
        assert_eq!(FileType::by_name("virus.EXE"), Err(Refusal::Type("exe".into())));
        assert_eq!(FileType::by_name("课件.h5p"), Err(Refusal::NotYet("h5p".into())));
        assert_eq!(FileType::by_name("a.srt"), Err(Refusal::Captions));
        assert_eq!(FileType::by_name("noending"), Ok(None));
        let mp4 = FileType::by_name("第01讲.MP4").expect("known").expect("named");
        assert_eq!(mp4.kind, Kind::Video);
    }

    #[test]
    fn content_that_is_not_what_the_name_says_is_refused() {
        let pdf = b"%PDF-1.7\n";
        assert_eq!(
            FileType::by_content("a.mp4", pdf),
            Err(Refusal::Mismatch { named: Kind::Video, found: Kind::Document })
        );
        assert_eq!(FileType::by_content("a.mp4", b"MZ\x90\x00"), Err(Refusal::Type("exe".into())));
        let heic = FileType::by_content("a.jpg", b"\0\0\0\x18ftypheic").expect_err("not yet");
        assert_eq!(heic.code(), "picture_heic");
        assert_eq!(FileType::by_name("a.HEIF").expect_err("not yet").code(), "picture_heic");
        let playlist = FileType::by_content("a.mp4", b"#EXTM3U\n#EXT-X");
        assert_eq!(playlist, Err(Refusal::Type("m3u8".into())));
        assert_eq!(FileType::by_content("a", pdf).expect("a document").kind, Kind::Document);
        assert!(FileType::by_content("a.png", b"hello").is_err());
    }

    #[test]
    fn documents_are_told_by_what_they_hold() {
        let type_of = |name: &str, head: &[u8]| {
            FileType::by_content(name, head).map(|found| FileType::ending(found.media_type))
        };
        let compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest";
        let book = [&b"PK\x03\x04"[..], &[0; 26], b"mimetypeapplication/epub+zip"].concat();
        let sheet = [&b"PK\x03\x04"[..], &[0; 26], b"[Content_Types].xml xl/workbook.xml"].concat();
        assert_eq!(type_of("a.docx", b"PK\x03\x04rest"), Ok("docx"));
        // One with a password is a compound file.
        assert_eq!(type_of("a.docx", compound), Ok("docx"));
        assert_eq!(type_of("a.xls", compound), Ok("xls"));
        assert_eq!(type_of("a.epub", &book), Ok("epub"));
        assert_eq!(type_of("a.docx", &book), Ok("epub"));
        assert_eq!(type_of("a", &sheet), Ok("xlsx"));
        assert_eq!(type_of("a.doc", b"{\\rtf1"), Ok("doc"));
        assert_eq!(type_of("a.doc", b"%PDF-1.7"), Ok("pdf"));
        assert_eq!(type_of("a.txt", "一段文字".as_bytes()), Ok("txt"));
        assert_eq!(type_of("a.html", b"<!DOCTYPE html>"), Ok("html"));
        assert_eq!(type_of("a.html", b"\xff\xfe<\0h\0"), Ok("html"));
        for (name, head) in [
            ("a.txt", &b"MZ\x90\0\0"[..]),
            ("a.md", b"PK\x03\x04"),
            ("a", compound),
            ("a.epub", b"plain"),
            ("a.docx", b"\0\0\0"),
        ] {
            assert!(matches!(type_of(name, head), Err(Refusal::Type(_))), "{name}");
        }
        let deck = |name: &str| {
            let found = FileType::by_name(name).expect("known").expect("named");
            FileType::form(found.media_type) == DocumentForm::Office { deck: true }
        };
        assert!(deck("a.pptx") && deck("a.odp") && deck("a.ppt") && !deck("a.docx"));
    }

    #[test]
    fn sound_behind_rubbish_is_left_to_the_probe() {
        let found = FileType::by_content("a.mp3", &[0x55; 4096]).expect("not refused");
        assert_eq!(found.kind, Kind::Audio);
    }
}
