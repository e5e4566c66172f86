//! The parsers of duoku, compiled from its own files and without the server around them.

#![allow(dead_code, unused_imports, reason = "only some of it is called from here")]

pub mod media;

#[path = "../../src/deliver/range.rs"]
pub mod range;

#[path = "../../src/twins/mod.rs"]
pub mod twins;
