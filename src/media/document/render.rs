//! Pages as pictures, by `pdftoppm`.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    ops::RangeInclusive,
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use transcode::picture::Picture;

use super::{
    Document, Error, PageSize, cannot,
    helper::{Program, Running, run},
};
use crate::media::ocr::Grey;

/// How wide the pictures of a page are, in pixels: to read, and to look over.
pub const WIDTHS: [u32; 2] = [1600, 480];

/// The largest side of a picture: a page that is much higher than wide comes narrower.
const MAX_SIDE: u32 = 8192;

/// Good for text on white; pictures on pages are not looked at closely.
const WEBP_QUALITY: u8 = 80;

/// The largest picture in grey, bytes.
const GREY_BYTES: u64 = 80 << 20;

/// How long one page may take.
const PAGE_TIME: Duration = Duration::from_secs(30);

/// The pictures of one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedPage {
    /// From 1.
    pub page: u32,
    /// There is nothing on it.
    pub blank: bool,
    /// One for each of [`WIDTHS`], in that order; none when the page cannot be shown.
    pub files: Vec<PageFile>,
}

/// One picture of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFile {
    /// In the scratch folder: `p00001-1600.webp`, page and width of [`WIDTHS`].
    pub name: String,
    /// In pixels; less than the name says for a page that is very high.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Of the file.
    pub size_bytes: u64,
}

/// Writes the pictures of some pages into `scratch` and tells each page to `done`, in order, as
/// soon as it is there.
///
/// A page that cannot be shown comes without files and is no error. Pages of one width are drawn
/// in one run of the program; one that stops the run is left out, and the next run begins
/// behind it.
///
/// # Errors
///
/// [`Error::Helper`], [`Error::Io`] and [`Error::Picture`] when nothing can be made here at all;
/// what was written stays.
pub fn render(
    source: &File,
    scratch: &Path,
    document: &Document,
    pages: RangeInclusive<u32>,
    done: &mut dyn FnMut(RenderedPage),
) -> Result<(), Error> {
    let last = (*pages.end()).min(document.pages);
    let mut page = (*pages.start()).max(1);
    while page <= last {
        let Some(width) = width_of(document, page) else {
            done(RenderedPage { page, blank: true, files: Vec::new() });
            page += 1;
            continue;
        };
        let alike = |next: &u32| width_of(document, *next) == Some(width);
        let end = page + u32::try_from((page + 1..=last).take_while(alike).count()).unwrap_or(0);
        let first = page;
        let drawn = draw(source, document, first..=end, width, &mut |picture| {
            let blank = Grey::of(&picture).is_blank();
            let files = write(scratch, page, encode(&picture)?)?;
            done(RenderedPage { page, blank, files });
            page += 1;
            Ok(())
        });
        match drawn {
            // What the program complains about at the end does not undo a page.
            _ if page > end => {}
            Err(error) if hopeless(&error) => return Err(error),
            // It may have stumbled over what came before: the page is tried alone, once.
            Ok(()) | Err(_) if page > first => {}
            Ok(()) | Err(_) => {
                done(RenderedPage { page, blank: true, files: Vec::new() });
                page += 1;
            }
        }
    }
    Ok(())
}

/// How large the large picture of a page will be, in pixels, give or take one; for a page that
/// cannot be drawn that of a white sheet.
pub fn picture_size(document: &Document, page: u32) -> (u32, u32) {
    let sheet = PageSize { width_pt: 595.0, height_pt: 842.0 };
    let size = document.page_size(page).unwrap_or(sheet);
    let width = width_of(document, page).unwrap_or(WIDTHS[0]);
    let height = f64::from(width) * f64::from(size.height_pt) / f64::from(size.width_pt);
    (width, whole(height.round().clamp(1.0, MAX_SIDE.into())))
}

