//! From whom a request is.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::extract::FromRequestParts;
use http::HeaderName;
use http::request::Parts;

use crate::deliver::Fields;

/// The addresses that a request went through, as proxies write them down.
static FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request is from: the connection's, or what a proxy that is trusted says.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl Peer {
    pub(super) fn of(connection: IpAddr, fields: Fields<'_>, trusted: &[IpAddr]) -> Self {
        if !trusted.contains(&connection) {
            return Self(connection);
        }
        // The last that is not a trusted proxy is the client; before it anybody may have written
        // anything. Several lines are one list.
        let client = fields
            .all(&FORWARDED)
            .rev()
            .flat_map(|list| list.rsplit(','))
            .map(|text| text.trim().parse().ok().map(|address: IpAddr| address.to_canonical()))
            .find(|address| address.is_none_or(|address| !trusted.contains(&address)));
        Self(client.flatten().unwrap_or(connection))
    }
}

/// What is counted as one client: an IPv4 address, or the /64 of an IPv6 address, since whoever
/// has one address of it has all (RFC 6177 section 2).
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
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
    fn only_trusted_proxies_are_believed() {
        let mut headers = http::HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.9".parse().expect("a value"));
        let (proxy, other) = (IpAddr::from([10, 0, 0, 8]), IpAddr::from([10, 0, 0, 9]));
        assert_eq!(
            Peer::of(proxy, Fields::Map(&headers), &[proxy, other]).0,
            IpAddr::from([1, 2, 3, 4])
        );
        assert_eq!(Peer::of(proxy, Fields::Map(&headers), &[]).0, proxy);
        // What a client wrote stands before what the proxy added, in the same line or in its own.
        headers.append("x-forwarded-for", "::ffff:5.6.7.8".parse().expect("a value"));
        assert_eq!(Peer::of(proxy, Fields::Map(&headers), &[proxy]).0, IpAddr::from([5, 6, 7, 8]));
    }

    #[test]
    fn a_64_of_ipv6_is_one_client() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::4"), of("2001:db8:1:3::4"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
