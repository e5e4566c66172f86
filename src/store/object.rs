//! An object that is delivered from.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;

use super::s3::broken;
use super::{Blocks, Error, Mapped};

/// An object that is delivered from.
#[derive(Debug, Clone)]
pub enum Object {
    /// In the local store.
    Mapped(Arc<Mapped>),
    /// In a bucket, with its size in bytes.
    Remote(RemoteObject),
}

/// An object in a bucket.
#[derive(Debug, Clone)]
pub struct RemoteObject {
    blocks: Arc<Blocks>,
    key: Arc<str>,
    size: u64,
}

impl Object {
    /// Size in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Mapped(mapped) => mapped.len() as u64,
            Self::Remote(remote) => remote.size,
        }
    }

    /// Whether the object is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Object {
    /// All of it.
    ///
    /// # Errors
    ///
    /// [`Error::Remote`].
    pub async fn read(&self) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        match self {
            Self::Mapped(mapped) => {
                let mapped = Arc::clone(mapped);
                let read = tokio::task::spawn_blocking(move || mapped.as_bytes().to_vec());
                all = read.await.map_err(|error| broken("reading", "", error.to_string()))?;
            }
            Self::Remote(remote) => {
                while (all.len() as u64) < remote.size {
                    let mut block = remote.stream(&(all.len() as u64..remote.size));
                    while let Some(bytes) = block.next().await {
                        let bytes = bytes
                            .map_err(|error| broken("reading", &remote.key, error.to_string()))?;
                        all.extend_from_slice(&bytes);
                    }
                }
            }
        }
        Ok(all)
    }
}

impl RemoteObject {
    pub(super) fn new(blocks: Arc<Blocks>, key: Arc<str>, size: u64) -> Self {
        Self { blocks, key, size }
    }

    /// The first bytes of `range`, as many as are here together.
    #[must_use]
    pub fn get(&self, range: &Range<u64>) -> Option<Bytes> {
        let bytes = self.blocks.get(&self.key, range)?;
        self.blocks.read_ahead(&self.key, range.start);
        Some(bytes)
    }

    /// The first bytes of `range`, as they come; perhaps not all.
    #[must_use]
    pub fn stream(&self, range: &Range<u64>) -> BoxStream<'static, io::Result<Bytes>> {
        // Somebody who plays on asks for these next.
        self.blocks.read_ahead(&self.key, range.start);
        self.blocks.stream(&self.key, range)
    }
}
