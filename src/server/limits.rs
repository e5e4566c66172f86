//! How many connections there may be, and from whom a request is.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::config;

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
            most: settings.max_connections,
            most_per_address: settings.max_connections_per_address,
            proxies: settings.trusted_proxies.clone(),
            open: Mutex::default(),
        }
    }

    /// A place for a connection from `address`, if there is one left.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.by_address.get(&address).copied().unwrap_or(0);
        let crowded = own >= self.most_per_address && !self.proxies.contains(&address);
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

/// The address that a request is from: the connection's, or what a proxy that is trusted says.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl Peer {
    pub(super) fn of(connection: IpAddr, headers: &http::HeaderMap, trusted: &[IpAddr]) -> Self {
        if !trusted.contains(&connection) {
            return Self(connection);
        }
        // The last that is not a trusted proxy is the client; before it anybody may have written
        // anything. Several lines are one list.
        let forwarded = headers.get_all("x-forwarded-for").iter().rev();
        let client = forwarded
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.rsplit(','))
            .map(|text| text.trim().parse().ok().map(|address: IpAddr| address.to_canonical()))
            .find(|address| address.is_none_or(|address| !trusted.contains(&address)));
        Self(client.flatten().unwrap_or(connection))
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts
            .extensions
            .get::<Self>()
            .copied()
            .unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
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

    #[test]
    fn only_trusted_proxies_are_believed() {
        let mut headers = http::HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.9".parse().expect("a value"));
        let (proxy, other) = (IpAddr::from([10, 0, 0, 8]), IpAddr::from([10, 0, 0, 9]));
        assert_eq!(Peer::of(proxy, &headers, &[proxy, other]).0, IpAddr::from([1, 2, 3, 4]));
        assert_eq!(Peer::of(proxy, &headers, &[]).0, proxy);
        // What a client wrote stands before what the proxy added, in the same line or in its own.
        headers.append("x-forwarded-for", "::ffff:5.6.7.8".parse().expect("a value"));
        assert_eq!(Peer::of(proxy, &headers, &[proxy]).0, IpAddr::from([5, 6, 7, 8]));
    }
}
