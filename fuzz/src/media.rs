//! As `src/media/mod.rs`, without the processes.

#[path = "../../src/media/archive.rs"]
pub mod archive;
#[path = "../../src/media/book/mod.rs"]
pub mod book;
#[path = "../../src/media/captions/mod.rs"]
pub mod captions;
#[path = "../../src/media/claims.rs"]
mod claims;
#[path = "../../src/media/document/mod.rs"]
pub mod document;
#[path = "../../src/media/fuzz.rs"]
pub mod fuzz;
#[path = "../../src/media/ocr/mod.rs"]
pub mod ocr;
#[path = "../../src/media/outline.rs"]
mod outline;
#[path = "../../src/media/prints.rs"]
pub mod prints;
#[path = "../../src/media/protocol.rs"]
pub mod protocol;
#[path = "../../src/media/records.rs"]
pub mod records;
#[path = "../../src/media/sandbox/mod.rs"]
pub mod sandbox;
#[path = "../../src/media/sheet.rs"]
pub mod sheet;
#[path = "../../src/media/speech/mod.rs"]
pub mod speech;
#[path = "../../src/media/xml.rs"]
mod xml;
