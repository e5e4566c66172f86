//! Tickets: signed, expiring path prefixes for what is not public. No cookie
//! is needed, so they work on a TV; a withdrawal ends them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};

use crate::catalogue::{Resource, ResourceId};

/// Bytes of the signature that are kept (HMAC-SHA-256, truncated as RFC 2104 section 5 allows).
const MAC_BYTES: usize = 16;

/// The seven bytes that say when a ticket ends.
const EXPIRES: u64 = u64::MAX >> 8;

/// The longest time that a ticket admits, seconds: six hours.
pub(super) const LONGEST_S: i64 = 6 * 3600;

/// Signs and checks tickets; see [`TicketKeys`](super::TicketKeys) for which does what when.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct TicketKey {
    /// Told in the ticket, so that only one key is tried.
    pub id: u8,
    /// When it begins to sign, Unix seconds. It admits from the moment that it is known.
    pub signs_from_s: i64,
    pub secret: [u8; 32],
}

/// The text of a ticket, as it stands in a path: base64url of the key's id (1 byte), when it ends
/// (Unix seconds, 7 bytes, most significant first) and the signature (16 bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket(pub String);

impl std::fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TicketKey({}, …)", self.id)
    }
}

/// A ticket taken apart; nothing about it was checked.
pub(super) struct Parsed {
    pub key: u8,
    expires_s: i64,
    mac: [u8; MAC_BYTES],
}

impl Parsed {
    /// What `ticket`, a step of a path, says.
    pub(super) fn of(ticket: &str) -> Option<Self> {
        let mut bytes = [0; 8 + MAC_BYTES];
        if URL_SAFE_NO_PAD.decode_slice(ticket, &mut bytes) != Ok(bytes.len()) {
            return None;
        }
        let (head, mac) = bytes.split_at(8);
        let head = u64::from_be_bytes(head.try_into().ok()?);
        let expires_s = (head & EXPIRES) as i64;
        Some(Self { key: (head >> 56) as u8, expires_s, mac: mac.try_into().ok()? })
    }
}

impl TicketKey {
    /// A ticket for `resource` until `expires_s`, Unix seconds.
    pub(super) fn sign(&self, resource: &Resource, expires_s: i64) -> Ticket {
        let head = u64::from(self.id) << 56 | expires_s.cast_unsigned() & EXPIRES;
        let mut bytes = head.to_be_bytes().to_vec();
        bytes.extend(self.mac(resource.id, resource.ticket_epoch, expires_s));
        Ticket(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether `ticket`, which names this key, lets its bearer have `resource` at `now_s`, Unix
    /// seconds.
    pub(super) fn admits(&self, ticket: &Parsed, resource: &Resource, now_s: i64) -> bool {
        let expires_s = ticket.expires_s;
        let expected = self.mac(resource.id, resource.ticket_epoch, expires_s);
        let same: bool = subtle::ConstantTimeEq::ct_eq(&ticket.mac[..], &expected[..]).into();
        same && now_s < expires_s && expires_s <= now_s + LONGEST_S
    }

    fn mac(&self, id: ResourceId, epoch: i64, expires_s: i64) -> [u8; MAC_BYTES] {
        let mut mac =
            Hmac::<sha2::Sha256>::new_from_slice(&self.secret).expect("any length will do");
        mac.update(id.to_string().as_bytes());
        mac.update(&epoch.to_be_bytes());
        mac.update(&expires_s.to_be_bytes());
        let full = mac.finalize().into_bytes();
        full[..MAC_BYTES].try_into().expect("longer than that")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Stage, test_resource};

    fn key(secret: u8) -> TicketKey {
        TicketKey { id: 3, signs_from_s: 0, secret: [secret; 32] }
    }

    fn admits(key: &TicketKey, ticket: &Ticket, resource: &Resource, now_s: i64) -> bool {
        Parsed::of(&ticket.0).is_some_and(|ticket| key.admits(&ticket, resource, now_s))
    }

    #[test]
    fn a_ticket_is_for_one_resource_until_it_ends_or_is_withdrawn() {
        let resource = test_resource(Stage::Published);
        let ticket = key(7).sign(&resource, 30_000);
        assert_eq!(Parsed::of(&ticket.0).expect("a ticket").key, 3);
        assert!(admits(&key(7), &ticket, &resource, 29_999));
        assert!(!admits(&key(7), &ticket, &resource, 30_000), "expired");
        assert!(!admits(&key(7), &ticket, &resource, 30_000 - LONGEST_S - 1), "too long");
        let other = test_resource(Stage::Published);
        assert!(!admits(&key(7), &ticket, &other, 29_999), "another resource");
        assert!(!admits(&key(8), &ticket, &resource, 29_999), "another key");
        let withdrawn = resource.withdraw().expect("published");
        assert!(!admits(&key(7), &ticket, &withdrawn, 29_999), "withdrawn");
        for bad in ["", "x", "AAAA", &"A".repeat(32), &"A".repeat(33)] {
            assert!(!admits(&key(7), &Ticket(bad.into()), &withdrawn, 0), "{bad}");
        }
    }
}
