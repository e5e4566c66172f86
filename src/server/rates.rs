//! How often somebody may ask: token buckets by client and kind of request.
//!
//! Each bucket is one number, the time at which it will be full again (the generic cell rate
//! algorithm, ITU-T I.371), in a table of fixed size: what it takes does not grow with the clients,
//! and nothing is ever locked or swept. Two clients whose hashes meet share a bucket; which ones
//! nobody can choose, since the hash has a key of this process.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::kind::Kind;
use super::peer::{Peer, network};
use crate::catalogue::AccountId;
use crate::config;

/// Buckets, 8 bytes each. A thousand clients at a time share one with another in 2 of 100 cases.
const BUCKETS: usize = 1 << 16;

/// A bucket holds what a minute brings.
const MINUTE: Duration = Duration::from_secs(60);

/// How often each client and account may ask.
pub struct Rates {
    settings: config::Rates,
    hasher: RandomState,
    begun: Instant,
    /// When each bucket will be full, nanoseconds since `begun`.
    full_ns: Box<[AtomicU64]>,
}

/// Who is counted.
#[derive(Debug, Hash)]
enum Client {
    Network(IpAddr),
    Account(AccountId),
}

/// Somebody asks too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// How long until one more may come.
    pub wait: Duration,
}

impl std::fmt::Debug for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rates").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Rates {
    /// Full buckets for everybody.
    #[must_use]
    pub fn new(settings: &config::Rates) -> Self {
        Self {
            settings: settings.clone(),
            hasher: RandomState::new(),
            begun: Instant::now(),
            full_ns: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Counts a request of `kind` from `peer`. This machine itself is not counted: who asks from
    /// here is the operator, or everybody behind a proxy that was not named.
    ///
    /// # Errors
    ///
    /// [`TooOften`], and then it is not counted.
    pub fn take(&self, peer: Peer, kind: Kind) -> Result<(), TooOften> {
        if peer.0.is_loopback() {
            return Ok(());
        }
        self.count(&Client::Network(network(peer.0)), kind, self.begun.elapsed())
    }

    /// Counts a request of `kind` by an account, wherever it comes from.
    ///
    /// # Errors
    ///
    /// [`TooOften`], and then it is not counted.
    pub fn take_account(&self, account: AccountId, kind: Kind) -> Result<(), TooOften> {
        self.count(&Client::Account(account), kind, self.begun.elapsed())
    }

    fn per_minute(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Health => 0,
            Kind::Media | Kind::Upload => self.settings.media_per_minute,
            Kind::Search => self.settings.search_per_minute,
            Kind::Login => self.settings.login_per_minute,
            Kind::Complaint => self.settings.complaint_per_minute,
            Kind::Write => self.settings.write_per_minute,
            Kind::Page => self.settings.page_per_minute,
        }
    }

    /// `now` is the time since `begun`.
    fn count(&self, client: &Client, kind: Kind, now: Duration) -> Result<(), TooOften> {
        let per_minute = self.per_minute(kind);
        if per_minute == 0 {
            return Ok(());
        }
        let one_ns = MINUTE.as_nanos() as u64 / u64::from(per_minute);
        let now_ns = now.as_nanos() as u64;
        let latest_ns = now_ns + MINUTE.as_nanos() as u64;
        let number = self.hasher.hash_one((client, kind)) as usize % BUCKETS;
        let taken =
            self.full_ns[number].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_ns| {
                let then = full_ns.max(now_ns) + one_ns;
                (then <= latest_ns).then_some(then)
            });
        taken.map(|_| ()).map_err(|full_ns| {
            metrics::counter!("duoku_requests_too_often").increment(1);
            let wait_ns = (full_ns + one_ns).saturating_sub(latest_ns);
            TooOften { wait: Duration::from_nanos(wait_ns) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(searches: u32) -> Rates {
        Rates::new(&config::Rates {
            media_per_minute: 0,
            page_per_minute: 60,
            search_per_minute: searches,
            write_per_minute: 60,
            complaint_per_minute: 60,
            login_per_minute: 60,
        })
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_minutes_worth_comes_at_once_and_then_one_by_one() {
        let rates = rates(6);
        let who = Client::Network(IpAddr::from([192, 0, 2, 1]));
        for _ in 0..6 {
            rates.count(&who, Kind::Search, at(100)).expect("in the bucket");
        }
        let late = rates.count(&who, Kind::Search, at(101)).expect_err("empty");
        assert_eq!(late.wait, at(9));
        rates.count(&who, Kind::Search, at(110)).expect("one came back");
        rates.count(&who, Kind::Search, at(110)).expect_err("only one");
        let other = Client::Network(IpAddr::from([192, 0, 2, 2]));
        rates.count(&other, Kind::Search, at(110)).expect("somebody else");
        rates.count(&who, Kind::Page, at(110)).expect("something else");
        for _ in 0..1000 {
            rates.count(&who, Kind::Media, at(110)).expect("no bound");
        }
    }

    #[test]
    fn this_machine_is_not_counted_but_its_accounts_are() {
        let rates = rates(1);
        let here = Peer(IpAddr::from([127, 0, 0, 1]));
        let there = Peer("2001:db8::1".parse().expect("an address"));
        let neighbour = Peer("2001:db8::2".parse().expect("an address"));
        for _ in 0..3 {
            rates.take(here, Kind::Search).expect("not counted");
        }
        rates.take(there, Kind::Search).expect("the first");
        rates.take(neighbour, Kind::Search).expect_err("of the same /64");
        let account = AccountId::fresh();
        rates.take_account(account, Kind::Search).expect("the first");
        rates.take_account(account, Kind::Search).expect_err("the second");
    }

    proptest::proptest! {
        /// In any stretch of time no more than a bucket and what came meanwhile is taken.
        #[test]
        fn no_more_than_the_rate(per_minute in 1_u32..200, gaps in proptest::collection::vec(0_u64..5_000, 1..300)) {
            let rates = rates(per_minute);
            let who = Client::Network(IpAddr::from([192, 0, 2, 1]));
            let (mut now_ms, mut taken) = (0, 0_u64);
            for gap in gaps {
                now_ms += gap;
                let now = Duration::from_millis(now_ms);
                taken += u64::from(rates.count(&who, Kind::Search, now).is_ok());
                let most = u64::from(per_minute) + now_ms * u64::from(per_minute) / 60_000 + 1;
                proptest::prop_assert!(taken <= most, "{taken} of {most} after {now_ms} ms");
            }
        }
    }
}
