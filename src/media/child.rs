//! What runs inside the media child.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use transcode::picture::{self, Picture};
use transcode::{Event, Input, Plan, Policy};

use super::document::{self, Document, PageText, RenderedPage};
use super::protocol::{Answer, Failure, PageAnswer, PagePoster, Request, Step};
use super::{book, captions, ocr, office, prints, records, sandbox, sheet, speech};

/// Largest side of a picture that is shown.
const MAX_PICTURE_SIDE: u32 = 4096;

/// Largest side of a picture in a book.
const MAX_FIGURE_SIDE: u32 = 1600;

/// Box that posters of documents and pictures fit in.
const POSTER_BOX: (u32, u32) = (960, 960);

/// Pages whose text is read by one run of the helper, which has a limit of time.
const TEXTS_A_RUN: u32 = 20;

/// How often steps that are silent by themselves say that they go on.
const BEAT: Duration = Duration::from_secs(10);

/// Computing between two beats that shows that a step goes on: reading takes more, sleeping less.
const MOVED: Duration = Duration::from_millis(1);

const WEBP_QUALITY: u8 = 82;
const JPEG_QUALITY: u8 = 85;

/// Reads the request in the current folder, shuts itself in, and does what it
/// asks with the file on standard input. Returns the exit code.
///
/// To be called before anything else in `main`: the sandbox needs a process
/// with one thread.
#[must_use]
pub fn run() -> u8 {
    let result = read_request().and_then(|request| {
        end_with_parent(request.parent)?;
        enter(&request)?;
        let input = std::io::stdin().as_fd().try_clone_to_owned().map_err(io)?;
        work(request.step, File::from(input))
    });
    let last = match result {
        Ok(()) => Answer::Done,
        Err(failure) => Answer::Failed(failure),
    };
    let failed = matches!(last, Answer::Failed(_));
    match tell(&last) {
        Ok(()) if !failed => 0,
        _ => 1,
    }
}

fn read_request() -> Result<Request, Failure> {
    let text = std::fs::read("request.json").map_err(io)?;
    serde_json::from_slice(&text).map_err(|error| failure("internal", &error, false))
}

/// The kernel ends this process when the worker ends, however it ends.
fn end_with_parent(parent: u32) -> Result<(), Failure> {
    // Without it a child goes on until its next answer finds no reader.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    // It may have ended before.
    let now = rustix::process::getppid().map(|id| id.as_raw_nonzero().get().unsigned_abs());
    if now == Some(parent) { Ok(()) } else { Err(failure("internal", &"the worker is gone", true)) }
}

fn enter(request: &Request) -> Result<(), Failure> {
    let scratch = std::env::current_dir().map_err(io)?;
    let entered = if request.insecure {
        sandbox::enter_as_far_as_possible(&scratch, &request.limits)
    } else {
        sandbox::enter(&scratch, &request.limits)
    };
    entered.map(drop).map_err(|error| failure("sandbox", &error, false))
}