/// How wide a page is drawn; None when it cannot be.
fn width_of(document: &Document, page: u32) -> Option<u32> {
    let PageSize { width_pt, height_pt } = document.page_size(page)?;
    let by_height = f64::from(MAX_SIDE) * f64::from(width_pt) / f64::from(height_pt);
    // Compared as numbers first: the quotient may be beyond any integer.
    let width = if by_height >= WIDTHS[0].into() { WIDTHS[0] } else { whole(by_height) };
    let height = f64::from(width) * f64::from(height_pt) / f64::from(width_pt);
    (width >= 1 && height >= 0.5).then_some(width)
}

#[expect(clippy::cast_sign_loss, reason = "a quotient of positive numbers, at most MAX_SIDE")]
fn whole(side: f64) -> u32 {
    side.floor() as u32
}

/// Whether another page would fail the same way.
fn hopeless(error: &Error) -> bool {
    matches!(error, Error::Helper { .. } | Error::Picture(_) | Error::Io { .. })
}

/// A page at each of [`WIDTHS`].
type Encoded = Vec<(u32, u32, Vec<u8>)>;

/// Draws the pages and gives each to `each`; fails with the first that cannot be drawn.
fn draw(
    source: &File,
    document: &Document,
    pages: RangeInclusive<u32>,
    width: u32,
    each: &mut dyn FnMut(Picture) -> Result<(), Error>,
) -> Result<(), Error> {
    let (from, to) = (pages.start().to_string(), pages.end().to_string());
    let wide = width.to_string();
    // Without the last one, a turned page would come as wide as it should be high.
    let arguments = [
        "-q",
        "-cropbox",
        "-f",
        &from,
        "-l",
        &to,
        "-scale-to-x",
        &wide,
        "-scale-to-y",
        "-1",
        "-scale-dimension-before-rotation",
    ];
    let mut running = Running::start(Program::Render, &arguments, source, PAGE_TIME)?;
    let mut stream = BufReader::with_capacity(1 << 20, running.output());
    let drawn: Result<(), Error> = pages.into_iter().try_for_each(|page| {
        let picture = read_picture(&mut stream)?;
        running.go_on();
        check_shape(&picture, document.page_size(page))?;
        each(picture)
    });
    drop(stream);
    // Ended too early or too late is more telling than the picture that was cut by it.
    let ended = running.end()?;
    drawn?;
    if ended.succeeded { Ok(()) } else { Err(Error::of_message(&ended.message)) }
}

/// A page in grey, to be read: at `dpi`, or less where it would be too large; `None` when it cannot
/// be drawn.
///
/// # Errors
///
/// [`Error::Helper`] and [`Error::Io`] when no page can be drawn here.
pub fn draw_grey(
    source: &File,
    size: PageSize,
    page: u32,
    dpi: u32,
) -> Result<Option<Grey>, Error> {
    let longest = f64::from(size.width_pt.max(size.height_pt)).max(1.0);
    let most = f64::from(MAX_SIDE) * 72.0 / longest;
    let (page, dpi) = (page.to_string(), format!("{:.2}", f64::from(dpi).min(most)));
    let arguments = ["-q", "-cropbox", "-gray", "-r", &dpi, "-f", &page, "-l", &page];
    match run(Program::Render, &arguments, source, PAGE_TIME, GREY_BYTES) {
        Ok(answer) => Ok(read_grey(&mut answer.bytes())),
        Err(error) if hopeless(&error) => Err(error),
        Err(_) => Ok(None),
    }
}

/// A picture in binary PGM, as pdftoppm writes it.
fn read_grey(stream: &mut &[u8]) -> Option<Grey> {
    let (width, height) = read_size(stream, "P5").ok()?;
    let luma = stream.get(..width as usize * height as usize)?.to_vec();
    Some(Grey { width, height, luma })
}

