use proptest::prelude::*;

use super::Which::{Before, This};
use super::*;

const SECOND: i64 = 90_000;

fn cut(start: i64, end: Option<i64>, video_end: i64) -> Cut {
    Cut {
        segment: 6 * SECOND,
        gop: 2 * SECOND,
        start: start * SECOND,
        end: end.map(|s| s * SECOND),
        video_end,
    }
}

/// All shots of one part, and where it ends.
fn part(cut: Cut, times: &[i64]) -> (Vec<Shot>, i64) {
    let mut pacer = Pacer::new(cut);
    let mut shots = Vec::new();
    for &time in times {
        let due = pacer.next(time);
        shots.extend(due.shots);
        if let Some(end) = due.end {
            return (shots, end);
        }
    }
    let due = pacer.finish();
    shots.extend(due.shots);
    (shots, due.end.unwrap())
}

/// The parts of 60 s of a video, each seeing the source from a frame before it.
fn all(times: &[i64], video_end: i64) -> Vec<(Vec<Shot>, i64)> {
    let mut starts = vec![0];
    while video_end - starts.last().unwrap() * SECOND > 61 * SECOND {
        starts.push(starts.last().unwrap() + 60);
    }
    (0..starts.len())
        .map(|i| {
            let from = times.iter().rposition(|&t| t <= starts[i] * SECOND).unwrap_or(0);
            part(cut(starts[i], starts.get(i + 1).copied(), video_end), &times[from..])
        })
        .collect()
}

#[test]
fn even_frames_pass_untouched() {
    let times: Vec<i64> = (0..900).map(|i| i * 3_600).collect();
    let (shots, end) = part(cut(0, None, 36 * SECOND), &times);
    assert_eq!(shots.iter().map(|s| s.time).collect::<Vec<_>>(), times);
    let segments: Vec<i64> = shots.iter().filter(|s| s.segment).map(|s| s.time / SECOND).collect();
    assert_eq!(segments, [0, 6, 12, 18, 24, 30]);
    assert_eq!(shots.iter().filter(|s| s.key).count(), 18);
    assert_eq!(end, 36 * SECOND);
}

#[test]
fn a_slide_is_repeated_where_a_segment_would_have_no_frame() {
    let (shots, end) = part(cut(0, None, 20 * SECOND), &[0, 7 * SECOND / 2, 19 * SECOND]);
    let at: Vec<_> = shots.iter().map(|s| (s.time * 2 / SECOND, s.which)).collect();
    assert_eq!(at, [(0, This), (7, This), (12, Before), (24, Before), (38, This)]);
    assert!(shots[4].segment && shots[4].key, "the slide of 19 s begins the last segment");
    assert_eq!(end, 20 * SECOND);
}

#[test]
fn a_late_first_frame_is_shown_from_the_start() {
    let (shots, _) = part(cut(0, None, 30 * SECOND), &[10 * SECOND, 11 * SECOND]);
    let times: Vec<i64> = shots.iter().map(|s| s.time / SECOND).collect();
    assert_eq!(times, [0, 6, 10, 11, 12, 18, 24]);
    let (shots, _) = part(cut(0, None, SECOND), &[1_890, 5_490]);
    assert_eq!(shots[0].time, 1_890);
}

#[test]
fn a_frame_beyond_the_end_is_shown_only_when_it_is_all_there_is() {
    let (shots, end) = part(cut(0, None, 2 * SECOND), &[0, SECOND, 3 * SECOND]);
    assert_eq!(shots.len(), 2);
    assert_eq!(end, 2 * SECOND);
    let (shots, _) = part(cut(0, None, 1_000), &[2_000]);
    assert_eq!(shots.iter().map(|s| s.time).collect::<Vec<_>>(), [0]);
}

#[test]
fn one_frame_fills_every_part() {
    let parts = all(&[0], 200 * SECOND);
    assert_eq!(parts.len(), 4);
    for ((shots, end), start) in parts.iter().zip([0, 60, 120, 180]) {
        assert_eq!(shots[0].time, start * SECOND);
        assert_eq!(*end, (start + 60).min(200) * SECOND);
    }
}

proptest! {
    #[test]
    fn parts_fit_together(steps in proptest::collection::vec(1_i64..20 * SECOND, 1..200),
                          first in 0_i64..100 * SECOND, tail in 1_i64..70 * SECOND) {
        let mut times = vec![first];
        for step in steps {
            times.push(times.last().unwrap() + step);
        }
        let video_end = times.last().unwrap() + tail;
        let parts = all(&times, video_end);
        let whole = part(cut(0, None, video_end), &times).0;
        // No frame lost, none twice, whatever is made alone.
        let joined: Vec<i64> = parts.iter().flat_map(|p| &p.0).map(|s| s.time).collect();
        prop_assert_eq!(&joined, &whole.iter().map(|s| s.time).collect::<Vec<_>>());
        prop_assert!(joined.windows(2).all(|w| w[0] < w[1]));
        prop_assert!(times.iter().all(|t| joined.binary_search(t).is_ok()));
        // Each part ends where the next begins.
        for (one, next) in parts.iter().zip(parts.iter().skip(1)) {
            prop_assert_eq!(one.1, next.0[0].time);
        }
        prop_assert_eq!(parts.last().unwrap().1, video_end);
        // Every segment exists, begins with a key frame, within a second of its place.
        let begins: Vec<&Shot> = parts.iter().flat_map(|p| &p.0).filter(|s| s.segment).collect();
        prop_assert!(begins.iter().all(|s| s.key));
        for number in 1..(video_end - SECOND) / (6 * SECOND) {
            let border = number * 6 * SECOND;
            prop_assert!(begins.iter().any(|s| (border..=border + SECOND).contains(&s.time)));
        }
    }
}
