//! Slides inside a video: pictures that stand still for some seconds, as in a recorded lecture.
//!
//! A video is looked through by its key frames, which costs a small part of decoding it; what lies
//! between two of them is decoded where they are far apart or show different things. Frames are
//! compared as small grey pictures ([`Glance`]) by [`Watch`], which knows where a slide begins and
//! ends. Whether all of it looks like a lecture at all is decided at the end: films and what a camera
//! sees have no slides.

use std::path::Path;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::software::scaling::{Context, Flags};
use serde::{Deserialize, Serialize};

use crate::error::ff;
use crate::frame::{Look, share};
use crate::picture::Picture;
use crate::plan::{Plan, VideoPlan};
use crate::stills::{in_proportion, shown, upright, write};
use crate::{Error, Input, Sink};

mod glance;
mod read;
mod watch;

use glance::Glance;
use watch::{Still, Watch};

/// Pixels of the longer side of a slide's picture.
const LONG_SIDE: u32 = 1_280;

/// Good for text: see `picture`.
const QUALITY: u8 = 82;

/// More slides than this are none: a film of still pictures, or noise.
const MOST: usize = 500;

/// A slide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slide {
    /// File name of its picture, WebP.
    pub file: String,
    /// Media time from which on it is shown.
    pub start_ms: i64,
    /// Media time at which it is gone.
    pub end_ms: i64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Finds the slides of a video and writes their pictures into `out`; none, and pictures that are of no
/// use, when it does not look like a lecture with slides. Tells `on` the progress.
///
/// # Errors
///
/// [`Error::Io`] when `out` cannot be written, [`Error::Stopped`] or what `on` answered.
pub fn slides(
    input: &mut Input,
    plan: &Plan,
    out: &Path,
    on: &mut Sink,
) -> Result<Vec<Slide>, Error> {
    let Some(video) = &plan.video else { return Ok(Vec::new()) };
    let mut finder = Finder::new(video, out);
    read::samples(input, plan, video, on, &mut |time_ms, frame| finder.see(time_ms, frame))?;
    finder.end(plan.duration_ms)
}

/// What the reader is to do after a frame was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    /// This video has no slides, whatever comes.
    Stop,
}

/// Watches the frames and keeps the pictures of slides.
struct Finder<'a> {
    look: Look,
    out: &'a Path,
    eye: Eye,
    watch: Watch,
    /// The last frame that was seen.
    standing: Option<Video>,
    slides: Vec<(Slide, Still)>,
}

impl<'a> Finder<'a> {
    fn new(video: &VideoPlan, out: &'a Path) -> Self {
        let (width, height) = shown(video);
        let long = width.max(height);
        let to = long.min(LONG_SIDE);
        let (width, height) = (in_proportion(width, to, long), in_proportion(height, to, long));
        let look = Look { jpeg: true, ..Look::video(video, width, height) };
        let (eye, watch) = (Eye::default(), Watch::default());
        Self { look, out, eye, watch, standing: None, slides: Vec::new() }
    }

    fn see(&mut self, time_ms: i64, frame: &Video) -> Result<Next, Error> {
        let glance = self.eye.look(frame)?;
        if let Some(still) = self.watch.see(time_ms, glance) {
            self.keep(still)?;
        }
        self.standing = Some(share(frame)?);
        let hopeless = self.slides.len() > MOST || self.watch.is_hopeless();
        Ok(if hopeless { Next::Stop } else { Next::GoOn })
    }

    fn end(mut self, duration_ms: i64) -> Result<Vec<Slide>, Error> {
        if let Some(still) = self.watch.end(duration_ms) {
            self.keep(still)?;
        }
        let stills: Vec<&Still> = self.slides.iter().map(|(_, still)| still).collect();
        let lecture = self.slides.len() <= MOST && self.watch.is_lecture(&stills, duration_ms);
        Ok(if lecture {
            self.slides.into_iter().map(|(slide, _)| slide).collect()
        } else {
            Vec::new()
        })
    }

    /// Writes down what stood still until now; it may be the slide before, that only flickered.
    fn keep(&mut self, still: Still) -> Result<(), Error> {
        let Some(frame) = self.standing.take() else { return Ok(()) };
        if let Some((slide, last)) = self.slides.last_mut()
            && last.goes_on_as(&still)
        {
            slide.end_ms = still.end_ms;
            last.end_ms = still.end_ms;
            return Ok(());
        }
        let Some(frame) = upright(&self.look, frame)? else { return Ok(()) };
        let picture = picture(&frame)?;
        let file = format!("slide-{:04}.webp", self.slides.len());
        let webp = picture.to_webp(QUALITY);
        let webp = webp.map_err(|error| Error::unusable(format!("a slide: {error}")))?;
        write(self.out, &file, &webp)?;
        let (start_ms, end_ms) = (still.start_ms, still.end_ms);
        let (width, height) = (picture.width, picture.height);
        self.slides.push((Slide { file, start_ms, end_ms, width, height }, still));
        Ok(())
    }
}

/// Makes small grey pictures of frames.
#[derive(Default)]
struct Eye {
    context: Option<(Pixel, u32, u32, Context)>,
}

impl Eye {
    fn look(&mut self, frame: &Video) -> Result<Glance, Error> {
        let of = (frame.format(), frame.width(), frame.height());
        if self
            .context
            .as_ref()
            .is_none_or(|(format, width, height, _)| (*format, *width, *height) != of)
        {
            let to = (Pixel::GRAY8, glance::WIDTH as u32, glance::HEIGHT as u32);
            let context = Context::get(of.0, of.1, of.2, to.0, to.1, to.2, Flags::AREA);
            self.context = Some((of.0, of.1, of.2, context.map_err(ff("make a frame small"))?));
        }
        let Some((.., context)) = &mut self.context else { unreachable!("made above") };
        let mut small = Video::empty();
        context.run(frame, &mut small).map_err(ff("make a frame small"))?;
        let stride = small.stride(0).max(1);
        let rows = small.data(0).chunks(stride).take(glance::HEIGHT);
        Ok(Glance::new(rows.flat_map(|row| row.iter().take(glance::WIDTH).copied()).collect()))
    }
}

/// A frame as a picture.
fn picture(frame: &Video) -> Result<Picture, Error> {
    let (width, height) = (frame.width(), frame.height());
    let mut context =
        Context::get(frame.format(), width, height, Pixel::RGB24, width, height, Flags::BICUBIC)
            .map_err(ff("make a picture of a frame"))?;
    let mut rgb = Video::empty();
    context.run(frame, &mut rgb).map_err(ff("make a picture of a frame"))?;
    let (stride, row) = (rgb.stride(0).max(1), width as usize * 3);
    let rows = rgb.data(0).chunks(stride).take(height as usize);
    let bytes = rows.flat_map(|line| line.iter().take(row).copied()).collect();
    Picture::new(width, height, bytes).map_err(|error| Error::unusable(format!("a slide: {error}")))
}
