//! Pictures as a recogniser likes them: grey, and neither too small nor too large.

use std::io::{self, Write};

use transcode::picture::Picture;

/// Letters of smaller pictures than this, pixels of the longer side, are often too small to be read:
/// they are made twice as large. (Measured: docs/ocr.md.)
const SMALL: u32 = 1000;

/// Longest side, pixels: A4 at 400 dots an inch.
pub(super) const LARGE: u32 = 4700;

/// Pixels that differ from their neighbour by more than this are an edge (of 255).
const EDGE: u8 = 32;

/// A page with fewer edges than one in so many pixels is blank: specks of a scanner.
const BLANK: usize = 5_000;

/// A grey picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Grey {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// One byte a pixel, 0 is black, row by row from the top.
    pub luma: Vec<u8>,
}

impl Grey {
    /// The picture in grey (BT.601), at a size that can be read.
    #[must_use]
    pub fn of(picture: &Picture) -> Self {
        let fitting = picture.fit(LARGE, LARGE);
        let luma = fitting.rgb.chunks_exact(3).map(|pixel| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            // A weighted mean of bytes is a byte.
            ((299 * red + 587 * green + 114 * blue) / 1000) as u8
        });
        let grey = Self { width: fitting.width, height: fitting.height, luma: luma.collect() };
        if grey.width.max(grey.height) < SMALL { grey.doubled() } else { grey }
    }

    /// Twice as wide and high; new pixels are the means of their neighbours.
    fn doubled(&self) -> Self {
        let (width, height) = (self.width as usize, self.height as usize);
        let at =
            |x: usize, y: usize| u32::from(self.luma[y.min(height - 1) * width + x.min(width - 1)]);
        let mut luma = Vec::with_capacity(self.luma.len() * 4);
        for y in 0..height * 2 {
            for x in 0..width * 2 {
                let (left, top) = (x / 2, y / 2);
                let (right, bottom) = (left + x % 2, top + y % 2);
                let sum = at(left, top) + at(right, top) + at(left, bottom) + at(right, bottom);
                luma.push((sum / 4) as u8);
            }
        }
        Self { width: self.width * 2, height: self.height * 2, luma }
    }

    /// Whether there is nothing to be read: no edges but for a speck here and there.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let rows = self.luma.chunks_exact(self.width as usize);
        let edges: usize = rows
            .map(|row| row.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) > EDGE).count())
            .sum();
        edges < self.luma.len().div_ceil(BLANK)
    }

    /// Writes it as binary PGM.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        write!(to, "P5\n{} {}\n255\n", self.width, self.height)?;
        to.write_all(&self.luma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_picture_is_made_larger_and_keeps_its_shades() {
        let rgb = [0, 0, 0, 255, 255, 255].repeat(2);
        let grey = Grey::of(&Picture::new(2, 2, rgb).expect("a picture"));
        assert_eq!((grey.width, grey.height), (4, 4));
        assert_eq!(&grey.luma[..4], &[0, 127, 255, 255]);
    }

    #[test]
    fn paper_is_blank_and_print_is_not() {
        let mut page = Grey { width: 200, height: 100, luma: vec![250; 20_000] };
        page.luma[777] = 0;
        assert!(page.is_blank(), "a speck");
        for x in (40..160).step_by(6) {
            page.luma[50 * 200 + x] = 20;
        }
        assert!(!page.is_blank());
    }
}
