//! One request at a time changes an upload; the newest wins, since the line of
//! the one before was cut.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use tokio_util::sync::CancellationToken;

use crate::catalogue::UploadId;

/// Requests that have or wait for an upload, by upload.
static TURNS: LazyLock<Mutex<HashMap<UploadId, Arc<Waiting>>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Waiting {
    lock: Arc<tokio::sync::Mutex<()>>,
    holder: Mutex<CancellationToken>,
}

/// The right to change an upload; asking for it ends whoever had it.
pub(super) struct Turn {
    id: UploadId,
    pub superseded: CancellationToken,
    _guard: tokio::sync::OwnedMutexGuard<()>,
    waiting: Arc<Waiting>,
}

pub(super) async fn turn(id: UploadId) -> Turn {
    let waiting = {
        let mut turns = TURNS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(turns.entry(id).or_default())
    };
    holder(&waiting).cancel();
    let guard = Arc::clone(&waiting.lock).lock_owned().await;
    let superseded = CancellationToken::new();
    *holder(&waiting) = superseded.clone();
    Turn { id, superseded, _guard: guard, waiting }
}

fn holder(waiting: &Waiting) -> std::sync::MutexGuard<'_, CancellationToken> {
    waiting.holder.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = TURNS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // One for the map, one for us: nobody else waits.
        if Arc::strong_count(&self.waiting) <= 2 {
            turns.remove(&self.id);
        }
    }
}
