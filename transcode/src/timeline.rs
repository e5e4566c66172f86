//! Recordings joined in one file: where time stamps begin anew or jump, and what puts them right.
//!
//! The probe decides once, while it reads all packets; whoever reads packets afterwards has them
//! put in place by [`Timeline`], so picture, sound and text cannot disagree.

use ffmpeg_next::{Packet, Rational};
use serde::{Deserialize, Serialize};

use crate::time;

/// Decode times of a track that run backwards by more than this begin anew.
const BACK_US: i64 = 1_000_000;

/// Time stamps that leave a hole longer than this in all tracks jump, where holes mean nothing.
const HOLE_US: i64 = 10_000_000;

/// More jumps than this are damage.
const MAX_JUMPS: usize = 1_000;

/// From a place in the file on, what is to be added to all time stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// Byte of the file at which the first packet begins that jumps.
    pub position: i64,
    /// Microseconds, from the source's own time stamps.
    pub shift_us: i64,
}

/// A key frame of the picture, for sources in which time stamps cannot be sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landmark {
    /// Byte of the file at which its packet begins.
    pub position: i64,
    /// The source's decode time, put in place; microseconds.
    pub time_us: i64,
}

/// Landmarks are at least so far from each other.
const LANDMARK_US: i64 = 10_000_000;

/// Puts packets in place.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    /// By position.
    jumps: Vec<Jump>,
    /// What was added last, by track: packets without a position belong to the one before.
    shifts_us: [i64; crate::input::MAX_STREAMS as usize],
}

impl Timeline {
    pub(crate) fn new(jumps: &[Jump]) -> Self {
        Self { jumps: jumps.to_vec(), ..Self::default() }
    }

    /// Adds to the packet's time stamps what its place asks for.
    pub(crate) fn place(&mut self, packet: &mut Packet, base: Rational) {
        let shift_us = self.shift_us(packet);
        if shift_us == 0 {
            return;
        }
        let moved = |stamp: i64| {
            let us = time::micros(stamp, base).saturating_add(shift_us);
            time::stamp(us, 1_000_000, 0, base)
        };
        packet.set_pts(packet.pts().map(moved));
        packet.set_dts(packet.dts().map(moved));
    }

    fn shift_us(&mut self, packet: &Packet) -> i64 {
        let Some(last) = self.shifts_us.get_mut(packet.stream()) else { return 0 };
        let position = i64::try_from(packet.position()).unwrap_or(-1);
        if position >= 0 && !self.jumps.is_empty() {
            let behind = self.jumps.partition_point(|jump| jump.position <= position);
            *last = behind.checked_sub(1).map_or(0, |i| self.jumps[i].shift_us);
        }
        *last
    }
}

/// Finds the jumps while all packets of picture and sound are read in the file's order.
#[derive(Debug)]
pub(crate) struct Joiner {
    timeline: Timeline,
    /// The track of the picture.
    video: Option<usize>,
    landmarks: Vec<Landmark>,
    /// Holes are closed, too.
    close_holes: bool,
    /// Decode time of each track's last packet, put in place.
    last_us: [Option<i64>; crate::input::MAX_STREAMS as usize],
    /// The latest end of all packets, put in place.
    end_us: i64,
    /// Where the last jump was joined on.
    joint_us: i64,
}

impl Joiner {
    pub(crate) fn new(video: Option<usize>, close_holes: bool) -> Self {
        Self {
            timeline: Timeline::default(),
            video,
            landmarks: Vec::new(),
            close_holes,
            last_us: [None; crate::input::MAX_STREAMS as usize],
            end_us: i64::MIN,
            joint_us: i64::MIN,
        }
    }

    /// Puts the packet in place, where it jumps behind all that came before.
    pub(crate) fn place(&mut self, packet: &mut Packet, base: Rational) {
        let (track, position) = (packet.stream(), i64::try_from(packet.position()).unwrap_or(-1));
        let stamp = packet.dts().or(packet.pts()).filter(|_| track < self.last_us.len());
        let Some(stamp) = stamp else { return self.timeline.place(packet, base) };
        let raw_us = time::micros(stamp, base);
        let mut us = raw_us.saturating_add(self.timeline.shift_us(packet));
        if position >= 0 && self.jumps(track, us) {
            self.join(position, raw_us);
            us = raw_us.saturating_add(self.timeline.shift_us(packet));
        }
        self.timeline.place(packet, base);
        let end_us = us.saturating_add(time::micros(packet.duration().max(0), base));
        self.keep_joint(position, end_us);
        if packet.is_key() && self.video == Some(track) {
            self.mark(position, us);
        }
        self.last_us[track] = Some(us);
        self.end_us = self.end_us.max(end_us);
    }

    /// What was found: without a jump time stamps can be sought, and landmarks are of no use.
    pub(crate) fn into_found(self) -> (Vec<Jump>, Vec<Landmark>) {
        let landmarks = if self.timeline.jumps.is_empty() { Vec::new() } else { self.landmarks };
        (self.timeline.jumps, landmarks)
    }

    fn mark(&mut self, position: i64, time_us: i64) {
        let far = |last: &Landmark| time_us >= last.time_us.saturating_add(LANDMARK_US);
        if position >= 0 && self.landmarks.last().is_none_or(far) {
            self.landmarks.push(Landmark { position, time_us });
        }
    }

    fn jumps(&self, track: usize, us: i64) -> bool {
        let Some(last) = self.last_us[track] else { return false };
        let hole = us.saturating_sub(last.max(self.end_us));
        us < last.saturating_sub(BACK_US) || (self.close_holes && hole > HOLE_US)
    }

    fn join(&mut self, position: i64, raw_us: i64) {
        let count = self.timeline.jumps.len();
        match self.timeline.jumps.last_mut() {
            // A large packet of one track comes after a smaller one that begins behind it.
            Some(last) if position < last.position => last.position = position,
            _ if count < MAX_JUMPS => {
                self.joint_us = self.end_us;
                let shift_us = self.end_us.saturating_sub(raw_us);
                self.timeline.jumps.push(Jump { position, shift_us });
            }
            _ => {}
        }
    }

    /// The last packet before a jump may come after the first one behind it.
    fn keep_joint(&mut self, position: i64, end_us: i64) {
        let Some(last) = self.timeline.jumps.last_mut() else { return };
        let late_us = end_us.saturating_sub(self.joint_us);
        if (0..last.position).contains(&position) && (1..BACK_US).contains(&late_us) {
            last.shift_us = last.shift_us.saturating_add(late_us);
            self.joint_us = end_us;
        }
    }
}
