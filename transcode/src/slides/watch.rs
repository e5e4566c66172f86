//! Where one slide ends and the next begins, and whether these are slides at all.

use super::glance::{BLOCKS, Blocks, Glance};

/// What stands for less than this is no slide.
const MIN_MS: i64 = 3_000;

/// A slide that is there again after less than this was not away.
const FLICKER_MS: i64 = 5_000;

/// With so few blocks that have anything in them a picture is blank.
const MIN_CONTENT: usize = 3;

/// Share of what is on a slide that must have gone for another one to be there; while less goes, and
/// more comes, it is built up. Measured: 0 of slides that are built up, 0.24 and more of others, with
/// the same frame and some of the same lines.
const GONE: f64 = 0.15;

/// How much the last look counts in how restless a block is, and from when on it is: it shows a
/// speaker or a film, and says nothing about slides.
const RESTLESS_PART: f64 = 0.25;
const RESTLESS: f64 = 0.4;

/// Share of blocks that must not be restless.
const MIN_CALM: f64 = 0.5;

/// Share of a slide's blocks that are of one colour, on the average: nature has none.
const MIN_FLAT: f64 = 0.05;

/// What stands still differs from look to look by so many hundredths of a level (of 255) at most, in
/// the median. Recorded slides: 0 to 47; what a camera sees that does not move: 54 to 105.
const MAX_NOISE: usize = 50;
const NOISES: usize = 200;

/// Share of the whole time in which slides are shown.
const MIN_SHOWN: f64 = 0.4;

/// What was looked at before it may be called hopeless, and the share of it that stood still then.
const LOOKED_MS: i64 = 600_000;
const HOPELESS: f64 = 0.1;

/// Watches what is shown, look by look.
pub(super) struct Watch {
    last: Option<(i64, Glance)>,
    /// How restless each block is, 0 to 1.
    restless: [f64; BLOCKS],
    /// Since when the present picture stands.
    start_ms: i64,
    first_ms: i64,
    /// How long pictures stood that were slides, until now.
    shown_ms: i64,
    /// How often what stood still differed by so many hundredths of a level from the look before.
    noises: [u64; NOISES],
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            last: None,
            restless: [0.0; BLOCKS],
            start_ms: 0,
            first_ms: 0,
            shown_ms: 0,
            noises: [0; NOISES],
        }
    }
}

/// What stood still.
#[derive(Debug, Clone)]
pub(super) struct Still {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// How it looked at its end.
    last: Glance,
}

impl Still {
    /// Whether `next` shows the same after a moment.
    pub(super) fn goes_on_as(&self, next: &Self) -> bool {
        let gone = next.last.gone(&self.last).count();
        next.start_ms - self.end_ms <= FLICKER_MS && !is_much(gone, self.last.content.count())
    }
}

impl Watch {
    /// Looks at what is shown at `time_ms`, which is later than before. Gives what stood until then, if
    /// that was a slide and is gone.
    pub(super) fn see(&mut self, time_ms: i64, glance: Glance) -> Option<Still> {
        let Some((before_ms, before)) = self.last.take() else {
            (self.start_ms, self.first_ms) = (time_ms, time_ms);
            self.last = Some((time_ms, glance));
            return None;
        };
        let changed = glance.changed(&before);
        for (at, restless) in self.restless.iter_mut().enumerate() {
            let now = f64::from(u8::from(changed.has(at)));
            *restless += RESTLESS_PART * (now - *restless);
        }
        let calm = Blocks::of(|at| self.restless[at] < RESTLESS);
        let moves = (calm.count() as f64) < MIN_CALM * BLOCKS as f64;
        let gone = moves || is_other(&before, &glance, &calm);
        let still = if gone {
            let still = self.still(before_ms, before, time_ms);
            self.start_ms = time_ms;
            still
        } else {
            let noise = glance.noise(&before, &calm.and(&changed.not()));
            self.noises[noise.min(NOISES - 1)] += 1;
            None
        };
        self.last = Some((time_ms, glance));
        still
    }

    /// What stood until the end.
    pub(super) fn end(&mut self, duration_ms: i64) -> Option<Still> {
        let (last_ms, last) = self.last.take()?;
        self.still(last_ms, last, duration_ms.max(last_ms))
    }

    /// What stood until `end_ms` and looked like `last` at `last_ms`, if it was a slide.
    fn still(&mut self, last_ms: i64, last: Glance, end_ms: i64) -> Option<Still> {
        let start_ms = self.start_ms;
        // Seen more than once, and for long enough.
        let stood = last_ms > start_ms && end_ms - start_ms >= MIN_MS;
        if !stood || last.content.count() < MIN_CONTENT {
            return None;
        }
        self.shown_ms += end_ms - start_ms;
        Some(Still { start_ms, end_ms, last })
    }

    /// Whether so little stood still for so long that no slides will come.
    pub(super) fn is_hopeless(&self) -> bool {
        let Some((now_ms, _)) = &self.last else { return false };
        let looked_ms = now_ms - self.first_ms;
        let shown_ms = self.shown_ms + now_ms - self.start_ms;
        looked_ms > LOOKED_MS && (shown_ms as f64) < HOPELESS * looked_ms as f64
    }

