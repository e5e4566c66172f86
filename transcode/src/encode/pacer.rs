//! When frames are shown, where key frames, segments and parts begin: plain arithmetic on ticks.

/// Behind a segment's border a frame must come within this, else the one before is repeated there.
const PATIENCE: i64 = 90_000;

/// The first frame of the media may begin this late; before a later one it is shown from 0.
const LATE_START: i64 = 9_000;

/// What is to be cut, in ticks of media time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Length of a segment.
    pub(super) segment: i64,
    /// Distance of key frames.
    pub(super) gop: i64,
    /// The part's start, a multiple of `segment`.
    pub(super) start: i64,
    /// The next part's start; `None` for the last part.
    pub(super) end: Option<i64>,
    /// End of the presentation.
    pub(super) video_end: i64,
}

/// A frame to be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shot {
    /// When it is shown.
    pub(super) time: i64,
    /// Which picture.
    pub(super) which: Which,
    /// An IDR frame.
    pub(super) key: bool,
    /// The first of a segment.
    pub(super) segment: bool,
}

/// Which picture a shot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The one before, again.
    Before,
    /// The one that has just come.
    This,
}

/// What to encode now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// In order.
    pub(super) shots: Vec<Shot>,
    /// The part ends here; nothing more is wanted.
    pub(super) end: Option<i64>,
}

/// Goes through the times of the source's frames and says what to encode of them in one part.
///
/// All parts decide alike at their common border, as each sees the last frame before it and the
/// first one after it.
#[derive(Debug)]
pub(super) struct Pacer {
    cut: Cut,
    before: Option<i64>,
    gop: Option<i64>,
    segment: Option<i64>,
}

impl Pacer {
    pub(super) fn new(cut: Cut) -> Self {
        Self { cut, before: None, gop: None, segment: None }
    }

    /// A frame of the source has come; times must rise.
    pub(super) fn next(&mut self, time: i64) -> Due {
        let mut due = Due::default();
        if self.before.is_none() {
            self.begin(&mut due, time);
        }
        if time >= self.cut.video_end {
            return self.beyond(due);
        }
        self.repeat(&mut due, time);
        if let Some(end) = self.cut.end.filter(|&end| time >= end) {
            due.end = Some(border(end, time));
            return due;
        }
        if time >= self.cut.start {
            self.shoot(&mut due, time, Which::This);
        }
        self.before = Some(time);
        due
    }

    /// The source has no more frames.
    pub(super) fn finish(&mut self) -> Due {
        let mut due = Due::default();
        let end = self.cut.video_end;
        self.repeat(&mut due, end);
        due.end = Some(self.cut.end.map_or(end, |border_at| border(border_at, end)));
        self.before = Some(end);
        due
    }

    /// A frame beyond the presentation's end is not shown, unless there is no other.
    fn beyond(&mut self, mut due: Due) -> Due {
        if self.before.is_none() {
            self.shoot(&mut due, self.cut.start, Which::This);
            self.before = Some(self.cut.start);
        }
        let rest = self.finish();
        due.shots.extend(rest.shots);
        due.end = rest.end;
        due
    }

    /// The first frame seen: when it comes too late for the media's start or the part's, it is
    /// shown from there.
    fn begin(&mut self, due: &mut Due, time: i64) {
        let patience = if self.cut.start == 0 { LATE_START } else { PATIENCE };
        if time > self.cut.start + patience {
            self.shoot(due, self.cut.start, Which::This);
            self.before = Some(self.cut.start);
        }
    }

    /// Repeats the frame before at the borders of segments that `next` leaves without one.
    fn repeat(&mut self, due: &mut Due, next: i64) {
        let Some(before) = self.before else { return };
        let size = self.cut.segment;
        let first = (before.div_euclid(size) + 1) * size;
        let mut at = first.max(self.cut.start);
        while next.saturating_sub(at) > PATIENCE && self.cut.end.is_none_or(|end| at < end) {
            self.shoot(due, at, Which::Before);
            at += size;
        }
    }

    fn shoot(&mut self, due: &mut Due, time: i64, which: Which) {
        let segment = time.div_euclid(self.cut.segment);
        let gop = time.div_euclid(self.cut.gop);
        let begins = self.segment.is_none_or(|last| segment > last);
        let key = begins || self.gop.is_none_or(|last| gop > last);
        due.shots.push(Shot { time, which, key, segment: begins });
        self.segment = Some(segment);
        self.gop = Some(gop);
    }
}

/// Where the next part begins, of which the first frame of the source comes at `next`.
fn border(at: i64, next: i64) -> i64 {
    if next - at > PATIENCE { at } else { next.max(at) }
}

#[cfg(test)]
mod tests;
