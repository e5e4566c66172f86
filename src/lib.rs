//! duoku: a learning repository and streaming server. See ARCHITECTURE.md.

pub mod answers;
pub mod api;
pub mod app;
pub mod batch;
pub mod cartridge;
pub mod catalogue;
pub mod cmd;
pub mod config;
pub mod db;
pub mod deliver;
pub mod exchange;
pub mod fault;
pub mod guess;
pub mod identity;
pub mod ingest;
pub mod media;
pub mod net;
pub mod pages;
pub mod review;
pub mod server;
pub mod store;
pub mod table;
pub mod twins;
