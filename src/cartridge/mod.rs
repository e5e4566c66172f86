//! Courses as IMS Common Cartridge 1.3 (GB/T 36347): what other learning systems take in.
//!
//! Plain code: what is in the cartridge comes from the edge, where its files are from the store.
//! It is written from front to back, so that it can be sent while it is made.

mod manifest;
mod page;

use std::io::{self, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub use self::page::{Medium, Player, page};

/// Media type of cartridges (registered with IANA).
pub const MEDIA_TYPE: &str = "application/vnd.ims.imsccv1p3";

/// A course as a cartridge.
#[derive(Debug, Clone, PartialEq)]
pub struct Cartridge {
    /// Letters and digits.
    pub id: String,
    /// Of the course.
    pub title: String,
    /// Plain text; may be empty.
    pub description: String,
    /// BCP 47 of its texts.
    pub language: String,
    /// Words it is found by.
    pub keywords: Vec<String>,
    /// Who teaches; may be empty.
    pub teachers: String,
    /// Libraries and others that what is in it comes from.
    pub sources: Vec<String>,
    /// In words; may be empty.
    pub licence: String,
    /// Of learning.
    pub hours: Option<f64>,
    /// Its address.
    pub url: String,
    /// In their order.
    pub sections: Vec<Section>,
}

/// A part of the course.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// Empty: its lessons stand by themselves.
    pub title: String,
    /// In their order.
    pub lessons: Vec<Lesson>,
}

/// A lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// Letters and digits, of which there is no other in the course.
    pub id: String,
    /// As shown.
    pub title: String,
    /// What is in the cartridge for it.
    pub content: Content,
}

/// What is in a cartridge for a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file, named by its key in the store, with the ending of its name.
    File(String, &'static str),
    /// A page of HTML.
    Page(String),
    /// An address.
    Link(String),
}

impl Lesson {
    /// Path of its file in the cartridge.
    fn path(&self) -> String {
        match &self.content {
            Content::File(_, ending) => format!("files/{}.{ending}", self.id),
            Content::Page(_) => format!("pages/{}.html", self.id),
            // An object of its own kind stands in a folder of its own (profile, section 1.4).
            Content::Link(_) => format!("links/{}/link.xml", self.id),
        }
    }
}

/// Writes the cartridge. `open` opens a file by its key.
///
/// # Errors
///
/// Those of `out` and of `open`.
pub fn write<R: Read>(
    cartridge: &Cartridge,
    out: impl Write,
    mut open: impl FnMut(&str) -> io::Result<R>,
) -> io::Result<()> {
    let mut zip = ZipWriter::new_stream(out);
    let text = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    // Documents and pictures are compressed already.
    let file =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    zip.start_file("imsmanifest.xml", text)?;
    zip.write_all(manifest::manifest(cartridge).as_bytes())?;
    for lesson in cartridge.sections.iter().flat_map(|section| &section.lessons) {
        match &lesson.content {
            Content::File(key, _) => {
                let mut source = open(key)?;
                zip.start_file(lesson.path(), file)?;
                io::copy(&mut source, &mut zip)?;
            }
            Content::Page(html) => {
                zip.start_file(lesson.path(), text)?;
                zip.write_all(html.as_bytes())?;
            }
            Content::Link(url) => {
                zip.start_file(lesson.path(), text)?;
                zip.write_all(manifest::link(&lesson.title, url).as_bytes())?;
            }
        }
    }
    zip.finish()?.into_inner().flush()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    pub(super) fn cartridge() -> Cartridge {
        let lesson = |id: &str, title: &str, content| Lesson {
            id: id.to_owned(),
            title: title.to_owned(),
            content,
        };
        Cartridge {
            id: "c1".into(),
            title: "剪纸 <入门> & \"团花\"\u{1}".into(),
            description: "第一行\n第二行".into(),
            language: "zh".into(),
            keywords: vec!["文化艺术".into()],
            teachers: "王守海;李,四".into(),
            sources: vec!["岚山区图书馆".into()],
            licence: "CC BY 4.0".into(),
            hours: Some(1.5),
            url: "https://learn.example/courses/c1".into(),
            sections: vec![
                Section {
                    title: String::new(),
                    lessons: vec![lesson("a", "讲义", Content::File("key".into(), "pdf"))],
                },
                Section {
                    title: "第二单元".into(),
                    lessons: vec![
                        lesson("b", "视频", Content::Page("<!DOCTYPE html>".into())),
                        lesson("c", "远处", Content::Link("https://x.example/?a=1&b=2".into())),
                    ],
                },
            ],
        }
    }

    #[test]
    fn every_file_that_the_manifest_names_is_there() {
        let mut out = Vec::new();
        write(&cartridge(), &mut out, |key| Ok(Cursor::new(format!("content of {key}"))))
            .expect("written");
        let mut archive = zip::ZipArchive::new(Cursor::new(out)).expect("an archive");
        let mut read = |name: &str| {
            let mut text = String::new();
            archive.by_name(name).expect(name).read_to_string(&mut text).expect("read");
            text
        };
        let manifest = read("imsmanifest.xml");
        for (name, start, named) in [
            ("files/a.pdf", "content of key", 2),
            ("pages/b.html", "<!DOCTYPE html>", 2),
            ("links/c/link.xml", "<?xml", 1),
        ] {
            assert!(read(name).starts_with(start), "{name}");
            assert_eq!(manifest.matches(&format!("href=\"{name}\"")).count(), named, "{name}");
        }
        assert!(read("links/c/link.xml").contains("?a=1&amp;b=2"));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error() {
        let gone = |_: &str| -> io::Result<io::Empty> { Err(io::ErrorKind::NotFound.into()) };
        assert!(write(&cartridge(), Vec::new(), gone).is_err());
    }
}