    /// Whether these are the slides of a lecture, and not what stands still in a film, or before a
    /// camera that does not move.
    pub(super) fn is_lecture(&self, stills: &[&Still], duration_ms: i64) -> bool {
        let flat: usize = stills.iter().map(|still| still.last.flat.count()).sum();
        let flat = flat as f64 / (stills.len() * BLOCKS).max(1) as f64;
        let shown: i64 = stills.iter().map(|still| still.end_ms - still.start_ms).sum();
        let shown = shown as f64 / duration_ms.max(1) as f64;
        let quiet = self.noise() <= MAX_NOISE;
        stills.len() >= 2 && quiet && flat >= MIN_FLAT && shown >= MIN_SHOWN
    }

    /// The median of how much what stands still differs from look to look.
    fn noise(&self) -> usize {
        let all: u64 = self.noises.iter().sum();
        let mut sum = 0;
        let reaches = |count: &u64| {
            sum += count;
            sum * 2 >= all
        };
        self.noises.iter().position(reaches).unwrap_or(0)
    }
}

/// Whether another slide is there: too much of what was on the one before is gone. On one that was
/// blank there was nothing that could go; and where all that there is moves, there is no slide.
fn is_other(before: &Glance, now: &Glance, calm: &Blocks) -> bool {
    let content = before.content.and(calm).count();
    if content < MIN_CONTENT {
        let restless = before.content.count() >= MIN_CONTENT;
        return restless || now.changed(before).and(calm).count() >= MIN_CONTENT;
    }
    is_much(now.gone(before).and(calm).count(), content)
}

/// Whether `gone` of `content` blocks make it another slide; a clock that goes on does not.
fn is_much(gone: usize, content: usize) -> bool {
    gone >= MIN_CONTENT && gone as f64 >= GONE * content as f64
}

#[cfg(test)]
mod tests {
    use super::super::glance::{HEIGHT, WIDTH};
    use super::*;

    /// White paper with lines of print, each begun at a place of its own, and a box at the lower right
    /// that is of the shade `corner`.
    fn slide(lines: &[usize], corner: u8) -> Glance {
        let mut luma = vec![250; WIDTH * HEIGHT];
        for (at, offset) in lines.iter().enumerate() {
            for x in (10 + offset..110).step_by(3) {
                for y in 0..4 {
                    luma[(12 + at * 10 + y) * WIDTH + x] = 20;
                }
            }
        }
        for y in 70..90 {
            luma[y * WIDTH + 130..][..30].fill(corner);
        }
        Glance::new(luma)
    }

    /// The stills of what is shown second by second.
    fn stills(shown: &[Glance]) -> (Vec<(i64, i64)>, bool) {
        let mut watch = Watch::default();
        let end_ms = shown.len() as i64 * 1_000;
        let timed = shown.iter().zip(0..);
        let mut found: Vec<Still> =
            timed.filter_map(|(glance, at)| watch.see(at * 1_000, glance.clone())).collect();
        found.extend(watch.end(end_ms));
        let lecture = watch.is_lecture(&found.iter().collect::<Vec<_>>(), end_ms);
        (found.iter().map(|still| (still.start_ms, still.end_ms)).collect(), lecture)
    }

    #[test]
    fn what_is_built_up_is_one_slide_and_what_is_replaced_two() {
        let [one, two, more] = [&[0][..], &[0, 4], &[0, 4, 9]].map(|lines| slide(lines, 250));
        let other = slide(&[1, 20, 31], 250);
        let shown = [&one, &one, &two, &two, &more, &more, &other, &other, &other, &other];
        let (found, lecture) = stills(&shown.map(Clone::clone));
        assert_eq!(found, [(0, 6_000), (6_000, 10_000)]);
        assert!(lecture);
    }

    #[test]
    fn a_speaker_in_a_corner_changes_no_slide() {
        let shade = |at: u8| 250 - at % 5 * 50;
        let first = (0..20).map(|at| slide(&[0, 4, 9], shade(at)));
        let second = (20..40).map(|at| slide(&[2, 30, 17], shade(at)));
        let (found, lecture) = stills(&first.chain(second).collect::<Vec<_>>());
        assert_eq!(found, [(0, 20_000), (20_000, 40_000)]);
        assert!(lecture);
    }

    #[test]
    fn what_passes_quickly_or_shows_nothing_is_no_slide() {
        let quick: Vec<Glance> = (0..20).map(|at| slide(&[at, at + 9, 20 - at], 250)).collect();
        assert_eq!(stills(&quick), (Vec::new(), false));
        assert_eq!(stills(&vec![slide(&[], 250); 30]), (Vec::new(), false));
    }

    #[test]
    fn a_camera_that_does_not_move_sees_no_slides() {
        // Two scenes that stand still but for the noise of the sensor.
        let scene = |at: u32, shift: u32| {
            let pixel = |n: u32| {
                let (x, y) = (n % WIDTH as u32, n / WIDTH as u32);
                let noise = (n.wrapping_mul(2_654_435_761).wrapping_add(at * 40_503) >> 13) % 4;
                ((x * 3 + y * 2 + shift) % 200 + noise) as u8
            };
            Glance::new((0..(WIDTH * HEIGHT) as u32).map(pixel).collect())
        };
        let shown: Vec<_> = (0..40).map(|at| scene(at, at / 20 * 90)).collect();
        let (found, lecture) = stills(&shown);
        assert_eq!(found.len(), 2);
        assert!(!lecture);
    }
}
