//! The answer of pdfinfo.

use super::{Document, Error, MAX_PAGES, PageSize};
use crate::media::captions::lines::tidy;

/// The longest title or name that is kept, in characters.
const MAX_TITLE: usize = 1024;

/// Parses lines `Key: value` and `Page N size: W x H pts` of `pdfinfo -f 1 -l N`.
///
/// # Errors
///
/// [`Error::Damaged`] without a number of pages, [`Error::Empty`], [`Error::TooManyPages`].
pub(super) fn parse(answer: &str, max_pages: u32) -> Result<Document, Error> {
    let mut document = Document::default();
    let mut pages = None;
    let mut rotations = Vec::new();
    for line in answer.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key {
            "Title" => document.title = tidy(value, MAX_TITLE),
            "Author" => document.author = tidy(value, MAX_TITLE),
            // The last one counts: a title with a line break could bring an earlier one.
            "Pages" => pages = value.parse::<u32>().ok(),
            "Encrypted" => document.restricted = value.starts_with("yes"),
            _ => page_line(key, value, &mut document.page_sizes, &mut rotations),
        }
    }
    document.pages = match pages {
        None => return Err(Error::Damaged("it does not say how many pages it has".into())),
        Some(0) => return Err(Error::Empty),
        Some(many) if many > max_pages.min(MAX_PAGES) => return Err(Error::TooManyPages(many)),
        Some(pages) => pages,
    };
    for page in rotations {
        if let Some(size) = document.page_sizes.get_mut(page) {
            *size = PageSize { width_pt: size.height_pt, height_pt: size.width_pt };
        }
    }
    document.page_sizes.resize(document.pages as usize, PageSize::default());
    Ok(document)
}

/// `Page    3 size` with `595.28 x 841.89 pts (A4)`, or `Page    3 rot` with `90`.
fn page_line(key: &str, value: &str, sizes: &mut Vec<PageSize>, turned: &mut Vec<usize>) {
    let mut words = key.split_whitespace();
    let (Some("Page"), Some(number), Some(what), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return;
    };
    let Some(page) = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)) else {
        return;
    };
    if page >= MAX_PAGES as usize {
        return;
    }
    match what {
        "size" => {
            let Some(size) = size(value) else { return };
            if sizes.len() <= page {
                sizes.resize(page + 1, PageSize::default());
            }
            sizes[page] = size;
        }
        "rot" if matches!(value, "90" | "270") => turned.push(page),
        _ => {}
    }
}

/// `W x H pts`, both in the range that PDF 1.7 allows with user units (up to 200 inches, times
/// 75,000 at most; what is beyond is not believed).
fn size(value: &str) -> Option<PageSize> {
    let mut words = value.split_whitespace();
    let width_pt: f32 = words.next()?.parse().ok()?;
    let height_pt: f32 = words.nth(1)?.parse().ok()?;
    let believed = |side: f32| (0.01..1.0e9).contains(&side);
    (believed(width_pt) && believed(height_pt)).then_some(PageSize { width_pt, height_pt })
}