fn work(step: Step, source: File) -> Result<(), Failure> {
    let out = Path::new(".");
    match step {
        Step::Probe(policy) => probe(*policy, source, out),
        Step::Copy(plan) => {
            let mut input = open(source)?;
            transcode::copy_video(&mut input, &plan, out, &mut told).map_err(media)
        }
        Step::EncodePart(plan, part, rungs) => {
            let mut input = open(source)?;
            transcode::encode_part(&mut input, &plan, part, &rungs, out, &mut told).map_err(media)
        }
        Step::EncodeAudio(plan) => {
            let mut input = open(source)?;
            transcode::encode_audio(&mut input, &plan, out, &mut told).map_err(media)
        }
        Step::Derive(plan) => derive(&plan, source, out),
        Step::Convert { ending, limits, time_ms } => {
            let time = Duration::from_millis(time_ms);
            let here = std::env::current_dir().map_err(io)?;
            let mut source = source;
            let notes = beating(|| office::convert(&mut source, &here, &ending, &limits, time))
                .map_err(|error| failure(&error.code(), &error, error.is_transient()))?;
            tell(&Answer::Converted(notes)).map_err(io)
        }
        Step::Book { media_type, limits } => {
            let read = beating(|| book::read(&source, &media_type, &limits, &mut tell_of_book));
            tell(&Answer::Book(Box::new(read?))).map_err(io)
        }
        Step::Slides(plan) => {
            let mut input = open(source)?;
            let slides = transcode::slides(&mut input, &plan, out, &mut told).map_err(media)?;
            tell(&Answer::Slides(slides)).map_err(io)
        }
        Step::Prints(plan, most_ms) => {
            let mut input = open(source)?;
            let made = prints::of_media(&mut input, &plan, most_ms, &mut told).map_err(media)?;
            tell(&Answer::Prints(made)).map_err(io)
        }
        Step::PicturePrints { max_pixels } => {
            let picture = picture::decode_within(source, max_pixels).map_err(of_picture)?;
            let made = prints::of_picture(&picture).map_err(media)?;
            tell(&Answer::Prints(made)).map_err(io)
        }
        Step::Inspect { max_pages } => beating(|| inspect(&source, max_pages)),
        Step::Pages { first, last } => beating(|| pages(&source, out, first, last)),
        Step::Picture { max_pixels } => picture(source, max_pixels),
        Step::Listen(listen) => {
            let mut input = open(source)?;
            let progress = |share| tell(&Answer::Media(Event::Progress(share)));
            let heard = beating(|| speech::listen(&mut input, &listen, progress));
            tell(&Answer::Heard(heard.map_err(of_speech)?)).map_err(io)
        }
        Step::RecognisePages(pages, options) => {
            beating(|| recognise_pages(&source, out, &pages, &options))
        }
        Step::RecognisePicture { max_pixels, options } => {
            let picture = picture::decode_within(source, max_pixels).map_err(of_picture)?;
            let grey = ocr::Grey::of(&picture);
            drop(picture);
            beating(|| recognise(&grey, 1, out, &options))
        }
        Step::Records { max_depth } => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut &source, &mut bytes).map_err(io)?;
            let answer = records::read(&bytes, max_depth)
                .map_err(|code| failure(code, &"an answer of OAI-PMH", false))?;
            tell(&Answer::Harvested(Box::new(answer))).map_err(io)
        }
        Step::Sheet { limits, max_rows, max_cells } => beating(|| {
            sheet::read(&source, &limits, (max_rows, max_cells), &mut |rows| {
                tell(&Answer::Sheet(rows))
            })
            .map_err(|error| failure(error.code(), &error, error.is_transient()))
        }),
        Step::Captions { name } => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut &source, &mut bytes).map_err(io)?;
            let captions = captions::parse(&bytes, &name)
                .map_err(|error| failure(&format!("captions_{}", error.code()), &name, false))?;
            tell(&Answer::Captions(captions)).map_err(io)
        }
    }
}

fn open(source: File) -> Result<Input, Failure> {
    Input::open(source).map_err(media)
}

/// Says what is in the source and makes what one begins to play with.
fn probe(policy: Policy, source: File, out: &Path) -> Result<(), Failure> {
    let mut input = open(source)?;
    let probe = beating(|| transcode::probe(&mut input)).map_err(media)?;
    let mut policy = policy;
    let mut made = Vec::new();
    let copies = |plan: &Plan| plan.video.as_ref().is_some_and(|video| video.copy.is_some());
    if let Ok(plan) = &transcode::plan(&probe, &policy)
        && copies(plan)
    {
        // Only the making shows whether a copy is possible, so nothing is told before it.
        let mut keep = |event| {
            made.push(event);
            Ok(())
        };
        match transcode::first_part(&mut input, plan, out, &mut keep) {
            Err(error) if error.is_transient() => return Err(media(error)),
            copied => policy.copy_video = copied.is_ok(),
        }
    }
    let plan = transcode::plan(&probe, &policy);
    tell(&Answer::Probe(Box::new(probe), policy.copy_video)).map_err(io)?;
    match plan {
        Ok(plan) if copies(&plan) => made.into_iter().try_for_each(told).map_err(media),
        Ok(plan) => transcode::first_part(&mut input, &plan, out, &mut told).map_err(media),
        // The worker finds the same refusal.
        Err(_) => Ok(()),
    }
}

fn derive(plan: &Plan, source: File, out: &Path) -> Result<(), Failure> {
    let mut input = open(source)?;
    let stills = transcode::stills(&mut input, plan, out, &mut told).map_err(media)?;
    tell(&Answer::Stills(stills)).map_err(io)?;
    if plan.subtitles.is_empty() {
        return Ok(());
    }
    let subtitles = beating(|| transcode::extract_subtitles(&mut input, plan)).map_err(media)?;
    tell(&Answer::Subtitles(subtitles)).map_err(io)
}

/// Says what is in a document, and then what its pages say, which is quick beside drawing them.
fn inspect(source: &File, max_pages: u32) -> Result<(), Failure> {
    let document = document::inspect(source, max_pages).map_err(of_document)?;
    tell(&Answer::Document(Box::new(document.clone()))).map_err(io)?;
    let mut first = 1;
    while first <= document.pages {
        let last = document.pages.min(first + TEXTS_A_RUN - 1);
        for text in document::text(source, &document, first..=last).map_err(of_document)? {
            tell(&Answer::PageText(text)).map_err(io)?;
        }
        first = last + 1;
    }
    Ok(())
}

