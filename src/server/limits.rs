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
            open: Mutex::default(),
        }
    }

    /// A place for a connection from `address`, if there is one left.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all = open.all;
        let own = open.by_address.entry(address).or_default();
        if all >= self.most || *own >= self.most_per_address {
            metrics::counter!("duoku_connections_refused").increment(1);
            return None;
        }
        *own += 1;
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
        let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        // The last that no trusted proxy added is the client.
        let client = forwarded
            .into_iter()
            .flat_map(|list| list.rsplit(','))
            .filter_map(|text| text.trim().parse().ok())
            .find(|address| !trusted.contains(address));
        Self(client.unwrap_or(connection))
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
        let limits = Arc::new(Limits { most: 3, most_per_address: 2, open: Mutex::default() });
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = limits.admit(a).expect("a place");
        let _second = limits.admit(a).expect("a place");
        assert!(limits.admit(a).is_none(), "too many from one address");
        let _third = limits.admit(b).expect("a place");
        assert!(limits.admit(b).is_none(), "too many in all");
        drop(first);
        assert!(limits.admit(b).is_some());
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let mut headers = http::HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.9".parse().expect("a value"));
        let (proxy, other) = (IpAddr::from([10, 0, 0, 8]), IpAddr::from([10, 0, 0, 9]));
        assert_eq!(Peer::of(proxy, &headers, &[proxy, other]).0, IpAddr::from([1, 2, 3, 4]));
        assert_eq!(Peer::of(proxy, &headers, &[]).0, proxy);
    }
}
