//! Leaves out frames that show nothing new, so that slides and screens cost what they show.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;

use crate::Error;
use crate::frame::share;

/// The side of a block, in samples.
const BLOCK: usize = 8;

/// How much a block may differ and still show the same.
///
/// The source's encoder refines and flickers a page that stands still by up to 500 a block and 60
/// a sample where it was coarse; a caret, a cursor or a changed letter brings thousands, or at
/// least a sample that turns from dark to light.
struct Limit {
    /// Sum of the absolute differences of its samples.
    block: u16,
    /// The largest difference of one sample.
    sample: u8,
}

const LUMA: Limit = Limit { block: 576, sample: 80 };

/// Colours are smoother in the source and change less for the same surprise.
const CHROMA: Limit = Limit { block: 288, sample: 40 };

/// The picture is new when its samples differ by `1/NOISE` on average. Pages that stand still stay
/// below a 28th; a slow fade and film of a scene where nothing moves do not.
const NOISE: u64 = 16;

/// Compares each frame with the last one that was kept, so that small changes add up.
pub(super) struct Sieve {
    active: bool,
    gop: i64,
    kept: Option<(Video, i64)>,
    sums: Vec<u16>,
}

impl Sieve {
    /// `gop` is the distance of key frames, in ticks.
    pub(super) fn new(active: bool, gop: i64) -> Self {
        Self { active, gop: gop.max(1), kept: None, sums: Vec::new() }
    }

    /// Is the frame to be encoded? The first one behind each key frame's place always is: they count
    /// from the media's start, so all parts decide alike at their borders.
    pub(super) fn keeps(&mut self, frame: &Video) -> Result<bool, Error> {
        let Some(time) = frame.pts().filter(|_| self.active) else { return Ok(true) };
        let slot = time.div_euclid(self.gop);
        if let Some((kept, last)) = &self.kept
            && *last == slot
            && are_alike(kept, frame, &mut self.sums)
        {
            return Ok(false);
        }
        self.kept = Some((share(frame)?, slot));
        Ok(true)
    }
}

/// Do both show the same, but for noise? Only planes of 8 bits are compared.
fn are_alike(a: &Video, b: &Video, sums: &mut Vec<u16>) -> bool {
    let comparable = matches!(
        a.format(),
        Pixel::YUV420P | Pixel::YUVJ420P | Pixel::YUV422P | Pixel::YUV444P | Pixel::YUVJ444P
    );
    let same_kind = (a.format(), a.width(), a.height()) == (b.format(), b.width(), b.height());
    comparable
        && same_kind
        && (0..a.planes()).all(|i| {
            let limit = if i == 0 { LUMA } else { CHROMA };
            Plane::of(a, i).is_like(&Plane::of(b, i), &limit, sums)
        })
}

/// One component of a picture.
struct Plane<'a> {
    samples: &'a [u8],
    stride: usize,
    width: usize,
    height: usize,
}

impl<'a> Plane<'a> {
    fn of(frame: &'a Video, index: usize) -> Self {
        let size = |side: u32| usize::try_from(side).unwrap_or(0);
        Self {
            samples: frame.data(index),
            stride: frame.stride(index),
            width: size(frame.plane_width(index)),
            height: size(frame.plane_height(index)),
        }
    }

    fn row(&self, y: usize) -> &[u8] {
        let begin = y * self.stride;
        self.samples.get(begin..begin + self.width).unwrap_or_default()
    }

    /// Compares bands of blocks from the top and stops at the first that is new.
    fn is_like(&self, other: &Self, limit: &Limit, sums: &mut Vec<u16>) -> bool {
        let most = (self.width * self.height) as u64 / NOISE;
        let mut noise = 0;
        for top in (0..self.height).step_by(BLOCK) {
            let rows = top..(top + BLOCK).min(self.height);
            let mut rows = rows.map(|y| (self.row(y), other.row(y))).filter(|(a, b)| a != b);
            let Some(first) = rows.next() else { continue };
            sums.clear();
            sums.resize(self.width.div_ceil(BLOCK), 0);
            for (a, b) in std::iter::once(first).chain(rows) {
                if largest_difference(a, b) >= limit.sample {
                    return false;
                }
                add_differences(sums, a, b);
            }
            noise += sums.iter().map(|&sum| u64::from(sum)).sum::<u64>();
            if noise >= most || sums.iter().any(|&sum| sum >= limit.block) {
                return false;
            }
        }
        true
    }
}

/// The largest absolute difference of two rows' samples. It goes through the whole row: that is
/// what compilers make vectors of.
fn largest_difference(a: &[u8], b: &[u8]) -> u8 {
    a.iter().zip(b).fold(0, |most, (&a, &b)| most.max(a.abs_diff(b)))
}