fn pages(source: &File, out: &Path, first: u32, last: u32) -> Result<(), Failure> {
    let document = document::sizes(source, first..=last).map_err(of_document)?;
    let mut result = Ok(());
    document::render(source, out, &document, first..=last, &mut |page| {
        if result.is_ok() {
            result = tell_page(&document, &page);
        }
    })
    .map_err(of_document)?;
    result
}

fn recognise_pages(
    source: &File,
    out: &Path,
    pages: &[u32],
    options: &ocr::Options,
) -> Result<(), Failure> {
    for &page in pages {
        let document = document::sizes(source, page..=page).map_err(of_document)?;
        let size = document.page_size(page).unwrap_or_default();
        let drawn = document::draw_grey(source, size, page, options.dpi).map_err(of_document)?;
        if let Some(grey) = drawn {
            recognise(&grey, page, out, options)?;
        }
    }
    Ok(())
}

/// Tells what is read in a picture; nothing, when that takes too long.
fn recognise(
    grey: &ocr::Grey,
    page: u32,
    out: &Path,
    options: &ocr::Options,
) -> Result<(), Failure> {
    match ocr::read(grey, out, options) {
        Ok(text) => tell(&Answer::PageText(PageText { page, ..text })).map_err(io),
        Err(document::Error::Timeout(_)) => Ok(()),
        Err(error) => Err(of_document(error)),
    }
}

/// Tells of a page. One that cannot be shown is told as a white sheet, so that
/// the numbers of the others stay right.
fn tell_page(document: &Document, page: &RenderedPage) -> Result<(), Failure> {
    let number = page.page;
    let answer = match page.files.as_slice() {
        [large, small] => PageAnswer {
            page: number,
            blank: page.blank,
            width: large.width,
            height: large.height,
            large: large.name.clone(),
            small: small.name.clone(),
            poster: None,
        },
        _ => white_page(document, number)?,
    };
    let poster = if number == 1 { Some(page_poster(&answer.large)?) } else { None };
    tell(&Answer::Page(PageAnswer { poster, ..answer })).map_err(io)
}

fn white_page(document: &Document, number: u32) -> Result<PageAnswer, Failure> {
    let ratio = document
        .page_size(number)
        .map_or(1.414, |size| f64::from(size.height_pt) / f64::from(size.width_pt))
        .clamp(0.2, 5.0);
    let mut names = Vec::new();
    for width in document::WIDTHS {
        let height = (f64::from(width) * ratio).round() as u32;
        let rgb = vec![255; width as usize * height as usize * 3];
        let sheet = Picture::new(width, height, rgb).map_err(of_picture)?;
        let name = format!("p{number:05}-{width}-white.webp");
        std::fs::write(&name, sheet.to_webp(WEBP_QUALITY).map_err(of_picture)?).map_err(io)?;
        names.push((name, width, height));
    }
    let [(large, width, height), (small, ..)] = names.try_into().expect("two widths");
    Ok(PageAnswer { page: number, blank: true, width, height, large, small, poster: None })
}

/// Tells of a chapter, or makes a picture anew and tells of it; one that cannot be read is left
/// out, and its description stands in its place.
fn tell_of_book(told: book::Told) -> Result<(), Failure> {
    let (number, bytes) = match told {
        book::Told::Chapter(chapter) => return tell(&Answer::Chapter(chapter)).map_err(io),
        book::Told::Figure(number, bytes) => (number, bytes),
    };
    let name = format!("f{number:05}");
    std::fs::write(&name, bytes).map_err(io)?;
    let Ok(picture) = picture::decode(File::open(&name).map_err(io)?) else { return Ok(()) };
    // What it was made of takes no more place.
    std::fs::write(&name, []).map_err(io)?;
    let file = format!("{name}.webp");
    let shown = picture.fit(MAX_FIGURE_SIDE, MAX_FIGURE_SIDE);
    std::fs::write(&file, shown.to_webp(WEBP_QUALITY).map_err(of_picture)?).map_err(io)?;
    let poster = match number {
        0 => {
            let poster = picture.fit(POSTER_BOX.0, POSTER_BOX.1);
            let file = "poster.jpg".to_owned();
            std::fs::write(&file, poster.to_jpeg(JPEG_QUALITY).map_err(of_picture)?).map_err(io)?;
            Some(PagePoster { file, width: poster.width, height: poster.height })
        }
        _ => None,
    };
    tell(&Answer::Figure(book::Figure { number, file, poster })).map_err(io)
}

impl From<book::Error> for Failure {
    fn from(error: book::Error) -> Self {
        failure(error.code(), &error, error.is_transient())
    }
}

