//! The keys that tickets are signed with, and how one follows another without interruption.
//!
//! A new key is written down some time before it signs: until then every process has learnt it, so
//! that whatever one signs the others admit. The keys before it go on admitting until the longest
//! ticket that they signed has ended.

use std::time::Duration;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::AnyConnection;
use tokio_util::sync::CancellationToken;

use super::ticket::{LONGEST_S, Parsed, Ticket, TicketKey};
use crate::catalogue::Resource;
use crate::db::{self, Db};

/// Name of the setting that holds them: `id:signs_from_s:secret`, the oldest first.
const SETTING: &str = "ticket_key";

/// How often a process looks for new keys.
const LOOK: Duration = Duration::from_secs(5);

/// Time between writing a key down and signing with it, seconds: twice what the slowest process
/// takes to learn it, and room for clocks that differ.
const LEAD_S: i64 = 20;

/// The keys of an installation, the same for all of its processes.
#[derive(Debug)]
pub struct TicketKeys {
    /// The oldest first; never empty.
    held: ArcSwap<Vec<TicketKey>>,
}

/// Which keys are left after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// They admit what they signed until it ends.
    Admit,
    /// They are forgotten, and what they signed ends with them.
    Drop,
}

impl TicketKeys {
    /// The installation's keys; makes the first one the first time.
    ///
    /// # Errors
    ///
    /// Those of the database, and of the kernel's random numbers.
    pub async fn open(db: &mut AnyConnection) -> Result<Self, crate::app::Error> {
        Ok(Self { held: ArcSwap::from_pointee(load(db).await?) })
    }

    /// A ticket for `resource` until `expires_s`; both times are Unix seconds.
    #[must_use]
    pub fn sign(&self, resource: &Resource, now_s: i64, expires_s: i64) -> Ticket {
        let held = self.held.load();
        signing(&held, now_s).sign(resource, expires_s)
    }

    /// Whether `ticket` lets its bearer have `resource` at `now_s`, Unix seconds.
    #[must_use]
    pub fn admits(&self, ticket: &str, resource: &Resource, now_s: i64) -> bool {
        let Some(ticket) = Parsed::of(ticket) else { return false };
        let held = self.held.load();
        let named = held.iter().find(|key| key.id == ticket.key);
        named.is_some_and(|key| key.admits(&ticket, resource, now_s))
    }

    /// Writes down a new key, and gives when it begins to sign, Unix seconds.
    ///
    /// # Errors
    ///
    /// Those of the database, and of the kernel's random numbers.
    pub async fn rotate(
        db: &mut AnyConnection,
        now_s: i64,
        earlier: Earlier,
    ) -> Result<i64, crate::app::Error> {
        // Locks the row until the transaction ends.
        let held = load(db).await?;
        let keys = rotated(&held, now_s, fresh()?, earlier);
        db::settings::set(db, SETTING, &text(&keys)).await?;
        Ok(keys.last().map_or(now_s, |key| key.signs_from_s))
    }

    /// Learns what other processes change, until `stop`.
    pub async fn follow(&self, db: &Db, stop: &CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.refresh(db).await {
                tracing::warn!(%error, "the keys of tickets stay as they were");
            }
        }
    }

    async fn refresh(&self, db: &Db) -> Result<(), crate::app::Error> {
        let text = db::settings::find(&mut *db.read().await?, SETTING).await?;
        let found = parse(text.as_deref().unwrap_or_default())?;
        if **self.held.load() != found {
            tracing::info!(keys = found.len(), "keys of tickets changed");
            self.held.store(found.into());
        }
        Ok(())
    }
}

async fn load(db: &mut AnyConnection) -> Result<Vec<TicketKey>, crate::app::Error> {
    let first = TicketKey { id: 0, signs_from_s: 0, secret: fresh()? };
    Ok(parse(&db::settings::get_or_set(db, SETTING, &text(&[first])).await?)?)
}

fn fresh() -> Result<[u8; 32], getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

fn rotated(held: &[TicketKey], now_s: i64, secret: [u8; 32], earlier: Earlier) -> Vec<TicketKey> {
    let id = held.last().map_or(0, |last| last.id.wrapping_add(1));
    if earlier == Earlier::Drop {
        return vec![TicketKey { id, signs_from_s: now_s, secret }];
    }
    // One has ended when the next one has signed for longer than any ticket lasts.
    let ended = held.iter().skip(1).take_while(|next| next.signs_from_s + LONGEST_S < now_s);
    let mut keys = held[ended.count()..].to_vec();
    // An id is one byte: before it comes round, the oldest goes.
    keys.retain(|key| key.id != id);
    keys.push(TicketKey { id, signs_from_s: now_s + LEAD_S, secret });
    keys
}

