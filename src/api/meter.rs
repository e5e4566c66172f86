//! Counts answers by what they are.

use std::sync::OnceLock;
use std::time::Duration;

use http::StatusCode;
use metrics::{Counter, Histogram};

use crate::deliver::Kind;

/// What these answers mostly are; others are counted as the last.
const STATUSES: [&str; 4] = ["200", "206", "304", "4xx"];

/// Counters that were registered, since finding one costs more than counting.
#[derive(Default)]
pub(super) struct Meter([OnceLock<Measured>; Kind::COUNT]);

struct Measured {
    answers: [Counter; STATUSES.len()],
    seconds: Histogram,
}

impl Meter {
    /// One more answer of `kind`, which `took` so long to be found.
    pub(super) fn count(&self, kind: Kind, status: StatusCode, took: Duration) {
        let measured = self.0[kind as usize].get_or_init(|| Measured::new(kind));
        let at = STATUSES.iter().position(|known| *known == status.as_str());
        measured.answers[at.unwrap_or(STATUSES.len() - 1)].increment(1);
        measured.seconds.record(took.as_secs_f64());
    }
}

impl Measured {
    fn new(kind: Kind) -> Self {
        let route = format!("media {}", kind.as_str());
        let answers = STATUSES.map(|status| {
            metrics::counter!("duoku_requests_total", "method" => "GET", "route" => route.clone(), "status" => status)
        });
        Self { answers, seconds: metrics::histogram!("duoku_request_seconds", "route" => route) }
    }
}
