//! How far a resource is, and how long it will still take.

use crate::db::jobs::{Ahead, JobState, Lane, is_extra};

/// The share of looking into a source, before it is known what is to be made of it.
const LOOKING: f64 = 0.02;

/// A speed is trusted when it was measured for this long.
const MEASURED_MS: i64 = 3000;

/// How far the resource of `jobs` is, 0 to 0.99. Jobs that are pushed later make it less: what
/// is shown never goes back.
#[must_use]
pub fn fraction(jobs: &[JobState]) -> f64 {
    let part = |looking: bool| {
        let own = counted(jobs).filter(|job| (job.lane == Lane::Look.as_str()) == looking);
        let (done, all) = own.fold((0.0, 0.0), |(done, all), job| {
            (done + job.weight * job.progress, all + job.weight)
        });
        if all > 0.0 { done / all } else { 0.0 }
    };
    (LOOKING * part(true) + (1.0 - LOOKING) * part(false)).min(0.99)
}

/// How long the resource of `jobs` will still take, in round milliseconds: by the speed of its
/// own jobs so far, with what comes before them. `None` while no speed is known.
#[must_use]
pub fn remaining_ms(jobs: &[JobState], ahead: &Ahead, now_ms: i64) -> Option<i64> {
    let heavy = LaneWork::of(jobs, Lane::Heavy, now_ms);
    let light = LaneWork::of(jobs, Lane::Light, now_ms);
    let heavy_ms = if heavy.left > 0.0 { Some(heavy.with(ahead)?) } else { None };
    let light_ms =
        if light.left > 0.0 { light.ms_per_unit().map(|ms| ms * light.left) } else { None };
    let longest = heavy_ms.into_iter().chain(light_ms).reduce(f64::max)?;
    Some(rounded(longest as i64))
}

/// The jobs that readiness waits for.
fn counted(jobs: &[JobState]) -> impl Iterator<Item = &JobState> {
    jobs.iter().filter(|job| !is_extra(&job.kind))
}

/// The jobs of a resource in one lane.
#[derive(Default)]
struct LaneWork {
    /// Weight that is done.
    done: f64,
    /// Weight that is not.
    left: f64,
    /// That of it which is in the works.
    running: f64,
    /// Most weight that is left of a single job.
    longest: f64,
    /// How long the jobs ran, in all.
    ran_ms: i64,
}

impl LaneWork {
    fn of(jobs: &[JobState], lane: Lane, now_ms: i64) -> Self {
        let mut work = Self::default();
        for job in counted(jobs).filter(|job| job.lane == lane.as_str()) {
            let left = job.weight * (1.0 - job.progress);
            work.left += left;
            work.longest = work.longest.max(left);
            let end_ms = match job.state.as_str() {
                "running" => {
                    work.running += left;
                    Some(now_ms)
                }
                "done" => job.ended_ms,
                _ => None,
            };
            if let (Some(begun_ms), Some(end_ms)) = (job.begun_ms, end_ms) {
                work.done += job.weight * job.progress;
                work.ran_ms += (end_ms - begun_ms).max(0);
            }
        }
        work
    }

    fn ms_per_unit(&self) -> Option<f64> {
        (self.ran_ms >= MEASURED_MS && self.done > 0.0).then(|| self.ran_ms as f64 / self.done)
    }

    /// Libraries take turns: another has at most as much done before as ours.
    fn with(&self, ahead: &Ahead) -> Option<f64> {
        let ours = self.running + ahead.own_library;
        let others: f64 = ahead.others.iter().map(|other| other.min(ours)).sum();
        let side_by_side = ahead.running.max(1) as f64;
        let units = ((ours + others) / side_by_side).max(self.longest);
        self.ms_per_unit().map(|ms| ms * units)
    }
}

/// Up to the next step that people would say: tens of seconds, minutes, five minutes, quarters.
fn rounded(ms: i64) -> i64 {
    const MINUTE: i64 = 60_000;
    let step = match ms {
        ..MINUTE => 10_000,
        MINUTE..600_000 => MINUTE,
        600_000..3_600_000 => 5 * MINUTE,
        3_600_000..21_600_000 => 15 * MINUTE,
        _ => 60 * MINUTE,
    };
    (ms.max(1) + step - 1) / step * step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(lane: Lane, state: &str, progress: f64, weight: f64, ran_ms: i64) -> JobState {
        JobState {
            kind: String::new(),
            lane: lane.as_str().into(),
            state: state.into(),
            attempts: 1,
            run_at_ms: 0,
            progress,
            weight,
            error: None,
            begun_ms: (ran_ms > 0).then_some(0),
            ended_ms: (state == "done").then_some(ran_ms),
        }
    }

    #[test]
    fn what_is_not_planned_yet_counts_little() {
        let looked = job(Lane::Look, "done", 1.0, 1.0, 500);
        assert!(fraction(std::slice::from_ref(&looked)) <= LOOKING);
        let half = [looked, job(Lane::Heavy, "running", 0.5, 100.0, 1)];
        assert!((fraction(&half) - 0.51).abs() < 1e-9);
        assert_eq!(fraction(&[]), 0.0);
    }

    #[test]
    fn what_is_left_is_told_by_its_own_speed() {
        // 10 units in 20 s, 30 units to go.
        let jobs = [
            job(Lane::Heavy, "done", 1.0, 10.0, 20_000),
            job(Lane::Heavy, "queued", 0.0, 15.0, 0),
            job(Lane::Heavy, "queued", 0.0, 15.0, 0),
        ];
        let alone = Ahead { own_library: 30.0, others: Vec::new(), running: 1 };
        assert_eq!(remaining_ms(&jobs, &alone, 20_000), Some(60_000));
        let two = Ahead { own_library: 30.0, others: Vec::new(), running: 2 };
        assert_eq!(remaining_ms(&jobs, &two, 20_000), Some(30_000));
        // Before it 30 units of its own library; of another, which has far more, as many as ours.
        let behind = Ahead { own_library: 60.0, others: vec![9000.0], running: 1 };
        assert_eq!(remaining_ms(&jobs, &behind, 20_000), Some(240_000));
    }

    #[test]
    fn without_a_speed_nothing_is_told() {
        let queued = [job(Lane::Heavy, "queued", 0.0, 10.0, 0)];
        assert_eq!(remaining_ms(&queued, &Ahead::default(), 9000), None);
        let hardly = [job(Lane::Heavy, "running", 0.1, 10.0, 1)];
        assert_eq!(remaining_ms(&hardly, &Ahead::default(), 2000), None);
        // The sound's speed says nothing of the picture's.
        let sound =
            [job(Lane::Heavy, "queued", 0.0, 10.0, 0), job(Lane::Light, "running", 0.5, 10.0, 1)];
        assert_eq!(remaining_ms(&sound, &Ahead::default(), 9000), None);
        assert_eq!(remaining_ms(&sound[1..], &Ahead::default(), 9000), Some(10_000));
    }

    #[test]
    fn steps_are_round_and_never_nothing() {
        for (ms, told) in [
            (0, 10_000),
            (10_001, 20_000),
            (61_000, 120_000),
            (601_000, 900_000),
            (3_601_000, 4_500_000),
            (21_600_001, 25_200_000),
        ] {
            assert_eq!(rounded(ms), told, "{ms}");
        }
    }
}
