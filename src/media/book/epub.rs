//! EPUB 2 and 3: a zip archive of chapters in XHTML (EPUB 3.3, OCF).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::{Arc, PoisonError};

use quick_xml::events::Event;

use super::clean::{Places, clean};
use super::opf::{Entry, Item, Package, entries};
use super::{Book, ContentsItem, Error, MAX_CHAPTERS, MAX_TITLE, Told, chapter, scan, xhtml};
use crate::media::archive::{Archive, Limits};
use crate::media::captions::lines::tidy;
use crate::media::{captions, xml};

/// Where the package document is named.
const CONTAINER: &str = "META-INF/container.xml";

/// Fonts are scrambled by these, so that they cannot be taken out; text is not.
const FONT_SCRAMBLING: [&str; 2] =
    ["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"];

/// Reads the book and tells `each` of its chapters, then of its pictures.
pub(super) fn read<E: From<Error>>(
    source: &File,
    limits: &Limits,
    each: &mut dyn FnMut(Told) -> Result<(), E>,
) -> Result<Book, E> {
    let mut epub = Epub::open(source, limits)?;
    let entries = epub.entries()?;
    let chapters = epub.chapters();
    if chapters.is_empty() {
        return Err(Error::Damaged("nothing is read").into());
    }
    if chapters.len() > MAX_CHAPTERS {
        return Err(Error::TooMany.into());
    }
    let places = Arc::new(epub.places(&chapters));
    let mut said = false;
    for (number, file) in (1..).zip(&chapters) {
        let text = epub.text(file)?.unwrap_or_default();
        let html = xhtml::to_html(&text, limits.max_depth).map_err(Error::from)?;
        let html = clean(html.as_deref().unwrap_or(&text), file, &places);
        let named = entries.iter().find(|entry| entry.file == *file);
        let title = named.map(|entry| entry.title.clone()).or_else(|| first_heading(&html));
        let made = chapter(number, title.unwrap_or_default(), &html, limits)?;
        said |= !made.passages.is_empty() || html.contains("<img");
        each(Told::Chapter(made))?;
    }
    if !said {
        return Err(Error::Empty.into());
    }
    epub.tell_pictures(&places, each)?;
    let Package { title, author, language, right_to_left, .. } = epub.package;
    Ok(Book {
        title,
        author,
        language,
        right_to_left,
        chapters: u32::try_from(chapters.len()).unwrap_or(u32::MAX),
        contents: contents(entries, &places),
    })
}

struct Epub<'a> {
    archive: Archive<&'a File>,
    package: Package,
    max_depth: usize,
}

impl<'a> Epub<'a> {
    fn open(source: &'a File, limits: &Limits) -> Result<Self, Error> {
        let mut archive = Archive::open(source, limits)?;
        // Some were packed with the folder that they were in.
        let container = archive.find(|name| name.ends_with(CONTAINER));
        let container = container.ok_or(Error::Damaged("there is no container"))?;
        let root = container.trim_end_matches(CONTAINER).to_owned();
        let mut text = |name: &str| -> Result<Option<String>, Error> {
            Ok(archive.read(name)?.map(|bytes| xml::decode(&bytes)))
        };
        if let Some(locks) = text(&format!("{root}META-INF/encryption.xml"))?
            && is_locked(&locks, limits.max_depth)?
        {
            return Err(Error::Locked);
        }
        let said = text(&container)?.unwrap_or_default();
        let file = rootfile(&said, limits.max_depth)?;
        let file = format!("{root}{}", file.ok_or(Error::Damaged("there is no package"))?);
        let package = text(&file)?.ok_or(Error::Damaged("there is no package"))?;
        let package = Package::parse(&package, &file, limits.max_depth)?;
        Ok(Self { archive, package, max_depth: limits.max_depth })
    }

    /// A text of the archive, in whatever encoding it is.
    fn text(&mut self, file: &str) -> Result<Option<String>, Error> {
        let bytes = self.archive.read(file)?;
        Ok(bytes.map(|bytes| captions::decode(&bytes).unwrap_or_else(|| xml::decode(&bytes))))
    }

