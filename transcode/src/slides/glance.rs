//! A frame at a glance: small and grey, in blocks.

/// Pixels in a row and rows of a glance.
pub(super) const WIDTH: usize = 160;
pub(super) const HEIGHT: usize = 90;

/// The side of a block, pixels.
const SIDE: usize = 10;
const COLUMNS: usize = WIDTH / SIDE;

/// How many blocks a glance has.
pub(super) const BLOCKS: usize = COLUMNS * (HEIGHT / SIDE);

/// Mean difference of a block's pixels, of 255, from which on it shows something else. A line of text
/// that comes or goes brings 20 and more; what codecs do to a still picture stays below 3.
const CHANGED: u32 = 7;

/// Difference of a block's lightest and darkest pixel from which on there is something in it.
const CONTENT: u8 = 40;

/// Difference of a pixel from the block's ground from which on it belongs to what is shown, and of
/// one of those from before from which on it is gone.
const INK: u8 = 20;

/// With more than one in so many of those pixels gone, what was shown in the block is gone.
const LOST: usize = 3;

/// The same as [`CONTENT`] below which it is of one colour, as paper is and hardly anything that a camera sees.
const FLAT: u8 = 8;

/// What is in each block: some of [`BLOCKS`] bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks([bool; BLOCKS]);

impl Blocks {
    pub(super) fn count(&self) -> usize {
        self.0.iter().filter(|is| **is).count()
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] && other.0[at]))
    }

    pub(super) fn not(&self) -> Self {
        Self(self.0.map(|is| !is))
    }

    pub(super) fn of(is: impl Fn(usize) -> bool) -> Self {
        Self(std::array::from_fn(is))
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.0[at]
    }
}

/// A small grey picture.
#[derive(Debug, Clone)]
pub(super) struct Glance {
    luma: Vec<u8>,
    /// Blocks with something in them.
    pub(super) content: Blocks,
    /// Blocks of one colour.
    pub(super) flat: Blocks,
}

impl Glance {
    /// Of [`WIDTH`] times [`HEIGHT`] pixels; missing ones are black.
    pub(super) fn new(mut luma: Vec<u8>) -> Self {
        luma.resize(WIDTH * HEIGHT, 0);
        let spread = |at: usize| {
            let (least, most) = block(&luma, at)
                .fold((u8::MAX, 0), |(least, most), pixel| (least.min(pixel), most.max(pixel)));
            most - least
        };
        let spreads: [u8; BLOCKS] = std::array::from_fn(spread);
        let content = Blocks(spreads.map(|spread| spread >= CONTENT));
        let flat = Blocks(spreads.map(|spread| spread <= FLAT));
        Self { luma, content, flat }
    }

    /// Blocks that show something else than in `before`.
    pub(super) fn changed(&self, before: &Self) -> Blocks {
        Blocks::of(|at| {
            let pixels = block(&self.luma, at).zip(block(&before.luma, at));
            let sum: u32 = pixels.map(|(a, b)| u32::from(a.abs_diff(b))).sum();
            sum >= CHANGED * (SIDE * SIDE) as u32
        })
    }

    /// Blocks of `before` with something in them that is gone now: of what stood out from the block's
    /// ground, too much is another shade. What came beside it does not matter.
    pub(super) fn gone(&self, before: &Self) -> Blocks {
        Blocks::of(|at| {
            if !before.content.has(at) {
                return false;
            }
            let ground = ground(&before.luma, at);
            let stood = |pixel: u8| pixel.abs_diff(ground) >= INK;
            let pairs = block(&before.luma, at).zip(block(&self.luma, at));
            let (ink, lost) =
                pairs.filter(|(was, _)| stood(*was)).fold((0, 0), |(ink, lost), (was, is)| {
                    (ink + 1, lost + usize::from(was.abs_diff(is) >= INK))
                });
            lost * LOST > ink
        })
    }

    /// By how much the pixels of `blocks` differ from those in `before` on the average, in hundredths
    /// of a level.
    pub(super) fn noise(&self, before: &Self, blocks: &Blocks) -> usize {
        let looked_at = (0..BLOCKS).filter(|at| blocks.has(*at));
        let sum: usize = looked_at
            .flat_map(|at| block(&self.luma, at).zip(block(&before.luma, at)))
            .map(|(a, b)| usize::from(a.abs_diff(b)))
            .sum();
        sum * 100 / (blocks.count() * SIDE * SIDE).max(1)
    }
}

/// The shade that most of a block has: the middle one.
fn ground(luma: &[u8], at: usize) -> u8 {
    let mut pixels: Vec<u8> = block(luma, at).collect();
    let middle = pixels.len() / 2;
    *pixels.select_nth_unstable(middle).1
}

/// The pixels of a block.
fn block(luma: &[u8], at: usize) -> impl Iterator<Item = u8> {
    let first = at / COLUMNS * SIDE * WIDTH + at % COLUMNS * SIDE;
    (0..SIDE).flat_map(move |row| luma[first + row * WIDTH..][..SIDE].iter().copied())
}
