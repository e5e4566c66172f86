//! How much is done at the same time: beyond it requests are refused at once, before they take
//! memory or make others wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::system::sysinfo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::kind::Kind;
use crate::config;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// What this process has in hand, and may have.
#[derive(Debug)]
pub struct Load {
    requests: Arc<Semaphore>,
    /// Of `requests`, those that bring a body: slow ones must not keep readers out.
    bodies: Arc<Semaphore>,
    /// Of `requests`, pages and other reads.
    pages: Arc<Semaphore>,
    searches: Arc<Semaphore>,
    max_memory_bytes: u64,
    short_of_memory: AtomicBool,
}

/// The right to be in progress; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    _all: Option<OwnedSemaphorePermit>,
    _kind: Option<OwnedSemaphorePermit>,
}

/// There is too much in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

impl Load {
    /// Nothing in hand.
    #[must_use]
    pub fn new(settings: &config::Server) -> Self {
        let of = |count| Arc::new(Semaphore::new(count));
        let max_memory_bytes = match settings.max_memory_bytes {
            0 => memory_bytes() / 2,
            bytes => bytes,
        };
        Self {
            requests: of(settings.max_requests),
            bodies: of(settings.max_requests / 2),
            pages: of(settings.max_pages),
            searches: of(settings.max_searches),
            max_memory_bytes,
            short_of_memory: AtomicBool::new(false),
        }
    }

    /// A place for a request. Media and health always have one: they cost little, and who watches
    /// is to go on.
    ///
    /// # Errors
    ///
    /// [`Busy`] when there is too much in hand, or too little memory.
    pub fn begin(&self, kind: Kind) -> Result<Place, Busy> {
        let of_kind = match kind {
            Kind::Health | Kind::Media => return Ok(Place { _all: None, _kind: None }),
            Kind::Upload | Kind::Login | Kind::Complaint | Kind::Write => Some(&self.bodies),
            Kind::Page => Some(&self.pages),
            // Counted where they run: a search goes on when its request is given up.
            Kind::Search => None,
        };
        if self.is_short_of_memory() {
            return Err(shed("memory"));
        }
        let all = take(&self.requests).ok_or_else(|| shed("requests"))?;
        let of_kind = of_kind.map(|places| take(places).ok_or_else(|| shed("kind"))).transpose()?;
        Ok(Place { _all: Some(all), _kind: of_kind })
    }

    /// A place for a search, to be held until it has ended.
    ///
    /// # Errors
    ///
    /// [`Busy`] when too many run.
    pub fn begin_search(&self) -> Result<Place, Busy> {
        let place = take(&self.searches).ok_or_else(|| shed("searches"))?;
        Ok(Place { _all: None, _kind: Some(place) })
    }

    /// Whether this process has more memory than it may.
    #[must_use]
    pub fn is_short_of_memory(&self) -> bool {
        self.short_of_memory.load(Ordering::Relaxed)
    }

    /// Looks at the memory until `stop`.
    pub async fn watch(&self, stop: &CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Some(used_bytes) = own_memory_bytes() {
                self.judge(used_bytes);
            }
        }
    }

    fn judge(&self, used_bytes: u64) {
        metrics::gauge!("duoku_memory_bytes").set(used_bytes as f64);
        let was_short = self.is_short_of_memory();
        // A tenth must be free again, so that it does not change its mind four times a second.
        let bound = self.max_memory_bytes - if was_short { self.max_memory_bytes / 10 } else { 0 };
        let short = used_bytes > bound;
        if short != was_short {
            tracing::warn!(used_bytes, short, "memory: requests are refused while it is short");
            self.short_of_memory.store(short, Ordering::Relaxed);
        }
        if short {
            give_back();
        }
    }
}

fn take(places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(places).try_acquire_owned().ok()
}

fn shed(why: &'static str) -> Busy {
    metrics::counter!("duoku_requests_shed", "why" => why).increment(1);
    Busy
}

/// Memory of this process that is its own, without files that are mapped (proc_pid_statm(5)).
fn own_memory_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = text.split_ascii_whitespace().skip(1).map(|field| field.parse::<u64>().ok());
    let (resident, shared) = (pages.next()??, pages.next()??);
    Some(resident.saturating_sub(shared) * rustix::param::page_size() as u64)
}

/// Memory of the machine, or what our control group may have of it.
fn memory_bytes() -> u64 {
    let system = sysinfo();
    let all = system.totalram * u64::from(system.mem_unit);
    control_group_bytes().map_or(all, |limit| limit.min(all))
}

/// The `memory.max` of our control group (version 2), if there is one.
fn control_group_bytes() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let file = format!("/sys/fs/cgroup{}/memory.max", path.trim_end_matches('/'));
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Gives memory back to the system that was freed and is only kept: it must not look used for ever.
#[expect(unsafe_code, reason = "glibc's allocator can be asked for this only so")]
fn give_back() {
    // SAFETY: malloc_trim may be called at any time by any thread (malloc_trim(3)).
    unsafe { libc::malloc_trim(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load() -> Load {
        let of = |count| Arc::new(Semaphore::new(count));
        Load {
            requests: of(4),
            bodies: of(2),
            pages: of(3),
            searches: of(1),
            max_memory_bytes: 1000,
            short_of_memory: AtomicBool::new(false),
        }
    }

    #[test]
    fn slow_bodies_do_not_keep_readers_out() {
        let load = load();
        let bodies = [load.begin(Kind::Write), load.begin(Kind::Upload)];
        assert!(bodies.iter().all(Result::is_ok));
        assert!(load.begin(Kind::Login).is_err());
        let page = load.begin(Kind::Page).expect("a place");
        let _search = load.begin(Kind::Search).expect("a place");
        assert!(load.begin(Kind::Page).is_err(), "four in all");
        assert!(load.begin(Kind::Media).is_ok() && load.begin(Kind::Health).is_ok());
        drop(page);
        assert!(load.begin(Kind::Page).is_ok());
    }

    #[test]
    fn searches_have_a_bound_of_their_own() {
        let load = load();
        let first = load.begin_search().expect("a place");
        assert!(load.begin_search().is_err());
        drop(first);
        assert!(load.begin_search().is_ok());
    }

    #[test]
    fn without_memory_only_media_and_health_go_on() {
        let load = load();
        load.judge(1001);
        assert!(load.begin(Kind::Page).is_err() && load.begin(Kind::Upload).is_err());
        assert!(load.begin(Kind::Media).is_ok() && load.begin(Kind::Health).is_ok());
        load.judge(950);
        assert!(load.begin(Kind::Page).is_err(), "not much better yet");
        load.judge(900);
        assert!(load.begin(Kind::Page).is_ok());
    }

    #[test]
    fn our_own_memory_is_known() {
        let used_bytes = own_memory_bytes().expect("there is /proc");
        assert!(used_bytes > 100_000 && used_bytes < memory_bytes(), "{used_bytes}");
    }
}