fn page_poster(large: &str) -> Result<PagePoster, Failure> {
    let page = picture::decode(File::open(large).map_err(io)?).map_err(of_picture)?;
    let poster = page.fit(POSTER_BOX.0, POSTER_BOX.1);
    let file = "poster.jpg".to_owned();
    std::fs::write(&file, poster.to_jpeg(JPEG_QUALITY).map_err(of_picture)?).map_err(io)?;
    Ok(PagePoster { file, width: poster.width, height: poster.height })
}

fn picture(source: File, max_pixels: u64) -> Result<(), Failure> {
    let picture = picture::decode_within(source, max_pixels).map_err(of_picture)?;
    let large = picture.fit(MAX_PICTURE_SIDE, MAX_PICTURE_SIDE);
    let poster = picture.fit(POSTER_BOX.0, POSTER_BOX.1);
    std::fs::write("large.webp", large.to_webp(WEBP_QUALITY).map_err(of_picture)?).map_err(io)?;
    std::fs::write("poster.jpg", poster.to_jpeg(JPEG_QUALITY).map_err(of_picture)?).map_err(io)?;
    let (poster_width, poster_height) = (poster.width, poster.height);
    let (width, height) = (large.width, large.height);
    tell(&Answer::Picture { width, height, poster_width, poster_height }).map_err(io)
}

/// Says that `work`, which says nothing by itself, goes on, as long as it really does: it
/// computes, or waits for a helper, which has a time of its own. What spins meets the limit of
/// computing, what sleeps falls silent.
fn beating<T>(work: impl FnOnce() -> T) -> T {
    beating_every(BEAT, computed, || tell(&Answer::Working).is_ok(), work)
}

fn beating_every<T>(
    beat: Duration,
    computed: impl Fn() -> Duration + Send,
    say: impl Fn() -> bool + Send,
    work: impl FnOnce() -> T,
) -> T {
    let (stop, stopped) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut before = computed();
            while stopped.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                let now = computed();
                let goes_on = now.saturating_sub(before) >= MOVED
                    || document::helper_works()
                    || speech::command_works();
                if goes_on && !say() {
                    break;
                }
                before = now;
            }
        });
        let result = work();
        drop(stop);
        result
    })
}

/// How long all threads of this process have computed.
#[expect(unsafe_code, reason = "clock_gettime(2) has no safe wrapper here")]
fn computed() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` outlives the call, which writes nothing else; it stays 0 when it fails.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

fn told(event: Event) -> Result<(), transcode::Error> {
    let doing = "tell the worker".to_owned();
    tell(&Answer::Media(event)).map_err(|source| transcode::Error::Io { doing, source })
}

fn tell(answer: &Answer) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let mut pipe = std::io::stdout().lock();
    pipe.write_all(&line)?;
    pipe.flush()
}

fn failure(code: &str, info: &dyn std::fmt::Display, transient: bool) -> Failure {
    Failure { code: code.to_owned(), info: info.to_string(), transient }
}

fn io(error: std::io::Error) -> Failure {
    failure("internal", &error, true)
}

fn media(error: transcode::Error) -> Failure {
    let transient = error.is_transient();
    failure(if transient { "internal" } else { "media_damaged" }, &error, transient)
}

fn of_document(error: document::Error) -> Failure {
    failure(&format!("document_{}", error.code()), &error, error.is_transient())
}

fn of_speech(error: speech::Error) -> Failure {
    match error {
        speech::Error::Sound(error) => media(error),
        error => failure(error.code(), &error.info(), false),
    }
}

fn of_picture(error: picture::Error) -> Failure {
    if let picture::Error::TooLarge { width, height, bytes } = error {
        // A file that is too large is not even looked into.
        let size = match width {
            0 => format!("{} MB", bytes.div_ceil(1_000_000)),
            _ => format!("{width}×{height}"),
        };
        return failure("picture_too_large", &size, false);
    }
    failure(&format!("picture_{}", error.code()), &error, error.is_transient())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_step_that_hangs_falls_silent_and_one_that_computes_does_not() {
        let said = AtomicUsize::new(0);
        let say = || said.fetch_add(1, Ordering::Relaxed) < usize::MAX;
        let work = || thread::sleep(Duration::from_millis(300));
        beating_every(Duration::from_millis(20), || Duration::from_secs(7), say, work);
        assert_eq!(said.load(Ordering::Relaxed), 0);
        let begun = std::time::Instant::now();
        beating_every(Duration::from_millis(20), || begun.elapsed(), say, work);
        assert!(said.load(Ordering::Relaxed) >= 3);
    }

    #[test]
    fn computing_is_measured() {
        let before = computed();
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(100) {
            std::hint::spin_loop();
        }
        assert!(computed() - before >= MOVED);
    }
}