/// Adds the absolute differences of two rows to their blocks' sums; at most 64 times 255 each.
fn add_differences(sums: &mut [u16], a: &[u8], b: &[u8]) {
    for ((sum, a), b) in sums.iter_mut().zip(a.chunks(BLOCK)).zip(b.chunks(BLOCK)) {
        *sum += a.iter().zip(b).map(|(&a, &b)| u16::from(a.abs_diff(b))).sum::<u16>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 320;
    const FRAME: i64 = 3_000;

    /// Light paper with lines of dark marks.
    fn page() -> Video {
        let mut frame = Video::new(Pixel::YUV420P, WIDTH as u32, 180);
        (0..3).for_each(|i| frame.data_mut(i).fill(128));
        paint(&mut frame, 0, (0, 0, WIDTH, 180), |_| 235);
        for line in 1..8 {
            paint(&mut frame, 0, (20, line * 20, 280, 10), |x| if x % 3 == 0 { 16 } else { 235 });
        }
        frame
    }

    /// Sets samples of a plane inside (x, y, width, height), by their x.
    fn paint(
        frame: &mut Video,
        plane: usize,
        (x, y, width, height): (usize, usize, usize, usize),
        value: impl Fn(usize) -> u8,
    ) {
        let stride = frame.stride(plane);
        for row in y..y + height {
            for column in x..x + width {
                frame.data_mut(plane)[row * stride + column] = value(column);
            }
        }
    }

    /// Which of the frames, 30 a second, are kept.
    fn kept(frames: impl IntoIterator<Item = Video>) -> Vec<usize> {
        let mut sieve = Sieve::new(true, 90_000);
        let mut kept = Vec::new();
        for (i, mut frame) in frames.into_iter().enumerate() {
            frame.set_pts(Some(i as i64 * FRAME));
            if sieve.keeps(&frame).unwrap() {
                kept.push(i);
            }
        }
        kept
    }

    fn kept_after_page(change: impl FnOnce(&mut Video)) -> bool {
        let mut changed = page();
        change(&mut changed);
        kept([page(), changed]) == [0, 1]
    }

    #[test]
    fn a_page_that_stands_is_kept_once_for_each_key_frame() {
        assert_eq!(kept((0..90).map(|_| page())), [0, 30, 60]);
    }

    #[test]
    fn noise_of_the_sources_encoder_is_nothing_new() {
        let flickering = |i: usize| {
            let mut frame = page();
            // As seen around letters: half of a block by 16, some samples by 50.
            paint(&mut frame, 0, (40, 40, 8, 4), |x| 200 + 16 * (i % 2) as u8 + x as u8 % 2);
            paint(&mut frame, 0, (96, 48, 1, 1), |_| 150 + 50 * (i % 2) as u8);
            frame
        };
        assert_eq!(kept((0..30).map(flickering)), [0]);
    }

    #[test]
    fn small_things_are_seen() {
        let line = |frame: &mut Video| paint(frame, 0, (300, 100, 1, 12), |_| 16);
        assert!(kept_after_page(line), "a caret");
        // An l becomes a 1: some samples, grey on light.
        let letter = |frame: &mut Video| paint(frame, 0, (310, 101, 3, 1), |_| 120);
        assert!(kept_after_page(letter), "a letter");
        let pale = |frame: &mut Video| paint(frame, 0, (304, 96, 8, 8), |_| 225);
        assert!(kept_after_page(pale), "a pale mark");
        let colour = |frame: &mut Video| paint(frame, 1, (152, 50, 2, 2), |_| 190);
        assert!(kept_after_page(colour), "a colour");
    }

    #[test]
    fn a_cursor_on_its_way_is_seen_at_each_step() {
        let step = |i: usize| {
            let mut frame = page();
            paint(&mut frame, 0, (200 + i, 4, 8, 12), |_| 60);
            frame
        };
        assert_eq!(kept((0..20).map(step)).len(), 20);
    }

    #[test]
    fn what_changes_slowly_adds_up() {
        let fade = |i: usize| {
            let mut frame = page();
            paint(&mut frame, 0, (0, 0, WIDTH, 180), |_| 100 + i as u8);
            frame
        };
        assert_eq!(kept((0..20).map(fade)).len(), 20, "all of the picture");
        let glow = |i: usize| {
            let mut frame = page();
            paint(&mut frame, 0, (304, 96, 8, 8), |_| 100 + i as u8);
            frame
        };
        assert_eq!(kept((0..28).map(glow)), [0, 9, 18, 27], "a spot");
    }

    #[test]
    fn another_size_is_another_picture() {
        let small = || {
            let mut frame = Video::new(Pixel::YUV420P, 160, 90);
            (0..3).for_each(|i| frame.data_mut(i).fill(128));
            frame
        };
        assert_eq!(kept([page(), small(), small(), page()]), [0, 1, 3]);
    }
}
