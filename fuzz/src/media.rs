//! As `src/media/mod.rs`, without the processes.

#[path = "../../src/media/captions/mod.rs"]
pub mod captions;
#[path = "../../src/media/claims.rs"]
mod claims;
#[path = "../../src/media/document/mod.rs"]
pub mod document;
#[path = "../../src/media/fuzz.rs"]
pub mod fuzz;
#[path = "../../src/media/outline.rs"]
mod outline;
#[path = "../../src/media/protocol.rs"]
pub mod protocol;
#[path = "../../src/media/sandbox/mod.rs"]
pub mod sandbox;
