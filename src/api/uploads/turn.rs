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
    newest: Mutex<CancellationToken>,
}

/// The right to change an upload; asking for it ends whoever has it or waits for it.
pub(super) struct Turn {
    id: UploadId,
    /// Done when another request wants the upload.
    pub superseded: CancellationToken,
    _guard: tokio::sync::OwnedMutexGuard<()>,
    waiting: Arc<Waiting>,
}

pub(super) async fn turn(id: UploadId) -> Turn {
    let waiting = {
        let mut turns = TURNS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(turns.entry(id).or_default())
    };
    let superseded = CancellationToken::new();
    std::mem::replace(&mut *newest(&waiting), superseded.clone()).cancel();
    let guard = Arc::clone(&waiting.lock).lock_owned().await;
    Turn { id, superseded, _guard: guard, waiting }
}

fn newest(waiting: &Waiting) -> std::sync::MutexGuard<'_, CancellationToken> {
    waiting.newest.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