/// One picture of a stream of binary PPM, as pdftoppm writes it: `P6`, width and height, 255,
/// each on lines of their own.
fn read_picture(stream: &mut impl BufRead) -> Result<Picture, Error> {
    let (width, height) = read_size(stream, "P6")?;
    let mut rgb = vec![0; width as usize * height as usize * 3];
    stream.read_exact(&mut rgb).map_err(|_| not_drawn())?;
    Ok(Picture::new(width, height, rgb)?)
}

/// Width and height in the header of a picture that begins with `magic`.
fn read_size(stream: &mut impl BufRead, magic: &str) -> Result<(u32, u32), Error> {
    let mut header = String::new();
    for _ in 0..3 {
        stream.by_ref().take(64).read_line(&mut header).map_err(|_| not_drawn())?;
    }
    let fields: Vec<&str> = header.split_ascii_whitespace().collect();
    let [found, width, height, "255"] = fields[..] else { return Err(not_drawn()) };
    let side = |text: &str| text.parse().ok().filter(|side| (1..=MAX_SIDE + 1).contains(side));
    side(width).zip(side(height)).filter(|_| found == magic).ok_or_else(not_drawn)
}

fn not_drawn() -> Error {
    Error::Damaged("a page was not drawn".into())
}

/// A page that pdftoppm cannot find comes as one pixel or on letter paper.
fn check_shape(picture: &Picture, size: Option<PageSize>) -> Result<(), Error> {
    let size = size.unwrap_or_default();
    let expected = picture.width as f32 * size.height_pt / size.width_pt;
    if (expected - picture.height as f32).abs() <= 2.0 + expected * 0.01 {
        return Ok(());
    }
    Err(Error::Damaged(format!("a page was drawn as {}x{}", picture.width, picture.height)))
}

fn encode(picture: &Picture) -> Result<Encoded, Error> {
    WIDTHS
        .iter()
        .map(|width| {
            let scaled = picture.scale_to_width(*width);
            let scaled = scaled.fit(MAX_SIDE, MAX_SIDE);
            Ok((scaled.width, scaled.height, scaled.to_webp(WEBP_QUALITY)?))
        })
        .collect()
}

fn write(scratch: &Path, page: u32, pictures: Encoded) -> Result<Vec<PageFile>, Error> {
    let write = |(nominal, (width, height, bytes)): (&u32, (u32, u32, Vec<u8>))| {
        let name = format!("p{page:05}-{nominal}.webp");
        fs::write(scratch.join(&name), &bytes).map_err(cannot("write a picture of a page"))?;
        Ok(PageFile { name, width, height, size_bytes: bytes.len() as u64 })
    };
    WIDTHS.iter().zip(pictures).map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_never_drawn_too_large() {
        let document = |width_pt, height_pt| Document {
            pages: 1,
            page_sizes: vec![PageSize { width_pt, height_pt }],
            ..Document::default()
        };
        assert_eq!(width_of(&document(595.0, 842.0), 1), Some(1600));
        assert_eq!(width_of(&document(842.0, 595.0), 1), Some(1600));
        assert_eq!(width_of(&document(100.0, 10_000.0), 1), Some(81));
        assert_eq!(width_of(&document(1.0, 1.0e8), 1), None);
        assert_eq!(width_of(&document(1.0e8, 1.0), 1), None);
        assert_eq!(width_of(&document(0.0, 0.0), 1), None);
        assert_eq!(width_of(&document(595.0, 842.0), 2), None);
    }

    #[test]
    fn pictures_are_read_one_after_the_other() {
        let mut stream: &[u8] = b"P6\n1 2\n255\n\n\nabcdP6\n1 1\n255\nP6 P6\n9000 9000\n255\n";
        assert_eq!(read_picture(&mut stream).unwrap().rgb, *b"\n\nabcd");
        assert_eq!(read_picture(&mut stream).unwrap().rgb, *b"P6 ");
        assert_eq!(read_picture(&mut stream).unwrap_err().code(), "damaged");
        assert_eq!(read_picture(&mut stream).unwrap_err().code(), "damaged");
    }
}
