//! Making pictures smaller, and turning them.

use super::Picture;

impl Picture {
    /// The picture at `width` pixels, its proportions kept; as it is when it is not wider.
    #[must_use]
    pub fn scale_to_width(&self, width: u32) -> Self {
        if width >= self.width {
            return self.clone();
        }
        self.shrink(width.max(1), proportion(self.height, width, self.width))
    }

    /// The picture made to fit into `width` by `height` pixels, its proportions kept; as it is
    /// when it fits already.
    #[must_use]
    pub fn fit(&self, width: u32, height: u32) -> Self {
        if self.width <= width && self.height <= height {
            return self.clone();
        }
        let by_height = proportion(self.width, height, self.height);
        if by_height <= width {
            return self.shrink(by_height, height.max(1));
        }
        self.shrink(width.max(1), proportion(self.height, width, self.width))
    }

    /// Each new pixel is the mean of the area it covers: the right thing for text, as no pixel
    /// of the source is passed over and none rings.
    #[expect(clippy::cast_sign_loss, reason = "sums of bytes with positive weights")]
    fn shrink(&self, width: u32, height: u32) -> Self {
        let columns = spans(self.width, width);
        let row_bytes = self.width as usize * 3;
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        let mut narrow = vec![0_f32; width as usize * 3];
        let mut narrow_of = usize::MAX;
        let mut sum = narrow.clone();
        for span in spans(self.height, height) {
            sum.fill(0.0);
            for (offset, weight) in span.weights.iter().enumerate() {
                let row = span.start + offset;
                if row != narrow_of {
                    narrow_row(&self.rgb[row * row_bytes..][..row_bytes], &columns, &mut narrow);
                    narrow_of = row;
                }
                for (sum, value) in sum.iter_mut().zip(&narrow) {
                    *sum += value * weight;
                }
            }
            // `as` rounds down and saturates.
            rgb.extend(sum.iter().map(|value| (value + 0.5) as u8));
        }
        Self { width, height, rgb }
    }

    /// Puts the picture upright; `orientation` as in TIFF 6.0, 1 to 8.
    pub(super) fn upright(self, orientation: u32) -> Self {
        if !(2..=8).contains(&orientation) {
            return self;
        }
        let (width, height) = (self.width as usize, self.height as usize);
        let turned = orientation >= 5;
        let (new_width, new_height) = if turned { (height, width) } else { (width, height) };
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for y in 0..new_height {
            for x in 0..new_width {
                let (from_x, from_y) = match orientation {
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, height - 1 - y),
                    4 => (x, height - 1 - y),
                    5 => (y, x),
                    6 => (y, height - 1 - x),
                    7 => (width - 1 - y, height - 1 - x),
                    _ => (width - 1 - y, x),
                };
                let at = (from_y * width + from_x) * 3;
                rgb.extend_from_slice(&self.rgb[at..at + 3]);
            }
        }
        let (width, height) =
            if turned { (self.height, self.width) } else { (self.width, self.height) };
        Self { width, height, rgb }
    }
}

/// `side * part / whole`, rounded, at least 1.
fn proportion(side: u32, part: u32, whole: u32) -> u32 {
    let scaled = (u64::from(side) * u64::from(part) + u64::from(whole) / 2) / u64::from(whole);
    u32::try_from(scaled).unwrap_or(side).max(1)
}

/// The pixels that one new pixel covers, with their shares; these sum up to 1.
struct Span {
    start: usize,
    weights: Vec<f32>,
}

#[expect(clippy::cast_sign_loss, reason = "positions are not negative")]
fn spans(from: u32, to: u32) -> Vec<Span> {
    let step = f64::from(from) / f64::from(to);
    (0..to)
        .map(|new| {
            let (begin, end) = (f64::from(new) * step, f64::from(new + 1) * step);
            let last = from - 1;
            let first = (begin as u32).min(last);
            let covered = first..=((end.ceil() as u32).saturating_sub(1)).clamp(first, last);
            let share = |pixel: u32| {
                let (left, right) = (f64::from(pixel).max(begin), f64::from(pixel + 1).min(end));
                ((right - left).max(0.0) / step) as f32
            };
            Span { start: first as usize, weights: covered.map(share).collect() }
        })
        .collect()
}

fn narrow_row(row: &[u8], columns: &[Span], narrow: &mut [f32]) {
    for (span, pixel) in columns.iter().zip(narrow.chunks_exact_mut(3)) {
        let covered = row[span.start * 3..].chunks_exact(3);
        let mut sum = [0_f32; 3];
        for (weight, colours) in span.weights.iter().zip(covered) {
            for (sum, colour) in sum.iter_mut().zip(colours) {
                *sum += weight * f32::from(*colour);
            }
        }
        pixel.copy_from_slice(&sum);
    }
}