    /// The table of contents; empty when there is none that can be read.
    fn entries(&mut self) -> Result<Vec<Entry>, Error> {
        let tables = [self.package.nav().cloned(), self.package.ncx().cloned()];
        for Item { file, .. } in tables.into_iter().flatten() {
            let Some(text) = self.text(&file)? else { continue };
            match entries(&text, &file, self.max_depth) {
                Ok(found) if !found.is_empty() => return Ok(found),
                Err(error @ Error::Archive(_)) if !is_malformed(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(Vec::new())
    }

    /// Files that are read, in order, each once.
    fn chapters(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let read = self.package.spine.iter().filter_map(|id| self.package.items.get(id));
        read.filter(|item| item.media_type.contains("html") || item.media_type.contains("xml"))
            .map(|item| item.file.clone())
            .filter(|file| seen.insert(file.clone()))
            .collect()
    }

    fn places(&self, chapters: &[String]) -> Places {
        let numbered = chapters.iter().cloned().zip(1..);
        let pictures = self.package.items.values().filter(|item| {
            item.media_type.starts_with("image/") && item.media_type != "image/svg+xml"
        });
        Places {
            chapters: numbered.collect(),
            pictures: pictures.map(|item| item.file.clone()).collect(),
            ..Places::default()
        }
    }

    fn tell_pictures<E: From<Error>>(
        &mut self,
        places: &Places,
        each: &mut dyn FnMut(Told) -> Result<(), E>,
    ) -> Result<(), E> {
        let cover = self.package.cover().map(|item| (item.file.clone(), 0));
        let named: HashMap<String, u32> =
            places.figures.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut named: Vec<(String, u32)> = named.into_iter().chain(cover).collect();
        named.sort_by_key(|(_, number)| *number);
        named.truncate(MAX_CHAPTERS);
        for (file, number) in named {
            if let Some(bytes) = self.archive.read(&file).map_err(Error::from)? {
                each(Told::Figure(number, bytes))?;
            }
        }
        Ok(())
    }
}

fn is_malformed(error: &Error) -> bool {
    matches!(error, Error::Archive(crate::media::archive::Error::Xml(xml::Error::Malformed(_))))
}

fn rootfile(container: &str, max_depth: usize) -> Result<Option<String>, Error> {
    let mut found = None;
    xml::walk(container, max_depth, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event
            && tag.local_name().as_ref() == "rootfile"
            && found.is_none()
        {
            found = xml::attribute(tag, "full-path");
        }
    })?;
    Ok(found)
}

/// Whether more than fonts is encrypted.
fn is_locked(encryption: &str, max_depth: usize) -> Result<bool, Error> {
    let mut locked = false;
    xml::walk(encryption, max_depth, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event
            && tag.local_name().as_ref() == "EncryptionMethod"
        {
            let way = xml::attribute(tag, "Algorithm").unwrap_or_default();
            locked |= !FONT_SCRAMBLING.contains(&way.as_str());
        }
    })?;
    Ok(locked)
}

fn first_heading(html: &str) -> Option<String> {
    let begin = ["<h1", "<h2", "<h3"].iter().find_map(|tag| html.find(tag))?;
    let end = begin + html[begin..].find("</h")?;
    tidy(&scan::text(&html[begin..end], usize::MAX).ok()?, MAX_TITLE)
}

fn contents(entries: Vec<Entry>, places: &Places) -> Vec<ContentsItem> {
    let item = |entry: Entry| {
        let chapter = *places.chapters.get(&entry.file)?;
        let Entry { title, anchor, depth, .. } = entry;
        Some(ContentsItem { title, chapter, anchor: plain(anchor), depth })
    };
    entries.into_iter().filter_map(item).collect()
}

/// An anchor that is part of an address as it is; else none.
fn plain(anchor: String) -> String {
    let fits =
        anchor.len() <= 256 && !anchor.contains(|c: char| c.is_control() || "\"<>'& ".contains(c));
    if fits { anchor } else { String::new() }
}
