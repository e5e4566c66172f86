//! What a picture looks like, as 255 bits: the signs of its lowest frequencies.
//!
//! A picture is made small, grey and square, and cosines (DCT-II) say how light and shade lie in it.
//! Of each only the sign is kept, so that brightness, contrast, size, codec and a small logo change
//! few bits, while two pictures that have nothing to do with each other differ in about half of them.

use std::f32::consts::PI;
use std::sync::LazyLock;

/// The side of the small grey picture, pixels.
pub(super) const SIDE: usize = 96;

/// The side of what frequencies are taken of, pixels.
const FINE: usize = 32;

/// Frequencies in each direction.
const WAVES: usize = 16;

/// No row or column of a bar is lighter than this, of 255: black of a codec has up to 20.
const DARK: u8 = 36;

/// A picture whose shades deviate less than this from their mean shows nothing: a black or white frame.
const DULL: f32 = 5.0;

/// The bits of a look, low frequencies first; the last bit is not used.
pub type Bits = [u64; 4];

/// A small grey picture, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grey(pub(super) Vec<u8>);

impl Grey {
    /// Turned clockwise by `rotation` degrees, then mirrored, as the frame is shown.
    pub(super) fn upright(self, rotation: u16, mirrored: bool) -> Self {
        if rotation == 0 && !mirrored {
            return self;
        }
        let last = SIDE - 1;
        let from = |x: usize, y: usize| {
            let x = if mirrored { last - x } else { x };
            match rotation {
                90 => (y, last - x),
                180 => (last - x, last - y),
                270 => (last - y, x),
                _ => (x, y),
            }
        };
        let pixels = (0..SIDE * SIDE).map(|at| {
            let (x, y) = from(at % SIDE, at / SIDE);
            self.0[y * SIDE + x]
        });
        Self(pixels.collect())
    }

    /// Whether no pixel is another shade than in `other`, but for what a codec does.
    pub(super) fn is_still(&self, other: &Self) -> bool {
        const NOISE: u8 = 14;
        self.0.iter().zip(&other.0).all(|(one, other)| one.abs_diff(*other) <= NOISE)
    }
}

/// A part of a picture: left, top, right, bottom, in pixels of [`SIDE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Window {
    /// What is not black bars in all of `pictures`; all where that would be little.
    pub(super) fn within_bars<'a>(pictures: impl Iterator<Item = &'a Grey>) -> Self {
        let (mut rows, mut columns) = ([0_u8; SIDE], [0_u8; SIDE]);
        for picture in pictures {
            for (at, shade) in picture.0.iter().enumerate() {
                rows[at / SIDE] = rows[at / SIDE].max(*shade);
                columns[at % SIDE] = columns[at % SIDE].max(*shade);
            }
        }
        let ((top, bottom), (left, right)) = (lit(&rows), lit(&columns));
        Self { left, top, right, bottom }
    }

    /// The same without these shares of its width and height at the left, top, right and bottom.
    pub(super) fn without(self, left: f32, top: f32, right: f32, bottom: f32) -> Self {
        let (width, height) = (self.right - self.left, self.bottom - self.top);
        Self {
            left: self.left + left * width,
            top: self.top + top * height,
            right: self.right - right * width,
            bottom: self.bottom - bottom * height,
        }
    }
}

/// From the first to behind the last that is lit; all of it when that is less than a third.
fn lit(most: &[u8; SIDE]) -> (f32, f32) {
    let first = most.iter().position(|shade| *shade > DARK).unwrap_or(0);
    let last = most.iter().rposition(|shade| *shade > DARK).map_or(0, |last| last + 1);
    if last < first + SIDE / 3 { (0.0, SIDE as f32) } else { (first as f32, last as f32) }
}

/// The look of the part of a picture in `window`; `None` when there is nothing to be seen.
pub(super) fn look(picture: &Grey, window: Window) -> Option<Bits> {
    let fine = shrink(picture, window);
    let count = (FINE * FINE) as f32;
    let mean = fine.iter().sum::<f32>() / count;
    let deviation = (fine.iter().map(|shade| (shade - mean).powi(2)).sum::<f32>() / count).sqrt();
    (deviation >= DULL).then(|| signs(&waves(&fine)))
}

/// The window in [`FINE`] times [`FINE`] pixels, each the mean of what it covers.
fn shrink(picture: &Grey, window: Window) -> Vec<f32> {
    let across = covers(window.left, window.right);
    let down = covers(window.top, window.bottom);
    let mut rows = vec![0.0; SIDE * FINE];
    for (row, pixels) in picture.0.chunks(SIDE).enumerate() {
        for (column, parts) in across.iter().enumerate() {
            let sum = parts.iter().map(|(at, share)| f32::from(pixels[*at]) * share).sum();
            rows[row * FINE + column] = sum;
        }
    }
    let mut fine = vec![0.0; FINE * FINE];
    for (row, parts) in down.iter().enumerate() {
        for column in 0..FINE {
            fine[row * FINE + column] =
                parts.iter().map(|(at, share)| rows[at * FINE + column] * share).sum();
        }
    }
    fine
}

