//! How many connections there may be, in all and from one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::peer::network;
use crate::config;

/// Descriptors that are kept for files, the database and media children.
const OTHER_DESCRIPTORS: u64 = 256;

/// Connections that are open, in all and by address.
#[derive(Debug)]
pub(super) struct Limits {
    most: usize,
    most_per_address: usize,
    /// Many people come through each of these.
    proxies: Vec<IpAddr>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// An open connection's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    limits: Arc<Limits>,
    address: IpAddr,
}

impl Limits {
    pub(super) fn new(settings: &config::Server) -> Self {
        Self {
            most: settings.max_connections.min(descriptors_for_connections()),
            most_per_address: settings.max_connections_per_address,
            proxies: settings.trusted_proxies.clone(),
            open: Mutex::default(),
        }
    }

    /// A place for a connection from `address`, if there is one left.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let crowds = self.proxies.contains(&address);
        let address = network(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.by_address.get(&address).copied().unwrap_or(0);
        let crowded = own >= self.most_per_address && !crowds;
        if open.all >= self.most || crowded {
            metrics::counter!("duoku_connections_refused").increment(1);
            return None;
        }
        open.by_address.insert(address, own + 1);
        open.all += 1;
        metrics::gauge!("duoku_connections").set(open.all as f64);
        Some(Place { limits: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(own) = open.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                open.by_address.remove(&self.address);
            }
        }
        metrics::gauge!("duoku_connections").set(open.all as f64);
    }
}

/// Raises the limit of descriptors as far as this process may, and gives how many connections
/// fit under it: one more is refused before the kernel has to.
fn descriptors_for_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // None is no limit. Where there are few, half is for connections.
    let Some(descriptors) = current else { return usize::MAX };
    let rest = descriptors.saturating_sub(OTHER_DESCRIPTORS).max(descriptors / 2);
    usize::try_from(rest).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back() {
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let proxies = vec![IpAddr::from([10, 0, 0, 9])];
        let limits = Limits { most: 3, most_per_address: 2, proxies, open: Mutex::default() };
        let limits = Arc::new(limits);
        let first = limits.admit(a).expect("a place");
        let _second = limits.admit(a).expect("a place");
        assert!(limits.admit(a).is_none(), "too many from one address");
        let _third = limits.admit(b).expect("a place");
        assert!(limits.admit(b).is_none(), "too many in all");
        let other = limits.admit(IpAddr::from([10, 0, 0, 7]));
        assert!(other.is_none() && limits.open.lock().expect("ours").by_address.len() == 2);
        drop(first);
        assert!(limits.admit(b).is_some());
    }

    #[test]
    fn a_trusted_proxy_brings_many() {
        let proxy = IpAddr::from([10, 0, 0, 9]);
        let proxies = vec![proxy];
        let limits = Limits { most: 3, most_per_address: 1, proxies, open: Mutex::default() };
        let limits = Arc::new(limits);
        let places: Vec<_> = (0..3).map_while(|_| limits.admit(proxy)).collect();
        assert_eq!(places.len(), 3);
        assert!(limits.admit(proxy).is_none(), "too many in all");
    }
}
