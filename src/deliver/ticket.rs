//! Tickets: signed, expiring path prefixes for what is not public. No cookie
//! is needed, so they work on a TV; a withdrawal ends them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sqlx::AnyConnection;

use crate::catalogue::{Resource, ResourceId};
use crate::db;

/// Bytes of the signature that are kept (HMAC-SHA-256, truncated as RFC 2104 section 5 allows).
const MAC_BYTES: usize = 16;

/// Signs and checks tickets; the same for all processes of an installation.
#[derive(Clone)]
pub struct TicketKey([u8; 32]);

/// The text of a ticket, as it stands in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket(pub String);

impl std::fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TicketKey(…)")
    }
}

impl TicketKey {
    /// The installation's key; makes it the first time.
    ///
    /// # Errors
    ///
    /// Those of the database, and of the kernel's random numbers.
    pub async fn get(db: &mut AnyConnection) -> Result<Self, crate::app::Error> {
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh)?;
        let text =
            db::settings::get_or_set(db, "ticket_key", &URL_SAFE_NO_PAD.encode(fresh)).await?;
        let mut key = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(&text, &mut key) {
            Ok(32) => Ok(Self(key)),
            _ => Err(db::Error::Row { what: "setting.ticket_key", value: String::new() }.into()),
        }
    }

    /// A ticket for `resource` until `expires_s`, Unix seconds.
    #[must_use]
    pub fn sign(&self, resource: &Resource, expires_s: i64) -> Ticket {
        let mut bytes = expires_s.to_be_bytes().to_vec();
        bytes.extend(self.mac(resource.id, resource.ticket_epoch, expires_s));
        Ticket(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether `ticket` lets its bearer have `resource` at `now_s`, Unix seconds.
    #[must_use]
    pub fn admits(&self, ticket: &str, resource: &Resource, now_s: i64) -> bool {
        let mut bytes = [0; 8 + MAC_BYTES];
        if URL_SAFE_NO_PAD.decode_slice(ticket, &mut bytes) != Ok(bytes.len()) {
            return false;
        }
        let (expires, mac) = bytes.split_at(8);
        let expires_s = i64::from_be_bytes(expires.try_into().expect("eight bytes"));
        let expected = self.mac(resource.id, resource.ticket_epoch, expires_s);
        let same: bool = subtle::ConstantTimeEq::ct_eq(mac, &expected[..]).into();
        same && now_s < expires_s
    }

    fn mac(&self, id: ResourceId, epoch: i64, expires_s: i64) -> [u8; MAC_BYTES] {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&self.0).expect("any length will do");
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

    #[test]
    fn a_ticket_is_for_one_resource_until_it_ends_or_is_withdrawn() {
        let key = TicketKey([7; 32]);
        let resource = test_resource(Stage::Published);
        let ticket = key.sign(&resource, 1000);
        assert!(key.admits(&ticket.0, &resource, 999));
        assert!(!key.admits(&ticket.0, &resource, 1000), "expired");
        assert!(!key.admits(&ticket.0, &test_resource(Stage::Published), 999), "another resource");
        assert!(!TicketKey([8; 32]).admits(&ticket.0, &resource, 999), "another key");
        let withdrawn = resource.withdraw().expect("published");
        assert!(!key.admits(&ticket.0, &withdrawn, 999), "withdrawn");
        for bad in ["", "x", "AAAA", &"A".repeat(32), &"A".repeat(33)] {
            assert!(!key.admits(bad, &withdrawn, 0), "{bad}");
        }
    }
}
