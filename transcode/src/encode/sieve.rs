//! Leaves out frames that show nothing new, so that slides and screens cost what they show.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;

use crate::Error;
use crate::frame::share;
use crate::time::VIDEO_SCALE;

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

/// The picture is new when its samples differ by a `1/NOISE` on average: a slow fade does.
const NOISE: u64 = 2;

/// A frame is kept at least this often, in ticks.
const BEAT: i64 = VIDEO_SCALE as i64;

/// Compares each frame with the last one that was kept, so that small changes add up.
pub(super) struct Sieve {
    active: bool,
    gop: i64,
    kept: Option<(Video, (i64, i64))>,
    sums: Vec<u16>,
}

impl Sieve {
    /// `gop` is the distance of key frames, in ticks.
    pub(super) fn new(active: bool, gop: i64) -> Self {
        Self { active, gop: gop.max(1), kept: None, sums: Vec::new() }
    }

    /// Is the frame to be encoded? The first one in each second and behind each key frame's place
    /// is, counted from the media's start, so that all parts decide alike at their borders.
    pub(super) fn keeps(&mut self, frame: &Video) -> Result<bool, Error> {
        let Some(time) = frame.pts().filter(|_| self.active) else { return Ok(true) };
        let slot = (time.div_euclid(BEAT), time.div_euclid(self.gop));
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
            if rows.clone().all(|y| self.row(y) == other.row(y)) {
                continue;
            }
            sums.clear();
            sums.resize(self.width.div_ceil(BLOCK), 0);
            for y in rows {
                let (a, b) = (self.row(y), other.row(y));
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