/// For each of [`FINE`] pixels between `from` and `to`: which of [`SIDE`] it covers, and their shares.
fn covers(from: f32, to: f32) -> Vec<Vec<(usize, f32)>> {
    let step = (to - from) / FINE as f32;
    (0..FINE)
        .map(|number| {
            let (begin, end) = (from + number as f32 * step, from + (number + 1) as f32 * step);
            (0..SIDE)
                .filter_map(|at| {
                    let part = end.min((at + 1) as f32) - begin.max(at as f32);
                    (part > 0.0).then_some((at, part / step))
                })
                .collect()
        })
        .collect()
}

/// `cos((2 x + 1) u pi / 2 FINE)` by u and x.
static COSINES: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let cosine =
        |u: usize, x: usize| ((2 * x + 1) as f32 * u as f32 * PI / (2 * FINE) as f32).cos();
    (0..WAVES).flat_map(|u| (0..FINE).map(move |x| cosine(u, x))).collect()
});

/// The lowest frequencies, by v (down) and u (across).
fn waves(fine: &[f32]) -> Vec<f32> {
    let dot = |wave: usize, values: &mut dyn Iterator<Item = f32>| -> f32 {
        COSINES[wave * FINE..].iter().zip(values).map(|(cosine, value)| cosine * value).sum()
    };
    let mut across = vec![0.0; FINE * WAVES];
    for row in 0..FINE {
        for u in 0..WAVES {
            across[row * WAVES + u] = dot(u, &mut fine[row * FINE..][..FINE].iter().copied());
        }
    }
    let mut both = vec![0.0; WAVES * WAVES];
    for v in 0..WAVES {
        for u in 0..WAVES {
            both[v * WAVES + u] = dot(v, &mut (0..FINE).map(|row| across[row * WAVES + u]));
        }
    }
    both
}

/// In which order frequencies become bits: low ones first, without the mean.
static ORDER: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let mut order: Vec<usize> = (1..WAVES * WAVES).collect();
    order.sort_by_key(|at| (at / WAVES + at % WAVES, at / WAVES));
    order
});

fn signs(waves: &[f32]) -> Bits {
    let mut bits = Bits::default();
    for (number, at) in ORDER.iter().enumerate() {
        if waves[*at] > 0.0 {
            bits[number / 64] |= 1 << (number % 64);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn distance(one: &Bits, other: &Bits) -> u32 {
        one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum()
    }

    /// Some soft light patches, as a camera sees them.
    fn scene(seed: u64) -> Grey {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1_u64 << 24) as f32
        };
        let patches: Vec<[f32; 4]> = (0..24)
            .map(|_| [next() * 96.0, next() * 96.0, 4.0 + next() * 20.0, next() * 160.0 - 80.0])
            .collect();
        let shade = |at: usize| {
            let (x, y) = ((at % SIDE) as f32, (at / SIDE) as f32);
            let sum: f32 = patches
                .iter()
                .map(|[px, py, size, light]| {
                    light * (-((x - px).powi(2) + (y - py).powi(2)) / (size * size)).exp()
                })
                .sum();
            (110.0 + sum).clamp(50.0, 230.0) as u8
        };
        Grey((0..SIDE * SIDE).map(shade).collect())
    }

    fn seen(picture: &Grey) -> Bits {
        look(picture, Window::within_bars([picture].into_iter())).expect("something to see")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_darker_and_paler_picture_looks_the_same(seed in 1_u64..10_000, gain in 0.5_f32..1.0) {
            let picture = scene(seed);
            let paler = Grey(picture.0.iter().map(|s| (f32::from(*s) * gain + 20.0) as u8).collect());
            prop_assert!(distance(&seen(&picture), &seen(&paler)) <= 30);
        }

        #[test]
        fn bars_do_not_count(seed in 1_u64..10_000, bar in 1_usize..24) {
            let picture = scene(seed);
            let mut boxed = vec![16_u8; SIDE * SIDE];
            let inner = SIDE - 2 * bar;
            for y in 0..inner {
                for x in 0..SIDE {
                    boxed[(y + bar) * SIDE + x] = picture.0[y * SIDE / inner * SIDE + x];
                }
            }
            prop_assert!(distance(&seen(&picture), &seen(&Grey(boxed))) <= 48);
        }

        #[test]
        fn others_look_different(one in 1_u64..5_000, other in 5_001_u64..10_000) {
            prop_assert!(distance(&seen(&scene(one)), &seen(&scene(other))) > 70);
        }

        #[test]
        fn turning_four_times_is_turning_not_at_all(seed in 1_u64..10_000) {
            let picture = scene(seed);
            let turned = (0..4).fold(picture.clone(), |it, _| it.upright(90, false));
            prop_assert_eq!(&turned, &picture);
            let back = picture.clone().upright(90, false).upright(270, false);
            prop_assert_eq!(&back, &picture);
            prop_assert_eq!(&picture.clone().upright(0, true).upright(0, true), &picture);
        }
    }

    #[test]
    fn plain_frames_show_nothing() {
        for shade in [0, 16, 128, 255] {
            let plain = Grey(vec![shade; SIDE * SIDE]);
            assert_eq!(look(&plain, Window::within_bars(std::iter::empty())), None);
        }
    }
}