/// The newest whose time has come.
fn signing(held: &[TicketKey], now_s: i64) -> &TicketKey {
    let newest = held.iter().rev().find(|key| key.signs_from_s <= now_s);
    newest.unwrap_or(&held[0])
}

fn text(keys: &[TicketKey]) -> String {
    let each = |key: &TicketKey| {
        format!("{}:{}:{}", key.id, key.signs_from_s, URL_SAFE_NO_PAD.encode(key.secret))
    };
    keys.iter().map(each).collect::<Vec<_>>().join(" ")
}

/// Reads [`text`], and the one key alone that was written before keys followed each other.
fn parse(text: &str) -> Result<Vec<TicketKey>, db::Error> {
    let one = |text: &str| {
        let fields: Vec<&str> = text.split(':').collect();
        let (id, signs_from_s, secret) = match fields.as_slice() {
            [secret] => (0, 0, *secret),
            [id, from, secret] => (id.parse().ok()?, from.parse().ok()?, *secret),
            _ => return None,
        };
        let mut bytes = [0; 32];
        let length = URL_SAFE_NO_PAD.decode_slice(secret, &mut bytes).ok()?;
        (length == bytes.len()).then_some(TicketKey { id, signs_from_s, secret: bytes })
    };
    let keys: Option<Vec<TicketKey>> = text.split_whitespace().map(one).collect();
    // The value is a secret: it is not told.
    keys.filter(|keys| !keys.is_empty())
        .ok_or(db::Error::Row { what: "setting.ticket_key", value: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Stage, test_resource};

    fn keys(held: Vec<TicketKey>) -> TicketKeys {
        TicketKeys { held: ArcSwap::from_pointee(held) }
    }

    #[test]
    fn one_key_follows_another_without_interruption() {
        let resource = test_resource(Stage::Published);
        let now_s = 1_000_000;
        let old = vec![TicketKey { id: 255, signs_from_s: 0, secret: [1; 32] }];
        let new = rotated(&old, now_s, [2; 32], Earlier::Admit);
        let (knows_old, knows_new) = (keys(old), keys(new.clone()));
        // Whatever a process signs before it has learnt the new key, and what others sign then.
        for at_s in [now_s, now_s + LEAD_S - 1] {
            let ticket = knows_new.sign(&resource, at_s, at_s + LONGEST_S);
            assert!(knows_old.admits(&ticket.0, &resource, at_s), "it signs later");
        }
        let last = knows_old.sign(&resource, now_s + LEAD_S, now_s + LEAD_S + LONGEST_S);
        assert!(knows_new.admits(&last.0, &resource, now_s + LEAD_S + LONGEST_S - 1));
        let first = knows_new.sign(&resource, now_s + LEAD_S, now_s + LEAD_S + 60);
        assert!(!knows_old.admits(&first.0, &resource, now_s + LEAD_S), "signed by the new one");
        assert!(knows_new.admits(&first.0, &resource, now_s + LEAD_S));
        // The old one goes with the rotation after its last ticket.
        let early = rotated(&new, now_s + LONGEST_S, [3; 32], Earlier::Admit);
        assert_eq!(early.iter().map(|key| key.id).collect::<Vec<_>>(), [255, 0, 1]);
        let late = rotated(&new, now_s + LEAD_S + LONGEST_S + 1, [3; 32], Earlier::Admit);
        assert_eq!(late.iter().map(|key| key.id).collect::<Vec<_>>(), [0, 1]);
        let only = keys(rotated(&new, now_s, [4; 32], Earlier::Drop));
        assert!(!only.admits(&last.0, &resource, now_s + 60), "dropped");
    }

    #[test]
    fn keys_are_written_down_and_read_again() {
        let held = rotated(
            &[TicketKey { id: 0, signs_from_s: 0, secret: [7; 32] }],
            5,
            [9; 32],
            Earlier::Admit,
        );
        assert_eq!(parse(&text(&held)).expect("ours"), held);
        let alone = URL_SAFE_NO_PAD.encode([7; 32]);
        assert_eq!(parse(&alone).expect("as it was before")[0], held[0]);
        for bad in ["", "x", "1:2", "1:2:3:4", "300:0:AA", &format!("x:0:{alone}")] {
            let error = parse(bad).expect_err("damaged").to_string();
            assert!(!error.contains(&alone), "{error}");
        }
    }
}
